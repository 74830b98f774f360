"""Writes tests/data/psis.json: log ratios of several shapes and what ArviZ's psislw makes of them.

Usage: python tools/make_psis_reference.py OUT.json      (needs numpy and arviz 0.23)
"""
import json
import sys

import arviz
import numpy as np

rng = np.random.default_rng(7)
cases = [
    ("normal_400", rng.normal(0, 1, 400), 1.0),
    ("heavy_300", 2 * rng.standard_exponential(300), 0.7),
    ("bounded_200", -0.3 * rng.standard_exponential(200), 1.5),
    ("small_25", rng.normal(3, 2, 25), 1.0),
    ("too_few_20", rng.normal(-3, 2, 20), 1.0),
]
cases.append(("far_150", rng.normal(-2000, 300, 150), 0.5))


def row(name, ratio, reff):
    ratio = np.round(ratio, 5)
    weight, k = arviz.psislw(ratio.copy(), reff=reff)
    k = float(k) if np.isfinite(k) else "inf"
    return {"name": name, "reff": reff, "log_ratio": ratio.tolist(), "log_weight": weight.tolist(), "k": k}


with open(sys.argv[1], "w") as out:
    json.dump({"arviz": arviz.__version__, "cases": [row(*case) for case in cases]}, out, indent=0)
