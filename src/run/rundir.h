/* rundir: what a run leaves on disk. The files and their keys: docs/run-directory.md. */
#ifndef RH_RUNDIR_H
#define RH_RUNDIR_H

#include "run/checkpoint.h"
#include "run/run.h"

/* One evaluated epoch. All doubles: it goes into checkpoints and arrays as it is. NaN where it does not apply. */
typedef struct rh_row {
    double epoch, loss_train, loss_test, accuracy_train, accuracy_test, loss_validation, accuracy_validation;
} rh_row;
typedef struct rh_history {
    rh_row *row;
    int n, cap;
} rh_history;
rheo_status rh_history_add(rh_history *h, const rh_row *row, rheo_error *err);

/* Is it a folder with a config.yaml, and the paths (rh_free) of that and of trained.cir. NULL: out of memory. */
bool rh_rundir_is(const char *path);
char *rh_rundir_config(const char *directory);
char *rh_rundir_trained(const char *directory);

/* Make directory and its checkpoints/, refuse one that holds files of a run unless force (then those files go), and
 * write the resolved experiment, last and atomically: a directory without config.yaml is not a run. directory gets the
 * absolute path; x is written with the seed and that output. *lock as from rh_rundir_lock. given: conductances come
 * from outside, so that the run cannot be resumed. */
rheo_status rh_rundir_begin(const rheo_experiment *x, const rheo_train_def *def, bool given, char *directory,
                            size_t size, int *lock, rheo_error *err);
/* One process at a time: *lock is a file descriptor to be closed afterwards. RHEO_E_USAGE when somebody else is at it.
 */
rheo_status rh_rundir_lock(const char *directory, int *lock, rheo_error *err);

/* environment.json: what produced the numbers. No times, no paths. */
rheo_status rh_rundir_environment(const char *directory, const rheo_experiment *x, rheo_error *err);

/* config.yaml anew, atomically, with these settings (-1: as they are). RHEO_E_USAGE: fewer epochs than x has. */
rheo_status rh_rundir_extend(const char *directory, const rheo_experiment *x, long epochs, double target_error,
                             rheo_error *err);

/* What decides the numbers: the experiment but for when it stops, the circuit and the samples, by content. *settings
 * (rheo_text_free) is the text that *id lends. */
rheo_status rh_rundir_identity(const rheo_experiment *x, rh_identity *id, char **settings, rheo_error *err);

/* metrics.jsonl, cut to the bytes that a checkpoint knows (0: anew). *fd is to be closed; as it was on failure. */
rheo_status rh_metrics_open(const char *directory, int64_t bytes, int *fd, const rheo_log *log, rheo_error *err);
rheo_status rh_metrics_add(int fd, const rheo_progress *p, const rh_gauge *gauge, int64_t *bytes, rheo_error *err);
/* The part of a line about classes, with a comma before it. */
void rh_newton_json(rh_buf *b, const rheo_newton newton[RHEO_N_NEWTON]);
void rh_progress_classes(rh_buf *b, const rheo_progress *p);
rheo_status rh_metrics_sync(int fd, rheo_error *err);

/* result.npz and trained.cir. Their bytes depend on the experiment alone, and on the step that was the last. complete:
 * there is no more to come. */
rheo_status rh_rundir_results(const char *directory, const rheo_experiment *x, rh_learner *l, const double *g_first,
                              const rh_history *history, bool complete, const rheo_log *log, rheo_error *err);

#endif
