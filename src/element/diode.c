/* diode.c: i = Is (e^(v/(N Vt)) - 1). */
#include "element/junction.h"
#include "element/kinds.h"

static const rh_par PAR[] = {
    { "is", "A", 1e-14, 1e-40, 1, "saturation current", false },
    { "n", "1", 1, 0.1, 100, "emission coefficient", false },
};
enum { IS, N };

static void eval(const double *par, const double *v, rh_flow *out) {
    double g;
    const double i = rh_junction(par[IS], par[N] * RH_VT, v[0] - v[1], &g);
    out->i[0] = i;
    out->i[1] = -i;
    out->g[0][0] = out->g[1][1] = g;
    out->g[0][1] = out->g[1][0] = -g;
}

static void limit(const double *par, const double *from, double *to) {
    to[0] = to[1] + rh_junction_limit(par[IS], par[N] * RH_VT, from[0] - from[1], to[0] - to[1]);
}

const rh_kind rh_diode = { .letter = 'D',
                           .name = "diode",
                           .what = "exponential junction",
                           .value_name = "model",
                           .unit = "1",
                           .n_term = 2,
                           .flags = RH_NONLINEAR,
                           .equation = "i = Is (e^((va - vb)/(N Vt)) - 1)",
                           .par = PAR,
                           .n_par = RH_COUNT(PAR),
                           .eval = eval,
                           .limit = limit };
