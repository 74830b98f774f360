/* erfinv.h - the inverse error function, double and single.
 *
 * Giles 2012, "Approximating the erfinv function" (GPU Computing Gems Jade, chapter 10): x p(w), w = -log(1 - x^2), with
 * one polynomial p in the middle and others in sqrt(w) in the tails; coefficients from his tables for double and single
 * precision. JAX uses the same ones. */
#ifndef CRDI_ERFINV_H
#define CRDI_ERFINV_H

#include "kernel/vmath.h"

enum { CRDI_ERFINV_BLOCK = 32 };

/* Horner's rule without fused operations, which a processor without them would have to imitate slowly. */
static inline __attribute__((always_inline)) double crdi_horner(const double *c, int count, double t)
{
    double p = c[0];
    for (int i = 1; i < count; i++)
        p = p * t + c[i];
    return p;
}

/* (1 - x)(1 + x) instead of 1 - x^2: an absolute error of w is one of the result, and 1 - x is exact in the tails. */
static inline __attribute__((always_inline)) double crdi_erfinv_w(double x)
{
    return -vm_log((1 - x) * (1 + x));
}

/* |x| < 0.999: w < 6.25. */
static inline __attribute__((always_inline)) double crdi_erfinv_middle(double x, double w)
{
    static const double c[] = {
        -3.6444120640178196996e-21, -1.685059138182016589e-19,  1.2858480715256400167e-18,  1.115787767802518096e-17,
        -1.333171662854620906e-16,  2.0972767875968561637e-17,  6.6376381343583238325e-15,  -4.0545662729752068639e-14,
        -8.1519341976054721522e-14, 2.6335093153082322977e-12,  -1.2975133253453532498e-11, -5.4154120542946279317e-11,
        1.051212273321532285e-09,   -4.1126339803469836976e-09, -2.9070369957882005086e-08, 4.2347877827932403518e-07,
        -1.3654692000834678645e-06, -1.3882523362786468719e-05, 0.0001867342080340571352,   -0.00074070253416626697512,
        -0.0060336708714301490533,  0.24015818242558961693,     1.6536545626831027356};
    return x * crdi_horner(c, 23, w - 3.125);
}

static inline __attribute__((always_inline)) double crdi_erfinv_tail(double x, double w)
{
    static const double near[] = {
        2.2137376921775787049e-09,  9.0756561938885390979e-08, -2.7517406297064545428e-07, 1.8239629214389227755e-08,
        1.5027403968909827627e-06,  -4.013867526981545969e-06, 2.9234449089955446044e-06,  1.2475304481671778723e-05,
        -4.7318229009055733981e-05, 6.8284851459573175448e-05, 2.4031110387097893999e-05,  -0.0003550375203628474796,
        0.00095328937973738049703,  -0.0016882755560235047313, 0.0024914420961078508066,   -0.0037512085075692412107,
        0.005370914553590063617,    1.0052589676941592334,     3.0838856104922207635};
    static const double far[] = {-2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09,
                                 -3.7894654401267369937e-09, 7.6157012080783393804e-09,  -1.4960026627149240478e-08,
                                 2.9147953450901080826e-08,  -6.7711997758452339498e-08, 2.2900482228026654717e-07,
                                 -9.9298272942317002539e-07, 4.5260625972231537039e-06,  -1.9681778105531670567e-05,
                                 7.5995277030017761139e-05,  -0.00021503011930044477347, -0.00013871931833623122026,
                                 1.0103004648645343977,      4.8499064014085844221};
    double root = vm_sqrt(w);
    return x * (w < 16 ? crdi_horner(near, 19, root - 3.25) : crdi_horner(far, 17, root - 5));
}

static inline __attribute__((always_inline)) double crdi_erfinv(double x)
{
    double w = crdi_erfinv_w(x);
    return w < 6.25 ? crdi_erfinv_middle(x, w) : crdi_erfinv_tail(x, w);
}

/* erfinv of `count` numbers in place, with the bits of crdi_erfinv. */
void crdi_erfinv_block(double *x, int64_t count);
/* The functions that this processor can run, for up to CRDI_ERFINV_BLOCK numbers, best first; NULL after the last. */
typedef void (*crdi_erfinv_fn)(double *x, int count);
crdi_erfinv_fn crdi_erfinv_lanes(int i);

/* Fused here and log1p rounded once, because so single normals come nearest to those that JAX draws. */
static inline float crdi_erfinv_single(float x)
{
    static const float middle[] = {2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f, 0.00021858087f,
                                   -0.00125372503f, -0.00417768164f, 0.246640727f,    1.50140941f};
    static const float tail[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
                                 -0.0076224613f,   0.00943887047f,  1.00167406f,    2.83297682f};
    float square = x * x, w = (float)-vm_log1p(-(double)square);
    const float *c = w < 5 ? middle : tail;
    float t = w < 5 ? w - 2.5f : sqrtf(w) - 3, p = c[0];
    for (int i = 1; i < 9; i++)
        p = fmaf(p, t, c[i]);
    return p * x;
}

#endif
