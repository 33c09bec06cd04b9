/* Memristors: in time against closed forms and against the subcircuits of netlists/memristor.inc in the same engine; at
 * an operating point they are resistors; as edges that learn. */
#include "launch.h"
#include "time_case.h"

#include "circuit/circuit.h"
#include "ngspice/ngspice.h"
#include "rheo/solver.h"

#include <unistd.h>

#define TWO_PI 6.283185307179586

static rheo_transient *begin_at(const rheo_circuit *c, double stop, bool uic) {
    rheo_transient_def def = until(stop);
    def.uic = uic;
    return begin(c, def);
}

static void advance(rheo_transient *t, double time) {
    while (rheo_transient_time(t) < time && !rheo_transient_done(t)) step(t);
}

/* ---- in time ---- */

typedef double course(double t);

/* The state of R1, from the operating point and from initial voltages. */
static void follow(const char *text, double stop, course *want, double tol) {
    enum { N = 50 };
    rheo_circuit *const c = parse(text);
    const int e = rheo_circuit_find_element(c, "R1");
    for (int uic = 0; uic < 2; uic++) {
        rheo_transient *const t = begin_at(c, stop, uic);
        CHECK_NEAR(rheo_transient_memristor(t, 0, e), want(0), 1e-12);
        for (int k = 1; k <= N; k++) {
            const double at = stop * k / N;
            advance(t, at);
            const double x = rheo_transient_memristor(t, at, e);
            if (!(fabs(x - want(at)) <= tol)) fail_msg("at %g s: x = %.12g, want %.12g", at, x, want(at));
        }
        assert_true(isnan(rheo_transient_memristor(t, stop, rheo_circuit_find_element(c, "V1"))));
        assert_true(isnan(rheo_transient_memristor(t, stop, -1)));
        assert_true(isnan(rheo_transient_memristor(t, stop, c->n_elem)));
        rheo_transient_close(t);
    }
    rheo_circuit_destroy(c);
}

/* Without a window R^2 falls in proportion to the flux. */
static double at_flux(double flux) {
    const double on = 100, off = 16e3, k = 1e-14 * on / (1e-8 * 1e-8), r0 = off - (off - on) * 0.1;
    return (off - sqrt(r0 * r0 - 2 * (off - on) * k * flux)) / (off - on);
}
static double drifted(double t) { return at_flux((1 - cos(TWO_PI * t)) / TWO_PI); }
static double drifted_back(double t) { return at_flux(-(1 - cos(TWO_PI * t)) / TWO_PI / 10); }

/* Joglekar's window at a constant current of 10 uA: x' = 4 k i x (1 - x) is a logistic curve. */
static double logistic(double t) {
    const double rate = 4 * 1e-14 * 100 / 1e-16 * 1e-5, odds = 0.1 / 0.9 * exp(rate * t);
    return odds / (1 + odds);
}

static double opened(double t) { return 0.9 - 1e-9 / 3e-9 * (0.03 / 0.02 - 1) * fmin(fmax(t - 0.5, 0), 1); }
static double closed(double t) { return 0.1 + 1e-9 / 3e-9 * pow(0.3 / 0.2 - 1, 3) * t; }
static double forgot(double t) {
    const double far = pow(tanh(0.4 / 0.5), 2);
    return far * -expm1(-t / 1e-3);
}
static double stopped(double t) { return fmin(0.5 + 10 * t, 1); }

#define HEAD "t\n*@ rheo version=1\n.model m r()\n*@ model m "

static void states_follow_closed_forms(void **state) {
    (void)state;
    follow(HEAD "drift win=0\nV1 a 0 sin(0 1 1)\nR1 a 0 {16k-15.9k*0.1} m\n", 2, drifted, 5e-7);
    follow(HEAD "drift win=0\nV1 a 0 sin(0 0.1 1)\nR1 0 a {16k-15.9k*0.1} m\n", 2, drifted_back, 5e-7);
    follow(HEAD "drift\nV1 b 0 1\nI1 0 a 10u\nR1 a 0 {16k-15.9k*0.1} m\n", 20, logistic, 1e-6);
    follow(HEAD "vteam koff=1n\nV1 a 0 pwl(0 0.01 0.5 0.01 0.5000001 0.03 1.5 0.03 1.5000001 -0.1)\n"
                "R1 a 0 {50+950*0.1} m\n",
           3, opened, 1e-6);
    follow(HEAD "vteam kon=-1n\nV1 a 0 -0.3\nR1 a 0 {50+950*0.9} m\n", 3, closed, 1e-6);
    follow(HEAD "volatile\nV1 a 0 0.4\nR1 a 0 100k m\n", 5e-3, forgot, 5e-7);
    /* x' = mu ron/d^2 i = 10/s without a window, up to the end */
    follow(HEAD "drift win=0\nV1 b 0 1\nI1 0 a 1m\nR1 a 0 {16k-15.9k*0.5} m\n", 0.2, stopped, 3e-6);
}

/* The same network, once with elements and once with subcircuits: potentials of nodes and states. */
static void as_subcircuits(const char *mine, const char *theirs, double stop, double tol) {
    static const char *const NODES[] = { "a", "b" };
    enum { N = 100 };
    rheo_circuit *const c = parse(mine), *const d = parse(theirs);
    double v[20], w[20], moved = 0;
    rheo_transient *const t = begin_at(c, stop, true), *const u = begin_at(d, stop, true);
    const int memristor = rheo_circuit_find_element(c, "R1"), gap = rheo_circuit_find_node(d, "X1.x");
    const double first = rheo_transient_memristor(t, 0, memristor);
    for (int k = 1; k <= N; k++) {
        const double at = stop * k / N;
        advance(t, at);
        advance(u, at);
        rheo_transient_at(t, at, v, NULL);
        rheo_transient_at(u, at, w, NULL);
        for (int n = 0; n < RH_COUNT(NODES); n++)
            CHECK_NEAR(v[rheo_circuit_find_node(c, NODES[n])], w[rheo_circuit_find_node(d, NODES[n])], tol);
        const double x = rheo_transient_memristor(t, at, memristor);
        moved = fmax(moved, fabs(x - first));
        if (gap >= 0 && !strstr(mine, "volatile")) CHECK_NEAR(x, strstr(mine, "vteam") ? 1 - w[gap] : w[gap], tol);
    }
    if (!(moved > 0.03)) fail_msg("the state moved by %g only", moved);
    rheo_transient_close(t);
    rheo_transient_close(u);
    rheo_circuit_destroy(c);
    rheo_circuit_destroy(d);
}

#define AROUND "V1 a 0 sin(0.1 1 50)\nR2 a b 2k\nC1 b 0 1u\n"
static void as_the_included_subcircuits(void **state) {
    (void)state;
    as_subcircuits(HEAD "drift\nV1 a 0 sin(0 1 1)\nR2 a b 100\nC1 b 0 10u\nR1 b 0 {16k-15.9k*0.1} m\n",
                   "t\n.include memristor.inc\nV1 a 0 sin(0 1 1)\nR2 a b 100\nC1 b 0 10u\nX1 b 0 memdrift\n", 2, 2e-6);
    as_subcircuits(HEAD "vteam kon=-2u koff=1u aoff=2\n" AROUND "R1 b 0 {50+950*0.5} m\n",
                   "t\n.include memristor.inc\n" AROUND "X1 b 0 memvteam KON=-2u KOFF=1u AOFF=2\n", 60e-3, 2e-6);
    as_subcircuits(HEAD "volatile tau=5m\n" AROUND "R1 b 0 100k m\n",
                   "t\n.include memristor.inc\n" AROUND "X1 b 0 memvolatile TAU=5m\n", 60e-3, 2e-6);
}

/* Two alike in series stay alike, and what flows is by Ohm and their state. */
static void a_divider_of_two_keeps_its_balance(void **state) {
    (void)state;
    rheo_circuit *const c = parse(HEAD "drift\nV1 a 0 sin(0 2 1)\nR1 a b 5k m\nR2 b 0 5k m\n");
    rheo_transient *const t = begin_at(c, 1, false);
    double v[8], i[8];
    for (int k = 1; k <= 20; k++) {
        advance(t, 0.05 * k);
        rheo_transient_at(t, 0.05 * k, v, i);
        const double x = rheo_transient_memristor(t, 0.05 * k, 1);
        CHECK_NEAR(v[2], v[1] / 2, 4e-8); /* tolerance of a step, of 2 V */
        CHECK_NEAR(rheo_transient_memristor(t, 0.05 * k, 2), x, 4e-8);
        CHECK_NEAR(i[1], (v[1] - v[2]) / (16e3 - 15.9e3 * x), 1e-10);
        CHECK_NEAR(i[0], -i[1], 1e-12);
        CHECK_NEAR(i[2], i[1], 1e-12);
    }
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

/* ---- at an operating point ---- */

#define NETWORK                                                                                            \
    "V1 a 0 1\nR1 a b 5k%s\nR2 b c 700%s\nR3 c 0 12k%s\nR4 b 0 2k\nD1 c 0 d\n.model d d()\n.model m r()\n" \
    ".model q r()\n.model w r()\n"

static void at_rest_they_are_resistors(void **state) {
    (void)state;
    char plain[600], text[900];
    snprintf(plain, sizeof plain, "t\n*@ rheo version=1\n" NETWORK, "", "", "");
    snprintf(text, sizeof text, "t\n*@ rheo version=1\n" NETWORK "%s", " m", " q", " w",
             "*@ model m drift\n*@ model q vteam\n*@ model w volatile\n");
    rheo_circuit *const c = parse(plain), *const d = parse(text);
    assert_false(rh_circuit_equal(c, d));
    for (int e = 1; e <= 3; e++) assert_true(rh_elem_is_memristor(d, e) && !rh_elem_is_memristor(c, e));
    rheo_state *p, *q;
    rheo_solver *s, *r;
    CHECK_OK(rheo_state_create(&p, c, NULL));
    CHECK_OK(rheo_state_create(&q, d, NULL));
    CHECK_OK(rheo_solver_open(&s, c, NULL, NULL, NULL));
    CHECK_OK(rheo_solver_open(&r, d, NULL, NULL, NULL));
    CHECK_OK(rheo_solver_solve(s, p, NULL));
    CHECK_OK(rheo_solver_solve(r, q, NULL));
    assert_memory_equal(p->v, q->v, (size_t)c->n_node * sizeof(double));
    assert_memory_equal(p->i, q->i, (size_t)c->n_elem * sizeof(double));
    rh_buf deck[2] = { { 0 } }; /* what ngspice gets is the same to the letter */
    rh_ngspice_deck(&deck[0], c, NULL, NULL, NULL, 0);
    rh_ngspice_deck(&deck[1], d, NULL, NULL, NULL, 0);
    assert_string_equal(deck[0].s, deck[1].s);
    rh_buf_free(&deck[0]);
    rh_buf_free(&deck[1]);
    rheo_solver_close(s);
    rheo_solver_close(r);
    rheo_state_destroy(p);
    rheo_state_destroy(q);
    rheo_circuit_destroy(c);
    rheo_circuit_destroy(d);
}

/* A deck that learns by itself has them as resistors, fixed ones and those that learn. */
static void decks_have_resistors(void **state) {
    (void)state;
    static const char *const NET[] = {
        "t\n*@ rheo version=1\nV1 a 0 1\nR1 a b 4k m\nR2 b 0 4k m\nR3 b 0 3k m\n.model m r()\n"
        "*@ model m drift ron=1k roff=10k\n*@ learn R1 R2\n",
        "t\n*@ rheo version=1\nV1 a 0 1\nR1 a b 4k\nR2 b 0 4k\nR3 b 0 3k\n*@ learn R1 R2 min={1/10k} max={1/1k}\n"
    };
    char *const dir = scratch_create(), path[300];
    launched r[2];
    scratch_write(dir, "exp.yaml",
                  "version: 1\nnetlist: net.cir\ntask:\n  kind: table\n  inputs: [a]\n  outputs: [b]\n"
                  "  rows: [{in: [1], out: [0.3]}]\n"
                  "learning: {rule: tcl, rate: 20n, nudge: {kind: conductance, strength: 20u}}\n"
                  "protocol: {kind: sawtooth, fast: 1m, slow: 0.1, between: gate}\n"
                  "memory: {kind: leaky-integrator, tau: 20u, threshold: 2m}\nrun: {epochs: 2}\noutput: run\n");
    snprintf(path, sizeof path, "%s/exp.yaml", dir);
    for (int k = 0; k < 2; k++) {
        scratch_write(dir, "net.cir", NET[k]);
        launch_with(&r[k], "export", path, NULL);
        if (r[k].exit != 0) fail_msg("%s", r[k].err);
    }
    assert_string_equal(r[0].out, r[1].out);
    for (int k = 0; k < 2; k++) launch_free(&r[k]);
    scratch_remove(dir);
}

/* Without the line of the version they are what other programs take them for. */
static void without_a_version_they_are_resistors(void **state) {
    (void)state;
    rheo_circuit *const c = parse("t\nV1 a 0 1\nR1 a 0 5k m\n.model m r(tc1=1m)\n*@ model m drift\n");
    assert_false(rh_elem_is_memristor(c, 1));
    assert_int_equal(c->n_keep, 1);
    rheo_circuit_destroy(c);
}

/* ---- that learn ---- */

static void bounds_are_those_of_the_states(void **state) {
    (void)state;
    rheo_circuit *const c = parse(HEAD "vteam ron=200 roff=8k\nV1 a 0 1\nR1 a b 1k m\nR2 b 0 1k m\nR3 b 0 1k\n"
                                       "*@ learn R*\n*@ learn R2 max=1m init=0.5m\n");
    const double want[3][3] = { { 1 / 8e3, 1 / 200., 1e-3 }, { 1 / 8e3, 1e-3, 0.5e-3 }, { 1e-12, 1e12, 1e-3 } };
    for (int k = 0; k < 3; k++) {
        CHECK_NEAR(c->g_min[k], want[k][0], 0);
        CHECK_NEAR(c->g_max[k], want[k][1], 0);
        CHECK_NEAR(c->g_init[k], want[k][2], 0);
    }
    /* printed and read again, also where training ended at a bound */
    char *text = NULL;
    rheo_error err = { 0 };
    CHECK_OK(rheo_netlist_print(&text, c, NULL, &err));
    rheo_circuit *d = parse(text);
    assert_true(rh_circuit_equal(c, d));
    rheo_text_free(text);
    rheo_circuit_destroy(d);
    const double learned[] = { c->g_min[0], c->g_max[1], 3e-3 };
    CHECK_OK(rheo_netlist_print(&text, c, learned, &err));
    d = parse(text);
    for (int k = 0; k < 3; k++) CHECK_NEAR(d->g_init[k], learned[k], 1e-15 * learned[k]);
    assert_true(rh_elem_is_memristor(d, 1) && rh_elem_is_memristor(d, 2) && !rh_elem_is_memristor(d, 3));
    /* time goes on from what was learned */
    rheo_transient *const t = begin_at(d, 1e-6, false);
    CHECK_NEAR(rheo_transient_memristor(t, 0, 1), 0, 1e-12);
    CHECK_NEAR(rheo_transient_memristor(t, 0, 2), (8e3 - 1e3) / 7.8e3, 1e-12);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
    rheo_circuit_destroy(d);
    rheo_text_free(text);
}

/* Other programs run what was trained: an ordinary resistor with an empty model. */
static void other_programs_take_the_printed_card(void **state) {
    (void)state;
    if (access("/usr/bin/ngspice", X_OK) != 0) skip();
    rheo_circuit *const c = parse(HEAD "drift\nV1 a 0 1\nR1 a b 3k m\nR2 b 0 1k m\n*@ learn R*\n");
    char *text = NULL, *const dir = scratch_create(), command[400];
    size_t size;
    CHECK_OK(rheo_netlist_print(&text, c, (const double[]){ 1 / 3e3, 1 / 6e3 }, NULL));
    scratch_write(dir, "net.cir", text);
    snprintf(command, sizeof command, "cd %s && ngspice -b -n net.cir >out.txt 2>err.txt </dev/null", dir);
    assert_int_equal(system(command), 0);
    char *const out = scratch_read(dir, "out.txt", &size);
    const char *const b = strstr(out, "\tb ");
    if (!b) fail_msg("%s", out);
    CHECK_NEAR(strtod(b + 3, NULL), 2. / 3, 1e-5);
    free(out);
    scratch_remove(dir);
    rheo_text_free(text);
    rheo_circuit_destroy(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_follow_closed_forms),
        cmocka_unit_test(as_the_included_subcircuits),
        cmocka_unit_test(a_divider_of_two_keeps_its_balance),
        cmocka_unit_test(at_rest_they_are_resistors),
        cmocka_unit_test(decks_have_resistors),
        cmocka_unit_test(without_a_version_they_are_resistors),
        cmocka_unit_test(bounds_are_those_of_the_states),
        cmocka_unit_test(other_programs_take_the_printed_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
