/* tune.c - prior precision and noise by maximising the log evidence.
 *
 * The evidence of a setting is that at the most probable weights which the setting has. First in rounds: MacKay's (1992)
 * re-estimates
 *     factor = (effective number of weights) / (sum of precision (theta - loc)^2)      of each group
 *     s^2 = (squared residuals) / (rows - effective number of weights)
 * where the slopes of the evidence are 0 if the weights and the Gauss-Newton matrix's Jacobian are held; the weights are then sought
 * again. These slopes leave out how the Jacobian moves with the weights: of a large network the re-estimates may run off
 * downhill (to s = 0). So a step is taken only as far as the evidence rises, halved until it does. Then each setting is
 * tried a little up and down, by ever smaller steps, until no step leads up.
 *
 * With form last_layer the evidence is that of a linear model of features: these are held, since they would follow every
 * noise down (Daxberger et al. 2021, sec. 3, fit such a model to a trained network). */
#include "infer/laplace/laplace.h"

#include <math.h>
#include <string.h>

static const double MOST = 18.420680743952367; /* |log factor|, as log 1e8: a layer that is of no use has no end */
static const double CLOSE = 1e-5, FIRST_STEP = 0.1, LAST_STEP = 2e-3; /* of settings, in logarithms */
enum { ROUNDS = 200, HALVINGS = 8, TRIES = 400, MOST_SETTINGS = CRDI_LAPLACE_LAYERS + 1 };

struct ridge {
    crdi_laplace *l;
    int group[CRDI_LAPLACE_LAYERS]; /* those that are tuned */
    int groups, settings; /* logs of factors, then of s */
    uint32_t tries;
    double *theta; /* (count) the best so far, */
    double x[MOST_SETTINGS], evidence; /* its settings and evidence */
};

static void set(const struct ridge *r, const double *x)
{
    for (int i = 0; i < r->groups; i++)
        r->l->factor[r->group[i]] = exp(x[i]);
    if (r->settings > r->groups)
        r->l->noise = exp(x[r->groups]);
}

static void keep(struct ridge *r, const double *x)
{
    memcpy(r->x, x, sizeof *x * (size_t)r->settings);
    memcpy(r->theta, r->l->theta, sizeof(double) * (size_t)r->l->count);
    r->evidence = r->l->log_evidence;
}

/* Back to the best. */
static crd_status go_back(struct ridge *r)
{
    set(r, r->x);
    memcpy(r->l->theta, r->theta, sizeof(double) * (size_t)r->l->count);
    return crdi_laplace_expand(r->l);
}

/* The best weights, moved a little at random: where a maximum has become a saddle, as where a unit without weights could have some
 * again, a search from it would stay. */
static void shake(struct ridge *r)
{
    static const double BY = 0.01; /* of the prior's standard deviation */
    crdi_laplace *l = r->l;
    crd_random_normal(crd_key_fold_in(crd_key_make(0), r->tries++), l->count, l->theta);
    for (int64_t i = 0; i < l->count; i++)
        l->theta[i] = r->theta[i] + (l->held && i < l->first ? 0 : BY * l->theta[i] / sqrt(l->precision[i]));
}

/* The evidence at other settings, from the best weights: if it is higher, that is where we are. */
static crd_status try_settings(struct ridge *r, const double *x, bool *higher)
{
    crdi_laplace *l = r->l;
    bool clear = crd_error_status(l->ctx) == CRD_OK;
    *higher = false;
    for (int i = 0; i < r->groups; i++)
        if (fabs(x[i]) > MOST)
            return CRD_OK;
    set(r, x);
    shake(r);
    crd_status status = crdi_laplace_climb(l, false);
    if ((status == CRD_EDOMAIN || status == CRD_ESTART) && clear) {
        crd_error_clear(l->ctx);
        return CRD_OK;
    }
    CRD_TRY(status);
    /* Short of the maximum the weights are smoother, and what is computed is too high. */
    *higher = l->finished && l->log_evidence > r->evidence + 1e-12 * fabs(r->evidence);
    if (*higher)
        keep(r, x);
    return CRD_OK;
}

/* ---- rounds ------------------------------------------------------------------------------------------------- */

/* From the traces and squares of the last expansion. */
static void reestimate(const struct ridge *r, double *out)
{
    const crdi_laplace *l = r->l;
    double squares[CRDI_LAPLACE_LAYERS], left = (double)l->rows - crdi_laplace_effective(l);
    double counts[CRDI_LAPLACE_LAYERS] = {0};
    (void)crdi_laplace_log_prior(l, squares);
    for (int k = 0; k < l->layers; k++)
        counts[l->layer[k].group] += l->layer[k].first >= l->first ? (double)l->layer[k].size : 0;
    for (int i = 0; i < r->groups; i++) {
        int g = r->group[i];
        double x = log(fmax(counts[g] - l->trace[g], 1e-12) / fmax(squares[g], 1e-300));
        out[i] = fmax(fmin(x, MOST), -MOST);
    }
    if (r->settings > r->groups) /* no more than a tenth at a time */
        out[r->groups] = 0.5 * log(l->squares / fmax(left, 0.1 * l->curvature * l->squares));
}

static crd_status round_up(struct ridge *r, bool *moved)
{
    double to[MOST_SETTINGS], x[MOST_SETTINGS], longest = 0;
    reestimate(r, to);
    *moved = false;
    for (int i = 0; i < r->settings; i++)
        longest = fmax(longest, fabs(to[i] - r->x[i]));
    double from[MOST_SETTINGS], share = 1;
    memcpy(from, r->x, sizeof from);
    for (int h = 0; h < HALVINGS && !*moved && longest * share > CLOSE; h++, share /= 2) {
        for (int i = 0; i < r->settings; i++)
            x[i] = from[i] + share * (to[i] - from[i]);
        CRD_TRY(try_settings(r, x, moved));
    }
    return CRD_OK;
}

/* ---- small steps -------------------------------------------------------------------------------------------- */

static crd_status step(struct ridge *r, int i, double by, bool *moved)
{
    double x[MOST_SETTINGS];
    memcpy(x, r->x, sizeof x);
    x[i] += by;
    return try_settings(r, x, moved);
}

static crd_status small_steps(struct ridge *r, bool *done)
{
    int tries = 0;
    for (double by = FIRST_STEP; by > LAST_STEP && tries < TRIES;) {
        bool any = false;
        for (int i = 0; i < r->settings; i++) {
            bool moved;
            CRD_TRY(step(r, i, by, &moved));
            any = any || moved;
            if (!moved)
                CRD_TRY(step(r, i, -by, &moved));
            any = any || moved;
            tries += 2;
            if (r->l->options.stop && r->l->options.stop(r->l->options.stop_user))
                return CRD_INTERRUPTED;
        }
        by = any ? by : by / 2;
    }
    *done = tries < TRIES;
    return CRD_OK;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static struct ridge ridge_of(crdi_laplace *l)
{
    struct ridge r = {.l = l};
    for (int g = 0; crdi_laplace_tunes(l, false) && g < l->groups; g++)
        if (!l->type->last_layer || g == l->groups - 1)
            r.group[r.groups++] = g;
    r.settings = r.groups + crdi_laplace_tunes(l, true);
    return r;
}

static crd_status tune(struct ridge *r)
{
    crdi_laplace *l = r->l;
    double x[MOST_SETTINGS];
    bool moved = true, done = false;
    for (int i = 0; i < r->groups; i++)
        x[i] = log(l->factor[r->group[i]]);
    x[r->groups] = log(l->noise);
    keep(r, x);
    for (int round = 0; moved && round < ROUNDS; round++, l->rounds++) {
        if (l->options.stop && l->options.stop(l->options.stop_user))
            return CRD_INTERRUPTED;
        CRD_TRY(round_up(r, &moved));
        if (!moved)
            CRD_TRY(go_back(r));
    }
    crd_status status = small_steps(r, &done);
    if (status != CRD_OK)
        return status;
    l->converged = done && !moved;
    CRD_TRY(go_back(r));
    return crdi_laplace_climb(l, true);
}

crd_status crdi_laplace_tune(crdi_laplace *l)
{
    struct ridge r = ridge_of(l);
    r.theta = crdi_alloc_array(l->ctx, l->count, sizeof *r.theta);
    if (!r.theta)
        return CRD_ENOMEM;
    l->held = l->type->last_layer;
    crd_status status = tune(&r);
    crdi_free(l->ctx, r.theta);
    return status;
}
