/* hamiltonian.c - see hamiltonian.h. */
#include "infer/mcmc/hamiltonian.h"
#include "graph/graph.h"

#include <math.h>

crd_status crdi_hamiltonian_create(crdi_hamiltonian *h, crd_context *ctx, const crd_program *density,
                                   const crdi_metric_type *metric, bool overlapping)
{
    *h = (crdi_hamiltonian){.ctx = ctx, .dim = crdi_program_coordinates(density)};
    h->kernels = crdi_context_kernels(ctx);
    h->v = &h->kernels->vector;
    CRD_TRY(crd_exec_create(&h->exec, density));
    h->q = crd_exec_input(h->exec);
    h->log_density = (double *)(uintptr_t)crd_exec_output(h->exec); /* ours to write: a point is put back there */
    h->grad = h->log_density + 1;
    h->p = crdi_alloc_array(ctx, h->dim, sizeof *h->p);
    h->sharp = crdi_alloc_array(ctx, h->dim, sizeof *h->sharp);
    if (!h->p || !h->sharp)
        return CRD_ENOMEM;
    return crdi_metric_create(&h->metric, ctx, metric, h->dim, overlapping);
}

void crdi_hamiltonian_destroy(crdi_hamiltonian *h)
{
    crd_exec_destroy(&h->exec);
    crdi_free(h->ctx, h->p);
    crdi_free(h->ctx, h->sharp);
    crdi_metric_destroy(&h->metric);
    *h = (crdi_hamiltonian){0};
}

void crdi_hamiltonian_evaluate(crdi_hamiltonian *h)
{
    if (h->run) {
        h->run(h->run_user, h);
        return;
    }
    crd_exec_run(h->exec);
    h->gradients++;
}

static void set_energy(crdi_hamiltonian *h, double twice_kinetic)
{
    double energy = 0.5 * twice_kinetic - *h->log_density;
    h->energy = isnan(energy) ? INFINITY : energy;
}

void crdi_hamiltonian_set_energy(crdi_hamiltonian *h)
{
    h->metric.type->sharpen(&h->metric, h->p, h->sharp);
    set_energy(h, h->v->dot(h->dim, h->p, h->sharp));
}

void crdi_hamiltonian_draw_momentum(crdi_hamiltonian *h, crd_key key)
{
    crd_random_normal(key, h->dim, h->p);
    h->metric.type->momentum(&h->metric, h->p);
    crdi_hamiltonian_set_energy(h);
}

void crdi_hamiltonian_step(crdi_hamiltonian *h, double step, double *sharp)
{
    const crdi_metric *m = &h->metric;
    if (!m->type->diagonal) {
        h->v->axpy(h->dim, 0.5 * step, h->grad, h->p, h->p);
        m->type->sharpen(m, h->p, sharp);
        h->v->axpy(h->dim, step, sharp, h->q, h->q);
        crdi_hamiltonian_evaluate(h);
        h->v->axpy(h->dim, 0.5 * step, h->grad, h->p, h->p);
        m->type->sharpen(m, h->p, sharp);
        set_energy(h, h->v->dot(h->dim, h->p, sharp));
        return;
    }
    h->v->kick_drift(h->dim, 0.5 * step, step, h->grad, m->inverse_mass, h->p, h->q);
    crdi_hamiltonian_evaluate(h);
    set_energy(h, h->v->kick_sharp(h->dim, 0.5 * step, h->grad, m->inverse_mass, h->p, sharp));
}
