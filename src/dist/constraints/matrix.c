/* matrix.c - matrices that parameters are: lower triangular with a positive diagonal, symmetric positive definite. */
#include "dist/constraint.h"

#include <math.h>

static bool holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return isfinite(x);
}

static bool is_lower_cholesky(const double *event, int64_t rows, int64_t columns)
{
    bool good = rows == columns;
    for (int64_t r = 0; good && r < rows; r++) {
        good = event[r * columns + r] > 0;
        for (int64_t c = r + 1; c < columns; c++)
            good = good && event[r * columns + c] == 0;
    }
    return good;
}

/* Symmetric up to rounding, with a positive diagonal that bounds what is off it: what can be told without a factor. A
 * matrix that passes and is not positive definite has a NaN density. */
static bool is_symmetric(const double *event, int64_t rows, int64_t columns)
{
    bool good = rows == columns;
    for (int64_t r = 0; good && r < rows; r++) {
        good = event[r * columns + r] > 0;
        for (int64_t c = 0; good && c < r; c++) {
            double here = event[r * columns + c], there = event[c * columns + r];
            good = fabs(here - there) <= 1e-8 * fabs(here) &&
                   here * here < event[r * columns + r] * event[c * columns + c];
        }
    }
    return good;
}

const crdi_constraint crdi_constraint_lower_cholesky = {.event_ndim = 2, .holds = holds, .whole = is_lower_cholesky};
const crdi_constraint crdi_constraint_positive_definite = {.event_ndim = 2, .holds = holds, .whole = is_symmetric};
