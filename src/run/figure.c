/* figure.c: grids with random inputs and outputs, and the rules on them. */
#include "run/figure.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE = 10, N_NODE = SIDE * SIDE, MAX_OUT = 20 };

typedef struct rh_grid_case {
    rheo_circuit *c;
    int in_elem[2], out[MAX_OUT][2];
    double in_sign[2], in[2], target[MAX_OUT];
    rh_ports ports;
    rh_samples samples;
} rh_grid_case;

static int add_element(rh_builder *b, int kind, int serial, int p, int q, double value) {
    char name[16];
    int other;
    snprintf(name, sizeof(name), "%c%d", RH_KINDS[kind]->letter, serial);
    return rh_builder_element(b, kind, name, (int[]){ p, q, -1, -1 }, value, (rh_place){ 0 }, &other);
}

static bool add_edge(rh_builder *b, int serial, int p, int q) {
    const int e = add_element(b, RH_KIND_R, serial, p, q, 1);
    return e >= 0 && rh_builder_learn(b, e, 1e-6, 1e6, NAN) == RHEO_OK;
}

/* Open grid of 1 ohm resistors; pick[0] is held at 0 V, pick[1] at 1 V. */
static rheo_status build_grid(rh_grid_case *k, const int *pick, rheo_error *err) {
    rh_builder *b = rh_builder_create();
    if (!b) return RH_NOMEM(err);
    int node[N_NODE];
    bool ok = true;
    for (int i = 0; i < N_NODE; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d_%d", i / SIDE, i % SIDE);
        node[i] = rh_builder_node(b, name, strlen(name));
        ok = ok && node[i] > 0;
    }
    for (int i = 0, serial = 1; ok && i < N_NODE; i++) {
        if (i % SIDE + 1 < SIDE) ok = ok && add_edge(b, serial++, node[i], node[i + 1]);
        if (i / SIDE + 1 < SIDE) ok = ok && add_edge(b, serial++, node[i], node[i + SIDE]);
    }
    for (int i = 0; ok && i < 2; i++) {
        k->in_elem[i] = add_element(b, RH_KIND_V, i + 1, node[pick[i]], 0, i);
        ok = k->in_elem[i] >= 0;
    }
    for (int o = 0; ok && o < k->ports.n_out; o++) k->out[o][0] = node[pick[2 + o]];
    if (!ok) {
        rh_builder_destroy(b);
        return RH_NOMEM(err);
    }
    return rh_builder_finish(b, &k->c, err);
}

/* Draw number `draw`: which nodes, and the targets. */
static rheo_status grid_case(rh_grid_case *k, uint64_t seed, int draw, int n_out, rheo_error *err) {
    int pick[N_NODE];
    for (int i = 0; i < N_NODE; i++) pick[i] = i;
    rh_shuffle(seed, (uint64_t)draw * 2 + 1000, N_NODE, pick);
    *k = (rh_grid_case){ .in_sign = { 1, 1 }, .in = { 0, 1 } };
    for (int o = 0; o < n_out; o++) k->target[o] = rh_random_unit(seed, (uint64_t)draw * 2 + 1001, (uint64_t)o);
    k->ports = (rh_ports){ .n_in = 2, .in_elem = k->in_elem, .in_sign = k->in_sign, .n_out = n_out,
                           .out = (const int(*)[2])k->out };
    k->samples = (rh_samples){ .n = 1, .in = k->in, .target = k->target };
    return build_grid(k, pick, err);
}

static rheo_status open_learner(rh_learner **l, const rh_grid_case *k, const rh_learn_def *def, rheo_error *err) {
    const rheo_solver_def solver = rheo_solver_default();
    return rh_learner_open(l, k->c, def, &solver, &k->ports, &k->samples, NULL, err);
}

static rheo_status train(const rh_grid_case *k, const rh_learn_def *def, int steps, double *ratio, rh_allostery *gauge,
                         rheo_error *err) {
    static const int sample = 0;
    rh_learner *l = NULL;
    rh_score first = { 0 }, last = { 0 };
    rh_gauge g;
    RHEO_TRY(open_learner(&l, k, def, err));
    rheo_status st = rh_learner_evaluate(l, &sample, 1, &first, err);
    double inside = 0;
    for (int i = 0; i < steps && st == RHEO_OK; i++) {
        rh_learner_gauge_reset(l);
        st = rh_learner_step(l, &sample, 1, err);
        if (!gauge || st != RHEO_OK) continue;
        rh_learner_gauge(l, &g);
        inside += g.inside / steps;
        if (i >= steps / 10) continue;
        gauge->cosine += g.cos_contrastive / (steps / 10);
        gauge->cosine_min = fmin(gauge->cosine_min, g.cos_contrastive);
    }
    if (gauge) gauge->inside = inside;
    if (st == RHEO_OK) st = rh_learner_evaluate(l, &sample, 1, &last, err);
    rh_learner_close(l);
    *ratio = last.loss / first.loss;
    return st;
}

/* Threshold, slow and tau as `rheo tune` proposes them, once; strength and rate stay those of the comparison. */
static rheo_status tuned(const rh_grid_case *k, rh_learn_def *def, rheo_error *err) {
    static const int sample = 0;
    rh_learner *l = NULL;
    rh_tuning t;
    RHEO_TRY(open_learner(&l, k, def, err));
    const rheo_status st = rh_tune(l, &sample, 1, 1000, &t, err);
    rh_learner_close(l);
    if (st != RHEO_OK) return st;
    const double strength = def->strength;
    *def = t.def;
    def->strength = strength;
    return RHEO_OK;
}

rheo_status rh_figure_allostery(uint64_t seed, int draw, int steps, rh_allostery *out, rheo_error *err) {
    rh_grid_case k;
    RHEO_TRY(grid_case(&k, seed, draw, 3, err));
    rh_learn_def def;
    rh_learn_default(&def);
    def.rate = 0.2; /* s = V^2/2: the published 0.1 on V^2 */
    def.strength = 0.1;
    def.nudge = RH_NUDGE_VOLTAGE;
    *out = (rh_allostery){ .cosine_min = 1 };
    def.rule = RH_RULE_COUPLED;
    rheo_status st = train(&k, &def, steps, &out->coupled, NULL, err);
    def.rule = RH_RULE_CONTRASTIVE;
    if (st == RHEO_OK) st = train(&k, &def, steps, &out->contrastive, NULL, err);
    def.rule = RH_RULE_TCL;
    if (st == RHEO_OK) st = tuned(&k, &def, err);
    def.gauge = true;
    if (st == RHEO_OK) st = train(&k, &def, steps, &out->tcl, out, err);
    def.gauge = false;
    def.rule = RH_RULE_GRADIENT;
    if (st == RHEO_OK) st = train(&k, &def, 10 * steps, &out->floor, NULL, err);
    rheo_circuit_destroy(k.c);
    return st;
}

static rheo_status cosine_of(const rh_grid_case *k, const rh_learn_def *def, double *cosine, rheo_error *err) {
    static const int sample = 0;
    rh_learner *l = NULL;
    rh_gauge g;
    RHEO_TRY(open_learner(&l, k, def, err));
    const rheo_status st = rh_learner_step(l, &sample, 1, err);
    rh_learner_gauge(l, &g);
    rh_learner_close(l);
    *cosine = g.cos_gradient;
    return st;
}

rheo_status rh_figure_alignment(uint64_t seed, int n_out, int draws, rh_alignment *out, rheo_error *err) {
    if (n_out < 1 || n_out > MAX_OUT)
        return rh_fail(err, RHEO_E_RANGE, 124, RH_NOWHERE, "%d outputs: this figure has 1 to %d", n_out, MAX_OUT);
    *out = (rh_alignment){ .n_out = n_out, .eqprop_min = 1, .coupled_min = 1 };
    rheo_status st = RHEO_OK;
    for (int d = 0; d < draws && st == RHEO_OK; d++) {
        rh_grid_case k;
        RHEO_TRY(grid_case(&k, seed, d, n_out, err));
        double eqprop = 0, coupled = 0;
        rh_learn_def def;
        rh_learn_default(&def);
        def.gauge = true;
        def.rule = RH_RULE_EQPROP;
        def.nudge = RH_NUDGE_CURRENT;
        def.strength = 1e-3;
        def.side = 1;
        st = cosine_of(&k, &def, &eqprop, err);
        def.rule = RH_RULE_COUPLED;
        def.nudge = RH_NUDGE_VOLTAGE;
        if (st == RHEO_OK) st = cosine_of(&k, &def, &coupled, err);
        out->eqprop += eqprop / draws;
        out->coupled += coupled / draws;
        out->eqprop_min = fmin(out->eqprop_min, eqprop);
        out->coupled_min = fmin(out->coupled_min, coupled);
        rheo_circuit_destroy(k.c);
    }
    return st;
}
