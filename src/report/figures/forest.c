/* forest.c - the figure "forest": each parameter's interval on one scale, with r_hat beside it.
 *
 * The thin line holds 94 % of the draws of all chains, the thick one half of them, the dot is their median; a small dot above is the
 * median of each chain, so that chains that disagree are seen. Intervals are quantiles. */
#include <credence/diag.h>
#include "report/figures.h"

#include <math.h>

enum { MOST_SERIES = CRDI_TICKS };
static const double probs[] = {0.03, 0.25, 0.5, 0.75, 0.97};

struct rows {
    int count;
    double *y, *quantile[5], *r_hat; /* (count) */
    double *chain_x, *chain_y; /* (count, chains) medians */
};

static crd_status fill(crd_context *ctx, const crdi_figure_source *s, struct rows *r)
{
    int64_t total = s->chains * s->draws;
    for (int i = 0; i < r->count; i++) {
        const double *x = s->series[i].values;
        double q[5];
        r->y[i] = r->count - 1 - i; /* the first on top */
        CRD_TRY(crd_diag_quantile(ctx, x, total, probs, 5, q));
        for (int k = 0; k < 5; k++)
            r->quantile[k][i] = q[k];
        r->r_hat[i] = crd_diag_split_gelman_rubin(x, s->chains, s->draws);
        if (s->chains > 1)
            CRD_TRY(crd_diag_r_hat_rank(ctx, x, s->chains, s->draws, &r->r_hat[i]));
        for (int c = 0; c < s->chains; c++) {
            CRD_TRY(crd_diag_median(ctx, x + c * s->draws, s->draws, &r->chain_x[i * s->chains + c]));
            r->chain_y[i * s->chains + c] = r->y[i] + 0.28;
        }
    }
    return CRD_OK;
}

/* Horizontal lines from low to high: points with gaps between. */
static void add_spans(crdi_figure *f, crdi_panel *p, const struct rows *r, const double *low, const double *high,
                      double size, const char *label)
{
    double *x = crdi_arena_alloc(f->arena, sizeof *x * (size_t)(6 * r->count)), *y = x ? x + 3 * r->count : NULL;
    if (!x) {
        f->status = CRD_ENOMEM;
        return;
    }
    for (int i = 0; i < r->count; i++) {
        x[3 * i] = low[i];
        x[3 * i + 1] = high[i];
        x[3 * i + 2] = NAN;
        y[3 * i] = y[3 * i + 1] = y[3 * i + 2] = r->y[i];
    }
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_LINE,
                                 .role = CRDI_ROLE_MODEL,
                                 .size = size,
                                 .label = label,
                                 .count = 3 * r->count,
                                 .x = x,
                                 .y = y});
}

static void add_intervals(crdi_figure *f, crdi_panel *p, const crdi_figure_source *s, const struct rows *r)
{
    add_spans(f, p, r, r->quantile[0], r->quantile[4], 1.2, "94% CI");
    add_spans(f, p, r, r->quantile[1], r->quantile[3], 3.6, "50% CI");
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_POINTS,
                                 .role = CRDI_ROLE_DATA,
                                 .size = 4.4,
                                 .label = "Median",
                                 .count = r->count,
                                 .x = r->quantile[2],
                                 .y = r->y});
    if (s->chains > 1)
        crdi_panel_add(f, p,
                       &(crdi_layer){.kind = CRDI_POINTS,
                                     .role = CRDI_ROLE_ACCENT,
                                     .size = 2.6,
                                     .label = "of each chain",
                                     .count = (int64_t)r->count * s->chains,
                                     .x = r->chain_x,
                                     .y = r->chain_y});
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_RULE_X, .role = CRDI_ROLE_GUIDE, .count = 1, .x = (const double[]){0}});
    p->legend = CRDI_LEGEND_OUTSIDE;
}

static void add_r_hat(crdi_figure *f, crdi_panel *p, const struct rows *r)
{
    double most = 1.02;
    for (int i = 0; i < r->count; i++)
        if (isfinite(r->r_hat[i]))
            most = fmax(most, r->r_hat[i]);
    crdi_panel_add(
        f, p, &(crdi_layer){.kind = CRDI_RULE_X, .role = CRDI_ROLE_GUIDE, .count = 1, .x = (const double[]){1.01}});
    crdi_panel_add(
        f, p,
        &(crdi_layer){
            .kind = CRDI_POINTS, .role = CRDI_ROLE_DATA, .size = 4, .count = r->count, .x = r->r_hat, .y = r->y});
    p->has_x_range = true;
    p->x_range[0] = 1 - 0.08 * (most - 1);
    p->x_range[1] = most + 0.08 * (most - 1);
}

static bool alloc_rows(crdi_figure *f, const crdi_figure_source *s, struct rows *r)
{
    size_t n = (size_t)r->count, chains = (size_t)s->chains;
    double *work = crdi_arena_alloc(f->arena, sizeof *work * n * (7 + 2 * chains));
    if (!work) {
        f->status = CRD_ENOMEM;
        return false;
    }
    r->y = work;
    r->r_hat = work + n;
    for (int k = 0; k < 5; k++)
        r->quantile[k] = work + (2 + (size_t)k) * n;
    r->chain_x = work + 7 * n;
    r->chain_y = r->chain_x + n * chains;
    return true;
}

/* A panel whose rows are those of all. */
static crdi_panel *add_panel(crdi_figure *f, int column, const char *title, const char *const *names, int count)
{
    crdi_panel *p = crdi_figure_panel(f, 0, column);
    crdi_panel_texts(f, p, title, NULL, NULL);
    crdi_panel_y_names(f, p, names, count);
    p->has_y_range = true;
    p->y_range[0] = -0.6;
    p->y_range[1] = count - 0.4;
    return p;
}

crd_status crdi_figure_forest(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    if (source->series_count < 1 || source->chains < 1 || source->draws < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure forest: there are no draws to show");
    struct rows r = {.count = source->series_count < MOST_SERIES ? (int)source->series_count : MOST_SERIES};
    const char *names[MOST_SERIES], *none[MOST_SERIES];
    CRD_TRY(crdi_figure_create(&f, ctx, 1, source->independent ? 1 : 2));
    f->panel_width = 4.6;
    f->panel_height = fmax(2.2, 0.9 + 0.24 * r.count);
    f->column_weight[0] = 1.4;
    if (!source->independent)
        f->column_weight[1] = 0.45;
    crd_status status = alloc_rows(f, source, &r) ? fill(ctx, source, &r) : CRD_OK;
    if (status < 0 && f->status == CRD_OK)
        f->status = status;
    if (f->status == CRD_OK) {
        for (int i = 0; i < r.count; i++) {
            names[r.count - 1 - i] = source->series[i].name;
            none[i] = "";
        }
        crdi_panel *p = add_panel(f, 0, "Median and intervals", names, r.count);
        add_intervals(f, p, source, &r);
        if (!source->independent)
            add_r_hat(f, add_panel(f, 1, "r_hat", none, r.count), &r);
    }
    if (r.count < source->series_count)
        crdi_figure_footnote(f, "The first %d of %lld parameters are shown; --site names others.", r.count,
                             (long long)source->series_count);
    return crdi_figure_finish(f, out);
}
