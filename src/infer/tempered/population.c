/* population.c - see population.h. */
#include "infer/tempered/population.h"

#include <math.h>
#include <string.h>
#include <time.h>

crd_status crdi_population_create(crdi_population *p, crdi_tempered *t, int64_t count, int64_t lanes)
{
    crd_context *ctx = t->ctx;
    *p = (crdi_population){.t = t, .count = count, .dim = t->dim, .lanes = (int)(lanes < count ? lanes : count)};
    p->u = crdi_alloc_array(ctx, count, sizeof(double) * (size_t)t->dim);
    p->spare = crdi_alloc_array(ctx, count, sizeof(double) * (size_t)t->dim);
    p->log_prior = crdi_alloc_array(ctx, count, sizeof(double));
    p->log_likelihood = crdi_alloc_array(ctx, count, sizeof(double));
    p->log_weight = crdi_alloc_array(ctx, count, sizeof(double));
    p->accept = crdi_alloc_array(ctx, count, sizeof(double));
    p->scratch = crdi_alloc_array(ctx, 2 * count, sizeof(double));
    p->done = crdi_alloc_array(ctx, count, sizeof *p->done);
    p->walker = crdi_alloc_array(ctx, p->lanes, sizeof *p->walker);
    if (!p->u || !p->spare || !p->log_prior || !p->log_likelihood || !p->log_weight || !p->accept || !p->scratch ||
        !p->done || !p->walker)
        return CRD_ENOMEM;
    for (int k = 0; k < p->lanes; k++)
        CRD_TRY(crdi_walker_create(&p->walker[k], t));
    return CRD_OK;
}

void crdi_population_destroy(crdi_population *p)
{
    if (!p->t)
        return;
    crd_context *ctx = p->t->ctx;
    for (int k = 0; p->walker && k < p->lanes; k++)
        crdi_walker_destroy(&p->walker[k]);
    crdi_free(ctx, p->u);
    crdi_free(ctx, p->spare);
    crdi_free(ctx, p->log_prior);
    crdi_free(ctx, p->log_likelihood);
    crdi_free(ctx, p->log_weight);
    crdi_free(ctx, p->accept);
    crdi_free(ctx, p->scratch);
    crdi_free(ctx, p->done);
    crdi_free(ctx, p->walker);
    atomic_fetch_add(&p->t->gradients, p->gradients);
    atomic_fetch_add(&p->t->nanoseconds, (long long)(1e9 * p->seconds));
    *p = (crdi_population){0};
}

static crdi_particle particle_of(const crdi_population *p, int64_t i)
{
    return (crdi_particle){p->u + i * p->dim, p->log_prior[i], p->log_likelihood[i]};
}

static void set_parts(crdi_population *p, int64_t i, const crdi_particle *particle)
{
    p->log_prior[i] = particle->log_prior;
    p->log_likelihood[i] = particle->log_likelihood;
}

/* What one thread after the other does with its particles: lane k has k, k + lanes, ... */
struct work {
    crdi_population *p;
    const crdi_move *move; /* NULL: they are drawn */
    crd_key key;
    int64_t first, count;
    double until; /* seconds; then what has been done is kept */
};

static void do_particles(const struct work *work, int64_t lane)
{
    crdi_population *p = work->p;
    for (int64_t i = lane; i < p->count; i += p->lanes) {
        crdi_particle particle = particle_of(p, i);
        crd_key key = crd_key_fold_in(work->key, (uint32_t)i);
        if (p->done[i])
            continue;
        if (crdi_tempered_stopped(p->t))
            return;
        if (work->move)
            p->accept[i] = crdi_walker_move(&p->walker[lane], work->move, key, work->first, work->count, &particle);
        else
            crdi_walker_draw(&p->walker[lane], key, &particle);
        set_parts(p, i, &particle);
        p->done[i] = true;
        if (crdi_seconds() >= work->until)
            return;
    }
}

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static crd_status do_lane(void *user, int64_t lane)
{
    const struct work *work = user;
    double begun = thread_seconds();
    do_particles(work, lane);
    work->p->walker[lane].seconds += thread_seconds() - begun;
    return CRD_OK;
}

static bool all_done(const crdi_population *p)
{
    for (int64_t i = 0; i < p->count; i++)
        if (!p->done[i])
            return false;
    return true;
}

/* Particles of a large network are many bytes, and the sink waits for the disk. */
static crd_status keep_now(crdi_population *p)
{
    static const double SHARE = 20;
    double begun = crdi_seconds();
    CRD_TRY(p->keep(p->keep_user));
    double now = crdi_seconds();
    p->due = now + fmax(p->pause, SHARE * (now - begun));
    return CRD_OK;
}

/* Each round is one that ends when all are done, when it is time to keep them, or when all is stopped: a particle that has begun is
 * finished, and which of them are done is a part of what is kept. */
static crd_status do_all(struct work *work)
{
    crdi_population *p = work->p;
    bool stopped = false;
    while (!stopped && !all_done(p)) {
        work->until = p->keep ? p->due : INFINITY;
        CRD_TRY(crdi_parallel(p->t->ctx, p->lanes, p->lanes, do_lane, work));
        stopped = atomic_load(&p->t->stopped);
        if (p->keep && (stopped || crdi_seconds() >= work->until))
            CRD_TRY(keep_now(p));
    }
    if (stopped)
        return CRD_INTERRUPTED;
    memset(p->done, 0, sizeof *p->done * (size_t)p->count);
    return CRD_OK;
}

crd_status crdi_population_draw(crdi_population *p, crd_key key)
{
    crd_status status = do_all(&(struct work){.p = p, .key = key});
    if (status != CRD_OK)
        return status;
    int64_t finite = 0;
    for (int64_t i = 0; i < p->count; i++) {
        p->log_weight[i] = -log((double)p->count);
        finite += p->log_likelihood[i] > -INFINITY && p->log_prior[i] > -INFINITY;
    }
    p->beta = p->log_evidence = 0;
    if (finite == 0)
        return crdi_raise(p->t->ctx, CRD_ESTART,
                          "none of %lld draws from the prior has a finite likelihood; a look at the priors and the "
                          "data's scale may help",
                          (long long)p->count);
    return CRD_OK;
}

crd_status crdi_population_move(crdi_population *p, const crdi_move *move, crd_key key, int64_t first, int64_t count)
{
    return do_all(&(struct work){.p = p, .move = move, .key = key, .first = first, .count = count});
}

double crdi_population_accept(const crdi_population *p)
{
    double sum = 0;
    for (int64_t i = 0; i < p->count; i++)
        sum += p->accept[i];
    return sum / (double)p->count;
}

/* ---- weights ------------------------------------------------------------------------------------------------ */

/* (sum w v)^2 / (sum w sum w v^2) with v = L^step, over particles that have a likelihood at all. */
static double conditional_share(const crdi_population *p, double step, double most)
{
    double sum = 0, first = 0, second = 0;
    for (int64_t i = 0; i < p->count; i++) {
        if (p->log_weight[i] == -INFINITY || p->log_likelihood[i] == -INFINITY)
            continue;
        double weight = exp(p->log_weight[i]), ratio = exp(step * (p->log_likelihood[i] - most));
        sum += weight;
        first += weight * ratio;
        second += weight * ratio * ratio;
    }
    return first * first / (sum * second);
}

double crdi_population_next(const crdi_population *p, double cess)
{
    enum { MOST = 200 };
    double low = 0, high = 1 - p->beta, most = -INFINITY;
    for (int64_t i = 0; i < p->count; i++)
        if (p->log_weight[i] > -INFINITY)
            most = fmax(most, p->log_likelihood[i]);
    if (conditional_share(p, high, most) >= cess)
        return 1;
    for (int k = 0; k < MOST && high - low > 1e-4 * high; k++) {
        double middle = 0.5 * (low + high);
        if (conditional_share(p, middle, most) >= cess)
            low = middle;
        else
            high = middle;
    }
    return p->beta + high;
}

void crdi_population_reweight(crdi_population *p, double beta)
{
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < p->count; i++) {
        if (p->log_prior[i] == -INFINITY || p->log_likelihood[i] == -INFINITY)
            p->log_weight[i] = -INFINITY;
        else
            p->log_weight[i] += (beta - p->beta) * p->log_likelihood[i];
        most = fmax(most, p->log_weight[i]);
    }
    for (int64_t i = 0; i < p->count; i++)
        sum += exp(p->log_weight[i] - most);
    double total = most + log(sum);
    for (int64_t i = 0; i < p->count; i++)
        p->log_weight[i] -= total;
    p->log_evidence += total;
    p->beta = beta;
}

double crdi_population_effective(const crdi_population *p)
{
    double squares = 0;
    for (int64_t i = 0; i < p->count; i++)
        squares += exp(2 * p->log_weight[i]);
    return 1 / ((double)p->count * squares);
}

double crdi_population_likelihood(const crdi_population *p)
{
    double sum = 0;
    for (int64_t i = 0; i < p->count; i++)
        sum += p->log_weight[i] > -INFINITY ? exp(p->log_weight[i]) * p->log_likelihood[i] : 0;
    return sum;
}

void crdi_population_resample(crdi_population *p, crd_key key)
{
    double uniform, *prior = p->scratch, *likelihood = p->scratch + p->count;
    double sum = exp(p->log_weight[0]);
    int64_t from = 0;
    crd_random_uniform(key, 1, &uniform);
    memcpy(prior, p->log_prior, sizeof *prior * (size_t)p->count);
    memcpy(likelihood, p->log_likelihood, sizeof *likelihood * (size_t)p->count);
    for (int64_t i = 0; i < p->count; i++) {
        double at = ((double)i + uniform) / (double)p->count;
        while (sum <= at && from < p->count - 1)
            sum += exp(p->log_weight[++from]);
        memcpy(p->spare + i * p->dim, p->u + from * p->dim, sizeof(double) * (size_t)p->dim);
        p->log_prior[i] = prior[from];
        p->log_likelihood[i] = likelihood[from];
    }
    double *u = p->u;
    p->u = p->spare;
    p->spare = u;
    for (int64_t i = 0; i < p->count; i++)
        p->log_weight[i] = -log((double)p->count);
}

void crdi_population_variances(const crdi_population *p, double *out)
{
    double squares = 1 / ((double)p->count * crdi_population_effective(p)), n = 1 / squares;
    for (int64_t d = 0; d < p->dim; d++) {
        double mean = 0, sum = 0;
        for (int64_t i = 0; i < p->count; i++)
            mean += exp(p->log_weight[i]) * p->u[i * p->dim + d];
        for (int64_t i = 0; i < p->count; i++) {
            double off = p->u[i * p->dim + d] - mean;
            sum += exp(p->log_weight[i]) * off * off;
        }
        double variance = squares < 1 ? sum / (1 - squares) : 0;
        out[d] = n / (n + 5) * variance + 1e-3 * 5 / (n + 5);
        if (!isfinite(out[d]))
            out[d] = 1;
    }
}

/* ---- state -------------------------------------------------------------------------------------------------- */

int64_t crdi_population_gradients(const crdi_population *p)
{
    int64_t sum = p->gradients;
    for (int k = 0; k < p->lanes; k++)
        sum += p->walker[k].h.gradients;
    return sum;
}

double crdi_population_seconds(const crdi_population *p)
{
    double sum = p->seconds;
    for (int k = 0; k < p->lanes; k++)
        sum += p->walker[k].seconds;
    return sum;
}

void crdi_population_keep(crdi_population *p, const crdi_lane *lane, crd_status (*keep)(void *user), void *user)
{
    static const double PAUSE = 0.5;
    if (!crdi_lane_is_kept(lane))
        return;
    p->keep = keep;
    p->keep_user = user;
    p->pause = lane->t->sink->pause > 0 ? lane->t->sink->pause : PAUSE;
    p->due = crdi_seconds() + p->pause;
}

void crdi_population_cost_state(crdi_population *p, crdi_archive *a)
{
    int64_t gradients = crdi_population_gradients(p);
    double seconds = crdi_population_seconds(p);
    crdi_archive_integer(a, &gradients);
    crdi_archive_real(a, &seconds);
    if (!a->loading)
        return;
    p->gradients = gradients;
    p->seconds = seconds;
}

void crdi_population_state(crdi_population *p, crdi_archive *a)
{
    crdi_archive_same(a, p->count, "number of particles");
    crdi_archive_same(a, p->dim, "number of parameters");
    crdi_archive_reals(a, p->u, p->count * p->dim);
    crdi_archive_reals(a, p->log_prior, p->count);
    crdi_archive_reals(a, p->log_likelihood, p->count);
    crdi_archive_reals(a, p->log_weight, p->count);
    crdi_archive_reals(a, p->accept, p->count);
    for (int64_t i = 0; i < p->count; i++)
        crdi_archive_flag(a, &p->done[i]);
    crdi_archive_real(a, &p->beta);
    crdi_archive_real(a, &p->log_evidence);
    crdi_population_cost_state(p, a);
}
