/* cholmod.c: sparse Cholesky for reciprocal networks, the rows of CHOLMOD that need no BLAS: Chen, Davis, Hager &
 * Rajamanickam, ACM Trans. Math. Softw. 35, 22 (2008). The only file that knows cholmod.h.
 *
 * L D L' row by row (Davis, ACM Trans. Math. Softw. 31, 587 (2005)), ordered by approximate minimum degree. The
 * supernodal half is left alone: its bytes would depend on the BLAS and on its threads. So is nested dissection, which
 * saves a third of the work from 1e5 unknowns on, but costs more than a factorisation to find and draws from the
 * random numbers of the C library. Rows are permuted here, once, so that factoring allocates nothing. */
#include "solver/matrices.h"

#include <cholmod.h>
#include <float.h>
#include <math.h>

typedef struct rh_cholmod {
    int n;
    int nz;       /* of the whole matrix */
    int *perm;    /* [n] unknown in place k of the order */
    int *ap, *ai; /* upper triangle of the permuted matrix, columns compressed */
    int *from;    /* [nonzeros of the triangle] where its values are in the whole matrix */
    double *ax;   /* the values */
    double *diag; /* [n] diagonal, permuted */
    double *w;    /* [n][MOST] right-hand sides, permuted */
    int64_t lnz;  /* nonzeros of L, diagonal included */
    bool started;
    cholmod_factor *l;
    cholmod_common com;
} rh_cholmod;

enum { MOST = 8 }; /* right-hand sides taken through L at once */

static void close_cholmod(void *m) {
    rh_cholmod *k = m;
    if (!k) return;
    if (k->started) {
        cholmod_free_factor(&k->l, &k->com);
        cholmod_finish(&k->com);
    }
    rh_free(k->perm);
    rh_free(k->ap);
    rh_free(k->ai);
    rh_free(k->from);
    rh_free(k->ax);
    rh_free(k->diag);
    rh_free(k->w);
    rh_free(k);
}

static void start(rh_cholmod *k) {
    cholmod_start(&k->com);
    k->started = true;
    k->com.print = 0;
    k->com.error_handler = NULL;
    k->com.grow0 = k->com.grow1 = 0; /* columns of L get what the analysis says, no more */
    k->com.grow2 = 0;
}

/* CHOLMOD's view of a pattern that it only reads. xtype: with or without values. */
static cholmod_sparse view(int n, const int *p, const int *i, double *x) {
    return (cholmod_sparse){ .nrow = (size_t)n,
                             .ncol = (size_t)n,
                             .nzmax = (size_t)p[n],
                             .p = (void *)(uintptr_t)p,
                             .i = (void *)(uintptr_t)i,
                             .x = x,
                             .stype = 1, /* reads the upper triangle only */
                             .itype = CHOLMOD_INT,
                             .xtype = x ? CHOLMOD_REAL : CHOLMOD_PATTERN,
                             .dtype = CHOLMOD_DOUBLE,
                             .sorted = 0,
                             .packed = 1 };
}

/* Upper triangle of the matrix in the new order; inverse [n] is the place of an unknown. */
static void permute(rh_cholmod *k, const int *colptr, const int *rowind, const int *inverse) {
    for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < k->n; j++)
            for (int p = colptr[j]; p < colptr[j + 1]; p++) {
                const int a = inverse[rowind[p]], b = inverse[j];
                if (a > b) continue; /* the same value stands above the diagonal */
                if (pass == 0) {
                    k->ap[b + 1]++;
                } else {
                    const int at = k->ap[b]++;
                    k->ai[at] = a;
                    k->from[at] = p;
                }
            }
        if (pass == 0)
            for (int j = 0; j < k->n; j++) k->ap[j + 1] += k->ap[j];
    }
    for (int j = k->n; j > 0; j--) k->ap[j] = k->ap[j - 1];
    k->ap[0] = 0;
}

/* Nonzeros in every column of L, by walking the elimination tree once per row: Liu, ACM Trans. Math. Softw. 12, 127
 * (1986). */
static int64_t count_columns(const rh_cholmod *k, int *parent, int *mark, int *count) {
    int64_t sum = k->n;
    for (int j = 0; j < k->n; j++) {
        parent[j] = -1;
        mark[j] = j;
        count[j] = 1;
        for (int p = k->ap[j]; p < k->ap[j + 1]; p++)
            for (int i = k->ai[p]; mark[i] != j; i = parent[i]) {
                if (parent[i] < 0) parent[i] = j;
                mark[i] = j;
                count[i]++;
                sum++;
            }
    }
    return sum;
}

static bool take_memory(rh_cholmod *k, int n_upper) {
    const size_t n = (size_t)k->n, nz = (size_t)n_upper;
    k->perm = rh_calloc(n, sizeof(int));
    k->ap = rh_calloc(n + 1, sizeof(int));
    k->ai = rh_calloc(nz, sizeof(int));
    k->from = rh_calloc(nz, sizeof(int));
    k->ax = rh_calloc(nz, sizeof(double));
    k->diag = rh_calloc(n, sizeof(double));
    k->w = rh_calloc(n * MOST, sizeof(double));
    return k->perm && k->ap && k->ai && k->from && k->ax && k->diag && k->w;
}

static bool analyze(rh_cholmod *k, const int *colptr, const int *rowind, int *work) {
    cholmod_sparse whole = view(k->n, colptr, rowind, NULL);
    if (!cholmod_amd(&whole, NULL, 0, k->perm, &k->com)) return false;
    for (int i = 0; i < k->n; i++) work[k->perm[i]] = i;
    permute(k, colptr, rowind, work);
    k->l = cholmod_allocate_factor((size_t)k->n, &k->com);
    if (!k->l) return false;
    k->l->ordering = CHOLMOD_NATURAL;
    k->lnz = count_columns(k, work, work + k->n, k->l->ColCount);
    return true;
}

static rheo_status open_cholmod(void **m, int n, const int *colptr, const int *rowind, rheo_error *err) {
    rh_cholmod *k = rh_calloc(1, sizeof(*k));
    int *work = rh_calloc(2 * (size_t)n, sizeof(int));
    int n_upper = 0;
    for (int j = 0; j < n; j++)
        for (int p = colptr[j]; p < colptr[j + 1]; p++) n_upper += rowind[p] <= j;
    bool ok = k && work;
    if (ok) {
        k->n = n;
        k->nz = colptr[n];
        start(k);
        ok = take_memory(k, n_upper) && analyze(k, colptr, rowind, work);
    }
    rh_free(work);
    if (ok && k->lnz <= INT32_MAX) {
        *m = k;
        return RHEO_OK;
    }
    const bool too_large = k && (ok || k->com.status == CHOLMOD_TOO_LARGE);
    close_cholmod(k);
    if (too_large) return rh_fail(err, RHEO_E_LIMIT, 502, RH_NOWHERE, "the matrix is too large for 32-bit indices");
    return RH_NOMEM(err);
}

/* false: something is not finite. */
static bool take_values(rh_cholmod *k, const double *ax) {
    double sum = 0;
    for (int j = 0; j < k->n; j++)
        for (int p = k->ap[j]; p < k->ap[j + 1]; p++) {
            const double x = ax[k->from[p]];
            k->ax[p] = x;
            sum += x * 0;
            if (k->ai[p] == j) k->diag[j] = x;
        }
    return sum == 0;
}

/* Smallest pivot over the largest, each relative to its diagonal entry: as for KLU, it depends neither on units nor on
 * the decades that conductances span. Not positive, not finite: 0. */
static double condition(const rh_cholmod *k, int *weakest) {
    const int *const lp = k->l->p;
    const double *const lx = k->l->x;
    double least = INFINITY, most = 1;
    bool sound = true;
    for (int j = 0; j < k->n; j++) {
        const double x = lx[lp[j]] / k->diag[j];
        if (!(x >= least)) {
            least = x;
            *weakest = k->perm[j];
        }
        sound = sound && k->diag[j] > 0 && x > 0 && x <= DBL_MAX; /* NaN fails too */
        most = fmax(most, x);
    }
    return sound ? least / most : 0;
}

/* The order is fixed, so pivots make no difference. The first call takes the memory of L. */
static rheo_status factor_cholmod(void *m, const double *ax, rh_pivots pivots, double *rcond, int *column,
                                  rheo_error *err) {
    (void)pivots;
    rh_cholmod *k = m;
    double beta[2] = { 0, 0 };
    *rcond = 0;
    *column = -1;
    if (!take_values(k, ax)) return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the matrix is not finite");
    cholmod_sparse upper = view(k->n, k->ap, k->ai, k->ax);
    k->l->minor = (size_t)k->n; /* forget where an earlier one broke down */
    k->com.status = CHOLMOD_OK;
    if (!cholmod_rowfac(&upper, NULL, beta, 0, (size_t)k->n, k->l, &k->com) && k->com.status < CHOLMOD_OK)
        return RH_NOMEM(err);
    if (k->l->xtype == CHOLMOD_REAL) *rcond = condition(k, column);
    return RHEO_OK;
}

/* Through L, D and L' with `wide` interleaved right-hand sides. Every one sees the same operations in the same order
 * whatever `wide` is. Inlined for constant `wide`, so that the inner loops become vectors. */
static inline __attribute__((always_inline)) void sweep(const rh_cholmod *k, const int wide) {
    const int *const lp = k->l->p, *const li = k->l->i, *const nz = k->l->nz;
    const double *const lx = k->l->x;
    double *restrict const w = k->w;
    double x[MOST];
    for (int j = 0; j < k->n; j++) {
        for (int c = 0; c < wide; c++) x[c] = w[(size_t)j * (size_t)wide + (size_t)c];
        for (int p = lp[j] + 1; p < lp[j] + nz[j]; p++)
            for (int c = 0; c < wide; c++) w[(size_t)li[p] * (size_t)wide + (size_t)c] -= lx[p] * x[c];
    }
    for (int j = k->n - 1; j >= 0; j--) {
        for (int c = 0; c < wide; c++) x[c] = w[(size_t)j * (size_t)wide + (size_t)c] / lx[lp[j]];
        for (int p = lp[j] + 1; p < lp[j] + nz[j]; p++)
            for (int c = 0; c < wide; c++) x[c] -= lx[p] * w[(size_t)li[p] * (size_t)wide + (size_t)c];
        for (int c = 0; c < wide; c++) w[(size_t)j * (size_t)wide + (size_t)c] = x[c];
    }
}

static void solve_block(rh_cholmod *k, int wide, double *b) {
    const size_t n = (size_t)k->n, stride = (size_t)wide;
    for (size_t c = 0; c < stride; c++)
        for (size_t j = 0; j < n; j++) k->w[j * stride + c] = b[c * n + (size_t)k->perm[j]];
    switch (wide) {
    case 1: sweep(k, 1); break;
    case 2: sweep(k, 2); break;
    case 4: sweep(k, 4); break;
    default: sweep(k, MOST);
    }
    for (size_t c = 0; c < stride; c++)
        for (size_t j = 0; j < n; j++) b[c * n + (size_t)k->perm[j]] = k->w[j * stride + c];
}

static void solve_cholmod(void *m, int n_rhs, double *b) {
    rh_cholmod *k = m;
    while (n_rhs > 0) {
        const int wide = n_rhs >= MOST ? MOST : n_rhs >= 4 ? 4 : n_rhs >= 2 ? 2 : 1;
        solve_block(k, wide, b);
        b += (size_t)wide * (size_t)k->n;
        n_rhs -= wide;
    }
}

static int64_t fill_cholmod(const void *m) { return ((const rh_cholmod *)m)->lnz; }

const rh_matrix_ops rh_matrix_cholmod = { .name = "cholmod",
                                          .unsymmetric = false,
                                          .open = open_cholmod,
                                          .factor = factor_cholmod,
                                          .solve = solve_cholmod,
                                          .solve_transposed = solve_cholmod, /* symmetric */
                                          .fill = fill_cholmod,
                                          .close = close_cholmod };
