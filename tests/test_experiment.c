/* test_experiment.c: experiments as a whole: what is read, what ports become, and that what is printed reads back
 * equal. */
#include "check.h"

#include "circuit/circuit.h"
#include "experiment_case.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static rheo_experiment *read_set(const char *yaml, const char *const *set, int n_set) {
    rheo_experiment *x = NULL;
    rheo_error e = { 0 };
    if (case_read(&x, yaml, strlen(yaml), set, n_set, NULL, &e) != RHEO_OK) {
        char text[1400];
        rheo_error_format(&e, text, sizeof(text));
        fail_msg("%s", text);
    }
    return x;
}

static rheo_experiment *read_ok(const char *yaml) { return read_set(yaml, NULL, 0); }

static char *printed(const rheo_experiment *x) {
    char *text = NULL;
    assert_int_equal(rheo_experiment_print(x, &text, NULL), RHEO_OK);
    return text;
}

static const char SMALL[] =
    "version: 1\nnetlist: grid.cir\n"
    "task: {kind: table, inputs: [in1, in2], outputs: [o1], rows: [{in: [0, 100m], out: [300 mV]}]}\n";

static void what_is_left_out_has_its_default(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(SMALL);
    rh_learn_def def;
    rh_learn_default(&def);
    assert_memory_equal(&x->learn, &def, sizeof(def));
    assert_int_equal(x->domain, 0);
    assert_true(x->seed == 1);
    assert_int_equal(x->run.epochs, 100);
    assert_int_equal(x->run.batch, 1);
    assert_true(x->run.shuffle);
    assert_int_equal(x->run.checkpoint, 50);
    assert_int_equal(x->run.evaluate, 1);
    assert_int_equal(x->run.threads, 1);
    CHECK_NEAR(x->run.target_error, 0, 0);
    assert_string_equal(x->backend, "auto");
    assert_null(x->output);
    assert_string_equal(x->netlist, "grid.cir");
    assert_int_equal(x->task.n_sample, 1);
    CHECK_NEAR(x->task.in[1], 0.1, 1e-17);
    CHECK_NEAR(x->task.target[0], 0.3, 1e-17);
    assert_int_equal(x->task.n_train, 1);
    assert_int_equal(x->task.n_test, 0);
    assert_ptr_equal(rheo_experiment_circuit(x), x->circuit);
    rheo_experiment_destroy(x);
}

static const char FULL[] =
    "version: 1\nnetlist: grid.cir\ndomain: hydraulic\nseed: 9007199254740993\n"
    "task:\n  kind: table\n  inputs: [in1, in2, p-q, I1, s-t]\n  outputs: [o1, o2-o3, a-b]\n"
    "  rows:\n    - {in: [0, 1, 0.5, 1m, 2], out: [0.3, -0.1, 1e-300]}\n"
    "    - {in: [1k, 1 m, -0, .5, 1e-3], out: [0.1, 0.2, 0.30000000000000004], set: test}\n"
    "    - {in: [3, 2, 1, 0, 1], out: [0, 0, 0], set: train}\n"
    "learning:\n  rule: eqprop\n  rate: 12.5m\n  loss: hinge\n  margin: 20 mPa\n  logit_gain: 3\n  side: centered\n"
    "  nudge: {kind: current, strength: 1u A/V}\n"
    "protocol: {kind: triangle, fast: 2 us, slow: 3ms, between: ramp, ramp: 1}\n"
    "memory: {kind: leaky-integrator, tau: 70u, leak: inf, threshold: 2m V^2/s, nonlinearity: cubic}\n"
    "solver: {backend: klu}\n"
    "run: {epochs: 10k, batch: 0, shuffle: false, target_error: 1e-4, checkpoint: 0, evaluate: 5, threads: 3}\n"
    "output: runs/a b\n";

static void everything_can_be_said(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(FULL);
    assert_int_equal(x->domain, 1);
    assert_true(x->seed == 9007199254740993);
    assert_int_equal(x->learn.rule, RH_RULE_EQPROP);
    CHECK_REL(x->learn.rate, 0.0125, 1e-15);
    assert_int_equal(x->learn.loss, RH_LOSS_HINGE);
    CHECK_REL(x->learn.margin, 0.02, 1e-15);
    CHECK_NEAR(x->learn.logit_gain, 3, 0);
    assert_int_equal(x->learn.side, 1);
    assert_int_equal(x->learn.nudge, RH_NUDGE_CURRENT);
    CHECK_REL(x->learn.strength, 1e-6, 1e-15);
    assert_string_equal(RH_PROTOCOLS[x->learn.protocol]->name, "triangle");
    CHECK_REL(x->learn.fast, 2e-6, 1e-15);
    CHECK_REL(x->learn.slow, 3e-3, 1e-15);
    assert_int_equal(x->learn.between, RH_BETWEEN_RAMP);
    CHECK_NEAR(x->learn.ramp, 1, 0);
    CHECK_REL(x->learn.par[0], 70e-6, 1e-15);
    assert_true(isinf(x->learn.par[1]));
    CHECK_REL(x->learn.threshold, 2e-3, 1e-15);
    assert_int_equal(x->learn.nonlinearity, RH_CUBIC);
    assert_int_equal(x->learn.threads, 3);
    assert_string_equal(x->backend, "klu");
    assert_int_equal(x->run.epochs, 10000);
    assert_int_equal(x->run.batch, 0);
    assert_false(x->run.shuffle);
    assert_string_equal(x->output, "runs/a b");
    assert_int_equal(x->task.n_sample, 3);
    assert_int_equal(x->task.n_train, 2);
    assert_int_equal(x->task.train[1], 2);
    assert_int_equal(x->task.test[0], 1);
    CHECK_NEAR(x->task.in[5], 1000, 0);
    CHECK_NEAR(x->task.target[5], 0.30000000000000004, 0);
    rheo_experiment_destroy(x);
}

static void ports_find_their_sources_and_signs(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(FULL);
    const rh_ports p = rh_experiment_ports(x);
    static const char *const ELEM[] = { "Vin1", "Vin2", "Vd", "I1", "Vs" };
    static const double SIGN[] = { 1, -1, 1, 1, 1 };
    assert_int_equal(p.n_in, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(x->circuit->elem_name[p.in_elem[i]], ELEM[i]);
        CHECK_NEAR(p.in_sign[i], SIGN[i], 0);
    }
    assert_int_equal(p.n_out, 3);
    static const char *const OUT[][2] = { { "o1", "0" },
                                          { "o2", "o3" },
                                          { "a-b", "0" } }; /* a whole name wins over a difference */
    for (int k = 0; k < 3; k++)
        for (int e = 0; e < 2; e++) assert_string_equal(x->circuit->node_name[p.out[k][e]], OUT[k][e]);
    const rh_samples s = rh_experiment_samples(x);
    assert_int_equal(s.n, 3);
    assert_null(s.label);
    rheo_experiment_destroy(x);
}

static void a_reversed_difference_changes_the_sign(void **state) {
    (void)state;
    rheo_experiment *x =
        read_ok("version: 1\nnetlist: grid.cir\ntask: {kind: table, inputs: [q-p, vin2, in1-0], outputs: [o2-O1], "
                "rows: [{in: [0, 0, 0], out: [0]}]}\n");
    CHECK_NEAR(x->in_sign[0], -1, 0);
    assert_string_equal(x->circuit->elem_name[x->in_elem[1]], "Vin2");
    CHECK_NEAR(x->in_sign[1], 1, 0); /* a source is set as it stands, whichever way it is drawn */
    assert_string_equal(x->circuit->elem_name[x->in_elem[2]], "Vin1");
    assert_string_equal(x->circuit->node_name[x->out[0][0]], "o2");
    assert_string_equal(x->circuit->node_name[x->out[0][1]], "o1");
    rheo_experiment_destroy(x);
}

static void labels_win_on_their_output(void **state) {
    (void)state;
    static const struct {
        const char *rows, *more;
        int label[3];
        double level[2];
        const char *name0;
    } CASES[] = {
        { "{in: [0], label: 2}, {in: [1], label: 0}, {in: [2], label: 2}", "", { 2, 0, 2 }, { 0, 1 }, "0" },
        { "{in: [0], label: c}, {in: [1], label: a}, {in: [2], label: b}", "", { 2, 0, 1 }, { 0, 1 }, "a" },
        { "{in: [0], label: 30}, {in: [1], label: 4}, {in: [2], label: -5}", "", { 2, 1, 0 }, { 0, 1 }, "-5" },
        { "{in: [0], label: c}, {in: [1], label: a}, {in: [2], label: c}",
          "classes: [c, b, a], levels: [-10m, 0.25]",
          { 0, 2, 0 },
          { -0.01, 0.25 },
          "c" },
    };
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        char yaml[600];
        snprintf(yaml, sizeof(yaml),
                 "version: 1\nnetlist: grid.cir\ntask: {kind: table, inputs: [in1], outputs: [o1, o2, o3], rows: [%s], "
                 "%s}\n",
                 CASES[k].rows, CASES[k].more);
        rheo_experiment *x = read_ok(yaml);
        assert_int_equal(x->task.n_class, 3);
        assert_string_equal(x->task.class_name[0], CASES[k].name0);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(x->task.label[i], CASES[k].label[i]);
            for (int o = 0; o < 3; o++)
                CHECK_REL(x->task.target[3 * i + o], CASES[k].level[o == CASES[k].label[i]], 1e-15);
        }
        rheo_experiment_destroy(x);
    }
}

static void one_hot_targets_are_classes_for_cross_entropy(void **state) {
    (void)state;
    rheo_experiment *x =
        read_ok("version: 1\nnetlist: grid.cir\nlearning: {loss: cross-entropy}\ntask: {kind: table, inputs: [in1], "
                "outputs: [o1, o2], rows: [{in: [0], out: [0, 1]}, {in: [1], out: [1, 0]}]}\n");
    assert_int_equal(x->task.label[0], 1);
    assert_int_equal(x->task.label[1], 0);
    assert_int_equal(x->task.n_class, 2);
    assert_string_equal(x->task.class_name[1], "o2");
    rheo_experiment_destroy(x);
}

static const char FLOWERS[] =
    "version: 1\nnetlist: grid.cir\nseed: 7\ntask:\n  kind: csv\n  inputs: [in1, in2, p-q, s-t]\n"
    "  outputs: [o1, o2, o3]\n  file: flowers.csv\n  columns: [length, width]\n  differential: true\n"
    "  range: [0, 0.5]\n  label: species\n  levels: [-0.1, 0.1]\n  test: 0.5\n";
static const char LINES[] =
    "version: 1\nnetlist: grid.cir\ntask: {kind: csv, inputs: [in1, in2], outputs: [o1, o2-o3], file: lines.csv, "
    "columns: [x1, x2], targets: [y1, y2]}\n";

static void tables_become_samples(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(FLOWERS);
    assert_int_equal(x->task.n_sample, 6);
    assert_int_equal(x->task.n_test, 3); /* one of two flowers of each kind */
    assert_int_equal(x->task.n_class, 3);
    assert_string_equal(x->task.class_name[2], "virginica");
    assert_string_equal(x->task.in_name[2], "p-q");
    for (int i = 0; i < 6; i++) CHECK_NEAR(x->task.in[4 * i] + x->task.in[4 * i + 1], 0.5, 1e-15);
    rheo_experiment_destroy(x);
    x = read_ok(LINES);
    CHECK_NEAR(x->task.target[1], 2, 0); /* as in the file without target_range */
    CHECK_NEAR(x->task.in[4], 0.5, 0);
    assert_null(x->task.label);
    rheo_experiment_destroy(x);
}

/* ---- printing ---- */

static void same_numbers(const double *a, const double *b, size_t n) { assert_memory_equal(a, b, n * sizeof(double)); }

static void same(const rheo_experiment *a, const rheo_experiment *b) {
    const rh_task *s = &a->task, *t = &b->task;
    rh_learn_def of_a = a->learn, of_b = b->learn;
    assert_int_equal(of_a.edge_rate != NULL, of_b.edge_rate != NULL);
    if (of_a.edge_rate) same_numbers(of_a.edge_rate, of_b.edge_rate, (size_t)a->circuit->n_edge);
    of_a.edge_rate = of_b.edge_rate = NULL;
    assert_memory_equal(&of_a, &of_b, sizeof(of_a));
    assert_memory_equal(&a->run, &b->run, sizeof(a->run));
    assert_true(a->seed == b->seed && a->domain == b->domain && a->task_kind == b->task_kind &&
                a->labelled == b->labelled);
    assert_int_equal(s->n_in, t->n_in);
    assert_int_equal(s->n_out, t->n_out);
    assert_int_equal(s->n_sample, t->n_sample);
    assert_int_equal(s->n_class, t->n_class);
    assert_int_equal(s->n_train, t->n_train);
    same_numbers(s->in, t->in, (size_t)s->n_sample * (size_t)s->n_in);
    same_numbers(s->target, t->target, (size_t)s->n_sample * (size_t)s->n_out);
    assert_memory_equal(s->train, t->train, (size_t)s->n_train * sizeof(int));
    assert_int_equal(s->n_validation, t->n_validation);
    if (s->n_validation) assert_memory_equal(s->validation, t->validation, (size_t)s->n_validation * sizeof(int));
    if (s->n_test) assert_memory_equal(s->test, t->test, (size_t)s->n_test * sizeof(int));
    assert_int_equal(s->label != NULL, t->label != NULL);
    if (s->label) assert_memory_equal(s->label, t->label, (size_t)s->n_sample * sizeof(int));
    for (int c = 0; c < s->n_class; c++) assert_string_equal(s->class_name[c], t->class_name[c]);
    assert_memory_equal(a->in_elem, b->in_elem, (size_t)s->n_in * sizeof(int));
    same_numbers(a->in_sign, b->in_sign, (size_t)s->n_in);
    assert_memory_equal(a->out, b->out, (size_t)s->n_out * sizeof(*a->out));
    assert_true(rh_circuit_equal(a->circuit, b->circuit));
}

static const char RATES[] =
    "version: 1\nnetlist: grid.cir\n"
    "task: {kind: table, inputs: [in1, in2], outputs: [o1], rows: [{in: [0, 1], out: [0.3]}]}\n"
    "learning:\n  optimizer: adam\n  rate: 2u S\n  beta1: 0.8\n  beta2: 0.99\n  epsilon: 1e-6 V^2/S\n"
    "  rates: {R*: 1u, r2: 3u, \"*5\": 0, R?: 4u S, R3: 5u}\n"
    "  schedule: {kind: step, decay: 0.5, every: 7, final: 0.3}\n";

static void rates_go_by_name(void **state) {
    (void)state;
    static const double WANT[] = { 4e-6, 4e-6, 5e-6, 4e-6, 4e-6 };
    rheo_experiment *x = read_ok(RATES);
    assert_int_equal(x->learn.optimizer, RH_OPTIMIZER_ADAM);
    assert_int_equal(x->learn.schedule, RH_SCHEDULE_STEP);
    assert_int_equal(x->learn.every, 7);
    CHECK_REL(x->learn.decay, 0.5, 1e-15);
    CHECK_REL(x->learn.beta1, 0.8, 1e-15);
    CHECK_REL(x->learn.beta2, 0.99, 1e-15);
    CHECK_REL(x->learn.epsilon, 1e-6, 1e-15);
    CHECK_REL(x->learn.final, 0.3, 1e-15);
    assert_int_equal(x->circuit->n_edge, 5);
    for (int k = 0; k < 5; k++) CHECK_REL(x->learn.edge_rate[k], WANT[k], 1e-15);
    rheo_experiment_destroy(x);
    static const char *const SET[] = { "learning.rates={R2: 7u}" };
    x = read_set(RATES, SET, 1);
    for (int k = 0; k < 5; k++) CHECK_REL(x->learn.edge_rate[k], k == 1 ? 7e-6 : 2e-6, 1e-15);
    rheo_experiment_destroy(x);
}

#define CHARGED(netlist, more)                                                          \
    "version: 1\nnetlist: " netlist "\n"                                                \
    "task: {kind: table, inputs: [Vin], outputs: [o], rows: [{in: [1], out: [0.3]}]}\n" \
    "learning:\n  rule: coupled\n  nudge: {kind: voltage, strength: 0.25}\n"            \
    "  charging: {resistance: 1k, capacitance: 2.2 uF, v0: 0.5 V, pulse: 100u}\n" more

/* dV = pulse/(RC) (V_free^2 - V_clamped^2)/V0 is -rate/strength (V_clamped^2 - V_free^2)/2. */
static void a_charging_law_is_a_rate(void **state) {
    (void)state;
    const double law = 100e-6 / (1e3 * 2.2e-6) / 0.5, rate = 2 * 0.25 * law;
    rheo_experiment *x = read_ok(CHARGED("gates.cir", ""));
    CHECK_REL(x->learn.rate, rate, 1e-14);
    assert_null(x->learn.edge_rate);
    char *text = NULL;
    CHECK_OK(rheo_experiment_print(x, &text, NULL)); /* shows law and rate; reads back (checked by `read_ok`, too) */
    assert_non_null(strstr(text, "    resistance: 1000\n"));
    assert_non_null(strstr(text, "    pulse: 0.0001\n"));
    rheo_text_free(text);
    rheo_experiment_destroy(x);
    x = read_ok(CHARGED("gates+r.cir", "  rate: 3m\n  rates: {R2: 5m}\n"));
    assert_int_equal(x->circuit->n_edge, 4);
    for (int k = 0; k < 4; k++) {
        const char *const name = x->circuit->elem_name[x->circuit->edge_elem[k]];
        const double want = name[0] == 'M' ? rate : strcmp(name, "R2") == 0 ? 5e-3 : 3e-3;
        CHECK_REL(x->learn.edge_rate[k], want, 1e-14);
    }
    rheo_experiment_destroy(x);
}

static const char LOGIC[] =
    "version: 1\nnetlist: grid.cir\n"
    "task: {kind: logic, inputs: [in1..in2, p-q, s-t, I1], outputs: [o1..o3], functions: [or, and, xor],\n"
    "  differential: true, range: [-2, 2], bias: [0.5 V], levels: [-10m, 10m]}\nlearning: {loss: hinge}\n";
static const char LINES_SPLIT[] =
    "version: 1\nnetlist: grid.cir\n"
    "task: {kind: csv, file: bare.csv, header: false, test_file: bare.csv, inputs: [in1..in2, s-t],\n"
    "  outputs: [o1], columns: [c1..c2], targets: [c2], affine: [0.1, -0.3], bias: [2], validation_rows: [2, 2],\n"
    "  train_rows: [1, 1]}\n";

static void lists_count_up(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(LOGIC);
    assert_int_equal(x->task.n_in, 5);
    assert_string_equal(x->task.in_name[1], "in2");
    assert_int_equal(x->task.n_out, 3);
    assert_string_equal(x->task.out_name[2], "o3");
    assert_int_equal(x->task.n_sample, 4);
    assert_int_equal(x->task.n_class, 0);
    CHECK_NEAR(x->task.in[5 * 2], 2, 0);
    CHECK_NEAR(x->task.in[5 * 2 + 1], -2, 0);
    CHECK_NEAR(x->task.target[3 * 3 + 2], -0.01, 0);
    rheo_experiment_destroy(x);
    static const char *const SET[] = { "task.outputs=[o1-o2..o2-o3, o1]" };
    x = read_set(LOGIC, SET, 1);
    assert_string_equal(x->task.out_name[0], "o1-o2");
    assert_string_equal(x->task.out_name[1], "o2-o3");
    rheo_experiment_destroy(x);
}

static void sets_come_from_two_files(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(LINES_SPLIT);
    assert_int_equal(x->task.n_sample, 4);
    assert_int_equal(x->task.n_train, 1);
    assert_int_equal(x->task.n_validation, 1);
    assert_int_equal(x->task.validation[0], 1);
    assert_int_equal(x->task.n_test, 2);
    CHECK_NEAR(x->task.in[0], 0.21, 1e-15);
    CHECK_NEAR(x->task.in[3 * 3 + 2], 2, 0);
    rheo_experiment_destroy(x);
}

static void expect_columns(const char *const *set, int n, const char *want) {
    static const char TABLE[] =
        "version: 1\nnetlist: grid.cir\ntask: {kind: csv, inputs: [in1, I1], outputs: [o1, o2-o3], file: lines.csv,\n"
        "  columns: [x2, y2], targets: [y1, y2]}\n";
    rheo_experiment *x = read_set(TABLE, set, n);
    rh_buf b = { 0 };
    rh_experiment_tell_columns(&b, x);
    assert_false(b.bad);
    assert_string_equal(b.s, want);
    rh_buf_free(&b);
    rheo_experiment_destroy(x);
}

static void scaling_is_told(void **state) {
    (void)state;
    expect_columns(NULL, 0,
                   "column x2: 0..1 V, as in the file\ncolumn y2: 2..6 goes to 0..1 A\n"
                   "target y1: 0.25..1 V, as in the file\ntarget y2: 2..6 V, as in the file\n");
    static const char *const NONE[] = { "task.range=none", "task.target_range=[0.1, 0.5]" };
    expect_columns(NONE, 2,
                   "column x2: 0..1 V, as in the file\ncolumn y2: 2..6 A, as in the file\n"
                   "target y1: 0.25..1 goes to 0.1..0.5 V\ntarget y2: 2..6 goes to 0.1..0.5 V\n");
    static const char *const FALLS[] = { "task.affine=[-0.5, 1]", "task.test_rows=[4, 4]", "task.train_rows=[1, 3]" };
    expect_columns(FALLS, 3,
                   "column x2: 0..1 goes to 1..0.5 V\ncolumn y2: 2..4 goes to 0..-1 A\n"
                   "target y1: 0.25..0.75 V, as in the file\ntarget y2: 2..4 V, as in the file\n");
}

/* As affine: [1, 0], and printed so that it reads back. */
static void columns_may_stay_as_they_are(void **state) {
    (void)state;
    static const char *const NONE[] = { "task.range=none", "task.differential=true",
                                        "task.inputs=[in1, in2, p-q, I1]" },
                             *const ONE[] = { "task.affine=[1, 0]", "task.differential=true",
                                              "task.inputs=[in1, in2, p-q, I1]" };
    static const char TABLE[] =
        "version: 1\nnetlist: grid.cir\ntask: {kind: csv, inputs: [in1, in2], outputs: [o1, o2-o3], file: lines.csv,\n"
        "  columns: [x2, y2], targets: [y1, y2]}\n";
    rheo_experiment *a = read_set(TABLE, NONE, 3), *b = read_set(TABLE, ONE, 3);
    assert_memory_equal(a->task.in, b->task.in, 16 * sizeof(double));
    assert_true(a->task.in[2] == 2 && a->task.in[3] == -2);
    char *text = NULL;
    CHECK_OK(rheo_experiment_print(a, &text, NULL));
    assert_non_null(strstr(text, "  range: none\n"));
    rheo_experiment *back = read_ok(text);
    assert_memory_equal(a->task.in, back->task.in, 16 * sizeof(double));
    rheo_text_free(text);
    rheo_experiment_destroy(a);
    rheo_experiment_destroy(b);
    rheo_experiment_destroy(back);
}

static const char NETWORK[] =
    "version: 1\nnetwork: {kind: layered, sizes: [4, 3, 2], inputs: double, outputs: pair, bias: 1, init: glorot, g: "
    "2m}\n"
    "task: {kind: logic, functions: [xor], differential: true, bias: [1]}\nlearning: {rates: {R1_*: 1u, R1_b*: 2u}}\n";
static const char NETWORK_GRID[] =
    "version: 1\nnetwork: {kind: grid, nx: 3, ny: 2, seed: 5, spread: 1}\nseed: 9\n"
    "task: {kind: table, inputs: [Vin1, Vin2], outputs: [n1_1], rows: [{in: [0, 1], out: [0.3]}]}\n";

static void networks_are_made_in_memory(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(NETWORK), *y;
    assert_int_equal(x->circuit->n_edge, 5 * 3 + 3 * 2);
    assert_int_equal(x->task.n_in, 5);
    assert_string_equal(x->task.in_name[1], "x1n");
    assert_string_equal(x->task.in_name[4], "b1");
    assert_int_equal(x->task.n_out, 1);
    assert_string_equal(x->task.out_name[0], "y1p-y1n");
    for (int k = 0; k < x->circuit->n_edge; k++) {
        const char *const name = x->circuit->elem_name[x->circuit->edge_elem[k]];
        CHECK_REL(x->learn.edge_rate[k], name[1] == '2' ? 0.1 : name[3] == 'b' ? 2e-6 : 1e-6, 1e-15);
    }
    char *text = NULL; /* the same circuit as a netlist */
    rheo_circuit *back = NULL;
    CHECK_OK(rheo_netlist_print(&text, x->circuit, NULL, NULL));
    CHECK_OK(rheo_netlist_parse(&back, text, strlen(text), "net", NULL, NULL, NULL));
    assert_true(rh_circuit_equal(x->circuit, back));
    rheo_circuit_destroy(back);
    rheo_text_free(text);
    static const char *const SEED[] = { "seed=2" };
    y = read_set(NETWORK, SEED, 1);
    assert_true(x->circuit->g_init[0] != y->circuit->g_init[0]);
    rheo_experiment_destroy(x);
    rheo_experiment_destroy(y);
    x = read_ok(NETWORK_GRID);
    y = read_set(NETWORK_GRID, SEED, 1); /* it has a seed of its own */
    assert_true(rh_circuit_equal(x->circuit, y->circuit));
    rheo_experiment_destroy(x);
    rheo_experiment_destroy(y);
}

static void what_is_printed_reads_back_equal(void **state) {
    (void)state;
    static const char ODD[] =
        "version: 1\nnetlist: grid.cir\noutput: \"caf\xC3\xA9 \\\"x\\\" \\u2028\\x07 \\\\ %\"\n"
        "task: {kind: table, inputs: [in1], outputs: [o1, o2], classes: ['yes', '1e3'], levels: [0.1, 0.2], rows: "
        "[{in: [-0], label: 'yes'}, {in: [4.9406564584124654e-324], label: '1e3', set: test}]}\n";
    static const char *const ALL[] = { SMALL, FULL,  FLOWERS,     LINES,   ODD,
                                       RATES, LOGIC, LINES_SPLIT, NETWORK, NETWORK_GRID };
    for (int k = 0; k < RH_COUNT(ALL); k++) {
        rheo_experiment *x = read_ok(ALL[k]);
        char *text = printed(x);
        rheo_experiment *y = read_ok(text);
        char *again = printed(y);
        assert_string_equal(text, again);
        same(x, y);
        if (x->output) assert_string_equal(x->output, y->output);
        rheo_text_free(text);
        rheo_text_free(again);
        rheo_experiment_destroy(x);
        rheo_experiment_destroy(y);
    }
}

static void every_default_is_visible(void **state) {
    (void)state;
    rheo_experiment *x = read_ok(SMALL);
    char *text = printed(x);
    const struct {
        const rh_field *f;
        int n;
    } TABLES[] = { { RH_LEARNING_FIELDS, RH_N_LEARNING_FIELD }, { RH_NUDGE_FIELDS, RH_N_NUDGE_FIELD },
                   { RH_SCHEDULE_FIELDS, RH_N_SCHEDULE_FIELD }, { RH_PROTOCOL_FIELDS, RH_N_PROTOCOL_FIELD },
                   { RH_MEMORY_FIELDS, RH_N_MEMORY_FIELD },     { RH_RUN_FIELDS, RH_N_RUN_FIELD } };
    for (int t = 0; t < RH_COUNT(TABLES); t++)
        for (int k = 0; k < TABLES[t].n; k++) {
            char key[64];
            snprintf(key, sizeof(key), "  %s: ", TABLES[t].f[k].name);
            if (!strstr(text, key)) fail_msg("no '%s' in\n%s", key, text);
        }
    assert_non_null(strstr(text, "  tau: "));
    assert_non_null(strstr(text, "  backend: auto\n"));
    rheo_text_free(text);
    rheo_experiment_destroy(x);
}

static void kernels_bring_their_own_settings(void **state) {
    (void)state;
    for (int k = 0; k < RH_N_KERNEL; k++) {
        char yaml[800];
        snprintf(yaml, sizeof(yaml), "%smemory: {kind: %s}\n", SMALL, RH_KERNELS[k]->name);
        rheo_experiment *x = read_ok(yaml);
        assert_int_equal(x->learn.kernel, k);
        for (int i = 0; i < RH_KERNELS[k]->n_field; i++) assert_true(x->learn.par[i] == RH_KERNELS[k]->fields[i].def);
        char *text = printed(x);
        rheo_experiment *y = read_ok(text);
        same(x, y);
        rheo_text_free(text);
        rheo_experiment_destroy(x);
        rheo_experiment_destroy(y);
    }
}

/* A row of docs/experiment.md: "| `name` | default |", the default as some SPICE number or word. */
static void find_row(const char *text, const rh_field *f) {
    char key[64], value[64];
    snprintf(key, sizeof(key), "| `%s` | ", f->name);
    for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
        const char *from = at + strlen(key);
        const size_t n = strcspn(from, "|") - 1;
        snprintf(value, sizeof(value), "%.*s", (int)n, from);
        const rh_number x = rh_number_parse_all(value, n);
        char word[64] = "";
        if (f->type == RH_CHOICE) snprintf(word, sizeof(word), "`%s`", f->choices[(int)f->def]);
        if (f->type == RH_BOOL) snprintf(word, sizeof(word), f->def != 0 ? "`true`" : "`false`");
        if (isinf(f->def)) snprintf(word, sizeof(word), "`inf`");
        if (*word ? strcmp(word, value) == 0 : x.fault == RH_NUM_OK && fabs(x.value - f->def) <= 1e-12 * fabs(f->def))
            return;
    }
    fail_msg("docs/experiment.md has no row for '%s' with its default", f->name);
}

static void the_manual_has_every_key_and_default(void **state) {
    (void)state;
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(rh_file_read("docs/experiment.md", 1 << 20, &text, &n, NULL), RHEO_OK);
    for (int k = 0; k < RH_N_LEARNING_FIELD; k++) find_row(text, &RH_LEARNING_FIELDS[k]);
    for (int k = 0; k < RH_N_NUDGE_FIELD; k++) find_row(text, &RH_NUDGE_FIELDS[k]);
    for (int k = 0; k < RH_N_SCHEDULE_FIELD; k++) find_row(text, &RH_SCHEDULE_FIELDS[k]);
    for (int k = 0; k < RH_N_PROTOCOL_FIELD; k++) find_row(text, &RH_PROTOCOL_FIELDS[k]);
    for (int k = 0; k < RH_N_MEMORY_FIELD; k++) find_row(text, &RH_MEMORY_FIELDS[k]);
    for (int k = 0; k < RH_N_RUN_FIELD; k++) find_row(text, &RH_RUN_FIELDS[k]);
    for (int kernel = 0; kernel < RH_N_KERNEL; kernel++) {
        rh_field own[RH_MAX_PAR];
        const int n_own = rh_kernel_fields(kernel, own);
        for (int i = 0; i < n_own; i++) find_row(text, &own[i]);
    }
    rh_free(text);
}

/* ---- overrides and files ---- */

static void overrides_come_before_checking(void **state) {
    (void)state;
    static const char *const SET[] = { "learning.rate=50m", "memory.tau=1m", "learning.nudge.kind=current",
                                       "task.outputs=[o2]", "seed=5",        "output=elsewhere" };
    rheo_experiment *x = read_set(SMALL, SET, RH_COUNT(SET));
    CHECK_REL(x->learn.rate, 0.05, 1e-15);
    CHECK_REL(x->learn.par[0], 1e-3, 1e-15);
    assert_int_equal(x->learn.nudge, RH_NUDGE_CURRENT);
    assert_string_equal(x->task.out_name[0], "o2");
    assert_string_equal(x->output, "elsewhere");
    assert_true(x->seed == 5);
    rheo_experiment_destroy(x);
}

static void put_file(const char *folder, const char *name, const char *text) {
    char *path = rh_path_join(folder, name);
    assert_int_equal(rh_file_write(path, text, strlen(text), NULL), RHEO_OK);
    rh_free(path);
}

/* The copy in a run directory works from any folder. */
static void a_printed_copy_works_elsewhere(void **state) {
    (void)state;
    char root[] = "/tmp/rheo_test_XXXXXX", here[4096], a[64], b[64];
    assert_non_null(mkdtemp(root));
    assert_non_null(getcwd(here, sizeof(here)));
    snprintf(a, sizeof(a), "%s/a", root);
    snprintf(b, sizeof(b), "%s/b", root);
    assert_int_equal(mkdir(a, 0700), 0);
    assert_int_equal(mkdir(b, 0700), 0);
    put_file(root, "grid.cir", case_text("grid.cir"));
    snprintf(b, sizeof(b), "%s/lib", root);
    assert_int_equal(mkdir(b, 0700), 0);
    snprintf(b, sizeof(b), "%s/b", root);
    put_file(a, "flowers.csv", case_text("flowers.csv"));
    char yaml[sizeof(FLOWERS) + 64];
    const char *netlist = strstr(FLOWERS, "grid.cir");
    snprintf(yaml, sizeof(yaml), "%.*s../%soutput: runs/x\ninclude_dirs: [., ../lib]\n", (int)(netlist - FLOWERS),
             FLOWERS, netlist);
    put_file(a, "exp.yaml", yaml);
    assert_int_equal(chdir(root), 0);
    rheo_experiment *x = NULL, *y = NULL;
    rheo_error e = { 0 };
    const rheo_status st = rheo_experiment_read(&x, "a/exp.yaml", NULL, 0, NULL, &e);
    if (st != RHEO_OK) fail_msg("%s:%d: %s", e.file, e.line, e.msg);
    assert_string_equal(x->output, "a/runs/x");
    assert_string_equal(x->netlist, "grid.cir"); /* not a/../grid.cir */
    assert_int_equal(x->n_include, 2);
    assert_string_equal(x->include_dir[1], "lib");
    char *text = printed(x);
    put_file(b, "config.yaml", text);
    assert_int_equal(chdir(b), 0);
    if (rheo_experiment_read(&y, "config.yaml", NULL, 0, NULL, &e) != RHEO_OK)
        fail_msg("%s:%d: %s\n%s", e.file, e.line, e.msg, text);
    same(x, y);
    char *again = printed(y), want[128];
    assert_string_equal(text, again);
    snprintf(want, sizeof(want), "%s/runs/x", a);
    assert_string_equal(y->output, want);
    rheo_text_free(text);
    rheo_text_free(again);
    rheo_experiment_destroy(x);
    rheo_experiment_destroy(y);
    assert_int_equal(chdir(here), 0);
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void a_file_that_is_not_there_is_an_io_error(void **state) {
    (void)state;
    rheo_experiment *x = NULL;
    rheo_error e = { 0 };
    assert_int_equal(rheo_experiment_read(&x, "/nonexistent/exp.yaml", NULL, 0, NULL, &e), RHEO_E_IO);
    assert_int_equal(e.code, 401);
    assert_null(x);
    e = (rheo_error){ 0 };
    assert_int_equal(rheo_experiment_read(&x, "/tmp", NULL, 0, NULL, &e), RHEO_E_IO);
    assert_int_equal(rheo_experiment_read(&x, "/nonexistent/exp.yaml", NULL, 0, NULL, NULL), RHEO_E_IO);
}

/* ---- size and damage ---- */

static double seconds_since(clock_t began) { return (double)(clock() - began) / CLOCKS_PER_SEC; }

static void many_rows_are_read_in_time(void **state) {
    (void)state;
    const int n = 100000;
    char *text = malloc((size_t)n * 40 + 200), *p = text;
    assert_non_null(text);
    p += sprintf(
        p, "version: 1\nnetlist: grid.cir\ntask:\n  kind: table\n  inputs: [in1, in2]\n  outputs: [o1]\n  rows:\n");
    for (int i = 0; i < n; i++) p += sprintf(p, "  - {in: [%d, 1], out: [0.5]}\n", i);
    const clock_t began = clock();
    rheo_experiment *x = read_ok(text);
    assert_int_equal(x->task.n_train, n);
    CHECK_NEAR(x->task.in[2 * (n - 1)], n - 1, 0);
    assert_true(seconds_since(began) < 20);
    rheo_experiment_destroy(x);
    free(text);
}

static rheo_status huge_circuit(void *user, const char *path, const rheo_netlist_def *def, rheo_circuit **out,
                                const rheo_log *log, rheo_error *err) {
    rh_buf b = { 0 };
    rh_buf_puts(&b, "huge\n*@ rheo version=1\n");
    for (int i = 0; i < 100000; i++) rh_buf_printf(&b, "V%d node%d 0 1\nR%d node%d out%d 1k\n", i, i, i, i, i % 1000);
    rh_buf_puts(&b, "*@ learn R1\n");
    const rheo_status st = rheo_netlist_parse(out, b.s, b.n, path, NULL, log, err);
    rh_buf_free(&b);
    (void)user, (void)def;
    return st;
}

static void suggestions_in_a_huge_circuit_are_bounded(void **state) {
    (void)state;
    static const rh_experiment_io IO = { huge_circuit, case_table, case_images, NULL };
    rh_buf b = { 0 };
    rh_buf_puts(&b, "version: 1\nnetlist: huge.cir\ntask:\n  kind: table\n  outputs: [out1]\n  inputs: [x");
    for (int i = 0; i < 50; i++) rh_buf_printf(&b, ", nodule-with-a-long-name-%d", i);
    rh_buf_puts(&b, "]\n  rows: []\n");
    rheo_experiment *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    x->folder = rh_strdup(".");
    rheo_error e = { 0 };
    rh_report r = { .err = &e };
    assert_int_equal(rh_document_parse(&x->doc, b.s, b.n, "exp.yaml", &r), RHEO_OK);
    const clock_t began = clock();
    assert_int_equal(rh_experiment_build(x, &IO, NULL, &e), RHEO_E_PARSE);
    assert_int_equal(e.code, RH_CODE_PORT);
    assert_true(seconds_since(began) < 10);
    rheo_experiment_destroy(x);
    rh_buf_free(&b);
}

static void damaged_experiments_are_harmless(void **state) {
    (void)state;
    static const char HOSTILE[] = "\0\t\n:[]{}&*'\"-#,.%\xFF"
                                  "9";
    static const char *const ALL[] = { FULL, FLOWERS };
    for (int a = 0; a < RH_COUNT(ALL); a++) {
        const size_t n = strlen(ALL[a]);
        char copy[sizeof(FULL)];
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j <= sizeof(HOSTILE); j++) {
                if ((k + j) % 3 != 0) continue;
                memcpy(copy, ALL[a], n + 1);
                if (j < sizeof(HOSTILE)) copy[k] = HOSTILE[j];
                rheo_experiment *x = NULL;
                rheo_error e = { 0 };
                const rheo_status st = case_read(&x, copy, j < sizeof(HOSTILE) ? n : k, NULL, 0, NULL, &e);
                if (st != RHEO_OK) assert_true(e.status == st && e.msg[0]);
                assert_int_equal(st == RHEO_OK, x != NULL);
                rheo_experiment_destroy(x);
            }
    }
}

/* A duplicate key is told and reading goes on; what stops it later is not what the status says. */
static void status_is_that_of_the_first_error(void **state) {
    (void)state;
    char text[400] = "version: 1\ntask:\n  kind: table\n  kind: csv\nrun: ";
    for (int i = 0; i < 80; i++) strcat(text, "[");
    rheo_experiment *x = NULL;
    rheo_error e = { 0 };
    assert_int_equal(case_read(&x, text, strlen(text), NULL, 0, NULL, &e), RHEO_E_PARSE);
    assert_int_equal(e.status, RHEO_E_PARSE);
    assert_int_equal(e.line, 4);
    assert_null(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_that_of_the_first_error),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(everything_can_be_said),
        cmocka_unit_test(ports_find_their_sources_and_signs),
        cmocka_unit_test(a_reversed_difference_changes_the_sign),
        cmocka_unit_test(labels_win_on_their_output),
        cmocka_unit_test(one_hot_targets_are_classes_for_cross_entropy),
        cmocka_unit_test(tables_become_samples),
        cmocka_unit_test(rates_go_by_name),
        cmocka_unit_test(a_charging_law_is_a_rate),
        cmocka_unit_test(lists_count_up),
        cmocka_unit_test(networks_are_made_in_memory),
        cmocka_unit_test(sets_come_from_two_files),
        cmocka_unit_test(scaling_is_told),
        cmocka_unit_test(columns_may_stay_as_they_are),
        cmocka_unit_test(what_is_printed_reads_back_equal),
        cmocka_unit_test(every_default_is_visible),
        cmocka_unit_test(kernels_bring_their_own_settings),
        cmocka_unit_test(the_manual_has_every_key_and_default),
        cmocka_unit_test(overrides_come_before_checking),
        cmocka_unit_test(a_printed_copy_works_elsewhere),
        cmocka_unit_test(a_file_that_is_not_there_is_an_io_error),
        cmocka_unit_test(many_rows_are_read_in_time),
        cmocka_unit_test(suggestions_in_a_huge_circuit_are_bounded),
        cmocka_unit_test(damaged_experiments_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
