/* rheo/solver.h: operating points of a circuit. */
#ifndef RHEO_SOLVER_H
#define RHEO_SOLVER_H

#include "rheo/circuit.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_solver
    rheo_solver; /* opaque. One thread per solver; two solvers of one circuit do not disturb each other */

typedef struct rheo_solver_def {
    const char *backend; /* "auto", "klu", "cholmod" or "ngspice"; copied. Default "auto" */
    double rcond_refuse; /* reciprocal condition below which an answer is refused. Default 1e-14 */
    double rcond_warn;   /* below which it is warned about. Default 1e-10 */
    double residual;     /* largest |Ax-b| relative to |A||x|+|b|. Default 1e-10 */
    const char *worker;  /* ngspice: path of rheo-ngworker. NULL: beside the program, or where it was installed */
    int cookie;          /* set by rheo_solver_default() */
} rheo_solver_def;
RHEO_API rheo_solver_def rheo_solver_default(void);

typedef struct rheo_solver_stats {
    long n_pivot;        /* factorisations that chose pivots afresh */
    long n_refactor;     /* factorisations that kept them */
    long n_solve;        /* right-hand sides solved */
    double rcond;        /* of the last factorisation */
    double residual;     /* of the last rheo_solver_solve */
    int n_newton;        /* steps of Newton of the last operating point; 0: the circuit is linear */
    int n_unknown;       /* order of the matrix: free nodes and branch currents */
    int64_t n_nonzero;   /* of the matrix */
    int64_t n_factor;    /* nonzeros of L and U, or of L alone */
    const char *backend; /* what solves */
    const char *why;     /* and why it was chosen: a few words */
} rheo_solver_stats;

/** Steps of Newton that operating points of a nonlinear network took. */
typedef struct rheo_newton {
    long n; /* points; 0: there were none, as in a linear network */
    int median, most;
} rheo_newton;
/** By where the search began. */
enum {
    RHEO_NEWTON_COLD,    /* no voltage anywhere */
    RHEO_NEWTON_FREE,    /* free states: the last one of the same sample, or of another one */
    RHEO_NEWTON_CLAMPED, /* clamped states: a state at a neighbouring level of the clamp */
    RHEO_N_NEWTON
};

/**
 * Prepare a circuit: graph diagnosis, elimination of known potentials, symbolic analysis.
 * @return RHEO_OK, RHEO_E_SINGULAR (err names nodes and elements), RHEO_E_USAGE (unknown backend, or not for this
 * circuit: err names the first element in its way), RHEO_E_NOMEM
 * Source: modified nodal analysis, Ho, Ruehli & Brennan, IEEE Trans. Circuits Syst. 22, 504 (1975).
 */
RHEO_API rheo_status rheo_solver_open(rheo_solver **out, const rheo_circuit *c, const rheo_solver_def *def,
                                      const rheo_log *log, rheo_error *err);
RHEO_API void rheo_solver_close(rheo_solver *s);

/**
 * Find the DC operating point: the potentials at which currents sum to zero at every node.
 * @param st   in: g, source; out: v, i. On failure v and i are as they were
 * @return     RHEO_OK, RHEO_E_SINGULAR (singular, not finite, rcond or residual refused), RHEO_E_RANGE (a conductance
 * or source is not finite, or a learnable conductance is not above 0) Allocates nothing unless pivots must be chosen
 * again (counted).
 */
RHEO_API rheo_status rheo_solver_solve(rheo_solver *s, rheo_state *st, rheo_error *err);

/** The circuit s was opened for. Lent. */
RHEO_API const rheo_circuit *rheo_solver_circuit(const rheo_solver *s);
RHEO_API rheo_solver_stats rheo_solver_statistics(const rheo_solver *s);

#ifdef __cplusplus
}
#endif
#endif
