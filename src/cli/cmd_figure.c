/* cmd_figure.c: rheo figure NAME: published comparisons, computed afresh. */
#include "cli/cli.h"
#include "run/figure.h"

#include <stdlib.h>

static const rh_option OPTIONS[] = {
    { "draws", 0, RH_OPT_INT, "N", "random draws (default: allostery 40, gauge 200)", 1, 1e6, NULL },
    { "steps", 0, RH_OPT_INT, "N", "allostery: steps of training (default 1000)", 10, 1e7, NULL },
    { "seed", 0, RH_OPT_INT, "N", "which draws (default: allostery 3, gauge 8)", 0, 1e15, NULL },
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

static rheo_status allostery(rh_cli *cli, uint64_t seed) {
    const int draws = (int)rh_opt_number(cli, "draws", 40), steps = (int)rh_opt_number(cli, "steps", 1000);
    rh_allostery *a = rh_calloc((size_t)draws, sizeof(*a));
    double *sorted = rh_calloc((size_t)draws, sizeof(*sorted));
    rheo_error err = { 0 };
    rheo_status st = a && sorted ? RHEO_OK : RH_NOMEM(&err);
    rh_buf b = { 0 };
    rh_buf_puts(&b, "draw,coupled,contrastive,tcl,gradient_10x_steps,cosine_first_tenth,cosine_smallest,inside\n");
    for (int d = 0; d < draws && st == RHEO_OK; d++) {
        st = rh_figure_allostery(seed, d, steps, &a[d], &err);
        row(&b,
            (double[]){ d, a[d].coupled, a[d].contrastive, a[d].tcl, a[d].floor, a[d].cosine, a[d].cosine_min,
                        a[d].inside },
            8);
    }
    if (st == RHEO_OK) allostery_summary(&b, a, draws, sorted);
    rh_free(a);
    rh_free(sorted);
    if (st == RHEO_OK) return rh_cli_write(cli, &b);
    rh_buf_free(&b);
    return rh_cli_failed(cli, st, &err);
}

static rheo_status gauge(rh_cli *cli, uint64_t seed) {
    static const int N_OUT[] = { 1, 2, 3, 5, 10, 20 };
    const int draws = (int)rh_opt_number(cli, "draws", 200);
    rh_buf b = { 0 };
    rh_buf_puts(&b, "outputs,eqprop_mean,eqprop_min,coupled_mean,coupled_min\n");
    for (int i = 0; i < RH_COUNT(N_OUT); i++) {
        rh_alignment a;
        rheo_error err = { 0 };
        const rheo_status st = rh_figure_alignment(seed, N_OUT[i], draws, &a, &err);
        if (st != RHEO_OK) {
            rh_buf_free(&b);
            return rh_cli_failed(cli, st, &err);
        }
        row(&b, (double[]){ N_OUT[i], a.eqprop, a.eqprop_min, a.coupled, a.coupled_min }, 5);
    }
    return rh_cli_write(cli, &b);
}

static rheo_status run(rh_cli *cli) {
    const char *name = cli->operand[0];
    if (rh_streq(name, "allostery")) return allostery(cli, (uint64_t)rh_opt_number(cli, "seed", 3));
    if (rh_streq(name, "gauge")) return gauge(cli, (uint64_t)rh_opt_number(cli, "seed", 8));
    static const char *const NAMES[] = { "allostery", "gauge" };
    const char *near = rh_suggest_list(name, NAMES, RH_COUNT(NAMES));
    return rh_cli_usage(cli, near ? near : "figures: allostery, gauge", "unknown figure '%.60s'", name);
}

const rh_command rh_cmd_figure = {
    .name = "figure",
    .summary = "compute a published comparison afresh, as CSV",
    .usage = "[options] allostery|gauge",
    .examples = "  rheo figure allostery             40 grids learn three targets: coupled, contrastive, tcl, and the "
                "gradient's floor\n"
                "  rheo figure gauge --draws 1000    cosine of eqprop and coupled learning with the exact gradient, 1 "
                "to 20 outputs\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .notes = "Means over draws scatter. The median of coupled learning over 40 draws lies between 0.06 and 0.29 (2000 "
             "draws: 0.14); "
             "mean cosines over 200 draws lie within 0.03 of those over 1000: 0.94, 0.89, 0.82, 0.73 and 0.61 for 2, "
             "3, 5, 10 "
             "and 20 outputs.",
};
