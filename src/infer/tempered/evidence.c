/* evidence.c - estimates of an evidence, put together. */
#include "infer/tempered/tempered.h"

#include <math.h>

/* In the space of the evidence itself, where each estimate is unbiased: the mean of their logarithms would be too small. */
void crdi_evidence_combine(const double *log_estimate, int64_t count, double *log_evidence, double *error)
{
    double most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, log_estimate[i]);
    *log_evidence = most;
    *error = NAN;
    if (!isfinite(most))
        return;
    for (int64_t i = 0; i < count; i++)
        sum += exp(log_estimate[i] - most);
    double mean = sum / (double)count;
    *log_evidence = most + log(mean);
    for (int64_t i = 0; i < count; i++) {
        double off = exp(log_estimate[i] - most) / mean - 1;
        squares += off * off;
    }
    if (count > 1)
        *error = sqrt(squares / ((double)count * (double)(count - 1)));
}

/* P(|T| <= t) of Student's t of `freedom` degrees, t = sqrt(freedom) tan(angle) (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4). */
static double within(double angle, int64_t freedom)
{
    bool odd = freedom % 2;
    double c = cos(angle), term = odd ? c : 1, sum = freedom > 1 ? term : 0;
    for (int64_t k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
        term *= c * c * (double)(k - 1) / (double)k;
        sum += term;
    }
    return odd ? 2 / 3.141592653589793 * (angle + sin(angle) * sum) : sin(angle) * sum;
}

double crdi_student_95(int64_t freedom)
{
    enum { MANY = 1000, BISECTIONS = 60 };
    double low = 0, high = 1.5707963267948966;
    if (freedom > MANY)
        return 1.9599639845400545;
    for (int k = 0; k < BISECTIONS; k++) {
        double middle = 0.5 * (low + high);
        if (within(middle, freedom) < 0.95)
            low = middle;
        else
            high = middle;
    }
    return sqrt((double)freedom) * tan(low);
}

void crdi_evidence_conclude(crd_evidence *e, const double *log_estimate, int64_t count)
{
    crdi_evidence_combine(log_estimate, count, &e->log_evidence, &e->error);
    double half = count > 1 ? crdi_student_95(count - 1) * e->error : NAN;
    e->low = e->log_evidence - half;
    e->high = e->log_evidence + half;
}

void crdi_evidence_lag(crd_evidence *e, const double *lag)
{
    double n = (double)e->runs, squares = 0;
    e->lag = 0;
    for (int64_t r = 0; r < e->runs; r++)
        e->lag += lag[r] / n;
    for (int64_t r = 0; r < e->runs; r++)
        squares += (lag[r] - e->lag) * (lag[r] - e->lag);
    e->lag_error = e->runs > 1 ? sqrt(squares / (n * (n - 1))) : NAN;
}

double crdi_evidence_effective(const double *log_weight, int64_t count)
{
    double most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, log_weight[i]);
    for (int64_t i = 0; i < count; i++) {
        double weight = exp(log_weight[i] - most);
        sum += weight;
        squares += weight * weight;
    }
    return sum * sum / ((double)count * squares);
}

crd_status crdi_evidence_create(crd_evidence *out, crd_context *ctx, int64_t runs, int64_t temperatures)
{
    crd_evidence e = {
        .ctx = ctx, .runs = runs, .temperatures = temperatures, .effective = 1, .lag = NAN, .lag_error = NAN};
    e.run = crdi_alloc_array(ctx, runs, sizeof *e.run);
    e.beta = crdi_alloc_array(ctx, temperatures, sizeof *e.beta);
    e.accept = crdi_alloc_array(ctx, temperatures, sizeof *e.accept);
    if (!e.run || !e.beta || !e.accept) {
        crd_evidence_clear(&e);
        return CRD_ENOMEM;
    }
    *out = e;
    return CRD_OK;
}

void crd_evidence_clear(crd_evidence *e)
{
    if (e->ctx) {
        crdi_free(e->ctx, e->run);
        crdi_free(e->ctx, e->beta);
        crdi_free(e->ctx, e->accept);
    }
    *e = (crd_evidence){0};
}
