/* sawtooth: the clamp is pulled on fast and let go slowly, the asymmetry that a dead zone turns into an update.
 * Source: Falk, Strupp, Scellier & Murugan, Nature Communications 16 (2025), Fig. 4A. */
#include "protocol/kinds.h"

static int build(double fast, double slow, rh_ramp out[RH_MAX_RAMP]) {
    out[0] = (rh_ramp){ .duration = fast, .h0 = 0, .h1 = 1 };
    out[1] = (rh_ramp){ .duration = slow, .h0 = 1, .h1 = 0 };
    return 2;
}

const rh_protocol_kind rh_sawtooth = {
    .name = "sawtooth",
    .meaning = { "clamp rises 0 to 1 in `fast`, falls back in `slow`",
                 "for tcl: the dead zone turns the asymmetry into an update" },
    .build = build,
};
