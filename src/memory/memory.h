/* memory: what one edge remembers of its synaptic current s, and what it writes in one cycle.
 *
 * A kernel is a small linear filter: x' = M x + b s, u = c.x + d s. All edges share it. closed.c turns it, once per
 * protocol, into tables on a shared time grid; per edge the work is then a few dot products, whatever slow/fast is.
 * Plain arrays, no circuit. */
#ifndef RH_MEMORY_H
#define RH_MEMORY_H

#include "base/base.h"
#include "protocol/protocol.h"

enum { RH_MAX_STATE = 3, RH_MAX_PAR = 4, RH_MAX_DEGREE = 10 };

/* Filter with kernel K(t) = c e^{Mt} b + d delta(t); area = integral of K, moment = integral of t K. */
typedef struct rh_filter {
    int n; /* states, 1..RH_MAX_STATE */
    long double m[RH_MAX_STATE][RH_MAX_STATE], b[RH_MAX_STATE], c[RH_MAX_STATE], d;
    double area;   /* 1 (u in V^2/s for s in V^2 has K in 1/s; area in units of u/s-signal) */
    double moment; /* -1 when normalised; a leak makes it smaller in size */
} rh_filter;

typedef struct rh_kernel_field {
    const char *name, *unit;
    double def, min, max; /* inf allowed as a value where max is INFINITY */
    const char *meaning;
} rh_kernel_field;
typedef struct rh_kernel {
    const char *name, *equation;
    rh_meaning meaning;
    const rh_kernel_field *fields;
    int n_field;
    void (*build)(const double *par, rh_filter *out); /* par in the order of fields, already range checked */
} rh_kernel;
extern const rh_kernel *const RH_KERNELS[];
extern const int RH_N_KERNEL;
int rh_kernel_find(const char *name); /* -1: none */

typedef enum rh_nonlinearity { RH_DEAD_ZONE, RH_CUBIC, RH_NONE } rh_nonlinearity;
extern const char *const RH_NONLINEARITIES[]; /* NULL-terminated names: dead-zone, cubic, none */
rh_meaning rh_nonlinearity_meaning(int nonlinearity);

/* How a cycle begins. */
typedef enum rh_start {
    RH_SETTLED,  /* memory at rest at s(h=0): nothing of the past is left (gate) */
    RH_PERIODIC, /* the same cycle has been going on for ever */
    RH_CARRIED,  /* from a state per edge, which is updated */
} rh_start;

/* Tables for one filter, one list of ramps, one start and polynomials in h up to `degree`.
 * Immutable after opening: any number of threads may use one. */
typedef struct rh_closed rh_closed;
rheo_status rh_closed_open(rh_closed **out, const rh_filter *f, const rh_ramp *ramp, int n_ramp, int degree,
                           rh_start start, rheo_error *err);
void rh_closed_close(rh_closed *t);

/* Basis of s over h in [0, 1]: s(h) = c_0 + sum_{j>=1} c_j B_j(h), B_j(h) = T_j(2h-1) - T_j(-1), T_j Chebyshev. So c_0
 * = s(0). */
double rh_basis(int j, double h);
/* Values of s at the n+1 Chebyshev-Lobatto levels h_i = (1 - cos(pi i/n))/2 (so h_0 = 0) to coefficients:
 * c = W s with W [n+1][n+1] row-major, row j gives c_j. n >= 1. */
void rh_basis_transform(int n, double *w);

/* State carried between cycles, per edge: deviation of x from its rest value at s_last, and s_last (V^2). Zero-filled =
 * at rest at s = 0. */
typedef struct rh_carry {
    double *dev;    /* [filter n][n_edge] */
    double *s_last; /* [n_edge] */
} rh_carry;

typedef struct rh_write_def {
    rh_nonlinearity nonlinearity;
    double threshold; /* u units: V^2/s for dead-zone (g = u where |u| >= threshold, else 0); cubic: g = u^3/threshold
                         (threshold 1 if 0) */
} rh_write_def;

/**
 * What every edge writes in one cycle: dw[k] = integral of g(u_k) dt, for n_edge edges.
 *
 * @param n_coef   coefficients given, 1..degree+1 (the rest are 0)
 * @param coef     [n_coef][stride] coefficient j of edge k at coef[j*stride + k], V^2
 * @param carry    only (and then always) for RH_CARRIED; dev is [filter n][stride] as well
 * @param dw       [n_edge] V^2
 * @param u_max, u_min  [n_edge] extremes of u over the cycle, polished; both NULL to save their cost
 * @param work     rh_closed_work(t) doubles; the call allocates nothing
 * The bytes of dw[k] do not depend on n_edge, on k or on the other edges: splitting the edges over threads changes
 * nothing.
 */
void rh_closed_write(const rh_closed *t, const rh_write_def *def, int n_edge, int n_coef, const double *coef,
                     int stride, const rh_carry *carry, double *dw, double *u_max, double *u_min, double *work);
size_t rh_closed_work(const rh_closed *t);
/* u of one edge at time x in [0, period], for pictures and tests: coef [n_coef], dev [n] or NULL. Right limit at a
 * jump. */
double rh_closed_u(const rh_closed *t, int n_coef, const double *coef, const double *dev, double x);

#endif
