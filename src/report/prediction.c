/* prediction.c - predictions at new inputs: of every draw, then their moments and quantiles. */
#include "report/prediction.h"
#include "report/by_row.h"

#include <credence/diag.h>

struct work {
    const crdi_network_run *net;
    const crdi_prediction_request *request;
    crdi_prediction *out;
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

/* In the target's units. */
static crd_status summarise_row(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    const crd_recipe *recipe = w->net->recipe;
    crd_context *ctx = w->net->ctx;
    crdi_prediction *out = w->out;
    double *f = values[0], *y = values[1];
    for (int64_t d = 0; d < draws; d++) {
        f[d] = recipe->target_mean + recipe->target_sd * f[d];
        y[d] = recipe->target_mean + recipe->target_sd * y[d];
    }
    out->mean[row] = crd_diag_mean(f, draws);
    out->sd[row] = crd_diag_sd(f, draws);
    CRD_TRY(crd_diag_sort(ctx, f, draws, f));
    CRD_TRY(crd_diag_sort(ctx, y, draws, y));
    for (int k = 0; k < out->prob_count; k++) {
        double prob = w->request->prob[k];
        out->f[row * out->prob_count + k] = crd_diag_quantile_sorted(f, draws, prob);
        out->y[row * out->prob_count + k] = crd_diag_quantile_sorted(y, draws, prob);
    }
    return CRD_OK;
}

static crd_status create(crdi_prediction **out, crd_context *ctx, int64_t rows, int prob_count)
{
    crdi_prediction *p = crdi_alloc(ctx, sizeof *p);
    if (!p)
        return CRD_ENOMEM;
    *p = (crdi_prediction){.ctx = ctx, .rows = rows, .prob_count = prob_count};
    p->mean = crdi_alloc_array(ctx, rows, sizeof *p->mean);
    p->sd = crdi_alloc_array(ctx, rows, sizeof *p->sd);
    p->f = crdi_alloc_array(ctx, rows * prob_count, sizeof *p->f);
    p->y = crdi_alloc_array(ctx, rows * prob_count, sizeof *p->y);
    if (!p->mean || !p->sd || !p->f || !p->y) {
        crdi_prediction_destroy(&p);
        return CRD_ENOMEM;
    }
    *out = p;
    return CRD_OK;
}

crd_status crdi_prediction_make(const crdi_network_run *net, const crdi_prediction_request *request,
                                crdi_prediction **out)
{
    struct work w = {.net = net, .request = request};
    CRD_TRY(crdi_network_run_need(net, "predictions"));
    CRDI_ASSERT(request->x->shape.ndim == 2 && request->x->shape.dim[1] == net->recipe->feature_count);
    for (int k = 0; k < request->prob_count; k++)
        if (!(request->prob[k] >= 0 && request->prob[k] <= 1))
            return crdi_raise(net->ctx, CRD_EINVAL, "quantile %g: it must be between 0 and 1", request->prob[k]);
    CRD_TRY(create(&w.out, net->ctx, request->x->shape.dim[0], request->prob_count));
    crd_status status = crdi_by_row_run(&(crdi_by_row){.net = net,
                                                       .what = "predictions",
                                                       .rows = w.out->rows,
                                                       .outputs = 2,
                                                       .keyed = true,
                                                       .key = request->key,
                                                       .draws = request->draws,
                                                       .threads = request->threads,
                                                       .memory = request->memory,
                                                       .compile = compile,
                                                       .row = summarise_row,
                                                       .user = &w});
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
    crdi_free(p->ctx, p->mean);
    crdi_free(p->ctx, p->sd);
    crdi_free(p->ctx, p->f);
    crdi_free(p->ctx, p->y);
    crdi_free(p->ctx, p);
    *prediction = NULL;
}
