/* prediction.c - predictions at new inputs in bounded memory.
 *
 * Rows go in blocks of BLOCK_ROWS, each with a compiled program of its own (its inputs are constants there); a program is
 * run once a draw. Quantiles need all draws of a row at once, so a group of rows is taken whose predictions fit:
 *     for each group of rows: for each piece of draws: for each block (threads): for each draw: run, keep the group's rows
 *                             for each row (threads): sort, quantiles.
 * Draws that fit in memory at once are read once. */
#include "report/prediction.h"

#include <credence/diag.h>
#include <math.h>
#include <string.h>

enum { BLOCK_ROWS = 128 };

struct work {
    const crdi_network_run *net;
    const crdi_prediction_request *request;
    crd_context *ctx;
    crd_model *model;
    crdi_run_part part;
    int64_t total; /* draws of all chains of the part */
    const crd_column **column; /* by site of the model */
    int64_t dim; /* elements of all sites */
    double *values; /* (piece, dim): draws from number `at` on */
    int64_t piece, at, count;
    double *range; /* one site of a piece, as the file has it */
    int64_t group, row, rows; /* rows at most; the group at hand */
    double *f, *y; /* (group, total) */
    crdi_prediction *out;
};

/* ---- draws -------------------------------------------------------------------------------------------------- */

/* Draws at .. at + count - 1 of one chain, from `first` on in the chain, to the place `to` of the piece. */
static crd_status load_range(struct work *w, int chain, int64_t first, int64_t count, int64_t to)
{
    int64_t offset = 0;
    for (int i = 0; i < crd_model_site_count(w->model); i++) {
        int64_t size = w->column[i]->size;
        CRD_TRY(crdi_run_read_range(w->net->run, w->column[i], chain, first, count, w->range));
        for (int64_t d = 0; d < count; d++)
            memcpy(w->values + (to + d) * w->dim + offset, w->range + d * size, (size_t)size * sizeof(double));
        offset += size;
    }
    return CRD_OK;
}

/* Makes the draws from number `at` on (of all chains, one after the other) the piece at hand. */
static crd_status load_piece(struct work *w, int64_t at)
{
    int64_t count = w->piece < w->total - at ? w->piece : w->total - at;
    if (w->count == count && w->at == at)
        return CRD_OK; /* all draws fit: they are there since the first group */
    for (int64_t done = 0; done < count;) {
        int chain = w->part.chain[(at + done) / w->part.draws];
        int64_t first = (at + done) % w->part.draws, n = w->part.draws - first;
        n = n < count - done ? n : count - done;
        CRD_TRY(load_range(w, chain, first, n, done));
        done += n;
    }
    w->at = at;
    w->count = count;
    return CRD_OK;
}

/* ---- one block ---------------------------------------------------------------------------------------------- */

static crd_status compile_block(const struct work *w, int64_t block, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"f", "y"};
    crd_shape shapes[2];
    crd_network network = w->net->network;
    int64_t features = w->request->x->shape.dim[1];
    network.x = crd_array_borrow(w->request->x->data + block * BLOCK_ROWS * features, crd_shape_2(rows, features));
    network.y = NULL;
    return crd_model_compile_predictive(w->model, &network, names, 2, shapes, out);
}

/* Runs a block's program for every draw of the piece and keeps the rows of the group, in the target's units. */
static void run_block(const struct work *w, crd_exec *exec, int64_t block, int64_t rows)
{
    double mean = w->net->recipe->target_mean, sd = w->net->recipe->target_sd;
    int64_t start = block * BLOCK_ROWS, from = w->row > start ? w->row - start : 0;
    int64_t to = w->row + w->rows < start + rows ? w->row + w->rows - start : rows;
    crd_key block_key = crd_key_fold_in(w->request->key, (uint32_t)block);
    double *input = crd_exec_input(exec);
    for (int64_t d = 0; d < w->count; d++) {
        crd_key key = crd_key_fold_in(block_key, (uint32_t)(w->at + d));
        input[0] = key.word[0];
        input[1] = key.word[1];
        memcpy(input + 2, w->values + d * w->dim, (size_t)w->dim * sizeof *input);
        crd_exec_run(exec);
        const double *f = crd_exec_output(exec), *y = f + rows;
        for (int64_t i = from; i < to; i++) {
            int64_t place = (start + i - w->row) * w->total + w->at + d;
            w->f[place] = mean + sd * f[i];
            w->y[place] = mean + sd * y[i];
        }
    }
}

static crd_status block_task(void *user, int64_t i)
{
    const struct work *w = user;
    int64_t block = w->row / BLOCK_ROWS + i, left = w->request->x->shape.dim[0] - block * BLOCK_ROWS;
    int64_t rows = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    crd_program *program;
    crd_exec *exec;
    CRD_TRY(compile_block(w, block, rows, &program));
    crd_status status = crd_exec_create(&exec, program);
    if (status == CRD_OK) {
        run_block(w, exec, block, rows);
        crd_exec_destroy(&exec);
    }
    crd_program_destroy(&program);
    return status;
}

/* ---- one row ------------------------------------------------------------------------------------------------ */

static crd_status row_task(void *user, int64_t i)
{
    const struct work *w = user;
    crdi_prediction *out = w->out;
    int64_t row = w->row + i;
    double *f = w->f + i * w->total, *y = w->y + i * w->total;
    out->mean[row] = crd_diag_mean(f, w->total);
    out->sd[row] = crd_diag_sd(f, w->total);
    CRD_TRY(crd_diag_sort(w->ctx, f, w->total, f));
    CRD_TRY(crd_diag_sort(w->ctx, y, w->total, y));
    for (int k = 0; k < out->prob_count; k++) {
        double prob = w->request->prob[k];
        out->f[row * out->prob_count + k] = crd_diag_quantile_sorted(f, w->total, prob);
        out->y[row * out->prob_count + k] = crd_diag_quantile_sorted(y, w->total, prob);
    }
    return CRD_OK;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static crd_status run_group(struct work *w)
{
    int64_t first = w->row / BLOCK_ROWS, last = (w->row + w->rows - 1) / BLOCK_ROWS;
    for (int64_t at = 0; at < w->total; at += w->piece) {
        CRD_TRY(load_piece(w, at));
        CRD_TRY(crdi_parallel(w->ctx, w->request->threads, last - first + 1, block_task, w));
    }
    return crdi_parallel(w->ctx, w->request->threads, w->rows, row_task, w);
}

/* How many draws and rows are held at a time: a quarter of the memory for draws, half for predictions; the last quarter is
 * what reading and sorting take. */
static crd_status plan(struct work *w)
{
    int64_t memory = w->request->memory ? (int64_t)w->request->memory : (int64_t)192 << 20;
    int64_t doubles = memory / (int64_t)sizeof(double), rows = w->out->rows, largest = 1;
    w->piece = doubles / 4 / w->dim > 1 ? doubles / 4 / w->dim : 1;
    w->piece = w->piece < w->total ? w->piece : w->total;
    w->group = doubles / 4 / w->total > 1 ? doubles / 4 / w->total : 1;
    if (w->group > BLOCK_ROWS)
        w->group -= w->group % BLOCK_ROWS;
    w->group = w->group < rows ? w->group : rows;
    for (int i = 0; i < crd_model_site_count(w->model); i++)
        largest = w->column[i]->size > largest ? w->column[i]->size : largest;
    w->values = crdi_alloc_array(w->ctx, w->piece * w->dim, sizeof *w->values);
    w->range =
        crdi_alloc_array(w->ctx, (w->piece < w->part.draws ? w->piece : w->part.draws) * largest, sizeof *w->range);
    w->f = crdi_alloc_array(w->ctx, w->group * w->total, sizeof *w->f);
    w->y = crdi_alloc_array(w->ctx, w->group * w->total, sizeof *w->y);
    return w->values && w->range && w->f && w->y ? CRD_OK : CRD_ENOMEM;
}

static crd_status prepare(struct work *w)
{
    crd_run *run = w->net->run;
    CRD_TRY(crdi_network_run_model(w->net, &w->model));
    CRD_TRY(crdi_run_part_find(w->ctx, run, &w->part));
    w->total = w->part.chains * w->part.draws;
    if (w->total == 0)
        return crdi_raise(w->ctx, CRD_EMISSING, "%s: holds no draws to predict from", w->net->path);
    w->column = crdi_alloc_array(w->ctx, crd_model_site_count(w->model), sizeof *w->column);
    if (!w->column)
        return CRD_ENOMEM;
    for (int i = 0; i < crd_model_site_count(w->model); i++) {
        CRD_TRY(crd_run_find(run, crd_model_site(w->model, i)->name, &w->column[i]));
        w->dim += w->column[i]->size;
    }
    return plan(w);
}

static crd_status run_all(struct work *w)
{
    CRD_TRY(prepare(w));
    for (w->row = 0; w->row < w->out->rows; w->row += w->group) {
        w->rows = w->group < w->out->rows - w->row ? w->group : w->out->rows - w->row;
        CRD_TRY(run_group(w));
    }
    return CRD_OK;
}

static crd_status create(crdi_prediction **out, crd_context *ctx, int64_t rows, int prob_count)
{
    crdi_prediction *p = crdi_alloc(ctx, sizeof *p);
    if (!p)
        return CRD_ENOMEM;
    *p = (crdi_prediction){.ctx = ctx, .rows = rows, .prob_count = prob_count};
    p->mean = crdi_alloc_array(ctx, rows, sizeof *p->mean);
    p->sd = crdi_alloc_array(ctx, rows, sizeof *p->sd);
    p->f = crdi_alloc_array(ctx, rows * prob_count, sizeof *p->f);
    p->y = crdi_alloc_array(ctx, rows * prob_count, sizeof *p->y);
    if (!p->mean || !p->sd || !p->f || !p->y) {
        crdi_prediction_destroy(&p);
        return CRD_ENOMEM;
    }
    *out = p;
    return CRD_OK;
}

crd_status crdi_prediction_make(const crdi_network_run *net, const crdi_prediction_request *request,
                                crdi_prediction **out)
{
    struct work w = {.net = net, .request = request, .ctx = net->ctx, .at = -1};
    CRD_TRY(crdi_network_run_need(net, "predictions"));
    CRDI_ASSERT(request->x->shape.ndim == 2 && request->x->shape.dim[1] == net->recipe->feature_count);
    for (int k = 0; k < request->prob_count; k++)
        if (!(request->prob[k] >= 0 && request->prob[k] <= 1))
            return crdi_raise(net->ctx, CRD_EINVAL, "quantile %g: it must be between 0 and 1", request->prob[k]);
    CRD_TRY(create(&w.out, net->ctx, request->x->shape.dim[0], request->prob_count));
    crd_status status = run_all(&w);
    crd_model_destroy(&w.model);
    crdi_run_part_clear(w.ctx, &w.part);
    crdi_free(w.ctx, w.column);
    crdi_free(w.ctx, w.values);
    crdi_free(w.ctx, w.range);
    crdi_free(w.ctx, w.f);
    crdi_free(w.ctx, w.y);
    if (status < 0)
        crdi_prediction_destroy(&w.out);
    else
        *out = w.out;
    return status;
}

void crdi_prediction_destroy(crdi_prediction **prediction)
{
    if (!prediction || !*prediction)
        return;
    crdi_prediction *p = *prediction;
    crdi_free(p->ctx, p->mean);
    crdi_free(p->ctx, p->sd);
    crdi_free(p->ctx, p->f);
    crdi_free(p->ctx, p->y);
    crdi_free(p->ctx, p);
    *prediction = NULL;
}
