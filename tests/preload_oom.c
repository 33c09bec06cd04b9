/* preload_oom: makes the k-th allocation of a program fail. For LD_PRELOAD.
 *
 *   OOM_FAIL=k     the k-th call of malloc, calloc or realloc since the start returns NULL
 *   OOM_ON=1       so do all calls after it
 *   OOM_REPORT=f   at the end the number of calls is written to the file f */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own names: finding the originals with dlsym would allocate. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static atomic_long n_call;
static long fail_at; /* 0: never */
static int fail_on;
static const char *report;

static int fails(void) {
    const long k = atomic_fetch_add(&n_call, 1) + 1;
    if (fail_at == 0 || !(k == fail_at || (fail_on && k > fail_at))) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }

__attribute__((constructor)) static void begin(void) {
    const char *const at = getenv("OOM_FAIL");
    report = getenv("OOM_REPORT");
    fail_at = at ? atol(at) : 0;
    fail_on = getenv("OOM_ON") != NULL;
}

__attribute__((destructor)) static void end(void) {
    if (!report) return;
    char text[32];
    const int n = snprintf(text, sizeof text, "%ld\n", (long)n_call);
    const int fd = open(report, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || write(fd, text, (size_t)n) != n) _exit(99);
    close(fd);
}
