/* table.h: currents measured at rising voltages, as they follow the parameters of a kind with RH_TABLE: the number of
 * points, then each of them. */
#ifndef RH_ELEMENT_TABLE_H
#define RH_ELEMENT_TABLE_H

enum { RH_TABLE_MOST = 10000, RH_POINT_V = 0, RH_POINT_I, RH_POINT_SLOPE, RH_POINT };

/* V and A that a table may hold, and how far apart its voltages must be: slopes are finite. */
#define RH_TABLE_RANGE 1e9
#define RH_TABLE_STEP 1e-12

/* Slopes of a cubic through n >= 2 points that rises where they do. v rises strictly, i does not fall.
 * Source: Fritsch & Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984). */
void rh_table_slopes(int n, double (*point)[RH_POINT]);

#endif
