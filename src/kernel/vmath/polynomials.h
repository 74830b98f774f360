/* polynomials.h - made by tools/vmath_coefficients.py: do not edit. Minimax polynomials by Remez exchange at 60
 * digits; the errors are those of the rounded coefficients, before rounding in the evaluation. */
#ifndef CRDI_VMATH_POLYNOMIALS_H
#define CRDI_VMATH_POLYNOMIALS_H

#include "kernel/vmath/arithmetic.h"

/* (expm1(r) - r) / r^2,
 * r in [-0.346608, 0.346608]; degree 9, relative to expm1: error 2^-54.7. */
VM_INLINE double vm_p_exp(double r)
{
    double r2 = r * r, even = 0x1.28a1dfe7ae6f4p-22;
    even = fma(even, r2, 0x1.a019a76f58b31p-16);
    even = fma(even, r2, 0x1.6c16c17edb9efp-10);
    even = fma(even, r2, 0x1.55555555522b8p-5);
    even = fma(even, r2, 0x1.0000000000005p-1);
    double odd = 0x1.ae6b9ddd57256p-26;
    odd = fma(odd, r2, 0x1.71de880b9e270p-19);
    odd = fma(odd, r2, 0x1.a01a017513c0ep-13);
    odd = fma(odd, r2, 0x1.1111111118faap-7);
    odd = fma(odd, r2, 0x1.5555555555539p-3);
    return fma(odd, r, even);
}

/* (expm1(2 r) / 2 - r) / r^2,
 * r in [-0.09125, 0.25605]; degree 10, relative to expm1: error 2^-59.62. */
VM_INLINE double vm_p_tanh(double r)
{
    double r2 = r * r, even = 0x1.4da6314d3328fp-18;
    even = fma(even, r2, 0x1.27f6a0fcdeb2dp-13);
    even = fma(even, r2, 0x1.a019fb7bd7c8dp-9);
    even = fma(even, r2, 0x1.6c16c16cb11a5p-5);
    even = fma(even, r2, 0x1.55555555554a0p-2);
    even = fma(even, r2, 0x1.0000000000000p+0);
    double odd = 0x1.aa2a589e2c44ep-16;
    odd = fma(odd, r2, 0x1.71de6dff0942ep-11);
    odd = fma(odd, r2, 0x1.a01a01b00dccep-7);
    odd = fma(odd, r2, 0x1.111111110ec82p-3);
    odd = fma(odd, r2, 0x1.555555555555ap-1);
    return fma(odd, r, even);
}

/* (log((1 + s) / (1 - s)) / s - 2) / z, z = s^2,
 * z in [0.0, 0.0294402]; degree 6, relative to the logarithm: error 2^-58.88. */
VM_INLINE double vm_p_log(double z)
{
    double p = 0x1.2f06327109890p-3;
    p = fma(p, z, 0x1.39a1a6e8219fep-3);
    p = fma(p, z, 0x1.74663fa56323dp-3);
    p = fma(p, z, 0x1.c71c5205ec2e0p-3);
    p = fma(p, z, 0x1.24924941f529bp-2);
    p = fma(p, z, 0x1.999999997fd73p-2);
    return fma(p, z, 0x1.5555555555592p-1);
}

/* the same, for log1p of an argument in [0, 1],
 * z in [0.0, 0.111111]; degree 9, relative to the logarithm: error 2^-57.96. */
VM_INLINE double vm_p_log_wide(double z)
{
    double p = 0x1.5c897ddfec866p-3;
    p = fma(p, z, 0x1.559d42df567c6p-4);
    p = fma(p, z, 0x1.efdd498e35029p-4);
    p = fma(p, z, 0x1.10676c5ed4567p-3);
    p = fma(p, z, 0x1.3b1de2d85de76p-3);
    p = fma(p, z, 0x1.745cb39f0dea6p-3);
    p = fma(p, z, 0x1.c71c741f71b7ap-3);
    p = fma(p, z, 0x1.2492492085acdp-2);
    p = fma(p, z, 0x1.99999999a083ap-2);
    return fma(p, z, 0x1.5555555555535p-1);
}

/* (log((1 + s) / (1 - s)) / s - 2 - 2 z / 3) / z^2,
 * z in [0.0, 0.0294402]; degree 7, relative to the logarithm: error 2^-66.34. */
VM_INLINE double vm_p_log_next(double z)
{
    double p = 0x1.eb11af4544725p-4;
    p = fma(p, z, 0x1.de33604bc5235p-4);
    p = fma(p, z, 0x1.1120b60378016p-3);
    p = fma(p, z, 0x1.3b1362b3ae3d3p-3);
    p = fma(p, z, 0x1.745d18325aaccp-3);
    p = fma(p, z, 0x1.c71c71c5805a8p-3);
    p = fma(p, z, 0x1.2492492493035p-2);
    return fma(p, z, 0x1.9999999999996p-2);
}

/* erf(x) / x - 1, z = x^2,
 * z in [0.0, 1.0]; degree 11, relative error 2^-54.59. */
VM_INLINE double vm_p_erf(double z)
{
    double p = -0x1.acdffa741d55bp-31;
    p = fma(p, z, 0x1.d784909b0acdcp-27);
    p = fma(p, z, -0x1.5c16e21bbb61bp-23);
    p = fma(p, z, 0x1.b9827ad5c2d20p-20);
    p = fma(p, z, -0x1.f4ca948f0d59ep-17);
    p = fma(p, z, 0x1.f9a2bf7309adep-14);
    p = fma(p, z, -0x1.c02db072e70cep-11);
    p = fma(p, z, 0x1.565bccfa9a10bp-8);
    p = fma(p, z, -0x1.b82ce31206273p-6);
    p = fma(p, z, 0x1.ce2f21a041016p-4);
    p = fma(p, z, -0x1.812746b0379c2p-2);
    return fma(p, z, 0x1.06eba8214db68p-3);
}

/* -log(erfc(x)), t = x - 1.5,
 * t in [-0.5, 4.45]; degree 22, in erfc, absolute error 2^-58.46. */
VM_INLINE double vm_p_erfc(double t)
{
    double p = 0x1.146aed7ead120p-51;
    p = fma(p, t, -0x1.3ebf29e187e1fp-47);
    p = fma(p, t, 0x1.9e519364c83a3p-45);
    p = fma(p, t, 0x1.460be0315cc36p-42);
    p = fma(p, t, -0x1.b1f2f49a42374p-38);
    p = fma(p, t, 0x1.b61cd2578ca56p-35);
    p = fma(p, t, -0x1.1f131fd4ff1adp-32);
    p = fma(p, t, 0x1.0bf3d8f088804p-30);
    p = fma(p, t, -0x1.4a294c0728a8dp-29);
    p = fma(p, t, 0x1.2969f3a58910fp-30);
    p = fma(p, t, 0x1.def25d7d86d6bp-26);
    p = fma(p, t, -0x1.9d9f5af2ca7c1p-23);
    p = fma(p, t, 0x1.b790efdadac2ap-21);
    p = fma(p, t, -0x1.3e354412af1b9p-19);
    p = fma(p, t, 0x1.634098b90912bp-19);
    p = fma(p, t, 0x1.790bc083a68eap-16);
    p = fma(p, t, -0x1.c4e86aa380b48p-13);
    p = fma(p, t, 0x1.49926237694fcp-10);
    p = fma(p, t, -0x1.89a87b48fdec5p-8);
    p = fma(p, t, 0x1.a71a4bde00da8p-6);
    p = fma(p, t, 0x1.c90827462a177p-1);
    p = fma(p, t, 0x1.c1206279e92bdp+1);
    return fma(p, t, 0x1.b137096b18e96p+1);
}

/* erfinv(x) / x, w = -log(1 - x^2), t = w - 3.125,
 * w in [0, 6.25]; degree 24, relative error 2^-55.33. */
VM_INLINE double vm_p_erfinv_low(double t)
{
    double p = -0x1.6ada0da2ba05fp-72;
    p = fma(p, t, 0x1.e67fa5c2ff841p-69);
    p = fma(p, t, 0x1.38661004bb8bdp-66);
    p = fma(p, t, -0x1.9bbfe22200bf6p-62);
    p = fma(p, t, 0x1.9aaa3e8f1a6fbp-61);
    p = fma(p, t, 0x1.1ec234ec5e75ap-56);
    p = fma(p, t, -0x1.1ca78ab0e0da3p-53);
    p = fma(p, t, -0x1.6fcfec2c351d1p-55);
    p = fma(p, t, 0x1.d6c6f8f4b78fbp-48);
    p = fma(p, t, -0x1.686e5ef8fa2ebp-45);
    p = fma(p, t, -0x1.6bdbed149eb64p-44);
    p = fma(p, t, 0x1.7235dfcebd303p-39);
    p = fma(p, t, -0x1.c8a3f8d6b59a2p-37);
    p = fma(p, t, -0x1.dc3f1379dcb57p-35);
    p = fma(p, t, 0x1.20f5363cbf8adp-30);
    p = fma(p, t, -0x1.1a9eb0f0a208ep-28);
    p = fma(p, t, -0x1.f36ced465c4ffp-26);
    p = fma(p, t, 0x1.c6b4f88bf0a2ep-22);
    p = fma(p, t, -0x1.6e8a53cde9ecdp-20);
    p = fma(p, t, -0x1.d1d1f7ca22442p-17);
    p = fma(p, t, 0x1.879c2a20b529ep-13);
    p = fma(p, t, -0x1.84576948356a8p-11);
    p = fma(p, t, -0x1.8b6c33114ead6p-8);
    p = fma(p, t, 0x1.ebd80d9b13dfap-3);
    return fma(p, t, 0x1.a755e7c99ae86p+0);
}

/* erfinv(x) / x, w = -log(1 - x^2), t = sqrt(w) - 3.25,
 * sqrt(w) in [2.5, 4]; degree 21, relative error 2^-53.87. */
VM_INLINE double vm_p_erfinv_middle(double t)
{
    double p = -0x1.51d269b9185c3p-30;
    p = fma(p, t, 0x1.0597e341c7625p-27);
    p = fma(p, t, -0x1.90c78f992a3d5p-27);
    p = fma(p, t, -0x1.64168dea43273p-26);
    p = fma(p, t, 0x1.10a5e7f4a07dbp-23);
    p = fma(p, t, -0x1.07d7725267264p-22);
    p = fma(p, t, -0x1.a1f393434cd67p-26);
    p = fma(p, t, 0x1.8dc0c084f92f8p-20);
    p = fma(p, t, -0x1.0b928eb842452p-18);
    p = fma(p, t, 0x1.89989c758b6cfp-19);
    p = fma(p, t, 0x1.a2452c93b21a6p-17);
    p = fma(p, t, -0x1.8cf45b5bfcbc7p-15);
    p = fma(p, t, 0x1.1e6aa91bdf818p-14);
    p = fma(p, t, 0x1.932e8d71c3a5fp-16);
    p = fma(p, t, -0x1.7448bc4bd6c3dp-12);
    p = fma(p, t, 0x1.f3cc545f40bd2p-11);
    p = fma(p, t, -0x1.ba9240da40a04p-10);
    p = fma(p, t, 0x1.468eeca9402f5p-9);
    p = fma(p, t, -0x1.ebadabb9fcb9ap-9);
    p = fma(p, t, 0x1.5ffcfe5b6cdd7p-8);
    p = fma(p, t, 0x1.0158a6d641d54p+0);
    return fma(p, t, 0x1.8abcc380d5a48p+1);
}

/* erfinv(x) / x, w = -log(1 - x^2), t = sqrt(w) - 5,
 * sqrt(w) in [4, 6.01]; degree 19, relative error 2^-54.97. */
VM_INLINE double vm_p_erfinv_high(double t)
{
    double p = 0x1.9c45ea8ad694ep-38;
    p = fma(p, t, -0x1.67abd57a20874p-36);
    p = fma(p, t, 0x1.0477f89103e6dp-36);
    p = fma(p, t, 0x1.32cbfc6c58448p-34);
    p = fma(p, t, -0x1.a2c1efc4f8506p-32);
    p = fma(p, t, 0x1.69abfbc09543cp-30);
    p = fma(p, t, -0x1.e5ba7450f6701p-29);
    p = fma(p, t, 0x1.0cbf07b440adcp-27);
    p = fma(p, t, -0x1.055e2941d4259p-26);
    p = fma(p, t, 0x1.f289727d5632cp-26);
    p = fma(p, t, -0x1.22390e85c6298p-24);
    p = fma(p, t, 0x1.ebe319980296ap-23);
    p = fma(p, t, -0x1.0a903104e8066p-20);
    p = fma(p, t, 0x1.2fbcfd91ea04cp-18);
    p = fma(p, t, -0x1.4a34904988431p-16);
    p = fma(p, t, 0x1.3ebf4efb0066ap-14);
    p = fma(p, t, -0x1.c2f36aa151273p-13);
    p = fma(p, t, -0x1.22ea5df1cb412p-13);
    p = fma(p, t, 0x1.02a30d1fba10bp+0);
    return fma(p, t, 0x1.3664ddd1ad7fbp+2);
}

/* (sin(r) / r - 1) / z, z = r^2,
 * z in [0.0, 0.6241]; degree 5, relative error 2^-57.65. */
VM_INLINE double vm_p_sin(double z)
{
    double p = 0x1.5d887eeeb30aap-33;
    p = fma(p, z, -0x1.ae5e42fb664cfp-26);
    p = fma(p, z, 0x1.71de354c18119p-19);
    p = fma(p, z, -0x1.a01a019be1147p-13);
    p = fma(p, z, 0x1.111111110f706p-7);
    return fma(p, z, -0x1.5555555555548p-3);
}

/* (cos(r) - 1 + z / 2) / z^2, z = r^2,
 * z in [0.0, 0.6241]; degree 5, relative error 2^-62.59. */
VM_INLINE double vm_p_cos(double z)
{
    double p = -0x1.8fa3277fe9c64p-37;
    p = fma(p, z, 0x1.1ee9d670b7fe3p-29);
    p = fma(p, z, -0x1.27e4f7eb651d7p-22);
    p = fma(p, z, 0x1.a01a019c89065p-16);
    p = fma(p, z, -0x1.6c16c16c14feep-10);
    return fma(p, z, 0x1.555555555554bp-5);
}

/* (atan(t) / t - 1) / z, z = t^2,
 * z in [0.0, 0.17159]; degree 11, relative error 2^-58.19. */
VM_INLINE double vm_p_atan(double z)
{
    double p = 0x1.f255bd652d03dp-7;
    p = fma(p, z, -0x1.12537942a54d0p-5);
    p = fma(p, z, 0x1.70f9a094b9b22p-5);
    p = fma(p, z, -0x1.ab80a93018e8dp-5);
    p = fma(p, z, 0x1.e1728355c1a39p-5);
    p = fma(p, z, -0x1.110c79d8b5b69p-4);
    p = fma(p, z, 0x1.3b136eaeaea70p-4);
    p = fma(p, z, -0x1.745d14bfcafd2p-4);
    p = fma(p, z, 0x1.c71c71b778960p-4);
    p = fma(p, z, -0x1.2492492475d4cp-3);
    p = fma(p, z, 0x1.999999999965ap-3);
    return fma(p, z, -0x1.5555555555554p-2);
}

/* lgamma(2 + t) / t,
 * t in [-0.5, 0.5]; degree 18, relative error 2^-54.87. */
VM_INLINE double vm_p_lgamma(double t)
{
    double p = -0x1.245e19a2996a5p-23;
    p = fma(p, t, 0x1.2b5bd9ca8ffdbp-22);
    p = fma(p, t, -0x1.cba7ea6aed980p-22);
    p = fma(p, t, 0x1.edea81ab3bc0bp-21);
    p = fma(p, t, -0x1.129b725dd4abcp-19);
    p = fma(p, t, 0x1.26411e19e327bp-18);
    p = fma(p, t, -0x1.3cb16f58ba7e8p-17);
    p = fma(p, t, 0x1.5806d07f30092p-16);
    p = fma(p, t, -0x1.78deb07a1475ap-15);
    p = fma(p, t, 0x1.a127dd5e19ca2p-14);
    p = fma(p, t, -0x1.d3fd4aef1782ep-13);
    p = fma(p, t, 0x1.0b36af339757bp-11);
    p = fma(p, t, -0x1.38ac5c2e039a2p-10);
    p = fma(p, t, 0x1.7add6eae5cf74p-9);
    p = fma(p, t, -0x1.e404fc218c96bp-8);
    p = fma(p, t, 0x1.51322ac7d7fc5p-6);
    p = fma(p, t, -0x1.13e001a55760cp-4);
    p = fma(p, t, 0x1.4a34cc4a60fa7p-2);
    return fma(p, t, 0x1.b0ee6072093cep-2);
}

/* x (lgamma(x) - (x - 1/2) log x + x - log(2 pi) / 2), z = 1 / x^2,
 * z in [1.0e-12, 0.015625]; degree 6, absolute error 2^-57.58. */
VM_INLINE double vm_p_stirling(double z)
{
    double p = 0x1.4c3806270cc5cp-8;
    p = fma(p, z, -0x1.ef9801974f6cbp-10);
    p = fma(p, z, 0x1.b92c93002f953p-11);
    p = fma(p, z, -0x1.38134e14c80b7p-11);
    p = fma(p, z, 0x1.a01a017e88b15p-11);
    p = fma(p, z, -0x1.6c16c16c14af3p-9);
    return fma(p, z, 0x1.5555555555555p-4);
}

/* (log x - 1 / (2 x) - digamma(x)) x^2, z = 1 / x^2,
 * z in [1.0e-12, 0.015625]; degree 7, absolute, in digamma error 2^-66.78. */
VM_INLINE double vm_p_digamma(double z)
{
    double p = -0x1.25f42d9b384d8p-2;
    p = fma(p, z, 0x1.44bac607eb3ecp-4);
    p = fma(p, z, -0x1.589af5da6cbebp-6);
    p = fma(p, z, 0x1.f0735bace31e4p-8);
    p = fma(p, z, -0x1.11110584a8c0ap-8);
    p = fma(p, z, 0x1.041040fb98849p-8);
    p = fma(p, z, -0x1.111111110f8f8p-7);
    return fma(p, z, 0x1.5555555555555p-4);
}

/* (trigamma(x) - 1 / x - 1 / (2 x^2)) x^3, z = 1 / x^2,
 * z in [1.0e-12, 0.015625]; degree 8, relative error 2^-63.22. */
VM_INLINE double vm_p_trigamma(double z)
{
    double p = 0x1.c806e250799aep+4;
    p = fma(p, z, -0x1.9678dd45d3546p+2);
    p = fma(p, z, 0x1.277c7f9e739e6p+0);
    p = fma(p, z, -0x1.030e3724cba16p-2);
    p = fma(p, z, 0x1.364cb01f0e3b6p-4);
    p = fma(p, z, -0x1.11110f421eb50p-5);
    p = fma(p, z, 0x1.8618618400459p-6);
    p = fma(p, z, -0x1.1111111110c4cp-5);
    return fma(p, z, 0x1.5555555555555p-3);
}

#endif
