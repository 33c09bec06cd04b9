/* matrices.h: the rows of RH_MATRICES. */
#ifndef RH_SOLVER_MATRICES_H
#define RH_SOLVER_MATRICES_H

#include "solver/solver.h"

extern const rh_matrix_ops rh_matrix_klu, rh_matrix_cholmod;

#endif
