/* inside.h: what a solver holds, and what solver.c, condition.c and point.c do for one another. */
#ifndef RH_SOLVER_INSIDE_H
#define RH_SOLVER_INSIDE_H

#include "ngspice/ngspice.h"
#include "solver/matrices.h"
#include "solver/system.h"

/* A number of about 32 digits: hi + lo, with |lo| at most half a unit in the last place of hi. */
typedef struct rh_wide {
    double hi, lo;
} rh_wide;

typedef struct rh_terminals {
    double v[RH_MAX_TERM];
} rh_terminals;

/* What newton.c and the files beside it keep. Arrays of n unless said; none without nonlinear elements. */
typedef struct rh_newton {
    double *jx, *standard; /* [nonzeros] matrix of the tangents; and the one that standard pivots are chosen for */
    rh_terminals *at;      /* [n_bend] potentials that each nonlinear element was evaluated at */
    rh_flow *flow;         /* [n_bend] */
    double *f, *amp;       /* imbalance of currents, and the sum of their sizes */
    double *x, *best, *dx;
    double *source;     /* [n_elem] scaled, while stepping */
    const double *feed; /* [n] A into the rows beside the sources, lent; NULL: none */
    double *in;         /* [n_node] */
    double *load;       /* room for loads of up to `room` outputs: */
    double *zx, *lu, *out, *dout, *target, *ohm;
    int room, n_iteration, worst /* row */, column;
    int highest;                 /* row of the highest potential */
    double volt, standard_rcond; /* V, the highest potential; of the standard pivots */
    double held;                 /* V, the highest potential that a source holds, at least 1 */
    double common;               /* V, what rounding of potentials is counted by at every row */
    double shunt;                /* S, from every node to ground while stepping gmin; or per S of the row: */
    const double *anchor;        /* [n] potentials that the nodes are held back at, while stepping time; NULL: ground */
    double usual;                /* S of rows that no linear element conducts to */
    bool limited, strayed;       /* some element lags behind its nodes; the pivots are not the standard ones */
    bool firm;                   /* pivots chosen anew are the largest */
    bool closely;                /* what rounding does to expressions is measured */
} rh_newton;

struct rheo_solver {
    const rheo_circuit *c;
    rheo_solver_def def;
    rheo_log log;
    const rh_matrix_ops *ops;
    void *m; /* NULL when nothing is unknown */
    rh_system y;
    double *ax;        /* [nonzeros] values last factored */
    double *g;         /* [n_edge] last factored */
    double *felt;      /* [n_coupling] S: what the rows feel of known potentials, at g */
    double *felt_coef; /* [n_coupling] and what that is made of, in narrow arrays */
    int *felt_row, *felt_edge;
    double *pivot_g;       /* [n_edge] at which pivots were chosen */
    double *v;             /* [n_node] potentials of fixed nodes; of all in passing */
    double *b, *x, *r;     /* [n] right-hand side, answer, residual */
    double *size, *across; /* [n] of a row: sums of |A| over columns of nodes, and of branches */
    double *scale;         /* [n] natural size of a row and column: A divided by both has entries near 1 */
    double *i_new;         /* [n_elem] currents not yet handed out */
    rh_wide *wide_x;       /* [n] the answer to twice the digits */
    rh_wide *wide_v, *in;  /* [n_node] potentials; currents into the nodes */
    double pivot_rcond;
    bool pivoted, factored, warned, warned_enormous, warned_leaning;
    bool positive; /* see rh_matrix_positive */
    bool sized;    /* size and across are those of ax */
    rh_newton newton;
    rh_ngspice *outside; /* NULL: the points come from ops */
    rheo_solver_stats stats;
    void *memory;
};

/* The estimate of the condition from the pivots alone can be too good by orders. Below this a better one is made while
 * training, at the price of a few solves, and answers are refined. */
#define RH_DOUBT 1e-6

/* solver.c: factor; the condition is estimated with more care where the cheap estimate is below doubt. */
rheo_status rh_solver_factor_doubting(rheo_solver *s, const double *g, double doubt, rheo_error *err);
/* solver.c: make size and across those of ax. */
void rh_solver_size_rows(rheo_solver *s);
/* solver.c: worst row of |Ax-b| over |A||x|+|b|, and whether that is allowed. NaN: not finite. */
double rh_solver_residual(rheo_solver *s, const double *b, const double *x);
rheo_status rh_solver_judge(const rheo_solver *s, double residual, rheo_error *err);
/* solver.c: check the states and stamp the linear part. */
rheo_status rh_solver_stamp(rheo_solver *s, const double *g, rheo_error *err);
/* solver.c: errors for a column that is not determined, and for a condition that is refused (or warned about). */
rheo_status rh_solver_singular(const rheo_solver *s, int column, rheo_error *err);
rheo_status rh_solver_ill_conditioned(rheo_solver *s, double rcond, int column, rheo_error *err);
/* newton.c: its arrays; its standard pivots. */
void rh_newton_layout(rheo_solver *s, rh_arena *a);
rheo_status rh_newton_open(rheo_solver *s, rheo_error *err);
void rh_newton_close(rheo_solver *s);
/* condition.c: the smaller of rcond and an estimate of the reciprocal condition of the scaled matrix. Uses x, r. */
double rh_solver_second_opinion(rheo_solver *s, double rcond);

#endif
