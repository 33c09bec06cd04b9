/* config: YAML into a tree with places, and the tree into settings by tables. Knows nothing of circuits. */
#ifndef RH_CONFIG_H
#define RH_CONFIG_H

#include "base/base.h"

/* Codes of the catalogue that readers of experiments use. */
enum {
    RH_CODE_YAML = 51,      /* not valid YAML */
    RH_CODE_ENCODING = 52,  /* bytes that do not belong in a text file */
    RH_CODE_DUPLICATE = 53, /* a key given twice */
    RH_CODE_FEATURE = 54,   /* YAML that experiments do not use: tags, merge keys, several documents, ... */
    RH_CODE_EMPTY = 55,     /* nothing in it */
    RH_CODE_SET = 56,       /* --set without key=value */
    RH_CODE_UNKNOWN = 151,  /* unknown key */
    RH_CODE_MISSING = 152,  /* required key missing */
    RH_CODE_SHAPE = 153,    /* a list where a value belongs, ... */
    RH_CODE_NUMBER = 154,   /* in another unit, in quotes, not whole; faults of the number itself: 11 to 19 */
    RH_CODE_RANGE = 155,    /* outside its range */
    RH_CODE_CHOICE = 156,   /* not one of the words allowed */
    RH_CODE_IO = 401,
    RH_CODE_LIMIT = 502,
};

typedef enum rh_yaml_type { RH_YAML_SCALAR, RH_YAML_LIST, RH_YAML_MAP } rh_yaml_type;
typedef struct rh_yaml rh_yaml;
struct rh_yaml {
    rh_yaml_type type;
    int line, col, len;   /* of the value */
    bool quoted;          /* a quoted scalar is text, never a number */
    bool used;            /* a reader has taken it; what is left over is unknown */
    const rh_source *src; /* where it was written: the file, or a --set */
    const char *text;     /* scalar: NUL-terminated (embedded NUL refused) */
    size_t n_text;
    int n; /* items of a list or map, in order */
    rh_yaml **item;
    const char **key; /* map: [n] */
    int (*key_at)[2]; /* map: [n] line and column of the key */
};
typedef struct rh_document {
    rh_source *src;
    rh_yaml *root;
    rh_pool *pool;
} rh_document;
enum { RH_YAML_DEPTH = 64, RH_YAML_NODES = 1000000, RH_YAML_COPIES = 100000, RH_YAML_BYTES = 64 << 20 };
/* libyaml events; depth <= 64, nodes <= 1e6, alias copies <= 1e5 nodes, <= 64 MiB, one document; duplicate keys, tags
 * and merge keys refused. On failure *out is zeroed. */
rheo_status rh_document_read(rh_document *out, const char *path, rh_report *r);
rheo_status rh_document_parse(rh_document *out, const char *text, size_t n, const char *name, rh_report *r);
void rh_document_free(rh_document *d); /* leaves it zeroed */
/* Replace or add a value: "learning.rate=0.05". The right side is YAML. Unknown parents are made. */
rheo_status rh_document_set(rh_document *d, const char *assignment, rh_report *r);

/* Readers. Each reports with the place of the value and returns a status; a missing optional value leaves the default.
 */
typedef struct rh_reader {
    rh_document *doc;
    rh_report *report;
    bool hydraulic; /* pressures may be written in Pa where a field says V, flows in m3 where it says A */
} rh_reader;
rh_loc rh_yaml_loc(const rh_reader *rd, const rh_yaml *y); /* y NULL: line 1 of the document */
rh_loc rh_yaml_key_loc(const rh_reader *rd, const rh_yaml *map, int i);
rh_yaml *rh_yaml_get(rh_yaml *map, const char *key); /* marks it used; NULL: absent or map is NULL */
bool rh_yaml_empty(const rh_yaml *y);                /* `key:` with nothing behind it, ~ or null */
/* A child that must be a map; absent: NULL and fine (unless required). */
rheo_status rh_read_map(const rh_reader *rd, rh_yaml *parent, const char *key, bool required, rh_yaml **out);
rheo_status rh_read_fields(const rh_reader *rd, rh_yaml *map, const rh_field *f, int n,
                           void *def); /* map NULL: nothing to do */
/* unit NULL: whatever unit is written is taken on trust. max infinite: inf is a value. */
rheo_status rh_read_double(const rh_reader *rd, const rh_yaml *y, const char *name, const char *unit, double min,
                           double max, double *out);
rheo_status rh_read_int64(const rh_reader *rd, const rh_yaml *y, const char *name, int64_t min, int64_t max,
                          int64_t *out);
rheo_status rh_read_bool(const rh_reader *rd, const rh_yaml *y, const char *name, bool *out);
/* choices NULL-terminated; *out gets the index. Letter case counts. */
rheo_status rh_read_choice(const rh_reader *rd, const rh_yaml *y, const char *name, const char *const *choices,
                           int *out);
/* A scalar that is not empty, lent from the document. */
rheo_status rh_read_text(const rh_reader *rd, const rh_yaml *y, const char *name, const char **out);
/* Everything in the map that no reader took is an unknown key: error with did-you-mean among what was asked for. block
 * NULL: top level. */
rheo_status rh_read_rest(const rh_reader *rd, rh_yaml *map, const char *block, const char *const *known, int n_known);
/* The same, where other words for keys are known: what to do about them. */
typedef struct rh_other_word {
    const char *word, *hint;
} rh_other_word;
rheo_status rh_read_rest_meant(const rh_reader *rd, rh_yaml *map, const char *block, const char *const *known,
                               int n_known, const rh_other_word *other, int n_other);
/* A list of scalars as strings (pool of the document) */
rheo_status rh_read_names(const rh_reader *rd, rh_yaml *y, const char *name, const char ***out, int *n);
/* A list of exactly n numbers. */
rheo_status rh_read_numbers(const rh_reader *rd, rh_yaml *y, const char *name, const char *unit, int n, double *out);

#endif
