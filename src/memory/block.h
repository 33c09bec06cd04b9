/* block: edges are taken through the cycle in blocks, so that the inner loops run over edges and become vector
 * instructions. */
#ifndef RH_MEMORY_BLOCK_H
#define RH_MEMORY_BLOCK_H

#include "memory/closed.h"

enum { RH_BLOCK = 16 };

/* Lanes beyond the last edge hold zeros and write nothing. */
typedef struct rh_block {
    int n;                             /* lanes in use: the first ones */
    int n_used;                        /* rows in use: the first ones */
    double rows[RH_MAX_ROW][RH_BLOCK]; /* weight of each row */
    double rest[RH_BLOCK];             /* area*c_0, the u of a resting memory */
    double linear[RH_BLOCK];           /* integral of u over the cycle */
    double above[RH_BLOCK],
        below[RH_BLOCK]; /* integral of u over the intervals that are above threshold, or below it, throughout */
    double above_size[RH_BLOCK], below_size[RH_BLOCK]; /* sums of the absolute values of those integrals */
    double count_below[RH_BLOCK]; /* 1: what is below threshold is summed, and taken from the whole */
    double pieces[RH_BLOCK];      /* integral over what counts of the other intervals */
    int n_item;                   /* those, interval by interval */
    double *place, *left, *right; /* interval*RH_BLOCK + lane, and u at both ends; one more than can be needed */
    double *spare;                /* above 0: surely monotone */
} rh_block;

/* Which side of the dead zone: 1, -1, or 0 inside. */
static inline int rh_side_of(double u, double threshold) { return (u >= threshold) - (u <= -threshold); }

/* dw [b->n] = integral of u where |u| >= threshold > 0. The same bytes whichever vectors the processor has. */
void rh_dead_zone(const rh_closed *t, double threshold, rh_block *b, double *dw);
void rh_dead_zone_plain(const rh_closed *t, double threshold, rh_block *b, double *dw);
void rh_dead_zone_wide(const rh_closed *t, double threshold, rh_block *b, double *dw);

/* dw [RH_BLOCK], the same for lanes where each ramp can be proved to cross either level at most once: sure [RH_BLOCK]
 * says which (all ones), dw of the others is undefined. Returns whether all are. Not a number where linear is not
 * finite. Only for a block with n_used <= t->n_sweep. */
bool rh_sweep_block(const rh_closed *t, double threshold, const rh_block *b, double *dw, int64_t *sure);
bool rh_sweep_plain(const rh_closed *t, double threshold, const rh_block *b, double *dw, int64_t *sure);
bool rh_sweep_wide(const rh_closed *t, double threshold, const rh_block *b, double *dw, int64_t *sure);

/* Integral of p over [from, to], and over the part of [-1, 1] where |p| is at least threshold, or below it. */
double rh_integrate_piece(const rh_closed *t, const double *p, double from, double to);
double rh_integrate_general(const rh_closed *t, const double *p, double threshold, bool below);

#endif
