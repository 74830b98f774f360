/* check_panels.c - see check_panels.h. Numbers have densities, classes and counts the share of each value. */
#include "report/check_panels.h"

#include <credence/diag.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID = 160, MOST_CURVES = 40, MOST_ROWS = 1000, BINS = 24, MOST_VALUES = CRDI_TICKS };

/* ---- densities ---------------------------------------------------------------------------------------------------- */

/* Up to MOST_ROWS of v, evenly spread, that are finite. */
static int64_t gather(const double *v, int64_t rows, double *out)
{
    int64_t every = (rows - 1) / MOST_ROWS + 1, n = 0;
    for (int64_t i = 0; i < rows; i += every)
        if (crdi_drawable(v[i], false))
            out[n++] = v[i];
    return n;
}

static crd_status range_of(crdi_figure *f, const crdi_check *c, bool prior, double range[2])
{
    int64_t total = c->replications * c->rows, every = (total - 1) / 100000 + 1, n = 0;
    double *pooled = crdi_alloc_array(f->ctx, total / every + 1, sizeof *pooled), off = prior ? 0.05 : 0.0005;
    if (!pooled)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < total; i += every)
        if (crdi_drawable(c->replicated[i], false))
            pooled[n++] = c->replicated[i];
    const double prob[] = {off, 1 - off};
    crd_status status = crd_diag_quantile(f->ctx, pooled, n, prob, 2, range);
    crdi_free(f->ctx, pooled);
    CRD_TRY(status);
    for (int64_t i = 0; i < c->rows; i++) {
        range[0] = n ? fmin(range[0], c->observed[i]) : c->observed[i];
        range[1] = n ? fmax(range[1], c->observed[i]) : c->observed[i];
    }
    double more = range[1] > range[0] ? 0.15 * (range[1] - range[0]) : 1; /* densities end beyond their data */
    range[0] -= more;
    range[1] += more;
    return CRD_OK;
}

static void add_curve(crdi_figure *f, crdi_panel *p, const double *v, int64_t rows, const double range[2], bool data,
                      const char *label, double *work)
{
    double x[GRID], y[GRID], width;
    int64_t n = gather(v, rows, work);
    width = crd_diag_bandwidth(work, n, CRD_BANDWIDTH_SCOTT, 0);
    if (!(width > 0))
        return;
    for (int g = 0; g < GRID; g++)
        x[g] = range[0] + (range[1] - range[0]) * g / (GRID - 1);
    crd_diag_kde(work, n, width, x, GRID, y);
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_LINE,
                                 .role = data ? CRDI_ROLE_DATA : CRDI_ROLE_MODEL,
                                 .size = data ? 2.2 : 0.7,
                                 .alpha = data ? 1 : 0.5,
                                 .label = label,
                                 .count = GRID,
                                 .x = x,
                                 .y = y});
}

static crd_status add_densities(crdi_figure *f, crdi_panel *p, const crdi_check *c, bool prior, double *work)
{
    double range[2];
    int64_t every = (c->replications - 1) / MOST_CURVES + 1;
    CRD_TRY(range_of(f, c, prior, range));
    for (int64_t r = 0; r < c->replications; r += every)
        add_curve(f, p, c->replicated + r * c->rows, c->rows, range, false, r == 0 ? "made up by the model" : NULL,
                  work);
    add_curve(f, p, c->observed, c->rows, range, true, "data", work);
    p->hide_y_ticks = true;
    p->has_x_range = true;
    p->x_range[0] = range[0];
    p->x_range[1] = range[1];
    return CRD_OK;
}

/* ---- classes and counts --------------------------------------------------------------------------------------------- */

static double share_of(const double *v, int64_t rows, double value, bool or_more)
{
    int64_t seen = 0;
    for (int64_t i = 0; i < rows; i++)
        seen += v[i] == value || (or_more && v[i] > value);
    return (double)seen / (double)rows;
}

static crd_status add_shares(crdi_figure *f, crdi_panel *p, const crdi_check *c)
{
    int values = c->class_count > 0 ? (int)fmin((double)c->class_count, MOST_VALUES) : 0;
    double *share = crdi_arena_alloc(f->arena, sizeof *share * (size_t)c->replications);
    double x[MOST_VALUES], low[MOST_VALUES], high[MOST_VALUES], middle[MOST_VALUES], data[MOST_VALUES];
    if (!share)
        return CRD_ENOMEM;
    for (int64_t i = 0; c->class_count == 0 && i < c->rows; i++)
        values = (int)fmax(values, fmin(c->observed[i] + 2, MOST_VALUES));
    for (int k = 0; k < values; k++) {
        bool or_more = c->class_count == 0 && k == values - 1;
        static const double prob[] = {0.025, 0.5, 0.975};
        double q[3];
        for (int64_t r = 0; r < c->replications; r++)
            share[r] = share_of(c->replicated + r * c->rows, c->rows, k, or_more);
        CRD_TRY(crd_diag_quantile(f->ctx, share, c->replications, prob, 3, q));
        x[k] = k;
        low[k] = q[0];
        middle[k] = q[1];
        high[k] = q[2];
        data[k] = share_of(c->observed, c->rows, k, or_more);
    }
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_INTERVALS,
                                 .role = CRDI_ROLE_MODEL,
                                 .size = 5,
                                 .label = "95% of what the model makes up",
                                 .count = values,
                                 .x = x,
                                 .y = low,
                                 .high = high});
    crdi_panel_add(
        f, p,
        &(crdi_layer){.kind = CRDI_POINTS, .role = CRDI_ROLE_MODEL, .size = 5, .count = values, .x = x, .y = middle});
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_POINTS,
                                 .role = CRDI_ROLE_DATA,
                                 .label = "data",
                                 .size = 4,
                                 .count = values,
                                 .x = x,
                                 .y = data});
    if (c->class_count > 0)
        crdi_panel_x_names(f, p, (const char *const *)c->class_name, values);
    p->has_x_range = true;
    p->x_range[0] = -0.6;
    p->x_range[1] = values - 0.4;
    return CRD_OK;
}

/* ---- statistics ----------------------------------------------------------------------------------------------------- */

static double statistic(const double *v, int64_t rows, int which)
{
    return which == 0 ? crd_diag_mean(v, rows) : crd_diag_sd(v, rows);
}

double crdi_check_share(const crdi_check *c, int which)
{
    double data = statistic(c->observed, c->rows, which);
    int64_t above = 0;
    for (int64_t r = 0; r < c->replications; r++)
        above += statistic(c->replicated + r * c->rows, c->rows, which) > data;
    return (double)above / (double)c->replications;
}

static void add_histogram(crdi_figure *f, crdi_panel *p, const double *v, int64_t n)
{
    double left[BINS], right[BINS], height[BINS] = {0}, low = v[0], high = v[0];
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    if (!(high > low))
        high = low + 1;
    for (int b = 0; b < BINS; b++) {
        left[b] = low + (high - low) * b / BINS;
        right[b] = low + (high - low) * (b + 1) / BINS;
    }
    for (int64_t i = 0; i < n; i++)
        height[(int)fmin(BINS - 1, (v[i] - low) / (high - low) * BINS)]++;
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_BARS,
                                 .role = CRDI_ROLE_MODEL,
                                 .alpha = 0.7,
                                 .count = BINS,
                                 .x = left,
                                 .high = right,
                                 .y = height});
}

static void add_statistic(crdi_figure *f, crdi_panel *p, const crdi_check *c, int which, double *work)
{
    static const char *const name[] = {"mean", "sd"};
    double data = statistic(c->observed, c->rows, which);
    int64_t n = 0;
    char title[96];
    for (int64_t r = 0; r < c->replications; r++) {
        double value = statistic(c->replicated + r * c->rows, c->rows, which);
        if (crdi_drawable(value, false))
            work[n++] = value;
    }
    crdi_format(title, sizeof title, "%s: %.0f %% are above the data's", name[which], 100 * crdi_check_share(c, which));
    crdi_panel_texts(f, p, title, NULL, NULL);
    if (n > 0)
        add_histogram(f, p, work, n);
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_RULE_X, .role = CRDI_ROLE_DATA, .size = 2, .count = 1, .x = &data});
    p->hide_y_ticks = true;
}

/* ---- the figure ----------------------------------------------------------------------------------------------------- */

crd_status crdi_figure_checks(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source, const char *figure,
                              bool prior)
{
    crdi_figure *f;
    if (source->check_count < 1 || source->checks[0].replications < 1 || source->checks[0].rows < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure %s: there is nothing that the model makes up", figure);
    bool numbers = source->checks[0].kind == CRDI_CHECK_NUMBERS;
    CRD_TRY(crdi_figure_create(&f, ctx, source->check_count, numbers && !prior ? 3 : 1));
    f->panel_width = numbers && !prior ? 3.2 : 5.2;
    f->panel_height = 3;
    if (numbers && !prior)
        f->column_weight[0] = 1.4;
    for (int i = 0; i < source->check_count && f->status == CRD_OK; i++) {
        const crdi_check *c = &source->checks[i];
        crdi_panel *p = crdi_figure_panel(f, i, 0);
        int64_t room = c->replications > MOST_ROWS ? c->replications : MOST_ROWS;
        double *work = crdi_arena_alloc(f->arena, sizeof *work * (size_t)(room + 1));
        crdi_panel_texts(f, p,
                         prior ? "What the prior predicts, beside the data" : "What the fit predicts, beside the data",
                         c->target, numbers ? NULL : "share of the rows");
        crd_status status = !work ? CRD_ENOMEM : numbers ? add_densities(f, p, c, prior, work) : add_shares(f, p, c);
        if (status < 0 && f->status == CRD_OK)
            f->status = status;
        for (int which = 0; which < 2 && numbers && !prior && f->status == CRD_OK; which++)
            add_statistic(f, crdi_figure_panel(f, i, 1 + which), c, which, work);
    }
    return crdi_figure_finish(f, out);
}
