/* tempering.c - parallel tempering: replicas at temperatures from the prior to the posterior, each moved by NUTS, that swap their
 * places. The draws of the chain are those of the last replica; the first is a draw from the prior every time.
 *
 * Swaps are those of even and of odd neighbours in turn, which makes the way of a point over the temperatures a persistent one
 * (Syed, Bouchard-Cote, Deligiannidis & Doucet 2022, JRSS B 84(2), algorithm 1). In the first part of warm-up temperatures are
 * put where the rejections of swaps are evenly spread (their section 5.1). */
#include "infer/tempered/tempering.h"
#include "infer/mcmc/chain.h"

#include <math.h>
#include <string.h>

struct replica {
    crdi_chain chain;
    double log_likelihood;
};

struct tempering {
    crdi_tempering *shared;
    crdi_tempering_sums *sums;
    crd_nuts_options options; /* of the replicas */
    crdi_walker prior;
    crdi_particle first; /* replica 0 */
    struct replica *replica; /* (levels) number 0 has no chain */
    double *accept, *rejected; /* (levels - 1) of this iteration, and summed since temperatures were chosen last */
    double *scratch; /* (levels) */
    int64_t since;
};

static int64_t levels_of(const struct tempering *s)
{
    return s->shared->levels;
}

/* ---- creation ------------------------------------------------------------------------------------------------- */

static void evaluate(struct tempering *s, int64_t k)
{
    crdi_hamiltonian *h = &s->replica[k].chain.h;
    h->q[h->dim] = s->sums->beta[k];
    crdi_hamiltonian_evaluate(h);
    double likelihood = h->log_density[2 + h->dim];
    s->replica[k].log_likelihood = isnan(likelihood) ? -INFINITY : likelihood;
}

static crd_status create_replica(crdi_chain *chain, struct tempering *s, int64_t k)
{
    static const uint32_t REPLICAS = 0x40000000u; /* no iteration comes so far */
    crdi_chain *c = &s->replica[k].chain;
    CRD_TRY(crdi_chain_create(c, chain->ctx, s->shared->t.density, &s->options,
                              crd_key_fold_in(chain->key, REPLICAS + (uint32_t)k)));
    c->starter = &s->shared->t.prior;
    c->h.q[c->h.dim] = s->sums->beta[k];
    CRD_TRY(crdi_chain_start(c, chain->number));
    evaluate(s, k);
    return CRD_OK;
}

static crd_status create(crdi_chain *chain)
{
    crd_context *ctx = chain->ctx;
    struct tempering *s = crdi_alloc(ctx, sizeof *s);
    chain->kernel_state = s;
    if (!s)
        return CRD_ENOMEM;
    if (!chain->shared)
        return crdi_raise(ctx, CRD_EUNSUPPORTED, "kernel tempering needs a prior: crd_tempering_run has it");
    s->shared = chain->shared;
    s->sums = &s->shared->sums[chain->number];
    s->options = *chain->options;
    s->options.kernel = "nuts";
    s->options.start = "prior";
    int64_t levels = levels_of(s);
    s->replica = crdi_alloc_array(ctx, levels, sizeof *s->replica);
    s->accept = crdi_alloc_array(ctx, levels, sizeof(double));
    s->rejected = crdi_alloc_array(ctx, levels, sizeof(double));
    s->scratch = crdi_alloc_array(ctx, levels, sizeof(double));
    s->first.u = crdi_alloc_array(ctx, chain->h.dim, sizeof(double));
    if (!s->replica || !s->accept || !s->rejected || !s->scratch || !s->first.u)
        return CRD_ENOMEM;
    CRD_TRY(crdi_walker_create(&s->prior, &s->shared->t));
    for (int64_t k = 1; k < levels; k++)
        CRD_TRY(create_replica(chain, s, k));
    return CRD_OK;
}

static void destroy(crdi_chain *chain)
{
    struct tempering *s = chain->kernel_state;
    if (!s)
        return;
    for (int64_t k = 1; s->replica && k < levels_of(s); k++)
        crdi_chain_destroy(&s->replica[k].chain);
    crdi_walker_destroy(&s->prior);
    crdi_free(chain->ctx, s->replica);
    crdi_free(chain->ctx, s->accept);
    crdi_free(chain->ctx, s->rejected);
    crdi_free(chain->ctx, s->scratch);
    crdi_free(chain->ctx, s->first.u);
    crdi_free(chain->ctx, s);
}

/* The chain is where its last replica is. */
static void show(crdi_chain *chain, struct tempering *s)
{
    crdi_chain *last = &s->replica[levels_of(s) - 1].chain;
    crdi_hamiltonian *h = &chain->h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    memcpy(h->q, last->h.q, bytes);
    memcpy(h->grad, last->h.grad, bytes);
    *h->log_density = *last->h.log_density;
    h->step_size = last->h.step_size;
    h->gradients = s->prior.h.gradients;
    for (int64_t k = 1; k < levels_of(s); k++)
        h->gradients += s->replica[k].chain.h.gradients;
}

/* A point that was found is the last replica's; the others come from the prior. */
static void start(crdi_chain *chain)
{
    struct tempering *s = chain->kernel_state;
    crdi_hamiltonian *last = &s->replica[levels_of(s) - 1].chain.h;
    if (chain->point) {
        memcpy(last->q, chain->point, sizeof *last->q * (size_t)last->dim);
        evaluate(s, levels_of(s) - 1);
    }
    show(chain, s);
}

/* ---- temperatures --------------------------------------------------------------------------------------------- */

/* Where the sum of rejections up to a temperature is an even share of all; linear between those that there are. */
static void choose_temperatures(struct tempering *s)
{
    int64_t levels = levels_of(s), k = 0;
    double *beta = s->sums->beta, *old = s->scratch, all = 0, below = 0;
    memcpy(old, beta, sizeof *beta * (size_t)levels);
    for (int64_t i = 0; i < levels - 1; i++) {
        s->rejected[i] = s->rejected[i] / (double)s->since + 1e-3; /* none may vanish */
        all += s->rejected[i];
    }
    for (int64_t j = 1; j < levels - 1; j++) {
        double wanted = all * (double)j / (double)(levels - 1);
        while (k < levels - 2 && below + s->rejected[k] < wanted)
            below += s->rejected[k++];
        beta[j] = old[k] + (old[k + 1] - old[k]) * (wanted - below) / s->rejected[k];
    }
    memset(s->rejected, 0, sizeof *s->rejected * (size_t)levels);
    s->since = 0;
    for (int64_t j = 1; j < levels - 1; j++)
        evaluate(s, j);
}

/* Behind iterations 16, 32, 64, ... of the first 45 % of the warm-up: what comes then learns steps and metrics. */
static bool is_choice(const crdi_chain *chain, int64_t done)
{
    return done >= 16 && (done & (done - 1)) == 0 && 20 * done <= 9 * chain->options->warmup;
}

/* ---- transitions ---------------------------------------------------------------------------------------------- */

static void move(struct tempering *s, crd_key key, crdi_transition *out)
{
    int64_t levels = levels_of(s);
    crdi_walker_draw(&s->prior, key, &s->first);
    s->replica[0].log_likelihood = s->first.log_likelihood;
    for (int64_t k = 1; k < levels; k++) {
        crdi_chain_advance(&s->replica[k].chain, out); /* the last one's stays */
        evaluate(s, k);
    }
}

/* min(1, exp((beta' - beta) (L - L'))). */
static double swap_probability(const struct tempering *s, int64_t k)
{
    double low = s->replica[k].log_likelihood, high = s->replica[k + 1].log_likelihood;
    if (low == -INFINITY)
        return 0;
    double gain = (s->sums->beta[k + 1] - s->sums->beta[k]) * (low - high);
    return gain >= 0 ? 1 : exp(gain);
}

static void swap(struct tempering *s, int64_t k)
{
    crdi_hamiltonian *high = &s->replica[k + 1].chain.h;
    double *low = k > 0 ? s->replica[k].chain.h.q : s->first.u;
    for (int64_t i = 0; i < high->dim; i++) {
        double q = low[i];
        low[i] = high->q[i];
        high->q[i] = q;
    }
    if (k > 0)
        evaluate(s, k);
    evaluate(s, k + 1);
}

/* Behind the warm-up: what tells of the evidence. */
static void take_account(struct tempering *s)
{
    for (int64_t k = 0; k < levels_of(s); k++)
        s->scratch[k] = s->replica[k].log_likelihood;
    crdi_tempering_see(s->sums, levels_of(s), s->scratch, s->accept);
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct tempering *s = chain->kernel_state;
    int64_t pairs = levels_of(s) - 1;
    move(s, crd_key_fold_in(key, 0), out);
    for (int64_t k = 0; k < pairs; k++) {
        s->accept[k] = swap_probability(s, k);
        s->rejected[k] += 1 - s->accept[k];
    }
    s->since++;
    if (chain->iteration >= chain->options->warmup)
        take_account(s);
    crd_random_uniform(crd_key_fold_in(key, 1), pairs, s->scratch);
    for (int64_t k = chain->iteration % 2; k < pairs; k += 2)
        if (s->scratch[k] < s->accept[k])
            swap(s, k);
    if (is_choice(chain, chain->iteration + 1))
        choose_temperatures(s);
    show(chain, s);
}

/* Replicas learn by themselves. */
static void learn(crdi_chain *chain, const crdi_transition *t)
{
    (void)chain;
    (void)t;
}

/* Scales of latent sites are what they are given the others at any temperature: their conditionals know of no data. */
static crd_status add_blocks(crdi_chain *chain, const crdi_scale_sites *scales)
{
    struct tempering *s = chain->kernel_state;
    for (int64_t k = 1; k < levels_of(s); k++)
        CRD_TRY(crdi_chain_add_blocks(&s->replica[k].chain, scales));
    return CRD_OK;
}

static void state(crdi_chain *chain, crdi_archive *a)
{
    struct tempering *s = chain->kernel_state;
    int64_t levels = levels_of(s), pairs = levels - 1;
    crdi_archive_same(a, levels, "number of temperatures");
    crdi_archive_same(a, CRDI_TEMPERING_BATCHES, "number of batches of the evidence");
    crdi_archive_reals(a, s->sums->beta, levels);
    crdi_archive_reals(a, s->rejected, levels);
    crdi_archive_integer(a, &s->since);
    crdi_archive_integer(a, &s->sums->seen);
    crdi_archive_reals(a, s->sums->accept, pairs);
    crdi_archive_reals(a, s->sums->up, pairs * CRDI_TEMPERING_BATCHES);
    crdi_archive_reals(a, s->sums->down, pairs * CRDI_TEMPERING_BATCHES);
    crdi_archive_integer(a, &s->prior.h.gradients);
    for (int64_t k = 1; k < levels; k++) {
        crdi_hamiltonian *h = &s->replica[k].chain.h;
        crdi_chain_state_part(&s->replica[k].chain, a);
        crdi_archive_real(a, &s->replica[k].log_likelihood);
        h->q[h->dim] = s->sums->beta[k];
    }
}

const crdi_mcmc_kernel crdi_mcmc_kernel_tempering = {.name = "tempering",
                                                     .shares = true,
                                                     .create = create,
                                                     .destroy = destroy,
                                                     .transition = transition,
                                                     .start = start,
                                                     .learn = learn,
                                                     .add_blocks = add_blocks,
                                                     .state = state};
