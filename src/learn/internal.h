/* internal.h: what the files of learn share.
 *
 * In a linear circuit everything that a nudge can do is a mix of few responses. With Z the potentials that 1 A into
 * each output causes, a clamped state is v(h) = v_free + sum_o y_o(h) z_o: y depends on the nudge alone. So one
 * factorisation and 1 + n_out right-hand sides give the free state, every clamped state, and the gradient. */
#ifndef RH_LEARN_INTERNAL_H
#define RH_LEARN_INTERNAL_H

#include "learn/learn.h"

extern const char *const RH_PROTOCOL_NAMES[],
    *const RH_KERNEL_NAMES[]; /* NULL-terminated, in the order of the tables */

enum {
    RH_FEW_GRIP = 3,   /* so few: their responses are kept as drops */
    RH_MAX_CHUNK = 16, /* partial sums of a batch: their number does not depend on threads, so neither do the bytes */
    RH_BLOCK = 8,      /* samples solved together */
    RH_BENT_LEVELS = 9,
    RH_COUNTED = 128, /* steps of Newton: so many and more are not told apart */
};

/* How many operating points took how many steps. */
typedef struct rh_newton_count {
    int64_t n[RHEO_N_NEWTON][RH_COUNTED];
} rh_newton_count;

/* What one thread needs. Arrays of n_edge unless said. */
typedef struct rh_lane {
    rheo_solver *solver;
    bool factored;     /* solver is that of the learner's g */
    bool responded;    /* and so are z and zoo */
    long pivots;       /* n_pivot of lane 0 that this lane follows */
    double *source;    /* [n_elem] */
    double *in;        /* [n_in] */
    double *b, *x;     /* [RH_BLOCK][n_unknown], [RH_BLOCK + n_out][n_unknown] */
    double *zx;        /* [n_grip][n_unknown] responses to 1 A into each grip */
    double *z;         /* [n_grip][n_edge] their drops; NULL with many grips, for which drops follow from potentials */
    double *zt;        /* [n_grip][n_edge] drops of the transposed responses; z itself when the circuit is reciprocal */
    double *dx;        /* [n_unknown] a mix of responses */
    double *zoo;       /* [n_grip][n_grip] grip o for 1 A into grip p: o*n_grip + p */
    double *v_out;     /* [n_out] */
    double *v;         /* [n_node], only where a source fixes one end of an output; else NULL */
    double *pull;      /* [n_out] -dC/dV, V */
    double *grip;      /* [n_grip] V: how far the nudge pulls at each grip */
    double *y, *eta;   /* [RH_MAX_DEGREE + 1][n_grip] A: what the nudge injects at each level, and its coefficients */
    double *lu;        /* [n_grip][n_grip + 1] small dense systems */
    double *free;      /* drops of the free state */
    double *drop;      /* drops of a clamped state, or their change */
    double *coef;      /* [RH_MAX_DEGREE + 1][n_edge] s(h) */
    double *point;     /* [RH_BENT_LEVELS][n_unknown] bent: states at the levels */
    double *level_s;   /* [RH_BENT_LEVELS][n_edge] bent: s(h) - s(0) there */
    double *target;    /* [n_grip] V, bent */
    const double *now; /* [n_unknown] free state of the current sample */
    bool keeps;        /* bent: free states become starts */
    double *way;       /* written on the way between samples */
    double *bracket;   /* of one sample */
    double *work;      /* rh_closed_work */
    bool warned_strong, warned_way;
    double tail;            /* of the last levels: what of s(h) is not known, as a share of its first coefficient */
    bool refined;           /* more of them were needed than at first */
    rh_newton_count newton; /* of the batch */
    rheo_error err;
    rheo_status status;
} rh_lane;

/* Partial sums of one chunk of a batch. */
typedef struct rh_chunk {
    double *bracket, *gradient, *contrastive; /* [n_edge]; the last two with the gauge only */
    double loss;
    double rms;
    long n_right;
    long below, inside, above; /* edges by amplitude */
    long n_levels, n_refined;  /* samples of which s(h) was taken at levels, and those with more of them */
    double tail;               /* the largest */
} rh_chunk;

typedef struct rh_gauge_sum {
    long n_step, n_cos, n_contrastive, n_sample;
    double loss, cos_gradient, cos_contrastive;
    double update2, gradient2; /* sums of squared lengths: where the gradient vanishes a ratio per step would explode */
    double below, inside, above;
    double n_levels, n_refined, tail;
} rh_gauge_sum;

struct rh_learner {
    const rheo_circuit *c;
    rh_learn_def def;
    rh_ports ports;
    rh_samples samples;
    int n_edge, n_out, n_unknown, n_lane;
    /* Where the nudge takes hold: the outputs, or with hold: nodes each free end of them. Responses z, y and zoo are by
     * grips. */
    int n_grip;
    int (*grip)[2];     /* [n_grip] nodes */
    int *grip_out;      /* [n_grip] the output that a grip belongs to */
    double *grip_sign;  /* [n_grip] 1, or -1 at the second node */
    double *grip_share; /* [n_grip] of the pull: 1, or 1/2 where the other end is held too; with the sign */
    bool reciprocal;
    bool bent;                  /* the circuit is not linear: states come from bent.c */
    bool start_each;            /* bent: each sample has a start of its own */
    int n_start;                /* rows of start; the last one is common */
    double *start, *next_start; /* [n_start][1 + n_unknown] bent: where solves begin, behind a mark; [n_unknown] */
    bool fixed_end;             /* a source fixes one end of an output */
    double *g, *next;           /* [n_edge] S */
    double *w, *w_min, *w_max;  /* [n_edge] states before the step and their bounds, where g itself is not the state */
    double *pivot_g;            /* [n_edge] copy for checkpoints */
    double *rate;               /* [n_edge] */
    double factor;              /* of all rates */
    double *momenta;            /* [n_state][n_edge] of the optimizer */
    int64_t *updates;           /* 1: how many there were */
    int *answer;                /* [samples.n] rh_learner_answers */
    rh_lane *lane;              /* [n_lane] */
    rh_chunk *chunk;            /* [RH_MAX_CHUNK] */
    int low_degree;             /* of `cycle`, which serves nearly always: tables of high degree need more intervals */
    rh_closed *cycle,
        *cycle_full;     /* tables of the cycle up to low_degree and up to RH_MAX_DEGREE (conductance nudge only) */
    rh_closed *travel;   /* tables of the way between samples (between: ramp) */
    double moment;       /* |first moment| of the kernel */
    double a_min, a_max; /* V^2: the range that the dead zone passes */
    double to_coef[RH_MAX_DEGREE + 1][(RH_MAX_DEGREE + 1) * (RH_MAX_DEGREE + 1)]; /* rh_basis_transform per degree */
    double level[RH_MAX_DEGREE + 1][RH_MAX_DEGREE + 1]; /* the Chebyshev levels h of each degree */
    rh_carry carry;                                     /* between: ramp and carry */
    double *last;                                       /* [n_edge] drops of the last sample, for the way to the next */
    double *last_in, *next_in;                          /* [n_in] bent: values of its sources, and of the next ones */
    int64_t *started;                                   /* 1: carry holds something */
    const int *first_sample;                            /* of the batch under way */
    rh_gauge_sum *sum;
    rh_newton_count *recent, *all;
    bool rests; /* it was said that the first update moves nothing */
    const rheo_log *log;
    struct rh_team *team; /* NULL: one thread */
    void *memory;         /* all arrays above */
};

/* ---- optimizers.c ---- */
typedef struct rh_update {
    int n;                            /* edges */
    int64_t count;                    /* updates so far, this one included */
    double share;                     /* bracket * share is the gradient as the rule sees it, V^2/S */
    double factor;                    /* of the schedule */
    const double *rate, *bracket, *g; /* [n] */
    const double *lo, *hi;            /* [n] bounds */
    double *next;                     /* [n] not yet held to the bounds */
    double *state;                    /* [n_state][n] */
} rh_update;
typedef struct rh_optimizer {
    const char *name;
    rh_meaning meaning;
    int n_state;
    void (*step)(const rh_learn_def *def, const rh_update *u);
} rh_optimizer;
extern const rh_optimizer RH_OPTIMIZER_TABLE[];

/* ---- states.c ---- */
typedef struct rh_state_kind {
    const char *name;
    rh_meaning meaning;
    /* bound: of the conductance g. */
    double (*of)(double g, const double bound[2]);    /* the state w */
    double (*to)(double w, const double bound[2]);    /* and back */
    double (*slope)(double g, const double bound[2]); /* dg/dw */
} rh_state_kind;
extern const rh_state_kind RH_STATE_TABLE[];
rheo_status rh_states_open(rh_learner *l, rheo_error *err); /* bounds of the states */
/* Before a step: w from g, and what was summed up by g becomes what it is by w. After it: next from w to g, within
 * bounds. */
void rh_states_enter(rh_learner *l, rh_chunk *sum);
void rh_states_leave(rh_learner *l);

/* ---- schedules.c ---- */
typedef struct rh_schedule {
    const char *name;
    rh_meaning meaning;
    double (*factor)(const rh_learn_def *def, double epoch, double n_epoch);
} rh_schedule;
extern const rh_schedule RH_SCHEDULE_TABLE[];

/* ---- losses.c ---- */
typedef struct rh_loss {
    const char *name;
    rh_meaning meaning;
    /* Loss of one sample and pull [n_out] = -dC/dV, from the outputs v [n_out]. label -1: none. */
    double (*eval)(const rh_learn_def *def, int n_out, const double *v, const double *target, int label, double *pull);
} rh_loss;
extern const rh_loss RH_LOSS_TABLE[];

/* ---- nudges.c ---- */
typedef struct rh_nudge {
    const char *name;
    rh_meaning meaning;
    bool linear; /* y is proportional to h */
    /* y [n_grip] A at level h. RHEO_E_SINGULAR when the nudged circuit has no unique solution. */
    rheo_status (*inject)(const rh_learner *l, rh_lane *w, double h, double *y, rheo_error *err);
} rh_nudge;
extern const rh_nudge RH_NUDGE_TABLE[];

/* ---- rules.c ---- */
typedef struct rh_rule {
    const char *name;
    rh_meaning meaning;
    /* w holds free drops, z, pull: fill w->bracket [n_edge], so that dw = -rate/strength * bracket. */
    rheo_status (*bracket)(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err);
} rh_rule;
extern const rh_rule RH_RULE_TABLE[];

/* What the loss pulls at a grip: the output's pull with the sign of the node. */
static inline double rh_grip_pull(const rh_learner *l, const rh_lane *w, int grip) {
    return l->grip_sign[grip] * w->pull[l->grip_out[grip]];
}

/* ---- phase.c: states of the network at given clamping levels ---- */
/* Change of the drops for the injected y [n_grip]: drop [n_edge]. */
void rh_phase_change(const rh_learner *l, const rh_lane *w, const double *y, double *drop);
/* s(h) - s(0) for the change d: 1/2 (f + d)^2 - 1/2 f^2, without cancellation. */
static inline double rh_contrast(double f, double d) { return d * (f + 0.5 * d); }
/* Coefficients of s(h) for every edge; returns their number, 0 on failure (err). */
int rh_phase_levels(rh_learner *l, rh_lane *w, rheo_error *err);
/* Exact gradient dC/dg into out [n_edge], from pull, zt and free. */
rheo_status rh_phase_gradient(const rh_learner *l, rh_lane *w, double *out, rheo_error *err);
/* Amplitude of the drops at the frequency of an error current strength * pull: out [n_edge]. */
rheo_status rh_phase_lock_in(rh_learner *l, rh_lane *w, double *out, rheo_error *err);
/* Two-phase bracket of the given nudge row. */
rheo_status rh_phase_contrast(rh_learner *l, rh_lane *w, double h, double *out, rheo_error *err);

/* ---- bent.c: the same for circuits that are not linear ---- */
void rh_bent_layout(rh_learner *l, rh_lane *w, rh_arena *a);
size_t rh_bent_start_row(const rh_learner *l);
rheo_status rh_bent_factor(rh_learner *l, rh_lane *w, rheo_error *err);
/* Free state of a sample whose inputs are set: x [n_unknown]. first: of the batch. */
rheo_status rh_bent_solve(rh_learner *l, rh_lane *w, int sample, double *x, bool first, rheo_error *err);
void rh_bent_commit(rh_learner *l);
int rh_bent_levels(rh_learner *l, rh_lane *w, rheo_error *err);
/* The same of the way from the last sample, from its inputs l->last_in and drops l->last: 0 is failure, see err. */
int rh_bent_way(rh_learner *l, rh_lane *w, rheo_error *err);
rheo_status rh_bent_contrast(rh_learner *l, rh_lane *w, double h, double *out, rheo_error *err);
rheo_status rh_bent_lock_in(rh_learner *l, rh_lane *w, double *out, rheo_error *err);
rheo_status rh_bent_gradient(const rh_learner *l, rh_lane *w, double *out, rheo_error *err);
rheo_status rh_bent_responses(const rh_learner *l, rh_lane *w, rheo_error *err);

/* tune.c: three digits, as people type them. */
double rh_rounded(double x);

/* ---- team.c: threads that wait for work ---- */
typedef struct rh_team rh_team;
rheo_status rh_team_create(rh_team **out, int n, rheo_error *err); /* n >= 2: the caller is member 0 */
void rh_team_run(rh_team *t, void (*work)(void *ctx, int member),
                 void *ctx); /* returns when all are done; t NULL: member 0 only */
void rh_team_destroy(rh_team *t);

/* ---- lane.c ---- */
rheo_status rh_lane_factor(rh_learner *l, rh_lane *w, rheo_error *err); /* factors of l->g */
/* The responses z and zoo, unless they are there: the first rh_lane_solve after rh_lane_factor makes them as well. */
rheo_status rh_lane_respond(rh_learner *l, rh_lane *w, rheo_error *err);
/* Solve samples [n <= RH_BLOCK] at once; then rh_lane_sample makes one of them current: free drops, outputs. */
rheo_status rh_lane_solve(rh_learner *l, rh_lane *w, const int *sample, int n, rheo_error *err);
void rh_lane_sample(rh_learner *l, rh_lane *w, const int *sample, int i);
/* The outputs alone, when nothing is learned. */
void rh_lane_outputs(rh_learner *l, rh_lane *w, const int *sample, int i);
/* Difference over grip o of potentials x among the unknowns; a fixed node adds nothing. */
double rh_lane_grip(const rh_learner *l, const rh_lane *w, const double *x, int o);
/* Loss of the current sample, pull; adds to the chunk's score. */
void rh_lane_loss(const rh_learner *l, rh_lane *w, int sample, rh_chunk *k);

/* learner.c: counts together, and what they say. */
void rh_newton_add(rh_newton_count *sum, const rh_newton_count *more);
rheo_newton rh_newton_summary(const int64_t n[RH_COUNTED]);
/* learner.c: from what edges feel, as slopes by their conductance, to slopes by their state: those that conduct less
 * when it rises change sign. Its size is left out, as a circuit would leave it out. */
void rh_learner_turn(const rh_learner *l, double *x);

#endif
