/* rheo gradcheck: the gradient of an experiment against finite differences. */
#include "circuit/circuit.h"
#include "cli/cli.h"
#include "run/gradcheck.h"
#include "run/look.h"

#include <math.h>

static const rh_option OPTIONS[] = {
    { "edges", 0, RH_OPT_INT, "N", "edges, drawn by seed (20)", 1, 1e9, NULL },
    { "samples", 0, RH_OPT_INT, "N", "training samples, the first ones (8)", 1, 1e9, NULL },
    { "tolerance", 0, RH_OPT_NUMBER, "X", "largest relative difference of the gradient (1e-6)", 0, 1e9, NULL },
    { "rule-tolerance", 0, RH_OPT_NUMBER, "X",
      "largest distance of the rule, as a share of the length of the gradient (not judged)", 0, 1e9, NULL },
    { "seed", 0, RH_OPT_INT, "N", "which edges (1)", 0, 9e15, NULL },
    { "set", 0, RH_OPT_TEXT, "BLOCK.KEY=VALUE", "any setting of the experiment; may be repeated", 0, 0, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

static const char *name_of(const rheo_experiment *x, int edge) {
    return x->circuit->elem_name[x->circuit->edge_elem[edge]];
}

static void add_number(rh_buf *b, double x) {
    char text[32];
    snprintf(text, sizeof text, "  %13.6e", x);
    rh_buf_puts(b, text);
}

static void add_table(rh_buf *b, const rheo_experiment *x, const rh_gradcheck *g) {
    rh_buf_printf(b, "%-16s  %13s  %13s  %13s  %13s  %8s\n", "edge", "state", RH_RULES[x->learn.rule], "adjoint",
                  "difference", "relative");
    for (int i = 0; i < g->n; i++) {
        const rh_gradcheck_row *const r = &g->row[i];
        const char *const name = name_of(x, r->edge);
        char text[32];
        rh_buf_puts(b, name);
        for (size_t k = strlen(name); k < 16; k++) rh_buf_puts(b, " ");
        add_number(b, r->state);
        add_number(b, r->rule);
        add_number(b, r->adjoint);
        add_number(b, r->difference);
        snprintf(text, sizeof text, "  %8.1e\n", r->relative);
        rh_buf_puts(b, text);
    }
    char text[160];
    snprintf(text, sizeof text, "# %d of %d edges, %d sample%s: adjoint within %.1e", g->n, x->circuit->n_edge,
             g->n_sample, g->n_sample == 1 ? "" : "s", g->worst >= 0 ? g->row[g->worst].relative : 0);
    rh_buf_puts(b, text);
    snprintf(text, sizeof text, "; rule %s: cosine %.6g, length %.6g, distance %.2g\n", RH_RULES[x->learn.rule],
             g->cosine, g->length, g->off);
    rh_buf_puts(b, text);
}

static void add_json(rh_buf *b, const rheo_experiment *x, const rh_gradcheck *g, rheo_status st) {
    for (int i = 0; i < g->n; i++) {
        const rh_gradcheck_row *const r = &g->row[i];
        rh_buf_puts(b, "{\"event\":\"gradcheck\"");
        rh_json_text(b, "edge", name_of(x, r->edge));
        rh_json_number(b, "state", r->state);
        rh_json_number(b, "rule", r->rule);
        rh_json_number(b, "adjoint", r->adjoint);
        rh_json_number(b, "difference", r->difference);
        rh_json_number(b, "relative", r->relative);
        rh_buf_puts(b, "}\n");
    }
    rh_buf_puts(b, "{\"event\":\"done\"");
    rh_json_count(b, "edges", g->n);
    rh_json_count(b, "samples", g->n_sample);
    rh_json_number(b, "worst", g->worst >= 0 ? g->row[g->worst].relative : 0);
    rh_json_number(b, "rule_cosine", g->cosine);
    rh_json_number(b, "rule_length", g->length);
    rh_json_number(b, "rule_distance", g->off);
    rh_buf_printf(b, ",\"ok\":%s}\n", st == RHEO_OK ? "true" : "false");
}

static rheo_status check(rh_cli *cli, const rheo_experiment *x, rheo_error *err) {
    const rh_gradcheck_def def = { .n_edge = (int)rh_opt_number(cli, "edges", 20),
                                   .n_sample = (int)rh_opt_number(cli, "samples", 8),
                                   .seed = (uint64_t)rh_opt_number(cli, "seed", 1),
                                   .tolerance = rh_opt_number(cli, "tolerance", 1e-6),
                                   .rule = rh_opt_number(cli, "rule-tolerance", INFINITY) };
    rh_gradcheck g;
    const rheo_status st = rh_gradcheck_run(x, &def, &g, &cli->log, err);
    if (st != RHEO_OK && st != RHEO_E_GOAL) return st;
    rh_buf b = { 0 };
    if (cli->json)
        add_json(&b, x, &g, st);
    else
        add_table(&b, x, &g);
    const bool poor = x->learn.rule == RH_RULE_TCL && g.cosine < RH_LOOK_COSINE;
    rh_gradcheck_free(&g);
    const rheo_status written = rh_cli_write(cli, &b);
    bool told = false;
    if (written == RHEO_OK && poor) RHEO_TRY(rh_look_dead_zone(x, NULL, &told, &cli->log, err));
    if (poor && !told)
        rh_cli_note(cli, "the memory is not to blame, two phases are as far from the gradient: lower nudge.strength");
    return written == RHEO_OK ? st : written;
}

static rheo_status run(rh_cli *cli) {
    rheo_error err = { 0 };
    rheo_experiment *x = NULL;
    rheo_status st = rh_input_experiment_set(cli, &x, &err);
    if (st == RHEO_OK) st = check(cli, x, &err);
    rheo_experiment_destroy(x);
    return cli->out != RHEO_OK ? st : rh_cli_failed(cli, st, &err);
}

const rh_command rh_cmd_gradcheck = {
    .name = "gradcheck",
    .summary = "the gradient of an experiment, and what its rule makes of it, against finite differences",
    .usage = "[options] EXPERIMENT|RUNDIR",
    .examples = "  rheo gradcheck examples/xor-mosfet.yaml\n"
                "  rheo gradcheck --edges 100 --samples 1 --tolerance 1e-7 exp.yaml\n"
                "  rheo gradcheck --set learning.rule=eqprop --rule-tolerance 0.01 exp.yaml\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_EXPERIMENT | RH_TAKES_CONFIG,
    .notes = "Slopes of the mean loss by the state of each edge, at the start, also of a run. Relative differences "
             "count slopes below a "
             "thousandth of\nthe largest as that. Exit code 1 above a tolerance.\n",
};
