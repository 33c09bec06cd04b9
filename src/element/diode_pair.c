/* diode_pair.c: two equal diodes, one each way: i = 2 Is sinh(v/(N Vt)). */
#include "element/junction.h"
#include "element/kinds.h"

static const rh_par PAR[] = {
    { "is", "A", 1e-14, 1e-40, 1e3, "saturation current of each", RH_OF_MODEL, NULL },
    { "n", "1", 1, 0.05, 100, "emission coefficient", RH_OF_MODEL, NULL },
    { "area", "1", 1, 1e-9, 1e9, "area factor", RH_OF_ELEMENT, NULL },
};
enum { IS, N, AREA };
static const double MOST = 80; /* times N Vt: the tangent from there on */

static void eval(const double *par, const double *v, rh_flow *out) {
    const double nvt = par[N] * RH_VT, is2 = 2 * par[IS] * par[AREA], x = (v[0] - v[1]) / nvt;
    const double y = fmin(fmax(x, -MOST), MOST), g = is2 * cosh(y) / nvt, i = is2 * sinh(y) + g * nvt * (x - y);
    out->i[0] = i;
    out->i[1] = -i;
    out->g[0][0] = out->g[1][1] = g;
    out->g[0][1] = out->g[1][0] = -g;
}

static void limit(const double *par, const double *from, double *to) {
    const double old = from[0] - from[1], want = to[0] - to[1], side = want < 0 ? -1 : 1;
    const double get = rh_junction_limit(par[IS] * par[AREA], par[N] * RH_VT, side * old, side * want);
    if (get != side * want) to[0] = to[1] + side * get;
}

static void express(const double *par, const char *const *node, rh_buf *out) {
    const double nvt = par[N] * RH_VT;
    rh_buf_number(out, par[IS] * par[AREA]);
    for (int side = 0; side < 2; side++) {
        rh_buf_printf(out, "%sexp(min((%s-(%s))*", side ? "-" : "*(", node[side], node[!side]);
        rh_buf_number(out, 1 / nvt);
        rh_buf_puts(out, ",80))");
    }
    rh_buf_puts(out, ")");
}

const rh_kind rh_diode_pair = { .letter = 'D',
                                .name = "antiparallel diodes",
                                .what = "two equal diodes, one each way",
                                .value_name = "model",
                                .unit = "",
                                .n_term = 2,
                                .flags = RH_NONLINEAR,
                                .equation = "i = 2 Is sinh(v/(N Vt))",
                                .par = PAR,
                                .n_par = RH_COUNT(PAR),
                                .path = { 0, 1 },
                                .model = "d",
                                .variant = "antiparallel",
                                .eval = eval,
                                .limit = limit,
                                .express = express };
