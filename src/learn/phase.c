/* phase.c: states of the network at clamping level h, as changes from the free state. */
#include "learn/internal.h"

#include <math.h>

/* Drops of the mix of responses with weights y: mixed as potentials, of which there are fewer than edges. */
static void mix_responses(const rh_learner *l, const rh_lane *w, const double *y, double *drop) {
    const size_t m = (size_t)l->n_unknown;
    double *restrict dx = w->dx;
    memset(dx, 0, sizeof(double) * m);
    for (int o = 0; o < l->n_grip; o++) {
        const double *restrict zx = w->zx + (size_t)o * m;
        for (size_t i = 0; i < m; i++) dx[i] += y[o] * zx[i];
    }
    rh_solver_drops(w->solver, NULL, dx, drop);
}

void rh_phase_change(const rh_learner *l, const rh_lane *w, const double *y, double *restrict drop) {
    const int n = l->n_edge;
    if (!w->z) {
        mix_responses(l, w, y, drop);
        return;
    }
    for (int k = 0; k < n; k++) drop[k] = y[0] * w->z[k];
    for (int o = 1; o < l->n_grip; o++) {
        const double *restrict z = w->z + (size_t)o * (size_t)n;
        const double yo = y[o];
        for (int k = 0; k < n; k++) drop[k] += yo * z[k];
    }
}

rheo_status rh_phase_gradient(const rh_learner *l, rh_lane *w, double *restrict out, rheo_error *err) {
    const int n = l->n_edge;
    if (l->bent) return rh_bent_gradient(l, w, out, err);
    if (w->zt) {
        for (int k = 0; k < n; k++) out[k] = rh_grip_pull(l, w, 0) * w->zt[k];
    } else {
        for (int o = 0; o < l->n_grip; o++) w->lu[o] = rh_grip_pull(l, w, o); /* its room serves as scratch */
        mix_responses(l, w, w->lu, out);
    }
    for (int o = 1; w->zt && o < l->n_grip; o++) {
        const double *restrict z = w->zt + (size_t)o * (size_t)n;
        const double p = rh_grip_pull(l, w, o);
        for (int k = 0; k < n; k++) out[k] += p * z[k];
    }
    for (int k = 0; k < n; k++) out[k] *= w->free[k];
    return RHEO_OK;
}

rheo_status rh_phase_lock_in(rh_learner *l, rh_lane *w, double *out, rheo_error *err) {
    if (l->bent) return rh_bent_lock_in(l, w, out, err);
    for (int o = 0; o < l->n_grip; o++) w->y[o] = l->def.strength * w->grip[o];
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
    w->tail = 0;
    w->refined = false;
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

enum { N_LEVEL = RH_MAX_DEGREE + 1, FEW = RH_MAX_DEGREE / 2 }; /* every other level is one of degree FEW */

/* Coefficients of a function of h from its values at the Chebyshev levels of the degree, both with the given stride. */
static void to_coefficients(const rh_learner *l, int degree, const double *value, int stride, double *coef) {
    const double *to = l->to_coef[degree];
    for (int j = 0; j <= degree; j++) {
        double sum = 0;
        for (int i = 0; i <= degree; i++) sum += to[j * (degree + 1) + i] * value[i * stride];
        coef[j * stride] = sum;
    }
}

/* Values of y at the levels of the degree into w->y, their coefficients into w->eta; share [degree + 1] sums them up.
 */
static rheo_status inject_degree(rh_learner *l, rh_lane *w, int degree, double *share, rheo_error *err) {
    const int n_out = l->n_grip;
    for (int o = 0; o < n_out; o++) w->y[o] = 0;
    for (int i = 1; i <= degree; i++)
        RHEO_TRY(RH_NUDGE_TABLE[l->def.nudge].inject(l, w, l->level[degree][i], w->y + i * n_out, err));
    for (int j = 0; j <= degree; j++) share[j] = 0;
    for (int o = 0; o < n_out; o++) {
        to_coefficients(l, degree, w->y + o, n_out, w->eta + o);
        for (int j = 1; j <= degree; j++) share[j] += fabs(w->eta[j * n_out + o]);
    }
    return RHEO_OK;
}

/* w->y and w->eta; returns the degree of the levels, and in *degree_y the one that carries all but a share TAIL_MAX of
 * y. What is cut off is the error estimate: warned about when the degrees do not suffice. 0: failed, see err. */
static int inject_levels(rh_learner *l, rh_lane *w, int *degree_y, rheo_error *err) {
    static const double TAIL_MAX = 1e-6, TAIL_WARN = 1e-4;
    double share[N_LEVEL], tail = 0;
    int degree = FEW; /* nearly always enough: what follows falls off by the same factor again */
    if (inject_degree(l, w, degree, share, err)) return 0;
    if (!(share[FEW] <= TAIL_MAX * share[1])) {
        degree = RH_MAX_DEGREE;
        if (inject_degree(l, w, degree, share, err)) return 0;
    }
    w->refined = degree > FEW;
    *degree_y = degree;
    while (*degree_y > 1 && tail + share[*degree_y] <= TAIL_MAX * share[1]) tail += share[(*degree_y)--];
    w->tail = share[1] > 0 ? (tail > 0 ? tail : share[degree]) / share[1] : 0;
    if (w == &l->lane[0] && degree == RH_MAX_DEGREE && share[degree] > TAIL_WARN * share[1] && !w->warned_strong) {
        w->warned_strong = true;
        rh_warn(l->log, 311, RH_NOWHERE,
                "the nudge is so strong that s(h) is only known to %.1g of itself: lower nudge.strength",
                share[degree] / share[1]);
    }
    return degree;
}

enum { N_PRODUCT = RH_FEW_GRIP * (RH_FEW_GRIP + 3) / 2, STRIP = 8 };
typedef double rh_pair __attribute__((vector_size(16)));      /* two edges side by side */
#define UNROLLED static inline __attribute__((always_inline)) /* where counts are constants */

UNROLLED rh_pair load_pair(const double *x) {
    rh_pair v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* out [STRIP] = sum_i q[i*step] product[i], the sums held in registers. */
UNROLLED void mix_products(int n, const double *q, int step, double product[][STRIP], double *out) {
    rh_pair a = { 0 }, b = a, c = a, d = a;
    for (int i = 0; i < n; i++) {
        const rh_pair weight = { q[i * step], q[i * step] };
        a += weight * load_pair(product[i]);
        b += weight * load_pair(product[i] + 2);
        c += weight * load_pair(product[i] + 4);
        d += weight * load_pair(product[i] + 6);
    }
    const rh_pair sum[] = { a, b, c, d };
    memcpy(out, sum, sizeof sum);
}

/* What s(h) is made of for few outputs, over n edges of a strip: the f z_o, then the z_o^2/2 and z_o z_p. */
UNROLLED void form_products(const double *restrict f, const double *restrict z, int n_out, size_t stride, int n,
                            double product[restrict][STRIP]) {
    int m = 0;
    for (int o = 0; o < n_out; o++, m++)
        for (int k = 0; k < n; k++) product[m][k] = f[k] * z[(size_t)o * stride + (size_t)k];
    for (int o = 0; o < n_out; o++)
        for (int p = 0; p <= o; p++, m++) {
            const double *restrict zo = z + (size_t)o * stride, *restrict zp = z + (size_t)p * stride;
            const double share = o == p ? 0.5 : 1;
            for (int k = 0; k < n; k++) product[m][k] = share * zo[k] * zp[k];
        }
}

UNROLLED void mix_strips(int n, int n_out, int n_coef, const rh_lane *w, double q[][N_LEVEL]) {
    double product[N_PRODUCT][STRIP] = { 0 }, sum[STRIP];
    const int m = n_out * (n_out + 3) / 2;
    for (int first = 0; first < n; first += STRIP) {
        const int count = n - first < STRIP ? n - first : STRIP;
        const double *const f = w->free + first, *const z = w->z + first;
        if (count == STRIP)
            form_products(f, z, n_out, (size_t)n, STRIP, product);
        else
            form_products(f, z, n_out, (size_t)n, count, product);
        for (int j = 1; j < n_coef; j++) {
            double *const out = w->coef + (size_t)j * (size_t)n + first;
            if (count == STRIP) {
                mix_products(m, &q[0][j], N_LEVEL, product, out);
            } else {
                mix_products(m, &q[0][j], N_LEVEL, product, sum);
                memcpy(out, sum, sizeof(double) * (size_t)count);
            }
        }
    }
}

/* Few outputs: s(h) = f^2/2 + f sum_o y_o z_o + 1/2 sum_op (y_o y_p) z_o z_p, with the products of the y expanded once.
 */
static void by_products(const rh_learner *l, rh_lane *w, int degree, int n_coef) {
    const int n = l->n_edge, n_out = l->n_grip;
    double value[N_LEVEL], q[N_PRODUCT][N_LEVEL];
    int m = 0;
    for (int o = 0; o < n_out; o++, m++)
        for (int j = 0; j <= degree; j++) q[m][j] = w->eta[j * n_out + o];
    for (int o = 0; o < n_out; o++)
        for (int p = 0; p <= o; p++, m++) {
            for (int i = 0; i <= degree; i++) value[i] = w->y[i * n_out + o] * w->y[i * n_out + p];
            to_coefficients(l, degree, value, 1, q[m]);
        }
    if (n_out == 1)
        mix_strips(n, 1, n_coef, w, q);
    else if (n_out == 2)
        mix_strips(n, 2, n_coef, w, q);
    else
        mix_strips(n, 3, n_coef, w, q);
}

/* Many outputs: s at the levels of the degree, then transformed. */
static void by_levels(const rh_learner *l, rh_lane *w, int degree_y, int n_coef) {
    const int n = l->n_edge, n_out = l->n_grip, degree = n_coef - 1;
    const double *restrict f = w->free;
    double *restrict drop = w->drop;
    memset(w->coef + n, 0, sizeof(double) * (size_t)n * (size_t)degree);
    for (int i = 1; i <= degree; i++) {
        for (int o = 0; o < n_out; o++) w->lu[o] = 0; /* its room serves as scratch */
        for (int j = 1; j <= degree_y; j++) {
            const double b = rh_basis(j, l->level[degree][i]);
            for (int o = 0; o < n_out; o++) w->lu[o] += b * w->eta[j * n_out + o];
        }
        rh_phase_change(l, w, w->lu, drop);
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
    int degree_y = 0;
    const int n = l->n_edge, degree = inject_levels(l, w, &degree_y, err);
    if (degree == 0) return 0;
    const int n_coef = degree_y + 1; /* products decay as fast as y itself */
    const double *restrict f = w->free;
    for (int k = 0; k < n; k++) w->coef[k] = 0.5 * f[k] * f[k];
    if (l->n_grip <= RH_FEW_GRIP)
        by_products(l, w, degree, n_coef);
    else
        by_levels(l, w, degree_y, n_coef);
    return n_coef;
}

int rh_phase_levels(rh_learner *l, rh_lane *w, rheo_error *err) {
    if (l->bent) return rh_bent_levels(l, w, err);
    return RH_NUDGE_TABLE[l->def.nudge].linear ? quadratic(l, w, err) : rational(l, w, err);
}
