/* series.c - see series.h. */
#include "report/series.h"
#include "diag/diag.h"

#include <math.h>
#include <string.h>

int crdi_rank_bins(int64_t draws)
{
    int64_t bins = draws / 30;
    return bins < 5 ? 5 : bins > 20 ? 20 : (int)bins;
}

crd_status crdi_rank_counts(crd_context *ctx, const double *values, int chains, int64_t draws, int bins,
                            int64_t *counts)
{
    int64_t n = chains * draws;
    double *sorted = crdi_alloc_array(ctx, n, sizeof *sorted);
    int64_t *order = crdi_alloc_array(ctx, n, sizeof *order);
    crd_status status = sorted && order ? crdi_diag_order(ctx, values, n, sorted, order) : CRD_ENOMEM;
    memset(counts, 0, (size_t)(chains * bins) * sizeof *counts);
    for (int64_t first = 0, last; status == CRD_OK && first < n; first = last) {
        for (last = first + 1; last < n && sorted[last] == sorted[first];)
            last++;
        double rank = 0.5 * (double)(first + last - 1) / (double)n; /* from 0, below 1 */
        int bin = (int)(rank * bins);
        for (int64_t i = first; i < last; i++)
            counts[order[i] / draws * bins + bin]++;
    }
    crdi_free(ctx, sorted);
    crdi_free(ctx, order);
    return status;
}

/* Bars of a chain stand on the line `chain`; a bar as high as expected ends 0.4 above it. */
static void add_chain(crdi_figure *f, crdi_panel *p, int chain, const int64_t *counts, int bins, double expected,
                      double total, double *x, double *low, double *high)
{
    for (int b = 0; b < bins; b++)
        for (int side = 0; side < 2; side++) { /* a band of steps: two corners a bin */
            x[2 * b + side] = total * (b + side) / bins;
            low[2 * b + side] = chain;
            high[2 * b + side] = chain + fmin(0.4 * (double)counts[b] / expected, 0.95);
        }
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_BAND,
                                 .role = CRDI_ROLE_CHAIN,
                                 .shade = chain,
                                 .alpha = 0.85,
                                 .count = 2 * bins,
                                 .x = x,
                                 .y = low,
                                 .high = high});
}

crd_status crdi_panel_ranks(crdi_figure *f, crdi_panel *p, const double *values, int chains, int64_t draws)
{
    int bins = crdi_rank_bins(draws);
    double expected = (double)draws / bins, total = (double)chains * (double)draws, off = 0;
    off = 1.959964 * sqrt(expected * (1 - 1. / bins)) / expected;
    int64_t *counts = crdi_arena_alloc(f->arena, (size_t)(chains * bins) * sizeof *counts);
    double *work = crdi_arena_alloc(f->arena, (size_t)(6 * bins) * sizeof *work);
    const char **names = crdi_arena_alloc(f->arena, (size_t)chains * sizeof *names);
    if (!counts || !work || !names)
        return CRD_ENOMEM;
    CRD_TRY(crdi_rank_counts(f->ctx, values, chains, draws, bins, counts));
    for (int c = 0; c < chains; c++) {
        add_chain(f, p, c, counts + c * bins, bins, expected, total, work, work + 2 * bins, work + 4 * bins);
        for (int side = -1; side <= 1; side += 2)
            crdi_panel_add(f, p,
                           &(crdi_layer){.kind = CRDI_LINE,
                                         .role = CRDI_ROLE_GUIDE,
                                         .size = 0.8,
                                         .count = 2,
                                         .x = (const double[]){0, total},
                                         .y = (const double[]){c + 0.4 * fmax(0, 1 + side * off),
                                                               c + 0.4 * fmax(0, 1 + side * off)}});
        names[c] = crdi_arena_printf(f->arena, "chain %d", c);
        if (!names[c])
            return CRD_ENOMEM;
    }
    crdi_panel_y_names(f, p, names, chains);
    p->has_x_range = p->has_y_range = true;
    p->x_range[0] = 0;
    p->x_range[1] = total;
    p->y_range[0] = -0.1;
    p->y_range[1] = chains;
    return CRD_OK;
}
