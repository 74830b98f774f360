/* test_discrete.c - distributions of counts and classes beyond what every row of dist.def keeps: multinomials, ordered
 * classes, the same law in other parameters, and those that are made of another distribution.
 * Statistical tests have fixed keys; each would fail for one key in 10^4 by chance. */
#include "distributions.h"

#include <float.h>

enum { DRAWS = 20000 };

/* ---- gradients of a program ---------------------------------------------------------------------------------- */

static double sum_of(crd_exec *exec, int64_t count)
{
    double sum = 0;
    crd_exec_run(exec);
    for (int64_t i = 0; i < count; i++)
        sum += crd_exec_output(exec)[i];
    return sum;
}

/* Compiles y and the gradient of its sum in one input, and compares that with central differences at `at`. Gives y and
 * the gradient. */
static void differentiate(crd_context *ctx, crd_graph *g, crd_node y, crd_node input, const double *at, double *out)
{
    crd_program *program;
    crd_exec *exec;
    crd_node outputs[2] = {y};
    int64_t n = crd_shape_size(crd_node_shape(y)), m = crd_shape_size(crd_node_shape(input));
    crd_gradient(crd_sum(y), &input, 1, &outputs[1]);
    assert_ok(ctx, crd_compile(g, &input, 1, outputs, 2, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    double *in = crd_exec_input(exec);
    memcpy(in, at, sizeof *at * (size_t)m);
    crd_exec_run(exec);
    memcpy(out, crd_exec_output(exec), sizeof *out * (size_t)(n + m));
    for (int64_t i = 0; i < m; i++) {
        double h = 6e-6 * fmax(1, fabs(at[i]));
        in[i] = at[i] + h;
        double up = sum_of(exec, n);
        in[i] = at[i] - h;
        double down = sum_of(exec, n);
        in[i] = at[i];
        assert_close(out[n + i], (up - down) / (2 * h), 1e-6, 1e-6);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
}

/* ---- the reference ------------------------------------------------------------------------------------------- */

static const json_t *row_named(const json_t *file, const char *name)
{
    const json_t *rows = json_object_get(file, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(rows, i), "distribution")), name) == 0)
            return json_array_get(rows, i);
    fail_msg("no reference for %s", name);
    return NULL;
}

static void agree(const char *name, const char *what, const double *ours, const json_t *theirs)
{
    double expected[64];
    assert_non_null(theirs);
    int64_t n = testing_numbers(theirs, expected);
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(ours[i] - expected[i]) <= 1e-9 * fabs(expected[i]) + 1e-13))
            fail_msg("%s: %s %d is %.17g, the reference has %.17g", name, what, (int)i, ours[i], expected[i]);
}

static crd_node json_node(crd_graph *g, const json_t *values, crd_shape shape)
{
    double numbers[64];
    assert_int_equal(testing_numbers(values, numbers), crd_shape_size(shape));
    return array_node(g, numbers, shape);
}

static void multinomial_agrees_with_the_reference(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    json_t *file = testing_json("distributions.json");
    const json_t *row = row_named(file, "MultinomialProbs");
    const json_t *params = json_object_get(row, "params");
    double probs[3], out[16];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    assert_int_equal(testing_numbers(json_object_get(params, "probs"), probs), 3);
    crd_node p = crd_input(g, "probs", crd_shape_1(3)),
             n = crd_num(testing_number(json_object_get(params, "total_count")));
    crd_dist dist = crd_multinomial(p, n);
    crd_node x = json_node(g, json_object_get(row, "values"), crd_shape_2(2, 3));
    differentiate(ctx, g, crd_dist_log_prob(&dist, x), p, probs, out);
    agree("multinomial", "log density", out, json_object_get(row, "log_prob"));
    agree("multinomial", "slope", out + 2, json_object_get(json_object_get(row, "grad_params_of_sum"), "probs"));
    dist.param[0] = array_node(g, probs, crd_shape_1(3));
    elements_of(dist.type->mean(&dist), out, 3);
    agree("multinomial", "mean", out, json_object_get(row, "mean"));
    elements_of(dist.type->variance(&dist), out, 3);
    agree("multinomial", "variance", out, json_object_get(row, "variance"));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
    json_decref(file);
}

static void ordered_logistic_agrees_with_the_reference(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    json_t *file = testing_json("distributions.json");
    const json_t *row = row_named(file, "OrderedLogistic"), *slopes = json_object_get(row, "grad_params_of_sum");
    const json_t *params = json_object_get(row, "params");
    double at[4], out[16];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    at[0] = testing_number(json_object_get(params, "predictor"));
    assert_int_equal(testing_numbers(json_object_get(params, "cutpoints"), at + 1), 3);
    crd_node input = crd_input(g, "all", crd_shape_1(4));
    crd_dist dist = crd_ordered_logistic(crd_take(input, 0, 0), crd_slice(input, 0, 1, 3, 1));
    crd_node x = json_node(g, json_object_get(row, "values"), crd_shape_1(4));
    differentiate(ctx, g, crd_dist_log_prob(&dist, x), input, at, out);
    agree("ordered_logistic", "log density", out, json_object_get(row, "log_prob"));
    agree("ordered_logistic", "slope", out + 4, json_object_get(slopes, "predictor"));
    agree("ordered_logistic", "slope", out + 5, json_object_get(slopes, "cutpoints"));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
    json_decref(file);
}

static void mixture_agrees_with_the_reference(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    json_t *file = testing_json("distributions.json");
    const json_t *row = row_named(file, "Mixture(Normal, Normal)"), *params = json_object_get(row, "params");
    double out[16], probs[2];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node loc = json_node(g, json_object_get(params, "loc"), crd_shape_1(2));
    crd_node scale = json_node(g, json_object_get(params, "scale"), crd_shape_1(2));
    crd_node x = json_node(g, json_object_get(row, "values"), crd_shape_1(5));
    crd_node p = crd_input(g, "probs", crd_shape_1(2));
    testing_numbers(json_object_get(params, "probs"), probs);
    crd_dist dist = crd_mixture(p, crd_normal(loc, scale));
    differentiate(ctx, g, crd_dist_log_prob(&dist, x), p, probs, out);
    agree("mixture", "log density", out, json_object_get(row, "log_prob"));
    double logits[] = {log(probs[0]) + 3, log(probs[1]) + 3};
    crd_node l = crd_input(g, "logits", crd_shape_1(2));
    dist = crd_mixture_logits(l, crd_normal(loc, scale));
    differentiate(ctx, g, crd_dist_log_prob(&dist, x), l, logits, out);
    agree("mixture_logits", "log density", out, json_object_get(row, "log_prob"));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
    json_decref(file);
}

static void geometric_entropy_agrees_with_the_reference(void **state)
{
    (void)state;
    json_t *file = testing_json("distributions.json");
    const json_t *row = row_named(file, "GeometricProbs");
    crd_dist probs = crd_geometric(crd_num(0.3)), logits = crd_geometric_logits(crd_num(log(0.3 / 0.7)));
    double out[] = {number_of(probs.type->entropy(&probs)), number_of(logits.type->entropy(&logits))};
    agree("geometric", "entropy", &out[0], json_object_get(row, "entropy"));
    agree("geometric_logits", "entropy", &out[1], json_object_get(row, "entropy"));
    probs = crd_geometric(crd_num(1));
    assert_true(number_of(probs.type->entropy(&probs)) == 0);
    json_decref(file);
}

/* ---- one law in two forms ------------------------------------------------------------------------------------ */

static void same(crd_graph *g, crd_dist a, crd_dist b, const double *values, crd_shape shape, double tolerance)
{
    double p[64], q[64];
    crd_node x = array_node(g, values, shape), left = crd_dist_log_prob(&a, x), right = crd_dist_log_prob(&b, x);
    int64_t n = crd_shape_size(crd_node_shape(left));
    elements_of(left, p, n);
    elements_of(right, q, n);
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(p[i] - q[i]) <= tolerance * fmax(1, fabs(q[i]))) && !(isinf(p[i]) && p[i] == q[i]))
            fail_msg("%s and %s: %d is %.17g and %.17g", a.type->name, b.type->name, (int)i, p[i], q[i]);
}

static void same_moments(crd_dist a, crd_dist b, int64_t n)
{
    double p[8], q[8];
    for (int i = 0; i < 2; i++) {
        elements_of((i ? a.type->variance : a.type->mean)(&a), p, n);
        elements_of((i ? b.type->variance : b.type->mean)(&b), q, n);
        for (int64_t k = 0; k < n; k++)
            assert_close(p[k], q[k], 1e-13, 0);
    }
}

static void one_law_in_two_forms_is_one_law(void **state)
{
    (void)state;
    static const double x[] = {0, 1, 2, 5, 9}, rows[] = {1, 2, 3, 0, 6, 0, 1, 1, 1}, ends[] = {-1, 0, 0.5, 3, 40};
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double p = 0.3, logit = log(p / (1 - p)), probs[] = {0.2, 0.5, 0.3}, logits[3], left[5], right[5];
    for (int i = 0; i < 3; i++)
        logits[i] = log(probs[i]) - 7;
    crd_dist a = crd_geometric(crd_num(p)), b = crd_geometric_logits(crd_num(logit));
    same(g, a, b, x, crd_shape_1(5), 1e-14);
    same_moments(a, b, 1);
    crd_node at = array_node(g, ends, crd_shape_1(5));
    elements_of(a.type->cdf(&a, at), left, 5);
    elements_of(b.type->cdf(&b, at), right, 5);
    for (int i = 0; i < 5; i++) {
        assert_close(left[i], i ? 1 - pow(0.7, floor(ends[i]) + 1) : 0, 1e-13, 0);
        assert_close(left[i], right[i], 1e-13, 0);
    }
    a = crd_binomial(crd_num(p), crd_num(9));
    same(g, a, crd_binomial_logits(crd_num(logit), crd_num(9)), x, crd_shape_1(5), 1e-13);
    same_moments(a, crd_binomial_logits(crd_num(logit), crd_num(9)), 1);
    a = crd_multinomial(array_node(g, probs, crd_shape_1(3)), crd_num(6));
    b = crd_multinomial_logits(array_node(g, logits, crd_shape_1(3)), crd_num(6));
    same(g, a, b, rows, crd_shape_2(3, 3), 1e-13);
    same_moments(a, b, 3);
    /* Limits: a beta binomial of concentrations (1, 1) is uniform; of large ones, a binomial. */
    a = crd_beta_binomial(crd_num(1), crd_num(1), crd_num(9));
    for (int i = 0; i < 5; i++) {
        elements_of(crd_dist_log_prob(&a, array_node(g, &x[i], crd_shape_1(1))), left, 1);
        assert_close(left[0], -log(10), 1e-13, 0);
    }
    same(g, crd_beta_binomial(crd_num(3e12), crd_num(7e12), crd_num(9)), crd_binomial(crd_num(p), crd_num(9)), x,
         crd_shape_1(5), 1e-10);
    same(g, crd_negative_binomial2(crd_num(2.7), crd_num(1e13)), crd_poisson(crd_num(2.7)), x, crd_shape_1(5), 1e-11);
    same(g, crd_zero_inflated_poisson(crd_num(0), crd_num(2.7)), crd_poisson(crd_num(2.7)), x, crd_shape_1(5), 1e-14);
    assert_ok(ctx, crd_graph_status(g));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* A vector of counts whose sum is not the total is impossible, and so is more than the total. */
static void impossible_counts_have_no_density(void **state)
{
    (void)state;
    static const double rows[] = {0, 5, 0, 0, 6, 0}, more[] = {9, 10, 11};
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double probs[] = {0, 1, 0}, out[3];
    crd_dist dist = crd_multinomial(array_node(g, probs, crd_shape_1(3)), crd_num(6));
    elements_of(crd_dist_log_prob(&dist, array_node(g, rows, crd_shape_2(2, 3))), out, 2);
    assert_close(out[0], -INFINITY, 0, 0);
    assert_close(out[1], 0, 0, 1e-13); /* 0 log 0 is 0 */
    const crd_dist bounded[] = {crd_binomial(crd_num(1), crd_num(9)), crd_binomial_logits(crd_num(0.6), crd_num(9)),
                                crd_beta_binomial(crd_num(1), crd_num(2), crd_num(9))};
    for (int i = 0; i < CRDI_COUNT(bounded); i++) {
        elements_of(crd_dist_log_prob(&bounded[i], array_node(g, more, crd_shape_1(3))), out, 3);
        assert_true(isfinite(out[0]) || i == 0);
        assert_true(out[1] == -INFINITY && out[2] == -INFINITY);
    }
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void a_sum_of_probabilities_is_the_distribution_function(void **state)
{
    (void)state;
    static const double x[] = {-1, 0, 2.5, 9}, rate[] = {0.5, 40};
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double out[4], slope[4], at = 2.7;
    crd_dist dist = crd_binomial(crd_num(0.3), crd_num(9));
    elements_of(dist.type->cdf(&dist, array_node(g, x, crd_shape_1(4))), out, 4);
    assert_close(out[0], 0, 0, 0);
    assert_close(out[1], pow(0.7, 9), 1e-13, 0);
    assert_close(out[3], 1, 1e-14, 0);
    dist = crd_poisson(array_node(g, rate, crd_shape_1(2))); /* a batch: one rate a value */
    elements_of(dist.type->cdf(&dist, array_node(g, x + 1, crd_shape_1(2))), out, 2);
    assert_close(out[0], exp(-0.5), 1e-14, 0);
    assert_close(out[1], exp(-40) * (1 + 40 + 800), 1e-12, 0);
    crd_node input = crd_input(g, "rate", crd_shape_0());
    dist = crd_poisson(input);
    differentiate(ctx, g, dist.type->cdf(&dist, crd_num(1)), input, &at, slope);
    assert_close(slope[0], exp(-2.7) * 3.7, 1e-13, 0);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Also of parameters that are computed; the slope of its steps is 0. */
static void quantiles_of_computed_counts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node in = crd_input(g, "mean", crd_shape_1(2)), out[2], p = crd_num(0.9);
    crd_dist poisson = crd_poisson(in), inflated = crd_zero_inflated_poisson(crd_num(0.5), in);
    crd_node parts[] = {poisson.type->quantile(&poisson, p), inflated.type->quantile(&inflated, p)};
    out[0] = crd_concat(parts, 2, 0);
    crd_gradient(crd_sum(out[0]), &in, 1, &out[1]);
    assert_ok(ctx, crd_compile(g, &in, 1, out, 2, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    crd_exec_input(exec)[0] = 3;
    crd_exec_input(exec)[1] = 0.1;
    crd_exec_run(exec);
    /* Poisson(3): 0.815 up to 4, 0.916 up to 5; of its 0.8 quantile, 4. Poisson(0.1): 0.905 at 0. */
    static const double expected[] = {5, 0, 4, 0};
    for (int i = 0; i < 4; i++)
        assert_close(crd_exec_output(exec)[i], expected[i], 0, 0);
    assert_true(crd_exec_output(exec)[4] == 0 && crd_exec_output(exec)[5] == 0);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* ---- made of another ------------------------------------------------------------------------------------------ */

static void zero_inflated_counts_are_zero_more_often(void **state)
{
    (void)state;
    static const double x[] = {0, 1, 3, 8};
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double gate = 0.2, out[8];
    crd_node rate = array_node(g, (double[]){2.7}, crd_shape_1(1));
    crd_dist general = crd_zero_inflated(crd_num(gate), crd_poisson(rate));
    crd_dist own = crd_zero_inflated_poisson(crd_num(gate), rate);
    same(g, general, own, x, crd_shape_1(4), 1e-15);
    same_moments(general, own, 1);
    crd_dist certain = crd_zero_inflated(crd_num(1), crd_poisson(rate));
    elements_of(crd_dist_log_prob(&certain, array_node(g, x, crd_shape_1(4))), out, 4);
    assert_true(out[0] == 0 && out[1] == -INFINITY && out[3] == -INFINITY);
    elements_of(general.type->cdf(&general, array_node(g, x, crd_shape_1(1))), out, 1);
    assert_close(out[0], 0.2 + 0.8 * exp(-2.7), 1e-14, 0);
    /* Near both ends of the logarithm of the probability of 0. */
    const double gates[] = {1e-12, 0.999999999, 0.4}, rates[] = {1e-12, 1e-9, 300};
    for (int i = 0; i < 3; i++) {
        crd_dist hard = crd_zero_inflated_poisson(crd_num(gates[i]), array_node(g, &rates[i], crd_shape_1(1)));
        elements_of(crd_dist_log_prob(&hard, array_node(g, x, crd_shape_1(1))), out, 1);
        double expected = i == 2 ? log(0.4) : (double)log1pl((1 - (long double)gates[i]) * expm1l(-rates[i]));
        assert_close(out[0], expected, 1e-14, 0);
    }
    crd_node input = crd_input(g, "gate", crd_shape_0());
    crd_dist learned = crd_zero_inflated(input, crd_negative_binomial2(rate, crd_num(1.5)));
    assert_true(crd_dist_discrete(&learned));
    differentiate(ctx, g, crd_dist_log_prob(&learned, array_node(g, x, crd_shape_1(4))), input, &gate, out);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void a_mixture_is_the_sum_of_its_components(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    /* Two rows of three components each; weights shared by the rows. */
    double w[] = {0.2, 0.5, 0.3}, rate[] = {1, 4, 9, 0.5, 2, 30}, x[] = {3, 0}, out[2], mean[2], variance[2], cdf[2];
    crd_dist dist = crd_mixture(array_node(g, w, crd_shape_1(3)), crd_poisson(array_node(g, rate, crd_shape_2(2, 3))));
    crd_shape batch;
    assert_true(crd_dist_batch_shape(&dist, &batch) && batch.ndim == 1 && batch.dim[0] == 2);
    elements_of(crd_dist_log_prob(&dist, array_node(g, x, crd_shape_1(2))), out, 2);
    elements_of(dist.type->mean(&dist), mean, 2);
    elements_of(dist.type->variance(&dist), variance, 2);
    elements_of(dist.type->cdf(&dist, array_node(g, x, crd_shape_1(2))), cdf, 2);
    for (int r = 0; r < 2; r++) {
        double p = 0, first = 0, second = 0, below = 0;
        for (int k = 0; k < 3; k++) {
            double rk = rate[3 * r + k];
            p += w[k] * exp(x[r] * log(rk) - rk - lgamma(x[r] + 1));
            first += w[k] * rk;
            second += w[k] * (rk + rk * rk);
            for (int i = 0; i <= x[r]; i++)
                below += w[k] * exp(i * log(rk) - rk - lgamma(i + 1));
        }
        assert_close(out[r], log(p), 1e-13, 0);
        assert_close(mean[r], first, 1e-13, 0);
        assert_close(variance[r], second - first * first, 1e-12, 0);
        assert_close(cdf[r], below, 1e-13, 0);
    }
    /* A plate puts axes before those of the batch. */
    double many[] = {3, 0, 3, 0, 3, 0}, again[6];
    elements_of(crd_dist_log_prob(&dist, array_node(g, many, crd_shape_2(3, 2))), again, 6);
    for (int i = 0; i < 6; i++)
        assert_close(again[i], out[i % 2], 0, 0);
    /* The widest bounds: outside one component the others count. */
    double low[] = {0, 1}, high[] = {2, 5}, half[] = {0.5, 0.5}, at[] = {0.5, 1.5, 4};
    crd_dist boxes = crd_mixture(array_node(g, half, crd_shape_1(2)),
                                 crd_uniform(array_node(g, low, crd_shape_1(2)), array_node(g, high, crd_shape_1(2))));
    crd_support support = boxes.type->support(&boxes);
    assert_true(support.kind == CRD_INTERVAL && number_of(support.low) == 0 && number_of(support.high) == 5);
    elements_of(crd_dist_log_prob(&boxes, array_node(g, at, crd_shape_1(3))), again, 3);
    assert_close(again[0], log(0.25), 1e-14, 0);
    assert_close(again[1], log(0.25 + 0.125), 1e-14, 0);
    assert_close(again[2], log(0.125), 1e-14, 0);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Components that are vectors: multinomials, and normals joined by crd_dist_to_event. */
static void components_can_have_events(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double w[] = {0.3, 0.7}, p[] = {0.2, 0.5, 0.3, 0.6, 0.1, 0.3}, x[] = {1, 2, 1, 0, 0, 4}, out[6], each[2];
    crd_dist base = crd_multinomial(array_node(g, p, crd_shape_2(2, 3)), crd_num(4));
    crd_dist dist = crd_mixture(array_node(g, w, crd_shape_1(2)), base);
    crd_shape event, batch;
    assert_true(crd_dist_event_shape(&dist, &event) && event.ndim == 1 && event.dim[0] == 3);
    assert_true(crd_dist_batch_shape(&dist, &batch) && batch.ndim == 0);
    elements_of(crd_dist_log_prob(&dist, array_node(g, x, crd_shape_2(2, 3))), out, 2);
    for (int r = 0; r < 2; r++) {
        elements_of(crd_dist_log_prob(&base, array_node(g, x + 3 * r, crd_shape_1(3))), each, 2);
        assert_close(out[r], log(0.3 * exp(each[0]) + 0.7 * exp(each[1])), 1e-13, 0);
    }
    elements_of(dist.type->mean(&dist), out, 3);
    for (int i = 0; i < 3; i++)
        assert_close(out[i], 4 * (0.3 * p[i] + 0.7 * p[3 + i]), 1e-13, 0);
    crd_node draws = dist.type->draw(&dist, crd_key_node(g, crd_key_make(3)), crd_shape_2(2, 3));
    elements_of(draws, out, 6);
    assert_true(out[0] + out[1] + out[2] == 4 && out[3] + out[4] + out[5] == 4);
    double loc[] = {0, 1, 2, 3}, y[] = {0.5, 2.5};
    crd_dist pair = crd_dist_to_event(crd_normal(array_node(g, loc, crd_shape_2(2, 2)), crd_num(1)), 1);
    dist = crd_mixture(array_node(g, w, crd_shape_1(2)), pair);
    assert_true(crd_dist_event_shape(&dist, &event) && event.ndim == 1 && event.dim[0] == 2);
    elements_of(crd_dist_log_prob(&dist, array_node(g, y, crd_shape_1(2))), out, 1);
    double one = exp(-0.5 * (0.25 + 2.25)), two = exp(-0.5 * (2.25 + 0.25));
    assert_close(out[0], log(0.3 * one + 0.7 * two) - log(2 * 3.14159265358979323846), 1e-13, 0);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Masked numbers contribute nothing, whatever they are, and leave no NaN in gradients. */
static void masked_numbers_do_not_count(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double x[] = {1.5, NAN, INFINITY, -0.5, -2}, mask[] = {1, 0, 0, 1, 0}, at = 1.2, out[8];
    crd_node scale = crd_input(g, "scale", crd_shape_0()), m = array_node(g, mask, crd_shape_1(5));
    crd_node values = array_node(g, x, crd_shape_1(5));
    crd_dist normal = crd_dist_mask(crd_normal(crd_num(0), scale), m);
    differentiate(ctx, g, crd_dist_log_prob(&normal, values), scale, &at, out);
    for (int i = 0; i < 5; i++)
        assert_close(out[i],
                     mask[i] * (i == 0 || i == 3 ? -0.5 * x[i] * x[i] / 1.44 - log(1.2) - CRDI_HALF_LOG_2PI : 0), 1e-14,
                     0);
    double expected = (1.5 * 1.5 + 0.25) / (1.2 * 1.2 * 1.2) - 2 / 1.2;
    assert_close(out[5], expected, 1e-13, 0);
    /* A support that the value is outside of, and a mask over draws that are vectors. */
    double positive[] = {1.5, -1, -1, 0.5, -2};
    crd_dist gamma = crd_dist_mask(crd_gamma(scale, crd_num(2)), m);
    differentiate(ctx, g, crd_dist_log_prob(&gamma, array_node(g, positive, crd_shape_1(5))), scale, &at, out);
    double rows[] = {1, NAN, 2, 3}, first[] = {0, 1};
    crd_dist pairs =
        crd_dist_mask(crd_dist_to_event(crd_normal(array_node(g, (double[]){0, 0}, crd_shape_1(2)), scale), 1),
                      array_node(g, first, crd_shape_1(2)));
    differentiate(ctx, g, crd_dist_log_prob(&pairs, array_node(g, rows, crd_shape_2(2, 2))), scale, &at, out);
    assert_true(out[0] == 0);
    assert_close(out[1], -0.5 * 13 / 1.44 - 2 * log(1.2) - 2 * CRDI_HALF_LOG_2PI, 1e-14, 0);
    crd_dist whole = crd_dist_mask(crd_normal(crd_num(0), crd_num(1)), crd_num(1));
    assert_string_equal(whole.type->name, "normal");
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Components of several families: the density is the weighted sum of theirs, each where it has one. */
static void a_mixture_of_several_families(void **state)
{
    (void)state;
    static const double x[] = {-1.5, 0.3, 2}, w[] = {0.2, 0.5, 0.3};
    crd_context *ctx = testing_context();
    crd_graph *g;
    double out[3], each[3][3], at[] = {1.3}, gradient[4], moments[4];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node weights = array_node(g, w, crd_shape_1(3)), one = array_node(g, (double[]){1.5}, crd_shape_0());
    const crd_dist list[] = {crd_normal(crd_num(0.5), one), crd_half_normal(crd_num(2)),
                             crd_student_t(crd_num(3), crd_num(-1), crd_num(0.7))};
    crd_dist mixture = crd_mixture(weights, crd_components(list, 3));
    assert_ok(ctx, crd_dist_check(ctx, &mixture, "site"));
    assert_int_equal(mixture.type->support(&mixture).kind, CRD_REAL);
    elements_of(crd_dist_log_prob(&mixture, array_node(g, x, crd_shape_1(3))), out, 3);
    for (int k = 0; k < 3; k++)
        elements_of(crd_dist_log_prob(&list[k], array_node(g, x, crd_shape_1(3))), each[k], 3);
    assert_true(each[1][0] == -INFINITY);
    for (int i = 0; i < 3; i++)
        assert_close(out[i], log(w[0] * exp(each[0][i]) + w[1] * exp(each[1][i]) + w[2] * exp(each[2][i])), 1e-13, 0);
    elements_of(mixture.type->mean(&mixture), &moments[0], 1);
    elements_of(mixture.type->variance(&mixture), &moments[1], 1);
    double half_mean = 2 * sqrt(2 / 3.14159265358979), mean = 0.2 * 0.5 + 0.5 * half_mean - 0.3;
    double second = 0.2 * (0.25 + 2.25) + 0.5 * 4 + 0.3 * (1 + 3 * 0.49);
    assert_close(moments[0], mean, 1e-12, 0);
    assert_close(moments[1], second - mean * mean, 1e-12, 0);
    elements_of(mixture.type->cdf(&mixture, array_node(g, x, crd_shape_1(3))), out, 3);
    for (int k = 0; k < 3; k++)
        elements_of(list[k].type->cdf(&list[k], array_node(g, x + 1, crd_shape_1(2))), each[k], 2);
    for (int i = 0; i < 2; i++)
        assert_close(out[i + 1], w[0] * each[0][i] + w[1] * each[1][i] + w[2] * each[2][i], 1e-13, 0);
    /* a gradient in a component's parameter, through a batch of values */
    crd_node scale = crd_input(g, "scale", crd_shape_0());
    const crd_dist learned[] = {crd_normal(crd_num(0), scale), crd_laplace(crd_num(1), scale)};
    crd_dist both = crd_mixture(array_node(g, w + 1, crd_shape_1(2)), crd_components(learned, 2));
    differentiate(ctx, g, crd_dist_log_prob(&both, array_node(g, x, crd_shape_1(3))), scale, at, gradient);
    assert_ok(ctx, crd_graph_status(g));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* One kind of support with other bounds: the widest, and each component within its own. With batches and with events. */
static void components_of_several_families_keep_their_shapes(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    double w[] = {0.4, 0.6}, x[] = {-0.5, 0.5, 3}, out[6], lows[] = {0, -1}, loc[] = {1, 2, 3, 4};
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node weights = array_node(g, w, crd_shape_1(2)), low = array_node(g, lows, crd_shape_1(2));
    const crd_dist bounded[] = {crd_uniform(low, crd_num(1)),
                                crd_truncated_normal(crd_num(0), crd_num(1), crd_num(-2), crd_num(2))};
    crd_dist mixture = crd_mixture(weights, crd_components(bounded, 2));
    crd_support support = mixture.type->support(&mixture);
    assert_int_equal(support.kind, CRD_INTERVAL);
    elements_of(support.low, out, 2);
    assert_true(out[0] == -2 && out[1] == -2);
    double tn = exp(-0.125) / sqrt(2 * 3.14159265358979) / 0.95449973610364; /* at -0.5, cut at two sds */
    elements_of(crd_dist_log_prob(&mixture, array_node(g, x, (crd_shape){2, {3, 1}})), out, 6);
    assert_close(out[0], log(0.6 * tn), 1e-10, 0); /* outside (0, 1), inside (-1, 1): */
    assert_close(out[1], log(0.4 / 2 + 0.6 * tn), 1e-10, 0);
    assert_true(out[4] == -INFINITY && out[5] == -INFINITY);
    /* draws that are pairs, in two rows */
    const crd_dist pairs[] = {crd_dist_to_event(crd_normal(array_node(g, loc, crd_shape_2(2, 2)), crd_num(1)), 1),
                              crd_dist_to_event(crd_laplace(array_node(g, loc, crd_shape_1(2)), crd_num(1)), 1)};
    crd_dist of_pairs = crd_mixture(weights, crd_components(pairs, 2));
    crd_shape batch, event;
    assert_true(crd_dist_batch_shape(&of_pairs, &batch) && crdi_shape_equal(batch, crd_shape_1(2)));
    assert_true(crd_dist_event_shape(&of_pairs, &event) && crdi_shape_equal(event, crd_shape_1(2)));
    elements_of(crd_dist_log_prob(&of_pairs, array_node(g, loc, crd_shape_2(2, 2))), out, 2);
    assert_close(out[0], log(0.4 / (2 * 3.14159265358979) + 0.6 / 4), 1e-12, 0);
    assert_close(out[1], log(0.4 / (2 * 3.14159265358979) + 0.6 / 4 * exp(-4)), 1e-12, 0);
    crd_node draws = of_pairs.type->draw(&of_pairs, crd_key_node(g, crd_key_make(1)), (crd_shape){3, {5, 2, 2}});
    assert_true(crdi_shape_equal(crd_node_shape(draws), (crd_shape){3, {5, 2, 2}}));
    assert_ok(ctx, crd_graph_status(g));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void bad_compounds_say_what_is_wrong(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double w[] = {0.5, 0.5}, three[] = {1, 2, 3}, odd[] = {0.5, 0.2}, scales[] = {1, -1}, half = 0.5;
    crd_node weights = array_node(g, w, crd_shape_1(2));
    const struct {
        crd_dist dist;
        crd_status status;
        const char *message;
    } cases[] = {
        {crd_mixture(weights, crd_poisson(array_node(g, three, crd_shape_1(3)))), CRD_ESHAPE,
         "site s: mixture has 2 probs, its components, along the last axis of poisson, are 3"},
        {crd_mixture(weights, crd_poisson(crd_num(1))), CRD_ESHAPE,
         "site s: mixture needs its components along an axis of the parameters of poisson, which are numbers"},
        {crd_mixture(array_node(g, odd, crd_shape_1(2)), crd_poisson(array_node(g, w, crd_shape_1(2)))), CRD_EDOMAIN,
         "site s: row 0 of probs of mixture must be from 0 to 1, with a sum of 1 along the last axis"},
        {crd_mixture(weights, crd_normal(crd_num(0), array_node(g, scales, crd_shape_1(2)))), CRD_EDOMAIN,
         "site s: scale of normal is -1, it must be positive"},
        {crd_mixture(weights, crd_components((crd_dist[]){crd_poisson(weights), crd_normal(weights, weights)}, 2)),
         CRD_EINVAL, "site s: components must all be discrete or all continuous, and poisson and normal are not"},
        {crd_mixture(weights, crd_components((crd_dist[]){crd_normal(weights, weights), crd_dirichlet(weights)}, 2)),
         CRD_ESHAPE, "site s: components of different shapes: those of normal and dirichlet"},
        {crd_mixture(weights, crd_components((crd_dist[]){crd_poisson(crd_num(1)), crd_poisson(weights)}, 1)),
         CRD_EINVAL,
         "site s: components is made of plain numbers only: give one of them as a node, for there must be a graph "
         "that "
         "keeps what it is made of"},
        {crd_mixture(weights, crd_components((crd_dist[]){crd_normal(weights, crd_num(-1))}, 1)), CRD_EDOMAIN,
         "site s: scale of normal is -1, it must be positive"},
        {crd_zero_inflated(crd_num(0.5), crd_poisson(crd_num(1))), CRD_EINVAL,
         "site s: zero_inflated is made of plain numbers only: give one of them as a node, for there must be a graph "
         "that "
         "keeps what it is made of"},
        {crd_zero_inflated(array_node(g, &half, crd_shape_1(1)), crd_normal(crd_num(0), crd_num(1))), CRD_EINVAL,
         "site s: zero_inflated needs counts, normal is continuous"},
        {crd_dist_mask(crd_normal(crd_num(0), crd_num(1)), array_node(g, &half, crd_shape_1(1))), CRD_EDOMAIN,
         "site s: mask of masked is 0.5, it must be 0 or 1"},
    };
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        assert_int_equal(crd_dist_check(ctx, &cases[i].dist, "site s"), cases[i].status);
        assert_string_equal(crd_error_message(ctx), cases[i].message);
        crd_error_clear(ctx);
    }
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* What the base does not have is an error of the graph; without a base, NaN. */
static void what_the_base_lacks_is_an_error(void **state)
{
    (void)state;
    static const char *const messages[] = {"zero_inflated of mine has no draws (", "mixture of mine has no mean (",
                                           "masked of mine has no variance (",
                                           "masked of mine has no distribution function ("};
    for (int i = 0; i < 4; i++) {
        crd_context *ctx = testing_context();
        crd_graph *g;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        crd_dist_type mine = *crd_dist_type_find("poisson");
        mine.name = "mine";
        mine.draw = NULL;
        mine.mean = mine.variance = NULL;
        mine.cdf = NULL;
        crd_node two = array_node(g, (double[]){0.5, 0.5}, crd_shape_1(2)),
                 one = array_node(g, (double[]){1}, crd_shape_1(1));
        crd_dist base = {.type = &mine, .param = {two}};
        crd_dist dist = i == 0   ? crd_zero_inflated(two, base)
                        : i == 1 ? crd_mixture(two, base)
                                 : crd_dist_mask(base, one);
        crd_node node = i == 0   ? dist.type->draw(&dist, crd_key_node(g, crd_key_make(1)), crd_shape_1(2))
                        : i == 1 ? dist.type->mean(&dist)
                        : i == 2 ? dist.type->variance(&dist)
                                 : dist.type->cdf(&dist, one);
        assert_false(crd_node_ok(node));
        assert_int_equal(crd_graph_status(g), CRD_EUNSUPPORTED);
        assert_ptr_equal(strstr(crd_error_message(ctx), messages[i]), crd_error_message(ctx));
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
    crd_dist nowhere = crd_zero_inflated(crd_num(0.5), crd_poisson(crd_num(1)));
    assert_true(isnan(number_of(nowhere.type->mean(&nowhere))));
    assert_true(isnan(number_of(crd_dist_log_prob(&nowhere, crd_num(1)))));
}

/* ---- draws ------------------------------------------------------------------------------------------------------ */

static void check_own_draws(crd_graph *g, crd_dist dist, int n)
{
    static double draws[DRAWS];
    double values[64], log_p[64];
    for (int i = 0; i < n; i++)
        values[i] = i;
    elements_of(dist.type->draw(&dist, crd_key_node(g, crd_key_make(77)), crd_shape_1(DRAWS)), draws, DRAWS);
    elements_of(crd_dist_log_prob(&dist, array_node(g, values, crd_shape_1(n))), log_p, n);
    check_counts(dist.type->name, draws, DRAWS, log_p, n);
}

static void draws_have_their_distribution(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double cuts[] = {-1, 0.3, 1.9}, w[] = {0.2, 0.5, 0.3}, rate[] = {1, 6, 14};
    crd_node weights = array_node(g, w, crd_shape_1(3)), rates = array_node(g, rate, crd_shape_1(3));
    crd_node gate = array_node(g, (double[]){0.3}, crd_shape_1(1));
    check_own_draws(g, crd_ordered_logistic(crd_num(0.4), array_node(g, cuts, crd_shape_1(3))), 4);
    check_own_draws(g, crd_mixture(weights, crd_poisson(rates)), 50);
    check_own_draws(g, crd_mixture_logits(crd_log(weights), crd_poisson(rates)), 50);
    const crd_dist families[] = {crd_poisson(gate), crd_binomial(crd_num(0.5), crd_num(30)),
                                 crd_bernoulli(crd_num(0.5))};
    check_own_draws(g, crd_mixture(weights, crd_components(families, 3)), 40);
    check_own_draws(g, crd_zero_inflated(gate, crd_poisson(crd_num(5))), 30);
    check_own_draws(g, crd_dist_mask(crd_poisson(crd_num(5)), gate), 30);
    check_own_draws(g, crd_negative_binomial2(crd_num(8), crd_num(12)), 60);
    check_own_draws(g, crd_beta_binomial(crd_num(6), crd_num(4), crd_num(40)), 41);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Each class of a multinomial is binomial, and pairs have covariance -n p q. */
static void multinomial_draws_have_their_distribution(void **state)
{
    (void)state;
    static double draws[3 * DRAWS], one[DRAWS];
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double p[] = {0.2, 0.5, 0.3}, log_p[41], values[41], product = 0;
    crd_dist dist = crd_multinomial(array_node(g, p, crd_shape_1(3)), crd_num(40));
    crd_node node = dist.type->draw(&dist, crd_key_node(g, crd_key_make(5)), crd_shape_2(DRAWS, 3));
    elements_of(node, draws, 3 * DRAWS);
    for (int k = 0; k < 3; k++) {
        crd_dist binomial = crd_binomial(crd_num(p[k]), crd_num(40));
        for (int i = 0; i < 41; i++)
            values[i] = i;
        elements_of(crd_dist_log_prob(&binomial, array_node(g, values, crd_shape_1(41))), log_p, 41);
        for (int i = 0; i < DRAWS; i++)
            one[i] = draws[3 * i + k];
        check_counts("multinomial", one, DRAWS, log_p, 41);
    }
    for (int i = 0; i < DRAWS; i++) {
        assert_true(draws[3 * i] + draws[3 * i + 1] + draws[3 * i + 2] == 40);
        product += (draws[3 * i] - 8) * (draws[3 * i + 1] - 20) / DRAWS;
    }
    /* Its standard error is near sqrt((6.4 * 10 + 4 * 4) / 20000) = 0.063; 3.891 of them. */
    assert_close(product, -4, 0, 0.25);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multinomial_agrees_with_the_reference),
        cmocka_unit_test(ordered_logistic_agrees_with_the_reference),
        cmocka_unit_test(mixture_agrees_with_the_reference),
        cmocka_unit_test(geometric_entropy_agrees_with_the_reference),
        cmocka_unit_test(one_law_in_two_forms_is_one_law),
        cmocka_unit_test(impossible_counts_have_no_density),
        cmocka_unit_test(a_sum_of_probabilities_is_the_distribution_function),
        cmocka_unit_test(quantiles_of_computed_counts),
        cmocka_unit_test(zero_inflated_counts_are_zero_more_often),
        cmocka_unit_test(a_mixture_is_the_sum_of_its_components),
        cmocka_unit_test(components_can_have_events),
        cmocka_unit_test(a_mixture_of_several_families),
        cmocka_unit_test(components_of_several_families_keep_their_shapes),
        cmocka_unit_test(masked_numbers_do_not_count),
        cmocka_unit_test(bad_compounds_say_what_is_wrong),
        cmocka_unit_test(what_the_base_lacks_is_an_error),
        cmocka_unit_test(draws_have_their_distribution),
        cmocka_unit_test(multinomial_draws_have_their_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
