/* protocol.h: what rheo and rheo-ngworker say to each other, over the worker's standard input and output.
 *
 * Every message is a head and head.bytes bytes behind it, in the byte order of the machine. A request gets exactly one
 * answer, but RH_NG_TRAN many. An answer that is not RH_NG_OK carries the reason as text, and the worker ends after it:
 * once ngspice has refused something it can no longer be trusted with the next. */
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

enum { RH_NG_OK, RH_NG_FAILED, RH_NG_MORE /* a row of RH_NG_TRAN; others follow */ };

enum {
    RH_NG_INFO = 1, /* answer: rh_ng_info, then the version of ngspice as text */
    RH_NG_LOAD,     /* a deck, lines ending in '\n', title first; answer: nothing */
    RH_NG_VECTORS,  /* names of the vectors that OP answers with, each ending in '\n'; answer: nothing */
    RH_NG_OP,       /* rh_ng_value[] to alter first; answer: double[], one per vector, all finite */
    RH_NG_DESTROY,  /* forget the circuit; answer: nothing */
    RH_NG_QUIT,     /* no answer */
    RH_NG_SAMPLES,  /* rh_ng_samples, then double[n_source][n_slot]; answer: nothing */
    RH_NG_TRAN,     /* what .tran in the deck says. rh_ng_tran; answers: RH_NG_MORE with double[], the time and one per
                       vector, for each row, then RH_NG_OK with nothing */
};

/* What holds the worker, in rh_ng_info.layers. */
enum { RH_NG_LIMITS = 1, RH_NG_NO_PRIVS = 2, RH_NG_SECCOMP = 4, RH_NG_LANDLOCK = 8 };
typedef struct rh_ng_info {
    uint32_t layers, landlock_abi;
} rh_ng_info;

/* What the sources vext1, vext2 ... (or iext) of a deck give: in slot k the value moves from that of slot k-1 to its
 * own, from `from` seconds after the beginning of the slot and for `move` seconds. */
typedef struct rh_ng_samples {
    double period, from, move;
    uint64_t n_source, n_slot;
} rh_ng_samples;

/* Rows at period, 2 period, ... n_row period. */
typedef struct rh_ng_tran {
    double period;
    uint64_t n_row;
} rh_ng_tran;

/* A new value of element "r12" or "v3". */
typedef struct rh_ng_value {
    uint32_t letter, number;
    double value;
} rh_ng_value;

#endif
