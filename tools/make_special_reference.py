#!/usr/bin/env python3
"""Makes tests/data/special.json: distribution functions, inverses and implicit derivatives, by mpmath at 50 digits.

    python3 tools/make_special_reference.py > tests/data/special.json

Per function a list of rows [arguments, value]. Inverses: rows of the function itself, at points where it is well between
0 and 1, the other way round. The slope of log x in a at fixed P(a, x) is -(dP/da) / (x p(x)), the derivative in a a
difference quotient of step 1e-20 at 80 digits.
"""
import json

import mpmath as mp

mp.mp.dps = 50
SQRT2 = mp.sqrt(2)
SIZES = [1e-2, 0.1, 0.5, 1.0, 2.5, 7.0, 30.0, 100.0, 1000.0]
NORMALS = [-4.0, -2.0, -0.7, 0.0, 0.4, 1.5, 3.5]


def points(a):
    """log x for x from the lower to the upper tail of Gamma(a): Wilson and Hilferty's cube, or powers of a uniform."""
    if a < 1:
        return [float(mp.log(u) / a + mp.loggamma(a + 1) / a) for u in (1e-3, 0.1, 0.5, 0.8)] + [0.1, 0.9, 1.8, 2.5]
    return [float(3 * mp.log(max(1 - 1 / (9 * a) + z / (3 * a ** 0.5), 0.05)) + mp.log(a)) for z in NORMALS]


def lower(a, x):
    """x^a exp(-x) / G(a + 1) times the sum of x^n / ((a + 1) .. (a + n)): all terms are positive."""
    a, x = mp.mpf(a), mp.mpf(x)
    total = term = mp.mpf(1)
    n = 0
    while term > total * mp.eps:
        n += 1
        term *= x / (a + n)
        total += term
    return total * mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1))


def beta_lower(a, b, x):
    """x^a (1 - x)^b / (a B(a, b)) times the sum of x^n (a + b) .. (a + b + n - 1) / ((a + 1) .. (a + n))."""
    a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)
    total = term = mp.mpf(1)
    n = 0
    while term > total * mp.eps * (1 - x):
        term *= x * (a + b + n) / (a + 1 + n)
        total += term
        n += 1
    return total * mp.exp(a * mp.log(x) + b * mp.log1p(-x)) / (a * mp.beta(a, b))


def slope(a, log_x):
    mp.mp.dps = 80
    a, x, h = mp.mpf(a), mp.exp(mp.mpf(log_x)), mp.mpf(10) ** -20
    derivative = (lower(a + h, x) - lower(a - h, x)) / (2 * h)
    value = -derivative / mp.exp(a * mp.log(x) - x - mp.loggamma(a))
    mp.mp.dps = 50
    return value


def beta_rows():
    for a, b in [(0.05, 0.3), (0.5, 0.5), (2.5, 1.3), (0.2, 40.0), (9.0, 12.0), (30.0, 7.5), (150.0, 300.0), (1000.0, 800.0)]:
        centre = a / (a + b)
        width = (a * b / (a + b + 1)) ** 0.5 / (a + b)
        for z in (-3, -1, -0.2, 0.5, 1, 3):
            x = min(max(centre + z * width, 1e-4), 0.999)
            yield [a, b, x], beta_lower(a, b, x)


def student(df, t):
    df, t = mp.mpf(df), mp.mpf(t)
    if t == 0:
        return mp.mpf(1) / 2
    with mp.workdps(160):
        tail = (1 - beta_lower(0.5, df / 2, t * t / (df + t * t))) / 2
    return tail if t < 0 else 1 - tail


def von_mises(k, x):
    k, x = mp.mpf(k), mp.mpf(x)
    width = 1 / mp.sqrt(k + 1)
    cuts = [-mp.pi] + sorted(c for c in (-40 * width, -12 * width, -4 * width, -width, 0 * width, width, 4 * width, 12 * width)
                             if -mp.pi < c < x) + [x]
    return mp.quad(lambda t: mp.exp(k * (mp.cos(t) - 1)), cuts) / (2 * mp.pi * mp.besseli(0, k) * mp.exp(-k))


gamma = [(a, u) for a in SIZES + [1e5, 3e6] for u in points(a)]
kept = [(a, float(mp.exp(u))) for a, u in gamma if u > -600]
rows = {
    "log_normal_cdf": [([z], mp.log(mp.erfc(-mp.mpf(z) / SQRT2) / 2))
                       for z in (-40.0, -8.0, -2.5, -2.0, -1.0, 0.0, 0.3, 1.7, 2.0, 2.5, 6.0)],
    "gamma_p": [([a, x], lower(a, x)) for a, x in kept],
    "gamma_q": [([a, x], 1 - lower(a, x)) for a, x in kept if x > 0.1],
    "log_gamma_slope": [([a, u], slope(a, u)) for a, u in gamma if a <= 1e5],
    "beta_cdf": list(beta_rows()),
    "student_t_cdf": [([df, t], student(df, t)) for df in (0.7, 1.0, 4.5, 30.0, 400.0)
                      for t in (-30.0, -2.0, -0.1, 0.0, 0.5, 3.0)],
    "log_bessel_i0": [([k], mp.log(mp.besseli(0, k))) for k in (1e-3, 0.5, 1.7, 9.0, 24.9, 25.1, 300.0, 1e4)],
    "von_mises_cdf": [([k, x], von_mises(k, x)) for k in (1e-3, 0.5, 1.7, 9.0, 29.9, 30.1, 300.0, 1e6)
                      for x in (-3.1, -1.2, -0.4, -1e-3, 0.0, 0.02, 0.3, 2.5)],
    "bessel_ratio": [([k], mp.besseli(1, k) / mp.besseli(0, k)) for k in (1e-3, 0.5, 1.7, 9.0, 24.9, 25.1, 300.0, 1e4)],
}
print("{")
for i, (name, table) in enumerate(rows.items()):
    print(' "%s": [' % name)
    print(",\n".join("  " + json.dumps([arguments, float(value)]) for arguments, value in table))
    print(" ]," if i + 1 < len(rows) else " ]")
print("}")
