/* read.c: the tree into settings. What a value must be is said by tables; what it is instead, by the message. */
#include "config/config.h"

#include <math.h>

/* ---- places and shapes ---- */

rh_loc rh_yaml_loc(const rh_reader *rd, const rh_yaml *y) {
    if (!y) return (rh_loc){ rd->doc->src, 1, 1, 1 };
    return (rh_loc){ y->src ? y->src : rd->doc->src, y->line, y->col, y->len };
}

rh_loc rh_yaml_key_loc(const rh_reader *rd, const rh_yaml *map, int i) {
    const rh_source *src = map->item[i]->src;
    return (rh_loc){ src ? src : rd->doc->src, map->key_at[i][0], map->key_at[i][1], (int)strlen(map->key[i]) };
}

rh_yaml *rh_yaml_get(rh_yaml *map, const char *key) {
    if (!map || map->type != RH_YAML_MAP) return NULL;
    for (int i = 0; i < map->n; i++)
        if (strcmp(map->key[i], key) == 0) {
            map->item[i]->used = true;
            return map->item[i];
        }
    return NULL;
}

bool rh_yaml_empty(const rh_yaml *y) {
    return y->type == RH_YAML_SCALAR && !y->quoted &&
           (y->n_text == 0 || strcmp(y->text, "~") == 0 || strcmp(y->text, "null") == 0);
}

static rheo_status bad_shape(const rh_reader *rd, const rh_yaml *y, const char *name, rh_yaml_type want) {
    static const char *const SHAPE[] = { "a single value", "a list", "a block of keys" };
    static const char *const HINT[] = { NULL, "write [a, b, c]", "write its keys below it, indented, or {key: value}" };
    if (rh_yaml_empty(y))
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(rd, y), HINT[want],
                               "'%.80s' has no value", name);
    return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(rd, y), HINT[want],
                           "'%.80s' must be %s, not %s", name, SHAPE[want], SHAPE[y->type]);
}

rheo_status rh_read_map(const rh_reader *rd, rh_yaml *parent, const char *key, bool required, rh_yaml **out) {
    rh_yaml *y = rh_yaml_get(parent, key);
    *out = NULL;
    if (!y && required)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_MISSING, rh_yaml_loc(rd, parent), NULL,
                               "block '%.80s' is missing", key);
    if (!y) return RHEO_OK;
    if (y->type != RH_YAML_MAP) return bad_shape(rd, y, key, RH_YAML_MAP);
    *out = y;
    return RHEO_OK;
}

/* ---- numbers ---- */

static bool unit_fits(const rh_reader *rd, const char *got, const char *want) {
    if (rh_unit_fits(got, want)) return true;
    return rd->hydraulic &&
           ((strcmp(want, "V") == 0 && rh_unit_fits(got, "Pa")) || (strcmp(want, "A") == 0 && rh_unit_fits(got, "m3")));
}

/* "5 Pa" to the letter is 5 pascal: 5 pA is written otherwise. In netlists it is pico and ampere, as in SPICE. */
static bool bare_pascal(const char *s, size_t n) {
    while (n > 0 && s[n - 1] == ' ') n--;
    if (n < 3 || memcmp(s + n - 2, "Pa", 2) != 0) return false;
    const char before = s[n - 3];
    return before == ' ' || before == '.' || (before >= '0' && before <= '9');
}

static bool has_unit(const char *unit) { return unit && *unit && strcmp(unit, "1") != 0; }

/* "1m V^2/s", "4 nS/V^2": the unit of the setting, made of several, as the tables spell it. A prefix stands for itself
 * where the first of them is squared: mV^2 has two readings. */
static size_t without_unit(const char *text, size_t n, const char *unit) {
    if (!has_unit(unit)) return n;
    const size_t m = strlen(unit);
    if (n < m + 1 || memcmp(text + n - m, unit, m) != 0) return n;
    const char before = text[n - m - 1];
    if (before == ' ') return n - m - 1;
    const bool digit = (before >= '0' && before <= '9') || before == '.', number = *unit >= '0' && *unit <= '9';
    return strpbrk(unit, "^/") && !number && (digit || unit[1] != '^') ? n - m : n;
}

/* Where the domain is hydraulic, drops are pressures and currents flows. */
static const char *shown_unit(const rh_reader *rd, const char *unit) {
    if (!rd->hydraulic || !unit) return unit;
    return strcmp(unit, "V") == 0 ? "Pa" : strcmp(unit, "A") == 0 ? "m3/s" : unit;
}

static bool is_infinity(const char *s, double *x) {
    const bool negative = *s == '-';
    if (*s == '-' || *s == '+') s++;
    if (*s == '.') s++;
    if (!rh_streq(s, "inf") && !rh_streq(s, "infinity")) return false;
    *x = negative ? (double)-INFINITY : (double)INFINITY;
    return true;
}

static rheo_status bad_number(const rh_reader *rd, const rh_yaml *y, const char *name, int code, const char *hint,
                              const char *why) {
    return rh_report_error(rd->report, RHEO_E_PARSE, code, rh_yaml_loc(rd, y), hint, "'%.80s' is '%.60s': %s", name,
                           y->text, why);
}

/* The codes that netlists use for the same faults. */
static int fault_code(rh_number_fault fault) {
    switch (fault) {
    case RH_NUM_INFIX: return 12;
    case RH_NUM_COMMA: return 13;
    case RH_NUM_SUFFIX: return 14;
    case RH_NUM_RANGE: return 15;
    case RH_NUM_NAN: return 16;
    default: return 11;
    }
}

static void warn_note(const rh_reader *rd, const rh_yaml *y, const rh_number *x) {
    static const int CODE[] = { 0, 17, 18, 19 };
    static const char *const TEXT[] = { NULL, "M means milli (1e-3) here, as in SPICE",
                                        "a single F means femto (1e-15) here, as in SPICE",
                                        "mil means 25.4e-6 here, as in SPICE" };
    static const char *const HINT[] = { NULL, "write m, or meg for 1e6", "write f, or leave it out",
                                        "write the number in SI units" };
    char value[32];
    if (x->note == RH_NUM_PLAIN) return;
    rh_report_warning(rd->report, CODE[x->note], rh_yaml_loc(rd, y), HINT[x->note], "'%.60s' is %s: %s", y->text,
                      rh_number_text(x->value, value), TEXT[x->note]);
}

/* A scalar that may be read as a number or word at all. */
static rheo_status check_scalar(const rh_reader *rd, const rh_yaml *y, const char *name) {
    if (y->type != RH_YAML_SCALAR || rh_yaml_empty(y)) return bad_shape(rd, y, name, RH_YAML_SCALAR);
    return RHEO_OK;
}

static const char *unit_hint(const rh_reader *rd, const rh_yaml *y, const rh_number *x, const char *unit, char *hint,
                             size_t size) {
    const bool drop = unit && strcmp(unit, "V") == 0;
    const char *const tail = y->text + (y->n_text > 2 ? y->n_text - 2 : 0);
    if (drop && !rd->hydraulic && strcmp(x->unit, "pa") == 0) return "Pa needs `domain: hydraulic`";
    if (drop && rd->hydraulic && rh_streq(tail, "pa")) return "write Pa: in other letters it is pico and ampere";
    return rh_unit_hint(y->text, y->n_text, shown_unit(rd, unit), hint, size);
}

static rheo_status read_number(const rh_reader *rd, const rh_yaml *y, const char *name, const char *unit, bool infinite,
                               double *out) {
    RHEO_TRY(check_scalar(rd, y, name));
    if (y->quoted)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_NUMBER, rh_yaml_loc(rd, y), "leave out the quotes",
                               "'%.80s' must be a number, and a value in quotes is text", name);
    if (infinite && is_infinity(y->text, out)) return RHEO_OK;
    const char *const want = shown_unit(rd, unit);
    size_t n = without_unit(y->text, y->n_text, unit);
    if (n == y->n_text && want != unit) n = without_unit(y->text, n, want);
    if (n == y->n_text && want != unit) n = without_unit(y->text, n, strcmp(want, "Pa") ? "m^3/s" : want);
    const bool pascal = bare_pascal(y->text, n);
    if (pascal) n = (size_t)(strrchr(y->text, 'P') - y->text);
    rh_number x = rh_number_parse_all(y->text, n);
    if (pascal) snprintf(x.unit, sizeof x.unit, "pa");
    char hint[160] = "", why[64];
    if (x.fault != RH_NUM_OK) {
        if (x.suggestion[0])
            snprintf(hint, sizeof(hint), "write %s", x.suggestion);
        else if (!rh_number_hint(y->text, y->n_text, want, hint, sizeof hint) && has_unit(want) &&
                 (x.fault == RH_NUM_SUFFIX || x.fault == RH_NUM_NOT) && rh_decimal(y->text, n, &x.value))
            snprintf(hint, sizeof(hint), "it is in %s", want);
        return bad_number(rd, y, name, fault_code(x.fault), hint[0] ? hint : NULL, rh_number_fault_text(x.fault));
    }
    if (pascal && !rd->hydraulic && !has_unit(unit))
        return bad_number(rd, y, name, RH_CODE_NUMBER, "write the bare number, or 5p", "Pa needs `domain: hydraulic`");
    if (!unit_fits(rd, x.unit, unit)) {
        snprintf(why, sizeof why, "it must be in %s, not in %s", want, rh_unit_written(y->text, y->n_text, &x));
        return bad_number(rd, y, name, RH_CODE_NUMBER, unit_hint(rd, y, &x, unit, hint, sizeof hint),
                          has_unit(unit) ? why : "it has no unit");
    }
    warn_note(rd, y, &x);
    *out = x.value;
    return RHEO_OK;
}

/* "from 0 to 1 V", "at least 0" */
static void range_text(double min, double max, const char *unit, char *out, size_t size) {
    char a[32], b[32];
    const char *u = has_unit(unit) ? unit : "", *gap = *u ? " " : "";
    rh_number_text(min, a);
    rh_number_text(max, b);
    if (isinf(max))
        snprintf(out, size, "at least %s%s%s", a, gap, u);
    else if (isinf(min))
        snprintf(out, size, "at most %s%s%s", b, gap, u);
    else
        snprintf(out, size, "from %s to %s%s%s", a, b, gap, u);
}

static rheo_status bad_range(const rh_reader *rd, const rh_yaml *y, const char *name, const char *unit, double min,
                             double max, const char *hint) {
    char range[128];
    range_text(min, max, unit, range, sizeof(range));
    return rh_report_error(rd->report, RHEO_E_RANGE, RH_CODE_RANGE, rh_yaml_loc(rd, y), hint,
                           "'%.80s' is %.60s, must be %s", name, y->text, range);
}

static rheo_status ranged_double(const rh_reader *rd, const rh_yaml *y, const char *name, const char *unit, double min,
                                 double max, const char *hint, double *out) {
    double x = 0;
    RHEO_TRY(read_number(rd, y, name, unit, isinf(max), &x));
    if (!(x >= min && x <= max)) return bad_range(rd, y, name, unit, min, max, hint);
    *out = x;
    return RHEO_OK;
}

rheo_status rh_read_double(const rh_reader *rd, const rh_yaml *y, const char *name, const char *unit, double min,
                           double max, double *out) {
    return ranged_double(rd, y, name, unit, min, max, NULL, out);
}

/* Digits alone, exact up to the limits of int64_t. */
static bool exact_integer(const char *s, int64_t *out) {
    const bool negative = *s == '-';
    if (*s == '-' || *s == '+') s++;
    if (!*s) return false;
    int64_t x = 0;
    for (; *s; s++) {
        if (*s < '0' || *s > '9') return false;
        const int d = *s - '0';
        if (x < (INT64_MIN + d) / 10) return false;
        x = 10 * x - d; /* counts down, since INT64_MIN has no positive twin */
    }
    if (!negative && x == INT64_MIN) return false;
    *out = negative ? x : -x;
    return true;
}

static rheo_status bad_integer(const rh_reader *rd, const rh_yaml *y, const char *name, int64_t min, int64_t max,
                               const char *hint) {
    return rh_report_error(rd->report, RHEO_E_RANGE, RH_CODE_RANGE, rh_yaml_loc(rd, y), hint,
                           "'%.80s' is %.60s, must be from %lld to %lld", name, y->text, (long long)min,
                           (long long)max);
}

static rheo_status ranged_integer(const rh_reader *rd, const rh_yaml *y, const char *name, int64_t min, int64_t max,
                                  const char *hint, int64_t *out) {
    double x = 0;
    int64_t i = 0;
    if (y->type != RH_YAML_SCALAR || y->quoted || !exact_integer(y->text, &i)) {
        RHEO_TRY(read_number(rd, y, name, "", false, &x));
        if (x != floor(x)) return bad_number(rd, y, name, RH_CODE_NUMBER, hint, "must be a whole number");
        if (fabs(x) > 0x1p53) return bad_integer(rd, y, name, min, max, hint);
        i = (int64_t)x;
    }
    if (i < min || i > max) return bad_integer(rd, y, name, min, max, hint);
    *out = i;
    return RHEO_OK;
}

rheo_status rh_read_int64(const rh_reader *rd, const rh_yaml *y, const char *name, int64_t min, int64_t max,
                          int64_t *out) {
    return ranged_integer(rd, y, name, min, max, NULL, out);
}

/* ---- words ---- */

rheo_status rh_read_bool(const rh_reader *rd, const rh_yaml *y, const char *name, bool *out) {
    static const char *const YES[] = { "true", "yes", "on" }, *const NO[] = { "false", "no", "off" };
    RHEO_TRY(check_scalar(rd, y, name));
    for (int k = 0; k < RH_COUNT(YES); k++) {
        if (y->quoted || (!rh_streq(y->text, YES[k]) && !rh_streq(y->text, NO[k]))) continue;
        *out = rh_streq(y->text, YES[k]);
        return RHEO_OK;
    }
    return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_CHOICE, rh_yaml_loc(rd, y), "write true or false",
                           "'%.80s' is '%.60s', must be true or false", name, y->text);
}

/* "x, y or z", as far as it fits */
static void list_words(const char *const *words, char *out, size_t size) {
    size_t n = 0;
    out[0] = '\0';
    for (int k = 0; words[k] && n < size; k++) {
        const char *gap = k == 0 ? "" : words[k + 1] ? ", " : " or ";
        const int m = snprintf(out + n, size - n, "%s%s", gap, words[k]);
        n += m > 0 ? (size_t)m : 0;
    }
}

static int count_words(const char *const *words) {
    int n = 0;
    while (words[n]) n++;
    return n;
}

rheo_status rh_read_choice(const rh_reader *rd, const rh_yaml *y, const char *name, const char *const *choices,
                           int *out) {
    RHEO_TRY(check_scalar(rd, y, name));
    for (int k = 0; choices[k]; k++)
        if (strcmp(choices[k], y->text) == 0) {
            *out = k;
            return RHEO_OK;
        }
    char words[160], hint[96] = "";
    list_words(choices, words, sizeof(words));
    const char *near = rh_suggest_list(y->text, choices, count_words(choices));
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_CHOICE, rh_yaml_loc(rd, y), near ? hint : NULL,
                           "'%.80s' is '%.60s', must be %s", name, y->text, words);
}

rheo_status rh_read_text(const rh_reader *rd, const rh_yaml *y, const char *name, const char **out) {
    RHEO_TRY(check_scalar(rd, y, name));
    if (y->n_text == 0)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(rd, y), NULL, "'%.80s' is empty",
                               name);
    *out = y->text;
    return RHEO_OK;
}

/* ---- tables of settings ---- */

static rheo_status read_string(const rh_reader *rd, const rh_yaml *y, const char *name, char **out) {
    const char *text = NULL;
    RHEO_TRY(rh_read_text(rd, y, name, &text));
    char *copy = rh_strdup(text);
    if (!copy) return rh_report_error(rd->report, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
    rh_free(*out);
    *out = copy;
    return RHEO_OK;
}

static rheo_status read_int(const rh_reader *rd, const rh_yaml *y, const rh_field *f, int *out) {
    int64_t x = 0;
    RHEO_TRY(ranged_integer(rd, y, f->name, (int64_t)f->min, (int64_t)f->max, f->meaning, &x));
    *out = (int)x;
    return RHEO_OK;
}

static rheo_status read_field(const rh_reader *rd, const rh_yaml *y, const rh_field *f, void *where) {
    switch (f->type) {
    case RH_DOUBLE: return ranged_double(rd, y, f->name, f->unit, f->min, f->max, f->meaning, where);
    case RH_INT: return read_int(rd, y, f, where);
    case RH_BOOL: return rh_read_bool(rd, y, f->name, where);
    case RH_STRING: return read_string(rd, y, f->name, where);
    case RH_CHOICE: return rh_read_choice(rd, y, f->name, f->choices, where);
    }
    return RHEO_OK;
}

rheo_status rh_read_fields(const rh_reader *rd, rh_yaml *map, const rh_field *f, int n, void *def) {
    rheo_status first = RHEO_OK;
    for (int k = 0; map && k < n; k++) {
        const rh_yaml *y = rh_yaml_get(map, f[k].name);
        const rheo_status st = y ? read_field(rd, y, &f[k], (char *)def + f[k].offset) : RHEO_OK;
        if (first == RHEO_OK) first = st;
        if (st == RHEO_E_NOMEM || rh_report_full(rd->report)) return st == RHEO_E_NOMEM ? st : first;
    }
    return first;
}

/* {tau: 0,05m}: tau is 0, and there is a key 05m without a value. */
static bool after_comma(const rh_yaml *map, int i) {
    if (i == 0 || !rh_yaml_empty(map->item[i]) || map->item[i - 1]->type != RH_YAML_SCALAR) return false;
    const char first = map->key[i][0],
               last = map->item[i - 1]->n_text ? map->item[i - 1]->text[map->item[i - 1]->n_text - 1] : 0;
    return first >= '0' && first <= '9' && last >= '0' && last <= '9';
}

rheo_status rh_read_rest(const rh_reader *rd, rh_yaml *map, const char *block, const char *const *known, int n_known) {
    return rh_read_rest_meant(rd, map, block, known, n_known, NULL, 0);
}

rheo_status rh_read_rest_meant(const rh_reader *rd, rh_yaml *map, const char *block, const char *const *known,
                               int n_known, const rh_other_word *other, int n_other) {
    rheo_status st = RHEO_OK;
    for (int i = 0; map && i < map->n && !rh_report_full(rd->report); i++) {
        if (map->item[i]->used) continue;
        const char *near = rh_suggest_list(map->key[i], known, n_known);
        const char *meant = NULL;
        for (int k = 0; k < n_other && !meant; k++)
            if (rh_streq(map->key[i], other[k].word)) meant = other[k].hint;
        char hint[200] = "";
        if (meant) {
            snprintf(hint, sizeof(hint), "%s", meant);
        } else if (after_comma(map, i)) {
            snprintf(hint, sizeof(hint), "write %.40s.%.40s: a comma is not a decimal point", map->item[i - 1]->text,
                     map->key[i]);
        } else if (near) {
            snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
        } else {
            size_t n = (size_t)snprintf(hint, sizeof(hint), "known keys:");
            for (int k = 0; k < n_known && n < sizeof(hint); k++)
                n += (size_t)snprintf(hint + n, sizeof(hint) - n, "%s %s", k ? "," : "", known[k]);
        }
        char where[100] = "";
        if (block) snprintf(where, sizeof(where), " in '%s'", block);
        st = rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_UNKNOWN, rh_yaml_key_loc(rd, map, i), hint,
                             "unknown key '%.80s'%s", map->key[i], where);
    }
    return st;
}

/* ---- lists ---- */

rheo_status rh_read_names(const rh_reader *rd, rh_yaml *y, const char *name, const char ***out, int *n) {
    *n = 0;
    if (y->type != RH_YAML_LIST) return bad_shape(rd, y, name, RH_YAML_LIST);
    if (y->n == 0)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(rd, y), NULL,
                               "the list '%.80s' is empty", name);
    const char **list = rh_pool_alloc(rd->doc->pool, (size_t)y->n * sizeof(*list));
    if (!list) return rh_report_error(rd->report, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
    char item[96];
    for (int i = 0; i < y->n; i++) {
        snprintf(item, sizeof(item), "%.60s, item %d", name, i + 1);
        RHEO_TRY(rh_read_text(rd, y->item[i], item, &list[i]));
    }
    *out = list;
    *n = y->n;
    return RHEO_OK;
}

rheo_status rh_read_numbers(const rh_reader *rd, rh_yaml *y, const char *name, const char *unit, int n, double *out) {
    if (y->type != RH_YAML_LIST) return bad_shape(rd, y, name, RH_YAML_LIST);
    if (y->n != n)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(rd, y), NULL,
                               "'%.80s' has %d number%s, must have %d", name, y->n, y->n == 1 ? "" : "s", n);
    rheo_status first = RHEO_OK;
    for (int i = 0; i < n && !rh_report_full(rd->report); i++) {
        const rheo_status st = read_number(rd, y->item[i], name, unit, false, &out[i]);
        if (st == RHEO_E_NOMEM) return st;
        if (first == RHEO_OK) first = st;
    }
    return first;
}
