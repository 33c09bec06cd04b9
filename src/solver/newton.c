/* newton.c: operating points of nonlinear circuits, as the others see them.
 *
 * newton_balance.c has the currents and slopes at a point, newton_step.c one step, newton_search.c the ways that lead
 * to an operating point and newton_outside.c the one through ngspice, newton_report.c what is read off it. */
#include "solver/newton_inside.h"

#include <float.h>
#include <math.h>

enum { POLISH = 6 };

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
    rh_newton_from_nothing(s, NULL);
    rh_newton_assemble(s, NULL, w->x, NULL, false);
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

rheo_status rh_newton_solve(rheo_solver *s, const double *source, const rh_load *load, double *x, rheo_error *err) {
    rh_newton *const w = &s->newton;
    const size_t bytes = (size_t)s->y.n * sizeof(double);
    rh_newton_drive(s, source, 1);
    w->n_iteration = 0;
    w->firm = false;
    if (load) RHEO_TRY(make_room(s, load->n, err));
    if (s->y.n == 0) return RHEO_OK;
    memcpy(w->x, x, bytes);
    if (load) memcpy(w->out, load->y, (size_t)load->n * sizeof(double));
    RHEO_TRY(rh_newton_standard_pivots(s, err));
    RHEO_TRY((s->outside ? rh_newton_search_outside : rh_newton_search)(s, source, load, err));
    RHEO_TRY(rh_solver_ill_conditioned(s, s->stats.rcond, w->column, err));
    s->stats.n_newton = w->n_iteration;
    memcpy(x, w->x, bytes);
    if (load && !load->fixed) memcpy(load->y, w->out, (size_t)load->n * sizeof(double));
    return RHEO_OK;
}

rheo_status rh_newton_linearize(rheo_solver *s, const double *source, const double *x, rheo_error *err) {
    int column = -1;
    rh_newton_drive(s, source, 1);
    s->newton.firm = false;
    if (s->y.n == 0) return RHEO_OK;
    RHEO_TRY(rh_newton_standard_pivots(s, err));
    rh_newton_assemble(s, NULL, x, NULL, false);
    RHEO_TRY(rh_newton_factor(s, &s->stats.rcond, &column, err));
    RHEO_TRY(rh_newton_factor_firmly(s, &column, err));
    return s->stats.rcond > 0 ? RHEO_OK : rh_solver_singular(s, column, err);
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

/* Where next to nothing holds a node, the tangent may lead to where nothing balances. */
static bool is_answer(const rheo_solver *s, double balance) {
    return balance <= RH_NEWTON_NEARLY && s->newton.volt <= RH_NEWTON_NOWHERE * s->newton.held;
}

/* Returns the last step; *first: the first one. */
static double steps_of_polish(rheo_solver *s, double *x, double *first, int *node, rheo_error *err) {
    rh_newton *const w = &s->newton;
    double last = INFINITY;
    for (int k = 0; k < POLISH && last > 4 * DBL_EPSILON; k++) {
        rh_newton_assemble(s, NULL, x, NULL, false);
        if (rh_newton_direction(s, NULL, err) != RHEO_OK) return NAN;
        const double step = rh_newton_step_size(s);
        *node = furthest(s);
        if (k == 0) *first = step;
        if (!(step < last / 2)) return isnan(step) ? NAN : fmin(step, last);
        for (int j = 0; j < s->y.n; j++) x[j] += w->dx[j];
        last = step;
    }
    return last;
}

double rh_newton_polish(rheo_solver *s, const double *source, double *x, int *node, rheo_error *err) {
    rh_newton *const w = &s->newton;
    const int searched = w->n_iteration;
    const size_t bytes = (size_t)s->y.n * sizeof(double);
    double first = NAN;
    *node = 0;
    if (s->y.n == 0) return 0;
    rh_newton_drive(s, source, 1);
    memcpy(w->best, x, bytes);
    const double last = steps_of_polish(s, x, &first, node, err);
    w->n_iteration = searched;
    if (is_answer(s, rh_newton_assemble(s, NULL, x, NULL, false))) return last;
    memcpy(x, w->best, bytes);
    return first;
}

double rh_newton_leaning(rheo_solver *s, const double *x, double gmin, int *node) {
    rh_newton *const w = &s->newton;
    *node = 0;
    if (s->y.n == 0) return 0;
    for (int j = 0; j < s->y.n; j++) w->dx[j] = s->y.row_elem[j] < 0 ? -gmin * x[j] : 0;
    rh_solver_apply(s, 1, w->dx, false);
    *node = furthest(s);
    return rh_newton_step_size(s);
}
