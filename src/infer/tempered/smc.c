/* smc.c - tempered sequential Monte Carlo and annealed importance sampling: the pilot run, and runs by its ladder. See
 * <credence/evidence.h>. Of annealed importance sampling the particles are not resampled before the end, so that each is an
 * estimate of its own. */
#include "infer/tempered/population.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static const uint32_t KEY_PILOT = UINT32_MAX;
enum { KEY_DRAW, KEY_RESAMPLE, KEY_MOVE };
static const double RESAMPLE = 0.5; /* below this effective share */

struct smc {
    crdi_tempered t;
    crdi_schedule schedule;
    crd_key key;
    bool anneals; /* annealed importance sampling */
    const crdi_sink *sink; /* NULL: draws are not wanted */
    crd_program *values;
    crdi_mcmc_columns columns;
    double *log_evidence; /* (chains) */
    double *log_weight; /* (chains, particles) of annealed importance sampling: estimates of the evidence */
    double *accept, *effective; /* (chains, temperatures) */
    crd_chain_progress *progress; /* (chains), guarded: */
    pthread_mutex_t lock;
    double begun;
};

static int64_t all_moves(const crdi_schedule *s)
{
    int64_t sum = 0;
    for (int64_t k = 0; k < s->count; k++)
        sum += s->move[k].moves;
    return sum;
}

static void tell(struct smc *smc, int64_t run, const crdi_population *p, const crdi_move *move)
{
    const crd_tempered_options *o = &smc->t.options;
    if (!o->progress)
        return;
    pthread_mutex_lock(&smc->lock);
    crd_chain_progress *progress = &smc->progress[run];
    progress->iteration += move->moves;
    progress->step_size = move->step;
    progress->gradients = progress->sampling_gradients = 0;
    for (int k = 0; k < p->lanes; k++)
        progress->gradients += p->walker[k].h.gradients;
    progress->sampling_gradients = progress->gradients / p->count; /* a particle */
    progress->seconds = crdi_seconds() - smc->begun;
    o->progress(o->progress_user, smc->progress, (int)o->chains);
    pthread_mutex_unlock(&smc->lock);
}

/* Each particle's own estimate of the evidence. */
static void keep_weights(const crdi_population *p, double *out)
{
    for (int64_t i = 0; i < p->count; i++)
        out[i] = p->log_weight[i] + p->log_evidence + log((double)p->count);
}

/* One run over the temperatures of the ladder. */
static crd_status go(struct smc *smc, int64_t run, crdi_population *p, crd_key key)
{
    const crdi_schedule *s = &smc->schedule;
    crd_key resample = crd_key_fold_in(key, KEY_RESAMPLE), moves = crd_key_fold_in(key, KEY_MOVE);
    crd_status status = crdi_population_draw(p, crd_key_fold_in(key, KEY_DRAW));
    for (int64_t k = 0; k < s->count && status == CRD_OK; k++) {
        const crdi_move *move = &s->move[k];
        crdi_population_reweight(p, move->beta);
        double effective = smc->effective[run * s->count + k] = crdi_population_effective(p);
        if (smc->anneals && k == s->count - 1)
            keep_weights(p, smc->log_weight + run * p->count);
        if ((effective < RESAMPLE && !smc->anneals) || k == s->count - 1)
            crdi_population_resample(p, crd_key_fold_in(resample, (uint32_t)k));
        status = crdi_population_move(p, move, crd_key_fold_in(moves, (uint32_t)k), 0, move->moves);
        smc->accept[run * s->count + k] = crdi_population_accept(p);
        tell(smc, run, p, move);
    }
    return status;
}

/* Threads left for each run. */
static int64_t lanes_of(const crd_tempered_options *o)
{
    int64_t together = o->threads < o->chains ? o->threads : o->chains;
    return o->threads / together;
}

static crd_status run_one(void *user, int64_t run)
{
    struct smc *smc = user;
    crdi_population p = {0};
    const crd_tempered_options *o = &smc->t.options;
    crd_status status = crdi_population_create(&p, &smc->t, o->particles, lanes_of(o));
    if (status == CRD_OK)
        status = go(smc, run, &p, crd_key_fold_in(smc->key, (uint32_t)run));
    smc->log_evidence[run] = p.log_evidence;
    if (status == CRD_OK && smc->sink)
        status = crdi_tempered_hand_over(&smc->t, smc->values, &smc->columns, (int)run, p.count, p.u, p.log_prior,
                                         p.log_likelihood, smc->sink);
    crdi_population_destroy(&p);
    return status < 0 ? status : CRD_OK; /* that it was stopped all know */
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static crd_status conclude(struct smc *smc, crd_evidence *out)
{
    const crdi_schedule *s = &smc->schedule;
    int64_t runs = smc->t.options.chains;
    crd_evidence e;
    CRD_TRY(crdi_evidence_create(&e, smc->t.ctx, runs, s->count));
    memcpy(e.run, smc->log_evidence, sizeof *e.run * (size_t)runs);
    if (smc->anneals)
        crdi_evidence_conclude(&e, smc->log_weight, runs * smc->t.options.particles);
    else
        crdi_evidence_conclude(&e, e.run, runs);
    for (int64_t k = 0; k < s->count; k++) {
        e.beta[k] = s->move[k].beta;
        for (int64_t r = 0; r < runs; r++) {
            e.accept[k] += smc->accept[r * s->count + k] / (double)runs;
            e.effective = fmin(e.effective, smc->effective[r * s->count + k]);
        }
    }
    if (smc->anneals)
        e.effective = crdi_evidence_effective(smc->log_weight, runs * smc->t.options.particles);
    e.gradient_evaluations = atomic_load(&smc->t.gradients);
    *out = e;
    return CRD_OK;
}

static crd_status make_runs(struct smc *smc, crdi_arena *arena)
{
    const crd_tempered_options *o = &smc->t.options;
    size_t runs = (size_t)o->chains, each = runs * (size_t)smc->schedule.count;
    smc->log_evidence = crdi_arena_alloc(arena, sizeof(double) * runs);
    smc->log_weight = crdi_arena_alloc(arena, sizeof(double) * runs * (size_t)o->particles);
    smc->accept = crdi_arena_alloc(arena, sizeof(double) * each);
    smc->effective = crdi_arena_alloc(arena, sizeof(double) * each);
    smc->progress = crdi_arena_alloc(arena, sizeof *smc->progress * runs);
    if (!smc->log_evidence || !smc->log_weight || !smc->accept || !smc->effective || !smc->progress)
        return CRD_ENOMEM;
    for (size_t r = 0; r < runs; r++)
        smc->progress[r].total = all_moves(&smc->schedule);
    pthread_mutex_init(&smc->lock, NULL);
    crd_status status = crdi_parallel(smc->t.ctx, (int)o->threads, o->chains, run_one, smc);
    pthread_mutex_destroy(&smc->lock);
    return status == CRD_OK && atomic_load(&smc->t.stopped) ? CRD_INTERRUPTED : status;
}

static crd_status run_all(struct smc *smc, crdi_arena *arena, const crd_model *model,
                          const crd_tempered_options *options, crdi_mcmc_report *report, crd_evidence *evidence)
{
    smc->begun = crdi_seconds();
    CRD_TRY(crdi_tempered_create(&smc->t, model, options));
    const crd_tempered_options *o = &smc->t.options;
    CRD_TRY(crdi_tempered_columns(model, o->keep, o->keep_count, arena, &smc->columns, &smc->values));
    crd_status status = crdi_schedule_find(&smc->schedule, &smc->t, crd_key_fold_in(smc->key, KEY_PILOT));
    double piloted = crdi_seconds();
    if (status == CRD_OK)
        status = make_runs(smc, arena);
    if (status == CRD_OK && evidence)
        status = conclude(smc, evidence);
    *report = (crdi_mcmc_report){.warmup_seconds = piloted - smc->begun,
                                 .sampling_seconds = crdi_seconds() - piloted,
                                 .gradient_evaluations = atomic_load(&smc->t.gradients),
                                 .gradient_seconds = 1e-9 * (double)atomic_load(&smc->t.nanoseconds)};
    return status;
}

static crd_status run_with(struct smc *smc, const crd_model *model, const crd_tempered_options *options,
                           crdi_mcmc_report *report, crd_evidence *evidence)
{
    crdi_arena *arena;
    CRD_TRY(crdi_arena_create(&arena, crd_model_context(model)));
    crd_status status = run_all(smc, arena, model, options, report, evidence);
    crdi_schedule_destroy(&smc->schedule);
    crd_program_destroy(&smc->values);
    crdi_tempered_destroy(&smc->t);
    crdi_arena_destroy(&arena);
    return status;
}

crd_status crdi_smc_run(const crd_model *model, const crd_tempered_options *options, crd_key key, const crdi_sink *sink,
                        crdi_mcmc_report *report, crd_evidence *evidence)
{
    struct smc smc = {.key = key, .sink = sink};
    return run_with(&smc, model, options, report, evidence);
}

crd_status crdi_ais_run(const crd_model *model, const crd_tempered_options *options, crd_key key, const crdi_sink *sink,
                        crdi_mcmc_report *report, crd_evidence *evidence)
{
    struct smc smc = {.key = key, .sink = sink, .anneals = true};
    return run_with(&smc, model, options, report, evidence);
}

crd_status crd_smc_run(const crd_model *model, const crd_tempered_options *options, crd_key key, crd_posterior **out,
                       crd_evidence *evidence)
{
    crd_tempered_options o;
    CRD_TRY(crdi_tempered_complete(crd_model_context(model), options, &o));
    return crdi_tempered_into_memory(crdi_smc_run, model, &o, key, (int)o.chains, o.particles, out, evidence);
}

crd_status crd_ais_run(const crd_model *model, const crd_tempered_options *options, crd_key key, crd_posterior **out,
                       crd_evidence *evidence)
{
    crd_tempered_options o;
    CRD_TRY(crdi_tempered_complete(crd_model_context(model), options, &o));
    return crdi_tempered_into_memory(crdi_ais_run, model, &o, key, (int)o.chains, o.particles, out, evidence);
}
