/* loops.h - the loops, written once; NAME.c compiles them for the instruction set NAME. Widths and rows are constants. */
#include "hand/hand.h"

#include "kernel/vmath/exponential.h"
#include "kernel/vmath/logarithm.h"

#include <stdint.h>

#define JOIN_(a, b, c) a##b##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

#define HALF_LOG_TWO_PI 0.91893853320467274178

/* f = tanh(x w + b) v + c, the hidden units kept; the residual y - f. Returns its sum of squares. */
VM_INLINE double forward(int units, hand_work *k, const double *w, const double *b, const double *v, double c)
{
    double f[HAND_ROWS], squares = 0;
    for (int i = 0; i < HAND_ROWS; i++)
        f[i] = k->y[i] - c;
    for (int j = 0; j < units; j++) {
        double *h = k->hidden + (int64_t)j * HAND_ROWS;
#pragma omp simd aligned(h : 64)
        for (int i = 0; i < HAND_ROWS; i++) {
            h[i] = vm_tanh(w[j] * k->x[i] + b[j]);
            f[i] -= h[i] * v[j];
        }
    }
#pragma omp simd reduction(+ : squares)
    for (int i = 0; i < HAND_ROWS; i++) {
        k->residual[i] = f[i];
        k->product[i] = f[i] * k->x[i];
        squares += f[i] * f[i];
    }
    return squares;
}

/* The gradients of all units in one pass over the hidden values; `precision` is 1 / s^2. */
VM_INLINE void backward(int units, const hand_work *k, double precision, const double *u, double *gradient)
{
    const double *b = u, *w = u + units, *v = u + 2 * units + 1;
    double *db = gradient, *dw = gradient + units, *dv = gradient + 2 * units + 1;
    for (int j = 0; j < units; j++) {
        const double *h = k->hidden + (int64_t)j * HAND_ROWS;
        double sum_w = 0, sum_b = 0, sum_v = 0;
#pragma omp simd reduction(+ : sum_w, sum_b, sum_v) aligned(h : 64)
        for (int i = 0; i < HAND_ROWS; i++) {
            double slope = 1 - h[i] * h[i];
            sum_v += k->residual[i] * h[i];
            sum_b += k->residual[i] * slope;
            sum_w += k->product[i] * slope;
        }
        dv[j] = precision * sum_v - v[j];
        db[j] = precision * v[j] * sum_b - b[j];
        dw[j] = precision * v[j] * sum_w - w[j];
    }
}

VM_INLINE double gradient_of(int units, hand_work *k, const double *u, double *gradient)
{
    int dim = 3 * units + 2;
    double c = u[2 * units], log_s = u[dim - 1], weights = 0, residuals = 0;
    double squares = forward(units, k, u + units, u, u + 2 * units + 1, c);
    double s = vm_exp(log_s), precision = 1 / (s * s), ratio = 4 * s * s;
    backward(units, k, precision, u, gradient);
#pragma omp simd reduction(+ : weights)
    for (int j = 0; j < dim - 1; j++)
        weights += u[j] * u[j];
#pragma omp simd reduction(+ : residuals)
    for (int i = 0; i < HAND_ROWS; i++)
        residuals += k->residual[i];
    gradient[2 * units] = precision * residuals - c;
    /* d/d log s of -N log s - squares / (2 s^2) - log(1 + 4 s^2) + log s */
    gradient[dim - 1] = precision * squares - HAND_ROWS + 1 - 2 * ratio / (1 + ratio);
    double likelihood = -0.5 * precision * squares - HAND_ROWS * (log_s + HALF_LOG_TWO_PI);
    double prior = -0.5 * weights - (dim - 1) * HALF_LOG_TWO_PI;
    double noise = log_s + 0.24156447527049044469 - vm_log1p(ratio); /* log(4 / pi) */
    return likelihood + prior + noise;
}

VM_INLINE double leapfrog_of(int units, hand_work *k, double step, const double *inverse_metric, int steps, double *u,
                             double *momentum, double *gradient)
{
    int dim = 3 * units + 2;
    double value = 0;
    for (int t = 0; t < steps; t++) {
#pragma omp simd
        for (int j = 0; j < dim; j++) {
            momentum[j] += 0.5 * step * gradient[j];
            u[j] += step * inverse_metric[j] * momentum[j];
        }
        value = gradient_of(units, k, u, gradient);
#pragma omp simd
        for (int j = 0; j < dim; j++)
            momentum[j] += 0.5 * step * gradient[j];
    }
    return value;
}

#define MODEL(units)                                                                                                   \
    static double gradient_##units(hand_work *work, const double *u, double *gradient)                                 \
    {                                                                                                                  \
        return gradient_of(units, work, u, gradient);                                                                  \
    }                                                                                                                  \
    static double leapfrog_##units(hand_work *work, double step, const double *inverse_metric, int steps, double *u,   \
                                   double *momentum, double *gradient)                                                 \
    {                                                                                                                  \
        return leapfrog_of(units, work, step, inverse_metric, steps, u, momentum, gradient);                           \
    }
MODEL(10)
MODEL(100)

extern const hand_model JOIN(hand_, ISA, _models)[2];
const hand_model JOIN(hand_, ISA, _models)[2] = {{TEXT(ISA), 10, gradient_10, leapfrog_10},
                                                 {TEXT(ISA), 100, gradient_100, leapfrog_100}};
