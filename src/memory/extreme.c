/* Extremes of u over a cycle, for one edge at a time: for reports and for choosing a threshold, not for training. */
#include "memory/closed.h"

#include <math.h>

void rh_combine(const rh_closed *t, int i, int n_used, const double *rows, double rest, double *p) {
    const double *const poly = rh_rows(t, i, RH_AT_POLY);
    for (int q = 0; q <= RH_Q; q++) p[q] = q == 0 ? rest : 0;
    for (int r = 0; r < n_used; r++)
        for (int q = 0; q <= RH_Q; q++) p[q] += rows[r] * poly[r * RH_POLY_STRIDE + q];
}

static void widen(double u, double *u_max, double *u_min) {
    if (!(u <= *u_max)) *u_max = u; /* NaN passes, and stays */
    if (!(u >= *u_min)) *u_min = u;
}

/* The smooth extremes inside an interval, where the slope changes sign. */
static void inside(const rh_closed *t, const double *p, double *u_max, double *u_min) {
    double slope[RH_Q1], b[RH_Q1], root[RH_Q];
    rh_poly_slope(p, slope);
    rh_bernstein_of(&t->bernstein, slope, b);
    const int n = rh_poly_crossings(slope, b, 0, root);
    for (int i = 0; i < n; i++) widen(rh_poly_at(p, root[i]), u_max, u_min);
}

static double at_end(const double *row, int n_used, const double *rows, double rest) {
    double u = rest;
    for (int r = 0; r < n_used; r++) u += rows[r] * row[r];
    return u;
}

static double reach(const double *row, int n_used, const double *rows) {
    double sum = 0;
    for (int r = 0; r < n_used; r++) sum += fabs(rows[r]) * row[r];
    return sum;
}

void rh_extremes(const rh_closed *t, int n_used, const double *rows, double rest, double *u_max, double *u_min) {
    *u_max = -INFINITY;
    *u_min = INFINITY;
    for (int k = 0; k < t->n_ramp; k++) { /* the ends first: most intervals cannot do better then */
        widen(at_end(t->begin[k], n_used, rows, rest), u_max, u_min);
        for (int i = t->first[k]; i < t->first[k + 1]; i++)
            widen(at_end(rh_rows(t, i, RH_AT_END), n_used, rows, rest), u_max, u_min);
    }
    for (int k = 0; k < t->n_ramp; k++) {
        double left = at_end(t->begin[k], n_used, rows, rest);
        for (int i = t->first[k]; i < t->first[k + 1]; i++) {
            const double right = at_end(rh_rows(t, i, RH_AT_END), n_used, rows, rest);
            const double beyond = reach(rh_rows(t, i, RH_AT_REACH), n_used, rows);
            double p[RH_Q1];
            if (fmax(left, right) + beyond > *u_max || fmin(left, right) - beyond < *u_min) {
                rh_combine(t, i, n_used, rows, rest, p);
                inside(t, p, u_max, u_min);
            }
            left = right;
        }
    }
    *u_max += 0.0; /* no negative zeros */
    *u_min += 0.0;
}
