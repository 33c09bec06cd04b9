/* training: what `rheo train` and `rheo resume` have in common. */
#ifndef RH_TRAINING_H
#define RH_TRAINING_H

#include "cli/cli.h"
#include "rheo/run.h"

typedef struct rh_training {
    rh_cli *cli;
    rh_bar *bar;
    rheo_train_def def;
    rheo_result result;
    rheo_error err;
    const char *verb; /* of the start line or event: "training", and what is trained is the operand */
    int shown;        /* fiftieth of the epochs that the last line of -v was in */
    long n_progress;  /* how often something was told */
} rh_training;

/* Settings from the common options, progress and signals connected. Messages on failure. */
rheo_status rh_training_open(rh_training *t, rh_cli *cli, const char *verb);
/* The last line or event, or what went wrong. Returns the status of the command. */
rheo_status rh_training_close(rh_training *t, rheo_status st);

#endif
