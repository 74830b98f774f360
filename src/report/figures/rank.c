/* rank.c - the figure "rank": for each parameter and chain, how often its draws have which rank among those of all chains.
 *
 * Chains that sample the same have flat bars. The grey lines are where 95 % of the bars of independent draws would end: the
 * normal quantiles of a binomial count. Source: Vehtari et al. 2021, doi:10.1214/20-BA1221, sec. 4.4. */
#include "report/figures.h"
#include "report/series.h"

#include <math.h>

enum { MOST_SERIES = 20 };

crd_status crdi_figure_rank(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    if (source->series_count < 1 || source->chains < 1 || source->draws < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure rank: there are no draws to show");
    int rows = source->series_count < MOST_SERIES ? (int)source->series_count : MOST_SERIES;
    CRD_TRY(crdi_figure_create(&f, ctx, rows, 1));
    f->panel_width = 6.4;
    f->panel_height = 1.95;
    for (int i = 0; i < rows; i++) {
        crdi_panel *p = crdi_figure_panel(f, i, 0);
        crdi_panel_texts(f, p, i == 0 ? "Ranks of each chain's draws among all" : NULL, i == rows - 1 ? "rank" : NULL,
                         source->series[i].name);
        crd_status status = crdi_panel_ranks(f, p, source->series[i].values, source->chains, source->draws);
        if (status < 0 && f->status == CRD_OK)
            f->status = status;
    }
    crdi_figure_footnote(
        f,
        rows < source->series_count
            ? "The first %d of %lld parameters. Independent draws: 95 %% of the bars end between the grey lines."
            : "Independent draws: 95 %% of the bars end between the grey lines.",
        rows, (long long)source->series_count);
    return crdi_figure_finish(f, out);
}
