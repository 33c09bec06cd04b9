/* fuzz_experiment.c: any bytes as an experiment, from YAML to ports and samples, and printed back; no file is touched.
 * Bytes that begin with "csv" and a line end are a table instead. */
#include "experiment_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine) {
    if (!fine) abort();
}

static void table(const char *text, size_t n) {
    static const char *const COLUMNS[] = { "x" }, *const TARGETS[] = { "y" };
    static char name[] = "d.csv";
    char *copy = malloc(n + 1); /* the reader may look at the NUL behind the text, and no further */
    if (!copy) return;
    memcpy(copy, text, n);
    copy[n] = '\0';
    const rh_source src = { .name = name, .text = copy, .size = n, .quotable = true };
    rh_csv_task_def d = { .columns = COLUMNS,
                          .n_column = 1,
                          .range = { 0, 1 },
                          .targets = TARGETS,
                          .n_target = 1,
                          .target_range = { 0, 1 },
                          .test = 0.3,
                          .differential = n % 2 == 1 };
    if (n % 3 == 0) d.label = "c";
    rheo_error e = { 0 };
    rh_csv csv;
    rh_task t = { 0 };
    if (rh_csv_parse(&csv, copy, n, &src, true, &e) == RHEO_OK) {
        if (rh_csv_task_rows(&t, &d, &csv, csv.n_row, &e) == RHEO_OK) {
            check(t.n_train >= 1 && t.n_train + t.n_test == t.n_sample);
            for (int i = 0; i < t.n_sample * t.n_in; i++) check(t.in[i] - t.in[i] == 0);
        }
        rh_task_free(&t);
        rh_csv_free(&csv);
    }
    free(copy);
}

/* What was accepted must print, and the print must read back to the same print. */
static void print_twice(const rheo_experiment *x) {
    char *text = NULL, *again = NULL;
    rheo_experiment *y = NULL;
    rheo_error e = { 0 };
    check(rheo_experiment_print(x, &text, &e) == RHEO_OK);
    check(case_read(&y, text, strlen(text), NULL, 0, NULL, &e) == RHEO_OK);
    check(rheo_experiment_print(y, &again, &e) == RHEO_OK);
    check(strcmp(text, again) == 0);
    rheo_text_free(text);
    rheo_text_free(again);
    rheo_experiment_destroy(y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    if (size >= 4 && memcmp(text, "csv\n", 4) == 0) {
        table(text + 4, size - 4);
        return 0;
    }
    rheo_experiment *x = NULL;
    rheo_error e = { 0 };
    const rheo_status st = case_read(&x, text, size, NULL, 0, NULL, &e);
    check((st == RHEO_OK) == (x != NULL));
    check(st == RHEO_OK || (e.status == st && e.msg[0]));
    char shown[1400];
    rheo_error_format(&e, shown, sizeof(shown));
    if (x) print_twice(x);
    rheo_experiment_destroy(x);
    return 0;
}
