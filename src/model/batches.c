/* batches.c - see batches.h. */
#include "model/batches.h"
#include "model/unconstrain.h"

#include <string.h>

/* ---- the plate ---------------------------------------------------------------------------------------------- */

static const char *plate_name(const void *list, int64_t i)
{
    return crd_trace_plate(list, (int)i)->name;
}

static bool is_subsampled(const crd_plate_info *plate)
{
    return plate->rows < plate->size;
}

/* The one that was named; else that which is subsampled; else the only one. */
static crd_status find(crd_context *ctx, const crd_trace *trace, const char *name, const crd_plate_info **out)
{
    int count = crd_trace_plate_count(trace), subsampled = 0;
    const crd_plate_info *found = NULL;
    for (int i = 0; i < count; i++) {
        const crd_plate_info *plate = crd_trace_plate(trace, i);
        if (name && strcmp(plate->name, name) == 0)
            found = plate;
        subsampled += is_subsampled(plate);
    }
    for (int i = 0; i < count && !name; i++)
        if (is_subsampled(crd_trace_plate(trace, i)) ? subsampled == 1 : count == 1)
            found = crd_trace_plate(trace, i);
    *out = found;
    if (found)
        return CRD_OK;
    if (name)
        return crdi_raise_unknown(ctx, "plate", name, plate_name, trace, count);
    return crdi_raise(ctx, CRD_ENAME,
                      count == 0 ? "batches: the model has no plate whose rows could be taken some at a time"
                                 : "batches: the model has %d plates; which one's rows are a batch? 'plate' names it",
                      count);
}

/* Its name belongs to the caller's arena: the trace ends here. A whole model without plates is one row. */
static crd_status look_at_plate(const crd_model *model, const char *name, bool whole, crdi_arena *arena,
                                crd_plate_info *out)
{
    static const crd_plate_info one = {.name = "", .size = 1, .rows = 1};
    crdi_unconstrained u;
    const crd_plate_info *plate = &one;
    crd_status status = crdi_unconstrained_trace(model->ctx, model->fn, model->user, NULL, &u);
    if (status == CRD_OK && !(whole && !name && crd_trace_plate_count(u.trace) == 0))
        status = find(model->ctx, u.trace, name, &plate);
    if (status == CRD_OK) {
        *out = *plate;
        out->name = crdi_arena_strdup(arena, plate->name);
        status = out->name ? CRD_OK : CRD_ENOMEM;
    }
    crdi_unconstrained_clear(model->ctx, &u);
    return status;
}

/* ---- programs ----------------------------------------------------------------------------------------------- */

static crd_node as_node(const crdi_unconstrained *u, crd_node node)
{
    return node.graph ? node : crdi_constant_scalar(u->trace->graph, node.number);
}

/* What a program gives: (input, density and gradient) or (input, likelihood); n sites stand before the rows in `input`. */
typedef crd_status (*outputs_fn)(const crdi_unconstrained *u, const crd_node *input, int n, double share,
                                 crd_node *output, int *count);

static crd_status density_outputs(const crdi_unconstrained *u, const crd_node *input, int n, double share,
                                  crd_node *output, int *count)
{
    (void)share;
    output[0] = as_node(u, crd_add(crd_trace_log_density(u->trace), u->handler.log_jacobian));
    crd_gradient(output[0], input, n, output + 1);
    *count = n + 1;
    return CRD_OK;
}

/* In a batch each row counts 1 / share times. */
static crd_status likelihood_outputs(const crdi_unconstrained *u, const crd_node *input, int n, double share,
                                     crd_node *output, int *count)
{
    (void)input;
    (void)n;
    output[0] = as_node(u, crd_mul(crd_num(share), u->trace->log_likelihood));
    *count = 1;
    return CRD_OK;
}

static crd_status compile_trace(const crd_model *model, const crdi_unconstrained *u, const crdi_plate_batch *batch,
                                double share, outputs_fn outputs, crd_node *input, crd_node *output, crd_program **out)
{
    int n = model->site_count, count = 0;
    CRD_TRY(crdi_unconstrained_inputs(model, u, input));
    CRD_TRY(outputs(u, input, n, share, output, &count));
    if (batch)
        input[n] = batch->row;
    return crd_compile(u->trace->graph, input, n + (batch != NULL), output, count, out);
}

/* rows of the plate as an input, or all of them. */
static crd_status compile(const crd_model *model, const crd_plate_info *plate, int64_t rows, outputs_fn outputs,
                          crd_program **out)
{
    crd_context *ctx = model->ctx;
    crdi_plate_batch batch = {.plate = plate->name, .rows = rows};
    crdi_unconstrained u;
    crd_node *input = crdi_alloc_array(ctx, model->site_count + 1, sizeof *input),
             *output = crdi_alloc_array(ctx, model->site_count + 1, sizeof *output);
    crd_status status = crdi_unconstrained_trace(ctx, model->fn, model->user, &batch, &u);
    if (status == CRD_OK && !(input && output))
        status = CRD_ENOMEM;
    if (status == CRD_OK)
        status = compile_trace(model, &u, rows < plate->size ? &batch : NULL, (double)rows / (double)plate->size,
                               outputs, input, output, out);
    crdi_unconstrained_clear(ctx, &u);
    crdi_free(ctx, input);
    crdi_free(ctx, output);
    return status;
}

static crd_status compile_both(const crd_model *model, const crd_plate_info *plate, int64_t rows, crdi_batches *out)
{
    *out = (crdi_batches){
        .dim = model->dim, .rows = rows, .population = plate->size, .left = plate->size % (rows > 0 ? rows : 1)};
    if (rows < 1 || rows > plate->size)
        return crdi_raise(model->ctx, CRD_EINVAL, "batch: %lld rows, and plate %s has %lld", (long long)rows,
                          plate->name, (long long)plate->size);
    CRD_TRY(compile(model, plate, rows, density_outputs, &out->program));
    return out->left > 0 ? compile(model, plate, out->left, density_outputs, &out->last) : CRD_OK;
}

static crd_status create(const crd_model *model, const char *name, int64_t rows, int64_t count, crdi_batches *out)
{
    crdi_arena *arena;
    crd_plate_info plate;
    *out = (crdi_batches){0};
    CRD_TRY(crdi_arena_create(&arena, model->ctx));
    crd_status status = look_at_plate(model, name, count > 0, arena, &plate);
    if (status == CRD_OK && !*plate.name)
        count = 1;
    if (status == CRD_OK && (count < 0 || count > plate.size))
        status = crdi_raise(model->ctx, CRD_EINVAL, "batches: %lld are asked for, and plate %s has %lld rows",
                            (long long)count, plate.name, (long long)plate.size);
    if (status == CRD_OK && count > 0)
        rows = (plate.size + count - 1) / count;
    if (status == CRD_OK)
        status = compile_both(model, &plate, rows > 0 || count > 0 ? rows : plate.rows, out);
    crdi_arena_destroy(&arena);
    return status;
}

crd_status crdi_batches_create(const crd_model *model, const char *plate, int64_t rows, crdi_batches *out)
{
    return create(model, plate, rows, 0, out);
}

crd_status crdi_batches_create_count(const crd_model *model, const char *plate, int64_t count, crdi_batches *out)
{
    return create(model, plate, 0, count, out);
}

void crdi_batches_clear(crdi_batches *batches)
{
    crd_program_destroy(&batches->program);
    crd_program_destroy(&batches->last);
    *batches = (crdi_batches){0};
}

/* ---- one program ------------------------------------------------------------------------------------------- */

crd_status crdi_batches_population(const crd_model *model, const char *plate, int64_t *out)
{
    crdi_arena *arena;
    crd_plate_info found;
    CRD_TRY(crdi_arena_create(&arena, model->ctx));
    crd_status status = look_at_plate(model, plate, false, arena, &found);
    if (status == CRD_OK)
        *out = found.size;
    crdi_arena_destroy(&arena);
    return status;
}

static crd_status compile_one(const crd_model *model, const char *name, int64_t rows, outputs_fn outputs,
                              crd_program **out)
{
    crdi_arena *arena;
    crd_plate_info plate;
    CRD_TRY(crdi_arena_create(&arena, model->ctx));
    crd_status status = look_at_plate(model, name, false, arena, &plate);
    if (status == CRD_OK)
        status = compile(model, &plate, rows, outputs, out);
    crdi_arena_destroy(&arena);
    return status;
}

crd_status crdi_batches_compile(const crd_model *model, const char *plate, int64_t rows, crd_program **out)
{
    return compile_one(model, plate, rows, density_outputs, out);
}

crd_status crdi_batches_compile_likelihood(const crd_model *model, const char *plate, int64_t rows, crd_program **out)
{
    return compile_one(model, plate, rows, likelihood_outputs, out);
}
