/* figure.h: published comparisons, computed afresh: how well local rules learn and follow the gradient on resistor
 * grids. */
#ifndef RH_FIGURE_H
#define RH_FIGURE_H

#include "learn/learn.h"

/* Where inputs and outputs are drawn on the grid. */
enum { RH_PORTS_ANYWHERE, RH_PORTS_INSIDE, RH_PORTS_RIM, RH_PORTS_GROUNDED, RH_N_PLACEMENT };
typedef struct rh_placement {
    const char *name, *what;
    bool (*input)(int node, int first), (*output)(int node, int first); /* first: the first input, -1 before */
    bool grounded; /* node 0, a corner, is held at 0 V and is neither */
} rh_placement;
extern const rh_placement RH_PLACEMENTS[RH_N_PLACEMENT];

typedef struct rh_figure_def {
    uint64_t seed;
    int ports; /* RH_PORTS_... */
    int steps; /* of training, allostery only */
} rh_figure_def;

/* Allostery on an open 10x10 grid: inputs at 0 and 1 V, three outputs with uniform targets in [0, 1] V, g = 1 S,
 * dg = -(0.1/0.1)(V_clamped^2 - V_free^2), clamp at v + 0.1 (target - v), g in [1e-6, 1e6] S. Losses are final over
 * initial. */
typedef struct rh_allostery {
    double coupled, contrastive, tcl, floor; /* floor: the exact gradient, ten times the steps */
    double cosine;     /* mean over the first tenth of training, update of tcl with the two-phase one */
    double cosine_min; /* smallest of that tenth */
    double inside;     /* share of edges inside the dead zone's range over the whole run */
} rh_allostery;
rheo_status rh_figure_allostery(const rh_figure_def *fig, int draw, rh_allostery *out, rheo_error *err);

/* The one draw whose course is published, with its nodes and targets: loss [steps + 1] V^2 before each step and after
 * the last. A notebook of github.com/maguzj/learning_circuit prints half the mean square of the three errors. */
rheo_status rh_figure_published(int steps, double *loss, rheo_error *err);

/* Cosine between one update and minus the exact gradient on the same kind of grid, over random draws. */
typedef struct rh_alignment {
    int n_out;
    double eqprop, eqprop_min;                    /* mean, smallest: current nudge, centered */
    double coupled, coupled_min, coupled_scatter; /* the same and the standard deviation: voltage nudge 1e-3 */
} rh_alignment;
rheo_status rh_figure_alignment(const rh_figure_def *fig, int n_out, int draws, rh_alignment *out, rheo_error *err);

#endif
