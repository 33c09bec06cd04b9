/* nudges.c: what a nudge of level h does at the outputs, as currents y into them. A new nudge is one row. */
#include "learn/internal.h"

#include <math.h>

static rheo_status no_answer(const char *nudge, double h, rheo_error *err) {
    rheo_status st =
        rh_fail(err, RHEO_E_SINGULAR, 310, RH_NOWHERE, "the %s nudge at level %g has no unique solution", nudge, h);
    rh_hint(err,
            "two outputs that are one node, or a negative nudge that cancels the network: change strength or outputs");
    return st;
}

/* A conductance h*strength from each output to a source at free output + pull:
 * y = h beta (v_free + pull - v), v = v_free + Zoo y, so (1 + h beta Zoo) y = h beta pull. */
static rheo_status conductance(const rh_learner *l, rh_lane *w, double h, double *y, rheo_error *err) {
    const int n = l->n_grip;
    const double beta = h * l->def.strength;
    if (n == 1) {
        const double d = 1 + beta * w->zoo[0];
        y[0] = beta * w->grip[0] / d;
        return isfinite(y[0]) ? RHEO_OK : no_answer("conductance", h, err);
    }
    for (int r = 0; r < n; r++) {
        for (int c = 0; c < n; c++) w->lu[r * (n + 1) + c] = (r == c) + beta * w->zoo[r * n + c];
        w->lu[r * (n + 1) + n] = beta * w->grip[r];
    }
    return rh_dense_solve(n, w->lu, y) ? RHEO_OK : no_answer("conductance", h, err);
}

/* Equilibrium propagation, first order: y = h beta pull. Scellier & Bengio, Front. Comput. Neurosci. 11, 24 (2017). */
static rheo_status current(const rh_learner *l, rh_lane *w, double h, double *y, rheo_error *err) {
    (void)err;
    for (int o = 0; o < l->n_grip; o++) y[o] = h * l->def.strength * w->grip[o];
    return RHEO_OK;
}

/* Coupled learning: outputs held at v_free + h eta pull, so Zoo y = h eta pull. Stern et al., Phys. Rev. X 11, 021045
 * (2021). */
static rheo_status voltage(const rh_learner *l, rh_lane *w, double h, double *y, rheo_error *err) {
    const int n = l->n_grip;
    for (int r = 0; r < n; r++) {
        for (int c = 0; c < n; c++) w->lu[r * (n + 1) + c] = w->zoo[r * n + c];
        w->lu[r * (n + 1) + n] = h * l->def.strength * w->grip[r];
    }
    return rh_dense_solve(n, w->lu, y) ? RHEO_OK : no_answer("voltage", h, err);
}

const rh_nudge RH_NUDGE_TABLE[] = {
    { "conductance",
      { "soft clamp: a conductance to the target", "for tcl and for machines: one resistor per output does it" },
      false,
      conductance },
    { "current",
      { "a current in proportion to the error of the free state",
        "for eqprop, holomorphic and frequency: the nudge of the theory" },
      true,
      current },
    { "voltage",
      { "hard clamp: the output is held part of the way to the target",
        "for coupled learning; strength is a share, the same in every circuit" },
      true,
      voltage },
};
const char *const RH_NUDGES[] = { "conductance", "current", "voltage", NULL };

rh_meaning rh_nudge_meaning(int nudge) { return RH_NUDGE_TABLE[nudge].meaning; }
