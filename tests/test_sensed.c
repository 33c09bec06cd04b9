/* Sources that sense a current: Kirchhoff and their own equations on random networks, the transposed system, and the
 * bidirectional amplifier. */
#include "check.h"
#include "oracle.h"

#include "rheo/netlist.h"
#include "rheo/solver.h"
#include "solver/solver.h"

static double uniform(uint64_t seed, uint64_t *k) { return rh_random_unit(seed, 3, (*k)++); }

static rheo_circuit *parse(const char *text, const char *root) {
    rheo_netlist_def def = rheo_netlist_default();
    def.root = root;
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    if (rheo_netlist_parse(&c, text, strlen(text), "text", &def, NULL, &err) != RHEO_OK)
        fail_msg("%s\n%s", err.msg, text);
    return c;
}

/* A ring with chords; sensed sources in series with resistors, one of them a grounded input; F and H between nodes. */
static rheo_circuit *random_circuit(uint64_t seed) {
    rh_buf b = { 0 };
    uint64_t k = 0;
    const int n = 5 + (int)(10 * uniform(seed, &k));
    rh_buf_puts(&b, "t\n*@ rheo version=1\nVin n1 0 1\nV0 n2 0 -0.5\n");
    for (int i = 1; i <= n; i++) {
        rh_buf_printf(&b, "Ra%d n%d n%d %d\n", i, i, i % n + 1, 100 + (int)(1e4 * uniform(seed, &k)));
        rh_buf_printf(&b, i % 3 ? "Rb%d n%d n%d 3k\n" : "Rb%d n%d 0 %dk\n", i, i, 1 + (int)(n * uniform(seed, &k)));
    }
    for (int i = 1; i <= 3; i++) {
        const int p = 1 + (int)(n * uniform(seed, &k)), q = 1 + (int)(n * uniform(seed, &k));
        rh_buf_printf(&b, "Vs%d n%d s%d %d\nRs%d s%d n%d 1k\n", i, p, i, i - 2, i, i, q);
        rh_buf_printf(&b, "F%d n%d n%d %s%d %d\n", i, q, 1 + (int)(n * uniform(seed, &k)), "Vs", 1 + i % 3, i - 3);
        rh_buf_printf(&b, "H%d h%d n%d %s %d\nRh%d h%d 0 2k\n", i, i, p, i == 1 ? "Vin" : "Vs2", 300 * i - 400, i, i);
    }
    rh_buf_puts(&b, "*@ learn Ra*\n");
    rheo_circuit *c = parse(b.s, NULL);
    rh_buf_free(&b);
    return c;
}

static void equations_hold(const rheo_circuit *c, const rheo_state *st) {
    double most = 0;
    for (int e = 0; e < c->n_elem; e++) most = fmax(most, fabs(st->i[e]));
    CHECK_NEAR(oracle_kcl(c, st->i), 0, 1e-12);
    CHECK_NEAR(oracle_power(c, st->v, st->i), 0, 1e-12);
    for (int e = 0; e < c->n_elem; e++) {
        const int ctrl = c->elem_ctrl[e], *const t = c->term[e];
        if (c->kind[e] == RH_KIND_F) CHECK_NEAR(st->i[e], c->value[e] * st->i[ctrl], 1e-13 * most);
        if (c->kind[e] == RH_KIND_H)
            CHECK_NEAR(st->v[t[0]] - st->v[t[1]], c->value[e] * st->i[ctrl], 1e-12 * fabs(c->value[e]) * most + 1e-15);
    }
}

/* The answer between two nodes for 1 A into another pair is that of the transposed system with the pairs exchanged. */
static void transposed_answers_mirror(rheo_solver *s, int n_node) {
    double x[64] = { 0 }, y[64] = { 0 };
    for (int a = 3; a + 1 < n_node; a += 2) {
        rh_solver_inject(s, a, 0, 1, x);
        rh_solver_apply(s, 1, x, false);
        CHECK_OK(rh_solver_settle(s, NULL, a, 0, false, x, NULL));
        rh_solver_inject(s, a + 1, 0, 1, y);
        rh_solver_apply(s, 1, y, true);
        CHECK_OK(rh_solver_settle(s, NULL, a + 1, 0, true, y, NULL));
        CHECK_REL(y[rh_solver_unknown(s, a)], x[rh_solver_unknown(s, a + 1)], 1e-9);
        memset(x, 0, sizeof x);
        memset(y, 0, sizeof y);
    }
}

static void random_networks_keep_their_equations(void **state) {
    (void)state;
    int solved = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        rheo_circuit *c = random_circuit(seed);
        rheo_solver *s = NULL;
        rheo_state *st = NULL;
        CHECK_OK(rheo_solver_open(&s, c, NULL, NULL, NULL));
        CHECK_OK(rheo_state_create(&st, c, NULL));
        if (rheo_solver_solve(s, st, NULL) == RHEO_OK) {
            equations_hold(c, st);
            transposed_answers_mirror(s, c->n_node);
            solved++;
        }
        rheo_state_destroy(st);
        rheo_solver_close(s);
        rheo_circuit_destroy(c);
    }
    assert_true(solved >= 190);
}

/* Voltage times A forward, current divided by A back. */
static void a_bidirectional_amplifier(void **state) {
    (void)state;
    rheo_circuit *c = parse(
        "t\n.include bidiramp.inc\nV1 a 0 1\nR1 a b 1k\nX1 b c bidiramp A=4\nR2 c d 2k\nV2 d 0 0.3\n", "netlists");
    rheo_solver *s = NULL;
    rheo_state *st = NULL;
    CHECK_OK(rheo_solver_open(&s, c, NULL, NULL, NULL));
    CHECK_OK(rheo_state_create(&st, c, NULL));
    CHECK_OK(rheo_solver_solve(s, st, NULL));
    /* (1 - b)/1k = (4 b - 0.3)/2k / 4 */
    const double b = (1 + 0.3 / 8) / 1.5;
    CHECK_NEAR(st->v[rheo_circuit_find_node(c, "b")], b, 1e-14);
    CHECK_NEAR(st->v[rheo_circuit_find_node(c, "c")], 4 * b, 1e-14);
    equations_hold(c, st);
    rheo_state_destroy(st);
    rheo_solver_close(s);
    rheo_circuit_destroy(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_networks_keep_their_equations),
        cmocka_unit_test(a_bidirectional_amplifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
