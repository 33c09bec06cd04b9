/* figure_newton.c: operating points of random networks, cold and along the clamp. */
#include "run/figure_newton.h"

#include "circuit/gen.h"
#include "learn/internal.h"

#include <math.h>

/* ---- networks ---- */

static const rh_gen_kind *generator(const char *name) {
    int k = 0;
    while (k + 1 < RH_N_GEN && !rh_streq(RH_GENS[k]->name, name)) k++;
    return RH_GENS[k];
}

static void set(const rh_gen_kind *kind, double *par, const char *name, double x) {
    for (int i = 0; i < kind->n_field; i++)
        if (rh_streq(kind->fields[i].name, name)) par[i] = x;
}

static rheo_status make(const rh_gen_kind *kind, const double *par, uint64_t seed, rheo_circuit **c, rheo_error *err) {
    rh_builder *const b = rh_builder_create();
    if (!b) return RH_NOMEM(err);
    const rheo_status st = kind->build(par, seed, b, err);
    if (st == RHEO_OK) return rh_builder_finish(b, c, err);
    rh_builder_destroy(b);
    return st;
}

/* The machine that was built: 16 nodes, 32 transistors, gates anywhere in their range. */
static rheo_status lattice(uint64_t seed, int draw, bool smooth, rheo_circuit **c, rheo_error *err) {
    const rh_gen_kind *const kind = generator("torus");
    double par[64];
    rh_gen_default(kind, par);
    set(kind, par, "nx", 4);
    set(kind, par, "ny", 4);
    set(kind, par, "edge", smooth ? RH_EDGE_NMOS : RH_EDGE_LEVEL1);
    set(kind, par, "gate", 2.89);
    set(kind, par, "gate-spread", 2.14);
    return make(kind, par, rh_random_u64(seed, 3000, (uint64_t)draw), c, err);
}

static rheo_status smooth_lattice(uint64_t seed, int draw, int draws, rheo_circuit **c, rheo_error *err) {
    (void)draws;
    return lattice(seed, draw, true, c, err);
}

static rheo_status level1_lattice(uint64_t seed, int draw, int draws, rheo_circuit **c, rheo_error *err) {
    (void)draws;
    return lattice(seed, draw, false, c, err);
}

/* 10 to 2000 nodes in geometric steps, a diode per node, sources of up to 5 V. */
static rheo_status diodes(uint64_t seed, int draw, int draws, rheo_circuit **c, rheo_error *err) {
    const rh_gen_kind *const kind = generator("mixed");
    double par[64];
    rh_gen_default(kind, par);
    set(kind, par, "n", round(10 * pow(200, draws > 1 ? (double)draw / (draws - 1) : 0)));
    set(kind, par, "diodes", 1);
    set(kind, par, "volt", 5);
    set(kind, par, "vcvs", 0);
    set(kind, par, "vccs", 0);
    return make(kind, par, rh_random_u64(seed, 3001, (uint64_t)draw), c, err);
}

const rh_newton_row RH_NEWTON_ROWS[] = {
    { "4x4 lattices of smooth transistors", 300, smooth_lattice, 1 },
    { "4x4 lattices of level-1 transistors", 300, level1_lattice, 1 },
    { "networks of diodes and resistors, 10 to 2000 nodes", 1000, diodes, 3 },
};
const int RH_N_NEWTON_ROW = RH_COUNT(RH_NEWTON_ROWS);

/* ---- one network ---- */

/* A random node that no source holds. */
static int choose(const rheo_circuit *c, uint64_t seed, int draw) {
    rheo_solver *s = NULL;
    const rheo_solver_def def = rheo_solver_default();
    int node = 0;
    if (rheo_solver_open(&s, c, &def, NULL, NULL) != RHEO_OK) return 0;
    for (uint64_t i = 0; node == 0 && i < 1000; i++) {
        const int k = 1 + (int)(rh_random_unit(seed, 3002 + (uint64_t)draw, i) * (c->n_node - 1));
        if (rh_solver_unknown(s, k) >= 0) node = k;
    }
    rheo_solver_close(s);
    return node;
}

static rheo_status ramp(const rheo_circuit *c, int node, double target, int nudge, rh_newton_count *sum,
                        rheo_error *err) {
    static const int SAMPLE = 0;
    const int out[1][2] = { { node, 0 } };
    const rh_ports ports = { .n_out = 1, .out = out };
    const rh_samples samples = { .n = 1, .in = &target, .target = &target };
    const rheo_solver_def solver = rheo_solver_default();
    rh_learn_def def;
    rh_learner *l = NULL;
    rh_learn_default(&def);
    def.nudge = nudge;
    def.strength = nudge == RH_NUDGE_VOLTAGE ? 1 : 1e-3;
    RHEO_TRY(rh_learner_open(&l, c, &def, &solver, &ports, &samples, NULL, err));
    const rheo_status st = rh_learner_step(l, &SAMPLE, 1, err);
    if (st == RHEO_OK) rh_newton_add(sum, l->all);
    rh_learner_close(l);
    return st;
}

static rheo_status both_ramps(const rheo_circuit *c, const rh_newton_row *row, uint64_t seed, int draw,
                              rh_newton_count *sum, rheo_error *err) {
    const int node = choose(c, seed, draw);
    const double target = row->target * (2 * rh_random_unit(seed, 3002 + (uint64_t)draw, 1000) - 1);
    if (node == 0) return RHEO_E_SINGULAR;
    RHEO_TRY(ramp(c, node, target, RH_NUDGE_VOLTAGE, sum, err));
    return ramp(c, node, target, RH_NUDGE_CONDUCTANCE, sum, err);
}

rheo_status rh_figure_newton(const rh_newton_row *row, uint64_t seed, int draws, rh_newton_figure *out,
                             rheo_error *err) {
    rh_newton_count *const sum = rh_calloc(1, sizeof *sum);
    rheo_status st = sum ? RHEO_OK : RH_NOMEM(err);
    *out = (rh_newton_figure){ .n = draws };
    for (int d = 0; d < draws && st == RHEO_OK; d++) {
        rheo_circuit *c = NULL;
        rheo_error e = { 0 };
        st = row->build(seed, d, draws, &c, err);
        const rheo_status one = st == RHEO_OK ? both_ramps(c, row, seed, d, sum, &e) : RHEO_OK;
        rheo_circuit_destroy(c);
        out->n_failed += one != RHEO_OK;
        if (one != RHEO_E_NOMEM) continue;
        if (err) *err = e;
        st = one;
    }
    if (st == RHEO_OK) {
        out->cold = rh_newton_summary(sum->n[RHEO_NEWTON_COLD]);
        out->clamped = rh_newton_summary(sum->n[RHEO_NEWTON_CLAMPED]);
    }
    rh_free(sum);
    return st;
}
