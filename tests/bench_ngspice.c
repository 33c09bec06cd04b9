/* bench_ngspice.c: operating points by ngspice through rheo, against a plain loop around libngspice.
 *
 *   make bench-ngspice            100 000 points for the memory, 41 blocks of 100 for the time
 *   bench_ngspice POINTS BLOCKS
 *
 * Both change all 112 resistances of a grid of 8x8 nodes, ask for the operating point and read the potentials. Both
 * are timed in turn, block by block; the ratio is the median over blocks. The plain loop does what a careful author
 * would do: commands without blanks, every plot destroyed. Both stay on one processor, the worker too: they take turns
 * anyway, and processors of a shared machine can differ by a third. The exit status is 1 when a bound is not met. */
#include "ngspice/ngspice.h"
#include "rheo/solver.h"
#include "run/grid_case.h"

#include <stdbool.h>

#include <ngspice/sharedspice.h>

#include <libgen.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SIDE = 8, BLOCK = 100, WARM = 200 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Processor time of a process. */
static double spent(pid_t pid) {
    struct timespec t = { 0 };
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) == 0) clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void give_up(const char *what) {
    fprintf(stderr, "bench_ngspice: %s\n", what);
    exit(2);
}

static long resident_kib(pid_t pid) {
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *const f = fopen(path, "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) give_up("no /proc");
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Step number `step` of a walk that never repeats itself exactly: every conductance moves in every step. */
static void move(double *g, int n, long step) {
    for (int k = 0; k < n; k++) g[k] = 1 + 0.5 * sin(0.37 * (double)k + 0.011 * (double)step);
}

/* ---- rheo ---- */

static void points_of_rheo(rh_ngspice *s, const rheo_circuit *c, rheo_state *st, long from, long n) {
    rheo_error err = { 0 };
    for (long p = from; p < from + n; p++) {
        move(st->g, c->n_edge, p);
        if (rh_ngspice_solve(s, st->g, st->source, st->v, st->i, &err) != RHEO_OK) give_up(err.msg);
    }
}

/* Largest growth of this process and of the worker over so many points. */
static void grow(rh_ngspice *s, const rheo_circuit *c, rheo_state *st, long n, long growth[2]) {
    points_of_rheo(s, c, st, 0, WARM);
    const pid_t pid[2] = { getpid(), rh_ngspice_worker(s)->pid };
    const long first[2] = { resident_kib(pid[0]), resident_kib(pid[1]) };
    growth[0] = growth[1] = 0;
    for (long p = 0; p < n; p += BLOCK) {
        points_of_rheo(s, c, st, WARM + p, n - p < BLOCK ? n - p : BLOCK);
        if (rh_ngspice_worker(s)->pid != pid[1]) give_up("the worker was replaced");
        for (int k = 0; k < 2; k++) {
            const long more = resident_kib(pid[k]) - first[k];
            if (more > growth[k]) growth[k] = more;
        }
    }
}

/* ---- the plain loop ---- */

static int on_text(char *text, int id, void *user) {
    (void)text, (void)id, (void)user;
    return 0;
}

static int on_leave(int status, NG_BOOL unload, NG_BOOL quit, int id, void *user) {
    (void)status, (void)unload, (void)quit, (void)id, (void)user;
    give_up("ngspice left");
    return 0;
}

static void open_plain(const rheo_circuit *c) {
    rh_buf deck = { 0 };
    char *line[1000];
    int n = 0;
    rh_ngspice_deck(&deck, c, NULL, NULL, NULL, 0);
    if (deck.bad) give_up("out of memory");
    for (char *p = strtok(deck.s, "\n"); p && n < RH_COUNT(line) - 1; p = strtok(NULL, "\n")) line[n++] = p;
    line[n] = NULL;
    if (ngSpice_Init(on_text, on_text, on_leave, NULL, NULL, NULL, NULL) != 0) give_up("no ngspice");
    ngSpice_Command("set history=1");
    if (ngSpice_Circ(line) != 0) give_up("ngspice refuses the deck");
    rh_buf_free(&deck);
}

static void points_of_plain(const rheo_circuit *c, double *g, double *v, long from, long n) {
    char text[64], op[] = "op", destroy[] = "destroy all";
    for (long p = from; p < from + n; p++) {
        move(g, c->n_edge, p);
        for (int k = 0; k < c->n_edge; k++) {
            snprintf(text, sizeof text, "alter r%d=%.17g", c->edge_elem[k] + 1, 1 / g[k]);
            ngSpice_Command(text);
        }
        ngSpice_Command(op);
        for (int k = 1; k < c->n_node; k++) {
            snprintf(text, sizeof text, "n%d", k);
            const pvector_info x = ngGet_Vec_Info(text);
            if (!x || x->v_length != 1) give_up("no operating point");
            v[k] = x->v_realdata[0];
        }
        ngSpice_Command(destroy);
    }
}

/* ---- side by side ---- */

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, by_size);
    return x[n / 2];
}

static double compare(rh_ngspice *s, const rheo_circuit *c, rheo_state *st, int n_block) {
    double *const t = calloc(4 * (size_t)n_block, sizeof *t), *const v = calloc((size_t)c->n_node, sizeof *v);
    double *const g = calloc((size_t)c->n_edge, sizeof *g), worst = 0;
    if (!t || !v || !g) give_up("out of memory");
    open_plain(c);
    for (int b = -1; b < n_block; b++) { /* block -1 warms up */
        const double t0 = now(), c0 = spent(getpid());
        points_of_plain(c, g, v, (long)b * BLOCK, BLOCK);
        const double t1 = now(), c1 = spent(getpid()), w1 = spent(rh_ngspice_worker(s)->pid);
        points_of_rheo(s, c, st, (long)b * BLOCK, BLOCK);
        const double t2 = now(), c2 = spent(getpid()), w2 = spent(rh_ngspice_worker(s)->pid);
        for (int k = 1; k < c->n_node; k++) worst = fmax(worst, fabs(v[k] - st->v[k]));
        if (b < 0) continue;
        t[b] = (t1 - t0) / BLOCK;
        t[n_block + b] = (t2 - t1) / BLOCK;
        t[2 * n_block + b] = (t2 - t1) / (t1 - t0);
        t[3 * n_block + b] = (c2 - c1 + w2 - w1) / (c1 - c0);
    }
    const double ratio = median(t + 2 * n_block, n_block);
    printf("plain loop %.1f us, rheo %.1f us per point of %d changed edges: ratio %.3f (bound 1.1), of "
           "processor time %.3f; potentials within %.1e V\n",
           1e6 * median(t, n_block), 1e6 * median(t + n_block, n_block), c->n_edge, ratio,
           median(t + 3 * n_block, n_block), worst);
    free(t);
    free(v);
    free(g);
    return worst < 1e-12 ? ratio : NAN;
}

/* This one, and every process that it starts from now on. */
static void stay_on_one_processor(void) {
    cpu_set_t here;
    const int cpu = sched_getcpu();
    CPU_ZERO(&here);
    if (cpu < 0) return;
    CPU_SET((unsigned)cpu, &here);
    if (sched_setaffinity(0, sizeof here, &here) != 0) fprintf(stderr, "bench_ngspice: not on one processor\n");
}

int main(int argc, char **argv) {
    const long points = argc > 1 ? atol(argv[1]) : 100000;
    const int n_block = argc > 2 && atoi(argv[2]) > 0 ? atoi(argv[2]) : 41, pick[] = { 0, SIDE * SIDE - 1, 27 };
    char worker[4200];
    snprintf(worker, sizeof worker, "%s/../rheo-ngworker", dirname(argv[0]));
    rh_grid_case k;
    rh_ngspice *s = NULL;
    rheo_state *st = NULL;
    rheo_error err = { 0 };
    stay_on_one_processor();
    if (rh_grid_case_build(&k, SIDE, 1, pick, -1, &err) != RHEO_OK || rheo_state_create(&st, k.c, &err) != RHEO_OK ||
        rh_ngspice_open(&s, k.c, worker, &err) != RHEO_OK)
        give_up(err.msg);
    long growth[2];
    grow(s, k.c, st, points, growth);
    printf("%ld points: rheo grew by %ld KiB, the worker by %ld KiB (bound 1024)\n", points, growth[0], growth[1]);
    const double ratio = compare(s, k.c, st, n_block);
    rh_ngspice_close(s);
    rheo_state_destroy(st);
    rh_grid_case_free(&k);
    return ratio <= 1.1 && growth[0] < 1024 && growth[1] < 1024 ? 0 : 1;
}
