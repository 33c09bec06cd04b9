/* states.c: what is stored where a conductance learns. A new kind of state is one row.
 *
 * The edge conducts g; what is written is w. Rules know the slope by g, so a change of w gets dg/dw times it: the chain
 * rule. Bounds stay those of g. A gate has its voltage for a state, whatever is said here. */
#include "learn/internal.h"

#include <math.h>

static double itself(double x, const double bound[2]) {
    (void)bound;
    return x;
}
static double one(double g, const double bound[2]) {
    (void)g;
    (void)bound;
    return 1;
}

static double logarithm(double g, const double bound[2]) {
    (void)bound;
    return log(g);
}
static double exponential(double w, const double bound[2]) {
    (void)bound;
    return exp(w);
}

/* A potentiometer used as a rheostat: R = R_min + w (R_max - R_min), where bounds are 1/R_max and 1/R_min. */
static double span(const double bound[2]) { return 1 / bound[0] - 1 / bound[1]; }
static double to_wiper(double g, const double bound[2]) {
    return span(bound) > 0 ? (1 / g - 1 / bound[1]) / span(bound) : 0;
}
static double from_wiper(double w, const double bound[2]) { return 1 / (1 / bound[1] + w * span(bound)); }
static double by_wiper(double g, const double bound[2]) { return -span(bound) * g * g; }

const rh_state_kind RH_STATE_TABLE[] = {
    { "conductance", { "the conductance itself, S", "for all engines and exported decks" }, itself, itself, one },
    { "exponential",
      { "w with g = exp(w): steps are shares of the conductance", "for conductances that range over decades" },
      logarithm,
      exponential,
      itself },
    { "wiper",
      { "position of a potentiometer: resistance from 1/max at 0 to 1/min at 1",
        "for digital potentiometers and memristors" },
      to_wiper,
      from_wiper,
      by_wiper },
};
const char *const RH_STATES[] = { "conductance", "exponential", "wiper", NULL };

rh_meaning rh_state_meaning(int state) { return RH_STATE_TABLE[state].meaning; }

/* ---- of a learner ---- */

static const rh_state_kind *kind_of(const rh_learner *l, int k) {
    return &RH_STATE_TABLE[l->c->edge_source[k] < 0 ? l->def.state : RH_STATE_CONDUCTANCE];
}

double rh_learner_slope(const rh_learner *l, int k) {
    return kind_of(l, k)->slope(l->g[k], (double[]){ l->c->g_min[k], l->c->g_max[k] });
}

double rh_learner_state(const rh_learner *l, int k) {
    return kind_of(l, k)->of(l->g[k], (double[]){ l->c->g_min[k], l->c->g_max[k] });
}

void rh_learner_set_state(rh_learner *l, int k, double w) {
    l->g[k] = kind_of(l, k)->to(w, (double[]){ l->c->g_min[k], l->c->g_max[k] });
    rh_learner_touch(l);
}

/* A range that nobody chose: the wiper of such a potentiometer would say nothing. */
static const double MOST_RANGE = 1e9;

rheo_status rh_states_open(rh_learner *l, rheo_error *err) {
    if (l->def.state == RH_STATE_CONDUCTANCE) return RHEO_OK;
    for (int k = 0; k < l->n_edge; k++) {
        const double bound[2] = { l->c->g_min[k], l->c->g_max[k] };
        const double a = kind_of(l, k)->of(bound[0], bound), b = kind_of(l, k)->of(bound[1], bound);
        l->w_min[k] = fmin(a, b);
        l->w_max[k] = fmax(a, b);
        if (l->def.state != RH_STATE_WIPER || l->c->edge_source[k] >= 0 || bound[1] <= MOST_RANGE * bound[0]) continue;
        const int e = l->c->edge_elem[k];
        const rheo_status st =
            rh_fail(err, RHEO_E_USAGE, 191, rh_elem_loc(l->c, e),
                    "%s is a potentiometer without ends: its bounds are too far apart", l->c->elem_name[e]);
        rh_hint(err, "its resistance goes from 1/max to 1/min: *@ learn %s min={1/101.21k} max={1/1.21k}",
                l->c->elem_name[e]);
        return st;
    }
    return RHEO_OK;
}

void rh_states_enter(rh_learner *l, rh_chunk *sum) {
    if (l->def.state == RH_STATE_CONDUCTANCE) return;
    for (int k = 0; k < l->n_edge; k++) {
        const double slope = rh_learner_slope(l, k);
        l->w[k] = rh_learner_state(l, k);
        sum->bracket[k] *= slope;
        if (sum->gradient) sum->gradient[k] *= slope;
        if (sum->contrastive) sum->contrastive[k] *= slope;
    }
}

void rh_states_leave(rh_learner *l) {
    if (l->def.state == RH_STATE_CONDUCTANCE) return;
    for (int k = 0; k < l->n_edge; k++) {
        const double bound[2] = { l->c->g_min[k], l->c->g_max[k] };
        const double g = l->next[k] == l->w[k] ? l->g[k] : kind_of(l, k)->to(l->next[k], bound); /* no rounding drift */
        l->next[k] = fmin(fmax(g, bound[0]), bound[1]);
    }
}
