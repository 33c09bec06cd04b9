/* start.c: the state at time 0. */
#include "transient/transient.h"

#include <math.h>

/* ---- from the operating point ---- */

static rheo_status take_point(rheo_transient *t, const rheo_circuit *held, rheo_solver *s, rheo_error *err) {
    rheo_state *st = NULL;
    RHEO_TRY(rheo_state_create(&st, held, err));
    rh_sources_at(t, 0, st->source);
    const rheo_status status = rheo_solver_solve(s, st, err);
    if (status == RHEO_OK) {
        const rh_system *const y = &t->level[0].s->y;
        memcpy(t->now.v, st->v, (size_t)t->c->n_node * sizeof(double));
        for (int e = 0; e < t->c->n_elem; e++)
            if (y->branch[e] >= 0) t->now.x[y->branch[e]] = st->i[e];
    }
    rheo_state_destroy(st);
    return status;
}

static bool any_held(const rheo_circuit *c) {
    for (int i = 1; i < c->n_node; i++)
        if (isfinite(c->ic[i])) return true;
    return false;
}

rheo_status rh_start_point(rheo_transient *t, const rheo_log *log, rheo_error *err) {
    rheo_circuit *held = NULL;
    rheo_solver *s = NULL;
    rheo_solver_def def = rheo_solver_default();
    def.backend = "klu";
    rheo_status st = rh_companion(&held, t->c, true, err);
    if (st == RHEO_OK) st = rheo_solver_open(&s, held, &def, log, err);
    if (st == RHEO_OK) st = take_point(t, held, s, err);
    rheo_solver_close(s);
    rheo_circuit_destroy(held);
    if (st == RHEO_E_SINGULAR && err) {
        err->hint[0] = '\0';
        rh_hint(err, "capacitors carry no direct current: lead a resistor to node 0, or start from initial voltages "
                     "(uic)");
    }
    /* Nodes that were held are let go at time 0: what flows into the capacitors then is not known. */
    t->fresh = any_held(t->c) || t->voltage_loop;
    return st;
}

/* ---- from the voltages of the capacitors ---- */

/* From ic=, else from .ic of its nodes; 0 where nothing is given. */
static double initial_voltage(const rheo_circuit *c, const rh_cap *q) {
    if (isfinite(c->elem_ic[q->elem])) return c->elem_ic[q->elem];
    const double a = isfinite(c->ic[q->a]) ? c->ic[q->a] : 0, b = isfinite(c->ic[q->b]) ? c->ic[q->b] : 0;
    return a - b;
}

/* Slopes of the nonlinear elements at the potentials v. */
static void add_slopes(const rheo_transient *t, const double *v, double *into) {
    const rheo_circuit *const c = t->c;
    for (int e = 0; e < c->n_elem; e++) {
        if (!(RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR)) continue;
        rh_flow flow;
        rh_elem_flow(c, e, v, &flow);
        for (int r = 0; r < RH_KINDS[c->kind[e]]->n_term; r++)
            for (int q = 0; q < RH_KINDS[c->kind[e]]->n_term; q++) into[c->term[e][r]] += fabs(flow.g[r][q]);
    }
}

/* s: a time in which no capacitor moves, since what conducts at its nodes discharges it far more slowly. v: potentials
 * about then; into: work. */
static double instant(const rheo_transient *t, const double *v, double *into) {
    const rheo_circuit *const c = t->c;
    double least = t->def.stop;
    memset(into, 0, (size_t)c->n_node * sizeof(double));
    for (int e = 0; e < c->n_elem; e++) {
        const int edge = c->elem_edge[e];
        const double g = c->kind[e] == RH_KIND_R   ? (edge >= 0 ? c->g_init[edge] : fabs(1 / c->value[e]))
                         : c->kind[e] == RH_KIND_G ? fabs(c->value[e])
                                                   : 0;
        into[c->term[e][0]] += g;
        into[c->term[e][1]] += g;
    }
    add_slopes(t, v, into);
    into[0] = 0;
    for (int k = 0; k < t->n_cap; k++) {
        const double g = into[t->cap[k].a] + into[t->cap[k].b];
        if (g > 0) least = fmin(least, t->cap[k].farad / g);
    }
    return 1e-6 * least;
}

static rheo_status hold_for(rheo_transient *t, double h, rh_moment *m, rheo_error *err) {
    rh_level *l;
    RHEO_TRY(rh_level_for(t, h, &l, err));
    const double *const g = l->s->g;
    for (int k = 0; k < t->n_cap; k++) t->inject[k] = g[k] * initial_voltage(t->c, &t->cap[k]);
    return rh_stage(t, l, m, err);
}

/* Two short backward Euler steps with still sources, extrapolated to none. Capacitors in a loop that do not agree share
 * their charge, as they do in an instant. */
rheo_status rh_start_charged(rheo_transient *t, rheo_error *err) {
    enum { TRIES = 8 };
    double h = instant(t, t->mid.v, t->in);
    t->fresh = true;
    rh_sources_at(t, 0, t->source);
    RHEO_TRY(hold_for(t, h, &t->mid, err));
    for (int k = 0; k < TRIES && t->bent; k++) { /* how fast, is known when potentials are */
        const double shorter = instant(t, t->mid.v, t->in);
        if (!(shorter < h / 2)) break;
        h = shorter;
        RHEO_TRY(hold_for(t, h, &t->mid, err));
    }
    memcpy(t->next.x, t->mid.x, (size_t)rh_solver_n_unknown(t->level[0].s) * sizeof(double));
    RHEO_TRY(hold_for(t, h / 2, &t->next, err));
    for (int i = 0; i < t->c->n_node; i++) t->now.v[i] = 2 * t->next.v[i] - t->mid.v[i];
    const rh_system *const y = &t->level[0].s->y;
    for (int j = 0; j < y->n; j++) t->now.x[j] = 2 * t->next.x[j] - t->mid.x[j];
    for (int k = 0; k < t->n_cap; k++) t->now.i[k] = 2 * t->next.i[k] - t->mid.i[k];
    return RHEO_OK;
}
