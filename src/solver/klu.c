/* klu.c: sparse LU by KLU, Davis & Palamadai Natarajan, ACM Trans. Math. Softw. 37, 36 (2010). The only file that
 * knows klu.h.
 *
 * KLU's own row scaling is off: it costs a division per entry, and nodal matrices are dominated by their diagonals.
 * The condition estimate takes its place: pivots are compared with the diagonal entries they came from, which does not
 * depend on units or on how many decades conductances span.
 *
 * KLU prefers the entry on the diagonal down to a thousandth of the largest in its column, which keeps factors sparse
 * but lets entries grow from pivot to pivot. Firm pivots are for where that leaves no digits: ideal sources between
 * nodes are the ones that move pivots off the diagonal. */
#include "solver/matrices.h"

#include <float.h>
#include <klu.h>
#include <math.h>

/* Share of the largest entry of a column that an entry on the diagonal needs to become the pivot. */
static const double NEEDS[] = { [RH_SPARSE] = 1e-3, [RH_FIRM] = 1 };

typedef struct rh_klu {
    int n;
    int *ap, *ai;  /* copies of the pattern: KLU wants them writable */
    int *diag;     /* [n] where the diagonal entry of a column is, or -1 */
    double *size2; /* [n] square of the natural size of a row and column */
    klu_symbolic *sym;
    klu_numeric *num;
    klu_common com;
} rh_klu;

static void close_klu(void *m) {
    rh_klu *k = m;
    if (!k) return;
    klu_free_numeric(&k->num, &k->com);
    klu_free_symbolic(&k->sym, &k->com);
    rh_free(k->ap);
    rh_free(k->ai);
    rh_free(k->diag);
    rh_free(k->size2);
    rh_free(k);
}

static void find_diagonal(rh_klu *k) {
    for (int j = 0; j < k->n; j++) {
        k->diag[j] = -1;
        for (int p = k->ap[j]; p < k->ap[j + 1]; p++)
            if (k->ai[p] == j) k->diag[j] = p;
    }
}

static rheo_status open_klu(void **m, int n, const int *colptr, const int *rowind, rheo_error *err) {
    rh_klu *k = rh_calloc(1, sizeof(*k));
    if (!k) return RH_NOMEM(err);
    klu_defaults(&k->com);
    k->com.scale = -1; /* neither scaled nor checked: the pattern is our own */
    k->n = n;
    k->ap = rh_calloc((size_t)n + 1, sizeof(int));
    k->ai = rh_calloc((size_t)colptr[n], sizeof(int));
    k->diag = rh_calloc((size_t)n, sizeof(int));
    k->size2 = rh_calloc((size_t)n, sizeof(double));
    if (k->ap && k->ai && k->diag && k->size2) {
        memcpy(k->ap, colptr, ((size_t)n + 1) * sizeof(int));
        memcpy(k->ai, rowind, (size_t)colptr[n] * sizeof(int));
        find_diagonal(k);
        k->sym = klu_analyze(n, k->ap, k->ai, &k->com);
    }
    if (k->sym) {
        *m = k;
        return RHEO_OK;
    }
    const int status = k->com.status;
    close_klu(k);
    if (status == KLU_SINGULAR)
        return rh_fail(err, RHEO_E_SINGULAR, 301, RH_NOWHERE, "the matrix is structurally singular");
    if (status == KLU_TOO_LARGE)
        return rh_fail(err, RHEO_E_LIMIT, 502, RH_NOWHERE, "the matrix is too large for 32-bit indices");
    return RH_NOMEM(err);
}

static bool all_finite(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * 0; /* NaN as soon as one is not finite */
    return sum == 0;
}

/* A branch row has no diagonal entry: its size is what makes its largest entry, seen from the other rows, 1. */
static double size2_of_branch(const rh_klu *k, const double *ax, int j) {
    double most = 0, plain = 0;
    for (int p = k->ap[j]; p < k->ap[j + 1]; p++) {
        const int i = k->ai[p];
        const double a2 = ax[p] * ax[p];
        plain = fmax(plain, a2);
        if (k->diag[i] >= 0 && ax[k->diag[i]] != 0) most = fmax(most, a2 / fabs(ax[k->diag[i]]));
    }
    return most > 0 ? most : plain;
}

/* What a pivot in row i and column j is measured by. Between two nodes the larger one counts: a pivot off the diagonal
 * often means that rounding ate the entry on it. */
static double pair_size(const rh_klu *k, int i, int j) {
    if (i == j) return k->size2[j];
    if (k->diag[i] >= 0 && k->diag[j] >= 0) return fmax(k->size2[i], k->size2[j]);
    return sqrt(k->size2[i]) * sqrt(k->size2[j]);
}

/* Smallest pivot over the largest, each relative to the sizes of its row and column: for a symmetric matrix the pivots
 * of the one scaled to a diagonal of ones. Not finite counts as 0. *weakest: the column of the smallest. */
static double condition(rh_klu *k, const double *ax, int *weakest) {
    const double *const pivot = k->num->Udiag;
    double least = INFINITY, most = 1;
    bool sound = true;
    for (int j = 0; j < k->n; j++) {
        const double d = k->diag[j] >= 0 ? fabs(ax[k->diag[j]]) : 0;
        k->size2[j] = d > 0 ? d : size2_of_branch(k, ax, j);
    }
    for (int t = 0; t < k->n; t++) {
        const int i = k->num->Pnum[t], j = k->sym->Q[t];
        const double x = fabs(pivot[t]) / pair_size(k, i, j);
        if (!(x >= least)) {
            least = x;
            *weakest = j;
        }
        sound = sound && x <= DBL_MAX; /* NaN fails too */
        most = fmax(most, x);
    }
    return sound ? least / most : 0;
}

/* klu.h takes no const; no call below writes ax. A fresh factorisation and a refactorisation with its pivots add up
 * the same terms in the same order, so their bytes are the same; a test holds KLU to that. */
static rheo_status factor_klu(void *m, const double *ax, rh_pivots pivots, double *rcond, int *column,
                              rheo_error *err) {
    rh_klu *k = m;
    double *const values = (double *)(uintptr_t)ax;
    *rcond = 0;
    *column = -1;
    if (!all_finite(ax, k->ap[k->n])) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the matrix is not finite");
    bool done;
    if (pivots != RH_KEEP) {
        k->com.tol = NEEDS[pivots];
        klu_free_numeric(&k->num, &k->com);
        k->num = klu_factor(k->ap, k->ai, values, k->sym, &k->com);
        if (!k->num && k->com.status != KLU_SINGULAR) return RH_NOMEM(err);
        done = k->num != NULL;
    } else {
        done = k->num && klu_refactor(k->ap, k->ai, values, k->sym, k->num, &k->com) && k->com.status == KLU_OK;
    }
    if (done)
        *rcond = condition(k, ax, column);
    else if (k->com.status == KLU_SINGULAR)
        *column = k->com.singular_col;
    return RHEO_OK;
}

static void solve_klu(void *m, int n_rhs, double *b) {
    rh_klu *k = m;
    klu_solve(k->sym, k->num, k->n, n_rhs, b, &k->com);
}

static void solve_transposed_klu(void *m, int n_rhs, double *b) {
    rh_klu *k = m;
    klu_tsolve(k->sym, k->num, k->n, n_rhs, b, &k->com);
}

static int64_t fill_klu(const void *m) {
    const rh_klu *k = m;
    return k->num ? (int64_t)k->num->lnz + k->num->unz : 0;
}

const rh_matrix_ops rh_matrix_klu = { .name = "klu",
                                      .unsymmetric = true,
                                      .open = open_klu,
                                      .factor = factor_klu,
                                      .solve = solve_klu,
                                      .solve_transposed = solve_transposed_klu,
                                      .fill = fill_klu,
                                      .close = close_klu };
