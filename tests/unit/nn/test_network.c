/* test_network.c - the command line's network: NumPyro's densities (tests/data/log_density.json) through crd_network itself,
 * each likelihood by hand, predictions with the right noise, and what it refuses. */
#include "testing.h"

#include <credence/nn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 400 };

/* ---- NumPyro -------------------------------------------------------------------------------------------------- */

struct problem {
    crd_network network;
    char hidden[64], prior[64];
    double x[2 * MAX_ROWS], y[MAX_ROWS];
    crd_array target;
};

static void read_data(struct problem *p, const char *file, bool binary)
{
    char path[512], line[256];
    bool spiral = strncmp(file, "spiral", 6) == 0;
    int columns = spiral ? 2 : 1, rows = 0;
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, spiral ? "spiral.csv" : "regression.csv");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char *at = line;
        for (int c = 0; c < columns; c++, at++)
            p->x[rows * columns + c] = strtod(at, &at);
        double y = strtod(at, NULL);
        p->y[rows++] = binary ? y == 1 : y;
    }
    fclose(f);
    p->network.x = crd_array_borrow(p->x, crd_shape_2(rows, columns));
    p->target = crd_array_borrow(p->y, crd_shape_1(rows));
    p->network.y = &p->target;
}

static void read_case(struct problem *p, json_t *row)
{
    const char *kind = json_string_value(json_object_get(row, "name"));
    json_t *hidden = json_object_get(row, "hidden");
    bool classes = strcmp(kind, "classification") == 0, binary = strcmp(kind, "binary") == 0;
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < json_array_size(hidden); i++)
        snprintf(p->hidden + strlen(p->hidden), 16, "%s%d", i ? "," : "",
                 (int)json_integer_value(json_array_get(hidden, i)));
    if (!p->hidden[0])
        strcpy(p->hidden, "none");
    snprintf(p->prior, sizeof p->prior, "normal:0,%.17g", testing_number(json_object_get(row, "prior_std")));
    p->network = (crd_network){.hidden = p->hidden,
                               .activation = json_string_value(json_object_get(row, "act")),
                               .prior = p->prior,
                               .noise = "half_cauchy:0.5",
                               .likelihood = classes  ? "categorical"
                                             : binary ? "bernoulli"
                                                      : NULL,
                               .classes = classes ? 3 : 0};
    read_data(p, json_string_value(json_object_get(row, "data")), binary);
}

static void check_case(crd_context *ctx, json_t *row)
{
    static struct problem p;
    crd_model *m;
    read_case(&p, row);
    assert_ok(ctx, crd_model_create(&m, ctx, crd_network_model, &p.network));
    int64_t dim = crd_model_dim(m);
    double *z = calloc((size_t)dim, 8), *gradient = calloc((size_t)dim, 8), *expected = calloc((size_t)dim, 8), value;
    json_t *points = json_object_get(row, "points");
    for (size_t i = 0; i < json_array_size(points); i++) {
        json_t *point = json_array_get(points, i);
        assert_int_equal(testing_numbers(json_object_get(point, "z"), NULL), dim);
        testing_numbers(json_object_get(point, "z"), z);
        testing_numbers(json_object_get(point, "grad"), expected);
        assert_ok(ctx, crd_model_log_density(m, z, &value, gradient));
        assert_close(value, testing_number(json_object_get(point, "log_density")), 1e-10, 0);
        double size = 0;
        for (int64_t d = 0; d < dim; d++)
            size = fmax(size, fabs(expected[d]));
        for (int64_t d = 0; d < dim; d++)
            assert_close(gradient[d], expected[d], 1e-10, 1e-13 * size);
    }
    free(z);
    free(gradient);
    free(expected);
    crd_model_destroy(&m);
}

static void densities_agree_with_numpyro(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *file = testing_json("log_density.json"), *cases = json_object_get(file, "cases");
    assert_int_equal(json_array_size(cases), 14);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(ctx, json_array_get(cases, i));
    json_decref(file);
    testing_context_destroy(&ctx);
}

/* ---- likelihoods by hand -------------------------------------------------------------------------------------- */

/* A linear network of one input, at three rows: f = b + k x. */
static double inputs[3] = {-1, 0.5, 2}, numbers[3] = {0.3, -1, 2.5}, counts[3] = {0, 4, 1};

static crd_network linear(const char *likelihood, const crd_array *y)
{
    return (crd_network){.hidden = "none",
                         .activation = "tanh",
                         .prior = "normal:0,1",
                         .noise = "half_cauchy:0.5",
                         .x = crd_array_borrow(inputs, crd_shape_2(3, 1)),
                         .y = y,
                         .likelihood = likelihood};
}

static double normal(double v, double sd)
{
    return -0.5 * v * v / (sd * sd) - log(sd) - 0.5 * log(2 * acos(-1));
}

static double half_cauchy(double u)
{
    double v = exp(u);
    return log(2 / (acos(-1) * 0.5 * (1 + v * v / 0.25))) + u;
}

static double gamma_2(double u) /* gamma:2,0.1 of exp(u) */
{
    return 2 * log(0.1) + u - 0.1 * exp(u) + u;
}

static double student_t(double v, double df, double s)
{
    return lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * log(df * acos(-1)) - log(s) -
           (df + 1) / 2 * log1p(v * v / (df * s * s));
}

static void check_density(crd_network *network, const char *sites, const double *u, double expected)
{
    crd_context *ctx = testing_context();
    crd_model *m;
    char found[256] = "";
    double value, gradient[16];
    assert_ok(ctx, crd_model_create(&m, ctx, crd_network_model, network));
    for (int i = 0; i < crd_model_site_count(m); i++)
        strcat(strcat(found, crd_model_site(m, i)->name), " ");
    assert_string_equal(found, sites);
    assert_ok(ctx, crd_model_log_density(m, u, &value, gradient));
    assert_close(value, expected, 1e-12, 0);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void robust_and_uneven_noise(void **state)
{
    (void)state;
    crd_array y = crd_array_borrow(numbers, crd_shape_1(3));
    crd_network network = linear("student_t", &y);
    /* df, bias, kernel, s */
    const double u[] = {1.1, 0.2, -0.6, -0.3};
    double expected = gamma_2(u[0]) + normal(u[1], 1) + normal(u[2], 1) + half_cauchy(u[3]);
    for (int i = 0; i < 3; i++)
        expected += student_t(numbers[i] - u[1] - u[2] * inputs[i], exp(u[0]), exp(u[3]));
    check_density(&network, "df net/Dense_0.bias net/Dense_0.kernel s ", u, expected);
    network.df = "exponential:0.5";
    check_density(&network, "df net/Dense_0.bias net/Dense_0.kernel s ", u,
                  expected - gamma_2(u[0]) + log(0.5) - 0.5 * exp(u[0]) + u[0]);
    /* bias (2), kernel (1, 2): the second output is the noise's */
    const double v[] = {0.2, -0.1, -0.6, 0.4};
    network = linear(NULL, &y);
    network.noise = "heteroscedastic";
    expected = 0;
    for (int i = 0; i < 4; i++)
        expected += normal(v[i], 1);
    for (int i = 0; i < 3; i++)
        expected += normal(numbers[i] - v[0] - v[2] * inputs[i], log1p(exp(v[1] + v[3] * inputs[i])));
    check_density(&network, "net/Dense_0.bias net/Dense_0.kernel ", v, expected);
}

/* Two targets at the three rows, with a noise and degrees of freedom each; bias (2), df (2), kernel (1, 2), s (2). */
static void several_targets_by_hand(void **state)
{
    (void)state;
    double both[6] = {0.3, 5, -1, 7, 2.5, 4};
    crd_array y = crd_array_borrow(both, crd_shape_2(3, 2));
    crd_network network = linear("student_t", &y);
    network.targets = 2;
    const double u[] = {1.1, 0.4, 0.2, 5.5, -0.6, 0.3, -0.3, 0.1};
    double expected = 0;
    for (int j = 0; j < 2; j++) {
        expected += gamma_2(u[j]) + normal(u[2 + j], 1) + normal(u[4 + j], 1) + half_cauchy(u[6 + j]);
        for (int i = 0; i < 3; i++)
            expected += student_t(both[2 * i + j] - u[2 + j] - u[4 + j] * inputs[i], exp(u[j]), exp(u[6 + j]));
    }
    check_density(&network, "df net/Dense_0.bias net/Dense_0.kernel s ", u, expected);
    /* by row: outputs f, f, noise, noise; bias (4), kernel (1, 4) */
    const double v[] = {0.2, 5.5, -0.1, 0.4, -0.6, 0.3, 0.4, -0.2};
    network = linear(NULL, &y);
    network.targets = 2;
    network.noise = "heteroscedastic";
    expected = 0;
    for (int i = 0; i < 8; i++)
        expected += normal(v[i], 1);
    for (int i = 0; i < 6; i++) {
        int j = i % 2;
        double x = inputs[i / 2];
        expected += normal(both[i] - v[j] - v[4 + j] * x, log1p(exp(v[2 + j] + v[6 + j] * x)));
    }
    check_density(&network, "net/Dense_0.bias net/Dense_0.kernel ", v, expected);
}

static void counts_by_hand(void **state)
{
    (void)state;
    crd_array y = crd_array_borrow(counts, crd_shape_1(3));
    if (!crd_dist_type_find("poisson") || !crd_dist_type_find("negative_binomial2"))
        testing_skip("no distributions of counts in the registry\n");
    crd_network network = linear("poisson", &y);
    const double u[] = {0.2, -0.6};
    double expected = normal(u[0], 1) + normal(u[1], 1);
    for (int i = 0; i < 3; i++) {
        double f = u[0] + u[1] * inputs[i];
        expected += counts[i] * f - exp(f) - lgamma(counts[i] + 1);
    }
    check_density(&network, "net/Dense_0.bias net/Dense_0.kernel ", u, expected);
    network = linear("negative_binomial", &y);
    const double v[] = {0.7, 0.2, -0.6};
    double k = exp(v[0]);
    expected = gamma_2(v[0]) + normal(v[1], 1) + normal(v[2], 1);
    for (int i = 0; i < 3; i++) {
        double m = exp(v[1] + v[2] * inputs[i]), n = counts[i];
        expected += lgamma(n + k) - lgamma(k) - lgamma(n + 1) + k * log(k / (k + m)) + n * log(m / (k + m));
    }
    check_density(&network, "concentration net/Dense_0.bias net/Dense_0.kernel ", v, expected);
}

/* ---- predictions ---------------------------------------------------------------------------------------------- */

/* Draws of y at fixed parameters: their median absolute distance from f is that of the noise. */
static void noise_of_predictions(void **state)
{
    (void)state;
    enum { ROWS = 2000 };
    static double rows[ROWS], distance[ROWS];
    /* Quartiles of the normal and of Student's t with 3 degrees of freedom (tables). */
    const struct {
        const char *likelihood, *noise;
        double quartile;
    } cases[] = {{"normal", "half_cauchy:0.5", 0.67448975},
                 {"student_t", "half_cauchy:0.5", 0.76489233},
                 {"normal", "heteroscedastic", 0.67448975}};
    for (int c = 0; c < 3; c++) {
        crd_context *ctx = testing_context();
        crd_array y = crd_array_borrow(numbers, crd_shape_1(3));
        crd_network network = linear(cases[c].likelihood, &y), wide;
        crd_model *m;
        crd_program *program;
        crd_exec *exec;
        crd_shape shapes[2];
        const char *names[] = {"f", "y"};
        network.noise = cases[c].noise;
        wide = network;
        wide.x = crd_array_borrow(rows, crd_shape_2(ROWS, 1));
        wide.y = NULL;
        for (int i = 0; i < ROWS; i++)
            rows[i] = 1;
        assert_ok(ctx, crd_model_create(&m, ctx, crd_network_model, &network));
        assert_ok(ctx, crd_model_compile_predictive(m, &wide, names, 2, shapes, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        /* key; then df = 3; bias, kernel; s = 2, or an output whose softplus is 2 */
        double *in = crd_exec_input(exec), two = log(expm1(2));
        const double normal_in[] = {0.5, 0.25, 2}, t_in[] = {3, 0.5, 0.25, 2}, rows_in[] = {0.5, two, 0.25, 0};
        in[0] = 1;
        in[1] = (double)(7 + c);
        memcpy(in + 2, c == 0 ? normal_in : c == 1 ? t_in : rows_in, sizeof(double) * (c == 0 ? 3 : 4));
        crd_exec_run(exec);
        const double *f = crd_exec_output(exec);
        int inside = 0;
        for (int i = 0; i < ROWS; i++) {
            assert_close(f[i], 0.75, 1e-15, 0);
            distance[i] = fabs(f[ROWS + i] - f[i]);
            inside += distance[i] < 2 * cases[c].quartile;
        }
        assert_close(inside, ROWS / 2.0, 0, 4 * sqrt(ROWS) / 2); /* 4 standard errors */
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_model_destroy(&m);
        testing_context_destroy(&ctx);
    }
}

/* ---- what is refused ------------------------------------------------------------------------------------------ */

static void check_refusal(crd_network network, crd_status status, const char *words)
{
    crd_context *ctx = testing_context();
    crd_model *m = NULL;
    assert_int_equal(crd_model_create(&m, ctx, crd_network_model, &network), status);
    assert_null(m);
    if (!strstr(crd_error_message(ctx), words))
        fail_msg("'%s' does not say '%s'", crd_error_message(ctx), words);
    testing_context_destroy(&ctx);
}

static void settings_that_cannot_be(void **state)
{
    (void)state;
    crd_array y = crd_array_borrow(numbers, crd_shape_1(3));
    crd_network network = linear("norml", &y);
    check_refusal(network, CRD_ENAME, "unknown likelihood 'norml'; did you mean 'normal'?");
    network = linear("categorical", &y);
    check_refusal(network, CRD_EINVAL, "likelihood categorical: 0 classes, at least 2 are needed");
    network = linear("bernoulli", &y);
    check_refusal(network, CRD_EDOMAIN, "site y: observed value 0 is 0.3");
    network.noise = "heteroscedastic";
    check_refusal(network, CRD_EINVAL, "likelihood bernoulli has no noise that could be heteroscedastic");
    network = linear("student_t", &y);
    network.df = "normal:0,1";
    check_refusal(network, CRD_EPRIOR, "df 'normal:0,1': its prior must be of positive numbers");
    network.df = "gama:2,0.1";
    check_refusal(network, CRD_ENAME, "df: unknown distribution 'gama'; did you mean 'gamma'?");
    network = linear("normal", &y);
    network.noise = "normal:0,1";
    check_refusal(network, CRD_EPRIOR, "noise 'normal:0,1': the prior of a standard deviation must be of positive");
    network = linear("normal", &y);
    network.hidden = "10,x";
    check_refusal(network, CRD_EINVAL, "hidden '10,x': widths between 1 and");
    network = linear("poisson", &y);
    network.targets = 2;
    check_refusal(network, CRD_EINVAL, "likelihood poisson takes one target, not 2; normal and student_t take several");
    network = linear("normal", &y);
    network.targets = 2;
    check_refusal(network, CRD_ESHAPE, "site y: its shape is (3, 2), that of the observed value (3,)");
}

static void likelihoods_are_listed(void **state)
{
    (void)state;
    int i = 0;
    for (; crd_likelihood_name(i); i++)
        assert_true(strlen(crd_likelihood_what(i)) > 0);
    assert_int_equal(i, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densities_agree_with_numpyro), cmocka_unit_test(robust_and_uneven_noise),
        cmocka_unit_test(several_targets_by_hand),      cmocka_unit_test(counts_by_hand),
        cmocka_unit_test(noise_of_predictions),         cmocka_unit_test(settings_that_cannot_be),
        cmocka_unit_test(likelihoods_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
