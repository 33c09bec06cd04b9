/* integral-feedback: the deviation of u from its set point is integrated over time and fed back, so that u returns to
 * it:
 *
 *     tau_u u' = -u - m + s/tau_m        m' = u/tau_m - m/leak
 *
 * Overdamped for tau_m >= 4 tau_u, rings below. Source: Falk et al. (2025), Fig. 7A; gain 1/tau_m so that a slow s
 * gives u = s'. */
#include "memory/kernel.h"

static const rh_kernel_field FIELDS[] = {
    { "tau_u", "s", 10e-6, 1e-15, 1e6, "response time of u" },
    { "tau_m", "s", 50e-6, 1e-15, 1e6, "integration time of the feedback" },
    { "leak", "s", INFINITY, 1e-15, INFINITY, "time in which the integral leaks away" },
};
enum { TAU_U, TAU_M, LEAK };

/* States are u and p = u + m, not u and m: with tau_u much below tau_m, u and m hold almost the same number with
 * opposite signs while the slow mode decays, and their sum would lose tau_m/tau_u in accuracy. */
static void build(const double *par, rh_filter *out) {
    const long double tau_u = par[TAU_U], tau_m = par[TAU_M], leak = par[LEAK];
    const long double share = 1 / (1 + tau_m / leak);
    const long double ringing = (tau_m / leak) * (tau_u / leak);
    *out =
        (rh_filter){ .n = 2, .area = (double)(1 / (tau_m + leak)), .moment = (double)((ringing - 1) * share * share) };
    out->m[0][1] = -1 / tau_u;
    out->m[1][0] = 1 / tau_m + 1 / leak;
    out->m[1][1] = -1 / tau_u - 1 / leak;
    out->b[0] = out->b[1] = 1 / (tau_m * tau_u);
    out->c[0] = 1;
}

const rh_kernel rh_feedback = {
    .name = "integral-feedback",
    .meaning = { "two-state integral feedback: the integral of u is subtracted from s",
                 "for elements with a response time of their own; rings where tau_m is below 4 tau_u" },
    .equation = "tau_u u' = -u - m + s/tau_m, m' = u/tau_m - m/leak",
    .fields = FIELDS,
    .n_field = RH_COUNT(FIELDS),
    .build = build,
};
