/* k_hat.c - the figure "k_hat": how far leave-one-out can be trusted, row by row of the data.
 *
 * Rows above the orange line change the posterior too much to be left out by weights (Vehtari et al. 2024): their number stands beside
 * them. Source of the figure: Gabry et al. 2019, doi:10.1111/rssa.12378, fig. 11. */
#include "report/figures.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_NAMED = 8 };

/* Whether row i is among the MOST_NAMED worst of those above the bound. */
static bool is_named(const crdi_figure_source *s, int64_t i)
{
    int worse = 0;
    if (!(s->k_hat[i] > s->good_k) || !isfinite(s->k_hat[i]))
        return false;
    for (int64_t j = 0; j < s->rows && worse < MOST_NAMED; j++)
        worse += isfinite(s->k_hat[j]) && (s->k_hat[j] > s->k_hat[i] || (s->k_hat[j] == s->k_hat[i] && j < i));
    return worse < MOST_NAMED;
}

static void add_points(crdi_figure *f, crdi_panel *p, const crdi_figure_source *s, bool bad, double *work)
{
    double *x = work, *y = work + s->rows;
    int64_t n = 0;
    for (int64_t i = 0; i < s->rows; i++)
        if ((s->k_hat[i] > s->good_k) == bad && isfinite(s->k_hat[i])) {
            x[n] = (double)i;
            y[n++] = s->k_hat[i];
        }
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = CRDI_POINTS,
                                 .role = bad ? CRDI_ROLE_ACCENT : CRDI_ROLE_MODEL,
                                 .size = bad             ? 5
                                         : s->rows > 500 ? 2.4
                                                         : 3.6,
                                 .label = bad ? "too large" : "good",
                                 .count = n,
                                 .x = x,
                                 .y = y});
}

crd_status crdi_figure_k_hat(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    int64_t bad = 0, unknown = 0;
    if (!source->k_hat || source->rows < 1)
        return crdi_raise(ctx, CRD_EMISSING, "figure k_hat: there are no rows to show");
    CRD_TRY(crdi_figure_create(&f, ctx, 1, 1));
    f->panel_width = 7;
    f->panel_height = 3.4;
    crdi_panel *p = crdi_figure_panel(f, 0, 0);
    double *work = crdi_arena_alloc(f->arena, sizeof *work * (size_t)(2 * source->rows));
    if (!work)
        f->status = CRD_ENOMEM;
    else {
        crdi_panel_texts(f, p, "Leave-one-out: Pareto k of each row", "row of the data", "k_hat");
        add_points(f, p, source, false, work);
        add_points(f, p, source, true, work);
        char limit[32];
        crdi_format(limit, sizeof limit, "limit %.2f", source->good_k);
        crdi_panel_add(
            f, p,
            &(crdi_layer){
                .kind = CRDI_RULE_Y, .role = CRDI_ROLE_ACCENT, .label = limit, .count = 1, .y = &source->good_k});
        crdi_panel_add(
            f, p, &(crdi_layer){.kind = CRDI_RULE_Y, .role = CRDI_ROLE_GUIDE, .count = 1, .y = (const double[]){0}});
        p->legend = CRDI_LEGEND_OUTSIDE;
    }
    for (int64_t i = 0; i < source->rows; i++) {
        bad += !(source->k_hat[i] <= source->good_k);
        unknown += !isfinite(source->k_hat[i]);
        if (f->status == CRD_OK && is_named(source, i)) {
            char text[24];
            crdi_format(text, sizeof text, " %lld", (long long)i);
            crdi_panel_add(f, p,
                           &(crdi_layer){.kind = CRDI_TEXT,
                                         .role = CRDI_ROLE_DATA,
                                         .label = text,
                                         .count = 1,
                                         .x = (const double[]){(double)i},
                                         .y = &source->k_hat[i]});
        }
    }
    crdi_figure_footnote(f,
                         unknown ? "%lld of %lld rows above %.2f; %lld of them have no finite k and are not drawn."
                                 : "%lld of %lld rows above %.2f.",
                         (long long)bad, (long long)source->rows, source->good_k, (long long)unknown);
    return crdi_figure_finish(f, out);
}
