/* predict.c - the values of a site for every draw of a posterior or of the prior, and the log likelihood of each observation. */
#include <credence/handler.h>
#include <credence/mcmc.h>
#include "model/model.h"

#include <string.h>

/* ---- over the draws of a posterior --------------------------------------------------------------------------- */

/* The columns of the latent sites, in the model's order. */
static crd_status find_columns(const crd_model *model, const crd_posterior *posterior, const char *what,
                               const crd_column **out)
{
    for (int i = 0; i < crd_model_site_count(model); i++) {
        const crd_site *site = crd_model_site(model, i);
        out[i] = crd_posterior_find(posterior, site->name);
        if (!out[i])
            return crdi_raise(crd_model_context(model), CRD_EMISSING, "%s: the posterior has no site %s", what,
                              site->name);
        if (!crdi_shape_equal(out[i]->shape, site->shape))
            return crdi_raise(crd_model_context(model), CRD_ESHAPE, "%s: site %s has another shape in the posterior",
                              what, site->name);
    }
    return CRD_OK;
}

/* Writes the latent sites' values of a draw, in the model's order. */
static void load_draw(const crd_model *model, const crd_column *const *columns, int64_t draw, double *input)
{
    for (int i = 0; i < crd_model_site_count(model); i++) {
        memcpy(input, columns[i]->draws + draw * columns[i]->size, sizeof(double) * (size_t)columns[i]->size);
        input += columns[i]->size;
    }
}

/* The shape of a site behind the axes of draws. */
static crd_status init_values(crd_context *ctx, const char *what, const char *name, int axes, const int64_t *draws,
                              crd_shape site, crd_array *out)
{
    crd_shape shape = {.ndim = site.ndim + axes};
    if (shape.ndim > CRD_MAX_DIMS)
        return crdi_raise(ctx, CRD_EUNSUPPORTED, "%s: site %s has too many axes", what, name);
    memcpy(shape.dim, draws, sizeof shape.dim[0] * (size_t)axes);
    memcpy(&shape.dim[axes], site.dim, sizeof site.dim[0] * (size_t)site.ndim);
    return crd_array_init(ctx, out, shape);
}

/* A program of which the inputs are the latent sites, behind a key if there is one, run for every draw. */
struct over_draws {
    const char *what; /* for messages */
    const char *name;
    const crd_model *model;
    const crd_posterior *posterior;
    const crd_key *key; /* draw d has key folded with d; NULL: the program takes none */
    crd_program *program;
    crd_shape site;
};

static crd_status run_draws(const struct over_draws *o, const crd_column *const *columns, crd_array *values)
{
    crd_exec *exec;
    const crd_posterior *p = o->posterior;
    int64_t size = crd_shape_size(o->site);
    CRD_TRY(crd_exec_create(&exec, o->program));
    crd_status status = init_values(crd_model_context(o->model), o->what, o->name, 2,
                                    (const int64_t[]){p->chains, p->draws}, o->site, values);
    for (int64_t d = 0; status == CRD_OK && d < p->chains * p->draws; d++) {
        double *input = crd_exec_input(exec);
        if (o->key) {
            crd_key key = crd_key_fold_in(*o->key, (uint32_t)d);
            *input++ = key.word[0];
            *input++ = key.word[1];
        }
        load_draw(o->model, columns, d, input);
        crd_exec_run(exec);
        memcpy(values->data + d * size, crd_exec_output(exec), sizeof(double) * (size_t)size);
    }
    crd_exec_destroy(&exec);
    return status;
}

crd_status crd_predict(const crd_model *model, const crd_posterior *posterior, void *user, const char *name,
                       crd_key key, crd_array *out)
{
    crd_context *ctx = crd_model_context(model);
    struct over_draws o = {"predict", name, model, posterior, &key, NULL, {0}};
    crd_array values = {0};
    const crd_column **columns = crdi_alloc_array(ctx, crd_model_site_count(model), sizeof *columns);
    crd_status status = columns ? find_columns(model, posterior, o.what, columns) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crd_model_compile_predictive(model, user, &name, 1, &o.site, &o.program);
    if (status == CRD_OK)
        status = run_draws(&o, columns, &values);
    crd_program_destroy(&o.program);
    crdi_free(ctx, columns);
    if (status == CRD_OK)
        *out = values;
    return status;
}

crd_status crd_log_likelihood(const crd_model *model, const crd_posterior *posterior, void *user, const char *name,
                              crd_array *out)
{
    crd_context *ctx = crd_model_context(model);
    struct over_draws o = {"log likelihood", name, model, posterior, NULL, NULL, {0}};
    crd_array values = {0};
    const crd_column **columns = crdi_alloc_array(ctx, crd_model_site_count(model), sizeof *columns);
    crd_status status = columns ? find_columns(model, posterior, o.what, columns) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crd_model_compile_log_likelihood(model, user, &name, 1, &o.site, &o.program);
    if (status == CRD_OK)
        status = run_draws(&o, columns, &values);
    crd_program_destroy(&o.program);
    crdi_free(ctx, columns);
    if (status == CRD_OK)
        *out = values;
    return status;
}

/* ---- from the prior -------------------------------------------------------------------------------------------- */

/* The program (key) -> the site, with everything drawn. */
static crd_status compile_prior(crd_context *ctx, crd_model_fn model, void *user, const char *name, crd_shape *shape,
                                crd_program **out)
{
    crd_trace *trace;
    crd_seed_handler seed;
    crd_uncondition_handler forgetful;
    crd_node site;
    CRD_TRY(crd_trace_create(&trace, ctx));
    crd_node key = crd_input(crd_trace_graph(trace), "key", crd_shape_1(2));
    crd_seed_init(&seed, key);
    crd_uncondition_init(&forgetful, NULL);
    crd_status status = crd_trace_push(trace, &seed.handler);
    if (status == CRD_OK)
        status = crd_trace_push(trace, &forgetful.handler);
    if (status == CRD_OK)
        status = crd_trace_run(trace, model, user);
    if (status == CRD_OK)
        status = crdi_find_sites(ctx, trace, &name, 1, false, shape, &site);
    if (status == CRD_OK)
        status = crd_compile(crd_trace_graph(trace), &key, 1, &site, 1, out);
    crd_trace_destroy(&trace);
    return status;
}

crd_status crd_prior_predict(crd_context *ctx, crd_model_fn model, void *user, const char *name, int64_t draws,
                             crd_key key, crd_array *out)
{
    crd_program *program = NULL;
    crd_exec *exec = NULL;
    crd_shape shape = {0};
    crd_array values = {0};
    if (draws < 1)
        return crdi_raise(ctx, CRD_EINVAL, "prior: %lld draws are asked for, at least 1 is needed", (long long)draws);
    crd_status status = compile_prior(ctx, model, user, name, &shape, &program);
    if (status == CRD_OK)
        status = crd_exec_create(&exec, program);
    if (status == CRD_OK)
        status = init_values(ctx, "prior", name, 1, &draws, shape, &values);
    int64_t size = crd_shape_size(shape);
    for (int64_t d = 0; status == CRD_OK && d < draws; d++) {
        crd_key own = crd_key_fold_in(key, (uint32_t)d);
        crd_exec_input(exec)[0] = own.word[0];
        crd_exec_input(exec)[1] = own.word[1];
        crd_exec_run(exec);
        memcpy(values.data + d * size, crd_exec_output(exec), sizeof(double) * (size_t)size);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    if (status == CRD_OK)
        *out = values;
    return status;
}
