/* linearised.c - see linearised.h. f of a row is normal with mean f* and variance J H^-1 J' (Immer, Korzepa & Bauer 2021). */
#include "report/linearised.h"
#include "diag/diag.h"
#include "store/network_laplace.h"

#include <math.h>

/* ---- classes ------------------------------------------------------------------------------------------------ */

static double shrunk(double f, double variance)
{
    return f / sqrt(1 + M_PI * variance / 8);
}

void crdi_probit_probabilities(const double *f, const double *variance, int64_t outputs, double *p)
{
    double total = 0;
    if (outputs == 1) {
        p[1] = 1 / (1 + exp(-shrunk(f[0], variance[0])));
        p[0] = 1 / (1 + exp(shrunk(f[0], variance[0])));
        return;
    }
    for (int64_t k = 0; k < outputs; k++) {
        double sum = 0;
        for (int64_t j = 0; j < outputs; j++) {
            double v = variance[k * outputs + k] + variance[j * outputs + j] - variance[k * outputs + j] -
                       variance[j * outputs + k];
            sum += exp(-shrunk(f[k] - f[j], fmax(v, 0)));
        }
        p[k] = 1 / sum;
        total += p[k];
    }
    for (int64_t k = 0; k < outputs; k++)
        p[k] /= total;
}

static void set_class(crdi_prediction *out, int64_t row, const double *f, const double *variance, int64_t outputs)
{
    double *p = out->mean + row * out->classes;
    crdi_probit_probabilities(f, variance, outputs, p);
    out->entropy[row] = 0;
    for (int64_t k = 0; k < out->classes; k++)
        out->entropy[row] -= p[k] > 0 ? p[k] * log(p[k]) : 0;
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

static void set_number(const crdi_network_run *net, const double *z, double noise, int64_t row, double f,
                       double variance, crdi_prediction *out)
{
    const crd_recipe *recipe = net->recipe;
    double sd = recipe->target_sd * sqrt(variance), with = recipe->target_sd * sqrt(variance + noise * noise);
    out->mean[row] = recipe->target_mean + recipe->target_sd * f;
    out->sd[row] = sd;
    out->epistemic[row] = sd * sd;
    out->aleatoric[row] = recipe->target_sd * noise * recipe->target_sd * noise;
    for (int k = 0; k < out->prob_count; k++) {
        /* z is infinite at 0 and 1, and stays so times 0 */
        out->f[row * out->prob_count + k] = out->mean[row] + (sd > 0 ? sd * z[k] : 0);
        out->y[row * out->prob_count + k] = out->mean[row] + with * z[k];
    }
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static void set_rows(const crdi_network_run *net, const crdi_prediction_request *request, const crdi_laplace *l,
                     const double *f, const double *variance, double *z, crdi_prediction *out)
{
    for (int k = 0; k < out->prob_count; k++)
        z[k] = crdi_diag_normal_quantile(request->prob[k]);
    for (int64_t i = 0; i < out->rows; i++)
        if (out->outcome == CRDI_OUTCOME_CLASS)
            set_class(out, i, f + i * l->outputs, variance + i * l->outputs * l->outputs, l->outputs);
        else
            set_number(net, z, l->noise, i, f[i], variance[i], out);
}

crd_status crdi_linearised_apply(const crdi_network_run *net, const crdi_prediction_request *request,
                                 crdi_prediction *out)
{
    crdi_laplace *l;
    if (out->outcome == CRDI_OUTCOME_CLASS && !request->probit)
        return CRD_OK;
    CRD_TRY(crdi_network_run_laplace(net, &l));
    double *f = crdi_alloc_array(net->ctx, out->rows * l->outputs, sizeof *f);
    double *variance = crdi_alloc_array(net->ctx, out->rows * l->outputs * l->outputs, sizeof *variance);
    double *z = crdi_alloc_array(net->ctx, out->prob_count + 1, sizeof *z);
    crd_status status = f && variance && z ? crdi_laplace_predict(l, request->x, f, variance) : CRD_ENOMEM;
    if (status == CRD_OK)
        set_rows(net, request, l, f, variance, z, out);
    crdi_free(net->ctx, f);
    crdi_free(net->ctx, variance);
    crdi_free(net->ctx, z);
    crdi_laplace_destroy(&l);
    return status;
}
