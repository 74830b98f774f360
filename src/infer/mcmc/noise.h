/* noise.h - what the noise of batches' gradients does to the draws of a standard normal, in closed form.
 *
 * A kernel that moves a position x and a momentum p linearly, z' = A z + b xi + c n, with xi standard normal and n the gradient's
 * noise: of variance v, and summing to nothing over the batches of an epoch, in which every two have covariance
 * -v / (batches - 1). Batches that are drawn with replacement would be an epoch of one.
 *
 * The noise of an epoch's first k batches then adds
 *   Q_k = v (K / (K - 1) sum_j A^j c c' A'^j - S S' / (K - 1)),   S = sum_j A^j c,  j < k,
 * to the covariance of z, and epochs are independent, so that the covariance behind k batches is A^k P A'^k + Q_k where
 * P = A^K P A'^K + Q_K. Draws come from all places of an epoch: the mean over k is taken. Where an epoch is short beside the time
 * in which draws are forgotten, little is left of the noise; where it is long, as much as of independent batches. */
#ifndef CRDI_NOISE_H
#define CRDI_NOISE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct crdi_linear_kernel {
    double a[2][2], b[2], c[2];
} crdi_linear_kernel;

/* The kernel sgld at curvature 1 in the metric's units. */
crdi_linear_kernel crdi_linear_sgld(double step);
/* The kernel sghmc, without its estimate of the noise. */
crdi_linear_kernel crdi_linear_sghmc(double step, double friction);
/* Variance of x from xi alone, and for noise of variance 1 from that alone; batches an epoch, 0: independent ones. Infinite where the
 * kernel is not stable. Costs some 40 operations a batch. */
double crdi_linear_injected(const crdi_linear_kernel *kernel);
double crdi_linear_noise(const crdi_linear_kernel *kernel, int64_t batches);

#endif
