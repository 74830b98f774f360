/* dataset_apply.c - a recipe applied: columns found by name, cells made into inputs and targets. */
#include "store/dataset.h"

#include <string.h>

int64_t crdi_recipe_group(const crd_recipe *r, int64_t j)
{
    int64_t end = j + 1;
    while (r->feature[j].level && end < r->feature_count && r->feature[end].level &&
           strcmp(r->feature[end].column, r->feature[j].column) == 0)
        end++;
    return end;
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

/* Names what was seen, for an error. */
static crd_status raise_unseen(const crd_table *t, const crd_table_column *column, int64_t row, const char *level,
                               const char *what, const crdi_string *seen)
{
    char cell[CRDI_SHOWN], name[CRDI_SHOWN];
    return crdi_raise(t->ctx, CRD_EDATA, "%s:%lld: column '%s' holds '%s', a %s that the fit did not see; it saw: %s",
                      t->name, (long long)t->line[row], crdi_csv_show(name, column->name), crdi_csv_show(cell, level),
                      what, crdi_string_text(seen));
}

static void add_seen(crdi_string *seen, const char *level)
{
    enum { LONGEST = 300 };
    char shown[CRDI_SHOWN];
    if (seen->length < LONGEST)
        crdi_string_append(seen, "%s%s", seen->length ? ", " : "", crdi_csv_show(shown, level));
    else if (seen->text[seen->length - 1] != '.')
        crdi_string_append(seen, ", ...");
}

static crd_status write_levels(const crd_recipe *r, int64_t first, int64_t end, const crd_table *t, int64_t c,
                               const crdi_rows *rows, double *x)
{
    const crd_table_column *column = &t->column[c];
    for (int64_t i = 0; i < rows->count; i++) {
        char buffer[CRDI_LEVEL];
        const char *level = crdi_level(column, rows->row[i], buffer);
        bool found = false;
        for (int64_t j = first; j < end; j++) {
            bool is = strcmp(r->feature[j].level, level) == 0;
            x[i * r->feature_count + j] = ((is ? 1.0 : 0.0) - r->feature[j].mean) / r->feature[j].sd;
            found = found || is;
        }
        if (found)
            continue;
        crdi_string seen;
        crdi_string_init(&seen, t->ctx);
        for (int64_t j = first; j < end; j++)
            add_seen(&seen, r->feature[j].level);
        crd_status status = raise_unseen(t, column, rows->row[i], level, "level", &seen);
        crdi_string_clear(&seen);
        return status;
    }
    return CRD_OK;
}

crd_status crdi_recipe_inputs(const crd_recipe *r, const crd_table *t, const int64_t *column, const crdi_rows *rows,
                              double *x)
{
    for (int64_t j = 0, end; j < r->feature_count; j = end) {
        const crd_feature *f = &r->feature[j];
        end = crdi_recipe_group(r, j);
        if (f->level) {
            CRD_TRY(write_levels(r, j, end, t, column[j], rows, x));
            continue;
        }
        for (int64_t i = 0; i < rows->count; i++)
            x[i * r->feature_count + j] = (t->column[column[j]].number[rows->row[i]] - f->mean) / f->sd;
    }
    return CRD_OK;
}

static int64_t find_class(const crd_recipe *r, const char *name)
{
    for (int64_t k = 0; k < r->class_count; k++)
        if (strcmp(r->class_name[k], name) == 0)
            return k;
    return -1;
}

crd_shape crdi_recipe_shape(const crd_recipe *r, int64_t rows)
{
    return r->target_count == 1 ? crd_shape_1(rows) : crd_shape_2(rows, r->target_count);
}

double crdi_recipe_own_units(const crd_recipe *r, int64_t i, double y)
{
    const crd_target *target = &r->targets[i % r->target_count];
    return target->mean + target->sd * y;
}

void crdi_recipe_first_target(crd_recipe *r)
{
    r->target = r->targets[0].name;
    r->target_mean = r->targets[0].mean;
    r->target_sd = r->targets[0].sd;
}

crd_status crdi_recipe_target(const crd_recipe *r, int64_t target, const crd_table *t, int64_t c, const crdi_rows *rows,
                              double *y)
{
    const crd_table_column *column = &t->column[c];
    const crd_target *scaling = &r->targets[target];
    for (int64_t i = 0; i < rows->count; i++) {
        char buffer[CRDI_LEVEL];
        if (r->target_kind != CRD_TARGET_CLASS) {
            y[i * r->target_count + target] = (column->number[rows->row[i]] - scaling->mean) / scaling->sd;
            continue;
        }
        const char *name = crdi_level(column, rows->row[i], buffer);
        int64_t k = find_class(r, name);
        y[i] = (double)k;
        if (k >= 0)
            continue;
        crdi_string seen;
        crdi_string_init(&seen, t->ctx);
        for (k = 0; k < r->class_count; k++)
            add_seen(&seen, r->class_name[k]);
        crd_status status = raise_unseen(t, column, rows->row[i], name, "class", &seen);
        crdi_string_clear(&seen);
        return status;
    }
    return CRD_OK;
}

/* ---- new data -------------------------------------------------------------------------------------------------- */

struct applying {
    const crd_recipe *recipe;
    const crd_table *table;
    const crd_apply_options *options;
    crdi_rows rows;
    int64_t *column; /* by feature: the table's column */
    crdi_use *use; /* by feature, then of the targets if they are needed */
    int64_t use_count;
    crd_inputs *inputs;
};

static crd_status find_features(struct applying *a)
{
    const crd_recipe *r = a->recipe;
    const crd_table *t = a->table;
    crdi_string missing;
    int64_t count = 0;
    crdi_string_init(&missing, t->ctx);
    for (int64_t j = 0, end; j < r->feature_count; j = end) {
        int64_t c = crd_table_find(t, r->feature[j].column);
        end = crdi_recipe_group(r, j);
        for (int64_t i = j; i < end; i++) {
            a->column[i] = c;
            a->use[i] = (crdi_use){c, r->feature[i].level != NULL, CRDI_ROLE_NEW_FEATURE};
        }
        if (c >= 0)
            continue;
        char shown[CRDI_SHOWN];
        crdi_string_append(&missing, "%s'%s'", count++ ? ", " : "", crdi_csv_show(shown, r->feature[j].column));
    }
    crd_status status = missing.status;
    if (count && status == CRD_OK)
        status = crdi_table_check_separator(t);
    if (count && status == CRD_OK)
        status = crdi_raise(t->ctx, CRD_EMISSING, "%s: the fit used %s that %s not there: %s", t->name,
                            count == 1 ? "a column" : "columns", count == 1 ? "is" : "are", crdi_string_text(&missing));
    crdi_string_clear(&missing);
    return status;
}

/* Where the targets must be there. */
static crd_status find_targets(struct applying *a)
{
    const crd_recipe *r = a->recipe;
    const crd_table *t = a->table;
    char shown[CRDI_SHOWN];
    a->use_count = r->feature_count;
    for (int64_t i = 0; i < r->target_count && a->options->target == CRD_APPLY_TARGET_NEEDED; i++) {
        int64_t c = crd_table_find(t, r->targets[i].name);
        if (c < 0)
            CRD_TRY(crdi_table_check_separator(t));
        if (c < 0)
            return crdi_raise(t->ctx, CRD_EMISSING, "%s: the target '%s' is not there, to hold predictions against",
                              t->name, crdi_csv_show(shown, r->targets[i].name));
        a->use[a->use_count++] = (crdi_use){c, r->target_kind == CRD_TARGET_CLASS, CRDI_ROLE_NEW_TARGET};
    }
    return CRD_OK;
}

static bool is_known(const crd_recipe *r, const char *name)
{
    bool known = false;
    for (int64_t j = 0; j < r->target_count && !known; j++)
        known = strcmp(r->targets[j].name, name) == 0;
    for (int64_t j = 0; j < r->feature_count && !known; j++)
        known = strcmp(r->feature[j].column, name) == 0;
    for (int64_t j = 0; j < r->constant_count && !known; j++)
        known = strcmp(r->constant[j], name) == 0;
    return known;
}

static crd_status list_extra(struct applying *a)
{
    const crd_table *t = a->table;
    a->inputs->extra = crdi_alloc_array(t->ctx, t->column_count, sizeof *a->inputs->extra);
    if (!a->inputs->extra)
        return CRD_ENOMEM;
    for (int64_t c = 0; c < t->column_count; c++) {
        if (is_known(a->recipe, t->column[c].name))
            continue;
        char *copy = crdi_strdup(t->ctx, t->column[c].name);
        if (!copy)
            return CRD_ENOMEM;
        a->inputs->extra[a->inputs->extra_count++] = copy;
    }
    return CRD_OK;
}

/* Reads the targets where all are there in all rows used. */
static crd_status read_targets(struct applying *a)
{
    const crd_recipe *r = a->recipe;
    const crd_table *t = a->table;
    for (int64_t i = 0; i < r->target_count; i++) {
        int64_t c = crd_table_find(t, r->targets[i].name), missing = c < 0 ? 0 : crdi_rows_missing(t, c, &a->rows);
        if (missing)
            crdi_log(t->ctx, "%s: the target '%s' is missing in %lld of %lld rows and not used", t->name,
                     r->targets[i].name, (long long)missing, (long long)a->rows.count);
        if (c < 0 || missing)
            return CRD_OK;
        CRD_TRY(crdi_rows_check(t, &(crdi_use){c, r->target_kind == CRD_TARGET_CLASS, CRDI_ROLE_NEW_TARGET}, 1,
                                CRD_NA_ERROR, &a->rows));
    }
    CRD_TRY(crd_array_init(t->ctx, &a->inputs->y, crdi_recipe_shape(r, a->rows.count)));
    for (int64_t i = 0; i < r->target_count; i++)
        CRD_TRY(crdi_recipe_target(r, i, t, crd_table_find(t, r->targets[i].name), &a->rows, a->inputs->y.data));
    return CRD_OK;
}

static crd_status fill(struct applying *a)
{
    const crd_recipe *r = a->recipe;
    crd_context *ctx = a->table->ctx;
    a->column = crdi_alloc_array(ctx, r->feature_count, sizeof *a->column);
    a->use = crdi_alloc_array(ctx, r->feature_count + r->target_count, sizeof *a->use);
    if (!a->column || !a->use)
        return CRD_ENOMEM;
    CRD_TRY(find_features(a));
    CRD_TRY(find_targets(a));
    CRD_TRY(crdi_rows_select(a->table, a->options->rows, &a->rows));
    CRD_TRY(crdi_rows_check(a->table, a->use, a->use_count, a->options->na, &a->rows));
    CRD_TRY(list_extra(a));
    CRD_TRY(crd_array_init(ctx, &a->inputs->x, crd_shape_2(a->rows.count, r->feature_count)));
    CRD_TRY(crdi_recipe_inputs(r, a->table, a->column, &a->rows, a->inputs->x.data));
    if (a->options->target != CRD_APPLY_TARGET_IGNORED)
        CRD_TRY(read_targets(a));
    a->inputs->row = a->rows.row;
    a->inputs->left_out = a->rows.left_out;
    a->rows.row = NULL;
    return CRD_OK;
}

crd_status crd_dataset_apply(crd_context *ctx, const crd_recipe *recipe, const crd_table *table,
                             const crd_apply_options *options, crd_inputs **out)
{
    static const crd_apply_options defaults = {0};
    struct applying a = {.recipe = recipe, .table = table, .options = options ? options : &defaults};
    if (table->ctx != ctx)
        return crdi_raise(ctx, CRD_EINVAL, "%s: the table belongs to another context", table->name);
    a.inputs = crdi_alloc(ctx, sizeof *a.inputs);
    if (!a.inputs)
        return CRD_ENOMEM;
    a.inputs->ctx = ctx;
    crd_status status = fill(&a);
    crdi_free(ctx, a.column);
    crdi_free(ctx, a.use);
    crdi_free(ctx, a.rows.row);
    if (status < 0)
        crd_inputs_destroy(&a.inputs);
    else
        *out = a.inputs;
    return status;
}

void crd_inputs_destroy(crd_inputs **inputs)
{
    if (!inputs || !*inputs)
        return;
    crd_inputs *p = *inputs;
    crd_array_clear(&p->x);
    crd_array_clear(&p->y);
    crdi_free(p->ctx, p->row);
    crdi_names_free(p->ctx, p->extra, p->extra_count);
    crdi_free(p->ctx, p);
    *inputs = NULL;
}
