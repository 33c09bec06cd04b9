/* The hot loop of training: integral of g(u) with a dead zone, for a block of edges. Included by deadzone.c and, with
 * 256-bit vectors, by deadzone_wide.c.
 *
 * Every number belongs to one lane: nothing is summed or decided across lanes, so an edge gets the same bytes whatever
 * its neighbours are and however wide the vectors. Steps:
 *
 * - scan: u at the ends of every interval and a bound of how far it strays between tell above, below, or an item to
 * look at.
 * - solve: the items. A monotone polynomial has one crossing per level, found by Newton for several items side by side;
 *   anything else goes through rh_poly_crossings.
 * - integrate: the antiderivative over the stretches between crossings.
 *
 * An edge that is above nearly all the time writes the small difference of two large lobes. It is got from the other
 * side: the integral of u over the whole cycle, known in closed form, less the time below threshold. */
#ifndef RH_MEMORY_DEADZONE_H
#define RH_MEMORY_DEADZONE_H

#include "memory/block.h"
#include "memory/lanes.h"

#include <math.h>

enum { CHUNK = 48, MAX_STEP = 60, LIST = 2 * CHUNK + RH_LANES };

/* u at the left end of a ramp. */
RH_INLINE rh_lanes dot_rows(const rh_block *b, int lane, const double *row) {
    rh_lanes sum = rh_load(b->rest + lane);
    for (int r = 0; r < b->n_used; r++) sum = rh_plus(sum, rh_scale(row[r], rh_load(b->rows[r] + lane)));
    return sum;
}

RH_INLINE void append_items(rh_block *b, int interval, int lane, rh_mask mark, rh_lanes left, rh_lanes right,
                            rh_lanes spare) {
    int64_t marked[RH_LANES];
    double l[RH_LANES], r[RH_LANES], s[RH_LANES];
    memcpy(marked, &mark, sizeof marked);
    rh_store(s, spare);
    rh_store(l, left);
    rh_store(r, right);
    int n = b->n_item;
    for (int i = 0; i < RH_LANES; i++) { /* always written, kept when marked: no branch to mispredict */
        b->place[n] = interval * RH_BLOCK + lane + i;
        b->left[n] = l[i];
        b->right[n] = r[i];
        b->spare[n] = s[i];
        n -= (int)marked[i];
    }
    b->n_item = n;
}

/* Bound of how far u strays from between its values at the ends of an interval. */
RH_INLINE rh_lanes stray_of(const rh_closed *t, int i, const rh_block *b, int lane) {
    const double *const reach = rh_rows(t, i, RH_AT_REACH);
    rh_lanes stray = rh_zero();
    for (int r = 0; r < b->n_used; r++) stray = rh_plus(stray, rh_scale(reach[r], rh_size(rh_load(b->rows[r] + lane))));
    return stray;
}

/* Above 0: u is monotone on the interval, since the slope of B_1 leads all others together. */
RH_INLINE rh_lanes spare_of(const rh_closed *t, int i, const rh_block *b, int lane) {
    const double *const lead = rh_rows(t, i, RH_AT_LEAD);
    rh_lanes spare = rh_zero();
    for (int r = 0; r < b->n_used; r++) spare = rh_plus(spare, rh_scale(lead[r], rh_size(rh_load(b->rows[r] + lane))));
    return spare;
}

/* Sort all intervals for the lanes from `lane` on. Mostly the first basis polynomial leads by so much that the others
 * together cannot turn its slope: u is monotone, and does not stray. */
RH_INLINE void scan(const rh_closed *t, double threshold, rh_block *b, int lane) {
    const rh_lanes zero = rh_zero(), rest = rh_load(b->rest + lane), up = rh_splat(threshold),
                   down = rh_splat(-threshold);
    const int lead = t->n_dev;
    const rh_lanes first = lead < b->n_used ? rh_size(rh_load(b->rows[lead] + lane)) : zero;
    rh_lanes others = zero;
    for (int r = 0; r < b->n_used; r++)
        if (r != lead) others = rh_plus(others, rh_size(rh_load(b->rows[r] + lane)));
    rh_lanes above_sum = zero, above_size = zero, below_sum = zero, below_size = zero;
    for (int k = 0; k < t->n_ramp; k++) {
        rh_lanes left = dot_rows(b, lane, t->begin[k]);
        for (int i = t->first[k]; i < t->first[k + 1]; i++) {
            const double *const end = rh_rows(t, i, RH_AT_END), *const total = rh_rows(t, i, RH_AT_WHOLE);
            const rh_lanes led = rh_scale(rh_rows(t, i, RH_AT_LEAD)[lead], first);
            rh_lanes right = rest, whole = rh_scale(rh_interval_width(t, i), rest), stray = zero;
            rh_lanes spare = rh_minus(led, rh_scale(rh_interval_steepest(t, i), others));
            for (int r = 0; r < b->n_used; r++) {
                const rh_lanes weight = rh_load(b->rows[r] + lane);
                right = rh_plus(right, rh_scale(end[r], weight));
                whole = rh_plus(whole, rh_scale(total[r], weight));
            }
            if (rh_any(rh_not(rh_above(spare, zero)))) { /* the quick bound does not tell */
                spare = spare_of(t, i, b, lane);
                stray = rh_keep(rh_not(rh_above(spare, zero)), stray_of(t, i, b, lane));
            }
            const rh_mask falls = rh_above(left, right);
            const rh_lanes hi = rh_plus(rh_pick(falls, left, right), stray),
                           lo = rh_minus(rh_pick(falls, right, left), stray);
            const rh_mask above = rh_or(rh_at_least(lo, up), rh_at_least(down, hi));
            const rh_mask below = rh_and(rh_above(up, hi), rh_above(lo, down)), mark = rh_not(rh_or(above, below));
            above_sum = rh_plus(above_sum, rh_keep(above, whole));
            below_sum = rh_plus(below_sum, rh_keep(below, whole));
            above_size = rh_plus(above_size, rh_keep(above, rh_size(whole)));
            below_size = rh_plus(below_size, rh_keep(below, rh_size(whole)));
            if (rh_any(mark)) append_items(b, i, lane, mark, left, right, spare);
            left = right;
        }
    }
    rh_store(b->above + lane, above_sum);
    rh_store(b->below + lane, below_sum);
    rh_store(b->above_size + lane, above_size);
    rh_store(b->below_size + lane, below_size);
}

/* Items of one round. A job is a crossing to find, and the stretch on the side of it that counts. */
typedef struct chunk {
    double poly[CHUNK][RH_POLY_STRIDE];
    double sum[CHUNK]; /* integral over what counts of the item, s */
    int first_job[CHUNK];
    int between[CHUNK]; /* items with two crossings and what counts between them */
    int job_item[LIST];
    double level[LIST], left[LIST], right[LIST]; /* u - level at both ends */
    double side[LIST];                           /* end of the stretch that counts: -1 or 1 */
    double scale[LIST]; /* half the width of the interval, s; 0 when the stretch is got otherwise */
    double root[LIST], value[LIST];
    int n_job, n_between;
} chunk;

/* Sum of the rows of a table of polynomials for one lane. */
RH_INLINE void combine_lane(const rh_block *b, int lane, const double *table, rh_lanes sum[RH_POLY_STRIDE / RH_LANES]) {
    for (int r = 0; r < b->n_used; r++) {
        const rh_lanes weight = rh_splat(b->rows[r][lane]);
        for (int k = 0; k < RH_POLY_STRIDE / RH_LANES; k++)
            sum[k] = rh_plus(sum[k], rh_times(weight, rh_load(table + r * RH_POLY_STRIDE + k * RH_LANES)));
    }
}

/* Nearly always told by bounds of the slope over the quarters of the interval. */
RH_INLINE bool is_surely_monotone(const rh_closed *t, const rh_block *b, int i, int lane, double sign) {
    const double *const quarter = rh_rows(t, i, RH_AT_QUARTER);
    int64_t unsure = 0;
    for (int k = 0; k < 4; k += RH_PART) {
        rh_vector mid = rh_splat_part(0), doubt = mid;
        for (int r = 0; r < b->n_used; r++) {
            const double weight = b->rows[r][lane];
            mid += rh_splat_part(sign * weight) * rh_load_part(quarter + 8 * r + k);
            doubt += rh_splat_part(fabs(weight)) * rh_load_part(quarter + 8 * r + 4 + k);
        }
        unsure |= rh_any_part(mid <= doubt);
    }
    return !unsure;
}

/* Else by its Bernstein coefficients having one sign. */
RH_INLINE bool is_monotone(const rh_closed *t, const rh_block *b, int i, int lane, double sign) {
    rh_lanes slope[RH_POLY_STRIDE / RH_LANES];
    int64_t unsure = 0;
    if (is_surely_monotone(t, b, i, lane, sign)) return true;
    for (int k = 0; k < RH_POLY_STRIDE / RH_LANES; k++) slope[k] = rh_zero();
    combine_lane(b, lane, rh_rows(t, i, RH_AT_SLOPE), slope);
    for (int k = 0; k < RH_POLY_STRIDE / RH_LANES; k++)
        unsure |= rh_any(rh_not(rh_above(rh_scale(sign, slope[k]), rh_zero())));
    return !unsure;
}

RH_INLINE double whole_lane(const rh_closed *t, const rh_block *b, int i, int lane) {
    const double *const row = rh_rows(t, i, RH_AT_WHOLE);
    double sum = b->rest[lane] * rh_interval_width(t, i);
    for (int r = 0; r < b->n_used; r++) sum += b->rows[r][lane] * row[r];
    return sum;
}

RH_INLINE void add_job(chunk *c, int item, double level, double left, double right, double side, double scale) {
    const int j = c->n_job++;
    c->job_item[j] = item;
    c->level[j] = level;
    c->left[j] = left - level;
    c->right[j] = right - level;
    c->side[j] = side;
    c->scale[j] = scale;
}

/* Monotone between different sides: what is above threshold lies outside the crossings, what is below between them. */
RH_INLINE void list_jobs(chunk *c, int item, double threshold, double u_left, double u_right, bool below, double half) {
    const int left = rh_side_of(u_left, threshold), right = rh_side_of(u_right, threshold);
    const bool both = left != 0 && right != 0;
    const double inward = below ? -1 : 1, scale = both && below ? 0 : half;
    c->first_job[item] = c->n_job;
    if (left != 0) add_job(c, item, left * threshold, u_left, u_right, -inward, scale);
    if (right != 0) add_job(c, item, right * threshold, u_left, u_right, inward, scale);
    if (both && below) c->between[c->n_between++] = item;
}

RH_INLINE void make_poly(const rh_closed *t, const rh_block *b, int i, int lane, double *poly) {
    rh_lanes sum[RH_POLY_STRIDE / RH_LANES];
    for (int k = 0; k < RH_POLY_STRIDE / RH_LANES; k++) sum[k] = rh_zero();
    sum[0].a[0] = b->rest[lane];
    combine_lane(b, lane, rh_rows(t, i, RH_AT_POLY), sum);
    for (int k = 0; k < RH_POLY_STRIDE / RH_LANES; k++) rh_store(poly + k * RH_LANES, sum[k]);
}

/* Look at item k of the block: settle it at once, or list the crossings to find. */
RH_INLINE void open_item(const rh_closed *t, double threshold, const rh_block *b, int k, int item, chunk *c) {
    const int place = (int)b->place[k], i = place / RH_BLOCK, lane = place % RH_BLOCK;
    const double left = b->left[k], right = b->right[k], half = rh_interval_width(t, i) / 2;
    const bool below = b->count_below[lane] != 0,
               monotone = b->spare[k] > 0 || is_monotone(t, b, i, lane, right > left ? 1 : -1);
    c->sum[item] = 0;
    if (monotone && rh_side_of(left, threshold) == rh_side_of(right, threshold)) {
        if ((rh_side_of(left, threshold) == 0) == below) c->sum[item] = whole_lane(t, b, i, lane);
        return;
    }
    make_poly(t, b, i, lane, c->poly[item]);
    if (monotone)
        list_jobs(c, item, threshold, left, right, below, half);
    else
        c->sum[item] = rh_integrate_general(t, c->poly[item], threshold, below) * half;
}

/* p[q] = coefficient q of the polynomials that the lanes belong to. */
RH_INLINE void load_polys(const chunk *c, const int *item, rh_lanes p[RH_POLY_STRIDE]) {
    const double *row[RH_LANES];
    for (int l = 0; l < RH_LANES; l++) row[l] = c->poly[item[l]];
    for (int q = 0; q < RH_POLY_STRIDE; q += 4) {
        rh_transpose(row, q, &p[q].a, &p[q + 1].a, &p[q + 2].a, &p[q + 3].a);
        rh_transpose(row + RH_PART, q, &p[q].b, &p[q + 1].b, &p[q + 2].b, &p[q + 3].b);
    }
}

/* Value and slope at x. Even and odd powers apart: two chains of half the length. */
RH_INLINE void value_and_slope(const rh_lanes *p, rh_lanes x, rh_lanes *value, rh_lanes *slope) {
    const rh_lanes y = rh_times(x, x), zero = rh_zero();
    rh_lanes even = p[RH_Q - 1], odd = p[RH_Q], d_even = zero, d_odd = zero;
    for (int q = RH_Q - 3; q >= 0; q -= 2) {
        d_even = rh_times_plus(d_even, y, even);
        d_odd = rh_times_plus(d_odd, y, odd);
        even = rh_times_plus(even, y, p[q]);
        odd = rh_times_plus(odd, y, p[q + 1]);
    }
    const rh_lanes half = rh_times_plus(x, d_even, rh_times(y, d_odd));
    *value = rh_times_plus(x, odd, even);
    *slope = rh_plus(odd, rh_plus(half, half));
}

/* Chord slope over end slope, held to 3 (as a step over x, which is 2 long: 6) so that the first guess stays monotone.
 */
RH_INLINE rh_lanes held(rh_lanes rise, rh_lanes slope) {
    const rh_lanes step = rh_over(rise, slope), zero = rh_zero(), most = rh_splat(6);
    return rh_pick(rh_and(rh_above(step, zero), rh_above(most, step)), step, most);
}

/* Slopes at both ends, from the sums over odd and even powers. */
RH_INLINE void end_slopes(const rh_lanes *p, rh_lanes *left, rh_lanes *right) {
    rh_lanes odd = p[1], even = rh_zero();
    for (int q = 2; q <= RH_Q; q += 2) {
        even = rh_plus(even, rh_scale(q, p[q]));
        if (q < RH_Q) odd = rh_plus(odd, rh_scale(q + 1, p[q + 1]));
    }
    *left = rh_minus(odd, even);
    *right = rh_plus(odd, even);
}

/* First guess: x as a cubic in u through both ends with their slopes (Fritsch & Carlson, 1980). */
RH_INLINE rh_lanes guess(const rh_lanes *p, rh_lanes left, rh_lanes right) {
    const rh_lanes one = rh_splat(1), zero = rh_zero(), rise = rh_minus(right, left);
    rh_lanes slope_left, slope_right;
    end_slopes(p, &slope_left, &slope_right);
    const rh_lanes s = rh_over(rh_minus(zero, left), rise), r = rh_minus(one, s), two_s = rh_plus(s, s),
                   two_r = rh_plus(r, r);
    const rh_lanes from_left = rh_minus(rh_minus(rh_times(held(rise, slope_left), s), two_s), one);
    const rh_lanes from_right = rh_minus(rh_plus(one, two_r), rh_times(held(rise, slope_right), r));
    return rh_plus(rh_times(rh_times(r, r), from_left), rh_times(rh_times(s, s), from_right));
}

/* Integral between x and the end on the side that counts, times scale: side (F(side) - F(x)) with the antiderivative F.
 * What cancels there is small beside the integral over the whole interval, in whose digits the answer is wanted. */
RH_INLINE rh_lanes integrate(const rh_lanes *p, rh_lanes x, rh_lanes side, rh_lanes scale) {
    const rh_lanes y = rh_times(x, x);
    rh_lanes even = rh_zero(), odd = even, even_end = even, odd_end = even;
    for (int q = RH_Q - 1; q >= 0; q -= 2) {
        const rh_lanes e = rh_scale(1.0 / (q + 1), p[q]), o = rh_scale(1.0 / (q + 2), p[q + 1]);
        even = rh_times_plus(even, y, e);
        odd = rh_times_plus(odd, y, o);
        even_end = rh_plus(even_end, e);
        odd_end = rh_plus(odd_end, o);
    }
    const rh_lanes end = rh_times_plus(side, even_end, odd_end), at = rh_times_plus(x, even, rh_times(y, odd));
    return rh_times(rh_times(side, rh_minus(end, at)), scale);
}

/* RH_LANES crossings side by side. A lane that has converged is frozen, so its answer does not depend on the others. */
RH_INLINE void solve_jobs(chunk *c, int first) {
    rh_lanes p[RH_POLY_STRIDE], lo = rh_splat(-1), hi = rh_splat(1);
    const rh_lanes left = rh_load(c->left + first), right = rh_load(c->right + first),
                   level = rh_load(c->level + first);
    const rh_lanes zero = rh_zero(), near = rh_splat(3e-8);
    const rh_mask rises = rh_above(right, left);
    load_polys(c, c->job_item + first, p);
    rh_lanes x = guess(p, left, right);
    rh_mask open = rh_at_least(zero, zero);
    for (int step = 0; step < MAX_STEP && (step < 3 || rh_any(open)); step++) {
        rh_lanes value, slope;
        value_and_slope(p, x, &value, &slope);
        const rh_lanes miss = rh_minus(value, level), past = rh_pick(rises, miss, rh_minus(zero, miss));
        const rh_mask beyond = rh_above(past, zero);
        hi = rh_pick(beyond, x, hi);
        lo = rh_pick(beyond, lo, x);
        const rh_lanes newton = rh_minus(x, rh_over(miss, slope)), half = rh_scale(0.5, rh_plus(lo, hi));
        const rh_lanes next = rh_pick(rh_and(rh_at_least(newton, lo), rh_at_least(hi, newton)), newton, half);
        const rh_lanes moved = rh_size(rh_minus(next, x));
        x = rh_pick(open, next, x);
        open = rh_and(open, rh_above(moved, near)); /* converges by squares: the step after would be below 1e-15 */
    }
    rh_store(c->root + first, x);
    rh_store(c->value + first, integrate(p, x, rh_load(c->side + first), rh_load(c->scale + first)));
}

/* The last group of lanes is filled up with copies of its first member. */
RH_INLINE void pad_jobs(chunk *c) {
    for (int j = c->n_job; j % RH_LANES != 0; j++) {
        const int like = j - j % RH_LANES;
        c->job_item[j] = c->job_item[like];
        c->level[j] = c->level[like];
        c->left[j] = c->left[like];
        c->right[j] = c->right[like];
        c->side[j] = c->scale[j] = 0;
    }
}

RH_INLINE void solve_chunk(const rh_closed *t, double threshold, rh_block *b, int first, int n, chunk *c) {
    c->n_job = c->n_between = 0;
    for (int m = 0; m < n; m++) open_item(t, threshold, b, first + m, m, c);
    pad_jobs(c);
    for (int j = 0; j < c->n_job; j += RH_LANES) solve_jobs(c, j);
    for (int j = 0; j < c->n_job; j++) c->sum[c->job_item[j]] += c->value[j];
    for (int m = 0; m < c->n_between; m++) {
        const int item = c->between[m], j = c->first_job[item], i = (int)b->place[first + item] / RH_BLOCK;
        c->sum[item] = rh_integrate_piece(t, c->poly[item], c->root[j], c->root[j + 1]) * (rh_interval_width(t, i) / 2);
    }
    for (int m = 0; m < n; m++) b->pieces[(int)b->place[first + m] % RH_BLOCK] += c->sum[m];
}

/* Which side of the threshold is summed: the one that loses fewer digits. */
RH_INLINE void choose_sides(rh_block *b) {
    for (int l = 0; l < b->n; l++) b->count_below[l] = b->below_size[l] + fabs(b->linear[l]) < b->above_size[l];
}

RH_INLINE void dead_zone(const rh_closed *t, double threshold, rh_block *b, double *dw) {
    chunk c;
    b->n_item = 0;
    memset(b->pieces, 0, sizeof b->pieces);
    for (int lane = 0; lane < b->n; lane += RH_LANES) scan(t, threshold, b, lane);
    choose_sides(b);
    for (int k = 0; k < b->n_item; k += CHUNK)
        solve_chunk(t, threshold, b, k, b->n_item - k < CHUNK ? b->n_item - k : CHUNK, &c);
    for (int l = 0; l < b->n; l++) {
        const double above = b->above[l] + b->pieces[l], below = b->linear[l] - (b->below[l] + b->pieces[l]);
        dw[l] = b->count_below[l] != 0 ? below : above;
    }
}

#endif
