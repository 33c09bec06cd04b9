/* The dead zone: the hot loop for every processor, the choice of the wide one, and the rare cases that both share. */
#include "memory/deadzone.h"

double rh_integrate_piece(const rh_closed *t, const double *p, double from, double to) {
    const double half = (to - from) / 2, mid = from + half;
    double sum = 0;
    for (int g = 0; g < RH_PIECE_POINTS; g++) sum += t->piece_weight[g] * rh_poly_at(p, mid + half * t->piece_node[g]);
    return half * sum;
}

/* All crossings of both levels, and every stretch between them judged at its middle. */
double rh_integrate_general(const rh_closed *t, const double *p, double threshold, bool below) {
    double at[2 * RH_Q + 2] = { -1 }, other[RH_Q], b[RH_Q1], sum = 0;
    rh_bernstein_of(&t->bernstein, p, b);
    int n = 1 + rh_poly_crossings(p, b, threshold, at + 1);
    const int n_other = rh_poly_crossings(p, b, -threshold, other);
    for (int i = 0; i < n_other; i++) {
        int k = n++;
        for (; k > 1 && at[k - 1] > other[i]; k--) at[k] = at[k - 1];
        at[k] = other[i];
    }
    at[n++] = 1;
    for (int i = 0; i + 1 < n; i++) {
        const double u = rh_poly_at(p, at[i] + (at[i + 1] - at[i]) / 2);
        if ((rh_side_of(u, threshold) == 0) == below) sum += rh_integrate_piece(t, p, at[i], at[i + 1]);
    }
    return sum;
}

void rh_dead_zone_plain(const rh_closed *t, double threshold, rh_block *b, double *dw) {
    dead_zone(t, threshold, b, dw);
}

void rh_dead_zone(const rh_closed *t, double threshold, rh_block *b, double *dw) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        rh_dead_zone_wide(t, threshold, b, dw);
        return;
    }
#endif
    rh_dead_zone_plain(t, threshold, b, dw);
}
