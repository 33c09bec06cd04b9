/* flow: how the deviation z of a filter from its rest state moves over a time w while s changes polynomially.
 *
 * With rest state rest*s (rest = -M^{-1} b) and z = x - rest*s, x' = M x + b s becomes z' = M z - rest*s' and u = c.z +
 * area*s. Nothing large cancels in this form, whether the filter is much faster or much slower than s. */
#ifndef RH_MEMORY_FLOW_H
#define RH_MEMORY_FLOW_H

#include "memory/memory.h"

typedef struct rh_flow {
    int n, n_moment;
    long double d[RH_MAX_STATE][RH_MAX_STATE];  /* e^{Mw} - 1 */
    long double g[RH_MAX_DEGREE][RH_MAX_STATE]; /* integral over t in [0, w] of e^{M(w-t)} rest (t/w)^k */
} rh_flow;

/* Row sum norm of M: an upper bound of its fastest rate, 1/s. */
long double rh_flow_speed(const rh_filter *filter);
/* n_moment: k = 0..n_moment-1. false: w times the speed of the filter is beyond reach (above 1e60) or not a number. */
bool rh_flow_build(rh_flow *flow, const rh_filter *filter, const long double *rest, long double w, int n_moment);
/* z(w) = e^{Mw} z(0) - sum_k kick[k] g[k], for s'(t) = sum_k kick[k] (t/w)^k. */
void rh_flow_advance(const rh_flow *flow, int n_kick, const long double *kick, long double *z);
/* x = A^{-1} y by elimination, A [n][n]; false: singular. */
bool rh_solve_small(int n, const long double a[RH_MAX_STATE][RH_MAX_STATE], const long double *y, long double *x);

#endif
