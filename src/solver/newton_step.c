/* newton_step.c: one step of Newton's method: pivots, direction, and what a load makes of it. */
#include "solver/newton_inside.h"

#include <math.h>

/* Pivots are chosen afresh when the condition estimate has fallen this far below that of the standard ones. */
static const double RCOND_FALL = 1e-3, RCOND_POOR = 1e-6;

/* ---- factoring ---- */

rheo_status rh_newton_standard_pivots(rheo_solver *s, rheo_error *err) {
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

rheo_status rh_newton_factor(rheo_solver *s, double *rcond, int *column, rheo_error *err) {
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

rheo_status rh_newton_factor_firmly(rheo_solver *s, int *column, rheo_error *err) {
    if (s->stats.rcond >= s->def.rcond_refuse) return RHEO_OK;
    s->newton.strayed = s->newton.firm = true;
    return rh_newton_factor(s, &s->stats.rcond, column, err);
}

/* ---- one step ---- */

void rh_newton_from_nothing(rheo_solver *s, const rh_load *load) {
    rh_newton *const w = &s->newton;
    memset(w->x, 0, (size_t)s->y.n * sizeof(double));
    for (int o = 0; load && o < load->n; o++) w->out[o] = load->fixed ? load->y[o] : 0;
    for (int k = 0; k < s->y.n_bend; k++) w->at[k] = (rh_terminals){ { 0 } };
}

void rh_newton_respond(rheo_solver *s, const rh_load *load) {
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

double rh_newton_output_change(const rheo_solver *s, const rh_load *load, int o, const double *dx) {
    return output_of(s, load, o, dx, false);
}

/* The tangent meets target = v + ohm y: (Zoo + ohm) dy = target - v(x + dx) - ohm y. */
bool rh_newton_follow_load(rheo_solver *s, const rh_load *load) {
    rh_newton *const w = &s->newton;
    const int n = load->n, m = n + 1;
    rh_newton_respond(s, load);
    for (int o = 0; o < n; o++) {
        for (int p = 0; p < n; p++)
            w->lu[o * m + p] =
                rh_newton_output_change(s, load, o, w->zx + (size_t)p * (size_t)s->y.n) + (o == p ? load->ohm : 0);
        w->lu[o * m + n] = load->target[o] - rh_newton_output(s, load, o, w->x) -
                           rh_newton_output_change(s, load, o, w->dx) - load->ohm * w->out[o];
    }
    if (!rh_dense_solve(n, w->lu, w->dout)) return false;
    for (int o = 0; o < n; o++)
        for (int j = 0; j < s->y.n; j++) w->dx[j] += w->dout[o] * w->zx[(size_t)o * (size_t)s->y.n + (size_t)j];
    return true;
}

rheo_status rh_newton_direction(rheo_solver *s, const rh_load *load, rheo_error *err) {
    rh_newton *const w = &s->newton;
    int column = -1;
    RHEO_TRY(rh_newton_factor(s, &s->stats.rcond, &column, err));
    w->column = column;
    w->n_iteration++;
    if (!(s->stats.rcond > 0)) return RHEO_E_SINGULAR;
    for (int j = 0; j < s->y.n; j++) w->dx[j] = -w->f[j];
    rh_solver_apply(s, 1, w->dx, false);
    return !load || load->fixed || rh_newton_follow_load(s, load) ? RHEO_OK : RHEO_E_SINGULAR;
}

double rh_newton_step_size(const rheo_solver *s) {
    double most = 0, sum = 0;
    for (int j = 0; j < s->y.n; j++) {
        sum += s->newton.dx[j] * 0;
        if (s->y.row_elem[j] < 0) most = fmax(most, fabs(s->newton.dx[j]));
    }
    return sum == 0 ? (most == 0 ? 0 : most / fmax(s->newton.volt, 1e-3)) : NAN;
}
