/* newton.c: operating points of nonlinear circuits.
 *
 * Every nonlinear element is evaluated at terminal potentials of its own, which follow the nodes at the pace its limit
 * allows; as long as they lag, its tangent speaks for it. Where that does not settle, steps are shortened until the
 * balance of currents improves. Where that does not help either, every node gets a capacitor and time runs until
 * nothing moves; last, conductances to ground (gmin) or the sources are stepped. */
#include "solver/newton.h"
#include "solver/inside.h"

#include <float.h>
#include <math.h>

enum {
    GATE = 1 /* terminal of a transistor */,
    PLAIN = 40,
    DAMPED = 60,
    STEPS = 40,
    HALVINGS = 12,
    MOMENTS = 300,
    INNER = 12,
    POLISH = 6
};
/* Plain steps double the digits: when a step is this small beside the largest potential, the next would be rounding. */
static const double SMALL_STEP = 1e-7;
/* Balance of currents at a node, relative to their sizes and to what rounding of potentials makes of them, that counts
 * as rounding; and nearly so. */
static const double BALANCED = 1e-13, NEARLY = 1e-12;
/* The same for a moment on the way to the answer. */
static const double PASSING = 1e-3;
/* Potentials this many times as high as those that the sources hold (or 1 V) no longer speak for what rounding may do
 * elsewhere in the circuit; and are no answer: nothing carries the current that drives a node there. */
static const double HIGH = 1e3, NOWHERE = 1e9;
/* Pivots are chosen afresh when the condition estimate has fallen this far below that of the standard ones. */
static const double RCOND_FALL = 1e-3, RCOND_POOR = 1e-6;

bool rh_solver_is_nonlinear(const rheo_solver *s) { return s->y.n_bend > 0; }
int rh_newton_iterations(const rheo_solver *s) { return s->newton.n_iteration; }

void rh_newton_layout(rheo_solver *s, rh_arena *a) {
    rh_newton *const w = &s->newton;
    const size_t nz = (size_t)s->y.ap[s->y.n] + 1;
    if (s->y.n_bend == 0) return;
    w->jx = RH_TAKE(a, double, nz);
    w->standard = RH_TAKE(a, double, nz);
    w->at = RH_TAKE(a, rh_terminals, s->y.n_bend);
    w->flow = RH_TAKE(a, rh_flow, s->y.n_bend);
    w->f = RH_TAKE(a, double, s->y.n);
    w->amp = RH_TAKE(a, double, s->y.n);
    w->x = RH_TAKE(a, double, s->y.n);
    w->best = RH_TAKE(a, double, s->y.n);
    w->dx = RH_TAKE(a, double, s->y.n);
    w->source = RH_TAKE(a, double, s->c->n_elem);
    w->in = RH_TAKE(a, double, s->c->n_node);
}

/* ---- currents and slopes ---- */

static const double *parameters(const rheo_solver *s, int elem) { return s->c->par + s->c->elem_par[elem]; }

/* Currents of element k at its own terminal potentials, carried on to the potentials v of its nodes by its tangent. */
static void evaluate(rheo_solver *s, int k, const double *v, bool limit) {
    const rh_bend *const bend = &s->y.bend[k];
    const rh_kind *const kind = RH_KINDS[s->c->kind[bend->elem]];
    const int *const term = s->c->term[bend->elem], n = kind->n_term;
    const double *const par = parameters(s, bend->elem);
    double to[RH_MAX_TERM] = { 0 };
    for (int t = 0; t < n; t++) to[t] = v[term[t]];
    if (limit && kind->limit) kind->limit(par, s->newton.at[k].v, to);
    rh_flow *const flow = &s->newton.flow[k];
    *flow = (rh_flow){ 0 };
    kind->eval(par, to, flow);
    for (int t = 0; t < n; t++) {
        s->newton.at[k].v[t] = to[t];
        const double rest = v[term[t]] - to[t];
        if (rest == 0) continue;
        if (!(fabs(rest) <= 1e-12 * fabs(to[t]) + 1e-15)) s->newton.limited = true;
        for (int r = 0; r < n; r++) flow->i[r] += flow->g[r][t] * rest;
    }
}

static void add_linear(rheo_solver *s, const double *x) {
    const rh_system *const y = &s->y;
    rh_newton *const w = &s->newton;
    for (int i = 0; i < y->n; i++) w->f[i] = -s->b[i];
    for (int j = 0; j < y->n; j++) {
        const double xj = x[j];
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) w->f[y->ai[p]] += s->ax[p] * xj;
    }
    double volt = 0, amp = 0;
    for (int j = 0; j < y->n; j++) {
        double *const most = y->row_elem[j] < 0 ? &volt : &amp;
        if (!(fabs(x[j]) > *most)) continue;
        *most = fabs(x[j]);
        if (most == &volt) w->highest = j;
    }
    w->volt = volt;
    w->common = fmin(volt, HIGH * w->held);
    for (int i = 0; i < y->n; i++) w->amp[i] = s->size[i] * w->common + s->across[i] * amp + fabs(s->b[i]);
    if (volt <= w->common) return;
    for (int j = 0; j < y->n; j++)
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) w->amp[y->ai[p]] += fabs(s->ax[p] * x[j]);
}

/* Currents that rounding of the potentials makes at terminal r of element k. */
static double rounding(const rheo_solver *s, int k, int r, const double *v) {
    const rh_newton *const w = &s->newton;
    const int *const term = s->c->term[s->y.bend[k].elem];
    double size = 0, own = 0;
    for (int q = 0; q < RH_MAX_TERM; q++) {
        const double g = fabs(w->flow[k].g[r][q]);
        size += g;
        if (w->volt > w->common && g > 0) own += g * fabs(v[term[q]]);
    }
    return size * w->common + own;
}

static void add_bends(rheo_solver *s, const double *x, bool limit) {
    const rh_system *const y = &s->y;
    rh_newton *const w = &s->newton;
    for (int i = 0; i < s->c->n_node; i++)
        if (y->unknown[i] >= 0) s->v[i] = x[y->unknown[i]];
    memcpy(w->jx, s->ax, (size_t)y->ap[y->n] * sizeof(double));
    w->limited = false;
    for (int k = 0; k < y->n_bend; k++) {
        const rh_bend *const bend = &y->bend[k];
        evaluate(s, k, s->v, limit);
        const rh_flow *const flow = &w->flow[k];
        for (int r = 0; r < RH_MAX_TERM; r++) {
            if (bend->row[r] < 0) continue;
            w->f[bend->row[r]] += flow->i[r];
            for (int q = 0; q < RH_MAX_TERM; q++) w->jx[bend->slot[r][q]] += flow->g[r][q];
            w->amp[bend->row[r]] += fabs(flow->i[r]) + rounding(s, k, r, s->v);
        }
    }
}

/* Right-hand side of a share of all that drives the circuit; the highest potential that a source holds. */
static void drive(rheo_solver *s, const double *source, double share) {
    rh_solver_rhs(s, source, s->b);
    s->newton.held = 1;
    for (int k = 1; k < s->y.n_fixed; k++) s->newton.held = fmax(s->newton.held, fabs(s->v[s->y.fixed[k].node]));
    for (int i = 0; i < s->y.n; i++)
        if (s->y.row_elem[i] >= 0) s->newton.held = fmax(s->newton.held, fabs(s->b[i]));
    for (int i = 0; s->newton.feed && i < s->y.n; i++) s->b[i] += share * s->newton.feed[i];
}

/* A conductance from every node to ground, or a capacitor: a conductance to where the node was. Capacitors are sized so
 * that every node left alone with its resistors takes the same time. */
static void add_shunts(rheo_solver *s, const double *x) {
    const rh_system *const y = &s->y;
    rh_newton *const w = &s->newton;
    for (int j = 0; j < y->n && w->shunt > 0; j++) {
        if (y->row_elem[j] >= 0) continue;
        const double g = !w->anchor ? w->shunt : w->shunt * (s->size[j] > 0 ? s->size[j] : w->usual);
        w->f[j] += w->anchor ? g * (x[j] - w->anchor[j]) : g * x[j];
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++)
            if (y->ai[p] == j) w->jx[p] += g;
    }
}

static void add_load(rheo_solver *s, const rh_load *load, const double *out) {
    for (int o = 0; load && o < load->n; o++)
        for (int side = 0; side < 2; side++) {
            const int row = s->y.unknown[load->node[o][side]];
            if (row < 0) continue;
            s->newton.f[row] -= side ? -out[o] : out[o];
            s->newton.amp[row] += fabs(out[o]);
        }
}

/* Residual f, sizes amp, matrix jx at x with the loads y. Returns the worst balance of a row; NaN: not finite. */
static double assemble(rheo_solver *s, const rh_load *load, const double *x, const double *out, bool limit) {
    rh_newton *const w = &s->newton;
    add_linear(s, x);
    add_bends(s, x, limit);
    add_shunts(s, x);
    add_load(s, load, out);
    double worst = 0, sum = 0;
    for (int i = 0; i < s->y.n; i++) {
        const double f = fabs(w->f[i]);
        sum += f * 0;
        if (!(f > worst * w->amp[i])) continue;
        worst = f / w->amp[i];
        w->worst = i;
    }
    return sum == 0 ? worst : NAN;
}

/* ---- factoring ---- */

/* Back to the standard pivots, those of the unbiased circuit with its initial states: what came before must not show in
 * the bytes of an answer. */
static rheo_status standard_pivots(rheo_solver *s, rheo_error *err) {
    rh_newton *const w = &s->newton;
    if (!w->strayed) return RHEO_OK;
    double rcond = 0;
    int column;
    s->stats.n_pivot++;
    RHEO_TRY(s->ops->factor(s->m, w->standard, RH_SPARSE, &rcond, &column, err));
    w->standard_rcond = rcond;
    w->strayed = !(rcond > 0);
    return RHEO_OK;
}

static rheo_status factor(rheo_solver *s, double *rcond, int *column, rheo_error *err) {
    rh_newton *const w = &s->newton;
    *rcond = 0;
    if (!w->strayed) {
        s->stats.n_refactor++;
        RHEO_TRY(s->ops->factor(s->m, w->jx, RH_KEEP, rcond, column, err));
        if (*rcond > RCOND_POOR || *rcond > RCOND_FALL * w->standard_rcond) return RHEO_OK;
    }
    w->strayed = true;
    s->stats.n_pivot++;
    return s->ops->factor(s->m, w->jx, w->firm ? RH_FIRM : RH_SPARSE, rcond, column, err);
}

/* Where the condition would refuse the answer: its pivots were chosen elsewhere, or where entries on the diagonal will
 * do. */
static rheo_status factor_firmly(rheo_solver *s, int *column, rheo_error *err) {
    if (s->stats.rcond >= s->def.rcond_refuse) return RHEO_OK;
    s->newton.strayed = s->newton.firm = true;
    return factor(s, &s->stats.rcond, column, err);
}

/* ---- one iteration ---- */

/* What 1 A into each output does: zx [n][n_unknown] in the room of the load; z_oo. */
static void respond(rheo_solver *s, const rh_load *load) {
    const size_t n = (size_t)s->y.n;
    memset(s->newton.zx, 0, n * (size_t)load->n * sizeof(double));
    for (int o = 0; o < load->n; o++)
        rh_solver_inject(s, load->node[o][0], load->node[o][1], 1, s->newton.zx + (size_t)o * n);
    rh_solver_apply(s, load->n, s->newton.zx, false);
}

static double output_of(const rheo_solver *s, const rh_load *load, int o, const double *x, bool fixed_too) {
    double v[2];
    for (int side = 0; side < 2; side++) {
        const int node = load->node[o][side], row = s->y.unknown[node];
        v[side] = row >= 0 ? x[row] : fixed_too ? s->v[node] : 0;
    }
    return v[0] - v[1];
}

double rh_newton_output(const rheo_solver *s, const rh_load *load, int o, const double *x) {
    return output_of(s, load, o, x, true);
}

/* Change dy of the load so that the tangent meets target = v + ohm y: (Zoo + ohm) dy = target - v(x + dx) - ohm y. */
static bool follow_load(rheo_solver *s, const rh_load *load) {
    rh_newton *const w = &s->newton;
    const int n = load->n, m = n + 1;
    respond(s, load);
    for (int o = 0; o < n; o++) {
        for (int p = 0; p < n; p++)
            w->lu[o * m + p] =
                output_of(s, load, o, w->zx + (size_t)p * (size_t)s->y.n, false) + (o == p ? load->ohm : 0);
        w->lu[o * m + n] = load->target[o] - output_of(s, load, o, w->x, true) - output_of(s, load, o, w->dx, false) -
                           load->ohm * w->out[o];
    }
    if (!rh_dense_solve(n, w->lu, w->dout)) return false;
    for (int o = 0; o < n; o++)
        for (int j = 0; j < s->y.n; j++) w->dx[j] += w->dout[o] * w->zx[(size_t)o * (size_t)s->y.n + (size_t)j];
    return true;
}

static rheo_status direction(rheo_solver *s, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    int column = -1;
    RHEO_TRY(factor(s, &s->stats.rcond, &column, err));
    w->column = column;
    w->n_iteration++;
    if (!(s->stats.rcond > 0)) return RHEO_E_SINGULAR;
    for (int j = 0; j < s->y.n; j++) w->dx[j] = -w->f[j];
    rh_solver_apply(s, 1, w->dx, false);
    return !load || load->fixed || follow_load(s, load) ? RHEO_OK : RHEO_E_SINGULAR;
}

/* Largest change of a potential, relative to the largest potential. */
static double step_size(const rheo_solver *s) {
    double most = 0, sum = 0;
    for (int j = 0; j < s->y.n; j++) {
        sum += s->newton.dx[j] * 0;
        if (s->y.row_elem[j] < 0) most = fmax(most, fabs(s->newton.dx[j]));
    }
    return sum == 0 ? (most == 0 ? 0 : most / fmax(s->newton.volt, 1e-3)) : NAN;
}

/* The node whose potential changes most. */
static int furthest(const rheo_solver *s) {
    double most = -1;
    int row = 0;
    for (int j = 0; j < s->y.n; j++) {
        if (s->y.row_elem[j] >= 0 || !(fabs(s->newton.dx[j]) > most)) continue;
        most = fabs(s->newton.dx[j]);
        row = j;
    }
    return s->y.row_elem[row] < 0 ? -1 - s->y.row_elem[row] : 0;
}

static void advance(rheo_solver *s, const rh_load *load, double share) {
    rh_newton *const w = &s->newton;
    for (int j = 0; j < s->y.n; j++) w->x[j] += share * w->dx[j];
    for (int o = 0; load && !load->fixed && o < load->n; o++) w->out[o] += share * w->dout[o];
}

/* Converged: currents balance to rounding, or they balance well after a step so small that the next would be rounding.
 */
static bool settled(const rheo_solver *s, double balance, double step) {
    if (s->newton.limited || !(s->newton.volt <= NOWHERE * s->newton.held)) return false;
    if (s->newton.anchor && s->newton.shunt > 0) return balance <= PASSING;
    return balance <= BALANCED || (balance <= NEARLY && step <= SMALL_STEP);
}

/* Up to `most` plain steps with limiting. */
static rheo_status plain(rheo_solver *s, const rh_load *load, int most, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double step = INFINITY;
    for (int k = 0; k <= most; k++) {
        const double balance = assemble(s, load, w->x, w->out, k > 0);
        if (isnan(balance)) return RHEO_E_NOCONV;
        if (k > 0 && settled(s, balance, step)) return RHEO_OK;
        if (k == most) break;
        RHEO_TRY(direction(s, load, err));
        step = step_size(s);
        if (isnan(step)) return RHEO_E_NOCONV;
        advance(s, load, 1);
    }
    return RHEO_E_NOCONV;
}

/* Steps shortened until the balance improves. */
static rheo_status damped(rheo_solver *s, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double step = INFINITY, balance = assemble(s, load, w->x, w->out, false);
    for (int k = 0; k < DAMPED; k++) {
        if (isnan(balance)) return RHEO_E_NOCONV;
        if (k > 0 && settled(s, balance, step)) return RHEO_OK;
        double merit = 0;
        for (int i = 0; i < s->y.n; i++) merit = fmax(merit, fabs(w->f[i]));
        RHEO_TRY(direction(s, load, err));
        step = step_size(s);
        if (isnan(step)) return RHEO_E_NOCONV;
        double share = 1;
        advance(s, load, 1);
        for (int h = 0;; h++) {
            balance = assemble(s, load, w->x, w->out, false);
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

static void from_nothing(rheo_solver *s, const rh_load *load) {
    rh_newton *const w = &s->newton;
    memset(w->x, 0, (size_t)s->y.n * sizeof(double));
    for (int o = 0; load && o < load->n; o++) w->out[o] = load->fixed ? load->y[o] : 0;
    for (int k = 0; k < s->y.n_bend; k++) w->at[k] = (rh_terminals){ { 0 } };
}

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
    from_nothing(s, load);
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
    from_nothing(s, load);
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
    drive(s, s->newton.source, share);
}

/* Sources and loads from nothing to what they are. */
static rheo_status step_sources(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double good = 0, stride = 0.1;
    rheo_status st = RHEO_OK;
    from_nothing(s, load);
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
    drive(s, source, 1);
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

/* ---- outside ---- */

rheo_status rh_newton_set(rheo_solver *s, const double *g, rheo_error *err) {
    RHEO_TRY(rh_solver_stamp(s, g, err));
    rh_solver_size_rows(s);
    return RHEO_OK;
}

rheo_status rh_newton_open(rheo_solver *s, rheo_error *err) {
    if (s->y.n_bend == 0) return RHEO_OK;
    /* The standard pivots: those of the circuit with its initial states and no voltage anywhere. */
    return rh_newton_standard(s, s->c->g_init, err);
}

void rh_newton_feed(rheo_solver *s, const double *amp) { s->newton.feed = amp; }

rheo_status rh_newton_standard(rheo_solver *s, const double *g, rheo_error *err) {
    rh_newton *const w = &s->newton;
    w->strayed = true;
    if (s->y.n == 0) return RHEO_OK;
    RHEO_TRY(rh_newton_set(s, g, err));
    memset(s->b, 0, (size_t)s->y.n * sizeof(double));
    memset(s->v, 0, (size_t)s->c->n_node * sizeof(double));
    from_nothing(s, NULL);
    assemble(s, NULL, w->x, NULL, false);
    memcpy(w->standard, w->jx, ((size_t)s->y.ap[s->y.n] + 1) * sizeof(double));
    return RHEO_OK;
}

void rh_newton_close(rheo_solver *s) { rh_free(s->newton.load); }

/* Room for a load of n outputs; kept. */
static rheo_status make_room(rheo_solver *s, int n, rheo_error *err) {
    rh_newton *const w = &s->newton;
    const size_t k = (size_t)n, m = (size_t)s->y.n;
    if (n <= w->room) return RHEO_OK;
    double *const p = rh_calloc(k * m + k * (k + 1) + 4 * k, sizeof(double));
    if (!p) return RH_NOMEM(err);
    rh_free(w->load);
    w->load = p;
    w->zx = p;
    w->lu = w->zx + k * m;
    w->out = w->lu + k * (k + 1);
    w->dout = w->out + k;
    w->target = w->dout + k;
    w->ohm = w->target + k;
    w->room = n;
    return RHEO_OK;
}

/* Pivots from now on; the standard ones only if they are worth something. */
static void choose_firmly(rheo_solver *s) {
    rh_newton *const w = &s->newton;
    w->firm = true;
    w->strayed = w->strayed || !(w->standard_rcond >= s->def.rcond_refuse);
}

/* One way after the other. */
static rheo_status look(rheo_solver *s, const double *source, const rh_load *load, rheo_error *quiet) {
    rheo_status st = plain(s, load, PLAIN, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    choose_firmly(s);
    from_nothing(s, load);
    st = damped(s, load, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    st = step_time(s, load, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    st = step_gmin(s, load, quiet);
    if (st == RHEO_OK || st == RHEO_E_NOMEM) return st;
    return step_sources(s, source, load, quiet);
}

static rheo_status search(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    rheo_error quiet = { 0 };
    const rheo_status st = look(s, source, load, &quiet);
    if (st == RHEO_OK) return factor_firmly(s, &w->column, err);
    if (st == RHEO_E_NOMEM) return rh_fail(err, RHEO_E_NOMEM, 501, RH_NOWHERE, "out of memory");
    if (w->volt > HIGH * w->held) return ran_away(s, err);
    return s->stats.rcond > 0 ? give_up(s, err) : rh_solver_singular(s, w->column, err);
}

/* ---- points by ngspice ---- */

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
        w->out[o] = (w->target[o] - output_of(s, load, o, w->x, true)) / w->ohm[o];
    return rh_newton_linearize(s, source, w->x, err);
}

/* v: the output; y: current that is asked for. Behind a resistor about as large as what the output answers with, a
 * voltage source gives any current, and ngspice converges better than with a current source. */
static double behind(const rheo_solver *s, int o, double v, double y) { return v + s->newton.ohm[o] * y; }

/* Where to begin: the resistors, by the tangents at w->x. */
static rheo_status prepare(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    RHEO_TRY(rh_newton_linearize(s, source, w->x, err));
    respond(s, load);
    for (int o = 0; o < load->n; o++) {
        const double z = fabs(output_of(s, load, o, w->zx + (size_t)o * (size_t)s->y.n, false));
        const double v = load->fixed ? output_of(s, load, o, w->x, true) : load->target[o];
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
    if (!load->fixed && !follow_load(s, load)) return false;
    if (load->fixed) respond(s, load);
    for (int o = 0; o < load->n; o++) {
        const double v = output_of(s, load, o, w->x, true);
        double next = load->fixed ? v : load->target[o];
        if (load->fixed) {
            for (int p = 0; p < load->n; p++)
                next += output_of(s, load, o, w->zx + (size_t)p * m, false) * (load->y[p] - w->out[p]);
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
static rheo_status search_outside(rheo_solver *s, const double *source, const rh_load *load, rheo_error *err) {
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

rheo_status rh_newton_solve(rheo_solver *s, const double *source, const rh_load *load, double *x, rheo_error *err) {
    rh_newton *const w = &s->newton;
    const size_t bytes = (size_t)s->y.n * sizeof(double);
    drive(s, source, 1);
    w->n_iteration = 0;
    w->firm = false;
    if (load) RHEO_TRY(make_room(s, load->n, err));
    if (s->y.n == 0) return RHEO_OK;
    memcpy(w->x, x, bytes);
    if (load) memcpy(w->out, load->y, (size_t)load->n * sizeof(double));
    RHEO_TRY(standard_pivots(s, err));
    RHEO_TRY((s->outside ? search_outside : search)(s, source, load, err));
    RHEO_TRY(rh_solver_ill_conditioned(s, s->stats.rcond, w->column, err));
    s->stats.n_newton = w->n_iteration;
    memcpy(x, w->x, bytes);
    if (load && !load->fixed) memcpy(load->y, w->out, (size_t)load->n * sizeof(double));
    return RHEO_OK;
}

rheo_status rh_newton_linearize(rheo_solver *s, const double *source, const double *x, rheo_error *err) {
    int column = -1;
    drive(s, source, 1);
    s->newton.firm = false;
    if (s->y.n == 0) return RHEO_OK;
    RHEO_TRY(standard_pivots(s, err));
    assemble(s, NULL, x, NULL, false);
    RHEO_TRY(factor(s, &s->stats.rcond, &column, err));
    RHEO_TRY(factor_firmly(s, &column, err));
    return s->stats.rcond > 0 ? RHEO_OK : rh_solver_singular(s, column, err);
}

double rh_newton_polish(rheo_solver *s, const double *source, double *x, int *node, rheo_error *err) {
    rh_newton *const w = &s->newton;
    const int searched = w->n_iteration;
    double last = INFINITY;
    *node = 0;
    if (s->y.n == 0) return 0;
    drive(s, source, 1);
    for (int k = 0; k < POLISH && last > 4 * DBL_EPSILON; k++) {
        assemble(s, NULL, x, NULL, false);
        const rheo_status st = direction(s, NULL, err);
        w->n_iteration = searched;
        if (st != RHEO_OK) return NAN;
        const double step = step_size(s);
        *node = furthest(s);
        if (!(step < last / 2)) return isnan(step) ? NAN : fmin(step, last);
        for (int j = 0; j < s->y.n; j++) x[j] += w->dx[j];
        last = step;
    }
    return last;
}

static double at_row(const rheo_solver *s, const double *lambda, int node) {
    const int row = s->y.unknown[node];
    return row >= 0 ? lambda[row] : 0;
}

/* A resistor: its drop times that of lambda. A transistor: what its gate does to its currents. */
void rh_newton_gradient(const rheo_solver *s, const double *lambda, double *out) {
    for (int k = 0; k < s->c->n_edge; k++) {
        const int *const end = s->y.end[k];
        out[k] = (s->v[end[0]] - s->v[end[1]]) * (at_row(s, lambda, end[0]) - at_row(s, lambda, end[1]));
    }
    for (int k = 0; k < s->y.n_bend; k++) {
        const rh_bend *const bend = &s->y.bend[k];
        const int edge = s->c->elem_edge[bend->elem];
        if (edge < 0) continue;
        double sum = 0;
        for (int r = 0; r < RH_MAX_TERM; r++)
            if (bend->row[r] >= 0) sum += lambda[bend->row[r]] * s->newton.flow[k].g[r][GATE];
        const bool plus = s->c->term[s->c->edge_source[edge]][0] == s->c->term[bend->elem][GATE];
        out[edge] = plus ? sum : -sum;
    }
}

/* Kirchhoff from the leaves of the tree of known potentials to ground: what enters a node leaves it through its source.
 */
static void tree_currents(rheo_solver *s, double *in, double *i) {
    for (int k = s->y.n_fixed - 1; k > 0; k--) {
        const rh_fixed *const f = &s->y.fixed[k];
        i[f->elem] = f->sign > 0 ? in[f->node] : -in[f->node];
        in[f->from] += in[f->node];
    }
}

static double linear_current(const rheo_solver *s, const double *source, const double *x, int e) {
    const rheo_circuit *const c = s->c;
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    const int *const t = c->term[e], edge = c->elem_edge[e];
    if (s->y.branch[e] >= 0) return x[s->y.branch[e]];
    const double g = edge >= 0 ? s->g[edge] : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0;
    const rh_law law = kind->law(kind->flags & RH_SOURCE ? source[e] : c->value[e], g);
    const int ctrl = c->elem_ctrl[e];
    const double sensed = law.trans == 0 ? 0 : ctrl >= 0 ? x[s->y.branch[ctrl]] : s->v[t[2]] - s->v[t[3]];
    return law.conductance * (s->v[t[0]] - s->v[t[1]]) + law.trans * sensed + law.current;
}

bool rh_newton_report(rheo_solver *s, const double *source, const double *x, double *v, double *i) {
    const rheo_circuit *const c = s->c;
    double *const in = s->newton.in, sum = 0;
    drive(s, source, 1);
    if (s->y.n > 0) assemble(s, NULL, x, NULL, false);
    memset(in, 0, (size_t)c->n_node * sizeof(double));
    for (int e = 0; e < c->n_elem; e++) {
        if (s->y.tree[e] || RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) continue;
        i[e] = linear_current(s, source, x, e);
        in[c->term[e][0]] -= i[e];
        in[c->term[e][1]] += i[e];
    }
    for (int k = 0; k < s->y.n_bend; k++) {
        const int e = s->y.bend[k].elem;
        if (s->y.n == 0) evaluate(s, k, s->v, false);
        i[e] = s->newton.flow[k].i[0];
        for (int t = 0; t < RH_KINDS[c->kind[e]]->n_term; t++) in[c->term[e][t]] -= s->newton.flow[k].i[t];
    }
    tree_currents(s, in, i);
    memcpy(v, s->v, (size_t)c->n_node * sizeof(double));
    for (int k = 0; k < c->n_node; k++) sum += v[k] * 0;
    for (int e = 0; e < c->n_elem; e++) sum += i[e] * 0;
    return sum == 0;
}
