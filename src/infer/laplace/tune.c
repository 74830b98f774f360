/* tune.c - prior precision and noise by maximising the log evidence.
 *
 * The evidence of a setting is that at the most probable weights which the setting has. First in rounds: MacKay's (1992)
 * re-estimates
 *     factor = (effective number of weights) / (sum of precision (theta - loc)^2)      of each group
 *     s^2 = (squared residuals) / (rows - effective number of weights)
 * where the slopes of the evidence are 0 if the weights and the Gauss-Newton matrix's Jacobian are held; the weights are then sought
 * again. These slopes leave out how the Jacobian moves with the weights: of a large network the re-estimates may run off
 * downhill (to s = 0). So such a step is taken only if the evidence rises with it; where the Jacobian does not move, as without
 * hidden layers, these rounds end at the top. Then each setting is moved up and down by small steps, and to the top of a parabola,
 * then a cubic, through what was seen.
 *
 * With form last_layer the evidence is that of a linear model of features: these are held, since they would follow every
 * noise down (Daxberger et al. 2021, sec. 3, fit such a model to a trained network). */
#include "infer/laplace/laplace.h"

#include <math.h>
#include <string.h>

static const double MOST = 18.420680743952367; /* |log factor|, as log 1e8: a layer that is of no use has no end */
static const double CLOSE = 1e-5, FIRST_STEP = 0.1, LAST_STEP = 2e-3; /* of settings, in logarithms */
enum { ROUNDS = 200, TRIES = 400, SETTLINGS = 5, MOST_SETTINGS = CRDI_LAPLACE_LAYERS + 1 };

struct ridge {
    crdi_laplace *l;
    int group[CRDI_LAPLACE_LAYERS]; /* those that are tuned */
    int groups, settings; /* logs of factors, then of s */
    uint32_t shaken; /* how often */
    int tries;
    double *theta; /* (count) the best so far, */
    double x[MOST_SETTINGS], evidence, log_density; /* its settings, evidence and log density */
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
    r->log_density = r->l->log_density;
}

/* Back to the best. */
static crd_status go_back(struct ridge *r)
{
    set(r, r->x);
    memcpy(r->l->theta, r->theta, sizeof(double) * (size_t)r->l->count);
    return crdi_laplace_expand(r->l);
}

/* The best weights, moved a little at random: along a path of settings a maximum may become a saddle, as where a unit without weights
 * could have some again, and a search from it would stay. */
static void shake(struct ridge *r)
{
    static const double BY = 0.01; /* of the prior's standard deviation */
    crdi_laplace *l = r->l;
    crd_random_normal(crd_key_fold_in(crd_key_make(0), r->shaken++), l->count, l->theta);
    for (int64_t i = 0; i < l->count; i++)
        l->theta[i] = r->theta[i] + (l->held && i < l->first ? 0 : BY * l->theta[i] / sqrt(l->precision[i]));
}

/* The evidence at other settings, from the best weights: if it is higher, that is where we are. -INFINITY: there is no telling. */
static crd_status try_settings(struct ridge *r, const double *x, double *evidence, bool *higher)
{
    crdi_laplace *l = r->l;
    bool clear = crd_error_status(l->ctx) == CRD_OK;
    *evidence = -INFINITY;
    *higher = false;
    for (int i = 0; i < r->settings; i++)
        if (i < r->groups && fabs(x[i]) > MOST)
            return CRD_OK;
    set(r, x);
    if (l->brief)
        memcpy(l->theta, r->theta, sizeof *r->theta * (size_t)l->count);
    else
        shake(r);
    crd_status status = crdi_laplace_climb(l, false);
    if ((status == CRD_EDOMAIN || status == CRD_ESTART) && clear) {
        crd_error_clear(l->ctx);
        return CRD_OK;
    }
    CRD_TRY(status);
    if (!l->finished) /* short of the maximum the weights are smoother, and what is computed is too high */
        return CRD_OK;
    *evidence = l->log_evidence;
    *higher = l->log_evidence > r->evidence + 1e-12 * fabs(r->evidence);
    if (*higher)
        keep(r, x);
    return CRD_OK;
}

/* Small steps go from the best as it is. So before and after them it is shaken: *better says that others are more probable, and that
 * these are the best now. */
static crd_status settle(struct ridge *r, bool *better)
{
    static const double SAME = 1e-6; /* of the log density */
    crdi_laplace *l = r->l;
    set(r, r->x);
    shake(r);
    CRD_TRY(crdi_laplace_climb(l, false));
    *better = l->finished && l->log_density > r->log_density + SAME * fmax(1, fabs(r->log_density));
    if (*better)
        keep(r, r->x);
    return *better ? CRD_OK : go_back(r);
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
    double from[MOST_SETTINGS], share = 1, evidence;
    int halvings = r->settings > 1 ? 3 : 1; /* small steps are as good, but for their number */
    memcpy(from, r->x, sizeof from);
    for (int h = 0; h < halvings && !*moved && longest * share > CLOSE; h++, share /= 2) {
        for (int i = 0; i < r->settings; i++)
            x[i] = from[i] + share * (to[i] - from[i]);
        CRD_TRY(try_settings(r, x, &evidence, moved));
    }
    return CRD_OK;
}

/* ---- small steps -------------------------------------------------------------------------------------------- */

static crd_status step(struct ridge *r, int i, double by, double *evidence, bool *moved)
{
    double x[MOST_SETTINGS];
    memcpy(x, r->x, sizeof x);
    x[i] += by;
    r->tries++;
    return try_settings(r, x, evidence, moved);
}

/* Evidence around the best of one setting: ways up (0) and down (1) from it, and how much lower it is there. */
struct around {
    double way[2], lower[2]; /* NaN: not known */
};

/* Of the parabola through the three. NaN: it has none. */
static double top_of_parabola(const struct around *a, double *slope, double *bend)
{
    *bend = (a->lower[0] / a->way[0] - a->lower[1] / a->way[1]) / (a->way[1] - a->way[0]);
    *slope = -a->lower[0] / a->way[0] - *bend * a->way[0];
    return *bend < 0 ? -*slope / (2 * *bend) : NAN;
}

/* Of the cubic that is `lower` at `at` as well, the top near `at`. */
static double top_of_cubic(const struct around *a, double slope, double bend, double at, double lower)
{
    double up = a->way[0], down = a->way[1], top = at;
    double third = (-lower - slope * at - bend * at * at) / (at * (at - up) * (at - down));
    for (int i = 0; i < 5; i++) /* Newton */
        top -= (slope + 2 * bend * top + third * (3 * top * top - 2 * (up + down) * top + up * down)) /
               (2 * bend + third * (6 * top - 2 * (up + down)));
    return top > down && top < up ? top : NAN;
}

/* The top between ways up and down, neither of which leads up. *doubt: how far from it the best may be. */
static crd_status between(struct ridge *r, int i, const struct around *a, double *doubt)
{
    double from = r->x[i], middle = r->evidence, slope, bend, there, top = top_of_parabola(a, &slope, &bend);
    bool moved;
    if (!isfinite(top))
        return CRD_OK;
    *doubt = fabs(top);
    if (*doubt < 0.1 * LAST_STEP)
        return CRD_OK;
    CRD_TRY(step(r, i, top, &there, &moved));
    double next = top_of_cubic(a, slope, bend, top, middle - there);
    *doubt = isfinite(next) ? fabs(next - top) : a->way[0];
    if (*doubt < LAST_STEP || !isfinite(next))
        return CRD_OK;
    *doubt *= 0.2;
    return step(r, i, from + next - r->x[i], &there, &moved);
}

/* One setting, by steps of this length, longer ones as long as they lead up, until none does. *longest and *doubt grow to the longest
 * way that was gone, and to the largest doubt. */
static crd_status along(struct ridge *r, int i, double by, double *longest, double *doubt)
{
    static const double LONGER = 1.6, LONGEST = 0.5;
    struct around a = {{by, -by}, {NAN, NAN}};
    double from = r->x[i], about = by;
    for (int k = 0; k < 2 && r->tries < TRIES;) {
        double best = r->evidence, there;
        bool moved;
        if (!isnan(a.lower[k])) {
            k++;
            continue;
        }
        CRD_TRY(step(r, i, a.way[k], &there, &moved));
        a.lower[k] = best - there;
        if (moved) {
            a = (struct around){{k ? -a.way[k] : LONGER * a.way[k], k ? LONGER * a.way[k] : -a.way[k]}, {NAN, NAN}};
            a.way[k] = (k ? -1 : 1) * fmin(fabs(a.way[k]), LONGEST);
            a.lower[1 - k] = r->evidence - best;
            k = 0;
        }
    }
    if (r->tries < TRIES)
        CRD_TRY(between(r, i, &a, &about));
    *longest = fmax(*longest, fabs(r->x[i] - from));
    *doubt = fmax(*doubt, about);
    return CRD_OK;
}

/* Sweeps over the settings. With several a sweep is the last only if none has moved, as each moves the others' tops. */
static crd_status small_steps(struct ridge *r)
{
    bool fine = false;
    for (double by = FIRST_STEP; !fine && by > LAST_STEP && r->tries < TRIES;) {
        double longest = 0, doubt = 0;
        for (int i = 0; i < r->settings; i++) {
            if (r->l->options.stop && r->l->options.stop(r->l->options.stop_user))
                return CRD_INTERRUPTED;
            CRD_TRY(along(r, i, by, &longest, &doubt));
        }
        fine = doubt < LAST_STEP && (r->settings == 1 || longest < LAST_STEP);
        by = longest < 0.6 * by ? by / 5 : by;
    }
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
    for (int i = 0; i < SETTLINGS && !done && r->tries < TRIES; i++) {
        bool better = true;
        CRD_TRY(settle(r, &better));
        done = i > 0 && !better;
        l->brief = true;
        crd_status status = done ? CRD_OK : small_steps(r);
        l->brief = false;
        if (status != CRD_OK)
            return status;
    }
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
