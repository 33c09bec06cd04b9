/* schedules.c: the rate over the epochs, as a function of the epoch alone, so that a resumed run finds it again. A new
 * schedule is one row. */
#include "learn/internal.h"

#include <math.h>

static double constant(const rh_learn_def *d, double epoch, double n_epoch) {
    (void)d, (void)epoch, (void)n_epoch;
    return 1;
}

static double exponential(const rh_learn_def *d, double epoch, double n_epoch) {
    (void)n_epoch;
    return pow(d->decay, epoch);
}

static double cosine(const rh_learn_def *d, double epoch, double n_epoch) {
    return d->final + (1 - d->final) * 0.5 * (1 + cos(M_PI * epoch / n_epoch));
}

static double stair(const rh_learn_def *d, double epoch, double n_epoch) {
    (void)n_epoch;
    return pow(d->decay, floor(epoch / d->every));
}

const rh_schedule RH_SCHEDULE_TABLE[] = {
    { "constant", { "rate times 1", "for machines, and until something else is known to help" }, constant },
    { "exponential",
      { "rate times decay^epoch", "for a loss that comes down and then jitters: the steps shrink all the time" },
      exponential },
    { "cosine",
      { "rate times half a cosine from 1 to final over all epochs", "for a number of epochs that is settled" },
      cosine },
    { "step",
      { "rate times decay^floor(epoch/every)", "for a rate that stays for `every` epochs, then goes down a stair" },
      stair },
};
const char *const RH_SCHEDULES[] = { "constant", "exponential", "cosine", "step", NULL };

double rh_schedule_factor(const rh_learn_def *d, int64_t epoch, int64_t n_epoch) {
    return RH_SCHEDULE_TABLE[d->schedule].factor(d, (double)epoch, (double)n_epoch);
}

rh_meaning rh_schedule_meaning(int schedule) { return RH_SCHEDULE_TABLE[schedule].meaning; }
