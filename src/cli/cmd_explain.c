/* rheo explain: the paragraph behind the code of a message. */
#include "cli/cli.h"

static void add_json(rh_buf *b, int code, const char *title, const char *text) {
    char name[16];
    snprintf(name, sizeof name, "E%03d", code);
    rh_buf_puts(b, "{\"event\":\"explain\"");
    rh_json_text(b, "code", name);
    rh_json_text(b, "title", title);
    rh_json_text(b, "text", text);
    rh_buf_puts(b, "}\n");
}

/* Words up to a width that reads well. */
static void add_wrapped(rh_buf *b, const char *text) {
    const int width = 78;
    int at = 0;
    while (*text) {
        const int n = (int)strcspn(text, " \n");
        if (at > 0 && at + 1 + n > width) {
            rh_buf_puts(b, "\n");
            at = 0;
        }
        if (at > 0) {
            rh_buf_puts(b, " ");
            at++;
        }
        rh_buf_add(b, text, (size_t)n);
        at += n;
        text += n;
        while (*text == ' ' || *text == '\n') text++;
    }
    rh_buf_puts(b, "\n");
}

static void add_one(const rh_cli *cli, rh_buf *b, int code) {
    const char *title = "", *const text = rheo_explain(code, &title);
    if (cli->json) {
        add_json(b, code, title, text);
        return;
    }
    rh_buf_printf(b, "E%03d: %s\n\n", code, title);
    add_wrapped(b, text);
}

static rheo_status list(rh_cli *cli) {
    rh_buf b = { 0 };
    for (int i = 0; rheo_explain_code(i); i++) {
        const char *title = "", *const text = rheo_explain(rheo_explain_code(i), &title);
        if (cli->json)
            add_json(&b, rheo_explain_code(i), title, text);
        else
            rh_buf_printf(&b, "E%03d  %s\n", rheo_explain_code(i), title);
    }
    return rh_cli_write(cli, &b);
}

/* "E203", "e203" or "203"; 0: not a code. */
static int read_code(const char *text) {
    int code = 0;
    if (*text == 'E' || *text == 'e') text++;
    const size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 3 || text[n]) return 0;
    for (; *text; text++) code = 10 * code + (*text - '0');
    return code;
}

static rheo_status run(rh_cli *cli) {
    if (cli->n_operand == 0) return list(cli);
    rh_buf b = { 0 };
    for (int i = 0; i < cli->n_operand; i++) {
        const int code = read_code(cli->operand[i]);
        if (code && rheo_explain(code, NULL)) {
            if (i && !cli->json) rh_buf_puts(&b, "\n");
            add_one(cli, &b, code);
            continue;
        }
        char shown[60];
        rh_buf_free(&b);
        return rh_cli_usage(cli, "`rheo explain` lists all codes", "there is no code '%s'",
                            rh_escape(cli->operand[i], strlen(cli->operand[i]), shown, sizeof shown));
    }
    return rh_cli_write(cli, &b);
}

const rh_command rh_cmd_explain = {
    .name = "explain",
    .summary = "explain the code of a message",
    .usage = "[CODE...]",
    .examples = "  rheo explain E203\n"
                "  rheo explain\n",
    .min_operand = 0,
    .max_operand = -1,
    .run = run,
};
