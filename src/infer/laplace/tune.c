/* tune.c - prior precision and noise by maximising the log evidence.
 *
 * In rounds: the most probable weights for the present settings, the Gauss-Newton matrix there, then the settings that
 * maximise the evidence with both held, along its slopes by L-BFGS in the logarithms:
 *     d/d log factor = (n - factor sum of precision (theta - loc)^2 - trace) / 2     over the n weights of a group
 *     d/d log s      = -rows + (squared residuals) / s^2 + (effective number of weights)
 * which are 0 at MacKay's (1992) re-estimates. Ends when they are within CLOSE of 0 at the most probable weights: the evidence
 * would then change by less than that if a setting were changed to e times itself. */
#include "infer/laplace/laplace.h"
#include "infer/svi/lbfgs.h"

#include <math.h>
#include <string.h>

static const double MOST = 18.420680743952367; /* |log factor|, as log 1e8: a layer that is of no use has no end */
static const double CLOSE = 1e-4;
enum { ROUNDS = 100 };

struct ridge {
    crdi_laplace *l;
    int group[CRDI_LAPLACE_LAYERS]; /* those that are tuned */
    int groups;
    bool noise;
};

static void set(const struct ridge *r, const double *x)
{
    for (int i = 0; i < r->groups; i++)
        r->l->factor[r->group[i]] = exp(x[i]);
    if (r->noise)
        r->l->noise = exp(x[r->groups]);
}

static void get(const struct ridge *r, double *x)
{
    for (int i = 0; i < r->groups; i++)
        x[i] = log(r->l->factor[r->group[i]]);
    if (r->noise)
        x[r->groups] = log(r->l->noise);
}

static crd_status objective(void *user, const double *x, double *value, double *gradient)
{
    struct ridge *r = user;
    double slope[CRDI_LAPLACE_LAYERS + 1];
    *value = INFINITY; /* rejects the point */
    for (int i = 0; i < r->groups + r->noise; i++) {
        gradient[i] = 0;
        if (fabs(x[i]) > MOST + (i == r->groups ? 30 : 0))
            return CRD_OK;
    }
    set(r, x);
    if (!crdi_laplace_evidence(r->l, slope))
        return CRD_OK;
    *value = -r->l->log_evidence;
    for (int i = 0; i < r->groups; i++)
        gradient[i] = -slope[r->group[i]];
    if (r->noise)
        gradient[r->groups] = -slope[r->l->groups];
    return CRD_OK;
}

static struct ridge ridge_of(crdi_laplace *l)
{
    struct ridge r = {.l = l, .noise = crdi_laplace_tunes(l, true)};
    for (int g = 0; crdi_laplace_tunes(l, false) && g < l->groups; g++)
        if (!l->type->last_layer || g == l->groups - 1)
            r.group[r.groups++] = g;
    return r;
}

/* Whether all slopes are 0 at the most probable weights of the present settings. A factor at its bound stays there. */
static bool arrived(const struct ridge *r)
{
    double slope[CRDI_LAPLACE_LAYERS + 1];
    crdi_laplace *l = r->l;
    bool good = crdi_laplace_evidence(l, slope);
    for (int i = 0; i < r->groups; i++)
        good = good && (fabs(slope[r->group[i]]) < CLOSE || fabs(log(l->factor[r->group[i]])) > MOST - 1);
    return good && (!r->noise || fabs(slope[l->groups]) < CLOSE);
}

crd_status crdi_laplace_tune(crdi_laplace *l)
{
    struct ridge r = ridge_of(l);
    double x[CRDI_LAPLACE_LAYERS + 1];
    crdi_lbfgs_result result;
    for (int round = 0; !(l->converged = arrived(&r)) && round < ROUNDS; round++, l->rounds++) {
        if (l->options.stop && l->options.stop(l->options.stop_user))
            return CRD_INTERRUPTED;
        get(&r, x);
        CRD_TRY(crdi_lbfgs_minimise(l->ctx, objective, &r, r.groups + r.noise, x,
                                    &(crdi_lbfgs_options){.max_iterations = 100, .gradient_tolerance = 1e-6}, &result));
        set(&r, x);
        CRD_TRY(crdi_laplace_climb(l));
        CRD_TRY(crdi_laplace_expand(l));
    }
    return CRD_OK;
}
