/* The polynomial basis of s over the clamping level h. */
#include "memory/closed.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288L

double rh_basis(int j, double h) {
    if (j == 0) return 1;
    const double y = 2 * h - 1;
    double before = 1, now = y;
    for (int k = 1; k < j; k++) {
        const double next = 2 * y * now - before;
        before = now;
        now = next;
    }
    return now - (j % 2 ? -1 : 1);
}

/* From T_{j+1} = 2 y T_j - T_{j-1}. */
void rh_basis_taylor(int degree, long double y, rh_taylor t) {
    memset(t, 0, sizeof(rh_taylor));
    t[0][0] = 1;
    t[1][0] = y;
    t[1][1] = 1;
    for (int j = 1; j < degree; j++) {
        for (int k = 0; k <= j + 1; k++) {
            const long double shifted = k > 0 ? t[j][k - 1] : 0;
            t[j + 1][k] = 2 * (y * t[j][k] + shifted) - t[j - 1][k];
        }
    }
}

/* Interpolation at the Lobatto points is a discrete cosine transform; the end levels and end coefficients count half.
 */
void rh_basis_transform(int n, double *w) {
    for (int i = 0; i <= n; i++) w[i] = i == 0;
    for (int j = 1; j <= n; j++) {
        for (int i = 0; i <= n; i++) {
            const int turn = (j * (n - i)) % (2 * n); /* small angles keep the cosine exact for large n */
            const long double end = (i == 0 || i == n ? 0.5L : 1) * (j == n ? 0.5L : 1);
            w[j * (n + 1) + i] = (double)(2 * end / n * cosl(PI * turn / n));
        }
    }
}
