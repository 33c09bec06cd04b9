/* The dead zone of a filter with one state, a ramp at a time. Included by sweep.c and, with 256-bit vectors, by
 * sweep_wide.c.
 *
 * On a ramp u is a polynomial of low degree and one decaying exponential. For nearly every edge a few bounds prove that
 * u crosses each level at most once, so that the values at the ends tell how often. A crossing is found by an iteration
 * of fifth order, and what lies between crossings is known in closed form. Edges for which nothing is proved are left
 * to the intervals of deadzone.h. As there, every number belongs to one lane. */
#ifndef RH_MEMORY_SWEEP_H
#define RH_MEMORY_SWEEP_H

#include "memory/block.h"
#include "memory/lanes.h"

#include <math.h>

/* ---- functions ---- */

/* Added to a double, it rounds that to an integer, which then stands in the last bits. */
#define RH_ROUNDER 0x1.8p52

RH_INLINE rh_ints splat_bits(int64_t x) { return x - (rh_ints){ 0 }; }
RH_INLINE rh_vector power_of_two(rh_vector rounded) {
    const rh_ints n = (rh_ints)rounded - (rh_ints)rh_splat_part(RH_ROUNDER);
    return (rh_vector)((n + splat_bits(1023)) << 52);
}

/* e^-z - 1 for z >= 0, in relative terms to rounding: -z = n ln 2 + x with |x| <= ln(2)/2, and Taylor over x. */
RH_INLINE rh_lanes fade_of(rh_lanes z) {
    static const double C[] = {
        1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,       1.0 / 5040,
        1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800
    };
    const rh_lanes one = rh_splat(1), rounder = rh_splat(RH_ROUNDER);
    z = rh_least(z, rh_splat(708));
    const rh_lanes t = rh_minus(rounder, rh_scale(0x1.71547652b82fep0, z)), n = rh_minus(t, rounder);
    /* ln 2 in two pieces, the first short enough for exact products with n */
    const rh_lanes x = rh_minus(rh_minus(rh_scale(-0x1.62e42feep-1, n), z), rh_scale(0x1.a39ef35793c76p-33, n));
    const rh_lanes y = rh_times(x, x), y2 = rh_times(y, y), y4 = rh_times(y2, y2);
    const rh_lanes c0 = rh_plus(one, rh_scale(C[1], x)), c1 = rh_plus(rh_splat(C[2]), rh_scale(C[3], x)),
                   c2 = rh_plus(rh_splat(C[4]), rh_scale(C[5], x)), c3 = rh_plus(rh_splat(C[6]), rh_scale(C[7], x)),
                   c4 = rh_plus(rh_splat(C[8]), rh_scale(C[9], x)), c5 = rh_plus(rh_splat(C[10]), rh_scale(C[11], x));
    const rh_lanes low = rh_times_plus(y2, rh_times_plus(y, c3, c2), rh_times_plus(y, c1, c0)),
                   high = rh_times_plus(y2, rh_splat(C[12]), rh_times_plus(y, c5, c4));
    const rh_lanes s = { power_of_two(t.a), power_of_two(t.b) };
    return rh_times_plus(s, rh_times(x, rh_times_plus(y4, high, low)), rh_minus(s, one));
}

/* ln w for normal w > 0 to 2e-4: the exponent and a quartic in the mantissa. */
RH_INLINE rh_vector crude_log_part(rh_vector w) {
    const rh_ints bits = (rh_ints)w, high = (rh_ints)((rh_words)bits >> 52);
    const rh_vector n = (rh_vector)(high | (rh_ints)rh_splat_part(0x1p52)) - rh_splat_part(0x1p52 + 1023);
    const rh_vector x =
        (rh_vector)((bits & splat_bits(0x000fffffffffffff)) | (rh_ints)rh_splat_part(1)) - rh_splat_part(1);
    const rh_vector bend = rh_splat_part(0.439965) + x * (rh_splat_part(0.0809) * x - rh_splat_part(0.24068));
    const rh_vector bulge = x * (rh_splat_part(1) - x) * bend;
    return (n + x + bulge) * rh_splat_part(0x1.62e42fefa39efp-1);
}
RH_INLINE rh_lanes crude_log(rh_lanes w) { return (rh_lanes){ crude_log_part(w.a), crude_log_part(w.b) }; }

/* ---- one ramp ---- */

/* u over z, the time in time constants: begin + sum_{q>=1} p_q (z/reach)^q + amp (e^-z - 1). */
typedef struct course {
    int n; /* highest power */
    double reach, per_reach;
    rh_lanes p[RH_MAX_DEGREE + 1], begin, end, amp, whole;
    rh_lanes floor, roof, drift; /* bounds: of p over the ramp, and of |dp/dz| */
    rh_mask simple;              /* u has one extremum inside the ramp at most */
} course;

/* What the loops over rows and powers count to: known to the compiler in the usual case. */
typedef struct extent {
    int n_used, down; /* row r is of degree r - down */
} extent;

RH_INLINE rh_lanes sum_rows(const rh_block *b, extent x, int lane, int first, const double *row) {
    rh_lanes sum = rh_zero();
    for (int r = first; r < x.n_used; r++) sum = rh_plus(sum, rh_scale(row[r], rh_load(b->rows[r] + lane)));
    return sum;
}
RH_INLINE rh_lanes sum_sizes(const rh_block *b, extent x, int lane, const double *row) {
    rh_lanes sum = rh_zero();
    for (int r = 0; r < x.n_used; r++) sum = rh_plus(sum, rh_scale(row[r], rh_size(rh_load(b->rows[r] + lane))));
    return sum;
}

RH_INLINE void load_course(const rh_closed *t, const rh_block *b, extent x, int lane, int k, course *c) {
    const rh_sweep *const s = &t->sweep[k];
    const rh_lanes rest = rh_load(b->rest + lane);
    c->n = x.n_used - 1 - x.down > 0 ? x.n_used - 1 - x.down : 0;
    c->reach = s->reach;
    c->per_reach = 1 / s->reach;
    c->begin = rh_plus(rest, sum_rows(b, x, lane, 0, t->begin[k]));
    c->p[0] = rh_plus(rest, sum_rows(b, x, lane, 0, s->poly[0]));
    c->amp = rh_minus(c->begin, c->p[0]);
    c->end = c->whole = c->p[0];
    for (int q = 1; q <= c->n; q++) {
        c->p[q] = sum_rows(b, x, lane, q + x.down > 0 ? q + x.down : 0, s->poly[q]);
        c->end = rh_plus(c->end, c->p[q]);
        c->whole = rh_plus(c->whole, rh_scale(1.0 / (q + 1), c->p[q]));
    }
    c->end = rh_plus(c->end, rh_scale(1 + s->fade, c->amp));
    c->whole = rh_minus(c->whole, rh_scale(s->fade * c->per_reach, c->amp));
    const rh_lanes mid = rh_plus(rest, sum_rows(b, x, lane, 0, s->mid)), half = sum_sizes(b, x, lane, s->half);
    const rh_lanes slope = rh_size(sum_rows(b, x, lane, 0, s->slope)), unsteady = sum_sizes(b, x, lane, s->unsteady);
    c->floor = rh_minus(mid, half);
    c->roof = rh_plus(mid, half);
    c->drift = rh_scale(c->per_reach, rh_plus(slope, unsteady));
    c->simple = rh_above(slope, unsteady);
}

/* Whether u provably crosses neither level more than once; out_begin, out_end: at or beyond a level there.
 *
 * Either as long as the exponential moves faster than p can, u is monotone, and from then on within drift of p, which
 * comes near neither level. Or u has one extremum, towards p from its ends, which lie on different sides of the level
 * or on one with p. */
RH_INLINE rh_mask is_sure(const course *c, rh_lanes threshold) {
    const rh_lanes minus = rh_minus(rh_zero(), threshold);
    const rh_lanes floor = rh_minus(c->floor, c->drift), roof = rh_plus(c->roof, c->drift);
    const rh_mask settles = rh_and(rh_or(rh_above(floor, threshold), rh_above(threshold, roof)),
                                   rh_or(rh_above(floor, minus), rh_above(minus, roof)));
    const rh_lanes low = rh_least(c->floor, rh_least(c->begin, c->end)),
                   high = rh_most(c->roof, rh_most(c->begin, c->end));
    const rh_mask apart_up = rh_xor(rh_at_least(c->begin, threshold), rh_at_least(c->end, threshold)),
                  apart_down = rh_xor(rh_at_least(minus, c->begin), rh_at_least(minus, c->end));
    const rh_mask once_up = rh_or(apart_up, rh_or(rh_above(low, threshold), rh_above(threshold, high))),
                  once_down = rh_or(apart_down, rh_or(rh_above(low, minus), rh_above(minus, high)));
    return rh_or(settles, rh_and(c->simple, rh_and(once_up, once_down)));
}

/* sum_{q>=1} p_q y^q. */
RH_INLINE rh_lanes move_of(const course *c, rh_lanes y) {
    rh_lanes v = rh_zero();
    for (int q = c->n; q >= 1; q--) v = rh_times_plus(v, y, c->p[q]);
    return rh_times(v, y);
}

/* The same, and its first three derivatives over 1, 2 and 6. */
RH_INLINE void move_series(const course *c, rh_lanes y, rh_lanes d[4]) {
    const rh_lanes zero = rh_zero();
    d[0] = d[1] = d[2] = d[3] = zero;
    for (int q = c->n; q >= 0; q--) {
        d[3] = rh_times_plus(d[3], y, d[2]);
        d[2] = rh_times_plus(d[2], y, d[1]);
        d[1] = rh_times_plus(d[1], y, d[0]);
        d[0] = rh_times_plus(d[0], y, q > 0 ? c->p[q] : zero);
    }
}

/* sum_{q>=1} p_q y^(q+1)/(q+1). */
RH_INLINE rh_lanes sum_of_move(const course *c, rh_lanes y) {
    rh_lanes v = rh_zero();
    for (int q = c->n; q >= 1; q--) v = rh_times_plus(v, y, rh_scale(1.0 / (q + 1), c->p[q]));
    return rh_times(rh_times(v, y), y);
}

/* A place on the ramp to measure from, and what u does from there: u + move - o.move + amp (e^-z - 1). */
typedef struct origin {
    rh_lanes y, move, sum; /* of the polynomial from the beginning of the ramp */
    rh_lanes u, amp;
    rh_lanes reach; /* what is left of the ramp, in time constants */
} origin;

RH_INLINE rh_lanes y_after(const course *c, const origin *o, rh_lanes z) {
    return rh_plus(o->y, rh_scale(c->per_reach, z));
}

/* Where the polynomial alone would cross, for lanes in which the exponential is gone by then; else the middle. */
RH_INLINE rh_lanes late_guess(const course *c, const origin *o, rh_lanes gap) {
    const rh_lanes zero = rh_zero(), half = rh_scale(0.5, o->reach);
    const rh_lanes z = c->n > 0 ? rh_scale(c->reach, rh_over(gap, c->p[1])) : half;
    return rh_pick(rh_and(rh_above(z, zero), rh_above(o->reach, z)), z, half);
}

/* e^-z - 1 for |z| up to about 1e-3. */
RH_INLINE rh_lanes short_fade(rh_lanes z) {
    rh_lanes sum = rh_minus(rh_splat(1.0 / 24), rh_scale(1.0 / 120, z));
    sum = rh_minus(rh_splat(1.0 / 6), rh_times(z, sum));
    sum = rh_minus(rh_splat(0.5), rh_times(z, sum));
    return rh_times(z, rh_minus(rh_times(z, sum), rh_splat(1)));
}

/* *root: the d next to 0 with miss + move(d) + left (e^-d - 1) = 0, to the order d^4, by reversion of its series
 * s d + a_2 s d^2 + ... Returns how strongly it bends: times *root, this tells how good the order is. */
RH_INLINE rh_lanes root_of_series(const course *c, rh_lanes miss, rh_lanes left, const rh_lanes move[4],
                                  rh_lanes *root) {
    const double r = c->per_reach;
    const rh_lanes one = rh_splat(1), steep = rh_over(one, rh_minus(rh_scale(r, move[1]), left));
    const rh_lanes x = rh_minus(rh_zero(), rh_times(miss, steep)), share = rh_times(left, steep);
    const rh_lanes a2 = rh_times_plus(rh_scale(r * r, move[2]), steep, rh_scale(0.5, share)),
                   a3 = rh_minus(rh_times(rh_scale(r * r * r, move[3]), steep), rh_scale(1.0 / 6, share)),
                   a4 = rh_scale(1.0 / 24, share);
    const rh_lanes square = rh_times(a2, a2), c3 = rh_minus(rh_plus(square, square), a3),
                   c4 = rh_plus(rh_scale(5, rh_times(a2, rh_minus(square, a3))), a4);
    const rh_lanes sum = rh_minus(a2, rh_times(x, rh_minus(c3, rh_times(x, c4))));
    *root = rh_times(x, rh_minus(one, rh_times(x, sum)));
    return rh_plus(one, rh_size(a2));
}

/* z of the one crossing of level after o, and e^-z - 1 there, in the lanes of active. A lane that has converged is
 * frozen, so that its answer does not depend on the others. *active loses lanes that do not converge. */
RH_INLINE rh_lanes find_crossing(const course *c, const origin *o, rh_lanes level, rh_mask *active,
                                 rh_lanes *fade_there) {
    const rh_lanes zero = rh_zero(), one = rh_splat(1), near = rh_splat(c->reach < 10 ? 3e-4 * c->reach : 3e-3);
    const rh_lanes from = rh_minus(o->u, level), gap = rh_minus(o->amp, from), share = rh_over(gap, o->amp);
    const rh_mask rises = rh_above(zero, from);
    const rh_mask early = rh_and(rh_above(share, rh_splat(1e-15)), rh_at_least(one, share));
    rh_lanes lo = zero, hi = o->reach, z = rh_minus(zero, crude_log(share));
    if (c->n > 0) { /* meanwhile the polynomial has moved on */
        const rh_lanes delay = rh_over(rh_times(z, rh_scale(c->per_reach, c->p[1])), gap);
        z = rh_plus(z, rh_keep(rh_above(rh_splat(0.25), rh_size(delay)), delay));
    }
    z = rh_least(rh_most(z, zero), hi);
    rh_lanes fade_at = zero, moved = zero;
    rh_mask open = *active;
    if (rh_any(rh_and_not(*active, early))) z = rh_pick(early, z, late_guess(c, o, gap));
    for (int step = 0; step < 100 && rh_any(open); step++) {
        rh_lanes move[4], step_by;
        const rh_lanes fade = fade_of(z), left = rh_times_plus(o->amp, fade, o->amp);
        move_series(c, y_after(c, o, z), move);
        const rh_lanes miss = rh_plus(from, rh_times_plus(o->amp, fade, rh_minus(move[0], o->move)));
        const rh_mask beyond = rh_above(rh_pick(rises, miss, rh_minus(zero, miss)), zero);
        hi = rh_pick(beyond, z, hi);
        lo = rh_pick(beyond, lo, z);
        const rh_lanes twist = root_of_series(c, miss, left, move, &step_by);
        /* or else what is left is rounding */
        const rh_mask far = rh_not(rh_at_least(near, rh_times(rh_size(step_by), twist)));
        const rh_lanes jump = rh_plus(z, step_by), held = rh_least(rh_most(jump, lo), hi);
        const rh_lanes half = rh_scale(0.5, rh_plus(lo, hi));
        const rh_mask inside = rh_and(rh_at_least(jump, lo), rh_at_least(hi, jump));
        const rh_lanes next = rh_pick(rh_and_not(far, inside), half, held);
        moved = rh_pick(open, rh_minus(next, z), moved);
        fade_at = rh_pick(open, fade, fade_at);
        z = rh_pick(open, next, z);
        open = rh_and(open, far);
    }
    const rh_lanes last = short_fade(moved);
    *fade_there = rh_plus(fade_at, rh_times_plus(fade_at, last, last));
    *active = rh_and_not(*active, open);
    return z;
}

/* Integral over y from o to z after it, in terms that are small where it is. *to: the place reached, where u is known
 * to be level. */
RH_INLINE rh_lanes pass(const course *c, const origin *o, rh_lanes z, rh_lanes fade, rh_lanes level, origin *to) {
    const rh_lanes dy = rh_scale(c->per_reach, z), y = rh_plus(o->y, dy);
    const rh_lanes lag = rh_scale(c->per_reach, rh_times(o->amp, rh_plus(z, fade)));
    to->y = y;
    to->u = level;
    to->move = move_of(c, y);
    to->sum = sum_of_move(c, y);
    to->amp = rh_minus(level, rh_plus(c->p[0], to->move));
    to->reach = rh_minus(o->reach, z);
    const rh_lanes bent = rh_minus(rh_minus(to->sum, o->sum), rh_times(o->move, dy));
    return rh_minus(rh_times_plus(o->u, dy, bent), lag);
}

typedef struct shares { /* of the integral over the cycle, in s */
    rh_lanes above, below, above_size, below_size;
} shares;

RH_INLINE void add_share(rh_lanes *sum, rh_lanes *size, double seconds, rh_lanes x) {
    x = rh_scale(seconds, x);
    *sum = rh_plus(*sum, x);
    *size = rh_plus(*size, rh_size(x));
}

/* Adds the shares of ramp k; returns the lanes that are sure. */
RH_INLINE rh_mask add_ramp(const rh_closed *t, const rh_block *b, extent x, int lane, int k, rh_lanes threshold,
                           shares *sum) {
    course c;
    load_course(t, b, x, lane, k, &c);
    const rh_lanes zero = rh_zero(), minus = rh_minus(zero, threshold);
    const rh_mask begin_up = rh_at_least(c.begin, threshold), begin_down = rh_at_least(minus, c.begin),
                  end_up = rh_at_least(c.end, threshold), end_down = rh_at_least(minus, c.end),
                  from = rh_or(begin_up, begin_down), to = rh_or(end_up, end_down), up = rh_xor(begin_up, end_up),
                  down = rh_xor(begin_down, end_down), once = rh_or(up, down), twice = rh_and(up, down);
    rh_mask sure = is_sure(&c, threshold), found = rh_and(once, sure);
    rh_lanes first = c.whole, last = c.whole, middle = zero;
    if (rh_any(found)) {
        const rh_lanes level = rh_pick(rh_or(begin_up, rh_and_not(end_up, begin_down)), threshold, minus);
        const origin start = { zero, zero, zero, c.begin, c.amp, rh_splat(c.reach) };
        origin at, there;
        rh_lanes fade;
        const rh_lanes z = find_crossing(&c, &start, level, &found, &fade);
        const rh_lanes until = pass(&c, &start, z, fade, level, &at);
        first = last = rh_pick(once, until, c.whole);
        rh_mask both = rh_and(twice, found);
        if (rh_any(both)) {
            const rh_lanes other = rh_minus(zero, level);
            const rh_lanes dz = find_crossing(&c, &at, other, &both, &fade);
            middle = rh_keep(both, pass(&c, &at, dz, fade, other, &there));
            last = rh_plus(first, middle);
            found = rh_and_not(found, rh_and_not(twice, both));
        }
        sure = rh_and_not(sure, rh_and_not(once, found));
    }
    const rh_lanes after = rh_minus(c.whole, last); /* 0 where nothing is crossed */
    const double s = t->sweep[k].duration;
    add_share(&sum->above, &sum->above_size, s, rh_keep(from, first));
    add_share(&sum->above, &sum->above_size, s, rh_keep(to, after));
    add_share(&sum->below, &sum->below_size, s, rh_keep(rh_not(from), first));
    add_share(&sum->below, &sum->below_size, s, rh_keep(rh_not(to), after));
    if (rh_any(twice)) add_share(&sum->below, &sum->below_size, s, middle);
    return sure;
}

RH_INLINE bool sweep_extent(const rh_closed *t, double threshold, const rh_block *b, extent x, double *dw,
                            int64_t *sure) {
    const rh_lanes zero = rh_zero();
    const rh_mask yes = rh_at_least(zero, zero);
    rh_mask every = yes;
    for (int lane = 0; lane < RH_BLOCK; lane += RH_LANES) {
        shares sum = { zero, zero, zero, zero };
        rh_mask all = yes;
        for (int k = 0; k < t->n_ramp; k++) all = rh_and(all, add_ramp(t, b, x, lane, k, rh_splat(threshold), &sum));
        const rh_lanes linear = rh_load(b->linear + lane), most = rh_splat(INFINITY);
        const rh_mask finite = rh_above(most, rh_size(linear));
        const rh_mask other = rh_above(sum.above_size, rh_plus(sum.below_size, rh_size(linear)));
        const rh_lanes out = rh_pick(other, rh_minus(linear, sum.below), sum.above);
        all = rh_or(rh_and(all, rh_above(most, rh_size(out))), rh_not(finite));
        rh_store(dw + lane, rh_pick(finite, rh_plus(out, zero), rh_splat(NAN)));
        memcpy(sure + lane, &all, sizeof all);
        every = rh_and(every, all);
    }
    return !rh_any(rh_not(every));
}

RH_INLINE bool sweep_block(const rh_closed *t, double threshold, const rh_block *b, double *dw, int64_t *sure) {
    const extent x = { b->n_used, t->n_dev - (t->area != 0) };
    if (x.n_used == 4 && x.down == 0) return sweep_extent(t, threshold, b, (extent){ 4, 0 }, dw, sure);
    return sweep_extent(t, threshold, b, x, dw, sure);
}

#endif
