#!/usr/bin/env python3
"""Makes src/kernel/vmath/polynomials.h: minimax polynomials for the elementary functions, by Remez exchange. With
`single`, those of the functions of floats.

    python3 tools/vmath_coefficients.py > src/kernel/vmath/polynomials.h
    python3 tools/vmath_coefficients.py single > src/kernel/vmath/polynomials_single.h

Needs mpmath. Every fit works at 60 digits on a dense grid of Chebyshev points and rounds the coefficients to doubles
or floats at the end; the error printed with each polynomial is that of the rounded one, evaluated exactly.
"""
import struct
import sys

import mpmath as mp

mp.mp.dps = 60
SINGLE = sys.argv[1:] == ["single"]
REAL, FMA, PREFIX = ("float", "fmaf", "vf_p") if SINGLE else ("double", "fma", "vm_p")


def rounded_to_real(v):
    return struct.unpack("f", struct.pack("f", float(v)))[0] if SINGLE else float(v)


def text(v):
    """A float's 24 bits end behind the first seven hexadecimal digits."""
    return v.hex().replace("0000000p", "p") + "f" if SINGLE else v.hex()


def grid(low, high, points):
    """Chebyshev points of [low, high], an even number, so that the middle is not among them."""
    middle, half = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    return [middle - half * mp.cos(mp.pi * (2 * i + 1) / (2 * points)) for i in range(points)]


def value(c, x):
    p = mp.mpf(0)
    for a in reversed(c):
        p = p * x + a
    return p


def remez(x, f, weight, degree):
    """Minimises max |weight (f - p)| over the grid x. Returns (coefficients as reals, error of those)."""
    count = degree + 2
    at = [round(i * (len(x) - 1) / (count - 1)) for i in range(count)]
    for _ in range(30):
        a, b = mp.matrix(count, count), mp.matrix(count, 1)
        for row, i in enumerate(at):
            for k in range(degree + 1):
                a[row, k] = x[i] ** k
            a[row, degree + 1] = (-1) ** row / weight[i]
            b[row] = f[i]
        c = list(mp.lu_solve(a, b))
        level, c = abs(c[-1]), c[:-1]
        e = [w * (y - value(c, t)) for t, y, w in zip(x, f, weight)]
        # One extremum of each run of equal sign; then drop at the ends what is too much.
        peaks = []
        for i, v in enumerate(e):
            if peaks and mp.sign(e[peaks[-1]]) == mp.sign(v):
                if abs(v) > abs(e[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > count:
            peaks.pop(0 if abs(e[peaks[0]]) < abs(e[peaks[-1]]) else -1)
        if len(peaks) < count:
            raise SystemExit("exchange lost its alternation: degree too high for the precision")
        at = peaks
        if max(abs(v) for v in e) < level * mp.mpf("1.001"):
            break
    rounded = [rounded_to_real(v) for v in c]
    return rounded, max(abs(w * (y - value([mp.mpf(v) for v in rounded], t))) for t, y, w in zip(x, f, weight))


def emit(name, variable, what, domain, measure, coefficients, error):
    print(f"\n/* {what},\n * {domain}; degree {len(coefficients) - 1}, {measure} error 2^{mp.nstr(mp.log(error, 2), 4)}. */")
    print(f"VM_INLINE {REAL} {PREFIX}_{name}({REAL} {variable})\n{{")
    n = len(coefficients)
    if name in SPLIT:
        # Two chains, even and odd powers: half the latency for one more multiplication.
        for chain, parity in (("even", 0), ("odd", 1)):
            part = coefficients[parity::2]
            print(f"    {REAL} {chain} = {text(part[-1])};" if parity else
                  f"    {REAL} {variable}2 = {variable} * {variable}, even = {text(part[-1])};")
            for v in reversed(part[:-1]):
                print(f"    {chain} = {FMA}({chain}, {variable}2, {text(v)});")
        print(f"    return {FMA}(odd, {variable}, even);\n}}")
    else:
        print(f"    {REAL} p = {text(coefficients[-1])};")
        for v in reversed(coefficients[1:-1]):
            print(f"    p = {FMA}(p, {variable}, {text(v)});")
        print(f"    return {FMA}(p, {variable}, {text(coefficients[0])});\n}}" if n > 1 else "    return p;\n}")


SPLIT = {"exp", "tanh"}


def fit(name, variable, what, low, high, degree, f, weight, measure="relative", domain=None):
    x = grid(low, high, 30 * (degree + 2))
    c, error = remez(x, [f(t) for t in x], [abs(weight(t)) for t in x], degree)
    emit(name, variable, what, domain or f"{variable} in [{mp.nstr(mp.mpf(low), 6)}, {mp.nstr(mp.mpf(high), 6)}]",
         measure, c, error)


def fit_erfinv(name, low, high, degree, root, shift):
    """erfinv(x) / x as a polynomial in w = -log(1 - x^2), or its root: parametrised by y = erfinv(x)."""
    def w_of(y):
        w = -mp.log(mp.erfc(y) * (1 + mp.erf(y)))
        return mp.sqrt(w) if root else w
    first = mp.mpf(0) if low == 0 else mp.findroot(lambda y: w_of(y) - low, (mp.mpf(low) / 2, mp.mpf(low)))
    last = mp.findroot(lambda y: w_of(y) - high, (first + 1, first + 2))
    y = grid(first, last, 30 * (degree + 2))
    f = [t / mp.erf(t) for t in y]
    c, error = remez([w_of(t) - shift for t in y], f, [1 / v for v in f], degree)
    argument = ("sqrt(w)" if root else "w") + f" - {shift}"
    emit(name, "t", f"erfinv(x) / x, w = -log(1 - x^2), t = {argument}",
         f"{'sqrt(w)' if root else 'w'} in [{low}, {high}]", "relative", c, error)


def atanh_rest(terms):
    """(log((1 + s) / (1 - s)) / s - the first terms of its series) / the next power, as a function of z = s^2."""
    def f(z):
        return mp.nsum(lambda k: 2 * z ** (k - terms) / (2 * k + 1), [terms, mp.inf], method="d") if z < 0.001 else (
            mp.log((1 + mp.sqrt(z)) / (1 - mp.sqrt(z))) / mp.sqrt(z)
            - sum(2 * z ** k / mp.mpf(2 * k + 1) for k in range(terms))) / z ** terms
    return f


def stirling(x):
    return (mp.loggamma(x) - (x - mp.mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2) * x


def main_single():
    print("/* polynomials_single.h - made by tools/vmath_coefficients.py single: do not edit. As polynomials.h, of floats. */\n"
          "#ifndef CRDI_VMATH_POLYNOMIALS_SINGLE_H\n#define CRDI_VMATH_POLYNOMIALS_SINGLE_H\n\n"
          "#include \"kernel/vmath/arithmetic.h\"")
    half = mp.log(2) / 2 * mp.mpf("1.0001")
    fit("exp", "r", "(expm1(r) - r) / r^2", -half, half, 4, lambda r: (mp.expm1(r) - r) / r ** 2,
        lambda r: r ** 2 / mp.expm1(r), "relative to expm1:")
    fit("tanh", "r", "(expm1(2 r) / 2 - r) / r^2", -mp.mpf("0.09125"), mp.mpf("0.25605"), 4,
        lambda r: (mp.expm1(2 * r) / 2 - r) / r ** 2, lambda r: 2 * r ** 2 / mp.expm1(2 * r), "relative to expm1:")
    z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.0001")
    fit("log", "z", "(log((1 + s) / (1 - s)) / s - 2) / z, z = s^2", 0, z, 2, atanh_rest(1), lambda t: t / 2,
        "relative to the logarithm:")
    fit("log_wide", "z", "the same, for log1p of an argument in [0, 1]", 0, mp.mpf(1) / 9, 3, atanh_rest(1), lambda t: t / 2,
        "relative to the logarithm:")
    fit("erf", "z", "erf(x) / x - 1, z = x^2", 0, 1, 5, lambda t: mp.erf(mp.sqrt(t)) / mp.sqrt(t) - 1, lambda t: 1)
    fit("erfc", "t", "-log(erfc(x)), t = x - 1.5", -mp.mpf(1) / 2, mp.mpf("2.5"), 8, lambda t: -mp.log(mp.erfc(t + mp.mpf("1.5"))),
        lambda t: mp.erfc(t + mp.mpf("1.5")), "in erfc, absolute")
    print("\n#endif")


def main():
    if SINGLE:
        return main_single()
    print("/* polynomials.h - made by tools/vmath_coefficients.py: do not edit. Minimax polynomials by Remez exchange at 60\n"
          " * digits; the errors are those of the rounded coefficients, before rounding in the evaluation. */\n"
          "#ifndef CRDI_VMATH_POLYNOMIALS_H\n#define CRDI_VMATH_POLYNOMIALS_H\n\n#include \"kernel/vmath/arithmetic.h\"")
    half = mp.log(2) / 2 * mp.mpf("1.0001")
    fit("exp", "r", "(expm1(r) - r) / r^2", -half, half, 9, lambda r: (mp.expm1(r) - r) / r ** 2,
        lambda r: r ** 2 / mp.expm1(r), "relative to expm1:")
    fit("tanh", "r", "(expm1(2 r) / 2 - r) / r^2", -mp.mpf("0.09125"), mp.mpf("0.25605"), 10,
        lambda r: (mp.expm1(2 * r) / 2 - r) / r ** 2, lambda r: 2 * r ** 2 / mp.expm1(2 * r), "relative to expm1:")
    z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.0001")
    fit("log", "z", "(log((1 + s) / (1 - s)) / s - 2) / z, z = s^2", 0, z, 6, atanh_rest(1), lambda t: t / 2,
        "relative to the logarithm:")
    fit("log_wide", "z", "the same, for log1p of an argument in [0, 1]", 0, mp.mpf(1) / 9, 9, atanh_rest(1), lambda t: t / 2,
        "relative to the logarithm:")
    fit("log_next", "z", "(log((1 + s) / (1 - s)) / s - 2 - 2 z / 3) / z^2", 0, z, 7, atanh_rest(2), lambda t: t ** 2 / 2,
        "relative to the logarithm:")
    fit("erf", "z", "erf(x) / x - 1, z = x^2", 0, 1, 11, lambda t: mp.erf(mp.sqrt(t)) / mp.sqrt(t) - 1, lambda t: 1)
    fit("erfc", "t", "-log(erfc(x)), t = x - 1.5", -mp.mpf(1) / 2, mp.mpf("4.45"), 22, lambda t: -mp.log(mp.erfc(t + mp.mpf("1.5"))),
        lambda t: mp.erfc(t + mp.mpf("1.5")), "in erfc, absolute")
    fit_erfinv("erfinv_low", 0, 6.25, 24, False, 3.125)
    fit_erfinv("erfinv_middle", 2.5, 4, 21, True, 3.25)
    fit_erfinv("erfinv_high", 4, 6.01, 19, True, 5)
    quarter = mp.mpf("0.79")
    fit("sin", "z", "(sin(r) / r - 1) / z, z = r^2", 0, quarter ** 2, 5,
        lambda t: (mp.sin(mp.sqrt(t)) / mp.sqrt(t) - 1) / t, lambda t: t)
    fit("cos", "z", "(cos(r) - 1 + z / 2) / z^2, z = r^2", 0, quarter ** 2, 5,
        lambda t: (mp.cos(mp.sqrt(t)) - 1 + t / 2) / t ** 2, lambda t: t ** 2)
    fit("atan", "z", "(atan(t) / t - 1) / z, z = t^2", 0, (mp.sqrt(2) - 1) ** 2 * mp.mpf("1.0001"), 11,
        lambda t: (mp.atan(mp.sqrt(t)) / mp.sqrt(t) - 1) / t, lambda t: t)
    fit("lgamma", "t", "lgamma(2 + t) / t", -mp.mpf(1) / 2, mp.mpf(1) / 2, 18, lambda t: mp.loggamma(2 + t) / t, lambda t: 2)
    fit("stirling", "z", "x (lgamma(x) - (x - 1/2) log x + x - log(2 pi) / 2), z = 1 / x^2", mp.mpf("1e-12"), mp.mpf(1) / 64, 6,
        lambda t: stirling(1 / mp.sqrt(t)), lambda t: 1, "absolute")
    fit("digamma", "z", "(log x - 1 / (2 x) - digamma(x)) x^2, z = 1 / x^2", mp.mpf("1e-12"), mp.mpf(1) / 64, 7,
        lambda t: (-mp.log(t) / 2 - mp.sqrt(t) / 2 - mp.psi(0, 1 / mp.sqrt(t))) / t, lambda t: t, "absolute, in digamma")
    fit("trigamma", "z", "(trigamma(x) - 1 / x - 1 / (2 x^2)) x^3, z = 1 / x^2", mp.mpf("1e-12"), mp.mpf(1) / 64, 8,
        lambda t: (mp.psi(1, 1 / mp.sqrt(t)) - mp.sqrt(t) - t / 2) / t ** mp.mpf(1.5), lambda t: t, "relative")
    print("\n#endif")


if __name__ == "__main__":
    sys.exit(main())
