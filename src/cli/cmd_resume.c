/* rheo resume: go on with a run that was interrupted. */
#include "cli/training.h"

static const rh_option OPTIONS[] = {
    { "threads", 0, RH_OPT_INT, "N", "instead of run.threads; changes no result", 1, 1024, NULL },
    { "gauge", 0, RH_OPT_FLAG, NULL, "compare updates with the exact gradient, if the run has no checkpoint yet", 0, 0,
      NULL },
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

static rheo_status run(rh_cli *cli) {
    rh_training t;
    RHEO_TRY(rh_training_open(&t, cli));
    rh_training_begin(&t, "resuming", cli->operand[0]);
    return rh_training_close(&t, rheo_resume(cli->operand[0], &t.def, &t.result, &cli->log, &t.err));
}

const rh_command rh_cmd_resume = {
    .name = "resume",
    .summary = "go on with a run from its newest good checkpoint",
    .usage = "[options] DIRECTORY",
    .examples = "  rheo resume runs/allostery\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .notes = "result.npz ends byte for byte as if the run had not been interrupted.\n",
};
