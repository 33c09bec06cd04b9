/* test_config.c: YAML into trees with exact places, and trees into settings. */
#include "check.h"

#include "config/config.h"

#include <time.h>

typedef struct messages {
    int n;
    char text[24][1200];
} messages;

static void collect(void *user, const rheo_error *e) {
    messages *m = user;
    if (m->n < 24) rheo_error_format(e, m->text[m->n++], sizeof(m->text[0]));
}

static messages said; /* of the last call of parse */
static rheo_error first;

static rheo_status parse_n(rh_document *d, const char *text, size_t n) {
    static rheo_log log = { collect, &said };
    said.n = 0;
    first = (rheo_error){ 0 };
    rh_report r = { .log = &log, .err = &first };
    return rh_document_parse(d, text, n, "t.yaml", &r);
}

static rheo_status parse(rh_document *d, const char *text) { return parse_n(d, text, strlen(text)); }

/* A document that must be refused, at the place given. */
static void refuse(const char *text, size_t n, rheo_status want, int code, int line, int col) {
    rh_document d;
    const rheo_status st = parse_n(&d, text, n);
    if (st != want || first.code != code || first.line != line || first.col != col)
        fail_msg("%.60s: status %d code %d at %d:%d (%s)", text, (int)st, first.code, first.line, first.col, first.msg);
    assert_null(d.root);
    assert_null(d.pool);
    rh_document_free(&d);
}

static void refuse_text(const char *text, int code, int line, int col) {
    refuse(text, strlen(text), RHEO_E_PARSE, code, line, col);
}

static void tree_has_the_places_of_its_text(void **state) {
    (void)state;
    rh_document d;
    assert_int_equal(parse(&d, "a: 1\nlong: [x, 'y y', {k: v}]\n\xC3\xA9t\xC3\xA9: \"q\"\n"), RHEO_OK);
    assert_int_equal(d.root->type, RH_YAML_MAP);
    assert_int_equal(d.root->n, 3);
    const rh_yaml *list = d.root->item[1];
    assert_int_equal(list->type, RH_YAML_LIST);
    assert_int_equal(list->n, 3);
    assert_int_equal(list->line, 2);
    assert_int_equal(list->col, 7);
    assert_string_equal(list->item[1]->text, "y y");
    assert_true(list->item[1]->quoted);
    assert_int_equal(list->item[1]->col, 11);
    assert_int_equal(list->item[1]->len, 5);
    assert_string_equal(list->item[2]->key[0], "k");
    assert_int_equal(list->item[2]->key_at[0][1], 19);
    const rh_yaml *last = d.root->item[2]; /* columns count bytes: the key has 5 of them */
    assert_int_equal(last->line, 3);
    assert_int_equal(last->col, 8);
    assert_int_equal(last->len, 3);
    rh_document_free(&d);
    assert_null(d.src);
}

static void byte_order_mark_and_crlf_are_fine(void **state) {
    (void)state;
    rh_document d;
    assert_int_equal(parse(&d, "\xEF\xBB\xBF"
                               "a: 1\r\nb: two\r\n"),
                     RHEO_OK);
    assert_int_equal(d.root->n, 2);
    assert_string_equal(d.root->item[1]->text, "two");
    assert_int_equal(d.root->key_at[1][0], 2);
    assert_int_equal(d.root->key_at[1][1], 1);
    rh_document_free(&d);
}

static void aliases_are_copies(void **state) {
    (void)state;
    rh_document d;
    assert_int_equal(parse(&d, "a: &x {k: [1, 2]}\nb: *x\n"), RHEO_OK);
    rh_yaml *a = d.root->item[0], *b = d.root->item[1];
    assert_ptr_not_equal(a, b);
    assert_string_equal(b->item[0]->item[1]->text, "2");
    assert_non_null(rh_yaml_get(b, "k"));
    assert_true(b->item[0]->used);
    assert_false(a->item[0]->used);
    rh_document_free(&d);
}

static void what_experiments_do_not_use_is_refused(void **state) {
    (void)state;
    refuse_text("a: 1\nb: 2\na: 3\n", RH_CODE_DUPLICATE, 3, 1);
    refuse_text("a: !!float 1\n", RH_CODE_FEATURE, 1, 4);
    refuse_text("a: ! x\n", RH_CODE_FEATURE, 1, 4);
    refuse_text("a: !t [1]\n", RH_CODE_FEATURE, 1, 4);
    refuse_text("b: &x {k: 1}\na: {<<: *x}\n", RH_CODE_FEATURE, 2, 5);
    refuse_text("a: 1\n---\nb: 2\n", RH_CODE_FEATURE, 2, 1);
    refuse_text("? [a]\n: 1\n", RH_CODE_FEATURE, 1, 3);
    refuse_text("a: *nope\n", RH_CODE_FEATURE, 1, 4);
    refuse_text("a: &x [*x]\n", RH_CODE_FEATURE, 1, 8);
    refuse_text("a: &x {b: {c: *x}}\n", RH_CODE_FEATURE, 1, 15);
    refuse_text("a: \"x\\0y\"\n", RH_CODE_FEATURE, 1, 4);
    refuse_text("", RH_CODE_EMPTY, 1, 1);
    refuse_text("# nothing\n", RH_CODE_EMPTY, 1, 1);
}

static void broken_syntax_has_a_place(void **state) {
    (void)state;
    refuse_text("a:\n\tb: 1\n", RH_CODE_YAML, 2, 1);
    refuse_text("a: 'x\nb: 1\n", RH_CODE_YAML, 1, 4);
    refuse_text("a: [1, 2\nb: 3\n", RH_CODE_YAML, 1, 4);
    refuse_text("a: {b: 1\n", RH_CODE_YAML, 1, 4);
    refuse_text("a: b: c\n", RH_CODE_YAML, 1, 5);
    refuse_text("a: 1\n b: 2\n", RH_CODE_YAML, 2, 3);
    refuse_text("a: @x\n", RH_CODE_YAML, 1, 4);
}

static void bytes_that_are_no_text_have_a_place(void **state) {
    (void)state;
    refuse("a: 1\nb: \xFF\n", 11, RHEO_E_PARSE, RH_CODE_ENCODING, 2, 4);
    refuse("a: \xC3(", 5, RHEO_E_PARSE, RH_CODE_ENCODING, 1, 4);
    refuse("a: x\0y\n", 7, RHEO_E_PARSE, RH_CODE_ENCODING, 1, 5);
    refuse("a: \x1b[31m\n", 9, RHEO_E_PARSE, RH_CODE_ENCODING, 1, 4);
    refuse("\xFF\xFE"
           "a\0",
           4, RHEO_E_PARSE, RH_CODE_ENCODING, 1, 1);
    refuse("a: \xED\xA0\x80\n", 7, RHEO_E_PARSE, RH_CODE_ENCODING, 1, 4);
}

static char *repeat(const char *piece, size_t times, size_t *n) {
    const size_t m = strlen(piece);
    char *s = malloc(m * times + 1);
    assert_non_null(s);
    for (size_t k = 0; k < times; k++) memcpy(s + k * m, piece, m);
    *n = m * times;
    s[*n] = '\0';
    return s;
}

static void depth_is_limited_and_quickly_so(void **state) {
    (void)state;
    static const char *const PIECES[] = { "[", "{a: ", "- ", "[[", "? ", "[{" };
    for (int k = 0; k < RH_COUNT(PIECES); k++) {
        size_t n;
        char *s = repeat(PIECES[k], 200000, &n);
        const clock_t began = clock();
        rh_document d;
        const rheo_status st = parse_n(&d, s, n);
        assert_true(st == RHEO_E_LIMIT || st == RHEO_E_PARSE);
        assert_true(first.line >= 1 && first.col >= 1);
        assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 2);
        rh_document_free(&d);
        free(s);
    }
    size_t n;
    char *deep = repeat("[", RH_YAML_DEPTH + 1, &n);
    refuse(deep, n, RHEO_E_LIMIT, RH_CODE_LIMIT, 1, RH_YAML_DEPTH + 1);
    free(deep);
}

static void alias_bombs_do_not_go_off(void **state) {
    (void)state;
    char text[2048] = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int k = 1; k < 10; k++) {
        char line[200];
        snprintf(line, sizeof(line), "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", k, k, k - 1, k - 1,
                 k - 1, k - 1, k - 1, k - 1, k - 1, k - 1, k - 1);
        strcat(text, line);
    }
    rh_document d;
    assert_int_equal(parse(&d, text), RHEO_E_LIMIT);
    assert_int_equal(first.code, RH_CODE_LIMIT);
    rh_document_free(&d);
    char chain[8192] = "a0: &a0 [x]\n"; /* each stands inside the next: depth grows through aliases alone */
    for (int k = 1; k < 80; k++) {
        char line[64];
        snprintf(line, sizeof(line), "a%d: &a%d [*a%d]\n", k, k, k - 1);
        strcat(chain, line);
    }
    assert_int_equal(parse(&d, chain), RHEO_E_LIMIT);
    rh_document_free(&d);
}

static void too_many_values_are_refused(void **state) {
    (void)state;
    size_t n;
    char *s = repeat("- 1\n", RH_YAML_NODES + 10, &n);
    rh_document d;
    assert_int_equal(parse_n(&d, s, n), RHEO_E_LIMIT);
    assert_int_equal(first.line, RH_YAML_NODES);
    rh_document_free(&d);
    free(s);
    char *big = malloc((size_t)RH_YAML_BYTES + 2);
    assert_non_null(big);
    memset(big, ' ', (size_t)RH_YAML_BYTES + 2);
    assert_int_equal(parse_n(&d, big, (size_t)RH_YAML_BYTES + 1), RHEO_E_LIMIT);
    free(big);
}

static void a_million_keys_are_compared_in_time(void **state) {
    (void)state;
    const int n_key = 300000;
    char *s = malloc((size_t)n_key * 16), *p = s;
    assert_non_null(s);
    for (int k = 0; k < n_key; k++) p += sprintf(p, "k%d: 1\n", k == n_key - 1 ? 7 : k);
    rh_document d;
    const clock_t began = clock();
    assert_int_equal(parse_n(&d, s, (size_t)(p - s)), RHEO_E_PARSE);
    assert_int_equal(first.code, RH_CODE_DUPLICATE);
    assert_int_equal(first.line, n_key);
    assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 10);
    rh_document_free(&d);
    free(s);
}

/* ---- overrides ---- */

static rheo_status set(rh_document *d, const char *assignment) {
    static rheo_log log = { collect, &said };
    said.n = 0;
    first = (rheo_error){ 0 };
    rh_report r = { .log = &log, .err = &first };
    return rh_document_set(d, assignment, &r);
}

static void overrides_replace_and_add(void **state) {
    (void)state;
    rh_document d;
    assert_int_equal(parse(&d, "a: 1\nb: {c: 2}\n"), RHEO_OK);
    assert_int_equal(set(&d, "a=[5, 6]"), RHEO_OK);
    assert_int_equal(set(&d, "b.c=7"), RHEO_OK);
    assert_int_equal(set(&d, "b.d=8=9"), RHEO_OK);
    assert_int_equal(set(&d, "x.y.z=new"), RHEO_OK);
    assert_int_equal(d.root->item[0]->n, 2);
    rh_yaml *b = rh_yaml_get(d.root, "b"), *z = rh_yaml_get(rh_yaml_get(rh_yaml_get(d.root, "x"), "y"), "z");
    assert_string_equal(rh_yaml_get(b, "c")->text, "7");
    assert_string_equal(rh_yaml_get(b, "d")->text, "8=9");
    assert_string_equal(z->text, "new");
    rh_report r = { .err = NULL };
    const rh_reader rd = { .doc = &d, .report = &r };
    const rh_loc at = rh_yaml_loc(&rd, z);
    assert_string_equal(at.src->name, "--set");
    assert_int_equal(at.line, 1);
    assert_int_equal(at.col, 7);
    assert_int_equal(rh_yaml_key_loc(&rd, b, 0).col, 3);
    rh_document_free(&d);
}

static void bad_overrides_have_a_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        rheo_status st;
        int col;
    } BAD[] = {
        { "a", RHEO_E_USAGE, 1 },      { "", RHEO_E_USAGE, 1 },       { "=1", RHEO_E_USAGE, 1 },
        { "b..c=1", RHEO_E_USAGE, 3 }, { "a.c=1", RHEO_E_USAGE, 3 },  { "a=", RHEO_E_USAGE, 2 },
        { "a=[1", RHEO_E_PARSE, 3 },   { "a=!t 1", RHEO_E_PARSE, 3 }, { "b.=1", RHEO_E_USAGE, 3 },
        { "a=\xFF", RHEO_E_PARSE, 3 }, { "a=*x", RHEO_E_PARSE, 3 },
    };
    for (int k = 0; k < RH_COUNT(BAD); k++) {
        rh_document d;
        assert_int_equal(parse(&d, "a: 1\nb: {c: 2}\n"), RHEO_OK);
        const rheo_status st = set(&d, BAD[k].text);
        if (st != BAD[k].st || first.col != BAD[k].col || strcmp(first.file, "--set") != 0)
            fail_msg("%s: status %d at %s:%d:%d %s", BAD[k].text, (int)st, first.file, first.line, first.col,
                     first.msg);
        rh_document_free(&d);
    }
}

/* ---- readers ---- */

typedef struct knobs {
    double tau, limit;
    int epochs, kind;
    bool on;
    char *name;
} knobs;
static const char *const KINDS[] = { "sawtooth", "square", NULL };
static const rh_field FIELDS[] = {
    { "tau", "s", 1e-3, 1e-9, 10, "time constant", offsetof(knobs, tau), RH_DOUBLE, NULL },
    { "limit", "V^2/s", 1, 0, INFINITY, "limit", offsetof(knobs, limit), RH_DOUBLE, NULL },
    { "epochs", "", 5, 1, 1e6, "passes", offsetof(knobs, epochs), RH_INT, NULL },
    { "kind", "", 0, 0, 1, "shape", offsetof(knobs, kind), RH_CHOICE, KINDS },
    { "on", "", 0, 0, 1, "switch", offsetof(knobs, on), RH_BOOL, NULL },
    { "name", "", 0, 0, 0, "text", offsetof(knobs, name), RH_STRING, NULL },
};

static rheo_status read_knobs(const char *text, knobs *k) {
    static rheo_log log = { collect, &said };
    rh_document d;
    *k = (knobs){ 0 };
    rh_fields_default(FIELDS, RH_COUNT(FIELDS), k);
    assert_int_equal(parse(&d, text), RHEO_OK);
    rh_report r = { .log = &log, .err = &first };
    const rh_reader rd = { .doc = &d, .report = &r };
    const rheo_status st = rh_read_fields(&rd, d.root, FIELDS, RH_COUNT(FIELDS), k);
    rh_document_free(&d);
    return st;
}

static void settings_are_read_with_units(void **state) {
    (void)state;
    knobs k;
    assert_int_equal(read_knobs("{}", &k), RHEO_OK);
    assert_true(k.tau == 1e-3 && k.limit == 1 && k.epochs == 5 && k.kind == 0 && !k.on && !k.name);
    assert_int_equal(read_knobs("tau: 50 us\nlimit: .inf\nepochs: 10k\nkind: square\non: yes\nname: 12\n", &k),
                     RHEO_OK);
    CHECK_REL(k.tau, 50e-6, 1e-15);
    assert_true(isinf(k.limit) && k.limit > 0);
    assert_int_equal(k.epochs, 10000);
    assert_int_equal(k.kind, 1);
    assert_true(k.on);
    assert_string_equal(k.name, "12");
    rh_free(k.name);
    assert_int_equal(read_knobs("limit: 2m V^2/s\ntau: 3e-3s\n", &k), RHEO_OK);
    CHECK_REL(k.limit, 2e-3, 1e-15);
    CHECK_REL(k.tau, 3e-3, 1e-15);
    assert_int_equal(read_knobs("limit: 1e308\ntau: 10\nepochs: 1000000\n", &k), RHEO_OK);
}

static void settings_out_of_line_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *msg, *hint;
    } BAD[] = {
        { "tau: 20", "'tau' is 20, must be from 1e-09 to 10 s", "time constant" },
        { "tau: -1m", "'tau' is -1m, must be from 1e-09 to 10 s", "time constant" },
        { "tau: inf", "'tau' is 'inf': a number must be finite", "" },
        { "tau: .nan", "'tau' is '.nan': this is not a number", "" },
        { "limit: -1", "'limit' is -1, must be at least 0 V^2/s", "limit" },
        { "limit: -inf", "'limit' is -inf, must be at least 0 V^2/s", "limit" },
        { "limit: nan", "'limit' is 'nan': a number must be finite", "" },
        { "tau: 50 uV", "'tau' is '50 uV': it must be in s, not in V", "write 50u or 50 us" },
        { "tau: 5 ks", "'tau' is 5 ks, must be from 1e-09 to 10 s", "time constant" },
        { "limit: 9 mV^2/s", "'limit' is '9 mV^2/s': this is not a number",
          "write 9m V^2/s, or 9u V^2/s if the prefix is squared, too" },
        { "limit: 9m V2/s", "'limit' is '9m V2/s': this is not a number", "write 9m or 9m V^2/s" },
        { "epochs: 3 s", "'epochs' is '3 s': it has no unit", "write 3" },
        { "{tau: 0,2}", "'tau' is 0, must be from 1e-09 to 10 s", "time constant" },
        { "tau: 4k7",
          "'tau' is '4k7': a letter in the place of the decimal point is read differently by different programs",
          "write 4.7k" },
        { "tau: 0,2", "'tau' is '0,2': a comma is not a decimal point", "write 0.2" },
        { "tau: '1'", "'tau' must be a number, and a value in quotes is text", "leave out the quotes" },
        { "tau: lots", "'tau' is 'lots': this is not a number", "" },
        { "tau:", "'tau' has no value", "" },
        { "tau: ~", "'tau' has no value", "" },
        { "tau: [1]", "'tau' must be a single value, not a list", "" },
        { "tau: {a: 1}", "'tau' must be a single value, not a block of keys", "" },
        { "epochs: 0", "'epochs' is 0, must be from 1 to 1000000", "passes" },
        { "epochs: 2.5", "'epochs' is '2.5': must be a whole number", "passes" },
        { "epochs: 99999999999999999999", "'epochs' is 99999999999999999999, must be from 1 to 1000000", "passes" },
        { "kind: sawtoth", "'kind' is 'sawtoth', must be sawtooth or square", "did you mean 'sawtooth'?" },
        { "kind: Square", "'kind' is 'Square', must be sawtooth or square", "did you mean 'square'?" },
        { "on: maybe", "'on' is 'maybe', must be true or false", "write true or false" },
        { "on: 'true'", "'on' is 'true', must be true or false", "write true or false" },
        { "name: ''", "'name' is empty", "" },
    };
    for (int i = 0; i < RH_COUNT(BAD); i++) {
        knobs k;
        const rheo_status st = read_knobs(BAD[i].text, &k);
        if (st == RHEO_OK || strcmp(first.msg, BAD[i].msg) != 0 || strcmp(first.hint, BAD[i].hint) != 0)
            fail_msg("%s: %d '%s' '%s'", BAD[i].text, (int)st, first.msg, first.hint);
        rh_free(k.name);
    }
}

static void all_errors_are_reported_up_to_twenty(void **state) {
    (void)state;
    knobs k;
    assert_int_not_equal(read_knobs("tau: x\nlimit: y\nepochs: 0\nkind: z\non: w\n", &k), RHEO_OK);
    assert_int_equal(said.n, 5);
    assert_int_equal(first.line, 1);
    char text[2000] = "";
    for (int i = 0; i < 40; i++) sprintf(text + strlen(text), "unknown%d: 1\n", i);
    rh_document d;
    assert_int_equal(parse(&d, text), RHEO_OK);
    rheo_log log = { collect, &said };
    rh_report r = { .log = &log, .err = &first };
    const rh_reader rd = { .doc = &d, .report = &r };
    static const char *const KNOWN[] = { "unknown", "other" };
    assert_int_not_equal(rh_read_rest(&rd, d.root, "block", KNOWN, 2), RHEO_OK);
    assert_int_equal(r.n_error, 20);
    assert_string_equal(said.text[0], "t.yaml:1:1: error[E151]: unknown key 'unknown0' in 'block'\n   1 | unknown0: 1\n"
                                      "     | ^~~~~~~~ did you mean 'unknown'?");
    rh_document_free(&d);
}

static void integers_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t want;
        bool ok;
    } CASES[] = {
        { "9223372036854775807", INT64_MAX, true },
        { "-9223372036854775808", INT64_MIN, true },
        { "9007199254740993", 9007199254740993, true },
        { "9223372036854775808", 0, false },
        { "-9223372036854775809", 0, false },
        { "1meg", 1000000, true },
        { "+7", 7, true },
        { "1e3", 1000, true },
        { "1e300", 0, false },
        { "0.5", 0, false },
        { "-", 0, false },
    };
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        rh_document d;
        char text[64];
        snprintf(text, sizeof(text), "n: %s", CASES[k].text);
        if (parse(&d, text) != RHEO_OK) {
            assert_false(CASES[k].ok);
            continue;
        }
        rh_report r = { .err = &first };
        const rh_reader rd = { .doc = &d, .report = &r };
        int64_t got = 0;
        const rheo_status st = rh_read_int64(&rd, d.root->item[0], "n", INT64_MIN, INT64_MAX, &got);
        if ((st == RHEO_OK) != CASES[k].ok || got != CASES[k].want)
            fail_msg("%s: %d, %lld", CASES[k].text, (int)st, (long long)got);
        rh_document_free(&d);
    }
}

static void hydraulic_units_stand_for_electrical_ones(void **state) {
    (void)state;
    rh_document d;
    assert_int_equal(parse(&d, "p: 3 kPa\n"), RHEO_OK);
    rh_report r = { .err = &first };
    rh_reader rd = { .doc = &d, .report = &r };
    double x = 0;
    assert_int_not_equal(rh_read_double(&rd, d.root->item[0], "p", "V", 0, 1e9, &x), RHEO_OK);
    rd.hydraulic = true;
    assert_int_equal(rh_read_double(&rd, d.root->item[0], "p", "V", 0, 1e9, &x), RHEO_OK);
    CHECK_REL(x, 3000, 1e-15);
    rh_document_free(&d);
}

/* A pascal without a prefix is no pico-ampere. */
static void a_bare_pascal_is_a_pascal(void **state) {
    (void)state;
    static const struct {
        const char *text, *unit;
        bool hydraulic;
        double want; /* NaN: refused */
    } row[] = {
        { "5 Pa", "V", true, 5 },    { "5Pa", "V", true, 5 },       { "2.5e3 Pa", "V", true, 2500 },
        { "5. Pa", "V", true, 5 },   { "20 mPa", "V", true, 0.02 }, { "5 Pa", "V", false, NAN },
        { "5 Pa", "A", false, NAN }, { "5 pA", "A", false, 5e-12 }, { "5 pA", "A", true, 5e-12 },
        { "5 Pa", "s", true, NAN },  { "5 Pa", NULL, false, NAN },  { "5 Pa", NULL, true, 5 },
        { "Pa", "V", true, NAN },    { "5 Pa/s", "V", true, NAN },
    };
    for (int i = 0; i < RH_COUNT(row); i++) {
        rh_document d;
        char text[40];
        snprintf(text, sizeof text, "p: %s\n", row[i].text);
        assert_int_equal(parse(&d, text), RHEO_OK);
        rh_report r = { .err = &first };
        rh_reader rd = { .doc = &d, .report = &r, .hydraulic = row[i].hydraulic };
        double x = 0;
        const rheo_status st = rh_read_double(&rd, d.root->item[0], "p", row[i].unit, 0, 1e9, &x);
        if ((st == RHEO_OK) == isnan(row[i].want)) fail_msg("%s: status %d", row[i].text, (int)st);
        if (st == RHEO_OK) CHECK_REL(x, row[i].want, 1e-15);
        rh_document_free(&d);
    }
}

/* Every prefix and every byte changed: refused or read, and nothing worse; places lie inside the text. */
static void damaged_text_is_harmless(void **state) {
    (void)state;
    static const char TEXT[] =
        "version: 1 # c\ntask: &t {kind: table, rows: [{in: [0, 1], out: [.5]}]}\n"
        "again: *t\nlist:\n  - \"a\\tb\"\n  - 'it''s'\n  - |\n    block\n    text\nlast: >-\n  folded\n";
    const size_t n = sizeof(TEXT) - 1;
    char copy[sizeof(TEXT)];
    for (size_t k = 0; k <= n; k++) {
        rh_document d;
        if (parse_n(&d, TEXT, k) != RHEO_OK) assert_true(first.line >= 1 && (size_t)first.col <= k + 1);
        rh_document_free(&d);
        static const char HOSTILE[] = "\0\t\n\r:[]{}&*!|>'\"%@`#,?-\xFF\xC3<=";
        for (size_t j = 0; k < n && j < sizeof(HOSTILE); j++) {
            memcpy(copy, TEXT, sizeof(TEXT));
            copy[k] = HOSTILE[j];
            if (parse_n(&d, copy, n) != RHEO_OK) assert_true(first.line >= 1 && (size_t)first.col <= n + 1);
            rh_document_free(&d);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_has_the_places_of_its_text),
        cmocka_unit_test(byte_order_mark_and_crlf_are_fine),
        cmocka_unit_test(aliases_are_copies),
        cmocka_unit_test(what_experiments_do_not_use_is_refused),
        cmocka_unit_test(broken_syntax_has_a_place),
        cmocka_unit_test(bytes_that_are_no_text_have_a_place),
        cmocka_unit_test(depth_is_limited_and_quickly_so),
        cmocka_unit_test(alias_bombs_do_not_go_off),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(a_million_keys_are_compared_in_time),
        cmocka_unit_test(overrides_replace_and_add),
        cmocka_unit_test(bad_overrides_have_a_place),
        cmocka_unit_test(settings_are_read_with_units),
        cmocka_unit_test(settings_out_of_line_are_refused),
        cmocka_unit_test(all_errors_are_reported_up_to_twenty),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(hydraulic_units_stand_for_electrical_ones),
        cmocka_unit_test(a_bare_pascal_is_a_pascal),
        cmocka_unit_test(damaged_text_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
