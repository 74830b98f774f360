/* test_svi_elbo.c - losses and their gradients at given noise, against a calculation of their own: loops over dense
 * matrices in this file, with nothing of the library but the random numbers. The model is linear, so that all is known. */
#include "svi_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_PARAMS = 40, MOST_PARTICLES = 10, N = LINEAR_MOST };
static const double LOG_2PI = 1.8378770664093454836;

enum family { NORMAL, DIAGONAL, FULL, LOW_RANK };
static const char *const family_text[] = {"normal", "diagonal_normal", "multivariate_normal",
                                          "low_rank_multivariate_normal:2"};
enum { RANK = 2 };

static double softplus(double x)
{
    return log1p(exp(x));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* One draw: its losses, and the gradient of the whole one. */
struct one {
    double divergence, likelihood, gradient[MOST_PARAMS];
};

/* ---- families -------------------------------------------------------------------------------------------------- */

/* u = loc + s v. Gradients in loc, s and what v is made of follow from slope = d loss / d u and from log q. */
static void finish(int n, enum family family, const double *params, const double *v, const double *slope,
                   const double *d_scale, struct one *out)
{
    for (int i = 0; i < n; i++) {
        double to_rho = family == DIAGONAL ? exp(params[n + i]) : sigmoid(params[n + i]);
        out->gradient[i] = slope[i];
        out->gradient[n + i] = (slope[i] * v[i] + d_scale[i]) * to_rho;
    }
}

static double scale_of(enum family family, double rho)
{
    return family == DIAGONAL ? exp(rho) : softplus(rho);
}

/* v of the noise. */
static void shape_noise(int n, enum family family, const double *params, const double *eps, double *v)
{
    const double *more = params + 2 * n;
    for (int i = 0; i < n; i++) {
        v[i] = eps[i];
        for (int k = 0; family == FULL && k < i; k++)
            v[i] += more[i * n + k] * eps[k];
        for (int k = 0; family == LOW_RANK && k < RANK; k++)
            v[i] += more[i * RANK + k] * eps[n + k];
    }
}

/* log q(u) of the low-rank normal as a dense one with covariance s (I + W W') s, and its slopes in W. */
static double low_rank_log_q(int n, const double *params, const double *v, double *d_w)
{
    double c[N * N], factor[N * N], a[N], column[N], log_q = 0;
    const double *w = params + 2 * n;
    for (int r = 0; r < n; r++)
        for (int k = 0; k < n; k++) {
            c[r * n + k] = r == k;
            for (int j = 0; j < RANK; j++)
                c[r * n + k] += w[r * RANK + j] * w[k * RANK + j];
        }
    small_cholesky(c, n, factor);
    small_solve(c, n, v, a);
    for (int i = 0; i < n; i++)
        log_q -= 0.5 * v[i] * a[i] + log(factor[i * n + i]) + 0.5 * LOG_2PI + log(softplus(params[n + i]));
    for (int j = 0; j < RANK; j++) {
        double dot = 0, of_w[N];
        for (int i = 0; i < n; i++) {
            dot += a[i] * w[i * RANK + j];
            of_w[i] = w[i * RANK + j];
        }
        small_solve(c, n, of_w, column);
        for (int i = 0; i < n; i++) /* through |C| and C^-1; that through v: a eta' */
            d_w[i * RANK + j] = a[i] * dot - column[i];
    }
    return log_q;
}

/* The loss of one draw; `mean_field`: with the divergence in closed form. */
static void reference(const struct linear *l, enum family family, bool mean_field, const double *params,
                      const double *eps, struct one *out)
{
    int n = l->coefs;
    double u[N], v[N], s[N], slope[N] = {0}, prior[N] = {0}, d_scale[N] = {0}, log_q = 0, d_w[N * RANK] = {0}, a[N];
    memset(out, 0, sizeof *out);
    shape_noise(n, family, params, eps, v);
    for (int i = 0; i < n; i++) {
        s[i] = scale_of(family, params[n + i]);
        u[i] = params[i] + s[i] * v[i];
        log_q -= 0.5 * eps[i] * eps[i] + log(s[i]) + 0.5 * LOG_2PI;
        d_scale[i] = -1 / s[i];
    }
    if (family == LOW_RANK)
        log_q = low_rank_log_q(n, params, v, d_w);
    out->likelihood = -linear_log_likelihood(l, u, slope);
    out->divergence = log_q - linear_log_prior(l, u, prior);
    if (mean_field) {
        out->divergence = 0;
        for (int i = 0; i < n; i++) {
            double ratio = s[i] / LINEAR_PRIOR, shift = params[i] / LINEAR_PRIOR;
            out->divergence += 0.5 * (ratio * ratio + shift * shift - 1) - log(ratio);
            d_scale[i] += s[i] / (LINEAR_PRIOR * LINEAR_PRIOR);
        }
    }
    for (int i = 0; i < n; i++)
        slope[i] = -slope[i] - (mean_field ? 0 : prior[i]);
    finish(n, family, params, v, slope, d_scale, out);
    for (int i = 0; mean_field && i < n; i++)
        out->gradient[i] += params[i] / (LINEAR_PRIOR * LINEAR_PRIOR);
    for (int i = 0; family == FULL && i < n; i++)
        for (int k = 0; k < i; k++)
            out->gradient[2 * n + i * n + k] = slope[i] * s[i] * eps[k];
    if (family != LOW_RANK)
        return;
    for (int j = 0; j < RANK; j++)
        for (int i = 0; i < n; i++)
            out->gradient[2 * n + i * RANK + j] = slope[i] * s[i] * eps[n + j] + d_w[i * RANK + j];
    /* log q also falls with v = eps + W eta, through which W moves the draw: -(C^-1 v) eta'. */
    double c[N * N];
    const double *w = params + 2 * n;
    for (int r = 0; r < n * n; r++) {
        c[r] = r / n == r % n;
        for (int j = 0; j < RANK; j++)
            c[r] += w[r / n * RANK + j] * w[r % n * RANK + j];
    }
    small_solve(c, n, v, a);
    for (int j = 0; j < RANK; j++)
        for (int i = 0; i < n; i++)
            out->gradient[2 * n + i * RANK + j] -= a[i] * eps[n + j];
}

/* ---- losses of several draws ------------------------------------------------------------------------------------ */

struct loss_case {
    const char *text;
    bool mean_field;
    double alpha;
};
static const struct loss_case loss_cases[] = {{"trace", false, 1},         {"trace_mean_field", true, 1},
                                              {"renyi", false, 0.5},       {"renyi:0.5", false, 0.5},
                                              {"renyi:-1.5", false, -1.5}, {"importance_weighted", false, 0}};

static void combine(const struct one *draw, int particles, double alpha, struct one *out, double *loss)
{
    double power = 1 - alpha, sum = 0, largest = -INFINITY, weight[MOST_PARTICLES];
    memset(out, 0, sizeof *out);
    for (int p = 0; p < particles; p++)
        largest = fmax(largest, -power * (draw[p].divergence + draw[p].likelihood));
    for (int p = 0; p < particles; p++) {
        weight[p] = alpha == 1 ? 1 : exp(-power * (draw[p].divergence + draw[p].likelihood) - largest);
        sum += weight[p];
    }
    *loss = alpha == 1 ? 0 : -(largest + log(sum / particles)) / power;
    for (int p = 0; p < particles; p++) {
        out->divergence += draw[p].divergence / particles;
        out->likelihood += draw[p].likelihood / particles;
        for (int i = 0; i < MOST_PARAMS; i++)
            out->gradient[i] += weight[p] / sum * draw[p].gradient[i];
    }
    if (alpha == 1)
        *loss = out->divergence + out->likelihood;
}

static void compare(crd_context *ctx, struct linear *l, enum family family, const struct loss_case *loss, int particles)
{
    struct loss_at at;
    struct one draw[MOST_PARTICLES], want;
    int n = l->coefs, noise = family == LOW_RANK ? n + RANK : n;
    double params[MOST_PARAMS], eps[MOST_PARTICLES * MOST_PARAMS], value;
    crd_key key = crd_key_make(77);
    assert_ok(ctx, loss_open(ctx, &(crdi_guide_request){.fn = linear_model, .user = l, .text = family_text[family]},
                             loss->text, particles, &at));
    assert_true(at.params <= MOST_PARAMS);
    crd_random_normal(crd_key_make(5), at.params, params);
    crd_random_normal(crd_key_fold_in(key, 0), particles * noise, eps);
    for (int p = 0; p < particles; p++)
        reference(l, family, loss->mean_field, params, eps + p * noise, &draw[p]);
    combine(draw, particles, loss->alpha, &want, &value);
    const double *got = loss_run(&at, params, key, 0);
    assert_close(got[CRDI_ELBO_LOSS], value, 1e-12, 1e-12);
    assert_close(got[CRDI_ELBO_DIVERGENCE], want.divergence, 1e-12, 1e-12);
    assert_close(got[CRDI_ELBO_LIKELIHOOD], want.likelihood, 1e-12, 1e-12);
    for (int64_t i = 0; i < at.params; i++)
        assert_close(got[CRDI_ELBO_GRADIENT + i], want.gradient[i], 1e-11, 1e-11);
    loss_close(&at);
}

static void losses_and_gradients_are_those_of_the_formulas(void **state)
{
    (void)state;
    static const int particles[] = {1, 3, MOST_PARTICLES};
    crd_context *ctx = testing_context();
    struct linear l;
    for (int coefs = 1; coefs <= N; coefs += N - 1) {
        linear_init(&l, coefs);
        for (int f = NORMAL; f <= LOW_RANK; f++)
            for (int c = 0; c < CRDI_COUNT(loss_cases); c++)
                for (int p = 0; p < 3; p++)
                    if ((!loss_cases[c].mean_field || f == NORMAL) && (f != LOW_RANK || coefs > RANK))
                        compare(ctx, &l, (enum family)f, &loss_cases[c], particles[p]);
    }
    testing_context_destroy(&ctx);
}

/* At the exact posterior every draw's weight is the evidence: all losses are its logarithm, whatever the noise, and the
 * plain bound's slope is 0 up to noise whose mean is 0. */
static void at_the_posterior_every_bound_is_the_evidence(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    linear_init(&l, N);
    linear_solve(&l, &exact);
    double params[2 * N + N * N] = {0};
    for (int i = 0; i < N; i++) {
        double s = exact.factor[i * N + i];
        params[i] = exact.mean[i];
        params[N + i] = log(expm1(s));
        for (int k = 0; k < i; k++)
            params[2 * N + i * N + k] = exact.factor[i * N + k] / s;
    }
    for (int c = 0; c < CRDI_COUNT(loss_cases); c++)
        for (int particles = 1; particles <= 3 && !loss_cases[c].mean_field; particles += 2)
            for (uint32_t seed = 0; seed < 3; seed++) {
                struct loss_at at;
                assert_ok(
                    ctx,
                    loss_open(ctx, &(crdi_guide_request){.fn = linear_model, .user = &l, .text = "multivariate_normal"},
                              loss_cases[c].text, particles, &at));
                const double *got = loss_run(&at, params, crd_key_make(seed), 0);
                assert_close(got[CRDI_ELBO_LOSS], -exact.log_evidence, 1e-11, 0);
                loss_close(&at);
            }
    testing_context_destroy(&ctx);
}

/* ---- a positive site -------------------------------------------------------------------------------------------- */

/* s ~ HalfNormal(2), y = 0.7 ~ N(0, s). */
static crd_node scale_model(crd_trace *t, void *none)
{
    static double value = 0.7;
    crd_array y = crd_array_borrow(&value, crd_shape_0());
    (void)none;
    crd_node s = crd_sample(t, "s", crd_half_normal(crd_num(2)));
    crd_observe(t, "y", crd_normal(crd_num(0), s), &y);
    return s;
}

/* With log |dx/du| = u for all guides but delta, whose density is that of the values (NumPyro's AutoDelta). */
static void the_jacobian_counts_for_all_but_delta(void **state)
{
    (void)state;
    static const char *const text[] = {"normal", "delta", "laplace"};
    crd_context *ctx = testing_context();
    for (int k = 0; k < 3; k++) {
        struct loss_at at;
        assert_ok(ctx, loss_open(ctx, &(crdi_guide_request){.fn = scale_model, .text = text[k]}, "trace", 1, &at));
        double params[2] = {-0.3, -1}, eps, jacobian = k != 1;
        crd_random_normal(crd_key_fold_in(crd_key_make(3), 0), 1, &eps);
        double scale = softplus(params[1]), u = params[0] + (k == 0 ? scale * eps : 0), s = exp(u);
        double log_p = 0.5 * log(2 / 3.14159265358979323846) - log(2) - s * s / 8 - 0.5 * LOG_2PI - u -
                       0.5 * 0.49 / (s * s) + jacobian * u;
        double slope = -s * s / 4 - 1 + 0.49 / (s * s) + jacobian;
        double log_q = k == 0 ? -0.5 * eps * eps - log(scale) - 0.5 * LOG_2PI : 0;
        const double *got = loss_run(&at, params, crd_key_make(3), 0);
        assert_int_equal(at.params, k == 0 ? 2 : 1);
        assert_close(got[CRDI_ELBO_LOSS], log_q - log_p, 1e-12, 1e-12);
        assert_close(got[CRDI_ELBO_GRADIENT], -slope, 1e-12, 1e-12);
        if (k == 0)
            assert_close(got[CRDI_ELBO_GRADIENT + 1], (-slope * eps - 1 / scale) * sigmoid(params[1]), 1e-12, 1e-12);
        loss_close(&at);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_gradients_are_those_of_the_formulas),
        cmocka_unit_test(at_the_posterior_every_bound_is_the_evidence),
        cmocka_unit_test(the_jacobian_counts_for_all_but_delta),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
