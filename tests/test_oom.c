/* Every allocation of check, solve and train fails once: exit code 6 or 0, never a crash, never half an answer. */
#include "check.h"
#include "launch.h"

#include <unistd.h>

/* The sanitizer has allocation functions of its own: gcc says so by a macro, clang by a feature. */
#ifdef __has_feature
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static const char NETLIST[] =
    "net\n*@ rheo version=1\nV1 in 0 1\nR1 in a 1k\nR2 a b 2k\nR3 b 0 1k\n*@ learn R* min=1u max=10m\n.end\n";
static const char MEMRISTOR[] = "memristors\n*@ rheo version=1\nV1 a 0 pwl(0 0 1m 1 2m 1)\nR1 a b 5k m\nR2 b 0 100k q\n"
                                "C1 b 0 10n\n.model m r()\n.model q r()\n*@ model m drift\n*@ model q volatile\n"
                                "*@ learn R1\n";
static const char RECTIFIER[] = "rectifier\nV1 a 0 SIN(0 5 500)\nD1 a b d\nR1 b 0 1k\nC1 b 0 1u\n.model d d(rs=0.5)\n";
static const char RC[] = "rc\nV1 in 0 PWL(0 0 1m 1 2m 0)\nR1 in a 1k\nC1 a b 1u\nR2 b 0 1k\nC2 b 0 1u ic=1\n"
                         "I1 0 a SIN(0 1m 1k)\n.ic v(a)=0.5\n.end\n";
/* Models in and around a subcircuit, a variant, a gate that learns, sensed currents, expressions. */
static const char BENT[] =
    "bent\n*@ rheo version=1\nV1 in 0 1\nR1 in a 1k\nD1 a 0 dx 2\n.model dx d(is={k*1p} rs=2)\n.param k=2\n"
    ".subckt s p q\n.model dx d(n=1.5)\nD1 p q dx\nVg g 0 2\nM1 p g q 0 nm\nB1 q 0 i={V(p)*V(q)/k*1m}\n.ends\n"
    "X1 a b s\nR2 b 0 1k\n.model nm nmos(vto=0.6 kp=1m)\n*@ model nm smooth n=0.05\nV2 b c 0\nR3 c 0 1k\nF1 a 0 V2 "
    "0.1\n"
    "E1 d 0 value={tanh(V(c))}\nR4 d e 1k\nS1 e 0 a 0 sm\n.model sm sw(vt=1)\n*@ learn M.X1.M1 min=0 max=5\n"
    "D3 e 0 dt\nD4 0 e dt 2\nD5 e 0 du\n.model dt d()\n*@ model dt table file=t.csv\n.model du d()\n*@ model du table "
    "0 0 "
    "1 1m 2 3m order=1\n.end\n";
static const char TABLE[] = "v,i\n-1,-1e-3\n0,0\n0.5,1e-3\n1,4e-3\n";
static const char EXPERIMENT[] =
    "version: 1\nnetlist: net.cir\nseed: 1\noutput: run\n"
    "task: {kind: table, inputs: [in], outputs: [a], rows: [{in: [1], out: [0.5]}, {in: [2], out: [1]}]}\n"
    "learning: {rule: tcl, rate: 1e-4, nudge: {kind: conductance, strength: 1e-4}}\n"
    "run: {epochs: 2, batch: 2, checkpoint: 1}\n";

enum { MOST = 600 }; /* launches per command: when there are more allocations, they are sampled evenly */

static char *dir;

static void with_oom(launched *r, const char *const *argv, long fail, bool on) {
    char preload[400], at[40], report[300];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/preload_oom.so", launch_folder());
    snprintf(at, sizeof at, "OOM_FAIL=%ld", fail);
    snprintf(report, sizeof report, "OOM_REPORT=%s/count", dir);
    launch(r, argv, (const char *const[]){ preload, report, at, on ? "OOM_ON=1" : NULL, NULL }, NULL);
}

/* How many allocations does the command make? Its output is kept in *r. */
static long count(launched *r, const char *const *argv) {
    size_t n;
    with_oom(r, argv, 0, false);
    assert_int_equal(r->exit, 0);
    char *const text = scratch_read(dir, "count", &n);
    assert_non_null(text);
    const long calls = atol(text);
    free(text);
    assert_true(calls > 10);
    return calls;
}

static void judge(const launched *r, long k, bool on, bool data) {
    if (r->exit != 0 && r->exit != 6)
        fail_msg("allocation %ld%s: exit code %d, signal %d\n%s", k, on ? " and all after it" : "", r->exit, r->signal,
                 r->err);
    if (r->exit == 6 && !strstr(r->err, "memory")) fail_msg("allocation %ld: no word about it: '%s'", k, r->err);
    if (data && r->exit == 6 && r->n_out) fail_msg("allocation %ld: half an answer: %s", k, r->out);
}

/* A command whose answer is its output: it comes whole or not at all. */
static void answers(const char *const *argv) {
    launched want, r;
    const long n = count(&want, argv), stride = n / MOST + 1;
    int n_failed = 0;
    for (long k = 1; k <= n; k += stride) {
        for (int on = 0; on < 2; on++) {
            with_oom(&r, argv, k, on);
            judge(&r, k, on, true);
            if (r.exit == 0) assert_string_equal(r.out, want.out);
            n_failed += r.exit == 6;
            launch_free(&r);
        }
    }
    assert_true(n_failed > 10);
    launch_free(&want);
}

static void check_and_solve(void **state) {
    (void)state;
    if (SANITIZED) skip();
    char net[200];
    snprintf(net, sizeof net, "%s/net.cir", dir);
    answers((const char *const[]){ "check", net, NULL });
    answers((const char *const[]){ "solve", "--csv", net, NULL });
    answers((const char *const[]){ "solve", "--json", net, NULL });
    snprintf(net, sizeof net, "%s/bent.cir", dir);
    answers((const char *const[]){ "check", net, NULL });
    answers((const char *const[]){ "solve", "--csv", net, NULL });
}

static void transient(void **state) {
    (void)state;
    if (SANITIZED) skip();
    char net[200];
    snprintf(net, sizeof net, "%s/rc.cir", dir);
    answers((const char *const[]){ "tran", "--stop", "4m", "--step", "1m", net, NULL });
    answers((const char *const[]){ "tran", "--stop", "4m", "--step", "1m", "--reltol", "1m", "--uic", net, NULL });
    /* Steps allocate nothing, however many there are: only the first factorisation of each of 8 lengths does. */
    launched r;
    const long few = count(&r, (const char *const[]){ "tran", "--stop", "4m", "--step", "1m", net, NULL });
    launch_free(&r);
    const char *const fine[] = { "tran", "--stop", "4m", "--step", "1m", "--reltol", "1e-9", net, NULL };
    assert_true(count(&r, fine) < few + 8 * 10);
    launch_free(&r);
    snprintf(net, sizeof net, "%s/memristor.cir", dir);
    answers((const char *const[]){ "tran", "--stop", "4m", "--step", "1m", "--reltol", "1m", net, NULL });
    snprintf(net, sizeof net, "%s/rectifier.cir", dir);
    answers((const char *const[]){ "tran", "--stop", "4m", "--step", "1m", "--reltol", "1m", net, NULL });
    const long rough =
        count(&r, (const char *const[]){ "tran", "--stop", "4m", "--step", "1m", "--reltol", "1m", net, NULL });
    launch_free(&r);
    const char *const finer[] = { "tran", "--stop", "4m", "--step", "1m", "--reltol", "1e-8", net, NULL };
    assert_true(count(&r, finer) < rough + 8 * 10);
    launch_free(&r);
}

static void same_result(const char *run, const char *want, size_t n_want, long k) {
    size_t n;
    char *const got = scratch_read(run, "result.npz", &n);
    if (!got) return;
    if (n != n_want || memcmp(got, want, n) != 0) fail_msg("allocation %ld: a wrong result.npz", k);
    free(got);
}

/* Whatever failed, what stands in the directory can be resumed, and then ends as if nothing had been. */
static void resumed(const char *run, const char *want, size_t n_want, long k) {
    size_t n;
    launched r;
    char *const config = scratch_read(run, "config.yaml", &n);
    if (!config) return;
    free(config);
    launch_with(&r, "resume", "-q", run, (const char *)NULL);
    if (r.exit != 0) fail_msg("allocation %ld: resume after it: %d\n%s", k, r.exit, r.err);
    launch_free(&r);
    same_result(run, want, n_want, k);
}

static void train_by(const char *const *set) {
    char exp[200], run[200];
    snprintf(exp, sizeof exp, "%s/exp.yaml", dir);
    snprintf(run, sizeof run, "%s/run", dir);
    const char *argv[16] = { "train", "-q", "--force", exp };
    for (int i = 0, k = 4; set[i]; i++) argv[k++] = "--set", argv[k++] = set[i];
    launched r;
    const long n = count(&r, argv), stride = n / MOST + 1;
    launch_free(&r);
    size_t n_want;
    char *const want = scratch_read(run, "result.npz", &n_want);
    assert_non_null(want);
    for (long k = 1; k <= n; k += stride) {
        with_oom(&r, argv, k, k % 2);
        judge(&r, k, k % 2, false);
        same_result(run, want, n_want, k);
        if (k % 5 == 0) resumed(run, want, n_want, k);
        launch_free(&r);
    }
    free(want);
}

static void train(void **state) {
    (void)state;
    if (SANITIZED) skip();
    train_by((const char *const[]){ NULL });
}

static void train_in_time(void **state) {
    (void)state;
    if (SANITIZED) skip();
    train_by((const char *const[]){ "solver.engine=transient", "run.batch=1", "learning.rate=1e-8", NULL });
}

static void waveforms(void **state) {
    (void)state;
    if (SANITIZED) skip();
    char exp[200];
    snprintf(exp, sizeof exp, "%s/exp.yaml", dir);
    answers((const char *const[]){ "figure", "waveforms", "--set", "run.batch=1", "--set", "learning.rate=1e-8", exp,
                                   NULL });
}

static void decks(void **state) {
    (void)state;
    if (SANITIZED) skip();
    static const char *const LEVELS[] = { "behavioural", "device" };
    for (int i = 0; i < 2; i++)
        answers((const char *const[]){ "export", "--level", LEVELS[i], "--teeth", "5", "examples/selflearn-mosfet.yaml",
                                       NULL });
}

static int begin(void **state) {
    (void)state;
    dir = scratch_create();
    scratch_write(dir, "net.cir", NETLIST);
    scratch_write(dir, "exp.yaml", EXPERIMENT);
    scratch_write(dir, "rc.cir", RC);
    scratch_write(dir, "bent.cir", BENT);
    scratch_write(dir, "rectifier.cir", RECTIFIER);
    scratch_write(dir, "memristor.cir", MEMRISTOR);
    scratch_write(dir, "t.csv", TABLE);
    return 0;
}

static int end(void **state) {
    (void)state;
    scratch_remove(dir);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(check_and_solve), cmocka_unit_test(transient),
                                        cmocka_unit_test(train),           cmocka_unit_test(train_in_time),
                                        cmocka_unit_test(waveforms),       cmocka_unit_test(decks) };
    return cmocka_run_group_tests(tests, begin, end);
}
