/* energy.c - the figure "energy": the energies that a chain visits, and the steps that it takes between them, chain by chain.
 *
 * Both are drawn about 0 on the same scale. Steps much narrower than the energies mean that chains cannot reach the tails in the time
 * that they have: E-BFMI, written above each, is below 0.3. Source: Betancourt 2016, arXiv:1604.00695. */
#include <credence/diag.h>
#include "report/figures.h"

#include <math.h>

enum { GRID = 200, MOST_CHAINS = 12, MOST_IN_DENSITY = 20000, COLUMNS = 4 };

static void add_density(crdi_figure *f, crdi_panel *p, const double *v, int64_t n, bool marginal)
{
    double x[GRID], y[GRID], width = crd_diag_bandwidth(v, n, CRD_BANDWIDTH_SCOTT, 0), low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    if (!(width > 0))
        return;
    for (int g = 0; g < GRID; g++)
        x[g] = low - 2 * width + (high - low + 4 * width) * g / (GRID - 1);
    crd_diag_kde(v, n, width, x, GRID, y);
    crdi_panel_add(f, p,
                   &(crdi_layer){.kind = marginal ? CRDI_AREA : CRDI_LINE,
                                 .role = marginal ? CRDI_ROLE_MODEL : CRDI_ROLE_ACCENT,
                                 .label = marginal ? "energy" : "steps",
                                 .size = marginal ? 0 : 1.6,
                                 .alpha = marginal ? 0.5 : 0,
                                 .count = GRID,
                                 .x = x,
                                 .y = y});
}

static void add_chain(crdi_figure *f, crdi_panel *p, const double *energy, int64_t draws, double *work)
{
    int64_t every = (draws - 1) / MOST_IN_DENSITY + 1, n = 0;
    double mean = crd_diag_mean(energy, draws);
    if (!isfinite(mean)) {
        crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_NOTE, .label = "not all energies are finite"});
        return;
    }
    for (int64_t i = 0; i < draws; i += every)
        work[n++] = energy[i] - mean;
    add_density(f, p, work, n, true);
    n = 0;
    for (int64_t i = 1; i < draws; i += every)
        work[n++] = energy[i] - energy[i - 1];
    add_density(f, p, work, n, false);
    if (p->layer_count == 0)
        crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_NOTE, .label = "the energy does not change"});
    p->hide_y_ticks = true;
    p->legend = CRDI_LEGEND_TOP_RIGHT;
}

crd_status crdi_figure_energy(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    crdi_figure *f;
    if (!source->energy || source->chains < 1 || source->draws < 2)
        return crdi_raise(ctx, CRD_EMISSING,
                          "figure energy: there are no energies to show; runs of NUTS and HMC have them");
    int shown = source->chains < MOST_CHAINS ? source->chains : MOST_CHAINS,
        columns = shown < COLUMNS ? shown : COLUMNS;
    CRD_TRY(crdi_figure_create(&f, ctx, (shown + columns - 1) / columns, columns));
    f->panel_width = shown == 1 ? 4 : 2.6;
    f->panel_height = 2.4;
    double *work = crdi_arena_alloc(f->arena, (size_t)(MOST_IN_DENSITY + 1) * sizeof *work);
    if (!work)
        f->status = CRD_ENOMEM;
    for (int c = 0; c < shown && f->status == CRD_OK; c++) {
        const double *energy = source->energy + c * source->draws;
        crdi_panel *p = crdi_figure_panel(f, c / columns, c % columns);
        char title[64];
        crdi_format(title, sizeof title, "chain %d: E-BFMI %.2f", c, crd_diag_ebfmi(energy, source->draws));
        crdi_panel_texts(f, p, title, c + columns >= shown ? "energy less its mean; step" : NULL, NULL);
        add_chain(f, p, energy, source->draws, work);
    }
    if (shown < source->chains)
        crdi_figure_footnote(f, "The first %d of %d chains are shown.", shown, source->chains);
    return crdi_figure_finish(f, out);
}
