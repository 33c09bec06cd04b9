/* input.c: what an operand is, and which file of a run directory a command reads. */
#include "cli/cli.h"
#include "rheo/netlist.h"
#include "run/run.h"
#include "run/rundir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum kind { NETLIST, EXPERIMENT, RUN, FOLDER, TABLE, ARRAYS, CHECKPOINT, JSON, BINARY, UNKNOWN } kind;

static const char *const NAMES[] = {
    "a netlist",  "an experiment",        "a run directory", "a folder and not a run directory",
    "a table",    "an archive of arrays", "a checkpoint",    "a file of JSON lines",
    "not a text",
};

enum { HEAD = 1 << 14 }; /* bytes that tell what a file is */

static bool ends_with(const char *path, const char *const *endings) {
    const char *const dot = strrchr(path, '.');
    for (; dot && *endings; endings++)
        if (rh_streq(dot, *endings)) return true;
    return false;
}

static kind kind_of_name(const char *path) {
    static const char *const YAML[] = { ".yaml", ".yml", NULL }, *const CSV[] = { ".csv", ".tsv", NULL };
    static const char *const SPICE[] = { ".cir", ".net", ".sp", ".spice", ".ckt", NULL };
    static const char *const NPZ[] = { ".npz", ".npy", NULL }, *const LINES[] = { ".jsonl", NULL };
    return ends_with(path, YAML)    ? EXPERIMENT
           : ends_with(path, SPICE) ? NETLIST
           : ends_with(path, CSV)   ? TABLE
           : ends_with(path, NPZ)   ? ARRAYS
           : ends_with(path, LINES) ? JSON
                                    : UNKNOWN;
}

static bool has_line(const char *text, const char *const *beginnings) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        for (const char *const *b = beginnings; *b; b++)
            if (strncmp(line, *b, strlen(*b)) == 0) return true;
    }
    return false;
}

bool rh_input_looks_like_experiment(const char *text) {
    static const char *const KEYS[] = { "version:", "netlist:", "task:", "learning:", NULL };
    return has_line(text, KEYS);
}

static kind kind_of_text(const char *head, size_t n) {
    static const char *const CARDS[] = {
        "*@", ".end", ".subckt", ".model", ".param", ".include", ".op", ".tran", NULL
    };
    if (n >= 4 && memcmp(head, "PK\3\4", 4) == 0) return ARRAYS;
    if (n >= 8 && memcmp(head, "RHEOCKPT", 8) == 0) return CHECKPOINT;
    if (memchr(head, '\0', n)) return BINARY;
    return rh_input_looks_like_experiment(head) ? EXPERIMENT : has_line(head, CARDS) ? NETLIST : UNKNOWN;
}

/* UNKNOWN as well where there is nothing to be read: whoever reads it says why. The ending of the name goes before the
 * content: the title of a netlist may be anything. */
static kind look(const char *path) {
    struct stat info;
    char head[HEAD + 1];
    if (strcmp(path, "-") == 0 || stat(path, &info) != 0) return UNKNOWN;
    if (S_ISDIR(info.st_mode)) return rh_rundir_is(path) ? RUN : FOLDER;
    const int fd = S_ISREG(info.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd < 0) return UNKNOWN;
    const ssize_t n = read(fd, head, HEAD);
    close(fd);
    if (n <= 0) return UNKNOWN;
    head[n] = '\0';
    const kind by_name = kind_of_name(path), by_text = kind_of_text(head, (size_t)n);
    const bool magic = by_text == ARRAYS || by_text == CHECKPOINT;
    return magic || by_name == UNKNOWN ? by_text : by_name;
}

/* "a netlist or an experiment" */
static const char *wanted(unsigned takes, char *text, size_t size) {
    const char *list[3];
    int n = 0;
    if (takes & RH_TAKES_NETLIST) list[n++] = NAMES[NETLIST];
    if (takes & RH_TAKES_EXPERIMENT) list[n++] = NAMES[EXPERIMENT];
    if (takes & (RH_TAKES_RUN | RH_TAKES_TRAINED | RH_TAKES_CONFIG)) list[n++] = NAMES[RUN];
    snprintf(text, size, "%s%s%s%s%s", n > 0 ? list[0] : "",
             n == 3   ? ", "
             : n == 2 ? " or "
                      : "",
             n > 1 ? list[1] : "", n == 3 ? " or " : "", n > 2 ? list[2] : "");
    return text;
}

/* The run directory in which a file lies, itself or in a folder of it; NULL: in none. */
static char *run_around(const char *path) {
    char *folder = rh_path_folder(path);
    for (int up = 0; folder && up < 2; up++) {
        if (rh_rundir_is(folder)) return folder;
        char *const above = rh_path_folder(folder);
        rh_free(folder);
        folder = above;
    }
    rh_free(folder);
    return NULL;
}

static void add_hint(const rh_cli *cli, kind k, const char *path, const char *shown, rheo_error *err) {
    char *const run = k == ARRAYS || k == CHECKPOINT || k == JSON ? run_around(path) : NULL;
    const bool resumes = (cli->command->takes & RH_TAKES_RUN) != 0;
    switch (k) {
    case NETLIST: rh_hint(err, "`rheo solve %s` solves it; an experiment has it behind `netlist:`", shown); break;
    case EXPERIMENT:
        if (resumes)
            rh_hint(err, "`rheo train %s` begins a run", shown);
        else
            rh_hint(err, "`rheo train %s` trains it; its circuit is in the file behind `netlist:`", shown);
        break;
    case RUN: rh_hint(err, "`rheo resume %s` goes on with it; %s/config.yaml is its experiment", shown, shown); break;
    case FOLDER: rh_hint(err, "a run directory has a config.yaml; else give a file"); break;
    case TABLE: rh_hint(err, "experiments read it: task: {kind: csv, file: %s}", shown); break;
    case ARRAYS:
        if (run)
            rh_hint(err, "NumPy opens it: numpy.load(\"%s\"); `rheo solve %s` solves what was learned", shown, run);
        else
            rh_hint(err, "NumPy opens it: numpy.load(\"%s\")", shown);
        break;
    case CHECKPOINT:
    case JSON:
        if (run)
            rh_hint(err, "`rheo resume %s` goes on with the run, `rheo solve %s` solves what it learned", run, run);
        break;
    default: break;
    }
    rh_free(run);
}

static bool takes(unsigned what, kind k) {
    switch (k) {
    case NETLIST: return (what & RH_TAKES_NETLIST) != 0;
    case EXPERIMENT: return (what & RH_TAKES_EXPERIMENT) != 0;
    case RUN: return (what & (RH_TAKES_RUN | RH_TAKES_TRAINED | RH_TAKES_CONFIG)) != 0;
    case UNKNOWN: return true;
    default: return false;
    }
}

/* trained.cir is missing as long as the run was neither finished nor interrupted in peace. */
static rheo_status trained(const char *run, char **path, rheo_error *err) {
    *path = rh_rundir_trained(run);
    if (!*path) return RH_NOMEM(err);
    if (access(*path, F_OK) == 0) return RHEO_OK;
    rh_fail(err, RHEO_E_IO, 401, RH_NOWHERE, "'%.200s' has no trained.cir yet", run);
    rh_hint(err, "`rheo resume %.150s` goes on with the run", run);
    rh_free(*path);
    *path = NULL;
    return RHEO_E_IO;
}

rheo_status rh_input_find(const rh_cli *cli, const char *operand, char **path, bool *experiment, rheo_error *err) {
    const unsigned what = cli->command->takes;
    const kind k = look(operand);
    *experiment =
        k == EXPERIMENT || !(what & (RH_TAKES_NETLIST | RH_TAKES_RUN)) || (k == RUN && what & RH_TAKES_CONFIG);
    if (!takes(what, k)) {
        char shown[128], text[80];
        rh_escape(operand, strlen(operand), shown, sizeof shown);
        rh_fail(err, k == FOLDER ? RHEO_E_IO : RHEO_E_USAGE, k == FOLDER ? 403 : 407, RH_NOWHERE,
                "'%s' is %s: `rheo %s` takes %s", shown, NAMES[k], cli->command->name, wanted(what, text, sizeof text));
        add_hint(cli, k, operand, shown, err);
        return err->status;
    }
    if (k == RUN && what & RH_TAKES_TRAINED) return trained(operand, path, err);
    *path = k == RUN && what & RH_TAKES_CONFIG ? rh_rundir_config(operand) : rh_strdup(operand);
    return *path ? RHEO_OK : RH_NOMEM(err);
}

const char **rh_input_dirs(const rh_cli *cli, rheo_netlist_def *def) {
    const char **const all = rh_opt_all(cli, "include-dir", &def->n_include_dir);
    def->include_dir = all;
    return all;
}

rheo_status rh_input_netlist(rh_cli *cli, const rheo_netlist_def *def, rheo_circuit **c, char **path, rheo_error *err) {
    bool experiment;
    rheo_netlist_def own = def ? *def : rheo_netlist_default();
    RHEO_TRY(rh_input_find(cli, cli->operand[0], path, &experiment, err));
    const char **const dirs = rh_input_dirs(cli, &own);
    const rheo_status st = dirs ? rheo_netlist_read(c, *path, &own, &cli->log, err) : RH_NOMEM(err);
    rh_free(dirs);
    return st;
}

rheo_status rh_input_experiment_file(rh_cli *cli, const char *path, const char *const *set, int n, rheo_experiment **x,
                                     rheo_error *err) {
    rh_experiment_given given = { .set = set, .n_set = n };
    const char **const dirs = rh_opt_all(cli, "include-dir", &given.n_include);
    if (!dirs) return RH_NOMEM(err);
    given.include_dir = dirs;
    const rheo_status st = rh_experiment_read(x, path, &given, &cli->log, err);
    rh_free(dirs);
    return st;
}

rheo_status rh_input_experiment(rh_cli *cli, const char *const *set, int n, rheo_experiment **x, rheo_error *err) {
    char *path = NULL;
    bool experiment;
    RHEO_TRY(rh_input_find(cli, cli->operand[0], &path, &experiment, err));
    const rheo_status st = rh_input_experiment_file(cli, path, set, n, x, err);
    rh_free(path);
    return st;
}

rheo_status rh_input_experiment_set(rh_cli *cli, rheo_experiment **x, rheo_error *err) {
    int n;
    const char **const set = rh_opt_all(cli, "set", &n);
    if (!set) return RH_NOMEM(err);
    const rheo_status st = rh_input_experiment(cli, set, n, x, err);
    rh_free(set);
    return st;
}
