/* task: samples from rows in the experiment or from a CSV file. Plain arrays, no circuit. */
#ifndef RH_TASK_H
#define RH_TASK_H

#include "base/base.h"

/* Filled by its reader; freed whole by rh_task_free. */
typedef struct rh_task {
    int n_in, n_out, n_sample, n_class; /* n_class 0: no labels */
    char **in_name, **out_name;         /* as the experiment names them: node, a-b, or source */
    rh_loc *in_loc, *out_loc;           /* where each was named (source lent by the experiment) */
    char **class_name;                  /* [n_class] */
    double *in;                         /* [n_sample][n_in] */
    double *target;                     /* [n_sample][n_out] */
    int *label;                         /* [n_sample] or NULL */
    int n_train, n_test;
    int *train, *test; /* sample indices */
} rh_task;
void rh_task_free(rh_task *t); /* leaves it zeroed */

/* Codes of the catalogue. */
enum {
    RH_CODE_CSV = 61,      /* the file is not a proper table */
    RH_CODE_HEADER = 62,   /* its first line */
    RH_CODE_SAMPLES = 171, /* numbers of inputs, outputs or rows that do not fit */
    RH_CODE_LABEL = 172,   /* classes */
    RH_CODE_CELL = 173,    /* a cell that is not a number */
};

/* csv.c: a table with named columns. Quotes, CRLF, BOM, separators , ; or tab found by themselves. Untrusted. */
typedef struct rh_csv {
    int n_row, n_col;
    char **column; /* [n_col] */
    char **cell;   /* [n_row][n_col] text, trimmed */
    int *line;     /* [n_row] line in the file */
    rh_pool *pool;
    const rh_source *src; /* the text, for messages; own if rh_csv_read made it, else lent */
    rh_source *own;
    size_t *offset; /* [n_row] byte at which the row begins */
    char separator;
} rh_csv;
enum { RH_CSV_CELLS = 10000000, RH_CSV_BYTES = 512 << 20, RH_CSV_COLUMNS = 100000 };
rheo_status rh_csv_read(rh_csv *out, const char *path, rheo_error *err);
/* src: the text is text[0..n) of it, and it is lent to the table. */
rheo_status rh_csv_parse(rh_csv *out, const char *text, size_t n, const rh_source *src, rheo_error *err);
void rh_csv_free(rh_csv *c);                          /* leaves it zeroed */
int rh_csv_column(const rh_csv *c, const char *name); /* -1: none. Letter case counts */
rh_loc rh_csv_loc(const rh_csv *c, int row, int col); /* place of a cell, for messages */

/* How columns become samples. */
typedef struct rh_csv_task_def {
    const char *file;
    const char *const *columns;
    int n_column;      /* input columns, in order */
    bool differential; /* each column drives two inputs: +x and -x (about the middle of range) */
    double range[2];   /* V: smallest and largest value of a column (of the training rows) map here */
    const char *label; /* class column, or NULL */
    const char *const *classes;
    int n_class;     /* order of the classes on the outputs; NULL: sorted by name */
    double level[2]; /* V: target of the wrong and of the right outputs */
    const char *const *targets;
    int n_target;           /* numeric target columns, or none */
    double target_range[2]; /* V: they are scaled to this unless both are NaN */
    double test;            /* share of rows set aside, 0..0.9, by seed, per class when labelled */
    uint64_t seed;
} rh_csv_task_def;
/* Fills everything of out but the names and places of inputs and outputs (n_in and n_out are set). */
rheo_status rh_csv_task(rh_task *out, const rh_csv_task_def *def, rheo_error *err);
/* The same from a table that is in memory; def->file is not looked at. */
rheo_status rh_csv_task_rows(rh_task *out, const rh_csv_task_def *def, const rh_csv *csv, rheo_error *err);
enum { RH_MAX_CLASS = 1000, RH_MAX_SAMPLE_NUMBERS = 100000000 };
/* Distinct names, sorted: by value when all are numbers, else by text. *n is their number; *out [*n] points into name.
 * At most RH_MAX_CLASS. */
rheo_status rh_class_names(const char *const *name, int n_name, const char ***out, int *n, rheo_error *err);

#endif
