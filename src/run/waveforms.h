/* waveforms.h: what one edge lives through during two teeth, as a picture. */
#ifndef RH_WAVEFORMS_H
#define RH_WAVEFORMS_H

#include "run/run.h"

enum { RH_CODE_PICTURE = 380 /* no such edge or tooth */ };

/* SVG of the nudge's level, s, u, g(u) and w of an edge over tooth (from 1) and the next one, by the engine transient.
 * Time has three scales per tooth: samples change, the fast ramp and what the memory makes of it, the slow ramp. text:
 * rheo_text_free. */
rheo_status rh_figure_waveforms(const rheo_experiment *x, int edge, int tooth, char **text, const rheo_log *log,
                                rheo_error *err);

#endif
