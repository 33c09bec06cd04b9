/* test_gradcheck.c: the adjoint gradient against finite differences, on circuits of every sort, by every state. */
#include "check.h"
#include "circuit/circuit.h"
#include "launch.h"
#include "run/gradcheck.h"

#include <math.h>

static const char LINEAR[] =
    "resistors\n*@ rheo version=1\n*@ learn R* min=1u max=10m\nVa a 0 1\nVb b 0 0.3\nR1 a c 1k\n"
    "R2 b c 2k\nR3 c d 3k\nR4 a d 4k\nR5 d 0 5k\nR6 d e 900k\nR7 e 0 800k\n";
static const char DIODE[] =
    "resistors and diodes\n*@ rheo version=1\n*@ learn R* min=1u max=10m\nVa a 0 1\nVb b 0 0.3\n"
    "R1 a c 1k\nR2 b c 2k\nR3 c d 3k\nR4 a d 4k\nR5 d 0 5k\nR6 d e 1k\nR7 e 0 800\nD1 e 0 dd\nD2 c e dd\n"
    ".model dd d(is=1e-9 n=1.2)\n";
#define GATES                                                                                                        \
    "Vg1 g1 0 1.5\nVg2 g2 0 2.2\nVg3 0 g3 -3\nVg4 g4 0 1.1\nVg5 g5 0 2\n*@ learn M* min=-4 max=5\nVa a 0 1\nVb b 0 " \
    "0.3\n"
#define CHANNELS "M1 a g1 c 0 nm\nM2 b g2 c 0 nm\nM3 c g3 d 0 nm\nM4 a g4 d 0 nm\nM5 d g5 e 0 nm\nR7 e 0 800\n"
static const char LEVEL1[] =
    "transistors\n*@ rheo version=1\n" GATES CHANNELS ".model nm nmos(vto=0.5 kp=1m gamma=0.3 lambda=0.02)\n";
static const char SMOOTH[] =
    "transistors\n*@ rheo version=1\n" GATES CHANNELS ".model nm nmos(vto=0.5 kp=1m)\n*@ model nm smooth\n";
/* Not reciprocal: the transpose matters. */
static const char AMPLIFIER[] =
    "resistors and amplifiers\n*@ rheo version=1\n*@ learn R* min=1u max=10m\nVa a 0 1\nVb b 0 0.3\n"
    "R1 a c 1k\nR2 b c 2k\nR3 c 0 3k\nE1 f 0 c 0 4\nR4 f d 4k\nR5 d 0 5k\nG1 e 0 d c 0.2m\nR6 d e 1k\n"
    "R7 e 0 800\n";
static const char BOTH[] =
    "amplifiers, diodes and transistors\n*@ rheo version=1\n*@ learn R* min=1u max=10m\n" GATES CHANNELS
    "R1 c 0 1k\nE1 f 0 c 0 -3\nR2 f d 4k\nD1 e 0 dd\n.model dd d(is=1e-9)\n"
    ".model nm nmos(vto=0.53 kp=1m)\n"; /* not at the edge of saturation, where slopes bend */

static rheo_experiment *experiment(const char *netlist, const char *const *set, int n_set) {
    char *const folder = scratch_create(), path[300];
    scratch_write(folder, "n.cir", netlist);
    scratch_write(
        folder, "x.yaml",
        "version: 1\nnetlist: n.cir\ntask: {kind: table, inputs: [a, b], outputs: [d, c-e], rows: [{in: [1, 0.3], "
        "out: [0.1, 0.2]}, {in: [0.2, 0.9], out: [0.4, -0.1]}, {in: [0.7, 0.6], out: [0, 0.3]}]}\n"
        "learning: {rule: eqprop, side: centered, nudge: {kind: current, strength: 1u}}\n");
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    rheo_experiment *x = NULL;
    rheo_error err = { 0 };
    if (rheo_experiment_read(&x, path, set, n_set, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    scratch_remove(folder);
    return x;
}

static rh_gradcheck_def all(double tolerance) {
    return (rh_gradcheck_def){ .n_edge = 1000, .n_sample = 10, .seed = 1, .tolerance = tolerance, .rule = INFINITY };
}

static const struct {
    const char *what, *netlist;
    bool reciprocal; /* equilibrium propagation is the gradient */
} CASES[] = {
    { "linear", LINEAR, true },  { "diode", DIODE, true },          { "level 1", LEVEL1, false },
    { "smooth", SMOOTH, false }, { "amplifier", AMPLIFIER, false }, { "all", BOTH, false },
};

static void adjoint_is_the_slope_everywhere(void **state) {
    (void)state;
    static const char *const SETS[][2] = { { "learning.loss=squared", "learning.state=conductance" },
                                           { "learning.loss=hinge", "learning.state=exponential" },
                                           { "learning.loss=squared-hinge", "learning.state=wiper" } };
    for (int c = 0; c < RH_COUNT(CASES); c++)
        for (int i = 0; i < RH_COUNT(SETS); i++) {
            rheo_experiment *x = experiment(CASES[c].netlist, SETS[i], 2);
            const rh_gradcheck_def def = all(1e-7);
            rh_gradcheck g;
            rheo_error err = { 0 };
            if (rh_gradcheck_run(x, &def, &g, NULL, &err) != RHEO_OK) fail_msg("%s: %s", CASES[c].what, err.msg);
            assert_int_equal(g.n, x->circuit->n_edge);
            assert_int_equal(g.n_sample, 3);
            double size = 0;
            for (int k = 0; k < g.n; k++) size = fmax(size, fabs(g.row[k].difference));
            assert_true(size > 0 && g.worst >= 0);
            if (CASES[c].reciprocal && i == 0) { /* strengths are small; hinges have bends */
                CHECK_NEAR(g.off, 0, 1e-4);
                CHECK_NEAR(g.cosine, 1, 1e-8);
            }
            if (!CASES[c].reciprocal) assert_true(g.off > 0.01);
            rh_gradcheck_free(&g);
            rheo_experiment_destroy(x);
        }
}

/* The gradient of the transposed circuit alone would not do: what the rule takes for it is refused. */
static void a_wrong_gradient_is_refused(void **state) {
    (void)state;
    rheo_experiment *x = experiment(AMPLIFIER, NULL, 0);
    rh_gradcheck_def def = all(1e-7);
    rh_gradcheck g;
    rheo_error err = { 0 };
    def.rule = 0.01;
    assert_int_equal(rh_gradcheck_run(x, &def, &g, NULL, &err), RHEO_E_GOAL);
    assert_int_equal(err.code, 326);
    assert_non_null(strstr(err.msg, "eqprop"));
    rh_gradcheck_free(&g);
    rheo_experiment_destroy(x);
    x = experiment(LINEAR, NULL, 0);
    CHECK_OK(rh_gradcheck_run(x, &def, &g, NULL, NULL));
    rh_gradcheck_free(&g);
    def.tolerance = 0;
    err = (rheo_error){ 0 };
    assert_int_equal(rh_gradcheck_run(x, &def, &g, NULL, &err), RHEO_E_GOAL);
    assert_non_null(strstr(err.msg, "finite differences"));
    rh_gradcheck_free(&g);
    rheo_experiment_destroy(x);
}

static void a_sample_of_edges_is_in_order(void **state) {
    (void)state;
    rheo_experiment *x = experiment(LINEAR, NULL, 0);
    rh_gradcheck_def def = all(1e-7);
    def.n_edge = 4;
    def.n_sample = 2;
    int seen[7] = { 0 };
    for (def.seed = 1; def.seed <= 20; def.seed++) {
        rh_gradcheck g;
        CHECK_OK(rh_gradcheck_run(x, &def, &g, NULL, NULL));
        assert_int_equal(g.n, 4);
        assert_int_equal(g.n_sample, 2);
        for (int k = 0; k < 4; k++) {
            assert_true(k == 0 || g.row[k].edge > g.row[k - 1].edge);
            seen[g.row[k].edge]++;
        }
        rh_gradcheck_free(&g);
    }
    for (int k = 0; k < 7; k++) assert_true(seen[k] > 0 && seen[k] < 20);
    rheo_experiment_destroy(x);
}

static void the_command_prints_and_judges(void **state) {
    (void)state;
    char *const folder = scratch_create(), path[300];
    scratch_write(folder, "n.cir", AMPLIFIER);
    scratch_write(
        folder, "x.yaml",
        "version: 1\nnetlist: n.cir\ntask: {kind: table, inputs: [a, b], outputs: [d], rows: [{in: [1, 0.3], out: "
        "[0.1]}]}\nlearning: {rule: eqprop, nudge: {kind: current, strength: 1u}}\n");
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    launched r;
    launch(&r, (const char *const[]){ "gradcheck", path, NULL }, NULL, NULL);
    assert_int_equal(r.exit, 0);
    assert_non_null(strstr(r.out, "\nR5 "));
    assert_non_null(strstr(r.out, "# 7 of 7 edges, 1 sample: adjoint within "));
    launch_free(&r);
    launch(&r, (const char *const[]){ "gradcheck", "--json", "--edges", "3", "--rule-tolerance", "0.01", path, NULL },
           NULL, NULL);
    assert_int_equal(r.exit, 1);
    assert_non_null(strstr(r.out, "\"adjoint\":"));
    assert_non_null(strstr(r.out, ",\"ok\":false}\n"));
    assert_non_null(strstr(r.err, "E326"));
    launch_free(&r);
    scratch_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjoint_is_the_slope_everywhere),
        cmocka_unit_test(a_wrong_gradient_is_refused),
        cmocka_unit_test(a_sample_of_edges_is_in_order),
        cmocka_unit_test(the_command_prints_and_judges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
