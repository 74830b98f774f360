/* run_likelihood.c - see run_likelihood.h. */
#include "report/run_likelihood.h"
#include "nn/likelihood.h"
#include "report/by_row.h"
#include "store/dataset.h"

#include <credence/diag.h>
#include <math.h>

struct work {
    const crdi_network_run *net;
    crdi_likelihood_row_fn row;
    void *user;
};

static crd_status compile(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"y"};
    const struct work *w = user;
    crd_shape shape;
    crd_network network = w->net->network;
    int64_t features = w->net->x.shape.dim[1];
    const crd_recipe *recipe = w->net->recipe;
    crd_array y = crd_array_borrow(w->net->y.data + first * recipe->target_count, crdi_recipe_shape(recipe, rows));
    network.x = crd_array_borrow(w->net->x.data + first * features, crd_shape_2(rows, features));
    network.y = &y;
    return crd_model_compile_log_likelihood(model, &network, names, 1, &shape, out);
}

static crd_status own_units(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    double less = 0; /* for what is not scaled, as classes and counts */
    for (int64_t j = 0; j < w->net->recipe->target_count; j++)
        less += log(w->net->recipe->targets[j].sd);
    for (int64_t d = 0; d < draws; d++)
        values[0][d] -= less;
    return w->row(w->user, row, draws, values[0]);
}

crd_status crdi_run_log_likelihood(const crdi_network_run *net, int threads, int64_t first, int64_t rows,
                                   crdi_likelihood_row_fn row, void *user)
{
    struct work w = {net, row, user};
    return crdi_by_row_run(&(crdi_by_row){.net = net,
                                          .what = "log likelihoods",
                                          .first = first,
                                          .rows = rows,
                                          .outputs = 1,
                                          .threads = threads,
                                          .compile = compile,
                                          .row = own_units,
                                          .user = &w});
}

/* ---- the target, drawn anew ---------------------------------------------------------------------------------- */

static crd_status compile_target(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"f", "y"}; /* as predictions have it, so that y draws the same noise */
    const struct work *w = user;
    crd_shape shapes[2];
    crd_network network = w->net->network;
    int64_t features = w->net->x.shape.dim[1];
    network.x = crd_array_borrow(w->net->x.data + first * features, crd_shape_2(rows, features));
    network.y = NULL;
    return crd_model_compile_predictive(model, &network, names, 2, shapes, out);
}

static crd_status target_in_own_units(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    for (int64_t i = 0; i < draws * w->net->recipe->target_count; i++)
        values[1][i] = crdi_recipe_own_units(w->net->recipe, i, values[1][i]);
    return w->row(w->user, row, draws, values[1]);
}

crd_status crdi_run_replications(const crdi_network_run *net, int threads, crd_key key, int64_t first, int64_t rows,
                                 crdi_likelihood_row_fn row, void *user)
{
    struct work w = {net, row, user};
    return crdi_by_row_run(&(crdi_by_row){.net = net,
                                          .what = "predictions",
                                          .first = first,
                                          .rows = rows,
                                          .outputs = 2,
                                          .width = {crdi_network_width(&net->network), net->recipe->target_count},
                                          .keyed = true,
                                          .key = key,
                                          .threads = threads,
                                          .compile = compile_target,
                                          .row = target_in_own_units,
                                          .user = &w});
}

/* ---- relative efficiency ------------------------------------------------------------------------------------- */

static const int64_t MOST_NUMBERS = 4 << 20; /* draws in memory, unless one element has more */

static crd_status add_elements(crd_context *ctx, const crdi_run_part *part, const double *draws, int64_t count,
                               double *sum)
{
    int64_t n = part->chains * part->draws;
    for (int64_t e = 0; e < count; e++) {
        double ess;
        CRD_TRY(crd_diag_ess_mean(ctx, draws + e * n, part->chains, part->draws, &ess));
        *sum += ess;
    }
    return CRD_OK;
}

static crd_status sum_of_ess(crd_context *ctx, crd_run *run, const crdi_run_part *part, double *work, int64_t together,
                             double *sum, int64_t *elements)
{
    for (int c = 0; c < crd_run_column_count(run); c++) {
        const crd_column *column = crd_run_column(run, c);
        if (column->kind == CRD_COLUMN_STATISTIC)
            continue;
        for (int64_t e = 0; e < column->size; e += together) {
            int64_t count = together < column->size - e ? together : column->size - e;
            CRD_TRY(crdi_run_read_elements(ctx, run, column, part, e, count, work));
            CRD_TRY(add_elements(ctx, part, work, count, sum));
        }
        *elements += column->size;
    }
    return CRD_OK;
}

crd_status crdi_run_relative_efficiency(crd_context *ctx, crd_run *run, const crdi_run_part *part, double *out)
{
    int64_t n = part->chains * part->draws, together = n > 0 && MOST_NUMBERS / n > 1 ? MOST_NUMBERS / n : 1;
    int64_t elements = 0, largest = 1;
    double sum = 0;
    if (part->chains == 1) {
        *out = 1;
        return CRD_OK;
    }
    for (int c = 0; c < crd_run_column_count(run); c++)
        largest = crd_run_column(run, c)->size > largest ? crd_run_column(run, c)->size : largest;
    together = together < largest ? together : largest;
    double *work = crdi_alloc_array(ctx, together * n, sizeof *work);
    if (!work)
        return CRD_ENOMEM;
    crd_status status = sum_of_ess(ctx, run, part, work, together, &sum, &elements);
    crdi_free(ctx, work);
    CRD_TRY(status);
    double reff = sum / (double)elements / (double)n;
    if (!(reff > 0 && isfinite(reff)))
        return crdi_raise(ctx, CRD_EMISSING, "%lld draws a chain are too few to say what they are worth; more --draws",
                          (long long)part->draws);
    *out = reff;
    return CRD_OK;
}
