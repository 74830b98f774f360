/* loss.c - the figure "loss": the loss of every step, and its mean over a hundredth of them: all steps on a logarithmic axis, the
 * second half on a linear one.
 *
 * A loss is minus a log density and may be negative: from where one is, the axis is linear, because shifting it would
 * make its numbers mean nothing. */
#include "report/figures.h"

#include <math.h>

enum { SMOOTHED = 100, MOST_POINTS = 5000 };

/* The axis is logarithmic if every value can be shown on one. */
static bool all_positive(const double *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (isfinite(y[i]) && !(y[i] > 0))
            return false;
    return true;
}

/* Every k-th step and the mean of the `window` steps that end there, or of the tenth of the way so far while that is less: at
 * the start losses fall by powers of ten, and a mean of more would only tell of the first. Returns how many. */
static int64_t thin(const double *loss, int64_t from, int64_t to, int64_t window, double *x, double *y, double *mean)
{
    int64_t every = (to - from) / MOST_POINTS + 1, n = 0;
    for (int64_t i = from; i < to; i += every, n++) {
        double sum = 0;
        int64_t seen = 0;
        int64_t own = i / 10 + 1 < window ? i / 10 + 1 : window;
        for (int64_t k = i + 1 - own; k <= i; k++)
            if (!isnan(loss[k])) {
                sum += loss[k];
                seen++;
            }
        x[n] = (double)i + 1;
        y[n] = loss[i];
        mean[n] = seen ? sum / (double)seen : NAN;
    }
    return n;
}

static void add_curve(crdi_figure *f, crdi_panel *p, const double *loss, int64_t from, int64_t to, bool all,
                      double *work)
{
    int64_t window = (to - from) / SMOOTHED > 1 ? (to - from) / SMOOTHED : 1;
    double *x = work, *y = x + MOST_POINTS + 1, *mean = y + MOST_POINTS + 1;
    int64_t n = thin(loss, from, to, window, x, y, mean);
    p->log_y = all && all_positive(y, n);
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_LINE,
                                 .role = CRDI_ROLE_CHAIN,
                                 .shade = 4, /* pale: the mean stands out of it in grey, too */
                                 .size = 0.6,
                                 .label = "each step",
                                 .count = n,
                                 .x = x,
                                 .y = y});
    crdi_panel_add(
        f, p,
        &(crdi_layer){.kind = CRDI_LINE, .role = CRDI_ROLE_ACCENT, .label = "mean", .count = n, .x = x, .y = mean});
}

/* The loss of rows held out behind steps `from` to `to`, thinned as the other is. */
static void add_held_out(crdi_figure *f, crdi_panel *p, const crdi_figure_source *source, int64_t from, int64_t to,
                         double *work)
{
    double *x = work, *y = x + MOST_POINTS + 1;
    int64_t first = from / source->epoch, last = to / source->epoch, n = 0;
    last = last < source->held_out_count ? last : source->held_out_count;
    for (int64_t i = first, every = (last - first) / MOST_POINTS + 1; i < last; i += every, n++) {
        x[n] = (double)((i + 1) * source->epoch);
        y[n] = source->held_out[i];
    }
    if (n == 0)
        return;
    p->log_y = p->log_y && all_positive(y, n);
    crdi_panel_add(
        f, p,
        &(crdi_layer){.kind = CRDI_LINE, .role = CRDI_ROLE_DATA, .label = "rows held out", .count = n, .x = x, .y = y});
}

crd_status crdi_figure_loss(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    int64_t n = source->step_count, half = n / 2;
    if (n < 1)
        return crdi_raise(ctx, CRD_EMISSING,
                          "figure loss: there is no loss to draw; runs of --method svi, map and ensemble have one");
    bool two = n >= 100;
    CRD_TRY(crdi_figure_create(&f, ctx, 1, two ? 2 : 1));
    double *work = crdi_arena_alloc(f->arena, sizeof *work * 3 * (MOST_POINTS + 1));
    if (!work)
        f->status = CRD_ENOMEM;
    f->panel_width = 5;
    f->panel_height = 3.6;
    for (int k = 0; k < (two ? 2 : 1) && f->status == CRD_OK; k++) {
        crdi_panel *p = crdi_figure_panel(f, 0, k);
        crdi_panel_texts(f, p, k ? "the second half" : "all steps", "step", k ? NULL : "loss");
        add_curve(f, p, source->loss, k ? half : 0, n, k == 0, work);
        if (source->held_out)
            add_held_out(f, p, source, k ? half : 0, n, work);
    }
    return crdi_figure_finish(f, out);
}
