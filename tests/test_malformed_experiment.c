/* test_malformed_experiment.c: what a user reads for each way of getting an experiment wrong.
 *
 * tests/data/malformed_experiments.txt holds blocks: "=== name", the experiment, "--- ", the messages. With
 * RHEO_TEST_UPDATE set, the messages are written anew, to be read by eye before they are kept. */
#include "check.h"

#include "experiment_case.h"

static const char PATH[] = "tests/data/malformed_experiments.txt";

static void collect(void *user, const rheo_error *e) {
    char text[1400];
    rheo_error_format(e, text, sizeof(text));
    rh_buf_puts(user, text);
    rh_buf_puts(user, "\n");
}

/* A first line "#set a.b=c" stands for an override on the command line; "\xHH" in the experiment for a byte. */
static void messages_of(const char *yaml, size_t n, rh_buf *out) {
    char *set = NULL, *bytes = malloc(n + 1);
    size_t m = 0;
    assert_non_null(bytes);
    for (size_t k = 0; k < n; k++) {
        unsigned hex;
        if (k + 3 < n && yaml[k] == '\\' && yaml[k + 1] == 'x' && sscanf(yaml + k + 2, "%2x", &hex) == 1) {
            bytes[m++] = (char)hex;
            k += 3;
        } else {
            bytes[m++] = yaml[k];
        }
    }
    if (m > 5 && memcmp(bytes, "#set ", 5) == 0) {
        const size_t end = (size_t)((char *)memchr(bytes, '\n', m) - bytes);
        set = strndup(bytes + 5, end - 5);
    }
    const char *const sets[] = { set };
    const rheo_log log = { collect, out };
    rheo_error err = { 0 };
    rheo_experiment *x = NULL;
    const rheo_status st = case_read(&x, bytes, m, sets, set != NULL, &log, &err);
    if (st == RHEO_OK) rh_buf_puts(out, "accepted\n");
    if (st != RHEO_OK && err.status != st) rh_buf_puts(out, "the status is not that of the first error\n");
    rheo_experiment_destroy(x);
    free(set);
    free(bytes);
}

static const char *line_with(const char *s, const char *mark) {
    const size_t n = strlen(mark);
    while (s && strncmp(s, mark, n) != 0) {
        s = strchr(s, '\n');
        if (s) s++;
    }
    return s;
}

static void every_message_is_as_written(void **state) {
    (void)state;
    char *file = NULL;
    size_t size = 0;
    int n_case = 0, n_wrong = 0;
    rh_buf fresh = { 0 };
    assert_int_equal(rh_file_read(PATH, 1 << 24, &file, &size, NULL), RHEO_OK);
    const char *const begin = line_with(file, "=== ");
    rh_buf_add(&fresh, file, begin ? (size_t)(begin - file) : size);
    for (const char *at = begin; at; n_case++) {
        const char *name_end = strchr(at, '\n'), *yaml = name_end + 1, *split = line_with(yaml, "--- "), *next;
        assert_non_null(split);
        const char *want = strchr(split, '\n') + 1;
        next = line_with(want, "=== ");
        const size_t n_want = next ? (size_t)(next - want) : strlen(want);
        rh_buf got = { 0 };
        rh_buf_puts(&got, "");
        messages_of(yaml, (size_t)(split - yaml), &got);
        if (got.n != n_want || memcmp(got.s, want, n_want) != 0) {
            n_wrong++;
            if (!getenv("RHEO_TEST_UPDATE"))
                print_error("%.*s\n--- got\n%s--- want\n%.*s", (int)(name_end - at), at, got.s, (int)n_want, want);
        }
        rh_buf_add(&fresh, at, (size_t)(want - at));
        rh_buf_puts(&fresh, got.s);
        rh_buf_free(&got);
        at = next;
    }
    if (getenv("RHEO_TEST_UPDATE"))
        assert_int_equal(rh_file_write(PATH, fresh.s, fresh.n, NULL), RHEO_OK);
    else
        assert_int_equal(n_wrong, 0);
    assert_true(n_case >= 70);
    rh_buf_free(&fresh);
    rh_free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_message_is_as_written) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
