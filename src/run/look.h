/* look.h: settings that cannot work, in the words that `rheo train` and `rheo check` share. */
#ifndef RH_LOOK_H
#define RH_LOOK_H

#include "run/run.h"

#define RH_LOOK_COSINE 0.9 /* of tcl with two phases: less is told */

/* E195: false when it said that no edge can move. */
bool rh_look_rate(const rheo_experiment *x, const rheo_log *log);
/* E196: times of a sawtooth that do not go together. */
void rh_look_times(const rheo_experiment *x, const rheo_log *log);
/* E314 where tcl does not write what two phases would. g [n_edge] S, or NULL: at the start. Fails for want of memory
 * only. */
rheo_status rh_look_dead_zone(const rheo_experiment *x, const double *g, bool *told, const rheo_log *log,
                              rheo_error *err);
/* All of them, and what the first update would say. */
rheo_status rh_look_all(const rheo_experiment *x, const rheo_log *log, rheo_error *err);
/* An output that resistors cannot bring to its target: true, with the sentence in text. */
bool rh_look_reach(const rheo_experiment *x, char *text, size_t size);

#endif
