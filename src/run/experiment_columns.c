/* experiment_columns.c: what became of the columns of a CSV task, in words. */
#include "run/run.h"

#include "circuit/circuit.h"

#include <math.h>

enum { MOST_LINES = 8 };

/* Four digits and no suffix: files have none either. */
static double rounded(double x) {
    const double scale = x != 0 ? pow(10, 3 - floor(log10(fabs(x)))) : 1;
    return scale > 0 && isfinite(scale) && isfinite(x * scale) ? rint(x * scale) / scale : x;
}

static void put_span(rh_buf *b, double low, double high) {
    rh_buf_number(b, rounded(low));
    if (low == high) return;
    rh_buf_puts(b, "..");
    rh_buf_number(b, rounded(high));
}

/* from [2]: as in the file; to [2]: what drives the network. */
static void put_line(rh_buf *b, const char *what, const char *name, const double *from, const double *to,
                     const char *unit) {
    char shown[96];
    rh_buf_printf(b, "%s %s: ", what, rh_escape(name, strlen(name), shown, sizeof shown));
    put_span(b, from[0], from[1]);
    if (from[0] == to[0] && from[1] == to[1]) {
        rh_buf_printf(b, " %s, as in the file\n", unit);
        return;
    }
    rh_buf_puts(b, " goes to ");
    put_span(b, to[0], to[1]);
    rh_buf_printf(b, " %s\n", unit);
}

static const char *unit_of(const rheo_experiment *x, int in) {
    const int e = x->in_elem ? x->in_elem[in] : -1;
    return e >= 0 && x->circuit->kind[e] == RH_KIND_I ? "A" : "V";
}

/* The extremes of a column of in or target [n_sample][width] over the training samples, falling where it is mirrored.
 */
static void find_ends(const rh_task *t, const double *x, int width, int at, bool falls, double ends[2]) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < t->n_train; i++) {
        const double v = x[(size_t)t->train[i] * (size_t)width + (size_t)at];
        low = fmin(low, v);
        high = fmax(high, v);
    }
    ends[0] = falls ? high : low;
    ends[1] = falls ? low : high;
}

void rh_experiment_tell_columns(rh_buf *b, const rheo_experiment *x) {
    const rh_task *const t = &x->task;
    const rh_csv_task_def *const d = &x->csv;
    const int n = d->n_column + d->n_target, step = d->differential ? 2 : 1;
    for (int k = 0; t->seen && k < n; k++) {
        double ends[2];
        if (k == MOST_LINES && n > MOST_LINES + 1) {
            rh_buf_printf(b, "... and %d more columns\n", n - k);
            return;
        }
        if (k < d->n_column) {
            find_ends(t, t->in, t->n_in, step * k, d->affine[0] < 0, ends);
            put_line(b, "column", d->columns[k], t->seen[k], ends, unit_of(x, step * k));
        } else {
            find_ends(t, t->target, t->n_out, k - d->n_column, false, ends);
            put_line(b, "target", d->targets[k - d->n_column], t->seen[k], ends, "V");
        }
    }
}
