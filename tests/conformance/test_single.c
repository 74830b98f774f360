/* test_single.c - values and gradients of programs in single precision against those in double: every layer, activation,
 * likelihood and guide (with every loss that knows it).
 *
 * Tolerances are relative to the largest number of a result, or to 1: some 5 times what is found, so that a wrong kernel,
 * or one that lacks a bit or two, shows. Floats have 6e-8. */
#include "infer/svi/svi.h"
#include "svi_models.h"
#include "testing.h"

#include <credence/nn.h>
#include <math.h>
#include <string.h>

enum { MOST = 32768, PARTICLES = 3 };

static double worst; /* of the test that runs */

static void compare(const char *what, const char *name, const double *single, const double *exact, int64_t count,
                    double tolerance)
{
    double largest = 1, error = 0;
    bool differs = false;
    for (int64_t i = 0; i < count; i++) {
        assert_true(isfinite(exact[i]));
        largest = fmax(largest, fabs(exact[i]));
    }
    for (int64_t i = 0; i < count; i++) {
        error = fmax(error, fabs(single[i] - exact[i]) / largest);
        if (!(fabs(single[i] - exact[i]) <= tolerance * largest))
            fail_msg("%s %s: number %lld is %.9g in single, %.9g in double precision", what, name, (long long)i,
                     single[i], exact[i]);
        differs = differs || single[i] != exact[i];
    }
    if (!differs)
        fail_msg("%s %s: the same numbers in both precisions", what, name);
    worst = fmax(worst, error);
}

static double numeral(int64_t i)
{
    double u = fmod((double)(i + 1) * 0.61803398874989485, 1);
    return u < 0.5 ? -0.1 - 1.7 * u : 0.1 + 1.7 * (u - 0.5);
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/* A module of each kind and the shape of its input. A new layer gets a row. */
static const crd_module *make(crd_trace *t, const char *name, crd_shape *shape)
{
    static const int64_t widths[] = {4, 3};
    crd_window window = {.axes = 1, .size = {3}, .stride = {2}};
    *shape = (crd_shape){2, {5, 3}};
    if (strcmp(name, "dense") == 0)
        return crd_dense(t, 4);
    if (strcmp(name, "mlp") == 0)
        return crd_mlp(t, widths, 2, 1, "tanh");
    if (strcmp(name, "activate") == 0)
        return crd_activate(t, "sigmoid");
    if (strcmp(name, "sequential") == 0)
        return crd_sequential(t, (const crd_module *[]){crd_dense(t, 4), crd_activate(t, "softplus")}, 2);
    if (strcmp(name, "residual") == 0)
        return crd_residual(t, crd_dense(t, 3));
    if (strcmp(name, "layer_norm") == 0)
        return crd_layer_norm(t, 1e-6);
    if (strcmp(name, "embedding") == 0) {
        *shape = (crd_shape){1, {5}};
        return crd_embedding(t, 4, 3);
    }
    *shape = (crd_shape){3, {2, 9, 2}};
    if (strcmp(name, "flatten") == 0)
        return crd_sequential(t, (const crd_module *[]){crd_flatten(t), crd_dense(t, 3)}, 2);
    if (strcmp(name, "frn") == 0)
        return crd_frn(t, 1e-6, 1);
    if (strcmp(name, "conv") == 0)
        return crd_conv(t, 3, &window);
    if (strcmp(name, "max_pool") == 0)
        return crd_max_pool(t, &window);
    if (strcmp(name, "avg_pool") == 0)
        return crd_avg_pool(t, &window);
    fail_msg("layer %s has no row here", name);
    return NULL;
}

struct inputs {
    crd_trace *trace;
    crd_node node[16];
    int count;
};

static crd_node as_input(crd_scope *scope, const crd_param_spec *spec)
{
    struct inputs *in = scope->user;
    return in->node[in->count++] = crd_input(crd_trace_graph(in->trace), spec->name, spec->shape);
}

/* y of the module or activation `name`, and the gradient of a weighted sum of its squares; returns how many numbers. */
static int64_t run_module(const char *name, bool layer, crd_precision precision, double *out)
{
    crd_context *ctx = testing_context();
    struct inputs in = {.count = 0};
    crd_program *program;
    crd_exec *exec;
    crd_shape shape;
    assert_ok(ctx, crd_trace_create(&in.trace, ctx));
    const crd_module *module = layer ? make(in.trace, name, &shape) : crd_activate(in.trace, name);
    if (!layer)
        shape = crd_shape_2(8, 5);
    crd_scope scope = {.trace = in.trace, .where = CRD_HERE, .param = as_input, .user = &in};
    assert_non_null(module);
    in.node[in.count++] = crd_input(crd_trace_graph(in.trace), "x", shape);
    crd_node output[17] = {module->apply(module, &scope, in.node[0])};
    crd_gradient(crd_sum(crd_add(output[0], crd_square(output[0]))), in.node, in.count, output + 1);
    crd_graph_set_precision(crd_trace_graph(in.trace), precision);
    assert_ok(ctx, crd_compile(crd_trace_graph(in.trace), in.node, in.count, output, in.count + 1, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    int64_t n = crd_program_input_size(program), count = crd_program_output_size(program);
    assert_true(count <= MOST);
    for (int64_t i = 0; i < n; i++)
        crd_exec_input(exec)[i] = numeral(i);
    for (int i = 0; layer && i < 5 && strcmp(name, "embedding") == 0; i++)
        crd_exec_input(exec)[i] = i % 4;
    crd_exec_run(exec);
    memcpy(out, crd_exec_output(exec), sizeof *out * (size_t)count);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_trace_destroy(&in.trace);
    testing_context_destroy(&ctx);
    return count;
}

static void layers_and_activations(void **state)
{
    (void)state;
    static double single[MOST], exact[MOST];
    worst = 0;
    for (int i = 0; crd_layer_name(i); i++) {
        int64_t n = run_module(crd_layer_name(i), true, CRD_DOUBLE, exact);
        run_module(crd_layer_name(i), true, CRD_SINGLE, single);
        compare("layer", crd_layer_name(i), single, exact, n, 2e-6);
    }
    for (int i = 0; crd_activation_name(i); i++) {
        int64_t n = run_module(crd_activation_name(i), false, CRD_DOUBLE, exact);
        run_module(crd_activation_name(i), false, CRD_SINGLE, single);
        compare("activation", crd_activation_name(i), single, exact, n, 2e-6);
    }
    print_message("largest difference %.2g\n", worst);
}

/* ---- likelihoods ------------------------------------------------------------------------------------------------ */

enum { ROWS = 50 };

static int64_t run_density(const char *likelihood, crd_precision precision, double *out)
{
    crd_context *ctx = testing_context();
    crd_model *model;
    double x[2 * ROWS], y[ROWS], u[MOST];
    bool numbers = strcmp(likelihood, "normal") == 0 || strcmp(likelihood, "student_t") == 0;
    for (int i = 0; i < 2 * ROWS; i++)
        x[i] = numeral(i);
    for (int i = 0; i < ROWS; i++)
        y[i] = numbers ? numeral(1000 + i) : i % 2;
    crd_array observed = crd_array_borrow(y, crd_shape_1(ROWS));
    crd_network network = {.hidden = "8,5",
                           .activation = "tanh",
                           .prior = "normal:0,1",
                           .noise = "half_cauchy:0.5",
                           .likelihood = likelihood,
                           .classes = 3,
                           .x = crd_array_borrow(x, crd_shape_2(ROWS, 2)),
                           .y = &observed,
                           .precision = precision};
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &network));
    int64_t dim = crd_model_dim(model);
    assert_true(dim < MOST);
    for (int64_t i = 0; i < dim; i++)
        u[i] = numeral(i);
    assert_ok(ctx, crd_model_log_density(model, u, &out[0], out + 1));
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
    return dim + 1;
}

static void likelihoods(void **state)
{
    (void)state;
    static double single[MOST], exact[MOST];
    worst = 0;
    for (int i = 0; crd_likelihood_name(i); i++) {
        int64_t n = run_density(crd_likelihood_name(i), CRD_DOUBLE, exact);
        run_density(crd_likelihood_name(i), CRD_SINGLE, single);
        compare("log density, likelihood", crd_likelihood_name(i), single, exact, 1, 1e-6);
        compare("gradient, likelihood", crd_likelihood_name(i), single + 1, exact + 1, n - 1, 2e-6);
    }
    print_message("largest difference %.2g\n", worst);
}

/* ---- guides ----------------------------------------------------------------------------------------------------- */

static crd_node single_network(crd_trace *t, void *none)
{
    crd_graph_set_precision(crd_trace_graph(t), CRD_SINGLE);
    return network_model(t, none);
}

/* The losses and gradients at a point off the start; 0: the pair is refused. */
static int64_t run_loss(crd_model_fn fn, const char *guide, const char *loss, double *out)
{
    crd_context *ctx = testing_context();
    struct loss_at at;
    static double u[MOST], params[MOST], moved[MOST];
    int64_t count = 0;
    crdi_guide_request request = {.fn = fn, .text = guide};
    crd_status status = loss_open(ctx, &request, loss, PARTICLES, &at);
    crd_error_clear(ctx);
    if (status == CRD_OK) {
        assert_true(at.params < MOST / 2);
        crd_random_normal(crd_key_make(8), crd_model_dim(at.guide->model), u);
        crdi_guide_start(at.guide, u, 0.3, crd_key_make(9), params);
        crd_random_normal(crd_key_make(10), at.params, moved);
        for (int64_t i = 0; i < at.params; i++)
            params[i] += 0.2 * moved[i];
        count = CRDI_ELBO_GRADIENT + at.params;
        memcpy(out, loss_run(&at, params, crd_key_make(12), 0), sizeof *out * (size_t)count);
        loss_close(&at);
    }
    testing_context_destroy(&ctx);
    return count;
}

static void guides_and_losses(void **state)
{
    (void)state;
    static double single[MOST], exact[MOST];
    int pairs = 0;
    worst = 0;
    for (int g = 0; crdi_guide_type_get(g); g++)
        for (int i = 0; crdi_loss_get(i); i++) {
            const char *guide = crdi_guide_type_get(g)->name, *loss = crdi_loss_get(i)->name;
            int64_t n = run_loss(network_model, guide, loss, exact);
            assert_int_equal(run_loss(single_network, guide, loss, single), n);
            if (n == 0)
                continue;
            compare(guide, loss, single, exact, CRDI_ELBO_GRADIENT, 1e-5);
            compare(guide, loss, single + CRDI_ELBO_GRADIENT, exact + CRDI_ELBO_GRADIENT, n - CRDI_ELBO_GRADIENT, 1e-5);
            pairs++;
        }
    assert_true(pairs >= 15);
    print_message("largest difference %.2g\n", worst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_and_activations),
        cmocka_unit_test(likelihoods),
        cmocka_unit_test(guides_and_losses),
    };
    return cmocka_run_group_tests_name("single precision", tests, NULL, NULL);
}
