/* The polynomial basis of s over the clamping level h. */
#include "memory/memory.h"

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
