/* newton_inside.h: what newton.c and the files beside it do for one another. */
#ifndef RH_SOLVER_NEWTON_INSIDE_H
#define RH_SOLVER_NEWTON_INSIDE_H

#include "solver/inside.h"
#include "solver/newton.h"

/* Potentials this many times as high as those that the sources hold (or 1 V) no longer speak for what rounding may do
 * elsewhere in the circuit. */
#define RH_NEWTON_HIGH 1e3
/* And this many times as high are no answer: nothing carries the current that drives a node there. */
#define RH_NEWTON_NOWHERE 1e9
/* Balance of currents at a node, relative to their sizes and to what rounding of potentials makes of them, that nearly
 * counts as rounding. */
#define RH_NEWTON_NEARLY 1e-12

/* ---- newton_balance.c ---- */

/* Right-hand side of a share of all that drives the circuit; newton.held: the highest potential that a source holds. */
void rh_newton_drive(rheo_solver *s, const double *source, double share);
/* newton.flow[k]: currents of nonlinear element k at its own terminal potentials, carried on to the potentials v of its
 * nodes by its tangent. limit: its own follow at its pace. */
void rh_newton_evaluate(rheo_solver *s, int k, const double *v, bool limit);
/* Imbalance f, sizes amp and matrix jx at x, with currents out [load->n] into the outputs. load NULL: none. Returns the
 * worst balance of a row, relative to amp; NaN: not finite. */
double rh_newton_assemble(rheo_solver *s, const rh_load *load, const double *x, const double *out, bool limit);

/* ---- newton_step.c ---- */

/* Back to the standard pivots, those of the unbiased circuit with its initial states: what came before must not show in
 * the bytes of an answer. */
rheo_status rh_newton_standard_pivots(rheo_solver *s, rheo_error *err);
rheo_status rh_newton_factor(rheo_solver *s, double *rcond, int *column, rheo_error *err);
/* Again, where the condition would refuse the answer: its pivots were chosen elsewhere, or where entries on the
 * diagonal will do. */
rheo_status rh_newton_factor_firmly(rheo_solver *s, int *column, rheo_error *err);
/* x, the loads and the elements as they are before anything is known. */
void rh_newton_from_nothing(rheo_solver *s, const rh_load *load);
/* What 1 A into each output does: zx [load->n][n_unknown]. */
void rh_newton_respond(rheo_solver *s, const rh_load *load);
/* v[a] - v[b] of output o for a change dx: known potentials do not change. */
double rh_newton_output_change(const rheo_solver *s, const rh_load *load, int o, const double *dx);
/* dout of a load that is not fixed, and dx with it, so that the tangent meets the target; false: nothing does. */
bool rh_newton_follow_load(rheo_solver *s, const rh_load *load);
/* dx, and for a load that is not fixed dout. RHEO_E_SINGULAR without a message: no direction. */
rheo_status rh_newton_direction(rheo_solver *s, const rh_load *load, rheo_error *err);
/* Largest change of a potential in dx, relative to the largest potential. NaN: not finite. */
double rh_newton_step_size(const rheo_solver *s);

/* ---- newton_search.c, newton_outside.c ---- */

/* From newton.x and newton.out to an operating point there. */
rheo_status rh_newton_search(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err);
rheo_status rh_newton_search_outside(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err);

#endif
