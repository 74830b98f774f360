/* test_modules.c - network modules: names and shapes as flax has them, values against loops, gradients (of first and second
 * order) against finite differences, and what they refuse. */
#include "nn/canonical.h"
#include "testing.h"

#include <credence/nn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 4096, MOST_NODES = 32 };

/* A module applied to an input, with its parameters as further inputs. */
struct applied {
    crd_context *ctx;
    crd_trace *trace;
    crd_node input[MOST_NODES]; /* x first */
    int count;
    crd_node y;
};

static crd_node as_input(crd_scope *scope, const crd_param_spec *spec)
{
    struct applied *a = scope->user;
    return a->input[a->count++] = crd_input(crd_trace_graph(a->trace), spec->name, spec->shape);
}

static void begin(struct applied *a)
{
    memset(a, 0, sizeof *a);
    a->ctx = testing_context();
    assert_ok(a->ctx, crd_trace_create(&a->trace, a->ctx));
}

static void end(struct applied *a)
{
    crd_trace_destroy(&a->trace);
    testing_context_destroy(&a->ctx);
}

static void apply(struct applied *a, const crd_module *module, crd_shape shape)
{
    crd_scope scope = {.trace = a->trace, .where = CRD_HERE, .param = as_input, .user = a};
    assert_non_null(module);
    a->input[a->count++] = crd_input(crd_trace_graph(a->trace), "x", shape);
    a->y = module->apply(module, &scope, a->input[0]);
}

/* Numbers without pattern, between -1 and 1, none near 0: kinks of max and relu stay clear of finite differences. */
static double numeral(int64_t i)
{
    double u = fmod((double)(i + 1) * 0.61803398874989485, 1);
    return u < 0.5 ? -0.1 - 1.7 * u : 0.1 + 1.7 * (u - 0.5);
}

static int64_t fill(double *out, int64_t n, int64_t from)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = numeral(from + i);
    return from + n;
}

static void run(crd_context *ctx, crd_program *program, const double *in, double *out)
{
    crd_exec *exec;
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), in, sizeof *in * (size_t)crd_program_input_size(program));
    crd_exec_run(exec);
    memcpy(out, crd_exec_output(exec), sizeof *out * (size_t)crd_program_output_size(program));
    crd_exec_destroy(&exec);
}

/* The module's output for inputs from numeral, x first. Returns the number of inputs. */
static int64_t values(struct applied *a, double *in, double *out)
{
    crd_program *program;
    assert_ok(a->ctx, crd_compile(crd_trace_graph(a->trace), a->input, a->count, &a->y, 1, &program));
    int64_t n = crd_program_input_size(program);
    assert_true(n <= MOST && crd_program_output_size(program) <= MOST);
    fill(in, n, 0);
    run(a->ctx, program, in, out);
    crd_program_destroy(&program);
    return n;
}

/* (in) -> (scalar of y, its gradient, gradient of a scalar of the gradient) */
static void compile_derivatives(struct applied *a, crd_program **out)
{
    crd_graph *g = crd_trace_graph(a->trace);
    double weight[MOST];
    int64_t size = crd_shape_size(crd_node_shape(a->y));
    fill(weight, size, 77);
    crd_array weights = crd_array_borrow(weight, crd_node_shape(a->y));
    crd_node outputs[1 + 2 * MOST_NODES], second = crd_num(0);
    outputs[0] = crd_sum(crd_mul(crd_constant(g, &weights), crd_add(a->y, crd_square(a->y))));
    crd_gradient(outputs[0], a->input, a->count, outputs + 1);
    for (int i = 0; i < a->count; i++)
        second = crd_add(second, crd_sum(crd_mul(crd_num(1 + 0.3 * i), crd_square(outputs[1 + i]))));
    crd_gradient(second, a->input, a->count, outputs + 1 + a->count);
    outputs[1 + 2 * a->count] = second;
    assert_ok(a->ctx, crd_compile(g, a->input, a->count, outputs, 2 + 2 * a->count, out));
}

/* Central differences of the scalar, and of the scalar of its gradient. Elements `keep` and up only (the first may be whole
 * numbers that are no variables). */
static void check_derivatives(struct applied *a)
{
    crd_program *program;
    double in[MOST], at[2 * MOST], up[2 * MOST], down[2 * MOST];
    const double h = 1e-5;
    compile_derivatives(a, &program);
    int64_t n = crd_program_input_size(program), last = crd_program_output_size(program) - 1;
    assert_true(n > 0 && last < 2 * MOST);
    fill(in, n, 0);
    run(a->ctx, program, in, at);
    for (int64_t i = 0; i < n; i++) {
        double x = in[i];
        in[i] = x + h;
        run(a->ctx, program, in, up);
        in[i] = x - h;
        run(a->ctx, program, in, down);
        in[i] = x;
        assert_close(at[1 + i], (up[0] - down[0]) / (2 * h), 1e-6, 1e-7 * (1 + fabs(at[0])));
        assert_close(at[1 + n + i], (up[last] - down[last]) / (2 * h), 1e-5, 1e-7 * (1 + fabs(at[last])));
    }
    crd_program_destroy(&program);
}

static crd_shape shape_of(int ndim, const int64_t *dim)
{
    crd_shape shape = {.ndim = ndim};
    memcpy(shape.dim, dim, sizeof *dim * (size_t)ndim);
    return shape;
}
#define SHAPE(...) shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__})

static bool same(crd_shape a, crd_shape b)
{
    return a.ndim == b.ndim && memcmp(a.dim, b.dim, sizeof a.dim[0] * (size_t)a.ndim) == 0;
}

/* ---- names and shapes ---------------------------------------------------------------------------------------- */

struct expected {
    const char *name;
    crd_shape shape;
};

static void check_params(struct applied *a, const crd_module *module, crd_shape input, const struct expected *expected,
                         int count, crd_shape output)
{
    crd_module_params *p;
    assert_ok(a->ctx, crd_module_describe(a->ctx, module, input, &p));
    assert_int_equal(p->count, count);
    for (int i = 0; i < count; i++) {
        bool found = false;
        for (int k = 0; k < count; k++)
            found = found || (strcmp(p->param[k].spec.name, expected[i].name) == 0 &&
                              same(p->param[k].spec.shape, expected[i].shape));
        if (!found)
            fail_msg("%s is missing, or has another shape", expected[i].name);
    }
    assert_true(same(p->output, output));
    crd_module_params_destroy(&p);
}
#define CHECK_PARAMS(a, module, input, output, ...)                                                                    \
    check_params(a, module, input, (const struct expected[]){__VA_ARGS__},                                             \
                 (int)(sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected)), output)

/* What flax's compact modules say for the same layers: Dense, Conv, LayerNorm and Embed numbered by class. */
static void names_are_those_of_flax(void **state)
{
    (void)state;
    struct applied a;
    begin(&a);
    crd_trace *t = a.trace;
    const crd_module *image[] = {
        crd_conv(t, 8, &(crd_window){.axes = 2, .size = {3, 3}}),
        crd_activate(t, "relu"),
        crd_max_pool(t, &(crd_window){.axes = 2, .size = {2, 2}, .padding = CRD_PADDING_VALID}),
        crd_conv(t, 4, &(crd_window){.axes = 2, .size = {3, 2}, .stride = {2, 1}, .padding = CRD_PADDING_VALID}),
        crd_flatten(t),
        crd_dense(t, 10),
        crd_layer_norm(t, 0),
        crd_activate(t, "tanh"),
        crd_dense(t, 3)};
    CHECK_PARAMS(&a, crd_sequential(t, image, 9), SHAPE(5, 12, 10, 2), SHAPE(5, 3),
                 {"Conv_0.kernel", SHAPE(3, 3, 2, 8)}, {"Conv_0.bias", SHAPE(8)}, {"Conv_1.kernel", SHAPE(3, 2, 8, 4)},
                 {"Conv_1.bias", SHAPE(4)}, {"Dense_0.kernel", SHAPE(32, 10)}, {"Dense_0.bias", SHAPE(10)},
                 {"LayerNorm_0.scale", SHAPE(10)}, {"LayerNorm_0.bias", SHAPE(10)}, {"Dense_1.kernel", SHAPE(10, 3)},
                 {"Dense_1.bias", SHAPE(3)});
    const crd_module *words[] = {crd_embedding(t, 7, 4), crd_conv(t, 6, &(crd_window){.axes = 1, .size = {3}}),
                                 crd_frn(t, 0, 1), crd_flatten(t), crd_dense(t, 1)};
    CHECK_PARAMS(&a, crd_sequential(t, words, 5), SHAPE(2, 9), SHAPE(2, 1), {"Embed_0.embedding", SHAPE(7, 4)},
                 {"Conv_0.kernel", SHAPE(3, 4, 6)}, {"Conv_0.bias", SHAPE(6)}, {"FilterResponseNorm_0.scale", SHAPE(6)},
                 {"FilterResponseNorm_0.bias", SHAPE(6)}, {"FilterResponseNorm_0.threshold", SHAPE(6)},
                 {"Dense_0.kernel", SHAPE(54, 1)}, {"Dense_0.bias", SHAPE(1)});
    /* A residual block's modules are numbered with those around it. */
    const crd_module *deep[] = {crd_dense(t, 4), crd_residual(t, crd_mlp(t, (int64_t[]){5}, 1, 4, "relu")),
                                crd_dense(t, 2)};
    CHECK_PARAMS(&a, crd_sequential(t, deep, 3), SHAPE(6, 3), SHAPE(6, 2), {"Dense_0.kernel", SHAPE(3, 4)},
                 {"Dense_0.bias", SHAPE(4)}, {"Dense_1.kernel", SHAPE(4, 5)}, {"Dense_1.bias", SHAPE(5)},
                 {"Dense_2.kernel", SHAPE(5, 4)}, {"Dense_2.bias", SHAPE(4)}, {"Dense_3.kernel", SHAPE(4, 2)},
                 {"Dense_3.bias", SHAPE(2)});
    end(&a);
}

/* ---- values against loops ------------------------------------------------------------------------------------ */

static void dense_is_a_product(void **state)
{
    (void)state;
    struct applied a;
    double in[MOST], out[MOST];
    begin(&a);
    apply(&a, crd_dense(a.trace, 3), SHAPE(2, 5, 4)); /* more axes than two: the first ones are rows */
    values(&a, in, out);
    assert_true(same(crd_node_shape(a.y), SHAPE(2, 5, 3)));
    const double *bias = in + 40, *kernel = bias + 3;
    for (int r = 0; r < 10; r++)
        for (int u = 0; u < 3; u++) {
            double sum = bias[u];
            for (int k = 0; k < 4; k++)
                sum += in[r * 4 + k] * kernel[k * 3 + u];
            assert_close(out[r * 3 + u], sum, 1e-14, 1e-15);
        }
    end(&a);
}

static void layer_norm_agrees_with_loops(void **state)
{
    (void)state;
    struct applied a;
    double in[MOST], out[MOST];
    begin(&a);
    apply(&a, crd_layer_norm(a.trace, 1e-3), SHAPE(3, 2, 5));
    values(&a, in, out);
    const double *bias = in + 30, *scale = bias + 5;
    for (int r = 0; r < 6; r++) {
        double mean = 0, variance = 0;
        for (int k = 0; k < 5; k++)
            mean += in[r * 5 + k] / 5;
        for (int k = 0; k < 5; k++)
            variance += (in[r * 5 + k] - mean) * (in[r * 5 + k] - mean) / 5;
        for (int k = 0; k < 5; k++)
            assert_close(out[r * 5 + k], (in[r * 5 + k] - mean) / sqrt(variance + 1e-3) * scale[k] + bias[k], 1e-13,
                         1e-15);
    }
    end(&a);
}

static void frn_agrees_with_loops(void **state)
{
    (void)state;
    for (int thresholded = 0; thresholded < 2; thresholded++) {
        struct applied a;
        double in[MOST], out[MOST];
        int below = 0;
        begin(&a);
        apply(&a, crd_frn(a.trace, 1e-2, thresholded), SHAPE(2, 3, 4, 5));
        values(&a, in, out);
        const double *bias = in + 120, *scale = bias + 5, *threshold = scale + 5;
        for (int r = 0; r < 2; r++)
            for (int c = 0; c < 5; c++) {
                double mean = 0;
                for (int p = 0; p < 12; p++)
                    mean += in[(r * 12 + p) * 5 + c] * in[(r * 12 + p) * 5 + c] / 12;
                for (int p = 0; p < 12; p++) {
                    double y = in[(r * 12 + p) * 5 + c] / sqrt(mean + 1e-2) * scale[c] + bias[c];
                    below += thresholded && y < threshold[c];
                    if (thresholded)
                        y = fmax(y, threshold[c]);
                    assert_close(out[(r * 12 + p) * 5 + c], y, 1e-13, 1e-15);
                }
            }
        assert_true(!thresholded || below > 0);
        end(&a);
    }
}

/* Places and padding in front along one axis, as TensorFlow and XLA define them. */
static int64_t placed(const crd_window *w, int axis, int64_t extent, int64_t *before)
{
    int64_t stride = w->stride[axis] ? w->stride[axis] : 1, size = w->size[axis], places;
    if (w->padding == CRD_PADDING_SAME) {
        places = (int64_t)ceil((double)extent / (double)stride);
        int64_t total = (places - 1) * stride + size - extent;
        *before = total > 0 ? total / 2 : 0;
        return places;
    }
    *before = w->padding == CRD_PADDING_EXPLICIT ? w->before[axis] : 0;
    int64_t padded = extent + *before + (w->padding == CRD_PADDING_EXPLICIT ? w->behind[axis] : 0);
    return (padded - size) / stride + 1;
}

/* x (n, h, w, c) at a place that may lie outside. */
static double pixel(const double *x, crd_shape s, int64_t r, int64_t i, int64_t j, int64_t c, double outside)
{
    if (i < 0 || j < 0 || i >= s.dim[1] || j >= s.dim[2])
        return outside;
    return x[((r * s.dim[1] + i) * s.dim[2] + j) * s.dim[3] + c];
}

enum how { CONVOLVE, LARGEST, MEAN };

/* One element of the result by its definition. */
static double element(const double *x, crd_shape s, const crd_window *w, const int64_t *at, enum how how,
                      const double *kernel, int64_t features, int64_t feature)
{
    double sum = 0, largest = -INFINITY;
    for (int64_t p = 0; p < w->size[0]; p++)
        for (int64_t q = 0; q < w->size[1]; q++) {
            int64_t i = at[1] + p, j = at[2] + q;
            largest = fmax(largest, how == CONVOLVE ? 0 : pixel(x, s, at[0], i, j, feature, -INFINITY));
            if (how == MEAN)
                sum += pixel(x, s, at[0], i, j, feature, 0) / (double)(w->size[0] * w->size[1]);
            for (int64_t c = 0; how == CONVOLVE && c < s.dim[3]; c++)
                sum +=
                    pixel(x, s, at[0], i, j, c, 0) * kernel[((p * w->size[1] + q) * s.dim[3] + c) * features + feature];
        }
    return how == LARGEST ? largest : sum;
}

static void check_windows(const crd_window *w, enum how how, int64_t n, int64_t height, int64_t width, int64_t channels)
{
    struct applied a;
    static double in[MOST], out[MOST];
    const int64_t made = how == CONVOLVE ? 3 : channels;
    bool two = w->axes == 2;
    begin(&a);
    const crd_module *module = how == CONVOLVE  ? crd_conv(a.trace, made, w)
                               : how == LARGEST ? crd_max_pool(a.trace, w)
                                                : crd_avg_pool(a.trace, w);
    apply(&a, module, two ? SHAPE(n, height, width, channels) : SHAPE(n, height, channels));
    values(&a, in, out);
    crd_window full = *w;
    crd_shape s = SHAPE(n, height, width, channels);
    int64_t before[2], places[2];
    if (!two)
        full.size[1] = full.stride[1] = 1, full.before[1] = full.behind[1] = 0;
    for (int d = 0; d < 2; d++) {
        if (how != CONVOLVE && full.stride[d] == 0)
            full.stride[d] = full.size[d];
        places[d] = placed(&full, d, s.dim[d + 1], &before[d]);
    }
    assert_true(same(crd_node_shape(a.y), two ? SHAPE(n, places[0], places[1], made) : SHAPE(n, places[0], made)));
    const double *bias = in + n * height * width * channels, *kernel = bias + made, *got = out;
    for (int64_t r = 0; r < n; r++)
        for (int64_t i = 0; i < places[0]; i++)
            for (int64_t j = 0; j < places[1]; j++)
                for (int64_t f = 0; f < made; f++) {
                    int64_t at[3] = {r, i * (full.stride[0] ? full.stride[0] : 1) - before[0],
                                     j * (full.stride[1] ? full.stride[1] : 1) - before[1]};
                    double y = element(in, s, &full, at, how, kernel, made, f) + (how == CONVOLVE ? bias[f] : 0);
                    assert_close(*got++, y, 1e-13, 1e-14);
                }
    end(&a);
}

static const crd_window windows[] = {
    {.axes = 2, .size = {3, 3}},
    {.axes = 2, .size = {2, 4}, .stride = {1, 3}},
    {.axes = 2, .size = {2, 3}, .stride = {2, 1}, .padding = CRD_PADDING_VALID},
    {.axes = 2, .size = {3, 2}, .stride = {3, 2}, .padding = CRD_PADDING_EXPLICIT, .before = {1, 0}, .behind = {2, 1}},
    {.axes = 2, .size = {1, 1}, .stride = {2, 3}, .padding = CRD_PADDING_VALID},
    {.axes = 1, .size = {3}},
    {.axes = 1, .size = {4}, .stride = {3}},
    {.axes = 1, .size = {2}, .stride = {2}, .padding = CRD_PADDING_VALID},
    {.axes = 1, .size = {3}, .stride = {1}, .padding = CRD_PADDING_EXPLICIT, .before = {0}, .behind = {2}},
};
enum { WINDOWS = sizeof windows / sizeof windows[0] };

static void windows_agree_with_loops(void **state)
{
    (void)state;
    for (int i = 0; i < WINDOWS; i++)
        for (enum how how = CONVOLVE; how <= MEAN; how++)
            check_windows(&windows[i], how, 2, 7, windows[i].axes == 2 ? 6 : 1, 2);
    /* A window larger than the array that padding makes room for. */
    check_windows(&(crd_window){.axes = 2, .size = {5, 5}}, CONVOLVE, 1, 2, 3, 1);
    check_windows(&(crd_window){.axes = 1, .size = {2}, .padding = CRD_PADDING_EXPLICIT, .before = {4}, .behind = {3}},
                  CONVOLVE, 1, 2, 1, 2); /* windows that see nothing but padding */
}

static void embedding_picks_rows(void **state)
{
    (void)state;
    struct applied a;
    double out[64], in[6 + 12] = {2, 0, 3, 3, 1, 0};
    crd_program *program;
    begin(&a);
    apply(&a, crd_embedding(a.trace, 4, 3), SHAPE(3, 2));
    assert_true(same(crd_node_shape(a.y), SHAPE(3, 2, 3)));
    assert_ok(a.ctx, crd_compile(crd_trace_graph(a.trace), a.input, a.count, &a.y, 1, &program));
    fill(in + 6, 12, 0);
    run(a.ctx, program, in, out);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 3; k++)
            assert_true(out[i * 3 + k] == in[6 + (int)in[i] * 3 + k]);
    crd_program_destroy(&program);
    end(&a);
}

static void flatten_and_residual(void **state)
{
    (void)state;
    struct applied a;
    double in[MOST], out[MOST];
    begin(&a);
    apply(&a, crd_flatten(a.trace), SHAPE(2, 3, 4));
    values(&a, in, out);
    assert_true(same(crd_node_shape(a.y), SHAPE(2, 12)));
    assert_memory_equal(in, out, sizeof(double) * 24);
    end(&a);
    begin(&a);
    apply(&a, crd_residual(a.trace, crd_activate(a.trace, "square")), SHAPE(2, 3));
    values(&a, in, out);
    for (int i = 0; i < 6; i++)
        assert_close(out[i], in[i] + in[i] * in[i], 1e-15, 0);
    end(&a);
}

/* Between dense layers arrays lie (features, rows): a sequence compiles to what the perceptron does. */
static void a_sequence_is_as_fast_as_a_perceptron(void **state)
{
    (void)state;
    int64_t calls[2];
    for (int which = 0; which < 2; which++) {
        struct applied a;
        crd_program *program;
        begin(&a);
        const crd_module *part[] = {crd_dense(a.trace, 10), crd_activate(a.trace, "tanh"), crd_dense(a.trace, 1)};
        apply(&a, which ? crd_sequential(a.trace, part, 3) : crd_mlp(a.trace, (int64_t[]){10}, 1, 1, "tanh"),
              SHAPE(40, 1));
        assert_ok(a.ctx, crd_compile(crd_trace_graph(a.trace), a.input, a.count, &a.y, 1, &program));
        calls[which] = crd_program_calls(program);
        crd_program_destroy(&program);
        end(&a);
    }
    assert_int_equal(calls[0], calls[1]);
    assert_int_equal(calls[0], 1); /* affine, tanh, affine, in one */
}

/* ---- gradients ------------------------------------------------------------------------------------------------ */

static const crd_module *make(crd_trace *t, int i)
{
    const crd_window *w2 = &windows[1], *w1 = &windows[8];
    switch (i) {
    case 0:
        return crd_dense(t, 3);
    case 1:
        return crd_mlp(t, (int64_t[]){3, 2}, 2, 2, "tanh");
    case 2:
        return crd_layer_norm(t, 1e-2);
    case 3:
        return crd_sequential(t,
                              (const crd_module *[]){crd_dense(t, 2), crd_activate(t, "silu"),
                                                     crd_residual(t, crd_dense(t, 2)), crd_flatten(t)},
                              4);
    case 4:
        return crd_frn(t, 1e-2, 0);
    case 5:
        return crd_frn(t, 1e-2, 1);
    case 6:
        return crd_conv(t, 2, w2);
    case 7:
        return crd_max_pool(t, w2);
    case 8:
        return crd_avg_pool(t, w2);
    case 9:
        return crd_conv(t, 2, w1);
    case 10:
        return crd_max_pool(t, w1);
    case 11:
        return crd_avg_pool(t, w1);
    default:
        return NULL;
    }
}

static void gradients_agree_with_differences(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        struct applied a;
        begin(&a);
        crd_shape shape = i < 4 ? SHAPE(3, 4) : i < 9 ? SHAPE(2, 3, 5, 2) : SHAPE(2, 5, 2);
        apply(&a, make(a.trace, i), shape);
        check_derivatives(&a);
        end(&a);
    }
}

static void gradients_of_embeddings(void **state)
{
    (void)state;
    struct applied a;
    double whole[4] = {1, 0, 2, 1};
    begin(&a);
    crd_array index = crd_array_borrow(whole, SHAPE(2, 2));
    crd_scope scope = {.trace = a.trace, .where = CRD_HERE, .param = as_input, .user = &a};
    const crd_module *module = crd_embedding(a.trace, 4, 2);
    a.y = module->apply(module, &scope, crd_constant(crd_trace_graph(a.trace), &index));
    check_derivatives(&a);
    end(&a);
}

/* ---- activations ---------------------------------------------------------------------------------------------- */

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static double by_hand(const char *name, double x)
{
#define IS(text) (strcmp(name, text) == 0)
    double six = fmin(fmax(x + 3, 0), 6) / 6;
    return IS("tanh")           ? tanh(x)
           : IS("relu")         ? fmax(x, 0)
           : IS("sigmoid")      ? logistic(x)
           : IS("gelu")         ? x * 0.5 * erfc(-x / sqrt(2))
           : IS("silu")         ? x * logistic(x)
           : IS("swish")        ? x / (1 + exp(-x))
           : IS("softplus")     ? log1p(exp(x))
           : IS("elu")          ? (x > 0 ? x : exp(x) - 1)
           : IS("celu")         ? (x > 0 ? x : exp(x) - 1)
           : IS("identity")     ? x
           : IS("gelu_tanh")    ? 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)))
           : IS("mish")         ? x * tanh(log1p(exp(x)))
           : IS("leaky_relu")   ? (x > 0 ? x : 0.01 * x)
           : IS("relu6")        ? fmin(fmax(x, 0), 6)
           : IS("selu")         ? 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1))
           : IS("hard_tanh")    ? fmin(fmax(x, -1), 1)
           : IS("hard_sigmoid") ? six
           : IS("hard_silu")    ? x * six
           : IS("soft_sign")    ? x / (1 + fabs(x))
           : IS("log_sigmoid")  ? log(logistic(x))
           : IS("tanh_shrink")  ? x - tanh(x)
           : IS("squareplus")   ? (x + sqrt(x * x + 4)) / 2
           : IS("exp")          ? exp(x)
           : IS("sin")          ? sin(x)
           : IS("cos")          ? cos(x)
           : IS("square")       ? x * x
           : IS("rbf")          ? exp(-x * x)
           : IS("erf")          ? erf(x)
           : IS("atan")         ? atan(x)
           : IS("abs")          ? fabs(x)
                                : NAN;
}

static void activations_are_what_they_say(void **state)
{
    (void)state;
    double out[MOST], x[9] = {-7.5, -3.25, -1.5, -0.4, 0.3, 0.9, 2.5, 4.75, 8};
    for (int i = 0; crd_activation_name(i); i++) {
        struct applied a;
        crd_program *program;
        begin(&a);
        apply(&a, crd_activate(a.trace, crd_activation_name(i)), SHAPE(3, 3));
        assert_ok(a.ctx, crd_compile(crd_trace_graph(a.trace), a.input, a.count, &a.y, 1, &program));
        run(a.ctx, program, x, out);
        for (int k = 0; k < 9; k++)
            if (!(fabs(out[k] - by_hand(crd_activation_name(i), x[k])) <= 1e-13 * (1 + fabs(out[k]))))
                fail_msg("%s(%g) is %.17g, not %.17g", crd_activation_name(i), x[k], out[k],
                         by_hand(crd_activation_name(i), x[k]));
        check_derivatives(&a);
        crd_program_destroy(&program);
        end(&a);
        assert_true(strlen(crd_activation_what(i)) > 0);
    }
}

/* What the table says about signs and scales is what the formulas do, no more and no less. */
static void symmetries_are_those_of_the_formulas(void **state)
{
    (void)state;
    static const double x[] = {0.1, 0.3, 0.9, 1.5, 2.5, 4.75};
    for (int i = 0; crd_activation_name(i); i++) {
        const char *name = crd_activation_name(i);
        unsigned found = CRDI_ODD | CRDI_EVEN | CRDI_HALF_TURN | CRDI_HOMOGENEOUS;
        for (int k = 0; k < CRDI_COUNT(x); k++) {
            double up = by_hand(name, x[k]), down = by_hand(name, -x[k]);
            found &= fabs(down + up) < 1e-14 ? ~0u : ~(unsigned)CRDI_ODD;
            found &= fabs(down - up) < 1e-14 ? ~0u : ~(unsigned)CRDI_EVEN;
            found &= fabs(down + up - 1) < 1e-14 ? ~0u : ~(unsigned)CRDI_HALF_TURN;
            bool scales = fabs(by_hand(name, 1.7 * x[k]) - 1.7 * up) < 1e-14 * (1 + fabs(up)) * 8 &&
                          fabs(by_hand(name, -1.7 * x[k]) - 1.7 * down) < 1e-14 * (1 + fabs(down)) * 8;
            found &= scales ? ~0u : ~(unsigned)CRDI_HOMOGENEOUS;
        }
        if (crdi_activation_symmetry(name) != found)
            fail_msg("%s: the table says %u, the formula is %u", name, crdi_activation_symmetry(name), found);
    }
    assert_int_equal(crdi_activation_symmetry("tanhh"), 0);
}

/* ---- first values --------------------------------------------------------------------------------------------- */

static void moments(const double *x, int64_t n, double *mean, double *variance, double *largest)
{
    *mean = *variance = *largest = 0;
    for (int64_t i = 0; i < n; i++) {
        *mean += x[i] / (double)n;
        *largest = fmax(*largest, fabs(x[i]));
    }
    for (int64_t i = 0; i < n; i++)
        *variance += (x[i] - *mean) * (x[i] - *mean) / (double)n;
}

static void initialisers_have_their_moments(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const int64_t n = 9 * 40 * 60, in = 9 * 40, out = 9 * 60;
    static double x[9 * 40 * 60];
    const struct {
        const char *name;
        double scale, mean, variance, bound; /* bound: in standard deviations; 0: not tried */
    } rows[] = {
        {"lecun_normal", 0, 0, 1.0 / (double)in, 2 / 0.87962566103423978},
        {"lecun_uniform", 0, 0, 1.0 / (double)in, sqrt(3)},
        {"glorot_normal", 0, 0, 2.0 / (double)(in + out), 2 / 0.87962566103423978},
        {"glorot_uniform", 0, 0, 2.0 / (double)(in + out), sqrt(3)},
        {"he_normal", 0, 0, 2.0 / (double)in, 2 / 0.87962566103423978},
        {"he_uniform", 0, 0, 2.0 / (double)in, sqrt(3)},
        {"normal", 0.5, 0, 0.25, 0},
        {"normal", 0, 0, 1e-4, 0},
        {"uniform", 2, 1, 4.0 / 12, 2 / sqrt(4.0 / 12)},
        {"constant", 3, 3, 0, 0},
        {"zeros", 0, 0, 0, 0},
        {"ones", 0, 1, 0, 0},
    };
    crd_param_spec spec = {.name = "kernel", .shape = SHAPE(3, 3, 40, 60)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double mean, variance, largest, sd = sqrt(rows[i].variance);
        crd_initializer how = {rows[i].name, rows[i].scale};
        assert_ok(ctx, crd_initialize(ctx, &how, &spec, crd_key_make(i), x));
        moments(x, n, &mean, &variance, &largest);
        assert_close(mean, rows[i].mean, 0, 5 * sd / sqrt((double)n) + 1e-12); /* 5 standard errors */
        assert_close(variance, rows[i].variance, 0.03, 1e-15);
        if (rows[i].bound > 0)
            assert_true(largest <= rows[i].bound * sd * (1 + 1e-9) && largest > 0.98 * rows[i].bound * sd);
    }
    assert_int_equal(crd_initialize(ctx, &(crd_initializer){"le_cun_normal", 0}, &spec, crd_key_make(0), x), CRD_ENAME);
    testing_context_destroy(&ctx);
}

static void modules_are_initialised(void **state)
{
    (void)state;
    struct applied a;
    crd_module_params *p, *q;
    begin(&a);
    const crd_module *part[] = {crd_embedding(a.trace, 50, 64), crd_layer_norm(a.trace, 0), crd_flatten(a.trace),
                                crd_dense(a.trace, 30)};
    const crd_module *module = crd_sequential(a.trace, part, 4);
    assert_ok(a.ctx, crd_module_init(a.ctx, module, SHAPE(1, 2), NULL, crd_key_make(3), &p));
    assert_ok(a.ctx,
              crd_module_init(a.ctx, module, SHAPE(9, 2), &(crd_initializer){"constant", 7}, crd_key_make(3), &q));
    assert_int_equal(p->count, 5);
    for (int i = 0; i < p->count; i++) {
        double mean, variance, largest;
        const char *name = p->param[i].spec.name;
        int64_t n = crd_shape_size(p->param[i].spec.shape);
        moments(p->param[i].value.data, n, &mean, &variance, &largest);
        double expected = strstr(name, "embedding") ? 1.0 / 64 : strstr(name, "kernel") ? 1.0 / 128 : 0;
        assert_close(variance, expected, 0.1, 1e-15);
        assert_close(mean, strstr(name, "scale") ? 1 : 0, 1e-15, expected > 0 ? 0.02 : 0);
        assert_close(q->param[i].value.data[0], expected > 0 ? 7 : strstr(name, "scale") ? 1 : 0, 0, 0);
    }
    crd_module_params_destroy(&p);
    crd_module_params_destroy(&q);
    end(&a);
}

/* Parameter i is drawn from the key folded with i: layers of one shape begin differently. */
static void each_parameter_has_its_key(void **state)
{
    (void)state;
    struct applied a;
    crd_module_params *p;
    begin(&a);
    assert_ok(a.ctx, crd_module_init(a.ctx, crd_mlp(a.trace, (int64_t[]){3}, 1, 3, "tanh"), SHAPE(1, 3), NULL,
                                     crd_key_make(5), &p));
    for (int i = 0; i < p->count; i++) {
        double expected[9];
        const crd_module_param *param = &p->param[i];
        assert_ok(a.ctx, crd_initialize(a.ctx, &param->spec.initial, &param->spec,
                                        crd_key_fold_in(crd_key_make(5), (uint32_t)i), expected));
        assert_memory_equal(param->value.data, expected, sizeof(double) * (size_t)crd_shape_size(param->spec.shape));
    }
    crd_module_params_destroy(&p);
    end(&a);
}

/* ---- what is refused ------------------------------------------------------------------------------------------ */

static void check_refusal(struct applied *a, const crd_module *module, crd_shape shape, crd_status status,
                          const char *words)
{
    crd_module_params *p = NULL;
    crd_error_clear(a->ctx);
    assert_non_null(module);
    assert_int_equal(crd_module_describe(a->ctx, module, shape, &p), status);
    assert_null(p);
    if (!strstr(crd_error_message(a->ctx), words))
        fail_msg("'%s' does not say '%s'", crd_error_message(a->ctx), words);
}

static void shapes_that_do_not_fit(void **state)
{
    (void)state;
    struct applied a;
    begin(&a);
    crd_trace *t = a.trace;
    check_refusal(&a, crd_dense(t, 2), SHAPE(3), CRD_ESHAPE, "a dense layer needs rows and features, not shape (3,)");
    check_refusal(&a, crd_mlp(t, NULL, 0, 1, "tanh"), SHAPE(3, 2, 2), CRD_ESHAPE, "needs inputs (rows, columns)");
    check_refusal(&a, crd_layer_norm(t, 0), SHAPE(3), CRD_ESHAPE, "layer normalisation needs rows and features");
    check_refusal(&a, crd_frn(t, 0, 1), SHAPE(3, 4), CRD_ESHAPE, "needs axes between rows and features");
    check_refusal(&a, crd_conv(t, 2, &windows[0]), SHAPE(3, 4, 5), CRD_ESHAPE, "(rows, height, width, features)");
    check_refusal(&a, crd_conv(t, 2, &windows[2]), SHAPE(3, 1, 5, 1), CRD_ESHAPE,
                  "a window of 2 with stride 2 has no place");
    check_refusal(&a, crd_avg_pool(t, &windows[5]), SHAPE(3, 4), CRD_ESHAPE, "windows over 1 axis need an array");
    check_refusal(&a, crd_residual(t, crd_dense(t, 2)), SHAPE(3, 4), CRD_ESHAPE, "it makes (3, 2) of (3, 4)");
    check_refusal(&a, crd_embedding(t, 2, 2), SHAPE(1, 1, 1, 1, 1, 1), CRD_ESHAPE,
                  "an embedding of an array of 6 axes");
    end(&a);
}

static void modules_that_cannot_be(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        struct applied a;
        begin(&a);
        crd_trace *t = a.trace;
        const crd_module *none = NULL;
        const crd_window thin = {.axes = 2, .size = {3, 0}}, back = {.axes = 1, .size = {2}, .stride = {-1}},
                         many = {.axes = 3, .size = {1, 1}},
                         lost = {.axes = 1, .size = {2}, .padding = CRD_PADDING_EXPLICIT, .before = {2}};
        const crd_module *made = i == 0    ? crd_dense(t, 0)
                                 : i == 1  ? crd_mlp(t, (int64_t[]){3, -1}, 2, 1, "tanh")
                                 : i == 2  ? crd_conv(t, 0, &windows[0])
                                 : i == 3  ? crd_conv(t, 1, &thin)
                                 : i == 4  ? crd_max_pool(t, &back)
                                 : i == 5  ? crd_avg_pool(t, &many)
                                 : i == 6  ? crd_max_pool(t, &lost)
                                 : i == 7  ? crd_embedding(t, 0, 3)
                                 : i == 8  ? crd_sequential(t, &none, 1)
                                 : i == 9  ? crd_residual(t, NULL)
                                 : i == 10 ? crd_layer_norm(t, -1)
                                           : crd_frn(t, NAN, 0);
        assert_null(made);
        assert_int_equal(crd_error_status(a.ctx), CRD_EINVAL);
        end(&a);
    }
    struct applied a;
    begin(&a);
    assert_null(crd_activate(a.trace, "tahn"));
    assert_int_equal(crd_error_status(a.ctx), CRD_ENAME);
    assert_non_null(strstr(crd_error_message(a.ctx), "did you mean 'tanh'?"));
    end(&a);
}

static void indices_outside_a_table(void **state)
{
    (void)state;
    const double wrong[] = {4, -1, 0.5, NAN};
    for (int i = 0; i < 4; i++) {
        struct applied a;
        double index[2] = {1, wrong[i]};
        begin(&a);
        crd_array array = crd_array_borrow(index, SHAPE(2, 1));
        crd_scope scope = {.trace = a.trace, .where = CRD_HERE, .param = as_input, .user = &a};
        const crd_module *module = crd_embedding(a.trace, 4, 2);
        assert_false(crd_node_ok(module->apply(module, &scope, crd_constant(crd_trace_graph(a.trace), &array))));
        assert_int_equal(crd_error_status(a.ctx), CRD_EDOMAIN);
        assert_non_null(strstr(crd_error_message(a.ctx), "element 1 of its input is"));
        end(&a);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct applied a;
    crd_module_params *p = NULL;
    begin(&a);
    const crd_module *part[] = {crd_conv(a.trace, 2, &windows[0]), crd_frn(a.trace, 0, 1), crd_flatten(a.trace),
                                crd_dense(a.trace, 2)};
    const crd_module *module = crd_sequential(a.trace, part, 4);
    crd_status status = CRD_ENOMEM;
    int k = 0;
    while (status == CRD_ENOMEM) {
        crd_error_clear(a.ctx);
        testing_fail_allocation(++k);
        status = crd_module_init(a.ctx, module, SHAPE(1, 4, 4, 1), NULL, crd_key_make(1), &p);
        testing_fail_allocation(0);
    }
    assert_ok(a.ctx, status);
    assert_true(k > 10);
    crd_module_params_destroy(&p);
    end(&a);
}

static void the_registry_is_whole(void **state)
{
    (void)state;
    int i = 0;
    for (; crd_layer_name(i); i++)
        assert_true(strlen(crd_layer_what(i)) > 0 && crd_layer_params(i) && crd_layer_arguments(i));
    assert_int_equal(i, 12);
    assert_null(crd_layer_name(-1));
    assert_null(crd_layer_what(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_flax),
        cmocka_unit_test(dense_is_a_product),
        cmocka_unit_test(layer_norm_agrees_with_loops),
        cmocka_unit_test(frn_agrees_with_loops),
        cmocka_unit_test(windows_agree_with_loops),
        cmocka_unit_test(embedding_picks_rows),
        cmocka_unit_test(flatten_and_residual),
        cmocka_unit_test(a_sequence_is_as_fast_as_a_perceptron),
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(gradients_of_embeddings),
        cmocka_unit_test(activations_are_what_they_say),
        cmocka_unit_test(symmetries_are_those_of_the_formulas),
        cmocka_unit_test(initialisers_have_their_moments),
        cmocka_unit_test(modules_are_initialised),
        cmocka_unit_test(each_parameter_has_its_key),
        cmocka_unit_test(shapes_that_do_not_fit),
        cmocka_unit_test(modules_that_cannot_be),
        cmocka_unit_test(indices_outside_a_table),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_registry_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
