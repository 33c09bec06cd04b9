/* matrix.c: the table of matrix solvers. A new one is one new file and one row. */
#include "solver/matrices.h"

const rh_matrix_ops *const RH_MATRICES[] = { &rh_matrix_klu, &rh_matrix_cholmod };
const int RH_N_MATRIX = RH_COUNT(RH_MATRICES);
