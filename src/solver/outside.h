/* outside.h: the backend that is no matrix solver: ngspice takes the whole circuit. */
#ifndef RH_SOLVER_OUTSIDE_H
#define RH_SOLVER_OUTSIDE_H

#include "solver/solver.h"

#define RH_OUTSIDE "ngspice"

/* Is there an ngspice? To be asked before a run leaves traces. */
rheo_status rh_outside_try(rheo_error *err);
/* Is the solver one whose operating points come from ngspice? Then rh_solver_factor and rh_solver_apply still work, on
 * rheo's own factors, for what no simulator offers: the transposed system. */
bool rh_solver_is_outside(const rheo_solver *s);
/* The unknowns x [n_unknown] that are potentials, at g and source (NULL: all 0), with 1 A into node a and out of b
 * (a -1: none); those that are currents become 0. */
rheo_status rh_solver_outside_point(rheo_solver *s, const double *g, const double *source, int a, int b, double *x,
                                    rheo_error *err);
/* Warn of workers that were lost and replaced during rh_solver_outside_point, which any thread may call. */
void rh_solver_outside_tell(rheo_solver *s, const rheo_log *log);

#endif
