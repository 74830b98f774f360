/* prediction.c - predictions at new inputs: of every draw, then their moments, quantiles and entropies. */
#include "report/prediction.h"
#include "diag/diag.h"
#include "report/by_row.h"
#include "report/linearised.h"
#include "report/outlook.h"
#include "store/dataset.h"
#include "store/network_svi.h"

#include <credence/diag.h>
#include <credence/scores.h>
#include <math.h>
#include <string.h>

struct work {
    const crdi_network_run *net;
    const crdi_prediction_request *request;
    crdi_prediction *out;
    int64_t width; /* numbers a row of f */
    bool mixture; /* quantiles of y are of the mixture of normals */
    int64_t repeats; /* draws of y for each draw, for its quantiles; 0: the one that there is anyway */
    bool point; /* the run has points, not draws of a posterior */
    int64_t again; /* how often each is used for samples: once, but points are few */
};

/* One block of rows while its program is made: f, y, and what there is of the noise. */
struct block {
    const struct work *work;
    int64_t rows;
};

static crd_status outputs(void *user, crd_trace *trace, crd_node key, crd_node *out)
{
    const struct block *b = user;
    const crd_message *f = crd_trace_find(trace, "f"), *y = crd_trace_find(trace, "y");
    CRDI_ASSERT(f && y);
    out[0] = f->value;
    out[1] = y->value;
    if (b->work->out->outcome == CRDI_OUTCOME_CLASS)
        return CRD_OK;
    return crdi_outlook_noise(b->work->net, y, key, b->rows, b->work->repeats, &out[2]);
}

static int output_count(const struct work *w)
{
    return w->out->outcome == CRDI_OUTCOME_CLASS ? 2 : 3;
}

static crd_status compile(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    const struct work *w = user;
    struct block block = {w, rows};
    crd_network network = w->net->network;
    int64_t features = w->request->x->shape.dim[1];
    network.x = crd_array_borrow(w->request->x->data + first * features, crd_shape_2(rows, features));
    network.y = NULL;
    return crdi_model_compile_forwards(model, &network, outputs, &block, output_count(w), out);
}

/* Mean and standard deviation. A point has no spread. */
static void put_moments(const struct work *w, const double *x, int64_t n, double *mean, double *sd)
{
    double variance;
    crdi_diag_moments(x, n, mean, &variance);
    *sd = n == 1 && w->point ? 0 : sqrt(variance);
}

/* ---- numbers and counts ------------------------------------------------------------------------------------- */

/* Draws of one target of a row: f and the standard deviation of y (draws), y (count). */
struct number {
    int64_t draws, count;
    double *f, *sd, *y;
};

static crd_status put_quantiles(const struct work *w, int64_t at, const struct number *n)
{
    crd_context *ctx = w->net->ctx;
    crdi_prediction *out = w->out;
    const double *prob = w->request->prob;
    double *y = out->y + at * out->prob_count;
    if (!w->mixture)
        CRD_TRY(crdi_diag_quantiles(ctx, n->y, n->count, prob, out->prob_count, y));
    for (int k = 0; k < out->prob_count && w->mixture; k++)
        y[k] = crd_normal_mixture_quantile(n->f, n->sd, NULL, n->draws, prob[k]);
    return crdi_diag_quantiles(ctx, n->f, n->draws, prob, out->prob_count, out->f + at * out->prob_count);
}

static crd_status summarise_number(const struct work *w, int64_t at, const struct number *n)
{
    crdi_prediction *out = w->out;
    double noise = 0, spread = 0;
    put_moments(w, n->f, n->draws, &out->mean[at], &out->sd[at]);
    for (int64_t d = 0; d < n->draws; d++) {
        noise += n->sd[d] * n->sd[d];
        spread += (n->f[d] - out->mean[at]) * (n->f[d] - out->mean[at]);
    }
    out->aleatoric[at] = noise / (double)n->draws;
    out->epistemic[at] = spread / (double)n->draws;
    return put_quantiles(w, at, n);
}

/* Every `stride`-th of `count` numbers of target j. */
static void into_own_units(const crd_recipe *recipe, int64_t j, double *y, int64_t count, int64_t stride)
{
    double mean = crdi_recipe_own_units(recipe, j, 0), sd = recipe->targets[j].sd;
    for (int64_t i = 0; i < count; i++)
        y[i * stride] = mean + sd * y[i * stride];
}

/* Target j of a row out of (draws, targets) f and y and (draws, targets + targets * repeats) noise, in its own units. */
static void take_target(const struct work *w, int64_t j, double *const *values, struct number *n)
{
    const crd_recipe *recipe = w->net->recipe;
    int64_t targets = w->out->targets, stride = targets * (1 + w->repeats);
    double scale = recipe->targets[j].sd;
    for (int64_t d = 0; d < n->draws; d++)
        n->f[d] = values[0][d * targets + j];
    if (w->out->outcome == CRDI_OUTCOME_COUNT)
        for (int64_t d = 0; d < n->draws; d++)
            n->f[d] = exp(n->f[d]);
    else
        into_own_units(recipe, j, n->f, n->draws, 1);
    for (int64_t d = 0; d < n->draws; d++)
        n->sd[d] = scale * sqrt(values[2][d * stride + j]);
    for (int64_t d = 0; d < n->draws && w->repeats > 0; d++)
        memcpy(n->y + d * w->repeats, values[2] + d * stride + targets + j * w->repeats,
               sizeof(double) * (size_t)w->repeats);
    if (w->repeats > 0)
        into_own_units(recipe, j, n->y, n->count, 1);
    for (int64_t d = 0; d < n->draws && w->repeats == 0; d++) /* in own units already */
        n->y[d] = values[1][d * w->again * targets + j];
}

static crd_status summarise_numbers(const struct work *w, int64_t row, int64_t draws, double *const *values)
{
    struct number n = {.draws = draws, .count = draws * (w->repeats > 0 ? w->repeats : 1)};
    crd_status status = CRD_OK;
    n.f = crdi_alloc_array(w->net->ctx, 2 * draws + n.count, sizeof *n.f);
    if (!n.f)
        return CRD_ENOMEM;
    n.sd = n.f + draws;
    n.y = n.sd + draws;
    for (int64_t j = 0; j < w->out->targets && status == CRD_OK; j++) {
        take_target(w, j, values, &n);
        status = summarise_number(w, row * w->out->targets + j, &n);
    }
    crdi_free(w->net->ctx, n.f);
    return status;
}

/* ---- classes ------------------------------------------------------------------------------------------------ */

static double entropy_term(double p)
{
    return p > 0 ? -p * log(p) : 0;
}

/* Of class k from the draws' probabilities (draws, classes); `scratch` is overwritten: (draws). */
static crd_status summarise_class(const struct work *w, int64_t row, int64_t k, int64_t draws, const double *p,
                                  double *scratch)
{
    crdi_prediction *out = w->out;
    double terms = 0;
    for (int64_t d = 0; d < draws; d++) {
        scratch[d] = p[d * out->classes + k];
        terms += entropy_term(scratch[d]);
    }
    int64_t at = row * out->classes + k;
    put_moments(w, scratch, draws, &out->mean[at], &out->sd[at]);
    out->entropy[row] += entropy_term(out->mean[at]);
    out->expected_entropy[row] += terms / (double)draws;
    return crdi_diag_quantiles(w->net->ctx, scratch, draws, w->request->prob, out->prob_count,
                               out->f + at * out->prob_count);
}

/* f: one logit for two classes (of the second), else one for each. */
static crd_status summarise_classes(const struct work *w, int64_t row, int64_t draws, const double *f, double *scratch)
{
    int64_t classes = w->out->classes;
    double *p = crdi_alloc_array(w->net->ctx, draws * classes, sizeof *p);
    crd_status status = p ? CRD_OK : CRD_ENOMEM;
    for (int64_t d = 0; d < draws && p; d++)
        crdi_log_softmax(f + d * w->width, w->width, p + d * classes);
    for (int64_t i = 0; i < draws * classes && p; i++)
        p[i] = exp(p[i]);
    for (int64_t k = 0; k < classes && status == CRD_OK; k++)
        status = summarise_class(w, row, k, draws, p, scratch);
    crdi_free(w->net->ctx, p);
    return status;
}

int64_t crdi_prediction_mode(const crdi_prediction *p, int64_t row)
{
    int64_t best = 0;
    for (int64_t k = 1; k < p->classes; k++)
        if (p->mean[row * p->classes + k] > p->mean[row * p->classes + best])
            best = k;
    return best;
}

/* ---- a row -------------------------------------------------------------------------------------------------- */

static crd_status summarise_row(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    crdi_prediction *out = w->out;
    double *y = values[1];
    int64_t targets = out->targets, all = draws * w->again;
    for (int64_t j = 0; j < targets; j++)
        into_own_units(w->net->recipe, j, y + j, all, targets);
    for (int64_t i = 0; i < out->samples; i++) {
        int64_t draw = w->request->pick ? w->request->pick[i] * w->again : i * all / out->samples;
        for (int64_t j = 0; j < targets; j++)
            out->sample[(row * targets + j) * out->samples + i] = y[draw * targets + j];
    }
    return out->outcome == CRDI_OUTCOME_CLASS ? summarise_classes(w, row, draws, values[0], y)
                                              : summarise_numbers(w, row, draws, values);
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static bool alloc_results(crdi_prediction *p)
{
    bool classes = p->outcome == CRDI_OUTCOME_CLASS;
    int64_t parts = p->rows * p->classes * p->targets;
    const struct {
        double **out;
        int64_t count;
    } array[] = {{&p->mean, parts},
                 {&p->sd, parts},
                 {&p->f, parts * p->prob_count},
                 {&p->y, classes ? 0 : parts * p->prob_count},
                 {&p->aleatoric, classes ? 0 : parts},
                 {&p->epistemic, classes ? 0 : parts},
                 {&p->entropy, classes ? p->rows : 0},
                 {&p->expected_entropy, classes ? p->rows : 0},
                 {&p->sample, p->rows * p->targets * p->samples}};
    for (int i = 0; i < CRDI_COUNT(array); i++) {
        if (array[i].count == 0)
            continue;
        *array[i].out = crdi_alloc_array(p->ctx, array[i].count, sizeof(double));
        if (!*array[i].out)
            return false;
        memset(*array[i].out, 0, (size_t)array[i].count * sizeof(double));
    }
    return true;
}

/* What quantiles of y are of where there are few draws. */
static crd_status plan_noise(struct work *w, const crdi_likelihood *likelihood)
{
    crdi_run_part part;
    CRD_TRY(crdi_run_part_find(w->net->ctx, w->net->run, &part));
    int64_t draws = w->request->draws > 0 ? w->request->draws : part.chains * part.draws;
    crdi_run_part_clear(w->net->ctx, &part);
    if (w->out->outcome == CRDI_OUTCOME_CLASS || draws < 1 || draws >= CRDI_OUTLOOK_SAMPLES)
        return CRD_OK;
    w->repeats = crdi_outlook_repeats(likelihood, draws);
    w->mixture = w->repeats == 0;
    return CRD_OK;
}

static crd_status create(struct work *w)
{
    const crd_network *network = &w->net->network;
    const crdi_likelihood *likelihood = crdi_likelihood_find(w->net->ctx, network->likelihood);
    if (!likelihood)
        return CRD_ENAME;
    crdi_prediction *p = w->out = crdi_alloc(w->net->ctx, sizeof *p);
    if (!p)
        return CRD_ENOMEM;
    *p = (crdi_prediction){.ctx = w->net->ctx,
                           .outcome = likelihood->outcome,
                           .rows = w->request->x->shape.dim[0],
                           .classes = likelihood->outcome == CRDI_OUTCOME_CLASS ? w->net->recipe->class_count : 1,
                           .targets = crdi_network_targets(network),
                           .prob_count = w->request->prob_count,
                           .samples = w->request->samples};
    w->width = crdi_network_width(network);
    CRD_TRY(plan_noise(w, likelihood));
    return alloc_results(p) ? CRD_OK : CRD_ENOMEM;
}

/* That there are as many draws as samples, and the draws that were picked. Points are few, and used again. */
static crd_status check_samples(struct work *w, int64_t total)
{
    const crdi_network_run *net = w->net;
    const crdi_prediction_request *request = w->request;
    for (int64_t i = 0; request->pick && i < request->samples; i++)
        if (request->pick[i] < 0 || request->pick[i] >= total)
            return crdi_raise(net->ctx, CRD_EINVAL, "draw %lld is asked for, of draws 0 to %lld",
                              (long long)request->pick[i], (long long)total - 1);
    if (!request->pick && !(w->point && total > 0) && request->samples > total)
        return crdi_raise(net->ctx, CRD_EINVAL, "samples: %lld are asked for, of %lld draws",
                          (long long)request->samples, (long long)total);
    return CRD_OK;
}

static crd_status check(struct work *w)
{
    const crdi_network_run *net = w->net;
    const crdi_prediction_request *request = w->request;
    crdi_run_part part;
    CRD_TRY(crdi_network_run_need(net, "predictions"));
    CRDI_ASSERT(request->x->shape.ndim == 2 && request->x->shape.dim[1] == net->recipe->feature_count);
    for (int k = 0; k < request->prob_count; k++)
        if (!(request->prob[k] >= 0 && request->prob[k] <= 1))
            return crdi_raise(net->ctx, CRD_EINVAL, "quantile %g: it must be between 0 and 1", request->prob[k]);
    CRD_TRY(crdi_run_part_find(net->ctx, net->run, &part));
    int64_t total = request->draws > 0 ? request->draws : part.chains * part.draws;
    crdi_run_part_clear(net->ctx, &part);
    w->point = crdi_run_is_point(net->run);
    if (w->point && !request->pick && total > 0 && request->samples > total)
        w->again = (request->samples + total - 1) / total;
    return check_samples(w, total);
}

crd_status crdi_prediction_make(const crdi_network_run *net, const crdi_prediction_request *request,
                                crdi_prediction **out)
{
    struct work w = {.net = net, .request = request, .again = 1};
    CRD_TRY(check(&w));
    crd_status status = create(&w);
    if (status == CRD_OK)
        status = crdi_by_row_run(&(crdi_by_row){.net = net,
                                                .what = "predictions",
                                                .rows = w.out->rows,
                                                .outputs = output_count(&w),
                                                .width = {w.width, w.out->targets, w.out->targets * (1 + w.repeats)},
                                                .repeats = w.again,
                                                .keyed = true,
                                                .key = request->key,
                                                .draws = request->draws,
                                                .threads = request->threads,
                                                .memory = request->memory,
                                                .compile = compile,
                                                .row = summarise_row,
                                                .user = &w});
    if (status == CRD_OK && net->network.linear_about)
        status = crdi_linearised_apply(net, request, w.out);
    if (status < 0)
        crdi_prediction_destroy(&w.out);
    else
        *out = w.out;
    return status;
}

void crdi_prediction_destroy(crdi_prediction **prediction)
{
    if (!prediction || !*prediction)
        return;
    crdi_prediction *p = *prediction;
    double *const array[] = {p->mean,  p->sd, p->f, p->y, p->aleatoric, p->epistemic, p->entropy, p->expected_entropy,
                             p->sample};
    for (int i = 0; i < CRDI_COUNT(array); i++)
        crdi_free(p->ctx, array[i]);
    crdi_free(p->ctx, p->in_set);
    crdi_free(p->ctx, p);
    *prediction = NULL;
}
