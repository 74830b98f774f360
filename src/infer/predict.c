/* predict.c - the values of a site at other data, for every draw of a posterior. */
#include <credence/mcmc.h>
#include "base/base.h"

#include <string.h>

/* The columns of the latent sites, in the model's order. */
static crd_status find_columns(const crd_model *model, const crd_posterior *posterior, const crd_column **out)
{
    for (int i = 0; i < crd_model_site_count(model); i++) {
        const crd_site *site = crd_model_site(model, i);
        out[i] = crd_posterior_find(posterior, site->name);
        if (!out[i])
            return crdi_raise(crd_model_context(model), CRD_EMISSING, "predict: the posterior has no site %s",
                              site->name);
        if (!crdi_shape_equal(out[i]->shape, site->shape))
            return crdi_raise(crd_model_context(model), CRD_ESHAPE,
                              "predict: site %s has another shape in the posterior", site->name);
    }
    return CRD_OK;
}

static void run_draw(crd_exec *exec, const crd_model *model, const crd_column *const *columns, int64_t draw,
                     crd_key key)
{
    double *input = crd_exec_input(exec);
    *input++ = key.word[0];
    *input++ = key.word[1];
    for (int i = 0; i < crd_model_site_count(model); i++) {
        memcpy(input, columns[i]->draws + draw * columns[i]->size, sizeof(double) * (size_t)columns[i]->size);
        input += columns[i]->size;
    }
    crd_exec_run(exec);
}

crd_status crd_predict(const crd_model *model, const crd_posterior *posterior, void *user, const char *name,
                       crd_key key, crd_array *out)
{
    crd_context *ctx = crd_model_context(model);
    crd_program *program = NULL;
    crd_exec *exec = NULL;
    crd_shape site = {0};
    crd_array values = {0};
    const crd_column **columns = crdi_alloc_array(ctx, crd_model_site_count(model), sizeof *columns);
    crd_status status = columns ? find_columns(model, posterior, columns) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crd_model_compile_predictive(model, user, &name, 1, &site, &program);
    if (status == CRD_OK)
        status = crd_exec_create(&exec, program);
    if (status == CRD_OK && site.ndim + 2 > CRD_MAX_DIMS)
        status = crdi_raise(ctx, CRD_EUNSUPPORTED, "predict: site %s has too many axes", name);
    if (status == CRD_OK) {
        crd_shape shape = {.ndim = site.ndim + 2, .dim = {posterior->chains, posterior->draws}};
        memcpy(&shape.dim[2], site.dim, sizeof site.dim[0] * (size_t)site.ndim);
        status = crd_array_init(ctx, &values, shape);
    }
    int64_t size = crd_shape_size(site);
    for (int64_t d = 0; status == CRD_OK && d < posterior->chains * posterior->draws; d++) {
        run_draw(exec, model, columns, d, crd_key_fold_in(key, (uint32_t)d));
        memcpy(values.data + d * size, crd_exec_output(exec), sizeof(double) * (size_t)size);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crdi_free(ctx, columns);
    if (status == CRD_OK)
        *out = values;
    return status;
}
