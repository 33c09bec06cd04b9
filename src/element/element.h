/* element: the kinds of element. A new kind is one new file and one row of RH_KINDS (kinds.c). */
#ifndef RH_ELEMENT_H
#define RH_ELEMENT_H

#include "base/base.h"

enum {
    RH_LEARNABLE = 1,  /* may carry *@ learn */
    RH_SOURCE = 2,     /* its value may be driven by a task: V and I */
    RH_BRANCH = 4,     /* its current is an unknown of its own: V and E */
    RH_CONTROLLED = 8, /* terminals 2 and 3 are the controlling pair: E and G */
    RH_OPEN = 16,      /* carries no direct current: C */
    RH_ONE_WAY = 32,   /* makes the matrix unsymmetric: E and G */
};

typedef struct rh_kind {
    char letter;            /* R, C, ... upper case */
    const char *name;       /* "resistor" */
    const char *what;       /* one line for `rheo kinds` */
    const char *value_name; /* "resistance" */
    const char *unit;       /* of the value: "ohm" */
    int n_term;             /* nodes on its card: 2 or 4 */
    unsigned flags;
    const char *equation; /* for `rheo kinds`, e.g. "i = v/R" */
    /* What the kind adds to the nodal equations. g is the conductance of a learnable kind, else unused; value as on the
     * card. Terminals 0, 1 (and 2, 3). A branch kind gives the row of its own equation: v0 - v1 - gain*(v2 - v3) = rhs.
     * A current kind gives i(0->1) = conductance*(v0 - v1) + trans*(v2 - v3) + current. */
    struct rh_law (*law)(double value, double g);
} rh_kind;

typedef struct rh_law {
    double conductance, trans, current; /* kinds without RH_BRANCH */
    double gain, rhs;                   /* kinds with RH_BRANCH */
} rh_law;

extern const rh_kind *const RH_KINDS[];
extern const int RH_N_KIND;
int rh_kind_of_letter(char letter); /* index into RH_KINDS in either case; -1: none */
/* Indices that code may name. Kept equal to the rows of RH_KINDS by a test. */
enum { RH_KIND_R, RH_KIND_C, RH_KIND_V, RH_KIND_I, RH_KIND_E, RH_KIND_G };

#endif
