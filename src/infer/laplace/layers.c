/* layers.c - the network's dense layers, and its Jacobian by rows.
 *
 * f of a row depends on no other row. So the gradient of the sum of one output over many rows in what a layer puts out has
 * each row's derivative in its place, and one backward pass an output serves all rows of a block. */
#include "infer/laplace/laplace.h"

#include <stdio.h>
#include <string.h>

/* ---- layers ------------------------------------------------------------------------------------------------- */

static int find_site(const crdi_laplace *l, const char *name)
{
    for (int i = 0; i < crd_model_site_count(l->model); i++)
        if (strcmp(crd_model_site(l->model, i)->name, name) == 0)
            return i;
    return -1;
}

static crd_status need_site(const crdi_laplace *l, int number, const char *what, int64_t size, int *out)
{
    char name[64];
    snprintf(name, sizeof name, "net/Dense_%d.%s", number, what);
    *out = find_site(l, name);
    if (*out < 0 || crd_model_site(l->model, *out)->unconstrained_size != size)
        return crdi_raise(
            l->ctx, CRD_EUNSUPPORTED,
            "method laplace: the prior of %s is made of other sites; it needs a prior with parameters that are "
            "known, as normal:0,1 (--tune prior finds their scale)",
            name);
    return CRD_OK;
}

crd_status crdi_laplace_find_layers(crdi_laplace *l)
{
    int64_t width[CRDI_LAPLACE_LAYERS];
    int hidden = crd_widths_parse(l->ctx, l->network.hidden, width, CRDI_LAPLACE_LAYERS - 1);
    if (hidden < 0)
        return crd_error_status(l->ctx);
    width[hidden] = l->outputs;
    l->layers = hidden + 1;
    for (int k = 0; k < l->layers; k++) {
        crdi_laplace_layer *layer = &l->layer[k];
        layer->in = k ? width[k - 1] : l->network.x.shape.dim[1];
        layer->out = width[k];
        layer->first = l->count;
        layer->size = (layer->in + 1) * layer->out;
        CRD_TRY(need_site(l, k, "kernel", layer->in * layer->out, &layer->kernel_site));
        CRD_TRY(need_site(l, k, "bias", layer->out, &layer->bias_site));
        layer->kernel = crd_model_site(l->model, layer->kernel_site)->offset;
        layer->bias = crd_model_site(l->model, layer->bias_site)->offset;
        l->count += layer->size;
    }
    l->noise_site = find_site(l, "s");
    int64_t others = crd_model_dim(l->model) - l->count - (l->noise_site >= 0);
    if (others != 0)
        return crdi_raise(
            l->ctx, CRD_EUNSUPPORTED,
            "method laplace: the model has %lld parameters beside weights and noise, as priors with scales of "
            "their own bring; it needs priors with parameters that are known, as normal:0,1",
            (long long)others);
    return CRD_OK;
}

/* ---- the Jacobian ------------------------------------------------------------------------------------------- */

/* z (out, rows) of each layer, and its input (in, rows). */
static void build_layers(const crdi_laplace *l, crd_trace *trace, crd_node theta, crd_node x, crd_node *input,
                         crd_node *z)
{
    for (int k = 0; k < l->layers; k++) {
        const crdi_laplace_layer *layer = &l->layer[k];
        crd_node kernel = crd_slice(theta, 0, layer->first, layer->in * layer->out, 1);
        crd_node bias = crd_slice(theta, 0, layer->first + layer->in * layer->out, layer->out, 1);
        input[k] = k ? crd_activation_at(trace, l->network.activation, z[k - 1], (crd_where){0}) : x;
        z[k] = crd_affine(crd_reshape(kernel, crd_shape_2(layer->in, layer->out)), input[k], bias);
    }
}

/* (theta, x, which) -> f, the inputs of layers behind the first, the derivatives of output `which` (a one among zeros) in
 * what each layer puts out. */
static crd_status build(crdi_laplace *l, crd_trace *trace)
{
    crd_graph *graph = crd_trace_graph(trace);
    int64_t rows = l->block.capacity;
    crd_node in[3] = {crd_input(graph, "theta", crd_shape_1(l->count)),
                      crd_input(graph, "x", crd_shape_2(l->layer[0].in, rows)),
                      crd_input(graph, "which", crd_shape_2(l->outputs, 1))};
    crd_node input[CRDI_LAPLACE_LAYERS], z[CRDI_LAPLACE_LAYERS], out[2 * CRDI_LAPLACE_LAYERS];
    int count = 0;
    build_layers(l, trace, in[0], in[1], input, z);
    if (!crd_node_ok(z[l->layers - 1]))
        return crd_error_status(l->ctx);
    out[count++] = z[l->layers - 1];
    for (int k = 1; k < l->layers; k++)
        out[count++] = input[k];
    crd_gradient(crd_sum(crd_mul(z[l->layers - 1], in[2])), z, l->layers, out + count);
    return crd_compile(graph, in, 3, out, count + l->layers, &l->jacobian_program);
}

static crd_status make_block(crdi_laplace *l)
{
    enum { TOGETHER = 256 }; /* rows times outputs */
    crdi_laplace_block *b = &l->block;
    b->capacity = TOGETHER / l->outputs > 16 ? TOGETHER / l->outputs : 16;
    b->f = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(l->outputs * b->capacity));
    bool enough = b->f;
    for (int k = 0; k < l->layers; k++) {
        const crdi_laplace_layer *layer = &l->layer[k];
        b->input[k] = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)((layer->in + 1) * b->capacity));
        b->slope[k] = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(l->outputs * layer->out * b->capacity));
        enough = enough && b->input[k] && b->slope[k];
        for (int64_t i = 0; enough && i < b->capacity; i++)
            b->input[k][layer->in * b->capacity + i] = 1;
    }
    return enough ? CRD_OK : CRD_ENOMEM;
}

crd_status crdi_laplace_compile_jacobian(crdi_laplace *l)
{
    crd_trace *trace;
    CRD_TRY(make_block(l));
    CRD_TRY(crd_trace_create(&trace, l->ctx));
    crd_status status = build(l, trace);
    crd_trace_destroy(&trace);
    return status == CRD_OK ? crd_exec_create(&l->jacobian, l->jacobian_program) : status;
}

/* Rows behind the last are given as zeros, and not looked at. */
static void set_inputs(crdi_laplace *l, const double *x, int64_t rows)
{
    crdi_laplace_block *b = &l->block;
    int64_t in = l->layer[0].in, capacity = b->capacity;
    double *at = crd_exec_input(l->jacobian);
    memcpy(at, l->theta, sizeof *at * (size_t)l->count);
    at += l->count;
    for (int64_t j = 0; j < in; j++)
        for (int64_t i = 0; i < capacity; i++)
            at[j * capacity + i] = i < rows ? x[i * in + j] : 0;
    memcpy(b->input[0], at, sizeof *at * (size_t)(in * capacity));
    b->rows = rows;
}

void crdi_laplace_jacobian(crdi_laplace *l, const double *x, int64_t rows)
{
    crdi_laplace_block *b = &l->block;
    int64_t capacity = b->capacity;
    set_inputs(l, x, rows);
    double *which = crd_exec_input(l->jacobian) + l->count + l->layer[0].in * capacity;
    for (int64_t c = 0; c < l->outputs; c++) {
        for (int64_t k = 0; k < l->outputs; k++)
            which[k] = k == c;
        crd_exec_run(l->jacobian);
        const double *out = crd_exec_output(l->jacobian);
        memcpy(b->f, out, sizeof *out * (size_t)(l->outputs * capacity));
        out += l->outputs * capacity;
        for (int k = 1; k < l->layers; k++) {
            memcpy(b->input[k], out, sizeof *out * (size_t)(l->layer[k].in * capacity));
            out += l->layer[k].in * capacity;
        }
        for (int k = 0; k < l->layers; k++) {
            int64_t size = l->layer[k].out * capacity;
            memcpy(b->slope[k] + c * size, out, sizeof *out * (size_t)size);
            for (int64_t j = 0; j < l->layer[k].out; j++) /* rows that are none weigh nothing */
                memset(b->slope[k] + c * size + j * capacity + rows, 0, sizeof *out * (size_t)(capacity - rows));
            out += size;
        }
    }
}
