/* laplace.c - the whole: from a network to a normal about its most probable weights, and what that predicts. */
#include "infer/laplace/laplace.h"

#include <math.h>
#include <string.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

static const crdi_option option_rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_laplace_options, __VA_ARGS__)
#include "infer/laplace_options.def"
#undef OPT
};
const crdi_option_table crdi_laplace_option_table = CRDI_OPTION_TABLE("laplace", crdi_laplace_options, option_rows);

#define HESSIAN(name, what) extern const crdi_hessian_type crdi_hessian_##name;
#include "infer/laplace/hessians.def"
#undef HESSIAN

static const crdi_hessian_type *const types[] = {
#define HESSIAN(name, what) &crdi_hessian_##name,
#include "infer/laplace/hessians.def"
#undef HESSIAN
};

/* ---- before the fit ----------------------------------------------------------------------------------------- */

static crd_status find_type(crdi_laplace *l)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (strcmp(types[i]->name, l->options.hessian) == 0)
            l->type = types[i];
    CRDI_ASSERT(l->type); /* the options' table has the same names */
    return CRD_OK;
}

static crd_status check_likelihood(crdi_laplace *l)
{
    l->likelihood = crdi_likelihood_find(l->ctx, l->network.likelihood);
    if (!l->likelihood)
        return CRD_ENAME;
    if (!crdi_laplace_supports(l->likelihood->name))
        return crdi_raise(
            l->ctx, CRD_EUNSUPPORTED,
            "method laplace goes with the likelihoods normal, bernoulli and categorical, not with %s; svi and nuts "
            "go with all",
            l->likelihood->name);
    if (crdi_network_heteroscedastic(&l->network))
        return crdi_raise(
            l->ctx, CRD_EUNSUPPORTED,
            "method laplace needs one noise s for all rows, as --noise half_cauchy:0.5; heteroscedastic noise "
            "goes with svi and nuts");
    if (crdi_network_targets(&l->network) > 1)
        return crdi_raise(l->ctx, CRD_EUNSUPPORTED,
                          "method laplace takes one target, not %lld; svi and nuts take several",
                          (long long)l->network.targets);
    if (crdi_network_width(&l->network) > CRDI_LAPLACE_OUTPUTS)
        return crdi_raise(l->ctx, CRD_EUNSUPPORTED, "method laplace: %lld classes; at most %d",
                          (long long)crdi_network_width(&l->network), CRDI_LAPLACE_OUTPUTS);
    return CRD_OK;
}

bool crdi_laplace_tunes(const crdi_laplace *l, bool noise)
{
    const char *tune = l->options.tune;
    if (noise)
        return l->likelihood->noisy && (strcmp(tune, "noise") == 0 || strcmp(tune, "all") == 0);
    return strcmp(tune, "prior") == 0 || strcmp(tune, "all") == 0;
}

static crd_status check_tuning(const crdi_laplace *l)
{
    if (strcmp(l->options.tune, "noise") == 0 && !l->likelihood->noisy)
        return crdi_raise(l->ctx, CRD_EINVAL, "tune noise: the likelihood %s has none; prior is what can be tuned",
                          l->likelihood->name);
    if (crdi_laplace_tunes(l, false) && !l->normal_priors)
        return crdi_raise(l->ctx, CRD_EUNSUPPORTED,
                          "tune %s: the evidence scales the precision of normal priors only, as normal:0,1",
                          l->options.tune);
    return CRD_OK;
}

static crd_status make_arrays(crdi_laplace *l)
{
    double **const array[] = {&l->theta, &l->loc, &l->precision, &l->log_prior};
    for (int i = 0; i < CRDI_COUNT(array); i++)
        if (!(*array[i] = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)l->count)))
            return CRD_ENOMEM;
    l->root = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(l->outputs * l->outputs));
    return l->root ? CRD_OK : CRD_ENOMEM;
}

/* The precision of each group; the last layer by itself is one where no other is random. */
static void set_groups(crdi_laplace *l)
{
    const crdi_laplace_layer *last = &l->layer[l->layers - 1];
    bool by_layer = strcmp(l->options.precisions, "layer") == 0 || l->type->last_layer;
    l->first = l->type->last_layer ? last->first : 0;
    l->random = l->count - l->first;
    l->groups = by_layer ? l->layers : 1;
    for (int k = 0; k < l->layers; k++) {
        l->layer[k].group = by_layer ? k : 0;
        l->factor[k] = 1;
    }
}

static crd_status prepare(crdi_laplace *l)
{
    CRD_TRY(crdi_arena_create(&l->arena, l->ctx));
    CRD_TRY(crdi_options_complete(l->ctx, &crdi_laplace_option_table, &l->options));
    CRD_TRY(find_type(l));
    CRD_TRY(check_likelihood(l));
    if (strcmp(l->options.tune, "auto") == 0) /* features of a last layer follow every noise down */
        l->options.tune = l->likelihood->noisy && !l->type->last_layer ? "noise" : "none";
    CRD_TRY(crdi_laplace_check_start(l));
    CRD_TRY(crd_model_create(&l->model, l->ctx, crd_network_model, &l->network));
    l->rows = l->network.x.shape.dim[0];
    l->outputs = crdi_network_width(&l->network);
    l->noise = l->curvature = 1;
    CRD_TRY(crdi_laplace_find_layers(l));
    set_groups(l);
    CRD_TRY(make_arrays(l));
    CRD_TRY(crdi_laplace_compile_prior(l));
    CRD_TRY(check_tuning(l));
    CRD_TRY(l->type->create(l));
    return crdi_laplace_compile_jacobian(l);
}

crd_status crdi_laplace_create(crd_context *ctx, const crd_network *network, const crdi_laplace_options *options,
                               crdi_laplace **out)
{
    crdi_laplace *l = crdi_alloc(ctx, sizeof *l);
    if (!l)
        return CRD_ENOMEM;
    *l = (crdi_laplace){.ctx = ctx, .network = *network};
    l->network.linear_about = NULL;
    if (options)
        l->options = *options;
    crd_status status = prepare(l);
    if (status < 0)
        crdi_laplace_destroy(&l);
    else
        *out = l;
    return status;
}

void crdi_laplace_destroy(crdi_laplace **laplace)
{
    if (!laplace || !*laplace)
        return;
    crdi_laplace *l = *laplace;
    crd_exec_destroy(&l->jacobian);
    crd_exec_destroy(&l->prior);
    crd_program_destroy(&l->jacobian_program);
    crd_program_destroy(&l->prior_program);
    crd_model_destroy(&l->model);
    crdi_arena_destroy(&l->arena);
    crdi_free(l->ctx, l);
    *laplace = NULL;
}

/* ---- the normal --------------------------------------------------------------------------------------------- */

/* The sum over rows, and the likelihood, at theta. */
static void sum_rows(crdi_laplace *l)
{
    const crd_array *x = &l->network.x;
    l->log_likelihood = l->squares = 0;
    l->type->begin(l);
    for (int64_t at = 0; at < l->rows; at += l->block.capacity) {
        int64_t left = l->rows - at;
        crdi_laplace_jacobian(l, x->data + at * x->shape.dim[1], left < l->block.capacity ? left : l->block.capacity);
        crdi_laplace_likelihood(l, l->network.y->data + at);
        crdi_laplace_weigh(l, l->network.y->data + at);
        l->type->add(l, &l->block);
    }
    l->type->end(l);
}

bool crdi_laplace_evidence(crdi_laplace *l, double *slope)
{
    double squares[CRDI_LAPLACE_LAYERS], log_prior = crdi_laplace_log_prior(l, squares);
    l->curvature = 1 / (l->noise * l->noise);
    if (!l->type->solve(l, slope != NULL))
        return false;
    l->log_evidence = crdi_laplace_log_likelihood(l) + log_prior + (double)l->random * HALF_LOG_2PI - 0.5 * l->log_det;
    if (!slope)
        return true;
    double counts[CRDI_LAPLACE_LAYERS] = {0}, left = (double)l->random;
    for (int k = 0; k < l->layers; k++)
        if (l->layer[k].first >= l->first)
            counts[l->layer[k].group] += (double)l->layer[k].size;
    for (int g = 0; g < l->groups; g++) {
        slope[g] = 0.5 * (counts[g] - l->factor[g] * squares[g] - l->trace[g]);
        left -= l->trace[g];
    }
    slope[l->groups] = l->likelihood->noisy ? -(double)l->rows + l->curvature * l->squares + left : 0;
    return true;
}

static crd_status not_positive(const crdi_laplace *l)
{
    return crdi_raise(
        l->ctx, CRD_EDOMAIN,
        "method laplace: the Gauss-Newton matrix at the most probable weights is not positive definite in "
        "double precision (s = %.3g, prior precisions from %.3g); a narrower prior or --hessian diagonal may help",
        l->noise, l->precision[0]);
}

crd_status crdi_laplace_judge(crdi_laplace *l)
{
    double slope[CRDI_LAPLACE_LAYERS + 1];
    l->whitens = false;
    if (!crdi_laplace_evidence(l, slope))
        return not_positive(l);
    l->whitens = true;
    return CRD_OK;
}

crd_status crdi_laplace_expand(crdi_laplace *l)
{
    CRD_TRY(crdi_laplace_read_prior(l));
    sum_rows(l);
    return crdi_laplace_judge(l);
}

crd_status crdi_laplace_expand_briefly(crdi_laplace *l)
{
    CRD_TRY(crdi_laplace_read_prior(l));
    sum_rows(l);
    return crdi_laplace_evidence(l, NULL) ? CRD_OK : not_positive(l);
}

double crdi_laplace_effective(const crdi_laplace *l)
{
    double sum = (double)l->random;
    for (int g = 0; g < l->groups; g++)
        sum -= l->trace[g];
    return sum;
}

double crdi_laplace_log_density(const crdi_laplace *l)
{
    double sum = l->log_density;
    for (int k = 0; k < l->layers; k++)
        sum += 0.5 * (double)l->layer[k].size * log(l->factor[l->layer[k].group]);
    return sum;
}

crd_status crdi_laplace_at(crdi_laplace *l, const double *theta, double noise)
{
    memcpy(l->theta, theta, sizeof *theta * (size_t)l->count);
    l->noise = l->likelihood->noisy ? noise : 1;
    return crdi_laplace_expand(l);
}

/* ---- the fit ------------------------------------------------------------------------------------------------ */

/* With s free, weights that go through every point make the density grow without end as s goes to 0. */
static crd_status check_noise(const crdi_laplace *l)
{
    double least = 0;
    const double *y = l->network.y->data;
    for (int64_t i = 0; i < l->rows; i++)
        least = fmax(least, fabs(y[i] - y[0]));
    if (l->noise > 1e-6 * least && isfinite(l->noise))
        return CRD_OK;
    return crdi_raise(
        l->ctx, CRD_EDOMAIN,
        "method laplace: the most probable noise s is %.3g: the network goes through every row, and nothing keeps s "
        "from 0; --tune noise sets it by the evidence (not with --hessian last_layer), a prior of s as "
        "log_normal:-1,0.5 holds it too",
        l->noise);
}

/* Where the search for a tuned s begins: all that there is to explain. */
static double spread(const crdi_laplace *l)
{
    double mean = 0, squares = 0;
    const double *y = l->network.y->data;
    for (int64_t i = 0; i < l->rows; i++)
        mean += y[i] / (double)l->rows;
    for (int64_t i = 0; i < l->rows; i++)
        squares += (y[i] - mean) * (y[i] - mean) / (double)l->rows;
    return squares > 0 ? sqrt(squares) : 1;
}

/* Rounds of tuning follow one maximum, which may become a saddle on the way. From new starts, with what was found: *better says
 * that there is a higher one, and theta is there then. */
static crd_status look_around(crdi_laplace *l, crd_key key, bool *better)
{
    double before = l->log_density, gradient = l->gradient;
    double *theta = crdi_alloc_array(l->ctx, l->count, sizeof *theta);
    if (!theta)
        return CRD_ENOMEM;
    memcpy(theta, l->theta, sizeof *theta * (size_t)l->count);
    crd_status status = crdi_laplace_search(l, key, false);
    if (status == CRD_OK)
        status = crdi_laplace_climb(l, false);
    *better = status == CRD_OK && l->log_density > before + 1e-6 * fmax(1, fabs(before));
    if (!*better) {
        memcpy(l->theta, theta, sizeof *theta * (size_t)l->count);
        l->log_density = before;
        l->gradient = gradient;
        if (status == CRD_OK)
            status = crdi_laplace_expand(l);
    }
    crdi_free(l->ctx, theta);
    return status;
}

static crd_status tune(crdi_laplace *l, crd_key key)
{
    enum { TIMES = 2 };
    bool better = true;
    if (l->type->last_layer) /* the features are held, and the rest has one maximum */
        return crdi_laplace_tune(l);
    for (uint32_t i = 0; i < TIMES && better; i++) {
        crd_status status = crdi_laplace_tune(l);
        if (status == CRD_OK)
            status = look_around(l, crd_key_fold_in(key, i), &better);
        if (status != CRD_OK)
            return status;
    }
    return better ? crdi_laplace_tune(l) : CRD_OK;
}

crd_status crdi_laplace_fit(crdi_laplace *l, crd_key key)
{
    bool tunes_noise = crdi_laplace_tunes(l, true), tunes = tunes_noise || crdi_laplace_tunes(l, false);
    bool joint = !tunes_noise || l->type->last_layer; /* features are those of a trained network */
    l->held = false;
    l->evaluations = l->rounds = 0;
    l->converged = true;
    if (!joint)
        l->noise = spread(l);
    crd_status status = crdi_laplace_search(l, key, joint);
    if (status != CRD_OK)
        return status;
    if (l->noise_site >= 0 && joint)
        CRD_TRY(check_noise(l));
    CRD_TRY(crdi_laplace_climb(l, !tunes));
    return tunes ? tune(l, crd_key_fold_in(key, UINT32_MAX)) : CRD_OK;
}

void crdi_laplace_draw(const crdi_laplace *l, crd_key key, double *theta, double *work)
{
    double *delta = theta + l->first;
    crd_random_normal(key, l->random, work);
    l->type->draw(l, work, delta);
    memcpy(theta, l->theta, sizeof *theta * (size_t)l->first);
    for (int64_t i = 0; i < l->random; i++)
        delta[i] += l->theta[l->first + i];
}

/* ---- predictions -------------------------------------------------------------------------------------------- */

crd_status crdi_laplace_predict(crdi_laplace *l, const crd_array *x, double *f, double *variance)
{
    int64_t rows = x->shape.dim[0], in = x->shape.dim[1], capacity = l->block.capacity,
            square = l->outputs * l->outputs;
    double *some = crdi_alloc_array(l->ctx, capacity * square, sizeof *some);
    crd_status status = some ? CRD_OK : CRD_ENOMEM;
    for (int64_t at = 0; at < rows && status == CRD_OK; at += capacity) {
        int64_t count = rows - at < capacity ? rows - at : capacity;
        crdi_laplace_jacobian(l, x->data + at * in, count);
        for (int64_t i = 0; i < count; i++)
            for (int64_t c = 0; c < l->outputs; c++)
                f[(at + i) * l->outputs + c] = l->block.f[c * capacity + i];
        if (!variance)
            continue;
        status = l->type->variance(l, &l->block, some);
        memcpy(variance + at * square, some, sizeof *some * (size_t)(count * square));
    }
    crdi_free(l->ctx, some);
    return status;
}
