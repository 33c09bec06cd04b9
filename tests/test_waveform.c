/* Functions of time: values against their definitions, corners, and the way through the reader and the printer. */
#include "check.h"

#include "circuit/circuit.h"
#include "rheo/netlist.h"

#define TWO_PI 6.283185307179586

static rheo_circuit *parse(const char *text) {
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    if (rheo_netlist_parse(&c, text, strlen(text), "x.cir", NULL, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return c;
}

/* The function on the card "V1 a 0 ...", complete for a step of 1 and a stop of 1000. */
static rheo_circuit *one(const char *function, rh_wave *w) {
    char text[400];
    snprintf(text, sizeof text, "t\nV1 a 0 %s\nR1 a 0 1\n", function);
    rheo_circuit *c = parse(text);
    assert_int_equal(c->n_wave, 1);
    assert_int_equal(c->elem_wave[0], 0);
    assert_int_equal(c->elem_wave[1], -1);
    *w = rh_wave_complete(&c->wave[0], 1, 1000);
    return c;
}

typedef struct sample {
    double t, v;
} sample;

static void check_values(const char *function, const sample *want, int n, double tol) {
    rh_wave w;
    rheo_circuit *c = one(function, &w);
    for (int k = 0; k < n; k++) {
        const double got = rh_wave_value(&w, c->point, want[k].t);
        if (!(fabs(got - want[k].v) <= tol))
            fail_msg("%s at %g: %.17g, want %.17g", function, want[k].t, got, want[k].v);
    }
    rheo_circuit_destroy(c);
}
#define VALUES(function, tol, ...)                               \
    do {                                                         \
        const sample want_[] = { __VA_ARGS__ };                  \
        check_values((function), want_, RH_COUNT(want_), (tol)); \
    } while (0)

static void check_corners(const char *function, const double *want, int n) {
    rh_wave w;
    rheo_circuit *c = one(function, &w);
    double t = -1;
    for (int k = 0; k < n; k++) {
        t = rh_wave_next_corner(&w, c->point, t);
        if (t != want[k]) fail_msg("%s: corner %d is %.17g, want %.17g", function, k, t, want[k]);
        if (t == INFINITY) break;
    }
    rheo_circuit_destroy(c);
}
#define CORNERS(function, ...)                             \
    do {                                                   \
        const double want_[] = { __VA_ARGS__ };            \
        check_corners((function), want_, RH_COUNT(want_)); \
    } while (0)

static void pulses(void **state) {
    (void)state;
    VALUES("PULSE(1 3 2 4 8 16 64)", 0, { 0, 1 }, { 2, 1 }, { 3, 1.5 }, { 6, 3 }, { 20, 3 }, { 22, 3 }, { 24, 2.5 },
           { 30, 1 }, { 50, 1 }, { 66, 1 }, { 67, 1.5 }, { 70, 3 }, { 88, 2.5 }, { 66 + 64 * 1e6 + 1, 1.5 });
    VALUES("PULSE(0 1)", 0, { 0, 0 }, { 0.25, 0.25 }, { 1, 1 }, { 1e9, 1 });
    VALUES("PULSE(0 1 5 0 2 3)", 0, { 5, 0 }, { 5.5, 0.5 }, { 9, 1 }, { 10, 0.5 }, { 11, 0 }, { 999, 0 });
    CORNERS("PULSE(1 3 2 4 8 16 64)", 2, 6, 22, 30, 66, 70, 86, 94, 130);
    CORNERS("PULSE(0 1)", 0, 1, INFINITY);
    CORNERS("PULSE(0 1 0 1 1 1 3)", 0, 1, 2, 3, 4, 5, 6);
}

/* Every corner of the millionth period is td + n per + offset, rounded once, and has exactly its value. */
static void pulses_do_not_drift(void **state) {
    (void)state;
    rh_wave w;
    rheo_circuit *c = one("PULSE(0 1 0.3u 0.1u 0.2u 0.1u 0.7u)", &w);
    for (double n = 1; n < 2e9; n = 7 * n + 1) {
        const double begin = fma(n, 0.7e-6, 0.3e-6);
        double t = begin;
        CHECK_NEAR(rh_wave_value(&w, NULL, begin), 0, 0);
        for (int k = 1; k < 4; k++) {
            t = rh_wave_next_corner(&w, NULL, t);
            CHECK_NEAR(t, begin + (k > 0 ? 0.1e-6 : 0) + (k > 1 ? 0.1e-6 : 0) + (k > 2 ? 0.2e-6 : 0), 4e-16 * begin);
            CHECK_NEAR(rh_wave_value(&w, NULL, t), k < 3, 0);
        }
        CHECK_NEAR(rh_wave_next_corner(&w, NULL, t), fma(n + 1, 0.7e-6, 0.3e-6), 0);
    }
    rheo_circuit_destroy(c);
}

/* Functions whose corners cannot be told apart any more still give a later one. */
static void corners_go_on(void **state) {
    (void)state;
    static const char *const FUNCTIONS[] = { "PULSE(0 1 0 1e-18 1e-18 1e-18 1e-17)",
                                             "PULSE(0 1 0 1e-320 0 1e-320 3e-320)",
                                             "PULSE(0 1 1e308 1e308 1e308 1e308)", "PWL(0 0 1e-18 1 2e-18 0) r=0",
                                             "PWL(0 0 1e300 1) td=1e308" };
    for (int k = 0; k < RH_COUNT(FUNCTIONS); k++) {
        rh_wave w;
        rheo_circuit *c = one(FUNCTIONS[k], &w);
        double t = 1;
        for (int n = 0; n < 100 && t < INFINITY; n++) {
            const double next = rh_wave_next_corner(&w, c->point, t);
            assert_true(next > t);
            t = next;
            assert_true(t == INFINITY || fabs(rh_wave_value(&w, c->point, t)) <= 1);
        }
        rheo_circuit_destroy(c);
    }
}

static void sines(void **state) {
    (void)state;
    VALUES("SIN(1 2 0.25)", 1e-15, { 0, 1 }, { 1, 3 }, { 2, 1 }, { 3, -1 }, { 4e9 + 1, 3 });
    VALUES("SIN(1 2 0.25 5 0.5)", 1e-15, { 0, 1 }, { 5, 1 }, { 6, 1 + 2 * exp(-0.5) }, { 8, 1 - 2 * exp(-1.5) });
    VALUES("SIN(1 2 0.25 5 0 90)", 1e-15, { 0, 3 }, { 5, 3 }, { 6, 1 }, { 7, -1 });
    VALUES("SIN(0 1)", 1e-15, { 250, 1 }, { 750, -1 });
    CORNERS("SIN(0 1 3 2)", 2, INFINITY);
    rheo_circuit *c = parse("t\nV1 a 0 SIN(1 2 50 0 0 90)\nR1 a 0 1\n");
    CHECK_NEAR(c->value[0], 3, 1e-15);
    rheo_circuit_destroy(c);
}

static void exponentials(void **state) {
    (void)state;
    VALUES("EXP(1 3 2 4 10 8)", 1e-15, { 0, 1 }, { 2, 1 }, { 6, 3 - 2 * exp(-1) }, { 10, 3 - 2 * exp(-2) },
           { 18, 3 - 2 * exp(-4) - 2 * (1 - exp(-1)) });
    VALUES("EXP(0 1)", 1e-15, { 1, 1 - exp(-1) }, { 2, exp(-1) - exp(-2) }); /* TAU1 1, TD2 1, TAU2 1 */
    CORNERS("EXP(1 3 2 4 10 8)", 2, 10, INFINITY);
}

static void piecewise(void **state) {
    (void)state;
    VALUES("PWL(1 5 2 7 4 3)", 0, { 0, 5 }, { 1, 5 }, { 1.5, 6 }, { 2, 7 }, { 3, 5 }, { 4, 3 }, { 100, 3 });
    VALUES("PWL(1 5 2 7 4 5) td=10", 0, { 0, 5 }, { 11, 5 }, { 11.5, 6 }, { 13, 6 }, { 20, 5 });
    VALUES("PWL(0 0 1 5 2 7 4 5) r=1", 0, { 0.5, 2.5 }, { 3, 6 }, { 4, 5 }, { 4.5, 6 }, { 5, 7 }, { 6, 6 }, { 7, 5 },
           { 3e8 + 1.5, 6 });
    CORNERS("PWL(1 5 2 7 4 3)", 1, 2, 4, INFINITY);
    CORNERS("PWL(0 0 1 5 2 7 4 5) r=1 td=1", 1, 2, 3, 5, 6, 8, 9, 11);
    CORNERS("PWL(3 1)", 3, INFINITY);
}

static void printed_and_read_back(void **state) {
    (void)state;
    static const char TEXT[] =
        "t\nV1 a 0 3 PULSE(1 5 0 1n 1n 1u 2u)\nV2 b 0 PWL(0,2 1,3 2 2) r=0 td=0.1\nI3 c 0 SIN(3 1 1k 0 0 30)\n"
        "V4 d 0 EXP(4 1 0 1 2 3)\nV5 e 0 DC 9 PULSE 1 2 3\nV6 f 0 PULSE(1 2) DC 8\nV7 g 0 1\nC1 a c {1n} ic=-0.25\n"
        "C2 a c 1n\nR1 c 0 1\nR2 g 0 1\n.ic v(c)=0.5\n.tran 1u 1m 0 2u uic\n";
    rheo_circuit *a = parse(TEXT);
    CHECK_NEAR(a->value[0], 3, 0);
    CHECK_NEAR(a->elem_ic[7], -0.25, 0);
    assert_true(isnan(a->elem_ic[8]));
    assert_int_equal(a->wave[4].n_par, 3);
    CHECK_NEAR(a->tran[1], 1e-3, 0);
    CHECK_NEAR(a->tran[3], 2e-6, 0);
    assert_true(a->tran_uic);
    char *text = NULL;
    CHECK_OK(rheo_netlist_print(&text, a, NULL, NULL));
    assert_non_null(strstr(text, "V1 a 0 3 PULSE(1 5 0 1e-09 1e-09 1e-06 2e-06)\n"));
    assert_non_null(strstr(text, " PWL(0 2 1 3 2 2) td=0.1 r=0\n"));
    rheo_circuit *b = parse(text);
    assert_true(rh_circuit_equal(a, b));
    b->wave[3].par[5] *= 1 + 1e-15;
    assert_false(rh_circuit_equal(a, b));
    rheo_circuit_destroy(b);
    b = parse(text);
    b->point[1][1] = 4;
    assert_false(rh_circuit_equal(a, b));
    rheo_circuit_destroy(b);
    rheo_text_free(text);
    rheo_circuit_destroy(a);
}

/* Long ones go over several lines. */
static void long_lists(void **state) {
    (void)state;
    rh_buf b = { 0 };
    rh_buf_puts(&b, "t\nR1 a 0 1\nI1 a 0 PWL(");
    for (int k = 0; k < 500; k++) rh_buf_printf(&b, "\n+ {%d/3} {sin(%d)}", k, k);
    rh_buf_puts(&b, ")\n");
    rheo_circuit *a = parse(b.s);
    assert_int_equal(a->n_point, 500);
    char *text = NULL;
    CHECK_OK(rheo_netlist_print(&text, a, NULL, NULL));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) assert_true(strcspn(line, "\n") < 200);
    rheo_circuit *c = parse(text);
    assert_true(rh_circuit_equal(a, c));
    rheo_text_free(text);
    rheo_circuit_destroy(a);
    rheo_circuit_destroy(c);
    rh_buf_free(&b);
}

static void in_subcircuits(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\n.subckt s a top=2\nV1 a b PULSE(0 {top} 0 1 1 1 4)\nR1 a b 1\nC1 b 0 1 ic={top/2}\n"
                            ".ends\nX1 p s\nX2 q s top=5\nR1 p q 1\nR2 q 0 1\n");
    assert_int_equal(c->n_wave, 2);
    CHECK_NEAR(c->wave[0].par[1], 2, 0);
    CHECK_NEAR(c->wave[1].par[1], 5, 0);
    CHECK_NEAR(c->elem_ic[rheo_circuit_find_element(c, "C.X2.C1")], 2.5, 0);
    rheo_circuit_destroy(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pulses),
        cmocka_unit_test(pulses_do_not_drift),
        cmocka_unit_test(corners_go_on),
        cmocka_unit_test(sines),
        cmocka_unit_test(exponentials),
        cmocka_unit_test(piecewise),
        cmocka_unit_test(printed_and_read_back),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(in_subcircuits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
