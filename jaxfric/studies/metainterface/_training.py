"""Training the generator through the physics: its loss is the error of the friction law."""

import os
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxfric import training
from jaxfric.networks import SurfaceGenerator
from jaxfric.studies.metainterface._canonical import WEIGHTS, Canonical
from jaxfric.studies.metainterface._generator import Draft, generate, new_network
from jaxfric.studies.metainterface._requests import FEWEST, request

SIZES = (64, 256, 1024)  # lengths of surfaces; a batch holds some of each
SHARES = (128, 16, 2)  # of them in a batch: about the same work for each length
APART = 0.3  # distance of two designs of one law that is far enough, in heights and in ln R
PUSH = 0.04  # of designs that are nearer, against an error of 1
SMALL = 1e-4  # rms error below which it counts less and less


def batch(key: Array, shares: tuple[int, ...] = SHARES) -> tuple[Canonical, ...]:
    """Requests of each length."""
    fewest = (FEWEST, *(size + 1 for size in SIZES[:-1]))
    keys = jax.random.split(key, len(SIZES))
    return tuple(
        jax.vmap(lambda k, size=size, least=least: request(k, size, least))(jax.random.split(k, n))
        for k, n, size, least in zip(keys, shares, SIZES, fewest, strict=True)
        if n
    )


def distances(a: Draft, b: Draft, count: Array) -> tuple[Array, Array]:
    """RMS differences of heights and of ln R where designs touch.

    Heights end at the deepest indentation, and are in units of the mean of the two.
    """
    n = a.gap.shape[0]
    used = jnp.arange(n) < count
    x, y = (jax.lax.stop_gradient(d.reach) for d in (a, b))
    apart = 2 * (jnp.minimum(a.gap, x) - jnp.minimum(b.gap, y)) / (x + y)
    touching = used & ((a.gap < x) | (b.gap < y))
    radii = a.log_radius - b.log_radius
    return _rms(apart, used), _rms(radii, touching)


def _rms(x: Array, used: Array) -> Array:
    return jnp.sqrt(jnp.sum(jnp.where(used, x**2, 0.0)) / jnp.maximum(jnp.sum(used), 1) + 1e-8)


def one_loss(
    network: SurfaceGenerator, target: Canonical, key: Array
) -> tuple[Array, dict[str, Array]]:
    """Of three designs for one request: at z = 0, and at two draws that shall differ."""
    z = jax.random.normal(key, (3, network.latent)).at[0].set(0.0)
    designs = jax.vmap(lambda z: generate(network, target, z))(z)
    weights = jnp.asarray(WEIGHTS).astype(designs.errors.dtype)
    rms = jnp.sqrt(designs.errors**2 @ weights + SMALL**2)
    first, second = (jax.tree_util.tree_map(lambda x, i=i: x[i], designs) for i in (1, 2))
    heights, radii = distances(first, second, target.count)
    too_near = jnp.maximum(APART - heights, 0.0)
    too_near += jnp.where(target.wanted, 0.0, jnp.maximum(APART - radii, 0.0))
    terms = {
        "error": designs.error[0], "drawn_error": jnp.mean(designs.error[1:]),
        "heights_apart": heights, "radii_apart": radii,
    }  # fmt: skip
    return jnp.mean(rms) + PUSH * too_near, terms


def loss(
    network: SurfaceGenerator, requests: tuple[Canonical, ...], key: Array
) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Mean over a batch of mixed lengths; terms of the shortest."""
    total, count = jnp.zeros(()), 0
    terms: dict[str, Array] = {}
    for k, part in enumerate(requests):
        n = part.count.shape[0]
        keys = jax.random.split(jax.random.fold_in(key, k), n)
        each, found = jax.vmap(lambda t, key: one_loss(network, t, key))(part, keys)
        total, count = total + jnp.sum(each), count + n
        terms = terms or jax.tree_util.tree_map(jnp.mean, found)
    return total / count, terms


def train_generator(
    seed: int,
    steps: int,
    *,
    rate: float = 2e-3,
    shares: tuple[int, ...] = SHARES,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **network: Any,
) -> training.Trained:
    """Train on an endless stream of requests; resumes from `checkpoint`."""
    every = max(steps // 40, 1)
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, rate, max(steps // 50, 1), steps, rate * 1e-3
    )
    stream = training.Stream(lambda key: batch(key, shares), every)
    return training.train(
        loss, new_network(seed, **network), stream, key=jax.random.key(seed),
        optimiser=optax.adam(schedule), epochs=max(steps // every, 1), clip=10.0,
        checkpoint=checkpoint, save_every=5, progress=progress,
        config={"seed": seed, "steps": steps, "shares": shares, "rate": rate, **network},
    )  # fmt: skip
