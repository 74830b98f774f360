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
    double *log_evidence, *lag; /* (chains) */
    double *log_weight; /* (chains, particles) of annealed importance sampling: estimates of the evidence */
    double *accept, *effective; /* (chains, temperatures) */
    crd_chain_progress *progress; /* (chains), guarded: */
    pthread_mutex_t lock;
};

/* One of the runs, on its way. */
struct one {
    struct smc *smc;
    int64_t number;
    crd_key key;
    crdi_population p;
    int64_t
        at; /* the temperature that particles are moved at; -1: they are drawn from the prior; behind the last: it is done */
    double before, lag; /* mean log likelihood before the moves at this temperature; crd_evidence's lag so far */
    crdi_lane lane;
};

static int64_t all_moves(const crdi_schedule *s)
{
    int64_t sum = 0;
    for (int64_t k = 0; k < s->count; k++)
        sum += s->move[k].moves;
    return sum;
}

static void tell(const struct one *r)
{
    struct smc *smc = r->smc;
    const crd_tempered_options *o = &smc->t.options;
    int64_t iteration = 0;
    if (!o->progress)
        return;
    for (int64_t k = 0; k < r->at; k++)
        iteration += smc->schedule.move[k].moves;
    pthread_mutex_lock(&smc->lock);
    crd_chain_progress *progress = &smc->progress[r->number];
    progress->iteration = iteration;
    progress->step_size = r->at > 0 ? smc->schedule.move[r->at - 1].step : 0;
    progress->gradients = crdi_population_gradients(&r->p);
    progress->sampling_gradients = progress->gradients / r->p.count; /* a particle */
    progress->seconds = crdi_seconds() - smc->t.begun;
    o->progress(o->progress_user, smc->progress, (int)o->chains);
    pthread_mutex_unlock(&smc->lock);
}

/* ---- one run ------------------------------------------------------------------------------------------------ */

/* Each particle's own estimate of the evidence. */
static void keep_weights(const crdi_population *p, double *out)
{
    for (int64_t i = 0; i < p->count; i++)
        out[i] = p->log_weight[i] + p->log_evidence + log((double)p->count);
}

/* At the next temperature of the ladder, not moved yet; or behind the last. */
static void arrive(struct one *r)
{
    struct smc *smc = r->smc;
    crdi_population *p = &r->p;
    int64_t count = smc->schedule.count, k = ++r->at;
    if (k == count)
        return;
    crdi_population_reweight(p, smc->schedule.move[k].beta);
    double effective = smc->effective[r->number * count + k] = crdi_population_effective(p);
    if (smc->anneals && k == count - 1)
        keep_weights(p, smc->log_weight + r->number * p->count);
    if ((effective < RESAMPLE && !smc->anneals) || k == count - 1)
        crdi_population_resample(p, crd_key_fold_in(crd_key_fold_in(r->key, KEY_RESAMPLE), (uint32_t)k));
    r->before = crdi_population_likelihood(p);
}

static crd_status go(struct one *r)
{
    const crdi_schedule *s = &r->smc->schedule;
    crd_key moves = crd_key_fold_in(r->key, KEY_MOVE);
    crd_status status = CRD_OK;
    if (r->at < 0) {
        status = crdi_population_draw(&r->p, crd_key_fold_in(r->key, KEY_DRAW));
        if (status == CRD_OK)
            arrive(r);
    }
    while (status == CRD_OK && r->at < s->count) {
        const crdi_move *move = &s->move[r->at];
        status = crdi_population_move(&r->p, move, crd_key_fold_in(moves, (uint32_t)r->at), 0, move->moves);
        if (status != CRD_OK)
            break;
        r->smc->accept[r->number * s->count + r->at] = crdi_population_accept(&r->p);
        r->lag += move->beta * (crdi_population_likelihood(&r->p) - r->before);
        arrive(r);
        tell(r);
    }
    return status;
}

static void run_state(void *user, crdi_archive *a)
{
    struct one *r = user;
    struct smc *smc = r->smc;
    int64_t count = smc->schedule.count;
    crdi_archive_same(a, smc->anneals, "method");
    crdi_archive_same(a, count, "number of temperatures");
    crdi_archive_integer(a, &r->at);
    if (a->status == CRD_OK && (r->at < -1 || r->at > count)) {
        r->at = -1;
        a->status = crdi_raise(a->ctx, CRD_EDAMAGED, "the stored state has an impossible temperature");
    }
    crdi_archive_reals(a, smc->accept + r->number * count, r->at < 0 ? 0 : r->at);
    crdi_archive_reals(a, smc->effective + r->number * count, r->at < count ? r->at + 1 : count);
    if (smc->anneals && r->at >= count - 1)
        crdi_archive_reals(a, smc->log_weight + r->number * r->p.count, r->p.count);
    crdi_archive_real(a, &r->before);
    crdi_archive_real(a, &r->lag);
    crdi_population_state(&r->p, a);
}

static crd_status keep(void *user)
{
    struct one *r = user;
    return crdi_lane_keep(&r->lane, (crdi_sampler_state){.iteration = r->at < 0 ? 0 : r->at,
                                                         .gradient_evaluations = crdi_population_gradients(&r->p),
                                                         .gradient_seconds = crdi_population_seconds(&r->p)});
}

/* Threads left for each run. */
static int64_t lanes_of(const crd_tempered_options *o)
{
    int64_t together = o->threads < o->chains ? o->threads : o->chains;
    return o->threads / together;
}

/* Loads what there is, and goes on to the draws. */
static crd_status make_one(struct one *r)
{
    struct smc *smc = r->smc;
    crdi_population *p = &r->p;
    bool found;
    CRD_TRY(crdi_population_create(p, &smc->t, smc->t.options.particles, lanes_of(&smc->t.options)));
    CRD_TRY(crdi_lane_load(&r->lane, &found));
    if (found)
        tell(r);
    crdi_population_keep(p, &r->lane, keep, r);
    crd_status status = go(r);
    smc->log_evidence[r->number] = p->log_evidence;
    smc->lag[r->number] = r->lag;
    if (status != CRD_OK || !smc->sink)
        return status;
    CRD_TRY(keep(r));
    return crdi_tempered_hand_over(&smc->t, smc->values, &smc->columns, (int)r->number, p->count, p->u, p->log_prior,
                                   p->log_likelihood, smc->sink);
}

static crd_status run_one(void *user, int64_t run)
{
    struct smc *smc = user;
    struct one one = {.smc = smc,
                      .number = run,
                      .key = crd_key_fold_in(smc->key, (uint32_t)run),
                      .at = -1,
                      .lane = {.t = &smc->t, .number = run, .state = run_state, .user = &one}};
    crd_status status = make_one(&one);
    crdi_lane_clear(&one.lane);
    crdi_population_destroy(&one.p);
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
    crdi_evidence_lag(&e, smc->lag);
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
    smc->lag = crdi_arena_alloc(arena, sizeof(double) * runs);
    smc->log_weight = crdi_arena_alloc(arena, sizeof(double) * runs * (size_t)o->particles);
    smc->accept = crdi_arena_alloc(arena, sizeof(double) * each);
    smc->effective = crdi_arena_alloc(arena, sizeof(double) * each);
    smc->progress = crdi_arena_alloc(arena, sizeof *smc->progress * runs);
    if (!smc->log_evidence || !smc->lag || !smc->log_weight || !smc->accept || !smc->effective || !smc->progress)
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
    CRD_TRY(crdi_tempered_create(&smc->t, model, options));
    const crd_tempered_options *o = &smc->t.options;
    CRD_TRY(crdi_tempered_columns(model, o->keep, o->keep_count, arena, &smc->columns, &smc->values));
    crd_status status = crdi_schedule_find(&smc->schedule, &smc->t, crd_key_fold_in(smc->key, KEY_PILOT));
    double begun = smc->t.begun, piloted = smc->t.begun = crdi_seconds();
    const crdi_mcmc_before *before = smc->t.before;
    if (status == CRD_OK)
        status = make_runs(smc, arena);
    if (status == CRD_OK && evidence)
        status = conclude(smc, evidence);
    *report = (crdi_mcmc_report){.warmup_seconds = piloted - begun + (before ? before->warmup_seconds : 0),
                                 .sampling_seconds = crdi_seconds() - piloted + (before ? before->sampling_seconds : 0),
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

crd_status crdi_smc_run(const crd_model *model, const crd_tempered_options *options, crd_key key,
                        const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report,
                        crd_evidence *evidence)
{
    struct smc smc = {.t = {.sink = sink, .before = before}, .key = key, .sink = sink};
    return run_with(&smc, model, options, report, evidence);
}

crd_status crdi_ais_run(const crd_model *model, const crd_tempered_options *options, crd_key key,
                        const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report,
                        crd_evidence *evidence)
{
    struct smc smc = {.t = {.sink = sink, .before = before}, .key = key, .sink = sink, .anneals = true};
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
