/* view.h - an array seen in another order: extents and strides over somebody else's elements. */
#ifndef CRDI_VIEW_H
#define CRDI_VIEW_H

#include <stdint.h>

enum { CRDI_VIEW_DIMS = 6 };

typedef struct crdi_view {
    int ndim; /* 1 to CRDI_VIEW_DIMS */
    int64_t dim[CRDI_VIEW_DIMS];
    int64_t stride[CRDI_VIEW_DIMS]; /* in elements; 0 repeats, a negative one runs backwards */
    int64_t offset; /* of element (0, 0, ...) */
    int64_t size; /* product of dim */
} crdi_view;

#endif
