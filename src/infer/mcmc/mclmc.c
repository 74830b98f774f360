/* mclmc.c - microcanonical Langevin Monte Carlo, unadjusted (Robnik & Seljak 2023, "Fluctuation without dissipation"): a
 * direction of unit length turns with the gradient and is disturbed after each step, so that it is forgotten over the
 * decoherence length L. Nothing is accepted or rejected: what the finite step does to the distribution is a bias, which is held
 * down through the variance of the energy error.
 *
 * The noise comes with each step, or, where L is many steps, with every few, with the strength for as many: what is forgotten is the
 * same, and drawing normals costs as much as a small gradient. A draw is every L / step size steps: nearer ones are much alike. Step size: so that the mean square of a step's energy error is
 * `energy_variance` times the dimension, where that mean square goes with the sixth power of the step size (the same,
 * section on tuning); steps whose error is far from it count for less. */
#include "infer/mcmc/microcanonical.h"

#include <math.h>

struct mclmc {
    crdi_microcanonical m; /* first */
    double weight, sum; /* of step sizes that would have been right: weights, and weighted inverse sixth powers */
    double counted; /* steps in them */
    double largest; /* step size that has not failed */
    bool moving; /* there is a direction */
};

/* How much of the distance between independent draws becomes L: that paper's. */
static const double SHARE = 0.4;

static crd_status create(crdi_chain *chain)
{
    CRD_TRY(crdi_microcanonical_create(chain, sizeof(struct mclmc)));
    struct mclmc *s = chain->kernel_state;
    s->largest = INFINITY;
    return CRD_OK;
}

static void forget_errors(struct mclmc *s)
{
    s->weight = s->sum = s->counted = 0;
    s->largest = INFINITY;
}

/* From the energy error of one step. */
static void tune_step(crdi_chain *chain, struct mclmc *s, double error)
{
    static const double WIDTH = 9; /* 6 times 1.5: of the logarithm of what counts fully */
    enum { LEAST = 150 }; /* steps that the average remembers at first */
    crdi_hamiltonian *h = &chain->h;
    double wanted = chain->options->energy_variance * (double)h->dim;
    double ratio = error * error / wanted + 1e-8, distance = log(ratio) / WIDTH, step = h->step_size;
    double weight = exp(-0.5 * distance * distance), memory = fmax(LEAST, 0.25 * s->counted);
    double keep = (memory - 1) / (memory + 1);
    s->weight = keep * s->weight + weight;
    s->sum = keep * s->sum + weight * ratio / pow(step, 6);
    s->counted++;
    double next = pow(s->sum / s->weight, -1.0 / 6);
    h->step_size = next < s->largest ? next : s->largest;
}

/* A step out of the domain, or to an energy beyond all reason: undone, and its direction with it. */
static void undo(crdi_chain *chain, struct mclmc *s, crd_key key, bool warming)
{
    crdi_microcanonical_go_back(&s->m);
    crdi_isokinetic_draw(&s->m.motion, key);
    if (!warming)
        return;
    s->largest = 0.8 * chain->h.step_size;
    chain->h.step_size = s->largest;
}

/* Steps from one disturbance to the next: 8 at most, and a thirty-second part of the length over which the direction is forgotten. */
static int64_t steps_between(int64_t steps)
{
    enum { OFTEN = 32, MOST = 8 };
    int64_t between = steps / OFTEN;
    return between < 1 ? 1 : between > MOST ? MOST : between;
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct mclmc *s = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    crdi_isokinetic *motion = &s->m.motion;
    bool warming = chain->iteration < chain->options->warmup;
    *out = (crdi_transition){0};
    bool cut; /* costs nothing: the direction goes on in the next draw */
    int64_t steps = crdi_microcanonical_steps(chain, chain->length, &cut);
    int64_t between = steps_between(steps), since = 0;
    double accept = 0;
    if (!s->moving)
        crdi_isokinetic_draw(motion, crd_key_fold_in(key, UINT32_MAX));
    s->moving = true;
    for (int64_t i = 0; i < steps; i++) {
        crd_key own = crd_key_fold_in(key, (uint32_t)i);
        double step = h->step_size, error;
        bool disturbed = ++since == between || i == steps - 1;
        crdi_microcanonical_keep(&s->m);
        if (disturbed) {
            double strength = crdi_isokinetic_strength(h->dim, step * (double)since, chain->length);
            error = crdi_isokinetic_step_disturbed(motion, step, strength, own);
            since = 0;
        } else {
            error = crdi_isokinetic_step(motion, step);
        }
        if (!(fabs(error) <= chain->options->max_energy_change)) {
            out->diverging = true;
            undo(chain, s, own, warming);
            since = 0;
            continue;
        }
        accept += error < 0 ? 1 : h->v->exp(-error);
        out->energy += error / (double)steps;
        if (warming)
            tune_step(chain, s, error);
    }
    out->accept_prob = accept / (double)steps;
    out->n_steps = steps * crdi_isokinetic_cost(motion);
}

static void learn(crdi_chain *chain, const crdi_transition *transition)
{
    struct mclmc *s = chain->kernel_state;
    double steps = (double)(transition->n_steps / crdi_isokinetic_cost(&s->m.motion));
    if (crdi_microcanonical_learn(&s->m, chain, steps, SHARE) == CRDI_LEARNED_METRIC)
        forget_errors(s);
}

static void state(crdi_chain *chain, crdi_archive *archive)
{
    struct mclmc *s = chain->kernel_state;
    crdi_microcanonical_state(chain, archive);
    crdi_archive_real(archive, &s->weight);
    crdi_archive_real(archive, &s->sum);
    crdi_archive_real(archive, &s->counted);
    crdi_archive_real(archive, &s->largest);
    crdi_archive_flag(archive, &s->moving);
}

const crdi_mcmc_kernel crdi_mcmc_kernel_mclmc = {.name = "mclmc",
                                                 .biased = true,
                                                 .without_energy = true,
                                                 .create = create,
                                                 .destroy = crdi_microcanonical_destroy,
                                                 .transition = transition,
                                                 .start = crdi_microcanonical_start,
                                                 .learn = learn,
                                                 .state = state};
