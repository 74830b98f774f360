/* isokinetic.c - see isokinetic.h. */
#include "infer/mcmc/isokinetic.h"

#include <math.h>

static const double LAMBDA = 0.1931833275037836; /* of the smallest error norm */

crd_status crdi_isokinetic_create(crdi_isokinetic *iso, crdi_hamiltonian *h, crdi_integrator integrator)
{
    *iso = (crdi_isokinetic){.h = h, .integrator = integrator};
    iso->noise = crdi_alloc_array(h->ctx, h->dim, sizeof *iso->noise);
    return iso->noise ? CRD_OK : CRD_ENOMEM;
}

void crdi_isokinetic_destroy(crdi_isokinetic *iso)
{
    if (!iso->h)
        return;
    crdi_free(iso->h->ctx, iso->noise);
    *iso = (crdi_isokinetic){0};
}

int crdi_isokinetic_cost(const crdi_isokinetic *iso)
{
    return iso->integrator == CRDI_LEAPFROG ? 1 : 2;
}

/* ---- directions --------------------------------------------------------------------------------------------- */

static void normalise(crdi_hamiltonian *h)
{
    double factor = 1 / sqrt(h->v->dot(h->dim, h->p, h->p));
    for (int64_t i = 0; i < h->dim; i++)
        h->p[i] *= factor;
}

void crdi_isokinetic_draw(crdi_isokinetic *iso, crd_key key)
{
    crd_random_normal(key, iso->h->dim, iso->h->p);
    normalise(iso->h);
}

void crdi_isokinetic_disturb(crdi_isokinetic *iso, double strength, crd_key key)
{
    crdi_hamiltonian *h = iso->h;
    crd_random_normal(key, h->dim, iso->noise);
    h->v->axpy(h->dim, strength, iso->noise, h->p, h->p);
    normalise(h);
}

double crdi_isokinetic_strength(int64_t dim, double step, double length)
{
    return sqrt(expm1(2 * step / length) / (double)dim);
}

/* ---- steps -------------------------------------------------------------------------------------------------- */

/* The direction turns towards the gradient, as it does in the time `step` while the gradient stays (Robnik et al. 2023):
 * u = ((sinh D + e.u (cosh D - 1)) e + u) / (cosh D + e.u sinh D), D = step |g| / (d - 1), e = g / |g|. Written with
 * exp(-D), which does not overflow. Returns what it adds to the energy, (d - 1) log(cosh D + e.u sinh D). */
static double kick(crdi_isokinetic *iso, double step)
{
    crdi_hamiltonian *h = iso->h;
    double *g = h->sharp, rank = (double)(h->dim - 1);
    h->metric.type->root_transposed(&h->metric, h->grad, g);
    double size = sqrt(h->v->dot(h->dim, g, g));
    if (size == 0)
        return 0;
    double cosine = h->v->dot(h->dim, g, h->p) / size, angle = step * size / rank;
    cosine = cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
    double less = -expm1(-angle), zeta = 1 - less;
    double along = less * (1 + zeta + cosine * less) / size, across = 2 * zeta;
    for (int64_t i = 0; i < h->dim; i++)
        h->p[i] = along * g[i] + across * h->p[i];
    normalise(h);
    return rank * (angle + log1p(-0.5 * (1 - cosine) * less * (1 + zeta)));
}

static void move(crdi_isokinetic *iso, double step)
{
    crdi_hamiltonian *h = iso->h;
    h->metric.type->root(&h->metric, h->p, iso->noise);
    h->v->axpy(h->dim, step, iso->noise, h->q, h->q);
}

static void drift(crdi_isokinetic *iso, double step)
{
    move(iso, step);
    crdi_hamiltonian_evaluate(iso->h);
}

double crdi_isokinetic_step(crdi_isokinetic *iso, double step)
{
    double before = *iso->h->log_density, kinetic;
    if (iso->integrator == CRDI_LEAPFROG) {
        kinetic = kick(iso, 0.5 * step);
        drift(iso, step);
        kinetic += kick(iso, 0.5 * step);
    } else {
        kinetic = kick(iso, LAMBDA * step);
        drift(iso, 0.5 * step);
        kinetic += kick(iso, (1 - 2 * LAMBDA) * step);
        drift(iso, 0.5 * step);
        kinetic += kick(iso, LAMBDA * step);
    }
    return kinetic + before - *iso->h->log_density;
}

double crdi_isokinetic_step_disturbed(crdi_isokinetic *iso, double step, double strength, crd_key key)
{
    double before = *iso->h->log_density, kinetic;
    if (iso->integrator != CRDI_LEAPFROG) {
        double error = crdi_isokinetic_step(iso, step);
        crdi_isokinetic_disturb(iso, strength, key);
        return error;
    }
    kinetic = kick(iso, 0.5 * step);
    move(iso, 0.5 * step);
    crdi_isokinetic_disturb(iso, strength, key);
    drift(iso, 0.5 * step);
    kinetic += kick(iso, 0.5 * step);
    return kinetic + before - *iso->h->log_density;
}
