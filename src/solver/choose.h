/* choose.h: which row of RH_MATRICES solves a circuit. */
#ifndef RH_SOLVER_CHOOSE_H
#define RH_SOLVER_CHOOSE_H

#include "solver/system.h"

/* Is there such a backend: "auto" or a row's name. */
rheo_status rh_matrix_known(const char *backend, rheo_error *err);
/* Choose among the backends, which is known, and analyze the pattern of y: *m is for *ops, NULL when nothing is
 * unknown. *why: a few words, static. The choice depends on the circuit alone, so that a run can be repeated anywhere.
 * RHEO_E_USAGE: the backend asked for cannot take this circuit; err names the first element in its way. */
rheo_status rh_matrix_open(const char *backend, const rheo_circuit *c, const rh_system *y, const rh_matrix_ops **ops,
                           void **m, const char **why, rheo_error *err);
/* Do positive resistors, current sources and grounded voltage sources make up all of it: is the matrix sure to be
 * symmetric and positive definite. */
bool rh_matrix_positive(const rheo_circuit *c, const rh_system *y);

#endif
