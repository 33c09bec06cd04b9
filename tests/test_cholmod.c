/* Tests of cholmod: against KLU and dense elimination by LAPACK, through every row of the matrix table that takes the
 * network; bytes; what it must refuse; which solver is chosen. */
#include "check.h"
#include "learn/learn.h"
#include "oracle.h"
#include "solver/solver.h"

extern void dposv_(const char *uplo, const int *n, const int *n_rhs, double *a, const int *lda, double *b,
                   const int *ldb, int *info);

static rheo_solver *open_with(const rheo_circuit *c, const char *backend) {
    rheo_solver_def def = rheo_solver_default();
    rheo_solver *s = NULL;
    rheo_error err = { 0 };
    def.backend = backend;
    if (rheo_solver_open(&s, c, &def, NULL, &err) != RHEO_OK) fail_msg("%s: %s", backend, err.msg);
    return s;
}

static rheo_circuit *grid(int n) {
    char *cards = malloc((size_t)n * (size_t)n * 80 + 100), *p = cards + sprintf(cards, "V1 n0 0 1\nI1 0 n%d 1m\n", n);
    for (int i = 0; i < n * n; i++) {
        if (i % n + 1 < n) p += sprintf(p, "Rh%d n%d n%d 1k *\n", i, i, i + 1);
        if (i + n < n * n) p += sprintf(p, "Rv%d n%d n%d 1k *\n", i, i, i + n);
    }
    sprintf(p, "Rload n%d 0 50\n", n * n - 1);
    rheo_circuit *c = oracle_circuit(cards);
    free(cards);
    return c;
}

static void spread(double *g, int n, uint64_t seed, double decades) {
    for (int k = 0; k < n; k++) g[k] = 1e-3 * pow(10, decades * (rh_random_unit(seed, 5, (uint64_t)k) - 0.5));
}

/* ---- the rows of the table on raw matrices ---- */

typedef struct matrix {
    int n, *p, *i;
    double *x, *dense;
} matrix;

static double unit(uint64_t seed, uint64_t *at) { return rh_random_unit(seed, 88, (*at)++); }

/* Laplacian of a random network of n nodes, some of them tied to ground; three decades. */
static matrix random_network(uint64_t seed) {
    uint64_t at = 0;
    const int n = 1 + (int)(unit(seed, &at) * 80);
    matrix a = { .n = n,
                 .p = calloc((size_t)n + 1, sizeof(int)),
                 .i = calloc((size_t)n * (size_t)n, sizeof(int)),
                 .x = calloc((size_t)n * (size_t)n, sizeof(double)),
                 .dense = calloc((size_t)n * (size_t)n, sizeof(double)) };
    for (int k = 0; k < 3 * n; k++) {
        const int i = k < n ? k : (int)(unit(seed, &at) * n), j = k < n ? k - 1 : (int)(unit(seed, &at) * n);
        const double g = pow(10, 3 * unit(seed, &at));
        a.dense[i * n + i] += g;
        if (j < 0 || i == j) continue; /* to ground */
        a.dense[j * n + j] += g;
        a.dense[i * n + j] -= g;
        a.dense[j * n + i] -= g;
    }
    for (int j = 0, nz = 0; j < n; j++) {
        for (int i = 0; i < n; i++)
            if (a.dense[j * n + i] != 0) {
                a.i[nz] = i;
                a.x[nz++] = a.dense[j * n + i];
            }
        a.p[j + 1] = nz;
    }
    return a;
}

static void matrix_free(matrix *a) {
    free(a->p);
    free(a->i);
    free(a->x);
    free(a->dense);
}

static double largest(const double *x, int n) {
    double most = 0;
    for (int k = 0; k < n; k++) most = fabs(x[k]) > most ? fabs(x[k]) : most;
    return most;
}

static void compare(const rh_matrix_ops *ops, const matrix *a, const double *b, const double *want, bool fresh_again) {
    const int n = a->n;
    double *x = calloc(2 * (size_t)n, sizeof(double)), rcond = 0;
    int column = -1;
    void *m = NULL;
    CHECK_OK(ops->open(&m, n, a->p, a->i, NULL));
    CHECK_OK(ops->factor(m, a->x, RH_SPARSE, &rcond, &column, NULL));
    if (fresh_again) CHECK_OK(ops->factor(m, a->x, RH_KEEP, &rcond, &column, NULL));
    assert_true(rcond > 1e-8 && rcond <= 1 && column >= 0 && column < n);
    assert_true(ops->fill(m) >= (a->p[n] + n) / 2);
    for (int transposed = 0; transposed < 2; transposed++) {
        memcpy(x, b, sizeof(double) * (size_t)n);
        memcpy(x + n, b, sizeof(double) * (size_t)n);
        (transposed ? ops->solve_transposed : ops->solve)(m, 2, x);
        for (int k = 0; k < 2 * n; k++) CHECK_NEAR(x[k], want[k % n], 1e-10 * largest(want, n));
    }
    ops->close(m);
    free(x);
}

static void all_rows_agree_with_dense_elimination(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        matrix a = random_network(seed);
        const int n = a.n, one = 1;
        double *b = calloc((size_t)n, sizeof(double)), *want = calloc((size_t)n, sizeof(double));
        int info = -1;
        for (int k = 0; k < n; k++) want[k] = b[k] = rh_random_normal(seed, 3, (uint64_t)k);
        dposv_("L", &n, &one, a.dense, &n, want, &n, &info);
        assert_int_equal(info, 0);
        for (int r = 0; r < RH_N_MATRIX; r++) compare(RH_MATRICES[r], &a, b, want, seed % 2);
        free(b);
        free(want);
        matrix_free(&a);
    }
}

/* Values that leave no positive pivots, or none at all, are told by rcond, and the next good ones are solved. */
static void a_breakdown_is_told_and_forgotten(void **state) {
    (void)state;
    const int p[] = { 0, 2, 4 }, i[] = { 0, 1, 0, 1 };
    const double good[] = { 2, -1, -1, 2 }, bad[][4] = { { 1, -1, -1, 1 }, { 1, -2, -2, 1 }, { 0, -1, -1, 1 } };
    const double broken[] = { 2, NAN, NAN, 2 };
    for (int r = 0; r < RH_N_MATRIX; r++) {
        const rh_matrix_ops *const ops = RH_MATRICES[r];
        void *m = NULL;
        double rcond = 7;
        int column = -1;
        CHECK_OK(ops->open(&m, 2, p, i, NULL));
        for (int k = 0; k < RH_COUNT(bad); k++) {
            double x[] = { 1, 0 };
            CHECK_OK(ops->factor(m, bad[k], RH_SPARSE, &rcond, &column, NULL));
            if (k == 0 || !ops->unsymmetric) CHECK_NEAR(rcond, 0, 0);
            assert_int_equal(ops->factor(m, broken, RH_SPARSE, &rcond, &column, NULL), RHEO_E_SINGULAR);
            CHECK_NEAR(rcond, 0, 0);
            CHECK_OK(ops->factor(m, good, RH_SPARSE, &rcond, &column, NULL));
            assert_true(rcond > 0.5);
            ops->solve(m, 1, x);
            CHECK_NEAR(x[0], 2.0 / 3, 1e-15);
            CHECK_NEAR(x[1], 1.0 / 3, 1e-15);
        }
        ops->close(m);
    }
}

/* ---- through the solver ---- */

static void operating_points_are_those_of_klu(void **state) {
    (void)state;
    rheo_circuit *c = grid(30);
    rheo_solver *a = open_with(c, "klu"), *b = open_with(c, "cholmod");
    rheo_state *x = NULL, *y = NULL;
    CHECK_OK(rheo_state_create(&x, c, NULL));
    CHECK_OK(rheo_state_create(&y, c, NULL));
    for (uint64_t seed = 1; seed <= 5; seed++) {
        spread(x->g, c->n_edge, seed, 4);
        memcpy(y->g, x->g, sizeof(double) * (size_t)c->n_edge);
        CHECK_OK(rheo_solver_solve(a, x, NULL));
        CHECK_OK(rheo_solver_solve(b, y, NULL));
        for (int k = 0; k < c->n_node; k++) CHECK_NEAR(y->v[k], x->v[k], 1e-10);
        assert_true(oracle_kcl(c, y->i) < 1e-12);
    }
    assert_string_equal(rheo_solver_statistics(a).backend, "klu");
    assert_string_equal(rheo_solver_statistics(b).backend, "cholmod");
    rheo_state_destroy(x);
    rheo_state_destroy(y);
    rheo_solver_close(a);
    rheo_solver_close(b);
    rheo_circuit_destroy(c);
}

static void bytes_do_not_depend_on_neighbours_or_history(void **state) {
    (void)state;
    enum { MANY = 19 };
    rheo_circuit *c = grid(25);
    rheo_solver *s = open_with(c, "cholmod"), *other = open_with(c, "cholmod");
    const size_t n = (size_t)rh_solver_n_unknown(s), n_edge = (size_t)c->n_edge;
    double *b = calloc(n * MANY, 8), *x = calloc(n * MANY, 8), *y = calloc(n, 8), *g = calloc(n_edge, 8);
    spread(g, c->n_edge, 1, 6);
    CHECK_OK(rh_solver_factor(s, g, NULL)); /* other pivots before, which must leave no trace */
    spread(g, c->n_edge, 2, 3);
    CHECK_OK(rh_solver_factor(s, g, NULL));
    CHECK_OK(rh_solver_factor(other, g, NULL));
    for (size_t k = 0; k < n * MANY; k++) b[k] = rh_random_normal(1, 2, k);
    for (int m = 1; m <= MANY; m++) {
        memcpy(x, b, n * MANY * 8);
        rh_solver_apply(s, m, x, m % 2);
        for (int k = 0; k < m; k++) {
            memcpy(y, b + (size_t)k * n, n * 8);
            rh_solver_apply(other, 1, y, false);
            assert_memory_equal(y, x + (size_t)k * n, n * 8);
        }
    }
    CHECK_OK(rh_solver_pivot_at(other, rh_solver_pivot_g(s), NULL)); /* as after resume */
    CHECK_OK(rh_solver_factor(other, g, NULL));
    memcpy(y, b, n * 8);
    rh_solver_apply(other, 1, y, false);
    assert_memory_equal(y, x, n * 8);
    free(b);
    free(x);
    free(y);
    free(g);
    rheo_solver_close(s);
    rheo_solver_close(other);
    rheo_circuit_destroy(c);
}

/* Training of some steps with either solver: the same conductances. */
static void learners_agree(void **state) {
    (void)state;
    rheo_circuit *c = grid(8);
    const int in_elem[] = { rheo_circuit_find_element(c, "V1") };
    const double in_sign[] = { 1 }, in[] = { 1, 0.5, -0.7 }, target[] = { 0.3, 0.1, 0.2, 0, -0.1, -0.2 };
    const int out[2][2] = { { rheo_circuit_find_node(c, "n27"), 0 }, { rheo_circuit_find_node(c, "n44"), 0 } };
    const int all[] = { 0, 1, 2 };
    const rh_ports ports = { 1, in_elem, in_sign, 2, out };
    const rh_samples samples = { .n = 3, .in = in, .target = target };
    const char *const backend[] = { "klu", "cholmod" };
    rh_learner *l[2] = { NULL, NULL };
    rh_learn_def def;
    rh_learn_default(&def);
    def.rate = 1e-3; /* slow enough that differences of rounding are not blown up by the training itself */
    for (int q = 0; q < 2; q++) {
        rheo_solver_def solver = rheo_solver_default();
        rheo_error err = { 0 };
        solver.backend = backend[q];
        if (rh_learner_open(&l[q], c, &def, &solver, &ports, &samples, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
        assert_string_equal(rh_learner_stats(l[q]).backend, backend[q]);
        for (int step = 0; step < 30; step++) CHECK_OK(rh_learner_step(l[q], all, 3, NULL));
    }
    const double *const a = rh_learner_g(l[0]), *const b = rh_learner_g(l[1]);
    double moved = 0;
    for (int k = 0; k < c->n_edge; k++) {
        CHECK_REL(b[k], a[k], 1e-9);
        moved = fmax(moved, fabs(a[k] - 1e-3));
    }
    assert_true(moved > 1e-6);
    for (int q = 0; q < 2; q++) rh_learner_close(l[q]);
    rheo_circuit_destroy(c);
}

static void refuse(const char *cards, int line, const char *msg) {
    rheo_circuit *c = oracle_circuit(cards);
    rheo_solver_def def = rheo_solver_default();
    rheo_solver *s = NULL;
    rheo_error err = { 0 };
    def.backend = "cholmod";
    assert_int_equal(rheo_solver_open(&s, c, &def, NULL, &err), RHEO_E_USAGE);
    assert_null(s);
    assert_int_equal(err.code, 307);
    assert_int_equal(err.line, line);
    assert_string_equal(err.msg, msg);
    s = open_with(c, "auto");
    assert_string_equal(rheo_solver_statistics(s).backend, "klu");
    rheo_solver_close(s);
    rheo_circuit_destroy(c);
}

static void other_circuits_are_refused_by_name(void **state) {
    (void)state;
    refuse("V1 a 0 1\nR1 a b 1\nR2 b 0 1\nE1 e 0 b 0 2\nR3 e 0 1", 4,
           "cholmod cannot solve this circuit: E1 is a controlled source");
    refuse("V1 a 0 1\nR1 a b 1\nG1 b 0 b 0 2\nR3 b 0 1", 3,
           "cholmod cannot solve this circuit: G1 is a controlled source");
    refuse("I1 0 a 1\nR1 a 0 1\nV7 a b 1\nR2 b 0 1", 3,
           "cholmod cannot solve this circuit: V7 is a voltage source without a path of such to ground");
    refuse("V1 a 0 1\nR1 a b 1\nR2 b 0 -3", 3, "cholmod cannot solve this circuit: R2 is negative");
}

static void large_reciprocal_networks_go_to_cholmod(void **state) {
    (void)state;
    const struct {
        int n;
        const char *backend;
    } cases[] = { { 20, "klu" }, { 50, "cholmod" } };
    for (int k = 0; k < RH_COUNT(cases); k++) {
        rheo_circuit *c = grid(cases[k].n);
        rheo_solver *s = open_with(c, "auto");
        assert_string_equal(rheo_solver_statistics(s).backend, cases[k].backend);
        assert_non_null(rheo_solver_statistics(s).why);
        rheo_solver_close(s);
        rheo_circuit_destroy(c);
    }
    char *cards = malloc(3000 * 60), *p = cards + sprintf(cards, "V1 n0 0 1\n"); /* a chain has no fill */
    for (int k = 0; k < 3000; k++) p += sprintf(p, "R%d n%d n%d 1\n", k, k, k + 1);
    sprintf(p, "Rend n3000 0 1");
    rheo_circuit *c = oracle_circuit(cards);
    rheo_solver *s = open_with(c, "auto");
    assert_string_equal(rheo_solver_statistics(s).backend, "klu");
    rheo_solver_close(s);
    rheo_circuit_destroy(c);
    free(cards);
}

static void nothing_unknown_is_fine(void **state) {
    (void)state;
    rheo_circuit *c = oracle_circuit("V1 a 0 1\nR1 a 0 2");
    rheo_solver *s = open_with(c, "cholmod");
    rheo_state *st = NULL;
    CHECK_OK(rheo_state_create(&st, c, NULL));
    CHECK_OK(rheo_solver_solve(s, st, NULL));
    CHECK_NEAR(st->i[1], 0.5, 0);
    rheo_state_destroy(st);
    rheo_solver_close(s);
    rheo_circuit_destroy(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows_agree_with_dense_elimination),
        cmocka_unit_test(a_breakdown_is_told_and_forgotten),
        cmocka_unit_test(operating_points_are_those_of_klu),
        cmocka_unit_test(bytes_do_not_depend_on_neighbours_or_history),
        cmocka_unit_test(learners_agree),
        cmocka_unit_test(other_circuits_are_refused_by_name),
        cmocka_unit_test(large_reciprocal_networks_go_to_cholmod),
        cmocka_unit_test(nothing_unknown_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
