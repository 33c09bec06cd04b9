/* Courses in time against closed forms, against themselves at other steps, and against ngspice. */
#include "launch.h"
#include "oracle.h"
#include "time_case.h"

#include "circuit/circuit.h"

#include <unistd.h>

#define TWO_PI 6.283185307179586

/* Potentials of a node at the ends of all steps and at four times within, against the closed form. */
typedef double course(double t, const void *with);

static void follow(const char *text, rheo_transient_def def, const char *node, course *want, const void *with,
                   double tol) {
    rheo_circuit *c = parse(text);
    const int n = rheo_circuit_find_node(c, node);
    double *v = calloc((size_t)c->n_node, sizeof *v), from = 0;
    rheo_transient *t = begin(c, def);
    rheo_transient_at(t, 0, v, NULL);
    CHECK_NEAR(v[n], want(0, with), tol);
    while (!rheo_transient_done(t)) {
        step(t);
        const double to = rheo_transient_time(t);
        assert_true(to > from);
        for (int k = 1; k <= 5; k++) {
            const double at = k == 5 ? to : from + (to - from) * k / 5;
            rheo_transient_at(t, at, v, NULL);
            if (!(fabs(v[n] - want(at, with)) <= tol))
                fail_msg("at %.9g s: %.12g V, want %.12g within %g", at, v[n], want(at, with), tol);
        }
        from = to;
    }
    CHECK_NEAR(from, def.stop, 0);
    assert_true(rheo_transient_statistics(t).n_step < 20000);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
    free(v);
}

/* ---- closed forms ---- */

static double charge(double t, const void *tau) { return 1 - exp(-t / *(const double *)tau); }
static double discharge(double t, const void *tau) { return exp(-t / *(const double *)tau); }

static void rc_charge(void **state) {
    (void)state;
    const double tau = 1e-3;
    rheo_transient_def def = until(8e-3);
    def.uic = true;
    follow("t\nV1 in 0 1\nR1 in a 1k\nC1 a 0 1u\n", def, "a", charge, &tau, 1e-6);
    rheo_transient_def plain = rheo_transient_default();
    plain.stop = 8e-3;
    plain.uic = true;
    follow("t\nV1 in 0 1\nR1 in a 1k\nC1 a 0 1u\n", plain, "a", charge, &tau, 4e-6);
    follow("t\nI1 0 a 1m\nR1 a 0 1k\nC1 0 a 1u ic=0\n", def, "a", charge, &tau, 1e-6);
    follow("t\nR1 a 0 1k\nC1 a 0 1u ic=1\n", def, "a", discharge, &tau, 1e-6);
    follow("t\nR1 a 0 1k\nC1 a 0 1u\n.ic v(a)=1\n", def, "a", discharge, &tau, 1e-6);
    def.uic = false; /* held at the operating point, then let go */
    follow("t\nR1 a 0 1k\nC1 a 0 1u\n.ic v(a)=1\n", def, "a", discharge, &tau, 1e-6);
}

/* Driven by sin(wt) from rest: steady part and transient. */
/* A capacitor charged through 2 kohm, but 1 kohm for what is above a drop of 1 V. */
static double behind_table(double t, const void *unused) {
    (void)unused;
    const double bend = 1e-3 * log(3);
    return 2 - (t < bend ? 0.5 + 1.5 * exp(-t / 1e-3) : exp(-(t - bend) / 2e-3));
}

static void a_table_in_time(void **state) {
    (void)state;
    rheo_transient_def def = until(5e-3);
    def.uic = true;
    follow("table\n*@ rheo version=1\nV1 in 0 2\nD1 in a d\nC1 a 0 1u ic=0\n.model d d()\n"
           "*@ model d table (0 0) (1 0.5m) (2 1.5m) order=1 leak=1e-30\n",
           def, "a", behind_table, NULL, 2e-6);
}

/* ---- netlists/memristor.inc ---- */

/* Without a window the charge alone moves the state, and R^2 falls in proportion to the flux. */
static double drifted(double t, const void *unused) {
    (void)unused;
    const double on = 100, off = 16e3, k = 1e-14 * on / (1e-8 * 1e-8), r0 = off - (off - on) * 0.1;
    const double flux = (1 - cos(TWO_PI * t)) / TWO_PI;
    return (off - sqrt(r0 * r0 - 2 * (off - on) * k * flux)) / (off - on);
}

/* Above its threshold a constant voltage moves the gap at a constant rate; below, nothing moves. */
static double opened(double t, const void *unused) {
    (void)unused;
    const double on = 0.5, rate = 1e-9 / 3e-9 * (0.03 / 0.02 - 1);
    return 0.1 + rate * fmin(fmax(t - on, 0), 1);
}
static double closed(double t, const void *unused) {
    (void)unused;
    return 0.9 - 1e-9 / 3e-9 * pow(0.3 / 0.2 - 1, 3) * t;
}

static double volatile_state(double t, const void *unused) {
    (void)unused;
    const double far = 0.01 + 0.99 * pow(tanh(0.4 / 0.5), 2);
    return far + (0.01 - far) * exp(-t / 1e-3);
}

static void memristors_follow_their_closed_forms(void **state) {
    (void)state;
    rheo_transient_def def = until(2);
    def.uic = true;
    follow("t\n.include memristor.inc\nV1 a 0 sin(0 1 1)\nX1 a 0 memdrift WIN=0\n", def, "X1.x", drifted, NULL, 5e-7);
    def.stop = 3;
    follow("t\n.include memristor.inc\nV1 a 0 pwl(0 0.01 0.5 0.01 0.5000001 0.03 1.5 0.03 1.5000001 -0.1)\n"
           "X1 a 0 memvteam X0=0.1 KOFF=1n\n",
           def, "X1.x", opened, NULL, 1e-6);
    follow("t\n.include memristor.inc\nV1 a 0 -0.3\nX1 a 0 memvteam X0=0.9 KON=-1n\n", def, "X1.x", closed, NULL, 1e-6);
    def.stop = 5e-3;
    follow("t\n.include memristor.inc\nV1 a 0 0.4\nX1 a 0 memvolatile\n", def, "X1.x", volatile_state, NULL, 5e-7);
}

/* Currents on the way up and down through half the peak, in the second period; the current is 0 with the voltage. */
static double loop_width(double hertz) {
    char text[200];
    snprintf(text, sizeof(text), "t\n.include memristor.inc\nV1 a 0 sin(0 1 %g)\nX1 a 0 memdrift\n", hertz);
    rheo_circuit *c = parse(text);
    rheo_transient_def def = until(2 / hertz);
    def.uic = true;
    rheo_transient *t = begin(c, def);
    double *v = calloc((size_t)c->n_node, sizeof(double)), *i = calloc((size_t)c->n_elem, sizeof(double)), from = 0;
    double seen[3] = { 0 };
    const double at[3] = { (1 + 1. / 12) / hertz, (1 + 5. / 12) / hertz, 1.5 / hertz };
    while (!rheo_transient_done(t)) {
        step(t);
        const double to = rheo_transient_time(t);
        for (int k = 0; k < 3; k++)
            if (at[k] > from && at[k] <= to) {
                rheo_transient_at(t, at[k], v, i);
                seen[k] = i[0];
            }
        from = to;
    }
    CHECK_NEAR(seen[2], 0, 1e-9);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
    free(v);
    free(i);
    return fabs(seen[1] / seen[0] - 1);
}

static void a_memristor_has_a_pinched_loop(void **state) {
    (void)state;
    const double slow = loop_width(1), fast = loop_width(50);
    print_message("loop at half the peak: %.1f %% at 1 Hz, %.2f %% at 50 Hz\n", 100 * slow, 100 * fast);
    assert_true(slow > 0.1);
    assert_true(fast < slow / 30);
}

static double sine(double t, const void *tau) {
    const double x = TWO_PI * 1e3 * *(const double *)tau, w = TWO_PI * 1e3;
    return (sin(w * t) - x * cos(w * t) + x * exp(-t / *(const double *)tau)) / (1 + x * x);
}

static void rc_sine(void **state) {
    (void)state;
    const double tau = 1e-3, fast = 1e-5;
    follow("t\nV1 in 0 SIN(0 1 1k)\nR1 in a 1k\nC1 a 0 1u\n", until(5e-3), "a", sine, &tau, 1e-6);
    follow("t\nV1 in 0 SIN(0 1 1k)\nR1 in a 1k\nC1 a 0 10n\n", until(3e-3), "a", sine, &fast, 1e-6);
}

/* R1 in-a, C1 a, R2 a-b, C2 b, discharging: two time constants from the eigenvalues of the 2x2 system. */
static double ladder(double t, const void *unused) {
    (void)unused;
    const double r1 = 1e3, c1 = 1e-6, r2 = 2e3, c2 = 3e-6, a0 = 0.5, b0 = -1;
    const double p = -1 / (r1 * c1) - 1 / (r2 * c1), q = 1 / (r2 * c1), r = 1 / (r2 * c2), s = -1 / (r2 * c2);
    const double half = (p + s) / 2, root = sqrt((p - s) * (p - s) / 4 + q * r), l1 = half + root, l2 = half - root;
    /* b = A exp(l1 t) + B exp(l2 t), b' = r a + s b */
    const double slope = r * a0 + s * b0, A = (slope - l2 * b0) / (l1 - l2);
    return A * exp(l1 * t) + (b0 - A) * exp(l2 * t);
}

static void two_time_constants(void **state) {
    (void)state;
    rheo_transient_def def = until(30e-3);
    def.uic = true;
    follow("t\nV1 in 0 0\nR1 in a 1k\nC1 a 0 1u ic=0.5\nR2 a b 2k\nC2 b 0 3u ic=-1\n", def, "b", ladder, NULL, 1e-6);
}

/* RC behind a source of straight pieces, from corner to corner. */
typedef struct pieces {
    double tau;
    rh_wave w;
} pieces;

static double behind_pieces(double t, const void *with) {
    const pieces *const p = with;
    double v = 0, from = 0;
    while (from < t) {
        const double corner = rh_wave_next_corner(&p->w, NULL, from), to = fmin(t, corner);
        const double u0 = rh_wave_value(&p->w, NULL, from), u1 = rh_wave_value(&p->w, NULL, to);
        const double slope = (u1 - u0) / (to - from);
        v = u1 - slope * p->tau + (v - u0 + slope * p->tau) * exp(-(to - from) / p->tau);
        from = to;
    }
    return v;
}

static void pulse_train(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\nV1 in 0 PULSE(0 1 0.1m 1u 2u 0.3m 1m)\nR1 in 0 1\n");
    pieces p = { 0.4e-3, c->wave[0] };
    rheo_circuit_destroy(c);
    follow("t\nV1 in 0 PULSE(0 1 0.1m 1u 2u 0.3m 1m)\nR1 in a 1k\nC1 a 0 0.4u\n", until(20e-3), "a", behind_pieces, &p,
           1e-6);
    /* after 50 time constants every period is the same: (1 - e^-on) / (1 - e^-1/tau) at the end of an ideal pulse */
    CHECK_NEAR(behind_pieces(19.4015e-3, &p), (1 - exp(-0.75)) / (1 - exp(-2.5)), 2e-3);
}

/* 1 mA on a ramp of 1 ms into 1 uF: a parabola, which the method integrates exactly. */
static double parabola(double t, const void *unused) {
    (void)unused;
    return t < 1e-3 ? 1e-3 * t * t / 2e-3 / 1e-6 : 0.5 + (t - 1e-3) * 1e3;
}

static void current_into_capacitor(void **state) {
    (void)state;
    rheo_transient_def def = until(2e-3);
    def.uic = true;
    follow("t\nI1 0 a PWL(0 0 1m 1m)\nC1 a 0 1u\n", def, "a", parabola, NULL, 1e-9);
}

static double twice_filtered(double t, const void *tau) {
    const double T = *(const double *)tau;
    return 2 * (1 - exp(-t / T) * (1 + t / T));
}

static void buffers(void **state) {
    (void)state;
    const double tau = 1e-3;
    rheo_transient_def def = until(8e-3);
    def.uic = true;
    follow("t\nV1 in 0 1\nR1 in a 1k\nC1 a 0 1u\nE1 b 0 a 0 2\nR2 b c 10k\nC2 c 0 100n\n", def, "c", twice_filtered,
           &tau, 2e-6);
    follow("t\nV1 in 0 1\nR1 in a 1k\nC1 a 0 1u\nG1 0 c a 0 2m\nR2 c 0 1k\nC2 c 0 1u\n", def, "c", twice_filtered, &tau,
           2e-6);
}

/* ---- what the method promises ---- */

static double error_at(int n_step, const char *text, double stop, course *want, const void *with, long *steps) {
    rheo_circuit *c = parse(text);
    rheo_transient_def def = until(stop);
    def.max_step = stop / n_step;
    def.reltol = 0.9;
    def.abstol = 1e3;
    rheo_transient *t = begin(c, def);
    double v[8];
    while (!rheo_transient_done(t)) step(t);
    rheo_transient_at(t, stop, v, NULL);
    const double e = fabs(v[rheo_circuit_find_node(c, "a")] - want(stop, with));
    *steps = rheo_transient_statistics(t).n_step;
    assert_true(rheo_transient_statistics(t).n_factor == 1);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
    return e;
}

static void second_order(void **state) {
    (void)state;
    const double tau = 1e-3;
    const char *const text = "t\nV1 in 0 SIN(0 1 1k)\nR1 in a 1k\nC1 a 0 1u\n";
    double last = 0;
    for (int n = 64; n <= 1024; n *= 2) {
        long steps;
        const double e = error_at(n, text, 1e-3, sine, &tau, &steps);
        assert_int_equal(steps, n);
        if (n > 64) CHECK_NEAR(log2(last / e), 2, 0.1);
        last = e;
    }
}

/* Currents of a loop of capacitors and a source jump with the slope, at once and without ringing. */
static void jumps_of_current(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\nV1 in 0 PWL(0 0 1 1 2 0)\nC1 in a 1\nC2 a 0 1\nR1 a 0 1\nR2 in a 1\n");
    rheo_transient *t = begin(c, until(3));
    double v[3], i[5];
    while (!rheo_transient_done(t)) {
        const double from = rheo_transient_time(t);
        step(t);
        for (int k = 1; k <= 3; k++) {
            const double at = from + (rheo_transient_time(t) - from) * k / 3, slope = at <= 1 ? 1 : at <= 2 ? -1 : 0;
            rheo_transient_at(t, at, v, i);
            CHECK_NEAR(v[2], v[1] / 2, 1e-9);
            CHECK_NEAR(i[0], -(slope + v[1]) / 2, 1e-6);
            if (at < 2) CHECK_NEAR(oracle_kcl(c, i), 0, 1e-9);
        }
    }
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

/* Work of the source = heat + energy of the capacitors; its charge = that of the capacitor at the far end. */
static void energy_and_charge(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\nV1 in 0 PULSE(0 1 0 0.1m 0.2m 1m)\nR1 in a 1k\nR2 a b 2k\nC1 a b 1u\nC2 b 0 0.5u\n");
    rheo_transient *t = begin(c, until(5e-3));
    double v[4], i[5], work = 0, heat = 0, charge_in = 0, from = 0;
    while (!rheo_transient_done(t)) {
        step(t);
        const double h = rheo_transient_time(t) - from;
        for (int k = 0; k < 3; k++) { /* Simpson */
            rheo_transient_at(t, k == 2 ? rheo_transient_time(t) : from + h * k / 2, v, i);
            const double w = h * (k == 1 ? 4 : 1) / 6;
            CHECK_NEAR(oracle_kcl(c, i), 0, 1e-7);
            work -= w * i[0] * v[1];
            heat += w * (i[1] * i[1] * 1e3 + i[2] * i[2] * 2e3);
            charge_in -= w * i[0];
        }
        from = rheo_transient_time(t);
    }
    const double stored = 0.5 * (1e-6 * (v[2] - v[3]) * (v[2] - v[3]) + 0.5e-6 * v[3] * v[3]);
    CHECK_REL(work, heat + stored, 1e-5);
    CHECK_NEAR(charge_in, 0.5e-6 * v[3], 1e-6 * 0.5e-6);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

static void corners_are_met(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\nV1 in 0 PULSE(0 1 0.13u 0.07u 0.11u 0.31u 0.97u)\nI1 0 a PWL(0 0 0.33u 1m 2.71u 0 "
                            "3.14u 1m)\nR1 in a 1k\nC1 a 0 1n\n");
    rheo_transient_def def = until(10e-6);
    rheo_transient *t = begin(c, def);
    double *times = NULL;
    int n = 0, cap = 0;
    while (!rheo_transient_done(t)) {
        step(t);
        assert_true(rh_grow(&times, &cap, n + 1, sizeof *times));
        times[n++] = rheo_transient_time(t);
    }
    int n_corner = 0;
    for (int w = 0; w < c->n_wave; w++) {
        const rh_wave wave = rh_wave_complete(&c->wave[w], 1, 1);
        for (double at = 0; (at = rh_wave_next_corner(&wave, (const double(*)[2])c->point, at)) <= def.stop;) {
            bool met = false;
            for (int k = 0; k < n; k++) met = met || fabs(times[k] - at) <= 1e-15 * at;
            if (!met) fail_msg("no step ends at %.17g", at);
            n_corner++;
        }
    }
    assert_true(n_corner > 40);
    /* periods repeat, so factorisations do */
    const rheo_transient_stats s = rheo_transient_statistics(t);
    assert_true(s.n_factor < s.n_step / 4);
    rh_free(times);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

/* ---- what is refused ---- */

static void refused(const char *text, rheo_transient_def def, rheo_status status, int code, const char *message) {
    rheo_circuit *c = parse(text);
    rheo_transient *t = NULL;
    rheo_error err = { 0 };
    rheo_status st = rheo_transient_open(&t, c, &def, NULL, &err);
    while (st == RHEO_OK && !rheo_transient_done(t)) st = rheo_transient_step(t, &err);
    assert_int_equal(st, status);
    assert_int_equal(err.code, code);
    if (!strstr(err.msg, message)) fail_msg("'%s' does not say '%s'", err.msg, message);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

static void refusals(void **state) {
    (void)state;
    rheo_transient_def def = until(1), bad = def;
    refused("t\nV1 in 0 1\nR1 in a 1\nC1 a b 1\nC2 b 0 1\n", def, RHEO_E_SINGULAR, 203,
            "node b has no DC path to ground (connected only through C1 and C2)");
    refused("t\nR1 a 0 1\nC1 a 0 -1\n", def, RHEO_E_RANGE, 364, "C1 has a negative capacitance");
    refused("t\nV1 a 0 PULSE(0 1 0 0 0 0.0999 0.1)\nR1 a 0 1\n", def, RHEO_E_RANGE, 360, "fall time of V1");
    refused("t\nR1 a 0 1\n", (rheo_transient_def){ 0 }, RHEO_E_USAGE, 126, "default");
    refused("t\nV1 a 0 1\nV2 a 0 2\nR1 a 0 1\nC1 a 0 1\n", def, RHEO_E_SINGULAR, 205, "V2");
    refused("t\nV1 a 0 PULSE(0 1 0 1e-18 1e-18 1e-18 1e-17)\nR1 a 0 1\n", def, RHEO_E_LIMIT, 502, "V1 has 1e+17");
    bad.stop = NAN;
    refused("t\nR1 a 0 1\n", bad, RHEO_E_RANGE, 363, "stop");
    bad = def;
    bad.reltol = 0;
    refused("t\nR1 a 0 1\n", bad, RHEO_E_RANGE, 363, "reltol");
    def.uic = true;
    bad = def;
    bad.stop = 2000; /* e^2000 */
    refused("t\nI1 0 a 1\nR1 a 0 -1\nC1 a 0 1\n", bad, RHEO_E_SINGULAR, 302, "not finite");
    refused("t\nI1 0 b 1\nR1 a 0 1\nC1 a 0 1\n", def, RHEO_E_SINGULAR, 206, "node b");
}

static void resistors_alone(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\n*@ rheo version=1\nV1 a 0 PWL(0 0 1 6)\nR1 a b 1k\nR2 b 0 1k\n*@ learn R2 init=0.5m\n");
    rheo_transient *t = begin(c, until(2));
    double v[3], i[3];
    while (!rheo_transient_done(t)) {
        step(t);
        rheo_transient_at(t, rheo_transient_time(t), v, i);
        CHECK_NEAR(v[2], 4 * fmin(rheo_transient_time(t), 1), 1e-12);
        CHECK_NEAR(i[0], -i[1], 1e-15);
    }
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

/* ---- ngspice ---- */

static bool has_ngspice(void) {
    if (access("/usr/bin/ngspice", X_OK) == 0) return true;
    print_message("ngspice is not installed: nothing to compare with\n");
    return false;
}

/* What ngspice -b prints for a deck. */
static char *ngspice(const char *dir, const char *deck) {
    char command[400];
    size_t n;
    scratch_write(dir, "deck.cir", deck);
    snprintf(command, sizeof command, "cd %s && ngspice -b deck.cir >out.txt 2>err.txt </dev/null", dir);
    if (system(command) < 0) fail_msg("ngspice does not start");
    char *out = scratch_read(dir, "out.txt", &n);
    assert_non_null(out);
    return out;
}

enum { N_NODE = 6 };

static void random_network(rh_buf *b, uint64_t seed) {
    uint64_t k = 0;
    rh_buf_printf(b, "random\nV1 n1 0 SIN(0 1 %d)\nI1 0 n3 PULSE(0 1m 0.1m 0.05m 0.1m 0.4m 0.8m)\n", 700 + (int)seed);
    rh_buf_puts(b, "V2 n2 n1 PWL(0 0 0.3m 1 0.7m -0.5)\n");
    for (int i = 1; i <= N_NODE; i++)
        for (int j = 0; j < i; j++) {
            const bool cap = (i + j) % 3 == 0;
            if (i == 2 && j == 1) continue;
            const double x = pow(10, rh_random_unit(seed, 77, k++));
            rh_buf_printf(b, "%c%d%d n%d ", cap ? 'C' : 'R', i, j, i);
            rh_buf_printf(b, j ? "n%d " : "%d ", j);
            rh_buf_number(b, cap ? 1e-8 * x : 1e3 * x);
            rh_buf_puts(b, "\n");
        }
}

static double printed(const char *out, int node) {
    char key[40];
    snprintf(key, sizeof key, "value%d = ", node);
    const char *at = strstr(out, key);
    if (!at) fail_msg("ngspice did not print %s:\n%s", key, out);
    return strtod(at + strlen(key), NULL);
}

static void as_ngspice(void **state) {
    (void)state;
    if (!has_ngspice()) skip();
    char *dir = scratch_create();
    for (uint64_t seed = 1; seed <= 5; seed++) {
        rh_buf b = { 0 };
        random_network(&b, seed);
        rheo_circuit *c = parse(b.s);
        rheo_transient *t = begin(c, until(1.3e-3));
        double v[16];
        while (!rheo_transient_done(t)) step(t);
        rheo_transient_at(t, 1.3e-3, v, NULL);
        rh_buf_puts(&b, ".options reltol=1e-9 vntol=1e-12 abstol=1e-15 trtol=1\n.control\nset numdgt=12\n"
                        "tran 1u 1.3m 0 0.1u\nlet last=length(time)-1\n");
        for (int i = 1; i <= N_NODE; i++) rh_buf_printf(&b, "let value%d=v(n%d)[last]\nprint value%d\n", i, i, i);
        rh_buf_puts(&b, "quit\n.endc\n.end\n");
        char *out = ngspice(dir, b.s);
        for (int i = 1; i <= N_NODE; i++) {
            char name[8];
            snprintf(name, sizeof name, "n%d", i);
            CHECK_NEAR(v[rheo_circuit_find_node(c, name)], printed(out, i), 1e-6);
        }
        free(out);
        rh_buf_free(&b);
        rheo_transient_close(t);
        rheo_circuit_destroy(c);
    }
    scratch_remove(dir);
}

static const char NET[] = "rc\nV1 in 0 PULSE(0 1 0 1u 1u 0.5m 1m)\nR1 in A 1k\nC1 A 0 0.1u\n.tran 1u 2m\n.end\n";

static void rawfile_loads(void **state) {
    (void)state;
    if (!has_ngspice()) skip();
    char *dir = scratch_create(), net[200], raw[200];
    launched r;
    scratch_write(dir, "net.cir", NET);
    snprintf(net, sizeof net, "%s/net.cir", dir);
    snprintf(raw, sizeof raw, "%s/run.raw", dir);
    launch_with(&r, "tran", "--step", "0.1m", "-o", raw, net, (const char *)NULL);
    assert_int_equal(r.exit, 0);
    launch_free(&r);
    char *out = ngspice(dir, "load\n.control\nload run.raw\nset numdgt=12\nlet value1=length(time)\n"
                             "let value2=v(a)[5]\nlet value3=i(v1)[5]\nprint value1\nprint value2\nprint value3\nquit\n"
                             ".endc\n.end\n");
    CHECK_NEAR(printed(out, 1), 21, 0);
    CHECK_NEAR(printed(out, 2), 1 - exp(-5), 1e-3);
    CHECK_NEAR(printed(out, 3), -(1 - printed(out, 2)) / 1e3, 1e-9);
    free(out);
    scratch_remove(dir);
}

/* ---- the command ---- */

static void command(void **state) {
    (void)state;
    char *dir = scratch_create(), net[200], out[200];
    launched r;
    size_t n;
    scratch_write(dir, "net.cir", NET);
    snprintf(net, sizeof net, "%s/net.cir", dir);
    launch_with(&r, "tran", "--step", "0.5m", "--start", "1m", "--node", "a", net, (const char *)NULL);
    assert_int_equal(r.exit, 0);
    assert_int_equal(strncmp(r.out, "time,v(A),i(V1)\n0.001,", 22), 0);
    assert_non_null(strstr(r.out, "\n0.0015,"));
    assert_non_null(strstr(r.out, "\n0.002,"));
    launch_free(&r);
    snprintf(out, sizeof out, "%s/run.npz", dir);
    launch_with(&r, "tran", "--out", out, net, (const char *)NULL);
    assert_int_equal(r.exit, 0);
    launch_free(&r);
    char *npz = scratch_read(dir, "run.npz", &n);
    assert_true(n > 1000);
    assert_true(memmem(npz, n, "v_A.npy", 7) && memmem(npz, n, "i_V1.npy", 8) && memmem(npz, n, "time.npy", 8));
    free(npz);
    launch_with(&r, "tran", "--out", out, net, (const char *)NULL); /* exists */
    assert_int_equal(r.exit, 2);
    launch_free(&r);
    launch_with(&r, "tran", "--out", "run.txt", net, (const char *)NULL);
    assert_int_equal(r.exit, 2);
    launch_free(&r);
    launch_with(&r, "tran", "--node", "a,zork", net, (const char *)NULL);
    assert_int_equal(r.exit, 2);
    assert_non_null(strstr(r.err, "there is no node 'zork'"));
    launch_free(&r);
    static const struct {
        const char *columns, *header; /* NULL: refused with the message */
        const char *message;
    } CASES[] = {
        { "v(a)", "time,v(A)\n", NULL },
        { "I(v1)", "time,i(V1)\n", NULL },
        { "i(V1),v(a),V(A),i(V1)", "time,v(A),i(V1)\n", NULL },
        { "a,i(V1)", "time,v(A),i(V1)\n", NULL },
        { "a,a", "time,v(A),i(V1)\n", NULL },
        { "i(V2)", NULL, "there is no column 'i(V2)'\n  hint: did you mean i(V1)?\n" },
        { "i(a)", NULL, "there is no column 'i(a)'\n  hint: did you mean v(a)?\n" },
        { "V1", NULL, "there is no node 'V1'\n  hint: did you mean i(V1)?\n" },
        { "i(R1)", NULL,
          "there is no column 'i(R1)'\n  hint: columns are v(node), i(voltage source) and x(memristor)\n" },
        { "x(V1)", NULL, "there is no column 'x(V1)'\n  hint: did you mean i(V1)?\n" },
    };
    for (size_t k = 0; k < RH_COUNT(CASES); k++) {
        launch_with(&r, "tran", "--node", CASES[k].columns, net, (const char *)NULL);
        assert_int_equal(r.exit, CASES[k].header ? 0 : 2);
        if (CASES[k].header && strncmp(r.out, CASES[k].header, strlen(CASES[k].header)) != 0)
            fail_msg("%s gives\n%.80s", CASES[k].columns, r.out);
        if (CASES[k].message && !strstr(r.err, CASES[k].message)) fail_msg("%s gives\n%s", CASES[k].columns, r.err);
        launch_free(&r);
    }
    launched by_column;
    launch_with(&r, "tran", "--node", "a", net, (const char *)NULL);
    launch_with(&by_column, "tran", "--node", "v(a),i(V1)", net, (const char *)NULL);
    assert_string_equal(r.out, by_column.out); /* all digits of all rows */
    launch_free(&r);
    launch_free(&by_column);
    launch_with(&r, "tran", "--stop", "-1", net, (const char *)NULL);
    assert_true(r.exit == 2 || r.exit == 3);
    launch_free(&r);
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rc_charge),
        cmocka_unit_test(a_table_in_time),
        cmocka_unit_test(memristors_follow_their_closed_forms),
        cmocka_unit_test(a_memristor_has_a_pinched_loop),
        cmocka_unit_test(rc_sine),
        cmocka_unit_test(two_time_constants),
        cmocka_unit_test(pulse_train),
        cmocka_unit_test(current_into_capacitor),
        cmocka_unit_test(buffers),
        cmocka_unit_test(second_order),
        cmocka_unit_test(jumps_of_current),
        cmocka_unit_test(energy_and_charge),
        cmocka_unit_test(corners_are_met),
        cmocka_unit_test(refusals),
        cmocka_unit_test(resistors_alone),
        cmocka_unit_test(as_ngspice),
        cmocka_unit_test(rawfile_loads),
        cmocka_unit_test(command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
