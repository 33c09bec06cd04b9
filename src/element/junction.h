/* junction.h: the exponential junction, which diodes and the bulk of transistors share. */
#ifndef RH_ELEMENT_JUNCTION_H
#define RH_ELEMENT_JUNCTION_H

#include <math.h>

/* Thermal voltage kT/q at 27 C, with the constants of SPICE: k = 1.38064852e-23 J/K, q = 1.6021766208e-19 C. */
#define RH_VT (1.38064852e-23 * 300.15 / 1.6021766208e-19)

/* i = is (e^(v/nvt) - 1). Past MOST times nvt it follows the tangent: the slope stays continuous and exp() cannot
 * overflow. Below -3 nvt it is -is (1 + (3 nvt/(e v))^3) as in SPICE, which meets the exponential with the same slope
 * and never stops conducting a little: what lies between two blocking junctions still has a potential. */
static inline double rh_junction(double is, double nvt, double v, double *slope) {
    static const double MOST = 300, E = 2.718281828459045;
    const double x = v / nvt;
    if (x < -3) {
        const double a = 3 / (x * E), cube = a * a * a;
        *slope = 3 * is * cube / v;
        return -is * (1 + cube);
    }
    const double e = exp(fmin(x, MOST));
    *slope = is * e / nvt;
    return is * (x > MOST ? e * (1 + (x - MOST)) - 1 : expm1(x));
}

/* The voltage to evaluate at when Newton wants to go from `from` to `to`. A junction that conducts follows its current
 * rather than its voltage: the tangent reaches a new current at from + step, the junction itself at from + log(1 +
 * step), in units of nvt. Where the tangent asks for no current at all, eight decades less will do for the next look:
 * otherwise an overdriven junction would come down by one nvt per iteration. One that is about to conduct starts where
 * its curve bends. Of 300 random networks all settled so, in 10 iterations in the median; with the forward half alone,
 * junction limiting in Nagel, SPICE2, Memorandum UCB/ERL M520 (1975), 76 did not. */
static inline double rh_junction_limit(double is, double nvt, double from, double to) {
    const double bend = nvt * fmax(log(nvt / (sqrt(2) * is)), 1), step = (to - from) / nvt;
    if (from > 0 && step <= -1) return fmin(to, fmax(from - 20 * nvt, 0));
    if (from > 0.6 * bend && fabs(step) > 0.1) return from + nvt * log1p(step);
    return to > bend && step > 2 ? bend : to;
}

#endif
