/* figure.h: published comparisons, computed afresh: how well local rules learn and follow the gradient on resistor
 * grids. */
#ifndef RH_FIGURE_H
#define RH_FIGURE_H

#include "learn/learn.h"

/* Allostery on a 10x10 grid: two random inputs at 0 and 1 V, three random outputs with uniform targets in [0, 1] V, g =
 * 1 S, dg = -(0.1/0.1)(V_clamped^2 - V_free^2), clamp at v + 0.1 (target - v), g in [1e-6, 1e6] S. Losses are final
 * over initial. */
typedef struct rh_allostery {
    double coupled, contrastive, tcl, floor; /* floor: the exact gradient, ten times the steps */
    double cosine;     /* mean over the first tenth of training, update of tcl with the two-phase one */
    double cosine_min; /* smallest of that tenth */
    double inside;     /* share of edges inside the dead zone's range over the whole run */
} rh_allostery;
rheo_status rh_figure_allostery(uint64_t seed, int draw, int steps, rh_allostery *out, rheo_error *err);

/* Mean and smallest cosine between one update and minus the exact gradient on the same kind of grid, over random draws.
 */
typedef struct rh_alignment {
    int n_out;
    double eqprop, eqprop_min;   /* current nudge, centered */
    double coupled, coupled_min; /* voltage nudge 1e-3 */
} rh_alignment;
rheo_status rh_figure_alignment(uint64_t seed, int n_out, int draws, rh_alignment *out, rheo_error *err);

#endif
