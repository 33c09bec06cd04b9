/* cmd_bench.c: rheo bench: how fast a learning step is, in units of what it cannot do without.
 *
 * The machine's speed drifts: both sides are timed in turn, block by block, and the ratio is the median over blocks. Of
 * the steps the time on the processor counts, so that other work on the machine does not. */
#include "cli/cli.h"
#include "rheo/netlist.h"
#include "run/grid_case.h"
#include "solver/newton.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

static const rh_option OPTIONS[] = {
    { "blocks", 0, RH_OPT_INT, "N", "timed blocks per case (default 101)", 3, 1e4, NULL },
    { "large", 0, RH_OPT_FLAG, NULL, "also read 1 000 000 resistors, solve a 316x316 grid and a crossbar with diodes",
      0, 0, NULL },
    { NULL },
};

static double read_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) { return read_clock(CLOCK_MONOTONIC); }
static double busy(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof(*x), by_size);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* One grid with tuned tcl learners: one per ratio slow/fast. */
typedef struct rh_bench {
    rh_grid_case grid;
    rheo_solver *solver;
    rh_learner *tcl[2]; /* slow/fast 10 and 10 000; every edge inside the range of neither more nor less than it would
                           be in use */
    double *g, *b;
    int side;
} rh_bench;

static rheo_status open_tcl(rh_bench *k, double ratio, rh_learner **out, rheo_error *err) {
    static const int sample = 0;
    const rheo_solver_def solver = rheo_solver_default();
    rh_learn_def def;
    rh_learner *l = NULL;
    rh_tuning t;
    rh_learn_default(&def);
    RHEO_TRY(rh_learner_open(&l, k->grid.c, &def, &solver, &k->grid.ports, &k->grid.samples, NULL, err));
    const rheo_status st = rh_tune(l, &sample, 1, 1000, &t, err);
    rh_learner_close(l);
    if (st != RHEO_OK) return st;
    t.def.rate = 1e-9; /* the conductances change in every step, the task does not get easier */
    t.def.slow = ratio * t.def.fast;
    return rh_learner_open(out, k->grid.c, &t.def, &solver, &k->grid.ports, &k->grid.samples, NULL, err);
}

static void bench_close(rh_bench *k) {
    rheo_solver_close(k->solver);
    rh_learner_close(k->tcl[0]);
    rh_learner_close(k->tcl[1]);
    rh_free(k->g);
    rh_free(k->b);
    rh_grid_case_free(&k->grid);
}

/* Inputs in two corners, one output in the middle and one near an edge. */
static rheo_status bench_open(rh_bench *k, int side, int n_out, rheo_error *err) {
    *k = (rh_bench){ .side = side };
    const int pick[] = { 0, side * side - 1, (side / 2) * side + side / 2, side + 1, side * (side - 2) + 2 };
    RHEO_TRY(rh_grid_case_build(&k->grid, side, n_out, pick, -1, err));
    for (int o = 0; o < n_out; o++) k->grid.target[o] = 0.2 + 0.3 * o;
    const rheo_solver_def solver = rheo_solver_default();
    RHEO_TRY(rheo_solver_open(&k->solver, k->grid.c, &solver, NULL, err));
    k->g = rh_calloc((size_t)k->grid.c->n_edge, sizeof(double));
    k->b = rh_calloc((size_t)rh_solver_n_unknown(k->solver), sizeof(double));
    if (!k->g || !k->b) return RH_NOMEM(err);
    for (int e = 0; e < k->grid.c->n_edge; e++) k->g[e] = 1;
    RHEO_TRY(open_tcl(k, 10, &k->tcl[0], err));
    return open_tcl(k, 10000, &k->tcl[1], err);
}

/* What a step cannot do without: restamp, refactor, one solve. */
static rheo_status refactor_solve(rh_bench *k, int n, double *seconds, rheo_error *err) {
    const double t0 = busy();
    for (int i = 0; i < n; i++) {
        k->g[i % k->grid.c->n_edge] *= 1 + 1e-9;
        RHEO_TRY(rh_solver_factor(k->solver, k->g, err));
        rh_solver_rhs(k->solver, k->grid.c->value, k->b);
        rh_solver_apply(k->solver, 1, k->b, false);
    }
    *seconds = (busy() - t0) / n;
    return RHEO_OK;
}

static rheo_status steps(rh_learner *l, int n, double *seconds, rheo_error *err) {
    static const int sample = 0;
    const double t0 = busy();
    for (int i = 0; i < n; i++) RHEO_TRY(rh_learner_step(l, &sample, 1, err));
    *seconds = (busy() - t0) / n;
    return RHEO_OK;
}

typedef struct rh_timing {
    double base, step10, step10000; /* s, medians */
    double ratio10, ratio10000;     /* to base, medians of the ratios block by block */
    double slow;                    /* step at slow/fast 10 000 over step at 10 */
} rh_timing;

static rheo_status measure(rh_bench *k, int n_block, int n, rh_timing *out, rheo_error *err) {
    double *t = rh_calloc((size_t)n_block * 6, sizeof(*t));
    if (!t) return RH_NOMEM(err);
    rheo_status st = RHEO_OK;
    for (int i = -1; i < n_block && st == RHEO_OK; i++) { /* block -1 warms up */
        double a = 0, b = 0, c = 0;
        st = refactor_solve(k, n, &a, err);
        if (st == RHEO_OK) st = steps(k->tcl[0], n, &b, err);
        if (st == RHEO_OK) st = steps(k->tcl[1], n, &c, err);
        if (i < 0) continue;
        const double row[] = { a, b, c, b / a, c / a, c / b };
        for (int j = 0; j < 6; j++) t[j * n_block + i] = row[j];
    }
    double *const x = (double *)out;
    for (int j = 0; j < 6 && st == RHEO_OK; j++) x[j] = median(t + j * n_block, n_block);
    rh_free(t);
    return st;
}

static void report(rh_cli *cli, rh_buf *b, const rh_bench *k, int n_out, const rh_timing *t) {
    if (cli->json) {
        rh_buf_printf(b, "{\"event\":\"bench\",\"case\":\"grid%dx%d\"", k->side, k->side);
        rh_json_count(b, "edges", k->grid.c->n_edge);
        rh_json_count(b, "outputs", n_out);
        rh_json_number(b, "refactor_solve_s", t->base);
        rh_json_number(b, "tcl_step_s", t->step10000);
        rh_json_number(b, "ratio", t->ratio10000);
        rh_json_number(b, "ratio_slow_10", t->ratio10);
        rh_json_number(b, "slow_10000_over_10", t->slow);
        rh_buf_puts(b, "}\n");
        return;
    }
    char text[200];
    snprintf(text, sizeof(text), "%3dx%-3d  %6d  %7d  %11.2f us  %11.2f us  %6.2f  %11.2f us  %6.2f  %8.3f\n", k->side,
             k->side, k->grid.c->n_edge, n_out, 1e6 * t->base, 1e6 * t->step10, t->ratio10, 1e6 * t->step10000,
             t->ratio10000, t->slow);
    rh_buf_puts(b, text);
}

static rheo_status bench_grid(rh_cli *cli, rh_buf *b, int side, int n_out, int n, rheo_error *err) {
    rh_bench k;
    rh_timing t = { 0 };
    rheo_status st = bench_open(&k, side, n_out, err);
    if (st == RHEO_OK) st = measure(&k, (int)rh_opt_number(cli, "blocks", 101), n, &t, err);
    if (st == RHEO_OK) report(cli, b, &k, n_out, &t);
    bench_close(&k);
    return st;
}

static void report_large(rh_cli *cli, rh_buf *b, const char *name, double seconds) {
    char text[120];
    snprintf(text, sizeof(text),
             cli->json ? "{\"event\":\"bench\",\"case\":\"%s\",\"seconds\":%.3f}\n" : "%-40s %8.3f s\n", name, seconds);
    rh_buf_puts(b, text);
}

static rheo_status read_million(double *seconds, rheo_error *err) {
    rh_buf text = { 0 };
    rh_buf_puts(&text, "a chain of a million resistors\nV1 n0 0 1\n");
    for (int i = 0; i < 1000000; i++) rh_buf_printf(&text, "R%d n%d n%d 1k\n", i + 1, i, i + 1);
    rh_buf_puts(&text, "Rend n1000000 0 1k\n.end\n");
    if (text.bad) return RH_NOMEM(err);
    rheo_circuit *c = NULL;
    const double t0 = now();
    const rheo_status st = rheo_netlist_parse(&c, text.s, text.n, "chain.cir", NULL, NULL, err);
    *seconds = now() - t0;
    rh_buf_free(&text);
    rheo_circuit_destroy(c);
    return st;
}

static rheo_status solve_large(double *seconds, rheo_error *err) {
    rh_grid_case k;
    const int side = 316, pick[] = { 0, side * side - 1, side * side / 2 };
    RHEO_TRY(rh_grid_case_build(&k, side, 1, pick, -1, err));
    const rheo_solver_def def = rheo_solver_default();
    rheo_solver *s = NULL;
    rheo_state *state = NULL;
    const double t0 = now();
    rheo_status st = rheo_solver_open(&s, k.c, &def, NULL, err);
    if (st == RHEO_OK) st = rheo_state_create(&state, k.c, err);
    if (st == RHEO_OK) st = rheo_solver_solve(s, state, err);
    *seconds = now() - t0;
    rheo_state_destroy(state);
    rheo_solver_close(s);
    rh_grid_case_free(&k);
    return st;
}

/* ---- a crossbar with diodes ---- */

enum { CROSSBAR_POINTS = 200 };

/* 784 pixels in pairs and a bias, 100 hidden nodes with a pair of diodes each, ten output pairs: 158 900 resistors. */
static rheo_status build_crossbar(rheo_circuit **c, rheo_error *err) {
    static const struct {
        const char *name;
        double value;
    } SET[] = { { "bias", 1 }, { "inputs", 1 },  { "outputs", 1 }, { "diodes", 1 }, { "vth", 0.3 },
                { "n", 1.75 }, { "is", 2.5e-9 }, { "min", 1e-7 },  { "max", 5e-5 } };
    static const int LAYER[] = { 1568, 100, 20 };
    const rh_gen_kind *kind = NULL;
    for (int i = 0; i < RH_N_GEN; i++)
        if (rh_streq(RH_GENS[i]->name, "layered")) kind = RH_GENS[i];
    double par[64] = { 0 };
    for (int i = 0; i < kind->n_field; i++) {
        par[i] = kind->fields[i].def;
        for (int k = 0; k < RH_COUNT(SET); k++)
            if (rh_streq(kind->fields[i].name, SET[k].name)) par[i] = SET[k].value;
    }
    for (int i = 0; i < RH_COUNT(LAYER); i++) par[kind->n_field - 1 + i] = LAYER[i]; /* the sizes come last */
    rh_builder *const b = rh_builder_create();
    if (!b) return RH_NOMEM(err);
    const rheo_status st = kind->build(par, 1, b, err);
    if (st == RHEO_OK) return rh_builder_finish(b, c, err);
    rh_builder_destroy(b);
    return st;
}

/* Another image each time: a fifth of the pixels lit. */
static void show_image(const rheo_circuit *c, int image, double *source) {
    for (int e = 0, k = 0; e < c->n_elem; e++) {
        if (c->kind[e] != RH_KIND_V || c->held_edge[e] >= 0) continue;
        const double u = rh_random_unit(1, (uint64_t)image, (uint64_t)(k / 2)), lit = u < 0.2 ? 5 * u : 0;
        source[e] = k++ % 2 ? -lit : lit;
    }
}

static rheo_status solve_crossbar(double *seconds, rheo_error *err) {
    rheo_circuit *c = NULL;
    rheo_solver *s = NULL;
    rheo_state *st = NULL;
    RHEO_TRY(build_crossbar(&c, err));
    const rheo_solver_def def = rheo_solver_default();
    rheo_status status = rheo_solver_open(&s, c, &def, NULL, err);
    if (status == RHEO_OK) status = rheo_state_create(&st, c, err);
    double *const x = rh_calloc(s ? (size_t)rh_solver_n_unknown(s) : 1, sizeof(double));
    if (status == RHEO_OK && !x) status = RH_NOMEM(err);
    if (status == RHEO_OK) status = rh_newton_set(s, st->g, err);
    double begin = 0;
    for (int k = -5; k < CROSSBAR_POINTS && status == RHEO_OK; k++) { /* the first ones warm up */
        if (k == 0) begin = now();
        show_image(c, k + 5, st->source);
        status = rh_newton_solve(s, st->source, NULL, x, err);
    }
    *seconds = (now() - begin) / CROSSBAR_POINTS;
    rh_free(x);
    rheo_state_destroy(st);
    rheo_solver_close(s);
    rheo_circuit_destroy(c);
    return status;
}

static rheo_status bench_large(rh_cli *cli, rh_buf *b, rheo_error *err) {
    double seconds = 0;
    RHEO_TRY(read_million(&seconds, err));
    report_large(cli, b, "read 1 000 000 resistors", seconds);
    RHEO_TRY(solve_large(&seconds, err));
    report_large(cli, b, "operating point of a 316x316 grid", seconds);
    RHEO_TRY(solve_crossbar(&seconds, err));
    report_large(cli, b, "1000 warm points of 1569-100-20, diodes", 1e3 * seconds);
    return RHEO_OK;
}

static rheo_status run(rh_cli *cli) {
    rh_buf b = { 0 };
    rheo_error err = { 0 };
    if (!cli->json)
        rh_buf_puts(
            &b,
            "One online tcl step (free and clamped solves, memory, update; conductance nudge) against one KLU\n"
            "restamp + refactor + solve of the same grid. Medians of processor time.\n\n"
            "grid      edges  outputs  refactor+solve   slow/fast = 10   ratio        = 10 000   ratio  10 000:10\n");
    rheo_status st = RHEO_OK;
    for (int n_out = 1; n_out <= 3 && st == RHEO_OK; n_out++) st = bench_grid(cli, &b, 8, n_out, 200, &err);
    if (st == RHEO_OK) st = bench_grid(cli, &b, 32, 3, 10, &err);
    if (st == RHEO_OK) st = bench_grid(cli, &b, 100, 3, 1, &err);
    if (st == RHEO_OK && rh_opt_flag(cli, "large")) st = bench_large(cli, &b, &err);
    if (st == RHEO_OK) return rh_cli_write(cli, &b);
    rh_buf_free(&b);
    return rh_cli_failed(cli, st, &err);
}

const rh_command rh_cmd_bench = {
    .name = "bench",
    .summary = "time a learning step against one factorisation",
    .usage = "[options]",
    .examples = "  rheo bench            grids of 8x8, 32x32 and 100x100 nodes\n"
                "  rheo bench --large    also a million resistors, a 316x316 grid, a crossbar with diodes\n",
    .options = OPTIONS,
    .max_operand = 0,
    .run = run,
};
