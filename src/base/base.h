/* base: what every module stands on. Memory, errors, strings, numbers, random numbers, files, arrays on disk.
 * No circuit, no physics. Nothing here keeps writable globals. */
#ifndef RH_BASE_H
#define RH_BASE_H

#include "rheo/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RH_COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define RHEO_TRY(call)                      \
    do {                                    \
        const rheo_status rh_st = (call);   \
        if (rh_st != RHEO_OK) return rh_st; \
    } while (0)

/* ---- memory (alloc.c) ---- */

/* All memory of the library comes from here: zeroed, NULL on failure or when the size overflows. n = 0 gives 1 byte. */
void *rh_alloc(size_t bytes);
void *rh_calloc(size_t n, size_t size);
void *rh_realloc(void *p, size_t n, size_t size); /* new bytes are not zeroed; on failure p is still valid */
void rh_free(void *p);
char *rh_strdup(const char *s);
char *rh_strndup(const char *s, size_t n);
/* Grow *p (elements of `size` bytes, capacity *cap) to hold at least need elements, doubling. false: out of memory, *p
 * as was. */
bool rh_grow(void *p_to_pointer, int *cap, int need, size_t size);

/* Two-pass arena: first pass without base only adds up bytes, second pass hands them out (64-byte aligned). */
typedef struct rh_arena {
    char *base;
    size_t used;
} rh_arena;
void *rh_arena_take(rh_arena *a, size_t n, size_t size);
#define RH_TAKE(a, type, n) ((type *)rh_arena_take((a), (size_t)(n), sizeof(type)))

/* A growing pool: many small pieces, freed together. Pieces never move. Zeroed. */
typedef struct rh_pool rh_pool;
rh_pool *rh_pool_create(void);                 /* NULL: out of memory */
void rh_pool_destroy(rh_pool *p);              /* NULL is fine */
void *rh_pool_alloc(rh_pool *p, size_t bytes); /* 8-byte aligned; NULL: out of memory */
char *rh_pool_strndup(rh_pool *p, const char *s, size_t n);
size_t rh_pool_bytes(const rh_pool *p);

/* ---- sources and places (error.c) ---- */

/* The text of one input file, kept so that a message can show the line. */
typedef struct rh_source {
    char *name; /* as messages show it */
    char *text; /* size bytes, then a NUL */
    size_t size;
    bool quotable; /* false: outside the project root, its lines are never shown */
} rh_source;

typedef struct rh_loc {
    const rh_source *src; /* NULL: nowhere */
    int line, col, len;   /* from 1; len: bytes to underline, at least 1 */
} rh_loc;
#define RH_NOWHERE ((rh_loc){ 0 })

/* The first cause wins: an err that already holds a failure is left alone. err may be NULL. Returns status. */
rheo_status rh_fail(rheo_error *err, rheo_status status, int code, rh_loc at, const char *fmt, ...) RHEO_PRINTF(5, 6);
/* Adds a hint to the failure in err (only if it has none). err may be NULL. */
void rh_hint(rheo_error *err, const char *fmt, ...) RHEO_PRINTF(2, 3);
#define RH_NOMEM(err) rh_fail((err), RHEO_E_NOMEM, 501, RH_NOWHERE, "out of memory")

/* Collects the messages of a reader: each goes to the log, the first error also to err. */
typedef struct rh_report {
    const rheo_log *log; /* may be NULL */
    rheo_error *err;     /* may be NULL */
    int n_error, n_warning;
    int max_error; /* 0 means 20 */
} rh_report;
/* hint may be NULL. Returns status, or RHEO_E_LIMIT... never: callers test rh_report_full(). */
rheo_status rh_report_error(rh_report *r, rheo_status status, int code, rh_loc at, const char *hint, const char *fmt,
                            ...) RHEO_PRINTF(6, 7);
/* At most 100 warnings of a report are shown; rh_report_close says in a note how many more there were. */
void rh_report_close(const rh_report *r);
void rh_report_warning(rh_report *r, int code, rh_loc at, const char *hint, const char *fmt, ...) RHEO_PRINTF(5, 6);
static inline bool rh_report_full(const rh_report *r) { return r->n_error >= (r->max_error ? r->max_error : 20); }
/* Warn or note through a log without a report. */
void rh_warn(const rheo_log *log, int code, rh_loc at, const char *fmt, ...) RHEO_PRINTF(4, 5);

/* ---- strings (text.c) ---- */

/* A growing text. Failure sticks: after it, ok is false and nothing is added. */
typedef struct rh_buf {
    char *s; /* NUL-terminated once anything was added, else NULL */
    size_t n, cap;
    bool bad;
} rh_buf;
void rh_buf_add(rh_buf *b, const char *s, size_t n);
void rh_buf_puts(rh_buf *b, const char *s);
void rh_buf_printf(rh_buf *b, const char *fmt, ...) RHEO_PRINTF(2, 3); /* no %f %g: use rh_buf_number */
void rh_buf_number(rh_buf *b, double x);           /* shortest text that reads back the same, '.' in every locale */
void rh_buf_json_string(rh_buf *b, const char *s); /* quoted and escaped; invalid UTF-8 becomes U+FFFD */
void rh_buf_json_number(rh_buf *b, double x);      /* NaN and Inf become null */
void rh_buf_free(rh_buf *b);

int rh_strcasecmp(const char *a, const char *b);     /* ASCII folding, locale free */
bool rh_streq(const char *a, const char *b);         /* the same, as a question */
bool rh_glob(const char *pattern, const char *text); /* * and ?, ASCII case folded */
/* The name closest to `word`, if close enough to suggest (Damerau-Levenshtein, at most a third of its length); else
 * NULL. */
typedef const char *(*rh_name_at)(const void *ctx, int i); /* NULL past the last */
const char *rh_suggest(const char *word, rh_name_at at, const void *ctx);
const char *rh_suggest_list(const char *word, const char *const *names, int n);
/* Printable copy: control characters and invalid UTF-8 as \xHH; cut to size - 1 bytes. Returns out. */
char *rh_escape(const char *s, size_t n, char *out, size_t size);

/* Case-insensitive (ASCII) map from name to int. The keys are lent and must stay valid. */
typedef struct rh_map rh_map;
rh_map *rh_map_create(void);
void rh_map_destroy(rh_map *m);
int rh_map_get(const rh_map *m, const char *key, size_t n);       /* -1: absent */
bool rh_map_put(rh_map *m, const char *key, size_t n, int value); /* replaces; false: out of memory */

/* ---- numbers (number.c) ---- */

/* What rh_number_parse found wrong. Texts for messages: rh_number_fault_text. */
typedef enum rh_number_fault {
    RH_NUM_OK,
    RH_NUM_EMPTY,      /* nothing there, or no digit */
    RH_NUM_NOT,        /* not a number at all */
    RH_NUM_INFIX,      /* 4k7: programs disagree; suggestion holds 4.7k */
    RH_NUM_COMMA,      /* 1,5k; suggestion holds 1.5k */
    RH_NUM_EXPONENT,   /* 1e, 1e+ */
    RH_NUM_HEX,        /* 0x10 */
    RH_NUM_UNDERSCORE, /* 1_000 */
    RH_NUM_SUFFIX,     /* 1x, 1a, 1kk, 1zork */
    RH_NUM_NAN,        /* nan, inf */
    RH_NUM_RANGE,      /* 1e400 */
} rh_number_fault;
typedef enum rh_number_note { RH_NUM_PLAIN, RH_NUM_MILLI /* 1M */, RH_NUM_FARAD /* 1F */, RH_NUM_MIL } rh_number_note;
typedef struct rh_number {
    double value;
    size_t used; /* bytes taken, unit letters included */
    rh_number_fault fault;
    rh_number_note note; /* worth a warning where it stands */
    char unit[8];        /* letters after the suffix, lower case, "" if none: "ohm", "s", "v" */
    size_t n_unit;       /* bytes of them in the text */
    char suggestion[32]; /* what to write instead, or "" */
} rh_number;
/* Read the number that text starts with, in SPICE syntax: [+-]d.d[e[+-]d][suffix][unit letters]; ecosystem of suffixes:
 * t g meg k mil m u(and Greek mu) n p f. The token ends at the first of: end, blank, tab, comma-not-followed-by-digit,
 * ( ) = { } ; ' " or an operator + - * / that is not part of the number. Locale free, correctly rounded. */
rh_number rh_number_parse(const char *text, size_t n);
const char *rh_number_fault_text(rh_number_fault fault);
/* The whole text must be one number, optional blank before the unit ("50 us", "10 kohm"). For YAML and options. */
rh_number rh_number_parse_all(const char *text, size_t n);

/* ---- units (unit.c) ---- */

/* Is `got`, as rh_number has it, a way to write the unit `want` ("V", "ohm"; "": none)? No unit fits any; any fits
 * NULL. */
bool rh_unit_fits(const char *got, const char *want);
/* The unit that text ends in, which was read as x: "V" for "50 uV". */
const char *rh_unit_written(const char *text, size_t n, const rh_number *x);
/* How to write a value of another unit in `want`: "write 50u or 50 us". text is a number with a unit. Returns buf. */
const char *rh_unit_hint(const char *text, size_t n, const char *want, char *buf, size_t size);
/* What was meant by a text that is no number, such as 4k7, 0,2, 5x10^-5, 1/20k, 50 %, 50 microseconds: a hint, or NULL.
 */
const char *rh_number_hint(const char *text, size_t n, const char *want, char *buf, size_t size);
/* Plain decimal number (no suffix) as in CSV; correctly rounded, locale free. Returns bytes used, 0: not a number. */
size_t rh_decimal(const char *text, size_t n, double *value);
/* Shortest decimal text that reads back to the same double; '.' in every locale. buf >= 32 bytes. Returns buf. */
char *rh_number_text(double x, char *buf);
/* With an engineering suffix for people: 1.5k, 22u. 4 significant digits. */
char *rh_number_human(double x, const char *unit, char *buf, size_t size);

/* ---- tables of settings (field.c) ---- */

typedef enum rh_type { RH_DOUBLE, RH_INT, RH_BOOL, RH_STRING, RH_CHOICE } rh_type;
/* One row per setting: readers, range errors, --help, config writer and reports walk these tables. */
typedef struct rh_field {
    const char *name, *unit;
    double def, min, max; /* numbers; inf allowed where max is INFINITY. RH_BOOL: def 0/1. RH_CHOICE: def = index */
    const char *meaning;
    size_t offset; /* in the def struct: double, int, bool, char* (owned copy, NULL by default) or int (choice index) */
    rh_type type;
    const char *const *choices; /* RH_CHOICE: NULL-terminated names */
} rh_field;
void rh_fields_default(const rh_field *f, int n, void *def); /* RH_STRING becomes NULL */

/* What a choice is for `rheo kinds`: what it does, and when to take it, "for ..." or "as ...". */
typedef struct rh_meaning {
    const char *what, *when;
} rh_meaning;

/* ---- random numbers (rng.c): counter based, so the state is (seed, stream, counter) ---- */
uint64_t rh_random_u64(uint64_t seed, uint64_t stream, uint64_t counter);
double rh_random_unit(uint64_t seed, uint64_t stream, uint64_t counter);   /* uniform in (0, 1) */
double rh_random_normal(uint64_t seed, uint64_t stream, uint64_t counter); /* mean 0, variance 1 */
void rh_shuffle(uint64_t seed, uint64_t stream, int n, int *index);        /* Fisher-Yates of 0..n-1 */
enum { RH_STREAM_INIT = 1, RH_STREAM_ORDER = 2, RH_STREAM_SPLIT = 3, RH_STREAM_GEN = 4, RH_STREAM_TASK = 5 };

/* ---- small dense systems (dense.c) ---- */

/* Solve the n x n system in lu [n][n + 1] (row-major, right-hand side in the last column; overwritten) by Gauss with
 * row pivoting. false: singular or not finite. */
bool rh_dense_solve(int n, double *lu, double *x);

/* ---- checksums (sha256.c) ---- */
void rh_sha256(const void *data, size_t n, char text[65]); /* as lower-case hexadecimal digits */

/* ---- files (file.c) ---- */

/* Read a whole regular file of at most max bytes. *text gets size bytes and a NUL. Owned by the caller (rh_free). path
 * "-": stdin. */
rheo_status rh_file_read(const char *path, size_t max, char **text, size_t *size, rheo_error *err);
/* Write path.tmp, fsync, rename over path, fsync the folder: either the old or the new file is there, whole. */
rheo_status rh_file_write(const char *path, const void *data, size_t n, rheo_error *err);
rheo_status rh_dir_create(const char *path, rheo_error *err); /* with parents; fine if it exists */
uint32_t rh_crc32c(uint32_t crc, const void *data, size_t n);
char *rh_path_join(const char *folder, const char *name); /* absolute name: a copy of name; NULL: out of memory */
/* Takes path (NULL stays) and gives it back without "folder/.." where that leads to the same file, for messages. */
char *rh_path_tidy(char *path);
char *rh_path_folder(const char *path); /* "." when there is none; NULL: out of memory */
/* How to get from folder `from` to path, both absolute and without "..": "../../net.cir". Absolute when they have no
 * folder but the root in common. NULL: out of memory. */
char *rh_path_relative(const char *from, const char *path);

/* ---- arrays on disk (npz.c): NumPy's format, version 1.0, little endian, zip without compression ---- */
typedef struct rh_npz rh_npz;
rh_npz *rh_npz_create(void); /* NULL: out of memory */
void rh_npz_destroy(rh_npz *z);
/* dims: n_dim lengths. Failure sticks and is reported by rh_npz_write. */
void rh_npz_f64(rh_npz *z, const char *name, const double *x, int n_dim, const size_t *dims);
void rh_npz_i32(rh_npz *z, const char *name, const int *x, int n_dim, const size_t *dims);
void rh_npz_text(rh_npz *z, const char *name, const char *const *s, int n); /* dtype <U, code points */
rheo_status rh_npz_write(const rh_npz *z, const char *path,
                         rheo_error *err); /* atomic; bytes depend on the content alone */

#endif
