/* unit.c: units of values, and what was meant by a value that cannot be read. */
#include "base/base.h"

#include <math.h>
#include <stdlib.h>

typedef struct unit_word {
    const char *word, *unit;
} unit_word;

/* A small s is both second and siemens. */
/* clang-format off */
static const unit_word UNIT_WORDS[] = {
    { "v", "V" },      { "volt", "V" },    { "volts", "V" },   { "a", "A" },        { "amp", "A" },      { "amps", "A" },
    { "ampere", "A" }, { "amperes", "A" }, { "s", "s" },       { "sec", "s" },      { "second", "s" },   { "seconds", "s" },
    { "s", "S" },      { "siemens", "S" }, { "mho", "S" },     { "mhos", "S" },     { "ohm", "ohm" },    { "ohms", "ohm" },
    { "r", "ohm" },    { "hz", "Hz" },     { "hertz", "Hz" },  { "f", "F" },        { "farad", "F" },    { "farads", "F" },
    { "w", "W" },      { "watt", "W" },    { "watts", "W" },   { "h", "H" },        { "henry", "H" },    { "j", "J" },
    { "joule", "J" },  { "pa", "Pa" },     { "pascal", "Pa" }, { "m3", "m3" },
};
/* clang-format on */

bool rh_unit_fits(const char *got, const char *want) {
    if (!*got || !want) return true;
    for (int k = 0; k < RH_COUNT(UNIT_WORDS); k++)
        if (strcmp(UNIT_WORDS[k].word, got) == 0 && strcmp(UNIT_WORDS[k].unit, want) == 0) return true;
    return false;
}

const char *rh_unit_written(const char *text, size_t n, const rh_number *x) {
    while (n > 0 && text[n - 1] == ' ') n--;
    if (strcmp(x->unit, "s") == 0) return n > 0 && text[n - 1] == 'S' ? "S" : "s";
    for (int k = 0; k < RH_COUNT(UNIT_WORDS); k++)
        if (strcmp(UNIT_WORDS[k].word, x->unit) == 0) return UNIT_WORDS[k].unit;
    return x->unit;
}

/* ---- the spelling that works ---- */

enum { TEXT = 64 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c & 0x80); }
static bool wanted(const char *want) { return want && *want && strcmp(want, "1") != 0; }

/* "50u" of "50 uV". false: not a number, or too long to show. */
static bool bare(const char *text, size_t n, char out[TEXT]) {
    const rh_number x = rh_number_parse_all(text, n);
    if (x.fault != RH_NUM_OK || x.used < x.n_unit || x.used - x.n_unit >= TEXT) return false;
    size_t m = 0;
    for (size_t k = 0; k < x.used - x.n_unit; k++)
        if (text[k] != ' ' && text[k] != '\t') out[m++] = text[k];
    out[m] = '\0';
    return m > 0;
}

/* 50u in s is "50 us"; 9m in V^2/s is "9m V^2/s". */
static void spell(const char *number, const char *want, char *out, size_t size) {
    double x;
    size_t digits = strlen(number);
    if (!strpbrk(want, "^/")) digits = rh_decimal(number, digits, &x);
    const bool femto = strcmp(want, "F") == 0 && !number[digits]; /* an F alone is a suffix */
    snprintf(out, size, "%.*s %s%s", (int)digits, number, number + digits, femto ? "farad" : want);
}

static const char *write_it(const char *number, const char *want, char *buf, size_t size) {
    char whole[2 * TEXT];
    snprintf(buf, size, "write %s", number);
    if (!wanted(want)) return buf;
    spell(number, want, whole, sizeof whole);
    snprintf(buf, size, "write %s or %s", number, whole);
    return buf;
}

/* The same quantity upside down. */
static const char *inverse(const char *text, size_t n, const rh_number *x, const char *want, char *buf, size_t size) {
    static const char *const PAIRS[][2] = { { "ohm", "S" }, { "S", "ohm" }, { "Hz", "s" }, { "s", "Hz" } };
    char shown[TEXT], value[32];
    for (int k = 0; k < RH_COUNT(PAIRS); k++) {
        if (!rh_unit_fits(x->unit, PAIRS[k][0]) || strcmp(want, PAIRS[k][1]) != 0 || x->value == 0) continue;
        snprintf(buf, size, "1/(%s) is %s", rh_escape(text, n, shown, sizeof shown),
                 rh_number_human(1 / x->value, want, value, sizeof value));
        return buf;
    }
    return NULL;
}

/* 2h, 1 min. */
static const char *clock_time(const char *text, size_t n, char *buf, size_t size) {
    static const struct {
        const char *word;
        double second;
    } WORDS[] = { { "min", 60 },     { "minute", 60 }, { "minutes", 60 }, { "h", 3600 },    { "hour", 3600 },
                  { "hours", 3600 }, { "d", 86400 },   { "day", 86400 },  { "days", 86400 } };
    double x;
    char word[12], value[32];
    size_t at = rh_decimal(text, n, &x);
    if (at == 0) return NULL;
    while (at < n && text[at] == ' ') at++;
    if (n - at >= sizeof word) return NULL;
    snprintf(word, sizeof word, "%.*s", (int)(n - at), text + at);
    for (int k = 0; k < RH_COUNT(WORDS); k++) {
        if (!rh_streq(word, WORDS[k].word)) continue;
        snprintf(buf, size, "write %s", rh_number_text(x * WORDS[k].second, value));
        return buf;
    }
    return NULL;
}

const char *rh_unit_hint(const char *text, size_t n, const char *want, char *buf, size_t size) {
    const rh_number x = rh_number_parse_all(text, n);
    char number[TEXT];
    if (!bare(text, n, number))
        return wanted(want) ? (snprintf(buf, size, "it is in %s", want), buf) : "write the bare number";
    const char *other = wanted(want) ? inverse(text, n, &x, want, buf, size) : NULL;
    if (!other && wanted(want) && strcmp(want, "s") == 0) other = clock_time(text, n, buf, size);
    return other ? other : write_it(number, want, buf, size);
}

/* ---- what was meant ---- */

static size_t blanks(const char *s, size_t n, size_t at) {
    while (at < n && (s[at] == ' ' || s[at] == '\t')) at++;
    return at;
}

static size_t any_of(const char *s, size_t n, size_t at, const char *const *words) {
    for (; *words; words++) {
        const size_t m = strlen(*words);
        if (n - at >= m && memcmp(s + at, *words, m) == 0) return m;
    }
    return 0;
}

/* 5x10^-5, 5 * 10**-5, 10^-3. */
static bool power_of_ten(const char *s, size_t n, char out[TEXT]) {
    static const char *const TIMES[] = { "*", "x", "X", "\xC3\x97", "\xC2\xB7", NULL };
    static const char *const POWER[] = { "**", "^", NULL };
    double x;
    size_t m = rh_decimal(s, n, &x), at = blanks(s, n, m);
    const size_t times = m ? any_of(s, n, at, TIMES) : 0;
    if (times) {
        at = blanks(s, n, at + times);
        if (n - at < 2 || memcmp(s + at, "10", 2) != 0) return false;
        at += 2;
    } else if (m != 2 || x != 10) {
        return false;
    }
    const size_t power = any_of(s, n, at, POWER);
    if (!power) return false;
    at += power;
    size_t to = at + (at < n && (s[at] == '-' || s[at] == '+')), first = to;
    while (to < n && is_digit(s[to])) to++;
    if (to == first || (to < n && s[to] != ' ') || m + (to - at) + 4 > TEXT) return false;
    snprintf(out, TEXT, "%.*se%.*s", times ? (int)m : 1, times ? s : "1", (int)(to - at), s + at);
    return true;
}

/* 1/20k without units. */
static bool fraction(const char *s, size_t n, char out[TEXT]) {
    const char *const slash = memchr(s, '/', n);
    if (!slash) return false;
    const rh_number a = rh_number_parse_all(s, (size_t)(slash - s)),
                    b = rh_number_parse_all(slash + 1, n - (size_t)(slash - s) - 1);
    if (a.fault != RH_NUM_OK || b.fault != RH_NUM_OK || a.unit[0] || b.unit[0] || b.value == 0) return false;
    rh_number_human(a.value / b.value, NULL, out, TEXT);
    return true;
}

static bool percent(const char *s, size_t n, char out[TEXT]) {
    double x;
    const size_t m = rh_decimal(s, n, &x);
    if (m == 0 || n == 0 || s[n - 1] != '%' || blanks(s, n, m) != n - 1) return false;
    rh_number_text(x / 100, out);
    return true;
}

/* 1d-3, as Fortran has it; 1e with the minus of a word processor. */
static bool exponent(const char *s, size_t n, char out[TEXT]) {
    static const char MINUS[] = "\xE2\x88\x92";
    double x;
    const size_t m = rh_decimal(s, n, &x);
    if (m == 0 || m + 1 >= n || n >= TEXT || !strchr("dDeE", s[m])) return false;
    const bool minus = n - m > 3 && memcmp(s + m + 1, MINUS, 3) == 0;
    const char *const from = s + m + (minus ? 4 : 1);
    const size_t left = n - (size_t)(from - s);
    size_t k = !minus && left && (*from == '-' || *from == '+');
    for (; k < left; k++)
        if (!is_digit(from[k])) return false;
    if (!is_digit(from[left - 1])) return false;
    snprintf(out, TEXT, "%.*se%s%.*s", (int)m, s, minus ? "-" : "", (int)left, from);
    return true;
}

/* 50 microseconds as "50 useconds". */
static bool long_prefix(const char *s, size_t n, char out[TEXT]) {
    static const char *const PREFIX[][2] = { { "tera", "t" },  { "giga", "g" },  { "mega", "meg" }, { "kilo", "k" },
                                             { "milli", "m" }, { "micro", "u" }, { "nano", "n" },   { "pico", "p" },
                                             { "femto", "f" }, { "kil", "k" },   { "meg", "meg" } };
    double x;
    const size_t m = rh_decimal(s, n, &x), at = blanks(s, n, m);
    if (m == 0 || n + 8 >= TEXT) return false;
    for (int k = 0; k < RH_COUNT(PREFIX); k++) {
        const size_t p = strlen(PREFIX[k][0]);
        char word[8];
        if (n - at < p) continue;
        snprintf(word, sizeof word, "%.*s", (int)p, s + at);
        if (!rh_streq(word, PREFIX[k][0])) continue;
        snprintf(out, TEXT, "%.*s %s%.*s", (int)m, s, PREFIX[k][1], (int)(n - at - p), s + at + p);
        if (rh_number_parse_all(out, strlen(out)).fault == RH_NUM_OK) return true;
    }
    return false;
}

/* The number in front of a unit made of several: "9m" of "9mV^2/s" and of "9m V2/s". */
static bool before_unit(const char *s, size_t n, char out[TEXT]) {
    size_t cut = 0;
    while (cut < n && !strchr("^/*", s[cut])) cut++;
    if (cut < n && bare(s, cut, out) && rh_number_parse_all(s, cut).n_unit) return true;
    const char *const gap = memchr(s, ' ', n);
    if (!gap || gap + 1 == s + n || (cut == n && !memmem(s, n, "\xC2\xB2", 2))) return false;
    return is_letter(gap[1]) && bare(s, (size_t)(gap - s), out);
}

/* mV^2 is the square of a millivolt to some, and a thousandth of a squared volt to others. */
static bool squared_prefix(const char *s, size_t n, const char *want, char *buf, size_t size) {
    const size_t m = wanted(want) ? strlen(want) : 0;
    char number[TEXT], all[TEXT];
    double digits;
    if (m < 3 || want[1] != '^' || n < m + 2 || memcmp(s + n - m, want, m) != 0 || !bare(s, n - m, number))
        return false;
    const double x = rh_number_parse_all(number, strlen(number)).value;
    if (!is_letter(s[n - m - 1]) || !rh_decimal(number, strlen(number), &digits) || digits == 0) return false;
    rh_number_human(x / digits * x, NULL, all, sizeof all);
    snprintf(buf, size, "write %s %s, or %s %s if the prefix is squared, too", number, want, all, want);
    return true;
}

const char *rh_number_hint(const char *text, size_t n, const char *want, char *buf, size_t size) {
    char out[TEXT];
    double x;
    const rh_number whole = rh_number_parse_all(text, n);
    if (whole.suggestion[0]) {
        snprintf(buf, size, "write %s", whole.suggestion);
        return buf;
    }
    if (power_of_ten(text, n, out) || fraction(text, n, out) || percent(text, n, out) || exponent(text, n, out)) {
        snprintf(buf, size, "write %s", out);
        return buf;
    }
    if (wanted(want) && strcmp(want, "s") == 0 && clock_time(text, n, buf, size)) return buf;
    if (long_prefix(text, n, out)) return rh_unit_hint(out, strlen(out), want, buf, size);
    if (squared_prefix(text, n, want, buf, size)) return buf;
    if (before_unit(text, n, out)) return write_it(out, want, buf, size);
    const size_t m = rh_decimal(text, n, &x), at = blanks(text, n, m);
    if (m == 0 || at >= n || (text[at] | 32) != 'a') return NULL;
    snprintf(buf, size, "write e-18 for atto, and ampere as in 1 A");
    return buf;
}
