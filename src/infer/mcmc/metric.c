/* metric.c - the table of metrics. */
#include "infer/mcmc/metric.h"

#include <string.h>

#define METRIC(name, what) extern const crdi_metric_type crdi_metric_##name;
#include "infer/mcmc/metrics.def"
#undef METRIC

static const crdi_metric_type *const types[] = {
#define METRIC(name, what) &crdi_metric_##name,
#include "infer/mcmc/metrics.def"
#undef METRIC
};

const crdi_metric_type *crdi_metric_find(const char *name)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    return NULL;
}

const crdi_metric_type *crdi_metric_of_form(int64_t form)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (types[i]->form == form)
            return types[i];
    return NULL;
}

crd_status crdi_metric_create(crdi_metric *m, crd_context *ctx, const crdi_metric_type *type, int64_t dim,
                              bool overlapping)
{
    *m = (crdi_metric){.type = type, .ctx = ctx, .kernels = crdi_context_kernels(ctx), .dim = dim};
    return type->create(m, overlapping);
}

void crdi_metric_destroy(crdi_metric *m)
{
    if (m->type)
        m->type->destroy(m);
    *m = (crdi_metric){0};
}
