/* newton_search.c: ways to an operating point.
 *
 * Plain steps, with limiting. Where they do not settle, steps are shortened until the balance of currents improves.
 * Where that does not help either, every node gets a capacitor and time runs until nothing moves; last, conductances to
 * ground (gmin) or the sources are stepped. */
#include "solver/newton_inside.h"

#include <float.h>
#include <math.h>

enum { PLAIN = 40, DAMPED = 60, STEPS = 40, HALVINGS = 12, MOMENTS = 300, INNER = 12 };
/* Plain steps double the digits: when a step is this small beside the largest potential, the next would be rounding. */
static const double SMALL_STEP = 1e-7;
/* Balance of currents at a node that counts as rounding: a tenth of RH_NEWTON_NEARLY. */
static const double BALANCED = 1e-13;
/* The same for a moment on the way to the answer. */
static const double PASSING = 1e-3;

/* ---- by steps alone ---- */

static void advance(rheo_solver *s, const rh_load *load, double share) {
    rh_newton *const w = &s->newton;
    for (int j = 0; j < s->y.n; j++) w->x[j] += share * w->dx[j];
    for (int o = 0; load && !load->fixed && o < load->n; o++) w->out[o] += share * w->dout[o];
}

/* Converged: currents balance to rounding, or they balance well after a step so small that the next would be rounding.
 */
static bool settled(const rheo_solver *s, double balance, double step) {
    if (s->newton.limited || !(s->newton.volt <= RH_NEWTON_NOWHERE * s->newton.held)) return false;
    if (s->newton.anchor && s->newton.shunt > 0) return balance <= PASSING;
    return balance <= BALANCED || (balance <= RH_NEWTON_NEARLY && step <= SMALL_STEP);
}

/* Up to `most` plain steps with limiting. */
static rheo_status plain(rheo_solver *s, const rh_load *load, int most, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double step = INFINITY;
    for (int k = 0; k <= most; k++) {
        const double balance = rh_newton_assemble(s, load, w->x, w->out, k > 0);
        if (isnan(balance)) return RHEO_E_NOCONV;
        if (k > 0 && settled(s, balance, step)) return RHEO_OK;
        if (k == most) break;
        RHEO_TRY(rh_newton_direction(s, load, err));
        step = rh_newton_step_size(s);
        if (isnan(step)) return RHEO_E_NOCONV;
        advance(s, load, 1);
    }
    return RHEO_E_NOCONV;
}

/* Steps shortened until the balance improves. */
static rheo_status damped(rheo_solver *s, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double step = INFINITY, balance = rh_newton_assemble(s, load, w->x, w->out, false);
    for (int k = 0; k < DAMPED; k++) {
        if (isnan(balance)) return RHEO_E_NOCONV;
        if (k > 0 && settled(s, balance, step)) return RHEO_OK;
        double merit = 0;
        for (int i = 0; i < s->y.n; i++) merit = fmax(merit, fabs(w->f[i]));
        RHEO_TRY(rh_newton_direction(s, load, err));
        step = rh_newton_step_size(s);
        if (isnan(step)) return RHEO_E_NOCONV;
        double share = 1;
        advance(s, load, 1);
        for (int h = 0;; h++) {
            balance = rh_newton_assemble(s, load, w->x, w->out, false);
            double now = 0;
            for (int i = 0; i < s->y.n; i++) now = fmax(now, fabs(w->f[i]));
            if (!isnan(balance) && (now < merit || merit == 0 || balance <= s->def.residual)) break;
            if (h == HALVINGS) return RHEO_E_NOCONV;
            share /= 2;
            advance(s, load, -share);
        }
        if (share < 1) step = INFINITY;
    }
    return RHEO_E_NOCONV;
}

/* ---- stepping ---- */

static void save(rheo_solver *s) { memcpy(s->newton.best, s->newton.x, (size_t)s->y.n * sizeof(double)); }
static void back(rheo_solver *s) { memcpy(s->newton.x, s->newton.best, (size_t)s->y.n * sizeof(double)); }

static rheo_status either(rheo_solver *s, const rh_load *load, rheo_error *err) {
    save(s);
    const rheo_status st = plain(s, load, PLAIN, err);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    back(s);
    return damped(s, load, err);
}

static double largest_size(const rheo_solver *s) {
    double size = 0;
    for (int i = 0; i < s->y.n; i++) size = fmax(size, s->size[i]);
    return size;
}

/* The circuit comes to rest from nothing, a capacitor at every node: Euler backwards, with steps that grow as long as
 * few iterations do and, after one was too long, cautiously. Amplifiers in loops jump between branches on the way,
 * which time does and no other parameter can. */
static rheo_status run_time(rheo_solver *s, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double stride = 0.1, growth = 4; /* time constants; at the next success */
    rheo_status st = RHEO_E_NOCONV;
    for (int k = 0; k < MOMENTS && stride > 1e-8; k++) {
        const int before = w->n_iteration;
        save(s);
        w->shunt = stride > 1e12 ? 0 : 1 / stride;
        st = plain(s, load, w->shunt > 0 ? INNER : PLAIN, err);
        const int n = w->n_iteration - before;
        if (st == RHEO_E_NOMEM || (st == RHEO_OK && w->shunt == 0)) break;
        if (st == RHEO_OK) {
            stride *= growth;
            growth = n <= 5 ? fmin(2 * growth, 100) : n > 8 ? fmax(growth / 2, 1.5) : growth;
        } else {
            back(s);
            stride /= 4;
            growth = 2;
        }
    }
    return st;
}

static rheo_status step_time(rheo_solver *s, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    const double size = largest_size(s);
    rh_newton_from_nothing(s, load);
    w->usual = size > 0 ? size : 1e-3;
    w->anchor = w->best;
    const rheo_status st = run_time(s, load, err);
    const bool done = st == RHEO_OK && w->shunt == 0;
    w->anchor = NULL;
    w->shunt = 0;
    return done ? RHEO_OK : st == RHEO_E_NOMEM ? st : RHEO_E_NOCONV;
}

/* Conductances to ground at every node, smaller and smaller. */
static rheo_status step_gmin(rheo_solver *s, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    rh_newton_from_nothing(s, load);
    double factor = 0.1, good = fmax(largest_size(s), 1e-3);
    w->shunt = good;
    rheo_status st = either(s, load, err);
    for (int k = 0; k < STEPS && st == RHEO_OK && w->shunt > 0; k++) {
        save(s);
        w->shunt = good * factor < 1e-15 ? 0 : good * factor;
        st = either(s, load, err);
        if (st == RHEO_OK) {
            good = w->shunt;
            factor = fmax(factor * factor, 1e-3);
        } else if (k + 1 < STEPS) { /* a smaller change */
            back(s);
            factor = sqrt(factor);
            w->shunt = good;
            st = factor < 0.9 ? either(s, load, err) : st;
        }
    }
    const bool done = st == RHEO_OK && w->shunt == 0;
    w->shunt = 0;
    return done ? RHEO_OK : st == RHEO_E_NOMEM ? st : RHEO_E_NOCONV;
}

static void scaled_sources(rheo_solver *s, const double *source, double share) {
    for (int e = 0; e < s->c->n_elem; e++) s->newton.source[e] = share * source[e];
    rh_newton_drive(s, s->newton.source, share);
}

/* Sources and loads from nothing to what they are. */
static rheo_status step_sources(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double good = 0, stride = 0.1;
    rheo_status st = RHEO_OK;
    rh_newton_from_nothing(s, load);
    for (int k = 0; k < 2 * STEPS && good < 1 && stride > 1e-4; k++) {
        const double share = fmin(1, good + stride);
        rh_load part = load ? *load : (rh_load){ 0 };
        save(s);
        scaled_sources(s, source, share);
        if (load) {
            for (int o = 0; o < load->n; o++) w->target[o] = share * (load->fixed ? load->y[o] : load->target[o]);
            part.target = w->target;
            if (load->fixed) memcpy(w->out, w->target, (size_t)load->n * sizeof(double));
        }
        st = either(s, load ? &part : NULL, err);
        if (st == RHEO_E_NOMEM) break;
        if (st == RHEO_OK) {
            good = share;
            stride *= 2;
        } else {
            back(s);
            stride /= 4;
        }
    }
    rh_newton_drive(s, source, 1);
    return good == 1 ? RHEO_OK : st == RHEO_E_NOMEM ? st : RHEO_E_NOCONV;
}

/* ---- what went wrong ---- */

/* The element that carries most current at a row, -1: none. */
static int busiest(const rheo_solver *s, int row) {
    int best = -1;
    double most = -1;
    for (int k = 0; k < s->y.n_bend; k++)
        for (int r = 0; r < RH_MAX_TERM; r++) {
            const double i = fabs(s->newton.flow[k].i[r]);
            if (s->y.bend[k].row[r] != row || !(i > most)) continue;
            most = i;
            best = s->y.bend[k].elem;
        }
    return best;
}

static rheo_status ran_away(const rheo_solver *s, rheo_error *err) {
    const int row = s->newton.highest, e = busiest(s, row);
    const rheo_status st = rh_fail(err, RHEO_E_NOCONV, 315, e >= 0 ? rh_elem_loc(s->c, e) : RH_NOWHERE,
                                   "no operating point found: the potential of node %s runs away",
                                   s->c->node_name[-1 - s->y.row_elem[row]]);
    rh_hint(err, "no element carries the current that flows into that part of the circuit; is a junction the wrong "
                 "way round?");
    return st;
}

static rheo_status give_up(const rheo_solver *s, rheo_error *err) {
    const int row = s->newton.worst, at = s->y.row_elem[row], e = at >= 0 ? at : busiest(s, row);
    const rh_loc loc = e >= 0 ? rh_elem_loc(s->c, e) : RH_NOWHERE;
    const rheo_status st =
        at >= 0
            ? rh_fail(err, RHEO_E_NOCONV, 315, loc, "no operating point found: the voltage of %s does not settle",
                      s->c->elem_name[e])
            : rh_fail(err, RHEO_E_NOCONV, 315, loc,
                      "no operating point found: the currents of node %s do not balance%s%s", s->c->node_name[-1 - at],
                      e >= 0 ? ", most flows through " : "", e >= 0 ? s->c->elem_name[e] : "");
    rh_hint(err, "neither damped steps, nor time, nor stepping of gmin and sources led to one; is there a path for "
                 "every current?");
    return st;
}

/* ---- one way after the other ---- */

/* Pivots from now on; the standard ones only if they are worth something. */
static void choose_firmly(rheo_solver *s) {
    rh_newton *const w = &s->newton;
    w->firm = true;
    w->strayed = w->strayed || !(w->standard_rcond >= s->def.rcond_refuse);
}

static rheo_status look(rheo_solver *s, const double *source, const rh_load *load, rheo_error *quiet) {
    rheo_status st = plain(s, load, PLAIN, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    choose_firmly(s);
    rh_newton_from_nothing(s, load);
    st = damped(s, load, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    st = step_time(s, load, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    st = step_gmin(s, load, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    return step_sources(s, source, load, quiet);
}

rheo_status rh_newton_search(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    rheo_error quiet = { 0 };
    const rheo_status st = look(s, source, load, &quiet);
    if (st == RHEO_OK) return rh_newton_factor_firmly(s, &w->column, err);
    if (st == RHEO_E_NOMEM) return rh_fail(err, RHEO_E_NOMEM, 501, RH_NOWHERE, "out of memory");
    if (w->volt > RH_NEWTON_HIGH * w->held) return ran_away(s, err);
    return s->stats.rcond > 0 ? give_up(s, err) : rh_solver_singular(s, w->column, err);
}
