/* dataset_levels.c - the levels of columns that are read as categories. */
#include "store/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *crdi_level(const crd_table_column *column, int64_t row, char buffer[CRDI_LEVEL])
{
    if (isnan(column->number[row]))
        return column->text[row];
    double value = column->number[row];
    return crdi_format_double(buffer, value == 0 ? 0.0 : value); /* -0 is 0 */
}

void crdi_names_free(crd_context *ctx, char **names, int64_t count)
{
    for (int64_t i = 0; names && i < count; i++)
        crdi_free(ctx, names[i]);
    crdi_free(ctx, names);
}

struct entry {
    double number;
    const char *text; /* NULL: a number */
};

/* Numbers by value, then texts by byte. */
static int by_level(const void *a, const void *b)
{
    const struct entry *p = a, *q = b;
    if (p->text && q->text)
        return strcmp(p->text, q->text);
    if (p->text || q->text)
        return p->text ? 1 : -1;
    return (p->number > q->number) - (p->number < q->number);
}

static crd_status copy_levels(crd_context *ctx, const struct entry *sorted, int64_t count, char ***out,
                              int64_t *out_count)
{
    int64_t distinct = 0, made = 0;
    for (int64_t i = 0; i < count; i++)
        distinct += i == 0 || by_level(&sorted[i - 1], &sorted[i]) != 0;
    char **names = crdi_alloc_array(ctx, distinct, sizeof *names);
    if (!names)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < count; i++) {
        char buffer[CRDI_LEVEL];
        if (i && by_level(&sorted[i - 1], &sorted[i]) == 0)
            continue;
        const char *name = sorted[i].text ? sorted[i].text : crdi_format_double(buffer, sorted[i].number);
        names[made] = crdi_strdup(ctx, name);
        if (!names[made++]) {
            crdi_names_free(ctx, names, distinct);
            return CRD_ENOMEM;
        }
    }
    *out = names;
    *out_count = distinct;
    return CRD_OK;
}

crd_status crdi_levels(const crd_table *t, int64_t c, const crdi_rows *rows, char ***out, int64_t *out_count)
{
    const crd_table_column *column = &t->column[c];
    struct entry *entry = crdi_alloc_array(t->ctx, rows->count, sizeof *entry);
    if (!entry)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < rows->count; i++) {
        double value = column->number[rows->row[i]];
        entry[i].number = value == 0 ? 0.0 : value;
        entry[i].text = isnan(value) ? column->text[rows->row[i]] : NULL;
    }
    qsort(entry, (size_t)rows->count, sizeof *entry, by_level);
    crd_status status = copy_levels(t->ctx, entry, rows->count, out, out_count);
    crdi_free(t->ctx, entry);
    return status;
}
