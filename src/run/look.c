/* look.c: settings that are fine to read and cannot work, told before anything is learned and by `rheo check`. */
#include "run/look.h"

#include <math.h>

enum { SAMPLES = 32 };
static const double SHORT = 0.01; /* of the update of two phases: what is left when both ramps write alike */

bool rh_look_rate(const rheo_experiment *x, const rheo_log *log) {
    const rheo_circuit *const c = x->circuit;
    int n_rate = 0, n_room = 0, n_both = 0;
    for (int k = 0; k < c->n_edge; k++) {
        const bool rate = (x->edge_rate ? x->edge_rate[k] : x->learn.rate) > 0, room = c->g_max[k] > c->g_min[k];
        n_rate += rate;
        n_room += room;
        n_both += rate && room;
    }
    if (n_both > 0) return true;
    rh_warn(log, 195, RH_NOWHERE, "no edge can move: %s",
            n_rate == 0   ? "the rate is 0 (learning.rate)"
            : n_room == 0 ? "min= and max= of each are the same (*@ learn)"
                          : "where the rate is not 0, min= and max= are the same");
    return false;
}

static bool has_sawtooth(const rheo_experiment *x) {
    return x->learn.rule == RH_RULE_TCL && rh_streq(RH_PROTOCOLS[x->learn.protocol]->name, "sawtooth");
}

static bool has_dead_zone(const rheo_experiment *x) {
    return x->learn.rule == RH_RULE_TCL && x->learn.nonlinearity == RH_DEAD_ZONE;
}

/* A second is a second, a microsecond 1 us. */
static const char *seconds(double t, char text[32]) { return rh_number_human(t, "s", text, 32); }

void rh_look_times(const rheo_experiment *x, const rheo_log *log) {
    const rh_learn_def *const d = &x->learn;
    const rh_kernel *const k = RH_KERNELS[d->kernel];
    char a[32], b[32];
    if (!has_sawtooth(x)) return;
    if (d->slow < d->fast)
        rh_warn(log, 196, RH_NOWHERE,
                "protocol.slow (%s) is shorter than protocol.fast (%s): no threshold lets the memory sleep through the "
                "fall, so it learns only where the gate cuts that off",
                seconds(d->slow, a), seconds(d->fast, b));
    for (int i = 0; i < k->n_field; i++)
        if (rh_streq(k->fields[i].name, "tau") && d->par[i] > d->slow)
            rh_warn(
                log, 196, RH_NOWHERE,
                "memory.tau (%s) is longer than protocol.slow (%s): the memory still holds the rise when the fall ends",
                seconds(d->par[i], a), seconds(d->slow, b));
}

/* ---- the dead zone ---- */

static void tell(const rh_look *k, int n_edge, const rheo_log *log) {
    static const double LEAST = 0.25; /* of the update: what is out at the other end may be as it should be */
    char where[160] = "", value[32], advice[80] = "";
    const bool above = k->above >= LEAST, below = k->below >= LEAST;
    if (above)
        snprintf(where, sizeof where, "%d of %d edges lie above threshold*slow, with %.0f %% of it; ", k->n_above,
                 n_edge, 100 * k->above);
    const size_t n = strlen(where);
    if (below)
        snprintf(where + n, sizeof where - n, "%d of %d edges lie below threshold*fast, with %.0f %% of it; ",
                 k->n_below, n_edge, 100 * k->below);
    if (isnan(k->threshold))
        snprintf(where, sizeof where, "its two ramps are too much alike for any threshold (protocol.slow, fast); ");
    else if (above != below)
        snprintf(advice, sizeof advice, "memory.threshold: %s passes them, ", rh_number_text(k->threshold, value));
    rh_warn(log, 314, RH_NOWHERE,
            "what tcl writes is not the update of two phases (cosine %.2f, length %.2g): %s%s`rheo tune` proposes all "
            "values",
            k->cosine, k->length, where, advice);
}

/* g NULL: at the start. */
static rheo_status look(const rheo_experiment *x, const double *g, rh_look *out, rheo_error *err) {
    rh_learn_def def = x->learn;
    def.between = RH_BETWEEN_GATE; /* the dead zone alone */
    def.gauge = false;
    def.threads = 1;
    const rh_ports ports = rh_experiment_ports(x);
    const rh_samples samples = rh_experiment_samples(x);
    const rheo_solver_def solver = rheo_solver_default();
    rh_learner *l = NULL;
    RHEO_TRY(rh_learner_open(&l, x->circuit, &def, &solver, &ports, &samples, NULL, err));
    if (g) {
        memcpy(rh_learner_g(l), g, sizeof *g * (size_t)x->circuit->n_edge);
        rh_learner_touch(l);
    }
    const int n = x->task.n_train < SAMPLES ? x->task.n_train : SAMPLES;
    const rheo_status st = rh_learner_look(l, x->task.train, n, out, err);
    rh_learner_close(l);
    return st;
}

/* What is wrong with the circuit or its samples, the training says itself. */
rheo_status rh_look_dead_zone(const rheo_experiment *x, const double *g, bool *told, const rheo_log *log,
                              rheo_error *err) {
    rh_look k;
    rheo_error why = { 0 };
    *told = false;
    if (!has_dead_zone(x) || x->circuit->n_edge == 0) return RHEO_OK;
    const rheo_status st = look(x, g, &k, &why);
    if (st == RHEO_E_NOMEM) return RH_NOMEM(err);
    if (st != RHEO_OK) return RHEO_OK;
    const bool poor = k.cosine < RH_LOOK_COSINE || k.length < SHORT; /* NaN: nothing is to be learned */
    if (!poor) return RHEO_OK;
    tell(&k, x->circuit->n_edge, log);
    *told = true;
    return RHEO_OK;
}

/* ---- `rheo check` ---- */

/* The learner tells by itself what its first update comes to. */
static rheo_status first_update(const rheo_experiment *x, const rheo_log *log, rheo_error *err) {
    const rh_ports ports = rh_experiment_ports(x);
    const rh_samples samples = rh_experiment_samples(x);
    rheo_solver_def solver = rheo_solver_default();
    rh_learn_def def = x->learn;
    def.threads = 1;
    rh_learner *l = NULL;
    RHEO_TRY(rh_learner_open(&l, x->circuit, &def, &solver, &ports, &samples, log, err));
    const int batch = x->run.batch > 0 && x->run.batch < x->task.n_train ? x->run.batch : x->task.n_train;
    const rheo_status st = rh_learner_step(l, x->task.train, batch < SAMPLES ? batch : SAMPLES, err);
    rh_learner_close(l);
    return st;
}

rheo_status rh_look_all(const rheo_experiment *x, const rheo_log *log, rheo_error *err) {
    bool told;
    const bool moves = rh_look_rate(x, log);
    rh_look_times(x, log);
    RHEO_TRY(rh_look_dead_zone(x, NULL, &told, log, err));
    return moves ? first_update(x, log, err) : RHEO_OK;
}

/* ---- what came of it ---- */

/* All potentials of a network of resistors lie between those of its sources and ground. */
static bool is_passive(const rheo_experiment *x) {
    const rheo_circuit *const c = x->circuit;
    for (int e = 0; e < c->n_elem; e++) {
        const int k = c->kind[e];
        if (k == RH_KIND_C) continue;
        if (k == RH_KIND_V && (c->term[e][0] == 0 || c->term[e][1] == 0)) continue;
        if (k != RH_KIND_R || (c->elem_edge[e] < 0 && c->value[e] < 0)) return false;
    }
    return true;
}

static int input_of(const rheo_experiment *x, const rh_ports *p, int e) {
    for (int i = 0; i < p->n_in; i++)
        if (x->in_elem[i] == e) return i;
    return -1;
}

/* Potentials that sample i allows. */
static void span_of(const rheo_experiment *x, const rh_ports *p, const double *in, double span[2]) {
    const rheo_circuit *const c = x->circuit;
    span[0] = span[1] = 0;
    for (int e = 0; e < c->n_elem; e++) {
        if (c->kind[e] != RH_KIND_V) continue;
        const int i = input_of(x, p, e);
        const double value = i >= 0 ? p->in_sign[i] * in[i] : c->value[e], v = c->term[e][1] == 0 ? value : -value;
        span[0] = fmin(span[0], v);
        span[1] = fmax(span[1], v);
    }
}

bool rh_look_reach(const rheo_experiment *x, char *text, size_t size) {
    const rh_ports p = rh_experiment_ports(x);
    const rh_samples s = rh_experiment_samples(x);
    if (!s.in || s.label || x->learn.loss != RH_LOSS_SQUARED || !is_passive(x)) return false;
    for (int t = 0; t < x->task.n_train; t++) {
        const int i = x->task.train[t];
        double span[2];
        span_of(x, &p, s.in + (size_t)i * (size_t)p.n_in, span);
        for (int o = 0; o < p.n_out; o++) {
            const double want = s.target[(size_t)i * (size_t)p.n_out + (size_t)o], width = span[1] - span[0];
            const bool pair = p.out[o][1] != 0;
            const double lo = pair ? -width : span[0], hi = pair ? width : span[1];
            if (want >= lo && want <= hi) continue;
            const char *const unit = x->domain ? "Pa" : "V";
            char a[32], b[32], w[32];
            snprintf(text, size,
                     "output '%.60s' is wanted at %s, and resistors give only what lies between their sources and "
                     "ground, here %s to %s",
                     x->task.out_name[o], rh_number_human(want, unit, w, sizeof w),
                     rh_number_human(lo, unit, a, sizeof a), rh_number_human(hi, unit, b, sizeof b));
            return true;
        }
    }
    return false;
}
