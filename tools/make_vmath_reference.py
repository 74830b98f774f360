#!/usr/bin/env python3
"""Makes tests/data/vmath.json: elementary functions at stratified points, by mpmath at 50 digits.

    python3 tools/make_vmath_reference.py > tests/data/vmath.json

Per function a list of rows [x, high, low] (pow: [a, b, high, low]): high is the value rounded to double, low what is
left to three digits, so that errors below an ulp can be told. The others are hexadecimal strings, which C's strtod reads exactly.
"""
import json
import math
import random

import mpmath as mp

mp.mp.dps = 50
draw = random.Random(20240229)
INF, NAN = math.inf, math.nan


def between(a, b, n):
    return [draw.uniform(a, b) for _ in range(n)]


def scales(a, b, n, sign=True):
    return [math.exp(draw.uniform(math.log(a), math.log(b))) * (draw.choice((-1, 1)) if sign else 1) for _ in range(n)]


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 50 else x + mp.log1p(mp.exp(-x))


TINY = [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, -1e-310, 1e-300, -1e-20, 2.0 ** -54, -(2.0 ** -54)]
FUNCTIONS = {
    "exp": (mp.exp, {INF: INF, -INF: 0.0}, TINY + [1000.5, 709.7827128933840, 709.7827128933841, 709.79, 710.5, -708.5, -745.1332191019411,
            -745.1332191019412, -746.0, -1e300, 1e300] + between(-745, 709.7, 100) + between(-1, 1, 80) + between(-745.1, -708, 40)),
    "expm1": (mp.expm1, {INF: INF, -INF: -1.0}, TINY + [709.78, 709.7827128933841, 710.0, -50.5, -1e300, 1e300, -37.5]
              + between(-40, 709.7, 60) + between(-1.1, 1.1, 120) + scales(1e-300, 1, 40)),
    "log": (mp.log, {INF: INF, 0.0: -INF, -1.0: NAN, -INF: NAN, -1e-320: NAN}, [5e-324, 1e-310, 2.2250738585072014e-308, 1.0,
            1.7976931348623157e308] + scales(5e-324, 1.7e308, 80, False) + between(0.5, 2, 120) + [1 + t for t in scales(1e-16, 0.3, 60)]),
    "log1p": (mp.log1p, {INF: INF, -1.0: -INF, -1.5: NAN, -INF: NAN}, TINY + [1.7976931348623157e308, -1 + 2.0 ** -53, 1e16, 9007199254740993.0]
              + scales(1e-300, 1.7e308, 40, False) + between(-0.9999, 4, 120) + scales(1e-18, 0.99, 60) + [-1 + t for t in scales(2e-16, 0.5, 40, False)]),
    "tanh": (mp.tanh, {INF: 1.0, -INF: -1.0}, TINY + [20.0, 20.5, -400.0, 1e300, 0.2, 0.2558, 0.1999999] + between(-20, 20, 60) + between(-3, 3, 120)
             + between(-0.6, 0.6, 80) + scales(1e-300, 1, 40)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), {INF: 1.0, -INF: 0.0}, TINY + [-1.4, -745.1, -746.0, -1e300, 1e300, 37.5] + between(-745, 40, 60)
                + between(-5, 5, 120) + between(-40, 40, 80)),
    "softplus": (softplus, {INF: INF, -INF: 0.0}, TINY + [-745.1, -746.0, -1e300, 1e300, 37.5] + between(-745, 100, 60) + between(-5, 5, 120)
                 + between(-40, 40, 60)),
    "erf": (mp.erf, {INF: 1.0, -INF: -1.0}, TINY + [1.0, -1.0, 0.9999999999999999, 5.9, 5.93, 5.95, 6.5, -1e300] + between(-6, 6, 100)
            + between(-1, 1, 80) + scales(1e-300, 1, 40)),
    "erfinv": (mp.erfinv, {1.0: INF, -1.0: -INF, 1.0000001: NAN, -2.0: NAN, INF: NAN}, TINY + [1 - 2.0 ** -53, -1 + 2.0 ** -53] + between(-1, 1, 80)
               + [1 - t for t in scales(1.2e-16, 0.1, 60, False)] + scales(1e-300, 1, 40)),
    "sin": (mp.sin, {INF: NAN, -INF: NAN, 2.0 ** 41: NAN}, TINY + [float(k * mp.pi / 2) for k in (1, 2, 3, 4, 11, 344, 51819, 63661)]
            + between(-1e5, 1e5, 100) + between(-10, 10, 80) + scales(1, 1e12, 40)),
    "cos": (mp.cos, {INF: NAN, -INF: NAN, 2.0 ** 41: NAN}, TINY + [float(k * mp.pi / 2) for k in (1, 2, 3, 4, 11, 344, 51819, 63661)]
            + between(-1e5, 1e5, 100) + between(-10, 10, 80) + scales(1, 1e12, 40)),
    "atan": (mp.atan, {INF: float(mp.pi / 2), -INF: -float(mp.pi / 2)}, TINY + [1.0, 0.41421356237309503, 0.4142135623730951, 2.414213562373095, 1e300]
             + scales(1e-300, 1e300, 80) + between(-5, 5, 120)),
    "lgamma": (lambda x: mp.re(mp.loggamma(x)), {INF: INF, -INF: INF, 0.0: INF, -3.0: INF, -1e300: INF},
               [1.0, 2.0, 0.5, 1.5, 2.5, 8.0, 7.999999, 1e-300, 5e-324, 1e305, -1e-300, -1e-18]
               + between(0, 3, 80) + between(3, 20, 40) + scales(1e-20, 1e10, 40, False) + between(-20, 0, 60)),
    "digamma": (lambda x: mp.psi(0, x), {INF: INF, 0.0: -INF, -3.0: NAN, -INF: NAN},
                [1.0, 2.0, 0.5, 8.0, 1.4616321449683623, 1e-300, 1e300, -1e-300, -1e-18, -0.25]
                + between(0, 3, 80) + between(3, 20, 40) + scales(1e-20, 1e10, 40, False) + between(-20, 0, 60)),
    "trigamma": (lambda x: mp.psi(1, x), {INF: 0.0, 0.0: INF, -3.0: INF, -INF: NAN},
                 [1.0, 2.0, 0.5, 8.0, 1e-150, 1e-160, 1e300, -1e-100, -0.25]
                 + between(0, 3, 80) + between(3, 20, 40) + scales(1e-20, 1e10, 40, False) + between(-20, 0, 60)),
}
POW_EDGES = [(a, b) for a in (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, INF, -INF, NAN)
             for b in (0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 2.0 ** 53, 2.0 ** 53 - 1, 1e300, INF, -INF, NAN)]
POW = (list(zip(scales(0.01, 100, 60, False), between(-5, 5, 60))) + list(zip(scales(1e-300, 1e300, 40, False), between(-1, 1, 40)))
       + [(1 + t, u) for t, u in zip(scales(1e-12, 0.3, 40), scales(1, 1e9, 40))] + list(zip(scales(0.3, 3, 40, False), between(-600, 600, 40)))
       + [(a, math.floor(b)) for a, b in zip(scales(1e-5, 1e5, 40), between(-60, 60, 40))]
       + [(5e-324, 0.5), (1e-310, 0.75), (2.0, -1074.0), (2.0, -1075.5), (2.0, 1023.9999), (10.0, -320.0), (-2.0, -1073.0)])


def text(x):
    return "nan" if math.isnan(x) else ("inf" if x > 0 else "-inf") if math.isinf(x) else float(x).hex()


def split(value, x):
    """The value as high + low; an exact zero takes the sign of x."""
    high = float(value)
    if high == 0 and value == 0:
        return [text(math.copysign(0.0, x)), "0"]
    return [text(high), "0" if math.isinf(high) else f"{float(value - mp.mpf(high)):.3g}"]


def c_pow(a, b):
    """C17 F.10.4.4, which Python's math.pow follows but for its exceptions."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -INF if a < 0 and b % 2 == 1 else INF
    except ValueError:
        if a != 0:
            return NAN
        return math.copysign(INF, a) if math.isfinite(b) and b % 2 == 1 else INF


def main():
    table = {}
    for name, (f, edges, points) in FUNCTIONS.items():
        rows = [[text(x), text(y), "0"] for x, y in edges.items()] + [[text(NAN), text(NAN), "0"]]
        if 0.0 in edges:
            rows.append([text(-0.0), text(-edges[0.0] if name == "digamma" else edges[0.0]), "0"])
        table[name] = rows + [[text(x)] + split(f(mp.mpf(x)), x) for x in points]
    table["pow"] = [[text(a), text(b)] + (split(mp.power(mp.mpf(a), mp.mpf(b)), a) if 0 < a < INF and math.isfinite(b) and 0 < c_pow(a, b) < INF
                                          else [text(c_pow(a, b)), "0"]) for a, b in POW_EDGES]
    table["pow"] += [[text(a), text(b)] + split(mp.power(mp.mpf(a), mp.mpf(b)), a) for a, b in POW]
    print("{\n" + ",\n".join(f'"{name}": [\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]" for name, rows in table.items()) + "\n}")


if __name__ == "__main__":
    main()
