/* network_svi.c - draws of a network from a variational fit, and how the fit went. */
#include "infer/svi/svi.h"
#include "nn/likelihood.h"
#include "store/network_steps.h"
#include "store/network_svi.h"

#include <credence/loo.h>
#include <math.h>
#include <string.h>

enum { ELBO_DRAWS = 1000, SHOWN = 100 };

/* ---- before the fit ----------------------------------------------------------------------------------------- */

crd_status crdi_network_svi_columns(crdi_network_fit *fit, const char *const *more, int more_count)
{
    crdi_elbo_site *site;
    crd_program *program;
    int sites, count = 0;
    CRD_TRY(crdi_elbo_compile_draw(fit->fitted->guide, &fit->whole, fit->mcmc.keep, fit->mcmc.keep_count, fit->arena,
                                   &site, &sites, &program));
    crd_program_destroy(&program);
    crd_column *column = crdi_arena_alloc(fit->arena, sizeof *column * (size_t)(sites + more_count));
    if (!column)
        return CRD_ENOMEM;
    for (int i = 0; i < sites; i++)
        column[count++] = (crd_column){.name = (char *)site[i].name,
                                       .kind = site[i].deterministic ? CRD_COLUMN_DETERMINISTIC : CRD_COLUMN_LATENT,
                                       .shape = site[i].shape,
                                       .size = site[i].size};
    for (int i = 0; i < more_count; i++) {
        bool latent = strcmp(more[i], "s") == 0;
        int64_t targets = crdi_network_targets(&fit->network);
        column[count] = (crd_column){.name = crdi_arena_strdup(fit->arena, more[i]),
                                     .kind = latent ? CRD_COLUMN_LATENT : CRD_COLUMN_STATISTIC,
                                     .shape = latent && targets > 1 ? crd_shape_1(targets) : crd_shape_0(),
                                     .size = latent ? targets : 1};
        if (!column[count++].name)
            return CRD_ENOMEM;
    }
    fit->columns = (crdi_mcmc_columns){column, count};
    return CRD_OK;
}

/* What the steps, the draws and the rows held out see of the data. */
static void set_networks(crdi_network_fit *fit, bool mean)
{
    int64_t rows = fit->network.x.shape.dim[0];
    fit->whole = fit->network;
    fit->whole.training = mean;
    fit->whole.weight_decay = fit->train.weight_decay;
    fit->step = fit->whole;
    fit->step.batch = fit->train.batch < rows ? fit->train.batch : 0;
    fit->svi.whole = &fit->whole;
    fit->svi.shuffle = fit->step.batch ? "data" : NULL;
    fit->svi.epoch = fit->step.batch ? (rows + fit->step.batch - 1) / fit->step.batch : 1;
    if (!fit->rows)
        return;
    fit->held_out = fit->whole;
    fit->held_out.training = 1;
    fit->held_out.weight_decay = 0;
    fit->held_out.x = crd_array_borrow(fit->rows->held_x.data, fit->rows->held_x.shape);
    fit->held_out.y = &fit->rows->held_y;
    fit->svi.held_out = &fit->held_out;
}

/* What is to end with the steps that were made must have kept some, and be something then. */
static crd_status check_finish(const crdi_network_fit *fit)
{
    const crdi_run_states *s = &fit->resume->states;
    const crdi_guide *guide = fit->fitted->guide;
    bool some = false;
    for (int lane = 0; lane < s->lanes && s->lanes <= fit->lanes; lane++)
        some = some || (s->iteration[lane] > 0 && crdi_svi_is_run_state(s->saved[lane].bytes, s->saved[lane].size));
    if (guide->part_count == 1 && guide->part[0].type->fitted)
        return crdi_raise(fit->ctx, CRD_EUNSUPPORTED,
                          "option --finish: guide laplace needs the maximum, to which its steps have not come");
    return some
               ? CRD_OK
               : crdi_raise(fit->ctx, CRD_EUNSUPPORTED,
                            "option --finish: %s has kept no steps to end with; optimizer lbfgs keeps none", fit->path);
}

crd_status crdi_network_svi_create(crdi_network_fit *fit, bool mean)
{
    set_networks(fit, mean);
    fit->svi.start = fit->mcmc.start;
    fit->svi.init_radius = fit->mcmc.init_radius;
    fit->svi.threads = fit->mcmc.threads;
    if (fit->svi.start && strcmp(fit->svi.start, "init") == 0) {
        CRD_TRY(crdi_network_start_create(fit->ctx, &fit->network, &fit->start));
        fit->svi.start_fn = crdi_network_start_run;
        fit->svi.start_user = &fit->start;
    }
    CRD_TRY(crdi_svi_create(fit->ctx, crd_network_model, &fit->step, &fit->svi, crdi_network_key(fit, CRDI_KEY_FIT),
                            &fit->fitted));
    fit->dim = crd_model_dim(fit->fitted->guide->model);
    fit->chains = 1;
    fit->lanes = fit->from ? 1 : (int)fit->fitted->runs; /* one goes on */
    return fit->finish && !fit->from ? check_finish(fit) : CRD_OK;
}

/* Makes the fit what it was in the file. */
static crd_status load(crdi_network_fit *fit)
{
    const crdi_network_continue *from = fit->from;
    if (crdi_svi_is_going_state(from->state, from->state_size))
        return crdi_svi_going_load(fit->fitted, from->state, from->state_size, from->seconds);
    return crdi_svi_state_load(fit->fitted, &(crdi_svi_saved){.bytes = from->state,
                                                              .size = from->state_size,
                                                              .loss = from->loss.data,
                                                              .divergence = from->divergence.data,
                                                              .likelihood = from->likelihood.data,
                                                              .steps = from->steps,
                                                              .final_loss = from->restarts.data,
                                                              .restarts = crd_shape_size(from->restarts.shape),
                                                              .seconds = from->seconds,
                                                              .new_optimiser = from->new_optimiser});
}

static crd_status go_on(crdi_network_fit *fit)
{
    CRD_TRY(load(fit));
    fit->steps_before = fit->fitted->run[fit->fitted->best].steps;
    if (fit->from->total > 0)
        fit->svi.steps = fit->from->total > fit->steps_before ? fit->from->total - fit->steps_before : 0;
    return CRD_OK;
}

static crd_status prepare(crdi_network_fit *fit)
{
    static const char *const statistics[] = {"log_density", "log_guide"};
    CRD_TRY(crdi_network_svi_create(fit, false));
    if (fit->from)
        CRD_TRY(go_on(fit));
    return crdi_network_svi_columns(fit, statistics, 2);
}

void crdi_network_svi_plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_svi_options *o = &fit->svi;
    crdi_string_append(out, "%lld %ssteps of %s", (long long)o->steps, fit->from ? "more " : "", o->optimizer);
    int64_t rows = fit->dataset->x.shape.dim[0], asked = fit->train.batch < rows ? fit->train.batch : 0;
    int64_t batch = fit->fitted ? fit->step.batch : asked; /* before prepare: as asked */
    if (batch)
        crdi_string_append(out, ", batches of %lld rows", (long long)batch);
    if (fit->from)
        crdi_string_append(out, " after %lld%s", (long long)fit->steps_before,
                           fit->from->new_optimiser ? ", the optimiser begins anew" : "");
    else if (o->restarts > 1)
        crdi_string_append(out, ", %lld restarts", (long long)o->restarts);
    if (fit->rows)
        crdi_string_append(out, ", %lld of %lld rows held out", (long long)fit->held_out.y->shape.dim[0],
                           (long long)(fit->held_out.y->shape.dim[0] + fit->network.y->shape.dim[0]));
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_svi_options *o = &fit->svi;
    crdi_string_append(out, "guide %s, loss %s, %lld particle%s, ", o->guide, o->loss, (long long)o->particles,
                       o->particles == 1 ? "" : "s");
    crdi_network_svi_plan(fit, out);
}

/* ---- what the file says ------------------------------------------------------------------------------------- */

static crd_status put_array(crdi_run *run, const char *name, const double *values, int64_t count)
{
    crd_array array = crd_array_borrow((double *)values, crd_shape_1(count));
    return crdi_run_put_array(run, name, &array);
}

static crd_status put_by_restart(crdi_network_fit *fit, const char *name,
                                 double (*value)(const crdi_network_fit *fit, int64_t restart))
{
    int64_t count = fit->fitted->history.restarts;
    double *values = crdi_alloc_array(fit->ctx, count, sizeof *values);
    for (int64_t r = 0; values && r < count; r++)
        values[r] = value(fit, r);
    crd_status status = values ? put_array(fit->run, name, values, count) : CRD_ENOMEM;
    crdi_free(fit->ctx, values);
    return status;
}

static double best_step_of(const crdi_network_fit *fit, int64_t restart)
{
    return (double)fit->fitted->history.best_step[restart];
}

/* Of a fit that goes on with another the others' are not known. */
static double steps_of(const crdi_network_fit *fit, int64_t restart)
{
    bool known = !fit->from || restart == fit->fitted->history.restart;
    return known ? (double)fit->fitted->run[restart].steps : NAN;
}

/* What batches, rows held out and ensembles add. */
static crd_status describe_training(crdi_network_fit *fit)
{
    const crd_svi_history *h = &fit->fitted->history;
    crdi_run *run = fit->run;
    if (crdi_network_plain(&fit->network))
        CRD_TRY(crdi_run_set_text(run, "svi_plain", crdi_network_loss_name(&fit->network)));
    if (fit->svi.members > 1)
        CRD_TRY(crdi_run_set_integer(run, "svi_members", h->members));
    if (fit->step.batch)
        CRD_TRY(crdi_run_set_integer(run, "svi_batch", fit->step.batch));
    if (!fit->rows)
        return CRD_OK;
    CRD_TRY(crdi_run_set_integer(run, "svi_epoch", fit->svi.epoch));
    CRD_TRY(put_array(run, "svi_watched", h->watched, h->watches));
    CRD_TRY(put_array(run, "svi_held_out", h->held_out, h->restarts));
    return put_by_restart(fit, "svi_best_step", best_step_of);
}

static crd_status describe(void *user)
{
    crdi_network_fit *fit = user;
    const crd_svi *svi = fit->fitted;
    const crd_svi_options *o = &svi->options;
    crdi_run *run = fit->run;
    const crd_svi_history *h = &svi->history;
    int64_t last = crdi_svi_last_steps(o->optimizer, h->steps);
    CRD_TRY(crdi_run_set_text(run, "svi_guide", o->guide));
    CRD_TRY(crdi_run_set_text(run, "svi_loss", o->loss));
    CRD_TRY(crdi_run_set_text(run, "svi_optimizer", o->optimizer));
    CRD_TRY(crdi_run_set_text(run, "svi_end", h->end));
    CRD_TRY(crdi_run_set_integer(run, "svi_particles", o->particles));
    CRD_TRY(crdi_run_set_integer(run, "svi_skipped", h->skipped));
    CRD_TRY(crdi_run_set_integer(run, "svi_restart", h->restart));
    double final_loss = 0;
    for (int64_t m = 0; m < h->members; m++)
        final_loss += h->final_loss[h->member[m]] / (double)h->members;
    CRD_TRY(crdi_run_set_number(run, "svi_final_loss", final_loss));
    CRD_TRY(crdi_run_set_number(run, "svi_final_divergence", crdi_svi_mean_of_last(h->divergence, h->steps, last)));
    CRD_TRY(crdi_run_set_number(run, "svi_final_likelihood", crdi_svi_mean_of_last(h->likelihood, h->steps, last)));
    CRD_TRY(put_array(run, "svi_loss", h->loss, h->steps));
    CRD_TRY(put_array(run, "svi_divergence", h->divergence, h->steps));
    CRD_TRY(put_array(run, "svi_likelihood", h->likelihood, h->steps));
    CRD_TRY(put_array(run, "svi_restarts", h->final_loss, h->restarts));
    CRD_TRY(put_by_restart(fit, "svi_steps", steps_of));
    return describe_training(fit);
}

crd_status crdi_network_svi_describe(crdi_network_fit *fit)
{
    return crdi_run_together(fit->run, describe, fit);
}

/* How good the guide is: its bound, and the weights that its draws would need. */
static crd_status judge(crdi_network_fit *fit, const crd_posterior *posterior)
{
    double elbo = NAN, error = NAN, k_hat = NAN, log_evidence = NAN;
    int statistics = posterior->column_count - 2;
    const double *log_p = posterior->column[statistics].draws, *log_q = posterior->column[statistics + 1].draws;
    if (crdi_guide_has_density(fit->fitted->guide)) {
        CRD_TRY(crd_svi_elbo(fit->fitted, ELBO_DRAWS, crdi_network_key(fit, CRDI_KEY_ELBO), &elbo, &error));
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
    CRD_TRY(crd_svi_draw(fit->fitted, fit->mcmc.draws, fit->mcmc.keep, fit->mcmc.keep_count,
                         crdi_network_key(fit, CRDI_KEY_DRAWS), &posterior));
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

/* For those that make more steps than were asked for. It takes the place of the restarts' own when all is done. */
static crd_status keep_state(const crdi_network_fit *fit)
{
    crdi_archive archive = {0};
    if (!crdi_svi_has_state(fit->fitted))
        return crdi_run_set_last_state(fit->run, 0, NULL, 0);
    crdi_archive_write(&archive, fit->ctx);
    crdi_svi_state_save(fit->fitted, &archive);
    crd_status status = archive.status;
    if (status == CRD_OK)
        status = crdi_run_set_last_state(fit->run, fit->fitted->history.steps, archive.bytes, archive.size);
    crdi_archive_clear(&archive);
    return status;
}

/* A state of a restart, on its way into the file. */
struct keeper {
    const crdi_network_fit *fit;
    const crdi_sink *sink;
    double started, before; /* and what it had taken until then */
};

static crd_status keep_restart(void *user, int64_t restart, const crdi_archive *state)
{
    const struct keeper *k = user;
    const crd_svi *svi = k->fit->fitted;
    const crdi_svi_run *run = &svi->run[restart];
    int64_t steps = k->fit->from ? crdi_svi_all_steps(svi) : run->steps;
    return k->sink->state(k->sink->user, k->fit->from ? 0 : (int)restart,
                          &(crdi_sampler_state){.iteration = run->steps,
                                                .bytes = state->bytes,
                                                .size = state->size,
                                                .sampling_seconds = k->before + crdi_seconds() - k->started,
                                                .gradient_evaluations = steps * k->fit->svi.particles,
                                                .has_loss = run->steps > 0,
                                                .loss = crdi_svi_mean_of_last(run->loss, run->steps, SHOWN)});
}

/* Each restart from where it was. */
static crd_status find_starts(crdi_network_fit *fit)
{
    const crdi_network_resume *r = fit->resume;
    if (!r || r->states.lanes > fit->lanes)
        return CRD_OK; /* a state of another kind: from the start */
    crdi_svi_start *start = crdi_arena_alloc(fit->arena, sizeof *start * (size_t)fit->lanes);
    if (!start)
        return CRD_ENOMEM;
    for (int lane = 0; lane < r->states.lanes; lane++) /* killed when all was done but to say so, it begins again */
        if (crdi_svi_is_run_state(r->states.saved[lane].bytes, r->states.saved[lane].size))
            start[lane] = (crdi_svi_start){r->states.saved[lane].bytes, r->states.saved[lane].size};
    fit->fitted->from = start;
    return CRD_OK;
}

static int at_once(void *user)
{
    (void)user;
    return 1;
}

crd_status crdi_network_svi_fit(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_svi_options *o = &fit->fitted->options; /* the caller may have set these after prepare */
    double before = fit->from ? fit->from->seconds : fit->resume ? fit->resume->cost.sampling_seconds : 0;
    struct keeper keeper = {fit, sink, crdi_seconds(), before};
    o->progress = fit->svi.progress;
    o->progress_user = fit->svi.progress_user;
    o->stop = fit->finish ? at_once : fit->svi.stop;
    o->stop_user = fit->svi.stop_user;
    if (sink->state) {
        fit->fitted->keep = keep_restart;
        fit->fitted->keep_user = &keeper;
        fit->fitted->keep_pause = sink->pause;
        fit->fitted->keep_most = CRDI_RUN_PIECE;
        if (!fit->from)
            CRD_TRY(find_starts(fit));
    }
    crd_status status =
        fit->from ? crdi_svi_continue_to(fit->fitted, fit->steps_before + fit->svi.steps) : crdi_svi_make(fit->fitted);
    fit->fitted->keep = NULL;
    if (fit->finish && status == CRD_INTERRUPTED && fit->fitted->history.steps > 0)
        status = CRD_OK;
    if (status < 0)
        return status;
    *report = (crdi_mcmc_report){.sampling_seconds = crdi_seconds() - keeper.started + before,
                                 .gradient_evaluations = fit->fitted->all_steps * fit->svi.particles,
                                 .gradient_seconds = fit->fitted->all_seconds};
    return status;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_status status = crdi_network_svi_fit(fit, sink, report);
    /* Stopped before the first step: there is nothing to draw from, or nothing new; one that is taken up again has lost its draws. */
    int64_t known = fit->resume ? 0 : fit->steps_before;
    if (status < 0 || (status == CRD_INTERRUPTED && fit->fitted->history.steps == known))
        return status;
    CRD_TRY(crdi_network_svi_describe(fit));
    CRD_TRY(hand_over(fit, sink));
    if (status == CRD_INTERRUPTED) /* the states stay: it can be resumed */
        return status;
    return keep_state(fit);
}

void crdi_network_svi_clear(crdi_network_fit *fit)
{
    crd_svi_destroy(&fit->fitted);
}

const crdi_network_method crdi_network_svi = {
    .prepare = prepare, .draw = draw, .clear = crdi_network_svi_clear, .plan = plan, .steps = true};
