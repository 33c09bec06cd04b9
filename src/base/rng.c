/* rng.c: random numbers without hidden state. The number is a mixture of (seed, stream, counter), so results do not
 * depend on the order in which threads ask, and a checkpoint needs to keep a counter only.
 * Mixing step: Steele, Lea & Flood, OOPSLA 2014, with the constants of variant 13 of Stafford. */
#include "base/base.h"

#include <math.h>

static const uint64_t GOLDEN = 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio, odd */

static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* The last round uses a second key: without it two streams would be one sequence read from two starting points. */
uint64_t rh_random_u64(uint64_t seed, uint64_t stream, uint64_t counter) {
    const uint64_t key = mix(mix(seed + GOLDEN) + (stream + 1) * 0xD1342543DE82EF95u);
    return mix(mix(key + counter * GOLDEN) ^ mix(key ^ GOLDEN));
}

/* 52 bits and a half: with 53 the largest value would round to 1. */
double rh_random_unit(uint64_t seed, uint64_t stream, uint64_t counter) {
    return ((double)(rh_random_u64(seed, stream, counter) >> 12) + 0.5) * 0x1p-52;
}

/* Box & Muller, Ann. Math. Stat. 29, 610 (1958). A stream of its own, so that uniform and normal numbers with the
 * same counter are independent. */
double rh_random_normal(uint64_t seed, uint64_t stream, uint64_t counter) {
    const double pi = 3.14159265358979323846;
    const uint64_t own = stream ^ 0x6E6F726D616C0000u;
    const double a = rh_random_unit(seed, own, 2 * counter), b = rh_random_unit(seed, own, 2 * counter + 1);
    return sqrt(-2 * log(a)) * cos(2 * pi * b);
}

void rh_shuffle(uint64_t seed, uint64_t stream, int n, int *index) {
    __extension__ typedef unsigned __int128 wide;
    for (int i = 0; i < n; i++) { /* the bias of the product is below n / 2^64 */
        const wide p = (wide)rh_random_u64(seed, stream, (uint64_t)i) * ((uint64_t)i + 1);
        const int j = (int)(p >> 64);
        if (j < i) index[i] = index[j];
        index[j] = i;
    }
}
