/* ccvs.c: va - vb = R i(Vsense). */
#include "element/kinds.h"

static rh_law law(double value, double g) {
    (void)g;
    return (rh_law){ .gain = value };
}

const rh_kind rh_ccvs = { .letter = 'H',
                          .name = "current-controlled voltage source",
                          .what = "senses the current of a voltage source",
                          .value_name = "transresistance",
                          .unit = "ohm",
                          .n_term = 2,
                          .flags = RH_BRANCH | RH_BY_CURRENT | RH_ONE_WAY,
                          .equation = "va - vb = R i(Vsense)",
                          .law = law };
