/* fields.c: the settings of learning as tables. Readers, range errors, `rheo kinds` and the resolved config walk them.
 */
#include "learn/internal.h"

#include <math.h>

/* In the order of RH_PROTOCOLS and RH_KERNELS: a test compares them. */
const char *const RH_PROTOCOL_NAMES[] = { "sawtooth", "triangle", "square", NULL };
const char *const RH_KERNEL_NAMES[] = { "leaky-integrator", "integral-feedback", "chemotaxis", NULL };
const char *const RH_HOLDS[] = { "difference", "nodes", NULL };
const char *const RH_SIDES[] = { "one", "centered", NULL };
const char *const RH_BETWEENS[] = { "gate", "ramp", "periodic", "carry", NULL };

static const rh_meaning SIDES[] = {
    { "s(1) - s(0)", "for one state less to solve for" },
    { "(s(1) - s(-1))/2", "for large nudges: what is quadratic in the nudge cancels" },
};
static const rh_meaning BETWEENS[] = {
    [RH_BETWEEN_GATE] = { "learning is off while the memory settles",
                          "for machines with a gate per edge, and for single samples" },
    [RH_BETWEEN_RAMP] = { "inputs move slowly, learning stays on",
                          "for machines without gates: as slow as the dead zone needs it" },
    [RH_BETWEEN_PERIODIC] = { "each sample starts in its periodic steady state",
                              "for a sample that is shown for many cycles" },
    [RH_BETWEEN_CARRY] = { "nothing is done about it", "as the control: the jump between samples is written, too" },
};
rh_meaning rh_side_meaning(int side) { return SIDES[side]; }
rh_meaning rh_between_meaning(int between) { return BETWEENS[between]; }

#define AT(member) offsetof(rh_learn_def, member)
/* clang-format off */
const rh_field RH_LEARNING_FIELDS[] = {
    /* name        unit     default  min    max   meaning                                                       where */
    { "optimizer",  "",      0,       0,     4,    "how a gradient becomes a step",                               AT(optimizer),  RH_CHOICE, RH_OPTIMIZERS },
    { "state",      "",      0,       0,     2,    "what is stored where a conductance learns",                   AT(state),      RH_CHOICE, RH_STATES },
    { "rate",       "S/V^2", 0.1,     0,     1e30, "dw = -rate/strength * bracket; adam: size of a step, S",      AT(rate),       RH_DOUBLE, NULL },
    { "momentum",   "",      0.9,     0,     0.9999, "momentum: share of the last step that goes on",             AT(momentum),   RH_DOUBLE, NULL },
    { "beta1",      "",      0.9,     0,     0.9999, "adam: share of the old mean of the gradient",               AT(beta1),      RH_DOUBLE, NULL },
    { "beta2",      "",      0.999,   0,     0.999999, "adam: share of the old mean of its square",               AT(beta2),      RH_DOUBLE, NULL },
    { "epsilon",    "V^2/S", 1e-8,    1e-150, 1e30, "adam: added to the size of the gradient",                    AT(epsilon),    RH_DOUBLE, NULL },
    { "taps",       "",      128,     2,     65536, "taps: values that a state may have, evenly spread",      AT(taps),       RH_INT,    NULL },
    { "rule",       "",      0,       0,     7,    "what turns s into a change of w",                             AT(rule),       RH_CHOICE, RH_RULES },
    { "loss",       "",      0,       0,     4,    "what is to become small",                                     AT(loss),       RH_CHOICE, RH_LOSSES },
    { "margin",     "V",     0.1,     0,     1e9,  "hinge: how far the right output must lead",                   AT(margin),     RH_DOUBLE, NULL },
    { "logit_gain", "1/V",   10,      1e-9,  1e9,  "losses with a softmax: logits per volt",                       AT(logit_gain), RH_DOUBLE, NULL },
    { "side",       "",      0,       0,     1,    "eqprop: nudge one way or both",                               AT(side),       RH_CHOICE, RH_SIDES },
};
const rh_field RH_NUDGE_FIELDS[] = {
    { "kind",       "",      0,       0,     2,    "how the outputs are pulled",                                  AT(nudge),      RH_CHOICE, RH_NUDGES },
    { "hold",       "",      0,       0,     1,    "voltage, pairs: a source between both nodes, or one at each", AT(hold),       RH_CHOICE, RH_HOLDS },
    { "strength",   "",      0.1,     1e-30, 1e30, "conductance: S; current: A/V; voltage: share of the way",     AT(strength),   RH_DOUBLE, NULL },
};
const rh_field RH_SCHEDULE_FIELDS[] = {
    { "kind",       "",      0,       0,     3,    "factor of all rates over the epochs",                         AT(schedule),   RH_CHOICE, RH_SCHEDULES },
    { "decay",      "",      0.99,    1e-6,  1,    "exponential: factor per epoch; step: per stair",              AT(decay),      RH_DOUBLE, NULL },
    { "final",      "",      0.1,     0,     1,    "cosine: share of the rate at the end",                        AT(final),      RH_DOUBLE, NULL },
    { "every",      "",      10,      1,     1e9,  "step: epochs per stair",                                      AT(every),      RH_INT,    NULL },
};
const rh_field RH_CHARGING_FIELDS[] = {
    { "resistance",  "ohm",  0,       1e-3,  1e12, "through which gates are charged",                             AT(resistance),  RH_DOUBLE, NULL },
    { "capacitance", "F",    0,       1e-18, 1e3,  "of a gate",                                                   AT(capacitance), RH_DOUBLE, NULL },
    { "v0",          "V",    0,       1e-9,  1e9,  "of the multipliers: what V^2 is divided by",                  AT(v0),          RH_DOUBLE, NULL },
    { "pulse",       "s",    0,       1e-15, 1e9,  "how long an update charges",                                  AT(pulse),       RH_DOUBLE, NULL },
};
const rh_field RH_PROTOCOL_FIELDS[] = {
    { "kind",       "",      0,       0,     2,    "how the clamping level moves over a cycle",                   AT(protocol),   RH_CHOICE, RH_PROTOCOL_NAMES },
    { "fast",       "s",     1e-3,    1e-15, 1e9,  "rise from free to clamped",                                   AT(fast),       RH_DOUBLE, NULL },
    { "slow",       "s",     50e-3,   1e-15, 1e9,  "fall from clamped to free",                                   AT(slow),       RH_DOUBLE, NULL },
    { "between",    "",      0,       0,     3,    "what happens when the sample changes",                        AT(between),    RH_CHOICE, RH_BETWEENS },
    { "ramp",       "s",     50e-3,   1e-15, 1e9,  "between: ramp, how long the inputs take",                     AT(ramp),       RH_DOUBLE, NULL },
};
const rh_field RH_MEMORY_FIELDS[] = {
    { "kind",         "",      0,     0,     2,    "the kernel",                                                  AT(kernel),     RH_CHOICE, RH_KERNEL_NAMES },
    { "threshold",    "V^2/s", 1e-3,  0,     1e30, "dead zone: u smaller than this writes nothing",               AT(threshold),  RH_DOUBLE, NULL },
    { "nonlinearity", "",      0,     0,     2,    "what u writes",                                               AT(nonlinearity), RH_CHOICE, RH_NONLINEARITIES },
};
/* clang-format on */
const int RH_N_LEARNING_FIELD = RH_COUNT(RH_LEARNING_FIELDS);
const int RH_N_NUDGE_FIELD = RH_COUNT(RH_NUDGE_FIELDS);
const int RH_N_SCHEDULE_FIELD = RH_COUNT(RH_SCHEDULE_FIELDS);
const int RH_N_CHARGING_FIELD = RH_COUNT(RH_CHARGING_FIELDS);
const int RH_N_PROTOCOL_FIELD = RH_COUNT(RH_PROTOCOL_FIELDS);
const int RH_N_MEMORY_FIELD = RH_COUNT(RH_MEMORY_FIELDS);

/* With s = V^2/2: dV = -rate/strength (s_clamped - s_free). */
double rh_charging_rate(const rh_learn_def *d) {
    if (!(d->pulse > 0)) return NAN;
    return 2 * d->strength * (d->pulse / (d->resistance * d->capacitance)) / d->v0;
}

void rh_learn_default(rh_learn_def *def) {
    *def = (rh_learn_def){ 0 };
    rh_fields_default(RH_LEARNING_FIELDS, RH_N_LEARNING_FIELD, def);
    rh_fields_default(RH_NUDGE_FIELDS, RH_N_NUDGE_FIELD, def);
    rh_fields_default(RH_SCHEDULE_FIELDS, RH_N_SCHEDULE_FIELD, def);
    rh_fields_default(RH_PROTOCOL_FIELDS, RH_N_PROTOCOL_FIELD, def);
    rh_fields_default(RH_MEMORY_FIELDS, RH_N_MEMORY_FIELD, def);
    const rh_kernel *k = RH_KERNELS[def->kernel];
    for (int i = 0; i < k->n_field; i++) def->par[i] = k->fields[i].def;
    def->threads = 1;
}
