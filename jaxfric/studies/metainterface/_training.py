"""Training the generator through the physics: its loss is the error of the friction law."""

import os

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from jaxfric import training
from jaxfric.networks import SurfaceGenerator
from jaxfric.studies.metainterface._canonical import WEIGHTS, Canonical
from jaxfric.studies.metainterface._generator import Draft, generate, new_network
from jaxfric.studies.metainterface._requests import FEWEST, request

# Lengths of surfaces: shapes are static, and a surface of 16 asperities padded to 1,024 would cost
# as much as one of 1,024
SIZES = (64, 256, 1024)
# How many requests of each length a batch holds: fewer of long ones, whose simulation costs more,
# so that they do not take most of the time. What is learned of one number serves the others: nodes
# are the same ranks for all
SHARES = (128, 16, 2)
# Distance of two designs of one law beyond which they count as different, in heights over the depth
# that touches and in ln R. The reward ends there: a network that went on would pay with the error
APART = 0.3
# Weight of the lacking distance against the rms error of the law, where 1 is 100 %: the two designs
# may lie at most 0.3 too near in each, which costs as much as an error of 2.4 %
PUSH = 0.04
# Rms error below which the loss flattens: the root of a sum of squares has no derivative at zero
SMALL = 1e-4


def batch(key: Key[Array, ""], shares: tuple[int, ...] = SHARES) -> tuple[Canonical, ...]:
    """As many requests of each length as `shares` says; lengths without any are left out."""
    # Each length has the numbers of asperities that the shorter one has no room for
    fewest = (FEWEST, *(size + 1 for size in SIZES[:-1]))
    keys = jax.random.split(key, len(SIZES))
    return tuple(
        jax.vmap(lambda k, size=size, least=least: request(k, size, least))(jax.random.split(k, n))
        for k, n, size, least in zip(keys, shares, SIZES, fewest, strict=True)
        if n
    )


def distances(
    a: Draft, b: Draft, count: Int[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """RMS differences of heights and of ln R where designs touch.

    Heights end at the deepest indentation, and are in units of the mean of the two.
    """
    n = a.gap.shape[0]
    used = jnp.arange(n) < count
    # What never touches is free, and a distance that saw it would be bought there for nothing. The
    # depth at which that begins is held fixed, or designs would grow apart by pressing in deeper
    x, y = (jax.lax.stop_gradient(d.reach) for d in (a, b))
    apart = 2 * (jnp.minimum(a.gap, x) - jnp.minimum(b.gap, y)) / (x + y)
    touching = used & ((a.gap < x) | (b.gap < y))
    radii = a.log_radius - b.log_radius
    return _rms(apart, used), _rms(radii, touching)


def _rms(x: Float[Array, " n"], used: Bool[Array, " n"]) -> Float[Array, ""]:
    # The small number gives the root of zero, of two equal designs, a finite derivative
    return jnp.sqrt(jnp.sum(jnp.where(used, x**2, 0.0)) / jnp.maximum(jnp.sum(used), 1) + 1e-8)


def one_loss(
    network: SurfaceGenerator, target: Canonical, key: Key[Array, ""]
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The loss of three designs for one request: at z = 0, and at two draws that should differ.

    mean of the rms errors + PUSH (what heights and radii of the two lack of the distance APART).

    Returns:
        (loss, terms of the log).
    """
    # z = 0 is trained in every step, which makes it the most accurate design of a law
    z = jax.random.normal(key, (3, network.latent)).at[0].set(0.0)
    designs = jax.vmap(lambda z: generate(network, target, z))(z)
    # The squares of the relative errors, where the score takes their size: an error at one load,
    # such as at a kink, should count for more than the same sum spread over all
    weights = jnp.asarray(WEIGHTS).astype(designs.errors.dtype)
    rms = jnp.sqrt(designs.errors**2 @ weights + SMALL**2)
    first, second = (jax.tree_util.tree_map(lambda x, i=i: x[i], designs) for i in (1, 2))
    heights, radii = distances(first, second, target.count)
    too_near = jnp.maximum(APART - heights, 0.0)
    # Given radii are the same in every design
    too_near += jnp.where(target.wanted, 0.0, jnp.maximum(APART - radii, 0.0))
    terms = {
        "error": designs.error[0], "drawn_error": jnp.mean(designs.error[1:]),
        "heights_apart": heights, "radii_apart": radii,
    }  # fmt: skip
    return jnp.mean(rms) + PUSH * too_near, terms


def loss(
    network: SurfaceGenerator, requests: tuple[Canonical, ...], key: Key[Array, ""]
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The mean loss of a batch of mixed lengths, and the terms of its shortest length for the log.

    No pair of a law and its surface is shown: the loss is the error of the law of whatever surface
    the network makes, so that among all surfaces of a law it may pick what it finds easiest.
    """
    total, count = jnp.zeros(()), 0
    terms: dict[str, Float[Array, ""]] = {}
    for k, part in enumerate(requests):
        n = part.count.shape[0]
        keys = jax.random.split(jax.random.fold_in(key, k), n)
        losses, parts = jax.vmap(lambda t, key: one_loss(network, t, key))(part, keys)
        total, count = total + jnp.sum(losses), count + n
        terms = terms or jax.tree_util.tree_map(jnp.mean, parts)
    return total / count, terms


def train_generator(
    seed: int,
    steps: int,
    *,
    rate: float = 2e-3,
    shares: tuple[int, ...] = SHARES,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **network: int,
) -> training.Trained:
    """Train a generator on an endless stream of requests.

    Arguments:
        seed: of the initial weights and of the requests.
        steps: gradient steps.
        rate: the highest learning rate of Adam.
        shares: requests for up to 64, 256 and 1,024 asperities in a step.
        checkpoint: folder; a training that was killed resumes from it.
        progress: show a progress bar.
        network: `latent`, `width` and `blocks` of the network, if others than the study's.

    Returns:
        `training.Trained`; its `last` is a `networks.SurfaceGenerator`.
    """
    # An epoch of an endless stream is what lies between two entries of the history: there are 40
    every = max(steps // 40, 1)
    # A short warm-up, as the first steps of Adam are long while it has seen few gradients; then
    # down to a thousandth, so that the last steps average the noise of the requests out
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, rate, max(steps // 50, 1), steps, rate * 1e-3
    )
    stream = training.Stream(lambda key: batch(key, shares), every)
    return training.train(
        loss, new_network(seed, **network), stream, key=jax.random.key(seed),
        # The law has kinks where contacts are made: single gradients can be far longer than others
        optimiser=optax.adam(schedule), epochs=max(steps // every, 1), clip=10.0,
        checkpoint=checkpoint, save_every=5, progress=progress,
        config={"seed": seed, "steps": steps, "shares": shares, "rate": rate, **network},
    )  # fmt: skip
