"""The tutorial's regression in NumPyro, as on its page: NUTS, 2 chains in parallel, single precision.

    numpyro_nuts.py serve | cold DRAWS | first      cold: one run with prediction and summary, then the end"""
import json
import sys
import time

began = time.time()
import numpyro  # noqa: E402

numpyro.set_host_device_count(2)
import flax.linen as nn  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import jax.random as jr  # noqa: E402
import numpy as np  # noqa: E402
import numpyro.distributions as dist  # noqa: E402
from numpyro.contrib.module import random_flax_module  # noqa: E402
from numpyro.infer import MCMC, NUTS, Predictive  # noqa: E402

import worker  # noqa: E402


class MLP(nn.Module):
    width: int = 10
    outputs: int = 1
    activation: object = nn.tanh

    @nn.compact
    def __call__(self, x):
        x = self.activation(nn.Dense(self.width)(x))
        return nn.Dense(self.outputs)(x)


def regression(x, y=None, width=10, prior_sd=1.0):
    net = random_flax_module("net", MLP(width), prior=dist.Normal(0, prior_sd), input_shape=x.shape)
    s = numpyro.sample("s", dist.HalfCauchy(0.5))
    with numpyro.plate("data", x.shape[0]):
        f = numpyro.deterministic("f", net(x)[:, 0])
        numpyro.sample("y", dist.Normal(f, s), obs=y)


def load():
    x, y = worker.regression()
    return jnp.array(x[:, None], jnp.float32), jnp.array(y, jnp.float32)


def sampler(warmup, draws):
    return MCMC(NUTS(regression, adapt_step_size=True), num_chains=2, num_samples=draws, num_warmup=warmup,
                jit_model_args=True, progress_bar=False)


def run(mcmc, seed):
    mcmc.run(jr.PRNGKey(seed), *load(), extra_fields=("num_steps", "diverging"))
    jax.block_until_ready(mcmc.get_samples())


def net_of(samples):
    part = lambda name: np.asarray(samples["net/" + name])  # noqa: E731
    return part("Dense_0.bias"), part("Dense_0.kernel"), part("Dense_1.bias"), part("Dense_1.kernel")


made = {}


def nuts(warmup, draws, seed):
    """One run; the compiled program of earlier runs is used again."""
    mcmc = made.setdefault((warmup, draws), sampler(warmup, draws))
    start = time.perf_counter()
    run(mcmc, seed)
    seconds = time.perf_counter() - start
    steps = int(mcmc.get_extra_fields()["num_steps"].sum())
    f = worker.f_on_grid(*net_of(mcmc.get_samples(group_by_chain=True)))
    return {"seconds": seconds, "steps": steps, **worker.effective_draws(f)}


def cold(draws):
    mcmc = sampler(200, draws)
    run(mcmc, 1234)
    mcmc.print_summary(0.9)
    grid = jnp.array(worker.GRID[:, None], jnp.float32)
    p = Predictive(regression, posterior_samples=mcmc.get_samples(), return_sites=["f"])
    np.percentile(np.asarray(p(jr.PRNGKey(1), grid)["f"]), [5, 50, 95], axis=0)


def first():
    """Seconds from the first line of this program to a kept draw; hardly any of them are gradients."""
    run(sampler(1, 1), 1234)
    return {"seconds": time.time() - began}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        worker.serve({"nuts": nuts})
    elif sys.argv[1] == "cold":
        cold(int(sys.argv[2]))
    else:
        print(json.dumps(first()))
