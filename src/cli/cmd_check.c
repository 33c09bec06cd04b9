/* rheo check: is a netlist or an experiment right? */
#include "circuit/circuit.h"
#include "cli/cli.h"
#include "rheo/netlist.h"
#include "run/look.h"

#include <strings.h>
#include <unistd.h>

static const rh_option OPTIONS[] = {
    { "allow-short", 0, RH_OPT_FLAG, NULL, "a resistor of 0 ohm becomes 1 mohm, with a warning", 0, 0, NULL },
    { "lenient", 0, RH_OPT_FLAG, NULL, "unknown dot cards are warnings", 0, 0, NULL },
    { "untrusted", 0, RH_OPT_FLAG, NULL, "what other programs would execute or open is an error", 0, 0, NULL },
    { "max-errors", 0, RH_OPT_INT, "N", "stop after so many errors (20)", 1, 1e6, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

enum { MAX_INPUT = 1 << 30 };

/* ---- netlists of strangers ---- */

/* Passes messages on; warnings about security become errors. */
typedef struct guard {
    rh_cli *cli;
    int n;
} guard;

static void emit_strictly(void *user, const rheo_error *message) {
    guard *const g = user;
    rheo_error copy = *message;
    if (copy.code >= 600 && copy.code < 700) {
        copy.severity = RHEO_ERROR;
        g->n++;
    }
    g->cli->log.emit(g->cli->log.user, &copy);
}

/* Words of ngspice's command language that run programs, load code or touch files. The first ones are named wherever a
 * line begins with them, the others in control blocks only: outside, Cd and Rspice are elements. */
static const char *const REACHING[] = { "codemodel", "shell",  "source",  "system",    "osdi",   "load",   "use",
                                        "unixcom",   "aspice", "cd",      "edit",      "fopen",  "fread",  "gnuplot",
                                        "hardcopy",  "jobs",   "iplot",   "mc_source", "rspice", "snload", "snsave",
                                        "wrdata",    "write",  "wrnodev", "wrs2p" };
enum { ANYWHERE = 8 };

static bool reaches_outside(const char *at, size_t n, bool in_block) {
    char word[24] = { 0 };
    for (size_t k = 0; k < n && k < sizeof word - 1; k++) word[k] = at[k];
    const char *const name = strncasecmp(word, "pre_", 4) == 0 ? word + 4 : word; /* pre_: before the netlist is read */
    for (int i = 0; i < (in_block || name != word ? RH_COUNT(REACHING) : ANYWHERE); i++)
        if (rh_streq(name, REACHING[i])) return true;
    return false;
}

static void name_place(rh_report *r, const rh_source *source, int code, int line, size_t col, size_t n,
                       const char *what) {
    rh_report_warning(r, code, (rh_loc){ source, line, (int)col + 1, (int)n }, NULL, "%s", what);
}

/* Commands are separated by semicolons. */
static void scan_commands(rh_report *r, const rh_source *source, int line, const char *text, size_t n, bool in_block) {
    for (size_t at = 0; at < n; at++) {
        at += strspn(text + at, " \t");
        const size_t word = at < n ? strcspn(text + at, " \t\r\n;") : 0;
        if (word && reaches_outside(text + at, word, in_block))
            name_place(r, source, 609, line, at, word, "in a control block ngspice would do this");
        const char *const next = at < n ? memchr(text + at, ';', n - at) : NULL;
        if (!next) break;
        at = (size_t)(next - text);
    }
    const char *const to_file = in_block ? memchr(text, '>', n) : NULL;
    if (to_file)
        name_place(r, source, 609, line, (size_t)(to_file - text), 1, "ngspice would write what follows into a file");
}

static bool begins(const char *line, const char *word) { return strncasecmp(line, word, strlen(word)) == 0; }

/* What the reader of netlists does not look at, since to it these are comments or parts of a skipped block. */
static void scan_source(const rh_source *source, const rheo_log *log) {
    rh_report report = { .log = log, .max_error = 1000 };
    bool in_block = false;
    int line = 1;
    for (const char *p = source->text; p && *p && !rh_report_full(&report); line++) {
        const size_t n = strcspn(p, "\n"), blank = strspn(p, " \t");
        const char *const quote = memchr(p, '`', n), *const text = p + blank;
        if (quote)
            name_place(&report, source, 608, line, (size_t)(quote - p), 1,
                       "ngspice may run what stands between back-quotes");
        if (begins(text, "*ng_script")) {
            name_place(&report, source, 609, line, blank, 10, "ngspice would take this file for a script of commands");
            in_block = true;
        }
        if (begins(text, ".control")) in_block = true;
        if (begins(text, ".endc")) in_block = false;
        if (text[0] != '*' && (line > 1 || in_block)) scan_commands(&report, source, line, p, n, in_block);
        p = p[n] ? p + n + 1 : NULL;
    }
    rh_report_close(&report);
}

/* Start-up files of ngspice beside the netlist: it reads them before anything else. */
static void scan_folder(const char *path, const rheo_log *log) {
    static const char *const NAMES[] = { ".spiceinit", "spice.rc", "spinit" };
    const char *const slash = strrchr(path, '/');
    for (int i = 0; i < RH_COUNT(NAMES); i++) {
        char name[1024];
        const int n = snprintf(name, sizeof name, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, NAMES[i]);
        if (n < 0 || (size_t)n >= sizeof name || access(name, F_OK) != 0) continue;
        rh_source source = { .name = name, .text = (char *)(uintptr_t) "", .quotable = false };
        rh_report report = { .log = log, .max_error = 1000 };
        name_place(&report, &source, 611, 1, 0, 1, "ngspice would execute this file if it were started here");
    }
}

/* What was found, for the last line. */
typedef struct finding {
    const char *kind; /* "netlist" or "experiment" */
    int n_node, n_element, n_edge, n_train, n_test;
    rh_buf columns; /* what became of those of a table */
} finding;

static int count_listed(const int *part, int n) {
    int listed = 0;
    for (int k = 0; k < n; k++) listed += part[k] >= 0;
    return listed;
}

/* What the user wrote is counted; all of it is diagnosed. */
static rheo_status describe(finding *f, const rheo_circuit *c, rheo_error *err) {
    rh_parts parts;
    const rheo_status st = rh_parts_find(&parts, c, err);
    if (st == RHEO_OK) {
        f->n_node = count_listed(parts.node, c->n_node);
        f->n_element = count_listed(parts.elem, c->n_elem);
        f->n_edge = c->n_edge;
    }
    rh_parts_free(&parts);
    return st == RHEO_OK ? rh_diagnose(c, NULL, NULL, err) : st;
}

/* text NULL: that of the file. */
static rheo_status check_text(const char *path, const char *text, size_t n, const rheo_log *log, rheo_error *err) {
    char *copy = NULL;
    if (text) {
        copy = rh_strndup(text, n);
        if (!copy) return RH_NOMEM(err);
    } else {
        RHEO_TRY(rh_file_read(path, MAX_INPUT, &copy, &n, err));
    }
    const rh_source source = {
        .name = (char *)(uintptr_t)(text ? "<stdin>" : path), .text = copy, .size = n, .quotable = true
    };
    scan_source(&source, log);
    if (!text) scan_folder(path, log);
    rh_free(copy);
    return RHEO_OK;
}

static rheo_status check_netlist(rh_cli *cli, const char *path, const char *text, size_t n, finding *f,
                                 rheo_error *err) {
    rheo_netlist_def def = rheo_netlist_default();
    def.allow_short = rh_opt_flag(cli, "allow-short");
    def.lenient = rh_opt_flag(cli, "lenient");
    def.max_error = (int)rh_opt_number(cli, "max-errors", def.max_error);
    rheo_circuit *c = NULL;
    f->kind = "netlist";
    guard g = { .cli = cli };
    const bool strict = rh_opt_flag(cli, "untrusted");
    const rheo_log log = strict ? (rheo_log){ emit_strictly, &g } : cli->log;
    if (strict) RHEO_TRY(check_text(path, text, n, &log, err));
    const char **const dirs = rh_input_dirs(cli, &def);
    if (!dirs) return RH_NOMEM(err);
    const rheo_status read = text ? rheo_netlist_parse(&c, text, n, "<stdin>", &def, &log, err)
                                  : rheo_netlist_read(&c, path, &def, &log, err);
    rh_free(dirs);
    RHEO_TRY(read);
    for (int k = 1; strict && k < c->n_source; k++) scan_source(c->source[k], &log); /* what it includes */
    const rheo_status st = describe(f, c, err);
    rheo_circuit_destroy(c);
    if (st != RHEO_OK || g.n == 0) return st;
    return rh_fail(err, RHEO_E_PARSE, 610, RH_NOWHERE, "%s: not to be opened in other programs: %d dangerous place%s",
                   text ? "<stdin>" : path, g.n, g.n == 1 ? "" : "s");
}

static rheo_status check_experiment(rh_cli *cli, const char *path, finding *f, rheo_error *err) {
    rheo_experiment *x = NULL;
    f->kind = "experiment";
    RHEO_TRY(rh_input_experiment_file(cli, path, NULL, 0, &x, err));
    f->n_train = x->task.n_train;
    f->n_test = x->task.n_test;
    rh_experiment_tell_columns(&f->columns, x);
    rheo_status st = describe(f, x->circuit, err);
    if (st == RHEO_OK) st = rh_look_all(x, &cli->log, err);
    rheo_experiment_destroy(x);
    return st;
}

static rheo_status check_stdin(rh_cli *cli, finding *f, rheo_error *err) {
    char *text = NULL;
    size_t n = 0;
    f->kind = "netlist";
    RHEO_TRY(rh_file_read("-", MAX_INPUT, &text, &n, err));
    rheo_status st;
    if (rh_input_looks_like_experiment(text)) {
        st = rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "an experiment cannot come from standard input");
        rh_hint(err, "its paths count from its folder: give the name of the file");
    } else {
        st = check_netlist(cli, "-", text, n, f, err);
    }
    rh_free(text);
    return st;
}

/* *path: what was checked, where that is not the operand. */
static rheo_status check_file(rh_cli *cli, const char *operand, char **path, finding *f, rheo_error *err) {
    bool experiment;
    f->kind = "file";
    if (strcmp(operand, "-") == 0) return check_stdin(cli, f, err);
    RHEO_TRY(rh_input_find(cli, operand, path, &experiment, err));
    return experiment ? check_experiment(cli, *path, f, err) : check_netlist(cli, *path, NULL, 0, f, err);
}

static void add_finding(rh_buf *b, const finding *f, const char *path, int n_warning) {
    rh_buf_printf(b, "%s: ok: %s with %d nodes, %d elements, %d learnable", path, f->kind, f->n_node, f->n_element,
                  f->n_edge);
    if (f->n_train) rh_buf_printf(b, ", %d training and %d test samples", f->n_train, f->n_test);
    rh_buf_printf(b, ", %d warning%s\n", n_warning, n_warning == 1 ? "" : "s");
    for (const char *line = f->columns.s; line && *line; line = strchr(line, '\n') + 1)
        rh_buf_printf(b, "  %.*s\n", (int)strcspn(line, "\n"), line);
    if (f->columns.bad) b->bad = true;
}

static void add_json(rh_buf *b, const finding *f, const char *path, rheo_status st, int n_error, int n_warning) {
    rh_buf_puts(b, "{\"event\":\"check\"");
    rh_json_text(b, "file", path);
    rh_json_text(b, "kind", f->kind);
    rh_buf_printf(b, ",\"ok\":%s", st == RHEO_OK ? "true" : "false");
    rh_json_text(b, "status", rheo_status_text(st));
    if (f->n_node) {
        rh_json_count(b, "nodes", f->n_node);
        rh_json_count(b, "elements", f->n_element);
        rh_json_count(b, "learnable", f->n_edge);
    }
    if (f->n_train) {
        rh_json_count(b, "training_samples", f->n_train);
        rh_json_count(b, "test_samples", f->n_test);
    }
    rh_json_count(b, "errors", n_error);
    rh_json_count(b, "warnings", n_warning);
    rh_buf_puts(b, "}\n");
}

static rheo_status check_one(rh_cli *cli, const char *operand) {
    rheo_error err = { 0 };
    char *found = NULL;
    finding f = { 0 };
    const int n_error = cli->n_error, n_warning = cli->n_warning;
    const rheo_status st = rh_cli_failed(cli, check_file(cli, operand, &found, &f, &err), &err);
    const char *const path = found ? found : operand;
    rh_buf b = { 0 };
    if (cli->json)
        add_json(&b, &f, path, st, cli->n_error - n_error, cli->n_warning - n_warning);
    else if (st == RHEO_OK && !cli->quiet)
        add_finding(&b, &f, path, cli->n_warning - n_warning);
    const rheo_status written = rh_cli_write(cli, &b);
    rh_buf_free(&f.columns);
    rh_free(found);
    return st != RHEO_OK ? st : written;
}

static rheo_status run(rh_cli *cli) {
    rheo_status first = RHEO_OK;
    cli->keep_messages = cli->json;
    for (int i = 0; i < cli->n_operand; i++) {
        const rheo_status st = check_one(cli, cli->operand[i]);
        if (first == RHEO_OK) first = st;
    }
    return first;
}

const rh_command rh_cmd_check = {
    .name = "check",
    .summary = "say whether netlists and experiments are right",
    .usage = "[options] FILE|RUNDIR...",
    .examples = "  rheo check net.cir\n"
                "  rheo check examples/*.yaml\n"
                "  cat net.cir | rheo check -\n"
                "  rheo check --untrusted from-the-web.cir\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = -1,
    .run = run,
    .takes = RH_TAKES_NETLIST | RH_TAKES_EXPERIMENT | RH_TAKES_TRAINED,
    .notes = "A file is an experiment when its name ends in .yaml or .yml, a netlist when it ends in .cir, .net, .sp, "
             ".spice or\n"
             ".ckt; otherwise its content decides. Of a run directory trained.cir is checked. Netlists are also "
             "searched for nodes without a DC path to ground, "
             "voltage\n"
             "loops and current cut sets (exit code 4).\n",
};
