/* chemotaxis: the adaptation response of E. coli, K(t) = e^{-Bt} (alpha t - beta t^2), as three equal low-pass stages
 * and a difference:
 *
 *     x1' = B (s - x1)   x2' = B (x1 - x2)   x3' = B (x2 - x3)   u = (1 + 3I/B) B (x2 - x3) + I x3
 *
 * Kernel area is I and first moment -1 exactly. Source: the kernel of the published analysis of Falk et al. (2025). */
#include "memory/kernel.h"

static const rh_kernel_field FIELDS[] = {
    { "rate", "1/s", 20e3, 1e-6, 1e15, "rate B of the three stages" },
    { "area", "1/s", 0, -1e15, 1e15, "kernel area I: u that a constant s of 1 leaves" },
};
enum { RATE, AREA };

/* States are x1 - x2, x2 - x3 and x3: u reads differences, and in a cycle much shorter than 1/B they are tiny against
 * the stages. */
static void build(const double *par, rh_filter *out) {
    const long double rate = par[RATE], area = par[AREA];
    *out = (rh_filter){
        .n = 3,
        .m = { { -2 * rate, -rate, -rate }, { rate, -rate, 0 }, { 0, rate, 0 } },
        .b = { rate, 0, 0 },
        .c = { 0, rate + 3 * area, area },
        .area = par[AREA],
        .moment = -1,
    };
}

const rh_kernel rh_chemotaxis = {
    .name = "chemotaxis",
    .meaning = { "three low-pass stages and a difference: the adaptation response of E. coli",
                 "for the biological model, and for the effect of imperfect adaptation (area)" },
    .equation = "x1' = B(s - x1), x2' = B(x1 - x2), x3' = B(x2 - x3), u = (1 + 3I/B) B (x2 - x3) + I x3",
    .fields = FIELDS,
    .n_field = RH_COUNT(FIELDS),
    .build = build,
};
