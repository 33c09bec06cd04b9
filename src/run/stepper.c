/* stepper.c: the two engines that an experiment can name. */
#include "run/stepper.h"

/* ---- closed ---- */

static rheo_status closed_step(void *state, rh_learner *l, const int *sample, int n, rheo_error *err) {
    (void)state;
    return rh_learner_step(l, sample, n, err);
}

const rh_stepper RH_STEP_CLOSED = { .name = "closed", .step = closed_step };

/* ---- transient ---- */

void rh_learner_take(rh_learner *l, const double *g, int n_edge) {
    memcpy(rh_learner_g(l), g, sizeof(double) * (size_t)n_edge);
    rh_learner_touch(l);
}

rheo_status rh_experiment_machine(rh_machine **out, const rheo_experiment *x, const rheo_log *log, rheo_error *err) {
    const rh_ports ports = rh_experiment_ports(x);
    const rh_samples samples = rh_experiment_samples(x);
    rheo_solver_def solver = rheo_solver_default();
    if (x->backend) solver.backend = x->backend;
    rh_timing timing;
    RHEO_TRY(rh_timing_check(&x->learn, &RH_IN_TIME, err));
    rh_timing_build(&x->learn, &timing);
    const int n_scored = rh_experiment_n_scored(x);
    return rh_machine_open(out, x->circuit, &x->learn, x->engine.tolerance, &solver, &ports, &samples,
                           x->task.train[n_scored - 1], n_scored * timing.period, log, err);
}

static rheo_status transient_open(void **state, const rheo_experiment *x, rh_learner *l, void *given,
                                  const rheo_log *log, rheo_error *err) {
    (void)l, (void)given;
    rh_machine *m = NULL;
    RHEO_TRY(rh_experiment_machine(&m, x, log, err));
    *state = m;
    return RHEO_OK;
}

static rheo_status transient_step(void *state, rh_learner *l, const int *sample, int n, rheo_error *err) {
    for (int i = 0; i < n; i++) {
        RHEO_TRY(rh_machine_slot(state, sample[i], err));
        rh_learner_note(l, rh_machine_loss(state));
    }
    rh_learner_take(l, rh_machine_g(state), rh_machine_n_edge(state));
    return RHEO_OK;
}

static int transient_blocks(void *state, rh_block *out) { return rh_machine_blocks(state, out); }
static rheo_status transient_restore(void *state, rheo_error *err) { return rh_machine_restore(state, err); }
static void transient_close(void *state) { rh_machine_close(state); }

const rh_stepper RH_STEP_TRANSIENT = {
    .name = "transient",
    .open = transient_open,
    .step = transient_step,
    .blocks = transient_blocks,
    .restore = transient_restore,
    .close = transient_close,
};
