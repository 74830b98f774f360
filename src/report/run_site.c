/* run_site.c - see run_site.h. */
#include "report/run_site.h"

#include <string.h>

bool crdi_run_site_is(const char *pattern, const crd_column *column, const char *label)
{
    if (column->kind == CRD_COLUMN_STATISTIC)
        return strcmp(pattern, column->name) == 0;
    return crdi_match(pattern, column->name) || crdi_match(pattern, label);
}

static const char *column_name(const void *list, int64_t i)
{
    return crd_run_column(list, (int)i)->name;
}

crd_status crdi_run_raise_unknown_site(const crdi_network_run *net, const char *pattern)
{
    const char *bracket = strchr(pattern, '[');
    size_t length = bracket ? (size_t)(bracket - pattern) : strlen(pattern);
    char shape[96];
    int count = crd_run_column_count(net->run);
    for (int c = 0; c < count && bracket; c++) {
        const crd_column *column = crd_run_column(net->run, c);
        if (strlen(column->name) == length && memcmp(column->name, pattern, length) == 0)
            return crdi_raise(net->ctx, CRD_ENAME, "%s: site '%s': the shape of %s is %s", net->path, pattern,
                              column->name, crdi_shape_text(column->shape, shape, sizeof shape));
    }
    if (net->is_network && length == 1 && *pattern == 'f')
        return crdi_raise(net->ctx, CRD_ENAME, "%s: the site 'f' was not kept; fit --keep f stores it with the draws",
                          net->path);
    return crdi_error_prefix(net->ctx, crdi_raise_unknown(net->ctx, "site", pattern, column_name, net->run, count),
                             "%s", net->path);
}
