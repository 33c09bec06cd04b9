/* cards_control.c: controlled sources: what F and H sense, and expressions of B, E and G. */
#include "netlist/cards.h"

/* E and G with anything but a constant gain. */
bool rh_card_nonlinear(rh_card_reader *k, rh_tok t, bool equals) {
    static const char *const WORDS[] = { "table", "laplace", "freq" };
    bool found = t.n > 5 && rh_word_is((rh_tok){ .s = t.s, .n = 5 }, "poly(");
    for (int j = 0; j < RH_COUNT(WORDS); j++) found = found || (equals && rh_word_is(t, WORDS[j]));
    if (!found || !(k->kind->flags & RH_CONTROLLED)) return false;
    char hint[100];
    snprintf(hint, sizeof(hint), "write %cname node node control control %s", k->letter, k->kind->value_name);
    rh_bad(k->rd, 132, rh_tok_loc(k->rd, t), hint, "controlled sources take a number, or value={...} behind two nodes");
    return true;
}

/* ---- what F and H sense ---- */

bool rh_card_sensed(rh_card_reader *k) {
    rh_reader *rd = k->rd;
    if (rh_skip_separators(rd, &k->c) == 0) return rh_card_missing(k, k->kind->n_term);
    k->sensed = rh_lex_name(&k->c);
    if (rh_word_is(k->sensed, "poly") || (k->sensed.n > 4 && rh_word_is((rh_tok){ .s = k->sensed.s, .n = 5 }, "poly(")))
        return rh_bad(rd, 132, rh_tok_loc(rd, k->sensed), "write the name of one voltage source and a number",
                      "only linear controlled sources are known to this version");
    return rh_check_name(rd, k->sensed, "element");
}

bool rh_card_remember_sensed(rh_card_reader *k, int e) {
    rh_reader *rd = k->rd;
    const rh_tok flat = rh_flat_name(rd, k->f, k->sensed);
    const char *const copy = rh_pool_strndup(rd->pool, flat.s, (size_t)flat.n);
    if (!copy || !rh_grow(&rd->sense, &rd->cap_sense, rd->n_sense + 1, sizeof(*rd->sense))) return rh_no_memory(rd);
    rd->sense[rd->n_sense++] = (rh_sense){ .elem = e, .name = k->sensed, .flat = { .s = copy, .n = flat.n } };
    return true;
}

static const char *source_at(const void *ctx, int i) {
    const rh_reader *const rd = ctx;
    if (i >= rh_builder_n_element(rd->b) || i >= 10000) return NULL;
    return rh_builder_element_kind(rd->b, i) == RH_KIND_V ? rh_builder_element_name(rd->b, i) : "";
}

static void apply_sense(rh_reader *rd, const rh_sense *s) {
    const int found = rh_builder_find_element(rd->b, s->flat.s, (size_t)s->flat.n);
    char word[48], hint[100] = "write the name of a voltage source";
    if (found >= 0 && rh_builder_element_kind(rd->b, found) == RH_KIND_V) {
        rh_builder_ctrl(rd->b, s->elem, found);
        return;
    }
    if (rh_lookup(rd->failed, s->flat) >= 0) return; /* it was reported */
    snprintf(word, sizeof(word), "%.*s", s->flat.n < 40 ? s->flat.n : 40, s->flat.s);
    const char *near = found < 0 ? rh_suggest(word, source_at, rd) : NULL;
    if (near) snprintf(hint, sizeof(hint), "did you mean '%.60s'?", near);
    rh_bad(rd, 144, rh_tok_loc(rd, s->name), hint,
           found < 0 ? "no element is called '%s'" : "'%s' is not a voltage source: its current cannot be sensed",
           RH_SHOW(s->name));
}

void rh_senses_apply(rh_reader *rd) {
    for (int k = 0; k < rd->n_sense && !rh_stop(rd); k++) apply_sense(rd, &rd->sense[k]);
}

/* ---- expressions ---- */

/* What an expression needs besides its card: elements called letter.name and, from the second on, letter.name#2, ...
 * and nodes called name#v, name#2, ... */
typedef struct beside {
    rh_card_reader *k;
    char *flat; /* name of the card */
    int n;      /* parts so far */
} beside;

static int beside_node(beside *b, const char *what) {
    rh_reader *const rd = b->k->rd;
    const rh_tok name = b->k->name;
    rh_buf inner = { 0 };
    int node = -1;
    rh_buf_add(&inner, name.s, (size_t)name.n);
    rh_buf_puts(&inner, what);
    if (!inner.bad) node = rh_frame_node(rd, b->k->f, (rh_tok){ .s = inner.s, .n = (int)inner.n }, true);
    rh_buf_free(&inner);
    if (node < 0) rh_no_memory(rd);
    return node;
}

static int beside_element(beside *b, char letter, const char *what, const int *term, double value, int kind) {
    rh_reader *const rd = b->k->rd;
    rh_buf name = { 0 };
    int other = -1, e = -1;
    const rh_place place = { .line = b->k->name.line, .file = (uint16_t)b->k->name.file };
    rh_buf_printf(&name, "%c.", letter);
    rh_buf_puts(&name, b->flat);
    rh_buf_puts(&name, what);
    if (!name.bad) e = rh_builder_element(rd->b, kind, name.s, term, value, place, &other);
    rh_buf_free(&name);
    if (e == -1) rh_no_memory(rd);
    if (e == -2) rh_card_duplicate(rd, b->k->name, other);
    if (e < 0) return e;
    if (!rh_grow(&rd->beside, &rd->cap_beside, rd->n_beside + 1, sizeof(int))) {
        rh_no_memory(rd);
        return -1;
    }
    rd->beside[rd->n_beside++] = e;
    return e;
}

static bool add_tape(rh_card_reader *k, int e, const double *tape) {
    return e >= 0 && (rh_builder_tape(k->rd->b, e, tape) == RHEO_OK || rh_no_memory(k->rd));
}

static bool beside_resistor(beside *b, const char *what, int node) {
    return beside_element(b, 'R', what, (int[]){ node, 0, -1, -1 }, 1, RH_KIND_R) >= 0;
}

/* Currents that the expression reads become potentials of nodes, through 1 ohm. */
static bool add_sensed(beside *b, rh_expression *x) {
    for (int j = 0; j < x->n_sensed; j++) {
        char what[16];
        snprintf(what, sizeof(what), "#i%d", j + 1);
        const int node = beside_node(b, what);
        const int e = node < 0 ? -1 : beside_element(b, 'H', what, (int[]){ node, 0, -1, -1 }, 1, RH_KIND_H);
        b->k->sensed = x->sensed[j];
        if (e < 0 || !rh_card_remember_sensed(b->k, e)) return false;
        for (int q = 0; q < x->n_node; q++)
            if (x->node[q] == RH_READS_SENSED - j) x->node[q] = node;
    }
    return true;
}

/* Parts of two nodes each flow through 1 ohm, until what is left reads no more nodes than an element has room for. */
static bool add_parts(beside *b, rh_expression *x, const int *own, int n_own) {
    while (rh_expression_reads(x, own, n_own) > RH_MAX_TERM - 2) {
        char what[16];
        rh_expression part;
        double tape[RH_TAPE_MOST];
        snprintf(what, sizeof(what), "#%d", ++b->n);
        const int node = beside_node(b, what);
        int term[RH_MAX_TERM] = { 0, node, -1, -1 };
        if (node < 0 || !rh_expression_split(x, node, &part)) return false;
        rh_expression_seat(&part, term, tape);
        if (!add_tape(b->k, beside_element(b, 'B', what, term, 1, RH_KIND_B), tape)) return false;
        if (!beside_resistor(b, what, node)) return false;
    }
    return true;
}

/* A voltage: its expression flows as a current through 1 ohm, and what lies across that is copied. */
static bool add_voltage(beside *b, rh_expression *x, const int *out) {
    rh_card_reader *const k = b->k;
    const int inner = beside_node(b, "#v"), copy[4] = { out[0], out[1], inner, 0 };
    int term[RH_MAX_TERM] = { 0, inner, -1, -1 };
    double tape[RH_TAPE_MOST];
    if (inner < 0 || !add_parts(b, x, NULL, 0)) return false;
    rh_expression_seat(x, term, tape);
    k->kind_at = k->letter == 'B' ? RH_KIND_B : RH_KIND_E;
    k->value = 1;
    if (!rh_card_add(k, k->letter == 'B' ? term : copy)) return false;
    if (k->letter == 'B' && !add_tape(k, rh_builder_n_element(k->rd->b) - 1, tape)) return false;
    if (!beside_resistor(b, "", inner)) return false;
    if (k->letter == 'B') return beside_element(b, 'E', "", copy, 1, RH_KIND_E) >= 0;
    return add_tape(k, beside_element(b, 'B', "", term, 1, RH_KIND_B), tape);
}

static bool add_current(beside *b, rh_expression *x, const int *out) {
    rh_card_reader *const k = b->k;
    int term[RH_MAX_TERM] = { out[0], out[1], -1, -1 };
    double tape[RH_TAPE_MOST];
    if (!add_parts(b, x, out, 2)) return false;
    rh_expression_seat(x, term, tape);
    k->kind_at = RH_KIND_B;
    return rh_card_add(k, term) && add_tape(k, rh_builder_n_element(k->rd->b) - 1, tape);
}

static bool add_expression(rh_card_reader *k, const int *out, bool volts) {
    rh_expression x;
    if (!rh_behave(k->rd, &k->c, k->f, &x)) return false;
    const rh_tok full = rh_flat_name(k->rd, k->f, k->name);
    beside b = { .k = k, .flat = k->rd->fatal ? NULL : rh_strndup(full.s, (size_t)full.n) };
    if (!b.flat) return rh_no_memory(k->rd);
    const bool ok = add_sensed(&b, &x) && (volts ? add_voltage : add_current)(&b, &x, out);
    rh_free(b.flat);
    return ok;
}

/* B with i= or v=; E and G with value=. */
bool rh_card_behavioural(rh_card_reader *k) {
    rh_reader *rd = k->rd;
    int out[2];
    char hint[80];
    snprintf(hint, sizeof(hint),
             k->letter == 'B' ? "write %cname node node i={...} or v={...}" : "write %cname node node value={...}",
             k->letter);
    for (int j = 0; j < 2; j++)
        if (!rh_card_node(k, j, &out[j])) return false;
    if (rh_skip_separators(rd, &k->c) == 0)
        return rh_bad(rd, 8, rh_tok_loc(rd, k->name), hint, "'%s' has no expression", RH_SHOW(k->name));
    const rh_tok t = rh_lex_word(&k->c);
    const bool volts = rh_word_is(t, "v") || (k->letter == 'E' && (rh_word_is(t, "value") || rh_word_is(t, "vol")));
    const bool amps = rh_word_is(t, "i") || (k->letter == 'G' && (rh_word_is(t, "value") || rh_word_is(t, "cur")));
    if ((!volts && !amps) || !rh_lex_equals(rd, &k->c))
        return rh_bad(rd, 8, rh_tok_loc(rd, t), hint, "'%s' is not expected here", RH_SHOW(t));
    if (rh_skip(rd, &k->c) == 0)
        return rh_bad(rd, 8, rh_tok_loc(rd, k->name), hint, "'%s' has no expression", RH_SHOW(k->name));
    if (!add_expression(k, out, volts)) return false;
    if (rh_skip_separators(rd, &k->c) == 0) return true;
    rh_unexpected(rd, &k->c, "after the expression");
    return false;
}

/* Is the third word of E or G value= or the like? */
bool rh_card_takes_expression(const rh_card_reader *k) {
    rh_cursor c = k->c;
    if (k->letter == 'B') return true;
    if (k->letter != 'E' && k->letter != 'G') return false;
    for (int j = 0; j < 2; j++) {
        if (rh_skip_separators(k->rd, &c) == 0) return false;
        rh_lex_name(&c);
    }
    if (rh_skip_separators(k->rd, &c) == 0) return false;
    const rh_tok t = rh_lex_word(&c);
    return (rh_word_is(t, "value") || rh_word_is(t, "vol") || rh_word_is(t, "cur")) && rh_lex_equals(k->rd, &c);
}
