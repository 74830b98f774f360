/* kernel_twin.h - every kernel once more, in the plainest way: what the kernels are tested against. */
#ifndef CRD_KERNEL_TWIN_H
#define CRD_KERNEL_TWIN_H

#include "kernel/kernel.h"

#include <stdbool.h>

/* Does what `kernel` promises for the call. Returns true where the kernel must give the same bits, false where it may
 * sum in another order. Kernels of floats: the call holds floats as doubles, and so does the result. */
bool kernel_twin(enum crdi_kernel kernel, const crdi_call *call, bool single);

#endif
