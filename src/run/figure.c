/* figure.c: grids with random inputs and outputs, and the rules on them. */
#include "run/figure.h"

#include "run/grid_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 10, N_NODE = SIDE * SIDE };

/* ---- where inputs and outputs are ---- */

static bool on_rim(int node) {
    const int row = node / SIDE, column = node % SIDE;
    return row == 0 || column == 0 || row == SIDE - 1 || column == SIDE - 1;
}

static bool everywhere(int node, int first) {
    (void)node;
    (void)first;
    return true;
}

static bool inside(int node, int first) {
    (void)first;
    return !on_rim(node);
}

static bool rim(int node, int first) {
    (void)first;
    return on_rim(node);
}

static bool is_first(int node, int first) { return node == first; }

/* Edges from the first input to node, along the grid. */
static bool apart(int node, int first) {
    return first < 0 || abs(node / SIDE - first / SIDE) + abs(node % SIDE - first % SIDE) >= SIDE / 2;
}

const rh_placement RH_PLACEMENTS[] = {
    { "anywhere", "all five or more at random", everywhere, everywhere, false },
    { "inside", "at random, none on the rim of the grid", inside, inside, false },
    { "rim", "outputs on the rim, inputs at least five edges apart", apart, rim, false },
    { "grounded", "at random, and a corner of the grid is ground", everywhere, everywhere, true },
};
_Static_assert(RH_COUNT(RH_PLACEMENTS) == RH_N_PLACEMENT, "one row for each");

/* The first in the shuffled order that may be what is asked for. */
static int take(int *order, bool (*may)(int, int), int first) {
    for (int i = 0; i < N_NODE; i++) {
        const int node = order[i];
        if (node < 0 || !may(node, first)) continue;
        order[i] = -1;
        return node;
    }
    return -1;
}

/* Draw number `draw`: which nodes, and the targets. */
static rheo_status grid_case(rh_grid_case *k, const rh_figure_def *def, int draw, int n_out, rheo_error *err) {
    const rh_placement *const at = &RH_PLACEMENTS[def->ports];
    int order[N_NODE], pick[2 + RH_GRID_MAX_OUT];
    for (int i = 0; i < N_NODE; i++) order[i] = i;
    rh_shuffle(def->seed, (uint64_t)draw * 2 + 1000, N_NODE, order);
    if (at->grounded) take(order, is_first, 0);
    for (int i = 0; i < 2; i++) pick[i] = take(order, at->input, i ? pick[0] : -1);
    for (int o = 0; o < n_out; o++) pick[2 + o] = take(order, at->output, pick[0]);
    const int ground = at->grounded ? 0 : -1;
    RHEO_TRY(rh_grid_case_build(k, SIDE, n_out, pick, ground, err));
    for (int o = 0; o < n_out; o++) k->target[o] = rh_random_unit(def->seed, (uint64_t)draw * 2 + 1001, (uint64_t)o);
    return RHEO_OK;
}

/* ---- allostery ---- */

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

/* Coupled learning as published: 0.1 on the squares of drops, clamp a tenth of the way. */
static rh_learn_def published(void) {
    rh_learn_def def;
    rh_learn_default(&def);
    def.rule = RH_RULE_COUPLED;
    def.nudge = RH_NUDGE_VOLTAGE;
    def.strength = 0.1;
    def.rate = 0.2; /* s = V^2/2 */
    return def;
}

rheo_status rh_figure_allostery(const rh_figure_def *fig, int draw, rh_allostery *out, rheo_error *err) {
    const int steps = fig->steps;
    rh_grid_case k;
    RHEO_TRY(grid_case(&k, fig, draw, 3, err));
    rh_learn_def def = published();
    *out = (rh_allostery){ .cosine_min = 1 };
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

rheo_status rh_figure_published(int steps, double *loss, rheo_error *err) {
    static const int sample = 0, pick[] = { 37, 66, 19, 14, 43 };
    static const double target[] = { 0.7738302962105958, 0.039959208689977266, 0.42949217843163834 };
    const rh_learn_def def = published();
    rh_grid_case k;
    rh_learner *l = NULL;
    rh_score score;
    RHEO_TRY(rh_grid_case_build(&k, SIDE, 3, pick, -1, err));
    memcpy(k.target, target, sizeof(target));
    rheo_status st = open_learner(&l, &k, &def, err);
    for (int i = 0; i <= steps && st == RHEO_OK; i++) {
        st = rh_learner_evaluate(l, &sample, 1, &score, err);
        loss[i] = score.loss;
        if (st == RHEO_OK && i < steps) st = rh_learner_step(l, &sample, 1, err);
    }
    rh_learner_close(l);
    rh_grid_case_free(&k);
    return st;
}

/* ---- gauge ---- */

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

static rheo_status cosines_of(rh_grid_case *k, double *eqprop, double *coupled, rheo_error *err) {
    rh_learn_def def;
    rh_learn_default(&def);
    def.gauge = true;
    def.strength = 1e-3;
    def.side = 1;
    def.rule = RH_RULE_EQPROP;
    def.nudge = RH_NUDGE_CURRENT;
    RHEO_TRY(cosine_of(k, &def, eqprop, err));
    def.rule = RH_RULE_COUPLED;
    def.nudge = RH_NUDGE_VOLTAGE;
    return cosine_of(k, &def, coupled, err);
}

rheo_status rh_figure_alignment(const rh_figure_def *fig, int n_out, int draws, rh_alignment *out, rheo_error *err) {
    *out = (rh_alignment){ .n_out = n_out, .eqprop_min = 1, .coupled_min = 1 };
    double square = 0;
    for (int d = 0; d < draws; d++) {
        rh_grid_case k;
        double eqprop = 0, coupled = 0;
        RHEO_TRY(grid_case(&k, fig, d, n_out, err));
        const rheo_status st = cosines_of(&k, &eqprop, &coupled, err);
        rh_grid_case_free(&k);
        if (st != RHEO_OK) return st;
        out->eqprop += eqprop / draws;
        out->coupled += coupled / draws;
        out->eqprop_min = fmin(out->eqprop_min, eqprop);
        out->coupled_min = fmin(out->coupled_min, coupled);
        square += coupled * coupled / draws;
    }
    out->coupled_scatter = sqrt(fmax(0, square - out->coupled * out->coupled));
    return RHEO_OK;
}
