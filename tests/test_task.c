/* test_task.c: tables of text, and how their columns become voltages. */
#include "check.h"

#include "task/task.h"

#include <time.h>
#include <unistd.h>

static rh_source src;

static rheo_status parse_n(rh_csv *t, const char *text, size_t n, rheo_error *err) {
    static char name[] = "d.csv";
    src = (rh_source){ .name = name, .text = (char *)(uintptr_t)text, .size = n, .quotable = true };
    return rh_csv_parse(t, text, n, &src, true, err);
}

static rh_csv parsed(const char *text) {
    rh_csv t;
    rheo_error e = { 0 };
    if (parse_n(&t, text, strlen(text), &e) != RHEO_OK) fail_msg("%s: %d:%d %s", text, e.line, e.col, e.msg);
    return t;
}

static const char *cell(const rh_csv *t, int row, int col) { return t->cell[row * t->n_col + col]; }

static void refuse_n(const char *text, size_t n, int code, int line, int col) {
    rh_csv t;
    rheo_error e = { 0 };
    const rheo_status st = parse_n(&t, text, n, &e);
    if (st == RHEO_OK || e.code != code || e.line != line || e.col != col)
        fail_msg("%s: status %d code %d at %d:%d: %s", text, (int)st, e.code, e.line, e.col, e.msg);
    assert_null(t.pool);
    rh_csv_free(&t);
}

static void refuse(const char *text, int code, int line, int col) { refuse_n(text, strlen(text), code, line, col); }

static void tables_of_all_dialects_read_the_same(void **state) {
    (void)state;
    static const char *const TEXT[] = {
        "x,y,name\n1,2.5,a\n3,4,b\n",
        "x;y;name\n1;2.5;a\n3;4;b",
        "x\ty\tname\r\n1\t2.5\ta\r\n3\t4\tb\r\n",
        "\xEF\xBB\xBFx,y,name\r\n\r\n1,2.5,a\r\n\r\n3,4,b\r\n\r\n",
        "\"x\",\"y\",\"name\"\n\"1\",\"2.5\",\"a\"\n\"3\",\"4\",\"b\"\n",
        " x , y , name \n 1 , 2.5 ,\"a\" \n3,\t4,b\n  ",
    };
    for (int k = 0; k < RH_COUNT(TEXT); k++) {
        rh_csv t = parsed(TEXT[k]);
        assert_int_equal(t.n_col, 3);
        assert_int_equal(t.n_row, 2);
        assert_string_equal(t.column[0], "x");
        assert_string_equal(t.column[2], "name");
        assert_string_equal(cell(&t, 0, 1), "2.5");
        assert_string_equal(cell(&t, 1, 0), "3");
        assert_string_equal(cell(&t, 1, 2), "b");
        rh_csv_free(&t);
    }
}

static void quotes_hold_anything(void **state) {
    (void)state;
    rh_csv t = parsed("a,b,c\n\"x, \"\"y\"\"\",\"two\nlines\",3\n\"\",\" keep \",\n");
    assert_string_equal(cell(&t, 0, 0), "x, \"y\"");
    assert_string_equal(cell(&t, 0, 1), "two\nlines");
    assert_string_equal(cell(&t, 1, 0), "");
    assert_string_equal(cell(&t, 1, 1), " keep ");
    assert_string_equal(cell(&t, 1, 2), "");
    assert_int_equal(t.line[0], 2);
    assert_int_equal(t.line[1], 4);
    const rh_loc second = rh_csv_loc(&t, 0, 1), third = rh_csv_loc(&t, 0, 2), last = rh_csv_loc(&t, 1, 2);
    assert_int_equal(second.line, 2);
    assert_int_equal(second.col, 12);
    assert_int_equal(third.line, 3);
    assert_int_equal(third.col, 8);
    assert_int_equal(last.line, 4);
    assert_int_equal(last.col, 13);
    rh_csv_free(&t);
}

static void improper_tables_are_refused_at_their_place(void **state) {
    (void)state;
    refuse("", RH_CODE_CSV, 1, 1);
    refuse("\n \n\n", RH_CODE_CSV, 1, 1);
    refuse("a,b\n", RH_CODE_CSV, 1, 1);
    refuse("a,b\n1,2\n3\n", RH_CODE_CSV, 3, 1);
    refuse("a,b\n1,2,3\n", RH_CODE_CSV, 2, 1);
    refuse("a,b\n1,\"2\n3,4\n", RH_CODE_CSV, 2, 3);
    refuse("a,b\n1,\"2\"x\n", RH_CODE_CSV, 2, 6);
    refuse("a,b\n1,2\"\n", RH_CODE_CSV, 2, 4);
    refuse("a,b\r1,2\r", RH_CODE_CSV, 1, 4);
    refuse_n("a,b\n1,\0\n", 9, RH_CODE_CSV, 2, 3);
    refuse_n("a,b\n1,\"\0\"\n", 11, RH_CODE_CSV, 2, 4);
    refuse("a,,c\n1,2,3\n", RH_CODE_HEADER, 1, 1);
    refuse("a,b,a\n1,2,3\n", RH_CODE_HEADER, 1, 1);
    refuse("1,2\n3,4\n", RH_CODE_HEADER, 1, 1);
}

static void sizes_are_limited(void **state) {
    (void)state;
    const size_t n = (size_t)RH_CSV_CELLS * 2 + 16;
    char *s = malloc(n);
    assert_non_null(s);
    size_t at = (size_t)sprintf(s, "a\n");
    for (; at + 2 < n; at += 2) memcpy(s + at, "1\n", 2);
    rh_csv t;
    rheo_error e = { 0 };
    assert_int_equal(parse_n(&t, s, at, &e), RHEO_E_LIMIT);
    for (at = 0; at + 2 < 400000; at += 2) memcpy(s + at, "a,", 2);
    e = (rheo_error){ 0 };
    assert_int_equal(parse_n(&t, s, at, &e), RHEO_E_LIMIT);
    free(s);
}

static void a_file_is_read(void **state) {
    (void)state;
    char path[] = "/tmp/rheo_test_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x,y\n1,2\n3,oops\n", 15), 15);
    close(fd);
    const char *const columns[] = { "x" }, *const targets[] = { "y" };
    rh_csv_task_def d = { .file = path,
                          .columns = columns,
                          .n_column = 1,
                          .range = { 0, 1 },
                          .targets = targets,
                          .n_target = 1,
                          .target_range = { NAN, NAN } };
    rh_task t = { 0 };
    rheo_error e = { 0 };
    assert_int_equal(rh_csv_task(&t, &d, &e), RHEO_E_PARSE);
    assert_string_equal(e.file, path);
    assert_int_equal(e.line, 3);
    assert_int_equal(e.col, 3);
    assert_string_equal(e.msg, "row 2, column 'y': 'oops' is not a finite number");
    assert_string_equal(e.source, "3,oops");
    unlink(path);
    e = (rheo_error){ 0 };
    assert_int_equal(rh_csv_task(&t, &d, &e), RHEO_E_IO);
}

/* ---- samples ---- */

static rheo_status make(rh_task *out, const rh_csv_task_def *d, const char *text, rheo_error *e) {
    rh_csv t = parsed(text);
    *out = (rh_task){ 0 };
    *e = (rheo_error){ 0 };
    const rheo_status st = rh_csv_task_rows(out, d, &t, t.n_row, e);
    rh_csv_free(&t);
    return st;
}

static const char *const XY[] = { "x", "y" }, *const Z[] = { "z" };
static rh_csv_task_def two_columns(void) {
    return (rh_csv_task_def){
        .columns = XY, .n_column = 2, .range = { 0, 1 }, .level = { 0, 1 }, .target_range = { NAN, NAN }, .seed = 1
    };
}

static void columns_are_scaled_to_the_range(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    d.targets = Z;
    d.n_target = 1;
    d.range[0] = -1;
    d.range[1] = 3;
    rh_task t;
    rheo_error e;
    assert_int_equal(make(&t, &d, "x,y,z\n10,7,0.5\n20,7,-2\n15,7,8\n", &e), RHEO_OK);
    assert_int_equal(t.n_in, 2);
    assert_int_equal(t.n_out, 1);
    assert_int_equal(t.n_train, 3);
    assert_int_equal(t.n_test, 0);
    static const double IN[] = { -1, 1, 3, 1, 1, 1 }, TARGET[] = { 0.5, -2, 8 }; /* a constant column: the middle */
    for (int k = 0; k < 6; k++) CHECK_NEAR(t.in[k], IN[k], 0);
    for (int k = 0; k < 3; k++) CHECK_NEAR(t.target[k], TARGET[k], 0);
    assert_null(t.label);
    rh_task_free(&t);
    d.target_range[0] = 0.1;
    d.target_range[1] = 0.3;
    assert_int_equal(make(&t, &d, "x,y,z\n10,7,0.5\n20,7,-2\n15,7,8\n", &e), RHEO_OK);
    CHECK_NEAR(t.target[0], 0.15, 1e-16);
    CHECK_NEAR(t.target[1], 0.1, 0);
    CHECK_NEAR(t.target[2], 0.3, 0);
    rh_task_free(&t);
}

static void differential_inputs_mirror_about_the_middle(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    d.targets = Z;
    d.n_target = 1;
    d.differential = true;
    d.range[0] = 0;
    d.range[1] = 0.5;
    rh_task t;
    rheo_error e;
    assert_int_equal(make(&t, &d, "x,y,z\n0,1,1\n4,3,1\n1,2,1\n", &e), RHEO_OK);
    assert_int_equal(t.n_in, 4);
    static const double IN[] = { 0, 0.5, 0, 0.5, 0.5, 0, 0.5, 0, 0.125, 0.375, 0.25, 0.25 };
    for (int k = 0; k < 12; k++) CHECK_NEAR(t.in[k], IN[k], 1e-16);
    rh_task_free(&t);
}

static void extreme_numbers_scale_or_are_refused(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    d.targets = Z;
    d.n_target = 1;
    rh_task t;
    rheo_error e;
    assert_int_equal(make(&t, &d, "x,y,z\n-1.7e308,1e-320,1\n1.7e308,2e-320,1\n0,1.5e-320,1\n", &e), RHEO_OK);
    CHECK_NEAR(t.in[0], 0, 0);
    CHECK_NEAR(t.in[2], 1, 0);
    CHECK_NEAR(t.in[4], 0.5, 1e-15);
    for (int k = 0; k < 6; k++) assert_true(t.in[k] >= 0 && t.in[k] <= 1);
    rh_task_free(&t);
    static const char *const BAD[] = { "nan", "inf", "-inf", "NaN", "1e999", "", "abc", "1 2", "0x1", "1k", "--1" };
    for (int k = 0; k < RH_COUNT(BAD); k++) {
        char text[64];
        snprintf(text, sizeof(text), "x,y,z\n1,2,3\n1,%s,3\n", BAD[k]);
        assert_int_equal(make(&t, &d, text, &e), RHEO_E_PARSE);
        assert_int_equal(e.code, RH_CODE_CELL);
        assert_int_equal(e.line, 3);
        assert_int_equal(e.col, 3);
        assert_non_null(strstr(e.msg, "column 'y'"));
        assert_non_null(strstr(e.msg, "row 2"));
    }
    assert_int_equal(make(&t, &d, "x;y;z\n1;0,5;3\n", &e), RHEO_E_PARSE);
    assert_string_equal(e.hint, "decimals need a point: write 0.5");
}

/* The largest value lies in a test row: training must look the same as without it. */
static void test_rows_do_not_leak_into_the_scale(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    d.targets = Z;
    d.n_target = 1;
    d.test = 0.5;
    d.target_range[0] = 0;
    d.target_range[1] = 1;
    char text[4096] = "x,y,z\n";
    for (int i = 0; i < 40; i++) sprintf(text + strlen(text), "%d,%d,%d\n", i * 7 % 40, i, 3 * i);
    rh_task t;
    rheo_error e;
    assert_int_equal(make(&t, &d, text, &e), RHEO_OK);
    assert_int_equal(t.n_test, 20);
    assert_int_equal(t.n_train, 20);
    double low = INFINITY, high = -INFINITY;
    for (int k = 0; k < t.n_train; k++) {
        const int i = t.train[k];
        low = fmin(low, i);
        high = fmax(high, i);
    }
    for (int i = 0; i < 40; i++) {
        CHECK_NEAR(t.in[2 * i + 1], (i - low) / (high - low), 1e-15);
        CHECK_NEAR(t.target[i], (i - low) / (high - low), 1e-15);
    }
    rh_task_free(&t);
}

static void classes_are_split_evenly_and_repeatably(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    d.label = "c";
    d.test = 0.3;
    char text[8192] = "x,y,c\n";
    for (int i = 0; i < 151; i++)
        sprintf(text + strlen(text), "%d,%d,%s\n", i, -i, i == 150 ? "rare" : i % 3 == 0 ? "b" : "a");
    rh_task t, u;
    rheo_error e;
    assert_int_equal(make(&t, &d, text, &e), RHEO_OK);
    assert_int_equal(make(&u, &d, text, &e), RHEO_OK);
    assert_int_equal(t.n_class, 3);
    assert_string_equal(t.class_name[0], "a");
    assert_string_equal(t.class_name[2], "rare");
    assert_int_equal(t.n_test, 30 + 15);
    assert_int_equal(t.n_train, 151 - 45);
    int count[3] = { 0 };
    bool seen[151] = { false };
    for (int k = 0; k < t.n_test; k++) count[t.label[t.test[k]]]++, seen[t.test[k]] = true;
    for (int k = 0; k < t.n_train; k++) assert_false(seen[t.train[k]]);
    assert_int_equal(count[0], 30);
    assert_int_equal(count[1], 15);
    assert_int_equal(count[2], 0); /* the only one of its class stays in training */
    assert_memory_equal(t.test, u.test, (size_t)t.n_test * sizeof(int));
    rh_task_free(&u);
    d.seed = 2;
    assert_int_equal(make(&u, &d, text, &e), RHEO_OK);
    assert_int_not_equal(memcmp(t.test, u.test, (size_t)t.n_test * sizeof(int)), 0);
    rh_task_free(&u);
    rh_task_free(&t);
}

static void labels_become_levels(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    d.label = "c";
    d.level[0] = -0.1;
    d.level[1] = 0.2;
    rh_task t;
    rheo_error e;
    assert_int_equal(make(&t, &d, "x,y,c\n1,2,10\n1,2,9\n1,2,-1.5\n1,2,9\n", &e), RHEO_OK);
    assert_int_equal(t.n_out, 3); /* numbers are sorted as numbers */
    assert_string_equal(t.class_name[0], "-1.5");
    assert_string_equal(t.class_name[1], "9");
    assert_string_equal(t.class_name[2], "10");
    static const int LABEL[] = { 2, 1, 0, 1 };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(t.label[i], LABEL[i]);
        for (int o = 0; o < 3; o++) CHECK_NEAR(t.target[3 * i + o], o == LABEL[i] ? 0.2 : -0.1, 0);
    }
    rh_task_free(&t);
    static const char *const ORDER[] = { "versicolor", "setosa", "never" };
    d.classes = ORDER;
    d.n_class = 3;
    assert_int_equal(make(&t, &d, "x,y,c\n1,2,setosa\n1,2,versicolor\n", &e), RHEO_OK);
    assert_int_equal(t.label[0], 1);
    assert_int_equal(t.label[1], 0);
    assert_int_equal(t.n_out, 3);
    rh_task_free(&t);
    assert_int_equal(make(&t, &d, "x,y,c\n1,2,setosa\n1,2,versicolour\n", &e), RHEO_E_PARSE);
    assert_int_equal(e.code, RH_CODE_LABEL);
    assert_int_equal(e.line, 3);
    assert_int_equal(e.col, 5);
    assert_string_equal(e.hint, "did you mean 'versicolor'?");
    assert_int_equal(make(&t, &d, "x,y,c\n1,2,setosa\n1,2,\n", &e), RHEO_E_PARSE);
    assert_string_equal(e.msg, "row 2 has no value in column 'c'");
}

static void too_many_classes_are_no_classes(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    d.label = "c";
    char *text = malloc(64000);
    assert_non_null(text);
    char *p = text + sprintf(text, "x,y,c\n");
    for (int i = 0; i <= RH_MAX_CLASS; i++) p += sprintf(p, "%d,1,%d.5\n", i, i);
    rh_task t;
    rheo_error e;
    assert_int_equal(make(&t, &d, text, &e), RHEO_E_LIMIT);
    assert_int_equal(e.code, RH_CODE_LABEL);
    free(text);
}

static void wrong_settings_are_refused(void **state) {
    (void)state;
    rh_csv_task_def d = two_columns();
    rh_task t;
    rheo_error e;
    assert_int_equal(make(&t, &d, "x,y,z\n1,2,3\n", &e), RHEO_E_USAGE);
    d.targets = Z;
    d.n_target = 1;
    d.test = 0.95;
    assert_int_equal(make(&t, &d, "x,y,z\n1,2,3\n", &e), RHEO_E_RANGE);
    d.test = NAN;
    assert_int_equal(make(&t, &d, "x,y,z\n1,2,3\n", &e), RHEO_E_RANGE);
    d.test = 0.9;
    assert_int_equal(make(&t, &d, "x,y,z\n1,2,3\n", &e), RHEO_OK); /* one row stays in training */
    assert_int_equal(t.n_train, 1);
    rh_task_free(&t);
    d.test = 0;
    assert_int_equal(make(&t, &d, "x,yy,z\n1,2,3\n", &e), RHEO_E_PARSE);
    assert_int_equal(e.code, RH_CODE_SAMPLES);
}

static void damaged_tables_are_harmless(void **state) {
    (void)state;
    static const char TEXT[] = "x,y,c\r\n1,\"2\",a\r\n3,4,\"b \"\"q\"\"\"\n5,6,c\n";
    static const char HOSTILE[] = "\0\"\r\n,;\t \xFF"
                                  "a";
    rh_csv_task_def d = two_columns();
    d.label = "c";
    for (size_t k = 0; k < sizeof(TEXT); k++)
        for (size_t j = 0; j <= sizeof(HOSTILE); j++) {
            char copy[sizeof(TEXT)];
            memcpy(copy, TEXT, sizeof(TEXT));
            size_t n = sizeof(TEXT) - 1;
            if (j == sizeof(HOSTILE))
                n = k;
            else
                copy[k] = HOSTILE[j];
            rh_csv t;
            rh_task u = { 0 };
            rheo_error e = { 0 };
            if (parse_n(&t, copy, n, &e) != RHEO_OK) {
                assert_true(e.line >= 1 && e.line <= 5 && e.msg[0]);
                continue;
            }
            if (rh_csv_task_rows(&u, &d, &t, t.n_row, &e) != RHEO_OK) assert_true(e.msg[0]);
            rh_task_free(&u);
            rh_csv_free(&t);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_all_dialects_read_the_same),
        cmocka_unit_test(quotes_hold_anything),
        cmocka_unit_test(improper_tables_are_refused_at_their_place),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(columns_are_scaled_to_the_range),
        cmocka_unit_test(differential_inputs_mirror_about_the_middle),
        cmocka_unit_test(extreme_numbers_scale_or_are_refused),
        cmocka_unit_test(test_rows_do_not_leak_into_the_scale),
        cmocka_unit_test(classes_are_split_evenly_and_repeatably),
        cmocka_unit_test(labels_become_levels),
        cmocka_unit_test(too_many_classes_are_no_classes),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(damaged_tables_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
