/* rheo/memory.h: what one memory element writes in one periodic cycle of a linear ramp, to choose R and C by.
 *
 * Source: Falk, Strupp, Scellier & Murugan, Nature Communications 16 (2025), temporal contrastive learning. */
#ifndef RHEO_MEMORY_H
#define RHEO_MEMORY_H

#include "rheo/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_cycle_def {
    const char *kernel;       /* "leaky-integrator", "integral-feedback" or "chemotaxis". Default the first */
    const char *const *param; /* n_param texts "name=value", SPICE numbers allowed; what is not named has its default */
    int n_param;
    const char *protocol;     /* "sawtooth", "square" or "triangle". Default "sawtooth" */
    const char *nonlinearity; /* "dead-zone", "cubic" or "none". Default "dead-zone" */
    double fast, slow;        /* s. Default 1e-3 and 50e-3 */
    double threshold;         /* units of s per second. Default 0 */
    double average;           /* (s_free + s_clamped)/2. Default 0 */
    int cookie;               /* set by rheo_cycle_default() */
} rheo_cycle_def;
RHEO_API rheo_cycle_def rheo_cycle_default(void);

/**
 * The periodic response to s going from average - A/2 to average + A/2 along the protocol.
 * @param amplitude  [n] A = s_clamped - s_free, signed
 * @param dw         [n] integral of g(u) over one period, in units of s; positive for a clamped value above the free
 * one
 * @param u_max, u_min  [n] extremes of u, units of s per second; may be NULL
 * @return RHEO_OK, RHEO_E_USAGE (unknown name; err suggests), RHEO_E_RANGE, RHEO_E_NOMEM
 */
RHEO_API rheo_status rheo_cycle(const rheo_cycle_def *def, int n, const double *amplitude, double *dw, double *u_max,
                                double *u_min, rheo_error *err);

#ifdef __cplusplus
}
#endif
#endif
