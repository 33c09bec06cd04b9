/* newton_balance.c: the imbalance of currents at given potentials, and its slopes.
 *
 * Every nonlinear element is evaluated at terminal potentials of its own, which follow the nodes at the pace its limit
 * allows; as long as they lag, its tangent speaks for it. */
#include "solver/newton_inside.h"

#include <math.h>

static const double *parameters(const rheo_solver *s, int elem) { return s->c->par + s->c->elem_par[elem]; }

void rh_newton_evaluate(rheo_solver *s, int k, const double *v, bool limit) {
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
    w->common = fmin(volt, RH_NEWTON_HIGH * w->held);
    for (int i = 0; i < y->n; i++) w->amp[i] = s->size[i] * w->common + s->across[i] * amp + fabs(s->b[i]);
    if (volt <= w->common) return;
    for (int j = 0; j < y->n; j++)
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) w->amp[y->ai[p]] += fabs(s->ax[p] * x[j]);
}

/* Does the tangent of an expression hold as far as rounding moves terminal q? */
static bool holds(const rheo_solver *s, int k, int r, int q, const double *v) {
    const rh_newton *const w = &s->newton;
    const rh_bend *const bend = &s->y.bend[k];
    const rh_kind *const kind = RH_KINDS[s->c->kind[bend->elem]];
    const int *const term = s->c->term[bend->elem];
    double change[2];
    for (int side = 0; side < 2; side++) {
        double at[RH_MAX_TERM] = { 0 };
        rh_flow flow = { 0 };
        for (int t = 0; t < kind->n_term; t++) at[t] = v[term[t]];
        at[q] += (side ? RH_NEWTON_NEARLY : -RH_NEWTON_NEARLY) * fmax(w->common, fabs(at[q]));
        kind->eval(parameters(s, bend->elem), at, &flow);
        change[side] = flow.i[r] - w->flow[k].i[r];
    }
    return fabs(change[0] + change[1]) <= (fabs(change[0]) + fabs(change[1])) / 2;
}

/* Currents that rounding of the potentials makes at terminal r of element k. Beside 0 ln(v) and 1/v have tangents so
 * steep that any current would be rounding: there nothing is. */
static double rounding(const rheo_solver *s, int k, int r, const double *v) {
    const rh_newton *const w = &s->newton;
    const int elem = s->y.bend[k].elem, *const term = s->c->term[elem];
    const bool tape = w->closely && RH_KINDS[s->c->kind[elem]]->flags & RH_TAPE;
    double size = 0, own = 0;
    for (int q = 0; q < RH_MAX_TERM; q++) {
        const double g = fabs(w->flow[k].g[r][q]);
        if (g == 0 || (tape && !holds(s, k, r, q, v))) continue;
        size += g;
        if (w->volt > w->common) own += g * fabs(v[term[q]]);
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
        rh_newton_evaluate(s, k, s->v, limit);
        const rh_flow *const flow = &w->flow[k];
        for (int r = 0; r < RH_MAX_TERM; r++) {
            if (bend->row[r] < 0) continue;
            w->f[bend->row[r]] += flow->i[r];
            for (int q = 0; q < RH_MAX_TERM; q++) w->jx[bend->slot[r][q]] += flow->g[r][q];
            w->amp[bend->row[r]] += fabs(flow->i[r]) + rounding(s, k, r, s->v);
        }
    }
}

void rh_newton_drive(rheo_solver *s, const double *source, double share) {
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

static bool has_tape(const rheo_solver *s) {
    for (int k = 0; k < s->y.n_bend; k++)
        if (RH_KINDS[s->c->kind[s->y.bend[k].elem]]->flags & RH_TAPE) return true;
    return false;
}

static double add_all(rheo_solver *s, const rh_load *load, const double *x, const double *out, bool limit) {
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

/* Expressions are looked at closely only where an answer seems to be. */
double rh_newton_assemble(rheo_solver *s, const rh_load *load, const double *x, const double *out, bool limit) {
    rh_newton *const w = &s->newton;
    const double balance = add_all(s, load, x, out, limit);
    if (!(balance <= RH_NEWTON_NEARLY) || w->limited || !has_tape(s)) return balance;
    w->closely = true;
    const double truly = add_all(s, load, x, out, false);
    w->closely = false;
    return truly;
}
