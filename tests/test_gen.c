/* The generators: sizes known in closed form, connectivity, determinism, and netlists that read back equal. */
#include "check.h"

#include "circuit/layered.h"
#include "rheo/netlist.h"
#include "rheo/solver.h"

static const rh_gen_kind *kind_of(const char *name) {
    for (int k = 0; k < RH_N_GEN; k++)
        if (rh_streq(RH_GENS[k]->name, name)) return RH_GENS[k];
    fail_msg("no generator %s", name);
    return NULL;
}

typedef struct setting {
    const char *name;
    double value;
} setting;

static rheo_status build(const char *name, uint64_t seed, const setting *s, int n, rheo_circuit **c, rheo_error *err) {
    const rh_gen_kind *k = kind_of(name);
    double par[32];
    assert_true(rh_gen_n_par(k) <= RH_COUNT(par));
    rh_gen_default(k, par);
    for (int j = 0; j < k->n_field; j++) {
        for (int i = 0; i < n; i++)
            if (strcmp(s[i].name, k->fields[j].name) == 0) par[j] = s[i].value;
    }
    rh_builder *b = rh_builder_create();
    const rheo_status st = k->build(par, seed, b, err);
    if (st != RHEO_OK) {
        rh_builder_destroy(b);
        return st;
    }
    return rh_builder_finish(b, c, err);
}

#define MAKE(name, seed, ...) \
    make(name, seed, (const setting[]){ __VA_ARGS__ }, RH_COUNT(((const setting[]){ __VA_ARGS__ })))
static rheo_circuit *make(const char *name, uint64_t seed, const setting *s, int n) {
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    if (build(name, seed, s, n, &c, &err) != RHEO_OK) fail_msg("%s: %s", name, err.msg);
    return c;
}

static int root(int *up, int i) {
    while (up[i] != i) i = up[i] = up[up[i]];
    return i;
}

/* Pieces of the network of edges alone, without ground. */
static int pieces(const rheo_circuit *c) {
    int *up = calloc((size_t)c->n_node, sizeof(int)), n = c->n_node - 1;
    for (int i = 0; i < c->n_node; i++) up[i] = i;
    for (int k = 0; k < c->n_edge; k++) {
        const int *t = c->term[c->edge_elem[k]], a = root(up, t[0]), b = root(up, t[1]);
        n -= a != b;
        up[a] = b;
    }
    free(up);
    return n;
}

static void degrees(const rheo_circuit *c, int *least, int *most) {
    int *d = calloc((size_t)c->n_node, sizeof(int));
    for (int k = 0; k < c->n_edge; k++)
        for (int j = 0; j < 2; j++) d[c->term[c->edge_elem[k]][j]]++;
    *least = *most = d[1];
    for (int i = 1; i < c->n_node; i++) {
        if (d[i] < *least) *least = d[i];
        if (d[i] > *most) *most = d[i];
    }
    assert_int_equal(d[0], 0); /* ground is joined by sources only */
    free(d);
}

static int by_pair(const void *a, const void *b) {
    const int *x = a, *y = b;
    return x[0] != y[0] ? x[0] - y[0] : x[1] - y[1];
}

static void no_loops_and_no_doubles(const rheo_circuit *c) {
    int(*e)[2] = calloc((size_t)c->n_edge + 1, sizeof(*e));
    for (int k = 0; k < c->n_edge; k++) {
        const int *t = c->term[c->edge_elem[k]];
        assert_true(t[0] != t[1]);
        e[k][0] = t[0] < t[1] ? t[0] : t[1];
        e[k][1] = t[0] < t[1] ? t[1] : t[0];
    }
    qsort(e, (size_t)c->n_edge, sizeof(*e), by_pair);
    for (int k = 1; k < c->n_edge; k++) assert_true(by_pair(e[k - 1], e[k]) < 0);
    free(e);
}

static void check(rheo_circuit *c, int n_node, int n_edge, int least, int most) {
    int low, high;
    degrees(c, &low, &high);
    assert_int_equal(c->n_node - 1, n_node);
    assert_int_equal(c->n_edge, n_edge);
    assert_int_equal(low, least);
    assert_int_equal(high, most);
    assert_int_equal(pieces(c), 1);
    no_loops_and_no_doubles(c);
    rheo_circuit_destroy(c);
}

static void regular_networks_have_known_sizes(void **state) {
    (void)state;
    check(MAKE("grid", 1, { "nx", 8 }, { "ny", 8 }), 64, 112, 2, 4);
    check(MAKE("grid", 1, { "nx", 7 }, { "ny", 1 }), 7, 6, 1, 2);
    check(MAKE("torus", 1, { "nx", 4 }, { "ny", 4 }), 16, 32, 4, 4);
    check(MAKE("torus", 1, { "nx", 3 }, { "ny", 5 }), 15, 30, 4, 4);
    check(MAKE("triangular", 1, { "nx", 6 }, { "ny", 5 }), 30, 5 * 5 + 6 * 4 + 5 * 4, 2, 6);
    check(MAKE("lattice", 1, { "dim", 3 }, { "n", 4 }), 64, 3 * 4 * 4 * 3, 3, 6);
    check(MAKE("lattice", 1, { "dim", 3 }, { "n", 3 }, { "periodic", 1 }), 27, 81, 6, 6);
    check(MAKE("lattice", 1, { "dim", 1 }, { "n", 9 }, { "periodic", 1 }), 9, 9, 2, 2);
    check(MAKE("lattice", 1, { "dim", 5 }, { "n", 2 }), 32, 80, 5, 5);
    check(MAKE("multipartite", 1, { "n1", 3 }, { "n2", 4 }, { "n3", 2 }, { "n4", 0 }), 9, 3 * 4 + 4 * 2, 4, 5);
    check(MAKE("multipartite", 1, { "n1", 2 }, { "n2", 3 }, { "n3", 4 }, { "n4", 5 }), 14, 6 + 12 + 20, 3, 8);
}

static void random_networks_are_connected(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        rheo_circuit *c[] = {
            MAKE("geometric", seed, { "n", 200 }, { "degree", 3 }),
            MAKE("geometric", seed, { "n", 50 }, { "degree", 0.1 }),
            MAKE("smallworld", seed, { "n", 60 }, { "k", 4 }, { "beta", 1 }),
            MAKE("smallworld", seed, { "n", 60 }, { "k", 2 }, { "beta", 0.5 }),
            MAKE("scalefree", seed, { "n", 100 }, { "m", 3 }),
            MAKE("jammed", seed, { "n", 150 }),
        };
        for (int k = 0; k < RH_COUNT(c); k++) {
            assert_int_equal(pieces(c[k]), 1);
            no_loops_and_no_doubles(c[k]);
            rheo_circuit_destroy(c[k]);
        }
    }
}

static void small_world_keeps_its_edges(void **state) {
    (void)state;
    check(MAKE("smallworld", 1, { "n", 30 }, { "k", 6 }, { "beta", 0 }), 30, 90, 6, 6);
    rheo_circuit *c = MAKE("smallworld", 3, { "n", 500 }, { "k", 6 }, { "beta", 0.3 });
    assert_int_equal(c->n_edge, 1500);
    int local = 0;
    for (int k = 0; k < c->n_edge; k++) {
        const int *t = c->term[c->edge_elem[k]], d = abs(t[0] - t[1]);
        local += d <= 3 || d >= 497;
    }
    CHECK_NEAR(local, 1500 * 0.7, 60); /* three standard deviations of a binomial */
    rheo_circuit_destroy(c);
}

static void scale_free_has_hubs(void **state) {
    (void)state;
    rheo_circuit *c = MAKE("scalefree", 5, { "n", 2000 }, { "m", 2 });
    int least, most;
    degrees(c, &least, &most);
    assert_int_equal(least, 2);
    assert_int_equal(c->n_edge, 3 + 2 * 1997);
    assert_true(most > 40); /* a random graph of the same mean degree has about 14 */
    rheo_circuit_destroy(c);
}

static int edges_longer_than(const rheo_circuit *c, double length) {
    int n = 0;
    for (int k = 0; k < c->n_edge; k++) {
        const int *t = c->term[c->edge_elem[k]];
        n += hypot(c->pos[t[0]][0] - c->pos[t[1]][0], c->pos[t[0]][1] - c->pos[t[1]][1]) > length;
    }
    return n;
}

static void jammed_networks_have_contacts(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 4; seed++) {
        rheo_circuit *c = MAKE("jammed", seed, { "n", 400 });
        int least, most;
        degrees(c, &least, &most);
        CHECK_NEAR(2.0 * c->n_edge / 400, 4.5, 0.02);
        assert_true(least >= 2 && most <= 9); /* a large disc has room for about eight small ones */
        assert_int_equal(edges_longer_than(c, 3.0 / 20),
                         0); /* neighbours only: twenty discs side by side fill the box */
        rheo_circuit_destroy(c);
    }
}

static void geometric_networks_have_the_mean_degree(void **state) {
    (void)state;
    rheo_circuit *c = MAKE("geometric", 2, { "n", 4000 }, { "degree", 8 });
    const double r = sqrt(8 / (3.14159265358979 * 4000)),
                 border = 1 - 8 * r / (3 * 3.14159265358979) * 2; /* to first order in r */
    CHECK_REL(2.0 * c->n_edge / 4000, 8 * border, 0.05);
    assert_true(edges_longer_than(c, r + 2e-6) <= 8); /* only those that join pieces: few points have no neighbour */
    rheo_circuit_destroy(c);
}

static void conductances_are_spread(void **state) {
    (void)state;
    rheo_circuit *c =
        MAKE("grid", 4, { "nx", 40 }, { "ny", 40 }, { "g", 1e-3 }, { "spread", 1 }, { "min", 1e-5 }, { "max", 1 });
    double low = 1, high = 0, mean = 0;
    for (int k = 0; k < c->n_edge; k++) {
        low = fmin(low, c->g_init[k]);
        high = fmax(high, c->g_init[k]);
        mean += log(c->g_init[k] / 1e-3) / c->n_edge;
        CHECK_REL(c->g_min[k], 1e-5, 0);
        CHECK_REL(c->g_max[k], 1, 0);
    }
    assert_true(low >= 0.5e-3 * (1 - 1e-12) && low < 0.51e-3 && high <= 2e-3 * (1 + 1e-12) && high > 1.96e-3);
    CHECK_NEAR(mean, 0, 0.03); /* log-uniform: standard deviation 0.4 / sqrt(3120) */
    rheo_circuit_destroy(c);
    c = MAKE("grid", 4, { "g", 1e-2 }, { "spread", 1 }, { "max", 1e-2 });
    high = 0;
    for (int k = 0; k < c->n_edge; k++) high = fmax(high, c->g_init[k]);
    CHECK_REL(high, 1e-2, 1e-15); /* held inside the bounds */
    rheo_circuit_destroy(c);
}

static int source_node(const rheo_circuit *c, const char *name) {
    return c->term[rheo_circuit_find_element(c, name)][0];
}

static void inputs_are_far_apart(void **state) {
    (void)state;
    rheo_circuit *c = MAKE("grid", 1, { "nx", 6 }, { "ny", 9 });
    assert_string_equal(c->node_name[source_node(c, "Vin1")], "n0_0");
    assert_string_equal(c->node_name[source_node(c, "Vin2")], "n5_8");
    CHECK_NEAR(c->value[rheo_circuit_find_element(c, "Vin1")], 0, 0);
    CHECK_NEAR(c->value[rheo_circuit_find_element(c, "Vin2")], 1, 0);
    assert_int_equal(c->n_elem, c->n_edge + 2);
    rheo_circuit_destroy(c);
    c = MAKE("grid", 1, { "nx", 6 }, { "ny", 6 }, { "inputs", 5 });
    for (int i = 1; i <= 5; i++)
        for (int j = 1; j < i; j++) {
            char a[16], b[16];
            snprintf(a, sizeof(a), "Vin%d", i);
            snprintf(b, sizeof(b), "Vin%d", j);
            assert_true(source_node(c, a) != source_node(c, b));
        }
    CHECK_NEAR(c->value[rheo_circuit_find_element(c, "Vin3")], 0.5, 0);
    rheo_circuit_destroy(c);
    c = MAKE("grid", 1, { "inputs", 0 });
    assert_int_equal(c->n_elem, c->n_edge);
    rheo_circuit_destroy(c);
}

static char *text_of(const rheo_circuit *c) {
    char *text = NULL;
    rheo_error err = { 0 };
    if (rheo_netlist_print(&text, c, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return text;
}

static void count_messages(void *user, const rheo_error *e) {
    (void)e;
    ++*(int *)user;
}

/* Every row of the table: same seed, same bytes; another seed, other conductances; the netlist reads back equal and
 * silently. */
static void every_generator_is_deterministic_and_reads_back(void **state) {
    (void)state;
    for (int k = 0; k < RH_N_GEN; k++) {
        const char *name = RH_GENS[k]->name;
        rheo_circuit *a = MAKE(name, 7, { "spread", 2 }), *b = MAKE(name, 7, { "spread", 2 }),
                     *other = MAKE(name, 8, { "spread", 2 }), *back = NULL;
        char *ta = text_of(a), *tb = text_of(b), *to = text_of(other);
        assert_string_equal(ta, tb);
        assert_string_not_equal(strchr(ta, '\n'), strchr(to, '\n'));
        rheo_error err = { 0 };
        int messages = 0;
        const rheo_log log = { count_messages, &messages };
        if (rheo_netlist_parse(&back, ta, strlen(ta), name, NULL, &log, &err) != RHEO_OK)
            fail_msg("%s: %s", name, err.msg);
        assert_int_equal(messages, 0);
        assert_true(rh_circuit_equal(a, back));
        assert_int_equal(pieces(a), 1);
        assert_int_equal(rh_diagnose(a, NULL, NULL, &err), RHEO_OK);
        rheo_circuit *const all[] = { a, b, other, back };
        for (int j = 0; j < RH_COUNT(all); j++) rheo_circuit_destroy(all[j]);
        rheo_text_free(ta);
        rheo_text_free(tb);
        rheo_text_free(to);
    }
}

/* Not even alone above a card, where the reader asks whether the first line is one. */
static void titles_do_not_look_like_cards(void **state) {
    (void)state;
    for (int k = 0; k < RH_N_GEN; k++)
        for (int edge = 0; RH_EDGE_NAMES[edge]; edge++) {
            rheo_circuit *c = MAKE(RH_GENS[k]->name, 1, { "edge", edge }), *back = NULL;
            char text[800];
            snprintf(text, sizeof text, "%s\nV1 a 0 1\nR1 a 0 1k\n.end\n", c->title);
            int messages = 0;
            const rheo_log log = { count_messages, &messages };
            CHECK_OK(rheo_netlist_parse(&back, text, strlen(text), "title", NULL, &log, NULL));
            if (messages) fail_msg("a card? %s", c->title);
            rheo_circuit_destroy(back);
            rheo_circuit_destroy(c);
        }
}

/* Diodes and transistors come on top of the same linear circuit; nodes are reached by resistors, gates and bulks are
 * held by sources. */
static void mixed_circuits_may_bend(void **state) {
    (void)state;
    rheo_circuit *plain = MAKE("mixed", 3, { "n", 60 });
    rheo_circuit *c = MAKE("mixed", 3, { "n", 60 }, { "diodes", 0.5 }, { "transistors", 0.5 });
    int count[64] = { 0 }, parent[400];
    assert_true(c->n_node < RH_COUNT(parent));
    for (int e = 0; e < c->n_elem; e++) count[c->kind[e]]++;
    assert_true(count[RH_KIND_D] > 20 && count[RH_KIND_D] <= 30);
    assert_true(count[RH_KIND_NMOS] > 20 && count[RH_KIND_NMOS] <= 30);
    for (int e = 0; e < plain->n_elem; e++) {
        assert_string_equal(c->elem_name[e], plain->elem_name[e]);
        assert_true(c->value[e] == plain->value[e]);
    }
    for (int i = 0; i < c->n_node; i++) parent[i] = i;
    for (int e = 0; e < c->n_elem; e++)
        if (c->kind[e] == RH_KIND_R || c->kind[e] == RH_KIND_V)
            parent[rh_root(parent, c->term[e][0])] = rh_root(parent, c->term[e][1]);
    for (int i = 1; i < c->n_node; i++) assert_int_equal(rh_root(parent, i), rh_root(parent, 0));
    char *text = text_of(c);
    rheo_circuit *back = NULL;
    CHECK_OK(rheo_netlist_parse(&back, text, strlen(text), "mixed", NULL, NULL, NULL));
    assert_true(rh_circuit_equal(c, back));
    rheo_text_free(text);
    rheo_circuit_destroy(back);
    rheo_circuit_destroy(plain);
    rheo_circuit_destroy(c);
}

static void faulty_parameters_are_refused(void **state) {
    (void)state;
    const struct {
        const char *name;
        setting s[2];
        rheo_status want;
    } CASES[] = {
        { "grid", { { "nx", 0 } }, RHEO_E_RANGE },
        { "grid", { { "nx", NAN } }, RHEO_E_RANGE },
        { "grid", { { "nx", 1 }, { "ny", 1 } }, RHEO_E_RANGE },
        { "grid", { { "min", 1 }, { "max", 0.1 } }, RHEO_E_RANGE },
        { "grid", { { "nx", 5000 }, { "ny", 5000 } }, RHEO_E_LIMIT },
        { "lattice", { { "dim", 6 }, { "n", 1000000 } }, RHEO_E_LIMIT },
        { "lattice", { { "n", 2 }, { "periodic", 1 } }, RHEO_E_RANGE },
        { "multipartite", { { "n1", 100000 }, { "n2", 100000 } }, RHEO_E_LIMIT },
        { "geometric", { { "n", 1000000 }, { "degree", 100 } }, RHEO_E_LIMIT },
        { "smallworld", { { "n", 10 }, { "k", 10 } }, RHEO_E_RANGE },
        { "scalefree", { { "n", 3 }, { "m", 3 } }, RHEO_E_RANGE },
        { "jammed", { { "z", 9 } }, RHEO_E_RANGE },
    };
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        rheo_circuit *c = NULL;
        rheo_error err = { 0 };
        const int n = CASES[k].s[1].name ? 2 : 1;
        assert_int_equal(build(CASES[k].name, 1, CASES[k].s, n, &c, &err), CASES[k].want);
        assert_true(err.status == CASES[k].want && strlen(err.msg) > 10);
    }
}

/* The same graphs with transistors: as many edges, each with a source of its own between gate and ground. */
static void edges_may_be_transistors(void **state) {
    (void)state;
    for (int k = 0; k < RH_N_GEN; k++)
        for (int edge = 1; edge <= 2; edge++) {
            const char *const name = RH_GENS[k]->name;
            if (strcmp(name, "layered") == 0) continue; /* resistors only */
            rheo_circuit *plain = MAKE(name, 5, { "inputs", 2 });
            rheo_circuit *c = MAKE(name, 5, { "inputs", 2 }, { "edge", edge }, { "gate-max", 1.55 });
            assert_int_equal(c->n_edge, plain->n_edge);
            int differ = 0;
            for (int e = 0; e < c->n_edge; e++) {
                const int m = c->edge_elem[e], v = c->edge_source[e], r = plain->edge_elem[e];
                assert_int_equal(c->kind[m], edge == 1 ? RH_KIND_NMOS_SMOOTH : RH_KIND_NMOS);
                assert_int_equal(c->kind[v], RH_KIND_V);
                assert_int_equal(c->held_edge[v], e);
                assert_int_equal(c->term[v][0], c->term[m][1]);
                assert_int_equal(c->term[v][1], 0);
                assert_int_equal(c->term[m][0], plain->term[r][0]);
                assert_int_equal(c->term[m][2], plain->term[r][1]);
                assert_true(c->value[v] >= 1.4 && c->value[v] <= 1.55 && c->g_init[e] == c->value[v]);
                differ += c->value[v] != c->value[c->edge_source[0]];
            }
            assert_true(differ > c->n_edge / 3);
            CHECK_OK(rh_diagnose(c, NULL, NULL, NULL));
            rheo_circuit_destroy(plain);
            rheo_circuit_destroy(c);
        }
    rheo_error err = { 0 };
    rheo_circuit *c = NULL;
    assert_int_equal(build("grid", 1, (const setting[]){ { "gate-min", 6 } }, 1, &c, &err), RHEO_E_RANGE);
    assert_string_equal(err.msg, "grid: gate-min is above gate-max");
}

/* Nothing is bent into shape silently. */
static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *kind, *field;
        double value;
        const char *message;
    } row[] = {
        { "smallworld", "k", 3, "smallworld: k is 3, must be even" },
        { "smallworld", "k", 2.5, "smallworld: k is 2.5, must be a whole number" },
        { "grid", "nx", 3.5, "grid: nx is 3.5, must be a whole number" },
        { "grid", "g", 1, "grid: g is 1, must be between min, 1e-06, and max, 0.01" },
        { "grid", "g", 1e-7, "grid: g is 1e-07, must be between min, 1e-06, and max, 0.01" },
        { "grid", "min", 1, "grid: min is above max" },
        { "multipartite", "inputs", 100, "multipartite: 100 inputs, but only 14 nodes" },
    };
    for (int i = 0; i < RH_COUNT(row); i++) {
        rheo_circuit *c = NULL;
        rheo_error err = { 0 };
        assert_int_equal(build(row[i].kind, 1, &(setting){ row[i].field, row[i].value }, 1, &c, &err), RHEO_E_RANGE);
        assert_int_equal(strcmp(err.msg, row[i].message), 0);
    }
}

/* inputs outputs bias bias-volt diodes vth is n init g min max sizes... */
static rheo_circuit *layers(const double par[32]) {
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    rh_builder *b = rh_builder_create();
    if (kind_of("layered")->build(par, 3, b, &err) != RHEO_OK) fail_msg("%s", err.msg);
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    return c;
}

static int element(const rheo_circuit *c, const char *name) {
    const int e = rh_map_get(c->elem_map, name, strlen(name));
    if (e < 0) fail_msg("no element %s", name);
    return e;
}

static int count_glob(const rheo_circuit *c, const char *glob) {
    int n = 0;
    for (int e = 0; e < c->n_elem; e++) n += rh_glob(glob, c->elem_name[e]);
    return n;
}

static void layered_networks_are_crossbars(void **state) {
    (void)state;
    const double par[32] = { 1, 1, 2, 0.5, 1, 0.3, 1e-9, 1.5, 0, 1e-3, 1e-6, 1e-2, 1, 6, 5, 3, 4 };
    rheo_circuit *c = layers(par);
    assert_int_equal(c->n_edge, (6 + 2) * 5 + 5 * 3 + 3 * 4);
    assert_int_equal(count_glob(c, "R1_*"), 40);
    assert_int_equal(count_glob(c, "R1_b*"), 10);
    assert_int_equal(count_glob(c, "R2_*"), 15);
    assert_int_equal(count_glob(c, "R3_*"), 12);
    assert_int_equal(count_glob(c, "V*"), 6 + 2 + 2);
    assert_int_equal(count_glob(c, "D1*"), 10);
    assert_int_equal(count_glob(c, "D2*"), 6);
    assert_int_equal(count_glob(c, "D*"), 16); /* none at the outputs */
    assert_int_equal(rh_layered_n_input(par), 8);
    assert_int_equal(rh_layered_n_output(par), 2);
    const struct {
        const char *elem, *from, *to;
    } ENDS[] = { { "R1_3_5", "x2p", "h1_5" }, { "R1_b2_1", "b2", "h1_1" },   { "R2_5_3", "h1_5", "h2_3" },
                 { "R3_1_4", "h2_1", "y2n" }, { "Vx3n", "x3n", "0" },        { "Vb1", "b1", "0" },
                 { "D1up_2", "h1_2", "up" },  { "D2down_3", "down", "h2_3" } };
    for (int k = 0; k < RH_COUNT(ENDS); k++) {
        const int *const t = c->term[element(c, ENDS[k].elem)];
        assert_string_equal(c->node_name[t[0]], ENDS[k].from);
        assert_string_equal(c->node_name[t[1]], ENDS[k].to);
    }
    CHECK_NEAR(c->value[element(c, "Vb1")], 0.5, 0);
    CHECK_NEAR(c->value[element(c, "Vb2")], -0.5, 0);
    CHECK_NEAR(c->value[element(c, "Vdown")], -0.3, 0);
    for (int i = 0; i < 8; i++) { /* every input is a node that a source holds */
        char name[64];
        rh_layered_input(par, i, name, sizeof name);
        const int node = rh_map_get(c->node_map, name, strlen(name));
        char source[80];
        snprintf(source, sizeof source, "V%s", name);
        assert_true(node > 0 && c->term[element(c, source)][0] == node);
    }
    char name[64];
    rh_layered_output(par, 1, name, sizeof name);
    assert_string_equal(name, "y2p-y2n");
    rheo_circuit_destroy(c);
}

static void conductances_start_as_they_are_said_to(void **state) {
    (void)state;
    double par[32] = { 0, 0, 0, 1, 2, 0, 1e-14, 1, 0, 1e-3, 1e-6, 1e-2, 1, 40, 50, 30 };
    for (int init = 0; init < 3; init++) {
        par[8] = init;
        rheo_circuit *c = layers(par);
        const double top[2][3] = { { 1e-2, 1e-3 / sqrt(40), 1e-3 * sqrt(6.0 / 90) },
                                   { 1e-2, 1e-3 / sqrt(50), 1e-3 * sqrt(6.0 / 80) } };
        for (int layer = 0; layer < 2; layer++) {
            double sum = 0, most = 0;
            int at_min = 0, n = 0;
            for (int k = 0; k < c->n_edge; k++) {
                if (c->elem_name[c->edge_elem[k]][1] != '1' + layer) continue;
                assert_true(c->g_init[k] >= 1e-6 && c->g_init[k] <= 1e-2);
                at_min += c->g_init[k] <= 1.0000001e-6;
                sum += c->g_init[k];
                most = fmax(most, c->g_init[k]);
                n++;
            }
            const double t = top[layer][init];
            CHECK_NEAR(sum / n, init == 1 ? t / 4 : t / 2, 0.05 * t); /* half of a symmetric range is held at min */
            assert_true(most <= t && most > 0.97 * t);
            if (init == 1) CHECK_NEAR((double)at_min / n, 0.5, 0.05);
        }
        assert_int_equal(count_glob(c, "D1down*"), 25); /* by turns, straight to ground */
        assert_int_equal(count_glob(c, "D1up*"), 25);
        assert_int_equal(c->term[element(c, "D1up_2")][1], 0);
        assert_int_equal(c->term[element(c, "D1down_1")][0], 0);
        rheo_circuit_destroy(c);
    }
}

/* Behind an amplifier of gain A: A times the voltage, and the layer below feels 1/A of the current of the layer above.
 */
static void amplifiers_work_both_ways(void **state) {
    (void)state;
    const double amp = 4, par[32] = { 0, 0, 0, 1, 0, 0, 1e-14, 1, 0, 1e-3, 1e-6, 1e-2, amp, 3, 2, 3 };
    rheo_circuit *c = layers(par);
    rheo_state *st = NULL;
    rheo_solver *s = NULL;
    CHECK_OK(rheo_state_create(&st, c, NULL));
    CHECK_OK(rheo_solver_open(&s, c, NULL, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "Vx%d", i + 1);
        st->source[element(c, name)] = 0.3 + 0.5 * i * i;
    }
    for (int o = 0; o < 3; o++) { /* the outputs are loaded through the resistors of the layer alone */
        char name[8];
        snprintf(name, sizeof name, "y%d", o + 1);
        assert_true(rh_map_get(c->node_map, name, 2) > 0);
    }
    CHECK_OK(rheo_solver_solve(s, st, NULL));
    for (int j = 0; j < 2; j++) {
        char h[8], a[8], name[16];
        snprintf(h, sizeof h, "h1_%d", j + 1);
        snprintf(a, sizeof a, "a1_%d", j + 1);
        const double vh = st->v[rh_map_get(c->node_map, h, 4)], va = st->v[rh_map_get(c->node_map, a, 4)];
        CHECK_REL(va, amp * vh, 1e-12);
        double in = 0, out = 0;
        for (int i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "R1_%d_%d", i + 1, j + 1);
            in += st->i[element(c, name)];
            snprintf(name, sizeof name, "R2_%d_%d", j + 1, i + 1);
            out += st->i[element(c, name)];
        }
        assert_true(fabs(out) > 1e-7);
        CHECK_NEAR(in, out / amp, 1e-12 * fabs(out));
    }
    rheo_solver_close(s);
    rheo_state_destroy(st);
    rheo_circuit_destroy(c);
}

static void wrong_layers_are_refused(void **state) {
    (void)state;
    const struct {
        int at;
        double value;
        rheo_status want;
    } CASES[] = { { 0, 2, RHEO_E_RANGE },    { 2, 0.5, RHEO_E_RANGE }, { 13, 3, RHEO_E_RANGE },
                  { 13, NAN, RHEO_E_RANGE }, { 14, 0, RHEO_E_RANGE },  { 15, 3, RHEO_E_RANGE },
                  { 10, 1, RHEO_E_RANGE },   { 6, 0, RHEO_E_RANGE },   { 13, 4.5, RHEO_E_RANGE },
                  { 14, 1e6, RHEO_E_LIMIT } };
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        double par[32] = { 1, 1, 0, 1, 0, 0, 1e-14, 1, 0, 1e-3, 1e-6, 1e-2, 1, 4, 5, 2 };
        par[CASES[k].at] = CASES[k].value;
        rheo_error err = { 0 };
        rh_builder *b = rh_builder_create();
        assert_int_equal(kind_of("layered")->build(par, 3, b, &err), CASES[k].want);
        assert_true(strlen(err.msg) > 10);
        rh_builder_destroy(b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layered_networks_are_crossbars),
        cmocka_unit_test(conductances_start_as_they_are_said_to),
        cmocka_unit_test(amplifiers_work_both_ways),
        cmocka_unit_test(wrong_layers_are_refused),
        cmocka_unit_test(regular_networks_have_known_sizes),
        cmocka_unit_test(random_networks_are_connected),
        cmocka_unit_test(small_world_keeps_its_edges),
        cmocka_unit_test(scale_free_has_hubs),
        cmocka_unit_test(jammed_networks_have_contacts),
        cmocka_unit_test(geometric_networks_have_the_mean_degree),
        cmocka_unit_test(conductances_are_spread),
        cmocka_unit_test(inputs_are_far_apart),
        cmocka_unit_test(every_generator_is_deterministic_and_reads_back),
        cmocka_unit_test(titles_do_not_look_like_cards),
        cmocka_unit_test(mixed_circuits_may_bend),
        cmocka_unit_test(faulty_parameters_are_refused),
        cmocka_unit_test(edges_may_be_transistors),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
