/* vcvs.c: va - vb = A (vc - vd). */
#include "element/kinds.h"

static rh_law law(double value, double g) {
    (void)g;
    return (rh_law){ .gain = value };
}

const rh_kind rh_vcvs = { .letter = 'E',
                          .name = "voltage-controlled voltage source",
                          .what = "va - vb = gain (vc - vd)",
                          .value_name = "gain",
                          .unit = "V/V",
                          .n_term = 4,
                          .flags = RH_BRANCH | RH_CONTROLLED | RH_ONE_WAY,
                          .equation = "va - vb = A (vc - vd)",
                          .law = law };
