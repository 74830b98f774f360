/* trace.c - the figure "trace": the draws of chosen parameters, chain after chain, beside their density.
 *
 * Chains follow each other on the x axis, as pooled draws are numbered; each has a shade of its own. A chain with more
 * draws than the picture has pixels is thinned to the extremes of equal stretches, which look the same.
 *
 * Where asked for, the ranks of the chains stand beside (series.h).
 *
 * The density is a Gaussian kernel estimate whose bandwidth is a tenth of the standard deviation (SciPy's
 * gaussian_kde(v, 0.1)): narrow on purpose, so that separate modes stay separate. */
#include <credence/diag.h>
#include "report/figures.h"
#include "report/series.h"

#include <math.h>

enum {
    MOST_SERIES = 20,
    GRID = 200, /* points of a density */
    MOST_IN_DENSITY = 20000,
    STRETCHES = 3000 /* of the whole x axis, each drawn as its two extremes */
};

/* Least and greatest drawable value of v[from..to), in the order in which they came; returns how many (0 to 2). */
static int extremes(const double *v, int64_t from, int64_t to, double x[2], double y[2])
{
    int64_t least = -1, greatest = -1;
    for (int64_t i = from; i < to; i++) {
        if (!crdi_drawable(v[i], false))
            continue;
        least = least < 0 || v[i] < v[least] ? i : least;
        greatest = greatest < 0 || v[i] > v[greatest] ? i : greatest;
    }
    if (least < 0)
        return 0;
    int64_t first = least < greatest ? least : greatest, second = least < greatest ? greatest : least;
    x[0] = (double)first;
    y[0] = v[first];
    x[1] = (double)second;
    y[1] = v[second];
    return first == second ? 1 : 2;
}

/* The trace of one chain as (x, y) with room for 2 * draws in each; returns the points. */
static int64_t thin(const double *v, int64_t draws, int64_t stretches, double *x, double *y)
{
    int64_t n = 0;
    if (draws <= 2 * stretches) {
        for (int64_t i = 0; i < draws; i++) {
            x[i] = (double)i;
            y[i] = v[i];
        }
        return draws;
    }
    for (int64_t s = 0; s < stretches; s++) {
        int64_t from = draws / stretches * s + draws % stretches * s / stretches;
        int64_t to = draws / stretches * (s + 1) + draws % stretches * (s + 1) / stretches;
        n += extremes(v, from, to, x + n, y + n);
    }
    return n;
}

static void add_trace(crdi_figure *f, crdi_panel *p, const crdi_figure_source *source, const double *values,
                      double *work)
{
    int64_t stretches = STRETCHES / source->chains > 50 ? STRETCHES / source->chains : 50;
    double *x = work, *y = work + source->draws;
    for (int c = 0; c < source->chains; c++) {
        int64_t n = thin(values + c * source->draws, source->draws, stretches, x, y);
        for (int64_t i = 0; i < n; i++)
            x[i] += (double)(c * source->draws);
        crdi_panel_add(
            f, p,
            &(crdi_layer){
                .kind = CRDI_LINE, .role = CRDI_ROLE_CHAIN, .shade = c, .size = 0.6, .count = n, .x = x, .y = y});
    }
    double total = (double)source->chains * (double)source->draws;
    p->has_x_range = true;
    p->x_range[0] = -0.02 * total;
    p->x_range[1] = 1.02 * total;
}

/* Gathers up to MOST_IN_DENSITY drawable values, evenly spread; returns how many. */
static int64_t gather(const double *v, int64_t count, double *out)
{
    int64_t every = (count - 1) / MOST_IN_DENSITY + 1, n = 0;
    for (int64_t i = 0; i < count; i += every)
        if (crdi_drawable(v[i], false))
            out[n++] = v[i];
    return n;
}

/* The density of v at GRID points from its least to its greatest value. It is computed for (v - least) / range, which
 * is left in v, because squares of huge draws overflow. False, and v as it was, if all are equal but for rounding. */
static bool density(double *v, int64_t n, double x[GRID], double y[GRID])
{
    double low = v[0], high = v[0];
    for (int64_t i = 1; i < n; i++) {
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    double range = high - low;
    if (!(range > 1e-12 * fmax(fabs(low), fabs(high))))
        return false;
    for (int64_t i = 0; i < n; i++)
        v[i] = (v[i] - low) / range;
    for (int g = 0; g < GRID; g++)
        x[g] = (double)g / (GRID - 1);
    crd_diag_kde(v, n, crd_diag_bandwidth(v, n, CRD_BANDWIDTH_FACTOR, 0.1), x, GRID, y);
    for (int g = 0; g < GRID; g++) {
        x[g] = low + range * x[g];
        y[g] /= range;
    }
    return true;
}

static void add_density(crdi_figure *f, crdi_panel *p, const double *values, int64_t count, double *work)
{
    double x[GRID], y[GRID];
    int64_t n = gather(values, count, work);
    if (n == 0) {
        crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_NOTE, .label = "no finite draws"});
    } else if (density(work, n, x, y)) {
        crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_AREA, .role = CRDI_ROLE_CHAIN, .count = GRID, .x = x, .y = y});
    } else {
        crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_RULE_X, .role = CRDI_ROLE_CHAIN, .count = 1, .x = work});
        crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_NOTE, .label = "all draws are equal"});
    }
}

crd_status crdi_figure_trace(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    if (source->series_count < 1 || source->chains < 1 || source->draws < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure trace: there are no draws to show");
    int rows = source->series_count < MOST_SERIES ? (int)source->series_count : MOST_SERIES;
    int64_t pooled = source->chains * source->draws;
    int64_t room = 2 * source->draws > MOST_IN_DENSITY ? 2 * source->draws : MOST_IN_DENSITY;
    double *work = crdi_alloc_array(ctx, room + 1, sizeof *work);
    if (!work)
        return CRD_ENOMEM;
    bool ranks = source->ranks && source->chains > 1;
    crd_status status = crdi_figure_create(&f, ctx, rows, ranks ? 3 : 2);
    if (status < 0) {
        crdi_free(ctx, work);
        return status;
    }
    f->panel_width = 3.2;
    f->panel_height = 1.95;
    f->column_weight[0] = 2;
    for (int i = 0; i < rows; i++) {
        crdi_panel *trace = crdi_figure_panel(f, i, 0), *beside = crdi_figure_panel(f, i, 1);
        crdi_panel_texts(f, trace, i == 0 ? "Draws, chain after chain" : NULL, NULL, source->series[i].name);
        crdi_panel_texts(f, beside, i == 0 ? "Density" : NULL, NULL, NULL);
        add_trace(f, trace, source, source->series[i].values, work);
        add_density(f, beside, source->series[i].values, pooled, work);
        if (!ranks)
            continue;
        crdi_panel *third = crdi_figure_panel(f, i, 2);
        crdi_panel_texts(f, third, i == 0 ? "Ranks" : NULL, NULL, NULL);
        status = crdi_panel_ranks(f, third, source->series[i].values, source->chains, source->draws);
        if (status < 0 && f->status == CRD_OK)
            f->status = status;
    }
    if (rows < source->series_count)
        crdi_figure_footnote(f, "The first %d of %lld series are shown.", rows, (long long)source->series_count);
    crdi_free(ctx, work);
    return crdi_figure_finish(f, out);
}
