/* rheo train: run an experiment from the beginning. */
#include "cli/training.h"
#include "run/run.h"

static const rh_option OPTIONS[] = {
    { "output", 'o', RH_OPT_TEXT, "DIR", "run directory instead of the experiment's `output`", 0, 0, NULL },
    { "force", 0, RH_OPT_FLAG, NULL, "replace a run that is there", 0, 0, NULL },
    { "epochs", 0, RH_OPT_INT, "N", "instead of run.epochs", 1, 1e9, NULL },
    { "target-error", 0, RH_OPT_NUMBER, "X", "instead of run.target_error: exit code 1 if the loss stays above", 0,
      1e300, NULL },
    { "seed", 0, RH_OPT_INT, "N", "instead of the experiment's seed", 0, 9007199254740992.0, NULL },
    { "threads", 0, RH_OPT_INT, "N", "instead of run.threads; changes no result", 1, 1024, NULL },
    { "gauge", 0, RH_OPT_FLAG, NULL, "compare every update with the exact gradient", 0, 0, NULL },
    { "set", 0, RH_OPT_TEXT, "BLOCK.KEY=VALUE", "any setting of the experiment; may be repeated", 0, 0, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

/* Options that stand for a setting; they come after those of --set. */
static const char *const SETTINGS[][2] = { { "epochs", "run.epochs" },
                                           { "target-error", "run.target_error" },
                                           { "seed", "seed" } };
enum { N_SETTING = RH_COUNT(SETTINGS), SETTING = 64 };

/* All overrides, in text[N_SETTING] where they are made here. */
static const char **overrides(const rh_cli *cli, char text[N_SETTING][SETTING], int *n) {
    const char **set = rh_opt_all(cli, "set", n);
    const char **const all = set ? rh_realloc(set, (size_t)*n + N_SETTING, sizeof *all) : NULL;
    if (!all) {
        rh_free(set);
        return NULL;
    }
    for (int i = 0; i < N_SETTING; i++) {
        char number[32];
        if (!rh_opt_given(cli, SETTINGS[i][0])) continue;
        snprintf(text[i], SETTING, "%s=%s", SETTINGS[i][1],
                 rh_number_text(rh_opt_number(cli, SETTINGS[i][0], 0), number));
        all[(*n)++] = text[i];
    }
    return all;
}

static rheo_status read_experiment(rh_training *t, rheo_experiment **x) {
    char text[N_SETTING][SETTING];
    int n;
    const char **const set = overrides(t->cli, text, &n);
    if (!set) return RH_NOMEM(&t->err);
    const rheo_status st = rh_input_experiment(t->cli, set, n, x, &t->err);
    rh_free(set);
    return st;
}

static void tell_columns(const rh_cli *cli, const rheo_experiment *x) {
    rh_buf b = { 0 };
    rh_experiment_tell_columns(&b, x);
    if (b.n > 0 && !b.bad) rh_cli_note(cli, "%.*s", (int)b.n - 1, b.s);
    rh_buf_free(&b);
}

static rheo_status run(rh_cli *cli) {
    rh_training t;
    rheo_experiment *x = NULL;
    RHEO_TRY(rh_training_open(&t, cli, "training"));
    t.def.output = rh_opt_text(cli, "output", NULL);
    t.def.force = rh_opt_flag(cli, "force");
    rheo_status st = read_experiment(&t, &x);
    if (st == RHEO_OK && cli->verbose) tell_columns(cli, x);
    if (st == RHEO_OK) st = rheo_train(x, &t.def, &t.result, &cli->log, &t.err);
    st = rh_training_close(&t, st);
    rheo_experiment_destroy(x);
    return st;
}

const rh_command rh_cmd_train = {
    .name = "train",
    .summary = "train a network as an experiment says",
    .usage = "[options] EXPERIMENT",
    .examples = "  rheo train examples/allostery.yaml\n"
                "  rheo train -o runs/a --seed 2 --set learning.rate=0.05 exp.yaml\n"
                "  rheo train --json --gauge exp.yaml > epochs.jsonl\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_EXPERIMENT,
    .notes = "Ctrl-C finishes the step, writes a checkpoint, trained.cir and result.npz, and shows how to go on; twice "
             "stops at once.\n",
};
