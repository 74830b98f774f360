/* split.c - see split.h. */
#include "infer/mcmc/split.h"

#include <string.h>

/* All rows at q: for chains that start, and states that are checked. */
static void evaluate(void *user, crdi_hamiltonian *h)
{
    crdi_split *s = user;
    crdi_whole_sum(&s->whole, s->sum);
    memcpy(h->log_density, s->sum, sizeof(double) * (size_t)(1 + h->dim));
    h->gradients += s->whole.parts;
}

crd_status crdi_split_create(crdi_split *s, crdi_hamiltonian *h, const crdi_batches *batches)
{
    *s = (crdi_split){.h = h};
    s->first = crdi_alloc_array(h->ctx, h->dim, sizeof *s->first);
    s->sum = crdi_alloc_array(h->ctx, 1 + h->dim, sizeof *s->sum);
    if (!s->first || !s->sum)
        return CRD_ENOMEM;
    h->run = evaluate;
    h->run_user = s;
    return crdi_whole_create(&s->whole, batches, h->exec);
}

void crdi_split_destroy(crdi_split *s)
{
    if (s->h) {
        crdi_free(s->h->ctx, s->first);
        crdi_free(s->h->ctx, s->sum);
    }
    crdi_whole_destroy(&s->whole);
    *s = (crdi_split){0};
}

static const double *gradient_of(crdi_split *s, int64_t part, double *weight)
{
    s->h->gradients++;
    return crdi_whole_part(&s->whole, part, weight) + 1;
}

static void kick(crdi_split *s, int64_t part, double step)
{
    double weight;
    const double *gradient = gradient_of(s, part, &weight);
    s->h->v->axpy(s->h->dim, step * weight, gradient, s->h->p, s->h->p);
}

static void drift(crdi_hamiltonian *h, double step)
{
    h->metric.type->sharpen(&h->metric, h->p, h->sharp);
    h->v->axpy(h->dim, step, h->sharp, h->q, h->q);
}

static void find_first(crdi_split *s)
{
    double weight;
    const double *gradient = gradient_of(s, 0, &weight);
    for (int64_t i = 0; i < s->h->dim; i++)
        s->first[i] = weight * gradient[i];
}

void crdi_split_begin(crdi_split *s)
{
    find_first(s);
}

/* The kick that ends a step is by the same gradient as that which begins the next. */
void crdi_split_step(crdi_split *s, double step)
{
    crdi_hamiltonian *h = s->h;
    int64_t parts = s->whole.parts;
    double half = 0.5 * step, piece = half / (double)parts;
    h->v->axpy(h->dim, half, s->first, h->p, h->p);
    for (int64_t part = 1; part < parts; part++) {
        drift(h, piece);
        kick(s, part, half);
    }
    drift(h, 2 * piece);
    for (int64_t part = parts - 1; part > 0; part--) {
        kick(s, part, half);
        drift(h, piece);
    }
    find_first(s);
    h->v->axpy(h->dim, half, s->first, h->p, h->p);
}

void crdi_split_end(crdi_split *s)
{
    crdi_hamiltonian_evaluate(s->h);
    crdi_hamiltonian_set_energy(s->h);
}
