/* train.h: a run whose conductances come from elsewhere, or are wanted elsewhere. */
#ifndef RH_TRAIN_H
#define RH_TRAIN_H

#include "run/stepper.h"

typedef struct rh_via {
    const rh_stepper *stepper; /* NULL: the engine of the experiment */
    void *given;               /* for its open */
    double *g;                 /* [n_edge] gets the last conductances; NULL: not wanted */
} rh_via;
/* As rheo_train; via NULL: nothing special. */
rheo_status rh_train_via(const rheo_experiment *x, const rheo_train_def *def, const rh_via *via, rheo_result *result,
                         const rheo_log *log, rheo_error *err);

#endif
