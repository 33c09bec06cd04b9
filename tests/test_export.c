/* Exported decks: what may stand in them, the mapping against the closed form of a cycle, and ngspice as the judge. */
#include "check.h"
#include "launch.h"

#include "export/export.h"
#include "rheo/memory.h"
#include "rheo/netlist.h"

#include <ctype.h>

/* Everything at once: odd names, ports of all kinds, an edge to ground, different bounds, every kind of fixed element.
 */
static const char NETLIST[] = "odd names\n*@ rheo version=1\n*@ learn R* min=5u max=500u\n*@ learn R4 max=300u\n"
                              "Vin/1 in/1 0 0\nI-x 0 o+2 0\nVs p[1] 0 1\n"
                              "R1 in/1 h_x2F 10k\nR2 h_x2F o+2 10k\nR3 p[1] o+2 12k\nR4 h_x2F 0 10k\nR#5 h/ 0 9k\n"
                              "R6 h_x2F h/ 10k\nEq q 0 h/ 0 2\nGq 0 q in/1 0 1u\nCq q 0 1n\nRq q 0 1k\n.end\n";
static const char EXPERIMENT[] = "version: 1\nnetlist: net.cir\nseed: 3\n"
                                 "task:\n  kind: table\n  inputs: [in/1, I-x]\n  outputs: [o+2, h_x2F-h/]\n  rows:\n"
                                 "    - {in: [1, 10u], out: [0.70, 0.30]}\n    - {in: [2, 50u], out: [1.20, 0.60]}\n"
                                 "    - {in: [2, 10u], out: [1.00, 0.70]}\n"
                                 "learning: {rule: tcl, rate: 3n, nudge: {kind: conductance, strength: 300u}}\n"
                                 "protocol: {kind: sawtooth, fast: 20u, slow: 20m, between: gate}\n"
                                 "memory: {kind: leaky-integrator, tau: 50u, leak: 1m, threshold: 60}\n"
                                 "run: {epochs: 100, batch: 1}\n";

static rheo_experiment *read_in(const char *dir, const char *yaml, const char *const *set, int n_set) {
    char path[200];
    scratch_write(dir, "net.cir", NETLIST);
    scratch_write(dir, "exp.yaml", yaml);
    snprintf(path, sizeof(path), "%s/exp.yaml", dir);
    rheo_experiment *x = NULL;
    rheo_error err = { 0 };
    if (rheo_experiment_read(&x, path, set, n_set, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return x;
}

static rheo_experiment *read_odd(const char *const *set, int n_set) {
    char *const dir = scratch_create();
    rheo_experiment *const x = read_in(dir, EXPERIMENT, set, n_set);
    scratch_remove(dir);
    return x;
}

static rheo_experiment *read_example(const char *path, const char *const *set, int n_set) {
    rheo_experiment *x = NULL;
    rheo_error err = { 0 };
    if (rheo_experiment_read(&x, path, set, n_set, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return x;
}

static char *deck_of(const rheo_experiment *x, long teeth) {
    rheo_export_def def = rheo_export_default();
    def.teeth = teeth;
    char *text = NULL;
    rheo_error err = { 0 };
    if (rheo_export_spice(x, &def, &text, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return text;
}

/* ---- text ---- */

static bool allowed_card(const char *line) {
    static const char *const CARDS[] = { ".subckt ",  ".ends ", ".ic ",    ".meas ",
                                         ".options ", ".tran ", ".print ", ".end" };
    if (*line != '.') return strchr("RCVIEGX+*", *line) != NULL;
    for (size_t i = 0; i < sizeof(CARDS) / sizeof(*CARDS); i++)
        if (strncmp(line, CARDS[i], strlen(CARDS[i])) == 0) return true;
    return false;
}

static void decks_hold_portable_cards_only(void **state) {
    (void)state;
    rheo_experiment *const x = read_odd(NULL, 0);
    char *const text = deck_of(x, 0);
    int n = 0;
    for (const char *line = text; *line; n++) {
        const char *const end = strchr(line, '\n');
        assert_non_null(end);
        if (end - line > 900) fail_msg("line %d has %d bytes", n + 1, (int)(end - line));
        if (n > 0 && end > line && !allowed_card(line)) fail_msg("line %d: %.60s", n + 1, line);
        if (n > 0 && *line == '*' && end > line + 1) assert_int_equal(line[1], ' ');
        for (const char *s = line; s < end; s++)
            if (*s < ' ' || *s > '~' || (strchr("^`;\\\"!@#&|$[]", *s) && *line != '*'))
                fail_msg("line %d: '%c'", n + 1, *s);
        line = end + 1;
    }
    static const char *const NEVER[] = { "in/1", "o+2", "h/", "p[1]", "I-x", "R#5", "control", "if(" };
    for (size_t i = 0; i < sizeof(NEVER) / sizeof(*NEVER); i++)
        if (strstr(text, NEVER[i])) fail_msg("'%s' reached the deck", NEVER[i]);
    assert_non_null(strstr(text, "\nX_R_x235 n_h_x2F 0 w5 en TCLEDGE\n"));
    assert_non_null(strstr(text, "\nX_R1 n_in_x2F1 n_h_x5Fx2F w1 en TCLEDGE\n"));
    assert_non_null(strstr(text, "\nGC2 n_h_x2F n_h_x5Fx2F value={0.0003*V(beta)*V(e2)}\n"));
    assert_non_null(strstr(text, "\nGC1 0 n_o_x2B2 value={0.0003*V(beta)*V(e1)}\n"));
    rheo_text_free(text);
    rheo_experiment_destroy(x);
}

static void different_names_stay_different(void **state) {
    (void)state;
    static const char *const NAME[] = { "a",        "a-",    "a_x2D", "a_x2d", "a_",      "a__x2D",
                                        "a_x5Fx2D", "a_x5F", "_",     "a x",   "\xc3\xa9" };
    enum { N = sizeof(NAME) / sizeof(*NAME) };
    rh_buf b[N] = { { 0 } };
    for (int i = 0; i < N; i++) {
        rh_export_name(&b[i], NAME[i]);
        for (const char *s = b[i].s; *s; s++) assert_true(isalnum((unsigned char)*s) || *s == '_');
        for (int k = 0; k < i; k++)
            if (rh_streq(b[i].s, b[k].s) && !rh_streq(NAME[i], NAME[k]))
                fail_msg("%s: %s and %s", b[i].s, NAME[i], NAME[k]);
    }
    for (int i = 0; i < N; i++) rh_buf_free(&b[i]);
}

/* rheo's own reader knows everything but nonlinear controlled sources. */
static void only_errors_132(void *user, const rheo_error *e) {
    int *const n = user;
    if (e->severity == RHEO_ERROR && e->code != 132) fail_msg("%d:%d: E%03d: %s", e->line, e->col, e->code, e->msg);
    if (e->severity == RHEO_WARNING) fail_msg("%d:%d: E%03d: %s", e->line, e->col, e->code, e->msg);
    *n += e->severity == RHEO_ERROR;
}

static void decks_are_read_as_far_as_possible(void **state) {
    (void)state;
    rheo_experiment *const x = read_odd(NULL, 0);
    char *const text = deck_of(x, 0);
    int n = 0;
    const rheo_log log = { only_errors_132, &n };
    rheo_netlist_def def = rheo_netlist_default();
    def.max_error = 10000;
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    assert_int_equal(rheo_netlist_parse(&c, text, strlen(text), "deck.cir", &def, &log, &err), RHEO_E_PARSE);
    assert_true(n > 4 && n < 40);
    rheo_text_free(text);
    rheo_experiment_destroy(x);
}

/* ---- samples ---- */

/* Sum at time t of all PWL pieces whose names begin with head. */
static double pieces_at(const char *text, const char *head, double t) {
    double sum = 0;
    int n = 0;
    for (const char *p = text; (p = strstr(p, head)); p++, n++) {
        const char *const end = strchr(p, ')');
        double t0 = 0, v0 = 0, here = NAN;
        const char *s = strstr(p, "PWL(");
        assert_true(s && end && s < end);
        for (s += 4; s < end;) {
            while (strchr(" \n+", *s)) s++;
            char *next;
            const double t1 = strtod(s, &next), v1 = strtod(next, &next);
            if (t1 <= t) here = v1;
            if (t0 <= t && t < t1) here = v0 + (v1 - v0) * (t - t0) / (t1 - t0);
            t0 = t1, v0 = v1, s = next;
        }
        sum += here;
    }
    if (n < 3) fail_msg("only %d pieces of %s", n, head);
    return sum;
}

static void pieces_add_up_to_the_samples_in_their_order(void **state) {
    (void)state;
    rheo_experiment *const x = read_odd((const char *const[]){ "run.epochs=200" }, 1);
    char *const text = deck_of(x, 0);
    rh_timetable t;
    CHECK_OK(rh_export_times(x, 0, &t, NULL));
    assert_int_equal(t.n_scored, 3);
    assert_int_equal(t.n_slot, 606);
    int order[3];
    for (int k = 0; k < t.n_slot; k++) {
        const int tooth = k - t.n_scored;
        if (tooth >= 0 && tooth < 600) {
            if (tooth % 3 == 0) rh_experiment_order(x, tooth / 3, order);
            assert_int_equal(t.sample[k], order[tooth % 3]);
        } else {
            assert_int_equal(t.sample[k], k % 3);
        }
        const double *const in = x->task.in + 2 * t.sample[k], *const target = x->task.target + 2 * t.sample[k];
        const double from = k * t.period + t.tooth, to = (k + 1) * t.period;
        CHECK_NEAR(pieces_at(text, "\nV_Vin_x2F1.", from), in[0], 1e-12);
        CHECK_NEAR(pieces_at(text, "\nV_Vin_x2F1.", to), in[0], 1e-12);
        CHECK_NEAR(pieces_at(text, "\nI_I_x2Dx.", from), in[1], 1e-17);
        CHECK_NEAR(pieces_at(text, "\nVT2.", from), target[1], 1e-12);
    }
    rh_free(t.sample);
    rheo_text_free(text);
    rheo_experiment_destroy(x);
}

/* ---- mapping ---- */

/* V of the storage that one tooth takes away, by stepping the parts in time: s goes from s0 to s0 + a and back. */
static double stepped(const rh_mapping *m, double gm, double fast, double slow, double s0, double a) {
    const double gain = 2 / m->v_square, h = 2e-8;
    double vc = gain * s0 * (isfinite(m->r_leak) ? m->r_leak / (m->r_leak + m->r_memory) : 1), charge = 0;
    for (double t = 0; t < fast + slow; t += h) {
        const double mid = t + h / 2;
        const double s = gain * (s0 + a * (mid < fast ? mid / fast : 1 - (mid - fast) / slow));
        const double k = 1 / m->r_memory + 1 / m->r_leak, rest = s / m->r_memory / k;
        const double half = rest + (vc - rest) * exp(-h / 2 * k / m->c_memory), u = s - half;
        vc = rest + (vc - rest) * exp(-h * k / m->c_memory);
        const double open = (fabs(u) - m->threshold) / m->edge + 0.5;
        charge += gm * u * (open < 0 ? 0 : open > 1 ? 1 : open) * h;
    }
    return charge / m->c_store;
}

static void a_tooth_writes_what_the_closed_form_says(void **state) {
    (void)state;
    static const char *const LEAK[] = { "memory.leak=inf", "memory.leak=1m" };
    for (int leak = 0; leak < 2; leak++) {
        rheo_experiment *const x = read_odd(&LEAK[leak], 1);
        rh_mapping m;
        rh_export_edge e;
        rh_export_map(x, &m);
        CHECK_OK(rh_export_edge_map(x, &m, 3, &e, NULL));
        CHECK_REL(e.kg * e.w_now, 1e-4, 1e-12);
        CHECK_REL(e.kg * e.w_max, 3e-4, 1e-12);
        CHECK_REL(e.kg * e.w_min, 5e-6, 1e-12);
        CHECK_REL(m.r_memory * m.c_memory, 50e-6, 1e-12);
        CHECK_REL(m.threshold, 2 * 50e-6 * 60 / m.v_square, 1e-12);
        const double amplitude[] = { 0.02, -0.05, 0.3 };
        for (int i = 0; i < 3; i++) {
            /* The closed form with s0 = 0 at the free end: average = amplitude/2. Slow is long, so periodic is settled.
             */
            rheo_cycle_def def = rheo_cycle_default();
            const char *const par[] = { "tau=50u", leak ? "leak=1m" : "leak=inf" };
            def.param = par, def.n_param = 2;
            def.fast = 20e-6, def.slow = 20e-3, def.threshold = 60, def.average = amplitude[i] / 2;
            double dw;
            CHECK_OK(rheo_cycle(&def, 1, &amplitude[i], &dw, NULL, NULL, NULL));
            const double share = leak ? 1e-3 / (1e-3 + 50e-6) : 1, dg = 3e-9 / 300e-6 / (share * share) * dw;
            CHECK_REL(e.kg * stepped(&m, e.gm, 20e-6, 20e-3, 0, amplitude[i]), dg, 5e-3);
        }
        rheo_experiment_destroy(x);
    }
}

/* ---- refusals ---- */

static void refused(const char *const *set, int n_set, const char *level, long teeth, rheo_status status, int code) {
    rheo_experiment *const x = read_odd(set, n_set);
    rheo_export_def def = rheo_export_default();
    def.level = level;
    def.teeth = teeth;
    char *text = NULL;
    rheo_error err = { 0 };
    if (rheo_export_spice(x, &def, &text, &err) != status || err.code != code)
        fail_msg("%s: E%03d %s", n_set ? set[0] : level, err.code, err.msg);
    assert_null(text);
    assert_true(err.hint[0]);
    assert_non_null(rheo_explain(code, NULL));
    rheo_experiment_destroy(x);
}

static void what_no_deck_can_do_is_refused(void **state) {
    (void)state;
    static const char *const SETS[][2] = {
        { "learning.rule=contrastive", NULL },   { "memory={kind: chemotaxis}", NULL },
        { "learning.nudge.kind=current", NULL }, { "learning.loss=hinge", NULL },
        { "protocol.kind=square", NULL },        { "protocol.between=periodic", NULL },
        { "protocol.between=carry", NULL },      { "run.batch=0", NULL },
    };
    for (size_t i = 0; i < sizeof(SETS) / sizeof(*SETS); i++)
        refused(SETS[i], 1, "behavioural", 0, RHEO_E_USAGE, RH_CODE_NO_DECK);
    refused(NULL, 0, "device", 0, RHEO_E_USAGE, RH_CODE_LEVEL);
    refused(NULL, 0, "behavioural", 2000000, RHEO_E_LIMIT, RH_CODE_LONG);
}

/* ---- ngspice ---- */

static bool have_ngspice(void) { return system("command -v ngspice >/dev/null 2>&1") == 0; }

static char *simulate(const char *dir, const char *deck) {
    char command[400];
    size_t n;
    scratch_write(dir, "deck.cir", deck);
    snprintf(command, sizeof(command), "cd %s && HOME=%s ngspice -b -n deck.cir >log 2>&1", dir, dir);
    if (system(command) != 0) fail_msg("ngspice failed:\n%s", scratch_read(dir, "log", &n));
    return scratch_read(dir, "log", &n);
}

static double measured(const char *log, const char *name) {
    char want[32];
    snprintf(want, sizeof(want), "\n%s ", name);
    const char *p = strstr(log, want);
    if (p) p = strchr(p, '=');
    if (!p) fail_msg("no %s in what ngspice says:\n%s", name, log);
    return strtod(p + 1, NULL);
}

/* What `rheo train` makes of the same teeth: g [n]. */
static void train(const char *path, const char *dir, const char *const *set, int n_set, double *g, int n) {
    char run[200], trained[240];
    const char *argv[24] = { "train", path, "--force", "-q", "-o", run };
    int k = 6;
    snprintf(run, sizeof(run), "%s/run", dir);
    snprintf(trained, sizeof(trained), "%s/trained.cir", run);
    for (int i = 0; i < n_set; i++) argv[k++] = "--set", argv[k++] = set[i];
    launched r;
    launch(&r, argv, NULL, NULL);
    if (r.exit != 0) fail_msg("%s", r.err);
    launch_free(&r);
    rheo_circuit *c = NULL;
    rheo_state *s = NULL;
    CHECK_OK(rheo_netlist_read(&c, trained, NULL, NULL, NULL));
    CHECK_OK(rheo_state_create(&s, c, NULL));
    assert_int_equal(s->n_edge, n);
    memcpy(g, s->g, sizeof(double) * (size_t)n);
    rheo_state_destroy(s);
    rheo_circuit_destroy(c);
}

enum { MOST = 8 };
/* Largest difference between ngspice and rheo, relative to the largest change of any edge, and relative to g. */
typedef struct difference {
    double of_change, of_g, rms0, rms1;
} difference;

static difference compare(const char *path, const char *dir, const char *const *set, int n_set) {
    rheo_experiment *const x = read_example(path, set, n_set);
    char *const deck = deck_of(x, 0), *const log = simulate(dir, deck);
    const int n = x->circuit->n_edge;
    double g[MOST], change = 0, worst = 0;
    assert_true(n <= MOST);
    train(path, dir, set, n_set, g, n);
    difference d = { .rms0 = measured(log, "rms0"), .rms1 = measured(log, "rms1") };
    rh_mapping m;
    rh_export_map(x, &m);
    for (int k = 0; k < n; k++) {
        rh_export_edge e;
        char name[16];
        CHECK_OK(rh_export_edge_map(x, &m, k, &e, NULL));
        snprintf(name, sizeof(name), "wf%d", k + 1);
        const double is = e.kg * measured(log, name);
        print_message("edge %d: ngspice %.5g S, rheo %.5g S\n", k + 1, is, g[k]);
        worst = fmax(worst, fabs(is - g[k]));
        d.of_g = fmax(d.of_g, fabs(is / g[k] - 1));
        change = fmax(change, fabs(g[k] - x->circuit->g_init[k]));
    }
    d.of_change = worst / change;
    print_message("rms %.4g -> %.4g V; conductances differ by %.2g %%, that is %.2g %% of the largest change\n", d.rms0,
                  d.rms1, 100 * d.of_g, 100 * d.of_change);
    free(log);
    rheo_text_free(deck);
    rheo_experiment_destroy(x);
    return d;
}

static void four_edges_learn_in_ngspice(void **state) {
    (void)state;
    if (!have_ngspice()) {
        print_message("skipped: no ngspice on the PATH\n");
        skip();
    }
    char *const dir = scratch_create();
    const char *const quicker[] = { "learning.rate=3.6n", "run.epochs=320" }; /* than the example, and less exact */
    const difference d = compare("examples/selflearn-4.yaml", dir, quicker, 2);
    CHECK_REL(d.rms0, sqrt(2 * 0.03796875), 1e-3);
    if (!(d.rms0 / d.rms1 >= 25)) fail_msg("the error fell only %g-fold", d.rms0 / d.rms1);
    if (!(d.of_g <= 0.05)) fail_msg("conductances differ by %g", d.of_g);
    scratch_remove(dir);
}

/* The lower the rate, the less a conductance moves within one tooth, which is all that the closed form leaves out. */
static void lower_rates_agree_better(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create();
    const char *const fast[] = { "run.epochs=10", "learning.rate=18n" }, *const slow[] = { "run.epochs=10",
                                                                                           "learning.rate=0.9n" };
    const difference a = compare("examples/selflearn-4.yaml", dir, fast, 2),
                     b = compare("examples/selflearn-4.yaml", dir, slow, 2);
    assert_true(b.of_change <= 0.02);
    assert_true(b.of_change < a.of_change / 2);
    scratch_remove(dir);
}

/* Gate, shuffled samples, leak, current source, difference as output, other bounds, fixed elements of all kinds. */
static void everything_at_once_agrees(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create();
    char path[200];
    rheo_experiment_destroy(read_in(dir, EXPERIMENT, NULL, 0));
    snprintf(path, sizeof(path), "%s/exp.yaml", dir);
    const char *const set[] = { "run.epochs=15", "learning.rate=20p" };
    const difference d = compare(path, dir, set, 2);
    if (!(d.of_change <= 0.05)) fail_msg("conductances differ by %g of their change", d.of_change);
    scratch_remove(dir);
}

/* Without the dead zone both ramps write and cancel; the other way round the machine runs from its target. */
static void dead_zone_and_direction_decide(void **state) {
    (void)state;
    if (!have_ngspice() || getenv("RHEO_ASAN")) skip();
    static const char *const SETS[][2] = { { "memory.threshold=0", "run.epochs=50" },
                                           { "protocol={kind: sawtooth, fast: 80m, slow: 500n, between: gate}",
                                             "run.epochs=50" } };
    char *const dir = scratch_create();
    for (int i = 0; i < 2; i++) {
        rheo_experiment *const x = read_example("examples/selflearn-4.yaml", SETS[i], 2);
        char *const deck = deck_of(x, 0), *const log = simulate(dir, deck);
        const double rms0 = measured(log, "rms0"), rms1 = measured(log, "rms1");
        if (!(rms1 > 0.8 * rms0)) fail_msg("%s: rms %g -> %g", SETS[i][0], rms0, rms1);
        free(log);
        rheo_text_free(deck);
        rheo_experiment_destroy(x);
    }
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decks_hold_portable_cards_only),
        cmocka_unit_test(different_names_stay_different),
        cmocka_unit_test(decks_are_read_as_far_as_possible),
        cmocka_unit_test(pieces_add_up_to_the_samples_in_their_order),
        cmocka_unit_test(a_tooth_writes_what_the_closed_form_says),
        cmocka_unit_test(what_no_deck_can_do_is_refused),
        cmocka_unit_test(four_edges_learn_in_ngspice),
        cmocka_unit_test(lower_rates_agree_better),
        cmocka_unit_test(everything_at_once_agrees),
        cmocka_unit_test(dead_zone_and_direction_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
