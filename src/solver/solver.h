/* solver: operating points. solver.c maps a circuit to a matrix, klu.c and cholmod.c (the only files
 * that include klu.h and cholmod.h) solve matrices.
 *
 * Unknowns x: potentials of the nodes that no grounded source fixes, then currents of the remaining V and E elements.
 * A(g) x = b(source). One factorisation of A(g) serves every right-hand side: free, nudged, adjoint, blocks of samples.
 */
#ifndef RH_SOLVER_H
#define RH_SOLVER_H

#include "circuit/circuit.h"
#include "rheo/solver.h"

/* A row of the matrix table (RH_MATRICES in matrix.c): how square sparse systems are solved. Column-compressed, pattern
 * fixed. */
typedef enum rh_pivots {
    RH_KEEP,   /* those of the last factorisation that chose */
    RH_SPARSE, /* chosen anew; an entry on the diagonal is preferred, which keeps factors sparse but lets entries grow
                */
    RH_FIRM,   /* chosen anew: the largest */
} rh_pivots;
typedef struct rh_matrix rh_matrix; /* opaque to solver.c; each backend has its own */
typedef struct rh_matrix_ops {
    const char *name; /* "klu" */
    bool unsymmetric; /* any matrix; false: symmetric positive definite ones only */
    rheo_status (*open)(void **m, int n, const int *colptr, const int *rowind, rheo_error *err); /* symbolic analysis */
    /* Factor the values ax (pattern order). *rcond gets the cheap reciprocal condition estimate, 0 when singular or not
     * finite. *column: where it failed or came closest, or -1. Never allocates when pivots are kept. Same ax and same
     * pivots give the same bytes. */
    rheo_status (*factor)(void *m, const double *ax, rh_pivots pivots, double *rcond, int *column, rheo_error *err);
    void (*solve)(void *m, int n_rhs,
                  double *b); /* b [n_rhs][n] in place. Each column's bytes do not depend on n_rhs */
    void (*solve_transposed)(void *m, int n_rhs, double *b);
    int64_t (*fill)(const void *m); /* nonzeros of L and U; L alone when symmetric, known once open */
    void (*close)(void *m);
} rh_matrix_ops;
extern const rh_matrix_ops *const RH_MATRICES[];
extern const int RH_N_MATRIX;

/* Restamp with g [n_edge] and factor, with the pivot guard, the finiteness and the rcond checks. Keeps the pivot order
 * unless rcond has fallen below 1e-3 of what it was when pivots were last chosen (and below 1e-6). */
rheo_status rh_solver_factor(rheo_solver *s, const double *g, rheo_error *err);
/* The conductances [n_edge] at which pivots were last chosen (lent), for checkpoints; and how to get the same order
 * back: after rh_solver_pivot_at, factorisations are byte for byte those of a solver that chose its pivots at g. */
const double *rh_solver_pivot_g(const rheo_solver *s);
rheo_status rh_solver_pivot_at(rheo_solver *s, const double *g, rheo_error *err);

int rh_solver_n_unknown(const rheo_solver *s);
/* Index of a node among the unknowns, -1 when its potential is fixed. */
int rh_solver_unknown(const rheo_solver *s, int node);
/* b [n_unknown]: right-hand side for source values [n_elem] at the conductances last factored. */
void rh_solver_rhs(const rheo_solver *s, const double *source, double *b);
/* Right-hand side of 1 A flowing into node a and out of node b (either may be fixed: that part has no effect). Adds
 * `amp` times it to b. */
void rh_solver_inject(const rheo_solver *s, int a, int b_node, double amp, double *b);
/* Solve n_rhs right-hand sides in place with the last factorisation; transposed: A^T x = b (adjoint). Not checked: see
 * below. */
void rh_solver_apply(rheo_solver *s, int n_rhs, double *b, bool transposed);
/* Check one solution: finite and |Ax-b| <= residual*(|A||x|+|b|). For right-hand sides of training steps: costs one
 * product. */
rheo_status rh_solver_check(rheo_solver *s, const double *b, const double *x, rheo_error *err);
/* May an answer that passes the check still be wrong: a residual says little where large terms cancel. */
bool rh_solver_doubts(const rheo_solver *s);
/* Then refine an answer x [n_unknown] of the last factorisation to twice the digits of its equations, for source values
 * [n_elem] (NULL: all 0) and 1 A into node `into` and out of `out_of` (-1: none). Transposed: source must be NULL.
 * RHEO_E_SINGULAR: it does not settle to 1e-9. */
rheo_status rh_solver_settle(rheo_solver *s, const double *source, int into, int out_of, bool transposed, double *x,
                             rheo_error *err);
/* Potentials of all nodes from the unknowns: v [n_node]. source NULL: fixed nodes are 0 (response to an injection). */
void rh_solver_potentials(const rheo_solver *s, const double *source, const double *x, double *v);
/* The same, but only the drop v[a]-v[b] over each learnable edge: drop [n_edge]. */
void rh_solver_drops(const rheo_solver *s, const double *source, const double *x, double *drop);

#endif
