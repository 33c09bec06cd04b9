/* Ramps as a whole, for a filter with one state: tables, and the choice of the vectors.
 *
 * z' = -r z - rest s' has the particular solution z_p = -rest sum_k (-1)^k s^(k+1)/r^(k+1), a polynomial where s is
 * one. What is left, z - z_p, only decays. */
#include "memory/sweep.h"

/* Sum of the terms of u over its largest value in the cycle: digits lost where they cancel. Many do when the filter is
 * slow against the ramp, and in monomials of high degree. */
static const long double GROWTH = 1000;

/* s of a row over the ramp is sum_q a_q y^q. */
static void particular(const rh_filter *f, long double rest, int j, const long double *a, long double reach,
                       long double *p) {
    for (int q = 0; q <= j; q++) {
        long double term = -rest, sum = 0;
        for (int k = 0; q + k + 1 <= j; k++) {
            term *= (q + k + 1) / reach * (k > 0 ? -1 : 1);
            sum += term * a[q + k + 1];
        }
        p[q] = f->c[0] * sum + (long double)f->area * a[q];
    }
}

/* Tables hold no denormals. */
static double tidy(long double x) { return fabsl(x) < 1e-280L ? 0 : (double)x; }

/* Bounds over [0, 1] by Bernstein coefficients of the quarters. */
static void bound(int n, const long double *p, double *mid, double *half) {
    double b[RH_Q1], lo[4], hi[4];
    for (int i = 0; i <= RH_Q; i++) {
        long double sum = 0, share = 1; /* (i over q)/(Q over q) */
        for (int q = 0; q <= n; q++) {
            sum += share * p[q];
            share *= (long double)(i - q) / (RH_Q - q);
        }
        b[i] = (double)sum;
    }
    rh_bernstein_quarters(b, lo, hi);
    for (int k = 1; k < 4; k++) {
        lo[0] = fmin(lo[0], lo[k]);
        hi[0] = fmax(hi[0], hi[k]);
    }
    *mid = tidy(lo[0] + (hi[0] - lo[0]) / 2);
    *half = tidy((hi[0] - lo[0]) / 2 * (1 + 1e-12L) + 1e-15L * fmaxl(fabsl(lo[0]), fabsl(hi[0])));
}

static void derive(int n, long double *p) {
    for (int q = 0; q < n; q++) p[q] = (q + 1) * p[q + 1];
    p[n] = 0;
}

static void bound_row(rh_sweep *s, int r, int n, const long double *p) {
    long double d[RH_MAX_DEGREE + 1];
    double half, mid, bend;
    memcpy(d, p, sizeof d);
    bound(n, d, &s->mid[r], &s->half[r]);
    derive(n, d);
    bound(n, d, &s->slope[r], &half);
    derive(n, d);
    bound(n, d, &mid, &bend);
    s->unsteady[r] = half + (bend + fabs(mid)) / s->reach * (1 + 1e-12);
}

void rh_sweep_ramp(rh_closed *t, int k, const rh_filter *f, long double rest, const rh_ramp *ramp) {
    rh_sweep *const s = &t->sweep[k];
    const long double y = 2 * (long double)ramp->h0 - 1, turn = 2 * ((long double)ramp->h1 - ramp->h0);
    rh_taylor taylor;
    rh_basis_taylor(t->degree, y, taylor);
    s->duration = ramp->duration;
    s->reach = (double)(-f->m[0][0] * ramp->duration);
    s->fade = (double)expm1l(-(long double)s->reach);
    for (int r = 0; r < t->n_row; r++) {
        const int j = r - t->n_dev + 1; /* basis polynomial, or a deviation when below 1: that only decays */
        long double a[RH_MAX_DEGREE + 1] = { 0 }, p[RH_MAX_DEGREE + 1] = { 0 }, power = 1;
        if (j < 1) continue;
        for (int q = 0; q <= j; q++, power *= turn) a[q] = taylor[j][q] * power;
        a[0] -= j % 2 ? -1 : 1;
        particular(f, rest, j, a, s->reach, p);
        for (int q = 0; q <= j; q++) s->poly[q][r] = tidy(p[q]);
        bound_row(s, r, j, p);
    }
}

static bool row_is_sound(const rh_closed *t, int r, long double peak) {
    for (int k = 0; k < t->n_ramp; k++) {
        const rh_sweep *const s = &t->sweep[k];
        long double sum = fabsl((long double)t->begin[k][r] - s->poly[0][r]);
        for (int q = 0; q <= t->degree; q++) sum += fabsl((long double)s->poly[q][r]);
        if (!(sum <= GROWTH * peak)) return false;
    }
    return true;
}

void rh_sweep_close(rh_closed *t, const rh_filter *f, const long double *peak) {
    t->n_sweep = 0;
    for (int k = 0; k < t->n_ramp; k++)
        if (f->n != 1 || !(t->sweep[k].reach >= 1 && t->sweep[k].reach <= 1e15)) return;
    while (t->n_sweep < t->n_row && row_is_sound(t, t->n_sweep, peak[t->n_sweep])) t->n_sweep++;
}

bool rh_sweep_plain(const rh_closed *t, double threshold, const rh_block *b, double *dw, int64_t *sure) {
    return sweep_block(t, threshold, b, dw, sure);
}

bool rh_sweep_block(const rh_closed *t, double threshold, const rh_block *b, double *dw, int64_t *sure) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return rh_sweep_wide(t, threshold, b, dw, sure);
#endif
    return rh_sweep_plain(t, threshold, b, dw, sure);
}
