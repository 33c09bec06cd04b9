/* rheo compare: the same circuit by several engines. */
#include "cli/cli.h"
#include "run/compare.h"
#include "run/rundir.h"
#include "solver/outside.h"

#include <math.h>

static const rh_option OPTIONS[] = {
    { "backends", 0, RH_OPT_TEXT, "LIST", "engines, the first is what others are measured by (all there are)", 0, 0,
      NULL },
    { "samples", 0, RH_OPT_INT, "N", "samples, each free and clamped (4; of a run: all)", 1, 1e6, NULL },
    { "random", 0, RH_OPT_INT, "N", "N random circuits instead of a file, as `rheo gen mixed` makes them", 1, 1e5,
      NULL },
    { "random-kinds", 0, RH_OPT_TEXT, "LIST", "what they hold, by turns: linear, diode, mosfet, mixed (linear)", 0, 0,
      NULL },
    { "seed", 0, RH_OPT_INT, "N", "seed of the first one; the others count up from it (1)", 0, 9e15, NULL },
    { "smallest", 0, RH_OPT_INT, "N", "nodes of the first one (10)", 4, 1e6, NULL },
    { "largest", 0, RH_OPT_INT, "N", "nodes of the last one, sizes rise evenly on a log scale (2000)", 4, 1e6, NULL },
    { "p90", 0, RH_OPT_NUMBER, "X", "largest difference that nine potentials in ten may have (not asked)", 0, 1, NULL },
    { "tolerance", 0, RH_OPT_NUMBER, "X", "largest difference, as a share of the largest value (1e-6)", 0, 1, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

/* Names of the list in place; returns how many, 0 when one is unknown or there are too many. */
static int split(char *list, const char **names) {
    int n = 0;
    for (char *p = list; p; n++) {
        char *const comma = strchr(p, ',');
        if (comma) *comma = '\0';
        bool known = strcmp(p, RH_OUTSIDE) == 0;
        for (int i = 0; i < RH_N_MATRIX; i++) known = known || strcmp(p, RH_MATRICES[i]->name) == 0;
        if (!known || n == RH_MAX_ENGINE) return 0;
        names[n] = p;
        p = comma ? comma + 1 : NULL;
    }
    return n;
}

static int all_engines(const char **names) {
    int n = 0;
    for (; n < RH_N_MATRIX && n < RH_MAX_ENGINE - 1; n++) names[n] = RH_MATRICES[n]->name;
    names[n++] = RH_OUTSIDE;
    return n;
}

/* ---- what is compared ---- */

/* What was learned, by the names of the elements. */
static rheo_status trained(const char *folder, const rheo_circuit *c, double *g, rheo_error *err) {
    char *const path = rh_rundir_trained(folder);
    rheo_circuit *t = NULL;
    rheo_status st = path ? rheo_netlist_read(&t, path, NULL, NULL, err) : RH_NOMEM(err);
    for (int k = 0; st == RHEO_OK && k < c->n_edge; k++) {
        const int e = rheo_circuit_find_element(t, c->elem_name[c->edge_elem[k]]);
        if (e >= 0 && t->elem_edge[e] >= 0)
            g[k] = t->g_init[t->elem_edge[e]];
        else
            st = rh_fail(err, RHEO_E_USAGE, 324, RH_NOWHERE, "'%.150s' is not of this experiment: %s is missing", path,
                         c->elem_name[c->edge_elem[k]]);
    }
    rheo_circuit_destroy(t);
    rh_free(path);
    return st;
}

static rheo_status compare_experiment(rh_cli *cli, rh_compare *k, const char *path, const char *folder,
                                      rheo_error *err) {
    rheo_experiment *x = NULL;
    RHEO_TRY(rh_input_experiment_file(cli, path, NULL, 0, &x, err));
    double *const g = folder ? rh_calloc((size_t)x->circuit->n_edge, sizeof *g) : NULL;
    rheo_status st = folder && !g ? RH_NOMEM(err) : RHEO_OK;
    if (st == RHEO_OK && g) st = trained(folder, x->circuit, g, err);
    if (st == RHEO_OK) st = rh_compare_experiment(k, x, g, (int)rh_opt_number(cli, "samples", folder ? 1e6 : 4), err);
    rh_free(g);
    rheo_experiment_destroy(x);
    return st;
}

static rheo_status read_kinds(rh_cli *cli, rh_lottery *def, rheo_error *err) {
    const char *p = rh_opt_text(cli, "random-kinds", "linear");
    for (;; p++) {
        const size_t n = strcspn(p, ",");
        int k = 0;
        while (RH_LOTTERY_KINDS[k] && (strlen(RH_LOTTERY_KINDS[k]) != n || strncmp(RH_LOTTERY_KINDS[k], p, n) != 0))
            k++;
        if (!RH_LOTTERY_KINDS[k] || def->n_kind == RH_N_LOTTERY)
            return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                           "--random-kinds: a list of linear, diode, mosfet and mixed, separated by commas");
        def->kind[def->n_kind++] = k;
        p += n;
        if (!*p) return RHEO_OK;
    }
}

static rheo_status compare_random(rh_cli *cli, rh_compare *k, rheo_error *err) {
    rh_lottery def = { .n = (int)rh_opt_number(cli, "random", 1),
                       .small = (int)rh_opt_number(cli, "smallest", 10),
                       .large = (int)rh_opt_number(cli, "largest", 2000),
                       .seed = (uint64_t)rh_opt_number(cli, "seed", 1) };
    RHEO_TRY(read_kinds(cli, &def, err));
    return rh_compare_random(k, &def, err);
}

static rheo_status compare_path(rh_cli *cli, rh_compare *k, const char *path, bool experiment, rheo_error *err) {
    if (rh_rundir_is(path)) {
        char *const config = rh_rundir_config(path);
        const rheo_status st = config ? compare_experiment(cli, k, config, path, err) : RH_NOMEM(err);
        rh_free(config);
        return st;
    }
    if (experiment) return compare_experiment(cli, k, path, NULL, err);
    rheo_circuit *c = NULL;
    rheo_netlist_def def = rheo_netlist_default();
    const char **const dirs = rh_input_dirs(cli, &def);
    rheo_status st = dirs ? rheo_netlist_read(&c, path, &def, &cli->log, err) : RH_NOMEM(err);
    rh_free(dirs);
    if (st == RHEO_OK) st = rh_compare_circuit(k, c, "", err);
    rheo_circuit_destroy(c);
    return st;
}

static rheo_status compare_operand(rh_cli *cli, rh_compare *k, rheo_error *err) {
    char *path = NULL;
    bool experiment;
    RHEO_TRY(rh_input_find(cli, cli->operand[0], &path, &experiment, err));
    const rheo_status st = compare_path(cli, k, path, experiment, err);
    rh_free(path);
    return st;
}

/* ---- printing ---- */

static void add_row(rh_buf *b, const char *name, const char *what, const rh_gap *g) {
    rh_buf_puts(b, name);
    char text[160];
    snprintf(text, sizeof text, "%*s%-10s  %7d  %8.1e  %8.1e  %8.1e  %8.1e  ", (int)(10 - strlen(name)), "", what, g->n,
             rh_gap_share(g->rel, g->n, 0.5), rh_gap_share(g->rel, g->n, 0.9), g->worst, rh_gap_share(g->abs, g->n, 1));
    rh_buf_puts(b, text);
    rh_buf_printf(b, "%s\n", g->where);
}

static void add_table(rh_buf *b, const rh_compare *k) {
    rh_buf_printf(b, "%-10s%-10s  %7s  %8s  %8s  %8s  %8s  %s\n", "engine", "of", "values", "p50", "p90", "max",
                  "max V, A", "worst");
    rh_buf_printf(b, "%-10sthe others are measured by it: %d operating point%s\n", k->engine[0].name, k->n_case,
                  k->n_case == 1 ? "" : "s");
    for (int e = 1; e < k->n_engine; e++) {
        const rh_engine *const n = &k->engine[e];
        if (n->why_not[0]) {
            rh_buf_printf(b, "%-10s%s\n", n->name, n->why_not);
            continue;
        }
        add_row(b, n->name, "potential", &n->v);
        add_row(b, "", "current", &n->i);
        if (n->n_elsewhere)
            rh_buf_printf(b, "%-10s%d at another operating point than %s found alone, which both agree on\n", "",
                          n->n_elsewhere, k->engine[0].name);
        if (n->n_refused) rh_buf_printf(b, "%-10s%d circuits not taken: %s\n", "", n->n_refused, n->refused);
    }
}

static void add_json_gap(rh_buf *b, const char *key, const rh_gap *g) {
    rh_buf_printf(b, ",\"%s\":{\"n\":%d", key, g->n);
    rh_json_number(b, "p50", rh_gap_share(g->rel, g->n, 0.5));
    rh_json_number(b, "p90", rh_gap_share(g->rel, g->n, 0.9));
    rh_json_number(b, "max", g->worst);
    rh_json_number(b, "p50_absolute", rh_gap_share(g->abs, g->n, 0.5));
    rh_json_number(b, "p90_absolute", rh_gap_share(g->abs, g->n, 0.9));
    rh_json_number(b, "max_absolute", rh_gap_share(g->abs, g->n, 1));
    rh_json_text(b, "worst", g->where);
    rh_buf_puts(b, "}");
}

static void add_json(rh_buf *b, const rh_compare *k, const char *path, rheo_status st) {
    for (int e = 1; e < k->n_engine; e++) {
        const rh_engine *const n = &k->engine[e];
        rh_buf_puts(b, "{\"event\":\"compare\"");
        rh_json_text(b, "file", path);
        rh_json_text(b, "engine", n->name);
        rh_json_text(b, "reference", k->engine[0].name);
        rh_json_count(b, "points", n->n_case);
        rh_json_count(b, "refused", n->n_refused);
        rh_json_count(b, "elsewhere", n->n_elsewhere);
        if (n->why_not[0]) rh_json_text(b, "unavailable", n->why_not);
        if (!n->why_not[0]) add_json_gap(b, "potentials", &n->v);
        if (!n->why_not[0]) add_json_gap(b, "currents", &n->i);
        rh_buf_printf(b, ",\"ok\":%s}\n", st == RHEO_OK ? "true" : "false");
    }
}

static rheo_status compare(rh_cli *cli, const char *const *names, int n, rheo_error *err) {
    rh_compare k;
    rh_compare_begin(&k, names, n);
    const bool random = rh_opt_given(cli, "random");
    rheo_status st = random ? compare_random(cli, &k, err) : compare_operand(cli, &k, err);
    if (st == RHEO_OK) {
        st = rh_compare_finish(&k, rh_opt_number(cli, "tolerance", 1e-6), rh_opt_number(cli, "p90", INFINITY), err);
        rh_buf b = { 0 };
        if (cli->json)
            add_json(&b, &k, random ? "random" : cli->operand[0], st);
        else
            add_table(&b, &k);
        rh_cli_write(cli, &b);
    }
    rh_compare_free(&k);
    return st;
}

static rheo_status run(rh_cli *cli) {
    if (rh_opt_given(cli, "random") == (cli->n_operand > 0))
        return rh_cli_usage(cli, "`rheo compare net.cir`, or `rheo compare --random 200`", "one file, or --random N");
    const char *names[RH_MAX_ENGINE];
    const char *const given = rh_opt_text(cli, "backends", NULL);
    rheo_error err = { 0 };
    char *const list = given ? rh_strdup(given) : NULL;
    if (given && !list) return rh_cli_failed(cli, RH_NOMEM(&err), &err);
    const int n = list ? split(list, names) : all_engines(names);
    const rheo_status st =
        n < 2 ? rh_cli_usage(cli, "for example --backends klu,ngspice; `rheo kinds solvers` lists them",
                             "--backends: two or more engines, separated by commas")
              : rh_cli_failed(cli, compare(cli, names, n, &err), &err);
    rh_free(list);
    return st;
}

const rh_command rh_cmd_compare = {
    .name = "compare",
    .summary = "the same circuit by several engines, ngspice among them",
    .usage = "[options] NETLIST|EXPERIMENT|RUNDIR|--random N",
    .examples = "  rheo compare net.cir\n"
                "  rheo compare --backends klu,ngspice --tolerance 1e-9 net.cir\n"
                "  rheo compare --samples 8 --json runs/demo-allostery\n"
                "  rheo compare --backends klu,ngspice --random 300 --random-kinds diode,mosfet,mixed --largest 500\n"
                "  rheo compare --random 200 --p90 1e-9 --tolerance 1e-7    random circuits of 10 to 2000 nodes\n",
    .options = OPTIONS,
    .min_operand = 0,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_NETLIST | RH_TAKES_EXPERIMENT | RH_TAKES_RUN,
    .notes =
        "Differences are shares of the largest potential or current (taken as at least 1e-6 of the largest conductance "
        "times "
        "potential). An experiment is compared sample by sample, "
        "free and\nclamped, the nudge built from elements; a run directory at its trained conductances. Exit code 1 "
        "above the tolerance.\n",
};
