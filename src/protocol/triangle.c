/* triangle: equal ramps, the control experiment. What the rise writes the fall takes back, so a periodic cycle of
 * linear s without kernel area writes nothing. */
#include "protocol/kinds.h"

static int build(double fast, double slow, rh_ramp out[RH_MAX_RAMP]) {
    const double half = fast / 2 + slow / 2; /* the sum first could overflow */
    out[0] = (rh_ramp){ .duration = half, .h0 = 0, .h1 = 1 };
    out[1] = (rh_ramp){ .duration = half, .h0 = 1, .h1 = 0 };
    return 2;
}

const rh_protocol_kind rh_triangle = {
    .name = "triangle",
    .meaning = { "clamp rises and falls in (fast + slow)/2 each",
                 "as the control without asymmetry: what the rise writes the fall takes back" },
    .build = build,
};
