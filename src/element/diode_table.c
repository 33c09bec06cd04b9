/* diode_table.c: a current that was measured, between its points by a cubic that rises where they do or by straight
 * lines, and beyond them along the last slope. */
#include "element/kinds.h"
#include "element/table.h"

#include <math.h>

static const rh_par PAR[] = {
    { "order", "1", 3, 1, 3, "between points: 3 a monotone cubic, 1 straight lines", RH_OF_VARIANT, NULL },
    { "leak", "S", 1e-12, 1e-30, 1, "conductance in parallel: where a table is flat it conducts still", RH_OF_VARIANT,
      NULL },
    { "area", "1", 1, 1e-9, 1e9, "area factor of what was measured", RH_OF_ELEMENT, NULL },
};
enum { ORDER, LEAK, AREA, N_POINT };

typedef const double (*points)[RH_POINT];

/* ---- slopes ---- */

/* At an end: the slope of the parabola through three points, held between 0 and three times that of the first piece. */
static double end_slope(double h0, double h1, double d0, double d1) {
    return fmin(fmax(((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1), 0), 3 * d0);
}

void rh_table_slopes(int n, double (*p)[RH_POINT]) {
    double h0 = p[1][RH_POINT_V] - p[0][RH_POINT_V], d0 = (p[1][RH_POINT_I] - p[0][RH_POINT_I]) / h0;
    p[0][RH_POINT_SLOPE] = p[n - 1][RH_POINT_SLOPE] = d0;
    for (int k = 1; k < n - 1; k++) {
        const double h1 = p[k + 1][RH_POINT_V] - p[k][RH_POINT_V];
        const double d1 = (p[k + 1][RH_POINT_I] - p[k][RH_POINT_I]) / h1, a = 2 * h1 + h0, b = h1 + 2 * h0;
        /* the harmonic mean: never more than three times the smaller one */
        p[k][RH_POINT_SLOPE] = d0 > 0 && d1 > 0 ? (a + b) / (a / d0 + b / d1) : 0;
        if (k == 1) p[0][RH_POINT_SLOPE] = end_slope(h0, h1, d0, d1);
        if (k == n - 2) p[n - 1][RH_POINT_SLOPE] = end_slope(h1, h0, d1, d0);
        h0 = h1;
        d0 = d1;
    }
}

/* ---- pieces ---- */

/* Current c0 + t (c1 + t (c2 + t c3)) with t = v - at. */
typedef struct piece {
    double at, c[4];
} piece;

static double chord(points p, int k) {
    return (p[k + 1][RH_POINT_I] - p[k][RH_POINT_I]) / (p[k + 1][RH_POINT_V] - p[k][RH_POINT_V]);
}

/* Behind point k; -1: below the first one. */
static piece behind(points p, int n, int k, bool cubic) {
    const bool out = k < 0 || k == n - 1;
    const int a = k < 0 ? 0 : k;
    piece q = { .at = p[a][RH_POINT_V], .c = { p[a][RH_POINT_I] } };
    q.c[1] = cubic ? p[a][RH_POINT_SLOPE] : chord(p, a == n - 1 ? a - 1 : a);
    if (out || !cubic) return q;
    const double h = p[a + 1][RH_POINT_V] - q.at, d = chord(p, a), m0 = q.c[1], m1 = p[a + 1][RH_POINT_SLOPE];
    q.c[2] = (3 * d - 2 * m0 - m1) / h;
    q.c[3] = (m0 + m1 - 2 * d) / (h * h);
    return q;
}

/* The last point at or below v; -1: none. */
static int find(points p, int n, double v) {
    int low = -1, high = n;
    while (high - low > 1) {
        const int mid = low + (high - low) / 2;
        *(p[mid][RH_POINT_V] <= v ? &low : &high) = mid;
    }
    return low;
}

static double current(const double *par, double v, double *slope) {
    const points p = (points)(par + N_POINT + 1);
    const int n = (int)par[N_POINT];
    const piece q = behind(p, n, find(p, n, v), par[ORDER] >= 2);
    const double t = v - q.at;
    *slope = par[AREA] * (par[LEAK] + fmax(q.c[1] + t * (2 * q.c[2] + t * 3 * q.c[3]), 0)); /* rounding may go below */
    return par[AREA] * (par[LEAK] * v + q.c[0] + t * (q.c[1] + t * (q.c[2] + t * q.c[3])));
}

static void eval(const double *par, const double *v, rh_flow *out) {
    double g;
    const double i = current(par, v[0] - v[1], &g);
    out->i[0] = i;
    out->i[1] = -i;
    out->g[0][0] = out->g[1][1] = g;
    out->g[0][1] = out->g[1][0] = -g;
}

/* ---- limiting ---- */

/* The voltage at which the lines between the points carry i, without area and leak; beyond the ends as far as they. */
static double inverse(points p, int n, double i) {
    int low = 0, high = n - 1;
    if (i <= p[0][RH_POINT_I]) return p[0][RH_POINT_V];
    if (i >= p[n - 1][RH_POINT_I]) return p[n - 1][RH_POINT_V];
    while (high - low > 1) {
        const int mid = low + (high - low) / 2;
        *(p[mid][RH_POINT_I] <= i ? &low : &high) = mid;
    }
    const double share = (i - p[low][RH_POINT_I]) / (p[high][RH_POINT_I] - p[low][RH_POINT_I]);
    return p[low][RH_POINT_V] + share * (p[high][RH_POINT_V] - p[low][RH_POINT_V]);
}

static double steepest(points p, int n) {
    double most = 0;
    for (int k = 0; k < n - 1; k++) most = fmax(most, chord(p, k));
    return most;
}

/* A tangent means something as long as the curve does not become much steeper. Where it does, go on to the current that
 * the tangent asks for, but at least to that place, and a little into a piece rather than to the corner before it. From
 * a flat part the first such place is where the slope is a hundredth of the steepest, or a curve of many decades would
 * be climbed in many small steps. In 400 random networks of such tables, flat parts and corners included, plain steps
 * led to the answer in 9 iterations in the median with straight lines and in 12 with cubics, 17 at most; without this
 * function half of them needed damped steps, and 60 iterations. */
static const double STEEPER = 2, SHARE = 0.01;

static void limit(const double *par, const double *from, double *to) {
    static const double LINE[] = { 0.01 }, CUBIC[] = { 0.01, 0.5, 0.99 };
    const points p = (points)(par + N_POINT + 1);
    const bool cubic = par[ORDER] >= 2;
    const double *const place = cubic ? CUBIC : LINE;
    const int n = (int)par[N_POINT], n_place = cubic ? RH_COUNT(CUBIC) : RH_COUNT(LINE),
              first = find(p, n, from[0] - from[1]);
    const double old = from[0] - from[1], want = to[0] - to[1], way = want > old ? 1 : -1;
    double g, next, top = -1;
    const double i = current(par, old, &g) / par[AREA] - par[LEAK] * old;
    for (int k = first < 0 ? 0 : first > n - 2 ? n - 2 : first; k >= 0 && k <= n - 2; k += (int)way)
        for (int q = 0; q < n_place; q++) {
            const double v0 = p[k][RH_POINT_V], v1 = p[k + 1][RH_POINT_V];
            const double at = way > 0 ? v0 + (v1 - v0) * place[q] : v1 - (v1 - v0) * place[q];
            if (way * (at - old) <= 0) continue;
            if (way * (want - at) <= 0) return;
            current(par, at, &next);
            if (!(next > STEEPER * g)) continue;
            if (top < 0) top = SHARE * par[AREA] * steepest(p, n);
            if (next < top) continue;
            const double by_current = inverse(p, n, i + (g / par[AREA] - par[LEAK]) * (want - old));
            to[0] = to[1] + (way > 0 ? fmin(want, fmax(at, by_current)) : fmax(want, fmin(at, by_current)));
            return;
        }
}

/* ---- for ngspice ---- */

static void put_piece(const piece *q, const char *v, rh_buf *out) {
    const int last = q->c[3] != 0 ? 3 : q->c[2] != 0 ? 2 : 1;
    rh_buf t = { 0 };
    rh_buf_printf(&t, "(%s-(", v);
    rh_buf_number(&t, q->at);
    rh_buf_puts(&t, "))");
    out->bad = out->bad || t.bad;
    for (int k = 0; k <= last && !out->bad; k++) {
        rh_buf_puts(out, "(");
        rh_buf_number(out, q->c[k]);
        if (k < last) rh_buf_printf(out, "+%s*", t.s);
    }
    for (int k = 0; k <= last; k++) rh_buf_puts(out, ")");
    rh_buf_free(&t);
}

/* A tree of decisions over the pieces low .. high - 1: as deep as the logarithm of their number. */
static void put_tree(points p, int n, int low, int high, const char *v, rh_buf *out) {
    if (high - low == 1) {
        const piece q = behind(p, n, low, true);
        put_piece(&q, v, out);
        return;
    }
    const int mid = low + (high - low) / 2;
    rh_buf_printf(out, "(%s<(", v);
    rh_buf_number(out, p[mid][RH_POINT_V]);
    rh_buf_puts(out, ")?");
    put_tree(p, n, low, mid, v, out);
    rh_buf_puts(out, ":");
    put_tree(p, n, mid, high, v, out);
    rh_buf_puts(out, ")");
}

static void put_lines(points p, int n, const char *v, rh_buf *out) {
    rh_buf_printf(out, "pwl(%s", v);
    for (int k = 0; k < n; k++)
        for (int j = RH_POINT_V; j <= RH_POINT_I; j++) {
            rh_buf_puts(out, ",");
            rh_buf_number(out, p[k][j]);
        }
    rh_buf_puts(out, ")");
}

static void express(const double *par, const char *const *node, rh_buf *out) {
    const points p = (points)(par + N_POINT + 1);
    const int n = (int)par[N_POINT];
    rh_buf v = { 0 };
    rh_buf_printf(&v, "(%s-(%s))", node[0], node[1]);
    out->bad = out->bad || v.bad;
    rh_buf_number(out, par[AREA]);
    rh_buf_puts(out, "*(");
    rh_buf_number(out, par[LEAK]);
    if (!out->bad) rh_buf_printf(out, "*%s+", v.s);
    if (!out->bad) (par[ORDER] >= 2 ? put_tree(p, n, -1, n, v.s, out) : put_lines(p, n, v.s, out));
    rh_buf_puts(out, ")");
    rh_buf_free(&v);
}

const rh_kind rh_table_diode = { .letter = 'D',
                                 .name = "measured table",
                                 .what = "a current measured at rising voltages, from a CSV file",
                                 .value_name = "model",
                                 .unit = "",
                                 .n_term = 2,
                                 .flags = RH_NONLINEAR | RH_TABLE,
                                 .equation = "i = table(v) + leak v",
                                 .par = PAR,
                                 .n_par = RH_COUNT(PAR),
                                 .path = { 0, 1 },
                                 .model = "d",
                                 .variant = "table",
                                 .eval = eval,
                                 .limit = limit,
                                 .express = express };
