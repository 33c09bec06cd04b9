/* pump.c: the dead zone and what passes it, integrated over a step.
 *
 * Within a step u is a polynomial. Where it leaves or enters the dead zone the integral is cut there, so a step may be
 * longer than the time between the crossings of different edges. */
#include "machine/inside.h"

#include <float.h>
#include <math.h>

enum { GAUSS = 4, LEVELS = 4, MAX_CUT = RH_NODES + LEVELS * RH_LAST };

rh_pump rh_pump_of(const rh_learn_def *d) {
    rh_pump p = { .kind = (rh_nonlinearity)d->nonlinearity, .threshold = d->threshold };
    if (p.kind == RH_DEAD_ZONE && !(d->threshold > 0)) p.kind = RH_NONE;
    if (p.kind == RH_CUBIC && !(d->threshold > 0)) p.threshold = 1;
    if (p.kind == RH_DEAD_ZONE) {
        p.shut = p.threshold * (1 - RH_RIM / 2);
        p.open = p.threshold * (1 + RH_RIM / 2);
    }
    return p;
}

double rh_pump_current(const rh_pump *p, double u) {
    if (p->kind == RH_CUBIC) return u * u * u / p->threshold;
    if (p->kind == RH_NONE) return u;
    const double share = (fabs(u) - p->shut) / (p->open - p->shut);
    return share <= 0 ? 0 : share >= 1 ? u : share * u;
}

/* ---- where a polynomial crosses a level ---- */

static double value(const double *a, int n, double x) {
    double sum = a[n - 1];
    for (int m = n - 2; m >= 0; m--) sum = sum * x + a[m];
    return sum;
}

static int insert(double *x, int n, double at) {
    int i = n;
    while (i > 0 && x[i - 1] > at) i--;
    memmove(x + i + 1, x + i, sizeof(double) * (size_t)(n - i));
    x[i] = at;
    return n + 1;
}

/* Extremes within (0, 1) of a cubic or less; x has 0 and 1 at its ends. */
static int extremes(const double *a, int n, double *x) {
    const double c = n > 1 ? a[1] : 0, b = n > 2 ? 2 * a[2] : 0, q = n > 3 ? 3 * a[3] : 0, square = b * b - 4 * q * c;
    x[0] = 0, x[1] = 1;
    int k = 2;
    if (!(square >= 0)) return k;
    const double t = -0.5 * (b + copysign(sqrt(square), b)), root[] = { t / q, c / t }; /* inf and NaN fall outside */
    for (int i = 0; i < 2; i++)
        if (root[i] > 0 && root[i] < 1) k = insert(x, k, root[i]);
    return k;
}

/* The root between lo and hi, where the polynomial minus level has different signs: Newton, halved when it strays. */
static double root(const double *a, int n, double level, double lo, double hi) {
    const bool rising = value(a, n, hi) > level;
    double x = 0.5 * (lo + hi);
    for (int k = 0; k < 60 && hi - lo > 4 * DBL_EPSILON; k++) {
        double f = a[n - 1], slope = 0;
        for (int m = n - 2; m >= 0; m--) {
            slope = slope * x + f;
            f = f * x + a[m];
        }
        if ((f > level) == rising)
            hi = x;
        else
            lo = x;
        const double next = x - (f - level) / slope;
        if (fabs(next - x) <= 1e-14) return fmin(hi, fmax(lo, next));
        x = next > lo && next < hi ? next : 0.5 * (lo + hi);
    }
    return x;
}

static int crossings(const rh_pump *p, const double *a, int n, double *cut, int n_cut, int *n_crossing) {
    const double level[LEVELS] = { p->shut, p->open, -p->shut, -p->open };
    double x[RH_NODES + 2];
    const int n_piece = extremes(a, n, x) - 1;
    for (int i = 0; i < n_piece; i++) {
        const double from = value(a, n, x[i]), to = value(a, n, x[i + 1]);
        for (int l = 0; l < LEVELS; l++) {
            if ((from > level[l]) == (to > level[l]) || n_cut == MAX_CUT) continue;
            n_cut = insert(cut, n_cut, root(a, n, level[l], x[i], x[i + 1]));
            *n_crossing += l % 2 == 0;
        }
    }
    return n_cut;
}

/* ---- integrals ---- */

static double piece(const rh_pump *p, const double *a, int n, const double on[2], double from, double to) {
    static const double X[GAUSS] = { 0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263 },
                        W[GAUSS] = { 0.17392742256872692, 0.32607257743127307, 0.32607257743127307,
                                     0.17392742256872692 };
    double sum = 0;
    for (int i = 0; i < GAUSS; i++) {
        const double x = from + X[i] * (to - from);
        sum += W[i] * (on[0] + (on[1] - on[0]) * x) * rh_pump_current(p, value(a, n, x));
    }
    return sum * (to - from);
}

static int write_in_pieces(const rh_pump *p, const rh_scheme *q, const double *v, const double on[2],
                           double area[RH_NODES]) {
    double a[RH_NODES], cut[MAX_CUT];
    int n_crossing = 0;
    for (int m = 0; m < q->n; m++) {
        a[m] = 0;
        for (int j = 0; j < q->n; j++) a[m] += q->power[m][j] * v[j];
    }
    memcpy(cut, q->c, sizeof(double) * (size_t)q->n);
    const int n_cut = crossings(p, a, q->n, cut, q->n, &n_crossing);
    double sum = 0;
    for (int i = 1, node = 1; i < n_cut; i++) {
        if (cut[i] > cut[i - 1]) sum += piece(p, a, q->n, on, cut[i - 1], cut[i]);
        if (node < q->n && cut[i] == q->c[node]) area[node++] = sum;
    }
    area[q->n - 1] = sum;
    return n_crossing;
}

static void write_smoothly(const rh_pump *p, const rh_scheme *q, const double *v, const double on[2],
                           double area[RH_NODES], double *top) {
    double z[RH_NODES];
    *top = 0;
    for (int j = 0; j < q->n; j++) {
        z[j] = (on[0] + (on[1] - on[0]) * q->c[j]) * rh_pump_current(p, v[j]);
        *top += q->top[j] * z[j];
    }
    for (int i = 1; i < q->n; i++) {
        area[i] = 0;
        for (int j = 0; j < q->n; j++) area[i] += q->area[i][j] * z[j];
    }
}

int rh_pump_write(const rh_pump *p, const rh_scheme *q, const double *u, int stride, const double on[2],
                  double area[RH_NODES], double *top, double *gap) {
    double v[RH_NODES], low = INFINITY, high = -INFINITY;
    *top = *gap = 0;
    for (int j = 0; j < q->n; j++) {
        v[j] = u[(size_t)j * (size_t)stride];
        area[j] = 0;
    }
    if (!(on[0] > 0 || on[1] > 0)) return 0;
    if (p->kind != RH_DEAD_ZONE) {
        write_smoothly(p, q, v, on, area, top);
        return 0;
    }
    for (int i = 0; i < q->n; i++) {
        double b = 0;
        for (int j = 0; j < q->n; j++) b += q->hull[i][j] * v[j];
        low = fmin(low, b);
        high = fmax(high, b);
    }
    if (low >= -p->shut && high <= p->shut) {
        for (int j = 0; j < q->n; j++) *top += q->top[j] * v[j];
        *gap = fmin(p->shut - high, p->shut + low);
        return 0;
    }
    if (low >= p->open || high <= -p->open) {
        write_smoothly(p, q, v, on, area, top);
        return 0;
    }
    for (int j = 0; j < q->n; j++) *top += q->top[j] * v[j];
    return write_in_pieces(p, q, v, on, area);
}
