/* optimizers.c: how a gradient becomes a step. A new optimizer is one row; its state is [n_state][n_edge] and begins as
 * zeros. */
#include "learn/internal.h"

#include <math.h>

static void sgd(const rh_learn_def *d, const rh_update *u) {
    const double *restrict rate = u->rate, *restrict bracket = u->bracket, *restrict g = u->g;
    double *restrict next = u->next;
    (void)d;
    for (int k = 0; k < u->n; k++) next[k] = g[k] - u->factor * rate[k] * (u->share * bracket[k]);
}

/* Heavy ball: what has been walked goes on. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964). */
static void momentum(const rh_learn_def *d, const rh_update *u) {
    const double *restrict rate = u->rate, *restrict bracket = u->bracket, *restrict g = u->g;
    double *restrict next = u->next, *restrict speed = u->state;
    for (int k = 0; k < u->n; k++) {
        speed[k] = d->momentum * speed[k] + u->share * bracket[k];
        next[k] = g[k] - u->factor * rate[k] * speed[k];
    }
}

/* Kingma & Ba, ICLR 2015, algorithm 1. Both means start at 0; `rise` takes off what that makes them too small. */
static void adam(const rh_learn_def *d, const rh_update *u) {
    const double *restrict rate = u->rate, *restrict bracket = u->bracket, *restrict g = u->g;
    double *restrict next = u->next, *restrict mean = u->state, *restrict square = u->state + u->n;
    const double rise1 = 1 / (1 - pow(d->beta1, (double)u->count)), rise2 = 1 / (1 - pow(d->beta2, (double)u->count));
    for (int k = 0; k < u->n; k++) {
        const double slope = u->share * bracket[k];
        mean[k] += (1 - d->beta1) * (slope - mean[k]);
        square[k] += (1 - d->beta2) * (slope * slope - square[k]);
        next[k] = g[k] - u->factor * rate[k] * (rise1 * mean[k]) / (sqrt(rise2 * square[k]) + d->epsilon);
    }
}

/* What two comparators and a counter do: up or down by the rate, whatever the size. Dillavou, Stern, Liu & Durian,
 * Phys. Rev. Applied 18, 014040 (2022). */
static void by_sign(const rh_learn_def *d, const rh_update *u) {
    (void)d;
    for (int k = 0; k < u->n; k++) {
        const double b = u->bracket[k];
        u->next[k] = u->g[k] - (b > 0 ? 1 : b < 0 ? -1 : b) * u->factor * u->rate[k]; /* NaN stays */
    }
}

/* A digital potentiometer: the state is one of `taps` values evenly spread over the bounds, and moves to the one
 * nearest to where the gradient would take it. */
static void by_taps(const rh_learn_def *d, const rh_update *u) {
    for (int k = 0; k < u->n; k++) {
        const double tap = (u->hi[k] - u->lo[k]) / (d->taps - 1);
        const double to = u->g[k] - u->factor * u->rate[k] * (u->share * u->bracket[k]);
        u->next[k] = u->lo[k] + tap * round((to - u->lo[k]) / tap);
    }
}

const rh_optimizer RH_OPTIMIZER_TABLE[] = {
    { "sgd", { "along the gradient", "for edges that are to learn with nothing but what they feel" }, 0, sgd },
    { "momentum",
      { "along a sum of gradients that fades", "for long ways downhill: steps grow 1/(1 - momentum) times as long" },
      1,
      momentum },
    { "adam",
      { "along the mean gradient over its own size, so rate is the size of a step",
        "for gradients of all sizes, as with hidden nodes; two more numbers on every edge" },
      2,
      adam },
    { "sign",
      { "up or down by the rate, by the sign of the gradient alone",
        "for machines of comparators and counters; ends within a rate of the best" },
      0,
      by_sign },
    { "taps",
      { "along the gradient to the nearest of the taps of a digital potentiometer",
        "for machines of such parts, with state: wiper; steps below half a tap are lost" },
      0,
      by_taps },
};
const char *const RH_OPTIMIZERS[] = { "sgd", "momentum", "adam", "sign", "taps", NULL };

rh_meaning rh_optimizer_meaning(int optimizer) { return RH_OPTIMIZER_TABLE[optimizer].meaning; }
