/* rheo tune: proposals for an experiment. */
#include "cli/cli.h"
#include "rheo/netlist.h"
#include "run/run.h"

static const rh_option OPTIONS[] = {
    { "set", 0, RH_OPT_TEXT, "BLOCK.KEY=VALUE", "any setting of the experiment; may be repeated", 0, 0, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

static void json(rh_buf *b, const rh_proposal *p, const char *yaml) {
    const rh_tuning *const t = &p->tuning;
    rh_buf_puts(b, "{\"event\":\"tune\"");
    rh_json_count(b, "samples", p->n_sample);
    rh_json_number(b, "amplitude_p10", t->a_small);
    rh_json_number(b, "amplitude_median", t->a_median);
    rh_json_number(b, "amplitude_largest", t->a_large);
    rh_buf_puts(b, ",\"set\":{");
    for (int i = 0; i < p->n; i++) {
        rh_buf_printf(b, "%s\"%s.%s\":", i ? "," : "", p->set[i].block, p->set[i].key);
        rh_buf_json_number(b, p->set[i].value);
    }
    rh_buf_puts(b, "}");
    rh_json_text(b, "yaml", yaml);
    rh_buf_puts(b, "}\n");
}

static rheo_status propose(rh_cli *cli, rh_buf *b, rheo_error *err) {
    rheo_experiment *x = NULL;
    rh_proposal p;
    char *text = NULL;
    rheo_status st = rh_input_experiment_set(cli, &x, err);
    if (st == RHEO_OK) st = rh_propose(x, &p, &cli->log, err);
    if (st == RHEO_OK) st = rh_proposal_print(x, &p, &text, err);
    if (st == RHEO_OK && cli->json)
        json(b, &p, text);
    else if (st == RHEO_OK)
        rh_buf_puts(b, text);
    rheo_text_free(text);
    rheo_experiment_destroy(x);
    return st;
}

static rheo_status run(rh_cli *cli) {
    rh_buf b = { 0 };
    rheo_error err = { 0 };
    const rheo_status st = propose(cli, &b, &err);
    if (st == RHEO_OK) return rh_cli_write(cli, &b);
    rh_buf_free(&b);
    return rh_cli_failed(cli, st, &err);
}

const rh_command rh_cmd_tune = {
    .name = "tune",
    .summary = "propose strength, threshold and times for an experiment",
    .usage = "[options] EXPERIMENT|RUNDIR",
    .examples = "  rheo tune exp.yaml\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_EXPERIMENT | RH_TAKES_CONFIG,
    .notes = "Prints YAML with the reasons as comments, and the same as options of `rheo train`; nothing is changed.\n"
             "With --json the numbers are under the names that --set takes, and infinite ones are left out.\n",
};
