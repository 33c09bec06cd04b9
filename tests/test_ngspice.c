/* test_ngspice.c: ngspice agrees with rheo, survives being killed, and cannot be made to do anything else. */
#include "check.h"
#include "launch.h"
#include "ngspice/ngspice.h"
#include "rheo/netlist.h"
#include "rheo/solver.h"
#include "run/grid_case.h"
#include "table_case.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char worker[4200];

static bool there(void) {
    snprintf(worker, sizeof worker, "%s/../rheo-ngworker", launch_folder());
    return access(worker, X_OK) == 0;
}

#define NEEDS_WORKER()                                                  \
    do {                                                                \
        if (!there()) {                                                 \
            print_message("rheo-ngworker was not built (NGSPICE=0)\n"); \
            skip();                                                     \
        }                                                               \
    } while (0)

static double uniform(uint64_t stream, uint64_t *i) { return rh_random_unit(11, stream, (*i)++); }

static double next_uniform(uint64_t *i) { return uniform(201, i); }

/* ---- agreement ---- */

static int add(rh_builder *b, int kind, const int *term, double value) {
    char name[24];
    int other;
    snprintf(name, sizeof name, "%c%d", RH_KINDS[kind]->letter, rh_builder_n_element(b) + 1);
    const int e = rh_builder_element(b, kind, name, term, value, (rh_place){ 0 }, &other);
    assert_true(e >= 0);
    return e;
}

/* Connected, grounded, with weak controlled sources so that nothing becomes nearly singular. Conductances over three
 * decades. */
static rheo_circuit *random_network(uint64_t seed, int n) {
    rh_builder *b = rh_builder_create();
    assert_non_null(b);
    uint64_t r = 0;
    for (int k = 1; k < n; k++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", k);
        assert_int_equal(rh_builder_node(b, name, strlen(name)), k);
    }
    for (int k = 1; k < n; k++) { /* a tree, then as many chords */
        for (int chord = 0; chord < 2; chord++) {
            const int to = (int)(uniform(seed, &r) * (chord ? n : k));
            if (to == k) continue;
            const int e = add(b, RH_KIND_R, (int[]){ k, to, -1, -1 }, 100 * pow(1000, uniform(seed, &r)));
            if (uniform(seed, &r) < 0.5) assert_int_equal(rh_builder_learn(b, e, NAN, NAN, NAN), RHEO_OK);
        }
    }
    const int first = add(b, RH_KIND_V, (int[]){ 1, 0, -1, -1 }, 2 * uniform(seed, &r) - 1);
    add(b, RH_KIND_V, (int[]){ 0, 2, -1, -1 }, uniform(seed, &r));
    for (int k = 0; k < 3; k++) {
        const int p = 3 + (int)(uniform(seed, &r) * (n - 3)), q = 3 + (int)(uniform(seed, &r) * (n - 3));
        if (p != q) add(b, RH_KIND_I, (int[]){ p, q, -1, -1 }, 1e-3 * uniform(seed, &r));
        if (p != q) add(b, RH_KIND_G, (int[]){ p, 0, q, 0 }, 1e-6 * uniform(seed, &r));
        const int fresh = rh_builder_node(b, (const char *[]){ "e0", "e1", "e2" }[k], 2);
        add(b, RH_KIND_E, (int[]){ fresh, 0, p, q }, 0.5 * uniform(seed, &r));
        add(b, RH_KIND_R, (int[]){ fresh, q, -1, -1 }, 1e5);
        const int sensed = rh_builder_node(b, (const char *[]){ "s0", "s1", "s2" }[k], 2);
        const int v = add(b, RH_KIND_V, (int[]){ sensed, p, -1, -1 }, 0);
        add(b, RH_KIND_R, (int[]){ sensed, 0, -1, -1 }, 1e4);
        const int f = p != q ? add(b, RH_KIND_F, (int[]){ p, q, -1, -1 }, uniform(seed, &r) - 0.5) : -1;
        if (f >= 0) rh_builder_ctrl(b, f, v);
        const int far = rh_builder_node(b, (const char *[]){ "h0", "h1", "h2" }[k], 2);
        rh_builder_ctrl(b, add(b, RH_KIND_H, (int[]){ far, p, -1, -1 }, 300 * uniform(seed, &r)), k ? v : first);
        add(b, RH_KIND_R, (int[]){ far, q, -1, -1 }, 1e5);
    }
    rheo_circuit *c = NULL;
    assert_int_equal(rh_builder_finish(b, &c, NULL), RHEO_OK);
    return c;
}

/* NULL: no operating point was found. */
static rheo_state *tried(const rheo_circuit *c, const char *backend, rheo_error *err) {
    rheo_solver_def def = rheo_solver_default();
    def.backend = backend;
    def.worker = worker;
    rheo_solver *s = NULL;
    rheo_state *st = NULL;
    if (rheo_solver_open(&s, c, &def, NULL, err) != RHEO_OK) fail_msg("%s: %s", backend, err->msg);
    CHECK_OK(rheo_state_create(&st, c, NULL));
    if (rheo_solver_solve(s, st, err) != RHEO_OK) {
        rheo_state_destroy(st);
        st = NULL;
    }
    rheo_solver_close(s);
    return st;
}

static rheo_state *solved(const rheo_circuit *c, const char *backend) {
    rheo_error err = { 0 };
    rheo_state *st = tried(c, backend, &err);
    if (!st) fail_msg("%s: %s", backend, err.msg);
    return st;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void ngspice_agrees_with_klu(void **state) {
    (void)state;
    NEEDS_WORKER();
    enum { N = 60, MAX = 60 * 320 };
    double *const miss = calloc(MAX, sizeof *miss);
    int n = 0;
    for (int k = 0; k < N; k++) {
        rheo_circuit *c = random_network(100 + (uint64_t)k, 10 + k * 290 / (N - 1));
        rheo_state *a = solved(c, "klu"), *b = solved(c, "ngspice");
        double v_max = 0, i_max = 0;
        for (int i = 0; i < c->n_node; i++) v_max = fmax(v_max, fabs(a->v[i]));
        for (int e = 0; e < c->n_elem; e++) i_max = fmax(i_max, fabs(a->i[e]));
        for (int i = 1; i < c->n_node; i++) miss[n++] = fabs(a->v[i] - b->v[i]) / v_max;
        for (int e = 0; e < c->n_elem; e++) CHECK_NEAR(b->i[e], a->i[e], 1e-7 * i_max);
        rheo_state_destroy(a);
        rheo_state_destroy(b);
        rheo_circuit_destroy(c);
    }
    qsort(miss, (size_t)n, sizeof *miss, by_size);
    CHECK_NEAR(miss[n * 9 / 10], 0, 1e-9);
    CHECK_NEAR(miss[n - 1], 0, 1e-7);
    free(miss);
}

/* Of parameters that are 0 unless given. */
static double usual(const char *name) {
    static const struct {
        const char *name;
        double x;
    } USUAL[] = { { "vaf", 60 }, { "var", 15 }, { "ikf", 0.05 }, { "ikr", 0.02 }, { "ise", 1e-14 }, { "isc", 1e-13 } };
    for (int k = 0; k < RH_COUNT(USUAL); k++)
        if (!strcmp(USUAL[k].name, name)) return USUAL[k].x;
    return 0.5;
}

/* Collector, base, emitter: all four regions, junctions up to 0.8 V. */
static double bipolar_bias(int kind, int t, uint64_t *r) {
    const double volt = t == 1 ? 0.8 * uniform(202, r) : t == 0 && uniform(202, r) < 0.7 ? 5 * uniform(202, r) : 0;
    return kind == RH_KIND_PNP ? -volt : volt;
}

/* Parameters as of devices that exist, bias as in circuits; each terminal on a source of its own, so that ngspice tells
 * every current. Junctions beyond 0.9 V would carry more than anything else does. */
static void currents_of_nonlinear_kinds_agree(void **state) {
    (void)state;
    NEEDS_WORKER();
    enum { N = 100 };
    const double ROUNDING = 1e-15; /* A, in ngspice: about 1 S at 1 V */
    for (int q = 0; q < RH_N_KIND; q++) {
        const rh_kind *const kind = RH_KINDS[q];
        if (!(kind->flags & RH_NONLINEAR) || kind->flags & (RH_TAPE | RH_STATE)) continue;
        rh_builder *b = rh_builder_create();
        uint64_t r = 0;
        int source[N][RH_MAX_TERM], elem[N];
        for (int k = 0; k < N; k++) {
            int term[RH_MAX_TERM] = { -1, -1, -1, -1 };
            double par[TABLE_ROOM];
            for (int j = 0; j < kind->n_par; j++) {
                const rh_par *const p = &kind->par[j];
                const double def = p->def != 0 ? p->def : usual(p->name), x = def * (0.5 + uniform(200, &r));
                par[j] = uniform(200, &r) < 0.3 ? p->def : fmin(fmax(x, p->min), p->max);
            }
            for (int t = 0; t < kind->n_term; t++) {
                char name[32];
                snprintf(name, sizeof name, "n%d_%d", k, t);
                term[t] = rh_builder_node(b, name, strlen(name));
                const double volt = kind->n_term == 2   ? (t ? 0.2 : 1.4 * uniform(200, &r) - 0.4)
                                    : kind->n_term == 3 ? bipolar_bias(q, t, &r)
                                                        : 3 * uniform(200, &r) * (q == RH_KIND_PMOS ? -1 : 1);
                const double bulk = (q == RH_KIND_PMOS ? 1 : -1) * (2 * uniform(200, &r) - 0.5);
                source[k][t] = add(b, RH_KIND_V, (int[]){ term[t], 0, -1, -1 }, t == 3 ? bulk : volt);
            }
            elem[k] = add(b, q, term, 1);
            if (kind->flags & RH_TABLE) {
                par[0] = k % 2 ? 1 : 3;
                random_table(kind, next_uniform, &r, par);
                rh_builder_use_model(b, elem[k], rh_builder_model(b, "T", 1, q, par));
            }
            CHECK_OK(rh_builder_par(b, elem[k], par));
        }
        rheo_circuit *c = NULL;
        assert_int_equal(rh_builder_finish(b, &c, NULL), RHEO_OK);
        rheo_state *st = solved(c, "ngspice");
        double worst = 0;
        int conducting = 0;
        for (int k = 0; k < N; k++) {
            rh_flow f;
            double most = 0;
            rh_elem_flow(c, elem[k], st->v, &f);
            for (int t = 0; t < kind->n_term; t++) most = fmax(most, fabs(f.i[t]));
            conducting += most > 1e-9;
            for (int t = 0; t < kind->n_term; t++)
                worst = fmax(worst, (fabs(-st->i[source[k][t]] - f.i[t]) - ROUNDING) / most);
        }
        print_message("%s: %.1e relative, %d of %d conduct\n", kind->name, worst, conducting, N);
        assert_true(conducting > N / 4);
        CHECK_NEAR(worst, 0, 1e-8);
        rheo_state_destroy(st);
        rheo_circuit_destroy(c);
    }
}

/* Parameters as of devices that exist, each up to half as much again or less than usual. */
static void usual_parameters(const rh_kind *kind, uint64_t seed, uint64_t *r, double *par) {
    for (int j = 0; j < kind->n_par; j++) {
        const rh_par *const p = &kind->par[j];
        const double def = p->def != 0 ? p->def : usual(p->name), x = def * (0.75 + 0.5 * uniform(seed, r));
        par[j] = uniform(seed, r) < 0.3 ? p->def : fmin(fmax(x, p->min), p->max);
    }
}

/* Resistors in a tree, and as many elements of the kinds of `list` at random nodes, within 3 V; no junction lies across
 * sources alone. */
static rheo_circuit *bent_network(uint64_t seed, int n, const int *list, int n_list) {
    rh_builder *b = rh_builder_create();
    uint64_t r = 0;
    assert_non_null(b);
    for (int k = 1; k < n; k++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", k);
        assert_int_equal(rh_builder_node(b, name, strlen(name)), k);
    }
    for (int k = 1; k < n; k++)
        add(b, RH_KIND_R, (int[]){ k, (int)(uniform(seed, &r) * k), -1, -1 }, 1000 * pow(30, uniform(seed, &r)));
    for (int k = 0; k < n; k++) {
        const int kind = list[(int)(uniform(seed, &r) * n_list)];
        int term[RH_MAX_TERM] = { -1, -1, -1, -1 };
        double par[TABLE_ROOM];
        const int outer = (int)(3 * uniform(seed, &r));
        for (int t = 0; t < RH_KINDS[kind]->n_term; t++)
            term[t] = t == outer ? (int)(uniform(seed, &r) * n) : 3 + (int)(uniform(seed, &r) * (n - 3));
        if (term[0] == term[1]) continue;
        const int e = add(b, kind, term, 1);
        usual_parameters(RH_KINDS[kind], seed, &r, par);
        if (RH_KINDS[kind]->flags & RH_TABLE) {
            par[0] = k % 2 ? 1 : 3;
            random_table(RH_KINDS[kind], next_uniform, &r, par);
            rh_builder_use_model(b, e, rh_builder_model(b, "T", 1, kind, par));
        }
        CHECK_OK(rh_builder_par(b, e, par));
    }
    add(b, RH_KIND_V, (int[]){ 1, 0, -1, -1 }, 6 * uniform(seed, &r) - 3);
    add(b, RH_KIND_V, (int[]){ 2, 0, -1, -1 }, 6 * uniform(seed, &r) - 3);
    rheo_circuit *c = NULL;
    assert_int_equal(rh_builder_finish(b, &c, NULL), RHEO_OK);
    return c;
}

/* Largest sum of currents into a node that no source holds, A. */
static double imbalance(const rheo_circuit *c, const double *v) {
    enum { MOST = 64 };
    double in[MOST] = { 0 }, worst = 0;
    bool held[MOST] = { true };
    assert_true(c->n_node <= MOST);
    for (int e = 0; e < c->n_elem; e++) {
        rh_flow f = { 0 };
        const int *const t = c->term[e];
        if (c->kind[e] == RH_KIND_V) held[t[0]] = true;
        if (RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) rh_elem_flow(c, e, v, &f);
        if (c->kind[e] == RH_KIND_R) f.i[0] = (v[t[0]] - v[t[1]]) / c->value[e], f.i[1] = -f.i[0];
        for (int k = 0; k < RH_KINDS[c->kind[e]]->n_term; k++) in[t[k]] += f.i[k];
    }
    for (int i = 1; i < c->n_node; i++)
        if (!held[i]) worst = fmax(worst, fabs(in[i]));
    return worst;
}

/* ngspice does not limit what it takes for expressions, so a few networks of tables are beyond it. Transistors in a
 * loop may hold either of two states: where the engines differ, both must be right. */
static void networks_of_new_kinds_agree(void **state) {
    (void)state;
    NEEDS_WORKER();
    static const int LISTS[2][3] = { { RH_KIND_D_TABLE, RH_KIND_D_TABLE, RH_KIND_D },
                                     { RH_KIND_NPN, RH_KIND_PNP, RH_KIND_D_TABLE } };
    enum { N = 40 };
    for (int l = 0; l < RH_COUNT(LISTS); l++) {
        double miss[N * 64];
        int n = 0, n_solved = 0, n_other = 0;
        for (int k = 0; k < N; k++) {
            rheo_circuit *c = bent_network(300 + (uint64_t)k, 6 + k, LISTS[l], 3);
            rheo_error err = { 0 };
            rheo_state *a = solved(c, "klu"), *b = tried(c, "ngspice", &err);
            double v_max = 0;
            n_solved += b != NULL;
            for (int i = 0; i < c->n_node; i++) v_max = fmax(v_max, fabs(a->v[i]));
            double most = 0;
            for (int i = 1; b && i < c->n_node; i++) most = fmax(most, fabs(a->v[i] - b->v[i]) / v_max);
            if (most > 1e-6) {
                CHECK_NEAR(imbalance(c, a->v), 0, 1e-13);
                CHECK_NEAR(imbalance(c, b->v), 0, 1e-13);
                n_other++;
            }
            for (int i = 1; b && most <= 1e-6 && i < c->n_node; i++) miss[n++] = fabs(a->v[i] - b->v[i]) / v_max;
            rheo_state_destroy(a);
            rheo_state_destroy(b);
            rheo_circuit_destroy(c);
        }
        qsort(miss, (size_t)n, sizeof *miss, by_size);
        print_message("%d of %d networks solved by ngspice as well, %d in another state: p90 %.1e, most %.1e\n",
                      n_solved, N, n_other, miss[n * 9 / 10], miss[n - 1]);
        CHECK_NEAR(miss[n * 9 / 10], 0, 1e-9);
        CHECK_NEAR(miss[n - 1], 0, 1e-6);
        assert_true(n_solved >= N * 3 / 4 && n_other <= l);
    }
}

/* Free states, responses of the outputs and bounds: the whole way through the learner. */
static void training_by_ngspice_is_training(void **state) {
    (void)state;
    NEEDS_WORKER();
    double g[2][64];
    int n = 0;
    for (int way = 0; way < 2; way++) {
        rh_grid_case k;
        CHECK_OK(rh_grid_case_build(&k, 5, 2, (const int[]){ 0, 24, 7, 16 }, -1, NULL));
        k.target[0] = 0.3;
        k.target[1] = 0.6;
        rh_learn_def d;
        rh_learn_default(&d);
        d.rule = RH_RULE_CONTRASTIVE;
        d.rate = 3;
        d.strength = 0.1;
        rheo_solver_def def = rheo_solver_default();
        def.backend = way ? "ngspice" : "klu";
        def.worker = worker;
        rh_learner *l = NULL;
        rheo_error err = { 0 };
        if (rh_learner_open(&l, k.c, &d, &def, &k.ports, &k.samples, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
        rh_score before, after;
        CHECK_OK(rh_learner_evaluate(l, (const int[]){ 0 }, 1, &before, NULL));
        for (int i = 0; i < 30; i++) CHECK_OK(rh_learner_step(l, (const int[]){ 0 }, 1, NULL));
        CHECK_OK(rh_learner_evaluate(l, (const int[]){ 0 }, 1, &after, NULL));
        assert_true(after.loss < 0.8 * before.loss);
        n = k.c->n_edge;
        memcpy(g[way], rh_learner_g(l), sizeof(double) * (size_t)n);
        rh_learner_close(l);
        rh_grid_case_free(&k);
    }
    for (int k = 0; k < n; k++) CHECK_REL(g[1][k], g[0][k], 1e-9);
}

/* ---- the process ---- */

enum { POINTS = 60 };

/* Decks named in the messages, each looked at and removed. */
static int collect_decks(const char *messages) {
    int n = 0;
    for (const char *p = messages; (p = strstr(p, "/tmp/rheo-deck-")); n++) {
        char path[32], line[32] = "";
        snprintf(path, sizeof path, "%.*s", (int)strcspn(p, " \n"), p);
        FILE *const f = fopen(path, "r");
        if (!f) fail_msg("no deck in %s", path);
        assert_non_null(fgets(line, sizeof line, f));
        assert_string_equal(line, "deck by rheo\n");
        fclose(f);
        unlink(path);
        p += strlen(path);
    }
    return n;
}

/* Counts the decks that warnings name. */
static void count_decks(void *user, const rheo_error *e) {
    assert_int_equal(e->code, 325);
    *(int *)user += collect_decks(e->msg);
}

/* Points with changing conductances and ports; the worker is killed before some of them. */
static long run_points(const rheo_circuit *c, int kill_every, double *out) {
    rh_ngspice *s = NULL;
    rheo_error err = { 0 };
    uint64_t r = 0;
    double *const g = calloc((size_t)c->n_edge, sizeof *g), *const i = calloc((size_t)c->n_elem, sizeof *i);
    if (rh_ngspice_open(&s, c, worker, &err) != RHEO_OK) fail_msg("%s", err.msg);
    const int port = rh_ngspice_port(s, 3, 4);
    assert_int_equal(rh_ngspice_port(s, 3, 4), port);
    for (int k = 0; k < c->n_edge; k++) g[k] = c->g_init[k];
    for (int p = 0; p < POINTS; p++) {
        for (int k = 0; k < c->n_edge; k += 1 + p % 3) g[k] *= 0.9 + 0.2 * uniform(5, &r);
        if (kill_every && p % kill_every == kill_every - 1) kill(rh_ngspice_worker(s)->pid, SIGKILL);
        rh_ngspice_inject(s, port, p % 2 ? 0 : 1);
        if (rh_ngspice_solve(s, g, p % 2 ? c->value : NULL, out + p * c->n_node, i, &err) != RHEO_OK)
            fail_msg("%s", err.msg);
    }
    const long restarts = rh_ngspice_restarts(s);
    int decks = 0;
    rh_ngspice_tell(s, &(rheo_log){ count_decks, &decks });
    assert_int_equal(decks, kill_every ? POINTS / kill_every : 0);
    rh_ngspice_close(s);
    free(g);
    free(i);
    return restarts;
}

static void a_killed_worker_changes_nothing(void **state) {
    (void)state;
    NEEDS_WORKER();
    rheo_circuit *c = random_network(77, 40);
    const size_t n = (size_t)(POINTS * c->n_node);
    double *const calm = calloc(n, sizeof *calm), *const killed = calloc(n, sizeof *killed);
    const long restarts = run_points(c, 0, calm);
    assert_int_equal(run_points(c, POINTS / 5, killed), restarts + 5);
    assert_memory_equal(calm, killed, n * sizeof *calm);
    free(calm);
    free(killed);
    rheo_circuit_destroy(c);
}

/* ---- training, with workers that die ---- */

/* The first process with this name and this parent, or 0. */
static pid_t find_child(pid_t parent, const char *name) {
    pid_t found = 0;
    DIR *d = opendir("/proc");
    assert_non_null(d);
    for (struct dirent *e; !found && (e = readdir(d));) {
        char path[300], comm[64] = "";
        int above = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *const f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!f) continue;
        if (fscanf(f, "%*d (%63[^)]) %*c %d", comm, &above) == 2 && above == parent && !strcmp(comm, name))
            found = (pid_t)atoi(e->d_name);
        fclose(f);
    }
    closedir(d);
    return found;
}

/* Is its filter in place? Then it has started, however slow the machine is. */
static bool is_sealed(pid_t pid) {
    char path[64], line[128];
    int mode = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *const f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) sscanf(line, "Seccomp: %d", &mode);
    if (f) fclose(f);
    return mode == 2;
}

/* Kills workers of the program that `parent` has started, at moments that nobody chose, and counts. */
static void kill_workers(pid_t parent, int most, int *killed) {
    uint64_t r = 0;
    while (*killed < most) {
        usleep((useconds_t)(10000 + 40000 * uniform(9, &r)));
        const pid_t program = find_child(parent, "rheo"), pid = program ? find_child(program, "rheo-ngworker") : 0;
        if (pid && is_sealed(pid) && kill(pid, SIGKILL) == 0) ++*killed;
    }
}

static int count_words(const char *text, const char *word) {
    int n = 0;
    for (const char *p = text; (p = strstr(p, word)); p += strlen(word)) n++;
    return n;
}

/* result.npz of a training by ngspice. kills: workers to be killed meanwhile; *killed: how many were. */
static char *train(const char *folder, const char *name, const char *threads, int kills, int *killed, size_t *n) {
    char output[400], run[300];
    snprintf(output, sizeof output, "output=%s/%s", folder, name);
    int *const count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(count != MAP_FAILED);
    const pid_t parent = getpid(), killer = kills ? fork() : 0;
    if (kills && killer == 0) {
        kill_workers(parent, kills, count);
        _exit(0);
    }
    launched r;
    launch_with(&r, "train", "--threads", threads, "--set", "solver.backend=ngspice", "--set", "run.epochs=40", "--set",
                "run.batch=16", "--set", output, "examples/regression.yaml", NULL);
    if (killer) {
        kill(killer, SIGKILL);
        waitpid(killer, NULL, 0);
    }
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    const int decks = collect_decks(r.err), told = count_words(r.err, "E325");
    *killed = *count;
    assert_true(told >= decks && told <= *killed && (kills == 0 || decks > 0));
    launch_free(&r);
    munmap(count, sizeof *count);
    snprintf(run, sizeof run, "%s/%s", folder, name);
    char *const result = scratch_read(run, "result.npz", n);
    assert_non_null(result);
    return result;
}

static double last_loss(const char *experiment, const char *backend, const char *epochs, const char *output) {
    char set[80], run[32], to[300];
    launched r;
    snprintf(set, sizeof set, "solver.backend=%s", backend);
    snprintf(run, sizeof run, "run.epochs=%s", epochs);
    snprintf(to, sizeof to, "output=%s", output);
    launch_with(&r, "train", "--json", "--force", "--set", set, "--set", run, "--set", to, experiment, NULL);
    if (r.exit != 0) fail_msg("%s by %s: exit %d: %s", experiment, backend, r.exit, r.err);
    const char *const done = strstr(r.out, "\"event\":\"done\""), *const loss =
                                                                      done ? strstr(done, "\"loss_last\":") : NULL;
    assert_non_null(loss);
    const double x = strtod(loss + strlen("\"loss_last\":"), NULL);
    launch_free(&r);
    return x;
}

/* Diodes and transistors; outputs held, pulled by a conductance, and fed by currents of either sign. */
static void nonlinear_networks_train_alike(void **state) {
    (void)state;
    NEEDS_WORKER();
    if (access("examples/xor-mosfet.yaml", R_OK) != 0) skip();
    static const char *const RUN[][2] = { { "examples/xor-mosfet.yaml", "10" },
                                          { "examples/selflearn-mosfet.yaml", "3" },
                                          { "examples/xor-diode.yaml", "10" },
                                          { "examples/regression-mosfet.yaml", "1" } };
    char *const folder = scratch_create();
    for (int k = 0; k < RH_COUNT(RUN); k++) {
        char output[200];
        snprintf(output, sizeof output, "%s/run", folder);
        const double klu = last_loss(RUN[k][0], "klu", RUN[k][1], output);
        CHECK_REL(last_loss(RUN[k][0], "ngspice", RUN[k][1], output), klu, 1e-9);
    }
    scratch_remove(folder);
}

/* One worker per thread, killed or not: the same bytes. */
static void neither_threads_nor_kills_change_a_training(void **state) {
    (void)state;
    NEEDS_WORKER();
    if (access("examples/regression.yaml", R_OK) != 0) skip(); /* not run from the top of the sources */
    char *const folder = scratch_create();
    static const struct {
        const char *name, *threads;
        int kills;
    } RUN[] = { { "a", "1", 0 }, { "b", "2", 0 }, { "c", "4", 0 }, { "d", "1", 20 }, { "e", "2", 20 } };
    char *first = NULL;
    size_t n_first = 0;
    for (int k = 0; k < RH_COUNT(RUN); k++) {
        int killed;
        size_t n;
        char *const result = train(folder, RUN[k].name, RUN[k].threads, RUN[k].kills, &killed, &n);
        assert_true(RUN[k].kills == 0 || killed > 0);
        if (!first) {
            first = result;
            n_first = n;
            continue;
        }
        assert_int_equal(n, n_first);
        assert_memory_equal(result, first, n);
        free(result);
    }
    free(first);
    /* and the trained network, all 60 samples free and clamped, is the same for every engine */
    char run[300];
    snprintf(run, sizeof run, "%s/a", folder);
    launched r;
    launch_with(&r, "compare", "--json", "--tolerance", "1e-12", run, NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    assert_int_equal(count_words(r.out, "\"points\":120,\"refused\":0,"), 2);
    launch_free(&r);
    scratch_remove(folder);
}

static void a_late_worker_is_ended(void **state) {
    (void)state;
    NEEDS_WORKER();
    rh_worker w = { 0 };
    CHECK_OK(rh_worker_start(&w, worker, NULL));
    const pid_t pid = w.pid;
    assert_int_equal(rh_worker_call(&w, RH_NG_INFO, NULL, 0, -1), RH_SAID_LATE);
    assert_int_equal(w.pid, 0);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(rh_worker_call(&w, RH_NG_INFO, NULL, 0, 10), RH_SAID_DIED);
    CHECK_OK(rh_worker_start(&w, worker, NULL));
    kill(w.pid, SIGSTOP); /* neither busy nor answering */
    assert_int_equal(rh_worker_call(&w, RH_NG_INFO, NULL, 0, 0.1), RH_SAID_LATE);
    rh_worker_free(&w);
}

static void a_missing_worker_is_told(void **state) {
    (void)state;
    rh_worker w = { 0 };
    rheo_error err = { 0 };
    assert_int_equal(rh_worker_start(&w, "/nowhere/rheo-ngworker", &err), RHEO_E_IO);
    assert_int_equal(err.code, 420);
    err = (rheo_error){ 0 };
    assert_int_equal(rh_worker_start(&w, "/bin/true", &err), RHEO_E_IO);
    assert_int_equal(err.code, 421);
    rh_worker_free(&w);
}

static long resident_kib(pid_t pid) {
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d %ld", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void memory_stays_flat(void **state) {
    (void)state;
    NEEDS_WORKER();
    if (getenv("RHEO_ASAN")) skip(); /* a sanitizer keeps what is freed */
    rheo_circuit *c = random_network(3, 12);
    rh_ngspice *s = NULL;
    double v[32], i[64], g[32];
    assert_true(c->n_node <= 32 && c->n_elem <= 64);
    for (int k = 0; k < c->n_edge; k++) g[k] = c->g_init[k];
    CHECK_OK(rh_ngspice_open(&s, c, worker, NULL));
    for (int p = 0; p < 10; p++) CHECK_OK(rh_ngspice_solve(s, g, c->value, v, i, NULL));
    const long own = resident_kib(getpid()), first = resident_kib(rh_ngspice_worker(s)->pid);
    long most = first;
    for (int p = 0; p < 2000; p++) {
        g[p % c->n_edge] *= p % 2 ? 1.25 : 0.8;
        CHECK_OK(rh_ngspice_solve(s, g, c->value, v, i, NULL));
        if (p % 50 == 0 && resident_kib(rh_ngspice_worker(s)->pid) > most)
            most = resident_kib(rh_ngspice_worker(s)->pid);
    }
    assert_true(first > 0 && most - first < 1024);
    assert_true(resident_kib(getpid()) - own < 1024);
    rh_ngspice_close(s);
    rheo_circuit_destroy(c);
}

/* ---- security ---- */

/* Files in the folder whose name begins so. */
static int count_files(const char *folder, const char *prefix) {
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    closedir(d);
    return n;
}

/* What the worker must withstand even if rheo were to send it: decks as an attacker would write them. */
static void a_hostile_deck_does_nothing(void **state) {
    (void)state;
    NEEDS_WORKER();
    char *folder = scratch_create(), deck[1200];
    scratch_write(folder, "secret.txt", "root:verysecret:0\n");
    static const char *const LINES[] = {
        ".include /etc/passwd",
        ".include %s/secret.txt",
        ".lib %s/secret.txt x",
        "*#shell touch %s/canary1",
        ".control\nshell touch %s/canary2\n.endc",
        ".control\necho `touch %s/canary3`\n.endc",
        ".control\nset unixcom\ntouch %s/canary4\n.endc",
        ".control\nop\nwrite %s/canary5 all\nwrdata %s/canary6 all\necho x > %s/canary7\n.endc",
        ".control\nsource %s/secret.txt\ncodemodel %s/secret.txt\n.endc",
        ".csparam x=1\n.control\nop\nhardcopy %s/canary8 v(n1)\nsnsave %s/canary9\n.endc",
    };
    for (int k = 0; k < RH_COUNT(LINES); k++) {
        rh_worker w = { 0 };
        int n = snprintf(deck, sizeof deck, "title\nv1 n1 0 1\nr1 n1 0 1\n");
        n += snprintf(deck + n, sizeof deck - (size_t)n, LINES[k], folder, folder, folder);
        n += snprintf(deck + n, sizeof deck - (size_t)n, "\n.end\n");
        CHECK_OK(rh_worker_start(&w, worker, NULL));
        rh_said said = rh_worker_call(&w, RH_NG_LOAD, deck, (size_t)n, 20);
        if (k < 3) assert_int_not_equal(said, RH_SAID_OK); /* cannot be opened */
        if (w.text) assert_null(strstr(w.text, "root:"));
        if (said == RH_SAID_OK) said = rh_worker_call(&w, RH_NG_VECTORS, "n1\n", 3, 20);
        if (said == RH_SAID_OK) said = rh_worker_call(&w, RH_NG_OP, NULL, 0, 20);
        if (said == RH_SAID_OK) CHECK_NEAR(((const double *)(const void *)w.text)[0], 1, 1e-12);
        if (w.text) assert_null(strstr(w.text, "root:"));
        rh_worker_free(&w);
    }
    assert_int_equal(count_files(folder, "canary"), 0);
    scratch_remove(folder);
}

static void the_layers_are_there(void **state) {
    (void)state;
    NEEDS_WORKER();
    rh_worker w = { 0 };
    CHECK_OK(rh_worker_start(&w, worker, NULL));
    const uint32_t needed = RH_NG_LIMITS | RH_NG_NO_PRIVS | RH_NG_SECCOMP;
    assert_int_equal(w.info.layers & needed, needed);
    char path[64], line[128];
    int mode = -1, privileges = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)w.pid); /* what the kernel says */
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        sscanf(line, "Seccomp: %d", &mode);
        sscanf(line, "NoNewPrivs: %d", &privileges);
    }
    fclose(f);
    assert_int_equal(mode, 2);
    assert_int_equal(privileges, 1);
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)w.pid); /* its folder is gone */
    const ssize_t n = readlink(path, line, sizeof line - 1);
    assert_true(n > 0);
    line[n] = '\0';
    assert_non_null(strstr(line, "(deleted)"));
    rh_worker_free(&w);
}

/* Hostile words where a netlist of the user may have them, solved in a folder with a start-up file of ngspice. */
static void a_hostile_netlist_does_nothing(void **state) {
    (void)state;
    NEEDS_WORKER();
    char *folder = scratch_create();
    char *const before = getcwd(NULL, 0);
    assert_int_equal(chdir(folder), 0);
    scratch_write(folder, ".spiceinit", "shell touch canary0\n");
    scratch_write(folder, "spinit", "shell touch canary0\n");
    scratch_write(folder, "net.cir",
                  "*#shell touch canary1 `touch canary2` .control\n"
                  "*#shell touch canary3\n"
                  "V.control .control 0 1\n"
                  "Rcodemodel .control *#shell 1k\n"
                  "R$(touch&canary4) *#shell 0 1k\n"
                  ".control\nshell touch canary5\n.endc\n"
                  "* .include canary\n"
                  ".end\n");
    launched r;
    launch_with(&r, "solve", "--csv", "--backend", "ngspice", "net.cir", NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    assert_non_null(strstr(r.out, "v(*#shell),V,0.5"));
    launch_free(&r);
    assert_int_equal(count_files(folder, "canary"), 0);
    assert_int_equal(chdir(before), 0);
    free(before);
    scratch_remove(folder);
}

/* What `rheo check --untrusted` says of a netlist, in a folder that may hold more. */
static void check_untrusted(launched *r, const char *folder, const char *text) {
    char path[300];
    snprintf(path, sizeof path, "%s/n.cir", folder);
    scratch_write(folder, "n.cir", text);
    launch_with(r, "check", "--untrusted", path, NULL);
}

/* Every dangerous construct by its place, and an exit code; the harmless is passed. */
static void check_names_what_is_dangerous(void **state) {
    (void)state;
    char *folder = scratch_create();
    static const struct {
        const char *line, *found;
    } CASES[] = {
        { "*#shell rm x", "n.cir:4:1: error[E601]" },
        { "  *# shell rm x", "n.cir:4:3: error[E601]" },
        { "* a `touch x` comment", "n.cir:4:5: error[E608]" },
        { ".CONTROL\ncodemodel ./x.cm\n.endc", "n.cir:4:1: error[E602]" },
        { ".control\n  codemodel ./x.cm\n.endc", "n.cir:5:3: error[E609]" },
        { ".control\nSHELL rm x\n.endc", "n.cir:5:1: error[E609]" },
        { ".control\nop ; shell rm x\n.endc", "n.cir:5:6: error[E609]" },
        { ".control\npre_codemodel x.cm\n.endc", "n.cir:5:1: error[E609]" },
        { ".control\nwrdata x all\n.endc", "n.cir:5:1: error[E609]" },
        { ".control\necho hi > x\n.endc", "n.cir:5:9: error[E609]" },
        { ".control\nset x = `rm x`\n.endc", "n.cir:5:9: error[E608]" },
        { ".control\nsource x", "n.cir:5:1: error[E609]" },
        { "shell rm x", "n.cir:4:1: error[E609]" },
        { "*ng_script", "n.cir:4:1: error[E609]" },
        { ".include /etc/passwd", "n.cir:4:10: error[E604]" },
        { ".include\n+ /etc/passwd", "n.cir:5:3: error[E604]" },
        { ".include ../../etc/passwd", "n.cir:4:10: error[E603]" },
        { ".lib /etc/passwd tt", "n.cir:4:1: error[E130]" },
        { ".csparam x=1", "n.cir:4:1: error[E102]" },
    };
    launched r;
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        char text[300];
        snprintf(text, sizeof text, "title\nV1 a 0 1\nR1 a 0 1k\n%s\n.end\n", CASES[k].line);
        check_untrusted(&r, folder, text);
        assert_int_equal(r.exit, 3);
        if (!strstr(r.err, CASES[k].found)) fail_msg("%s is missing in:\n%s", CASES[k].found, r.err);
        launch_free(&r);
    }
    check_untrusted(&r, folder, "Source follower: write, shell\nV1 a 0 1\nRspice a b 1k\nCd b 0 1n\nR1 b 0 1\n.end\n");
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    launch_free(&r);
    scratch_write(folder, "part.inc", "* from afar\n*#shell rm x\n* `rm x`\nR2 a 0 1k\n");
    check_untrusted(&r, folder, "t\nV1 a 0 1\nR1 a 0 1k\n.include part.inc\n.end\n");
    assert_int_equal(r.exit, 3);
    assert_non_null(strstr(r.err, "part.inc:2:1: error[E601]"));
    assert_non_null(strstr(r.err, "part.inc:3:3: error[E608]"));
    launch_free(&r);
    scratch_write(folder, ".spiceinit", "shell rm x\n");
    check_untrusted(&r, folder, "t\nV1 a 0 1\nR1 a 0 1k\n.end\n");
    assert_int_equal(r.exit, 3);
    assert_non_null(strstr(r.err, "/.spiceinit:1:1: error[E611]"));
    assert_null(strstr(r.err, "rm x"));
    launch_free(&r);
    scratch_remove(folder);
}

/* The command: agreement is 0, a difference that nobody can meet is 1, and no engine is told. */
static void compare_is_a_verdict(void **state) {
    (void)state;
    NEEDS_WORKER();
    const char *const net = "t\nV1 a 0 1\nR1 a b 3k\nR2 b c 7k\nR3 c 0 1.1k\nR4 b 0 13k\nR5 a c 17k\n.end\n";
    char *folder = scratch_create(), path[300];
    scratch_write(folder, "n.cir", net);
    snprintf(path, sizeof path, "%s/n.cir", folder);
    launched r;
    launch_with(&r, "compare", "--backends", "klu,ngspice", "--tolerance", "1e-9", path, NULL);
    assert_int_equal(r.exit, 0);
    assert_non_null(strstr(r.out, "ngspice"));
    launch_free(&r);
    launch_with(&r, "compare", "--tolerance", "1e-30", "--json", path, NULL);
    assert_int_equal(r.exit, 1);
    assert_non_null(strstr(r.err, "E322"));
    launch_free(&r);
    launch_with(&r, "compare", "--backends", "klu,spectre", path, NULL);
    assert_int_equal(r.exit, 2);
    launch_free(&r);
    scratch_remove(folder);
}

/* Transistors that hold each other have several operating points, and each engine finds one of its own. */
static void several_operating_points_are_told(void **state) {
    (void)state;
    NEEDS_WORKER();
    char *folder = scratch_create(), path[300];
    scratch_write(folder, "n.cir",
                  "t\nVdd vdd 0 5\nR0 n0 vdd 9.1k\nR1 n1 0 5.75k\nR2 n2 vdd 15.5k\nR3 n3 vdd 30.3k\n"
                  "M0 n2 n2 n1 0 nm W=10u L=1u\nM1 n2 n2 0 0 nm W=10u L=1u\nM2 n0 n3 0 0 nm W=10u L=1u\n"
                  "M3 n1 n0 n3 0 nm W=10u L=1u\nM4 n1 n0 n3 0 nm W=10u L=1u\n.model nm NMOS(VTO=0.7 KP=100u)\n.end\n");
    snprintf(path, sizeof path, "%s/n.cir", folder);
    launched r;
    launch_with(&r, "compare", "--backends", "klu,ngspice", "--tolerance", "1e-9", path, NULL);
    assert_int_equal(r.exit, 0);
    assert_non_null(strstr(r.out, "1 at another operating point than klu found alone, which both agree on"));
    launch_free(&r);
    launch_with(&r, "compare", "--backends", "klu,ngspice", "--json", path, NULL);
    assert_non_null(strstr(r.out, "\"elsewhere\":1,"));
    launch_free(&r);
    scratch_remove(folder);
}

static double number_behind(const char *text, const char *key) {
    const char *const p = strstr(text, key);
    if (!p) fail_msg("no %s in %s", key, text);
    return strtod(p + strlen(key), NULL);
}

/* A bridge between two equal sources: every current is the rounding of 0.3 V times conductances, the largest of which
 * is 1/900 S. Lift one source by 3e-6 of itself, and currents are measured by the largest of them again. A voltage by
 * expression beside it, with 0.9 A through 1 ohm that nobody wrote, changes nothing. */
static void rounding_is_no_current(void **state) {
    (void)state;
    NEEDS_WORKER();
    static const char *const NET = "t\nV1 a 0 0.3\nV2 c 0 %s\nR1 a b 3.1k\nR2 b c 7.7k\nR3 b d 11.3k\nR4 d c 1.3k\n"
                                   "R5 d e 1.7k\nR6 e a 0.9k\nR7 e b 2.3k\n%s.end\n";
    char *folder = scratch_create(), path[300], text[400];
    snprintf(path, sizeof path, "%s/n.cir", folder);
    for (int k = 0; k < 4; k++) {
        const bool lifted = k % 2;
        snprintf(text, sizeof text, NET, lifted ? "0.300001" : "0.3", k < 2 ? "" : "B1 f 0 v={3*v(a)}\n");
        scratch_write(folder, "n.cir", text);
        launched r;
        launch_with(&r, "compare", "--json", "--backends", "klu,ngspice", "--tolerance", "1e-8", path, NULL);
        if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
        const char *const currents = strstr(r.out, "\"currents\":");
        assert_non_null(currents);
        const double share = number_behind(currents, "\"max\":"), most = number_behind(currents, "\"max_absolute\":");
        launch_free(&r);
        launch_with(&r, "solve", "--json", path, NULL);
        double size = fabs(number_behind(strstr(r.out, "\"V1\":"), "\"current\":"));
        assert_true(lifted ? size > 1e-6 * 0.3 / 900 : size < 1e-18);
        if (!lifted) size = 1e-6 * 0.3 / 900;
        assert_true(most > 0);
        CHECK_NEAR(share, most / size, 1e-9 * share);
        launch_free(&r);
    }
    scratch_remove(folder);
}

/* The nudges are added to a copy of the circuit: with its models and its gates. */
static void nonlinear_experiments_are_compared(void **state) {
    (void)state;
    NEEDS_WORKER();
    char *folder = scratch_create(), path[300];
    scratch_write(folder, "n.cir",
                  "t\n*@ rheo version=1\n*@ learn R1 R2 M1 min=1u max=10m\n*@ learn M1 min=1 max=5\n"
                  "Vin a 0 1\nR1 a b 1k\nR2 b 0 2k\nR3 b c 1k\nD1 c 0 dd\nVg g 0 2.5\nM1 c g 0 0 nn l=1u w=4u\n"
                  ".model dd d is=1e-12 n=1.5\n.model nn nmos vto=0.7 kp=1e-4 lambda=0.01\n.end\n");
    scratch_write(folder, "x.yaml",
                  "version: 1\nnetlist: n.cir\ntask: {kind: table, inputs: [a], outputs: [b, c], rows: [{in: [1], out: "
                  "[0.5, 0.2]}, {in: [2], out: [0.9, 0.4]}]}\nlearning: {rule: contrastive, rate: 1u, nudge: {kind: "
                  "conductance, strength: 100u}}\nrun: {epochs: 1}\noutput: run\n");
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    launched r;
    launch_with(&r, "compare", "--json", "--backends", "klu,ngspice", "--tolerance", "1e-7", path, NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    assert_non_null(strstr(r.out, "\"points\":4,"));
    launch_free(&r);
    scratch_remove(folder);
}

/* The figures of docs/spice.md on fewer and smaller circuits; one in four is for CHOLMOD too. */
static void random_circuits_agree(void **state) {
    (void)state;
    NEEDS_WORKER();
    launched r;
    launch_with(&r, "compare", "--json", "--random", "24", "--largest", "150", "--p90", "1e-9", "--tolerance", "1e-7",
                NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    assert_non_null(strstr(r.out, "\"engine\":\"ngspice\",\"reference\":\"klu\",\"points\":24,\"refused\":0,"));
    launch_free(&r);
    launch_with(&r, "compare", "--json", "--backends", "klu,cholmod", "--random", "24", "--largest", "150",
                "--tolerance", "1e-10", NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    const char *const points = strstr(r.out, "\"points\":");
    assert_non_null(points);
    assert_true(atoi(points + 9) >= 6 && atoi(points + 9) < 24);
    launch_free(&r);
    launch_with(&r, "compare", "--random", "4", "--largest", "50", "--seed", "8", "--p90", "1e-30", NULL);
    assert_int_equal(r.exit, 1);
    assert_non_null(strstr(r.err, "one potential in ten"));
    launch_free(&r);
    launch_with(&r, "compare", "--json", "--backends", "klu,ngspice", "--random", "12", "--largest", "100",
                "--random-kinds", "diode,mosfet,mixed", "--p90", "1e-9", "--tolerance", "1e-7", NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    assert_non_null(strstr(r.out, "\"points\":12,\"refused\":0,"));
    launch_free(&r);
    launch_with(&r, "compare", "--random", "4", "--random-kinds", "diode,triode", NULL);
    assert_int_equal(r.exit, 2);
    launch_free(&r);
    launch_with(&r, "compare", "--random", "4", "net.cir", NULL);
    assert_int_equal(r.exit, 2);
    launch_free(&r);
}

/* No line of a deck is anything but an element, an option or the end. */
static void decks_hold_no_text_of_the_user(void **state) {
    (void)state;
    const char *const text = "`x` *#shell\nV`1 .control 0 1\nR$1 .control .include 1k\nR2 .include 0 2k\n.end\n";
    rheo_circuit *c = NULL;
    rh_buf b = { 0 };
    /* a name with a back-quote is refused: one without is needed */
    assert_int_not_equal(rheo_netlist_parse(&c, text, strlen(text), "t", NULL, NULL, NULL), RHEO_OK);
    const char *const good = "`x` *#shell\nV1 .control 0 1\nR$1 .control .include 1k\nR2 .include 0 2k\n.end\n";
    CHECK_OK(rheo_netlist_parse(&c, good, strlen(good), "t", NULL, NULL, NULL));
    rh_ngspice_deck(&b, c, NULL, NULL, NULL, 0);
    assert_false(b.bad);
    assert_null(strpbrk(b.s, "`*#$!{}\\"));
    assert_null(strstr(b.s, ".control"));
    assert_null(strstr(b.s, ".include"));
    assert_non_null(strstr(b.s, "\nr2 n1 n2 1000\n"));
    rh_buf_free(&b);
    rheo_circuit_destroy(c);
}

/* ---- decks of circuits that mean harm ---- */

static const char *const HOSTILE[] = { "*#shell", "`touch x`", ".control", ".endc", ".include", "/etc/passwd",
                                       "\n",      "codemodel", "$&x",      ";",     "{1+1}",    "*ng_script",
                                       ".lib",    "shell",     "+",        "\\",    "\r\n",     "!ls",
                                       "$(ls)",   ".csparam",  "=" };

static void hostile_text(char *to, size_t size, uint64_t *r) {
    size_t n = 0;
    to[0] = '\0';
    for (int k = (int)(4 * uniform(21, r)); k >= 0; k--)
        n += (size_t)snprintf(to + n, size - n, "%s%s", HOSTILE[(int)(uniform(22, r) * RH_COUNT(HOSTILE))],
                              uniform(23, r) < 0.5 ? " " : "");
    snprintf(to + n, size - n, "%d", (int)(1e6 * uniform(24, r)));
}

/* A circuit in which everything that a name can be is hostile, as no reader would ever make one. */
static rheo_circuit *hostile_circuit(uint64_t *r) {
    rh_builder *b = rh_builder_create();
    char text[200];
    int other;
    assert_non_null(b);
    hostile_text(text, sizeof text, r);
    CHECK_OK(rh_builder_title(b, text, strlen(text)));
    hostile_text(text, sizeof text, r);
    CHECK_OK(rh_builder_keep(b, text, strlen(text)));
    for (int e = 0; e < RH_N_KIND; e++) { /* each kind once, V early */
        int term[4] = { -1, -1, -1, -1 };
        const bool state = RH_KINDS[e]->flags & RH_STATE; /* of a resistor */
        const int kind = state ? RH_KIND_R : e;
        for (int t = 0; t < RH_KINDS[kind]->n_term; t++) {
            hostile_text(text, sizeof text, r);
            term[t] = uniform(25, r) < 0.3 ? 0 : rh_builder_node(b, text, strlen(text));
            assert_true(term[t] >= 0);
        }
        hostile_text(text, sizeof text, r);
        const int elem = rh_builder_element(b, kind, text, term, 1e-3 * (e + 1), (rh_place){ 0 }, &other);
        if (elem >= 0 && RH_KINDS[kind]->flags & RH_BY_CURRENT) rh_builder_ctrl(b, elem, RH_KIND_V);
        if (elem < 0 || RH_KINDS[e]->n_par == 0) continue;
        hostile_text(text, sizeof text, r);
        const int model = rh_builder_model(b, text, strlen(text), e, NULL);
        assert_true(model >= 0);
        rh_builder_use_model(b, elem, model);
    }
    rheo_circuit *c = NULL;
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    return c;
}

/* Nothing but an element with numbered nodes, a numbered model, the options, the end. */
static bool is_harmless(const char *line, size_t n) {
    for (size_t k = 0; k < n; k++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789 .,+-*/=()_<?:", line[k])) return false;
    for (int k = 0; k < RH_COUNT(HOSTILE); k++)
        if (strlen(HOSTILE[k]) > 3 && memmem(line, n, HOSTILE[k], strlen(HOSTILE[k]))) return false;
    if (line[0] == '.')
        return strncmp(line, ".options ", 9) == 0 || strncmp(line, ".model m", 8) == 0 ||
               (n == 4 && !strncmp(line, ".end", 4));
    if (!strchr("rcviegfhdmbsq", line[0]) || line[1] < '1' || line[1] > '9') return false;
    const char *const blank = memchr(line, ' ', n);
    return blank && (blank[1] == '0' || blank[1] == 'n');
}

static void decks_of_hostile_circuits_are_harmless(void **state) {
    (void)state;
    uint64_t r = 0;
    for (int k = 0; k < 3000; k++) {
        rheo_circuit *c = hostile_circuit(&r);
        rh_buf b = { 0 };
        rh_ngspice_deck(&b, c, NULL, NULL, &(rh_port){ .node = { 1, 2 }, .amp = 1 }, 1);
        assert_false(b.bad);
        const char *line = b.s;
        assert_true(strncmp(line, "deck by rheo\n", 13) == 0);
        for (line += 13; *line; line = strchr(line, '\n') + 1) {
            const size_t n = strcspn(line, "\n");
            assert_true(line[n] == '\n');
            if (!is_harmless(line, n)) fail_msg("in the deck: %.*s", (int)n, line);
        }
        rh_buf_free(&b);
        rheo_circuit_destroy(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ngspice_agrees_with_klu),
        cmocka_unit_test(currents_of_nonlinear_kinds_agree),
        cmocka_unit_test(networks_of_new_kinds_agree),
        cmocka_unit_test(training_by_ngspice_is_training),
        cmocka_unit_test(a_killed_worker_changes_nothing),
        cmocka_unit_test(neither_threads_nor_kills_change_a_training),
        cmocka_unit_test(nonlinear_networks_train_alike),
        cmocka_unit_test(a_late_worker_is_ended),
        cmocka_unit_test(a_missing_worker_is_told),
        cmocka_unit_test(memory_stays_flat),
        cmocka_unit_test(a_hostile_deck_does_nothing),
        cmocka_unit_test(the_layers_are_there),
        cmocka_unit_test(a_hostile_netlist_does_nothing),
        cmocka_unit_test(compare_is_a_verdict),
        cmocka_unit_test(several_operating_points_are_told),
        cmocka_unit_test(rounding_is_no_current),
        cmocka_unit_test(random_circuits_agree),
        cmocka_unit_test(nonlinear_experiments_are_compared),
        cmocka_unit_test(check_names_what_is_dangerous),
        cmocka_unit_test(decks_hold_no_text_of_the_user),
        cmocka_unit_test(decks_of_hostile_circuits_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
