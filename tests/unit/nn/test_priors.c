/* test_priors.c - forms of priors: their sites, and the density of a dense layer's parameters under each, written out by
 * hand; and what they refuse. */
#include "testing.h"

#include <credence/nn.h>
#include <math.h>
#include <string.h>

enum { INPUTS = 3, UNITS = 2, MOST = 32 };

static double x_data[2 * INPUTS] = {0.5, -1, 2, 0.25, 1, -0.5};
static crd_array x = {.shape = {2, {2, INPUTS}}, .data = x_data};

static crd_node model(crd_trace *t, void *user)
{
    return crd_random_module(t, "net", crd_dense(t, UNITS), crd_data(t, "x", &x), crd_prior(t, (const char *)user));
}

/* ---- densities by hand: of u, the unconstrained numbers, in the order of the sites' names --------------------- */

static double normal(double v, double sd)
{
    return -0.5 * v * v / (sd * sd) - log(sd) - 0.5 * log(2 * acos(-1));
}

/* Of log v. */
static double half_cauchy(double u, double scale)
{
    double v = exp(u);
    return log(2 / (acos(-1) * scale * (1 + v * v / (scale * scale)))) + u;
}

static double half_normal(double u, double sd)
{
    return normal(exp(u), sd) + log(2) + u;
}

static double inverse_gamma(double u, double a, double b)
{
    return a * log(b) - lgamma(a) - (a + 1) * u - b / exp(u) + u;
}

/* bias (2), kernel (3, 2) */
static double plain_fan_in(const double *u)
{
    double sum = 0;
    for (int i = 0; i < UNITS; i++)
        sum += normal(u[i] - 1, 2); /* one axis: as it stands */
    for (int i = 0; i < INPUTS * UNITS; i++)
        sum += normal(u[UNITS + i] - 1 / sqrt(INPUTS), 2 / sqrt(INPUTS));
    return sum;
}

/* bias (2), kernel (3, 2), kernel.scale () */
static double one_scale(const double *u)
{
    double sum = normal(u[0], 1) + normal(u[1], 1) + half_cauchy(u[8], 0.7);
    for (int i = 0; i < INPUTS * UNITS; i++)
        sum += normal(u[UNITS + i], exp(u[8]));
    return sum;
}

/* bias (2), kernel (3, 2), kernel.scale (3) */
static double scale_by_input(const double *u)
{
    double sum = normal(u[0], 1) + normal(u[1], 1);
    for (int i = 0; i < INPUTS; i++)
        sum += half_cauchy(u[8 + i], 1) + normal(u[2 + 2 * i], exp(u[8 + i])) + normal(u[3 + 2 * i], exp(u[8 + i]));
    return sum;
}

static double scale_by_input_and_fan(const double *u)
{
    double sum = normal(u[0], 1) + normal(u[1], 1);
    for (int i = 0; i < INPUTS; i++)
        for (int k = 0; k < UNITS; k++)
            sum += normal(u[2 + 2 * i + k], exp(u[8 + i]) / sqrt(INPUTS)) + half_cauchy(u[8 + i], 1) / UNITS;
    return sum;
}

/* bias (2), kernel.raw (3, 2), kernel.scale (3) */
static double raw(const double *u)
{
    double sum = 0;
    for (int i = 0; i < 8; i++)
        sum += normal(u[i], 1);
    for (int i = 0; i < INPUTS; i++)
        sum += half_cauchy(u[8 + i], 1);
    return sum;
}

/* bias (2), kernel (3, 2), all.scale () */
static double one_for_all(const double *u)
{
    double sum = half_normal(u[8], 1.5);
    for (int i = 0; i < 8; i++)
        sum += normal(u[i], exp(u[8]));
    return sum;
}

/* bias (2), kernel (3, 2), kernel.global (), kernel.local (3, 2) */
static double global_local(const double *u)
{
    double sum = normal(u[0], 1) + normal(u[1], 1) + half_cauchy(u[8], 0.3);
    for (int i = 0; i < 6; i++)
        sum += half_cauchy(u[9 + i], 1) + normal(u[2 + i], exp(u[8]) * exp(u[9 + i]));
    return sum;
}

/* ... kernel.slab () */
static double with_slab(const double *u)
{
    double sum = normal(u[0], 1) + normal(u[1], 1) + half_cauchy(u[8], 0.3) + inverse_gamma(u[15], 2, 2 * 9);
    for (int i = 0; i < 6; i++) {
        double wide = exp(2 * u[8] + 2 * u[9 + i]), c2 = exp(u[15]);
        sum += half_cauchy(u[9 + i], 1) + normal(u[2 + i], sqrt(c2 * wide / (c2 + wide)));
    }
    return sum;
}

struct form {
    const char *text;
    double (*density)(const double *u);
    int dim;
    const char *sites; /* in order */
};

#define BIAS "net/Dense_0.bias (2,) "
#define KERNEL "net/Dense_0.kernel (3, 2) "
static const struct form forms[] = {
    {"fan_in(normal:1,2)", plain_fan_in, 8, BIAS KERNEL},
    {"fan_in:normal:1,2", plain_fan_in, 8, BIAS KERNEL},
    {"*.kernel=scale(half_cauchy:0.7);*.bias=normal:0,1", one_scale, 9, BIAS KERNEL "net/Dense_0.kernel.scale () "},
    {"net/Dense_0.kernel=ard:half_cauchy:1;*.bias=normal:0,1", scale_by_input, 11,
     BIAS KERNEL "net/Dense_0.kernel.scale (3,) "},
    {"*.kernel=ard(half_cauchy:1);*.bias=normal:0,1", scale_by_input, 11, BIAS KERNEL "net/Dense_0.kernel.scale (3,) "},
    {"*.kernel=fan_in(ard:half_cauchy:1);*.bias=normal:0,1", scale_by_input_and_fan, 11,
     BIAS KERNEL "net/Dense_0.kernel.scale (3,) "},
    {"*.kernel=noncentered(ard(half_cauchy:1));*.bias=normal:0,1", raw, 11,
     BIAS "net/Dense_0.kernel.raw (3, 2) net/Dense_0.kernel.scale (3,) "},
    {"group(all,half_normal:1.5)", one_for_all, 9, BIAS KERNEL "net/all.scale () "},
    {"*.bias=group:all,half_normal:1.5;*.kernel=group(all,half_normal:1.5)", one_for_all, 9,
     BIAS KERNEL "net/all.scale () "},
    {"*.kernel=horseshoe(0.3);*.bias=normal:0,1", global_local, 15,
     BIAS KERNEL "net/Dense_0.kernel.global () net/Dense_0.kernel.local (3, 2) "},
    {"*.kernel=regularized_horseshoe:0.3,3,4;*.bias=normal:0,1", with_slab, 16,
     BIAS KERNEL "net/Dense_0.kernel.global () net/Dense_0.kernel.local (3, 2) net/Dense_0.kernel.slab () "},
};

static void shape_text(crd_shape shape, char *out)
{
    strcat(out, shape.ndim == 0 ? " () " : shape.ndim == 1 ? (shape.dim[0] == 2 ? " (2,) " : " (3,) ") : " (3, 2) ");
}

static void densities_are_those_by_hand(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        crd_model *m;
        double u[MOST], gradient[MOST], ignored[MOST], value, up, down;
        char sites[512] = "";
        assert_ok(ctx, crd_model_create(&m, ctx, model, (void *)(uintptr_t)forms[i].text));
        assert_int_equal(crd_model_dim(m), forms[i].dim);
        for (int k = 0; k < crd_model_site_count(m); k++) {
            strcat(sites, crd_model_site(m, k)->name);
            shape_text(crd_model_site(m, k)->shape, sites);
        }
        assert_string_equal(sites, forms[i].sites);
        for (int k = 0; k < forms[i].dim; k++)
            u[k] = 0.9 * sin(1 + 2.3 * k);
        assert_ok(ctx, crd_model_log_density(m, u, &value, gradient));
        assert_close(value, forms[i].density(u), 1e-12, 1e-13);
        for (int k = 0; k < forms[i].dim; k++) {
            const double h = 1e-5, at = u[k];
            u[k] = at + h;
            assert_ok(ctx, crd_model_log_density(m, u, &up, ignored));
            u[k] = at - h;
            assert_ok(ctx, crd_model_log_density(m, u, &down, ignored));
            u[k] = at;
            assert_close(gradient[k], (up - down) / (2 * h), 1e-6, 1e-7);
        }
        crd_model_destroy(&m);
    }
    testing_context_destroy(&ctx);
}

/* Values of the centred site and of the deterministic one, from the parameter vector. */
static void noncentered_is_raw_times_scale(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *m;
    crd_program *program;
    crd_exec *exec;
    crd_shape shape;
    const char *keep[] = {"net/Dense_0.kernel"};
    char text[] = "*.kernel=noncentered(fan_in(ard(half_cauchy:1)));*.bias=normal:0,1";
    assert_ok(ctx, crd_model_create(&m, ctx, model, text));
    assert_ok(ctx, crd_model_compile_values(m, keep, 1, &shape, &program));
    assert_true(shape.ndim == 2 && shape.dim[0] == INPUTS && shape.dim[1] == UNITS);
    assert_ok(ctx, crd_exec_create(&exec, program));
    double *u = crd_exec_input(exec);
    for (int i = 0; i < 11; i++)
        u[i] = 0.1 * i - 0.4;
    crd_exec_run(exec);
    for (int i = 0; i < INPUTS; i++)
        for (int k = 0; k < UNITS; k++)
            assert_close(crd_exec_output(exec)[11 + 2 * i + k],
                         (0.1 * (2 + 2 * i + k) - 0.4) * exp(0.1 * (8 + i) - 0.4) / sqrt(3), 1e-14, 0);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static crd_node convolution(crd_trace *t, void *user)
{
    static double pixels[2 * 4 * 3];
    crd_array image = crd_array_borrow(pixels, (crd_shape){3, {2, 4, 3}});
    const crd_module *part[] = {crd_conv(t, 5, &(crd_window){.axes = 1, .size = {2}}), crd_flatten(t), crd_dense(t, 1)};
    return crd_random_module(t, "net", crd_sequential(t, part, 3), crd_data(t, "x", &image),
                             crd_prior(t, (const char *)user));
}

/* A kernel's inputs are window times channels; the scale of a group is of each its own fan. */
static void fan_in_of_a_convolution(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *m;
    char text[] = "*.kernel=fan_in(group(w,half_cauchy:1));*.bias=fan_in(laplace:0,1)";
    double u[128] = {0}, value, gradient[128], expected = 0;
    assert_ok(ctx, crd_model_create(&m, ctx, convolution, text));
    assert_int_equal(crd_model_dim(m), 5 + 30 + 1 + 20 + 1);
    assert_string_equal(crd_model_site(m, 4)->name, "net/w.scale");
    assert_ok(ctx, crd_model_log_density(m, u, &value, gradient));
    expected = half_cauchy(0, 1) + 30 * normal(0, 1 / sqrt(6)) + 20 * normal(0, 1 / sqrt(20)) + 6 * log(0.5);
    assert_close(value, expected, 1e-13, 0);
    crd_model_destroy(&m);
    char by_channel[] = "*.kernel=ard:half_cauchy:1;*.bias=normal:0,1";
    assert_ok(ctx, crd_model_create(&m, ctx, convolution, by_channel));
    assert_string_equal(crd_model_site(m, 2)->name, "net/Conv_0.kernel.scale");
    assert_int_equal(crd_model_site(m, 2)->size, 3); /* a channel each */
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *text, *words;
        crd_status status;
    } rows[] = {
        {"*=ard:half_cauchy:1", "parameter net/Dense_0.bias: it has a scale for each input", CRD_EPRIOR},
        {"ard:normal:0,1", "'normal:0,1' is the prior of a scale, it must be of positive numbers", CRD_EPRIOR},
        {"scale(half_cauchy:-1)", "scale of half_cauchy is -1", CRD_EDOMAIN},
        {"scale", "scale is written scale(DIST)", CRD_EPRIOR},
        {"scale(half_cauchy:1", "a parenthesis is not closed", CRD_EPRIOR},
        {"group(half_cauchy:1)", "group is written group(NAME,DIST)", CRD_EPRIOR},
        {"*.bias=group(g,half_cauchy:1);*.kernel=group(g,half_cauchy:2)", "group g has two priors", CRD_EPRIOR},
        {"*.bias=group(g,half_cauchy:1);*.kernel=fan_in(group(g,half_normal:1))", "group g has two priors", CRD_EPRIOR},
        {"horseshoe(0)", "0 is no positive number", CRD_EPRIOR},
        {"horseshoe(1,2)", "horseshoe is written horseshoe(T)", CRD_EPRIOR},
        {"horseshoe:x", "horseshoe is written horseshoe(T)", CRD_EPRIOR},
        {"regularized_horseshoe:1,2", "regularized_horseshoe is written regularized_horseshoe(T,S,D)", CRD_EPRIOR},
        {"horsesho:1", "unknown prior 'horsesho'; did you mean 'horseshoe'?", CRD_EPRIOR},
        {"nomal:0,1", "unknown distribution 'nomal'; did you mean 'normal'?", CRD_ENAME},
        {"normal(0,1)", "a distribution is written NAME:NUMBERS", CRD_EPRIOR},
        {"noncentered(normal:0,1)", "noncentered needs a prior with scales", CRD_EPRIOR},
        {"fan_in(fan_in(normal:0,1))", "a form stands within itself", CRD_EPRIOR},
        {"fan_in(log_normal:0,1)", "log_normal has no scale to be divided", CRD_EPRIOR},
        {"*.kernel=fan_in(gamma:1,1);*.bias=normal:0,1", "gamma has no scale to be divided", CRD_EPRIOR},
        {"bernoulli:0.5", "bernoulli is discrete", CRD_EPRIOR},
        {"", "unknown distribution ''", CRD_ENAME},
        {"*.kernel=normal:0,1", "parameter net/Dense_0.bias has no prior", CRD_EPRIOR},
        {"*=normal:0,1;*.bias=normal:0,1", "net/Dense_0.bias has two priors", CRD_EPRIOR},
        {"*=normal:0,1;net/Dense_0.kernal=normal:0,1", "did you mean 'net/Dense_0.kernel'?", CRD_EPRIOR},
    };
    crd_context *ctx = testing_context();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        crd_model *m = NULL;
        crd_error_clear(ctx);
        crd_status status = crd_model_create(&m, ctx, model, (void *)(uintptr_t)rows[i].text);
        if (status != rows[i].status || !strstr(crd_error_message(ctx), rows[i].words))
            fail_msg("prior '%s': status %d, '%s'", rows[i].text, status, crd_error_message(ctx));
        assert_null(m);
    }
    testing_context_destroy(&ctx);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const char *const texts[] = {
        "*.kernel=noncentered(fan_in(regularized_horseshoe(0.3,3,4)));*.bias=group(g,half_cauchy:1)",
        "*.kernel=ard:half_cauchy:1;*.bias=group(g,half_cauchy:1)"};
    for (int i = 0; i < 2; i++) {
        crd_model *m = NULL;
        crd_status status = CRD_ENOMEM;
        int k = 0;
        while (status == CRD_ENOMEM) {
            crd_error_clear(ctx);
            testing_fail_allocation(++k);
            status = crd_model_create(&m, ctx, model, (void *)(uintptr_t)texts[i]);
            testing_fail_allocation(0);
        }
        assert_ok(ctx, status);
        assert_true(k > 20);
        assert_int_equal(crd_model_dim(m), i == 0 ? 2 + 1 + 1 + 6 + 6 + 1 : 2 + 6 + 3 + 1);
        crd_model_destroy(&m);
    }
    testing_context_destroy(&ctx);
}

static void forms_are_listed(void **state)
{
    (void)state;
    int i = 0;
    for (; crd_prior_form_name(i); i++)
        assert_true(strlen(crd_prior_form_what(i)) > 0 && strlen(crd_prior_form_arguments(i)) > 0);
    assert_int_equal(i, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densities_are_those_by_hand), cmocka_unit_test(noncentered_is_raw_times_scale),
        cmocka_unit_test(fan_in_of_a_convolution),     cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(every_allocation_may_fail),   cmocka_unit_test(forms_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
