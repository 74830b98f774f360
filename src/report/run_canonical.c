/* run_canonical.c - see run_canonical.h. A chain at a time: its draws are read, brought into form in parallel, and stand in for
 * those of the file. */
#include "report/run_canonical.h"
#include "nn/canonical.h"
#include "nn/likelihood.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 64, MOST_FOLLOWERS = 4 * CRDI_MLP_MOST, TOGETHER = 64 /* draws a task */ };

/* A column that changes. */
struct part {
    const crd_column *column;
    int layer; /* of the weights that it is, or belongs to */
    int64_t rows, columns; /* (1, units) for what belongs to biases */
    double *values; /* of the chain at hand */
};

struct work {
    crd_context *ctx;
    crdi_network_run *net;
    crdi_mlp mlp;
    struct part kernel[CRDI_MLP_MOST], bias[CRDI_MLP_MOST], follower[MOST_FOLLOWERS];
    int follower_count;
    int64_t draws;
};

/* ---- which columns ---------------------------------------------------------------------------------------------- */

static crd_status describe(struct work *w)
{
    const crd_network *network = &w->net->network;
    int64_t hidden[CRDI_MLP_MOST - 1];
    if (network->linear_about)
        return crdi_raise(w->ctx, CRD_EUNSUPPORTED,
                          "%s: predicts by the network's expansion about a point, which has no canonical form",
                          w->net->path);
    int count = crd_widths_parse(w->ctx, network->hidden, hidden, CRDI_MLP_MOST - 1);
    if (count < 0)
        return CRD_EINVAL;
    w->mlp.layers = count + 1;
    w->mlp.symmetry = crdi_activation_symmetry(network->activation);
    w->mlp.width[0] = network->x.shape.dim[1];
    for (int i = 0; i < count; i++)
        w->mlp.width[i + 1] = hidden[i];
    w->mlp.width[count + 1] = (crdi_network_heteroscedastic(network) ? 2 : 1) * crdi_network_width(network);
    return CRD_OK;
}

static const crd_column *find_column(const struct work *w, const char *name)
{
    for (int c = 0; c < crd_run_column_count(w->net->run); c++)
        if (strcmp(crd_run_column(w->net->run, c)->name, name) == 0)
            return crd_run_column(w->net->run, c);
    return NULL;
}

static crd_status find_weights(struct work *w, int layer, const char *what, int64_t rows, struct part *out)
{
    char name[NAME];
    snprintf(name, sizeof name, "net/Dense_%d.%s", layer, what);
    const crd_column *column = find_column(w, name);
    if (!column || column->kind != CRD_COLUMN_LATENT)
        return crdi_raise(w->ctx, CRD_EUNSUPPORTED,
                          "%s: canonical form needs draws of %s, which is computed from others by its prior '%s'",
                          w->net->path, name, w->net->network.prior);
    if (column->size != rows * w->mlp.width[layer + 1])
        return crdi_raise(w->ctx, CRD_EDAMAGED, "%s: %s has %lld elements", w->net->path, name,
                          (long long)column->size);
    *out = (struct part){.column = column, .layer = layer, .rows = rows, .columns = w->mlp.width[layer + 1]};
    return CRD_OK;
}

/* Scales of inputs (in), local scales and slabs of the shape of the weights: sites PATH.SOMETHING. */
static void find_followers(struct work *w, const struct part *of)
{
    size_t length = strlen(of->column->name);
    for (int c = 0; c < crd_run_column_count(w->net->run) && w->follower_count < MOST_FOLLOWERS; c++) {
        const crd_column *column = crd_run_column(w->net->run, c);
        if (strncmp(column->name, of->column->name, length) != 0 || column->name[length] != '.')
            continue;
        struct part part = {.column = column, .layer = of->layer, .rows = of->rows, .columns = of->columns};
        if (column->shape.ndim == 1 && of->column->shape.ndim == 2 && column->size == of->rows)
            part.columns = 1;
        else if (column->size != of->column->size)
            continue;
        w->follower[w->follower_count++] = part;
    }
}

static crd_status find_parts(struct work *w)
{
    for (int l = 0; l < w->mlp.layers; l++) {
        CRD_TRY(find_weights(w, l, "kernel", w->mlp.width[l], &w->kernel[l]));
        CRD_TRY(find_weights(w, l, "bias", 1, &w->bias[l]));
        find_followers(w, &w->kernel[l]);
        find_followers(w, &w->bias[l]);
    }
    return CRD_OK;
}

/* ---- one chain -------------------------------------------------------------------------------------------------- */

static void follow(const struct work *w, const struct part *part, int64_t draw, const crdi_mlp_units *units,
                   double *scratch)
{
    double *values = part->values + draw * part->column->size;
    int hidden = w->mlp.layers - 1;
    bool of_weights = part->columns == w->mlp.width[part->layer + 1] && part->column->size > part->rows;
    bool of_bias = part->rows == 1 && part->columns == w->mlp.width[part->layer + 1];
    if (part->layer > 0 && !of_bias)
        crdi_mlp_move(values, part->rows, part->columns, 0, &units[part->layer - 1], false, scratch);
    if (part->layer < hidden && (of_weights || of_bias))
        crdi_mlp_move(values, part->rows, part->columns, 1, &units[part->layer], false, scratch);
}

static crd_status form(void *user, int64_t task)
{
    const struct work *w = user;
    int64_t units_count = 0, last = (task + 1) * TOGETHER < w->draws ? (task + 1) * TOGETHER : w->draws;
    crdi_mlp_units units[CRDI_MLP_MOST];
    double *kernel[CRDI_MLP_MOST], *bias[CRDI_MLP_MOST];
    for (int l = 0; l + 1 < w->mlp.layers; l++)
        units_count += w->mlp.width[l + 1];
    double *scratch = crdi_alloc_array(w->ctx, crdi_mlp_scratch(&w->mlp) + units_count, sizeof *scratch);
    int64_t *from = crdi_alloc_array(w->ctx, units_count, sizeof *from);
    if (scratch && from) {
        double *sign = scratch + crdi_mlp_scratch(&w->mlp);
        for (int l = 0, at = 0; l + 1 < w->mlp.layers; at += (int)w->mlp.width[l + 1], l++)
            units[l] = (crdi_mlp_units){from + at, sign + at};
        for (int64_t d = task * TOGETHER; d < last; d++) {
            for (int l = 0; l < w->mlp.layers; l++) {
                kernel[l] = w->kernel[l].values + d * w->kernel[l].column->size;
                bias[l] = w->bias[l].values + d * w->bias[l].column->size;
            }
            crdi_mlp_canonical(&w->mlp, kernel, bias, units, scratch);
            for (int i = 0; i < w->follower_count; i++)
                follow(w, &w->follower[i], d, units, scratch);
        }
    }
    bool enough = scratch && from;
    crdi_free(w->ctx, scratch);
    crdi_free(w->ctx, from);
    return enough ? CRD_OK : CRD_ENOMEM;
}

static crd_status read_part(struct work *w, struct part *part, int chain)
{
    part->values = crdi_alloc_array(w->ctx, w->draws * part->column->size, sizeof *part->values);
    if (!part->values)
        return CRD_ENOMEM;
    return crdi_run_read_range(w->net->run, part->column, chain, 0, w->draws, part->values);
}

static crd_status hand_over(struct work *w, struct part *part, int chain)
{
    double *values = part->values;
    part->values = NULL;
    return crdi_run_stand_in(w->net->run, part->column, chain, values);
}

/* Calls `each` for every column that changes. */
static crd_status for_parts(struct work *w, int chain, crd_status (*each)(struct work *, struct part *, int))
{
    for (int l = 0; l < w->mlp.layers; l++) {
        CRD_TRY(each(w, &w->kernel[l], chain));
        CRD_TRY(each(w, &w->bias[l], chain));
    }
    for (int i = 0; i < w->follower_count; i++)
        CRD_TRY(each(w, &w->follower[i], chain));
    return CRD_OK;
}

static crd_status release(struct work *w, struct part *part, int chain)
{
    (void)chain;
    crdi_free(w->ctx, part->values);
    part->values = NULL;
    return CRD_OK;
}

static crd_status form_chain(struct work *w, int chain, int threads)
{
    CRD_TRY(crd_run_draws(w->net->run, chain, &w->draws));
    CRD_TRY(crdi_run_hold(w->net->run, chain, w->draws)); /* the run may be growing */
    if (w->draws == 0)
        return CRD_OK;
    crd_status status = for_parts(w, chain, read_part);
    if (status == CRD_OK)
        status = crdi_parallel(w->ctx, threads, (w->draws + TOGETHER - 1) / TOGETHER, form, w);
    if (status == CRD_OK)
        status = for_parts(w, chain, hand_over);
    crd_status released = for_parts(w, chain, release);
    return status < 0 ? status : released;
}

crd_status crdi_run_make_canonical(crdi_network_run *net, int threads)
{
    CRD_TRY(crdi_network_run_need(net, "canonical form"));
    struct work *w = crdi_alloc(net->ctx, sizeof *w);
    if (!w)
        return CRD_ENOMEM;
    *w = (struct work){.ctx = net->ctx, .net = net};
    crd_status status = describe(w);
    if (status == CRD_OK && w->mlp.layers > 1) {
        status = find_parts(w);
        for (int c = 0; c < crd_run_chains(net->run) && status == CRD_OK; c++)
            status = form_chain(w, c, threads);
    }
    crdi_free(net->ctx, w);
    return status;
}
