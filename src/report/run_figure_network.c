/* run_figure_network.c - the network of a run with its weights' means and uncertainties, in canonical form where it has one. */
#include "nn/canonical.h"
#include "nn/likelihood.h"
#include "report/run_canonical.h"
#include "report/run_figure_impl.h"

#include <credence/diag.h>
#include <stdio.h>
#include <string.h>

static const int64_t MOST_NUMBERS = 4 << 20; /* draws in memory, unless one element has more */
enum { NAME = 64 };

struct work {
    crdi_network_run *net;
    crdi_arena *arena;
    crdi_run_part part;
    crdi_network_picture picture;
    int64_t width[CRDI_PICTURE_LAYERS + 1];
    const double *mean[CRDI_PICTURE_LAYERS], *sd[CRDI_PICTURE_LAYERS], *bias_mean[CRDI_PICTURE_LAYERS];
};

/* Means and sds of all elements of a column. */
static crd_status summarise(struct work *w, int layer, const char *what, int64_t size, const double **mean,
                            const double **sd)
{
    char name[NAME];
    const crd_column *column;
    int64_t draws = w->part.chains * w->part.draws;
    snprintf(name, sizeof name, "net/Dense_%d.%s", layer, what);
    CRD_TRY(crd_run_find(w->net->run, name, &column));
    if (column->size != size)
        return crdi_raise(w->net->ctx, CRD_EDAMAGED, "%s: %s has %lld elements", w->net->path, name,
                          (long long)column->size);
    double *m = crdi_arena_alloc(w->arena, (size_t)size * sizeof *m);
    double *s = crdi_arena_alloc(w->arena, (size_t)size * sizeof *s);
    int64_t together = MOST_NUMBERS / draws > 1 ? MOST_NUMBERS / draws : 1;
    together = together < size ? together : size;
    double *some = crdi_alloc_array(w->net->ctx, together * draws, sizeof *some);
    crd_status status = m && s && some ? CRD_OK : CRD_ENOMEM;
    for (int64_t first = 0; first < size && status == CRD_OK; first += together) {
        int64_t count = together < size - first ? together : size - first;
        status = crdi_run_read_elements(w->net->ctx, w->net->run, column, &w->part, first, count, some);
        for (int64_t e = 0; e < count && status == CRD_OK; e++) {
            m[first + e] = crd_diag_mean(some + e * draws, draws);
            s[first + e] = crd_diag_sd(some + e * draws, draws);
        }
    }
    crdi_free(w->net->ctx, some);
    *mean = m;
    *sd = s;
    return status;
}

static crd_status find_widths(struct work *w)
{
    const crd_network *network = &w->net->network;
    int64_t hidden[CRDI_PICTURE_LAYERS];
    int count = crd_widths_parse(w->net->ctx, network->hidden, hidden, CRDI_PICTURE_LAYERS - 1);
    if (count < 0)
        return CRD_EINVAL;
    w->picture.layers = count + 1;
    w->width[0] = network->x.shape.dim[1];
    for (int k = 0; k < count; k++)
        w->width[k + 1] = hidden[k];
    w->width[count + 1] = (crdi_network_heteroscedastic(network) ? 2 : 1) * crdi_network_width(network);
    return CRD_OK;
}

static crd_status find_names(struct work *w)
{
    const crd_recipe *r = w->net->recipe;
    int64_t outputs = w->width[w->picture.layers], width = crdi_network_width(&w->net->network);
    const char **in = crdi_arena_alloc(w->arena, (size_t)w->width[0] * sizeof *in);
    const char **out = crdi_arena_alloc(w->arena, (size_t)outputs * sizeof *out);
    if (!in || !out)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < w->width[0]; j++)
        in[j] = r->feature[j].name;
    for (int64_t j = 0; j < outputs; j++) {
        bool classes = r->class_count > 2 && width > 1;
        const char *of = classes ? r->class_name[j] : r->targets[j % r->target_count].name;
        out[j] = j < width ? of : crdi_arena_printf(w->arena, "sd of %s", of);
        if (!out[j])
            return CRD_ENOMEM;
    }
    w->picture.input_name = in;
    w->picture.output_name = out;
    return CRD_OK;
}

static crd_status make(struct work *w, crdi_figure **out)
{
    const double *unused;
    CRD_TRY(find_widths(w));
    CRD_TRY(find_names(w));
    CRD_TRY(crdi_run_part_find(w->net->ctx, w->net->run, &w->part));
    if (w->part.draws == 0)
        return crdi_raise(w->net->ctx, CRD_EMISSING, "%s: holds no draws to show", w->net->path);
    for (int k = 0; k < w->picture.layers; k++) {
        CRD_TRY(summarise(w, k, "kernel", w->width[k] * w->width[k + 1], &w->mean[k], &w->sd[k]));
        CRD_TRY(summarise(w, k, "bias", w->width[k + 1], &w->bias_mean[k], &unused));
    }
    w->picture.width = w->width;
    w->picture.mean = w->mean;
    w->picture.sd = w->sd;
    w->picture.bias_mean = w->bias_mean;
    return crdi_figure_network(out, w->net->ctx, &(crdi_figure_source){.network = &w->picture});
}

crd_status crdi_run_figure_network(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                   crdi_figure **out)
{
    struct work w = {.net = net, .arena = arena};
    (void)options;
    CRD_TRY(crdi_network_run_need(net, "a picture of the network"));
    if (!net->network.linear_about) {
        CRD_TRY(crdi_run_make_canonical(net, 0));
        w.picture.canonical = true;
    }
    crd_status status = make(&w, out);
    crdi_run_part_clear(net->ctx, &w.part);
    return status;
}
