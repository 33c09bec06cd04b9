/* figure_newton.h: how many steps Newton takes on random networks, from nothing and along the ramp of the clamp. */
#ifndef RH_FIGURE_NEWTON_H
#define RH_FIGURE_NEWTON_H

#include "learn/learn.h"

typedef struct rh_newton_row {
    const char *what;
    int draws; /* unless said */
    rheo_status (*build)(uint64_t seed, int draw, int draws, rheo_circuit **c, rheo_error *err);
    double target; /* V: outputs are pulled to a random target of up to this, either way */
} rh_newton_row;
extern const rh_newton_row RH_NEWTON_ROWS[];
extern const int RH_N_NEWTON_ROW;

/* Each network is solved free, from no voltage anywhere; then along the levels of a sawtooth that draws an output all
 * the way to its target by voltage, and of one that pulls it there by a conductance of 1 mS. */
typedef struct rh_newton_figure {
    int n, n_failed; /* networks, and those of which a state was not found */
    rheo_newton cold, clamped;
} rh_newton_figure;
rheo_status rh_figure_newton(const rh_newton_row *row, uint64_t seed, int draws, rh_newton_figure *out,
                             rheo_error *err);

#endif
