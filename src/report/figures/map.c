/* map.c - the figure "map": what is predicted over two inputs, a panel a quantity, with the data on top.
 *
 * Regions of classes have the classes' colours, paler than the points of the data, which also differ in shape; a line runs
 * where two regions meet, so that the picture reads in grey. On a colour scale the data are small and black. */
#include "report/figures.h"

#include <math.h>

enum { COLUMNS = 3, MANY = 1000 };
static const double paleness = 0.5;

/* ---- lines between classes ---------------------------------------------------------------------------------- */

/* Two segments a cell at most, three numbers each. */
struct border {
    int64_t count;
    double *x, *y;
};

static void add_segment(struct border *b, double x0, double y0, double x1, double y1)
{
    const double x[3] = {x0, x1, NAN}, y[3] = {y0, y1, NAN};
    for (int k = 0; k < 3; k++, b->count++) {
        b->x[b->count] = x[k];
        b->y[b->count] = y[k];
    }
}

/* Segments where a cell differs from the one right of it or above it. */
static void find_border(const crdi_maps *m, const double *value, struct border *b)
{
    double width = (m->x[1] - m->x[0]) / (double)m->columns, height = (m->y[1] - m->y[0]) / (double)m->rows;
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->columns; j++) {
            const double *cell = value + i * m->columns + j;
            double x0 = m->x[0] + (double)j * width, y0 = m->y[0] + (double)i * height;
            if (j + 1 < m->columns && cell[0] != cell[1])
                add_segment(b, x0 + width, y0, x0 + width, y0 + height);
            if (i + 1 < m->rows && cell[0] != cell[m->columns])
                add_segment(b, x0, y0 + height, x0 + width, y0 + height);
        }
}

static void add_border(crdi_figure *f, crdi_panel *p, const crdi_maps *m, const double *value)
{
    size_t most = (size_t)(6 * m->columns * m->rows) * sizeof(double);
    struct border b = {0, crdi_arena_alloc(f->arena, most), crdi_arena_alloc(f->arena, most)};
    if (!b.x || !b.y) {
        f->status = CRD_ENOMEM;
        return;
    }
    find_border(m, value, &b);
    if (b.count > 0)
        crdi_panel_add(f, p,
                       &(crdi_layer){.kind = CRDI_LINE,
                                     .role = CRDI_ROLE_DATA,
                                     .size = 0.7,
                                     .alpha = 0.8,
                                     .count = b.count,
                                     .x = b.x,
                                     .y = b.y});
}

/* ---- data --------------------------------------------------------------------------------------------------- */

/* What part of an axis the data span. */
static double share(const double *at, int64_t count, const double axis[2])
{
    double low = axis[1], high = axis[0];
    for (int64_t i = 0; i < count; i++) {
        low = fmin(low, at[i]);
        high = fmax(high, at[i]);
    }
    return (high - low) / (axis[1] - axis[0]);
}

/* The data are many, or cover less than an eighth of the map: smaller points. */
static bool crowded(const crdi_maps *m)
{
    return m->data_count > MANY ||
           share(m->data_x, m->data_count, m->x) * share(m->data_y, m->data_count, m->y) < 0.125;
}

/* The rows of one class, in its colour and shape. */
static void add_class(crdi_figure *f, crdi_panel *p, const crdi_figure_source *source, int64_t class)
{
    const crdi_maps *m = &source->maps;
    double *x = crdi_arena_alloc(f->arena, (size_t)(m->data_count + 1) * sizeof *x);
    double *y = crdi_arena_alloc(f->arena, (size_t)(m->data_count + 1) * sizeof *y);
    int64_t n = 0;
    if (!x || !y) {
        f->status = CRD_ENOMEM;
        return;
    }
    for (int64_t i = 0; i < m->data_count; i++)
        if (m->data_target[i] == (double)class) {
            x[n] = m->data_x[i];
            y[n++] = m->data_y[i];
        }
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_POINTS,
                                 .role = CRDI_ROLE_CLASS,
                                 .shade = (int)class,
                                 .size = crowded(m) ? 2.8 : 4.2,
                                 .outlined = true,
                                 .label = source->class_name[class],
                                 .count = n,
                                 .x = x,
                                 .y = y});
}

/* colours: values of the data that have the map's; NULL: none. */
static void add_data(crdi_figure *f, crdi_panel *p, const crdi_maps *m, const double *colours)
{
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_POINTS,
                                 .role = CRDI_ROLE_DATA,
                                 .size = colours      ? 4
                                         : crowded(m) ? 1.2
                                                      : 2,
                                 .outlined = colours != NULL,
                                 .count = m->data_count,
                                 .x = m->data_x,
                                 .y = m->data_y,
                                 .value = colours});
}

/* ---- panels ------------------------------------------------------------------------------------------------- */

static void scale_of(const crdi_maps *m, const crdi_map *map, double out[2])
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < m->rows * m->columns; i++)
        if (crdi_drawable(map->value[i], false)) {
            low = fmin(low, map->value[i]);
            high = fmax(high, map->value[i]);
        }
    for (int64_t i = 0; map->like_target && i < m->data_count; i++)
        if (map->like_target[i] == map->like_target[i]) {
            low = fmin(low, map->like_target[i]);
            high = fmax(high, map->like_target[i]);
        }
    out[0] = isnan(map->scale[0]) ? low : map->scale[0];
    out[1] = isnan(map->scale[1]) ? high : map->scale[1];
}

static void draw_map(crdi_figure *f, crdi_panel *p, const crdi_figure_source *source, int k)
{
    const crdi_maps *m = &source->maps;
    const crdi_map *map = &m->map[k];
    double scale[2];
    crdi_panel_texts(f, p, map->title, m->x_label, k % COLUMNS == 0 ? m->y_label : NULL);
    crdi_panel_x_names(f, p, m->x_name, m->x_name ? m->x_name_count : 0);
    crdi_panel_y_names(f, p, m->y_name, m->y_name ? m->y_name_count : 0);
    p->has_x_range = p->has_y_range = true;
    for (int e = 0; e < 2; e++) {
        p->x_range[e] = m->x[e];
        p->y_range[e] = m->y[e];
    }
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_IMAGE,
                                 .role = map->classes ? CRDI_ROLE_CLASS : CRDI_ROLE_MODEL,
                                 .alpha = map->classes ? paleness : 1,
                                 .count = m->rows * m->columns,
                                 .columns = m->columns,
                                 .x = m->x,
                                 .y = m->y,
                                 .value = map->value});
    if (map->classes) {
        add_border(f, p, m, map->value);
        for (int64_t c = 0; c < source->class_count && f->status == CRD_OK; c++)
            add_class(f, p, source, c);
        return;
    }
    scale_of(m, map, scale);
    crdi_panel_scale(f, p, scale[0], scale[1], map->palette, map->scale_label);
    add_data(f, p, m, map->like_target);
}

/* The classes are explained once: beside the last panel that has them. */
static void place_legend(crdi_figure *f, const crdi_maps *m)
{
    int last = -1;
    for (int k = 0; k < m->count; k++) {
        crdi_figure_panel(f, k / COLUMNS, k % COLUMNS)->legend = CRDI_LEGEND_NONE;
        if (m->map[k].classes)
            last = k;
    }
    if (last >= 0)
        crdi_figure_panel(f, last / COLUMNS, last % COLUMNS)->legend = CRDI_LEGEND_OUTSIDE;
}

crd_status crdi_figure_map(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    const crdi_maps *m = &source->maps;
    int columns = m->count < COLUMNS ? m->count : COLUMNS;
    if (m->count < 1 || m->columns < 1 || m->rows < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure map: there is nothing to draw");
    CRD_TRY(crdi_figure_create(&f, ctx, (m->count + columns - 1) / columns, columns));
    f->panel_height = 3.8;
    if (m->count == 1) {
        f->panel_width = 6;
        f->panel_height = 5;
    }
    if (m->footnote)
        crdi_figure_footnote(f, "%s", m->footnote);
    for (int k = 0; k < m->count && f->status == CRD_OK; k++)
        draw_map(f, crdi_figure_panel(f, k / COLUMNS, k % COLUMNS), source, k);
    place_legend(f, m);
    return crdi_figure_finish(f, out);
}
