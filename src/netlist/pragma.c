/* pragma.c: lines that start with *@. Every SPICE takes them for comments. */
#include "element/memristor.h"
#include "netlist/netlist.h"

#include <math.h>
#include <stdlib.h>

static const char *const WORDS[] = { "rheo", "learn", "model", "pos", "part", "task", "protocol", "seed" };
static const int64_t MATCHES = 4000000000;       /* bytes compared with patterns: a few seconds */
static const double G_MIN = 1e-12, G_MAX = 1e12; /* S, where the pragma says nothing */

static rh_tok pragma_word(rh_reader *rd, rh_cursor *c) {
    rh_skip(rd, c);
    c->at += 2; /* the mark itself */
    const rh_loc at = rh_cursor_loc(rd, c);
    if (rh_skip(rd, c) == 0) return (rh_tok){ .s = c->text + c->end, .file = c->file, .line = at.line, .col = at.col };
    return rh_lex_word(c);
}

/* ---- while files are read ---- */

static bool version(rh_reader *rd, rh_cursor *c, rh_tok word) {
    const rh_loc at = rh_tok_loc(rd, word);
    double x = 0;
    if (rh_skip(rd, c) == 0) return rh_bad(rd, 25, at, "write *@ rheo version=1", "the version is missing");
    const rh_tok key = rh_lex_word(c);
    if (!rh_word_is(key, "version") || !rh_lex_equals(rd, c))
        return rh_bad(rd, 25, rh_tok_loc(rd, key), "write *@ rheo version=1", "'%s' is not expected here",
                      RH_SHOW(key));
    rh_tok t;
    if (rh_skip(rd, c) == 0)
        return rh_bad(rd, 25, rh_tok_loc(rd, key), "write *@ rheo version=1", "the version is missing");
    if (!rh_lex_value(rd, c, NULL, 0, &x, &t)) return false;
    if (x != 1)
        return rh_bad(rd, 125, rh_tok_loc(rd, t), "this version of rheo knows version 1",
                      "version '%s' of the '*@' lines is not known", RH_SHOW(t));
    if (rh_skip(rd, c) == 0) return true;
    rh_unexpected(rd, c, "after the version");
    return false;
}

void rh_pragma_scan(rh_reader *rd, rh_card *card) {
    rh_cursor c = rh_cursor_at(rd, card, true);
    const rh_tok word = pragma_word(rd, &c);
    if (rh_word_is(word, "rheo")) {
        version(rd, &c, word);
        rd->has_version = true; /* a wrong one was reported: say no more about it */
        return;
    }
    if (!rd->first_pragma.line)
        rd->first_pragma =
            (rh_place){ .line = card->line, .file = card->file, .col = (uint16_t)(c.at < 60000 ? 1 : 0) };
    rh_push_card(rd, rh_word_is(word, "model") ? &rd->def->variants : &rd->def->pragmas, *card);
}

void rh_pragmas_unused(rh_reader *rd, rh_place first) {
    if (rd->has_version || !rh_first(rd, "*@ without version")) return;
    rh_report_warning(
        &rd->rep, 124,
        (rh_loc){ .src = rd->src[first.file], .line = first.line, .col = first.col ? first.col : 1, .len = 2 },
        "add the line '*@ rheo version=1'",
        "lines with '*@' are not used, because none says for which version they are");
}

/* ---- learn ---- */

typedef struct learn {
    rh_reader *rd;
    const rh_frame *f;
    rh_mark said;
    rh_tok tok[3]; /* of min, max, init */
    bool fits[2];  /* their units were found to fit a conductance, the voltage of a gate */
    int at_first;  /* elements of this instance */
    int n_elem;
} learn;

static const char *const KEYS[] = { "min", "max", "init", "gmin", "gmax", "g0" };

/* SPICE skips units, but these lines are read by rheo alone, and ohms are no siemens. */
static bool unit_fits(rh_reader *rd, rh_tok t, const char *want, const char *also) {
    char hint[160];
    if (t.n == 0 || t.s[0] == '{' || t.s[0] == '\'') return true;
    const rh_number x = rh_number_parse(t.s, (size_t)t.n);
    if (x.fault != RH_NUM_OK || rh_unit_fits(x.unit, want) || (also && rh_unit_fits(x.unit, also))) return true;
    return rh_bad(rd, 120, rh_tok_loc(rd, t), rh_unit_hint(t.s, (size_t)t.n, want, hint, sizeof hint),
                  "'%s' must be in %s%s, not in %s", RH_SHOW(t), want, also ? ", or in V at a gate" : "",
                  rh_unit_written(t.s, (size_t)t.n, &x));
}

static bool learn_key(learn *l, rh_cursor *c, rh_tok key) {
    rh_reader *rd = l->rd;
    char word[48], hint[64] = "known: min max init";
    int which = -1;
    for (int k = 0; k < RH_COUNT(KEYS); k++)
        if (rh_word_is(key, KEYS[k])) which = k % 3;
    snprintf(word, sizeof(word), "%.*s", key.n < 40 ? key.n : 40, key.s);
    const char *near = rh_suggest_list(word, KEYS, RH_COUNT(KEYS));
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    if (which < 0) return rh_bad(rd, 123, rh_tok_loc(rd, key), hint, "'*@ learn' has no setting '%s'", RH_SHOW(key));
    double x;
    rh_tok t;
    double *const slot = which == 0 ? &l->said.min : which == 1 ? &l->said.max : &l->said.init;
    if (!isnan(*slot)) return rh_bad(rd, 25, rh_tok_loc(rd, key), NULL, "'%s' is given twice", RH_SHOW(key));
    if (rh_skip(rd, c) == 0) return rh_bad(rd, 25, rh_tok_loc(rd, key), NULL, "'%s=' has no value", RH_SHOW(key));
    if (!rh_lex_value(rd, c, l->f, 0, &x, &t)) return false;
    if (!isfinite(x)) return rh_bad(rd, 120, rh_tok_loc(rd, t), NULL, "'%s' is not finite", RH_SHOW(t));
    if (!unit_fits(rd, t, "S", "V")) return false;
    *slot = x;
    l->tok[which] = t;
    return true;
}

static bool learn_bounds(learn *l) {
    const rh_mark *m = &l->said;
    rh_reader *rd = l->rd;
    if (m->min > m->max) return rh_bad(rd, 120, rh_tok_loc(rd, l->tok[1]), NULL, "max is below min");
    if (m->init < m->min) return rh_bad(rd, 120, rh_tok_loc(rd, l->tok[2]), NULL, "init is below min");
    if (m->init > m->max) return rh_bad(rd, 120, rh_tok_loc(rd, l->tok[2]), NULL, "init is above max");
    return true;
}

/* The state of a transistor is a voltage, that of the others a conductance. */
static bool by_gate(const rh_reader *rd, int elem) {
    return (RH_KINDS[rh_builder_element_kind(rd->b, elem)]->flags & RH_NONLINEAR) != 0;
}

static bool mark(learn *l, int elem) {
    rh_reader *rd = l->rd;
    const bool gate = by_gate(rd, elem);
    for (int k = 0; k < 3 && !l->fits[gate]; k++)
        if (!unit_fits(rd, l->tok[k], gate ? "V" : "S", NULL)) return false;
    l->fits[gate] = true;
    const double said[3] = { l->said.min, l->said.max, l->said.init };
    for (int k = 0; k < 3 && !gate; k++)
        if (said[k] <= 0)
            return rh_bad(rd, 120, rh_tok_loc(rd, l->tok[k]), "it is in siemens",
                          "a conductance must be above 0, not '%s'", RH_SHOW(l->tok[k]));
    if (!rh_grow(&rd->mark, &rd->cap_mark, elem + 1, sizeof(rh_mark))) return rh_no_memory(rd);
    rh_mark *m = &rd->mark[elem];
    if (!m->place.line) *m = (rh_mark){ NAN, NAN, NAN, l->said.place };
    m->place = l->said.place;
    if (!isnan(l->said.min)) m->min = l->said.min;
    if (!isnan(l->said.max)) m->max = l->said.max;
    if (!isnan(l->said.init)) m->init = l->said.init;
    return true;
}

static bool can_learn(const rh_reader *rd, int elem) {
    return (RH_KINDS[rh_builder_element_kind(rd->b, elem)]->flags & RH_LEARNABLE) != 0;
}

/* The name of an element as the instance sees it: R.X1.R2 is R2 in X1, R.X1.X2.R3 is R.X2.R3 there. */
static const char *local_name(rh_reader *rd, const rh_frame *f, int elem) {
    const char *full = rh_builder_element_name(rd->b, elem);
    if (!f->n_path) return full;
    const char *rest = full + 2 + f->n_path;
    if ((rest[0] | 0x20) != 'x') return rest;
    rh_buf *b = &rd->scratch;
    b->n = 0;
    rh_buf_add(b, full, 2);
    rh_buf_puts(b, rest);
    return b->bad ? rest : b->s;
}

static bool failed_matches(const rh_reader *rd, rh_tok t) {
    return rd->failed &&
           (rh_lookup(rd->failed, t) >= 0 || memchr(t.s, '*', (size_t)t.n) || memchr(t.s, '?', (size_t)t.n));
}

typedef struct name_list {
    const learn *l;
    rh_reader *rd;
} name_list;

static const char *elem_at(const void *ctx, int i) {
    const name_list *n = ctx;
    const int elem = n->l->at_first + i;
    return i < 10000 && elem < n->l->n_elem ? rh_builder_element_name(n->rd->b, elem) : NULL;
}

static bool no_match(learn *l, rh_tok t) {
    rh_reader *rd = l->rd;
    char word[48], hint[120] = "";
    const name_list n = { l, rd };
    if (failed_matches(rd, t)) return true; /* the element was reported */
    if ((t.s[0] | 0x20) == 'x')
        return rh_bad(rd, 121, rh_tok_loc(rd, t), "name elements inside it, as in R.X1.R1",
                      "'%s' is a subcircuit, which cannot learn as a whole", RH_SHOW(t));
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *near = l->f->n_path ? NULL : rh_suggest(word, elem_at, &n);
    if (near) snprintf(hint, sizeof(hint), "did you mean '%.60s'?", near);
    return rh_bad(rd, 118, rh_tok_loc(rd, t), near ? hint : rh_lex_unit_hint(t), "no element is called '%s'",
                  RH_SHOW(t));
}

static bool cannot(learn *l, rh_tok t, int elem) {
    char letters[40] = "";
    size_t n = 0;
    for (int k = 0; k < RH_N_KIND; k++)
        if (RH_KINDS[k]->flags & RH_LEARNABLE && rh_kind_of_letter(RH_KINDS[k]->letter) == k)
            n += (size_t)snprintf(letters + n, sizeof(letters) - n, "%s%c", n ? " " : "", RH_KINDS[k]->letter);
    char hint[80];
    snprintf(hint, sizeof(hint), "kinds that can: %s", letters);
    if (elem < 0) return rh_bad(l->rd, 119, rh_tok_loc(l->rd, t), hint, "no element called '%s' can learn", RH_SHOW(t));
    return rh_bad(l->rd, 119, rh_tok_loc(l->rd, t), hint, "a %s cannot learn",
                  RH_KINDS[rh_builder_element_kind(l->rd->b, elem)]->name);
}

/* No pattern means what belongs to an expression. */
static bool is_beside(const rh_reader *rd, int elem) {
    int from = 0, to = rd->n_beside;
    while (from < to) {
        const int mid = from + (to - from) / 2;
        if (rd->beside[mid] < elem)
            from = mid + 1;
        else
            to = mid;
    }
    return from < rd->n_beside && rd->beside[from] == elem;
}

static bool learn_pattern(learn *l, rh_tok t) {
    rh_reader *rd = l->rd;
    char *pattern = rh_strndup(t.s, (size_t)t.n);
    int hits = 0, stars = 0, others = 0;
    if (!pattern) return rh_no_memory(rd);
    for (int k = 0; k < t.n; k++) stars += t.s[k] == '*';
    for (int e = l->at_first; e < l->n_elem && rd->matches <= MATCHES; e++) {
        const char *name = local_name(rd, l->f, e);
        rd->matches += 24 + (stars > 1 ? (int64_t)t.n * (int64_t)strlen(name) : 0);
        if (!rh_glob(pattern, name) || is_beside(rd, e)) continue;
        others += !can_learn(rd, e);
        if (!can_learn(rd, e)) continue;
        hits++;
        if (!mark(l, e)) break;
    }
    rh_free(pattern);
    if (rd->fatal) return false;
    if (rd->matches > MATCHES)
        return rh_bad_limit(rd, 508, rh_tok_loc(rd, t), NULL, "too many patterns for so many elements");
    if (hits) return true;
    return others ? cannot(l, t, -1) : no_match(l, t);
}

/* Full name of what an instance calls t. */
static int find_local(rh_reader *rd, const rh_frame *f, rh_tok t) {
    if (f->n_path && t.n > 3 && t.s[1] == '.' && (t.s[2] | 0x20) == 'x') { /* R.X2.R1 */
        rh_buf *b = &rd->scratch;
        b->n = 0;
        rh_buf_add(b, t.s, 2);
        rh_buf_add(b, f->path, (size_t)f->n_path);
        rh_buf_add(b, t.s + 2, (size_t)t.n - 2);
        return b->bad ? -1 : rh_builder_find_element(rd->b, b->s, b->n);
    }
    const rh_tok flat = f->n_path ? rh_flat_name(rd, f, t) : t;
    const int e = rh_builder_find_element(rd->b, flat.s, (size_t)flat.n);
    return e < 0 && rh_lookup(rd->failed, flat) >= 0 ? -2 : e;
}

static bool learn_name(learn *l, rh_tok t) {
    rh_reader *rd = l->rd;
    int code;
    size_t at, len;
    if (memchr(t.s, '*', (size_t)t.n) || memchr(t.s, '?', (size_t)t.n)) {
        if (rh_name_fault(t.s, (size_t)t.n, false, &code, &at, &len)) return rh_check_name(rd, t, "node");
        return learn_pattern(l, t);
    }
    if (!rh_check_name(rd, t, "element")) return false;
    const int e = find_local(rd, l->f, t);
    if (e == -2) return true; /* the element was reported */
    if (e < 0) return no_match(l, t);
    return can_learn(rd, e) ? mark(l, e) : cannot(l, t, e);
}

/* keys: read the settings; otherwise mark the elements. Both walk over the same words. */
static bool learn_words(learn *l, rh_cursor c, bool keys, int *n_name) {
    rh_reader *rd = l->rd;
    double unused;
    while (rh_skip_separators(rd, &c) != 0 && !rh_stop(rd)) {
        const rh_tok t = rh_lex_name(&c);
        const bool key = rh_lex_equals(rd, &c);
        if (key && keys && !learn_key(l, &c, t)) return false;
        if (key && !keys && !rh_lex_value(rd, &c, l->f, 0, &unused, NULL)) return false;
        if (!key) ++*n_name;
        if (!key && !keys && !learn_name(l, t)) return false;
    }
    return true;
}

static learn learn_open(rh_reader *rd, const rh_frame *f, rh_tok word) {
    return (learn){ .rd = rd,
                    .f = f,
                    .said = { NAN,
                              NAN,
                              NAN,
                              { .line = word.line,
                                .file = (uint16_t)word.file,
                                .col = (uint16_t)(word.col < 65535 ? word.col : 0) } },
                    .at_first = f->first,
                    .n_elem = rh_builder_n_element(rd->b) };
}

static bool run_learn(rh_reader *rd, const rh_frame *f, const rh_cursor *c, rh_tok word) {
    learn l = learn_open(rd, f, word);
    int n = 0, again = 0;
    if (!learn_words(&l, *c, true, &n) || !learn_bounds(&l)) return false;
    if (n == 0)
        return rh_bad(rd, 25, rh_tok_loc(rd, word), "write *@ learn R* min=... max=...", "'*@ learn' names no element");
    return learn_words(&l, *c, false, &again);
}

/* ---- the others ---- */

static bool run_pos(rh_reader *rd, const rh_frame *f, rh_cursor *c, rh_tok word) {
    double x[2];
    if (rh_skip(rd, c) == 0)
        return rh_bad(rd, 25, rh_tok_loc(rd, word), "write *@ pos node x y", "'*@ pos' names no node");
    const rh_tok t = rh_lex_name(c);
    if (!rh_check_name(rd, t, "node")) return false;
    for (int k = 0; k < 2; k++) {
        if (rh_skip_separators(rd, c) == 0)
            return rh_bad(rd, 25, rh_tok_loc(rd, t), "write *@ pos node x y", "node '%s' has no %s", RH_SHOW(t),
                          k ? "y" : "x and y");
        if (!rh_lex_value(rd, c, f, 0, &x[k], NULL)) return false;
    }
    if (rh_skip(rd, c) != 0) {
        rh_unexpected(rd, c, "after the position");
        return false;
    }
    const int node = rh_frame_node(rd, f, t, false);
    if (node < 0 && rd->failed) return true; /* its element was reported */
    if (node < 0) return rh_bad(rd, 126, rh_tok_loc(rd, t), NULL, "no element is connected to node '%s'", RH_SHOW(t));
    return rh_builder_pos(rd->b, node, x[0], x[1]) == RHEO_OK || rh_no_memory(rd);
}

static bool unknown_pragma(rh_reader *rd, rh_tok t) {
    char word[48], hint[64] = "known: rheo learn model pos part";
    if (t.n == 0) return rh_bad(rd, 25, rh_tok_loc(rd, t), hint, "'*@' says nothing");
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *near = rh_suggest_list(word, WORDS, RH_COUNT(WORDS));
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_bad(rd, 123, rh_tok_loc(rd, t), hint, "'*@ %s' is not known", RH_SHOW(t));
}

void rh_pragma_run(rh_reader *rd, const rh_frame *f, rh_card *card) {
    rh_cursor c = rh_cursor_at(rd, card, true);
    const rh_tok word = pragma_word(rd, &c);
    bool ok = true;
    if (card->bad) return;
    if (rh_word_is(word, "learn"))
        ok = run_learn(rd, f, &c, word);
    else if (rh_word_is(word, "pos"))
        ok = run_pos(rd, f, &c, word);
    else if (rh_word_is(word, "task") || rh_word_is(word, "protocol") || rh_word_is(word, "seed")) {
        if (rh_first(rd, rh_word_is(word, "task") ? "task" : rh_word_is(word, "seed") ? "seed" : "protocol"))
            rh_note(rd, 105, rh_tok_loc(rd, word), "'*@ %s' is not used: it belongs into the experiment file",
                    RH_SHOW(word));
    } else if (!rh_word_is(word, "part")) {
        ok = unknown_pragma(rd, word);
    }
    if (!ok) card->bad = true;
}

void rh_pragma_sugar(rh_reader *rd, const rh_frame *f, const rh_cursor *card, int elem) {
    rh_cursor c = *card;
    c.at = c.sugar;
    c.line = c.sugar_line;
    c.bol = c.sugar_bol;
    const char *nl = memchr(c.text + c.at, '\n', c.end - c.at);
    if (nl) c.end = (size_t)(nl - c.text);
    c.sugar = 0;
    const rh_loc here = rh_cursor_loc(rd, &c);
    if (!rd->has_version) {
        rh_pragmas_unused(rd, (rh_place){ .line = here.line,
                                          .file = (uint16_t)c.file,
                                          .col = (uint16_t)(here.col > 2 && here.col < 65535 ? here.col - 2 : 1) });
        return;
    }
    const bool empty = rh_skip(rd, &c) == 0;
    const rh_tok word =
        empty ? (rh_tok){ .s = c.text + c.at, .file = c.file, .line = here.line, .col = here.col } : rh_lex_word(&c);
    learn l = learn_open(rd, f, word);
    int n = 0;
    if (rh_word_is(word, "part")) return;
    if (!rh_word_is(word, "learn"))
        rh_bad(rd, 123, rh_tok_loc(rd, word), "known behind a card: learn part", "';@ %s' is not known", RH_SHOW(word));
    else if (elem < 0)
        rh_bad(rd, 121, rh_tok_loc(rd, word), "name elements inside it, as in *@ learn R.X1.R1",
               "a subcircuit cannot learn as a whole");
    else if (!learn_words(&l, c, true, &n) || !learn_bounds(&l))
        return;
    else if (n)
        rh_bad(rd, 25, rh_tok_loc(rd, word), "use a line '*@ learn' for several elements",
               "';@ learn' is about its own element");
    else if (!can_learn(rd, elem))
        cannot(&l, word, elem);
    else
        mark(&l, elem);
}

/* ---- when everything is known ---- */

static bool near_bound(double g, double min, double max) { return g >= min * (1 - 1e-9) && g <= max * (1 + 1e-9); }

/* An edge that begins outside its bounds. */
typedef struct astray {
    rh_place place; /* of the line that makes it learn */
    int elem;
    double start;    /* what stands on its card */
    double min, max; /* what its line says, NaN: nothing */
    bool volts;      /* of a gate; else siemens */
} astray;

/* What is known while marks become edges. */
typedef struct applied {
    astray *astray;
    int n_astray, cap_astray;
    int n_free, first_free; /* conductances without bounds of their own */
    int *holder; /* [n_node] V element through which a node is held, seen from ground; NULL: not needed yet */
    int *edge;   /* [n_elem] element that learns through this source, -1: none */
} applied;

static rh_tok name_tok(const rh_reader *rd, int elem) {
    const char *name = rh_builder_element_name(rd->b, elem);
    const size_t len = strlen(name);
    return (rh_tok){ .s = name, .n = (int)(len < 100 ? len : 100) };
}

static bool find_holders(rh_reader *rd, applied *a) {
    const int n_node = rh_builder_n_node(rd->b), n_elem = rh_builder_n_element(rd->b);
    a->holder = rh_calloc((size_t)n_node, sizeof(int));
    a->edge = rh_calloc((size_t)n_elem, sizeof(int));
    if (!a->holder || !a->edge || !rh_builder_holders(rd->b, a->holder)) return rh_no_memory(rd);
    for (int e = 0; e < n_elem; e++) a->edge[e] = -1;
    return true;
}

/* The state of a transistor is the value of the source that holds its gate. */
static bool apply_gate(rh_reader *rd, int elem, rh_loc here, rh_loc there, applied *a) {
    enum { GATE = 1 };
    const rh_mark m = rd->mark[elem];
    const rh_tok shown = name_tok(rd, elem);
    if (isnan(m.min) || isnan(m.max))
        return rh_bad(rd, 142, there, "write min= and max= in volts",
                      "'%s' needs bounds: a gate voltage has none of its own", RH_SHOW(shown));
    if (!a->holder && !find_holders(rd, a)) return false;
    const int gate = rh_builder_element_term(rd->b, elem)[GATE], source = a->holder[gate];
    if (source < 0)
        return rh_bad(rd, 141, here, "put a voltage source between its gate and ground",
                      "'%s' cannot learn: no grounded voltage source holds its gate '%s'", RH_SHOW(shown),
                      rh_builder_node_name(rd->b, gate));
    if (a->edge[source] >= 0) {
        char other[48], name[48];
        return rh_bad(rd, 141, here, "give each its own source", "'%s' holds the gates of both '%s' and '%s'",
                      rh_show(name_tok(rd, source), name), rh_show(name_tok(rd, a->edge[source]), other),
                      RH_SHOW(shown));
    }
    for (int k = 0; k < rd->n_sense; k++)
        if (rh_builder_ctrl_of(rd->b, rd->sense[k].elem) == source)
            return rh_bad(rd, 141, here, "sense another source", "'%s' cannot learn: the current of '%s' is sensed",
                          RH_SHOW(shown), rh_builder_element_name(rd->b, source));
    a->edge[source] = elem;
    rh_builder_learn_through(rd->b, elem, source);
    return true;
}

static bool apply_conductance(rh_reader *rd, int elem, rh_loc here) {
    const rh_mark m = rd->mark[elem];
    const rh_tok shown = name_tok(rd, elem);
    const double r = rh_builder_element_value(rd->b, elem), g = 1 / r;
    char hint[160];
    snprintf(hint, sizeof(hint), "it learns because of %.60s:%d", rd->src[m.place.file]->name, m.place.line);
    if (!(r > 0))
        return rh_bad(rd, 122, here, hint, "the resistance of '%s' must be above 0, because it learns", RH_SHOW(shown));
    return (isfinite(g) && g > 0) ||
           rh_bad(rd, 122, here, hint, "the conductance of '%s' is outside the range of numbers", RH_SHOW(shown));
}

/* Between which conductances a memristor has its states; for others any will do. */
static bool state_range(const rh_reader *rd, int elem, double range[2]) {
    const int model = rh_builder_model_of(rd->b, elem);
    if (model < 0 || RH_KINDS[rh_builder_element_kind(rd->b, elem)]->model) return false;
    range[0] = 1 / rh_builder_model_par(rd->b, model)[RH_ROFF];
    range[1] = 1 / rh_builder_model_par(rd->b, model)[RH_RON];
    return true;
}

/* Bounds of a memristor are those of its states unless said otherwise, and no wider. */
static bool apply_states(rh_reader *rd, int elem, rh_mark *m, rh_loc there) {
    double range[2];
    char min[32], max[32], hint[120];
    if (!state_range(rd, elem, range)) return true;
    if (isnan(m->min)) m->min = range[0];
    if (isnan(m->max)) m->max = range[1];
    if (m->min >= range[0] * (1 - 1e-9) && m->max <= range[1] * (1 + 1e-9)) return true;
    snprintf(hint, sizeof(hint),
             "its model goes from %s to %s S: leave out min= and max=", rh_number_text(range[0], min),
             rh_number_text(range[1], max));
    return rh_bad(rd, 120, there, hint, "the bounds of the memristor '%s' are wider than its states",
                  RH_SHOW(name_tok(rd, elem)));
}

static bool outside(double x, double min, double max, bool volts) {
    if (volts) return x < min - 1e-9 * fabs(min) || x > max + 1e-9 * fabs(max);
    return !near_bound(x, min, max);
}

static rh_loc loc_of_mark(const rh_reader *rd, rh_place p) {
    return (rh_loc){ .src = rd->src[p.file], .line = p.line, .col = p.col, .len = 5 };
}

static int by_place(const void *pa, const void *pb) {
    const astray *const a = pa, *const b = pb;
    if (a->place.file != b->place.file) return a->place.file < b->place.file ? -1 : 1;
    if (a->place.line != b->place.line) return a->place.line < b->place.line ? -1 : 1;
    return a->elem < b->elem ? -1 : a->elem > b->elem;
}

static bool far_outside(const astray *a) { return a->start < a->min / 100 || a->start > a->max * 100; }

/* How many elements learn because of that line. */
static int n_of_line(const rh_reader *rd, rh_place p) {
    int n = 0;
    for (int e = 0; e < rd->cap_mark && e < rh_builder_n_element(rd->b); e++)
        n += rd->mark[e].place.line == p.line && rd->mark[e].place.file == p.file;
    return n;
}

/* Bounds were meant in another unit: no gate of a transistor is worked below 0.1 V, so such a number is a conductance;
 * no resistor that learns has 10 S, nor are all of a line a hundred times outside, so these are ohms. */
static const char *unit_meant(const rh_reader *rd, const astray *a, int n, char *hint, size_t size) {
    char max[32], low[40] = "", high[40] = "", start[32];
    if (a->volts) {
        snprintf(hint, size, "min= and max= of a gate are volts, and max is %s V: were volts meant?",
                 rh_number_text(a->max, max));
        return a->max >= 0 && a->max < 0.1 ? hint : NULL;
    }
    int n_far = 0;
    for (int k = 0; k < n; k++) n_far += far_outside(&a[k]);
    if (!(a->min > 10 || a->max > 10) && (n_far < n || n < n_of_line(rd, a->place))) return NULL;
    if (!isnan(a->max)) snprintf(low, sizeof low, " min=%s", rh_number_human(1 / a->max, "", max, sizeof max));
    if (!isnan(a->min)) snprintf(high, sizeof high, " max=%s", rh_number_human(1 / a->min, "", max, sizeof max));
    const bool ohms = (a->min > 1 || a->max > 1) && !(a->start < 1 / a->max || a->start > 1 / a->min);
    if (ohms)
        snprintf(hint, size, "min= and max= are conductances in siemens: was%s%s meant?", low, high);
    else
        snprintf(hint, size, "min= and max= are conductances in siemens, and that of the card is %s",
                 rh_number_human(a->start, "S", start, sizeof start));
    return hint;
}

/* Once for every line that makes them learn. */
static void warn_of_astray(rh_reader *rd, const applied *a) {
    if (a->n_astray == 0) return;
    qsort(a->astray, (size_t)a->n_astray, sizeof *a->astray, by_place);
    for (int k = 0, next; k < a->n_astray; k = next) {
        const astray *const first = &a->astray[k];
        for (next = k + 1; next < a->n_astray; next++)
            if (a->astray[next].place.line != first->place.line || a->astray[next].place.file != first->place.file)
                break;
        char more[40] = "", hint[160];
        if (next - k > 1) snprintf(more, sizeof more, "; so do%s %d more", next - k > 2 ? "" : "es", next - k - 1);
        rh_report_warning(
            &rd->rep, 133, loc_of_mark(rd, first->place), unit_meant(rd, first, next - k, hint, sizeof hint),
            "'%s' starts at the nearer bound, because its %s is outside%s", RH_SHOW(name_tok(rd, first->elem)),
            first->volts ? "gate voltage" : "conductance on the card", more);
    }
}

static void note_unbounded(rh_reader *rd, const applied *a) {
    char others[40] = "";
    if (a->n_free == 0) return;
    if (a->n_free > 1) snprintf(others, sizeof others, " and %d other%s", a->n_free - 1, a->n_free > 2 ? "s" : "");
    rh_note(rd, 142, loc_of_mark(rd, rd->mark[a->first_free].place),
            "'%s'%s learn%s without bounds: 1e-12 to 1e12 S; give min= and max=", RH_SHOW(name_tok(rd, a->first_free)),
            others, a->n_free > 1 ? "" : "s");
}

static bool apply(rh_reader *rd, int elem, applied *a) {
    rh_mark m = rd->mark[elem];
    const rh_place p = rh_builder_element_place(rd->b, elem);
    const rh_tok shown = name_tok(rd, elem);
    const bool volts = by_gate(rd, elem);
    const rh_loc here = { .src = rd->src[p.file], .line = p.line, .col = p.col, .len = shown.n };
    const rh_loc there = loc_of_mark(rd, m.place);
    if (volts ? !apply_gate(rd, elem, here, there, a) : !apply_conductance(rd, elem, here)) return false;
    if (!apply_states(rd, elem, &m, there)) return false;
    const double min = isnan(m.min) ? G_MIN : m.min, max = isnan(m.max) ? G_MAX : m.max;
    if (min > max)
        return rh_bad(rd, 120, there, NULL, "the bounds of '%s' leave nothing: min is above max", RH_SHOW(shown));
    if (m.init < min || m.init > max)
        return rh_bad(rd, 120, there, NULL, "init of '%s' is outside its bounds", RH_SHOW(shown));
    if (rh_builder_learn(rd->b, elem, m.min, m.max, m.init) != RHEO_OK) return rh_no_memory(rd);
    const double start = volts ? rh_builder_element_value(rd->b, rh_builder_through(rd->b, elem))
                               : 1 / rh_builder_element_value(rd->b, elem);
    if (isnan(m.min) && isnan(m.max) && a->n_free++ == 0) a->first_free = elem;
    if (!isnan(m.init) || !outside(start, min, max, volts)) return true;
    if (!rh_grow(&a->astray, &a->cap_astray, a->n_astray + 1, sizeof *a->astray)) return rh_no_memory(rd);
    a->astray[a->n_astray++] = (astray){ m.place, elem, start, m.min, m.max, volts };
    return true;
}

void rh_marks_apply(rh_reader *rd) {
    applied a = { 0 };
    const int n = rh_builder_n_element(rd->b);
    for (int e = 0; e < rd->cap_mark && e < n && !rh_stop(rd); e++)
        if (rd->mark[e].place.line) apply(rd, e, &a);
    warn_of_astray(rd, &a);
    note_unbounded(rd, &a);
    rh_free(a.astray);
    rh_free(a.holder);
    rh_free(a.edge);
}
