/* series.h - panels of draws that several figures share. */
#ifndef CRDI_REPORT_SERIES_H
#define CRDI_REPORT_SERIES_H

#include "report/figure.h"

/* Rank bars: the chains one above the other, each with its bars from a line of its own; rules where 95 % of the bars of independent
 * draws would end. Draws (chains, draws). CRD_ENOMEM. */
crd_status crdi_panel_ranks(crdi_figure *figure, crdi_panel *panel, const double *values, int chains, int64_t draws);

/* The counts behind it: (chains, bins) of the ranks of all draws in bins of equal width; ties share their mean rank. */
crd_status crdi_rank_counts(crd_context *ctx, const double *values, int chains, int64_t draws, int bins,
                            int64_t *counts);
/* As many bins as leave 30 draws of a chain in each, 5 to 20. */
int crdi_rank_bins(int64_t draws);

#endif
