/* csv.c: tables of text, RFC 4180 with the separators that spreadsheets use. Every row must be as long as the header.
 */
#include "task/task.h"

#include <stdlib.h>

typedef struct scanner {
    const char *s;
    size_t n, at;
    size_t bol; /* byte at which the line begins */
    int line;
    char separator;
    const rh_source *src;
    rheo_error *err;
} scanner;

typedef struct piece { /* one cell in the text */
    size_t from, to;   /* without quotes and blanks around it */
    size_t start;      /* where it begins, quote included */
    bool quoted;
    bool last; /* the row ends behind it */
} piece;

static rh_loc place(const scanner *c, size_t at, size_t len) {
    return (rh_loc){ c->src, c->line, (int)(at - c->bol) + 1, len > 0 && len < 1000 ? (int)len : 1 };
}

static rheo_status bad(const scanner *c, rh_loc at, const char *text, const char *hint) {
    rh_fail(c->err, RHEO_E_PARSE, RH_CODE_CSV, at, "%s", text);
    if (hint) rh_hint(c->err, "%s", hint);
    return RHEO_E_PARSE;
}

static void next_line(scanner *c, size_t after) {
    c->at = c->bol = after;
    c->line++;
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* The end of a row: end of text, LF or CRLF. Returns its length in bytes, -1: something else. */
static int row_end(const scanner *c, size_t at) {
    if (at >= c->n) return 0;
    if (c->s[at] == '\n') return 1;
    return c->s[at] == '\r' && at + 1 < c->n && c->s[at + 1] == '\n' ? 2 : -1;
}

/* Behind a cell: separator or end of the row, both taken. */
static rheo_status take_end(scanner *c, piece *p, const char *otherwise) {
    const int end = row_end(c, c->at);
    p->last = end >= 0;
    if (end > 0) next_line(c, c->at + (size_t)end);
    if (end >= 0) return RHEO_OK;
    if (c->s[c->at] != c->separator) return bad(c, place(c, c->at, 1), otherwise, NULL);
    c->at++;
    return RHEO_OK;
}

static rheo_status quoted_piece(scanner *c, piece *p) {
    const rh_loc open = place(c, c->at, 1);
    p->quoted = true;
    p->from = ++c->at;
    for (;; c->at++) {
        const char *q = c->at < c->n ? c->s + c->at : NULL;
        if (!q) return bad(c, open, "this quote is never closed", NULL);
        if (*q == '\0') return bad(c, place(c, c->at, 1), "a NUL byte does not belong in a table", NULL);
        if (*q == '"' && c->at + 1 < c->n && q[1] == '"') {
            c->at++;
        } else if (*q == '"') {
            break;
        } else if (*q == '\n') {
            c->line++;
            c->bol = c->at + 1;
        }
    }
    p->to = c->at++;
    while (c->at < c->n && blank(c->s[c->at]) && c->s[c->at] != c->separator) c->at++;
    return take_end(c, p, "text behind the closing quote");
}

static rheo_status plain_piece(scanner *c, piece *p) {
    p->from = c->at;
    while (c->at < c->n && c->s[c->at] != c->separator && row_end(c, c->at) < 0) {
        const char x = c->s[c->at];
        if (x == '"')
            return bad(c, place(c, c->at, 1), "a quote inside a cell",
                       "put the whole cell in quotes and double the quotes in it");
        if (x == '\0') return bad(c, place(c, c->at, 1), "a NUL byte does not belong in a table", NULL);
        if (x == '\r')
            return bad(c, place(c, c->at, 1), "a carriage return without a line feed",
                       "save the file with LF or CRLF line ends");
        c->at++;
    }
    p->to = c->at;
    while (p->to > p->from && blank(c->s[p->to - 1])) p->to--;
    return take_end(c, p, "");
}

static rheo_status next_piece(scanner *c, piece *p) {
    *p = (piece){ 0 };
    while (c->at < c->n && blank(c->s[c->at]) && c->s[c->at] != c->separator) c->at++;
    p->start = c->at;
    return c->at < c->n && c->s[c->at] == '"' ? quoted_piece(c, p) : plain_piece(c, p);
}

static void skip_blank_lines(scanner *c) {
    for (;;) {
        size_t at = c->at;
        while (at < c->n && blank(c->s[at])) at++;
        const int end = row_end(c, at);
        if (end <= 0) {
            if (end == 0) c->at = c->n;
            return;
        }
        next_line(c, at + (size_t)end);
    }
}

/* The one that is most frequent in the header, outside quotes. */
static char find_separator(const scanner *c) {
    static const char SEPARATORS[] = ",;\t";
    int count[3] = { 0 };
    bool quoted = false;
    for (size_t at = c->at; at < c->n && (quoted || c->s[at] != '\n'); at++) {
        if (c->s[at] == '"') quoted = !quoted;
        const char *sep = quoted || !c->s[at] ? NULL : strchr(SEPARATORS, c->s[at]);
        if (sep) count[sep - SEPARATORS]++;
    }
    const int best = count[1] > count[0] ? 1 : 0;
    return SEPARATORS[count[2] > count[best] ? 2 : best];
}

/* ---- into the table ---- */

typedef struct filler {
    rh_csv *out;
    char *text; /* copy of the input, cells are cut out of it */
    int cap_cell, cap_row, cap_offset;
    int n_cell;
} filler;

/* A quoted cell loses half of its doubled quotes. */
static char *cut_out(filler *f, const piece *p) {
    char *s = f->text + p->from, *to = s;
    if (p->quoted)
        for (const char *q = s; q < f->text + p->to; q++) {
            *to++ = *q;
            if (*q == '"') q++;
        }
    else
        to = f->text + p->to;
    *to = '\0';
    return s;
}

static rheo_status check_size(const scanner *c, const filler *f) {
    if (f->n_cell < RH_CSV_CELLS) return RHEO_OK;
    return rh_fail(c->err, RHEO_E_LIMIT, 502, place(c, c->at, 1), "the table has more than %d cells", RH_CSV_CELLS);
}

static bool is_number(const char *s) {
    double x;
    const size_t n = strlen(s);
    return n > 0 && rh_decimal(s, n, &x) == n;
}

typedef struct name_order {
    const char *name;
    int index;
} name_order;

static int by_name(const void *pa, const void *pb) {
    const name_order *a = pa, *b = pb;
    const int order = strcmp(a->name, b->name);
    return order ? order : a->index - b->index;
}

static rheo_status check_duplicates(const rh_csv *t, rh_loc at, rheo_error *err) {
    name_order *sorted = rh_calloc((size_t)t->n_col, sizeof(*sorted));
    if (!sorted) return RH_NOMEM(err);
    for (int k = 0; k < t->n_col; k++) sorted[k] = (name_order){ t->column[k], k };
    qsort(sorted, (size_t)t->n_col, sizeof(*sorted), by_name);
    rheo_status st = RHEO_OK;
    for (int k = 1; k < t->n_col && st == RHEO_OK; k++)
        if (strcmp(sorted[k - 1].name, sorted[k].name) == 0)
            st = rh_fail(err, RHEO_E_PARSE, RH_CODE_HEADER, at, "columns %d and %d are both named '%.80s'",
                         sorted[k - 1].index + 1, sorted[k].index + 1, sorted[k].name);
    rh_free(sorted);
    return st;
}

static rheo_status check_header(const rh_csv *t, rh_loc at, rheo_error *err) {
    int n_number = 0;
    for (int k = 0; k < t->n_col; k++) {
        if (!*t->column[k]) {
            rh_fail(err, RHEO_E_PARSE, RH_CODE_HEADER, at, "column %d has no name", k + 1);
            rh_hint(err, "the first line must name every column");
            return RHEO_E_PARSE;
        }
        n_number += is_number(t->column[k]);
    }
    if (n_number == t->n_col) {
        rh_fail(err, RHEO_E_PARSE, RH_CODE_HEADER, at, "the first line holds numbers");
        rh_hint(err, "the first line must name the columns, such as x1,x2,y");
        return RHEO_E_PARSE;
    }
    return check_duplicates(t, at, err);
}

/* Cells of the header are few, so they go to a growing array of their own. */
static rheo_status read_header(scanner *c, filler *f) {
    rh_csv *t = f->out;
    int cap = 0;
    const rh_loc at = place(c, c->at, 1);
    for (piece p = { 0 }; !p.last;) {
        RHEO_TRY(next_piece(c, &p));
        if (t->n_col == RH_CSV_COLUMNS)
            return rh_fail(c->err, RHEO_E_LIMIT, 502, at, "the table has more than %d columns", RH_CSV_COLUMNS);
        if (!rh_grow(&t->column, &cap, t->n_col + 1, sizeof(*t->column))) return RH_NOMEM(c->err);
        t->column[t->n_col++] = cut_out(f, &p);
    }
    return check_header(t, at, c->err);
}

static rheo_status ragged(const scanner *c, const filler *f, rh_loc at, int got) {
    const int want = f->out->n_col;
    rh_fail(c->err, RHEO_E_PARSE, RH_CODE_CSV, at, "this row has %s%d cell%s, the header has %d",
            got > want ? "more than " : "", got > want ? want : got, (got > want ? want : got) == 1 ? "" : "s", want);
    if (c->separator == ',' && got > want)
        rh_hint(c->err, "a text that contains a comma must be in quotes, and decimals have a point");
    return RHEO_E_PARSE;
}

static rheo_status read_row(scanner *c, filler *f) {
    rh_csv *t = f->out;
    const rh_loc at = place(c, c->at, 1);
    if (!rh_grow(&t->line, &f->cap_row, t->n_row + 1, sizeof(*t->line)) ||
        !rh_grow(&t->offset, &f->cap_offset, t->n_row + 1, sizeof(*t->offset)))
        return RH_NOMEM(c->err);
    t->line[t->n_row] = c->line;
    t->offset[t->n_row] = c->at;
    int n = 0;
    for (piece p = { 0 }; !p.last; n++) {
        RHEO_TRY(next_piece(c, &p));
        if (n == t->n_col) return ragged(c, f, at, n + 1);
        RHEO_TRY(check_size(c, f));
        if (!rh_grow(&t->cell, &f->cap_cell, f->n_cell + 1, sizeof(*t->cell))) return RH_NOMEM(c->err);
        t->cell[f->n_cell++] = cut_out(f, &p);
    }
    if (n < t->n_col) return ragged(c, f, at, n);
    t->n_row++;
    return RHEO_OK;
}

/* c1, c2, ...: as many as the first row has cells. */
static rheo_status name_columns(scanner *c, filler *f) {
    rh_csv *t = f->out;
    scanner ahead = *c;
    int cap = 0;
    for (piece p = { 0 }; !p.last;) {
        char name[16];
        RHEO_TRY(next_piece(&ahead, &p));
        if (t->n_col == RH_CSV_COLUMNS)
            return rh_fail(c->err, RHEO_E_LIMIT, 502, place(c, c->at, 1), "the table has more than %d columns",
                           RH_CSV_COLUMNS);
        if (!rh_grow(&t->column, &cap, t->n_col + 1, sizeof(*t->column))) return RH_NOMEM(c->err);
        const int n = snprintf(name, sizeof name, "c%d", t->n_col + 1);
        if (!(t->column[t->n_col] = rh_pool_strndup(t->pool, name, (size_t)n))) return RH_NOMEM(c->err);
        t->n_col++;
    }
    return RHEO_OK;
}

static rheo_status parse(scanner *c, filler *f, bool header) {
    if (c->n >= 3 && memcmp(c->s, "\xEF\xBB\xBF", 3) == 0) c->at = 3;
    skip_blank_lines(c);
    if (c->at >= c->n) return bad(c, (rh_loc){ c->src, 1, 1, 1 }, "there is nothing in this table", NULL);
    c->separator = f->out->separator = find_separator(c);
    RHEO_TRY(header ? read_header(c, f) : name_columns(c, f));
    for (skip_blank_lines(c); c->at < c->n; skip_blank_lines(c)) RHEO_TRY(read_row(c, f));
    if (f->out->n_row == 0) return bad(c, (rh_loc){ c->src, 1, 1, 1 }, "this table has a header, but no rows", NULL);
    return RHEO_OK;
}

rheo_status rh_csv_parse(rh_csv *out, const char *text, size_t n, const rh_source *src, bool header, rheo_error *err) {
    *out = (rh_csv){ 0 };
    if (n > RH_CSV_BYTES)
        return rh_fail(err, RHEO_E_LIMIT, 404, RH_NOWHERE, "the table is larger than %d bytes", RH_CSV_BYTES);
    rh_csv t = { .pool = rh_pool_create(), .src = src };
    filler f = { .out = &t };
    scanner c = { .s = text, .n = n, .line = 1, .src = src, .err = err };
    if (t.pool) f.text = rh_pool_strndup(t.pool, text, n);
    const rheo_status st = f.text ? parse(&c, &f, header) : RH_NOMEM(err);
    t.n_first = t.n_row;
    if (st == RHEO_OK)
        *out = t;
    else
        rh_csv_free(&t);
    return st;
}

rheo_status rh_csv_read(rh_csv *out, const char *path, bool header, rheo_error *err) {
    *out = (rh_csv){ 0 };
    char *text = NULL;
    size_t n = 0;
    RHEO_TRY(rh_file_read(path, RH_CSV_BYTES, &text, &n, err));
    rh_source *src = rh_calloc(1, sizeof(*src));
    char *name = rh_strdup(path);
    rheo_status st = RHEO_OK;
    if (src && name) {
        *src = (rh_source){ .name = name, .text = text, .size = n, .quotable = true };
        st = rh_csv_parse(out, text, n, src, header, err);
        if (st == RHEO_OK) {
            out->own = src;
            return RHEO_OK;
        }
    } else {
        st = RH_NOMEM(err);
    }
    rh_free(name);
    rh_free(text);
    rh_free(src);
    return st;
}

void rh_csv_free(rh_csv *c) {
    if (!c) return;
    if (c->more) rh_csv_free(c->more);
    rh_free(c->more);
    rh_free(c->column);
    rh_free(c->cell);
    rh_free(c->line);
    rh_free(c->offset);
    rh_pool_destroy(c->pool);
    if (c->own) {
        rh_free(c->own->name);
        rh_free(c->own->text);
        rh_free(c->own);
    }
    *c = (rh_csv){ 0 };
}

static rheo_status check_columns(const rh_csv *t, const rh_csv *more, rheo_error *err) {
    bool same = t->n_col == more->n_col;
    for (int k = 0; same && k < t->n_col; k++) same = strcmp(t->column[k], more->column[k]) == 0;
    if (same) return RHEO_OK;
    return rh_fail(err, RHEO_E_PARSE, RH_CODE_HEADER, (rh_loc){ more->src, 1, 1, 1 },
                   "this table has other columns than the one before it");
}

rheo_status rh_csv_append(rh_csv *t, rh_csv *more, rheo_error *err) {
    t->more = rh_calloc(1, sizeof(*t->more));
    if (!t->more) {
        rh_csv_free(more);
        return RH_NOMEM(err);
    }
    *t->more = *more;
    *more = (rh_csv){ 0 };
    const rh_csv *const m = t->more;
    RHEO_TRY(check_columns(t, m, err));
    const size_t n = (size_t)t->n_row + (size_t)m->n_row, n_col = (size_t)t->n_col;
    if (n * n_col > RH_CSV_CELLS)
        return rh_fail(err, RHEO_E_LIMIT, 502, RH_NOWHERE, "the tables have more than %d cells", RH_CSV_CELLS);
    char **const cell = rh_realloc(t->cell, n * n_col, sizeof(*cell));
    if (!cell) return RH_NOMEM(err);
    t->cell = cell;
    memcpy(cell + (size_t)t->n_row * n_col, m->cell, (size_t)m->n_row * n_col * sizeof(*cell));
    t->n_row = (int)n;
    return RHEO_OK;
}

int rh_csv_column(const rh_csv *c, const char *name) {
    for (int k = 0; k < c->n_col; k++)
        if (strcmp(c->column[k], name) == 0) return k;
    return -1;
}

rh_loc rh_csv_loc(const rh_csv *t, int row, int col) {
    if (row >= t->n_first) return t->more ? rh_csv_loc(t->more, row - t->n_first, col) : RH_NOWHERE;
    if (!t->src) return RH_NOWHERE;
    scanner c = {
        .s = t->src->text, .n = t->src->size, .line = t->line[row], .separator = t->separator, .src = t->src
    };
    c.at = c.bol = t->offset[row];
    while (c.bol > 0 && c.s[c.bol - 1] != '\n') c.bol--;
    piece p = { 0 };
    int line = c.line;
    size_t bol = c.bol;
    for (int k = 0; k <= col && !p.last; k++) {
        while (c.at < c.n && blank(c.s[c.at]) && c.s[c.at] != c.separator) c.at++;
        line = c.line;
        bol = c.bol;
        if (next_piece(&c, &p) != RHEO_OK) break;
    }
    return (rh_loc){ t->src, line, (int)(p.start - bol) + 1,
                     p.to > p.from && p.to - p.from < 1000 ? (int)(p.to - p.from) : 1 };
}
