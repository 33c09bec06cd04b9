/* cmd_figure.c: rheo figure NAME: published comparisons, computed afresh. */
#include "cli/cli.h"
#include "run/figure.h"

#include <stdlib.h>

static const char *const PLACEMENTS[] = { "anywhere", "inside", "rim", NULL }; /* in the order of RH_PLACEMENTS */
_Static_assert(RH_COUNT(PLACEMENTS) == RH_N_PLACEMENT + 1, "one name for each");

static const rh_option OPTIONS[] = {
    { "draws", 0, RH_OPT_INT, "N", "random draws (default: allostery 200, gauge 1000)", 1, 1e6, NULL },
    { "ports", 0, RH_OPT_CHOICE, "WHERE", "nodes of inputs and outputs (default: allostery inside, gauge rim)", 0, 0,
      PLACEMENTS },
    { "steps", 0, RH_OPT_INT, "N", "allostery: steps of training (default 1000)", 10, 1e7, NULL },
    { "seed", 0, RH_OPT_INT, "N", "which draws (default 1)", 0, 1e15, NULL },
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

static void row(rh_buf *b, const double *x, int n) {
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
    rh_buf_puts(&b, "draw,coupled,contrastive,tcl,gradient_10x_steps,cosine_first_tenth,cosine_smallest,inside\n");
    for (int d = 0; d < draws && st == RHEO_OK; d++) {
        st = rh_figure_allostery(&fig, d, &a[d], &err);
        row(&b,
            (double[]){ d, a[d].coupled, a[d].contrastive, a[d].tcl, a[d].floor, a[d].cosine, a[d].cosine_min,
                        a[d].inside },
            8);
    }
    ports_line(&b, &fig);
    if (st == RHEO_OK) allostery_summary(&b, a, draws, sorted);
    rh_free(a);
    rh_free(sorted);
    if (st == RHEO_OK) return rh_cli_write(cli, &b);
    rh_buf_free(&b);
    return rh_cli_failed(cli, st, &err);
}

static rheo_status gauge(rh_cli *cli) {
    static const int N_OUT[] = { 1, 2, 3, 5, 10, 20 };
    const rh_figure_def fig = figure_def(cli, RH_PORTS_RIM);
    const int draws = (int)rh_opt_number(cli, "draws", 1000);
    rh_buf b = { 0 };
    rh_buf_puts(&b, "outputs,eqprop_mean,eqprop_min,coupled_mean,coupled_min,coupled_scatter\n");
    for (int i = 0; i < RH_COUNT(N_OUT); i++) {
        rh_alignment a;
        rheo_error err = { 0 };
        const rheo_status st = rh_figure_alignment(&fig, N_OUT[i], draws, &a, &err);
        if (st != RHEO_OK) {
            rh_buf_free(&b);
            return rh_cli_failed(cli, st, &err);
        }
        row(&b, (double[]){ N_OUT[i], a.eqprop, a.eqprop_min, a.coupled, a.coupled_min, a.coupled_scatter }, 6);
    }
    ports_line(&b, &fig);
    return rh_cli_write(cli, &b);
}

static rheo_status run(rh_cli *cli) {
    const char *name = cli->operand[0];
    if (rh_streq(name, "allostery")) return allostery(cli);
    if (rh_streq(name, "gauge")) return gauge(cli);
    static const char *const NAMES[] = { "allostery", "gauge" };
    const char *near = rh_suggest_list(name, NAMES, RH_COUNT(NAMES));
    return rh_cli_usage(cli, near ? near : "figures: allostery, gauge", "unknown figure '%.60s'", name);
}

const rh_command rh_cmd_figure = {
    .name = "figure",
    .summary = "compute a published comparison afresh, as CSV",
    .usage = "[options] allostery|gauge",
    .examples =
        "  rheo figure allostery               200 grids learn three targets: coupled, contrastive, tcl, and "
        "the gradient's floor\n"
        "  rheo figure gauge                   cosine of eqprop and coupled learning with the exact gradient, 1 "
        "to 20 outputs\n"
        "  rheo figure gauge --ports anywhere  the same with inputs and outputs at any nodes\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .notes =
        "The numbers depend on where inputs and outputs lie, and scatter from draw to draw: docs/learning.md has both.",
};
