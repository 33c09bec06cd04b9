/* waveform.c: sources as functions of time, as SPICE defines them.
 *
 * Values and corners come from the same expressions, so that a source has exactly its corner value at a corner. The
 * n-th period begins at td + n per, rounded once (fma): nothing adds up, however far out. */
#include "circuit/circuit.h"

#include <math.h>

static const double TWO_PI = 6.283185307179586;
/* Parts of a pulse may exceed the period by rounding of decimal numbers. */
static const double FITS = 1 + 1e-9;

const char *const RH_WAVE_NAMES[] = { "PULSE", "SIN", "EXP", "PWL" };

/* The parameter, or what stands for one that is not given. Where zero_too, 0 counts as not given. */
static double par(const rh_wave *w, int k, double otherwise, bool zero_too) {
    return k >= w->n_par || (zero_too && w->par[k] == 0) ? otherwise : w->par[k];
}

/* V1 V2 TD TR TF PW PER */
static void complete_pulse(rh_wave *w, const rh_wave *g, double step) {
    w->par[2] = par(g, 2, 0, false);
    w->par[3] = par(g, 3, step, true);
    w->par[4] = par(g, 4, step, true);
    w->par[5] = par(g, 5, INFINITY, true);
    w->par[6] = par(g, 6, INFINITY, true);
}

/* VO VA FREQ TD THETA PHASE */
static void complete_sin(rh_wave *w, const rh_wave *g, double stop) {
    w->par[2] = par(g, 2, 1 / stop, true);
    for (int k = 3; k < 6; k++) w->par[k] = par(g, k, 0, false);
}

/* V1 V2 TD1 TAU1 TD2 TAU2 */
static void complete_exp(rh_wave *w, const rh_wave *g, double step) {
    w->par[2] = par(g, 2, 0, false);
    w->par[3] = par(g, 3, step, true);
    w->par[4] = par(g, 4, w->par[2] + step, true);
    w->par[5] = par(g, 5, step, true);
}

rh_wave rh_wave_complete(const rh_wave *given, double step, double stop) {
    rh_wave w = *given;
    w.n_par = RH_WAVE_PAR;
    if (w.kind == RH_WAVE_PULSE) complete_pulse(&w, given, step);
    if (w.kind == RH_WAVE_SIN) complete_sin(&w, given, stop);
    if (w.kind == RH_WAVE_EXP) complete_exp(&w, given, step);
    if (w.kind == RH_WAVE_PWL) {
        w.par[0] = par(given, 0, 0, false);
        w.par[1] = par(given, 1, -1, false);
    }
    return w;
}

bool rh_wave_fits(const rh_wave *w) {
    if (w->kind != RH_WAVE_PULSE || w->par[6] == INFINITY) return true;
    return w->par[3] + w->par[4] + w->par[5] <= w->par[6] * FITS;
}

/* ---- PULSE ---- */

/* Corner k of period n: begin, top, end of the top, bottom. */
static double pulse_corner(const double *p, double n, int k) {
    const double offset = p[2] + (k > 0 ? p[3] : 0) + (k > 1 ? p[5] : 0) + (k > 2 ? p[4] : 0);
    return n > 0 ? fma(n, p[6], offset) : offset;
}

/* The period that t lies in. */
static double pulse_period(const double *p, double t) {
    if (p[6] == INFINITY || !(t > p[2])) return 0;
    double n = floor((t - p[2]) / p[6]);
    if (n > 0 && pulse_corner(p, n, 0) > t) n--;
    if (pulse_corner(p, n + 1, 0) <= t) n++;
    return n;
}

static double pulse_value(const double *p, double t) {
    const double n = pulse_period(p, t), begin = pulse_corner(p, n, 0), top = pulse_corner(p, n, 1);
    const double fall = pulse_corner(p, n, 2), bottom = pulse_corner(p, n, 3);
    if (t <= begin || t >= bottom) return p[0];
    if (t < top) return p[0] + (p[1] - p[0]) * ((t - begin) / (top - begin));
    if (t <= fall) return p[1];
    return p[1] + (p[0] - p[1]) * ((t - fall) / (bottom - fall));
}

static double pulse_next(const double *p, double t) {
    const double n = pulse_period(p, t);
    for (int k = 0; k < 4; k++)
        if (pulse_corner(p, n, k) > t) return pulse_corner(p, n, k);
    if (p[6] == INFINITY) return INFINITY;
    const double next = pulse_corner(p, n + 1, 0);
    return next > t ? next : nextafter(t, INFINITY); /* a period below the rounding of t */
}

/* ---- SIN and EXP ---- */

static double sin_value(const double *p, double t) {
    const double u = t > p[3] ? t - p[3] : 0, phase = p[5] / 360;
    const double turns = p[2] * u, rest = fma(p[2], u, -turns); /* whole turns are taken off without rounding */
    const double angle = TWO_PI * ((turns - floor(turns)) + rest + (phase - floor(phase)));
    return p[0] + p[1] * sin(angle) * (p[4] != 0 ? exp(-u * p[4]) : 1);
}

static double exp_value(const double *p, double t) {
    double v = p[0];
    if (t > p[2]) v -= (p[1] - p[0]) * expm1(-(t - p[2]) / p[3]);
    if (t > p[4]) v += (p[1] - p[0]) * expm1(-(t - p[4]) / p[5]);
    return v;
}

static double exp_next(const double *p, double t) { return t < p[2] ? p[2] : t < p[4] ? p[4] : INFINITY; }

/* ---- PWL: par[0] is the delay, par[1] the time from which it repeats, or -1 ---- */

/* Times of the function at t and of the beginning of its present repetition: time = *origin + table time. */
static double pwl_time(const rh_wave *w, const double (*at)[2], double t, double *origin) {
    const double last = at[w->n_point - 1][0], from = w->par[1], period = last - from;
    *origin = w->par[0];
    if (from < 0 || !(t - w->par[0] > last)) return t - w->par[0];
    double n = floor((t - w->par[0] - from) / period);
    if (fma(n, period, w->par[0] + from) > t) n--;
    if (fma(n + 1, period, w->par[0] + from) <= t) n++;
    *origin = fma(n, period, w->par[0]);
    return fmin(fmax(t - *origin, from), last);
}

/* Number of points at or before u. */
static int pwl_count(const double (*at)[2], int n, double u) {
    int lo = 0, hi = n;
    while (lo < hi) {
        const int mid = lo + (hi - lo) / 2;
        if (at[mid][0] <= u)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static double pwl_value(const rh_wave *w, const double (*at)[2], double t) {
    double origin;
    const double u = pwl_time(w, at, t, &origin);
    const int k = pwl_count(at, w->n_point, u);
    if (k == 0) return at[0][1];
    if (k == w->n_point) return at[k - 1][1];
    const double share = (u - at[k - 1][0]) / (at[k][0] - at[k - 1][0]);
    return at[k - 1][1] + share * (at[k][1] - at[k - 1][1]);
}

static double pwl_next(const rh_wave *w, const double (*at)[2], double t) {
    double origin;
    const double u = pwl_time(w, at, t, &origin);
    for (int k = pwl_count(at, w->n_point, u); k < w->n_point; k++)
        if (origin + at[k][0] > t) return origin + at[k][0]; /* the sum may have been rounded down to t */
    if (w->par[1] < 0) return INFINITY;
    const double period = at[w->n_point - 1][0] - w->par[1];
    for (int k = pwl_count(at, w->n_point, w->par[1]); k < w->n_point; k++)
        if (origin + period + at[k][0] > t) return origin + period + at[k][0];
    return INFINITY; /* the period is lost in the rounding of t */
}

/* ---- all of them ---- */

double rh_wave_value(const rh_wave *w, const double (*point)[2], double t) {
    switch (w->kind) {
    case RH_WAVE_PULSE: return pulse_value(w->par, t);
    case RH_WAVE_SIN: return sin_value(w->par, t);
    case RH_WAVE_EXP: return exp_value(w->par, t);
    case RH_WAVE_PWL: break;
    }
    return pwl_value(w, point + w->first, t);
}

double rh_wave_next_corner(const rh_wave *w, const double (*point)[2], double t) {
    switch (w->kind) {
    case RH_WAVE_PULSE: return pulse_next(w->par, t);
    case RH_WAVE_SIN: return t < w->par[3] ? w->par[3] : INFINITY;
    case RH_WAVE_EXP: return exp_next(w->par, t);
    case RH_WAVE_PWL: break;
    }
    return pwl_next(w, point + w->first, t);
}
