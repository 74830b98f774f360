/* adapt.c - see adapt.h. */
#include "infer/mcmc/adapt.h"

#include <math.h>
#include <string.h>

/* ---- step size ---------------------------------------------------------------------------------------------- */

/* Hoffman & Gelman 2014, section 3.2.1 */
static const double GAMMA = 0.05, T0 = 10, KAPPA = 0.75;

void crdi_dual_averaging_restart(crdi_dual_averaging *d, double step_size)
{
    *d = (crdi_dual_averaging){.target = d->target, .mu = log(10 * step_size)};
}

double crdi_dual_averaging_learn(crdi_dual_averaging *d, double accept)
{
    accept = accept > 1 ? 1 : accept;
    d->count++;
    double eta = 1 / (d->count + T0);
    d->s_bar = (1 - eta) * d->s_bar + eta * (d->target - accept);
    double x = d->mu - d->s_bar * sqrt(d->count) / GAMMA;
    double weight = pow(d->count, -KAPPA);
    d->x_bar = (1 - weight) * d->x_bar + weight * x;
    return exp(x);
}

double crdi_dual_averaging_final(const crdi_dual_averaging *d)
{
    return exp(d->x_bar);
}

/* ---- metric ------------------------------------------------------------------------------------------------- */

crd_status crdi_welford_create(crdi_welford *w, crd_context *ctx, int64_t dim, bool dense)
{
    *w = (crdi_welford){.ctx = ctx, .dim = dim, .dense = dense};
    w->mean = crdi_alloc_array(ctx, dim, sizeof(double));
    w->m2 = crdi_alloc_array(ctx, dense ? dim * dim : dim, sizeof(double));
    w->delta = crdi_alloc_array(ctx, dim, sizeof(double));
    return w->mean && w->m2 && w->delta ? CRD_OK : CRD_ENOMEM;
}

void crdi_welford_destroy(crdi_welford *w)
{
    crdi_free(w->ctx, w->mean);
    crdi_free(w->ctx, w->m2);
    crdi_free(w->ctx, w->delta);
    *w = (crdi_welford){0};
}

void crdi_welford_restart(crdi_welford *w)
{
    w->count = 0;
    memset(w->mean, 0, sizeof(double) * (size_t)w->dim);
    memset(w->m2, 0, sizeof(double) * (size_t)(w->dense ? w->dim * w->dim : w->dim));
}

void crdi_welford_add(crdi_welford *w, const double *x)
{
    w->count++;
    for (int64_t i = 0; i < w->dim; i++) {
        w->delta[i] = x[i] - w->mean[i];
        w->mean[i] += w->delta[i] / (double)w->count;
    }
    for (int64_t i = 0; i < w->dim && !w->dense; i++)
        w->m2[i] += w->delta[i] * (x[i] - w->mean[i]);
    for (int64_t i = 0; i < w->dim && w->dense; i++)
        for (int64_t j = 0; j < w->dim; j++)
            w->m2[i * w->dim + j] += (x[i] - w->mean[i]) * w->delta[j];
}

void crdi_welford_estimate(const crdi_welford *w, double *out)
{
    double n = (double)w->count, shrink = n / (n + 5) / (n > 1 ? n - 1 : 1), least = 1e-3 * 5 / (n + 5);
    if (!w->dense) {
        for (int64_t i = 0; i < w->dim; i++)
            out[i] = shrink * w->m2[i] + least;
        return;
    }
    for (int64_t i = 0; i < w->dim; i++)
        for (int64_t j = 0; j < w->dim; j++) /* the two triangles differ by roundings: take their mean */
            out[i * w->dim + j] = shrink * 0.5 * (w->m2[i * w->dim + j] + w->m2[j * w->dim + i]) + (i == j ? least : 0);
}

void crdi_welford_fisher(const crdi_welford *draws, const crdi_welford *gradients, double *out)
{
    static const double LEAST = 1e-20, MOST = 1e20;
    crdi_welford_estimate(draws, out);
    for (int64_t i = 0; i < draws->dim; i++) {
        double ratio = sqrt(draws->m2[i] / gradients->m2[i]);
        if (ratio > LEAST && ratio < MOST)
            out[i] = ratio;
    }
}

/* ---- windows ------------------------------------------------------------------------------------------------ */

static void start_in_turn(crdi_windows *w, int64_t last)
{
    enum { FIRST = 75, LAST = 50, SIZE = 25, SHORTEST = 20 };
    int64_t warmup = w->warmup;
    w->first = FIRST;
    w->last = LAST;
    w->size = SIZE;
    if (warmup < SHORTEST) { /* too short for a metric */
        w->first = warmup;
        w->last = w->size = 0;
    } else if (warmup < FIRST + LAST + SIZE) {
        w->first = (int64_t)(0.15 * (double)warmup);
        w->last = (int64_t)(0.1 * (double)warmup);
        w->size = warmup - w->first - w->last;
    }
    if (last >= 0 && warmup >= SHORTEST)
        w->last = last;
    w->next = w->first + w->size - 1;
}

enum { LEAST = 10, RENEWALS = 5 }; /* of overlapping windows: iterations, times */

void crdi_windows_start(crdi_windows *w, int64_t warmup, bool overlapping, int64_t last)
{
    *w = (crdi_windows){.warmup = warmup, .overlapping = overlapping};
    if (!overlapping) {
        start_in_turn(w, last);
        return;
    }
    w->last = last >= 0 ? last : (warmup + 9) / 10;
    w->size = LEAST;
    w->next = LEAST - 1;
}

static void next_window(crdi_windows *w)
{
    int64_t end = w->warmup - w->last - 1;
    if (w->next == end)
        return;
    w->size *= 2;
    w->next = w->iteration + w->size;
    if (w->next != end && w->next + 2 * w->size >= w->warmup - w->last)
        w->next = end; /* the one after would not fit: this one takes all that is left */
}

static crdi_window_step step_overlapping(crdi_windows *w)
{
    int64_t end = w->warmup - w->last - 1, left = w->next - w->iteration, every = w->size / RENEWALS;
    crdi_window_step step = {.learn = w->iteration <= end};
    step.forget = step.learn && left == 0 && w->iteration < end;
    step.renew = step.learn && (left % every == 0 || w->iteration == end);
    if (left == 0) {
        w->size = 2 * (w->iteration + 1);
        w->next = w->iteration + w->size;
    }
    return step;
}

crdi_window_step crdi_windows_step(crdi_windows *w)
{
    crdi_window_step step;
    if (w->overlapping) {
        step = step_overlapping(w);
    } else {
        step.learn = w->iteration >= w->first && w->iteration < w->warmup - w->last;
        step.renew = step.forget = step.learn && w->iteration == w->next;
        if (step.renew)
            next_window(w);
    }
    w->iteration++;
    return step;
}
