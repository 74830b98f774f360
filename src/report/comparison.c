/* comparison.c - see comparison.h. */
#include "report/comparison.h"

#include <math.h>
#include <string.h>

/* ---- the same rows ---------------------------------------------------------------------------------------------- */

static crd_status differ(const crdi_compared *a, const crdi_compared *b, const char *how)
{
    return crdi_raise(a->evaluation->ctx, CRD_EDATA, "%s and %s cannot be compared: %s", a->name, b->name, how);
}

static crd_status same_targets(const crdi_compared *a, const crdi_compared *b)
{
    const crdi_evaluation *e = a->evaluation, *f = b->evaluation;
    const crd_recipe *r = e->net->recipe, *s = f->net->recipe;
    if (e->targets != f->targets)
        return differ(a, b, "they have different numbers of targets");
    for (int64_t j = 0; j < e->targets; j++)
        if (strcmp(r->targets[j].name, s->targets[j].name) != 0)
            return crdi_raise(e->ctx, CRD_EDATA,
                              "%s and %s cannot be compared: one has the target '%s', the other '%s'", a->name, b->name,
                              r->targets[j].name, s->targets[j].name);
    if (e->outcome != f->outcome)
        return differ(a, b, "densities of numbers, probabilities of counts and of classes are no measures of the same");
    if (e->classes != f->classes)
        return differ(a, b, "they know different classes");
    for (int64_t k = 0; k < e->classes; k++)
        if (strcmp(r->class_name[k], s->class_name[k]) != 0)
            return differ(a, b, "they know different classes");
    return CRD_OK;
}

crd_status crdi_comparison_same_rows(const crdi_compared *a, const crdi_compared *b)
{
    const crdi_evaluation *e = a->evaluation, *f = b->evaluation;
    CRD_TRY(same_targets(a, b));
    if (e->rows != f->rows)
        return crdi_raise(e->ctx, CRD_EDATA,
                          "%s uses %lld rows, %s uses %lld: with --na drop all runs must miss the same", a->name,
                          (long long)e->rows, b->name, (long long)f->rows);
    for (int64_t j = 0; j < e->targets; j++) {
        const double *y = crdi_evaluation_cell(e, j, CRDI_CELL_Y), *z = crdi_evaluation_cell(f, j, CRDI_CELL_Y);
        double largest = 0;
        for (int64_t i = 0; i < e->rows; i++)
            largest = fmax(largest, fabs(y[i]));
        for (int64_t i = 0; i < e->rows; i++) /* a target that was scaled comes back with rounding errors */
            if (!(fabs(y[i] - z[i]) <= 1e-9 * largest))
                return differ(a, b, "they do not use the same rows");
    }
    return CRD_OK;
}

/* ---- scores side by side ---------------------------------------------------------------------------------------- */

static const crdi_scored *find(const crdi_scores *scores, const crdi_scored *like)
{
    for (int64_t i = 0; i < scores->count; i++)
        if (scores->score[i].target == like->target && strcmp(scores->score[i].name, like->name) == 0)
            return &scores->score[i];
    return NULL;
}

/* The score of every run like number i of the first; false if one lacks it. */
static bool side_by_side(const crdi_compared *run, int count, int64_t i, const crdi_scored **out)
{
    out[0] = &run[0].scores->score[i];
    for (int k = 1; k < count; k++) {
        out[k] = find(run[k].scores, out[0]);
        if (!out[k] || out[k]->rows != out[0]->rows)
            return false;
    }
    return true;
}

static crd_score difference(const crdi_scored *a, const crdi_scored *first)
{
    return crd_score_difference(a->score, a->influence, first->score, first->influence, a->rows);
}

/* "0.912 (0.013)" */
static const char *with_error(crdi_arena *arena, crd_score s)
{
    const char *value = crdi_score_cell(arena, s.value), *se = crdi_score_cell(arena, s.se);
    return value && se ? crdi_arena_printf(arena, "%s (%s)", value, se) : NULL;
}

static const char *row_name(crdi_arena *arena, const crdi_compared *run, const crdi_scored *s)
{
    const crdi_evaluation *e = run->evaluation;
    if (e->targets == 1)
        return s->name;
    return crdi_arena_printf(arena, "%s %s", s->target < 0 ? "all" : e->net->recipe->targets[s->target].name, s->name);
}

/* The runs' scores (from 0), or their differences from the first (from 1). */
static crd_status add_table(crdi_string *out, crdi_arena *arena, const crdi_compared *run, int count, int from)
{
    int64_t most = run[0].scores->count, rows = 0;
    int columns = 1 + count - from;
    const char **header = crdi_arena_alloc(arena, (size_t)columns * sizeof *header);
    const char **cell = crdi_arena_alloc(arena, (size_t)(most * columns) * sizeof *cell);
    const crdi_scored **scored = crdi_arena_alloc(arena, (size_t)count * sizeof *scored);
    if (!header || !cell || !scored)
        return CRD_ENOMEM;
    header[0] = "";
    for (int k = from; k < count; k++)
        header[1 + k - from] = run[k].name;
    for (int64_t i = 0; i < most; i++) {
        if (!side_by_side(run, count, i, scored))
            continue;
        const char **at = cell + columns * rows++;
        at[0] = row_name(arena, run, scored[0]);
        for (int k = from; k < count; k++)
            at[1 + k - from] = with_error(arena, from ? difference(scored[k], scored[0]) : scored[k]->score);
    }
    return crdi_score_table(
        out, &(crdi_table){.columns = columns, .header = header, .rows = rows, .cell = cell, .least_width = 9});
}

crd_status crdi_comparison_text(crdi_string *out, const crdi_compared *run, int count, const crdi_bayes *bayes)
{
    crdi_arena *arena;
    if (!run)
        return crdi_bayes_text(out, bayes);
    CRD_TRY(crdi_arena_create(&arena, run[0].evaluation->ctx));
    crdi_string_append(out, "\n");
    crd_status status = add_table(out, arena, run, count, 0);
    if (count > 1 && status == CRD_OK) {
        crdi_string_append(out, "\nDifferences from %s, row by row:\n", run[0].name);
        status = add_table(out, arena, run, count, 1);
    }
    crdi_string_append(out, "\n%lld rows; in brackets: standard errors over rows\n",
                       (long long)run[0].evaluation->rows);
    crdi_arena_destroy(&arena);
    return status < 0 ? status : crdi_bayes_text(out, bayes);
}

/* ---- CSV and JSON ----------------------------------------------------------------------------------------------- */

/* What stands in a row of these: a score, and its difference where it is not the first run's. */
typedef void (*row_fn)(void *user, const crdi_compared *run, const crdi_scored *scored, const crd_score *difference);

static crd_status each_row(const crdi_compared *run, int count, row_fn row, void *user)
{
    crd_context *ctx = run[0].evaluation->ctx;
    const crdi_scored **scored = crdi_alloc_array(ctx, count, sizeof *scored);
    if (!scored)
        return CRD_ENOMEM;
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < run[0].scores->count; i++) {
            if (!side_by_side(run, count, i, scored))
                continue;
            crd_score off = difference(scored[k], scored[0]);
            row(user, &run[k], scored[k], k > 0 ? &off : NULL);
        }
    crdi_free(ctx, scored);
    return CRD_OK;
}

static const char *target_of(const crdi_compared *run, const crdi_scored *s)
{
    return s->target < 0 ? NULL : run->evaluation->net->recipe->targets[s->target].name;
}

static void csv_row(void *user, const crdi_compared *run, const crdi_scored *s, const crd_score *difference)
{
    crdi_string *out = user;
    const double value[] = {s->score.value, s->score.se, difference ? difference->value : 0,
                            difference ? difference->se : 0};
    char text[32];
    const char *target = target_of(run, s);
    crdi_table_csv_cell(out, run->name);
    crdi_string_append(out, ",");
    crdi_table_csv_cell(out, target ? target : "");
    crdi_string_append(out, ",%s", s->name);
    for (int k = 0; k < CRDI_COUNT(value); k++)
        crdi_string_append(out, ",%s", crdi_format_double(text, value[k]));
    crdi_string_append(out, "\n");
}

crd_status crdi_comparison_csv(crdi_string *out, const crdi_compared *run, int count, const crdi_bayes *bayes)
{
    crdi_string_append(out, "run,target,score,estimate,se,difference,difference_se\n");
    if (run)
        CRD_TRY(each_row(run, count, csv_row, out));
    return crdi_bayes_csv(out, bayes);
}

static void put(crdi_json_writer *w, const char *key, double value)
{
    if (isfinite(value))
        crdi_json_put_number(w, key, value);
    else
        crdi_json_put_text(w, key, NULL);
}

static void json_row(void *user, const crdi_compared *run, const crdi_scored *s, const crd_score *difference)
{
    crdi_json_writer *w = user;
    w->line = true;
    crdi_json_open(w, NULL, '{');
    crdi_json_put_text(w, "run", run->name);
    crdi_json_put_text(w, "target", target_of(run, s));
    crdi_json_put_text(w, "score", s->name);
    put(w, "estimate", s->score.value);
    put(w, "se", s->score.se);
    if (difference) {
        put(w, "difference", difference->value);
        put(w, "difference_se", difference->se);
    }
    crdi_json_close(w, '}');
}

static crd_status json_scores(crdi_json_writer *w, const crdi_compared *run, int count)
{
    crdi_json_put_integer(w, "rows", run[0].evaluation->rows);
    crdi_json_put_text(w, "reference", run[0].name);
    crdi_json_open(w, "scores", '[');
    CRD_TRY(each_row(run, count, json_row, w));
    crdi_json_close(w, ']');
    return CRD_OK;
}

crd_status crdi_comparison_json(crdi_string *out, const crdi_compared *run, int count, const crdi_bayes *bayes)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    if (run)
        CRD_TRY(json_scores(&w, run, count));
    else
        crdi_json_put_text(&w, "reference", bayes->run[0].name);
    crdi_bayes_json(&w, bayes);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
