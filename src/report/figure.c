/* figure.c - building a figure, and what every back end must know of it: ranges and the corner of the legend. */
#include "report/figure.h"

#include <math.h>
#include <string.h>

crd_status crdi_figure_create(crdi_figure **out, crd_context *ctx, int rows, int columns)
{
    enum { MOST = 1000 };
    if (rows < 1 || columns < 1 || rows > MOST || columns > MOST)
        return crdi_raise(ctx, CRD_EINVAL, "a figure has 1 to %d rows and columns, not %d x %d", MOST, rows, columns);
    crdi_figure *f = crdi_alloc(ctx, sizeof *f);
    if (!f)
        return CRD_ENOMEM;
    *f = (crdi_figure){.ctx = ctx, .rows = rows, .columns = columns, .panel_width = 4.4, .panel_height = 3.4};
    crd_status status = crdi_arena_create(&f->arena, ctx);
    if (status == CRD_OK) {
        f->panel = crdi_arena_alloc(f->arena, (size_t)(rows * columns) * sizeof *f->panel);
        f->column_weight = crdi_arena_alloc(f->arena, (size_t)columns * sizeof(double));
        status = f->panel && f->column_weight ? CRD_OK : CRD_ENOMEM;
    }
    if (status < 0) {
        crdi_figure_destroy(&f);
        return status;
    }
    for (int c = 0; c < columns; c++)
        f->column_weight[c] = 1;
    *out = f;
    return CRD_OK;
}

void crdi_figure_destroy(crdi_figure **figure)
{
    if (!figure || !*figure)
        return;
    crdi_figure *f = *figure;
    for (int i = 0; f->panel && i < f->rows * f->columns; i++)
        crdi_free(f->ctx, f->panel[i].layer);
    crdi_arena_destroy(&f->arena);
    crdi_free(f->ctx, f);
    *figure = NULL;
}

crdi_panel *crdi_figure_panel(crdi_figure *figure, int row, int column)
{
    CRDI_ASSERT(row >= 0 && row < figure->rows && column >= 0 && column < figure->columns);
    return &figure->panel[row * figure->columns + column];
}

crd_status crdi_figure_status(const crdi_figure *figure)
{
    return figure->status;
}

/* A copy in the figure's arena; NULL stays NULL, and so does what there is no memory for (the status tells). */
static void *keep(crdi_figure *f, const void *bytes, size_t size)
{
    if (!bytes || f->status < 0)
        return NULL;
    void *copy = crdi_arena_alloc(f->arena, size ? size : 1);
    if (!copy)
        f->status = CRD_ENOMEM;
    else
        memcpy(copy, bytes, size);
    return copy;
}

static const char *keep_text(crdi_figure *f, const char *text)
{
    return text ? keep(f, text, strlen(text) + 1) : NULL;
}

void crdi_panel_texts(crdi_figure *figure, crdi_panel *panel, const char *title, const char *x_label,
                      const char *y_label)
{
    panel->title = keep_text(figure, title);
    panel->x_label = keep_text(figure, x_label);
    panel->y_label = keep_text(figure, y_label);
}

/* Copies of names, or 0 of them if they are to stay numbers. */
static int keep_names(crdi_figure *figure, const char *const *names, int64_t count, const char ***out)
{
    if (figure->status < 0 || count < 1 || count > CRDI_TICKS)
        return 0;
    const char **copy = crdi_arena_alloc(figure->arena, (size_t)count * sizeof *copy);
    if (!copy) {
        figure->status = CRD_ENOMEM;
        return 0;
    }
    for (int64_t i = 0; i < count; i++)
        copy[i] = keep_text(figure, names[i]);
    *out = copy;
    return (int)count;
}

void crdi_panel_x_names(crdi_figure *figure, crdi_panel *panel, const char *const *names, int64_t count)
{
    panel->x_name_count = keep_names(figure, names, count, &panel->x_name);
}

void crdi_panel_y_names(crdi_figure *figure, crdi_panel *panel, const char *const *names, int64_t count)
{
    panel->y_name_count = keep_names(figure, names, count, &panel->y_name);
}

void crdi_panel_scale(crdi_figure *figure, crdi_panel *panel, double low, double high, crdi_palette palette,
                      const char *label)
{
    if (!crdi_drawable(low, false) || !crdi_drawable(high, false)) {
        low = 0;
        high = 1;
    } else if (!(high - low > 1e-12 * fmax(fabs(low), fabs(high)))) {
        double half = fmax(fabs(low) / 20, 1e-9);
        low -= palette == CRDI_PALETTE_AMOUNT && low == 0 ? 0 : half;
        high += half;
    }
    panel->has_scale = true;
    panel->scale[0] = low;
    panel->scale[1] = high;
    panel->palette = palette;
    panel->scale_label = keep_text(figure, label);
}

unsigned crdi_panel_colour(const crdi_panel *panel, double value)
{
    enum { STOPS = 5 };
    static const unsigned char stop[][STOPS][3] = {
        [CRDI_PALETTE_AMOUNT] = {{255, 255, 255}, {203, 221, 240}, {122, 178, 217}, {42, 112, 178}, {8, 40, 95}},
        [CRDI_PALETTE_VALUE] = {{255, 250, 205}, {178, 221, 162}, {74, 178, 162}, {38, 112, 150}, {30, 42, 102}}};
    double u = (value - panel->scale[0]) / (panel->scale[1] - panel->scale[0]);
    if (!isfinite(u))
        return 0xb0b0b0;
    u = (STOPS - 1) * fmin(fmax(u, 0), 1);
    int from = u < STOPS - 2 ? (int)u : STOPS - 2;
    unsigned colour = 0;
    for (int k = 0; k < 3; k++) {
        const unsigned char a = stop[panel->palette][from][k], b = stop[panel->palette][from + 1][k];
        colour = colour << 8 | (unsigned)lrint(a + (u - from) * ((double)b - a));
    }
    return colour;
}

void crdi_figure_footnote(crdi_figure *figure, const char *format, ...)
{
    crdi_string s;
    crdi_string_init(&s, figure->ctx);
    va_list arguments;
    va_start(arguments, format);
    crdi_string_append_v(&s, format, arguments);
    va_end(arguments);
    if (s.status < 0 && figure->status == CRD_OK)
        figure->status = s.status;
    figure->footnote = keep_text(figure, crdi_string_text(&s));
    crdi_string_clear(&s);
}

/* Which of the arrays a kind reads. */
static bool reads_x(crdi_layer_kind kind)
{
    return kind != CRDI_RULE_Y && kind != CRDI_DIAGONAL && kind != CRDI_NOTE;
}

static bool reads_y(crdi_layer_kind kind)
{
    return kind != CRDI_RULE_X && kind != CRDI_DIAGONAL && kind != CRDI_NOTE;
}

static bool reads_high(crdi_layer_kind kind)
{
    return kind == CRDI_BAND || kind == CRDI_BARS || kind == CRDI_INTERVALS;
}

static bool reads_value(crdi_layer_kind kind)
{
    return kind == CRDI_IMAGE || kind == CRDI_POINTS;
}

/* Elements of x and y. */
static int64_t places(const crdi_layer *l)
{
    return l->kind == CRDI_IMAGE ? 2 : l->count;
}

void crdi_panel_add(crdi_figure *figure, crdi_panel *panel, const crdi_layer *layer)
{
    crdi_layer copy = *layer;
    if (figure->status < 0)
        return;
    CRDI_ASSERT(copy.count >= 0);
    if (copy.kind == CRDI_RULE_X || copy.kind == CRDI_RULE_Y || copy.kind == CRDI_TEXT)
        copy.count = 1;
    if (copy.kind == CRDI_DIAGONAL || copy.kind == CRDI_NOTE)
        copy.count = 0;
    CRDI_ASSERT(copy.kind != CRDI_IMAGE || (copy.columns > 0 && copy.value && copy.count % copy.columns == 0));
    CRDI_ASSERT(copy.count == 0 || ((copy.x || !reads_x(copy.kind)) && (copy.y || !reads_y(copy.kind)) &&
                                    (copy.high || !reads_high(copy.kind))));
    size_t size = (size_t)places(&copy) * sizeof(double);
    copy.x = reads_x(copy.kind) ? keep(figure, copy.x, size) : NULL;
    copy.y = reads_y(copy.kind) ? keep(figure, copy.y, size) : NULL;
    copy.high = reads_high(copy.kind) ? keep(figure, copy.high, size) : NULL;
    copy.value = reads_value(copy.kind) ? keep(figure, copy.value, (size_t)copy.count * sizeof(double)) : NULL;
    copy.label = keep_text(figure, copy.label);
    if (copy.alpha <= 0 || copy.alpha > 1)
        copy.alpha = copy.kind == CRDI_BAND ? 0.3 : copy.kind == CRDI_AREA || copy.kind == CRDI_BARS ? 0.6 : 1;
    if (figure->status == CRD_OK)
        figure->status = crdi_grow(figure->ctx, &panel->layer, &panel->layer_capacity, panel->layer_count, sizeof copy);
    if (figure->status == CRD_OK)
        panel->layer[panel->layer_count++] = copy;
}

/* ---- ranges ------------------------------------------------------------------------------------------------- */

bool crdi_drawable(double value, bool log_axis)
{
    const double most = 1e300;
    return isfinite(value) && fabs(value) <= most && (!log_axis || value >= 1 / most);
}

static void extend(double range[2], const double *values, int64_t count, bool log_axis)
{
    for (int64_t i = 0; values && i < count; i++) {
        if (!crdi_drawable(values[i], log_axis))
            continue;
        range[0] = fmin(range[0], values[i]);
        range[1] = fmax(range[1], values[i]);
    }
}

/* Leaves a twentieth free on both sides, as far as that makes sense, and opens a range that is a single value. */
static void pad(double range[2], bool log_axis, bool keep_zero)
{
    if (!(range[0] <= range[1])) { /* nothing to draw */
        range[0] = log_axis ? 1 : 0;
        range[1] = log_axis ? 10 : 1;
        return;
    }
    double low = log_axis ? log10(range[0]) : range[0], high = log_axis ? log10(range[1]) : range[1];
    double size = fmax(fabs(low), fabs(high));
    bool zero = keep_zero && low == 0 && high > 0;
    if (high - low <= 1e-12 * size || high - low < 1e-290) {
        double half = size > 1e-280 ? 0.05 * size : 0.5;
        low -= zero ? 0 : half;
        high += half;
    } else {
        double margin = 0.05 * (high - low);
        low -= zero ? 0 : margin;
        high += margin;
    }
    range[0] = log_axis ? pow(10, low) : low;
    range[1] = log_axis ? pow(10, high) : high;
}

void crdi_panel_ranges(const crdi_panel *panel, double x[2], double y[2])
{
    double rx[2] = {INFINITY, -INFINITY}, ry[2] = {INFINITY, -INFINITY};
    bool from_zero = false;
    for (int64_t i = 0; i < panel->layer_count; i++) {
        const crdi_layer *l = &panel->layer[i];
        extend(rx, l->x, places(l), panel->log_x);
        extend(ry, l->y, places(l), panel->log_y);
        extend(l->kind == CRDI_BARS ? rx : ry, l->high, l->count, l->kind == CRDI_BARS ? panel->log_x : panel->log_y);
        if ((l->kind == CRDI_AREA || l->kind == CRDI_BARS) && !panel->log_y && l->count > 0) {
            from_zero = true;
            extend(ry, (const double[]){0}, 1, false);
        }
    }
    pad(rx, panel->log_x, false);
    pad(ry, panel->log_y, from_zero);
    memcpy(x, panel->has_x_range ? panel->x_range : rx, sizeof rx);
    memcpy(y, panel->has_y_range ? panel->y_range : ry, sizeof ry);
}

/* ---- the legend --------------------------------------------------------------------------------------------- */

static double fraction(double value, const double range[2], bool log_axis)
{
    return log_axis ? log(value / range[0]) / log(range[1] / range[0]) : (value - range[0]) / (range[1] - range[0]);
}

/* What an element of a layer covers: from low to high along both axes, as shares of the panel. */
typedef struct extent {
    double u[2], v[2];
} extent;

static bool extent_of(const crdi_panel *p, const crdi_layer *l, int64_t i, const double x[2], const double y[2],
                      extent *out)
{
    bool spans_x = l->kind == CRDI_BARS, spans_y = l->high && !spans_x;
    bool from_zero = (l->kind == CRDI_BARS || l->kind == CRDI_AREA) && !p->log_y;
    double x_end = spans_x && l->high ? l->high[i] : l->x[i];
    double y_end = spans_y ? l->high[i] : from_zero ? 0 : l->y[i];
    if (!crdi_drawable(l->x[i], p->log_x) || !crdi_drawable(x_end, p->log_x) || !crdi_drawable(l->y[i], p->log_y) ||
        !crdi_drawable(y_end, p->log_y))
        return false;
    out->u[0] = fraction(fmin(l->x[i], x_end), x, p->log_x);
    out->u[1] = fraction(fmax(l->x[i], x_end), x, p->log_x);
    out->v[0] = fraction(fmin(l->y[i], y_end), y, p->log_y);
    out->v[1] = fraction(fmax(l->y[i], y_end), y, p->log_y);
    return true;
}

/* Adds what share of a layer's elements a legend would hide in each corner; `hidden` is indexed by crdi_legend. */
static void count_hidden(const crdi_panel *p, const crdi_layer *l, const double x[2], const double y[2], double height,
                         double hidden[])
{
    const double width = 0.34; /* of the panel, that a legend takes */
    for (int64_t i = 0; i < l->count; i++) {
        extent e;
        if (!extent_of(p, l, i, x, y, &e))
            continue;
        bool left = width > e.u[0], right = e.u[1] > 1 - width;
        bool bottom = height > e.v[0], top = e.v[1] > 1 - height;
        double one = 1 / (double)l->count;
        hidden[CRDI_LEGEND_BOTTOM_RIGHT] += right && bottom ? one : 0;
        hidden[CRDI_LEGEND_TOP_LEFT] += left && top ? one : 0;
        hidden[CRDI_LEGEND_TOP_RIGHT] += right && top ? one : 0;
        hidden[CRDI_LEGEND_BOTTOM_LEFT] += left && bottom ? one : 0;
    }
}

crdi_legend crdi_panel_legend(const crdi_panel *panel)
{
    int labels = 0;
    for (int64_t i = 0; i < panel->layer_count; i++)
        labels += panel->layer[i].label && panel->layer[i].kind != CRDI_NOTE && panel->layer[i].kind != CRDI_TEXT;
    if (labels == 0)
        return CRDI_LEGEND_NONE;
    if (panel->legend != CRDI_LEGEND_AUTO)
        return panel->legend;
    double x[2], y[2], hidden[CRDI_LEGEND_BOTTOM_LEFT + 1] = {0};
    double height = fmin(0.5, 0.04 + 0.06 * labels);
    crdi_panel_ranges(panel, x, y);
    for (int64_t i = 0; i < panel->layer_count; i++) {
        const crdi_layer *l = &panel->layer[i];
        if (l->x && l->y && l->kind != CRDI_IMAGE && l->kind != CRDI_TEXT)
            count_hidden(panel, l, x, y, height, hidden);
    }
    crdi_legend best = CRDI_LEGEND_BOTTOM_RIGHT;
    for (crdi_legend c = CRDI_LEGEND_TOP_LEFT; c <= CRDI_LEGEND_BOTTOM_LEFT; c++)
        if (hidden[c] < hidden[best])
            best = c;
    return hidden[best] > 0.002 ? CRDI_LEGEND_OUTSIDE : best;
}
