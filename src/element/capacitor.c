/* capacitor.c: i = C dv/dt (0 at DC). */
#include "element/kinds.h"

static rh_law law(double value, double g) {
    (void)value, (void)g;
    return (rh_law){ 0 };
}

const rh_kind rh_capacitor = { .letter = 'C',
                               .name = "capacitor",
                               .what = "open for direct current",
                               .value_name = "capacitance",
                               .unit = "F",
                               .n_term = 2,
                               .flags = RH_OPEN,
                               .equation = "i = C dv/dt (0 at DC)",
                               .law = law };
