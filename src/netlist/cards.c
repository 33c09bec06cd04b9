/* cards.c: element cards. What a card may carry besides its nodes is written down in tables. */
#include "element/memristor.h"
#include "netlist/netlist.h"

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

/* ---- parameters on a card ---- */

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

typedef struct card_reader {
    rh_reader *rd;
    const rh_frame *f;
    rh_cursor c;
    rh_tok name, last; /* last: the node read last */
    rh_tok sensed;     /* F and H: the source */
    const rh_kind *kind;
    int kind_at, model; /* index of kind; model in the builder, -1: none */
    char letter;
    bool has_value, has_wave;
    bool has_par[RH_KIND_PAR];
    double par[RH_KIND_PAR]; /* of a kind with a model */
    double value, ic;        /* ic NaN: not given */
    rh_wave wave;            /* its points and parameters are in rd->arg */
} card_reader;

static bool take_value(card_reader *k) {
    const unsigned flags = k->letter == 'C' ? RH_LEX_FARAD : 0;
    k->has_value = true;
    return rh_lex_value(k->rd, &k->c, k->f, flags, &k->value, NULL);
}

static bool unknown_par(card_reader *k, rh_tok t) {
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
static bool own_par(card_reader *k, int j, rh_tok t) {
    rh_reader *rd = k->rd;
    const rh_par *const p = &k->kind->par[j];
    rh_tok value;
    if (k->has_par[j]) return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "'%s' is given twice", p->name);
    k->has_par[j] = true;
    return rh_lex_value(rd, &k->c, k->f, 0, &k->par[j], &value) && rh_par_in_range(rd, p, value, k->par[j]);
}

/* The cursor stands behind the '='. */
static bool instance_par(card_reader *k, rh_tok t) {
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
    if (p->role == UNUSED && rh_first(rd, p->name))
        rh_note(rd, 105, rh_tok_loc(rd, t), "'%s' is not used by rheo", p->name);
    return true;
}

/* The model of a resistor: it may make a memristor of it, or say nothing to rheo. */
static bool optional_model(card_reader *k, rh_tok t) {
    const int model = rh_model_of(k->rd, k->f, t, k->letter);
    if (model >= 0) k->model = model;
    if (model == RH_MODEL_PLAIN && rh_first(k->rd, "model on an element"))
        rh_note(k->rd, 105, rh_tok_loc(k->rd, t), "models of R and C are not used by rheo");
    return model != -1;
}

/* A word without '=': the name of a model on R and C, which says nothing more to rheo. */
static bool bare_word(card_reader *k, rh_tok t, const rh_cursor *before) {
    rh_reader *rd = k->rd;
    if (k->model < 0 && k->kind->optional && rh_model_exists(k->f, t)) return optional_model(k, t);
    if (k->model >= 0) {
        k->c = *before;
        rh_unexpected(rd, &k->c, "after the model");
        return false;
    }
    for (const rh_def *d = k->f->def; d; d = d->up)
        if ((k->letter == 'R' || k->letter == 'C') && rh_lookup(d->model_map, t) >= 0) {
            if (rh_first(rd, "model on an element"))
                rh_note(rd, 105, rh_tok_loc(rd, t), "models of R and C are not used by rheo");
            return true;
        }
    k->c = *before;
    if (!k->has_value) return take_value(k); /* says what is wrong with it */
    char after[64];
    snprintf(after, sizeof(after), "after the %s", k->kind->value_name);
    rh_unexpected(rd, &k->c, after);
    return false;
}

/* Value and parameters of R, C, E and G. */
static bool plain_values(card_reader *k) {
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
        if (rh_lex_equals(k->rd, &k->c) ? !instance_par(k, t) : !bare_word(k, t, &before)) return false;
    }
    return true;
}

/* Q with a fourth node: the word in place of the model is none, but the next one is. */
static bool has_substrate(card_reader *k, rh_tok name) {
    rh_cursor peek = k->c;
    if (k->letter != 'Q' || rh_model_exists(k->f, name) || rh_skip_separators(k->rd, &peek) == 0) return false;
    return rh_model_exists(k->f, rh_lex_word(&peek));
}

/* Model, area and parameters of D, M, Q and S. */
static bool model_values(card_reader *k) {
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
            if (!instance_par(k, word)) return false;
        } else if (rh_word_is(word, "off") || (k->letter == 'S' && rh_word_is(word, "on"))) {
            if (rh_first(rd, "off")) rh_note(rd, 105, rh_tok_loc(rd, word), "'%s' is not used by rheo", RH_SHOW(word));
        } else {
            k->c = before;
            rh_unexpected(rd, &k->c, "after the model");
            return false;
        }
    }
    return true;
}

/* ---- sources ---- */

/* Arguments of a function of time, as messages call them. */
typedef struct source_par {
    const char *name;
    bool is_time; /* or a frequency: not below 0 */
} source_par;

/* clang-format off */
static const struct source_function {
    const char *name;
    rh_wave_kind kind;
    int least, most; /* arguments; most 0: any even number */
    source_par par[8];
} FUNCTIONS[] = {
    { "pulse", RH_WAVE_PULSE, 2, 8,
      { { "V1", false }, { "V2", false }, { "delay", true }, { "rise time", true }, { "fall time", true },
        { "width", true }, { "period", true }, { "phase", false } } },
    { "sin", RH_WAVE_SIN, 2, 6,
      { { "VO", false }, { "VA", false }, { "frequency", true }, { "delay", true }, { "damping", false },
        { "phase", false } } },
    { "exp", RH_WAVE_EXP, 2, 6,
      { { "V1", false }, { "V2", false }, { "first delay", true }, { "first time constant", true },
        { "second delay", true }, { "second time constant", true } } },
    { "pwl", RH_WAVE_PWL, 2, 0, { { NULL, false } } },
};
/* clang-format on */

static const struct source_function *source_function(rh_tok t) {
    for (int j = 0; j < RH_COUNT(FUNCTIONS); j++)
        if (rh_word_is(t, FUNCTIONS[j].name)) return &FUNCTIONS[j];
    return NULL;
}

static bool function_count(card_reader *k, rh_tok t, const struct source_function *fn, int n) {
    const bool wrong = n < fn->least || (fn->most ? n > fn->most : n % 2 != 0);
    if (!wrong) return true;
    char want[48];
    if (fn->most)
        snprintf(want, sizeof(want), "%d to %d values", fn->least, fn->most);
    else
        snprintf(want, sizeof(want), "pairs of time and value");
    return rh_bad(k->rd, 128, rh_tok_loc(k->rd, t), NULL, "'%s' takes %s, not %d", RH_SHOW(t), want, n);
}

static bool pwl_argument(card_reader *k, rh_tok at, int n) {
    rh_reader *rd = k->rd;
    const double *const x = rd->arg;
    if (n % 2) return true;
    if (!(x[n] >= 0)) return rh_bad(rd, 360, rh_tok_loc(rd, at), NULL, "times of PWL must not be below 0");
    return n == 0 || x[n] > x[n - 2] ||
           rh_bad(rd, 361, rh_tok_loc(rd, at), "write a short ramp where the value jumps",
                  "times of PWL must rise, but %g s follows %g s", x[n], x[n - 2]);
}

/* Can argument n be? */
static bool argument(card_reader *k, const struct source_function *fn, rh_tok at, int n) {
    rh_reader *rd = k->rd;
    const double x = rd->arg[n];
    if (fn->kind == RH_WAVE_PWL) return pwl_argument(k, at, n);
    if (n >= fn->most) return true; /* too many: said at the end */
    if (fn->par[n].is_time && !(x >= 0))
        return rh_bad(rd, 360, rh_tok_loc(rd, at), NULL, "the %s of %s must not be below 0", fn->par[n].name,
                      RH_WAVE_NAMES[fn->kind]);
    if (fn->kind == RH_WAVE_PULSE && n == 5 && x == 0)
        return rh_bad(rd, 360, rh_tok_loc(rd, at), "write a short width, or leave it out for a step",
                      "a width of 0 is none in some programs and endless in others");
    if (fn->kind == RH_WAVE_PULSE && n == 7 && x != 0)
        return rh_bad(rd, 360, rh_tok_loc(rd, at), "leave it out",
                      "the eighth value of PULSE is a phase in some programs and a number of pulses in others");
    if (fn->kind == RH_WAVE_EXP && n == 4 && x != 0 && !(x >= rd->arg[2]))
        return rh_bad(rd, 360, rh_tok_loc(rd, at), NULL, "the second delay of EXP must not be below the first");
    return true;
}

static bool pulse_fits(card_reader *k, rh_tok t) {
    const rh_wave *const w = &k->wave;
    if (w->kind != RH_WAVE_PULSE || w->n_par < 7 || w->par[6] == 0 || rh_wave_fits(w)) return true;
    return rh_bad(k->rd, 360, rh_tok_loc(k->rd, t), "rise time, width and fall time must fit into the period",
                  "the period of PULSE is %g s, but its parts take %g s", w->par[6], w->par[3] + w->par[4] + w->par[5]);
}

static bool keep_function(card_reader *k, rh_tok t, const struct source_function *fn, double *at_zero) {
    rh_wave *const w = &k->wave;
    const double *const x = k->rd->arg;
    const int n = k->rd->n_arg;
    *w = (rh_wave){ .kind = fn->kind };
    k->has_wave = true;
    if (fn->kind == RH_WAVE_PWL) {
        w->n_par = 2;
        w->par[1] = -1;
        w->n_point = n / 2;
    } else {
        w->n_par = n < RH_WAVE_PAR ? n : RH_WAVE_PAR;
        memcpy(w->par, x, (size_t)w->n_par * sizeof(double));
    }
    *at_zero = fn->kind == RH_WAVE_PWL ? x[1] : x[0];
    if (fn->kind == RH_WAVE_SIN && n > 5) *at_zero = x[0] + x[1] * sin(x[5] * (6.283185307179586 / 360));
    return pulse_fits(k, t);
}

/* Reads the values up to ')' or the next word. */
static bool function_values(card_reader *k, rh_tok t, const struct source_function *fn, double *at_zero) {
    rh_reader *rd = k->rd;
    const bool closed = rh_skip(rd, &k->c) == '(';
    rd->n_arg = 0;
    if (closed) k->c.at++;
    for (int ch; (ch = rh_skip(rd, &k->c)) != 0;) {
        double x;
        if (ch == ',' || (ch == '(' && closed)) {
            k->c.at++;
            continue;
        }
        if (ch == ')' || (!closed && !rh_starts_value(ch))) break;
        rh_tok at = rh_lex_chunk(&k->c);
        const size_t from = k->c.at;
        if (!rh_lex_value(rd, &k->c, k->f, RH_LEX_LIST, &x, NULL)) return false;
        if (k->c.line == at.line) at.n = (int)(k->c.at - from);
        if (rd->n_arg == INT32_MAX || !rh_grow(&rd->arg, &rd->cap_arg, rd->n_arg + 1, sizeof(double)))
            return rh_no_memory(rd);
        rd->arg[rd->n_arg] = x;
        if (!argument(k, fn, at, rd->n_arg++)) return false;
    }
    if (closed && rh_skip(rd, &k->c) != ')')
        return rh_bad(rd, 21, rh_tok_loc(rd, t), NULL, "')' is missing after '%s('", RH_SHOW(t));
    if (closed) k->c.at++;
    return function_count(k, t, fn, rd->n_arg) && keep_function(k, t, fn, at_zero);
}

/* r= and td= of PWL. A repetition begins at a point and meets the value at the end, or the source would jump. */
static bool pwl_setting(card_reader *k, rh_tok t) {
    rh_reader *rd = k->rd;
    const double *const x = rd->arg;
    const int n = rd->n_arg;
    double value;
    if (!rh_lex_value(rd, &k->c, k->f, 0, &value, NULL)) return false;
    if (rh_word_is(t, "td")) {
        k->wave.par[0] = value;
        return value >= 0 || rh_bad(rd, 360, rh_tok_loc(rd, t), NULL, "the delay of PWL must not be below 0");
    }
    if (value == -1) return true; /* does not repeat */
    k->wave.par[1] = value;
    for (int j = 0; j + 2 < n; j += 2)
        if (x[j] == value && x[j + 1] == x[n - 1]) return true;
    return rh_bad(rd, 362, rh_tok_loc(rd, t), "repeat from a point that has the value of the last one",
                  "PWL cannot repeat from %g s without a jump", value);
}

typedef struct source {
    bool has_dc, has_ac, has_fn;
    double dc, fn;
} source;

static bool source_ac(card_reader *k, rh_tok t, source *s) {
    double unused;
    s->has_ac = true;
    rh_lex_equals(k->rd, &k->c);
    for (int n = 0; n < 2 && rh_starts_value(rh_skip(k->rd, &k->c)); n++)
        if (!rh_lex_value(k->rd, &k->c, k->f, 0, &unused, NULL)) return false;
    if (rh_first(k->rd, "ac source"))
        rh_note(k->rd, 105, rh_tok_loc(k->rd, t), "the AC part of sources is not used by rheo");
    return true;
}

static bool source_dc(card_reader *k, source *s) {
    if (s->has_dc) {
        rh_unexpected(k->rd, &k->c, "after the DC value");
        return false;
    }
    s->has_dc = true;
    return rh_lex_value(k->rd, &k->c, k->f, 0, &s->dc, NULL);
}

static bool source_word(card_reader *k, source *s) {
    rh_reader *rd = k->rd;
    const rh_cursor before = k->c;
    const rh_tok t = rh_lex_word(&k->c);
    const struct source_function *fn = source_function(t);
    if (rh_word_is(t, "dc")) {
        rh_lex_equals(rd, &k->c);
        if (rh_skip(rd, &k->c) == 0) return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "'%s' has no value", RH_SHOW(t));
        return source_dc(k, s);
    }
    if (rh_word_is(t, "ac")) return source_ac(k, t, s);
    if (fn && rh_word_is(t, "pwl") && (rh_skip(rd, &k->c) | 0x20) == 'f')
        return rh_bad(rd, 128, rh_tok_loc(rd, t), "write the pairs of time and value",
                      "PWL from a file is not supported");
    if (fn && !s->has_fn) {
        s->has_fn = true;
        return function_values(k, t, fn, &s->fn);
    }
    if (rh_lex_equals(rd, &k->c)) {
        if (k->has_wave && k->wave.kind == RH_WAVE_PWL && (rh_word_is(t, "r") || rh_word_is(t, "td")))
            return pwl_setting(k, t);
        return instance_par(k, t);
    }
    k->c = before;
    if ((t.s[0] & 0x80) || t.s[0] == '#')
        return rh_lex_value(rd, &k->c, k->f, 0, &s->dc, NULL); /* says what is wrong with it */
    if (rh_param_exists(k->f, t)) return rh_lex_value(rd, &k->c, k->f, 0, &s->dc, NULL); /* the braces are missing */
    const char *const hint = s->has_dc ? rh_lex_unit_hint(t) : NULL;
    return rh_bad(rd, 128, rh_tok_loc(rd, t), hint ? hint : "known: DC AC PULSE SIN EXP PWL",
                  "'%s' is not known on a source", RH_SHOW(t));
}

static bool source_values(card_reader *k) {
    source s = { 0 };
    for (int ch; (ch = rh_skip_separators(k->rd, &k->c)) != 0;)
        if (rh_starts_value(ch) ? !source_dc(k, &s) : !source_word(k, &s)) return false;
    k->has_value = s.has_dc || s.has_ac || s.has_fn;
    k->value = s.has_dc ? s.dc : s.fn;
    return true;
}

/* ---- the card ---- */

static bool missing(card_reader *k, int n_node) {
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

/* E and G with anything but a constant gain. */
static bool nonlinear_source(card_reader *k, rh_tok t, bool equals) {
    static const char *const WORDS[] = { "table", "laplace", "freq" };
    bool found = t.n > 5 && rh_word_is((rh_tok){ .s = t.s, .n = 5 }, "poly(");
    for (int j = 0; j < RH_COUNT(WORDS); j++) found = found || (equals && rh_word_is(t, WORDS[j]));
    if (!found || !(k->kind->flags & RH_CONTROLLED)) return false;
    char hint[100];
    snprintf(hint, sizeof(hint), "write %cname node node control control %s", k->letter, k->kind->value_name);
    rh_bad(k->rd, 132, rh_tok_loc(k->rd, t), hint, "controlled sources take a number, or value={...} behind two nodes");
    return true;
}

static bool one_node(card_reader *k, int j, int *node) {
    rh_reader *rd = k->rd;
    const int ch = rh_skip_separators(rd, &k->c);
    if (ch == 0) return missing(k, j);
    const rh_tok t = k->last = rh_lex_name(&k->c);
    rh_cursor peek = k->c;
    const bool equals = rh_lex_equals(rd, &peek);
    if (j >= 2 && nonlinear_source(k, t, equals)) return false;
    if (equals) {
        const bool glued = k->c.at < k->c.end && k->c.text[k->c.at] == '=';
        for (int p = 0; p < RH_COUNT(PARS); p++)
            if (PARS[p].letter == k->letter && rh_word_is(t, PARS[p].name)) return missing(k, j);
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

static bool physical(card_reader *k) {
    rh_reader *rd = k->rd;
    const rh_tok full = k->f->n_path ? flatten(rd, k->f, k->name, true) : k->name; /* says which instance it is */
    const rh_loc at = rh_tok_loc(rd, k->name);
    if (!k->has_value) return missing(k, k->kind->n_term);
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

static bool duplicate(rh_reader *rd, rh_tok name, int other) {
    const rh_place p = rh_builder_element_place(rd->b, other);
    char hint[200] = "";
    if (p.line) snprintf(hint, sizeof(hint), "first at %s:%d", rd->src[p.file]->name, p.line);
    return rh_bad(rd, 103, rh_tok_loc(rd, name), hint[0] ? hint : NULL, "element '%s' is defined twice", RH_SHOW(name));
}

/* The points of a PWL are pairs in rd->arg. */
static bool add_wave(card_reader *k, int e) {
    const bool pwl = k->wave.kind == RH_WAVE_PWL;
    return rh_builder_wave(k->rd->b, e, &k->wave, pwl ? (const double(*)[2])(const void *)k->rd->arg : NULL) == RHEO_OK;
}

/* F and H name the source whose current they sense. */
static bool sensed_source(card_reader *k) {
    rh_reader *rd = k->rd;
    if (rh_skip_separators(rd, &k->c) == 0) return missing(k, k->kind->n_term);
    k->sensed = rh_lex_name(&k->c);
    if (rh_word_is(k->sensed, "poly") || (k->sensed.n > 4 && rh_word_is((rh_tok){ .s = k->sensed.s, .n = 5 }, "poly(")))
        return rh_bad(rd, 132, rh_tok_loc(rd, k->sensed), "write the name of one voltage source and a number",
                      "only linear controlled sources are known to this version");
    return rh_check_name(rd, k->sensed, "element");
}

static bool remember_sensed(card_reader *k, int e) {
    rh_reader *rd = k->rd;
    const rh_tok flat = flatten(rd, k->f, k->sensed, true);
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

/* The resistance of a memristor is its state. */
static bool within_states(card_reader *k) {
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

static bool add(card_reader *k, const int *term) {
    rh_reader *rd = k->rd;
    const rh_place place = { .line = k->name.line,
                             .file = (uint16_t)k->name.file,
                             .col = (uint16_t)(k->name.col < 65535 ? k->name.col : 0) };
    const rh_tok flat = flatten(rd, k->f, k->name, true);
    int other = -1;
    if (rd->fatal) return false;
    if (rd->name_bytes > rd->set.max_element * 128)
        return rh_bad_limit(rd, 504, rh_tok_loc(rd, k->name), NULL, "the names inside subcircuits are too long");
    const int e = rh_builder_element(rd->b, k->kind_at, flat.s, term, k->value, place, &other);
    if (e == -1) return rh_no_memory(rd);
    if (e == -2) return duplicate(rd, k->name, other);
    if (k->model >= 0) {
        rh_builder_use_model(rd->b, e, k->model);
        if (k->kind->model && rh_builder_par(rd->b, e, k->par) != RHEO_OK) return rh_no_memory(rd);
    }
    if (k->kind->flags & RH_BY_CURRENT && !remember_sensed(k, e)) return false;
    if (isfinite(k->ic)) rh_builder_elem_ic(rd->b, e, k->ic);
    if (k->has_wave && !add_wave(k, e)) return rh_no_memory(rd);
    if (k->c.sugar) rh_pragma_sugar(rd, k->f, &k->c, e);
    return true;
}

/* ---- expressions ---- */

/* What an expression needs besides its card: elements called letter.name and, from the second on, letter.name#2, ...
 * and nodes called name#v, name#2, ... */
typedef struct beside {
    card_reader *k;
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
    if (e == -2) duplicate(rd, b->k->name, other);
    return e;
}

static bool add_tape(card_reader *k, int e, const double *tape) {
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
        if (e < 0 || !remember_sensed(b->k, e)) return false;
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
    card_reader *const k = b->k;
    const int inner = beside_node(b, "#v"), copy[4] = { out[0], out[1], inner, 0 };
    int term[RH_MAX_TERM] = { 0, inner, -1, -1 };
    double tape[RH_TAPE_MOST];
    if (inner < 0 || !add_parts(b, x, NULL, 0)) return false;
    rh_expression_seat(x, term, tape);
    k->kind_at = k->letter == 'B' ? RH_KIND_B : RH_KIND_E;
    k->value = 1;
    if (!add(k, k->letter == 'B' ? term : copy)) return false;
    if (k->letter == 'B' && !add_tape(k, rh_builder_n_element(k->rd->b) - 1, tape)) return false;
    if (!beside_resistor(b, "", inner)) return false;
    if (k->letter == 'B') return beside_element(b, 'E', "", copy, 1, RH_KIND_E) >= 0;
    return add_tape(k, beside_element(b, 'B', "", term, 1, RH_KIND_B), tape);
}

static bool add_current(beside *b, rh_expression *x, const int *out) {
    card_reader *const k = b->k;
    int term[RH_MAX_TERM] = { out[0], out[1], -1, -1 };
    double tape[RH_TAPE_MOST];
    if (!add_parts(b, x, out, 2)) return false;
    rh_expression_seat(x, term, tape);
    k->kind_at = RH_KIND_B;
    return add(k, term) && add_tape(k, rh_builder_n_element(k->rd->b) - 1, tape);
}

static bool add_expression(card_reader *k, const int *out, bool volts) {
    rh_expression x;
    if (!rh_behave(k->rd, &k->c, k->f, &x)) return false;
    const rh_tok full = flatten(k->rd, k->f, k->name, true);
    beside b = { .k = k, .flat = k->rd->fatal ? NULL : rh_strndup(full.s, (size_t)full.n) };
    if (!b.flat) return rh_no_memory(k->rd);
    const bool ok = add_sensed(&b, &x) && (volts ? add_voltage : add_current)(&b, &x, out);
    rh_free(b.flat);
    return ok;
}

/* B with i= or v=; E and G with value=. */
static bool behavioural(card_reader *k) {
    rh_reader *rd = k->rd;
    int out[2];
    char hint[80];
    snprintf(hint, sizeof(hint),
             k->letter == 'B' ? "write %cname node node i={...} or v={...}" : "write %cname node node value={...}",
             k->letter);
    for (int j = 0; j < 2; j++)
        if (!one_node(k, j, &out[j])) return false;
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
static bool takes_expression(const card_reader *k) {
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

static bool read_card(card_reader *k) {
    int term[4] = { -1, -1, -1, -1 };
    if (!rh_check_name(k->rd, k->name, "element")) return false;
    if (takes_expression(k)) return behavioural(k);
    for (int j = 0; j < k->kind->n_term; j++)
        if (!one_node(k, j, &term[j])) return false;
    if (k->kind->flags & RH_BY_CURRENT && !sensed_source(k)) return false;
    if (k->kind->model ? !model_values(k) : k->kind->flags & RH_SOURCE ? !source_values(k) : !plain_values(k))
        return false;
    return physical(k) && within_states(k) && add(k, term);
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
    card_reader k = { .rd = rd, .f = f, .c = rh_cursor_at(rd, card, false), .model = -1, .ic = NAN };
    if (rh_skip(rd, &k.c) == 0) return; /* nothing but separators or a comment */
    k.name = rh_lex_name(&k.c);
    k.letter = (char)upper((unsigned char)k.name.s[0]);
    const int kind = k.kind_at = rh_kind_of_letter(k.letter);
    if (kind >= 0) k.kind = RH_KINDS[kind];
    if (!card->bad && (kind < 0 ? unknown_letter(rd, k.name) : read_card(&k))) return;
    card->bad = true;
    if (!rd->fatal) rh_remember_failed(rd, flatten(rd, f, k.name, true));
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
