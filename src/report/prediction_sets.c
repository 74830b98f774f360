/* prediction_sets.c - see prediction_sets.h. Mean and variance of y are computed as for the calibration rows. */
#include "report/prediction_sets.h"
#include "report/evaluation.h"

static void set_intervals(crdi_prediction *p, const crdi_evaluation *e, const crdi_calibration *c, double coverage)
{
    for (int64_t j = 0; j < p->targets; j++) {
        const double *middle = crdi_evaluation_cell(e, j, CRDI_CELL_MIDDLE);
        const double *total = crdi_evaluation_cell(e, j, CRDI_CELL_TOTAL);
        double limit = crdi_calibration_limit(c, j, coverage);
        for (int64_t i = 0; i < p->rows; i++) {
            double half = crdi_calibration_half_width(c, limit, total[i]);
            p->low[i * p->targets + j] = middle[i] - half;
            p->high[i * p->targets + j] = middle[i] + half;
        }
    }
}

static crd_status add_intervals(crdi_prediction *p, const crdi_outlook_request *request, const crdi_calibration *c,
                                double coverage)
{
    crdi_evaluation *e;
    crdi_outlook_request pass = *request;
    pass.y = NULL;
    p->low = crdi_alloc_array(p->ctx, p->rows * p->targets, sizeof *p->low);
    p->high = crdi_alloc_array(p->ctx, p->rows * p->targets, sizeof *p->high);
    if (!p->low || !p->high)
        return CRD_ENOMEM;
    CRD_TRY(crdi_evaluation_make(&pass, c, &e));
    set_intervals(p, e, c, coverage);
    crdi_evaluation_destroy(&e);
    return CRD_OK;
}

crd_status crdi_prediction_add_sets(crdi_prediction *p, const crdi_outlook_request *request, const crdi_calibration *c,
                                    double coverage)
{
    if (p->outcome != CRDI_OUTCOME_CLASS)
        return add_intervals(p, request, c, coverage);
    double limit = crdi_calibration_limit(c, 0, coverage);
    p->in_set = crdi_alloc_array(p->ctx, p->rows * p->classes, sizeof *p->in_set);
    if (!p->in_set)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t k = 0; k < p->classes; k++)
            p->in_set[i * p->classes + k] = crdi_calibration_in_set(c, limit, p->mean + i * p->classes, p->classes, k);
    return CRD_OK;
}
