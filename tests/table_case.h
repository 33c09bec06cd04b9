/* table_case.h: random tables of measured currents behind the parameters of a kind with RH_TABLE. */
#ifndef TABLE_CASE_H
#define TABLE_CASE_H

#include "check.h"

#include "element/element.h"
#include "element/table.h"

enum { TABLE_POINTS = 40, TABLE_ROOM = RH_KIND_PAR + 1 + RH_POINT * TABLE_POINTS };

/* From -1 to 1 V or less, in steps of all sizes; exponential, saturating, or whatever rises, with flat parts. u: the
 * next random number in [0, 1). */
static inline void random_table(const rh_kind *kind, double (*u)(uint64_t *), uint64_t *k, double *par) {
    if (!(kind->flags & RH_TABLE)) return;
    const int n = 2 + (int)(u(k) * (TABLE_POINTS - 1)), shape = (int)(3 * u(k));
    double *const table = par + kind->n_par, v = -u(k), i = -1e-3 * u(k);
    double(*const point)[RH_POINT] = (double(*)[RH_POINT])(table + 1);
    const double at = u(k) - 0.5, width = shape ? 0.03 + 0.1 * u(k) : 0.1 + 0.1 * u(k);
    table[0] = n;
    for (int j = 0; j < n; j++) {
        if (j == n - 1) i += 1e-4;
        point[j][RH_POINT_V] = v;
        point[j][RH_POINT_I] = shape == 0 ? 1e-9 * expm1(v / width) : shape == 1 ? 1e-3 * tanh((v - at) / width) : i;
        v += (0.2 + 1.6 * u(k)) * 2 / n;
        if (u(k) < 0.7) i += 1e-3 * u(k);
    }
    rh_table_slopes(n, point);
}

#endif
