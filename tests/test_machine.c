/* The learning network in time: memories, dead zones and slots by themselves; whole slots against plain Runge-Kutta
 * steps of the same equations, and against the closed form where conductances hardly move. */
#include "check.h"
#include "count_alloc.h"
#include "launch.h"

#include "machine/inside.h"
#include "rheo/netlist.h"
#include "run/stepper.h"

#include <signal.h>
#include <unistd.h>

static double draw(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static rh_scheme lobatto(void) {
    const double r = 1 / sqrt(5), c[] = { 0, (1 - r) / 2, (1 + r) / 2, 1 };
    rh_scheme q;
    rh_scheme_build(&q, 4, c);
    return q;
}

/* ---- polynomials ---- */

static void nodes_carry_cubics(void **state) {
    (void)state;
    const rh_scheme q = lobatto();
    const double a[] = { 0.3, -1.2, 2.5, 0.7 };
    double v[4];
    for (int i = 0; i < 4; i++) v[i] = a[0] + q.c[i] * (a[1] + q.c[i] * (a[2] + q.c[i] * a[3]));
    double top = 0;
    for (int j = 0; j < 4; j++) top += q.top[j] * v[j];
    CHECK_NEAR(top, a[3] / 20, 1e-14); /* P_3(2x - 1) = 20 x^3 - ... */
    for (int i = 0; i < 4; i++) {
        double got = 0, area = 0, hull = 0;
        const double x = q.c[i], want = x * (a[0] + x * (a[1] / 2 + x * (a[2] / 3 + x * a[3] / 4)));
        for (int j = 0; j < 4; j++) {
            got += q.power[i][j] * v[j];
            area += q.area[i][j] * v[j];
            hull += q.hull[i][j] * v[j];
        }
        CHECK_NEAR(got, a[i], 1e-13);
        CHECK_NEAR(area, want, 1e-14);
        if (i == 0) CHECK_NEAR(hull, v[0], 1e-14);
        if (i == 3) CHECK_NEAR(hull, v[3], 1e-13);
    }
}

/* ---- memories ---- */

/* The same polynomial as one ramp of the closed form, from rest. */
static void every_memory_answers_as_its_closed_form(void **state) {
    (void)state;
    const rh_scheme q = lobatto();
    const double share[] = { 0.01, 0.3, 1, 7, 200 };
    for (int kernel = 0; kernel < RH_N_KERNEL; kernel++) {
        rh_learn_def d;
        rh_learn_default(&d);
        d.kernel = kernel;
        for (int i = 0; i < RH_KERNELS[kernel]->n_field; i++) d.par[i] = RH_KERNELS[kernel]->fields[i].def;
        rh_filter f;
        RH_KERNELS[kernel]->build(d.par, &f);
        const double time = rh_memory_time(&d);
        assert_true(time > 1e-6 && time < 1e-3);
        double rest[RH_MAX_STATE];
        rh_memory_rest(&f, rest);
        for (int n = 0; n < 5; n++) {
            const double h = share[n] * time, coef[] = { 0.7, 0.4, -0.2, 0.15 };
            const rh_ramp ramp = { h, 0, 1 };
            rh_closed *t = NULL;
            CHECK_OK(rh_closed_open(&t, &f, &ramp, 1, 3, RH_SETTLED, NULL));
            rh_response r;
            rh_response_build(&f, &q, h, &r);
            double s[4], size = 0;
            for (int i = 0; i < 4; i++) {
                s[i] = coef[0];
                for (int j = 1; j < 4; j++) s[i] += coef[j] * rh_basis(j, q.c[i]);
            }
            for (int i = 0; i < 4; i++) size = fmax(size, fabs(rh_closed_u(t, 4, coef, NULL, q.c[i] * h)));
            for (int i = 0; i < 4; i++) {
                double u = 0;
                for (int p = 0; p < f.n; p++) u += r.u_x[i][p] * rest[p] * coef[0];
                for (int j = 0; j < 4; j++) u += r.u_s[i][j] * s[j];
                /* u is a difference of numbers as large as s over the memory's time */
                const double want = rh_closed_u(t, 4, coef, NULL, q.c[i] * h);
                if (!(fabs(u - want) <= 1e-9 * size + 1e-10 / time))
                    fail_msg("%s, step of %g times: u = %.12g, want %.12g", RH_KERNELS[kernel]->name, share[n], u,
                             want);
            }
            rh_closed_close(t);
        }
    }
}

/* ---- dead zones ---- */

static double value(const double *a, double x) { return a[0] + x * (a[1] + x * (a[2] + x * a[3])); }

static void what_passes_a_dead_zone_is_integrated_in_pieces(void **state) {
    (void)state;
    const rh_scheme q = lobatto();
    rh_learn_def d;
    rh_learn_default(&d);
    d.threshold = 2;
    uint64_t seed = 7;
    int n_cut = 0, n_shut = 0, n_open = 0;
    for (int kind = 0; kind < 3; kind++) {
        d.nonlinearity = kind;
        const rh_pump p = rh_pump_of(&d);
        for (int n = 0; n < (kind ? 20 : 300); n++) {
            double a[4], u[4], area[4], want[4] = { 0 }, top, gap;
            const double on[2] = { n % 3 == 1 ? draw(&seed) : 1, n % 3 == 1 ? draw(&seed) : 1 };
            for (int m = 0; m < 4; m++) a[m] = (draw(&seed) - 0.5) * 12;
            if (kind == RH_CUBIC) a[2] = a[3] = 0; /* u^3 is then one as well */
            for (int i = 0; i < 4; i++) u[i] = value(a, q.c[i]);
            const int crossings = rh_pump_write(&p, &q, u, 1, on, area, &top, &gap);
            enum { FINE = 20000 };
            for (int k = 0; k < FINE; k++) {
                const double x = (k + 0.5) / FINE, v = value(a, x);
                const double z = (on[0] + (on[1] - on[0]) * x) * rh_pump_current(&p, v) / FINE;
                for (int i = 1; i < 4; i++)
                    if (x < q.c[i]) want[i] += z;
            }
            /* a moving gate times a cubic is of degree 4: then exact at the end alone */
            for (int i = n % 3 == 1 ? 3 : 1; i < 4; i++) CHECK_NEAR(area[i], want[i], 2e-3);
            if (kind) continue;
            n_cut += crossings > 0;
            n_shut += gap > 0;
            n_open += crossings == 0 && gap == 0;
            if (gap > 0 && area[3] != 0) fail_msg("a zone that is shut wrote %g", area[3]);
        }
    }
    assert_true(n_cut > 150 && n_shut > 5 && n_open > 5);
}

/* ---- slots ---- */

static rh_learn_def machine_def(void) {
    rh_learn_def d;
    rh_learn_default(&d);
    d.rate = 2e-9;
    d.strength = 2e-4;
    d.fast = 10e-6;
    d.slow = 10e-3;
    d.threshold = 40;
    d.between = RH_BETWEEN_GATE;
    return d;
}

static void slots_have_corners_in_order(void **state) {
    (void)state;
    for (int between = 0; between < 4; between++)
        for (int first = 0; first < 2; first++) {
            if (between == RH_BETWEEN_PERIODIC) continue;
            rh_learn_def d = machine_def();
            d.between = between;
            rh_timing t;
            rh_timing_build(&d, &t);
            rh_corner c[RH_MAX_CORNER];
            const int n = rh_timing_corners(&t, first, c);
            assert_true(n > 3 && n <= RH_MAX_CORNER);
            assert_true(c[0].t == 0 && c[n - 1].t == t.period);
            double up = 0, learning = 0;
            for (int i = 1; i < n; i++) {
                assert_true(c[i].t > c[i - 1].t);
                if (c[i - 1].t == t.tooth) {
                    CHECK_NEAR(c[i].t - t.tooth, t.rise, 1e-15);
                    assert_true(c[i - 1].saw == 0 && c[i].saw == 1 && c[i].on == 1 && c[i - 1].on == 1);
                }
                if (c[i].move != c[i - 1].move) assert_true(c[i].saw == 0 && c[i - 1].saw == 0);
                if (between == RH_BETWEEN_GATE && c[i].move != c[i - 1].move)
                    assert_true(c[i].on == 0 && c[i - 1].on == 0);
                up += (c[i].t - c[i - 1].t) * (c[i].saw + c[i - 1].saw) / 2;
                learning += (c[i].t - c[i - 1].t) * (c[i].on + c[i - 1].on) / 2;
            }
            CHECK_REL(up, (t.rise + t.fall) / 2 + t.flat, 1e-12);
            assert_true(learning >= t.rise + t.fall && learning <= t.period);
            assert_true(c[n - 1].move == 1 && c[n - 1].saw == 0);
        }
}

/* ---- whole slots ---- */

/* Input a drives h through R1 and o through R2, R3 leads from h to o, a load from o to ground. Learn R1..R3. */
static const char NETLIST[] = "a bridge\n*@ rheo version=1\n*@ learn R1 R2 R3 min=2u max=200u\nV1 a 0 1\nR1 a h "
                              "12k\nR2 a o 15k\nR3 h o 9k\nRl o 0 10k\n"
                              "Rh h 0 16666.666666666668\n.end\n";
static const double IN[] = { 1, 2.5, 0.5 }, TARGET[] = { 0.7, 1.3, 0.45 };

typedef struct model {
    rheo_circuit *c;
    rh_ports ports;
    rh_samples samples;
    int in_elem, out[1][2];
    double sign;
} model;

static void model_open(model *m, const char *cards) {
    CHECK_OK(rheo_netlist_parse(&m->c, cards, strlen(cards), "net.cir", NULL, NULL, NULL));
    m->in_elem = rheo_circuit_find_element(m->c, "V1");
    m->sign = 1;
    m->out[0][0] = rheo_circuit_find_node(m->c, "o");
    m->out[0][1] = 0;
    m->ports = (rh_ports){ 1, &m->in_elem, &m->sign, 1, (const int(*)[2])m->out };
    m->samples = (rh_samples){ .n = 3, .in = IN, .target = TARGET };
}

static rh_machine *machine_of(model *m, const rh_learn_def *d, double tolerance) {
    const rheo_solver_def solver = rheo_solver_default();
    rh_machine *q = NULL;
    rheo_error err = { 0 };
    if (rh_machine_open(&q, m->c, d, tolerance, &solver, &m->ports, &m->samples, 2, 0.25, NULL, &err) != RHEO_OK)
        fail_msg("%s", err.msg);
    return q;
}

enum { EDGES = 3, STATES = RH_MAX_STATE, MOST = EDGES * (1 + STATES) + 2 };

/* All equations once more: dy/dt of w, memories and, with capacitors, potentials of h and o. */
typedef struct plain {
    rh_learn_def d;
    rh_filter f;
    rh_timing t;
    rh_corner corner[RH_MAX_CORNER];
    int n_corner, from, to;
    double lo, hi, farad; /* bounds, S; F at h and o, 0: none */
    double cube;          /* A/V^3 from o to ground, where there are capacitors */
} plain;

static double at_corner(const plain *p, double t, int what) {
    for (int i = 1; i < p->n_corner; i++) {
        const rh_corner *const a = &p->corner[i - 1], *const b = &p->corner[i];
        if (t > b->t && i + 1 < p->n_corner) continue;
        const double x = (t - a->t) / (b->t - a->t);
        return what == 0   ? a->move + x * (b->move - a->move)
               : what == 1 ? a->saw + x * (b->saw - a->saw)
                           : a->on + x * (b->on - a->on);
    }
    return NAN;
}

static void slopes(const plain *p, double t, const double *y, double *dy) {
    const double move = at_corner(p, t, 0), beta = p->d.strength * at_corner(p, t, 1), on = at_corner(p, t, 2);
    const double v = IN[p->from] + move * (IN[p->to] - IN[p->from]);
    double g[EDGES], h = y[MOST - 2], o = y[MOST - 1];
    for (int k = 0; k < EDGES; k++) g[k] = fmin(fmax(y[k], p->lo), p->hi);
    const double hh = g[0] + g[2] + 60e-6, oo = g[1] + g[2] + 100e-6 + beta, b0 = g[0] * v,
                 b1 = g[1] * v + beta * TARGET[p->to];
    if (p->farad > 0) {
        dy[MOST - 2] = (b0 - hh * h + g[2] * o) / p->farad;
        dy[MOST - 1] = (b1 - oo * o + g[2] * h - p->cube * o * o * o) / p->farad;
    } else {
        const double det = hh * oo - g[2] * g[2];
        h = (b0 * oo + g[2] * b1) / det, o = (b1 * hh + g[2] * b0) / det;
        dy[MOST - 2] = dy[MOST - 1] = 0;
    }
    const double drop[EDGES] = { v - h, v - o, h - o };
    for (int k = 0; k < EDGES; k++) {
        const double s = drop[k] * drop[k] / 2, *const x = y + EDGES + STATES * k;
        double u = (double)p->f.d * s;
        for (int i = 0; i < STATES; i++) dy[EDGES + STATES * k + i] = 0;
        for (int i = 0; i < p->f.n; i++) {
            u += (double)p->f.c[i] * x[i];
            dy[EDGES + STATES * k + i] = (double)p->f.b[i] * s;
            for (int j = 0; j < p->f.n; j++) dy[EDGES + STATES * k + i] += (double)p->f.m[i][j] * x[j];
        }
        const double size = fabs(u), th = p->d.threshold, rim = 0.02 * th;
        double z = u;
        if (p->d.nonlinearity == RH_CUBIC) z = u * u * u / th;
        if (p->d.nonlinearity == RH_DEAD_ZONE && th > 0) z = u * fmin(fmax((size - th) / rim + 0.5, 0), 1);
        const double beyond = fmax(y[k] - p->hi, 0) + fmin(y[k] - p->lo, 0);
        const double rate = p->d.edge_rate ? p->d.edge_rate[k] : p->d.rate;
        dy[k] = -rate / (p->d.strength * fabs(p->f.moment)) * on * z - beyond / 1e-4 - y[k] / 1e5;
    }
}

/* Classical Runge-Kutta from corner to corner, in steps that grow with the time since the last one. */
static void plain_slot(plain *p, double *y, double fine) {
    for (int i = 1; i < p->n_corner; i++) {
        const double end = p->corner[i].t;
        double t = p->corner[i - 1].t;
        const double begin = t;
        while (t < end) {
            double k[4][MOST], x[MOST], h = fine + 0.004 * (t - begin) * (p->farad == 0);
            if (h > 20 * fine) h = 20 * fine;
            if (t + h >= end) h = end - t;
            slopes(p, t, y, k[0]);
            for (int s = 1; s < 4; s++) {
                const double c = s == 3 ? 1 : 0.5;
                for (int j = 0; j < MOST; j++) x[j] = y[j] + c * h * k[s - 1][j];
                slopes(p, t + c * h, x, k[s]);
            }
            for (int j = 0; j < MOST; j++) y[j] += h / 6 * (k[0][j] + 2 * k[1][j] + 2 * k[2][j] + k[3][j]);
            t = t + h >= end ? end : t + h;
        }
    }
}

static void plain_begin(plain *p, const model *m, const rh_learn_def *d, double *y) {
    p->d = *d;
    RH_KERNELS[d->kernel]->build(d->par, &p->f);
    rh_timing_build(d, &p->t);
    p->lo = m->c->g_min[0], p->hi = m->c->g_max[0];
    p->to = 2;
    double dy[MOST], x[RH_MAX_STATE];
    for (int j = 0; j < MOST; j++) y[j] = 0;
    for (int k = 0; k < EDGES; k++) y[k] = m->c->g_init[k] * exp(-0.25 / 1e5);
    const double g0 = y[0], g1 = y[1], g2 = y[2], hh = g0 + g2 + 60e-6, v = IN[2];
    for (int k = 0; k < 200; k++) { /* a contraction: the cube is weak */
        const double oo = g1 + g2 + 100e-6 + p->cube * y[MOST - 1] * y[MOST - 1], det = hh * oo - g2 * g2;
        y[MOST - 2] = (g0 * v * oo + g2 * g1 * v) / det, y[MOST - 1] = (g1 * v * hh + g2 * g0 * v) / det;
    }
    rh_memory_rest(&p->f, x);
    const double drop[EDGES] = { v - y[MOST - 2], v - y[MOST - 1], y[MOST - 2] - y[MOST - 1] };
    for (int k = 0; k < EDGES; k++)
        for (int i = 0; i < p->f.n; i++) y[EDGES + STATES * k + i] = x[i] * drop[k] * drop[k] / 2;
    (void)dy;
}

/* Largest difference of what is stored, relative to the largest change. */
static double against_plain(const char *cards, const rh_learn_def *d, plain p, double tolerance, double fine,
                            int n_slot) {
    model m;
    double y[MOST], worst = 0, change = 0;
    static const int ORDER[] = { 1, 0, 2, 1 };
    model_open(&m, cards);
    rh_machine *const q = machine_of(&m, d, tolerance);
    plain_begin(&p, &m, d, y);
    for (int n = 0; n < n_slot; n++) {
        CHECK_OK(rh_machine_slot(q, ORDER[n % 4], NULL));
        p.from = p.to, p.to = ORDER[n % 4];
        p.n_corner = rh_timing_corners(&p.t, n == 0, p.corner);
        plain_slot(&p, y, fine);
    }
    for (int k = 0; k < EDGES; k++) {
        worst = fmax(worst, fabs(rh_machine_stored(q)[k] - y[k]));
        change = fmax(change, fabs(y[k] - m.c->g_init[k]));
        CHECK_REL(rh_machine_g(q)[k], fmin(fmax(y[k], p.lo), p.hi), 1e-3);
    }
    assert_true(change > 1e-4 * m.c->g_init[0]);
    rh_machine_close(q);
    rheo_circuit_destroy(m.c);
    return worst / change;
}

static double against_plain_steps(const char *cards, const rh_learn_def *d, double farad, double tolerance, double fine,
                                  int n_slot) {
    return against_plain(cards, d, (plain){ .farad = farad }, tolerance, fine, n_slot);
}

static void slots_agree_with_plain_steps(void **state) {
    (void)state;
    static const int SLOTS = 3;
    for (int kernel = 0; kernel < RH_N_KERNEL; kernel++)
        for (int kind = 0; kind < 3; kind++) {
            rh_learn_def d = machine_def();
            d.kernel = kernel;
            for (int i = 0; i < RH_KERNELS[kernel]->n_field; i++) d.par[i] = RH_KERNELS[kernel]->fields[i].def;
            d.nonlinearity = kind;
            d.between = kind == 1 ? RH_BETWEEN_RAMP : kind == 2 ? RH_BETWEEN_CARRY : RH_BETWEEN_GATE;
            d.ramp = 30e-3;
            if (kind == RH_NONE) d.par[kernel == 1 ? 2 : 1] = kernel == 2 ? 500 : 2e-3; /* else nothing is left */
            if (kind == RH_CUBIC) d.rate /= 2e4;
            if (kind == RH_NONE) d.rate /= 20;
            const double gap = against_plain_steps(NETLIST, &d, 0, 1e-8, 0.25e-6, SLOTS);
            print_message("%s, %s: %.2g\n", RH_KERNELS[kernel]->name, RH_NONLINEARITIES[kind], gap);
            /* plain steps do not know where the dead zone begins */
            if (!(gap <= (kind == RH_DEAD_ZONE ? 5e-5 : 1e-5)))
                fail_msg("%s, %s: %g", RH_KERNELS[kernel]->name, RH_NONLINEARITIES[kind], gap);
        }
}

/* The smaller the error allowed, the smaller the error. */
static void the_tolerance_is_kept(void **state) {
    (void)state;
    rh_learn_def d = machine_def();
    const double rough = against_plain_steps(NETLIST, &d, 0, 1e-3, 0.1e-6, 2),
                 fine = against_plain_steps(NETLIST, &d, 0, 1e-7, 0.1e-6, 2);
    print_message("difference from plain steps: %.2g at 1e-3, %.2g at 1e-7\n", rough, fine);
    assert_true(rough < 3e-2);
    assert_true(fine < 1e-5);
    assert_true(fine < rough);
}

/* An edge faster than the rest, one that stands still. */
static void edges_have_their_rates(void **state) {
    (void)state;
    rh_learn_def d = machine_def();
    const double rate[EDGES] = { 2 * d.rate, 0, 0.5 * d.rate };
    d.edge_rate = rate;
    const double gap = against_plain_steps(NETLIST, &d, 0, 1e-8, 0.25e-6, 3);
    if (!(gap <= 5e-5)) fail_msg("%g", gap);
}

/* A rate at which R3 is driven beyond its bounds. */
static void rails_hold_as_in_the_deck(void **state) {
    (void)state;
    rh_learn_def d = machine_def();
    d.rate = 3e-8;
    static const char NARROW[] =
        "a bridge\n*@ rheo version=1\n*@ learn R1 R2 R3 min=60u max=90u\nV1 a 0 1\nR1 a h 12k\nR2 a o 15k\nR3 h o 12k\n"
        "Rl o 0 10k\nRh h 0 16666.666666666668\n.end\n";
    const double gap = against_plain_steps(NARROW, &d, 0, 1e-8, 0.1e-6, 4);
    if (!(gap <= 2e-3)) fail_msg("%g", gap);
}

static void capacitors_move_with_the_rest(void **state) {
    (void)state;
    rh_learn_def d = machine_def();
    d.slow = 2e-3;
    d.fast = 20e-6;
    d.threshold = 60;
    static const char CHARGED[] =
        "a bridge\n*@ rheo version=1\n*@ learn R1 R2 R3 min=2u max=200u\nV1 a 0 1\nR1 a h 12k\nR2 a o 15k\nR3 h o 9k\n"
        "Rl o 0 10k\nRh h 0 16666.666666666668\nC1 h 0 2n\nC2 o 0 2n\n.end\n";
    const double with = against_plain_steps(CHARGED, &d, 2e-9, 1e-7, 0.05e-6, 2);
    if (!(with <= 1e-4)) fail_msg("with capacitors: %g", with);
    /* they matter here: without them the machine ends elsewhere */
    const double without = against_plain_steps(NETLIST, &d, 2e-9, 1e-7, 0.05e-6, 2);
    print_message("with capacitors %.2g; leaving them out %.2g\n", with, without);
    assert_true(without > 30 * with);
}

/* The same where the network is not linear. */
#define BENT_CARDS                                                                                                  \
    "a bridge\n*@ rheo version=1\n*@ learn R1 R2 R3 min=2u max=200u\nV1 a 0 1\nR1 a h 12k\nR2 a o 15k\nR3 h o 9k\n" \
    "Rl o 0 10k\nRh h 0 16666.666666666668\nC1 h 0 2n\nC2 o 0 2n\nB1 o 0 i={40u*V(o)*V(o)*V(o)}\n"

static void capacitors_move_in_bent_networks(void **state) {
    (void)state;
    rh_learn_def d = machine_def();
    d.slow = 2e-3;
    d.fast = 20e-6;
    d.threshold = 60;
    const plain p = { .farad = 2e-9, .cube = 40e-6 };
    const double rough = against_plain(BENT_CARDS ".end\n", &d, p, 1e-6, 0.05e-6, 2),
                 fine = against_plain(BENT_CARDS ".end\n", &d, p, 1e-8, 0.05e-6, 2);
    print_message("with capacitors and a cube %.2g at 1e-6, %.2g at 1e-8\n", rough, fine);
    assert_true(rough < 3e-3);
    if (!(fine <= 5e-5)) fail_msg("%g", fine);
}

static void steps_allocate_nothing(void **state) {
    (void)state;
    if (!COUNTING) skip();
    const rh_learn_def d = machine_def();
    model m;
    model_open(&m, NETLIST);
    rh_machine *const q = machine_of(&m, &d, 1e-6);
    CHECK_OK(rh_machine_slot(q, 1, NULL));
    const long before = n_alloc;
    for (int n = 0; n < 6; n++)
        if (rh_machine_slot(q, n % 3, NULL) != RHEO_OK) fail();
    assert_int_equal(n_alloc, before);
    const rh_machine_stats st = rh_machine_statistics(q);
    assert_int_equal(st.n_slot, 7);
    assert_true(st.n_step > 70 && st.n_crossing >= 7);
    assert_true(st.n_factor < st.n_point); /* where nothing is written the factors serve on */
    rh_machine_close(q);
    rheo_circuit_destroy(m.c);
    model_open(&m, BENT_CARDS ".end\n");
    rh_machine *const bent = machine_of(&m, &d, 1e-5);
    CHECK_OK(rh_machine_slot(bent, 1, NULL));
    const long now = n_alloc;
    CHECK_OK(rh_machine_slot(bent, 0, NULL));
    assert_int_equal(n_alloc, now);
    rh_machine_close(bent);
    rheo_circuit_destroy(m.c);
}

/* ---- against the closed form ---- */

/* Largest difference of the changes in one epoch, relative to the largest change. */
static double against_closed(const rh_learn_def *d) {
    model m;
    model_open(&m, NETLIST);
    rh_machine *const q = machine_of(&m, d, 1e-9);
    rh_learner *l = NULL;
    rheo_error err = { 0 };
    if (rh_learner_open(&l, m.c, d, NULL, &m.ports, &m.samples, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    double worst = 0, change = 0;
    rh_timing t;
    rh_timing_build(d, &t);
    for (int n = 0; n < 3; n++) {
        CHECK_OK(rh_machine_slot(q, n, NULL));
        CHECK_OK(rh_learner_step(l, &n, 1, NULL));
    }
    for (int k = 0; k < EDGES; k++) {
        const double leak = exp(-(0.25 + 3 * t.period) / 1e5), dg = rh_learner_g(l)[k] - m.c->g_init[k];
        worst = fmax(worst, fabs(rh_machine_g(q)[k] / leak - m.c->g_init[k] - dg));
        change = fmax(change, fabs(dg));
    }
    rh_learner_close(l);
    rh_machine_close(q);
    rheo_circuit_destroy(m.c);
    return worst / change;
}

static void the_closed_form_is_the_limit_of_low_rates(void **state) {
    (void)state;
    for (int kernel = 0; kernel < RH_N_KERNEL; kernel++)
        for (int kind = 0; kind < 2; kind++) {
            rh_learn_def d = machine_def();
            d.kernel = kernel;
            for (int i = 0; i < RH_KERNELS[kernel]->n_field; i++) d.par[i] = RH_KERNELS[kernel]->fields[i].def;
            d.nonlinearity = kind;
            d.strength = 5e-5;
            const double unit = d.strength * (kind ? 1e-9 : 1e-5);
            d.rate = unit;
            const double high = against_closed(&d);
            d.rate = unit / 4;
            const double low = against_closed(&d);
            print_message("%s, %s: %.2g, at a quarter of the rate %.2g\n", RH_KERNELS[kernel]->name,
                          RH_NONLINEARITIES[kind], high, low);
            assert_true(high < 0.3);
            assert_true(low < high / 2 || low < 2e-3);
            assert_true(low < 0.03);
        }
}

/* ---- refusals ---- */

static void what_no_machine_can_do_is_refused(void **state) {
    (void)state;
    model m;
    model_open(&m, NETLIST);
    for (int i = 0; i < 5; i++) {
        rh_learn_def d = machine_def();
        if (i == 0) d.rule = RH_RULE_CONTRASTIVE;
        if (i == 1) d.nudge = RH_NUDGE_CURRENT;
        if (i == 2) d.loss = RH_LOSS_HINGE;
        if (i == 3) d.protocol = rh_protocol_find("square");
        if (i == 4) d.between = RH_BETWEEN_PERIODIC;
        const rheo_solver_def solver = rheo_solver_default();
        rh_machine *q = NULL;
        rheo_error err = { 0 };
        assert_int_equal(rh_machine_open(&q, m.c, &d, 1e-6, &solver, &m.ports, &m.samples, 0, 0, NULL, &err),
                         RHEO_E_USAGE);
        assert_int_equal(err.code, RH_CODE_MACHINE);
        assert_true(err.hint[0]);
        assert_null(q);
    }
    rheo_circuit_destroy(m.c);
    assert_non_null(rheo_explain(RH_CODE_MACHINE, NULL));
    assert_non_null(rheo_explain(RH_CODE_SHORT, NULL));
}

/* ---- as a user runs it ---- */

static const char CIRCUIT[] =
    "three edges\n*@ rheo version=1\n*@ learn R1 R2 R3 min=2u max=200u\nV1 a 0 1\nR1 a h 12k\n"
    "R2 a o 15k\nR3 h o 9k\nRl o 0 10k\nRh h 0 16k\n.end\n";
static const char YAML[] =
    "version: 1\nnetlist: net.cir\n"
    "task: {kind: table, inputs: [a], outputs: [o], rows: [{in: [1], out: [0.6]}, {in: [2], out: "
    "[1.1]}, {in: [0.5], out: [0.3]}]}\n"
    "learning: {rate: 2n, nudge: {kind: conductance, strength: 200u}}\n"
    "protocol: {fast: 10u, slow: 10m, between: gate}\n"
    "memory: {tau: 50u, threshold: 40}\n"
    "solver: {engine: transient}\nrun: {epochs: 40, checkpoint: 3}\n";

static void same_bytes(const char *a, const char *b, const char *name) {
    size_t n_a, n_b;
    char *const x = scratch_read(a, name, &n_a), *const y = scratch_read(b, name, &n_b);
    if (!x || !y || n_a != n_b || memcmp(x, y, n_a) != 0) fail_msg("%s differs", name);
    free(x);
    free(y);
}

static void resume_anywhere(const char *cards) {
    char *const dir = scratch_create();
    char exp[200], whole[200], parts[200];
    launched r;
    snprintf(exp, sizeof exp, "%s/exp.yaml", dir);
    snprintf(whole, sizeof whole, "%s/whole", dir);
    snprintf(parts, sizeof parts, "%s/parts", dir);
    scratch_write(dir, "net.cir", cards);
    scratch_write(dir, "exp.yaml", YAML);
    launch_with(&r, "train", "--json", "-o", whole, exp, NULL);
    if (r.exit != 0) fail_msg("%s", r.err);
    assert_non_null(strstr(r.out, "\"event\":\"done\""));
    launch_free(&r);
    bool interrupted = false;
    for (int delay = 2; delay < 40; delay += 3) { /* killed somewhere, then resumed */
        const pid_t pid = launch_start((const char *const[]){ "train", "-q", "--force", "-o", parts, exp, NULL });
        usleep((useconds_t)(1000 * delay));
        int code = 0;
        if (!launch_ended(pid, &code)) {
            kill(pid, SIGKILL);
            launch_wait(pid);
            interrupted = true;
        }
        launch_with(&r, "resume", "-q", parts, NULL);
        const bool begun = r.exit == 0;
        launch_free(&r);
        if (!begun) continue; /* killed before there was a run */
        same_bytes(whole, parts, "result.npz");
        same_bytes(whole, parts, "trained.cir");
    }
    assert_true(interrupted);
    scratch_remove(dir);
}

static void resumed_runs_end_as_if_uninterrupted(void **state) {
    (void)state;
    resume_anywhere(CIRCUIT);
    resume_anywhere(BENT_CARDS ".end\n");
}

static void settings_that_do_not_go_together_are_named(void **state) {
    (void)state;
    static const char *const SETS[][2] = { { "learning.rule=eqprop", "E370" },
                                           { "protocol.between=periodic", "E370" },
                                           { "run.batch=0", "E174" },
                                           { "solver.backend=ngspice", "E174" },
                                           { "solver.engine=transent", "transient" },
                                           { "solver.tolerance=0.5", "tolerance" } };
    char *const dir = scratch_create();
    char exp[200], run[200];
    snprintf(exp, sizeof exp, "%s/exp.yaml", dir);
    snprintf(run, sizeof run, "%s/run", dir);
    scratch_write(dir, "net.cir", CIRCUIT);
    scratch_write(dir, "exp.yaml", YAML);
    for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        launched r;
        launch_with(&r, "train", "-q", "-o", run, "--set", SETS[i][0], exp, NULL);
        if (r.exit == 0 || !strstr(r.err, SETS[i][1])) fail_msg("%s: %d %s", SETS[i][0], r.exit, r.err);
        launch_free(&r);
    }
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_carry_cubics),
        cmocka_unit_test(every_memory_answers_as_its_closed_form),
        cmocka_unit_test(what_passes_a_dead_zone_is_integrated_in_pieces),
        cmocka_unit_test(slots_have_corners_in_order),
        cmocka_unit_test(slots_agree_with_plain_steps),
        cmocka_unit_test(the_tolerance_is_kept),
        cmocka_unit_test(edges_have_their_rates),
        cmocka_unit_test(rails_hold_as_in_the_deck),
        cmocka_unit_test(capacitors_move_with_the_rest),
        cmocka_unit_test(capacitors_move_in_bent_networks),
        cmocka_unit_test(steps_allocate_nothing),
        cmocka_unit_test(the_closed_form_is_the_limit_of_low_rates),
        cmocka_unit_test(what_no_machine_can_do_is_refused),
        cmocka_unit_test(resumed_runs_end_as_if_uninterrupted),
        cmocka_unit_test(settings_that_do_not_go_together_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
