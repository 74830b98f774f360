/* tempering.c - a run of parallel tempering: its first temperatures, and the evidence from what its chains have seen. */
#include "infer/tempered/tempering.h"
#include "infer/tempered/population.h"

#include <math.h>
#include <string.h>

static const uint32_t KEY_PILOT = UINT32_MAX;

/* ---- what chains share ---------------------------------------------------------------------------------------- */

/* Evenly among the temperatures of the pilot run, whose neighbours are equally far apart. */
static crd_status choose_betas(crdi_tempering *t, crd_key key)
{
    crdi_schedule s = {0};
    t->t.options.anneal = 1e-9; /* the pilot run's own temperatures */
    crd_status status = crdi_schedule_find(&s, &t->t, crd_key_fold_in(key, KEY_PILOT));
    int64_t found = s.count, wanted = t->t.options.temperatures;
    t->levels = wanted > 1 ? wanted : 1 + (found + 1) / 2;
    t->levels = t->levels < 2 ? 2 : t->levels;
    if (status == CRD_OK && !(t->beta = crdi_arena_alloc(t->arena, sizeof *t->beta * (size_t)t->levels)))
        status = CRD_ENOMEM;
    for (int64_t k = 1; k < t->levels && status == CRD_OK; k++) {
        double at = (double)(k * found) / (double)(t->levels - 1), whole = floor(at);
        int64_t below = (int64_t)whole;
        double low = below > 0 ? s.move[below - 1].beta : 0, high = below < found ? s.move[below].beta : 1;
        t->beta[k] = k == t->levels - 1 ? 1 : low + (at - whole) * (high - low);
    }
    crdi_schedule_destroy(&s);
    return status;
}

static void forget(const crdi_tempering *t, crdi_tempering_sums *s)
{
    size_t pairs = (size_t)t->levels - 1, all = pairs * CRDI_TEMPERING_BATCHES;
    memcpy(s->beta, t->beta, sizeof(double) * (pairs + 1));
    memset(s->accept, 0, sizeof(double) * pairs);
    s->seen = 0;
    for (size_t i = 0; i < all; i++)
        s->up[i] = s->down[i] = -INFINITY;
}

static crd_status make_sums(crdi_tempering *t)
{
    size_t pairs = (size_t)t->levels - 1, all = pairs * CRDI_TEMPERING_BATCHES;
    t->sums = crdi_arena_alloc(t->arena, sizeof *t->sums * (size_t)t->chains);
    if (!t->sums)
        return CRD_ENOMEM;
    for (int64_t c = 0; c < t->chains; c++) {
        crdi_tempering_sums *s = &t->sums[c];
        s->beta = crdi_arena_alloc(t->arena, sizeof(double) * (pairs + 1));
        s->accept = crdi_arena_alloc(t->arena, sizeof(double) * pairs);
        s->up = crdi_arena_alloc(t->arena, sizeof(double) * all);
        s->down = crdi_arena_alloc(t->arena, sizeof(double) * all);
        if (!s->beta || !s->accept || !s->up || !s->down)
            return CRD_ENOMEM;
        forget(t, s);
    }
    return CRD_OK;
}

crd_status crdi_tempering_create(crdi_tempering *t, const crd_model *model, const crd_tempered_options *options,
                                 crd_key key)
{
    CRD_TRY(crdi_arena_create(&t->arena, crd_model_context(model)));
    CRD_TRY(crdi_tempered_create(&t->t, model, options));
    t->chains = t->t.options.chains;
    crd_status status = choose_betas(t, key);
    return status == CRD_OK ? make_sums(t) : status;
}

void crdi_tempering_destroy(crdi_tempering *t)
{
    crdi_tempered_destroy(&t->t);
    crdi_arena_destroy(&t->arena);
}

/* ---- the evidence --------------------------------------------------------------------------------------------- */

static double log_add(double a, double b)
{
    double most = fmax(a, b);
    return most == -INFINITY ? most : most + log(exp(a - most) + exp(b - most));
}

/* Iterations that the batches have when `seen` have come before. */
static int64_t batch_length(int64_t seen)
{
    int64_t length = 1;
    while (seen >= length * CRDI_TEMPERING_BATCHES)
        length *= 2;
    return length;
}

/* Twice as long, and half as many: the others are free. */
static void merge_batches(crdi_tempering_sums *s, int64_t pairs)
{
    for (int64_t i = 0; i < CRDI_TEMPERING_BATCHES * pairs; i++) {
        int64_t b = i / pairs, k = i % pairs, from = 2 * b * pairs + k;
        bool filled = b < CRDI_TEMPERING_BATCHES / 2;
        s->up[i] = filled ? log_add(s->up[from], s->up[from + pairs]) : -INFINITY;
        s->down[i] = filled ? log_add(s->down[from], s->down[from + pairs]) : -INFINITY;
    }
}

void crdi_tempering_see(crdi_tempering_sums *s, int64_t levels, const double *log_likelihood, const double *accept)
{
    int64_t pairs = levels - 1, length = batch_length(s->seen), batch = s->seen / length;
    if (length > 1 && 2 * s->seen == length * CRDI_TEMPERING_BATCHES)
        merge_batches(s, pairs);
    for (int64_t k = 0; k < pairs; k++) {
        double half = 0.5 * (s->beta[k + 1] - s->beta[k]), *up = &s->up[batch * pairs + k],
               *down = &s->down[batch * pairs + k];
        *up = log_add(*up, half * log_likelihood[k]);
        *down = log_add(*down, -half * log_likelihood[k + 1]);
        s->accept[k] += accept[k];
    }
    s->seen++;
}

/* Of one chain, without the batch `left_out` (-1: of all): each ratio of neighbours' evidences by the geometric mean of their
 * densities as a bridge (Meng & Wong 1996, sec. 4). */
static double log_evidence_of(const crdi_tempering *t, const crdi_tempering_sums *s, int left_out)
{
    double sum = 0;
    int64_t pairs = t->levels - 1;
    for (int64_t k = 0; k < pairs; k++) {
        double up = -INFINITY, down = -INFINITY;
        for (int b = 0; b < CRDI_TEMPERING_BATCHES; b++)
            if (b != left_out) {
                up = log_add(up, s->up[b * pairs + k]);
                down = log_add(down, s->down[b * pairs + k]);
            }
        sum += up - down;
    }
    return sum;
}

/* Batches that have seen anything. */
static int batches_of(const crdi_tempering_sums *s)
{
    int64_t length = batch_length(s->seen - 1);
    return (int)((s->seen + length - 1) / length);
}

/* Square of the standard error of a chain's log evidence: the jackknife over its batches. */
static double variance_of(const crdi_tempering *t, const crdi_tempering_sums *s, double whole)
{
    int batches = batches_of(s);
    double squares = 0;
    for (int b = 0; b < CRDI_TEMPERING_BATCHES; b++)
        if (s->down[b * (t->levels - 1)] > -INFINITY) {
            double off = log_evidence_of(t, s, b) - whole;
            squares += off * off;
        }
    return batches > 1 ? squares * (double)(batches - 1) / (double)batches : NAN;
}

crd_status crdi_tempering_conclude(const crdi_tempering *t, crd_evidence *out)
{
    static const double NORMAL_95 = 1.9599639845400545;
    int64_t chains = 0, levels = t->levels;
    double variance = 0, sum = 0;
    crd_evidence e;
    CRD_TRY(crdi_evidence_create(&e, t->t.ctx, t->chains, levels));
    for (int64_t c = 0; c < t->chains; c++) {
        const crdi_tempering_sums *s = &t->sums[c];
        if (s->seen < 2) /* it was stopped before it had anything */
            continue;
        e.run[chains] = log_evidence_of(t, s, -1);
        variance += variance_of(t, s, e.run[chains]);
        sum += e.run[chains++];
        for (int64_t k = 0; k < levels; k++) {
            e.beta[k] += s->beta[k];
            e.accept[k] += k < levels - 1 ? s->accept[k] / (double)s->seen : 0;
        }
    }
    e.runs = chains;
    e.effective = NAN;
    for (int64_t k = 0; k < levels; k++) {
        e.beta[k] /= (double)chains;
        e.accept[k] /= (double)chains;
    }
    double mean = sum / (double)chains, squares = 0, inner = sqrt(variance) / (double)chains;
    for (int64_t c = 0; c < chains; c++)
        squares += (e.run[c] - mean) * (e.run[c] - mean);
    double outer = chains > 1 ? sqrt(squares / (double)(chains * (chains - 1))) : 0;
    e.log_evidence = chains > 0 ? mean : NAN;
    e.error = fmax(inner, outer);
    double half = e.error * (outer > inner ? crdi_student_95(chains - 1) : NORMAL_95);
    e.low = mean - half;
    e.high = mean + half;
    *out = e;
    return CRD_OK;
}

/* ---- a run ---------------------------------------------------------------------------------------------------- */

static crd_nuts_options options_of(const crd_nuts_options *given)
{
    crd_nuts_options o = {0};
    if (given)
        o = *given;
    o.kernel = "tempering";
    return o;
}

static crd_tempered_options tempered_of(const crd_tempered_options *given, const crd_nuts_options *o)
{
    crd_tempered_options all = {0};
    if (given)
        all = *given;
    all.chains = o->chains;
    all.threads = o->threads;
    all.stop = o->stop;
    all.stop_user = o->stop_user;
    all.blocks = NULL;
    return all;
}

crd_status crdi_tempering_draw(crdi_tempering *t, const crd_model *model, const crd_nuts_options *options,
                               const crd_tempered_options *tempered, crd_key key, const crdi_mcmc_before *before,
                               const crdi_sink *sink, crdi_mcmc_report *report)
{
    crdi_mcmc_before again = {0};
    crd_nuts_options o = options_of(options);
    crd_tempered_options all = tempered_of(tempered, &o);
    if (before)
        again = *before;
    crdi_scale_sites scales = {0};
    crd_status status = crdi_mcmc_find_blocks(model, o.kernel, o.blocks, &scales); /* said before the pilot run */
    crdi_scale_sites_destroy(&scales);
    if (status == CRD_OK)
        status = crdi_tempering_create(t, model, &all, key);
    again.shared = t;
    return status == CRD_OK ? crdi_mcmc_run(model, &o, key, &again, sink, report) : status;
}

static crd_status no_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    (void)user, (void)chain, (void)first, (void)count, (void)values;
    return CRD_OK;
}

/* A run that is taken up where its rule holds already may be stopped before it has found its temperatures. */
static crd_status need_sums(crdi_tempering *t, const crd_model *model, const crd_tempered_options *tempered,
                            const crd_nuts_options *o, crd_key key)
{
    if (t->sums)
        return CRD_OK;
    crd_tempered_options all = tempered_of(tempered, o);
    crdi_tempering_destroy(t);
    *t = (crdi_tempering){0};
    return crdi_tempering_create(t, model, &all, key);
}

crd_status crdi_tempering_go_back(crdi_tempering *t, const crd_model *model, const crd_nuts_options *options,
                                  const crd_tempered_options *tempered, int64_t draws, crd_key key,
                                  const crdi_mcmc_saved *state)
{
    crdi_mcmc_report report;
    crd_nuts_options o = options_of(options);
    const crdi_mcmc_before before = {.chain = state, .shared = t};
    const crdi_sink sink = {.draws = no_draws};
    o.draws = draws;
    o.stop = NULL;
    o.progress = NULL;
    CRD_TRY(need_sums(t, model, tempered, &o, key));
    for (int64_t c = 0; c < t->chains; c++)
        if (!state[c].bytes) /* it begins again */
            forget(t, &t->sums[c]);
    return crdi_mcmc_run(model, &o, key, &before, &sink, &report);
}

crd_status crdi_tempering_run(const crd_model *model, const crd_nuts_options *options,
                              const crd_tempered_options *tempered, crd_key key, const crdi_mcmc_before *before,
                              const crdi_sink *sink, crdi_mcmc_report *report, crd_evidence *evidence)
{
    crdi_tempering shared = {0};
    crd_status status = crdi_tempering_draw(&shared, model, options, tempered, key, before, sink, report);
    if (status >= 0 && evidence) {
        crd_status concluded = crdi_tempering_conclude(&shared, evidence);
        status = concluded < 0 ? concluded : status;
    }
    crdi_tempering_destroy(&shared);
    return status;
}

/* ---- into memory ---------------------------------------------------------------------------------------------- */

struct request {
    const crd_tempered_options *tempered;
    crd_evidence *evidence;
};

static crd_status run_request(void *user, const crd_model *model, const crd_nuts_options *options, crd_key key,
                              const crdi_sink *sink, crdi_mcmc_report *report)
{
    const struct request *r = user;
    return crdi_tempering_run(model, options, r->tempered, key, NULL, sink, report, r->evidence);
}

crd_status crd_tempering_run(const crd_model *model, const crd_nuts_options *options,
                             const crd_tempered_options *tempered, crd_key key, crd_posterior **out,
                             crd_evidence *evidence)
{
    struct request request = {tempered, evidence};
    crd_context *ctx = crd_model_context(model);
    if (tempered && tempered->temperatures == 1)
        return crdi_raise(ctx, CRD_EINVAL, "temperatures: 1; it must be 0, or 2 or more");
    return crdi_mcmc_into_memory(run_request, &request, model, options, key, out);
}
