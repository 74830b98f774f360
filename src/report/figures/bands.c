/* bands.c - the figure "bands": predictions over each input with their uncertainty, and observed against predicted.
 *
 * With several inputs a band over one of them cannot show how good the fit is, because the others vary too in the data;
 * the last panel can. */
#include "report/figures.h"

#include <math.h>
#include <stdio.h>

/* Both axes show the same range, so that the diagonal goes from corner to corner. */
static void square_ranges(crdi_panel *p)
{
    double x[2], y[2];
    crdi_panel_ranges(p, x, y);
    p->x_range[0] = p->y_range[0] = fmin(x[0], y[0]);
    p->x_range[1] = p->y_range[1] = fmax(x[1], y[1]);
    p->has_x_range = p->has_y_range = true;
}

static void add_fit(crdi_figure *f, crdi_panel *p, const struct crdi_fit *fit)
{
    char label[32], observed[128];
    crdi_format(label, sizeof label, "%.3g%% of y", 100 * fit->probability);
    crdi_format(observed, sizeof observed, "observed%s%s", fit->name ? " " : "", fit->name ? fit->name : "");
    crdi_panel_texts(f, p, "Observed against predicted", observed, "predicted");
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_DIAGONAL, .role = CRDI_ROLE_GUIDE, .label = "Equal"});
    if (fit->low && fit->high)
        crdi_panel_add(f, p,
                       &(crdi_layer){.kind = CRDI_INTERVALS,
                                     .role = CRDI_ROLE_MODEL,
                                     .alpha = 0.7,
                                     .label = label,
                                     .count = fit->count,
                                     .x = fit->observed,
                                     .y = fit->low,
                                     .high = fit->high});
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_POINTS,
                                 .role = CRDI_ROLE_DATA,
                                 .label = "Median",
                                 .count = fit->count,
                                 .x = fit->observed,
                                 .y = fit->predicted});
    square_ranges(p);
}

crd_status crdi_figure_bands(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    enum { MOST = 24 };
    crdi_figure *f;
    if (source->band_count + source->fit_count < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure bands: there are no predictions to draw");
    int fits = source->fit_count, bands = source->band_count < MOST - fits ? source->band_count : MOST - fits;
    int count = bands + fits, each = fits > 0 && bands % fits == 0 ? bands / fits : bands;
    int columns = fits > 1 && each <= 3 ? each + 1 : count == 4 ? 2 : count < 3 ? count : 3;
    CRD_TRY(crdi_figure_create(&f, ctx, (count + columns - 1) / columns, columns));
    if (bands < source->band_count)
        crdi_figure_footnote(f, "The first %d of %d inputs are shown.", bands, source->band_count);
    if (count == 1) {
        f->panel_width = 6.4;
        f->panel_height = 4.4;
    }
    for (int i = 0, band = 0, fit = 0; i < count; i++) {
        crdi_panel *p = crdi_figure_panel(f, i / columns, i % columns);
        if (fit < fits && (band == bands || band == each * (fit + 1)))
            add_fit(f, p, &source->fit[fit++]);
        else
            crdi_panel_bands(f, p, &source->bands[band++]);
    }
    return crdi_figure_finish(f, out);
}
