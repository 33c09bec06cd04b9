/* lane.c: the solves behind one step: factors, the responses to 1 A into each grip, and free states in blocks. */
#include "learn/internal.h"
#include "solver/outside.h"

/* v[a] - v[b] of potentials x among the unknowns; a fixed node adds nothing. */
static double difference(const rh_lane *w, const int *node, const double *x) {
    const int a = rh_solver_unknown(w->solver, node[0]), b = rh_solver_unknown(w->solver, node[1]);
    return (a >= 0 ? x[a] : 0) - (b >= 0 ? x[b] : 0);
}

double rh_lane_grip(const rh_learner *l, const rh_lane *w, const double *x, int o) {
    return difference(w, l->grip[o], x);
}

/* Responses to 1 A into each grip by ngspice: each is an operating point of the resident deck, with all sources at 0.
 */
static rheo_status respond_outside(rh_learner *l, rh_lane *w, rheo_error *err) {
    for (int o = 0; o < l->n_grip; o++) {
        double *const x = w->zx + (size_t)o * (size_t)l->n_unknown;
        RHEO_TRY(rh_solver_outside_point(w->solver, l->g, NULL, l->grip[o][0], l->grip[o][1], x, err));
        if (w->z) rh_solver_drops(w->solver, NULL, x, w->z + (size_t)o * (size_t)l->n_edge);
    }
    return RHEO_OK;
}

/* Right-hand sides of 1 A into each grip. */
static void inject_each(const rh_learner *l, const rh_lane *w, double *b) {
    const size_t m = (size_t)l->n_unknown;
    memset(b, 0, sizeof(double) * m * (size_t)l->n_grip);
    for (int o = 0; o < l->n_grip; o++) rh_solver_inject(w->solver, l->grip[o][0], l->grip[o][1], 1, b + (size_t)o * m);
}

/* The drops z of the responses x, which are refined first where they may be wrong. z NULL: only that. */
static rheo_status finish_each(rh_learner *l, rh_lane *w, bool transposed, double *x, double *z, rheo_error *err) {
    const size_t m = (size_t)l->n_unknown, n = (size_t)l->n_edge;
    for (int o = 0; o < l->n_grip && rh_solver_doubts(w->solver); o++) {
        const int *const out = l->grip[o];
        RHEO_TRY(rh_solver_settle(w->solver, NULL, out[0], out[1], transposed, x + (size_t)o * m, err));
    }
    for (int o = 0; z && o < l->n_grip; o++) rh_solver_drops(w->solver, NULL, x + (size_t)o * m, z + (size_t)o * n);
    return RHEO_OK;
}

static void fill_zoo(rh_learner *l, rh_lane *w, const double *x) {
    for (int p = 0; p < l->n_grip; p++)
        for (int o = 0; o < l->n_grip; o++)
            w->zoo[o * l->n_grip + p] = rh_lane_grip(l, w, x + (size_t)p * (size_t)l->n_unknown, o);
    w->responded = true;
}

/* Responses by a solve of their own. */
static rheo_status respond(rh_learner *l, rh_lane *w, bool transposed, double *z, rheo_error *err) {
    inject_each(l, w, w->zx);
    rh_solver_apply(w->solver, l->n_grip, w->zx, transposed);
    return finish_each(l, w, transposed, w->zx, z, err);
}

rheo_status rh_lane_respond(rh_learner *l, rh_lane *w, rheo_error *err) {
    if (w->responded) return RHEO_OK;
    RHEO_TRY(respond(l, w, false, w->z, err));
    fill_zoo(l, w, w->zx);
    return RHEO_OK;
}

rheo_status rh_lane_factor(rh_learner *l, rh_lane *w, rheo_error *err) {
    const rh_lane *const first = &l->lane[0];
    if (l->bent) return rh_bent_factor(l, w, err);
    const bool outside = rh_solver_is_outside(w->solver);
    if (w != first && !outside) { /* follow the pivots of lane 0, so that every lane computes the same bytes */
        const long pivots = rheo_solver_statistics(first->solver).n_pivot;
        if (w->pivots != pivots) RHEO_TRY(rh_solver_pivot_at(w->solver, rh_solver_pivot_g(first->solver), err));
        w->pivots = pivots;
    }
    if (!outside || !l->reciprocal) RHEO_TRY(rh_solver_factor(w->solver, l->g, err));
    if (!l->reciprocal) RHEO_TRY(respond(l, w, true, w->zt, err));
    w->responded = false;
    if (outside) {
        RHEO_TRY(respond_outside(l, w, err));
        fill_zoo(l, w, w->zx);
    }
    w->factored = true;
    return RHEO_OK;
}

static void set_inputs(const rh_learner *l, rh_lane *w, int sample) {
    const double *in = l->samples.in ? l->samples.in + (size_t)sample * (size_t)l->ports.n_in : w->in;
    if (!l->samples.in) l->samples.input(l->samples.ctx, sample, w->in);
    for (int i = 0; i < l->ports.n_in; i++) w->source[l->ports.in_elem[i]] = l->ports.in_sign[i] * in[i];
}

rheo_status rh_lane_solve(rh_learner *l, rh_lane *w, const int *sample, int n, rheo_error *err) {
    const size_t m = (size_t)l->n_unknown;
    for (int i = 0; l->bent && i < n; i++) {
        set_inputs(l, w, sample[i]);
        RHEO_TRY(rh_bent_solve(l, w, sample[i], w->x + (size_t)i * m, sample + i == l->first_sample, err));
    }
    if (l->bent) return RHEO_OK;
    for (int i = 0; rh_solver_is_outside(w->solver) && i < n; i++) {
        set_inputs(l, w, sample[i]);
        RHEO_TRY(rh_solver_outside_point(w->solver, l->g, w->source, -1, -1, w->x + (size_t)i * m, err));
    }
    if (rh_solver_is_outside(w->solver)) return RHEO_OK;
    for (int i = 0; i < n; i++) {
        set_inputs(l, w, sample[i]);
        rh_solver_rhs(w->solver, w->source, w->b + (size_t)i * m);
    }
    memcpy(w->x, w->b, sizeof(double) * m * (size_t)n);
    if (w->responded) {
        rh_solver_apply(w->solver, n, w->x, false);
    } else { /* the responses go along: several right-hand sides at once cost little more than one */
        double *const zx = w->x + (size_t)n * m;
        inject_each(l, w, zx);
        rh_solver_apply(w->solver, n + l->n_grip, w->x, false);
        RHEO_TRY(finish_each(l, w, false, zx, w->z, err));
        fill_zoo(l, w, zx);
        memcpy(w->zx, zx, sizeof(double) * m * (size_t)l->n_grip);
    }
    const bool doubts = rh_solver_doubts(w->solver);
    for (int i = 0; i < n; i++) {
        double *const x = w->x + (size_t)i * m;
        if (doubts) {
            set_inputs(l, w, sample[i]);
            RHEO_TRY(rh_solver_settle(w->solver, w->source, -1, -1, false, x, err));
        }
        RHEO_TRY(rh_solver_check(w->solver, w->b + (size_t)i * m, x, err));
    }
    return RHEO_OK;
}

void rh_lane_sample(rh_learner *l, rh_lane *w, const int *sample, int i) {
    const double *x = w->x + (size_t)i * (size_t)l->n_unknown;
    rh_lane_outputs(l, w, sample, i);
    w->now = x;
    rh_solver_drops(w->solver, w->source, x, w->free);
}

void rh_lane_outputs(rh_learner *l, rh_lane *w, const int *sample, int i) {
    const double *x = w->x + (size_t)i * (size_t)l->n_unknown;
    set_inputs(l, w, sample[i]);
    for (int o = 0; o < l->n_out; o++) w->v_out[o] = difference(w, l->ports.out[o], x);
    if (!w->v) return; /* the rare case: a source fixes one end of an output */
    rh_solver_potentials(w->solver, w->source, x, w->v);
    for (int o = 0; o < l->n_out; o++) w->v_out[o] = w->v[l->ports.out[o][0]] - w->v[l->ports.out[o][1]];
}

void rh_lane_loss(const rh_learner *l, rh_lane *w, int sample, rh_chunk *k) {
    const int n = l->n_out, label = l->samples.label ? l->samples.label[sample] : -1;
    const double *target = l->samples.target + (size_t)sample * (size_t)n;
    k->loss += RH_LOSS_TABLE[l->def.loss].eval(&l->def, n, w->v_out, target, label, w->pull);
    for (int g = 0; g < l->n_grip; g++) w->grip[g] = l->grip_share[g] * w->pull[l->grip_out[g]];
    int best = 0;
    bool signs = true;
    for (int o = 0; o < n; o++) {
        const double miss = target[o] - w->v_out[o];
        k->rms += miss * miss / n;
        if (w->v_out[o] > w->v_out[best]) best = o;
        signs &= target[o] == 0 || target[o] * w->v_out[o] > 0;
    }
    k->n_right += label >= 0 ? best == label : signs;
    l->answer[sample] = label >= 0 ? best : signs;
}
