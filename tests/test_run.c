/* Runs: what a run leaves behind does not depend on threads, kills, signals and resumptions. */
#include "check.h"
#include "launch.h"

#include "base/base.h"
#include "run/checkpoint.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Two inputs, two outputs, six learnable edges. */
static const char NETLIST[] = "six edges\n*@ rheo version=1\nV1 in1 0 0\nV2 in2 0 0\nR1 in1 a 1k\nR2 in2 a 1.5k\nR3 a "
                              "b 2k\nR4 in1 b 1k\nR5 b 0 1k\nR6 a 0 3k\n"
                              "*@ learn R* min=1u max=10m\n.end\n";
static const char EXPERIMENT[] =
    "version: 1\nnetlist: net.cir\nseed: 3\n"
    "task:\n  kind: table\n  inputs: [in1, in2]\n  outputs: [a, b]\n  rows:\n"
    "    - {in: [1, 0], out: [0.30, 0.40]}\n    - {in: [0, 1], out: [0.20, 0.10]}\n"
    "    - {in: [1, 1], out: [0.50, 0.50]}\n    - {in: [0.5, 1], out: [0.35, 0.30]}\n"
    "    - {in: [1, 0.5], out: [0.40, 0.45]}\n    - {in: [0.3, 0.2], out: [0.13, 0.14]}\n"
    "learning: {rule: tcl, rate: 1e-4, nudge: {kind: conductance, strength: 1e-4}}\n"
    "protocol: {kind: sawtooth, fast: 1m, slow: 50m, between: gate}\n"
    "memory: {kind: leaky-integrator, tau: 50u, threshold: 300m, nonlinearity: dead-zone}\n"
    "run: {epochs: 60, batch: 4, checkpoint: 7}\n";

/* A folder with the experiment; exp gets its path. */
static char *prepare(char exp[200]) {
    char *const dir = scratch_create();
    scratch_write(dir, "net.cir", NETLIST);
    scratch_write(dir, "exp.yaml", EXPERIMENT);
    snprintf(exp, 200, "%s/exp.yaml", dir);
    return dir;
}

static void in_folder(char out[200], const char *dir, const char *name) {
    assert_true(snprintf(out, 200, "%s/%s", dir, name) < 200);
}

static void run_ok(int code, const char *const *argv) {
    launched r;
    launch(&r, argv, NULL, NULL);
    if (r.exit != code) {
        for (int i = 0; argv[i]; i++) print_error(" %s", argv[i]);
        fail_msg("exit code %d (signal %d), want %d:\n%s%s", r.exit, r.signal, code, r.out, r.err);
    }
    launch_free(&r);
}
#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define run(code, ...) run_ok(code, ARGS(__VA_ARGS__))

static void same_file(const char *dir_a, const char *dir_b, const char *name) {
    size_t n_a = 0, n_b = 0;
    char *const a = scratch_read(dir_a, name, &n_a), *const b = scratch_read(dir_b, name, &n_b);
    assert_non_null(a);
    assert_non_null(b);
    if (n_a != n_b || memcmp(a, b, n_a) != 0) fail_msg("%s of %s and %s differ", name, dir_a, dir_b);
    free(a);
    free(b);
}

/* Lines of metrics.jsonl up to the first `seconds` differ only by that: epochs must be 0, 1, 2, ... */
static int metric_lines(const char *dir) {
    size_t n;
    char *const text = scratch_read(dir, "metrics.jsonl", &n);
    assert_non_null(text);
    int lines = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        int epoch = -1;
        assert_int_equal(sscanf(line, "{\"epoch\":%d,", &epoch), 1);
        assert_int_equal(epoch, lines);
        assert_true(line[strlen(line) - 1] == '}');
        lines++;
    }
    free(text);
    return lines;
}

static void same_run(const char *a, const char *b) {
    same_file(a, b, "result.npz");
    same_file(a, b, "trained.cir");
    assert_int_equal(metric_lines(a), metric_lines(b));
}

/* ---- one run ---- */

static void a_run_leaves_its_files(void **state) {
    (void)state;
    char exp[200], out[200], path[200], net[200];
    char *const dir = prepare(exp);
    in_folder(out, dir, "run");
    run(0, "train", "-q", "-o", out, exp);
    const char *const names[] = { "config.yaml", "metrics.jsonl", "result.npz", "trained.cir", "environment.json" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = 0;
        char *const text = scratch_read(out, names[i], &n);
        if (!text || n == 0) fail_msg("%s is missing", names[i]);
        if (strcmp(names[i], "config.yaml") != 0 && memmem(text, n, dir, strlen(dir)))
            fail_msg("there is a path in %s", names[i]);
        free(text);
    }
    assert_int_equal(metric_lines(out), 61);
    in_folder(net, out, "trained.cir");
    run(0, "check", "-q", net);
    in_folder(path, out, "config.yaml");
    run(0, "check", "-q", path);
    scratch_remove(dir);
}

/* The experiment is read twice, but what its netlist has to say is said once; resuming says it again. */
static void warnings_come_once(void **state) {
    (void)state;
    char exp[200], out[200];
    char *const dir = prepare(exp), *cards = NULL;
    in_folder(out, dir, "run");
    assert_true(asprintf(&cards, "%s", NETLIST) > 0);
    memcpy(strstr(cards, "min=1u max=10m"), "min=1k max=20k", 14);
    scratch_write(dir, "net.cir", cards);
    free(cards);
    launched r;
    const char *const commands[][6] = { { "train", "-o", out, "--epochs", "2", exp },
                                        { "resume", "--epochs", "3", out, NULL, NULL },
                                        { "resume", out, NULL, NULL, NULL, NULL } };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *argv[7] = { NULL };
        memcpy(argv, commands[i], sizeof commands[i]);
        launch(&r, argv, NULL, NULL);
        const char *const first = strstr(r.err, "warning[E133]");
        if (r.exit != 0 || !first) fail_msg("exit code %d:\n%s", r.exit, r.err);
        assert_non_null(strstr(first, "was min=50u max=1m meant?"));
        assert_null(strstr(first + 12, "E133"));
        launch_free(&r);
    }
    scratch_remove(dir);
}

/* The run says which measurement it stands on, and its result does not need the file. */
static void tables_of_currents_are_kept(void **state) {
    (void)state;
    char exp[200], out[200], net[200];
    char *const dir = prepare(exp), *cards = NULL;
    size_t n = 0;
    assert_true(asprintf(&cards, "%s", NETLIST) > 0);
    char *const end = strstr(cards, ".end"), *more = NULL;
    assert_non_null(end);
    *end = '\0';
    assert_true(asprintf(&more, "%sDt a 0 dt\n.model dt d()\n*@ model dt table file=t.csv\n.end\n", cards) > 0);
    scratch_write(dir, "net.cir", more);
    scratch_write(dir, "t.csv", "v,i\n0,0\n0.3,1e-5\n1,1e-3\n");
    in_folder(out, dir, "run");
    run(0, "train", "-q", "-o", out, exp);
    char *const text = scratch_read(out, "environment.json", &n);
    assert_non_null(text);
    /* sha256sum of the same bytes */
    const char *const want =
        "t.csv\", \"sha256\": \"43d7c4e18e35235850ec13bec588e7f71cf258ddcbcb397a472329a6009a56b4\", \"points\": 3}]";
    if (!strstr(text, want)) fail_msg("%s", text);
    free(text);
    in_folder(net, dir, "t.csv");
    assert_int_equal(remove(net), 0);
    in_folder(net, out, "trained.cir");
    run(0, "solve", "-q", net);
    scratch_write(dir, "t.csv", "v,i\n0,0\n0.3,1e-5\n1,1.1e-3\n"); /* another measurement is another experiment */
    launched r;
    launch(&r, ARGS("resume", out, "--epochs", "70"), NULL, NULL);
    assert_int_not_equal(r.exit, 0);
    assert_non_null(strstr(r.err, "E406"));
    launch_free(&r);
    free(cards);
    free(more);
    scratch_remove(dir);
}

/* What the trained netlist has not, its second line names; the rest of a model's card is there, for other programs. */
static void what_was_left_out_is_named(void **state) {
    (void)state;
    char exp[200], out[200], net[200];
    char *const dir = prepare(exp), *cards = NULL;
    size_t n = 0;
    assert_true(asprintf(&cards, "%s", NETLIST) > 0);
    *strstr(cards, ".end") = '\0';
    char *more = NULL;
    assert_true(
        asprintf(&more,
                 "%sDt a 0 dt off\n.model dt d(is=1p cjo=4p bv=50 type=silicon)\nRt b 0 1meg tc1=1m tc2=0\n.save all\n"
                 ".tran 1u 1m\n.temp 27\n.options reltol=1u\n.end\n",
                 cards) > 0);
    scratch_write(dir, "net.cir", more);
    in_folder(out, dir, "run");
    run(0, "train", "-q", "-o", out, exp);
    char *const text = scratch_read(out, "trained.cir", &n);
    assert_non_null(text);
    const char *const want = "six edges\n* left out of the netlist that was trained: .save, .tran, .temp, .options, "
                             "makers and types of\n"
                             "* models, off, tc1, tc2\n*@ rheo version=1\n";
    if (strncmp(text, want, strlen(want)) != 0) fail_msg("%s", text);
    assert_non_null(strstr(text, "\n.model dt d(is=1e-12 cjo=4e-12 bv=50)\n"));
    in_folder(net, out, "trained.cir");
    run(0, "solve", "-q", net);
    free(text);
    free(cards);
    free(more);
    scratch_remove(dir);
}

static void training_learns(void **state) {
    (void)state;
    char exp[200], out[200];
    char *const dir = prepare(exp);
    launched r;
    in_folder(out, dir, "run");
    launch(&r, ARGS("train", "--json", "-o", out, exp), NULL, NULL);
    assert_int_equal(r.exit, 0);
    assert_true(strncmp(r.out, "{\"event\":\"start\"", 16) == 0);
    const char *const done = strstr(r.out, "{\"event\":\"done\"");
    assert_non_null(done);
    assert_true(strchr(done, '\n')[1] == '\0');
    double first = NAN, last = NAN;
    assert_int_equal(sscanf(done, "{\"event\":\"done\",\"loss_first\":%lf,\"loss_last\":%lf", &first, &last), 2);
    if (!(last < 0.5 * first)) fail_msg("loss %g -> %g", first, last);
    assert_non_null(strstr(done, "\"accuracy_test\":null"));
    assert_non_null(strstr(done, "\"goal_reached\":null"));
    assert_non_null(strstr(done, "\"epochs\":60,\"steps\":120,"));
    assert_string_equal(r.err, "");
    launch_free(&r);
    scratch_remove(dir);
}

/* What is refused has not begun. */
static void says_only(int code, const char *what, const char *but_not, const char *const *argv) {
    launched r;
    launch(&r, argv, NULL, NULL);
    assert_int_equal(r.exit, code);
    if (!strstr(r.err, what) || strstr(r.err, but_not) || r.n_out) fail_msg("%s%s", r.out, r.err);
    launch_free(&r);
}

static void a_run_is_not_overwritten(void **state) {
    (void)state;
    char exp[200], out[200], other[200];
    char *const dir = prepare(exp);
    in_folder(out, dir, "run");
    in_folder(other, dir, "run/mine.txt");
    run(0, "train", "-q", "-o", out, exp);
    scratch_write(out, "mine.txt", "precious");
    says_only(2, "go on with `rheo resume`", "training", ARGS("train", "-o", out, exp));
    says_only(2, "holds a run already", "start", ARGS("train", "--json", "-o", out, exp));
    run(0, "train", "-q", "--force", "--epochs", "3", "-o", out, exp);
    assert_int_equal(metric_lines(out), 4);
    assert_int_equal(access(other, F_OK), 0);
    scratch_remove(dir);
}

static void a_missed_goal_is_told(void **state) {
    (void)state;
    char exp[200], out[200];
    char *const dir = prepare(exp);
    in_folder(out, dir, "a");
    run(1, "train", "-q", "--target-error", "1e-30", "-o", out, exp);
    assert_int_equal(metric_lines(out), 61);
    run(1, "resume", "-q", out);
    in_folder(out, dir, "b");
    run(0, "train", "-q", "--target-error", "100", "-o", out, exp); /* reached before the first update */
    assert_int_equal(metric_lines(out), 1);
    scratch_remove(dir);
}

static void threads_change_nothing(void **state) {
    (void)state;
    char exp[200], one[200], many[200];
    char *const dir = prepare(exp);
    in_folder(one, dir, "one");
    run(0, "train", "-q", "--threads", "1", "-o", one, exp);
    const char *const counts[] = { "2", "4" };
    for (int i = 0; i < 2; i++) {
        in_folder(many, dir, counts[i]);
        run(0, "train", "-q", "--threads", counts[i], "-o", many, exp);
        same_run(one, many);
    }
    scratch_remove(dir);
}

/* The seed decides the order of the samples, so it must change the result: else the other comparisons say nothing. */
static void the_seed_matters(void **state) {
    (void)state;
    char exp[200], a[200], b[200];
    char *const dir = prepare(exp);
    in_folder(a, dir, "a");
    in_folder(b, dir, "b");
    run(0, "train", "-q", "-o", a, exp);
    run(0, "train", "-q", "--seed", "4", "-o", b, exp);
    size_t n_a, n_b;
    char *const x = scratch_read(a, "result.npz", &n_a), *const y = scratch_read(b, "result.npz", &n_b);
    assert_true(n_a != n_b || memcmp(x, y, n_a) != 0);
    free(x);
    free(y);
    scratch_remove(dir);
}

static void signs_have_an_accuracy(void **state) {
    (void)state;
    char exp[200], out[200];
    char *const dir = prepare(exp);
    in_folder(out, dir, "run");
    launched r;
    launch(&r, ARGS("train", "--set", "learning.loss=hinge", "--epochs", "1", "-o", out, exp), NULL, NULL);
    assert_int_equal(r.exit, 0);
    /* All outputs and all targets are positive. */
    if (!strstr(r.err, "accuracy 100.0 %\nrun directory")) fail_msg("%s", r.err);
    launch_free(&r);
    scratch_remove(dir);
}

static void wrong_runs_are_refused(void **state) {
    (void)state;
    char exp[200], out[200];
    char *const dir = prepare(exp);
    in_folder(out, dir, "run");
    says_only(2, "the experiment names no run directory", "training", ARGS("train", exp));
    says_only(5, "there is no such run directory", "resuming", ARGS("resume", out));
    run(5, "resume", "-q", out);
    run(5, "resume", "-q", dir); /* no config.yaml */
    run(3, "train", "-q", "--set", "learning.rte=1", "-o", out, exp);
    assert_int_equal(access(out, F_OK), -1);
    scratch_remove(dir);
}

/* Every setting of the line to be pasted is a number of the JSON, and there is no other. */
static void tuning_is_numbers_as_well(void **state) {
    (void)state;
    char exp[200];
    char *const dir = prepare(exp);
    launched text, json;
    launch(&text, ARGS("tune", exp), NULL, NULL);
    launch(&json, ARGS("tune", "--json", exp), NULL, NULL);
    assert_int_equal(text.exit, 0);
    assert_int_equal(json.exit, 0);
    const char *at = strstr(json.out, "\"set\":{");
    assert_non_null(at);
    at += 6;
    int n = 0;
    for (const char *p = strstr(text.out, "--set "); p; p = strstr(p, "--set "), n++) {
        p += 6;
        char want[120];
        const int key = (int)strcspn(p, "="), value = (int)strcspn(p + key + 1, " ");
        snprintf(want, sizeof want, "%c\"%.*s\":%.*s", n ? ',' : '{', key, p, value, p + key + 1);
        if (strncmp(at, want, strlen(want)) != 0) fail_msg("%s, but JSON goes on\n%.200s", want, at);
        at += strlen(want);
    }
    assert_true(n >= 6);
    assert_int_equal(strncmp(at, "},\"yaml\":\"", 10), 0);
    double p10 = 0, median = 0, most = 0;
    const char *const amplitude = strstr(json.out, "\"amplitude_p10\":");
    assert_non_null(amplitude);
    assert_int_equal(sscanf(amplitude, "\"amplitude_p10\":%lf,\"amplitude_median\":%lf,\"amplitude_largest\":%lf,",
                            &p10, &median, &most),
                     3);
    assert_true(0 < p10 && p10 <= median && median <= most);
    launch_free(&text);
    launch_free(&json);
    scratch_remove(dir);
}

static void tuning_is_yaml_for_the_experiment(void **state) {
    (void)state;
    char exp[200], path[200];
    char *const dir = prepare(exp);
    launched r;
    launch(&r, ARGS("tune", exp), NULL, NULL);
    assert_int_equal(r.exit, 0);
    assert_non_null(strstr(r.out, "  threshold: "));
    assert_non_null(strstr(r.out, "  # threshold "));
    assert_non_null(strstr(r.out, "strength: "));
    char text[4000];
    const char *const tail = strstr(EXPERIMENT, "run:"), *const head = strstr(EXPERIMENT, "learning:");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(head - EXPERIMENT), EXPERIMENT, r.out, tail);
    scratch_write(dir, "tuned.yaml", text);
    in_folder(path, dir, "tuned.yaml");
    run(0, "check", "-q", path);
    /* The same as options: the run that they give has these values. */
    char *word = strstr(r.out, "rheo train");
    assert_non_null(word);
    const char *args[32] = { NULL };
    int n = 0;
    for (word = strtok(word + 5, " \n"); word && n < 24; word = strtok(NULL, " \n")) args[n++] = word;
    char out[200];
    in_folder(out, dir, "tuned");
    assert_string_equal(args[n - 1], exp);
    args[n++] = "-q";
    args[n++] = "-o";
    args[n++] = out;
    launched second;
    launch(&second, args, NULL, NULL);
    assert_int_equal(second.exit, 0);
    launch_free(&second);
    size_t size;
    char *const config = scratch_read(out, "config.yaml", &size);
    const char *const wanted = strstr(args[2], "=") + 1; /* --set learning.rate=X */
    char line[80];
    snprintf(line, sizeof line, "rate: %s\n", wanted);
    if (!strstr(config, line)) fail_msg("no %s in\n%s", line, config);
    free(config);
    launch_free(&r);
    scratch_remove(dir);
}

/* ---- interruption ---- */

/* Everything that moves between steps: the two means of adam, a rate that falls, edges with rates of their own. */
#define ADAM                                                                                                        \
    "--set", "learning.optimizer=adam", "--set", "learning.rate=2e-7", "--set", "learning.rates={R2: 3e-7, R6: 0}", \
        "--set", "learning.schedule={kind: cosine, final: 0.2}"
static const char *const LONG[] = { "--set", "run.epochs=1500", "--set", "run.checkpoint=20" };

static pid_t start_long(const char *out, const char *exp, bool adam) {
    if (adam) return launch_start(ARGS("train", "-q", ADAM, LONG[0], LONG[1], LONG[2], LONG[3], "-o", out, exp));
    return launch_start(ARGS("train", "-q", LONG[0], LONG[1], LONG[2], LONG[3], "-o", out, exp));
}

static void wait_for_lines(const char *out, int lines) {
    for (int i = 0; i < 10000; i++) {
        size_t n = 0;
        char *const text = scratch_read(out, "metrics.jsonl", &n);
        int got = 0;
        for (size_t k = 0; k < n; k++) got += text[k] == '\n';
        free(text);
        if (got >= lines) return;
        usleep(200);
    }
    fail_msg("the run does not get going");
}

/* The one number of an array of result.npz, which is stored without compression: header, end of line, data. */
static int complete_of(const char *out) {
    size_t n = 0;
    char *const z = scratch_read(out, "result.npz", &n);
    assert_non_null(z);
    const char *const name = memmem(z, n, "complete.npy", 12);
    assert_non_null(name);
    const char *const end = memchr(name, '\n', n - (size_t)(name - z));
    assert_non_null(end);
    int32_t value;
    assert_true((size_t)(end + 1 - z) + sizeof value <= n);
    memcpy(&value, end + 1, sizeof value);
    free(z);
    return value;
}

static void a_signal_ends_with_a_checkpoint(void **state) {
    (void)state;
    char exp[200], whole[200], out[200];
    char *const dir = prepare(exp);
    in_folder(whole, dir, "whole");
    assert_int_equal(launch_wait(start_long(whole, exp, false)), 0);
    const int signals[] = { SIGINT, SIGTERM };
    for (int i = 0; i < 2; i++) {
        in_folder(out, dir, i ? "term" : "int");
        const pid_t pid = start_long(out, exp, false);
        wait_for_lines(out, 5);
        kill(pid, signals[i]);
        assert_int_equal(launch_wait(pid), 128 + signals[i]);
        assert_int_equal(complete_of(out), 0); /* something to look at */
        char net[200];
        in_folder(net, out, "trained.cir");
        run(0, "check", "-q", net);
        run(0, "compare", "-q", "--backends", "klu,cholmod", out);
        run(0, "resume", "-q", out);
        assert_int_equal(complete_of(out), 1);
        same_run(whole, out);
        run(0, "resume", "-q", out); /* complete already: the same once more */
        same_run(whole, out);
    }
    scratch_remove(dir);
}

/* Samples used of the epoch in which the newest checkpoint was written. */
static int64_t position(const char *run) {
    const char *const names[] = { "checkpoints/a.ckpt", "checkpoints/b.ckpt" };
    rh_counters newest = { 0 };
    uint64_t generation = 0;
    for (int i = 0; i < 2; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%s", run, names[i]);
        char *bytes = NULL;
        size_t n = 0;
        rh_checkpoint c;
        rheo_error err = { 0 };
        if (rh_file_read(path, 1 << 24, &bytes, &n, &err) != RHEO_OK) continue;
        assert_int_equal(rh_checkpoint_decode(&c, bytes, n, &err), RHEO_OK);
        if (c.generation > generation) newest = c.at;
        if (c.generation > generation) generation = c.generation;
        rh_checkpoint_free(&c);
    }
    return newest.position;
}

/* An epoch of many steps, so that nearly every signal falls into the middle of one. */
static void write_long_epochs(const char *dir) {
    rh_buf b = { 0 };
    const char *const rows = strstr(EXPERIMENT, "    - {in");
    rh_buf_add(&b, EXPERIMENT, (size_t)(rows - EXPERIMENT));
    for (uint64_t i = 0; i < 400; i++) {
        const double x = rh_random_unit(5, 1, i), y = rh_random_unit(5, 2, i);
        char row[120];
        snprintf(row, sizeof row, "    - {in: [%.3f, %.3f], out: [%.3f, %.3f]}\n", x, y, 0.3 * x + 0.2 * y,
                 0.4 * x + 0.1 * y);
        rh_buf_puts(&b, row);
    }
    /* So slow that nothing saturates: else the order would leave no trace in the result. */
    rh_buf_puts(&b, "learning: {rule: tcl, rate: 1e-6, nudge: {kind: conductance, strength: 1e-4}}\n"
                    "memory: {threshold: 1m}\n"
                    "run: {epochs: 150, batch: 1, evaluate: 1000}\n");
    assert_false(b.bad);
    scratch_write(dir, "long.yaml", b.s);
    rh_buf_free(&b);
}

static void an_epoch_goes_on_where_it_stopped(void **state) {
    (void)state;
    char exp[200], whole[200], out[200];
    char *const dir = prepare(exp);
    write_long_epochs(dir);
    in_folder(exp, dir, "long.yaml");
    in_folder(whole, dir, "whole");
    in_folder(out, dir, "run");
    run(0, "train", "-q", "-o", whole, exp);
    pid_t pid = launch_start(ARGS("train", "-q", "-o", out, exp));
    int n_mid = 0, code = 0;
    wait_for_lines(out, 1);
    for (int i = 0; i < 8; i++) {
        usleep((useconds_t)(20000 * rh_random_unit(11, 0, (uint64_t)i)));
        kill(pid, SIGINT);
        if ((code = launch_wait(pid)) == 0) break;
        if (code == 130) n_mid += position(out) > 0; /* else it came before the program was ready for it */
        pid = launch_start(ARGS("resume", "-q", out));
    }
    if (code != 0) assert_int_equal(launch_wait(pid), 0);
    assert_true(n_mid >= 2);
    same_file(whole, out, "result.npz");
    scratch_remove(dir);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs to the end, killed up to ten times, at most so many seconds after each start. Returns how often. */
static int kill_and_resume(const char *out, const char *exp, bool adam, double seconds, int round) {
    int killed = 0, code = -1;
    pid_t pid = start_long(out, exp, adam);
    for (int i = 0; i < 10; i++) {
        usleep((useconds_t)(1e6 * seconds * rh_random_unit(11, (uint64_t)round, (uint64_t)i)));
        if (launch_ended(pid, &code)) break;
        kill(pid, SIGKILL);
        assert_int_equal(launch_wait(pid), 128 + SIGKILL);
        killed++;
        size_t n;
        char *const config = scratch_read(out, "config.yaml", &n);
        pid = config ? launch_start(ARGS("resume", "-q", out)) : start_long(out, exp, adam);
        free(config);
        code = -1;
    }
    if (code < 0) code = launch_wait(pid);
    assert_int_equal(code, 0);
    return killed;
}

static void killing(bool adam) {
    char exp[200], whole[200], out[200];
    char *const dir = prepare(exp);
    in_folder(whole, dir, "whole");
    const double began = now();
    assert_int_equal(launch_wait(start_long(whole, exp, adam)), 0);
    int killed = 0;
    double span = now() - began;
    for (int round = 0; round < 8 && killed < 3; round++, span /= 2) { /* shorter where the machine has become faster */
        char name[16];
        snprintf(name, sizeof name, "killed%d", round);
        in_folder(out, dir, name);
        killed = kill_and_resume(out, exp, adam, 0.15 * span, round);
        same_run(whole, out);
    }
    assert_true(killed >= 3);
    scratch_remove(dir);
}

static void kills_change_nothing(void **state) {
    (void)state;
    killing(false);
}

static void kills_change_nothing_with_adam(void **state) {
    (void)state;
    killing(true);
}

static void damage(const char *dir, const char *name, long at) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *const f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    const int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 1, f);
    assert_int_equal(fclose(f), 0);
}

static void damaged_checkpoints_are_not_believed(void **state) {
    (void)state;
    char exp[200], out[200], whole[200];
    char *const dir = prepare(exp);
    in_folder(whole, dir, "whole");
    in_folder(out, dir, "run");
    run(0, "train", "-q", "-o", whole, exp);
    run(0, "train", "-q", "-o", out, exp);
    damage(out, "checkpoints/a.ckpt", 300); /* 60 epochs, every 7: nine checkpoints, so the last is in a */
    launched r;
    launch(&r, ARGS("resume", out), NULL, NULL);
    assert_int_equal(r.exit, 0);
    assert_non_null(strstr(r.err, "a.ckpt is passed over"));
    launch_free(&r);
    same_run(whole, out);
    damage(out, "checkpoints/a.ckpt", 200);
    damage(out, "checkpoints/b.ckpt", 200);
    launch(&r, ARGS("resume", out), NULL, NULL);
    assert_int_equal(r.exit, 5);
    assert_non_null(strstr(r.err, "E405"));
    assert_non_null(strstr(r.err, "delete the files in this folder, then `rheo resume` begins the run anew"));
    launch_free(&r);
    same_run(whole, out);
    scratch_remove(dir);
}

/* Trained in two pieces or in one: the same conductances and outputs. Epoch 60 is evaluated in both. */
static void a_finished_run_is_trained_longer(void **state) {
    (void)state;
    char exp[200], whole[200], out[200];
    char *const dir = prepare(exp);
    in_folder(whole, dir, "whole");
    in_folder(out, dir, "out");
    run(0, "train", "-q", "--epochs", "90", "-o", whole, exp);
    run(0, "train", "-q", "-o", out, exp);
    run(2, "resume", "-q", "--epochs", "59", out);
    launched r;
    launch(&r, ARGS("resume", out), NULL, NULL);
    assert_int_equal(r.exit, 0);
    assert_non_null(strstr(r.err, "--epochs N, above 60, trains longer"));
    launch_free(&r);
    run(0, "resume", "-q", "--epochs", "90", out);
    same_run(whole, out);
    assert_int_equal(metric_lines(out), 91);
    run(1, "resume", "-q", "--target-error", "1e-30", out);
    run(0, "resume", "-q", "--target-error", "100", out);
    launch(&r, ARGS("resume", "--json", out), NULL, NULL);
    assert_non_null(strstr(r.out, "\"goal_reached\":true"));
    launch_free(&r);
    scratch_remove(dir);
}

static void not_resumed(const char *out, const char *because, const char *but_not) {
    launched r;
    launch(&r, ARGS("resume", out), NULL, NULL);
    assert_int_equal(r.exit, 5);
    if (!strstr(r.err, because) || strstr(r.err, but_not)) fail_msg("%s", r.err);
    assert_non_null(strstr(r.err, "E406"));
    assert_non_null(strstr(r.err, "undo what has changed"));
    launch_free(&r);
}

static void a_changed_experiment_is_not_resumed(void **state) {
    (void)state;
    char exp[200], out[200];
    char *const dir = prepare(exp);
    in_folder(out, dir, "run");
    run(0, "train", "-q", "-o", out, exp);
    char *const net = strdup(NETLIST);
    memcpy(strstr(net, "3k"), "4k", 2);
    scratch_write(dir, "net.cir", net);
    not_resumed(out, "the circuit is another", "the samples");
    scratch_write(dir, "net.cir", NETLIST);
    size_t n;
    char *const config = scratch_read(out, "config.yaml", &n), *const fast = strstr(config, "fast: 0.001");
    assert_non_null(fast);
    fast[10] = '2';
    scratch_write(out, "config.yaml", config);
    not_resumed(out, "protocol.fast was 0.001 and is 0.002", "the circuit");
    fast[10] = '1';
    char *const sample = strstr(config, "{in: [1, 0], ");
    assert_non_null(sample);
    sample[6] = '2';
    scratch_write(out, "config.yaml", config);
    not_resumed(out, "the samples are others", "the circuit");
    sample[6] = '1';
    scratch_write(out, "config.yaml", config);
    run(0, "resume", "-q", out);
    free(config);
    free(net);
    scratch_remove(dir);
}

/* A project of netlist, table and experiment in folders of their own. */
static void write_project(const char *dir) {
    char path[200];
    static const char *const FOLDERS[] = { "one", "one/nets", "one/data" };
    for (int i = 0; i < RH_COUNT(FOLDERS); i++) {
        in_folder(path, dir, FOLDERS[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
    rh_buf b = { 0 };
    const char *const rest = strstr(EXPERIMENT, "learning:");
    rh_buf_puts(&b, "version: 1\nnetlist: nets/net.cir\noutput: runs/my\nseed: 3\n");
    rh_buf_puts(&b, "task: {kind: csv, file: data/t.csv, inputs: [in1, in2], outputs: [a, b], columns: [x, y], "
                    "targets: [p, q], test: 2}\n");
    rh_buf_puts(&b, rest);
    assert_false(b.bad);
    scratch_write(dir, "one/exp.yaml", b.s);
    scratch_write(dir, "one/nets/net.cir", NETLIST);
    scratch_write(
        dir, "one/data/t.csv",
        "x,y,p,q\n1,0,0.3,0.4\n0,1,0.2,0.1\n1,1,0.5,0.5\n0.5,1,0.35,0.3\n1,0.5,0.4,0.45\n0.3,0.2,0.13,0.14\n");
    rh_buf_free(&b);
}

static void a_project_may_be_moved(void **state) {
    (void)state;
    char exp[200], whole[200], one[200], two[200], out[200];
    char *const dir = scratch_create();
    write_project(dir);
    in_folder(one, dir, "one");
    in_folder(two, dir, "two");
    in_folder(exp, one, "exp.yaml");
    in_folder(whole, dir, "whole");
    run(0, "train", "-q", "--epochs", "90", "-o", whole, exp);
    run(0, "train", "-q", exp);
    assert_int_equal(rename(one, two), 0);
    in_folder(out, two, "runs/my");
    run(0, "resume", "-q", "--epochs", "90", out);
    same_run(whole, out);
    size_t n;
    char *const config = scratch_read(out, "config.yaml", &n);
    assert_null(strstr(config, dir));
    assert_non_null(strstr(config, "\nnetlist: ../../nets/net.cir\n"));
    assert_non_null(strstr(config, "\n  file: ../../data/t.csv\n"));
    free(config);
    /* The run alone: its paths are wrong now, and to put them right changes nothing. */
    char moved[200], config_path[200];
    in_folder(moved, dir, "moved");
    assert_int_equal(rename(out, moved), 0);
    run(5, "resume", "-q", moved);
    char *const text = scratch_read(moved, "config.yaml", &n);
    rh_buf b = { 0 };
    for (const char *p = text, *up; *p; p = up + 6) {
        up = strstr(p, "../../");
        rh_buf_add(&b, p, up ? (size_t)(up - p) : strlen(p));
        if (!up) break;
        rh_buf_printf(&b, "%s/", two);
    }
    scratch_write(moved, "config.yaml", b.s);
    rh_buf_free(&b);
    free(text);
    run(0, "resume", "-q", moved);
    same_run(whole, moved);
    /* Absolute paths of the experiment stay. */
    in_folder(config_path, moved, "config.yaml");
    in_folder(out, dir, "again");
    run(0, "train", "-q", "-o", out, config_path);
    char *const again = scratch_read(out, "config.yaml", &n);
    snprintf(exp, sizeof exp, "\nnetlist: %.150s/nets/net.cir\n", two);
    assert_non_null(strstr(again, exp));
    free(again);
    same_run(whole, out);
    scratch_remove(dir);
}

/* What `rheo train` says to the experiment with these settings: exactly one warning E195 with this text, or none ("").
 */
static void rest_is_told(const char *netlist, const char *want, const char *const *set) {
    char exp[200], out[200];
    char *const dir = prepare(exp);
    const char *argv[24] = { "train", "--force", "-o", out, exp };
    int n = 5;
    if (netlist) scratch_write(dir, "net.cir", netlist);
    in_folder(out, dir, "out");
    for (; *set; set++) {
        argv[n++] = "--set";
        argv[n++] = *set;
    }
    launched r;
    launch(&r, argv, NULL, NULL);
    if (r.exit != 0) fail_msg("exit code %d\n%s", r.exit, r.err);
    const char *const first = strstr(r.err, "E195");
    if (*want ? !first || !strstr(r.err, want) || strstr(first + 1, "E195") : first != NULL)
        fail_msg("want \"%s\" once, got\n%s", want, r.err);
    launch_free(&r);
    scratch_remove(dir);
}

static void what_cannot_move_is_told_once(void **state) {
    (void)state;
    static const char PINNED[] = "t\n*@ rheo version=1\nV1 in1 0 0\nV2 in2 0 0\nR1 in1 a 1k\nR2 in2 a 1.5k\nR3 a b 2k\n"
                                 "R4 in1 b 1k\nR5 b 0 1k\nR6 a 0 3k\n*@ learn R* min=1m max=1m\n.end\n";
    static const char ON_TAPS[] = "t\n*@ rheo version=1\nV1 in1 0 0\nV2 in2 0 0\nR1 in1 a 1k\nR2 in2 a 1k\nR3 a b 1k\n"
                                  "R4 in1 b 1k\nR5 b 0 1k\nR6 a 0 1k\n*@ learn R* min=1m max=10m\n.end\n";
    /* a divider whose output is too low: with one edge at its upper bound it can only be pulled up further */
    static const char BEYOND[] =
        "t\n*@ rheo version=1\nV1 in1 0 0\nV2 in2 0 0\nRx in2 0 1k\nR1 in1 a 1k\nR2 a 0 1meg\nR3 a b 1\n"
        "R4 b 0 1meg\n*@ learn R2 min=1u max=10u\n.end\n";
    rest_is_told(NULL, "", ARGS("run.epochs=3"));
    rest_is_told(NULL, "no edge can move: the rate is 0 (learning.rate)", ARGS("learning.rate=0"));
    rest_is_told(NULL, "no edge can move: the rate is 0 (learning.rate)",
                 ARGS("learning.rate=1", "learning.rates={R*: 0}"));
    rest_is_told(NULL, "no edge can move: the rate is 0 (learning.rate)",
                 ARGS("learning.rate=0", "solver.engine=transient", "run.batch=1", "run.epochs=1"));
    rest_is_told(PINNED, "no edge can move: min= and max= of each are the same (*@ learn)", ARGS("run.epochs=1"));
    /* ten times the rate, ten times the step */
    rest_is_told(NULL, "the first update changes what learns by only 2.9e-12 of", ARGS("learning.rate=1e-16"));
    rest_is_told(NULL, "the first update changes what learns by only 2.9e-11 of", ARGS("learning.rate=1e-15"));
    rest_is_told(NULL, "learning.rate is too low for this circuit, `rheo tune` proposes one\n",
                 ARGS("learning.rate=1e-16", "learning.rule=contrastive"));
    rest_is_told(NULL, "all updates together changed what learns by only ",
                 ARGS("learning.rate=1e-12", "run.epochs=5"));
    rest_is_told(ON_TAPS, "no edge moves: every step of the first update is below half a tap",
                 ARGS("learning.optimizer=taps", "learning.taps=2", "learning.rate=1e-9", "learning.rule=contrastive",
                      "learning.state=conductance"));
    rest_is_told(
        BEYOND, "no edge moves: all that learn stand at a bound, and the first update leads beyond it",
        ARGS("learning.rule=contrastive", "task.rows=[{in: [1, 0], out: [2, 2]}]", "run.batch=1", "run.epochs=2"));
    /* where all is learned there is nothing to say, however small the steps */
    rest_is_told(
        NULL, "",
        ARGS("learning.rule=contrastive", "task.rows=[{in: [0, 0], out: [0, 0]}]", "run.epochs=2", "run.batch=1"));
}

/* A key without its block, or in the wrong one, is told the right one. */
static void keys_of_other_blocks_are_told(void **state) {
    (void)state;
    char exp[200], want[100];
    char *const dir = prepare(exp);
    static const char *const CASES[][2] = { { "rate=1", "learning.rate" },
                                            { "epochs=3", "run.epochs" },
                                            { "strength=1", "learning.nudge.strength" },
                                            { "nudge.strength=1", "learning.nudge" },
                                            { "learning.threshold=1", "memory.threshold" },
                                            { "run.tau=1", "memory.tau" },
                                            { "learning.seed=2", "seed" },
                                            { "memory.fast=1", "protocol.fast" },
                                            { "run.decay=1", "learning.schedule.decay" },
                                            { "inputs=1", "task.inputs" },
                                            { "engine=transient", "solver.engine" },
                                            { "learning.output=x", "output" },
                                            { "learning.rat=1", "'rate'" },
                                            { "learing.rate=1", "'learning'" },
                                            { "run.epoch=1", "'epochs'" },
                                            { "learning.nudge.strenth=1", "'strength'" } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        launched r;
        launch_with(&r, "train", "--set", CASES[i][0], exp, (const char *)NULL);
        snprintf(want, sizeof want, "~ did you mean %s?\n", CASES[i][1]);
        if (r.exit != 3 || !strstr(r.err, want) || !strstr(r.err, "error[E151]: unknown key"))
            fail_msg("%s: exit code %d, want %s\n%s", CASES[i][0], r.exit, want, r.err);
        launch_free(&r);
    }
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_move_is_told_once),
        cmocka_unit_test(keys_of_other_blocks_are_told),
        cmocka_unit_test(a_run_leaves_its_files),
        cmocka_unit_test(warnings_come_once),
        cmocka_unit_test(tables_of_currents_are_kept),
        cmocka_unit_test(what_was_left_out_is_named),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(a_run_is_not_overwritten),
        cmocka_unit_test(a_missed_goal_is_told),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(the_seed_matters),
        cmocka_unit_test(signs_have_an_accuracy),
        cmocka_unit_test(wrong_runs_are_refused),
        cmocka_unit_test(tuning_is_numbers_as_well),
        cmocka_unit_test(tuning_is_yaml_for_the_experiment),
        cmocka_unit_test(a_signal_ends_with_a_checkpoint),
        cmocka_unit_test(an_epoch_goes_on_where_it_stopped),
        cmocka_unit_test(kills_change_nothing),
        cmocka_unit_test(kills_change_nothing_with_adam),
        cmocka_unit_test(damaged_checkpoints_are_not_believed),
        cmocka_unit_test(a_finished_run_is_trained_longer),
        cmocka_unit_test(a_changed_experiment_is_not_resumed),
        cmocka_unit_test(a_project_may_be_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
