/* chain.c - starting a chain, moving it, and what it learns in warm-up. Keys: crdi_chain_stream. */
#include "infer/mcmc/chain.h"
#include "infer/map.h"
#include "infer/mcmc/approach.h"
#include "infer/svi/optim.h"

#include <math.h>
#include <string.h>

#define KERNEL(name, what) extern const crdi_mcmc_kernel crdi_mcmc_kernel_##name;
#include "infer/mcmc/kernels.def"
#undef KERNEL

static const crdi_mcmc_kernel *const kernels[] = {
#define KERNEL(name, what) &crdi_mcmc_kernel_##name,
#include "infer/mcmc/kernels.def"
#undef KERNEL
};

const crdi_mcmc_kernel *crdi_mcmc_kernel_find(const char *name)
{
    for (int i = 0; i < CRDI_COUNT(kernels); i++)
        if (strcmp(kernels[i]->name, name) == 0)
            return kernels[i];
    return NULL;
}

const crdi_mcmc_kernel *crdi_mcmc_kernel_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(kernels) ? kernels[i] : NULL;
}

static const char *kernel_name(const void *list, int64_t i)
{
    (void)list;
    return kernels[i]->name;
}

crd_status crdi_raise_unknown_kernel(crd_context *ctx, const char *name)
{
    return crdi_raise_unknown(ctx, "method", name, kernel_name, NULL, CRDI_COUNT(kernels));
}

bool crdi_chain_overlaps(const crd_nuts_options *options)
{
    const char *how = options->adaptation;
    if (!how || strcmp(how, "auto") == 0)
        return strcmp(options->metric, "low_rank") == 0;
    return strcmp(how, "overlapping") == 0;
}

static crd_status create(crdi_chain *chain, const crd_program *density)
{
    crd_context *ctx = chain->ctx;
    const crd_nuts_options *options = chain->options;
    const crdi_metric_type *metric = crdi_metric_find(options->metric);
    chain->kernel = crdi_mcmc_kernel_find(options->kernel);
    if (!chain->kernel)
        return crdi_raise_unknown_kernel(ctx, options->kernel);
    CRD_TRY(crdi_hamiltonian_create(&chain->h, ctx, density, metric, crdi_chain_overlaps(options)));
    chain->scratch = crdi_alloc_array(ctx, chain->h.dim, sizeof(double));
    if (!chain->scratch)
        return CRD_ENOMEM;
    double standard = chain->kernel->target_accept > 0 ? chain->kernel->target_accept : 0.8; /* Stan's */
    chain->averaging.target = options->target_accept > 0 ? options->target_accept : standard;
    crdi_windows_start(&chain->windows, options->warmup, crdi_chain_overlaps(options), -1);
    return chain->kernel->create(chain);
}

crd_status crdi_chain_create(crdi_chain *chain, crd_context *ctx, const crd_program *density,
                             const crd_nuts_options *options, crd_key key)
{
    *chain = (crdi_chain){.ctx = ctx, .options = options, .key = key};
    return create(chain, density);
}

crd_status crdi_chain_create_batched(crdi_chain *chain, crd_context *ctx, const crdi_batches *batches,
                                     const crd_nuts_options *options, crd_key key)
{
    *chain = (crdi_chain){.ctx = ctx, .options = options, .key = key, .batches = batches};
    return create(chain, batches->program);
}

crd_status crdi_chain_create_shared(crdi_chain *chain, crd_context *ctx, const crd_program *density,
                                    const crd_nuts_options *options, crd_key key, void *shared, int number)
{
    *chain = (crdi_chain){.ctx = ctx, .options = options, .key = key, .shared = shared, .number = number};
    return create(chain, density);
}

void crdi_chain_destroy(crdi_chain *chain)
{
    if (chain->kernel)
        chain->kernel->destroy(chain);
    if (chain->h.ctx)
        crdi_hamiltonian_destroy(&chain->h);
    if (chain->ctx)
        crdi_free(chain->ctx, chain->scratch);
    crdi_gibbs_destroy(&chain->gibbs);
    *chain = (crdi_chain){0};
}

/* ---- start -------------------------------------------------------------------------------------------------- */

static bool finite_here(const crdi_hamiltonian *h)
{
    bool finite = isfinite(*h->log_density);
    for (int64_t i = 0; i < h->dim && finite; i++)
        finite = isfinite(h->grad[i]);
    return finite;
}

/* The size of a first step: doubled or halved until the acceptance probability of one step crosses 0.8 (Hoffman & Gelman
 * 2014, algorithm 4, with Stan's 0.8 for their 0.5). Leaves the chain where it was. */
static void search_step_size(crdi_chain *chain)
{
    static const double LOG_ACCEPT = -0.22314355131420976; /* log 0.8 */
    enum { MOST = 100 };
    crdi_hamiltonian *h = &chain->h;
    double *point = chain->scratch;
    crd_key search = crd_key_fold_in(crdi_chain_stream_key(chain->key, CRDI_STREAM_SEARCH), chain->step_searches++);
    int direction = 0;
    memcpy(point, h->q, sizeof(double) * (size_t)h->dim);
    for (uint32_t attempt = 0; attempt < MOST; attempt++) {
        crdi_hamiltonian_draw_momentum(h, crd_key_fold_in(search, attempt));
        double before = h->energy;
        crdi_hamiltonian_step(h, h->step_size, h->sharp);
        bool good = before - h->energy > LOG_ACCEPT;
        memcpy(h->q, point, sizeof(double) * (size_t)h->dim);
        crdi_hamiltonian_evaluate(h);
        if (direction == 0)
            direction = good ? 1 : -1;
        else if (good != (direction > 0))
            break;
        double next = direction > 0 ? 2 * h->step_size : 0.5 * h->step_size;
        if (next > 1e7 || next < 1e-300) /* a flat density, or one that is not smooth here */
            break;
        h->step_size = next;
    }
}

crd_status crdi_chain_starter(const crd_model *model, const crd_nuts_options *options, crdi_starter *out)
{
    static const char *const names[] = {"uniform", "prior", "median", "value", "point"}; /* as crd_start_kind */
    crd_start start = {.radius = options->init_radius, .values = options->start_values};
    if (strcmp(options->start, "map") != 0 && strcmp(options->start, "pathfinder") != 0 &&
        strcmp(options->start, "ensemble") != 0)
        while (strcmp(names[start.kind], options->start) != 0)
            start.kind++;
    *out = (crdi_starter){0};
    if (start.kind == CRD_START_UNIFORM) /* drawn without a program */
        return CRD_OK;
    return crdi_starter_create(out, model, &start);
}

static crd_status find_point(crdi_chain *chain, crd_key key)
{
    double radius = chain->options->init_radius;
    if (chain->point) {
        memcpy(chain->h.q, chain->point, sizeof(double) * (size_t)chain->h.dim);
        return CRD_OK;
    }
    if (chain->starter)
        return crdi_starter_run(chain->starter, key, chain->h.q);
    crd_random_uniform_between(key, -radius, radius, chain->h.dim, chain->h.q);
    return CRD_OK;
}

static crd_status no_start(const crdi_chain *chain, int number, int attempts)
{
    double radius = chain->options->init_radius;
    if (chain->point || (chain->starter && !chain->starter->random))
        return crdi_raise(chain->ctx, CRD_ESTART,
                          "chain %d: log density or gradient is not finite at the given start point", number);
    if (chain->starter)
        return crdi_raise(chain->ctx, CRD_ESTART,
                          "chain %d: log density or gradient is not finite at %d start points by --start %s; a look at "
                          "the priors and the data's scale may help",
                          number, attempts, chain->options->start);
    return crdi_raise(chain->ctx, CRD_ESTART,
                      "chain %d: log density or gradient is not finite at %d start points uniform in (-%g, %g); "
                      "a smaller --init-radius, or a look at the priors and the data's scale, may help",
                      number, attempts, radius, radius);
}

/* From where the chain is to the most probable point near it. */
static crd_status climb(crdi_chain *chain)
{
    crdi_hamiltonian *h = &chain->h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    double *u = crdi_alloc(chain->ctx, bytes); /* q is the exec's input, which the climb writes to */
    if (!u)
        return CRD_ENOMEM;
    memcpy(u, h->q, bytes);
    crd_status status = crdi_find_map(chain->ctx, h->exec, h->dim, u, &h->gradients);
    memcpy(h->q, u, bytes);
    crdi_free(chain->ctx, u);
    crdi_hamiltonian_evaluate(h);
    return status;
}

/* Whether the log density changes by more than a step's energy may, over so many times sqrt(dim): a step of a kernel is a quarter of
 * sqrt(dim) long where all scales are 1. */
static bool is_steep(const crdi_chain *chain, double distance)
{
    const crdi_hamiltonian *h = &chain->h;
    return distance * sqrt((double)h->dim) * crdi_norm_raw(h->metric.kernels, h->dim, h->grad) >
           chain->options->max_energy_change;
}

/* Adam upwards from where the chain is until the density is no longer steep, or a step gains no more than a step's energy may change:
 * with many rows it is steep everywhere. To the best point seen. */
static void climb_off(crdi_chain *chain, crdi_optimiser *optimiser, double *best, double *slope)
{
    enum { MOST = 500 };
    static const double GENTLE = 1e-3;
    crdi_hamiltonian *h = &chain->h;
    size_t bytes = sizeof *best * (size_t)h->dim;
    double best_density = *h->log_density, gain = INFINITY;
    memcpy(best, h->q, bytes);
    for (int step = 0; step < MOST && gain > chain->options->max_energy_change && is_steep(chain, GENTLE); step++) {
        for (int64_t i = 0; i < h->dim; i++)
            slope[i] = -h->grad[i];
        crdi_optimiser_update(optimiser, slope, h->q, NAN);
        crdi_hamiltonian_evaluate(h);
        gain = finite_here(h) ? *h->log_density - best_density : 0;
        if (!(gain > 0))
            break;
        memcpy(best, h->q, bytes);
        best_density = *h->log_density;
    }
    memcpy(h->q, best, bytes);
    crdi_hamiltonian_evaluate(h);
}

/* Some points that are drawn are no places to begin at: where a network's output is the logarithm of the noise, weights between -2
 * and 2 put the log density of 300 rows at -10^23, and steps whose energy error is right there are 10^-8 long: warm-up would end where
 * it began. Such a chain first goes up, in a few steps of Adam, to where the density is no longer that steep. */
static crd_status leave_cliff(crdi_chain *chain)
{
    crdi_optimiser *adam = NULL;
    int64_t dim = chain->h.dim;
    if (!is_steep(chain, 1e-5))
        return CRD_OK;
    double *memory = crdi_alloc_array(chain->ctx, 2 * dim, sizeof *memory);
    if (!memory)
        return CRD_ENOMEM;
    crd_status status = crdi_optimiser_create(chain->ctx, "clip_by_global_norm:1,adam:0.05", dim, NULL, 0, &adam);
    if (status == CRD_OK)
        climb_off(chain, adam, memory, memory + dim);
    crdi_optimiser_destroy(&adam);
    crdi_free(chain->ctx, memory);
    return status;
}

/* From another run, as given, or found. */
static void first_step_size(crdi_chain *chain)
{
    crdi_hamiltonian *h = &chain->h;
    double given = chain->warm ? h->step_size : chain->options->step_size;
    h->step_size = given > 0 ? given : 1;
    if (chain->kernel->start)
        chain->kernel->start(chain);
    else if (given <= 0)
        search_step_size(chain);
    crdi_dual_averaging_restart(&chain->averaging, h->step_size);
}

/* Windows that overlap learn from the first draw on, so the chain had better be where draws are. Points that were asked for stay. */
static bool approaches(const crdi_chain *chain)
{
    bool uniform =
        !chain->point && !chain->starter && (!chain->options->start || strcmp(chain->options->start, "uniform") == 0);
    return chain->windows.overlapping && chain->options->warmup > 0 && uniform && !chain->warm &&
           chain->kernel->rows == CRDI_ROWS_ALL && !chain->kernel->shares;
}

crd_status crdi_chain_start(crdi_chain *chain, int number)
{
    enum { ATTEMPTS = 100 };
    crdi_hamiltonian *h = &chain->h;
    crd_key start = crdi_chain_stream_key(chain->key, CRDI_STREAM_START);
    bool climbs = chain->options->start && strcmp(chain->options->start, "map") == 0;
    uint32_t attempts = chain->point || (chain->starter && !chain->starter->random) ? 1 : ATTEMPTS;
    for (uint32_t attempt = 0; attempt < attempts; attempt++) {
        CRD_TRY(find_point(chain, crd_key_fold_in(start, attempt)));
        crdi_hamiltonian_evaluate(h);
        if (!finite_here(h))
            continue;
        if (climbs)
            CRD_TRY(climb(chain));
        if (attempts > 1 && !climbs && chain->kernel->rows != CRDI_ROWS_SAMPLED)
            CRD_TRY(leave_cliff(chain));
        if (approaches(chain))
            CRD_TRY(crdi_chain_approach(chain));
        first_step_size(chain);
        return CRD_OK;
    }
    return no_start(chain, number, (int)attempts);
}

/* ---- moving ------------------------------------------------------------------------------------------------- */

void crdi_chain_collect(crdi_chain *chain)
{
    crdi_metric *m = &chain->h.metric;
    if (m->type->collect)
        m->type->collect(m, chain->h.q, chain->h.grad);
}

bool crdi_chain_renew_metric(crdi_chain *chain, bool forget)
{
    crdi_metric *m = &chain->h.metric;
    if (!m->type->renew)
        return false;
    m->type->renew(m);
    if (forget)
        m->type->forget(m);
    return true;
}

/* Behind a renewal the first step size is found again, and dual averaging aims above it. Where windows overlap, a metric is much like
 * the one before: it goes on from its average, at the end of each window. */
static void restart_step_size(crdi_chain *chain)
{
    if (chain->windows.overlapping) {
        crdi_dual_averaging_restart(&chain->averaging, 0.1 * crdi_dual_averaging_final(&chain->averaging));
        return;
    }
    search_step_size(chain);
    crdi_dual_averaging_restart(&chain->averaging, chain->h.step_size);
}

static void learn(crdi_chain *chain, const crdi_transition *t)
{
    crdi_hamiltonian *h = &chain->h;
    h->step_size = crdi_dual_averaging_learn(&chain->averaging, t->accept_prob);
    crdi_window_step step = crdi_windows_step(&chain->windows);
    if (step.learn)
        crdi_chain_collect(chain);
    if (step.renew && crdi_chain_renew_metric(chain, step.forget) && step.forget)
        restart_step_size(chain);
    if (chain->iteration == chain->options->warmup)
        h->step_size = crdi_dual_averaging_final(&chain->averaging);
}

int64_t crdi_chain_limit_steps(const crdi_chain *chain, double steps, bool *cut)
{
    double most = ldexp(1, (int)chain->options->max_depth) - 1;
    *cut = steps > most;
    return steps < 1 ? 1 : *cut ? (int64_t)most : (int64_t)steps;
}

void crdi_chain_note_cut(const crdi_chain *chain, bool cut, crdi_transition *out)
{
    out->tree_depth = cut && !out->diverging ? (int)chain->options->max_depth : 0;
}

crd_status crdi_chain_add_blocks(crdi_chain *chain, const crdi_scale_sites *scales)
{
    if (scales->count == 0)
        return CRD_OK;
    if (chain->kernel->add_blocks)
        return chain->kernel->add_blocks(chain, scales);
    return crdi_gibbs_create(chain->ctx, scales, chain->h.dim, &chain->gibbs);
}

/* The point with its sites in blocks drawn anew. A kernel that keeps a momentum or direction has it independent of the point; one that
 * takes rows in batches goes on with the batch that it has. */
static void draw_blocks(crdi_chain *chain)
{
    crd_key key = crd_key_fold_in(crdi_chain_stream_key(chain->key, CRDI_STREAM_BLOCKS), (uint32_t)chain->iteration);
    crdi_gibbs_draw(chain->gibbs, key, chain->h.q);
    crdi_hamiltonian_evaluate(&chain->h);
}

void crdi_chain_advance(crdi_chain *chain, crdi_transition *out)
{
    bool warming = chain->iteration < chain->options->warmup;
    if (chain->gibbs)
        draw_blocks(chain);
    chain->kernel->transition(chain, crd_key_fold_in(chain->key, (uint32_t)chain->iteration), out);
    chain->iteration++;
    if (!warming) {
        chain->divergences += out->diverging;
        return;
    }
    (chain->kernel->learn ? chain->kernel->learn : learn)(chain, out);
    chain->warmup_gradients = chain->h.gradients;
}

/* ---- state -------------------------------------------------------------------------------------------------- */

enum { STATE_VERSION = 3 };

/* What another run may start with; it stands first. */
static void learned_state(crdi_chain *chain, crdi_archive *a)
{
    crdi_hamiltonian *h = &chain->h;
    crdi_archive_same(a, STATE_VERSION, "version of credence");
    crdi_archive_same(a, h->dim, "number of parameters");
    crdi_archive_same(a, h->metric.type->form, "metric");
    crdi_archive_real(a, &h->step_size);
    crdi_archive_real(a, &chain->length);
    h->metric.type->learned(&h->metric, a);
}

static void adaptation_state(crdi_chain *chain, crdi_archive *a)
{
    crdi_dual_averaging *d = &chain->averaging;
    crdi_windows *w = &chain->windows;
    crdi_archive_real(a, &d->mu);
    crdi_archive_real(a, &d->s_bar);
    crdi_archive_real(a, &d->x_bar);
    crdi_archive_real(a, &d->count);
    crdi_archive_integer(a, &w->size);
    crdi_archive_integer(a, &w->next);
    crdi_archive_integer(a, &w->iteration);
    crdi_archive_same(a, w->overlapping, "adaptation");
    crdi_archive_same_text(a, chain->h.metric.type->name, "metric");
    chain->h.metric.type->collected(&chain->h.metric, a);
}

crd_status crdi_mcmc_check_warm(crd_context *ctx, const crdi_mcmc_saved *warm, const crd_nuts_options *options,
                                int64_t dim)
{
    const crdi_metric_type *mine = crdi_metric_find(options->metric), *theirs;
    crdi_archive archive;
    int64_t there = 0, form = 0;
    crdi_archive_read(&archive, ctx, warm->bytes, warm->size);
    crdi_archive_same(&archive, STATE_VERSION, "version of credence");
    crdi_archive_integer(&archive, &there);
    crdi_archive_integer(&archive, &form);
    CRD_TRY(archive.status);
    if (!(theirs = crdi_metric_of_form(form)))
        return crdi_raise(ctx, CRD_EDAMAGED, "the stored state has an unknown metric");
    if (there == dim && form == mine->form)
        return CRD_OK;
    return crdi_raise(
        ctx, CRD_EINVAL,
        "the run to begin with has %lld parameters and metric %s; this one has %lld and %s, and both must agree",
        (long long)there, theirs->name, (long long)dim, mine->name);
}

crd_status crdi_mcmc_learned_size(const crd_model *model, const crd_nuts_options *options, const crdi_mcmc_saved *state,
                                  size_t *out)
{
    crd_context *ctx = crd_model_context(model);
    crd_nuts_options full;
    crdi_chain chain = {0};
    crdi_archive archive;
    CRD_TRY(crdi_mcmc_complete(ctx, options, &full));
    crd_status status = crdi_chain_create(&chain, ctx, crd_model_density(model), &full, crd_key_make(0));
    crdi_archive_read(&archive, ctx, state->bytes, state->size);
    if (status == CRD_OK) {
        learned_state(&chain, &archive);
        status = archive.status;
    }
    *out = archive.at;
    crdi_chain_destroy(&chain);
    return status;
}

crd_status crdi_chain_warm(crdi_chain *chain, const crdi_mcmc_saved *from)
{
    crdi_archive archive;
    crdi_archive_read(&archive, chain->ctx, from->bytes, from->size);
    learned_state(chain, &archive);
    chain->warm = archive.status == CRD_OK;
    return archive.status;
}

void crdi_chain_state_part(crdi_chain *chain, crdi_archive *a)
{
    crdi_hamiltonian *h = &chain->h;
    int64_t searches = chain->step_searches;
    learned_state(chain, a);
    crdi_archive_same_text(a, chain->kernel->name, "method");
    crdi_archive_same(a, chain->options->warmup, "warm-up");
    crdi_archive_integer(a, &chain->iteration);
    crdi_archive_integer(a, &searches);
    crdi_archive_integer(a, &h->gradients);
    crdi_archive_integer(a, &chain->warmup_gradients);
    crdi_archive_integer(a, &chain->divergences);
    crdi_archive_reals(a, h->q, h->dim);
    crdi_archive_reals(a, h->grad, h->dim);
    crdi_archive_real(a, h->log_density);
    adaptation_state(chain, a);
    if (chain->kernel->state)
        chain->kernel->state(chain, a);
    chain->step_searches = (uint32_t)searches;
    if (a->status == CRD_OK && (chain->iteration < 0 || searches < 0))
        a->status = crdi_raise(chain->ctx, CRD_EDAMAGED, "the stored state has an impossible count");
}

void crdi_chain_state(crdi_chain *chain, crdi_archive *a)
{
    crdi_chain_state_part(chain, a);
    (void)!crdi_archive_end(a); /* its status stays there */
}

crd_status crdi_chain_check(crdi_chain *chain, int number)
{
    static const double ROUNDING = 1e-6;
    crdi_hamiltonian *h = &chain->h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    double then = *h->log_density, now;
    int64_t gradients = h->gradients;
    memcpy(chain->scratch, h->grad, bytes); /* what was stored stays: it is what the next transition begins with */
    crdi_hamiltonian_evaluate(h);
    now = *h->log_density;
    h->gradients = gradients;
    *h->log_density = then;
    memcpy(h->grad, chain->scratch, bytes);
    if (fabs(now - then) <= ROUNDING * (1 + fabs(then)) || now == then || (isnan(now) && isnan(then))) /* -inf, too */
        return CRD_OK;
    return crdi_raise(
        chain->ctx, CRD_EINVAL,
        "chain %d: the log density at its last point was %.10g and is %.10g: the model or its data are others than "
        "those of the run",
        number, then, now);
}

bool crdi_mcmc_has_energy(const char *kernel)
{
    const crdi_mcmc_kernel *found = kernel ? crdi_mcmc_kernel_find(kernel) : NULL;
    return !found || !(found->without_energy || found->rows == CRDI_ROWS_SAMPLED);
}

crdi_mcmc_cut crdi_mcmc_cuts(const char *kernel)
{
    const crdi_mcmc_kernel *found = kernel ? crdi_mcmc_kernel_find(kernel) : NULL;
    return found ? found->cuts : CRDI_CUTS_NOTHING;
}

bool crdi_mcmc_is_biased(const char *kernel)
{
    const crdi_mcmc_kernel *found = kernel ? crdi_mcmc_kernel_find(kernel) : NULL;
    return found && found->biased;
}
