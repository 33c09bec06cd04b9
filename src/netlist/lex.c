/* lex.c: words and numbers of a logical line, each with its place. */
#include "netlist/netlist.h"

#include "base/utf8.h"

rh_cursor rh_cursor_at(const rh_reader *rd, const rh_card *card, bool pragma) {
    return (rh_cursor){ .text = rd->src[card->file]->text,
                        .at = card->off,
                        .bol = card->off,
                        .end = card->end,
                        .line = card->line,
                        .file = card->file,
                        .pragma = pragma };
}

/* ---- blanks, comments, line ends ---- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static void to_line_end(rh_cursor *c) {
    const char *nl = memchr(c->text + c->at, '\n', c->end - c->at);
    c->at = nl ? (size_t)(nl - c->text) : c->end;
}

/* From the end of a physical line to behind the mark of its continuation; comments and blank lines may stand between.
 */
static void next_line(rh_cursor *c) {
    const char *const mark = c->pragma ? "*@+" : "+";
    const size_t n = c->pragma ? 3 : 1;
    while (c->at < c->end) {
        c->at++;
        c->line++;
        c->bol = c->at;
        while (c->at < c->end && is_blank(c->text[c->at])) c->at++;
        if (c->end - c->at >= n && memcmp(c->text + c->at, mark, n) == 0) {
            c->at += n;
            return;
        }
        to_line_end(c);
    }
}

static void comment_warning(rh_reader *rd, const rh_cursor *c, int code, const char *mark, int len) {
    if (!rh_first(rd, mark)) return;
    rh_loc at = rh_cursor_loc(rd, c);
    at.len = len;
    rh_report_warning(&rd->rep, code, at, "write ';' instead", "'%s' starts a comment in ngspice but not in %s", mark,
                      code == 6 ? "LTspice and Xyce" : "other simulators");
}

static void skip_semicolon(rh_cursor *c) {
    if (!c->sugar && c->at + 1 < c->end && c->text[c->at + 1] == '@') {
        c->sugar = c->at + 2;
        c->sugar_line = c->line;
        c->sugar_bol = c->bol;
    }
    to_line_end(c);
}

static bool skip_special(rh_reader *rd, rh_cursor *c) {
    const char ch = c->text[c->at], before = c->at > c->bol ? c->text[c->at - 1] : ' ';
    if (ch == '$' && (is_blank(before) || before == ',')) {
        comment_warning(rd, c, 6, "$", 1);
        to_line_end(c);
        return true;
    }
    if (ch == '/' && c->at + 1 < c->end && c->text[c->at + 1] == '/') {
        comment_warning(rd, c, 7, "//", 2);
        to_line_end(c);
        return true;
    }
    return false;
}

int rh_skip(rh_reader *rd, rh_cursor *c) {
    while (c->at < c->end) {
        const char ch = c->text[c->at];
        if (is_blank(ch))
            c->at++;
        else if (ch == '\n')
            next_line(c);
        else if (ch == ';')
            skip_semicolon(c);
        else if ((ch != '$' && ch != '/') || !skip_special(rd, c))
            return ch ? (unsigned char)ch : 256; /* a NUL byte is not the end */
    }
    return 0;
}

int rh_skip_separators(rh_reader *rd, rh_cursor *c) {
    int ch;
    while ((ch = rh_skip(rd, c)) == ',' || ch == '(' || ch == ')') c->at++;
    return ch;
}

/* ---- words ---- */

static rh_tok token(const rh_cursor *c, size_t from, size_t to) {
    return (rh_tok){
        .s = c->text + from, .n = (int)(to - from), .file = c->file, .line = c->line, .col = (int)(from - c->bol) + 1
    };
}

rh_tok rh_lex_name(rh_cursor *c) {
    const size_t from = c->at;
    int open = 0;
    for (; c->at < c->end; c->at++) {
        const char ch = c->text[c->at];
        if (is_blank(ch) || ch == '\n' || ch == ',' || ch == ';' || ch == '=') break;
        if (ch == '(') open++;
        if (ch == ')' && open-- == 0) break;
    }
    if (c->at == from && c->at < c->end) c->at++;
    return token(c, from, c->at);
}

static bool ends_word(char ch) {
    switch (ch) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ',':
    case ';':
    case '=':
    case '(':
    case ')':
    case '{':
    case '}':
    case '\'':
    case '"': return true;
    default: return false;
    }
}

rh_tok rh_lex_word(rh_cursor *c) {
    const size_t from = c->at;
    while (c->at < c->end && !ends_word(c->text[c->at])) c->at++;
    if (c->at == from && c->at < c->end) c->at++;
    return token(c, from, c->at);
}

static bool is_digit(char ch) { return ch >= '0' && ch <= '9'; }

/* Text of one number with whatever hangs on it. A comma before a digit belongs to it outside lists: 1,5k. */
static size_t chunk_end(const rh_cursor *c, bool in_list) {
    size_t k = c->at;
    for (; k < c->end; k++) {
        const char ch = c->text[k];
        const bool comma = ch == ',' && !in_list && k + 1 < c->end && is_digit(c->text[k + 1]);
        if (ends_word(ch) && !comma) break;
    }
    return k > c->at ? k : c->at + (c->at < c->end);
}

rh_tok rh_lex_chunk(const rh_cursor *c) { return token(c, c->at, chunk_end(c, false)); }

bool rh_lex_equals(rh_reader *rd, rh_cursor *c) {
    if (c->at < c->end && c->text[c->at] != '=' && !is_blank(c->text[c->at]) && c->text[c->at] != '\n') return false;
    if (rh_skip(rd, c) != '=') return false;
    c->at++;
    return true;
}

void rh_unexpected(rh_reader *rd, const rh_cursor *c, const char *after) {
    const rh_tok t = rh_lex_chunk(c);
    const bool hash = t.n > 0 && t.s[0] == '#';
    rh_bad(rd, hash ? 5 : 9, rh_tok_loc(rd, t), hash ? "start a comment with ';'" : rh_lex_unit_hint(t),
           "'%s' is not expected %s", RH_SHOW(t), after);
}

const char *rh_lex_unit_hint(rh_tok t) {
    char text[24];
    if (t.n < 1 || t.n + 2 >= (int)sizeof text || is_digit(t.s[0])) return NULL;
    const int n = snprintf(text, sizeof text, "1%.*s", t.n, t.s);
    if (n != t.n + 1) return NULL; /* a zero byte */
    const rh_number x = rh_number_parse(text, (size_t)n);
    const bool number = x.fault == RH_NUM_OK && x.used == (size_t)n && strcmp(x.unit, "r") != 0; /* mr: a model? */
    const bool unit = number || rh_word_is(t, "a");
    return unit ? "write no blank before a unit or a suffix, or leave the unit out" : NULL;
}

/* ---- names ---- */

static const struct {
    char ch;
    const char *why;
} FORBIDDEN[] = {
    { '=', "contains '='" },          { '{', "contains '{'" },     { '}', "contains '}'" },
    { '\'', "contains a quote" },     { '"', "contains a quote" }, { '`', "contains a back-quote" },
    { '\\', "contains a backslash" }, { ',', "contains ','" },     { ';', "contains ';'" },
    { ' ', "contains a blank" },
};

/* Characters that look like blanks or like nothing: names that differ only in them cannot be told apart. */
static bool invisible(uint32_t u) {
    return u == 0xA0 || u == 0xAD || u == 0x61C || u == 0x1680 || (u >= 0x2000 && u <= 0x200F) ||
           (u >= 0x2028 && u <= 0x202F) || (u >= 0x205F && u <= 0x206F) || u == 0x3000 || u == 0xFEFF ||
           (u >= 0x80 && u < 0xA0);
}

static const char *byte_fault(char ch, bool element, int *code) {
    *code = 2;
    if (ch == '\0') return "contains a NUL byte";
    if ((unsigned char)ch < 0x20 || ch == 0x7F) return "contains a control character";
    *code = 10;
    if (element && (ch == '*' || ch == '?')) return "contains '*' or '?', which '*@ learn' uses as wildcards";
    for (int k = 0; k < RH_COUNT(FORBIDDEN); k++)
        if (FORBIDDEN[k].ch == ch) return FORBIDDEN[k].why;
    return NULL;
}

static const char *wide_fault(const char *s, size_t n, size_t *used, int *code) {
    uint32_t u = 0;
    *used = rh_utf8(s, n, &u);
    *code = 3;
    if (*used == 0) {
        *used = 1;
        return "is not valid UTF-8";
    }
    *code = 2;
    return invisible(u) ? "contains an invisible character" : NULL;
}

static const char *first_fault(const char *s, size_t n, int *code) {
    *code = 10;
    if (n == 0) return "is empty";
    if (s[0] == '(') return "starts with '('";
    if (s[0] == '$') return "starts with '$', which starts a comment";
    *code = 5;
    return s[0] == '#' ? "starts with '#', which is a comment in some programs" : NULL;
}

const char *rh_name_fault(const char *s, size_t n, bool element, int *code, size_t *at, size_t *len) {
    *at = 0;
    *len = n;
    const char *why = first_fault(s, n, code);
    if (why) return why;
    long open = 0;
    for (size_t k = 0, used = 1; k < n; k += used) {
        used = 1;
        why = (unsigned char)s[k] < 0x80 ? byte_fault(s[k], element, code) : wide_fault(s + k, n - k, &used, code);
        if (s[k] == '/' && k + 1 < n && s[k + 1] == '/')
            why = "contains '//', which starts a comment in ngspice", used = 2;
        if (s[k] == '(') open++;
        if (s[k] == ')' && open-- == 0) why = "has a ')' without '('";
        if (why) {
            *at = k;
            *len = used;
            return why;
        }
    }
    return open ? "has a '(' without ')'" : NULL;
}

/* Letters, digits and a few marks are never a fault: most names need no closer look. */
static bool plain(rh_tok t) {
    for (int k = 0; k < t.n; k++) {
        const char ch = t.s[k];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || is_digit(ch) || ch == '_' || ch == '.' ||
              ch == '-' || ch == '+'))
            return false;
    }
    return t.n > 0;
}

static const char *name_hint(char ch, int code) {
    if (code == 5) return "start a comment with ';'";
    if (code == 3) return "save the file as UTF-8";
    if (code == 2) return "type the name again; between words write an ordinary blank";
    if (ch == '{' || ch == '\'') return "an expression stands where a value does; is a node missing before it?";
    if (ch == '=') return "name=value pairs come after the nodes; is a node missing?";
    return NULL;
}

bool rh_check_name(rh_reader *rd, rh_tok t, const char *what) {
    if (plain(t)) return true;
    int code;
    size_t at, len;
    const char *why = rh_name_fault(t.s, (size_t)t.n, what[0] == 'e', &code, &at, &len);
    if (!why) return true;
    rh_loc loc = rh_tok_loc(rd, t);
    loc.col += (int)at;
    loc.len = (int)len;
    return rh_bad(rd, code, loc, name_hint(at < (size_t)t.n ? t.s[at] : 0, code), "%s name '%s' %s", what, RH_SHOW(t),
                  why);
}

/* ---- numbers ---- */

/* 4k7: what those read who stop at the suffix. */
static void say_infix(rh_reader *rd, rh_tok t, const rh_number *num, const char *hint) {
    int n = t.n;
    while (n > 0 && is_digit(t.s[n - 1])) n--;
    const rh_number cut = rh_number_parse(t.s, (size_t)n),
                    whole = rh_number_parse(num->suggestion, strlen(num->suggestion));
    char a[32], b[32];
    rh_bad(rd, 12, rh_tok_loc(rd, t), hint, "'%s' is read as %s by ngspice and Xyce and as %s by LTspice", RH_SHOW(t),
           rh_number_text(cut.value, a), rh_number_text(whole.value, b));
}

static void say_suffix(rh_reader *rd, rh_tok t) {
    const bool one = t.n > 1 && (is_digit(t.s[t.n - 2]) || t.s[t.n - 2] == '.');
    const char last = one ? (char)(t.s[t.n - 1] | 0x20) : '\0';
    if (last == 'x')
        rh_bad(rd, 14, rh_tok_loc(rd, t), "write meg for 1e6",
               "'%s': Xyce reads x as 1e6, the other programs ignore it", RH_SHOW(t));
    else if (last == 'a')
        rh_bad(rd, 14, rh_tok_loc(rd, t), "write e-18 for atto, and ampere without its unit",
               "'%s': some programs read a as 1e-18, the others ignore it", RH_SHOW(t));
    else
        rh_bad(rd, 14, rh_tok_loc(rd, t), "known: t g meg k m u n p f, then a unit such as ohm",
               "'%s' has a suffix that programs read differently", RH_SHOW(t));
}

static bool number_fault(rh_reader *rd, rh_tok t, const rh_number *num) {
    char hint[64] = "";
    if (num->suggestion[0]) snprintf(hint, sizeof(hint), "write %s", num->suggestion);
    const char *const h = hint[0] ? hint : NULL;
    const rh_loc at = rh_tok_loc(rd, t);
    switch (num->fault) {
    case RH_NUM_INFIX: say_infix(rd, t, num, h); break;
    case RH_NUM_COMMA:
        rh_bad(rd, 13, at, h ? h : "leave the comma out, or write a dot", "'%s' contains a comma, which programs skip",
               RH_SHOW(t));
        break;
    case RH_NUM_SUFFIX: say_suffix(rd, t); break;
    case RH_NUM_RANGE:
        rh_bad(rd, 15, at, h, "'%s' is outside the range of numbers (about 5e-324 to 1.8e308)", RH_SHOW(t));
        break;
    case RH_NUM_NAN: rh_bad(rd, 16, at, h, "'%s' is not a finite number", RH_SHOW(t)); break;
    case RH_NUM_EXPONENT: rh_bad(rd, 11, at, h, "the exponent of '%s' has no digits", RH_SHOW(t)); break;
    case RH_NUM_HEX: rh_bad(rd, 11, at, "write it in decimal", "'%s' is read as 0 by ngspice", RH_SHOW(t)); break;
    case RH_NUM_UNDERSCORE:
        rh_bad(rd, 11, at, h ? h : "leave '_' out", "'%s' is cut at '_' by ngspice", RH_SHOW(t));
        break;
    default: rh_bad(rd, 11, at, h, "'%s' is not a number", RH_SHOW(t)); break;
    }
    return false;
}

static void number_note(rh_reader *rd, rh_tok t, const rh_number *num) {
    if (num->note == RH_NUM_MILLI && rh_first(rd, "1M"))
        rh_report_warning(&rd->rep, 17, rh_tok_loc(rd, t), "write meg for 1e6, m for 1e-3",
                          "'%s': M is milli in SPICE, but mega in some editors", RH_SHOW(t));
    if (num->note == RH_NUM_MIL && rh_first(rd, "1mil"))
        rh_report_warning(&rd->rep, 19, rh_tok_loc(rd, t), NULL, "'%s': mil is 25.4e-6, a thousandth of an inch",
                          RH_SHOW(t));
    if (num->note == RH_NUM_FARAD && rh_first(rd, "1F"))
        rh_report_warning(&rd->rep, 18, rh_tok_loc(rd, t), "leave the unit out", "'%s': F is femto, 1e-15, not farad",
                          RH_SHOW(t));
}

bool rh_lex_number(rh_reader *rd, rh_cursor *c, unsigned flags, double *x) {
    const rh_tok t = token(c, c->at, chunk_end(c, flags & RH_LEX_LIST));
    rh_number num = rh_number_parse(t.s, (size_t)t.n);
    if (num.fault != RH_NUM_OK) return number_fault(rd, t, &num);
    if (num.used < (size_t)t.n)
        return rh_bad(rd, 11, rh_tok_loc(rd, t), "put an expression in { }", "'%s' is not a number", RH_SHOW(t));
    if (num.note == RH_NUM_FARAD && !(flags & RH_LEX_FARAD)) num.note = RH_NUM_PLAIN;
    if (num.note != RH_NUM_PLAIN) number_note(rd, t, &num);
    c->at += (size_t)t.n;
    *x = num.value;
    return true;
}

/* A word where a value is due: perhaps a parameter without its braces. */
static bool bare_word(rh_reader *rd, rh_cursor *c, const rh_frame *f) {
    const rh_tok t = rh_lex_chunk(c);
    char hint[64] = "";
    if (t.n >= 3 && memcmp(t.s, "\xE2\x88\x92", 3) == 0) snprintf(hint, sizeof(hint), "write minus as '-'");
    if (t.n < 40 && f && rh_param_exists(f, t)) snprintf(hint, sizeof(hint), "write {%.*s}", t.n, t.s);
    return rh_bad(rd, t.s[0] == '#' ? 5 : 11, rh_tok_loc(rd, t),
                  t.s[0] == '#' ? "start a comment with ';'"
                  : hint[0]     ? hint
                                : NULL,
                  "'%s' is not a number", RH_SHOW(t));
}

bool rh_lex_value(rh_reader *rd, rh_cursor *c, const rh_frame *f, unsigned flags, double *x, rh_tok *tok) {
    const int ch = rh_skip(rd, c);
    rh_tok t = rh_lex_chunk(c);
    bool ok;
    if (ch == '{' || ch == '\'') {
        const size_t from = c->at++;
        const int line = c->line;
        ok = rh_expr_eval(rd, c, f, ch == '{' ? '}' : '\'', x);
        t.n = c->line == line ? (int)(c->at - from) : 1;
    } else if ((ch >= '0' && ch <= '9') || ch == '+' || ch == '-' || ch == '.' || ((ch | 0x20) == 'n' && t.n == 3) ||
               ((ch | 0x20) == 'i' && t.n == 3)) {
        ok = rh_lex_number(rd, c, flags, x);
    } else {
        ok = bare_word(rd, c, f);
    }
    if (tok) *tok = t;
    return ok;
}
