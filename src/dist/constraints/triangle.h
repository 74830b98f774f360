/* triangle.h - what the bijections of matrices share; see triangle.c. */
#ifndef CRDI_TRIANGLE_H
#define CRDI_TRIANGLE_H

#include "dist/constraint.h"

/* The n of the n (n - 1) / 2 numbers of a strictly lower triangle, or of n (n + 1) / 2 with the diagonal. */
int64_t crdi_triangle_rows(crd_node u, int diagonal);
/* The i numbers of row i, counted from 0, of a strictly lower triangle that is stored row by row. */
crd_node crdi_triangle_row(crd_node u, int64_t i);
/* A constant like x, of `count` columns. */
crd_node crdi_columns_of(crd_node x, double value, int64_t count);
/* (.., n) -> (.., 1, n) and (.., n, 1) */
crd_node crdi_as_row(crd_node x);
crd_node crdi_as_column(crd_node x);
/* Whether matrices (.., n, n) are 0 above a diagonal that is positive. */
crd_node crdi_is_triangle(crd_node x);
/* The Cholesky factor of matrices (.., n, n), transposed; NaN where they have none. */
crd_node crdi_transposed_factor(crd_node x);

#endif
