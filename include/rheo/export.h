/* rheo/export.h: an experiment as a circuit that learns by itself, for other simulators. Background:
 * docs/spice-export.md.
 *
 * Thread rules: everything here may be called from any thread. */
#ifndef RHEO_EXPORT_H
#define RHEO_EXPORT_H

#include "rheo/run.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_export_def {
    const char *level; /* "behavioural" or "ideal": controlled sources; "device": parts that can be bought. Default
                          "behavioural" */
    long teeth;        /* teeth of the sawtooth, one sample each; 0: all epochs of the experiment. Default 0 */
    int cookie;        /* set by rheo_export_default() */
} rheo_export_def;
RHEO_API rheo_export_def rheo_export_default(void);

/**
 * One SPICE deck with network, memories, stored conductances, nudges, sawtooth and samples. `ngspice -b` runs it; its
 * measurements are rms0 and rms1 (V: error of the free network over the training samples, before and after) and
 * wf1, wf2, ... (V: stored voltages at the end, in the order of the edges).
 * @param def   NULL: defaults
 * @param text  NUL-terminated, to be given back with rheo_text_free; set on success only
 * @return RHEO_OK, RHEO_E_USAGE (settings that no such deck realises; err names the setting), RHEO_E_RANGE (an edge
 * without useful bounds), RHEO_E_LIMIT, RHEO_E_NOMEM
 */
RHEO_API rheo_status rheo_export_spice(const rheo_experiment *x, const rheo_export_def *def, char **text,
                                       rheo_error *err);

#ifdef __cplusplus
}
#endif
#endif
