/* figures.c - the table of figures, and what several of them share. */
#include "report/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const crdi_figure_type types[] = {
#define FIGURE(name, needs, help) {#name, help, needs, crdi_figure_##name},
#include "report/figures.def"
#undef FIGURE
};

const crdi_figure_type *crdi_figure_types(int *count)
{
    *count = CRDI_COUNT(types);
    return types;
}

static const char *name_of(const void *list, int64_t i)
{
    return ((const crdi_figure_type *)list)[i].name;
}

crd_status crdi_figure_type_find(crd_context *ctx, const char *name, const crdi_figure_type **out)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (strcmp(types[i].name, name) == 0) {
            *out = &types[i];
            return CRD_OK;
        }
    return crdi_raise_unknown(ctx, "figure", name, name_of, types, CRDI_COUNT(types));
}

/* Whether two panels would have the same legend. */
static bool same_labels(const crdi_panel *a, const crdi_panel *b)
{
    int64_t i = 0, k = 0;
    bool any = false;
    for (;; i++, k++) {
        while (i < a->layer_count && !a->layer[i].label)
            i++;
        while (k < b->layer_count && !b->layer[k].label)
            k++;
        if (i == a->layer_count || k == b->layer_count)
            return any && i == a->layer_count && k == b->layer_count;
        if (a->layer[i].kind != b->layer[k].kind || strcmp(a->layer[i].label, b->layer[k].label) != 0)
            return false;
        any = true;
    }
}

/* What one panel explains the later ones need not. */
static void share_legends(crdi_figure *figure)
{
    for (int i = 1; i < figure->rows * figure->columns; i++)
        for (int k = 0; k < i && figure->panel[i].legend == CRDI_LEGEND_AUTO; k++)
            if (figure->panel[k].legend == CRDI_LEGEND_AUTO && same_labels(&figure->panel[k], &figure->panel[i]))
                figure->panel[i].legend = CRDI_LEGEND_NONE;
}

crd_status crdi_figure_finish(crdi_figure *figure, crdi_figure **out)
{
    share_legends(figure);
    crd_status status = crdi_figure_status(figure);
    if (status < 0)
        crdi_figure_destroy(&figure);
    else
        *out = figure;
    return status;
}

struct place {
    double x;
    int64_t from;
};

static int by_x(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    int order = (p->x > q->x) - (p->x < q->x);
    return order ? order : (p->from > q->from) - (p->from < q->from);
}

/* values in the order of `order`; NULL stays NULL. */
static const double *reorder(crdi_figure *f, const struct place *order, const double *values, int64_t count)
{
    if (!values || f->status < 0)
        return NULL;
    double *sorted = crdi_arena_alloc(f->arena, (size_t)count * sizeof *sorted);
    if (!sorted)
        f->status = CRD_ENOMEM;
    for (int64_t i = 0; sorted && i < count; i++)
        sorted[i] = values[order[i].from];
    return sorted;
}

/* The widest band first, the narrower ones on top of it and stronger. */
static void add_levels(crdi_figure *figure, crdi_panel *panel, const crdi_bands *b, const struct place *order,
                       const double *x, int64_t n)
{
    double above = INFINITY;
    for (int drawn = 0, shade = 0; drawn < b->level_count; shade++) {
        double next = -INFINITY;
        for (int i = 0; i < b->level_count; i++)
            if (b->level[i].probability < above)
                next = fmax(next, b->level[i].probability);
        for (int i = 0; i < b->level_count; i++) {
            if (b->level[i].probability != next)
                continue;
            char label[32];
            crdi_format(label, sizeof label, "%.3g%% CI", 100 * next);
            crdi_panel_add(figure, panel,
                           &(crdi_layer){.kind = b->apart ? CRDI_INTERVALS : CRDI_BAND,
                                         .role = CRDI_ROLE_MODEL,
                                         .label = label,
                                         .alpha = b->apart ? 1 : fmin(0.3 + 0.15 * shade, 0.8),
                                         .count = n,
                                         .x = x,
                                         .y = reorder(figure, order, b->level[i].low, n),
                                         .high = reorder(figure, order, b->level[i].high, n)});
            drawn++;
        }
        if (!(next < above))
            break; /* what is left has no probability */
        above = next;
    }
}

/* The band of y: behind all others, paler, and with dashed edges that tell it from them in grey. */
static void add_y_band(crdi_figure *figure, crdi_panel *panel, const crdi_bands *b, const struct place *order,
                       const double *x, int64_t n)
{
    char label[32];
    const double *low = reorder(figure, order, b->y_low, n), *high = reorder(figure, order, b->y_high, n);
    crdi_format(label, sizeof label, "%.3g%% of y", 100 * b->y_probability);
    crdi_panel_add(figure, panel,
                   &(crdi_layer){.kind = b->apart ? CRDI_INTERVALS : CRDI_BAND,
                                 .role = b->apart ? CRDI_ROLE_GUIDE : CRDI_ROLE_MODEL,
                                 .label = label,
                                 .alpha = b->apart ? 0.6 : 0.12,
                                 .size = b->apart ? 3 : 0,
                                 .count = n,
                                 .x = x,
                                 .y = low,
                                 .high = high});
    for (int edge = 0; edge < 2 && !b->apart; edge++)
        crdi_panel_add(figure, panel,
                       &(crdi_layer){.kind = CRDI_LINE,
                                     .role = CRDI_ROLE_MODEL,
                                     .dashed = true,
                                     .size = 0.8,
                                     .count = n,
                                     .x = x,
                                     .y = edge ? high : low});
}

void crdi_panel_bands(crdi_figure *figure, crdi_panel *panel, const crdi_bands *b)
{
    crdi_panel_texts(figure, panel, b->title, b->x_label, b->y_label);
    crdi_panel_x_names(figure, panel, b->x_name, b->x_name ? b->x_name_count : 0);
    if (figure->status < 0)
        return;
    struct place *order = crdi_arena_alloc(figure->arena, (size_t)(b->count + 1) * sizeof *order);
    if (!order) {
        figure->status = CRD_ENOMEM;
        return;
    }
    int64_t n = 0;
    for (int64_t i = 0; i < b->count; i++)
        if (!isnan(b->x[i])) /* a place that is not known has no place in the order */
            order[n++] = (struct place){b->x[i], i};
    qsort(order, (size_t)n, sizeof *order, by_x);
    const double *x = reorder(figure, order, b->x, n);
    if (b->y_low && b->y_high)
        add_y_band(figure, panel, b, order, x, n);
    add_levels(figure, panel, b, order, x, n);
    for (int64_t k = 0; k < b->function_count && !b->apart; k++)
        crdi_panel_add(figure, panel,
                       &(crdi_layer){.kind = CRDI_LINE,
                                     .role = CRDI_ROLE_GUIDE,
                                     .size = 0.7,
                                     .alpha = 0.75,
                                     .label = k == 0 ? "draws of f" : NULL,
                                     .count = n,
                                     .x = x,
                                     .y = reorder(figure, order, b->function + k * b->count, n)});
    if (b->median)
        crdi_panel_add(figure, panel,
                       &(crdi_layer){.kind = b->apart ? CRDI_POINTS : CRDI_LINE,
                                     .role = CRDI_ROLE_MODEL,
                                     .label = "Median",
                                     .count = n,
                                     .x = x,
                                     .y = reorder(figure, order, b->median, n)});
    if (b->data_count)
        crdi_panel_add(figure, panel,
                       &(crdi_layer){.kind = CRDI_POINTS,
                                     .role = CRDI_ROLE_DATA,
                                     .label = b->data_label ? b->data_label : "Train data",
                                     .count = b->data_count,
                                     .x = b->data_x,
                                     .y = b->data_y});
}
