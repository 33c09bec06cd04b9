/* choose.c: the matrix solver for a circuit. */
#include "solver/choose.h"
#include "solver/outside.h"

/* The symmetric solver is faster from about this many unknowns on, unless its factor has fewer entries per column than
 * this: then keeping the books takes longer than the arithmetic. Measured on grids, random geometric and small-world
 * graphs. */
enum { SYMMETRIC_FROM = 2000, FILL_FROM = 8 };

static const rh_matrix_ops *named(const char *name) {
    for (int i = 0; i < RH_N_MATRIX; i++)
        if (!strcmp(name, RH_MATRICES[i]->name)) return RH_MATRICES[i];
    return NULL;
}

static const rh_matrix_ops *first(bool unsymmetric) {
    for (int i = 0; i < RH_N_MATRIX; i++)
        if (RH_MATRICES[i]->unsymmetric == unsymmetric) return RH_MATRICES[i];
    return RH_MATRICES[0];
}

rheo_status rh_matrix_known(const char *backend, rheo_error *err) {
    char known[100] = "auto";
    if (!strcmp(backend, known) || named(backend)) return RHEO_OK;
    for (int i = 0; i < RH_N_MATRIX; i++) {
        const size_t at = strlen(known);
        snprintf(known + at, sizeof(known) - at, ", %s", RH_MATRICES[i]->name);
    }
    const size_t end = strlen(known);
    snprintf(known + end, sizeof(known) - end, ", " RH_OUTSIDE);
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, 186, RH_NOWHERE, "unknown solver '%.40s'", backend);
    rh_hint(err, "solvers: %s", known);
    return st;
}

/* Why element e may leave the matrix without symmetry or without positive pivots; NULL: it does not. */
static const char *obstacle(const rheo_circuit *c, const rh_system *y, int e) {
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    if (kind->flags & RH_NONLINEAR) return kind->flags & RH_ONE_WAY ? "is not reciprocal" : NULL;
    if (y->tree[e]) return NULL; /* its potential is known: not in the matrix */
    if (kind->flags & (RH_CONTROLLED | RH_BY_CURRENT)) return "is a controlled source";
    if (y->branch[e] >= 0) return "is a voltage source without a path of such to ground";
    return kind->flags & RH_LEARNABLE && c->elem_edge[e] < 0 && !(c->value[e] > 0) ? "is negative" : NULL;
}

static int first_obstacle(const rheo_circuit *c, const rh_system *y) {
    for (int e = 0; e < c->n_elem; e++)
        if (obstacle(c, y, e)) return e;
    return -1;
}

bool rh_matrix_positive(const rheo_circuit *c, const rh_system *y) { return first_obstacle(c, y) < 0; }

static rheo_status refuse(const rheo_circuit *c, const rh_system *y, int e, const char *name, rheo_error *err) {
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, 307, rh_elem_loc(c, e), "%s cannot solve this circuit: %s %s",
                                   name, c->elem_name[e], obstacle(c, y, e));
    rh_hint(err, "it takes positive resistors, current sources and grounded voltage sources; auto takes any circuit");
    return st;
}

static rheo_status analyze(const rh_matrix_ops *ops, const rh_system *y, void **m, rheo_error *err) {
    *m = NULL;
    return y->n ? ops->open(m, y->n, y->ap, y->ai, err) : RHEO_OK;
}

static rheo_status choose(const rh_system *y, int obstacle_at, const rh_matrix_ops **ops, void **m, const char **why,
                          rheo_error *err) {
    const bool small = y->n < SYMMETRIC_FROM;
    *ops = first(obstacle_at >= 0 || small);
    *why = obstacle_at >= 0 ? "not a network of positive resistances" : small ? "small" : "large and reciprocal";
    RHEO_TRY(analyze(*ops, y, m, err));
    if ((*ops)->unsymmetric || (*ops)->fill(*m) >= (int64_t)FILL_FROM * y->n) return RHEO_OK;
    (*ops)->close(*m);
    *ops = first(true);
    *why = "little fill";
    return analyze(*ops, y, m, err);
}

rheo_status rh_matrix_open(const char *backend, const rheo_circuit *c, const rh_system *y, const rh_matrix_ops **ops,
                           void **m, const char **why, rheo_error *err) {
    const int e = first_obstacle(c, y);
    if (!strcmp(backend, "auto")) return choose(y, e, ops, m, why, err);
    *ops = named(backend);
    *why = "asked for";
    if (e >= 0 && !(*ops)->unsymmetric) return refuse(c, y, e, (*ops)->name, err);
    return analyze(*ops, y, m, err);
}
