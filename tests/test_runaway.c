/* Tests of circuits that have no operating point, or one that means little: what Newton finds there is never an answer
 * that looks like one. */
#include "check.h"

#include "circuit/circuit.h"

#include "rheo/netlist.h"
#include "rheo/solver.h"

#define MODELS                               \
    "\n.model P PNP(is=1e-16 bf=100 br=1)"   \
    "\n.model N NPN(is=1e-15 bf=150 br=2)\n" \
    ".model D D(is=1e-14)"

#define VT (1.38064852e-23 * 300.15 / 1.6021766208e-19)

static double volt(const rheo_circuit *c, const rheo_state *st, const char *node) {
    for (int k = 0; k < c->n_node; k++)
        if (!strcmp(c->node_name[k], node)) return st->v[k];
    fail_msg("no node %s", node);
    return NAN;
}

typedef struct solved {
    rheo_status status;
    rheo_error err;
    int code; /* of the last warning */
    rheo_circuit *c;
    rheo_solver *s;
    rheo_state *st;
} solved;

static void note_warning(void *user, const rheo_error *e) { *(int *)user = e->code; }

static void solve(solved *t, const char *cards) {
    *t = (solved){ 0 };
    const rheo_log log = { note_warning, &t->code };
    char text[800];
    const int n = snprintf(text, sizeof(text), "title\n%s\n", cards);
    if (rheo_netlist_parse(&t->c, text, (size_t)n, "text", NULL, NULL, &t->err) != RHEO_OK) fail_msg("%s", t->err.msg);
    CHECK_OK(rheo_state_create(&t->st, t->c, NULL));
    CHECK_OK(rheo_solver_open(&t->s, t->c, NULL, &log, NULL));
    t->status = rheo_solver_solve(t->s, t->st, &t->err);
}

static void teardown(solved *t) {
    rheo_solver_close(t->s);
    rheo_state_destroy(t->st);
    rheo_circuit_destroy(t->c);
}

/* A current that only a reversed junction could carry: ngspice stops at 1e9 V, where its gmin does; without that, the
 * balance was once judged beside a potential of 1e231 V. */
static void currents_with_no_way_out_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *cards, *says;
    } CASE[] = {
        { "V0 n0 0 -2.52\nI0 n1 n2 58.6u\nR2 n3 n0 665\nI3 n2 n0 16.7u\nI4 n3 n0 639u\nQ5 n1 n0 n2 N\nQ6 n4 n3 0 P\n"
          "I7 n0 n2 59.5u",
          "node n2 runs away" },
        { "V0 n0 0 -5.69\nQ0 n0 n2 n3 N\nD2 n1 n0 D\nD3 n2 n0 D\nI4 n1 0 1.61u\nQ7 n0 n1 n2 N", "runs away" },
        { "I1 0 a 1m\nD1 0 a D\nR1 a b 1k\nD2 0 b D", "runs away" },
    };
    for (int k = 0; k < RH_COUNT(CASE); k++) {
        char cards[600];
        solved t;
        snprintf(cards, sizeof(cards), "%s" MODELS, CASE[k].cards);
        solve(&t, cards);
        assert_int_equal(t.status, RHEO_E_NOCONV);
        assert_int_equal(t.err.code, 315);
        if (!strstr(t.err.msg, CASE[k].says)) fail_msg("case %d: %s", k, t.err.msg);
        for (int i = 0; i < t.c->n_node; i++) assert_true(t.st->v[i] == 0); /* nothing of it got out */
        teardown(&t);
    }
}

/* One that was refused its answer since a potential had run away on the way: n4 and n2 hang on n0 by junctions that
 * carry next to nothing. ngspice with gmin=1e-21 has 4.17 V. */
static void a_way_back_from_far_away_is_found(void **state) {
    (void)state;
    solved t;
    solve(&t, "V0 n0 0 4.17\nV1 n1 0 1.8\nQ0 n3 n0 n5 N\nR1 n5 n0 326\nD2 n0 n4 D\nD3 n2 n4 D\nQ5 n1 n3 n2 P\n"
              "I6 n1 n5 4.05u\nR7 n5 n3 9.5k" MODELS);
    assert_int_equal(t.status, RHEO_OK);
    CHECK_NEAR(volt(t.c, t.st, "n5"), 4.17 + 4.05e-6 * 326, 1e-9);
    teardown(&t);
}

/* Nothing flows, so nothing drops: a point that balanced to 1e-13 of what the resistor would carry was 7 mV off. */
static void nodes_held_by_leakage_are_as_good_as_doubles_make_them(void **state) {
    (void)state;
    solved t;
    solve(&t, "V0 n0 0 0.716\nR0 n5 n0 2.92k\nQ1 n3 n4 n0 N\nI2 0 n5 1.55u\nR4 n4 n3 261\nR5 n0 n2 22.6k\n"
              "D6 n0 n1 D" MODELS);
    assert_int_equal(t.status, RHEO_OK);
    static const char *const QUIET[] = { "n1", "n2", "n3", "n4" };
    for (int k = 0; k < RH_COUNT(QUIET); k++) CHECK_NEAR(volt(t.c, t.st, QUIET[k]), 0.716, 1e-9);
    CHECK_REL(volt(t.c, t.st, "n5"), 0.716 + 1.55e-6 * 2920, 1e-12);
    teardown(&t);
}

static void currents_that_no_junction_carries_are_warned_about(void **state) {
    (void)state;
    solved t;
    solve(&t, "V1 a 0 10\nD1 a 0 D\nD2 a b D\nR1 b 0 1k" MODELS);
    assert_int_equal(t.status, RHEO_OK);
    assert_int_equal(t.code, 316);
    teardown(&t);
    solve(&t, "V1 a 0 10\nD2 a b D\nR1 b 0 1k" MODELS);
    assert_int_equal(t.status, RHEO_OK);
    assert_int_equal(t.code, 0);
    teardown(&t);
}

/* The collector carries the difference of two currents of 1e20 A, each known to 1e4 A: 1.48 V came out, where the
 * exponential alone gives 18 mV. */
static void currents_that_drown_are_refused(void **state) {
    (void)state;
    solved t;
    solve(&t, "Vcc vcc 0 5\nVb b 0 5\nRC vcc c 1k\nQ1 c b 0 N" MODELS);
    assert_int_equal(t.status, RHEO_E_NOCONV);
    assert_int_equal(t.err.code, 316);
    assert_non_null(strstr(t.err.msg, "the currents at node c drown"));
    teardown(&t);
    solve(&t, "Vcc vcc 0 5\nVb b 0 5\nRB b x 10k\nRC vcc c 1k\nQ1 c x 0 N" MODELS); /* saturated, too */
    assert_int_equal(t.status, RHEO_OK);
    assert_int_equal(t.code, 0);
    const double forced = 10 * (5 - volt(t.c, t.st, "c")) / (5 - volt(t.c, t.st, "x")), bf = 150, br = 2;
    CHECK_NEAR(volt(t.c, t.st, "c"), VT * log((1 + (forced + 1) / br) / (1 - forced / bf)), 1e-9); /* Ebers and Moll */
    teardown(&t);
}

/* Two diodes that block share 1 V by their leakage; 1e-12 S to ground beside them would move the node by 0.1 V. */
static void nodes_that_lean_on_gmin_elsewhere_are_told(void **state) {
    (void)state;
    solved t;
    solve(&t, "V1 in 0 1\nD1 in m D\nD2 0 m D" MODELS);
    assert_int_equal(t.status, RHEO_OK);
    assert_int_equal(t.code, 317);
    CHECK_NEAR(volt(t.c, t.st, "m"), 1 - VT * log(2), 1e-6); /* e^(v/VT) - 1 = 1, but for the cubic of the other one */
    teardown(&t);
    solve(&t, "V1 in 0 1\nD1 in m D\nD2 0 m D\nR1 m 0 100meg" MODELS);
    assert_int_equal(t.status, RHEO_OK);
    assert_int_equal(t.code, 0);
    teardown(&t);
}

/* Beside 0 the tangents of ln(v) and 1/v are so steep that any current looked like rounding: a was 4.6e-27 V where 61 A
 * flowed into 1 ohm. ln(1/a) = a at the omega constant. */
static void expressions_beside_their_poles_are_no_answer(void **state) {
    (void)state;
    static const double OMEGA = 0.56714329040978387;
    solved t;
    solve(&t, "B1 0 a i={-ln(V(a))}\nR1 a 0 1\nV1 b 0 3\nR2 b c 1\nR3 c 0 1");
    assert_int_equal(t.status, RHEO_OK);
    CHECK_REL(volt(t.c, t.st, "a"), OMEGA, 1e-12);
    teardown(&t);
    solve(&t, "B1 0 a i={-ln(V(a))}\nR1 a 0 1\nV1 b 0 3\nR2 b c 1\nD1 c 0 D\nB2 0 e i={sqrt(V(a))/V(e)}\n"
              "R4 e 0 1" MODELS);
    assert_int_equal(t.status, RHEO_OK);
    CHECK_REL(volt(t.c, t.st, "a"), OMEGA, 1e-12);
    CHECK_REL(volt(t.c, t.st, "e"), pow(OMEGA, 0.25), 1e-12);
    teardown(&t);
}

/* The one point that balances has ln of -28 mV, where its tangent from 1e-30 goes on: no double is near enough to it.
 */
static void expressions_too_steep_for_doubles_are_warned_about(void **state) {
    (void)state;
    solved t;
    solve(&t, "D3 a 0 D\nB4 0 a i={ln(V(a,0))*((-0.692)+0.72+V(a))}\n.model D D(n=2 is=9.46567136317661e-11)");
    assert_int_equal(t.status, RHEO_OK);
    assert_int_equal(t.code, 303);
    teardown(&t);
}

/* Nothing flows through the resistors, so a - b = c asks for b = 0. A potential that was uncertain by more than itself
 * was an answer with a warning. */
static void potentials_that_nothing_holds_are_refused(void **state) {
    (void)state;
    solved t;
    solve(&t, "V1 b 0 2578.7435\nB1 a b v={V(c)}\nR1 d a 706510051664.1212\nR2 e d 0.0015237737265256148\n"
              "R3 c e 102317695.60947119");
    assert_int_equal(t.status, RHEO_E_SINGULAR);
    assert_int_equal(t.err.code, 303);
    teardown(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(currents_with_no_way_out_are_refused),
        cmocka_unit_test(a_way_back_from_far_away_is_found),
        cmocka_unit_test(nodes_held_by_leakage_are_as_good_as_doubles_make_them),
        cmocka_unit_test(currents_that_drown_are_refused),
        cmocka_unit_test(nodes_that_lean_on_gmin_elsewhere_are_told),
        cmocka_unit_test(currents_that_no_junction_carries_are_warned_about),
        cmocka_unit_test(expressions_beside_their_poles_are_no_answer),
        cmocka_unit_test(expressions_too_steep_for_doubles_are_warned_about),
        cmocka_unit_test(potentials_that_nothing_holds_are_refused),
    };
    return cmocka_run_group_tests_name("runaway", tests, NULL, NULL);
}
