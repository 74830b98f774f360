/* network.c - the figure "network": units and weights, as wide as their posterior mean and as faint as they are uncertain.
 *
 * Blue weights are positive, orange and dashed ones negative. A weight whose mean is above two of its sds is solid, above one half faint, below one
 * faint. A unit's dot is as large as the mean of its bias. */
#include "report/figures.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_UNITS = 24, WIDTHS = 8, CERTAINTIES = 3 };
static const double faintness[CERTAINTIES] = {0.16, 0.45, 0.9};

struct layout {
    const crdi_network_picture *net;
    int64_t shown[CRDI_PICTURE_LAYERS + 1];
    double largest, largest_bias; /* |mean| of weights shown, of biases */
};

static double y_of(const struct layout *l, int layer, int64_t unit)
{
    double most = 0;
    for (int k = 0; k <= l->net->layers; k++)
        most = fmax(most, (double)l->shown[k]);
    double step = most / (double)l->shown[layer]; /* every layer is as high as the fullest */
    return most / 2 - step * ((double)unit + 0.5);
}

static struct layout lay_out(const crdi_network_picture *net)
{
    struct layout l = {.net = net};
    for (int k = 0; k <= net->layers; k++)
        l.shown[k] = net->width[k] < MOST_UNITS ? net->width[k] : MOST_UNITS;
    for (int k = 0; k < net->layers; k++)
        for (int64_t j = 0; j < l.shown[k + 1]; j++) {
            l.largest_bias = fmax(l.largest_bias, fabs(net->bias_mean[k][j]));
            for (int64_t i = 0; i < l.shown[k]; i++)
                l.largest = fmax(l.largest, fabs(net->mean[k][i * net->width[k + 1] + j]));
        }
    return l;
}

/* Which of the kinds of lines a weight is drawn with: width, certainty, sign. */
static int width_class(const struct layout *l, double mean)
{
    return l->largest > 0 ? (int)fmin(WIDTHS - 1, fabs(mean) / l->largest * WIDTHS) : 0;
}

static int certainty_class(double mean, double sd)
{
    return fabs(mean) > 2 * sd ? 2 : fabs(mean) > sd ? 1 : 0;
}

/* All weights of one kind as one layer of lines with gaps. */
static void add_kind(crdi_figure *f, crdi_panel *p, const struct layout *l, int width, int certainty, bool negative,
                     const char *label, double *work)
{
    const crdi_network_picture *net = l->net;
    int64_t n = 0;
    for (int k = 0; k < net->layers; k++)
        for (int64_t i = 0; i < l->shown[k]; i++)
            for (int64_t j = 0; j < l->shown[k + 1]; j++) {
                double mean = net->mean[k][i * net->width[k + 1] + j], sd = net->sd[k][i * net->width[k + 1] + j];
                if (width_class(l, mean) != width || certainty_class(mean, sd) != certainty || (mean < 0) != negative)
                    continue;
                double *at = work + 6 * n++;
                at[0] = k;
                at[1] = k + 1;
                at[2] = NAN;
                at[3] = y_of(l, k, i);
                at[4] = y_of(l, k + 1, j);
                at[5] = NAN;
            }
    double *x = work + 6 * n, *y = x + 3 * n;
    for (int64_t i = 0; i < 3 * n; i++) {
        x[i] = work[i / 3 * 6 + i % 3];
        y[i] = work[i / 3 * 6 + 3 + i % 3];
    }
    if (n > 0 || label)
        crdi_panel_add(f, p,
                       &(crdi_layer){.kind = CRDI_LINE,
                                     .role = negative ? CRDI_ROLE_ACCENT : CRDI_ROLE_MODEL,
                                     .alpha = faintness[certainty],
                                     .dashed = negative,
                                     .size = 0.5 + 5.0 * (width + 0.5) / WIDTHS,
                                     .label = label,
                                     .count = 3 * n,
                                     .x = x,
                                     .y = y});
}

static void add_weights(crdi_figure *f, crdi_panel *p, const struct layout *l)
{
    int64_t most = 0;
    for (int k = 0; k < l->net->layers; k++)
        most += l->shown[k] * l->shown[k + 1];
    double *work = crdi_arena_alloc(f->arena, sizeof *work * (size_t)(12 * most + 1));
    if (!work) {
        f->status = CRD_ENOMEM;
        return;
    }
    for (int certainty = 0; certainty < CERTAINTIES; certainty++)
        for (int width = 0; width < WIDTHS; width++)
            for (int negative = 0; negative < 2; negative++)
                add_kind(f, p, l, width, certainty, negative, NULL, work);
}

static void add_units(crdi_figure *f, crdi_panel *p, const struct layout *l)
{
    for (int k = 0; k <= l->net->layers; k++)
        for (int64_t j = 0; j < l->shown[k]; j++) {
            double bias = k > 0 ? l->net->bias_mean[k - 1][j] : 0, x = k, y = y_of(l, k, j);
            double size = 6 + (l->largest_bias > 0 ? 8 * fabs(bias) / l->largest_bias : 0);
            crdi_panel_add(f, p,
                           &(crdi_layer){.kind = CRDI_POINTS,
                                         .role = k == 0     ? CRDI_ROLE_DATA
                                                 : bias < 0 ? CRDI_ROLE_ACCENT
                                                            : CRDI_ROLE_MODEL,
                                         .size = size,
                                         .outlined = true,
                                         .count = 1,
                                         .x = &x,
                                         .y = &y});
        }
}

static void add_name(crdi_figure *f, crdi_panel *p, const char *name, double x, double y, bool before)
{
    crdi_panel_add(
        f, p,
        &(crdi_layer){
            .kind = CRDI_TEXT, .role = CRDI_ROLE_DATA, .before = before, .label = name, .count = 1, .x = &x, .y = &y});
}

static void add_names(crdi_figure *f, crdi_panel *p, const struct layout *l)
{
    const crdi_network_picture *net = l->net;
    const char *name[CRDI_PICTURE_LAYERS + 1];
    for (int64_t i = 0; i < l->shown[0]; i++)
        add_name(f, p, net->input_name[i], -0.06, y_of(l, 0, i), true);
    for (int64_t i = 0; i < l->shown[net->layers]; i++)
        add_name(f, p, net->output_name[i], net->layers + 0.06, y_of(l, net->layers, i), false);
    for (int k = 0; k <= net->layers && f->status == CRD_OK; k++) {
        name[k] = k == 0             ? "inputs"
                  : k == net->layers ? "output"
                                     : crdi_arena_printf(f->arena, "%lld hidden units", (long long)net->width[k]);
        if (!name[k])
            f->status = CRD_ENOMEM;
    }
    if (f->status == CRD_OK)
        crdi_panel_x_names(f, p, name, net->layers + 1);
}

crd_status crdi_figure_network(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    const crdi_network_picture *net = source->network;
    if (!net || net->layers < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure network: there is no network to show");
    struct layout l = lay_out(net);
    int64_t most = 0, left_out = 0;
    for (int k = 0; k <= net->layers; k++) {
        most = l.shown[k] > most ? l.shown[k] : most;
        left_out += net->width[k] - l.shown[k];
    }
    CRD_TRY(crdi_figure_create(&f, ctx, 1, 1));
    f->panel_width = fmin(12, 3.2 + 2.2 * net->layers);
    f->panel_height = fmin(9, 1.6 + 0.34 * (double)most);
    crdi_panel *p = crdi_figure_panel(f, 0, 0);
    crdi_panel_texts(
        f, p, net->canonical ? "Posterior means of the weights, in canonical form" : "Posterior means of the weights",
        NULL, NULL);
    add_weights(f, p, &l);
    add_units(f, p, &l);
    add_names(f, p, &l);
    p->hide_y_ticks = p->has_x_range = p->has_y_range = true;
    p->legend = CRDI_LEGEND_NONE;
    p->x_range[0] = -0.45;
    p->x_range[1] = net->layers + 0.45;
    p->y_range[0] = -0.5 * (double)most - 0.3;
    p->y_range[1] = 0.5 * (double)most + 0.3;
    crdi_figure_footnote(f,
                         left_out ? "Blue: positive, orange and dashed: negative; wide: far from 0 (up to %.3g); "
                                    "faint: within 2 or 1 of its sd. "
                                    "%lld units are not drawn."
                                  : "Blue: positive, orange and dashed: negative; wide: far from 0 (up to %.3g); "
                                    "faint: within 2 or 1 of its sd.",
                         l.largest, (long long)left_out);
    return crdi_figure_finish(f, out);
}
