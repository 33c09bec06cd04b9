/* rheo/base.h: status codes, errors with a place, messages, version.
 *
 * Thread rules: nothing here has hidden state; every function may be called from any thread. */
#ifndef RHEO_BASE_H
#define RHEO_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define RHEO_API __attribute__((visibility("default")))
#define RHEO_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define RHEO_API
#define RHEO_PRINTF(fmt, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define RHEO_VERSION "0.1.0"

/* Status, its text, and the exit code of the command line for it. */
#define RHEO_STATUS_LIST(X)                            \
    X(OK, 0, "ok")                                     \
    X(E_GOAL, 1, "goal missed")                        \
    X(E_USAGE, 2, "wrong use")                         \
    X(E_PARSE, 3, "cannot read the input")             \
    X(E_RANGE, 3, "value out of range")                \
    X(E_SINGULAR, 4, "circuit has no unique solution") \
    X(E_NOCONV, 4, "did not converge")                 \
    X(E_IO, 5, "input or output failed")               \
    X(E_NOMEM, 6, "out of memory")                     \
    X(E_LIMIT, 7, "limit exceeded")                    \
    X(E_INTERNAL, 8, "internal error")                 \
    X(E_INTERRUPTED, 130, "interrupted")

typedef enum rheo_status {
#define X(name, exit_code, text) RHEO_##name,
    RHEO_STATUS_LIST(X)
#undef X
} rheo_status;

typedef enum rheo_severity { RHEO_ERROR, RHEO_WARNING, RHEO_NOTE } rheo_severity;

/* A message with its place. Lives on the caller's stack, so even out of memory can be reported.
 * Start from { 0 }; a function that fails fills it, one that succeeds leaves it alone. */
typedef struct rheo_error {
    rheo_status status;
    rheo_severity severity;
    int code;         /* number in the catalogue: 203 is E203; 0 when there is none */
    int line, col;    /* from 1; 0 when the cause is not in a file. col counts bytes */
    int caret, width; /* where source is underlined: offset from 0, and length */
    bool reported;    /* the log callback has had it already */
    char file[256];   /* copies, so the message outlives whatever failed */
    char msg[400];
    char source[128]; /* the source line around the place, control characters escaped; or "" */
    char hint[200];   /* what to do about it, or "" */
} rheo_error;

/* Where warnings and the errors of readers go as they are found. emit may be NULL. */
typedef struct rheo_log {
    void (*emit)(void *user, const rheo_error *message);
    void *user;
} rheo_log;

/** The text of a status, such as "out of memory". Static, never NULL. */
RHEO_API const char *rheo_status_text(rheo_status status);

/** The exit code the command line uses for a status. */
RHEO_API int rheo_status_exit_code(rheo_status status);

/**
 * Write a message the way compilers do: "file:line:col: error[E012]: text", the source line, a caret and the hint.
 * @param e     the message
 * @param buf   at least 1 byte; always terminated. 1200 bytes hold any message
 * @param size  bytes in buf
 * @return      length of the text, without the terminator, even if it did not fit
 */
RHEO_API size_t rheo_error_format(const rheo_error *e, char *buf, size_t size);

/**
 * The paragraph behind a code of the catalogue ("rheo explain E203").
 * @param code   such as 203
 * @param title  filled with the one-line meaning; may be NULL
 * @return       the text, static; NULL when there is no such code
 */
RHEO_API const char *rheo_explain(int code, const char **title);

/** The i-th code of the catalogue in rising order, or 0 past the last. */
RHEO_API int rheo_explain_code(int i);

/** RHEO_VERSION of the library that is running. */
RHEO_API const char *rheo_version(void);

#ifdef __cplusplus
}
#endif
#endif
