/* Checkpoints: what is written is read back, and nothing that was damaged is believed. */
#include "check.h"

#include "run/checkpoint.h"

#include <sys/stat.h>
#include <unistd.h>

static const double WEIGHTS[] = { 1.5, -2.25, NAN };
static const char WORD[] = "memory";
static const char SETTINGS[] = "version: 1\nlearning:\n  rate: 0.1\n  nudge:\n    kind: current\n";

static rh_checkpoint example(uint64_t generation) {
    rh_checkpoint c = {
        .part = { 0x1234567890abcdefu, 0xfedcba0987654321u, 0x0f1e2d3c4b5a6978u },
        .generation = generation,
        .at = { .epoch = 7, .position = 3, .step = 101, .metric_bytes = 555, .metric_lines = 8, .flags = 1 },
        .n_section = 4
    };
    c.section[0] = (rh_section){ "g", WEIGHTS, sizeof WEIGHTS };
    c.section[1] = (rh_section){ "word", WORD, sizeof WORD };
    c.section[2] = (rh_section){ "empty", NULL, 0 };
    c.section[3] = (rh_section){ RH_SETTINGS, SETTINGS, sizeof SETTINGS - 1 };
    return c;
}

static rh_identity identity(void) {
    const rh_checkpoint c = example(1);
    rh_identity id = { .settings = SETTINGS };
    memcpy(id.part, c.part, sizeof id.part);
    return id;
}

static void encode(const rh_checkpoint *c, char **bytes, size_t *n) {
    rheo_error err = { 0 };
    assert_int_equal(rh_checkpoint_encode(c, bytes, n, &err), RHEO_OK);
}

static void same(const rh_checkpoint *got, const rh_checkpoint *want) {
    assert_memory_equal(got->part, want->part, sizeof got->part);
    assert_true(got->generation == want->generation);
    assert_memory_equal(&got->at, &want->at, sizeof got->at);
    assert_int_equal(got->n_section, want->n_section);
    for (int i = 0; i < want->n_section; i++) {
        const rh_section *const s = rh_checkpoint_find(got, want->section[i].name);
        assert_non_null(s);
        assert_int_equal(s->bytes, want->section[i].bytes);
        if (s->bytes) assert_memory_equal(s->data, want->section[i].data, s->bytes);
    }
}

static void what_is_written_is_read_back(void **state) {
    (void)state;
    const rh_checkpoint c = example(5);
    char *bytes;
    size_t n;
    encode(&c, &bytes, &n);
    rh_checkpoint back;
    rheo_error err = { 0 };
    assert_int_equal(rh_checkpoint_decode(&back, bytes, n, &err), RHEO_OK);
    same(&back, &c);
    assert_null(rh_checkpoint_find(&back, "other"));
    rh_checkpoint_free(&back);
}

/* decode of damaged bytes: must fail with RHEO_E_IO and leave the bytes to the caller. The copy has exactly n bytes, so
 * that a sanitizer sees a read past the end. */
static void refused(const char *bytes, size_t n, const char *what, size_t where) {
    char *const copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    rh_checkpoint back;
    rheo_error err = { 0 };
    if (rh_checkpoint_decode(&back, copy, n, &err) != RHEO_E_IO) fail_msg("%s %zu was not noticed", what, where);
    assert_int_equal(err.code, 405);
    free(copy);
}

static void every_flipped_bit_is_noticed(void **state) {
    (void)state;
    const rh_checkpoint c = example(1);
    char *bytes;
    size_t n;
    encode(&c, &bytes, &n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        refused(bytes, n, "flipped bit", bit);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    rh_free(bytes);
}

static void every_truncation_is_noticed(void **state) {
    (void)state;
    const rh_checkpoint c = example(1);
    char *bytes;
    size_t n;
    encode(&c, &bytes, &n);
    for (size_t k = 0; k < n; k++) refused(bytes, k, "truncation to", k);
    char *const longer = calloc(n + 1, 1);
    memcpy(longer, bytes, n);
    refused(longer, n + 1, "a byte behind", n);
    free(longer);
    rh_free(bytes);
}

/* A writer with bad intent can make all checksums right: sizes must still be held against the file. */
static void forged_sizes_are_noticed(void **state) {
    (void)state;
    const rh_checkpoint c = example(1);
    const uint64_t sizes[] = { 1, 25, 1u << 20, UINT64_MAX, UINT64_MAX - 47, UINT64_MAX / 2 };
    const size_t header = 112, at = header + RH_SECTION_NAME;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *bytes;
        size_t n;
        encode(&c, &bytes, &n);
        memcpy(bytes + at, &sizes[i], sizeof sizes[i]);
        const uint64_t crc = rh_crc32c(0, bytes, n - 16);
        memcpy(bytes + n - 8, &crc, sizeof crc);
        refused(bytes, n, "forged size", i);
        rh_free(bytes);
    }
}

/* ---- on disk ---- */

typedef struct seen {
    int n;
    char last[400];
} seen;
static void note(void *user, const rheo_error *e) {
    seen *const s = user;
    s->n++;
    snprintf(s->last, sizeof s->last, "%s", e->msg);
}

static char *folder(void) {
    char *const path = strdup("/tmp/rheo_checkpoint_XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static void remove_folder(char *path) {
    const char *const name[] = { "a.ckpt", "b.ckpt" };
    for (int i = 0; i < 2; i++) {
        char *const file = rh_path_join(path, name[i]);
        unlink(file);
        rh_free(file);
    }
    assert_int_equal(rmdir(path), 0);
    free(path);
}

static void write_generation(const char *path, uint64_t generation) {
    const rh_checkpoint c = example(generation);
    rheo_error err = { 0 };
    assert_int_equal(rh_checkpoint_write(path, &c, &err), RHEO_OK);
}

static void damage(const char *path, const char *name) {
    char *const file = rh_path_join(path, name);
    FILE *const f = fopen(file, "r+b");
    assert_non_null(f);
    fseek(f, 150, SEEK_SET);
    const int c = fgetc(f);
    fseek(f, 150, SEEK_SET);
    fputc(c ^ 16, f);
    assert_int_equal(fclose(f), 0);
    rh_free(file);
}

static rheo_status read_newest(const char *path, const rh_identity *id, rh_checkpoint *c, bool *found, seen *s,
                               rheo_error *err) {
    const rheo_log log = { note, s };
    *s = (seen){ 0 };
    *err = (rheo_error){ 0 };
    return rh_checkpoint_read(path, id, c, found, &log, err);
}

static void the_newest_good_generation_is_taken(void **state) {
    (void)state;
    char *const path = folder();
    rh_checkpoint c = { 0 };
    bool found = true;
    seen s;
    rheo_error err;
    const rh_identity of_example = identity(), *const config = &of_example;
    assert_int_equal(read_newest(path, config, &c, &found, &s, &err), RHEO_OK);
    assert_false(found);
    for (uint64_t g = 1; g <= 4; g++) {
        write_generation(path, g);
        assert_int_equal(read_newest(path, config, &c, &found, &s, &err), RHEO_OK);
        assert_true(found && c.generation == g && s.n == 0);
        const rh_checkpoint want = example(g);
        same(&c, &want);
        rh_checkpoint_free(&c);
    }
    damage(path, "b.ckpt"); /* generation 4 */
    assert_int_equal(read_newest(path, config, &c, &found, &s, &err), RHEO_OK);
    assert_true(found && c.generation == 3);
    assert_int_equal(s.n, 1);
    assert_non_null(strstr(s.last, "b.ckpt"));
    rh_checkpoint_free(&c);
    damage(path, "a.ckpt");
    assert_int_equal(read_newest(path, config, &c, &found, &s, &err), RHEO_E_IO);
    assert_int_equal(err.code, 405);
    assert_int_equal(s.n, 2);
    remove_folder(path);
}

static void another_experiment_is_refused(void **state) {
    (void)state;
    char *const path = folder();
    write_generation(path, 1);
    rh_checkpoint c = { 0 };
    bool found;
    seen s;
    rheo_error err;
    static const char *const PART[] = { "learning.nudge.kind was current and is voltage", "the circuit is another",
                                        "the samples are others" };
    for (int k = 0; k < RH_N_PART; k++) {
        rh_identity id = identity();
        id.part[k]++;
        id.settings = "version: 1\nlearning:\n  rate: 0.1\n  nudge:\n    kind: voltage\n";
        assert_int_equal(read_newest(path, &id, &c, &found, &s, &err), RHEO_E_IO);
        assert_int_equal(err.code, 406);
        assert_non_null(strstr(err.hint, "rheo resume"));
        for (int j = 0; j < RH_N_PART; j++) assert_int_equal(strstr(s.last, PART[j]) != NULL, j == k);
    }
    remove_folder(path);
}

static void the_first_difference_is_named(void **state) {
    (void)state;
    static const char *const CASES[][3] = {
        { "seed: 1\nrun:\n  batch: 1\n", "seed: 1\nrun:\n  batch: 4\n", "run.batch was 1 and is 4" },
        { "seed: 1\nrun:\n  batch: 1\n", "seed: 2\nrun:\n  batch: 4\n", "seed was 1 and is 2" },
        { "a:\n  b: 1\n", "a:\n  b: 1\n  c: 2\n", "a.c was not there" },
        { "a:\n  b: 1\n  c: 2\n", "a:\n  b: 1\n", "a.c was there" },
        { "a:\n  b: 1\nd: 2\n", "a:\n  b: 1\n  d: 2\n", "a.d was not there" },
        { "", "a: 1\n", "a was not there" },
        { "a: \x1b[31m\n", "a: 1\n", "a was \\x1B[31m and is 1" },
        { "a: 1\n", "a: 1\n", "other settings" },
    };
    for (int i = 0; i < RH_COUNT(CASES); i++) {
        char *const old = rh_strndup(CASES[i][0], strlen(CASES[i][0])); /* sanitizers see a read past the end */
        char said[200];
        assert_non_null(old);
        rh_settings_difference(old, strlen(old), CASES[i][1], said, sizeof said);
        assert_string_equal(said, CASES[i][2]);
        rh_free(old);
    }
}

static void hash_is_fnv1a(void **state) {
    (void)state;
    /* Fowler, Noll and Vo's published values for "" and "foobar". */
    assert_true(rh_hash(RH_HASH_START, "", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(rh_hash(RH_HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_truncation_is_noticed),         cmocka_unit_test(forged_sizes_are_noticed),
        cmocka_unit_test(the_newest_good_generation_is_taken), cmocka_unit_test(another_experiment_is_refused),
        cmocka_unit_test(the_first_difference_is_named),       cmocka_unit_test(hash_is_fnv1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
