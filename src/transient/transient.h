/* transient: networks in time. companion.c turns capacitors into conductances, start.c finds the state at time
 * 0, transient.c steps, currents.c tells what flows.
 *
 * TR-BDF2 with gamma = 2 - sqrt(2): a trapezoidal stage to t + gamma h, then the second-order backward formula over
 * both intervals to t + h. A capacitor C is a conductance 2C/(gamma h) in either stage, so one factorisation serves a
 * whole step, its error estimate, and every later step of the same h. Networks that are not linear are solved by Newton
 * at each stage, from where the last step leads; its last matrix serves the error estimate. */
#ifndef RH_TRANSIENT_H
#define RH_TRANSIENT_H

#include "circuit/circuit.h"
#include "rheo/transient.h"
#include "solver/inside.h"
#include "solver/solver.h"

enum { RH_TRAN_LEVELS = 8, RH_TRAN_LEVELS_LARGE = 3, RH_TRAN_LARGE = 20000 /* unknowns */, RH_TRAN_DEPTH = 48 };

/* A step length and the factorisation for it. */
typedef struct rh_level {
    rheo_solver *s;
    double h; /* s; 0: not factored */
    long used;
} rh_level;

typedef struct rh_cap {
    int a, b, elem;
    double farad;
} rh_cap;

/* The state at one time. */
typedef struct rh_moment {
    double t;
    double *v; /* [n_node] */
    double *i; /* [n_cap] A through the capacitors */
    double *x; /* [n_unknown] for the currents of branches */
} rh_moment;

struct rheo_transient {
    const rheo_circuit *given; /* by the caller */
    const rheo_circuit *c;     /* that, or moving */
    rheo_circuit *moving;      /* with memristors that move; NULL: it has none */
    int *state;                /* [n_elem of given] node of a memristor's state, -1: none; NULL: there is none */
    rheo_transient_def def;
    rheo_circuit *companion; /* every capacitor a learnable conductance, in element order */
    int n_cap, n_level, n_drive;
    rh_cap *cap;   /* [n_cap] */
    rh_wave *wave; /* [n_wave] complete */
    int *drive;    /* [n_drive] elements with a function of time */
    rh_level level[RH_TRAN_LEVELS];
    bool bent;         /* not linear: one level, points by Newton */
    double standard;   /* s: step that its standard pivots are for */
    bool past;         /* mid and next still hold the last step, for guesses */
    double past_h;     /* s: its length */
    bool voltage_loop; /* of capacitors and voltage sources: currents jump at corners */
    /* steps lie on halves of halves of the interval between two corners */
    double begin, end;        /* s: corners */
    uint64_t at;              /* where in the interval, of 2^RH_TRAN_DEPTH */
    double wish;              /* s: next step by the error of the last */
    bool fresh;               /* the currents of capacitors at the beginning of the step are not those of now */
    rh_moment now, mid, next; /* beginning, stage, end of a step */
    rh_moment mix;            /* interpolated */
    bool stepped;             /* mid and next are those of the last step, now its beginning */
    double *value;            /* [n_elem] of the cards, initial states where something learns */
    double *source;           /* [n_elem] */
    double *peak;             /* [n_node] V, largest so far */
    double *b, *inject;       /* [n_unknown]; [n_cap] A beside the capacitors, into their first nodes */
    double *in;               /* [n_node] */
    double *all;              /* [n_elem] A: currents, those of capacitors of states among them */
    long clock;
    rheo_transient_stats stats;
    void *memory;
};

/* memristor.c */
bool rh_any_memristor(const rheo_circuit *c);
/* The same nodes and elements, but memristors with states that move; then a node for each state, held at its value at
 * first, and a capacitor of 1 F from it to ground. Nothing learns any more. state [n_elem]: its node, -1: no memristor.
 */
rheo_status rh_memristors_move(rheo_circuit **out, const rheo_circuit *c, int *state, rheo_error *err);

/* companion.c */
/* On the card of an element: initial states stand in place of what is written. */
double rh_card_now(const rheo_circuit *c, int e);
/* The circuit with capacitors as learnable resistors; held: without them, and with a voltage source of ic[node] from
 * every node that has one to ground. */
rheo_status rh_companion(rheo_circuit **out, const rheo_circuit *c, bool held, rheo_error *err);
/* The same with capacitors and what learns in c as learnable resistors, in element order. */
rheo_status rh_companion_moving(rheo_circuit **out, const rheo_circuit *c, rheo_error *err);
/* Is there a loop through capacitors and voltage sources that has both? */
rheo_status rh_voltage_loop(const rheo_circuit *c, bool *found, rheo_error *err);

/* start.c */
rheo_status rh_start_point(rheo_transient *t, const rheo_log *log, rheo_error *err); /* operating point */
rheo_status rh_start_charged(rheo_transient *t, rheo_error *err);                    /* initial voltages */

/* transient.c */
void rh_sources_at(const rheo_transient *t, double time, double *source);
/* The factorisation for steps of h. */
rheo_status rh_level_for(rheo_transient *t, double h, rh_level **out, rheo_error *err);
/* m->x is a guess where the network is not linear. Potentials and currents with t->inject beside the capacitors and the
 * sources in t->source. */
rheo_status rh_stage(rheo_transient *t, rh_level *l, rh_moment *m, rheo_error *err);

/* currents.c */
void rh_currents(rheo_transient *t, const rh_moment *m, const double *source, double *i);

#endif
