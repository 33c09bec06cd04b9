/* layered.h: where a task meets a layered network. par: the parameters of rh_gen_layered, checked by its build. */
#ifndef RH_CIRCUIT_LAYERED_H
#define RH_CIRCUIT_LAYERED_H

#include "circuit/gen.h"

int rh_layered_n_input(const double *par); /* the bias nodes come last */
int rh_layered_n_output(const double *par);
void rh_layered_input(const double *par, int i, char *buf, size_t size);  /* "x1p" */
void rh_layered_output(const double *par, int i, char *buf, size_t size); /* "y1p-y1n" */

#endif
