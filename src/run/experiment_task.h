/* experiment_task.h: what the files that read the block `task` share. */
#ifndef RH_RUN_EXPERIMENT_TASK_H
#define RH_RUN_EXPERIMENT_TASK_H

#include "run/experiment.h"

enum { RH_TASK_TABLE, RH_TASK_CSV, RH_TASK_IDX, RH_TASK_LOGIC };

typedef struct rh_task_reader {
    rheo_experiment *x;
    const rh_reader *rd;
    rh_yaml *task;
} rh_task_reader;

/* experiment_task.c */
rheo_status rh_task_missing(const rh_task_reader *k, rh_loc at, const char *key, const char *where, const char *hint);
rheo_status rh_task_fault(const rh_task_reader *k, rh_loc at, const char *hint, const char *text);
/* Two numbers; rising: the second above the first. */
rheo_status rh_task_pair(const rh_task_reader *k, const char *key, const char *unit, bool rising, const char *hint,
                         double out[2]);
rheo_status rh_task_classes(const rh_task_reader *k);
rheo_status rh_task_class_count(const rh_task_reader *k, int n_class, rh_loc at);
/* The samples of `made`, with the names of the ports, if their numbers agree with those; they are told when not. */
rheo_status rh_task_take(const rh_task_reader *k, rh_task *made, rh_loc at);

/* experiment_sets.c */
/* A list of names in which a1..a20 stands for a1, a2, ... a20; numbers that change rise together: p1-p2..p8-p9.
 */
rheo_status rh_task_names(const rh_reader *rd, rh_yaml *y, const char *key, int most, const char ***out, int *n);
/* differential range from affine bias; train validation test and their _rows. */
rheo_status rh_task_scaling(const rh_task_reader *k);
rheo_status rh_task_split_settings(const rh_task_reader *k);
extern const char *const RH_TASK_SET_KEYS[]; /* of both */
extern const int RH_N_TASK_SET_KEY;
rheo_status rh_task_read_idx(const rh_task_reader *k, const rh_experiment_io *io);
rheo_status rh_task_read_logic(const rh_task_reader *k);

#endif
