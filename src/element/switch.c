/* switch.c: a resistance that a voltage moves between ROFF and RON, smoothly on a logarithmic scale and without
 * hysteresis. */
#include "element/kinds.h"

#include <math.h>

static const rh_par PAR[] = {
    { "vt", "V", 0, -1e6, 1e6, "control voltage half-way between off and on", RH_OF_MODEL, NULL },
    { "vh", "V", 0, -1e6, 1e6, "half width of the transition, at least 1 mV", RH_OF_MODEL, NULL },
    { "ron", "ohm", 1, 1e-9, 1e15, "resistance when on", RH_OF_MODEL, NULL },
    { "roff", "ohm", 1e12, 1e-9, 1e30, "resistance when off", RH_OF_MODEL, NULL },
};
enum { VT, VH, RON, ROFF };

static double steepness(const double *par) { return 4 / fmax(fabs(par[VH]), 1e-3); }

static void eval(const double *par, const double *v, rh_flow *out) {
    const double k = steepness(par), x = k * (v[2] - v[3] - par[VT]), e = exp(-fabs(x));
    const double share = (x > 0 ? 1 : e) / (1 + e), range = log(par[ROFF] / par[RON]);
    const double g = exp(share * range) / par[ROFF], i = g * (v[0] - v[1]),
                 gm = i * range * k * e / ((1 + e) * (1 + e));
    const double to[4] = { g, -g, gm, -gm };
    out->i[0] = i;
    out->i[1] = -i;
    for (int t = 0; t < 4; t++) {
        out->g[0][t] = to[t];
        out->g[1][t] = -to[t];
    }
}

static void express(const double *par, const char *const *node, rh_buf *out) {
    rh_buf_printf(out, "(%s-(%s))*", node[0], node[1]);
    rh_buf_number(out, 1 / par[ROFF]);
    rh_buf_puts(out, "*exp(");
    rh_buf_number(out, log(par[ROFF] / par[RON]));
    rh_buf_printf(out, "/(1+exp(min(80,(%s-(%s)-(", node[2], node[3]);
    rh_buf_number(out, par[VT]);
    rh_buf_puts(out, "))*(");
    rh_buf_number(out, -steepness(par));
    rh_buf_puts(out, ")))))");
}

static const char *const IDLE[] = { NULL };

const rh_kind rh_switch = { .letter = 'S',
                            .name = "switch",
                            .what = "a resistance that v(c,d) moves from roff to ron",
                            .value_name = "model",
                            .unit = "",
                            .n_term = 4,
                            .flags = RH_NONLINEAR | RH_ONE_WAY,
                            .equation = "i = v/R, ln R from ln roff to ln ron around v(c,d) = vt",
                            .par = PAR,
                            .n_par = RH_COUNT(PAR),
                            .path = { 0, 1 },
                            .model = "sw",
                            .idle = IDLE,
                            .eval = eval,
                            .express = express };
