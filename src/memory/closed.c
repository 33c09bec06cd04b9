/* A cycle in closed form: opening the tables, and taking edges through them. */
#include "memory/block.h"

#include <float.h>
#include <math.h>

static rheo_status check(const rh_filter *f, const rh_ramp *ramp, int n_ramp, int degree, rheo_error *err) {
    bool fine = f->n >= 1 && f->n <= RH_MAX_STATE && n_ramp >= 1 && n_ramp <= RH_MAX_RAMP && degree >= 1 &&
                degree <= RH_MAX_DEGREE;
    if (!fine)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "a cycle needs 1 to %d ramps and degree 1 to %d", RH_MAX_RAMP,
                       RH_MAX_DEGREE);
    for (int k = 0; k < n_ramp; k++) {
        fine = ramp[k].duration > DBL_MIN && ramp[k].duration <= DBL_MAX / RH_MAX_RAMP && isfinite(ramp[k].h0) &&
               isfinite(ramp[k].h1);
        if (!fine)
            return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE,
                           "ramp %d of the cycle lasts %g s, must be above 0 and finite", k + 1, ramp[k].duration);
    }
    return RHEO_OK;
}

rheo_status rh_closed_open(rh_closed **out, const rh_filter *f, const rh_ramp *ramp, int n_ramp, int degree,
                           rh_start start, rheo_error *err) {
    RHEO_TRY(check(f, ramp, n_ramp, degree, err));
    rh_closed *const t = rh_alloc(sizeof *t);
    if (!t) return RH_NOMEM(err);
    t->start = start;
    t->n_state = f->n;
    t->n_dev = start == RH_CARRIED ? f->n : 0;
    t->degree = degree;
    t->n_row = t->n_dev + degree;
    t->n_ramp = n_ramp;
    t->area = f->area;
    t->h_end = ramp[n_ramp - 1].h1;
    t->stride = RH_HEAD + (size_t)RH_AT_TOTAL * (size_t)t->n_row;
    for (int k = 0; k < n_ramp; k++) t->period += ramp[k].duration;
    rh_bernstein_build(&t->bernstein);
    const rheo_status status = rh_grid_build(t, f, ramp, err);
    if (status != RHEO_OK) {
        rh_closed_close(t);
        return status;
    }
    *out = t;
    return RHEO_OK;
}

void rh_closed_close(rh_closed *t) {
    if (!t) return;
    rh_free(t->record);
    rh_free(t);
}

size_t rh_closed_work(const rh_closed *t) { return 4 * ((size_t)t->n_interval * RH_BLOCK + 1); }

/* What a carried edge brings: the deviation from rest at s(h=0) of this cycle, of which the tables count the first
 * rows. */
static void load_carry(const rh_closed *t, rh_block *b, int first, int n, const double *c_0, int stride,
                       const rh_carry *carry) {
    for (int i = 0; i < t->n_dev; i++)
        for (int l = 0; l < n; l++)
            b->rows[i][l] = carry->dev[(size_t)i * (size_t)stride + (size_t)(first + l)] +
                            t->rest[i] * (carry->s_last[first + l] - c_0[first + l]);
}

static void load(const rh_closed *t, rh_block *b, int first, int n, int n_coef, const double *coef, int stride,
                 const rh_carry *carry) {
    b->n = n;
    b->n_used = t->n_dev + n_coef - 1;
    if (n < RH_BLOCK) memset(b->rows, 0, (size_t)b->n_used * sizeof b->rows[0]);
    memset(b->rest, 0, sizeof b->rest);
    load_carry(t, b, first, n, coef, stride, carry);
    for (int j = 1; j < n_coef; j++)
        memcpy(b->rows[t->n_dev + j - 1], coef + (size_t)j * (size_t)stride + first, (size_t)n * sizeof *coef);
    for (int l = 0; l < n && t->area != 0; l++) b->rest[l] = t->area * coef[first + l];
    double linear[RH_BLOCK];
    for (int l = 0; l < RH_BLOCK; l++) linear[l] = b->rest[l] * t->period;
    for (int r = 0; r < b->n_used; r++) {
        const double share = t->linear[r], *const row = b->rows[r];
        for (int l = 0; l < RH_BLOCK; l++) linear[l] += share * row[l];
    }
    memcpy(b->linear, linear, sizeof linear);
}

static void store_carry(const rh_closed *t, const rh_block *b, int first, int n, const double *c_0, int stride,
                        const rh_carry *carry) {
    for (int l = 0; l < n; l++) {
        double s = c_0[first + l];
        for (int r = t->n_dev; r < b->n_used; r++) s += t->end_s[r] * b->rows[r][l];
        carry->s_last[first + l] = s;
    }
    for (int i = 0; i < t->n_dev; i++) {
        for (int l = 0; l < n; l++) {
            double z = 0;
            for (int r = 0; r < b->n_used; r++) z += t->end_state[i][r] * b->rows[r][l];
            carry->dev[(size_t)i * (size_t)stride + (size_t)(first + l)] = z;
        }
    }
}

/* Gauss quadrature of u^3 on every interval, exact for the polynomials that the tables hold. */
static void cubic(const rh_closed *t, double threshold, const rh_block *b, double *dw) {
    double sum[RH_BLOCK] = { 0 };
    for (int i = 0; i < t->n_interval; i++) {
        const double half = rh_interval_width(t, i) / 2;
        for (int g = 0; g < RH_CUBE_POINTS; g++) {
            const double *const row = rh_rows(t, i, RH_AT_CUBE + g), weight = half * t->cube_weight[g];
            double u[RH_BLOCK];
            memcpy(u, b->rest, sizeof u);
            for (int r = 0; r < b->n_used; r++)
                for (int l = 0; l < RH_BLOCK; l++) u[l] += b->rows[r][l] * row[r];
            for (int l = 0; l < RH_BLOCK; l++) sum[l] += weight * u[l] * u[l] * u[l];
        }
    }
    for (int l = 0; l < RH_BLOCK; l++) dw[l] = sum[l] / threshold;
}

static void write_block(const rh_closed *t, const rh_write_def *def, rh_block *b, double *dw) {
    if (def->nonlinearity == RH_CUBIC)
        cubic(t, def->threshold > 0 ? def->threshold : 1, b, dw);
    else if (def->nonlinearity == RH_DEAD_ZONE && def->threshold > 0)
        rh_dead_zone(t, def->threshold, b, dw);
    else
        memcpy(dw, b->linear, sizeof b->linear); /* without a dead zone the cycle integral is known exactly */
    /* Coefficients that are not numbers, or that overflow, must show: comparisons alone would turn them into zero. */
    for (int l = 0; l < b->n; l++) dw[l] = isfinite(b->linear[l]) ? dw[l] + 0.0 : NAN;
}

/* Edges that the sweep is not sure of, collected until they fill a block. */
typedef struct left_over {
    rh_block *b;
    int n, edge[RH_BLOCK];
} left_over;

static void settle(const rh_closed *t, const rh_write_def *def, left_over *rest, double *dw) {
    double out[RH_BLOCK];
    if (rest->n == 0) return;
    rest->b->n = rest->n;
    for (int r = 0; r < rest->b->n_used; r++)
        for (int l = rest->n; l < RH_BLOCK; l++) rest->b->rows[r][l] = 0;
    for (int l = rest->n; l < RH_BLOCK; l++) rest->b->rest[l] = rest->b->linear[l] = 0;
    write_block(t, def, rest->b, out);
    for (int l = 0; l < rest->n; l++) dw[rest->edge[l]] = out[l];
    rest->n = 0;
}

static void put_off(left_over *rest, const rh_block *b, int lane, int edge) {
    rh_block *const to = rest->b;
    const int l = rest->n++;
    to->n_used = b->n_used;
    for (int r = 0; r < b->n_used; r++) to->rows[r][l] = b->rows[r][lane];
    to->rest[l] = b->rest[lane];
    to->linear[l] = b->linear[lane];
    rest->edge[l] = edge;
}

/* The edges of a block, whose first one is edge `first`. */
static void sweep(const rh_closed *t, const rh_write_def *def, const rh_block *b, int first, left_over *rest,
                  double *dw) {
    double out[RH_BLOCK];
    int64_t sure[RH_BLOCK];
    const bool all = rh_sweep_block(t, def->threshold, b, out, sure);
    memcpy(dw + first, out, (size_t)b->n * sizeof *dw);
    for (int l = 0; l < b->n && !all; l++) {
        if (sure[l]) continue;
        put_off(rest, b, l, first + l);
        if (rest->n == RH_BLOCK) settle(t, def, rest, dw);
    }
}

static void lane_extremes(const rh_closed *t, const rh_block *b, int lane, double *u_max, double *u_min) {
    double rows[RH_MAX_ROW];
    for (int r = 0; r < b->n_used; r++) rows[r] = b->rows[r][lane];
    rh_extremes(t, b->n_used, rows, b->rest[lane], u_max, u_min);
}

void rh_closed_write(const rh_closed *t, const rh_write_def *def, int n_edge, int n_coef, const double *coef,
                     int stride, const rh_carry *carry, double *dw, double *u_max, double *u_min, double *work) {
    const size_t room = (size_t)t->n_interval * RH_BLOCK + 1;
    rh_block b, later; /* filled as they are used: zeroing both costs as much as some edges */
    b.place = later.place = work;
    b.left = later.left = work + room;
    b.right = later.right = work + 2 * room;
    b.spare = later.spare = work + 3 * room;
    left_over rest = { .b = &later };
    const bool swept = def->nonlinearity == RH_DEAD_ZONE && def->threshold > 0 && t->n_dev + n_coef - 1 <= t->n_sweep;
    for (int first = 0; first < n_edge; first += RH_BLOCK) {
        const int n = n_edge - first < RH_BLOCK ? n_edge - first : RH_BLOCK;
        double out[RH_BLOCK];
        load(t, &b, first, n, n_coef, coef, stride, carry);
        if (swept) {
            sweep(t, def, &b, first, &rest, dw);
        } else {
            write_block(t, def, &b, out);
            memcpy(dw + first, out, (size_t)n * sizeof *dw);
        }
        for (int l = 0; l < n && u_max && u_min; l++) lane_extremes(t, &b, l, u_max + first + l, u_min + first + l);
        if (carry) store_carry(t, &b, first, n, coef, stride, carry);
    }
    settle(t, def, &rest, dw);
}

/* Interval that time x is in; at a seam the one after it. */
static int interval_at(const rh_closed *t, double x) {
    int lo = 0, hi = t->n_interval - 1;
    while (lo < hi) {
        const int mid = (lo + hi + 1) / 2;
        if (rh_interval_start(t, mid) <= x)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

double rh_closed_u(const rh_closed *t, int n_coef, const double *coef, const double *dev, double x) {
    double rows[RH_MAX_ROW] = { 0 }, p[RH_Q1];
    for (int i = 0; i < t->n_dev; i++) rows[i] = dev ? dev[i] : 0;
    for (int j = 1; j < n_coef; j++) rows[t->n_dev + j - 1] = coef[j];
    const int i = interval_at(t, x);
    const double local = 2 * (x - rh_interval_start(t, i)) / rh_interval_width(t, i) - 1;
    rh_combine(t, i, t->n_dev + n_coef - 1, rows, t->area * coef[0], p);
    return rh_poly_at(p, local < -1 ? -1 : local > 1 ? 1 : local);
}
