/* cccs.c: i = B i(Vsense). */
#include "element/kinds.h"

static rh_law law(double value, double g) {
    (void)g;
    return (rh_law){ .trans = value };
}

const rh_kind rh_cccs = { .letter = 'F',
                          .name = "current-controlled current source",
                          .what = "senses the current of a voltage source",
                          .value_name = "gain",
                          .unit = "A/A",
                          .n_term = 2,
                          .flags = RH_BY_CURRENT | RH_ONE_WAY,
                          .equation = "i = B i(Vsense)",
                          .law = law };
