/* Tests of solver: closed forms, a dense recomputation of random circuits, and what it must refuse or keep to the
 * byte. */
#include "check.h"
#include "count_alloc.h"
#include "oracle.h"

#include "rheo/solver.h"
#include "solver/solver.h"

#include <float.h>

/* ---- a circuit with its solver and state ---- */

typedef struct bench {
    rheo_circuit *c;
    rheo_solver *s;
    rheo_state *st;
} bench;

static bench setup_circuit(rheo_circuit *c) {
    bench t = { .c = c };
    rheo_error err = { 0 };
    if (rheo_solver_open(&t.s, t.c, NULL, NULL, &err) != RHEO_OK) fail_msg("open: %s", err.msg);
    CHECK_OK(rheo_state_create(&t.st, t.c, NULL));
    return t;
}

static bench setup(const char *cards) { return setup_circuit(oracle_circuit(cards)); }

static void teardown(bench *t) {
    rheo_solver_close(t->s);
    rheo_state_destroy(t->st);
    rheo_circuit_destroy(t->c);
}

static void solve(bench *t) {
    rheo_error err = { 0 };
    if (rheo_solver_solve(t->s, t->st, &err) != RHEO_OK) fail_msg("solve: %s", err.msg);
}

static double volt(const bench *t, const char *node) { return t->st->v[rheo_circuit_find_node(t->c, node)]; }
static double amp(const bench *t, const char *elem) { return t->st->i[rheo_circuit_find_element(t->c, elem)]; }

static double unit(uint64_t seed, uint64_t *at) { return rh_random_unit(seed, 77, (*at)++); }
static int below(uint64_t seed, uint64_t *at, int n) { return (int)(unit(seed, at) * n); }

/* ---- closed forms ---- */

static void divider_and_signs(void **state) {
    (void)state;
    bench t = setup("V1 in 0 3\nR1 in out 1k\nR2 out 0 2k *");
    solve(&t);
    CHECK_REL(volt(&t, "out"), 2, 1e-14);
    CHECK_REL(volt(&t, "in"), 3, 0);
    CHECK_REL(amp(&t, "R1"), 1e-3, 1e-13);
    CHECK_REL(amp(&t, "R2"), 1e-3, 1e-13);
    CHECK_REL(amp(&t, "V1"), -1e-3, 1e-13); /* into + through the source: a source
                                             * that delivers has a negative one */
    t.st->g[0] = 1e-3;
    t.st->source[0] = -4;
    solve(&t);
    CHECK_REL(volt(&t, "out"), -2, 1e-14);
    teardown(&t);
}

static void current_flows_from_first_to_second_node_of_a_source(void **state) {
    (void)state;
    bench t = setup("I1 0 a 2m\nR1 a 0 1k");
    solve(&t);
    CHECK_REL(volt(&t, "a"), 2, 1e-14);
    CHECK_REL(amp(&t, "I1"), 2e-3, 0);
    CHECK_REL(amp(&t, "R1"), 2e-3, 1e-13);
    teardown(&t);
}

/* Equal R in series and to ground: the input resistance tends to the golden ratio, node potentials are Fibonacci
 * numbers. */
static void ladder_of_equal_resistors_counts_fibonacci(void **state) {
    (void)state;
    enum { N = 20 };
    char cards[2000], *p = cards;
    for (int k = 1; k <= N; k++) {
        p += sprintf(p, "Ra%d n%d n%d 1 *\n", k, k - 1, k);
        p += sprintf(p, "Rb%d n%d 0 1\n", k, k);
    }
    sprintf(p, "V1 n0 0 1");
    bench t = setup(cards);
    solve(&t);
    double fib[2 * N + 2] = { 1, 1 };
    for (int k = 2; k < 2 * N + 2; k++) fib[k] = fib[k - 1] + fib[k - 2];
    for (int k = 0; k <= N; k++) { /* from the far end: 1, 2, 5, 13, ... */
        char node[16];
        sprintf(node, "n%d", k);
        CHECK_REL(volt(&t, node), fib[2 * (N - k)] / fib[2 * N], 1e-12);
    }
    CHECK_REL(-amp(&t, "V1"), fib[2 * N - 1] / fib[2 * N], 1e-12);
    teardown(&t);
}

static void wheatstone_bridge_balances(void **state) {
    (void)state;
    bench t = setup("V1 t 0 5\nR1 t a 100\nR2 a 0 200\nR3 t b 300 *\nR4 b 0 600\nR5 a b 50");
    solve(&t);
    CHECK_NEAR(amp(&t, "R5"), 0, 1e-15);
    CHECK_REL(volt(&t, "a"), 10.0 / 3, 1e-14);
    t.st->g[0] = 1 / 600.0;
    solve(&t);
    /* Thevenin of each half: a 10/3 V behind 200/3 ohm, b 2.5 V behind 300 ohm */
    CHECK_REL(amp(&t, "R5"), (10.0 / 3 - 2.5) / (200.0 / 3 + 300 + 50), 1e-12);
    teardown(&t);
}

/* Kennelly: a star of conductances g1..g4 equals the mesh of gi gj / sum. */
static void star_equals_mesh(void **state) {
    (void)state;
    const double g[] = { 1e-3, 2e-3, 5e-3, 7e-4 }, sum = g[0] + g[1] + g[2] + g[3];
    const char *const source = "I1 0 p 1m\nI2 q r 3m\nRg s 0 10\n";
    char star[500], mesh[1500], *p = mesh + sprintf(mesh, "%s", source);
    sprintf(star, "%sR1 p m %.17g\nR2 q m %.17g\nR3 r m %.17g\nR4 s m %.17g", source, 1 / g[0], 1 / g[1], 1 / g[2],
            1 / g[3]);
    for (int i = 0; i < 4; i++)
        for (int j = i + 1; j < 4; j++)
            p += sprintf(p, "R%d%d %c %c %.17g\n", i, j, "pqrs"[i], "pqrs"[j], sum / g[i] / g[j]);
    bench a = setup(star), b = setup(mesh);
    solve(&a);
    solve(&b);
    for (int i = 0; i < 4; i++) {
        const char name[] = { "pqrs"[i], 0 };
        CHECK_REL(volt(&a, name), volt(&b, name), 1e-12);
    }
    teardown(&a);
    teardown(&b);
}

static void controlled_sources_follow_their_card(void **state) {
    (void)state;
    bench t = setup("V1 in 0 0.5\nE1 e 0 in 0 4\nR1 e 0 100\nG1 0 g in 0 2m\nR2 "
                    "g 0 1k\nE2 x y g 0 3\nR3 x 0 1k\nR4 y 0 2k");
    solve(&t);
    CHECK_REL(volt(&t, "e"), 2, 1e-14);
    CHECK_REL(amp(&t, "E1"), -0.02, 1e-13);
    CHECK_REL(volt(&t, "g"), 1, 1e-13);
    CHECK_REL(amp(&t, "G1"), 1e-3, 1e-13);
    CHECK_REL(volt(&t, "x"), 1, 1e-13); /* 3 V over 1k and 2k in series */
    CHECK_REL(volt(&t, "y"), -2, 1e-13);
    CHECK_REL(amp(&t, "E2"), -1e-3, 1e-13);
    teardown(&t);
}

static void known_potentials_are_not_unknowns(void **state) {
    (void)state;
    bench t = setup("V1 a 0 1\nV2 b a 2\nV3 c b -0.5\nR1 c 0 1\nR2 b 0 2\nR3 a 0 4");
    assert_int_equal(rh_solver_n_unknown(t.s), 0);
    solve(&t);
    CHECK_REL(volt(&t, "c"), 2.5, 0);
    CHECK_REL(amp(&t, "V3"), -2.5, 1e-15);
    CHECK_REL(amp(&t, "V2"), -4, 1e-15);
    CHECK_REL(amp(&t, "V1"), -4.25, 1e-15);
    teardown(&t);
    t = setup("R9 c 0 1\nV1 0 a 1\nR1 a b 1\nV2 c d 1\nR2 b d 1");
    assert_int_equal(rh_solver_n_unknown(t.s), 4); /* b, c, d and the current of V2 */
    assert_int_equal(rh_solver_unknown(t.s, rheo_circuit_find_node(t.c, "a")), -1);
    assert_int_equal(rh_solver_unknown(t.s, 0), -1);
    solve(&t);
    CHECK_REL(volt(&t, "a"), -1, 0);
    CHECK_NEAR(amp(&t, "V2"), 0, 1e-15); /* -1 V and +1 V around the loop */
    assert_int_equal(rheo_solver_statistics(t.s).n_unknown, 4);
    teardown(&t);
}

static void elements_on_one_node_carry_nothing_elsewhere(void **state) {
    (void)state;
    bench t = setup("V1 a 0 1\nR1 a b 1 *\nR2 b 0 1\nR3 b b 1 *\nR4 0 0 1 *\nI1 "
                    "b b 7\nC1 a b 1n");
    solve(&t);
    CHECK_REL(volt(&t, "b"), 0.5, 1e-15);
    assert_true(amp(&t, "R3") == 0 && amp(&t, "R4") == 0 && amp(&t, "C1") == 0);
    CHECK_REL(amp(&t, "I1"), 7, 0);
    teardown(&t);
    t = setup("R1 0 0 1");
    solve(&t);
    assert_true(t.st->i[0] == 0 && t.st->v[0] == 0);
    teardown(&t);
}

/* ---- random circuits against LAPACK ---- */

static size_t put_nodes(uint64_t seed, uint64_t *at, int n, int count, char *to) {
    size_t used = 0;
    for (int k = 0; k < count; k++) used += (size_t)sprintf(to + used, " %d", below(seed, at, n));
    return used;
}

/* A tree of resistors to ground keeps every node connected; the rest goes anywhere. cards: 40000 bytes are plenty. */
static void random_cards(uint64_t seed, bool reciprocal, char *cards) {
    uint64_t at = 0;
    const int n = 2 + below(seed, &at, 59), extra = 1 + below(seed, &at, 2 * n);
    char *p = cards;
    for (int k = 1; k < n; k++) {
        p += sprintf(p, "R%d %d %d", k, k, below(seed, &at, k));
        p += sprintf(p, " %.6g", pow(10, 4 * unit(seed, &at)));
        p += sprintf(p, "%s\n", unit(seed, &at) < 0.5 ? " *" : "");
    }
    for (int k = n; k < n + extra; k++) {
        const double u = unit(seed, &at), x = 2 * unit(seed, &at) - 1;
        const char letter = "RVIEG"[u < 0.6 ? 0 : u < 0.7 ? 1 : u < 0.85 || reciprocal ? 2 : u < 0.92 ? 3 : 4];
        const double value = letter == 'R'   ? pow(10, 4 * fabs(x))
                             : letter == 'G' ? 1e-5 * x
                             : letter == 'I' ? 1e-3 * x
                                             : x;
        p += sprintf(p, "%c%d", letter, k);
        p += put_nodes(seed, &at, n, letter == 'E' || letter == 'G' ? 4 : 2, p);
        p += sprintf(p, " %.6g%s\n", value, letter == 'R' && k % 3 == 0 ? " *" : "");
    }
}

static double largest(const double *x, int n) {
    double m = 0;
    for (int k = 0; k < n; k++) m = fabs(x[k]) > m ? fabs(x[k]) : m;
    return m;
}

static void compare_with_dense(bench *t, uint64_t seed) {
    const int n = t->c->n_node, m = t->c->n_elem;
    double *v = calloc((size_t)n, sizeof(double)), *i = calloc((size_t)m, sizeof(double));
    if (!oracle_solve(t->c, t->st->g, t->st->source, v, i)) fail_msg("circuit %d: dgesv finds it singular", (int)seed);
    const double tol_v = 1e-10 * largest(v, n), tol_i = 1e-10 * largest(i, m);
    for (int k = 0; k < n; k++) CHECK_NEAR(t->st->v[k], v[k], tol_v);
    for (int k = 0; k < m; k++) CHECK_NEAR(t->st->i[k], i[k], tol_i);
    CHECK_NEAR(oracle_kcl(t->c, t->st->i), 0, 1e-10);
    CHECK_NEAR(oracle_power(t->c, t->st->v, t->st->i), 0, 1e-10);
    free(v);
    free(i);
}

static void change_values(bench *t, uint64_t seed, uint64_t *at) {
    for (int k = 0; k < t->c->n_edge; k++) t->st->g[k] *= pow(10, 2 * unit(seed, at) - 1);
    for (int e = 0; e < t->c->n_elem; e++) t->st->source[e] *= 2 * unit(seed, at) - 1;
}

static void random_circuits_agree_with_dense_elimination(void **state) {
    (void)state;
    static char cards[40000];
    int n_sound = 0, n_branch = 0;
    for (uint64_t seed = 1; n_sound < 300; seed++) {
        assert_true(seed < 3000);
        random_cards(seed, seed % 3 == 0, cards);
        rheo_circuit *c = oracle_circuit(cards);
        if (rh_diagnose(c, NULL, NULL, NULL) != RHEO_OK) { /* a loop of V and E */
            rheo_circuit_destroy(c);
            continue;
        }
        bench t = setup_circuit(c);
        uint64_t at = 1000000;
        for (int round = 0; round < 3; round++) {
            solve(&t);
            compare_with_dense(&t, seed);
            change_values(&t, seed, &at);
        }
        for (int e = 0; e < c->n_elem; e++) n_branch += (RH_KINDS[c->kind[e]]->flags & RH_BRANCH) != 0;
        n_sound++;
        teardown(&t);
    }
    assert_true(n_branch > 300);
}

/* ---- pieces that training uses ---- */

static const char *const MIXED = "V1 a 0 1\nV2 b a 0.5\nR1 a c 100 *\nR2 c d 200 *\nR3 d 0 300 *\nR4 b d "
                                 "400 *\nR5 c e 500\n"
                                 "V3 e f 0.2\nR6 f 0 600 *\nE1 h 0 c d 2\nR7 h k 700 *\nG1 k 0 d f 1m\nR8 k "
                                 "0 800 *\nI1 0 k 1m\nR9 a b 90 *";

static void pieces_add_up_to_the_operating_point(void **state) {
    (void)state;
    bench t = setup(MIXED);
    const int n = rh_solver_n_unknown(t.s);
    double *b = calloc((size_t)n, 8), *x = calloc((size_t)n, 8), v[16], drop[16];
    solve(&t);
    CHECK_OK(rh_solver_factor(t.s, t.st->g, NULL));
    rh_solver_rhs(t.s, t.st->source, b);
    memcpy(x, b, sizeof(double) * (size_t)n);
    rh_solver_apply(t.s, 1, x, false);
    CHECK_OK(rh_solver_check(t.s, b, x, NULL));
    rh_solver_potentials(t.s, t.st->source, x, v);
    rh_solver_drops(t.s, t.st->source, x, drop);
    for (int i = 0; i < t.c->n_node; i++) CHECK_NEAR(v[i], t.st->v[i], 1e-13);
    for (int k = 0; k < t.c->n_edge; k++) {
        const int *const term = t.c->term[t.c->edge_elem[k]];
        CHECK_NEAR(drop[k], v[term[0]] - v[term[1]], 0);
    }
    rh_solver_potentials(t.s, NULL, x, v);
    rh_solver_drops(t.s, NULL, x, drop);
    for (int i = 0; i < t.c->n_node; i++)
        assert_true(v[i] == (rh_solver_unknown(t.s, i) >= 0 ? x[rh_solver_unknown(t.s, i)] : 0));
    for (int k = 0; k < t.c->n_edge; k++) {
        const int *const term = t.c->term[t.c->edge_elem[k]];
        CHECK_NEAR(drop[k], v[term[0]] - v[term[1]], 0);
    }
    x[0] += 1e-6;
    assert_int_equal(rh_solver_check(t.s, b, x, NULL), RHEO_E_SINGULAR);
    x[0] = NAN;
    assert_int_equal(rh_solver_check(t.s, b, x, NULL), RHEO_E_SINGULAR);
    free(b);
    free(x);
    teardown(&t);
}

/* Superposition: an injected current is a current source. */
static void injection_is_a_current_source(void **state) {
    (void)state;
    bench t = setup(MIXED);
    bench u = setup("V1 a 0 1\nV2 b a 0.5\nR1 a c 100 *\nR2 c d 200 *\nR3 d 0 "
                    "300 *\nR4 b d 400 *\nR5 c e 500\n"
                    "V3 e f 0.2\nR6 f 0 600 *\nE1 h 0 c d 2\nR7 h k 700 *\nG1 k "
                    "0 d f 1m\nR8 k 0 800 *\nI1 0 k 1m\nR9 a b 90 *\n"
                    "I2 d c 3m\nI3 a k 2m");
    const int n = rh_solver_n_unknown(t.s);
    double *b = calloc((size_t)n, 8), v[16];
    const int a = rheo_circuit_find_node(t.c, "a"), c = rheo_circuit_find_node(t.c, "c");
    const int d = rheo_circuit_find_node(t.c, "d"), k = rheo_circuit_find_node(t.c, "k");
    CHECK_OK(rh_solver_factor(t.s, t.st->g, NULL));
    rh_solver_rhs(t.s, t.st->source, b);
    rh_solver_inject(t.s, c, d, 3e-3, b);
    rh_solver_inject(t.s, k, a, 2e-3, b); /* a is fixed: no effect there */
    rh_solver_apply(t.s, 1, b, false);
    rh_solver_potentials(t.s, t.st->source, b, v);
    solve(&u);
    for (int i = 0; i < t.c->n_node; i++) CHECK_NEAR(v[i], u.st->v[i], 1e-12);
    free(b);
    teardown(&t);
    teardown(&u);
}

/* Inverse of the matrix, column by column; transposed: of its transpose. */
static double *inverse(bench *t, bool transposed) {
    const int n = rh_solver_n_unknown(t->s);
    double *x = calloc((size_t)n * (size_t)n, 8);
    for (int k = 0; k < n; k++) x[k * n + k] = 1;
    CHECK_OK(rh_solver_factor(t->s, t->st->g, NULL));
    rh_solver_apply(t->s, n, x, transposed);
    return x;
}

static void transposed_solve_is_that_of_the_transpose(void **state) {
    (void)state;
    bench t = setup(MIXED);
    const int n = rh_solver_n_unknown(t.s);
    double *a = inverse(&t, false), *b = inverse(&t, true), asymmetry = 0;
    const double size = largest(a, n * n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            CHECK_NEAR(a[i * n + j], b[j * n + i], 1e-13 * size);
            asymmetry = fmax(asymmetry, fabs(a[i * n + j] - a[j * n + i]));
        }
    assert_true(asymmetry > 1e-3 * size); /* else the test would prove nothing */
    free(a);
    free(b);
    teardown(&t);
}

static void resistor_networks_are_reciprocal(void **state) {
    (void)state;
    static char cards[40000];
    int n_checked = 0;
    for (uint64_t seed = 1; seed < 60; seed++) {
        random_cards(seed, true, cards);
        rheo_circuit *c = oracle_circuit(cards);
        if (rh_diagnose(c, NULL, NULL, NULL) != RHEO_OK) {
            rheo_circuit_destroy(c);
            continue;
        }
        bench t = setup_circuit(c);
        const int n = rh_solver_n_unknown(t.s);
        double *a = inverse(&t, false);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < i; j++) CHECK_NEAR(a[i * n + j], a[j * n + i], 1e-10 * largest(a, n * n));
        free(a);
        teardown(&t);
        n_checked++;
    }
    assert_true(n_checked > 10);
}

/* ---- the same bytes ---- */

/* n x n grid of learnable resistors, two opposite corners driven. */
static rheo_circuit *grid(int n) {
    rh_builder *b = rh_builder_create();
    char name[32];
    int other, term[4] = { 0, 0, -1, -1 };
    for (int i = 0; i < n * n; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(rh_builder_node(b, name, strlen(name)), i + 1);
    }
    for (int i = 0; i < n * n; i++)
        for (int way = 0; way < 2; way++) {
            if (way ? i / n == n - 1 : i % n == n - 1) continue;
            snprintf(name, sizeof(name), "R%d_%d", i, way);
            term[0] = i + 1;
            term[1] = way ? i + n + 1 : i + 2;
            const int e = rh_builder_element(b, RH_KIND_R, name, term, 1000, (rh_place){ 0 }, &other);
            CHECK_OK(rh_builder_learn(b, e, NAN, NAN, NAN));
        }
    rh_builder_element(b, RH_KIND_V, "V1", (int[]){ 1, 0, -1, -1 }, 1, (rh_place){ 0 }, &other);
    rh_builder_element(b, RH_KIND_R, "Rload", (int[]){ n * n, 0, -1, -1 }, 50, (rh_place){ 0 }, &other);
    rheo_circuit *c = NULL;
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    return c;
}

static void spread(double *g, int n, uint64_t seed) {
    for (int k = 0; k < n; k++) g[k] = 1e-3 * pow(10, 3 * rh_random_unit(seed, 5, (uint64_t)k) - 1.5);
}

static void a_column_does_not_depend_on_its_neighbours(void **state) {
    (void)state;
    enum { MANY = 9 };
    bench t[] = { setup_circuit(grid(12)), setup(MIXED) };
    for (int q = 0; q < 2; q++) {
        const size_t n = (size_t)rh_solver_n_unknown(t[q].s);
        double *b = calloc(n * MANY, 8), *x = calloc(n * MANY, 8), *y = calloc(n, 8);
        spread(t[q].st->g, t[q].c->n_edge, 3);
        CHECK_OK(rh_solver_factor(t[q].s, t[q].st->g, NULL));
        for (size_t k = 0; k < n * MANY; k++) b[k] = rh_random_normal(1, 2, k);
        for (int transposed = 0; transposed < 2; transposed++)
            for (int m = 1; m <= MANY; m++) {
                memcpy(x, b, n * MANY * 8);
                rh_solver_apply(t[q].s, m, x, transposed);
                for (int k = 0; k < m; k++) {
                    memcpy(y, b + (size_t)k * n, n * 8);
                    rh_solver_apply(t[q].s, 1, y, transposed);
                    assert_memory_equal(y, x + (size_t)k * n, n * 8);
                }
            }
        free(b);
        free(x);
        free(y);
        teardown(&t[q]);
    }
}

static void answer_at(bench *t, const double *g, double *x) {
    CHECK_OK(rh_solver_factor(t->s, g, NULL));
    rh_solver_rhs(t->s, t->st->source, x);
    rh_solver_apply(t->s, 1, x, false);
}

static void pivots_can_be_taken_up_again_to_the_byte(void **state) {
    (void)state;
    for (int q = 0; q < 2; q++) {
        bench a = q ? setup(MIXED) : setup_circuit(grid(10)), b = q ? setup(MIXED) : setup_circuit(grid(10));
        const int n = rh_solver_n_unknown(a.s), n_edge = a.c->n_edge;
        double *x = calloc((size_t)n, 8), *y = calloc((size_t)n, 8), *g = calloc((size_t)n_edge, 8);
        assert_null(rh_solver_pivot_g(a.s));
        for (uint64_t step = 1; step < 6; step++) {
            spread(g, n_edge, step);
            answer_at(&a, g, x);
        }
        CHECK_OK(rh_solver_pivot_at(b.s, rh_solver_pivot_g(a.s), NULL));
        assert_memory_equal(rh_solver_pivot_g(b.s), rh_solver_pivot_g(a.s), (size_t)n_edge * 8);
        answer_at(&b, g, y);
        assert_memory_equal(x, y, (size_t)n * 8);
        for (uint64_t step = 6; step < 9; step++) {
            spread(g, n_edge, step);
            answer_at(&a, g, x);
            answer_at(&b, g, y);
            assert_memory_equal(x, y, (size_t)n * 8);
        }
        answer_at(&a, rh_solver_pivot_g(a.s), x); /* where they were chosen, too */
        CHECK_OK(rh_solver_pivot_at(b.s, rh_solver_pivot_g(a.s), NULL));
        answer_at(&b, rh_solver_pivot_g(a.s), y);
        assert_memory_equal(x, y, (size_t)n * 8);
        free(x);
        free(y);
        free(g);
        teardown(&a);
        teardown(&b);
    }
}

/* After 200 changes by decades, a fresh solver told of the last pivots answers with the same bytes. */
static void pivots_after_many_changes_are_taken_up_to_the_byte(void **state) {
    (void)state;
    for (int q = 0; q < 2; q++) {
        bench a = q ? setup(MIXED) : setup_circuit(grid(6));
        const int n = rh_solver_n_unknown(a.s), n_edge = a.c->n_edge;
        double *x = calloc((size_t)n, 8), *y = calloc((size_t)n, 8), *g = calloc((size_t)n_edge, 8);
        int n_sound = 0;
        for (uint64_t step = 0; step < 200; step++) {
            const double decades = step % 10 == 9 ? 24 : 6;
            for (int k = 0; k < n_edge; k++)
                g[k] = 1e-3 * pow(10, decades * (rh_random_unit(4, step, (uint64_t)k) - 0.5));
            if (rh_solver_factor(a.s, g, NULL) != RHEO_OK) continue;
            answer_at(&a, g, x);
            bench b = q ? setup(MIXED) : setup_circuit(grid(6));
            CHECK_OK(rh_solver_pivot_at(b.s, rh_solver_pivot_g(a.s), NULL));
            answer_at(&b, g, y);
            assert_memory_equal(x, y, (size_t)n * 8);
            teardown(&b);
            n_sound++;
        }
        assert_true(n_sound > 150);
        free(x);
        free(y);
        free(g);
        teardown(&a);
    }
}

/* The first factorisation chooses pivots, a later one keeps them: the same values, the same bytes. */
static void fresh_and_kept_pivots_give_the_same_bytes(void **state) {
    (void)state;
    static char cards[40000];
    int n_checked = 0;
    for (uint64_t seed = 5000; n_checked < 100; seed++) {
        random_cards(seed, seed % 2 == 0, cards);
        rheo_circuit *c = oracle_circuit(cards);
        if (rh_diagnose(c, NULL, NULL, NULL) != RHEO_OK) {
            rheo_circuit_destroy(c);
            continue;
        }
        bench t = setup_circuit(c);
        const size_t n = (size_t)rh_solver_n_unknown(t.s);
        double *x = calloc(n + 1, 8), *y = calloc(n + 1, 8), *g = calloc((size_t)c->n_edge + 1, 8);
        answer_at(&t, t.st->g, x);
        for (int k = 0; k < c->n_edge; k++) g[k] = 1.5 * t.st->g[k];
        answer_at(&t, g, y);
        answer_at(&t, t.st->g, y);
        const rheo_solver_stats stats = rheo_solver_statistics(t.s);
        assert_true(n == 0 || (stats.n_pivot == 1 && stats.n_refactor == 2));
        assert_memory_equal(x, y, n * 8);
        free(x);
        free(y);
        free(g);
        teardown(&t);
        n_checked++;
    }
}

static void steps_allocate_nothing(void **state) {
    (void)state;
    if (!COUNTING) skip();
    bench t = setup_circuit(grid(10));
    const int n = rh_solver_n_unknown(t.s);
    double *x = calloc((size_t)n * 6, 8), *b = calloc((size_t)n, 8), *drop = calloc((size_t)t.c->n_edge, 8);
    solve(&t);
    const long before = n_alloc;
    for (uint64_t step = 1; step < 20; step++) {
        spread(t.st->g, t.c->n_edge, step);
        if (rh_solver_factor(t.s, t.st->g, NULL) != RHEO_OK) fail();
        rh_solver_rhs(t.s, t.st->source, b);
        for (int k = 0; k < 6; k++) memcpy(x + k * n, b, sizeof(double) * (size_t)n);
        rh_solver_apply(t.s, 6, x, false);
        rh_solver_apply(t.s, 5, x + n, true);
        if (rh_solver_check(t.s, b, x, NULL) != RHEO_OK) fail();
        rh_solver_drops(t.s, t.st->source, x, drop);
        if (rheo_solver_solve(t.s, t.st, NULL) != RHEO_OK) fail();
    }
    assert_int_equal(n_alloc, before);
    const rheo_solver_stats stats = rheo_solver_statistics(t.s);
    assert_int_equal(stats.n_pivot, 1);
    assert_true(stats.n_refactor >= 38 && stats.n_solve >= 19 * 12);
    assert_true(stats.n_nonzero >= n && stats.n_factor >= stats.n_nonzero && stats.residual <= 1e-14);
    free(x);
    free(b);
    free(drop);
    teardown(&t);
}

/* Two solvers of one circuit, used in turns, do not disturb each other. */
static void solvers_of_one_circuit_are_independent(void **state) {
    (void)state;
    bench t = setup(MIXED);
    rheo_solver *other = NULL;
    CHECK_OK(rheo_solver_open(&other, t.c, NULL, NULL, NULL));
    assert_ptr_equal(rheo_solver_circuit(other), t.c);
    const int n = rh_solver_n_unknown(t.s);
    double *x = calloc((size_t)n, 8), *y = calloc((size_t)n, 8), g[16];
    answer_at(&t, t.st->g, x);
    spread(g, t.c->n_edge, 9);
    CHECK_OK(rh_solver_factor(other, g, NULL));
    rh_solver_rhs(t.s, t.st->source, y);
    rh_solver_apply(t.s, 1, y, false);
    assert_memory_equal(x, y, (size_t)n * 8);
    free(x);
    free(y);
    rheo_solver_close(other);
    rheo_solver_close(NULL);
    teardown(&t);
}

/* ---- what must be refused ---- */

static void expect(const char *cards, rheo_status status, int code, int line, const char *msg) {
    rheo_circuit *c = oracle_circuit(cards);
    rheo_solver *s = NULL;
    rheo_state *st = NULL;
    rheo_error err = { 0 };
    CHECK_OK(rheo_state_create(&st, c, NULL));
    rheo_status got = rheo_solver_open(&s, c, NULL, NULL, &err);
    for (int i = 0; i < c->n_node; i++) st->v[i] = 7;
    for (int e = 0; e < c->n_elem; e++) st->i[e] = 8;
    if (got == RHEO_OK) got = rheo_solver_solve(s, st, &err);
    if (got != status || err.code != code || err.line != line || strcmp(err.msg, msg) != 0)
        fail_msg("%s\n-> status %d, E%d, line %d: %s", cards, (int)got, err.code, err.line, err.msg);
    for (int i = 0; i < c->n_node; i++) assert_true(st->v[i] == 7); /* as they were */
    for (int e = 0; e < c->n_elem; e++) assert_true(st->i[e] == 8);
    rheo_solver_close(s);
    rheo_state_destroy(st);
    rheo_circuit_destroy(c);
}

static void degenerate_circuits_are_refused_by_name(void **state) {
    (void)state;
    expect("", RHEO_E_SINGULAR, 201, 0, "the circuit has no elements");
    expect("V1 a 0 1\nR1 a 0 1\nR3 c d 1", RHEO_E_SINGULAR, 203, 3,
           "nodes c, d have no DC path to ground (joined only by R3)");
    expect("V1 a 0 1\nV2 a 0 2", RHEO_E_SINGULAR, 205, 1,
           "voltage loop V1 (a-0, 1 V) - V2 (a-0, 2 V) is inconsistent by 1 V");
    expect("I1 0 a 1m\nR1 a 0 1k\nR2 a 0 -1k", RHEO_E_SINGULAR, 301, 1,
           "the potential of node a is not determined: conductances cancel there");
    expect("V1 a 0 1\nR0 a b 1\nR9 b 0 1\nI1 0 c 1m\nR1 c b 1k\nR2 c b -1k", RHEO_E_SINGULAR, 301, 4,
           "the potential of node c is not determined: conductances cancel there");
}

static void bad_values_are_refused_by_name(void **state) {
    (void)state;
    const double bad[] = { 0, -1e-3, NAN, INFINITY };
    bench t = setup("V1 a 0 1\nR1 a b 1k *\nRx b 0 1k *");
    for (int k = 0; k < RH_COUNT(bad); k++) {
        rheo_error err = { 0 };
        t.st->g[1] = bad[k];
        assert_int_equal(rheo_solver_solve(t.s, t.st, &err), RHEO_E_RANGE);
        assert_non_null(strstr(err.msg, "Rx"));
        assert_int_equal(err.line, 3);
        assert_int_equal(rh_solver_factor(t.s, t.st->g, NULL), RHEO_E_RANGE);
        assert_int_equal(rh_solver_pivot_at(t.s, t.st->g, NULL), RHEO_E_RANGE);
    }
    t.st->g[1] = 1e-3;
    for (int k = 2; k < RH_COUNT(bad); k++) {
        rheo_error err = { 0 };
        t.st->source[0] = bad[k];
        assert_int_equal(rheo_solver_solve(t.s, t.st, &err), RHEO_E_RANGE);
        assert_non_null(strstr(err.msg, "V1"));
    }
    t.st->source[0] = 1;
    solve(&t);
    CHECK_REL(volt(&t, "b"), 0.5, 1e-15);
    t.st->g[0] = t.st->g[1] = 1.6e308; /* finite, but not their sum */
    assert_int_equal(rheo_solver_solve(t.s, t.st, NULL), RHEO_E_SINGULAR);
    teardown(&t);
}

static void settings_are_checked(void **state) {
    (void)state;
    rheo_circuit *c = oracle_circuit("V1 a 0 1\nR1 a b 1\nR2 b 0 1");
    rheo_solver *s = NULL;
    rheo_error err = { 0 };
    rheo_solver_def def = rheo_solver_default();
    def.backend = "klux";
    assert_int_equal(rheo_solver_open(&s, c, &def, NULL, &err), RHEO_E_USAGE);
    assert_non_null(strstr(err.msg, "klux"));
    def = (rheo_solver_def){ .backend = "klu" };
    assert_int_equal(rheo_solver_open(&s, c, &def, NULL, NULL), RHEO_E_USAGE);
    assert_null(s);
    rheo_circuit_destroy(c);
}

static void count_warning(void *user, const rheo_error *e) {
    if (e->severity == RHEO_WARNING && e->code == 303) ++*(int *)user;
}

/* Two groups of strong conductances that hang together with ground by little: close to singular whatever the units. */
static void ill_conditioned_circuits_warn_once_or_are_refused(void **state) {
    (void)state;
    const double hold[] = { 1e-12, 1e-17 };
    for (int k = 0; k < 2; k++) {
        char cards[200];
        int n_warning = 0;
        snprintf(cards, sizeof(cards), "I1 0 a %.17g\nR1 a b 1 *\nR2 b c 1 *\nR3 c 0 %.17g", hold[k], 1 / hold[k]);
        rheo_circuit *c = oracle_circuit(cards);
        rheo_solver *s = NULL;
        rheo_state *st = NULL;
        const rheo_log log = { count_warning, &n_warning };
        rheo_error err = { 0 };
        CHECK_OK(rheo_state_create(&st, c, NULL));
        CHECK_OK(rheo_solver_open(&s, c, NULL, &log, NULL));
        const rheo_status got = rheo_solver_solve(s, st, &err);
        if (k == 0) {
            assert_int_equal(got, RHEO_OK);
            CHECK_REL(st->v[1], 1, 1e-3);
            CHECK_OK(rheo_solver_solve(s, st, NULL));
            assert_int_equal(n_warning, 1);
        } else {
            assert_int_equal(got, RHEO_E_SINGULAR);
            assert_true(err.code == 301 || err.code == 303);
        }
        rheo_solver_close(s);
        rheo_state_destroy(st);
        rheo_circuit_destroy(c);
    }
}

/* ---- decades: right to 1e-8, or refused ---- */

/* Ladder of n rungs: exact by the continued fraction, which only adds and multiplies positive numbers. */
static void ladder_values(int n, const double *r, const double *g, long double *v) {
    long double y[64]; /* admittance to the right of node k, rung included */
    y[n] = g[n];
    for (int k = n - 1; k >= 1; k--) y[k] = g[k] + 1 / (r[k + 1] + 1 / y[k + 1]);
    v[0] = 1;
    for (int k = 1; k <= n; k++) v[k] = v[k - 1] / (1 + r[k] * y[k]);
}

static void check_ladder(uint64_t seed, double decades, int *n_right, int *n_refused) {
    uint64_t at = 0;
    const int n = 1 + below(seed, &at, 12);
    double r[16], g[16];
    long double v[16];
    char cards[2000], *p = cards + sprintf(cards, "V1 n0 0 1\n");
    for (int k = 1; k <= n; k++) {
        r[k] = pow(10, decades * (unit(seed, &at) - 0.5));
        g[k] = pow(10, decades * (unit(seed, &at) - 0.5));
        p += sprintf(p, "Ra%d n%d n%d %.17g\nRb%d n%d 0 %.17g\n", k, k - 1, k, r[k], k, k, 1 / g[k]);
    }
    ladder_values(n, r, g, v);
    bench t = setup(cards);
    rheo_error err = { 0 };
    const rheo_status got = rheo_solver_solve(t.s, t.st, &err);
    if (got == RHEO_OK) {
        for (int k = 0; k <= n; k++)
            CHECK_NEAR(t.st->v[k == 0 ? rheo_circuit_find_node(t.c, "n0") : k + 1], (double)v[k], 1e-8);
        ++*n_right;
    } else {
        assert_int_equal(got, RHEO_E_SINGULAR);
        assert_true(err.code >= 301 && err.code <= 304);
        ++*n_refused;
    }
    teardown(&t);
}

static void wide_values_are_right_or_refused(void **state) {
    (void)state;
    for (int decades = 0; decades <= 50; decades += 2) {
        int n_right = 0, n_refused = 0;
        for (uint64_t seed = 1; seed <= 60; seed++)
            check_ladder(seed + 1000 * (uint64_t)decades, decades, &n_right, &n_refused);
        if (decades <= 6) assert_int_equal(n_refused, 0);
        if (decades <= 12) assert_true(n_right > 45); /* networks of 12 decades are legitimate */
        assert_true(n_right > 30);
    }
}

/* ---- decades: any circuit, against 34 digits ---- */

/* As random_cards, but small, with values over `decades`. hard: with E, G, floating V and negative R. */
static void wide_cards(uint64_t seed, double decades, bool hard, char *cards) {
    uint64_t at = 0;
    const int n = 2 + below(seed, &at, 12), extra = 1 + below(seed, &at, 2 * n);
    char *p = cards;
    for (int k = 1; k < n; k++) {
        p += sprintf(p, "R%d %d %d", k, k, below(seed, &at, k));
        p += sprintf(p, " %.17g", pow(10, decades * (unit(seed, &at) - 0.5)));
        p += sprintf(p, "%s\n", unit(seed, &at) < 0.5 ? " *" : "");
    }
    for (int k = n; k < n + extra; k++) {
        const double u = unit(seed, &at), x = 2 * unit(seed, &at) - 1;
        const double size = pow(10, decades * (unit(seed, &at) - 0.5));
        const char letter = "RIVEG"[u < 0.6 ? 0 : u < 0.75 ? 1 : u < 0.85 || !hard ? 2 : u < 0.92 ? 3 : 4];
        const bool negative = hard && letter == 'R' && x < -0.5;
        p += sprintf(p, "%c%d", letter, k);
        p += put_nodes(seed, &at, n, letter == 'E' || letter == 'G' ? 4 : letter == 'V' && !hard ? 1 : 2, p);
        p += sprintf(p, "%s %.17g%s\n", letter == 'V' && !hard ? " 0" : "",
                     negative                         ? -size
                     : letter == 'R'                  ? size
                     : letter == 'V' || letter == 'E' ? 3 * x
                                                      : x * size,
                     letter == 'R' && !negative ? " *" : "");
    }
}

typedef struct tally {
    int right, refused;
} tally;

/* A solver with a past: pivots were chosen at other conductances. */
static void give_past(bench *t, double decades, uint64_t seed) {
    double *now = calloc((size_t)t->c->n_edge + 1, sizeof(double));
    memcpy(now, t->st->g, (size_t)t->c->n_edge * sizeof(double));
    for (int k = 0; k < t->c->n_edge; k++)
        t->st->g[k] = pow(10, decades * (rh_random_unit(seed, 9, (uint64_t)k) - 0.5));
    (void)rheo_solver_solve(t->s, t->st, NULL);
    memcpy(t->st->g, now, (size_t)t->c->n_edge * sizeof(double));
    free(now);
}

static void check_wide(rheo_circuit *c, double decades, uint64_t seed, tally *n) {
    bench t = setup_circuit(c);
    rheo_error err = { 0 };
    double v[64];
    if (seed % 2) give_past(&t, decades, seed);
    if (rheo_solver_solve(t.s, t.st, &err) == RHEO_OK) {
        if (!oracle_solve_wide(c, t.st->g, t.st->source, v)) fail_msg("circuit %d is singular", (int)seed);
        /* where all potentials are 0 (a V or E swallows every current) the oracle leaves rounding of large currents */
        const double tol = largest(t.st->v, c->n_node) == 0 ? 1e-12 : 1e-8 * largest(v, c->n_node) + 1e-24;
        for (int i = 0; i < c->n_node; i++)
            if (!(fabs(t.st->v[i] - v[i]) <= tol))
                fail_msg("circuit %d, %g decades, node %s: %.17g V, want %.17g V", (int)seed, decades, c->node_name[i],
                         t.st->v[i], v[i]);
        n->right++;
    } else {
        if (err.code < 301 || err.code > 304) fail_msg("circuit %d: E%d %s", (int)seed, err.code, err.msg);
        n->refused++;
    }
    teardown(&t);
}

static void any_circuit_is_right_or_refused(void **state) {
    (void)state;
    static char cards[20000];
    const double decades[] = { 0, 6, 12, 20, 30 };
    for (int hard = 0; hard < 2; hard++)
        for (int q = 0; q < RH_COUNT(decades); q++) {
            tally n = { 0 };
            for (uint64_t seed = 1; n.right + n.refused < 500; seed++) {
                wide_cards(seed + 10000 * (uint64_t)q, decades[q], hard, cards);
                rheo_circuit *c = oracle_circuit(cards);
                if (rh_diagnose(c, NULL, NULL, NULL) == RHEO_OK)
                    check_wide(c, decades[q], seed, &n);
                else
                    rheo_circuit_destroy(c);
            }
            assert_true(n.right > (decades[q] <= 12 ? 450 : 250));
            if (!hard && decades[q] <= 6) assert_int_equal(n.refused, 0);
        }
}

/* Each of them was once answered wrongly: a strong current beside a weak one in one sum took its digits. */
static void strong_currents_leave_weak_ones_their_digits(void **state) {
    (void)state;
    bench t = setup("V1 a 0 1\nR1 a b 50k\nI1 b b 8382.6586970933186");
    solve(&t);
    CHECK_REL(volt(&t, "b"), 1, 1e-15);
    teardown(&t);
    t = setup("V1 a 0 1\nR1 a b 1\nR2 b c 1e14\nG1 c b b b 1e16");
    solve(&t);
    CHECK_REL(volt(&t, "c"), 1, 1e-15);
    teardown(&t);
    t = setup("R1 1 0 213297.29402941949\nR3 3 1 62.038386583548103\nR4 4 3 1.5798495612646281e-06\n"
              "R5 5 1 0.00010450372453221505\nR9 5 3 3.0074646485511839e-06 *\nV10 5 4 0.23634086192590531");
    solve(&t);
    CHECK_NEAR(volt(&t, "1"), 0, 1e-16); /* nothing flows to ground */
    CHECK_REL(volt(&t, "5"), 2.6100654e-07, 1e-6);
    teardown(&t);
}

/* One conductance walks over all decades: pivots are chosen again where they must be, answers stay right or are
 * refused. */
static void a_wandering_conductance_keeps_answers_right(void **state) {
    (void)state;
    bench t = setup(MIXED);
    int n_right = 0;
    for (int edge = 0; edge < t.c->n_edge; edge++)
        for (int p = -24; p <= 24; p++) {
            double v[32];
            const double was = t.st->g[edge];
            t.st->g[edge] = pow(10, p % 2 ? p : -p);
            if (rheo_solver_solve(t.s, t.st, NULL) == RHEO_OK) {
                assert_true(oracle_solve_wide(t.c, t.st->g, t.st->source, v));
                for (int i = 0; i < t.c->n_node; i++) CHECK_NEAR(t.st->v[i], v[i], 1e-8 * largest(v, t.c->n_node));
                n_right++;
            }
            t.st->g[edge] = was;
        }
    assert_true(n_right > 40 * t.c->n_edge);
    teardown(&t);
    /* the pivots of a bridge of floating V and E, once good, become useless */
    t = setup("V1 a 0 1\nR1 a b 1 *\nR2 b 0 1 *\nE1 b c a c 0.5\nR3 c 0 1 *\nR4 c d 1 *\nV2 d e 1\nR5 e 0 1 *");
    for (int p = 0; p <= 15; p++) {
        double v[32];
        for (int k = 0; k < t.c->n_edge; k++) t.st->g[k] = pow(10, (k + p) % 2 ? p : -p);
        if (rheo_solver_solve(t.s, t.st, NULL) != RHEO_OK) continue;
        assert_true(oracle_solve_wide(t.c, t.st->g, t.st->source, v));
        for (int i = 0; i < t.c->n_node; i++) CHECK_NEAR(t.st->v[i], v[i], 1e-8 * largest(v, t.c->n_node));
    }
    assert_true(rheo_solver_statistics(t.s).n_pivot > 1);
    teardown(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divider_and_signs),
        cmocka_unit_test(current_flows_from_first_to_second_node_of_a_source),
        cmocka_unit_test(ladder_of_equal_resistors_counts_fibonacci),
        cmocka_unit_test(wheatstone_bridge_balances),
        cmocka_unit_test(star_equals_mesh),
        cmocka_unit_test(controlled_sources_follow_their_card),
        cmocka_unit_test(known_potentials_are_not_unknowns),
        cmocka_unit_test(elements_on_one_node_carry_nothing_elsewhere),
        cmocka_unit_test(random_circuits_agree_with_dense_elimination),
        cmocka_unit_test(pieces_add_up_to_the_operating_point),
        cmocka_unit_test(injection_is_a_current_source),
        cmocka_unit_test(transposed_solve_is_that_of_the_transpose),
        cmocka_unit_test(resistor_networks_are_reciprocal),
        cmocka_unit_test(a_column_does_not_depend_on_its_neighbours),
        cmocka_unit_test(pivots_can_be_taken_up_again_to_the_byte),
        cmocka_unit_test(pivots_after_many_changes_are_taken_up_to_the_byte),
        cmocka_unit_test(fresh_and_kept_pivots_give_the_same_bytes),
        cmocka_unit_test(steps_allocate_nothing),
        cmocka_unit_test(solvers_of_one_circuit_are_independent),
        cmocka_unit_test(degenerate_circuits_are_refused_by_name),
        cmocka_unit_test(bad_values_are_refused_by_name),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(ill_conditioned_circuits_warn_once_or_are_refused),
        cmocka_unit_test(wide_values_are_right_or_refused),
        cmocka_unit_test(any_circuit_is_right_or_refused),
        cmocka_unit_test(strong_currents_leave_weak_ones_their_digits),
        cmocka_unit_test(a_wandering_conductance_keeps_answers_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
