/* text.c: growing texts, names without regard to case, suggestions, a map. */
#include "base/base.h"
#include "base/utf8.h"

#include <math.h>

enum { SUGGEST_MAX = 64 };

static int fold(char c) { return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c; }

/* ---- UTF-8 ---- */

size_t rh_utf8(const char *s, size_t n, uint32_t *code) {
    static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (n == 0) return 0;
    const unsigned char c = (unsigned char)s[0];
    if ((c >= 0x80 && c < 0xC2) || c >= 0xF5) return 0;
    const size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (len > n) return 0;
    uint32_t x = len == 1 ? c : c & (0x7Fu >> len);
    for (size_t k = 1; k < len; k++) {
        const unsigned char d = (unsigned char)s[k];
        if ((d & 0xC0) != 0x80) return 0;
        x = x << 6 | (d & 0x3F);
    }
    if (x < LEAST[len] || x > 0x10FFFF || (x >= 0xD800 && x <= 0xDFFF)) return 0;
    *code = x;
    return len;
}

/* Characters that move the cursor, are invisible, or turn the direction of what follows: a message must not
 * obey them. */
static bool hidden(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

rh_glyph rh_glyph_next(const char *s, size_t n) {
    static const char HEX[] = "0123456789ABCDEF";
    rh_glyph g = { 0 };
    uint32_t code = 0;
    const size_t len = rh_utf8(s, n, &code);
    g.used = len ? len : 1;
    if (len && !hidden(code)) {
        memcpy(g.text, s, len);
        g.n = len;
        g.columns = 1;
        return g;
    }
    for (size_t k = 0; k < g.used; k++) {
        const unsigned char c = (unsigned char)s[k];
        memcpy(g.text + g.n, (const char[]){ '\\', 'x', HEX[c >> 4], HEX[c & 15] }, 4);
        g.n += 4;
    }
    g.columns = (int)g.n;
    return g;
}

char *rh_escape(const char *s, size_t n, char *out, size_t size) {
    size_t m = 0;
    if (size == 0) return out;
    for (size_t at = 0; at < n;) {
        const rh_glyph g = rh_glyph_next(s + at, n - at);
        if (m + g.n > size - 1) break;
        memcpy(out + m, g.text, g.n);
        m += g.n;
        at += g.used;
    }
    out[m] = '\0';
    return out;
}

/* ---- growing text ---- */

static bool reserve(rh_buf *b, size_t more) {
    if (b->bad) return false;
    if (more < b->cap - b->n) return true;
    b->bad = more > PTRDIFF_MAX / 2 - b->n;
    if (b->bad) return false;
    size_t cap = b->cap ? 2 * b->cap : 256;
    while (cap <= b->n + more) cap *= 2;
    char *s = rh_realloc(b->s, cap, 1);
    b->bad = !s;
    if (!s) return false;
    b->s = s;
    b->cap = cap;
    return true;
}

void rh_buf_add(rh_buf *b, const char *s, size_t n) {
    if (!reserve(b, n)) return;
    if (n) memcpy(b->s + b->n, s, n);
    b->n += n;
    b->s[b->n] = '\0';
}

void rh_buf_puts(rh_buf *b, const char *s) { rh_buf_add(b, s, strlen(s)); }

void rh_buf_printf(rh_buf *b, const char *fmt, ...) {
    char small[256];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(small, sizeof(small), fmt, ap);
    if (n < 0) {
        b->bad = true;
    } else if ((size_t)n < sizeof(small)) {
        rh_buf_add(b, small, (size_t)n);
    } else if (reserve(b, (size_t)n)) {
        vsnprintf(b->s + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void rh_buf_number(rh_buf *b, double x) {
    char text[32];
    rh_buf_puts(b, rh_number_text(x, text));
}

void rh_buf_json_number(rh_buf *b, double x) {
    if (isfinite(x))
        rh_buf_number(b, x);
    else
        rh_buf_puts(b, "null");
}

/* The escape of an ASCII character that JSON (RFC 8259) does not take as it is; "" when it does. */
static const char *json_escape(unsigned char c, char *buf) {
    static const char FROM[] = "\"\\\b\f\n\r\t", TO[] = "\"\\bfnrt";
    const char *at = c ? strchr(FROM, c) : NULL;
    buf[0] = '\0';
    if (at)
        snprintf(buf, 8, "\\%c", TO[at - FROM]);
    else if (c < 0x20 || c == 0x7F)
        snprintf(buf, 8, "\\u%04x", c);
    return buf;
}

void rh_buf_json_string(rh_buf *b, const char *s) {
    const size_t n = strlen(s);
    size_t plain = 0; /* start of what is copied as it is */
    rh_buf_add(b, "\"", 1);
    for (size_t at = 0; at < n;) {
        uint32_t code;
        char esc[8] = "";
        const size_t len = rh_utf8(s + at, n - at, &code);
        const char *instead = len == 1 ? json_escape((unsigned char)s[at], esc) : len ? "" : "\xEF\xBF\xBD";
        if (instead[0]) {
            rh_buf_add(b, s + plain, at - plain);
            rh_buf_puts(b, instead);
            plain = at + 1;
        }
        at += len ? len : 1;
    }
    rh_buf_add(b, s + plain, n - plain);
    rh_buf_add(b, "\"", 1);
}

void rh_buf_free(rh_buf *b) {
    rh_free(b->s);
    *b = (rh_buf){ 0 };
}

/* ---- names ---- */

int rh_strcasecmp(const char *a, const char *b) {
    while (*a && fold(*a) == fold(*b)) a++, b++;
    return fold(*a) - fold(*b);
}

bool rh_streq(const char *a, const char *b) { return rh_strcasecmp(a, b) == 0; }

static const char *next_char(const char *s) {
    s++;
    while ((*s & 0xC0) == 0x80) s++;
    return s;
}

/* Only the last star is ever tried again, so the time is at most length of pattern times length of text. */
bool rh_glob(const char *pattern, const char *text) {
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (*pattern == '?') {
            pattern++;
            text = next_char(text);
        } else if (*pattern && fold(*pattern) == fold(*text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = from = next_char(from);
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == '\0';
}

static int least(int a, int b) { return a < b ? a : b; }

/* Insertions, deletions, changes and swaps of neighbours (Damerau 1964), each place edited at most once. */
static int distance(const char *a, int n, const char *b, int m) {
    int row[3][SUGGEST_MAX + 1];
    for (int j = 0; j <= m; j++) row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3];
        const int *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            const bool same = fold(a[i - 1]) == fold(b[j - 1]);
            now[j] = least(least(up[j], now[j - 1]) + 1, up[j - 1] + !same);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
                now[j] = least(now[j], up2[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

/* A single letter is never "close" to another one: at least one letter must stay. */
const char *rh_suggest(const char *word, rh_name_at at, const void *ctx) {
    const size_t n = strlen(word);
    if (n == 0 || n > SUGGEST_MAX) return NULL;
    int limit = n >= 6 ? (int)(n / 3) : 1;
    if (limit > (int)n - 1) limit = (int)n - 1;
    const char *best = NULL, *name;
    for (int i = 0; limit >= 0 && (name = at(ctx, i)) != NULL; i++) {
        const size_t m = strnlen(name, SUGGEST_MAX + 1);
        if (m > SUGGEST_MAX || m + (size_t)limit < n || n + (size_t)limit < m) continue;
        const int d = distance(word, (int)n, name, (int)m);
        if (d > limit) continue;
        best = name;
        limit = d - 1; /* the next one must be better */
    }
    return best;
}

typedef struct name_list {
    const char *const *names;
    int n;
} name_list;

static const char *list_at(const void *ctx, int i) {
    const name_list *l = ctx;
    return i < l->n ? l->names[i] : NULL;
}

const char *rh_suggest_list(const char *word, const char *const *names, int n) {
    const name_list l = { names, n };
    return rh_suggest(word, list_at, &l);
}

/* ---- map ---- */

typedef struct entry {
    const char *key;
    uint32_t n;
    int value;
} entry;

/* What is searched stays small, and growing it touches no key. */
typedef struct slot {
    uint32_t hash, place; /* place: index in entries plus 1; 0: free */
} slot;

struct rh_map {
    slot *slots;
    entry *entries; /* in the order they came */
    size_t cap;     /* of slots: a power of two */
    int n, n_cap;
    uint64_t seed;
};

/* ASCII capitals to small letters in eight bytes at once: bit 7 of a byte's lane says "between A and Z". */
static uint64_t fold8(uint64_t w) {
    const uint64_t ones = 0x0101010101010101u, low = w & (0x7F * ones);
    const uint64_t from_a = low + (0x80 - 'A') * ones, past_z = low + (0x7F - 'Z') * ones;
    return w | ((from_a ^ past_z) & ~w & (0x80 * ones)) >> 2;
}

static uint64_t load8(const char *s, size_t n) {
    uint64_t w = 0;
    if (n >= 8)
        memcpy(&w, s, 8);
    else
        memcpy(&w, s, n);
    return fold8(w);
}

static uint64_t multiply_fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    const wide p = (wide)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* The seed differs from map to map, so a file cannot be made to let its names collide. */
static uint32_t hash_name(uint64_t seed, const char *s, size_t n) {
    uint64_t h = seed ^ n;
    for (; n > 8; s += 8, n -= 8) h = multiply_fold(h ^ load8(s, 8), 0x9E3779B97F4A7C15u);
    h = multiply_fold(h ^ (n ? load8(s, n) : 0), 0xD6E8FEB86659FD93u);
    return (uint32_t)(h ^ h >> 32);
}

static bool same_name(const char *a, const char *b, size_t n) {
    for (; n > 8; a += 8, b += 8, n -= 8)
        if (load8(a, 8) != load8(b, 8)) return false;
    return n == 0 || load8(a, n) == load8(b, n);
}

rh_map *rh_map_create(void) {
    rh_map *m = rh_calloc(1, sizeof(*m));
    if (!m) return NULL;
    m->cap = 16;
    m->slots = rh_calloc(m->cap, sizeof(slot));
    if (!m->slots) {
        rh_free(m);
        return NULL;
    }
    m->seed = rh_random_u64((uint64_t)(uintptr_t)m, (uint64_t)(uintptr_t)&m, (uint64_t)(uintptr_t)m->slots);
    return m;
}

void rh_map_destroy(rh_map *m) {
    if (!m) return;
    rh_free(m->entries);
    rh_free(m->slots);
    rh_free(m);
}

/* The slot that holds the key, or the free one where it belongs. */
static slot *find(const rh_map *m, const char *key, size_t n, uint32_t hash) {
    for (size_t at = hash;; at++) {
        slot *s = &m->slots[at & (m->cap - 1)];
        if (!s->place) return s;
        if (s->hash != hash) continue;
        const entry *e = &m->entries[s->place - 1];
        if (e->n == n && same_name(e->key, key, n)) return s;
    }
}

int rh_map_get(const rh_map *m, const char *key, size_t n) {
    if (n > UINT32_MAX) return -1;
    const slot *s = find(m, key, n, hash_name(m->seed, key, n));
    return s->place ? m->entries[s->place - 1].value : -1;
}

static bool enlarge(rh_map *m) {
    const size_t cap = m->cap < 65536 ? 4 * m->cap : 2 * m->cap;
    slot *slots = rh_calloc(cap, sizeof(slot));
    if (!slots) return false;
    for (size_t k = 0; k < m->cap; k++) {
        if (!m->slots[k].place) continue;
        size_t at = m->slots[k].hash & (cap - 1);
        while (slots[at].place) at = (at + 1) & (cap - 1);
        slots[at] = m->slots[k];
    }
    rh_free(m->slots);
    m->slots = slots;
    m->cap = cap;
    return true;
}

bool rh_map_put(rh_map *m, const char *key, size_t n, int value) {
    if (n > UINT32_MAX) return false;
    const uint32_t hash = hash_name(m->seed, key, n);
    slot *s = find(m, key, n, hash);
    if (s->place) {
        m->entries[s->place - 1].value = value;
        return true;
    }
    if (m->n == INT32_MAX || !rh_grow(&m->entries, &m->n_cap, m->n + 1, sizeof(entry))) return false;
    if ((size_t)m->n >= m->cap / 8 * 5) { /* linear probing wants room */
        if (!enlarge(m)) return false;
        s = find(m, key, n, hash);
    }
    m->entries[m->n++] = (entry){ .key = key, .n = (uint32_t)n, .value = value };
    *s = (slot){ hash, (uint32_t)m->n };
    return true;
}
