/* figure.h - a figure is data: a grid of panels, each a stack of layers. Back ends draw it (crdi_figure_save).
 *
 * Nothing here knows of pixels or of a plotting program. A figure copies what it is given, so that it lives on its own.
 * Its builder is sticky: the first failure is kept, later calls do nothing, crdi_figure_status tells in the end. */
#ifndef CRDI_REPORT_FIGURE_H
#define CRDI_REPORT_FIGURE_H

#include "base/base.h"

typedef enum crdi_layer_kind {
    CRDI_POINTS, /* x, y */
    CRDI_LINE, /* x, y; a value that is not finite breaks it */
    CRDI_BAND, /* x, y (low), high: filled between */
    CRDI_AREA, /* x, y: filled down to zero */
    CRDI_BARS, /* x (left edge), high (right edge), y (height): a histogram */
    CRDI_INTERVALS, /* x, y (low), high: a vertical line each */
    CRDI_RULE_X, /* x[0]: a vertical line through the panel */
    CRDI_RULE_Y, /* y[0]: a horizontal one */
    CRDI_DIAGONAL, /* y = x; no data */
    CRDI_NOTE, /* label, written in the middle of the panel; no data */
    CRDI_TEXT, /* label, written beside x[0], y[0] */
    CRDI_IMAGE /* x[0], x[1] and y[0], y[1]: its edges; value (count / columns, columns): cells from the lower left, row by row.
                  CRDI_ROLE_CLASS: a value is a class's number; else a number on the panel's scale */
} crdi_layer_kind;

/* What a layer means; the palette gives it a colour. */
typedef enum crdi_role {
    CRDI_ROLE_DATA, /* what was observed: black */
    CRDI_ROLE_MODEL, /* what the model says: blue */
    CRDI_ROLE_CHAIN, /* one chain of several: `shade` of blue */
    CRDI_ROLE_ACCENT, /* what to look at: orange */
    CRDI_ROLE_CLASS, /* one class of several: colour and shape of its points have the number `shade` */
    CRDI_ROLE_GUIDE /* rules and diagonals: grey */
} crdi_role;

typedef struct crdi_layer {
    crdi_layer_kind kind;
    crdi_role role;
    int shade; /* of CRDI_ROLE_CHAIN and CRDI_ROLE_CLASS: its number */
    double alpha; /* 0 to 1; 0 means the kind's default: 0.3 for a band, 0.6 for an area, else 1 */
    double size; /* width of a line in points or diameter of a point; 0 means the kind's default */
    const char *label; /* in the legend; NULL: not there */
    bool dashed; /* a line: where colours alone would not tell it in grey */
    bool before; /* a text ends at its place instead of beginning there */
    bool outlined; /* points have a dark rim: they stand on an image */
    int64_t count; /* elements of each array that the kind takes */
    const double *x, *y, *high;
    int64_t columns; /* of an image */
    const double
        *value; /* of an image; of points: NULL, or (count) on the panel's scale, which gives them their colours */
} crdi_layer;

/* Colours of numbers: lightness falls from one end of both to the other, so that they read in grey as well. */
typedef enum crdi_palette {
    CRDI_PALETTE_AMOUNT, /* white to dark blue: how much there is of something that can be nothing */
    CRDI_PALETTE_VALUE /* pale yellow by green to dark blue: a number whose zero is nothing special */
} crdi_palette;

typedef enum crdi_legend {
    CRDI_LEGEND_AUTO, /* bottom right, or another corner where nothing is; if all have something, outside */
    CRDI_LEGEND_NONE,
    CRDI_LEGEND_BOTTOM_RIGHT,
    CRDI_LEGEND_TOP_LEFT,
    CRDI_LEGEND_TOP_RIGHT,
    CRDI_LEGEND_BOTTOM_LEFT,
    CRDI_LEGEND_OUTSIDE /* right of the frame */
} crdi_legend;

typedef struct crdi_panel {
    const char *title, *x_label, *y_label; /* NULL: none; set through crdi_panel_texts, which copies */
    bool has_x_range, has_y_range; /* else the range of the data and a margin */
    double x_range[2], y_range[2];
    bool log_x, log_y;
    bool hide_y_ticks; /* where only the shape counts */
    int x_name_count; /* 0: numbers; else the ticks stand at 0, 1, ... and are called so, through crdi_panel_x_names */
    const char **x_name;
    int y_name_count; /* the same of y, through crdi_panel_y_names */
    const char **y_name;
    crdi_legend legend;
    bool has_scale; /* a colour bar on the right, set through crdi_panel_scale */
    double scale[2]; /* what its ends stand for; values beyond have the colours of the ends */
    crdi_palette palette;
    const char *scale_label; /* NULL: none */
    int64_t layer_count, layer_capacity;
    crdi_layer *layer; /* drawn in this order; a panel without layers stays empty */
} crdi_panel;

typedef struct crdi_figure {
    crd_context *ctx;
    crdi_arena *arena;
    crd_status status;
    int rows, columns;
    double *column_weight; /* (columns): relative widths, 1 each */
    double panel_width, panel_height; /* inches of a panel of weight 1, its labels included */
    const char *footnote; /* one line below everything, or NULL */
    crdi_panel *panel; /* (rows, columns) */
} crdi_figure;

crd_status crdi_figure_create(crdi_figure **out, crd_context *ctx, int rows, int columns);
void crdi_figure_destroy(crdi_figure **figure);
crdi_panel *crdi_figure_panel(crdi_figure *figure, int row, int column);
void crdi_panel_texts(crdi_figure *figure, crdi_panel *panel, const char *title, const char *x_label,
                      const char *y_label);
/* Names for 0, 1, ... along x or y, copied; more than CRDI_TICKS are left numbers. */
void crdi_panel_x_names(crdi_figure *figure, crdi_panel *panel, const char *const *names, int64_t count);
void crdi_panel_y_names(crdi_figure *figure, crdi_panel *panel, const char *const *names, int64_t count);
/* Colours and colour bar of a panel's images and of points with values. An empty scale is opened; one that is not finite
 * becomes 0 to 1. The label is copied. */
void crdi_panel_scale(crdi_figure *figure, crdi_panel *panel, double low, double high, crdi_palette palette,
                      const char *label);
void crdi_figure_footnote(crdi_figure *figure, const char *format, ...) CRD_PRINTF(2, 3);
/* Adds a copy of a layer on top of a panel. */
void crdi_panel_add(crdi_figure *figure, crdi_panel *panel, const crdi_layer *layer);
/* The first failure of any of the calls above, or CRD_OK. */
crd_status crdi_figure_status(const crdi_figure *figure);

/* The colour, 0xRRGGBB, of a value on a panel's scale; grey for one that is not finite. */
unsigned crdi_panel_colour(const crdi_panel *panel, double value);
/* Whether a back end draws a value: finite, and small enough that sums of two stay so. */
bool crdi_drawable(double value, bool log_axis);
/* What a panel shows, (low, high) of each axis, low < high: the ranges set or those of the data and a margin. */
void crdi_panel_ranges(const crdi_panel *panel, double x[2], double y[2]);
/* The place of a legend: the one set or, for CRDI_LEGEND_AUTO, a corner without data or outside; NONE without labels. */
crdi_legend crdi_panel_legend(const crdi_panel *panel);

/* ---- axes (axis.c) ------------------------------------------------------------------------------------------ */

enum { CRDI_TICKS = 24, CRDI_TICK_LABEL = 32 };
typedef struct crdi_ticks {
    int count;
    double at[CRDI_TICKS];
    char label[CRDI_TICKS][CRDI_TICK_LABEL];
} crdi_ticks;
/* About `wanted` round values between low and high with labels that tell neighbours apart. */
crdi_ticks crdi_ticks_make(double low, double high, bool log_axis, int wanted);

/* ---- back ends ---------------------------------------------------------------------------------------------- */

/* Draws a figure with gnuplot into a file that is .png, .svg or .pdf by its name. The file appears complete or not at
 * all. CRD_EINVAL: another ending; CRD_EEXISTS: the file is there and force was not given; CRD_ETOOL: gnuplot is
 * missing or failed; CRD_EMISSING: there is no such folder; CRD_EIO. Blocks until gnuplot has ended. */
crd_status crdi_figure_save(const crdi_figure *figure, const char *path, bool force);
/* The same checks of the name and of an existing file alone, to be made before hours of work. */
crd_status crdi_figure_check(crd_context *ctx, const char *path, bool force);
/* What gnuplot is given for a terminal ("png", "svg", "pdf"). */
crd_status crdi_figure_script(const crdi_figure *figure, const char *format, crdi_string *out);

/* Where on the PATH gnuplot is; false: nowhere. */
bool crdi_gnuplot_find(char *out, size_t size);

#endif
