/* split_hmc.c - Hamiltonian Monte Carlo whose log density is split over batches of rows (Shahbaba, Lan, Johnson & Neal 2014,
 * on splitting the data; Cobb & Jalaian 2021): exact, in the memory of a batch.
 *
 * With the log density a sum of M parts, each of a batch and its share of the prior, a step of size h is
 *   half a kick by part 1, a drift of h / 2M, half a kick by part 2, a drift, ..., half a kick by part M, a drift,
 * and all of it back, from part M to part 1: the same read from either end, so that it is reversible, keeps volumes, and is of
 * second order. The end of a trajectory is accepted with probability min(1, exp(H0 - H)), H being that of all rows. */
#include "infer/mcmc/chain.h"
#include "infer/mcmc/split.h"

#include <math.h>
#include <string.h>

struct split_hmc {
    crdi_split split;
    double *q, *whole; /* (dim), (1 + dim) the point to go back to, its log density and gradient */
};

static crd_status create(crdi_chain *chain)
{
    struct split_hmc *s = crdi_alloc(chain->ctx, sizeof *s);
    chain->kernel_state = s;
    if (!s)
        return CRD_ENOMEM;
    s->q = crdi_alloc_array(chain->ctx, chain->h.dim, sizeof(double));
    s->whole = crdi_alloc_array(chain->ctx, 1 + chain->h.dim, sizeof(double));
    return s->q && s->whole ? crdi_split_create(&s->split, &chain->h, chain->batches) : CRD_ENOMEM;
}

static void destroy(crdi_chain *chain)
{
    struct split_hmc *s = chain->kernel_state;
    if (!s)
        return;
    crdi_split_destroy(&s->split);
    crdi_free(chain->ctx, s->q);
    crdi_free(chain->ctx, s->whole);
    crdi_free(chain->ctx, s);
}

static int64_t steps_of(const crdi_chain *chain, bool *cut)
{
    return crdi_chain_limit_steps(chain, floor(chain->options->path_length / chain->h.step_size), cut);
}

/* A step may lead to where nothing is a number: it says so by the momentum. */
static bool is_lost(const crdi_hamiltonian *h)
{
    return !isfinite(h->v->dot(h->dim, h->p, h->p));
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct split_hmc *s = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    double uniform;
    bool cut;
    crdi_hamiltonian_draw_momentum(h, crd_key_fold_in(key, 0));
    double h0 = h->energy;
    crd_random_uniform(crd_key_fold_in(key, 1), 1, &uniform);
    memcpy(s->q, h->q, bytes);
    memcpy(s->whole, h->log_density, bytes + sizeof(double)); /* the gradient stands behind it */
    *out = (crdi_transition){.energy = h0};
    crdi_split_begin(&s->split);
    for (int64_t left = steps_of(chain, &cut); left > 0 && !out->diverging; left--) {
        crdi_split_step(&s->split, h->step_size);
        out->n_steps++;
        out->diverging = is_lost(h);
    }
    crdi_split_end(&s->split);
    out->diverging = out->diverging || !(h->energy - h0 <= chain->options->max_energy_change);
    crdi_chain_note_cut(chain, cut, out);
    double gain = h0 - h->energy;
    out->accept_prob = out->diverging ? 0 : gain > 0 ? 1 : h->v->exp(gain);
    if (!out->diverging && uniform < out->accept_prob) {
        out->energy = h->energy;
        return;
    }
    memcpy(h->q, s->q, bytes);
    memcpy(h->log_density, s->whole, bytes + sizeof(double));
}

const crdi_mcmc_kernel crdi_mcmc_kernel_split_hmc = {.name = "split_hmc",
                                                     .rows = CRDI_ROWS_SPLIT,
                                                     .cuts = CRDI_CUTS_EACH,
                                                     .create = create,
                                                     .destroy = destroy,
                                                     .transition = transition};
