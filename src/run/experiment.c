/* experiment.c: the experiment as a whole, and printed back. */
#include "run/experiment.h"

#include "circuit/circuit.h"
#include "solver/outside.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const RH_DOMAINS[] = { "electrical", "hydraulic", NULL };
const char *const RH_TASK_KINDS[] = { "table", "csv", "idx", "logic", NULL };

const char *const RH_ENGINES[] = { "closed", "transient", NULL };

/* clang-format off */
const rh_field RH_ENGINE_FIELDS[] = {
    /* name       unit default min    max   meaning                                                  where */
    { "engine",    "",  0,     0,     1,    "what lives through a cycle: closed form, or steps in time", offsetof(rh_engine_def, engine),    RH_CHOICE, RH_ENGINES },
    { "tolerance", "",  1e-6,  1e-12, 0.01, "transient: error of what is stored, per step, relative",    offsetof(rh_engine_def, tolerance), RH_DOUBLE, NULL },
};
/* clang-format on */
const int RH_N_ENGINE_FIELD = RH_COUNT(RH_ENGINE_FIELDS);

#define AT(member) offsetof(rh_run_def, member)
/* clang-format off */
const rh_field RH_RUN_FIELDS[] = {
    /* name           unit   default min max       meaning                                                     where */
    { "epochs",       "",    100,    1,  RH_MAX_EPOCHS,      "passes over all training samples",                         AT(epochs),       RH_INT,    NULL },
    { "batch",        "",    1,      0,  1e6,      "samples per update; 0: all training samples",              AT(batch),        RH_INT,    NULL },
    { "shuffle",      "",    1,      0,  1,        "a new order in each epoch, by seed",                       AT(shuffle),      RH_BOOL,   NULL },
    { "target_error", "",    0,      0,  1e30,     "stop when the training loss is this small; 0: no goal",    AT(target_error), RH_DOUBLE, NULL },
    { "checkpoint",   "",    50,     0,  1e9,      "epochs between checkpoints; 0: only at the end",           AT(checkpoint),   RH_INT,    NULL },
    { "evaluate",     "",    1,      1,  1e9,      "epochs between evaluations",                               AT(evaluate),     RH_INT,    NULL },
    { "threads",      "",    1,      1,  1024,     "threads for batches; results do not depend on them",       AT(threads),      RH_INT,    NULL },
};
/* clang-format on */
const int RH_N_RUN_FIELD = RH_COUNT(RH_RUN_FIELDS);

enum { MAX_KEYS = 32 };

int rh_kernel_fields(int kernel, rh_field *out) {
    const rh_kernel *k = RH_KERNELS[kernel];
    const int n = k->n_field < RH_MAX_PAR ? k->n_field : RH_MAX_PAR;
    for (int i = 0; i < n; i++) {
        const rh_kernel_field *f = &k->fields[i];
        out[i] = (rh_field){ f->name,
                             f->unit,
                             f->def,
                             f->min,
                             f->max,
                             f->meaning,
                             offsetof(rh_learn_def, par) + (size_t)i * sizeof(double),
                             RH_DOUBLE,
                             NULL };
    }
    return n;
}

const char *rh_strength_unit(int nudge) {
    return nudge == RH_NUDGE_CONDUCTANCE ? "S" : nudge == RH_NUDGE_CURRENT ? "A/V" : "1";
}

/* Adam divides the gradient by its own size: what is left of the unit is that of the state. States but the conductance
 * are numbers, and the slope by them is a power. */
const char *rh_rate_unit(int optimizer, int state) {
    const bool sized = optimizer == RH_OPTIMIZER_ADAM || optimizer == RH_OPTIMIZER_SIGN;
    if (state != RH_STATE_CONDUCTANCE) return sized ? "1" : "1/W";
    return sized ? "S" : "S/V^2";
}

rheo_status rh_experiment_forward(rh_report *r, rheo_error *e, rh_loc at) {
    if (e->status == RHEO_E_NOMEM) return RH_REPORT_NOMEM(r);
    if (e->line == 0 && !e->reported)
        return rh_report_error(r, e->status, e->code, at, e->hint[0] ? e->hint : NULL, "%s", e->msg);
    r->n_error++;
    if (!e->reported && r->log && r->log->emit) {
        r->log->emit(r->log->user, e);
        e->reported = true;
    }
    if (r->err && r->err->status == RHEO_OK) *r->err = *e;
    return e->status;
}

char *rh_experiment_path(const rheo_experiment *x, const char *path) {
    const bool bare = strcmp(x->folder, ".") == 0 && strcmp(path, "-") != 0; /* "-" alone would be standard input */
    return rh_path_tidy(rh_path_join(bare ? "" : x->folder, path));
}

/* ---- blocks that are nothing but settings ---- */

static int field_names(const rh_field *f, int n, const char **out, int at) {
    for (int i = 0; i < n && at < MAX_KEYS; i++) out[at++] = f[i].name;
    return at;
}

static rheo_status read_block(const rh_reader *rd, rh_yaml *parent, const char *key, const rh_field *f, int n,
                              void *def) {
    const char *names[MAX_KEYS];
    rh_yaml *map = NULL;
    RHEO_TRY(rh_read_map(rd, parent, key, false, &map));
    RH_STEP(rh_read_fields(rd, map, f, n, def));
    return rh_experiment_rest(rd, map, key, names, field_names(f, n, names, 0));
}

static rheo_status read_nudge(const rh_reader *rd, rh_yaml *learning, rh_learn_def *def) {
    const char *names[MAX_KEYS];
    rh_field f[MAX_KEYS];
    rh_yaml *map = NULL;
    RHEO_TRY(rh_read_map(rd, learning, "nudge", false, &map));
    const int n = RH_N_NUDGE_FIELD < MAX_KEYS ? RH_N_NUDGE_FIELD : MAX_KEYS;
    memcpy(f, RH_NUDGE_FIELDS, (size_t)n * sizeof(*f));
    for (int i = 0; i < n; i++) { /* the choice first: the unit of the strength depends on it */
        if (f[i].offset == offsetof(rh_learn_def, strength)) f[i].unit = rh_strength_unit(def->nudge);
        RH_STEP(rh_read_fields(rd, map, &f[i], 1, def));
    }
    return rh_experiment_rest(rd, map, "nudge", names, field_names(f, n, names, 0));
}

static rheo_status bad_mix(const rh_reader *rd, const rh_yaml *y, const char *hint, const char *text) {
    return rh_report_error(rd->report, RHEO_E_USAGE, RH_CODE_MIX, rh_yaml_loc(rd, y), hint, "%s", text);
}

/* Settings that are right one by one and do not go together. The learner checks them again; here they have a place. */
static rheo_status check_learning(const rh_reader *rd, rh_yaml *learning, const rh_learn_def *d) {
    rh_yaml *rule = rh_yaml_get(learning, "rule"), *nudge = rh_yaml_get(learning, "nudge"),
            *strength = rh_yaml_get(nudge, "strength");
    if (d->rule == RH_RULE_COUPLED && d->nudge != RH_NUDGE_VOLTAGE)
        return bad_mix(rd, rule, "set nudge: {kind: voltage, strength: 0.1}, or use rule contrastive",
                       "rule coupled holds the outputs by voltage: nudge.kind must be voltage");
    if ((d->rule == RH_RULE_EQPROP || d->rule == RH_RULE_HOLOMORPHIC) && d->nudge == RH_NUDGE_VOLTAGE)
        return bad_mix(rd, rule, "set nudge.kind: current, or use rule coupled",
                       d->rule == RH_RULE_EQPROP ? "rule eqprop nudges by current or conductance, not by voltage"
                                                 : "rule holomorphic nudges by current or conductance, not by voltage");
    if (d->rule == RH_RULE_FREQUENCY && d->nudge != RH_NUDGE_CURRENT)
        return bad_mix(rd, rule, "set nudge: {kind: current, strength: ...}, in A/V",
                       "rule frequency sends an error current: nudge.kind must be current");
    if (d->hold == RH_HOLD_NODES && d->nudge != RH_NUDGE_VOLTAGE)
        return bad_mix(rd, nudge, "leave hold at difference, or set nudge.kind: voltage",
                       "hold: nodes is for the voltage nudge");
    if (d->nudge == RH_NUDGE_VOLTAGE && !(d->strength <= 1))
        return bad_mix(rd, strength ? strength : nudge, "strength is the share of the way to the target, 0 to 1",
                       "a voltage nudge goes at most all the way to the target");
    return RHEO_OK;
}

static rheo_status read_learning_fields(const rh_reader *rd, rh_yaml *map, rh_learn_def *def) {
    for (int i = 0; i < RH_N_LEARNING_FIELD;
         i++) { /* optimizer and state first: the unit of the rate depends on them */
        rh_field f = RH_LEARNING_FIELDS[i];
        if (f.offset == offsetof(rh_learn_def, rate)) f.unit = rh_rate_unit(def->optimizer, def->state);
        if (f.offset == offsetof(rh_learn_def, epsilon) && def->state != RH_STATE_CONDUCTANCE) f.unit = "V^2";
        RH_STEP(rh_read_fields(rd, map, &f, 1, def));
    }
    return RHEO_OK;
}

/* There are no defaults: a law with a part that nobody gave is not that of a machine. */
static rheo_status read_charging(const rh_reader *rd, rh_yaml *learning, rh_learn_def *def) {
    const char *names[MAX_KEYS];
    rh_yaml *map = NULL;
    const int before = rd->report->n_error;
    RHEO_TRY(rh_read_map(rd, learning, "charging", false, &map));
    if (!map) return RHEO_OK;
    RH_STEP(rh_read_fields(rd, map, RH_CHARGING_FIELDS, RH_N_CHARGING_FIELD, def));
    RH_STEP(
        rh_experiment_rest(rd, map, "charging", names, field_names(RH_CHARGING_FIELDS, RH_N_CHARGING_FIELD, names, 0)));
    for (int i = 0; i < RH_N_CHARGING_FIELD && rd->report->n_error == before; i++)
        if (!rh_yaml_get(map, RH_CHARGING_FIELDS[i].name))
            return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_MISSING, rh_yaml_loc(rd, map),
                                   "for example charging: {resistance: 1k, capacitance: 2.2u, v0: 1, pulse: 100u}",
                                   "key '%s' of 'charging' is missing", RH_CHARGING_FIELDS[i].name);
    return RHEO_OK;
}

static rheo_status read_learning(rheo_experiment *x, const rh_reader *rd, rh_yaml *root) {
    const char *names[MAX_KEYS];
    rh_learn_def *const def = &x->learn;
    rh_yaml *map = NULL;
    const int before = rd->report->n_error;
    RHEO_TRY(rh_read_map(rd, root, "learning", false, &map));
    RH_STEP(read_learning_fields(rd, map, def));
    RH_STEP(read_nudge(rd, map, def));
    RH_STEP(read_block(rd, map, "schedule", RH_SCHEDULE_FIELDS, RH_N_SCHEDULE_FIELD, def));
    RH_STEP(rh_experiment_read_rates(x, rd, map));
    RH_STEP(read_charging(rd, map, def));
    int n = field_names(RH_LEARNING_FIELDS, RH_N_LEARNING_FIELD, names, 0);
    names[n++] = "nudge";
    names[n++] = "schedule";
    names[n++] = "rates";
    names[n++] = "charging";
    RH_STEP(rh_experiment_rest(rd, map, "learning", names, n));
    return map && rd->report->n_error == before ? check_learning(rd, map, def) : RHEO_OK;
}

static rheo_status read_memory(const rh_reader *rd, rh_yaml *root, rh_learn_def *def) {
    const char *names[MAX_KEYS];
    rh_field own[RH_MAX_PAR];
    rh_yaml *map = NULL;
    RHEO_TRY(rh_read_map(rd, root, "memory", false, &map));
    RH_STEP(rh_read_fields(rd, map, RH_MEMORY_FIELDS, RH_N_MEMORY_FIELD, def));
    const int n_own = rh_kernel_fields(def->kernel, own);
    for (int i = 0; i < RH_MAX_PAR; i++) def->par[i] = 0;
    rh_fields_default(own, n_own, def);
    RH_STEP(rh_read_fields(rd, map, own, n_own, def));
    int n = field_names(RH_MEMORY_FIELDS, RH_N_MEMORY_FIELD, names, 0);
    n = field_names(own, n_own, names, n);
    return rh_experiment_rest(rd, map, "memory", names, n);
}

/* The closed form takes everything; read after learning, protocol and memory. */
static rheo_status check_engine(const rh_reader *rd, rh_yaml *solver, const rheo_experiment *x) {
    rheo_error e = { 0 };
    rh_yaml *const backend = rh_yaml_get(solver, "backend"), *const engine = rh_yaml_get(solver, "engine");
    if (x->engine.engine != RH_ENGINE_TRANSIENT || rd->report->n_error > 0) return RHEO_OK;
    if (!strcmp(x->backend, RH_OUTSIDE))
        return bad_mix(rd, backend, "leave solver.backend away, or run `rheo cosim`, where ngspice does all of it",
                       "the engine transient solves its operating points itself");
    if (rh_timing_check(&x->learn, &RH_IN_TIME, &e) == RHEO_OK) return RHEO_OK;
    return rh_experiment_forward(rd->report, &e, rh_yaml_loc(rd, engine));
}

static rheo_status read_solver(const rh_reader *rd, rh_yaml *root, rheo_experiment *x) {
    const char *keys[MAX_KEYS] = { "backend" }, *choices[MAX_KEYS + 3] = { "auto" };
    for (int i = 0; i < RH_N_MATRIX && i < MAX_KEYS; i++) choices[i + 1] = RH_MATRICES[i]->name;
    choices[RH_N_MATRIX + 1] = RH_OUTSIDE;
    rh_yaml *map = NULL;
    int which = 0;
    RHEO_TRY(rh_read_map(rd, root, "solver", false, &map));
    const rh_yaml *backend = rh_yaml_get(map, "backend");
    if (backend) RH_STEP(rh_read_choice(rd, backend, "backend", choices, &which));
    x->backend = rh_strdup(choices[which]);
    if (!x->backend) return RH_REPORT_NOMEM(rd->report);
    RH_STEP(rh_read_fields(rd, map, RH_ENGINE_FIELDS, RH_N_ENGINE_FIELD, &x->engine));
    RH_STEP(rh_experiment_rest(rd, map, "solver", keys, field_names(RH_ENGINE_FIELDS, RH_N_ENGINE_FIELD, keys, 1)));
    return check_engine(rd, map, x);
}

/* ---- the top level ---- */

static rheo_status read_version(const rh_reader *rd, rh_yaml *root) {
    rh_yaml *y = rh_yaml_get(root, "version");
    int64_t version = 0;
    if (!y)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_MISSING, rh_yaml_loc(rd, NULL),
                               "write version: 1 as the first line", "key 'version' is missing");
    RHEO_TRY(rh_read_int64(rd, y, "version", 1, INT32_MAX, &version));
    if (version == 1) return RHEO_OK;
    return rh_report_error(rd->report, RHEO_E_RANGE, RH_CODE_RANGE, rh_yaml_loc(rd, y), "this program reads version 1",
                           "experiments of version %lld are not known", (long long)version);
}

static rheo_status read_path(const rheo_experiment *x, const rh_reader *rd, rh_yaml *root, const char *key,
                             bool required, char **out) {
    rh_yaml *y = rh_yaml_get(root, key);
    const char *text = NULL;
    if (!y && required)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_MISSING, rh_yaml_loc(rd, NULL), NULL,
                               "key '%s' is missing", key);
    if (!y) return RHEO_OK;
    RHEO_TRY(rh_read_text(rd, y, key, &text));
    *out = rh_experiment_path(x, text);
    return *out ? RHEO_OK : RH_REPORT_NOMEM(rd->report);
}

static rheo_status check_batch(const rh_reader *rd, rh_yaml *root, const rheo_experiment *x) {
    rh_yaml *const run = rh_yaml_get(root, "run");
    if (x->engine.engine != RH_ENGINE_TRANSIENT || x->run.batch == 1) return RHEO_OK;
    return bad_mix(rd, rh_yaml_get(run, "batch"), "set run.batch: 1",
                   "the engine transient shows one sample after another: a circuit learns online");
}

static rheo_status read_settings(rheo_experiment *x, rh_reader *rd, rh_yaml *root) {
    rh_yaml *domain = rh_yaml_get(root, "domain"), *seed = rh_yaml_get(root, "seed");
    RH_STEP(read_version(rd, root));
    if (domain) RH_STEP(rh_read_choice(rd, domain, "domain", RH_DOMAINS, &x->domain));
    rd->hydraulic = x->domain == 1;
    if (seed) RH_STEP(rh_read_int64(rd, seed, "seed", 0, INT64_MAX, &x->seed));
    RH_STEP(read_learning(x, rd, root));
    RH_STEP(read_block(rd, root, "protocol", RH_PROTOCOL_FIELDS, RH_N_PROTOCOL_FIELD, &x->learn));
    RH_STEP(read_memory(rd, root, &x->learn));
    RH_STEP(read_solver(rd, root, x));
    RH_STEP(read_block(rd, root, "run", RH_RUN_FIELDS, RH_N_RUN_FIELD, &x->run));
    x->learn.threads = x->run.threads;
    RH_STEP(check_batch(rd, root, x));
    return read_path(x, rd, root, "output", false, &x->output);
}

static bool same_folder(const char *a, const char *b) {
    struct stat x, y;
    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

bool rh_experiment_add_include(rheo_experiment *x, char *path, bool absolute) {
    const size_t n = (size_t)x->n_include;
    bool there = false;
    for (size_t k = 0; path && k < n; k++) there = there || same_folder(x->include_dir[k], path);
    char **const dir = path && !there ? rh_realloc(x->include_dir, n + 1, sizeof *dir) : NULL;
    if (dir) x->include_dir = dir;
    bool *const as_written = dir ? rh_realloc(x->include_absolute, n + 1, sizeof *as_written) : NULL;
    if (as_written) {
        x->include_absolute = as_written;
        x->include_dir[n] = path;
        x->include_absolute[n] = absolute;
        x->n_include++;
        return true;
    }
    rh_free(path);
    return there;
}

static rheo_status read_include_dirs(rheo_experiment *x, const rh_reader *rd, rh_yaml *root) {
    rh_yaml *const y = rh_yaml_get(root, "include_dirs");
    const char **list;
    int n;
    if (!y) return RHEO_OK;
    RHEO_TRY(rh_read_names(rd, y, "include_dirs", &list, &n));
    if (rh_yaml_get(root, "network"))
        return rh_report_error(rd->report, RHEO_E_USAGE, RH_CODE_MIX, rh_yaml_loc(rd, y), "take it out",
                               "'include_dirs' is for netlists, and the circuit comes from 'network'");
    for (int k = 0; k < n; k++)
        if (!rh_experiment_add_include(x, rh_experiment_path(x, list[k]), list[k][0] == '/'))
            return RH_REPORT_NOMEM(rd->report);
    return RHEO_OK;
}

/* The reader of netlists knows no place for a folder that it cannot open. */
static rh_loc netlist_loc(const rheo_experiment *x, const rh_reader *rd, rh_yaml *root) {
    struct stat info;
    const rh_yaml *const dirs = rh_yaml_get(root, "include_dirs");
    for (int k = 0; dirs && k < x->n_include; k++)
        if (stat(x->include_dir[k], &info) != 0) return rh_yaml_loc(rd, k < dirs->n ? dirs->item[k] : dirs);
    return rh_yaml_loc(rd, rh_yaml_get(root, "netlist"));
}

static rheo_status read_netlist(rheo_experiment *x, const rh_reader *rd, rh_yaml *root, const rh_experiment_io *io) {
    RHEO_TRY(read_path(x, rd, root, "netlist", true, &x->netlist));
    rh_report *r = rd->report;
    const char *text = NULL;
    if (!x->netlist) return RHEO_E_PARSE;
    RHEO_TRY(rh_read_text(rd, rh_yaml_get(root, "netlist"), "netlist", &text));
    x->netlist_absolute = text[0] == '/';
    rheo_error e = { 0 };
    rheo_netlist_def def = rheo_netlist_default();
    def.include_dir = (const char *const *)x->include_dir;
    def.n_include_dir = x->n_include;
    const rheo_status st = io->circuit(io->user, x->netlist, &def, &x->circuit, r->log, &e);
    return st == RHEO_OK ? st : rh_experiment_forward(r, &e, netlist_loc(x, rd, root));
}

static rheo_status read_circuit(rheo_experiment *x, const rh_reader *rd, rh_yaml *root, const rh_experiment_io *io) {
    rh_report *r = rd->report;
    const rh_yaml *const netlist = rh_yaml_get(root, "netlist"), *const network = rh_yaml_get(root, "network");
    const rh_loc at = rh_yaml_loc(rd, network ? network : netlist);
    if (netlist && network)
        return rh_report_error(r, RHEO_E_USAGE, RH_CODE_MIX, at, "take one of them out",
                               "the circuit comes from 'netlist' or from 'network', not from both");
    RH_STEP(read_include_dirs(x, rd, root));
    RHEO_TRY(network ? rh_experiment_read_network(x, rd, root) : read_netlist(x, rd, root, io));
    if (x->circuit->n_edge > 0) return rh_experiment_resolve_rates(x, rd, rh_yaml_get(root, "learning"));
    return rh_report_error(r, RHEO_E_PARSE, RH_CODE_NO_EDGE, at,
                           "mark edges by a comment line in the netlist: *@ learn R*",
                           "no element of this netlist can learn");
}

static rheo_status read_all(rheo_experiment *x, rh_reader *rd, const rh_experiment_io *io) {
    static const char *const KEYS[] = { "version",  "netlist",  "include_dirs", "network", "domain", "seed",  "task",
                                        "learning", "protocol", "memory",       "solver",  "run",    "output" };
    rh_yaml *root = x->doc.root, *task = NULL;
    rh_report *r = rd->report;
    if (root->type != RH_YAML_MAP)
        return rh_report_error(r, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(rd, root),
                               "write version: 1 as the first line", "an experiment is a block of 'key: value' lines");
    root->used = true;
    RH_STEP(read_settings(x, rd, root));
    RH_STEP(rh_read_map(rd, root, "task", true, &task));
    RH_STEP(read_circuit(x, rd, root, io));
    RH_STEP(rh_experiment_rest(rd, root, NULL, KEYS, RH_COUNT(KEYS)));
    if (!task || rh_report_full(r)) return RHEO_OK;
    RH_STEP(rh_experiment_read_ports(x, rd, task));
    if (x->circuit) RH_STEP(rh_experiment_resolve(x, r));
    return rh_report_full(r) ? RHEO_OK : rh_experiment_read_samples(x, rd, task, io);
}

rheo_status rh_experiment_build(rheo_experiment *x, const rh_experiment_io *io, const rheo_log *log, rheo_error *err) {
    rheo_error first = { 0 };
    rh_report report = { .log = log, .err = &first };
    rh_reader rd = { .doc = &x->doc, .report = &report };
    rh_learn_default(&x->learn);
    rh_fields_default(RH_RUN_FIELDS, RH_N_RUN_FIELD, &x->run);
    rh_fields_default(RH_ENGINE_FIELDS, RH_N_ENGINE_FIELD, &x->engine);
    x->seed = 1;
    x->network_seed = -1;
    x->csv = (rh_csv_task_def){ .range = { 0, 1 }, .level = { 0, 1 }, .target_range = { NAN, NAN } };
    read_all(x, &rd, io);
    if (report.n_error == 0) return RHEO_OK;
    if (err && err->status == RHEO_OK) *err = first;
    return first.status;
}

/* ---- files ---- */

static rheo_status circuit_of_file(void *user, const char *path, const rheo_netlist_def *def, rheo_circuit **out,
                                   const rheo_log *log, rheo_error *err) {
    (void)user;
    return rheo_netlist_read(out, path, def, log, err);
}

static rheo_status table_of_file(void *user, const char *path, bool header, rh_csv *out, rheo_error *err) {
    (void)user;
    return rh_csv_read(out, path, header, err);
}

static rheo_status images_of_files(void *user, const rh_csv_task_def *def, rh_task *out, rheo_error *err) {
    (void)user;
    return rh_idx_task(out, def, err);
}

static char *current_folder(void) {
    for (size_t size = 256; size <= 65536; size *= 2) {
        char *buf = rh_alloc(size);
        if (buf && getcwd(buf, size)) return buf;
        rh_free(buf);
        if (!buf) return NULL;
    }
    return NULL;
}

static rheo_status read_document(rheo_experiment *x, const char *path, const char *const *set, int n_set,
                                 rh_report *r) {
    x->path = rh_strdup(path);
    x->folder = rh_path_folder(path);
    x->cwd = current_folder();
    if (!x->path || !x->folder) return RH_REPORT_NOMEM(r);
    RHEO_TRY(rh_document_read(&x->doc, path, r));
    if (n_set > 0 && x->doc.root->type != RH_YAML_MAP) return RHEO_OK; /* said when it is read */
    rheo_status st = RHEO_OK;
    for (int i = 0; i < n_set && !rh_report_full(r); i++) {
        const rheo_status one = rh_document_set(&x->doc, set[i], r);
        if (st == RHEO_OK) st = one;
    }
    return st;
}

/* Those of the command line are searched behind those of the file. */
static bool add_given(rheo_experiment *x, const rh_experiment_given *given) {
    bool ok = true;
    for (int k = 0; ok && k < given->n_include; k++) {
        const char *const dir = given->include_dir[k];
        ok = rh_experiment_add_include(x, rh_path_tidy(rh_strdup(dir)), dir[0] == '/');
    }
    return ok;
}

rheo_status rh_experiment_read(rheo_experiment **out, const char *path, const rh_experiment_given *given,
                               const rheo_log *log, rheo_error *err) {
    static const rh_experiment_io FILES = { circuit_of_file, table_of_file, images_of_files, NULL };
    rheo_experiment *x = rh_calloc(1, sizeof(*x));
    if (!x) return RH_NOMEM(err);
    rh_report r = { .log = log, .err = err };
    rheo_status st = read_document(x, path, given->set, given->n_set, &r);
    if (st == RHEO_OK && !add_given(x, given)) st = RH_NOMEM(err);
    if (st == RHEO_OK) st = rh_experiment_build(x, &FILES, log, err);
    if (st == RHEO_OK)
        *out = x;
    else
        rheo_experiment_destroy(x);
    return st;
}

rheo_status rheo_experiment_read(rheo_experiment **out, const char *path, const char *const *set, int n_set,
                                 const rheo_log *log, rheo_error *err) {
    return rh_experiment_read(out, path, &(rh_experiment_given){ .set = set, .n_set = n_set }, log, err);
}

void rheo_experiment_destroy(rheo_experiment *x) {
    if (!x) return;
    for (int k = 0; k < x->n_include; k++) rh_free(x->include_dir[k]);
    rh_free(x->include_dir);
    rh_free(x->include_absolute);
    rh_task_free(&x->task);
    rheo_circuit_destroy(x->circuit);
    rh_document_free(&x->doc);
    rh_free(x->path);
    rh_free(x->folder);
    rh_free(x->netlist);
    rh_free(x->network_par);
    rh_free(x->backend);
    rh_free(x->output);
    rh_free(x->rate_glob);
    rh_free(x->rate_value);
    rh_free(x->edge_rate);
    rh_free(x->in_elem);
    rh_free(x->in_sign);
    rh_free(x->out);
    rh_free(x->cwd);
    rh_free(x);
}

const rheo_circuit *rheo_experiment_circuit(const rheo_experiment *x) { return x->circuit; }

rh_ports rh_experiment_ports(const rheo_experiment *x) {
    return (rh_ports){ .n_in = x->task.n_in,
                       .in_elem = x->in_elem,
                       .in_sign = x->in_sign,
                       .n_out = x->task.n_out,
                       .out = (const int(*)[2])x->out };
}

rh_samples rh_experiment_samples(const rheo_experiment *x) {
    return (rh_samples){ .n = x->task.n_sample,
                         .in = x->task.in,
                         .target = x->task.target,
                         .label = x->task.label,
                         .input = rh_task_inputs,
                         .ctx = &x->task };
}
