/* by_row.c - programs of the model over rows and draws in bounded memory.
 *
 * Rows go in blocks of CRDI_BLOCK_ROWS, each with a compiled program of its own (its data are constants there); a program
 * is run once a draw. What a row needs is all its draws at once, so a group of rows is taken whose results fit:
 *     for each group of rows: for each piece of draws: for each block (threads): for each draw: run, keep the group's rows
 *                             for each row (threads): hand over.
 * Draws that fit in memory at once are read once. */
#include "report/by_row.h"

#include <inttypes.h>
#include <string.h>

struct work {
    const crdi_by_row *request;
    const crdi_network_run *net;
    crd_context *ctx;
    crd_model *model;
    crdi_run_part part;
    int64_t total; /* draws of all chains of the part */
    const crd_column **column; /* by site of the model */
    int64_t dim; /* elements of all sites */
    double *values; /* (piece, dim): draws from number `at` on */
    int64_t piece, at, count;
    double *range; /* one site of a piece, as the file has it */
    int64_t group, row, rows; /* rows at most; the group at hand, counted from the request's first */
    double *result[CRDI_BY_ROW_OUTPUTS]; /* (group, total) */
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

static int64_t width_of(const struct work *w, int k)
{
    int64_t width = w->request->width[k] > 0 ? w->request->width[k] : 1;
    return k == 1 && w->request->repeats > 1 ? width * w->request->repeats : width;
}

static int64_t repeats_of(const struct work *w)
{
    return w->request->repeats > 1 ? w->request->repeats : 1;
}

/* Keeps the rows from .. to - 1 of a block that begins at `start`, of draw d and its repetition r. */
static void keep_rows(const struct work *w, const double *output, int64_t block_rows, int64_t start, int64_t from,
                      int64_t to, int64_t d, int64_t r)
{
    for (int k = 0; k < w->request->outputs; k++) {
        int64_t width = width_of(w, k), part = k == 1 ? width / repeats_of(w) : width, at = k == 1 ? r * part : 0;
        for (int64_t i = from; i < to && (k == 1 || r == 0); i++)
            memcpy(w->result[k] + ((start + i - w->row) * w->total + w->at + d) * width + at, output + i * part,
                   (size_t)part * sizeof *output);
        output += block_rows * part;
    }
}

/* Runs a block's program for every draw of the piece and keeps the rows of the group. */
static void run_block(const struct work *w, crd_exec *exec, int64_t block, int64_t rows)
{
    int64_t start = block * CRDI_BLOCK_ROWS, from = w->row > start ? w->row - start : 0;
    int64_t to = w->row + w->rows < start + rows ? w->row + w->rows - start : rows;
    crd_key block_key = crd_key_fold_in(w->request->key, (uint32_t)(block + w->request->first / CRDI_BLOCK_ROWS));
    double *input = crd_exec_input(exec), *sites = input + (w->request->keyed ? 2 : 0);
    for (int64_t d = 0; d < w->count; d++)
        for (int64_t r = 0; r < repeats_of(w); r++) {
            if (w->request->keyed) {
                crd_key key = crd_key_fold_in(block_key, (uint32_t)(w->at + d));
                key = r > 0 ? crd_key_fold_in(key, (uint32_t)r) : key;
                input[0] = key.word[0];
                input[1] = key.word[1];
            }
            memcpy(sites, w->values + d * w->dim, (size_t)w->dim * sizeof *sites);
            crd_exec_run(exec);
            keep_rows(w, crd_exec_output(exec), rows, start, from, to, d, r);
        }
}

static crd_status block_task(void *user, int64_t i)
{
    const struct work *w = user;
    const crdi_by_row *request = w->request;
    int64_t block = w->row / CRDI_BLOCK_ROWS + i, first = block * CRDI_BLOCK_ROWS, left = request->rows - first;
    int64_t rows = left < CRDI_BLOCK_ROWS ? left : CRDI_BLOCK_ROWS;
    crd_program *program;
    crd_exec *exec;
    CRD_TRY(request->compile(request->user, w->model, request->first + first, rows, &program));
    crd_status status = crd_exec_create(&exec, program);
    if (status == CRD_OK) {
        run_block(w, exec, block, rows);
        crd_exec_destroy(&exec);
    }
    crd_program_destroy(&program);
    return status;
}

static crd_status row_task(void *user, int64_t i)
{
    const struct work *w = user;
    double *values[CRDI_BY_ROW_OUTPUTS];
    for (int k = 0; k < w->request->outputs; k++)
        values[k] = w->result[k] + i * w->total * width_of(w, k);
    return w->request->row(w->request->user, w->request->first + w->row + i, w->total, values);
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static crd_status run_group(struct work *w)
{
    int64_t first = w->row / CRDI_BLOCK_ROWS, last = (w->row + w->rows - 1) / CRDI_BLOCK_ROWS;
    for (int64_t at = 0; at < w->total; at += w->piece) {
        CRD_TRY(load_piece(w, at));
        CRD_TRY(crdi_parallel(w->ctx, w->request->threads, last - first + 1, block_task, w));
    }
    return crdi_parallel(w->ctx, w->request->threads, w->rows, row_task, w);
}

/* How many draws and rows are held at a time: a quarter of the memory for draws, half for results; the last quarter is
 * what reading and the rows' callback take. */
static crd_status plan(struct work *w)
{
    int64_t memory = w->request->memory ? (int64_t)w->request->memory : (int64_t)192 << 20;
    int64_t doubles = memory / (int64_t)sizeof(double), rows = w->request->rows, largest = 1;
    w->piece = doubles / 4 / w->dim > 1 ? doubles / 4 / w->dim : 1;
    w->piece = w->piece < w->total ? w->piece : w->total;
    int64_t each = 0;
    for (int k = 0; k < w->request->outputs; k++)
        each += w->total * width_of(w, k);
    w->group = doubles / 2 / each > 1 ? doubles / 2 / each : 1;
    if (w->group > CRDI_BLOCK_ROWS)
        w->group -= w->group % CRDI_BLOCK_ROWS;
    w->group = w->group < rows ? w->group : rows;
    for (int i = 0; i < crd_model_site_count(w->model); i++)
        largest = w->column[i]->size > largest ? w->column[i]->size : largest;
    w->values = crdi_alloc_array(w->ctx, w->piece * w->dim, sizeof *w->values);
    w->range =
        crdi_alloc_array(w->ctx, (w->piece < w->part.draws ? w->piece : w->part.draws) * largest, sizeof *w->range);
    bool enough = w->values && w->range;
    for (int k = 0; k < w->request->outputs; k++) {
        w->result[k] = crdi_alloc_array(w->ctx, w->group * w->total * width_of(w, k), sizeof *w->result[k]);
        enough = enough && w->result[k];
    }
    return enough ? CRD_OK : CRD_ENOMEM;
}

static crd_status prepare(struct work *w)
{
    crd_run *run = w->net->run;
    CRD_TRY(crdi_network_run_model(w->net, &w->model));
    CRD_TRY(crdi_run_part_find(w->ctx, run, &w->part));
    w->total = w->part.chains * w->part.draws;
    if (w->request->draws > w->total)
        return crdi_raise(w->ctx, CRD_EINVAL, "draws: %" PRId64 " are asked for, and the run has %" PRId64,
                          w->request->draws, w->total);
    if (w->request->draws > 0) {
        w->part.draws = (w->request->draws + w->part.chains - 1) / w->part.chains;
        w->total = w->part.chains * w->part.draws;
    }
    if (w->total == 0)
        return crdi_raise(w->ctx, CRD_EMISSING, "%s: holds no draws for %s", w->net->path, w->request->what);
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
    for (w->row = 0; w->row < w->request->rows; w->row += w->group) {
        w->rows = w->group < w->request->rows - w->row ? w->group : w->request->rows - w->row;
        CRD_TRY(run_group(w));
    }
    return CRD_OK;
}

crd_status crdi_by_row_run(const crdi_by_row *request)
{
    struct work w = {.request = request, .net = request->net, .ctx = request->net->ctx, .at = -1};
    CRDI_ASSERT(request->first % CRDI_BLOCK_ROWS == 0);
    CRDI_ASSERT(request->outputs >= 1 && request->outputs <= CRDI_BY_ROW_OUTPUTS);
    CRD_TRY(crdi_network_run_need(request->net, request->what));
    crd_status status = run_all(&w);
    crd_model_destroy(&w.model);
    crdi_run_part_clear(w.ctx, &w.part);
    crdi_free(w.ctx, w.column);
    crdi_free(w.ctx, w.values);
    crdi_free(w.ctx, w.range);
    for (int k = 0; k < CRDI_BY_ROW_OUTPUTS; k++)
        crdi_free(w.ctx, w.result[k]);
    return status;
}
