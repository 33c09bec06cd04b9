/* point.c: operating points, refined to twice the digits of a double.
 *
 * Residuals and answers are sums of two doubles (Demmel, Hida, Kahan, Li, Mukherjee & Riedy, ACM Trans. Math. Softw.
 * 32, 325 (2006)). In plain doubles the current of a weak element vanishes beside that of a strong one at the same
 * node: refinement then comes to rest at potentials that are wrong. */
#include "solver/inside.h"
#include "solver/newton.h"

#include <float.h>
#include <math.h>

enum { MAX_REFINE = 20 };
/* Largest last correction, relative to the largest potential, and of currents to the largest current. */
static const double CERTAIN = 1e-13;
/* The condition is estimated with more care than while training. */
static const double DOUBT = 1e-2;

/* ---- sums of two doubles ---- */

/* Exact. Knuth, The Art of Computer Programming, vol. 2, 4.2.2, theorem B. */
static rh_wide exact_sum(double a, double b) {
    const double hi = a + b, part = hi - a;
    return (rh_wide){ hi, (a - (hi - part)) + (b - part) };
}

static rh_wide plus(rh_wide a, rh_wide b) {
    const rh_wide s = exact_sum(a.hi, b.hi);
    return exact_sum(s.hi, s.lo + (a.lo + b.lo));
}

static rh_wide minus(rh_wide a, rh_wide b) { return plus(a, (rh_wide){ -b.hi, -b.lo }); }

static rh_wide times(double f, rh_wide a) {
    const double hi = f * a.hi;
    return exact_sum(hi, fma(f, a.hi, -hi) + f * a.lo);
}

static rh_wide narrow(double x) { return (rh_wide){ x, 0 }; }

/* ---- currents ---- */

static rh_law law_of(const rheo_solver *s, const double *g, const double *source, int e) {
    const rheo_circuit *const c = s->c;
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    const int edge = c->elem_edge[e];
    const double value = kind->flags & RH_SOURCE ? source[e] : c->value[e];
    return kind->law(value, edge >= 0 ? g[edge] : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0);
}

static void potentials(rheo_solver *s, const double *source) {
    const rh_system *y = &s->y;
    rh_wide *const v = s->wide_v;
    v[0] = narrow(0);
    for (int k = 1; k < y->n_fixed; k++) {
        const rh_fixed *f = &y->fixed[k];
        v[f->node] = plus(v[f->from], narrow(f->sign * (f->edge < 0 ? source[f->elem] : s->g[f->edge])));
    }
    for (int i = 0; i < s->c->n_node; i++)
        if (y->unknown[i] >= 0) v[i] = s->wide_x[y->unknown[i]];
}

static rh_wide drop(const rheo_solver *s, int a, int b) { return minus(s->wide_v[a], s->wide_v[b]); }

static rh_wide current(const rheo_solver *s, const double *g, const double *source, int e) {
    const int *const t = s->c->term[e];
    if (s->y.branch[e] >= 0) return s->wide_x[s->y.branch[e]];
    const rh_law law = law_of(s, g, source, e);
    rh_wide i = narrow(law.current);
    if (law.conductance != 0) i = plus(i, times(law.conductance, drop(s, t[0], t[1])));
    if (law.trans != 0) i = plus(i, times(law.trans, drop(s, t[2], t[3])));
    return i;
}

/* Currents through all elements but the tree's; sums of what enters each node. */
static void element_currents(rheo_solver *s, const double *g, const double *source) {
    const rheo_circuit *const c = s->c;
    memset(s->in, 0, (size_t)c->n_node * sizeof(*s->in));
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        if (s->y.tree[e]) continue;
        const rh_wide i = current(s, g, source, e);
        s->i_new[e] = i.hi;
        s->in[t[0]] = minus(s->in[t[0]], i);
        s->in[t[1]] = plus(s->in[t[1]], i);
    }
}

/* Kirchhoff from the leaves of the tree to ground: what enters a node leaves it through its V element. */
static void tree_currents(rheo_solver *s) {
    for (int k = s->y.n_fixed - 1; k > 0; k--) {
        const rh_fixed *f = &s->y.fixed[k];
        const rh_wide out = s->in[f->node]; /* from node to from, through the element */
        s->i_new[f->elem] = f->sign > 0 ? out.hi : -out.hi;
        s->in[f->from] = plus(s->in[f->from], out);
    }
}

/* ---- refinement ---- */

/* What the answer leaves over in every equation, from the elements themselves: the diagonal of the matrix has lost what
 * is small beside its largest term. */
static void leftover(rheo_solver *s, const double *g, const double *source, double *r) {
    const rheo_circuit *const c = s->c;
    potentials(s, source);
    element_currents(s, g, source);
    for (int i = 0; i < c->n_node; i++)
        if (s->y.unknown[i] >= 0) r[s->y.unknown[i]] = s->in[i].hi;
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        if (s->y.branch[e] < 0) continue;
        const rh_law law = law_of(s, g, source, e);
        rh_wide rhs = minus(narrow(law.rhs), drop(s, t[0], t[1]));
        if (t[2] >= 0) rhs = plus(rhs, times(law.gain, drop(s, t[2], t[3])));
        r[s->y.branch[e]] = rhs.hi;
    }
}

static double larger(double a, double b) { return a <= b ? b : a; } /* a NaN in a stays */

static double ratio(double part, double whole) { return part == 0 ? 0 : part / whole; }

/* Size of the correction r: of potentials relative to the largest, of currents likewise. */
static double relative_size(const rheo_solver *s, const double *r) {
    double volt = 0, amp = 0, most_volt = 0, most_amp = 0;
    for (int j = 0; j < s->y.n; j++) {
        double *const moved = s->y.row_elem[j] < 0 ? &volt : &amp;
        *moved = larger(fabs(r[j]), *moved);
    }
    for (int i = 0; i < s->c->n_node; i++) most_volt = larger(fabs(s->wide_v[i].hi), most_volt);
    for (int e = 0; e < s->c->n_elem; e++)
        if (!s->y.tree[e]) most_amp = larger(fabs(s->i_new[e]), most_amp);
    return larger(ratio(volt, most_volt), ratio(amp, most_amp));
}

/* Until a correction is rounding, or no longer half the last one. Returns the last one: an estimate of what is still
 * wrong, which a residual alone is not when conductances span many decades. */
static double refine(rheo_solver *s, const double *g, const double *source) {
    double last = INFINITY;
    for (int step = 0; step < MAX_REFINE; step++) {
        leftover(s, g, source, s->r);
        rh_solver_apply(s, 1, s->r, false);
        const double relative = relative_size(s, s->r);
        if (isnan(relative)) return relative;
        if (!(relative < last / 2)) return larger(last, relative);
        for (int j = 0; j < s->y.n; j++) s->wide_x[j] = plus(s->wide_x[j], narrow(s->r[j]));
        last = relative;
        if (relative <= 4 * DBL_EPSILON) break;
    }
    return last;
}

/* ---- all of it ---- */

static rheo_status check_sources(const rheo_solver *s, const double *source, rheo_error *err) {
    for (int e = 0; e < s->c->n_elem; e++) {
        if (!(RH_KINDS[s->c->kind[e]]->flags & RH_SOURCE) || isfinite(source[e])) continue;
        return rh_fail(err, RHEO_E_RANGE, 306, rh_elem_loc(s->c, e), "the value of source %s is not finite",
                       s->c->elem_name[e]);
    }
    return RHEO_OK;
}

static rheo_status not_finite(rheo_error *err) {
    return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
}

static rheo_status uncertain(const rheo_solver *s, double moved, rheo_error *err) {
    if (isnan(moved)) return not_finite(err);
    const rheo_status st =
        rh_fail(err, RHEO_E_SINGULAR, 303, RH_NOWHERE,
                "the circuit is too ill-conditioned to be solved: the answer is uncertain by %.2g of "
                "its largest part (reciprocal condition %.2g)",
                moved, s->stats.rcond);
    rh_hint(err, "conductances differ by too many decades, or parts hang together by almost nothing");
    return st;
}

static rheo_status solve_checked(rheo_solver *s, const double *g, const double *source, rheo_error *err) {
    if (s->y.n == 0) return RHEO_OK;
    rh_solver_rhs(s, source, s->b);
    memcpy(s->x, s->b, (size_t)s->y.n * sizeof(double));
    rh_solver_apply(s, 1, s->x, false);
    for (int j = 0; j < s->y.n; j++) s->wide_x[j] = narrow(s->x[j]);
    const double moved = refine(s, g, source);
    if (!(moved <= CERTAIN)) return uncertain(s, moved, err);
    for (int j = 0; j < s->y.n; j++) s->x[j] = s->wide_x[j].hi;
    s->stats.residual = rh_solver_residual(s, s->b, s->x);
    return rh_solver_judge(s, s->stats.residual, err);
}

static bool finite_answer(const rheo_solver *s) {
    double sum = 0;
    for (int k = 0; k < s->c->n_node; k++) sum += s->wide_v[k].hi * 0;
    for (int e = 0; e < s->c->n_elem; e++) sum += s->i_new[e] * 0;
    return sum == 0;
}

static rheo_status solve_outside(rheo_solver *s, rheo_state *st, rheo_error *err) {
    const rheo_status status = rh_ngspice_solve(s->outside, st->g, st->source, -1, st->v, st->i, err);
    rh_ngspice_tell(s->outside, &s->log);
    return status;
}

/* The start is what the state holds. */
static rheo_status solve_nonlinear(rheo_solver *s, rheo_state *st, rheo_error *err) {
    for (int k = 0; k < s->y.n; k++) s->x[k] = 0;
    for (int k = 0; k < s->c->n_node; k++)
        if (s->y.unknown[k] >= 0 && isfinite(st->v[k])) s->x[s->y.unknown[k]] = st->v[k];
    RHEO_TRY(rh_newton_set(s, st->g, err));
    RHEO_TRY(rh_newton_solve(s, st->source, NULL, s->x, err));
    if (!rh_newton_report(s, st->source, s->x, s->v, s->i_new)) return not_finite(err);
    memcpy(st->v, s->v, (size_t)s->c->n_node * sizeof(double));
    memcpy(st->i, s->i_new, (size_t)s->c->n_elem * sizeof(double));
    return RHEO_OK;
}

rheo_status rheo_solver_solve(rheo_solver *s, rheo_state *st, rheo_error *err) {
    if (s->outside) return solve_outside(s, st, err);
    RHEO_TRY(check_sources(s, st->source, err));
    if (rh_solver_is_nonlinear(s)) return solve_nonlinear(s, st, err);
    RHEO_TRY(rh_solver_factor_doubting(s, st->g, DOUBT, err));
    RHEO_TRY(solve_checked(s, st->g, st->source, err));
    potentials(s, st->source);
    element_currents(s, st->g, st->source);
    tree_currents(s);
    if (!finite_answer(s)) return not_finite(err);
    for (int i = 0; i < s->c->n_node; i++) st->v[i] = s->wide_v[i].hi;
    memcpy(st->i, s->i_new, (size_t)s->c->n_elem * sizeof(double));
    return RHEO_OK;
}
