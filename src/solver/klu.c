/* klu.c: sparse LU by KLU, Davis & Palamadai Natarajan, ACM Trans. Math. Softw. 37, 36 (2010). The only file that knows klu.h.
 *
 * Rows are scaled by their largest entry, so that the cheap condition estimate compares like with like. */
#include "solver/matrices.h"

#include <klu.h>
#include <math.h>

typedef struct rh_klu {
    int n;
    int *ap, *ai; /* copies of the pattern: KLU wants them writable */
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
    rh_free(k);
}

static rheo_status open_klu(void **m, int n, const int *colptr, const int *rowind, rheo_error *err) {
    rh_klu *k = rh_calloc(1, sizeof(*k));
    if (!k) return RH_NOMEM(err);
    klu_defaults(&k->com);
    k->n = n;
    k->ap = rh_calloc((size_t)n + 1, sizeof(int));
    k->ai = rh_calloc((size_t)colptr[n], sizeof(int));
    if (k->ap && k->ai) {
        memcpy(k->ap, colptr, ((size_t)n + 1) * sizeof(int));
        memcpy(k->ai, rowind, (size_t)colptr[n] * sizeof(int));
        k->sym = klu_analyze(n, k->ap, k->ai, &k->com);
    }
    if (k->sym) {
        *m = k;
        return RHEO_OK;
    }
    const int status = k->com.status;
    close_klu(k);
    if (status == KLU_SINGULAR) return rh_fail(err, RHEO_E_SINGULAR, 301, RH_NOWHERE, "the matrix is structurally singular");
    if (status == KLU_TOO_LARGE) return rh_fail(err, RHEO_E_LIMIT, 502, RH_NOWHERE, "the matrix is too large for 32-bit indices");
    return RH_NOMEM(err);
}

static bool all_finite(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * 0; /* NaN as soon as one is not finite */
    return sum == 0;
}

/* klu.h takes no const; neither call below writes ax. */
static bool refactor(rh_klu *k, double *ax, double *rcond) {
    *rcond = 0;
    if (!k->num || !klu_refactor(k->ap, k->ai, ax, k->sym, k->num, &k->com)) return false;
    if (!klu_rcond(k->sym, k->num, &k->com)) return false;
    *rcond = k->com.rcond >= 0 ? k->com.rcond : 0; /* NaN counts as singular */
    return *rcond > 0;
}

static rheo_status factor_klu(void *m, const double *ax, bool fresh, double *rcond, int *column, rheo_error *err) {
    rh_klu *k = m;
    double *const values = (double *)(uintptr_t)ax;
    *rcond = 0;
    *column = -1;
    if (!all_finite(ax, k->ap[k->n])) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the matrix is not finite");
    if (fresh) {
        klu_free_numeric(&k->num, &k->com);
        k->num = klu_factor(k->ap, k->ai, values, k->sym, &k->com);
        if (!k->num && k->com.status != KLU_SINGULAR) return RH_NOMEM(err);
    }
    /* Also after a fresh choice of pivots: the factors are then always those of a refactorisation, whoever chose the pivots. */
    if (!refactor(k, values, rcond) && k->com.status == KLU_SINGULAR) *column = k->com.singular_col;
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
