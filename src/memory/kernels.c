/* The tables of kernels and nonlinearities that readers, --help and the tests walk. */
#include "memory/kernel.h"

const rh_kernel *const RH_KERNELS[] = { &rh_leaky, &rh_feedback, &rh_chemotaxis };
const int RH_N_KERNEL = RH_COUNT(RH_KERNELS);

const char *const RH_NONLINEARITIES[] = { "dead-zone", "cubic", "none", NULL };

int rh_kernel_find(const char *name) {
    for (int i = 0; i < RH_N_KERNEL; i++)
        if (rh_streq(name, RH_KERNELS[i]->name)) return i;
    return -1;
}
