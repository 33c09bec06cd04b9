/* solver.c: operating points: stamp, factor, solve, check, and back to what the user named. */
#include "solver/matrices.h"
#include "solver/system.h"

#include <math.h>

enum { COOKIE = 0x536f6c76 };
/* Pivots are chosen afresh when the condition estimate has fallen this far, to below this. */
static const double RCOND_FALL = 1e-3, RCOND_POOR = 1e-6;

struct rheo_solver {
    const rheo_circuit *c;
    rheo_solver_def def;
    const rheo_log *log;
    const rh_matrix_ops *ops;
    void *m;               /* NULL when nothing is unknown */
    rh_system y;
    double *ax;            /* [nonzeros] values last factored */
    double *g;             /* [n_edge] last factored */
    double *pivot_g;       /* [n_edge] at which pivots were chosen */
    double *v;             /* [n_node] potentials of fixed nodes */
    double *b, *x, *r, *s; /* [n] right-hand side, answer, residual, size of its terms */
    double *v_new, *i_new, *in; /* [n_node], [n_elem], [n_node]: an answer before it is handed out; currents into nodes */
    double pivot_rcond;
    bool pivoted, factored, warned;
    rheo_solver_stats stats;
    void *memory;
};

rheo_solver_def rheo_solver_default(void) {
    return (rheo_solver_def){ .backend = "auto", .rcond_refuse = 1e-14, .rcond_warn = 1e-10, .residual = 1e-10, .cookie = COOKIE };
}

static void layout(rheo_solver *s, rh_arena *a) {
    const int nz = s->y.ap[s->y.n];
    s->ax = RH_TAKE(a, double, nz);
    s->g = RH_TAKE(a, double, s->c->n_edge);
    s->pivot_g = RH_TAKE(a, double, s->c->n_edge);
    s->v = RH_TAKE(a, double, s->c->n_node);
    s->b = RH_TAKE(a, double, s->y.n);
    s->x = RH_TAKE(a, double, s->y.n);
    s->r = RH_TAKE(a, double, s->y.n);
    s->s = RH_TAKE(a, double, s->y.n);
    s->v_new = RH_TAKE(a, double, s->c->n_node);
    s->in = RH_TAKE(a, double, s->c->n_node);
    s->i_new = RH_TAKE(a, double, s->c->n_elem);
}

static const rh_matrix_ops *choose(const char *name) {
    if (!strcmp(name, "auto")) return RH_MATRICES[0];
    for (int i = 0; i < RH_N_MATRIX; i++)
        if (!strcmp(name, RH_MATRICES[i]->name)) return RH_MATRICES[i];
    return NULL;
}

static rheo_status open_solver(rheo_solver *s, rheo_error *err) {
    s->ops = choose(s->def.backend);
    if (!s->ops) {
        rheo_status st = rh_fail(err, RHEO_E_USAGE, 125, RH_NOWHERE, "unknown solver '%.40s'", s->def.backend);
        rh_hint(err, "solvers: auto, klu");
        return st;
    }
    RHEO_TRY(rh_diagnose(s->c, NULL, NULL, err));
    RHEO_TRY(rh_system_build(&s->y, s->c, err));
    rh_arena a = { 0 };
    layout(s, &a);
    s->memory = rh_alloc(a.used);
    if (!s->memory) return RH_NOMEM(err);
    a = (rh_arena){ .base = s->memory };
    layout(s, &a);
    s->stats.n_unknown = s->y.n;
    s->stats.n_nonzero = s->y.ap[s->y.n];
    return s->y.n ? s->ops->open(&s->m, s->y.n, s->y.ap, s->y.ai, err) : RHEO_OK;
}

rheo_status rheo_solver_open(rheo_solver **out, const rheo_circuit *c, const rheo_solver_def *def, const rheo_log *log,
                             rheo_error *err) {
    const rheo_solver_def fallback = rheo_solver_default();
    if (!def) def = &fallback;
    if (def->cookie != COOKIE) return rh_fail(err, RHEO_E_USAGE, 126, RH_NOWHERE, "rheo_solver_def was not made by rheo_solver_default()");
    rheo_solver *s = rh_calloc(1, sizeof(*s));
    if (!s) return RH_NOMEM(err);
    s->c = c;
    s->def = *def;
    s->log = log;
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
    for (int k = 0; k < s->c->n_edge; k++) {
        const int *const slot = y->slot[k];
        for (int i = 0; i < 4; i++)
            if (slot[i] >= 0) ax[slot[i]] += i < 2 ? g[k] : -g[k];
    }
    memcpy(s->g, g, (size_t)s->c->n_edge * sizeof(double));
}

static rheo_status check_conductances(const rheo_solver *s, const double *g, rheo_error *err) {
    for (int k = 0; k < s->c->n_edge; k++) {
        if (g[k] > 0 && g[k] < INFINITY) continue; /* NaN fails too */
        const int e = s->c->edge_elem[k];
        return rh_fail(err, RHEO_E_RANGE, 305, rh_elem_loc(s->c, e), "the conductance of %s is %g S: must be finite and above 0",
                       s->c->elem_name[e], g[k]);
    }
    return RHEO_OK;
}

/* Turn a column of the matrix into something the user wrote. */
static rheo_status singular(const rheo_solver *s, int column, rheo_error *err) {
    if (column < 0 || column >= s->y.n)
        return rh_fail(err, RHEO_E_SINGULAR, 301, RH_NOWHERE, "the circuit has no unique solution: its matrix is singular");
    const int e = s->y.row_elem[column];
    if (e >= 0)
        return rh_fail(err, RHEO_E_SINGULAR, 301, rh_elem_loc(s->c, e), "the current through %s is not determined",
                       s->c->elem_name[e]);
    const int node = -1 - e;
    int touching = -1;
    for (int k = 0; k < s->c->n_elem && touching < 0; k++)
        if (s->c->term[k][0] == node || s->c->term[k][1] == node) touching = k;
    const rheo_status st =
        rh_fail(err, RHEO_E_SINGULAR, 301, touching < 0 ? RH_NOWHERE : rh_elem_loc(s->c, touching),
                "the potential of node %s is not determined: conductances cancel there", s->c->node_name[node]);
    rh_hint(err, "negative resistances or controlled sources may cancel what holds the node");
    return st;
}

static rheo_status ill_conditioned(rheo_solver *s, double rcond, rheo_error *err) {
    if (rcond < s->def.rcond_refuse) {
        const rheo_status st = rh_fail(err, RHEO_E_SINGULAR, 303, RH_NOWHERE,
                                       "the circuit is too ill-conditioned to be solved: reciprocal condition %.2g", rcond);
        rh_hint(err, "conductances differ by too many decades, or parts hang together by almost nothing");
        return st;
    }
    if (rcond < s->def.rcond_warn && !s->warned) {
        s->warned = true;
        rh_warn(s->log, 303, RH_NOWHERE, "ill-conditioned circuit: reciprocal condition %.2g, expect to lose digits", rcond);
    }
    return RHEO_OK;
}

static rheo_status fresh_pivots(rheo_solver *s, const double *g, double *rcond, rheo_error *err) {
    int column = -1;
    s->stats.n_pivot++;
    s->pivoted = false;
    RHEO_TRY(s->ops->factor(s->m, s->ax, true, rcond, &column, err));
    if (!(*rcond > 0)) return singular(s, column, err);
    memcpy(s->pivot_g, g, (size_t)s->c->n_edge * sizeof(double));
    s->pivot_rcond = *rcond;
    s->pivoted = true;
    return RHEO_OK;
}

rheo_status rh_solver_factor(rheo_solver *s, const double *g, rheo_error *err) {
    s->factored = false;
    RHEO_TRY(check_conductances(s, g, err));
    stamp(s, g);
    s->factored = s->y.n == 0;
    if (s->y.n == 0) return RHEO_OK;
    double rcond = 0;
    int column = -1;
    if (s->pivoted) {
        s->stats.n_refactor++;
        RHEO_TRY(s->ops->factor(s->m, s->ax, false, &rcond, &column, err));
    }
    const bool worn = !s->pivoted || !(rcond > 0) || (rcond < RCOND_FALL * s->pivot_rcond && rcond < RCOND_POOR);
    if (worn) RHEO_TRY(fresh_pivots(s, g, &rcond, err));
    s->stats.rcond = rcond;
    s->stats.n_factor = s->ops->fill(s->m);
    RHEO_TRY(ill_conditioned(s, rcond, err));
    s->factored = true;
    return RHEO_OK;
}

rheo_status rh_solver_pivot_at(rheo_solver *s, const double *g, rheo_error *err) {
    RHEO_TRY(check_conductances(s, g, err));
    stamp(s, g);
    double rcond = 0;
    s->factored = false;
    return s->y.n ? fresh_pivots(s, g, &rcond, err) : RHEO_OK;
}

/* ---- right-hand sides and answers ---- */

static void fixed_potentials(const rheo_solver *s, const double *source, double *v) {
    v[0] = 0;
    for (int k = 1; k < s->y.n_fixed; k++) {
        const rh_fixed *f = &s->y.fixed[k];
        v[f->node] = source ? v[f->from] + f->sign * source[f->elem] : 0;
    }
}

void rh_solver_rhs(const rheo_solver *s, const double *source, double *b) {
    const rh_system *y = &s->y;
    fixed_potentials(s, source, s->v);
    memset(b, 0, (size_t)y->n * sizeof(double));
    for (int k = 0; k < y->n_coupling; k++) {
        const rh_coupling *q = &y->coupling[k];
        b[q->row] += q->coef * (q->edge < 0 ? 1 : s->g[q->edge]) * s->v[q->node];
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
    if (transposed) s->ops->solve_transposed(s->m, n_rhs, b);
    else s->ops->solve(s->m, n_rhs, b);
}

/* Largest |Ax-b| over the largest |A||x|+|b|; NaN when anything is not finite. Leaves b - Ax in s->r. */
static double relative_residual(const rheo_solver *s, const double *b, const double *x) {
    const rh_system *y = &s->y;
    for (int i = 0; i < y->n; i++) {
        s->r[i] = b[i];
        s->s[i] = fabs(b[i]);
    }
    for (int j = 0; j < y->n; j++)
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) {
            const double t = s->ax[p] * x[j];
            s->r[y->ai[p]] -= t;
            s->s[y->ai[p]] += fabs(t);
        }
    double worst = 0, size = 0, sum = 0;
    for (int i = 0; i < y->n; i++) {
        worst = fmax(worst, fabs(s->r[i]));
        size = fmax(size, s->s[i]);
        sum += s->r[i] * 0 + x[i] * 0;
    }
    if (!(sum == 0)) return NAN;
    return size > 0 ? worst / size : 0;
}

static rheo_status judge(const rheo_solver *s, double residual, rheo_error *err) {
    if (residual <= s->def.residual) return RHEO_OK;
    if (isnan(residual)) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
    return rh_fail(err, RHEO_E_SINGULAR, 304, RH_NOWHERE, "the residual is %.2g of the currents, allowed is %.2g", residual,
                   s->def.residual);
}

rheo_status rh_solver_check(rheo_solver *s, const double *b, const double *x, rheo_error *err) {
    return judge(s, relative_residual(s, b, x), err);
}

void rh_solver_potentials(const rheo_solver *s, const double *source, const double *x, double *v) {
    fixed_potentials(s, source, v);
    for (int i = 0; i < s->c->n_node; i++)
        if (s->y.unknown[i] >= 0) v[i] = x[s->y.unknown[i]];
}

void rh_solver_drops(const rheo_solver *s, const double *source, const double *x, double *drop) {
    const rh_system *y = &s->y;
    fixed_potentials(s, source, s->v);
    for (int k = 0; k < s->c->n_edge; k++) {
        const int a = y->end[k][0], b = y->end[k][1], p = y->unknown[a], q = y->unknown[b];
        drop[k] = (p >= 0 ? x[p] : s->v[a]) - (q >= 0 ? x[q] : s->v[b]);
    }
}

/* ---- the operating point ---- */

/* Currents through all elements but the tree's; sums of what enters each node. */
static void element_currents(rheo_solver *s, const double *g, const double *source, const double *v, double *i) {
    const rheo_circuit *c = s->c;
    memset(s->in, 0, (size_t)c->n_node * sizeof(double));
    for (int e = 0; e < c->n_elem; e++) {
        const rh_kind *const kind = RH_KINDS[c->kind[e]];
        const int *const t = c->term[e], edge = c->elem_edge[e];
        if (s->y.tree[e]) continue;
        if (s->y.branch[e] >= 0) {
            i[e] = s->x[s->y.branch[e]];
        } else {
            const double value = kind->flags & RH_SOURCE ? source[e] : c->value[e];
            const rh_law law = kind->law(value, edge >= 0 ? g[edge] : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0);
            i[e] = law.conductance * (v[t[0]] - v[t[1]]) + law.current;
            if (t[2] >= 0) i[e] += law.trans * (v[t[2]] - v[t[3]]);
        }
        s->in[t[0]] -= i[e];
        s->in[t[1]] += i[e];
    }
}

/* Kirchhoff from the leaves of the tree to ground: what enters a node leaves it through its V element. */
static void tree_currents(rheo_solver *s, double *i) {
    for (int k = s->y.n_fixed - 1; k > 0; k--) {
        const rh_fixed *f = &s->y.fixed[k];
        const double out = s->in[f->node]; /* from node to from, through the element */
        i[f->elem] = f->sign > 0 ? out : -out;
        s->in[f->from] += out;
    }
}

static rheo_status check_sources(const rheo_solver *s, const double *source, rheo_error *err) {
    for (int e = 0; e < s->c->n_elem; e++) {
        if (!(RH_KINDS[s->c->kind[e]]->flags & RH_SOURCE) || isfinite(source[e])) continue;
        return rh_fail(err, RHEO_E_RANGE, 306, rh_elem_loc(s->c, e), "the value of source %s is not finite", s->c->elem_name[e]);
    }
    return RHEO_OK;
}

static rheo_status solve_checked(rheo_solver *s, const double *source, rheo_error *err) {
    rh_solver_rhs(s, source, s->b);
    memcpy(s->x, s->b, (size_t)s->y.n * sizeof(double));
    rh_solver_apply(s, 1, s->x, false);
    double residual = relative_residual(s, s->b, s->x);
    if (s->y.n > 0 && residual > 1e-15 && residual == residual) { /* one step of refinement: cheap, and never does harm */
        double *const dx = s->s;
        memcpy(dx, s->r, (size_t)s->y.n * sizeof(double));
        rh_solver_apply(s, 1, dx, false);
        for (int k = 0; k < s->y.n; k++) s->x[k] += dx[k];
        residual = relative_residual(s, s->b, s->x);
    }
    s->stats.residual = residual;
    return judge(s, residual, err);
}

static bool finite_answer(const rheo_solver *s) {
    double sum = 0;
    for (int k = 0; k < s->c->n_node; k++) sum += s->v_new[k] * 0;
    for (int e = 0; e < s->c->n_elem; e++) sum += s->i_new[e] * 0;
    return sum == 0;
}

rheo_status rheo_solver_solve(rheo_solver *s, rheo_state *st, rheo_error *err) {
    RHEO_TRY(check_sources(s, st->source, err));
    RHEO_TRY(rh_solver_factor(s, st->g, err));
    RHEO_TRY(solve_checked(s, st->source, err));
    rh_solver_potentials(s, st->source, s->x, s->v_new);
    element_currents(s, st->g, st->source, s->v_new, s->i_new);
    tree_currents(s, s->i_new);
    if (!finite_answer(s)) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
    memcpy(st->v, s->v_new, (size_t)s->c->n_node * sizeof(double));
    memcpy(st->i, s->i_new, (size_t)s->c->n_elem * sizeof(double));
    return RHEO_OK;
}
