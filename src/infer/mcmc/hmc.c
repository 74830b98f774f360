/* hmc.c - static Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011): a trajectory of path_length / step size leapfrog steps, whose
 * end is accepted with probability min(1, exp(H0 - H)). With Neal's three options:
 *
 * Windows (Neal 1994; 2011, section 5.5.4). A trajectory of states 0 .. L has W states at either end as windows. The state where the
 * chain is becomes number s, uniform on 0 .. W - 1: s steps are made backward. The window at the far end is taken with probability
 * min(1, its sum of exp(-H) / that of the near one), and of the window that is taken a state by its exp(-H).
 *
 * Persistence (Horowitz 1991; Neal 2011, section 5.5.3). p = a p + sqrt(1 - a^2) n, n ~ Normal(0, M), in place of a new momentum; where
 * the trajectory is refused, p turns around.
 *
 * Tempering (Neal 2011, section 5.5.7). p is multiplied by r before and after each leapfrog step of the first half, and divided by it
 * in the second: the trajectory heats up and can leave a mode. A state's weight is then exp(-H) times the factor by which volume has
 * grown up to there, r^dim for each factor r of p. r^L is what the user gives, so that the heat does not depend on the step size.
 *
 * All of a trajectory can be retraced from any state of its windows with p turned around, so that the three keep exp(-H) together. */
#include "infer/mcmc/chain.h"
#include "rng/stream.h"

#include <math.h>
#include <string.h>

/* A state of the trajectory. */
struct state {
    double *q, *grad, *p; /* (dim) */
    double log_density, energy;
};

/* A window, of which a state is drawn as they come. */
struct window {
    struct state taken;
    double log_weight; /* of the sum so far; -inf at first */
};

struct hmc {
    double *memory;
    struct state start;
    struct window near, far;
    double *momentum; /* (dim) that persists */
    bool moving; /* there is one */
    int64_t steps, width; /* of the trajectory at hand; of its windows */
    double sum_accept; /* over states but the start: min(1, weight) */
    double h0, log_volume; /* H of the start; log c less that of the start */
    crdi_stream stream;
};

/* ---- memory -------------------------------------------------------------------------------------------------- */

static void take_state(struct state *state, double **next, int64_t dim)
{
    state->q = *next;
    state->grad = *next + dim;
    state->p = *next + 2 * dim;
    *next += 3 * dim;
}

static crd_status create(crdi_chain *chain)
{
    struct hmc *s = crdi_alloc(chain->ctx, sizeof *s);
    int64_t dim = chain->h.dim;
    chain->kernel_state = s;
    if (!s)
        return CRD_ENOMEM;
    s->memory = crdi_alloc_array(chain->ctx, 10 * dim, sizeof(double));
    if (!s->memory)
        return CRD_ENOMEM;
    double *next = s->memory;
    take_state(&s->start, &next, dim);
    take_state(&s->near.taken, &next, dim);
    take_state(&s->far.taken, &next, dim);
    s->momentum = next;
    return CRD_OK;
}

static void destroy(crdi_chain *chain)
{
    struct hmc *s = chain->kernel_state;
    if (!s)
        return;
    crdi_free(chain->ctx, s->memory);
    crdi_free(chain->ctx, s);
}

static void keep(const crdi_hamiltonian *h, struct state *state)
{
    size_t bytes = sizeof(double) * (size_t)h->dim;
    memcpy(state->q, h->q, bytes);
    memcpy(state->grad, h->grad, bytes);
    memcpy(state->p, h->p, bytes);
    state->log_density = *h->log_density;
    state->energy = h->energy;
}

static void go_to(crdi_hamiltonian *h, const struct state *state)
{
    size_t bytes = sizeof(double) * (size_t)h->dim;
    memcpy(h->q, state->q, bytes);
    memcpy(h->grad, state->grad, bytes);
    memcpy(h->p, state->p, bytes);
    *h->log_density = state->log_density;
    h->energy = state->energy;
}

/* ---- the trajectory ------------------------------------------------------------------------------------------ */

static int64_t steps_of(const crdi_chain *chain, bool *cut)
{
    return crdi_chain_limit_steps(chain, floor(chain->options->path_length / chain->h.step_size), cut);
}

static void draw_momentum(crdi_chain *chain, struct hmc *s, crd_key key)
{
    crdi_hamiltonian *h = &chain->h;
    double a = chain->options->persistence, b = sqrt(1 - a * a);
    crdi_hamiltonian_draw_momentum(h, key);
    if (!(a > 0) || !s->moving)
        return;
    for (int64_t i = 0; i < h->dim; i++)
        h->p[i] = a * s->momentum[i] + b * h->p[i];
    crdi_hamiltonian_set_energy(h);
}

/* Multiplies p by r, or divides it, at half step number `half` of the 2 L: as the trajectory goes forward, and back. */
static void heat(crdi_chain *chain, struct hmc *s, int64_t half, bool forward)
{
    double root = pow(chain->options->temper, 1 / (double)s->steps);
    bool up = (half < s->steps) == forward;
    if (!(root > 1))
        return;
    for (int64_t i = 0; i < chain->h.dim; i++)
        chain->h.p[i] *= up ? root : 1 / root;
    s->log_volume += (up ? 1 : -1) * log(root) * (double)chain->h.dim;
}

/* From state `from` to the next, or the one before. False if it diverges. */
static bool step(crdi_chain *chain, struct hmc *s, int64_t from, bool forward, crdi_transition *out)
{
    crdi_hamiltonian *h = &chain->h;
    int64_t number = forward ? from : from - 1; /* of the step */
    heat(chain, s, forward ? 2 * number : 2 * number + 1, forward);
    crdi_hamiltonian_step(h, forward ? h->step_size : -h->step_size, h->sharp);
    heat(chain, s, forward ? 2 * number + 1 : 2 * number, forward);
    if (chain->options->temper > 1)
        crdi_hamiltonian_set_energy(h);
    out->n_steps++;
    double gain = s->h0 - h->energy + s->log_volume;
    s->sum_accept += gain > 0 ? 1 : h->v->exp(gain);
    out->diverging = h->energy - s->log_volume - s->h0 > chain->options->max_energy_change;
    return !out->diverging;
}

/* One more state of a window. */
static void see(const crdi_chain *chain, struct hmc *s, struct window *window)
{
    const crdi_hamiltonian *h = &chain->h;
    double weight = s->h0 - h->energy + s->log_volume;
    bool first = window->log_weight == -INFINITY;
    window->log_weight = first ? weight : h->v->log_add_exp(window->log_weight, weight);
    if (first || crdi_stream_uniform(&s->stream) < h->v->exp(weight - window->log_weight))
        keep(h, &window->taken);
}

/* State number i, in its windows. */
static void see_state(const crdi_chain *chain, struct hmc *s, int64_t i)
{
    if (i < s->width)
        see(chain, s, &s->near);
    if (i > s->steps - s->width)
        see(chain, s, &s->far);
}

/* All states, from number `place` on: back to 0, then on to L. False if it diverges. */
static bool run(crdi_chain *chain, struct hmc *s, int64_t place, crdi_transition *out)
{
    see_state(chain, s, place);
    for (int64_t i = place; i > 0; i--) {
        if (!step(chain, s, i, false, out))
            return false;
        see_state(chain, s, i - 1);
    }
    if (place > 0)
        go_to(&chain->h, &s->start);
    s->log_volume = 0;
    for (int64_t i = place; i < s->steps; i++) {
        if (!step(chain, s, i, true, out))
            return false;
        see_state(chain, s, i + 1);
    }
    return true;
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct hmc *s = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    double uniform, place;
    bool cut;
    draw_momentum(chain, s, crd_key_fold_in(key, 0));
    crd_random_uniform(crd_key_fold_in(key, 1), 1, &uniform);
    crd_random_uniform(crd_key_fold_in(key, 3), 1, &place);
    crdi_stream_init(&s->stream, crd_key_fold_in(key, 2));
    keep(h, &s->start);
    s->h0 = h->energy;
    s->log_volume = s->sum_accept = 0;
    s->near.log_weight = s->far.log_weight = -INFINITY;
    *out = (crdi_transition){0};
    s->steps = steps_of(chain, &cut);
    s->width = chain->options->window > s->steps + 1 ? s->steps + 1 : chain->options->window;
    s->width = s->width < 1 ? 1 : s->width;
    bool whole = run(chain, s, (int64_t)(place * (double)s->width), out);
    crdi_chain_note_cut(chain, cut, out);
    double gain = whole ? s->far.log_weight - s->near.log_weight : -INFINITY;
    double accept = gain > 0 ? 1 : h->v->exp(gain);
    bool accepted = whole && uniform < accept;
    /* Windows that overlap are always accepted, whatever the step: it is tuned by the mean over states then, as that of NUTS. */
    out->accept_prob = s->width > 1 ? s->sum_accept / (double)out->n_steps : accept;
    go_to(h, accepted ? &s->far.taken : whole ? &s->near.taken : &s->start);
    out->energy = h->energy;
    for (int64_t i = 0; i < h->dim; i++)
        s->momentum[i] = accepted ? h->p[i] : -h->p[i];
    s->moving = true;
}

static void state(crdi_chain *chain, crdi_archive *archive)
{
    struct hmc *s = chain->kernel_state;
    if (!(chain->options->persistence > 0)) /* nothing is remembered */
        return;
    crdi_archive_flag(archive, &s->moving);
    crdi_archive_reals(archive, s->momentum, chain->h.dim);
}

const crdi_mcmc_kernel crdi_mcmc_kernel_hmc = {.name = "hmc",
                                               .cuts = CRDI_CUTS_EACH,
                                               .create = create,
                                               .destroy = destroy,
                                               .transition = transition,
                                               .state = state};
