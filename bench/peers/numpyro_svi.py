"""The tutorial's variational fits in NumPyro (regression, spiral) and the deterministic twin in flax, step by step as on
its page, and as one compiled loop (`scan`).       numpyro_svi.py serve"""
import time

import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.random as jr
import numpyro
import numpyro.distributions as dist
import optax
from numpyro.contrib.module import random_flax_module
from numpyro.infer import SVI, TraceMeanField_ELBO
from numpyro.infer.autoguide import AutoNormal

import worker
from numpyro_nuts import MLP, load, regression

optimizer = optax.chain(optax.clip_by_global_norm(10.0), optax.scale_by_adam(), optax.scale(-1e-2))


def wide_regression(x, y=None):
    return regression(x, y, prior_sd=10.0)


def classifier(x, y=None):
    net = random_flax_module("net", MLP(100, 3, nn.relu), prior=dist.Normal(0, 10.0), input_shape=x.shape)
    with numpyro.plate("data", x.shape[0]):
        numpyro.sample("y", dist.CategoricalLogits(numpyro.deterministic("p", net(x))), obs=y)


def load_spiral():
    x, y = worker.spiral()
    return jnp.array(x, jnp.float32), jnp.array(y)


made = {}


def fit_of(name):
    """SVI, its first state and its compiled step: made and compiled once."""
    if name not in made:
        model, init, data = ((wide_regression, 1e-3, load()) if name == "regression" else
                             (classifier, 1e-2, load_spiral()))
        start = time.perf_counter()
        svi = SVI(model, AutoNormal(model, init_scale=init), optimizer, loss=TraceMeanField_ELBO(num_particles=10))
        state = svi.init(jr.PRNGKey(1234), *data)
        update = jax.jit(svi.update)
        state, loss = update(state, *data)
        loss.item()
        made[name] = svi, state, update, data, time.perf_counter() - start
    return made[name]


def step(name, steps):
    """Microseconds a step, the loss read after each as on the page."""
    svi, state, update, data, compiled = fit_of(name)
    start = time.perf_counter()
    for _ in range(steps):
        state, loss = update(state, *data)
        loss.item()
    return {"us": 1e6 * (time.perf_counter() - start) / steps, "compile_seconds": compiled}


def scan(name, steps):
    """Microseconds a step in one compiled loop; the loop is compiled by a first call."""
    svi, state, update, data, _ = fit_of(name)
    key = name, steps
    if key not in made:
        made[key] = jax.jit(lambda s: jax.lax.scan(lambda c, _: svi.update(c, *data), s, None, length=steps))
        jax.block_until_ready(made[key](state))
    start = time.perf_counter()
    jax.block_until_ready(made[key](state))
    return {"us": 1e6 * (time.perf_counter() - start) / steps}


def twin_step():
    net = MLP(100, 3, nn.relu)
    x, y = load_spiral()
    w = net.init(jr.PRNGKey(12345), x)["params"]

    def update(w, state):
        def loss(w):
            return optax.softmax_cross_entropy(net.apply({"params": w}, x), jax.nn.one_hot(y, 3)).mean()
        value, gradient = jax.value_and_grad(loss)(w)
        change, state = optimizer.update(gradient, state, w)
        return value, optax.apply_updates(w, change), state
    return update, w, optimizer.init(w)


def twin(steps):
    if "twin" not in made:
        update, w, state = twin_step()
        update = jax.jit(update)
        made["twin"] = update(w, state) and (update, w, state)
    update, w, state = made["twin"]
    start = time.perf_counter()
    for _ in range(steps):
        value, w, state = update(w, state)
        value.item()
    return {"us": 1e6 * (time.perf_counter() - start) / steps}


def twin_scan(steps):
    key = "twin_scan", steps
    if key not in made:
        update, w, state = twin_step()

        def body(c, _):
            value, w, state = update(*c)
            return (w, state), value
        loop = jax.jit(lambda w, state: jax.lax.scan(body, (w, state), None, length=steps))
        jax.block_until_ready(loop(w, state))
        made[key] = loop, w, state
    loop, w, state = made[key]
    start = time.perf_counter()
    jax.block_until_ready(loop(w, state))
    return {"us": 1e6 * (time.perf_counter() - start) / steps}


if __name__ == "__main__":
    worker.serve({"step": step, "scan": scan, "twin": twin, "twin_scan": twin_scan})
