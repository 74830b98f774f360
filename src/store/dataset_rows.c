/* dataset_rows.c - which rows of a table are used. */
#include "store/dataset.h"
#include "store/input.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The next word of a text, NULL at its end. Steps over white space and counts lines. */
static const char *next_word(const char **at, int64_t *line, size_t *length)
{
    const char *p = *at + strspn(*at, " \t\r\n\f\v");
    for (const char *q = *at; q < p; q++)
        *line += *q == '\n';
    *length = strcspn(p, " \t\r\n\f\v");
    *at = p + *length;
    return *length ? p : NULL;
}

struct listing {
    const crd_table *table;
    const char *path;
    int64_t capacity;
    bool *seen; /* by row of the table */
    crdi_rows rows;
};

/* Takes whole numbers however they are written: numpy.savetxt writes 3 as 3.000000000000000000e+00. */
static crd_status add_row(struct listing *l, const char *word, size_t length, int64_t line)
{
    crd_context *ctx = l->table->ctx;
    double value;
    crdi_csv_cell cell = {.start = word, .length = length};
    if (crdi_csv_classify(&cell, &value) != CRDI_CELL_NUMBER || value != floor(value))
        return crdi_raise(ctx, CRD_EDATA, "%s:%lld: '%.*s' is not a row number", l->path, (long long)line,
                          length < 40 ? (int)length : 40, word);
    if (value < 0 || value >= (double)l->table->row_count)
        return crdi_raise(ctx, CRD_EDATA, "%s:%lld: row %.0f, but the rows of %s are 0 to %lld", l->path,
                          (long long)line, value, l->table->name, (long long)l->table->row_count - 1);
    int64_t row = (int64_t)value;
    if (l->seen[row])
        return crdi_raise(ctx, CRD_EDATA, "%s:%lld: row %lld is listed twice", l->path, (long long)line,
                          (long long)row);
    l->seen[row] = true;
    CRD_TRY(crdi_grow(ctx, &l->rows.row, &l->capacity, l->rows.count, sizeof *l->rows.row));
    l->rows.row[l->rows.count++] = row;
    return CRD_OK;
}

static crd_status read_rows(struct listing *l, const char *text, size_t length)
{
    crd_status status = CRD_OK;
    int64_t line = 1;
    if (strlen(text) != length)
        return crdi_raise(l->table->ctx, CRD_EDATA, "%s: a zero byte; the file is not text", l->path);
    l->seen = crdi_alloc_array(l->table->ctx, l->table->row_count, sizeof *l->seen);
    if (!l->seen)
        return CRD_ENOMEM;
    size_t size;
    for (const char *word; status == CRD_OK && (word = next_word(&text, &line, &size));)
        status = add_row(l, word, size, line);
    if (status == CRD_OK && l->rows.count == 0)
        status = crdi_raise(l->table->ctx, CRD_EDATA, "%s: the file names no rows", l->path);
    crdi_free(l->table->ctx, l->seen);
    return status;
}

static crd_status all_rows(const crd_table *table, crdi_rows *out)
{
    int64_t *row = crdi_alloc_array(table->ctx, table->row_count, sizeof *row);
    if (!row)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < table->row_count; i++)
        row[i] = i;
    *out = (crdi_rows){.row = row, .count = table->row_count};
    return CRD_OK;
}

crd_status crdi_rows_select(const crd_table *table, const char *path, crdi_rows *out)
{
    if (!path)
        return all_rows(table, out);
    char *text;
    size_t length;
    CRD_TRY(crdi_input_read(table->ctx, path, &text, &length));
    struct listing l = {.table = table, .path = path};
    crd_status status = read_rows(&l, text, length);
    crdi_free(table->ctx, text);
    if (status < 0)
        crdi_free(table->ctx, l.rows.row);
    else
        *out = l.rows;
    return status;
}

/* ---- cells that cannot be used --------------------------------------------------------------------------------- */

static bool is_missing(const crd_table_column *column, int64_t row)
{
    return isnan(column->number[row]) && !(column->text && column->text[row]);
}

static bool is_text(const crd_table_column *column, int64_t row)
{
    return isnan(column->number[row]) && column->text && column->text[row];
}

int64_t crdi_rows_missing(const crd_table *table, int64_t column, const crdi_rows *rows)
{
    int64_t missing = 0;
    for (int64_t i = 0; i < rows->count; i++)
        missing += is_missing(&table->column[column], rows->row[i]);
    return missing;
}

static crd_status raise_text(const crd_table *t, const crdi_use *use, int64_t row)
{
    char cell[CRDI_SHOWN], name[CRDI_SHOWN], advice[4 * CRDI_SHOWN] = "";
    crdi_csv_show(cell, t->column[use->column].text[row]);
    crdi_csv_show(name, t->column[use->column].name);
    if (use->role == CRDI_ROLE_FEATURE)
        snprintf(advice, sizeof advice, " (text columns: --categorical %s reads levels, --drop %s leaves it out)", name,
                 name);
    if (use->role == CRDI_ROLE_TARGET)
        snprintf(advice, sizeof advice, " (a target of classes: --categorical %s)", name);
    const char *text = t->column[use->column].text[row];
    if (crdi_csv_has_decimal_comma(text, strlen(text)))
        snprintf(advice, sizeof advice, " (a decimal comma? Numbers are written with a point: 0.73)");
    bool target = use->role == CRDI_ROLE_TARGET || use->role == CRDI_ROLE_NEW_TARGET;
    return crdi_raise(t->ctx, CRD_EDATA, "%s:%lld: %s '%s' holds '%s', which is not a finite number%s", t->name,
                      (long long)t->line[row], target ? "the target" : "column", name, cell, advice);
}

static crd_status check_text(const crd_table *t, const crdi_use *use, int64_t count, const crdi_rows *rows)
{
    for (int64_t i = 0; i < rows->count; i++)
        for (int64_t u = 0; u < count; u++)
            if (!use[u].levels && is_text(&t->column[use[u].column], rows->row[i]))
                return raise_text(t, &use[u], rows->row[i]);
    return CRD_OK;
}

static crd_status raise_missing(const crd_table *t, int64_t missing, const crdi_use *use, int64_t row)
{
    char name[CRDI_SHOWN];
    return crdi_raise(
        t->ctx, CRD_EDATA,
        "%s: %lld missing cell%s in the columns used, the first on line %lld in column '%s'; --na drop leaves "
        "such rows out",
        t->name, (long long)missing, missing == 1 ? "" : "s", (long long)t->line[row],
        crdi_csv_show(name, t->column[use->column].name));
}

crd_status crdi_rows_check(const crd_table *t, const crdi_use *use, int64_t count, crd_na na, crdi_rows *rows)
{
    CRD_TRY(check_text(t, use, count, rows));
    int64_t missing = 0, kept = 0, first_row = 0;
    const crdi_use *first = NULL;
    for (int64_t i = 0; i < rows->count; i++) {
        bool whole = true;
        for (int64_t u = 0; u < count; u++) {
            if (!is_missing(&t->column[use[u].column], rows->row[i]))
                continue;
            if (!first) {
                first = &use[u];
                first_row = rows->row[i];
            }
            missing++;
            whole = false;
        }
        if (na == CRD_NA_DROP && whole)
            rows->row[kept++] = rows->row[i];
    }
    if (missing == 0)
        return CRD_OK;
    if (na == CRD_NA_ERROR)
        return raise_missing(t, missing, first, first_row);
    if (kept == 0)
        return crdi_raise(t->ctx, CRD_EDATA, "%s: no row is left: each has a missing cell in the columns used",
                          t->name);
    rows->left_out = rows->count - kept;
    rows->count = kept;
    crdi_log(t->ctx, "%s: %lld row%s with missing cells left out, %lld kept", t->name, (long long)rows->left_out,
             rows->left_out == 1 ? "" : "s", (long long)kept);
    return CRD_OK;
}
