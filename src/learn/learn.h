/* learn: rules, nudges, losses and the learner that turns samples into changes of conductance.
 *
 * Data passes once: sample -> free solve -> pull on the outputs -> drops at clamping level h -> s(h) -> memory -> dw ->
 * bounds. */
#ifndef RH_LEARN_H
#define RH_LEARN_H

#include "memory/memory.h"
#include "solver/solver.h"

/* Settings. Index fields are rows of the tables below. */
typedef struct rh_learn_def {
    int rule;                /* RH_RULES */
    int state;               /* RH_STATES: what is stored where a conductance learns */
    double rate;             /* sgd: dw = -rate/strength * bracket; S per V^2 times the unit of strength. adam: S */
    const double *edge_rate; /* [n_edge] instead of rate, lent until a learner is open; NULL: rate for all */
    int optimizer;           /* RH_OPTIMIZERS */
    int taps;                /* of `taps`: values evenly spread over the bounds */
    double momentum;         /* share of the last step that goes on */
    double beta1, beta2;     /* adam: shares of the old means */
    double epsilon;          /* adam: what is added to the size of the gradient, V^2/S */
    /* Charging law of gates: dV = pulse/(R C V_0) (V_free^2 - V_clamped^2). Its rate stands in rate or edge_rate; these
     * are what it was made of. 0: not given */
    double resistance, capacitance, v0, pulse; /* ohm, F, V, s */
    int schedule;                              /* RH_SCHEDULES */
    double decay, final;                       /* exponential, step: factor; cosine: share of the rate at the end */
    int every;                                 /* step: epochs */
    int nudge;                                 /* RH_NUDGES */
    int hold;                                  /* RH_HOLDS: difference, nodes (voltage nudge) */
    double strength;        /* conductance: S; current: A/V; voltage: 1 (share of the way to the target) */
    int loss;               /* RH_LOSSES */
    double margin;          /* V, hinge */
    double logit_gain;      /* 1/V, cross-entropy and softmax-squared */
    int side;               /* RH_SIDES: one, centered (eqprop) */
    int protocol;           /* RH_PROTOCOLS */
    double fast, slow;      /* s */
    int between;            /* RH_BETWEENS: gate, ramp, periodic, carry */
    double ramp;            /* s, between: ramp */
    int kernel;             /* RH_KERNELS */
    double par[RH_MAX_PAR]; /* of the kernel, in the order of its fields */
    double threshold;       /* V^2/s */
    int nonlinearity;       /* RH_NONLINEARITIES */
    int threads;            /* for batches; results do not depend on it */
    bool gauge;             /* compare every update with the exact gradient */
} rh_learn_def;
/* Field tables of the YAML blocks, offsets into rh_learn_def. */
extern const rh_field RH_LEARNING_FIELDS[]; /* optimizer rate rule loss margin logit_gain side ... */
extern const int RH_N_LEARNING_FIELD;
extern const rh_field RH_NUDGE_FIELDS[]; /* kind strength */
extern const int RH_N_NUDGE_FIELD;
extern const rh_field RH_SCHEDULE_FIELDS[]; /* kind decay final every */
extern const int RH_N_SCHEDULE_FIELD;
extern const rh_field RH_CHARGING_FIELDS[]; /* resistance capacitance v0 pulse */
extern const int RH_N_CHARGING_FIELD;
extern const rh_field RH_PROTOCOL_FIELDS[]; /* kind fast slow between ramp */
extern const int RH_N_PROTOCOL_FIELD;
extern const rh_field RH_MEMORY_FIELDS[]; /* kind threshold nonlinearity (and the kernel's own fields) */
extern const int RH_N_MEMORY_FIELD;
void rh_learn_default(rh_learn_def *def);
/* The rate that the charging law is: V/V^2 times the unit of strength. NaN without one. */
double rh_charging_rate(const rh_learn_def *def);

enum {
    RH_RULE_TCL,
    RH_RULE_CONTRASTIVE,
    RH_RULE_COUPLED,
    RH_RULE_EQPROP,
    RH_RULE_HOLOMORPHIC,
    RH_RULE_FREQUENCY,
    RH_RULE_HEBBIAN,
    RH_RULE_GRADIENT
};
enum { RH_NUDGE_CONDUCTANCE, RH_NUDGE_CURRENT, RH_NUDGE_VOLTAGE };
enum { RH_LOSS_SQUARED, RH_LOSS_HINGE, RH_LOSS_SQUARED_HINGE, RH_LOSS_CROSS_ENTROPY, RH_LOSS_SOFTMAX_SQUARED };
enum { RH_OPTIMIZER_SGD, RH_OPTIMIZER_MOMENTUM, RH_OPTIMIZER_ADAM, RH_OPTIMIZER_SIGN, RH_OPTIMIZER_TAPS };
enum { RH_SCHEDULE_CONSTANT, RH_SCHEDULE_EXPONENTIAL, RH_SCHEDULE_COSINE, RH_SCHEDULE_STEP };
enum { RH_STATE_CONDUCTANCE, RH_STATE_EXPONENTIAL, RH_STATE_WIPER };
enum { RH_HOLD_DIFFERENCE, RH_HOLD_NODES };
enum { RH_BETWEEN_GATE, RH_BETWEEN_RAMP, RH_BETWEEN_PERIODIC, RH_BETWEEN_CARRY };
extern const char *const RH_HOLDS[],
    *const RH_RULES[], *const RH_NUDGES[], *const RH_LOSSES[], *const RH_SIDES[],
                                                                   *const RH_BETWEENS[],
                                                                       *const RH_OPTIMIZERS[],
                                                                           *const RH_SCHEDULES[]; /* NULL-terminated */
extern const char *const RH_STATES[];                                                             /* NULL-terminated */
/* Rows of those tables, by index. */
rh_meaning rh_rule_meaning(int rule);
rh_meaning rh_nudge_meaning(int nudge);
rh_meaning rh_loss_meaning(int loss);
rh_meaning rh_side_meaning(int side);
rh_meaning rh_between_meaning(int between);
rh_meaning rh_optimizer_meaning(int optimizer);
rh_meaning rh_state_meaning(int state);
rh_meaning rh_schedule_meaning(int schedule);
/* Factor of all rates in an epoch, from 0, of n_epoch. */
double rh_schedule_factor(const rh_learn_def *d, int64_t epoch, int64_t n_epoch);

/* Where a task touches the circuit. */
typedef struct rh_ports {
    int n_in;
    const int *in_elem;    /* [n_in] V or I element that the input drives */
    const double *in_sign; /* [n_in] +1 or -1: the element's value is sign * input */
    int n_out;
    const int (*out)[2]; /* [n_out] nodes a, b: the output is v[a] - v[b]; b = 0 for a plain node */
} rh_ports;

/* Lent arrays; must outlive the learner. */
typedef struct rh_samples {
    int n;
    const double *in;     /* [n][n_in] V or A; NULL: asked for by input */
    const double *target; /* [n][n_out] V */
    const int *label;     /* [n] class = index of the winning output, or NULL when there are no classes */
    void (*input)(const void *ctx, int sample, double *in); /* in [n_in]; from several threads at once */
    const void *ctx;
} rh_samples;

typedef struct rh_score {
    double loss;     /* mean over samples */
    double rms;      /* root mean square of target - output over samples and outputs, V; NaN with labels only */
    long n, n_right; /* samples, and those that came out right: largest output is the label's; without labels the sign
                        of every output is that of its target, where that is not 0 */
} rh_score;

/* Collected over the steps since the last reset. NaN where nothing was collected. */
typedef struct rh_gauge {
    long n_step;
    double loss;            /* mean, before each update */
    double cos_gradient;    /* mean cosine of the update with minus the exact gradient */
    double norm_ratio;      /* |update| / (rate |gradient|), lengths as root mean squares */
    double cos_contrastive; /* mean cosine with the two-phase update of the same nudge */
    double inside;          /* tcl, dead-zone: share of edges with A_min <= |A| <= A_max */
    double below, above;    /* and outside, below A_min and above A_max */
    double refined;         /* tcl: share of samples whose s(h) needed more levels than at first */
    double tail;            /* tcl: what of s(h) is not known at most, the last coefficient over the first */
} rh_gauge;

typedef struct rh_learner rh_learner;
/**
 * @param samples, ports   lent; c too. Input elements and nodes are checked by the caller
 * @return RHEO_OK, RHEO_E_SINGULAR, RHEO_E_RANGE, RHEO_E_USAGE (settings that do not go together), RHEO_E_NOMEM
 */
rheo_status rh_learner_open(rh_learner **out, const rheo_circuit *c, const rh_learn_def *def,
                            const rheo_solver_def *solver, const rh_ports *ports, const rh_samples *samples,
                            const rheo_log *log, rheo_error *err);
void rh_learner_close(rh_learner *l);
/* Factor of all rates from now on: rh_schedule_factor. It is 1 at first. */
void rh_learner_factor(rh_learner *l, double factor);
/* One update from n samples (indices into samples): mean over them. On failure conductances are as they were. Allocates
 * nothing. */
rheo_status rh_learner_step(rh_learner *l, const int *sample, int n, rheo_error *err);
/* What one such step would go by, from the samples' mean and by the states: the exact gradient and what the rule takes
 * for it (bracket/strength), [n_edge] each. Conductances stay. Needs def.gauge. */
rheo_status rh_learner_slopes(rh_learner *l, const int *sample, int n, double *gradient, double *rule, rheo_error *err);
/* look.c: the update of tcl beside that of two phases, summed over samples, and the edges that the dead zone does not
 * pass. */
typedef struct rh_look {
    double cosine;        /* of both updates; 0: tcl writes nothing; NaN: there is nothing to learn */
    double length;        /* of that of tcl over that of two phases */
    int n_above, n_below; /* edges above a_max or below a_min in any of the samples */
    double above, below;  /* and their share of the squared two-phase updates */
    double threshold;     /* V^2/s: what puts the upper end just above the largest amplitude; NaN: the
                             ramps are too much alike for any */
} rh_look;
/* For rule tcl with a dead zone, between: gate. Conductances stay. */
rheo_status rh_learner_look(rh_learner *l, const int *sample, int n, rh_look *out, rheo_error *err);
/* Free network only. */
rheo_status rh_learner_evaluate(rh_learner *l, const int *sample, int n, rh_score *score, rheo_error *err);
/* Was it said that the first update moves nothing? */
bool rh_learner_rests(const rh_learner *l);
/* What came out of each sample [n] when it was last solved for: the index of the largest output; without labels,
 * whether the signs were right. Lent. */
const int *rh_learner_answers(const rh_learner *l);
/* Outputs of one sample: out [n_out]. */
rheo_status rh_learner_output(rh_learner *l, int sample, double *out, rheo_error *err);
void rh_learner_gauge(const rh_learner *l, rh_gauge *out);
void rh_learner_gauge_reset(rh_learner *l);
/* Steps of Newton since the last reset of the gauge, and since the learner was opened. */
void rh_learner_newton(const rh_learner *l, rheo_newton recent[RHEO_N_NEWTON], rheo_newton all[RHEO_N_NEWTON]);
/* One sample was learned elsewhere; its loss before that. */
void rh_learner_note(rh_learner *l, double loss);
/* g [n_edge] S, lent, may be written before the first step (then call rh_learner_touch). */
double *rh_learner_g(rh_learner *l);
void rh_learner_touch(rh_learner *l);
/* The state of edge k, which may differ from its conductance (learning.state); its volts at a gate. */
double rh_learner_state(const rh_learner *l, int k);
void rh_learner_set_state(rh_learner *l, int k, double w); /* not held to the bounds */
double rh_learner_slope(const rh_learner *l, int k);       /* dg/dw */
rheo_solver_stats rh_learner_stats(const rh_learner *l);

/* Everything that an identical continuation needs, as named blocks of bytes inside the learner (lent, fixed in number
 * and size). */
typedef struct rh_block {
    const char *name;
    void *data;
    size_t bytes;
} rh_block;
enum { RH_MAX_BLOCK = 12 };
int rh_learner_blocks(rh_learner *l, rh_block out[RH_MAX_BLOCK]); /* fills in fresh data first; returns the count */
rheo_status rh_learner_restore(rh_learner *l,
                               rheo_error *err); /* call after the blocks were overwritten by saved ones */

/* tune.c: proposals from the amplitudes that the first samples cause. */
typedef struct rh_tuning {
    rh_learn_def def; /* with threshold, fast, slow, tau (first kernel parameter family) and strength replaced */
    double a_small, a_median, a_large; /* V^2: 10 %, 50 %, largest |s_clamped - s_free| */
    double linearity;                  /* how far the nudged outputs go, as a share of the way to the target */
    char why[8][240];                  /* one sentence per proposal, "" at the end */
} rh_tuning;
rheo_status rh_tune(rh_learner *l, const int *sample, int n, double max_ratio, rh_tuning *out, rheo_error *err);

#endif
