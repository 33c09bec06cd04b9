/* mapping.c: from the experiment's numbers to values of parts.
 *
 * An edge of rheo: s = drop^2/2, m' = (s - m)/tau - m/leak, u = (s - m)/tau, dg = -(rate/(strength moment)) g(u) dt.
 * An edge of the deck: V(s) = drop^2/VS = (2/VS) s, and a high-pass without gain, V(u) = (2/VS)(s - m) = (2 tau/VS) u.
 * So TH = (2 tau/VS) threshold. The pump draws GM V(u) from CW, and g = KG V(w):
 *     dg/dt = -KG (GM/CW) (2 tau/VS) u,   hence   KG GM = (rate/(strength moment)) CW VS/(2 tau). */
#include "export/export.h"

#include <math.h>

#define SUPPLY 5.0       /* V: largest stored voltage */
#define R_MEMORY 100e3   /* ohm */
#define SQUARE_SWING 2.0 /* V: output of the squarer for the largest drop */
#define W_LEAST 1e-3     /* V: a smaller stored voltage drowns in tolerances */

static const rh_purpose EXPORTED = { RH_CODE_NO_DECK, "be exported as a circuit that learns by itself" };

/* ---- what can be exported ---- */

static rheo_status cannot(rheo_error *err, const char *key, const char *is, const char *hint) {
    const rheo_status st =
        rh_fail(err, RHEO_E_USAGE, RH_CODE_NO_DECK, RH_NOWHERE, "%s: %s cannot %s", key, is, EXPORTED.verb);
    rh_hint(err, "%s", hint);
    return st;
}

/* Inputs become several sources. */
static rheo_status check_sensed(const rheo_experiment *x, int elem, rheo_error *err) {
    const rheo_circuit *const c = x->circuit;
    const int sensed = c->elem_ctrl[elem];
    bool fixed = true;
    for (int i = 0; i < x->task.n_in; i++) fixed = fixed && x->in_elem[i] != sensed;
    if (fixed) return RHEO_OK;
    char shown[80];
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, RH_CODE_NO_DECK, rh_elem_loc(c, elem),
                                   "%s is controlled by the current of a source that a learning deck replaces",
                                   rh_escape(c->elem_name[elem], strlen(c->elem_name[elem]), shown, sizeof shown));
    rh_hint(err, "put a voltage source of 0 V in series and name that one");
    return st;
}

rheo_status rh_export_check(const rheo_experiment *x, rheo_error *err) {
    const rh_learn_def *const d = &x->learn;
    const rheo_circuit *const c = x->circuit;
    for (int e = 0; e < c->n_elem; e++)
        if (RH_KINDS[c->kind[e]]->flags & RH_BY_CURRENT) RHEO_TRY(check_sensed(x, e, err));
    RHEO_TRY(rh_timing_check(d, &EXPORTED, err));
    if (d->kernel != rh_kernel_find("leaky-integrator"))
        return cannot(err, "memory.kind", RH_KERNELS[d->kernel]->name, "use leaky-integrator");
    if (d->between == RH_BETWEEN_CARRY)
        return cannot(err, "protocol.between", RH_BETWEENS[d->between], "use gate or ramp");
    if (x->run.batch != 1 && x->task.n_train > 1)
        return cannot(err, "run.batch", "more than one sample per update", "a circuit learns online: use batch: 1");
    return RHEO_OK;
}

/* ---- parts ---- */

/* The largest voltage that the task speaks of. */
double rh_export_largest(const rheo_experiment *x) {
    const rheo_circuit *const c = x->circuit;
    const rh_task *const t = &x->task;
    double most = 0;
    for (int e = 0; e < c->n_elem; e++)
        if (c->kind[e] == RH_KIND_V && c->held_edge[e] < 0) most = fmax(most, fabs(c->value[e]));
    for (int s = 0; s < t->n_sample; s++) {
        for (int i = 0; i < t->n_in; i++)
            if (c->kind[x->in_elem[i]] == RH_KIND_V) most = fmax(most, fabs(rh_task_input(t, s, i)));
        for (int o = 0; o < t->n_out; o++) most = fmax(most, fabs(t->target[(size_t)s * (size_t)t->n_out + (size_t)o]));
    }
    return most > 0 ? most : 1;
}

void rh_export_map_with(const rheo_experiment *x, double v_square, double c_store, rh_mapping *m) {
    enum { TAU, LEAK }; /* fields of the kernel */
    const rh_learn_def *const d = &x->learn;
    const double tau = d->par[TAU];
    rh_filter filter;
    RH_KERNELS[d->kernel]->build(d->par, &filter);
    *m = (rh_mapping){
        .v_square = v_square,
        .r_memory = R_MEMORY,
        .c_memory = tau / R_MEMORY,
        .c_store = c_store,
        .r_store = RH_STORE_OHM,
        .clamp = d->strength,
        .cubic = d->nonlinearity == RH_CUBIC,
    };
    const double gain = 2 * tau / m->v_square; /* V at the high-pass for 1 V^2/s of u */
    m->r_leak = d->par[LEAK] / m->c_memory;
    m->pump = m->c_store / (d->strength * fabs(filter.moment) * gain);
    if (d->nonlinearity == RH_DEAD_ZONE) m->threshold = gain * d->threshold;
    m->edge = RH_RIM * m->threshold;
    if (m->cubic) m->pump /= gain * gain * (d->threshold > 0 ? d->threshold : 1); /* g(u) = u^3/threshold */
}

double rh_export_pump(const rheo_experiment *x, const rh_mapping *m, int edge) {
    const rh_learn_def *const d = &x->learn;
    const double pump = m->pump * (d->edge_rate ? d->edge_rate[edge] : d->rate);
    return rh_edge_falls(x->circuit, edge) ? -pump : pump;
}

void rh_export_map(const rheo_experiment *x, rh_mapping *m) {
    const double top = rh_export_largest(x);
    rh_export_map_with(x, top * top / SQUARE_SWING, RH_STORE_FARAD, m);
}

rheo_status rh_export_edge_map(const rheo_experiment *x, const rh_mapping *m, int edge, rh_export_edge *out,
                               rheo_error *err) {
    const rheo_circuit *const c = x->circuit;
    const bool gate = c->edge_source[edge] >= 0;
    const double kg = gate ? 1 : c->g_max[edge] / SUPPLY;
    *out = (rh_export_edge){
        .kg = kg,
        .gm = rh_export_pump(x, m, edge) / kg,
        .w_min = c->g_min[edge] / kg,
        .w_max = gate ? c->g_max[edge] : SUPPLY,
        .w_now = c->g_init[edge] / kg,
    };
    if (gate || out->w_now >= W_LEAST) return RHEO_OK;
    const char *const name = c->elem_name[c->edge_elem[edge]];
    char shown[80];
    const rheo_status st =
        rh_fail(err, RHEO_E_RANGE, RH_CODE_SWING, rh_elem_loc(c, c->edge_elem[edge]),
                "%s starts at %g S, so far below its bound of %g S that nothing would be left of the stored voltage",
                rh_escape(name, strlen(name), shown, sizeof shown), c->g_init[edge], c->g_max[edge]);
    rh_hint(err, "give '*@ learn' a max= of 5 to 100 times the conductance at the start");
    return st;
}

/* ---- timetable ---- */

static rheo_status fill_slots(const rheo_experiment *x, rh_timetable *t, rheo_error *err) {
    const int n_train = x->task.n_train, n = t->n_scored, end = n + t->n_teeth;
    int *const order = rh_calloc((size_t)n_train, sizeof *order);
    t->sample = rh_calloc((size_t)t->n_slot, sizeof *t->sample);
    if (!order || !t->sample) {
        rh_free(order);
        return RH_NOMEM(err);
    }
    for (int i = 0; i < n; i++) t->sample[i] = t->sample[end + i] = x->task.train[i];
    for (int k = 0; k < t->n_teeth; k++) {
        if (k % n_train == 0) rh_experiment_order(x, k / n_train, order);
        t->sample[n + k] = order[k % n_train];
    }
    rh_free(order);
    return RHEO_OK;
}

rheo_status rh_export_times(const rheo_experiment *x, long teeth, rh_timetable *t, rheo_error *err) {
    const rh_learn_def *const d = &x->learn;
    const int n_train = x->task.n_train;
    const double n = teeth > 0 ? (double)teeth : (double)x->run.epochs * n_train;
    if (!(n <= RH_EXPORT_TEETH && n * (x->task.n_in + x->task.n_out) * 2 <= RH_EXPORT_POINTS)) {
        const rheo_status st = rh_fail(err, RHEO_E_LIMIT, RH_CODE_LONG, RH_NOWHERE,
                                       "%.0f teeth make a deck that no simulator ends in reasonable time", n);
        rh_hint(err, "say how many with --teeth");
        return st;
    }
    rh_timing when;
    rh_timing_build(d, &when);
    *t = (rh_timetable){
        .dwell = when.dwell,
        .move = when.move,
        .rise = when.rise,
        .flat = when.flat,
        .fall = when.fall,
        .shut = when.shut,
        .tooth = when.tooth,
        .period = when.period,
        .n_scored = rh_experiment_n_scored(x),
        .n_teeth = (int)n,
        .gate = when.gate,
    };
    t->n_slot = 2 * t->n_scored + t->n_teeth;
    return fill_slots(x, t, err);
}
