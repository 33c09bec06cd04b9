/* protocol: how the clamping level h moves over one cycle. A new protocol is one row of RH_PROTOCOLS. */
#ifndef RH_PROTOCOL_H
#define RH_PROTOCOL_H

#include "base/base.h"

/* A stretch of the cycle on which h moves linearly from h0 to h1. Between stretches h may jump. */
typedef struct rh_ramp {
    double duration; /* s */
    double h0, h1;
} rh_ramp;
enum { RH_MAX_RAMP = 4 };

typedef struct rh_protocol_kind {
    const char *name; /* "sawtooth" */
    rh_meaning meaning;
    int (*build)(double fast, double slow, rh_ramp out[RH_MAX_RAMP]); /* returns the number of stretches */
} rh_protocol_kind;
extern const rh_protocol_kind *const RH_PROTOCOLS[];
extern const int RH_N_PROTOCOL;
int rh_protocol_find(const char *name); /* -1: none */

#endif
