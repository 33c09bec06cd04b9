/* train.c: the training loop.
 *
 * To train is to write the run directory and then to run what stands in it; to resume is only the second. So an
 * interrupted run and an uninterrupted one go through the same code, and config.yaml is by construction what is run. */
#include "run/train.h"
#include "run/checkpoint.h"
#include "run/look.h"
#include "run/rundir.h"
#include "solver/outside.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TRAIN_COOKIE 0x54524149

typedef struct session {
    const rheo_experiment *x;
    const rheo_train_def *def;
    const rheo_log *log;
    const char *directory;
    char *checkpoints; /* folder */
    rh_ports ports;
    rh_samples samples;
    rh_learner *l;
    const rh_via *via;
    const rh_stepper *stepper;
    void *steps;         /* state of the stepper */
    double *g_first;     /* [n_edge] */
    int *order;          /* [n_train] sample indices of the epoch that is going on */
    int64_t order_epoch; /* of order; -1: none yet */
    int metrics;         /* file descriptor, -1: not open */
    rh_identity id;
    char *settings; /* lent to id */
    uint64_t generation;
    rh_counters at;
    rh_history history;
    int *confusion;   /* [3][n_class][n_class] of the last evaluation; NULL: none are counted */
    double began;     /* s */
    int64_t looked;   /* epoch of the last look at the dead zone */
    bool warned;      /* that it does not pass what is to be learned */
    bool warned_rise; /* that the loss has risen */
    bool warned_rest; /* that no edge can move */
} session;

rheo_train_def rheo_train_default(void) {
    return (rheo_train_def){ .seed = -1, .epochs = -1, .target_error = -1, .cookie = TRAIN_COOKIE };
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- evaluation ---- */

enum { TRAIN, VALIDATION, TEST, MAX_CLASS = 100 };

static int set_size(const rh_task *t, int set) {
    return set == TRAIN ? t->n_train : set == VALIDATION ? t->n_validation : t->n_test;
}

static int *confusion_of(const session *s, int set) {
    const rh_task *const t = &s->x->task;
    if (!s->confusion || set_size(t, set) == 0) return NULL;
    return s->confusion + (size_t)set * (size_t)t->n_class * (size_t)t->n_class;
}

/* Of the samples just evaluated. */
static void count_classes(session *s, int set, const int *sample, int n) {
    const int *const answer = rh_learner_answers(s->l), n_class = s->x->task.n_class;
    int *const confusion = confusion_of(s, set);
    if (!confusion) return;
    memset(confusion, 0, (size_t)n_class * (size_t)n_class * sizeof *confusion);
    for (int i = 0; i < n; i++) confusion[s->samples.label[sample[i]] * n_class + answer[sample[i]]]++;
}

static rheo_status score(session *s, int set, const int *sample, double *loss, double *accuracy, rheo_error *err) {
    const int n = set_size(&s->x->task, set);
    *loss = *accuracy = NAN;
    if (n == 0) return RHEO_OK;
    rh_score sc;
    RHEO_TRY(rh_learner_evaluate(s->l, sample, n, &sc, err));
    *loss = sc.loss;
    const int kind = s->x->learn.loss;
    const bool counts = s->samples.label || kind == RH_LOSS_HINGE || kind == RH_LOSS_SQUARED_HINGE; /* classes, signs */
    if (counts && sc.n > 0) *accuracy = (double)sc.n_right / (double)sc.n;
    count_classes(s, set, sample, n);
    return RHEO_OK;
}

/* Once per process: few amplitudes pass the dead zone, and what is written is not what two phases would write. Both:
 * a gate that cuts the second ramp off lets amplitudes beyond the range learn. Toward the end of a training that went
 * well it is as it should be: amplitudes shrink with the errors. To look costs some steps, so it is not done often. */
static rheo_status watch_dead_zone(session *s, const rh_gauge *gauge, double loss, rheo_error *err) {
    if (s->warned || !(gauge->inside < 0.1) || s->history.n == 0) return RHEO_OK; /* NaN: nothing was counted */
    if (!(loss > 0.1 * s->history.row[0].loss_train) || s->at.epoch < 2 * s->looked) return RHEO_OK;
    s->looked = s->at.epoch;
    return rh_look_dead_zone(s->x, rh_learner_g(s->l), &s->warned, s->log, err);
}

/* Once per process. Losses that rise a little on the way are common. */
static void warn_of_rise(session *s, double loss) {
    if (s->warned_rise || s->history.n == 0 || !(loss > 1.5 * s->history.row[0].loss_train)) return;
    s->warned_rise = true;
    rh_warn(s->log, 194, RH_NOWHERE, "the loss has risen from %.3g to %.3g: lower learning.rate",
            s->history.row[0].loss_train, loss);
}

static rheo_status record(session *s, const rh_row *row, rheo_error *err) {
    rh_gauge gauge;
    rh_learner_gauge(s->l, &gauge);
    rheo_newton newton[RHEO_N_NEWTON];
    rh_learner_newton(s->l, newton, NULL);
    rh_learner_gauge_reset(s->l);
    RHEO_TRY(watch_dead_zone(s, &gauge, row->loss_train, err));
    warn_of_rise(s, row->loss_train);
    rheo_progress p = {
        .epoch = (long)s->at.epoch,
        .n_epoch = s->x->run.epochs,
        .step = (long)s->at.step,
        .loss_train = row->loss_train,
        .loss_test = row->loss_test,
        .accuracy_train = row->accuracy_train,
        .accuracy_test = row->accuracy_test,
        .loss_validation = row->loss_validation,
        .accuracy_validation = row->accuracy_validation,
        .n_class = s->confusion ? s->x->task.n_class : 0,
        .confusion = { confusion_of(s, TRAIN), confusion_of(s, VALIDATION), confusion_of(s, TEST) },
        .cos_gradient = gauge.cos_gradient,
        .norm_ratio = gauge.norm_ratio,
        .cos_contrastive = gauge.cos_contrastive,
        .inside = gauge.inside,
        .seconds = now() - s->began,
    };
    memcpy(p.newton, newton, sizeof p.newton);
    RHEO_TRY(rh_history_add(&s->history, row, err));
    RHEO_TRY(rh_metrics_add(s->metrics, &p, &gauge, &s->at.metric_bytes, err));
    s->at.metric_lines++;
    if (s->def->progress) s->def->progress(s->def->user, &p);
    return RHEO_OK;
}

static rheo_status evaluate(session *s, rheo_error *err) {
    const rh_task *const t = &s->x->task;
    rh_row row = { .epoch = (double)s->at.epoch };
    RHEO_TRY(score(s, TRAIN, t->train, &row.loss_train, &row.accuracy_train, err));
    RHEO_TRY(score(s, VALIDATION, t->validation, &row.loss_validation, &row.accuracy_validation, err));
    RHEO_TRY(score(s, TEST, t->test, &row.loss_test, &row.accuracy_test, err));
    return record(s, &row, err);
}

static bool goal_reached(const session *s) {
    const double target = s->x->run.target_error;
    return target > 0 && s->history.n > 0 && s->history.row[s->history.n - 1].loss_train <= target;
}

/* ---- checkpoints ---- */

enum { MAX_BLOCK = RH_MAX_BLOCK + RH_STEPPER_BLOCKS, OWN_SECTIONS = 2 /* history and settings */ };
_Static_assert(MAX_BLOCK + OWN_SECTIONS <= RH_MAX_SECTION, "a checkpoint holds all blocks");

/* Everything that an identical continuation needs. */
static int blocks_of(session *s, rh_block out[MAX_BLOCK]) {
    const int n = rh_learner_blocks(s->l, out);
    return n + (s->stepper->blocks ? s->stepper->blocks(s->steps, out + n) : 0);
}

static rheo_status save(session *s, rheo_error *err) {
    RHEO_TRY(rh_metrics_sync(s->metrics, err)); /* the checkpoint must not know of lines that the disk does not */
    rh_block block[MAX_BLOCK];
    const int n = blocks_of(s, block);
    rh_checkpoint c = { .generation = s->generation + 1, .at = s->at, .n_section = n + OWN_SECTIONS };
    memcpy(c.part, s->id.part, sizeof c.part);
    for (int i = 0; i < n; i++) c.section[i] = (rh_section){ block[i].name, block[i].data, block[i].bytes };
    c.section[n] = (rh_section){ "history", s->history.row, (size_t)s->history.n * sizeof *s->history.row };
    c.section[n + 1] = (rh_section){ RH_SETTINGS, s->settings, strlen(s->settings) };
    RHEO_TRY(rh_checkpoint_write(s->checkpoints, &c, err));
    s->generation++;
    return RHEO_OK;
}

static rheo_status unfit(rheo_error *err, const char *what) {
    return rh_fail(err, RHEO_E_IO, 406, RH_NOWHERE, "the checkpoint does not fit the experiment: %s", what);
}

static rheo_status load_history(session *s, const rh_checkpoint *c, rheo_error *err) {
    const rh_section *const h = rh_checkpoint_find(c, "history");
    const size_t n = h ? h->bytes / sizeof(rh_row) : 0;
    if (n == 0 || h->bytes % sizeof(rh_row) || n > INT_MAX) return unfit(err, "its history");
    for (size_t i = 0; i < n; i++) {
        rh_row row;
        memcpy(&row, (const char *)h->data + i * sizeof row, sizeof row);
        RHEO_TRY(rh_history_add(&s->history, &row, err));
    }
    return RHEO_OK;
}

static rheo_status load_learner(session *s, const rh_checkpoint *c, rheo_error *err) {
    rh_block block[MAX_BLOCK];
    const int n = blocks_of(s, block);
    if (c->n_section != n + OWN_SECTIONS) return unfit(err, "the number of its sections");
    for (int i = 0; i < n; i++) { /* all are checked before the first is overwritten */
        const rh_section *const from = rh_checkpoint_find(c, block[i].name);
        if (!from || from->bytes != block[i].bytes) return unfit(err, block[i].name);
    }
    for (int i = 0; i < n; i++)
        if (block[i].bytes) memcpy(block[i].data, rh_checkpoint_find(c, block[i].name)->data, block[i].bytes);
    RHEO_TRY(rh_learner_restore(s->l, err));
    return s->stepper->restore ? s->stepper->restore(s->steps, err) : RHEO_OK;
}

static rheo_status load(session *s, const rh_checkpoint *c, rheo_error *err) {
    const rh_counters *const at = &c->at;
    const bool sane = at->epoch >= 0 && at->epoch <= s->x->run.epochs && at->position >= 0 &&
                      at->position <= s->x->task.n_train && at->step >= 0 && at->metric_bytes >= 0;
    if (!sane) return unfit(err, "its counters");
    RHEO_TRY(load_history(s, c, err));
    RHEO_TRY(load_learner(s, c, err));
    s->at = *at;
    s->generation = c->generation;
    return RHEO_OK;
}

/* ---- the loop ---- */

static bool stopped(const session *s) { return s->def->stop && *s->def->stop; }

int rh_experiment_n_scored(const rheo_experiment *x) {
    return x->task.n_train < RH_SCORED ? x->task.n_train : RH_SCORED;
}

/* A function of seed and epoch alone: a resumed run finds it again. */
void rh_experiment_order(const rheo_experiment *x, int64_t epoch, int *order) {
    const rh_task *const t = &x->task;
    for (int i = 0; i < t->n_train; i++) order[i] = i;
    if (x->run.shuffle) {
        const uint64_t stream = RH_STREAM_ORDER + ((uint64_t)epoch << 8); /* below: the other streams */
        rh_shuffle((uint64_t)x->seed, stream, t->n_train, order);
    }
    for (int i = 0; i < t->n_train; i++) order[i] = t->train[order[i]];
}

static void set_order(session *s) {
    if (s->order_epoch == s->at.epoch) return;
    rh_experiment_order(s->x, s->at.epoch, s->order);
    s->order_epoch = s->at.epoch;
}

/* The rest of the current epoch. */
static rheo_status train_epoch(session *s, rheo_error *err) {
    const int n_train = s->x->task.n_train;
    const int batch = s->x->run.batch > 0 ? s->x->run.batch : n_train;
    set_order(s);
    rh_learner_factor(s->l, rh_schedule_factor(&s->x->learn, s->at.epoch, s->x->run.epochs));
    while (s->at.position < n_train) {
        if (stopped(s))
            return rh_fail(err, RHEO_E_INTERRUPTED, 0, RH_NOWHERE, "interrupted in epoch %ld", (long)s->at.epoch + 1);
        const int left = n_train - (int)s->at.position;
        const int n = batch < left ? batch : left;
        RHEO_TRY(s->stepper->step(s->steps, s->l, s->order + s->at.position, n, err));
        s->at.position += n;
        s->at.step++;
    }
    s->at.position = 0;
    s->at.epoch++;
    return RHEO_OK;
}

static bool due(int64_t epoch, int every) { return every > 0 && epoch % every == 0; }

static rheo_status loop(session *s, rheo_error *err) {
    const rh_run_def *const run = &s->x->run;
    if (s->history.n == 0) RHEO_TRY(evaluate(s, err));
    while (s->at.epoch < run->epochs && !goal_reached(s)) {
        RHEO_TRY(train_epoch(s, err));
        if (due(s->at.epoch, run->evaluate) || s->at.epoch == run->epochs) RHEO_TRY(evaluate(s, err));
        if (due(s->at.epoch, run->checkpoint)) RHEO_TRY(save(s, err));
    }
    return RHEO_OK;
}

/* ---- a run from its directory ---- */

static rheo_status open_learner(session *s, bool gauge, rheo_error *err) {
    rh_learn_def learn = s->x->learn;
    learn.threads = s->def->threads > 0 ? s->def->threads : s->x->run.threads;
    learn.gauge = gauge;
    rheo_solver_def solver = rheo_solver_default();
    if (s->x->backend) solver.backend = s->x->backend;
    s->ports = rh_experiment_ports(s->x);
    s->samples = rh_experiment_samples(s->x);
    const int n_edge = s->x->circuit->n_edge;
    s->order = rh_calloc((size_t)s->x->task.n_train, sizeof *s->order);
    s->g_first = rh_calloc((size_t)n_edge, sizeof *s->g_first);
    if (!s->order || !s->g_first) return RH_NOMEM(err);
    const size_t n_class = (size_t)s->x->task.n_class;
    if (s->samples.label && n_class <= MAX_CLASS) s->confusion = rh_calloc(3 * n_class * n_class, sizeof *s->confusion);
    if (s->samples.label && n_class <= MAX_CLASS && !s->confusion) return RH_NOMEM(err);
    RHEO_TRY(rh_learner_open(&s->l, s->x->circuit, &learn, &solver, &s->ports, &s->samples, s->log, err));
    if (n_edge) memcpy(s->g_first, rh_learner_g(s->l), (size_t)n_edge * sizeof *s->g_first);
    return RHEO_OK;
}

static rheo_status open_stepper(session *s, rheo_error *err) {
    return s->stepper->open ? s->stepper->open(&s->steps, s->x, s->l, s->via->given, s->log, err) : RHEO_OK;
}

/* The folders beside which ngspice learned, as far as there are runs in them. */
static int runs_beside(const session *s, char names[2 * 16]) {
    int n = 0;
    for (int e = 0; RH_ENGINES[e] && e < 2; e++) {
        char path[PATH_MAX];
        const int len = snprintf(path, sizeof path, "%s/%s/config.yaml", s->directory, RH_ENGINES[e]);
        if (len >= (int)sizeof path || access(path, F_OK) != 0) continue;
        const size_t at = strlen(names);
        snprintf(names + at, 2 * 16 - at, "%s%s/", n++ ? " or " : "", RH_ENGINES[e]);
    }
    return n;
}

static rheo_status cannot_resume(const session *s, rheo_error *err) {
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                                   "this run is one of ngspice, which cannot begin in the middle of a transient");
    char names[2 * 16] = "";
    const int n = runs_beside(s, names);
    rh_hint(err, "begin it anew with `rheo cosim --force`%s%s", n ? ", or resume its folder " : "", names);
    return st;
}

/* Before the first step of a run; what a resumed one could say was said then. */
static rheo_status look_ahead(session *s, rheo_error *err) {
    s->warned_rest = !rh_look_rate(s->x, s->log);
    if (s->history.n > 0) return RHEO_OK;
    rh_look_times(s->x, s->log);
    return rh_look_dead_zone(s->x, NULL, &s->warned, s->log, err);
}

static rheo_status start(session *s, rheo_error *err) {
    s->checkpoints = rh_path_join(s->directory, "checkpoints");
    if (!s->checkpoints) return RH_NOMEM(err);
    RHEO_TRY(rh_dir_create(s->checkpoints, err));
    RHEO_TRY(rh_rundir_identity(s->x, &s->id, &s->settings, err));
    rh_checkpoint c = { 0 };
    bool found;
    RHEO_TRY(rh_checkpoint_read(s->checkpoints, &s->id, &c, &found, s->log, err));
    /* What the gauge collected is part of the state, so it stays on or off as it was. */
    const bool gauge = found ? (c.at.flags & RH_CHECKPOINT_GAUGE) != 0 : s->def->gauge || s->x->learn.gauge;
    const bool given = found && (c.at.flags & RH_CHECKPOINT_GIVEN);
    s->at.flags = (gauge ? RH_CHECKPOINT_GAUGE : 0) | (s->via->stepper ? RH_CHECKPOINT_GIVEN : 0);
    if (given && !s->via->stepper) {
        rh_checkpoint_free(&c);
        return cannot_resume(s, err);
    }
    if (s->def->begun) s->def->begun(s->def->user, s->directory);
    rheo_status st = open_learner(s, gauge, err);
    if (st == RHEO_OK && !s->via->stepper) st = open_stepper(s, err);
    if (st == RHEO_OK && found) st = load(s, &c, err);
    rh_checkpoint_free(&c);
    RHEO_TRY(st);
    RHEO_TRY(look_ahead(s, err));
    RHEO_TRY(rh_metrics_open(s->directory, s->at.metric_bytes, &s->metrics, s->log, err));
    if (!s->via->stepper) return RHEO_OK;
    RHEO_TRY(save(s, err)); /* a mark before it begins: no other stepper shall take the run for its own */
    return open_stepper(s, err);
}

static void fill_result(const session *s, rheo_result *r) {
    const rh_history *const h = &s->history;
    const rh_row none = { 0, NAN, NAN, NAN, NAN, NAN, NAN };
    const rh_row *const last = h->n ? &h->row[h->n - 1] : &none;
    *r = (rheo_result){
        .loss_first = h->n ? h->row[0].loss_train : NAN,
        .loss_last = last->loss_train,
        .loss_test = last->loss_test,
        .accuracy_train = last->accuracy_train,
        .accuracy_test = last->accuracy_test,
        .loss_validation = last->loss_validation,
        .accuracy_validation = last->accuracy_validation,
        .epochs = (long)s->at.epoch,
        .steps = (long)s->at.step,
        .seconds = now() - s->began,
        .goal_reached = goal_reached(s),
        .goal_set = s->x->run.target_error > 0,
    };
    if (s->l) rh_learner_newton(s->l, NULL, r->newton);
    snprintf(r->directory, sizeof r->directory, "%s", s->directory);
}

/* All updates together, as a share of what learns. Where little was left to learn that is as it should be. */
static void warn_of_little(session *s) {
    static const double LEAST = 1e-6, NO_LOSS = 1e-9;
    const rheo_circuit *const c = s->x->circuit;
    const double *const g = rh_learner_g(s->l);
    double moved = 0, all = 0;
    if (s->warned_rest || s->warned || rh_learner_rests(s->l) || s->history.n == 0) return;
    if (!(s->history.row[s->history.n - 1].loss_train > NO_LOSS)) return;
    for (int k = 0; k < c->n_edge; k++) {
        const double step = g[k] - s->g_first[k], size = c->edge_source[k] >= 0 ? c->g_max[k] - c->g_min[k] : g[k];
        moved += step * step;
        all += size * size;
    }
    if (!(moved < LEAST * LEAST * all)) return;
    s->warned_rest = true;
    rh_warn(s->log, 195, RH_NOWHERE,
            "all updates together changed what learns by only %.2g of itself: `rheo tune` proposes a rate",
            sqrt(moved / all));
}

/* The loss at the end beside that at the start, where nothing else was told, and targets that cannot be reached. */
static void warn_of_no_gain(session *s) {
    static const double LEAST = 0.95, SOME = 0.01, NO_LOSS = 1e-9;
    if (s->warned_rest || rh_learner_rests(s->l) || s->history.n < 2) return;
    const double first = s->history.row[0].loss_train, last = s->history.row[s->history.n - 1].loss_train;
    if (!(last > SOME * first) || !(last > NO_LOSS) || goal_reached(s)) return;
    char reach[240];
    const bool out_of_reach = rh_look_reach(s->x, reach, sizeof reach), still = last > LEAST * first;
    if (!out_of_reach && (!still || s->warned_rise)) return;
    rh_warn(s->log, 197, RH_NOWHERE, "the loss has %s (%.3g -> %.3g): %s",
            last > first ? "ended higher than it began"
            : still      ? "hardly moved"
                         : "stayed large",
            first, last,
            out_of_reach ? reach
            : s->warned  ? "see the warning about the dead zone"
                         : "`rheo tune` proposes a rate and all that goes with it");
}

static rheo_status finish(session *s, rheo_error *err) {
    RHEO_TRY(save(s, err));
    warn_of_little(s);
    warn_of_no_gain(s);
    RHEO_TRY(rh_rundir_results(s->directory, s->x, s->l, s->g_first, &s->history, true, s->log, err));
    if (s->x->run.target_error <= 0 || goal_reached(s)) return RHEO_OK;
    char is[32], want[32];
    return rh_fail(err, RHEO_E_GOAL, 0, RH_NOWHERE, "the training loss is %s after %ld epochs, the goal was %s",
                   rh_number_text(s->history.row[s->history.n - 1].loss_train, is), (long)s->at.epoch,
                   rh_number_text(s->x->run.target_error, want));
}

/* What there is at an interruption, to be looked at. The checkpoint is written: that this fails ends nothing. */
static void show(session *s) {
    rheo_error why = { 0 };
    if (rh_rundir_results(s->directory, s->x, s->l, s->g_first, &s->history, false, s->log, &why) != RHEO_OK)
        rh_warn(s->log, why.code, RH_NOWHERE, "no results of the interrupted run: %s", why.msg);
}

static rheo_status run(session *s, rheo_result *result, rheo_error *err) {
    RHEO_TRY(start(s, err));
    rheo_status st = loop(s, err);
    if (st == RHEO_OK) st = finish(s, err);
    if (st == RHEO_E_INTERRUPTED) {
        rheo_error second = { 0 }; /* err tells of the interruption already */
        const rheo_status saved = save(s, &second);
        if (saved == RHEO_OK) show(s);
        if (saved != RHEO_OK) {
            if (err) *err = second;
            st = saved;
        }
    }
    if (result) fill_result(s, result);
    if (s->via->g) memcpy(s->via->g, rh_learner_g(s->l), sizeof(double) * (size_t)s->x->circuit->n_edge);
    return st;
}

static void close_session(session *s) {
    if (s->metrics >= 0) close(s->metrics);
    if (s->stepper->close && s->steps) s->stepper->close(s->steps);
    rh_learner_close(s->l);
    rh_free(s->history.row);
    rh_free(s->order);
    rh_free(s->confusion);
    rh_free(s->g_first);
    rh_free(s->checkpoints);
    rheo_text_free(s->settings);
}

static const rh_via NOTHING = { 0 };

/* What was said when the experiment was read is not said again when its copy in the run directory is: only errors are.
 */
static void pass_errors(void *user, const rheo_error *message) {
    const rheo_log *const log = user;
    if (message->severity == RHEO_ERROR) log->emit(log->user, message);
}

static rheo_status read_again(const char *config, const rh_experiment_given *given, const rheo_log *log,
                              rheo_experiment **x, rheo_error *err) {
    rheo_log lent = log ? *log : (rheo_log){ NULL, NULL };
    const rheo_log quiet = { pass_errors, &lent };
    return rh_experiment_read(x, config, given, lent.emit ? &quiet : NULL, err);
}

/* directory is absolute and holds config.yaml; again: the experiment was read before. */
static rheo_status run_directory(const char *directory, bool again, const rheo_train_def *def, const rh_via *via,
                                 rheo_result *result, const rheo_log *log, rheo_error *err) {
    char *const config = rh_rundir_config(directory);
    if (!config) return RH_NOMEM(err);
    rheo_experiment *x = NULL;
    const rh_experiment_given nothing = { .n_set = 0 };
    rheo_status st =
        again ? read_again(config, &nothing, log, &x, err) : rh_experiment_read(&x, config, &nothing, log, err);
    rh_free(config);
    if (st == RHEO_OK) st = rh_rundir_environment(directory, x, err);
    if (st == RHEO_OK) {
        session s = { .x = x,
                      .def = def,
                      .log = log,
                      .directory = directory,
                      .via = via,
                      .order_epoch = -1,
                      .metrics = -1,
                      .began = now() };
        s.stepper = x->engine.engine == RH_ENGINE_TRANSIENT ? &RH_STEP_TRANSIENT : &RH_STEP_CLOSED;
        if (via->stepper) s.stepper = via->stepper;
        st = run(&s, result, err);
        close_session(&s);
    }
    rheo_experiment_destroy(x);
    return st;
}

/* New settings for a run that is there. */
static rheo_status extend(const char *directory, const rheo_train_def *def, const rheo_log *log, rheo_error *err) {
    if (def->epochs < 0 && !(def->target_error >= 0) && def->n_include_dir == 0) return RHEO_OK;
    char *const config = rh_rundir_config(directory);
    if (!config) return RH_NOMEM(err);
    rheo_experiment *x = NULL;
    const rh_experiment_given given = { .include_dir = def->include_dir, .n_include = def->n_include_dir };
    rheo_status st = read_again(config, &given, log, &x, err);
    rh_free(config);
    if (st == RHEO_OK) st = rh_rundir_extend(directory, x, def->epochs, def->target_error, err);
    rheo_experiment_destroy(x);
    return st;
}

static rheo_status check_def(const rheo_train_def *def, rheo_error *err) {
    if (def->cookie != TRAIN_COOKIE)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                       "the settings of the run do not come from rheo_train_default()");
    if (def->threads < 0 || def->threads > 1024)
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE,
                       "%d threads: give 1 to 1024, or 0 for what the experiment says", def->threads);
    return RHEO_OK;
}

rheo_status rh_train_via(const rheo_experiment *x, const rheo_train_def *def, const rh_via *via, rheo_result *result,
                         const rheo_log *log, rheo_error *err) {
    const rheo_train_def standard = rheo_train_default();
    if (!def) def = &standard;
    RHEO_TRY(check_def(def, err));
    if (x->backend && rh_streq(x->backend, RH_OUTSIDE)) RHEO_TRY(rh_outside_try(err));
    char directory[sizeof result->directory];
    int lock = -1;
    RHEO_TRY(rh_rundir_begin(x, def, via && via->stepper, directory, sizeof directory, &lock, err));
    const rheo_status st = run_directory(directory, true, def, via ? via : &NOTHING, result, log, err);
    close(lock);
    return st;
}

rheo_status rheo_train(const rheo_experiment *x, const rheo_train_def *def, rheo_result *result, const rheo_log *log,
                       rheo_error *err) {
    return rh_train_via(x, def, NULL, result, log, err);
}

rheo_status rheo_resume(const char *directory, const rheo_train_def *def, rheo_result *result, const rheo_log *log,
                        rheo_error *err) {
    const rheo_train_def standard = rheo_train_default();
    if (!def) def = &standard;
    RHEO_TRY(check_def(def, err));
    char real[PATH_MAX];
    if (!realpath(directory, real))
        return rh_fail(err, RHEO_E_IO, 401, RH_NOWHERE, "%s: there is no such run directory", directory);
    if (strlen(real) >= sizeof result->directory)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "the path of the run directory is too long");
    int lock = -1;
    RHEO_TRY(rh_rundir_lock(real, &lock, err));
    rheo_status st = extend(real, def, log, err);
    if (st == RHEO_OK) st = run_directory(real, false, def, &NOTHING, result, log, err);
    close(lock);
    return st;
}
