/* nuts.c - the no-U-turn sampler as Stan has it today.
 *
 * Hoffman & Gelman 2014 with multinomial sampling from the trajectory (Betancourt 2017, appendix A.3: uniform within
 * subtrees, biased towards the new half at the top), the generalised criterion with rho, the sum of momenta (A.4.2), and
 * the checks across the seam of two subtrees that Stan has had since 2.21.
 *
 * A trajectory doubles: at each level a direction is drawn and a subtree as long as what there is is grown there.
 * Subtrees are built by recursion; the lowest level is a pair of steps, built without copying what both ends share. All
 * vectors are allocated once: a set for each level. */
#include "infer/mcmc/chain.h"
#include "rng/stream.h"

#include <math.h>
#include <string.h>

/* What is known of a stretch of trajectory. "beg" is the end that was there first, whatever the direction. */
struct stretch {
    double *p_beg, *sharp_beg, *p_end, *sharp_end; /* (dim) momenta at both ends, and M^-1 times them */
    double *rho; /* (dim) sum of momenta */
    double log_weight; /* log of the sum of exp(H0 - H) */
};

/* A point to be taken. */
struct point {
    double *q, *grad;
    double log_density, energy;
};

/* An end of the trajectory, from which it can be continued. */
struct end {
    double *q, *p, *grad;
    double log_density;
};

struct level {
    struct stretch first, second; /* the halves of the subtree that is built at this level */
    struct point proposal; /* of the second half */
};

struct nuts {
    double *memory;
    struct level *level; /* by depth */
    struct stretch whole, added;
    struct end forward, backward;
    struct point sample, proposal; /* of the trajectory, of the subtree that is added */
    crdi_stream stream;
    double h0; /* H at the start */
    double sum_accept;
    int64_t n_steps;
    bool diverging;
};

/* ---- memory ------------------------------------------------------------------------------------------------- */

static double *take(double **next, int64_t stride)
{
    double *vector = *next;
    *next += stride;
    return vector;
}

static void take_stretch(struct stretch *s, double **next, int64_t stride)
{
    s->p_beg = take(next, stride);
    s->sharp_beg = take(next, stride);
    s->p_end = take(next, stride);
    s->sharp_end = take(next, stride);
    s->rho = take(next, stride);
}

static void take_point(struct point *point, double **next, int64_t stride)
{
    point->q = take(next, stride);
    point->grad = take(next, stride);
}

static void take_end(struct end *end, double **next, int64_t stride)
{
    end->q = take(next, stride);
    end->p = take(next, stride);
    end->grad = take(next, stride);
}

static crd_status create(crdi_chain *chain)
{
    enum { PER_LEVEL = 2 * 5 + 2, REST = 2 * 5 + 2 * 3 + 2 * 2, UNIT = CRDI_ALIGN / sizeof(double) };
    int64_t depth = chain->options->max_depth + 1, stride = (chain->h.dim + UNIT - 1) / UNIT * UNIT;
    struct nuts *n = crdi_alloc(chain->ctx, sizeof *n);
    chain->kernel_state = n;
    if (!n)
        return CRD_ENOMEM;
    n->memory = crdi_alloc_array(chain->ctx, (PER_LEVEL * depth + REST) * stride, sizeof(double));
    n->level = crdi_alloc_array(chain->ctx, depth, sizeof *n->level);
    if (!n->memory || !n->level)
        return CRD_ENOMEM;
    double *next = n->memory;
    for (int64_t d = 0; d < depth; d++) {
        take_stretch(&n->level[d].first, &next, stride);
        take_stretch(&n->level[d].second, &next, stride);
        take_point(&n->level[d].proposal, &next, stride);
    }
    take_stretch(&n->whole, &next, stride);
    take_stretch(&n->added, &next, stride);
    take_end(&n->forward, &next, stride);
    take_end(&n->backward, &next, stride);
    take_point(&n->sample, &next, stride);
    take_point(&n->proposal, &next, stride);
    return CRD_OK;
}

static void destroy(crdi_chain *chain)
{
    struct nuts *n = chain->kernel_state;
    if (!n)
        return;
    crdi_free(chain->ctx, n->memory);
    crdi_free(chain->ctx, n->level);
    crdi_free(chain->ctx, n);
}

static void copy(const crdi_hamiltonian *h, double *to, const double *from)
{
    memcpy(to, from, sizeof(double) * (size_t)h->dim);
}

static void keep_point(const crdi_hamiltonian *h, struct point *point)
{
    copy(h, point->q, h->q);
    copy(h, point->grad, h->grad);
    point->log_density = *h->log_density;
    point->energy = h->energy;
}

static void swap_points(struct point *a, struct point *b)
{
    struct point t = *a;
    *a = *b;
    *b = t;
}

/* ---- subtrees ----------------------------------------------------------------------------------------------- */

/* One leapfrog step, its momentum and sharp left in p and sharp. False if it diverges. */
static bool leaf(crdi_chain *chain, double step, double *p, double *sharp, double *log_weight)
{
    struct nuts *n = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    crdi_hamiltonian_step(h, step, sharp);
    copy(h, p, h->p);
    n->n_steps++;
    double gain = n->h0 - h->energy; /* -inf where H is not finite */
    *log_weight = gain;
    n->sum_accept += gain > 0 ? 1 : h->v->exp(gain);
    if (-gain > chain->options->max_energy_change)
        n->diverging = true;
    return !n->diverging;
}

/* Whether to take the second of two, by weights: probability exp(second - total). */
static bool choose(struct nuts *n, const crdi_hamiltonian *h, double second, double total)
{
    return crdi_stream_uniform(&n->stream) < h->v->exp(second - total);
}

/* Two steps. The checks across the seam are those of the pair itself. */
static bool build_pair(crdi_chain *chain, double step, struct stretch *out, struct point *proposal)
{
    struct nuts *n = chain->kernel_state;
    const crdi_hamiltonian *h = &chain->h;
    double first, second;
    if (!leaf(chain, step, out->p_beg, out->sharp_beg, &first))
        return false;
    keep_point(h, proposal);
    if (!leaf(chain, step, out->p_end, out->sharp_end, &second))
        return false;
    out->log_weight = h->v->log_add_exp(first, second);
    if (choose(n, h, second, out->log_weight))
        keep_point(h, proposal);
    h->v->add(h->dim, out->p_beg, out->p_end, out->rho);
    return h->v->no_turn(h->dim, out->sharp_beg, out->sharp_end, out->p_beg, out->p_end);
}

/* Whether no end of two neighbouring stretches turns back: the whole, and across the seam to either side. */
static bool no_turn(const crdi_hamiltonian *h, const struct stretch *a, const struct stretch *b)
{
    return h->v->no_turn(h->dim, a->sharp_beg, b->sharp_end, a->rho, b->rho) &&
           h->v->no_turn(h->dim, a->sharp_beg, b->sharp_beg, a->rho, b->p_beg) &&
           h->v->no_turn(h->dim, a->sharp_end, b->sharp_end, b->rho, a->p_end);
}

/* 2^depth steps. False if the trajectory must end: a divergence or a turn inside. */
static bool build(crdi_chain *chain, int depth, double step, struct stretch *out, struct point *proposal)
{
    struct nuts *n = chain->kernel_state;
    const crdi_hamiltonian *h = &chain->h;
    if (depth == 0) {
        if (!leaf(chain, step, out->p_beg, out->sharp_beg, &out->log_weight))
            return false;
        keep_point(h, proposal);
        copy(h, out->p_end, out->p_beg);
        copy(h, out->sharp_end, out->sharp_beg);
        copy(h, out->rho, out->p_beg);
        return true;
    }
    if (depth == 1)
        return build_pair(chain, step, out, proposal);
    struct level *level = &n->level[depth];
    /* The outer ends of the halves are the ends of the whole: let them be written where they are wanted. */
    struct stretch a = level->first, b = level->second;
    a.p_beg = out->p_beg;
    a.sharp_beg = out->sharp_beg;
    b.p_end = out->p_end;
    b.sharp_end = out->sharp_end;
    if (!build(chain, depth - 1, step, &a, proposal) || !build(chain, depth - 1, step, &b, &level->proposal))
        return false;
    out->log_weight = h->v->log_add_exp(a.log_weight, b.log_weight);
    if (choose(n, h, b.log_weight, out->log_weight))
        swap_points(proposal, &level->proposal);
    h->v->add(h->dim, a.rho, b.rho, out->rho);
    return no_turn(h, &a, &b);
}

/* ---- the trajectory ----------------------------------------------------------------------------------------- */

static void save_end(const crdi_hamiltonian *h, struct end *end)
{
    copy(h, end->q, h->q);
    copy(h, end->p, h->p);
    copy(h, end->grad, h->grad);
    end->log_density = *h->log_density;
}

static void load_end(const crdi_hamiltonian *h, const struct end *end)
{
    copy(h, h->q, end->q);
    copy(h, h->p, end->p);
    copy(h, h->grad, end->grad);
    *h->log_density = end->log_density;
}

static void begin(crdi_chain *chain, crd_key key)
{
    struct nuts *n = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    crdi_hamiltonian_draw_momentum(h, crd_key_fold_in(key, 0));
    crdi_stream_init(&n->stream, crd_key_fold_in(key, 1));
    n->h0 = h->energy;
    n->sum_accept = 0;
    n->n_steps = 0;
    n->diverging = false;
    save_end(h, &n->forward);
    save_end(h, &n->backward);
    keep_point(h, &n->sample);
    copy(h, n->whole.p_beg, h->p);
    copy(h, n->whole.p_end, h->p);
    copy(h, n->whole.sharp_beg, h->sharp);
    copy(h, n->whole.sharp_end, h->sharp);
    copy(h, n->whole.rho, h->p);
    n->whole.log_weight = 0;
}

static void swap(double **a, double **b)
{
    double *t = *a;
    *a = *b;
    *b = t;
}

/* The trajectory seen from its other end: rho, the sum, is the same. Which end is called beg is only a matter of the
 * direction in which it grows next. */
static void turn_around(struct stretch *s)
{
    swap(&s->p_beg, &s->p_end);
    swap(&s->sharp_beg, &s->sharp_end);
}

/* Adds a subtree at the end of the trajectory. False if the subtree cannot be used; *go_on is false if it is the last. */
static bool extend(crdi_chain *chain, int depth, bool forward, bool *go_on)
{
    struct nuts *n = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    struct end *end = forward ? &n->forward : &n->backward;
    load_end(h, end);
    if (!build(chain, depth, forward ? h->step_size : -h->step_size, &n->added, &n->proposal))
        return false;
    save_end(h, end);
    /* Biased progressive sampling: the new half is taken with probability min(1, its weight / that of the old). */
    if (n->added.log_weight > n->whole.log_weight || choose(n, h, n->added.log_weight, n->whole.log_weight))
        swap_points(&n->sample, &n->proposal);
    n->whole.log_weight = h->v->log_add_exp(n->whole.log_weight, n->added.log_weight);
    *go_on = no_turn(h, &n->whole, &n->added);
    h->v->add(h->dim, n->whole.rho, n->added.rho, n->whole.rho);
    swap(&n->whole.p_end, &n->added.p_end);
    swap(&n->whole.sharp_end, &n->added.sharp_end);
    return true;
}

static void transition(crdi_chain *chain, crd_key key, crdi_transition *out)
{
    struct nuts *n = chain->kernel_state;
    crdi_hamiltonian *h = &chain->h;
    bool end_is_forward = true, go_on = true; /* which end `whole` calls its end */
    int depth = 0;
    begin(chain, key);
    while (go_on && depth < chain->options->max_depth) {
        bool forward = crdi_stream_uniform(&n->stream) > 0.5;
        if (forward != end_is_forward)
            turn_around(&n->whole);
        end_is_forward = forward;
        if (!extend(chain, depth, forward, &go_on))
            break;
        depth++;
    }
    copy(h, h->q, n->sample.q);
    copy(h, h->grad, n->sample.grad);
    *h->log_density = n->sample.log_density;
    *out = (crdi_transition){.accept_prob = n->sum_accept / (double)n->n_steps,
                             .energy = n->sample.energy,
                             .n_steps = n->n_steps,
                             .tree_depth = depth,
                             .diverging = n->diverging};
}

const crdi_mcmc_kernel crdi_mcmc_kernel_nuts = {
    .name = "nuts", .create = create, .destroy = destroy, .transition = transition};
