/* posterior.c - see posterior.h. */
#include <credence/posterior.h>
#include "base/base.h"

#include <stdio.h>
#include <string.h>

/* Numbers in a column; more than can be asked for when they cannot be counted. */
static int64_t numbers_in(int chains, int64_t draws, int64_t size)
{
    bool countable = chains == 0 || size == 0 || draws <= INT64_MAX / chains / size;
    return countable ? chains * draws * size : INT64_MAX;
}

crd_status crd_posterior_create(crd_posterior **out, crd_context *ctx, int chains, int64_t draws,
                                const crd_column *columns, int column_count)
{
    crd_posterior *p = crdi_alloc(ctx, sizeof *p);
    if (!p)
        return CRD_ENOMEM;
    *p = (crd_posterior){.ctx = ctx, .chains = chains, .draws = draws};
    p->column = crdi_alloc_array(ctx, column_count, sizeof *p->column);
    bool whole = p->column != NULL;
    for (int c = 0; whole && c < column_count; c++) {
        crd_column *column = &p->column[p->column_count++];
        *column = columns[c];
        column->size = crd_shape_size(column->shape);
        column->name = crdi_strdup(ctx, columns[c].name);
        column->draws = crdi_alloc_array(ctx, numbers_in(chains, draws, column->size), sizeof *column->draws);
        whole = column->name && column->draws;
    }
    if (!whole) {
        crd_posterior_destroy(&p);
        return CRD_ENOMEM;
    }
    *out = p;
    return CRD_OK;
}

void crd_posterior_destroy(crd_posterior **posterior)
{
    if (!posterior || !*posterior)
        return;
    crd_posterior *p = *posterior;
    for (int c = 0; c < p->column_count; c++) {
        crdi_free(p->ctx, p->column[c].name);
        crdi_free(p->ctx, p->column[c].draws);
    }
    crdi_free(p->ctx, p->column);
    crdi_free(p->ctx, p);
    *posterior = NULL;
}

const crd_column *crd_posterior_find(const crd_posterior *posterior, const char *name)
{
    for (int c = 0; c < posterior->column_count; c++)
        if (strcmp(posterior->column[c].name, name) == 0)
            return &posterior->column[c];
    return NULL;
}

void crd_posterior_series(const crd_posterior *posterior, const crd_column *column, int64_t element, double *out)
{
    int64_t count = posterior->chains * posterior->draws;
    for (int64_t i = 0; i < count; i++)
        out[i] = column->draws[i * column->size + element];
}

const char *crd_column_label(const crd_column *column, int64_t element, char *buffer, size_t size)
{
    int64_t index[CRD_MAX_DIMS];
    for (int d = column->shape.ndim - 1; d >= 0; d--) {
        index[d] = element % column->shape.dim[d];
        element /= column->shape.dim[d];
    }
    size_t used = (size_t)snprintf(buffer, size, "%s", column->name);
    for (int d = 0; d < column->shape.ndim && used < size; d++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%lld%s", d ? "," : "[", (long long)index[d],
                                 d == column->shape.ndim - 1 ? "]" : "");
    return buffer;
}

int64_t crd_posterior_divergences(const crd_posterior *posterior)
{
    const crd_column *column = crd_posterior_find(posterior, "diverging");
    int64_t divergences = 0;
    for (int64_t i = 0; column && i < posterior->chains * posterior->draws; i++)
        divergences += column->draws[i] != 0;
    return divergences;
}
