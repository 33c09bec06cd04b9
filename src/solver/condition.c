/* condition.c: an estimate of the condition of a factored matrix that costs a few solves. */
#include "solver/inside.h"

#include <math.h>

enum { MAX_ESTIMATE = 5 };

static void scale_rows(rheo_solver *s) {
    const rh_system *y = &s->y;
    rh_solver_size_rows(s);
    for (int i = 0; i < y->n; i++) s->scale[i] = y->row_elem[i] < 0 && s->size[i] > 0 ? sqrt(s->size[i]) : 0;
    for (int j = 0; j < y->n; j++)
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) { /* a branch: its largest entry, seen from the nodes, is 1 */
            const int i = y->ai[p];
            if (y->row_elem[j] >= 0 && y->row_elem[i] < 0 && s->scale[i] > 0)
                s->scale[j] = fmax(s->scale[j], fabs(s->ax[p]) / s->scale[i]);
        }
    for (int i = 0; i < y->n; i++)
        if (!(s->scale[i] > 0)) s->scale[i] = 1;
}

static double scaled_norm(const rheo_solver *s) {
    const rh_system *y = &s->y;
    double norm = 0;
    for (int j = 0; j < y->n; j++) {
        double sum = 0;
        for (int p = y->ap[j]; p < y->ap[j + 1]; p++) sum += fabs(s->ax[p]) / (s->scale[y->ai[p]] * s->scale[j]);
        norm = fmax(norm, sum);
    }
    return norm;
}

static void apply_scaled(rheo_solver *s, double *x, bool transposed) {
    for (int i = 0; i < s->y.n; i++) x[i] *= s->scale[i];
    if (transposed)
        s->ops->solve_transposed(s->m, 1, x);
    else
        s->ops->solve(s->m, 1, x);
    for (int i = 0; i < s->y.n; i++) x[i] *= s->scale[i];
}

static double norm1(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += fabs(x[i]);
    return sum;
}

/* Lower bound, rarely far off, of the 1-norm of the inverse of the scaled matrix. Hager, SIAM J. Sci. Stat. Comput. 5,
 * 311 (1984); with the alternating vector of Higham, ACM Trans. Math. Softw. 14, 381 (1988). */
static double inverse_norm(rheo_solver *s) {
    const int n = s->y.n;
    double *const y = s->x, *const z = s->r, best = 0;
    for (int i = 0; i < n; i++) y[i] = (i % 2 ? -1 : 1) * (1 + (n > 1 ? (double)i / (n - 1) : 0));
    apply_scaled(s, y, false);
    best = 2 * norm1(y, n) / (3.0 * n);
    int at = -1; /* the unit vector that y came from */
    for (int i = 0; i < n; i++) y[i] = 1.0 / n;
    for (int step = 0; step < MAX_ESTIMATE; step++) {
        double most = 0, mean = 0;
        int next = -1;
        apply_scaled(s, y, false);
        best = fmax(best, norm1(y, n));
        for (int i = 0; i < n; i++) z[i] = y[i] < 0 ? -1 : 1;
        apply_scaled(s, z, true);
        for (int i = 0; i < n; i++) {
            mean += z[i] / n;
            if (fabs(z[i]) > most) most = fabs(z[next = i]);
        }
        if (next < 0 || most <= (at < 0 ? mean : z[at])) break;
        memset(y, 0, (size_t)n * sizeof(double));
        y[at = next] = 1;
    }
    return best;
}

double rh_solver_second_opinion(rheo_solver *s, double rcond) {
    scale_rows(s);
    const double better = 1 / (scaled_norm(s) * inverse_norm(s));
    return better > 0 ? fmin(rcond, better) : 0; /* NaN and infinity become 0 */
}
