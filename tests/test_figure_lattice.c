/* test_figure_lattice.c: what is known of the laboratory's lattice, in a small version. */
#include "check.h"
#include "run/figure_lattice.h"
#include "run/figure_newton.h"

static bool asan(void) { return getenv("RHEO_ASAN") != NULL; }

/* Exactly 1/gain^2 below, exactly the gradient above. */
static void amplifier_scales_the_layer_below(void **state) {
    (void)state;
    const double gain[] = { 1, 2, 4, 10 };
    for (int i = 0; i < RH_COUNT(gain); i++) {
        double below = 0, above = 0;
        CHECK_OK(rh_figure_amplifier(gain[i], &below, &above, NULL));
        CHECK_REL(below, 1 / (gain[i] * gain[i]), 1e-6);
        CHECK_REL(above, 1, 1e-6);
    }
}

static void coupled_learning_leaves_the_gradient_as_expected(void **state) {
    (void)state;
    for (int i = 0; i < RH_N_LATTICE_ROW; i++) {
        double mean = 0, least = 0;
        CHECK_OK(rh_figure_lattice(&RH_LATTICE_ROWS[i], 1, asan() ? 20 : 200, &mean, &least, NULL));
        CHECK_NEAR(mean, RH_LATTICE_ROWS[i].expected, asan() ? 0.1 : 0.03);
        assert_true(least < mean);
    }
}

/* A network of resistors is linear, and XOR is not. */
static void transistors_learn_xor_and_resistors_do_not(void **state) {
    (void)state;
    int learned[3] = { 0 };
    for (int kind = 0; kind < 3; kind++)
        for (int d = 0; d < 6; d++) {
            const rh_xor_def def = { 1, kind > 0, kind == 2 ? RH_RULE_TCL : RH_RULE_COUPLED, 10, 0.453, 300 };
            rh_xor x;
            CHECK_OK(rh_figure_xor(&def, d, &x, NULL));
            learned[kind] += x.n_sign == 4;
        }
    assert_int_equal(learned[0], 0);
    assert_true(learned[1] >= 2);
    assert_true(learned[2] >= 2);
}

static void mean_falls_before_slope_before_curvature(void **state) {
    (void)state;
    for (int d = 0; d < 4; d++) {
        rh_modes m;
        CHECK_OK(rh_figure_modes(1, d, 300, &m, NULL));
        assert_true(m.epoch[RH_MODE_MEAN] > 0);
        assert_true(m.epoch[RH_MODE_SLOPE] >= m.epoch[RH_MODE_MEAN]);
        assert_true(m.epoch[RH_MODE_CURVE] < 0 || m.epoch[RH_MODE_CURVE] >= m.epoch[RH_MODE_SLOPE]);
        assert_true(m.loss < 1);
    }
}

/* Few steps from nothing, and fewer along the clamp. */
static void newton_is_quick_on_random_networks(void **state) {
    (void)state;
    for (int i = 0; i < RH_N_NEWTON_ROW; i++) {
        rh_newton_figure f;
        CHECK_OK(rh_figure_newton(&RH_NEWTON_ROWS[i], 1, 5, &f, NULL));
        assert_int_equal(f.n, 5);
        assert_int_equal(f.n_failed, 0);
        assert_int_equal(f.cold.n, 10); /* once for each nudge */
        assert_true(f.cold.median >= 3 && f.cold.median <= 12);
        assert_true(f.clamped.n >= 40 && f.clamped.median >= 1 && f.clamped.median <= 3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amplifier_scales_the_layer_below),
        cmocka_unit_test(coupled_learning_leaves_the_gradient_as_expected),
        cmocka_unit_test(transistors_learn_xor_and_resistors_do_not),
        cmocka_unit_test(newton_is_quick_on_random_networks),
        cmocka_unit_test(mean_falls_before_slope_before_curvature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
