/* figure_lattice.h: what transistors as edges can learn that resistors cannot, and how far local rules are from the
 * gradient there: the laboratory's lattice (lattice_case.h), computed afresh. */
#ifndef RH_FIGURE_LATTICE_H
#define RH_FIGURE_LATTICE_H

#include "learn/learn.h"

/* XOR of two inputs at 0 or `rail`, as the sign of the difference of two nodes: squared hinge with a margin of 20 mV,
 * the difference held a quarter of the way, gates from 1.5 +- 0.1 V within 0.75..5.03 V.
 * dVg = -(rate/0.25)(V_clamped^2 - V_free^2) per sample, one sample after the other. */
typedef struct rh_xor_def {
    uint64_t seed;
    bool transistors; /* else resistors, at the same rate relative to their conductance */
    int rule;         /* RH_RULE_COUPLED or RH_RULE_TCL */
    double rate, rail;
    int epochs;
} rh_xor_def;
typedef struct rh_xor {
    int n_sign, n_margin; /* of 4: outputs of the right sign, and past the margin */
    int epochs;           /* until all four were past the margin, or all of them */
} rh_xor;
rheo_status rh_figure_xor(const rh_xor_def *def, int draw, rh_xor *out, rheo_error *err);

/* A curved function of one input, learned by transistors: how the mean, the slope and the curvature of the error fall.
 * The target is the start plus as much of each of the three, so that none has a lead. epoch: first one after which the
 * part stays below half of its start; -1: never. */
enum { RH_MODE_MEAN, RH_MODE_SLOPE, RH_MODE_CURVE, RH_N_MODE };
typedef struct rh_modes {
    int epoch[RH_N_MODE];
    double loss; /* last over first */
} rh_modes;
rheo_status rh_figure_modes(uint64_t seed, int draw, int epochs, rh_modes *out, rheo_error *err);

/* Rows of the comparison of coupled learning with the gradient; both nodes of the pair are held. */
typedef struct rh_lattice_row {
    const char *what;
    bool transistors;
    double rail, mean, spread; /* resistors: relative spread; transistors: standard deviation of the gates, V */
    double expected;           /* mean cosine of a reference calculation */
} rh_lattice_row;
extern const rh_lattice_row RH_LATTICE_ROWS[];
extern const int RH_N_LATTICE_ROW;
rheo_status rh_figure_lattice(const rh_lattice_row *row, uint64_t seed, int draws, double *mean, double *least,
                              rheo_error *err);

/* Equilibrium propagation through one ideal bidirectional amplifier (voltage gain forward, current gain 1/gain back):
 * update over minus the exact gradient, for an edge below it and one above. */
rheo_status rh_figure_amplifier(double gain, double *below, double *above, rheo_error *err);

#endif
