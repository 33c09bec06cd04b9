/* figure_lattice.c: trainings on the laboratory's lattice. */
#include "run/figure_lattice.h"

#include "rheo/netlist.h"
#include "run/lattice_case.h"

#include <math.h>

static const double ETA = 0.25, MARGIN = 20e-3, RAIL = 0.453, START = 1.5, START_SPREAD = 0.1, GATE_MIN = 0.75,
                    GATE_MAX = 5.03, TRANSCONDUCTANCE = 8.5e-4 /* A/V^2 */;

static rheo_status open_learner(rh_learner **l, const rh_lattice_case *k, const rh_learn_def *def, rheo_error *err) {
    const rheo_solver_def solver = rheo_solver_default();
    return rh_learner_open(l, k->c, def, &solver, &k->ports, &k->samples, NULL, err);
}

/* rate on V^2 and over eta: s has the half in it. The dead zone passes amplitudes from 5e-6 to 5e-3 V^2. */
static rh_learn_def settings(int rule, double rate) {
    rh_learn_def d;
    rh_learn_default(&d);
    d.rule = rule;
    d.nudge = RH_NUDGE_VOLTAGE;
    d.strength = ETA;
    d.rate = 2 * rate;
    d.fast = 1e-3;
    d.slow = 1;
    d.par[0] = 20e-6; /* tau */
    d.threshold = 5e-3;
    return d;
}

/* ---- XOR ---- */

static void xor_samples(rh_lattice_case *k, double rail) {
    static const double HIGH[4][2] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } };
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 2; j++) k->in[2 * i + j] = rail * HIGH[i][j];
        k->target[i] = HIGH[i][0] != HIGH[i][1] ? MARGIN : -MARGIN;
    }
    k->samples.n = 4;
}

static rheo_status count_right(rh_learner *l, const rh_lattice_case *k, rh_xor *out, rheo_error *err) {
    out->n_sign = out->n_margin = 0;
    for (int i = 0; i < 4; i++) {
        double v;
        RHEO_TRY(rh_learner_output(l, i, &v, err));
        out->n_sign += v * k->target[i] > 0;
        out->n_margin += v * k->target[i] >= MARGIN * MARGIN * (1 - 1e-6);
    }
    return RHEO_OK;
}

static rheo_status train_xor(rh_learner *l, const rh_lattice_case *k, int epochs, rh_xor *out, rheo_error *err) {
    enum { LOOK = 50 };
    for (out->epochs = 0; out->epochs < epochs && out->n_margin < 4;) {
        for (int i = 0; i < 4; i++) RHEO_TRY(rh_learner_step(l, &i, 1, err));
        out->epochs++;
        if (out->epochs % LOOK == 0 || out->epochs == epochs) RHEO_TRY(count_right(l, k, out, err));
    }
    return RHEO_OK;
}

rheo_status rh_figure_xor(const rh_xor_def *def, int draw, rh_xor *out, rheo_error *err) {
    const rh_lattice_def lattice = { def->transistors, def->rail, 2, START, START_SPREAD };
    rh_lattice_case k;
    rh_learner *l = NULL;
    *out = (rh_xor){ 0 };
    RHEO_TRY(rh_lattice_case_build(&k, &lattice, def->seed, draw, err));
    xor_samples(&k, def->rail);
    rh_learn_def d = settings(def->rule, def->rate * (def->transistors ? 1 : TRANSCONDUCTANCE));
    d.loss = RH_LOSS_SQUARED_HINGE;
    d.margin = MARGIN;
    rheo_status st = open_learner(&l, &k, &d, err);
    if (st == RHEO_OK) st = train_xor(l, &k, def->epochs, out, err);
    rh_learner_close(l);
    rh_lattice_case_free(&k);
    return st;
}

/* ---- modes of the error ---- */

enum { N_POINT = 8 };

/* Orthonormal polynomials on the points: Gram and Schmidt on 1, x, x^2. */
static void basis(double mode[RH_N_MODE][N_POINT]) {
    for (int m = 0; m < RH_N_MODE; m++) {
        double norm = 0;
        for (int i = 0; i < N_POINT; i++) mode[m][i] = pow((double)i / (N_POINT - 1), m);
        for (int p = 0; p < m; p++) {
            double dot = 0;
            for (int i = 0; i < N_POINT; i++) dot += mode[m][i] * mode[p][i];
            for (int i = 0; i < N_POINT; i++) mode[m][i] -= dot * mode[p][i];
        }
        for (int i = 0; i < N_POINT; i++) norm += mode[m][i] * mode[m][i];
        for (int i = 0; i < N_POINT; i++) mode[m][i] /= sqrt(norm);
    }
}

static rheo_status project(rh_learner *l, const rh_lattice_case *k, double mode[RH_N_MODE][N_POINT],
                           double part[RH_N_MODE], rheo_error *err) {
    for (int m = 0; m < RH_N_MODE; m++) part[m] = 0;
    for (int i = 0; i < N_POINT; i++) {
        double v;
        RHEO_TRY(rh_learner_output(l, i, &v, err));
        for (int m = 0; m < RH_N_MODE; m++) part[m] += mode[m][i] * (k->target[i] - v);
    }
    return RHEO_OK;
}

/* Each part as large as the others: what a curved target asks for, seen from where the network starts. */
static rheo_status set_targets(rh_learner *l, rh_lattice_case *k, double mode[RH_N_MODE][N_POINT], uint64_t seed,
                               int draw, rheo_error *err) {
    static const double SIZE = 20e-3; /* V, root of the sum over the points */
    double sign[RH_N_MODE];
    for (int m = 0; m < RH_N_MODE; m++)
        sign[m] = rh_random_unit(seed, 2 * (uint64_t)draw + 3000, (uint64_t)m) < 0.5 ? -1 : 1;
    for (int i = 0; i < N_POINT; i++) {
        double v;
        RHEO_TRY(rh_learner_output(l, i, &v, err));
        k->target[i] = v;
        for (int m = 0; m < RH_N_MODE; m++) k->target[i] += SIZE * sign[m] * mode[m][i];
    }
    return RHEO_OK;
}

static rheo_status follow_modes(rh_learner *l, rh_lattice_case *k, uint64_t seed, int draw, int epochs, rh_modes *out,
                                rheo_error *err) {
    static const int ALL[N_POINT] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    double mode[RH_N_MODE][N_POINT], first[RH_N_MODE], part[RH_N_MODE];
    rh_score before, after;
    basis(mode);
    RHEO_TRY(set_targets(l, k, mode, seed, draw, err));
    RHEO_TRY(project(l, k, mode, first, err));
    RHEO_TRY(rh_learner_evaluate(l, ALL, N_POINT, &before, err));
    for (int m = 0; m < RH_N_MODE; m++) out->epoch[m] = -1;
    for (int e = 1; e <= epochs; e++) {
        RHEO_TRY(rh_learner_step(l, ALL, N_POINT, err));
        RHEO_TRY(project(l, k, mode, part, err));
        for (int m = 0; m < RH_N_MODE; m++) {
            const bool small = fabs(part[m]) < 0.5 * fabs(first[m]);
            if (!small) out->epoch[m] = -1;
            if (small && out->epoch[m] < 0) out->epoch[m] = e;
        }
    }
    RHEO_TRY(rh_learner_evaluate(l, ALL, N_POINT, &after, err));
    out->loss = after.loss / before.loss;
    return RHEO_OK;
}

rheo_status rh_figure_modes(uint64_t seed, int draw, int epochs, rh_modes *out, rheo_error *err) {
    static const double RATE = 10;
    const rh_lattice_def lattice = { true, RAIL, 1, START, START_SPREAD };
    rh_lattice_case k;
    rh_learner *l = NULL;
    RHEO_TRY(rh_lattice_case_build(&k, &lattice, seed, draw, err));
    for (int i = 0; i < N_POINT; i++) k.in[i] = RAIL * i / (N_POINT - 1);
    k.samples.n = N_POINT;
    const rh_learn_def d = settings(RH_RULE_COUPLED, RATE);
    rheo_status st = open_learner(&l, &k, &d, err);
    if (st == RHEO_OK) st = follow_modes(l, &k, seed, draw, epochs, out, err);
    rh_learner_close(l);
    rh_lattice_case_free(&k);
    return st;
}

/* ---- the gradient as a gauge ---- */

const rh_lattice_row RH_LATTICE_ROWS[] = {
    { "resistors within 10 %", false, 0.453, 1.5, 0.1, 0.996 },
    { "resistors within a factor 3", false, 0.453, 1.5, 2, 0.976 },
    { "transistors, gates 3 +- 0.5 V, 0.453 V", true, 0.453, 3, 0.5, 0.993 },
    { "transistors, gates 1.5 +- 0.5 V, 0.453 V", true, 0.453, 1.5, 0.5, 0.899 },
    { "transistors, gates 2 +- 1 V, 1 V", true, 1, 2, 1, 0.770 },
};
const int RH_N_LATTICE_ROW = RH_COUNT(RH_LATTICE_ROWS);

static void draw_gates(rh_learner *l, const rh_lattice_case *k, const rh_lattice_row *row, uint64_t seed, int draw) {
    double *const g = rh_learner_g(l);
    for (int e = 0; e < k->c->n_edge; e++) {
        const double x = rh_random_normal(seed, 2 * (uint64_t)draw + 4001, (uint64_t)e);
        g[e] = fmin(fmax(row->mean + row->spread * x, GATE_MIN), GATE_MAX);
    }
    rh_learner_touch(l);
}

static rheo_status one_cosine(const rh_lattice_row *row, uint64_t seed, int draw, double *cosine, rheo_error *err) {
    static const int SAMPLE = 0;
    const rh_lattice_def lattice = { row->transistors, row->rail, 2, row->mean, row->transistors ? 0 : row->spread };
    rh_lattice_case k;
    rh_learner *l = NULL;
    RHEO_TRY(rh_lattice_case_build(&k, &lattice, seed, draw, err));
    for (int i = 0; i < 2; i++) k.in[i] = row->rail * rh_random_unit(seed, 2 * (uint64_t)draw + 4000, (uint64_t)i);
    k.target[0] = 0.1 * row->rail;
    k.samples.n = 1;
    rh_learn_def d = settings(RH_RULE_COUPLED, 1e-9);
    d.hold = RH_HOLD_NODES;
    d.strength = 1e-3;
    d.gauge = true;
    rheo_status st = open_learner(&l, &k, &d, err);
    if (st == RHEO_OK && row->transistors) draw_gates(l, &k, row, seed, draw);
    if (st == RHEO_OK) st = rh_learner_step(l, &SAMPLE, 1, err);
    if (st == RHEO_OK) {
        rh_gauge g;
        rh_learner_gauge(l, &g);
        *cosine = g.cos_gradient;
    }
    rh_learner_close(l);
    rh_lattice_case_free(&k);
    return st;
}

rheo_status rh_figure_lattice(const rh_lattice_row *row, uint64_t seed, int draws, double *mean, double *least,
                              rheo_error *err) {
    *mean = 0;
    *least = 1;
    for (int d = 0; d < draws; d++) {
        double cosine = 0;
        RHEO_TRY(one_cosine(row, seed, d, &cosine, err));
        *mean += cosine / draws;
        *least = fmin(*least, cosine);
    }
    return RHEO_OK;
}

/* ---- amplifiers ---- */

/* Two edges below the amplifier, two above. */
static rheo_status amplifier_circuit(double gain, rheo_circuit **c, rheo_error *err) {
    rh_buf b = { 0 };
    rh_buf_puts(&b, "two layers\n*@ rheo version=1\n*@ learn R*\nVin a 0 1\nR1 a h 1k\nR2 h 0 3k\nE1 x 0 h 0 ");
    rh_buf_number(&b, gain);
    rh_buf_puts(&b, "\nVs x y 0\nF1 h 0 Vs ");
    rh_buf_number(&b, 1 / gain);
    rh_buf_puts(&b, "\nR3 y o 2k\nR4 o 0 1k\n.end\n");
    const rheo_status st = b.bad ? RH_NOMEM(err) : rheo_netlist_parse(c, b.s, b.n, "amplifier", NULL, NULL, err);
    rh_buf_free(&b);
    return st;
}

/* What one update does to every edge. */
static rheo_status change(const rheo_circuit *c, int rule, double *change, rheo_error *err) {
    static const int SAMPLE = 0;
    static const double IN = 1, SIGN = 1, TARGET = 1;
    const int source = rheo_circuit_find_element(c, "Vin"), out[1][2] = { { rheo_circuit_find_node(c, "o"), 0 } };
    const rh_ports ports = { 1, &source, &SIGN, 1, out };
    const rh_samples samples = { .n = 1, .in = &IN, .target = &TARGET };
    const rheo_solver_def solver = rheo_solver_default();
    rh_learn_def d;
    rh_learner *l = NULL;
    rh_learn_default(&d);
    d.rule = rule;
    d.nudge = RH_NUDGE_CURRENT;
    d.strength = 1e-6;
    d.side = 1; /* centered */
    d.rate = 1e-7;
    RHEO_TRY(rh_learner_open(&l, c, &d, &solver, &ports, &samples, NULL, err));
    const rheo_status st = rh_learner_step(l, &SAMPLE, 1, err);
    for (int k = 0; k < c->n_edge; k++) change[k] = rh_learner_g(l)[k] - c->g_init[k];
    rh_learner_close(l);
    return st;
}

rheo_status rh_figure_amplifier(double gain, double *below, double *above, rheo_error *err) {
    rheo_circuit *c = NULL;
    double local[4], exact[4];
    RHEO_TRY(amplifier_circuit(gain, &c, err));
    rheo_status st = change(c, RH_RULE_EQPROP, local, err);
    if (st == RHEO_OK) st = change(c, RH_RULE_GRADIENT, exact, err);
    rheo_circuit_destroy(c);
    *below = local[0] / exact[0];
    *above = local[2] / exact[2];
    return st;
}
