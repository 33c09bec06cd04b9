/* memristor.c: resistors whose state x, from 0 (ROFF) to 1 (RON), moves in time.
 *
 * A netlist has a resistor of the present value. These rows are what stands in its place while time passes: the current
 * from terminal 0 to 1, and into the capacitor of 1 F between terminals 2 and 3, whose voltage is x, the current x'.
 * Strukov, Snider, Stewart & Williams, Nature 453, 80 (2008); Joglekar & Wolf, Eur. J. Phys. 30, 661 (2009);
 * Kvatinsky, Ramadan, Friedman & Kolodny, IEEE Trans. Circuits Syst. II 62, 786 (2015). */
#include "element/memristor.h"
#include "element/kinds.h"

#include <math.h>

/* A number and how it follows drop and state. */
typedef struct moving {
    double x, by_v, by_x;
} moving;

/* Share of the range over which x comes to a stop at its ends. */
static const double EDGE = 1e-6;

/* 1 inside, 0 beyond an end that is y away. */
static double brake(double y, double *slope) {
    *slope = y > 0 && y < EDGE ? 1 / EDGE : 0;
    return fmin(fmax(y / EDGE, 0), 1);
}

/* R linear in x. Newton may look beyond x = 1: there R levels off at half of RON. */
static double by_resistance(const double *par, double x, double *slope) {
    const double off = par[RH_ROFF], on = fmin(par[RH_RON], off), range = off - on;
    const double t = x > 1 ? tanh(2 * (x - 1) * range / on) : 0;
    const double r = x > 1 ? on * (1 - t / 2) : x > 0 ? on * x + off * (1 - x) : off - range * x;
    *slope = range * (1 - t * t) / (r * r);
    return 1 / r;
}

/* 1/R linear in x; below x = 0 it levels off at half of 1/ROFF. */
static double by_conductance(const double *par, double x, double *slope) {
    const double off = 1 / par[RH_ROFF], range = fmax(1 / par[RH_RON] - off, 0);
    const double t = x < 0 ? tanh(2 * x * range / off) : 0;
    *slope = range * (1 - t * t);
    return x < 0 ? off * (1 + t / 2) : off + range * x;
}

static void stamp(const double *v, moving g, moving rate, rh_flow *out) {
    const double drop = v[0] - v[1];
    const double i[2] = { g.x * drop, -rate.x };
    const double by[2][2] = { { g.x, g.by_x * drop }, { -rate.by_v, -rate.by_x } };
    for (int r = 0; r < 4; r++) {
        const double sign = r % 2 ? -1 : 1;
        out->i[r] = sign * i[r / 2];
        for (int c = 0; c < 4; c++) out->g[r][c] = sign * (c % 2 ? -1 : 1) * by[r / 2][c / 2];
    }
}

/* ---- linear drift ---- */

static const rh_par DRIFT[] = {
    { "ron", "ohm", 100, 1e-9, 1e12, "least resistance", RH_OF_VARIANT, NULL },
    { "roff", "ohm", 16e3, 1e-9, 1e12, "largest resistance", RH_OF_VARIANT, NULL },
    { "mu", "m2/(V s)", 1e-14, 1e-30, 1, "mobility of the dopants", RH_OF_VARIANT, NULL },
    { "d", "m", 1e-8, 1e-10, 1, "thickness", RH_OF_VARIANT, NULL },
    { "win", "1", 1, 0, 1, "share of Joglekar's window", RH_OF_VARIANT, NULL },
};
enum { MU = RH_ROFF + 1, D, WIN };

static void drift(const double *par, const double *v, rh_flow *out) {
    const double x = v[2] - v[3], drop = v[0] - v[1], k = par[MU] * par[RH_RON] / (par[D] * par[D]);
    moving g = { 0 };
    g.x = by_resistance(par, x, &g.by_x);
    const double y = 2 * x - 1, open = 1 - par[WIN] * y * y, window = fmax(open, 0);
    double by_end;
    const double stop = brake(drop > 0 ? 1 - x : x, &by_end);
    const double by_x = g.by_x * window * stop + g.x * (open > 0 ? -4 * par[WIN] * y : 0) * stop +
                        g.x * window * (drop > 0 ? -by_end : by_end);
    stamp(v, g,
          (moving){ .x = k * g.x * drop * window * stop, .by_v = k * g.x * window * stop, .by_x = k * drop * by_x },
          out);
}

/* ---- thresholds ---- */

static const rh_par VTEAM[] = {
    { "ron", "ohm", 50, 1e-9, 1e12, "least resistance", RH_OF_VARIANT, NULL },
    { "roff", "ohm", 1e3, 1e-9, 1e12, "largest resistance", RH_OF_VARIANT, NULL },
    { "kon", "m/s", -10, -1e9, 0, "speed at twice von", RH_OF_VARIANT, NULL },
    { "koff", "m/s", 5e-4, 0, 1e9, "speed at twice voff", RH_OF_VARIANT, NULL },
    { "aon", "1", 3, 1, 10, "exponent below von", RH_OF_VARIANT, NULL },
    { "aoff", "1", 1, 1, 10, "exponent above voff", RH_OF_VARIANT, NULL },
    { "von", "V", -0.2, -1e3, -1e-6, "threshold towards ron", RH_OF_VARIANT, NULL },
    { "voff", "V", 0.02, 1e-6, 1e3, "threshold towards roff", RH_OF_VARIANT, NULL },
    { "d", "m", 3e-9, 1e-12, 1, "way from ron to roff", RH_OF_VARIANT, NULL },
};
enum { KON = RH_ROFF + 1, KOFF, AON, AOFF, VON, VOFF, WAY };

/* y^a, a tangent from where numbers would become too large. */
static double power(double y, double a, double *slope) {
    const double most = 1e6, z = fmin(y, most), p = pow(z, a);
    *slope = a * pow(z, a - 1);
    return p + *slope * (y - z);
}

static moving beyond_threshold(const double *par, double drop, double x) {
    const bool off = drop > par[VOFF];
    if (!off && !(drop < par[VON])) return (moving){ 0 };
    const double threshold = par[off ? VOFF : VON], speed = -par[off ? KOFF : KON] / par[WAY];
    double slope, by_end;
    const double p = power(drop / threshold - 1, par[off ? AOFF : AON], &slope);
    const double stop = brake(off ? x : 1 - x, &by_end);
    return (moving){ .x = speed * p * stop,
                     .by_v = speed * slope / threshold * stop,
                     .by_x = speed * p * (off ? by_end : -by_end) };
}

static void vteam(const double *par, const double *v, rh_flow *out) {
    moving g = { 0 };
    g.x = by_resistance(par, v[2] - v[3], &g.by_x);
    stamp(v, g, beyond_threshold(par, v[0] - v[1], v[2] - v[3]), out);
}

/* ---- one that forgets ---- */

static const rh_par VOLATILE[] = {
    { "ron", "ohm", 1e3, 1e-9, 1e12, "least resistance", RH_OF_VARIANT, NULL },
    { "roff", "ohm", 1e5, 1e-9, 1e12, "largest resistance", RH_OF_VARIANT, NULL },
    { "vs", "V", 0.5, 1e-6, 1e6, "voltage that opens it by more than half", RH_OF_VARIANT, NULL },
    { "tau", "s", 1e-3, 1e-15, 1e15, "time in which it forgets", RH_OF_VARIANT, NULL },
};
enum { VS = RH_ROFF + 1, TAU };

static void forgetting(const double *par, const double *v, rh_flow *out) {
    const double x = v[2] - v[3], t = tanh((v[0] - v[1]) / par[VS]), rate = 1 / par[TAU];
    moving g = { 0 };
    g.x = by_conductance(par, x, &g.by_x);
    stamp(v, g, (moving){ .x = rate * (t * t - x), .by_v = rate * 2 * t * (1 - t * t) / par[VS], .by_x = -rate }, out);
}

/* ---- states ---- */

double rh_memristor_state(const rh_kind *kind, const double *par, double ohm) {
    const double x = kind->eval == forgetting ? (1 / ohm - 1 / par[RH_ROFF]) / (1 / par[RH_RON] - 1 / par[RH_ROFF])
                                              : (par[RH_ROFF] - ohm) / (par[RH_ROFF] - par[RH_RON]);
    return fmin(fmax(x, 0), 1);
}

/* Parameters that the card of a plain resistor may have. */
static const char *const IDLE[] = {
    "rsh", "tc1", "tc2", "tce", "defw", "narrow", "short", "tnom", "kf", "af", "r", NULL
};

#define MEMRISTOR(word, long_name, says, how, table, function)                                                  \
    {                                                                                                           \
        .letter = 'R', .name = long_name, .what = says, .value_name = "resistance", .unit = "ohm", .n_term = 4, \
        .flags = RH_NONLINEAR | RH_ONE_WAY | RH_STATE, .equation = how, .par = table, .n_par = RH_COUNT(table), \
        .path = { 0, 1 }, .model = "r", .variant = word, .idle = IDLE, .eval = function                         \
    }
const rh_kind rh_memristor_drift =
    MEMRISTOR("drift", "memristor, linear drift", "a resistor whose state moves with its charge",
              "R = roff + (ron - roff) x, x' = mu ron/d^2 i (1 - win (2x - 1)^2)", DRIFT, drift);
const rh_kind rh_memristor_vteam =
    MEMRISTOR("vteam", "memristor, VTEAM", "a resistor whose state moves beyond two thresholds",
              "R = roff + (ron - roff) x, x' = -koff/d (v/voff - 1)^aoff, -kon/d (v/von - 1)^aon", VTEAM, vteam);
const rh_kind rh_memristor_volatile =
    MEMRISTOR("volatile", "memristor, volatile", "a resistor that a voltage opens and that forgets it",
              "1/R = 1/roff + (1/ron - 1/roff) x, tau x' = tanh(v/vs)^2 - x", VOLATILE, forgetting);
