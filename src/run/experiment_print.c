/* experiment_print.c: the experiment as YAML with every default visible. What is printed reads back equal, from
 * anywhere. */
#include "base/utf8.h"
#include "run/experiment_task.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* ---- texts ---- */

/* Words that YAML readers of any version take for text, and that cannot be mistaken for a number. */
static bool is_plain(const char *s) {
    const bool up = strncmp(s, "../", 3) == 0;
    static const char *const WORDS[] = { "true", "false", "yes", "no", "on", "off", "null", "y", "n" };
    const bool first = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '/' || *s == '_' || up;
    if (!first || strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-") != strlen(s))
        return false;
    for (int k = 0; k < RH_COUNT(WORDS); k++)
        if (rh_streq(s, WORDS[k])) return false;
    return true;
}

static bool goes_as_is(uint32_t c) {
    return c != '"' && c != '\\' &&
           ((c >= 0x20 && c < 0x7F) || (c >= 0xA0 && c < 0x2028) || (c > 0x2029 && c < 0xFEFF) ||
            (c > 0xFEFF && c < 0xFFFE) || c >= 0x10000);
}

static void put_text(rh_buf *b, const char *s) {
    if (is_plain(s)) {
        rh_buf_puts(b, s);
        return;
    }
    const size_t n = strlen(s);
    rh_buf_puts(b, "\"");
    for (size_t at = 0; at < n;) {
        uint32_t code = (unsigned char)s[at];
        size_t len = rh_utf8(s + at, n - at, &code);
        if (len > 0 && goes_as_is(code))
            rh_buf_add(b, s + at, len);
        else if (code == '"' || code == '\\')
            rh_buf_printf(b, "\\%c", (int)code);
        else
            rh_buf_printf(b, "\\u%04x", (unsigned)code);
        at += len > 0 ? len : 1;
    }
    rh_buf_puts(b, "\"");
}

/* What is printed for whom. */
typedef struct form {
    const char
        *folder; /* real path that paths count from unless the experiment has them absolute; NULL: all absolute */
    bool settings_alone; /* no paths and no samples */
} form;

/* Links are resolved in the folder, so that ".." means the same to everybody; not in the name, beside which a netlist
 * looks for what it includes. */
static char *relative(const char *from, const char *whole) {
    char real[PATH_MAX];
    char *const folder = rh_path_folder(whole);
    const char *const slash = strrchr(whole, '/');
    char *path = NULL, *out = NULL;
    if (folder) path = realpath(folder, real) ? rh_path_join(real, slash ? slash + 1 : whole) : rh_strdup(whole);
    if (path) out = rh_path_relative(from, path);
    rh_free(folder);
    rh_free(path);
    return out;
}

/* A path that x has resolved. */
static void put_path(rh_buf *b, const rheo_experiment *x, const form *f, const char *path, bool absolute) {
    char *whole = x->cwd ? rh_path_join(x->cwd, path) : rh_strdup(path);
    if (whole && f->folder && !absolute) {
        char *const near = relative(f->folder, whole);
        rh_free(whole);
        whole = near;
    }
    if (whole)
        put_text(b, whole);
    else
        b->bad = true;
    rh_free(whole);
}

static void put_numbers(rh_buf *b, const double *x, int n) {
    rh_buf_puts(b, "[");
    for (int i = 0; i < n; i++) {
        if (i) rh_buf_puts(b, ", ");
        rh_buf_number(b, x[i]);
    }
    rh_buf_puts(b, "]");
}

static void put_names(rh_buf *b, const char *const *name, int n) {
    rh_buf_puts(b, "[");
    for (int i = 0; i < n; i++) {
        if (i) rh_buf_puts(b, ", ");
        put_text(b, name[i]);
    }
    rh_buf_puts(b, "]");
}

/* ---- settings ---- */

static void put_field(rh_buf *b, const rh_field *f, const void *where) {
    switch (f->type) {
    case RH_DOUBLE: rh_buf_number(b, *(const double *)where); break;
    case RH_INT: rh_buf_printf(b, "%d", *(const int *)where); break;
    case RH_BOOL: rh_buf_puts(b, *(const bool *)where ? "true" : "false"); break;
    case RH_STRING: put_text(b, *(char *const *)where ? *(char *const *)where : ""); break;
    case RH_CHOICE: put_text(b, f->choices[*(const int *)where]); break;
    }
}

static void put_fields(rh_buf *b, const char *indent, const rh_field *f, int n, const void *def) {
    for (int k = 0; k < n; k++) {
        rh_buf_printf(b, "%s%s: ", indent, f[k].name);
        put_field(b, &f[k], (const char *)def + f[k].offset);
        rh_buf_puts(b, "\n");
    }
}

static void put_rates(rh_buf *b, const rheo_experiment *x) {
    if (x->n_rate == 0) return;
    rh_buf_puts(b, "  rates:\n");
    for (int i = 0; i < x->n_rate; i++) {
        rh_buf_puts(b, "    ");
        put_text(b, x->rate_glob[i]);
        rh_buf_puts(b, ": ");
        rh_buf_number(b, x->rate_value[i]);
        rh_buf_puts(b, "\n");
    }
}

static void put_memory(rh_buf *b, const rh_learn_def *d) {
    rh_field own[RH_MAX_PAR];
    const int n = rh_kernel_fields(d->kernel, own);
    rh_buf_puts(b, "memory:\n");
    put_fields(b, "  ", RH_MEMORY_FIELDS, RH_N_MEMORY_FIELD, d);
    put_fields(b, "  ", own, n, d);
}

/* ---- the task ---- */

/* Does the rising list hold i? *next is how far it has been read. */
static bool in_list(const int *list, int n, int i, int *next) {
    while (*next < n && list[*next] < i) ++*next;
    return *next < n && list[*next] == i;
}

static void put_rows(rh_buf *b, const rheo_experiment *x, const form *f) {
    if (f->settings_alone) return;
    const rh_task *t = &x->task;
    rh_buf_puts(b, "  rows:\n");
    for (int i = 0, test = 0, validation = 0; i < t->n_sample && !b->bad; i++) {
        rh_buf_puts(b, "    - {in: ");
        put_numbers(b, t->in + (size_t)i * (size_t)t->n_in, t->n_in);
        rh_buf_puts(b, x->labelled ? ", label: " : ", out: ");
        if (x->labelled)
            put_text(b, t->class_name[t->label[i]]);
        else
            put_numbers(b, t->target + (size_t)i * (size_t)t->n_out, t->n_out);
        const bool tests = in_list(t->test, t->n_test, i, &test),
                   validates = in_list(t->validation, t->n_validation, i, &validation);
        rh_buf_printf(b, ", set: %s}\n", tests ? "test" : validates ? "validation" : "train");
    }
}

static void put_file(rh_buf *b, const rheo_experiment *x, const form *f, const char *key, const char *file) {
    if (!file || f->settings_alone) return;
    char *path = rh_experiment_path(x, file);
    rh_buf_printf(b, "  %s: ", key);
    if (path)
        put_path(b, x, f, path, file[0] == '/');
    else
        b->bad = true;
    rh_free(path);
    rh_buf_puts(b, "\n");
}

static void put_pair(rh_buf *b, const char *key, const double pair[2]) {
    rh_buf_printf(b, "  %s: ", key);
    put_numbers(b, pair, 2);
    rh_buf_puts(b, "\n");
}

static void put_bias(rh_buf *b, const rh_csv_task_def *d) {
    if (d->n_bias == 0) return;
    rh_buf_puts(b, "  bias: ");
    put_numbers(b, d->bias, d->n_bias);
    rh_buf_puts(b, "\n");
}

static void put_scaling(rh_buf *b, const rh_csv_task_def *d) {
    rh_buf_printf(b, "  differential: %s\n", d->differential ? "true" : "false");
    if (d->affine[0] == 1 && d->affine[1] == 0)
        rh_buf_puts(b, "  range: none\n");
    else if (d->affine[0] != 0)
        put_pair(b, "affine", d->affine);
    else
        put_pair(b, "range", d->range);
    if (d->from[0] < d->from[1]) put_pair(b, "from", d->from);
    put_bias(b, d);
}

static void put_split(rh_buf *b, const rh_csv_task_def *d) {
    static const char *const NAMES[] = { "train", "validation", "test" };
    const double amount[] = { d->train, d->validation, d->test };
    bool ranges = false;
    for (int k = 0; k < 3; k++) {
        if (d->rows[k][1] == 0) continue;
        rh_buf_printf(b, "  %s_rows: [%d, %d]\n", NAMES[k], d->rows[k][0], d->rows[k][1]);
        ranges = true;
    }
    for (int k = 0; k < 3 && !ranges; k++) {
        if (k == 0 && amount[k] == 0) continue; /* all that is left */
        rh_buf_printf(b, "  %s: ", NAMES[k]);
        rh_buf_number(b, amount[k]);
        rh_buf_puts(b, "\n");
    }
}

static void put_csv(rh_buf *b, const rheo_experiment *x, const form *f) {
    const rh_csv_task_def *d = &x->csv;
    put_file(b, x, f, "file", d->file);
    put_file(b, x, f, "test_file", d->test_file);
    rh_buf_printf(b, "  header: %s\n  columns: ", d->no_header ? "false" : "true");
    put_names(b, d->columns, d->n_column);
    rh_buf_puts(b, "\n");
    put_scaling(b, d);
    if (d->label) {
        rh_buf_puts(b, "  label: ");
        put_text(b, d->label);
        rh_buf_puts(b, "\n");
    } else {
        rh_buf_puts(b, "  targets: ");
        put_names(b, d->targets, d->n_target);
        rh_buf_puts(b, "\n");
        if (!isnan(d->target_range[0])) put_pair(b, "target_range", d->target_range);
    }
    put_split(b, d);
}

static void put_idx(rh_buf *b, const rheo_experiment *x, const form *f) {
    put_file(b, x, f, "file", x->csv.file);
    put_file(b, x, f, "labels", x->csv.label_file);
    put_file(b, x, f, "test_file", x->csv.test_file);
    put_file(b, x, f, "test_labels", x->csv.test_label_file);
    put_scaling(b, &x->csv);
    put_split(b, &x->csv);
}

static void put_logic(rh_buf *b, const rheo_experiment *x, const form *f) {
    (void)f;
    rh_buf_puts(b, "  functions: [");
    for (int i = 0; i < x->n_function; i++) rh_buf_printf(b, "%s%s", i ? ", " : "", RH_LOGICS[x->function[i]].name);
    rh_buf_printf(b, "]\n  variables: %d\n  differential: %s\n", x->n_variable, x->csv.differential ? "true" : "false");
    put_pair(b, "range", x->csv.range);
    put_bias(b, &x->csv);
}

static void put_task(rh_buf *b, const rheo_experiment *x, const form *f) {
    const rh_task *t = &x->task;
    rh_buf_printf(b, "task:\n  kind: %s\n", RH_TASK_KINDS[x->task_kind]);
    if (!x->own_inputs) {
        rh_buf_puts(b, "  inputs: ");
        put_names(b, (const char *const *)t->in_name, t->n_in);
        rh_buf_puts(b, "\n");
    }
    if (!x->own_outputs) {
        rh_buf_puts(b, "  outputs: ");
        put_names(b, (const char *const *)t->out_name, t->n_out);
        rh_buf_puts(b, "\n");
    }
    if (x->labelled) {
        rh_buf_puts(b, "  classes: ");
        put_names(b, (const char *const *)t->class_name, t->n_class);
        rh_buf_puts(b, "\n");
    }
    if (x->labelled || x->task_kind == RH_TASK_TABLE || x->task_kind == RH_TASK_LOGIC) {
        rh_buf_puts(b, "  levels: ");
        put_numbers(b, x->csv.level, 2);
        rh_buf_puts(b, "\n");
    }
    static void (*const PUT[])(rh_buf *, const rheo_experiment *, const form *) = { put_rows, put_csv, put_idx,
                                                                                    put_logic };
    PUT[x->task_kind](b, x, f);
}

/* ---- all ---- */

static void put_netlist(rh_buf *b, const rheo_experiment *x, const form *f) {
    if (f->settings_alone) return;
    rh_buf_puts(b, "netlist: ");
    put_path(b, x, f, x->netlist, x->netlist_absolute);
    rh_buf_puts(b, x->n_include ? "\ninclude_dirs: [" : "\n");
    for (int k = 0; k < x->n_include; k++) {
        if (k) rh_buf_puts(b, ", ");
        put_path(b, x, f, x->include_dir[k], x->include_absolute[k]);
    }
    if (x->n_include) rh_buf_puts(b, "]\n");
}

static void put_output(rh_buf *b, const rheo_experiment *x, const form *f) {
    if (!x->output || f->settings_alone) return;
    rh_buf_puts(b, "output: ");
    put_path(b, x, f, x->output, false);
    rh_buf_puts(b, "\n");
}

static void print_all(rh_buf *b, const rheo_experiment *x, const form *f) {
    rh_buf_puts(b, "version: 1\n");
    if (x->netlist)
        put_netlist(b, x, f);
    else
        rh_experiment_put_network(b, x);
    rh_buf_printf(b, "domain: %s\nseed: %lld\n", RH_DOMAINS[x->domain], (long long)x->seed);
    put_task(b, x, f);
    rh_buf_puts(b, "learning:\n");
    put_fields(b, "  ", RH_LEARNING_FIELDS, RH_N_LEARNING_FIELD, &x->learn);
    put_rates(b, x);
    if (x->learn.pulse > 0) {
        rh_buf_puts(b, "  charging:\n");
        put_fields(b, "    ", RH_CHARGING_FIELDS, RH_N_CHARGING_FIELD, &x->learn);
    }
    rh_buf_puts(b, "  schedule:\n");
    put_fields(b, "    ", RH_SCHEDULE_FIELDS, RH_N_SCHEDULE_FIELD, &x->learn);
    rh_buf_puts(b, "  nudge:\n");
    put_fields(b, "    ", RH_NUDGE_FIELDS, RH_N_NUDGE_FIELD, &x->learn);
    rh_buf_puts(b, "protocol:\n");
    put_fields(b, "  ", RH_PROTOCOL_FIELDS, RH_N_PROTOCOL_FIELD, &x->learn);
    put_memory(b, &x->learn);
    rh_buf_puts(b, "solver:\n  backend: ");
    put_text(b, x->backend);
    rh_buf_puts(b, "\n");
    put_fields(b, "  ", RH_ENGINE_FIELDS, RH_N_ENGINE_FIELD, &x->engine);
    rh_buf_puts(b, "run:\n");
    put_fields(b, "  ", RH_RUN_FIELDS, RH_N_RUN_FIELD, &x->run);
    put_output(b, x, f);
}

static rheo_status print(const rheo_experiment *x, const form *f, char **text, rheo_error *err) {
    rh_buf b = { 0 };
    print_all(&b, x, f);
    if (b.bad) {
        rh_buf_free(&b);
        return RH_NOMEM(err);
    }
    *text = b.s;
    return RHEO_OK;
}

rheo_status rheo_experiment_print(const rheo_experiment *x, char **text, rheo_error *err) {
    return print(x, &(form){ .folder = NULL }, text, err);
}

rheo_status rh_experiment_print_beside(const rheo_experiment *x, const char *folder, char **text, rheo_error *err) {
    return print(x, &(form){ .folder = folder }, text, err);
}

rheo_status rh_experiment_print_settings(const rheo_experiment *x, char **text, rheo_error *err) {
    return print(x, &(form){ .settings_alone = true }, text, err);
}
