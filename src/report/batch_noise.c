/* batch_noise.c - see batch_noise.h. */
#include "report/batch_noise.h"

#include <math.h>
#include <string.h>

static crd_status mean_of(const crdi_network_run *net, const char *name, const crdi_run_part *part, double *out)
{
    int64_t n = part->chains * part->draws;
    const crd_column *column = NULL;
    for (int c = 0; c < crd_run_column_count(net->run); c++)
        if (strcmp(crd_run_column(net->run, c)->name, name) == 0)
            column = crd_run_column(net->run, c);
    *out = 0;
    if (!column || column->size != 1)
        return CRD_OK;
    double *draws = crdi_alloc_array(net->ctx, n, sizeof *draws);
    crd_status status = draws ? crdi_run_read_elements(net->ctx, net->run, column, part, 0, 1, draws) : CRD_ENOMEM;
    for (int64_t i = 0; i < n && status == CRD_OK; i++)
        *out += draws[i] / (double)n;
    crdi_free(net->ctx, draws);
    return status;
}

/* Of a network: its rows are in the file, and the size of a batch is in the options. */
static crd_status read_options(const crdi_network_run *net, int64_t *out, double *friction)
{
    char *text;
    crdi_json *json = NULL;
    int64_t batch = 0;
    *out = 0;
    *friction = 1;
    if (!net->is_network || !crdi_run_has(net->run, "options"))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(net->run, "options", &text));
    crd_status status = crdi_json_parse(net->ctx, "options", text, &json);
    crdi_free(net->ctx, text);
    if (status == CRD_OK && crdi_json_get(json, "batch"))
        status = crdi_json_need_integer(net->ctx, "options", json, "batch", &batch);
    if (status == CRD_OK && crdi_json_get(json, "friction"))
        status = crdi_json_need_number(net->ctx, "options", json, "friction", friction);
    crdi_json_destroy(&json);
    if (status == CRD_OK)
        *out = batch > 0 && batch <= net->x.shape.dim[0] ? net->x.shape.dim[0] / batch : 1;
    return status;
}

crd_status crdi_batch_noise_read(const crdi_network_run *net, const char *method, const crdi_run_part *part,
                                 crdi_batch_noise *out)
{
    double friction;
    *out = (crdi_batch_noise){0};
    if (!crdi_mcmc_bias_of(method, 1, 0, 1, 0, &out->bias) || part->draws == 0)
        return CRD_OK;
    CRD_TRY(mean_of(net, "energy", part, &out->ratio));
    CRD_TRY(mean_of(net, "step_size", part, &out->step_size));
    CRD_TRY(read_options(net, &out->batches, &friction));
    out->is = crdi_mcmc_bias_of(method, out->step_size, out->ratio, friction, out->batches, &out->bias);
    return CRD_OK;
}

void crdi_batch_noise_text(crdi_string *out, const crdi_batch_noise *noise)
{
    if (!isfinite(noise->ratio)) {
        crdi_string_append(
            out, "nothing corrects the step or the noise of batches, and gradients are not finite: the chains have "
                 "left the posterior");
        return;
    }
    crdi_string_append(out,
                       "nothing corrects the step or the noise of batches: that of gradients is %.2g of what is "
                       "injected, which may add %.2g %% to variances",
                       noise->ratio, 100 * noise->ratio);
    if (noise->batches > 0 && noise->ratio > 0)
        crdi_string_append(out,
                           " (%.2g %% in a normal of the metric's scales, as batches of an epoch cancel in part%s)",
                           100 * noise->bias.noise, noise->bias.corrected ? "; that is taken off" : "");
    if (!noise->bias.corrected)
        crdi_string_append(out, ", and the step %.2g %%", 100 * noise->bias.step);
}

void crdi_batch_noise_json(crdi_json_writer *w, const crdi_batch_noise *noise)
{
    if (!noise->is)
        return;
    crdi_json_open(w, "batch_noise", '{');
    crdi_json_put_number(w, "ratio", noise->ratio);
    crdi_json_put_number(w, "variance_from_noise", noise->bias.noise);
    crdi_json_put_number(w, "variance_from_step", noise->bias.step);
    crdi_json_close(w, '}');
}
