/* model.c: .model cards. Those of kinds that compute with them become numbers when an element names them, once for each
 * instance, since they may use its parameters; those of R, C and the like are kept as text. */
#include "element/memristor.h"
#include "netlist/netlist.h"

#include <math.h>

/* Types that no kind of element uses here. */
static const char *const OTHER_TYPES[] = { "r", "c", "l", "njf", "pjf", "nmf", "pmf", "vdmos", "csw", "urc" };

/* ---- while files are read ---- */

static bool other_type(rh_tok t) {
    for (int k = 0; k < RH_COUNT(OTHER_TYPES); k++)
        if (rh_word_is(t, OTHER_TYPES[k])) return true;
    return false;
}

static const char *type_at(const void *ctx, int i) {
    (void)ctx;
    if (i < RH_N_KIND) return RH_KINDS[i]->model ? RH_KINDS[i]->model : "";
    return i - RH_N_KIND < RH_COUNT(OTHER_TYPES) ? OTHER_TYPES[i - RH_N_KIND] : NULL;
}

static bool unknown_type(rh_reader *rd, rh_tok type) {
    char word[32], hint[64] = "";
    snprintf(word, sizeof(word), "%.*s", type.n < 30 ? type.n : 30, type.s);
    const char *near = rh_suggest(word, type_at, NULL);
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_bad(rd, 129, rh_tok_loc(rd, type), near ? hint : NULL, "model type '%s' is not known", RH_SHOW(type));
}

/* What is kept must be printable as it is: values are plain words, no expressions and nothing a shell could run. */
static bool kept_text(rh_reader *rd, rh_cursor *c) {
    for (int ch; (ch = rh_skip_separators(rd, c)) != 0;) {
        if (ch == '=') {
            c->at++;
            continue;
        }
        if (ch == '{' || ch == '\'')
            return rh_bad(rd, 129, rh_cursor_loc(rd, c), "write the number",
                          "expressions are not supported in a .model of this type");
        if (!rh_check_name(rd, rh_lex_word(c), "model parameter")) return false;
    }
    return true;
}

void rh_model_card(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line) {
    rh_def *d = rd->def;
    if (rh_skip(rd, c) == 0) {
        rh_bad(rd, 8, rh_tok_loc(rd, card), "write .model name type(...)", ".model needs a name and a type");
        return;
    }
    const rh_tok name = rh_lex_word(c);
    if (!rh_check_name(rd, name, "model")) return;
    if (rh_skip_separators(rd, c) == 0) {
        rh_bad(rd, 8, rh_tok_loc(rd, name), "write .model name type(...)", "model '%s' has no type", RH_SHOW(name));
        return;
    }
    const rh_tok type = rh_lex_word(c);
    const int old = rh_lookup(d->model_map, name);
    const bool used = rh_kind_of_model(type.s, (size_t)type.n) >= 0;
    bool ok = used || (other_type(type) ? kept_text(rd, c) : unknown_type(rd, type));
    if (!ok && rd->fatal) return;
    if (old >= 0) {
        const rh_card *b = &d->models.card[old];
        if (ok) rh_twice(rd, name, "model", (rh_place){ .file = b->file, .line = b->line });
        return;
    }
    rh_card copy = *line;
    copy.bad = !ok; /* elements that name it say nothing more */
    rh_push_card(rd, &d->models, copy);
    rh_enter(rd, &d->model_map, name, d->models.n - 1);
}

/* ---- parameters ---- */

enum { MOST_LISTED = 16 }; /* names in one message */

typedef struct model_reader {
    rh_reader *rd;
    const rh_frame *f;
    rh_cursor c;
    rh_tok name;
    rh_tok word; /* the variant */
    const rh_kind *kind;
    double par[RH_KIND_PAR];
    bool given[RH_KIND_PAR];
    rh_untold untold;
    rh_buf rest; /* of the card, printed again */
} model_reader;

/* Warnings about a card come once, not for each instance. */
static bool first_time(rh_reader *rd, rh_tok t) {
    char key[64];
    const int n = snprintf(key, sizeof(key), "model %d %d %d", t.file, t.line, t.col);
    const char *const copy = rh_pool_strndup(rd->pool, key, (size_t)n);
    return copy ? rh_first(rd, copy) : rh_no_memory(rd);
}

static bool listed(const char *const *names, rh_tok t) {
    for (; names && *names; names++)
        if (rh_word_is(t, *names)) return true;
    return false;
}

static const char *par_at(const void *ctx, int i) {
    const rh_kind *const kind = ctx;
    if (i < kind->n_par) return kind->par[i].of == RH_OF_MODEL ? kind->par[i].name : "";
    return i == kind->n_par ? "level" : NULL;
}

static bool par_named(const rh_par *p, rh_par_of of, rh_tok t) {
    return p->of == of && (rh_word_is(t, p->name) || (p->also && rh_word_is(t, p->also)));
}

/* Does the kind that the card alone would make know it? A variant is for rheo, the card for other programs. */
static bool known_to_base(const rh_kind *kind, rh_tok t) {
    const int at = kind->variant ? rh_kind_of_model(kind->model, strlen(kind->model)) : -1;
    if (at < 0) return false; /* no variant, or one of a type that is nothing without */
    const rh_kind *const base = RH_KINDS[at];
    for (int k = 0; k < base->n_par; k++)
        if (par_named(&base->par[k], RH_OF_MODEL, t)) return true;
    return listed(base->idle, t) || listed(base->charge, t) || listed(base->absent, t);
}

/* Adds the name to a list that is said when an element uses the model. */
static bool list_par(model_reader *m, rh_names *names, rh_tok t) {
    rh_buf b = { 0 };
    rh_buf_printf(&b, "%s%s'%s'", names->n ? names->list : "", names->n ? ", " : "", RH_SHOW(t));
    if (names->n++ == 0) names->first = t;
    if (names->n <= MOST_LISTED && !b.bad) names->list = rh_pool_strndup(m->rd->pool, b.s, b.n);
    const bool ok = !b.bad && names->list;
    rh_buf_free(&b);
    return ok || rh_no_memory(m->rd);
}

static bool unknown_par(model_reader *m, rh_tok t) {
    char word[48];
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *const near = rh_suggest(word, par_at, m->kind);
    if (near && !list_par(m, &m->untold.near, (rh_tok){ .s = near, .n = (int)strlen(near) })) return false;
    return list_par(m, &m->untold.unknown, t);
}

static bool level(model_reader *m, rh_tok at, double x) {
    if (x == 1) return true;
    char text[32];
    return rh_bad(m->rd, 139, rh_tok_loc(m->rd, at), "co-simulate such models in ngspice itself",
                  "level %s of model '%s' is not known: rheo computes level 1", rh_number_text(x, text),
                  RH_SHOW(m->name));
}

bool rh_par_in_range(rh_reader *rd, const rh_par *p, rh_tok at, double x) {
    char min[32], max[32], got[32], hint[120];
    const char *const unit = strcmp(p->unit, "1") ? p->unit : "";
    if (x >= p->min && x <= p->max) return true;
    snprintf(hint, sizeof(hint), "it may be %s to %s%s%s", rh_number_text(p->min, min), rh_number_text(p->max, max),
             *unit ? " " : "", unit);
    return rh_bad(rd, 138, rh_tok_loc(rd, at), hint, "the %s, %s, cannot be %s", p->meaning, p->name,
                  rh_number_text(x, got));
}

static bool take_par(model_reader *m, rh_tok t, rh_tok value, double x) {
    rh_reader *rd = m->rd;
    for (int k = 0; k < m->kind->n_par; k++) {
        const rh_par *const p = &m->kind->par[k];
        if (!par_named(p, RH_OF_MODEL, t)) continue;
        if (m->given[k]) return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "'%s' is given twice", RH_SHOW(t));
        m->given[k] = true;
        m->par[k] = x;
        return rh_par_in_range(rd, p, value, x);
    }
    if (rh_word_is(t, "level")) return level(m, value, x);
    rh_buf_printf(&m->rest, "%s%.*s=", m->rest.n ? " " : "", t.n, t.s);
    rh_buf_number(&m->rest, x);
    if (known_to_base(m->kind, t)) return true;
    if (listed(m->kind->idle, t) || listed(m->kind->charge, t)) return list_par(m, &m->untold.idle, t);
    if (!listed(m->kind->absent, t)) return unknown_par(m, t);
    return x == 0 || list_par(m, &m->untold.absent, t);
}

/* Words such as the name of a maker, which no number follows. */
static bool text_value(model_reader *m, rh_tok t) {
    if (!rh_word_is(t, "mfg") && !rh_word_is(t, "type")) return false;
    rh_skip(m->rd, &m->c);
    rh_lex_word(&m->c);
    if (rh_first(m->rd, "makers of models")) rh_leave_out(m->rd, "makers and types of models");
    return true;
}

static bool parameters(model_reader *m) {
    rh_reader *rd = m->rd;
    while (rh_skip_separators(rd, &m->c) != 0) {
        const rh_tok t = rh_lex_word(&m->c);
        rh_tok value;
        double x;
        if (!rh_check_name(rd, t, "model parameter")) return false;
        if (!rh_lex_equals(rd, &m->c))
            return rh_bad(rd, 26, rh_tok_loc(rd, t), "write name=value", "'=' is missing after parameter '%s'",
                          RH_SHOW(t));
        if (text_value(m, t)) continue;
        if (rh_skip(rd, &m->c) == 0 || rh_skip(rd, &m->c) == ')')
            return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "parameter '%s' has no value", RH_SHOW(t));
        if (!rh_lex_value(rd, &m->c, m->f, 0, &x, &value) || !take_par(m, t, value, x)) return false;
    }
    return true;
}

/* The kind of element that may name a model of that type once a variant is chosen. */
static int kind_by_variant(rh_tok type) {
    for (int k = 0; k < RH_N_KIND; k++)
        if (RH_KINDS[k]->optional && rh_word_is(type, RH_KINDS[k]->optional)) return k;
    return -1;
}

static const char *type_of(const rh_kind *kind) { return kind->model ? kind->model : kind->optional; }

/* Opens the card behind its type. */
static int open_card(rh_reader *rd, const rh_card *card, rh_cursor *c, rh_tok *name) {
    *c = rh_cursor_at(rd, card, false);
    rh_skip(rd, c);
    rh_lex_word(c);
    rh_skip(rd, c);
    *name = rh_lex_word(c);
    rh_skip_separators(rd, c);
    const rh_tok type = rh_lex_word(c);
    const int kind = rh_kind_of_model(type.s, (size_t)type.n);
    return kind < 0 ? kind_by_variant(type) : kind;
}

/* ---- variants: *@ model NAME word name=value ---- */

static const char *variant_at(const void *ctx, int i) {
    const rh_kind *const base = ctx;
    if (i >= RH_N_KIND) return NULL;
    const bool same = RH_KINDS[i]->variant && !strcmp(RH_KINDS[i]->model, type_of(base));
    return same ? RH_KINDS[i]->variant : "";
}

static bool unknown_variant(model_reader *m, rh_tok t) {
    char word[48], hint[120] = "known:";
    size_t n = strlen(hint);
    for (int k = 0; k < RH_N_KIND && n + 30 < sizeof(hint); k++)
        if (*variant_at(m->kind, k)) n += (size_t)snprintf(hint + n, sizeof(hint) - n, " %s", variant_at(m->kind, k));
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *near = rh_suggest(word, variant_at, m->kind);
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_bad(m->rd, 143, rh_tok_loc(m->rd, t), hint, "models of type %s have no variant '%s'", type_of(m->kind),
                  RH_SHOW(t));
}

static const char *setting_at(const void *ctx, int i) {
    const rh_kind *const kind = ctx;
    if (i >= kind->n_par) return NULL;
    return kind->par[i].of == RH_OF_VARIANT ? kind->par[i].name : "";
}

static bool setting(model_reader *m, rh_cursor *c, rh_tok t) {
    rh_reader *rd = m->rd;
    char word[48], hint[100] = "";
    rh_tok value;
    double x;
    for (int k = 0; k < m->kind->n_par; k++) {
        const rh_par *const p = &m->kind->par[k];
        if (!par_named(p, RH_OF_VARIANT, t)) continue;
        if (m->given[k]) return rh_bad(rd, 25, rh_tok_loc(rd, t), NULL, "'%s' is given twice", RH_SHOW(t));
        if (rh_skip(rd, c) == 0) return rh_bad(rd, 25, rh_tok_loc(rd, t), NULL, "'%s=' has no value", RH_SHOW(t));
        if (!rh_lex_value(rd, c, m->f, 0, &x, &value) || !rh_par_in_range(rd, p, value, x)) return false;
        m->given[k] = true;
        m->par[k] = x;
        return true;
    }
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *near = rh_suggest(word, setting_at, m->kind);
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_bad(rd, 123, rh_tok_loc(rd, t), near ? hint : "others stand on the .model card",
                  "'*@ model' with %s has no setting '%s'", m->kind->variant, RH_SHOW(t));
}

/* Opens the line behind its name; false and a message if there is none. */
static bool open_variant(rh_reader *rd, const rh_card *card, rh_cursor *c, rh_tok *name) {
    *c = rh_cursor_at(rd, card, true);
    rh_skip(rd, c);
    c->at += 2;
    rh_skip(rd, c);
    const rh_tok word = rh_lex_word(c);
    if (rh_skip(rd, c) == 0)
        return rh_bad(rd, 25, rh_tok_loc(rd, word), "write *@ model NAME variant", "'*@ model' names no model");
    *name = rh_lex_word(c);
    return true;
}

static bool read_variant(model_reader *m, const rh_card *card, int *kind) {
    rh_reader *rd = m->rd;
    rh_cursor c;
    rh_tok name;
    if (!open_variant(rd, card, &c, &name)) return false;
    if (rh_skip(rd, &c) == 0)
        return rh_bad(rd, 25, rh_tok_loc(rd, name), "write *@ model NAME variant", "no variant is named for '%s'",
                      RH_SHOW(name));
    const rh_tok word = rh_lex_word(&c);
    char text[48];
    snprintf(text, sizeof(text), "%.*s", word.n < 40 ? word.n : 40, word.s);
    *kind = rh_kind_variant(*kind, text);
    if (*kind < 0) return unknown_variant(m, word);
    m->kind = RH_KINDS[*kind];
    for (int k = 0; k < m->kind->n_par; k++) m->par[k] = m->kind->par[k].def;
    m->word = word;
    const bool table = m->kind->flags & RH_TABLE;
    rd->n_point = 0;
    for (int ch; (ch = rh_skip_separators(rd, &c)) != 0;) {
        if (table && rh_starts_value(ch)) {
            if (!rh_table_read_points(rd, &c, m->f)) return false;
            continue;
        }
        const rh_tok t = rh_lex_word(&c);
        if (!rh_check_name(rd, t, "setting")) return false;
        if (!rh_lex_equals(rd, &c))
            return rh_bad(rd, 25, rh_tok_loc(rd, t), "write name=value", "'%s' is not expected here", RH_SHOW(t));
        if (table && rh_word_is(t, "file") ? !rh_table_read_file(rd, &c, t) : !setting(m, &c, t)) return false;
    }
    return true;
}

static bool has_room(model_reader *m) {
    char on[32], off[32];
    if (!(m->kind->flags & RH_STATE) || m->par[RH_RON] < m->par[RH_ROFF]) return true;
    return rh_bad(m->rd, 138, rh_tok_loc(m->rd, m->word), NULL,
                  "the roff of a memristor must be above its ron, but %s is not above %s",
                  rh_number_text(m->par[RH_ROFF], off), rh_number_text(m->par[RH_RON], on));
}

/* The line that chooses a variant of this model, in the same definition. */
static bool choose_variant(model_reader *m, int *kind) {
    rh_reader *rd = m->rd;
    const rh_list *const lines = &m->f->def->variants;
    const rh_card *found = NULL;
    for (int k = 0; k < lines->n && rd->has_version; k++) {
        rh_cursor c;
        rh_tok name;
        if (lines->card[k].bad || !open_variant(rd, &lines->card[k], &c, &name) || !rh_same_word(name, m->name))
            continue;
        if (found) return rh_twice(rd, name, "variant of", (rh_place){ .file = found->file, .line = found->line });
        found = &lines->card[k];
    }
    return !found || (read_variant(m, found, kind) && has_room(m));
}

/* Lines about models that are not there. */
static void check_variants(rh_reader *rd) {
    for (int d = 0; d < rd->n_def && rd->has_version; d++)
        for (int k = 0; k < rd->defs[d]->variants.n && !rh_stop(rd); k++) {
            rh_cursor c;
            rh_tok name, own;
            rh_card *const card = &rd->defs[d]->variants.card[k];
            card->bad = true;
            if (!open_variant(rd, card, &c, &name)) continue;
            const int model = rh_lookup(rd->defs[d]->model_map, name);
            if (model < 0) {
                rh_bad(rd, 135, rh_tok_loc(rd, name), "a variant stands beside its .model card",
                       "model '%s' is not defined here", RH_SHOW(name));
                continue;
            }
            const bool used = open_card(rd, &rd->defs[d]->models.card[model], &c, &own) >= 0;
            card->bad = !used && !rh_bad(rd, 143, rh_tok_loc(rd, name), NULL, "models of this type have no variants");
        }
}

/* ---- what is not computed ---- */

static bool remember_untold(rh_reader *rd, int model, const model_reader *m) {
    const int n = model + 1;
    if (!rh_grow(&rd->untold, &rd->cap_untold, n, sizeof(*rd->untold))) return rh_no_memory(rd);
    while (rd->n_untold < n) rd->untold[rd->n_untold++] = (rh_untold){ .model = { .n = 0 } };
    if (rd->untold[model].model.n) return true; /* that of another instance */
    rd->untold[model] = m->untold;
    rd->untold[model].model = m->name;
    rd->untold[model].kind = rh_builder_model_kind(rd->b, model);
    return true;
}

static void tell_unknown(rh_reader *rd, const rh_untold *u) {
    char hint[100] = "", more[32] = "";
    const rh_names *const p = &u->unknown;
    if (u->near.n) snprintf(hint, sizeof(hint), "did you mean %s?", u->near.list);
    if (p->n > MOST_LISTED) snprintf(more, sizeof(more), " and %d more", p->n - MOST_LISTED);
    rh_report_warning(&rd->rep, 137, rh_tok_loc(rd, p->first), u->near.n ? hint : NULL,
                      p->n == 1 ? "models of type %s have no parameter %s%s: it is not used"
                                : "models of type %s have no parameters %s%s: they are not used",
                      type_of(RH_KINDS[u->kind]), p->list, more);
}

static void tell_absent(rh_reader *rd, const rh_untold *u) {
    char hint[160], more[32] = "", name[48];
    const rh_names *const p = &u->absent;
    const bool breaks = RH_KINDS[u->kind]->letter == 'D' && strstr(p->list, "'bv'");
    rh_show(u->model, name);
    if (breaks)
        snprintf(
            hint, sizeof(hint),
            "a measured table has the breakdown: *@ model %s table file=FILE.csv; other forms: ideal, antiparallel",
            name);
    if (p->n > MOST_LISTED) snprintf(more, sizeof(more), " and %d more", p->n - MOST_LISTED);
    rh_report_warning(&rd->rep, 140, rh_tok_loc(rd, p->first), breaks ? hint : NULL,
                      p->n == 1 ? "%s%s of model '%s' changes currents in other programs, but rheo does not use it"
                                : "%s%s of model '%s' change currents in other programs, but rheo does not use them",
                      p->list, more, name);
}

/* Once for each card that an element names. */
static void tell_untold(rh_reader *rd, int model) {
    const rh_untold *const u = model >= 0 && model < rd->n_untold ? &rd->untold[model] : NULL;
    if (!u || !u->model.n || !first_time(rd, u->model)) return;
    if (u->unknown.n) tell_unknown(rd, u);
    if (u->absent.n) tell_absent(rd, u);
    if (u->idle.n && rh_first(rd, "idle model parameter"))
        rh_note(rd, 105, rh_tok_loc(rd, u->idle.first), "'%s' and the like say nothing about direct current: not used",
                RH_SHOW(u->idle.first));
}

/* ---- models of an instance ---- */

bool rh_models_open(rh_reader *rd, rh_frame *f) {
    const int n = f->def->models.n;
    f->model0 = rd->n_model;
    if (n > INT32_MAX - rd->n_model || !rh_grow(&rd->model, &rd->cap_model, rd->n_model + n, sizeof(*rd->model)))
        return rh_no_memory(rd);
    for (int k = 0; k < n; k++) rd->model[rd->n_model++] = RH_MODEL_NEW;
    return true;
}

/* A table goes behind the parameters. */
static bool packed(model_reader *m) {
    return !(m->kind->flags & RH_TABLE) || rh_table_pack(m->rd, m->par, m->kind->n_par, m->word);
}

static int evaluate_with(model_reader *m, rh_card *card) {
    rh_reader *const rd = m->rd;
    int kind = open_card(rd, card, &m->c, &m->name);
    if (kind < 0 || card->bad) return RH_MODEL_BAD;
    m->kind = RH_KINDS[kind];
    for (int k = 0; k < m->kind->n_par; k++) m->par[k] = m->kind->par[k].def;
    const bool chosen = choose_variant(m, &kind);
    if (chosen && !m->kind->model) return RH_MODEL_PLAIN;
    if (!chosen || !parameters(m) || !packed(m)) {
        card->bad = true;
        return RH_MODEL_BAD;
    }
    if (m->rest.bad) {
        rh_no_memory(rd);
        return RH_MODEL_BAD;
    }
    const double *const par = m->kind->flags & RH_TABLE ? rd->arg : m->par;
    const int model = rh_builder_model_card(rd->b, m->name.s, (size_t)m->name.n, kind, par, m->rest.s);
    if (model < 0) rh_no_memory(rd);
    return model < 0 || !remember_untold(rd, model, m) ? RH_MODEL_BAD : model;
}

static int evaluate(rh_reader *rd, const rh_frame *f, rh_card *card) {
    model_reader m = { .rd = rd, .f = f };
    const int model = evaluate_with(&m, card);
    rh_buf_free(&m.rest);
    return model;
}

static const rh_frame *frame_of(const rh_frame *f, rh_tok name, int *k) {
    for (; f; f = f->up)
        if ((*k = rh_lookup(f->def->model_map, name)) >= 0) return f;
    return NULL;
}

bool rh_model_exists(const rh_frame *f, rh_tok name) {
    int unused;
    return frame_of(f, name, &unused) != NULL;
}

typedef struct model_list {
    rh_reader *rd;
    const rh_frame *f;
} model_list;

static const char *model_at(const void *ctx, int i) {
    const model_list *const l = ctx;
    for (const rh_frame *f = l->f; f; i -= f->def->models.n, f = f->up) {
        if (i >= f->def->models.n) continue;
        rh_cursor c;
        rh_tok name;
        open_card(l->rd, &f->def->models.card[i], &c, &name);
        return i < 1000 ? rh_pool_strndup(l->rd->pool, name.s, (size_t)(name.n < 60 ? name.n : 60)) : NULL;
    }
    return NULL;
}

static int unknown_model(rh_reader *rd, const rh_frame *f, rh_tok name, char letter) {
    char word[48], hint[100], types[48] = "";
    size_t n = 0;
    for (int k = 0; k < RH_N_KIND; k++)
        if (RH_KINDS[k]->letter == letter && RH_KINDS[k]->model && !RH_KINDS[k]->variant)
            n += (size_t)snprintf(types + n, sizeof(types) - n, "%s%s", n ? " or " : "", RH_KINDS[k]->model);
    const model_list l = { rd, f };
    snprintf(word, sizeof(word), "%.*s", name.n < 40 ? name.n : 40, name.s);
    const char *near = rh_suggest(word, model_at, &l);
    if (near)
        snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    else
        snprintf(hint, sizeof(hint), "write .model %s %s(...)", word, types);
    rh_bad(rd, 135, rh_tok_loc(rd, name), hint, "model '%s' is not defined", RH_SHOW(name));
    return -1;
}

static int wrong_kind(rh_reader *rd, const rh_card *card, rh_tok name, char letter) {
    rh_cursor c;
    rh_tok own;
    char hint[200];
    open_card(rd, card, &c, &own);
    snprintf(hint, sizeof(hint), "it is defined at %s:%d", rd->src[card->file]->name, card->line);
    rh_bad(rd, 136, rh_tok_loc(rd, name), hint, "model '%s' is not for elements %c", RH_SHOW(name), letter);
    return -1;
}

int rh_model_of(rh_reader *rd, const rh_frame *f, rh_tok name, char letter) {
    int k;
    const rh_frame *const at = frame_of(f, name, &k);
    if (!at) return unknown_model(rd, f, name, letter);
    rh_card *const card = &at->def->models.card[k];
    rh_cursor c;
    rh_tok own;
    const int kind = open_card(rd, card, &c, &own);
    if (card->bad) return -1;
    if (kind < 0 || RH_KINDS[kind]->letter != letter) return wrong_kind(rd, card, name, letter);
    if (rd->model[at->model0 + k] == RH_MODEL_NEW) {
        const int model = evaluate(rd, at, card);
        rd->model[at->model0 + k] = model;
    }
    const int model = rd->model[at->model0 + k];
    tell_untold(rd, model);
    return model == RH_MODEL_BAD ? -1 : model;
}

static void keep(rh_reader *rd, const rh_card *card) {
    rh_cursor c = rh_cursor_at(rd, card, false);
    rh_buf *out = &rd->scratch;
    out->n = 0;
    for (int ch; (ch = rh_skip(rd, &c)) != 0;) { /* one line, single blanks, no comments */
        const rh_tok t = ch == '=' || ch == '(' || ch == ')' || ch == ','
                             ? (c.at++, (rh_tok){ .s = c.text + c.at - 1, .n = 1 })
                             : rh_lex_word(&c);
        if (out->n && ch != '=' && out->s[out->n - 1] != '=') rh_buf_add(out, " ", 1);
        rh_buf_add(out, t.s, (size_t)t.n);
    }
    if (out->bad || rh_builder_keep(rd->b, out->s, out->n) != RHEO_OK) rh_no_memory(rd);
}

void rh_models_keep(rh_reader *rd, const rh_frame *f) {
    check_variants(rd);
    for (int k = 0; k < f->def->models.n && !rh_stop(rd); k++) {
        rh_card *const card = &f->def->models.card[k];
        rh_cursor c;
        rh_tok name;
        if (card->bad) continue;
        if (open_card(rd, card, &c, &name) >= 0) rd->model[f->model0 + k] = evaluate(rd, f, card);
        if (open_card(rd, card, &c, &name) < 0 || rd->model[f->model0 + k] == RH_MODEL_PLAIN) keep(rd, card);
    }
}
