/* Tests of element and circuit: the table of kinds, the builder, state, equality, and the diagnosis by shape. */
#include "check.h"
#include "oracle.h"

#include <time.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- kinds ---- */

static void table_of_kinds_agrees_with_its_names(void **state) {
    (void)state;
    const char letters[] = {
        [RH_KIND_R] = 'R',           [RH_KIND_C] = 'C',       [RH_KIND_V] = 'V',         [RH_KIND_I] = 'I',
        [RH_KIND_E] = 'E',           [RH_KIND_G] = 'G',       [RH_KIND_F] = 'F',         [RH_KIND_H] = 'H',
        [RH_KIND_D] = 'D',           [RH_KIND_S] = 'S',       [RH_KIND_B] = 'B',         [RH_KIND_NMOS] = 'M',
        [RH_KIND_PMOS] = 'M',        [RH_KIND_D_IDEAL] = 'D', [RH_KIND_D_PAIR] = 'D',    [RH_KIND_NMOS_SMOOTH] = 'M',
        [RH_KIND_PMOS_SMOOTH] = 'M', [RH_KIND_D_TABLE] = 'D', [RH_KIND_NPN] = 'Q',       [RH_KIND_PNP] = 'Q',
        [RH_KIND_R_DRIFT] = 'R',     [RH_KIND_R_VTEAM] = 'R', [RH_KIND_R_VOLATILE] = 'R'
    };
    assert_int_equal(RH_N_KIND, sizeof(letters));
    for (int k = 0; k < RH_N_KIND; k++) {
        const rh_kind *const kind = RH_KINDS[k];
        assert_int_equal(kind->letter, letters[k]);
        const int first = rh_kind_of_letter(kind->letter);
        assert_true(first <= k && RH_KINDS[first]->letter == kind->letter);
        assert_true(first == k || kind->model);
        assert_int_equal(rh_kind_of_letter((char)(kind->letter - 'A' + 'a')), first);
        assert_true(kind->name && kind->what && kind->value_name && kind->unit && kind->equation);
        const int most = kind->letter == 'Q' ? 3 : 2;
        assert_int_equal(kind->n_term,
                         kind->flags & (RH_CONTROLLED | RH_STATE) || strchr("MSB", kind->letter) ? 4 : most);
    }
    assert_int_equal(rh_kind_of_letter('J'), -1);
    assert_int_equal(rh_kind_of_letter('\0'), -1);
}

/* The solver adds g of a learnable element straight to its slots. */
static void laws_say_what_their_kind_is(void **state) {
    (void)state;
    for (int k = 0; k < RH_N_KIND; k++) {
        const rh_kind *const kind = RH_KINDS[k];
        if (kind->flags & RH_NONLINEAR) continue;
        const rh_law law = kind->law(3, 0.25);
        if (kind->flags & RH_LEARNABLE) assert_true(law.conductance == 0.25 && law.trans == 0 && law.current == 0);
        if (kind->flags & RH_BRANCH) assert_true(law.conductance == 0 && law.trans == 0 && law.current == 0);
        if (!(kind->flags & RH_BRANCH)) assert_true(law.gain == 0 && law.rhs == 0);
        if (kind->flags & RH_OPEN) assert_true(law.conductance == 0 && law.trans == 0 && law.current == 0);
        if (kind->flags & RH_SOURCE) assert_true((kind->flags & RH_BRANCH ? law.rhs : law.current) == 3);
        if (kind->flags & (RH_CONTROLLED | RH_BY_CURRENT))
            assert_true((kind->flags & RH_BRANCH ? law.gain : law.trans) == 3);
    }
}

/* ---- builder ---- */

static int add(rh_builder *b, int kind, const char *name, int p, int q, double value) {
    int other = -7;
    return rh_builder_element(b, kind, name, (int[]){ p, q, -1, -1 }, value, (rh_place){ 0 }, &other);
}

static int node(rh_builder *b, const char *name) { return rh_builder_node(b, name, strlen(name)); }

static void nodes_and_elements_are_found_in_either_case(void **state) {
    (void)state;
    rh_builder *b = rh_builder_create();
    assert_int_equal(node(b, "0"), 0);
    assert_int_equal(node(b, "gnd"), 0);
    assert_int_equal(node(b, "GnD"), 0);
    assert_int_equal(node(b, "Out"), 1);
    assert_int_equal(node(b, "oUT"), 1);
    assert_int_equal(node(b, "00"), 2);
    assert_int_equal(node(b, "gnd!"), 3);
    assert_int_equal(rh_builder_find_node(b, "nowhere", 7), -1);
    assert_int_equal(rh_builder_find_node(b, "GND", 3), 0);
    assert_int_equal(rh_builder_find_node(b, "outside", 3), 1);
    assert_int_equal(add(b, RH_KIND_R, "R1", 1, 0, 5), 0);
    int other = -7;
    assert_int_equal(rh_builder_element(b, RH_KIND_R, "r1", (int[]){ 1, 2, -1, -1 }, 6, (rh_place){ 0 }, &other), -2);
    assert_int_equal(other, 0);
    assert_int_equal(rh_builder_n_element(b), 1);
    assert_int_equal(rh_builder_find_element(b, "r1", 2), 0);
    assert_int_equal(rh_builder_find_element(b, "r2", 2), -1);
    assert_string_equal(rh_builder_element_name(b, 0), "R1");
    rheo_circuit *c = NULL;
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    assert_int_equal(rheo_circuit_n_node(c), 4);
    assert_int_equal(rheo_circuit_find_node(c, "gnd"), 0);
    assert_int_equal(rheo_circuit_find_node(c, "OUT"), 1);
    assert_int_equal(rheo_circuit_find_node(c, "x"), -1);
    assert_int_equal(rheo_circuit_find_element(c, "r1"), 0);
    assert_string_equal(rheo_circuit_node_name(c, 0), "0");
    assert_string_equal(rheo_circuit_node_name(c, 1), "Out");
    assert_null(rheo_circuit_node_name(c, 4));
    assert_null(rheo_circuit_node_name(c, -1));
    assert_null(rheo_circuit_element_name(c, 1));
    assert_int_equal(rheo_circuit_edge_element(c, 0), -1);
    rheo_circuit_destroy(c);
    rheo_circuit_destroy(NULL);
    rh_builder_destroy(NULL);
}

static void bounds_have_defaults_and_clip_the_start(void **state) {
    (void)state;
    rheo_circuit *c = oracle_circuit("R1 a 0 1k\nR2 a 0 1k *\nR3 a 0 1k * 2m 5m\nR4 a 0 1k * "
                                     "1n 5m 7m\nR5 a 0 1 * 1n 1 0.5");
    const double want[][3] = { { 1e-12, 1e12, 1e-3 }, { 2e-3, 5e-3, 2e-3 }, { 1e-9, 5e-3, 5e-3 }, { 1e-9, 1, 0.5 } };
    assert_int_equal(rheo_circuit_n_edge(c), 4);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(rheo_circuit_edge_element(c, k), k + 1);
        assert_int_equal(c->elem_edge[k + 1], k);
        CHECK_REL(c->g_min[k], want[k][0], 1e-15);
        CHECK_REL(c->g_max[k], want[k][1], 1e-15);
        CHECK_REL(c->g_init[k], want[k][2], 1e-15);
    }
    assert_int_equal(c->elem_edge[0], -1);
    rheo_circuit_destroy(c);
}

static void a_second_learn_changes_only_what_it_names(void **state) {
    (void)state;
    rh_builder *b = rh_builder_create();
    const int e = add(b, RH_KIND_R, "R1", node(b, "a"), 0, 100);
    assert_false(rh_builder_is_learnable(b, e));
    CHECK_OK(rh_builder_learn(b, e, 1e-4, NAN, NAN));
    CHECK_OK(rh_builder_learn(b, e, NAN, 1e-1, 5e-2));
    assert_true(rh_builder_is_learnable(b, e));
    rheo_circuit *c = NULL;
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    assert_true(c->g_min[0] == 1e-4 && c->g_max[0] == 1e-1 && c->g_init[0] == 5e-2);
    rheo_circuit_destroy(c);
}

static void large_circuits_keep_every_element(void **state) {
    (void)state;
    enum { N = 20000 };
    rh_builder *b = rh_builder_create();
    char name[32];
    for (int k = 0; k < N; k++) {
        snprintf(name, sizeof(name), "n%d", k);
        const int p = node(b, name);
        assert_int_equal(p, k + 1);
        snprintf(name, sizeof(name), "R%d", k);
        assert_int_equal(add(b, RH_KIND_R, name, p, k, k + 1), k);
        if (k % 3 == 0) CHECK_OK(rh_builder_learn(b, k, NAN, NAN, NAN));
        CHECK_OK(rh_builder_pos(b, p, k, -k));
    }
    CHECK_OK(rh_builder_ic(b, 7, 2.5));
    CHECK_OK(rh_builder_title(b, "a title that is cut", 7));
    CHECK_OK(rh_builder_keep(b, ".model x", 8));
    rheo_circuit *c = NULL;
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    assert_string_equal(c->title, "a title");
    assert_string_equal(c->keep[0], ".model x");
    for (int k = 0; k < N; k++) {
        snprintf(name, sizeof(name), "r%d", k);
        assert_int_equal(rheo_circuit_find_element(c, name), k);
        assert_true(c->value[k] == k + 1 && c->term[k][0] == k + 1 && c->term[k][1] == k && c->term[k][2] == -1);
        assert_true(c->pos[k + 1][0] == k && c->pos[k + 1][1] == -k);
        assert_int_equal(c->elem_edge[k], k % 3 ? -1 : k / 3);
    }
    assert_true(isnan(c->pos[0][0]) && isnan(c->ic[6]) && c->ic[7] == 2.5);
    rheo_circuit_destroy(c);
}

static void places_lead_back_to_the_text(void **state) {
    (void)state;
    rheo_circuit *c = oracle_circuit("R1 a 0 1\n  Rload a 0 2");
    const rh_loc at = rh_elem_loc(c, 1);
    assert_non_null(at.src);
    assert_string_equal(at.src->name, "cards");
    assert_int_equal(at.line, 2);
    assert_int_equal(at.col, 3);
    assert_int_equal(at.len, 5);
    rheo_circuit_destroy(c);
    rh_builder *b = rh_builder_create();
    add(b, RH_KIND_R, "R1", node(b, "a"), 0, 1);
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    assert_null(rh_elem_loc(c, 0).src);
    rheo_circuit_destroy(c);
}

/* ---- state ---- */

static void a_new_state_holds_the_values_of_the_netlist(void **state) {
    (void)state;
    rheo_circuit *c = oracle_circuit("V1 a 0 3\nR1 a b 4 *\nI1 b 0 -2m\nR2 b 0 8");
    rheo_state *st = NULL;
    CHECK_OK(rheo_state_create(&st, c, NULL));
    assert_int_equal(st->n_node, 3);
    assert_int_equal(st->n_element, 4);
    assert_int_equal(st->n_edge, 1);
    assert_true(st->g[0] == 0.25 && st->source[0] == 3 && st->source[2] == -2e-3);
    for (int i = 0; i < 3; i++) assert_true(st->v[i] == 0);
    for (int e = 0; e < 4; e++) assert_true(st->i[e] == 0);
    rheo_state_destroy(st);
    rheo_state_destroy(NULL);
    rheo_circuit_destroy(c);
}

/* ---- equality ---- */

static void circuits_are_equal_until_one_thing_changes(void **state) {
    (void)state;
    const char *const base = "V1 a 0 1\nR1 a b 2 * 1m 1 0.1\nE1 c 0 a b 2";
    const char *const changed[] = {
        "V1 a 0 1\nR1 a b 2 * 1m 1 0.1\nE1 c 0 a b 2.5",
        "V1 a 0 1\nR1 a b 2 * 1m 1 0.2\nE1 c 0 a b 2",
        "V1 a 0 1\nR1 a b 2 * 2m 1 0.1\nE1 c 0 a b 2",
        "V1 a 0 1\nR1 a b 2 * 1m 2 0.1\nE1 c 0 a b 2",
        "V1 a 0 1\nR1 a b 2\nE1 c 0 a b 2",
        "V1 a 0 1\nR1 b a 2 * 1m 1 0.1\nE1 c 0 a b 2",
        "V1 a 0 1\nR2 a b 2 * 1m 1 0.1\nE1 c 0 a b 2",
        "R1 a b 2 * 1m 1 0.1\nV1 a 0 1\nE1 c 0 a b 2",
        "V1 a 0 1\nR1 a x 2 * 1m 1 0.1\nE1 c 0 a x 2",
        "V1 a 0 1\nR1 a b 2 * 1m 1 0.1\nE1 c 0 b a 2",
        "V1 a 0 1\nR1 a b 2 * 1m 1 0.1\nE1 c 0 a b 2\nR3 a 0 1",
        "V1 a 0 1\nR1 a b 2 * 1m 1 0.1",
    };
    rheo_circuit *a = oracle_circuit(base), *same = oracle_circuit(base);
    assert_true(rh_circuit_equal(a, same));
    for (int k = 0; k < RH_COUNT(changed); k++) {
        rheo_circuit *other = oracle_circuit(changed[k]);
        if (rh_circuit_equal(a, other) || rh_circuit_equal(other, a)) fail_msg("change %d is not seen", k);
        rheo_circuit_destroy(other);
    }
    same->pos[1][0] = same->pos[1][1] = 1;
    assert_false(rh_circuit_equal(a, same));
    same->pos[1][0] = same->pos[1][1] = NAN;
    assert_true(rh_circuit_equal(a, same));
    same->ic[2] = 1;
    assert_false(rh_circuit_equal(a, same));
    rheo_circuit_destroy(a);
    rheo_circuit_destroy(same);
}

/* ---- diagnosis ---- */

typedef struct fault {
    const char *cards;
    int code, line; /* 0: sound */
    const char *msg;
} fault;

static const fault FAULTS[] = {
    { "V1 a 0 1\nR1 a b 1k\nR2 b 0 1k", 0, 0, "" },
    { "", 201, 0, "the circuit has no elements" },
    { "V1 a b 1\nR1 a b 1k", 201, 1, "no element is connected to ground (node 0)" },
    { "R1 0 0 1k", 0, 0, "" },
    { "V1 a 0 1\nR1 a 0 1\nR3 c d 1", 203, 3, "nodes c, d have no DC path to ground (joined only by R3)" },
    { "V1 a 0 1\nR1 a 0 1\n C3 a c 1n\nR4 c d 1k\nI1 c 0 0", 203, 3,
      "nodes c, d have no DC path to ground (connected only through C3 and I1)" },
    { "V1 a 0 1\nC1 a b 1n", 203, 2, "node b has no DC path to ground (connected only through C1)" },
    { "V1 a 0 1\nI1 a b 0\nI2 b 0 0\nC1 b 0 1", 203, 2,
      "node b has no DC path to ground (connected only through I1, I2 and C1)" },
    { "I1 0 b 1m\nI2 b 0 1m\nR1 a 0 1", 203, 1, "node b has no DC path to ground (connected only through I1 and I2)" },
    { "V1 a 0 1\nE1 b 0 a x 2\nR1 b 0 1", 203, 2, "node x has no DC path to ground (only sensed by E1)" },
    { "V1 a 0 1\nG1 0 b a 0 1m", 203, 2, "node b has no DC path to ground (connected only through G1)" },
    { "R0 z 0 1\nR1 a b 1\nR2 b c 1\nR3 c d 1\nR4 d e 1\nR5 e f 1\nR6 f g 1\nR7 "
      "g h 1\nR8 h i 1\nR9 i j 1",
      203, 2,
      "nodes a, b, c, d, e, f, g, h and 2 more have no DC path to ground "
      "(joined only by R1, R2, R3, R4, R5, R6, R7, R8 "
      "and 1 more)" },
    { "V1 a 0 1\nV2 a 0 2\nR1 a 0 1", 205, 1, "voltage loop V1 (a-0, 1 V) - V2 (a-0, 2 V) is inconsistent by 1 V" },
    { "V1 a 0 1\nV2 0 a 2\nR1 a 0 1", 205, 1, "voltage loop V1 (a-0, 1 V) - V2 (0-a, 2 V) is inconsistent by 3 V" },
    { "R1 a 0 1\nV1 a 0 1\nV2 a 0 1", 205, 2,
      "voltage loop V1 (a-0, 1 V) - V2 (a-0, 1 V) is inconsistent by 0 V, but "
      "any current may flow around it" },
    { "V1 a 0 0.1\nV2 b a 0.2\nV3 0 b -0.3", 205, 1,
      "voltage loop V1 (a-0, 100 mV) - V2 (b-a, 200 mV) - V3 (0-b, -300 mV) is "
      "inconsistent by 0 V, but any current may "
      "flow around it" },
    { "R1 a 0 1\nV1 a a 1.5", 205, 2, "voltage loop V1 (a-a, 1.5 V) is inconsistent by 1.5 V" },
    { "V1 a 0 1\nR1 a b 1\nR2 b 0 1\nE1 a 0 b 0 2", 205, 1,
      "voltage loop V1 (a-0, 1 V) - E1 (a-0, gain 2) has no unique current" },
    { "R1 a 0 1\nE1 a b a 0 2\nE2 a b 0 a -3", 205, 2,
      "voltage loop E1 (a-b, gain 2) - E2 (a-b, gain -3) has no unique current" },
    { "R1 a 0 1\nI1 0 c 1m\nI2 0 c -2m", 206, 2,
      "current sources I1 (1 mA) and I2 (-2 mA) form a cut set at node c; 1 mA "
      "has nowhere to go" },
    { "R1 a 0 1\nI1 a c 1m\nI2 c 0 2m", 206, 2,
      "current sources I1 (1 mA) and I2 (2 mA) form a cut set at node c; 1 mA "
      "has nowhere to go" },
    { "R1 a 0 1\nI1 a c 3m\nR2 c d 1\nC1 d 0 1n", 206, 2,
      "current source I1 (3 mA) forms a cut set at nodes c, d; 3 mA has nowhere "
      "to go" },
    /* order: an island before a loop, a loop before a cut set */
    { "I1 0 c 1\nV1 a 0 1\nV2 a 0 2\nR3 d e 1", 203, 4, "nodes d, e have no DC path to ground (joined only by R3)" },
    { "I1 0 c 1\nV1 a 0 1\nV2 a 0 2", 205, 2, "voltage loop V1 (a-0, 1 V) - V2 (a-0, 2 V) is inconsistent by 1 V" },
    /* sound, though not obviously */
    { "V1 a 0 1\nR1 a 0 -1", 0, 0, "" },
    { "V1 a 0 1\nV2 b a 1\nV3 c b 1\nR1 c 0 1", 0, 0, "" },
    { "I1 0 a 1m\nG1 a 0 a 0 1m", 0, 0, "" },                                  /* a conductance made of G */
    { "R1 a 0 1\nI1 0 a 1\nG1 a 0 b 0 1\nG2 0 b a 0 1\nC1 b 0 1n", 0, 0, "" }, /* a gyrator */
    { "E1 b 0 a 0 2\nR1 b a 1k\nI1 0 a 1m", 0, 0, "" },
};

static void shapes_are_judged_and_named(void **state) {
    (void)state;
    for (int k = 0; k < RH_COUNT(FAULTS); k++) {
        const fault *const f = &FAULTS[k];
        rheo_circuit *c = oracle_circuit(f->cards);
        rheo_error err = { 0 };
        const rheo_status st = rh_diagnose(c, NULL, NULL, &err);
        if (st != (f->code ? RHEO_E_SINGULAR : RHEO_OK) || err.code != f->code || err.line != f->line ||
            strcmp(err.msg, f->msg) != 0)
            fail_msg("circuit %d: status %d, E%d, line %d: %s", k, (int)st, err.code, err.line, err.msg);
        rheo_circuit_destroy(c);
    }
}

static void given_values_replace_those_of_the_circuit(void **state) {
    (void)state;
    rheo_circuit *c = oracle_circuit("V1 a 0 1\nR1 a b 1 *\nI1 b c 0\nV2 c 0 1\nV3 d 0 1\nR2 d 0 1");
    rheo_error err = { 0 };
    CHECK_OK(rh_diagnose(c, NULL, NULL, &err));
    const double zero[] = { 0 }, source[] = { 1, 0, 2e-3, 1, 1, 0 };
    assert_int_equal(rh_diagnose(c, zero, NULL, &err), RHEO_E_SINGULAR);
    assert_string_equal(err.msg, "node b has no DC path to ground (connected only through R1 and I1)");
    err = (rheo_error){ 0 };
    assert_int_equal(rh_diagnose(c, zero, source, &err), RHEO_E_SINGULAR);
    assert_int_equal(err.code, 206);
    CHECK_OK(rh_diagnose(c, NULL, source, NULL));
    rheo_circuit_destroy(c);
}

/* n elements of one kind in a chain 1-2-...-n+1, node 0 is not part of it. E: each is its own control, gain 2. */
static rh_builder *chain(int kind, int n) {
    rh_builder *b = rh_builder_create();
    char name[32];
    for (int k = 1; k <= n + 1; k++) {
        snprintf(name, sizeof(name), "n%d", k);
        assert_int_equal(node(b, name), k);
    }
    for (int k = 1; k <= n; k++) {
        int other;
        snprintf(name, sizeof(name), "%c%d", RH_KINDS[kind]->letter, k);
        assert_int_equal(rh_builder_element(b, kind, name, (int[]){ k + 1, k, k, k + 1 }, 1, (rh_place){ 0 }, &other),
                         k - 1);
    }
    return b;
}

/* Diagnose and give back; at any size within two seconds. */
static void expect_shape(rh_builder *b, int code, const char *start, const char *end) {
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    const double t0 = seconds();
    (void)rh_diagnose(c, NULL, NULL, &err);
    const double took = seconds() - t0;
    const size_t n = strlen(err.msg), m = strlen(end);
    if (err.code != code || strncmp(err.msg, start, strlen(start)) != 0 || n < m || strcmp(err.msg + n - m, end) != 0)
        fail_msg("%d nodes: E%d %s\nwant E%d %s ... %s", c->n_node, err.code, err.msg, code, start, end);
    if (!(took < 2)) fail_msg("%d nodes: E%d took %g s", c->n_node, code, took);
    rheo_circuit_destroy(c);
}

/* " and 12 more" and what follows, where a list of n is cut after eight. */
static const char *cut(char *to, const char *before, int n, const char *after) {
    if (n > 8)
        sprintf(to, "%s and %d more%s", before, n - 8, after);
    else
        sprintf(to, "%s%s", before, after);
    return to;
}

static void shapes_of_any_size_are_judged(void **state) {
    (void)state;
    const int sizes[] = { 3, 30, 3000, 200000 };
    for (int q = 0; q < RH_COUNT(sizes); q++) {
        const int n = sizes[q];
        char end[200];
        rh_builder *b = chain(RH_KIND_R, n); /* sound */
        add(b, RH_KIND_R, "Rg", 1, 0, 1);
        expect_shape(b, 0, "", "");

        b = chain(RH_KIND_V, n);
        add(b, RH_KIND_R, "Rg", 1, 0, 1);
        add(b, RH_KIND_V, "Vlast", 1, n + 1, 5 - n);
        expect_shape(b, 205, "voltage loop V1 (n2-n1, 1 V) - V2 (n3-n2, 1 V) - V3 ",
                     cut(end, "", n + 1, " is inconsistent by 5 V"));

        b = chain(RH_KIND_V, n); /* closed early, in the middle of a long list of other things */
        add(b, RH_KIND_R, "Rg", 1, 0, 1);
        add(b, RH_KIND_V, "Vlast", 2, 1, 1);
        expect_shape(b, 205, "voltage loop V1 (n2-n1, 1 V) - Vlast (n2-n1, 1 V) is inconsistent by 0 V",
                     "but any current may flow around it");

        b = chain(RH_KIND_E, n);
        add(b, RH_KIND_R, "Rg", 1, 0, 1);
        add(b, RH_KIND_V, "Vlast", 1, n + 1, 1);
        expect_shape(b, 205, "voltage loop E1 (n2-n1, gain 1) - E2 (n3-n2, gain 1) - E3 ",
                     cut(end, "", n + 1, " has no unique current"));

        b = chain(RH_KIND_R, n);
        add(b, RH_KIND_R, "Rg", 0, 0, 1);
        expect_shape(b, 203, "nodes n1, n2, n3, n4",
                     n == 3 ? "(joined only by R1, R2 and R3)" : cut(end, "R1, R2, R3, R4, R5, R6, R7, R8", n, ")"));

        b = chain(RH_KIND_I, n);
        add(b, RH_KIND_R, "Rg", 1, 0, 1);
        add(b, RH_KIND_I, "Ilast", n + 1, 0, -1);
        expect_shape(b, 203, "node n2 has no DC path to ground (connected only through I1 and I2)", ")");

        b = chain(RH_KIND_C, n);
        add(b, RH_KIND_R, "Rg", 1, 0, 1);
        expect_shape(b, 203, "node n2 has no DC path to ground (connected only through C1 and C2)", ")");

        b = chain(RH_KIND_R, n);
        add(b, RH_KIND_R, "Rg", 0, 0, 1);
        add(b, RH_KIND_I, "Ilast", 0, 1, 2e-3);
        expect_shape(b, 206, "current source Ilast (2 mA) forms a cut set at nodes n1, n2, n3, n4",
                     cut(end, "", n + 1, "; 2 mA has nowhere to go"));
    }
}

/* All meet at one node. */
static void hubs_are_judged_in_no_time(void **state) {
    (void)state;
    enum { N = 200000 };
    for (int kind = 0; kind < 2; kind++) {
        rh_builder *b = chain(RH_KIND_R, N);
        char name[32];
        for (int k = 0; k < N; k++) {
            snprintf(name, sizeof(name), "x%d", k);
            add(b, kind ? RH_KIND_V : RH_KIND_C, name, N + 1 - k, 0, 1);
        }
        if (kind)
            expect_shape(b, 0, "", "");
        else
            expect_shape(b, 203, "nodes n1, n2, n3, n4, n5, n6, n7, n8 and 199993 more have no DC path",
                         " and 199992 more)");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_kinds_agrees_with_its_names),
        cmocka_unit_test(laws_say_what_their_kind_is),
        cmocka_unit_test(nodes_and_elements_are_found_in_either_case),
        cmocka_unit_test(bounds_have_defaults_and_clip_the_start),
        cmocka_unit_test(a_second_learn_changes_only_what_it_names),
        cmocka_unit_test(large_circuits_keep_every_element),
        cmocka_unit_test(places_lead_back_to_the_text),
        cmocka_unit_test(a_new_state_holds_the_values_of_the_netlist),
        cmocka_unit_test(circuits_are_equal_until_one_thing_changes),
        cmocka_unit_test(shapes_are_judged_and_named),
        cmocka_unit_test(given_values_replace_those_of_the_circuit),
        cmocka_unit_test(shapes_of_any_size_are_judged),
        cmocka_unit_test(hubs_are_judged_in_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
