/* sink.c - the sink that keeps draws in memory. */
#include "infer/sink.h"

#include <string.h>

static crd_status keep(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    crd_posterior *p = user;
    for (int c = 0; c < p->column_count; c++) {
        crd_column *column = &p->column[c];
        memcpy(column->draws + (chain * p->draws + first) * column->size, values[c],
               (size_t)(count * column->size) * sizeof(double));
    }
    return CRD_OK;
}

crdi_sink crdi_sink_to_posterior(crd_posterior *posterior)
{
    return (crdi_sink){.user = posterior, .draws = keep};
}
