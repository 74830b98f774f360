/* network_start.c - see network_start.h. */
#include "nn/network_start.h"
#include "nn/nn.h"

#include <stdio.h>
#include <string.h>

crd_status crdi_network_start_create(crd_context *ctx, const crd_network *network, crdi_network_start *out)
{
    crd_trace *trace;
    *out = (crdi_network_start){.ctx = ctx};
    CRD_TRY(crd_trace_create(&trace, ctx));
    const crd_module *module = crdi_network_module(trace, network);
    crd_status status = trace->status;
    if (status == CRD_OK)
        status = crd_module_describe(ctx, module, crd_shape_2(1, network->x.shape.dim[1]), &out->params);
    crd_trace_destroy(&trace);
    return status;
}

void crdi_network_start_clear(crdi_network_start *start)
{
    crd_module_params_destroy(&start->params);
}

/* The site that has a parameter's value; -1: none (it is computed from others). */
static int site_of(const crd_model *model, const char *param)
{
    static const char *const ending[] = {"", ".raw"};
    char name[256];
    for (int i = 0; i < CRDI_COUNT(ending); i++) {
        snprintf(name, sizeof name, "net/%s%s", param, ending[i]);
        int site = crdi_model_find(model, name);
        if (site >= 0)
            return site;
    }
    return -1;
}

crd_status crdi_network_start_run(void *user, const crd_model *model, crd_key key, double *u)
{
    const crdi_network_start *start = user;
    memset(u, 0, sizeof *u * (size_t)crd_model_dim(model));
    for (int i = 0; i < start->params->count; i++) {
        const crd_param_spec *spec = &start->params->param[i].spec;
        int site = site_of(model, spec->name);
        if (site >= 0)
            CRD_TRY(crd_initialize(start->ctx, &spec->initial, spec, crd_key_fold_in(key, (uint32_t)i),
                                   u + crd_model_site(model, site)->offset));
    }
    return CRD_OK;
}
