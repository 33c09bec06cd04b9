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
/* Largest last correction, relative to the largest potential, and of currents to the largest current: of an operating
 * point, and of a solve while training. */
static const double CERTAIN = 1e-13, TRUSTED = 1e-9;
/* Where a potential is uncertain by this much of itself there is no answer to be warned about. */
static const double LOST = 0.1;
/* Share of the currents of a node that may be left over there. */
static const double LEFT_OVER = 1e-6;
/* A; no junction of a circuit carries as much. */
static const double ENORMOUS = 1e6;
/* S, what ngspice puts beside junctions by default; and how far it may move a node before that is said. */
static const double GMIN = 1e-12, LEANING = 1e-3;
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

/* What is solved for. */
typedef struct task {
    const double *g;      /* [n_edge] */
    const double *source; /* [n_elem], NULL: all 0 */
    int into, out_of;     /* nodes that 1 A is put into and taken from; -1: none */
} task;

static rh_law law_of(const rheo_solver *s, const task *at, int e) {
    const rheo_circuit *const c = s->c;
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    const int edge = c->elem_edge[e];
    const double value = !(kind->flags & RH_SOURCE) ? c->value[e] : at->source ? at->source[e] : 0;
    return kind->law(value, edge >= 0 ? at->g[edge] : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0);
}

static void potentials(rheo_solver *s, const double *source) {
    const rh_system *y = &s->y;
    rh_wide *const v = s->wide_v;
    v[0] = narrow(0);
    for (int k = 1; k < y->n_fixed; k++) {
        const rh_fixed *f = &y->fixed[k];
        v[f->node] = plus(v[f->from], narrow(source ? f->sign * (f->edge < 0 ? source[f->elem] : s->g[f->edge]) : 0));
    }
    for (int i = 0; i < s->c->n_node; i++)
        if (y->unknown[i] >= 0) v[i] = s->wide_x[y->unknown[i]];
}

static rh_wide drop(const rheo_solver *s, int a, int b) { return minus(s->wide_v[a], s->wide_v[b]); }

/* What controls a source: a difference of potentials, or a current. */
static rh_wide control(const rheo_solver *s, int e) {
    const int ctrl = s->c->elem_ctrl[e], *const t = s->c->term[e];
    return ctrl >= 0 ? s->wide_x[s->y.branch[ctrl]] : drop(s, t[2], t[3]);
}

static rh_wide current(const rheo_solver *s, const task *at, int e) {
    const int *const t = s->c->term[e];
    if (s->y.branch[e] >= 0) return s->wide_x[s->y.branch[e]];
    const rh_law law = law_of(s, at, e);
    rh_wide i = narrow(law.current);
    if (law.conductance != 0) i = plus(i, times(law.conductance, drop(s, t[0], t[1])));
    if (law.trans != 0) i = plus(i, times(law.trans, control(s, e)));
    return i;
}

/* Currents through all elements but the tree's; sums of what enters each node. */
static void element_currents(rheo_solver *s, const task *at) {
    const rheo_circuit *const c = s->c;
    memset(s->in, 0, (size_t)c->n_node * sizeof(*s->in));
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        if (s->y.tree[e]) continue;
        const rh_wide i = current(s, at, e);
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

static void inject(rheo_solver *s, const task *at) {
    if (at->into >= 0) s->in[at->into] = plus(s->in[at->into], narrow(1));
    if (at->out_of >= 0) s->in[at->out_of] = minus(s->in[at->out_of], narrow(1));
}

static void rows_of_nodes(const rheo_solver *s, double *r) {
    for (int i = 0; i < s->c->n_node; i++)
        if (s->y.unknown[i] >= 0) r[s->y.unknown[i]] = s->in[i].hi;
}

/* What the answer leaves over in every equation, from the elements themselves: the diagonal of the matrix has lost what
 * is small beside its largest term. */
static void leftover(rheo_solver *s, const task *at, double *r) {
    const rheo_circuit *const c = s->c;
    potentials(s, at->source);
    element_currents(s, at);
    inject(s, at);
    rows_of_nodes(s, r);
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        if (s->y.branch[e] < 0) continue;
        const rh_law law = law_of(s, at, e);
        rh_wide rhs = minus(narrow(law.rhs), drop(s, t[0], t[1]));
        if (law.gain != 0) rhs = plus(rhs, times(law.gain, control(s, e)));
        r[s->y.branch[e]] = rhs.hi;
    }
}

static void flow(rheo_solver *s, int from, int to, rh_wide i) {
    s->in[from] = minus(s->in[from], i);
    s->in[to] = plus(s->in[to], i);
}

/* The same of the transposed equations, sources at 0: what an element did to its terminals for its controlling pair, it
 * does to the controlling pair for its terminals. */
static void leftover_transposed(rheo_solver *s, const task *at, double *r) {
    const rheo_circuit *const c = s->c;
    potentials(s, NULL);
    memset(s->in, 0, (size_t)c->n_node * sizeof(*s->in));
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        s->i_new[e] = 0;
        if (s->y.tree[e]) continue;
        const rh_law law = law_of(s, at, e);
        const rh_wide across = drop(s, t[0], t[1]);
        rh_wide i = times(law.conductance, across), back = times(law.trans, across);
        if (s->y.branch[e] >= 0) {
            i = s->wide_x[s->y.branch[e]];
            back = times(-law.gain, i);
            r[s->y.branch[e]] = -across.hi;
        }
        s->i_new[e] = i.hi;
        flow(s, t[0], t[1], i);
        if (t[2] >= 0) flow(s, t[2], t[3], back);
    }
    for (int e = 0; e < c->n_elem; e++) { /* what F and H do to the equation of the source they sense */
        if (c->elem_ctrl[e] < 0) continue;
        const rh_law law = law_of(s, at, e);
        const rh_wide across = drop(s, c->term[e][0], c->term[e][1]);
        const rh_wide back =
            s->y.branch[e] >= 0 ? times(-law.gain, s->wide_x[s->y.branch[e]]) : times(law.trans, across);
        r[s->y.branch[c->elem_ctrl[e]]] -= back.hi;
    }
    inject(s, at);
    rows_of_nodes(s, r);
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
static double refine(rheo_solver *s, const task *at, bool transposed) {
    double last = INFINITY;
    for (int step = 0; step < MAX_REFINE; step++) {
        (transposed ? leftover_transposed : leftover)(s, at, s->r);
        rh_solver_apply(s, 1, s->r, transposed);
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

static rheo_status solve_checked(rheo_solver *s, const task *at, rheo_error *err) {
    if (s->y.n == 0) return RHEO_OK;
    rh_solver_rhs(s, at->source, s->b);
    memcpy(s->x, s->b, (size_t)s->y.n * sizeof(double));
    rh_solver_apply(s, 1, s->x, false);
    for (int j = 0; j < s->y.n; j++) s->wide_x[j] = narrow(s->x[j]);
    const double moved = refine(s, at, false);
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
    const rheo_status status = rh_ngspice_solve(s->outside, st->g, st->source, st->v, st->i, err);
    rh_ngspice_tell(s->outside, &s->log);
    return status;
}

static void warn_uncertain(rheo_solver *s, double moved, int node) {
    if (moved <= TRUSTED || s->warned) return;
    s->warned = true;
    rh_warn(&s->log, 303, RH_NOWHERE,
            "the potential of node %s is uncertain by %.2g of the largest: next to nothing holds it there",
            s->c->node_name[node], moved);
}

/* Expressions so steep that no double is the potential at which they carry what flows. */
static void warn_left_over(rheo_solver *s) {
    int node = 0;
    const double share = rh_newton_left_over(s, s->i_new, &node);
    if (share <= LEFT_OVER || s->warned) return;
    s->warned = true;
    rh_warn(&s->log, 303, RH_NOWHERE,
            "the currents of node %s balance to %.2g of their sum only: the expression there is too steep for the "
            "digits of a potential",
            s->c->node_name[node], share);
}

/* Of the nonlinear elements at a node the one with the steepest slope. */
static int steepest(const rheo_solver *s, int node) {
    double most = -1;
    int best = -1;
    for (int k = 0; k < s->y.n_bend; k++)
        for (int t = 0; t < RH_MAX_TERM; t++) {
            const double g = fabs(s->newton.flow[k].g[t][t]);
            if (s->y.bend[k].row[t] != s->y.unknown[node] || !(g > most)) continue;
            most = g;
            best = s->y.bend[k].elem;
        }
    return best;
}

static rheo_status check_currents(const rheo_solver *s, rheo_error *err) {
    const int node = rh_newton_drowned(s);
    if (node < 0) return RHEO_OK;
    const int e = steepest(s, node);
    const rheo_status st = rh_fail(err, RHEO_E_NOCONV, 316, e >= 0 ? rh_elem_loc(s->c, e) : RH_NOWHERE,
                                   "the currents at node %s drown in the rounding of those inside %s",
                                   s->c->node_name[node], e >= 0 ? s->c->elem_name[e] : "its elements");
    rh_hint(err, "a junction lies in forward direction across a source: put a resistor in series with it");
    return st;
}

/* Nodes that hang on junctions which block, or on bases of transistors that nothing drives. */
static void warn_leaning(rheo_solver *s) {
    int node = 0;
    const double share = rh_newton_leaning(s, s->x, GMIN, &node);
    if (!(share > LEANING) || s->warned_leaning) return;
    s->warned_leaning = true;
    rh_warn(&s->log, 317, RH_NOWHERE,
            "next to nothing holds node %s: with the %g S to ground that other simulators add (gmin) it lies elsewhere",
            s->c->node_name[node], GMIN);
}

/* Junctions across ideal sources: their curve ends long before. */
static void warn_enormous(rheo_solver *s) {
    double most = ENORMOUS;
    int at = -1;
    for (int k = 0; k < s->y.n_bend; k++)
        for (int t = 0; t < RH_MAX_TERM; t++) {
            const double i = fabs(s->newton.flow[k].i[t]);
            if (!(i > most)) continue;
            most = i;
            at = s->y.bend[k].elem;
        }
    if (at < 0 || s->warned_enormous) return;
    s->warned_enormous = true;
    rh_warn(&s->log, 316, rh_elem_loc(s->c, at),
            "%s carries %.2g A: its law of currents means nothing there; put a resistor in series with it",
            s->c->elem_name[at], most);
}

/* The start is what the state holds. */
static rheo_status solve_nonlinear(rheo_solver *s, rheo_state *st, rheo_error *err) {
    for (int k = 0; k < s->y.n; k++) s->x[k] = 0;
    for (int k = 0; k < s->c->n_node; k++)
        if (s->y.unknown[k] >= 0 && isfinite(st->v[k])) s->x[s->y.unknown[k]] = st->v[k];
    RHEO_TRY(rh_newton_set(s, st->g, err));
    RHEO_TRY(rh_newton_solve(s, st->source, NULL, s->x, err));
    int node = 0;
    const double moved = rh_newton_polish(s, st->source, s->x, &node, err);
    if (!rh_newton_report(s, st->source, s->x, s->v, s->i_new)) return not_finite(err);
    if (!(moved <= LOST)) return uncertain(s, moved, err);
    warn_uncertain(s, moved, node);
    RHEO_TRY(check_currents(s, err));
    if (isfinite(moved)) warn_leaning(s);
    warn_enormous(s);
    warn_left_over(s);
    memcpy(st->v, s->v, (size_t)s->c->n_node * sizeof(double));
    memcpy(st->i, s->i_new, (size_t)s->c->n_elem * sizeof(double));
    return RHEO_OK;
}

/* Resistors above 0, current sources and grounded voltage sources give matrices whose pivots are sums of positive
 * terms: elimination loses nothing. Everything else may cancel. */
bool rh_solver_doubts(const rheo_solver *s) {
    if (s->y.n == 0 || rh_solver_is_nonlinear(s)) return false; /* Newton polishes by itself */
    return !s->positive || s->stats.rcond < RH_DOUBT;
}

rheo_status rh_solver_settle(rheo_solver *s, const double *source, int into, int out_of, bool transposed, double *x,
                             rheo_error *err) {
    const task at = { .g = s->g, .source = source, .into = into, .out_of = out_of };
    for (int j = 0; j < s->y.n; j++) s->wide_x[j] = narrow(x[j]);
    const double moved = refine(s, &at, transposed);
    if (!(moved <= TRUSTED)) return uncertain(s, moved, err);
    for (int j = 0; j < s->y.n; j++) x[j] = s->wide_x[j].hi;
    return RHEO_OK;
}

rheo_status rheo_solver_solve(rheo_solver *s, rheo_state *st, rheo_error *err) {
    if (s->outside) return solve_outside(s, st, err);
    RHEO_TRY(check_sources(s, st->source, err));
    if (rh_solver_is_nonlinear(s)) return solve_nonlinear(s, st, err);
    RHEO_TRY(rh_solver_factor_doubting(s, st->g, DOUBT, err));
    const task at = { .g = st->g, .source = st->source, .into = -1, .out_of = -1 };
    RHEO_TRY(solve_checked(s, &at, err));
    potentials(s, st->source);
    element_currents(s, &at);
    tree_currents(s);
    if (!finite_answer(s)) return not_finite(err);
    for (int i = 0; i < s->c->n_node; i++) st->v[i] = s->wide_v[i].hi;
    memcpy(st->i, s->i_new, (size_t)s->c->n_elem * sizeof(double));
    return RHEO_OK;
}
