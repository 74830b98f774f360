/* kernels.h - which kernels of the table the suites of exact samplers are for. */
#ifndef TESTS_KERNELS_H
#define TESTS_KERNELS_H

#include "infer/mcmc/chain.h"

/* Draws of the posterior itself, from a density of all rows, by crd_nuts_run. */
static inline bool kernel_is_exact(const crdi_mcmc_kernel *kernel)
{
    return !kernel->biased && kernel->rows == CRDI_ROWS_ALL && !kernel->shares;
}

#endif
