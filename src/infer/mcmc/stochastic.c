/* stochastic.c - see stochastic.h. */
#include "infer/mcmc/stochastic.h"
#include "infer/mcmc/metrics/scales.h"
#include "rng/threefry.h"

#include <math.h>
#include <string.h>

static int64_t climb_part(int64_t warmup)
{
    return (int64_t)(0.4 * (double)warmup);
}

static int64_t settle_part(int64_t warmup)
{
    return (int64_t)(0.7 * (double)warmup);
}

/* ---- batches ------------------------------------------------------------------------------------------------ */

/* The rows of a batch of the current epoch become the exec's. */
static void put_rows(crdi_stochastic *s, crdi_chain *chain, int64_t batch)
{
    const crdi_batches *b = s->batches;
    double *input = chain->h.q + b->dim;
    if (b->rows == b->population)
        return;
    for (int64_t k = 0; k < b->rows; k++)
        input[k] = (double)s->order[batch * b->rows + k];
}

/* The pending batch, as `taken` says it. */
static void put_pending(crdi_stochastic *s, crdi_chain *chain)
{
    const crdi_batches *b = s->batches;
    int64_t number = s->taken - 1, epoch = number / s->an_epoch;
    if (epoch != s->epoch && b->rows < b->population) {
        crd_key key = crd_key_fold_in(crdi_chain_stream_key(chain->key, CRDI_STREAM_ROWS), (uint32_t)epoch);
        crdi_permutation_raw(key, b->population, s->scratch, s->order);
    }
    s->epoch = epoch;
    put_rows(s, chain, number % s->an_epoch);
}

/* ---- gradients ---------------------------------------------------------------------------------------------- */

static void run_batch(crdi_hamiltonian *h)
{
    crd_exec_run(h->exec);
    h->gradients++;
}

/* Baker, Fearnhead, Fox & Nemeth 2019: the gradient of all rows at the centre, and of the batch only how it has changed
 * from there to here. The same for the log density. */
static void refer_to_centre(crdi_stochastic *s, crdi_hamiltonian *h)
{
    size_t bytes = sizeof(double) * (size_t)h->dim;
    double density = *h->log_density;
    memcpy(s->other, h->grad, bytes);
    for (int64_t i = 0; i < h->dim; i++) {
        double here = h->q[i];
        h->q[i] = s->centre[i];
        s->grad[i] = here;
    }
    run_batch(h);
    *h->log_density = density - *h->log_density + s->centre_whole[0];
    for (int64_t i = 0; i < h->dim; i++)
        h->grad[i] = s->other[i] - h->grad[i] + s->centre_whole[1 + i];
    memcpy(h->q, s->grad, bytes);
}

static void evaluate(void *user, crdi_hamiltonian *h)
{
    crdi_stochastic *s = user;
    run_batch(h);
    if (s->centred)
        refer_to_centre(s, h);
}

static bool is_finite(const crdi_hamiltonian *h)
{
    double sum = 0 * *h->log_density;
    for (int64_t i = 0; i < h->dim; i++)
        sum += 0 * h->grad[i];
    return sum == 0;
}

void crdi_stochastic_keep(crdi_stochastic *s, const crdi_chain *chain)
{
    memcpy(s->q, chain->h.q, sizeof(double) * (size_t)chain->h.dim);
}

bool crdi_stochastic_follow(crdi_stochastic *s, crdi_chain *chain)
{
    crdi_hamiltonian *h = &chain->h;
    s->taken++;
    put_pending(s, chain);
    crdi_hamiltonian_evaluate(h);
    if (is_finite(h))
        return true;
    memcpy(h->q, s->q, sizeof(double) * (size_t)h->dim);
    crdi_hamiltonian_evaluate(h);
    return false;
}

/* Two batches of an epoch are of one permutation: their difference has twice the variance of a batch's noise, times
 * an_epoch / (an_epoch - 1). */
double crdi_stochastic_probe(crdi_stochastic *s, crdi_chain *chain)
{
    crdi_hamiltonian *h = &chain->h;
    double k = (double)s->an_epoch, density = *h->log_density, mean = 0;
    double *pending = s->mean + h->dim * 2; /* behind Adam's */
    s->count++;
    if (s->an_epoch < 2) {
        for (int64_t i = 0; i < h->dim; i++)
            s->sizes[i] += h->grad[i] * h->grad[i];
        return 0;
    }
    memcpy(pending, h->grad, sizeof(double) * (size_t)h->dim);
    put_rows(s, chain, ((s->taken - 1) % s->an_epoch + s->an_epoch / 2) % s->an_epoch);
    run_batch(h);
    for (int64_t i = 0; i < h->dim; i++)
        s->sizes[i] += h->grad[i] * h->grad[i];
    if (s->centred)
        refer_to_centre(s, h);
    for (int64_t i = 0; i < h->dim; i++) {
        double difference = h->grad[i] - pending[i], square = 0.5 * (k - 1) / k * difference * difference;
        s->noise[i] += square;
        mean += h->metric.inverse_mass[i] * square / (double)h->dim;
    }
    put_rows(s, chain, (s->taken - 1) % s->an_epoch);
    memcpy(h->grad, pending, sizeof(double) * (size_t)h->dim);
    *h->log_density = density;
    return mean;
}

/* ---- warm-up: to a mode ------------------------------------------------------------------------------------- */

/* Kingma & Ba 2015, algorithm 1, uphill. */
static void adam(crdi_stochastic *s, crdi_hamiltonian *h, double rate)
{
    static const double BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;
    s->climbed++;
    double bias1 = 1 - pow(BETA1, (double)s->climbed), bias2 = 1 - pow(BETA2, (double)s->climbed);
    for (int64_t i = 0; i < h->dim; i++) {
        double g = h->grad[i];
        s->mean[i] = BETA1 * s->mean[i] + (1 - BETA1) * g;
        s->square[i] = BETA2 * s->square[i] + (1 - BETA2) * g * g;
        h->q[i] += rate * (s->mean[i] / bias1) / (sqrt(s->square[i] / bias2) + EPSILON);
    }
}

static void climb(crdi_stochastic *s, crdi_chain *chain, crdi_transition *out)
{
    static const double RATE = 0.02;
    const crd_nuts_options *o = chain->options;
    int64_t part = climb_part(o->warmup);
    *out = (crdi_transition){.accept_prob = 1, .n_steps = o->batch_steps};
    for (int64_t i = 0; i < o->batch_steps; i++) {
        double done = ((double)chain->iteration + (double)i / (double)o->batch_steps) / (double)part;
        crdi_stochastic_keep(s, chain);
        adam(s, &chain->h, RATE * (1 - done));
        out->diverging = !crdi_stochastic_follow(s, chain) || out->diverging;
    }
}

/* Control variates are centred where the chain is. */
static void centre(crdi_stochastic *s, crdi_chain *chain)
{
    crdi_hamiltonian *h = &chain->h;
    if (!s->centre)
        return;
    memcpy(s->centre, h->q, sizeof(double) * (size_t)h->dim);
    crdi_whole_sum(&s->whole, s->centre_whole);
    h->gradients += s->whole.parts;
    put_rows(s, chain, (s->taken - 1) % s->an_epoch);
    s->centred = true;
    crdi_hamiltonian_evaluate(h);
}

/* ---- warm-up: metric and step ------------------------------------------------------------------------------- */

static void forget(crdi_stochastic *s, const crdi_chain *chain)
{
    size_t bytes = sizeof(double) * (size_t)chain->h.dim;
    memset(s->sizes, 0, bytes);
    memset(s->noise, 0, bytes);
    s->count = 0;
}

/* What gradients look like here. */
static void measure(crdi_stochastic *s, crdi_chain *chain)
{
    enum { PROBES = 32 };
    forget(s, chain);
    for (int i = 0; i < PROBES; i++) {
        crdi_stochastic_keep(s, chain);
        (void)crdi_stochastic_follow(s, chain);
        (void)crdi_stochastic_probe(s, chain);
    }
}

static double length(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* The largest curvature in the metric's units: powers of M^-1/2 H M^-1/2 on a random direction, H applied by differences of
 * gradients of a batch, another one for each power. The largest of the last lengths; 0 if there is none that is finite. */
static double find_curvature(crdi_stochastic *s, crdi_chain *chain)
{
    enum { POWERS = 16, LAST = 4 };
    static const double STEP = 1e-3;
    crdi_hamiltonian *h = &chain->h;
    double *u = s->other, density = *h->log_density, largest = 0, *pending = s->mean + h->dim * 2;
    crd_random_normal(crd_key_fold_in(crdi_chain_stream_key(chain->key, CRDI_STREAM_CURVATURE), (uint32_t)s->tunings),
                      h->dim, u);
    crdi_stochastic_keep(s, chain);
    memcpy(pending, h->grad, sizeof(double) * (size_t)h->dim);
    for (int64_t power = 0; power < POWERS; power++) {
        double size = length(u, h->dim), next;
        put_rows(s, chain, (s->taken - 1 + power) % s->an_epoch);
        run_batch(h);
        memcpy(s->grad, h->grad, sizeof(double) * (size_t)h->dim);
        for (int64_t i = 0; i < h->dim; i++)
            h->q[i] += STEP * (u[i] / size) * h->metric.scale[i];
        run_batch(h);
        for (int64_t i = 0; i < h->dim; i++)
            u[i] = (s->grad[i] - h->grad[i]) * h->metric.scale[i] / STEP;
        memcpy(h->q, s->q, sizeof(double) * (size_t)h->dim);
        next = length(u, h->dim);
        if (!(next > 0) || !isfinite(next))
            break;
        if (power >= POWERS - LAST)
            largest = fmax(largest, next);
    }
    put_rows(s, chain, (s->taken - 1) % s->an_epoch);
    memcpy(h->grad, pending, sizeof(double) * (size_t)h->dim);
    *h->log_density = density;
    return largest;
}

static void tune(crdi_stochastic *s, crdi_chain *chain)
{
    static const double SHRINK = 5; /* as many observations of 1: Stan's of variances */
    crdi_hamiltonian *h = &chain->h;
    double n = s->count, share = (double)s->batches->rows / (double)s->batches->population, mean = 0;
    for (int64_t i = 0; i < h->dim; i++) {
        double mass = (share * s->sizes[i] + SHRINK) / (n + SHRINK);
        if (h->metric.type->renew)
            h->metric.inverse_mass[i] = mass > 0 && isfinite(mass) ? 1 / mass : 1;
    }
    crdi_scales_set(&h->metric);
    for (int64_t i = 0; i < h->dim; i++) {
        s->noisiness[i] = h->metric.inverse_mass[i] * s->noise[i] / n;
        mean += s->noisiness[i] / (double)h->dim;
    }
    s->curvature = find_curvature(s, chain);
    s->tunings++;
    if (chain->options->step_size <= 0)
        h->step_size = s->moves.step_for(chain, mean, s->curvature > 0 ? s->curvature : 1);
    s->base = h->step_size;
}

void crdi_stochastic_start(crdi_chain *chain)
{
    crdi_stochastic *s = chain->kernel_state;
    if (climb_part(chain->options->warmup) == 0)
        centre(s, chain);
    measure(s, chain);
    tune(s, chain);
    forget(s, chain);
}

bool crdi_stochastic_learn(crdi_chain *chain, const crdi_transition *transition)
{
    crdi_stochastic *s = chain->kernel_state;
    int64_t warmup = chain->options->warmup, climbed = climb_part(warmup), settled = settle_part(warmup);
    bool first = chain->iteration == climbed, last = chain->iteration == settled && settled > climbed;
    (void)transition;
    if (first) {
        centre(s, chain);
        measure(s, chain);
    }
    if (!first && !last)
        return false;
    tune(s, chain);
    forget(s, chain);
    return true;
}

/* ---- transitions -------------------------------------------------------------------------------------------- */

/* Exploration is so many times as long as what makes draws: 0.8 of a cycle. */
enum { EXPLORING = 4 };
static const double EXPLORED = 0.8, PI = 3.14159265358979323846;

double crdi_stochastic_place(const crdi_stochastic *s, const crdi_chain *chain, int64_t i)
{
    int64_t steps = chain->options->batch_steps, sampling = s->cycle * steps,
            number = (chain->iteration - chain->options->warmup) % s->cycle;
    int64_t step = number == 0 ? i : (EXPLORING * s->cycle + number) * steps + i;
    return (double)step / (double)((EXPLORING + 1) * sampling);
}

/* Steps of a transition. */
static int64_t steps_of(const crdi_stochastic *s, const crdi_chain *chain)
{
    int64_t steps = chain->options->batch_steps;
    bool explores = s->cycle > 0 && chain->iteration >= chain->options->warmup &&
                    (chain->iteration - chain->options->warmup) % s->cycle == 0;
    return explores ? steps * (1 + EXPLORING * s->cycle) : steps;
}

/* Step size and temperature of a step: in a cycle the squared step is 1 + cos(pi r), 1 times the tuned one at r = 0.8. The first
 * steps are short of what is unstable: h^2 / 2 times the largest curvature is at most 1. */
static double schedule(crdi_stochastic *s, crdi_chain *chain, int64_t i)
{
    double place, longest = s->curvature > 0 ? sqrt(2 / s->curvature) : INFINITY, step;
    if (s->cycle == 0 || chain->iteration < chain->options->warmup)
        return 1;
    place = crdi_stochastic_place(s, chain, i);
    step = s->base * sqrt((1 + cos(PI * place)) / (1 + cos(PI * EXPLORED)));
    chain->h.step_size = step > longest && step > s->base ? fmax(longest, s->base) : step;
    if (place >= EXPLORED)
        return 1;
    return 1 + 0.5 * (chain->options->cycle_heat - 1) * (1 + cos(PI * place / EXPLORED));
}

void crdi_stochastic_transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    crdi_stochastic *s = chain->kernel_state;
    if (chain->iteration < climb_part(chain->options->warmup)) {
        climb(s, chain, out);
        return;
    }
    *out = (crdi_transition){.accept_prob = 1, .n_steps = steps_of(s, chain)};
    for (int64_t i = 0; i < out->n_steps; i++) {
        double temperature = schedule(s, chain, i);
        crdi_stochastic_keep(s, chain);
        s->moves.move(chain, crd_key_fold_in(key, (uint32_t)i), temperature);
        bool followed = crdi_stochastic_follow(s, chain);
        if (s->moves.settle)
            s->moves.settle(chain, followed);
        out->diverging = !followed || out->diverging;
        if (!followed && chain->iteration < chain->options->warmup && chain->options->step_size <= 0)
            chain->h.step_size = s->base *= 0.5;
    }
    out->energy = s->moves.ratio(chain, crdi_stochastic_probe(s, chain));
}

/* ---- life --------------------------------------------------------------------------------------------------- */

static crd_status check(const crdi_chain *chain)
{
    const char *metric = chain->h.metric.type->name;
    if (strcmp(metric, "diagonal") != 0 && strcmp(metric, "unit") != 0)
        return crdi_raise(chain->ctx, CRD_EUNSUPPORTED, "method %s: metric %s; diagonal and unit go with batches",
                          chain->kernel->name, chain->options->metric);
    return CRD_OK;
}

static crd_status make_centre(crdi_stochastic *s, crdi_chain *chain)
{
    int64_t dim = chain->h.dim;
    s->centre = crdi_alloc_array(chain->ctx, dim, sizeof *s->centre);
    s->centre_whole = crdi_alloc_array(chain->ctx, 1 + dim, sizeof *s->centre_whole);
    if (!s->centre || !s->centre_whole)
        return CRD_ENOMEM;
    return crdi_whole_create(&s->whole, s->batches, chain->h.exec);
}

crd_status crdi_stochastic_create(crdi_stochastic *s, crdi_chain *chain, crdi_stochastic_moves moves)
{
    const crdi_batches *b = chain->batches;
    int64_t dim = chain->h.dim;
    double **array[] = {&s->sizes, &s->noise, &s->noisiness, &s->q, &s->grad, &s->other};
    CRD_TRY(check(chain));
    s->moves = moves;
    s->batches = b;
    if (chain->options->cyclical > 0) {
        int64_t all = chain->options->draws * chain->options->thin, cycles = chain->options->cyclical;
        s->cycle = (all + cycles - 1) / cycles;
    }
    s->an_epoch = b->population / b->rows;
    s->epoch = -1;
    s->taken = 1;
    for (int i = 0; i < CRDI_COUNT(array); i++)
        if (!(*array[i] = crdi_alloc_array(chain->ctx, dim, sizeof(double))))
            return CRD_ENOMEM;
    s->mean = crdi_alloc_array(chain->ctx, 3 * dim, sizeof(double));
    s->square = s->mean ? s->mean + dim : NULL;
    if (b->rows < b->population) {
        s->order = crdi_alloc_array(chain->ctx, b->population, sizeof *s->order);
        s->scratch = crdi_alloc_array(chain->ctx, b->population, sizeof *s->scratch);
        if (!s->order || !s->scratch)
            return CRD_ENOMEM;
    }
    if (!s->mean)
        return CRD_ENOMEM;
    forget(s, chain);
    put_pending(s, chain);
    chain->h.run = evaluate;
    chain->h.run_user = s;
    return chain->options->control_variates ? make_centre(s, chain) : CRD_OK;
}

void crdi_stochastic_destroy(crdi_stochastic *s, crdi_chain *chain)
{
    void *memory[] = {s->sizes, s->noise, s->noisiness, s->q,      s->grad,        s->other,
                      s->mean,  s->order, s->scratch,   s->centre, s->centre_whole};
    for (int i = 0; i < CRDI_COUNT(memory); i++)
        crdi_free(chain->ctx, memory[i]);
    crdi_whole_destroy(&s->whole);
}

void crdi_stochastic_state(crdi_chain *chain, crdi_archive *archive)
{
    crdi_stochastic *s = chain->kernel_state;
    int64_t dim = chain->h.dim;
    crdi_archive_same(archive, s->batches->rows, "batch");
    crdi_archive_same(archive, s->batches->population, "number of rows");
    crdi_archive_same(archive, s->centre != NULL, "option control_variates");
    crdi_archive_integer(archive, &s->taken);
    crdi_archive_integer(archive, &s->climbed);
    crdi_archive_integer(archive, &s->tunings);
    crdi_archive_integer(archive, &s->cycle); /* a run that makes more draws goes on with cycles of that length */
    crdi_archive_real(archive, &s->base);
    crdi_archive_real(archive, &s->count);
    crdi_archive_real(archive, &s->curvature);
    crdi_archive_reals(archive, s->sizes, dim);
    crdi_archive_reals(archive, s->noise, dim);
    crdi_archive_reals(archive, s->noisiness, dim);
    crdi_archive_reals(archive, s->mean, 2 * dim);
    if (s->centre) {
        crdi_archive_flag(archive, &s->centred);
        crdi_archive_reals(archive, s->centre, dim);
        crdi_archive_reals(archive, s->centre_whole, 1 + dim);
    }
    if (!archive->loading || archive->status < 0)
        return;
    if (s->taken < 1 || s->cycle < 0 || (s->cycle > 0) != (chain->options->cyclical > 0))
        archive->status = crdi_raise(chain->ctx, CRD_EDAMAGED, "the stored state has an impossible count of batches");
    else
        put_pending(s, chain);
}
