/* evaluation_scores.c - scores over rows, from their table (scores.def). */
#include "report/evaluation.h"

#include <math.h>
#include <string.h>

enum { CLASS = 1, NUMBER = 2, COUNT = 4, ANY = CLASS | NUMBER | COUNT, PAIR = 8, CONFORMAL = 16, OOD = 32 };
enum how { MEAN, ROOT, ECE, MCE, AUROC };

static const struct row {
    const char *name, *what;
    int of;
    enum how how;
    crdi_cell cell;
} table[] = {
#define SCORE(name, of, how, cell, what) {#name, what, of, how, CRDI_CELL_##cell},
#include "report/scores.def"
#undef SCORE
};

struct scoring {
    const crdi_evaluation *e, *other;
    const crdi_score_options *options;
    crdi_scores *out;
};

static bool applies(const struct scoring *s, const struct row *r)
{
    static const int flag[] = {
        [CRDI_OUTCOME_NUMBER] = NUMBER, [CRDI_OUTCOME_COUNT] = COUNT, [CRDI_OUTCOME_CLASS] = CLASS};
    const crdi_evaluation *e = s->e;
    bool outcome = (r->of & ANY) == 0 || (r->of & flag[e->outcome]);
    if (r->of & OOD)
        return s->other && outcome;
    if (r->of & CONFORMAL)
        return e->calibration && e->calibration->conformal != CRDI_CONFORMAL_NONE;
    return r->of & PAIR ? e->classes == 2 : outcome;
}

/* ---- one score -------------------------------------------------------------------------------------------------- */

static crd_status calibration_error(const struct scoring *s, const struct row *r, int64_t target, crdi_scored *out)
{
    const crdi_evaluation *e = s->e;
    const double *confidence = crdi_evaluation_cell(e, target, r->cell), *right;
    int bins = s->options->bins;
    bool most = r->how == MCE;
    if (e->outcome == CRDI_OUTCOME_NUMBER) {
        out->score = most ? crd_score_pit_max(confidence, e->rows, bins, out->influence)
                          : crd_score_pit(confidence, e->rows, bins, NULL, out->influence);
        return CRD_OK;
    }
    crd_reliability_bin *bin = crdi_alloc_array(e->ctx, bins, sizeof *bin);
    if (!bin)
        return CRD_ENOMEM;
    right = crdi_evaluation_cell(e, target, CRDI_CELL_RIGHT);
    crd_status status = crd_reliability(e->ctx, confidence, right, e->rows, s->options->binning, bins, bin);
    if (status == CRD_OK)
        out->score = (most ? crd_score_mce : crd_score_ece)(bin, bins, confidence, right, e->rows, out->influence);
    crdi_free(e->ctx, bin);
    return status;
}

/* The table's rows and, for telling them apart, the other's behind them; less confidence is more uncertainty. */
static crd_status area(const struct scoring *s, const struct row *r, int64_t target, crdi_scored *out)
{
    const crdi_evaluation *e = s->e;
    double *score = crdi_alloc_array(e->ctx, 2 * out->rows, sizeof *score), *positive = score + out->rows;
    double sign = r->cell == CRDI_CELL_CONFIDENCE ? -1 : 1;
    if (!score)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < out->rows; i++) {
        bool behind = i >= e->rows;
        const double *cell = crdi_evaluation_cell(behind ? s->other : e, target, r->cell);
        score[i] = sign * cell[behind ? i - e->rows : i];
        positive[i] = r->of & OOD ? behind : crdi_evaluation_cell(e, target, CRDI_CELL_Y)[i];
    }
    crd_status status = crd_score_auroc(e->ctx, score, positive, out->rows, out->influence, &out->score);
    crdi_free(e->ctx, score);
    return status;
}

static crd_status fill(const struct scoring *s, const struct row *r, int64_t target, crdi_scored *out)
{
    const crdi_evaluation *e = s->e;
    const double *cell = crdi_evaluation_cell(e, target, r->cell);
    if (r->how == ECE || r->how == MCE)
        return calibration_error(s, r, target, out);
    if (r->how == AUROC)
        return area(s, r, target, out);
    out->score = (r->how == ROOT ? crd_score_rmse : crd_score_mean)(cell, e->rows, out->influence);
    return CRD_OK;
}

/* Room for one more; its influence is owned by the list. */
static crd_status add(crdi_scores *list, int64_t target, const char *name, const char *what, int64_t rows,
                      crdi_scored **out)
{
    CRD_TRY(crdi_grow(list->ctx, &list->score, &list->capacity, list->count, sizeof *list->score));
    double *influence = crdi_alloc_array(list->ctx, rows, sizeof *influence);
    if (!influence)
        return CRD_ENOMEM;
    *out = &list->score[list->count++];
    **out = (crdi_scored){.target = target, .name = name, .what = what, .rows = rows, .influence = influence};
    return CRD_OK;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static crd_status score_target(const struct scoring *s, int64_t target)
{
    for (int i = 0; i < CRDI_COUNT(table); i++) {
        crdi_scored *scored;
        if (!applies(s, &table[i]))
            continue;
        int64_t rows = s->e->rows + (table[i].of & OOD ? s->other->rows : 0);
        CRD_TRY(add(s->out, target, table[i].name, table[i].what, rows, &scored));
        CRD_TRY(fill(s, &table[i], target, scored));
    }
    return CRD_OK;
}

static crd_status score_all(const struct scoring *s)
{
    for (int64_t j = 0; j < s->e->targets; j++)
        CRD_TRY(score_target(s, j));
    if (!s->e->joint)
        return CRD_OK;
    crdi_scored *scored;
    CRD_TRY(
        add(s->out, -1, "log_density", "log of the predictive density of all targets together", s->e->rows, &scored));
    scored->score = crd_score_mean(s->e->joint, s->e->rows, scored->influence);
    return CRD_OK;
}

crd_status crdi_scores_make(const crdi_evaluation *evaluation, const crdi_evaluation *other,
                            const crdi_score_options *options, crdi_scores **out)
{
    crdi_scores *list = crdi_alloc(evaluation->ctx, sizeof *list);
    struct scoring s = {evaluation, other, options, list};
    CRDI_ASSERT(evaluation->known);
    if (!list)
        return CRD_ENOMEM;
    list->ctx = evaluation->ctx;
    crd_status status = score_all(&s);
    if (status < 0)
        crdi_scores_destroy(&list);
    else
        *out = list;
    return status;
}

void crdi_scores_destroy(crdi_scores **scores)
{
    if (!scores || !*scores)
        return;
    crdi_scores *list = *scores;
    for (int64_t i = 0; i < list->count; i++)
        crdi_free(list->ctx, list->score[i].influence);
    crdi_free(list->ctx, list->score);
    crdi_free(list->ctx, list);
    *scores = NULL;
}

crd_status crdi_reliability_make(const crdi_evaluation *e, int64_t target, const crdi_score_options *options,
                                 crd_reliability_bin *out, int *count)
{
    const double *confidence = crdi_evaluation_cell(e, target, CRDI_CELL_CONFIDENCE);
    *count = e->outcome == CRDI_OUTCOME_COUNT ? 0 : e->classes > 0 ? options->bins : options->bins - 1;
    if (e->outcome == CRDI_OUTCOME_COUNT)
        return CRD_OK;
    if (e->classes > 0)
        return crd_reliability(e->ctx, confidence, crdi_evaluation_cell(e, target, CRDI_CELL_RIGHT), e->rows,
                               options->binning, options->bins, out);
    double *frequency = crdi_alloc_array(e->ctx, options->bins, sizeof *frequency);
    if (!frequency)
        return CRD_ENOMEM;
    crd_score_pit(confidence, e->rows, options->bins, frequency, NULL);
    for (int j = 0; j < *count; j++) {
        double level = (double)(j + 1) / options->bins, share = frequency[j], n = (double)e->rows;
        out[j] = (crd_reliability_bin){.low = (double)j / options->bins,
                                       .high = level,
                                       .count = e->rows,
                                       .confidence = level,
                                       .frequency = share,
                                       .se = n > 1 ? sqrt(share * (1 - share) / (n - 1)) : NAN};
    }
    crdi_free(e->ctx, frequency);
    return CRD_OK;
}
