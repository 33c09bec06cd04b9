/* isource.c: i = I. */
#include "element/kinds.h"

static rh_law law(double value, double g) {
    (void)g;
    return (rh_law){ .current = value };
}

const rh_kind rh_isource = { .letter = 'I',
                             .name = "current source",
                             .what =
                                 "a known current from its first to its second node through itself; may be an input",
                             .value_name = "current",
                             .unit = "A",
                             .n_term = 2,
                             .flags = RH_SOURCE,
                             .equation = "i = I",
                             .law = law };
