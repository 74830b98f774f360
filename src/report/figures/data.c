/* data.c - the figure "data": each target against each input, a panel each. A target of classes has a colour and a shape for
 * each class, in panels of two inputs: every pair, or if there are too many those that follow each other. */
#include "report/figures.h"

#include <string.h>

enum { MOST = 24, COLUMNS = 3 };

/* A row of panels for each of several targets where that fits, else panels one after the other. */
static int columns_of(const crdi_figure_source *source, int count)
{
    bool rows = source->target_count > 1 && source->input_count > 1 && source->input_count <= COLUMNS;
    return rows ? source->input_count : count < COLUMNS ? count : COLUMNS;
}

static crd_status begin(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source, int all,
                        const char *what)
{
    crdi_figure *f;
    int count = all < MOST ? all : MOST;
    int columns = columns_of(source, count), rows = (count + columns - 1) / columns;
    CRD_TRY(crdi_figure_create(&f, ctx, rows, columns));
    if (count < all)
        crdi_figure_footnote(f, "The first %d of %d %s are shown.", count, all, what);
    if (count == 1) {
        f->panel_width = 6;
        f->panel_height = source->class_count ? 5 : 4;
    }
    *out = f;
    return CRD_OK;
}

static bool rows_are_many(int64_t rows)
{
    return rows > 1000;
}

/* Many points lie on each other: smaller ones that let others shine through. */
static crdi_layer points(int64_t rows, int64_t count, const double *x, const double *y)
{
    bool many = rows_are_many(rows);
    return (crdi_layer){.kind = CRDI_POINTS,
                        .role = CRDI_ROLE_DATA,
                        .alpha = many ? 0.4 : 1,
                        .size = many ? 2 : 0,
                        .count = count,
                        .x = x,
                        .y = y};
}

/* Names of levels in place of their numbers, where there is room for them. */
static const crdi_axis_levels *levels_of(const crdi_figure_source *source, int input)
{
    const crdi_axis_levels *l = source->level && input < source->input_count ? &source->level[input] : NULL;
    return l && l->count > 0 && l->count <= CRDI_TICKS ? l : NULL;
}

static crd_status draw_numbers(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    int inputs = source->input_count, all = source->target_count * inputs;
    CRD_TRY(begin(&f, ctx, source, all, source->target_count > 1 ? "pairs of target and input" : "inputs"));
    int columns = columns_of(source, all < MOST ? all : MOST);
    for (int i = 0; i < all && i < MOST; i++) {
        crdi_panel *p = crdi_figure_panel(f, i / columns, i % columns);
        const crdi_named *x = &source->input[i % inputs], *y = &source->target[i / inputs];
        bool named = i % columns == 0 || i % inputs == 0;
        crdi_layer layer = points(source->rows, source->rows, x->values, y->values);
        const crdi_axis_levels *levels = levels_of(source, i % inputs);
        crdi_panel_texts(f, p, NULL, levels ? levels->column : x->name, named ? y->name : NULL);
        if (levels)
            crdi_panel_x_names(f, p, levels->name, levels->count);
        crdi_panel_add(f, p, &layer);
    }
    return crdi_figure_finish(f, out);
}

/* The rows of one class in one panel. `work` has room for (2, rows). */
static void add_class(crdi_figure *f, crdi_panel *p, const crdi_figure_source *source, int64_t class, const double *x,
                      const double *y, double *work)
{
    int64_t n = 0;
    for (int64_t i = 0; i < source->rows; i++)
        if (source->target->values[i] == (double)class) {
            work[n] = x[i];
            work[source->rows + n] = y[i];
            n++;
        }
    crdi_layer layer = points(source->rows, n, work, work + source->rows);
    layer.role = CRDI_ROLE_CLASS;
    if (rows_are_many(source->rows)) { /* colour and shape have to be seen */
        layer.size = 3.2;
        layer.alpha = 0.7;
    }
    layer.shade = (int)class;
    layer.label = source->class_name[class];
    crdi_panel_add(f, p, &layer);
}

/* One pair of inputs, or one input against the class. */
static void draw_pair(crdi_figure *f, crdi_panel *p, const crdi_figure_source *source, int i, int j, double *work)
{
    const crdi_named *x = &source->input[i], *y = j < source->input_count ? &source->input[j] : source->target;
    const crdi_axis_levels *along = levels_of(source, i), *up = levels_of(source, j);
    crdi_panel_texts(f, p, NULL, along ? along->column : x->name, up ? up->column : y->name);
    if (along)
        crdi_panel_x_names(f, p, along->name, along->count);
    if (up)
        crdi_panel_y_names(f, p, up->name, up->count);
    if (y == source->target)
        crdi_panel_y_names(f, p, (const char *const *)source->class_name, source->class_count);
    for (int64_t k = 0; k < source->class_count; k++)
        add_class(f, p, source, k, x->values, y->values, work);
}

static crd_status draw_classes(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    int64_t inputs = source->input_count, all = inputs > 1 ? inputs * (inputs - 1) / 2 : 1;
    bool every = all <= MOST;
    CRD_TRY(begin(&f, ctx, source, (int)(every ? all : inputs - 1), "pairs of inputs that follow each other"));
    double *work = crdi_arena_alloc(f->arena, sizeof *work * 2 * (size_t)source->rows);
    if (!work)
        f->status = CRD_ENOMEM;
    if (!every && f->status == CRD_OK && !f->footnote)
        crdi_figure_footnote(f, "Inputs that follow each other are shown; --inputs chooses others.");
    for (int i = 0, panel = 0; i < (inputs > 1 ? inputs - 1 : 1); i++)
        for (int j = i + 1; j <= i + 1 || (every && j < inputs); j++, panel++) {
            if (panel >= MOST || f->status < 0)
                break;
            crdi_panel *p = crdi_figure_panel(f, panel / COLUMNS, panel % COLUMNS);
            draw_pair(f, p, source, i, j, work);
            p->legend = panel == 0 && p->y_name_count == 0 ? CRDI_LEGEND_AUTO : CRDI_LEGEND_NONE;
        }
    return crdi_figure_finish(f, out);
}

crd_status crdi_figure_data(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    if (source->rows < 1 || source->input_count < 1 || source->target_count < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure data: there are no data to draw");
    return source->class_count > 0 ? draw_classes(out, ctx, source) : draw_numbers(out, ctx, source);
}
