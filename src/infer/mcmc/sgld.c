/* sgld.c - stochastic-gradient Langevin dynamics (Welling & Teh 2011, eq. 4) with a constant diagonal metric and a constant step,
 *
 *   q' = q + (h^2 / 2) M^-1 g + h M^-1/2 xi,   xi standard normal,
 *
 * where g is the gradient of a batch and h the step size, so that a step is one leapfrog step whose momentum is drawn anew. Nothing
 * is accepted or rejected. Of a normal whose precision is M the draws' variance is 1 + r over 1 - h^2 / 4 times the right one, where
 * r = h^2 v / 4 is the variance of the gradient's noise over that of the noise injected: infer/mcmc/noise.h. */
#include "infer/mcmc/noise.h"
#include "infer/mcmc/stochastic.h"

#include <math.h>

struct sgld {
    crdi_stochastic s; /* first */
    double *xi; /* (dim) */
};

/* Both biases together, of the noise and of the step in the stiffest direction, are the share that was asked for. */
static double step_for(const crdi_chain *chain, double noisiness, double curvature)
{
    return 2 * sqrt(chain->options->bias / (noisiness + curvature));
}

static double ratio(const crdi_chain *chain, double noisiness)
{
    return 0.25 * chain->h.step_size * chain->h.step_size * noisiness;
}

static void move(crdi_chain *chain, crd_key key, double temperature)
{
    struct sgld *k = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    double step = h->step_size, injected = step * sqrt(temperature);
    crd_random_normal(key, h->dim, k->xi);
    for (int64_t i = 0; i < h->dim; i++)
        h->q[i] +=
            0.5 * step * step * h->metric.inverse_mass[i] * h->grad[i] + injected * k->xi[i] * h->metric.scale[i];
}

static crd_status create(crdi_chain *chain)
{
    struct sgld *k = crdi_alloc(chain->ctx, sizeof *k);
    chain->kernel_state = k;
    if (!k)
        return CRD_ENOMEM;
    *k = (struct sgld){.xi = crdi_alloc_array(chain->ctx, chain->h.dim, sizeof *k->xi)};
    if (!k->xi)
        return CRD_ENOMEM;
    return crdi_stochastic_create(&k->s, chain,
                                  (crdi_stochastic_moves){.step_for = step_for, .ratio = ratio, .move = move});
}

static void destroy(crdi_chain *chain)
{
    struct sgld *k = chain->kernel_state;
    if (!k)
        return;
    crdi_stochastic_destroy(&k->s, chain);
    crdi_free(chain->ctx, k->xi);
    crdi_free(chain->ctx, k);
}

static void learn(crdi_chain *chain, const crdi_transition *transition)
{
    (void)crdi_stochastic_learn(chain, transition);
}

const crdi_mcmc_kernel crdi_mcmc_kernel_sgld = {.name = "sgld",
                                                .rows = CRDI_ROWS_SAMPLED,
                                                .biased = true,
                                                .create = create,
                                                .destroy = destroy,
                                                .transition = crdi_stochastic_transition,
                                                .start = crdi_stochastic_start,
                                                .learn = learn,
                                                .state = crdi_stochastic_state};
