/* solver.c: operating points: stamp, factor, solve, check, and back to what the user named. */
#include "solver/matrices.h"
#include "solver/system.h"

#include <float.h>
#include <math.h>

enum { COOKIE = 0x536f6c76, MAX_REFINE = 8, MAX_ESTIMATE = 5 };
/* Pivots are chosen afresh when the condition estimate has fallen this far, to below this. */
static const double RCOND_FALL = 1e-3, RCOND_POOR = 1e-6;
/* Below this a pivot is what rounding left of its diagonal entry: the matrix cannot be told from a singular one. */
static const double RCOND_NOTHING = 8 * DBL_EPSILON;
/* Largest last correction of an operating point, relative to the largest potential. */
static const double CERTAIN = 1e-13;
/* The estimate from the pivots alone can be too good by orders. Below these a better one is made, at the price of a
 * few solves: while training, and for an operating point. */
static const double DOUBT_TRAINING = 1e-6, DOUBT = 1e-2;

struct rheo_solver {
    const rheo_circuit *c;
    rheo_solver_def def;
    rheo_log log;
    const rh_matrix_ops *ops;
    void *m; /* NULL when nothing is unknown */
    rh_system y;
    double *ax;                 /* [nonzeros] values last factored */
    double *g;                  /* [n_edge] last factored */
    double *pivot_g;            /* [n_edge] at which pivots were chosen */
    double *v;                  /* [n_node] potentials of fixed nodes */
    double *b, *x, *r;          /* [n] right-hand side, answer, residual */
    double *size, *across;      /* [n] of a row: sums of |A| over columns of nodes, and of branches */
    double *scale;              /* [n] natural size of a row and column: A divided by both has entries near 1 */
    double *v_new, *i_new, *in; /* [n_node], [n_elem], [n_node]: an answer not yet handed out; currents into nodes */
    double pivot_rcond;
    bool pivoted, factored, warned;
    bool sized; /* size and across are those of ax */
    rheo_solver_stats stats;
    void *memory;
};

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
    s->v = RH_TAKE(a, double, s->c->n_node);
    s->b = RH_TAKE(a, double, s->y.n);
    s->x = RH_TAKE(a, double, s->y.n);
    s->r = RH_TAKE(a, double, s->y.n);
    s->size = RH_TAKE(a, double, s->y.n);
    s->across = RH_TAKE(a, double, s->y.n);
    s->scale = RH_TAKE(a, double, s->y.n);
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
    if (def->cookie != COOKIE)
        return rh_fail(err, RHEO_E_USAGE, 126, RH_NOWHERE, "rheo_solver_def was not made by rheo_solver_default()");
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
    s->sized = false;
}

static rheo_status check_conductances(const rheo_solver *s, const double *g, rheo_error *err) {
    for (int k = 0; k < s->c->n_edge; k++) {
        if (g[k] > 0 && g[k] < INFINITY) continue; /* NaN fails too */
        const int e = s->c->edge_elem[k];
        return rh_fail(err, RHEO_E_RANGE, 305, rh_elem_loc(s->c, e),
                       "the conductance of %s is %g S: must be finite and above 0", s->c->elem_name[e], g[k]);
    }
    return RHEO_OK;
}

/* Turn a column of the matrix into something the user wrote. */
static rheo_status singular(const rheo_solver *s, int column, rheo_error *err) {
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
    const rheo_status st =
        rh_fail(err, RHEO_E_SINGULAR, 301, touching < 0 ? RH_NOWHERE : rh_elem_loc(s->c, touching),
                "the potential of node %s is not determined: conductances cancel there", s->c->node_name[node]);
    rh_hint(err, "negative resistances or controlled sources may cancel what "
                 "holds the node");
    return st;
}

static rheo_status ill_conditioned(rheo_solver *s, double rcond, int column, rheo_error *err) {
    if (rcond < s->def.rcond_refuse && rcond < RCOND_NOTHING) return singular(s, column, err);
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
    RHEO_TRY(s->ops->factor(s->m, s->ax, true, rcond, column, err));
    if (!(*rcond > 0)) return singular(s, *column, err);
    memcpy(s->pivot_g, g, (size_t)s->c->n_edge * sizeof(double));
    s->pivot_rcond = *rcond;
    s->pivoted = true;
    return RHEO_OK;
}

/* ---- the condition, with more care ---- */

static void size_rows(rheo_solver *s) {
    const rh_system *y = &s->y;
    memset(s->size, 0, (size_t)y->n * sizeof(double));
    memset(s->across, 0, (size_t)y->n * sizeof(double));
    for (int j = 0; j < y->n; j++) {
        double *const to = y->row_elem[j] < 0 ? s->size : s->across;
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) to[y->ai[p]] += fabs(s->ax[p]);
    }
    s->sized = true;
}

static void scale_rows(rheo_solver *s) {
    const rh_system *y = &s->y;
    if (!s->sized) size_rows(s);
    for (int i = 0; i < y->n; i++) s->scale[i] = y->row_elem[i] < 0 && s->size[i] > 0 ? sqrt(s->size[i]) : 0;
    for (int j = 0; j < y->n; j++)
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) { /* a branch: its largest entry, seen from the nodes, is 1 */
            const int i = y->ai[p];
            if (y->row_elem[j] >= 0 && y->row_elem[i] < 0 && s->scale[i] > 0)
                s->scale[j] = fmax(s->scale[j], fabs(s->ax[p]) / s->scale[i]);
        }
    for (int i = 0; i < y->n; i++)
        if (!(s->scale[i] > 0)) s->scale[i] = 1;
}

static double scaled_norm(const rheo_solver *s) {
    const rh_system *y = &s->y;
    double norm = 0;
    for (int j = 0; j < y->n; j++) {
        double sum = 0;
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) sum += fabs(s->ax[p]) / (s->scale[y->ai[p]] * s->scale[j]);
        norm = fmax(norm, sum);
    }
    return norm;
}

static void apply_scaled(rheo_solver *s, double *x, bool transposed) {
    for (int i = 0; i < s->y.n; i++) x[i] *= s->scale[i];
    if (transposed)
        s->ops->solve_transposed(s->m, 1, x);
    else
        s->ops->solve(s->m, 1, x);
    for (int i = 0; i < s->y.n; i++) x[i] *= s->scale[i];
}

static double norm1(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += fabs(x[i]);
    return sum;
}

/* Lower bound, rarely far off, of the 1-norm of the inverse of the scaled matrix. Hager, SIAM J. Sci. Stat. Comput. 5,
 * 311 (1984); with the alternating vector of Higham, ACM Trans. Math. Softw. 14, 381 (1988). */
static double inverse_norm(rheo_solver *s) {
    const int n = s->y.n;
    double *const y = s->x, *const z = s->r, best = 0;
    for (int i = 0; i < n; i++) y[i] = (i % 2 ? -1 : 1) * (1 + (n > 1 ? (double)i / (n - 1) : 0));
    apply_scaled(s, y, false);
    best = 2 * norm1(y, n) / (3.0 * n);
    int at = -1; /* the unit vector that y came from */
    for (int i = 0; i < n; i++) y[i] = 1.0 / n;
    for (int step = 0; step < MAX_ESTIMATE; step++) {
        double most = 0, mean = 0;
        int next = -1;
        apply_scaled(s, y, false);
        best = fmax(best, norm1(y, n));
        for (int i = 0; i < n; i++) z[i] = y[i] < 0 ? -1 : 1;
        apply_scaled(s, z, true);
        for (int i = 0; i < n; i++) {
            mean += z[i] / n;
            if (fabs(z[i]) > most) most = fabs(z[next = i]);
        }
        if (next < 0 || most <= (at < 0 ? mean : z[at])) break;
        memset(y, 0, (size_t)n * sizeof(double));
        y[at = next] = 1;
    }
    return best;
}

/* Replace a doubtful estimate by a better one. NaN and infinity become 0. */
static double second_opinion(rheo_solver *s, double rcond, double doubt) {
    if (!(rcond < doubt) || s->y.n == 0) return rcond;
    scale_rows(s);
    const double better = 1 / (scaled_norm(s) * inverse_norm(s));
    return better > 0 ? fmin(rcond, better) : 0;
}

static rheo_status factor(rheo_solver *s, const double *g, double doubt, rheo_error *err) {
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
    const bool worn =
        !(rcond > 0 && rcond >= s->def.rcond_refuse) || (rcond < RCOND_FALL * s->pivot_rcond && rcond < RCOND_POOR);
    if (!s->pivoted || worn) RHEO_TRY(fresh_pivots(s, g, &rcond, &column, err));
    s->stats.n_factor = s->ops->fill(s->m);
    s->stats.rcond = second_opinion(s, rcond, doubt);
    RHEO_TRY(ill_conditioned(s, s->stats.rcond, column, err));
    s->factored = true;
    return RHEO_OK;
}

rheo_status rh_solver_factor(rheo_solver *s, const double *g, rheo_error *err) {
    return factor(s, g, DOUBT_TRAINING, err);
}

rheo_status rh_solver_pivot_at(rheo_solver *s, const double *g, rheo_error *err) {
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
    if (transposed)
        s->ops->solve_transposed(s->m, n_rhs, b);
    else
        s->ops->solve(s->m, n_rhs, b);
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
static double relative_residual(rheo_solver *s, const double *b, const double *x) {
    const rh_system *y = &s->y;
    if (!s->sized) size_rows(s);
    if (!subtract_product(s, b, x, s->r)) return NAN;
    double volt = 0, amp = 0, worst = 0;
    for (int j = 0; j < y->n; j++) {
        double *const most = y->row_elem[j] < 0 ? &volt : &amp;
        *most = fmax(*most, fabs(x[j]));
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

static rheo_status judge(const rheo_solver *s, double residual, rheo_error *err) {
    if (residual <= s->def.residual) return RHEO_OK;
    if (isnan(residual)) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
    return rh_fail(err, RHEO_E_SINGULAR, 304, RH_NOWHERE, "the residual is %.2g of the currents, allowed is %.2g",
                   residual, s->def.residual);
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

static rh_law law_of(const rheo_solver *s, const double *g, const double *source, int e) {
    const rheo_circuit *const c = s->c;
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    const int edge = c->elem_edge[e];
    const double value = kind->flags & RH_SOURCE ? source[e] : c->value[e];
    return kind->law(value, edge >= 0 ? g[edge] : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0);
}

static double drop(const double *v, int a, int b) { return a < 0 ? 0 : v[a] - v[b]; }

/* Currents through all elements but the tree's; sums of what enters each node. */
static void element_currents(rheo_solver *s, const double *g, const double *source, const double *v, double *i) {
    const rheo_circuit *c = s->c;
    memset(s->in, 0, (size_t)c->n_node * sizeof(double));
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        if (s->y.tree[e]) continue;
        if (s->y.branch[e] >= 0) {
            i[e] = s->x[s->y.branch[e]];
        } else {
            const rh_law law = law_of(s, g, source, e);
            i[e] = law.conductance * drop(v, t[0], t[1]) + law.trans * drop(v, t[2], t[3]) + law.current;
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
        return rh_fail(err, RHEO_E_RANGE, 306, rh_elem_loc(s->c, e), "the value of source %s is not finite",
                       s->c->elem_name[e]);
    }
    return RHEO_OK;
}

/* What the answer x leaves over in every equation, summed from the currents of the elements. The diagonal of the
 * matrix has lost what is small beside its largest term; the current of an element leaves one node and enters the
 * other whole. */
static void leftover(rheo_solver *s, const double *g, const double *source, double *r) {
    const rheo_circuit *const c = s->c;
    const double *const v = s->v_new;
    rh_solver_potentials(s, source, s->x, s->v_new);
    element_currents(s, g, source, v, s->i_new);
    for (int i = 0; i < c->n_node; i++)
        if (s->y.unknown[i] >= 0) r[s->y.unknown[i]] = s->in[i];
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        if (s->y.branch[e] < 0) continue;
        const rh_law law = law_of(s, g, source, e);
        r[s->y.branch[e]] = law.rhs - drop(v, t[0], t[1]) + law.gain * drop(v, t[2], t[3]);
    }
}

static double largest_potential(const rheo_solver *s, const double *x) {
    double most = 0;
    for (int j = 0; j < s->y.n; j++)
        if (s->y.row_elem[j] < 0) most = fabs(x[j]) <= most ? most : fabs(x[j]); /* NaN stays */
    return most;
}

/* Iterative refinement (Wilkinson 1963; Higham, Accuracy and Stability of Numerical Algorithms, ch. 12) until a
 * correction is rounding or no longer half the last one. Returns the last one relative to the largest potential: an
 * estimate of what is still wrong, which a residual alone is not when conductances span many decades. */
static double refine(rheo_solver *s, const double *g, const double *source) {
    double last = INFINITY;
    for (int step = 0; step < MAX_REFINE; step++) {
        leftover(s, g, source, s->r);
        rh_solver_apply(s, 1, s->r, false);
        const double moved = largest_potential(s, s->r), size = largest_potential(s, s->x);
        const double relative = moved == 0 ? 0 : moved / size;
        if (isnan(relative)) return relative;
        if (!(relative < last / 2)) return fmax(last, relative);
        for (int j = 0; j < s->y.n; j++) s->x[j] += s->r[j];
        last = relative;
        if (relative <= 4 * DBL_EPSILON) break;
    }
    return last;
}

static rheo_status uncertain(const rheo_solver *s, double moved, rheo_error *err) {
    if (isnan(moved)) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
    const rheo_status st = rh_fail(err, RHEO_E_SINGULAR, 303, RH_NOWHERE,
                                   "the circuit is too ill-conditioned to be "
                                   "solved: potentials are uncertain by %.2g of "
                                   "the largest (reciprocal condition %.2g)",
                                   moved, s->stats.rcond);
    rh_hint(err, "conductances differ by too many decades, or parts hang "
                 "together by almost nothing");
    return st;
}

static rheo_status solve_checked(rheo_solver *s, const double *g, const double *source, rheo_error *err) {
    if (s->y.n == 0) return RHEO_OK;
    rh_solver_rhs(s, source, s->b);
    memcpy(s->x, s->b, (size_t)s->y.n * sizeof(double));
    rh_solver_apply(s, 1, s->x, false);
    const double moved = refine(s, g, source);
    if (!(moved <= CERTAIN)) return uncertain(s, moved, err);
    s->stats.residual = relative_residual(s, s->b, s->x);
    return judge(s, s->stats.residual, err);
}

static bool finite_answer(const rheo_solver *s) {
    double sum = 0;
    for (int k = 0; k < s->c->n_node; k++) sum += s->v_new[k] * 0;
    for (int e = 0; e < s->c->n_elem; e++) sum += s->i_new[e] * 0;
    return sum == 0;
}

rheo_status rheo_solver_solve(rheo_solver *s, rheo_state *st, rheo_error *err) {
    RHEO_TRY(check_sources(s, st->source, err));
    RHEO_TRY(factor(s, st->g, DOUBT, err));
    RHEO_TRY(solve_checked(s, st->g, st->source, err));
    rh_solver_potentials(s, st->source, s->x, s->v_new);
    element_currents(s, st->g, st->source, s->v_new, s->i_new);
    tree_currents(s, s->i_new);
    if (!finite_answer(s)) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
    memcpy(st->v, s->v_new, (size_t)s->c->n_node * sizeof(double));
    memcpy(st->i, s->i_new, (size_t)s->c->n_elem * sizeof(double));
    return RHEO_OK;
}
