/* cards_source.c: V and I: DC, AC and functions of time. */
#include "netlist/cards.h"

#include <math.h>

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

static bool function_count(rh_card_reader *k, rh_tok t, const struct source_function *fn, int n) {
    const bool wrong = n < fn->least || (fn->most ? n > fn->most : n % 2 != 0);
    if (!wrong) return true;
    char want[48];
    if (fn->most)
        snprintf(want, sizeof(want), "%d to %d values", fn->least, fn->most);
    else
        snprintf(want, sizeof(want), "pairs of time and value");
    return rh_bad(k->rd, 128, rh_tok_loc(k->rd, t), NULL, "'%s' takes %s, not %d", RH_SHOW(t), want, n);
}

static bool pwl_argument(rh_card_reader *k, rh_tok at, int n) {
    rh_reader *rd = k->rd;
    const double *const x = rd->arg;
    if (n % 2) return true;
    if (!(x[n] >= 0)) return rh_bad(rd, 360, rh_tok_loc(rd, at), NULL, "times of PWL must not be below 0");
    return n == 0 || x[n] > x[n - 2] ||
           rh_bad(rd, 361, rh_tok_loc(rd, at), "write a short ramp where the value jumps",
                  "times of PWL must rise, but %g s follows %g s", x[n], x[n - 2]);
}

/* Can argument n be? */
static bool argument(rh_card_reader *k, const struct source_function *fn, rh_tok at, int n) {
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

static bool pulse_fits(rh_card_reader *k, rh_tok t) {
    const rh_wave *const w = &k->wave;
    if (w->kind != RH_WAVE_PULSE || w->n_par < 7 || w->par[6] == 0 || rh_wave_fits(w)) return true;
    return rh_bad(k->rd, 360, rh_tok_loc(k->rd, t), "rise time, width and fall time must fit into the period",
                  "the period of PULSE is %g s, but its parts take %g s", w->par[6], w->par[3] + w->par[4] + w->par[5]);
}

static bool keep_function(rh_card_reader *k, rh_tok t, const struct source_function *fn, double *at_zero) {
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
static bool function_values(rh_card_reader *k, rh_tok t, const struct source_function *fn, double *at_zero) {
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
static bool pwl_setting(rh_card_reader *k, rh_tok t) {
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

static bool source_ac(rh_card_reader *k, rh_tok t, source *s) {
    double unused;
    s->has_ac = true;
    rh_lex_equals(k->rd, &k->c);
    for (int n = 0; n < 2 && rh_starts_value(rh_skip(k->rd, &k->c)); n++)
        if (!rh_lex_value(k->rd, &k->c, k->f, 0, &unused, NULL)) return false;
    if (!rh_first(k->rd, "ac source")) return true;
    rh_note(k->rd, 105, rh_tok_loc(k->rd, t), "the AC part of sources is not used by rheo");
    rh_leave_out(k->rd, "AC parts of sources");
    return true;
}

static bool source_dc(rh_card_reader *k, source *s) {
    if (s->has_dc) {
        rh_unexpected(k->rd, &k->c, "after the DC value");
        return false;
    }
    s->has_dc = true;
    return rh_lex_value(k->rd, &k->c, k->f, 0, &s->dc, NULL);
}

static bool source_word(rh_card_reader *k, source *s) {
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
        return rh_card_par(k, t);
    }
    k->c = before;
    if ((t.s[0] & 0x80) || t.s[0] == '#')
        return rh_lex_value(rd, &k->c, k->f, 0, &s->dc, NULL); /* says what is wrong with it */
    if (rh_param_exists(k->f, t)) return rh_lex_value(rd, &k->c, k->f, 0, &s->dc, NULL); /* the braces are missing */
    const char *const hint = s->has_dc ? rh_lex_unit_hint(t) : NULL;
    return rh_bad(rd, 128, rh_tok_loc(rd, t), hint ? hint : "known: DC AC PULSE SIN EXP PWL",
                  "'%s' is not known on a source", RH_SHOW(t));
}

bool rh_card_source(rh_card_reader *k) {
    source s = { 0 };
    for (int ch; (ch = rh_skip_separators(k->rd, &k->c)) != 0;)
        if (rh_starts_value(ch) ? !source_dc(k, &s) : !source_word(k, &s)) return false;
    k->has_value = s.has_dc || s.has_ac || s.has_fn;
    k->value = s.has_dc ? s.dc : s.fn;
    return true;
}
