/* sghmc.c - stochastic-gradient Hamiltonian Monte Carlo (Chen, Fox & Guestrin 2014, eq. 13): a momentum with friction,
 *
 *   dq = M^-1 p dt,   dp = g dt - C p dt + N(0, 2 (C - B) M dt),
 *
 * where g is the gradient of a batch, C the friction (in the metric's units), and B the estimate of what the noise of g adds already.
 * Nothing is accepted or rejected.
 *
 * The step is not theirs (eq. 15, of first order) but half a kick, half a drift, friction and noise, half a drift, half a kick, one
 * gradient a step ("BAOAB", Leimkuhler & Matthews 2013), which keeps the variance of a normal's q exactly for any stable
 * step; kicks of two steps that meet are of one batch. Friction exp(-C h) = c leaves room for noise of variance (1 - c^2) M: the estimate
 * takes off as much of it as the noise of batches adds to the variance of q where the curvature is 1 (infer/mcmc/noise.h). Of
 * independent batches and small steps that is h^2 v, their B = h V / 2; batches without replacement add less. */
#include "infer/mcmc/noise.h"
#include "infer/mcmc/stochastic.h"

#include <math.h>
#include <string.h>

struct sghmc {
    crdi_stochastic s; /* first */
    double *xi; /* (dim) */
    bool moving; /* there is a momentum */
    double step, added; /* what noise of variance 1 adds to the variance of q, computed for this step */
};

static double friction_left(const crdi_chain *chain)
{
    return exp(-chain->options->friction * chain->h.step_size);
}

/* The longest step whose noise is the share of what friction lets in, and that is far from unstable in the stiffest direction. */
static double step_for(const crdi_chain *chain, double noisiness, double curvature)
{
    enum { HALVINGS = 60 };
    double share = chain->options->bias, friction = chain->options->friction, low = 0,
           high = 2 * sqrt(share / curvature);
    if (high * high * noisiness <= -share * expm1(-2 * friction * high))
        return high;
    for (int i = 0; i < HALVINGS; i++) {
        double step = 0.5 * (low + high);
        *(step * step * noisiness > -share * expm1(-2 * friction * step) ? &high : &low) = step;
    }
    return low;
}

static double ratio(const crdi_chain *chain, double noisiness)
{
    double step = chain->h.step_size;
    return step * step * noisiness / -expm1(-2 * chain->options->friction * step);
}

static void destroy(crdi_chain *chain)
{
    struct sghmc *k = chain->kernel_state;
    if (!k)
        return;
    crdi_stochastic_destroy(&k->s, chain);
    crdi_free(chain->ctx, k->xi);
    crdi_free(chain->ctx, k);
}

/* Steps of a cycle change all the time, the effect of their noise little. */
static double added_by_noise(struct sghmc *k, const crdi_chain *chain)
{
    static const double ENOUGH = 0.05;
    double step = chain->h.step_size;
    if (fabs(step - k->step) <= (chain->options->cyclical ? ENOUGH * step : 0))
        return k->added;
    crdi_linear_kernel kernel = crdi_linear_sghmc(step, chain->options->friction);
    k->step = step;
    k->added = crdi_linear_noise(&kernel, k->s.an_epoch);
    return k->added;
}

static void half_kick(crdi_hamiltonian *h)
{
    h->v->axpy(h->dim, 0.5 * h->step_size, h->grad, h->p, h->p);
}

static void half_drift(crdi_hamiltonian *h)
{
    for (int64_t i = 0; i < h->dim; i++)
        h->q[i] += 0.5 * h->step_size * h->metric.inverse_mass[i] * h->p[i];
}

static void draw_momentum(crdi_hamiltonian *h, crd_key key)
{
    crd_random_normal(key, h->dim, h->p);
    h->metric.type->momentum(&h->metric, h->p);
}

static void move(crdi_chain *chain, crd_key key, double temperature)
{
    struct sghmc *k = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    double c = friction_left(chain), added = added_by_noise(k, chain);
    if (!k->moving)
        draw_momentum(h, crd_key_fold_in(key, 1));
    k->moving = true;
    half_kick(h);
    half_drift(h);
    crd_random_normal(crd_key_fold_in(key, 0), h->dim, k->xi);
    for (int64_t i = 0; i < h->dim; i++) {
        double left = temperature - k->s.noisiness[i] * added;
        h->p[i] = c * h->p[i] + sqrt((1 - c * c) * (left > 0 ? left : 0)) * h->metric.inverse_scale[i] * k->xi[i];
    }
    half_drift(h);
}

static void settle(crdi_chain *chain, bool followed)
{
    struct sghmc *k = chain->kernel_state;
    if (followed)
        half_kick(&chain->h);
    else
        k->moving = false;
}

static crd_status create(crdi_chain *chain)
{
    struct sghmc *k = crdi_alloc(chain->ctx, sizeof *k);
    chain->kernel_state = k;
    if (!k)
        return CRD_ENOMEM;
    *k = (struct sghmc){.xi = crdi_alloc_array(chain->ctx, chain->h.dim, sizeof *k->xi)};
    if (!k->xi)
        return CRD_ENOMEM;
    return crdi_stochastic_create(
        &k->s, chain, (crdi_stochastic_moves){.step_for = step_for, .ratio = ratio, .move = move, .settle = settle});
}

static void learn(crdi_chain *chain, const crdi_transition *transition)
{
    struct sghmc *k = chain->kernel_state;
    if (crdi_stochastic_learn(chain, transition))
        k->moving = false; /* its momentum was one of another metric */
}

static void state(crdi_chain *chain, crdi_archive *archive)
{
    struct sghmc *k = chain->kernel_state;
    crdi_stochastic_state(chain, archive);
    crdi_archive_reals(archive, chain->h.p, chain->h.dim);
    crdi_archive_flag(archive, &k->moving);
    crdi_archive_real(archive, &k->step);
    crdi_archive_real(archive, &k->added);
}

const crdi_mcmc_kernel crdi_mcmc_kernel_sghmc = {.name = "sghmc",
                                                 .biased = true,
                                                 .rows = CRDI_ROWS_SAMPLED,
                                                 .create = create,
                                                 .destroy = destroy,
                                                 .transition = crdi_stochastic_transition,
                                                 .start = crdi_stochastic_start,
                                                 .learn = learn,
                                                 .state = state};
