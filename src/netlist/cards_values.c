/* cards_values.c: what a card may carry besides its nodes: value, model, parameters. They are written down in a table.
 */
#include "netlist/cards.h"

typedef enum role { VALUE, UNUSED, ONE, INITIAL } role;

static const struct instance_par {
    char letter;
    const char *name;
    role role; /* VALUE: of the element; UNUSED: noted once; ONE: must be 1; INITIAL: kept */
} PARS[] = {
    { 'R', "r", VALUE },      { 'R', "resistance", VALUE },
    { 'R', "tc1", UNUSED },   { 'R', "tc2", UNUSED },
    { 'R', "temp", UNUSED },  { 'R', "dtemp", UNUSED },
    { 'R', "noisy", UNUSED }, { 'R', "noise", UNUSED },
    { 'R', "ac", UNUSED },    { 'R', "m", ONE },
    { 'R', "scale", ONE },    { 'C', "c", VALUE },
    { 'C', "cap", VALUE },    { 'C', "capacitance", VALUE },
    { 'C', "ic", INITIAL },   { 'C', "tc1", UNUSED },
    { 'C', "tc2", UNUSED },   { 'C', "temp", UNUSED },
    { 'C', "dtemp", UNUSED }, { 'C', "m", ONE },
    { 'C', "scale", ONE },    { 'V', "m", ONE },
    { 'I', "m", ONE },        { 'E', "m", ONE },
    { 'G', "m", ONE },        { 'F', "m", ONE },
    { 'H', "m", ONE },        { 'D', "m", ONE },
    { 'D', "off", UNUSED },   { 'D', "ic", UNUSED },
    { 'D', "temp", UNUSED },  { 'D', "dtemp", UNUSED },
    { 'S', "m", ONE },        { 'D', "pj", UNUSED },
    { 'M', "m", ONE },        { 'M', "ad", UNUSED },
    { 'M', "as", UNUSED },    { 'M', "pd", UNUSED },
    { 'M', "ps", UNUSED },    { 'M', "nrd", UNUSED },
    { 'M', "nrs", UNUSED },   { 'M', "off", UNUSED },
    { 'M', "ic", UNUSED },    { 'M', "temp", UNUSED },
    { 'M', "dtemp", UNUSED }, { 'Q', "m", ONE },
    { 'Q', "off", UNUSED },   { 'Q', "ic", UNUSED },
    { 'Q', "temp", UNUSED },  { 'Q', "dtemp", UNUSED },
};

static bool take_value(rh_card_reader *k) {
    const unsigned flags = k->letter == 'C' ? RH_LEX_FARAD : 0;
    k->has_value = true;
    return rh_lex_value(k->rd, &k->c, k->f, flags, &k->value, NULL);
}

static bool unknown_par(rh_card_reader *k, rh_tok t) {
    const char *names[RH_COUNT(PARS) + RH_KIND_PAR];
    char word[48], hint[120] = "", shown[48];
    int n = 0;
    for (int j = 0; j < k->kind->n_par; j++)
        if (k->kind->par[j].of == RH_OF_ELEMENT) names[n++] = k->kind->par[j].name;
    for (int j = 0; j < RH_COUNT(PARS); j++)
        if (PARS[j].letter == k->letter) names[n++] = PARS[j].name;
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *near = rh_suggest_list(word, names, n);
    if (rh_word_is(t, "learn"))
        snprintf(hint, sizeof(hint), "write a line '*@ learn %s'", rh_show(k->name, shown));
    else if (k->kind->optional && rh_word_is(t, "x0"))
        snprintf(hint, sizeof(hint), "the resistance of a memristor is its state: write {ROFF-(ROFF-RON)*X0}");
    else if (near)
        snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_bad(k->rd, 104, rh_tok_loc(k->rd, t), hint[0] ? hint : NULL, "a %s has no parameter '%s'", k->kind->name,
                  RH_SHOW(t));
}

/* Parameter j of the kind: the cursor stands at its value. */
static bool own_par(rh_card_reader *k, int j, rh_tok t) {
    rh_reader *rd = k->rd;
    const rh_par *const p = &k->kind->par[j];
    rh_tok value;
    if (k->has_par[j]) return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "'%s' is given twice", p->name);
    k->has_par[j] = true;
    return rh_lex_value(rd, &k->c, k->f, 0, &k->par[j], &value) && rh_par_in_range(rd, p, value, k->par[j]);
}

/* The cursor stands behind the '='. */
bool rh_card_par(rh_card_reader *k, rh_tok t) {
    rh_reader *rd = k->rd;
    const struct instance_par *p = NULL;
    double x;
    for (int j = 0; j < RH_COUNT(PARS) && !p; j++)
        if (PARS[j].letter == k->letter && rh_word_is(t, PARS[j].name)) p = &PARS[j];
    int own = -1;
    for (int j = 0; j < k->kind->n_par; j++)
        if (k->kind->par[j].of == RH_OF_ELEMENT && rh_word_is(t, k->kind->par[j].name)) own = j;
    if (!p && own < 0) return unknown_par(k, t);
    if (rh_skip(rd, &k->c) == 0) return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "'%s=' has no value", RH_SHOW(t));
    if (own >= 0) return own_par(k, own, t);
    if (p->role == VALUE) {
        if (k->has_value) return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "the %s is given twice", k->kind->value_name);
        return take_value(k);
    }
    if (!rh_lex_value(rd, &k->c, k->f, 0, &x, NULL)) return false;
    if (p->role == ONE && x != 1)
        return rh_bad(rd, 104, rh_tok_loc(rd, t), "write the product, or several elements",
                      "'%s' other than 1 is not supported", RH_SHOW(t));
    if (p->role == INITIAL) k->ic = x;
    if (p->role == UNUSED && rh_first(rd, p->name)) {
        rh_note(rd, 105, rh_tok_loc(rd, t), "'%s' is not used by rheo", p->name);
        rh_leave_out(rd, p->name);
    }
    return true;
}

bool rh_card_is_par(const rh_card_reader *k, rh_tok t) {
    for (int p = 0; p < RH_COUNT(PARS); p++)
        if (PARS[p].letter == k->letter && rh_word_is(t, PARS[p].name)) return true;
    return false;
}

static void note_model(rh_card_reader *k, rh_tok t) {
    if (!rh_first(k->rd, "model on an element")) return;
    rh_note(k->rd, 105, rh_tok_loc(k->rd, t), "models of R and C are not used by rheo");
    rh_leave_out(k->rd, "models of R and C");
}

/* The model of a resistor: it may make a memristor of it, or say nothing to rheo. */
static bool optional_model(rh_card_reader *k, rh_tok t) {
    const int model = rh_model_of(k->rd, k->f, t, k->letter);
    if (model >= 0) k->model = model;
    if (model == RH_MODEL_PLAIN) note_model(k, t);
    return model != -1;
}

/* A word without '=': the name of a model on R and C, which says nothing more to rheo. */
static bool bare_word(rh_card_reader *k, rh_tok t, const rh_cursor *before) {
    rh_reader *rd = k->rd;
    if (k->model < 0 && k->kind->optional && rh_model_exists(k->f, t)) return optional_model(k, t);
    if (k->model >= 0) {
        k->c = *before;
        rh_unexpected(rd, &k->c, "after the model");
        return false;
    }
    for (const rh_def *d = k->f->def; d; d = d->up)
        if ((k->letter == 'R' || k->letter == 'C') && rh_lookup(d->model_map, t) >= 0) {
            note_model(k, t);
            return true;
        }
    k->c = *before;
    if (!k->has_value) return take_value(k); /* says what is wrong with it */
    char after[64];
    snprintf(after, sizeof(after), "after the %s", k->kind->value_name);
    rh_unexpected(rd, &k->c, after);
    return false;
}

/* Value and parameters of R, C, E, F, G and H. */
bool rh_card_plain(rh_card_reader *k) {
    char after[64];
    for (int ch; (ch = rh_skip_separators(k->rd, &k->c)) != 0;) {
        if (rh_starts_value(ch) && !k->has_value) {
            if (!take_value(k)) return false;
            continue;
        }
        if (rh_starts_value(ch) || ch == '=') {
            snprintf(after, sizeof(after), k->has_value ? "after the %s" : "before the %s", k->kind->value_name);
            rh_unexpected(k->rd, &k->c, after);
            return false;
        }
        const rh_cursor before = k->c;
        const rh_tok t = rh_lex_word(&k->c);
        if (rh_lex_equals(k->rd, &k->c) ? !rh_card_par(k, t) : !bare_word(k, t, &before)) return false;
    }
    return true;
}

/* Q with a fourth node: the word in place of the model is none, but the next one is. */
static bool has_substrate(rh_card_reader *k, rh_tok name) {
    rh_cursor peek = k->c;
    if (k->letter != 'Q' || rh_model_exists(k->f, name) || rh_skip_separators(k->rd, &peek) == 0) return false;
    return rh_model_exists(k->f, rh_lex_word(&peek));
}

/* Model, area and parameters of D, M, Q and S. */
bool rh_card_model(rh_card_reader *k) {
    rh_reader *rd = k->rd;
    if (rh_skip_separators(rd, &k->c) == 0) return true; /* said by physical() */
    const rh_tok name = rh_lex_word(&k->c);
    if (!rh_check_name(rd, name, "model")) return false;
    if (has_substrate(k, name))
        return rh_bad(rd, 9, rh_tok_loc(rd, name), "leave it out: at direct current it takes nothing",
                      "a substrate is not known to this version");
    k->model = rh_model_of(rd, k->f, name, k->letter);
    if (k->model < 0) return false;
    k->kind_at = rh_builder_model_kind(rd->b, k->model);
    k->kind = RH_KINDS[k->kind_at];
    memcpy(k->par, rh_builder_model_par(rd->b, k->model), (size_t)k->kind->n_par * sizeof(double));
    k->has_value = true;
    for (int ch; (ch = rh_skip_separators(rd, &k->c)) != 0;) {
        const rh_tok t = rh_lex_chunk(&k->c);
        int area = -1;
        for (int j = 0; j < k->kind->n_par; j++)
            if (!strcmp(k->kind->par[j].name, "area") && !k->has_par[j]) area = j;
        if (rh_starts_value(ch) && area >= 0) {
            if (!own_par(k, area, t)) return false;
            continue;
        }
        const rh_cursor before = k->c;
        const rh_tok word = rh_lex_word(&k->c);
        if (!rh_starts_value(ch) && rh_lex_equals(rd, &k->c)) {
            if (!rh_card_par(k, word)) return false;
        } else if (rh_word_is(word, "off") || (k->letter == 'S' && rh_word_is(word, "on"))) {
            if (!rh_first(rd, "off")) continue;
            rh_note(rd, 105, rh_tok_loc(rd, word), "'%s' is not used by rheo", RH_SHOW(word));
            rh_leave_out(rd, "off");
        } else {
            k->c = before;
            rh_unexpected(rd, &k->c, "after the model");
            return false;
        }
    }
    return true;
}
