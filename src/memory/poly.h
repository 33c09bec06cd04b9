/* poly: polynomials on [-1, 1] of fixed degree RH_Q, monomial coefficients p[0..RH_Q]. */
#ifndef RH_MEMORY_POLY_H
#define RH_MEMORY_POLY_H

#include "base/base.h"

enum { RH_Q = 13, RH_Q1 = RH_Q + 1 };

static inline double rh_poly_at(const double *p, double x) {
    double sum = p[RH_Q];
    for (int k = RH_Q - 1; k >= 0; k--) sum = sum * x + p[k];
    return sum;
}
void rh_poly_slope(const double *p, double *slope); /* derivative, padded with a zero */

/* Monomials to Bernstein coefficients on [-1, 1], which bound the polynomial: b = bernstein p. */
typedef struct rh_bernstein {
    double of[RH_Q1][RH_Q1]; /* [k][i]: coefficient i of x^k */
} rh_bernstein;
void rh_bernstein_build(rh_bernstein *out);
void rh_bernstein_of(const rh_bernstein *m, const double *p, double *b);

void rh_bernstein_quarters(const double *b, double *lo, double *hi);

/* Where p, with Bernstein coefficients b, crosses level in (-1, 1), rising order, at most RH_Q of them. Touching
 * without crossing is left out, and so are crossings closer together than rounding lets them be told apart. Negating p,
 * b and level gives the same bytes. */
int rh_poly_crossings(const double *p, const double *b, double level, double *root);

/* Nodes and weights of Gauss-Legendre quadrature on [-1, 1], n <= 32: exact up to degree 2n-1. */
void rh_gauss(int n, long double *node, long double *weight);

#endif
