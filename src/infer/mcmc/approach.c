/* approach.c - see approach.h. */
#include "infer/mcmc/approach.h"
#include "infer/svi/lbfgs.h"

#include <string.h>

enum { LEAST = 3, MOST = 30, OFTEN = 5 }; /* iterations, iterations, points */

struct approach {
    crdi_hamiltonian *h;
    double value; /* of the iteration before */
    double *slope; /* (dim) the gradient of the log density */
    int64_t points;
};

static crd_status minus_log_density(void *user, const double *q, double *value, double *gradient)
{
    crdi_hamiltonian *h = ((struct approach *)user)->h;
    memcpy(h->q, q, sizeof *q * (size_t)h->dim);
    crdi_hamiltonian_evaluate(h);
    *value = -*h->log_density;
    for (int64_t i = 0; i < h->dim; i++)
        gradient[i] = -h->grad[i];
    return CRD_OK;
}

static void learn(struct approach *a, const double *q, const double *gradient)
{
    crdi_metric *m = &a->h->metric;
    if (!m->type->collect)
        return;
    if (a->points++ % OFTEN == 0)
        m->type->forget(m);
    for (int64_t i = 0; i < m->dim; i++)
        a->slope[i] = -gradient[i];
    m->type->collect(m, q, a->slope);
}

static crd_status visit(void *user, int64_t iteration, const double *q, double value, const double *gradient)
{
    struct approach *a = user;
    learn(a, q, gradient);
    double gain = a->value - value;
    a->value = value;
    return iteration >= LEAST && gain < (double)a->h->dim ? CRD_INTERRUPTED : CRD_OK;
}

crd_status crdi_chain_approach(crdi_chain *chain)
{
    crdi_hamiltonian *h = &chain->h;
    crdi_metric *m = &h->metric;
    double *memory = crdi_alloc_array(chain->ctx, 2 * h->dim, sizeof *memory), *q = memory;
    if (!memory)
        return CRD_ENOMEM;
    struct approach a = {.h = h, .slope = memory + h->dim};
    crdi_lbfgs_options options = {.max_iterations = MOST, .visit = visit, .visit_user = &a};
    crdi_lbfgs_result result;
    memcpy(q, h->q, sizeof *q * (size_t)h->dim);
    crd_status status = crdi_lbfgs_minimise(chain->ctx, minus_log_density, &a, h->dim, q, &options, &result);
    memcpy(h->q, q, sizeof *q * (size_t)h->dim);
    crdi_free(chain->ctx, memory);
    crdi_hamiltonian_evaluate(h);
    if (status < 0)
        return status;
    if (a.points > 1) {
        m->type->renew(m);
        m->type->forget(m);
    }
    return CRD_OK;
}
