/* figures.h - the figures that there are, and what they are built from.
 *
 * A figure reads the parts of the source that figures.def says it needs; the others may be empty. Everything in a
 * source is borrowed for the call. */
#ifndef CRDI_REPORT_FIGURES_H
#define CRDI_REPORT_FIGURES_H

#include "report/figure.h"

#include <credence/scores.h>

typedef struct crdi_named {
    const char *name;
    const double *values;
} crdi_named;

/* Curves over one input: the median and any number of bands round it, and the data that belong there. */
typedef struct crdi_bands {
    const char *title, *x_label, *y_label; /* each may be NULL */
    const char *const *x_name; /* levels of a category: what 0, 1, ... along x are called; NULL: numbers */
    int64_t x_name_count;
    bool apart; /* the x have nothing between them (levels of a category): points with intervals, not curves */
    int64_t count;
    const double *x, *median; /* (count), in any order of x; median may be NULL */
    int64_t function_count; /* draws of the curve itself, behind the median */
    const double *function; /* (function_count, count) */
    int level_count;
    const struct crdi_band {
        double probability; /* 0.95: "95% CI" */
        const double *low, *high; /* (count) */
    } * level;
    double y_probability; /* of the band of y itself, noise included, where it says more than the curve's: 0.95 */
    const double *y_low, *y_high; /* (count); NULL: not shown */
    int64_t data_count; /* 0: none */
    const double *data_x, *data_y;
    const char *data_label; /* NULL: "Train data" */
} crdi_bands;

/* A quantity over a grid of two inputs. */
typedef struct crdi_map {
    const char *title;
    bool classes; /* a value is a class's number: colours of the classes, with lines where they meet */
    const double *value; /* (rows, columns): cells from the lower left, row by row */
    /* of numbers: */
    double scale[2]; /* what the ends of the colour bar stand for; NaN: the least and the greatest value */
    crdi_palette palette;
    const char *scale_label; /* NULL: none */
    const double
        *like_target; /* (data_count) values of the data on the same scale, which have its colours; NULL: none */
} crdi_map;

/* Maps over the same grid and the data that belong there. */
typedef struct crdi_maps {
    int count;
    const crdi_map *map;
    int64_t columns, rows; /* of cells */
    double x[2], y[2]; /* edges of the grid */
    const char *x_label, *y_label;
    const char *const *x_name, *const *y_name; /* levels of a category, called so at 0, 1, ...; NULL: numbers */
    int64_t x_name_count, y_name_count;
    int64_t data_count; /* 0: none */
    const double *data_x, *data_y, *data_target; /* the class's number, if the source has classes */
    const char *footnote; /* NULL: none */
} crdi_maps;

/* Data beside replications that a model makes up. */
typedef enum crdi_check_kind { CRDI_CHECK_NUMBERS, CRDI_CHECK_COUNTS, CRDI_CHECK_CLASSES } crdi_check_kind;
typedef struct crdi_check {
    const char *target;
    crdi_check_kind kind;
    int64_t rows;
    const double *observed; /* (rows) */
    int64_t replications;
    const double *replicated; /* (replications, rows) */
    int64_t class_count; /* of classes, which observed and replicated number from 0 */
    char *const *class_name;
} crdi_check;

/* A multi-layer perceptron with what is known of its weights. */
enum { CRDI_PICTURE_LAYERS = 33 };
typedef struct crdi_network_picture {
    int layers; /* with weights */
    const int64_t *width; /* (layers + 1): inputs, hidden layers, outputs */
    const char *const *input_name, *const *output_name;
    const double *const *mean, *const *sd; /* (layers) of (width[l], width[l + 1]) */
    const double *const *bias_mean; /* (layers) of (width[l + 1]) */
    bool canonical; /* weights are in canonical form */
} crdi_network_picture;

/* A reliability table: bins of confidence, or levels (of numbers), as crdi_reliability_make gives them. */
typedef struct crdi_reliability {
    const char *title;
    bool levels;
    int bins;
    const crd_reliability_bin *bin;
} crdi_reliability;

/* What 0, 1, ... along an axis are called. */
typedef struct crdi_axis_levels {
    int64_t count; /* 0: they are numbers */
    const char *const *name;
    const char *column; /* of the axis then */
} crdi_axis_levels;

typedef struct crdi_figure_source {
    /* CRDI_NEEDS_DATA */
    int64_t rows;
    int input_count;
    const crdi_named *input; /* (input_count) of (rows) */
    const crdi_axis_levels *level; /* (input_count); NULL: all are numbers */
    int target_count; /* one, if it is a class */
    const crdi_named *target; /* (target_count) of (rows) */
    int64_t class_count; /* the target is a class's number; 0: a number */
    char *const *class_name;
    /* CRDI_NEEDS_SERIES */
    int chains;
    int64_t draws;
    int64_t series_count;
    const crdi_named *series; /* (series_count) of (chains, draws) */
    const double *diverging; /* (chains, draws) of 0 and 1; NULL: nothing is known */
    bool ranks; /* of trace: rank bars beside the density */
    bool independent; /* of forest: the draws are of a fit, of which r_hat says nothing */
    /* CRDI_NEEDS_ENERGY, with chains and draws */
    const double *energy; /* (chains, draws) */
    /* CRDI_NEEDS_BANDS */
    int band_count;
    const crdi_bands *bands;
    int fit_count; /* panels of observed against predicted; several divide the bands, each behind its own */
    const struct crdi_fit {
        const char *name; /* of the target; NULL: it needs none */
        int64_t count;
        const double *observed, *predicted, *low, *high; /* low and high may be NULL */
        double probability;
    } * fit;
    /* CRDI_NEEDS_MAPS; with class_count and class_name of the target */
    crdi_maps maps;
    /* CRDI_NEEDS_LOSS */
    int64_t step_count;
    const double *loss; /* (step_count); NaN: a step that was skipped */
    const double *held_out; /* (held_out_count) loss of rows held out, after each `epoch` steps; NULL: there are none */
    int64_t held_out_count, epoch;
    /* CRDI_NEEDS_K_HAT, with rows */
    const double *k_hat; /* (rows) */
    double good_k; /* up to which one is good */
    /* CRDI_NEEDS_CHECKS */
    int check_count;
    const crdi_check *checks;
    /* CRDI_NEEDS_NETWORK */
    const crdi_network_picture *network;
    /* CRDI_NEEDS_RELIABILITY */
    int reliability_count;
    const crdi_reliability *reliability;
} crdi_figure_source;

enum {
    CRDI_NEEDS_DATA = 1,
    CRDI_NEEDS_SERIES = 2,
    CRDI_NEEDS_BANDS = 4,
    CRDI_NEEDS_LOSS = 8,
    CRDI_NEEDS_MAPS = 16,
    CRDI_NEEDS_RELIABILITY = 32,
    CRDI_NEEDS_ENERGY = 64,
    CRDI_NEEDS_K_HAT = 128,
    CRDI_NEEDS_CHECKS = 256,
    CRDI_NEEDS_NETWORK = 512
};

/* CRD_EMISSING when a part that it needs is empty. */
typedef crd_status (*crdi_figure_fn)(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source);
#define FIGURE(name, needs, help)                                                                                      \
    crd_status crdi_figure_##name(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source);
#include "report/figures.def"
#undef FIGURE

typedef struct crdi_figure_type {
    const char *name, *help;
    int needs;
    crdi_figure_fn build;
} crdi_figure_type;

/* The table of figures.def. Static storage. */
const crdi_figure_type *crdi_figure_types(int *count);
/* One of them by its name; CRD_ENAME names the nearest. */
crd_status crdi_figure_type_find(crd_context *ctx, const char *name, const crdi_figure_type **out);

/* Shared by the figures: one panel of curves, bands and data. */
void crdi_panel_bands(crdi_figure *figure, crdi_panel *panel, const crdi_bands *bands);
/* Ends a builder: leaves a legend out that an earlier panel has (CRDI_LEGEND_AUTO), and hands the figure over, or destroys it and passes its failure on. */
crd_status crdi_figure_finish(crdi_figure *figure, crdi_figure **out);

#endif
