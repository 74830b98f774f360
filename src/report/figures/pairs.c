/* pairs.c - the figure "pairs": each two of some parameters against each other, with the draws that diverged on top.
 *
 * Below the diagonal points, on it densities. Divergences that gather in a corner show where the sampler could not go on. */
#include <credence/diag.h>
#include "report/figures.h"

#include <math.h>

enum { MOST_SERIES = 6, MOST_POINTS = 2000, MOST_DIVERGED = 1000, GRID = 120, MOST_IN_DENSITY = 10000 };

struct chosen {
    int64_t *plain, *diverged; /* draws to show, evenly spread where there are too many */
    int64_t plain_count, diverged_count;
};

static bool is_diverged(const crdi_figure_source *s, int64_t i)
{
    return s->diverging && s->diverging[i] > 0.5;
}

static bool choose(crdi_figure *f, const crdi_figure_source *s, struct chosen *out)
{
    int64_t total = s->chains * s->draws, diverged = 0, seen[2] = {0, 0};
    for (int64_t i = 0; i < total; i++)
        diverged += is_diverged(s, i);
    out->plain = crdi_arena_alloc(f->arena, sizeof *out->plain * (MOST_POINTS + 1));
    out->diverged = crdi_arena_alloc(f->arena, sizeof *out->diverged * (MOST_DIVERGED + 1));
    if (!out->plain || !out->diverged) {
        f->status = CRD_ENOMEM;
        return false;
    }
    int64_t every = (total - diverged) / MOST_POINTS + 1, every_diverged = diverged / MOST_DIVERGED + 1;
    for (int64_t i = 0; i < total; i++) {
        bool d = is_diverged(s, i);
        if (seen[d]++ % (d ? every_diverged : every) == 0)
            *(d ? &out->diverged[out->diverged_count++] : &out->plain[out->plain_count++]) = i;
    }
    return true;
}

static void add_points(crdi_figure *f, crdi_panel *p, const double *x, const double *y, const int64_t *which,
                       int64_t count, bool diverged, const char *label, double *work)
{
    for (int64_t i = 0; i < count; i++) {
        work[i] = x[which[i]];
        work[count + i] = y[which[i]];
    }
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_POINTS,
                                 .role = diverged ? CRDI_ROLE_ACCENT : CRDI_ROLE_MODEL,
                                 .alpha = diverged ? 0.9 : 0.25,
                                 .size = diverged ? 4.2 : 2.2,
                                 .outlined = diverged,
                                 .label = label,
                                 .count = count,
                                 .x = work,
                                 .y = work + count});
}

static void add_density(crdi_figure *f, crdi_panel *p, const double *v, int64_t total, double *work)
{
    double x[GRID], y[GRID], low = INFINITY, high = -INFINITY;
    int64_t every = (total - 1) / MOST_IN_DENSITY + 1, n = 0;
    for (int64_t i = 0; i < total; i += every)
        if (crdi_drawable(v[i], false)) {
            work[n++] = v[i];
            low = fmin(low, v[i]);
            high = fmax(high, v[i]);
        }
    double width = crd_diag_bandwidth(work, n, CRD_BANDWIDTH_FACTOR, 0.15);
    if (!(width > 0)) {
        crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_NOTE, .label = "all draws are equal"});
        return;
    }
    for (int g = 0; g < GRID; g++)
        x[g] = low + (high - low) * g / (GRID - 1);
    crd_diag_kde(work, n, width, x, GRID, y);
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_AREA, .role = CRDI_ROLE_MODEL, .count = GRID, .x = x, .y = y});
    p->hide_y_ticks = true;
}

static void add_cell(crdi_figure *f, const crdi_figure_source *s, const struct chosen *c, int row, int column,
                     int shown, double *work)
{
    crdi_panel *p = crdi_figure_panel(f, row, column);
    const crdi_named *x = &s->series[column], *y = &s->series[row];
    bool last = row == shown - 1, first = row == 1 && column == 0;
    crdi_panel_texts(f, p, NULL, last ? x->name : NULL, column == 0 ? y->name : NULL);
    p->legend = CRDI_LEGEND_NONE;
    if (row == column) {
        add_density(f, p, x->values, s->chains * s->draws, work);
        return;
    }
    if (first && c->diverged_count > 0)
        p->legend = CRDI_LEGEND_AUTO;
    add_points(f, p, x->values, y->values, c->plain, c->plain_count, false, NULL, work);
    if (c->diverged_count > 0)
        add_points(f, p, x->values, y->values, c->diverged, c->diverged_count, true, "diverged", work);
}

crd_status crdi_figure_pairs(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    struct chosen chosen = {0};
    if (source->series_count < 2 || source->chains < 1 || source->draws < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure pairs: there are no two parameters to show; --site names some");
    int shown = source->series_count < MOST_SERIES ? (int)source->series_count : MOST_SERIES;
    CRD_TRY(crdi_figure_create(&f, ctx, shown, shown));
    f->panel_width = shown < 4 ? 2.4 : 1.9;
    f->panel_height = shown < 4 ? 2.2 : 1.8;
    double *work = crdi_arena_alloc(f->arena, sizeof *work * (MOST_IN_DENSITY + 2 * MOST_POINTS + 2));
    if (!work)
        f->status = CRD_ENOMEM;
    if (f->status == CRD_OK && choose(f, source, &chosen))
        for (int row = 0; row < shown; row++)
            for (int column = 0; column <= row; column++)
                add_cell(f, source, &chosen, row, column, shown, work);
    if (shown < source->series_count)
        crdi_figure_footnote(f, "The first %d of %lld parameters are shown.", shown, (long long)source->series_count);
    return crdi_figure_finish(f, out);
}
