/* timing.c: when what happens in a slot. */
#include "machine/inside.h"

#include <math.h>

#define FLAT 1e-3 /* of the shorter ramp: the tip of a tooth, since a width of 0 means for ever to some programs */
#define SHUT \
    0.05 /* of the shorter ramp: what leaks through a closing gate is little, even where the tooth ends steeply */

/* ---- what a machine in time can do ---- */

static rheo_status cannot(rheo_error *err, const rh_purpose *why, const char *key, const char *is, const char *hint) {
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, why->code, RH_NOWHERE, "%s: %s cannot %s", key, is, why->verb);
    rh_hint(err, "%s", hint);
    return st;
}

const rh_purpose RH_IN_TIME = { RH_CODE_MACHINE, "be run by the engine transient" };

static bool two_ramps(const rh_learn_def *d, rh_ramp ramp[RH_MAX_RAMP]) {
    const int n = RH_PROTOCOLS[d->protocol]->build(d->fast, d->slow, ramp);
    return n == 2 && ramp[0].h0 == 0 && ramp[0].h1 == 1 && ramp[1].h0 == 1 && ramp[1].h1 == 0;
}

rheo_status rh_timing_check(const rh_learn_def *d, const rh_purpose *why, rheo_error *err) {
    rh_ramp ramp[RH_MAX_RAMP];
    if (d->rule != RH_RULE_TCL)
        return cannot(err, why, "learning.rule", RH_RULES[d->rule], "only tcl works without help from outside");
    if (d->nudge != RH_NUDGE_CONDUCTANCE)
        return cannot(err, why, "learning.nudge.kind", RH_NUDGES[d->nudge], "use conductance");
    if (d->loss != RH_LOSS_SQUARED) return cannot(err, why, "learning.loss", RH_LOSSES[d->loss], "use squared");
    if (d->optimizer != RH_OPTIMIZER_SGD)
        return cannot(err, why, "learning.optimizer", RH_OPTIMIZERS[d->optimizer], "use sgd");
    if (d->state != RH_STATE_CONDUCTANCE)
        return cannot(err, why, "learning.state", RH_STATES[d->state], "use conductance");
    if (d->schedule != RH_SCHEDULE_CONSTANT)
        return cannot(err, why, "learning.schedule.kind", RH_SCHEDULES[d->schedule], "use constant");
    if (!two_ramps(d, ramp))
        return cannot(err, why, "protocol.kind", RH_PROTOCOLS[d->protocol]->name, "use sawtooth or triangle");
    if (d->between == RH_BETWEEN_PERIODIC)
        return cannot(err, why, "protocol.between", RH_BETWEENS[d->between],
                      "use gate or ramp: a circuit has no past without beginning");
    return RHEO_OK;
}

/* ---- times ---- */

void rh_timing_build(const rh_learn_def *d, rh_timing *t) {
    rh_ramp ramp[RH_MAX_RAMP];
    two_ramps(d, ramp);
    const bool jump = d->between == RH_BETWEEN_CARRY;
    *t = (rh_timing){
        .dwell = jump ? 0 : RH_DWELL * rh_memory_time(d),
        .rise = ramp[0].duration,
        .fall = ramp[1].duration,
        .flat = FLAT * fmin(ramp[0].duration, ramp[1].duration),
        .shut = SHUT * fmin(ramp[0].duration, ramp[1].duration),
        .gate = d->between == RH_BETWEEN_GATE,
        .jump = jump,
    };
    t->move = jump ? 0 : t->gate ? t->dwell : d->ramp;
    t->tooth = 2 * t->dwell + t->move;
    t->period = t->tooth + t->rise + t->flat + t->fall + t->dwell;
}

/* ---- corners ---- */

/* Linear from y0 at t0 to y1 at t1, constant outside. */
static double between(double t, double t0, double y0, double t1, double y1) {
    return t <= t0 ? y0 : t >= t1 ? y1 : y0 + (y1 - y0) * ((t - t0) / (t1 - t0));
}

static double saw_at(const rh_timing *q, double t) {
    const double top = q->tooth + q->rise;
    return t <= top ? between(t, q->tooth, 0, top, 1) : between(t, top + q->flat, 1, top + q->flat + q->fall, 0);
}

static double on_at(const rh_timing *q, bool first, double t) {
    const double edge = q->dwell / 8, end = q->tooth + q->rise + q->flat + q->fall;
    double on = 1;
    if (first && !q->jump) on = between(t, q->tooth - q->dwell / 2, 0, q->tooth - q->dwell / 4, 1);
    if (q->gate) on *= between(t, q->tooth - 2 * edge, 0, q->tooth - edge, 1);
    if (q->gate) on *= between(t, end, 1, end + q->shut, 0);
    return on;
}

static int add(double *t, int n, double x) {
    int at = n;
    while (at > 0 && t[at - 1] >= x) at--;
    if (at < n && t[at] == x) return n;
    memmove(t + at + 1, t + at, sizeof(double) * (size_t)(n - at));
    t[at] = x;
    return n + 1;
}

int rh_timing_corners(const rh_timing *q, bool first, rh_corner out[RH_MAX_CORNER]) {
    const double top = q->tooth + q->rise, end = top + q->flat + q->fall, edge = q->dwell / 8;
    double t[RH_MAX_CORNER] = { 0 };
    int n = 1;
    const double always[] = { q->dwell, q->dwell + q->move, q->tooth, top, top + q->flat, end, q->period };
    for (int i = 0; i < RH_COUNT(always); i++) n = add(t, n, always[i]);
    if (first && !q->jump) {
        n = add(t, n, q->tooth - q->dwell / 2);
        n = add(t, n, q->tooth - q->dwell / 4);
    }
    if (q->gate) {
        const double gate[] = { q->tooth - 2 * edge, q->tooth - edge, end, end + q->shut };
        for (int i = 0; i < RH_COUNT(gate); i++) n = add(t, n, gate[i]);
    }
    for (int i = 0; i < n; i++)
        out[i] = (rh_corner){ t[i], q->jump ? 1 : between(t[i], q->dwell, 0, q->dwell + q->move, 1), saw_at(q, t[i]),
                              on_at(q, first, t[i]) };
    return n;
}
