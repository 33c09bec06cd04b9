/* Every way a netlist can be wrong that we thought of, with the exact messages. tests/data/malformed_netlists.txt holds
 * blocks
 *
 *     === name [allow_short] [lenient] [max_error=N] [max_element=N]
 *     the netlist; \xHH is a byte
 *     ---
 *     all messages, as rheo_error_format writes them
 *
 * After a deliberate change of a message run this test with RHEO_UPDATE_MALFORMED=1 and read the differences. */
#include "check.h"

#include "base/base.h"
#include "rheo/netlist.h"

static const char FILE_NAME[] = "tests/data/malformed_netlists.txt";

typedef struct block {
    char name[200];
    rh_buf text, want;
} block;

static void collect(void *user, const rheo_error *e) {
    char line[1400];
    rh_buf *all = user;
    const size_t n = rheo_error_format(e, line, sizeof(line));
    assert_true(n < sizeof(line));
    rh_buf_add(all, line, n);
    rh_buf_puts(all, "\n");
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

static void decode(const rh_buf *in, rh_buf *out) {
    for (size_t k = 0; k < in->n; k++) {
        char ch = in->s[k];
        if (ch == '\\' && k + 3 < in->n && in->s[k + 1] == 'x') {
            ch = (char)(hex(in->s[k + 2]) << 4 | hex(in->s[k + 3]));
            k += 3;
        }
        rh_buf_add(out, &ch, 1);
    }
}

static bool has(const block *b, const char *word) { return strstr(b->name, word) != NULL; }

static long number_after(const block *b, const char *word, long def) {
    const char *at = strstr(b->name, word);
    return at ? strtol(at + strlen(word), NULL, 10) : def;
}

static void messages_of(const block *b, rh_buf *got) {
    rh_buf text = { 0 };
    decode(&b->text, &text);
    rheo_netlist_def def = rheo_netlist_default();
    def.allow_short = has(b, " allow_short");
    def.lenient = has(b, " lenient");
    def.max_error = (int)number_after(b, " max_error=", def.max_error);
    def.max_element = number_after(b, " max_element=", (long)def.max_element);
    const rheo_log log = { collect, got };
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    const rheo_status st = rheo_netlist_parse(&c, text.s ? text.s : "", text.n, "x.cir", &def, &log, &err);
    assert_int_equal(st == RHEO_OK, c != NULL);
    assert_int_equal(st, err.status);
    if (st != RHEO_OK) assert_non_null(strstr(got->s ? got->s : "", "error"));
    rheo_circuit_destroy(c);
    rh_buf_free(&text);
}

/* Reads the next block; false at the end. */
static bool next_block(const char **at, block *b) {
    const char *p = *at;
    if (strncmp(p, "=== ", 4) != 0) return false;
    const char *nl = strchr(p, '\n');
    snprintf(b->name, sizeof(b->name), "%.*s", (int)(nl - p - 4), p + 4);
    rh_buf *part = &b->text;
    for (p = nl + 1; *p && strncmp(p, "=== ", 4) != 0; p = nl + 1) {
        nl = strchr(p, '\n');
        if (strncmp(p, "---\n", 4) == 0)
            part = &b->want;
        else
            rh_buf_add(part, p, (size_t)(nl - p) + 1);
    }
    if (b->text.n)
        b->text.s[--b->text.n] = '\0'; /* the last line end belongs to the format: files may end without one */
    *at = p;
    return true;
}

static void each_message_is_exact(void **state) {
    (void)state;
    char *all = NULL;
    size_t size = 0;
    rheo_error err = { 0 };
    const bool update = getenv("RHEO_UPDATE_MALFORMED") != NULL;
    rh_buf out = { 0 };
    int n = 0, wrong = 0;
    assert_int_equal(rh_file_read(FILE_NAME, 1 << 22, &all, &size, &err), RHEO_OK);
    const char *at = all;
    for (block b = { 0 }; next_block(&at, &b); b = (block){ 0 }, n++) {
        rh_buf got = { 0 };
        messages_of(&b, &got);
        rh_buf_printf(&out, "=== %s\n", b.name);
        rh_buf_add(&out, b.text.s, b.text.n);
        rh_buf_puts(&out, "\n---\n");
        rh_buf_puts(&out, got.s ? got.s : "");
        if (!update && strcmp(got.s ? got.s : "", b.want.s ? b.want.s : "") != 0) {
            print_error("--- %s: want\n%s--- got\n%s", b.name, b.want.s ? b.want.s : "", got.s ? got.s : "");
            wrong++;
        }
        rh_buf_free(&got);
        rh_buf_free(&b.text);
        rh_buf_free(&b.want);
    }
    assert_int_equal(*at, 0);
    assert_true(n >= 130);
    if (update) assert_int_equal(rh_file_write(FILE_NAME, out.s, out.n, &err), RHEO_OK);
    rh_buf_free(&out);
    rh_free(all);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_message_is_exact) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
