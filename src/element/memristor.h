/* memristor.h: kinds with RH_STATE, the present resistance of which is the value of a resistor. */
#ifndef RH_ELEMENT_MEMRISTOR_H
#define RH_ELEMENT_MEMRISTOR_H

#include "element/element.h"

/* Their first two parameters. */
enum { RH_RON, RH_ROFF };

/* The state x, 0 to 1, of such a memristor of that many ohm. */
double rh_memristor_state(const rh_kind *kind, const double *par, double ohm);

#endif
