/* rundir.c: making the run directory, and the files that say what is run. */
#include "run/rundir.h"
#include "run/library.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The files of a run, and nothing else, are what --force removes. config.yaml is not here: it is replaced in one piece.
 */
static const char *const FILES[] = {
    "result.npz",  "trained.cir",        "metrics.jsonl",      "environment.json",
    "report.html", "checkpoints/a.ckpt", "checkpoints/b.ckpt",
};

bool rh_rundir_is(const char *path) {
    char config[PATH_MAX];
    struct stat info;
    const int n = snprintf(config, sizeof config, "%s/config.yaml", path);
    return n > 0 && (size_t)n < sizeof config && stat(config, &info) == 0;
}

char *rh_rundir_config(const char *directory) { return rh_path_join(directory, "config.yaml"); }
char *rh_rundir_trained(const char *directory) { return rh_path_join(directory, "trained.cir"); }

static rheo_status no_path(rheo_error *err, const char *path) {
    char text[128];
    return rh_fail(err, RHEO_E_IO, 402, RH_NOWHERE, "'%s': %s", path, strerror_r(errno, text, sizeof text));
}

/* Is there a file of a run? */
static rheo_status holds_run(const char *directory, bool *yes, rheo_error *err) {
    *yes = false;
    for (int i = -1; i < RH_COUNT(FILES); i++) {
        char *const path = rh_path_join(directory, i < 0 ? "config.yaml" : FILES[i]);
        if (!path) return RH_NOMEM(err);
        struct stat info;
        *yes = *yes || lstat(path, &info) == 0;
        rh_free(path);
    }
    return RHEO_OK;
}

static rheo_status remove_one(const char *directory, const char *name, const char *suffix, rheo_error *err) {
    rh_buf path = { 0 };
    rh_buf_puts(&path, directory);
    rh_buf_puts(&path, "/");
    rh_buf_puts(&path, name);
    rh_buf_puts(&path, suffix);
    rheo_status st = path.bad ? RH_NOMEM(err) : RHEO_OK;
    if (st == RHEO_OK && unlink(path.s) != 0 && errno != ENOENT) st = no_path(err, path.s);
    rh_buf_free(&path);
    return st;
}

static rheo_status remove_run(const char *directory, rheo_error *err) {
    for (int i = 0; i < RH_COUNT(FILES); i++) {
        RHEO_TRY(remove_one(directory, FILES[i], "", err));
        RHEO_TRY(remove_one(directory, FILES[i], ".tmp", err)); /* what a killed writer leaves */
    }
    return RHEO_OK;
}

static rheo_status make_folders(const char *wanted, char *directory, size_t size, rheo_error *err) {
    RHEO_TRY(rh_dir_create(wanted, err));
    char real[PATH_MAX];
    if (!realpath(wanted, real)) return errno == ENOMEM ? RH_NOMEM(err) : no_path(err, wanted);
    if (strlen(real) >= size)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "the path of the run directory is longer than %zu bytes",
                       size - 1);
    memcpy(directory, real, strlen(real) + 1);
    char *const checkpoints = rh_path_join(directory, "checkpoints");
    if (!checkpoints) return RH_NOMEM(err);
    const rheo_status st = rh_dir_create(checkpoints, err);
    rh_free(checkpoints);
    return st;
}

static rheo_status write_named(const char *directory, const char *name, const char *text, size_t n, rheo_error *err) {
    char *const path = rh_path_join(directory, name);
    const rheo_status st = path ? rh_file_write(path, text, n, err) : RH_NOMEM(err);
    rh_free(path);
    return st;
}

static rheo_status write_config(const rheo_experiment *as_run, const char *directory, rheo_error *err) {
    char *text = NULL;
    RHEO_TRY(rh_experiment_print_beside(as_run, directory, &text, err));
    const rheo_status st = write_named(directory, "config.yaml", text, strlen(text), err);
    rheo_text_free(text);
    return st;
}

rheo_status rh_rundir_lock(const char *directory, int *lock, rheo_error *err) {
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return no_path(err, directory);
    /* A file system without locks is no reason not to run. The lock goes with the process, however it ends. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        *lock = fd;
        return RHEO_OK;
    }
    close(fd);
    return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "another process is running in '%s'", directory);
}

static rheo_status refuse(const char *wanted, bool given, rheo_error *err) {
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "'%s' holds a run already", wanted);
    char *const checkpoints = rh_path_join(wanted, "checkpoints");
    if (!checkpoints) return st; /* said without a hint */
    given = given || rh_checkpoint_flags(checkpoints) & RH_CHECKPOINT_GIVEN;
    rh_free(checkpoints);
    rh_hint(err, "%schoose another directory, or replace it with --force", given ? "" : "go on with `rheo resume`, ");
    return st;
}

rheo_status rh_rundir_begin(const rheo_experiment *x, const rheo_train_def *def, bool given, char *directory,
                            size_t size, int *lock, rheo_error *err) {
    const char *const wanted = def->output ? def->output : x->output;
    if (!wanted) {
        const rheo_status st = rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "the experiment names no run directory");
        rh_hint(err, "add `output: runs/name` to the experiment, or give -o");
        return st;
    }
    bool there;
    RHEO_TRY(holds_run(wanted, &there, err));
    if (there && !def->force) return refuse(wanted, given, err);
    RHEO_TRY(make_folders(wanted, directory, size, err));
    RHEO_TRY(rh_rundir_lock(directory, lock, err));
    rheo_status st = remove_run(directory, err);
    rheo_experiment as_run = *x; /* lent, only to be printed */
    as_run.output = directory;
    if (def->seed >= 0) as_run.seed = def->seed;
    if (st == RHEO_OK) st = write_config(&as_run, directory, err);
    if (st != RHEO_OK) close(*lock);
    return st;
}

rheo_status rh_rundir_extend(const char *directory, const rheo_experiment *x, long epochs, double target_error,
                             rheo_error *err) {
    if (epochs > RH_MAX_EPOCHS || (epochs >= 0 && epochs < x->run.epochs))
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                       "the run has %d epochs: it can be made longer, up to %d, not %ld", x->run.epochs, RH_MAX_EPOCHS,
                       epochs);
    rheo_experiment as_run = *x;
    if (epochs >= 0) as_run.run.epochs = (int)epochs;
    if (target_error >= 0) as_run.run.target_error = target_error;
    return write_config(&as_run, directory, err);
}

static uint64_t hash_of_samples(const rh_task *t) {
    const size_t n_sample = (size_t)t->n_sample;
    uint64_t h = RH_HASH_START;
    if (t->in) h = rh_hash(h, t->in, n_sample * (size_t)t->n_in * sizeof *t->in);
    if (t->bytes.x) h = rh_hash(h, t->bytes.x, n_sample * t->bytes.n_column);
    h = rh_hash(h, t->target, n_sample * (size_t)t->n_out * sizeof *t->target);
    if (t->label) h = rh_hash(h, t->label, n_sample * sizeof *t->label);
    h = rh_hash(h, t->train, (size_t)t->n_train * sizeof *t->train);
    h = rh_hash(h, t->validation, (size_t)t->n_validation * sizeof *t->validation);
    return rh_hash(h, t->test, (size_t)t->n_test * sizeof *t->test);
}

rheo_status rh_rundir_identity(const rheo_experiment *x, rh_identity *id, char **settings, rheo_error *err) {
    rheo_experiment as_run = *x; /* when to stop may change */
    as_run.run.epochs = 0;
    as_run.run.target_error = 0;
    char *text = NULL, *cards = NULL;
    rheo_status st = rh_experiment_print_settings(&as_run, &text, err);
    if (st == RHEO_OK) st = rheo_netlist_print(&cards, x->circuit, NULL, err);
    if (st == RHEO_OK) {
        id->part[RH_PART_SETTINGS] = rh_hash(RH_HASH_START, text, strlen(text));
        id->part[RH_PART_CIRCUIT] = rh_hash(RH_HASH_START, cards, strlen(cards));
        id->part[RH_PART_SAMPLES] = hash_of_samples(&x->task);
        id->settings = *settings = text;
        text = NULL;
    }
    rheo_text_free(cards);
    rheo_text_free(text);
    return st;
}

static void add_text(rh_buf *b, const char *key, const char *value) {
    rh_buf_printf(b, ",\n  \"%s\": ", key);
    rh_buf_json_string(b, value);
}

/* The files behind tables of currents: trained.cir holds their points, this says where they came from. */
static void add_tables(rh_buf *b, const rheo_circuit *c) {
    if (c->n_table == 0) return;
    rh_buf_puts(b, ",\n  \"tables\": [");
    for (int k = 0; k < c->n_table; k++) {
        rh_buf_puts(b, k ? ", {\"file\": " : "{\"file\": ");
        rh_buf_json_string(b, c->table[k].name);
        rh_buf_printf(b, ", \"sha256\": \"%s\", \"points\": %d}", c->table[k].sha256, c->table[k].n_point);
    }
    rh_buf_puts(b, "]");
}

rheo_status rh_rundir_environment(const char *directory, const rheo_experiment *x, rheo_error *err) {
    rh_buf b = { 0 };
    rh_buf_puts(&b, "{\n  \"program\": \"rheo\"");
    add_text(&b, "version", rheo_version());
#ifdef __clang__
    add_text(&b, "compiler", __VERSION__);
#else
    add_text(&b, "compiler", "gcc " __VERSION__);
#endif
#ifdef __OPTIMIZE__
    add_text(&b, "optimised", "yes");
#else
    add_text(&b, "optimised", "no");
#endif
#ifdef RHEO_CFLAGS
    add_text(&b, "flags", RHEO_CFLAGS);
#endif
    for (int i = 0; i < RH_N_LIBRARY; i++) {
        char version[64];
        RH_LIBRARIES[i].version(version, sizeof version);
        add_text(&b, RH_LIBRARIES[i].name, version);
    }
    rh_buf_printf(&b, ",\n  \"processors\": %ld", sysconf(_SC_NPROCESSORS_ONLN));
    add_tables(&b, x->circuit);
    rh_buf_printf(&b, ",\n  \"seed\": %lld\n}\n", (long long)x->seed);
    const rheo_status st = b.bad ? RH_NOMEM(err) : write_named(directory, "environment.json", b.s, b.n, err);
    rh_buf_free(&b);
    return st;
}
