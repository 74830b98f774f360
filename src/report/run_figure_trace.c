/* run_figure_trace.c - the draws of chosen elements: which they are, and the figures of them. */
#include "report/run_figure_impl.h"
#include "report/run_site.h"
#include "store/network_laplace.h"
#include "store/network_svi.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SERIES = CRDI_TICKS }; /* at most; a figure may show fewer */

struct chosen {
    const crd_column *column;
    int64_t element;
};

struct choice {
    struct chosen item[MOST_SERIES];
    int count, most; /* as the figure shows */
    int64_t left_out; /* beyond those */
    bool quiet;
};

static void choose(struct choice *c, const crd_column *column, int64_t element)
{
    if (c->count < c->most)
        c->item[c->count++] = (struct chosen){column, element};
    else
        c->left_out++;
}

static crd_status choose_named(crdi_network_run *net, const char *site, struct choice *c)
{
    enum { LABEL = 512 };
    char label[LABEL];
    int before = c->count;
    for (int i = 0; i < crd_run_column_count(net->run); i++) {
        const crd_column *column = crd_run_column(net->run, i);
        for (int64_t e = 0; e < column->size; e++)
            if (crdi_run_site_is(site, column, crd_column_label(column, e, label, sizeof label)))
                choose(c, column, e);
    }
    return c->count > before || c->left_out ? CRD_OK : crdi_run_raise_unknown_site(net, site);
}

/* ---- a handful ---------------------------------------------------------------------------------------------- */

static bool choose_if_there(const crdi_network_run *net, const char *name, struct choice *c)
{
    for (int i = 0; i < crd_run_column_count(net->run); i++) {
        const crd_column *column = crd_run_column(net->run, i);
        if (strcmp(column->name, name) == 0 && column->size > 0) {
            choose(c, column, 0);
            return true;
        }
    }
    return false;
}

/* Output bias, first output weight, first hidden weight, first hidden bias, s; of other models their first sites. */
static void choose_handful(const crdi_network_run *net, struct choice *c)
{
    enum { HANDFUL = 5 };
    char name[64];
    int last = 0;
    for (;; last++) {
        struct choice probe = {.most = 1};
        snprintf(name, sizeof name, "net/Dense_%d.bias", last + 1);
        if (!choose_if_there(net, name, &probe))
            break;
    }
    snprintf(name, sizeof name, "net/Dense_%d.bias", last);
    choose_if_there(net, name, c);
    snprintf(name, sizeof name, "net/Dense_%d.kernel", last);
    choose_if_there(net, name, c);
    if (last > 0) {
        choose_if_there(net, "net/Dense_0.kernel", c);
        choose_if_there(net, "net/Dense_0.bias", c);
    }
    choose_if_there(net, "s", c);
    for (int i = 0; c->count == 0 && i < crd_run_column_count(net->run) && i < HANDFUL; i++) {
        const crd_column *column = crd_run_column(net->run, i);
        if (column->kind != CRD_COLUMN_STATISTIC && column->size > 0)
            c->item[c->count++] = (struct chosen){column, 0};
    }
}

/* ---- the figure --------------------------------------------------------------------------------------------- */

static crd_status read_series(crdi_network_run *net, crdi_arena *arena, const struct chosen *item,
                              const crdi_run_part *part, crdi_named *out)
{
    enum { LABEL = 512 };
    char label[LABEL];
    double *values = crdi_arena_alloc(arena, (size_t)(part->chains * part->draws) * sizeof *values);
    out->name = crdi_arena_strdup(arena, crd_column_label(item->column, item->element, label, sizeof label));
    out->values = values;
    if (!values || !out->name)
        return CRD_ENOMEM;
    return crdi_run_read_elements(net->ctx, net->run, item->column, part, item->element, 1, values);
}

/* How a figure of draws is made. */
struct kind {
    crdi_figure_fn build;
    int most;
    bool all; /* without --site all parameters, not a handful */
};

/* All latent elements: those that are no weights first. */
static void choose_all(const crdi_network_run *net, struct choice *c)
{
    for (int weights = 0; weights < 2; weights++)
        for (int i = 0; i < crd_run_column_count(net->run); i++) {
            const crd_column *column = crd_run_column(net->run, i);
            bool weight = net->is_network && strncmp(column->name, "net/", 4) == 0;
            for (int64_t e = 0; e < column->size && column->kind == CRD_COLUMN_LATENT && weight == weights; e++)
                choose(c, column, e);
        }
}

/* One statistic of all draws; NULL if the sampler has none of that name. */
static crd_status read_statistic(crdi_network_run *net, crdi_arena *arena, const char *name, const crdi_run_part *part,
                                 const double **out)
{
    *out = NULL;
    for (int i = 0; i < crd_run_column_count(net->run); i++) {
        const crd_column *column = crd_run_column(net->run, i);
        if (column->kind != CRD_COLUMN_STATISTIC || column->size != 1 || strcmp(column->name, name) != 0)
            continue;
        double *values = crdi_arena_alloc(arena, (size_t)(part->chains * part->draws) * sizeof *values);
        if (!values)
            return CRD_ENOMEM;
        *out = values;
        return crdi_run_read_elements(net->ctx, net->run, column, part, 0, 1, values);
    }
    return CRD_OK;
}

static crd_status make(crdi_network_run *net, crdi_arena *arena, const struct choice *c, const struct kind *kind,
                       const crdi_run_part *part, crdi_figure **out)
{
    crdi_named named[MOST_SERIES];
    crdi_figure_source source = {.chains = part->chains,
                                 .draws = part->draws,
                                 .series_count = c->count,
                                 .series = named,
                                 .ranks = true,
                                 .independent = crdi_run_is_variational(net->run) || crdi_run_is_laplace(net->run)};
    if (part->draws == 0)
        return crdi_raise(net->ctx, CRD_EMISSING, "%s: holds no draws to show", net->path);
    for (int i = 0; i < c->count; i++)
        CRD_TRY(read_series(net, arena, &c->item[i], part, &named[i]));
    CRD_TRY(read_statistic(net, arena, "diverging", part, &source.diverging));
    if (c->left_out && !c->quiet)
        crdi_log(net->ctx, "the first %d of %lld elements are shown", c->count, (long long)(c->count + c->left_out));
    return kind->build(out, net->ctx, &source);
}

static crd_status of_draws(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                           const struct kind *kind, crdi_figure **out)
{
    struct choice c = {.most = kind->most, .quiet = options->quiet};
    crdi_run_part part;
    for (int64_t i = 0; i < options->site_count; i++)
        CRD_TRY(choose_named(net, options->site[i], &c));
    if (options->site_count == 0 && kind->all)
        choose_all(net, &c);
    else if (options->site_count == 0)
        choose_handful(net, &c);
    CRD_TRY(crdi_run_part_find(net->ctx, net->run, &part));
    crd_status status = make(net, arena, &c, kind, &part, out);
    crdi_run_part_clear(net->ctx, &part);
    return status;
}

crd_status crdi_run_figure_trace(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                 crdi_figure **out)
{
    return of_draws(net, arena, options, &(struct kind){crdi_figure_trace, 20, false}, out);
}

crd_status crdi_run_figure_rank(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                crdi_figure **out)
{
    return of_draws(net, arena, options, &(struct kind){crdi_figure_rank, 20, false}, out);
}

crd_status crdi_run_figure_autocorrelation(crdi_network_run *net, crdi_arena *arena,
                                           const crdi_run_figure_options *options, crdi_figure **out)
{
    return of_draws(net, arena, options, &(struct kind){crdi_figure_autocorrelation, 20, false}, out);
}

crd_status crdi_run_figure_pairs(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                 crdi_figure **out)
{
    return of_draws(net, arena, options, &(struct kind){crdi_figure_pairs, 6, false}, out);
}

crd_status crdi_run_figure_forest(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                  crdi_figure **out)
{
    return of_draws(net, arena, options, &(struct kind){crdi_figure_forest, CRDI_TICKS, true}, out);
}

crd_status crdi_run_figure_energy(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                  crdi_figure **out)
{
    crdi_run_part part;
    crdi_figure_source source = {0};
    (void)options;
    CRD_TRY(crdi_run_part_find(net->ctx, net->run, &part));
    source.chains = part.chains;
    source.draws = part.draws;
    crd_status status = read_statistic(net, arena, "energy", &part, &source.energy);
    crdi_run_part_clear(net->ctx, &part);
    return status == CRD_OK ? crdi_figure_energy(out, net->ctx, &source) : status;
}
