/* experiment_sets.c: what tasks that make their samples share: scaling, splits, lists of names; idx files and truth
 * tables. */
#include "run/experiment_task.h"

#include <math.h>
#include <stdlib.h>

const char *const RH_TASK_SET_KEYS[] = { "differential", "range", "from",       "affine",          "bias",
                                         "train",        "test",  "validation", "validation_rows", "train_rows",
                                         "test_rows" };
const int RH_N_TASK_SET_KEY = RH_COUNT(RH_TASK_SET_KEYS);

/* ---- names ---- */

enum { MAX_DIGIT = 7, MAX_NAME = 200 };

/* The number of digits at s that make a number to count with; 0: none. */
static size_t digits(const char *s) {
    const size_t n = strspn(s, "0123456789");
    return n <= MAX_DIGIT && (n < 2 || *s != '0') ? n : 0;
}

/* "a1-b2..a8-b9": both ends are the same but for numbers that rise together. How many names it stands for; 0: it is
 * none.
 */
static int range_length(const char *text) {
    const char *dots = strstr(text, ".."), *a = text, *b = dots ? dots + 2 : NULL;
    int rise = 0;
    if (!dots || strlen(text) > MAX_NAME) return 0;
    while (a < dots) {
        const size_t n = digits(a), m = digits(b);
        if (n > 0 && m > 0) {
            const int by = atoi(b) - atoi(a);
            if (by != 0 && rise != 0 && by != rise) return 0;
            if (by != 0) rise = by;
            a += n;
            b += m;
        } else if (n > 0 || m > 0 || *a++ != *b++)
            return 0;
    }
    return *b == '\0' && rise > 0 ? rise + 1 : 0;
}

/* The name number k of the range, from 0. */
static char *one_of_range(rh_pool *pool, const char *text, int k) {
    const char *const dots = strstr(text, ".."), *a = text, *b = dots + 2;
    char name[2 * MAX_NAME];
    size_t at = 0;
    while (a < dots && at < sizeof name - 16) {
        const size_t n = digits(a), m = digits(b);
        if (n > 0) {
            at += (size_t)snprintf(name + at, 16, "%d", atoi(a) + (atoi(a) != atoi(b) ? k : 0));
            a += n;
            b += m;
        } else {
            name[at++] = *a++;
            b++;
        }
    }
    return rh_pool_strndup(pool, name, at);
}

rheo_status rh_task_names(const rh_reader *rd, rh_yaml *y, const char *key, int most, const char ***out, int *n) {
    const char **list;
    int count = 0;
    int64_t whole = 0;
    RHEO_TRY(rh_read_names(rd, y, key, &list, &count));
    for (int i = 0; i < count; i++) whole += range_length(list[i]) ? range_length(list[i]) : 1;
    if (whole > most)
        return rh_report_error(rd->report, RHEO_E_LIMIT, RH_CODE_LIMIT, rh_yaml_loc(rd, y), NULL,
                               "'%s' has %lld names, more than %d", key, (long long)whole, most);
    *n = (int)whole;
    *out = list;
    if (whole == count) return RHEO_OK;
    const char **const all = rh_pool_alloc(rd->doc->pool, (size_t)whole * sizeof *all);
    if (!all) return RH_REPORT_NOMEM(rd->report);
    for (int i = 0, at = 0; i < count; i++) {
        const int n_name = range_length(list[i]);
        if (n_name == 0) all[at++] = list[i];
        for (int k = 0; k < n_name; k++)
            if (!(all[at++] = one_of_range(rd->doc->pool, list[i], k))) return RH_REPORT_NOMEM(rd->report);
    }
    *out = all;
    return RHEO_OK;
}

/* ---- scaling ---- */

static rheo_status read_bias(const rh_task_reader *k) {
    rh_csv_task_def *d = &k->x->csv;
    rh_yaml *y = rh_yaml_get(k->task, "bias");
    if (!y) return RHEO_OK;
    if (y->type != RH_YAML_LIST)
        return rh_report_error(k->rd->report, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(k->rd, y), "bias: [1, -1]",
                               "'bias' must be a list of voltages");
    double *const bias = rh_pool_alloc(k->rd->doc->pool, ((size_t)y->n + 1) * sizeof *bias);
    if (!bias) return RH_REPORT_NOMEM(k->rd->report);
    if (y->n > 0) RHEO_TRY(rh_read_numbers(k->rd, y, "bias", "V", y->n, bias));
    y->used = true;
    d->bias = bias;
    d->n_bias = y->n;
    return RHEO_OK;
}

rheo_status rh_task_scaling(const rh_task_reader *k) {
    rh_csv_task_def *d = &k->x->csv;
    rh_yaml *diff = rh_yaml_get(k->task, "differential"), *affine = rh_yaml_get(k->task, "affine");
    if (diff) RH_STEP(rh_read_bool(k->rd, diff, "differential", &d->differential));
    rh_yaml *const range = rh_yaml_get(k->task, "range");
    const bool none = range && range->type == RH_YAML_SCALAR && strcmp(range->text, "none") == 0;
    if (none) {
        d->affine[0] = 1;
    } else {
        RH_STEP(rh_task_pair(k, "range", "V", true, "range: [lowest, highest], V", d->range));
    }
    RH_STEP(rh_task_pair(k, "from", NULL, true, "from: [lowest, highest], as in the file", d->from));
    RH_STEP(rh_task_pair(k, "affine", NULL, false, "affine: [volts per unit, volts at 0]", d->affine));
    RH_STEP(read_bias(k));
    if (affine && d->affine[0] == 0 && affine->type == RH_YAML_LIST && affine->n == 2)
        return rh_report_error(k->rd->report, RHEO_E_RANGE, RH_CODE_RANGE, rh_yaml_loc(k->rd, affine),
                               "affine: [volts per unit, volts at 0]", "the first number of 'affine' must not be 0");
    if (affine && (rh_yaml_get(k->task, "range") || rh_yaml_get(k->task, "from")))
        return rh_task_fault(k, rh_yaml_loc(k->rd, affine), "range: [lowest, highest] is the other way to say it",
                             "'affine' does not go with 'range' and 'from'");
    const rh_yaml *const from = none ? rh_yaml_get(k->task, "from") : NULL;
    if (from)
        return rh_task_fault(k, rh_yaml_loc(k->rd, from), "range: [lowest, highest] is where they go",
                             "'from' does not go with 'range: none'");
    return RHEO_OK;
}

/* ---- splits ---- */

static rheo_status read_amount(const rh_task_reader *k, const char *key, double *out) {
    const rh_yaml *const y = rh_yaml_get(k->task, key);
    if (!y) return RHEO_OK;
    double x = 0;
    RHEO_TRY(rh_read_double(k->rd, y, key, "1", 0, 1e9, &x));
    if (x >= 1 ? x != floor(x) : x > 0.9)
        return rh_report_error(k->rd->report, RHEO_E_RANGE, RH_CODE_RANGE, rh_yaml_loc(k->rd, y), NULL,
                               "'%s' must be a share up to 0.9, or a whole number of samples", key);
    *out = x;
    return RHEO_OK;
}

static rheo_status read_rows(const rh_task_reader *k, const char *key, int out[2]) {
    const rh_yaml *const y = rh_yaml_get(k->task, key);
    double pair[2] = { 0, 0 };
    if (!y) return RHEO_OK;
    RHEO_TRY(rh_task_pair(k, key, NULL, false, NULL, pair));
    if (!(pair[0] >= 1 && pair[1] >= pair[0] && pair[1] <= 1e9 && pair[0] == floor(pair[0]) &&
          pair[1] == floor(pair[1])))
        return rh_report_error(k->rd->report, RHEO_E_RANGE, RH_CODE_RANGE, rh_yaml_loc(k->rd, y),
                               "rows count from 1: [1, 100] is the first hundred", "'%s' must be two rows in order",
                               key);
    out[0] = (int)pair[0];
    out[1] = (int)pair[1];
    return RHEO_OK;
}

rheo_status rh_task_split_settings(const rh_task_reader *k) {
    static const char *const ROWS[] = { "train_rows", "validation_rows", "test_rows" }, *const AMOUNTS[] = {
        "train", "validation", "test"
    };
    rh_csv_task_def *d = &k->x->csv;
    double *const amount[] = { &d->train, &d->validation, &d->test };
    const rh_yaml *rows = NULL, *amounts = NULL;
    for (int i = 0; i < 3; i++) {
        RH_STEP(read_amount(k, AMOUNTS[i], amount[i]));
        RH_STEP(read_rows(k, ROWS[i], d->rows[i]));
        if (!rows) rows = rh_yaml_get(k->task, ROWS[i]);
        if (!amounts) amounts = rh_yaml_get(k->task, AMOUNTS[i]);
    }
    if (!rows || !amounts) return RHEO_OK;
    return rh_task_fault(k, rh_yaml_loc(k->rd, amounts), "say it by rows, or by shares and counts",
                         "'train', 'validation' and 'test' do not go with ranges of rows");
}

/* ---- idx ---- */

static const char *const FILE_KEYS[] = { "file", "labels", "test_file", "test_labels" };

static const rh_other_word IDX_WORDS[] = {
    { "images", "write file: for the images" },
    { "train_images", "write file: for the images to train and validate with" },
    { "train_file", "write file: for the images to train and validate with" },
    { "test_images", "write test_file: for the images to test with" },
    { "train_labels", "write labels: for those of file:" },
    { "label", "write labels: for the file with the labels" },
    { "digits", "'classes: [0, 1, ...]' gives the labels an order; all samples of the file are used" },
    { "max", "'train: 1000' takes a thousand of the samples, 'train_rows: [1, 1000]' the first thousand" },
    { "limit", "'train: 1000' takes a thousand of the samples, 'train_rows: [1, 1000]' the first thousand" },
    { "samples", "'train: 1000' takes a thousand of the samples, 'train_rows: [1, 1000]' the first thousand" },
    { "n", "'train: 1000' takes a thousand of the samples, 'train_rows: [1, 1000]' the first thousand" },
    { "rows", "'train_rows: [1, 1000]' takes the first thousand samples" },
    { "columns", "every byte of an image is an input, row by row" },
    { "size", "every byte of an image is an input, row by row: the file says how many" },
    { "targets", "the labels are the targets: 'levels: [wrong, right]' says which volts these are" },
    { "scale", "write range: [0, 1], V, for the bytes 0 to 255" },
};

static rheo_status read_file_names(const rh_task_reader *k, char *path[4]) {
    for (int i = 0; i < 4; i++) {
        const rh_yaml *const y = rh_yaml_get(k->task, FILE_KEYS[i]);
        const char *text = NULL;
        if (!y && i < 2)
            rh_task_missing(k, rh_yaml_loc(k->rd, k->task), FILE_KEYS[i], "task",
                            i ? "labels: train-labels-idx1-ubyte.gz" : "file: train-images-idx3-ubyte.gz");
        if (!y) continue;
        RH_STEP(rh_read_text(k->rd, y, FILE_KEYS[i], &text));
        if (text && !(path[i] = rh_experiment_path(k->x, text))) return RH_REPORT_NOMEM(k->rd->report);
        const char **const kept[] = { &k->x->csv.file, &k->x->csv.label_file, &k->x->csv.test_file,
                                      &k->x->csv.test_label_file };
        *kept[i] = text;
    }
    if (!path[2] == !path[3]) return RHEO_OK;
    return rh_task_fault(k, rh_yaml_loc(k->rd, rh_yaml_get(k->task, path[2] ? "test_file" : "test_labels")), NULL,
                         "'test_file' and 'test_labels' belong together");
}

/* The key whose file a message is about: "PATH: ..." or "... 'PATH' ...". */
static int culprit(const char *msg, char *const path[4]) {
    for (int i = 3; i >= 0; i--) {
        const size_t n = path[i] ? strlen(path[i]) : 0;
        const char *const at = n ? strstr(msg, path[i]) : NULL;
        if (at && ((at == msg && at[n] == ':') || (at > msg && at[-1] == '\'' && at[n] == '\''))) return i;
    }
    return 0;
}

static rheo_status make_images(const rh_task_reader *k, const rh_experiment_io *io, char *const path[4]) {
    rh_csv_task_def d = k->x->csv;
    rh_task made = { 0 };
    rheo_error e = { 0 };
    const rh_loc at = rh_yaml_loc(k->rd, rh_yaml_get(k->task, "file"));
    d.file = path[0];
    d.label_file = path[1];
    d.test_file = path[2];
    d.test_label_file = path[3];
    d.seed = (uint64_t)k->x->seed;
    if (io->images(io->user, &d, &made, &e) != RHEO_OK) {
        const rh_yaml *const y =
            rh_yaml_get(k->task, e.code == RH_CODE_LABEL ? "classes" : FILE_KEYS[culprit(e.msg, path)]);
        return rh_experiment_forward(k->rd->report, &e, y ? rh_yaml_loc(k->rd, y) : at);
    }
    char text[160], hint[120];
    const int n_pixel = (int)made.bytes.n_column;
    if (k->x->task.n_in <= 0 || made.n_in == k->x->task.n_in) return rh_task_take(k, &made, at);
    snprintf(text, sizeof text, "an image of %d byte%s takes %d input%s%s, but there %s %d", n_pixel,
             n_pixel == 1 ? "" : "s", made.n_in, made.n_in == 1 ? "" : "s", d.n_bias ? " with its bias" : "",
             k->x->task.n_in == 1 ? "is" : "are", k->x->task.n_in);
    snprintf(hint, sizeof hint, "one input per byte, two with `differential: true`%s",
             n_pixel == 1 ? "; one byte each is what labels have" : "");
    const rh_yaml *const inputs = rh_yaml_get(k->task, "inputs");
    made.n_in = made.n_out = 0; /* their names were never made */
    rh_task_free(&made);
    return rh_task_fault(k, inputs ? rh_yaml_loc(k->rd, inputs) : at, hint, text);
}

rheo_status rh_task_read_idx(const rh_task_reader *k, const rh_experiment_io *io) {
    static const char *const OWN[] = { "kind",      "inputs",      "outputs", "file",  "labels",
                                       "test_file", "test_labels", "classes", "levels" };
    const char *keys[40];
    char *path[4] = { NULL };
    const int before = k->rd->report->n_error;
    int n = 0;
    rheo_status st = read_file_names(k, path);
    if (st != RHEO_E_NOMEM) st = rh_task_scaling(k);
    if (st != RHEO_E_NOMEM) st = rh_task_split_settings(k);
    if (st != RHEO_E_NOMEM) st = rh_task_pair(k, "levels", "V", true, "levels: [wrong, right], V", k->x->csv.level);
    if (st != RHEO_E_NOMEM) st = rh_task_classes(k);
    for (int i = 0; i < RH_COUNT(OWN); i++) keys[n++] = OWN[i];
    for (int i = 0; i < RH_N_TASK_SET_KEY; i++) keys[n++] = RH_TASK_SET_KEYS[i];
    if (st != RHEO_E_NOMEM)
        st = rh_read_rest_meant(k->rd, k->task, "task' of kind 'idx", keys, n, IDX_WORDS, RH_COUNT(IDX_WORDS));
    k->x->labelled = true;
    if (st == RHEO_OK && k->rd->report->n_error == before) st = make_images(k, io, path);
    for (int i = 0; i < 4; i++) rh_free(path[i]);
    return st;
}

/* ---- truth tables ---- */

static const char *logic_name(const void *ctx, int i) {
    (void)ctx;
    return i < RH_N_LOGIC ? RH_LOGICS[i].name : NULL;
}

static rheo_status read_functions(const rh_task_reader *k, int **function, int *n) {
    rh_yaml *const y = rh_yaml_get(k->task, "functions");
    const char **list = NULL;
    if (!y) return rh_task_missing(k, rh_yaml_loc(k->rd, k->task), "functions", "task", "functions: [xor]");
    RHEO_TRY(rh_read_names(k->rd, y, "functions", &list, n));
    *function = rh_pool_alloc(k->rd->doc->pool, ((size_t)*n + 1) * sizeof **function);
    if (!*function) return RH_REPORT_NOMEM(k->rd->report);
    for (int i = 0; i < *n; i++) {
        int f = 0;
        while (f < RH_N_LOGIC && strcmp(RH_LOGICS[f].name, list[i]) != 0) f++;
        (*function)[i] = f;
        if (f < RH_N_LOGIC) continue;
        char text[128], hint[128] = "and, or, xor, nand, nor, xnor", shown[80];
        const char *const near = rh_suggest(list[i], logic_name, NULL);
        if (near) snprintf(hint, sizeof hint, "did you mean '%s'?", near);
        snprintf(text, sizeof text, "there is no function '%s'",
                 rh_escape(list[i], strlen(list[i]), shown, sizeof shown));
        rh_task_fault(k, rh_yaml_loc(k->rd, y->item[i]), hint, text);
        return RHEO_E_PARSE;
    }
    return RHEO_OK;
}

rheo_status rh_task_read_logic(const rh_task_reader *k) {
    static const char *const KEYS[] = { "kind",         "inputs", "outputs", "functions", "variables",
                                        "differential", "range",  "bias",    "levels" };
    rh_csv_task_def *d = &k->x->csv;
    const int before = k->rd->report->n_error;
    const rh_yaml *diff = rh_yaml_get(k->task, "differential"), *vars = rh_yaml_get(k->task, "variables");
    int64_t n_var = 2;
    RH_STEP(read_functions(k, &k->x->function, &k->x->n_function));
    if (vars) RH_STEP(rh_read_int64(k->rd, vars, "variables", 1, RH_LOGIC_VARIABLES, &n_var));
    if (diff) RH_STEP(rh_read_bool(k->rd, diff, "differential", &d->differential));
    RH_STEP(rh_task_pair(k, "range", "V", true, "range: [false, true], V", d->range));
    RH_STEP(rh_task_pair(k, "levels", "V", true, "levels: [false, true], V", d->level));
    RH_STEP(read_bias(k));
    RH_STEP(rh_read_rest(k->rd, k->task, "task' of kind 'logic", KEYS, RH_COUNT(KEYS)));
    k->x->n_variable = (int)n_var;
    if (k->rd->report->n_error > before) return RHEO_E_PARSE;
    rh_task made = { 0 };
    rheo_error e = { 0 };
    const rh_loc at = rh_yaml_loc(k->rd, rh_yaml_get(k->task, "functions"));
    if (rh_logic_task(&made, d, k->x->function, k->x->n_function, (int)n_var, &e) != RHEO_OK)
        return rh_experiment_forward(k->rd->report, &e, at);
    return rh_task_take(k, &made, at);
}
