/* run_elements.c - single elements of a column out of a run file, whatever the column's size. */
#include "store/network_run.h"

static const int64_t PIECE = 1 << 20; /* doubles that are read at a time */

/* (count, size) -> element e of draw i at out[e * stride + i]. */
static void pick(const double *draws, int64_t count, int64_t size, int64_t first, int64_t elements, int64_t stride,
                 double *out)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t e = 0; e < elements; e++)
            out[e * stride + i] = draws[i * size + first + e];
}

crd_status crdi_run_read_elements(crd_context *ctx, crd_run *run, const crd_column *column, const crdi_run_part *part,
                                  int64_t first, int64_t count, double *out)
{
    if (count == 0 || part->chains == 0)
        return CRD_OK;
    CRDI_ASSERT(first >= 0 && first + count <= column->size);
    int64_t at_once = PIECE / column->size > 1 ? PIECE / column->size : 1;
    int64_t draws = part->draws, stride = part->chains * draws;
    at_once = at_once < draws ? at_once : draws;
    double *piece = crdi_alloc_array(ctx, at_once * column->size, sizeof *piece);
    crd_status status = piece ? CRD_OK : CRD_ENOMEM;
    for (int c = 0; c < part->chains; c++) {
        for (int64_t i = 0; i < draws && status == CRD_OK; i += at_once) {
            int64_t n = at_once < draws - i ? at_once : draws - i;
            status = crdi_run_read_range(run, column, part->chain[c], i, n, piece);
            if (status == CRD_OK)
                pick(piece, n, column->size, first, count, stride, out + c * draws + i);
        }
    }
    crdi_free(ctx, piece);
    return status;
}

/* ---- which chains and draws --------------------------------------------------------------------------------- */

/* The number of draws d of some chain for which d times the chains that have as many is largest. */
static int64_t best_cut(const int64_t *draws, int chains)
{
    int64_t best = 0, most = 0;
    for (int c = 0; c < chains; c++) {
        int64_t total = 0;
        for (int k = 0; k < chains; k++)
            total += draws[k] >= draws[c] ? draws[c] : 0;
        if (total > most || (total == most && draws[c] < best)) { /* of equal ones that with more chains */
            most = total;
            best = draws[c];
        }
    }
    return best;
}

crd_status crdi_run_part_find(crd_context *ctx, crd_run *run, crdi_run_part *out)
{
    int chains = crd_run_chains(run);
    crdi_run_part part = {0};
    int64_t *draws = crdi_alloc_array(ctx, chains, sizeof *draws);
    part.chain = crdi_alloc_array(ctx, chains, sizeof *part.chain);
    crd_status status = draws && part.chain ? CRD_OK : CRD_ENOMEM;
    for (int c = 0; c < chains && status == CRD_OK; c++)
        status = crd_run_draws(run, c, &draws[c]);
    if (status == CRD_OK) {
        part.draws = best_cut(draws, chains);
        for (int c = 0; c < chains && part.draws > 0; c++)
            if (draws[c] >= part.draws)
                part.chain[part.chains++] = c;
    }
    crdi_free(ctx, draws);
    if (status < 0)
        crdi_run_part_clear(ctx, &part);
    else
        *out = part;
    return status;
}

void crdi_run_part_clear(crd_context *ctx, crdi_run_part *part)
{
    crdi_free(ctx, part->chain);
    *part = (crdi_run_part){0};
}
