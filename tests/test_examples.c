/* test_examples.c: every example is trained as a user would, and reaches what the README says. */
#include "check.h"
#include "launch.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* Number behind "key": in the last line of JSON. */
static double last_number(const char *out, const char *key) {
    char want[64];
    snprintf(want, sizeof(want), "\"%s\":", key);
    const char *at = NULL;
    for (const char *p = out; (p = strstr(p, want)); p++) at = p;
    if (!at) fail_msg("no %s in: %s", key, out);
    return strtod(at + strlen(want), NULL);
}

typedef struct expected {
    const char *file;
    double loss_first, loss_most; /* final training loss at most */
    double accuracy_least;        /* test accuracy at least; 0: no classes */
    const char *set;              /* an override; NULL: none */
} expected;

static const expected EXPECTED[] = {
    { "allostery.yaml", 0.0906, 1e-6, 0, NULL },
    { "regression.yaml", 0.00478, 7e-6, 0, NULL },
    { "iris.yaml", 1.0986, 0.2, 0.93, NULL },
    { "flow.yaml", 0.01499, 1e-6, 0, NULL },
    { "iris-diode.yaml", 1.13656, 0.12, 0.93, NULL },
    { "xor-mosfet.yaml", 1.1344e-3, 1e-8, 0, NULL },
    { "xor-diode.yaml", 0.022215, 1e-4, 0, NULL },
    { "regression-mosfet.yaml", 1.39855e-3, 3e-6, 0, NULL },
    { "memristor.yaml", 0.00478, 7e-6, 0, NULL },
    { "selflearn-4.yaml", 0.03797, 4e-5, 0, NULL },
    { "selflearn-24.yaml", 0.04554, 3e-5, 0, NULL },
    { "selflearn-112.yaml", 0.014474, 1e-4, 0, NULL },
    { "selflearn-mosfet.yaml", 5.322e-4, 4e-7, 0, NULL },
    { "selflearn-mosfet.yaml", 5.322e-4, 4e-7, 0, "solver.engine=transient" },
    { "selflearn-4.yaml", 0.03797, 4e-5, 0, "solver.engine=transient" },
    { "selflearn-24.yaml", 0.04554, 3e-5, 0, "solver.engine=transient" },
    { "selflearn-112.yaml", 0.014474, 1e-4, 0, "solver.engine=transient" },
};

static void train(const expected *x, const char *folder) {
    char path[64], run[256];
    snprintf(path, sizeof(path), "examples/%s", x->file);
    snprintf(run, sizeof(run), "%s/%s", folder, x->file);
    launched r;
    launch_with(&r, "train", path, "--force", "--output", run, "--json", x->set ? "--set" : NULL, x->set, NULL);
    if (r.exit != 0) fail_msg("%s: exit %d: %s", path, r.exit, r.err);
    static const char *const ALARMS[] = { "E314", "E193", "E195", "E196", "E197" }; /* false ones */
    for (int i = 0; i < (int)(sizeof ALARMS / sizeof *ALARMS); i++)
        if (strstr(r.err, ALARMS[i]) || strstr(r.out, ALARMS[i])) fail_msg("%s: %s", path, r.err);
    CHECK_REL(last_number(r.out, "loss_first"), x->loss_first, 2e-3);
    const double loss = last_number(r.out, "loss_last");
    if (!(loss <= x->loss_most)) fail_msg("%s: loss %g, expected at most %g", path, loss, x->loss_most);
    if (x->accuracy_least > 0) assert_true(last_number(r.out, "accuracy_test") >= x->accuracy_least);
    launch_free(&r);
    char trained[320];
    snprintf(trained, sizeof(trained), "%s/trained.cir", run);
    launch_with(&r, "check", trained, NULL);
    assert_int_equal(r.exit, 0);
    launch_free(&r);
}

/* The images are not part of the project. */
static void digits_are_read(void **state) {
    (void)state;
    if (access("../shared/data/digits/optdigits.tes", R_OK) != 0) {
        print_message("skipped: no ../shared/data/digits/optdigits.tes\n");
        skip();
    }
    if (getenv("RHEO_ASAN")) skip(); /* minutes: nothing new for the sanitizer */
    char *folder = scratch_create();
    launched r;
    launch_with(&r, "train", "examples/digits.yaml", "--force", "--output", folder, "--json", NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    assert_true(last_number(r.out, "accuracy_validation") >= 0.93);
    launch_free(&r);
    scratch_remove(folder);
}

/* An hour of training: here only that it is read. */
static void mnist_is_read(void **state) {
    (void)state;
    if (access("../shared/data/mnist/train-images-idx3-ubyte.gz", R_OK) != 0) {
        print_message("skipped: no ../shared/data/mnist\n");
        skip();
    }
    launched r;
    launch_with(&r, "check", "examples/mnist.yaml", NULL);
    if (r.exit != 0) fail_msg("exit %d: %s", r.exit, r.err);
    assert_non_null(strstr(r.out, "158800 learnable, 58000 training and 10000 test samples, 0 warnings"));
    launch_free(&r);
}

static void every_example_reaches_what_it_promises(void **state) {
    (void)state;
    char *folder = scratch_create();
    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(*EXPECTED); i++) train(&EXPECTED[i], folder);
    scratch_remove(folder);
}

static void no_example_is_left_out(void **state) {
    (void)state;
    DIR *d = opendir("examples");
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0) continue;
        int known = !strcmp(e->d_name, "digits.yaml") + !strcmp(e->d_name, "mnist.yaml");
        for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(*EXPECTED); i++) known += !strcmp(e->d_name, EXPECTED[i].file);
        if (!known) fail_msg("examples/%s has no expected numbers", e->d_name);
    }
    closedir(d);
}

/* Iris over ten seeds: the memory learns what the two-phase rule learns. */
static void iris_by_tcl_is_as_good_as_by_two_phases(void **state) {
    (void)state;
    if (getenv("RHEO_ASAN")) skip(); /* twenty trainings: nothing new for the sanitizer */
    char *folder = scratch_create();
    double mean[2] = { 0 };
    for (int rule = 0; rule < 2; rule++)
        for (int seed = 1; seed <= 10; seed++) {
            char number[8];
            snprintf(number, sizeof(number), "%d", seed);
            launched r;
            launch_with(&r, "train", "examples/iris.yaml", "--output", folder, "--force", "--json", "--seed", number,
                        "--set", rule ? "learning.rule=contrastive" : "learning.rule=tcl", NULL);
            assert_int_equal(r.exit, 0);
            mean[rule] += last_number(r.out, "accuracy_test") / 10;
            launch_free(&r);
        }
    scratch_remove(folder);
    assert_true(mean[0] >= 0.94);
    CHECK_NEAR(mean[0], mean[1], 0.02);
}

/* One subcircuit per edge with the source of its gate, transistors from a library, its title behind a dot: read,
 * trained by two rules, and written so that another run goes on where the first one ended. */
static void a_machine_from_elsewhere_is_trained(void **state) {
    (void)state;
    static const char HEAD[] =
        "version: 1\nseed: 1\ntask:\n  kind: table\n  inputs: [VS1]\n  outputs: [n2_2-n0_1]\n  rows:\n"
        "    - {in: [0.1], out: [0.02]}\n    - {in: [0.2], out: [0.03]}\n    - {in: [0.3], out: [0.04]}\n"
        "    - {in: [0.45], out: [0.05]}\n"
        "learning: {rule: tcl, rate: 20, nudge: {kind: voltage, strength: 0.3}}\n"
        "protocol: {kind: sawtooth, fast: 1m, slow: 1, between: gate}\n"
        "memory: {kind: leaky-integrator, tau: 20u, threshold: 2m}\nrun: {epochs: 250, batch: 1, evaluate: 50}\n";
    static const char *const RULES[] = { "learning.rule=tcl", "learning.rule=coupled" };
    char *const folder = scratch_create(), path[300], run[300], again[300], yaml[2000], here[900];
    assert_non_null(getcwd(here, sizeof(here)));
    snprintf(yaml, sizeof(yaml), "%snetlist: %s/netlists/clln4.cir\n", HEAD, here);
    scratch_write(folder, "first.yaml", yaml);
    for (int rule = 0; rule < 2; rule++) {
        launched r;
        snprintf(path, sizeof(path), "%s/first.yaml", folder);
        snprintf(run, sizeof(run), "%s/run%d", folder, rule);
        launch_with(&r, "train", path, "--output", run, "--json", "--set", RULES[rule], NULL);
        if (r.exit != 0) fail_msg("%s: %s", RULES[rule], r.err);
        const double first = last_number(r.out, "loss_first"), last = last_number(r.out, "loss_last");
        if (!(last < first / 100)) fail_msg("%s: loss %g -> %g", RULES[rule], first, last);
        launch_free(&r);
        snprintf(yaml, sizeof(yaml), "%snetlist: run%d/trained.cir\n", HEAD, rule);
        scratch_write(folder, "second.yaml", yaml);
        snprintf(path, sizeof(path), "%s/second.yaml", folder);
        snprintf(again, sizeof(again), "%s/again%d", folder, rule);
        launch_with(&r, "train", path, "--output", again, "--json", "--epochs", "1", NULL);
        if (r.exit != 0) fail_msg("%s", r.err);
        CHECK_REL(last_number(r.out, "loss_first"), last, 1e-6);
        launch_free(&r);
    }
    scratch_remove(folder);
}

/* ---- what the documents print ---- */

/* Where a block ends: at the closing fence, or before the first line that is not indented. */
static const char *block_end(const char *at, bool fenced) {
    for (const char *line = at; *line;) {
        if (fenced ? !strncmp(line, "```", 3) : strncmp(line, "    ", 4) != 0 && *line != '\n') return line;
        const char *const nl = strchr(line, '\n');
        if (!nl) break;
        line = nl + 1;
    }
    return at + strlen(at);
}

/* The block as it would be saved: without its indentation. malloc. */
static char *block_text(const char *at, const char *end, bool fenced) {
    char *const text = malloc((size_t)(end - at) + 2), *to = text;
    assert_non_null(text);
    while (at < end) {
        const char *const nl = memchr(at, '\n', (size_t)(end - at)), *const stop = nl ? nl : end;
        if (!fenced && *at == ' ') at += 4;
        memcpy(to, at, (size_t)(stop - at));
        to += stop - at;
        *to++ = '\n';
        at = nl ? nl + 1 : end;
    }
    *to = '\0';
    return text;
}

/* Checks an experiment that stands in a document, and trains it for a moment. */
static void try_block(const char *folder, const char *text, const char *document) {
    char path[300], run[300];
    scratch_write(folder, "docs/my.yaml", text);
    snprintf(path, sizeof path, "%s/docs/my.yaml", folder);
    snprintf(run, sizeof run, "%s/run", folder);
    launched r;
    launch_with(&r, "check", path, NULL);
    if (r.exit != 0 || r.err[0]) fail_msg("an example in %s: %s", document, r.err);
    launch_free(&r);
    launch_with(&r, "train", path, "--force", "--output", run, "--json", NULL);
    if (r.exit != 0) fail_msg("an example in %s: %s", document, r.err);
    assert_true(last_number(r.out, "loss_last") < 0.1 * last_number(r.out, "loss_first"));
    launch_free(&r);
}

/* Every block that begins as an experiment does. A netlist printed above it is saved beside it. */
static int try_document(const char *folder, const char *document) {
    size_t n = 0;
    int n_tried = 0;
    char *const all = scratch_read(".", document, &n);
    assert_non_null(all);
    bool before_text = true; /* a block is opened by an empty line, or by a fence */
    for (const char *line = all; *line;) {
        const bool fenced = !strncmp(line, "```", 3);
        const char *at = strchr(line, '\n'), *end;
        if (!at) break;
        at++;
        if (fenced || (before_text && !strncmp(line, "    ", 4))) {
            const char *const from = fenced ? at : line;
            end = block_end(from, fenced);
            char *const text = block_text(from, end, fenced);
            if (!strncmp(text, "version: 1\n", 11)) {
                try_block(folder, text, document);
                n_tried++;
            } else if (strstr(text, "\n.end\n")) {
                scratch_write(folder, "docs/my.cir", text);
            }
            free(text);
            line = end;
            if (fenced && *line) line = strchr(line, '\n') ? strchr(line, '\n') + 1 : line + strlen(line);
            continue;
        }
        before_text = *line == '\n';
        line = at;
    }
    free(all);
    return n_tried;
}

static void experiments_in_the_documents_run(void **state) {
    (void)state;
    char *const folder = scratch_create(), path[300];
    size_t n = 0;
    char *const grid = scratch_read("netlists", "grid10.cir", &n);
    assert_non_null(grid);
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", folder, k ? "netlists" : "docs");
        assert_int_equal(mkdir(path, 0700), 0);
    }
    scratch_write(folder, "netlists/grid10.cir", grid);
    free(grid);
    assert_true(try_document(folder, "README.md") >= 1);
    int n_docs = 0;
    DIR *const d = opendir("docs");
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        const char *const dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".md") != 0) continue;
        snprintf(path, sizeof path, "docs/%s", e->d_name);
        n_docs += try_document(folder, path);
    }
    closedir(d);
    assert_true(n_docs >= 1);
    scratch_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_reaches_what_it_promises),
        cmocka_unit_test(no_example_is_left_out),
        cmocka_unit_test(experiments_in_the_documents_run),
        cmocka_unit_test(digits_are_read),
        cmocka_unit_test(mnist_is_read),
        cmocka_unit_test(a_machine_from_elsewhere_is_trained),
        cmocka_unit_test(iris_by_tcl_is_as_good_as_by_two_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
