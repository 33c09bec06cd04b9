/* task: samples from rows in the experiment, from CSV and idx files, and truth tables. Plain arrays, no circuit. */
#ifndef RH_TASK_H
#define RH_TASK_H

#include "base/base.h"

/* Samples kept as the bytes that files of images hold: input i is scale[i] * x[column[i]] + shift[i]. */
typedef struct rh_bytes {
    uint8_t *x; /* [n_sample][n_column] */
    size_t n_column;
    int *column;           /* [n_in] */
    double *scale, *shift; /* [n_in] V, or A */
} rh_bytes;

/* Filled by its reader; freed whole by rh_task_free. */
typedef struct rh_task {
    int n_in, n_out, n_sample, n_class; /* n_class 0: no labels */
    char **in_name, **out_name;         /* as the experiment names them: node, a-b, or source */
    rh_loc *in_loc, *out_loc;           /* where each was named (source lent by the experiment) */
    char **class_name;                  /* [n_class] */
    double *in;                         /* [n_sample][n_in]; NULL: they are in bytes. Ask rh_task_input */
    rh_bytes bytes;
    double *target; /* [n_sample][n_out] */
    int *label;     /* [n_sample] or NULL */
    int n_train, n_validation, n_test;
    int *train, *validation, *test; /* sample indices */
    double (*seen)[2];              /* CSV: extremes of each input column, then of each target, in the training rows */
} rh_task;
void rh_task_free(rh_task *t); /* leaves it zeroed */
static inline double rh_task_input(const rh_task *t, int sample, int i) {
    if (t->in) return t->in[(size_t)sample * (size_t)t->n_in + (size_t)i];
    const rh_bytes *const b = &t->bytes;
    return b->scale[i] * b->x[(size_t)sample * b->n_column + (size_t)b->column[i]] + b->shift[i];
}
/* All inputs of a sample: in [n_in]. task: a rh_task. */
void rh_task_inputs(const void *task, int sample, double *in);

/* Codes of the catalogue. */
enum {
    RH_CODE_CSV = 61,      /* the file is not a proper table */
    RH_CODE_HEADER = 62,   /* its first line */
    RH_CODE_IDX = 63,      /* not a proper idx file */
    RH_CODE_SPLIT = 175,   /* rows, shares and counts that do not fit */
    RH_CODE_SAMPLES = 171, /* numbers of inputs, outputs or rows that do not fit */
    RH_CODE_LABEL = 172,   /* classes */
    RH_CODE_CELL = 173,    /* a cell that is not a number */
};

/* csv.c: a table with named columns. Quotes, CRLF, BOM, separators , ; or tab found by themselves. Untrusted. */
typedef struct rh_csv rh_csv;
struct rh_csv {
    int n_row, n_col;
    char **column; /* [n_col] */
    char **cell;   /* [n_row][n_col] text, trimmed */
    int *line;     /* [n_row] line in the file */
    rh_pool *pool;
    const rh_source *src; /* the text, for messages; own if rh_csv_read made it, else lent */
    rh_source *own;
    size_t *offset; /* [n_row] byte at which the row begins */
    char separator;
    int n_first;  /* rows of this file; those behind come from `more` */
    rh_csv *more; /* NULL: no rows were appended */
};                /* a table without header has columns c1, c2, ... */
enum { RH_CSV_CELLS = 10000000, RH_CSV_BYTES = 512 << 20, RH_CSV_COLUMNS = 100000 };
rheo_status rh_csv_read(rh_csv *out, const char *path, bool header, rheo_error *err);
/* src: the text is text[0..n) of it, and it is lent to the table. */
rheo_status rh_csv_parse(rh_csv *out, const char *text, size_t n, const rh_source *src, bool header, rheo_error *err);
void rh_csv_free(rh_csv *c);                          /* leaves it zeroed */
int rh_csv_column(const rh_csv *c, const char *name); /* -1: none. Letter case counts */
rh_loc rh_csv_loc(const rh_csv *c, int row, int col); /* place of a cell, for messages */

/* How columns, or the bytes of images, become samples. What is 0 is not given. */
typedef struct rh_csv_task_def {
    const char *file, *test_file;             /* rows of the test file come behind those of file, and are all tested */
    const char *label_file, *test_label_file; /* idx */
    bool no_header;
    const char *const *columns;
    int n_column;      /* input columns, in order */
    bool differential; /* each column drives two inputs: +x and -x (about the middle of range) */
    double range[2];   /* V: smallest and largest value of a column (of the training rows) map here */
    double from[2];    /* these values do instead, in all columns; idx: 0 and 255 unless given */
    double affine[2];  /* or: V per unit, and V at 0; mirrored at 0 V */
    const double *bias;
    int n_bias;        /* V: constant inputs behind the others */
    const char *label; /* class column, or NULL */
    const char *const *classes;
    int n_class;     /* order of the classes on the outputs; NULL: sorted by name */
    double level[2]; /* V: target of the wrong and of the right outputs */
    const char *const *targets;
    int n_target;           /* numeric target columns, or none */
    double target_range[2]; /* V: they are scaled to this unless both are NaN */
    double train, validation,
        test;       /* below 1: shares, else counts, by seed, per class when labelled; train 0: the rest */
    int rows[3][2]; /* train, validation, test: first and last row, from 1, instead */
    uint64_t seed;
} rh_csv_task_def;
/* Fills everything of out but the names and places of inputs and outputs (n_in and n_out are set). */
rheo_status rh_csv_task(rh_task *out, const rh_csv_task_def *def, rheo_error *err);
/* The same from a table that is in memory; def->file is not looked at. Rows from n_pool on are test rows. */
rheo_status rh_csv_task_rows(rh_task *out, const rh_csv_task_def *def, const rh_csv *csv, int n_pool, rheo_error *err);
/* The rows of `more`, which must have the same columns, behind those of t. `more` is t's afterwards, also on failure.
 */
rheo_status rh_csv_append(rh_csv *t, rh_csv *more, rheo_error *err);
/* split.c: train, validation and test of t, of which the first n_pool samples are to be split, the others to be tested.
 */
rheo_status rh_task_split(rh_task *t, const rh_csv_task_def *d, int n_pool, rheo_error *err);

/* idx.c: untrusted files of unsigned bytes, gzipped or not. */
typedef struct rh_idx {
    int n;        /* first dimension */
    size_t width; /* bytes of an item: the product of the others */
    uint8_t *x;
} rh_idx;
enum { RH_IDX_BYTES = 1 << 30 };
rheo_status rh_idx_read(rh_idx *out, const char *path, rheo_error *err);
void rh_idx_free(rh_idx *x); /* leaves it zeroed */
/* Images and labels as samples; as rh_csv_task. */
rheo_status rh_idx_task(rh_task *out, const rh_csv_task_def *def, rheo_error *err);

/* logic.c: truth tables. */
typedef struct rh_logic {
    const char *name;
    bool (*holds)(int n_true, int n_var);
} rh_logic;
extern const rh_logic RH_LOGICS[];
extern const int RH_N_LOGIC;
enum { RH_LOGIC_VARIABLES = 10 };
rheo_status rh_logic_task(rh_task *out, const rh_csv_task_def *def, const int *function, int n_function, int n_var,
                          rheo_error *err);

enum { RH_MAX_CLASS = 1000, RH_MAX_SAMPLE_NUMBERS = 100000000 };
/* Distinct names, sorted: by value when all are numbers, else by text. *n is their number; *out [*n] points into name.
 * At most RH_MAX_CLASS. */
rheo_status rh_class_names(const char *const *name, int n_name, const char ***out, int *n, rheo_error *err);

#endif
