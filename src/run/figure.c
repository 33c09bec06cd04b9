/* figure.c: grids with random inputs and outputs, and the rules on them. */
#include "run/figure.h"

#include "run/grid_case.h"

#include <math.h>

enum { SIDE = 10, N_NODE = SIDE * SIDE };

/* Draw number `draw`: which nodes, and the targets. */
static rheo_status grid_case(rh_grid_case *k, uint64_t seed, int draw, int n_out, rheo_error *err) {
    int pick[N_NODE];
    for (int i = 0; i < N_NODE; i++) pick[i] = i;
    rh_shuffle(seed, (uint64_t)draw * 2 + 1000, N_NODE, pick);
    RHEO_TRY(rh_grid_case_build(k, SIDE, n_out, pick, err));
    for (int o = 0; o < n_out; o++) k->target[o] = rh_random_unit(seed, (uint64_t)draw * 2 + 1001, (uint64_t)o);
    return RHEO_OK;
}

static rheo_status open_learner(rh_learner **l, rh_grid_case *k, const rh_learn_def *def, rheo_error *err) {
    const rheo_solver_def solver = rheo_solver_default();
    return rh_learner_open(l, k->c, def, &solver, &k->ports, &k->samples, NULL, err);
}

static rheo_status train(rh_grid_case *k, const rh_learn_def *def, int steps, double *ratio, rh_allostery *gauge,
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
static rheo_status tuned(rh_grid_case *k, rh_learn_def *def, rheo_error *err) {
    static const int sample = 0;
    rh_learner *l = NULL;
    rh_tuning t;
    RHEO_TRY(open_learner(&l, k, def, err));
    const rheo_status st = rh_tune(l, &sample, 1, 1000, &t, err);
    rh_learner_close(l);
    if (st != RHEO_OK) return st;
    const double strength = def->strength, rate = def->rate;
    *def = t.def;
    def->strength = strength;
    def->rate = rate;
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
    rh_grid_case_free(&k);
    return st;
}

static rheo_status cosine_of(rh_grid_case *k, const rh_learn_def *def, double *cosine, rheo_error *err) {
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
    *out = (rh_alignment){ .n_out = n_out, .eqprop_min = 1, .coupled_min = 1 };
    rheo_status st = RHEO_OK;
    for (int d = 0; d < draws && st == RHEO_OK; d++) {
        rh_grid_case k;
        st = grid_case(&k, seed, d, n_out, err);
        if (st != RHEO_OK) break;
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
        rh_grid_case_free(&k);
    }
    return st;
}
