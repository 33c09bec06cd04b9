/* rheo/cosim.h: one learning machine, three engines: ngspice, rheo in time, and the closed form of a cycle.
 *
 * Thread rules: may be called from any thread; ngspice runs in a process of its own. */
#ifndef RHEO_COSIM_H
#define RHEO_COSIM_H

#include "rheo/run.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RHEO_COSIM_CLOSED, RHEO_COSIM_TRANSIENT, RHEO_COSIM_NGSPICE, RHEO_COSIM_ENGINES };

/** What one engine makes of the experiment. */
typedef struct rheo_cosim_engine {
    const char *name;           /* "closed", "transient", "ngspice" */
    double rms_first, rms_last; /* V: error of the free network over the training samples, before and after */
    double w_max, w_rms;        /* stored voltages: largest and root mean square difference from ngspice, relative */
    char worst[128];            /* edge of the largest one; "" for ngspice itself */
    double seconds, processor;  /* s of the whole run, by the clock and by processors */
    char directory[1024];
} rheo_cosim_engine;

typedef struct rheo_cosim_result {
    rheo_cosim_engine engine[RHEO_COSIM_ENGINES];
    long teeth;
    int n_edge;
} rheo_cosim_result;

/**
 * Run the exported machine in ngspice as `rheo train` would run it: the run directory gets the same files, and the
 * folders closed/ and transient/ with the runs of the other two engines.
 * @param def     as for rheo_train; its goal and threads are ignored
 * @param worker  path of rheo-ngworker; NULL: beside the program, or where it was installed
 * @return RHEO_OK, RHEO_E_USAGE (settings that no deck realises), RHEO_E_IO (no ngspice, or it failed),
 * RHEO_E_INTERRUPTED, ...
 */
RHEO_API rheo_status rheo_cosim(const rheo_experiment *x, const rheo_train_def *def, const char *worker,
                                rheo_cosim_result *result, const rheo_log *log, rheo_error *err);

#ifdef __cplusplus
}
#endif
#endif
