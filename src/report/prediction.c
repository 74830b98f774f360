/* prediction.c - predictions at new inputs: of every draw, then their moments, quantiles and entropies. */
#include "report/prediction.h"
#include "report/by_row.h"
#include "report/linearised.h"
#include "store/dataset.h"

#include <credence/diag.h>
#include <math.h>
#include <string.h>

struct work {
    const crdi_network_run *net;
    const crdi_prediction_request *request;
    crdi_prediction *out;
    int64_t width; /* numbers a row of f */
};

static crd_status compile(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"f", "y"};
    const struct work *w = user;
    crd_shape shapes[2];
    crd_network network = w->net->network;
    int64_t features = w->request->x->shape.dim[1];
    network.x = crd_array_borrow(w->request->x->data + first * features, crd_shape_2(rows, features));
    network.y = NULL;
    return crd_model_compile_predictive(model, &network, names, 2, shapes, out);
}

/* ---- numbers and counts ------------------------------------------------------------------------------------- */

/* The draws of target j of a row, f and y (draws): both are sorted. */
static crd_status summarise_number(const struct work *w, int64_t row, int64_t j, int64_t draws, double *f, double *y)
{
    crd_context *ctx = w->net->ctx;
    crdi_prediction *out = w->out;
    int64_t at = row * out->targets + j;
    for (int64_t d = 0; d < draws; d++)
        f[d] = out->outcome == CRDI_OUTCOME_COUNT ? exp(f[d]) : crdi_recipe_own_units(w->net->recipe, j, f[d]);
    out->mean[at] = crd_diag_mean(f, draws);
    out->sd[at] = crd_diag_sd(f, draws);
    CRD_TRY(crd_diag_sort(ctx, f, draws, f));
    CRD_TRY(crd_diag_sort(ctx, y, draws, y));
    for (int k = 0; k < out->prob_count; k++) {
        double prob = w->request->prob[k];
        out->f[at * out->prob_count + k] = crd_diag_quantile_sorted(f, draws, prob);
        out->y[at * out->prob_count + k] = crd_diag_quantile_sorted(y, draws, prob);
    }
    return CRD_OK;
}

/* The targets of a row one by one: f and y are (draws, targets). */
static crd_status summarise_numbers(const struct work *w, int64_t row, int64_t draws, const double *f, const double *y)
{
    int64_t targets = w->out->targets;
    double *one = crdi_alloc_array(w->net->ctx, 2 * draws, sizeof *one);
    crd_status status = one ? CRD_OK : CRD_ENOMEM;
    for (int64_t j = 0; j < targets && status == CRD_OK; j++) {
        for (int64_t d = 0; d < draws; d++) {
            one[d] = f[d * targets + j];
            one[draws + d] = y[d * targets + j];
        }
        status = summarise_number(w, row, j, draws, one, one + draws);
    }
    crdi_free(w->net->ctx, one);
    return status;
}

/* ---- classes ------------------------------------------------------------------------------------------------ */

/* A draw's probability of class k and its entropy. f: one logit for two classes (of the second), else one for each. */
static double class_probability(const double *f, int64_t width, int64_t k)
{
    if (width == 1)
        return 1 / (1 + exp(k == 1 ? -f[0] : f[0]));
    double sum = 0;
    for (int64_t j = 0; j < width; j++)
        sum += exp(f[j] - f[k]);
    return 1 / sum;
}

static double entropy_term(double p)
{
    return p > 0 ? -p * log(p) : 0;
}

/* `scratch` is overwritten: (draws). */
static crd_status summarise_class(const struct work *w, int64_t row, int64_t k, int64_t draws, const double *f,
                                  double *scratch)
{
    crdi_prediction *out = w->out;
    double terms = 0;
    for (int64_t d = 0; d < draws; d++) {
        scratch[d] = class_probability(f + d * w->width, w->width, k);
        terms += entropy_term(scratch[d]);
    }
    int64_t at = row * out->classes + k;
    out->mean[at] = crd_diag_mean(scratch, draws);
    out->sd[at] = crd_diag_sd(scratch, draws);
    out->entropy[row] += entropy_term(out->mean[at]);
    out->expected_entropy[row] += terms / (double)draws;
    if (out->prob_count > 0)
        CRD_TRY(crd_diag_sort(w->net->ctx, scratch, draws, scratch));
    for (int q = 0; q < out->prob_count; q++)
        out->f[at * out->prob_count + q] = crd_diag_quantile_sorted(scratch, draws, w->request->prob[q]);
    return CRD_OK;
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
    double *f = values[0], *y = values[1];
    int64_t targets = out->targets;
    for (int64_t i = 0; i < draws * targets; i++)
        y[i] = crdi_recipe_own_units(w->net->recipe, i, y[i]);
    for (int64_t i = 0; i < out->samples; i++) {
        int64_t draw = w->request->pick ? w->request->pick[i] : i * draws / out->samples;
        for (int64_t j = 0; j < targets; j++)
            out->sample[(row * targets + j) * out->samples + i] = y[draw * targets + j];
    }
    if (targets > 1)
        return summarise_numbers(w, row, draws, f, y);
    if (out->outcome != CRDI_OUTCOME_CLASS)
        return summarise_number(w, row, 0, draws, f, y);
    for (int64_t k = 0; k < out->classes; k++)
        CRD_TRY(summarise_class(w, row, k, draws, f, y));
    return CRD_OK;
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
    return alloc_results(p) ? CRD_OK : CRD_ENOMEM;
}

/* That there are as many draws as samples, and the draws that were picked. */
static crd_status check_samples(const crdi_network_run *net, const crdi_prediction_request *request)
{
    crdi_run_part part;
    CRD_TRY(crdi_run_part_find(net->ctx, net->run, &part));
    int64_t total = request->draws > 0 ? request->draws : part.chains * part.draws;
    crdi_run_part_clear(net->ctx, &part);
    for (int64_t i = 0; request->pick && i < request->samples; i++)
        if (request->pick[i] < 0 || request->pick[i] >= total)
            return crdi_raise(net->ctx, CRD_EINVAL, "draw %lld is asked for, of %lld draws",
                              (long long)request->pick[i] + 1, (long long)total);
    if (!request->pick && request->samples > total)
        return crdi_raise(net->ctx, CRD_EINVAL, "samples: %lld are asked for, of %lld draws",
                          (long long)request->samples, (long long)total);
    return CRD_OK;
}

static crd_status check(const crdi_network_run *net, const crdi_prediction_request *request)
{
    CRD_TRY(crdi_network_run_need(net, "predictions"));
    CRDI_ASSERT(request->x->shape.ndim == 2 && request->x->shape.dim[1] == net->recipe->feature_count);
    for (int k = 0; k < request->prob_count; k++)
        if (!(request->prob[k] >= 0 && request->prob[k] <= 1))
            return crdi_raise(net->ctx, CRD_EINVAL, "quantile %g: it must be between 0 and 1", request->prob[k]);
    return request->samples > 0 ? check_samples(net, request) : CRD_OK;
}

crd_status crdi_prediction_make(const crdi_network_run *net, const crdi_prediction_request *request,
                                crdi_prediction **out)
{
    struct work w = {.net = net, .request = request};
    CRD_TRY(check(net, request));
    crd_status status = create(&w);
    if (status == CRD_OK)
        status = crdi_by_row_run(&(crdi_by_row){.net = net,
                                                .what = "predictions",
                                                .rows = w.out->rows,
                                                .outputs = 2,
                                                .width = {w.width, w.out->targets},
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
    double *const array[] = {p->mean, p->sd, p->f, p->y, p->entropy, p->expected_entropy, p->sample};
    for (int i = 0; i < CRDI_COUNT(array); i++)
        crdi_free(p->ctx, array[i]);
    crdi_free(p->ctx, p);
    *prediction = NULL;
}
