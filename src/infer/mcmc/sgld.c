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
    crdi_stochastic s;
    double *xi; /* (dim) */
};

/* Both biases together, of the noise and of the step in the stiffest direction, are the share that was asked for. */
static double step_for(const crdi_chain *chain, double noisiness, double curvature)
{
    return 2 * sqrt(chain->options->bias / (noisiness + curvature));
}

static crd_status create(crdi_chain *chain)
{
    struct sgld *k = crdi_alloc(chain->ctx, sizeof *k);
    chain->kernel_state = k;
    if (!k)
        return CRD_ENOMEM;
    *k = (struct sgld){.s.step_for = step_for};
    k->xi = crdi_alloc_array(chain->ctx, chain->h.dim, sizeof *k->xi);
    return k->xi ? crdi_stochastic_create(&k->s, chain) : CRD_ENOMEM;
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

static void move(crdi_hamiltonian *h, const double *xi, double step)
{
    for (int64_t i = 0; i < h->dim; i++)
        h->q[i] += 0.5 * step * step * h->metric.inverse_mass[i] * h->grad[i] + step * xi[i] * h->metric.scale[i];
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct sgld *k = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    if (crdi_stochastic_climb(&k->s, chain, out))
        return;
    double ratio = 0.25 * h->step_size * h->step_size * crdi_stochastic_probe(&k->s, chain);
    *out = (crdi_transition){.accept_prob = 1, .energy = ratio, .n_steps = chain->options->batch_steps};
    for (int64_t i = 0; i < out->n_steps; i++) {
        crd_random_normal(crd_key_fold_in(key, (uint32_t)i), h->dim, k->xi);
        crdi_stochastic_keep(&k->s, chain);
        move(h, k->xi, h->step_size);
        if (crdi_stochastic_follow(&k->s, chain))
            continue;
        out->diverging = true;
        if (chain->iteration < chain->options->warmup)
            h->step_size *= 0.5;
    }
}

static void start(crdi_chain *chain)
{
    crdi_stochastic_start(&((struct sgld *)chain->kernel_state)->s, chain);
}

static void learn(crdi_chain *chain, const crdi_transition *transition)
{
    (void)transition;
    crdi_stochastic_learn(&((struct sgld *)chain->kernel_state)->s, chain);
}

static void state(crdi_chain *chain, crdi_archive *archive)
{
    crdi_stochastic_state(&((struct sgld *)chain->kernel_state)->s, chain, archive);
}

const crdi_mcmc_kernel crdi_mcmc_kernel_sgld = {.name = "sgld",
                                                .batches = true,
                                                .create = create,
                                                .destroy = destroy,
                                                .transition = transition,
                                                .start = start,
                                                .learn = learn,
                                                .state = state};
