/* outside.c: operating points and responses by ngspice. */
#include "solver/outside.h"
#include "solver/inside.h"

rheo_status rh_outside_try(rheo_error *err) { return rh_ngspice_try(NULL, err); }
bool rh_solver_is_outside(const rheo_solver *s) { return s->outside != NULL; }

rheo_status rh_solver_outside_point(rheo_solver *s, const double *g, const double *source, int a, int b, double *x,
                                    rheo_error *err) {
    const int port = a < 0 ? -1 : rh_ngspice_port(s->outside, a, b);
    if (a >= 0 && port < 0) return RH_NOMEM(err);
    if (port >= 0) rh_ngspice_inject(s->outside, port, 1);
    const rheo_status st = rh_ngspice_solve(s->outside, g, source, s->v, NULL, err);
    if (port >= 0) rh_ngspice_inject(s->outside, port, 0);
    RHEO_TRY(st);
    s->stats.n_solve++;
    memset(x, 0, (size_t)s->y.n * sizeof *x);
    for (int k = 0; k < s->c->n_node; k++)
        if (s->y.unknown[k] >= 0) x[s->y.unknown[k]] = s->v[k];
    return RHEO_OK;
}

void rh_solver_outside_tell(rheo_solver *s, const rheo_log *log) { rh_ngspice_tell(s->outside, log); }
