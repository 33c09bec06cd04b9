/* vccs.c: i = gm (vc - vd). */
#include "element/kinds.h"

static rh_law law(double value, double g) {
    (void)g;
    return (rh_law){ .trans = value };
}

const rh_kind rh_vccs = { .letter = 'G',
                          .name = "voltage-controlled current source",
                          .what = "i = gm (vc - vd)",
                          .value_name = "transconductance",
                          .unit = "S",
                          .n_term = 4,
                          .flags = RH_CONTROLLED | RH_ONE_WAY,
                          .equation = "i = gm (vc - vd)",
                          .law = law };
