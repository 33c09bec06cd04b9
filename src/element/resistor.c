/* resistor.c: i = (va - vb)/R. */
#include "element/kinds.h"

/* g is 1/R for a fixed resistor, the stored state for a learnable one: the solver hands it in. */
static rh_law law(double value, double g) {
    (void)value;
    return (rh_law){ .conductance = g };
}

const rh_kind rh_resistor = { .letter = 'R',
                              .name = "resistor",
                              .what = "conductance that may learn",
                              .value_name = "resistance",
                              .unit = "ohm",
                              .n_term = 2,
                              .flags = RH_LEARNABLE,
                              .equation = "i = (va - vb)/R",
                              .optional = "r",
                              .law = law };
