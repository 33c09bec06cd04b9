/* table.c: tables of measured currents: points on a line *@ model, or columns v and i of a CSV file beside the netlist.
 * A comma, a semicolon or a tab separates; lines that start with # are comments. */
#include "element/table.h"
#include "netlist/netlist.h"

#include <math.h>

enum { COLUMNS = 100 };
static const int CODE = 64;

/* ---- points ---- */

/* The next point, v at `at`. Currents may stay, voltages must rise. */
static bool add_point(rh_reader *rd, double v, double i, rh_tok at_v, rh_tok at_i) {
    const int n = rd->n_point;
    char a[32], b[32];
    double(*p)[RH_POINT];
    const bool wide = !(fabs(v) <= RH_TABLE_RANGE);
    if (wide || !(fabs(i) <= RH_TABLE_RANGE))
        return rh_bad(rd, CODE, rh_tok_loc(rd, wide ? at_v : at_i), "tables are in V and A",
                      "a table may hold numbers up to 1e9, not '%s'", RH_SHOW(wide ? at_v : at_i));
    if (n == RH_TABLE_MOST)
        return rh_bad(rd, 502, rh_tok_loc(rd, at_v), "leave out points where the curve is straight",
                      "a table may have %d points", RH_TABLE_MOST);
    if (!rh_grow(&rd->point, &rd->cap_point, n + 1, sizeof(*rd->point))) return rh_no_memory(rd);
    p = rd->point;
    if (n > 0 && v == p[n - 1][RH_POINT_V])
        return rh_bad(rd, CODE, rh_tok_loc(rd, at_v), "keep one of them, or their mean", "v = %s stands here twice",
                      rh_number_text(v, a));
    if (n > 0 && !(v - p[n - 1][RH_POINT_V] >= RH_TABLE_STEP))
        return rh_bad(rd, CODE, rh_tok_loc(rd, at_v), "sort them by v, and keep one sweep where there are two",
                      "v must rise from point to point, but %s V follows %s V", rh_number_text(v, a),
                      rh_number_text(p[n - 1][RH_POINT_V], b));
    if (n > 0 && !(i >= p[n - 1][RH_POINT_I]))
        return rh_bad(rd, CODE, rh_tok_loc(rd, at_i), "smooth what is noise; a curve that falls has no single answer",
                      "i must not fall as v rises, but %s A follows %s A", rh_number_text(i, a),
                      rh_number_text(p[n - 1][RH_POINT_I], b));
    p[n][RH_POINT_V] = v;
    p[n][RH_POINT_I] = i;
    rd->n_point++;
    return true;
}

/* Something must flow somewhere: a table that is flat all over would be a slip. */
static bool complete(rh_reader *rd, rh_tok at) {
    const int n = rd->n_point;
    if (n < 2)
        return rh_bad(rd, CODE, rh_tok_loc(rd, at), "two points make a line", "a table needs two points, not %d", n);
    if (!(rd->point[n - 1][RH_POINT_I] > rd->point[0][RH_POINT_I]))
        return rh_bad(rd, CODE, rh_tok_loc(rd, at), NULL, "the current of the table is the same at all voltages");
    rh_table_slopes(n, rd->point);
    return true;
}

/* ---- a file ---- */

typedef struct csv {
    rh_reader *rd;
    const char *s;
    size_t n, at, bol;
    int file, line;
    char separator;
    int n_column, v, i; /* of the header */
} csv;

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool ends(const csv *c, size_t at) { return at >= c->n || c->s[at] == '\n'; }

static rh_tok word_at(const csv *c, size_t from, size_t to) {
    return (rh_tok){
        .s = c->s + from, .n = (int)(to - from), .file = c->file, .line = c->line, .col = (int)(from - c->bol) + 1
    };
}

/* To the first line that says something; false: there is none. */
static bool next_line(csv *c) {
    for (; c->at < c->n; c->at++, c->line++) {
        size_t at = c->bol = c->at;
        while (!ends(c, at) && blank(c->s[at])) at++;
        if (!ends(c, at) && c->s[at] != '#') return true;
        while (!ends(c, at)) at++;
        c->at = at;
    }
    return false;
}

static void leave_line(csv *c) {
    while (!ends(c, c->at)) c->at++;
    c->at++;
    c->line++;
}

/* A cell without blanks and quotes around it; false: the line is over. */
static bool cell(csv *c, bool first, rh_tok *t) {
    if (!first) {
        if (ends(c, c->at) || c->s[c->at] != c->separator) return false;
        c->at++;
    }
    size_t from = c->at;
    while (!ends(c, c->at) && c->s[c->at] != c->separator) c->at++;
    size_t to = c->at;
    while (from < to && blank(c->s[from])) from++;
    while (to > from && blank(c->s[to - 1])) to--;
    if (to - from >= 2 && c->s[from] == '"' && c->s[to - 1] == '"') from++, to--;
    *t = word_at(c, from, to);
    return true;
}

/* The one that is most frequent in the header. */
static char separator(const csv *c) {
    static const char MARKS[] = ",;\t";
    int count[3] = { 0 }, best = 0;
    for (size_t at = c->at; !ends(c, at); at++)
        for (int k = 0; k < 3; k++) count[k] += c->s[at] == MARKS[k];
    for (int k = 1; k < 3; k++)
        if (count[k] > count[best]) best = k;
    return MARKS[best];
}

static bool number(rh_tok t, double *x) {
    const size_t n = (size_t)t.n, sign = n > 0 && t.s[0] == '+';
    return n > sign && rh_decimal(t.s + sign, n - sign, x) == n - sign && isfinite(*x);
}

static bool header(csv *c) {
    rh_reader *rd = c->rd;
    rh_tok t, all = { 0 };
    int n_number = 0;
    double x;
    c->v = c->i = -1;
    c->separator = separator(c);
    for (bool first = true; cell(c, first, &t); first = false, c->n_column++) {
        if (first) all = t;
        all.n = (int)(t.s + t.n - all.s);
        n_number += number(t, &x);
        int *const which = rh_word_is(t, "v") ? &c->v : rh_word_is(t, "i") ? &c->i : NULL;
        if (which && *which >= 0)
            return rh_bad(rd, CODE, rh_tok_loc(rd, t), NULL, "two columns are called '%s'", RH_SHOW(t));
        if (which) *which = c->n_column;
        if (c->n_column == COLUMNS)
            return rh_bad(rd, 502, rh_tok_loc(rd, t), NULL, "a table may have %d columns", COLUMNS);
    }
    if (c->v < 0 || c->i < 0)
        return rh_bad(rd, CODE, rh_tok_loc(rd, all), "the first line names the columns: v,i in V and A",
                      n_number == c->n_column ? "the columns have no names" : "there is no column '%s'",
                      c->v < 0 ? "v" : "i");
    leave_line(c);
    return true;
}

static bool not_a_number(csv *c, rh_tok t) {
    const rh_number x = rh_number_parse_all(t.s, (size_t)t.n);
    const bool spice = x.fault == RH_NUM_OK && t.n > 0;
    return rh_bad(c->rd, CODE, rh_tok_loc(c->rd, t),
                  spice ? "tables hold plain numbers such as 1.5e-3: write it without suffix" : NULL,
                  t.n ? "'%s' is not a number" : "a number is missing", RH_SHOW(t));
}

static bool row(csv *c) {
    rh_tok t, at[2] = { { 0 } };
    double x[2];
    int k = 0;
    for (bool first = true; cell(c, first, &t); first = false, k++) {
        if (k != c->v && k != c->i) continue;
        const int j = k == c->i;
        at[j] = t;
        if (!number(t, &x[j])) return not_a_number(c, t);
    }
    if (k != c->n_column)
        return rh_bad(c->rd, CODE, rh_tok_loc(c->rd, word_at(c, c->bol, c->at)),
                      "decimals have a point, columns are told apart by what stands most often in the header",
                      "this row has %d cells, the header has %d", k, c->n_column);
    leave_line(c);
    return add_point(c->rd, x[0], x[1], at[0], at[1]);
}

static bool read_csv(rh_reader *rd, int file) {
    csv c = { .rd = rd, .s = rd->src[file]->text, .n = rd->src[file]->size, .file = file, .line = 1 };
    if (c.n >= 3 && memcmp(c.s, "\xEF\xBB\xBF", 3) == 0) c.at = 3;
    const rh_tok start = { .s = c.s, .n = 1, .file = file, .line = 1, .col = 1 };
    rd->n_point = 0;
    if (!next_line(&c))
        return rh_bad(rd, CODE, rh_tok_loc(rd, start), "the first line names the columns: v,i in V and A",
                      "there is nothing in this table");
    if (!header(&c)) return false;
    while (next_line(&c))
        if (!row(&c)) return false;
    return complete(rd, start);
}

/* ---- from the line ---- */

/* The text of a path, in quotes or up to a blank. */
static bool path_word(rh_reader *rd, rh_cursor *c, rh_tok *t) {
    const int ch = rh_skip(rd, c);
    if (ch != '"' && ch != '\'') {
        *t = rh_lex_name(c);
        return true;
    }
    *t = (rh_tok){ .s = c->text + c->at + 1, .file = c->file, .line = c->line, .col = (int)(c->at - c->bol) + 2 };
    const size_t rest = c->end - c->at - 1;
    const char *const nl = memchr(t->s, '\n', rest), *const end = memchr(t->s, ch, nl ? (size_t)(nl - t->s) : rest);
    if (!end) return rh_bad(rd, 21, rh_cursor_loc(rd, c), NULL, "the quote is not closed");
    t->n = (int)(end - t->s);
    c->at += (size_t)t->n + 2;
    return true;
}

static bool keep_file(rh_reader *rd, int file, rh_table *t) {
    char sum[65];
    if (!rh_grow(&rd->kept, &rd->cap_kept, rd->n_kept + rd->n_point, sizeof(*rd->kept))) return rh_no_memory(rd);
    memcpy(rd->kept + rd->n_kept, rd->point, (size_t)rd->n_point * sizeof(*rd->kept));
    *t = (rh_table){ .first = rd->n_kept, .n = rd->n_point };
    rd->n_kept += rd->n_point;
    rh_sha256(rd->src[file]->text, rd->src[file]->size, sum);
    return rh_builder_table_file(rd->b, rd->src[file]->name, sum, rd->n_point) == RHEO_OK || rh_no_memory(rd);
}

/* The points of a file, which is read once however many models and instances name it. */
static bool from_file(rh_reader *rd, rh_tok path) {
    rh_buf key = { 0 };
    rh_buf_printf(&key, "%d ", path.file);
    rh_buf_add(&key, path.s, (size_t)path.n);
    const char *const copy = key.bad ? NULL : rh_pool_strndup(rd->pool, key.s, key.n);
    const size_t n = key.n;
    rh_buf_free(&key);
    if (!copy || (!rd->table_map && !(rd->table_map = rh_map_create()))) return rh_no_memory(rd);
    const int known = rh_map_get(rd->table_map, copy, n);
    if (known < 0) {
        if (!rh_grow(&rd->table, &rd->cap_table, rd->n_table + 1, sizeof(*rd->table)) ||
            !rh_map_put(rd->table_map, copy, n, rd->n_table))
            return rh_no_memory(rd);
        rh_table t = { 0 };
        const int file = rh_source_include(rd, path, path.file, "a table");
        if (file >= 0 && read_csv(rd, file)) keep_file(rd, file, &t);
        rd->table[rd->n_table++] = t;
        return t.n > 0;
    }
    const rh_table t = rd->table[known];
    rd->n_point = t.n;
    if (t.n > 0 && !rh_grow(&rd->point, &rd->cap_point, t.n, sizeof(*rd->point))) return rh_no_memory(rd);
    if (t.n > 0) memcpy(rd->point, rd->kept + t.first, (size_t)t.n * sizeof(*rd->point));
    return t.n > 0; /* 0: it was reported */
}

bool rh_table_read_file(rh_reader *rd, rh_cursor *c, rh_tok key) {
    rh_tok path;
    if (rd->n_point)
        return rh_bad(rd, 25, rh_tok_loc(rd, key), NULL, "points stand on the line, or in a file, but not in both");
    if (rh_skip(rd, c) == 0) return rh_bad(rd, 25, rh_tok_loc(rd, key), NULL, "'%s=' has no value", RH_SHOW(key));
    return path_word(rd, c, &path) && from_file(rd, path);
}

bool rh_table_read_points(rh_reader *rd, rh_cursor *c, const rh_frame *f) {
    const rh_tok start = rh_lex_chunk(c);
    if (rd->n_point)
        return rh_bad(rd, 25, rh_tok_loc(rd, start), NULL, "points stand on the line, or in a file, but not in both");
    for (int ch; (ch = rh_skip_separators(rd, c)) != 0 && rh_starts_value(ch);) {
        double x[2];
        rh_tok at[2];
        for (int k = 0; k < 2; k++) {
            if (rh_skip_separators(rd, c) == 0)
                return rh_bad(rd, CODE, rh_tok_loc(rd, at[0]), "a table on the line is v1 i1 v2 i2 ...",
                              "the last voltage has no current");
            if (!rh_lex_value(rd, c, f, RH_LEX_LIST, &x[k], &at[k])) return false;
        }
        if (!add_point(rd, x[0], x[1], at[0], at[1])) return false;
    }
    return complete(rd, start);
}

bool rh_table_pack(rh_reader *rd, const double *par, int n_par, rh_tok at) {
    const int n = rd->n_point;
    if (n == 0)
        return rh_bad(rd, 25, rh_tok_loc(rd, at), "write file=NAME.csv, or the points v1 i1 v2 i2 ...",
                      "the table is missing");
    if (par[0] != 1 && par[0] != 3) return rh_bad(rd, 138, rh_tok_loc(rd, at), NULL, "the order of a table is 1 or 3");
    if (!rh_grow(&rd->arg, &rd->cap_arg, n_par + 1 + RH_POINT * n, sizeof(double))) return rh_no_memory(rd);
    memcpy(rd->arg, par, (size_t)n_par * sizeof(double));
    rd->arg[n_par] = n;
    memcpy(rd->arg + n_par + 1, rd->point, (size_t)n * sizeof(*rd->point));
    return true;
}
