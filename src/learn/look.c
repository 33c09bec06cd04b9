/* look.c: whether the memory of tcl writes what two phases would, and if not, at which end of the dead zone it fails.
 */
#include "learn/internal.h"

#include <math.h>

static const double HEADROOM = 1.5; /* of a proposed threshold, as in tune.c */
static const double RANGE = 3;      /* of amplitudes: with less no threshold helps */

/* Edges beyond the ends in any sample, and what their updates come to. */
typedef struct tally {
    double *rule, *two; /* [n_edge] sums over the samples */
    unsigned char *end; /* [n_edge] */
    double above, below, all, largest;
} tally;
enum { ABOVE = 1, BELOW = 2 };

static void count(const rh_learner *l, const double *a, tally *t) {
    for (int k = 0; k < l->n_edge; k++) {
        const double size = fabs(a[k]);
        const bool above = size > l->a_max, below = size < l->a_min;
        t->largest = fmax(t->largest, size);
        t->all += size * size;
        t->above += above ? size * size : 0;
        t->below += below ? size * size : 0;
        if (above) t->end[k] |= ABOVE;
        if (below) t->end[k] |= BELOW;
    }
}

static rheo_status add_sample(rh_learner *l, const int *sample, tally *t, rheo_error *err) {
    rh_lane *const w = &l->lane[0];
    rh_chunk none = { 0 };
    RHEO_TRY(rh_lane_solve(l, w, sample, 1, err));
    rh_lane_sample(l, w, sample, 0);
    rh_lane_loss(l, w, *sample, &none);
    RHEO_TRY(RH_RULE_TABLE[l->def.rule].bracket(l, w, &none, err));
    for (int k = 0; k < l->n_edge; k++) t->rule[k] += w->bracket[k];
    RHEO_TRY(rh_phase_contrast(l, w, 1, w->coef, err));
    count(l, w->coef, t);
    for (int k = 0; k < l->n_edge; k++) t->two[k] += w->coef[k];
    return RHEO_OK;
}

static double dot(int n, const double *a, const double *b) {
    double sum = 0;
    for (int k = 0; k < n; k++) sum += a[k] * b[k];
    return sum;
}

static void sum_up(const rh_learner *l, const tally *t, rh_look *out) {
    const double aa = dot(l->n_edge, t->rule, t->rule), bb = dot(l->n_edge, t->two, t->two);
    *out = (rh_look){ .cosine = !(bb > 0) ? NAN
                                : aa > 0  ? dot(l->n_edge, t->rule, t->two) / sqrt(aa) / sqrt(bb)
                                          : 0,
                      .length = bb > 0 ? sqrt(aa / bb) : NAN,
                      .above = t->all > 0 ? t->above / t->all : 0,
                      .below = t->all > 0 ? t->below / t->all : 0 };
    for (int k = 0; k < l->n_edge; k++) {
        out->n_above += (t->end[k] & ABOVE) != 0;
        out->n_below += (t->end[k] & BELOW) != 0;
    }
    const bool range = l->a_max > RANGE * l->a_min;
    out->threshold = range ? rh_rounded(HEADROOM * t->largest * l->def.threshold / l->a_max) : NAN;
}

rheo_status rh_learner_look(rh_learner *l, const int *sample, int n, rh_look *out, rheo_error *err) {
    const size_t n_edge = (size_t)l->n_edge;
    rh_lane *const w = &l->lane[0];
    double *const room = rh_calloc(2 * n_edge + 1, sizeof *room);
    tally t = { .rule = room, .two = room + n_edge, .end = rh_calloc(n_edge + 1, 1) };
    rheo_status st = room && t.end ? RHEO_OK : RH_NOMEM(err);
    w->keeps = false;
    l->first_sample = sample;
    if (st == RHEO_OK && !w->factored) st = rh_lane_factor(l, w, err);
    for (int i = 0; i < n && st == RHEO_OK; i++) st = add_sample(l, sample + i, &t, err);
    if (st == RHEO_OK) sum_up(l, &t, out);
    rh_free(t.end);
    rh_free(room);
    return st;
}
