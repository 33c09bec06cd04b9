/* count_alloc.h: counts the allocations of the program that includes it: glibc's own functions, called through
 * counters. Sanitizers bring theirs, so not there. */
#ifndef COUNT_ALLOC_H
#define COUNT_ALLOC_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTING 0
#endif
#endif
#ifndef COUNTING
#define COUNTING 1
#endif

static long n_alloc;
#if COUNTING
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
void *malloc(size_t n) {
    n_alloc++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size) {
    n_alloc++;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n) {
    n_alloc++;
    return __libc_realloc(p, n);
}
void *aligned_alloc(size_t align, size_t n) {
    n_alloc++;
    return __libc_memalign(align, n);
}
#endif

#endif
