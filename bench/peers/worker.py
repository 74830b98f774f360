"""What every peer shares: jobs that the driver (bench/compare) asks for by a line of JSON, answered by another.

A peer is a process that stays, so that its later runs are warm and so that the driver can take turns between peers."""
import json
import os
import sys
import time

import numpy as np

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data")
GRID = np.linspace(-1.5, 1.5, 200)  # where f is predicted and its effective draws are counted


def regression():
    """x and y of the tutorial's regression, 40 rows."""
    d = np.loadtxt(os.path.join(DATA, "regression.csv"), delimiter=",", skiprows=1)
    return d[:, 0], d[:, 1]


def spiral():
    """Inputs (300, 2) and classes of the tutorial's spiral."""
    d = np.loadtxt(os.path.join(DATA, "spiral.csv"), delimiter=",", skiprows=1)
    return d[:, :2], d[:, 2].astype(int)


def f_on_grid(bias0, kernel0, bias1, kernel1):
    """f at GRID for draws (chains, draws, ...) of the 1-H-1 tanh network: (chains, draws, 200)."""
    chains, draws = bias0.shape[:2]
    f = np.empty((chains, draws, len(GRID)))
    w, b, v, c = (a.reshape(chains, draws, -1) for a in (kernel0, bias0, kernel1, bias1))
    for k in range(chains):
        h = np.tanh(GRID[None, :, None] * w[k][:, None, :] + b[k][:, None, :])
        f[k] = np.einsum("dnh,dh->dn", h, v[k]) + c[k]
    return f


def effective_draws(f):
    """Least and median effective draws of f over the grid, by one estimator for everybody."""
    import ess as estimator

    found = np.array([estimator.effective(f[:, :, i]) for i in range(f.shape[2])])
    return {"ess_least": float(found.min()), "ess_median": float(np.median(found))}


def serve(jobs):
    """Answers lines {"job": name, ...} until the input ends; `seconds` is what the job took unless it says itself."""
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        ask = json.loads(line)
        job = jobs[ask.pop("job")]
        start = time.perf_counter()
        answer = job(**ask)
        answer.setdefault("seconds", time.perf_counter() - start)
        reply.write(json.dumps(answer) + "\n")
        reply.flush()
