/* rheo resume: go on with a run that was interrupted, or train a finished one longer. */
#include "cli/training.h"
#include "run/run.h"

static const rh_option OPTIONS[] = {
    { "epochs", 0, RH_OPT_INT, "N", "train until N epochs, more than the run has: also one that is finished", 1,
      RH_MAX_EPOCHS, NULL },
    { "target-error", 0, RH_OPT_NUMBER, "X", "a new goal instead of run.target_error", 0, 1e300, NULL },
    { "threads", 0, RH_OPT_INT, "N", "instead of run.threads; changes no result", 1, 1024, NULL },
    { "gauge", 0, RH_OPT_FLAG, NULL, "compare updates with the exact gradient, if the run has no checkpoint yet", 0, 0,
      NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

static rheo_status run(rh_cli *cli) {
    rh_training t;
    char *path = NULL;
    bool experiment;
    RHEO_TRY(rh_training_open(&t, cli, "resuming"));
    t.def.epochs = (long)rh_opt_number(cli, "epochs", -1);
    t.def.target_error = rh_opt_number(cli, "target-error", -1);
    const char **const dirs = rh_opt_all(cli, "include-dir", &t.def.n_include_dir);
    t.def.include_dir = dirs;
    rheo_status st = dirs ? rh_input_find(cli, cli->operand[0], &path, &experiment, &t.err) : RH_NOMEM(&t.err);
    if (st == RHEO_OK) st = rheo_resume(path, &t.def, &t.result, &cli->log, &t.err);
    st = rh_training_close(&t, st);
    rh_free(dirs);
    rh_free(path);
    if (st == RHEO_OK && t.n_progress == 0)
        rh_cli_note(cli, "nothing was left to do; --epochs N, above %ld, trains longer", t.result.epochs);
    return st;
}

const rh_command rh_cmd_resume = {
    .name = "resume",
    .summary = "go on with a run from its newest good checkpoint",
    .usage = "[options] DIRECTORY",
    .examples = "  rheo resume runs/allostery\n"
                "  rheo resume --epochs 5000 runs/allostery    a finished run goes on to 5000 epochs\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_RUN,
    .notes = "result.npz ends byte for byte as if the run had not been interrupted. --epochs, --target-error and "
             "--include-dir "
             "change config.yaml.\n",
};
