/* test_laplace.c - the Laplace approximation: linear models against their exact posteriors, each form of the Gauss-Newton matrix
 * against one that is summed naively, slopes of the evidence against differences, tuning, and what is refused. */
#include "infer/laplace/laplace.h"
#include "infer/eigen.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { ROWS = 23, INPUTS = 2, MOST = 90, MOST_OUT = 3, UNITS = 24 };

struct data {
    double x[ROWS * INPUTS], y[ROWS];
    crd_array target;
    crd_network network;
};

/* Inputs and targets of a key: numbers, or classes. */
static void make_data(struct data *d, const char *likelihood, const char *hidden, int rows, int classes)
{
    double noise[ROWS];
    memset(d, 0, sizeof *d);
    crd_random_normal(crd_key_make(3), rows * INPUTS, d->x);
    crd_random_normal(crd_key_make(4), rows, noise);
    for (int i = 0; i < rows; i++) {
        const double *x = d->x + i * INPUTS;
        d->y[i] = 0.7 * x[0] - 0.4 * x[1] + 0.3 + 0.5 * sin(2 * x[0]) + 0.4 * noise[i];
        if (classes)
            d->y[i] = fmin(fmax(floor(classes / 2.0 + d->y[i]), 0), classes - 1);
    }
    d->target = crd_array_borrow(d->y, crd_shape_1(rows));
    d->network = (crd_network){.hidden = hidden,
                               .activation = "tanh",
                               .prior = "normal:0,1",
                               .noise = "half_cauchy:0.5",
                               .likelihood = likelihood,
                               .classes = classes,
                               .x = crd_array_borrow(d->x, crd_shape_2(rows, INPUTS)),
                               .y = &d->target};
}

/* ---- dense, by the textbook ----------------------------------------------------------------------------------- */

/* a (n, n) symmetric positive definite -> its inverse by Gauss and Jordan, and log |a|. */
static double invert(int n, const double *a, double *out)
{
    double w[MOST * MOST], log_det = 0;
    memcpy(w, a, sizeof *w * (size_t)(n * n));
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            out[r * n + c] = r == c;
    for (int k = 0; k < n; k++) {
        double pivot = w[k * n + k];
        log_det += log(pivot);
        for (int c = 0; c < n; c++) {
            w[k * n + c] /= pivot;
            out[k * n + c] /= pivot;
        }
        for (int r = 0; r < n; r++) {
            double factor = w[r * n + k];
            for (int c = 0; c < n && r != k; c++) {
                w[r * n + c] -= factor * w[k * n + c];
                out[r * n + c] -= factor * out[k * n + c];
            }
        }
    }
    return log_det;
}

/* The covariance that draws come from: of each unit vector of noise, summed. */
static void covariance_of(const crdi_laplace *l, double *out)
{
    int n = (int)l->random;
    double noise[MOST], delta[MOST];
    memset(out, 0, sizeof *out * (size_t)(n * n));
    for (int k = 0; k < n; k++) {
        memset(noise, 0, sizeof noise);
        noise[k] = 1;
        l->type->draw(l, noise, delta);
        for (int r = 0; r < n; r++)
            for (int c = 0; c < n; c++)
                out[r * n + c] += delta[r] * delta[c];
    }
}

static crdi_laplace *create(crd_context *ctx, struct data *d, const char *hessian, const char *tune,
                            const char *precisions)
{
    crdi_laplace *l;
    assert_ok(ctx, crdi_laplace_create(ctx, &d->network,
                                       &(crdi_laplace_options){
                                           .hessian = hessian, .tune = tune, .precisions = precisions, .map_starts = 4},
                                       &l));
    return l;
}

/* ---- linear models: the exact posterior ----------------------------------------------------------------------- */

static const double LOC[] = {0.3, 0.3, -0.2}, SD[] = {1.5, 1.5, 0.8};
static const char PRIOR[] = "net/Dense_0.kernel=normal:0.3,1.5;net/Dense_0.bias=normal:-0.2,0.8";

static void design(const struct data *d, int i, double *phi)
{
    phi[0] = d->x[i * INPUTS];
    phi[1] = d->x[i * INPUTS + 1];
    phi[2] = 1;
}

/* log N(y; Phi loc, Phi diag(sd^2 / factor) Phi' + s^2), the exact evidence. */
static double exact_evidence(const struct data *d, double factor, double s)
{
    double k[ROWS * ROWS], inverse[ROWS * ROWS], r[ROWS], sum = 0;
    for (int i = 0; i < ROWS; i++) {
        double a[3], b[3];
        design(d, i, a);
        r[i] = d->y[i];
        for (int p = 0; p < 3; p++)
            r[i] -= a[p] * LOC[p];
        for (int j = 0; j < ROWS; j++) {
            design(d, j, b);
            k[i * ROWS + j] = i == j ? s * s : 0;
            for (int p = 0; p < 3; p++)
                k[i * ROWS + j] += a[p] * b[p] * SD[p] * SD[p] / factor;
        }
    }
    double log_det = invert(ROWS, k, inverse);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < ROWS; j++)
            sum += r[i] * inverse[i * ROWS + j] * r[j];
    return -0.5 * (sum + log_det + ROWS * log(2 * M_PI));
}

static void exact_posterior(const struct data *d, double factor, double s, double *mean, double *covariance)
{
    double h[9] = {0}, rhs[3], phi[3];
    for (int p = 0; p < 3; p++) {
        h[4 * p] = factor / (SD[p] * SD[p]);
        rhs[p] = h[4 * p] * LOC[p];
    }
    for (int i = 0; i < ROWS; i++) {
        design(d, i, phi);
        for (int p = 0; p < 3; p++) {
            rhs[p] += phi[p] * d->y[i] / (s * s);
            for (int q = 0; q < 3; q++)
                h[3 * p + q] += phi[p] * phi[q] / (s * s);
        }
    }
    invert(3, h, covariance);
    for (int p = 0; p < 3; p++) {
        mean[p] = 0;
        for (int q = 0; q < 3; q++)
            mean[p] += covariance[3 * p + q] * rhs[q];
    }
}

static void check_linear(const struct data *d, crdi_laplace *l, double factor)
{
    double mean[3], exact[9], found[9], f[ROWS], variance[ROWS], phi[3];
    exact_posterior(d, factor, l->noise, mean, exact);
    covariance_of(l, found);
    for (int p = 0; p < 3; p++)
        assert_close(l->theta[p], mean[p], 1e-9, 1e-10);
    for (int p = 0; p < 9; p++)
        assert_close(found[p], exact[p], 1e-9, 1e-12);
    assert_close(l->log_evidence, exact_evidence(d, factor, l->noise), 1e-9, 0);
    assert_ok(l->ctx, crdi_laplace_predict(l, &d->network.x, f, variance));
    for (int i = 0; i < ROWS; i++) {
        double value = 0, spread = 0;
        design(d, i, phi);
        for (int p = 0; p < 3; p++) {
            value += phi[p] * mean[p];
            for (int q = 0; q < 3; q++)
                spread += phi[p] * phi[q] * exact[3 * p + q];
        }
        assert_close(f[i], value, 1e-9, 1e-9);
        assert_close(variance[i], spread, 1e-9, 0);
    }
}

static void test_linear_exact(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    static const char *const forms[] = {"full", "last_layer"};
    for (int i = 0; i < CRDI_COUNT(forms); i++) {
        make_data(&d, NULL, "none", ROWS, 0);
        d.network.prior = PRIOR;
        crdi_laplace *l = create(ctx, &d, forms[i], "none", "one");
        assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
        assert_in_range((int)(1000 * l->noise), 200, 800);
        if (i == 0)
            check_linear(&d, l, 1);
        crdi_laplace_destroy(&l);
    }
    testing_context_destroy(&ctx);
}

/* s is at its most probable value on its own scale: there the derivative in s of log p(theta*, s, y) is 0. */
static void test_noise_at_map(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "none", ROWS, 0);
    d.network.prior = PRIOR;
    crdi_laplace *l = create(ctx, &d, "full", "none", "one");
    assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
    double s = l->noise, slope = -ROWS / s + l->squares / (s * s * s) - 2 * s / (0.25 + s * s);
    assert_close(slope, 0, 0, 1e-5);
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* The evidence that tuning ends at is the exact one, and lower to each side. */
static void test_linear_tuned(void **state)
{
    static const double STEP = 0.02;
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "none", ROWS, 0);
    d.network.prior = PRIOR;
    crdi_laplace *l = create(ctx, &d, "full", "all", "one");
    assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
    assert_true(l->converged);
    check_linear(&d, l, l->factor[0]);
    double best = l->log_evidence, factor = l->factor[0], s = l->noise;
    for (int side = -1; side <= 1; side += 2) {
        assert_true(exact_evidence(&d, factor * exp(side * STEP), s) < best);
        assert_true(exact_evidence(&d, factor, s * exp(side * STEP)) < best);
    }
    double central = exact_evidence(&d, factor * exp(1e-4), s) - exact_evidence(&d, factor * exp(-1e-4), s);
    assert_close(central / 2e-4, 0, 0, 1e-4);
    central = exact_evidence(&d, factor, s * exp(1e-4)) - exact_evidence(&d, factor, s * exp(-1e-4));
    assert_close(central / 2e-4, 0, 0, 1e-3);
    assert_close(crdi_laplace_effective(l), ROWS - l->squares / (s * s), 1e-3, 0); /* MacKay's re-estimate of s */
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* The same prior in words gives the same posterior. */
static void test_prior_text(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    crdi_string text;
    double mean[3];
    (void)state;
    make_data(&d, NULL, "none", ROWS, 0);
    d.network.prior = PRIOR;
    crdi_laplace *l = create(ctx, &d, "full", "all", "one");
    assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_laplace_prior_text(l, &text));
    d.network.prior = crdi_string_text(&text);
    crdi_laplace *again = create(ctx, &d, "full", "none", "one");
    memcpy(mean, l->theta, sizeof mean);
    assert_ok(ctx, crdi_laplace_at(again, mean, l->noise));
    assert_close(again->log_evidence, l->log_evidence, 1e-12, 0);
    assert_close(again->log_det, l->log_det, 1e-12, 0);
    crdi_laplace_destroy(&again);
    crdi_laplace_destroy(&l);
    crdi_string_clear(&text);
    testing_context_destroy(&ctx);
}

/* ---- forms against a naive sum -------------------------------------------------------------------------------- */

/* The network in long double: weights by layers, kernel rows and then the bias; tanh between. */
static void forward(const crdi_laplace *l, const long double *theta, const double *x, long double *f)
{
    long double a[UNITS], z[UNITS];
    for (int i = 0; i < INPUTS; i++)
        a[i] = x[i];
    for (int k = 0; k < l->layers; k++) {
        const crdi_laplace_layer *layer = &l->layer[k];
        for (int j = 0; j < layer->out; j++) {
            z[j] = theta[layer->first + layer->in * layer->out + j];
            for (int i = 0; i < layer->in; i++)
                z[j] += a[i] * theta[layer->first + i * layer->out + j];
        }
        for (int j = 0; j < layer->out; j++)
            a[j] = tanhl(z[j]);
    }
    for (int c = 0; c < l->outputs; c++)
        f[c] = z[c];
}

/* J (outputs, count) by differences. */
static void naive_jacobian(const crdi_laplace *l, const double *x, double *f, double *out)
{
    static const long double H = 1e-5L;
    long double theta[MOST] = {0}, up[MOST_OUT], down[MOST_OUT];
    int n = (int)l->count;
    for (int i = 0; i < n; i++)
        theta[i] = l->theta[i];
    forward(l, theta, x, up);
    for (int c = 0; c < l->outputs; c++)
        f[c] = (double)up[c];
    for (int i = 0; i < n; i++) {
        theta[i] = l->theta[i] + H;
        forward(l, theta, x, up);
        theta[i] = l->theta[i] - H;
        forward(l, theta, x, down);
        theta[i] = l->theta[i];
        for (int c = 0; c < l->outputs; c++)
            out[c * n + i] = (double)((up[c] - down[c]) / (2 * H));
    }
}

/* Minus the second derivative of the log likelihood in f. */
static void naive_lambda(const crdi_laplace *l, const double *f, double *out)
{
    double p[MOST_OUT], sum = 0;
    int q = (int)l->outputs;
    for (int c = 0; c < q; c++)
        sum += exp(f[c]);
    for (int c = 0; c < q; c++)
        p[c] = exp(f[c]) / sum;
    for (int c = 0; c < q; c++)
        for (int d = 0; d < q; d++)
            out[c * q + d] = (c == d) * p[c] - p[c] * p[d];
    if (strcmp(l->likelihood->name, "normal") == 0)
        out[0] = 1 / (l->noise * l->noise);
    if (strcmp(l->likelihood->name, "bernoulli") == 0)
        out[0] = exp(f[0]) / ((1 + exp(f[0])) * (1 + exp(f[0])));
}

/* The part of the sum over rows that one row gives, (count, count), added. */
static void add_row(const crdi_laplace *l, const double *x, double *sum)
{
    double f[MOST_OUT], jacobian[MOST_OUT * MOST], lambda[MOST_OUT * MOST_OUT];
    int n = (int)l->count, q = (int)l->outputs;
    naive_jacobian(l, x, f, jacobian);
    naive_lambda(l, f, lambda);
    for (int r = 0; r < n; r++)
        for (int k = 0; k < n; k++)
            for (int c = 0; c < q; c++)
                for (int d = 0; d < q; d++)
                    sum[r * n + k] += jacobian[c * n + r] * lambda[c * q + d] * jacobian[d * n + k];
}

static double precision_of(const crdi_laplace *l, int i)
{
    int k = 0;
    while (i >= l->layer[k].first + l->layer[k].size)
        k++;
    return l->factor[l->layer[k].group] *
           (i - l->layer[k].first < l->layer[k].in * l->layer[k].out ? 1 / 0.49 : 1 / 1.69);
}

/* What each form should make of the sum: H of the random weights. */
static void expected(const crdi_laplace *l, const struct data *d, double *h)
{
    int n = (int)l->count, first = (int)l->first, m = (int)l->random, rows = (int)l->rows;
    double sum[MOST * MOST] = {0};
    for (int i = 0; i < rows; i++)
        add_row(l, d->x + i * INPUTS, sum);
    for (int r = 0; r < m; r++)
        for (int c = 0; c < m; c++) {
            bool counts = strcmp(l->type->name, "diagonal") != 0 || r == c;
            h[r * m + c] = counts ? sum[(first + r) * n + first + c] : 0;
            h[r * m + c] += r == c ? precision_of(l, first + r) : 0;
        }
}

/* For the Kronecker form: layer by layer (1/n) sum a a' x sum of b_c lambda b_d, with a and b found in the Jacobian: the biases'
 * columns are b, the others a times them. */
static void expected_kronecker(const crdi_laplace *l, const struct data *d, double *h)
{
    int n = (int)l->count, q = (int)l->outputs, rows = (int)l->rows;
    memset(h, 0, sizeof *h * (size_t)(n * n));
    for (int k = 0; k < l->layers; k++) {
        int in = (int)l->layer[k].in + 1, out = (int)l->layer[k].out, first = (int)l->layer[k].first;
        double inputs[64] = {0}, outputs[64] = {0};
        for (int i = 0; i < rows; i++) {
            double f[MOST_OUT], jacobian[MOST_OUT * MOST], lambda[MOST_OUT * MOST_OUT], a[8];
            naive_jacobian(l, d->x + i * INPUTS, f, jacobian);
            naive_lambda(l, f, lambda);
            const double *b = jacobian + first + (in - 1) * out;
            int sure = 0; /* the output and unit whose derivative is largest tell a best */
            for (int c = 0; c < q; c++)
                for (int j = 0; j < out; j++)
                    if (fabs(b[c * n + j]) > fabs(b[sure / out * n + sure % out]))
                        sure = c * out + j;
            for (int r = 0; r < in; r++)
                a[r] = jacobian[sure / out * n + first + r * out + sure % out] / b[sure / out * n + sure % out];
            for (int r = 0; r < in; r++)
                for (int c = 0; c < in; c++)
                    inputs[r * in + c] += a[r] * a[c];
            for (int r = 0; r < out; r++)
                for (int c = 0; c < out; c++)
                    for (int e = 0; e < q * q; e++)
                        outputs[r * out + c] += b[e / q * n + r] * lambda[e] * b[e % q * n + c];
        }
        for (int r = 0; r < in * out; r++)
            for (int c = 0; c < in * out; c++)
                h[(first + r) * n + first + c] =
                    inputs[r / out * in + c / out] * outputs[r % out * out + c % out] / rows +
                    (r == c ? precision_of(l, first + r) : 0);
    }
}

/* Covariance, determinant, variance of f. */
static void check_form(crdi_laplace *l, const struct data *d)
{
    double h[MOST * MOST], inverse[MOST * MOST], found[MOST * MOST], f[ROWS * MOST_OUT];
    double variance[ROWS * MOST_OUT * MOST_OUT];
    int m = (int)l->random, q = (int)l->outputs, n = (int)l->count;
    if (strcmp(l->type->name, "kronecker") == 0)
        expected_kronecker(l, d, h);
    else
        expected(l, d, h);
    assert_close(l->log_det, invert(m, h, inverse), 1e-7, 1e-7);
    covariance_of(l, found);
    for (int i = 0; i < m * m; i++)
        assert_close(found[i], inverse[i], 1e-6, 1e-7);
    assert_ok(l->ctx, crdi_laplace_predict(l, &d->network.x, f, variance));
    for (int i = 0; i < l->rows; i++) {
        double jacobian[MOST_OUT * MOST], value[MOST_OUT];
        naive_jacobian(l, d->x + i * INPUTS, value, jacobian);
        for (int c = 0; c < q; c++) {
            assert_close(f[i * q + c], value[c], 1e-12, 1e-12);
            for (int e = 0; e < q; e++) {
                double sum = 0;
                for (int r = 0; r < m; r++)
                    for (int k = 0; k < m; k++)
                        sum += jacobian[c * n + l->first + r] * inverse[r * m + k] * jacobian[e * n + l->first + k];
                assert_close(variance[(i * q + c) * q + e], sum, 1e-6, 1e-7);
            }
        }
    }
}

/* What searches go by: unwhiten is the root that draws are made with, whiten its transpose; both until the next solve with traces. */
static void check_whitening(crdi_laplace *l)
{
    double z[MOST], g[MOST], draw[MOST], out[MOST], again[MOST], left = 0, right = 0, size = 0;
    int m = (int)l->random;
    if (!l->type->whiten)
        return;
    crd_random_normal(crd_key_make(11), m, z);
    crd_random_normal(crd_key_make(12), m, g);
    l->type->draw(l, z, draw);
    l->type->unwhiten(l, z, out);
    l->type->whiten(l, g, again);
    for (int i = 0; i < m; i++) {
        assert_close(out[i], draw[i], 1e-9, 1e-10);
        left += out[i] * g[i];
        right += z[i] * again[i];
        size += fabs(out[i] * g[i]);
    }
    assert_close(left, right, 0, 1e-9 * size);
    double noise = l->noise;
    l->noise *= 3;
    assert_true(crdi_laplace_evidence(l, NULL));
    l->type->draw(l, z, draw);
    l->type->unwhiten(l, z, again);
    assert_memory_equal(out, again, sizeof *out * (size_t)m);
    assert_memory_not_equal(draw, out, sizeof *out * (size_t)m);
    l->noise = noise;
    assert_ok(l->ctx, crdi_laplace_judge(l));
}

static const char *const forms[] = {"full", "diagonal", "kronecker", "last_layer"};
static const struct {
    const char *likelihood;
    int classes;
} likelihoods[] = {{"normal", 0}, {"bernoulli", 2}, {"categorical", 3}};

/* Slopes in the log of each factor and of s against central differences of the evidence, theta* held. */
static void check_slopes(crdi_laplace *l)
{
    static const double H = 1e-4;
    double slope[CRDI_LAPLACE_LAYERS + 1], again[CRDI_LAPLACE_LAYERS + 1];
    assert_true(crdi_laplace_evidence(l, slope));
    for (int g = 0; g <= l->groups; g++) {
        double *setting = g < l->groups ? &l->factor[g] : &l->noise, at = *setting, side[2];
        if (g == l->groups && !l->likelihood->noisy)
            continue;
        for (int s = 0; s < 2; s++) {
            *setting = at * exp(s ? -H : H);
            assert_true(crdi_laplace_evidence(l, NULL));
            side[s] = l->log_evidence;
        }
        *setting = at;
        assert_close(slope[g], (side[0] - side[1]) / (2 * H), 1e-6, 1e-6);
    }
    assert_true(crdi_laplace_evidence(l, again));
    assert_memory_equal(slope, again, sizeof *slope * (size_t)(l->groups + 1));
}

static void check_at_a_point(crdi_laplace *l, const struct data *d)
{
    double theta[MOST];
    crd_random_normal(crd_key_make(9), l->count, theta);
    assert_ok(l->ctx, crdi_laplace_at(l, theta, 0.45));
    check_form(l, d);
    check_whitening(l);
    check_slopes(l);
}

static void test_forms(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    for (int k = 0; k < CRDI_COUNT(likelihoods); k++)
        for (int i = 0; i < CRDI_COUNT(forms); i++)
            for (int rows = 1; rows <= ROWS; rows += ROWS - 1) {
                make_data(&d, likelihoods[k].likelihood, "3,2", rows, likelihoods[k].classes);
                d.network.prior = "*.kernel=normal:0.1,0.7;*.bias=normal:0,1.3";
                crdi_laplace *l = create(ctx, &d, forms[i], "prior", "layer");
                l->factor[0] = 0.6;
                l->factor[1] = 1.7;
                check_at_a_point(l, &d);
                crdi_laplace_destroy(&l);
            }
    testing_context_destroy(&ctx);
}

/* More weights than go through the sum, the factor and the inverse at once. */
static void test_wide(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "20", ROWS, 0);
    d.network.prior = "*.kernel=normal:0.1,0.7;*.bias=normal:0,1.3";
    crdi_laplace *l = create(ctx, &d, "full", "prior", "layer");
    check_at_a_point(l, &d);
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* Lower triangles of a sum of squares over several blocks: the factor gives it back, the inverse undoes the factor. */
static void test_dense(void **state)
{
    enum { N = 150 };
    static double root[N * N], a[N * N], lower[N * N], inverse[N * N];
    crd_context *ctx = testing_context();
    crdi_laplace l = {.ctx = ctx};
    (void)state;
    crd_random_normal(crd_key_make(2), N * N, root);
    for (int r = 0; r < N; r++)
        for (int c = 0; c <= r; c++) {
            a[r * N + c] = r == c ? 1 : 0;
            for (int k = 0; k < N; k++)
                a[r * N + c] += root[r * N + k] * root[c * N + k];
        }
    for (int n = 1; n <= N; n += n == 1 ? 63 : n == 64 ? 1 : 85) { /* 1, 64, 65, 150 */
        for (int r = 0; r < n; r++)
            memcpy(lower + r * n, a + r * N, sizeof *a * (size_t)n);
        assert_true(crdi_dense_cholesky(&l, lower, n));
        crdi_dense_inverse_lower(&l, lower, n, inverse);
        for (int r = 0; r < n; r++)
            for (int c = 0; c <= r; c++) {
                double back = 0, one = 0;
                for (int k = 0; k <= c; k++)
                    back += lower[r * n + k] * lower[c * n + k];
                for (int k = c; k <= r; k++)
                    one += lower[r * n + k] * inverse[k * n + c];
                assert_close(back, a[r * N + c], 1e-12, 1e-10);
                assert_close(one, r == c, 0, 1e-11);
            }
        for (int r = 0; r < n; r++)
            memcpy(lower + r * n, a + r * N, sizeof *a * (size_t)n);
        lower[n * n - 1] = -1;
        assert_false(crdi_dense_cholesky(&l, lower, n));
    }
    testing_context_destroy(&ctx);
}

/* Of one row the Kronecker form's layers are the full matrix's own. */
static void test_kronecker_of_one_row(void **state)
{
    struct data d;
    double theta[MOST], h[MOST * MOST], inverse[MOST * MOST], found[MOST * MOST];
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, "bernoulli", "3", 1, 2);
    d.network.prior = "*.kernel=normal:0.1,0.7;*.bias=normal:0,1.3";
    crdi_laplace *l = create(ctx, &d, "kronecker", "none", "one");
    crd_random_normal(crd_key_make(9), l->count, theta);
    assert_ok(ctx, crdi_laplace_at(l, theta, 1));
    expected(l, &d, h);
    int n = (int)l->count;
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            if ((r < l->layer[1].first) != (c < l->layer[1].first))
                h[r * n + c] = 0;
    assert_close(l->log_det, invert(n, h, inverse), 1e-8, 1e-8);
    covariance_of(l, found);
    for (int i = 0; i < n * n; i++)
        assert_close(found[i], inverse[i], 1e-6, 1e-8);
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* The last layer is a linear model of frozen features: their exact posterior. */
static void test_last_layer_of_features(void **state)
{
    struct data d, features;
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "2", ROWS, 0);
    d.network.prior = "net/Dense_1.kernel=normal:0.3,1.5;net/Dense_1.bias=normal:-0.2,0.8;net/Dense_0.*=normal:0,1";
    crdi_laplace *l = create(ctx, &d, "last_layer", "none", "one");
    assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
    make_data(&features, NULL, "none", ROWS, 0);
    for (int i = 0; i < ROWS; i++) {
        long double a[2];
        for (int j = 0; j < 2; j++)
            a[j] = tanhl(d.x[2 * i] * (long double)l->theta[j] + d.x[2 * i + 1] * (long double)l->theta[2 + j] +
                         l->theta[4 + j]);
        features.x[2 * i] = (double)a[0];
        features.x[2 * i + 1] = (double)a[1];
    }
    double mean[3], exact[9], found[9];
    exact_posterior(&features, 1, l->noise, mean, exact);
    covariance_of(l, found);
    for (int p = 0; p < 3; p++)
        assert_close(l->theta[6 + p], mean[p], 1e-5, 1e-6);
    for (int p = 0; p < 9; p++)
        assert_close(found[p], exact[p], 1e-9, 1e-11);
    assert_close(l->log_evidence, exact_evidence(&features, 1, l->noise), 1e-8, 0);
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* Several blocks of rows give what one gives. */
static void test_many_rows(void **state)
{
    enum { MANY = 700 };
    static double x[MANY * INPUTS], y[MANY], f[MANY], variance[MANY];
    struct data d;
    double theta[MOST];
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "3", ROWS, 0);
    for (int i = 0; i < MANY; i++) {
        memcpy(x + i * INPUTS, d.x + i % ROWS * INPUTS, sizeof *x * INPUTS);
        y[i] = d.y[i % ROWS];
    }
    for (int i = 0; i < CRDI_COUNT(forms); i++) {
        crdi_laplace *few = create(ctx, &d, forms[i], "none", "one");
        crd_random_normal(crd_key_make(9), few->count, theta);
        assert_ok(ctx, crdi_laplace_at(few, theta, 0.3));
        struct data more = d;
        more.target = crd_array_borrow(y, crd_shape_1(ROWS * (MANY / ROWS)));
        more.network.y = &more.target;
        more.network.x = crd_array_borrow(x, crd_shape_2(ROWS * (MANY / ROWS), INPUTS));
        crdi_laplace *many = create(ctx, &more, forms[i], "none", "one");
        assert_ok(ctx, crdi_laplace_at(many, theta, 0.3 * sqrt(MANY / ROWS))); /* as often, so much less each */
        assert_close(many->log_det, few->log_det, 1e-9, 1e-9);
        crd_array all = crd_array_borrow(x, crd_shape_2(MANY, INPUTS));
        assert_ok(ctx, crdi_laplace_predict(many, &all, f, variance));
        for (int r = 0; r < MANY; r++) {
            assert_close(f[r], f[r % ROWS], 1e-13, 0);
            assert_close(variance[r], variance[r % ROWS], 1e-12, 0);
        }
        crdi_laplace_destroy(&many);
        crdi_laplace_destroy(&few);
    }
    testing_context_destroy(&ctx);
}

/* A class that counts twice is one whose rows stand twice. */
static void test_class_weights(void **state)
{
    static const double weight[] = {1, 2, 1};
    static double x[2 * ROWS * INPUTS], y[2 * ROWS];
    struct data d;
    double theta[MOST];
    int rows = 0;
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, "categorical", "3", ROWS, 3);
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < (int)weight[(int)d.y[i]]; k++, rows++) {
            memcpy(x + rows * INPUTS, d.x + i * INPUTS, sizeof *x * INPUTS);
            y[rows] = d.y[i];
        }
    struct data twice = d;
    twice.target = crd_array_borrow(y, crd_shape_1(rows));
    twice.network.y = &twice.target;
    twice.network.x = crd_array_borrow(x, crd_shape_2(rows, INPUTS));
    d.network.class_weight = weight;
    for (int i = 0; i < CRDI_COUNT(forms); i++) {
        crdi_laplace *weighted = create(ctx, &d, forms[i], "none", "one");
        crdi_laplace *many = create(ctx, &twice, forms[i], "none", "one");
        crd_random_normal(crd_key_make(9), many->count, theta);
        assert_ok(ctx, crdi_laplace_at(many, theta, 1));
        assert_ok(ctx, crdi_laplace_at(weighted, theta, 1));
        assert_close(weighted->log_likelihood, many->log_likelihood, 1e-12, 0);
        if (i != 2) /* the product of sums knows no weights of rows */
            assert_close(weighted->log_det, many->log_det, 1e-12, 0);
        if (i == 0) {
            assert_ok(ctx, crdi_laplace_fit(many, crd_key_make(1)));
            assert_ok(ctx, crdi_laplace_fit(weighted, crd_key_make(1)));
            assert_close(weighted->log_evidence, many->log_evidence, 1e-8, 0);
        }
        crdi_laplace_destroy(&weighted);
        crdi_laplace_destroy(&many);
    }
    testing_context_destroy(&ctx);
}

/* ---- the linear network --------------------------------------------------------------------------------------- */

/* With linear_about the model's f is f* + J (theta - theta*), with J from the naive differences. */
static void test_linear_network(void **state)
{
    static const char *const keep[] = {"f"};
    struct data d;
    double theta[MOST], far[MOST], u[MOST + 1];
    crd_context *ctx = testing_context();
    crd_program *program;
    crd_exec *exec;
    crd_model *model;
    crd_shape shape;
    (void)state;
    for (int k = 0; k < CRDI_COUNT(likelihoods); k++) {
        make_data(&d, likelihoods[k].likelihood, "3,2", ROWS, likelihoods[k].classes);
        crdi_laplace *l = create(ctx, &d, "diagonal", "none", "one");
        crd_random_normal(crd_key_make(9), l->count, theta);
        crd_random_normal(crd_key_make(10), l->count, far);
        assert_ok(ctx, crdi_laplace_at(l, theta, 0.7));
        d.network.linear_about = theta;
        assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &d.network));
        assert_ok(ctx, crd_model_compile_values(model, keep, 1, &shape, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        crdi_laplace_unconstrained(l, far, u);
        memcpy(crd_exec_input(exec), u, sizeof(double) * (size_t)crd_model_dim(model));
        crd_exec_run(exec);
        const double *found = crd_exec_output(exec) + crd_model_dim(model);
        for (int i = 0; i < ROWS; i++) {
            double f[MOST_OUT], jacobian[MOST_OUT * MOST];
            naive_jacobian(l, d.x + i * INPUTS, f, jacobian);
            for (int c = 0; c < l->outputs; c++) {
                for (int p = 0; p < l->count; p++)
                    f[c] += jacobian[c * l->count + p] * (far[p] - theta[p]);
                assert_close(found[i * l->outputs + c], f[c], 1e-7, 1e-7);
            }
        }
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_model_destroy(&model);
        crdi_laplace_destroy(&l);
    }
    testing_context_destroy(&ctx);
}

/* ---- tuning of networks --------------------------------------------------------------------------------------- */

/* The evidence at the most probable weights of a setting is lower to both sides of each setting that was tuned. */
static void check_peak(crdi_laplace *l, double *setting)
{
    static const double BY = 0.05;
    double best = l->log_evidence, at = *setting, theta[MOST];
    memcpy(theta, l->theta, sizeof(double) * (size_t)l->count);
    for (int side = -1; side <= 1; side += 2) {
        *setting = at * exp(side * BY);
        assert_ok(l->ctx, crdi_laplace_climb(l, true));
        assert_true(l->log_evidence < best + 1e-4);
        memcpy(l->theta, theta, sizeof(double) * (size_t)l->count);
    }
    *setting = at;
    assert_ok(l->ctx, crdi_laplace_climb(l, true));
    assert_close(l->log_evidence, best, 1e-6, 0);
}

static void test_tuned(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    for (int k = 0; k < CRDI_COUNT(likelihoods); k += 2)
        for (int i = 0; i < CRDI_COUNT(forms); i++)
            for (int by_layer = 0; by_layer < 2; by_layer++) {
                make_data(&d, likelihoods[k].likelihood, by_layer ? "2" : "none", ROWS, likelihoods[k].classes);
                crdi_laplace *l = create(ctx, &d, forms[i], "all", by_layer ? "layer" : "one");
                assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
                /* each layer by its own, without what it has to do with others, may have no best prior */
                assert_true(l->gradient < 1e-4 && (l->converged || (by_layer && i > 0)));
                for (int g = 0; g < l->groups && !by_layer;
                     g++) /* with one maximum, so that it is the same to all sides */
                    check_peak(l, &l->factor[g]);
                if (l->likelihood->noisy && !by_layer)
                    check_peak(l, &l->noise);
                crdi_laplace_destroy(&l);
            }
    testing_context_destroy(&ctx);
}

/* The noise of a network by the evidence: a peak, at weights that are most probable there, and few gradients for it: 517, and 987
 * where searches do not go by the matrix. */
static void test_tuned_noise(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "8", ROWS, 0);
    crdi_laplace *l = create(ctx, &d, "full", "noise", "one");
    l->options.map_starts = 1;
    assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
    assert_true(l->converged && l->gradient < 1e-5);
    assert_in_range(l->evaluations, 100, 750);
    check_peak(l, &l->noise);
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* ---- draws ---------------------------------------------------------------------------------------------------- */

static void test_draws(void **state)
{
    enum { DRAWS = 4000 };
    struct data d;
    double mean[9] = {0}, square[9] = {0}, covariance[81], theta[9], work[9], at[9];
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "2", ROWS, 0);
    crdi_laplace *l = create(ctx, &d, "full", "none", "one");
    crd_random_normal(crd_key_make(9), l->count, at);
    assert_ok(ctx, crdi_laplace_at(l, at, 0.4));
    covariance_of(l, covariance);
    for (int k = 0; k < DRAWS; k++) {
        crdi_laplace_draw(l, crd_key_fold_in(crd_key_make(5), (uint32_t)k), theta, work);
        for (int i = 0; i < 9; i++) {
            double away = theta[i] - at[i];
            mean[i] += away / DRAWS;
            square[i] += away * away / DRAWS;
        }
    }
    for (int i = 0; i < 9; i++) { /* 4.5 standard errors: 18 looks give a false alarm in 1 of 8000 tests */
        double variance = covariance[10 * i];
        assert_close(mean[i], 0, 0, 4.5 * sqrt(variance / DRAWS));
        assert_close(square[i], variance, 0, 4.5 * variance * sqrt(2.0 / DRAWS));
    }
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* Neither point nor draws depend on threads. */
static void test_threads(void **state)
{
    struct data d;
    double theta[2][MOST];
    crd_context *ctx = testing_context();
    (void)state;
    for (int i = 0; i < 2; i++) {
        crdi_laplace *l;
        make_data(&d, NULL, "3", ROWS, 0);
        assert_ok(ctx, crdi_laplace_create(ctx, &d.network, &(crdi_laplace_options){.threads = 1 + 2 * i}, &l));
        assert_ok(ctx, crdi_laplace_fit(l, crd_key_make(1)));
        memcpy(theta[i], l->theta, sizeof(double) * (size_t)l->count);
        crdi_laplace_destroy(&l);
    }
    assert_memory_equal(theta[0], theta[1], sizeof(double) * 13);
    testing_context_destroy(&ctx);
}

/* ---- what is refused ------------------------------------------------------------------------------------------ */

static void check_refused(crd_context *ctx, struct data *d, const crdi_laplace_options *options, crd_status status,
                          const char *part)
{
    crdi_laplace *l = NULL;
    crd_status found = crdi_laplace_create(ctx, &d->network, options, &l);
    if (found != status)
        fail_msg("status %d, not %d: %s", found, status, crd_error_message(ctx));
    if (!strstr(crd_error_message(ctx), part))
        fail_msg("'%s' is not in '%s'", part, crd_error_message(ctx));
    assert_null(l);
    crd_error_clear(ctx);
}

static void test_refused(void **state)
{
    struct data d;
    crdi_laplace_options none = {0};
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, "poisson", "3", ROWS, 3);
    check_refused(ctx, &d, &none, CRD_EUNSUPPORTED, "not with poisson");
    make_data(&d, NULL, "3", ROWS, 0);
    d.network.noise = "heteroscedastic";
    check_refused(ctx, &d, &none, CRD_EUNSUPPORTED, "one noise s");
    make_data(&d, NULL, "3", ROWS, 0);
    d.network.prior = "*.kernel=ard:half_cauchy:1;*.bias=normal:0,1";
    check_refused(ctx, &d, &none, CRD_EUNSUPPORTED, "known");
    d.network.prior = "noncentered(scale:half_cauchy:1)";
    check_refused(ctx, &d, &none, CRD_EUNSUPPORTED, "net/Dense_0.kernel");
    d.network.prior = "half_normal:1";
    check_refused(ctx, &d, &none, CRD_EUNSUPPORTED, "not of all numbers");
    d.network.prior = "student_t:4,0,1";
    check_refused(ctx, &d, &(crdi_laplace_options){.tune = "prior"}, CRD_EUNSUPPORTED, "normal priors only");
    check_refused(ctx, &d, &(crdi_laplace_options){.hessian = "kronecker"}, CRD_EUNSUPPORTED, "needs normal priors");
    make_data(&d, "bernoulli", "3", ROWS, 2);
    check_refused(ctx, &d, &(crdi_laplace_options){.tune = "noise"}, CRD_EINVAL, "bernoulli has none");
    check_refused(ctx, &d, &(crdi_laplace_options){.hessian = "ful"}, CRD_ENAME, "full");
    make_data(&d, NULL, "1700", ROWS, 0);
    check_refused(ctx, &d, &none, CRD_EINVAL, "6801 weights");
    check_refused(ctx, &d, &(crdi_laplace_options){.hessian = "kronecker"}, CRD_EINVAL, "1700 units");
    testing_context_destroy(&ctx);
}

/* A prior of another kind goes by its curvature; where it curves upwards there is no normal. */
static void test_other_priors(void **state)
{
    struct data d;
    double theta[MOST] = {0};
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "none", ROWS, 0);
    d.network.prior = "student_t:4,0,0.5";
    crdi_laplace *l = create(ctx, &d, "full", "none", "one");
    theta[1] = 0.3;
    assert_ok(ctx, crdi_laplace_at(l, theta, 0.4));
    assert_close(l->precision[0], 5 / (4 * 0.25), 1e-12, 0); /* (df + 1) / (df scale^2) at its middle */
    theta[1] = 3;
    assert_int_equal(crdi_laplace_at(l, theta, 0.4), CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "net/Dense_0.kernel does not curve"));
    crd_error_clear(ctx);
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

static int stop_now(void *user)
{
    (void)user;
    return 1;
}

/* A perfect fit with s free: no maximum. Stopping. */
static void test_no_maximum(void **state)
{
    struct data d;
    crd_context *ctx = testing_context();
    (void)state;
    make_data(&d, NULL, "none", ROWS, 0);
    d.network.prior = "normal:0,1e6";
    for (int i = 0; i < ROWS; i++)
        d.y[i] = 2 * d.x[INPUTS * i] + 1;
    crdi_laplace *l = create(ctx, &d, "full", "none", "one");
    assert_int_equal(crdi_laplace_fit(l, crd_key_make(1)), CRD_EDOMAIN);
    assert_non_null(strstr(crd_error_message(ctx), "noise s"));
    crd_error_clear(ctx);
    l->options.stop = stop_now;
    assert_int_equal(crdi_laplace_fit(l, crd_key_make(1)), CRD_INTERRUPTED);
    crdi_laplace_destroy(&l);
    testing_context_destroy(&ctx);
}

/* ---- eigenvectors --------------------------------------------------------------------------------------------- */

static void test_eigen(void **state)
{
    enum { N = 17 };
    double a[N * N], copy[N * N], values[N], vectors[N * N];
    (void)state;
    crd_random_normal(crd_key_make(2), N * N, copy);
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++) {
            a[r * N + c] = 0;
            for (int k = 0; k < N / 2; k++) /* half of the eigenvalues are 0 */
                a[r * N + c] += copy[r * N + k] * copy[c * N + k] * (k == 0 ? 1e6 : 1);
        }
    memcpy(copy, a, sizeof a);
    crdi_eigen(a, N, values, vectors);
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++) {
            double back = 0, product = 0;
            for (int k = 0; k < N; k++) {
                back += vectors[r * N + k] * values[k] * vectors[c * N + k];
                product += vectors[k * N + r] * vectors[k * N + c];
            }
            assert_close(back, copy[r * N + c], 0, 1e-7); /* the largest is 1e7 */
            assert_close(product, r == c, 0, 1e-14);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eigen),
        cmocka_unit_test(test_linear_exact),
        cmocka_unit_test(test_noise_at_map),
        cmocka_unit_test(test_linear_tuned),
        cmocka_unit_test(test_prior_text),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_kronecker_of_one_row),
        cmocka_unit_test(test_last_layer_of_features),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_linear_network),
        cmocka_unit_test(test_tuned),
        cmocka_unit_test(test_tuned_noise),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_other_priors),
        cmocka_unit_test(test_no_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
