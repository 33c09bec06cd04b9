/* dense.c: small dense systems. */
#include "base/base.h"

#include <math.h>

bool rh_dense_solve(int n, double *lu, double *x) {
    const int m = n + 1;
    for (int c = 0; c < n; c++) {
        int p = c;
        for (int r = c + 1; r < n; r++)
            if (fabs(lu[r * m + c]) > fabs(lu[p * m + c])) p = r;
        if (!(fabs(lu[p * m + c]) > 0)) return false; /* NaN too */
        if (p != c)
            for (int j = c; j < m; j++) {
                const double t = lu[p * m + j];
                lu[p * m + j] = lu[c * m + j];
                lu[c * m + j] = t;
            }
        for (int r = c + 1; r < n; r++) {
            const double f = lu[r * m + c] / lu[c * m + c];
            for (int j = c + 1; j < m; j++) lu[r * m + j] -= f * lu[c * m + j];
        }
    }
    for (int r = n - 1; r >= 0; r--) {
        double sum = lu[r * m + n];
        for (int j = r + 1; j < n; j++) sum -= lu[r * m + j] * x[j];
        x[r] = sum / lu[r * m + r];
        if (!isfinite(x[r])) return false;
    }
    return true;
}
