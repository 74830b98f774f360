/* autocorrelation.c - the figure "autocorrelation": how long the draws of each chain remember, lag by lag.
 *
 * Bars that fall to the grey band soon mean draws that are worth much; the band holds 95 % of the autocorrelations of that many
 * independent draws, 1.96 / sqrt(draws) (Bartlett 1946). */
#include <credence/diag.h>
#include "report/figures.h"

#include <math.h>

enum { MOST_SERIES = 20, LAGS = 100 };

static crd_status add_chain(crdi_figure *f, crdi_panel *p, const double *x, int chain, int64_t draws, int64_t lags,
                            double *work)
{
    double lag[LAGS + 1];
    CRD_TRY(crd_diag_autocorrelation(f->ctx, x, draws, work));
    for (int64_t k = 0; k < lags; k++)
        lag[k] = (double)k;
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_LINE,
                                 .role = CRDI_ROLE_CHAIN,
                                 .shade = chain,
                                 .size = 1.2,
                                 .count = lags,
                                 .x = lag,
                                 .y = work});
    return CRD_OK;
}

static crd_status add_panel(crdi_figure *f, crdi_panel *p, const crdi_figure_source *source, const double *values,
                            double *work)
{
    int64_t lags = source->draws < LAGS + 1 ? source->draws : LAGS + 1;
    double noise = 1.959964 / sqrt((double)source->draws), low[2] = {-noise, -noise}, high[2] = {noise, noise};
    double ends[2] = {0, (double)(lags - 1)};
    crdi_panel_add(
        f, p,
        &(crdi_layer){
            .kind = CRDI_BAND, .role = CRDI_ROLE_GUIDE, .alpha = 0.25, .count = 2, .x = ends, .y = low, .high = high});
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_RULE_Y, .role = CRDI_ROLE_GUIDE, .count = 1, .y = (const double[]){0}});
    for (int c = 0; c < source->chains; c++)
        CRD_TRY(add_chain(f, p, values + c * source->draws, c, source->draws, lags, work));
    p->has_x_range = p->has_y_range = true;
    p->x_range[1] = lags > 1 ? ends[1] : 1;
    p->y_range[0] = -0.5;
    p->y_range[1] = 1.05;
    return CRD_OK;
}

crd_status crdi_figure_autocorrelation(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    if (source->series_count < 1 || source->chains < 1 || source->draws < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure autocorrelation: there are no draws to show");
    int shown = source->series_count < MOST_SERIES ? (int)source->series_count : MOST_SERIES;
    int columns = shown > 1 ? 2 : 1, rows = (shown + columns - 1) / columns;
    CRD_TRY(crdi_figure_create(&f, ctx, rows, columns));
    f->panel_width = 4;
    f->panel_height = 2.1;
    double *work = crdi_arena_alloc(f->arena, (size_t)source->draws * sizeof *work);
    if (!work)
        f->status = CRD_ENOMEM;
    for (int i = 0; i < shown && f->status == CRD_OK; i++) {
        crdi_panel *p = crdi_figure_panel(f, i / columns, i % columns);
        crdi_panel_texts(f, p, source->series[i].name, i + columns >= shown ? "lag" : NULL,
                         i % columns == 0 ? "autocorrelation" : NULL);
        crd_status status = add_panel(f, p, source, source->series[i].values, work);
        if (status < 0 && f->status == CRD_OK)
            f->status = status;
    }
    if (shown < source->series_count)
        crdi_figure_footnote(f, "The first %d of %lld parameters are shown.", shown, (long long)source->series_count);
    return crdi_figure_finish(f, out);
}
