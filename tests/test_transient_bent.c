/* Courses in time of networks that are not linear: closed forms, tolerances, Kirchhoff, and ngspice. */
#include "launch.h"
#include "time_case.h"

#include "circuit/circuit.h"

#include <unistd.h>

#define VT (1.380649e-23 * 300.15 / 1.602176634e-19)

/* ---- closed forms ---- */

typedef double course(double t);

/* The potential of node a at the ends of steps and within. */
static void follow(const char *text, double stop, course *want, double tol) {
    rheo_circuit *const c = parse(text);
    const int a = rheo_circuit_find_node(c, "a");
    double *const v = calloc((size_t)c->n_node, sizeof *v), from = 0, worst = 0;
    rheo_transient_def def = until(stop);
    def.uic = true;
    rheo_transient *const t = begin(c, def);
    rheo_transient_at(t, 0, v, NULL);
    CHECK_NEAR(v[a], want(0), tol);
    while (!rheo_transient_done(t)) {
        step(t);
        const double to = rheo_transient_time(t);
        for (int k = 1; k <= 4; k++) {
            const double at = from + (to - from) * k / 4;
            rheo_transient_at(t, at, v, NULL);
            if (!(fabs(v[a] - want(at)) <= tol))
                fail_msg("at %.9g s: %.12g V, want %.12g within %g", at, v[a], want(at), tol);
            worst = fmax(worst, fabs(v[a] - want(at)));
        }
        from = to;
    }
    const rheo_transient_stats s = rheo_transient_statistics(t);
    print_message("%.2g V off at most; %ld steps, %ld rejected, %ld factorisations\n", worst, s.n_step, s.n_reject,
                  s.n_factor);
    assert_true(s.n_factor < 12 * (s.n_step + s.n_reject) + 200);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
    free(v);
}

/* C dv/dt = -Is (e^(v/Vt) - 1): 1 - e^(-v/Vt) falls exponentially. */
static double through_diode(double t) {
    const double k = 1e-14 / (1e-9 * VT), left = exp(-0.7 / VT);
    return -VT * log(left - (1 - left) * expm1(-k * t));
}

static double through_diode_backwards(double t) { return -through_diode(t); }

/* C dv/dt = -G v^3/V^2 */
static double through_cube(double t) { return 2 / sqrt(1 + 2 * 1e-4 * 4 * t / 1e-7); }

/* K = 200 uA/V^2, 1 V above threshold: 100 uA until 1 V, then the square law below. */
static double through_transistor(double t) {
    const double c = 1e-9, at = 2 * c / 100e-6;
    return t < at ? 3 - 100e-6 * t / c : 2 / (1 + exp(200e-6 * (t - at) / c));
}

static void capacitors_discharge_as_closed_forms_say(void **state) {
    (void)state;
    follow("t\nC1 a 0 1n ic=0.7\nD1 a 0 d\n.model d d(is=1e-14)\n", 1e-3, through_diode, 1e-6);
    follow("t\nC1 0 a 1n ic=0.7\nD1 0 a d\n.model d d(is=1e-14)\n", 1e-3, through_diode_backwards, 1e-6);
    follow("t\nC1 a 0 0.1u ic=2\nB1 a 0 i={100u*V(a)*V(a)*V(a)}\n", 5e-3, through_cube, 2e-6);
    follow("t\nC1 a 0 0.1u ic=2\nG1 a 0 value={100u*V(a)*V(a)*V(a)}\n", 5e-3, through_cube, 2e-6);
    follow("t\nC1 a 0 1n ic=3\nM1 a g 0 0 n\nVg g 0 1.7\n.model n nmos(vto=0.7 kp=200u)\n", 60e-6, through_transistor,
           5e-6);
    follow("t\nC1 a 0 1n ic=3\nM1 a g 0 0 n\nVg g 0 9\n*@ rheo version=1\n*@ learn M1 min=1 max=8 init=1.7\n"
           ".model n nmos(vto=0.7 kp=200u)\n",
           60e-6, through_transistor, 5e-6);
}

/* ---- Kirchhoff ---- */

static const char RECTIFIER[] = "rectifier\nV1 a 0 SIN(0 5 50)\nD1 a b d\nR1 b 0 1k\nC1 b 0 10u\n"
                                ".model d d(is=1e-14 n=1.2 rs=0.5)\n";

static void currents_balance(void **state) {
    (void)state;
    rheo_circuit *const c = parse(RECTIFIER);
    rheo_transient *const t = begin(c, until(40e-3));
    enum { V1, D1, R1, C1 };
    double v[3], i[4], charge = 0, before = 0, from = 0, most = 0;
    while (!rheo_transient_done(t)) {
        step(t);
        const double now = rheo_transient_time(t);
        rheo_transient_at(t, now, v, i);
        most = fmax(most, fabs(i[D1]));
        CHECK_NEAR(i[V1], -i[D1], 1e-12);
        CHECK_NEAR(i[D1], i[R1] + i[C1], 1e-9);
        charge += (now - from) * (i[C1] + before) / 2;
        from = now, before = i[C1];
    }
    assert_true(most > 5e-3);
    CHECK_NEAR(charge, 10e-6 * v[rheo_circuit_find_node(c, "b")], 1e-4 * 40e-6);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

/* ---- tolerance ---- */

static const char INVERTERS[] =
    "two inverters\nVdd vdd 0 3\nVin a 0 PULSE(0 3 1n 1n 1n 20n 50n)\nM1 b a 0 0 nm w=10u l=1u\n"
    "M2 b a vdd vdd pm w=20u l=1u\nC1 b 0 0.2p\nM3 c b 0 0 nm w=10u l=1u\nM4 c b vdd vdd pm w=20u l=1u\nC2 c 0 0.5p\n"
    ".model nm nmos(vto=0.7 kp=100u lambda=0.02 gamma=0.4)\n.model pm pmos(vto=-0.7 kp=40u lambda=0.02)\n";

static double at_end(const char *text, double stop, const char *node, double reltol, long *n_step) {
    rheo_circuit *const c = parse(text);
    rheo_transient_def def = until(stop);
    def.reltol = reltol;
    def.abstol = 1e-12;
    rheo_transient *const t = begin(c, def);
    double v[32];
    assert_true(c->n_node <= 32);
    while (!rheo_transient_done(t)) step(t);
    rheo_transient_at(t, stop, v, NULL);
    *n_step = rheo_transient_statistics(t).n_step;
    const double out = v[rheo_circuit_find_node(c, node)];
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
    return out;
}

/* In the middle of an edge, where an error in time shows. */
static void the_tolerance_is_kept(void **state) {
    (void)state;
    long few, some, many;
    const double rough = at_end(INVERTERS, 2.3e-9, "c", 1e-4, &few), fine = at_end(INVERTERS, 2.3e-9, "c", 1e-7, &some),
                 exact = at_end(INVERTERS, 2.3e-9, "c", 1e-10, &many);
    print_message("%.3g V; %.1g off in %ld steps, %.1g in %ld, of %ld\n", exact, fabs(rough - exact), few,
                  fabs(fine - exact), some, many);
    assert_true(exact > 0.2 && exact < 2.8);
    assert_true(few < some && some < many);
    CHECK_NEAR(rough, exact, 3e-2);
    CHECK_NEAR(fine, exact, 3e-5);
}

/* ---- ngspice ---- */

/* Bridge of four diodes in a ring; a switch, whose equation ngspice gets as text, and sources by expression. */
static const char RING[] =
    "ring\nV1 in 0 SIN(0 2 1k)\nV2 lo 0 SIN(0 3 7k)\nR1 in p 100\nR2 lo q 50\nD1 p x d\nD2 x q d\n"
    "D3 q y d\nD4 y p d\nC1 x 0 100n\nC2 y 0 100n\nRL x y 2k\nRp p 0 10k\n"
    ".model d d(is=1e-12 n=1.5)\n";
static const char SAMPLED[] = "sampled\nV1 in 0 SIN(0 1 1k)\nVc ck 0 PULSE(0 1 20u 5u 5u 40u 100u)\n"
                              "S1 in a ck 0 sw\n.model sw sw(vt=0.5 vh=0.2 ron=100 roff=10meg)\nC1 a 0 10n\n"
                              "B1 a 0 i={1u*tanh(5*V(a))+10u*V(a)*V(a)*V(a)}\nR2 a c 100k\nC2 c 0 1n\n";
static const char SAMPLED_THERE[] = "sampled\nV1 in 0 SIN(0 1 1k)\nVc ck 0 PULSE(0 1 20u 5u 5u 40u 100u)\n"
                                    "BS in a i=(v(in)-v(a))*1e-7*exp(ln(1e5)/(1+exp(-20*(v(ck)-0.5))))\nC1 a 0 10n\n"
                                    "B1 a 0 i=1u*tanh(5*V(a))+10u*V(a)*V(a)*V(a)\nR2 a c 100k\nC2 c 0 1n\n";

static double printed(const char *out, const char *key) {
    char line[40];
    snprintf(line, sizeof line, "\n%s ", key);
    const char *const at = strstr(out, line);
    if (!at) fail_msg("ngspice did not print %s:\n%s", key, out);
    return strtod(strchr(at, '=') + 1, NULL);
}

enum { TIMES = 7 };

static void compare(const char *dir, const char *mine, const char *there, double stop, const char *const *node) {
    rheo_circuit *const c = parse(mine);
    rheo_transient *const t = begin(c, until(stop));
    double v[32], worst = 0;
    rh_buf b = { 0 };
    rh_buf_puts(&b, there);
    rh_buf_printf(&b,
                  ".options reltol=1e-7 abstol=1e-14 vntol=1e-9 trtol=1 chgtol=1e-20 gmin=1e-18\n"
                  ".tran %g %g 0 %g\n",
                  stop / 1000, stop, stop / 20000);
    for (int k = 1; k <= TIMES; k++)
        for (int n = 0; node[n]; n++)
            rh_buf_printf(&b, ".meas tran m%d%s find v(%s) at=%.17g\n", k, node[n], node[n], stop * k / (TIMES + 1));
    rh_buf_puts(&b, ".end\n");
    char command[400];
    size_t size;
    scratch_write(dir, "deck.cir", b.s);
    snprintf(command, sizeof command, "cd %s && ngspice -b -n deck.cir >out.txt 2>err.txt </dev/null", dir);
    if (system(command) < 0) fail_msg("ngspice does not start");
    char *const out = scratch_read(dir, "out.txt", &size);
    double peak = 0;
    for (int k = 1; k <= TIMES; k++) {
        const double at = stop * k / (TIMES + 1);
        while (rheo_transient_time(t) < at) step(t);
        rheo_transient_at(t, at, v, NULL);
        for (int n = 0; node[n]; n++) {
            char key[24];
            snprintf(key, sizeof key, "m%d%s", k, node[n]);
            const double is = v[rheo_circuit_find_node(c, node[n])];
            worst = fmax(worst, fabs(is - printed(out, key)));
            peak = fmax(peak, fabs(is));
        }
    }
    const rheo_transient_stats s = rheo_transient_statistics(t);
    print_message("%.4s: %.1g of %.3g V; %ld steps, %ld rejected, %ld factorisations\n", mine, worst, peak, s.n_step,
                  s.n_reject, s.n_factor);
    if (!(worst <= 3e-5 * peak)) fail_msg("%g V off", worst);
    free(out);
    rh_buf_free(&b);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

static void as_ngspice(void **state) {
    (void)state;
    if (access("/usr/bin/ngspice", X_OK) != 0) skip();
    char *const dir = scratch_create();
    compare(dir, RECTIFIER, RECTIFIER, 60e-3, (const char *const[]){ "a", "b", NULL });
    compare(dir, INVERTERS, INVERTERS, 150e-9, (const char *const[]){ "b", "c", NULL });
    compare(dir, RING, RING, 3e-3, (const char *const[]){ "p", "q", "x", "y", NULL });
    compare(dir, SAMPLED, SAMPLED_THERE, 2e-3, (const char *const[]){ "a", "c", NULL });
    scratch_remove(dir);
}

/* ---- as a user runs it ---- */

static void command(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[200];
    snprintf(path, sizeof path, "%s/net.cir", dir);
    scratch_write(dir, "net.cir", RECTIFIER);
    launched r;
    launch(&r, (const char *const[]){ "tran", "--stop", "20m", "--step", "5m", path, NULL }, NULL, NULL);
    if (r.exit != 0) fail_msg("%s", r.err);
    assert_int_equal(strncmp(r.out, "time,v(a),v(b),i(V1)\n0,0,", 25), 0);
    int n = 0;
    for (const char *s = r.out; *s; s++) n += *s == '\n';
    assert_int_equal(n, 6);
    launch_free(&r);
    scratch_remove(dir);
}

/* No way on: a current that only grows. */
static void runaways_end_in_a_message(void **state) {
    (void)state;
    rheo_circuit *const c = parse("t\nC1 a 0 1u ic=1\nB1 0 a i={1u*V(a)*V(a)*V(a)}\n"); /* infinite after 0.5 s */
    rheo_transient_def def = until(1);
    def.uic = true;
    rheo_transient *const t = begin(c, def);
    rheo_error err = { 0 };
    rheo_status st = RHEO_OK;
    while (st == RHEO_OK && !rheo_transient_done(t)) st = rheo_transient_step(t, &err);
    assert_int_equal(st, RHEO_E_NOCONV);
    assert_int_equal(err.code, 365);
    CHECK_NEAR(rheo_transient_time(t), 0.5, 1e-5);
    rheo_transient_close(t);
    rheo_circuit_destroy(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacitors_discharge_as_closed_forms_say),
        cmocka_unit_test(currents_balance),
        cmocka_unit_test(the_tolerance_is_kept),
        cmocka_unit_test(as_ngspice),
        cmocka_unit_test(command),
        cmocka_unit_test(runaways_end_in_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
