/* rheo cosim: the learning machine in ngspice, beside rheo's two engines. */
#include "cli/training.h"
#include "rheo/cosim.h"

#include <math.h>

static const rh_option OPTIONS[] = {
    { "output", 'o', RH_OPT_TEXT, "DIR", "run directory instead of the experiment's `output`", 0, 0, NULL },
    { "force", 0, RH_OPT_FLAG, NULL, "replace a run that is there", 0, 0, NULL },
    { "epochs", 0, RH_OPT_INT, "N", "instead of run.epochs", 1, 1e6, NULL },
    { "worker", 0, RH_OPT_TEXT, "PATH", "rheo-ngworker, if it is not beside rheo", 0, 0, NULL },
    { "set", 0, RH_OPT_TEXT, "BLOCK.KEY=VALUE", "any setting of the experiment; may be repeated", 0, 0, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

static rheo_status read_experiment(rh_training *t, rheo_experiment **x) {
    char epochs[64], number[32];
    int n;
    const char **set = rh_opt_all(t->cli, "set", &n);
    const char **const all = set ? rh_realloc(set, (size_t)n + 1, sizeof *all) : NULL;
    if (!all) {
        rh_free(set);
        return RH_NOMEM(&t->err);
    }
    if (rh_opt_given(t->cli, "epochs")) {
        snprintf(epochs, sizeof epochs, "run.epochs=%s", rh_number_text(rh_opt_number(t->cli, "epochs", 0), number));
        all[n++] = epochs;
    }
    const rheo_status st = rh_input_experiment(t->cli, all, n, x, &t->err);
    rh_free(all);
    return st;
}

/* ---- the table ---- */

/* A number in a column. */
typedef char cell[24];
static const char *cell_of(cell c, const char *kind, double x, const char *unit) {
    const bool known = x == x;
    if (strcmp(kind, "fixed") == 0)
        snprintf(c, sizeof(cell), "%.1f%s", x, unit);
    else if (strcmp(kind, "power") == 0)
        snprintf(c, sizeof(cell), "%.2e%s", x, unit);
    else
        snprintf(c, sizeof(cell), "%.4g%s", x, unit);
    return known ? c : "-";
}

static void row(rh_buf *b, const rheo_cosim_result *r, int i) {
    const rheo_cosim_engine *const e = &r->engine[i];
    const bool reference = i == RHEO_COSIM_NGSPICE;
    cell c[8];
    rh_buf_printf(b, "%-10s %10s %10s %7s", e->name, cell_of(c[0], "short", e->rms_first, " V"),
                  cell_of(c[1], "short", e->rms_last, " V"), cell_of(c[2], "fixed", e->rms_first / e->rms_last, ""));
    rh_buf_printf(b, " %9s %9s  %-8.20s", cell_of(c[3], "power", reference ? NAN : e->w_max, ""),
                  cell_of(c[4], "power", reference ? NAN : e->w_rms, ""), reference ? "-" : e->worst);
    rh_buf_printf(b, " %9s %9s %11s %8s\n", cell_of(c[5], "short", e->seconds, " s"),
                  cell_of(c[6], "short", e->processor, " s"),
                  cell_of(c[7], "short", 1e3 * e->processor / (double)r->teeth, " ms"),
                  cell_of(c[0], "fixed", r->engine[RHEO_COSIM_NGSPICE].processor / e->processor, "x"));
}

static void table(rh_buf *b, const rheo_cosim_result *r) {
    rh_buf_printf(b, "%d edges, %ld teeth; differences of stored voltages are from ngspice, relative\n\n", r->n_edge,
                  r->teeth);
    rh_buf_printf(b, "%-10s %10s %10s %7s %9s %9s  %-8s %9s %9s %11s %8s\n", "engine", "rms0", "rms1", "fold", "w max",
                  "w rms", "worst", "time", "processor", "per tooth", "faster");
    for (int i = 0; i < RHEO_COSIM_ENGINES; i++) row(b, r, i);
}

static void json(rh_buf *b, const rheo_cosim_result *r) {
    rh_buf_puts(b, "{\"event\":\"cosim\"");
    rh_json_count(b, "edges", r->n_edge);
    rh_json_count(b, "teeth", r->teeth);
    rh_buf_puts(b, ",\"engines\":[");
    for (int i = 0; i < RHEO_COSIM_ENGINES; i++) {
        const rheo_cosim_engine *const e = &r->engine[i];
        rh_buf_printf(b, "%s{\"name\":\"%s\"", i ? "," : "", e->name);
        rh_json_number(b, "rms0", e->rms_first);
        rh_json_number(b, "rms1", e->rms_last);
        rh_json_number(b, "w_max", e->w_max);
        rh_json_number(b, "w_rms", e->w_rms);
        rh_json_text(b, "worst", e->worst);
        rh_json_number(b, "seconds", e->seconds);
        rh_json_number(b, "processor", e->processor);
        rh_json_number(b, "processor_per_tooth", e->processor / (double)r->teeth);
        rh_json_text(b, "directory", e->directory);
        rh_buf_puts(b, "}");
    }
    rh_buf_puts(b, "]}\n");
}

static rheo_status run(rh_cli *cli) {
    rh_training t;
    rheo_experiment *x = NULL;
    rheo_cosim_result r = { 0 };
    RHEO_TRY(rh_training_open(&t, cli, "ngspice learns"));
    t.def.output = rh_opt_text(cli, "output", NULL);
    t.def.force = rh_opt_flag(cli, "force");
    rheo_status st = read_experiment(&t, &x);
    if (st == RHEO_OK) st = rheo_cosim(x, &t.def, rh_opt_text(cli, "worker", NULL), &r, &cli->log, &t.err);
    rh_bar_destroy(t.bar);
    rheo_experiment_destroy(x);
    if (st == RHEO_E_INTERRUPTED)
        rh_hint(&t.err,
                "ngspice cannot begin in the middle: `rheo cosim --force` begins anew. What it had reached is in "
                "metrics.jsonl and trained.cir");
    if (st != RHEO_OK) return rh_cli_failed(cli, st, &t.err);
    rh_buf b = { 0 };
    if (cli->json)
        json(&b, &r);
    else
        table(&b, &r);
    if (!cli->json) rh_cli_note(cli, "run directory: %s", r.engine[RHEO_COSIM_NGSPICE].directory);
    return rh_cli_write(cli, &b);
}

const rh_command rh_cmd_cosim = {
    .name = "cosim",
    .summary = "let ngspice run the whole learning machine, beside rheo",
    .usage = "[options] EXPERIMENT",
    .examples = "  rheo cosim examples/selflearn-4.yaml\n"
                "  rheo cosim -o runs/three --epochs 40 exp.yaml\n"
                "  rheo cosim --json exp.yaml | tail -1\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_EXPERIMENT,
    .notes = "The deck is that of `rheo export`, with samples given by callback. The run directory is that of `rheo "
             "train`, and\n"
             "its folders closed/ and transient/ hold the runs of rheo's engines; metrics.jsonl has the error of every "
             "epoch.\n"
             "rms0, rms1: error of the free network before and after. Times are those of the whole run;\n"
             "per tooth and faster count processor time.\n",
};
