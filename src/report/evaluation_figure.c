/* evaluation_figure.c - the figure "reliability" of a run's scores: a row of panels a target. */
#include "report/evaluation.h"

#include <string.h>

static const char *title_of(crdi_arena *arena, const crdi_evaluation *e, const crdi_scores *scores, int64_t target)
{
    for (int64_t i = 0; i < scores->count; i++) {
        const crdi_scored *s = &scores->score[i];
        if (s->target == target && strcmp(s->name, "ece") == 0)
            return crdi_arena_printf(arena, "%s: expected calibration error %.3f",
                                     crdi_outlook_target_name(e->net, target), s->score.value);
    }
    return crdi_arena_strdup(arena, crdi_outlook_target_name(e->net, target));
}

static crd_status build(const crdi_evaluation *e, const crdi_scores *scores, const crdi_score_options *options,
                        crdi_arena *arena, crdi_figure **out)
{
    crdi_reliability *all = crdi_arena_alloc(arena, (size_t)e->targets * sizeof *all);
    if (!all)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < e->targets; j++) {
        crd_reliability_bin *bin = crdi_arena_alloc(arena, (size_t)options->bins * sizeof *bin);
        all[j] = (crdi_reliability){.title = title_of(arena, e, scores, j), .levels = e->classes == 0, .bin = bin};
        if (!bin || !all[j].title)
            return CRD_ENOMEM;
        CRD_TRY(crdi_reliability_make(e, j, options, bin, &all[j].bins));
    }
    return crdi_figure_reliability(out, e->ctx,
                                   &(crdi_figure_source){.reliability_count = (int)e->targets, .reliability = all});
}

crd_status crdi_evaluation_figure(const crdi_evaluation *e, const crdi_scores *scores,
                                  const crdi_score_options *options, crdi_figure **out)
{
    crdi_arena *arena;
    if (e->outcome == CRDI_OUTCOME_COUNT)
        return crdi_raise(e->ctx, CRD_EUNSUPPORTED,
                          "%s: figure reliability is of classes and of numbers; counts have their "
                          "coverage in the table",
                          e->net->path);
    CRD_TRY(crdi_arena_create(&arena, e->ctx));
    crd_status status = build(e, scores, options, arena, out);
    crdi_arena_destroy(&arena);
    return status;
}
