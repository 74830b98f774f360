/* hamiltonian.c - see hamiltonian.h. */
#include "infer/mcmc/hamiltonian.h"

#include <math.h>
#include <string.h>

static int64_t metric_size(const crdi_hamiltonian *h)
{
    return h->metric == CRDI_METRIC_DENSE ? h->dim * h->dim : h->dim;
}

crd_status crdi_hamiltonian_create(crdi_hamiltonian *h, crd_context *ctx, const crd_program *density,
                                   crdi_metric metric)
{
    *h = (crdi_hamiltonian){.ctx = ctx, .metric = metric, .dim = crd_program_input_size(density)};
    h->kernels = crdi_context_kernels(ctx);
    h->v = &h->kernels->vector;
    CRD_TRY(crd_exec_create(&h->exec, density));
    h->q = crd_exec_input(h->exec);
    h->log_density = (double *)(uintptr_t)crd_exec_output(h->exec); /* ours to write: a point is put back there */
    h->grad = h->log_density + 1;
    h->p = crdi_alloc_array(ctx, h->dim, sizeof *h->p);
    h->sharp = crdi_alloc_array(ctx, h->dim, sizeof *h->sharp);
    h->inverse_mass = crdi_alloc_array(ctx, metric_size(h), sizeof *h->inverse_mass);
    h->mass_root = crdi_alloc_array(ctx, metric_size(h), sizeof *h->mass_root);
    if (!h->p || !h->sharp || !h->inverse_mass || !h->mass_root)
        return CRD_ENOMEM;
    int64_t stride = metric == CRDI_METRIC_DENSE ? h->dim + 1 : 1;
    for (int64_t i = 0; i < h->dim; i++)
        h->inverse_mass[i * stride] = h->mass_root[i * stride] = 1;
    return CRD_OK;
}

void crdi_hamiltonian_destroy(crdi_hamiltonian *h)
{
    crd_exec_destroy(&h->exec);
    crdi_free(h->ctx, h->p);
    crdi_free(h->ctx, h->sharp);
    crdi_free(h->ctx, h->inverse_mass);
    crdi_free(h->ctx, h->mass_root);
    *h = (crdi_hamiltonian){0};
}

void crdi_hamiltonian_evaluate(crdi_hamiltonian *h)
{
    crd_exec_run(h->exec);
    h->gradients++;
}

/* out = M^-1 p. */
static void sharpen(const crdi_hamiltonian *h, const double *p, double *out)
{
    if (h->metric != CRDI_METRIC_DENSE) {
        h->v->mul(h->dim, h->inverse_mass, p, out);
        return;
    }
    crdi_call call = {.out = out, .in = {p, h->inverse_mass}, .n = {h->dim, 1, h->dim, 1}, .s = {0, 1, h->dim}};
    h->kernels->kernel[CRDI_K_matmul](&call);
}

static void set_energy(crdi_hamiltonian *h, double twice_kinetic)
{
    double energy = 0.5 * twice_kinetic - *h->log_density;
    h->energy = isnan(energy) ? INFINITY : energy;
}

void crdi_hamiltonian_draw_momentum(crdi_hamiltonian *h, crd_key key)
{
    crd_random_normal(key, h->dim, h->p);
    if (h->metric == CRDI_METRIC_DENSE) { /* M^-1 = L L', so p = L^-T z has covariance M */
        crdi_call call = {.out = h->p, .in = {h->mass_root, h->p}, .n = {1, h->dim, 1}, .number = {1}};
        h->kernels->kernel[CRDI_K_solve_triangular](&call);
    } else {
        h->v->mul(h->dim, h->mass_root, h->p, h->p);
    }
    sharpen(h, h->p, h->sharp);
    set_energy(h, h->v->dot(h->dim, h->p, h->sharp));
}

void crdi_hamiltonian_step(crdi_hamiltonian *h, double step, double *sharp)
{
    if (h->metric == CRDI_METRIC_DENSE) {
        h->v->axpy(h->dim, 0.5 * step, h->grad, h->p, h->p);
        sharpen(h, h->p, sharp);
        h->v->axpy(h->dim, step, sharp, h->q, h->q);
        crdi_hamiltonian_evaluate(h);
        h->v->axpy(h->dim, 0.5 * step, h->grad, h->p, h->p);
        sharpen(h, h->p, sharp);
        set_energy(h, h->v->dot(h->dim, h->p, sharp));
        return;
    }
    h->v->kick_drift(h->dim, 0.5 * step, step, h->grad, h->inverse_mass, h->p, h->q);
    crdi_hamiltonian_evaluate(h);
    set_energy(h, h->v->kick_sharp(h->dim, 0.5 * step, h->grad, h->inverse_mass, h->p, sharp));
}

bool crdi_hamiltonian_set_metric(crdi_hamiltonian *h, const double *inverse_mass)
{
    if (h->metric == CRDI_METRIC_DENSE) {
        crdi_call call = {.out = h->mass_root, .in = {inverse_mass}, .n = {h->dim, 1}};
        h->kernels->kernel[CRDI_K_cholesky](&call);
        for (int64_t i = 0; i < h->dim; i++)
            if (isnan(h->mass_root[i * h->dim + i])) { /* back to the old factor */
                call.in[0] = h->inverse_mass;
                h->kernels->kernel[CRDI_K_cholesky](&call);
                return false;
            }
    } else {
        for (int64_t i = 0; i < h->dim; i++)
            h->mass_root[i] = 1 / sqrt(inverse_mass[i]);
    }
    memcpy(h->inverse_mass, inverse_mass, sizeof(double) * (size_t)metric_size(h));
    return true;
}
