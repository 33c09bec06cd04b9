/* The memory of an edge: kernels, closed-form cycles against two independent oracles (closed forms of the sawtooth, and
 * a Runge-Kutta integration of the kernel's own equations), the published tables, and what the writer promises about
 * bytes. */
#include "check.h"

#include "memory/block.h"
#include "rheo/memory.h"

#include <stdlib.h>

enum { LEAKY, FEEDBACK, CHEMOTAXIS };
static const double CALM[3][RH_MAX_PAR] = { { 0.05, INFINITY }, { 0.01, 0.05, INFINITY }, { 20, 0 } }; /* no area */
static const double LEAKS[3][RH_MAX_PAR] = { { 0.05, 2 }, { 0.03, 0.05, 3 }, { 20, 0.05 } };           /* some */

static rh_closed *open_cycle(int kernel, const double *par, const char *protocol, double fast, double slow, int degree,
                             rh_start start) {
    rh_filter f;
    rh_ramp ramp[RH_MAX_RAMP];
    rh_closed *t = NULL;
    rheo_error err = { 0 };
    RH_KERNELS[kernel]->build(par, &f);
    const int n = RH_PROTOCOLS[rh_protocol_find(protocol)]->build(fast, slow, ramp);
    if (rh_closed_open(&t, &f, ramp, n, degree, start, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return t;
}

static void write_edges(const rh_closed *t, double threshold, int n, int n_coef, const double *coef,
                        const rh_carry *carry, double *dw) {
    const rh_write_def def = { .nonlinearity = RH_DEAD_ZONE, .threshold = threshold };
    double *const work = calloc(rh_closed_work(t), sizeof *work);
    assert_non_null(work);
    rh_closed_write(t, &def, n, n_coef, coef, n, carry, dw, NULL, NULL, work);
    free(work);
}

static double write_one(const rh_closed *t, double threshold, int n_coef, const double *coef) {
    double dw = NAN;
    write_edges(t, threshold, 1, n_coef, coef, NULL, &dw);
    return dw;
}

/* A cycle by name, as a user asks for it. */
typedef struct asked {
    const char *kernel, *param[3];
    int n_param;
    double fast, slow, threshold, average;
} asked;

static rheo_cycle_def cycle_of(const asked *a) {
    rheo_cycle_def def = rheo_cycle_default();
    def.kernel = a->kernel;
    def.param = a->param;
    def.n_param = a->n_param;
    def.fast = a->fast;
    def.slow = a->slow;
    def.threshold = a->threshold;
    def.average = a->average;
    return def;
}

/* ---- protocols and basis ---- */

static void protocols_are_what_they_say(void **state) {
    (void)state;
    rh_ramp r[RH_MAX_RAMP];
    for (int i = 0; i < RH_N_PROTOCOL; i++) {
        double total = 0;
        const int n = RH_PROTOCOLS[i]->build(2, 5, r);
        assert_int_equal(rh_protocol_find(RH_PROTOCOLS[i]->name), i);
        for (int k = 0; k < n; k++) total += r[k].duration;
        CHECK_NEAR(total, 7, 1e-15);
    }
    assert_int_equal(rh_protocol_find("saw"), -1);
    assert_int_equal(RH_PROTOCOLS[rh_protocol_find("Sawtooth")]->build(2, 5, r), 2);
    assert_true(r[0].duration == 2 && r[0].h0 == 0 && r[0].h1 == 1 && r[1].duration == 5 && r[1].h0 == 1 &&
                r[1].h1 == 0);
    assert_int_equal(RH_PROTOCOLS[rh_protocol_find("triangle")]->build(2, 5, r), 2);
    assert_true(r[0].duration == 3.5 && r[1].duration == 3.5 && r[1].h0 == 1 && r[1].h1 == 0);
    assert_int_equal(RH_PROTOCOLS[rh_protocol_find("square")]->build(2, 5, r), 2);
    assert_true(r[0].duration == 2 && r[0].h0 == 1 && r[0].h1 == 1 && r[1].h0 == 0 && r[1].h1 == 0);
}

static void transform_interpolates(void **state) {
    (void)state;
    for (int n = 1; n <= RH_MAX_DEGREE; n++) {
        double w[(RH_MAX_DEGREE + 1) * (RH_MAX_DEGREE + 1)], s[RH_MAX_DEGREE + 1], c[RH_MAX_DEGREE + 1] = { 0 };
        rh_basis_transform(n, w);
        for (int i = 0; i <= n; i++) s[i] = sin(3.0 * i + n);
        for (int j = 0; j <= n; j++)
            for (int i = 0; i <= n; i++) c[j] += w[j * (n + 1) + i] * s[i];
        assert_true(c[0] == s[0]);
        for (int i = 0; i <= n; i++) {
            const double h = (1 - cos(3.14159265358979323846 * i / n)) / 2;
            double sum = c[0];
            for (int j = 1; j <= n; j++) sum += c[j] * rh_basis(j, h);
            CHECK_NEAR(sum, s[i], 2e-14);
        }
    }
    for (int j = 1; j <= RH_MAX_DEGREE; j++) {
        assert_true(rh_basis(j, 0) == 0);
        CHECK_NEAR(rh_basis(j, 0.3), cos(j * acos(-0.4)) - cos(j * 3.14159265358979323846), 1e-13);
    }
}

/* ---- kernels ---- */

static long double determinant(const rh_filter *f, long double m[3][3]) {
    if (f->n == 1) return m[0][0];
    if (f->n == 2) return m[0][0] * m[1][1] - m[0][1] * m[1][0];
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

/* x = M^{-1} y by Cramer's rule. */
static void cramer(const rh_filter *f, const long double *y, long double *x) {
    long double m[3][3];
    memcpy(m, f->m, sizeof m);
    const long double det = determinant(f, m);
    for (int j = 0; j < f->n; j++) {
        memcpy(m, f->m, sizeof m);
        for (int i = 0; i < f->n; i++) m[i][j] = y[i];
        x[j] = determinant(f, m) / det;
    }
}

static void kernels_state_their_area_and_moment(void **state) {
    (void)state;
    for (int k = 0; k < RH_N_KERNEL; k++) {
        assert_int_equal(rh_kernel_find(RH_KERNELS[k]->name), k);
        for (int v = 0; v < 2; v++) {
            rh_filter f;
            long double x[3], y[3], area, moment = 0;
            RH_KERNELS[k]->build(v ? LEAKS[k] : CALM[k], &f);
            cramer(&f, f.b, x);
            cramer(&f, x, y);
            area = f.d;
            for (int i = 0; i < f.n; i++) {
                area -= f.c[i] * x[i];
                moment += f.c[i] * y[i];
            }
            CHECK_NEAR(f.area, (double)area, 1e-14);
            CHECK_NEAR(f.moment, (double)moment, 1e-14);
            if (v == 0) assert_true(f.area == 0 && f.moment == -1);
        }
    }
    rh_filter f;
    RH_KERNELS[LEAKY]->build(LEAKS[LEAKY], &f);
    CHECK_REL(f.area, 1 / 2.05, 1e-15);
    CHECK_REL(f.moment, -(2 / 2.05) * (2 / 2.05), 1e-15);
}

/* On a long ramp of unit slope every kernel reads 1, and long after a step it reads its area times the step. */
static void ramps_read_their_slope_and_steps_leave_no_trace(void **state) {
    (void)state;
    for (int k = 0; k < RH_N_KERNEL; k++) {
        const double ramp[] = { -3, 4.5 }, step[] = { 0, 0.5 };
        rh_closed *t = open_cycle(k, CALM[k], "sawtooth", 9, 90, 1, RH_SETTLED);
        CHECK_NEAR(rh_closed_u(t, 2, ramp, NULL, 8.9), 1, 1e-13);
        CHECK_NEAR(rh_closed_u(t, 2, ramp, NULL, 98.9), -0.1, 1e-14);
        rh_closed_close(t);
        t = open_cycle(k, CALM[k], "square", 9, 90, 1, RH_SETTLED);
        CHECK_NEAR(rh_closed_u(t, 2, step, NULL, 8.9), 0, 1e-15);
        rh_closed_close(t);
        rh_filter f;
        RH_KERNELS[k]->build(LEAKS[k], &f);
        t = open_cycle(k, LEAKS[k], "square", 900, 90, 1, RH_SETTLED);
        CHECK_REL(rh_closed_u(t, 2, step, NULL, 899), f.area, 1e-14);
        rh_closed_close(t);
    }
}

/* ---- oracle 1: the periodic sawtooth in closed form ---- */

typedef struct saw {
    int kernel; /* LEAKY or CHEMOTAXIS, no area */
    long double fast, slow, amplitude;
} saw;

/* Falk et al. (2025): with r(t) the integral of K(x)(t - x) over x > t and rho its periodic sum,
 * u = p1 - P rho(t) + P rho(t + slow) on the fast ramp, -p2 - P rho(t + fast) + P rho(t) on the slow one. */
static long double rho(const saw *w, long double t) {
    long double sum = 0;
    for (int n = 0; n < 100; n++) {
        const long double y = (t + n * (w->fast + w->slow)) * 20;
        const long double term = w->kernel == LEAKY ? expl(-y) : expl(-y) * (1 + y + y * y / 2);
        sum += term;
        if (y > 60) break;
    }
    return sum;
}

static long double saw_u(const saw *w, long double x) {
    const long double p1 = w->amplitude / w->fast, p2 = w->amplitude / w->slow, both = p1 + p2;
    if (x < w->fast) return p1 - both * rho(w, x) + both * rho(w, x + w->slow);
    return -p2 - both * rho(w, x) + both * rho(w, x - w->fast);
}

typedef long double (*u_of)(const void *ctx, long double x);
static long double saw_at(const void *ctx, long double x) { return saw_u(ctx, x); }

static long double gauss_piece(u_of u, const void *ctx, long double a, long double b) {
    static const long double x[5] = { 0.1488743389816312108848L, 0.4333953941292471907993L, 0.6794095682990244062343L,
                                      0.8650633666889845107321L, 0.9739065285171717200780L };
    static const long double w[5] = { 0.2955242247147528701739L, 0.2692667193099963550912L, 0.2190863625159820439955L,
                                      0.1494513491505805931458L, 0.0666713443086881375936L };
    const long double m = (a + b) / 2, h = (b - a) / 2;
    long double sum = 0;
    for (int i = 0; i < 5; i++) sum += w[i] * (u(ctx, m - h * x[i]) + u(ctx, m + h * x[i]));
    return h * sum;
}

static long double bisect(u_of u, const void *ctx, long double level, long double a, long double b) {
    const bool rises = u(ctx, b) > level;
    for (int i = 0; i < 70; i++) {
        const long double m = (a + b) / 2;
        if ((u(ctx, m) > level) == rises)
            b = m;
        else
            a = m;
    }
    return (a + b) / 2;
}

/* Integral of u where |u| >= theta (or below it) on a piece in which u crosses each level at most once. */
static long double sorted_piece(u_of u, const void *ctx, long double theta, bool below, long double a, long double b) {
    long double at[4] = { a, b, b, b }, sum = 0;
    int n = 1;
    const long double ua = u(ctx, a), ub = u(ctx, b);
    for (int i = 0; i < 2; i++) {
        const long double level = (i == 0) == (ua > ub) ? theta : -theta; /* the one met first, first */
        if ((ua > level) != (ub > level)) at[n++] = bisect(u, ctx, level, a, b);
    }
    at[n] = b;
    for (int i = 0; i < n; i++)
        if ((fabsl(u(ctx, (at[i] + at[i + 1]) / 2)) < theta) == below) sum += gauss_piece(u, ctx, at[i], at[i + 1]);
    return sum;
}

static long double dead_zone_piece(u_of u, const void *ctx, long double theta, long double a, long double b) {
    return sorted_piece(u, ctx, theta, false, a, b);
}

/* u integrates to 0 over the cycle, so far above threshold what is below it says more precisely what is above. */
static long double saw_dw(const saw *w, long double theta) {
    const bool below = w->amplitude > theta * w->slow;
    const long double from[] = { 0, w->fast }, length[] = { w->fast, w->slow };
    long double sum = 0;
    for (int k = 0; k < 2; k++) {
        const long double dense = fminl(length[k], 2.5L); /* 50 time constants; nothing moves after */
        for (int i = 0; i < 250; i++)
            sum += sorted_piece(saw_at, w, theta, below, from[k] + dense * i / 250, from[k] + dense * (i + 1) / 250);
        if (length[k] > dense) sum += sorted_piece(saw_at, w, theta, below, from[k] + dense, from[k] + length[k]);
    }
    return below ? -sum : sum;
}

/* Over all regimes, to 1e-12 of the amplitude and to 1e-9 of dw itself, however small: far above threshold on both
 * ramps the two lobes cancel to a thousandth of a millionth. */
static void sawtooth_agrees_with_the_closed_form(void **state) {
    (void)state;
    const double times[][2] = { { 1, 9 }, { 0.1, 9 }, { 0.02, 0.3 }, { 3, 300 }, { 2, 0.5 } };
    for (int kernel = 0; kernel <= CHEMOTAXIS; kernel += CHEMOTAXIS) {
        for (int i = 0; i < RH_COUNT(times); i++) {
            rh_closed *t = open_cycle(kernel, CALM[kernel], "sawtooth", times[i][0], times[i][1], 1, RH_PERIODIC);
            for (double a = 0.013; a < 1e5; a *= 1.93) {
                const saw w = { kernel, times[i][0], times[i][1], a };
                const double theta = 1.7, coef[] = { -a / 2, a / 2 };
                const double want = (double)saw_dw(&w, theta), got = write_one(t, theta, 2, coef);
                CHECK_NEAR(got, want, 1e-12 * a);
                CHECK_NEAR(got, want, 1e-9 * fabs(want) + 1e-16);
            }
            rh_closed_close(t);
        }
    }
}

/* ---- oracle 2: Runge-Kutta on x' = M x + b s, as the kernel is written down ---- */

typedef struct rk {
    rh_filter f;
    rh_ramp ramp;
    int n_coef;
    const double *coef;
} rk;

static long double s_of(const rk *o, long double h, long double *slope) {
    long double s = o->coef[0], before = 1, now = 2 * h - 1, d_before = 0, d_now = 2;
    *slope = 0;
    for (int j = 1; j < o->n_coef; j++) {
        s += o->coef[j] * (now - (j % 2 ? -1 : 1));
        *slope += o->coef[j] * d_now;
        const long double next = 2 * (2 * h - 1) * now - before, d_next = 4 * now + 2 * (2 * h - 1) * d_now - d_before;
        before = now;
        now = next;
        d_before = d_now;
        d_now = d_next;
    }
    return s;
}

static void rate(const rk *o, long double t, const long double *x, long double *dx, long double *u, long double *du) {
    long double slope;
    const long double dh = (o->ramp.h1 - o->ramp.h0) / (long double)o->ramp.duration;
    const long double s = s_of(o, o->ramp.h0 + dh * t, &slope);
    *u = o->f.d * s;
    *du = o->f.d * slope * dh;
    for (int i = 0; i < o->f.n; i++) {
        dx[i] = o->f.b[i] * s;
        for (int j = 0; j < o->f.n; j++) dx[i] += o->f.m[i][j] * x[j];
        *u += o->f.c[i] * x[i];
        *du += o->f.c[i] * dx[i];
    }
}

typedef struct hermite {
    long double h, u0, u1, d0, d1;
} hermite;

static long double hermite_at(const void *ctx, long double x) {
    const hermite *const c = ctx;
    const long double s = x / c->h, r = 1 - s;
    return r * r * (1 + 2 * s) * c->u0 + s * s * (1 + 2 * r) * c->u1 + c->h * (r * r * s * c->d0 - s * s * r * c->d1);
}

/* One ramp; x is moved, u_max and u_min widened; returns the dead-zone integral, or that of u^3 for theta < 0. */
static long double march(const rk *o, int n_step, long double theta, long double *x, double *u_max, double *u_min) {
    const long double h = (long double)o->ramp.duration / n_step;
    long double sum = 0;
    for (int i = 0; i < n_step; i++) {
        long double k[4][3], y[3], u, du;
        hermite c = { .h = h };
        rate(o, i * h, x, k[0], &c.u0, &c.d0);
        for (int stage = 1; stage < 4; stage++) {
            const long double part = stage == 3 ? h : h / 2;
            for (int j = 0; j < o->f.n; j++) y[j] = x[j] + part * k[stage - 1][j];
            rate(o, i * h + part, y, k[stage], &u, &du);
        }
        for (int j = 0; j < o->f.n; j++) x[j] += h / 6 * (k[0][j] + 2 * k[1][j] + 2 * k[2][j] + k[3][j]);
        rate(o, (i + 1) * h, x, y, &c.u1, &c.d1);
        *u_max = fmax(*u_max, (double)fmaxl(c.u0, c.u1));
        *u_min = fmin(*u_min, (double)fminl(c.u0, c.u1));
        if (theta >= 0) {
            sum += dead_zone_piece(hermite_at, &c, theta, 0, h);
        } else {
            const long double mid = hermite_at(&c, h / 2), q1 = hermite_at(&c, h / 4), q3 = hermite_at(&c, 3 * h / 4);
            sum += h / 90 *
                   (7 * c.u0 * c.u0 * c.u0 + 32 * q1 * q1 * q1 + 12 * mid * mid * mid + 32 * q3 * q3 * q3 +
                    7 * c.u1 * c.u1 * c.u1);
        }
    }
    return sum;
}

typedef struct answer {
    double dw, u_max, u_min;
} answer;

/* x [3]: state at the start and end. */
static answer march_cycle(int kernel, const double *par, const char *protocol, double fast, double slow, int n_coef,
                          const double *coef, double theta, int n_step, long double *x) {
    rk o = { .n_coef = n_coef, .coef = coef };
    rh_ramp ramp[RH_MAX_RAMP];
    answer a = { 0, -INFINITY, INFINITY };
    long double sum = 0;
    RH_KERNELS[kernel]->build(par, &o.f);
    const int n = RH_PROTOCOLS[rh_protocol_find(protocol)]->build(fast, slow, ramp);
    for (int k = 0; k < n; k++) {
        o.ramp = ramp[k];
        sum += march(&o, n_step, theta, x, &a.u_max, &a.u_min);
    }
    a.dw = (double)sum;
    return a;
}

static void rest_state(int kernel, const double *par, double s, long double *x) {
    rh_filter f;
    long double b[3];
    RH_KERNELS[kernel]->build(par, &f);
    for (int i = 0; i < f.n; i++) b[i] = -f.b[i] * s;
    cramer(&f, b, x);
}

static answer closed_answer(const rh_closed *t, rh_nonlinearity g, double theta, int n_coef, const double *coef,
                            const rh_carry *carry) {
    const rh_write_def def = { g, theta };
    answer a = { NAN, NAN, NAN };
    double *const work = calloc(rh_closed_work(t), sizeof *work);
    assert_non_null(work);
    rh_closed_write(t, &def, 1, n_coef, coef, 1, carry, &a.dw, &a.u_max, &a.u_min, work);
    free(work);
    return a;
}

static void check_answer(answer got, answer want, double dw_tol, double u_tol) {
    CHECK_NEAR(got.dw, want.dw, dw_tol);
    CHECK_NEAR(got.u_max, want.u_max, u_tol);
    CHECK_NEAR(got.u_min, want.u_min, u_tol);
}

/* s(h) of degree 6, not monotone within the ramp, every kernel with and without area, every protocol. */
static const double WAVY[] = { 0.3, 2.1, -1.3, 0.9, 0.55, -0.4, 0.25 };

static void polynomial_s_agrees_with_runge_kutta(void **state) {
    (void)state;
    const char *const protocol[] = { "sawtooth", "triangle", "square" };
    for (int kernel = 0; kernel < 3; kernel++) {
        for (int p = 0; p < 6; p++) {
            const double *const par = p % 2 ? LEAKS[kernel] : CALM[kernel];
            const double theta = 1.5 + 0.31 * kernel;
            long double x[3];
            rh_closed *t = open_cycle(kernel, par, protocol[p / 2], 0.4, 1, 6, RH_SETTLED);
            rest_state(kernel, par, WAVY[0], x);
            const answer want = march_cycle(kernel, par, protocol[p / 2], 0.4, 1, 7, WAVY, theta, 16000, x);
            check_answer(closed_answer(t, RH_DEAD_ZONE, theta, 7, WAVY, NULL), want, 1e-9, 1e-4);
            rest_state(kernel, par, WAVY[0], x);
            const double cube = march_cycle(kernel, par, protocol[p / 2], 0.4, 1, 7, WAVY, -1, 16000, x).dw;
            const double size = pow(fmax(want.u_max, -want.u_min), 3); /* large lobes of both signs */
            CHECK_NEAR(closed_answer(t, RH_CUBIC, 2.5, 7, WAVY, NULL).dw, cube / 2.5, 1e-11 * size);
            CHECK_NEAR(closed_answer(t, RH_CUBIC, 0, 7, WAVY, NULL).dw, cube, 2.5e-11 * size);
            rest_state(kernel, par, WAVY[0], x);
            const double plain = march_cycle(kernel, par, protocol[p / 2], 0.4, 1, 7, WAVY, 0, 16000, x).dw;
            CHECK_NEAR(closed_answer(t, RH_NONE, 7, 7, WAVY, NULL).dw, plain, 1e-9);
            CHECK_NEAR(closed_answer(t, RH_DEAD_ZONE, 0, 7, WAVY, NULL).dw, plain, 1e-9);
            rh_closed_close(t);
        }
    }
}

/* Ringing and nearly critical feedback, in the periodic state, which Runge-Kutta reaches by repeating the cycle. */
static void feedback_of_every_damping_agrees_with_runge_kutta(void **state) {
    (void)state;
    const double tau_u[] = { 0.5, 0.05, 0.0126, 0.0125, 0.0124, 0.0025 };
    for (int i = 0; i < RH_COUNT(tau_u); i++) {
        const double par[] = { tau_u[i], 0.05, i % 2 ? 7 : INFINITY }, coef[] = { -3, 4 }, theta = 1.1;
        answer want = { 0 };
        long double x[3] = { 0 };
        rh_closed *t = open_cycle(FEEDBACK, par, "sawtooth", 1, 7, 1, RH_PERIODIC);
        for (int cycle = 0; cycle < 9; cycle++)
            want = march_cycle(FEEDBACK, par, "sawtooth", 1, 7, 2, coef, theta, cycle < 8 ? 9000 : 24000, x);
        check_answer(closed_answer(t, RH_DEAD_ZONE, theta, 2, coef, NULL), want, 2e-8, 2e-4);
        rh_closed_close(t);
    }
}

static void carried_state_agrees_with_runge_kutta(void **state) {
    (void)state;
    const char *const protocol[] = { "sawtooth", "square" };
    for (int kernel = 0; kernel < 3; kernel++) {
        for (int p = 0; p < 2; p++) {
            double dev[3] = { 0 }, s_last = 0, coef[7];
            long double x[3] = { 0 };
            rh_closed *t = open_cycle(kernel, LEAKS[kernel], protocol[p], 0.1, 0.25, 6, RH_CARRIED);
            const rh_carry carry = { dev, &s_last };
            for (int cycle = 0; cycle < 4; cycle++) { /* another s each time: it jumps in between */
                for (int j = 0; j < 7; j++) coef[j] = WAVY[j] * (1 + 0.3 * cycle * (j % 3 - 1));
                const answer want = march_cycle(kernel, LEAKS[kernel], protocol[p], 0.1, 0.25, 7, coef, 2, 4000, x);
                check_answer(closed_answer(t, RH_DEAD_ZONE, 2, 7, coef, &carry), want, 1e-9, 1e-3);
                CHECK_NEAR(s_last, coef[0], 1e-15);
            }
            rh_closed_close(t);
        }
    }
}

/* ---- how cycles begin ---- */

static void periodic_is_the_limit_of_carried(void **state) {
    (void)state;
    for (int kernel = 0; kernel < 3; kernel++) {
        rh_closed *p = open_cycle(kernel, LEAKS[kernel], "sawtooth", 0.05, 0.2, 6, RH_PERIODIC);
        rh_closed *c = open_cycle(kernel, LEAKS[kernel], "sawtooth", 0.05, 0.2, 6, RH_CARRIED);
        double dev[3] = { 0 }, s_last = 0;
        const rh_carry carry = { dev, &s_last };
        answer last = { 0 };
        for (int i = 0; i < 800; i++) last = closed_answer(c, RH_DEAD_ZONE, 2, 7, WAVY, &carry);
        check_answer(closed_answer(p, RH_DEAD_ZONE, 2, 7, WAVY, NULL), last, 1e-12, 1e-11);
        rh_closed_close(p);
        rh_closed_close(c);
    }
}

static void settled_is_carried_without_a_past(void **state) {
    (void)state;
    for (int kernel = 0; kernel < 3; kernel++) {
        rh_closed *s = open_cycle(kernel, LEAKS[kernel], "square", 0.05, 0.2, 6, RH_SETTLED);
        rh_closed *c = open_cycle(kernel, LEAKS[kernel], "square", 0.05, 0.2, 6, RH_CARRIED);
        double dev[3] = { 0 }, s_last = WAVY[0];
        const rh_carry carry = { dev, &s_last };
        const answer want = closed_answer(s, RH_DEAD_ZONE, 2, 7, WAVY, NULL);
        check_answer(closed_answer(c, RH_DEAD_ZONE, 2, 7, WAVY, &carry), want, 1e-13, 1e-12);
        rh_closed_close(s);
        rh_closed_close(c);
    }
}

/* ---- exact promises ---- */

static void symmetries_are_exact(void **state) {
    (void)state;
    for (int kernel = 0; kernel < 3; kernel++) {
        rh_closed *t = open_cycle(kernel, CALM[kernel], "sawtooth", 1, 9, 6, RH_PERIODIC);
        for (double a = 0.1; a < 1e5; a *= 1.7) {
            double c[7], minus[7];
            for (int j = 0; j < 7; j++) {
                c[j] = a * WAVY[j];
                minus[j] = -c[j];
            }
            const double dw = write_one(t, 3, 7, c), back = write_one(t, 3, 7, minus);
            assert_true(back == -dw && !signbit(dw == 0 ? dw : 1) && !signbit(back == 0 ? back : 1));
            assert_true(write_one(t, 0, 7, c) == 0 && !signbit(write_one(t, 0, 7, c)));
        }
        rh_closed_close(t);
    }
}

static uint64_t seed = 1;
static double uniform(void) { /* xorshift: tests must not depend on the C library's generator */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) * 0x1p-53;
}

enum { N = 203, NC = 7 };

static void random_edges(double *coef, double bent) {
    for (int k = 0; k < N; k++) {
        const double a = exp(12 * uniform() - 5) * (uniform() < 0.5 ? -1 : 1);
        for (int j = 0; j < NC; j++) coef[j * N + k] = j == 1 ? a : a * bent * (2 * uniform() - 1);
    }
}

/* Edges alone, in other blocks and at other lanes: the same bytes. */
static void neighbours_change_nothing(void **state) {
    (void)state;
    static double coef[NC * N], dw[N], one[N], dev[3 * N], s_last[N], first[3 * N];
    for (int i = 0; i < 6; i++) {
        const int start = i % 3, kernel = i < 3 ? CHEMOTAXIS : LEAKY, n_coef = i < 3 ? NC : 5;
        rh_closed *t = open_cycle(kernel, LEAKS[kernel], "sawtooth", 0.3, 5, n_coef - 1, (rh_start)start);
        assert_true((t->n_sweep >= t->n_row) == (kernel == LEAKY)); /* both engines have their turn */
        const rh_carry carry = { dev, s_last };
        const rh_write_def def = { RH_DEAD_ZONE, 2 };
        double *const work = calloc(rh_closed_work(t), sizeof *work);
        random_edges(coef, 0.4);
        for (int k = 0; k < 3 * N; k++) first[k] = dev[k] = uniform();
        memset(s_last, 0, sizeof s_last);
        const rh_carry *const given = start == RH_CARRIED ? &carry : NULL;
        rh_closed_write(t, &def, N, n_coef, coef, N, given, dw, NULL, NULL, work);
        double after[3 * N];
        memcpy(after, dev, sizeof after);
        memcpy(dev, first, sizeof dev);
        memset(s_last, 0, sizeof s_last);
        for (int k = 0; k < N; k += 1 + k % 5) {
            const int n = 1 + k % 5 < N - k ? 1 + k % 5 : N - k;
            const rh_carry part = { dev + k, s_last + k };
            rh_closed_write(t, &def, n, n_coef, coef + k, N, given ? &part : NULL, one + k, NULL, NULL, work);
        }
        assert_memory_equal(one, dw, sizeof dw);
        assert_memory_equal(after, dev, sizeof dev);
        free(work);
        rh_closed_close(t);
    }
}

static void vector_width_changes_nothing(void **state) {
    (void)state;
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2")) skip();
    static double coef[NC * N];
    rh_closed *t = open_cycle(FEEDBACK, CALM[FEEDBACK], "sawtooth", 0.3, 5, NC - 1, RH_SETTLED);
    rh_closed *swept = open_cycle(LEAKY, CALM[LEAKY], "sawtooth", 0.3, 5, 4, RH_SETTLED);
    double *const work = calloc(rh_closed_work(t), sizeof *work);
    const size_t room = rh_closed_work(t) / 4;
    for (int round = 0; round < 20; round++) {
        rh_block b = { .n = RH_BLOCK,
                       .n_used = NC - 1,
                       .place = work,
                       .left = work + room,
                       .right = work + 2 * room,
                       .spare = work + 3 * room };
        double plain[RH_BLOCK], wide[RH_BLOCK];
        random_edges(coef, round % 2 ? 0.6 : 0.05);
        for (int r = 0; r < NC - 1; r++) {
            for (int l = 0; l < RH_BLOCK; l++) {
                b.rows[r][l] = coef[(r + 1) * N + l];
                b.linear[l] += t->linear[r] * b.rows[r][l];
            }
        }
        rh_dead_zone_plain(t, 1.3, &b, plain);
        rh_dead_zone_wide(t, 1.3, &b, wide);
        assert_memory_equal(plain, wide, sizeof plain);
        int64_t sure[RH_BLOCK], sure_wide[RH_BLOCK];
        b.n_used = 4;
        rh_sweep_plain(swept, 1.3, &b, plain, sure);
        rh_sweep_wide(swept, 1.3, &b, wide, sure_wide);
        assert_memory_equal(sure, sure_wide, sizeof sure);
        for (int l = 0; l < RH_BLOCK; l++) assert_true(!sure[l] || memcmp(&plain[l], &wide[l], sizeof *wide) == 0);
    }
    free(work);
    rh_closed_close(swept);
    rh_closed_close(t);
#else
    skip();
#endif
}

static int any_of(int n) { return (int)(n * uniform()); }

/* Edges of N, in whole blocks, that the sweep is sure of. */
static int count_sure(const rh_closed *t, double threshold, int n_coef, const double *coef) {
    int n_sure = 0;
    for (int first = 0; first + RH_BLOCK <= N; first += RH_BLOCK) {
        rh_block b = { .n = RH_BLOCK, .n_used = n_coef - 1 };
        double out[RH_BLOCK];
        int64_t sure[RH_BLOCK];
        for (int r = 0; r < n_coef - 1; r++) memcpy(b.rows[r], coef + (r + 1) * N + first, sizeof b.rows[r]);
        for (int l = 0; l < RH_BLOCK; l++) b.rest[l] = t->area * coef[first + l];
        rh_sweep_block(t, threshold, &b, out, sure);
        for (int l = 0; l < RH_BLOCK; l++) n_sure += sure[l] != 0;
    }
    return n_sure;
}

/* Whole ramps and intervals are two roads to one answer. The first is open to nearly all edges that bend a little, and
 * to some of those that bend a lot. */
static void whole_ramps_agree_with_intervals(void **state) {
    (void)state;
    static double coef[NC * N], swept[N], cut[N];
    static const double times[][2] = { { 0.3, 5 }, { 1, 1e4 }, { 2, 20 }, { 0.07, 0.06 } };
    static const char *const protocol[] = { "sawtooth", "square", "triangle" };
    int sure[2] = { 0 };
    for (int round = 0; round < 100; round++) {
        const bool bent = round % 2, calm = any_of(2), brief = any_of(4) == 0;
        const double *const time = times[brief ? 3 : any_of(3)];
        const int n_coef = 2 + any_of(4);
        rh_closed *t = open_cycle(LEAKY, calm ? CALM[LEAKY] : LEAKS[LEAKY], protocol[any_of(3)], time[0], time[1],
                                  n_coef - 1, any_of(2) ? RH_SETTLED : RH_PERIODIC);
        random_edges(coef, bent ? 0.5 : 0.05);
        for (int j = 3; j < n_coef && !bent; j++)
            for (int k = 0; k < N; k++) coef[j * N + k] *= pow(0.05, j - 2); /* as those of a weak nudge fall */
        const int n_sure = t->n_sweep == t->n_row ? count_sure(t, 0.8, n_coef, coef) : 0;
        if (!bent && calm && !brief) assert_in_range(n_sure, 150, N);
        sure[bent] += n_sure;
        write_edges(t, 0.8, N, n_coef, coef, NULL, swept);
        t->n_sweep = 0;
        write_edges(t, 0.8, N, n_coef, coef, NULL, cut);
        for (int k = 0; k < N; k++) {
            double size = fabs(cut[k]); /* with a leak it grows with the period */
            for (int j = 0; j < n_coef; j++) size += fabs(coef[j * N + k]);
            CHECK_NEAR(swept[k], cut[k], 1e-11 * size); /* where u grazes a level, the tables' 1e-14 of u grow */
        }
        rh_closed_close(t);
    }
    assert_in_range(sure[0], 50 * N / 2, 50 * N);
    assert_in_range(sure[1], 50 * N / 5, 50 * N);
}

/* ---- crossings: none may be missed ---- */

typedef struct edge_u {
    const rh_closed *t;
    const double *coef;
} edge_u;

static long double u_at(const void *ctx, long double x) {
    const edge_u *const e = ctx;
    return rh_closed_u(e->t, NC, e->coef, NULL, (double)x);
}

/* The same u, cut a hundred times finer and searched by bisection. */
static void strongly_bent_edges_lose_no_crossing(void **state) {
    (void)state;
    static double coef[NC * N], dw[N];
    for (int kernel = 0; kernel < 3; kernel++) {
        const double ringing[] = { 0.2, 0.02, INFINITY };
        rh_closed *t =
            open_cycle(kernel, kernel == FEEDBACK ? ringing : LEAKS[kernel], "sawtooth", 0.3, 2, NC - 1, RH_SETTLED);
        random_edges(coef, 0.9);
        write_edges(t, 3, N, NC, coef, NULL, dw);
        for (int k = 0; k < N; k += 3) {
            double c[NC], size = 0;
            const edge_u e = { t, c };
            long double want = 0;
            for (int j = 0; j < NC; j++) c[j] = coef[j * N + k];
            for (int j = 1; j < NC; j++) size += fabs(c[j]);
            for (int i = 0; i < t->n_interval; i++) {
                const double from = rh_interval_start(t, i), w = rh_interval_width(t, i) * (1 - 1e-15);
                for (int m = 0; m < 100; m++)
                    want += dead_zone_piece(u_at, &e, 3, from + w * m / 100, from + w * (m + 1) / 100);
            }
            CHECK_NEAR(dw[k], (double)want, 1e-10 * size);
        }
        rh_closed_close(t);
    }
}

static void roots_of_known_polynomials_are_found(void **state) {
    (void)state;
    rh_bernstein m;
    rh_bernstein_build(&m);
    double p[RH_Q1] = { 1 }, b[RH_Q1], root[RH_Q];
    const double want[] = { -0.9, -0.31, -0.3, 0, 0.5, 0.50001, 0.99 };
    for (int i = 0; i < RH_COUNT(want); i++)
        for (int k = RH_Q; k >= 0; k--) p[k] = (k > 0 ? p[k - 1] : 0) - want[i] * p[k];
    for (int sign = 0; sign < 2; sign++) {
        rh_bernstein_of(&m, p, b);
        assert_int_equal(rh_poly_crossings(p, b, 0, root), RH_COUNT(want));
        for (int i = 0; i < RH_COUNT(want); i++) CHECK_NEAR(root[i], want[i], 1e-9);
        for (int k = 0; k <= RH_Q; k++) p[k] = -p[k];
    }
    const double touch[RH_Q1] = { 0, 0, 1 }, flat[RH_Q1] = { 0.25 }, noise[RH_Q1] = { 1, 1e-17, -1e-17, 2e-17 };
    const double *const none[] = { touch, flat, noise };
    const double level[] = { 0, 0.25, 1 };
    for (int i = 0; i < 3; i++) {
        rh_bernstein_of(&m, none[i], b);
        assert_int_equal(rh_poly_crossings(none[i], b, level[i], root), 0);
    }
}

static void extremes_are_those_of_u(void **state) {
    (void)state;
    for (int kernel = 0; kernel < 3; kernel++) {
        rh_closed *t = open_cycle(kernel, LEAKS[kernel], "sawtooth", 0.3, 2, NC - 1, RH_SETTLED);
        const answer a = closed_answer(t, RH_DEAD_ZONE, 3, NC, WAVY, NULL);
        double hi = -INFINITY, lo = INFINITY;
        for (int i = 0; i <= 230000; i++) {
            const double u = rh_closed_u(t, NC, WAVY, NULL, i * 1e-5);
            hi = fmax(hi, u);
            lo = fmin(lo, u);
        }
        CHECK_NEAR(a.u_max, hi, 1e-5);
        CHECK_NEAR(a.u_min, lo, 1e-5);
        assert_true(a.u_max >= hi - 1e-12 && a.u_min <= lo + 1e-12);
        rh_closed_close(t);
    }
}

/* ---- extremes of scale ---- */

static void cost_does_not_depend_on_slow_over_fast(void **state) {
    (void)state;
    for (int kernel = 0; kernel < 3; kernel++) {
        for (double ratio = 1; ratio < 2e9; ratio *= 10) {
            rh_closed *t = open_cycle(kernel, CALM[kernel], "sawtooth", 1, ratio, 2, RH_SETTLED);
            assert_in_range(t->n_interval, 2, 80);
            rh_closed_close(t);
        }
    }
}

/* tau from a millionth to a million times fast. What is known without computing: far above threshold the update is the
 * linear functional, 0 without area; deep in regime ii it is the amplitude; and a slow memory reads s minus its mean.
 */
static void every_ratio_of_time_constants_works(void **state) {
    (void)state;
    for (double tau = 1e-6; tau < 2e6; tau *= 10) {
        for (int i = 0; i < 3; i++) {
            const double fast = 1, slow = pow(10, 3 * i), par[] = { tau, INFINITY }, coef[] = { 0, 0.5 };
            rh_closed *t = open_cycle(LEAKY, par, "sawtooth", fast, slow, 1, RH_PERIODIC);
            const answer a = closed_answer(t, RH_DEAD_ZONE, 1e-30, 2, coef, NULL);
            CHECK_NEAR(a.dw, 0, 1e-15);
            assert_true(write_one(t, 1e30, 2, coef) == 0);
            if (tau < 1e-3 && slow > 10) CHECK_NEAR(write_one(t, 0.5, 2, coef), 1, 20 * tau);
            if (tau > 1e5 * slow) {
                CHECK_REL(a.u_max * tau, 0.5, 1e-4);
                CHECK_REL(a.u_min * tau, -0.5, 1e-4);
            }
            rh_closed_close(t);
        }
    }
    const double stiff[] = { 1e-12, 1e-3, INFINITY }, coef[] = { 0, 0.5 }, like[] = { 1e-3, INFINITY };
    rh_closed *a = open_cycle(FEEDBACK, stiff, "sawtooth", 0.01, 1, 1, RH_PERIODIC);
    rh_closed *b = open_cycle(LEAKY, like, "sawtooth", 0.01, 1, 1, RH_PERIODIC);
    CHECK_REL(write_one(a, 10, 2, coef), write_one(b, 10, 2, coef), 1e-7); /* tau_u -> 0 is the leaky integrator */
    rh_closed_close(a);
    rh_closed_close(b);
}

static void hopeless_filters_are_refused(void **state) {
    (void)state;
    rh_filter f;
    rh_closed *t = NULL;
    rheo_error err = { 0 };
    rh_ramp ramp[] = { { 1, 0, 1 }, { 9, 1, 0 } };
    const double rings[] = { 1e3, 1e-9, INFINITY }; /* a million periods before it settles */
    RH_KERNELS[FEEDBACK]->build(rings, &f);
    assert_int_equal(rh_closed_open(&t, &f, ramp, 2, 1, RH_PERIODIC, &err), RHEO_E_RANGE);
    assert_non_null(strstr(err.msg, "rings"));
    RH_KERNELS[LEAKY]->build(CALM[LEAKY], &f);
    ramp[1].duration = 0;
    err = (rheo_error){ 0 };
    assert_int_equal(rh_closed_open(&t, &f, ramp, 2, 1, RH_PERIODIC, &err), RHEO_E_RANGE);
    ramp[1].duration = NAN;
    assert_int_equal(rh_closed_open(&t, &f, ramp, 2, 1, RH_PERIODIC, NULL), RHEO_E_RANGE);
    ramp[1].duration = 9;
    assert_int_equal(rh_closed_open(&t, &f, ramp, 2, RH_MAX_DEGREE + 1, RH_PERIODIC, NULL), RHEO_E_USAGE);
    assert_int_equal(rh_closed_open(&t, &f, ramp, RH_MAX_RAMP + 1, 1, RH_PERIODIC, NULL), RHEO_E_USAGE);
    f.m[0][0] = 0; /* an integrator without a rest state */
    assert_int_equal(rh_closed_open(&t, &f, ramp, 2, 1, RH_SETTLED, NULL), RHEO_E_RANGE);
    assert_null(t);
    rh_closed_close(NULL);
}

static void what_is_not_a_number_stays_so(void **state) {
    (void)state;
    rh_closed *t = open_cycle(LEAKY, CALM[LEAKY], "sawtooth", 1, 9, 2, RH_SETTLED);
    const double bad[][3] = { { 0, NAN, 1 }, { 0, 1, INFINITY }, { 0, 1e308, 1e308 } };
    for (int i = 0; i < 2; i++) assert_true(isnan(write_one(t, 1, 3, bad[i])));
    (void)write_one(t, 1, 3, bad[2]);
    rh_closed_close(t);
}

/* ---- the published tables ---- */

/* fast, slow, threshold, kernel area, average, A, dw */
static const double UPDATES[][7] = {
    { 1, 9, 11.1111111111111, 0, 0, -150, -0.340205655701 },     /* a01 */
    { 1, 9, 11.1111111111111, 0, 0, 12.5, 9.74548888137 },       /* a01 */
    { 1, 9, 11.1111111111111, 0, 0, 150, 0.340205655701 },       /* a01 */
    { 1, 19, 5.26315789473684, 0, 0, -150, -0.154468163888 },    /* a02 */
    { 1, 19, 5.26315789473684, 0, 0, 7.5, 6.56708529174 },       /* a02 */
    { 0.5, 9.5, 10.5263157894737, 0, 0, -150, -0.308943411852 }, /* a03 */
    { 0.5, 9.5, 10.5263157894737, 0, 0, 7.5, 5.63355647801 },    /* a03 */
    { 0.2, 4.8, 20.8333333333333, 0, 0, -150, -0.605006575529 }, /* a04 */
    { 2, 20, 5, 0, 0, -150, -0.152262534749 },                   /* a07 */
    { 1, 9, 5, 0, 0, -67.5, -0.153092545065 },                   /* a10 */
    { 1, 9, 0, 0, 0, -150, 0 },                                  /* a11 */
    { 2, 2, 50, 0, 0, -150, -2.84217094304e-14 },                /* a12 */
    { 9, 1, 11.1111111111111, 0, 0, -150, 0.340205655701 },      /* a13 */
    { 9, 1, 11.1111111111111, 0, 0, 12.5, -9.74548888137 },      /* a13 */
    { 1, 9, 11.1111111111111, 0.05, 25, -150, 12.0234795748 },   /* a14 */
    { 1, 9, 11.1111111111111, 0.05, 25, 10.5, 8.59709845719 },   /* a14 */
    { 1, 9, 11.1111111111111, 0.05, 25, 150, 13.5503195864 },    /* a14 */
};

typedef struct realisation {
    asked cycle;
    double amplitude, dw, u_max, u_min;
} realisation;
static const realisation REALISATIONS[] = {
    { { "chemotaxis", { "rate=20", "area=0" }, 2, 1, 9, 11.1111111111111, 0 },
      -50,
      -47.7433547199,
      5.55555555556,
      -49.9999747075 },
    { { "leaky-integrator", { "tau=0.05" }, 1, 1, 9, 11.1111111111111, 0 },
      -50,
      -48.7738757506,
      5.55555555556,
      -49.9999998855 },
    { { "integral-feedback", { "tau_u=0.01", "tau_m=0.05" }, 2, 1, 9, 11.1111111111111, 0 },
      -50,
      -49.0225813319,
      5.55555555556,
      -49.9999999999 },
    { { "leaky-integrator", { "tau=0.05" }, 1, 1, 9, 11.1111111111111, 0 },
      25,
      24.0372955828,
      24.9999999427,
      -2.77777777778 },
    { { "chemotaxis", { "rate=20", "area=0" }, 2, 1, 9, 11.1111111111111, 0 },
      120,
      0.707698668986,
      119.999939298,
      -13.3333333333 },
    { { "leaky-integrator", { "tau=0.05" }, 1, 1, 9, 11.1111111111111, 0 },
      120,
      0.484293973762,
      119.999999725,
      -13.3333333333 },
    { { "integral-feedback", { "tau_u=0.01", "tau_m=0.05" }, 2, 0.5, 9.5, 10.5263157894737, 0 },
      12.5,
      11.8593181101,
      24.9999575965,
      -1.31578947368 },
    { { "integral-feedback", { "tau_u=0.01", "tau_m=0.05" }, 2, 0.5, 9.5, 10.5263157894737, 0 },
      120,
      0.345703604498,
      239.999592926,
      -12.6315789474 },
    { { "leaky-integrator", { "tau=0.05" }, 1, 2, 20, 5, 0 }, 12.5, 11.9609952619, 6.25, -0.625 },
    { { "leaky-integrator", { "tau=0.05" }, 1, 2, 20, 5, 0 }, 120, 0.21820632785, 60, -6 },
    { { "leaky-integrator", { "tau=0.05", "leak=5" }, 2, 1, 9, 11.1111111111111, 0 },
      25,
      23.7495442322,
      26.982648714,
      -5.19829210644 },
    { { "leaky-integrator", { "tau=0.05", "leak=5" }, 2, 1, 9, 11.1111111111111, 25 },
      25,
      29.3167098021,
      31.9331437635,
      -0.247797056933 },
    { { "leaky-integrator", { "tau=0.05", "leak=5" }, 2, 1, 9, 11.1111111111111, 0 },
      50,
      48.3649530035,
      53.9652974279,
      -10.3965842129 },
    { { "leaky-integrator", { "tau=0.05", "leak=5" }, 2, 1, 9, 11.1111111111111, 25 },
      50,
      54.0253206002,
      58.9157924775,
      -5.44608916337 },
    { { "leaky-integrator", { "tau=0.05", "leak=5" }, 2, 1, 9, 11.1111111111111, 0 },
      75,
      36.5572257684,
      80.9479461419,
      -15.5948763193 },
    { { "leaky-integrator", { "tau=0.05", "leak=1000" }, 2, 1, 9, 11.1111111111111, 25 },
      75,
      73.4213022884,
      75.054997266,
      -8.34499943753 },
};

/* fast, slow, threshold, dw/A for A = 20 */
static const double TIME_SCALES[][4] = {
    { 0.01, 19.99, 1000.5, 0 },
    { 0.2148717949, 19.78512821, 47.0393794749403, 0.673516802089 },
    { 0.4197435897, 19.58025641, 24.3240684178375, 0.829379188217 },
    { 0.8294871795, 19.17051282, 12.5556414219474, 0.907126759396 },
    { 1.648974359, 18.35102564, 6.56437568029855, 0.946662160815 },
    { 2.468461538, 17.53153846, 4.55110626363353, 0.95994038762 },
    { 3.287948718, 16.71205128, 3.54140996646651, 0.96657671122 },
    { 4.107435897, 15.8925641, 2.93460890192896, 0.970533003794 },
    { 4.926923077, 15.07307692, 2.52966432474629, 0.973135305484 },
    { 5.746410256, 14.25358974, 2.24021685779305, 0.974952925905 },
    { 6.975641026, 13.02435897, 1.93356000735159, 0.976793641769 },
    { 8, 12, 1.75, 0.97780878882 },
};

/* fast, slow, A, divisor, dw */
static const double CUBES[][5] = {
    { 1, 9, -20, 1, -6666.66682576 },   { 1, 9, 20, 1, 6666.66682576 },  { 0.5, 9.5, -20, 1, -22472.3208936 },
    { 0.5, 9.5, 20, 1, 22472.3208936 }, { 2, 20, -20, 1, -1826.859375 }, { 2, 20, 20, 1, 1826.859375 },
};

/* kernel, area, fast, slow, A, average, t, u */
static const double WAVES[][8] = {
    { CHEMOTAXIS, 0, 1, 9, 50, 0, 0, -5.55555555556 },
    { CHEMOTAXIS, 0, 1, 9, 50, 0, 0.05, -1.09436682937 },
    { CHEMOTAXIS, 0, 1, 9, 50, 0, 0.15, 26.4894399374 },
    { CHEMOTAXIS, 0, 1, 9, 50, 0, 1, 49.9999746936 },
    { CHEMOTAXIS, 0, 1, 9, 50, 0, 2, -5.55553024917 },
    { CHEMOTAXIS, 0.05, 1, 9, 50, 25, 0, -5.55555555556 },
    { CHEMOTAXIS, 0.05, 1, 9, 50, 25, 0.05, -1.07155556303 },
    { CHEMOTAXIS, 0.05, 1, 9, 50, 25, 0.3, 47.2928292558 },
    { CHEMOTAXIS, 0.05, 1, 9, 50, 25, 1, 52.4999745734 },
    { CHEMOTAXIS, 0.05, 1, 9, 50, 25, 1.3, 0.31828175119 },
    { LEAKY, 0, 1, 9, 50, 0, 0, -5.55555555556 },
    { LEAKY, 0, 1, 9, 50, 0, 0.15, 47.2340517573 },
    { LEAKY, 0, 1, 9, 50, 0, 1.05, 14.8821911341 },
    { LEAKY, 0, 1, 9, 50, 0, 2, -5.55555544105 },
    { FEEDBACK, 0, 1, 9, 50, 0, 0, -5.55555555556 },
    { FEEDBACK, 0, 1, 9, 50, 0, 0.05, 28.351224049 },
    { FEEDBACK, 0, 1, 9, 50, 0, 1, 49.9999999999 },
    { FEEDBACK, 0, 1, 9, 50, 0, 1.3, -5.53303217313 },
    { FEEDBACK, 0, 1, 9, 50, 0, 9, -5.55555555556 },
};

/* Tables give 12 digits, or 10 decimals of the times. */
static void check_update(const double *row) {
    char rate[] = "rate=20", area[32];
    snprintf(area, sizeof area, "area=%g", row[3]);
    const asked a = { "chemotaxis", { rate, area }, 2, row[0], row[1], row[2], row[4] };
    const rheo_cycle_def def = cycle_of(&a);
    double dw;
    CHECK_OK(rheo_cycle(&def, 1, &row[5], &dw, NULL, NULL, &err_));
    CHECK_NEAR(dw, row[6], 1e-10 * fabs(row[6]) + 1e-13 * fabs(row[5]));
}

static void check_realisation(const realisation *r) {
    const rheo_cycle_def def = cycle_of(&r->cycle);
    double dw, u_max, u_min;
    CHECK_OK(rheo_cycle(&def, 1, &r->amplitude, &dw, &u_max, &u_min, &err_));
    CHECK_REL(dw, r->dw, 2e-11);
    CHECK_REL(u_max, r->u_max, 1e-11);
    CHECK_REL(u_min, r->u_min, 1e-11);
}

static void check_time_scale(double fast, double slow, double threshold, double want) {
    const asked a = { "chemotaxis", { "rate=20" }, 1, fast, slow, threshold, 0 };
    const rheo_cycle_def def = cycle_of(&a);
    const double amplitude = 20;
    double dw;
    CHECK_OK(rheo_cycle(&def, 1, &amplitude, &dw, NULL, NULL, &err_));
    CHECK_NEAR(dw / amplitude, want, 1e-10 * fabs(want));
}

static void check_cube(double fast, double slow, double amplitude, double divisor, double want) {
    const asked a = { "chemotaxis", { "rate=20", "area=0" }, 2, fast, slow, divisor, 0 };
    rheo_cycle_def def = cycle_of(&a);
    def.nonlinearity = "cubic";
    double dw;
    CHECK_OK(rheo_cycle(&def, 1, &amplitude, &dw, NULL, NULL, &err_));
    CHECK_REL(dw, want, 1e-11);
}

static void check_wave(int kernel, double area, double fast, double slow, double amplitude, double average, double x,
                       double want) {
    const double chemotaxis[] = { 20, area }, coef[] = { average - amplitude / 2, amplitude / 2 };
    rh_closed *t =
        open_cycle(kernel, kernel == CHEMOTAXIS ? chemotaxis : CALM[kernel], "sawtooth", fast, slow, 1, RH_PERIODIC);
    CHECK_REL(rh_closed_u(t, 2, coef, NULL, x), want, 2e-11);
    rh_closed_close(t);
}

static void rows_of_the_tables_are_met(void **state) {
    (void)state;
    for (int i = 0; i < RH_COUNT(UPDATES); i++) check_update(UPDATES[i]);
    for (int i = 0; i < RH_COUNT(REALISATIONS); i++) check_realisation(&REALISATIONS[i]);
    for (int i = 0; i < RH_COUNT(TIME_SCALES); i++)
        check_time_scale(TIME_SCALES[i][0], TIME_SCALES[i][1], TIME_SCALES[i][2], TIME_SCALES[i][3]);
    for (int i = 0; i < RH_COUNT(CUBES); i++)
        check_cube(CUBES[i][0], CUBES[i][1], CUBES[i][2], CUBES[i][3], CUBES[i][4]);
    for (int i = 0; i < RH_COUNT(WAVES); i++) {
        const double *const w = WAVES[i];
        check_wave((int)w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
    }
}

/* A table beside the checkout. Cells of the line just read are in cell[]. */
typedef struct table {
    FILE *file;
    char line[1024], *cell[24];
    int n_row;
} table;

static bool next_row(table *t) {
    if (!fgets(t->line, sizeof t->line, t->file)) return false;
    t->line[strcspn(t->line, "\r\n")] = '\0';
    char *at = t->line;
    for (int i = 0; i < RH_COUNT(t->cell) && at; i++) {
        t->cell[i] = at;
        at = strchr(at, ',');
        if (at) *at++ = '\0';
    }
    t->n_row++;
    return true;
}

static table open_table(const char *name) {
    char path[256];
    table t = { 0 };
    snprintf(path, sizeof path, "../shared/reference/%s", name);
    t.file = fopen(path, "r");
    if (!t.file) {
        print_message("%s is not there: skipped\n", path);
        skip();
    }
    assert_true(next_row(&t)); /* the names of the columns */
    return t;
}

static void close_table(table *t, int least) {
    fclose(t->file);
    assert_true(t->n_row > least);
}

static double num(const table *t, int i) { return strtod(t->cell[i], NULL); }

static void table_of_updates(void **state) {
    (void)state;
    table t = open_table("tcl_weight_update_vs_amplitude.csv");
    while (next_row(&t)) {
        const double row[] = { num(&t, 1), num(&t, 2), num(&t, 3), num(&t, 4), num(&t, 5), num(&t, 6), num(&t, 8) };
        check_update(row);
    }
    close_table(&t, 100);
}

/* "tau=0.05;tau_L=5" in the names used here. */
static void split_parameters(char *text, char store[3][64], asked *a) {
    static const char *const alias[][2] = { { "B", "rate" }, { "I", "area" }, { "tau_L", "leak" } };
    a->n_param = 0;
    for (char *at = strtok(text, ";"); at && a->n_param < 3; at = strtok(NULL, ";")) {
        char *const equals = strchr(at, '=');
        assert_non_null(equals);
        *equals = '\0';
        const char *name = at;
        for (int i = 0; i < RH_COUNT(alias); i++)
            if (strcmp(at, alias[i][0]) == 0) name = alias[i][1];
        snprintf(store[a->n_param], 64, "%.20s=%.30s", name, equals + 1);
        a->param[a->n_param] = store[a->n_param];
        a->n_param++;
    }
}

static void table_of_realisations(void **state) {
    (void)state;
    table t = open_table("tcl_integral_feedback_reference.csv");
    while (next_row(&t)) {
        char store[3][64];
        realisation r = { { NULL, { NULL }, 0, num(&t, 4), num(&t, 5), num(&t, 6), num(&t, 8) },
                          num(&t, 7),
                          num(&t, 9),
                          num(&t, 10),
                          num(&t, 11) };
        r.cycle.kernel = t.cell[0][0] == 'c'   ? "chemotaxis"
                         : t.cell[0][0] == 'r' ? "leaky-integrator"
                                               : "integral-feedback";
        split_parameters(t.cell[1], store, &r.cycle);
        check_realisation(&r);
    }
    close_table(&t, 20);
}

static void table_of_time_scales(void **state) {
    (void)state;
    table t = open_table("tcl_timescale_error_fig8.csv");
    while (next_row(&t)) check_time_scale(num(&t, 0), num(&t, 1), num(&t, 3), num(&t, 5));
    close_table(&t, 10);
}

static void table_of_waves(void **state) {
    (void)state;
    table t = open_table("tcl_waveform_samples.csv");
    while (next_row(&t)) {
        const int kernel = t.cell[0][0] == 'c' ? CHEMOTAXIS : t.cell[0][0] == 'r' ? LEAKY : FEEDBACK;
        const double area = strstr(t.cell[1], "I=0.05") ? 0.05 : 0;
        check_wave(kernel, area, num(&t, 2), num(&t, 3), num(&t, 4), num(&t, 5), num(&t, 6), num(&t, 8));
    }
    close_table(&t, 20);
}

/* Onset at the amplitude whose peak is the threshold; deficits at half of A_max = 100. Tables of 8 digits. */
static void tables_of_ranges(void **state) {
    (void)state;
    table t = open_table("tcl_learning_range_fig4c.csv");
    while (next_row(&t)) {
        const asked a = { "chemotaxis", { "rate=20" }, 1, num(&t, 0), num(&t, 1), 100 / num(&t, 1), 0 };
        const rheo_cycle_def def = cycle_of(&a);
        const double unit = 1;
        double dw, u_max;
        CHECK_OK(rheo_cycle(&def, 1, &unit, &dw, &u_max, NULL, &err_));
        CHECK_REL(def.threshold / u_max / 100, num(&t, 12), 4e-7);
    }
    close_table(&t, 10);
    t = open_table("tcl_offset_fig5c.csv");
    while (next_row(&t)) {
        const asked a = { "chemotaxis", { "rate=20", "area=0.05" }, 2, num(&t, 0), num(&t, 1), 100 / num(&t, 1), 25 };
        const rheo_cycle_def def = cycle_of(&a);
        const double amplitude[] = { 50, 70 };
        double dw[2];
        CHECK_OK(rheo_cycle(&def, 2, amplitude, dw, NULL, NULL, &err_));
        for (int i = 0; i < 2; i++) CHECK_NEAR(dw[i] / 100 - amplitude[i] / 100, num(&t, 12 + i), 1e-8);
    }
    close_table(&t, 10);
}

static void table_of_cubes(void **state) {
    (void)state;
    table t = open_table("tcl_cubic_nonlinearity.csv");
    while (next_row(&t)) check_cube(num(&t, 0), num(&t, 1), num(&t, 2), num(&t, 3), num(&t, 5));
    close_table(&t, 2);
}

/* ---- rheo_cycle: what users can get wrong ---- */

static rheo_error refused(const rheo_cycle_def *def, double amplitude, rheo_status status) {
    rheo_error err = { 0 };
    double dw = 7;
    assert_int_equal(rheo_cycle(def, 1, &amplitude, &dw, NULL, NULL, &err), status);
    assert_int_equal(err.status, status);
    assert_true(dw == 7 && err.msg[0] != '\0');
    double dummy = 0;
    assert_int_equal(rheo_cycle(def, 1, &amplitude, &dummy, NULL, NULL, NULL), status);
    return err;
}

static void check_refused(rheo_cycle_def def, rheo_status status, const char *text, const char *hint) {
    const rheo_error err = refused(&def, 1, status);
    if (!strstr(err.msg, text)) fail_msg("'%s' lacks '%s'", err.msg, text);
    if (!strstr(err.hint, hint)) fail_msg("hint '%s' lacks '%s'", err.hint, hint);
}

static void unknown_names_get_suggestions(void **state) {
    (void)state;
    rheo_cycle_def def = rheo_cycle_default();
    def.kernel = "leaky-integrater";
    check_refused(def, RHEO_E_USAGE, "kernel 'leaky-integrater'", "leaky-integrator");
    def.kernel = "zzz";
    check_refused(def, RHEO_E_USAGE, "kernel", "chemotaxis");
    def = rheo_cycle_default();
    def.protocol = "sawtoth";
    check_refused(def, RHEO_E_USAGE, "protocol", "sawtooth");
    def = rheo_cycle_default();
    def.nonlinearity = "deadzone";
    check_refused(def, RHEO_E_USAGE, "nonlinearity", "dead-zone");
    def.nonlinearity = NULL;
    check_refused(def, RHEO_E_USAGE, "nonlinearity", "");
}

static void parameters_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *text, *msg, *hint;
        rheo_status status;
    } bad[] = {
        { "leek=5", "parameter", "leak", RHEO_E_USAGE },
        { "tau", "name=value", "", RHEO_E_USAGE },
        { "=1", "parameter", "", RHEO_E_USAGE },
        { "tau=", "tau", "", RHEO_E_USAGE },
        { "tau=fast", "tau", "", RHEO_E_USAGE },
        { "tau=4k7", "tau", "4.7k", RHEO_E_USAGE },
        { "tau=0", "outside", "", RHEO_E_RANGE },
        { "tau=-1u", "outside", "", RHEO_E_RANGE },
        { "tau=1e7", "outside", "", RHEO_E_RANGE },
        { "tau=inf", "tau", "", RHEO_E_USAGE },
        { "tau=5v", "must be in s, not in V", "", RHEO_E_USAGE },
        { "\x01\x02=5", "parameter", "", RHEO_E_USAGE },
    };
    for (int i = 0; i < RH_COUNT(bad); i++) {
        rheo_cycle_def def = rheo_cycle_default();
        def.param = &bad[i].text;
        def.n_param = 1;
        check_refused(def, bad[i].status, bad[i].msg, bad[i].hint);
    }
    const char *const twice[] = { "tau=1u", "TAU=2u" };
    rheo_cycle_def def = rheo_cycle_default();
    def.param = twice;
    def.n_param = 2;
    check_refused(def, RHEO_E_USAGE, "twice", "");
    def.param = NULL;
    check_refused(def, RHEO_E_USAGE, "parameters", "");
    def.n_param = -1;
    check_refused(def, RHEO_E_USAGE, "parameters", "");
    const char *const fine[] = { "tau=50 us", "leak=inf" }, *const plain[] = { "tau=5e-5" };
    double a = 1, one = 0, two = 1;
    def.fast = 1e-3;
    def.threshold = 100;
    def.param = fine;
    def.n_param = 2;
    CHECK_OK(rheo_cycle(&def, 1, &a, &one, NULL, NULL, &err_));
    def.param = plain;
    def.n_param = 1;
    CHECK_OK(rheo_cycle(&def, 1, &a, &two, NULL, NULL, &err_));
    assert_true(one == two);
}

static void numbers_are_checked(void **state) {
    (void)state;
    const double wrong[] = { 0, -1, NAN, INFINITY };
    for (int i = 0; i < RH_COUNT(wrong); i++) {
        rheo_cycle_def def = rheo_cycle_default();
        def.fast = wrong[i];
        check_refused(def, RHEO_E_RANGE, "fast", "");
        def = rheo_cycle_default();
        def.slow = wrong[i];
        check_refused(def, RHEO_E_RANGE, "slow", "");
        if (i == 0) continue; /* zero is fine for what follows */
        def = rheo_cycle_default();
        def.threshold = wrong[i];
        check_refused(def, RHEO_E_RANGE, "threshold", "");
        if (i == 1) continue;
        def = rheo_cycle_default();
        def.average = wrong[i];
        check_refused(def, RHEO_E_RANGE, "average", "");
        def = rheo_cycle_default();
        (void)refused(&def, wrong[i], RHEO_E_RANGE);
    }
    rheo_cycle_def def = { 0 };
    check_refused(def, RHEO_E_USAGE, "rheo_cycle_default", "");
    def = rheo_cycle_default();
    rheo_error err = { 0 };
    assert_int_equal(rheo_cycle(&def, 1, NULL, NULL, NULL, NULL, &err), RHEO_E_USAGE);
    assert_int_equal(rheo_cycle(&def, -1, NULL, NULL, NULL, NULL, NULL), RHEO_E_USAGE);
    assert_int_equal(rheo_cycle(NULL, 0, NULL, NULL, NULL, NULL, NULL), RHEO_E_USAGE);
    CHECK_OK(rheo_cycle(&def, 0, NULL, NULL, NULL, NULL, &err_));
    def.threshold = 1;
    const double huge = 1.7e308;
    double dw;
    err = (rheo_error){ 0 };
    assert_int_equal(rheo_cycle(&def, 1, &huge, &dw, NULL, NULL, &err), RHEO_E_RANGE); /* overflows */
}

static void many_amplitudes_are_each_as_alone(void **state) {
    (void)state;
    enum { COUNT = 53 };
    rheo_cycle_def def = rheo_cycle_default();
    double a[COUNT], dw[COUNT], hi[COUNT], lo[COUNT];
    def.threshold = 30;
    for (int i = 0; i < COUNT; i++) a[i] = 0.07 * (i - 26);
    CHECK_OK(rheo_cycle(&def, COUNT, a, dw, hi, lo, &err_));
    for (int i = 0; i < COUNT; i++) {
        double one, u;
        CHECK_OK(rheo_cycle(&def, 1, &a[i], &one, &u, NULL, &err_));
        assert_true(one == dw[i] && u == hi[i]);
        CHECK_OK(rheo_cycle(&def, 1, &a[i], &one, NULL, &u, &err_));
        assert_true(one == dw[i] && u == lo[i] && dw[i] == -dw[COUNT - 1 - i] && hi[i] == -lo[COUNT - 1 - i]);
        assert_false(dw[i] == 0 && signbit(dw[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_are_what_they_say),
        cmocka_unit_test(transform_interpolates),
        cmocka_unit_test(kernels_state_their_area_and_moment),
        cmocka_unit_test(ramps_read_their_slope_and_steps_leave_no_trace),
        cmocka_unit_test(sawtooth_agrees_with_the_closed_form),
        cmocka_unit_test(polynomial_s_agrees_with_runge_kutta),
        cmocka_unit_test(feedback_of_every_damping_agrees_with_runge_kutta),
        cmocka_unit_test(carried_state_agrees_with_runge_kutta),
        cmocka_unit_test(periodic_is_the_limit_of_carried),
        cmocka_unit_test(settled_is_carried_without_a_past),
        cmocka_unit_test(symmetries_are_exact),
        cmocka_unit_test(neighbours_change_nothing),
        cmocka_unit_test(vector_width_changes_nothing),
        cmocka_unit_test(whole_ramps_agree_with_intervals),
        cmocka_unit_test(strongly_bent_edges_lose_no_crossing),
        cmocka_unit_test(roots_of_known_polynomials_are_found),
        cmocka_unit_test(extremes_are_those_of_u),
        cmocka_unit_test(cost_does_not_depend_on_slow_over_fast),
        cmocka_unit_test(every_ratio_of_time_constants_works),
        cmocka_unit_test(hopeless_filters_are_refused),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(rows_of_the_tables_are_met),
        cmocka_unit_test(table_of_updates),
        cmocka_unit_test(table_of_realisations),
        cmocka_unit_test(table_of_time_scales),
        cmocka_unit_test(table_of_waves),
        cmocka_unit_test(tables_of_ranges),
        cmocka_unit_test(table_of_cubes),
        cmocka_unit_test(unknown_names_get_suggestions),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(many_amplitudes_are_each_as_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
