/* experiment_task.c: the block `task`: which ports, and which samples. */
#include "run/experiment_task.h"
#include "circuit/circuit.h"

#include <math.h>

enum { MAX_IN = 100000, MAX_OUT = 10000, MAX_ROW = 1000000 };

typedef rh_task_reader context;

rheo_status rh_task_missing(const rh_task_reader *k, rh_loc at, const char *key, const char *where, const char *hint) {
    return rh_report_error(k->rd->report, RHEO_E_PARSE, RH_CODE_MISSING, at, hint, "key '%s' is missing in '%s'", key,
                           where);
}

rheo_status rh_task_fault(const rh_task_reader *k, rh_loc at, const char *hint, const char *text) {
    return rh_report_error(k->rd->report, RHEO_E_PARSE, RH_CODE_SAMPLES, at, hint, "%s", text);
}

static rheo_status label_fault(const context *k, rh_loc at, const char *hint, const char *text) {
    return rh_report_error(k->rd->report, RHEO_E_PARSE, RH_CODE_LABEL, at, hint, "%s", text);
}

/* ---- ports ---- */

static rheo_status read_names(const context *k, const char *key, int most, char ***name, rh_loc **loc, int *n) {
    rh_report *r = k->rd->report;
    rh_yaml *y = rh_yaml_get(k->task, key);
    if (!y) return rh_task_missing(k, rh_yaml_loc(k->rd, k->task), key, "task", NULL);
    const char **list;
    int count = 0;
    RHEO_TRY(rh_task_names(k->rd, y, key, most, &list, &count));
    *name = rh_calloc((size_t)count, sizeof(**name));
    *loc = rh_calloc((size_t)count, sizeof(**loc));
    *n = *name && *loc ? count : 0;
    if (!*n) return RH_REPORT_NOMEM(r);
    for (int i = 0; i < count; i++) {
        (*loc)[i] = rh_yaml_loc(k->rd, count == y->n ? y->item[i] : y);
        if (!((*name)[i] = rh_strdup(list[i]))) return RH_REPORT_NOMEM(r);
    }
    return RHEO_OK;
}

rheo_status rh_experiment_read_ports(rheo_experiment *x, const rh_reader *rd, rh_yaml *task) {
    const context k = { x, rd, task };
    rh_task *t = &x->task;
    const bool has_ports = rh_experiment_has_ports(x);
    RH_STEP(has_ports && !rh_yaml_get(task, "inputs")
                ? rh_experiment_network_inputs(x, rd, task)
                : read_names(&k, "inputs", MAX_IN, &t->in_name, &t->in_loc, &t->n_in));
    RH_STEP(has_ports && !rh_yaml_get(task, "outputs")
                ? rh_experiment_network_outputs(x, rd, task)
                : read_names(&k, "outputs", MAX_OUT, &t->out_name, &t->out_loc, &t->n_out));
    return RHEO_OK;
}

/* ---- what both kinds share ---- */

rheo_status rh_task_pair(const rh_task_reader *k, const char *key, const char *unit, bool rising, const char *hint,
                         double out[2]) {
    rh_yaml *y = rh_yaml_get(k->task, key);
    double pair[2] = { 0, 0 };
    if (!y) return RHEO_OK;
    RHEO_TRY(rh_read_numbers(k->rd, y, key, unit, 2, pair));
    if (rising && !(pair[0] < pair[1]))
        return rh_report_error(k->rd->report, RHEO_E_RANGE, RH_CODE_RANGE, rh_yaml_loc(k->rd, y), hint,
                               "the second number of '%s' must be above the first", key);
    memcpy(out, pair, sizeof(pair));
    return RHEO_OK;
}

rheo_status rh_task_classes(const rh_task_reader *k) {
    rh_csv_task_def *d = &k->x->csv;
    rh_yaml *y = rh_yaml_get(k->task, "classes");
    const char **list;
    int n = 0;
    if (!y) return RHEO_OK;
    RHEO_TRY(rh_read_names(k->rd, y, "classes", &list, &n));
    for (int i = 0; i < n && n <= RH_MAX_CLASS; i++)
        for (int j = 0; j < i; j++) {
            if (strcmp(list[i], list[j]) != 0) continue;
            char text[128];
            snprintf(text, sizeof(text), "class '%.80s' is listed twice", list[i]);
            return label_fault(k, rh_yaml_loc(k->rd, y->item[i]), NULL, text);
        }
    if (n > RH_MAX_CLASS)
        return rh_report_error(k->rd->report, RHEO_E_LIMIT, RH_CODE_LIMIT, rh_yaml_loc(k->rd, y), NULL,
                               "more than %d classes", RH_MAX_CLASS);
    d->classes = list;
    d->n_class = n;
    return RHEO_OK;
}

rheo_status rh_task_class_count(const rh_task_reader *k, int n_class, rh_loc at) {
    const int n_out = k->x->task.n_out;
    char text[128];
    if (n_out == 0 || n_class == n_out) return RHEO_OK;
    snprintf(text, sizeof(text), "%d class%s as many outputs, but there %s %d", n_class,
             n_class == 1 ? " needs" : "es need", n_out == 1 ? "is" : "are", n_out);
    return label_fault(k, at, "class i wins when output i is the largest", text);
}

static rheo_status copy_classes(const context *k, const char *const *name, int n) {
    rh_task *t = &k->x->task;
    t->class_name = rh_calloc((size_t)n, sizeof(*t->class_name));
    if (!t->class_name) return RH_REPORT_NOMEM(k->rd->report);
    t->n_class = n;
    for (int i = 0; i < n; i++)
        if (!(t->class_name[i] = rh_strdup(name[i]))) return RH_REPORT_NOMEM(k->rd->report);
    return RHEO_OK;
}

/* ---- rows in the experiment ---- */

/* V or A when all inputs are of one kind; NULL: mixed or not known. */
static const char *input_unit(const rheo_experiment *x) {
    const char *unit = NULL;
    for (int i = 0; x->circuit && x->in_elem && i < x->task.n_in; i++) {
        if (x->in_elem[i] < 0) return NULL;
        const char *u = x->circuit->kind[x->in_elem[i]] == RH_KIND_I ? "A" : "V";
        if (unit && strcmp(u, unit) != 0) return NULL;
        unit = u;
    }
    return unit;
}

/* [-0,2, 0.3]: whole numbers on both sides of a comma and no blank. */
static const char *comma_in(const rh_yaml *list) {
    static const char *const DIGITS = "0123456789";
    for (int i = 0; i + 1 < list->n; i++) {
        const rh_yaml *const a = list->item[i], *const b = list->item[i + 1];
        if (a->type != RH_YAML_SCALAR || b->type != RH_YAML_SCALAR || a->line != b->line ||
            b->col != a->col + a->len + 1)
            continue;
        const size_t sign = strspn(a->text, "+-");
        if (strspn(a->text + sign, DIGITS) == a->n_text - sign && strspn(b->text, DIGITS) == b->n_text)
            return "a comma separates numbers: decimals have a point";
    }
    return NULL;
}

static rheo_status check_length(const context *k, const rh_yaml *y, const char *key, const char *ports, int want) {
    if (y->type != RH_YAML_LIST || y->n == want) return RHEO_OK; /* not a list: said elsewhere */
    char text[160];
    snprintf(text, sizeof(text), "'%s' has %d number%s, but there %s %d %s%s", key, y->n, y->n == 1 ? "" : "s",
             want == 1 ? "is" : "are", want, ports, want == 1 ? "" : "s");
    return rh_task_fault(k, rh_yaml_loc(k->rd, y), y->n > want ? comma_in(y) : NULL, text);
}

/* Numbers of one row; without ports there is nothing to compare the length with. */
static rheo_status read_list(const context *k, rh_yaml *y, const char *key, const char *ports, const char *unit,
                             int want, double *out) {
    if (want == 0) return RHEO_OK;
    RHEO_TRY(check_length(k, y, key, ports, want));
    return rh_read_numbers(k->rd, y, key, unit, want, out);
}

typedef struct row_labels {
    const char **text;    /* [n_row], NULL: the row gives `out` */
    const rh_yaml **item; /* [n_row] */
    int n;                /* rows with a label */
} row_labels;

static rheo_status read_answer(const context *k, rh_yaml *row, int i, row_labels *lab) {
    rh_task *t = &k->x->task;
    rh_yaml *out = rh_yaml_get(row, "out"), *label = rh_yaml_get(row, "label");
    const rh_loc at = rh_yaml_loc(k->rd, row);
    if (out && label)
        return rh_task_fault(k, rh_yaml_loc(k->rd, label), NULL, "a row has either 'out' or 'label', not both");
    if (!out && !label)
        return rh_task_fault(k, at, "write {in: [...], out: [...]} or {in: [...], label: ...}",
                             "this row says nothing about the outputs");
    if (label) {
        RHEO_TRY(rh_read_text(k->rd, label, "label", &lab->text[i]));
        lab->item[i] = label;
        lab->n++;
        return RHEO_OK;
    }
    return read_list(k, out, "out", "output", "V", t->n_out, t->target + (size_t)i * (size_t)t->n_out);
}

static rheo_status read_row(const context *k, rh_yaml *row, int i, const char *unit, row_labels *lab) {
    static const char *const KEYS[] = { "in", "out", "label", "set" }, *const SETS[] = { "train", "validation", "test",
                                                                                         NULL };
    rh_task *t = &k->x->task;
    if (row->type != RH_YAML_MAP)
        return rh_task_fault(k, rh_yaml_loc(k->rd, row), "write {in: [...], out: [...]}",
                             "a row must be a block with 'in' and 'out' or 'label'");
    rh_yaml *in = rh_yaml_get(row, "in"), *set = rh_yaml_get(row, "set");
    int which = 0;
    if (in)
        RH_STEP(read_list(k, in, "in", "input", unit, t->n_in, t->in + (size_t)i * (size_t)t->n_in));
    else
        rh_task_missing(k, rh_yaml_loc(k->rd, row), "in", "rows", NULL);
    RH_STEP(read_answer(k, row, i, lab));
    if (set) RH_STEP(rh_read_choice(k->rd, set, "set", SETS, &which));
    *(which == 2   ? &t->test[t->n_test++]
      : which == 1 ? &t->validation[t->n_validation++]
                   : &t->train[t->n_train++]) = i;
    return rh_read_rest(k->rd, row, "rows", KEYS, RH_COUNT(KEYS));
}

/* Whole numbers below n_out are indices of outputs, if all labels are. */
static bool labels_are_indices(const row_labels *lab, int n_row, int n_out) {
    for (int i = 0; i < n_row; i++) {
        const size_t n = strlen(lab->text[i]);
        double x;
        if (n > 6 || strspn(lab->text[i], "0123456789") != n || rh_decimal(lab->text[i], n, &x) != n || x >= n_out)
            return false;
    }
    return true;
}

static rheo_status name_classes(const context *k, const row_labels *lab, int n_row) {
    const rh_csv_task_def *d = &k->x->csv;
    const int n_out = k->x->task.n_out;
    if (d->classes) return copy_classes(k, d->classes, d->n_class);
    if (labels_are_indices(lab, n_row, n_out)) {
        rh_task *t = &k->x->task;
        t->class_name = rh_calloc((size_t)n_out, sizeof(*t->class_name));
        t->n_class = t->class_name ? n_out : 0;
        bool ok = t->class_name != NULL;
        for (int c = 0; ok && c < n_out; c++) {
            char text[16];
            snprintf(text, sizeof(text), "%d", c);
            ok = (t->class_name[c] = rh_strdup(text)) != NULL;
        }
        return ok ? RHEO_OK : RH_REPORT_NOMEM(k->rd->report);
    }
    const char **list = NULL;
    int n = 0;
    rheo_error e = { 0 };
    rheo_status st = rh_class_names(lab->text, n_row, &list, &n, &e);
    if (st != RHEO_OK) return rh_experiment_forward(k->rd->report, &e, rh_yaml_loc(k->rd, lab->item[0]));
    st = copy_classes(k, list, n);
    rh_free(list);
    return st;
}

static rheo_status assign_label(const context *k, const row_labels *lab, int i) {
    rh_task *t = &k->x->task;
    const char *const *names = (const char *const *)t->class_name;
    int c = 0;
    while (c < t->n_class && strcmp(names[c], lab->text[i]) != 0) c++;
    if (c == t->n_class) {
        char text[128], hint[128] = "";
        const char *near = rh_suggest_list(lab->text[i], names, t->n_class);
        if (near) snprintf(hint, sizeof(hint), "did you mean '%.80s'?", near);
        snprintf(text, sizeof(text), "label '%.80s' is not one of the classes", lab->text[i]);
        return label_fault(k, rh_yaml_loc(k->rd, lab->item[i]), near ? hint : NULL, text);
    }
    t->label[i] = c;
    for (int o = 0; o < t->n_out; o++) t->target[(size_t)i * (size_t)t->n_out + (size_t)o] = k->x->csv.level[o == c];
    return RHEO_OK;
}

static rheo_status assign_labels(const context *k, const row_labels *lab, rh_yaml *rows) {
    rh_task *t = &k->x->task;
    for (int i = 0; i < rows->n; i++)
        if (!lab->text[i])
            return label_fault(k, rh_yaml_loc(k->rd, rows->item[i]), "give every row a label, or none",
                               "this row has no label, others have one");
    const bool classes_were_bad = rh_yaml_get(k->task, "classes") && !k->x->csv.classes;
    if (t->n_out == 0 || classes_were_bad) return RHEO_OK;
    RHEO_TRY(name_classes(k, lab, rows->n));
    const rh_yaml *classes = rh_yaml_get(k->task, "classes");
    RHEO_TRY(rh_task_class_count(k, t->n_class, rh_yaml_loc(k->rd, classes ? classes : rows)));
    t->label = rh_calloc((size_t)rows->n, sizeof(*t->label));
    if (!t->label) return RH_REPORT_NOMEM(k->rd->report);
    for (int i = 0; i < rows->n && !rh_report_full(k->rd->report); i++) RH_STEP(assign_label(k, lab, i));
    return RHEO_OK;
}

static rheo_status allocate_rows(const context *k, const rh_yaml *rows, row_labels *lab) {
    rh_task *t = &k->x->task;
    const size_t n = (size_t)rows->n;
    if (rows->n > MAX_ROW || n * (size_t)(t->n_in + t->n_out) > RH_MAX_SAMPLE_NUMBERS)
        return rh_report_error(k->rd->report, RHEO_E_LIMIT, RH_CODE_LIMIT, rh_yaml_loc(k->rd, rows),
                               "put them into a CSV file", "%zu rows of %d inputs and %d outputs are too many", n,
                               t->n_in, t->n_out);
    t->in = rh_calloc(n * (size_t)t->n_in, sizeof(*t->in));
    t->target = rh_calloc(n * (size_t)t->n_out, sizeof(*t->target));
    t->train = rh_calloc(n, sizeof(*t->train));
    t->validation = rh_calloc(n, sizeof(*t->validation));
    t->test = rh_calloc(n, sizeof(*t->test));
    lab->text = rh_calloc(n, sizeof(*lab->text));
    lab->item = rh_calloc(n, sizeof(*lab->item));
    const bool ok = t->in && t->target && t->train && t->validation && t->test && lab->text && lab->item;
    if (ok) t->n_sample = rows->n;
    return ok ? RHEO_OK : RH_REPORT_NOMEM(k->rd->report);
}

static rheo_status fill_rows(const context *k, rh_yaml *rows, row_labels *lab) {
    rh_report *r = k->rd->report;
    const char *unit = input_unit(k->x);
    const int before = r->n_error;
    RHEO_TRY(allocate_rows(k, rows, lab));
    for (int i = 0; i < rows->n && !rh_report_full(r); i++) RH_STEP(read_row(k, rows->item[i], i, unit, lab));
    if (r->n_error > before) return RHEO_E_PARSE;
    k->x->labelled = lab->n > 0;
    if (k->x->task.n_train == 0)
        rh_task_fault(k, rh_yaml_loc(k->rd, rows), NULL, "no row is set: train, so there is nothing to train with");
    return lab->n > 0 ? assign_labels(k, lab, rows) : RHEO_OK;
}

static rheo_status read_table(const context *k) {
    static const char *const KEYS[] = { "kind", "inputs", "outputs", "rows", "classes", "levels" };
    rh_yaml *rows = rh_yaml_get(k->task, "rows");
    row_labels lab = { 0 };
    RH_STEP(rh_task_pair(k, "levels", "V", true, "levels: [wrong, right], V", k->x->csv.level));
    RH_STEP(rh_task_classes(k));
    RH_STEP(rh_read_rest(k->rd, k->task, "task' of kind 'table", KEYS, RH_COUNT(KEYS)));
    if (!rows)
        return rh_task_missing(k, rh_yaml_loc(k->rd, k->task), "rows", "task",
                               "write rows: [{in: [0, 1], out: [0.3]}]");
    if (rows->type != RH_YAML_LIST || rows->n == 0)
        return rh_task_fault(k, rh_yaml_loc(k->rd, rows), "write rows: [{in: [0, 1], out: [0.3]}]",
                             "'rows' must be a list of at least one row");
    const rheo_status st = fill_rows(k, rows, &lab);
    rh_free(lab.text);
    rh_free(lab.item);
    return st;
}

/* ---- a CSV file ---- */

static rheo_status read_columns_of(const context *k, const char *key, const char *const **out, int *n) {
    rh_yaml *y = rh_yaml_get(k->task, key);
    const char **list = NULL;
    if (!y) return RHEO_OK;
    RHEO_TRY(rh_task_names(k->rd, y, key, RH_CSV_COLUMNS, &list, n));
    *out = list;
    return RHEO_OK;
}

static rheo_status read_csv_settings(const context *k) {
    static const char *const OWN[] = { "kind",    "inputs", "outputs", "file",   "test_file", "header",
                                       "columns", "label",  "classes", "levels", "targets",   "target_range" };
    const char *keys[40];
    int n = 0;
    rh_csv_task_def *d = &k->x->csv;
    rh_yaml *file = rh_yaml_get(k->task, "file"), *label = rh_yaml_get(k->task, "label"),
            *more = rh_yaml_get(k->task, "test_file"), *header = rh_yaml_get(k->task, "header");
    bool has_header = true;
    if (file)
        RH_STEP(rh_read_text(k->rd, file, "file", &d->file));
    else
        rh_task_missing(k, rh_yaml_loc(k->rd, k->task), "file", "task", "file: data.csv");
    if (more) RH_STEP(rh_read_text(k->rd, more, "test_file", &d->test_file));
    if (header) RH_STEP(rh_read_bool(k->rd, header, "header", &has_header));
    d->no_header = !has_header;
    RH_STEP(read_columns_of(k, "columns", &d->columns, &d->n_column));
    RH_STEP(read_columns_of(k, "targets", &d->targets, &d->n_target));
    if (label) RH_STEP(rh_read_text(k->rd, label, "label", &d->label));
    RH_STEP(rh_task_scaling(k));
    RH_STEP(rh_task_split_settings(k));
    RH_STEP(rh_task_pair(k, "levels", "V", true, "levels: [wrong, right], V", d->level));
    RH_STEP(rh_task_pair(k, "target_range", "V", true, "target_range: [lowest, highest], V", d->target_range));
    RH_STEP(rh_task_classes(k));
    for (int i = 0; i < RH_COUNT(OWN); i++) keys[n++] = OWN[i];
    for (int i = 0; i < RH_N_TASK_SET_KEY; i++) keys[n++] = RH_TASK_SET_KEYS[i];
    return rh_read_rest(k->rd, k->task, "task' of kind 'csv", keys, n);
}

/* How many inputs and outputs the columns make. */
static void check_csv_counts(const context *k) {
    const rh_csv_task_def *d = &k->x->csv;
    const rh_task *t = &k->x->task;
    const rh_yaml *columns = rh_yaml_get(k->task, "columns"), *targets = rh_yaml_get(k->task, "targets"),
                  *label = rh_yaml_get(k->task, "label");
    const rh_loc task = rh_yaml_loc(k->rd, k->task);
    const int step = d->differential ? 2 : 1;
    char text[200];
    if (!columns) rh_task_missing(k, task, "columns", "task", "columns: [x1, x2], the columns that drive the inputs");
    const int n_drive = d->n_column * step + d->n_bias;
    if (columns && d->n_column > 0 && t->n_in > 0 && n_drive != t->n_in) {
        snprintf(text, sizeof(text), "%d column%s drive%s %d input%s%s%s, but there %s %d", d->n_column,
                 d->n_column == 1 ? "" : "s", d->n_column == 1 ? "s" : "", n_drive, n_drive == 1 ? "" : "s",
                 d->differential ? " (differential: +x and -x)" : "", d->n_bias ? " with the bias" : "",
                 t->n_in == 1 ? "is" : "are", t->n_in);
        rh_task_fault(k, rh_yaml_loc(k->rd, columns), NULL, text);
    }
    if (!label && !targets)
        rh_task_missing(k, task, "label' or 'targets", "task",
                        "label: the column of classes; targets: columns of numbers");
    if (label && targets)
        rh_task_fault(k, rh_yaml_loc(k->rd, targets), NULL, "a task has either 'label' or 'targets', not both");
    if (targets && d->n_target > 0 && t->n_out > 0 && d->n_target != t->n_out) {
        snprintf(text, sizeof(text), "%d target column%s need%s as many outputs, but there %s %d", d->n_target,
                 d->n_target == 1 ? "" : "s", d->n_target == 1 ? "s" : "", t->n_out == 1 ? "is" : "are", t->n_out);
        rh_task_fault(k, rh_yaml_loc(k->rd, targets), NULL, text);
    }
    if (label && d->classes) rh_task_class_count(k, d->n_class, rh_yaml_loc(k->rd, rh_yaml_get(k->task, "classes")));
    if (!label && d->classes)
        label_fault(k, rh_yaml_loc(k->rd, rh_yaml_get(k->task, "classes")), "name its column: label: species",
                    "'classes' needs 'label'");
}

static const char *column_at(const void *ctx, int i) {
    const rh_csv *t = ctx;
    return i < t->n_col ? t->column[i] : NULL;
}

static void check_column(const context *k, const rh_csv *csv, const char *name, rh_loc at) {
    if (rh_csv_column(csv, name) >= 0 || rh_report_full(k->rd->report)) return;
    char hint[160] = "", text[160];
    const char *near = rh_suggest(name, column_at, csv);
    if (near) {
        snprintf(hint, sizeof(hint), "did you mean '%.80s'?", near);
    } else {
        size_t n = (size_t)snprintf(hint, sizeof(hint), "it has:");
        for (int c = 0; c < csv->n_col && n < sizeof(hint); c++)
            n += (size_t)snprintf(hint + n, sizeof(hint) - n, "%s %.40s", c ? "," : "", csv->column[c]);
    }
    snprintf(text, sizeof(text), "the table has no column '%.80s'", name);
    rh_task_fault(k, at, hint, text);
}

static void check_column_list(const context *k, const rh_csv *csv, const char *key, const char *const *name, int n) {
    const rh_yaml *y = rh_yaml_get(k->task, key);
    for (int i = 0; i < n; i++) check_column(k, csv, name[i], rh_yaml_loc(k->rd, y && y->n == n ? y->item[i] : y));
}

static void check_columns(const context *k, const rh_csv *csv) {
    const rh_csv_task_def *d = &k->x->csv;
    check_column_list(k, csv, "columns", d->columns, d->n_column);
    check_column_list(k, csv, "targets", d->targets, d->n_target);
    if (d->label) check_column(k, csv, d->label, rh_yaml_loc(k->rd, rh_yaml_get(k->task, "label")));
}

rheo_status rh_task_take(const rh_task_reader *k, rh_task *made, rh_loc at) {
    rh_task *t = &k->x->task;
    char text[200] = "";
    if (t->n_in > 0 && made->n_in != t->n_in)
        snprintf(text, sizeof(text), "a sample has %d inputs, but there %s %d", made->n_in, t->n_in == 1 ? "is" : "are",
                 t->n_in);
    else if (t->n_out > 0 && made->n_out != t->n_out && made->n_class == 0)
        snprintf(text, sizeof(text), "a sample has %d outputs, but there %s %d", made->n_out,
                 t->n_out == 1 ? "is" : "are", t->n_out);
    rheo_status st = text[0] ? rh_task_fault(k, at, NULL, text) : RHEO_OK;
    if (st == RHEO_OK && made->n_class > 0) st = rh_task_class_count(k, made->n_class, at);
    if (st == RHEO_OK && made->n_in == t->n_in && made->n_out == t->n_out) {
        made->in_name = t->in_name;
        made->out_name = t->out_name;
        made->in_loc = t->in_loc;
        made->out_loc = t->out_loc;
        *t = *made;
        return RHEO_OK;
    }
    made->n_in = made->n_out = 0; /* their names are those of t */
    rh_task_free(made);
    return st;
}

static rheo_status make_samples(const context *k, const rh_csv *csv, int n_pool, rh_loc file) {
    rh_task made = { 0 };
    rheo_error e = { 0 };
    k->x->csv.seed = (uint64_t)k->x->seed;
    if (rh_csv_task_rows(&made, &k->x->csv, csv, n_pool, &e) != RHEO_OK)
        return rh_experiment_forward(k->rd->report, &e, file);
    const rh_yaml *const label = rh_yaml_get(k->task, "label");
    return rh_task_take(k, &made, label ? rh_yaml_loc(k->rd, label) : file);
}

static rheo_status read_table_file(const context *k, const rh_experiment_io *io, const char *file, const char *key,
                                   rh_csv *csv) {
    char *path = rh_experiment_path(k->x, file);
    if (!path) return RH_REPORT_NOMEM(k->rd->report);
    rheo_error e = { 0 };
    const rheo_status st = io->table(io->user, path, !k->x->csv.no_header, csv, &e);
    rh_free(path);
    return st == RHEO_OK ? st : rh_experiment_forward(k->rd->report, &e, rh_yaml_loc(k->rd, rh_yaml_get(k->task, key)));
}

static rheo_status read_tables(const context *k, const rh_experiment_io *io, rh_csv *csv, int *n_pool) {
    const rh_csv_task_def *const d = &k->x->csv;
    RHEO_TRY(read_table_file(k, io, d->file, "file", csv));
    *n_pool = csv->n_row;
    if (!d->test_file) return RHEO_OK;
    rh_csv more = { 0 };
    rheo_error e = { 0 };
    RHEO_TRY(read_table_file(k, io, d->test_file, "test_file", &more));
    if (rh_csv_append(csv, &more, &e) == RHEO_OK) return RHEO_OK;
    return rh_experiment_forward(k->rd->report, &e, rh_yaml_loc(k->rd, rh_yaml_get(k->task, "test_file")));
}

static rheo_status read_csv(const context *k, const rh_experiment_io *io) {
    rh_csv_task_def *d = &k->x->csv;
    rh_report *r = k->rd->report;
    const int before = r->n_error;
    RH_STEP(read_csv_settings(k));
    check_csv_counts(k);
    k->x->labelled = d->label != NULL;
    if (!d->file) return RHEO_E_PARSE;
    rh_csv csv = { 0 };
    int n_pool = 0;
    rheo_status st = read_tables(k, io, &csv, &n_pool);
    if (st == RHEO_OK) check_columns(k, &csv);
    if (st == RHEO_OK)
        st = r->n_error == before && k->x->task.n_in > 0 && k->x->task.n_out > 0
                 ? make_samples(k, &csv, n_pool, rh_yaml_loc(k->rd, rh_yaml_get(k->task, "file")))
                 : RHEO_E_PARSE;
    rh_csv_free(&csv);
    return st;
}

/* ---- both ---- */

/* Targets of which one is 1 and the others 0 name a class as well: the loss cross-entropy can then be used. */
static bool one_hot(const rh_task *t, int i, int *hot) {
    *hot = -1;
    for (int o = 0; o < t->n_out; o++) {
        const double x = t->target[(size_t)i * (size_t)t->n_out + (size_t)o];
        if (x == 1 && *hot < 0)
            *hot = o;
        else if (x != 0)
            return false;
    }
    return *hot >= 0;
}

static rheo_status classes_from_targets(const context *k) {
    rh_task *t = &k->x->task;
    t->label = rh_calloc((size_t)t->n_sample, sizeof(*t->label));
    if (!t->label) return RH_REPORT_NOMEM(k->rd->report);
    for (int i = 0; i < t->n_sample; i++) {
        if (one_hot(t, i, &t->label[i])) continue;
        rh_free(t->label);
        t->label = NULL;
        const rh_yaml *rows = rh_yaml_get(k->task, "rows"),
                      *y = rows ? rh_yaml_get(rows->item[i], "out") : rh_yaml_get(k->task, "targets");
        return rh_report_error(k->rd->report, RHEO_E_USAGE, RH_CODE_MIX, rh_yaml_loc(k->rd, y),
                               "give labels, or use loss: squared",
                               "loss cross-entropy needs classes: 1 at one output and 0 at the others");
    }
    return copy_classes(k, (const char *const *)t->out_name, t->n_out);
}

rheo_status rh_experiment_read_samples(rheo_experiment *x, const rh_reader *rd, rh_yaml *task,
                                       const rh_experiment_io *io) {
    const context k = { x, rd, task };
    const int before = rd->report->n_error;
    rh_yaml *kind = rh_yaml_get(task, "kind");
    if (!kind) return rh_task_missing(&k, rh_yaml_loc(rd, task), "kind", "task", "kind: table, csv, idx or logic");
    RHEO_TRY(rh_read_choice(rd, kind, "kind", RH_TASK_KINDS, &x->task_kind));
    switch (x->task_kind) {
    case RH_TASK_TABLE: RHEO_TRY(read_table(&k)); break;
    case RH_TASK_CSV: RHEO_TRY(read_csv(&k, io)); break;
    case RH_TASK_IDX: RHEO_TRY(rh_task_read_idx(&k, io)); break;
    default: RHEO_TRY(rh_task_read_logic(&k)); break;
    }
    if (rd->report->n_error > before || x->learn.loss != RH_LOSS_CROSS_ENTROPY || x->labelled) return RHEO_OK;
    return x->task.n_sample > 0 && x->task.n_out > 0 ? classes_from_targets(&k) : RHEO_OK;
}
