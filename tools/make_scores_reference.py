"""Writes tests/data/scores.json: small cases and what scikit-learn, scoringrules, properscoring, netcal and SciPy say of them.

Usage: python tools/make_scores_reference.py OUT.json     (needs scikit-learn, scoringrules, properscoring, netcal, scipy)
"""
import json
import sys

import netcal
import numpy as np
import properscoring
import scipy
import scoringrules
import sklearn
from netcal.metrics import ECE, MCE
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

rng = np.random.default_rng(11)


def classes(name, n, k, bins):
    """Probabilities without ties on edges of bins, which netcal counts to the bin above."""
    p = np.round(rng.dirichlet(np.full(k, 0.6), n), 6)
    p[:, -1] = 1 - p[:, :-1].sum(1)
    y = np.array([rng.choice(k, p=np.clip(q, 0, 1) / np.clip(q, 0, 1).sum()) for q in 0.7 * p + 0.3 / k])
    top, right = p.max(1), (p.argmax(1) == y).astype(int)
    out = {"name": name, "bins": bins, "p": p.tolist(), "y": y.tolist(), "accuracy": float(right.mean()),
           "brier": float(brier_score_loss(y, p if k > 2 else p[:, 1], labels=list(range(k)))),
           "log_loss": float(log_loss(y, p, labels=list(range(k)))),
           "ece": float(ECE(bins).measure(top, right)), "mce": float(MCE(bins).measure(top, right))}
    for strategy in ("uniform", "quantile"):
        frequency, confidence = calibration_curve(right, top, n_bins=bins, strategy=strategy)
        out[strategy] = {"frequency": frequency.tolist(), "confidence": confidence.tolist()}
    if k == 2:
        out["auroc"] = float(roc_auc_score(y, p[:, 1]))
    return out


def auroc(name, n):
    """With many ties; DeLong's variance from its definition, pair by pair."""
    score, positive = np.round(rng.normal(0, 1, n), 1), rng.integers(0, 2, n)
    score[positive == 1] += 0.5
    a, b = score[positive == 1], score[positive == 0]
    psi = (a[:, None] > b[None]) + 0.5 * (a[:, None] == b[None])
    variance = psi.mean(1).var(ddof=1) / len(a) + psi.mean(0).var(ddof=1) / len(b)
    return {"name": name, "score": score.tolist(), "positive": positive.tolist(), "auroc": float(roc_auc_score(positive, score)),
            "se": float(np.sqrt(variance))}


def ensemble(name, n):
    x, y = np.round(rng.normal(1, 2, n), 3), float(np.round(rng.normal(1, 2), 3))
    w = np.round(rng.dirichlet(np.ones(n)), 6)
    w[-1] = 1 - w[:-1].sum()
    return {"name": name, "x": x.tolist(), "y": y, "w": w.tolist(), "crps": float(properscoring.crps_ensemble(y, x)),
            "scoringrules": float(scoringrules.crps_ensemble(y, x, estimator="nrg")),
            "weighted": float(properscoring.crps_ensemble(y, x, weights=w))}


def mixture(name, n, spread, distance):
    m, s = np.round(rng.normal(0, spread, n), 3), np.round(rng.uniform(0.5, 1.5, n), 3)
    w = np.round(rng.dirichlet(np.ones(n)), 6)
    w[-1] = 1 - w[:-1].sum()
    y = float(np.round(distance, 3))
    cdf = lambda x: float(np.sum(w * norm.cdf(x, m, s)))
    below = quad(lambda x: cdf(x) ** 2, -60, y, epsabs=1e-13, epsrel=1e-13, limit=800)[0]
    above = quad(lambda x: (1 - cdf(x)) ** 2, y, 60, epsabs=1e-13, epsrel=1e-13, limit=800)[0]
    return {"name": name, "m": m.tolist(), "s": s.tolist(), "w": w.tolist(), "y": y, "crps": below + above, "cdf": cdf(y),
            "scoringrules": float(scoringrules.crps_mixnorm(y, m, s, w))}


normal = [{"m": m, "s": s, "y": y, "crps": float(scoringrules.crps_normal(y, m, s)),
           "log": float(norm.logpdf(y, m, s))} for m, s, y in ((0, 1, 0.3), (2, 0.1, -1.5), (-3, 7.5, 4))]
with open(sys.argv[1], "w") as out:
    json.dump({"scikit-learn": sklearn.__version__, "scoringrules": scoringrules.__version__, "netcal": netcal.__version__,
               "scipy": scipy.__version__,
               "classes": [classes("two", 60, 2, 10), classes("three", 80, 3, 10), classes("five", 50, 5, 7)],
               "auroc": [auroc("ties", 70), auroc("few", 9)],
               "ensemble": [ensemble("seven", 7), ensemble("forty", 40)],
               "mixture": [mixture("three", 3, 2, 1.2), mixture("thirty", 30, 1, -0.4), mixture("far", 12, 8, 20)],
               "normal": normal}, out, indent=0)
