/* evaluation.c - scores of every row. */
#include "report/evaluation.h"
#include "diag/diag.h"

#include <credence/diag.h>
#include <math.h>

const double crdi_interval_levels[CRDI_LEVELS] = {0.5, 0.8, 0.9, 0.95};

struct work {
    const crdi_outlook_request *request;
    crdi_evaluation *out;
};

static double *cell_at(const crdi_evaluation *e, int64_t target, crdi_cell cell, int64_t row)
{
    return e->cell + (target * CRDI_CELLS + cell) * e->rows + row;
}

const double *crdi_evaluation_cell(const crdi_evaluation *e, int64_t target, crdi_cell cell)
{
    return cell_at(e, target, cell, 0);
}

static void put(crdi_evaluation *e, int64_t target, int cell, int64_t row, double value)
{
    *cell_at(e, target, (crdi_cell)cell, row) = value;
}

static void put_uncertainty(crdi_evaluation *e, int64_t target, int64_t row, crd_uncertainty u)
{
    put(e, target, CRDI_CELL_TOTAL, row, u.total);
    put(e, target, CRDI_CELL_ALEATORIC, row, u.aleatoric);
    put(e, target, CRDI_CELL_EPISTEMIC, row, u.epistemic);
}

static bool is_conformal(const crdi_evaluation *e)
{
    return e->known && e->calibration && e->calibration->conformal != CRDI_CONFORMAL_NONE;
}

/* ---- classes ---------------------------------------------------------------------------------------------------- */

static void put_sets(crdi_evaluation *e, int64_t row, const double *mean, int64_t y)
{
    for (int l = 0; l < CRDI_LEVELS; l++) {
        double limit = crdi_calibration_limit(e->calibration, 0, crdi_interval_levels[l]), size = 0;
        for (int64_t k = 0; k < e->classes; k++)
            size += crdi_calibration_in_set(e->calibration, limit, mean, e->classes, k);
        put(e, 0, CRDI_CELL_CONFORMAL_50 + l, row, crdi_calibration_in_set(e->calibration, limit, mean, e->classes, y));
        put(e, 0, CRDI_CELL_SIZE_50 + l, row, size);
    }
}

/* The parts of the draws' entropy as shares of that of the probabilities that a temperature made of their mean. */
static crd_uncertainty rescale(crd_uncertainty u, const double *p, int64_t classes)
{
    double total = 0, before = u.total;
    for (int64_t k = 0; k < classes; k++)
        total -= p[k] > 0 ? p[k] * log(p[k]) : 0;
    u.total = total;
    u.aleatoric *= before > 0 ? total / before : 0;
    u.epistemic *= before > 0 ? total / before : 0;
    return u;
}

/* p and log_p: [classes] to work in. */
static crd_status put_classes(const struct work *w, const crdi_outlook *o, double *p, double *log_p)
{
    crdi_evaluation *e = w->out;
    int64_t row = o->row, best = 0;
    crd_uncertainty u = crd_uncertainty_of_classes(o->probability, o->weight, o->draws, o->classes, p);
    CRD_TRY(crdi_outlook_pool(e->ctx, o, log_p));
    if (e->calibration && e->calibration->temperature != 1) {
        crdi_calibration_soften(e->calibration, log_p, o->classes);
        for (int64_t k = 0; k < o->classes; k++)
            p[k] = exp(log_p[k]);
        u = rescale(u, p, o->classes);
    }
    put_uncertainty(e, 0, row, u);
    for (int64_t k = 1; k < o->classes; k++)
        best = p[k] > p[best] ? k : best;
    put(e, 0, CRDI_CELL_CONFIDENCE, row, p[best]);
    put(e, 0, CRDI_CELL_SECOND, row, p[1]);
    if (!e->known)
        return CRD_OK;
    int64_t y = (int64_t)w->request->y->data[row];
    put(e, 0, CRDI_CELL_Y, row, (double)y);
    put(e, 0, CRDI_CELL_RIGHT, row, best == y);
    put(e, 0, CRDI_CELL_LOG_DENSITY, row, log_p[y]);
    put(e, 0, CRDI_CELL_BRIER, row, crd_brier(p, o->classes, y));
    if (is_conformal(e))
        put_sets(e, row, p, y);
    return CRD_OK;
}

/* ---- numbers and counts ----------------------------------------------------------------------------------------- */

/* A prediction's quantiles, whatever it is made of. */
struct spread {
    int64_t count;
    const double *mean, *sd, *weight; /* a mixture of normals; mean NULL: draws */
    const double *sorted; /* draws, ascending, with weights in their order */
};

static double quantile(const struct spread *s, double p)
{
    return s->mean ? crd_normal_mixture_quantile(s->mean, s->sd, s->weight, s->count, p)
                   : crd_weighted_quantile_sorted(s->sorted, s->weight, s->count, p);
}

static void put_spread(crdi_evaluation *e, int64_t target, int64_t row, double y, const struct spread *s)
{
    put(e, target, CRDI_CELL_CRPS, row,
        s->mean ? crd_crps_normal_mixture(s->mean, s->sd, s->weight, s->count, y)
                : crd_crps_sorted(s->sorted, s->weight, s->count, y));
    for (int l = 0; l < CRDI_LEVELS; l++) {
        double low = quantile(s, 0.5 - 0.5 * crdi_interval_levels[l]),
               high = quantile(s, 0.5 + 0.5 * crdi_interval_levels[l]);
        put(e, target, CRDI_CELL_COVERED_50 + l, row, y >= low && y <= high);
        put(e, target, CRDI_CELL_WIDTH_50 + l, row, high - low);
    }
}

static crd_status put_draws(crdi_evaluation *e, const crdi_outlook *o, int64_t target, double y)
{
    double *work = crdi_alloc_array(e->ctx, 2 * o->samples, sizeof *work), *weight = work + o->samples;
    int64_t *order = crdi_alloc_array(e->ctx, o->samples, sizeof *order);
    crd_status status = work && order ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crdi_diag_order(e->ctx, o->sample + target * o->samples, o->samples, work, order);
    if (status == CRD_OK) {
        for (int64_t i = 0; o->sample_weight && i < o->samples; i++)
            weight[i] = o->sample_weight[order[i]];
        struct spread s = {.count = o->samples, .sorted = work, .weight = o->sample_weight ? weight : NULL};
        put_spread(e, target, o->row, y, &s);
    }
    crdi_free(e->ctx, work);
    crdi_free(e->ctx, order);
    return status;
}

static crd_status put_mixture(crdi_evaluation *e, const crdi_outlook *o, int64_t target, double y)
{
    const double *variance = o->variance + target * o->draws;
    double *sd = crdi_alloc_array(e->ctx, o->draws, sizeof *sd);
    if (!sd)
        return CRD_ENOMEM;
    for (int64_t d = 0; d < o->draws; d++)
        sd[d] = sqrt(variance[d]);
    struct spread s = {.count = o->draws, .mean = o->mean + target * o->draws, .sd = sd, .weight = o->weight};
    put_spread(e, target, o->row, y, &s);
    crdi_free(e->ctx, sd);
    return CRD_OK;
}

static double weighted_mean(const double *x, const double *weight, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (weight ? weight[i] : 1) * x[i];
    return weight ? sum : sum / (double)n;
}

static void put_intervals(crdi_evaluation *e, int64_t target, int64_t row, double y, double middle, double variance)
{
    for (int l = 0; l < CRDI_LEVELS; l++) {
        double limit = crdi_calibration_limit(e->calibration, target, crdi_interval_levels[l]);
        double half = crdi_calibration_half_width(e->calibration, limit, variance);
        put(e, target, CRDI_CELL_CONFORMAL_50 + l, row, fabs(y - middle) <= half);
        put(e, target, CRDI_CELL_SIZE_50 + l, row, 2 * half);
    }
}

static crd_status put_number(const struct work *w, const crdi_outlook *o, int64_t target)
{
    crdi_evaluation *e = w->out;
    int64_t row = o->row, first = target * o->draws;
    double middle;
    crd_uncertainty u = crd_uncertainty_of_numbers(o->mean + first, o->variance + first, o->weight, o->draws, &middle);
    put_uncertainty(e, target, row, u);
    put(e, target, CRDI_CELL_MIDDLE, row, middle);
    if (!e->known)
        return CRD_OK;
    double y = crdi_outlook_y(w->request, row, target);
    put(e, target, CRDI_CELL_Y, row, y);
    put(e, target, CRDI_CELL_LOG_DENSITY, row, crd_log_mean_exp(o->log_density + first, o->weight, o->draws));
    put(e, target, CRDI_CELL_GAUSSIAN, row, crd_normal_log_density(y, middle, u.total));
    put(e, target, CRDI_CELL_SQUARED, row, (y - middle) * (y - middle));
    put(e, target, CRDI_CELL_CONFIDENCE, row, weighted_mean(o->cdf + first, o->weight, o->draws));
    if (is_conformal(e))
        put_intervals(e, target, row, y, middle, u.total);
    return o->samples > 0 ? put_draws(e, o, target, y) : put_mixture(e, o, target, y);
}

/* The targets are independent under each draw, not over draws. */
static crd_status put_joint(crdi_evaluation *e, const crdi_outlook *o)
{
    double *sum = crdi_alloc_array(e->ctx, o->draws, sizeof *sum);
    if (!sum)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < e->targets; j++)
        for (int64_t d = 0; d < o->draws; d++)
            sum[d] += o->log_density[j * o->draws + d];
    e->joint[o->row] = crd_log_mean_exp(sum, o->weight, o->draws);
    crdi_free(e->ctx, sum);
    return CRD_OK;
}

static crd_status one_row(void *user, const crdi_outlook *o)
{
    const struct work *w = user;
    crdi_evaluation *e = w->out;
    if (o->classes > 0) {
        double *p = crdi_alloc_array(e->ctx, 2 * o->classes, sizeof *p);
        crd_status status = p ? put_classes(w, o, p, p + o->classes) : CRD_ENOMEM;
        crdi_free(e->ctx, p);
        return status;
    }
    for (int64_t j = 0; j < e->targets; j++)
        CRD_TRY(put_number(w, o, j));
    return e->joint ? put_joint(e, o) : CRD_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static crd_status create(struct work *w, const crdi_calibration *calibration)
{
    const crdi_network_run *net = w->request->net;
    const crdi_likelihood *likelihood = crdi_likelihood_find(net->ctx, net->network.likelihood);
    if (!likelihood)
        return CRD_ENAME;
    crdi_evaluation *e = w->out = crdi_alloc(net->ctx, sizeof *e);
    if (!e)
        return CRD_ENOMEM;
    *e = (crdi_evaluation){.ctx = net->ctx,
                           .net = net,
                           .calibration = calibration,
                           .outcome = likelihood->outcome,
                           .known = w->request->y != NULL,
                           .rows = w->request->x->shape.dim[0],
                           .targets = crdi_outlook_targets(net),
                           .classes = net->recipe->class_count};
    e->cell = crdi_alloc_array(e->ctx, e->targets * CRDI_CELLS * e->rows, sizeof *e->cell);
    if (e->known && e->targets > 1)
        e->joint = crdi_alloc_array(e->ctx, e->rows, sizeof *e->joint);
    for (int64_t i = 0; e->cell && i < e->targets * CRDI_CELLS * e->rows; i++)
        e->cell[i] = NAN;
    return e->cell && (e->joint || !e->known || e->targets == 1) ? CRD_OK : CRD_ENOMEM;
}

crd_status crdi_evaluation_make(const crdi_outlook_request *request, const crdi_calibration *calibration,
                                crdi_evaluation **out)
{
    struct work w = {.request = request};
    CRD_TRY(crdi_network_run_need(request->net, request->what));
    crd_status status = create(&w, calibration);
    if (status == CRD_OK) {
        crdi_outlook_request pass = *request;
        pass.row = one_row;
        pass.user = &w;
        status = crdi_outlook_run(&pass);
    }
    if (status < 0)
        crdi_evaluation_destroy(&w.out);
    else
        *out = w.out;
    return status;
}

void crdi_evaluation_destroy(crdi_evaluation **evaluation)
{
    if (!evaluation || !*evaluation)
        return;
    crdi_evaluation *e = *evaluation;
    crdi_free(e->ctx, e->cell);
    crdi_free(e->ctx, e->joint);
    crdi_free(e->ctx, e);
    *evaluation = NULL;
}
