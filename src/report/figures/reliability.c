/* reliability.c - the figure "reliability": how often predictions were right against how sure they were, and how many rows were how
 * sure. For numbers: the share of rows below each quantile of their predictions, and how the rows spread over these.
 *
 * Intervals are Wilson's 95 % of a share (Wilson 1927), which has sense for few rows and for shares of 0 and 1. */
#include "report/figures.h"

#include <math.h>

static const double z = 1.959963984540054;

static void interval(double share, double n, double *low, double *high)
{
    double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n);
    *low = middle - half;
    *high = middle + half;
}

/* Bins that are not empty, as arrays. */
struct points {
    int64_t count;
    double *x, *y, *low, *high;
};

static bool collect(crdi_figure *f, const crdi_reliability *r, struct points *p)
{
    size_t size = (size_t)(r->bins + 1) * sizeof(double);
    double **array[] = {&p->x, &p->y, &p->low, &p->high};
    p->count = 0;
    for (int k = 0; k < CRDI_COUNT(array); k++)
        if (!(*array[k] = crdi_arena_alloc(f->arena, size))) {
            f->status = CRD_ENOMEM;
            return false;
        }
    for (int b = 0; b < r->bins; b++) {
        if (r->bin[b].count == 0)
            continue;
        p->x[p->count] = r->bin[b].confidence;
        p->y[p->count] = r->bin[b].frequency;
        interval(r->bin[b].frequency, (double)r->bin[b].count, &p->low[p->count], &p->high[p->count]);
        p->count++;
    }
    return true;
}

static void draw_curve(crdi_figure *f, crdi_panel *panel, const crdi_reliability *r)
{
    struct points p;
    crdi_panel_texts(f, panel, r->title,
                     r->levels ? "quantile of the predictions" : "probability of the likeliest class",
                     r->levels ? "share of rows below it" : "share of rows that are of it");
    panel->has_x_range = panel->has_y_range = true;
    panel->x_range[0] = panel->y_range[0] = 0;
    panel->x_range[1] = panel->y_range[1] = 1;
    panel->legend = CRDI_LEGEND_AUTO;
    if (!collect(f, r, &p))
        return;
    crdi_panel_add(f, panel, &(crdi_layer){.kind = CRDI_DIAGONAL, .role = CRDI_ROLE_GUIDE, .label = "calibrated"});
    crdi_panel_add(f, panel,
                   &(crdi_layer){.kind = CRDI_INTERVALS,
                                 .role = CRDI_ROLE_MODEL,
                                 .label = "95% of the share",
                                 .count = p.count,
                                 .x = p.x,
                                 .y = p.low,
                                 .high = p.high});
    crdi_panel_add(f, panel,
                   &(crdi_layer){.kind = CRDI_LINE, .role = CRDI_ROLE_MODEL, .count = p.count, .x = p.x, .y = p.y});
    crdi_panel_add(
        f, panel,
        &(crdi_layer){.kind = CRDI_POINTS, .role = CRDI_ROLE_MODEL, .size = 5, .count = p.count, .x = p.x, .y = p.y});
}

/* Rows by confidence, or between one quantile and the next. */
static void draw_counts(crdi_figure *f, crdi_panel *panel, const crdi_reliability *r)
{
    int count = r->levels ? r->bins + 1 : r->bins;
    size_t size = (size_t)count * sizeof(double);
    double *low = crdi_arena_alloc(f->arena, size), *high = crdi_arena_alloc(f->arena, size);
    double *rows = crdi_arena_alloc(f->arena, size), below = 0;
    if (!low || !high || !rows) {
        f->status = CRD_ENOMEM;
        return;
    }
    for (int b = 0; b < count; b++) {
        bool last = b == r->bins; /* above the last level */
        double share = last ? 1 : r->bin[b].frequency;
        low[b] = last ? r->bin[b - 1].high : r->bin[b].low;
        high[b] = last ? 1 : r->bin[b].high;
        rows[b] = r->levels ? (share - below) * (double)r->bin[0].count : (double)r->bin[b].count;
        below = share;
    }
    crdi_panel_texts(f, panel, NULL, r->levels ? "quantile of the predictions" : "probability of the likeliest class",
                     "rows");
    panel->has_x_range = true;
    panel->x_range[0] = 0;
    panel->x_range[1] = 1;
    crdi_panel_add(
        f, panel,
        &(crdi_layer){.kind = CRDI_BARS, .role = CRDI_ROLE_MODEL, .count = count, .x = low, .high = high, .y = rows});
    if (r->levels) {
        double even = (double)r->bin[0].count / count;
        crdi_panel_add(f, panel, &(crdi_layer){.kind = CRDI_RULE_Y, .role = CRDI_ROLE_GUIDE, .y = &even});
    }
}

crd_status crdi_figure_reliability(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    int count = source->reliability_count;
    if (count < 1)
        return crdi_raise(ctx, CRD_EMISSING,
                          "figure reliability: there are no predictions to draw; "
                          "'credence evaluate RUN.crd TEST.csv --reliability FILE' draws it");
    CRD_TRY(crdi_figure_create(&f, ctx, count, 2));
    f->panel_width = 4.2;
    f->panel_height = 3.8;
    for (int i = 0; i < count && f->status == CRD_OK; i++) {
        draw_curve(f, crdi_figure_panel(f, i, 0), &source->reliability[i]);
        draw_counts(f, crdi_figure_panel(f, i, 1), &source->reliability[i]);
    }
    return crdi_figure_finish(f, out);
}
