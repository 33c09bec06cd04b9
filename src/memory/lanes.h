/* lanes: several edges side by side, in the vector types that gcc and clang share. Every operation is lane by lane and
 * IEEE exact, so results do not depend on the width. RH_WIDE: 256-bit vectors, in functions compiled for AVX2; else
 * 128-bit ones. */
#ifndef RH_MEMORY_LANES_H
#define RH_MEMORY_LANES_H

#include <stdint.h>
#include <string.h>

#ifdef RH_WIDE
#define RH_TARGET __attribute__((target("avx2"))) /* without FMA: fusing would give other bytes */
enum { RH_PART = 4 };
#else
#define RH_TARGET
enum { RH_PART = 2 };
#endif
#define RH_INLINE static inline __attribute__((always_inline)) RH_TARGET

enum { RH_LANES = 2 * RH_PART };
typedef double rh_vector __attribute__((vector_size(8 * RH_PART)));
typedef int64_t rh_ints __attribute__((vector_size(8 * RH_PART)));
typedef uint64_t rh_words __attribute__((vector_size(8 * RH_PART)));
typedef struct rh_lanes { /* two parts with names of their own: arrays would be kept in memory */
    rh_vector a, b;
} rh_lanes;
typedef struct rh_mask { /* all ones where true */
    rh_ints a, b;
} rh_mask;

RH_INLINE rh_vector rh_load_part(const double *p) {
    rh_vector v;
    memcpy(&v, p, sizeof v);
    return v;
}
RH_INLINE rh_vector rh_splat_part(double x) { return x - (rh_vector){ 0 }; } /* minus: -0.0 stays */
#ifdef RH_WIDE
RH_INLINE int64_t rh_any_part(rh_ints m) { return __builtin_ia32_movmskpd256((rh_vector)m); }
#else
RH_INLINE int64_t rh_any_part(rh_ints m) {
    int64_t any = m[0];
    for (int i = 1; i < RH_PART; i++) any |= m[i];
    return any;
}
#endif

RH_INLINE rh_lanes rh_load(const double *p) { return (rh_lanes){ rh_load_part(p), rh_load_part(p + RH_PART) }; }
RH_INLINE void rh_store(double *p, rh_lanes x) {
    memcpy(p, &x.a, sizeof x.a);
    memcpy(p + RH_PART, &x.b, sizeof x.b);
}
RH_INLINE rh_lanes rh_splat(double x) { return (rh_lanes){ rh_splat_part(x), rh_splat_part(x) }; }
RH_INLINE rh_lanes rh_zero(void) { return (rh_lanes){ { 0 }, { 0 } }; }
RH_INLINE rh_lanes rh_plus(rh_lanes x, rh_lanes y) { return (rh_lanes){ x.a + y.a, x.b + y.b }; }
RH_INLINE rh_lanes rh_minus(rh_lanes x, rh_lanes y) { return (rh_lanes){ x.a - y.a, x.b - y.b }; }
RH_INLINE rh_lanes rh_times(rh_lanes x, rh_lanes y) { return (rh_lanes){ x.a * y.a, x.b * y.b }; }
RH_INLINE rh_lanes rh_over(rh_lanes x, rh_lanes y) { return (rh_lanes){ x.a / y.a, x.b / y.b }; }
RH_INLINE rh_lanes rh_times_plus(rh_lanes x, rh_lanes y, rh_lanes z) {
    return (rh_lanes){ x.a * y.a + z.a, x.b * y.b + z.b };
}
RH_INLINE rh_lanes rh_scale(double w, rh_lanes x) { return rh_times(rh_splat(w), x); }

RH_INLINE rh_mask rh_above(rh_lanes x, rh_lanes y) { return (rh_mask){ x.a > y.a, x.b > y.b }; }
RH_INLINE rh_mask rh_at_least(rh_lanes x, rh_lanes y) { return (rh_mask){ x.a >= y.a, x.b >= y.b }; }
RH_INLINE rh_mask rh_xor(rh_mask x, rh_mask y) { return (rh_mask){ x.a ^ y.a, x.b ^ y.b }; }
RH_INLINE rh_mask rh_and(rh_mask x, rh_mask y) { return (rh_mask){ x.a & y.a, x.b & y.b }; }
RH_INLINE rh_mask rh_or(rh_mask x, rh_mask y) { return (rh_mask){ x.a | y.a, x.b | y.b }; }
RH_INLINE rh_mask rh_not(rh_mask x) { return (rh_mask){ ~x.a, ~x.b }; }
RH_INLINE int64_t rh_any(rh_mask x) { return rh_any_part(x.a | x.b); }
RH_INLINE rh_mask rh_and_not(rh_mask x, rh_mask y) { return (rh_mask){ x.a & ~y.a, x.b & ~y.b }; }
/* x where m, else 0; and x where m, else y. */
RH_INLINE rh_lanes rh_keep(rh_mask m, rh_lanes x) {
    return (rh_lanes){ (rh_vector)(m.a & (rh_ints)x.a), (rh_vector)(m.b & (rh_ints)x.b) };
}
#ifdef RH_WIDE
RH_INLINE rh_vector rh_pick_part(rh_ints m, rh_vector x, rh_vector y) {
    return __builtin_ia32_blendvpd256(y, x, (rh_vector)m);
}
RH_INLINE rh_vector rh_least_part(rh_vector x, rh_vector y) { return __builtin_ia32_minpd256(x, y); }
RH_INLINE rh_vector rh_most_part(rh_vector x, rh_vector y) { return __builtin_ia32_maxpd256(x, y); }
#else
RH_INLINE rh_vector rh_pick_part(rh_ints m, rh_vector x, rh_vector y) {
    return (rh_vector)((m & (rh_ints)x) | (~m & (rh_ints)y));
}
RH_INLINE rh_vector rh_least_part(rh_vector x, rh_vector y) { return rh_pick_part(x < y, x, y); }
RH_INLINE rh_vector rh_most_part(rh_vector x, rh_vector y) { return rh_pick_part(x > y, x, y); }
#endif
RH_INLINE rh_lanes rh_pick(rh_mask m, rh_lanes x, rh_lanes y) {
    return (rh_lanes){ rh_pick_part(m.a, x.a, y.a), rh_pick_part(m.b, x.b, y.b) };
}
/* y where either is not a number. */
RH_INLINE rh_lanes rh_least(rh_lanes x, rh_lanes y) {
    return (rh_lanes){ rh_least_part(x.a, y.a), rh_least_part(x.b, y.b) };
}
RH_INLINE rh_lanes rh_most(rh_lanes x, rh_lanes y) {
    return (rh_lanes){ rh_most_part(x.a, y.a), rh_most_part(x.b, y.b) };
}
RH_INLINE rh_lanes rh_size(rh_lanes x) {
    rh_ints all;
    for (int i = 0; i < RH_PART; i++) all[i] = INT64_MAX;
    return (rh_lanes){ (rh_vector)((rh_ints)x.a & all), (rh_vector)((rh_ints)x.b & all) };
}

/* column[k] gets number k of each of the rows row[0..RH_PART-1]. */
#ifdef RH_WIDE
RH_INLINE void rh_transpose(const double *const *row, int at, rh_vector *c0, rh_vector *c1, rh_vector *c2,
                            rh_vector *c3) {
    const rh_vector r0 = rh_load_part(row[0] + at), r1 = rh_load_part(row[1] + at);
    const rh_vector r2 = rh_load_part(row[2] + at), r3 = rh_load_part(row[3] + at);
    const rh_vector even01 = __builtin_shufflevector(r0, r1, 0, 4, 2, 6),
                    odd01 = __builtin_shufflevector(r0, r1, 1, 5, 3, 7);
    const rh_vector even23 = __builtin_shufflevector(r2, r3, 0, 4, 2, 6),
                    odd23 = __builtin_shufflevector(r2, r3, 1, 5, 3, 7);
    *c0 = __builtin_shufflevector(even01, even23, 0, 1, 4, 5);
    *c1 = __builtin_shufflevector(odd01, odd23, 0, 1, 4, 5);
    *c2 = __builtin_shufflevector(even01, even23, 2, 3, 6, 7);
    *c3 = __builtin_shufflevector(odd01, odd23, 2, 3, 6, 7);
}
#else
RH_INLINE void rh_transpose(const double *const *row, int at, rh_vector *c0, rh_vector *c1, rh_vector *c2,
                            rh_vector *c3) {
    *c0 = (rh_vector){ row[0][at], row[1][at] };
    *c1 = (rh_vector){ row[0][at + 1], row[1][at + 1] };
    *c2 = (rh_vector){ row[0][at + 2], row[1][at + 2] };
    *c3 = (rh_vector){ row[0][at + 3], row[1][at + 3] };
}
#endif

#endif
