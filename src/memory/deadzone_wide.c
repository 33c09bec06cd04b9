/* The hot loop of the dead zone once more, for processors with 256-bit vectors. */
#if defined(__x86_64__)
#define RH_WIDE
#include "memory/deadzone.h"

RH_TARGET void rh_dead_zone_wide(const rh_closed *t, double threshold, rh_block *b, double *dw) {
    dead_zone(t, threshold, b, dw);
}
#else
typedef int rh_no_wide_vectors; /* a file may not be empty */
#endif
