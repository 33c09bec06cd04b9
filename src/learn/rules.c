/* rules.c: what turns the synaptic current s of the phases into a change of conductance. A new rule is one row.
 * Every rule fills bracket, dw = -rate/strength * bracket. s = 1/2 drop^2 (half the dissipated power by conductance).
 */
#include "learn/internal.h"

#include <math.h>

/* Counts edges by amplitude |s(1) - s(0)|: B_j(1) = 2 for odd j, else 0. */
static void count_amplitudes(const rh_learner *l, const rh_lane *w, int n_coef, rh_chunk *k) {
    const int n = l->n_edge;
    double *restrict a = w->drop;
    memcpy(a, w->coef + n, sizeof(double) * (size_t)n);
    for (int j = 3; j < n_coef; j += 2) {
        const double *restrict c = w->coef + (size_t)j * (size_t)n;
        for (int e = 0; e < n; e++) a[e] += c[e];
    }
    const double half_min = l->a_min / 2, half_max = l->a_max / 2;
    int below = 0, above = 0;
    for (int e = 0; e < n; e++) {
        below += fabs(a[e]) < half_min;
        above += fabs(a[e]) > half_max;
    }
    k->below += below;
    k->above += above;
    k->inside += n - below - above;
}

/* The way from the last sample to this one: inputs move linearly, so do the drops, and s is quadratic. */
static int straight_way(const rh_learner *l, rh_lane *w) {
    const int n = l->n_edge;
    double *restrict c0 = w->coef, *restrict c1 = w->coef + n, *restrict c2 = w->coef + 2 * (size_t)n;
    for (int k = 0; k < n; k++) {
        const double from = l->last[k], change = w->free[k] - from;
        c0[k] = 0.5 * from * from;
        c1[k] = 0.5 * rh_contrast(from, change);
        c2[k] = change * change / 16;
    }
    return 3;
}

/* Learning is on while the sample changes. */
static rheo_status travel(rh_learner *l, rh_lane *w, const rh_write_def *write, rheo_error *err) {
    const int n = l->n_edge, n_coef = l->bent ? rh_bent_way(l, w, err) : straight_way(l, w);
    if (n_coef == 0) return err->status;
    rh_closed_write(l->travel, write, n, n_coef, w->coef, n, &l->carry, w->way, NULL, NULL, w->work);
    return RHEO_OK;
}

/* The sample that the next way begins at. */
static void leave(rh_learner *l, const rh_lane *w) {
    memcpy(l->last, w->free, sizeof(double) * (size_t)l->n_edge);
    for (int i = 0; l->bent && i < l->ports.n_in; i++) l->last_in[i] = w->source[l->ports.in_elem[i]];
}

/* Temporal contrastive learning: the memory compares. Falk, Strupp, Scellier & Murugan, Nature Communications 16
 * (2025). */
static rheo_status tcl(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    const int n = l->n_edge;
    const bool carried = l->carry.dev != NULL;
    const rh_write_def write = { (rh_nonlinearity)l->def.nonlinearity, l->def.threshold };
    bool moved = false;
    if (carried && !*l->started) { /* the very first sample finds the memory at rest on it */
        for (int e = 0; e < n; e++) l->carry.s_last[e] = 0.5 * w->free[e] * w->free[e];
        *l->started = 1;
    } else if (l->travel) {
        RHEO_TRY(travel(l, w, &write, err));
        moved = true;
    }
    if (l->travel) leave(l, w);
    const int n_coef = rh_phase_levels(l, w, err);
    if (n_coef == 0) return err->status;
    k->n_levels++;
    k->n_refined += w->refined;
    k->tail = fmax(k->tail, w->tail);
    const rh_closed *const cycle = n_coef - 1 <= l->low_degree ? l->cycle : l->cycle_full;
    rh_closed_write(cycle, &write, n, n_coef, w->coef, n, carried ? &l->carry : NULL, w->bracket, NULL, NULL, w->work);
    const double gain = 1 / l->moment;
    for (int e = 0; e < n; e++) w->bracket[e] = gain * (w->bracket[e] + (moved ? w->way[e] : 0));
    if (write.nonlinearity == RH_DEAD_ZONE) count_amplitudes(l, w, n_coef, k);
    return RHEO_OK;
}

/* Both states at hand: s_clamped - s_free. */
static rheo_status contrastive(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    (void)k;
    return rh_phase_contrast(l, w, 1, w->bracket, err);
}

/* Equilibrium propagation, one-sided or centered: (s(+1) - s(-1))/2. */
static rheo_status eqprop(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    (void)k;
    RHEO_TRY(rh_phase_contrast(l, w, 1, w->bracket, err));
    if (l->def.side == 0) return RHEO_OK;
    RHEO_TRY(rh_phase_contrast(l, w, -1, w->coef, err));
    for (int e = 0; e < l->n_edge; e++) w->bracket[e] = 0.5 * (w->bracket[e] - w->coef[e]);
    return RHEO_OK;
}

/* Derivative of s at h = 0 from four nudged states, those of a Chebyshev grid over [-1, 1]: exact for polynomials of
 * degree 4, so the strength may be large. The contour of complex nudges of Laborieux & Zenke, NeurIPS 35 (2022), laid
 * onto the real axis, where circuits live; either converges exponentially with the number of states. */
static rheo_status holomorphic(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    (void)k;
    static const double H[] = { 1, -1, M_SQRT1_2, -M_SQRT1_2 };
    static const double WEIGHT[] = { -0.5, 0.5, M_SQRT2, -M_SQRT2 };
    memset(w->bracket, 0, sizeof(double) * (size_t)l->n_edge);
    for (int i = 0; i < RH_COUNT(H); i++) {
        RHEO_TRY(rh_phase_contrast(l, w, H[i], w->coef, err));
        for (int e = 0; e < l->n_edge; e++) w->bracket[e] += WEIGHT[i] * w->coef[e];
    }
    return RHEO_OK;
}

/* Frequency propagation: the outputs get an error current strength * pull at a frequency of its own, and every edge
 * multiplies its drop by what it feels at that frequency. Anisetti, Kandala, Scellier & Schwarz, Neural Computation 36,
 * 596 (2024). The network settles faster than the error current turns, so the amplitude is a lock-in over its phase;
 * the activation is the free state. */
static rheo_status frequency(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    (void)k;
    RHEO_TRY(rh_phase_lock_in(l, w, w->bracket, err));
    for (int e = 0; e < l->n_edge; e++) w->bracket[e] *= w->free[e];
    return RHEO_OK;
}

/* No comparison: the clamped state alone writes (directed aging). What TCL becomes when the memory forgets nothing. */
static rheo_status hebbian(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    (void)k;
    RHEO_TRY(rh_phase_contrast(l, w, 1, w->bracket, err));
    for (int e = 0; e < l->n_edge; e++) w->bracket[e] += 0.5 * w->free[e] * w->free[e];
    return RHEO_OK;
}

/* The exact gradient of the loss, from the adjoint: what the local rules are measured against. */
static rheo_status gradient(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    (void)k;
    RHEO_TRY(rh_phase_gradient(l, w, w->bracket, err));
    for (int e = 0; e < l->n_edge; e++) w->bracket[e] *= l->def.strength;
    return RHEO_OK;
}

const rh_rule RH_RULE_TABLE[] = {
    { "tcl",
      { "temporal contrastive learning: the memory on each edge compares over a sawtooth",
        "for machines that learn by themselves, with no stored copy of a state" },
      tcl },
    { "contrastive",
      { "two phases, s_clamped - s_free",
        "for what tcl would do with a perfect memory: no kernel or threshold to fit" },
      contrastive },
    { "coupled",
      { "two phases with a voltage nudge (coupled learning)",
        "for comparison with laboratory networks; follows the gradient less with every further output" },
      contrastive },
    { "eqprop",
      { "equilibrium propagation, one-sided or centered",
        "for local steps along the gradient: exact if centered, by current, in a reciprocal linear network" },
      eqprop },
    { "holomorphic",
      { "equilibrium propagation with four nudged states: exact to fourth order in the nudge",
        "for networks with diodes or transistors whose nudge must be large" },
      holomorphic },
    { "frequency",
      { "drop times the response to an error current of another frequency, by lock-in",
        "for machines that tell signal and error apart by frequency" },
      frequency },
    { "hebbian",
      { "the clamped state alone writes (directed aging)", "as a control: nothing is compared, so no error stops it" },
      hebbian },
    { "gradient",
      { "the exact gradient from the adjoint", "as the measure of the others: no edge could know it" },
      gradient },
};
const char *const RH_RULES[] = { "tcl",       "contrastive", "coupled",  "eqprop", "holomorphic",
                                 "frequency", "hebbian",     "gradient", NULL };

rh_meaning rh_rule_meaning(int rule) { return RH_RULE_TABLE[rule].meaning; }
