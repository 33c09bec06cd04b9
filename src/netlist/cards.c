/* cards.c: element cards: nodes, then what the files beside it read, then the element; .ic and .tran; the title. */
#include "netlist/cards.h"
#include "element/memristor.h"

#include <math.h>

static int upper(int c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }

/* ---- names and nodes inside instances ---- */

bool rh_is_ground(rh_tok t) { return (t.n == 1 && t.s[0] == '0') || rh_word_is(t, "gnd"); }

static void near_ground(rh_reader *rd, rh_tok t) {
    const bool zeros = rh_word_is(t, "00"), bang = rh_word_is(t, "gnd!");
    if ((zeros || bang) && rh_first(rd, zeros ? "00" : "gnd!"))
        rh_report_warning(&rd->rep, 117, rh_tok_loc(rd, t), "ground is 0", "node '%s' is not ground", RH_SHOW(t));
}

/* path + name, or letter.path + name for elements, NUL-terminated in the scratch text. */
static rh_tok flatten(rh_reader *rd, const rh_frame *f, rh_tok t, bool element) {
    rh_buf *b = &rd->scratch;
    b->n = 0;
    if (element && f->n_path) {
        rh_buf_add(b, t.s, 1);
        rh_buf_add(b, ".", 1);
    }
    rh_buf_add(b, f->path, (size_t)f->n_path);
    rh_buf_add(b, t.s, (size_t)t.n);
    if (b->bad) {
        rh_no_memory(rd);
        return t;
    }
    if (f->n_path) rd->name_bytes += (int64_t)b->n;
    t.s = b->s;
    t.n = (int)b->n;
    return t;
}

rh_tok rh_flat_name(rh_reader *rd, const rh_frame *f, rh_tok t) { return flatten(rd, f, t, true); }

static int port_node(rh_reader *rd, int k, bool add) {
    const rh_port p = rd->node[k];
    if (p.node < 0) rd->node[k].node = rh_frame_node(rd, p.f, p.name, add); /* at most as deep as instances are */
    return rd->node[k].node;
}

int rh_frame_node(rh_reader *rd, const rh_frame *f, rh_tok t, bool add) {
    if (add && (t.s[0] == '0' || (t.s[0] | 0x20) == 'g')) near_ground(rd, t);
    if (f->n_path && !rh_is_ground(t)) {
        const int port = rh_lookup(f->def->port_map, t);
        if (port >= 0) return port_node(rd, f->node0 + port, add);
        t = flatten(rd, f, t, false);
    }
    if (!add) return rh_builder_find_node(rd->b, t.s, (size_t)t.n);
    const int node = rh_builder_node(rd->b, t.s, (size_t)t.n);
    if (node < 0) rh_no_memory(rd);
    return node;
}

void rh_remember_failed(rh_reader *rd, rh_tok flat) {
    const char *copy = rh_pool_strndup(rd->pool, flat.s, (size_t)flat.n);
    flat.s = copy;
    if (!copy)
        rh_no_memory(rd);
    else
        rh_enter(rd, &rd->failed, flat, 1);
}

/* ---- the card ---- */

bool rh_card_missing(rh_card_reader *k, int n_node) {
    char hint[100];
    const char *const nodes = k->letter == 'M'                 ? "drain gate source bulk"
                              : k->letter == 'Q'               ? "collector base emitter"
                              : k->kind->n_term == 4           ? "node node control control"
                              : k->kind->flags & RH_BY_CURRENT ? "node node Vsource"
                                                               : "node node";
    const int n_term = k->kind->flags & RH_TAPE ? 2 : k->kind->n_term;
    if (k->kind->flags & RH_TAPE)
        snprintf(hint, sizeof(hint), "write %cname node node i={...} or v={...}", k->letter);
    else
        snprintf(hint, sizeof(hint), "write %cname %s %s", k->letter, nodes, k->kind->value_name);
    const rh_loc at = rh_tok_loc(k->rd, k->name);
    if (n_node < n_term)
        return rh_bad(k->rd, 8, at, hint, "'%s' needs %d nodes and %s %s, but names %d node%s", RH_SHOW(k->name),
                      n_term, strchr("aeiou", k->kind->value_name[0]) ? "an" : "a", k->kind->value_name, n_node,
                      n_node == 1 ? "" : "s");
    const rh_number x = rh_number_parse(k->last.s, (size_t)k->last.n);
    const bool number = (x.fault == RH_NUM_OK && x.used == (size_t)k->last.n && x.value != 0) ||
                        (k->kind->model && rh_model_exists(k->f, k->last));
    return rh_bad(k->rd, 8, at, hint, number ? "'%s' has no %s: '%s' is its last node" : "'%s' has no %s",
                  RH_SHOW(k->name), k->kind->value_name, RH_SHOW(k->last));
}

bool rh_card_node(rh_card_reader *k, int j, int *node) {
    rh_reader *rd = k->rd;
    const int ch = rh_skip_separators(rd, &k->c);
    if (ch == 0) return rh_card_missing(k, j);
    const rh_tok t = k->last = rh_lex_name(&k->c);
    rh_cursor peek = k->c;
    const bool equals = rh_lex_equals(rd, &peek);
    if (j >= 2 && rh_card_nonlinear(k, t, equals)) return false;
    if (equals) {
        const bool glued = k->c.at < k->c.end && k->c.text[k->c.at] == '=';
        if (rh_card_is_par(k, t)) return rh_card_missing(k, j);
        if (!glued) {
            rh_skip(rd, &k->c);
            rh_unexpected(rd, &k->c, "behind a node");
            return false;
        }
        return rh_bad(rd, 10, rh_cursor_loc(rd, &k->c), "name=value pairs come after the nodes; is a node missing?",
                      "a node name cannot contain '='");
    }
    if (!rh_check_name(rd, t, "node")) return false;
    *node = rh_frame_node(rd, k->f, t, true);
    return *node >= 0;
}

static bool physical(rh_card_reader *k) {
    rh_reader *rd = k->rd;
    const rh_tok full = k->f->n_path ? rh_flat_name(rd, k->f, k->name) : k->name; /* says which instance it is */
    const rh_loc at = rh_tok_loc(rd, k->name);
    if (!k->has_value) return rh_card_missing(k, k->kind->n_term);
    if (!isfinite(k->value))
        return rh_bad(rd, 15, at, NULL, "the %s of '%s' is not finite", k->kind->value_name, RH_SHOW(full));
    if (k->letter == 'C' && k->value < 0)
        rh_report_warning(&rd->rep, 131, at, NULL, "the capacitance of '%s' is negative", RH_SHOW(full));
    if (k->letter != 'R' || k->value != 0) return true;
    if (!rd->set.allow_short)
        return rh_bad(rd, 106, at, "join the nodes, or allow shorts", "the resistance of '%s' is 0", RH_SHOW(full));
    rh_report_warning(&rd->rep, 106, at, NULL, "the resistance of '%s' is 0: 1 mohm is used", RH_SHOW(full));
    k->value = 1e-3;
    return true;
}

bool rh_card_duplicate(rh_reader *rd, rh_tok name, int other) {
    const rh_place p = rh_builder_element_place(rd->b, other);
    char hint[200] = "";
    if (p.line) snprintf(hint, sizeof(hint), "first at %s:%d", rd->src[p.file]->name, p.line);
    return rh_bad(rd, 103, rh_tok_loc(rd, name), hint[0] ? hint : NULL, "element '%s' is defined twice", RH_SHOW(name));
}

/* The points of a PWL are pairs in rd->arg. */
static bool add_wave(rh_card_reader *k, int e) {
    const bool pwl = k->wave.kind == RH_WAVE_PWL;
    return rh_builder_wave(k->rd->b, e, &k->wave, pwl ? (const double(*)[2])(const void *)k->rd->arg : NULL) == RHEO_OK;
}

/* The resistance of a memristor is its state. */
static bool within_states(rh_card_reader *k) {
    char value[32], on[32], off[32], hint[120];
    if (k->model < 0 || k->kind->model) return true;
    const double *const par = rh_builder_model_par(k->rd->b, k->model);
    if (k->value >= par[RH_RON] * (1 - 1e-9) && k->value <= par[RH_ROFF] * (1 + 1e-9)) return true;
    snprintf(hint, sizeof(hint), "it is its state, so it may be %s to %s ohm", rh_number_text(par[RH_RON], on),
             rh_number_text(par[RH_ROFF], off));
    return rh_bad(k->rd, 138, rh_tok_loc(k->rd, k->name), hint,
                  "the resistance of the memristor '%s', %s, is not between its ron and roff", RH_SHOW(k->name),
                  rh_number_text(k->value, value));
}

bool rh_card_add(rh_card_reader *k, const int *term) {
    rh_reader *rd = k->rd;
    const rh_place place = { .line = k->name.line,
                             .file = (uint16_t)k->name.file,
                             .col = (uint16_t)(k->name.col < 65535 ? k->name.col : 0) };
    const rh_tok flat = rh_flat_name(rd, k->f, k->name);
    int other = -1;
    if (rd->fatal) return false;
    if (rd->name_bytes > rd->set.max_element * 128)
        return rh_bad_limit(rd, 504, rh_tok_loc(rd, k->name), NULL, "the names inside subcircuits are too long");
    const int e = rh_builder_element(rd->b, k->kind_at, flat.s, term, k->value, place, &other);
    if (e == -1) return rh_no_memory(rd);
    if (e == -2) return rh_card_duplicate(rd, k->name, other);
    if (k->model >= 0) {
        rh_builder_use_model(rd->b, e, k->model);
        if (k->kind->model && rh_builder_par(rd->b, e, k->par) != RHEO_OK) return rh_no_memory(rd);
    }
    if (k->kind->flags & RH_BY_CURRENT && !rh_card_remember_sensed(k, e)) return false;
    if (isfinite(k->ic)) rh_builder_elem_ic(rd->b, e, k->ic);
    if (k->has_wave && !add_wave(k, e)) return rh_no_memory(rd);
    if (k->c.sugar) rh_pragma_sugar(rd, k->f, &k->c, e);
    return true;
}

static bool read_card(rh_card_reader *k) {
    int term[4] = { -1, -1, -1, -1 };
    if (!rh_check_name(k->rd, k->name, "element")) return false;
    if (rh_card_takes_expression(k)) return rh_card_behavioural(k);
    for (int j = 0; j < k->kind->n_term; j++)
        if (!rh_card_node(k, j, &term[j])) return false;
    if (k->kind->flags & RH_BY_CURRENT && !rh_card_sensed(k)) return false;
    if (k->kind->model ? !rh_card_model(k) : k->kind->flags & RH_SOURCE ? !rh_card_source(k) : !rh_card_plain(k))
        return false;
    return physical(k) && within_states(k) && rh_card_add(k, term);
}

static bool unknown_letter(rh_reader *rd, rh_tok t) {
    char known[64] = "known kinds:";
    size_t n = strlen(known);
    for (int j = 0; j < RH_N_KIND && n + 8 < sizeof(known); j++)
        if (rh_kind_of_letter(RH_KINDS[j]->letter) == j)
            n += (size_t)snprintf(known + n, sizeof(known) - n, " %c", RH_KINDS[j]->letter);
    snprintf(known + n, sizeof(known) - n, " X");
    const int ch = upper((unsigned char)t.s[0]);
    const rh_loc at = rh_tok_loc(rd, t);
    if (t.s[0] == '#') return rh_bad(rd, 5, at, "start a comment with '*' or ';'", "'#' does not start a comment");
    if (ch >= 'A' && ch <= 'Z') return rh_bad(rd, 101, at, known, "element kind '%c' is not known to this version", ch);
    if (ch <= ' ' || ch > '~')
        return rh_check_name(rd, t, "element") &&
               rh_bad(rd, 9, at, NULL, "a card starts with a letter from A to Z or a dot");
    return rh_bad(rd, 9, at, NULL, "a card starts with a letter or a dot, not with '%s'", RH_SHOW(t));
}

void rh_element_card(rh_reader *rd, const rh_frame *f, rh_card *card) {
    rh_card_reader k = { .rd = rd, .f = f, .c = rh_cursor_at(rd, card, false), .model = -1, .ic = NAN };
    if (rh_skip(rd, &k.c) == 0) return; /* nothing but separators or a comment */
    k.name = rh_lex_name(&k.c);
    k.letter = (char)upper((unsigned char)k.name.s[0]);
    const int kind = k.kind_at = rh_kind_of_letter(k.letter);
    if (kind >= 0) k.kind = RH_KINDS[kind];
    if (!card->bad && (kind < 0 ? unknown_letter(rd, k.name) : read_card(&k))) return;
    card->bad = true;
    if (!rd->fatal) rh_remember_failed(rd, rh_flat_name(rd, f, k.name));
}

/* ---- .ic ---- */

static bool one_ic(rh_reader *rd, const rh_frame *f, rh_cursor *c) {
    const rh_tok word = rh_lex_word(c);
    if (!rh_word_is(word, "v") || rh_skip(rd, c) != '(')
        return rh_bad(rd, 26, rh_tok_loc(rd, word), "write .ic v(node)=value", "'%s' is not expected in .ic",
                      RH_SHOW(word));
    c->at++;
    rh_skip(rd, c);
    const rh_tok t = rh_lex_name(c);
    if (!rh_check_name(rd, t, "node")) return false;
    if (rh_skip(rd, c) == ',')
        return rh_bad(rd, 26, rh_cursor_loc(rd, c), "write v(node)=value", "differences of potentials cannot be set");
    if (rh_skip(rd, c) != ')') return rh_bad(rd, 21, rh_tok_loc(rd, t), NULL, "')' is missing after '%s'", RH_SHOW(t));
    c->at++;
    double x;
    if (!rh_lex_equals(rd, c) || rh_skip(rd, c) == 0)
        return rh_bad(rd, 26, rh_tok_loc(rd, t), "write v(node)=value", "node '%s' has no value", RH_SHOW(t));
    if (!rh_lex_value(rd, c, f, 0, &x, NULL)) return false;
    const int node = rh_frame_node(rd, f, t, false);
    if (node < 0 && rd->failed) return true; /* its element was reported */
    if (node < 0) return rh_bad(rd, 127, rh_tok_loc(rd, t), NULL, "no element is connected to node '%s'", RH_SHOW(t));
    if (node == 0) return x == 0 || rh_bad(rd, 127, rh_tok_loc(rd, t), NULL, "ground is always at 0 V");
    return rh_builder_ic(rd->b, node, x) == RHEO_OK || rh_no_memory(rd);
}

/* .tran step stop [start [longest]] [uic] */
static bool tran_card(rh_reader *rd, const rh_frame *f, rh_cursor *c, rh_tok card) {
    double x[4] = { NAN, NAN, NAN, NAN };
    bool uic = false;
    int n = 0;
    while (rh_skip_separators(rd, c) != 0) {
        const rh_tok t = rh_lex_chunk(c);
        if (rh_word_is(t, "uic") && !uic) {
            uic = true;
            rh_lex_word(c);
            continue;
        }
        if (n == 4 || uic) {
            rh_unexpected(rd, c, "at the end of .tran");
            return false;
        }
        if (!rh_lex_value(rd, c, f, 0, &x[n], NULL)) return false;
        if (!(x[n] >= 0) || (n < 2 && x[n] == 0))
            return rh_bad(rd, 363, rh_tok_loc(rd, t), NULL, "times of .tran must be above 0");
        n++;
    }
    if (n < 2) return rh_bad(rd, 8, rh_tok_loc(rd, card), "write .tran step stop", ".tran needs a step and a stop");
    if (n > 2 && !(x[2] < x[1]))
        return rh_bad(rd, 363, rh_tok_loc(rd, card), NULL, "the start of .tran must be before its stop");
    rh_builder_tran(rd->b, x, uic);
    return true;
}

void rh_ic_card(rh_reader *rd, const rh_frame *f, rh_card *card) {
    rh_cursor c = rh_cursor_at(rd, card, false);
    if (card->bad) return;
    rh_skip(rd, &c);
    const rh_tok word = rh_lex_word(&c);
    if (rh_word_is(word, ".tran")) {
        card->bad = !tran_card(rd, f, &c, word);
        return;
    }
    while (rh_skip_separators(rd, &c) != 0 && !rh_stop(rd)) {
        if (one_ic(rd, f, &c)) continue;
        card->bad = true;
        return;
    }
}

/* ---- the title that is a card ---- */

/* Words of the first line without comments or messages: a title may be anything. */
static int title_words(const rh_card *card, const char *text, rh_tok *word, int most) {
    int n = 0;
    for (size_t at = card->off; at < card->end && n < most; n++) {
        while (at < card->end && strchr(" \t\r,()", text[at])) at++;
        const size_t from = at;
        while (at < card->end && !strchr(" \t\r,()", text[at])) at++;
        if (at == from) break;
        word[n] = (rh_tok){ .s = text + from, .n = (int)(at - from) };
    }
    return n;
}

bool rh_title_is_card(rh_reader *rd, const rh_card *card) {
    rh_tok w[8];
    const int n = title_words(card, rd->src[card->file]->text, w, RH_COUNT(w));
    if (n == 0) return false;
    if (w[0].n >= 2 && w[0].s[0] == '*' && w[0].s[1] == '@') return true;
    static const char *const DOT[] = { ".param", ".include", ".inc", ".lib",     ".subckt",
                                       ".model", ".func",    ".ic",  ".options", ".end" };
    for (int j = 0; j < RH_COUNT(DOT); j++)
        if (rh_word_is(w[0], DOT[j])) return true;
    if ((w[0].s[0] | 0x20) == 'x' && w[0].n > 1 && w[0].s[1] >= '0' && w[0].s[1] <= '9') return n > 2;
    const int kind = rh_kind_of_letter(w[0].s[0]), at = kind >= 0 ? RH_KINDS[kind]->n_term + 1 : 0;
    if (kind < 0 || at >= n || RH_KINDS[kind]->flags & RH_NONLINEAR) return false; /* those end in a word like any */
    const rh_number x = rh_number_parse(w[at].s, (size_t)w[at].n);
    return w[at].s[0] == '{' || rh_word_is(w[at], "dc") || (x.fault == RH_NUM_OK && x.used == (size_t)w[at].n);
}
