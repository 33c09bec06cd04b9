/* rheo export: a learning network as files for other programs. */
#include "cli/cli.h"
#include "rheo/export.h"
#include "rheo/netlist.h"
#include "run/run.h"

#include <math.h>

static const char *const FORMATS[] = { "spice", NULL }, *const LEVELS[] = { "behavioural", "device", "ideal", NULL };

static const rh_option OPTIONS[] = {
    { "format", 0, RH_OPT_CHOICE, "FORMAT", "spice (default)", 0, 0, FORMATS },
    { "level", 0, RH_OPT_CHOICE, "LEVEL",
      "behavioural (default, or ideal): controlled sources; device: parts that can be bought", 0, 0, LEVELS },
    { "teeth", 0, RH_OPT_INT, "N", "teeth of the sawtooth, one sample each, instead of all epochs", 1, 1e6, NULL },
    { "output", 'o', RH_OPT_TEXT, "FILE", "write here instead of to standard output", 0, 0, NULL },
    { "force", 0, RH_OPT_FLAG, NULL, "replace FILE", 0, 0, NULL },
    { "set", 0, RH_OPT_TEXT, "BLOCK.KEY=VALUE", "any setting of the experiment; may be repeated", 0, 0, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

/* What ngspice 39 takes per tooth and edge where this was measured: 3.7 to 5.6 ms with 4 and 24 edges. */
static const double PER_TOOTH = 5e-3; /* s */

static void tell(const rh_cli *cli, const rheo_experiment *x, const rheo_export_def *def) {
    enum { FEW = 30 };
    const double teeth = def->teeth > 0 ? (double)def->teeth : (double)x->run.epochs * x->task.n_train;
    const double s = PER_TOOTH * (teeth + 2 * rh_experiment_n_scored(x)) * rheo_circuit_n_edge(x->circuit);
    char count[32], time[48];
    if (s < 100)
        snprintf(time, sizeof time, "%.0f s", fmax(1, s));
    else if (s < 6000)
        snprintf(time, sizeof time, "%.0f min", s / 60);
    else
        snprintf(time, sizeof time, "%.0f h", s / 3600);
    rh_cli_note(cli, "%s teeth, %d edges: ngspice takes roughly %s%s", rh_number_text(teeth, count),
                rheo_circuit_n_edge(x->circuit), time, teeth > FEW ? "; --teeth 30 tries it" : "");
}

static rheo_status make(rh_cli *cli, char **text, rheo_error *err) {
    rheo_experiment *x = NULL;
    rheo_export_def def = rheo_export_default();
    def.level = rh_opt_text(cli, "level", def.level);
    def.teeth = (long)rh_opt_number(cli, "teeth", 0);
    rheo_status st = rh_input_experiment_set(cli, &x, err);
    if (st == RHEO_OK) st = rheo_export_spice(x, &def, text, err);
    if (st == RHEO_OK && !rh_streq(def.level, "device")) tell(cli, x, &def);
    rheo_experiment_destroy(x);
    return st;
}

static rheo_status run(rh_cli *cli) {
    rheo_error err = { 0 };
    char *text = NULL;
    const rheo_status st = make(cli, &text, &err);
    if (st != RHEO_OK) return rh_cli_failed(cli, st, &err);
    const rheo_status written = rh_cli_deliver(cli, text);
    rheo_text_free(text);
    return written;
}

const rh_command rh_cmd_export = {
    .name = "export",
    .summary = "write the whole learning machine as a SPICE deck",
    .usage = "[options] EXPERIMENT|RUNDIR",
    .examples = "  rheo export examples/selflearn-4.yaml -o learn.cir\n"
                "  ngspice -b -n learn.cir\n"
                "  rheo export --level device examples/selflearn-mosfet.yaml -o parts.cir\n"
                "  rheo export --teeth 40 exp.yaml | less\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_EXPERIMENT | RH_TAKES_CONFIG,
    .notes = "The deck learns by itself in any SPICE: network, memories, dead zones, storage, sawtooth, samples.\n"
             "It measures rms0 and rms1 (errors before and after) and wf1, wf2, ... (stored voltages).\n",
};
