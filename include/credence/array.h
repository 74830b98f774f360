/* array.h - a plain array of numbers in row-major (C) order: how data come in and results go out. */
#ifndef CREDENCE_ARRAY_H
#define CREDENCE_ARRAY_H

#include <credence/context.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most axes of an array. */
enum { CRD_MAX_DIMS = 6 };

/** The extents of an array. ndim 0 is a scalar (one element). */
typedef struct crd_shape {
    int ndim; /**< 0 to CRD_MAX_DIMS */
    int64_t dim[CRD_MAX_DIMS]; /**< extents; entries from ndim on are 0 */
} crd_shape;

/** An array: shape and elements, row-major. The struct is open: a caller may point it at memory of its own. */
typedef struct crd_array {
    crd_shape shape; /**< its extents */
    double *data; /**< crd_shape_size(shape) numbers, row-major */
    crd_context *owner; /**< NULL: the memory is borrowed; else crd_array_clear frees it */
} crd_array;

/** Returns the number of elements of a shape (1 for a scalar).
 *  @param shape  any. */
CRD_API int64_t crd_shape_size(crd_shape shape);

/** Makes an array of zeros. @return CRD_OK; CRD_ENOMEM; CRD_ESHAPE for a negative extent.
 *  @param ctx  owns the memory. @param out  overwritten on success. Free it with crd_array_clear.
 *  @param shape  extents of 0 or more. */
CRD_API CRD_MUST_CHECK crd_status crd_array_init(crd_context *ctx, crd_array *out, crd_shape shape);

/** Frees the elements if the array owns them, and empties it.
 *  @param array  may be NULL. */
CRD_API void crd_array_clear(crd_array *array);

/** Points an array at memory of the caller's (borrowed): the number of dims and then each extent, as int.
 *  @param data  borrowed, crd_shape_size(shape) numbers. @param shape  of the array. */
CRD_API crd_array crd_array_borrow(double *data, crd_shape shape);

/** Builds a shape of up to two extents, the ones that come up most. */
CRD_API crd_shape crd_shape_0(void);
/** The shape of a vector.
 *  @param n  its length. */
CRD_API crd_shape crd_shape_1(int64_t n);
/** The shape of a matrix.
 *  @param rows, columns  its extents. */
CRD_API crd_shape crd_shape_2(int64_t rows, int64_t columns);

#ifdef __cplusplus
}
#endif
#endif
