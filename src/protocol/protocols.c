/* The table of protocols that readers, --help and the tests walk. */
#include "protocol/kinds.h"

const rh_protocol_kind *const RH_PROTOCOLS[] = { &rh_sawtooth, &rh_triangle, &rh_square };
const int RH_N_PROTOCOL = RH_COUNT(RH_PROTOCOLS);

int rh_protocol_find(const char *name) {
    for (int i = 0; i < RH_N_PROTOCOL; i++)
        if (rh_streq(name, RH_PROTOCOLS[i]->name)) return i;
    return -1;
}
