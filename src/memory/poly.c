/* Roots by subdivision of the Bernstein form (variation diminishing: no more crossings than sign changes), then
 * safeguarded Newton. Source: Lane & Riesenfeld, BIT 21, 112 (1981). */
#include "memory/poly.h"

#include <float.h>
#include <math.h>

#define PI 3.14159265358979323846264338327950288L
enum { MAX_SPLIT = 200, MAX_DEPTH = 48, MAX_STEP = 100 };

void rh_poly_slope(const double *p, double *slope) {
    for (int k = 1; k <= RH_Q; k++) slope[k - 1] = k * p[k];
    slope[RH_Q] = 0;
}

static long double choose(int n, int k) {
    long double c = 1;
    for (int i = 1; i <= k; i++) c = c * (n - k + i) / i;
    return k < 0 || k > n ? 0 : c;
}

/* With x = t - (1-t): x^k = (t - (1-t))^k (t + (1-t))^(Q-k), coefficients of t^i (1-t)^(Q-i) over (Q over i). */
void rh_bernstein_build(rh_bernstein *out) {
    for (int i = 0; i <= RH_Q; i++) {
        for (int k = 0; k <= RH_Q; k++) {
            long double sum = 0;
            for (int m = 0; m <= k && m <= i; m++)
                sum += ((k - m) % 2 ? -1 : 1) * choose(k, m) * choose(RH_Q - k, i - m);
            out->of[k][i] = (double)(sum / choose(RH_Q, i));
        }
    }
}

void rh_bernstein_of(const rh_bernstein *m, const double *p, double *b) {
    double sum[RH_Q1] = { 0 };
    for (int k = 0; k <= RH_Q; k++)
        for (int i = 0; i <= RH_Q; i++) sum[i] += m->of[k][i] * p[k];
    memcpy(b, sum, sizeof sum);
}

typedef struct search {
    const double *p;
    double level, blur; /* values within blur of the level have no sign of their own */
    int last;           /* sign that the part searched so far ends with, 0 at the start */
    int n_split, n_root;
    double *root;
} search;

/* The one crossing between lo and hi, where p - level has the sign of rise above it. */
static double polish(const search *s, double lo, double hi, int rise) {
    double slope[RH_Q1];
    rh_poly_slope(s->p, slope);
    double x = lo + (hi - lo) / 2;
    for (int i = 0; i < MAX_STEP && hi > lo; i++) {
        const double f = rh_poly_at(s->p, x) - s->level;
        if (f == 0) return x;
        if (f * rise > 0)
            hi = x;
        else
            lo = x;
        double next = x - f / rh_poly_at(slope, x);
        if (!(next > lo && next < hi)) next = lo + (hi - lo) / 2;
        if (fabs(next - x) <= DBL_EPSILON) return next;
        x = next;
    }
    return x;
}

static void found(search *s, double x) {
    if (s->n_root < RH_Q) s->root[s->n_root++] = x;
}

/* Sign changes of b, values within the blur left out; *first and *last are its outermost signs (0: none). */
static int changes(const search *s, const double *b, int *first, int *last) {
    int n = 0;
    *first = *last = 0;
    for (int i = 0; i <= RH_Q; i++) {
        const int sign = (b[i] > s->blur) - (b[i] < -s->blur);
        if (sign == 0) continue;
        if (*last != 0 && sign != *last) n++;
        if (*first == 0) *first = sign;
        *last = sign;
    }
    return n;
}

/* De Casteljau at the middle: b becomes the right half. */
static void split(double *b, double *left) {
    for (int k = 0; k <= RH_Q; k++) {
        left[k] = b[0];
        for (int i = 0; i < RH_Q - k; i++) b[i] = 0.5 * (b[i] + b[i + 1]);
    }
}

static void look(search *s, double lo, double hi, double *b, int depth) {
    int first, last;
    const int n = changes(s, b, &first, &last);
    if (n > 1 && depth < MAX_DEPTH && s->n_split++ < MAX_SPLIT) {
        double left[RH_Q1];
        split(b, left);
        look(s, lo, lo + (hi - lo) / 2, left, depth + 1);
        look(s, lo + (hi - lo) / 2, hi, b, depth + 1);
        return;
    }
    if (first == 0) return;
    if (s->last != 0 && first != s->last) found(s, lo); /* the crossing sat on the seam */
    if (first != last) found(s, polish(s, lo, hi, last));
    s->last = last;
}

int rh_poly_crossings(const double *p, const double *bernstein, double level, double *root) {
    double b[RH_Q1], size = fabs(level);
    for (int i = 0; i <= RH_Q; i++) {
        size = fabs(bernstein[i]) > size ? fabs(bernstein[i]) : size;
        b[i] = bernstein[i] - level;
    }
    search s = { .p = p, .level = level, .blur = 4 * DBL_EPSILON * size, .root = root };
    look(&s, -1, 1, b, 0);
    return s.n_root;
}

/* Smallest and largest coefficient of each quarter. */
void rh_bernstein_quarters(const double *bernstein, double *lo, double *hi) {
    double part[4][RH_Q1];
    memcpy(part[3], bernstein, sizeof part[3]);
    split(part[3], part[1]);
    split(part[1], part[0]);
    split(part[3], part[2]);
    for (int k = 0; k < 4; k++) {
        lo[k] = hi[k] = part[k][0];
        for (int i = 1; i <= RH_Q; i++) {
            lo[k] = fmin(lo[k], part[k][i]);
            hi[k] = fmax(hi[k], part[k][i]);
        }
    }
}

void rh_gauss(int n, long double *node, long double *weight) {
    for (int i = 0; i < n; i++) {
        long double x = -cosl(PI * (i + 0.75L) / (n + 0.5L)), slope = 0;
        for (int step = 0; step < 12; step++) { /* Newton: converges in about five */
            long double before = 1, now = x;
            for (int k = 1; k < n; k++) {
                const long double next = ((2 * k + 1) * x * now - k * before) / (k + 1);
                before = now;
                now = next;
            }
            slope = n * (before - x * now) / (1 - x * x);
            x -= now / slope;
        }
        node[i] = x;
        weight[i] = 2 / ((1 - x * x) * slope * slope);
    }
}
