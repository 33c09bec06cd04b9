/* square: the clamp is switched, as with two phases told apart by a clock. Both edges are infinitely fast. */
#include "protocol/kinds.h"

static int build(double fast, double slow, rh_ramp out[RH_MAX_RAMP]) {
    out[0] = (rh_ramp){ .duration = fast, .h0 = 1, .h1 = 1 };
    out[1] = (rh_ramp){ .duration = slow, .h0 = 0, .h1 = 0 };
    return 2;
}

const rh_protocol_kind rh_square = {
    .name = "square",
    .meaning = { "clamp is on for `fast`, off for `slow`, switched in no time",
                 "as a control: both edges are as fast, and their amplitudes pass the dead zone alike" },
    .build = build,
};
