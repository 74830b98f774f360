/* evaluation_text.c - the scores of a run as text, CSV and JSON. */
#include "report/evaluation.h"

#include <math.h>
#include <string.h>

static const char *target_name(const crdi_evaluation *e, int64_t target)
{
    return target < 0 ? "" : crdi_outlook_target_name(e->net, target);
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

const char *crdi_score_cell(crdi_arena *arena, double value)
{
    return isnan(value) ? "-" : crdi_arena_printf(arena, "%.4g", value);
}

crd_status crdi_score_table(crdi_string *out, const crdi_table *table)
{
    for (int64_t i = 0; i < table->rows * table->columns; i++)
        if (!table->cell[i])
            return CRD_ENOMEM;
    return crdi_table_text(out, table);
}

/* The scores of one target. */
static crd_status add_scores(crdi_string *out, crdi_arena *arena, const crdi_scores *scores, int64_t target)
{
    enum { COLUMNS = 3 };
    static const char *const header[COLUMNS] = {"", "estimate", "se"};
    const char **cell = crdi_arena_alloc(arena, (size_t)(scores->count * COLUMNS) * sizeof *cell);
    int64_t count = 0;
    if (!cell)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < scores->count; i++) {
        const crdi_scored *s = &scores->score[i];
        if (s->target != target)
            continue;
        cell[COLUMNS * count] = s->name;
        cell[COLUMNS * count + 1] = crdi_score_cell(arena, s->score.value);
        cell[COLUMNS * count++ + 2] = crdi_score_cell(arena, s->score.se);
    }
    return crdi_score_table(
        out, &(crdi_table){.columns = COLUMNS, .header = header, .rows = count, .cell = cell, .least_width = 9});
}

static crd_status add_bins(crdi_string *out, crdi_arena *arena, const crd_reliability_bin *bin, int bins)
{
    enum { COLUMNS = 5 };
    static const char *const header[COLUMNS] = {"confidence", "rows", "mean", "right", "se"};
    const char **cell = crdi_arena_alloc(arena, (size_t)(bins * COLUMNS) * sizeof *cell);
    int64_t count = 0;
    if (!cell)
        return CRD_ENOMEM;
    for (int b = 0; b < bins; b++) {
        if (bin[b].count == 0)
            continue;
        const char **at = cell + COLUMNS * count++;
        at[0] = crdi_arena_printf(arena, "%.3g to %.3g", bin[b].low, bin[b].high);
        at[1] = crdi_arena_printf(arena, "%lld", (long long)bin[b].count);
        at[2] = crdi_score_cell(arena, bin[b].confidence);
        at[3] = crdi_score_cell(arena, bin[b].frequency);
        at[4] = crdi_score_cell(arena, bin[b].se);
    }
    crdi_string_append(out, "\nReliability of the likeliest class:\n");
    return crdi_score_table(
        out, &(crdi_table){.columns = COLUMNS, .header = header, .rows = count, .cell = cell, .least_width = 7});
}

static crd_status add_reliability(crdi_string *out, crdi_arena *arena, const crdi_evaluation *e,
                                  const crdi_score_options *options)
{
    crd_reliability_bin *bin = crdi_arena_alloc(arena, (size_t)options->bins * sizeof *bin);
    int bins;
    if (!bin)
        return CRD_ENOMEM;
    CRD_TRY(crdi_reliability_make(e, 0, options, bin, &bins));
    return add_bins(out, arena, bin, bins);
}

void crdi_calibration_text(crdi_string *out, const crdi_calibration *c, int64_t rows)
{
    static const char *const score[] = {"", "absolute residual", "residual by predictive sd", "1 - p", "adaptive"};
    if (!c)
        return;
    if (c->conformal == CRDI_CONFORMAL_NONE) {
        crdi_string_append(out, "temperature %.4g", c->temperature);
        if (isfinite(c->temperature_se))
            crdi_string_append(out, ", se %.2g", c->temperature_se);
        crdi_string_append(out, ", from %lld calibration rows\n", (long long)c->rows);
        return;
    }
    crdi_string_append(
        out, "conformal limits from %lld calibration rows (%s); expected of %lld exchangeable rows, mean and sd:\n",
        (long long)c->rows, score[c->conformal], (long long)rows);
    for (int l = 0; l < CRDI_LEVELS; l++) {
        double mean, sd;
        crd_conformal_law(c->rows, rows, crdi_interval_levels[l], &mean, &sd);
        crdi_string_append(out, "  %2.0f %%: %.4f, %.4f\n", 100 * crdi_interval_levels[l], mean, sd);
    }
}

static void add_notes(crdi_string *out, const crdi_evaluation *e)
{
    crdi_string_append(out, "\n%lld rows; se: over rows\n", (long long)e->rows);
    if (e->outcome == CRDI_OUTCOME_NUMBER)
        crdi_string_append(
            out, "densities and widths are in the target's own units: runs with and without --scale can be compared\n");
    crdi_calibration_text(out, e->calibration, e->rows);
}

crd_status crdi_evaluation_text(crdi_string *out, const crdi_evaluation *e, const crdi_scores *scores,
                                const crdi_score_options *options)
{
    crdi_arena *arena;
    CRD_TRY(crdi_arena_create(&arena, e->ctx));
    crd_status status = CRD_OK;
    for (int64_t j = 0; j < e->targets && status == CRD_OK; j++) {
        crdi_string_append(out, "\n");
        if (e->targets > 1)
            crdi_string_append(out, "target %s:\n", target_name(e, j));
        status = add_scores(out, arena, scores, j);
    }
    if (e->joint && status == CRD_OK) {
        crdi_string_append(out, "\nall targets together:\n");
        status = add_scores(out, arena, scores, -1);
    }
    if (e->classes > 0 && status == CRD_OK)
        status = add_reliability(out, arena, e, options);
    add_notes(out, e);
    crdi_arena_destroy(&arena);
    return status < 0 ? status : out->status;
}

/* ---- CSV and JSON ----------------------------------------------------------------------------------------------- */

crd_status crdi_evaluation_csv(crdi_string *out, const crdi_evaluation *e, const crdi_scores *scores)
{
    char value[32], se[32];
    crdi_string_append(out, "target,score,estimate,se\n");
    for (int64_t i = 0; i < scores->count; i++) {
        const crdi_scored *s = &scores->score[i];
        crdi_table_csv_cell(out, target_name(e, s->target));
        crdi_string_append(out, ",%s,%s,%s\n", s->name, crdi_format_double(value, s->score.value),
                           crdi_format_double(se, s->score.se));
    }
    return out->status;
}

static void put(crdi_json_writer *w, const char *key, double value)
{
    if (isfinite(value))
        crdi_json_put_number(w, key, value);
    else
        crdi_json_put_text(w, key, NULL);
}

static void put_calibration(crdi_json_writer *w, const crdi_calibration *c, int64_t rows)
{
    if (!c)
        return;
    bool conformal = c->conformal != CRDI_CONFORMAL_NONE;
    crdi_json_open(w, "calibration", '{');
    crdi_json_put_text(w, "method", conformal ? "conformal" : "temperature");
    crdi_json_put_integer(w, "rows", c->rows);
    if (!conformal) {
        put(w, "temperature", c->temperature);
        put(w, "se", c->temperature_se);
    }
    for (int l = 0; conformal && l < CRDI_LEVELS; l++) {
        static const char *const key[CRDI_LEVELS] = {"expected_50", "expected_80", "expected_90", "expected_95"};
        double mean, sd;
        crd_conformal_law(c->rows, rows, crdi_interval_levels[l], &mean, &sd);
        crdi_json_open(w, key[l], '[');
        put(w, NULL, mean);
        put(w, NULL, sd);
        crdi_json_close(w, ']');
    }
    crdi_json_close(w, '}');
}

static crd_status put_reliability(crdi_json_writer *w, const crdi_evaluation *e, const crdi_score_options *options)
{
    crd_reliability_bin *bin = crdi_alloc_array(e->ctx, options->bins, sizeof *bin);
    crd_status status = bin ? CRD_OK : CRD_ENOMEM;
    int bins = 0;
    crdi_json_open(w, "reliability", '[');
    for (int64_t j = 0; j < e->targets && status == CRD_OK; j++) {
        status = crdi_reliability_make(e, j, options, bin, &bins);
        for (int b = 0; b < bins && status == CRD_OK; b++) {
            w->line = true;
            crdi_json_open(w, NULL, '{');
            crdi_json_put_text(w, "target", target_name(e, j));
            put(w, "low", bin[b].low);
            put(w, "high", bin[b].high);
            crdi_json_put_integer(w, "rows", bin[b].count);
            put(w, "confidence", bin[b].confidence);
            put(w, "frequency", bin[b].frequency);
            put(w, "se", bin[b].se);
            crdi_json_close(w, '}');
        }
    }
    crdi_json_close(w, ']');
    crdi_free(e->ctx, bin);
    return status;
}

crd_status crdi_evaluation_json(crdi_string *out, const crdi_evaluation *e, const crdi_scores *scores,
                                const crdi_score_options *options)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "run", e->net->path);
    crdi_json_put_integer(&w, "rows", e->rows);
    put_calibration(&w, e->calibration, e->rows);
    crdi_json_open(&w, "scores", '[');
    for (int64_t i = 0; i < scores->count; i++) {
        const crdi_scored *s = &scores->score[i];
        w.line = true;
        crdi_json_open(&w, NULL, '{');
        crdi_json_put_text(&w, "target", s->target < 0 ? NULL : target_name(e, s->target));
        crdi_json_put_text(&w, "score", s->name);
        put(&w, "estimate", s->score.value);
        put(&w, "se", s->score.se);
        crdi_json_close(&w, '}');
    }
    crdi_json_close(&w, ']');
    CRD_TRY(put_reliability(&w, e, options));
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
