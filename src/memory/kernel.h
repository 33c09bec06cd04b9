/* The rows of RH_KERNELS, one file each. */
#ifndef RH_MEMORY_KERNEL_H
#define RH_MEMORY_KERNEL_H

#include "memory/memory.h"

#include <math.h>

extern const rh_kernel rh_leaky, rh_feedback, rh_chemotaxis;

#endif
