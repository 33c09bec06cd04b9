/* contrast_case.h: what a rule takes for s_clamped - s_free, against the clamped circuit solved by itself. */
#ifndef CONTRAST_CASE_H
#define CONTRAST_CASE_H

#include "check.h"

#include "learn/internal.h"

/* of: the circuit that learns; the clamped one has the same nodes and more. w holds the free drops. */
static inline void check_contrast(const rheo_circuit *of, const rh_learner *l, const rh_lane *w,
                                  const rheo_circuit *clamped, const double *contrast) {
    rheo_solver *solver = NULL;
    rheo_state *st = NULL;
    CHECK_OK(rheo_solver_open(&solver, clamped, NULL, NULL, NULL));
    CHECK_OK(rheo_state_create(&st, clamped, NULL));
    CHECK_OK(rheo_solver_solve(solver, st, NULL));
    for (int k = 0; k < l->n_edge; k++) {
        const int *const term = of->term[of->edge_elem[k]];
        const double drop = st->v[term[0]] - st->v[term[1]];
        CHECK_NEAR(contrast[k], 0.5 * drop * drop - 0.5 * w->free[k] * w->free[k], 1e-12);
    }
    rheo_state_destroy(st);
    rheo_solver_close(solver);
}

#endif
