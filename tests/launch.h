/* launch: start the program as a user does, and look at what comes out. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct launched {
    int exit, signal; /* exit code, or -1 and the signal */
    char *out, *err;  /* NUL-terminated */
    size_t n_out;
} launched;

/* The program: environment variable RHEO, or `rheo` in the folder above that of the test. */
const char *launch_program(void);
/* The folder of the running test. */
const char *launch_folder(void);

/* argv ends with NULL and does not name the program. env: NULL or "NAME=value" texts, ended by NULL.
 * in: what standard input holds, or NULL. Waits for the end. */
void launch(launched *r, const char *const *argv, const char *const *env, const char *in);
void launch_free(launched *r);
/* With arguments in place: launch_with(&r, "solve", "-", NULL). */
void launch_with(launched *r, ...);

/* Start and do not wait; output goes nowhere. */
pid_t launch_start(const char *const *argv);
/* Exit code, or 128 + signal. */
int launch_wait(pid_t pid);
/* Did it end by now? Then *code as launch_wait. */
bool launch_ended(pid_t pid, int *code);

/* A new folder below /tmp, and its end with all that is in it. */
char *scratch_create(void);
void scratch_remove(char *folder);
void scratch_write(const char *folder, const char *name, const char *text);
/* The file, or NULL; *n its bytes. malloc. */
char *scratch_read(const char *folder, const char *name, size_t *n);

#endif
