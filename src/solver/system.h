/* system.h: how a circuit becomes a matrix. All of it is worked out once, when a solver opens. */
#ifndef RH_SOLVER_SYSTEM_H
#define RH_SOLVER_SYSTEM_H

#include "solver/solver.h"

/* A known potential that a row feels: b[row] += coef * (edge < 0 ? 1 : g[edge]) * v[node]. */
typedef struct rh_coupling {
    int row, node, edge;
    double coef;
} rh_coupling;

/* A source that a row feels: b[row] += coef * source[elem]. */
typedef struct rh_drive {
    int row, elem;
    double coef;
} rh_drive;

/* A node whose potential follows from an earlier one through a V element: v[node] = v[from] + sign * source[elem], or
 * sign * g[edge] where that element's value is the state of an edge. */
typedef struct rh_fixed {
    int node, from, elem, edge;
    double sign;
} rh_fixed;

/* A nonlinear element. */
typedef struct rh_bend {
    int elem;
    int row[RH_MAX_TERM];               /* unknown of each terminal, -1: fixed */
    int slot[RH_MAX_TERM][RH_MAX_TERM]; /* of d i[r] / d v[c]; one past the last nonzero: nowhere */
} rh_bend;

typedef struct rh_system {
    int n, n_branch; /* unknowns, and how many of them are currents */
    int *unknown;    /* [n_node] -1: fixed */
    int *branch;     /* [n_elem] unknown of its current, or -1 */
    bool *tree;      /* [n_elem] V elements of the tree of fixed potentials */
    int n_fixed;
    rh_fixed *fixed;  /* from ground outwards */
    int *ap, *ai;     /* pattern, columns compressed, rows sorted */
    double *constant; /* [nonzeros] what does not learn */
    int (*slot)[4];   /* [n_edge] slots of +aa +bb -ab -ba; one past the last nonzero: nowhere */
    int n_coupling, n_drive;
    rh_coupling *coupling; /* by node */
    int *coupling_at;      /* [n_node + 1] where those of a node begin */
    rh_drive *drive;
    int n_bend;
    rh_bend *bend; /* [n_bend] */
    int (*end)[2]; /* [n_edge] nodes of the edges, for the drops */
    int *row_elem; /* [n] element of a branch row, -1 - node for a node row: to name what is singular */
} rh_system;

rheo_status rh_system_build(rh_system *y, const rheo_circuit *c, rheo_error *err); /* on failure: rh_system_free */
void rh_system_free(rh_system *y);

#endif
