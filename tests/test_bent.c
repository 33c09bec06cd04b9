/* test_bent.c: learning where the network is not linear: gradients against finite differences, states against each
 * other, bytes against threads. */
#include "check.h"
#include "contrast_case.h"

#include "learn/internal.h"

static double uniform(uint64_t stream, uint64_t i) { return rh_random_unit(11, stream, i); }

static int node(rh_builder *b, int i) {
    char name[16];
    snprintf(name, sizeof(name), "%d", i);
    return rh_builder_node(b, name, strlen(name));
}

static int add(rh_builder *b, int kind, const int term[4], double value) {
    char name[24];
    int other;
    snprintf(name, sizeof(name), "%c%d", RH_KINDS[kind]->letter, rh_builder_n_element(b));
    const int e = rh_builder_element(b, kind, name, term, value, (rh_place){ 0 }, &other);
    assert_true(e >= 0);
    return e;
}

static int add2(rh_builder *b, int kind, int p, int q, double value) {
    return add(b, kind, (int[]){ p, q, -1, -1 }, value);
}

/* Two inputs, n_out outputs on a random network of learnable resistors with diodes either way at every third node. */
typedef struct scene {
    rheo_circuit *c;
    int in_elem[2], out[4][2], n_out;
    double in_sign[2], in[8], target[16];
    rh_ports ports;
    rh_samples samples;
} scene;

static void add_diodes(rh_builder *b, int n_node) {
    double par[16] = { 0 };
    for (int k = 0; k < RH_KINDS[RH_KIND_D]->n_par; k++) par[k] = RH_KINDS[RH_KIND_D]->par[k].def;
    par[0] = 1e-9; /* saturation current: they conduct at the voltages of this scene */
    for (int i = 3; i <= n_node; i += 3)
        for (int way = 0; way < 2; way++)
            assert_int_equal(rh_builder_par(b, add2(b, RH_KIND_D, way ? 0 : node(b, i), way ? node(b, i) : 0, 0), par),
                             RHEO_OK);
}

static void scene_build(scene *s, uint64_t seed, int n_node, int n_out) {
    rh_builder *b = rh_builder_create();
    uint64_t r = 0;
    *s = (scene){ .in_sign = { 1, 1 }, .n_out = n_out };
    for (int i = 1; i <= n_node; i++) node(b, i);
    for (int i = 0; i < 2; i++) s->in_elem[i] = add2(b, RH_KIND_V, node(b, 1 + i), 0, 0);
    for (int i = 2; i <= n_node; i++)
        for (int k = 0; k < 2; k++) {
            const int j = 1 + (int)(uniform(seed, r++) * (i - 1));
            const int e = add2(b, RH_KIND_R, i, j, 2e3 + 1e4 * uniform(seed, r++));
            assert_int_equal(rh_builder_learn(b, e, 1e-6, 1e-2, NAN), RHEO_OK);
        }
    add2(b, RH_KIND_R, n_node, 0, 5e3);
    add_diodes(b, n_node);
    for (int o = 0; o < n_out; o++) {
        s->out[o][0] = n_node - 2 * o;
        s->out[o][1] = o % 2 ? n_node - 2 * o + 1 : 0;
    }
    for (int i = 0; i < 8; i++) s->in[i] = 2 * uniform(seed, r++) - 0.5;
    for (int i = 0; i < 16; i++) s->target[i] = 0.5 * uniform(seed, r++);
    assert_int_equal(rh_builder_finish(b, &s->c, NULL), RHEO_OK);
    s->ports = (rh_ports){ 2, s->in_elem, s->in_sign, n_out, (const int(*)[2])s->out };
    s->samples = (rh_samples){ .n = 4, .in = s->in, .target = s->target };
}

static rh_learner *scene_open(const scene *s, const rh_learn_def *def) {
    rh_learner *l = NULL;
    rheo_error err = { 0 };
    const rheo_solver_def solver = rheo_solver_default();
    if (rh_learner_open(&l, s->c, def, &solver, &s->ports, &s->samples, NULL, &err) != RHEO_OK)
        fail_msg("open: %s", err.msg);
    return l;
}

static const int ALL[] = { 0, 1, 2, 3 };

static rh_learn_def plain(int rule, int nudge, double strength) {
    rh_learn_def d;
    rh_learn_default(&d);
    d.rule = rule;
    d.nudge = nudge;
    d.strength = strength;
    return d;
}

static double loss_of(rh_learner *l) {
    rh_score score;
    CHECK_OK(rh_learner_evaluate(l, ALL, 4, &score, NULL));
    return score.loss;
}

static void step(rh_learner *l, const int *sample, int n) {
    rheo_error err = { 0 };
    if (rh_learner_step(l, sample, n, &err) != RHEO_OK) fail_msg("step: %s", err.msg);
}

static void gradient_is_that_of_finite_differences(void **state) {
    (void)state;
    scene s;
    scene_build(&s, 1, 14, 3);
    rh_learn_def d = plain(RH_RULE_GRADIENT, RH_NUDGE_CURRENT, 1);
    d.rate = 1e-12;
    rh_learner *l = scene_open(&s, &d);
    double *const old = calloc((size_t)s.c->n_edge, sizeof(double));
    assert_non_null(old);
    memcpy(old, rh_learner_g(l), sizeof(double) * (size_t)s.c->n_edge);
    step(l, ALL, 4);
    double *const moved = calloc((size_t)s.c->n_edge, sizeof(double));
    assert_non_null(moved);
    for (int k = 0; k < s.c->n_edge; k++) moved[k] = l->chunk[0].bracket[k] / 4;
    for (int k = 0; k < s.c->n_edge; k++) {
        const double h = 1e-4 * old[k];
        double loss[2];
        for (int side = 0; side < 2; side++) {
            memcpy(rh_learner_g(l), old, sizeof(double) * (size_t)s.c->n_edge);
            rh_learner_g(l)[k] += side ? h : -h;
            rh_learner_touch(l);
            loss[side] = loss_of(l);
        }
        const double slope = (loss[1] - loss[0]) / (2 * h);
        CHECK_NEAR(moved[k], slope, 1e-6 * fabs(slope) + 1e-3);
    }
    free(old);
    free(moved);
    rh_learner_close(l);
    rheo_circuit_destroy(s.c);
}

/* Diodes and resistors have a co-content: equilibrium propagation follows the gradient as the nudge goes to nothing. */
static void eqprop_tends_to_the_gradient(void **state) {
    (void)state;
    scene s;
    scene_build(&s, 2, 16, 3);
    double off[2];
    for (int k = 0; k < 2; k++) {
        rh_learn_def d = plain(RH_RULE_EQPROP, RH_NUDGE_CURRENT, k ? 1e-7 : 1e-5);
        d.rate = 1e-15;
        d.side = 1;
        d.gauge = true;
        rh_learner *l = scene_open(&s, &d);
        step(l, ALL, 4);
        rh_gauge g;
        rh_learner_gauge(l, &g);
        off[k] = 1 - g.cos_gradient;
        CHECK_NEAR(g.norm_ratio, 1, k ? 1e-5 : 1e-2);
        rh_learner_close(l);
    }
    CHECK_NEAR(off[1], 0, 1e-8);
    assert_true(off[1] <= off[0]);
    rheo_circuit_destroy(s.c);
}

/* Off the gradient by so much, as a cosine. */
static double off_gradient(const scene *s, int rule, double strength) {
    rh_learn_def d = plain(rule, RH_NUDGE_CURRENT, strength);
    d.rate = 1e-15;
    d.side = 1;
    d.gauge = true;
    rh_learner *l = scene_open(s, &d);
    step(l, ALL, 4);
    rh_gauge g;
    rh_learner_gauge(l, &g);
    rh_learner_close(l);
    return 1 - g.cos_gradient;
}

/* The bias of centered equilibrium propagation is of second order in the nudge, that of four states of fourth; of a
 * cosine twice that. The lock-in is off by the second order, too. */
static void orders_of_the_bias(void **state) {
    (void)state;
    scene s;
    scene_build(&s, 6, 16, 2);
    const double strong = 4e-4, weak = 1e-4;
    const double centered = off_gradient(&s, RH_RULE_EQPROP, strong) / off_gradient(&s, RH_RULE_EQPROP, weak);
    const double four = off_gradient(&s, RH_RULE_HOLOMORPHIC, strong),
                 lock_in = off_gradient(&s, RH_RULE_FREQUENCY, strong);
    assert_true(centered > 100); /* 4^4 = 256 in the limit */
    assert_true(four < 0.2 * off_gradient(&s, RH_RULE_EQPROP, strong));
    assert_true(lock_in > 1e-9);
    assert_true(lock_in / off_gradient(&s, RH_RULE_FREQUENCY, weak) > 100);
    CHECK_NEAR(off_gradient(&s, RH_RULE_FREQUENCY, 1e-7), 0, 1e-10);
    rheo_circuit_destroy(s.c);
}

/* s(h) at the clamped end by the levels is what two phases see, and c_0 is s(0). */
static void levels_end_in_the_clamped_state(void **state) {
    (void)state;
    const int nudge[] = { RH_NUDGE_CONDUCTANCE, RH_NUDGE_CURRENT, RH_NUDGE_VOLTAGE };
    const double strength[] = { 1e-4, 1e-4, 0.5 };
    scene s;
    scene_build(&s, 3, 15, 2);
    for (int k = 0; k < 3; k++) {
        rh_learn_def d = plain(RH_RULE_TCL, nudge[k], strength[k]);
        rh_learner *l = scene_open(&s, &d);
        rh_lane *const w = &l->lane[0];
        rh_chunk none = { 0 };
        double end[64];
        CHECK_OK(rh_lane_factor(l, w, NULL));
        CHECK_OK(rh_lane_solve(l, w, &ALL[1], 1, NULL));
        rh_lane_sample(l, w, &ALL[1], 0);
        rh_lane_loss(l, w, 1, &none);
        CHECK_OK(rh_phase_contrast(l, w, 1, end, NULL));
        const int n = rh_phase_levels(l, w, NULL);
        assert_true(n > 1);
        for (int e = 0; e < l->n_edge; e++) {
            double sum = 0;
            for (int j = 1; j < n; j++) sum += w->coef[j * l->n_edge + e] * rh_basis(j, 1);
            CHECK_NEAR(sum, end[e], 1e-9);
            CHECK_NEAR(w->coef[e], 0.5 * w->free[e] * w->free[e], 0);
        }
        rh_learner_close(l);
    }
    rheo_circuit_destroy(s.c);
}

/* Where s(h) has a knee 4 levels are not enough; 8 are taken, and what they leave is what they say. */
static void levels_are_refined_where_needed(void **state) {
    (void)state;
    enum { FEW = 4, N_PROBE = 7 };
    scene s;
    scene_build(&s, 3, 15, 1);
    double refined_tail = 0;
    const double strength[] = { 1e-5, 5e-3, 6e-4 };
    for (int strong = 0; strong < 3; strong++) {
        rh_learn_def d = plain(RH_RULE_TCL, RH_NUDGE_CURRENT, strength[strong]);
        rh_learner *l = scene_open(&s, &d);
        rh_lane *const w = &l->lane[0];
        rh_chunk none = { 0 };
        double coef[9][64], at[64], few[FEW + 1][64] = { { 0 } }, to[(FEW + 1) * (FEW + 1)], miss = 0, miss_few = 0,
                                              first = 0;
        CHECK_OK(rh_lane_factor(l, w, NULL));
        CHECK_OK(rh_lane_solve(l, w, &ALL[1], 1, NULL));
        rh_lane_sample(l, w, &ALL[1], 0);
        rh_lane_loss(l, w, 1, &none);
        const int n = rh_phase_levels(l, w, NULL);
        const double tail = w->tail;
        assert_int_equal(n, strong ? 9 : FEW + 1);
        assert_true(w->refined == (strong > 0));
        for (int j = 1; j < n; j++)
            memcpy(coef[j], w->coef + (size_t)j * (size_t)l->n_edge, sizeof(double) * (size_t)l->n_edge);
        for (int e = 0; e < l->n_edge; e++) first = fmax(first, fabs(coef[1][e]));
        rh_basis_transform(FEW, to);
        for (int i = 1; i <= FEW; i++) { /* four levels, solved one by one */
            CHECK_OK(rh_phase_contrast(l, w, 0.5 * (1 - cos(M_PI * i / FEW)), at, NULL));
            for (int j = 1; j <= FEW; j++)
                for (int e = 0; e < l->n_edge; e++) few[j][e] += to[j * (FEW + 1) + i] * at[e];
        }
        for (int p = 0; p < N_PROBE; p++) {
            const double h = (p + 0.5) / N_PROBE;
            CHECK_OK(rh_phase_contrast(l, w, h, at, NULL));
            for (int e = 0; e < l->n_edge; e++) {
                double sum = 0, sum_few = 0;
                for (int j = 1; j < n; j++) sum += coef[j][e] * rh_basis(j, h);
                for (int j = 1; j <= FEW; j++) sum_few += few[j][e] * rh_basis(j, h);
                miss = fmax(miss, fabs(sum - at[e]));
                miss_few = fmax(miss_few, fabs(sum_few - at[e]));
            }
        }
        print_message("strength %g: tail %.1e, off by %.1e, with four levels %.1e\n", d.strength, tail, miss / first,
                      miss_few / first);
        assert_true(miss <= 4 * tail * first + 1e-9 * first);
        if (strong) assert_true(miss_few > 1e-5 * first && miss < 0.1 * miss_few);
        refined_tail = tail;
        rh_learner_close(l);
    }
    rh_learn_def d = plain(RH_RULE_TCL, RH_NUDGE_CURRENT, 6e-4); /* and the log says so */
    d.rate = 1e-30;
    rh_learner *l = scene_open(&s, &d);
    rh_gauge gauge;
    step(l, &ALL[1], 1);
    rh_learner_gauge(l, &gauge);
    CHECK_NEAR(gauge.refined, 1, 0);
    CHECK_NEAR(gauge.tail, refined_tail, 0);
    rh_learner_close(l);
    rheo_circuit_destroy(s.c);
}

/* The clamp is what a real resistor to a real source would be. */
static void clamp_is_an_element(void **state) {
    (void)state;
    scene s;
    scene_build(&s, 4, 12, 1);
    const double strength = 3e-4;
    rh_learn_def d = plain(RH_RULE_CONTRASTIVE, RH_NUDGE_CONDUCTANCE, strength);
    rh_learner *l = scene_open(&s, &d);
    rh_lane *const w = &l->lane[0];
    rh_chunk none = { 0 };
    double clamped[64];
    CHECK_OK(rh_lane_factor(l, w, NULL));
    CHECK_OK(rh_lane_solve(l, w, &ALL[2], 1, NULL));
    rh_lane_sample(l, w, &ALL[2], 0);
    rh_lane_loss(l, w, 2, &none);
    CHECK_OK(rh_phase_contrast(l, w, 1, clamped, NULL));

    scene t;
    scene_build(&t, 4, 12, 1);
    rh_builder *b = rh_builder_create(); /* the same once more, with the clamp in it */
    for (int i = 1; i < t.c->n_node; i++) node(b, i);
    for (int e = 0; e < t.c->n_elem; e++) {
        const int at = add(b, t.c->kind[e], t.c->term[e], e < 2 ? t.in[4 + e] : t.c->value[e]);
        if (t.c->elem_par[e] >= 0) assert_int_equal(rh_builder_par(b, at, t.c->par + t.c->elem_par[e]), RHEO_OK);
    }
    add2(b, RH_KIND_R, t.out[0][0], node(b, 99), 1 / strength);
    add2(b, RH_KIND_V, node(b, 99), 0, t.target[2]);
    rheo_circuit *c = NULL;
    CHECK_OK(rh_builder_finish(b, &c, NULL));
    check_contrast(s.c, l, w, c, clamped);
    rheo_circuit_destroy(c);
    rheo_circuit_destroy(t.c);
    rh_learner_close(l);
    rheo_circuit_destroy(s.c);
}

static void every_rule_gives_the_same_bytes_for_any_threads(void **state) {
    (void)state;
    scene s;
    scene_build(&s, 5, 13, 2);
    for (int rule = 0; RH_RULES[rule]; rule++) {
        double first[64] = { 0 };
        for (int threads = 1; threads <= 4; threads += 3) {
            const int nudge = rule == RH_RULE_COUPLED     ? RH_NUDGE_VOLTAGE
                              : rule == RH_RULE_FREQUENCY ? RH_NUDGE_CURRENT
                                                          : RH_NUDGE_CONDUCTANCE;
            rh_learn_def d = plain(rule, nudge, rule == RH_RULE_COUPLED ? 0.1 : 1e-5);
            d.rate = 1e-6 * d.strength;
            d.threads = threads;
            d.threshold = 1e-3;
            rh_learner *l = scene_open(&s, &d);
            for (int k = 0; k < 6; k++) step(l, ALL, 4);
            if (threads == 1) memcpy(first, rh_learner_g(l), sizeof(double) * (size_t)l->n_edge);
            assert_memory_equal(first, rh_learner_g(l), sizeof(double) * (size_t)l->n_edge);
            assert_memory_not_equal(first, s.c->g_init, sizeof(double) * (size_t)l->n_edge);
            rh_learner_close(l);
        }
    }
    rheo_circuit_destroy(s.c);
}

/* Every operating point is counted once, by where its search began, for any threads; a checkpoint carries the counts.
 */
/* What a leaky integrator behind a dead zone writes while s moves through the n + 1 values in a time T and rests then.
 */
static double written(const double *s, int n, double T, double tau, double threshold) {
    const double dt = T / n, left = exp(-dt / tau);
    double behind = 0, sum = 0; /* tau u */
    for (int i = 0; i < n + (int)(20 * tau / dt); i++) {
        const double slope = i < n ? (s[i + 1] - s[i]) / dt : 0;
        const double next = slope * tau + (behind - slope * tau) * left;
        const double u = 0.5 * (behind + next) / tau;
        if (fabs(u) >= threshold) sum += u * dt;
        behind = next;
    }
    return sum;
}

/* Inputs that move while learning is on, with Newton at each of 4000 places for an oracle. */
static void the_way_between_samples_is_followed(void **state) {
    (void)state;
    enum { N = 4000 };
    scene s;
    scene_build(&s, 9, 12, 1);
    for (int j = 0; j < 2; j++) s.in[2 + j] = s.in[j] + 0.2 * (s.in[2 + j] - s.in[j]);
    const int n = s.c->n_edge;
    rh_learn_def d = plain(RH_RULE_TCL, RH_NUDGE_CONDUCTANCE, 1e-12);
    d.between = RH_BETWEEN_RAMP;
    d.ramp = 1;
    d.fast = d.slow = 1;
    d.par[0] = 1e-2; /* tau */
    d.threshold = 0.01;
    d.rate = 1e-18;
    rh_learner *const l = scene_open(&s, &d);
    double *const path = calloc((size_t)n * (N + 1), sizeof *path), *const before = calloc((size_t)n, sizeof *before);
    rheo_solver *solver = NULL;
    const rheo_solver_def def = rheo_solver_default();
    CHECK_OK(rheo_solver_open(&solver, s.c, &def, NULL, NULL));
    rheo_state *st = NULL;
    CHECK_OK(rheo_state_create(&st, s.c, NULL));
    assert_true(path && before && st);
    for (int i = 0; i <= N; i++) {
        for (int j = 0; j < 2; j++) st->source[s.in_elem[j]] = s.in[j] + (s.in[2 + j] - s.in[j]) * i / N;
        CHECK_OK(rheo_solver_solve(solver, st, NULL));
        for (int k = 0; k < n; k++) {
            const int *const end = s.c->term[s.c->edge_elem[k]];
            const double drop = st->v[end[0]] - st->v[end[1]];
            path[k * (N + 1) + i] = 0.5 * drop * drop;
        }
    }
    step(l, (const int[]){ 0 }, 1);
    memcpy(before, rh_learner_g(l), (size_t)n * sizeof *before);
    step(l, (const int[]){ 1 }, 1);
    double most = 0, worst = 0;
    for (int k = 0; k < n; k++) {
        const double want = -d.rate / d.strength * written(path + k * (N + 1), N, d.ramp, d.par[0], d.threshold);
        most = fmax(most, fabs(want));
        worst = fmax(worst, fabs(rh_learner_g(l)[k] - before[k] - want));
    }
    print_message("off by %.2g of the largest change\n", worst / most);
    assert_true(most > 1e-9 && worst < 2e-3 * most);
    rheo_state_destroy(st);
    rheo_solver_close(solver);
    free(path);
    free(before);
    rh_learner_close(l);
    rheo_circuit_destroy(s.c);
}

static void steps_of_newton_are_counted(void **state) {
    (void)state;
    scene s;
    rheo_newton first[RHEO_N_NEWTON], recent[RHEO_N_NEWTON], all[RHEO_N_NEWTON];
    scene_build(&s, 5, 13, 2);
    for (int threads = 1; threads <= 3; threads += 2) {
        rh_learn_def d = plain(RH_RULE_EQPROP, RH_NUDGE_CURRENT, 1e-5);
        d.threads = threads;
        d.side = 1;
        rh_learner *l = scene_open(&s, &d), *m = scene_open(&s, &d);
        for (int k = 0; k < 3; k++) step(l, ALL, 4);
        rh_learner_newton(l, recent, all);
        assert_memory_equal(recent, all, sizeof all);
        assert_int_equal(all[RHEO_NEWTON_COLD].n, 4);
        assert_int_equal(all[RHEO_NEWTON_FREE].n, 8);
        assert_int_equal(all[RHEO_NEWTON_CLAMPED].n, 24);
        assert_true(all[RHEO_NEWTON_COLD].median >= 4 && all[RHEO_NEWTON_COLD].most <= 20);
        assert_true(all[RHEO_NEWTON_CLAMPED].median >= 1 && all[RHEO_NEWTON_CLAMPED].median <= 3);
        if (threads == 1) memcpy(first, all, sizeof all);
        assert_memory_equal(first, all, sizeof all);
        rh_block from[RH_MAX_BLOCK], to[RH_MAX_BLOCK];
        const int n = rh_learner_blocks(l, from);
        assert_int_equal(rh_learner_blocks(m, to), n);
        for (int i = 0; i < n; i++) memcpy(to[i].data, from[i].data, from[i].bytes);
        rh_learner_newton(m, recent, NULL);
        assert_memory_equal(recent, first, sizeof first);
        rh_learner_gauge_reset(l);
        rh_learner_newton(l, recent, all);
        assert_int_equal(recent[RHEO_NEWTON_COLD].n + recent[RHEO_NEWTON_CLAMPED].n, 0);
        assert_memory_equal(first, all, sizeof all);
        rh_learner_close(l);
        rh_learner_close(m);
    }
    rheo_circuit_destroy(s.c);
}

static void medians_are_those_of_the_counts(void **state) {
    (void)state;
    int64_t n[RH_COUNTED] = { 0 };
    rheo_newton s = rh_newton_summary(n);
    assert_true(s.n == 0 && s.median == 0 && s.most == 0);
    n[3] = 2;
    n[7] = 3;
    s = rh_newton_summary(n);
    assert_true(s.n == 5 && s.median == 7 && s.most == 7);
    n[3] = 3;
    s = rh_newton_summary(n);
    assert_true(s.n == 6 && s.median == 3 && s.most == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_that_of_finite_differences),
        cmocka_unit_test(eqprop_tends_to_the_gradient),
        cmocka_unit_test(orders_of_the_bias),
        cmocka_unit_test(levels_end_in_the_clamped_state),
        cmocka_unit_test(levels_are_refined_where_needed),
        cmocka_unit_test(clamp_is_an_element),
        cmocka_unit_test(the_way_between_samples_is_followed),
        cmocka_unit_test(steps_of_newton_are_counted),
        cmocka_unit_test(medians_are_those_of_the_counts),
        cmocka_unit_test(every_rule_gives_the_same_bytes_for_any_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
