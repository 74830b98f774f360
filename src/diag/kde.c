/* kde.c - a density from draws, by Gaussian kernels. */
#include "diag/diag.h"
#include "kernel/vmath.h"

double crd_diag_bandwidth(const double *x, int64_t n, crd_bandwidth rule, double factor)
{
    if (rule == CRD_BANDWIDTH_SCOTT)
        factor = vm_exp(-vm_log((double)n) / 5);
    else if (rule == CRD_BANDWIDTH_SILVERMAN)
        factor = vm_exp(-vm_log((double)n * 0.75) / 5);
    return factor * crd_diag_sd(x, n);
}

void crd_diag_kde(const double *x, int64_t n, double width, const double *grid, int64_t points, double *out)
{
    const double root_of_two_pi = 2.50662827463100050242;
    bool sensible = width > 0 && crdi_diag_finite(x, n);
    for (int64_t j = 0; j < points; j++) {
        double sum = 0;
        for (int64_t i = 0; sensible && i < n; i++) {
            double z = (grid[j] - x[i]) / width;
            sum += vm_exp(-z * z / 2);
        }
        out[j] = sensible ? sum / ((double)n * width * root_of_two_pi) : NAN;
    }
}
