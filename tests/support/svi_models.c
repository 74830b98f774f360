/* svi_models.c - see svi_models.h. */
#include "svi_models.h"

#include <math.h>
#include <string.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

/* ---- small matrices ------------------------------------------------------------------------------------------- */

void small_cholesky(const double *a, int n, double *factor)
{
    memset(factor, 0, sizeof *factor * (size_t)(n * n));
    for (int r = 0; r < n; r++)
        for (int c = 0; c <= r; c++) {
            double sum = a[r * n + c];
            for (int k = 0; k < c; k++)
                sum -= factor[r * n + k] * factor[c * n + k];
            factor[r * n + c] = r == c ? sqrt(sum) : sum / factor[c * n + c];
        }
}

void small_solve(const double *a, int n, const double *b, double *x)
{
    double factor[LINEAR_MOST * LINEAR_MOST];
    small_cholesky(a, n, factor);
    for (int r = 0; r < n; r++) {
        x[r] = b[r];
        for (int k = 0; k < r; k++)
            x[r] -= factor[r * n + k] * x[k];
        x[r] /= factor[r * n + r];
    }
    for (int r = n - 1; r >= 0; r--) {
        for (int k = r + 1; k < n; k++)
            x[r] -= factor[k * n + r] * x[k];
        x[r] /= factor[r * n + r];
    }
}

/* ---- linear regression ---------------------------------------------------------------------------------------- */

void linear_init(struct linear *l, int coefs)
{
    static const double w[LINEAR_MOST] = {0.7, -0.4, 1.1, 0.2};
    double eps[LINEAR_ROWS];
    *l = (struct linear){.coefs = coefs};
    crd_random_normal(crd_key_make(31), LINEAR_ROWS * LINEAR_MOST, l->x);
    crd_random_normal(crd_key_make(32), LINEAR_ROWS, eps);
    for (int i = 0; i < LINEAR_ROWS; i++) {
        l->y[i] = LINEAR_NOISE * eps[i];
        for (int k = 0; k < coefs; k++) {
            /* Columns that hang together, so that the posterior has correlations. */
            double x = coefs == 1 ? 1 : l->x[i * LINEAR_MOST + k] + 0.6 * l->x[i * LINEAR_MOST];
            l->x[i * coefs + k] = x;
            l->y[i] += x * w[k];
        }
    }
}

crd_node linear_model(crd_trace *t, void *user)
{
    struct linear *l = user;
    crd_array x = crd_array_borrow(l->x, crd_shape_2(LINEAR_ROWS, l->coefs));
    crd_array y = crd_array_borrow(l->y, crd_shape_1(LINEAR_ROWS));
    crd_node w =
        crd_sample(t, "w", crd_dist_expand(crd_normal(crd_num(0), crd_num(LINEAR_PRIOR)), crd_shape_1(l->coefs)));
    crd_plate rows = crd_plate_enter_with(t, "rows", LINEAR_ROWS, &(crd_plate_options){.subsample_size = l->subsample});
    int64_t taken = l->subsample ? l->subsample : LINEAR_ROWS;
    crd_node part = crd_subsample(rows, crd_data(t, "x", &x), 0);
    crd_node mean = crd_reshape(crd_matmul(part, crd_reshape(w, crd_shape_2(l->coefs, 1))), crd_shape_1(taken));
    crd_observe_value(t, "y", crd_normal(mean, crd_num(LINEAR_NOISE)),
                      crd_subsample(rows, crd_data(t, "y data", &y), 0));
    crd_plate_leave(rows);
    crd_deterministic(t, "sum", crd_sum(w));
    return mean;
}

double linear_log_prior(const struct linear *l, const double *w, double *gradient)
{
    double sum = 0;
    for (int k = 0; k < l->coefs; k++) {
        double z = w[k] / LINEAR_PRIOR;
        sum += -0.5 * z * z - log(LINEAR_PRIOR) - HALF_LOG_2PI;
        gradient[k] -= z / LINEAR_PRIOR;
    }
    return sum;
}

double linear_log_likelihood(const struct linear *l, const double *w, double *gradient)
{
    double sum = 0;
    for (int i = 0; i < LINEAR_ROWS; i++) {
        double z = l->y[i] / LINEAR_NOISE;
        for (int k = 0; k < l->coefs; k++)
            z -= l->x[i * l->coefs + k] * w[k] / LINEAR_NOISE;
        sum += -0.5 * z * z - log(LINEAR_NOISE) - HALF_LOG_2PI;
        for (int k = 0; k < l->coefs; k++)
            gradient[k] += z * l->x[i * l->coefs + k] / LINEAR_NOISE;
    }
    return sum;
}

void linear_solve(const struct linear *l, struct linear_exact *out)
{
    int n = l->coefs;
    double precision[LINEAR_MOST * LINEAR_MOST] = {0}, right[LINEAR_MOST] = {0}, factor[LINEAR_MOST * LINEAR_MOST];
    double ignored[LINEAR_MOST] = {0};
    for (int r = 0; r < n; r++) {
        precision[r * n + r] = 1 / (LINEAR_PRIOR * LINEAR_PRIOR);
        for (int i = 0; i < LINEAR_ROWS; i++) {
            right[r] += l->x[i * n + r] * l->y[i] / (LINEAR_NOISE * LINEAR_NOISE);
            for (int c = 0; c < n; c++)
                precision[r * n + c] += l->x[i * n + r] * l->x[i * n + c] / (LINEAR_NOISE * LINEAR_NOISE);
        }
    }
    small_solve(precision, n, right, out->mean);
    for (int c = 0; c < n; c++) {
        double unit[LINEAR_MOST] = {0}, column[LINEAR_MOST];
        unit[c] = 1;
        small_solve(precision, n, unit, column);
        for (int r = 0; r < n; r++)
            out->covariance[r * n + c] = column[r];
    }
    small_cholesky(out->covariance, n, out->factor);
    small_cholesky(precision, n, factor);
    /* log p(y) = log p(y, w) - log p(w | y), at w = the posterior's mean. */
    out->log_evidence = linear_log_prior(l, out->mean, ignored) + linear_log_likelihood(l, out->mean, ignored);
    for (int k = 0; k < n; k++)
        out->log_evidence += HALF_LOG_2PI - log(factor[k * n + k]);
}

void linear_check_normal(const double *p, const struct linear_exact *exact, double tolerance)
{
    enum { N = LINEAR_MOST };
    double factor[N * N] = {0};
    for (int r = 0; r < N; r++) {
        factor[r * N + r] = log1p(exp(p[N + r]));
        for (int c = 0; c < r; c++)
            factor[r * N + c] = factor[r * N + r] * p[2 * N + r * N + c];
    }
    for (int r = 0; r < N; r++) {
        double sd = sqrt(exact->covariance[r * N + r]);
        assert_close(p[r], exact->mean[r], 0, tolerance * sd);
        for (int c = 0; c < N; c++) {
            double sum = 0;
            for (int k = 0; k < N; k++)
                sum += factor[r * N + k] * factor[c * N + k];
            assert_close(sum, exact->covariance[r * N + c], 0, tolerance * sd * sqrt(exact->covariance[c * N + c]));
        }
    }
}

/* ---- other models --------------------------------------------------------------------------------------------- */

crd_node schools_model(crd_trace *t, void *none)
{
    static double effect[8] = {28, 8, -3, 7, -1, 1, 18, 12},
                  error[8] = {15, 10, 16, 11, 9, 11, 10, 18}; /* Rubin 1981 */
    crd_array y = crd_array_borrow(effect, crd_shape_1(8)), sigma = crd_array_borrow(error, crd_shape_1(8));
    (void)none;
    crd_node mu = crd_sample(t, "mu", crd_normal(crd_num(0), crd_num(5)));
    crd_node tau = crd_sample(t, "tau", crd_half_normal(crd_num(5)));
    crd_plate schools = crd_plate_enter(t, "schools", 8);
    crd_node z = crd_sample(t, "z", crd_normal(crd_num(0), crd_num(1)));
    crd_node theta = crd_deterministic(t, "theta", crd_add(mu, crd_mul(tau, z)));
    crd_observe(t, "y", crd_normal(theta, crd_data(t, "sigma", &sigma)), &y);
    crd_plate_leave(schools);
    return theta;
}

crd_node network_model(crd_trace *t, void *none)
{
    enum { ROWS = 10, UNITS = 3 };
    double in[ROWS], out[ROWS];
    (void)none;
    for (int i = 0; i < ROWS; i++) {
        in[i] = 0.4 * i - 1.8;
        out[i] = sin(1.3 * in[i]) + 0.1 * ((i * 7) % 5 - 2);
    }
    crd_array x = crd_array_borrow(in, crd_shape_2(ROWS, 1)), y = crd_array_borrow(out, crd_shape_1(ROWS));
    crd_dist unit = crd_normal(crd_num(0), crd_num(1));
    crd_node first = crd_sample(t, "first", crd_dist_expand(unit, crd_shape_2(1, UNITS)));
    crd_node bias = crd_sample(t, "bias", crd_dist_expand(unit, crd_shape_1(UNITS)));
    crd_node second = crd_sample(t, "second", crd_dist_expand(unit, crd_shape_2(UNITS, 1)));
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(0.5)));
    crd_node hidden = crd_tanh(crd_add(crd_matmul(crd_data(t, "x", &x), first), bias));
    crd_plate rows = crd_plate_enter(t, "rows", ROWS);
    crd_node mean = crd_reshape(crd_matmul(hidden, second), crd_shape_1(ROWS));
    crd_observe(t, "y", crd_normal(mean, s), &y);
    crd_plate_leave(rows);
    return mean;
}

/* ---- a loss --------------------------------------------------------------------------------------------------- */

crd_status loss_open(crd_context *ctx, const crdi_guide_request *request, const char *loss, int64_t particles,
                     struct loss_at *out)
{
    struct loss_at at = {.guide = NULL};
    crdi_loss parsed;
    CRD_TRY(crdi_loss_parse(ctx, loss, &parsed));
    CRD_TRY(crdi_guide_create(ctx, request, &at.guide));
    crd_status status = crdi_elbo_create(at.guide, &parsed, particles, 1, NULL, &at.elbo);
    if (status == CRD_OK)
        status = crd_exec_create(&at.exec, at.elbo.program);
    if (status < 0) {
        loss_close(&at);
        return status;
    }
    at.params = at.elbo.params;
    *out = at;
    return CRD_OK;
}

void loss_close(struct loss_at *at)
{
    crd_exec_destroy(&at->exec);
    crdi_elbo_clear(&at->elbo);
    crdi_guide_destroy(&at->guide);
}

const double *loss_run(struct loss_at *at, const double *params, crd_key key, double baseline)
{
    double *input = crd_exec_input(at->exec);
    memcpy(input, params, sizeof *params * (size_t)at->params);
    input[at->params] = key.word[0];
    input[at->params + 1] = key.word[1];
    input[at->params + 2] = baseline;
    crd_exec_run(at->exec);
    return crd_exec_output(at->exec);
}
