/* protocol.h: what rheo and rheo-ngworker say to each other, over the worker's standard input and output.
 *
 * Every message is a head and head.bytes bytes behind it, in the byte order of the machine. A request gets exactly one
 * answer. An answer that is not RH_NG_OK carries the reason as text, and the worker ends after it: once ngspice has
 * refused something it can no longer be trusted with the next. */
#ifndef RH_NGSPICE_PROTOCOL_H
#define RH_NGSPICE_PROTOCOL_H

#include <stdint.h>

typedef struct rh_ng_head {
    uint32_t magic, what; /* request: below; answer: RH_NG_OK or RH_NG_FAILED */
    uint64_t bytes;
} rh_ng_head;

enum {
    RH_NG_MAGIC = 0x6f656872, /* "rheo" */
    RH_NG_MAX_BYTES = 1 << 30,
    RH_NG_MAX_TEXT = 4000, /* of a reason */
};

enum { RH_NG_OK, RH_NG_FAILED };

enum {
    RH_NG_INFO = 1, /* answer: rh_ng_info, then the version of ngspice as text */
    RH_NG_LOAD,     /* a deck, lines ending in '\n', title first; answer: nothing */
    RH_NG_VECTORS,  /* names of the vectors that OP answers with, each ending in '\n'; answer: nothing */
    RH_NG_OP,       /* rh_ng_value[] to alter first; answer: double[], one per vector, all finite */
    RH_NG_DESTROY,  /* forget the circuit; answer: nothing */
    RH_NG_QUIT,     /* no answer */
};

/* What holds the worker, in rh_ng_info.layers. */
enum { RH_NG_LIMITS = 1, RH_NG_NO_PRIVS = 2, RH_NG_SECCOMP = 4, RH_NG_LANDLOCK = 8 };
typedef struct rh_ng_info {
    uint32_t layers, landlock_abi;
} rh_ng_info;

/* A new value of element "r12" or "v3". */
typedef struct rh_ng_value {
    uint32_t letter, number;
    double value;
} rh_ng_value;

#endif
