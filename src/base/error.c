/* error.c: messages that name the place, show the line and say what to do. */
#include "base/base.h"
#include "base/utf8.h"

enum { LINE_BYTES = 120, BEFORE = 56, MAX_WARNING = 100 };

const char *rheo_status_text(rheo_status status) {
    switch (status) {
#define X(name, exit_code, text) \
    case RHEO_##name: return text;
        RHEO_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

int rheo_status_exit_code(rheo_status status) {
    switch (status) {
#define X(name, exit_code, text) \
    case RHEO_##name: return exit_code;
        RHEO_STATUS_LIST(X)
#undef X
    }
    return 8;
}

const char *rheo_version(void) { return RHEO_VERSION; }

/* ---- the excerpt ---- */

/* A tab is shown as one blank, so that the caret stands right whatever the tab stops are. */
static rh_glyph glyph(const char *s, size_t n) {
    if (*s == '\t') return (rh_glyph){ .used = 1, .n = 1, .columns = 1, .text = " " };
    return rh_glyph_next(s, n);
}

/* Where the piece that ends before byte `at` begins. */
static size_t step_back(const char *s, size_t at) {
    for (size_t k = 4; k > 1; k--)
        if (k <= at && glyph(s + at - k, k).used == k) return at - k;
    return at - 1;
}

static bool find_line(const rh_source *src, int line, const char **text, size_t *n) {
    const char *p = src->text, *const end = src->text + src->size;
    for (int k = 1; k < line; k++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p) return false;
        p++;
    }
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    if (!stop) stop = end;
    if (stop > p && stop[-1] == '\r') stop--;
    *text = p;
    *n = (size_t)(stop - p);
    return true;
}

static bool fits(const char *s, size_t n) {
    size_t bytes = 0;
    for (size_t at = 0; at < n && bytes <= LINE_BYTES;) {
        const rh_glyph g = glyph(s + at, n - at);
        at += g.used;
        bytes += g.n;
    }
    return n <= LINE_BYTES && bytes <= LINE_BYTES;
}

/* First byte to show, so that the place at `mark` is inside the window. */
static size_t window_start(const char *s, size_t mark) {
    size_t at = mark, bytes = 0;
    while (at > 0) {
        const size_t before = step_back(s, at);
        bytes += glyph(s + before, at - before).n;
        if (bytes > BEFORE) break;
        at = before;
    }
    return at;
}

static void put_excerpt(rheo_error *e, const char *s, size_t n, size_t mark, size_t len) {
    const bool whole = fits(s, n);
    const size_t start = whole ? 0 : window_start(s, mark), room = whole ? LINE_BYTES : LINE_BYTES - 3;
    size_t out = 0, at = start;
    int column = 0, caret = -1, stop = -1;
    if (start > 0) {
        memcpy(e->source, "...", 3);
        out = 3;
        column = 3;
    }
    while (at < n) {
        const rh_glyph g = glyph(s + at, n - at);
        if (out + g.n > room) break;
        if (caret < 0 && at + g.used > mark) caret = column;
        if (caret >= 0 && stop < 0 && at >= mark + len) stop = column;
        memcpy(e->source + out, g.text, g.n);
        out += g.n;
        column += g.columns;
        at += g.used;
    }
    e->caret = caret >= 0 ? caret : column;
    e->width = (stop >= 0 ? stop : column) - e->caret;
    if (e->width < 1) e->width = 1;
    if (at < n) {
        memcpy(e->source + out, "...", 3);
        out += 3;
    }
    e->source[out] = '\0';
}

/* ---- filling a message ---- */

/* Printable, one line; what does not fit ends in dots. */
static void put_text(char *out, size_t size, const char *fmt, va_list ap) {
    char raw[512];
    const int n = vsnprintf(raw, sizeof(raw), fmt, ap);
    if (n < 0) {
        out[0] = '\0';
        return;
    }
    const bool cut = (size_t)n >= sizeof(raw);
    size_t len = cut ? sizeof(raw) - 1 : (size_t)n;
    uint32_t code;
    if (cut) /* do not show half of a character */
        for (int k = 0; k < 3 && len && (raw[len - 1] & 0x80) && !rh_utf8(raw + len - 1, 1, &code); k++) len--;
    char shown[sizeof(raw) * 4];
    rh_escape(raw, len, shown, sizeof(shown));
    const size_t m = strlen(shown);
    if (m < size && !cut) {
        memcpy(out, shown, m + 1);
        return;
    }
    rh_escape(raw, len, out, size - 3);
    memcpy(out + strlen(out), "...", 4);
}

/* The end of a long path says more than its beginning. */
static void put_file(rheo_error *e, const char *name) {
    const size_t n = strlen(name);
    char shown[4 * sizeof(e->file)];
    const size_t keep = n < sizeof(e->file) ? n : sizeof(e->file) - 1;
    rh_escape(name + (n - keep), keep, shown, sizeof(shown));
    const size_t m = strlen(shown);
    if (m < sizeof(e->file) && keep == n) {
        memcpy(e->file, shown, m + 1);
        return;
    }
    const size_t tail = sizeof(e->file) - 4; /* after the dots, before the NUL */
    const char *from = m > tail ? shown + (m - tail) : shown;
    while ((*from & 0xC0) == 0x80) from++;
    snprintf(e->file, sizeof(e->file), "...%.*s", (int)tail, from);
}

static void fill(rheo_error *e, rheo_status status, rheo_severity severity, int code, rh_loc at, const char *fmt,
                 va_list ap) {
    *e = (rheo_error){ .status = status, .severity = severity, .code = code };
    put_text(e->msg, sizeof(e->msg), fmt, ap);
    if (!at.src) return;
    if (at.src->name) put_file(e, at.src->name);
    e->line = at.line > 0 ? at.line : 0;
    e->col = e->line && at.col > 0 ? at.col : 0;
    const char *text;
    size_t n;
    if (!at.src->quotable || !at.src->text || !e->col || !find_line(at.src, e->line, &text, &n)) return;
    const size_t mark = (size_t)e->col - 1 < n ? (size_t)e->col - 1 : n;
    put_excerpt(e, text, n, mark, at.len > 0 ? (size_t)at.len : 1);
}

RHEO_PRINTF(2, 3) static void set_hint(rheo_error *e, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    put_text(e->hint, sizeof(e->hint), fmt, ap);
    va_end(ap);
}

rheo_status rh_fail(rheo_error *err, rheo_status status, int code, rh_loc at, const char *fmt, ...) {
    if (!err || err->status != RHEO_OK) return status;
    va_list ap;
    va_start(ap, fmt);
    fill(err, status, RHEO_ERROR, code, at, fmt, ap);
    va_end(ap);
    return status;
}

void rh_hint(rheo_error *err, const char *fmt, ...) {
    if (!err || err->status == RHEO_OK || err->hint[0]) return;
    va_list ap;
    va_start(ap, fmt);
    put_text(err->hint, sizeof(err->hint), fmt, ap);
    va_end(ap);
}

static bool send(const rheo_log *log, const rheo_error *e) {
    if (!log || !log->emit) return false;
    log->emit(log->user, e);
    return true;
}

rheo_status rh_report_error(rh_report *r, rheo_status status, int code, rh_loc at, const char *hint, const char *fmt,
                            ...) {
    rheo_error e;
    va_list ap;
    va_start(ap, fmt);
    fill(&e, status, RHEO_ERROR, code, at, fmt, ap);
    va_end(ap);
    if (hint) set_hint(&e, "%s", hint);
    if (r->n_error < INT32_MAX) r->n_error++;
    const bool sent = send(r->log, &e);
    if (r->err && r->err->status == RHEO_OK) {
        *r->err = e;
        r->err->reported = sent;
    }
    return status;
}

/* A file can hold a reason to warn on every line; each costs a search for its line, so the number shown is bounded. */
void rh_report_warning(rh_report *r, int code, rh_loc at, const char *hint, const char *fmt, ...) {
    if (r->n_warning < INT32_MAX) r->n_warning++;
    if (r->n_warning > MAX_WARNING || !r->log || !r->log->emit) return;
    rheo_error e;
    va_list ap;
    va_start(ap, fmt);
    fill(&e, RHEO_OK, RHEO_WARNING, code, at, fmt, ap);
    va_end(ap);
    if (hint) set_hint(&e, "%s", hint);
    send(r->log, &e);
}

void rh_report_close(const rh_report *r) {
    if (r->n_warning <= MAX_WARNING || !r->log || !r->log->emit) return;
    rheo_error e = { .severity = RHEO_NOTE };
    const int n = r->n_warning - MAX_WARNING;
    snprintf(e.msg, sizeof e.msg, "%d more warning%s not shown", n, n == 1 ? " is" : "s are");
    send(r->log, &e);
}

void rh_warn(const rheo_log *log, int code, rh_loc at, const char *fmt, ...) {
    if (!log || !log->emit) return;
    rheo_error e;
    va_list ap;
    va_start(ap, fmt);
    fill(&e, RHEO_OK, RHEO_WARNING, code, at, fmt, ap);
    va_end(ap);
    send(log, &e);
}

/* ---- the text ---- */

typedef struct sink {
    char *buf;
    size_t size, n;
} sink;

RHEO_PRINTF(2, 3) static void put(sink *s, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    const bool room = s->n < s->size;
    const int n = vsnprintf(room ? s->buf + s->n : NULL, room ? s->size - s->n : 0, fmt, ap);
    va_end(ap);
    if (n > 0) s->n += (size_t)n;
}

static void put_header(sink *s, const rheo_error *e) {
    static const char *const SEVERITY[] = { "error", "warning", "note" };
    put(s, "%s:", e->file[0] ? e->file : "rheo");
    if (e->file[0] && e->line > 0) {
        put(s, "%d:", e->line);
        if (e->col > 0) put(s, "%d:", e->col);
    }
    const int k = (int)e->severity;
    put(s, " %s", k >= 0 && k < RH_COUNT(SEVERITY) ? SEVERITY[k] : "error");
    if (e->code > 0) put(s, "[E%03d]", e->code);
    put(s, ": %s", e->msg[0] ? e->msg : rheo_status_text(e->status));
}

static void put_source(sink *s, const rheo_error *e) {
    char number[16];
    const int gutter = snprintf(number, sizeof(number), "%4d", e->line);
    put(s, "\n%s | %s\n%*s | ", number, e->source, gutter, "");
    put(s, "%*s^", e->caret > 0 ? e->caret : 0, "");
    for (int k = 1; k < e->width && k < LINE_BYTES; k++) put(s, "~");
    if (e->hint[0]) put(s, " %s", e->hint);
}

size_t rheo_error_format(const rheo_error *e, char *buf, size_t size) {
    sink s = { buf, size, 0 };
    if (size) buf[0] = '\0';
    put_header(&s, e);
    if (e->source[0])
        put_source(&s, e);
    else if (e->hint[0])
        put(&s, "\n  hint: %s", e->hint);
    return s.n;
}
