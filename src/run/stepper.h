/* stepper.h: what makes new conductances out of samples: the closed form of learn, the machine in time, or something
 * that a caller brings along. A row of functions; the training loop knows no more of it. */
#ifndef RH_STEPPER_H
#define RH_STEPPER_H

#include "run/run.h"

typedef struct rh_stepper {
    const char *name;
    /* *state is closed by close; the learner is that of the run, which evaluates and writes results. */
    rheo_status (*open)(void **state, const rheo_experiment *x, rh_learner *l, void *given, const rheo_log *log,
                        rheo_error *err);
    /* One update; the conductances of the learner become the new ones. */
    rheo_status (*step)(void *state, rh_learner *l, const int *sample, int n, rheo_error *err);
    int (*blocks)(void *state, rh_block *out); /* as rh_learner_blocks; at most RH_STEPPER_BLOCKS */
    rheo_status (*restore)(void *state, rheo_error *err);
    void (*close)(void *state);
} rh_stepper;
enum { RH_STEPPER_BLOCKS = 8 };

extern const rh_stepper RH_STEP_CLOSED, RH_STEP_TRANSIENT;

/* Conductances of the learner become g [n_edge]. */
void rh_learner_take(rh_learner *l, const double *g, int n_edge);
/* The machine of an experiment, as it begins; *rest and *idle as the exported deck has them. */
rheo_status rh_experiment_machine(rh_machine **out, const rheo_experiment *x, const rheo_log *log, rheo_error *err);

#endif
