/* eigen.h - eigenvectors of a symmetric matrix. */
#ifndef CRDI_EIGEN_H
#define CRDI_EIGEN_H

#include <stdint.h>

/* a (n, n) symmetric -> its eigenvalues and, as columns of `vectors`, its eigenvectors; a is overwritten. Jacobi's method in rows and
 * columns in turn (Golub & Van Loan 2013, algorithm 8.5.3), exact to rounding relative to the largest. */
void crdi_eigen(double *a, int64_t n, double *values, double *vectors);

#endif
