/* prediction_calibrated.c - see prediction_calibrated.h. What limits apply to is computed as it was for the calibration rows. */
#include "report/prediction_calibrated.h"
#include "report/evaluation.h"

#include <math.h>

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

static crd_status add_sets(crdi_prediction *p, const crdi_calibration *c, double coverage)
{
    double limit = crdi_calibration_limit(c, 0, coverage);
    p->in_set = crdi_alloc_array(p->ctx, p->rows * p->classes, sizeof *p->in_set);
    if (!p->in_set)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t k = 0; k < p->classes; k++)
            p->in_set[i * p->classes + k] = crdi_calibration_in_set(c, limit, p->mean + i * p->classes, p->classes, k);
    return CRD_OK;
}

static void soften(crdi_prediction *p, const crdi_calibration *c)
{
    for (int64_t i = 0; i < p->rows; i++) {
        double *mean = p->mean + i * p->classes, before = p->entropy[i];
        for (int64_t k = 0; k < p->classes; k++)
            mean[k] = log(mean[k]);
        crdi_calibration_soften(c, mean, p->classes);
        p->entropy[i] = 0;
        for (int64_t k = 0; k < p->classes; k++) {
            mean[k] = exp(mean[k]);
            p->entropy[i] -= mean[k] > 0 ? mean[k] * log(mean[k]) : 0;
        }
        p->expected_entropy[i] *= before > 0 ? p->entropy[i] / before : 0;
    }
}

crd_status crdi_prediction_calibrate(crdi_prediction *p, const crdi_outlook_request *request, const crdi_calibration *c,
                                     double coverage)
{
    if (c->conformal != CRDI_CONFORMAL_NONE)
        return p->outcome == CRDI_OUTCOME_CLASS ? add_sets(p, c, coverage) : add_intervals(p, request, c, coverage);
    if (c->temperature != 1)
        soften(p, c);
    return CRD_OK;
}
