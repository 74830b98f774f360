/* model.c - from a model function to programs: the unconstrained log density and the values (predictive.c has others).
 *
 * Each program comes from a trace of its own: the function is run again under other handlers. The latent sites' order,
 * which fixes the layout of the parameter vector, is that of their names. */
#include "model/unconstrain.h"

#include <stdlib.h>
#include <string.h>

crd_context *crd_model_context(const crd_model *model)
{
    return model->ctx;
}

int64_t crd_model_dim(const crd_model *model)
{
    return model->dim;
}

int crd_model_site_count(const crd_model *model)
{
    return model->site_count;
}

const crd_site *crd_model_site(const crd_model *model, int i)
{
    return &model->site[i];
}

int crd_model_observed_count(const crd_model *model)
{
    return model->observed_count;
}

const crd_site *crd_model_observed(const crd_model *model, int i)
{
    return &model->observed[i];
}

int crdi_model_find(const crd_model *model, const char *name)
{
    for (int i = 0; i < model->site_count; i++)
        if (strcmp(model->site[i].name, name) == 0)
            return i;
    return -1;
}

const crd_program *crd_model_density(const crd_model *model)
{
    return model->density;
}

void crd_model_destroy(crd_model **model)
{
    if (!model || !*model)
        return;
    crd_model *m = *model;
    crd_program_destroy(&m->density);
    crdi_arena_destroy(&m->arena);
    crdi_free(m->ctx, m->site);
    crdi_free(m->ctx, m->observed);
    crdi_free(m->ctx, m);
    *model = NULL;
}

/* ---- the unconstrained trace -------------------------------------------------------------------------------- */

bool crdi_is_latent(const crd_message *m)
{
    return m->kind == CRD_MESSAGE_SAMPLE && !m->observed;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const crd_site *)a)->name, ((const crd_site *)b)->name);
}

static crd_status describe_site(crd_model *model, const crd_message *m, crd_site *site)
{
    if (!(site->name = crdi_arena_strdup(model->arena, m->name)))
        return CRD_ENOMEM;
    crd_support support = m->dist.type->support(&m->dist);
    site->shape = m->shape;
    site->size = crd_shape_size(m->shape);
    site->dist = m->dist.type->name;
    site->support = crd_constraint_text(support.kind);
    if (crdi_is_latent(m))
        site->unconstrained_size = crd_shape_size(crd_bijection_shape(support, m->shape));
    return CRD_OK;
}

static crd_status list_sites(crd_model *model, const crd_trace *trace)
{
    model->site = crdi_alloc_array(model->ctx, crd_trace_count(trace) + 1, sizeof *model->site);
    model->observed = crdi_alloc_array(model->ctx, crd_trace_count(trace) + 1, sizeof *model->observed);
    if (!model->site || !model->observed)
        return CRD_ENOMEM;
    for (int i = 0; i < crd_trace_count(trace); i++) {
        const crd_message *m = crd_trace_site(trace, i);
        if (m->kind != CRD_MESSAGE_SAMPLE)
            continue;
        CRD_TRY(describe_site(
            model, m, m->observed ? &model->observed[model->observed_count++] : &model->site[model->site_count++]));
    }
    qsort(model->site, (size_t)model->site_count, sizeof *model->site, by_name);
    for (int i = 0; i < model->site_count; i++) {
        model->site[i].offset = model->dim;
        model->dim += model->site[i].unconstrained_size;
    }
    return CRD_OK;
}

static crd_status compile_density(crd_model *model, crdi_unconstrained *u)
{
    crd_context *ctx = model->ctx;
    int n = model->site_count;
    crd_node *inputs = crdi_alloc_array(ctx, n, sizeof *inputs),
             *outputs = crdi_alloc_array(ctx, n + 1, sizeof *outputs);
    crd_status status = inputs && outputs ? crdi_unconstrained_inputs(model, u, inputs) : CRD_ENOMEM;
    if (status == CRD_OK) {
        crd_node density = crd_add(crd_trace_log_density(u->trace), u->handler.log_jacobian);
        /* A model without data or priors that depend on inputs has a constant density: give it a node. */
        outputs[0] = density.graph ? density : crdi_constant_scalar(crd_trace_graph(u->trace), density.number);
        crd_gradient(outputs[0], inputs, n, outputs + 1);
        status = crd_compile(crd_trace_graph(u->trace), inputs, n, outputs, n + 1, &model->density);
    }
    crdi_free(ctx, inputs);
    crdi_free(ctx, outputs);
    return status;
}

static crd_status create(crd_model *model)
{
    crdi_unconstrained u;
    CRD_TRY(crdi_arena_create(&model->arena, model->ctx));
    crd_status status = crdi_unconstrained_trace(model->ctx, model->fn, model->user, NULL, &u);
    if (status == CRD_OK)
        status = list_sites(model, u.trace);
    if (status == CRD_OK && model->dim == 0)
        status = crdi_raise(model->ctx, CRD_EINVAL, "the model has no latent site");
    if (status == CRD_OK)
        status = compile_density(model, &u);
    crdi_unconstrained_clear(model->ctx, &u);
    return status;
}

crd_status crd_model_create(crd_model **out, crd_context *ctx, crd_model_fn fn, void *user)
{
    crd_model *model = crdi_alloc(ctx, sizeof *model);
    if (!model)
        return CRD_ENOMEM;
    model->ctx = ctx;
    model->fn = fn;
    model->user = user;
    crd_status status = create(model);
    if (status < 0) {
        crd_model_destroy(&model);
        return status;
    }
    *out = model;
    return CRD_OK;
}

crd_status crd_model_log_density(const crd_model *model, const double *u, double *value, double *gradient)
{
    crd_exec *exec;
    CRD_TRY(crd_exec_create(&exec, model->density));
    memcpy(crd_exec_input(exec), u, sizeof *u * (size_t)model->dim);
    crd_exec_run(exec);
    *value = crd_exec_output(exec)[0];
    if (gradient)
        memcpy(gradient, crd_exec_output(exec) + 1, sizeof *gradient * (size_t)model->dim);
    crd_exec_destroy(&exec);
    return CRD_OK;
}

/* ---- values of sites ---------------------------------------------------------------------------------------- */

struct names {
    const crd_trace *trace;
};

static const char *site_name(const void *list, int64_t i)
{
    return crd_trace_site(((const struct names *)list)->trace, (int)i)->name;
}

/* The values of named sites behind `first` nodes that are there already. */
crd_status crdi_find_sites(crd_context *ctx, const crd_trace *trace, const char *const *names, int count,
                           bool deterministic, crd_shape *shapes, crd_node *out)
{
    for (int i = 0; i < count; i++) {
        const crd_message *m = crd_trace_find(trace, names[i]);
        if (!m || (deterministic && m->kind != CRD_MESSAGE_DETERMINISTIC)) {
            struct names list = {trace};
            if (m)
                return crdi_raise(ctx, CRD_ENAME, "site %s is no deterministic site", names[i]);
            return crdi_raise_unknown(ctx, "site", names[i], site_name, &list, crd_trace_count(trace));
        }
        if (shapes)
            shapes[i] = m->shape;
        out[i] = crd_broadcast_to(m->value, m->shape);
    }
    return CRD_OK;
}

void crdi_model_values(const crd_model *model, const crd_trace *trace, crd_node *out)
{
    for (int i = 0; i < model->site_count; i++) {
        const crd_message *m = crd_trace_find(trace, model->site[i].name);
        out[i] = m ? m->value : crdi_nothing;
    }
}

crd_status crd_model_compile_values(const crd_model *model, const char *const *keep, int keep_count,
                                    crd_shape *keep_shapes, crd_program **out)
{
    crd_context *ctx = model->ctx;
    crdi_unconstrained u;
    int n = model->site_count;
    crd_node *inputs = crdi_alloc_array(ctx, n, sizeof *inputs);
    crd_node *outputs = crdi_alloc_array(ctx, n + keep_count, sizeof *outputs);
    crd_status status = crdi_unconstrained_trace(ctx, model->fn, model->user, NULL, &u);
    if (status == CRD_OK)
        status = inputs && outputs ? crdi_unconstrained_inputs(model, &u, inputs) : CRD_ENOMEM;
    if (status == CRD_OK) {
        crdi_model_values(model, u.trace, outputs);
        status = crdi_find_sites(ctx, u.trace, keep, keep_count, true, keep_shapes, outputs + n);
    }
    if (status == CRD_OK)
        status = crd_compile(crd_trace_graph(u.trace), inputs, n, outputs, n + keep_count, out);
    crdi_unconstrained_clear(ctx, &u);
    crdi_free(ctx, inputs);
    crdi_free(ctx, outputs);
    return status;
}
