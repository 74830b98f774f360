"""The tutorial's regression with nutpie over PyMC, 2 chains.       nutpie_nuts.py serve | cold DRAWS | first"""
import json
import sys
import time

began = time.time()
import numpy as np  # noqa: E402
import nutpie  # noqa: E402
import pymc as pm  # noqa: E402
import pytensor.tensor as pt  # noqa: E402

import worker  # noqa: E402


def compile_model():
    x, y = worker.regression()
    with pm.Model() as model:
        w0, b0 = pm.Normal("W0", 0, 1, shape=(1, 10)), pm.Normal("b0", 0, 1, shape=10)
        w1, b1 = pm.Normal("W1", 0, 1, shape=10), pm.Normal("b1", 0, 1)
        s = pm.HalfCauchy("s", 0.5)
        f = pt.tanh(pt.dot(x[:, None], w0) + b0) @ w1 + b1
        pm.Normal("y", f, s, observed=y)
    return nutpie.compile_pymc_model(model)


def sample(model, warmup, draws, seed):
    return nutpie.sample(model, draws=draws, tune=warmup, chains=2, cores=2, seed=seed, progress_bar=False)


made = {}


def f_of(trace):
    part = lambda name: np.asarray(trace.posterior[name])  # noqa: E731
    return worker.f_on_grid(part("b0"), part("W0"), part("b1"), part("W1"))


def nuts(warmup, draws, seed):
    if not made:
        made["model"] = compile_model()
    start = time.perf_counter()
    trace = sample(made["model"], warmup, draws, seed)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "steps": int(trace.sample_stats.n_steps.sum()), **worker.effective_draws(f_of(trace))}


def cold(draws):
    np.percentile(f_of(sample(compile_model(), 200, draws, 1234)), [5, 50, 95], axis=(0, 1))


def first():
    sample(compile_model(), 10, 1, 1)
    return {"seconds": time.time() - began}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        worker.serve({"nuts": nuts})
    elif sys.argv[1] == "cold":
        cold(int(sys.argv[2]))
    else:
        print(json.dumps(first()))
