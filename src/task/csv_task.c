/* csv_task.c: columns of a table to voltages. What scales a column is learned from the training rows alone, so that
 * nothing of the test rows leaks into training. */
#include "task/task.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_ROW = 1000000 };

/* ---- classes ---- */

typedef struct class_name {
    const char *text;
    double value; /* NaN: not a number */
} class_name;

static int by_text(const void *pa, const void *pb) {
    return strcmp(((const class_name *)pa)->text, ((const class_name *)pb)->text);
}

/* "1" and "1.0" are two names of one value: the text decides then. */
static int by_value(const void *pa, const void *pb) {
    const class_name *a = pa, *b = pb;
    return a->value < b->value ? -1 : a->value > b->value ? 1 : strcmp(a->text, b->text);
}

static double number_or_nan(const char *s) {
    double x = 0;
    const size_t n = strlen(s);
    return n > 0 && rh_decimal(s, n, &x) == n ? x : (double)NAN;
}

/* Keeps the first of equal neighbours; returns how many are left. */
static int unique(class_name *c, int n) {
    int m = 0;
    for (int k = 0; k < n; k++)
        if (m == 0 || strcmp(c[m - 1].text, c[k].text) != 0) c[m++] = c[k];
    return m;
}

rheo_status rh_class_names(const char *const *name, int n_name, const char ***out, int *n, rheo_error *err) {
    class_name *c = rh_calloc((size_t)n_name, sizeof(*c));
    if (!c) return RH_NOMEM(err);
    for (int k = 0; k < n_name; k++) c[k].text = name[k];
    qsort(c, (size_t)n_name, sizeof(*c), by_text);
    const int m = unique(c, n_name);
    bool numeric = true;
    for (int k = 0; k < m && numeric; k++) numeric = !isnan(c[k].value = number_or_nan(c[k].text));
    if (numeric) qsort(c, (size_t)m, sizeof(*c), by_value);
    const char **list = m <= RH_MAX_CLASS ? rh_calloc((size_t)m, sizeof(*list)) : NULL;
    for (int k = 0; list && k < m; k++) list[k] = c[k].text;
    rh_free(c);
    if (m > RH_MAX_CLASS) {
        rh_fail(err, RHEO_E_LIMIT, RH_CODE_LABEL, RH_NOWHERE, "there are %d different labels, at most %d are classes",
                m, RH_MAX_CLASS);
        rh_hint(err, "a column of measured values is a target, not a label");
        return RHEO_E_LIMIT;
    }
    if (!list) return RH_NOMEM(err);
    *out = list;
    *n = m;
    return RHEO_OK;
}

/* ---- reading cells ---- */

static const char *cell_of(const rh_csv *t, int row, int col) {
    return t->cell[(size_t)row * (size_t)t->n_col + (size_t)col];
}

static bool is_decimal_comma(const char *s) {
    const char *comma = strchr(s, ',');
    if (!comma || strchr(comma + 1, ',')) return false;
    return strspn(s, "+-0123456789,eE") == strlen(s) && comma[1] >= '0' && comma[1] <= '9';
}

static rheo_status bad_cell(const rh_csv *t, int row, int col, rheo_error *err) {
    const char *s = cell_of(t, row, col);
    const rh_loc at = rh_csv_loc(t, row, col);
    if (!*s) {
        rh_fail(err, RHEO_E_PARSE, RH_CODE_CELL, at, "row %d has no value in column '%.80s'", row + 1, t->column[col]);
        rh_hint(err, "take the row out, or fill the gap");
        return RHEO_E_PARSE;
    }
    rh_fail(err, RHEO_E_PARSE, RH_CODE_CELL, at, "row %d, column '%.80s': '%.60s' is not a finite number", row + 1,
            t->column[col], s);
    if (is_decimal_comma(s))
        rh_hint(err, "decimals need a point: write %.*s.%.30s", (int)strcspn(s, ","), s, strchr(s, ',') + 1);
    return RHEO_E_PARSE;
}

static rheo_status read_number(const rh_csv *t, int row, int col, double *x, rheo_error *err) {
    const char *s = cell_of(t, row, col);
    const size_t n = strlen(s);
    if (n > 0 && rh_decimal(s, n, x) == n && isfinite(*x)) return RHEO_OK;
    return bad_cell(t, row, col, err);
}

typedef struct columns {
    const char *const *name;
    int n;
    int *index; /* [n] */
    double *x;  /* [n_row][n] as in the file */
} columns;

static const char *column_at(const void *ctx, int i) {
    const rh_csv *t = ctx;
    return i < t->n_col ? t->column[i] : NULL;
}

static rheo_status find_column(const rh_csv *t, const char *name, int *index, rheo_error *err) {
    *index = rh_csv_column(t, name);
    if (*index >= 0) return RHEO_OK;
    const char *near = rh_suggest(name, column_at, t);
    rh_fail(err, RHEO_E_PARSE, RH_CODE_SAMPLES, RH_NOWHERE, "the table has no column '%.80s'", name);
    if (near) rh_hint(err, "did you mean '%s'?", near);
    return RHEO_E_PARSE;
}

static rheo_status read_columns(const rh_csv *t, columns *c, rheo_error *err) {
    c->index = rh_calloc((size_t)c->n, sizeof(*c->index));
    c->x = rh_calloc((size_t)t->n_row * (size_t)c->n, sizeof(*c->x));
    if (!c->index || !c->x) return RH_NOMEM(err);
    for (int k = 0; k < c->n; k++) RHEO_TRY(find_column(t, c->name[k], &c->index[k], err));
    for (int i = 0; i < t->n_row; i++)
        for (int k = 0; k < c->n; k++)
            RHEO_TRY(read_number(t, i, c->index[k], &c->x[(size_t)i * (size_t)c->n + (size_t)k], err));
    return RHEO_OK;
}

static void free_columns(columns *c) {
    rh_free(c->index);
    rh_free(c->x);
}

/* ---- scaling ---- */

typedef struct scale {
    double low, high; /* of the training rows, as in the file */
    double to[2];
} scale;

/* seen: filled with the extremes of the column. */
static scale find_scale(const rh_task *t, const columns *c, int k, const double from[2], const double to[2],
                        double seen[2]) {
    seen[0] = INFINITY;
    seen[1] = -INFINITY;
    for (int i = 0; i < t->n_train; i++) {
        const double x = c->x[(size_t)t->train[i] * (size_t)c->n + (size_t)k];
        seen[0] = fmin(seen[0], x);
        seen[1] = fmax(seen[1], x);
    }
    const double *const low_high = from[0] < from[1] ? from : seen;
    return (scale){ low_high[0], low_high[1], { to[0], to[1] } };
}

/* A constant column goes to the middle. Halves, since the difference of two finite numbers can overflow; they are
 * exact. */
static double apply(const scale *s, double x) {
    const double span = s->high / 2 - s->low / 2;
    if (!(span > 0)) return s->to[0] / 2 + s->to[1] / 2;
    const double t = (x / 2 - s->low / 2) / span;
    return (1 - t) * s->to[0] + t * s->to[1];
}

static rheo_status too_far(const rh_csv *t, int row, int col, rheo_error *err) {
    return rh_fail(err, RHEO_E_RANGE, RH_CODE_CELL, rh_csv_loc(t, row, col),
                   "row %d, column '%.80s': '%.60s' is too far from the training rows to be scaled", row + 1,
                   t->column[col], cell_of(t, row, col));
}

static rheo_status fill_inputs(rh_task *out, const rh_csv_task_def *def, const rh_csv *t, const columns *c,
                               rheo_error *err) {
    const bool affine = def->affine[0] != 0;
    const double middle = affine ? 0 : def->range[0] / 2 + def->range[1] / 2;
    const size_t step = def->differential ? 2 : 1;
    for (int i = 0; i < out->n_sample; i++)
        for (int k = 0; k < def->n_bias; k++)
            out->in[(size_t)(i + 1) * (size_t)out->n_in - (size_t)(def->n_bias - k)] = def->bias[k];
    for (int k = 0; k < c->n; k++) {
        const scale s = find_scale(out, c, k, def->from, def->range, out->seen[k]);
        for (int i = 0; i < out->n_sample; i++) {
            const double raw = c->x[(size_t)i * (size_t)c->n + (size_t)k];
            const double x = affine ? def->affine[0] * raw + def->affine[1] : apply(&s, raw);
            if (!isfinite(x) || !isfinite(middle - (x - middle))) return too_far(t, i, c->index[k], err);
            double *in = out->in + (size_t)i * (size_t)out->n_in + step * (size_t)k;
            in[0] = x;
            if (def->differential) in[1] = middle - (x - middle);
        }
    }
    return RHEO_OK;
}

static rheo_status fill_targets(rh_task *out, const rh_csv_task_def *def, const rh_csv *t, const columns *c,
                                rheo_error *err) {
    const bool scaled = !(isnan(def->target_range[0]) && isnan(def->target_range[1]));
    for (int k = 0; k < c->n; k++) {
        const scale s =
            find_scale(out, c, k, (const double[2]){ 0, 0 }, def->target_range, out->seen[def->n_column + k]);
        for (int i = 0; i < out->n_sample; i++) {
            const double raw = c->x[(size_t)i * (size_t)c->n + (size_t)k], x = scaled ? apply(&s, raw) : raw;
            if (!isfinite(x)) return too_far(t, i, c->index[k], err);
            out->target[(size_t)i * (size_t)out->n_out + (size_t)k] = x;
        }
    }
    return RHEO_OK;
}

/* ---- labels ---- */

static rheo_status copy_names(rh_task *out, const char *const *name, int n, rheo_error *err) {
    out->class_name = rh_calloc((size_t)n, sizeof(*out->class_name));
    if (!out->class_name) return RH_NOMEM(err);
    out->n_class = n;
    for (int k = 0; k < n; k++)
        if (!(out->class_name[k] = rh_strdup(name[k]))) return RH_NOMEM(err);
    return RHEO_OK;
}

static rheo_status unknown_label(const rh_csv *t, int row, int col, const rh_csv_task_def *def, rheo_error *err) {
    const char *s = cell_of(t, row, col);
    const char *near = rh_suggest_list(s, def->classes, def->n_class);
    rh_fail(err, RHEO_E_PARSE, RH_CODE_LABEL, rh_csv_loc(t, row, col),
            "row %d: '%.60s' in column '%.80s' is not one of the classes", row + 1, s, t->column[col]);
    if (near) rh_hint(err, "did you mean '%s'?", near);
    return RHEO_E_PARSE;
}

/* class_name.value carries the index of the class here, so that a search by text finds it. */
static rheo_status number_labels(rh_task *out, const rh_csv_task_def *def, const rh_csv *t, int col, rheo_error *err) {
    const int n = out->n_class;
    class_name *sorted = rh_calloc((size_t)n, sizeof(*sorted));
    out->label = rh_calloc((size_t)t->n_row, sizeof(*out->label));
    rheo_status st = sorted && out->label ? RHEO_OK : RH_NOMEM(err);
    for (int k = 0; st == RHEO_OK && k < n; k++) sorted[k] = (class_name){ out->class_name[k], k };
    if (st == RHEO_OK) qsort(sorted, (size_t)n, sizeof(*sorted), by_text);
    for (int i = 0; st == RHEO_OK && i < t->n_row; i++) {
        const class_name key = { cell_of(t, i, col), 0 };
        const class_name *found = bsearch(&key, sorted, (size_t)n, sizeof(*sorted), by_text);
        if (found)
            out->label[i] = (int)found->value;
        else
            st = *key.text ? unknown_label(t, i, col, def, err) : bad_cell(t, i, col, err);
    }
    rh_free(sorted);
    return st;
}

static rheo_status sorted_classes(rh_task *out, const rh_csv *t, int col, rheo_error *err) {
    const char **text = rh_calloc((size_t)t->n_row, sizeof(*text)), **list = NULL;
    rheo_status st = text ? RHEO_OK : RH_NOMEM(err);
    int n = 0;
    for (int i = 0; st == RHEO_OK && i < t->n_row; i++) {
        text[i] = cell_of(t, i, col);
        if (!*text[i]) st = bad_cell(t, i, col, err);
    }
    if (st == RHEO_OK) st = rh_class_names(text, t->n_row, &list, &n, err);
    if (st == RHEO_OK) st = copy_names(out, list, n, err);
    rh_free(list);
    rh_free(text);
    return st;
}

static rheo_status read_labels(rh_task *out, const rh_csv_task_def *def, const rh_csv *t, rheo_error *err) {
    int col = 0;
    RHEO_TRY(find_column(t, def->label, &col, err));
    if (def->classes && def->n_class > RH_MAX_CLASS)
        return rh_fail(err, RHEO_E_LIMIT, RH_CODE_LABEL, RH_NOWHERE, "there are more than %d classes", RH_MAX_CLASS);
    RHEO_TRY(def->classes ? copy_names(out, def->classes, def->n_class, err) : sorted_classes(out, t, col, err));
    return number_labels(out, def, t, col, err);
}

static void label_targets(rh_task *out, const double level[2]) {
    for (int i = 0; i < out->n_sample; i++)
        for (int k = 0; k < out->n_out; k++)
            out->target[(size_t)i * (size_t)out->n_out + (size_t)k] = level[out->label[i] == k];
}

/* ---- all of it ---- */

static rheo_status check_def(const rh_csv_task_def *d, const rh_csv *t, rheo_error *err) {
    if (d->n_column < 1 || (!d->label && d->n_target < 1))
        return rh_fail(err, RHEO_E_USAGE, RH_CODE_SAMPLES, RH_NOWHERE,
                       "a CSV task needs input columns, and a label or targets");
    if (t->n_row > MAX_ROW)
        return rh_fail(err, RHEO_E_LIMIT, 502, RH_NOWHERE, "the table has %d rows, more than %d", t->n_row, MAX_ROW);
    return RHEO_OK;
}

static rheo_status allocate(rh_task *out, rheo_error *err) {
    const size_t n = (size_t)out->n_sample, n_in = (size_t)out->n_in, n_out = (size_t)out->n_out;
    if (n * (n_in + n_out) > RH_MAX_SAMPLE_NUMBERS)
        return rh_fail(err, RHEO_E_LIMIT, 502, RH_NOWHERE,
                       "%zu samples of %zu inputs and %zu outputs are more than %d numbers", n, n_in, n_out,
                       RH_MAX_SAMPLE_NUMBERS);
    out->in = rh_calloc(n * n_in, sizeof(*out->in));
    out->target = rh_calloc(n * n_out, sizeof(*out->target));
    return out->in && out->target ? RHEO_OK : RH_NOMEM(err);
}

static rheo_status fill(rh_task *out, const rh_csv_task_def *def, const rh_csv *t, int n_pool, columns *in,
                        columns *target, rheo_error *err) {
    RHEO_TRY(check_def(def, t, err));
    out->n_sample = t->n_row;
    out->n_in = def->n_column * (def->differential ? 2 : 1) + def->n_bias;
    RHEO_TRY(read_columns(t, in, err));
    if (def->label) RHEO_TRY(read_labels(out, def, t, err));
    out->n_out = def->label ? out->n_class : def->n_target;
    RHEO_TRY(allocate(out, err));
    RHEO_TRY(rh_task_split(out, def, n_pool, err));
    out->seen = rh_calloc((size_t)def->n_column + (size_t)def->n_target, sizeof *out->seen);
    if (!out->seen) return RH_NOMEM(err);
    RHEO_TRY(fill_inputs(out, def, t, in, err));
    if (def->label) {
        label_targets(out, def->level);
        return RHEO_OK;
    }
    RHEO_TRY(read_columns(t, target, err));
    return fill_targets(out, def, t, target, err);
}

rheo_status rh_csv_task_rows(rh_task *out, const rh_csv_task_def *def, const rh_csv *csv, int n_pool, rheo_error *err) {
    rh_task t = { 0 };
    columns in = { .name = def->columns, .n = def->n_column }, target = { .name = def->targets, .n = def->n_target };
    const rheo_status st = fill(&t, def, csv, n_pool, &in, &target, err);
    free_columns(&in);
    free_columns(&target);
    if (st == RHEO_OK) {
        *out = t;
    } else {
        t.n_in = t.n_out = 0; /* their names were never made */
        rh_task_free(&t);
    }
    return st;
}

rheo_status rh_csv_task(rh_task *out, const rh_csv_task_def *def, rheo_error *err) {
    rh_csv csv = { 0 };
    RHEO_TRY(rh_csv_read(&csv, def->file, !def->no_header, err));
    const rheo_status st = rh_csv_task_rows(out, def, &csv, csv.n_row, err);
    rh_csv_free(&csv);
    return st;
}
