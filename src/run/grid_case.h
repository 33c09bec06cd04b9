/* grid_case.h: a square grid of 1 S learnable resistors with two inputs and one sample, for figures and benchmarks. */
#ifndef RH_GRID_CASE_H
#define RH_GRID_CASE_H

#include "learn/learn.h"

enum { RH_GRID_MAX_OUT = 20 };

typedef struct rh_grid_case {
    rheo_circuit *c;
    int in_elem[2], out[RH_GRID_MAX_OUT][2];
    double in_sign[2], in[2], target[RH_GRID_MAX_OUT];
    rh_ports ports;     /* point into this struct: do not copy it */
    rh_samples samples; /* one sample: 0 V and 1 V; targets 0 until set */
} rh_grid_case;

/* Nodes are numbered row by row from 0; pick[0] is held at 0 V, pick[1] at 1 V, pick[2..] are the outputs. Node
 * `ground` is held at 0 V too, and is no input; -1: none. */
rheo_status rh_grid_case_build(rh_grid_case *k, int side, int n_out, const int *pick, int ground, rheo_error *err);
void rh_grid_case_free(rh_grid_case *k);

#endif
