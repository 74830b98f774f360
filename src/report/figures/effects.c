/* effects.c - the figure "effects": bands of several runs, three in a row, so that what a setting does can be seen. */
#include "report/figures.h"

crd_status crdi_figure_effects(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    int count = source->band_count, columns = count < 3 ? count : 3;
    if (count < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure effects: there are no predictions to draw");
    CRD_TRY(crdi_figure_create(&f, ctx, (count + columns - 1) / columns, columns));
    for (int i = 0; i < count; i++)
        crdi_panel_bands(f, crdi_figure_panel(f, i / columns, i % columns), &source->bands[i]);
    return crdi_figure_finish(f, out);
}
