/* predictive.c - programs that run a model forwards: the prior, predictions, the log likelihood of each observation, and
 * the way back from values to the unconstrained scale. */
#include "model/model.h"

#include <string.h>

crd_status crd_model_compile_prior(const crd_model *model, const char *const *names, int count, crd_program **out)
{
    crd_context *ctx = model->ctx;
    crd_trace *trace;
    crd_seed_handler seed;
    crd_uncondition_handler forgetful;
    crd_uncondition_init(&forgetful, NULL);
    CRD_TRY(crd_trace_create(&trace, ctx));
    crd_node key = crd_input(crd_trace_graph(trace), "key", crd_shape_1(2));
    crd_seed_init(&seed, key);
    int n = model->site_count;
    crd_node *outputs = crdi_alloc_array(ctx, n + count, sizeof *outputs);
    crd_status status = outputs ? crd_trace_push(trace, &seed.handler) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crd_trace_push(trace, &forgetful.handler);
    if (status == CRD_OK)
        status = crd_trace_run(trace, model->fn, model->user);
    if (status == CRD_OK) {
        crdi_model_values(model, trace, outputs);
        status = crdi_find_sites(ctx, trace, names, count, false, NULL, outputs + n);
    }
    if (status == CRD_OK)
        status = crd_compile(crd_trace_graph(trace), &key, 1, outputs, n + count, out);
    crdi_free(ctx, outputs);
    crd_trace_destroy(&trace);
    return status;
}

/* Gives the latent sites of a model their place in the input vector. */
struct latents {
    const crd_model *model;
    crd_node *input; /* by site */
};

static int lookup(void *user, const crd_message *m, crd_node *value)
{
    struct latents *latents = user;
    int i = crdi_model_find(latents->model, m->name);
    if (i >= 0)
        *value = latents->input[i];
    return i >= 0;
}

/* A trace of the model run forwards: latent sites have the values of its inputs, what was observed is drawn. */
struct forwards {
    crd_trace *trace;
    crd_node *input; /* the key, then the latent sites in their order */
    crd_seed_handler seed;
    crd_substitute_handler substitute;
    crd_uncondition_handler forgetful;
    struct latents latents;
};

static crd_status run_forwards(const crd_model *model, void *user, struct forwards *f)
{
    int n = model->site_count;
    CRD_TRY(crd_trace_create(&f->trace, model->ctx));
    f->input = crdi_alloc_array(model->ctx, n + 1, sizeof *f->input);
    if (!f->input)
        return CRD_ENOMEM;
    f->latents = (struct latents){model, f->input + 1};
    f->input[0] = crd_input(crd_trace_graph(f->trace), "key", crd_shape_1(2));
    for (int i = 0; i < n; i++)
        f->input[i + 1] = crd_input(crd_trace_graph(f->trace), model->site[i].name, model->site[i].shape);
    crd_seed_init(&f->seed, f->input[0]);
    crd_substitute_init(&f->substitute, lookup, &f->latents);
    crd_uncondition_init(&f->forgetful, NULL);
    CRD_TRY(crd_trace_push(f->trace, &f->seed.handler));
    CRD_TRY(crd_trace_push(f->trace, &f->substitute.handler));
    CRD_TRY(crd_trace_push(f->trace, &f->forgetful.handler));
    return crd_trace_run(f->trace, model->fn, user);
}

crd_status crdi_model_compile_forwards(const crd_model *model, void *user, crdi_outputs_fn outputs, void *outputs_user,
                                       int count, crd_program **out)
{
    struct forwards f = {0};
    crd_node *node = crdi_alloc_array(model->ctx, count ? count : 1, sizeof *node);
    crd_status status = node ? run_forwards(model, user, &f) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = outputs(outputs_user, f.trace, f.input[0], node);
    if (status == CRD_OK)
        status = crd_compile(crd_trace_graph(f.trace), f.input, model->site_count + 1, node, count, out);
    crdi_free(model->ctx, f.input);
    crdi_free(model->ctx, node);
    crd_trace_destroy(&f.trace);
    return status;
}

struct named_sites {
    const char *const *names;
    int count;
    crd_shape *shapes;
};

static crd_status pick_sites(void *user, crd_trace *trace, crd_node key, crd_node *out)
{
    const struct named_sites *sites = user;
    (void)key;
    return crdi_find_sites(trace->ctx, trace, sites->names, sites->count, false, sites->shapes, out);
}

crd_status crd_model_compile_predictive(const crd_model *model, void *user, const char *const *names, int count,
                                        crd_shape *shapes, crd_program **out)
{
    struct named_sites sites = {names, count, shapes};
    return crdi_model_compile_forwards(model, user, pick_sites, &sites, count, out);
}

/* ---- pointwise log likelihood -------------------------------------------------------------------------------- */

/* Runs a model with the values of another's latent sites as inputs: inputs[i] is that of site i. */
static crd_status run_with_values(struct latents *latents, crd_trace *trace, crd_handler *around, void *user)
{
    crd_substitute_handler substitute;
    const crd_model *model = latents->model;
    for (int i = 0; i < model->site_count; i++)
        latents->input[i] = crd_input(crd_trace_graph(trace), model->site[i].name, model->site[i].shape);
    crd_substitute_init(&substitute, lookup, latents);
    if (around)
        CRD_TRY(crd_trace_push(trace, around));
    CRD_TRY(crd_trace_push(trace, &substitute.handler));
    return crd_trace_run(trace, model->fn, user);
}

static crd_status find_log_prob(crd_context *ctx, const crd_trace *trace, const char *const *names, int count,
                                crd_shape *shapes, crd_node *out)
{
    for (int i = 0; i < count; i++) {
        CRD_TRY(crdi_find_sites(ctx, trace, &names[i], 1, false, NULL, &out[i]));
        const crd_message *m = crd_trace_find(trace, names[i]);
        if (m->kind != CRD_MESSAGE_SAMPLE || !m->observed)
            return crdi_raise(ctx, CRD_ENAME, "site %s is not observed", names[i]);
        shapes[i] = m->batch;
        out[i] = m->log_prob;
    }
    return CRD_OK;
}

crd_status crd_model_compile_log_likelihood(const crd_model *model, void *user, const char *const *names, int count,
                                            crd_shape *shapes, crd_program **out)
{
    crd_context *ctx = model->ctx;
    crd_trace *trace;
    CRD_TRY(crd_trace_create(&trace, ctx));
    crd_node *inputs = crdi_alloc_array(ctx, model->site_count, sizeof *inputs);
    crd_node *outputs = crdi_alloc_array(ctx, count ? count : 1, sizeof *outputs);
    struct latents latents = {model, inputs};
    crd_status status = inputs && outputs ? run_with_values(&latents, trace, NULL, user) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = find_log_prob(ctx, trace, names, count, shapes, outputs);
    if (status == CRD_OK)
        status = crd_compile(crd_trace_graph(trace), inputs, model->site_count, outputs, count, out);
    crdi_free(ctx, inputs);
    crdi_free(ctx, outputs);
    crd_trace_destroy(&trace);
    return status;
}

/* ---- back to the unconstrained scale ------------------------------------------------------------------------- */

/* Notes u for every latent site, from its value. */
struct inverse {
    crd_handler handler;
    const crd_model *model;
    crd_node *u; /* by site */
};

static void note_inverse(crd_handler *self, crd_trace *trace, crd_message *m)
{
    struct inverse *inverse = self->user;
    (void)trace;
    int i = crdi_is_latent(m) ? crdi_model_find(inverse->model, m->name) : -1;
    if (i >= 0)
        inverse->u[i] = crd_bijection_inverse(m->dist.type->support(&m->dist), m->value);
}

crd_status crd_model_compile_unconstrained(const crd_model *model, crd_program **out)
{
    crd_context *ctx = model->ctx;
    crd_trace *trace;
    int n = model->site_count;
    CRD_TRY(crd_trace_create(&trace, ctx));
    crd_node *inputs = crdi_alloc_array(ctx, n, sizeof *inputs), *u = crdi_alloc_array(ctx, n, sizeof *u);
    struct latents latents = {model, inputs};
    struct inverse inverse = {.model = model, .u = u};
    inverse.handler = (crd_handler){.postprocess = note_inverse, .user = &inverse};
    crd_status status = inputs && u ? run_with_values(&latents, trace, &inverse.handler, model->user) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crd_compile(crd_trace_graph(trace), inputs, n, u, n, out);
    crdi_free(ctx, inputs);
    crdi_free(ctx, u);
    crd_trace_destroy(&trace);
    return status;
}
