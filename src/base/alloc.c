/* alloc.c: every byte the library owns is asked for here. */
#include "base/base.h"

#include <stdlib.h>

enum { ALIGN = 64, POOL_FIRST = 64 * 1024, POOL_LAST = 4 * 1024 * 1024 };

static bool product(size_t n, size_t size, size_t *bytes) {
    if (size && n > PTRDIFF_MAX / size) return false;
    *bytes = n * size;
    if (*bytes == 0) *bytes = 1;
    return true;
}

/* Aligned to a cache line, so that the pieces of an arena laid out in it are too. */
void *rh_alloc(size_t bytes) {
    if (bytes > PTRDIFF_MAX - ALIGN) return NULL;
    const size_t whole = (bytes + (bytes == 0) + ALIGN - 1) / ALIGN * ALIGN;
    void *p = aligned_alloc(ALIGN, whole);
    return p ? memset(p, 0, whole) : NULL;
}

void *rh_calloc(size_t n, size_t size) {
    size_t bytes;
    return product(n, size, &bytes) ? calloc(1, bytes) : NULL;
}

void *rh_realloc(void *p, size_t n, size_t size) {
    size_t bytes;
    return product(n, size, &bytes) ? realloc(p, bytes) : NULL;
}

void rh_free(void *p) { free(p); }

char *rh_strdup(const char *s) { return rh_strndup(s, strlen(s)); }

char *rh_strndup(const char *s, size_t n) {
    if (n >= PTRDIFF_MAX) return NULL;
    char *copy = rh_calloc(n + 1, 1);
    if (copy && n) memcpy(copy, s, n);
    return copy;
}

bool rh_grow(void *p_to_pointer, int *cap, int need, size_t size) {
    if (need < 0) return false;
    if (need <= *cap) return true;
    int want = *cap > 0 ? *cap : 8;
    while (want < need) want = want > INT32_MAX / 2 ? INT32_MAX : 2 * want;
    void *p;
    memcpy(&p, p_to_pointer, sizeof(p));
    p = rh_realloc(p, (size_t)want, size);
    if (!p) return false;
    memset((char *)p + (size_t)*cap * size, 0, (size_t)(want - *cap) * size);
    memcpy(p_to_pointer, &p, sizeof(p));
    *cap = want;
    return true;
}

/* A size that overflows saturates, so that the allocation between the two passes is refused. */
void *rh_arena_take(rh_arena *a, size_t n, size_t size) {
    const size_t at = a->used;
    size_t bytes;
    if (!product(n, size, &bytes) || bytes > PTRDIFF_MAX - ALIGN ||
        at > PTRDIFF_MAX - (bytes + ALIGN - 1) / ALIGN * ALIGN) {
        a->used = SIZE_MAX;
        return NULL;
    }
    a->used = at + (bytes + ALIGN - 1) / ALIGN * ALIGN;
    return a->base ? a->base + at : NULL;
}

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    uint64_t data[]; /* makes the pieces 8-byte aligned */
} chunk;

struct rh_pool {
    chunk *head; /* pieces come from this one; the others are full or hold one large piece */
    size_t bytes, next_size;
};

rh_pool *rh_pool_create(void) {
    rh_pool *p = rh_calloc(1, sizeof(*p));
    if (p) p->next_size = POOL_FIRST;
    return p;
}

void rh_pool_destroy(rh_pool *p) {
    if (!p) return;
    for (chunk *c = p->head, *next; c; c = next) {
        next = c->next;
        rh_free(c);
    }
    rh_free(p);
}

static chunk *add_chunk(rh_pool *p, size_t need) {
    const size_t size = need > p->next_size / 4 ? need : p->next_size;
    chunk *c = rh_calloc(1, sizeof(*c) + size);
    if (!c) return NULL;
    c->size = size;
    p->bytes += sizeof(*c) + size;
    if (size == need && p->head) { /* a large piece: keep filling the current chunk */
        c->next = p->head->next;
        p->head->next = c;
        return c;
    }
    c->next = p->head;
    p->head = c;
    if (p->next_size < POOL_LAST) p->next_size *= 2;
    return c;
}

void *rh_pool_alloc(rh_pool *p, size_t bytes) {
    if (bytes > PTRDIFF_MAX / 2) return NULL;
    const size_t need = (bytes + (bytes == 0) + 7) / 8 * 8;
    chunk *c = p->head;
    if (!c || c->size - c->used < need) c = add_chunk(p, need);
    if (!c) return NULL;
    void *piece = (char *)c->data + c->used;
    c->used += need;
    return piece;
}

char *rh_pool_strndup(rh_pool *p, const char *s, size_t n) {
    if (n >= PTRDIFF_MAX / 2) return NULL;
    char *copy = rh_pool_alloc(p, n + 1);
    if (copy && n) memcpy(copy, s, n);
    return copy;
}

size_t rh_pool_bytes(const rh_pool *p) { return p ? sizeof(*p) + p->bytes : 0; }
