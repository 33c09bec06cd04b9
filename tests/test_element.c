/* Nonlinear kinds, by walking their table: slopes against finite differences, currents that sum to zero, finite and
 * without kinks, limits that let Newton's method arrive; and closed forms of each. */
#include "check.h"

#include "element/element.h"
#include "element/junction.h"
#include "element/tape.h"
#include "table_case.h"

enum { TRIES = 4000 };

static double unit(uint64_t *k) { return rh_random_unit(11, 1, (*k)++); }

/* Parameters between a thousandth and a thousand times the default, within the bounds; zero where that is allowed. */
static void draw_parameters(const rh_kind *kind, uint64_t *k, double *par) {
    for (int j = 0; j < kind->n_par; j++) {
        const rh_par *const p = &kind->par[j];
        const double scale = p->def != 0 ? fabs(p->def) : 1, x = scale * pow(10, 2 * unit(k) - 1);
        const double sign = p->min < 0 && unit(k) < 0.5 ? -1 : 1;
        par[j] = p->def == 0 && unit(k) < 0.3 ? 0 : fmin(fmax(sign * x, p->min), p->max);
    }
    random_table(kind, unit, k, par);
}

static rh_flow flow(const rh_kind *kind, const double *par, const double *v) {
    rh_flow f = { 0 };
    kind->eval(par, v, &f);
    return f;
}

static double size(const rh_kind *kind, const rh_flow *f) {
    double most = 0;
    for (int r = 0; r < kind->n_term; r++) most = fmax(most, fabs(f->i[r]));
    return most;
}

/* Expressions have tests of their own. */
static bool by_table(const rh_kind *kind) { return kind->eval && !(kind->flags & RH_TAPE); }

static void tables_are_complete(void **state) {
    (void)state;
    int n = 0;
    for (int q = 0; q < RH_N_KIND; q++) {
        const rh_kind *const kind = RH_KINDS[q];
        assert_int_equal(kind->eval != NULL, (kind->flags & RH_NONLINEAR) != 0);
        assert_int_equal(kind->law == NULL, (kind->flags & RH_NONLINEAR) != 0);
        if (!by_table(kind)) continue;
        n++;
        assert_true(kind->par && kind->n_par > 0 && kind->n_par <= RH_KIND_PAR && kind->n_term <= RH_MAX_TERM);
        assert_true(kind->path[0] != kind->path[1] && kind->path[0] < kind->n_term && kind->path[1] < kind->n_term);
        for (int j = 0; j < kind->n_par; j++) {
            const rh_par *const p = &kind->par[j];
            assert_true(p->min < p->max && p->def >= p->min && p->def <= p->max && *p->meaning && *p->unit);
            for (const char *c = p->name; *c; c++) assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'));
            for (int i = 0; i < j; i++) assert_string_not_equal(kind->par[i].name, p->name);
        }
    }
    assert_true(n >= 3);
    assert_int_equal(rh_kind_of_model("NMOS", 4), RH_KIND_NMOS);
    assert_int_equal(rh_kind_of_model("pmos", 4), RH_KIND_PMOS);
    assert_int_equal(rh_kind_of_model("D", 1), RH_KIND_D);
    assert_int_equal(rh_kind_of_model("nmo", 3), -1);
    assert_int_equal(rh_kind_of_model("nmoss", 5), -1);
    assert_int_equal(rh_kind_of_model("", 0), -1);
}

static void currents_sum_to_zero_and_shift_with_all_potentials(void **state) {
    (void)state;
    uint64_t k = 0;
    for (int q = 0; q < RH_N_KIND; q++) {
        const rh_kind *const kind = RH_KINDS[q];
        for (int t = 0; t < TRIES && by_table(kind); t++) {
            double par[TABLE_ROOM], v[RH_MAX_TERM];
            draw_parameters(kind, &k, par);
            for (int j = 0; j < kind->n_term; j++) v[j] = 4 * unit(&k) - 2;
            const rh_flow f = flow(kind, par, v);
            double sum = 0, most = size(kind, &f);
            for (int r = 0; r < kind->n_term; r++) sum += f.i[r];
            CHECK_NEAR(sum, 0, 1e-14 * most);
            for (int r = 0; r < kind->n_term; r++) {
                double row = 0, column = 0, big = 0;
                for (int c = 0; c < kind->n_term; c++) {
                    row += f.g[r][c];
                    column += f.g[c][r];
                    big = fmax(big, fmax(fabs(f.g[r][c]), fabs(f.g[c][r])));
                }
                CHECK_NEAR(row, 0, 1e-13 * big);
                CHECK_NEAR(column, 0, 1e-13 * big);
            }
        }
    }
}

/* Both one-sided differences: where they disagree with each other beyond what a bend explains there is a kink, and
 * where they agree with each other the slope must agree with them. */
static void slopes_are_finite_differences(void **state) {
    (void)state;
    uint64_t k = 0;
    const double h = 1e-6;
    for (int q = 0; q < RH_N_KIND; q++) {
        const rh_kind *const kind = RH_KINDS[q];
        for (int t = 0; t < TRIES && by_table(kind); t++) {
            double par[TABLE_ROOM], v[RH_MAX_TERM], at[RH_MAX_TERM];
            draw_parameters(kind, &k, par);
            for (int j = 0; j < kind->n_term; j++) v[j] = 2 * unit(&k) - 1;
            const rh_flow f = flow(kind, par, v);
            for (int c = 0; c < kind->n_term; c++) {
                memcpy(at, v, sizeof(at));
                at[c] = v[c] + h;
                const rh_flow up = flow(kind, par, at);
                at[c] = v[c] - h;
                const rh_flow down = flow(kind, par, at);
                for (int r = 0; r < kind->n_term; r++) {
                    const double right = (up.i[r] - f.i[r]) / h, left = (f.i[r] - down.i[r]) / h;
                    const double bend = fabs(up.g[r][c] - down.g[r][c]), noise = 2e-14 / h * size(kind, &f);
                    const double big = fmax(fabs(up.g[r][c]), fabs(down.g[r][c]));
                    CHECK_NEAR((right + left) / 2, f.g[r][c], 0.01 * bend + 1e-6 * big + 10 * noise + 1e-300);
                    CHECK_NEAR(right, left, 1.01 * bend + 1e-6 * big + 20 * noise + 1e-300);
                }
            }
        }
    }
}

/* Along random lines the slope in the direction of the line moves in small steps only. */
static void slopes_have_no_jumps(void **state) {
    (void)state;
    uint64_t k = 0;
    enum { STEPS = 200000 };
    for (int q = 0; q < RH_N_KIND; q++) {
        const rh_kind *const kind = RH_KINDS[q];
        for (int t = 0; t < 12 && by_table(kind) && !(kind->flags & RH_STATE); t++) { /* thresholds are corners */
            double par[TABLE_ROOM], from[RH_MAX_TERM], to[RH_MAX_TERM], v[RH_MAX_TERM], before[RH_MAX_TERM] = { 0 };
            draw_parameters(kind, &k, par);
            if (kind->flags & RH_TABLE) par[0] = 3; /* straight lines do have corners */
            for (int j = 0; j < kind->n_term; j++) from[j] = 2 * unit(&k) - 1, to[j] = 2 * unit(&k) - 1;
            double most[RH_MAX_TERM] = { 0 }, jump[RH_MAX_TERM] = { 0 };
            for (int s = 0; s <= STEPS; s++) {
                for (int j = 0; j < kind->n_term; j++) v[j] = from[j] + (to[j] - from[j]) * s / STEPS;
                const rh_flow f = flow(kind, par, v);
                for (int r = 0; r < kind->n_term; r++) {
                    double slope = 0;
                    for (int c = 0; c < kind->n_term; c++) slope += f.g[r][c] * (to[c] - from[c]);
                    if (s) jump[r] = fmax(jump[r], fabs(slope - before[r]));
                    most[r] = fmax(most[r], fabs(slope));
                    before[r] = slope;
                }
            }
            for (int r = 0; r < kind->n_term; r++)
                if (!(jump[r] <= 0.1 * most[r])) fail_msg("%s, terminal %d: %g of %g", kind->name, r, jump[r], most[r]);
        }
    }
}

static void anything_finite_gives_something_finite(void **state) {
    (void)state;
    static const double WILD[] = { 0, -0.0, 1e-300, -1e-300, 0.7, -0.7, 40, -40, 1e3, -1e3, 1e9, -1e9, 1e60, -1e60 };
    uint64_t k = 0;
    for (int q = 0; q < RH_N_KIND; q++) {
        const rh_kind *const kind = RH_KINDS[q];
        for (int t = 0; t < 20000 && by_table(kind); t++) {
            double par[TABLE_ROOM], v[RH_MAX_TERM], to[RH_MAX_TERM];
            draw_parameters(kind, &k, par);
            for (int j = 0; j < kind->n_par; j++)
                if (unit(&k) < 0.1) par[j] = unit(&k) < 0.5 ? kind->par[j].min : kind->par[j].max;
            for (int j = 0; j < kind->n_term; j++) {
                v[j] = WILD[(int)(unit(&k) * RH_COUNT(WILD))];
                to[j] = WILD[(int)(unit(&k) * RH_COUNT(WILD))];
            }
            const rh_flow f = flow(kind, par, v);
            for (int r = 0; r < kind->n_term; r++) {
                if (!isfinite(f.i[r])) fail_msg("%s: current %g", kind->name, f.i[r]);
                for (int c = 0; c < kind->n_term; c++) assert_true(isfinite(f.g[r][c]));
            }
            if (kind->limit) kind->limit(par, v, to);
            for (int j = 0; j < kind->n_term; j++) assert_true(isfinite(to[j]));
        }
    }
}

/* A limit never takes a small step back, nor one in the direction away from where Newton wants to go. */
static void limits_leave_small_steps_alone(void **state) {
    (void)state;
    uint64_t k = 0;
    for (int q = 0; q < RH_N_KIND; q++) {
        const rh_kind *const kind = RH_KINDS[q];
        for (int t = 0; t < TRIES && kind->limit; t++) {
            double par[TABLE_ROOM], v[RH_MAX_TERM], to[RH_MAX_TERM], want[RH_MAX_TERM], shifted[RH_MAX_TERM];
            draw_parameters(kind, &k, par);
            for (int j = 0; j < kind->n_term; j++) {
                v[j] = 1.2 * unit(&k) - 0.6;
                want[j] = to[j] = v[j] + 1e-4 * (unit(&k) - 0.5);
            }
            kind->limit(par, v, to);
            for (int j = 1; j < kind->n_term; j++) CHECK_NEAR(to[j] - to[0], want[j] - want[0], 1e-12);
            for (int j = 0; j < kind->n_term; j++) want[j] = to[j] = v[j] + 100 * (unit(&k) - 0.5);
            kind->limit(par, v, to);
            for (int j = 0; j < kind->n_term; j++) v[j] += 3, shifted[j] = want[j] + 3;
            kind->limit(par, v, shifted);
            for (int j = 1; j < kind->n_term; j++)
                CHECK_NEAR(shifted[j] - shifted[0], to[j] - to[0], 1e-9 * (1 + fabs(to[j] - to[0])));
        }
    }
}

/* ---- closed forms ---- */

static double par_at(const rh_kind *kind, double *par, const char *name, double x) {
    for (int j = 0; j < kind->n_par; j++)
        if (!strcmp(kind->par[j].name, name)) return par[j] = x;
    fail_msg("%s has no %s", kind->name, name);
    return 0;
}

static void defaults(const rh_kind *kind, double *par) {
    for (int j = 0; j < kind->n_par; j++) par[j] = kind->par[j].def;
}

static void a_diode_follows_shockley_behind_its_resistance(void **state) {
    (void)state;
    const rh_kind *const kind = RH_KINDS[RH_KIND_D];
    double par[TABLE_ROOM];
    uint64_t k = 0;
    for (int t = 0; t < TRIES; t++) {
        defaults(kind, par);
        const double is = par_at(kind, par, "is", pow(10, -16 + 10 * unit(&k))),
                     n = par_at(kind, par, "n", 1 + unit(&k));
        const double rs = par_at(kind, par, "rs", t % 4 ? pow(10, 6 * unit(&k) - 3) : 0);
        const double area = par_at(kind, par, "area", 1 + (t % 3));
        const double inner = -0.07 + unit(&k) * n * 0.9, i = area * is * expm1(inner / (n * RH_VT));
        const rh_flow f = flow(kind, par, (double[]){ 1 + inner + i * rs / area, 1 });
        CHECK_NEAR(f.i[0], i, 1e-12 * fabs(i) + 1e-12 * f.g[0][0]);
        CHECK_NEAR(f.i[1], -f.i[0], 0);
    }
    defaults(kind, par);
    CHECK_REL(flow(kind, par, (double[]){ -5, 0 }).i[0], -1e-14, 1e-6);
    CHECK_REL(RH_VT, 0.025864917, 1e-8);
}

/* SPICE's equations of level 1 by region, with drain and source as they come. */
static double square_law(const double *p, double vgs, double vds, double vbs) {
    enum { VTO, KP, GAMMA, PHI, LAMBDA, IS, W, L };
    const double vt = p[VTO] + p[GAMMA] * (sqrt(p[PHI] - vbs) - sqrt(p[PHI])), u = vgs - vt;
    if (u <= 0) return 0;
    const double beta = p[KP] * p[W] / p[L] * (1 + p[LAMBDA] * vds);
    return vds < u ? beta * (u - vds / 2) * vds : beta * u * u / 2;
}

static void transistors_follow_the_square_law_both_ways(void **state) {
    (void)state;
    uint64_t k = 0;
    for (int t = 0; t < TRIES; t++) {
        const rh_kind *const n = RH_KINDS[RH_KIND_NMOS], *const p = RH_KINDS[RH_KIND_PMOS];
        double par[TABLE_ROOM], mirrored[TABLE_ROOM];
        draw_parameters(n, &k, par);
        par[5] = 1e-30; /* is: nothing through the bulk */
        memcpy(mirrored, par, sizeof(par));
        mirrored[0] = -par[0];
        const double vgs = 4 * unit(&k) - 1, vds = 3 * unit(&k), vbs = -2 * unit(&k), s = unit(&k);
        const double want = square_law(par, vgs, vds, vbs);
        const rh_flow f = flow(n, par, (double[]){ s + vds, s + vgs, s, s + vbs });
        CHECK_NEAR(f.i[0], want, 1e-11 * fabs(want) + 1e-28);
        CHECK_NEAR(f.i[1], 0, 0);
        const rh_flow back = flow(n, par, (double[]){ s, s + vgs, s + vds, s + vbs });
        CHECK_NEAR(back.i[0], f.i[2], 0);
        const rh_flow m = flow(p, mirrored, (double[]){ -s - vds, -s - vgs, -s, -s - vbs });
        for (int r = 0; r < 4; r++) CHECK_NEAR(m.i[r], -f.i[r], 0);
    }
}

/* The published fit of a laboratory's transistors; far from the threshold the square law and the exponential. */
static void smooth_transistors_have_all_regions(void **state) {
    (void)state;
    const rh_kind *const kind = RH_KINDS[RH_KIND_NMOS_SMOOTH];
    double par[TABLE_ROOM];
    defaults(kind, par);
    const double s = par_at(kind, par, "kp", 8.5e-4), vt = par_at(kind, par, "vto", 0.62), n = 0.0434;
    uint64_t k = 0;
    for (int t = 0; t < TRIES; t++) {
        const double a = 0.453 * unit(&k), b = 0.453 * unit(&k), g = 6 * unit(&k) - 0.5, u = g - vt;
        const double x = (u - b) / (2 * n), y = (u - a) / (2 * n), fx = 2 * n * log1p(exp(x)),
                     fy = 2 * n * log1p(exp(y));
        const rh_flow f = flow(kind, par, (double[]){ a, g, b, 7 });
        CHECK_NEAR(f.i[0], s / 2 * (fx * fx - fy * fy), 1e-13 * s * (fx * fx + fy * fy));
        assert_true(f.i[1] == 0 && f.i[3] == 0 && f.i[2] == -f.i[0]);
        if (u > 1.7) CHECK_NEAR(f.i[0], s * (u - (a + b) / 2) * (a - b), 2e-6 * s);
    }
    const double low = flow(kind, par, (double[]){ 0.4, 0, 0, 0 }).i[0];
    const double more = flow(kind, par, (double[]){ 0.4, n * log(10), 0, 0 }).i[0];
    CHECK_REL(more / low, 10, 0.01);
}

static void an_ideal_diode_has_two_slopes(void **state) {
    (void)state;
    const rh_kind *const kind = RH_KINDS[RH_KIND_D_IDEAL];
    double par[TABLE_ROOM];
    defaults(kind, par);
    par_at(kind, par, "vth", 0.3);
    par_at(kind, par, "ron", 2);
    par_at(kind, par, "roff", 1e6);
    CHECK_REL(flow(kind, par, (double[]){ 1.3, 0 }).i[0], 0.3e-6 + 1 / 2., 1e-5);
    CHECK_REL(flow(kind, par, (double[]){ 1, 2 }).i[0], -1e-6, 1e-12);
    CHECK_REL(flow(kind, par, (double[]){ 0.25, 0 }).i[0], 0.25e-6, 1e-12);
    CHECK_REL(flow(kind, par, (double[]){ 0.35, 0 }).g[0][0], 1 / 2., 1e-5);
}

static void antiparallel_diodes_are_two_diodes(void **state) {
    (void)state;
    const rh_kind *const kind = RH_KINDS[RH_KIND_D_PAIR];
    double par[TABLE_ROOM];
    defaults(kind, par);
    const double is = par_at(kind, par, "is", 2e-9), n = par_at(kind, par, "n", 1.7);
    for (double v = -1; v <= 1; v += 0.01)
        CHECK_NEAR(flow(kind, par, (double[]){ 3 + v, 3 }).i[0], 2 * is * sinh(v / (n * RH_VT)),
                   1e-12 * is * cosh(v / (n * RH_VT)));
}

static void set_points(const rh_kind *kind, double *par, int n, double (*v)(int), double (*i)(double)) {
    double *const table = par + kind->n_par;
    double(*const point)[RH_POINT] = (double(*)[RH_POINT])(table + 1);
    table[0] = n;
    for (int k = 0; k < n; k++) {
        point[k][RH_POINT_V] = v(k);
        point[k][RH_POINT_I] = i(v(k));
    }
    rh_table_slopes(n, point);
}

static double uneven(int k) { return -0.3 + 0.03 * k + (k % 3) * 0.004; }
static double line(double v) { return 2e-3 * v - 1e-4; }
static double parabola(double v) { return 1e-3 * (v + 1) * (v + 1); }
static double shockley(double v) { return 2e-9 * expm1(v / (1.8 * RH_VT)); }

static void tables_pass_through_their_points(void **state) {
    (void)state;
    const rh_kind *const kind = RH_KINDS[RH_KIND_D_TABLE];
    double par[TABLE_ROOM];
    uint64_t k = 0;
    for (int t = 0; t < TRIES; t++) {
        draw_parameters(kind, &k, par);
        par[0] = t % 2 ? 1 : 3;
        const double leak = par[1], area = par[2];
        const int n = (int)par[kind->n_par];
        const double(*const p)[RH_POINT] = (const double(*)[RH_POINT])(par + kind->n_par + 1);
        for (int j = 0; j < n; j++) {
            const double want = area * (p[j][RH_POINT_I] + leak * p[j][RH_POINT_V]);
            const rh_flow f = flow(kind, par, (double[]){ p[j][RH_POINT_V], 0 });
            CHECK_NEAR(f.i[0], want, 1e-12 * area * (fabs(p[j][RH_POINT_I]) + leak));
            assert_true(f.g[0][0] >= area * leak);
        }
        for (int side = 0; side < 2; side++) { /* beyond the ends: a straight line */
            const double v = side ? p[n - 1][RH_POINT_V] + 1 : p[0][RH_POINT_V] - 1, step = side ? 5 : -5;
            const rh_flow f = flow(kind, par, (double[]){ v, 0 }), g = flow(kind, par, (double[]){ v + step, 0 });
            CHECK_NEAR(g.i[0], f.i[0] + f.g[0][0] * step, 1e-12 * (fabs(f.i[0]) + fabs(f.g[0][0])));
            CHECK_NEAR(g.g[0][0], f.g[0][0], 1e-14 * f.g[0][0]);
        }
    }
}

static void tables_never_fall(void **state) {
    (void)state;
    const rh_kind *const kind = RH_KINDS[RH_KIND_D_TABLE];
    double par[TABLE_ROOM];
    uint64_t k = 0;
    for (int t = 0; t < 300; t++) {
        draw_parameters(kind, &k, par);
        par[0] = t % 2 ? 1 : 3;
        double before = flow(kind, par, (double[]){ -3, 0 }).i[0];
        for (int j = 1; j <= 3000; j++) {
            const double now = flow(kind, par, (double[]){ -3 + 0.002 * j, 0 }).i[0];
            assert_true(now > before);
            before = now;
        }
    }
}

/* Both are exact for lines. Chords are above a curve by up to h^2/8 of its second derivative: of a diode with N Vt =
 * 47 mV measured every 30 mV, 8 %, where the cubic is within 1 %. */
static void tables_meet_what_was_measured(void **state) {
    (void)state;
    const rh_kind *const kind = RH_KINDS[RH_KIND_D_TABLE];
    double par[TABLE_ROOM];
    defaults(kind, par);
    par[1] = 1e-30;
    for (int order = 1; order <= 3; order += 2) {
        double worst[2] = { 0 };
        par[0] = order;
        for (int which = 0; which < 3; which++) {
            double (*const f)(double) = which == 0 ? line : which == 1 ? parabola : shockley;
            set_points(kind, par, 30, uneven, f);
            for (double v = 0.1; v < 0.55; v += 1e-3) {
                const double miss = flow(kind, par, (double[]){ v, 0 }).i[0] / f(v) - 1;
                if (which == 0) CHECK_NEAR(miss * f(v), 0, 1e-17);
                if (which) worst[which - 1] = fmax(worst[which - 1], fabs(miss));
            }
        }
        print_message("order %d: parabola %.1e, diode %.1e\n", order, worst[0], worst[1]);
        assert_true(worst[0] < (order == 3 ? 2e-5 : 2.4e-4) && worst[1] < (order == 3 ? 0.012 : 0.08));
        assert_true(worst[1] > (order == 3 ? 0 : 0.02));
    }
}

/* Without its refinements the model of Ebers and Moll; with the Early voltage and the knee, the textbook's factors. */
static void bipolar_transistors_have_their_limits(void **state) {
    (void)state;
    const rh_kind *const npn = RH_KINDS[RH_KIND_NPN], *const pnp = RH_KINDS[RH_KIND_PNP];
    double par[TABLE_ROOM];
    uint64_t k = 0;
    for (int t = 0; t < TRIES; t++) {
        defaults(npn, par);
        const double is = par_at(npn, par, "is", pow(10, -17 + 4 * unit(&k)));
        const double bf = par_at(npn, par, "bf", 20 + 400 * unit(&k)), br = par_at(npn, par, "br", 0.1 + 5 * unit(&k));
        const double vbe = 0.95 * unit(&k) - 0.07, vbc = 0.95 * unit(&k) - 0.07, e = unit(&k);
        const double f = is * expm1(vbe / RH_VT), r = is * expm1(vbc / RH_VT);
        const double v[3] = { e + vbe - vbc, e + vbe, e }, tol = 1e-12 * (fabs(f) + fabs(r));
        const rh_flow q = flow(npn, par, v), m = flow(pnp, par, (double[]){ -v[0], -v[1], -v[2] });
        CHECK_NEAR(q.i[0], f - r - r / br, tol);
        CHECK_NEAR(q.i[1], f / bf + r / br, tol);
        CHECK_NEAR(q.i[2], -(f - r + f / bf), tol);
        for (int j = 0; j < 3; j++) CHECK_NEAR(m.i[j], -q.i[j], 1e-14 * fabs(q.i[j]));
        if (vbe < 0.3) continue;
        const double vaf = par_at(npn, par, "vaf", 40 + 100 * unit(&k)), vce = 1 + 9 * unit(&k);
        const rh_flow early = flow(npn, par, (double[]){ vce, vbe, 0 });
        double unused;
        const double back = rh_junction(is, RH_VT, vbe - vce, &unused);
        CHECK_REL(early.i[0], (f - back) * (1 + (vce - vbe) / vaf) - back / br, 1e-9);
        CHECK_REL(early.i[1], f / bf + back / br, 1e-9);
        par_at(npn, par, "vaf", 0);
        const double ikf = par_at(npn, par, "ikf", 1e-6);
        CHECK_REL(flow(npn, par, (double[]){ vce, vbe, 0 }).i[0],
                  2 * (f - back) / (1 + sqrt(1 + 4 * f / ikf)) - back / br, 1e-9);
    }
}

/* A random expression, small enough to stay where its functions have values, with its value computed beside it. */
static double random_tape(double *tape, const double *v, int depth, uint64_t *k) {
    const int op = depth == 0 ? (int)(2 * unit(k)) : (int)(RH_TAPE_OPS * unit(k));
    int n = (int)tape[0];
    if (rh_tape_operands((rh_tape_op)op) == 0) {
        const int t = (int)(4 * unit(k));
        const double x = op == RH_TAPE_VOLT ? t : 2 * unit(k) - 1;
        tape[1 + n++] = op;
        tape[1 + n++] = x;
        tape[0] = n;
        return op == RH_TAPE_VOLT ? v[t] : x;
    }
    const double a = random_tape(tape, v, depth - 1, k);
    const double b = rh_tape_operands((rh_tape_op)op) == 2 ? random_tape(tape, v, depth - 1, k) : 0;
    tape[1 + (int)tape[0]] = op;
    tape[0] += 1;
    double y = tanh(a);
    if (op == RH_TAPE_ADD) y = a + b;
    if (op == RH_TAPE_SUB) y = a - b;
    if (op == RH_TAPE_MUL) y = a * b;
    if (op == RH_TAPE_DIV) y = a / b;
    if (op == RH_TAPE_MIN) y = fmin(a, b);
    if (op == RH_TAPE_MAX) y = fmax(a, b);
    if (op == RH_TAPE_NEG) y = -a;
    if (op == RH_TAPE_ABS) y = fabs(a);
    if (op == RH_TAPE_EXP) y = exp(a);
    if (op == RH_TAPE_LN) y = log(a);
    if (op == RH_TAPE_SQRT) y = sqrt(a);
    return isfinite(a) && isfinite(b) && isfinite(y) ? y : NAN; /* once without a value, always */
}

static void expressions_have_their_values_and_slopes(void **state) {
    (void)state;
    uint64_t k = 0;
    int compared = 0;
    for (int t = 0; t < 20000; t++) {
        double tape[RH_TAPE_MOST] = { 0 }, v[4], slope[4], other[4], scale = 0;
        for (int j = 0; j < 4; j++) v[j] = 2 * unit(&k) - 1;
        const double want = random_tape(tape, v, 4, &k), got = rh_tape_eval(tape, v, slope);
        assert_true(isfinite(got) || !isfinite(want));
        if (!isfinite(want) || fabs(want) > 1e6) continue;
        CHECK_NEAR(got, want, 1e-13 * fabs(want) + 1e-15);
        for (int j = 0; j < 4; j++) scale = fmax(scale, fabs(slope[j]));
        for (int j = 0; j < 4; j++) {
            const double h = 1e-6, at = v[j];
            double near[2], bend[2];
            for (int side = 0; side < 2; side++) {
                v[j] = side ? at - h : at + h;
                near[side] = rh_tape_eval(tape, v, other);
                bend[side] = other[j];
            }
            v[j] = at;
            if (!(fabs(bend[0] - bend[1]) <= 1e-3 * (fabs(bend[0]) + 1))) continue; /* a kink, or steep */
            CHECK_NEAR((near[0] - near[1]) / (2 * h), slope[j], 1e-4 * (1 + scale) + 1e-9 * fabs(want));
            compared++;
        }
    }
    assert_true(compared > 30000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_complete),
        cmocka_unit_test(currents_sum_to_zero_and_shift_with_all_potentials),
        cmocka_unit_test(slopes_are_finite_differences),
        cmocka_unit_test(slopes_have_no_jumps),
        cmocka_unit_test(anything_finite_gives_something_finite),
        cmocka_unit_test(limits_leave_small_steps_alone),
        cmocka_unit_test(a_diode_follows_shockley_behind_its_resistance),
        cmocka_unit_test(transistors_follow_the_square_law_both_ways),
        cmocka_unit_test(smooth_transistors_have_all_regions),
        cmocka_unit_test(an_ideal_diode_has_two_slopes),
        cmocka_unit_test(antiparallel_diodes_are_two_diodes),
        cmocka_unit_test(tables_pass_through_their_points),
        cmocka_unit_test(tables_never_fall),
        cmocka_unit_test(tables_meet_what_was_measured),
        cmocka_unit_test(bipolar_transistors_have_their_limits),
        cmocka_unit_test(expressions_have_their_values_and_slopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
