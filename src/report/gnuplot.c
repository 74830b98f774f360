/* gnuplot.c - draws figures into files with gnuplot: the only file that knows of it.
 *
 * The script and the data go to gnuplot's standard input; what it draws comes from its standard output straight into a
 * file that we opened. So no name of a file stands in the script, and no shell is between. gnuplot starts with -d and
 * sees no settings of the user's. Text from outside stands in double quotes, every sign of it as a number, with all control
 * characters made visible (text.h), and terminals are told `noenhanced`.
 *
 * Where everything stands is computed here (gnuplot's own layout lets labels of neighbours overlap), in pixels of 100 to
 * an inch. */
#include "report/figure.h"
#include "report/text.h"
#include "store/output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- the look ----------------------------------------------------------------------------------------------- */

enum { DPI = 100 };
static const double title_points = 9, label_points = 8.5, tick_points = 8, legend_points = 7.5;

/* Blue and orange keep apart for all common kinds of colour blindness and in grey; chains are blues of clearly
 * different lightness. */
static const unsigned chain_colours[] = {0x1f77b4, 0x69b0e0, 0x0b4670, 0x3e93cc, 0x93c4e6, 0x2c5d85};

/* Okabe and Ito (2008): told apart with any common kind of colour vision. */
static const unsigned class_colours[] = {0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7,
                                         0xd55e00, 0x56b4e9, 0x000000, 0xf0e442};

/* Shapes of the classes' points, gnuplot's numbers: the filled ones first. There are as many as do not share a factor with
 * the colours, so that classes differ in one or the other for long, and the first 13 also in grey. */
static const int class_markers[] = {7, 5, 9, 13, 11, 15, 6, 4, 2, 8, 1, 12, 3};

static int marker_of(const crdi_layer *l)
{
    return l->role == CRDI_ROLE_CLASS ? class_markers[(unsigned)l->shade % CRDI_COUNT(class_markers)] : 7;
}

static unsigned class_colour(int64_t class)
{
    return class_colours[(uint64_t) class % CRDI_COUNT(class_colours)];
}

/* A colour on white paper that shows through. */
static unsigned thin(unsigned colour, double alpha)
{
    unsigned out = 0;
    for (int shift = 16; shift >= 0; shift -= 8)
        out |= (unsigned)lrint(255 - alpha * (255 - (double)(colour >> shift & 255))) << shift;
    return out;
}

static unsigned colour_of(const crdi_layer *l)
{
    switch (l->role) {
    case CRDI_ROLE_MODEL:
        return 0x30a2da;
    case CRDI_ROLE_CHAIN:
        return chain_colours[(unsigned)l->shade % CRDI_COUNT(chain_colours)];
    case CRDI_ROLE_CLASS:
        return class_colour(l->shade);
    case CRDI_ROLE_ACCENT:
        return 0xd55e00;
    case CRDI_ROLE_GUIDE:
        return 0x808080;
    case CRDI_ROLE_DATA:
    default:
        return 0x000000;
    }
}

typedef struct terminal {
    const char *suffix, *settings;
    double unit; /* of the size, in pixels */
    const char *unit_name;
    double font_scale; /* so that fonts have the same size beside the same picture */
} terminal;

static const terminal terminals[] = {
    {"png", "pngcairo noenhanced rounded", 1, "", 1},
    {"svg", "svg noenhanced rounded dynamic", 1, "", 4.0 / 3},
    {"pdf", "pdfcairo noenhanced rounded fontscale 1 linewidth 1.3", DPI, "in", 0.74},
};

static double text_pixels(double points)
{
    return points * 4 / 3;
}

/* The widest that a text gets: sans-serif digits and letters are about 0.6 of their height wide. */
static double text_length(const char *text, double points)
{
    return 0.62 * text_pixels(points) * crdi_text_width(text);
}

/* ---- layout ------------------------------------------------------------------------------------------------- */

typedef struct place {
    double x[2], y[2]; /* ranges of the axes */
    double left, right, bottom, top; /* frame, in pixels from the lower left corner of the picture */
    double start; /* left end of the column */
    crdi_ticks x_ticks, y_ticks, scale_ticks;
} place;

/* Pixels: between frame and colour bar or legend, width of the bar, of a legend's samples. */
enum { GAP = 10, BAR = 13, SAMPLE = 34 };

static double widest(const crdi_ticks *ticks)
{
    double width = 0;
    for (int i = 0; i < ticks->count; i++)
        width = fmax(width, text_length(ticks->label[i], tick_points));
    return width;
}

/* As many ticks as their labels leave room for. */
static crdi_ticks ticks_along_x(const double range[2], bool log_axis, double pixels)
{
    int wanted = (int)fmax(2, fmin(10, pixels / 42));
    crdi_ticks t = crdi_ticks_make(range[0], range[1], log_axis, wanted);
    while (wanted > 2 && t.count > 2 && t.count * (widest(&t) + 14) > pixels)
        t = crdi_ticks_make(range[0], range[1], log_axis, --wanted);
    return t;
}

/* Names that stand for 0, 1, ...; their text is written from the panel, as it needs quoting. */
static crdi_ticks ticks_of_names(int count)
{
    crdi_ticks t = {.count = count};
    for (int i = 0; i < count; i++)
        t.at[i] = i;
    return t;
}

enum { LEGEND_ROOM = 110, NAME_ROOM = 180 }; /* pixels of a text at most */

static double widest_text(const char *const *texts, int count, double points, double most)
{
    double width = 0;
    for (int i = 0; i < count; i++)
        width = fmax(width, fmin(most, text_length(texts[i], points)));
    return width;
}

/* Pixels right of the frame for a colour bar or a legend that stand there. */
static double beside(const crdi_panel *p, const place *at)
{
    if (p->has_scale)
        return GAP + BAR + 8 + widest(&at->scale_ticks) + (p->scale_label ? text_pixels(label_points) + 8 : 0) + 8;
    if (crdi_panel_legend(p) != CRDI_LEGEND_OUTSIDE)
        return 0;
    double width = 0;
    for (int64_t i = 0; i < p->layer_count; i++)
        if (p->layer[i].label)
            width = fmax(width, widest_text(&p->layer[i].label, 1, legend_points, LEGEND_ROOM));
    return GAP + SAMPLE + width + 8;
}

/* Pixels left of, right of, below and above the frame of a panel. */
static void margins(const crdi_panel *p, const place *at, double out[4])
{
    double y_ticks =
        p->y_name_count ? widest_text(p->y_name, p->y_name_count, tick_points, NAME_ROOM) : widest(&at->y_ticks);
    out[0] = 12 + (p->hide_y_ticks ? 0 : y_ticks + 8) + (p->y_label ? text_pixels(label_points) + 8 : 0);
    out[1] = fmax(14, beside(p, at));
    if (at->x_ticks.count) /* a label at the end of the axis stands out by half its length */
        out[1] = fmax(out[1], text_length(at->x_ticks.label[at->x_ticks.count - 1], tick_points) / 2);
    out[2] = 12 + text_pixels(tick_points) + (p->x_label ? text_pixels(label_points) + 12 : 4);
    out[3] = p->title ? text_pixels(title_points) + 14 : 10;
}

typedef struct layout {
    double width, height;
    place *at; /* (rows, columns) */
} layout;

/* Ranges and ticks first, then the margins that a row or a column needs, then the frames: those of a column begin and
 * end together, and so do those of a row. */
static crd_status lay_out(const crdi_figure *f, layout *out)
{
    double footnote = f->footnote ? text_pixels(tick_points) + 10 : 0, x = 0;
    out->at = crdi_alloc_array(f->ctx, f->rows * f->columns, sizeof *out->at);
    if (!out->at)
        return CRD_ENOMEM;
    out->height = floor(f->rows * f->panel_height * DPI + footnote);
    for (int c = 0; c < f->columns; c++) {
        double left = 0, right = 0, more = 0, width = f->panel_width * DPI * f->column_weight[c];
        for (int r = 0; r < f->rows; r++) {
            const crdi_panel *p = &f->panel[r * f->columns + c];
            place *at = &out->at[r * f->columns + c];
            double m[4];
            crdi_panel_ranges(p, at->x, at->y);
            int wanted = (int)fmax(2, fmin(8, (f->panel_height * DPI - 60) / 28));
            at->y_ticks = p->y_name_count ? ticks_of_names(p->y_name_count)
                                          : crdi_ticks_make(at->y[0], at->y[1], p->log_y, wanted);
            if (p->has_scale)
                at->scale_ticks = crdi_ticks_make(p->scale[0], p->scale[1], false, wanted);
            at->x_ticks =
                p->x_name_count ? ticks_of_names(p->x_name_count) : ticks_along_x(at->x, p->log_x, width - 80);
            margins(p, at, m);
            left = fmax(left, m[0]);
            right = fmax(right, m[1]);
            more = fmax(more, beside(p, at)); /* the frame keeps its size */
        }
        width += more;
        for (int r = 0; r < f->rows; r++) {
            out->at[r * f->columns + c].start = x;
            out->at[r * f->columns + c].left = x + left;
            out->at[r * f->columns + c].right = x + fmax(width - right, left + 20);
        }
        x += width;
    }
    out->width = floor(x);
    for (int r = 0; r < f->rows; r++) {
        double below = 0, above = 0, base = footnote + (f->rows - 1 - r) * f->panel_height * DPI, m[4];
        for (int c = 0; c < f->columns; c++) {
            margins(&f->panel[r * f->columns + c], &out->at[r * f->columns + c], m);
            below = fmax(below, m[2]);
            above = fmax(above, m[3]);
        }
        for (int c = 0; c < f->columns; c++) {
            out->at[r * f->columns + c].bottom = base + below;
            out->at[r * f->columns + c].top = base + fmax(f->panel_height * DPI - above, below + 20);
        }
    }
    return CRD_OK;
}

/* ---- the script --------------------------------------------------------------------------------------------- */

/* "text" with all but letters and spaces as octal numbers, which mean nothing before the string has been found: in double quotes
 * gnuplot would run what stands between ` and `. Digits, too, as it takes a fourth one behind a number that begins with 0. (A doubled
 * quote in single quotes is misread at the begin of some strings.) A text that is longer than the room for it ends in an ellipsis. */
static void quote(crdi_string *out, const char *text, double points, double room)
{
    crdi_string plain;
    crdi_string_init(&plain, out->ctx);
    crdi_text_printable(&plain, text);
    int most = (int)fmax(4, room / text_length("x", points));
    if (crdi_text_width(crdi_string_text(&plain)) > most) {
        plain.length = crdi_text_fit(plain.text, most - 1);
        crdi_string_append(&plain, "\u2026");
    }
    crdi_string_add(out, "\"", 1);
    for (const char *c = crdi_string_text(&plain); *c; c++)
        if (*c == ' ' || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z'))
            crdi_string_add(out, c, 1);
        else
            crdi_string_append(out, "\\%03o", (unsigned)(unsigned char)*c);
    crdi_string_add(out, "\"", 1);
    if (plain.status < 0 && out->status == CRD_OK)
        out->status = plain.status;
    crdi_string_clear(&plain);
}

static void write_ticks(crdi_string *out, const char *axis, const crdi_ticks *ticks, bool hide)
{
    if (hide) {
        crdi_string_append(out, "unset %stics\n", axis);
        return;
    }
    crdi_string_append(out, "set %stics out nomirror scale 0.5 offset %s (", axis,
                       *axis == 'x'     ? "0,0.3"
                       : axis[1] == '2' ? "-0.5,0"
                                        : "0.5,0");
    for (int i = 0; i < ticks->count; i++)
        crdi_string_append(out, "%s'%s' %.15g", i ? ", " : "", ticks->label[i], ticks->at[i]);
    crdi_string_append(out, ")\n");
}

/* The names at 0, 1, ... along an axis, each cut to the room that it has. */
static void write_names(crdi_string *out, const char *axis, const char *const *names, int count, double room)
{
    crdi_string_append(out, "set %stics out nomirror scale 0.5 offset %s (", axis, *axis == 'x' ? "0,0.3" : "0.5,0");
    for (int i = 0; i < count; i++) {
        crdi_string_append(out, "%s", i ? ", " : "");
        quote(out, names[i], tick_points, room);
        crdi_string_append(out, " %d", i);
    }
    crdi_string_append(out, ")\n");
}

/* The cells of an image: place of the centre, red, green, blue. */
static void write_cells(crdi_string *out, const crdi_panel *p, const crdi_layer *l)
{
    int64_t rows = l->count / l->columns;
    for (int64_t i = 0; i < l->count; i++) {
        double u = ((double)(i % l->columns) + 0.5) / (double)l->columns,
               v = ((double)(i / l->columns) + 0.5) / (double)rows;
        unsigned c =
            l->role == CRDI_ROLE_CLASS ? class_colour((int64_t)l->value[i]) : crdi_panel_colour(p, l->value[i]);
        c = thin(c, l->alpha);
        crdi_string_append(out, "%.10g %.10g %u %u %u\n", l->x[0] + u * (l->x[1] - l->x[0]),
                           l->y[0] + v * (l->y[1] - l->y[0]), c >> 16, c >> 8 & 255, c & 255);
    }
}

/* One data block a layer. A row with a value that cannot be drawn becomes an empty line, which breaks lines and bands;
 * two in a row would start another data set. */
static void write_data(crdi_string *out, const crdi_panel *p, const place *at, const crdi_layer *l, int number)
{
    crdi_string_append(out, "$d%d << CRD_END\n", number);
    if (l->kind == CRDI_RULE_X)
        crdi_string_append(out, "%.15g %.15g\n%.15g %.15g\n", l->x[0], at->y[0], l->x[0], at->y[1]);
    if (l->kind == CRDI_RULE_Y)
        crdi_string_append(out, "%.15g %.15g\n%.15g %.15g\n", at->x[0], l->y[0], at->x[1], l->y[0]);
    if (l->kind == CRDI_DIAGONAL) {
        double from = fmax(at->x[0], at->y[0]), to = fmin(at->x[1], at->y[1]);
        crdi_string_append(out, "%.15g %.15g\n%.15g %.15g\n", from, from, to, to);
    }
    if (l->kind == CRDI_IMAGE)
        write_cells(out, p, l);
    bool rows = l->kind <= CRDI_INTERVALS, broken = true;
    for (int64_t i = 0; rows && i < l->count; i++) {
        bool draw = crdi_drawable(l->x[i], p->log_x) && crdi_drawable(l->y[i], p->log_y) &&
                    (!l->high || crdi_drawable(l->high[i], l->kind == CRDI_BARS ? p->log_x : p->log_y));
        if (draw && l->high)
            crdi_string_append(out, "%.12g %.12g %.12g\n", l->x[i], l->y[i], l->high[i]);
        else if (draw && l->value)
            crdi_string_append(out, "%.12g %.12g %u\n", l->x[i], l->y[i], crdi_panel_colour(p, l->value[i]));
        else if (draw)
            crdi_string_append(out, "%.12g %.12g\n", l->x[i], l->y[i]);
        else if (!broken)
            crdi_string_append(out, "\n");
        broken = !draw;
    }
    crdi_string_append(out, "CRD_END\n");
}

/* Whether a layer has anything to draw; gnuplot takes a plot without points for a mistake. */
static bool has_data(const crdi_panel *p, const crdi_layer *l)
{
    if (l->kind == CRDI_NOTE || l->kind == CRDI_TEXT)
        return false;
    if (l->kind == CRDI_IMAGE)
        return l->count > 0;
    if (l->kind == CRDI_RULE_X || l->kind == CRDI_RULE_Y)
        return crdi_drawable(l->x ? l->x[0] : l->y[0], l->x ? p->log_x : p->log_y);
    for (int64_t i = 0; i < l->count; i++)
        if (crdi_drawable(l->x[i], p->log_x) && crdi_drawable(l->y[i], p->log_y) &&
            (!l->high || crdi_drawable(l->high[i], l->kind == CRDI_BARS ? p->log_x : p->log_y)))
            return true;
    return l->kind == CRDI_DIAGONAL;
}

static double point_size(const crdi_layer *l)
{
    return l->role == CRDI_ROLE_CLASS ? 4.8 : 3.6; /* shapes need more room than dots */
}

static void write_layer(crdi_string *out, const place *at, const crdi_layer *l, int number)
{
    unsigned colour = (unsigned)lrint(255 * (1 - l->alpha)) << 24 | colour_of(l);
    double size = l->size > 0 ? l->size : l->kind == CRDI_LINE ? 1.4 : l->kind == CRDI_POINTS ? point_size(l) : 1;
    int marker = marker_of(l);
    crdi_string_append(out, "$d%d ", number);
    switch (l->kind) {
    case CRDI_POINTS:
        if (l->outlined && marker >= 5) /* of the shapes that are open or crosses, none */
            crdi_string_append(out, "using 1:2 with points pt %d ps %.3g lc rgb '#101010' notitle, \\\n  $d%d ", marker,
                               (size + 1.6) / 8, number);
        if (l->value)
            crdi_string_append(out, "using 1:2:3 with points pt %d ps %.3g lc rgb variable", marker, size / 8);
        else
            crdi_string_append(out, "using 1:2 with points pt %d ps %.3g lc rgb '#%08x'", marker, size / 8, colour);
        break;
    case CRDI_IMAGE:
        crdi_string_append(out, "using 1:2:3:4:5 with rgbimage");
        break;
    case CRDI_BAND:
        crdi_string_append(out, "using 1:2:3 with filledcurves fill solid noborder fc rgb '#%08x'", colour);
        break;
    case CRDI_AREA:
        crdi_string_append(out, "using 1:(%.15g):2 with filledcurves fill solid noborder fc rgb '#%08x'",
                           fmax(0, at->y[0]), colour);
        break;
    case CRDI_BARS:
        crdi_string_append(out,
                           "using (0.5*$1+0.5*$3):2:1:3:(%.15g):2 with boxxyerror fill solid border "
                           "lc rgb '#ffffff' lw 0.5 fc rgb '#%08x'",
                           fmax(0, at->y[0]), colour);
        break;
    case CRDI_INTERVALS:
        crdi_string_append(out, "using 1:2:(0):($3-$2) with vectors nohead lw %.3g lc rgb '#%08x'", size, colour);
        break;
    case CRDI_RULE_X:
    case CRDI_RULE_Y:
    case CRDI_DIAGONAL:
        crdi_string_append(out, "using 1:2 with lines dt 2 lw %.3g lc rgb '#%08x'", size, colour);
        break;
    case CRDI_LINE:
    case CRDI_NOTE:
    case CRDI_TEXT:
    default:
        crdi_string_append(out, "using 1:2 with lines%s lw %.3g lc rgb '#%08x'", l->dashed ? " dt 2" : "", size,
                           colour);
        break;
    }
    if (l->label) {
        crdi_string_append(out, " title ");
        quote(out, l->label, legend_points, 0.5 * (at->right - at->left));
    } else {
        crdi_string_append(out, " notitle");
    }
}

static void write_legend(crdi_string *out, const crdi_panel *p, const place *at, const layout *size, const terminal *t)
{
    static const char *const corner[] = {[CRDI_LEGEND_BOTTOM_RIGHT] = "bottom right",
                                         [CRDI_LEGEND_TOP_LEFT] = "top left",
                                         [CRDI_LEGEND_TOP_RIGHT] = "top right",
                                         [CRDI_LEGEND_BOTTOM_LEFT] = "bottom left"};
    crdi_legend legend = crdi_panel_legend(p);
    bool any = false;
    for (int64_t i = 0; i < p->layer_count; i++)
        any = any || (p->layer[i].label && has_data(p, &p->layer[i]));
    if (legend == CRDI_LEGEND_NONE || !any)
        crdi_string_append(out, "unset key\n");
    else if (legend == CRDI_LEGEND_OUTSIDE)
        crdi_string_append(out,
                           "set key at screen %.5f,%.5f left top vertical Left reverse noopaque nobox samplen 1.2 "
                           "spacing 1.1 width 0 height 0 font 'Sans,%.3g'\n",
                           (at->right + GAP) / size->width, at->top / size->height, legend_points * t->font_scale);
    else
        crdi_string_append(out,
                           "set key inside %s vertical maxrows 8 Left reverse opaque fillcolor rgb '#26ffffff' "
                           "box lc rgb '#cccccc' lw 0.7 samplen 1.6 spacing 0.95 width 0.6 height 0.3 "
                           "font 'Sans,%.3g'\n",
                           corner[legend], legend_points * t->font_scale);
}

/* A text of ours at a place in pixels; as a label, because gnuplot puts titles where it expects them to fit, and that
 * depends on the terminal. */
static void write_label(crdi_string *out, int number, const char *text, double points, double room, double x, double y,
                        const char *options, const layout *size, const terminal *t)
{
    if (!text)
        return;
    crdi_string_append(out, "set label %d ", number);
    quote(out, text, points, room);
    crdi_string_append(out, " at screen %.5f,%.5f %s font 'Sans,%.3g'\n", x / size->width, y / size->height, options,
                       points * t->font_scale);
}

static void write_panel(crdi_string *out, const crdi_panel *p, const place *at, const layout *size, const terminal *t,
                        const char *footnote)
{
    double width = at->right - at->left, height = at->top - at->bottom;
    crdi_string_append(out, "set lmargin at screen %.5f\nset rmargin at screen %.5f\n", at->left / size->width,
                       at->right / size->width);
    crdi_string_append(out, "set bmargin at screen %.5f\nset tmargin at screen %.5f\n", at->bottom / size->height,
                       at->top / size->height);
    crdi_string_append(out, "unset label\nunset logscale\n%s%s", p->log_x ? "set logscale x\n" : "",
                       p->log_y ? "set logscale y\n" : "");
    crdi_string_append(out, "set xrange [%.15g:%.15g]\nset yrange [%.15g:%.15g]\n", at->x[0], at->x[1], at->y[0],
                       at->y[1]);
    if (p->x_name_count)
        write_names(out, "x", p->x_name, p->x_name_count, width / p->x_name_count - 8);
    else
        write_ticks(out, "x", &at->x_ticks, false);
    if (p->y_name_count && !p->hide_y_ticks)
        write_names(out, "y", p->y_name, p->y_name_count,
                    widest_text(p->y_name, p->y_name_count, tick_points, NAME_ROOM) + 1);
    else
        write_ticks(out, "y", &at->y_ticks, p->hide_y_ticks);
    write_legend(out, p, at, size, t);
    write_label(out, 1, p->title, title_points, width + 40, (at->left + at->right) / 2,
                at->top + 6 + text_pixels(title_points) / 2, "center", size, t);
    write_label(out, 2, p->x_label, label_points, width + 40, (at->left + at->right) / 2,
                at->bottom - 14 - text_pixels(tick_points) - text_pixels(label_points) / 2, "center", size, t);
    write_label(out, 3, p->y_label, label_points, height + 20, at->start + 8 + text_pixels(label_points) / 2,
                (at->bottom + at->top) / 2, "center rotate by 90", size, t);
    write_label(out, 4, footnote, tick_points, size->width, 12, 12, "left", size, t);
    int data = 0, note = 5, text = 1000;
    for (int64_t i = 0; i < p->layer_count; i++)
        if (has_data(p, &p->layer[i]))
            write_data(out, p, at, &p->layer[i], data++);
        else if (p->layer[i].kind == CRDI_NOTE) {
            crdi_string_append(out, "set label %d ", note);
            quote(out, p->layer[i].label, label_points, width);
            crdi_string_append(out, " at graph 0.5,%.3g center front font 'Sans,%.3g'\n", 0.5 - 0.08 * (note - 5),
                               label_points * t->font_scale);
            note++;
        } else if (p->layer[i].kind == CRDI_TEXT && p->layer[i].label && crdi_drawable(p->layer[i].x[0], p->log_x) &&
                   crdi_drawable(p->layer[i].y[0], p->log_y)) {
            crdi_string_append(out, "set label %d ", text);
            quote(out, p->layer[i].label, tick_points, width);
            crdi_string_append(out, " at %.12g,%.12g %s front offset %s,0 font 'Sans,%.3g' textcolor rgb '#%06x'\n",
                               p->layer[i].x[0], p->layer[i].y[0], p->layer[i].before ? "right" : "left",
                               p->layer[i].before ? "-0.4" : "0.4", tick_points * t->font_scale,
                               colour_of(&p->layer[i]));
            text++;
        }
    crdi_string_append(out, "plot ");
    for (int64_t i = 0, k = 0; i < p->layer_count; i++)
        if (has_data(p, &p->layer[i])) {
            crdi_string_append(out, k ? ", \\\n  " : "");
            write_layer(out, at, &p->layer[i], (int)k++);
        }
    crdi_string_append(out, data ? "\n" : "NaN notitle\n");
}

/* The colour bar of a panel: a narrow image with ticks on its right, drawn as a plot of its own. */
static void write_bar(crdi_string *out, const crdi_panel *p, const place *at, const layout *size, const terminal *t)
{
    enum { STEPS = 100 };
    double left = at->right + GAP, right = left + BAR;
    crdi_string_append(out, "unset label\nunset key\nunset xtics\nunset ytics\nunset logscale\n");
    crdi_string_append(out, "set lmargin at screen %.5f\nset rmargin at screen %.5f\n", left / size->width,
                       right / size->width);
    crdi_string_append(out, "set xrange [0:2]\nset yrange [0:%d]\nset y2range [%.15g:%.15g]\n", STEPS, p->scale[0],
                       p->scale[1]);
    write_ticks(out, "y2", &at->scale_ticks, false);
    write_label(out, 1, p->scale_label, label_points, at->top - at->bottom + 20,
                right + 12 + widest(&at->scale_ticks) + text_pixels(label_points) / 2, (at->bottom + at->top) / 2,
                "center rotate by 90", size, t);
    crdi_string_append(out, "$d0 << CRD_END\n");
    for (int i = 0; i < 2 * STEPS; i++) {
        unsigned c = crdi_panel_colour(p, p->scale[0] + (i / 2 + 0.5) / STEPS * (p->scale[1] - p->scale[0]));
        crdi_string_append(out, "%d.5 %d.5 %u %u %u\n", i % 2, i / 2, c >> 16, c >> 8 & 255, c & 255);
    }
    crdi_string_append(out, "CRD_END\nplot $d0 using 1:2:3:4:5 with rgbimage notitle\nunset y2tics\n");
}

static const terminal *terminal_of(const char *format)
{
    for (int i = 0; i < CRDI_COUNT(terminals); i++)
        if (strcasecmp(terminals[i].suffix, format) == 0)
            return &terminals[i];
    return NULL;
}

crd_status crdi_figure_script(const crdi_figure *figure, const char *format, crdi_string *out)
{
    const terminal *t = terminal_of(format);
    const char *footnote = figure->footnote;
    layout size = {0};
    CRDI_ASSERT(t);
    CRD_TRY(figure->status);
    CRD_TRY(lay_out(figure, &size));
    crdi_string_append(out,
                       "set encoding utf8\nset terminal %s size %.8g%s,%.8g%s background '#ffffff' font 'Sans,%.3g'\n",
                       t->settings, size.width / t->unit, t->unit_name, size.height / t->unit, t->unit_name,
                       tick_points * t->font_scale);
    crdi_string_append(out, "set multiplot\nset border 15 lw 0.8 lc rgb '#303030'\n");
    for (int i = 0; i < figure->rows * figure->columns; i++)
        if (figure->panel[i].layer_count > 0) {
            write_panel(out, &figure->panel[i], &size.at[i], &size, t, footnote);
            if (figure->panel[i].has_scale)
                write_bar(out, &figure->panel[i], &size.at[i], &size, t);
            footnote = NULL;
        }
    crdi_string_append(out, "unset multiplot\n");
    crdi_free(figure->ctx, size.at);
    return out->status;
}

/* ---- the file ----------------------------------------------------------------------------------------------- */

crd_status crdi_figure_check(crd_context *ctx, const char *path, bool force)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    struct stat info;
    if (!dot || dot == name || !terminal_of(dot + 1))
        return crdi_raise(ctx, CRD_EINVAL, "%s: a figure's file ends in .png, .svg or .pdf", path);
    if (stat(path, &info) != 0)
        return CRD_OK;
    if (!S_ISREG(info.st_mode))
        return crdi_raise(ctx, CRD_EINVAL, "%s is not a file that can be replaced", path);
    if (!force)
        return crdi_raise(ctx, CRD_EEXISTS, "%s: exists; --force replaces it", path);
    return CRD_OK;
}

/* ---- the process -------------------------------------------------------------------------------------------- */

/* Starts gnuplot with the three descriptors as its standard ones. They are above 2 and close in every other child. */
static crd_status start(crd_context *ctx, const int standard[3], pid_t *out)
{
    char *const arguments[] = {(char[]){"gnuplot"}, (char[]){"-d"}, (char[]){"-"}, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return crdi_raise(ctx, CRD_ENOMEM, "out of memory: gnuplot could not be started");
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int error = 0;
    for (int i = 0; i < 3 && error == 0; i++)
        error = posix_spawn_file_actions_adddup2(&actions, standard[i], i);
    if (error == 0)
        error = posix_spawnp(out, "gnuplot", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT || error == EACCES || error == ENOTDIR)
        return crdi_raise(ctx, CRD_ETOOL,
                          "figures need gnuplot, which was not found; on Debian: apt install gnuplot-nox");
    if (error)
        return crdi_raise(ctx, CRD_ETOOL, "gnuplot could not be started: %s", strerror(error));
    return CRD_OK;
}

bool crdi_gnuplot_find(char *out, size_t size)
{
    const char *path = getenv("PATH");
    for (const char *at = path; at && *at;) {
        size_t length = strcspn(at, ":");
        snprintf(out, size, "%.*s/gnuplot", (int)length, at);
        if (access(out, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

/* A part of the script, unless the reader has gone away; then its own message says why. A socket instead of a pipe, because its writer
 * can ask not to be sent SIGPIPE. Whether that was all that can be sent. */
static bool send_some(int socket, const crdi_string *script, size_t *done)
{
    const char *text = crdi_string_text(script);
    ssize_t sent = send(socket, text + *done, script->length - *done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    *done += sent > 0 ? (size_t)sent : 0;
    return sent <= 0 || *done == script->length;
}

/* Sends the script through `*to`, which is closed behind it, and writes what comes back; the bytes of that. gnuplot takes no notice of a
 * disk that is full: so what it draws goes through us. */
static size_t converse(int *to, int from, const crdi_string *script, crdi_output *output)
{
    char bytes[16384];
    size_t done = 0, total = 0;
    for (;;) {
        struct pollfd at[] = {{.fd = from, .events = POLLIN}, {.fd = *to, .events = POLLOUT}};
        if (poll(at, *to >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
            return total;
        if (*to >= 0 && at[1].revents && send_some(*to, script, &done)) {
            close(*to);
            *to = -1;
        }
        ssize_t size = at[0].revents ? read(from, bytes, sizeof bytes) : -1;
        if (size == 0)
            return total;
        if (size > 0)
            crdi_output_write(output, bytes, (size_t)size);
        total += size > 0 ? (size_t)size : 0;
    }
}

/* The first line of a file that says something, into `line`: gnuplot prints the command and a mark under it before. */
static void first_complaint(int file, char *line, size_t size)
{
    char text[4096], *rest = text, *best = NULL;
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = 0;
    for (char *next; (next = strsep(&rest, "\n")) != NULL;) {
        next += strspn(next, " \t^\r");
        if (*next && !best)
            best = next;
        if (strncmp(next, "line ", 5) == 0 || strncmp(next, "\"-\"", 3) == 0) {
            best = next;
            break;
        }
    }
    snprintf(line, size, "%s", best ? best : "no message");
}

static int above_standard(int file)
{
    if (file < 0 || file > 2)
        return file;
    int other = fcntl(file, F_DUPFD_CLOEXEC, 3);
    close(file);
    return other;
}

struct ends {
    int script[2], drawing[2]; /* ours and gnuplot's; -1: closed */
    int complaints;
};

static void close_end(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

static crd_status open_ends(crd_context *ctx, struct ends *e)
{
    *e = (struct ends){{-1, -1}, {-1, -1}, -1};
    bool open = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, e->script) == 0 && pipe2(e->drawing, O_CLOEXEC) == 0;
    if (open)
        e->complaints = memfd_create("complaints", MFD_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        e->script[i] = above_standard(e->script[i]);
        e->drawing[i] = above_standard(e->drawing[i]);
    }
    e->complaints = above_standard(e->complaints);
    return e->complaints >= 0 ? CRD_OK : crdi_raise(ctx, CRD_EIO, "gnuplot could not be started: %s", strerror(errno));
}

static crd_status raise_complaint(crd_context *ctx, int complaints)
{
    char line[256];
    crdi_string plain;
    crdi_string_init(&plain, ctx);
    first_complaint(complaints, line, sizeof line);
    crdi_text_printable(&plain, line);
    crdi_raise(ctx, CRD_ETOOL, "gnuplot failed: %s", crdi_string_text(&plain));
    crdi_string_clear(&plain);
    return CRD_ETOOL;
}

/* Runs a script; what it draws goes to the output. */
static crd_status run(crd_context *ctx, const crdi_string *script, struct ends *e, crdi_output *output)
{
    int result = 0;
    pid_t child = 0, ended;
    CRD_TRY(start(ctx, (const int[]){e->script[1], e->drawing[1], e->complaints}, &child));
    close_end(&e->script[1]);
    close_end(&e->drawing[1]);
    size_t drawn = converse(&e->script[0], e->drawing[0], script, output);
    close_end(&e->script[0]);
    do
        ended = waitpid(child, &result, 0);
    while (ended < 0 && errno == EINTR);
    /* With SIGCHLD ignored by the program there is no result to be had; then the drawing has to tell. */
    if (drawn > 0 && (ended < 0 || (WIFEXITED(result) && WEXITSTATUS(result) == 0)))
        return CRD_OK;
    return raise_complaint(ctx, e->complaints);
}

/* Lets gnuplot draw into an output file. What it complains of goes to one that never has a name. */
static crd_status draw(crd_context *ctx, crdi_output *output, const crdi_string *script)
{
    struct ends e;
    crd_status status = open_ends(ctx, &e);
    if (status == CRD_OK)
        status = run(ctx, script, &e, output);
    for (int i = 0; i < 2; i++) {
        close_end(&e.script[i]);
        close_end(&e.drawing[i]);
    }
    close_end(&e.complaints);
    return status;
}

crd_status crdi_figure_save(const crdi_figure *figure, const char *path, bool force)
{
    crdi_string script;
    crdi_output *output = NULL;
    CRD_TRY(crdi_figure_check(figure->ctx, path, force));
    crdi_string_init(&script, figure->ctx);
    crd_status status = crdi_figure_script(figure, strrchr(path, '.') + 1, &script);
    if (status == CRD_OK)
        status = crdi_output_open(&output, figure->ctx, path, force);
    if (status == CRD_OK)
        status = draw(figure->ctx, output, &script);
    if (status == CRD_OK)
        status = crdi_output_commit(&output);
    crdi_output_abort(&output);
    crdi_string_clear(&script);
    return status;
}
