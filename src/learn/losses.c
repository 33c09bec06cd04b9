/* losses.c: what is to become small, and which way that pulls the outputs. A new loss is one row. */
#include "learn/internal.h"

#include <math.h>

/* C = 1/2 sum (target - v)^2, V^2. */
static double squared(const rh_learn_def *def, int n_out, const double *v, const double *target, int label,
                      double *pull) {
    (void)def, (void)label;
    double loss = 0;
    for (int o = 0; o < n_out; o++) {
        pull[o] = target[o] - v[o];
        loss += 0.5 * pull[o] * pull[o];
    }
    return loss;
}

/* What is missing to the margin. With classes: for every wrong output, margin - (v_right - v_wrong). Without: margin -
 * sign(target) v for every output; a target of 0 asks for nothing. */
static double lack_of(const rh_learn_def *def, const double *v, const double *target, int label, int o) {
    if (o == label) return 0;
    if (label >= 0) return fmax(0, def->margin - (v[label] - v[o]));
    return target[o] == 0 ? 0 : fmax(0, def->margin - (target[o] > 0 ? v[o] : -v[o]));
}

static void pull_by(const double *target, int label, int o, double by, double *pull) {
    if (label >= 0) {
        pull[label] += by;
        pull[o] -= by;
    } else {
        pull[o] += target[o] > 0 ? by : -by;
    }
}

/* C = sum of what is missing: it pulls by 1, whatever the distance. */
static double hinge(const rh_learn_def *def, int n_out, const double *v, const double *target, int label,
                    double *pull) {
    double loss = 0;
    for (int o = 0; o < n_out; o++) pull[o] = 0;
    for (int o = 0; o < n_out; o++) {
        const double lack = lack_of(def, v, target, label, o);
        if (!(lack > 0)) continue;
        loss += lack;
        pull_by(target, label, o, 1, pull);
    }
    return loss;
}

/* C = half the sum of its squares: it pulls by what is missing, and not at all where nothing is. */
static double squared_hinge(const rh_learn_def *def, int n_out, const double *v, const double *target, int label,
                            double *pull) {
    double loss = 0;
    for (int o = 0; o < n_out; o++) pull[o] = 0;
    for (int o = 0; o < n_out; o++) {
        const double lack = lack_of(def, v, target, label, o);
        loss += 0.5 * lack * lack;
        if (lack > 0) pull_by(target, label, o, lack, pull);
    }
    return loss;
}

/* C = -log softmax(gain v)[label], outputs as logits. Without labels the targets are the wanted probabilities. */
static double cross_entropy(const rh_learn_def *def, int n_out, const double *v, const double *target, int label,
                            double *pull) {
    double top = v[0], sum = 0, loss = 0;
    for (int o = 1; o < n_out; o++) top = fmax(top, v[o]);
    for (int o = 0; o < n_out; o++) sum += exp(def->logit_gain * (v[o] - top));
    const double log_sum = log(sum);
    for (int o = 0; o < n_out; o++) {
        const double want = label >= 0 ? (o == label) : target[o];
        const double log_p = def->logit_gain * (v[o] - top) - log_sum;
        loss -= want * log_p;
        pull[o] = def->logit_gain * (want - exp(log_p));
    }
    return loss;
}

/* C = 1/2 sum (softmax(gain v) - want)^2. With p the softmax and e = p - want, dC/dv_o = gain p_o (e_o - sum_q e_q
 * p_q). */
static double softmax_squared(const rh_learn_def *def, int n_out, const double *v, const double *target, int label,
                              double *pull) {
    double top = v[0], sum = 0, loss = 0, mean = 0;
    for (int o = 1; o < n_out; o++) top = fmax(top, v[o]);
    for (int o = 0; o < n_out; o++) sum += pull[o] = exp(def->logit_gain * (v[o] - top));
    for (int o = 0; o < n_out; o++) {
        pull[o] /= sum;
        const double miss = pull[o] - (label >= 0 ? (o == label) : target[o]);
        loss += 0.5 * miss * miss;
        mean += miss * pull[o];
    }
    for (int o = 0; o < n_out; o++) {
        const double miss = pull[o] - (label >= 0 ? (o == label) : target[o]);
        pull[o] *= def->logit_gain * (mean - miss);
    }
    return loss;
}

const rh_loss RH_LOSS_TABLE[] = {
    { "squared",
      { "half the squared distance to the target", "for outputs that are to have given voltages" },
      squared },
    { "hinge",
      { "what is missing to the margin",
        "for classes or signs, where each output pulls with the same force until it leads by the margin" },
      hinge },
    { "squared-hinge",
      { "half the square of what is missing to the margin",
        "for classes or signs, where the pull is to fade as the margin is met" },
      squared_hinge },
    { "cross-entropy",
      { "minus the log probability of the right class, outputs as logits",
        "for classes: the first to try; logit_gain is about 1 over the differences of the outputs" },
      cross_entropy },
    { "softmax-squared",
      { "half the squared distance of the softmax of the outputs to the wanted shares",
        "for classes with doubtful labels: what is firmly wrong pulls little" },
      softmax_squared },
};
const char *const RH_LOSSES[] = { "squared", "hinge", "squared-hinge", "cross-entropy", "softmax-squared", NULL };

rh_meaning rh_loss_meaning(int loss) { return RH_LOSS_TABLE[loss].meaning; }
