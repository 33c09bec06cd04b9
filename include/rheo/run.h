/* rheo/run.h: experiments, and runs of them: train, resume, tune.
 *
 * Thread rules: an experiment is immutable after reading; a run uses its own threads and may itself be called from any
 * thread. */
#ifndef RHEO_RUN_H
#define RHEO_RUN_H

#include "rheo/circuit.h"
#include "rheo/solver.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_experiment rheo_experiment;

/**
 * Read an experiment, its netlist and its data.
 * @param set    n_set overrides "block.key=value", applied before checking; relative paths count from the experiment's
 * folder
 * @return RHEO_OK, RHEO_E_PARSE, RHEO_E_RANGE, RHEO_E_IO, RHEO_E_LIMIT, RHEO_E_NOMEM
 */
RHEO_API rheo_status rheo_experiment_read(rheo_experiment **out, const char *path, const char *const *set, int n_set,
                                          const rheo_log *log, rheo_error *err);
RHEO_API void rheo_experiment_destroy(rheo_experiment *x);
/** The circuit of the experiment. Lent. */
RHEO_API const rheo_circuit *rheo_experiment_circuit(const rheo_experiment *x);
/** The experiment as YAML with every default visible; give back with rheo_text_free. */
RHEO_API rheo_status rheo_experiment_print(const rheo_experiment *x, char **text, rheo_error *err);

/** What a run tells while it goes on, once per evaluated epoch, and once before the first. NaN where it does not apply.
 */
typedef struct rheo_progress {
    long epoch, n_epoch, step;
    double loss_train, loss_test, accuracy_train, accuracy_test;
    double loss_validation, accuracy_validation;
    int n_class; /* 0: no labels, or more than 100 classes; then confusion is NULL */
    /* [n_class][n_class] samples of class i that came out as class j, of the training, validation and test samples;
     * NULL where there are none. Lent until the call returns. */
    const int *confusion[3];
    double cos_gradient, norm_ratio, cos_contrastive, inside;
    rheo_newton newton[RHEO_N_NEWTON]; /* since the call before */
    double seconds;                    /* since this process began the run */
} rheo_progress;

typedef struct rheo_train_def {
    const char *output;             /* run directory; NULL: the experiment's `output` */
    bool force;                     /* replace a run that is there */
    int threads;                    /* 0: the experiment's run.threads */
    bool gauge;                     /* compare every update with the exact gradient */
    int64_t seed;                   /* -1: the experiment's */
    long epochs;                    /* rheo_resume: new run.epochs, not below the old; -1: as it was */
    double target_error;            /* rheo_resume: new run.target_error; -1: as it was */
    const char *const *include_dir; /* rheo_resume: [n_include_dir] folders that are added to include_dirs; lent */
    int n_include_dir;
    void (*begun)(void *user, const char *directory);     /* once, when nothing is refused any more. May be NULL */
    void (*progress)(void *user, const rheo_progress *p); /* may be NULL */
    void *user;
    const volatile int *stop; /* nonzero: finish the step, write a checkpoint and what there is of result.npz and
                                 trained.cir, return RHEO_E_INTERRUPTED. May be NULL. Set it from a signal handler */
    int cookie;               /* set by rheo_train_default() */
} rheo_train_def;
RHEO_API rheo_train_def rheo_train_default(void);

typedef struct rheo_result {
    double loss_first, loss_last;         /* mean loss over the training samples, before and after */
    double accuracy_train, accuracy_test; /* NaN without labels or test samples */
    double loss_test;
    double loss_validation, accuracy_validation;
    long epochs, steps;
    rheo_newton newton[RHEO_N_NEWTON]; /* of this process */
    double seconds;                    /* of this process */
    bool goal_reached;                 /* loss_last <= run.target_error; false when no goal was set */
    bool goal_set;                     /* run.target_error > 0 */
    char directory[1024];
} rheo_result;

/**
 * Train from the beginning. The run directory gets config.yaml, metrics.jsonl, result.npz, trained.cir, checkpoints/,
 * environment.json.
 * @return RHEO_OK, RHEO_E_GOAL (target_error was set and missed: result is complete), RHEO_E_INTERRUPTED (checkpoint
 * written), RHEO_E_USAGE (the directory holds a run and force is false), RHEO_E_SINGULAR, RHEO_E_IO, RHEO_E_NOMEM ...
 */
RHEO_API rheo_status rheo_train(const rheo_experiment *x, const rheo_train_def *def, rheo_result *result,
                                const rheo_log *log, rheo_error *err);
/** Go on from the newest good checkpoint in directory. result.npz ends byte for byte as in an uninterrupted run. With
 * def->epochs or def->target_error, config.yaml is changed first: so a finished run is trained longer. */
RHEO_API rheo_status rheo_resume(const char *directory, const rheo_train_def *def, rheo_result *result,
                                 const rheo_log *log, rheo_error *err);

/**
 * Propose threshold, fast, slow, tau and strength from the first samples.
 * @param text  a YAML fragment with comments that say why; give back with rheo_text_free
 */
RHEO_API rheo_status rheo_tune(const rheo_experiment *x, char **text, const rheo_log *log, rheo_error *err);

#ifdef __cplusplus
}
#endif
#endif
