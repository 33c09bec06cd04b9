/* The ramps as a whole once more, for processors with 256-bit vectors. */
#if defined(__x86_64__)
#define RH_WIDE
#include "memory/sweep.h"

RH_TARGET bool rh_sweep_wide(const rh_closed *t, double threshold, const rh_block *b, double *dw, int64_t *sure) {
    return sweep_block(t, threshold, b, dw, sure);
}
#else
typedef int rh_no_wide_vectors; /* a file may not be empty */
#endif
