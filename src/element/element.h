/* element: the kinds of element. A new kind is one new file and one row of RH_KINDS (kinds.c). */
#ifndef RH_ELEMENT_H
#define RH_ELEMENT_H

#include "base/base.h"

enum {
    RH_LEARNABLE = 1,    /* may carry *@ learn */
    RH_SOURCE = 2,       /* its value may be driven by a task: V and I */
    RH_BRANCH = 4,       /* its current is an unknown of its own: V and E */
    RH_CONTROLLED = 8,   /* terminals 2 and 3 are the controlling pair: E and G */
    RH_OPEN = 16,        /* carries no direct current: C */
    RH_ONE_WAY = 32,     /* makes the matrix unsymmetric: E, G and transistors */
    RH_BY_CURRENT = 128, /* controlled by the current of the V element circuit->elem_ctrl: F and H */
    RH_FALLING = 256,    /* conducts less when the state that it learns rises: transistors of a P channel */
    RH_TAPE = 512,       /* its parameters are an expression of any length (tape.h) */
    RH_JOINED = 2048,    /* each of its terminals conducts to the others, not only those of path: Q */
    RH_TABLE = 1024,     /* its parameters are followed by a table (table.h) */
    RH_NONLINEAR = 64,   /* its currents come from eval, not from law: D and M */
    RH_STATE = 4096, /* what a resistor with such a model is while time passes (memristor.h): never on a card itself */
};

enum { RH_MAX_TERM = 4, RH_KIND_PAR = 32 /* parameters of a kind */ };

/* Where a parameter stands: on the .model card, on the line `*@ model` that chooses a variant, on the element's card.
 */
typedef enum rh_par_of { RH_OF_MODEL, RH_OF_VARIANT, RH_OF_ELEMENT } rh_par_of;

/* A parameter of a kind. */
typedef struct rh_par {
    const char *name, *unit;
    double def, min, max;
    const char *meaning;
    rh_par_of of;
    const char *also; /* another spelling of the name, or NULL */
} rh_par;

/* What flows into the terminals of a nonlinear element, and how it follows their potentials. */
typedef struct rh_flow {
    double i[RH_MAX_TERM];              /* A, from the node into the terminal; they sum to zero */
    double g[RH_MAX_TERM][RH_MAX_TERM]; /* S: g[r][c] = d i[r] / d v[c] */
} rh_flow;

typedef struct rh_kind {
    char letter;            /* R, C, ... upper case; several kinds may share it, told apart by the model */
    const char *name;       /* "resistor" */
    const char *what;       /* one line for `rheo kinds` */
    const char *value_name; /* "resistance" */
    const char *unit;       /* of the value: "ohm" */
    int n_term;             /* nodes on its card: 2 to 4 */
    unsigned flags;
    const char *equation; /* for `rheo kinds`, e.g. "i = v/R" */
    /* What the kind adds to the nodal equations. g is the conductance of a learnable kind, else unused; value as on the
     * card. Terminals 0, 1 (and 2, 3). A branch kind gives the row of its own equation: v0 - v1 - gain*(v2 - v3) = rhs.
     * A current kind gives i(0->1) = conductance*(v0 - v1) + trans*(v2 - v3) + current. With RH_BY_CURRENT the current
     * of elem_ctrl takes the place of v2 - v3. */
    struct rh_law (*law)(double value, double g);
    /* Nonlinear kinds only; all three or none. */
    const rh_par *par; /* in the order of the array that eval and limit get */
    int n_par;
    int path[2];               /* terminals between which it conducts; the others take hardly any current */
    const char *model;         /* type on the .model card that such an element names: "d"; NULL: takes no model */
    const char *variant;       /* word on the line `*@ model NAME word` that chooses it; NULL: the card alone does */
    const char *optional;      /* type on the .model card that, with a variant, such an element may name: "r" */
    const char *const *idle;   /* model parameters of SPICE that say nothing about direct current; NULL-terminated */
    const char *const *charge; /* those of capacitances and transit times, which are not computed in time either */
    const char *const *absent; /* those that do say something, but that are not computed here */
    /* Currents and slopes at the potentials v [n_term] of the terminals; finite for |v| up to 1e60. out is zero before.
     */
    void (*eval)(const double *par, const double *v, rh_flow *out);
    /* Newton wants to go from the terminal potentials `from` to `to`: take `to` back to where the tangent at `from`
     * still says something. Differences only: a common shift stays. NULL: any step will do. */
    void (*limit)(const double *par, const double *from, double *to);
    /* For ngspice, which does not know the kind: the current between the terminals of path as an expression; node
     * [n_term]: "v(n1)" or "0". NULL: it knows the letter and the model. */
    void (*express)(const double *par, const char *const *node, rh_buf *out);
    /* For ngspice, which takes parameters of the element wrongly: those of a model of its own that make up for them;
     * false: those of the element are all 1. NULL: it takes them rightly. */
    bool (*fold)(const double *par, double *model);
} rh_kind;

typedef struct rh_law {
    double conductance, trans, current; /* kinds without RH_BRANCH */
    double gain, rhs;                   /* kinds with RH_BRANCH */
} rh_law;

/* How many numbers the parameters at par are, with what follows them. */
size_t rh_kind_par_size(const rh_kind *kind, const double *par);

/* The terminal where the current of an element comes out: it goes in at terminal 0. */
static inline int rh_kind_far(const rh_kind *k) { return k->flags & RH_NONLINEAR ? k->path[1] : 1; }

extern const rh_kind *const RH_KINDS[];
extern const int RH_N_KIND;
int rh_kind_of_letter(char letter); /* index of the first such row of RH_KINDS, in either case; -1: none */
int rh_kind_of_model(const char *type, size_t n);   /* index of the kind that a .model type makes; -1: none */
int rh_kind_variant(int kind, const char *variant); /* index of that variant of a kind; -1: none */
/* Indices that code may name. Kept equal to the rows of RH_KINDS by a test. */
enum {
    RH_KIND_R,
    RH_KIND_C,
    RH_KIND_V,
    RH_KIND_I,
    RH_KIND_E,
    RH_KIND_G,
    RH_KIND_F,
    RH_KIND_H,
    RH_KIND_D,
    RH_KIND_NMOS,
    RH_KIND_PMOS,
    RH_KIND_D_IDEAL,
    RH_KIND_D_PAIR,
    RH_KIND_NMOS_SMOOTH,
    RH_KIND_PMOS_SMOOTH,
    RH_KIND_S,
    RH_KIND_B,
    RH_KIND_D_TABLE,
    RH_KIND_NPN,
    RH_KIND_PNP,
    RH_KIND_R_DRIFT,
    RH_KIND_R_VTEAM,
    RH_KIND_R_VOLATILE,
};

#endif
