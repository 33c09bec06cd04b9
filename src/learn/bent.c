/* bent.c: the same states of the network where it is not linear. Nothing superposes: every state is a solve by Newton,
 * each starting from its neighbour. What one edge feels is its drop as in a linear network: s = 1/2 drop^2. */
#include "learn/internal.h"
#include "solver/newton.h"

#include <math.h>

/* Levels of the clamp are doubled until s(h) is known to this share of its largest coefficient. */
enum { FEW = 4, MANY = RH_BENT_LEVELS - 1 };
static const double TAIL_MAX = 1e-6, TAIL_WARN = 1e-3;
/* Below this share of the largest s, what Newton leaves over makes the coefficients. */
static const double NOISE = 1e-12;

void rh_bent_layout(rh_learner *l, rh_lane *w, rh_arena *a) {
    const size_t m = (size_t)l->n_unknown, k = (size_t)l->n_grip;
    if (!l->bent) return;
    w->point = RH_TAKE(a, double, (MANY + 1) * m);
    w->level_s = RH_TAKE(a, double, (MANY + 1) * (size_t)l->n_edge);
    w->target = RH_TAKE(a, double, k);
}

/* One row per sample, its last free state behind a mark, where there is room for all of them; else one row that serves
 * all. */
size_t rh_bent_start_row(const rh_learner *l) { return (size_t)l->n_unknown + 1; }

static double *start_of(const rh_learner *l, int sample) {
    return l->start + (l->start_each ? rh_bent_start_row(l) * (size_t)sample : 0);
}

rheo_status rh_bent_factor(rh_learner *l, rh_lane *w, rheo_error *err) {
    RHEO_TRY(rh_newton_set(w->solver, l->g, err));
    w->factored = true;
    return RHEO_OK;
}

static void count(rh_lane *w, int where) {
    const int n = rh_newton_iterations(w->solver);
    w->newton.n[where][n < RH_COUNTED ? n : RH_COUNTED - 1]++;
}

/* Starts from the sample's last state, or from the common one, which is that of the first sample of the last update. */
rheo_status rh_bent_solve(rh_learner *l, rh_lane *w, int sample, double *x, bool first, rheo_error *err) {
    const size_t m = (size_t)l->n_unknown;
    double *const start = start_of(l, sample), *const common =
                                                   l->start + rh_bent_start_row(l) * (size_t)(l->n_start - 1);
    const double *const from = start[0] != 0 ? start : common;
    memcpy(x, from + 1, m * sizeof(double));
    RHEO_TRY(rh_newton_solve(w->solver, w->source, NULL, x, err));
    count(w, from[0] != 0 ? RHEO_NEWTON_FREE : RHEO_NEWTON_COLD);
    if (!w->keeps) return RHEO_OK;
    if (l->start_each) {
        memcpy(start + 1, x, m * sizeof(double));
        start[0] = 1;
    }
    if (first) memcpy(l->next_start, x, m * sizeof(double));
    return RHEO_OK;
}

/* After an update, when no lane reads it. */
void rh_bent_commit(rh_learner *l) {
    double *const common = l->start + rh_bent_start_row(l) * (size_t)(l->n_start - 1);
    common[0] = 1;
    memcpy(common + 1, l->next_start, (size_t)l->n_unknown * sizeof(double));
}

/* The clamped state at level h: x and y on the way in are where to start. The free state is the current sample's. */
static rheo_status clamp(const rh_learner *l, rh_lane *w, double h, double *x, double *y, rheo_error *err) {
    const rh_learn_def *const d = &l->def;
    rh_load load = { .n = l->n_grip, .node = l->grip, .target = w->target, .y = y };
    const double pulled = d->nudge == RH_NUDGE_VOLTAGE ? h * d->strength : 1;
    load.fixed = d->nudge == RH_NUDGE_CURRENT || h == 0;
    load.ohm = d->nudge == RH_NUDGE_CONDUCTANCE && h != 0 ? 1 / (h * d->strength) : 0;
    for (int o = 0; o < l->n_grip; o++) {
        w->target[o] = rh_newton_output(w->solver, &load, o, w->now) + pulled * w->grip[o];
        if (load.fixed) y[o] = h * d->strength * w->grip[o];
    }
    RHEO_TRY(rh_newton_solve(w->solver, w->source, &load, x, err));
    count(w, RHEO_NEWTON_CLAMPED);
    return RHEO_OK;
}

/* s(h) - s(0) of all edges for a state. */
static void contrast(const rh_learner *l, rh_lane *w, const double *x, double *out) {
    rh_solver_drops(w->solver, w->source, x, w->drop);
    for (int k = 0; k < l->n_edge; k++) out[k] = rh_contrast(w->free[k], w->drop[k] - w->free[k]);
}

rheo_status rh_bent_contrast(rh_learner *l, rh_lane *w, double h, double *out, rheo_error *err) {
    memcpy(w->point, w->now, (size_t)l->n_unknown * sizeof(double));
    for (int o = 0; o < l->n_grip; o++) w->y[o] = 0;
    RHEO_TRY(clamp(l, w, h, w->point, w->y, err));
    contrast(l, w, w->point, out);
    return RHEO_OK;
}

/* The error current at phases 0, 45, ... 180 degrees; the way back passes the same states. At 90 degrees it is 0. */
rheo_status rh_bent_lock_in(rh_learner *l, rh_lane *w, double *out, rheo_error *err) {
    static const double COS[] = { 1, M_SQRT1_2, -M_SQRT1_2, -1 },
                        WEIGHT[] = { 0.25, M_SQRT1_2 / 2, -M_SQRT1_2 / 2, -0.25 };
    rh_load load = { .n = l->n_grip, .node = l->grip, .fixed = true, .y = w->y };
    memset(out, 0, sizeof(double) * (size_t)l->n_edge);
    memcpy(w->point, w->now, (size_t)l->n_unknown * sizeof(double));
    for (int i = 0; i < RH_COUNT(COS); i++) {
        for (int o = 0; o < l->n_grip; o++) w->y[o] = COS[i] * l->def.strength * w->grip[o];
        RHEO_TRY(rh_newton_solve(w->solver, w->source, &load, w->point, err));
        count(w, RHEO_NEWTON_CLAMPED);
        rh_solver_drops(w->solver, w->source, w->point, w->drop);
        for (int k = 0; k < l->n_edge; k++) out[k] += WEIGHT[i] * (w->drop[k] - w->free[k]);
    }
    return RHEO_OK;
}

/* Where to start at level i of MANY: on the line through two that are known. */
static void guess(const rh_learner *l, rh_lane *w, int i, int p, int q) {
    const double *const h = l->level[MANY];
    const double t = p == q ? 0 : (h[i] - h[p]) / (h[q] - h[p]);
    const size_t m = (size_t)l->n_unknown, k = (size_t)l->n_grip;
    for (size_t j = 0; j < m; j++)
        w->point[(size_t)i * m + j] =
            w->point[(size_t)p * m + j] + t * (w->point[(size_t)q * m + j] - w->point[(size_t)p * m + j]);
    for (size_t o = 0; o < k; o++)
        w->y[(size_t)i * k + o] = w->y[(size_t)p * k + o] + t * (w->y[(size_t)q * k + o] - w->y[(size_t)p * k + o]);
}

static rheo_status level(rh_learner *l, rh_lane *w, int i, int p, int q, rheo_error *err) {
    const size_t m = (size_t)l->n_unknown, k = (size_t)l->n_grip;
    guess(l, w, i, p, q);
    RHEO_TRY(clamp(l, w, l->level[MANY][i], w->point + (size_t)i * m, w->y + (size_t)i * k, err));
    contrast(l, w, w->point + (size_t)i * m, w->level_s + (size_t)i * (size_t)l->n_edge);
    return RHEO_OK;
}

/* ---- the way from the last sample ---- */

static void move_inputs(const rh_learner *l, rh_lane *w, const double *in, double h) {
    for (int i = 0; i < l->ports.n_in; i++)
        w->source[l->ports.in_elem[i]] = h == 0   ? l->last_in[i]
                                         : h == 1 ? in[i]
                                                  : l->last_in[i] + h * (in[i] - l->last_in[i]);
}

/* s at level i less what it was on the last sample. That was with the conductances before the last update: what the
 * update has changed, in row 0, fades on the way as it does in a linear network. */
static void since_last(const rh_learner *l, rh_lane *w, int i) {
    const size_t n = (size_t)l->n_edge;
    const double *const fade = w->level_s, left = 1 - l->level[MANY][i];
    double *const out = w->level_s + (size_t)i * n;
    rh_solver_drops(w->solver, w->source, w->point + (size_t)i * (size_t)l->n_unknown, w->drop);
    for (size_t k = 0; k < n; k++) out[k] = rh_contrast(l->last[k], w->drop[k] + left * fade[k] - l->last[k]);
}

static rheo_status stop_at(rh_learner *l, rh_lane *w, const double *in, int i, int p, int q, rheo_error *err) {
    guess(l, w, i, p, q);
    move_inputs(l, w, in, l->level[MANY][i]);
    RHEO_TRY(rh_newton_solve(w->solver, w->source, NULL, w->point + (size_t)i * (size_t)l->n_unknown, err));
    count(w, RHEO_NEWTON_FREE);
    return RHEO_OK;
}

/* Coefficients 1..degree from the levels of that degree, which are every MANY/degree-th of the many. Returns the size
 * of the last beside the first: how well s(h) is known. */
static double transform(const rh_learner *l, rh_lane *w, int degree) {
    const int n = l->n_edge, stride = MANY / degree;
    const double *const to = l->to_coef[degree];
    double share[MANY + 1] = { 0 }, most = 0;
    for (int j = 1; j <= degree; j++) {
        double *const c = w->coef + (size_t)j * (size_t)n;
        memset(c, 0, sizeof(double) * (size_t)n);
        for (int i = 1; i <= degree; i++) {
            const double t = to[j * (degree + 1) + i];
            const double *const s = w->level_s + (size_t)(i * stride) * (size_t)n;
            for (int k = 0; k < n; k++) c[k] += t * s[k];
        }
        for (int k = 0; k < n; k++) share[j] = fmax(share[j], fabs(c[k]));
    }
    for (int k = 0; k < n; k++) most = fmax(most, w->coef[k]);
    if (share[degree] <= NOISE * most) return 0;
    return share[1] > 0 ? share[degree] / share[1] : INFINITY;
}

static int way_levels(rh_learner *l, rh_lane *w, const double *in, rheo_error *err) {
    const size_t m = (size_t)l->n_unknown, n = (size_t)l->n_edge;
    memset(w->y, 0, (MANY + 1) * (size_t)l->n_grip * sizeof(double)); /* nothing pulls */
    memcpy(w->point + MANY * m, w->now, m * sizeof(double));
    if (stop_at(l, w, in, 0, MANY, MANY, err)) return 0;
    rh_solver_drops(w->solver, w->source, w->point, w->drop);
    for (size_t k = 0; k < n; k++) w->level_s[k] = l->last[k] - w->drop[k];
    for (size_t k = 0; k < n; k++) w->level_s[MANY * n + k] = rh_contrast(l->last[k], w->free[k] - l->last[k]);
    for (size_t k = 0; k < n; k++) w->coef[k] = 0.5 * l->last[k] * l->last[k];
    for (int i = 2; i < MANY; i += 2) {
        if (stop_at(l, w, in, i, i - 2, MANY, err)) return 0;
        since_last(l, w, i);
    }
    w->tail = transform(l, w, FEW);
    if (w->tail <= TAIL_MAX) return FEW + 1;
    for (int i = 1; i < MANY; i += 2) {
        if (stop_at(l, w, in, i, i - 1, i + 1, err)) return 0;
        since_last(l, w, i);
    }
    w->tail = transform(l, w, MANY);
    return MANY + 1;
}

int rh_bent_way(rh_learner *l, rh_lane *w, rheo_error *err) {
    double *const in = l->next_in;
    for (int i = 0; i < l->ports.n_in; i++) in[i] = w->source[l->ports.in_elem[i]];
    const int n_coef = way_levels(l, w, in, err);
    if (n_coef > 0 && w->tail > TAIL_WARN && !w->warned_way) {
        w->warned_way = true;
        rh_warn(l->log, 189, RH_NOWHERE,
                "s on the way between samples is only known to %.1g of itself: the network bends it too much", w->tail);
    }
    move_inputs(l, w, in, 1);
    rh_solver_drops(w->solver, w->source, w->now,
                    w->drop); /* the solver's known potentials are those of the sample again */
    return n_coef;
}

int rh_bent_levels(rh_learner *l, rh_lane *w, rheo_error *err) {
    const size_t m = (size_t)l->n_unknown, k = (size_t)l->n_grip;
    memcpy(w->point, w->now, m * sizeof(double));
    for (size_t o = 0; o < k; o++) w->y[o] = 0;
    for (int e = 0; e < l->n_edge; e++) w->coef[e] = 0.5 * w->free[e] * w->free[e];
    for (int i = 2; i <= MANY; i += 2)
        if (level(l, w, i, i > 2 ? i - 4 : 0, i - 2, err)) return 0;
    w->tail = transform(l, w, FEW);
    w->refined = !(w->tail <= TAIL_MAX);
    if (!w->refined) return FEW + 1;
    for (int i = 1; i <= MANY; i += 2)
        if (level(l, w, i, i - 1, i + 1, err)) return 0;
    const double tail = w->tail = transform(l, w, MANY);
    if (w == &l->lane[0] && tail > TAIL_WARN && !w->warned_strong) {
        w->warned_strong = true;
        rh_warn(l->log, 311, RH_NOWHERE,
                "the nudge bends the network so much that s(h) is only known to %.1g of itself: lower nudge.strength",
                tail);
    }
    return MANY + 1;
}

/* Adjoint of the tangents at the free state: right for circuits that are not reciprocal, too. */
rheo_status rh_bent_gradient(const rh_learner *l, rh_lane *w, double *out, rheo_error *err) {
    RHEO_TRY(rh_newton_linearize(w->solver, w->source, w->now, err));
    memset(w->zx, 0, (size_t)l->n_unknown * sizeof(double));
    for (int o = 0; o < l->n_grip; o++)
        rh_solver_inject(w->solver, l->grip[o][0], l->grip[o][1], rh_grip_pull(l, w, o), w->zx);
    rh_solver_apply(w->solver, 1, w->zx, true);
    rh_newton_gradient(w->solver, w->zx, out);
    return RHEO_OK;
}

/* zoo at the free state of the current sample. */
rheo_status rh_bent_responses(const rh_learner *l, rh_lane *w, rheo_error *err) {
    RHEO_TRY(rh_newton_linearize(w->solver, w->source, w->now, err));
    for (int o = 0; o < l->n_grip; o++) {
        memset(w->zx, 0, (size_t)l->n_unknown * sizeof(double));
        rh_solver_inject(w->solver, l->grip[o][0], l->grip[o][1], 1, w->zx);
        rh_solver_apply(w->solver, 1, w->zx, false);
        for (int p = 0; p < l->n_grip; p++) w->zoo[p * l->n_grip + o] = rh_lane_grip(l, w, w->zx, p);
    }
    return RHEO_OK;
}
