"""The tutorial's regression in Stan (pystan 3), 2 chains.       stan_nuts.py serve | cold DRAWS | first"""
import json
import os
import sys
import time

began = time.time()
import numpy as np  # noqa: E402
import stan  # noqa: E402

import worker  # noqa: E402

CODE = """
data { int<lower=1> N; int<lower=1> H; matrix[N,1] x; vector[N] y; real<lower=0> prior_sd; }
parameters { matrix[1,H] W0; row_vector[H] b0; vector[H] W1; real b1; real<lower=0> s; }
model {
  vector[N] f = tanh(x * W0 + rep_matrix(b0, N)) * W1 + b1;
  to_vector(W0) ~ normal(0, prior_sd); b0 ~ normal(0, prior_sd); W1 ~ normal(0, prior_sd); b1 ~ normal(0, prior_sd);
  s ~ cauchy(0, 0.5); y ~ normal(f, s);
}
"""


def build(seed=1, fresh=False):
    """Compiles the model; a fresh one has a comment of its own, which the cache of models does not know."""
    x, y = worker.regression()
    code = CODE + (f"// {os.getpid()} {time.time()}\n" if fresh else "")
    return stan.build(code, data=dict(N=len(x), H=10, x=x[:, None].tolist(), y=y.tolist(), prior_sd=1.0),
                      random_seed=seed)


made = {}


def nuts(warmup, draws, seed):
    if seed not in made:
        made[seed] = build(seed)
    start = time.perf_counter()
    fit = made[seed].sample(num_chains=2, num_samples=draws, num_warmup=warmup)
    seconds = time.perf_counter() - start
    part = lambda name: np.moveaxis(fit[name].reshape(-1, draws, 2), 0, -1).transpose(1, 0, 2)  # noqa: E731
    return {"seconds": seconds, "steps": int(fit["n_leapfrog__"].sum()),
            **worker.effective_draws(worker.f_on_grid(part("b0"), part("W0"), part("b1"), part("W1")))}


def cold(draws):
    fit = build(fresh=True).sample(num_chains=2, num_samples=draws, num_warmup=200)
    part = lambda name: fit[name].reshape(-1, 2 * draws).T[None]  # noqa: E731
    f = worker.f_on_grid(part("b0"), part("W0"), part("b1"), part("W1"))
    np.percentile(f, [5, 50, 95], axis=(0, 1))


def first():
    build(fresh=True).sample(num_chains=1, num_samples=1, num_warmup=1)
    return {"seconds": time.time() - began}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        worker.serve({"nuts": nuts})
    elif sys.argv[1] == "cold":
        cold(int(sys.argv[2]))
    else:
        out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        out.write(json.dumps(first()) + "\n")
