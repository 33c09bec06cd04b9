/* engine.h: libngspice behind a few functions. engine.c alone includes sharedspice.h. */
#ifndef RH_NGWORKER_ENGINE_H
#define RH_NGWORKER_ENGINE_H

#include "ngspice/protocol.h"

#include <stdbool.h>
#include <stddef.h>

bool rh_engine_open(void);
const char *rh_engine_version(void);
/* text is written into. */
bool rh_engine_load(char *text);
bool rh_engine_vectors(char *text);
/* Operating point with so many values changed before it; what it answers is lent until the next one. */
bool rh_engine_op(const rh_ng_value *change, size_t n_change, const double **value, size_t *n);
/* Values of the external sources of the next decks: x [n_source][n_slot] is copied. */
bool rh_engine_samples(const rh_ng_samples *head, const double *x);
/* What .tran in the deck says; emit gets the time and the vectors [n] of every row while it runs, and ends it with
 * false. */
bool rh_engine_tran(const rh_ng_tran *def, bool (*emit)(const double *row, size_t n));
bool rh_engine_destroy(void);
/* The last that ngspice said. */
const char *rh_engine_reason(void);

#endif
