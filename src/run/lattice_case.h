/* lattice_case.h: the laboratory's network: 16 nodes on a periodic square lattice, 32 edges of transistors whose gates
 * learn or of resistors, two rails, one or two inputs, and the difference of two nodes for an output.
 * Source: Dillavou, Beyer, Stern, Liu, Miskin & Durian, PNAS 121, e2319718121 (2024). */
#ifndef RH_LATTICE_CASE_H
#define RH_LATTICE_CASE_H

#include "learn/learn.h"

enum { RH_LATTICE_SAMPLES = 16 };

typedef struct rh_lattice_def {
    bool transistors;
    double rail;         /* V: of the upper rail; the lower one is at 0 */
    int n_in;            /* inputs: 1 or 2 */
    double mean, spread; /* gates start uniform in mean +- spread, V, between 0.75 and 5.03 V; resistors log-uniform
                            between g/(1 + spread) and g (1 + spread), with g that of a transistor at `mean` */
} rh_lattice_def;

typedef struct rh_lattice_case {
    rheo_circuit *c;
    int in_elem[2], out[1][2];
    double in_sign[2];
    double in[2 * RH_LATTICE_SAMPLES], target[RH_LATTICE_SAMPLES];
    rh_ports ports;     /* point into this struct: do not copy it */
    rh_samples samples; /* none until filled */
} rh_lattice_case;

/* Placement number `draw`: distinct random nodes for inputs, rails and outputs; random starts. */
rheo_status rh_lattice_case_build(rh_lattice_case *k, const rh_lattice_def *def, uint64_t seed, int draw,
                                  rheo_error *err);
void rh_lattice_case_free(rh_lattice_case *k);

#endif
