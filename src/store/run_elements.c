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

crd_status crdi_run_read_elements(crd_context *ctx, crd_run *run, const crd_column *column, int64_t first,
                                  int64_t count, int64_t draws, double *out)
{
    if (count == 0)
        return CRD_OK;
    int64_t at_once = PIECE / column->size > 1 ? PIECE / column->size : 1;
    int chains = crd_run_chains(run);
    CRDI_ASSERT(first >= 0 && count >= 0 && first + count <= column->size);
    at_once = at_once < draws ? at_once : draws;
    double *piece = crdi_alloc_array(ctx, at_once * column->size + 1, sizeof *piece);
    crd_status status = piece ? CRD_OK : CRD_ENOMEM;
    for (int chain = 0; chain < chains; chain++) {
        for (int64_t i = 0; i < draws && status == CRD_OK; i += at_once) {
            int64_t n = at_once < draws - i ? at_once : draws - i;
            status = crdi_run_read_range(run, column, chain, i, n, piece);
            if (status == CRD_OK)
                pick(piece, n, column->size, first, count, chains * draws, out + chain * draws + i);
        }
    }
    crdi_free(ctx, piece);
    return status;
}
