/* vector.h - what samplers do to vectors between two gradients, each in one pass. Sums run in lanes as everywhere. */
#ifndef CRDI_VECTOR_H
#define CRDI_VECTOR_H

#include <stdint.h>

typedef struct crdi_vector_ops {
    /* out = fma(a, x, y), element by element; out may be y. */
    void (*axpy)(int64_t n, double a, const double *x, const double *y, double *out);
    /* out = x + y; out may be x or y. */
    void (*add)(int64_t n, const double *x, const double *y, double *out);
    /* out = x y, element by element; out may be x or y. */
    void (*mul)(int64_t n, const double *x, const double *y, double *out);
    double (*dot)(int64_t n, const double *x, const double *y);
    /* The first half of a leapfrog step with a diagonal metric: p += half g; q += step (v p). */
    void (*kick_drift)(int64_t n, double half, double step, const double *g, const double *v, double *p, double *q);
    /* The second half: p += half g; sharp = v p; returns sum of p sharp, twice the kinetic energy. */
    double (*kick_sharp)(int64_t n, double half, const double *g, const double *v, double *p, double *sharp);
    /* The generalised U-turn: whether a (r1 + r2) > 0 and b (r1 + r2) > 0, as sums. */
    int (*no_turn)(int64_t n, const double *a, const double *b, const double *r1, const double *r2);
    /* exp(x), and log(exp(a) + exp(b)), of our own: the same bits everywhere. */
    double (*exp)(double x);
    double (*log_add_exp)(double a, double b);
} crdi_vector_ops;

#endif
