/* vsource.c: va - vb = V. */
#include "element/kinds.h"

static rh_law law(double value, double g) {
    (void)g;
    return (rh_law){ .rhs = value };
}

const rh_kind rh_vsource = { .letter = 'V',
                             .name = "voltage source",
                             .what = "a known difference of potential; may be an input",
                             .value_name = "voltage",
                             .unit = "V",
                             .n_term = 2,
                             .flags = RH_SOURCE | RH_BRANCH,
                             .equation = "va - vb = V",
                             .law = law };
