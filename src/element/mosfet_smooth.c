/* mosfet_smooth.c: transistors in one smooth form for all regions, without bulk.
 * I = S/2 (F(u - Vb) - F(u - Va)), F(x) = (2n ln(1 + e^(x/2n)))^2, u = Vg - VTO, S = KP W/L. Far above threshold it is
 * the square law, far below an exponential with a decade per n ln 10. */
#include "element/kinds.h"
#include "element/smooth.h"

static const rh_par PAR[] = {
    { "vto", "V", 0, -1e3, 1e3, "threshold voltage", RH_OF_MODEL, "vt0" },
    { "kp", "A/V^2", 2e-5, 1e-20, 1e6, "transconductance parameter", RH_OF_MODEL, NULL },
    { "n", "V", 0.0434, 1e-4, 10, "width of the threshold", RH_OF_VARIANT, NULL },
    { "w", "m", 1e-4, 1e-12, 1e3, "channel width", RH_OF_ELEMENT, NULL },
    { "l", "m", 1e-4, 1e-12, 1e3, "channel length", RH_OF_ELEMENT, NULL },
};
enum { VTO, KP, N, W, L };
enum { D, G, S, B };

static double square(double n, double x, double *slope) {
    const double r = 2 * n * rh_softplus(x / (2 * n), slope);
    *slope *= 2 * r;
    return r * r;
}

static void eval(const double *par, double sign, const double *v, rh_flow *out) {
    const double half = par[KP] * par[W] / par[L] / 2, u = sign * (v[G] - par[VTO]);
    double at_s, at_d;
    const double i = half * (square(par[N], u - sign * v[S], &at_s) - square(par[N], u - sign * v[D], &at_d));
    const double to[4] = { [D] = half * at_d, [G] = half * (at_s - at_d), [S] = -half * at_s };
    out->i[D] = sign * i;
    out->i[S] = -sign * i;
    for (int t = 0; t < 4; t++) {
        out->g[D][t] = to[t];
        out->g[S][t] = -to[t];
    }
}

static void eval_n(const double *par, const double *v, rh_flow *out) { eval(par, 1, v, out); }
static void eval_p(const double *par, const double *v, rh_flow *out) { eval(par, -1, v, out); }

/* (max(y,0)+ln(1+exp(-abs(y))))^2 with y = (u - v)/2n, as a product: powers lose their sign in some programs. */
static void put_square(const double *par, double sign, const char *gate, const char *end, rh_buf *out) {
    rh_buf y = { 0 };
    rh_buf_printf(&y, "((%s-(%s)-(", gate, end);
    rh_buf_number(&y, par[VTO]);
    rh_buf_puts(&y, "))*(");
    rh_buf_number(&y, sign / (2 * par[N]));
    rh_buf_puts(&y, "))");
    for (int k = 0; k < 2 && !y.bad; k++)
        rh_buf_printf(out, "%s(max(%s,0)+ln(1+exp(-abs(%s))))", k ? "*" : "", y.s, y.s);
    out->bad = out->bad || y.bad;
    rh_buf_free(&y);
}

static void express(const double *par, double sign, const char *const *node, rh_buf *out) {
    rh_buf_number(out, sign * 2 * par[N] * par[N] * par[KP] * par[W] / par[L]);
    rh_buf_puts(out, "*(");
    put_square(par, sign, node[G], node[S], out);
    rh_buf_puts(out, "-");
    put_square(par, sign, node[G], node[D], out);
    rh_buf_puts(out, ")");
}

static void express_n(const double *par, const char *const *node, rh_buf *out) { express(par, 1, node, out); }
static void express_p(const double *par, const char *const *node, rh_buf *out) { express(par, -1, node, out); }

#define SMOOTH(channel_, model_, more_, eval_, express_)                                                            \
    {                                                                                                               \
        .letter = 'M', .name = "smooth transistor (" channel_ ")",                                                  \
        .what = "one form for all regions, no bulk; its gate voltage may learn", .value_name = "model", .unit = "", \
        .n_term = 4, .flags = RH_NONLINEAR | RH_ONE_WAY | RH_LEARNABLE | (more_),                                   \
        .equation = "i = S/2 (F(u - vs) - F(u - vd)), F(x) = (2n ln(1 + e^(x/2n)))^2", .par = PAR,                  \
        .n_par = RH_COUNT(PAR), .path = { D, S }, .model = model_, .variant = "smooth", .eval = eval_,              \
        .express = express_                                                                                         \
    }

const rh_kind rh_smooth_nmos = SMOOTH("N", "nmos", 0, eval_n, express_n);
const rh_kind rh_smooth_pmos = SMOOTH("P", "pmos", RH_FALLING, eval_p, express_p);
