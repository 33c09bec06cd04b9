/* diode.c: i = Is (e^(v/(N Vt)) - 1), behind a series resistance. */
#include "element/junction.h"
#include "element/kinds.h"

static const rh_par PAR[] = {
    { "is", "A", 1e-14, 1e-40, 1e3, "saturation current", RH_OF_MODEL, NULL },
    { "n", "1", 1, 0.05, 100, "emission coefficient", RH_OF_MODEL, NULL },
    { "rs", "ohm", 0, 0, 1e12, "series resistance", RH_OF_MODEL, NULL },
    { "area", "1", 1, 1e-9, 1e9, "area factor", RH_OF_ELEMENT, NULL },
};
enum { IS, N, RS, AREA };

static const char *const CHARGE[] = { "cjo", "cj0", "cj", "cjp", "cjsw", "tt", NULL };
static const char *const IDLE[] = { "vj",   "pb",   "php",  "m",    "mj",       "mjsw", "fc",   "fcs",  "eg",
                                    "xti",  "tnom", "kf",   "af",   "tref",     "trs",  "trs1", "trs2", "tm1",
                                    "tm2",  "ttt1", "ttt2", "cta",  "ctp",      "tpb",  "tphp", "tlev", "tlevc",
                                    "iave", "vpk",  "mfg",  "type", "icrating", NULL };
static const char *const ABSENT[] = { "bv", "ibv", "nbv", "tcv",       "ik",   "ikf",    "ikr",  "isr", "nr",
                                      "js", "jsw", "ns",  "tunneling", "jtun", "jtunsw", "ntun", NULL };

/* One diode as it stands in the circuit. */
typedef struct device {
    double is, nvt, rs;
} device;

static device scaled(const double *par) { return (device){ par[IS] * par[AREA], par[N] * RH_VT, par[RS] / par[AREA] }; }

/* The voltage x of the junction alone: x + rs i(x) = v. The left side rises and is convex, so Newton's method from
 * above comes down to the root. */
static double inner(const device *d, double v) {
    if (d->rs == 0) return v;
    double g, x = v, i;
    if (v > 0)
        x = fmin(v, d->nvt * log1p(v / (d->rs * d->is)));
    else {
        i = rh_junction(d->is, d->nvt, v, &g);
        x = fmin(v - d->rs * i / (1 + d->rs * g), 0);
    }
    for (int k = 0; k < 100; k++) {
        i = rh_junction(d->is, d->nvt, x, &g);
        const double next = x - (x + d->rs * i - v) / (1 + d->rs * g);
        if (!(next < x)) break;
        x = next;
    }
    return x;
}

static void eval(const double *par, const double *v, rh_flow *out) {
    const device d = scaled(par);
    double g;
    const double i = rh_junction(d.is, d.nvt, inner(&d, v[0] - v[1]), &g);
    g /= 1 + d.rs * g;
    out->i[0] = i;
    out->i[1] = -i;
    out->g[0][0] = out->g[1][1] = g;
    out->g[0][1] = out->g[1][0] = -g;
}

/* What the junction alone would see is limited; the resistor adds its share to that. */
static void limit(const double *par, const double *from, double *to) {
    const device d = scaled(par);
    const double old = from[0] - from[1], x = inner(&d, old);
    double g;
    rh_junction(d.is, d.nvt, x, &g);
    const double want = x + (to[0] - to[1] - old) / (1 + d.rs * g);
    const double get = rh_junction_limit(d.is, d.nvt, x, want);
    if (get == want) return;
    to[0] = to[1] + get + d.rs * rh_junction(d.is, d.nvt, get, &g);
}

const rh_kind rh_diode = { .letter = 'D',
                           .name = "diode",
                           .what = "exponential junction behind a resistance",
                           .value_name = "model",
                           .unit = "",
                           .n_term = 2,
                           .flags = RH_NONLINEAR,
                           .equation = "i = Is (e^((v - Rs i)/(N Vt)) - 1)",
                           .par = PAR,
                           .n_par = RH_COUNT(PAR),
                           .path = { 0, 1 },
                           .model = "d",
                           .charge = CHARGE,
                           .idle = IDLE,
                           .absent = ABSENT,
                           .eval = eval,
                           .limit = limit };
