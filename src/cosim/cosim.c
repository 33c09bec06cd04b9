/* cosim.c: the stepper that takes its conductances from ngspice, and the comparison. */
#include "cosim/cosim.h"

#include "export/export.h"
#include "ngspice/process.h"

#include <math.h>
#include <sys/resource.h>
#include <time.h>

static const double LOAD_SECONDS = 600, SLOT_SECONDS = 1200;

/* ---- ngspice, slot by slot ---- */

typedef struct course {
    const rheo_experiment *x;
    const char *path; /* of the worker */
    rh_worker w;
    rh_timetable t;
    rh_export_edge *edge; /* [n_edge] */
    double *g, *volt;     /* [n_edge] S; V stored, within the bounds */
    int row;              /* slots heard of */
    bool again;           /* a second worker is at it */
    double before, after; /* sums of mean square errors over the slots before the first tooth and after the last one */
} course;

static rheo_status broken(course *q, rh_said said, rheo_error *err) {
    if (said == RH_SAID_NOMEM) return RH_NOMEM(err);
    const char *const what = said == RH_SAID_LATE   ? "was too slow and was ended"
                             : said == RH_SAID_DIED ? "ended before the deck was done"
                                                    : "did not take the deck";
    const rheo_status st =
        rh_fail(err, RHEO_E_IO, RH_CODE_COURSE, RH_NOWHERE, "ngspice %s, in slot %d of %d%s%.200s", what, q->row + 1,
                q->t.n_slot, said == RH_SAID_NO ? ": " : "", said == RH_SAID_NO && q->w.text ? q->w.text : "");
    rh_hint(err, "write the deck with `rheo export` and run it with `ngspice -b -n` to see what it says");
    return st;
}

static rheo_status tell(course *q, uint32_t what, const void *data, size_t n, rheo_error *err) {
    const rh_said said = rh_worker_call(&q->w, what, data, n, LOAD_SECONDS);
    return said == RH_SAID_OK ? RHEO_OK : broken(q, said, err);
}

/* Inputs, then targets, slot by slot: the sources of the deck in their order. */
static rheo_status send_samples(course *q, rheo_error *err) {
    const rh_task *const t = &q->x->task;
    const size_t n_slot = (size_t)q->t.n_slot, n_in = (size_t)t->n_in, n_out = (size_t)t->n_out;
    const rh_ng_samples head = { q->t.period, q->t.dwell, q->t.move, n_in + n_out, n_slot };
    const size_t bytes = sizeof head + (n_in + n_out) * n_slot * sizeof(double);
    if (bytes > RH_NG_MAX_BYTES)
        return rh_fail(err, RHEO_E_LIMIT, RH_CODE_LONG, RH_NOWHERE, "the samples of %d slots are too many",
                       q->t.n_slot);
    char *const data = rh_alloc(bytes);
    if (!data) return RH_NOMEM(err);
    memcpy(data, &head, sizeof head);
    double *v = (double *)(void *)(data + sizeof head);
    for (size_t i = 0; i < n_in; i++)
        for (size_t k = 0; k < n_slot; k++) *v++ = q->x->in_sign[i] * rh_task_input(t, q->t.sample[k], (int)i);
    for (size_t o = 0; o < n_out; o++)
        for (size_t k = 0; k < n_slot; k++) *v++ = t->target[(size_t)q->t.sample[k] * n_out + o];
    const rheo_status st = tell(q, RH_NG_SAMPLES, data, bytes, err);
    rh_free(data);
    return st;
}

static rheo_status send_deck(course *q, rheo_error *err) {
    char *deck = NULL;
    rh_buf names = { 0 };
    RHEO_TRY(rh_export_fed(q->x, &q->t, &deck, err));
    rh_export_vectors(q->x, &names);
    rheo_status st = names.bad ? RH_NOMEM(err) : send_samples(q, err);
    if (st == RHEO_OK) st = tell(q, RH_NG_LOAD, deck, strlen(deck), err);
    if (st == RHEO_OK) st = tell(q, RH_NG_VECTORS, names.s, names.n, err);
    rh_buf_free(&names);
    rheo_text_free(deck);
    return st;
}

static rheo_status start(course *q, rheo_error *err) {
    RHEO_TRY(rh_worker_start(&q->w, q->path, err));
    RHEO_TRY(send_deck(q, err));
    const rh_ng_tran def = { q->t.period, (uint64_t)q->t.n_slot };
    const rh_said said = rh_worker_ask(&q->w, RH_NG_TRAN, &def, sizeof def, LOAD_SECONDS);
    return said == RH_SAID_OK ? RHEO_OK : broken(q, said, err);
}

static double clip(double x, double lo, double hi) { return x < lo ? lo : x > hi ? hi : x; }

static rh_said hear_row(course *q) {
    bool more = false;
    const size_t bytes = sizeof(double) * (size_t)(q->x->circuit->n_edge + 2);
    const rh_said said = rh_worker_hear(&q->w, &more, SLOT_SECONDS);
    return said == RH_SAID_OK && (!more || q->w.n != bytes) ? RH_SAID_DIED : said;
}

/* A worker that died is replaced once: the deck is the same, so the slots so far are too. */
static rheo_status hear_somehow(course *q, rheo_error *err) {
    rh_said said = hear_row(q);
    if (said == RH_SAID_DIED && !q->again) {
        q->again = true;
        rh_worker_stop(&q->w);
        RHEO_TRY(start(q, err));
        said = RH_SAID_OK;
        for (int k = 0; k <= q->row && said == RH_SAID_OK; k++) said = hear_row(q);
    }
    return said == RH_SAID_OK ? RHEO_OK : broken(q, said, err);
}

/* The row at the end of the next slot. */
static rheo_status hear(course *q, rheo_error *err) {
    const int n = q->x->circuit->n_edge;
    const rheo_circuit *const c = q->x->circuit;
    RHEO_TRY(hear_somehow(q, err));
    const double *const row = (const double *)(const void *)q->w.text;
    double sum = 0;
    for (int k = 0; k < n + 2; k++) sum += row[k] * 0;
    if (sum != 0) return broken(q, RH_SAID_DIED, err);
    const int end = q->t.n_scored + q->t.n_teeth;
    if (q->row < q->t.n_scored) q->before += row[n + 1];
    if (q->row >= end) q->after += row[n + 1];
    for (int k = 0; k < n && q->row < end; k++) {
        q->volt[k] = clip(row[1 + k], q->edge[k].w_min, q->edge[k].w_max);
        q->g[k] = clip(q->edge[k].kg * q->volt[k], c->g_min[k], c->g_max[k]);
    }
    q->row++;
    return RHEO_OK;
}

static rheo_status open_course(void **state, const rheo_experiment *x, rh_learner *l, void *given, const rheo_log *log,
                               rheo_error *err) {
    (void)l, (void)log, (void)x;
    course *const q = given;
    RHEO_TRY(start(q, err));
    for (int k = 0; k < q->t.n_scored; k++) RHEO_TRY(hear(q, err));
    *state = q;
    return RHEO_OK;
}

static rheo_status step(void *state, rh_learner *l, const int *sample, int n, rheo_error *err) {
    course *const q = state;
    (void)sample;
    for (int i = 0; i < n; i++) RHEO_TRY(hear(q, err));
    rh_learner_take(l, q->g, q->x->circuit->n_edge);
    if (q->row < q->t.n_scored + q->t.n_teeth) return RHEO_OK;
    for (int k = 0; k < q->t.n_scored; k++) RHEO_TRY(hear(q, err)); /* the last tooth: what it is good for */
    return RHEO_OK;
}

static const rh_stepper STEP_NGSPICE = { .name = "ngspice", .open = open_course, .step = step };

static void close_course(course *q) {
    rh_worker_free(&q->w);
    rh_free(q->t.sample);
    rh_free(q->edge);
    rh_free(q->g);
    rh_free(q->volt);
}

static rheo_status prepare(course *q, const rheo_experiment *x, const char *worker, rheo_error *err) {
    *q = (course){ .x = x, .path = worker };
    const int n = x->circuit->n_edge;
    rh_mapping m;
    RHEO_TRY(rh_export_check(x, err));
    rh_export_map(x, &m);
    RHEO_TRY(rh_export_times(x, 0, &q->t, err));
    q->edge = rh_calloc((size_t)n, sizeof *q->edge);
    q->g = rh_calloc((size_t)n, sizeof *q->g);
    q->volt = rh_calloc((size_t)n, sizeof *q->volt);
    if (!q->edge || !q->g || !q->volt) return RH_NOMEM(err);
    for (int k = 0; k < n; k++) RHEO_TRY(rh_export_edge_map(x, &m, k, &q->edge[k], err));
    return RHEO_OK;
}

/* ---- the comparison ---- */

/* s of processors, of this process and of those that it has waited for. */
static double processor(void) {
    struct timespec own;
    struct rusage r;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    getrusage(RUSAGE_CHILDREN, &r);
    return (double)own.tv_sec + 1e-9 * (double)own.tv_nsec + (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static double rms_of(double loss, int n_out) { return sqrt(2 * loss / n_out); }

static void fill(rheo_cosim_engine *e, const rheo_experiment *x, const char *name, const rheo_result *r) {
    *e = (rheo_cosim_engine){ .name = name,
                              .rms_first = rms_of(r->loss_first, x->task.n_out),
                              .rms_last = rms_of(r->loss_last, x->task.n_out),
                              .seconds = r->seconds };
    snprintf(e->directory, sizeof e->directory, "%s", r->directory);
}

static void measure(rheo_cosim_engine *e, const course *q, const double *g) {
    const rheo_circuit *const c = q->x->circuit;
    double sum = 0;
    e->w_max = 0;
    for (int k = 0; k < c->n_edge; k++) {
        const double gap = fabs(g[k] / q->edge[k].kg / q->volt[k] - 1);
        sum += gap * gap;
        if (gap <= e->w_max) continue; /* NaN is the largest */
        e->w_max = gap;
        snprintf(e->worst, sizeof e->worst, "%s", c->elem_name[c->edge_elem[k]]);
    }
    e->w_rms = sqrt(sum / c->n_edge);
}

/* Another engine on the same experiment, in a folder of the run directory. */
static rheo_status run_beside(const rheo_experiment *x, int engine, const course *q, const rheo_train_def *def,
                              const char *directory, rheo_cosim_engine *e, const rheo_log *log, rheo_error *err) {
    rheo_experiment as_run = *x; /* lent */
    as_run.engine.engine = engine;
    rheo_train_def quiet = *def;
    rheo_result r = { .loss_first = NAN };
    const int n = x->circuit->n_edge;
    double *const g = rh_calloc((size_t)n, sizeof *g);
    char *const folder = rh_path_join(directory, RH_ENGINES[engine]);
    rheo_status st = g && folder ? RHEO_OK : RH_NOMEM(err);
    quiet.output = folder;
    quiet.force = true; /* it lies in a directory that was ours to replace */
    quiet.begun = NULL;
    quiet.progress = NULL;
    const double before = processor();
    if (st == RHEO_OK) st = rh_train_via(&as_run, &quiet, &(rh_via){ .g = g }, &r, log, err);
    if (st == RHEO_OK) {
        fill(e, x, RH_ENGINES[engine], &r);
        e->processor = processor() - before;
        measure(e, q, g);
    }
    rh_free(folder);
    rh_free(g);
    return st;
}

static rheo_status compare(const rheo_experiment *x, const rheo_train_def *def, course *q, rheo_cosim_result *out,
                           const rheo_log *log, rheo_error *err) {
    rheo_result r = { .loss_first = NAN };
    rheo_cosim_engine *const e = &out->engine[RHEO_COSIM_NGSPICE];
    const double before = processor();
    RHEO_TRY(rh_train_via(x, def, &(rh_via){ &STEP_NGSPICE, q, NULL }, &r, log, err));
    rh_worker_stop(&q->w); /* and wait for it: then its time is known */
    fill(e, x, "ngspice", &r);
    e->processor = processor() - before;
    e->rms_first = sqrt(q->before / q->t.n_scored); /* by ngspice itself */
    e->rms_last = sqrt(q->after / q->t.n_scored);
    out->teeth = q->t.n_teeth;
    out->n_edge = x->circuit->n_edge;
    for (int i = 0; i < RHEO_COSIM_NGSPICE; i++)
        RHEO_TRY(run_beside(x, i == RHEO_COSIM_CLOSED ? RH_ENGINE_CLOSED : RH_ENGINE_TRANSIENT, q, def, r.directory,
                            &out->engine[i], log, err));
    return RHEO_OK;
}

rheo_status rheo_cosim(const rheo_experiment *x, const rheo_train_def *def, const char *worker,
                       rheo_cosim_result *result, const rheo_log *log, rheo_error *err) {
    const rheo_train_def standard = rheo_train_default();
    rheo_experiment as_run = *x; /* lent; all teeth are shown, since only then all three end at the same place */
    as_run.run.target_error = 0;
    if (def && def->seed >= 0) as_run.seed = def->seed;
    course q;
    *result = (rheo_cosim_result){ 0 };
    rheo_status st = prepare(&q, &as_run, worker, err);
    if (st == RHEO_OK) st = compare(&as_run, def ? def : &standard, &q, result, log, err);
    close_course(&q);
    return st;
}
