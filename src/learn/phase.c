/* phase.c: states of the network at clamping level h, as changes from the free state. */
#include "learn/internal.h"

#include <math.h>

void rh_phase_change(const rh_learner *l, const rh_lane *w, const double *y, double *restrict drop) {
    const int n = l->n_edge;
    for (int k = 0; k < n; k++) drop[k] = y[0] * w->z[k];
    for (int o = 1; o < l->n_out; o++) {
        const double *restrict z = w->z + (size_t)o * (size_t)n;
        const double yo = y[o];
        for (int k = 0; k < n; k++) drop[k] += yo * z[k];
    }
}

void rh_phase_gradient(const rh_learner *l, const rh_lane *w, double *restrict out) {
    const int n = l->n_edge;
    for (int k = 0; k < n; k++) out[k] = w->pull[0] * w->zt[k];
    for (int o = 1; o < l->n_out; o++) {
        const double *restrict z = w->zt + (size_t)o * (size_t)n;
        const double p = w->pull[o];
        for (int k = 0; k < n; k++) out[k] += p * z[k];
    }
    for (int k = 0; k < n; k++) out[k] *= w->free[k];
}

rheo_status rh_phase_contrast(rh_learner *l, rh_lane *w, double h, double *out, rheo_error *err) {
    RHEO_TRY(RH_NUDGE_TABLE[l->def.nudge].inject(l, w, h, w->y, err));
    rh_phase_change(l, w, w->y, w->drop);
    for (int k = 0; k < l->n_edge; k++) out[k] = rh_contrast(w->free[k], w->drop[k]);
    return RHEO_OK;
}

/* Current and voltage nudges: the drops are linear in h, so s is exactly quadratic. With d the change at h = 1,
 * s = f^2/2 + f d h + d^2 h^2/2, and h = B_1/2, h^2 = B_2/8 + B_1/2. */
static int quadratic(rh_learner *l, rh_lane *w, rheo_error *err) {
    if (RH_NUDGE_TABLE[l->def.nudge].inject(l, w, 1, w->y, err)) return 0;
    rh_phase_change(l, w, w->y, w->drop);
    const int n = l->n_edge;
    const double *restrict f = w->free, *restrict d = w->drop;
    double *restrict c0 = w->coef, *restrict c1 = w->coef + n, *restrict c2 = w->coef + 2 * (size_t)n;
    for (int k = 0; k < n; k++) {
        c0[k] = 0.5 * f[k] * f[k];
        c1[k] = 0.5 * rh_contrast(f[k], d[k]);
        c2[k] = d[k] * d[k] / 16;
    }
    return 3;
}

/* Coefficients of y(h) from its values at the RH_MAX_DEGREE + 1 Chebyshev levels, in w->y; the degree that carries all but a
 * share of TAIL of it. What is cut off is the error estimate: warned about when the degrees do not suffice. */
static int inject_levels(rh_learner *l, rh_lane *w, rheo_error *err) {
    enum { N = RH_MAX_DEGREE };
    const double tail_max = 1e-11, tail_warn = 1e-6;
    const int n_out = l->n_out;
    double share[N + 1] = { 0 };
    for (int o = 0; o < n_out; o++) w->y[o] = 0;
    for (int i = 1; i <= N; i++) {
        const double h = 0.5 * (1 - cos(M_PI * i / N));
        if (RH_NUDGE_TABLE[l->def.nudge].inject(l, w, h, w->y + i * n_out, err)) return 0;
    }
    for (int o = 0; o < n_out; o++) {
        double value[N + 1];
        for (int i = 0; i <= N; i++) value[i] = w->y[i * n_out + o];
        for (int j = 0; j <= N; j++) {
            double sum = 0;
            for (int i = 0; i <= N; i++) sum += l->to_coef[N][j * (N + 1) + i] * value[i];
            w->y[j * n_out + o] = sum;
            share[j] += fabs(sum);
        }
    }
    int degree = N;
    double tail = 0;
    while (degree > 1 && tail + share[degree] <= tail_max * share[1]) tail += share[degree--];
    if (degree == N && share[N] > tail_warn * share[1] && !l->warned_strong) {
        l->warned_strong = true;
        rh_warn(l->log, 311, RH_NOWHERE, "the nudge is so strong that s(h) is only known to %.1g of itself: lower nudge.strength",
                share[N] / share[1]);
    }
    return degree;
}

/* Conductance nudge: y(h) is rational. Evaluate s at the levels of a degree that resolves it, then transform. */
static int rational(rh_learner *l, rh_lane *w, rheo_error *err) {
    const int n = l->n_edge, n_out = l->n_out, degree_y = inject_levels(l, w, err);
    if (degree_y == 0) return 0;
    const int degree = degree_y + 1 > RH_MAX_DEGREE ? RH_MAX_DEGREE : degree_y + 1, n_coef = degree + 1;
    double y[RH_MAX_DEGREE + 1];
    const double *to = l->to_coef[degree];
    double *restrict drop = w->drop;
    memset(w->coef + n, 0, sizeof(double) * (size_t)n * (size_t)degree);
    const double *restrict f = w->free;
    for (int k = 0; k < n; k++) w->coef[k] = 0.5 * f[k] * f[k];
    for (int i = 1; i <= degree; i++) {
        const double h = 0.5 * (1 - cos(M_PI * i / degree));
        for (int j = 1; j <= degree_y; j++) y[j] = rh_basis(j, h);
        for (int o = 0; o < n_out; o++) {
            double sum = 0;
            for (int j = 1; j <= degree_y; j++) sum += y[j] * w->y[j * n_out + o];
            w->v_out[o] = sum; /* the outputs are known by now: their room serves as scratch */
        }
        rh_phase_change(l, w, w->v_out, drop);
        for (int k = 0; k < n; k++) drop[k] = rh_contrast(f[k], drop[k]);
        for (int j = 1; j < n_coef; j++) {
            const double t = to[j * n_coef + i];
            double *restrict c = w->coef + (size_t)j * (size_t)n;
            for (int k = 0; k < n; k++) c[k] += t * drop[k];
        }
    }
    return n_coef;
}

int rh_phase_levels(rh_learner *l, rh_lane *w, rheo_error *err) {
    return RH_NUDGE_TABLE[l->def.nudge].linear ? quadratic(l, w, err) : rational(l, w, err);
}
