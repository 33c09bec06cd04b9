/* number.c: numbers as SPICE writes them, strict wherever programs read the same text differently.
 * Correct rounding without regard to the locale: small cases are exact in double arithmetic (Clinger, PLDI 1990),
 * the others go to strtod as digits and exponent, without a decimal point. */
#include "base/base.h"
#include "base/utf8.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* A double lies halfway between two neighbours in at most 768 digits; what follows only says "above the half". */
enum { DIGITS_MAX = 800 };

/* ---- decimal to binary ---- */

typedef struct decimal {
    const char *digits; /* mantissa in the text, with at most one point in it */
    size_t len, used;   /* bytes of the mantissa; bytes of the whole number with exponent */
    long long exp10;    /* the exponent written behind it */
    bool negative, any; /* any: there is at least one digit */
} decimal;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* [+-]digits[.digits] */
static decimal scan_mantissa(const char *s, size_t n) {
    decimal d = { 0 };
    size_t at = 0;
    if (n && (s[0] == '+' || s[0] == '-')) d.negative = s[at++] == '-';
    d.digits = s + at;
    for (bool point = false; at < n; at++) {
        if (is_digit(s[at]))
            d.any = true;
        else if (s[at] == '.' && !point)
            point = true;
        else
            break;
    }
    d.len = (size_t)(s + at - d.digits);
    d.used = at;
    return d;
}

/* e[+-]digits behind the mantissa. false: there is an e, but no exponent. Clamped far beyond any length of mantissa. */
static bool scan_exponent(decimal *d, const char *s, size_t n) {
    size_t at = d->used;
    if (at >= n || (s[at] | 32) != 'e') return true;
    at++;
    const bool negative = at < n && s[at] == '-';
    if (at < n && (s[at] == '-' || s[at] == '+')) at++;
    if (at >= n || !is_digit(s[at])) return false;
    long long e = 0;
    for (; at < n && is_digit(s[at]); at++)
        if (e < (1LL << 55)) e = 10 * e + (s[at] - '0');
    d->exp10 = negative ? -e : e;
    d->used = at;
    return true;
}

typedef struct significant {
    char text[DIGITS_MAX + 32]; /* no leading zeros, no point; room for an exponent */
    int n;
    long long exp10;
} significant;

/* Only what is needed of the digits: zeros at both ends dropped, a long tail replaced by one digit that is not 0. */
static void take_digits(const decimal *d, significant *t) {
    bool point = false, tail = false;
    long long zeros = 0; /* seen, and not yet followed by another digit */
    t->n = 0;
    t->exp10 = d->exp10;
    for (size_t k = 0; k < d->len; k++) {
        const char c = d->digits[k];
        if (c == '.') {
            point = true;
            continue;
        }
        t->exp10 -= point;
        if (c == '0') {
            zeros++;
            continue;
        }
        if (t->n == 0) zeros = 0;
        if (t->n + zeros >= DIGITS_MAX) {
            tail = true;
            const int fill = DIGITS_MAX - t->n;
            memset(t->text + t->n, '0', (size_t)fill);
            t->n += fill;
            zeros = zeros - fill + 1;
            continue;
        }
        memset(t->text + t->n, '0', (size_t)zeros);
        t->n += (int)zeros;
        t->text[t->n++] = c;
        zeros = 0;
    }
    t->exp10 += zeros;
    if (!tail) return;
    t->text[t->n++] = '1';
    t->exp10--;
}

static bool exact_small(const significant *t, double *x) {
    static const double POWER[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    if (FLT_EVAL_METHOD != 0 || t->n > 19 || t->exp10 < -22 || t->exp10 > 22) return false;
    uint64_t m = 0;
    for (int k = 0; k < t->n; k++) m = 10 * m + (uint64_t)(t->text[k] - '0');
    if (m > (1ull << 53)) return false;
    *x = t->exp10 < 0 ? (double)m / POWER[-t->exp10] : (double)m * POWER[t->exp10];
    return true;
}

/* The value of d * 10^shift. false: beyond the largest double, or nonzero digits that round to 0 (*x is then 0). */
static bool convert(const decimal *d, int shift, double *x) {
    significant t;
    take_digits(d, &t);
    t.exp10 += shift;
    bool ok = true;
    if (t.n == 0) {
        *x = 0;
    } else if (!exact_small(&t, x)) {
        const long long top = t.exp10 + t.n; /* the value is between 10^(top-1) and 10^top */
        if (top > 320 || top < -330) {
            *x = top > 0 ? (double)INFINITY : 0;
        } else {
            snprintf(t.text + t.n, 24, "e%d", (int)t.exp10);
            *x = strtod(t.text, NULL);
        }
        ok = *x > 0 && *x <= DBL_MAX;
    }
    if (d->negative) *x = -*x;
    return ok;
}

/* A number too small for a double is 0, as rounding has it; one too large is refused: no infinity comes from a file. */
size_t rh_decimal(const char *text, size_t n, double *value) {
    decimal d = scan_mantissa(text, n);
    if (!d.any) return 0;
    scan_exponent(&d, text, n);
    double x;
    if (!convert(&d, 0, &x) && x != 0) return 0;
    *value = x;
    return d.used;
}

/* ---- suffixes and their units ---- */

typedef struct suffix {
    const char *text;
    int exp10;
} suffix;

/* Longer ones first. Micro has two letters in Unicode: the micro sign and the Greek mu. */
static const suffix SUFFIXES[] = {
    { "meg", 6 }, { "mil", 0 }, { "\xC2\xB5", -6 }, { "\xCE\xBC", -6 }, { "t", 12 },  { "g", 9 },
    { "k", 3 },   { "m", -3 },  { "u", -6 },        { "n", -9 },        { "p", -12 }, { "f", -15 },
};
static const double METRE_PER_MIL = 2.54e-5;

/* Ohm and Greek capital omega look the same and are two characters. */
/* clang-format off */
static const char *const UNITS[] = {
    "ohm", "ohms", "\xCE\xA9", "\xE2\x84\xA6", "r", "v", "volt", "volts", "a", "amp", "amps", "ampere", "amperes",
    "s", "sec", "secs", "second", "seconds", "f", "farad", "farads", "h", "henry", "hz", "hertz", "w", "watt", "watts",
    "pa", "pascal", "m3", "siemens", "mho", "mhos", "j", "joule",
};
/* clang-format on */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool starts(const char *s, size_t n, const char *word) {
    size_t k = 0;
    while (word[k] && k < n && lower(s[k]) == word[k]) k++;
    return word[k] == '\0';
}

static bool is_word(const char *s, size_t n, const char *word) { return starts(s, n, word) && n == strlen(word); }

static const char *find_unit(const char *s, size_t n) {
    for (int k = 0; k < RH_COUNT(UNITS); k++)
        if (is_word(s, n, UNITS[k])) return UNITS[k];
    return NULL;
}

/* Splits the letters behind a number. false: not a suffix with a unit. */
static bool split_letters(const char *s, size_t n, const suffix **suf, const char **unit) {
    *suf = NULL;
    *unit = "";
    if (n == 0) return true;
    for (int k = 0; k < RH_COUNT(SUFFIXES); k++) {
        const size_t m = strlen(SUFFIXES[k].text);
        if (!starts(s, n, SUFFIXES[k].text)) continue;
        const char *u = m == n ? "" : find_unit(s + m, n - m);
        if (!u || (k == 1 && *u)) continue; /* a mil has no unit */
        *suf = &SUFFIXES[k];
        *unit = u;
        return true;
    }
    const char *u = is_word(s, n, "a") ? NULL : find_unit(s, n); /* "1a" is 1e-18 in some programs */
    if (u) *unit = u;
    return u != NULL;
}

static bool letters(rh_number *r, const decimal *d, const char *s, size_t n) {
    const suffix *suf;
    const char *unit;
    if (!split_letters(s, n, &suf, &unit)) {
        r->fault = RH_NUM_SUFFIX;
        return false;
    }
    snprintf(r->unit, sizeof(r->unit), "%s", (unsigned char)*unit >= 0x80 ? "ohm" : unit);
    r->n_unit = n - (suf ? strlen(suf->text) : 0);
    const bool mil = suf == &SUFFIXES[1];
    bool ok = convert(d, suf ? suf->exp10 : 0, &r->value);
    if (mil) {
        const double had = r->value;
        r->value *= METRE_PER_MIL;
        ok = ok && (r->value != 0 || had == 0);
        r->note = RH_NUM_MIL;
    } else if (suf && suf->exp10 == -3 && *s == 'M') {
        r->note = RH_NUM_MILLI;
    } else if (suf && suf->exp10 == -15 && !*unit) {
        r->note = RH_NUM_FARAD;
    }
    if (!ok) r->fault = RH_NUM_RANGE;
    return ok;
}

/* ---- what is wrong with it ---- */

static bool ends_token(char c) {
    return (unsigned char)c <= ' ' || c == 0x7F || strchr("()={};'\"+-*/^<>!&|?:[]~%", c) != NULL;
}

/* From `at` to the end of the token; a comma with a digit behind it is inside. */
static size_t token_end(const char *s, size_t n, size_t at) {
    while (at < n && !ends_token(s[at]) && (s[at] != ',' || (at + 1 < n && is_digit(s[at + 1])))) at++;
    return at;
}

/* 4k7, 4R7: a letter in the place of the point. Writes what was meant. */
static bool infix(rh_number *r, const decimal *d, const char *s, size_t n, size_t end) {
    const size_t at = d->used;
    size_t m = 0;
    if (memchr(d->digits, '.', d->len) || d->digits + d->len != s + at || at >= end) return false;
    for (int k = 0; k < RH_COUNT(SUFFIXES) && !m; k++)
        if (starts(s + at, end - at, SUFFIXES[k].text)) m = strlen(SUFFIXES[k].text);
    const bool bare = !m && (lower(s[at]) == 'r' || lower(s[at]) == 'v');
    if (bare) m = 1;
    if (!m || at + m >= n || !is_digit(s[at + m])) return false;
    size_t tail = at + m;
    while (tail < end && is_digit(s[tail])) tail++;
    if (tail < end && (bare || !find_unit(s + tail, end - tail))) return false;
    if (end + 1 < sizeof(r->suggestion)) {
        const int letters_n = bare && lower(s[at]) == 'r' ? 0 : (int)m;
        snprintf(r->suggestion, sizeof(r->suggestion), "%.*s.%.*s%.*s%.*s", (int)at, s, (int)(tail - at - m),
                 s + at + m, letters_n, s + at, (int)(end - tail), s + tail);
    }
    return true;
}

/* 1,5k has one reading; 1,500 has two, and 1.5,3 none. */
static void suggest_point(rh_number *r, const decimal *d, const char *s, size_t end) {
    size_t tail = d->used + 1;
    if (s[d->used] != ',' || memchr(d->digits, '.', d->len) || d->digits + d->len != s + d->used ||
        end >= sizeof(r->suggestion))
        return;
    while (tail < end && is_digit(s[tail])) tail++;
    const suffix *suf;
    const char *unit;
    if ((tail == d->used + 4 && tail == end) || !split_letters(s + tail, end - tail, &suf, &unit)) return;
    snprintf(r->suggestion, sizeof(r->suggestion), "%.*s.%.*s", (int)d->used, s, (int)(end - d->used - 1),
             s + d->used + 1);
}

static bool is_hex(const decimal *d, const char *s, size_t end) {
    const size_t at = d->used;
    if (d->len != 1 || d->digits[0] != '0' || at + 1 >= end || lower(s[at]) != 'x') return false;
    const char c = lower(s[at + 1]);
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static rh_number_fault no_digits(const char *s, size_t n, size_t *end) {
    const size_t sign = n && (s[0] == '+' || s[0] == '-');
    *end = token_end(s, n, sign);
    const char *w = s + sign;
    const size_t m = *end - sign;
    if (is_word(w, m, "nan") || is_word(w, m, "inf") || is_word(w, m, "infinity")) return RH_NUM_NAN;
    return m == 0 || is_word(w, m, ".") ? RH_NUM_EMPTY : RH_NUM_NOT;
}

/* Faults that show before the letters are looked at. */
static rh_number_fault early_fault(rh_number *r, decimal *d, const char *s, size_t n) {
    if (!d->any) return no_digits(s, n, &r->used);
    r->used = token_end(s, n, d->used);
    if (is_hex(d, s, r->used)) return RH_NUM_HEX;
    if (!scan_exponent(d, s, n)) {
        const size_t at = d->used + 1;
        if (at < r->used) return RH_NUM_SUFFIX; /* 1eg, 1e_ */
        if (at < n && (s[at] == '+' || s[at] == '-')) r->used++;
        return RH_NUM_EXPONENT;
    }
    r->used = token_end(s, n, d->used);
    const size_t at = d->used;
    if (at < r->used && s[at] == '_') return RH_NUM_UNDERSCORE;
    if (at < r->used && s[at] == '.') return RH_NUM_NOT; /* 1.2.3 */
    if (memchr(s + at, ',', r->used - at)) {
        suggest_point(r, d, s, r->used);
        return RH_NUM_COMMA;
    }
    return infix(r, d, s, n, r->used) ? RH_NUM_INFIX : RH_NUM_OK;
}

static void only_fault(rh_number *r) {
    r->value = 0;
    r->note = RH_NUM_PLAIN;
    r->unit[0] = '\0';
    r->n_unit = 0;
}

rh_number rh_number_parse(const char *text, size_t n) {
    rh_number r = { 0 };
    decimal d = scan_mantissa(text, n);
    r.fault = early_fault(&r, &d, text, n);
    if (r.fault == RH_NUM_OK) letters(&r, &d, text + d.used, r.used - d.used);
    if (r.fault != RH_NUM_OK) only_fault(&r);
    return r;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* "1 A" to the letter is 1 ampere. Netlists do not have it: there some programs read a as 1e-18. */
static bool bare_ampere(rh_number *r, const char *s, size_t n) {
    if (n < 2 || s[n - 1] != 'A' || !(is_blank(s[n - 2]) || is_digit(s[n - 2]) || s[n - 2] == '.')) return false;
    size_t m = n - 1;
    while (m > 0 && is_blank(s[m - 1])) m--;
    const rh_number x = rh_number_parse(s, m);
    if (x.fault != RH_NUM_OK || x.used != m || x.unit[0]) return false;
    *r = x;
    r->used = n;
    r->n_unit = 1;
    snprintf(r->unit, sizeof r->unit, "a");
    return true;
}

rh_number rh_number_parse_all(const char *text, size_t n) {
    size_t lead = 0;
    while (lead < n && is_blank(text[lead])) lead++;
    while (n > lead && is_blank(text[n - 1])) n--;
    const char *s = text + lead;
    const size_t m = n - lead;
    rh_number r = rh_number_parse(s, m);
    size_t at = r.used;
    if (r.fault == RH_NUM_OK && at < m && is_blank(s[at])) { /* "50 us" */
        decimal d = scan_mantissa(s, m);
        scan_exponent(&d, s, m);
        while (at < m && is_blank(s[at])) at++;
        const size_t end = token_end(s, m, at);
        if (d.used == r.used && end == m && ((lower(s[at]) >= 'a' && lower(s[at]) <= 'z') || (s[at] & 0x80))) {
            letters(&r, &d, s + at, end - at);
            r.used = end;
        }
    }
    if (r.fault == RH_NUM_SUFFIX) bare_ampere(&r, s, m);
    if (r.fault == RH_NUM_OK && r.used < m) r.fault = RH_NUM_NOT;
    if (r.fault != RH_NUM_OK) only_fault(&r);
    r.used += lead;
    return r;
}

const char *rh_number_fault_text(rh_number_fault fault) {
    switch (fault) {
    case RH_NUM_OK: return "ok";
    case RH_NUM_EMPTY: return "there is no number";
    case RH_NUM_NOT: return "this is not a number";
    case RH_NUM_INFIX: return "a letter in the place of the decimal point is read differently by different programs";
    case RH_NUM_COMMA: return "a comma is not a decimal point";
    case RH_NUM_EXPONENT: return "the exponent has no digits";
    case RH_NUM_HEX: return "hexadecimal numbers are not read";
    case RH_NUM_UNDERSCORE: return "an underscore does not belong in a number";
    case RH_NUM_SUFFIX: return "unknown suffix or unit; suffixes are t g meg k mil m u n p f";
    case RH_NUM_NAN: return "a number must be finite";
    case RH_NUM_RANGE: return "too large or too small for a double (about 5e-324 to 1.8e308)";
    }
    return "unknown fault";
}

/* ---- binary to decimal ---- */

/* The decimal point of a locale can be any character, of several bytes. */
static void fix_point(char *s) {
    char *to = s;
    bool inside = false;
    for (const char *p = s; *p; p++) {
        const bool known = is_digit(*p) || *p == '-' || *p == '+' || *p == 'e';
        if (known)
            *to++ = *p;
        else if (!inside)
            *to++ = '.';
        inside = !known;
    }
    *to = '\0';
}

/* Integers below 1e15, the way %.15g writes them. */
static char *integer_text(double x, char *buf) {
    char digits[20];
    int n = 0, at = 0;
    uint64_t m = (uint64_t)fabs(x);
    do digits[n++] = (char)('0' + m % 10);
    while (m /= 10);
    if (signbit(x)) buf[at++] = '-';
    while (n > 0) buf[at++] = digits[--n];
    buf[at] = '\0';
    return buf;
}

char *rh_number_text(double x, char *buf) {
    if (isnan(x)) return strcpy(buf, "nan");
    if (isinf(x)) return strcpy(buf, x > 0 ? "inf" : "-inf");
    if (fabs(x) < 1e15 && x == (double)(int64_t)x) return integer_text(x, buf);
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        snprintf(buf, 32, "%.*g", digits, x);
        fix_point(buf);
        if (rh_decimal(buf, strlen(buf), &back) && back == x) break;
    }
    return buf;
}

char *rh_number_human(double x, const char *unit, char *buf, size_t size) {
    static const char *const NAME[] = { "f", "p", "n", "u", "m", "", "k", "meg", "g", "t" };
    const char *u = unit ? unit : "", *gap = *u ? " " : "";
    char e[32], digits[16];
    if (!isfinite(x) || x == 0) {
        snprintf(buf, size, "%s%s%s", rh_number_text(x == 0 ? 0 : x, e), gap, u);
        return buf;
    }
    snprintf(e, sizeof(e), "%.3e", fabs(x)); /* d.ddde+XX, rounded once */
    fix_point(e);
    const int exp10 = atoi(e + 6), group = exp10 >= 0 ? exp10 / 3 : -((2 - exp10) / 3);
    if (group < -5 || group > 4) {
        snprintf(buf, size, "%s%s%s%s", x < 0 ? "-" : "", e, gap, u);
        return buf;
    }
    const int before = exp10 - 3 * group + 1; /* digits before the point: 1 to 3 */
    memcpy(digits, (const char[]){ e[0], e[2], e[3], e[4] }, 4);
    int n = 4;
    while (n > before && digits[n - 1] == '0') n--;
    snprintf(buf, size, "%s%.*s%s%.*s%s%s%s", x < 0 ? "-" : "", before, digits, n > before ? "." : "", n - before,
             digits + before, gap, NAME[group + 5], u);
    return buf;
}
