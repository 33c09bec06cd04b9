/* tune.c: threshold, fast, slow, tau and strength from what the first samples make the edges feel.
 *
 * The dead zone passes amplitudes A between threshold*fast and threshold*slow (for a kernel of first moment -1), so:
 * put the upper end just above the largest amplitude to come, and the lower end as far below as slow/fast allows.
 * Errors are largest at the start, but a conductance that falls concentrates drops on itself: its amplitude can grow
 * manyfold before errors shrink. So the beginning of training is rehearsed with the two-phase rule, which has no range.
 */
#include "learn/internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Largest resistance that an output sees: how far 1 A moves it. */
static double output_resistance(const rh_learner *l, const rh_lane *w) {
    double r = 0;
    for (int o = 0; o < l->n_grip; o++) r = fmax(r, fabs(w->zoo[o * l->n_grip + o]));
    return r;
}

/* How far outputs should move, V per unit of pull. Squared error: that share of the way. The others pull by unit or by
 * gain, whatever the distance: then that share of the voltage at which the loss changes its mind. */
static double wanted_move(const rh_learn_def *d, double share) {
    if (d->loss == RH_LOSS_CROSS_ENTROPY || d->loss == RH_LOSS_SOFTMAX_SQUARED)
        return share / (d->logit_gain * d->logit_gain);
    return d->loss == RH_LOSS_HINGE ? share * d->margin : share;
}

/* A nudge that moves the outputs that far: strong enough to feel, weak enough to stay linear. */
static double strength_for(const rh_learn_def *d, double resistance, double share) {
    const double move = wanted_move(d, share);
    if (d->nudge == RH_NUDGE_VOLTAGE || !(resistance > 0)) return move;
    return d->nudge == RH_NUDGE_CURRENT ? move / resistance : move / (1 - move) / resistance;
}

/* Amplitudes |s(1) - s(0)| of all edges for the samples, sorted. a [n * n_edge]. */
static rheo_status amplitudes(rh_learner *l, const int *sample, int n, double *a, rheo_error *err) {
    rh_lane *const w = &l->lane[0];
    rh_chunk none = { 0 };
    for (int i = 0; i < n; i++) {
        RHEO_TRY(rh_lane_solve(l, w, sample + i, 1, err));
        rh_lane_sample(l, w, sample + i, 0);
        rh_lane_loss(l, w, sample[i], &none);
        RHEO_TRY(rh_phase_contrast(l, w, 1, w->bracket, err));
        for (int k = 0; k < l->n_edge; k++) a[(size_t)i * (size_t)l->n_edge + (size_t)k] = fabs(w->bracket[k]);
    }
    qsort(a, (size_t)n * (size_t)l->n_edge, sizeof(double), by_size);
    return RHEO_OK;
}

/* Largest amplitude in a rehearsal of the first steps, one sample at a time; conductances are put back. What goes wrong
 * ends it, and so does growth beyond `most`: then the rate is too high to learn at all, and says nothing about
 * amplitudes. */
static double rehearse(rh_learner *l, const int *sample, int n, double rate, double most, double *saved) {
    enum { MOST = 200, LEAST = 20, WORK = 2000000 }; /* edges times steps */
    const int n_step = WORK / l->n_edge < LEAST ? LEAST : WORK / l->n_edge > MOST ? MOST : WORK / l->n_edge;
    rh_lane *const w = &l->lane[0];
    rh_chunk none = { 0 };
    rheo_error err = { 0 };
    const bool plain = l->def.optimizer == RH_OPTIMIZER_SGD;
    const double scale = (plain ? fmin(l->def.rate, rate) : rate) / l->def.strength;
    double largest = 0;
    memcpy(saved, l->g, sizeof(double) * (size_t)l->n_edge);
    for (int i = 0; i < n_step && largest <= most; i++) {
        if (rh_lane_factor(l, w, &err) || rh_lane_solve(l, w, &sample[i % n], 1, &err)) break;
        rh_lane_sample(l, w, &sample[i % n], 0);
        rh_lane_loss(l, w, sample[i % n], &none);
        if (rh_phase_contrast(l, w, 1, w->bracket, &err)) break;
        rh_learner_turn(l, w->bracket);
        for (int k = 0; k < l->n_edge; k++) {
            largest = fmax(largest, fabs(w->bracket[k]));
            const double slope = rh_learner_slope(l, k), g = l->g[k] - scale * slope * slope * w->bracket[k];
            l->g[k] = fmin(fmax(g, l->c->g_min[k]), l->c->g_max[k]);
        }
    }
    memcpy(l->g, saved, sizeof(double) * (size_t)l->n_edge);
    rh_learner_touch(l);
    return fmin(largest, most);
}

/* What a change of a state is measured by: a conductance by itself, a gate voltage by its range. */
static double size_of(const rh_learner *l, int k) {
    return l->c->edge_source[k] >= 0 ? l->c->g_max[k] - l->c->g_min[k] : l->g[k];
}

static const double SHARE = 0.02; /* of its conductance that an edge may move in a step */

/* What a rate of sgd is for the optimizer: momentum walks a step 1/(1 - momentum) times, adam's rate is the step. */
static double rate_for(const rh_learner *l, double rate) {
    if (l->def.optimizer == RH_OPTIMIZER_MOMENTUM) return rate * (1 - l->def.momentum);
    if (l->def.optimizer != RH_OPTIMIZER_ADAM && l->def.optimizer != RH_OPTIMIZER_SIGN) return rate;
    double sum = 0;
    for (int k = 0; k < l->n_edge; k++) sum += size_of(l, k) / fmax(fabs(rh_learner_slope(l, k)), DBL_MIN);
    return SHARE * sum / l->n_edge;
}

/* A rate at which the largest step of the first samples changes its conductance by SHARE of it: in a circuit that
 * learns while it is clamped, no edge may run away. Rules with two states at hand go by the mean square instead. */
static rheo_status gentle_rate(rh_learner *l, const int *sample, int n, double *rate, rheo_error *err) {
    rh_lane *const w = &l->lane[0];
    rh_chunk none = { 0 };
    double largest = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        RHEO_TRY(rh_lane_solve(l, w, sample + i, 1, err));
        rh_lane_sample(l, w, sample + i, 0);
        rh_lane_loss(l, w, sample[i], &none);
        RHEO_TRY(rh_phase_contrast(l, w, 1, w->bracket, err));
        for (int k = 0; k < l->n_edge; k++) {
            const double slope = rh_learner_slope(l, k);
            const double step = slope * slope * fabs(w->bracket[k]) / size_of(l, k);
            largest = fmax(largest, step);
            sum += step * step;
        }
    }
    if (l->def.rule != RH_RULE_TCL) largest = sqrt(sum / n / l->n_edge);
    *rate = largest > 0 ? SHARE * l->def.strength / largest : l->def.rate;
    return RHEO_OK;
}

/* Three significant digits: a proposal, to be read and typed by people. Dividing by a power of ten rounds once, so it
 * prints short. */
double rh_rounded(double x) {
    if (!(x > 0) || !isfinite(x)) return x;
    const int digits = 2 - (int)floor(log10(x));
    const double unit = pow(10, abs(digits));
    return digits > 0 ? round(x * unit) / unit : round(x / unit) * unit;
}

static void scale_kernel(rh_learn_def *d, double tau) {
    const rh_kernel *k = RH_KERNELS[d->kernel];
    for (int i = 0; i < k->n_field; i++) {
        if (!strcmp(k->fields[i].name, "tau") || !strcmp(k->fields[i].name, "tau_m")) d->par[i] = tau;
        if (!strcmp(k->fields[i].name, "tau_u")) d->par[i] = tau / 5;
        if (!strcmp(k->fields[i].name, "rate")) d->par[i] = rh_rounded(1 / tau);
    }
}

static void explain(const rh_learner *l, rh_tuning *t, double ratio, double share) {
    const rh_learn_def *d = &t->def;
    char a[32];
    const size_t n = sizeof(t->why[0]);
    snprintf(t->why[0], n, "strength %s: moves the outputs by about %g of %s, so s(h) stays nearly linear",
             rh_number_human(d->strength, "", a, sizeof(a)), share,
             d->loss == RH_LOSS_SQUARED || d->loss == RH_LOSS_SQUARED_HINGE ? "the way to the target"
             : d->loss == RH_LOSS_HINGE                                     ? "the margin"
                                                                            : "1/logit_gain");
    snprintf(t->why[1], n, "tau %s: a twentieth of fast, so that the memory has settled for most of the rise",
             rh_number_human(d->fast / 20, "s", a, sizeof(a)));
    snprintf(t->why[2], n, "slow %s: %g times fast; the dead zone passes amplitudes over that range and no more",
             rh_number_human(d->slow, "s", a, sizeof(a)), ratio);
    const bool adam = d->optimizer == RH_OPTIMIZER_ADAM || d->optimizer == RH_OPTIMIZER_SIGN;
    int n_gate = 0;
    for (int k = 0; k < l->n_edge; k++) n_gate += l->c->edge_source[k] >= 0;
    const char *const what = n_gate == 0           ? "conductance"
                             : n_gate == l->n_edge ? "gate voltage, of its range,"
                                                   : "conductance, or its gate voltage of its range,";
    if (adam)
        snprintf(t->why[4], n, "rate %.3g: steps have that size; it is 2 %% of the mean %s", d->rate, what);
    else
        snprintf(t->why[4], n, "rate %.3g: %s of the first samples changes its %s by 2 %%", d->rate,
                 d->rule == RH_RULE_TCL ? "the largest step" : "a step (root mean square)", what);
    snprintf(t->why[3], n,
             "threshold %.3g V^2/s: the largest amplitude of a rehearsed start is %.3g V^2, so what passes is %.3g V^2 "
             "and down to 1/%g of it",
             d->threshold, t->a_large, d->threshold * d->slow / l->moment, ratio);
}

rheo_status rh_tune(rh_learner *l, const int *sample, int n, double max_ratio, rh_tuning *out, rheo_error *err) {
    const double share = 0.1, headroom = 1.5;
    rh_lane *const w = &l->lane[0];
    w->keeps = false;
    if (!w->factored) RHEO_TRY(rh_lane_factor(l, w, err));
    if (l->bent) {
        RHEO_TRY(rh_lane_solve(l, w, sample, 1, err));
        rh_lane_sample(l, w, sample, 0);
        RHEO_TRY(rh_bent_responses(l, w, err));
    } else {
        RHEO_TRY(rh_lane_respond(l, w, err));
    }
    const size_t n_a = (size_t)n * (size_t)l->n_edge;
    double *a = rh_calloc(n_a, sizeof(*a));
    if (!a) return RH_NOMEM(err);
    const double strength = l->def.strength;
    l->def.strength = rh_rounded(strength_for(&l->def, output_resistance(l, w), share));
    double rate = 0;
    rheo_status st = amplitudes(l, sample, n, a, err);
    if (st == RHEO_OK) st = gentle_rate(l, sample, n, &rate, err);
    *out = (rh_tuning){ .def = l->def, .linearity = share };
    out->def.rate = rh_rounded(rate_for(l, rate));
    if (st == RHEO_OK) {
        out->a_small = a[n_a / 10];
        out->a_median = a[n_a / 2];
        out->a_large = a[n_a - 1];
        out->a_large = fmax(out->a_large, rehearse(l, sample, n, rate, 10 * out->a_large,
                                                   a)); /* a has served: room for the conductances */
    }
    l->def.strength = strength;
    rh_free(a);
    if (st != RHEO_OK) return st;
    if (!(out->a_large > 0)) {
        rheo_status bad =
            rh_fail(err, RHEO_E_RANGE, 313, RH_NOWHERE, "the first %d samples move no edge: nothing to tune by", n);
        rh_hint(err, "are the outputs already at their targets, or the inputs all 0?");
        return bad;
    }
    out->def.slow = max_ratio * out->def.fast;
    out->def.threshold = rh_rounded(headroom * out->a_large * l->moment / out->def.slow);
    scale_kernel(&out->def, out->def.fast / 20);
    explain(l, out, max_ratio, share);
    return RHEO_OK;
}
