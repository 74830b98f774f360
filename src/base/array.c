/* array.c - shapes and plain arrays. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

int64_t crd_shape_size(crd_shape shape)
{
    int64_t size = 1;
    for (int d = 0; d < shape.ndim; d++)
        size *= shape.dim[d];
    return size;
}

crd_shape crd_shape_0(void)
{
    return (crd_shape){0};
}

crd_shape crd_shape_1(int64_t n)
{
    return (crd_shape){1, {n}};
}

crd_shape crd_shape_2(int64_t rows, int64_t columns)
{
    return (crd_shape){2, {rows, columns}};
}

crd_status crd_array_init(crd_context *ctx, crd_array *out, crd_shape shape)
{
    char text[96];
    for (int d = 0; d < shape.ndim; d++)
        if (shape.dim[d] < 0)
            return crdi_raise(ctx, CRD_ESHAPE, "array of shape %s: extents cannot be negative",
                              crdi_shape_text(shape, text, sizeof text));
    double *data = crdi_alloc_array(ctx, crd_shape_size(shape), sizeof *data);
    if (!data)
        return CRD_ENOMEM;
    *out = (crd_array){shape, data, ctx};
    return CRD_OK;
}

void crd_array_clear(crd_array *array)
{
    if (array->owner)
        crdi_free(array->owner, array->data);
    *array = (crd_array){0};
}

crd_array crd_array_borrow(double *data, crd_shape shape)
{
    return (crd_array){shape, data, NULL};
}

const char *crdi_shape_text(crd_shape shape, char *buffer, size_t size)
{
    size_t used = (size_t)snprintf(buffer, size, "(");
    for (int d = 0; d < shape.ndim && used < size; d++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%lld", d ? ", " : "", (long long)shape.dim[d]);
    if (used < size)
        snprintf(buffer + used, size - used, shape.ndim == 1 ? ",)" : ")");
    return buffer;
}

bool crdi_shape_equal(crd_shape a, crd_shape b)
{
    return a.ndim == b.ndim && memcmp(a.dim, b.dim, sizeof a.dim[0] * (size_t)a.ndim) == 0;
}
