/* test_sets.c: files of images, splits, scaling, truth tables, tables without header or in two files; damaged files are
 * refused before anything of the size they claim is allocated. */
#include "check.h"
#include "launch.h"

#include "task/task.h"

#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

enum { N = 30, SIDE = 3, PIXELS = SIDE * SIDE };

static char *dir;

static int make_dir(void **state) {
    (void)state;
    dir = scratch_create();
    return 0;
}
static int drop_dir(void **state) {
    (void)state;
    scratch_remove(dir);
    return 0;
}

static const char *path_of(const char *name) {
    static char path[4][300];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static uint8_t pixel(int i, int k) { return (uint8_t)(17 * i + 31 * k); }

static void put(const char *name, const uint8_t *bytes, size_t n, bool packed) {
    if (packed) {
        gzFile f = gzopen(path_of(name), "wb");
        assert_int_equal(gzwrite(f, bytes, (unsigned)n), n);
        assert_int_equal(gzclose(f), Z_OK);
        return;
    }
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* Images first..first + n - 1 and their labels i % 3. */
static void write_images(const char *image, const char *label, int first, int n, bool packed) {
    uint8_t x[16 + N * PIXELS] = { 0, 0, 8, 3, 0, 0, 0, (uint8_t)n, 0, 0, 0, SIDE, 0, 0, 0, SIDE };
    uint8_t y[8 + N] = { 0, 0, 8, 1, 0, 0, 0, (uint8_t)n };
    for (int i = 0; i < n; i++) {
        y[8 + i] = (uint8_t)((first + i) % 3);
        for (int k = 0; k < PIXELS; k++) x[16 + i * PIXELS + k] = pixel(first + i, k);
    }
    put(image, x, 16 + (size_t)n * PIXELS, packed);
    put(label, y, 8 + (size_t)n, packed);
}

static rh_csv_task_def images_def(void) {
    static char image[300], label[300];
    snprintf(image, sizeof image, "%s", path_of("image"));
    snprintf(label, sizeof label, "%s", path_of("label"));
    return (rh_csv_task_def){
        .file = image, .label_file = label, .range = { 0, 1 }, .level = { -0.1, 0.3 }, .target_range = { NAN, NAN }
    };
}

static rh_task images(const rh_csv_task_def *d) {
    rh_task t;
    rheo_error e = { 0 };
    if (rh_idx_task(&t, d, &e) != RHEO_OK) fail_msg("%s", e.msg);
    return t;
}

/* ---- idx ---- */

static void images_are_their_bytes(void **state) {
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        write_images("image", "label", 0, N, packed);
        const rh_csv_task_def d = images_def();
        rh_task t = images(&d);
        assert_null(t.in);
        assert_int_equal(t.n_sample, N);
        assert_int_equal(t.n_in, PIXELS);
        assert_int_equal(t.n_class, 3);
        assert_int_equal(t.n_out, 3);
        assert_string_equal(t.class_name[2], "2");
        for (int i = 0; i < N; i++) {
            double in[PIXELS];
            rh_task_inputs(&t, i, in);
            assert_int_equal(t.label[i], i % 3);
            for (int k = 0; k < PIXELS; k++) {
                CHECK_NEAR(in[k], pixel(i, k) / 255.0, 1e-15);
                assert_true(rh_task_input(&t, i, k) == in[k]);
            }
            for (int o = 0; o < 3; o++) CHECK_NEAR(t.target[3 * i + o], o == i % 3 ? 0.3 : -0.1, 0);
        }
        rh_task_free(&t);
    }
}

static void inputs_are_scaled_doubled_and_biased(void **state) {
    (void)state;
    static const double BIAS[] = { 1, -0.25 };
    write_images("image", "label", 0, N, false);
    rh_csv_task_def d = images_def();
    d.differential = true;
    d.bias = BIAS;
    d.n_bias = 2;
    for (int way = 0; way < 3; way++) {
        if (way == 1) memcpy(d.range, (double[2]){ -1, 2 }, sizeof d.range), d.from[0] = 51, d.from[1] = 204;
        if (way == 2) d.affine[0] = 0.3 / 0.3081 / 255, d.affine[1] = -0.3 * 0.1307 / 0.3081;
        rh_task t = images(&d);
        assert_int_equal(t.n_in, 2 * PIXELS + 2);
        for (int i = 0; i < N; i++) {
            double in[2 * PIXELS + 2];
            rh_task_inputs(&t, i, in);
            for (int k = 0; k < PIXELS; k++) {
                const double b = pixel(i, k);
                const double x = way == 0   ? b / 255
                                 : way == 1 ? -1 + 3 * (b - 51) / (204 - 51)
                                            : 0.3 * (b / 255 - 0.1307) / 0.3081;
                const double middle = way == 0 ? 0.5 : way == 1 ? 0.5 : 0;
                CHECK_NEAR(in[2 * k], x, 1e-14);
                CHECK_NEAR(in[2 * k + 1], 2 * middle - x, 1e-14);
            }
            CHECK_NEAR(in[2 * PIXELS], 1, 0);
            CHECK_NEAR(in[2 * PIXELS + 1], -0.25, 0);
        }
        rh_task_free(&t);
    }
}

static void a_test_file_is_tested(void **state) {
    (void)state;
    write_images("image", "label", 0, 20, true);
    write_images("image2", "label2", 20, 10, false);
    rh_csv_task_def d = images_def();
    d.test_file = path_of("image2");
    d.test_label_file = path_of("label2");
    d.validation = 0.25;
    rh_task t = images(&d);
    assert_int_equal(t.n_sample, 30);
    assert_int_equal(t.n_test, 10);
    assert_int_equal(t.n_train + t.n_validation, 20);
    assert_true(t.n_validation >= 4 && t.n_validation <= 6);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(t.test[i], 20 + i);
        CHECK_NEAR(rh_task_input(&t, 20 + i, 5), pixel(20 + i, 5) / 255.0, 1e-15);
    }
    rh_task_free(&t);
}

static void classes_can_be_ordered(void **state) {
    (void)state;
    static const char *const ORDER[] = { "2", "0", "1" }, *const FEW[] = { "0", "1" };
    write_images("image", "label", 0, N, false);
    rh_csv_task_def d = images_def();
    d.classes = ORDER;
    d.n_class = 3;
    rh_task t = images(&d);
    for (int i = 0; i < N; i++) assert_int_equal(t.label[i], (i + 1) % 3);
    rh_task_free(&t);
    d.classes = FEW;
    d.n_class = 2;
    rheo_error e = { 0 };
    assert_int_equal(rh_idx_task(&t, &d, &e), RHEO_E_PARSE);
    assert_int_equal(e.code, RH_CODE_LABEL);
}

/* Reads n bytes as an idx file: it must be refused by a word about it. */
static void refused(const uint8_t *x, size_t n, bool packed) {
    put("bad", x, n, packed);
    rh_idx out;
    rheo_error e = { 0 };
    const rheo_status st = rh_idx_read(&out, path_of("bad"), &e);
    if (st == RHEO_OK || e.code != RH_CODE_IDX) fail_msg("%zu bytes: status %d, code %d %s", n, st, e.code, e.msg);
    assert_null(out.x);
}

static void damaged_files_are_refused(void **state) {
    (void)state;
    const uint8_t good[] = { 0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6 };
    rh_idx out;
    for (int packed = 0; packed < 2; packed++) {
        put("bad", good, sizeof good, packed);
        CHECK_OK(rh_idx_read(&out, path_of("bad"), NULL));
        assert_int_equal(out.n, 2);
        assert_int_equal(out.width, 3);
        assert_memory_equal(out.x, good + 12, 6);
        rh_idx_free(&out);
        for (size_t n = 0; n < sizeof good; n++) refused(good, n, packed);
        uint8_t longer[sizeof good + 1] = { 0 };
        memcpy(longer, good, sizeof good);
        refused(longer, sizeof longer, packed);
        for (int at = 0; at < 4; at++) { /* magic, type, number of dimensions */
            uint8_t other[sizeof good];
            memcpy(other, good, sizeof good);
            other[at] = at == 3 ? 0 : 9;
            refused(other, sizeof other, packed);
            other[3] = 5;
            refused(other, sizeof other, packed);
        }
        /* sizes that would need memory, or overflow, or are 0 */
        const uint8_t size[][8] = { { 0x7F, 255, 255, 255, 0x7F, 255, 255, 255 },
                                    { 0, 0, 255, 255, 0, 0, 255, 255 },
                                    { 0, 0, 0, 0, 0, 0, 0, 3 },
                                    { 0x3F, 255, 255, 255, 0, 0, 0, 1 } };
        for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
            uint8_t other[sizeof good];
            memcpy(other, good, sizeof good);
            memcpy(other + 4, size[k], 8);
            refused(other, sizeof other, packed);
        }
    }
    /* a gzip file cut anywhere, or with a flipped bit, is refused or (in its header) the same as before */
    size_t n;
    put("bad", good, sizeof good, true);
    char *const zip = scratch_read(dir, "bad", &n);
    for (size_t cut = 2; cut < n; cut++) refused((const uint8_t *)zip, cut, false);
    for (size_t at = 10; at < n; at++) {
        zip[at] ^= 4;
        put("bad", (const uint8_t *)zip, n, false);
        rheo_error e = { 0 };
        if (rh_idx_read(&out, path_of("bad"), &e) == RHEO_OK) fail_msg("a flipped bit in byte %zu goes unseen", at);
        zip[at] ^= 4;
    }
    free(zip);
    assert_int_equal(rh_idx_read(&out, path_of("nowhere"), NULL), RHEO_E_IO);
}

static void pairs_of_files_must_fit(void **state) {
    (void)state;
    write_images("image", "label", 0, 20, false);
    write_images("image2", "label2", 0, 19, false);
    rh_csv_task_def d = images_def();
    rh_task t;
    rheo_error e = { 0 };
    d.label_file = path_of("label2");
    assert_int_equal(rh_idx_task(&t, &d, &e), RHEO_E_PARSE);
    assert_int_equal(e.code, RH_CODE_IDX);
    d.label_file = path_of("image"); /* images are no labels */
    e = (rheo_error){ 0 };
    assert_int_equal(rh_idx_task(&t, &d, &e), RHEO_E_PARSE);
    assert_int_equal(e.code, RH_CODE_IDX);
}

/* `rheo check` of an experiment with this task: exit code 1, and the message. */
static void check_says(const char *task, const char *place, const char *msg, const char *hint) {
    char yaml[800], whole[600];
    launched r;
    snprintf(yaml, sizeof yaml,
             "version: 1\nnetlist: n.cir\ntask:\n  kind: idx\n  inputs: [i1, i2]\n  outputs: [a, b]\n%s", task);
    scratch_write(dir, "e.yaml", yaml);
    launch_with(&r, "check", path_of("e.yaml"), (const char *)NULL);
    snprintf(whole, sizeof whole, "e.yaml:%s: error[%s\n", place, msg);
    if (r.exit == 0 || !strstr(r.err, whole) || (hint && !strstr(r.err, hint)))
        fail_msg("%s\nsays\n%s\nand not\n%s%s", task, r.err, whole, hint ? hint : "");
    launch_free(&r);
}

static void messages_say_what_stands_in_the_place(void **state) {
    (void)state;
    const struct {
        const char *bytes;
        size_t n;
        const char *what, *hint;
    } FILES[] = {
        { "", 0, "the file is empty", NULL },
        { "<!DOCTYPE html>", 15, "this is a web page, no idx file",
          "~ a server answered with a page: fetch the file itself\n" },
        { "x,y\n1,2\n", 8, "this is text, no idx file", "~ tables are read by kind: csv\n" },
        { "version https://git-lfs", 23, "this is text, no idx file: perhaps what Git LFS leaves in its place",
          "git lfs pull\n" },
        { "\x89PNG\r\n\x1a\n", 8, "this is a picture, no idx file", "~ all images stand in one file" },
        { "\xFF\xD8\xFF\xE0", 4, "this is a picture, no idx file", "~ all images stand in one file" },
        { "PK\3\4xxxx", 8, "this is a zip archive, no idx file", "~ unpack it first\n" },
        { "\x93NUMPY\1\0", 8, "this is a NumPy array, no idx file", "rheo explain E063\n" },
        { "BZh9xxxx", 8, "this is packed by bzip2: plain and gzipped idx files are read", "~ unpack it first\n" },
        { "\3\x08\0\0\0\0\0\2", 8, "its numbers have their bytes the other way round", "~ idx files are big-endian\n" },
        { "\1\2\3\4\5", 5, "this is no idx file", "~ it begins with two zero bytes: rheo explain E063\n" },
        { "\0\0\x0D\3\0\0\0\2", 8, "it holds floats (type 13), and only unsigned bytes (type 8) are read",
          "~ map them to 0..255" },
        { "\0\0\x08\3\0\0\0\2", 8, "the file ends too early", "~ was it copied or downloaded in part only?\n" },
    };
    const uint8_t two[] = { 0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6 },
                  one[] = { 0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 0 }, four[] = { 0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1 };
    put("two", two, sizeof two, false);
    put("one", one, sizeof one, false);
    put("four", four, sizeof four, false);
    put("packed.gz", two, sizeof two, true);
    scratch_write(
        dir, "n.cir",
        "t\n*@ rheo version=1\nV1 i1 0 1\nV2 i2 0 1\nR1 i1 a 1k\nR2 i2 b 1k\nR3 a b 1k\nR4 b 0 1k\n*@ learn R*\n");
    char path[300], msg[500];
    for (size_t k = 0; k < sizeof FILES / sizeof *FILES; k++) {
        put("strange", (const uint8_t *)FILES[k].bytes, FILES[k].n, false);
        snprintf(msg, sizeof msg, "E063]: %s: %s", path_of("strange"), FILES[k].what);
        check_says("  file: strange\n  labels: one\n", "7:9", msg, FILES[k].hint);
        check_says("  file: two\n  labels: strange\n", "8:11", msg, FILES[k].hint); /* its own line */
    }
    snprintf(path, sizeof path, "%s", path_of("one"));
    snprintf(msg, sizeof msg, "E063]: %s: labels are one byte each, and these items have more", path_of("two"));
    check_says("  file: one\n  labels: two\n", "8:11", msg, "~ are images and labels exchanged?\n");
    check_says("  file: two\n  labels: two\n", "8:11", msg, "~ is this a file of images? Labels");
    snprintf(msg, sizeof msg, "E063]: %s: 4 labels for 3 images", path_of("four"));
    check_says("  file: two\n  labels: one\n  test_file: two\n  test_labels: four\n", "10:16", msg,
               "is it the other one?\n");
    snprintf(msg, sizeof msg, "E401]: cannot open '%s': No such file or directory", path_of("two.gz"));
    snprintf(path, sizeof path, "~ there is '%s'\n", path_of("two"));
    check_says("  file: two.gz\n  labels: one\n", "7:9", msg, path);
    snprintf(msg, sizeof msg, "E401]: cannot open '%s': No such file or directory", path_of("packed"));
    snprintf(path, sizeof path, "~ there is '%s'\n", path_of("packed.gz"));
    check_says("  file: packed\n  labels: one\n", "7:9", msg, path);
    snprintf(msg, sizeof msg, "E401]: cannot open '%s': No such file or directory", path_of("nowhere"));
    check_says("  file: two\n  labels: nowhere\n", "8:11", msg, "~ names count from the folder of the experiment\n");
    check_says("  file: two\n  labels: one\n  differential: true\n", "5:11",
               "E171]: an image of 2 bytes takes 4 inputs, but there are 2", "^ one input per byte, two with");
    check_says("  file: two\n  labels: one\n  classes: [0]\n", "9:12",
               "E172]: sample 2 has label 1, which is not listed", "samples are not chosen by it\n");
    check_says("  file: two\n  labels: one\n  digits: [0, 1]\n", "9:3",
               "E151]: unknown key 'digits' in 'task' of kind 'idx'",
               "~ 'classes: [0, 1, ...]' gives the labels an order; all samples of the file are used\n");
    check_says("  file: two\n  labels: one\n  max: 2\n", "9:3", "E151]: unknown key 'max' in 'task' of kind 'idx'",
               "~ 'train: 1000' takes a thousand of the samples, 'train_rows: [1, 1000]' the first thousand\n");
    check_says("  images: two\n  labels: one\n", "7:3", "E151]: unknown key 'images' in 'task' of kind 'idx'",
               "~ write file: for the images\n");
}

/* ---- splits ---- */

/* Every index at most once, rising; returns the number of indices. */
static int once(const rh_task *t) {
    const int *const list[] = { t->train, t->validation, t->test }, n[] = { t->n_train, t->n_validation, t->n_test };
    int *const seen = calloc((size_t)t->n_sample, sizeof *seen), count = 0;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < n[s]; i++) {
            assert_true(list[s][i] >= 0 && list[s][i] < t->n_sample && seen[list[s][i]]++ == 0);
            assert_true(i == 0 || list[s][i] > list[s][i - 1]);
            count++;
        }
    free(seen);
    return count;
}

static int of_class(const rh_task *t, const int *list, int n, int c) {
    int count = 0;
    for (int i = 0; i < n; i++) count += t->label[list[i]] == c;
    return count;
}

static void splits_keep_their_numbers(void **state) {
    (void)state;
    write_images("image", "label", 0, N, false);
    const struct {
        double train, validation, test;
        int n[3];
    } CASES[] = { { 0, 0, 0, { 30, 0, 0 } },    { 0, 0.2, 0.2, { 18, 6, 6 } }, { 0, 6, 9, { 15, 6, 9 } },
                  { 12, 6, 0.2, { 12, 6, 6 } }, { 0.1, 0, 0.5, { 3, 0, 15 } }, { 7, 7, 7, { 7, 7, 7 } },
                  { 1, 1, 1, { 1, 1, 1 } } };
    for (int k = 0; k < RH_COUNT(CASES); k++)
        for (uint64_t seed = 1; seed < 4; seed++) {
            rh_csv_task_def d = images_def();
            d.train = CASES[k].train;
            d.validation = CASES[k].validation;
            d.test = CASES[k].test;
            d.seed = seed;
            rh_task t = images(&d), u = images(&d);
            const int want = CASES[k].n[0] + CASES[k].n[1] + CASES[k].n[2];
            assert_int_equal(once(&t), want);
            assert_int_equal(t.n_train, CASES[k].n[0]);
            assert_int_equal(t.n_validation, CASES[k].n[1]);
            assert_int_equal(t.n_test, CASES[k].n[2]);
            for (int c = 0; c < 3; c++) { /* every class has its share */
                CHECK_NEAR(of_class(&t, t.train, t.n_train, c), t.n_train / 3.0, 1);
                CHECK_NEAR(of_class(&t, t.test, t.n_test, c), t.n_test / 3.0, 1);
            }
            assert_memory_equal(t.train, u.train, (size_t)t.n_train * sizeof(int));
            if (t.n_test) assert_memory_equal(t.test, u.test, (size_t)t.n_test * sizeof(int));
            d.seed = seed + 100;
            rh_task v = images(&d);
            if (t.n_test > 1 && want == N) assert_memory_not_equal(t.test, v.test, (size_t)t.n_test * sizeof(int));
            rh_task_free(&t);
            rh_task_free(&u);
            rh_task_free(&v);
        }
}

static void rows_can_be_named(void **state) {
    (void)state;
    write_images("image", "label", 0, N, false);
    rh_csv_task_def d = images_def();
    memcpy(d.rows, (int[3][2]){ { 1, 10 }, { 21, 22 }, { 30, 30 } }, sizeof d.rows);
    rh_task t = images(&d);
    assert_int_equal(once(&t), 13);
    assert_int_equal(t.train[9], 9);
    assert_int_equal(t.validation[0], 20);
    assert_int_equal(t.test[0], 29);
    rh_task_free(&t);
    static const int WRONG[][3][2] = { { { 1, 10 }, { 10, 12 }, { 0, 0 } },
                                       { { 1, 31 }, { 0, 0 }, { 0, 0 } },
                                       { { 5, 4 }, { 0, 0 }, { 0, 0 } },
                                       { { 0, 0 }, { 1, 2 }, { 3, 4 } } };
    for (int k = 0; k < RH_COUNT(WRONG); k++) {
        memcpy(d.rows, WRONG[k], sizeof d.rows);
        rheo_error e = { 0 };
        assert_int_equal(rh_idx_task(&t, &d, &e), RHEO_E_RANGE);
        assert_int_equal(e.code, RH_CODE_SPLIT);
    }
    memset(d.rows, 0, sizeof d.rows);
    d.test = 31;
    assert_int_equal(rh_idx_task(&t, &d, NULL), RHEO_E_RANGE);
    d.test = 30;
    assert_int_equal(rh_idx_task(&t, &d, NULL), RHEO_E_RANGE); /* nothing to train with */
}

/* ---- truth tables ---- */

static void truth_tables_are_true(void **state) {
    (void)state;
    static const double BIAS[] = { 0.5 };
    static const int WANT[4][3] = { { 0, 0, 0 }, { 1, 0, 1 }, { 1, 0, 1 }, { 1, 1, 0 } }; /* or and xor */
    const int function[] = { 1, 0, 2 };
    rh_csv_task_def d = { .differential = true, .range = { -2, 2 }, .level = { -0.3, 0.3 }, .bias = BIAS, .n_bias = 1 };
    rh_task t;
    assert_string_equal(RH_LOGICS[1].name, "or");
    assert_string_equal(RH_LOGICS[0].name, "and");
    assert_string_equal(RH_LOGICS[2].name, "xor");
    CHECK_OK(rh_logic_task(&t, &d, function, 3, 2, NULL));
    assert_int_equal(t.n_sample, 4);
    assert_int_equal(t.n_in, 5);
    for (int i = 0; i < 4; i++) {
        const double x = i & 2 ? 2 : -2, y = i & 1 ? 2 : -2, want[] = { x, -x, y, -y, 0.5 };
        for (int k = 0; k < 5; k++) CHECK_NEAR(rh_task_input(&t, i, k), want[k], 0);
        for (int o = 0; o < 3; o++) CHECK_NEAR(t.target[3 * i + o], WANT[i][o] ? 0.3 : -0.3, 0);
    }
    rh_task_free(&t);
    for (int f = 0; f < 3; f++) { /* the second half of the list denies the first */
        int pair[2] = { f, f + 3 };
        CHECK_OK(rh_logic_task(&t, &d, pair, 2, 4, NULL));
        assert_int_equal(t.n_sample, 16);
        for (int i = 0; i < 16; i++) CHECK_NEAR(t.target[2 * i] + t.target[2 * i + 1], 0, 0);
        rh_task_free(&t);
    }
}

/* ---- tables ---- */

static void tables_need_no_header(void **state) {
    (void)state;
    static const char *const COLUMNS[] = { "c1", "c3" };
    static const double BIAS[] = { 7 };
    scratch_write(dir, "a.csv", "1,2,3,x\n4,5,6,y\n7,8,9,x\n");
    rh_csv_task_def d = { .file = path_of("a.csv"),
                          .columns = COLUMNS,
                          .n_column = 2,
                          .label = "c4",
                          .no_header = true,
                          .affine = { 0.125, -1 },
                          .level = { 0, 1 },
                          .differential = true,
                          .bias = BIAS,
                          .n_bias = 1 };
    rh_task t;
    CHECK_OK(rh_csv_task(&t, &d, NULL));
    assert_int_equal(t.n_sample, 3);
    assert_int_equal(t.n_in, 5);
    for (int i = 0; i < 3; i++) {
        CHECK_NEAR(t.in[5 * i], (3 * i + 1) / 8.0 - 1, 1e-15);
        CHECK_NEAR(t.in[5 * i + 1], 1 - (3 * i + 1) / 8.0, 1e-15);
        CHECK_NEAR(t.in[5 * i + 2], (3 * i + 3) / 8.0 - 1, 1e-15);
        CHECK_NEAR(t.in[5 * i + 4], 7, 0);
        assert_int_equal(t.label[i], i == 1);
    }
    rh_task_free(&t);
    memset(d.affine, 0, sizeof d.affine);
    memcpy(d.range, (double[2]){ -1, 1 }, sizeof d.range);
    memcpy(d.from, (double[2]){ 0, 16 }, sizeof d.from); /* the same map, said otherwise */
    CHECK_OK(rh_csv_task(&t, &d, NULL));
    for (int i = 0; i < 3; i++) CHECK_NEAR(t.in[5 * i], (3 * i + 1) / 8.0 - 1, 1e-15);
    rh_task_free(&t);
}

static void two_tables_become_one(void **state) {
    (void)state;
    rh_csv a, b;
    scratch_write(dir, "a.csv", "x,y\n1,2\n3,4\n");
    scratch_write(dir, "b.csv", "x,y\n5,6\n7,bad\n");
    scratch_write(dir, "c.csv", "x,z\n5,6\n");
    CHECK_OK(rh_csv_read(&a, path_of("a.csv"), true, NULL));
    CHECK_OK(rh_csv_read(&b, path_of("b.csv"), true, NULL));
    CHECK_OK(rh_csv_append(&a, &b, NULL));
    assert_int_equal(a.n_row, 4);
    assert_string_equal(a.cell[5], "6");
    const rh_loc at = rh_csv_loc(&a, 3, 1);
    assert_int_equal(at.line, 3);
    assert_int_equal(at.col, 3);
    assert_non_null(strstr(at.src->name, "b.csv"));
    rh_csv_free(&a);
    CHECK_OK(rh_csv_read(&a, path_of("a.csv"), true, NULL));
    CHECK_OK(rh_csv_read(&b, path_of("c.csv"), true, NULL));
    assert_int_equal(rh_csv_append(&a, &b, NULL), RHEO_E_PARSE);
    rh_csv_free(&a);
}

/* ---- a run from images on a network that is made in memory ---- */

static void run_ok(launched *r, const char *const *argv) {
    launch(r, argv, NULL, NULL);
    if (r->exit != 0) fail_msg("exit code %d\n%s", r->exit, r->err);
}
#define RUN(r, ...) run_ok(r, (const char *const[]){ __VA_ARGS__, NULL })

static void a_run_counts_classes(void **state) {
    (void)state;
    launched r;
    char exp[300], out[300], again[300], path[400];
    write_images("image", "label", 0, 24, true);
    write_images("image2", "label2", 24, 6, true);
    scratch_write(dir, "exp.yaml",
                  "version: 1\nnetwork: {kind: layered, sizes: [18, 4, 6], inputs: double, outputs: pair, bias: 1}\n"
                  "task: {kind: idx, file: image, labels: label, test_file: image2, test_labels: label2,\n"
                  "  differential: true, bias: [1], range: [-1, 1], validation: 6}\n"
                  "learning: {rule: eqprop, side: centered, loss: softmax-squared, optimizer: adam, rate: 20u,\n"
                  "  rates: {R1_b*: 10u}, schedule: {kind: cosine}, nudge: {kind: current, strength: 1u}}\n"
                  "run: {epochs: 30, batch: 6, checkpoint: 10}\n");
    snprintf(exp, sizeof exp, "%s", path_of("exp.yaml"));
    snprintf(out, sizeof out, "%s", path_of("run"));
    snprintf(again, sizeof again, "%s", path_of("again"));
    RUN(&r, "train", "--json", "-o", out, exp);
    double first = NAN, last = NAN, share[3];
    const char *const done = strstr(r.out, "\"event\":\"done\""), *const last_epoch = strstr(r.out, "\"epoch\":30,");
    assert_int_equal(sscanf(done, "\"event\":\"done\",\"loss_first\":%lf,\"loss_last\":%lf", &first, &last), 2);
    if (!(last < first)) fail_msg("%g -> %g", first, last);
    /* six samples of three classes, two each: every row of the matrix sums to the class */
    const char *const confusion = strstr(last_epoch, "\"confusion_test\":"), *const classes =
                                                                                 strstr(last_epoch,
                                                                                        "\"accuracy_class_test\":");
    int m[9];
    assert_int_equal(sscanf(confusion, "\"confusion_test\":[[%d,%d,%d],[%d,%d,%d],[%d,%d,%d]]", m, m + 1, m + 2, m + 3,
                            m + 4, m + 5, m + 6, m + 7, m + 8),
                     9);
    for (int i = 0; i < 3; i++) assert_int_equal(m[3 * i] + m[3 * i + 1] + m[3 * i + 2], 2);
    assert_int_equal(sscanf(classes, "\"accuracy_class_test\":[%lf,%lf,%lf]", share, share + 1, share + 2), 3);
    for (int i = 0; i < 3; i++) CHECK_NEAR(share[i], m[4 * i] / 2.0, 1e-15);
    assert_non_null(strstr(done, "\"accuracy_validation\":"));
    assert_null(strstr(done, "\"accuracy_validation\":null"));
    launch_free(&r);
    /* trained.cir is a netlist; the run again from its own config.yaml gives the same bytes */
    snprintf(path, sizeof path, "%s/trained.cir", out);
    RUN(&r, "check", "-q", path);
    launch_free(&r);
    snprintf(path, sizeof path, "%s/config.yaml", out);
    RUN(&r, "train", "-q", "--threads", "3", "-o", again, path);
    launch_free(&r);
    size_t n, k;
    char *const a = scratch_read(out, "result.npz", &n), *const b = scratch_read(again, "result.npz", &k);
    assert_int_equal(n, k);
    assert_memory_equal(a, b, n);
    assert_non_null(memmem(a, n, "confusion_validation", 20));
    free(a);
    free(b);
}

/* ---- the real ones, where they are ---- */

static void mnist_is_read_whole(void **state) {
    (void)state;
    static const char ROOT[] = "../shared/data/mnist/";
    char file[4][200];
    static const char *const NAMES[] = { "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz" };
    for (int i = 0; i < 4; i++) snprintf(file[i], sizeof file[i], "%s%s", ROOT, NAMES[i]);
    if (access(file[0], R_OK) != 0) {
        print_message("%s is not here\n", file[0]);
        skip();
    }
    rh_csv_task_def d = { .file = file[0],
                          .label_file = file[1],
                          .test_file = file[2],
                          .test_label_file = file[3],
                          .range = { 0, 1 },
                          .level = { 0, 1 },
                          .validation = 5000,
                          .differential = true };
    rh_task t;
    CHECK_OK(rh_idx_task(&t, &d, NULL));
    assert_int_equal(t.n_sample, 70000);
    assert_int_equal(t.n_in, 1568);
    assert_int_equal(t.n_train, 55000);
    assert_int_equal(t.n_validation, 5000);
    assert_int_equal(t.n_test, 10000);
    static const int ZEROS_TO_NINES[] = { 5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949 };
    int count[10] = { 0 };
    for (int i = 0; i < 60000; i++) count[t.label[i]]++;
    assert_memory_equal(count, ZEROS_TO_NINES, sizeof count);
    double sum = 0; /* the mean that everybody quotes */
    for (int i = 0; i < 60000; i++)
        for (int k = 0; k < 784; k++) sum += t.bytes.x[(size_t)i * 784 + (size_t)k];
    CHECK_NEAR(sum / 255 / 784 / 60000, 0.1307, 5e-5);
    rh_task_free(&t);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    if (!getenv("RHEO_ASAN") && use.ru_maxrss > 200000) fail_msg("%ld kB were needed", use.ru_maxrss);
}

static void digits_are_read(void **state) {
    (void)state;
    static const char TRAIN[] = "../shared/data/digits/optdigits.tra", TEST[] = "../shared/data/digits/optdigits.tes";
    if (access(TRAIN, R_OK) != 0) {
        print_message("%s is not here\n", TRAIN);
        skip();
    }
    char text[64][16];
    const char *column[64];
    for (int k = 0; k < 64; k++) snprintf(text[k], sizeof text[k], "Block %d", k + 1), column[k] = text[k];
    rh_csv_task_def d = { .file = TRAIN,
                          .columns = column,
                          .n_column = 64,
                          .label = "Class",
                          .affine = { 0.125, -1 },
                          .level = { 0, 1 },
                          .differential = true };
    rh_csv a, b;
    CHECK_OK(rh_csv_read(&a, TRAIN, true, NULL));
    CHECK_OK(rh_csv_read(&b, TEST, true, NULL));
    const int n_pool = a.n_row;
    CHECK_OK(rh_csv_append(&a, &b, NULL));
    rh_task t;
    CHECK_OK(rh_csv_task_rows(&t, &d, &a, n_pool, NULL));
    assert_int_equal(t.n_train, 3823);
    assert_int_equal(t.n_test, 1797);
    assert_int_equal(t.n_class, 10);
    for (int i = 0; i < t.n_sample * t.n_in; i++) assert_true(fabs(t.in[i]) <= 1);
    rh_task_free(&t);
    rh_csv_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mnist_is_read_whole), /* first: the peak of memory is that of the process */
        cmocka_unit_test(images_are_their_bytes),
        cmocka_unit_test(inputs_are_scaled_doubled_and_biased),
        cmocka_unit_test(a_test_file_is_tested),
        cmocka_unit_test(classes_can_be_ordered),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(pairs_of_files_must_fit),
        cmocka_unit_test(messages_say_what_stands_in_the_place),
        cmocka_unit_test(splits_keep_their_numbers),
        cmocka_unit_test(rows_can_be_named),
        cmocka_unit_test(truth_tables_are_true),
        cmocka_unit_test(tables_need_no_header),
        cmocka_unit_test(two_tables_become_one),
        cmocka_unit_test(a_run_counts_classes),
        cmocka_unit_test(digits_are_read),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
