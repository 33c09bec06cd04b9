/* Tests of base: memory, messages, text, numbers, settings, random numbers, files, arrays on disk. */
#include "check.h"

#include "base/base.h"

#include <float.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- memory ---- */

static void memory_is_zeroed_and_overflow_is_refused(void **state) {
    (void)state;
    unsigned char *p = rh_alloc(1000);
    assert_non_null(p);
    for (int k = 0; k < 1000; k++) assert_int_equal(p[k], 0);
    rh_free(p);
    p = rh_alloc(0);
    assert_non_null(p);
    rh_free(p);
    volatile size_t huge = SIZE_MAX; /* volatile: the compiler must not judge the size */
    assert_null(rh_alloc(huge));
    assert_null(rh_calloc(huge / 2, 4));
    assert_null(rh_realloc(NULL, huge / 4, 8));
    char *s = rh_strndup("abcdef", 3);
    assert_string_equal(s, "abc");
    rh_free(s);
}

static void grow_keeps_what_is_there(void **state) {
    (void)state;
    int *v = NULL, cap = 0;
    for (int n = 1; n <= 1000; n++) {
        assert_true(rh_grow(&v, &cap, n, sizeof(*v)));
        assert_true(cap >= n);
        assert_int_equal(v[n - 1], 0);
        v[n - 1] = n;
    }
    for (int n = 1; n <= 1000; n++) assert_int_equal(v[n - 1], n);
    int *const had = v;
    const int had_cap = cap;
    assert_false(rh_grow(&v, &cap, -1, sizeof(*v)));
    assert_false(rh_grow(&v, &cap, INT32_MAX, SIZE_MAX / 16));
    assert_ptr_equal(v, had);
    assert_int_equal(cap, had_cap);
    rh_free(v);
}

static void arena_hands_out_aligned_pieces_that_do_not_overlap(void **state) {
    (void)state;
    rh_arena a = { 0 };
    assert_null(RH_TAKE(&a, double, 3));
    assert_null(RH_TAKE(&a, char, 65));
    assert_null(RH_TAKE(&a, int, 0));
    const size_t bytes = a.used;
    a = (rh_arena){ .base = rh_alloc(bytes) };
    char *const base = a.base;
    double *const x = RH_TAKE(&a, double, 3);
    char *const c = RH_TAKE(&a, char, 65);
    int *const i = RH_TAKE(&a, int, 0);
    assert_ptr_equal(x, base); /* one free of the first piece gives all back */
    assert_true((char *)x + 3 * sizeof(double) <= c && c + 65 <= (char *)i);
    assert_true((uintptr_t)x % 64 == 0 && (uintptr_t)c % 64 == 0 && (uintptr_t)i % 64 == 0);
    assert_int_equal(a.used, bytes);
    rh_free(x);
    rh_arena big = { 0 };
    RH_TAKE(&big, double, -1);
    RH_TAKE(&big, double, 1);
    assert_null(rh_alloc(big.used));
}

static void pool_pieces_stay_and_are_zero(void **state) {
    (void)state;
    enum { N = 20000 };
    rh_pool *p = rh_pool_create();
    static char *piece[N];
    for (int k = 0; k < N; k++) {
        char text[16];
        const int n = snprintf(text, sizeof(text), "piece%d", k);
        piece[k] = rh_pool_strndup(p, text, (size_t)n);
        if (k % 1000 == 0) {
            const size_t large = 300000;
            unsigned char *z = rh_pool_alloc(p, large);
            assert_non_null(z);
            assert_int_equal((uintptr_t)z % 8, 0);
            assert_true(z[0] == 0 && z[large / 2] == 0 && z[large - 1] == 0);
            memset(z, 255, large);
        }
    }
    for (int k = 0; k < N; k++) {
        char text[16];
        snprintf(text, sizeof(text), "piece%d", k);
        assert_string_equal(piece[k], text);
    }
    const size_t bytes = rh_pool_bytes(p), asked = 20 * 300000 + (size_t)N * 16;
    assert_true(bytes >= asked / 2 && bytes < 2 * asked);
    volatile size_t huge = SIZE_MAX;
    assert_null(rh_pool_alloc(p, huge));
    rh_pool_destroy(p);
    rh_pool_destroy(NULL);
}

/* ---- messages ---- */

static rh_source source(char *name, char *text, size_t n) {
    return (rh_source){ .name = name, .text = text, .size = n, .quotable = true };
}

static void check_text(const rheo_error *e, const char *want) {
    char buf[1200];
    assert_int_equal(rheo_error_format(e, buf, sizeof(buf)), strlen(want));
    assert_string_equal(buf, want);
}

/* Formats a message about one source text. */
static rheo_error message(const char *text, int line, int col, int len, const char *hint) {
    char copy[4096];
    snprintf(copy, sizeof(copy), "%s", text);
    const rh_source src = source((char[]){ "net.cir" }, copy, strlen(copy));
    rheo_error e = { 0 };
    assert_int_equal(rh_fail(&e, RHEO_E_PARSE, 12, (rh_loc){ &src, line, col, len }, "bad"), RHEO_E_PARSE);
    if (hint) rh_hint(&e, "%s", hint);
    return e;
}

static void message_shows_place_line_and_hint(void **state) {
    (void)state;
    rheo_error e = message("title\r\nR1 a b 1k\r\nR7 h o 4k7\r\n", 3, 8, 3, "write 4.7k");
    check_text(&e, "net.cir:3:8: error[E012]: bad\n"
                   "   3 | R7 h o 4k7\n"
                   "     |        ^~~ write 4.7k");
    e = message("R7", 1, 3, 9, NULL); /* at the end of the line */
    check_text(&e, "net.cir:1:3: error[E012]: bad\n   1 | R7\n     |   ^");
    e = message("R7\n", 9, 1, 1, "h"); /* no such line */
    check_text(&e, "net.cir:9:1: error[E012]: bad\n  hint: h");
    e = message("R7\n", 1, 0, 0, NULL);
    check_text(&e, "net.cir:1: error[E012]: bad");
    e = message("R7\n", 1, 1, 1, NULL);
    e.line = 123456; /* the gutter gives way */
    check_text(&e, "net.cir:123456:1: error[E012]: bad\n123456 | R7\n       | ^");
}

static void message_without_file(void **state) {
    (void)state;
    rheo_error e = { 0 };
    assert_int_equal(RH_NOMEM(&e), RHEO_E_NOMEM);
    check_text(&e, "rheo: error[E501]: out of memory");
    rh_hint(&e, "use %s", "less");
    rh_hint(&e, "the first one stays");
    check_text(&e, "rheo: error[E501]: out of memory\n  hint: use less");
    assert_int_equal(rh_fail(&e, RHEO_E_IO, 401, RH_NOWHERE, "later"), RHEO_E_IO);
    assert_int_equal(e.status, RHEO_E_NOMEM); /* the first cause wins */
    assert_int_equal(rh_fail(NULL, RHEO_E_IO, 401, RH_NOWHERE, "nobody listens"), RHEO_E_IO);
    rh_hint(NULL, "nor here");
    e = (rheo_error){ 0 };
    rh_hint(&e, "nothing failed");
    assert_string_equal(e.hint, "");
    rh_fail(&e, RHEO_E_RANGE, 0, RH_NOWHERE, "no code");
    check_text(&e, "rheo: error: no code");
    char tiny[5];
    assert_int_equal(rheo_error_format(&e, tiny, sizeof(tiny)), 20);
    assert_string_equal(tiny, "rheo");
}

static void tab_utf8_and_control_characters_keep_the_caret(void **state) {
    (void)state;
    rheo_error e = message("R\t1k", 1, 3, 2, NULL);
    check_text(&e, "net.cir:1:3: error[E012]: bad\n   1 | R 1k\n     |   ^~");
    e = message("R1 \xCE\xA9 \xC2\xB5 4k7", 1, 10, 3, NULL); /* two characters of two bytes before it */
    check_text(&e, "net.cir:1:10: error[E012]: bad\n   1 | R1 \xCE\xA9 \xC2\xB5 4k7\n     |        ^~~");
    e = message("a\x1b[31m\xFF b", 1, 9, 1, NULL); /* 1 + 4 + 4 + 4 + 1 columns before it */
    check_text(&e, "net.cir:1:9: error[E012]: bad\n   1 | a\\x1B[31m\\xFF b\n     |               ^");
    e = message("\xFFz", 1, 1, 1, NULL);
    assert_int_equal(e.width, 4);
    e = message("x\xE2\x80\xAE"
                "y \xC2\x9B \xED\xA0\x80",
                1, 5, 1, NULL); /* turns direction; CSI; a surrogate */
    assert_string_equal(e.source, "x\\xE2\\x80\\xAEy \\xC2\\x9B \\xED\\xA0\\x80");
    assert_int_equal(e.caret, 13);
    rheo_error f = { 0 };
    rh_fail(&f, RHEO_E_PARSE, 0, RH_NOWHERE, "node '%s'", "\x1b]0;x\x07\n");
    check_text(&f, "rheo: error: node '\\x1B]0;x\\x07\\x0A'");
}

static void long_lines_are_cut_around_the_place(void **state) {
    (void)state;
    char line[3001];
    for (int k = 0; k < 3000; k++) line[k] = (char)('a' + k % 26);
    line[3000] = '\0';
    const int cols[] = { 1, 2, 56, 57, 58, 100, 118, 121, 1500, 2944, 2999, 3000, 3001, 9999 };
    for (int k = 0; k < RH_COUNT(cols); k++) {
        const rheo_error e = message(line, 1, cols[k], 4, NULL);
        const int col = cols[k] <= 3001 ? cols[k] : 3001, n = (int)strlen(e.source);
        assert_true(n <= 120 && e.caret >= 0 && e.caret <= n);
        if (col <= 3000) assert_int_equal(e.source[e.caret], line[col - 1]);
        assert_int_equal(strncmp(e.source, "...", 3) == 0, col > 57);
        assert_int_equal(strcmp(e.source + n - 3, "...") == 0, col < 2944);
        assert_int_equal(e.width, col <= 2997 ? 4 : col <= 3000 ? 3001 - col : 1);
    }
    line[120] = '\0';
    assert_string_equal(message(line, 1, 120, 1, NULL).source, line);
    for (int k = 0; k < 1500; k++) memcpy(line + 2 * k, "\xC3\xA4", 2); /* no character is cut in two */
    for (int col = 1; col < 400; col++) {
        const rheo_error e = message(line, 1, col, 1, NULL);
        assert_null(strstr(e.source, "\\x"));
        assert_true(strlen(e.source) <= 120);
    }
    memset(line, 1, 3000);
    const rheo_error e = message(line, 1, 700, 1, NULL);
    assert_true(strlen(e.source) <= 120);
    assert_memory_equal(e.source + e.caret, "\\x01", 4);
}

static void secret_sources_are_not_quoted(void **state) {
    (void)state;
    rh_source src = source((char[]){ "x" }, (char[]){ "secret" }, 6);
    src.quotable = false;
    rheo_error e = { 0 };
    rh_fail(&e, RHEO_E_PARSE, 1, (rh_loc){ &src, 1, 2, 3 }, "m");
    check_text(&e, "x:1:2: error[E001]: m");
}

static void long_texts_end_in_dots(void **state) {
    (void)state;
    char word[5000];
    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    rh_source src = source(word, (char[]){ "x" }, 1);
    rheo_error e = { 0 };
    rh_fail(&e, RHEO_E_PARSE, 1, (rh_loc){ &src, 1, 1, 1 }, "%s", word);
    rh_hint(&e, "%s", word);
    assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
    assert_string_equal(e.msg + sizeof(e.msg) - 4, "...");
    assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
    assert_memory_equal(e.file, "...w", 4);
    assert_int_equal(strlen(e.file), sizeof(e.file) - 1);
    char buf[1200];
    assert_true(rheo_error_format(&e, buf, sizeof(buf)) < sizeof(buf));
}

typedef struct seen {
    int n;
    rheo_error last;
} seen;

static void take(void *user, const rheo_error *e) {
    seen *s = user;
    s->n++;
    s->last = *e;
}

static void report_sends_all_and_keeps_the_first(void **state) {
    (void)state;
    seen s = { 0 };
    const rheo_log log = { take, &s };
    rheo_error err = { 0 };
    rh_report r = { .log = &log, .err = &err, .max_error = 2 };
    const rh_source src = source((char[]){ "f.cir" }, (char[]){ "abc" }, 3);
    rh_report_warning(&r, 601, (rh_loc){ &src, 1, 2, 1 }, "be careful", "w%d", 1);
    check_text(&s.last, "f.cir:1:2: warning[E601]: w1\n   1 | abc\n     |  ^ be careful");
    assert_int_equal(err.status, RHEO_OK);
    assert_int_equal(rh_report_error(&r, RHEO_E_RANGE, 101, RH_NOWHERE, NULL, "first"), RHEO_E_RANGE);
    assert_false(rh_report_full(&r));
    rh_report_error(&r, RHEO_E_PARSE, 1, RH_NOWHERE, "h", "second");
    assert_true(rh_report_full(&r));
    assert_int_equal(s.n, 3);
    assert_string_equal(s.last.msg, "second");
    assert_string_equal(err.msg, "first");
    assert_true(err.reported);
    assert_int_equal(r.n_error, 2);
    assert_int_equal(r.n_warning, 1);
    for (int k = 0; k < 1000; k++) rh_report_warning(&r, 602, RH_NOWHERE, NULL, "w");
    assert_int_equal(r.n_warning, 1001);
    assert_true(s.n < 200);
    rheo_error quiet = { 0 };
    rh_report q = { .err = &quiet };
    rh_report_error(&q, RHEO_E_PARSE, 1, RH_NOWHERE, NULL, "no log");
    assert_false(quiet.reported);
    rh_warn(NULL, 1, RH_NOWHERE, "x");
    rh_warn(&log, 0, RH_NOWHERE, "note this");
    check_text(&s.last, "rheo: warning: note this");
}

static void catalogue_is_in_order_and_says_something(void **state) {
    (void)state;
    int last = 0, n = 0;
    for (int code; (code = rheo_explain_code(n)) != 0; n++) {
        const char *title = NULL, *text = rheo_explain(code, &title);
        assert_true(code > last);
        last = code;
        assert_true(text && strlen(text) > 40 && title && strlen(title) > 4);
    }
    const int needed[] = { 201, 203, 205, 206, 301, 302, 303, 304, 401, 402, 403, 404, 501, 502 };
    for (int k = 0; k < RH_COUNT(needed); k++) assert_non_null(rheo_explain(needed[k], NULL));
    assert_null(rheo_explain(0, NULL));
    assert_null(rheo_explain(999, NULL));
    assert_int_equal(rheo_explain_code(-1), 0);
    assert_string_equal(rheo_status_text(RHEO_E_NOMEM), "out of memory");
    assert_int_equal(rheo_status_exit_code(RHEO_E_NOMEM), 6);
    assert_int_equal(rheo_status_exit_code(RHEO_E_INTERRUPTED), 130);
    assert_string_equal(rheo_version(), RHEO_VERSION);
}

/* ---- text ---- */

static void buf_json_and_escape(void **state) {
    (void)state;
    rh_buf b = { 0 };
    rh_buf_json_string(&b, "a\"b\\c\n\x01\x7f\xC2\xB5\xFFz\xE2\x82");
    assert_string_equal(b.s, "\"a\\\"b\\\\c\\n\\u0001\\u007f\xC2\xB5\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"");
    rh_buf_free(&b);
    rh_buf_json_string(&b, "");
    rh_buf_puts(&b, ":");
    rh_buf_json_number(&b, 0.1);
    rh_buf_json_number(&b, (double)NAN);
    rh_buf_json_number(&b, (double)-INFINITY);
    assert_string_equal(b.s, "\"\":0.1nullnull");
    rh_buf_free(&b);
    for (int k = 0; k < 5000; k++) rh_buf_printf(&b, "%04d", k);
    rh_buf_printf(&b, "%01000d", 7);
    assert_int_equal(b.n, 21000);
    assert_memory_equal(b.s + 4 * 4321, "43214322", 8);
    assert_string_equal(b.s + 20998, "07");
    rh_buf_add(&b, b.s, SIZE_MAX / 2 - 1); /* no such memory: sticks */
    assert_true(b.bad);
    rh_buf_puts(&b, "more");
    assert_int_equal(b.n, 21000);
    rh_buf_free(&b);
    char out[12];
    assert_string_equal(rh_escape("ab\x1b\xC3\xA4zzzz", 9, out, sizeof(out)), "ab\\x1B\xC3\xA4zzz");
    assert_string_equal(rh_escape("abcdefg\xC3\xA4\xC3\xA4\xC3\xA4", 13, out, sizeof(out)), "abcdefg\xC3\xA4\xC3\xA4");
}

static void names_without_case(void **state) {
    (void)state;
    assert_true(rh_streq("R1", "r1") && !rh_streq("r1", "r10") && !rh_streq("[", "{"));
    assert_true(rh_strcasecmp("a", "B") < 0 && rh_strcasecmp("b", "A") > 0 && rh_strcasecmp("a", "ab") < 0);
    const struct {
        const char *pattern, *text;
        bool want;
    } row[] = {
        { "R*", "r12", true },        { "R*", "c1", false },        { "*", "", true },      { "", "", true },
        { "", "a", false },           { "?", "", false },           { "?", "a", true },     { "?", "\xC2\xB5", true },
        { "a*b*c", "aXXbYYc", true }, { "a*b*c", "aXXbYY", false }, { "*ab", "aab", true }, { "R?_*", "R1_x", true },
        { "**", "abc", true },        { "a?", "a", false },         { "*?", "", false },    { "x[", "X[", true },
    };
    for (int k = 0; k < RH_COUNT(row); k++)
        if (rh_glob(row[k].pattern, row[k].text) != row[k].want) fail_msg("%s / %s", row[k].pattern, row[k].text);
    char pattern[2001], text[20001]; /* many stars do not take exponential time */
    for (int k = 0; k < 2000; k++) pattern[k] = k % 2 ? 'a' : '*';
    memcpy(pattern + 1999, "b", 2);
    memset(text, 'a', 20000);
    text[20000] = '\0';
    assert_false(rh_glob(pattern, text));
}

static void suggestions_are_close(void **state) {
    (void)state;
    static const char *const NAMES[] = { "threshold", "rate", "tau", "resistance", "capacitance", "v" };
    const struct {
        const char *word, *want;
    } row[] = {
        { "treshold", "threshold" },
        { "THRESHOLDS", "threshold" },
        { "rtae", "rate" },
        { "tua", "tau" },
        { "resistence", "resistance" },
        { "zork", NULL },
        { "", NULL },
        { "x", NULL },
        { "tau", "tau" },
        { "capacitor", NULL },
        { "capacitence", "capacitance" },
    };
    for (int k = 0; k < RH_COUNT(row); k++) {
        const char *got = rh_suggest_list(row[k].word, NAMES, RH_COUNT(NAMES));
        if (row[k].want ? !got || strcmp(got, row[k].want) != 0 : got != NULL)
            fail_msg("%s: got %s", row[k].word, got ? got : "(none)");
    }
    char word[100];
    memset(word, 'a', 99);
    word[99] = '\0';
    const char *const self[] = { word };
    assert_null(rh_suggest_list(word, self, 1));
    const char *const tie[] = { "rata", "ratb" };
    assert_string_equal(rh_suggest_list("rate", tie, 2), "rata");
}

static void map_finds_what_was_put(void **state) {
    (void)state;
    enum { N = 1000000, W = 12 };
    char *keys = rh_alloc((size_t)N * W);
    for (int k = 0; k < N; k++) snprintf(keys + (size_t)k * W, W, "Node_%d", k);
    rh_map *m = rh_map_create();
    const double start = seconds();
    for (int k = 0; k < N; k++)
        if (!rh_map_put(m, keys + (size_t)k * W, strlen(keys + (size_t)k * W), k)) fail();
    print_message("map: %d puts in %.3f s\n", N, seconds() - start);
    for (int k = 0; k < N; k++) {
        char other[W];
        const int n = snprintf(other, sizeof(other), k % 2 ? "NODE_%d" : "node_%d", k);
        if (rh_map_get(m, other, (size_t)n) != k) fail_msg("%s", other);
    }
    assert_int_equal(rh_map_get(m, "node_1000000", 12), -1);
    assert_int_equal(rh_map_get(m, "node_12", 6), 1);
    assert_int_equal(rh_map_get(m, "", 0), -1);
    assert_true(rh_map_put(m, "", 0, 7));
    assert_int_equal(rh_map_get(m, "", 0), 7);
    assert_true(rh_map_put(m, "NODE_5", 6, 55));
    assert_int_equal(rh_map_get(m, "node_5", 6), 55);
    rh_map_destroy(m);
    rh_map_destroy(NULL);
    rh_free(keys);
}

static void map_folds_ascii_letters_only(void **state) {
    (void)state;
    for (int len = 1; len <= 20; len++) /* every byte value at every place of a word */
        for (int c = 1; c < 256; c++) {
            char key[21], other[21];
            memset(key, 'q', sizeof(key));
            memset(other, 'Q', sizeof(other));
            key[len - 1] = (char)c;
            for (int d = 1; d < 256; d += (d == (c ^ 32) - 1 || d == c - 1) ? 1 : 7) {
                other[len - 1] = (char)d;
                rh_map *m = rh_map_create();
                rh_map_put(m, key, (size_t)len, 1);
                const bool letters = (c | 32) >= 'a' && (c | 32) <= 'z', same = c == d || (letters && (c ^ d) == 32);
                if ((rh_map_get(m, other, (size_t)len) == 1) != same) fail_msg("%d %d at %d", c, d, len);
                rh_map_destroy(m);
            }
        }
}

/* ---- units ---- */

#define MICRO "\xC2\xB5"

static void what_was_meant_is_said(void **state) {
    (void)state;
    const struct {
        const char *text, *want, *hint; /* NULL: none */
    } LAW[] = {
        /* a number in another unit */
        { "50 uV", "s", "write 50u or 50 us" },
        { "50uV", "s", "write 50u or 50 us" },
        { "50 " MICRO "V", "s", "write 50" MICRO " or 50 " MICRO "s" },
        { "9 ms", "V^2/s", "write 9m or 9m V^2/s" },
        { "4 nS", "S/V^2", "write 4n or 4n S/V^2" },
        { "1.5 kOhm", "V", "write 1.5k or 1.5 kV" },
        { "3 V", "", "write 3" },
        { "3 V", "1", "write 3" },
        { "1 A", "S", "write 1 or 1 S" },
        { "50 kOhm", "S", "1/(50 kOhm) is 20 uS" },
        { "4 mho", "ohm", "1/(4 mho) is 250 mohm" },
        { "10 Hz", "s", "1/(10 Hz) is 100 ms" },
        { "0 ohm", "S", "write 0 or 0 S" },
        { "2h", "s", "write 7200" },
        /* no number */
        { "4k7", "ohm", "write 4.7k" },
        { "-0,2", "V", "write -0.2" },
        { "50 microseconds", "s", "write 50u or 50 us" },
        { "2 nanoVolts", "V", "write 2n or 2 nV" },
        { "10 kilohm", "S", "1/(10 kohm) is 100 uS" },
        { "10 megohm", "ohm", "write 10meg or 10 megohm" },
        { "5 min", "s", "write 300" },
        { "1 day", "s", "write 86400" },
        { "5 min", "V", NULL },
        { "5x10^-5", "s", "write 5e-5" },
        { "5 * 10**-5", "s", "write 5e-5" },
        { "-2.5\xC3\x97"
          "10^3",
          "V", "write -2.5e3" },
        { "10^-3", "", "write 1e-3" },
        { "11^3", "", NULL },
        { "1/50k", "S", "write 20u" },
        { "1/0", "S", NULL },
        { "50 %", "", "write 0.5" },
        { "5d-5", "s", "write 5e-5" },
        { "5e\xE2\x88\x92"
          "5",
          "s", "write 5e-5" },
        { "1a", "A", "write e-18 for atto, and ampere as in 1 A" },
        { "9 mV^2/s", "V^2/s", "write 9m V^2/s, or 9u V^2/s if the prefix is squared, too" },
        { "2kV^2/s", "V^2/s", "write 2k V^2/s, or 2meg V^2/s if the prefix is squared, too" },
        { "9m V2/s", "V^2/s", "write 9m or 9m V^2/s" },
        { "9m V\xC2\xB2/s", "V^2/s", "write 9m or 9m V^2/s" },
        { "20 uA/V", "S", "write 20u or 20 uS" },
        { "1 m^3/s", "V", "write 1 or 1 V" },
        { "2^-10", "s", NULL },
        { "50*u", "s", NULL },
        { "pi", "V", NULL },
        { "", "V", NULL },
        { ".", "V", NULL },
    };
    for (int i = 0; i < RH_COUNT(LAW); i++) {
        char buf[160];
        const size_t n = strlen(LAW[i].text);
        const bool number = rh_number_parse_all(LAW[i].text, n).fault == RH_NUM_OK;
        const char *const hint = number ? rh_unit_hint(LAW[i].text, n, LAW[i].want, buf, sizeof buf)
                                        : rh_number_hint(LAW[i].text, n, LAW[i].want, buf, sizeof buf);
        if (!hint != !LAW[i].hint || (hint && strcmp(hint, LAW[i].hint) != 0))
            fail_msg("'%s' in %s: %s, want %s", LAW[i].text, LAW[i].want, hint ? hint : "-",
                     LAW[i].hint ? LAW[i].hint : "-");
    }
}

/* What a hint says to write is read, in the unit that is wanted, and in the same power of ten. */
static void what_hints_say_is_read(void **state) {
    (void)state;
    static const char *const NUMBERS[] = { "1", "2.5", "-3e-5", "0.07" }, *const SUFFIXES[] = { "",  "t",  "g", "meg",
                                                                                                "k", "m",  "u", "n",
                                                                                                "p", MICRO },
                             *const WANT[] = { "V", "s", "ohm", "Hz", "F" }, *const GOT[] = { "A", "W", "J" };
    char text[40], buf[160], word[80];
    for (int i = 0; i < RH_COUNT(NUMBERS) * RH_COUNT(SUFFIXES) * RH_COUNT(WANT) * RH_COUNT(GOT); i++) {
        const char *const number = NUMBERS[i % 4], *const want = WANT[i / 40 % 5];
        snprintf(text, sizeof text, "%s %s%s", number, SUFFIXES[i / 4 % 10], GOT[i / 200]);
        const double x = rh_number_parse_all(text, strlen(text)).value;
        assert_ptr_equal(rh_unit_hint(text, strlen(text), want, buf, sizeof buf), buf);
        const char *const or_too = strstr(buf, " or ");
        assert_true(or_too && strncmp(buf, "write ", 6) == 0);
        const rh_number whole = rh_number_parse_all(or_too + 4, strlen(or_too + 4));
        assert_true(whole.fault == RH_NUM_OK && whole.value == x && rh_unit_fits(whole.unit, want));
        snprintf(word, sizeof word, "%.*s", (int)(or_too - buf - 6), buf + 6);
        assert_true(rh_number_parse_all(word, strlen(word)).value == x);
    }
}

static void a_capital_a_is_ampere(void **state) {
    (void)state;
    static const char *const YES[] = { "1A", "1 A", " 1 A ", "1. A", "1e0A" }, *const NO[] = { "1a", "1 a", "1 As",
                                                                                               "A" };
    for (int i = 0; i < RH_COUNT(YES); i++) {
        const rh_number x = rh_number_parse_all(YES[i], strlen(YES[i]));
        assert_true(x.fault == RH_NUM_OK && x.value == 1 && strcmp(x.unit, "a") == 0);
    }
    assert_int_equal(rh_number_parse("1A", 2).fault, RH_NUM_SUFFIX); /* not so in netlists */
    for (int i = 0; i < RH_COUNT(NO); i++) assert_true(rh_number_parse_all(NO[i], strlen(NO[i])).fault != RH_NUM_OK);
}

/* ---- numbers ---- */

typedef struct law {
    const char *text;
    double value;
    rh_number_fault fault;
    rh_number_note note;
    const char *unit, *suggestion;
    int used; /* 0: all */
} law;

#define GOOD(text, value, unit) \
    { text, value, RH_NUM_OK, RH_NUM_PLAIN, unit, "", 0 }
#define BAD(text, fault) \
    { text, 0, fault, RH_NUM_PLAIN, NULL, "", 0 }
#define MEANT(text, fault, suggestion) \
    { text, 0, fault, RH_NUM_PLAIN, NULL, suggestion, 0 }
#define PART(text, value, unit, used) \
    { text, value, RH_NUM_OK, RH_NUM_PLAIN, unit, "", used }
#define MU "\xC2\xB5"
#define GREEK_MU "\xCE\xBC"
#define OMEGA "\xCE\xA9"
#define OHM_SIGN "\xE2\x84\xA6"

/* clang-format off */
static const law LAW[] = {
    GOOD("1k", 1e3, ""), GOOD("1K", 1e3, ""), GOOD("1meg", 1e6, ""), GOOD("1MEG", 1e6, ""),
    GOOD("1Meg", 1e6, ""),
    GOOD("1m", 1e-3, ""), GOOD("1t", 1e12, ""), GOOD("1G", 1e9, ""), GOOD("1u", 1e-6, ""), GOOD("1n", 1e-9, ""),
    GOOD("1p", 1e-12, ""), GOOD("1" MU, 1e-6, ""), GOOD("1" GREEK_MU, 1e-6, ""),
    GOOD("4.7" MU "F", 4.7e-6, "f"),
    { "1M", 1e-3, RH_NUM_OK, RH_NUM_MILLI, "", "", 0 },
    { "1F", 1e-15, RH_NUM_OK, RH_NUM_FARAD, "", "", 0 },
    { "1f", 1e-15, RH_NUM_OK, RH_NUM_FARAD, "", "", 0 },
    { "1mil", 2.54e-5, RH_NUM_OK, RH_NUM_MIL, "", "", 0 },
    { "1MIL", 2.54e-5, RH_NUM_OK, RH_NUM_MIL, "", "", 0 },
    GOOD("5R", 5, "r"), GOOD("1kohm", 1000, "ohm"), GOOD("2.2k" OMEGA, 2200, "ohm"),
    GOOD("2.2k" OHM_SIGN, 2200, "ohm"),
    GOOD("3" OMEGA, 3, "ohm"), GOOD("1megohm", 1e6, "ohm"), GOOD("1mA", 1e-3, "a"), GOOD("10ms", 10e-3, "s"),
    GOOD("1s", 1, "s"), GOOD("1h", 1, "h"), GOOD("1v", 1, "v"), GOOD("5Volts", 5, "volts"),
    GOOD("1farad", 1, "farad"),
    GOOD("1uF", 1e-6, "f"), GOOD("1ff", 1e-15, "f"), GOOD("1mho", 1, "mho"), GOOD("1mmho", 1e-3, "mho"),
    GOOD("3siemens", 3, "siemens"), GOOD("10kHz", 1e4, "hz"), GOOD("2kPa", 2e3, "pa"), GOOD("1um3", 1e-6, "m3"),
    GOOD("1amp", 1, "amp"), GOOD("1pa", 1e-12, "a"),
    GOOD("1.", 1, ""), GOOD(".5", 0.5, ""), GOOD("+5", 5, ""), GOOD("-5", -5, ""), GOOD("-.5e-3k", -0.5, ""),
    GOOD("1e3", 1000, ""), GOOD("1E+3", 1000, ""), GOOD("1e3k", 1e6, ""), GOOD("0", 0, ""),
    GOOD("0e999999999999999999999", 0, ""),
    GOOD("4.7k", 4700, ""), GOOD("0.1", 0.1, ""), GOOD("1e22", 1e22, ""), GOOD("1e23", 1e23, ""),
    GOOD("5e-324", 5e-324, ""), GOOD("2.2250738585072011e-308", 2.2250738585072011e-308, ""),
    GOOD("1.7976931348623157e308", DBL_MAX, ""), GOOD("9007199254740993", 9007199254740992.0, ""),
    GOOD("4.7n", 4.7e-9, ""), GOOD("8.2p", 8.2e-12, ""), GOOD("00012", 12, ""),
    MEANT("4k7", RH_NUM_INFIX, "4.7k"), MEANT("4R7", RH_NUM_INFIX, "4.7"), MEANT("4K7", RH_NUM_INFIX, "4.7K"),
    MEANT("2meg2", RH_NUM_INFIX, "2.2meg"), MEANT("-4" MU "7F", RH_NUM_INFIX, "-4.7" MU "F"),
    MEANT("3V3", RH_NUM_INFIX, "3.3V"), MEANT("4k7ohm", RH_NUM_INFIX, "4.7kohm"),
    MEANT("1m3", RH_NUM_INFIX, "1.3m"),
    MEANT("11111111111111111111111111k7", RH_NUM_INFIX, "11111111111111111111111111.7k"),
    MEANT("1111111111111111111111111111111k7", RH_NUM_INFIX, ""),
    BAD("6R9a", RH_NUM_SUFFIX), BAD("4.7k5", RH_NUM_SUFFIX), BAD("4k7k", RH_NUM_SUFFIX),
    BAD("1e3k5", RH_NUM_SUFFIX),
    MEANT("1,5k", RH_NUM_COMMA, "1.5k"), MEANT("1,5", RH_NUM_COMMA, "1.5"), MEANT("1,500", RH_NUM_COMMA, ""),
    MEANT("1.5,3", RH_NUM_COMMA, ""), MEANT("1k,5", RH_NUM_COMMA, ""),
    BAD("0x10", RH_NUM_HEX), BAD("0XfF", RH_NUM_HEX), BAD("1_000", RH_NUM_UNDERSCORE),
    BAD("1e", RH_NUM_EXPONENT), BAD("1e+", RH_NUM_EXPONENT), BAD("1E-", RH_NUM_EXPONENT),
    BAD("1x", RH_NUM_SUFFIX), BAD("0x", RH_NUM_SUFFIX), BAD("1a", RH_NUM_SUFFIX), BAD("1A", RH_NUM_SUFFIX),
    BAD("1kk", RH_NUM_SUFFIX), BAD("1zork", RH_NUM_SUFFIX), BAD("1eg", RH_NUM_SUFFIX),
    BAD("1mils", RH_NUM_SUFFIX),
    BAD("1k_", RH_NUM_SUFFIX), BAD("1" "\xFF", RH_NUM_SUFFIX), BAD("1\xC2", RH_NUM_SUFFIX),
    BAD("1k\xC2\xB5", RH_NUM_SUFFIX),
    BAD("1.2.3", RH_NUM_NOT), BAD("1..", RH_NUM_NOT), BAD("abc", RH_NUM_NOT), BAD("k", RH_NUM_NOT),
    BAD(".k", RH_NUM_NOT),
    BAD("nano", RH_NUM_NOT),
    BAD("nan", RH_NUM_NAN), BAD("-NaN", RH_NUM_NAN), BAD("inf", RH_NUM_NAN), BAD("+INF", RH_NUM_NAN),
    BAD("-infinity", RH_NUM_NAN),
    BAD("1e400", RH_NUM_RANGE), BAD("-1e400", RH_NUM_RANGE), BAD("1e-400", RH_NUM_RANGE),
    BAD("1e308k", RH_NUM_RANGE),
    BAD("1e-320f", RH_NUM_RANGE), BAD("1e99999999999999999999", RH_NUM_RANGE),
    BAD("1e-99999999999999999999", RH_NUM_RANGE),
    BAD("2e-324mil", RH_NUM_RANGE), BAD("1e-322mil", RH_NUM_RANGE), BAD("1.8e308", RH_NUM_RANGE),
    BAD("", RH_NUM_EMPTY), BAD(".", RH_NUM_EMPTY), BAD("+", RH_NUM_EMPTY), BAD("-.", RH_NUM_EMPTY),
    PART("5 6", 5, "", 1), PART("5k)", 5e3, "", 2), PART("5,", 5, "", 1), PART("5,a", 5, "", 1),
    PART("1k*2", 1e3, "", 2),
    PART("1-2", 1, "", 1), PART("1+2", 1, "", 1), PART("1/2", 1, "", 1), PART("1e3-2", 1e3, "", 3),
    PART("2^3", 2, "", 1),
    PART("1us=", 1e-6, "s", 3), PART("7\t", 7, "", 1), PART("7\n", 7, "", 1), PART("7;x", 7, "", 1),
    PART("7}", 7, "", 1),
    PART("7'", 7, "", 1), PART("1k?2:3", 1e3, "", 2),
};
/* clang-format on */

static void number_law(void **state) {
    (void)state;
    for (int k = 0; k < RH_COUNT(LAW); k++) {
        const law *w = &LAW[k];
        char *exact = malloc(strlen(w->text) + 1); /* no NUL behind it, so a sanitizer sees a read too far */
        memcpy(exact, w->text, strlen(w->text));
        const rh_number r = rh_number_parse(exact, strlen(w->text));
        const size_t used = w->used ? (size_t)w->used : strlen(w->text);
        if (r.fault != w->fault || r.value != w->value || r.note != w->note || r.used != used ||
            strcmp(r.suggestion, w->suggestion) != 0 || (w->unit && strcmp(r.unit, w->unit) != 0))
            fail_msg("'%s': %.17g fault %d note %d used %zu unit '%s' suggestion '%s'", w->text, r.value, (int)r.fault,
                     (int)r.note, r.used, r.unit, r.suggestion);
        free(exact);
    }
    assert_true(signbit(rh_number_parse("-0", 2).value));
    for (int f = RH_NUM_OK; f <= RH_NUM_RANGE; f++) assert_true(strlen(rh_number_fault_text((rh_number_fault)f)) > 1);
}

static void whole_text_is_one_number(void **state) {
    (void)state;
    const law row[] = {
        GOOD("50 us", 50e-6, "s"), GOOD("10 kohm", 1e4, "ohm"),  GOOD(" 5\t", 5, ""),     GOOD("5 " OMEGA, 5, "ohm"),
        GOOD("1e3 k", 1e6, ""),    GOOD("10k", 1e4, ""),         BAD("5 6", RH_NUM_NOT),  BAD("5k ohm x", RH_NUM_NOT),
        BAD("5k k", RH_NUM_NOT),   BAD("5 zork", RH_NUM_SUFFIX), BAD("5)", RH_NUM_NOT),   BAD("5 a)", RH_NUM_NOT),
        BAD("1-2", RH_NUM_NOT),    BAD("", RH_NUM_EMPTY),        BAD("  ", RH_NUM_EMPTY), BAD("1 e", RH_NUM_SUFFIX),
        BAD("5 _", RH_NUM_NOT),
    };
    for (int k = 0; k < RH_COUNT(row); k++) {
        const rh_number r = rh_number_parse_all(row[k].text, strlen(row[k].text));
        if (r.fault != row[k].fault || r.value != row[k].value || (row[k].unit && strcmp(r.unit, row[k].unit) != 0))
            fail_msg("'%s': %.17g fault %d unit '%s'", row[k].text, r.value, (int)r.fault, r.unit);
    }
    assert_int_equal(rh_number_parse_all("10 MHz", 6).note, RH_NUM_MILLI);
}

static double random_double(uint64_t k) {
    for (uint64_t c = 0;; c++) {
        const uint64_t bits = rh_random_u64(k, 77, c);
        double x;
        memcpy(&x, &bits, sizeof(x));
        if (isfinite(x)) return x;
    }
}

static void numbers_survive_text(void **state) {
    (void)state;
    const double start = seconds();
    for (uint64_t k = 0; k < 100000; k++) {
        const double x = k % 2 ? random_double(k) : floor(rh_random_unit(k, 1, 0) * 1e6) / 1e4;
        char text[32];
        double back;
        rh_number_text(x, text);
        const size_t n = rh_decimal(text, strlen(text), &back);
        if (n != strlen(text) || memcmp(&x, &back, sizeof(x)) != 0) fail_msg("%a gave %s", x, text);
        if (strtod(text, NULL) != x) fail_msg("%s", text);
        char first[32]; /* the fewest digits from 15 on that do */
        int digits = 15;
        do snprintf(first, sizeof(first), "%.*g", digits, x);
        while (strtod(first, NULL) != x && digits++ < 17);
        assert_string_equal(text, first);
    }
    print_message("numbers: %.2f us for text and back\n", (seconds() - start) * 10);
    const struct {
        double x;
        const char *text;
    } row[] = { { 0.1, "0.1" },
                { 1, "1" },
                { -0.0, "-0" },
                { 1e15, "1e+15" },
                { 999999999999999, "999999999999999" },
                { -42, "-42" },
                { 1.0 / 3, "0.3333333333333333" },
                { 5e-324, "4.94065645841247e-324" },
                { 1e300, "1e+300" },
                { (double)INFINITY, "inf" },
                { (double)-INFINITY, "-inf" },
                { (double)NAN, "nan" } };
    for (int k = 0; k < RH_COUNT(row); k++) {
        char text[32];
        assert_string_equal(rh_number_text(row[k].x, text), row[k].text);
    }
}

/* A random decimal with up to 40 digits, sometimes 2000, anywhere in the range of a double and beyond. */
static void random_decimal(uint64_t k, char *s) {
    const uint64_t u = rh_random_u64(k, 3, 0);
    const int n = u % 64 == 0 ? 2000 : 1 + (int)(u % 40), point = (int)((u >> 8) % (uint64_t)(n + 1));
    int at = 0;
    if (u >> 63) s[at++] = '-';
    for (int i = 0; i < n; i++) {
        if (i == point) s[at++] = '.';
        const uint64_t d = rh_random_u64(k, 4, (uint64_t)i);
        s[at++] = (char)('0' + (u >> 40 & 1 && d % 3 ? 0 : (int)((d >> 8) % 10)));
    }
    if (u >> 41 & 1)
        snprintf(s + at, 16, "e%d", (int)(u >> 44 & 1023) - 512);
    else
        s[at] = '\0';
}

static void decimals_are_correctly_rounded(void **state) {
    (void)state;
    static char s[4096];
    for (uint64_t k = 0; k < 100000; k++) {
        random_decimal(k, s);
        const double want = strtod(s, NULL);
        const rh_number r = rh_number_parse(s, strlen(s));
        const bool zero = strspn(s, "-0.") == strcspn(s, "e");
        if (isinf(want) || (want == 0 && !zero)) {
            if (r.fault != RH_NUM_RANGE) fail_msg("%s", s);
        } else if (r.fault != RH_NUM_OK || r.used != strlen(s) || memcmp(&r.value, &want, sizeof(want)) != 0) {
            fail_msg("%s: %a, want %a", s, r.value, want);
        }
    }
    /* Exactly half way between 1 and the next double; then one digit far behind tips it up. */
    const char *half = "1.00000000000000011102230246251565404236316680908203125";
    double x;
    rh_decimal(half, strlen(half), &x);
    assert_true(x == 1);
    int n = snprintf(s, sizeof(s), "%s", half);
    memset(s + n, '0', 3000);
    s[n + 3000] = '1';
    rh_decimal(s, (size_t)n + 3001, &x);
    assert_true(x == 1 + DBL_EPSILON);
}

static void very_long_digit_strings_take_linear_time(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    char *s = malloc(N + 16);
    memset(s, '0', N);
    memcpy(s, "0.", 2);
    memcpy(s + N, "7e1048576", 9); /* N - 2 zeros behind the point, then the 7 */
    const double start = seconds();
    rh_number r = rh_number_parse(s, N + 9);
    assert_int_equal(r.fault, RH_NUM_OK);
    assert_true(r.value == 7 * 10.0);
    memset(s, '9', N);
    r = rh_number_parse(s, N);
    assert_int_equal(r.fault, RH_NUM_RANGE);
    memcpy(s + N, "e-1048576", 9);
    r = rh_number_parse(s, N + 9);
    assert_true(r.fault == RH_NUM_OK && r.value == 1);
    memset(s, '_', N);
    s[0] = '1';
    assert_int_equal(rh_number_parse(s, N).fault, RH_NUM_UNDERSCORE);
    memset(s, ',', N);
    s[0] = '1';
    assert_int_equal(rh_number_parse(s, N).used, 1);
    assert_true(seconds() - start < 2);
    free(s);
}

static void any_bytes_are_safe(void **state) {
    (void)state;
    static const char ALPHABET[] = "0123456789.,+-eEkKmMuxX_aRnF \xC2\xB5\xCE\xA9(";
    for (uint64_t k = 0; k < 200000; k++) {
        const size_t n = rh_random_u64(k, 9, 0) % 9;
        char *s = malloc(n + (n == 0));
        for (size_t i = 0; i < n; i++) s[i] = ALPHABET[rh_random_u64(k, 9, i + 1) % (sizeof(ALPHABET) - 1)];
        const rh_number r = rh_number_parse(s, n), all = rh_number_parse_all(s, n);
        if (r.used > n || all.used > n || !isfinite(r.value) || !isfinite(all.value)) fail();
        double x = 0;
        if (rh_decimal(s, n, &x) > n || !isfinite(x)) fail();
        if (*r.suggestion) {
            const rh_number again = rh_number_parse(r.suggestion, strlen(r.suggestion));
            if (again.fault != RH_NUM_OK && again.fault != RH_NUM_RANGE)
                fail_msg("'%.*s' -> '%s'", (int)n, s, r.suggestion);
        }
        free(s);
    }
}

static void plain_decimals(void **state) {
    (void)state;
    const struct {
        const char *s;
        size_t used;
        double value;
    } row[] = { { "1.5,2", 3, 1.5 }, { "-2e3 ", 4, -2000 }, { "1e", 1, 1 },  { "x", 0, 9 },
                { "", 0, 9 },        { "nan", 0, 9 },       { "inf", 0, 9 }, { "1e400", 0, 9 },
                { "1e-400", 6, 0 },  { ".", 0, 9 },         { "-", 0, 9 },   { "1k", 1, 1 } };
    for (int k = 0; k < RH_COUNT(row); k++) {
        double x = 9;
        assert_int_equal(rh_decimal(row[k].s, strlen(row[k].s), &x), row[k].used);
        assert_true(x == row[k].value);
    }
}

static void numbers_for_people(void **state) {
    (void)state;
    const struct {
        double x;
        const char *unit, *want;
    } row[] = { { 1500, "", "1.5k" },
                { 22e-6, NULL, "22u" },
                { 1500, "ohm", "1.5 kohm" },
                { 0, "V", "0 V" },
                { -0.0012345, "A", "-1.234 mA" },
                { 999.96, "", "1k" },
                { 1e6, "", "1meg" },
                { 100, "", "100" },
                { 1e-15, "", "1f" },
                { 999.4e12, "", "999.4t" },
                { 1e15, "", "1.000e+15" },
                { 3e-20, "", "3.000e-20" },
                { 12345, "Hz", "12.35 kHz" },
                { 1, "S", "1 S" },
                { (double)NAN, "V", "nan V" },
                { 0.1, "", "100m" } };
    for (int k = 0; k < RH_COUNT(row); k++) {
        char buf[40];
        rh_number_human(row[k].x, row[k].unit, buf, sizeof(buf));
        if (k == 12 && strcmp(buf, "12.34 kHz") == 0) continue; /* a tie: 12345 rounds to even */
        assert_string_equal(buf, row[k].want);
    }
}

static void fields_fill_a_def(void **state) {
    (void)state;
    typedef struct def {
        double a;
        int n, choice;
        bool on;
        char *name;
    } def;
    static const char *const CHOICES[] = { "x", "y", NULL };
    const rh_field f[] = {
        { "a", "1", 0.5, 0, 1, "m", offsetof(def, a), RH_DOUBLE, NULL },
        { "n", "1", 7, 0, 9, "m", offsetof(def, n), RH_INT, NULL },
        { "choice", "", 1, 0, 1, "m", offsetof(def, choice), RH_CHOICE, CHOICES },
        { "on", "", 1, 0, 1, "m", offsetof(def, on), RH_BOOL, NULL },
        { "name", "", 0, 0, 0, "m", offsetof(def, name), RH_STRING, NULL },
    };
    def d = { .name = (char[]){ "old" } };
    rh_fields_default(f, RH_COUNT(f), &d);
    assert_true(d.a == 0.5 && d.n == 7 && d.choice == 1 && d.on && !d.name);
}

/* ---- random numbers ---- */

static void random_numbers_never_change(void **state) {
    (void)state;
    static const struct {
        uint64_t seed, stream, counter, want;
    } ROW[] = {
        { 0, 0, 0, 0xC538BDCEE153004Du },        { 0, 0, 1, 0xE97B973AAAF39229u },
        { 0, 1, 0, 0x8CDCFA36E92F3870u },        { 1, 0, 0, 0xE6EE79BB60335FEBu },
        { 1, 1, 1, 0xA4B7EC33F5F46F22u },        { UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x06F4F50F7F098050u },
        { 42, 2, 1000000, 0xC96D83B0904FDF55u },
    };
    for (int k = 0; k < RH_COUNT(ROW); k++)
        assert_int_equal(rh_random_u64(ROW[k].seed, ROW[k].stream, ROW[k].counter), ROW[k].want);
    assert_true(rh_random_unit(1, 1, 1) == 0x1.496fd867ebe8dp-1);
    CHECK_NEAR(rh_random_normal(1, 1, 1), -0.02253592784783465, 1e-14);
    static const int ORDER[] = { 5, 2, 4, 3, 6, 0, 7, 1 };
    int order[8];
    rh_shuffle(1, RH_STREAM_ORDER, 8, order);
    assert_memory_equal(order, ORDER, sizeof(ORDER));
}

static void random_numbers_look_random(void **state) {
    (void)state;
    enum { N = 1000000, BINS = 256 };
    static int bin[BINS];
    double sum = 0, sq = 0, nsum = 0, nsq = 0, n4 = 0, lag = 0, before = 0, cross = 0;
    int flips[64] = { 0 };
    for (uint64_t k = 0; k < N; k++) {
        const double u = rh_random_unit(1, 2, k) - 0.5, z = rh_random_normal(1, 2, k);
        bin[(int)((u + 0.5) * BINS)]++;
        sum += u;
        sq += u * u;
        lag += u * before;
        before = u;
        cross += u * (rh_random_unit(1, 3, k) - 0.5) + u * (rh_random_unit(2, 2, k) - 0.5);
        nsum += z;
        nsq += z * z;
        n4 += z * z * z * z;
        const uint64_t d = rh_random_u64(1, 2, k) ^ rh_random_u64(1, 2, k ^ 1ull << (k % 64));
        for (int b = 0; b < 64; b++) flips[b] += (int)(d >> b & 1);
    }
    double chi2 = 0;
    for (int k = 0; k < BINS; k++) chi2 += pow(bin[k] - (double)N / BINS, 2) / ((double)N / BINS);
    CHECK_NEAR(sum / N, 0, 5 * sqrt(1 / 12. / N)); /* five standard deviations */
    CHECK_NEAR(sq / N, 1 / 12., 5 * sqrt(1 / 180. / N));
    CHECK_NEAR(lag / N, 0, 5 / 12. / sqrt(N));
    CHECK_NEAR(cross / N, 0, 5 / 12. * sqrt(2. / N));
    CHECK_NEAR(nsum / N, 0, 5 / sqrt(N));
    CHECK_NEAR(nsq / N, 1, 5 * sqrt(2. / N));
    CHECK_NEAR(n4 / N, 3, 5 * sqrt(96. / N));
    CHECK_NEAR(chi2, BINS - 1, 5 * sqrt(2. * (BINS - 1)));
    for (int b = 0; b < 64; b++) CHECK_NEAR(flips[b] / (double)N, 0.5, 5 * 0.5 / sqrt(N));
}

static void shuffle_is_a_permutation_and_uniform(void **state) {
    (void)state;
    int index[1000], had[1000] = { 0 };
    rh_shuffle(5, RH_STREAM_ORDER, 1000, index);
    for (int k = 0; k < 1000; k++) {
        assert_in_range(index[k], 0, 999);
        had[index[k]]++;
    }
    for (int k = 0; k < 1000; k++) assert_int_equal(had[k], 1);
    int count[24] = { 0 };
    const int runs = 48000;
    for (int k = 0; k < runs; k++) {
        int p[4], rank = 0;
        rh_shuffle((uint64_t)k, RH_STREAM_ORDER, 4, p);
        for (int i = 0; i < 4; i++) {
            int below = 0;
            for (int j = i + 1; j < 4; j++) below += p[j] < p[i];
            rank = rank * (4 - i) + below;
        }
        count[rank]++;
    }
    double chi2 = 0;
    for (int k = 0; k < 24; k++) chi2 += pow(count[k] - runs / 24., 2) / (runs / 24.);
    CHECK_NEAR(chi2, 23, 5 * sqrt(46));
    rh_shuffle(1, 1, 0, NULL);
}

/* ---- files ---- */

static char folder[] = "/tmp/rheo_base_XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static const char *in_folder(const char *name, char *buf) {
    snprintf(buf, 256, "%s/%s", folder, name);
    return buf;
}

static void file_comes_back(void **state) {
    (void)state;
    char path[256], *text = NULL;
    size_t n = 0;
    rheo_error err = { 0 };
    const char data[] = "a\0b\r\nc";
    in_folder("f", path);
    assert_int_equal(rh_file_write(path, data, sizeof(data), &err), RHEO_OK);
    assert_int_equal(rh_file_read(path, 100, &text, &n, &err), RHEO_OK);
    assert_int_equal(n, sizeof(data));
    assert_memory_equal(text, data, n);
    assert_int_equal(text[n], 0);
    rh_free(text);
    assert_int_equal(rh_file_read(path, sizeof(data), &text, &n, &err), RHEO_OK);
    rh_free(text);
    text = NULL;
    assert_int_equal(rh_file_read(path, sizeof(data) - 1, &text, &n, &err), RHEO_E_LIMIT);
    assert_int_equal(err.code, 404);
    assert_null(text);
    assert_int_equal(rh_file_write(path, NULL, 0, NULL), RHEO_OK);
    assert_int_equal(rh_file_read(path, 0, &text, &n, NULL), RHEO_OK);
    assert_true(n == 0 && text[0] == 0);
    rh_free(text);
    char *big = rh_calloc(300000, 1);
    memset(big, 'x', 300000);
    assert_int_equal(rh_file_write(path, big, 300000, NULL), RHEO_OK);
    assert_int_equal(rh_file_read(path, 300000, &text, &n, NULL), RHEO_OK);
    assert_int_equal(n, 300000);
    assert_memory_equal(text, big, n);
    rh_free(text);
    rh_free(big);
    in_folder("f.tmp", path);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void check_refused(const char *path, int code) {
    char *text = NULL;
    size_t n = 0;
    rheo_error err = { 0 };
    assert_int_equal(rh_file_read(path, 1000, &text, &n, &err), RHEO_E_IO);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.msg, path));
    assert_null(text);
}

static void only_regular_files_are_read(void **state) {
    (void)state;
    char path[256];
    check_refused(folder, 403);
    check_refused("/dev/zero", 403);
    check_refused(in_folder("missing", path), 401);
    in_folder("pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    check_refused(path, 403);
    rheo_error err = { 0 };
    char *text;
    size_t n;
    rh_file_read("/nonexistent/x", 10, &text, &n, &err);
    check_text(&err, "rheo: error[E401]: cannot open '/nonexistent/x': No such file or directory");
}

static void failed_write_keeps_the_old_file(void **state) {
    (void)state;
    char path[256], tmp[256], *text;
    size_t n;
    in_folder("keep", path);
    in_folder("keep.tmp", tmp);
    CHECK_OK(rh_file_write(path, "old", 3, &err_));
    assert_int_equal(mkdir(tmp, 0700), 0);
    rheo_error err = { 0 };
    assert_int_equal(rh_file_write(path, "new", 3, &err), RHEO_E_IO);
    assert_int_equal(err.code, 402);
    assert_non_null(strstr(err.msg, path));
    CHECK_OK(rh_file_read(path, 10, &text, &n, &err_));
    assert_string_equal(text, "old");
    rh_free(text);
    assert_int_equal(rmdir(tmp), 0); /* still there: only what was made is removed */
    assert_int_equal(symlink(path, tmp), 0);
    assert_int_equal(rh_file_write(path, "new", 3, NULL), RHEO_E_IO); /* a planted link is not followed */
    unlink(tmp);
    assert_int_equal(mkfifo(tmp, 0600), 0);
    assert_int_equal(rh_file_write(path, "new", 3, NULL), RHEO_E_IO); /* nor does a pipe make it wait */
    unlink(tmp);
    in_folder("d", path); /* renaming over a folder fails after the data are written */
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(rh_file_write(path, "new", 3, NULL), RHEO_E_IO);
    in_folder("d.tmp", tmp);
    assert_int_not_equal(access(tmp, F_OK), 0);
    assert_int_equal(rh_file_write("/nonexistent/x", "new", 3, NULL), RHEO_E_IO);
}

static void standard_input_is_read_to_its_end(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "hello", 5), 5);
    close(ends[1]);
    const int had = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    char *text = NULL;
    size_t n = 0;
    const rheo_status st = rh_file_read("-", 100, &text, &n, NULL);
    if (had >= 0) {
        dup2(had, STDIN_FILENO);
        close(had);
    }
    assert_int_equal(st, RHEO_OK);
    assert_string_equal(text, "hello");
    rh_free(text);
}

static void folders_and_paths(void **state) {
    (void)state;
    char path[256], file[256];
    struct stat s;
    in_folder("a/b//c/", path);
    CHECK_OK(rh_dir_create(path, &err_));
    CHECK_OK(rh_dir_create(path, &err_));
    assert_true(stat(path, &s) == 0 && S_ISDIR(s.st_mode));
    in_folder("file", file);
    CHECK_OK(rh_file_write(file, "x", 1, &err_));
    in_folder("file/sub", path);
    assert_int_equal(rh_dir_create(path, NULL), RHEO_E_IO);
    assert_int_equal(rh_dir_create(file, NULL), RHEO_E_IO);
    assert_int_equal(rh_dir_create("", NULL), RHEO_E_IO);
    const char *const join[][3] = {
        { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "a", "/b", "/b" }, { "", "b", "b" }, { "/", "b", "/b" }
    };
    for (int k = 0; k < RH_COUNT(join); k++) {
        char *p = rh_path_join(join[k][0], join[k][1]);
        assert_string_equal(p, join[k][2]);
        rh_free(p);
    }
    const char *const part[][2] = { { "a/b", "a" },  { "b", "." },       { "/b", "/" },
                                    { "a//b", "a" }, { "a/b/c", "a/b" }, { "//b", "/" } };
    for (int k = 0; k < RH_COUNT(part); k++) {
        char *p = rh_path_folder(part[k][0]);
        assert_string_equal(p, part[k][1]);
        rh_free(p);
    }
}

/* Bit by bit, from the definition. */
static uint32_t slow_crc(const unsigned char *p, size_t n) {
    uint32_t c = 0xFFFFFFFF;
    for (size_t k = 0; k < 8 * n; k++) {
        const uint32_t bit = (c ^ p[k / 8] >> k % 8) & 1;
        c = c >> 1 ^ (bit ? 0x82F63B78 : 0);
    }
    return ~c;
}

static void checksum_is_castagnoli(void **state) {
    (void)state;
    assert_int_equal(rh_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(rh_crc32c(0, "", 0), 0);
    enum { N = 40000 };
    static unsigned char data[N];
    for (int k = 0; k < N; k++) data[k] = (unsigned char)rh_random_u64(1, 1, (uint64_t)k);
    const size_t cut[] = { 0, 1, 7, 100, 8191, 8192, 8193, 20001, N };
    for (int k = 0; k < RH_COUNT(cut); k++) {
        assert_int_equal(rh_crc32c(0, data, cut[k]), slow_crc(data, cut[k]));
        assert_int_equal(rh_crc32c(rh_crc32c(0, data, cut[k]), data + cut[k], N - cut[k]), slow_crc(data, N));
    }
}

/* ---- arrays ---- */

static rh_npz *example(void) {
    rh_npz *z = rh_npz_create();
    const double x[] = { 1.5, -2, 3, 4, 5, 1e-300 };
    const int i[] = { 7, -8 };
    const char *const s[] = { "in1", "\xCE\xA9 x", "" };
    rh_npz_f64(z, "v", x, 2, (const size_t[]){ 2, 3 });
    rh_npz_i32(z, "i", i, 1, (const size_t[]){ 2 });
    rh_npz_text(z, "names", s, 3);
    rh_npz_f64(z, "scalar", x, 0, NULL);
    rh_npz_f64(z, "empty", NULL, 2, (const size_t[]){ 0, 4 });
    rh_npz_text(z, "none", NULL, 0);
    return z;
}

static unsigned at16(const char *p) { return (unsigned char)p[0] | (unsigned)(unsigned char)p[1] << 8; }

static void npz_has_the_right_bytes(void **state) {
    (void)state;
    char path[256], *text;
    size_t n;
    rh_npz *z = example();
    CHECK_OK(rh_npz_write(z, in_folder("a.npz", path), &err_));
    CHECK_OK(rh_file_read(path, 1 << 20, &text, &n, &err_));
    assert_memory_equal(text, "PK\x03\x04", 4);
    assert_int_equal(at16(text + 8), 0);     /* stored */
    assert_int_equal(at16(text + 12), 0x21); /* 1980-01-01 */
    assert_int_equal(at16(text + 26), 5);
    assert_memory_equal(text + 30, "v.npy\x93NUMPY\x01\x00", 13);
    const unsigned header = at16(text + 43);
    assert_int_equal((10 + header) % 64, 0);
    assert_memory_equal(text + 45, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", 59);
    assert_int_equal(text[44 + header], '\n');
    double x[6];
    memcpy(x, text + 45 + header, sizeof(x));
    assert_true(x[0] == 1.5 && x[1] == -2 && x[5] == 1e-300);
    assert_memory_equal(text + n - 22, "PK\x05\x06", 4);
    assert_int_equal(at16(text + n - 12), 6);
    char *again;
    size_t m;
    CHECK_OK(rh_npz_write(z, path, &err_));
    CHECK_OK(rh_file_read(path, 1 << 20, &again, &m, &err_));
    assert_int_equal(m, n);
    assert_memory_equal(again, text, n);
    rh_free(again);
    rh_free(text);
    rh_npz_destroy(z);
    rh_npz_destroy(NULL);
}

static void numpy_reads_it_back(void **state) {
    (void)state;
    if (system("/usr/bin/python3 -c 'import numpy' >/dev/null 2>&1") != 0) {
        print_message("no python3 with numpy here: reading back is not tested\n");
        skip();
    }
    char path[256], command[2048];
    rh_npz *z = example();
    CHECK_OK(rh_npz_write(z, in_folder("b.npz", path), &err_));
    rh_npz_destroy(z);
    snprintf(command, sizeof(command),
             "/usr/bin/python3 -c \"\nimport numpy as np, zipfile\n"
             "assert zipfile.ZipFile('%s').testzip() is None\n"
             "z = np.load('%s')\n"
             "assert z.files == ['v', 'i', 'names', 'scalar', 'empty', 'none'], z.files\n"
             "assert z['v'].tolist() == [[1.5, -2, 3], [4, 5, 1e-300]] and z['v'].dtype == np.float64\n"
             "assert z['i'].tolist() == [7, -8] and z['i'].dtype == np.int32\n"
             "assert z['names'].tolist() == ['in1', chr(937) + ' x', ''], z['names']\n"
             "assert z['scalar'].shape == () and z['scalar'] == 1.5\n"
             "assert z['empty'].shape == (0, 4) and z['none'].shape == (0,)\n\"",
             path, path);
    assert_int_equal(system(command), 0);
}

static void npz_refuses_what_zip_cannot_hold(void **state) {
    (void)state;
    const size_t huge[][2] = { { (size_t)1 << 40, 1 }, { (size_t)1 << 33, (size_t)1 << 33 }, { SIZE_MAX, 2 } };
    const double x = 1;
    for (int k = 0; k < RH_COUNT(huge); k++) {
        rh_npz *z = rh_npz_create();
        rh_npz_f64(z, "x", &x, 2, huge[k]);
        rh_npz_f64(z, "y", &x, 0, NULL); /* the failure sticks */
        char path[256];
        rheo_error err = { 0 };
        assert_int_equal(rh_npz_write(z, in_folder("huge.npz", path), &err), RHEO_E_LIMIT);
        assert_int_not_equal(access(path, F_OK), 0);
        rh_npz_destroy(z);
    }
}

/* Of so many letters a, by another program. */
static void checksums_are_those_of_others(void **state) {
    (void)state;
    static const struct {
        size_t n;
        const char *sum;
    } CASES[] = {
        { 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { 1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" },
        { 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
        { 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
        { 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34" },
        { 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
        { 119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb" },
        { 120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c" },
        { 1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3" },
    };
    char text[1000], sum[65];
    memset(text, 'a', sizeof(text));
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        rh_sha256(text, CASES[k].n, sum);
        assert_string_equal(sum, CASES[k].sum);
    }
    rh_sha256("abc", 3, sum);
    assert_string_equal(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* "folder/.." goes where it may: not behind a link, and not where nothing is. */
static void paths_are_tidied(void **state) {
    (void)state;
    char top[] = "/tmp/rheo-tidy-XXXXXX", text[300], want[300];
    assert_non_null(mkdtemp(top));
    static const char *const CASES[][2] = {
        { "a/b/../../f", "f" },       { "a/../f", "f" },      { "a/b/../b/../../f", "f" },
        { "a/b/../g", "a/g" },        { "a//b/../g", "a/g" }, { "link/../g", "link/../g" }, /* that is a/g */
        { "a/../none", "a/../none" }, { "f", "f" },
    };
    snprintf(text, sizeof text, "cd %s && mkdir -p a/b && ln -s a/b link && touch f a/g", top);
    assert_int_equal(system(text), 0);
    for (size_t k = 0; k < RH_COUNT(CASES); k++) {
        snprintf(text, sizeof text, "%s/%s", top, CASES[k][0]);
        snprintf(want, sizeof want, "%s/%s", top, CASES[k][1]);
        char *const tidy = rh_path_tidy(rh_strdup(text));
        assert_string_equal(tidy, want);
        rh_free(tidy);
    }
    snprintf(text, sizeof text, "/tmp/../../%s/a/../f", top + 1);
    snprintf(want, sizeof want, "/../%s/f", top + 1);
    char *const tidy = rh_path_tidy(rh_strdup(text));
    assert_string_equal(tidy, want);
    rh_free(tidy);
    assert_null(rh_path_tidy(NULL));
    snprintf(text, sizeof text, "rm -r %s", top);
    assert_int_equal(system(text), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_meant_is_said),
        cmocka_unit_test(what_hints_say_is_read),
        cmocka_unit_test(a_capital_a_is_ampere),
        cmocka_unit_test(paths_are_tidied),
        cmocka_unit_test(checksums_are_those_of_others),
        cmocka_unit_test(memory_is_zeroed_and_overflow_is_refused),
        cmocka_unit_test(grow_keeps_what_is_there),
        cmocka_unit_test(arena_hands_out_aligned_pieces_that_do_not_overlap),
        cmocka_unit_test(pool_pieces_stay_and_are_zero),
        cmocka_unit_test(message_shows_place_line_and_hint),
        cmocka_unit_test(message_without_file),
        cmocka_unit_test(tab_utf8_and_control_characters_keep_the_caret),
        cmocka_unit_test(long_lines_are_cut_around_the_place),
        cmocka_unit_test(secret_sources_are_not_quoted),
        cmocka_unit_test(long_texts_end_in_dots),
        cmocka_unit_test(report_sends_all_and_keeps_the_first),
        cmocka_unit_test(catalogue_is_in_order_and_says_something),
        cmocka_unit_test(buf_json_and_escape),
        cmocka_unit_test(names_without_case),
        cmocka_unit_test(suggestions_are_close),
        cmocka_unit_test(map_finds_what_was_put),
        cmocka_unit_test(map_folds_ascii_letters_only),
        cmocka_unit_test(number_law),
        cmocka_unit_test(whole_text_is_one_number),
        cmocka_unit_test(numbers_survive_text),
        cmocka_unit_test(decimals_are_correctly_rounded),
        cmocka_unit_test(very_long_digit_strings_take_linear_time),
        cmocka_unit_test(any_bytes_are_safe),
        cmocka_unit_test(plain_decimals),
        cmocka_unit_test(numbers_for_people),
        cmocka_unit_test(fields_fill_a_def),
        cmocka_unit_test(random_numbers_never_change),
        cmocka_unit_test(random_numbers_look_random),
        cmocka_unit_test(shuffle_is_a_permutation_and_uniform),
        cmocka_unit_test(file_comes_back),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(failed_write_keeps_the_old_file),
        cmocka_unit_test(standard_input_is_read_to_its_end),
        cmocka_unit_test(folders_and_paths),
        cmocka_unit_test(checksum_is_castagnoli),
        cmocka_unit_test(npz_has_the_right_bytes),
        cmocka_unit_test(numpy_reads_it_back),
        cmocka_unit_test(npz_refuses_what_zip_cannot_hold),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
