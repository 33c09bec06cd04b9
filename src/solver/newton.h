/* newton.h: operating points of circuits with nonlinear elements, alone or with something pulling at the outputs.
 *
 * Rows are those of the linear system: F(x) = A x - b + currents of the nonlinear elements = 0. */
#ifndef RH_SOLVER_NEWTON_H
#define RH_SOLVER_NEWTON_H

#include "solver/solver.h"

/* What hangs on the outputs while a point is found: currents y into the first node of each and out of the second. */
typedef struct rh_load {
    int n;
    const int (*node)[2]; /* [n] */
    bool fixed;           /* y is given; else v[a] - v[b] + ohm y = target at every output */
    double ohm;           /* of the conductance that pulls, 0: outputs are held at the target */
    const double *target; /* [n] V */
    double *y;            /* [n] A; unless fixed, a guess on the way in and the answer on the way out */
} rh_load;

/* Does the circuit need Newton? Otherwise rh_solver_factor and rh_solver_apply do all of it. */
bool rh_solver_is_nonlinear(const rheo_solver *s);

/* Stamp the states g [n_edge]: all that follows is for these until the next call. */
rheo_status rh_newton_set(rheo_solver *s, const double *g, rheo_error *err);

/* Currents [n_unknown] A into the rows, beside those of the sources, in all that follows. Lent; NULL: none. */
void rh_newton_feed(rheo_solver *s, const double *amp);
/* Standard pivots, those that every solve begins with, are chosen for the unbiased circuit with the states g from now
 * on, not with the initial ones: for circuits where some states are far from them, as those of capacitors in time. */
rheo_status rh_newton_standard(rheo_solver *s, const double *g, rheo_error *err);

/**
 * The operating point at the states last set.
 * @param source [n_elem] values of the sources
 * @param load   NULL: nothing hangs on the outputs
 * @param x      [n_unknown] in: where to start; out: the answer. As it was on failure
 * @return RHEO_OK
 *         RHEO_E_NOCONV    neither plain, damped, nor stepping of time, gmin or sources: err names the node whose
 *                          currents are furthest from balance and the element that carries most there
 *         RHEO_E_SINGULAR  no unique answer, or not finite
 *
 * The answer is a function of g, source, load and the start alone: what was solved before does not matter.
 * Allocates nothing unless pivots must be chosen again.
 * Source: Newton with junction limiting, gmin and source stepping as in Nagel, SPICE2, Memorandum UCB/ERL M520 (1975);
 * stepping as in Ho, Ruehli & Brennan, IEEE Trans. Circuits Syst. 22, 504 (1975); time as in Kelley & Keyes, SIAM J.
 * Numer. Anal. 35, 508 (1998).
 */
rheo_status rh_newton_solve(rheo_solver *s, const double *source, const rh_load *load, double *x, rheo_error *err);

/* v[a] - v[b] of output o at x, with the fixed potentials of the source values last used. */
double rh_newton_output(const rheo_solver *s, const rh_load *load, int o, const double *x);

/* Steps of Newton from an operating point x until they are rounding or no longer halve: x is then as good as doubles
 * make it. Where they lead to what is no operating point, x stays. Returns how good: the last step, or the first where
 * x stayed, relative to the largest potential; node is where it was largest. NaN: not finite.
 */
double rh_newton_polish(rheo_solver *s, const double *source, double *x, int *node, rheo_error *err);

/* After that: by how much of the largest potential a conductance of gmin from every node to ground would move the node
 * that it moves most. */
double rh_newton_leaning(rheo_solver *s, const double *x, double gmin, int *node);

/* Factor the matrix of small changes around x: rh_solver_apply then answers how x follows injected currents
 * (transposed: the adjoint). */
rheo_status rh_newton_linearize(rheo_solver *s, const double *source, const double *x, rheo_error *err);
/* After it: out [n_edge] = lambda . dF/dstate, where lambda [n_unknown] is a solution of the transposed system. With
 * the pull of a loss on the right-hand side of that, out is the gradient of the loss. */
void rh_newton_gradient(const rheo_solver *s, const double *lambda, double *out);
/* Iterations (factorisations) of the last solve. */
int rh_newton_iterations(const rheo_solver *s);

/* Potentials st->v and currents st->i of the whole circuit at x. Not finite: false. */
bool rh_newton_report(rheo_solver *s, const double *source, const double *x, double *v, double *i);
/* After it: a node whose reported currents do not add up, since they are small differences of enormous ones; -1: none.
 */
int rh_newton_drowned(const rheo_solver *s);
/* After it: the largest share of the currents of a node that is left over there, of nodes where an expression ends: its
 * slope has no bound, and what rounding of a potential does neither. */
double rh_newton_left_over(const rheo_solver *s, const double *i, int *node);

#endif
