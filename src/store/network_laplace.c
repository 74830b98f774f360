/* network_laplace.c - draws of a network from its Laplace approximation, how it went, and the same approximation again. */
#include "store/network_laplace.h"
#include "store/network_fit.h"

#include <math.h>
#include <string.h>

enum { KEY_FIT, KEY_DRAWS };

static crd_key sub_key(const crdi_network_fit *fit, uint32_t which)
{
    return crd_key_fold_in(crd_key_make((uint64_t)fit->seed), which);
}

/* ---- before the fit ----------------------------------------------------------------------------------------- */

static crd_status find_columns(crdi_network_fit *fit, const crd_model *model)
{
    int sites = crd_model_site_count(model), keep = fit->mcmc.keep_count;
    crd_program *program;
    crd_shape *shape = crdi_arena_alloc(fit->arena, sizeof *shape * (size_t)(keep + 1));
    crd_column *column = crdi_arena_alloc(fit->arena, sizeof *column * (size_t)(sites + keep));
    if (!shape || !column)
        return CRD_ENOMEM;
    CRD_TRY(crd_model_compile_values(model, fit->mcmc.keep, keep, shape, &program));
    crd_program_destroy(&program);
    for (int i = 0; i < sites + keep; i++) {
        const crd_site *site = i < sites ? crd_model_site(model, i) : NULL;
        column[i] = (crd_column){.name = crdi_arena_strdup(fit->arena, site ? site->name : fit->mcmc.keep[i - sites]),
                                 .kind = site ? CRD_COLUMN_LATENT : CRD_COLUMN_DETERMINISTIC,
                                 .shape = site ? site->shape : shape[i - sites]};
        column[i].size = crd_shape_size(column[i].shape);
        if (!column[i].name)
            return CRD_ENOMEM;
    }
    fit->columns = (crdi_mcmc_columns){column, sites + keep};
    return CRD_OK;
}

static crd_status prepare(crdi_network_fit *fit)
{
    fit->laplace.start = fit->mcmc.start;
    fit->laplace.init_radius = fit->mcmc.init_radius;
    fit->laplace.threads = (int)fit->mcmc.threads;
    CRD_TRY(crdi_laplace_create(fit->ctx, &fit->network, &fit->laplace, &fit->laplacian));
    fit->dim = crd_model_dim(fit->laplacian->model);
    fit->chains = 1;
    return find_columns(fit, fit->laplacian->model);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crdi_laplace_options *o =
        fit->laplacian ? &fit->laplacian->options : &fit->laplace; /* before prepare: as asked */
    crdi_string_append(out, "hessian %s, most probable weights from %lld start%s", o->hessian, (long long)o->map_starts,
                       o->map_starts == 1 ? "" : "s");
    if (strcmp(o->tune, "noise") == 0)
        crdi_string_append(out, ", noise by the evidence");
    else if (strcmp(o->tune, "none") != 0)
        crdi_string_append(out, ", %s by the evidence (%s)", strcmp(o->tune, "all") == 0 ? "prior and noise" : "prior",
                           strcmp(o->precisions, "one") == 0 ? "one factor" : "a factor a layer");
    crdi_string_append(out, ", %lld draws", (long long)fit->mcmc.draws);
}

/* ---- what the file says ------------------------------------------------------------------------------------- */

static crd_status put_array(crdi_run *run, const char *name, const double *values, int64_t count)
{
    crd_array array = crd_array_borrow((double *)(uintptr_t)values, crd_shape_1(count));
    return crdi_run_put_array(run, name, &array);
}

/* The prior that the evidence set becomes the network's: what reads the file finds one model. The one that was asked for stays
 * beside it, for a run that is killed behind this and begins again. */
static crd_status adopt_prior(crdi_network_fit *fit)
{
    crdi_string text;
    CRD_TRY(crdi_run_set_text(fit->run, "laplace_prior_asked", fit->network.prior));
    crdi_string_init(&text, fit->ctx);
    crd_status status = crdi_laplace_prior_text(fit->laplacian, &text);
    if (status == CRD_OK && !(fit->network.prior = crdi_arena_strdup(fit->arena, crdi_string_text(&text))))
        status = CRD_ENOMEM;
    crdi_string_clear(&text);
    return status == CRD_OK ? crdi_network_run_settings(fit->run, fit->dataset->recipe, &fit->network) : status;
}

static crd_status describe(void *user)
{
    crdi_network_fit *fit = user;
    const crdi_laplace *l = fit->laplacian;
    crdi_run *run = fit->run;
    const struct {
        const char *key;
        int64_t value;
    } counts[] = {{"laplace_random", l->random},        {"laplace_starts", l->options.map_starts},
                  {"laplace_failed", l->failed_starts}, {"laplace_start", l->best_start},
                  {"laplace_rounds", l->rounds},        {"laplace_converged", l->converged},
                  {"laplace_finished", l->finished}};
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"laplace_noise", l->likelihood->noisy ? l->noise : NAN},
                   {"laplace_log_evidence", l->log_evidence},
                   {"laplace_log_likelihood", crdi_laplace_log_likelihood(l)},
                   {"laplace_log_density", crdi_laplace_log_density(l)},
                   {"laplace_gradient", l->gradient},
                   {"laplace_effective", crdi_laplace_effective(l)}};
    CRD_TRY(crdi_run_set_text(run, "laplace_hessian", l->type->name));
    CRD_TRY(crdi_run_set_text(run, "laplace_tune", l->options.tune));
    CRD_TRY(crdi_run_set_text(run, "laplace_precisions", l->options.precisions));
    for (int i = 0; i < CRDI_COUNT(counts); i++)
        CRD_TRY(crdi_run_set_integer(run, counts[i].key, counts[i].value));
    for (int i = 0; i < CRDI_COUNT(numbers); i++)
        CRD_TRY(crdi_run_set_number(run, numbers[i].key, numbers[i].value));
    CRD_TRY(put_array(run, "laplace_map", l->theta, l->count));
    CRD_TRY(put_array(run, "laplace_factors", l->factor, l->groups));
    return crdi_laplace_tunes(l, false) ? adopt_prior(fit) : CRD_OK;
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

/* All draws of all columns, a column after the other. */
static crd_status fill(crdi_network_fit *fit, crd_exec *values, double *const *column)
{
    const crdi_laplace *l = fit->laplacian;
    double *theta = crdi_alloc_array(fit->ctx, 2 * l->count, sizeof *theta);
    if (!theta)
        return CRD_ENOMEM;
    for (int64_t d = 0; d < fit->mcmc.draws; d++) {
        crdi_laplace_draw(l, crd_key_fold_in(sub_key(fit, KEY_DRAWS), (uint32_t)d), theta, theta + l->count);
        crdi_laplace_unconstrained(l, theta, crd_exec_input(values));
        crd_exec_run(values);
        const double *out = crd_exec_output(values);
        for (int c = 0; c < fit->columns.count; c++) {
            int64_t size = fit->columns.column[c].size;
            memcpy(column[c] + d * size, out, sizeof *out * (size_t)size);
            out += size;
        }
    }
    crdi_free(fit->ctx, theta);
    return CRD_OK;
}

static crd_status hand_over(crdi_network_fit *fit, crd_exec *values, const crdi_sink *sink)
{
    int columns = fit->columns.count;
    int64_t total = 0;
    for (int c = 0; c < columns; c++)
        total += fit->columns.column[c].size * fit->mcmc.draws;
    double *all = crdi_alloc_array(fit->ctx, total, sizeof *all), *at = all;
    double **column = crdi_alloc_array(fit->ctx, columns, sizeof *column);
    crd_status status = all && column ? CRD_OK : CRD_ENOMEM;
    for (int c = 0; c < columns && status == CRD_OK; c++) {
        column[c] = at;
        at += fit->columns.column[c].size * fit->mcmc.draws;
    }
    if (status == CRD_OK)
        status = fill(fit, values, column);
    if (status == CRD_OK)
        status = sink->draws(sink->user, 0, 0, fit->mcmc.draws, (const double *const *)column);
    crdi_free(fit->ctx, column);
    crdi_free(fit->ctx, all);
    return status;
}

/* Kept sites are those of the linear network, as predictions have them. */
static crd_status make_draws(crdi_network_fit *fit, const crdi_sink *sink)
{
    crd_model *model;
    crd_program *program = NULL;
    crd_exec *exec = NULL;
    crd_network network = fit->network;
    network.linear_about = fit->laplacian->theta;
    crd_shape *shape = crdi_arena_alloc(fit->arena, sizeof *shape * (size_t)(fit->mcmc.keep_count + 1));
    if (!shape)
        return CRD_ENOMEM;
    CRD_TRY(crd_model_create(&model, fit->ctx, crd_network_model, &network));
    crd_status status = crd_model_compile_values(model, fit->mcmc.keep, fit->mcmc.keep_count, shape, &program);
    if (status == CRD_OK)
        status = crd_exec_create(&exec, program);
    if (status == CRD_OK)
        status = hand_over(fit, exec, sink);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_model_destroy(&model);
    return status;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crdi_laplace *l = fit->laplacian;
    double started = crdi_seconds();
    l->options.stop = fit->mcmc.stop;
    l->options.stop_user = fit->mcmc.stop_user;
    crd_status status = crdi_laplace_fit(l, sub_key(fit, KEY_FIT));
    if (status != CRD_OK)
        return status;
    double seconds = crdi_seconds() - started;
    *report = (crdi_mcmc_report){
        .sampling_seconds = seconds, .gradient_evaluations = l->evaluations, .gradient_seconds = seconds};
    CRD_TRY(crdi_run_together(fit->run, describe, fit));
    return make_draws(fit, sink);
}

static void clear(crdi_network_fit *fit)
{
    crdi_laplace_destroy(&fit->laplacian);
}

const crdi_network_method crdi_network_laplace = {
    .prepare = prepare, .draw = draw, .clear = clear, .plan = plan, .doubles = true};

/* ---- reading ------------------------------------------------------------------------------------------------ */

bool crdi_run_is_laplace(crd_run *run)
{
    return crdi_run_has(run, "laplace_hessian");
}

static crd_status read_all(crd_run *run, crdi_laplace_record *r)
{
    int64_t converged, finished;
    const struct {
        const char *key;
        int64_t *out;
    } counts[] = {{"laplace_random", &r->random},        {"laplace_starts", &r->starts},
                  {"laplace_failed", &r->failed_starts}, {"laplace_start", &r->best_start},
                  {"laplace_rounds", &r->rounds},        {"laplace_converged", &converged},
                  {"laplace_finished", &finished}};
    const struct {
        const char *key;
        double *out;
    } numbers[] = {{"laplace_noise", &r->noise},
                   {"laplace_log_evidence", &r->log_evidence},
                   {"laplace_log_likelihood", &r->log_likelihood},
                   {"laplace_log_density", &r->log_density},
                   {"laplace_gradient", &r->gradient},
                   {"laplace_effective", &r->effective}};
    CRD_TRY(crdi_run_get_text(run, "laplace_hessian", &r->hessian));
    CRD_TRY(crdi_run_get_text(run, "laplace_tune", &r->tune));
    CRD_TRY(crdi_run_get_text(run, "laplace_precisions", &r->precisions));
    for (int i = 0; i < CRDI_COUNT(counts); i++)
        CRD_TRY(crdi_run_get_integer(run, counts[i].key, counts[i].out));
    for (int i = 0; i < CRDI_COUNT(numbers); i++)
        CRD_TRY(crdi_run_get_number(run, numbers[i].key, numbers[i].out));
    r->converged = converged != 0;
    r->finished = finished != 0;
    crd_array map;
    CRD_TRY(crdi_run_get_array(run, "laplace_map", &map));
    r->weights = crd_shape_size(map.shape);
    crd_array_clear(&map);
    return crdi_run_get_array(run, "laplace_factors", &r->factors);
}

crd_status crdi_laplace_record_read(crd_context *ctx, crd_run *run, crdi_laplace_record *out)
{
    *out = (crdi_laplace_record){0};
    crd_status status = read_all(run, out);
    if (status < 0)
        crdi_laplace_record_clear(ctx, out);
    return status;
}

void crdi_laplace_record_clear(crd_context *ctx, crdi_laplace_record *r)
{
    crdi_free(ctx, r->hessian);
    crdi_free(ctx, r->tune);
    crdi_free(ctx, r->precisions);
    crd_array_clear(&r->factors);
    *r = (crdi_laplace_record){0};
}

static crd_status make_again(const crdi_network_run *net, const char *hessian, double noise, crdi_laplace **out)
{
    CRD_TRY(crdi_laplace_create(net->ctx, &net->network, &(crdi_laplace_options){.hessian = hessian}, out));
    crd_status status = crdi_laplace_at(*out, net->laplace_map.data, noise); /* as many as it has weights: read_map */
    if (status < 0)
        crdi_laplace_destroy(out);
    return status;
}

crd_status crdi_network_run_laplace(const crdi_network_run *net, crdi_laplace **out)
{
    char *hessian;
    double noise;
    CRD_TRY(crdi_run_get_number(net->run, "laplace_noise", &noise));
    CRD_TRY(crdi_run_get_text(net->run, "laplace_hessian", &hessian));
    crd_status status = make_again(net, hessian, noise, out);
    crdi_free(net->ctx, hessian);
    return status < 0 ? crdi_error_prefix(net->ctx, status, "%s", net->path) : CRD_OK;
}
