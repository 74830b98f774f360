/* by_row.c - programs of the model over rows and draws in bounded memory.
 *
 * Rows go in blocks of CRDI_BLOCK_ROWS, each with a compiled program of its own (its data are constants there); a program
 * is run once a draw. What a row needs is all its draws at once, so a group of rows is taken whose results fit, and no more
 * than a block for each thread, so that they are still in the cache when rows are looked at:
 *     for each group of rows: for each piece of draws: for each block (threads): for each draw: run, keep the group's rows
 *                             for each row (threads): hand over.
 * Draws that fit in memory at once are read once. */
#include "report/by_row.h"
#include "graph/graph.h"

#include <inttypes.h>
#include <string.h>

#if defined(__GNUC__)
#define PREFETCH(place) __builtin_prefetch((place), 1)
#else
#define PREFETCH(place) ((void)0)
#endif

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

/* A block of rows with its program, and the outputs of some draws, which are kept together: a row's draws follow each other in
 * the results, so that one draw alone would write to as many places as there are rows. */
struct block {
    crd_exec *exec;
    bool keyed; /* and the program looks at the key */
    crd_key key;
    int64_t rows, start, from, to; /* how many; the first, of all; which of them the group has */
    double *tile; /* (TILE, size): one a draw and repetition */
    int64_t size; /* of the outputs */
};

enum { TILE = 16, LINE = 8 };

/* A square of numbers, transposed. The lines that the next draws will go to are fetched: nothing else foresees them. */
static void put_square(const double *from, int64_t size, int64_t row, double *to)
{
    for (int j = 0; j < LINE; j++) {
        for (int k = 0; k < LINE; k++)
            to[j * row + k] = from[k * size + j];
        PREFETCH(to + j * row + TILE);
    }
}

/* Numbers from .. to - 1 of each of `count` draws, one a row: rows are `row` apart in the results, draws `stride`. A cache line's
 * rows at a time. */
static void put_numbers(const double *tile, int64_t size, int64_t count, int64_t rows, int64_t row, int64_t stride,
                        double *to)
{
    for (int64_t i = 0; i < rows; i += LINE)
        for (int64_t t = 0; t < count; t += LINE) {
            int64_t n = rows - i < LINE ? rows - i : LINE, m = count - t < LINE ? count - t : LINE;
            const double *from = tile + t * size + i;
            double *line = to + i * row + t * stride;
            if (n == LINE && m == LINE && stride == 1)
                put_square(from, size, row, line);
            else
                for (int64_t j = 0; j < n; j++)
                    for (int64_t k = 0; k < m; k++)
                        line[j * row + k * stride] = from[k * size + j];
        }
}

static void put_parts(const double *tile, int64_t size, int64_t count, int64_t part, int64_t stride, double *to)
{
    for (int64_t t = 0; t < count; t++, tile += size, to += stride)
        memcpy(to, tile, sizeof *to * (size_t)part);
}

/* Keeps the group's rows of draws first .. first + count - 1 of the piece, repetition r. */
static void keep_rows(const struct work *w, const struct block *b, int64_t first, int64_t count, int64_t r)
{
    const double *output = b->tile;
    for (int k = 0; k < w->request->outputs; k++) {
        int64_t width = width_of(w, k), part = k == 1 ? width / repeats_of(w) : width, at = k == 1 ? r * part : 0;
        int64_t row = w->total * width;
        double *to = w->result[k] + (b->start + b->from - w->row) * row + (w->at + first) * width + at;
        bool wanted = k == 1 || r == 0;
        if (wanted && part == 1)
            put_numbers(output + b->from, b->size, count, b->to - b->from, row, width, to);
        for (int64_t i = b->from; i < b->to && wanted && part > 1; i++, to += row)
            put_parts(output + i * part, b->size, count, part, width, to);
        output += b->rows * part;
    }
}

static void run_draw(const struct work *w, const struct block *b, int64_t d, int64_t r, double *output)
{
    double *input = crd_exec_input(b->exec), *sites = input + (w->request->keyed ? 2 : 0);
    if (b->keyed) {
        crd_key key = crd_key_fold_in(b->key, (uint32_t)(w->at + d));
        key = r > 0 ? crd_key_fold_in(key, (uint32_t)r) : key;
        input[0] = key.word[0];
        input[1] = key.word[1];
    }
    memcpy(sites, w->values + d * w->dim, (size_t)w->dim * sizeof *sites);
    crd_exec_run(b->exec);
    memcpy(output, crd_exec_output(b->exec), sizeof *output * (size_t)b->size);
}

/* Runs a block's program for every draw of the piece and keeps the rows of the group. */
static void run_block(const struct work *w, const struct block *b)
{
    for (int64_t first = 0; first < w->count; first += TILE) {
        int64_t count = w->count - first < TILE ? w->count - first : TILE;
        for (int64_t r = 0; r < repeats_of(w); r++) {
            for (int64_t d = 0; d < count; d++)
                run_draw(w, b, first + d, r, b->tile + d * b->size);
            keep_rows(w, b, first, count, r);
        }
    }
}

static crd_status block_task(void *user, int64_t i)
{
    const struct work *w = user;
    const crdi_by_row *request = w->request;
    int64_t number = w->row / CRDI_BLOCK_ROWS + i, first = number * CRDI_BLOCK_ROWS, left = request->rows - first;
    struct block b = {.start = first, .rows = left < CRDI_BLOCK_ROWS ? left : CRDI_BLOCK_ROWS};
    crd_program *program;
    b.key = crd_key_fold_in(request->key, (uint32_t)(number + request->first / CRDI_BLOCK_ROWS));
    b.from = w->row > first ? w->row - first : 0;
    b.to = w->row + w->rows < first + b.rows ? w->row + w->rows - first : b.rows;
    CRD_TRY(request->compile(request->user, w->model, request->first + first, b.rows, &program));
    b.keyed = request->keyed && crdi_program_reads_first(program, 2);
    b.size = crd_program_output_size(program);
    b.tile = crdi_alloc_array(w->ctx, TILE * b.size + 1, sizeof *b.tile);
    crd_status status = b.tile ? crd_exec_create(&b.exec, program) : CRD_ENOMEM;
    if (status == CRD_OK)
        run_block(w, &b);
    crd_exec_destroy(&b.exec);
    crdi_free(w->ctx, b.tile);
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
    int64_t threads = w->request->threads > 0 ? w->request->threads : crdi_processors();
    int64_t memory = w->request->memory ? (int64_t)w->request->memory : (32 + 16 * threads) << 20;
    int64_t doubles = memory / (int64_t)sizeof(double), rows = w->request->rows, largest = 1;
    w->piece = doubles / 4 / w->dim > 1 ? doubles / 4 / w->dim : 1;
    w->piece = w->piece < w->total ? w->piece : w->total;
    int64_t each = 0;
    for (int k = 0; k < w->request->outputs; k++)
        each += w->total * width_of(w, k);
    w->group = doubles / 2 / each > 1 ? doubles / 2 / each : 1;
    if (w->group > CRDI_BLOCK_ROWS)
        w->group -= w->group % CRDI_BLOCK_ROWS;
    if (w->group > CRDI_BLOCK_ROWS * threads) /* more would leave the caches before it is looked at */
        w->group = CRDI_BLOCK_ROWS * threads;
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
