/* transient.c: steps of TR-BDF2 on a grid of halves between the corners of the sources.
 *
 * Error estimate: Hosea & Shampine, Appl. Numer. Math. 20, 21 (1996). */
#include "transient/transient.h"

#include "solver/newton.h"

#include <float.h>
#include <math.h>

enum { COOKIE = 0x5472616e };
#define WHOLE ((uint64_t)1 << RH_TRAN_DEPTH)
#define ROOT2 1.4142135623730951
/* Share of the trapezoidal stage, for which both stages have the same matrix. */
static const double GAMMA = 2 - ROOT2;
/* Weights of the two older values in the backward formula. */
static const double ALPHA = 1 / ((2 - ROOT2) * ROOT2), BETA = (ROOT2 - 1) * (ROOT2 - 1) / ((2 - ROOT2) * ROOT2);
/* Ratio of step lengths beyond which pivots are chosen anew, where each step takes several factorisations. */
static const double MUCH = 1e3;
/* Corners nearer than this, relative to the time, are one. */
static const double TOGETHER = 16 * DBL_EPSILON;
static const double MOST_PERIODS = 1e8;

rheo_transient_def rheo_transient_default(void) {
    return (rheo_transient_def){ .reltol = 2e-8, .abstol = 1e-9, .cookie = COOKIE };
}

double rheo_transient_time(const rheo_transient *t) { return t->stepped ? t->next.t : t->now.t; }
bool rheo_transient_done(const rheo_transient *t) { return t->at == WHOLE && t->end >= t->def.stop; }
rheo_transient_stats rheo_transient_statistics(const rheo_transient *t) { return t->stats; }

/* ---- sources ---- */

void rh_sources_at(const rheo_transient *t, double time, double *source) {
    const rheo_circuit *const c = t->c;
    if (c->n_elem > 0) memcpy(source, t->value, (size_t)c->n_elem * sizeof(double));
    for (int k = 0; k < t->n_drive; k++) {
        const int e = t->drive[k];
        source[e] = rh_wave_value(&t->wave[c->elem_wave[e]], (const double(*)[2])c->point, time);
    }
}

static double next_corner(const rheo_transient *t, double from) {
    double first = t->def.stop;
    for (int k = 0; k < t->n_drive; k++) {
        const rh_wave *const w = &t->wave[t->c->elem_wave[t->drive[k]]];
        double at = from;
        do at = rh_wave_next_corner(w, (const double(*)[2])t->c->point, at);
        while (at - from <= TOGETHER * from);
        first = fmin(first, at);
    }
    return t->def.stop - first <= TOGETHER * t->def.stop ? t->def.stop : first;
}

/* How far is the parabola through beginning, stage and end from the source between them, relative to its size? Linear
 * ones are exact. */
static double source_error(const rheo_transient *t) {
    double worst = 0;
    const double h = t->next.t - t->now.t;
    for (int k = 0; k < t->n_drive; k++) {
        const rh_wave *const w = &t->wave[t->c->elem_wave[t->drive[k]]];
        const double size = fabs(w->par[0]) + fabs(w->par[1]);
        if ((w->kind != RH_WAVE_SIN && w->kind != RH_WAVE_EXP) || size == 0) continue;
        const double a = rh_wave_value(w, NULL, t->now.t), m = rh_wave_value(w, NULL, t->mid.t),
                     b = rh_wave_value(w, NULL, t->next.t);
        for (int j = 0; j < 2; j++) {
            const double x = (GAMMA + j) / 2;
            const double fit = a * (x - GAMMA) * (x - 1) / GAMMA + m * x * (x - 1) / (GAMMA * (GAMMA - 1)) +
                               b * x * (x - GAMMA) / (1 - GAMMA);
            worst = fmax(worst, fabs(rh_wave_value(w, NULL, t->now.t + x * h) - fit) / size);
        }
    }
    return worst / t->def.reltol;
}

/* ---- one stage ---- */

/* Pivots are chosen for steps of about this size. */
static rheo_status set_bent(rheo_transient *t, rh_level *l, double h, rheo_error *err) {
    if (!(h <= MUCH * t->standard && t->standard <= MUCH * h)) {
        RHEO_TRY(rh_newton_standard(l->s, t->inject, err));
        t->standard = h;
    }
    RHEO_TRY(rh_newton_set(l->s, t->inject, err));
    l->h = h;
    return RHEO_OK;
}

static rheo_status factor(rheo_transient *t, rh_level *l, double h, rheo_error *err) {
    l->h = 0;
    for (int k = 0; k < t->n_cap; k++) t->inject[k] = 2 * t->cap[k].farad / (GAMMA * h);
    if (t->bent) return set_bent(t, l, h, err);
    t->stats.n_factor++;
    RHEO_TRY(rh_solver_factor(l->s, t->inject, err));
    l->h = h;
    return RHEO_OK;
}

rheo_status rh_level_for(rheo_transient *t, double h, rh_level **out, rheo_error *err) {
    rh_level *l = &t->level[0];
    for (int k = 0; k < t->n_level; k++) {
        rh_level *const m = &t->level[k];
        if (fabs(m->h - h) <= 1e-12 * h) { /* intervals of equal length differ by rounding */
            l = m;
            break;
        }
        if (m->used < l->used) l = m;
    }
    l->used = ++t->clock;
    *out = l;
    return fabs(l->h - h) <= 1e-12 * h ? RHEO_OK : factor(t, l, h, err);
}

static double across(const rh_cap *q, const double *v) { return v[q->a] - v[q->b]; }

static void inject(rheo_transient *t, rheo_solver *s, double *b) {
    for (int k = 0; k < t->n_cap; k++) rh_solver_inject(s, t->cap[k].a, t->cap[k].b, t->inject[k], b);
}

static rheo_status solve_bent(rheo_transient *t, rh_level *l, rh_moment *m, rheo_error *err) {
    memset(t->b, 0, (size_t)rh_solver_n_unknown(l->s) * sizeof(double));
    inject(t, l->s, t->b);
    rh_newton_feed(l->s, t->b);
    const rheo_status st = rh_newton_solve(l->s, t->source, NULL, m->x, err);
    rh_newton_feed(l->s, NULL);
    t->stats.n_factor += rh_newton_iterations(l->s);
    return st;
}

static rheo_status solve_linear(rheo_transient *t, rh_level *l, rh_moment *m, rheo_error *err) {
    rh_solver_rhs(l->s, t->source, t->b);
    inject(t, l->s, t->b);
    memcpy(m->x, t->b, (size_t)rh_solver_n_unknown(l->s) * sizeof(double));
    rh_solver_apply(l->s, 1, m->x, false);
    return rh_solver_check(l->s, t->b, m->x, err);
}

rheo_status rh_stage(rheo_transient *t, rh_level *l, rh_moment *m, rheo_error *err) {
    RHEO_TRY(t->bent ? solve_bent(t, l, m, err) : solve_linear(t, l, m, err));
    rh_solver_potentials(l->s, t->source, m->x, m->v);
    for (int k = 0; k < t->n_cap; k++) m->i[k] = l->s->g[k] * across(&t->cap[k], m->v) - t->inject[k];
    return RHEO_OK;
}

/* ---- one step ---- */

/* Backward Euler over half the stage: damps what the state before knows wrongly. */
static rheo_status euler(rheo_transient *t, rh_level *l, double time, const double *from, rheo_error *err) {
    rh_sources_at(t, time, t->source);
    for (int k = 0; k < t->n_cap; k++) t->inject[k] = l->s->g[k] * across(&t->cap[k], from);
    return rh_stage(t, l, &t->mid, err);
}

static rheo_status trapezoid(rheo_transient *t, rh_level *l, rheo_error *err) {
    rh_sources_at(t, t->mid.t, t->source);
    for (int k = 0; k < t->n_cap; k++) t->inject[k] = l->s->g[k] * across(&t->cap[k], t->now.v) + t->now.i[k];
    return rh_stage(t, l, &t->mid, err);
}

static rheo_status backward(rheo_transient *t, rh_level *l, rheo_error *err) {
    rh_sources_at(t, t->next.t, t->source);
    for (int k = 0; k < t->n_cap; k++)
        t->inject[k] = l->s->g[k] * (ALPHA * across(&t->cap[k], t->mid.v) - BETA * across(&t->cap[k], t->now.v));
    return rh_stage(t, l, &t->next, err);
}

/* Weights of beginning, stage and end of a step for the parabola through them. */
static void parabola(double x, double w[3]) {
    w[0] = (x - GAMMA) * (x - 1) / GAMMA;
    w[1] = x * (x - 1) / (GAMMA * (GAMMA - 1));
    w[2] = x * (x - GAMMA) / (1 - GAMMA);
}

static void mix(double *out, const double *a, const double *m, const double *b, const double *w, int n) {
    for (int k = 0; k < n; k++) out[k] = w[0] * a[k] + w[1] * m[k] + w[2] * b[k];
}

/* Where Newton starts in both stages: on the parabola of the last step, carried on; else where the step begins. */
static void guess(rheo_transient *t, double h) {
    const int n = rh_solver_n_unknown(t->level[0].s);
    const bool past = t->past && !t->fresh && h <= 4 * t->past_h;
    double w[3];
    if (past) {
        parabola(1 + GAMMA * h / t->past_h, w);
        mix(t->mix.x, t->next.x, t->mid.x, t->now.x, w, n); /* next holds the beginning of the last step by now */
        parabola(1 + h / t->past_h, w);
        mix(t->next.x, t->next.x, t->mid.x, t->now.x, w, n);
        memcpy(t->mid.x, t->mix.x, (size_t)n * sizeof(double));
    } else {
        memcpy(t->mid.x, t->now.x, (size_t)n * sizeof(double));
        memcpy(t->next.x, t->now.x, (size_t)n * sizeof(double));
    }
    t->past = false;
}

static rheo_status attempt(rheo_transient *t, rh_level *l, double h, rheo_error *err) {
    t->mid.t = t->now.t + GAMMA * h;
    if (t->bent) guess(t, h);
    if (t->fresh) {
        RHEO_TRY(euler(t, l, t->now.t + GAMMA * h / 2, t->now.v, err));
        RHEO_TRY(euler(t, l, t->mid.t, t->mid.v, err));
    } else {
        RHEO_TRY(trapezoid(t, l, err));
    }
    return backward(t, l, err);
}

/* Error of the step over what is allowed: the difference from a third-order formula, passed once through the matrix so
 * that fast parts, which are damped anyway, do not shorten the step. */
static double error_ratio(rheo_transient *t, rh_level *l) {
    const double *const i0 = t->now.i, *const i1 = t->mid.i, *const i2 = t->next.i;
    for (int k = 0; k < t->n_cap; k++)
        t->inject[k] = t->fresh ? GAMMA / (2 * (1 - GAMMA)) * (i2[k] - i1[k])
                                : 2 / (3 * GAMMA) * ((1 - ROOT2) * i0[k] + i1[k] - GAMMA * i2[k]);
    memset(t->b, 0, (size_t)rh_solver_n_unknown(l->s) * sizeof(double));
    inject(t, l->s, t->b);
    rh_solver_apply(l->s, 1, t->b, false);
    double worst = source_error(t);
    for (int i = 1; i < t->c->n_node; i++) {
        const int j = rh_solver_unknown(l->s, i);
        if (j < 0) continue;
        const double peak = fmax(t->peak[i], fabs(t->next.v[i])),
                     ratio = fabs(t->b[j]) / (t->def.abstol + t->def.reltol * peak);
        if (!(ratio <= worst)) worst = ratio; /* NaN stays */
    }
    return worst;
}

/* Halvings of the interval for the next step: not longer than wished, and from here on the grid. */
static int choose_level(const rheo_transient *t) {
    const double most = fmin(t->wish, t->def.max_step), length = t->end - t->begin;
    int k = 0;
    while (k <= RH_TRAN_DEPTH && (ldexp(length, -k) > most || t->at % (WHOLE >> k) != 0)) k++;
    return k;
}

static rheo_status too_short(const rheo_transient *t, rheo_error *err) {
    return rh_fail(err, RHEO_E_NOCONV, 365, RH_NOWHERE, "at %g s the time step became too short for the error allowed",
                   t->now.t);
}

/* Where the last step ended is where the next begins. */
static void move_on(rheo_transient *t) {
    if (t->stepped) {
        const rh_moment end = t->next;
        t->next = t->now;
        t->now = end;
        t->past = true;
        t->past_h = t->now.t - t->next.t;
        t->fresh = false;
        t->stepped = false;
    }
    if (t->at < WHOLE) return;
    t->begin = t->end;
    t->end = next_corner(t, t->begin);
    t->at = 0;
    t->past = false; /* slopes jump */
    t->fresh = t->fresh || t->voltage_loop;
}

static void accept(rheo_transient *t, double h, int level, double ratio) {
    t->at += WHOLE >> level;
    t->wish = h * fmin(4, 0.9 / cbrt(fmax(ratio, 1e-9)));
    t->stepped = true;
    t->stats.n_step++;
    t->stats.n_corner += t->at == WHOLE;
    for (int i = 0; i < t->c->n_node; i++) t->peak[i] = fmax(t->peak[i], fabs(t->next.v[i]));
}

/* ratio: error over what is allowed; NaN: Newton found no way, a shorter step may. */
static rheo_status try_step(rheo_transient *t, double h, double *ratio, rheo_error *err) {
    rh_level *l;
    rheo_error quiet = { 0 };
    RHEO_TRY(rh_level_for(t, h, &l, err));
    const rheo_status st = attempt(t, l, h, t->bent ? &quiet : err);
    *ratio = st == RHEO_OK ? error_ratio(t, l) : NAN;
    if (!t->bent || st == RHEO_E_NOCONV || st == RHEO_E_SINGULAR) return t->bent ? RHEO_OK : st;
    if (st != RHEO_OK && err) *err = quiet;
    return st;
}

rheo_status rheo_transient_step(rheo_transient *t, rheo_error *err) {
    if (rheo_transient_done(t)) return RHEO_OK;
    move_on(t);
    for (;;) {
        const int level = choose_level(t);
        const double h = ldexp(t->end - t->begin, -level);
        if (level > RH_TRAN_DEPTH || !(h > 2 * DBL_EPSILON * t->now.t)) return too_short(t, err);
        const uint64_t to = t->at + (WHOLE >> level);
        t->next.t = to == WHOLE ? t->end : t->begin + (t->end - t->begin) * ((double)to / (double)WHOLE);
        double ratio;
        RHEO_TRY(try_step(t, h, &ratio, err));
        if (ratio <= 1) {
            accept(t, h, level, ratio);
            return RHEO_OK;
        }
        t->stats.n_reject++;
        t->wish = ratio < INFINITY ? h * fmin(0.5, fmax(1e-3, 0.8 / cbrt(ratio))) : h / 1024; /* NaN too */
    }
}

/* ---- within a step ---- */

void rheo_transient_at(rheo_transient *t, double time, double *v, double *i) {
    const int n = rh_solver_n_unknown(t->level[0].s), n_node = t->c->n_node;
    const double h = t->next.t - t->now.t, x = t->stepped ? (time - t->now.t) / h : 0;
    double w[3];
    parabola(x, w);
    mix(t->mix.v, t->now.v, t->mid.v, t->next.v, w, n_node);
    memcpy(v, t->mix.v, (size_t)t->given->n_node * sizeof(double));
    if (!i) return;
    if (t->stepped && t->fresh) { /* currents jumped at the beginning */
        w[0] = 0;
        w[1] = (1 - x) / (1 - GAMMA);
        w[2] = (x - GAMMA) / (1 - GAMMA);
    }
    mix(t->mix.i, t->now.i, t->mid.i, t->next.i, w, t->n_cap);
    mix(t->mix.x, t->now.x, t->mid.x, t->next.x, w, n);
    rh_sources_at(t, time, t->source);
    rh_currents(t, &t->mix, t->source, t->all);
    if (t->given->n_elem > 0) memcpy(i, t->all, (size_t)t->given->n_elem * sizeof(double));
}

double rheo_transient_memristor(const rheo_transient *t, double time, int element) {
    if (!t->state || element < 0 || element >= t->given->n_elem || t->state[element] < 0) return NAN;
    const int i = t->state[element];
    double w[3];
    parabola(t->stepped ? (time - t->now.t) / (t->next.t - t->now.t) : 0, w);
    return w[0] * t->now.v[i] + w[1] * t->mid.v[i] + w[2] * t->next.v[i];
}

/* ---- opening ---- */

static void moment_layout(rh_moment *m, rh_arena *a, int n_node, int n_cap, int n) {
    m->v = RH_TAKE(a, double, n_node);
    m->i = RH_TAKE(a, double, n_cap);
    m->x = RH_TAKE(a, double, n);
}

static void layout(rheo_transient *t, rh_arena *a, int n) {
    const rheo_circuit *const c = t->c;
    rh_moment *const moments[] = { &t->now, &t->mid, &t->next, &t->mix };
    for (int k = 0; k < RH_COUNT(moments); k++) moment_layout(moments[k], a, c->n_node, t->n_cap, n);
    t->cap = RH_TAKE(a, rh_cap, t->n_cap);
    t->wave = RH_TAKE(a, rh_wave, c->n_wave);
    t->drive = RH_TAKE(a, int, c->n_wave);
    t->value = RH_TAKE(a, double, c->n_elem);
    t->source = RH_TAKE(a, double, c->n_elem);
    t->peak = RH_TAKE(a, double, c->n_node);
    t->b = RH_TAKE(a, double, n);
    t->inject = RH_TAKE(a, double, t->n_cap);
    t->in = RH_TAKE(a, double, c->n_node);
    t->all = RH_TAKE(a, double, c->n_elem);
}

static rheo_status check_def(const rheo_transient_def *d, rheo_error *err) {
    if (d->cookie != COOKIE)
        return rh_fail(err, RHEO_E_USAGE, 126, RH_NOWHERE,
                       "rheo_transient_def was not made by rheo_transient_default()");
    if (!(d->stop > 0 && d->stop < INFINITY))
        return rh_fail(err, RHEO_E_RANGE, 363, RH_NOWHERE, "the stop of a transient analysis is %g s: must be above 0",
                       d->stop);
    if (!(d->step >= 0 && d->step < INFINITY && d->max_step >= 0 && d->max_step < INFINITY))
        return rh_fail(err, RHEO_E_RANGE, 363, RH_NOWHERE, "time steps must not be below 0");
    if (!(d->reltol >= 1e-12 && d->reltol < 1 && d->abstol >= 0 && d->abstol < INFINITY))
        return rh_fail(err, RHEO_E_RANGE, 363, RH_NOWHERE, "reltol must lie between 1e-12 and 1, abstol above 0");
    return RHEO_OK;
}

static rheo_status check_circuit(const rheo_circuit *c, rheo_error *err) {
    for (int e = 0; e < c->n_elem; e++)
        if (c->kind[e] == RH_KIND_C && !(c->value[e] >= 0))
            return rh_fail(err, RHEO_E_RANGE, 364, rh_elem_loc(c, e),
                           "%s has a negative capacitance: its course in time is not stable", c->elem_name[e]);
    return RHEO_OK;
}

static rheo_status open_levels(rheo_transient *t, rheo_error *err) {
    rheo_solver_def def = rheo_solver_default();
    def.rcond_warn = 0; /* short steps are ill-conditioned in a harmless way */
    def.rcond_refuse = 1e-15;
    int most = 1;
    for (; t->n_level < most; t->n_level++) {
        RHEO_TRY(rheo_solver_open(&t->level[t->n_level].s, t->companion, &def, NULL, err));
        t->bent = rh_solver_is_nonlinear(t->level[0].s);
        most = t->bent ? 1 : rh_solver_n_unknown(t->level[0].s) > RH_TRAN_LARGE ? RH_TRAN_LEVELS_LARGE : RH_TRAN_LEVELS;
    }
    return RHEO_OK;
}

static rheo_status allocate(rheo_transient *t, rheo_error *err) {
    const int n = rh_solver_n_unknown(t->level[0].s);
    rh_arena a = { 0 };
    t->n_cap = t->companion->n_edge;
    layout(t, &a, n);
    t->memory = rh_alloc(a.used);
    if (!t->memory) return RH_NOMEM(err);
    a = (rh_arena){ .base = t->memory };
    layout(t, &a, n);
    return RHEO_OK;
}

static void fill_values(rheo_transient *t) {
    for (int e = 0; e < t->c->n_elem; e++) {
        const int held = t->c->held_edge[e];
        t->value[e] = held >= 0 ? t->c->g_init[held] : t->c->value[e];
    }
}

static void fill_caps(rheo_transient *t) {
    for (int k = 0; k < t->n_cap; k++) {
        const int e = t->companion->edge_elem[k];
        t->cap[k] = (rh_cap){ t->c->term[e][0], t->c->term[e][1], e, t->c->value[e] };
    }
}

static rheo_status check_wave(const rheo_transient *t, const rh_wave *w, int e, rheo_error *err) {
    const rheo_circuit *const c = t->c;
    const bool pwl = w->kind == RH_WAVE_PWL && w->par[1] >= 0;
    const double period = pwl                        ? c->point[w->first + w->n_point - 1][0] - w->par[1]
                          : w->kind == RH_WAVE_PULSE ? w->par[6]
                                                     : INFINITY;
    if (!rh_wave_fits(w))
        return rh_fail(err, RHEO_E_RANGE, 360, rh_elem_loc(t->given, e),
                       "rise time, width and fall time of %s do not fit into its period: give all of them",
                       c->elem_name[e]);
    if (t->def.stop / period <= MOST_PERIODS) return RHEO_OK;
    return rh_fail(err, RHEO_E_LIMIT, 502, rh_elem_loc(t->given, e),
                   "%s has %.3g periods before the stop, at most %g can be", c->elem_name[e], t->def.stop / period,
                   MOST_PERIODS);
}

static rheo_status fill_waves(rheo_transient *t, rheo_error *err) {
    const rheo_circuit *const c = t->c;
    for (int e = 0; e < c->n_elem; e++) {
        const int k = c->elem_wave[e];
        if (k < 0) continue;
        t->drive[t->n_drive++] = e;
        t->wave[k] = rh_wave_complete(&c->wave[k], t->def.step, t->def.stop);
        RHEO_TRY(check_wave(t, &t->wave[k], e, err));
    }
    return RHEO_OK;
}

static rheo_status let_memristors_move(rheo_transient *t, rheo_error *err) {
    if (!rh_any_memristor(t->given)) return RHEO_OK;
    t->state = rh_calloc((size_t)t->given->n_elem, sizeof(int));
    if (!t->state) return RH_NOMEM(err);
    RHEO_TRY(rh_memristors_move(&t->moving, t->given, t->state, err));
    t->c = t->moving;
    return RHEO_OK;
}

static rheo_status open_transient(rheo_transient *t, const rheo_log *log, rheo_error *err) {
    RHEO_TRY(check_def(&t->def, err));
    RHEO_TRY(check_circuit(t->c, err));
    rh_warn_of_charges(t->c, log);
    RHEO_TRY(let_memristors_move(t, err));
    if (t->def.step == 0) t->def.step = t->def.stop / 1000;
    if (t->def.max_step == 0) t->def.max_step = t->def.stop / 50;
    RHEO_TRY(rh_voltage_loop(t->c, &t->voltage_loop, err));
    RHEO_TRY(rh_companion(&t->companion, t->c, false, err));
    RHEO_TRY(open_levels(t, err));
    RHEO_TRY(allocate(t, err));
    fill_caps(t);
    fill_values(t);
    RHEO_TRY(fill_waves(t, err));
    RHEO_TRY(t->def.uic ? rh_start_charged(t, err) : rh_start_point(t, log, err));
    for (int i = 0; i < t->c->n_node; i++) t->peak[i] = fabs(t->now.v[i]);
    t->wish = t->def.max_step;
    t->at = WHOLE; /* of an interval that ends at 0 */
    return RHEO_OK;
}

rheo_status rheo_transient_open(rheo_transient **out, const rheo_circuit *c, const rheo_transient_def *def,
                                const rheo_log *log, rheo_error *err) {
    rheo_transient *t = rh_calloc(1, sizeof(*t));
    if (!t) return RH_NOMEM(err);
    t->given = t->c = c;
    t->def = *def;
    const rheo_status st = open_transient(t, log, err);
    if (st == RHEO_OK)
        *out = t;
    else
        rheo_transient_close(t);
    return st;
}

void rheo_transient_close(rheo_transient *t) {
    if (!t) return;
    for (int k = 0; k < RH_TRAN_LEVELS; k++) rheo_solver_close(t->level[k].s);
    rheo_circuit_destroy(t->companion);
    rheo_circuit_destroy(t->moving);
    rh_free(t->state);
    rh_free(t->memory);
    rh_free(t);
}
