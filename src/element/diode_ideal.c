/* diode_ideal.c: two slopes that meet at VTH, rounded over a few SOFT. */
#include "element/kinds.h"
#include "element/smooth.h"

static const rh_par PAR[] = {
    { "vth", "V", 0, -1e3, 1e3, "voltage from which it conducts", RH_OF_VARIANT, NULL },
    { "ron", "ohm", 1, 1e-9, 1e12, "resistance above", RH_OF_VARIANT, NULL },
    { "roff", "ohm", 1e9, 1e-9, 1e30, "resistance below", RH_OF_VARIANT, NULL },
    { "soft", "V", 1e-3, 1e-9, 10, "width of the bend", RH_OF_VARIANT, NULL },
    { "area", "1", 1, 1e-9, 1e9, "area factor", RH_OF_ELEMENT, NULL },
};
enum { VTH, RON, ROFF, SOFT, AREA };

static void eval(const double *par, const double *v, rh_flow *out) {
    const double x = v[0] - v[1], off = par[AREA] / par[ROFF], more = par[AREA] / par[RON] - off;
    double slope;
    const double i = off * x + more * par[SOFT] * rh_softplus((x - par[VTH]) / par[SOFT], &slope);
    const double g = off + more * slope;
    out->i[0] = i;
    out->i[1] = -i;
    out->g[0][0] = out->g[1][1] = g;
    out->g[0][1] = out->g[1][0] = -g;
}

static void express(const double *par, const char *const *node, rh_buf *out) {
    const double off = par[AREA] / par[ROFF];
    rh_buf y = { 0 };
    rh_buf_printf(&y, "((%s-(%s)-(", node[0], node[1]);
    rh_buf_number(&y, par[VTH]);
    rh_buf_puts(&y, "))*");
    rh_buf_number(&y, 1 / par[SOFT]);
    rh_buf_puts(&y, ")");
    rh_buf_number(out, off);
    rh_buf_printf(out, "*(%s-(%s))+", node[0], node[1]);
    rh_buf_number(out, (par[AREA] / par[RON] - off) * par[SOFT]);
    if (!y.bad) rh_buf_printf(out, "*(max(%s,0)+ln(1+exp(-abs(%s))))", y.s, y.s);
    out->bad = out->bad || y.bad;
    rh_buf_free(&y);
}

const rh_kind rh_ideal_diode = { .letter = 'D',
                                 .name = "ideal diode",
                                 .what = "two slopes with a soft bend between",
                                 .value_name = "model",
                                 .unit = "",
                                 .n_term = 2,
                                 .flags = RH_NONLINEAR,
                                 .equation = "i = v/Roff + (1/Ron - 1/Roff) soft ln(1 + e^((v - Vth)/soft))",
                                 .par = PAR,
                                 .n_par = RH_COUNT(PAR),
                                 .path = { 0, 1 },
                                 .model = "d",
                                 .variant = "ideal",
                                 .eval = eval,
                                 .express = express };
