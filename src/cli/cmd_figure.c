/* cmd_figure.c: rheo figure NAME: published comparisons, computed afresh. */
#include "cli/cli.h"
#include "run/figure.h"
#include "run/figure_lattice.h"
#include "run/figure_newton.h"
#include "run/waveforms.h"

#include <stdlib.h>

static const char *const PLACEMENTS[] = { "anywhere", "inside", "rim", "grounded",
                                          NULL }; /* in the order of RH_PLACEMENTS */
_Static_assert(RH_COUNT(PLACEMENTS) == RH_N_PLACEMENT + 1, "one name for each");

static const rh_option OPTIONS[] = {
    { "draws", 0, RH_OPT_INT, "N",
      "random draws (default: allostery 200, gauge 1000, xor 300, modes 50, newton 300 and 1000)", 1, 1e6, NULL },
    { "ports", 0, RH_OPT_CHOICE, "WHERE", "nodes of inputs and outputs (default: allostery inside, gauge rim)", 0, 0,
      PLACEMENTS },
    { "steps", 0, RH_OPT_INT, "N", "steps of training (default: allostery 1000, xor 3000 epochs, modes 3000)", 10, 1e7,
      NULL },
    { "rate", 0, RH_OPT_NUMBER, "X", "xor: rate of the gate voltages, on V^2 and over eta (default 3)", 1e-9, 1e9,
      NULL },
    { "rail", 0, RH_OPT_NUMBER, "V", "xor: upper rail and high input (default 0.453)", 1e-3, 100, NULL },
    { "seed", 0, RH_OPT_INT, "N", "which draws (default 1)", 0, 1e15, NULL },
    { "edge", 0, RH_OPT_TEXT, "NAME", "waveforms: element that learns (default: the first)", 0, 0, NULL },
    { "tooth", 0, RH_OPT_INT, "N", "waveforms: the first of the two teeth (default 1)", 1, 1e6, NULL },
    { "set", 0, RH_OPT_TEXT, "BLOCK.KEY=VALUE", "waveforms: any setting of the experiment; may be repeated", 0, 0,
      NULL },
    RH_INCLUDE_DIR,
    { "output", 'o', RH_OPT_TEXT, "FILE", "waveforms: write here instead of to standard output", 0, 0, NULL },
    { "force", 0, RH_OPT_FLAG, NULL, "replace FILE", 0, 0, NULL },
    { NULL },
};

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int n, double q) {
    const double at = q * (n - 1);
    const int i = (int)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* One line of CSV or JSON; head names the columns, with commas. */
static void row(const rh_cli *cli, rh_buf *b, const char *head, const double *x, int n) {
    if (cli->json) {
        rh_buf_puts(b, "{\"event\":\"figure\"");
        for (int i = 0; i < n; i++, head += strcspn(head, ",")) {
            char name[40];
            head += *head == ',';
            snprintf(name, sizeof name, "%.*s", (int)strcspn(head, ",\n"), head);
            rh_json_number(b, name, x[i]);
        }
        rh_buf_puts(b, "}\n");
        return;
    }
    for (int i = 0; i < n; i++) {
        if (i) rh_buf_puts(b, ",");
        rh_buf_number(b, x[i]);
    }
    rh_buf_puts(b, "\n");
}

static void ports_line(rh_buf *b, const rh_figure_def *fig) {
    rh_buf_printf(b, "# ports %s: %s\n", RH_PLACEMENTS[fig->ports].name, RH_PLACEMENTS[fig->ports].what);
}

/* What the draws say together, as comment lines under the table. */
static void allostery_summary(rh_buf *b, const rh_allostery *a, int n, double *sorted) {
    int close = 0;
    double cosine = 1;
    for (int d = 0; d < n; d++) {
        sorted[d] = a[d].coupled;
        close += a[d].tcl <= 1.25 * a[d].contrastive;
        if (a[d].cosine < cosine) cosine = a[d].cosine;
    }
    qsort(sorted, (size_t)n, sizeof(*sorted), by_size);
    rh_buf_puts(b, "# coupled, final/initial loss: median ");
    rh_buf_number(b, quantile(sorted, n, 0.5));
    rh_buf_puts(b, ", quartiles ");
    rh_buf_number(b, quantile(sorted, n, 0.25));
    rh_buf_puts(b, " and ");
    rh_buf_number(b, quantile(sorted, n, 0.75));
    rh_buf_puts(b, ", worst ");
    rh_buf_number(b, sorted[n - 1]);
    rh_buf_printf(b, "\n# tcl within 1.25 of contrastive: %d of %d draws\n", close, n);
    rh_buf_puts(b, "# cosine of tcl with contrastive in the first tenth of training: at least ");
    rh_buf_number(b, cosine);
    rh_buf_puts(b, " (mean of a draw)\n");
}

static rh_figure_def figure_def(rh_cli *cli, int ports) {
    const char *at = rh_opt_text(cli, "ports", PLACEMENTS[ports]);
    for (int i = 0; i < RH_N_PLACEMENT; i++)
        if (rh_streq(at, PLACEMENTS[i])) ports = i;
    return (rh_figure_def){ .seed = (uint64_t)rh_opt_number(cli, "seed", 1),
                            .ports = ports,
                            .steps = (int)rh_opt_number(cli, "steps", 1000) };
}

static rheo_status allostery(rh_cli *cli) {
    const rh_figure_def fig = figure_def(cli, RH_PORTS_INSIDE);
    const int draws = (int)rh_opt_number(cli, "draws", 200);
    rh_allostery *a = rh_calloc((size_t)draws, sizeof(*a));
    double *sorted = rh_calloc((size_t)draws, sizeof(*sorted));
    rheo_error err = { 0 };
    rheo_status st = a && sorted ? RHEO_OK : RH_NOMEM(&err);
    rh_buf b = { 0 };
    static const char HEAD[] =
        "draw,coupled,contrastive,tcl,gradient_10x_steps,cosine_first_tenth,cosine_smallest,inside\n";
    if (!cli->json) rh_buf_puts(&b, HEAD);
    for (int d = 0; d < draws && st == RHEO_OK; d++) {
        st = rh_figure_allostery(&fig, d, &a[d], &err);
        row(cli, &b, HEAD,
            (double[]){ d, a[d].coupled, a[d].contrastive, a[d].tcl, a[d].floor, a[d].cosine, a[d].cosine_min,
                        a[d].inside },
            8);
    }
    if (!cli->json) ports_line(&b, &fig);
    if (st == RHEO_OK && !cli->json) allostery_summary(&b, a, draws, sorted);
    rh_free(a);
    rh_free(sorted);
    if (st == RHEO_OK) return rh_cli_write(cli, &b);
    rh_buf_free(&b);
    return rh_cli_failed(cli, st, &err);
}

/* The same comparison where edges are transistors, and through an amplifier. */
static rheo_status lattice_rows(rh_cli *cli, rh_buf *b, uint64_t seed, int draws, rheo_error *err) {
    static const double GAIN = 4;
    if (!cli->json)
        rh_buf_puts(b, "# 4x4 periodic lattice, a pair held at both nodes: coupled_mean,coupled_min,expected\n");
    for (int i = 0; i < RH_N_LATTICE_ROW; i++) {
        double mean, least;
        RHEO_TRY(rh_figure_lattice(&RH_LATTICE_ROWS[i], seed, draws, &mean, &least, err));
        if (!cli->json) rh_buf_printf(b, "# %s: ", RH_LATTICE_ROWS[i].what);
        row(cli, b, "coupled_mean,coupled_min,expected\n", (double[]){ mean, least, RH_LATTICE_ROWS[i].expected }, 3);
    }
    double below, above;
    RHEO_TRY(rh_figure_amplifier(GAIN, &below, &above, err));
    if (!cli->json)
        rh_buf_puts(
            b,
            "# eqprop through a bidirectional amplifier of gain 4, update over gradient, below and above, then 1/16: ");
    row(cli, b, "amplifier_below,amplifier_above,expected\n", (double[]){ below, above, 1 / (GAIN * GAIN) }, 3);
    return RHEO_OK;
}

static rheo_status gauge(rh_cli *cli) {
    static const int N_OUT[] = { 1, 2, 3, 5, 10, 20 };
    const rh_figure_def fig = figure_def(cli, RH_PORTS_RIM);
    const int draws = (int)rh_opt_number(cli, "draws", 1000);
    rh_buf b = { 0 };
    static const char HEAD[] = "outputs,eqprop_mean,eqprop_min,coupled_mean,coupled_min,coupled_scatter\n";
    if (!cli->json) rh_buf_puts(&b, HEAD);
    for (int i = 0; i < RH_COUNT(N_OUT); i++) {
        rh_alignment a;
        rheo_error err = { 0 };
        const rheo_status st = rh_figure_alignment(&fig, N_OUT[i], draws, &a, &err);
        if (st != RHEO_OK) {
            rh_buf_free(&b);
            return rh_cli_failed(cli, st, &err);
        }
        row(cli, &b, HEAD, (double[]){ N_OUT[i], a.eqprop, a.eqprop_min, a.coupled, a.coupled_min, a.coupled_scatter },
            6);
    }
    if (!cli->json) ports_line(&b, &fig);
    rheo_error err = { 0 };
    const rheo_status st = lattice_rows(cli, &b, fig.seed, draws < 200 ? draws : 200, &err);
    if (st != RHEO_OK) {
        rh_buf_free(&b);
        return rh_cli_failed(cli, st, &err);
    }
    return rh_cli_write(cli, &b);
}

/* ---- waveforms ---- */

static const char *learning_name(const void *ctx, int i) {
    const rheo_circuit *const c = ctx;
    return i < c->n_edge ? c->elem_name[c->edge_elem[i]] : NULL;
}

static rheo_status find_edge(rh_cli *cli, const rheo_experiment *x, int *edge, rheo_error *err) {
    const rheo_circuit *const c = rheo_experiment_circuit(x);
    const char *const name = rh_opt_text(cli, "edge", NULL);
    *edge = 0;
    if (!name) return RHEO_OK;
    const int elem = rheo_circuit_find_element(c, name);
    for (int k = 0; elem >= 0 && k < rheo_circuit_n_edge(c); k++)
        if (rheo_circuit_edge_element(c, k) == elem) {
            *edge = k;
            return RHEO_OK;
        }
    const rheo_status st = rh_fail(err, RHEO_E_RANGE, RH_CODE_PICTURE, RH_NOWHERE,
                                   elem < 0 ? "there is no element '%.60s'" : "%.60s does not learn", name);
    const char *const near = rh_suggest(name, learning_name, c);
    if (near)
        rh_hint(err, "did you mean %s?", near);
    else if (c->n_edge > 0)
        rh_hint(err, "edges that learn are %s%s%s", learning_name(c, 0), c->n_edge > 1 ? ", ..., " : "",
                c->n_edge > 1 ? learning_name(c, c->n_edge - 1) : "");
    return st;
}

static rheo_status draw(rh_cli *cli, char **text, rheo_error *err) {
    int n, edge;
    const char **const set = rh_opt_all(cli, "set", &n);
    if (!set) return RH_NOMEM(err);
    rheo_experiment *x = NULL;
    rheo_status st = rh_input_experiment_file(cli, cli->operand[1], set, n, &x, err);
    if (st == RHEO_OK) st = find_edge(cli, x, &edge, err);
    if (st == RHEO_OK) st = rh_figure_waveforms(x, edge, (int)rh_opt_number(cli, "tooth", 1), text, &cli->log, err);
    rheo_experiment_destroy(x);
    rh_free(set);
    return st;
}

static rheo_status write_as_json(rh_cli *cli, const char *svg) {
    rh_buf b = { 0 };
    rh_buf_puts(&b, "{\"event\":\"figure\"");
    rh_json_text(&b, "svg", svg);
    rh_buf_puts(&b, "}\n");
    return rh_cli_write(cli, &b);
}

static rheo_status waveforms(rh_cli *cli) {
    rheo_error err = { 0 };
    char *text = NULL;
    if (cli->n_operand < 2) return rh_cli_usage(cli, "rheo figure waveforms EXPERIMENT -o x.svg", "which experiment?");
    const rheo_status st = draw(cli, &text, &err);
    if (st != RHEO_OK) return rh_cli_failed(cli, st, &err);
    const rheo_status written = cli->json && !rh_cli_output(cli) ? write_as_json(cli, text) : rh_cli_deliver(cli, text);
    rheo_text_free(text);
    return written;
}

/* ---- the laboratory's lattice ---- */

typedef struct rh_xor_sum {
    const char *name;
    bool transistors;
    int rule, n_sign, n_margin; /* draws with all four signs right, and all four past the margin */
} rh_xor_sum;

static rheo_status xor_draw(rh_cli *cli, rh_xor_sum *sum, int draw, rheo_error *err) {
    const rh_xor_def def = { .seed = (uint64_t)rh_opt_number(cli, "seed", 1),
                             .transistors = sum->transistors,
                             .rule = sum->rule,
                             .rate = rh_opt_number(cli, "rate", 3),
                             .rail = rh_opt_number(cli, "rail", 0.453),
                             .epochs = (int)rh_opt_number(cli, "steps", 3000) };
    rh_xor x;
    RHEO_TRY(rh_figure_xor(&def, draw, &x, err));
    sum->n_sign += x.n_sign == 4;
    sum->n_margin += x.n_margin == 4;
    return RHEO_OK;
}

static rheo_status xor_figure(rh_cli *cli) {
    static const char HEAD[] = "draws,transistors,tcl,all_signs,all_margins\n";
    const int draws = (int)rh_opt_number(cli, "draws", 300);
    rh_xor_sum sum[] = { { "coupled, transistors", true, RH_RULE_COUPLED, 0, 0 },
                         { "tcl, transistors", true, RH_RULE_TCL, 0, 0 },
                         { "coupled, resistors", false, RH_RULE_COUPLED, 0, 0 } };
    rh_buf b = { 0 };
    if (!cli->json) rh_buf_puts(&b, HEAD);
    for (int i = 0; i < RH_COUNT(sum); i++) {
        rheo_error err = { 0 };
        for (int d = 0; d < draws; d++) {
            const rheo_status st = xor_draw(cli, &sum[i], d, &err);
            if (st == RHEO_OK) continue;
            rh_buf_free(&b);
            return rh_cli_failed(cli, st, &err);
        }
        row(cli, &b, HEAD,
            (double[]){ draws, sum[i].transistors, sum[i].rule == RH_RULE_TCL, sum[i].n_sign, sum[i].n_margin }, 5);
    }
    return rh_cli_write(cli, &b);
}

static rheo_status modes(rh_cli *cli) {
    static const char HEAD[] = "draw,mean_epoch,slope_epoch,curvature_epoch,loss\n";
    const int draws = (int)rh_opt_number(cli, "draws", 50), epochs = (int)rh_opt_number(cli, "steps", 3000);
    const uint64_t seed = (uint64_t)rh_opt_number(cli, "seed", 1);
    rh_buf b = { 0 };
    int ordered = 0;
    if (!cli->json) rh_buf_puts(&b, HEAD);
    for (int d = 0; d < draws; d++) {
        rh_modes m;
        rheo_error err = { 0 };
        const rheo_status st = rh_figure_modes(seed, d, epochs, &m, &err);
        if (st != RHEO_OK) {
            rh_buf_free(&b);
            return rh_cli_failed(cli, st, &err);
        }
        double at[RH_N_MODE]; /* never counts as later than all */
        for (int i = 0; i < RH_N_MODE; i++) at[i] = m.epoch[i] < 0 ? epochs + 1 : m.epoch[i];
        ordered += at[0] <= epochs && at[0] <= at[1] && at[1] <= at[2];
        row(cli, &b, HEAD, (double[]){ d, m.epoch[0], m.epoch[1], m.epoch[2], m.loss }, 5);
    }
    if (!cli->json) rh_buf_printf(&b, "# mean, slope, curvature in this order: %d of %d draws\n", ordered, draws);
    return rh_cli_write(cli, &b);
}

static rheo_status newton(rh_cli *cli) {
    static const char HEAD[] = "networks,found,cold_median,cold_most,clamped_median,clamped_most,clamped_points\n";
    const uint64_t seed = (uint64_t)rh_opt_number(cli, "seed", 1);
    rh_buf b = { 0 };
    if (!cli->json) rh_buf_puts(&b, HEAD);
    for (int i = 0; i < RH_N_NEWTON_ROW; i++) {
        const rh_newton_row *const what = &RH_NEWTON_ROWS[i];
        rh_newton_figure f;
        rheo_error err = { 0 };
        const rheo_status st = rh_figure_newton(what, seed, (int)rh_opt_number(cli, "draws", what->draws), &f, &err);
        if (st != RHEO_OK) {
            rh_buf_free(&b);
            return rh_cli_failed(cli, st, &err);
        }
        if (!cli->json) rh_buf_printf(&b, "# %s:\n", what->what);
        row(cli, &b, HEAD,
            (double[]){ f.n, f.n - f.n_failed, f.cold.median, f.cold.most, f.clamped.median, f.clamped.most,
                        (double)f.clamped.n },
            7);
    }
    return rh_cli_write(cli, &b);
}

static rheo_status run(rh_cli *cli) {
    const char *name = cli->operand[0];
    if (rh_streq(name, "waveforms")) return waveforms(cli);
    static const char *const NAMES[] = { "allostery", "gauge", "xor", "modes", "newton", "waveforms" };
    static rheo_status (*const FIGURES[])(rh_cli *) = { allostery, gauge, xor_figure, modes, newton };
    for (int i = 0; i < RH_COUNT(FIGURES); i++) {
        if (!rh_streq(name, NAMES[i])) continue;
        return cli->n_operand > 1 ? rh_cli_usage(cli, NULL, "the figure %.60s takes no file", name) : FIGURES[i](cli);
    }
    const char *near = rh_suggest_list(name, NAMES, RH_COUNT(NAMES));
    return rh_cli_usage(cli, near ? near : "figures: allostery, gauge, xor, modes, newton, waveforms",
                        "unknown figure '%.60s'", name);
}

const rh_command rh_cmd_figure = {
    .name = "figure",
    .summary = "compute a known comparison afresh, as CSV; draw the waveforms of an edge",
    .usage = "[options] allostery|gauge|xor|modes|newton|waveforms [EXPERIMENT]",
    .examples =
        "  rheo figure allostery               200 grids learn three targets: coupled, contrastive, tcl, and "
        "the gradient's floor\n"
        "  rheo figure gauge                   cosine of eqprop and coupled learning with the exact gradient, 1 "
        "to 20 outputs\n"
        "  rheo figure gauge --ports anywhere  the same with inputs and outputs at any nodes\n"
        "  rheo figure xor                     300 lattices of transistors, then of resistors, learn XOR: how many "
        "can\n"
        "  rheo figure modes                   mean, slope and curvature of the error: when each falls\n"
        "  rheo figure newton                  steps of Newton on random networks, from nothing and along the clamp\n"
        "  rheo figure waveforms examples/selflearn-4.yaml --edge R1 -o r1.svg   two teeth of one edge\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 2,
    .run = run,
    .notes =
        "The numbers depend on where inputs and outputs lie, and scatter from draw to draw: docs/learning.md has both.",
};
