/* map.c - see map.h. */
#include "infer/map.h"
#include "infer/svi/lbfgs.h"

#include <string.h>

struct hill {
    crd_exec *exec;
    int64_t dim;
};

static crd_status minus_log_density(void *user, const double *u, double *value, double *gradient)
{
    const struct hill *h = user;
    memcpy(crd_exec_input(h->exec), u, sizeof *u * (size_t)h->dim);
    crd_exec_run(h->exec);
    *value = -crd_exec_output(h->exec)[0];
    for (int64_t i = 0; i < h->dim; i++)
        gradient[i] = -crd_exec_output(h->exec)[1 + i];
    return CRD_OK;
}

crd_status crdi_find_map(crd_context *ctx, crd_exec *density, int64_t dim, double *u, int64_t *evaluations)
{
    struct hill hill = {density, dim};
    crdi_lbfgs_result result;
    CRD_TRY(crdi_lbfgs_minimise(ctx, minus_log_density, &hill, dim, u, NULL, &result));
    if (evaluations)
        *evaluations += result.evaluations;
    return CRD_OK;
}
