/* network_mcmc.c - draws of a network by Markov chains. */
#include "store/network_starts.h"
#include "store/network_warmup.h"

#include <string.h>

static bool keeps_warmup(const crdi_network_fit *fit)
{
    return fit->save_warmup && fit->mcmc.warmup > 0;
}

/* Its states are of use where the warm-up before them is there whole. */
static void drop_states(const crdi_network_fit *fit)
{
    const crdi_network_resume *r = fit->resume;
    for (int c = 0; r && c < fit->chains && c < r->states.lanes; c++)
        if (!r->has_warmup[c] || r->states.iteration[c] < fit->mcmc.warmup) {
            crdi_free(fit->ctx, r->states.saved[c].bytes);
            r->states.saved[c] = (crdi_mcmc_saved){0};
        }
}

/* What goes with batches of rows. */
static crd_status settle_batches(crdi_network_fit *fit)
{
    int64_t rows = fit->network.x.shape.dim[0];
    fit->mcmc.batch = fit->train.batch;
    if (fit->train.batch > rows)
        return crdi_raise(fit->ctx, CRD_EINVAL, "option --batch: %lld rows, and there are %lld to learn from",
                          (long long)fit->train.batch, (long long)rows);
    if (strcmp(fit->method, "split_hmc") == 0 && fit->mcmc.batches > rows)
        return crdi_raise(fit->ctx, CRD_EINVAL, "option --batches: %lld batches, and there are %lld rows to learn from",
                          (long long)fit->mcmc.batches, (long long)rows);
    if (fit->mcmc.cyclical > fit->mcmc.draws * fit->mcmc.thin)
        return crdi_raise(fit->ctx, CRD_EINVAL,
                          "option --cyclical: %lld cycles, and --draws and --thin make %lld iterations",
                          (long long)fit->mcmc.cyclical, (long long)(fit->mcmc.draws * fit->mcmc.thin));
    return crdi_mcmc_check_start(fit->ctx, &fit->mcmc);
}

static crd_status prepare(crdi_network_fit *fit)
{
    fit->mcmc.kernel = fit->method;
    CRD_TRY(settle_batches(fit));
    CRD_TRY(crd_model_create(&fit->model, fit->ctx, crd_network_model, &fit->network));
    CRD_TRY(crdi_network_starts_prepare(fit));
    fit->dim = crd_model_dim(fit->model);
    fit->chains = (int)fit->mcmc.chains;
    if (keeps_warmup(fit))
        drop_states(fit);
    if (fit->warm.points && fit->warm.points_size != sizeof(double) * (size_t)(fit->chains * fit->dim))
        return crdi_raise(fit->ctx, CRD_EDAMAGED, "%s: its warm_points are not those of its chains", fit->path);
    for (int64_t i = 0; i < fit->warm.count; i++)
        CRD_TRY(crdi_mcmc_check_warm(fit->ctx, &fit->warm.state[i], &fit->mcmc, fit->dim));
    return crdi_mcmc_columns_of(fit->model, &fit->mcmc, fit->arena, &fit->columns);
}

crd_nuts_options crdi_network_chains_options(const crdi_network_fit *fit)
{
    crd_nuts_options options = fit->mcmc;
    options.warmup = options.warmup > 0 ? options.warmup : -1;
    options.start_validation = options.start_validation > 0 ? options.start_validation : -1;
    return options;
}

crdi_mcmc_before crdi_network_chains_before(const crdi_network_fit *fit)
{
    const crdi_network_resume *r = fit->resume;
    if (!r)
        return (crdi_mcmc_before){0};
    return (crdi_mcmc_before){.chain = r->states.saved,
                              .warmup_seconds = r->cost.warmup_seconds,
                              .sampling_seconds = r->cost.sampling_seconds,
                              .gradient_seconds = r->cost.gradient_seconds};
}

static crd_status sample(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_nuts_options options = crdi_network_chains_options(fit);
    crdi_mcmc_before before = crdi_network_chains_before(fit);
    before.warm = fit->warm.state;
    before.warm_count = fit->warm.count;
    before.points = fit->warm.points;
    return crdi_mcmc_run(fit->model, &options, crd_key_make((uint64_t)fit->seed), &before, sink, report);
}

static crd_status sample_and_keep(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crdi_network_warmup keeper = {.ctx = fit->ctx};
    crdi_sink keep;
    crd_status status = crdi_network_warmup_begin(&keeper, fit->ctx, fit->run, &fit->columns, fit->chains,
                                                  fit->mcmc.warmup, sink, &keep);
    if (status == CRD_OK)
        status = sample(fit, &keep, report);
    crdi_network_warmup_end(&keeper);
    return status;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    return keeps_warmup(fit) ? sample_and_keep(fit, sink, report) : sample(fit, sink, report);
}

void crdi_network_chains_lengths(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_nuts_options *m = &fit->mcmc;
    crdi_string_append(out, "%lld chain%s, %lld + %s%lld", (long long)m->chains, m->chains == 1 ? "" : "s",
                       (long long)m->warmup, fit->rule ? "at most " : "", (long long)m->draws);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_nuts_options *m = &fit->mcmc;
    crdi_network_chains_lengths(fit, out);
    if (m->batch)
        crdi_string_append(out, ", batches of %lld rows", (long long)m->batch);
    if (strcmp(fit->method, "split_hmc") == 0)
        crdi_string_append(out, ", rows in %lld batches", (long long)m->batches);
    if (m->cyclical)
        crdi_string_append(out, ", %lld cycles", (long long)m->cyclical);
    crdi_network_starts_plan(fit, out);
}

void crdi_network_chains_place(const crdi_network_fit *fit, crdi_string *out)
{
    const crdi_network_resume *r = fit->resume;
    for (int c = 0; c < fit->chains && c < r->states.lanes; c++)
        crdi_string_append(out, "\nchain %d: %s%lld iterations, %lld draws", c,
                           r->states.saved[c].bytes ? "goes on after " : "begins: ", (long long)r->states.iteration[c],
                           (long long)r->draws[c]);
}

int64_t crdi_network_chains_behind(const crdi_network_fit *fit, int64_t iteration)
{
    return crdi_mcmc_draws_of(&fit->mcmc, iteration);
}

const crdi_network_method crdi_network_mcmc = {.prepare = prepare,
                                               .draw = draw,
                                               .plan = plan,
                                               .place = crdi_network_chains_place,
                                               .draws_behind = crdi_network_chains_behind};
