/* tempered.c - a model between its prior and its posterior: see crdi_model_compile_tempered. */
#include "dist/dist.h"
#include "model/unconstrain.h"

/* Whether what draws make of a latent site is what its density says. */
static crd_status check_prior(crd_context *ctx, const crd_message *m)
{
    for (const crd_dist *d = &m->dist; d; d = d->base)
        if (!d->type->draw)
            return crdi_raise(ctx, CRD_EUNSUPPORTED,
                              "site %s: %s is no prior that draws are made from; methods that go from the prior to the "
                              "posterior need one that is proper",
                              m->name, d->type->name);
    if (m->scale == 1 && !m->has_mask && !m->ignored && m->dist.type != &crdi_dist_masked)
        return CRD_OK;
    return crdi_raise(
        ctx, CRD_EUNSUPPORTED,
        "site %s: its log density is %s, and is then none that draws are made from; methods that go from the "
        "prior to the posterior need all of it",
        m->name,
        m->ignored      ? "left out"
        : m->scale != 1 ? "scaled"
                        : "masked");
}

static crd_status check_priors(crd_context *ctx, const crd_trace *trace)
{
    for (int i = 0; i < crd_trace_count(trace); i++)
        if (crdi_is_latent(crd_trace_site(trace, i)))
            CRD_TRY(check_prior(ctx, crd_trace_site(trace, i)));
    return CRD_OK;
}

static crd_node as_node(crd_graph *graph, crd_node node)
{
    return node.graph ? node : crdi_constant_scalar(graph, node.number);
}

static crd_status compile_tempered(const crd_model *model, crdi_unconstrained *u, crd_node *inputs, crd_node *outputs,
                                   crd_program **out)
{
    int n = model->site_count;
    crd_graph *graph = crd_trace_graph(u->trace);
    CRD_TRY(check_priors(model->ctx, u->trace));
    CRD_TRY(crdi_unconstrained_inputs(model, u, inputs));
    inputs[n] = crd_input(graph, "beta", crd_shape_0());
    outputs[n + 1] = as_node(graph, crd_add(u->trace->log_prior, u->handler.log_jacobian));
    outputs[n + 2] = as_node(graph, u->trace->log_likelihood);
    outputs[0] = crd_add(outputs[n + 1], crd_mul(inputs[n], outputs[n + 2]));
    crd_gradient(outputs[0], inputs, n, outputs + 1);
    CRD_TRY(crd_compile(graph, inputs, n + 1, outputs, n + 3, out));
    crdi_program_set_parts(*out, 2);
    return CRD_OK;
}

crd_status crdi_model_compile_tempered(const crd_model *model, crd_program **out)
{
    crdi_unconstrained u;
    int n = model->site_count;
    crd_node *inputs = crdi_alloc_array(model->ctx, n + 1, sizeof *inputs);
    crd_node *outputs = crdi_alloc_array(model->ctx, n + 3, sizeof *outputs);
    crd_status status = crdi_unconstrained_trace(model->ctx, model->fn, model->user, NULL, &u);
    if (status == CRD_OK)
        status = inputs && outputs ? compile_tempered(model, &u, inputs, outputs, out) : CRD_ENOMEM;
    crdi_unconstrained_clear(model->ctx, &u);
    crdi_free(model->ctx, inputs);
    crdi_free(model->ctx, outputs);
    return status;
}
