/* network_svi.c - draws of a network from a variational fit, and how the fit went. */
#include "store/network_svi.h"
#include "infer/svi/svi.h"
#include "store/network_fit.h"

#include <credence/loo.h>
#include <math.h>
#include <string.h>

/* Sub-keys of the run's: the fit, the draws, the estimate of the bound. */
enum { KEY_FIT, KEY_DRAWS, KEY_ELBO };
enum { ELBO_DRAWS = 1000 };

static crd_key sub_key(const crdi_network_fit *fit, uint32_t which)
{
    return crd_key_fold_in(crd_key_make((uint64_t)fit->seed), which);
}

/* ---- before the fit ----------------------------------------------------------------------------------------- */

static crd_status find_columns(crdi_network_fit *fit)
{
    static const char *const statistics[] = {"log_density", "log_guide"};
    crdi_elbo_site *site;
    crd_program *program;
    int sites;
    CRD_TRY(crdi_elbo_compile_draw(fit->fitted->guide, fit->mcmc.keep, fit->mcmc.keep_count, fit->arena, &site, &sites,
                                   &program));
    crd_program_destroy(&program);
    crd_column *column = crdi_arena_alloc(fit->arena, sizeof *column * (size_t)(sites + 2));
    if (!column)
        return CRD_ENOMEM;
    for (int i = 0; i < sites; i++)
        column[i] = (crd_column){.name = (char *)site[i].name,
                                 .kind = site[i].deterministic ? CRD_COLUMN_DETERMINISTIC : CRD_COLUMN_LATENT,
                                 .shape = site[i].shape,
                                 .size = site[i].size};
    for (int i = 0; i < 2; i++)
        if (!(column[sites + i] = (crd_column){.name = crdi_arena_strdup(fit->arena, statistics[i]),
                                               .kind = CRD_COLUMN_STATISTIC,
                                               .size = 1})
                 .name)
            return CRD_ENOMEM;
    fit->columns = (crdi_mcmc_columns){column, sites + 2};
    return CRD_OK;
}

/* Makes the fit what it was in the file. */
static crd_status go_on(crdi_network_fit *fit)
{
    const crdi_network_continue *from = fit->from;
    return crdi_svi_state_load(fit->fitted, &(crdi_svi_saved){.bytes = from->state,
                                                              .size = from->state_size,
                                                              .loss = from->loss.data,
                                                              .divergence = from->divergence.data,
                                                              .likelihood = from->likelihood.data,
                                                              .steps = from->steps,
                                                              .final_loss = from->restarts.data,
                                                              .restarts = crd_shape_size(from->restarts.shape),
                                                              .new_optimiser = from->new_optimiser});
}

static crd_status prepare(crdi_network_fit *fit)
{
    fit->svi.start = fit->mcmc.start;
    fit->svi.init_radius = fit->mcmc.init_radius;
    fit->svi.threads = fit->mcmc.threads;
    CRD_TRY(
        crdi_svi_create(fit->ctx, crd_network_model, &fit->network, &fit->svi, sub_key(fit, KEY_FIT), &fit->fitted));
    fit->dim = crd_model_dim(fit->fitted->guide->model);
    fit->chains = 1;
    if (fit->from)
        CRD_TRY(go_on(fit));
    return find_columns(fit);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_svi_options *o = &fit->svi;
    crdi_string_append(out, "guide %s, loss %s, %lld particle%s, %lld %ssteps of %s", o->guide, o->loss,
                       (long long)o->particles, o->particles == 1 ? "" : "s", (long long)o->steps,
                       fit->from ? "more " : "", o->optimizer);
    if (fit->from)
        crdi_string_append(out, " after %lld%s", (long long)fit->from->steps,
                           fit->from->new_optimiser ? ", the optimiser begins anew" : "");
    else if (o->restarts > 1)
        crdi_string_append(out, ", %lld restarts", (long long)o->restarts);
}

/* ---- what the file says ------------------------------------------------------------------------------------- */

/* Of as many of the last steps as the final loss is the mean of. */
static int64_t last_steps(const char *optimizer, int64_t steps)
{
    if (strcmp(optimizer, "lbfgs") == 0)
        return steps < 1 ? steps : 1;
    return steps < CRDI_SVI_LAST ? steps : CRDI_SVI_LAST;
}

static double last_mean(const double *x, int64_t steps, int64_t last)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = steps - last; i < steps; i++)
        if (!isnan(x[i])) {
            sum += x[i];
            n++;
        }
    return n ? sum / (double)n : NAN;
}

static crd_status put_array(crdi_run *run, const char *name, const double *values, int64_t count)
{
    crd_array array = crd_array_borrow((double *)values, crd_shape_1(count));
    return crdi_run_put_array(run, name, &array);
}

static crd_status describe_fit(crdi_run *run, const crd_svi *svi)
{
    const crd_svi_options *o = &svi->options;
    const crd_svi_history *h = &svi->history;
    int64_t last = last_steps(o->optimizer, h->steps);
    CRD_TRY(crdi_run_set_text(run, "svi_guide", o->guide));
    CRD_TRY(crdi_run_set_text(run, "svi_loss", o->loss));
    CRD_TRY(crdi_run_set_text(run, "svi_optimizer", o->optimizer));
    CRD_TRY(crdi_run_set_text(run, "svi_end", h->end));
    CRD_TRY(crdi_run_set_integer(run, "svi_particles", o->particles));
    CRD_TRY(crdi_run_set_integer(run, "svi_skipped", h->skipped));
    CRD_TRY(crdi_run_set_integer(run, "svi_restart", h->restart));
    CRD_TRY(crdi_run_set_number(run, "svi_final_loss", h->final_loss[h->restart]));
    CRD_TRY(crdi_run_set_number(run, "svi_final_divergence", last_mean(h->divergence, h->steps, last)));
    CRD_TRY(crdi_run_set_number(run, "svi_final_likelihood", last_mean(h->likelihood, h->steps, last)));
    CRD_TRY(put_array(run, "svi_loss", h->loss, h->steps));
    CRD_TRY(put_array(run, "svi_divergence", h->divergence, h->steps));
    CRD_TRY(put_array(run, "svi_likelihood", h->likelihood, h->steps));
    return put_array(run, "svi_restarts", h->final_loss, h->restarts);
}

/* How good the guide is: its bound, and the weights that its draws would need. */
static crd_status judge(crdi_network_fit *fit, const crd_posterior *posterior)
{
    double elbo = NAN, error = NAN, k_hat = NAN, log_evidence = NAN;
    int statistics = posterior->column_count - 2;
    const double *log_p = posterior->column[statistics].draws, *log_q = posterior->column[statistics + 1].draws;
    if (crdi_guide_has_density(fit->fitted->guide)) {
        CRD_TRY(crd_svi_elbo(fit->fitted, ELBO_DRAWS, sub_key(fit, KEY_ELBO), &elbo, &error));
        double *ratio = crdi_alloc_array(fit->ctx, posterior->draws, sizeof *ratio);
        if (!ratio)
            return CRD_ENOMEM;
        for (int64_t d = 0; d < posterior->draws; d++)
            ratio[d] = log_p[d] - log_q[d];
        crd_status status = crd_psis(fit->ctx, ratio, posterior->draws, 1, NULL, &k_hat);
        crdi_free(fit->ctx, ratio);
        CRD_TRY(status);
    }
    if (fit->fitted->fitted)
        log_evidence = fit->fitted->log_evidence;
    CRD_TRY(crdi_run_set_number(fit->run, "svi_elbo", elbo));
    CRD_TRY(crdi_run_set_number(fit->run, "svi_elbo_error", error));
    CRD_TRY(crdi_run_set_number(fit->run, "svi_k_hat", k_hat));
    CRD_TRY(crdi_run_set_integer(fit->run, "svi_k_draws", posterior->draws));
    return crdi_run_set_number(fit->run, "svi_log_evidence", log_evidence);
}

static crd_status hand_over(crdi_network_fit *fit, const crdi_sink *sink)
{
    crd_posterior *posterior;
    CRD_TRY(crd_svi_draw(fit->fitted, fit->mcmc.draws, fit->mcmc.keep, fit->mcmc.keep_count, sub_key(fit, KEY_DRAWS),
                         &posterior));
    const double **values = crdi_alloc_array(fit->ctx, posterior->column_count, sizeof *values);
    crd_status status = values ? CRD_OK : CRD_ENOMEM;
    for (int c = 0; values && c < posterior->column_count; c++)
        values[c] = posterior->column[c].draws;
    if (status == CRD_OK)
        status = sink->draws(sink->user, 0, 0, posterior->draws, values);
    if (status == CRD_OK)
        status = judge(fit, posterior);
    crdi_free(fit->ctx, values);
    crd_posterior_destroy(&posterior);
    return status;
}

/* For those that go on from here. */
static crd_status keep_state(const crdi_network_fit *fit, const crdi_sink *sink)
{
    size_t size = crdi_svi_state_size(fit->fitted);
    if (size == 0 || !sink->state)
        return CRD_OK;
    void *bytes = crdi_alloc(fit->ctx, size);
    if (!bytes)
        return CRD_ENOMEM;
    crdi_svi_state_save(fit->fitted, bytes);
    crd_status status = sink->state(sink->user, 0, fit->fitted->history.steps, bytes, size);
    crdi_free(fit->ctx, bytes);
    return status;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_svi_options *o = &fit->fitted->options; /* the caller may have set these after prepare */
    o->progress = fit->svi.progress;
    o->progress_user = fit->svi.progress_user;
    o->stop = fit->svi.stop;
    o->stop_user = fit->svi.stop_user;
    double started = crdi_seconds();
    crd_status status = fit->from ? crd_svi_continue(fit->fitted, fit->svi.steps) : crdi_svi_make(fit->fitted);
    if (status < 0)
        return status;
    const crd_svi_history *h = &fit->fitted->history;
    *report = (crdi_mcmc_report){.sampling_seconds = crdi_seconds() - started + (fit->from ? fit->from->seconds : 0),
                                 .gradient_evaluations = fit->fitted->all_steps * fit->svi.particles,
                                 .gradient_seconds = fit->fitted->all_seconds};
    if (h->steps == 0 && status == CRD_INTERRUPTED) /* stopped before the first: there is nothing to draw from */
        return status;
    CRD_TRY(describe_fit(fit->run, fit->fitted));
    CRD_TRY(hand_over(fit, sink));
    CRD_TRY(keep_state(fit, sink));
    return status;
}

static void clear(crdi_network_fit *fit)
{
    crd_svi_destroy(&fit->fitted);
}

const crdi_network_method crdi_network_svi = {.prepare = prepare, .draw = draw, .clear = clear, .plan = plan};

/* ---- reading ------------------------------------------------------------------------------------------------ */

bool crdi_run_is_variational(crd_run *run)
{
    return crdi_run_has(run, "svi_guide") || crdi_run_has(run, "pathfinder_k_hat");
}

/* The bound is that of the best path; what a guide has and paths do not is NaN or 0. */
static crd_status read_paths(crd_run *run, crdi_variational *v)
{
    int64_t path_draws;
    CRD_TRY(crdi_run_get_number(run, "pathfinder_k_hat", &v->k_hat));
    CRD_TRY(crdi_run_get_integer(run, "pathfinder_path_draws", &path_draws));
    CRD_TRY(crdi_run_get_array(run, "pathfinder_elbo", &v->loss_by_restart));
    CRD_TRY(crdi_run_get_array(run, "pathfinder_iterations", &v->loss_by_step));
    v->paths = crd_shape_size(v->loss_by_restart.shape);
    v->final_loss = v->final_divergence = v->final_likelihood = v->elbo_error = v->log_evidence = NAN;
    v->elbo = -INFINITY;
    for (int64_t i = 0; i < v->paths; i++) {
        v->failed_paths += !isfinite(v->loss_by_restart.data[i]);
        v->elbo = fmax(v->elbo, v->loss_by_restart.data[i]);
    }
    v->k_draws = (v->paths - v->failed_paths) * path_draws;
    return CRD_OK;
}

static crd_status read_all(crd_run *run, crdi_variational *v)
{
    const struct {
        const char *key;
        double *out;
    } numbers[] = {{"svi_final_loss", &v->final_loss},
                   {"svi_final_divergence", &v->final_divergence},
                   {"svi_final_likelihood", &v->final_likelihood},
                   {"svi_elbo", &v->elbo},
                   {"svi_elbo_error", &v->elbo_error},
                   {"svi_k_hat", &v->k_hat},
                   {"svi_log_evidence", &v->log_evidence}};
    CRD_TRY(crdi_run_get_text(run, "svi_guide", &v->guide));
    CRD_TRY(crdi_run_get_text(run, "svi_loss", &v->loss));
    CRD_TRY(crdi_run_get_text(run, "svi_optimizer", &v->optimizer));
    CRD_TRY(crdi_run_get_text(run, "svi_end", &v->end));
    CRD_TRY(crdi_run_get_integer(run, "svi_particles", &v->particles));
    CRD_TRY(crdi_run_get_integer(run, "svi_skipped", &v->skipped));
    CRD_TRY(crdi_run_get_integer(run, "svi_restart", &v->restart));
    CRD_TRY(crdi_run_get_integer(run, "svi_k_draws", &v->k_draws));
    for (int i = 0; i < CRDI_COUNT(numbers); i++)
        CRD_TRY(crdi_run_get_number(run, numbers[i].key, numbers[i].out));
    CRD_TRY(crdi_run_get_array(run, "svi_loss", &v->loss_by_step));
    CRD_TRY(crdi_run_get_array(run, "svi_restarts", &v->loss_by_restart));
    v->steps = crd_shape_size(v->loss_by_step.shape);
    v->last = last_steps(v->optimizer, v->steps);
    v->restarts = crd_shape_size(v->loss_by_restart.shape);
    return CRD_OK;
}

crd_status crdi_variational_read(crd_context *ctx, crd_run *run, crdi_variational *out)
{
    *out = (crdi_variational){0};
    crd_status status = crdi_run_has(run, "svi_guide") ? read_all(run, out) : read_paths(run, out);
    if (status < 0)
        crdi_variational_clear(ctx, out);
    return status;
}

void crdi_variational_clear(crd_context *ctx, crdi_variational *v)
{
    crdi_free(ctx, v->guide);
    crdi_free(ctx, v->loss);
    crdi_free(ctx, v->optimizer);
    crdi_free(ctx, v->end);
    crd_array_clear(&v->loss_by_step);
    crd_array_clear(&v->loss_by_restart);
    *v = (crdi_variational){0};
}
