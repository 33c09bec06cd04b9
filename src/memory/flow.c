/* The exponential of M and its moments by scaling and doubling. A Taylor series at a step short against the filter,
 * then
 *
 *     D(2h) = 2 D + D^2        g_k(2h) = 2^-k [ (1 + D) g_k + sum_{i<=k} (k over i) g_i ]
 *
 * Doubling D = e^{Mh} - 1 rather than e^{Mh} keeps slow modes accurate beside fast ones, and decays errors of fast
 * ones; the moments of a stable filter only add terms of one sign. So any w is fine, from far below to far above the
 * time constants. Source of the doubling of integrals: Van Loan, IEEE Trans. Automatic Control 23, 395 (1978). */
#include "memory/flow.h"

#include <math.h>

enum { N_TERM = 24 }; /* 0.5^24/24! is below the rounding of any long double in use on x86 */

long double rh_flow_speed(const rh_filter *filter) {
    long double speed = 0;
    for (int i = 0; i < filter->n; i++) {
        long double sum = 0;
        for (int j = 0; j < filter->n; j++) sum += fabsl(filter->m[i][j]);
        speed = fmaxl(speed, sum);
    }
    return speed;
}

static void times_m(const rh_filter *filter, long double h, const long double *v, long double *out) {
    for (int i = 0; i < filter->n; i++) {
        out[i] = 0;
        for (int j = 0; j < filter->n; j++) out[i] += h * filter->m[i][j] * v[j];
    }
}

/* Column j of D = sum_{n>=1} (Mh)^n/n! applied to unit vector j. */
static void series_of_d(rh_flow *flow, const rh_filter *filter, long double h) {
    for (int j = 0; j < flow->n; j++) {
        long double term[RH_MAX_STATE] = { 0 }, next[RH_MAX_STATE] = { 0 };
        term[j] = 1;
        for (int i = 0; i < flow->n; i++) flow->d[i][j] = 0;
        for (int n = 1; n <= N_TERM; n++) {
            times_m(filter, h / n, term, next);
            for (int i = 0; i < flow->n; i++) flow->d[i][j] += term[i] = next[i];
        }
    }
}

/* g_k = h sum_n (Mh)^n rest k!/(n+k+1)!, the weight being the integral of (1-t)^n/n! t^k over [0, 1]. */
static void series_of_g(rh_flow *flow, const rh_filter *filter, const long double *rest, long double h) {
    long double v[RH_MAX_STATE] = { 0 }, next[RH_MAX_STATE] = { 0 }, weight[RH_MAX_DEGREE] = { 0 };
    for (int i = 0; i < flow->n; i++) v[i] = h * rest[i];
    for (int n = 0; n <= N_TERM; n++) {
        for (int k = 0; k < flow->n_moment; k++) {
            weight[k] = n == 0 ? 1.0L / (k + 1) : weight[k] / (n + k + 1);
            for (int i = 0; i < flow->n; i++) flow->g[k][i] = (n == 0 ? 0 : flow->g[k][i]) + weight[k] * v[i];
        }
        times_m(filter, h, v, next);
        memcpy(v, next, sizeof v);
    }
}

static void double_g(rh_flow *flow) {
    long double old[RH_MAX_DEGREE][RH_MAX_STATE];
    memcpy(old, flow->g, sizeof old);
    for (int k = 0; k < flow->n_moment; k++) {
        for (int i = 0; i < flow->n; i++) {
            long double sum = old[k][i], choose = 1;
            for (int j = 0; j < flow->n; j++) sum += flow->d[i][j] * old[k][j];
            for (int m = 0; m <= k; m++) {
                sum += choose * old[m][i];
                choose = choose * (k - m) / (m + 1);
            }
            flow->g[k][i] = ldexpl(sum, -k);
        }
    }
}

static void double_d(rh_flow *flow) {
    long double old[RH_MAX_STATE][RH_MAX_STATE];
    memcpy(old, flow->d, sizeof old);
    for (int i = 0; i < flow->n; i++) {
        for (int j = 0; j < flow->n; j++) {
            long double sum = 2 * old[i][j];
            for (int k = 0; k < flow->n; k++) sum += old[i][k] * old[k][j];
            flow->d[i][j] = sum;
        }
    }
}

bool rh_flow_build(rh_flow *flow, const rh_filter *filter, const long double *rest, long double w, int n_moment) {
    const long double reach = rh_flow_speed(filter) * w;
    if (!(reach >= 0 && reach < 1e60L)) return false;
    int n_double = 0;
    frexpl(reach, &n_double); /* reach < 2^n_double */
    n_double = n_double + 1 > 0 ? n_double + 1 : 0;
    *flow = (rh_flow){ .n = filter->n, .n_moment = n_moment };
    series_of_d(flow, filter, ldexpl(w, -n_double));
    series_of_g(flow, filter, rest, ldexpl(w, -n_double));
    for (int i = 0; i < n_double; i++) {
        double_g(flow); /* needs D of the half step */
        double_d(flow);
    }
    return true;
}

void rh_flow_advance(const rh_flow *flow, int n_kick, const long double *kick, long double *z) {
    long double out[RH_MAX_STATE] = { 0 };
    for (int i = 0; i < flow->n; i++) {
        long double sum = z[i];
        for (int j = 0; j < flow->n; j++) sum += flow->d[i][j] * z[j];
        for (int k = 0; k < n_kick; k++) sum -= kick[k] * flow->g[k][i];
        out[i] = sum;
    }
    memcpy(z, out, (size_t)flow->n * sizeof *z);
}

static int pivot_row(int n, long double a[RH_MAX_STATE][RH_MAX_STATE + 1], int col) {
    int best = col;
    for (int i = col + 1; i < n; i++)
        if (fabsl(a[i][col]) > fabsl(a[best][col])) best = i;
    return best;
}

bool rh_solve_small(int n, const long double a[RH_MAX_STATE][RH_MAX_STATE], const long double *y, long double *x) {
    long double m[RH_MAX_STATE][RH_MAX_STATE + 1] = { 0 };
    for (int i = 0; i < n; i++) {
        memcpy(m[i], a[i], (size_t)n * sizeof m[i][0]);
        m[i][n] = y[i];
    }
    for (int col = 0; col < n; col++) {
        const int p = pivot_row(n, m, col);
        if (!(fabsl(m[p][col]) > 0)) return false;
        for (int j = 0; j <= n; j++) {
            const long double swap = m[p][j];
            m[p][j] = m[col][j];
            m[col][j] = swap;
        }
        for (int i = 0; i < n; i++) {
            const long double factor = i == col ? 0 : m[i][col] / m[col][col];
            for (int j = col; j <= n && i != col; j++) m[i][j] -= factor * m[col][j];
        }
    }
    for (int i = 0; i < n; i++) x[i] = m[i][n] / m[i][i];
    return true;
}
