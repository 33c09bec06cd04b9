/* scan.c: the first reading. Lines become cards, cards go to the definition they stand in. */
#include "netlist/netlist.h"

typedef struct scan {
    rh_reader *rd;
    const char *text;
    size_t size;
    int file;
    rh_card card, pragma; /* being collected; line 0: none */
    bool control;         /* inside .control */
    bool done;            /* .end was met */
} scan;

/* ---- dot cards ---- */

typedef void dot_reader(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line);

static void to_def_list(rh_reader *rd, rh_list *l, const rh_card *line) { rh_push_card(rd, l, *line); }

static void dot_subckt(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)line;
    rh_subckt_open(rd, c, card);
}

static void dot_ends(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)line;
    rh_subckt_close(rd, c, card);
}

static void dot_param(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)line;
    if (rh_skip_separators(rd, c) == 0)
        rh_bad(rd, 8, rh_tok_loc(rd, card), "write .param name=value", ".param defines nothing");
    else
        rh_param_list(rd, rd->def, c, false);
}

static bool func_arguments(rh_reader *rd, rh_cursor *c, rh_func *fn) {
    if (rh_skip(rd, c) != '(')
        return rh_bad(rd, 26, rh_cursor_loc(rd, c), "write .func name(x) {...}",
                      "'(' is missing after the name of a function");
    c->at++;
    for (int ch; (ch = rh_skip(rd, c)) != ')';) {
        if (ch == ',') {
            c->at++;
            continue;
        }
        const rh_tok t = rh_lex_word(c);
        if (ch == 0)
            return rh_bad(rd, 26, rh_cursor_loc(rd, c), NULL, "')' is missing after the arguments of a function");
        if (!rh_check_name(rd, t, "argument")) return false;
        if (fn->n_arg == RH_NET_ARGS)
            return rh_bad_limit(rd, 506, rh_tok_loc(rd, t), NULL, "more than %d arguments", RH_NET_ARGS);
        fn->arg[fn->n_arg++] = t;
    }
    c->at++;
    return true;
}

/* The body is evaluated at each call; here only its syntax is read. */
static bool check_body(rh_reader *rd, rh_cursor *c) {
    double unused;
    const int ch = rh_skip(rd, c);
    const char close = ch == '{' ? '}' : ch == '\'' ? '\'' : '\0';
    if (close) c->at++;
    if (!rh_expr_eval(rd, c, NULL, close, &unused)) return false;
    if (rh_skip(rd, c) == 0) return true;
    rh_unexpected(rd, c, "after the expression");
    return false;
}

static void dot_func(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)line;
    rh_def *d = rd->def;
    if (rh_skip(rd, c) == 0) {
        rh_bad(rd, 8, rh_tok_loc(rd, card), "write .func name(x) {...}", ".func defines nothing");
        return;
    }
    rh_func fn = { .name = rh_lex_word(c), .def = d };
    const int old = rh_lookup(d->func_map, fn.name);
    if (!rh_check_name(rd, fn.name, "function") || !func_arguments(rd, c, &fn)) return;
    if (old >= 0) {
        const rh_tok b = d->func[old].name;
        rh_twice(rd, fn.name, "function", (rh_place){ .file = (uint16_t)b.file, .line = b.line });
        return;
    }
    rh_lex_equals(rd, c);
    rh_skip(rd, c);
    fn.body = *c;
    if (!check_body(rd, c)) return;
    if (!rh_grow(&d->func, &d->cap_func, d->n_func + 1, sizeof(fn))) {
        rh_no_memory(rd);
        return;
    }
    d->func[d->n_func] = fn;
    rh_enter(rd, &d->func_map, fn.name, d->n_func++);
}

static void dot_ic(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    if (rh_skip_separators(rd, c) == 0)
        rh_bad(rd, 8, rh_tok_loc(rd, card), "write .ic v(node)=value", ".ic sets nothing");
    else
        to_def_list(rd, &rd->def->ic, line);
}

static void dot_tran(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)c;
    if (rd->def == rd->main) {
        to_def_list(rd, &rd->def->ic, line);
        if (rh_first(rd, ".tran of the circuit")) rh_leave_out(rd, ".tran");
    } else if (rh_first(rd, ".tran"))
        rh_note(rd, 105, rh_tok_loc(rd, card), "'.tran' inside a subcircuit is not used by rheo");
}

static void dot_include(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    const int ch = rh_skip(rd, c);
    rh_tok path = card;
    path.n = 0;
    if (ch == '"' || ch == '\'') {
        path = (rh_tok){ .s = c->text + c->at + 1, .file = c->file, .line = c->line, .col = (int)(c->at - c->bol) + 2 };
        const char *nl = memchr(path.s, '\n', c->end - c->at - 1);
        const char *end = memchr(path.s, ch, nl ? (size_t)(nl - path.s) : c->end - c->at - 1);
        if (!end) {
            rh_bad(rd, 21, rh_cursor_loc(rd, c), NULL, "the quote is not closed");
            return;
        }
        path.n = (int)(end - path.s);
        c->at += (size_t)path.n + 2;
    } else if (ch) {
        path = rh_lex_name(c);
    }
    if (rh_skip(rd, c) != 0) {
        rh_unexpected(rd, c, "after the name of the file");
        return;
    }
    const int file = rh_source_include(rd, path, line->file, ".include");
    if (file >= 0)
        rh_scan(rd, file);
    else if (!rd->missing.line)
        rd->missing = path;
}

static void dot_lib(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)c;
    (void)line;
    rh_bad(rd, 130, rh_tok_loc(rd, card), "put the section into a file of its own and .include it",
           "'%s' is not supported", RH_SHOW(card));
    if (!rd->missing.line) rd->missing = card;
}

static void dot_refused(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)c;
    (void)line;
    rh_bad(rd, 102, rh_tok_loc(rd, card), "write the circuit out without it",
           "'%s' changes the circuit and is not supported", RH_SHOW(card));
}

static void dot_silent(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    (void)rd;
    (void)c;
    (void)card;
    (void)line;
}

static const struct dot {
    const char *name;
    dot_reader *read; /* NULL: said once that it is not used */
} DOTS[] = {
    { ".subckt", dot_subckt },
    { ".ends", dot_ends },
    { ".param", dot_param },
    { ".func", dot_func },
    { ".model", rh_model_card },
    { ".include", dot_include },
    { ".inc", dot_include },
    { ".ic", dot_ic },
    { ".op", dot_silent },
    { ".title", dot_silent },
    { ".lib", dot_lib },
    { ".global", dot_refused },
    { ".if", dot_refused },
    { ".elseif", dot_refused },
    { ".else", dot_refused },
    { ".endif", dot_refused },
    { ".step", dot_refused },
    { ".alter", dot_refused },
    { ".data", dot_refused },
    { ".nodeset", NULL },
    { ".temp", NULL },
    { ".options", NULL },
    { ".option", NULL },
    { ".opt", NULL },
    { ".tran", dot_tran },
    { ".dc", NULL },
    { ".ac", NULL },
    { ".noise", NULL },
    { ".tf", NULL },
    { ".sens", NULL },
    { ".pz", NULL },
    { ".four", NULL },
    { ".print", NULL },
    { ".plot", NULL },
    { ".probe", NULL },
    { ".save", NULL },
    { ".meas", NULL },
    { ".measure", NULL },
    { ".width", NULL },
    { ".backanno", NULL },
    { ".end", dot_silent },
    { ".control", dot_silent },
    { ".endc", dot_silent },
};

static const char *dot_at(const void *ctx, int i) {
    (void)ctx;
    return i < RH_COUNT(DOTS) ? DOTS[i].name : NULL;
}

static void unknown_dot(rh_reader *rd, rh_tok t) {
    char word[48], hint[64] = "";
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *near = rh_suggest(word, dot_at, NULL);
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    if (rd->set.lenient)
        rh_report_warning(&rd->rep, 102, rh_tok_loc(rd, t), near ? hint : NULL, "card '%s' is not known and not used",
                          RH_SHOW(t));
    else
        rh_bad(rd, 102, rh_tok_loc(rd, t), near ? hint : NULL, "card '%s' is not known", RH_SHOW(t));
}

/* One note for all of them: schematic editors write a handful. */
static void add_unused(rh_reader *rd, rh_tok t, const char *name) {
    if (rd->unused.n == 0) {
        rd->unused = t;
        rh_buf_printf(&rd->unused_names, "'%s' is not used by rheo", name);
    } else {
        rh_buf_printf(&rd->unused_names, "%s%s", rd->n_unused == 1 ? ", nor " : ", ", name);
    }
    rd->n_unused++;
    rh_leave_out(rd, name);
}

static void dot_card(rh_reader *rd, const rh_card *line) {
    rh_cursor c = rh_cursor_at(rd, line, false);
    rh_skip(rd, &c);
    const rh_tok t = rh_lex_word(&c);
    for (int k = 0; k < RH_COUNT(DOTS); k++) {
        if (!rh_word_is(t, DOTS[k].name)) continue;
        if (DOTS[k].read)
            DOTS[k].read(rd, &c, t, line);
        else if (rh_first(rd, DOTS[k].name))
            add_unused(rd, t, DOTS[k].name);
        return;
    }
    unknown_dot(rd, t);
}

/* ---- lines ---- */

static char first_char(const scan *s, const rh_card *card) {
    size_t at = card->off;
    while (at < card->end && (s->text[at] == ' ' || s->text[at] == '\t')) at++;
    return s->text[at];
}

static void close_card(scan *s) {
    const rh_card card = s->card;
    s->card.line = 0;
    if (!card.line || rh_stop(s->rd)) return;
    if (first_char(s, &card) == '.')
        dot_card(s->rd, &card);
    else
        rh_push_card(s->rd, &s->rd->def->cards, card);
}

static void close_pragma(scan *s) {
    rh_card card = s->pragma;
    s->pragma.line = 0;
    if (card.line && !rh_stop(s->rd)) rh_pragma_scan(s->rd, &card);
}

static rh_tok word_at(const scan *s, size_t at, size_t eol, size_t bol, int line) {
    rh_cursor c = { .text = s->text, .at = at, .end = eol, .bol = bol, .line = line, .file = s->file };
    return rh_lex_word(&c);
}

static void comment_line(scan *s, size_t at, size_t eol, rh_card line) {
    rh_reader *rd = s->rd;
    const char second = at + 1 < eol ? s->text[at + 1] : '\0';
    rh_loc loc = { .src = rd->src[s->file], .line = line.line, .col = (int)(at - line.off) + 1, .len = 2 };
    if (second == '#') {
        loc.len = (int)(eol - at < 40 ? eol - at : 40);
        rh_report_warning(&rd->rep, 601, loc, "rheo never does", "ngspice would execute this comment as a command");
    } else if (second == '@' && at + 2 < eol && s->text[at + 2] == '+') {
        if (s->pragma.line)
            s->pragma.end = line.end;
        else
            rh_bad(rd, 4, loc, NULL, "'*@+' has no '*@' line to continue");
    } else if (second == '@') {
        close_pragma(s);
        s->pragma = line;
    }
}

static void control_line(scan *s, size_t at, size_t eol, rh_card line) {
    s->control = !rh_word_is(word_at(s, at, eol, line.off, line.line), ".endc");
}

/* The line is no comment and no continuation: it starts a card. */
static void card_line(scan *s, size_t at, size_t eol, rh_card line) {
    rh_reader *rd = s->rd;
    close_card(s);
    close_pragma(s);
    if (s->text[at] == '.') {
        const rh_tok t = word_at(s, at, eol, line.off, line.line);
        if (rh_word_is(t, ".end")) {
            s->done = true;
            return;
        }
        if (rh_word_is(t, ".control")) {
            rh_report_warning(&rd->rep, 602, rh_tok_loc(rd, t), "rheo skips it up to .endc",
                              "ngspice would run the commands of this block");
            s->control = true;
            return;
        }
    }
    s->card = line;
}

static void plus_line(scan *s, size_t at, rh_card line) {
    if (s->card.line) {
        s->card.end = line.end;
        return;
    }
    const rh_loc loc = { .src = s->rd->src[s->file], .line = line.line, .col = (int)(at - line.off) + 1, .len = 1 };
    rh_bad(s->rd, 4, loc, NULL, "'+' has no card to continue");
}

static void foreign_comment(scan *s, size_t at, size_t eol, rh_card line) {
    rh_cursor c = { .text = s->text, .at = at, .end = eol, .bol = line.off, .line = line.line, .file = s->file };
    rh_skip(s->rd, &c);
}

static void one_line(scan *s, size_t eol, rh_card line) {
    const char *const t = s->text;
    size_t at = line.off;
    while (at < eol && (t[at] == ' ' || t[at] == '\t' || t[at] == '\r')) at++;
    const bool blank = at == eol || t[at] == ';';
    if (s->control)
        control_line(s, at, eol, line);
    else if (blank)
        return;
    else if (t[at] == '*')
        comment_line(s, at, eol, line);
    else if (t[at] == '+')
        plus_line(s, at, line);
    else if (t[at] == '$' || (t[at] == '/' && at + 1 < eol && t[at + 1] == '/'))
        foreign_comment(s, at, eol, line);
    else
        card_line(s, at, eol, line);
}

/* "*@ rheo": who writes that below the first line knows that it is the title. */
static bool greets(const scan *s, size_t at) {
    static const char *const WORDS[] = { "*@", "rheo" };
    for (int k = 0; k < RH_COUNT(WORDS); k++) {
        while (at < s->size && (s->text[at] == ' ' || s->text[at] == '\t')) at++;
        const size_t n = strlen(WORDS[k]);
        if (s->size - at < n || memcmp(s->text + at, WORDS[k], n) != 0) return false;
        at += n;
    }
    return at == s->size || strchr(" \t\r\n", s->text[at]);
}

static void title_line(scan *s, size_t eol, rh_card line) {
    rh_reader *rd = s->rd;
    size_t from = line.off, to = eol;
    static const char WORD[] = ".title";
    while (from < to && (s->text[from] == ' ' || s->text[from] == '\t')) from++;
    while (to > from && strchr(" \t\r", s->text[to - 1]) && s->text[to - 1]) to--;
    const rh_tok t = word_at(s, from, to, line.off, line.line);
    const rh_loc loc = {
        .src = rd->src[s->file], .line = line.line, .col = (int)(from - line.off) + 1, .len = (int)(to - from)
    };
    if (from < to && rh_word_is(t, WORD)) from += sizeof(WORD) - 1;
    while (from < to && (s->text[from] == ' ' || s->text[from] == '\t')) from++;
    if (rh_builder_title(rd->b, s->text + from, to - from) != RHEO_OK) rh_no_memory(rd);
    if (rh_title_is_card(rd, &line) && !(eol < s->size && greets(s, eol + 1)))
        rh_report_warning(&rd->rep, 24, loc, "put a title above it",
                          "the first line is always the title: this card is not used");
}

/* Bytes to skip at the start: the mark of UTF-8. */
static size_t byte_order_mark(scan *s) {
    const unsigned char *t = (const unsigned char *)s->text;
    const bool wide = s->size >= 2 && ((t[0] == 0xFF && t[1] == 0xFE) || (t[0] == 0xFE && t[1] == 0xFF));
    const rh_loc at = { .src = s->rd->src[s->file], .line = 1 };
    if (wide) {
        rh_bad(s->rd, 3, at, "save it as UTF-8", "the file is UTF-16");
        s->done = true;
    }
    return s->size >= 3 && t[0] == 0xEF && t[1] == 0xBB && t[2] == 0xBF ? 3 : 0;
}

static void after_end(scan *s, size_t at, int line) {
    size_t bol = at;
    for (; at < s->size; at++) {
        const char ch = s->text[at];
        if (ch == '\n') {
            line++;
            bol = at + 1;
        } else if (ch == '*' || ch == ';') {
            const char *nl = memchr(s->text + at, '\n', s->size - at);
            at = nl ? (size_t)(nl - s->text) - 1 : s->size;
        } else if (ch != ' ' && ch != '\t' && ch != '\r') {
            const rh_loc loc = { .src = s->rd->src[s->file], .line = line, .col = (int)(at - bol) + 1, .len = 1 };
            rh_report_warning(&s->rd->rep, 23, loc, NULL, "what follows .end is not read");
            return;
        }
    }
}

static void all_lines(scan *s, bool titled) {
    size_t at = byte_order_mark(s);
    int n = 0;
    while (at < s->size && !s->done && !rh_stop(s->rd)) {
        const char *nl = memchr(s->text + at, '\n', s->size - at);
        const size_t eol = nl ? (size_t)(nl - s->text) : s->size, next = nl ? eol + 1 : eol;
        const rh_card line = { .off = (uint32_t)at, .end = (uint32_t)eol, .line = ++n, .file = (uint16_t)s->file };
        if (titled && n == 1)
            title_line(s, eol, line);
        else
            one_line(s, eol, line);
        at = next;
    }
    close_card(s);
    close_pragma(s);
    if (s->done && !rh_stop(s->rd) && n > 0) after_end(s, at, n + 1);
    if (s->control) {
        const rh_loc loc = { .src = s->rd->src[s->file], .line = n };
        rh_report_warning(&s->rd->rep, 602, loc, NULL, ".endc is missing: the rest of the file was skipped");
    }
}

static void open_subckt(rh_reader *rd) {
    if (rd->def == rd->main || rh_stop(rd)) return;
    rh_bad(rd, 22, rh_tok_loc(rd, rd->def->name), NULL, ".ends is missing for subcircuit '%s'", RH_SHOW(rd->def->name));
}

bool rh_scan(rh_reader *rd, int file) {
    scan s = { .rd = rd, .text = rd->src[file]->text, .size = rd->src[file]->size, .file = file };
    const bool outer = rd->n_stack == 0;
    rd->stack[rd->n_stack++] = file;
    if (outer && s.size == 0)
        rh_bad(rd, 1, (rh_loc){ .src = rd->src[file] }, "the first line is the title, cards follow",
               "the file is empty");
    all_lines(&s, outer);
    rd->n_stack--;
    if (outer) open_subckt(rd);
    if (outer && rd->unused_names.bad) return rh_no_memory(rd);
    if (outer && rd->n_unused > 0) rh_note(rd, 105, rh_tok_loc(rd, rd->unused), "%s", rd->unused_names.s);
    return !rh_stop(rd);
}
