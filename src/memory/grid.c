/* Cutting a cycle into intervals on which every response is a polynomial of degree RH_Q to about 1e-14. */
#include "memory/closed.h"
#include "memory/flow.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288L
enum { N_MARCH = 16 }; /* steps per ramp on the way to the periodic state; few enough for T_10 to expand well in one */

static const long double TAIL =
    5e-13L; /* last Chebyshev coefficient, relative; what is cut off is about 30 times smaller */
static const long double GROWTH = 40;    /* sum of the monomials relative to the largest value: two digits at most */
static const long double NOISE = 1e-17L; /* of the long double arithmetic here, relative to the terms of u */

typedef long double states[RH_MAX_ROW][RH_MAX_STATE];

typedef struct grid {
    rh_closed *t;
    const rh_filter *f;
    long double rest[RH_MAX_STATE], speed;
    states z;                       /* deviation from rest at the place reached, per row */
    long double peak[RH_MAX_ROW];   /* largest |u| so far */
    long double node[RH_Q1];        /* Chebyshev-Lobatto points, -1 to 1 */
    long double cheb[RH_Q1][RH_Q1]; /* [k][q]: values at the nodes to Chebyshev coefficients */
    long double mono[RH_Q1][RH_Q1]; /* [k][q]: values at the nodes to monomials */
    long double cube_node[RH_CUBE_POINTS];
} grid;

/* A candidate for the next interval. */
typedef struct trial {
    long double at, w;                /* start within its ramp, and width, s */
    long double u[RH_MAX_ROW][RH_Q1]; /* at the nodes */
    long double p[RH_MAX_ROW][RH_Q1]; /* monomials */
    states z;                         /* at its end */
    long double noise[RH_MAX_ROW];    /* rounding of u */
    long double excess;               /* last coefficients over what is allowed: passes up to 1 */
} trial;

/* s - s(h=0) of basis polynomial j, from its Taylor table. */
static long double basis_value(const rh_taylor t, int j) { return t[j][0] - (j % 2 ? -1 : 1); }

/* Move all rows over the width of the flow, w, from time `at` of the ramp. */
static void advance(const grid *g, const rh_ramp *ramp, const rh_flow *flow, long double at, long double w, states z) {
    const long double dh = (long double)ramp->h1 - ramp->h0;
    const long double y = 2 * (ramp->h0 + dh * (at / ramp->duration)) - 1, eta = 2 * dh * (w / ramp->duration);
    rh_taylor t;
    rh_basis_taylor(g->t->degree, y, t);
    for (int r = 0; r < g->t->n_row; r++) {
        const int j = r - g->t->n_dev + 1; /* row r is basis polynomial j, or a deviation when j < 1 */
        long double kick[RH_MAX_DEGREE], power = 1 / w;
        for (int k = 1; k <= j; k++) {
            power *= eta;
            kick[k - 1] = (long double)k * t[j][k] * power;
        }
        rh_flow_advance(flow, dh == 0 || j < 1 ? 0 : j, kick, z[r]);
    }
}

/* s jumps from level h0 to h1 of the clamp: the state stays, its distance from rest does not. */
static void jump(const grid *g, double h0, double h1, states z) {
    if (h0 == h1) return;
    rh_taylor a, b;
    rh_basis_taylor(g->t->degree, 2 * (long double)h0 - 1, a);
    rh_basis_taylor(g->t->degree, 2 * (long double)h1 - 1, b);
    for (int r = g->t->n_dev; r < g->t->n_row; r++) {
        const int j = r - g->t->n_dev + 1;
        for (int i = 0; i < g->f->n; i++) z[r][i] -= g->rest[i] * (b[j][0] - a[j][0]);
    }
}

/* u of all rows at time `at` of the ramp; noise [n_row], if not NULL, is raised to its rounding. */
static void read_u(const grid *g, const rh_ramp *ramp, long double at, states z, long double *u, int step,
                   long double *noise) {
    const long double dh = (long double)ramp->h1 - ramp->h0;
    rh_taylor t;
    rh_basis_taylor(g->t->degree, 2 * (ramp->h0 + dh * (at / ramp->duration)) - 1, t);
    for (int r = 0; r < g->t->n_row; r++) {
        const int j = r - g->t->n_dev + 1;
        long double sum = j < 1 ? 0 : (long double)g->t->area * basis_value(t, j);
        long double size = fabsl(sum);
        for (int i = 0; i < g->f->n; i++) {
            sum += g->f->c[i] * z[r][i];
            size += fabsl(g->f->c[i] * z[r][i]);
        }
        u[r * step] = sum;
        if (noise) noise[r] = fmaxl(noise[r], NOISE * size);
    }
}

static void prepare_transforms(grid *g) {
    long double power[RH_Q1][RH_Q1] = { { 1 }, { 0, 1 } }; /* [j]: monomials of T_j */
    for (int j = 1; j < RH_Q; j++)
        for (int k = 0; k <= j + 1; k++) power[j + 1][k] = (k > 0 ? 2 * power[j][k - 1] : 0) - power[j - 1][k];
    for (int q = 0; q <= RH_Q; q++) {
        g->node[q] = -cosl(PI * q / RH_Q);
        for (int k = 0; k <= RH_Q; k++) {
            const long double end = (q == 0 || q == RH_Q ? 0.5L : 1) * (k == 0 || k == RH_Q ? 0.5L : 1);
            g->cheb[k][q] = 2 * end / RH_Q * cosl(PI * ((k * (RH_Q - q)) % (2 * RH_Q)) / RH_Q);
        }
    }
    for (int k = 0; k <= RH_Q; k++)
        for (int q = 0; q <= RH_Q; q++)
            for (int j = 0; j <= RH_Q; j++) g->mono[k][q] += power[j][k] * g->cheb[j][q];
}

static long double dot(const long double *a, const long double *b) {
    long double sum = 0;
    for (int q = 0; q <= RH_Q; q++) sum += a[q] * b[q];
    return sum;
}

/* How far row r is from a polynomial on this interval, 1 being just good enough. An error that the whole cycle could
 * not make felt beside the peak passes as well: a response that only decays must not be followed for ever. */
static long double row_excess(const grid *g, trial *c, int r) {
    long double size = 0, sum = 0;
    for (int q = 0; q <= RH_Q; q++) size = fmaxl(size, fabsl(c->u[r][q]));
    const long double tail = fmaxl(fabsl(dot(g->cheb[RH_Q], c->u[r])), 0.04L * fabsl(dot(g->cheb[RH_Q - 1], c->u[r])));
    const long double still = 1e-17L / fmaxl(1, g->speed * g->t->period) * fmaxl(g->peak[r], size);
    const long double allowed = fmaxl(TAIL * size, fmaxl(still, c->noise[r]));
    const long double excess = tail > 0 ? tail / allowed : 0;
    if (!(excess <= 1)) return isfinite(excess) ? excess : INFINITY;
    for (int k = 0; k <= RH_Q; k++) {
        c->p[r][k] = dot(g->mono[k], c->u[r]);
        sum += fabsl(c->p[r][k]);
    }
    return sum <= GROWTH * size || sum <= still ? excess : 1e3L;
}

/* March from node to node over [at, at + w]. The steps are symmetric about the middle and so are their flows. */
static bool try_interval(const grid *g, const rh_ramp *ramp, trial *c) {
    rh_flow flow[(RH_Q + 1) / 2];
    c->excess = INFINITY;
    for (int q = 0; q < RH_COUNT(flow); q++) {
        const long double w = (g->node[q + 1] - g->node[q]) / 2 * c->w;
        if (!rh_flow_build(&flow[q], g->f, g->rest, w, g->t->degree)) return false;
    }
    memset(c->noise, 0, sizeof c->noise);
    memcpy(c->z, g->z, sizeof c->z);
    read_u(g, ramp, c->at, c->z, &c->u[0][0], RH_Q1, c->noise);
    for (int q = 0; q < RH_Q; q++) {
        const long double w = (g->node[q + 1] - g->node[q]) / 2 * c->w;
        const long double from = c->at + (1 + g->node[q]) / 2 * c->w;
        advance(g, ramp, &flow[q < RH_COUNT(flow) ? q : RH_Q - 1 - q], from, w, c->z);
        read_u(g, ramp, from + w, c->z, &c->u[0][q + 1], RH_Q1, c->noise);
    }
    c->excess = 0;
    for (int r = 0; r < g->t->n_row && c->excess <= 1; r++) c->excess = fmaxl(c->excess, row_excess(g, c, r));
    return c->excess <= 1;
}

/* The error goes with the width to the power RH_Q. */
static long double rescale(const trial *c, long double least, long double most) {
    return fminl(most, fmaxl(least, 0.97L * powl(c->excess, -1.0L / RH_Q)));
}

/* A long interval from c->at that passes: the rest of the ramp if that will do. guess: the first width to try
 * otherwise. */
static bool find_interval(const grid *g, const rh_ramp *ramp, long double guess, trial *c) {
    const long double left = ramp->duration - c->at;
    c->w = left;
    if (try_interval(g, ramp, c)) return true;
    c->w = fminl(guess, left / 2);
    while (!try_interval(g, ramp, c)) {
        if (!(c->w * g->speed > 1e-3L) && !(c->w > 1e-3L * left)) return false;
        c->w *= rescale(c, 0.2L, 0.95L);
    }
    return true;
}

/* Tables hold no denormals: they carry no information here and cost a hundred cycles each. */
static double tidy(long double x) { return fabsl(x) < 1e-280L ? 0 : (double)x; }

static double largest(const double *b) {
    double size = 0;
    for (int i = 0; i <= RH_Q; i++) size = fmax(size, fabs(b[i]));
    return size;
}

/* Bernstein coefficients bound the distance from the chord, and their signs tell where u is monotone. */
static void bound_row(const rh_closed *t, const double *p, bool leads, double *reach, double *lead, double *quarter,
                      double *slope) {
    double lo[4], hi[4], chord[RH_Q1], derivative[RH_Q1], b[RH_Q1];
    double left = p[0], right = p[0];
    for (int k = 1; k <= RH_Q; k++) {
        left += k % 2 ? -p[k] : p[k];
        right += p[k];
    }
    memcpy(chord, p, sizeof chord);
    chord[0] -= (left + right) / 2;
    chord[1] -= (right - left) / 2;
    rh_bernstein_of(&t->bernstein, chord, b);
    *reach = largest(b) * (1 + 1e-12);
    rh_poly_slope(p, derivative);
    rh_bernstein_of(&t->bernstein, derivative, b);
    for (int i = 0; i < RH_POLY_STRIDE; i++) slope[i] = b[i < RH_Q ? i : RH_Q];
    double least = b[0], most = b[0];
    for (int i = 1; i <= RH_Q; i++) {
        least = fmin(least, b[i]);
        most = fmax(most, b[i]);
    }
    *lead = leads ? fmax(0, fmax(least, -most)) * (1 - 1e-12) : -fmax(fabs(least), fabs(most)) * (1 + 1e-12);
    rh_bernstein_quarters(b, lo, hi);
    for (int k = 0; k < 4; k++) {
        quarter[k] = lo[k] + (hi[k] - lo[k]) / 2;
        quarter[4 + k] = (hi[k] - lo[k]) / 2 * (1 + 1e-12) + fabs(quarter[k]) * 1e-15;
    }
}

static void fill_row(const grid *g, const trial *c, int r, double *rows) {
    const rh_closed *t = g->t;
    const int n = t->n_row;
    double *const p = &rows[RH_AT_POLY * n + RH_POLY_STRIDE * r];
    long double whole = 0;
    for (int k = 0; k <= RH_Q; k++) {
        p[k] = tidy(c->p[r][k]);
        if (k % 2 == 0) whole += c->p[r][k] / (k + 1);
    }
    rows[RH_AT_END * n + r] = tidy(c->u[r][RH_Q]);
    rows[RH_AT_WHOLE * n + r] = tidy(whole * c->w);
    bound_row(t, p, r == t->n_dev, &rows[RH_AT_REACH * n + r], &rows[RH_AT_LEAD * n + r],
              &rows[RH_AT_QUARTER * n + 8 * r], &rows[RH_AT_SLOPE * n + RH_POLY_STRIDE * r]);
    for (int i = 0; i < RH_CUBE_POINTS; i++) rows[(RH_AT_CUBE + i) * n + r] = rh_poly_at(p, (double)g->cube_node[i]);
}

static rheo_status append(grid *g, const trial *c, double ramp_start, rheo_error *err) {
    rh_closed *const t = g->t;
    if (!rh_grow(&t->record, &t->cap, t->n_interval + 1, t->stride * sizeof *t->record)) return RH_NOMEM(err);
    double *const record = t->record + (size_t)t->n_interval * t->stride;
    record[0] = (double)(ramp_start + c->at);
    record[1] = (double)c->w;
    record[2] = record[3] = 0;
    for (int r = 0; r < t->n_row; r++) {
        fill_row(g, c, r, record + RH_HEAD);
        if (r != t->n_dev) record[2] = fmax(record[2], -record[RH_HEAD + RH_AT_LEAD * t->n_row + r]);
        for (int q = 0; q <= RH_Q; q++) g->peak[r] = fmaxl(g->peak[r], fabsl(c->u[r][q]));
    }
    memcpy(g->z, c->z, sizeof g->z);
    t->n_interval++;
    return RHEO_OK;
}

static rheo_status cut_ramp(grid *g, const rh_ramp *ramp, double start, double *begin, rheo_error *err) {
    long double u[RH_MAX_ROW], guess = 2 / g->speed;
    const int first = g->t->n_interval;
    read_u(g, ramp, 0, g->z, u, 1, NULL);
    for (int r = 0; r < g->t->n_row; r++) {
        begin[r] = tidy(u[r]);
        g->peak[r] = fmaxl(g->peak[r], fabsl(u[r]));
    }
    for (long double at = 0; at < ramp->duration;) {
        trial c = { .at = at };
        if (g->t->n_interval - first >= RH_MAX_INTERVAL || !find_interval(g, ramp, guess, &c))
            return rh_fail(
                err, RHEO_E_RANGE, 0, RH_NOWHERE,
                "the memory cannot be followed over a ramp of %g s: it rings too often, or its time constants are too "
                "far apart",
                ramp->duration);
        RHEO_TRY(append(g, &c, start, err));
        const bool all = c.w == ramp->duration - at;
        at = all ? (long double)ramp->duration : at + c.w;
        guess = c.w * rescale(&c, 1, 3) * 1.1L; /* what is still moving fades from one interval to the next */
    }
    return RHEO_OK;
}

/* The deviation with which a cycle must begin to end the same: (e^{MT} - 1) z = -(what one cycle from rest leaves). */
static bool find_periodic(grid *g, const rh_ramp *ramp) {
    const int n = g->f->n, n_ramp = g->t->n_ramp;
    long double d[RH_MAX_STATE][RH_MAX_STATE] = { 0 };
    for (int k = 0; k < n_ramp; k++) {
        rh_flow step, whole;
        const long double w = (long double)ramp[k].duration / N_MARCH;
        if (!rh_flow_build(&step, g->f, g->rest, w, g->t->degree)) return false;
        if (!rh_flow_build(&whole, g->f, g->rest, ramp[k].duration, 0)) return false;
        jump(g, ramp[k > 0 ? k - 1 : n_ramp - 1].h1, ramp[k].h0, g->z);
        for (int i = 0; i < N_MARCH; i++) advance(g, &ramp[k], &step, i * w, w, g->z);
        for (int col = 0; col < n; col++) { /* D <- D + W + W D */
            long double column[RH_MAX_STATE] = { 0 };
            for (int i = 0; i < n; i++) column[i] = d[i][col];
            rh_flow_advance(&whole, 0, NULL, column);
            for (int i = 0; i < n; i++) d[i][col] = column[i] + whole.d[i][col];
        }
    }
    for (int r = 0; r < g->t->n_row; r++) {
        for (int i = 0; i < n; i++) g->z[r][i] = -g->z[r][i];
        if (!rh_solve_small(n, d, g->z[r], g->z[r])) return false;
    }
    return true;
}

/* Integral of B_j over the cycle, s. */
static long double basis_integral(const rh_ramp *ramp, int n_ramp, int degree, int j) {
    enum { N = RH_MAX_DEGREE / 2 + 1 };
    long double node[N], weight[N], sum = 0;
    rh_gauss(N, node, weight);
    for (int k = 0; k < n_ramp; k++) {
        for (int i = 0; i < N; i++) {
            rh_taylor t;
            const long double h = ramp[k].h0 + ((long double)ramp[k].h1 - ramp[k].h0) * (1 + node[i]) / 2;
            rh_basis_taylor(degree, 2 * h - 1, t);
            sum += ramp[k].duration * weight[i] / 2 * basis_value(t, j);
        }
    }
    return sum;
}

/* M int x dt + b int s dt = x(T) - x(0), so int u dt = area int s dt + c M^{-1} (x(T) - x(0)): no sum over intervals,
 * and exactly area int s dt when the cycle repeats. */
static bool fill_linear(grid *g, const rh_ramp *ramp) {
    rh_closed *const t = g->t;
    long double transposed[RH_MAX_STATE][RH_MAX_STATE] = { 0 }, c_inverse[RH_MAX_STATE];
    for (int i = 0; i < g->f->n; i++)
        for (int j = 0; j < g->f->n; j++) transposed[i][j] = g->f->m[j][i];
    if (!rh_solve_small(g->f->n, transposed, g->f->c, c_inverse)) return false;
    for (int r = 0; r < t->n_row; r++) {
        const int j = r - t->n_dev + 1;
        long double sum =
            j < 1 || t->area == 0 ? 0 : (long double)t->area * basis_integral(ramp, t->n_ramp, t->degree, j);
        t->end_s[r] = j < 1 ? 0 : rh_basis(j, t->h_end);
        for (int i = 0; i < g->f->n; i++) {
            const long double rest = g->rest[i] * (long double)t->end_s[r], start = i == r && j < 1 ? 1 : 0;
            t->end_state[i][r] = tidy(g->z[r][i]);
            if (t->start != RH_PERIODIC) sum += c_inverse[i] * (g->z[r][i] + rest - start);
        }
        t->linear[r] = tidy(sum);
    }
    return true;
}

static void fill_quadrature(rh_closed *t, grid *g) {
    long double node[RH_PIECE_POINTS], weight[RH_CUBE_POINTS];
    rh_gauss(RH_PIECE_POINTS, node, weight);
    for (int i = 0; i < RH_PIECE_POINTS; i++) {
        t->piece_node[i] = (double)node[i];
        t->piece_weight[i] = (double)weight[i];
    }
    rh_gauss(RH_CUBE_POINTS, g->cube_node, weight);
    for (int i = 0; i < RH_CUBE_POINTS; i++) t->cube_weight[i] = (double)weight[i];
}

static rheo_status no_rest(rheo_error *err) {
    return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE,
                   "the memory has no steady state that can be computed: its time constants are "
                   "too far apart or too far from those of the protocol");
}

rheo_status rh_grid_build(rh_closed *t, const rh_filter *f, const rh_ramp *ramp, rheo_error *err) {
    grid g = { .t = t, .f = f, .speed = rh_flow_speed(f) };
    long double minus_b[RH_MAX_STATE];
    for (int i = 0; i < f->n; i++) minus_b[i] = -f->b[i];
    if (!rh_solve_small(f->n, f->m, minus_b, g.rest)) return no_rest(err);
    for (int i = 0; i < f->n; i++) t->rest[i] = (double)g.rest[i];
    for (int i = 0; i < t->n_dev; i++) g.z[i][i] = 1;
    prepare_transforms(&g);
    fill_quadrature(t, &g);
    if (t->start == RH_PERIODIC && !find_periodic(&g, ramp)) return no_rest(err);
    double start = 0, h = t->start == RH_PERIODIC ? t->h_end : 0;
    for (int k = 0; k < t->n_ramp; k++) {
        jump(&g, h, ramp[k].h0, g.z);
        t->first[k] = t->n_interval;
        if (f->n == 1) rh_sweep_ramp(t, k, f, g.rest[0], &ramp[k]);
        RHEO_TRY(cut_ramp(&g, &ramp[k], start, t->begin[k], err));
        start += ramp[k].duration;
        h = ramp[k].h1;
    }
    t->first[t->n_ramp] = t->n_interval;
    rh_sweep_close(t, f, g.peak);
    return fill_linear(&g, ramp) ? RHEO_OK : no_rest(err);
}
