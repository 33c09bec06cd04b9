/* gradcheck.h: the gradient of an experiment against finite differences of its loss. */
#ifndef RH_GRADCHECK_H
#define RH_GRADCHECK_H

#include "run/run.h"

typedef struct rh_gradcheck_def {
    int n_edge, n_sample; /* at most so many; edges are drawn by seed, samples are the first ones of training */
    uint64_t seed;
    double tolerance; /* of the largest relative difference */
    double rule;      /* of the length of (rule - difference) over that of the differences; INFINITY: not judged */
} rh_gradcheck_def;

/* Slopes by the state of the edge, of the mean loss of the samples. */
typedef struct rh_gradcheck_row {
    int edge;
    double state;      /* S, V, or what learning.state says */
    double adjoint;    /* exact, from the transposed tangents */
    double difference; /* central, of fourth order */
    double rule;       /* what the rule takes for the gradient */
    double relative;   /* |adjoint - difference| over the larger of both, and over no less than FLOOR of the largest */
} rh_gradcheck_row;
typedef struct rh_gradcheck {
    rh_gradcheck_row *row; /* [n] in the order of the netlist */
    int n, n_sample;
    int worst;             /* row; -1: all slopes are 0 */
    double cosine, length; /* of the rule with the differences, and the ratio of their lengths; NaN: one of them is 0 */
    double off;            /* length of rule - difference over that of the differences */
} rh_gradcheck;
/* RHEO_E_GOAL: above a tolerance; out is complete. */
rheo_status rh_gradcheck_run(const rheo_experiment *x, const rh_gradcheck_def *def, rh_gradcheck *out,
                             const rheo_log *log, rheo_error *err);
void rh_gradcheck_free(rh_gradcheck *g);

#endif
