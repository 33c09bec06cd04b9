/* process.h: a worker process and its conversation. Nothing here knows what a circuit is. */
#ifndef RH_NGSPICE_PROCESS_H
#define RH_NGSPICE_PROCESS_H

#include "base/base.h"
#include "ngspice/protocol.h"

#include <sys/types.h>

typedef struct rh_worker {
    pid_t pid;  /* 0: none */
    int fd;     /* both directions */
    int signal; /* that ended the last one from elsewhere, 0: none */
    rh_ng_info info;
    char version[64]; /* of ngspice */
    char *text;       /* the last answer: n bytes, then a NUL */
    size_t n, cap;
} rh_worker;

/* How a conversation ends. */
typedef enum rh_said {
    RH_SAID_OK,
    RH_SAID_NO,   /* the worker answered with a reason, which is in text; it is gone */
    RH_SAID_DIED, /* it crashed, was killed, or broke the protocol; it is gone */
    RH_SAID_LATE, /* it did not answer in time and was ended */
    RH_SAID_NOMEM,
} rh_said;

/* Start path (NULL: the one beside the running program, else the installed one) in an empty folder, with an empty
 * environment, and ask who it is. w: zeroed, or stopped. RHEO_E_IO: it is not there, or does not start. */
rheo_status rh_worker_start(rh_worker *w, const char *path, rheo_error *err);
/* Ask and wait for the answer, at most so many seconds; longer where other work keeps the processors from it. */
rh_said rh_worker_call(rh_worker *w, uint32_t what, const void *data, size_t n, double seconds);
/* The same in two parts, for a request with many answers: ask, then hear until *more is false. */
rh_said rh_worker_ask(rh_worker *w, uint32_t what, const void *data, size_t n, double seconds);
rh_said rh_worker_hear(rh_worker *w, bool *more, double seconds);
/* End it, however it is. Keeps the room of answers, for the next start. */
void rh_worker_stop(rh_worker *w);
void rh_worker_free(rh_worker *w);

#endif
