/* machine: the whole learning network as hardware, in time.
 *
 * The closed form of learn keeps conductances fixed during a cycle. Here they move while the tooth moves, as in a
 * circuit: potentials, memories and stored conductances advance together through a timetable of slots, one sample each.
 * The equations are those of the exported deck. Data passes once per point in time: timetable -> sources, nudge ->
 * network -> drops -> s -> memory -> u -> pump -> stored conductance.
 *
 *     i(g, sources, nudge) = 0  or  C dv/dt      s = drop^2/2       x' = M x + b s,  u = c.x + d s
 *     dw/dt = -K en g(u) - (w - clip(w))/rail - w/leak              g = clip(w, min, max),  K = rate/(strength moment)
 */
#ifndef RH_MACHINE_H
#define RH_MACHINE_H

#include "learn/learn.h"

/* Parts that every machine has, in the deck as well. */
#define RH_STORE_FARAD 100e-9 /* F: storage */
#define RH_STORE_OHM 1e12     /* ohm: what it leaks through: a film capacitor that forgets in 1e5 s */
#define RH_RAIL_SIEMENS 1e-3  /* S: what holds it beyond its bounds */
#define RH_RIM 0.02   /* the dead zone opens over this share of the threshold, as a comparator of gain 50/threshold */
#define RH_DWELL 25.0 /* memory times: what is left of a jump is below 1e-10 */

enum {
    RH_CODE_MACHINE = 370, /* a setting that no such machine has */
    RH_CODE_SHORT = 371,   /* steps became too short */
};

/* ---- timing.c: one slot per sample: dwell, move, dwell, tooth, dwell ---- */

typedef struct rh_timing {
    double dwell, move, rise, flat, fall; /* s */
    double shut;                          /* how long the gate takes to close once the tooth has ended */
    double tooth;                         /* where the tooth begins in its slot */
    double period;                        /* of a slot */
    bool gate;                            /* learning is off while samples change */
    bool jump;                            /* samples change at once, at the beginning of the slot */
} rh_timing;

/* Who asks: the code of the message, and what cannot be done. */
typedef struct rh_purpose {
    int code;
    const char *verb;
} rh_purpose;
extern const rh_purpose RH_IN_TIME;
/* The first setting that no machine in time has goes to err. */
rheo_status rh_timing_check(const rh_learn_def *d, const rh_purpose *why, rheo_error *err);
void rh_timing_build(const rh_learn_def *d, rh_timing *t);

/* Values at a corner; between two corners they are linear. */
typedef struct rh_corner {
    double t;    /* s, in the slot */
    double move; /* 0: the sample before, 1: that of the slot */
    double saw;  /* level of the nudge */
    double on;   /* share of the pump's current that flows */
} rh_corner;
enum { RH_MAX_CORNER = 14 };
/* first: the slot of the first tooth, in which the machine is switched on. Returns their number; times rise strictly.
 */
int rh_timing_corners(const rh_timing *t, bool first, rh_corner out[RH_MAX_CORNER]);

/* ---- machine.c ---- */

typedef struct rh_machine rh_machine;
typedef struct rh_machine_stats {
    long n_slot, n_step, n_reject; /* slots; steps accepted, and thrown away because of their error */
    long n_point, n_factor;        /* operating points; factorisations */
    long n_crossing;               /* times at which an edge entered or left its dead zone */
} rh_machine_stats;

/* What a step was made of, for pictures: values at n points in time, [point][n_edge]. Lent until the next step. */
typedef struct rh_scene {
    int n;
    const double *t;     /* [n] s since the machine began */
    const double *level; /* [n] of the nudge */
    const double *on;    /* [n] share of the pump's current that flows */
    const double *s, *u; /* V^2, V^2/s */
    const double *w;     /* S, stored */
} rh_scene;

/**
 * @param tolerance  error of the stored conductances in one step, relative
 * @param rest       sample that the machine has been shown for ever when it begins
 * @param idle       s that have passed since conductances were stored: they have leaked a little
 * @return RHEO_OK, RHEO_E_USAGE (settings that no such machine has), RHEO_E_SINGULAR, RHEO_E_NOMEM ...
 * c, ports and samples are lent.
 */
rheo_status rh_machine_open(rh_machine **out, const rheo_circuit *c, const rh_learn_def *def, double tolerance,
                            const rheo_solver_def *solver, const rh_ports *ports, const rh_samples *samples, int rest,
                            double idle, const rheo_log *log, rheo_error *err);
void rh_machine_close(rh_machine *m);
/* One slot. Allocates nothing. After a failure the machine can only be closed. */
rheo_status rh_machine_slot(rh_machine *m, int sample, rheo_error *err);
int rh_machine_n_edge(const rh_machine *m);
/* Conductances [n_edge] S; what is stored [n_edge], which may be a little beyond the bounds. Lent. */
const double *rh_machine_g(const rh_machine *m);
const double *rh_machine_stored(const rh_machine *m);
/* Half the squared error of the free network just before the last tooth, V^2. */
double rh_machine_loss(const rh_machine *m);
rh_machine_stats rh_machine_statistics(const rh_machine *m);
/* Called after every step that was accepted. NULL: nobody. */
void rh_machine_watch(rh_machine *m, void (*see)(void *user, const rh_scene *scene), void *user);
/* As rh_learner_blocks and rh_learner_restore. */
int rh_machine_blocks(rh_machine *m, rh_block out[RH_MAX_BLOCK]);
rheo_status rh_machine_restore(rh_machine *m, rheo_error *err);

#endif
