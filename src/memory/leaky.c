/* leaky-integrator: m follows s through R and C, u is what is left of s. The RC high-pass, first-order limit of
 * integral feedback:
 *
 *     m' = (s - m)/tau - m/leak        u = (s - m)/tau
 *
 * A leak (finite amplifier gain, a resistor across the capacitor) leaves kernel area 1/(tau + leak). */
#include "memory/kernel.h"

static const rh_kernel_field FIELDS[] = {
    { "tau", "s", 50e-6, 1e-15, 1e6, "time constant of the integrator" },
    { "leak", "s", INFINITY, 1e-15, INFINITY, "time in which the stored value leaks away" },
};
enum { TAU, LEAK };

static void build(const double *par, rh_filter *out) {
    const long double tau = par[TAU], leak = par[LEAK];
    const long double share = 1 / (1 + tau / leak); /* leak/(tau + leak), also for an infinite leak */
    *out = (rh_filter){ .n = 1, .area = (double)(1 / (tau + leak)), .moment = (double)(-share * share) };
    out->m[0][0] = -1 / tau - 1 / leak;
    out->b[0] = 1 / tau;
    out->c[0] = -1 / tau;
    out->d = 1 / tau;
}

const rh_kernel rh_leaky = {
    .name = "leaky-integrator",
    .meaning = { "RC high-pass: what is left of s after its running mean is taken off",
                 "for circuits: one R and one C per edge, tau = R C; the kernel of exported decks" },
    .equation = "m' = (s - m)/tau - m/leak, u = (s - m)/tau",
    .fields = FIELDS,
    .n_field = RH_COUNT(FIELDS),
    .build = build,
};
