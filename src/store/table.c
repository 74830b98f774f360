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

crd_status crdi_table_check_separator(const crd_table *table)
{
    char shown[CRDI_SHOWN];
    const char *name = table->column_count == 1 ? table->column[0].name : "", *found = strpbrk(name, ",;\t");
    if (!found)
        return CRD_OK;
    return crdi_raise(table->ctx, CRD_ENAME, "%s: one column called '%s'; is the separator %s?", table->name,
                      crdi_csv_show(shown, name),
                      *found == ','   ? "','"
                      : *found == ';' ? "';'"
                                      : "a tab");
}

crd_status crdi_table_raise_unknown(const crd_table *table, const char *name)
{
    CRD_TRY(crdi_table_check_separator(table));
    crd_status status = crdi_raise_unknown(table->ctx, "column", name, column_name, table, table->column_count);
    return crdi_error_prefix(table->ctx, status, "%s", table->name);
}
