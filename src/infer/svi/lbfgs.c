/* lbfgs.c - limited-memory BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5). */
#include "infer/svi/lbfgs.h"
#include "infer/svi/line_search.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const int MEMORY = 10;
static const int64_t MAX_ITERATIONS = 1000;
static const double GRADIENT_TOLERANCE = 1e-6;

typedef struct lbfgs {
    crd_context *ctx;
    crdi_lbfgs_options options;
    crdi_line_search search;
    const crdi_vector_ops *v;
    int64_t dim;
    double *x, value;
    double *block; /* all arrays below */
    double *gradient, *direction, *next_x, *next_gradient; /* (dim) */
    double *s, *y; /* (memory, dim) steps, and changes of the gradient over them; a ring */
    double *rho, *alpha; /* (memory) 1 / s'y, and scratch */
    int kept, newest; /* pairs in the ring, and where the last one stands */
    crdi_lbfgs_result result;
} lbfgs;

static const char *const reasons[] = {
    [CRDI_LBFGS_GRADIENT] = "the gradient is as small as wanted",
    [CRDI_LBFGS_VALUE] = "the value changes as little as wanted",
    [CRDI_LBFGS_ITERATIONS] = "the iterations are used up",
    [CRDI_LBFGS_STALLED] = "no lower point was found along the gradient",
    [CRDI_LBFGS_STOPPED] = "it was stopped",
};

const char *crdi_lbfgs_reason_text(crdi_lbfgs_reason reason)
{
    return reasons[reason];
}

/* ---- set-up ------------------------------------------------------------------------------------------------- */

static crd_status complete_options(crd_context *ctx, int64_t dim, const crdi_lbfgs_options *given,
                                   crdi_lbfgs_options *out)
{
    crdi_lbfgs_options o = given ? *given : (crdi_lbfgs_options){0};
    if (dim < 1)
        return crdi_raise(ctx, CRD_EINVAL, "L-BFGS over %lld parameters; there must be at least 1", (long long)dim);
    if (o.memory < 0 || o.max_iterations < 0)
        return crdi_raise(ctx, CRD_EINVAL,
                          "L-BFGS: memory is %d, max_iterations is %lld; both must be 0 (default) or "
                          "more",
                          o.memory, (long long)o.max_iterations);
    if (!(o.gradient_tolerance >= 0) || !(o.value_tolerance >= 0))
        return crdi_raise(ctx, CRD_EINVAL,
                          "L-BFGS: gradient_tolerance is %g, value_tolerance is %g; both must be 0 "
                          "(default) or more",
                          o.gradient_tolerance, o.value_tolerance);
    o.memory = o.memory ? o.memory : MEMORY;
    o.max_iterations = o.max_iterations ? o.max_iterations : MAX_ITERATIONS;
    o.gradient_tolerance = o.gradient_tolerance > 0 ? o.gradient_tolerance : GRADIENT_TOLERANCE;
    *out = o;
    return CRD_OK;
}

static crd_status allocate(lbfgs *l)
{
    int64_t memory = l->options.memory, dim = l->dim;
    if (dim > INT64_MAX / (2 * memory + 6))
        return crdi_raise(l->ctx, CRD_ENOMEM, "L-BFGS: %lld parameters with a memory of %lld", (long long)dim,
                          (long long)memory);
    l->block = crdi_alloc_array(l->ctx, (2 * memory + 4) * dim + 2 * memory, sizeof(double));
    if (!l->block)
        return CRD_ENOMEM;
    l->gradient = l->block;
    l->direction = l->gradient + dim;
    l->next_x = l->direction + dim;
    l->next_gradient = l->next_x + dim;
    l->s = l->next_gradient + dim;
    l->y = l->s + memory * dim;
    l->rho = l->y + memory * dim;
    l->alpha = l->rho + memory;
    return CRD_OK;
}

/* ---- the direction ------------------------------------------------------------------------------------------ */

/* Algorithm 7.4: direction = -H gradient, where H starts as s'y / y'y (7.20) of the newest pair. */
static void find_direction(lbfgs *l)
{
    int64_t n = l->dim;
    int memory = l->options.memory;
    double *q = l->direction, factor = 1;
    memcpy(q, l->gradient, sizeof(double) * (size_t)n);
    for (int j = 0; j < l->kept; j++) { /* from the newest pair to the oldest */
        int i = (l->newest - j + memory) % memory;
        l->alpha[i] = l->rho[i] * l->v->dot(n, l->s + i * n, q);
        l->v->axpy(n, -l->alpha[i], l->y + i * n, q, q);
    }
    if (l->kept) {
        const double *y = l->y + l->newest * n;
        factor = 1 / (l->rho[l->newest] * l->v->dot(n, y, y));
    }
    for (int64_t k = 0; k < n; k++)
        q[k] *= factor;
    for (int j = l->kept - 1; j >= 0; j--) {
        int i = (l->newest - j + memory) % memory;
        double beta = l->rho[i] * l->v->dot(n, l->y + i * n, q);
        l->v->axpy(n, l->alpha[i] - beta, l->s + i * n, q, q);
    }
    for (int64_t k = 0; k < n; k++)
        q[k] = -q[k];
}

/* Remembers a pair, unless its curvature s'y is lost in rounding: H has to stay positive definite. */
static void remember(lbfgs *l)
{
    int64_t n = l->dim;
    int i = (l->newest + 1) % l->options.memory;
    double *s = l->s + i * n, *y = l->y + i * n;
    for (int64_t k = 0; k < n; k++) {
        s[k] = l->next_x[k] - l->x[k];
        y[k] = l->next_gradient[k] - l->gradient[k];
    }
    double sy = l->v->dot(n, s, y), ss = l->v->dot(n, s, s), yy = l->v->dot(n, y, y);
    if (!(sy > DBL_EPSILON * sqrt(ss) * sqrt(yy)) || !isfinite(1 / sy)) {
        l->kept -= l->kept == l->options.memory; /* the oldest was written over */
        return;
    }
    l->rho[i] = 1 / sy;
    l->newest = i;
    l->kept += l->kept < l->options.memory;
}

/* ---- iterations --------------------------------------------------------------------------------------------- */

static double largest(int64_t n, const double *x)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    return most;
}

static crd_status visit(lbfgs *l)
{
    l->result.value = l->value;
    l->result.gradient = largest(l->dim, l->gradient);
    if (!l->options.visit)
        return CRD_OK;
    return l->options.visit(l->options.visit_user, l->result.iterations, l->x, l->value, l->gradient);
}

static crd_status start(lbfgs *l)
{
    crd_status status = l->search.fn(l->search.user, l->x, &l->value, l->gradient);
    if (status != CRD_OK)
        return status;
    l->search.evaluations = 1;
    bool finite = isfinite(l->value);
    for (int64_t i = 0; i < l->dim; i++)
        finite = finite && isfinite(l->gradient[i]);
    if (!finite)
        return crdi_raise(l->ctx, CRD_ESTART, "L-BFGS: the value at the start is %g; value and gradient must be finite",
                          l->value);
    return visit(l);
}

/* Looks along the direction of the remembered pairs, and if that fails along the gradient alone. */
static crd_status search(lbfgs *l, bool *found, double *value)
{
    crdi_line_search *s = &l->search;
    for (;;) {
        find_direction(l);
        double norm = sqrt(l->v->dot(l->dim, l->gradient, l->gradient)), first = 1;
        if (l->kept == 0 && norm > 1)
            first = 1 / norm;
        s->value = l->value;
        s->slope = l->v->dot(l->dim, l->gradient, l->direction);
        *found = false;
        if (s->slope < 0 && isfinite(s->slope)) {
            crd_status status = crdi_line_search_run(s, first, found, value);
            if (status != CRD_OK)
                return status;
        }
        if (*found || l->kept == 0)
            return CRD_OK;
        l->kept = 0;
    }
}

static crd_status iterate(lbfgs *l, bool *done)
{
    bool found;
    double value, before = l->value;
    *done = true;
    if (l->result.gradient <= l->options.gradient_tolerance) {
        l->result.reason = CRDI_LBFGS_GRADIENT;
        return CRD_OK;
    }
    if (l->result.iterations == l->options.max_iterations) {
        l->result.reason = CRDI_LBFGS_ITERATIONS;
        return CRD_OK;
    }
    crd_status status = search(l, &found, &value);
    if (status != CRD_OK)
        return status;
    if (!found) {
        l->result.reason = CRDI_LBFGS_STALLED;
        return CRD_OK;
    }
    remember(l);
    memcpy(l->x, l->next_x, sizeof(double) * (size_t)l->dim);
    memcpy(l->gradient, l->next_gradient, sizeof(double) * (size_t)l->dim);
    l->value = value;
    l->result.iterations++;
    status = visit(l);
    if (status != CRD_OK)
        return status;
    double scale = fmax(fmax(fabs(before), fabs(value)), 1);
    *done = fabs(before - value) < l->options.value_tolerance * scale;
    if (*done && l->result.gradient <= l->options.gradient_tolerance)
        l->result.reason = CRDI_LBFGS_GRADIENT;
    else if (*done)
        l->result.reason = CRDI_LBFGS_VALUE;
    return CRD_OK;
}

crd_status crdi_lbfgs_minimise(crd_context *ctx, crdi_objective_fn fn, void *user, int64_t dim, double *x,
                               const crdi_lbfgs_options *options, crdi_lbfgs_result *out)
{
    const crdi_kernel_table *kernels = crdi_context_kernels(ctx);
    lbfgs l = {.ctx = ctx, .v = &kernels->vector, .dim = dim, .x = x};
    CRD_TRY(complete_options(ctx, dim, options, &l.options));
    CRD_TRY(allocate(&l));
    l.search = (crdi_line_search){.fn = fn,
                                  .user = user,
                                  .v = l.v,
                                  .dim = dim,
                                  .x = x,
                                  .direction = l.direction,
                                  .next_x = l.next_x,
                                  .next_gradient = l.next_gradient};
    crd_status status = start(&l);
    for (bool done = false; status == CRD_OK && !done;)
        status = iterate(&l, &done);
    l.result.evaluations = l.search.evaluations;
    if (status > CRD_OK)
        l.result.reason = CRDI_LBFGS_STOPPED;
    if (status >= CRD_OK)
        *out = l.result;
    crdi_free(ctx, l.block);
    return status;
}
