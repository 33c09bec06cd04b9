/* newton_outside.c: operating points by ngspice, with something pulling at the outputs. */
#include "solver/newton_inside.h"

#include <math.h>

enum { MOST_OUTSIDE = 20 };
static const double MET = 1e-11;  /* of the potentials and currents there: how well the outputs meet what pulls them */
static const double STIFF = 1e-2; /* of what an output answers with: the resistor behind which it is held */

/* What pulls at an output while ngspice looks for a point: w->target behind w->ohm. NULL: nothing does. */
static rheo_status ask(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    for (int o = 0; load && o < load->n; o++)
        if (rh_ngspice_pull_port(s->outside, load->node[o][0], load->node[o][1]) < 0) return RH_NOMEM(err);
    for (int o = 0; load && o < load->n; o++)
        rh_ngspice_pull(s->outside, rh_ngspice_pull_port(s->outside, load->node[o][0], load->node[o][1]), w->target[o],
                        w->ohm[o]);
    const rheo_status st = rh_ngspice_solve(s->outside, s->g, source, s->v, NULL, err);
    for (int o = 0; load && o < load->n; o++)
        rh_ngspice_pull(s->outside, rh_ngspice_pull_port(s->outside, load->node[o][0], load->node[o][1]), 0,
                        RH_NGSPICE_OPEN);
    if (st != RHEO_OK) return st;
    memset(w->x, 0, (size_t)s->y.n * sizeof(double)); /* unknowns that are currents stay 0 */
    for (int k = 0; k < s->c->n_node; k++)
        if (s->y.unknown[k] >= 0) w->x[s->y.unknown[k]] = s->v[k];
    w->n_iteration++;
    for (int o = 0; load && o < load->n; o++)
        w->out[o] = (w->target[o] - rh_newton_output(s, load, o, w->x)) / w->ohm[o];
    return rh_newton_linearize(s, source, w->x, err);
}

/* v: the output; y: current that is asked for. Behind a resistor about as large as what the output answers with, a
 * voltage source gives any current, and ngspice converges better than with a current source. */
static double behind(const rheo_solver *s, int o, double v, double y) { return v + s->newton.ohm[o] * y; }

/* Where to begin: the resistors, by the tangents at w->x. */
static rheo_status prepare(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    RHEO_TRY(rh_newton_linearize(s, source, w->x, err));
    rh_newton_respond(s, load);
    for (int o = 0; o < load->n; o++) {
        const double z = fabs(rh_newton_output_change(s, load, o, w->zx + (size_t)o * (size_t)s->y.n));
        const double v = load->fixed ? rh_newton_output(s, load, o, w->x) : load->target[o];
        w->ohm[o] = load->ohm > 0 ? load->ohm : fmax(load->fixed ? z : STIFF * z, 1e-6);
        w->target[o] = load->ohm > 0 ? v : behind(s, o, v, w->out[o]);
    }
    return RHEO_OK;
}

/* Largest miss in volts, of the potential that an output shall have, or of what is across its resistor for the current
 * that it shall get; and what to pull with next. */
static bool aim(rheo_solver *s, const rh_load *load, double *miss, double *size) {
    rh_newton *const w = &s->newton;
    const size_t m = (size_t)s->y.n;
    *miss = 0;
    *size = 1e-3;
    memset(w->dx, 0, m * sizeof(double));
    if (!load->fixed && !rh_newton_follow_load(s, load)) return false;
    if (load->fixed) rh_newton_respond(s, load);
    for (int o = 0; o < load->n; o++) {
        const double v = rh_newton_output(s, load, o, w->x);
        double next = load->fixed ? v : load->target[o];
        if (load->fixed) {
            for (int p = 0; p < load->n; p++)
                next += rh_newton_output_change(s, load, o, w->zx + (size_t)p * m) * (load->y[p] - w->out[p]);
        }
        const double off = load->fixed ? (load->y[o] - w->out[o]) * w->ohm[o] : load->target[o] - v;
        w->target[o] = behind(s, o, next, load->fixed ? load->y[o] : w->out[o] + w->dout[o]);
        *miss = fmax(*miss, fabs(off));
        *size = fmax(*size, fabs(v));
    }
    return true;
}

/* ngspice knows nothing of currents that shall flow or of potentials that shall be held: what to pull with is found by
 * Newton's method around it, with rheo's own tangents. A conductance that pulls needs none of that. */
rheo_status rh_newton_search_outside(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    if (!load) return ask(s, source, NULL, err);
    RHEO_TRY(prepare(s, source, load, err));
    for (int k = 0; k < MOST_OUTSIDE; k++) {
        double miss, size;
        RHEO_TRY(ask(s, source, load, err));
        if (!load->fixed && load->ohm > 0) return RHEO_OK;
        if (!aim(s, load, &miss, &size)) break;
        if (miss <= MET * size) return RHEO_OK;
    }
    return rh_fail(err, RHEO_E_NOCONV, 309, RH_NOWHERE,
                   "nothing that pulls at the outputs makes ngspice meet the nudge");
}
