/* closed: what rh_closed_open prepares and rh_closed_write reads.
 *
 * The cycle is cut into intervals, fine where the filter is still settling and as long as the rest of the ramp after
 * that. On each interval the u that every row causes is a polynomial of degree RH_Q in the local coordinate, -1 to 1. A
 * row is either a unit deviation of one filter state at the start of the cycle (RH_CARRIED only, first) or a basis
 * polynomial of s (B_1, B_2,
 * ...); the constant c_0 adds area*c_0 everywhere and needs no table. */
#ifndef RH_MEMORY_CLOSED_H
#define RH_MEMORY_CLOSED_H

#include "memory/memory.h"
#include "memory/poly.h"

enum {
    RH_MAX_ROW = RH_MAX_STATE + RH_MAX_DEGREE,
    RH_MAX_INTERVAL = 2048, /* per ramp: only a filter that rings hundreds of times comes near */
    RH_CUBE_POINTS = 20,    /* Gauss points that integrate a cube of degree 3*13 exactly */
    RH_PIECE_POINTS = 7,    /* and the polynomial itself */
    RH_POLY_STRIDE = 16,    /* coefficients, filled up with zeros to whole vectors */
    RH_HEAD = 4,            /* of a record: start, width (s), steepest, and one to spare */
};

/* Where things are in the record of an interval, in units of n_row doubles after its head. */
enum {
    RH_AT_END,   /* u at the right end */
    RH_AT_REACH, /* largest distance of u from the straight line between its ends */
    RH_AT_WHOLE, /* integral of u over the interval, s */
    RH_AT_LEAD,  /* B_1: lower bound of |du/dx|, 0 when its sign is not sure; others: minus upper */
    RH_AT_POLY,  /* [n_row][RH_POLY_STRIDE] monomials */
    RH_AT_QUARTER = RH_AT_POLY + RH_POLY_STRIDE, /* [n_row][8] bounds of du/dx per quarter: middles, half ranges */
    RH_AT_SLOPE = RH_AT_QUARTER + 8, /* [n_row][RH_POLY_STRIDE] Bernstein coefficients of du/dx, last one repeated */
    RH_AT_CUBE = RH_AT_SLOPE + RH_POLY_STRIDE, /* [RH_CUBE_POINTS][n_row] u at Gauss points */
    RH_AT_TOTAL = RH_AT_CUBE + RH_CUBE_POINTS,
};

/* A ramp as a whole, for a filter with one state: over y in [0, 1]
 * u(y) = begin + sum_{q>=1} p_q y^q + amp (e^{-reach y} - 1), p_0 = begin - amp. Arrays over rows give what each adds.
 */
typedef struct rh_sweep {
    double duration, reach;                         /* s, and in time constants */
    double fade;                                    /* e^-reach - 1 */
    double poly[RH_MAX_DEGREE + 1][RH_MAX_ROW];     /* p_q */
    double mid[RH_MAX_ROW], half[RH_MAX_ROW];       /* the polynomial stays within half of mid, */
    double slope[RH_MAX_ROW], unsteady[RH_MAX_ROW]; /* and its slope within unsteady, less curvature/reach, of slope */
} rh_sweep;

struct rh_closed {
    rh_start start;
    int n_state, n_dev, degree, n_row, n_ramp, n_interval; /* n_dev: n_state for RH_CARRIED, else 0 */
    int first[RH_MAX_RAMP + 1];                            /* interval that each ramp begins with */
    double period, area;
    double rest[RH_MAX_STATE];                  /* rest state per unit of s */
    double h_end;                               /* clamping level that the cycle ends with */
    double begin[RH_MAX_RAMP][RH_MAX_ROW];      /* u at the left end of each ramp */
    double linear[RH_MAX_ROW];                  /* integral of u over the cycle, s */
    double end_state[RH_MAX_STATE][RH_MAX_ROW]; /* deviation left at the end of the cycle */
    double end_s[RH_MAX_ROW];                   /* and s - c_0 there */
    double piece_node[RH_PIECE_POINTS], piece_weight[RH_PIECE_POINTS];
    double cube_weight[RH_CUBE_POINTS];
    rh_bernstein bernstein;
    int n_sweep; /* rows, from the first on, that sweep holds without losing digits; 0: none */
    rh_sweep sweep[RH_MAX_RAMP];
    int cap;        /* records there is room for */
    size_t stride;  /* doubles per record */
    double *record; /* [n_interval][stride]: the head, then the arrays above */
};

static inline const double *rh_record(const rh_closed *t, int i) { return t->record + (size_t)i * t->stride; }
static inline double rh_interval_start(const rh_closed *t, int i) { return rh_record(t, i)[0]; }
static inline double rh_interval_width(const rh_closed *t, int i) { return rh_record(t, i)[1]; }
/* Upper bound of |du/dx| over all rows but that of B_1. */
static inline double rh_interval_steepest(const rh_closed *t, int i) { return rh_record(t, i)[2]; }
static inline const double *rh_rows(const rh_closed *t, int i, int what) {
    return rh_record(t, i) + RH_HEAD + (size_t)what * (size_t)t->n_row;
}

/* grid.c: cut the ramps into intervals and fill their records. t has its counts, period, area and first stride set. */
rheo_status rh_grid_build(rh_closed *t, const rh_filter *f, const rh_ramp *ramp, rheo_error *err);

/* sweep.c: fill t->sweep[k], zero until then, for the rest state per unit of s. Once all ramps and begin are there, and
 * the largest |u| of each row over the cycle, rh_sweep_close settles how many rows may be used. */
void rh_sweep_ramp(rh_closed *t, int k, const rh_filter *f, long double rest, const rh_ramp *ramp);
void rh_sweep_close(rh_closed *t, const rh_filter *f, const long double *peak);

/* basis.c: t[j][k] = k-th derivative of T_j at y, over k!. */
typedef long double rh_taylor[RH_MAX_DEGREE + 1][RH_MAX_DEGREE + 1];
void rh_basis_taylor(int degree, long double y, rh_taylor t);

/* extreme.c: extremes of u over the cycle for one edge. rows [n_used] weights of the first rows, rest = area*c_0. */
void rh_extremes(const rh_closed *t, int n_used, const double *rows, double rest, double *u_max, double *u_min);
/* u on interval i as a polynomial. */
void rh_combine(const rh_closed *t, int i, int n_used, const double *rows, double rest, double *p);

#endif
