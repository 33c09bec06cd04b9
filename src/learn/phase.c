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

rheo_status rh_phase_gradient(const rh_learner *l, rh_lane *w, double *restrict out, rheo_error *err) {
    const int n = l->n_edge;
    if (l->bent) return rh_bent_gradient(l, w, out, err);
    for (int k = 0; k < n; k++) out[k] = w->pull[0] * w->zt[k];
    for (int o = 1; o < l->n_out; o++) {
        const double *restrict z = w->zt + (size_t)o * (size_t)n;
        const double p = w->pull[o];
        for (int k = 0; k < n; k++) out[k] += p * z[k];
    }
    for (int k = 0; k < n; k++) out[k] *= w->free[k];
    return RHEO_OK;
}

rheo_status rh_phase_lock_in(rh_learner *l, rh_lane *w, double *out, rheo_error *err) {
    if (l->bent) return rh_bent_lock_in(l, w, out, err);
    for (int o = 0; o < l->n_out; o++) w->y[o] = l->def.strength * w->pull[o];
    rh_phase_change(l, w, w->y, out);
    return RHEO_OK;
}

rheo_status rh_phase_contrast(rh_learner *l, rh_lane *w, double h, double *out, rheo_error *err) {
    if (l->bent) return rh_bent_contrast(l, w, h, out, err);
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

enum { N_LEVEL = RH_MAX_DEGREE + 1 };

/* Coefficients of a function of h from its values at the N_LEVEL Chebyshev levels, both with the given stride. */
static void to_coefficients(const rh_learner *l, const double *value, int stride, double *coef) {
    const double *to = l->to_coef[RH_MAX_DEGREE];
    for (int j = 0; j < N_LEVEL; j++) {
        double sum = 0;
        for (int i = 0; i < N_LEVEL; i++) sum += to[j * N_LEVEL + i] * value[i * stride];
        coef[j * stride] = sum;
    }
}

/* Values of y at the levels into w->y, their coefficients into w->eta; returns the degree that carries all but a share
 * TAIL_MAX of it. What is cut off is the error estimate: warned about when the degrees do not suffice. 0: failed, see
 * err. */
static int inject_levels(rh_learner *l, rh_lane *w, rheo_error *err) {
    static const double TAIL_MAX = 1e-6, TAIL_WARN = 1e-4;
    const int n_out = l->n_out;
    double share[N_LEVEL] = { 0 };
    for (int o = 0; o < n_out; o++) w->y[o] = 0;
    for (int i = 1; i < N_LEVEL; i++)
        if (RH_NUDGE_TABLE[l->def.nudge].inject(l, w, l->level[RH_MAX_DEGREE][i], w->y + i * n_out, err)) return 0;
    for (int o = 0; o < n_out; o++) {
        to_coefficients(l, w->y + o, n_out, w->eta + o);
        for (int j = 1; j < N_LEVEL; j++) share[j] += fabs(w->eta[j * n_out + o]);
    }
    int degree = RH_MAX_DEGREE;
    double tail = 0;
    while (degree > 1 && tail + share[degree] <= TAIL_MAX * share[1]) tail += share[degree--];
    if (w == &l->lane[0] && share[RH_MAX_DEGREE] > TAIL_WARN * share[1] && !w->warned_strong) {
        w->warned_strong = true;
        rh_warn(l->log, 311, RH_NOWHERE,
                "the nudge is so strong that s(h) is only known to %.1g of itself: lower nudge.strength",
                share[RH_MAX_DEGREE] / share[1]);
    }
    return degree;
}

/* c_j += z_o (f eta_j + q_j z_o / 2), the part of output o alone. */
static void add_own(int n, const double *restrict f, const double *restrict z, double eta, double q,
                    double *restrict c) {
    for (int k = 0; k < n; k++) c[k] += z[k] * (f[k] * eta + 0.5 * q * z[k]);
}

/* c_j += q_j z_o z_p, what two outputs do together. */
static void add_pair(int n, const double *restrict z, const double *restrict x, double q, double *restrict c) {
    for (int k = 0; k < n; k++) c[k] += q * z[k] * x[k];
}

/* Few outputs: s(h) = f^2/2 + f sum_o y_o z_o + 1/2 sum_op (y_o y_p) z_o z_p, with the products of the y expanded once.
 */
static void by_products(const rh_learner *l, rh_lane *w, int n_coef) {
    const int n = l->n_edge, n_out = l->n_out;
    double value[N_LEVEL], q[N_LEVEL];
    for (int o = 0; o < n_out; o++)
        for (int p = 0; p <= o; p++) {
            for (int i = 0; i < N_LEVEL; i++) value[i] = w->y[i * n_out + o] * w->y[i * n_out + p];
            to_coefficients(l, value, 1, q);
            const double *zo = w->z + (size_t)o * (size_t)n, *zp = w->z + (size_t)p * (size_t)n;
            for (int j = 1; j < n_coef; j++) {
                double *c = w->coef + (size_t)j * (size_t)n;
                if (o == p)
                    add_own(n, w->free, zo, w->eta[j * n_out + o], q[j], c);
                else
                    add_pair(n, zo, zp, q[j], c);
            }
        }
}

/* Many outputs: s at the levels of the degree, then transformed. */
static void by_levels(const rh_learner *l, rh_lane *w, int degree_y, int n_coef) {
    const int n = l->n_edge, n_out = l->n_out, degree = n_coef - 1;
    const double *restrict f = w->free;
    double *restrict drop = w->drop;
    for (int i = 1; i <= degree; i++) {
        for (int o = 0; o < n_out; o++)
            w->v_out[o] = 0; /* the outputs are known by now: their room serves as scratch */
        for (int j = 1; j <= degree_y; j++) {
            const double b = rh_basis(j, l->level[degree][i]);
            for (int o = 0; o < n_out; o++) w->v_out[o] += b * w->eta[j * n_out + o];
        }
        rh_phase_change(l, w, w->v_out, drop);
        for (int k = 0; k < n; k++) drop[k] = rh_contrast(f[k], drop[k]);
        for (int j = 1; j < n_coef; j++) {
            const double t = l->to_coef[degree][j * n_coef + i];
            double *restrict c = w->coef + (size_t)j * (size_t)n;
            for (int k = 0; k < n; k++) c[k] += t * drop[k];
        }
    }
}

/* Conductance nudge: y(h) is rational. */
static int rational(rh_learner *l, rh_lane *w, rheo_error *err) {
    const int n = l->n_edge, degree_y = inject_levels(l, w, err);
    if (degree_y == 0) return 0;
    const int n_coef = degree_y + 1; /* products decay as fast as y itself */
    const double *restrict f = w->free;
    for (int k = 0; k < n; k++) w->coef[k] = 0.5 * f[k] * f[k];
    memset(w->coef + n, 0, sizeof(double) * (size_t)n * (size_t)(n_coef - 1));
    if (l->n_out <= 3)
        by_products(l, w, n_coef);
    else
        by_levels(l, w, degree_y, n_coef);
    return n_coef;
}

int rh_phase_levels(rh_learner *l, rh_lane *w, rheo_error *err) {
    if (l->bent) return rh_bent_levels(l, w, err);
    return RH_NUDGE_TABLE[l->def.nudge].linear ? quadratic(l, w, err) : rational(l, w, err);
}
