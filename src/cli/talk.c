/* talk.c: data to stdout, messages to stderr. */
#include "cli/cli.h"

#include <errno.h>
#include <sys/stat.h>

#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define BLUE "\033[1;34m"
#define PLAIN "\033[0m"

/* The severity in colour, and the line under the source in the same one. */
static void print_coloured(const rheo_error *e, const char *text) {
    static const char *const WORD[] = { ": error", ": warning", ": note" }, *const COLOUR[] = { RED, YELLOW, BLUE };
    const char *const colour = COLOUR[e->severity];
    const size_t place = strcspn(text, "\n"), skip = strlen(e->file);
    const char *word = strstr(text + (skip < place ? skip : 0), WORD[e->severity]);
    if (!word) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    word += 2;
    const int n = (int)strcspn(word, ":");
    const char *const end = strrchr(text, '\n');
    const char *const rest = word + n;
    fprintf(stderr, "%.*s%s%.*s" PLAIN, (int)(word - text), text, colour, n, word);
    if (end && e->source[0])
        fprintf(stderr, "%.*s%s%s" PLAIN "\n", (int)(end - rest), rest, colour, end);
    else
        fprintf(stderr, "%s\n", rest);
}

void rh_cli_message(rh_cli *cli, rheo_error *e) {
    if (e->reported) return;
    e->reported = true;
    if (e->severity == RHEO_ERROR) cli->n_error++;
    if (e->severity == RHEO_WARNING) cli->n_warning++;
    if (cli->keep_messages) {
        rh_buf b = { 0 };
        rh_json_message(&b, e);
        rh_buf_puts(&b, "\n");
        rh_cli_write(cli, &b);
    }
    if (cli->quiet && e->severity != RHEO_ERROR) return;
    char text[1300];
    rheo_error_format(e, text, sizeof text);
    if (cli->color_err)
        print_coloured(e, text);
    else
        fprintf(stderr, "%s\n", text);
}

rheo_status rh_cli_failed(rh_cli *cli, rheo_status st, rheo_error *err) {
    if (st == RHEO_OK) return st;
    if (err->status == RHEO_OK) { /* somebody failed without a word */
        *err = (rheo_error){ .status = st };
        snprintf(err->msg, sizeof err->msg, "%s", rheo_status_text(st));
    }
    err->severity = RHEO_ERROR;
    rh_cli_message(cli, err);
    return st;
}

void rh_cli_note(const rh_cli *cli, const char *fmt, ...) {
    if (cli->quiet) return;
    va_list ap;
    va_start(ap, fmt);
    char raw[8192], shown[4 * sizeof raw]; /* paths may be long */
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    for (const char *line = raw; line;) {
        const size_t n = strcspn(line, "\n");
        fprintf(stderr, "%s\n", rh_escape(line, n, shown, sizeof shown));
        line = line[n] ? line + n + 1 : NULL;
    }
}

rheo_status rh_cli_usage(rh_cli *cli, const char *hint, const char *fmt, ...) {
    rheo_error e = { .status = RHEO_E_USAGE };
    va_list ap;
    va_start(ap, fmt);
    char raw[sizeof e.msg];
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    rh_escape(raw, strlen(raw), e.msg, sizeof e.msg); /* what was typed may hold commands to the terminal */
    if (hint) snprintf(e.hint, sizeof e.hint, "%s", hint);
    return rh_cli_failed(cli, RHEO_E_USAGE, &e);
}

rheo_status rh_cli_write(rh_cli *cli, rh_buf *b) {
    rheo_error err = { 0 };
    const bool bad = b->bad;
    if (!bad && b->n > 0 && cli->out == RHEO_OK && (fwrite(b->s, 1, b->n, stdout) != b->n || fflush(stdout) != 0)) {
        cli->out = RHEO_E_IO; /* main says so at the end */
        cli->out_errno = errno;
    }
    rh_buf_free(b);
    if (bad) cli->out = rh_cli_failed(cli, RH_NOMEM(&err), &err);
    return cli->out;
}

/* ---- JSON ---- */

void rh_json_text(rh_buf *b, const char *key, const char *value) {
    rh_buf_printf(b, ",\"%s\":", key);
    rh_buf_json_string(b, value);
}

void rh_json_number(rh_buf *b, const char *key, double value) {
    rh_buf_printf(b, ",\"%s\":", key);
    rh_buf_json_number(b, value);
}

void rh_json_count(rh_buf *b, const char *key, long long value) { rh_buf_printf(b, ",\"%s\":%lld", key, value); }

void rh_json_message(rh_buf *b, const rheo_error *e) {
    static const char *const SEVERITY[] = { "error", "warning", "note" };
    char code[16];
    snprintf(code, sizeof code, "E%03d", e->code);
    rh_buf_puts(b, "{\"event\":\"message\"");
    rh_json_text(b, "severity", SEVERITY[e->severity]);
    if (e->code) rh_json_text(b, "code", code);
    if (e->file[0]) rh_json_text(b, "file", e->file);
    if (e->line) rh_json_count(b, "line", e->line);
    if (e->col) rh_json_count(b, "column", e->col);
    rh_json_text(b, "text", e->msg);
    if (e->hint[0]) rh_json_text(b, "hint", e->hint);
    rh_buf_puts(b, "}");
}

/* ---- files ---- */

rheo_status rh_cli_may_save(rh_cli *cli, const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) /* never replaced, not even with force */
        return rh_cli_usage(cli, "name a file; without the option the text goes to standard output",
                            "'%s' is not a regular file", path);
    if (!rh_opt_flag(cli, "force") && lstat(path, &info) == 0)
        return rh_cli_usage(cli, "replace it with --force", "'%s' exists already", path);
    return RHEO_OK;
}

const char *rh_cli_output(const rh_cli *cli) {
    const char *const path = rh_opt_text(cli, "output", "-");
    return strcmp(path, "-") == 0 ? NULL : path;
}

rheo_status rh_cli_deliver(rh_cli *cli, const char *text) {
    const char *const path = rh_cli_output(cli);
    rheo_error err = { 0 };
    rh_buf b = { 0 };
    if (path) {
        RHEO_TRY(rh_cli_may_save(cli, path));
        return rh_cli_failed(cli, rh_file_write(path, text, strlen(text), &err), &err);
    }
    rh_buf_puts(&b, text);
    return rh_cli_write(cli, &b);
}
