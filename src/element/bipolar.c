/* bipolar.c: bipolar transistors at direct current.
 * Source: Gummel and Poon, Bell Syst. Tech. J. 49, 827 (1970), as in SPICE2: transport current over a base charge that
 * the Early effect and high injection change, ideal and leakage currents of both junctions. Without VAF, VAR, IKF, IKR,
 * ISE and ISC it is the model of Ebers and Moll. No resistances, no substrate. */
#include "element/junction.h"
#include "element/kinds.h"

static const rh_par PAR[] = {
    { "is", "A", 1e-16, 1e-40, 1e3, "transport saturation current", RH_OF_MODEL, NULL },
    { "bf", "1", 100, 1e-6, 1e9, "forward current gain", RH_OF_MODEL, NULL },
    { "br", "1", 1, 1e-6, 1e9, "reverse current gain", RH_OF_MODEL, NULL },
    { "nf", "1", 1, 0.05, 100, "forward emission coefficient", RH_OF_MODEL, NULL },
    { "nr", "1", 1, 0.05, 100, "reverse emission coefficient", RH_OF_MODEL, NULL },
    { "vaf", "V", 0, 0, 1e9, "forward Early voltage, 0: none", RH_OF_MODEL, "va" },
    { "var", "V", 0, 0, 1e9, "reverse Early voltage, 0: none", RH_OF_MODEL, "vb" },
    { "ikf", "A", 0, 0, 1e9, "knee of the forward gain, 0: none", RH_OF_MODEL, "ik" },
    { "ikr", "A", 0, 0, 1e9, "knee of the reverse gain, 0: none", RH_OF_MODEL, NULL },
    { "ise", "A", 0, 0, 1e3, "leakage of the emitter junction", RH_OF_MODEL, NULL },
    { "ne", "1", 1.5, 0.05, 100, "its emission coefficient", RH_OF_MODEL, NULL },
    { "isc", "A", 0, 0, 1e3, "leakage of the collector junction", RH_OF_MODEL, NULL },
    { "nc", "1", 2, 0.05, 100, "its emission coefficient", RH_OF_MODEL, NULL },
    { "area", "1", 1, 1e-9, 1e9, "area factor", RH_OF_ELEMENT, NULL },
};
enum { IS, BF, BR, NF, NR, VAF, VAR, IKF, IKR, ISE, NE, ISC, NC, AREA };
enum { C, B, E, N_TERM };
enum { BY_BE, BY_BC, N_BY };

static const char *const CHARGE[] = { "cje", "cjc", "cjs", "csub", "ccs", "tf", "tr", NULL };
static const char *const IDLE[] = { "vje",  "pe",   "mje", "me",   "xtf",  "vtf",      "itf", "ptf",
                                    "vjc",  "pc",   "mjc", "mc",   "xcjc", "vjs",      "ps",  "mjs",
                                    "ms",   "xtb",  "eg",  "xti",  "kf",   "af",       "fc",  "tnom",
                                    "tref", "type", "mfg", "subs", "vceo", "icrating", NULL };
static const char *const ABSENT[] = { "rb",    "irb", "rbm", "re",  "rc", "rco", "vo",
                                      "gamma", "qco", "nkf", "iss", "ns", NULL };

/* A current and its slopes by the voltages of the two junctions. */
typedef struct branch {
    double i, by[N_BY];
} branch;

/* x, but where it comes near 0 a hyperbola that meets it and never gets there. */
static double above_zero(double x, double *slope) {
    static const double NEAR = 0.1;
    const double y = x >= NEAR ? x : NEAR * NEAR / (2 * NEAR - x);
    *slope = x >= NEAR ? 1 : y * y / (NEAR * NEAR);
    return y;
}

static branch junction(double is, double n, double v, int by) {
    branch b = { 0 };
    if (is > 0) b.i = rh_junction(is, n * RH_VT, v, &b.by[by]);
    return b;
}

/* 1/q_b: 1/q_b = (1 - vbc/VAF - vbe/VAR) 2/(1 + sqrt(1 + 4 (if/IKF + ir/IKR))). */
static branch inverse_charge(const double *par, const branch *f, const branch *r, double vbe, double vbc) {
    const double per_af = par[VAF] > 0 ? 1 / par[VAF] : 0, per_ar = par[VAR] > 0 ? 1 / par[VAR] : 0;
    const double kf = par[IKF] > 0 ? 1 / (par[IKF] * par[AREA]) : 0, kr = par[IKR] > 0 ? 1 / (par[IKR] * par[AREA]) : 0;
    double early_slope, inside_slope;
    const double early = above_zero(1 - vbc * per_af - vbe * per_ar, &early_slope);
    const double inside = above_zero(1 + 4 * (f->i * kf + r->i * kr), &inside_slope);
    const double root = sqrt(inside), knee = 2 / (1 + root), by_inside = -inside_slope * knee / ((1 + root) * 2 * root);
    return (branch){ .i = early * knee,
                     .by = { [BY_BE] = early * by_inside * 4 * f->by[BY_BE] * kf - early_slope * per_ar * knee,
                             [BY_BC] = early * by_inside * 4 * r->by[BY_BC] * kr - early_slope * per_af * knee } };
}

static void put(rh_flow *out, int terminal, double sign, double i, double by_be, double by_bc) {
    out->i[terminal] = sign * i;
    out->g[terminal][B] = by_be + by_bc;
    out->g[terminal][E] = -by_be;
    out->g[terminal][C] = -by_bc;
}

static void eval(const double *par, double sign, const double *v, rh_flow *out) {
    const double vbe = sign * (v[B] - v[E]), vbc = sign * (v[B] - v[C]), area = par[AREA];
    const branch f = junction(area * par[IS], par[NF], vbe, BY_BE), r = junction(area * par[IS], par[NR], vbc, BY_BC);
    const branch le = junction(area * par[ISE], par[NE], vbe, BY_BE),
                 lc = junction(area * par[ISC], par[NC], vbc, BY_BC);
    const branch q = inverse_charge(par, &f, &r, vbe, vbc);
    /* From collector to emitter, base to emitter, base to collector: no current is the small difference of large ones.
     */
    const double transport = f.i - r.i;
    const branch ce = { transport * q.i,
                        { f.by[BY_BE] * q.i + transport * q.by[BY_BE], transport * q.by[BY_BC] - r.by[BY_BC] * q.i } };
    const branch be = { f.i / par[BF] + le.i, { f.by[BY_BE] / par[BF] + le.by[BY_BE], 0 } };
    const branch bc = { r.i / par[BR] + lc.i, { 0, r.by[BY_BC] / par[BR] + lc.by[BY_BC] } };
    put(out, B, sign, be.i + bc.i, be.by[BY_BE], bc.by[BY_BC]);
    put(out, C, sign, ce.i - bc.i, ce.by[BY_BE], ce.by[BY_BC] - bc.by[BY_BC]);
    put(out, E, sign, -(ce.i + be.i), -(ce.by[BY_BE] + be.by[BY_BE]), -ce.by[BY_BC]);
}

/* Each junction by itself, as seen from the base. */
static void limit(const double *par, double sign, const double *from, double *to) {
    for (int t = C; t <= E; t += E - C) {
        const double nvt = par[t == E ? NF : NR] * RH_VT, want = sign * (to[B] - to[t]);
        const double get = rh_junction_limit(par[AREA] * par[IS], nvt, sign * (from[B] - from[t]), want);
        if (get != want) to[t] = to[B] - sign * get;
    }
}

/* ngspice 39 multiplies the transport current of the collector junction by the area twice. */
static bool fold(const double *par, double *model) {
    memcpy(model, par, RH_COUNT(PAR) * sizeof(*par));
    static const int SCALED[] = { IS, IKF, IKR, ISE, ISC };
    for (int k = 0; k < RH_COUNT(SCALED); k++) model[SCALED[k]] *= par[AREA];
    model[AREA] = 1;
    return par[AREA] != 1;
}

static void eval_n(const double *par, const double *v, rh_flow *out) { eval(par, 1, v, out); }
static void eval_p(const double *par, const double *v, rh_flow *out) { eval(par, -1, v, out); }
static void limit_n(const double *par, const double *from, double *to) { limit(par, 1, from, to); }
static void limit_p(const double *par, const double *from, double *to) { limit(par, -1, from, to); }

#define BIPOLAR(type_, model_, eval_, limit_)                                                                      \
    {                                                                                                              \
        .letter = 'Q', .name = "bipolar transistor (" type_ ")",                                                   \
        .what = "collector, base, emitter; Early effect and high injection", .value_name = "model", .unit = "",    \
        .n_term = N_TERM, .flags = RH_NONLINEAR | RH_ONE_WAY | RH_JOINED, .equation = "ic = (if - ir)/qb - ir/BR", \
        .par = PAR, .n_par = RH_COUNT(PAR), .path = { C, E }, .model = model_, .charge = CHARGE, .idle = IDLE,     \
        .absent = ABSENT, .eval = eval_, .limit = limit_, .fold = fold                                             \
    }

const rh_kind rh_npn = BIPOLAR("NPN", "npn", eval_n, limit_n);
const rh_kind rh_pnp = BIPOLAR("PNP", "pnp", eval_p, limit_p);
