/* scheme.c: polynomials through values at the nodes of a step. */
#include "machine/inside.h"

#include <math.h>

/* Rows of the inverse of the Vandermonde matrix: coefficients of the powers, from products of (x - c_j). */
static void powers(rh_scheme *q) {
    for (int j = 0; j < q->n; j++) {
        double poly[RH_NODES + 1] = { 1 }, scale = 1;
        int degree = 0;
        for (int i = 0; i < q->n; i++) {
            if (i == j) continue;
            for (int m = ++degree; m >= 0; m--) poly[m] = (m > 0 ? poly[m - 1] : 0) - q->c[i] * poly[m];
            scale *= q->c[j] - q->c[i];
        }
        for (int m = 0; m < q->n; m++) q->power[m][j] = poly[m] / scale;
    }
}

static double choose(int n, int k) {
    double c = 1;
    for (int i = 1; i <= k; i++) c = c * (n - k + i) / i;
    return c;
}

void rh_scheme_build(rh_scheme *q, int n, const double *c) {
    *q = (rh_scheme){ .n = n };
    memcpy(q->c, c, sizeof(double) * (size_t)n);
    powers(q);
    const int degree = n - 1;
    for (int j = 0; j < n; j++) {
        for (int i = 0; i < n; i++) {
            for (int m = 0; m <= i; m++) q->hull[i][j] += choose(i, m) / choose(degree, m) * q->power[m][j];
            for (int m = 0; m < n; m++) q->area[i][j] += q->power[m][j] * pow(q->c[i], m + 1) / (m + 1);
        }
        q->top[j] = q->power[degree][j] / choose(2 * degree, degree); /* x^n of P_n(2x - 1) */
    }
}
