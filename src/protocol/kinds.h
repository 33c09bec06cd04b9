/* The rows of RH_PROTOCOLS, one file each. */
#ifndef RH_PROTOCOL_KINDS_H
#define RH_PROTOCOL_KINDS_H

#include "protocol/protocol.h"

extern const rh_protocol_kind rh_sawtooth, rh_triangle, rh_square;

#endif
