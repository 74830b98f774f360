/* mams.c - the Metropolis-adjusted microcanonical sampler (Robnik, Cohn-Gordon, Seljak 2025): a direction drawn uniformly, a
 * trajectory of the isokinetic motion, whose end is accepted with probability min(1, exp(-energy error)). The motion is
 * reversible and the error is that of volume and density together, so that the posterior is kept exactly.
 *
 * The number of steps is uniform on 1 to 2 L / step size - 1 (trajectory random), or L / step size (fixed). */
#include "infer/mcmc/microcanonical.h"

#include <math.h>
#include <string.h>

struct mams {
    crdi_microcanonical m; /* first */
    bool fixed;
};

/* How much of the distance between independent draws becomes the mean length of trajectories. */
static const double SHARE = 0.3;

static crd_status create(crdi_chain *chain)
{
    CRD_TRY(crdi_microcanonical_create(chain, sizeof(struct mams)));
    struct mams *s = chain->kernel_state;
    s->fixed = chain->options->trajectory && strcmp(chain->options->trajectory, "fixed") == 0;
    return CRD_OK;
}

static int64_t steps_of(const crdi_chain *chain, const struct mams *s, double uniform, bool *cut)
{
    int64_t mean = crdi_microcanonical_steps(chain, chain->length, cut);
    return s->fixed ? mean : 1 + (int64_t)(uniform * (double)(2 * mean - 1));
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct mams *s = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    double uniform[2], error = 0;
    bool cut;
    crd_random_uniform(crd_key_fold_in(key, 1), 2, uniform);
    crdi_isokinetic_draw(&s->m.motion, crd_key_fold_in(key, 0));
    crdi_microcanonical_keep(&s->m);
    *out = (crdi_transition){0};
    for (int64_t left = steps_of(chain, s, uniform[0], &cut); left > 0 && !out->diverging; left--) {
        error += crdi_isokinetic_step(&s->m.motion, h->step_size);
        out->n_steps += crdi_isokinetic_cost(&s->m.motion);
        out->diverging = !(fabs(error) <= chain->options->max_energy_change);
    }
    crdi_chain_note_cut(chain, cut, out);
    out->accept_prob = out->diverging ? 0 : error < 0 ? 1 : h->v->exp(-error);
    if (uniform[1] < out->accept_prob)
        out->energy = error;
    else
        crdi_microcanonical_go_back(&s->m);
}

static void learn(crdi_chain *chain, const crdi_transition *t)
{
    struct mams *s = chain->kernel_state;
    double steps = (double)(t->n_steps / crdi_isokinetic_cost(&s->m.motion));
    chain->h.step_size = crdi_dual_averaging_learn(&chain->averaging, t->accept_prob);
    if (crdi_microcanonical_learn(&s->m, chain, steps, SHARE) != CRDI_LEARNED_NOTHING)
        crdi_dual_averaging_restart(&chain->averaging, crdi_dual_averaging_final(&chain->averaging) / 10);
    if (chain->iteration == chain->options->warmup)
        chain->h.step_size = crdi_dual_averaging_final(&chain->averaging);
}

const crdi_mcmc_kernel crdi_mcmc_kernel_mams = {.name = "mams",
                                                .target_accept = 0.9,
                                                .without_energy = true,
                                                .cuts = CRDI_CUTS_MEAN,
                                                .create = create,
                                                .destroy = crdi_microcanonical_destroy,
                                                .transition = transition,
                                                .start = crdi_microcanonical_start,
                                                .learn = learn,
                                                .state = crdi_microcanonical_state};
