/* tutorial.c - see tutorial.h.
 *
 * The page draws x with the key itself and then splits it, and takes the halves as `sub_key, key`. Its jnp.sort acts on an
 * axis of length one, so x stays in the order in which it was drawn. */
#include "nn/tutorial.h"

#include <math.h>

void crdi_tutorial_regression(double *x, double *y)
{
    enum { N = CRDI_TUTORIAL_ROWS };
    float inputs[N], noise[N];
    crd_key key = crd_key_with_order(crd_key_make(0), CRD_ORDER_ORIGINAL), halves[2];
    crd_random_uniform_between_f32(key, -1, 1, N, inputs);
    crd_key_split(key, 2, halves);
    crd_random_normal_f32(halves[0], N, noise);
    for (int i = 0; i < N; i++) {
        /* The sine in double and rounded: the single-precision one of any good library differs by an ulp at most. */
        float wave = inputs[i] * (float)sin((double)(5 * inputs[i]));
        x[i] = (double)inputs[i];
        y[i] = (double)(wave + 0.1F * noise[i]);
    }
}

void crdi_tutorial_spiral(crd_key key, int n, double *x, double *y)
{
    for (int j = 0; j < CRDI_TUTORIAL_CLASSES; j++) {
        double *row = x + (int64_t)2 * n * j, *noise = y + (int64_t)n * j;
        crd_random_normal(crd_key_fold_in(key, (uint32_t)j), n, noise);
        for (int i = 0; i < n; i++) {
            double u = i / (n - 1.0), angle = 4 * (j + u) + 0.2 * noise[i];
            row[2 * i] = 0.5 * u * sin(angle);
            row[2 * i + 1] = 0.5 * u * cos(angle);
            noise[i] = j;
        }
    }
}
