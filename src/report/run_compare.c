/* run_compare.c - runs of the same data beside each other: which network predicts best, and by how much. */
#include "report/run_loo.h"
#include "report/table.h"

#include <math.h>
#include <string.h>

static crd_status same_target(const crdi_run_loo *a, const crdi_run_loo *b, int64_t target)
{
    double largest = 0;
    for (int64_t i = 0; i < a->rows; i++)
        largest = fmax(largest, fabs(a->y[i * a->targets + target]));
    for (int64_t i = 0; i < a->rows; i++) {
        double ours = a->y[i * a->targets + target], theirs = b->y[i * a->targets + target];
        /* a target that was scaled comes back with rounding errors of its mean's size */
        if (!(fabs(ours - theirs) <= 1e-9 * fabs(ours) + 1e-12 * largest))
            return crdi_raise(a->ctx, CRD_EDATA,
                              "the runs are of different data: in row %lld %s is %.6g in %s, and %s is %.6g in %s",
                              (long long)i, a->target[target], ours, a->path, b->target[target], theirs, b->path);
    }
    return CRD_OK;
}

crd_status crdi_run_loo_same_data(const crdi_run_loo *a, const crdi_run_loo *b)
{
    if (a->rows != b->rows)
        return crdi_raise(a->ctx, CRD_EDATA, "the runs are of different data: %s has %lld rows, %s has %lld", a->path,
                          (long long)a->rows, b->path, (long long)b->rows);
    if (a->targets != b->targets)
        return crdi_raise(a->ctx, CRD_EDATA, "the runs are of different data: %s has %lld target%s, %s has %lld",
                          a->path, (long long)a->targets, a->targets == 1 ? "" : "s", b->path, (long long)b->targets);
    for (int64_t j = 0; j < a->targets; j++)
        CRD_TRY(same_target(a, b, j));
    return CRD_OK;
}

static crd_status compare(const crdi_run_loo *const *loo, int count, crd_comparison **out)
{
    crd_context *ctx = loo[0]->ctx;
    int64_t rows = loo[0]->rows;
    for (int i = 1; i < count; i++)
        CRD_TRY(crdi_run_loo_same_data(loo[0], loo[i]));
    double *pointwise = crdi_alloc_array(ctx, count * rows, sizeof *pointwise);
    crd_comparison *row = crdi_alloc_array(ctx, count, sizeof *row);
    crd_status status = pointwise && row ? CRD_OK : CRD_ENOMEM;
    for (int i = 0; i < count && status == CRD_OK; i++)
        memcpy(pointwise + i * rows, loo[i]->elpd, (size_t)rows * sizeof *pointwise);
    if (status == CRD_OK)
        status = crd_elpd_compare(ctx, pointwise, count, rows, row);
    crdi_free(ctx, pointwise);
    if (status == CRD_OK)
        *out = row;
    else
        crdi_free(ctx, row);
    return status;
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

static void add_notes(crdi_string *out, const crdi_run_loo *const *loo, const crd_comparison *row, int count)
{
    for (int i = 1; i < count; i++)
        if (row[i].difference < 4 || row[i].difference < 2 * row[i].difference_se)
            crdi_string_append(out, "note: %s and %s predict about equally well: the difference is %s\n",
                               loo[row[0].model]->path, loo[row[i].model]->path,
                               row[i].difference < 4 ? "below 4" : "below twice its error");
    for (int i = 0; i < count; i++)
        if (loo[i]->loo.bad > 0)
            crdi_string_append(out, "note: k_hat is too large in %lld of the rows of %s: its elpd_loo may be off\n",
                               (long long)loo[i]->loo.bad, loo[i]->path);
}

static crd_status table_text(crdi_string *out, crdi_arena *arena, const crdi_run_loo *const *loo,
                             const crd_comparison *row, int count)
{
    enum { COLUMNS = 8 };
    static const char *const header[COLUMNS] = {"", "elpd_loo", "se", "p_loo", "diff", "diff_se", "weight", "bad_k"};
    const char **cell = crdi_arena_alloc(arena, (size_t)count * COLUMNS * sizeof *cell);
    if (!cell)
        return CRD_ENOMEM;
    for (int i = 0; i < count; i++) {
        const crdi_run_loo *l = loo[row[i].model];
        const double value[] = {row[i].elpd,          row[i].se,    l->loo.p, row[i].difference,
                                row[i].difference_se, row[i].weight};
        cell[COLUMNS * i] = l->path;
        for (int k = 0; k < CRDI_COUNT(value); k++)
            cell[COLUMNS * i + 1 + k] = crdi_arena_printf(arena, "%.2f", value[k]);
        cell[COLUMNS * i + COLUMNS - 1] = crdi_arena_printf(arena, "%lld", (long long)l->loo.bad);
    }
    return crdi_table_text(
        out, &(crdi_table){.columns = COLUMNS, .header = header, .rows = count, .cell = cell, .least_width = 9});
}

crd_status crdi_run_compare_text(crdi_string *out, const crdi_run_loo *const *loo, int count)
{
    crd_comparison *row;
    crdi_arena *arena;
    CRD_TRY(compare(loo, count, &row));
    crd_status status = crdi_arena_create(&arena, loo[0]->ctx);
    if (status == CRD_OK) {
        crdi_string_append(out, "\n");
        status = table_text(out, arena, loo, row, count);
        crdi_string_append(out, "\n%lld rows; diff: how far below the first; weight: of stacking\n",
                           (long long)loo[0]->rows);
        add_notes(out, loo, row, count);
        crdi_arena_destroy(&arena);
    }
    crdi_free(loo[0]->ctx, row);
    return status < 0 ? status : out->status;
}

/* ---- CSV and JSON --------------------------------------------------------------------------------------------- */

enum { NUMBERS = 8 };
static const char *const number_name[NUMBERS] = {"elpd_loo", "se",        "p_loo",  "elpd_diff",
                                                 "diff_se",  "elpd_waic", "weight", "bad_k"};

static void numbers(const crdi_run_loo *l, const crd_comparison *row, double *out)
{
    memcpy(out,
           (const double[NUMBERS]){row->elpd, row->se, l->loo.p, row->difference, row->difference_se, l->waic.elpd,
                                   row->weight, (double)l->loo.bad},
           NUMBERS * sizeof *out);
}

crd_status crdi_run_compare_csv(crdi_string *out, const crdi_run_loo *const *loo, int count)
{
    crd_comparison *row;
    CRD_TRY(compare(loo, count, &row));
    crdi_string_append(out, "run");
    for (int k = 0; k < NUMBERS; k++)
        crdi_string_append(out, ",%s", number_name[k]);
    crdi_string_append(out, "\n");
    for (int i = 0; i < count; i++) {
        double value[NUMBERS];
        char text[32];
        numbers(loo[row[i].model], &row[i], value);
        crdi_table_csv_cell(out, loo[row[i].model]->path);
        for (int k = 0; k < NUMBERS; k++)
            crdi_string_append(out, ",%s", crdi_format_double(text, value[k]));
        crdi_string_append(out, "\n");
    }
    crdi_free(loo[0]->ctx, row);
    return out->status;
}

crd_status crdi_run_compare_json(crdi_string *out, const crdi_run_loo *const *loo, int count)
{
    crd_comparison *row;
    crdi_json_writer w = {.out = out};
    CRD_TRY(compare(loo, count, &row));
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_integer(&w, "rows", loo[0]->rows);
    crdi_json_open(&w, "runs", '[');
    for (int i = 0; i < count; i++) {
        double value[NUMBERS];
        numbers(loo[row[i].model], &row[i], value);
        w.line = true;
        crdi_json_open(&w, NULL, '{');
        crdi_json_put_text(&w, "run", loo[row[i].model]->path);
        for (int k = 0; k < NUMBERS; k++) {
            if (k == NUMBERS - 1)
                crdi_json_put_integer(&w, number_name[k], loo[row[i].model]->loo.bad);
            else if (isfinite(value[k]))
                crdi_json_put_number(&w, number_name[k], value[k]);
            else
                crdi_json_put_text(&w, number_name[k], NULL);
        }
        crdi_json_close(&w, '}');
    }
    crdi_json_close(&w, ']');
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    crdi_free(loo[0]->ctx, row);
    return out->status;
}
