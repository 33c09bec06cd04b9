/* smooth.h: a ramp without a kink, which smooth forms of devices share. */
#ifndef RH_ELEMENT_SMOOTH_H
#define RH_ELEMENT_SMOOTH_H

#include <math.h>

/* ln(1 + e^x) and its slope; no x overflows. */
static inline double rh_softplus(double x, double *slope) {
    const double e = exp(-fabs(x));
    *slope = (x > 0 ? 1 : e) / (1 + e);
    return fmax(x, 0) + log1p(e);
}

#endif
