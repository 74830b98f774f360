/* data.c - the figure "data": the target against each input, one panel an input. */
#include "report/figures.h"

crd_status crdi_figure_data(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    enum { MOST = 24 };
    crdi_figure *f;
    if (source->rows < 1 || source->input_count < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure data: there are no data to draw");
    int count = source->input_count < MOST ? source->input_count : MOST;
    int columns = count < 3 ? count : 3, rows = (count + columns - 1) / columns;
    CRD_TRY(crdi_figure_create(&f, ctx, rows, columns));
    if (count < source->input_count)
        crdi_figure_footnote(f, "The first %d of %d inputs are shown.", count, source->input_count);
    if (count == 1) {
        f->panel_width = 6;
        f->panel_height = 4;
    }
    /* Many points lie on each other: smaller ones that let others shine through. */
    bool many = source->rows > 1000;
    for (int i = 0; i < count; i++) {
        crdi_panel *p = crdi_figure_panel(f, i / columns, i % columns);
        crdi_panel_texts(f, p, NULL, source->input[i].name, i % columns == 0 ? source->target.name : NULL);
        crdi_panel_add(f, p,
                       &(crdi_layer){.kind = CRDI_POINTS,
                                     .role = CRDI_ROLE_DATA,
                                     .alpha = many ? 0.4 : 1,
                                     .size = many ? 2 : 0,
                                     .count = source->rows,
                                     .x = source->input[i].values,
                                     .y = source->target.values});
    }
    return crdi_figure_finish(f, out);
}
