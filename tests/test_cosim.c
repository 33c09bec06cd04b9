/* The whole machine in ngspice, beside the two engines of rheo. */
#include "check.h"
#include "launch.h"

#include <signal.h>
#include <unistd.h>

static bool have_worker(void) {
    launched r;
    launch_with(&r, "--version", "-v", NULL);
    const bool yes = strstr(r.out, "seccomp") != NULL;
    launch_free(&r);
    return yes;
}

/* Number behind "key": after place. */
static double number(const char *place, const char *key) {
    char want[64];
    snprintf(want, sizeof want, "\"%s\":", key);
    const char *const at = place ? strstr(place, want) : NULL;
    if (!at) fail_msg("no %s", key);
    return strtod(at + strlen(want), NULL);
}

typedef struct engine {
    double rms0, rms1, w_max, w_rms;
} engine;

enum { CLOSED, TRANSIENT, NGSPICE, ENGINES };

static void cosim(const char *path, const char *run, const char *epochs, const char *const *set, engine out[ENGINES]) {
    static const char *const NAMES[] = { "\"name\":\"closed\"", "\"name\":\"transient\"", "\"name\":\"ngspice\"" };
    const char *argv[24] = { "cosim", "--json", "-q", "--force", "-o", run, "--epochs", epochs, path };
    int k = 9;
    for (int i = 0; set && set[i]; i++) argv[k++] = "--set", argv[k++] = set[i];
    launched r;
    launch(&r, argv, NULL, NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    const char *const table = strstr(r.out, "\"event\":\"cosim\"");
    assert_non_null(table);
    for (int i = 0; i < ENGINES; i++) {
        const char *const place = strstr(table, NAMES[i]);
        out[i] =
            (engine){ number(place, "rms0"), number(place, "rms1"), number(place, "w_max"), number(place, "w_rms") };
    }
    launch_free(&r);
}

static void file_is_there(const char *dir, const char *name) {
    size_t n = 0;
    char *const text = scratch_read(dir, name, &n);
    if (!text || n == 0) fail_msg("%s/%s is missing", dir, name);
    free(text);
}

/* The first teeth: what is stored agrees, and the run directory is that of train. */
static void three_engines_agree(void **state) {
    (void)state;
    if (!have_worker()) skip();
    char *const dir = scratch_create();
    char run[200];
    snprintf(run, sizeof run, "%s/run", dir);
    static const char *const CASE[][2] = { { "examples/selflearn-4.yaml", "60" },
                                           { "examples/selflearn-24.yaml", "4" },
                                           { "examples/selflearn-mosfet.yaml", "8" },
                                           { "examples/selflearn-112.yaml", "1" } };
    const int n = getenv("RHEO_ASAN") ? 1 : 4;
    for (int i = 0; i < n; i++) {
        engine e[ENGINES];
        cosim(CASE[i][0], run, CASE[i][1], NULL, e);
        print_message("%s: closed %.2g, transient %.2g\n", CASE[i][0], e[CLOSED].w_max, e[TRANSIENT].w_max);
        for (int k = 0; k < NGSPICE; k++) CHECK_REL(e[k].rms0, e[NGSPICE].rms0, 1e-5); /* the deck leaks first */
        CHECK_REL(e[TRANSIENT].rms1, e[NGSPICE].rms1, 1e-4);
        if (!(e[TRANSIENT].w_max <= 1e-4)) fail_msg("transient and ngspice differ by %g", e[TRANSIENT].w_max);
        if (!(e[CLOSED].w_max <= (i == 2 ? 0.1 : 0.03))) /* transistors: at a rate that large */
            fail_msg("closed form and ngspice differ by %g", e[CLOSED].w_max);
        assert_true(e[NGSPICE].w_max == 0 && e[TRANSIENT].w_rms <= e[TRANSIENT].w_max);
    }
    static const char *const FILES[] = { "config.yaml",          "metrics.jsonl",          "result.npz",
                                         "trained.cir",          "environment.json",       "closed/result.npz",
                                         "transient/result.npz", "transient/metrics.jsonl" };
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) file_is_there(run, FILES[i]);
    launched r;
    launch_with(&r, "resume", run, NULL);
    if (r.exit != 2 || !strstr(r.err, "cosim --force`, or resume its folder closed/ or transient/"))
        fail_msg("resume: %d %s", r.exit, r.err);
    launch_free(&r);
    for (int i = 0; i < 2; i++) { /* what cannot be resumed is not said to be */
        launch_with(&r, i ? "train" : "cosim", "-o", run, "examples/selflearn-4.yaml", NULL);
        if (r.exit != 2 || !strstr(r.err, "holds a run already") || strstr(r.err, "rheo resume") ||
            strstr(r.err, "learns") || strstr(r.err, "training"))
            fail_msg("again: %d %s", r.exit, r.err);
        launch_free(&r);
    }
    scratch_remove(dir);
}

/* Samples given by callback are those of the lists in the exported deck: ramps, shuffled, current source. */
static void fed_samples_are_those_of_the_deck(void **state) {
    (void)state;
    if (!have_worker() || system("command -v ngspice >/dev/null 2>&1") != 0) skip();
    char *const dir = scratch_create();
    char run[200], exp[200], deck[200], command[700];
    snprintf(run, sizeof run, "%s/run", dir);
    snprintf(exp, sizeof exp, "%s/exp.yaml", dir);
    snprintf(deck, sizeof deck, "%s/deck.cir", dir);
    scratch_write(dir, "net.cir",
                  "two sources\n*@ rheo version=1\n*@ learn R1 R2 R3 min=5u max=500u\nVa 0 a 1\nIb 0 b 10u\n"
                  "R1 a o 10k\nR2 b o 10k\nR3 a b 12k\nRl o 0 10k\nRb b 0 20k\n.end\n");
    scratch_write(dir, "exp.yaml",
                  "version: 1\nnetlist: net.cir\ntask: {kind: table, inputs: [a, Ib], outputs: [o, b-o], rows: [{in: "
                  "[1, 20u], out: [0.5, 0.1]}, {in: [2, 60u], out: [1.1, 0.2]}, {in: [1.5, -20u], out: [0.4, "
                  "-0.1]}]}\nlearning: {rate: 2n, nudge: {kind: conductance, strength: 200u}}\n"
                  "protocol: {fast: 10u, slow: 20m, between: ramp, ramp: 40m}\nmemory: {tau: 50u, threshold: 80}\n"
                  "run: {epochs: 5}\n");
    engine e[ENGINES];
    cosim(exp, run, "5", NULL, e);
    assert_true(e[TRANSIENT].w_max <= 1e-4);
    assert_true(fabs(e[NGSPICE].rms1 / e[NGSPICE].rms0 - 1) > 1e-3);
    snprintf(command, sizeof command, "%s export -o %s %s && cd %s && HOME=%s ngspice -b -n deck.cir >log 2>&1",
             launch_program(), deck, exp, dir, dir);
    assert_int_equal(system(command), 0);
    size_t n;
    char *const log = scratch_read(dir, "log", &n);
    const char *at = strstr(log, "\nrms1 ");
    assert_non_null(at);
    CHECK_REL(strtod(strchr(at, '=') + 1, NULL), e[NGSPICE].rms1, 2e-5);
    free(log);
    scratch_remove(dir);
}

/* Without the dead zone both ramps write and cancel; the other way round the machine runs from its target, or, behind a
 * gate that closes with the steep end of the tooth, hardly moves. All three engines say so. */
static void dead_zone_and_direction_decide_alike(void **state) {
    (void)state;
    if (!have_worker() || getenv("RHEO_ASAN")) skip();
    static const char *const SET[][2] = {
        { "memory.threshold=0", NULL },
        { "protocol={kind: sawtooth, fast: 80m, slow: 500n, between: ramp, ramp: 100m}", NULL },
        { "protocol={kind: sawtooth, fast: 80m, slow: 500n, between: gate}", NULL },
        { NULL }
    };
    char *const dir = scratch_create();
    char run[200];
    snprintf(run, sizeof run, "%s/run", dir);
    for (int i = 0; i < 4; i++) {
        engine e[ENGINES];
        cosim("examples/selflearn-4.yaml", run, "60", SET[i], e);
        for (int k = 0; k < ENGINES; k++) {
            const double fell = e[k].rms1 / e[k].rms0;
            print_message("%s: %.4g\n", SET[i][0] ? SET[i][0] : "as it is", fell);
            if (i == 3 ? !(fell < 0.75) : !(fell > 0.9)) fail_msg("engine %d: %g", k, fell);
        }
        CHECK_REL(e[TRANSIENT].rms1, e[NGSPICE].rms1, 1e-2);
        CHECK_REL(e[CLOSED].rms1, e[NGSPICE].rms1, i == 2 ? 0.005 : 0.05);
        if (i == 2) assert_true(e[CLOSED].w_max < 5e-3 && e[TRANSIENT].w_max < 5e-4);
        if (i == 1) assert_true(e[NGSPICE].rms1 > 3 * e[NGSPICE].rms0);
    }
    scratch_remove(dir);
}

/* The lower the rate, the nearer the closed form comes; what was learned in all stays about the same. */
static void the_closed_form_comes_nearer_at_lower_rates(void **state) {
    (void)state;
    if (!have_worker() || getenv("RHEO_ASAN")) skip();
    static const char *const SET[][2] = { { "learning.rate=7.2n", NULL }, { "learning.rate=1.8n", NULL } };
    char *const dir = scratch_create();
    char run[200];
    snprintf(run, sizeof run, "%s/run", dir);
    engine fast[ENGINES], slow[ENGINES];
    cosim("examples/selflearn-4.yaml", run, "20", SET[0], fast);
    cosim("examples/selflearn-4.yaml", run, "80", SET[1], slow);
    print_message("closed form: %.3g at 7.2n, %.3g at 1.8n\n", fast[CLOSED].w_max, slow[CLOSED].w_max);
    assert_true(slow[CLOSED].w_max < fast[CLOSED].w_max / 3);
    scratch_remove(dir);
}

/* The process of ngspice that belongs to pid, 0: none yet. */
static pid_t worker_of(pid_t pid) {
    char command[120], line[32] = "";
    snprintf(command, sizeof command, "pgrep -P %d 2>/dev/null", (int)pid);
    FILE *const f = popen(command, "r");
    if (!f) return 0;
    const bool any = fgets(line, sizeof line, f) != NULL;
    pclose(f);
    return any ? (pid_t)atoi(line) : 0;
}

static void a_killed_worker_changes_nothing(void **state) {
    (void)state;
    if (!have_worker() || getenv("RHEO_ASAN")) skip();
    if (system("command -v pgrep >/dev/null 2>&1") != 0) skip();
    char *const dir = scratch_create();
    char whole[200], killed[200];
    snprintf(whole, sizeof whole, "%s/whole", dir);
    snprintf(killed, sizeof killed, "%s/killed", dir);
    engine e[ENGINES];
    cosim("examples/selflearn-4.yaml", whole, "40", NULL, e);
    const pid_t pid = launch_start((const char *const[]){ "cosim", "-q", "--force", "-o", killed, "--epochs", "40",
                                                          "examples/selflearn-4.yaml", NULL });
    pid_t worker = 0;
    for (int i = 0; i < 2000 && worker == 0; i++, usleep(1000)) worker = worker_of(pid);
    assert_true(worker > 0);
    usleep(200000);
    const bool hit = kill(worker, SIGKILL) == 0;
    assert_int_equal(launch_wait(pid), 0);
    assert_true(hit);
    size_t n_a, n_b;
    char *const a = scratch_read(whole, "result.npz", &n_a), *const b = scratch_read(killed, "result.npz", &n_b);
    assert_true(a && b && n_a == n_b && memcmp(a, b, n_a) == 0);
    free(a);
    free(b);
    scratch_remove(dir);
}

static bool gone(pid_t pid) {
    for (int i = 0; i < 3000 && kill(pid, 0) == 0; i++) usleep(1000);
    return kill(pid, 0) != 0;
}

/* Ended by a signal in the middle: no worker is left, the directory says whose it is, and it can be begun anew. */
static void ended_runs_leave_no_worker_and_a_mark(void **state) {
    (void)state;
    if (!have_worker() || getenv("RHEO_ASAN")) skip();
    if (system("command -v pgrep >/dev/null 2>&1") != 0) skip();
    static const int SIGNAL[] = { SIGTERM, SIGKILL };
    char *const dir = scratch_create();
    char run[200];
    snprintf(run, sizeof run, "%s/run", dir);
    for (int i = 0; i < 2; i++) {
        const pid_t pid = launch_start((const char *const[]){ "cosim", "-q", "--force", "-o", run, "--epochs", "200",
                                                              "examples/selflearn-112.yaml", NULL });
        pid_t worker = 0;
        for (int k = 0; k < 10000 && worker == 0; k++, usleep(1000)) worker = worker_of(pid);
        assert_true(worker > 0);
        size_t n = 0;
        for (int k = 0; k < 10000 && n == 0; k++, usleep(1000)) { /* the first checkpoint is the mark */
            char name[240];
            snprintf(name, sizeof name, "%s/checkpoints", run);
            free(scratch_read(name, "a.ckpt", &n));
        }
        usleep(100000);
        assert_int_equal(kill(pid, SIGNAL[i]), 0);
        assert_int_equal(launch_wait(pid), 128 + SIGNAL[i]);
        if (!gone(worker)) fail_msg("the worker is still there");
        char *const text = scratch_read(run, "trained.cir", &n);
        assert_int_equal(text != NULL, SIGNAL[i] == SIGTERM);
        free(text);
        launched r;
        launch_with(&r, "resume", run, NULL);
        if (r.exit != 2 || !strstr(r.err, "rheo cosim --force") || strstr(r.err, "closed/"))
            fail_msg("resume: %d %s", r.exit, r.err);
        launch_free(&r);
    }
    launched r;
    launch_with(&r, "cosim", "-q", "--force", "-o", run, "--epochs", "2", "examples/selflearn-4.yaml", NULL);
    assert_int_equal(r.exit, 0);
    launch_free(&r);
    scratch_remove(dir);
}

static void refusals_say_why(void **state) {
    (void)state;
    launched r;
    char *const dir = scratch_create();
    launch_with(&r, "cosim", "-o", dir, "--set", "learning.rule=eqprop", "examples/selflearn-4.yaml", NULL);
    if (r.exit == 0 || !strstr(r.err, "E341")) fail_msg("%d %s", r.exit, r.err);
    launch_free(&r);
    launch_with(&r, "cosim", "--force", "-o", dir, "--worker", "/nowhere/at/all", "examples/selflearn-4.yaml", NULL);
    if (r.exit == 0 || !strstr(r.err, "E420")) fail_msg("%d %s", r.exit, r.err);
    launch_free(&r);
    launch_with(&r, "explain", "E430", NULL);
    assert_int_equal(r.exit, 0);
    launch_free(&r);
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_engines_agree),
        cmocka_unit_test(fed_samples_are_those_of_the_deck),
        cmocka_unit_test(dead_zone_and_direction_decide_alike),
        cmocka_unit_test(the_closed_form_comes_nearer_at_lower_rates),
        cmocka_unit_test(a_killed_worker_changes_nothing),
        cmocka_unit_test(ended_runs_leave_no_worker_and_a_mark),
        cmocka_unit_test(refusals_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
