/* canonical.c - see canonical.h. */
#include "nn/canonical.h"

#include <math.h>
#include <string.h>

int64_t crdi_mlp_scratch(const crdi_mlp *mlp)
{
    int64_t most = 0;
    for (int l = 0; l < mlp->layers; l++) {
        int64_t kernel = mlp->width[l] * mlp->width[l + 1];
        most = kernel > most ? kernel : most;
        most = mlp->width[l + 1] > most ? mlp->width[l + 1] : most;
    }
    return most;
}

void crdi_mlp_move(double *array, int64_t rows, int64_t columns, int axis, const crdi_mlp_units *units, bool signed_too,
                   double *scratch)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            int64_t unit = axis == 0 ? i : j;
            int64_t from = axis == 0 ? units->from[i] * columns + j : i * columns + units->from[j];
            scratch[i * columns + j] = signed_too ? units->sign[unit] * array[from] : array[from];
        }
    memcpy(array, scratch, (size_t)(rows * columns) * sizeof *array);
}

/* The lengths are taken of numbers that cannot overflow when squared. */
static double length(const double *x, int64_t count, int64_t stride, double more)
{
    double largest = fabs(more), sum = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(x[i * stride]));
    if (!(largest > 0) || !isfinite(largest))
        return largest;
    for (int64_t i = 0; i < count; i++)
        sum += x[i * stride] / largest * (x[i * stride] / largest);
    return largest * sqrt(sum + more / largest * (more / largest));
}

/* A unit whose incoming weights are all 0, or not finite, stays as it is. */
static void scale(double *in, double *bias, double *out, int64_t inputs, int64_t units, int64_t outputs)
{
    for (int64_t j = 0; j < units; j++) {
        double size = length(in + j, inputs, units, bias[j]);
        if (!(size > 0) || !isfinite(size))
            continue;
        for (int64_t i = 0; i < inputs; i++)
            in[i * units + j] /= size;
        bias[j] /= size;
        for (int64_t k = 0; k < outputs; k++)
            out[j * outputs + k] *= size;
    }
}

/* The sign of the sum of the incoming weights; of the bias where that is 0. */
static double sign_of(const double *in, double bias, int64_t inputs, int64_t units)
{
    double sum = 0;
    for (int64_t i = 0; i < inputs; i++)
        sum += in[i * units];
    return sum < 0 || (sum == 0 && bias < 0) ? -1 : 1;
}

/* Turns the units that are to be turned, all incoming weights and, as the activation has it, what follows. */
static void turn(unsigned symmetry, double *in, double *bias, double *out, double *bias_out, int64_t inputs,
                 int64_t units, int64_t outputs, double *sign)
{
    for (int64_t j = 0; j < units; j++) {
        sign[j] = symmetry & (CRDI_ODD | CRDI_EVEN | CRDI_HALF_TURN) ? sign_of(in + j, bias[j], inputs, units) : 1;
        if (sign[j] > 0)
            continue;
        for (int64_t i = 0; i < inputs; i++)
            in[i * units + j] = -in[i * units + j];
        bias[j] = -bias[j];
        for (int64_t k = 0; k < outputs && !(symmetry & CRDI_EVEN); k++) {
            if (symmetry & CRDI_HALF_TURN)
                bias_out[k] += out[j * outputs + k]; /* v a(z) = v - v a(-z) */
            out[j * outputs + k] = -out[j * outputs + k];
        }
    }
}

/* Largest first; of equal ones the lower index, what is no number last. */
static bool before(const double *size, int64_t a, int64_t b)
{
    return size[a] > size[b] || (size[a] == size[b] && a < b) || (!isnan(size[a]) && isnan(size[b]));
}

/* A heap, which needs no memory. */
static void sift(int64_t *from, const double *size, int64_t at, int64_t count)
{
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && before(size, from[child], from[child + 1]))
            child++;
        if (!before(size, from[at], from[child]))
            return;
        int64_t other = from[at];
        from[at] = from[child];
        from[child] = other;
    }
}

static void sort(int64_t *from, const double *size, int64_t count)
{
    for (int64_t j = 0; j < count; j++)
        from[j] = j;
    for (int64_t j = count / 2; j-- > 0;)
        sift(from, size, j, count);
    for (int64_t end = count - 1; end > 0; end--) {
        int64_t last = from[0];
        from[0] = from[end];
        from[end] = last;
        sift(from, size, 0, end);
    }
}

void crdi_mlp_canonical(const crdi_mlp *mlp, double *const *kernel, double *const *bias, const crdi_mlp_units *units,
                        double *scratch)
{
    /* All scales come first: the sizes that give a layer its order would change with those of the layer behind it. */
    for (int l = 0; l + 1 < mlp->layers && mlp->symmetry & CRDI_HOMOGENEOUS; l++)
        scale(kernel[l], bias[l], kernel[l + 1], mlp->width[l], mlp->width[l + 1], mlp->width[l + 2]);
    for (int l = 0; l + 1 < mlp->layers; l++) {
        int64_t inputs = mlp->width[l], count = mlp->width[l + 1], outputs = mlp->width[l + 2];
        double *in = kernel[l], *out = kernel[l + 1];
        turn(mlp->symmetry, in, bias[l], out, bias[l + 1], inputs, count, outputs, units[l].sign);
        for (int64_t j = 0; j < count; j++)
            scratch[j] = length(in + j, inputs, count, 0) * length(out + j * outputs, outputs, 1, 0);
        sort(units[l].from, scratch, count);
        crdi_mlp_move(in, inputs, count, 1, &units[l], false, scratch);
        crdi_mlp_move(bias[l], 1, count, 1, &units[l], false, scratch);
        crdi_mlp_move(out, count, outputs, 0, &units[l], false, scratch);
        /* signs by the new places */
        crdi_mlp_move(units[l].sign, 1, count, 1, &units[l], false, scratch);
    }
}
