/* table.c - tables of named columns. */
#include "store/csv.h"

#include <string.h>

void crd_table_destroy(crd_table **table)
{
    if (!table || !*table)
        return;
    crd_table *t = *table;
    for (int64_t c = 0; c < t->column_count; c++) {
        crdi_free(t->ctx, t->column[c].name);
        crdi_free(t->ctx, t->column[c].number);
        crdi_free(t->ctx, t->column[c].text);
    }
    crdi_free(t->ctx, t->column);
    crdi_free(t->ctx, t->line);
    crdi_free(t->ctx, t->name);
    crdi_free(t->ctx, t);
    *table = NULL;
}

int64_t crd_table_find(const crd_table *table, const char *name)
{
    for (int64_t c = 0; c < table->column_count; c++)
        if (strcmp(table->column[c].name, name) == 0)
            return c;
    return -1;
}

static const char *column_name(const void *list, int64_t i)
{
    return ((const crd_table *)list)->column[i].name;
}

crd_status crdi_table_raise_unknown(const crd_table *table, const char *name)
{
    crd_status status = crdi_raise_unknown(table->ctx, "column", name, column_name, table, table->column_count);
    return crdi_error_prefix(table->ctx, status, "%s", table->name);
}
