/* hmc.c - static Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011): a trajectory of path_length / step size
 * leapfrog steps, whose end is accepted with probability min(1, exp(H0 - H)). */
#include "infer/mcmc/chain.h"

#include <math.h>
#include <string.h>

struct hmc {
    double *q, *grad; /* (dim) the point to go back to */
};

static crd_status create(crdi_chain *chain)
{
    struct hmc *s = crdi_alloc(chain->ctx, sizeof *s);
    chain->kernel_state = s;
    if (!s)
        return CRD_ENOMEM;
    s->q = crdi_alloc_array(chain->ctx, chain->h.dim, sizeof(double));
    s->grad = crdi_alloc_array(chain->ctx, chain->h.dim, sizeof(double));
    return s->q && s->grad ? CRD_OK : CRD_ENOMEM;
}

static void destroy(crdi_chain *chain)
{
    struct hmc *s = chain->kernel_state;
    if (!s)
        return;
    crdi_free(chain->ctx, s->q);
    crdi_free(chain->ctx, s->grad);
    crdi_free(chain->ctx, s);
}

static int64_t steps_of(const crdi_chain *chain)
{
    double steps = floor(chain->options->path_length / chain->h.step_size),
           most = ldexp(1, (int)chain->options->max_depth) - 1;
    return steps < 1 ? 1 : steps > most ? (int64_t)most : (int64_t)steps;
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct hmc *s = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    crdi_hamiltonian_draw_momentum(h, crd_key_fold_in(key, 0));
    double h0 = h->energy, log_density = *h->log_density, uniform;
    crd_random_uniform(crd_key_fold_in(key, 1), 1, &uniform);
    memcpy(s->q, h->q, bytes);
    memcpy(s->grad, h->grad, bytes);
    *out = (crdi_transition){.energy = h0};
    for (int64_t left = steps_of(chain); left > 0 && !out->diverging; left--) {
        crdi_hamiltonian_step(h, h->step_size, h->sharp);
        out->n_steps++;
        out->diverging = h->energy - h0 > chain->options->max_energy_change;
    }
    double gain = h0 - h->energy;
    out->accept_prob = gain > 0 ? 1 : h->v->exp(gain);
    if (!out->diverging && uniform < out->accept_prob) {
        out->energy = h->energy;
        return;
    }
    memcpy(h->q, s->q, bytes);
    memcpy(h->grad, s->grad, bytes);
    *h->log_density = log_density;
}

const crdi_mcmc_kernel crdi_mcmc_kernel_hmc = {
    .name = "hmc", .create = create, .destroy = destroy, .transition = transition};
