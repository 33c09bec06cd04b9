/* test_look.c: settings that cannot work are told, in the same words by train and by check, and what can is not. */
#include "check.h"
#include "circuit/circuit.h"
#include "launch.h"
#include "run/gradcheck.h"

#include <math.h>

static const char NETLIST[] = "six resistors\n*@ rheo version=1\n*@ learn R* min=1u max=10m\nV1 a 0 0\nV2 b 0 0\n"
                              "R1 a o 10k\nR2 b o 10k\nR3 o 0 10k\nR4 a m 10k\nR5 m o 10k\nR6 m 0 10k\n.end\n";

/* With the numbers of the README and one thing else. */
typedef struct trial {
    const char *rows, *rate, *slow, *tau, *threshold, *kind;
    const char *netlist;
} trial;

static const char * or (const char *given, const char *standard) { return given ? given : standard; }

static void write_trial(const char *folder, const trial *t, const char *rule) {
    char text[1000];
    snprintf(text, sizeof text,
             "version: 1\nnetlist: net.cir\ntask: {kind: table, inputs: [a, b], outputs: [o], rows: [%s]}\n"
             "learning: {rule: %s, rate: %s, nudge: {kind: conductance, strength: 20u}}\n"
             "protocol: {kind: %s, fast: 1m, slow: %s, between: gate}\n"
             "memory: {kind: leaky-integrator, tau: %s, threshold: %s}\nrun: {epochs: 300}\noutput: run\n",
             or (t->rows, "{in: [1, 0.5], out: [0.7]}"), rule, or (t->rate, "4n"), or (t->kind, "sawtooth"),
             or (t->slow, "1"), or (t->tau, "50u"), or (t->threshold, "9m"));
    scratch_write(folder, "x.yaml", text);
    scratch_write(folder, "net.cir", or (t->netlist, NETLIST));
}

/* Standard error of `rheo COMMAND x.yaml`; json: what it says on standard output. */
static char *said(const trial *t, const char *command, bool json) {
    char *const folder = scratch_create(), path[300];
    write_trial(folder, t, "tcl");
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    launched r;
    launch_with(&r, command, path, json ? "--json" : NULL, NULL);
    if (r.exit != 0) fail_msg("%s: exit code %d\n%s", command, r.exit, r.err);
    char *const text = strdup(json ? r.out : r.err);
    launch_free(&r);
    scratch_remove(folder);
    return text;
}

static void is_told(const trial *t, const char *const *want, const char *const *never) {
    static const char *const COMMANDS[] = { "train", "check" };
    for (int i = 0; i < RH_COUNT(COMMANDS); i++) {
        char *const text = said(t, COMMANDS[i], false);
        for (const char *const *w = want; *w; w++) {
            const char *const first = strstr(text, *w);
            if (!first || strstr(first + 1, *w)) fail_msg("%s: want \"%s\" once, got\n%s", COMMANDS[i], *w, text);
        }
        for (const char *const *w = never; *w; w++)
            if (strstr(text, *w)) fail_msg("%s: want no \"%s\", got\n%s", COMMANDS[i], *w, text);
        free(text);
    }
}
#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NONE ((const char *const[]){ NULL })

/* ---- the dead zone ---- */

static rh_gradcheck slopes(const trial *t, const char *rule) {
    char *const folder = scratch_create(), path[300];
    write_trial(folder, t, rule);
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    rheo_experiment *x = NULL;
    rheo_error err = { 0 };
    if (rheo_experiment_read(&x, path, NULL, 0, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    scratch_remove(folder);
    const rh_gradcheck_def def = { .n_edge = 6, .n_sample = 32, .tolerance = 1e-6, .rule = INFINITY };
    rh_gradcheck g;
    CHECK_OK(rh_gradcheck_run(x, &def, &g, NULL, NULL));
    rheo_experiment_destroy(x);
    return g;
}

/* The amplitudes of one sample are what two phases write; the ramps pass threshold*fast and threshold*slow. */
static void edges_beyond_the_ends_are_counted(void **state) {
    (void)state;
    static const struct {
        const char *threshold;
        double end;
        bool above;
    } CASES[] = { { "1m", 1e-3, true }, { "100u", 1e-4, true }, { "100", 0.1, false } };
    for (int i = 0; i < RH_COUNT(CASES); i++) {
        const trial t = { .threshold = CASES[i].threshold };
        const rh_gradcheck tcl = slopes(&t, "tcl");
        rh_gradcheck two = slopes(&t, "contrastive");
        int n = 0;
        double out = 0, all = 0, largest = 0, rr = 0, rt = 0;
        for (int k = 0; k < two.n; k++) {
            const double a = 20e-6 * fabs(two.row[k].rule);
            const bool beyond = CASES[i].above ? a > CASES[i].end : a < CASES[i].end;
            n += beyond;
            out += beyond ? a * a : 0;
            all += a * a;
            largest = fmax(largest, a);
            rr += tcl.row[k].rule * tcl.row[k].rule;
            rt += tcl.row[k].rule * two.row[k].rule * 20e-6;
        }
        char count[120], cosine[120];
        snprintf(count, sizeof count, "): %d of 6 edges lie %s, with %.0f %% of it; memory.threshold: ", n,
                 CASES[i].above ? "above threshold*slow" : "below threshold*fast", 100 * out / all);
        snprintf(cosine, sizeof cosine, "E314]: what tcl writes is not the update of two phases (cosine %.2f",
                 rr > 0 ? rt / sqrt(rr * all) : 0);
        is_told(&t, LIST(cosine, count), LIST("E196", "E193"));
        /* What it says to take, half as much again as the largest, is taken, and all is well. */
        char *const text = said(&t, "check", false);
        char value[32];
        assert_int_equal(sscanf(strstr(text, "memory.threshold: "), "memory.threshold: %31s", value), 1);
        free(text);
        CHECK_REL(strtod(value, NULL), 1.5 * largest, 0.01);
        const trial better = { .threshold = value };
        is_told(&better, NONE, LIST("warning"));
        const rh_gradcheck good = slopes(&better, "tcl");
        assert_true(good.cosine > 0.99);
        rh_gradcheck_free((rh_gradcheck *)&good);
        rh_gradcheck_free((rh_gradcheck *)&tcl);
        rh_gradcheck_free(&two);
    }
}

static void gradcheck_says_why_tcl_is_off(void **state) {
    (void)state;
    const trial bad = { .threshold = "1m" }, good = { 0 };
    char *text = said(&bad, "gradcheck", false);
    assert_non_null(strstr(text, "E314]: what tcl writes"));
    free(text);
    text = said(&good, "gradcheck", false);
    assert_null(strstr(text, "E314"));
    free(text);
}

/* ---- times and rates ---- */

static double loss_last(const trial *t) {
    char *const out = said(t, "train", true);
    const char *const at = strstr(out, "\"loss_last\":");
    assert_non_null(at);
    const double loss = strtod(at + 12, NULL);
    free(out);
    return loss;
}

static void times_that_do_not_fit_are_told(void **state) {
    (void)state;
    /* The gate cuts the fall off before the memory feels it: it learns, and nothing says that it does not. */
    const trial quick = { .slow = "1u" };
    is_told(&quick, LIST("E196]: protocol.slow (1 us) is shorter than protocol.fast (1 ms): "),
            LIST("E314", "edges pass"));
    assert_true(loss_last(&quick) < 1e-5);
    is_told(
        &(trial){ .tau = "10" },
        LIST("E196]: memory.tau (10 s) is longer than protocol.slow (1 s): the memory still holds the rise when the "
             "fall ends"),
        LIST("is shorter"));
    is_told(&(trial){ .kind = "triangle" }, LIST("E314", "its two ramps are too much alike for any threshold"),
            LIST("E196", "passes them"));
    is_told(&(trial){ 0 }, NONE, LIST("warning"));
}

static void rates_that_do_not_fit_are_told(void **state) {
    (void)state;
    is_told(&(trial){ .rate = "0" }, LIST("E195]: no edge can move: the rate is 0 (learning.rate)"), LIST("E193"));
    is_told(&(trial){ .rate = "0.1" },
            LIST("E193]: the first update would change what learns by ",
                 " times itself: learning.rate is too high for this circuit, `rheo tune` proposes one"),
            LIST("E195", "E314"));
    is_told(&(trial){ .rate = "1e-19" }, LIST("E195]: the first update changes what learns by only "), LIST("E193"));
}

/* ---- what came of it ---- */

/* Text that train says and check does not. */
static void ends_with(const trial *t, const char *want) {
    char *text = said(t, "train", false);
    const char *const first = strstr(text, "E197");
    if (*want ? !first || !strstr(text, want) || strstr(first + 1, "E197") : first != NULL)
        fail_msg("want \"%s\" once, got\n%s", want, text);
    free(text);
    text = said(t, "check", false);
    assert_null(strstr(text, "E197"));
    free(text);
}

static void a_loss_that_does_not_fall_is_told(void **state) {
    (void)state;
    ends_with(&(trial){ 0 }, "");
    ends_with(&(trial){ .rate = "40f" },
              "E197]: the loss has hardly moved (0.02 -> 0.02): `rheo tune` proposes a rate");
    ends_with(&(trial){ .threshold = "1m" }, "): see the warning about the dead zone");
    ends_with(&(trial){ .rate = "0" }, ""); /* that was told by E195 */
}

/* Potentials of resistors lie between those of the sources and ground: 0 to 1 V here. */
static void targets_out_of_reach_are_named(void **state) {
    (void)state;
    ends_with(
        &(trial){ .rows = "{in: [1, 0.5], out: [1.5]}", .threshold = "40m" },
        "): output 'o' is wanted at 1.5 V, and resistors give only what lies between their sources and ground, here "
        "0 V to 1 V");
    ends_with(&(trial){ .rows = "{in: [1, 0.5], out: [-0.2]}", .threshold = "40m" },
              "output 'o' is wanted at -200 mV, ");
    ends_with(&(trial){ .rows = "{in: [1, 0.5], out: [0.95]}, {in: [0.5, -0.5], out: [-0.4]}", .threshold = "40m" },
              ""); /* far, and within */
    /* an amplifier gets there */
    ends_with(&(trial){ .rows = "{in: [1, 0.5], out: [1.5]}",
                        .threshold = "400m",
                        .rate = "1f",
                        .netlist = "amplified\n*@ rheo version=1\n*@ learn R* min=1u max=10m\nV1 a 0 0\nV2 b 0 0\n"
                                   "E1 c 0 a 0 3\nR1 c o 10k\nR2 b o 10k\nR3 o 0 10k\n.end\n" },
              "`rheo tune` proposes a rate");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_beyond_the_ends_are_counted), cmocka_unit_test(gradcheck_says_why_tcl_is_off),
        cmocka_unit_test(times_that_do_not_fit_are_told),    cmocka_unit_test(rates_that_do_not_fit_are_told),
        cmocka_unit_test(a_loss_that_does_not_fall_is_told), cmocka_unit_test(targets_out_of_reach_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
