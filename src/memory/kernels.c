/* The tables of kernels and nonlinearities that readers, --help and the tests walk. */
#include "memory/kernel.h"

const rh_kernel *const RH_KERNELS[] = { &rh_leaky, &rh_feedback, &rh_chemotaxis };
const int RH_N_KERNEL = RH_COUNT(RH_KERNELS);

const char *const RH_NONLINEARITIES[] = { "dead-zone", "cubic", "none", NULL };
static const rh_meaning NONLINEARITIES[] = {
    [RH_DEAD_ZONE] = { "u where |u| is at least the threshold, else nothing",
                       "for tcl: the fast ramp passes, the slow one does not" },
    [RH_CUBIC] = { "u^3/threshold",
                   "for a smooth preference of fast changes: all amplitudes write, large ones far more" },
    [RH_NONE] = { "u itself", "as the control: up and down cancel, unless the kernel has an area" },
};

rh_meaning rh_nonlinearity_meaning(int nonlinearity) { return NONLINEARITIES[nonlinearity]; }

int rh_kernel_find(const char *name) {
    for (int i = 0; i < RH_N_KERNEL; i++)
        if (rh_streq(name, RH_KERNELS[i]->name)) return i;
    return -1;
}
