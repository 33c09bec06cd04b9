/* test_optimizer.c: optimizers and schedules against their formulas written down a second time, rates by name, what a
 * checkpoint needs, and losses of pairs. */
#include "check.h"
#include "learn/internal.h"
#include "oracle.h"
#include "rheo/netlist.h"

enum { N_EDGE = 5, N_STEP = 40 };

/* Two inputs, an output pair, five edges. */
static const char CARDS[] = "V1 in1 0 1\nV2 in2 0 0.5\nR1 in1 a 1k * 10u 10m\nR2 in2 a 1k * 10u 10m\n"
                            "R3 a b 2k * 10u 10m\nR4 in1 b 3k * 10u 10m\nR5 b 0 1k * 10u 10m\n";

typedef struct scene {
    rheo_circuit *c;
    int in_elem[2], out[1][2], label[3];
    double in_sign[2], in[6], target[3];
    rh_ports ports;
    rh_samples samples;
} scene;

static void build(scene *s) {
    *s = (scene){ .in_sign = { 1, 1 }, .in = { 1, 0, 0, 1, 0.7, -0.4 }, .target = { 0.2, -0.1, 0.05 } };
    s->c = oracle_circuit(CARDS);
    assert_int_equal(s->c->n_edge, N_EDGE);
    s->in_elem[0] = rh_map_get(s->c->elem_map, "V1", 2);
    s->in_elem[1] = rh_map_get(s->c->elem_map, "V2", 2);
    s->out[0][0] = rh_map_get(s->c->node_map, "a", 1);
    s->out[0][1] = rh_map_get(s->c->node_map, "b", 1);
    s->ports = (rh_ports){ 2, s->in_elem, s->in_sign, 1, (const int(*)[2])s->out };
    s->samples = (rh_samples){ .n = 3, .in = s->in, .target = s->target };
}

static rh_learn_def def_of(int optimizer) {
    rh_learn_def d;
    rh_learn_default(&d);
    d.rule = RH_RULE_GRADIENT;
    d.strength = 0.3;
    d.optimizer = optimizer;
    d.rate = optimizer == RH_OPTIMIZER_ADAM || optimizer == RH_OPTIMIZER_SIGN ? 3e-5 : 2e-6;
    d.taps = 10001;
    return d;
}

static rh_learner *open_with(const scene *s, const rh_learn_def *d) {
    rh_learner *l = NULL;
    rheo_error err = { 0 };
    const rheo_solver_def solver = rheo_solver_default();
    if (rh_learner_open(&l, s->c, d, &solver, &s->ports, &s->samples, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return l;
}

static const int ALL[] = { 0, 1, 2 };

static void step(rh_learner *l, int n) {
    rheo_error err = { 0 };
    if (rh_learner_step(l, ALL, n, &err) != RHEO_OK) fail_msg("%s", err.msg);
}

static void names_follow_the_tables(void **state) {
    (void)state;
    for (int i = 0; RH_STATES[i]; i++) assert_string_equal(RH_STATES[i], RH_STATE_TABLE[i].name);
    for (int i = 0; RH_OPTIMIZERS[i]; i++) assert_string_equal(RH_OPTIMIZERS[i], RH_OPTIMIZER_TABLE[i].name);
    for (int i = 0; RH_SCHEDULES[i]; i++) assert_string_equal(RH_SCHEDULES[i], RH_SCHEDULE_TABLE[i].name);
}

/* ---- steps ---- */

/* dC/dg of the mean loss of n samples at g, by central differences of the loss that a second learner evaluates. */
static void slope_at(const scene *s, const double *g, int n, double *slope) {
    const rh_learn_def d = def_of(RH_OPTIMIZER_SGD);
    rh_learner *l = open_with(s, &d);
    for (int k = 0; k < N_EDGE; k++) {
        double loss[2];
        const double h = 1e-4 * g[k];
        for (int side = 0; side < 2; side++) {
            rh_score score;
            memcpy(rh_learner_g(l), g, sizeof(double) * N_EDGE);
            rh_learner_g(l)[k] += side ? h : -h;
            rh_learner_touch(l);
            CHECK_OK(rh_learner_evaluate(l, ALL, n, &score, NULL));
            loss[side] = score.loss;
        }
        slope[k] = (loss[1] - loss[0]) / (2 * h);
    }
    rh_learner_close(l);
}

/* The textbook, with sums that start at 0 and grow. */
static double reference(const rh_learn_def *d, int t, double slope, double *s0, double *s1) {
    switch (d->optimizer) {
    case RH_OPTIMIZER_SGD: return d->rate * slope;
    case RH_OPTIMIZER_MOMENTUM: *s0 = d->momentum * *s0 + slope; return d->rate * *s0;
    default:
        *s0 = d->beta1 * *s0 + (1 - d->beta1) * slope;
        *s1 = d->beta2 * *s1 + (1 - d->beta2) * slope * slope;
        return d->rate * (*s0 / (1 - pow(d->beta1, t))) / (sqrt(*s1 / (1 - pow(d->beta2, t))) + d->epsilon);
    }
}

static void steps_are_those_of_the_textbook(void **state) {
    (void)state;
    scene s;
    build(&s);
    for (int optimizer = 0; optimizer < RH_OPTIMIZER_SIGN; optimizer++)
        for (int centered = 0; centered < 2; centered++) { /* the exact gradient, and a local rule that equals it */
            rh_learn_def d = def_of(optimizer);
            if (centered) d.rule = RH_RULE_EQPROP, d.side = 1, d.nudge = RH_NUDGE_CURRENT;
            rh_learner *l = open_with(&s, &d);
            double s0[N_EDGE] = { 0 }, s1[N_EDGE] = { 0 }, slope[N_EDGE], before[N_EDGE];
            const double factor[] = { 1, 0.25 };
            int n_free = 0;
            for (int t = 1; t <= N_STEP; t++) {
                const int n = t % 5 ? 3 : 2; /* the last batch of an epoch may be smaller */
                memcpy(before, rh_learner_g(l), sizeof(before));
                slope_at(&s, before, n, slope);
                rh_learner_factor(l, factor[t % 2]);
                step(l, n);
                for (int k = 0; k < N_EDGE; k++) {
                    const double dg = factor[t % 2] * reference(&d, t, slope[k], &s0[k], &s1[k]);
                    const double want = fmin(fmax(before[k] - dg, s.c->g_min[k]), s.c->g_max[k]);
                    n_free += want == before[k] - dg;
                    CHECK_NEAR(rh_learner_g(l)[k], want, 1e-5 * fabs(dg) + 1e-7 * d.rate);
                }
            }
            assert_true(n_free >= N_STEP * N_EDGE / 2);
            rh_learner_close(l);
        }
    rheo_circuit_destroy(s.c);
}

static void every_optimizer_learns_and_stays_in_bounds(void **state) {
    (void)state;
    scene s;
    build(&s);
    for (int optimizer = 0; RH_OPTIMIZERS[optimizer]; optimizer++) {
        rh_learn_def d = def_of(optimizer);
        rh_learner *l = open_with(&s, &d);
        rh_score first, last;
        CHECK_OK(rh_learner_evaluate(l, ALL, 3, &first, NULL));
        for (int t = 0; t < 2000; t++) step(l, 3);
        CHECK_OK(rh_learner_evaluate(l, ALL, 3, &last, NULL));
        if (!(last.loss < 0.7 * first.loss)) fail_msg("%s: %g -> %g", RH_OPTIMIZERS[optimizer], first.loss, last.loss);
        rh_learner_close(l);
        d.rate *= 1e6;
        l = open_with(&s, &d);
        int at_bound = 0;
        for (int t = 0; t < 20; t++) {
            step(l, 3);
            for (int k = 0; k < N_EDGE; k++) {
                const double g = rh_learner_g(l)[k];
                assert_true(g >= s.c->g_min[k] && g <= s.c->g_max[k]);
                at_bound += g == s.c->g_min[k] || g == s.c->g_max[k];
            }
        }
        assert_true(at_bound >= 20);
        rh_learner_close(l);
    }
    rheo_circuit_destroy(s.c);
}

static void rates_are_those_of_the_edges(void **state) {
    (void)state;
    scene s;
    build(&s);
    for (int optimizer = 0; optimizer <= RH_OPTIMIZER_SIGN; optimizer++) {
        rh_learn_def d = def_of(optimizer);
        double rate[N_EDGE];
        rh_learner *plain = open_with(&s, &d);
        for (int k = 0; k < N_EDGE; k++) rate[k] = d.rate * k;
        d.edge_rate = rate;
        rh_learner *l = open_with(&s, &d);
        rate[1] = NAN; /* lent for opening only */
        step(plain, 3);
        step(l, 3);
        for (int k = 0; k < N_EDGE; k++) {
            const double want = k * (rh_learner_g(plain)[k] - s.c->g_init[k]);
            CHECK_NEAR(rh_learner_g(l)[k] - s.c->g_init[k], want, 1e-9 * fabs(want) + 1e-18);
        }
        assert_true(rh_learner_g(l)[0] == s.c->g_init[0] && rh_learner_g(l)[4] != s.c->g_init[4]);
        rh_learner_close(plain);
        rh_learner_close(l);
    }
    rheo_circuit_destroy(s.c);
}

/* A fresh learner that is given the blocks of l goes on byte for byte. */
static void check_continues(const scene *s, const rh_learn_def *d, rh_learner *l) {
    rh_block from[RH_MAX_BLOCK], to[RH_MAX_BLOCK];
    rh_learner *const m = open_with(s, d);
    const int n = rh_learner_blocks(l, from);
    assert_int_equal(rh_learner_blocks(m, to), n);
    for (int i = 0; i < n; i++) memcpy(to[i].data, from[i].data, from[i].bytes);
    CHECK_OK(rh_learner_restore(m, NULL));
    for (int t = 0; t < 7; t++) step(l, 3), step(m, 3);
    assert_memory_equal(rh_learner_g(l), rh_learner_g(m), sizeof(double) * N_EDGE);
    rh_learner_close(m);
}

static void saved_state_continues_identically(void **state) {
    (void)state;
    scene s;
    build(&s);
    for (int optimizer = 0; RH_OPTIMIZERS[optimizer]; optimizer++) {
        const rh_learn_def d = def_of(optimizer);
        rh_learner *l = open_with(&s, &d);
        for (int t = 0; t < 7; t++) step(l, 3);
        check_continues(&s, &d, l);
        rh_learner_close(l);
    }
    rheo_circuit_destroy(s.c);
}

static void a_failed_step_leaves_the_state(void **state) {
    (void)state;
    scene s;
    build(&s);
    for (int optimizer = 0; RH_OPTIMIZERS[optimizer]; optimizer++) {
        const rh_learn_def d = def_of(optimizer);
        rh_learner *l = open_with(&s, &d), *m = open_with(&s, &d);
        const double kept = s.in[0];
        step(l, 3);
        step(m, 3);
        s.target[0] = NAN;
        rheo_error err = { 0 };
        assert_int_equal(rh_learner_step(l, ALL, 3, &err), RHEO_E_NOCONV);
        assert_int_equal(err.code, 312);
        s.target[0] = 0.2;
        s.in[0] = kept;
        step(l, 3);
        step(m, 3);
        assert_memory_equal(rh_learner_g(l), rh_learner_g(m), sizeof(double) * N_EDGE);
        rh_learner_close(l);
        rh_learner_close(m);
    }
    rheo_circuit_destroy(s.c);
}

/* ---- schedules ---- */

static void schedules_are_their_formulas(void **state) {
    (void)state;
    rh_learn_def d;
    rh_learn_default(&d);
    d.decay = 0.9;
    d.final = 0.2;
    d.every = 3;
    for (int e = 0; e < 12; e++) {
        double product = 1, stairs = 1;
        for (int k = 0; k < e; k++) product *= 0.9;
        for (int k = 3; k <= e; k += 3) stairs *= 0.9;
        d.schedule = RH_SCHEDULE_CONSTANT;
        assert_true(rh_schedule_factor(&d, e, 12) == 1);
        d.schedule = RH_SCHEDULE_EXPONENTIAL;
        CHECK_REL(rh_schedule_factor(&d, e, 12), product, 1e-14);
        d.schedule = RH_SCHEDULE_STEP;
        CHECK_REL(rh_schedule_factor(&d, e, 12), stairs, 1e-14);
        d.schedule = RH_SCHEDULE_COSINE; /* 1 - sin^2 of half the angle */
        CHECK_REL(rh_schedule_factor(&d, e, 12), 1 - 0.8 * pow(sin(M_PI * e / 24), 2), 1e-14);
    }
    CHECK_REL(rh_schedule_factor(&d, 12, 12), 0.2, 1e-14);
}

/* ---- losses ---- */

static void pulls_are_minus_the_slopes(void **state) {
    (void)state;
    enum { N_OUT = 4 };
    for (int loss = 0; RH_LOSSES[loss]; loss++)
        for (int label = -1; label < N_OUT; label++) {
            rh_learn_def d;
            rh_learn_default(&d);
            d.margin = 0.13;
            d.logit_gain = 4;
            double v[N_OUT] = { 0.11, -0.23, 0.41, 0.07 }, pull[N_OUT], none[N_OUT];
            const double target[N_OUT] = { 0.4, 0.3, 0.1, 0.2 }, h = 1e-6; /* as shares they sum to 1 */
            RH_LOSS_TABLE[loss].eval(&d, N_OUT, v, target, label, pull);
            for (int o = 0; o < N_OUT; o++) {
                const double at = v[o];
                v[o] = at + h;
                const double up = RH_LOSS_TABLE[loss].eval(&d, N_OUT, v, target, label, none);
                v[o] = at - h;
                const double down = RH_LOSS_TABLE[loss].eval(&d, N_OUT, v, target, label, none);
                v[o] = at;
                CHECK_NEAR(pull[o], -(up - down) / (2 * h), 1e-8);
            }
        }
}

static void softmax_losses_stand_far_outputs(void **state) {
    (void)state;
    rh_learn_def d;
    rh_learn_default(&d);
    d.logit_gain = 1e6;
    const double v[] = { 1e3, -1e3, 0 };
    double pull[3];
    CHECK_NEAR(RH_LOSS_TABLE[RH_LOSS_SOFTMAX_SQUARED].eval(&d, 3, v, NULL, 1, pull), 1, 1e-15);
    for (int o = 0; o < 3; o++) assert_true(isfinite(pull[o]));
    CHECK_NEAR(RH_LOSS_TABLE[RH_LOSS_SOFTMAX_SQUARED].eval(&d, 3, v, NULL, 0, pull), 0, 1e-15);
}

/* Without labels a sample is right when every output has the sign of its target. */
static void signs_are_counted(void **state) {
    (void)state;
    scene s;
    build(&s);
    rh_learn_def d = def_of(RH_OPTIMIZER_SGD);
    d.loss = RH_LOSS_HINGE;
    rh_learner *l = open_with(&s, &d);
    long want = 0;
    for (int i = 0; i < 3; i++) {
        double out;
        CHECK_OK(rh_learner_output(l, i, &out, NULL));
        s.target[i] = i == 1 ? -out : out;
        want += i != 1;
    }
    rh_score score;
    CHECK_OK(rh_learner_evaluate(l, ALL, 3, &score, NULL));
    assert_int_equal(score.n_right, want);
    s.target[1] = 0; /* asks for nothing */
    CHECK_OK(rh_learner_evaluate(l, ALL, 3, &score, NULL));
    assert_int_equal(score.n_right, 3);
    rh_learner_close(l);
    rheo_circuit_destroy(s.c);
}

/* One rate up or down; and a ladder of taps that a state never leaves, a step below half a tap being lost. */
static void digital_steps(void **state) {
    (void)state;
    scene s;
    build(&s);
    double before[N_EDGE], after[N_EDGE], slope[N_EDGE];
    for (int optimizer = RH_OPTIMIZER_SIGN; optimizer <= RH_OPTIMIZER_TAPS; optimizer++) {
        rh_learn_def d = def_of(optimizer);
        d.taps = 65;
        d.rate = optimizer == RH_OPTIMIZER_SIGN ? 1e-6 : 1e-2;
        rh_learner *l = open_with(&s, &d);
        for (int i = 0; i < 6; i++) {
            memcpy(before, rh_learner_g(l), sizeof(before));
            slope_at(&s, before, 3, slope);
            step(l, 3);
            memcpy(after, rh_learner_g(l), sizeof(after));
            for (int k = 0; k < N_EDGE; k++) {
                const double lo = s.c->g_min[k], hi = s.c->g_max[k], tap = (hi - lo) / 64;
                if (optimizer == RH_OPTIMIZER_SIGN) {
                    CHECK_NEAR(after[k] - before[k], slope[k] > 0 ? -1e-6 : 1e-6, 1e-15);
                    continue;
                }
                const double at = (after[k] - lo) / tap, wanted = before[k] - 1e-2 * slope[k];
                CHECK_NEAR(at, round(at), 1e-9);
                CHECK_NEAR(after[k], fmin(fmax(wanted, lo), hi), 0.5001 * tap);
            }
        }
        rh_learner_close(l);
    }
    rheo_circuit_destroy(s.c);
}

/* ---- states ---- */

/* The formulas a second time: w of g, and back. */
static double state_of(int state, double g, double lo, double hi) {
    return state == RH_STATE_EXPONENTIAL ? log(g) : (1 / g - 1 / hi) / (1 / lo - 1 / hi);
}
static double conductance_of(int state, double w, double lo, double hi) {
    return state == RH_STATE_EXPONENTIAL ? exp(w) : 1 / ((1 - w) / hi + w / lo);
}

/* Slope of the mean loss of all samples by the state of edge k. */
static double slope_by_state(const scene *s, rh_learner *probe, int state, const double *g, int k) {
    const double lo = s->c->g_min[k], hi = s->c->g_max[k], w = state_of(state, g[k], lo, hi);
    const double h = state == RH_STATE_EXPONENTIAL ? 1e-4 : 1e-4 / (g[k] * (1 / lo - 1 / hi));
    double loss[2];
    for (int side = 0; side < 2; side++) {
        rh_score score;
        memcpy(rh_learner_g(probe), g, sizeof(double) * N_EDGE);
        rh_learner_g(probe)[k] = conductance_of(state, side ? w + h : w - h, lo, hi);
        rh_learner_touch(probe);
        CHECK_OK(rh_learner_evaluate(probe, ALL, 3, &score, NULL));
        loss[side] = score.loss;
    }
    return (loss[1] - loss[0]) / (2 * h);
}

static void states_follow_the_chain_rule(void **state) {
    (void)state;
    scene s;
    build(&s);
    const rh_learn_def plain = def_of(RH_OPTIMIZER_SGD);
    rh_learner *probe = open_with(&s, &plain);
    for (int kind = RH_STATE_EXPONENTIAL; RH_STATES[kind]; kind++)
        for (int centered = 0; centered < 2; centered++) {
            rh_learn_def d = plain;
            d.state = kind;
            d.rate = kind == RH_STATE_WIPER ? 1e-3 : 0.01; /* ends are not met */
            d.gauge = true;
            if (centered) d.rule = RH_RULE_EQPROP, d.side = 1, d.nudge = RH_NUDGE_CURRENT, d.strength = 1e-4;
            rh_learner *l = open_with(&s, &d);
            for (int t = 0; t < 5; t++) {
                double before[N_EDGE];
                memcpy(before, rh_learner_g(l), sizeof before);
                step(l, 3);
                for (int k = 0; k < N_EDGE; k++) {
                    const double lo = s.c->g_min[k], hi = s.c->g_max[k], old = state_of(kind, before[k], lo, hi);
                    const double dw = -d.rate * slope_by_state(&s, probe, kind, before, k);
                    if (fabs(dw) < 1e-7) continue; /* lost in the differences of the state */
                    CHECK_NEAR(state_of(kind, rh_learner_g(l)[k], lo, hi) - old, dw, 1e-5 * fabs(dw) + 1e-13);
                }
            }
            rh_gauge gauge;
            rh_learner_gauge(l, &gauge); /* by the state, too: both sides of the comparison */
            CHECK_NEAR(gauge.cos_gradient, 1, 1e-6);
            CHECK_NEAR(gauge.norm_ratio, 1, 1e-6);
            rh_learner_close(l);
        }
    rh_learner_close(probe);
    rheo_circuit_destroy(s.c);
}

static void states_stay_in_bounds_and_put(void **state) {
    (void)state;
    scene s;
    build(&s);
    for (int kind = RH_STATE_EXPONENTIAL; RH_STATES[kind]; kind++)
        for (int optimizer = 0; RH_OPTIMIZERS[optimizer]; optimizer++) {
            rh_learn_def d = def_of(optimizer);
            d.state = kind;
            d.rate = 0;
            d.taps = 65536;
            rh_learner *l = open_with(&s, &d);
            for (int t = 0; t < 100 && optimizer != RH_OPTIMIZER_TAPS; t++) step(l, 3);
            for (int k = 0; k < N_EDGE && optimizer != RH_OPTIMIZER_TAPS; k++)
                assert_true(rh_learner_g(l)[k] == s.c->g_init[k]); /* not a digit moves by going there and back */
            rh_learner_close(l);
            d.rate = 1e5;
            l = open_with(&s, &d);
            int at_bound = 0;
            for (int t = 0; t < 20; t++) {
                step(l, 3);
                for (int k = 0; k < N_EDGE; k++) {
                    const double g = rh_learner_g(l)[k], lo = s.c->g_min[k], hi = s.c->g_max[k];
                    assert_true(g >= lo && g <= hi);
                    at_bound += g <= lo * (1 + 1e-12) || g >= hi * (1 - 1e-12);
                }
            }
            assert_true(at_bound >= 20);
            check_continues(&s, &d, l);
            rh_learner_close(l);
        }
    rheo_circuit_destroy(s.c);
}

/* 256 taps: resistances in even steps from 1/max on. One tap at a time by the sign. */
static void wipers_stand_on_taps(void **state) {
    (void)state;
    scene s;
    build(&s);
    for (int by_sign = 0; by_sign < 2; by_sign++) {
        rh_learn_def d = def_of(by_sign ? RH_OPTIMIZER_SIGN : RH_OPTIMIZER_TAPS);
        d.state = RH_STATE_WIPER;
        d.rate = by_sign ? 1.0 / 255 : 3;
        d.taps = 256;
        rh_learner *l = open_with(&s, &d);
        int moved = 0;
        for (int k = 0; k < N_EDGE; k++) rh_learner_set_state(l, k, 100.0 / 255);
        for (int t = 0; t < 30; t++) {
            double before[N_EDGE];
            memcpy(before, rh_learner_g(l), sizeof before);
            step(l, 3);
            for (int k = 0; k < N_EDGE; k++) {
                const double lo = 1 / s.c->g_max[k], tap = (1 / s.c->g_min[k] - lo) / 255;
                const double at = (1 / rh_learner_g(l)[k] - lo) / tap, was = (1 / before[k] - lo) / tap;
                CHECK_NEAR(at, round(at), 1e-8);
                if (by_sign) CHECK_NEAR(fabs(at - was), 1, 1e-8);
                moved += fabs(at - was) > 0.5;
            }
        }
        assert_true(moved > 10);
        rh_learner_close(l);
    }
    rheo_circuit_destroy(s.c);
}

static void a_wiper_needs_ends(void **state) {
    (void)state;
    scene s;
    build(&s);
    s.c->g_min[2] = 1e-12;
    rh_learn_def d = def_of(RH_OPTIMIZER_SGD);
    d.state = RH_STATE_WIPER;
    rh_learner *l = NULL;
    rheo_error err = { 0 };
    const rheo_solver_def solver = rheo_solver_default();
    assert_int_equal(rh_learner_open(&l, s.c, &d, &solver, &s.ports, &s.samples, NULL, &err), RHEO_E_USAGE);
    assert_int_equal(err.code, 191);
    assert_non_null(strstr(err.msg, "R3"));
    d.state = RH_STATE_EXPONENTIAL;
    l = open_with(&s, &d);
    rh_learner_close(l);
    rheo_circuit_destroy(s.c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_the_tables),
        cmocka_unit_test(steps_are_those_of_the_textbook),
        cmocka_unit_test(every_optimizer_learns_and_stays_in_bounds),
        cmocka_unit_test(rates_are_those_of_the_edges),
        cmocka_unit_test(saved_state_continues_identically),
        cmocka_unit_test(a_failed_step_leaves_the_state),
        cmocka_unit_test(schedules_are_their_formulas),
        cmocka_unit_test(pulls_are_minus_the_slopes),
        cmocka_unit_test(softmax_losses_stand_far_outputs),
        cmocka_unit_test(signs_are_counted),
        cmocka_unit_test(digital_steps),
        cmocka_unit_test(states_follow_the_chain_rule),
        cmocka_unit_test(states_stay_in_bounds_and_put),
        cmocka_unit_test(wipers_stand_on_taps),
        cmocka_unit_test(a_wiper_needs_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
