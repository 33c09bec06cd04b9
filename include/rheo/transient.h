/* rheo/transient.h: the course in time of a network: capacitors carry its charge. */
#ifndef RHEO_TRANSIENT_H
#define RHEO_TRANSIENT_H

#include "rheo/circuit.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_transient rheo_transient; /* opaque. One thread each */

typedef struct rheo_transient_def {
    double stop;     /* s, above 0 */
    double step;     /* s: stands for times that a source leaves out (TR, TF, TAU). 0: stop/1000 */
    double max_step; /* s: longest time step. 0: stop/50 */
    double reltol;   /* error of one step, relative to the largest potential of the node so far. Default 2e-8 */
    double abstol;   /* V: the same, absolute. Default 1e-9 */
    bool uic;        /* start from ic= and .ic instead of the operating point */
    int cookie;      /* set by rheo_transient_default() */
} rheo_transient_def;
RHEO_API rheo_transient_def rheo_transient_default(void);

typedef struct rheo_transient_stats {
    long n_step;   /* accepted */
    long n_reject; /* repeated with a shorter step */
    long n_factor; /* factorisations */
    long n_corner; /* corners of sources met, the stop included */
} rheo_transient_stats;

/**
 * Prepare the analysis and find the state at time 0: the operating point with the sources at their value at time 0 and
 * the nodes of .ic held, or with uic what the initial voltages of the capacitors make it. Learnable edges have their
 * initial state throughout; memristors begin with theirs and move.
 * @return RHEO_OK, RHEO_E_SINGULAR, RHEO_E_NOCONV (no operating point found), RHEO_E_RANGE (times, a negative
 * capacitance, a pulse longer than its period), RHEO_E_USAGE, RHEO_E_NOMEM
 */
RHEO_API rheo_status rheo_transient_open(rheo_transient **out, const rheo_circuit *c, const rheo_transient_def *def,
                                         const rheo_log *log, rheo_error *err);
RHEO_API void rheo_transient_close(rheo_transient *t);

/**
 * One time step; it ends on a corner of a source rather than pass over it. Nothing is allocated but for pivots.
 * @return RHEO_OK, RHEO_E_SINGULAR, RHEO_E_NOCONV (the step became too short)
 * Source: TR-BDF2, Bank, Coughran, Fichtner, Grosse, Rose & Smith, IEEE Trans. Computer-Aided Design 4, 436 (1985).
 */
RHEO_API rheo_status rheo_transient_step(rheo_transient *t, rheo_error *err);
/** End of the last step, s; 0 before the first. Has it reached the stop? */
RHEO_API double rheo_transient_time(const rheo_transient *t);
RHEO_API bool rheo_transient_done(const rheo_transient *t);
/** Potentials [n_node] V and currents [n_element] A at a time within the last step, to second order. i may be NULL. */
RHEO_API void rheo_transient_at(rheo_transient *t, double time, double *v, double *i);
/** The state x of a memristor, 0 at its ROFF and 1 at its RON, at a time within the last step; NaN for other elements.
 */
RHEO_API double rheo_transient_memristor(const rheo_transient *t, double time, int element);
RHEO_API rheo_transient_stats rheo_transient_statistics(const rheo_transient *t);

#ifdef __cplusplus
}
#endif
#endif
