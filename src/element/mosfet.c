/* mosfet.c: field-effect transistors of level 1, with the junctions of their bulk.
 * Source: Shichman and Hodges, IEEE J. Solid-State Circuits 3, 285 (1968), with the body effect and the limits as in
 * SPICE2. Drain and source change places when the voltage between them changes its sign. */
#include "element/junction.h"
#include "element/kinds.h"

static const rh_par PAR[] = {
    { "vto", "V", 0, -1e3, 1e3, "threshold voltage at zero bulk bias", RH_OF_MODEL, "vt0" },
    { "kp", "A/V^2", 2e-5, 1e-20, 1e6, "transconductance parameter", RH_OF_MODEL, NULL },
    { "gamma", "V^0.5", 0, 0, 1e3, "body effect", RH_OF_MODEL, NULL },
    { "phi", "V", 0.6, 1e-3, 1e2, "surface potential", RH_OF_MODEL, NULL },
    { "lambda", "1/V", 0, 0, 1e3, "channel-length modulation", RH_OF_MODEL, NULL },
    { "is", "A", 1e-14, 1e-40, 1e3, "saturation current of each bulk junction", RH_OF_MODEL, NULL },
    { "w", "m", 1e-4, 1e-12, 1e3, "channel width", RH_OF_ELEMENT, NULL },
    { "l", "m", 1e-4, 1e-12, 1e3, "channel length", RH_OF_ELEMENT, NULL },
};
enum { VTO, KP, GAMMA, PHI, LAMBDA, IS, W, L };
enum { D, G, S, B };

static const char *const CHARGE[] = { "cbd", "cbs", "cgso", "cgdo", "cgbo", "cj", "cjsw", NULL };
static const char *const IDLE[] = {
    "mj", "mjsw", "pb", "fc", "kf", "af", "tnom", "tpg", "gdsnoi", "nlev", "type", NULL
};
static const char *const ABSENT[] = { "rd",   "rs",  "rsh", "ld", "tox", "uo", "u0",
                                      "nsub", "nss", "js",  "wd", "w",   "l",  NULL };

/* Current from drain to source of an N channel, v_ds >= 0, with its slopes. */
typedef struct channel {
    double i, gm, gds, gmb;
} channel;

/* Threshold and its slope by v_bs. Past v_bs = 0 the root goes on as its tangent. */
static double threshold(const double *par, double sign, double vbs, double *slope) {
    const double root = sqrt(par[PHI]), r = vbs <= 0 ? sqrt(par[PHI] - vbs) : root - vbs / (2 * root);
    *slope = -par[GAMMA] / (2 * (vbs <= 0 ? r : root));
    return sign * par[VTO] + par[GAMMA] * (r - root);
}

static channel conduct(const double *par, double sign, double vgs, double vds, double vbs) {
    double by_bulk;
    const double u = vgs - threshold(par, sign, vbs, &by_bulk), k = par[KP] * par[W] / par[L];
    if (!(u > 0)) return (channel){ 0 };
    const double m = 1 + par[LAMBDA] * vds, sat = vds < u ? vds : u, q = sat * (u - sat / 2);
    channel c = { .i = k * m * q, .gm = k * m * sat, .gds = k * (par[LAMBDA] * q + m * (u - sat)) };
    c.gmb = -c.gm * by_bulk;
    return c;
}

static void add_junction(const double *par, double sign, const double *v, int node, rh_flow *out) {
    double g;
    const double i = sign * rh_junction(par[IS], RH_VT, sign * (v[B] - v[node]), &g);
    out->i[B] += i;
    out->i[node] -= i;
    out->g[B][B] += g;
    out->g[node][node] += g;
    out->g[B][node] -= g;
    out->g[node][B] -= g;
}

static void eval(const double *par, double sign, const double *v, rh_flow *out) {
    const bool forward = sign * (v[D] - v[S]) >= 0;
    const int d = forward ? D : S, s = forward ? S : D;
    const channel c = conduct(par, sign, sign * (v[G] - v[s]), sign * (v[d] - v[s]), sign * (v[B] - v[s]));
    const double to[4] = { [D] = forward ? c.gds : -(c.gm + c.gds + c.gmb),
                           [G] = c.gm,
                           [S] = forward ? -(c.gm + c.gds + c.gmb) : c.gds,
                           [B] = c.gmb };
    out->i[d] = sign * c.i;
    out->i[s] = -sign * c.i;
    for (int t = 0; t < 4; t++) {
        out->g[d][t] = to[t];
        out->g[s][t] = -to[t];
    }
    add_junction(par, sign, v, D, out);
    add_junction(par, sign, v, S, out);
}

static double within(double from, double to, double most) { return fmin(fmax(to, from - most), from + most); }

/* The channel is a polynomial of degree two: its voltages may triple. The junctions need their logarithm. */
static void limit(const double *par, double sign, const double *from, double *to) {
    const bool forward = sign * (from[D] - from[S]) >= 0;
    const int d = forward ? D : S, s = forward ? S : D;
    double unused;
    const double vgs = sign * (from[G] - from[s]), vds = sign * (from[d] - from[s]), vbs = sign * (from[B] - from[s]);
    const double over = vgs - threshold(par, sign, vbs, &unused);
    const double new_gs = within(vgs, sign * (to[G] - to[s]), 1 + 2 * fabs(over));
    const double new_ds = within(vds, sign * (to[d] - to[s]), 2 + 2 * vds);
    const double by_s = rh_junction_limit(par[IS], RH_VT, vbs, sign * (to[B] - to[s]));
    const double by_d = rh_junction_limit(par[IS], RH_VT, vbs - vds, by_s - new_ds) + new_ds;
    to[G] = to[s] + sign * new_gs;
    to[d] = to[s] + sign * new_ds;
    to[B] = to[s] + sign * fmin(by_s, by_d);
}

static void eval_n(const double *par, const double *v, rh_flow *out) { eval(par, 1, v, out); }
static void eval_p(const double *par, const double *v, rh_flow *out) { eval(par, -1, v, out); }
static void limit_n(const double *par, const double *from, double *to) { limit(par, 1, from, to); }
static void limit_p(const double *par, const double *from, double *to) { limit(par, -1, from, to); }

#define MOSFET(channel_, model_, more_, eval_, limit_)                                                               \
    {                                                                                                                \
        .letter = 'M', .name = "field-effect transistor (" channel_ ")",                                             \
        .what = "level 1: drain, gate, source, bulk; its gate voltage may learn", .value_name = "model", .unit = "", \
        .n_term = 4, .flags = RH_NONLINEAR | RH_ONE_WAY | RH_LEARNABLE | (more_),                                    \
        .equation = "i = KP W/L ((vgs - Vt) vds - vds^2/2)", .par = PAR, .n_par = RH_COUNT(PAR), .path = { D, S },   \
        .model = model_, .charge = CHARGE, .idle = IDLE, .absent = ABSENT, .eval = eval_, .limit = limit_            \
    }

const rh_kind rh_nmos = MOSFET("N", "nmos", 0, eval_n, limit_n);
const rh_kind rh_pmos = MOSFET("P", "pmos", RH_FALLING, eval_p, limit_p);
