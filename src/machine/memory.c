/* memory.c: the response of a linear memory to s given as a polynomial, without stepping.
 *
 * With s = x^m/m! on [0, 1] in units of h, the response y_m has y_m' = y_(m-1): memory and powers together are one
 * linear system, and the exponential of its matrix holds all responses. Van Loan, IEEE Trans. Autom. Control 23, 395
 * (1978). */
#include "machine/inside.h"

#include <math.h>

enum { SIZE = RH_MAX_STATE + RH_NODES, TERMS = 16 };

static void product(int n, const double a[SIZE][SIZE], const double b[SIZE][SIZE], double out[SIZE][SIZE]) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++) sum += a[i][k] * b[k][j];
            out[i][j] = sum;
        }
}

/* e = exp(a): Taylor of a/2^k, squared k times. */
static void exponential(int n, double a[SIZE][SIZE], double e[SIZE][SIZE]) {
    double norm = 0, term[SIZE][SIZE] = { { 0 } }, next[SIZE][SIZE] = { { 0 } };
    for (int i = 0; i < n; i++) {
        double row = 0;
        for (int j = 0; j < n; j++) row += fabs(a[i][j]);
        norm = fmax(norm, row);
    }
    int k = 0;
    if (norm > 0.5) frexp(norm / 0.5, &k);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            a[i][j] = ldexp(a[i][j], -k);
            term[i][j] = e[i][j] = i == j;
        }
    for (int m = 1; m <= TERMS; m++) {
        product(n, term, a, next);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) e[i][j] += term[i][j] = next[i][j] / m;
    }
    for (; k > 0; k--) {
        product(n, e, e, next);
        memcpy(e, next, sizeof next);
    }
}

/* top [n states][n + nodes]: from the states, then from the powers x^m/m!, over a time t in which x goes from 0 to
 * `to`. */
static void respond(const rh_filter *f, int n_node, double h, double to, double e[SIZE][SIZE]) {
    double a[SIZE][SIZE] = { { 0 } };
    const int n = f->n;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) a[i][j] = (double)(f->m[i][j] * h * to);
        a[i][n] = (double)(f->b[i] * h * to);
    }
    for (int m = 0; m + 1 < n_node; m++) a[n + m][n + m + 1] = to;
    exponential(n + n_node, a, e);
}

void rh_response_build(const rh_filter *f, const rh_scheme *q, double h, rh_response *r) {
    const int n = f->n;
    *r = (rh_response){ .h = h };
    for (int i = 0; i < q->n; i++) {
        double e[SIZE][SIZE] = { { 0 } }, from_s[RH_MAX_STATE][RH_NODES] = { { 0 } };
        respond(f, q->n, h, q->c[i], e);
        for (int p = 0; p < n; p++)
            for (int j = 0; j < q->n; j++)
                for (int m = 0; m < q->n; m++) from_s[p][j] += e[p][n + m] * tgamma(m + 1) * q->power[m][j];
        r->u_s[i][i] = (double)f->d;
        for (int p = 0; p < n; p++) {
            for (int k = 0; k < n; k++) r->u_x[i][k] += (double)f->c[p] * e[p][k];
            for (int j = 0; j < q->n; j++) r->u_s[i][j] += (double)f->c[p] * from_s[p][j];
        }
        if (i < q->n - 1) continue;
        for (int p = 0; p < n; p++) {
            memcpy(r->x_x[p], e[p], sizeof(double) * (size_t)n);
            memcpy(r->x_s[p], from_s[p], sizeof(double) * (size_t)q->n);
        }
    }
}

/* ---- times and rest ---- */

double rh_memory_time(const rh_learn_def *d) {
    if (d->kernel == rh_kernel_find("leaky-integrator")) return d->par[0];
    rh_filter f;
    RH_KERNELS[d->kernel]->build(d->par, &f);
    double most = 0, left = 1;
    for (int i = 0; i < f.n; i++)
        for (int j = 0; j < f.n; j++) most = fmax(most, fabs((double)f.m[i][j]));
    double t = 1 / most;
    for (int k = 0; k < 60 && left > exp(-1); k++, t *= 1.25) {
        double e[SIZE][SIZE] = { { 0 } };
        respond(&f, 1, t, 1, e);
        left = 0;
        for (int i = 0; i < f.n; i++)
            for (int j = 0; j < f.n; j++) left = fmax(left, fabs(e[i][j]));
    }
    return t;
}

void rh_memory_rest(const rh_filter *f, double x[RH_MAX_STATE]) {
    double a[RH_MAX_STATE * (RH_MAX_STATE + 1)];
    const int n = f->n;
    for (int i = 0; i < n; i++) { /* M x = -b */
        for (int j = 0; j < n; j++) a[i * (n + 1) + j] = (double)f->m[i][j];
        a[i * (n + 1) + n] = -(double)f->b[i];
    }
    if (!rh_dense_solve(n, a, x)) memset(x, 0, sizeof(double) * (size_t)n); /* never: all kernels forget */
}
