/* solver.c: stamp, factor, solve, check, and back to what the user named. */
#include "solver/choose.h"
#include "solver/inside.h"
#include "solver/newton.h"
#include "solver/outside.h"

#include <float.h>
#include <math.h>

enum { COOKIE = 0x536f6c76 };
/* Pivots are chosen afresh when the condition estimate has fallen this far, to below this. */
static const double RCOND_FALL = 1e-3, RCOND_POOR = 1e-6;
/* Below this a pivot is what rounding left of its diagonal entry: the matrix cannot be told from a singular one. */
static const double RCOND_NOTHING = 8 * DBL_EPSILON;

rheo_solver_def rheo_solver_default(void) {
    return (rheo_solver_def){
        .backend = "auto", .rcond_refuse = 1e-14, .rcond_warn = 1e-10, .residual = 1e-10, .cookie = COOKIE
    };
}

static void layout(rheo_solver *s, rh_arena *a) {
    const int nz = s->y.ap[s->y.n];
    s->ax = RH_TAKE(a, double, nz + 1);
    s->g = RH_TAKE(a, double, s->c->n_edge);
    s->pivot_g = RH_TAKE(a, double, s->c->n_edge);
    s->felt = RH_TAKE(a, double, s->y.n_coupling);
    s->felt_coef = RH_TAKE(a, double, s->y.n_coupling);
    s->felt_row = RH_TAKE(a, int, s->y.n_coupling);
    s->felt_edge = RH_TAKE(a, int, s->y.n_coupling);
    s->v = RH_TAKE(a, double, s->c->n_node);
    s->b = RH_TAKE(a, double, s->y.n);
    s->x = RH_TAKE(a, double, s->y.n);
    s->r = RH_TAKE(a, double, s->y.n);
    s->size = RH_TAKE(a, double, s->y.n);
    s->across = RH_TAKE(a, double, s->y.n);
    s->scale = RH_TAKE(a, double, s->y.n);
    s->i_new = RH_TAKE(a, double, s->c->n_elem);
    s->wide_x = RH_TAKE(a, rh_wide, s->y.n);
    s->wide_v = RH_TAKE(a, rh_wide, s->c->n_node);
    s->in = RH_TAKE(a, rh_wide, s->c->n_node);
    rh_newton_layout(s, a);
}

static rheo_status open_solver(rheo_solver *s, rheo_error *err) {
    const bool outside = !strcmp(s->def.backend, RH_OUTSIDE);
    if (outside) s->def.backend = "auto"; /* of the factors, where any are needed */
    RHEO_TRY(rh_matrix_known(s->def.backend, err));
    RHEO_TRY(rh_diagnose(s->c, NULL, NULL, err));
    RHEO_TRY(rh_system_build(&s->y, s->c, err));
    rh_arena a = { 0 };
    layout(s, &a);
    s->memory = rh_alloc(a.used);
    if (!s->memory) return RH_NOMEM(err);
    a = (rh_arena){ .base = s->memory };
    layout(s, &a);
    for (int k = 0; k < s->y.n_coupling; k++) {
        s->felt_coef[k] = s->y.coupling[k].coef;
        s->felt_row[k] = s->y.coupling[k].row;
        s->felt_edge[k] = s->y.coupling[k].edge;
    }
    s->stats.n_unknown = s->y.n;
    s->stats.n_nonzero = s->y.ap[s->y.n];
    RHEO_TRY(rh_matrix_open(s->def.backend, s->c, &s->y, &s->ops, &s->m, &s->stats.why, err));
    s->stats.backend = s->ops->name;
    s->positive = rh_matrix_positive(s->c, &s->y);
    RHEO_TRY(rh_newton_open(s, err));
    if (!outside) return RHEO_OK;
    s->stats.backend = RH_OUTSIDE;
    s->stats.why = "asked for";
    return rh_ngspice_open(&s->outside, s->c, s->def.worker, err);
}

rheo_status rheo_solver_open(rheo_solver **out, const rheo_circuit *c, const rheo_solver_def *def, const rheo_log *log,
                             rheo_error *err) {
    const rheo_solver_def fallback = rheo_solver_default();
    if (!def) def = &fallback;
    if (def->cookie != COOKIE)
        return rh_fail(err, RHEO_E_USAGE, 187, RH_NOWHERE, "rheo_solver_def was not made by rheo_solver_default()");
    rheo_solver *s = rh_calloc(1, sizeof(*s));
    if (!s) return RH_NOMEM(err);
    s->c = c;
    s->def = *def;
    if (log) s->log = *log;
    const rheo_status st = open_solver(s, err);
    s->def.backend = s->ops ? s->ops->name : "";
    if (st != RHEO_OK) {
        rheo_solver_close(s);
        return st;
    }
    *out = s;
    return RHEO_OK;
}

void rheo_solver_close(rheo_solver *s) {
    if (!s) return;
    rh_ngspice_close(s->outside);
    rh_newton_close(s);
    if (s->m) s->ops->close(s->m);
    rh_system_free(&s->y);
    rh_free(s->memory);
    rh_free(s);
}

const rheo_circuit *rheo_solver_circuit(const rheo_solver *s) { return s->c; }
rheo_solver_stats rheo_solver_statistics(const rheo_solver *s) { return s->stats; }
int rh_solver_n_unknown(const rheo_solver *s) { return s->y.n; }
int rh_solver_unknown(const rheo_solver *s, int node) { return s->y.unknown[node]; }
const double *rh_solver_pivot_g(const rheo_solver *s) { return s->pivoted ? s->pivot_g : NULL; }

/* ---- factoring ---- */

static void stamp(rheo_solver *s, const double *g) {
    const rh_system *y = &s->y;
    double *const ax = s->ax;
    memcpy(ax, y->constant, (size_t)y->ap[y->n] * sizeof(double));
    for (int k = 0; k < s->c->n_edge; k++) { /* absent slots lead to a spare entry behind the matrix */
        const int *const slot = y->slot[k];
        ax[slot[0]] += g[k];
        ax[slot[1]] += g[k];
        ax[slot[2]] -= g[k];
        ax[slot[3]] -= g[k];
    }
    memcpy(s->g, g, (size_t)s->c->n_edge * sizeof(double));
    for (int k = 0; k < y->n_coupling; k++)
        s->felt[k] = s->felt_coef[k] * (s->felt_edge[k] < 0 ? 1 : g[s->felt_edge[k]]);
    s->sized = false;
}

static rheo_status check_conductances(const rheo_solver *s, const double *g, rheo_error *err) {
    for (int k = 0; k < s->c->n_edge; k++) {
        if (g[k] > 0 && g[k] < INFINITY) continue; /* NaN fails too */
        if (s->c->edge_source[k] >= 0 && isfinite(g[k])) continue;
        const int e = s->c->edge_elem[k];
        if (s->c->edge_source[k] >= 0)
            return rh_fail(err, RHEO_E_RANGE, 305, rh_elem_loc(s->c, e), "the gate voltage of %s is not finite",
                           s->c->elem_name[e]);
        return rh_fail(err, RHEO_E_RANGE, 305, rh_elem_loc(s->c, e),
                       "the conductance of %s is %g S: must be finite and above 0", s->c->elem_name[e], g[k]);
    }
    return RHEO_OK;
}

rheo_status rh_solver_stamp(rheo_solver *s, const double *g, rheo_error *err) {
    RHEO_TRY(check_conductances(s, g, err));
    stamp(s, g);
    return RHEO_OK;
}

/* Turn a column of the matrix into something the user wrote. */
rheo_status rh_solver_singular(const rheo_solver *s, int column, rheo_error *err) {
    if (column < 0 || column >= s->y.n)
        return rh_fail(err, RHEO_E_SINGULAR, 301, RH_NOWHERE,
                       "the circuit has no unique solution: its matrix is singular");
    const int e = s->y.row_elem[column];
    if (e >= 0)
        return rh_fail(err, RHEO_E_SINGULAR, 301, rh_elem_loc(s->c, e), "the current through %s is not determined",
                       s->c->elem_name[e]);
    const int node = -1 - e;
    int touching = -1;
    for (int k = 0; k < s->c->n_elem && touching < 0; k++)
        if (s->c->term[k][0] == node || s->c->term[k][1] == node) touching = k;
    const rheo_status st = rh_fail(err, RHEO_E_SINGULAR, 301, touching < 0 ? RH_NOWHERE : rh_elem_loc(s->c, touching),
                                   "the potential of node %s is not determined: %s there", s->c->node_name[node],
                                   s->y.n_bend ? "next to nothing conducts" : "conductances cancel");
    rh_hint(err, s->y.n_bend
                     ? "junctions and transistors that are off hold no node: give it a resistor to one that is held"
                     : "negative resistances or controlled sources may cancel what holds the node");
    return st;
}

rheo_status rh_solver_ill_conditioned(rheo_solver *s, double rcond, int column, rheo_error *err) {
    if (rcond < s->def.rcond_refuse && rcond < RCOND_NOTHING) return rh_solver_singular(s, column, err);
    if (rcond < s->def.rcond_refuse) {
        const rheo_status st = rh_fail(err, RHEO_E_SINGULAR, 303, RH_NOWHERE,
                                       "the circuit is too ill-conditioned to be "
                                       "solved: reciprocal condition %.2g",
                                       rcond);
        rh_hint(err, "conductances differ by too many decades, or parts hang "
                     "together by almost nothing");
        return st;
    }
    if (rcond < s->def.rcond_warn && !s->warned) {
        s->warned = true;
        rh_warn(&s->log, 303, RH_NOWHERE,
                "ill-conditioned circuit: reciprocal condition %.2g, expect to "
                "lose digits",
                rcond);
    }
    return RHEO_OK;
}

static rheo_status fresh_pivots(rheo_solver *s, const double *g, double *rcond, int *column, rheo_error *err) {
    s->stats.n_pivot++;
    s->pivoted = false;
    RHEO_TRY(s->ops->factor(s->m, s->ax, RH_SPARSE, rcond, column, err));
    if (!(*rcond >= s->def.rcond_refuse)) RHEO_TRY(s->ops->factor(s->m, s->ax, RH_FIRM, rcond, column, err));
    if (!(*rcond > 0)) return rh_solver_singular(s, *column, err);
    memcpy(s->pivot_g, g, (size_t)s->c->n_edge * sizeof(double));
    s->pivot_rcond = *rcond;
    s->pivoted = true;
    return RHEO_OK;
}

rheo_status rh_solver_factor_doubting(rheo_solver *s, const double *g, double doubt, rheo_error *err) {
    s->factored = false;
    RHEO_TRY(check_conductances(s, g, err));
    stamp(s, g);
    s->factored = s->y.n == 0;
    if (s->y.n == 0) return RHEO_OK;
    double rcond = 0;
    int column = -1;
    if (s->pivoted) {
        s->stats.n_refactor++;
        RHEO_TRY(s->ops->factor(s->m, s->ax, RH_KEEP, &rcond, &column, err));
    }
    const bool worn =
        !(rcond > 0 && rcond >= s->def.rcond_refuse) || (rcond < RCOND_FALL * s->pivot_rcond && rcond < RCOND_POOR);
    if (!s->pivoted || worn) RHEO_TRY(fresh_pivots(s, g, &rcond, &column, err));
    s->stats.n_factor = s->ops->fill(s->m);
    s->stats.rcond = rcond < doubt ? rh_solver_second_opinion(s, rcond) : rcond;
    RHEO_TRY(rh_solver_ill_conditioned(s, s->stats.rcond, column, err));
    s->factored = true;
    return RHEO_OK;
}

rheo_status rh_solver_factor(rheo_solver *s, const double *g, rheo_error *err) {
    return rh_solver_factor_doubting(s, g, RH_DOUBT, err);
}

rheo_status rh_solver_pivot_at(rheo_solver *s, const double *g, rheo_error *err) {
    if (rh_solver_is_nonlinear(s)) return RHEO_OK; /* its pivots are the standard ones */
    RHEO_TRY(check_conductances(s, g, err));
    stamp(s, g);
    double rcond = 0;
    int column = -1;
    s->factored = false;
    return s->y.n ? fresh_pivots(s, g, &rcond, &column, err) : RHEO_OK;
}

/* ---- right-hand sides and answers ---- */

static void fixed_potentials(const rheo_solver *s, const double *source, double *v) {
    v[0] = 0;
    for (int k = 1; k < s->y.n_fixed; k++) {
        const rh_fixed *f = &s->y.fixed[k];
        v[f->node] = source ? v[f->from] + f->sign * (f->edge < 0 ? source[f->elem] : s->g[f->edge]) : 0;
    }
}

void rh_solver_rhs(const rheo_solver *s, const double *source, double *b) {
    const rh_system *y = &s->y;
    fixed_potentials(s, source, s->v);
    memset(b, 0, (size_t)y->n * sizeof(double));
    const double *const felt = s->felt;
    const int *const row = s->felt_row;
    for (int k = 1; k < y->n_fixed; k++) {
        const int node = y->fixed[k].node, end = y->coupling_at[node + 1];
        const double v = s->v[node];
        if (v == 0) continue; /* most pixels of an image */
        for (int q = y->coupling_at[node]; q < end; q++) b[row[q]] += felt[q] * v;
    }
    for (int k = 0; k < y->n_drive; k++) b[y->drive[k].row] += y->drive[k].coef * source[y->drive[k].elem];
}

void rh_solver_inject(const rheo_solver *s, int a, int b_node, double amp, double *b) {
    const int p = s->y.unknown[a], q = s->y.unknown[b_node];
    if (p >= 0) b[p] += amp;
    if (q >= 0) b[q] -= amp;
}

void rh_solver_apply(rheo_solver *s, int n_rhs, double *b, bool transposed) {
    if (s->y.n == 0) return;
    s->stats.n_solve += n_rhs;
    if (transposed)
        s->ops->solve_transposed(s->m, n_rhs, b);
    else
        s->ops->solve(s->m, n_rhs, b);
}

void rh_solver_size_rows(rheo_solver *s) {
    if (s->sized) return;
    const rh_system *y = &s->y;
    memset(s->size, 0, (size_t)y->n * sizeof(double));
    memset(s->across, 0, (size_t)y->n * sizeof(double));
    for (int j = 0; j < y->n; j++) {
        double *const to = y->row_elem[j] < 0 ? s->size : s->across;
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) to[y->ai[p]] += fabs(s->ax[p]);
    }
    s->sized = true;
}

/* r = b - Ax. false: something is not finite. */
static bool subtract_product(const rheo_solver *s, const double *b, const double *x, double *r) {
    const rh_system *y = &s->y;
    double sum = 0;
    memcpy(r, b, (size_t)y->n * sizeof(double));
    for (int j = 0; j < y->n; j++) {
        const double xj = x[j];
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) r[y->ai[p]] -= s->ax[p] * xj;
        sum += xj * 0;
    }
    for (int i = 0; i < y->n; i++) sum += r[i] * 0;
    return sum == 0;
}

/* Worst row of |Ax-b| over |A||x|+|b|, with |x| the largest potential for the columns of nodes, so that rounding does
 * not count where all potentials around a node happen to vanish, and the largest current for those of branches. Row by
 * row: a weakly conducting corner is judged by its own currents, not by the strongest of the circuit. NaN: not finite.
 * */
double rh_solver_residual(rheo_solver *s, const double *b, const double *x) {
    const rh_system *y = &s->y;
    rh_solver_size_rows(s);
    if (!subtract_product(s, b, x, s->r)) return NAN;
    double volt = 0, amp = 0, worst = 0;
    for (int j = 0; j < y->n; j++) {
        double *const most = y->row_elem[j] < 0 ? &volt : &amp;
        const double size = fabs(x[j]); /* finite by now: no need for what fmax knows of NaN */
        *most = size > *most ? size : *most;
    }
    if (y->n_branch > 0)
        for (int i = 0; i < y->n; i++)
            if (y->row_elem[i] < 0) amp = fmax(amp, s->size[i] * volt);
    for (int i = 0; i < y->n; i++) {
        const double r = fabs(s->r[i]), most = s->size[i] * volt + s->across[i] * amp + fabs(b[i]);
        if (r > worst * most) worst = most > 0 ? r / most : INFINITY;
    }
    return worst;
}

rheo_status rh_solver_judge(const rheo_solver *s, double residual, rheo_error *err) {
    if (residual <= s->def.residual) return RHEO_OK;
    if (isnan(residual)) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
    return rh_fail(err, RHEO_E_SINGULAR, 304, RH_NOWHERE, "the residual is %.2g of the currents, allowed is %.2g",
                   residual, s->def.residual);
}

rheo_status rh_solver_check(rheo_solver *s, const double *b, const double *x, rheo_error *err) {
    return rh_solver_judge(s, rh_solver_residual(s, b, x), err);
}

void rh_solver_potentials(const rheo_solver *s, const double *source, const double *x, double *v) {
    fixed_potentials(s, source, v);
    for (int i = 0; i < s->c->n_node; i++)
        if (s->y.unknown[i] >= 0) v[i] = x[s->y.unknown[i]];
}

void rh_solver_drops(const rheo_solver *s, const double *source, const double *x, double *drop) {
    const rh_system *y = &s->y;
    double *const v = s->v;
    rh_solver_potentials(s, source, x, v);
    for (int k = 0; k < s->c->n_edge; k++) drop[k] = v[y->end[k][0]] - v[y->end[k][1]];
}
