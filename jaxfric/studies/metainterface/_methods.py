"""The methods of the table: each turns one target into a few surfaces, or a few laws."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxfric import contact
from jaxfric.contact import RADIUS_BOUNDS
from jaxfric.networks import CVAE, MLP
from jaxfric.studies.metainterface._designs import touching_heights
from jaxfric.studies.metainterface._model import Generator
from jaxfric.studies.metainterface._paper import (
    MATERIAL,
    clamped,
    condition,
    mixture_law,
    scaled,
    study_loads,
    unscaled,
)
from jaxfric.studies.metainterface._searches import cube_decoder, latent_decoder, search_law
from jaxfric.studies.metainterface._targets import Group

FINALISTS = 4


class One(NamedTuple):
    """One target as a method sees it."""

    friction: Array
    theta: Array  # of the mixture behind it; for scores of reconstruction only
    surface_key: Array


class Answer(NamedTuple):
    """Errors (%), depths of the touching asperities (m) or None, parameters or None."""

    error: Float[Array, " designs"]
    profile: Float[Array, "designs n"] | None = None
    theta: Float[Array, "designs 23"] | None = None


Answering = Callable[[One, Key[Array, ""]], Answer]


def of_laws(friction: Array, wanted: Array) -> Answer:
    """The answer that laws (designs, 128) are."""
    return Answer(jax.vmap(lambda F: contact.smape(F, wanted))(friction))


def of_designs(found: contact.Design) -> Answer:
    """The answer that a batch of designs is."""
    return Answer(found.error, touching_heights(found))


# ---------------------------------------------------------------- yardsticks


def constant(one: One, key: Array) -> Answer:
    """The target's median at every load."""
    return of_laws(jnp.full_like(one.friction, jnp.median(one.friction))[None], one.friction)


def best_random(laws: Array, count: int) -> Answering:
    """The nearest of `count` laws of other random surfaces; one of them is just any surface."""

    def method(one: One, key: Array) -> Answer:
        chosen = jax.random.randint(key, (count,), 0, laws.shape[0])
        return Answer(jnp.min(of_laws(laws[chosen], one.friction).error, keepdims=True))

    return method


def redrawn(n: int) -> Answering:
    """The noise floor of the parameters: the true mixture, and another surface drawn from it."""

    def method(one: One, key: Array) -> Answer:
        mixture = contact.SurfaceMixture.from_vector(one.theta)
        law = mixture_law(mixture, n, key, study_loads())
        return of_laws(law[None], one.friction)

    return method


def retrieval(bank: contact.Bank, count: int, steps: int, best: bool = False) -> Answering:
    """The nearest laws of a bank, each stretched to the target and refined."""

    def method(one: One, key: Array) -> Answer:
        starts = contact.nearest(bank, MATERIAL, study_loads(), one.friction, count, RADIUS_BOUNDS)
        return _refined(starts, one.friction, steps, best)

    return method


def _refined(starts: contact.Asperities, wanted: Array, steps: int, best: bool) -> Answer:
    """Least squares from every start, or for the best of them.

    The best is found with half of the steps on 48 of the loads, the rest, for four, on all.
    """

    def refine(start: contact.Asperities, steps: int, **loads: Any) -> contact.Design:
        return contact.refine(
            start, MATERIAL, study_loads(), wanted, radius_bounds=RADIUS_BOUNDS, steps=steps,
            **loads,
        )  # fmt: skip

    if not best:
        return of_designs(jax.vmap(lambda s: refine(s, steps))(starts))
    found = jax.vmap(lambda s: refine(s, steps // 2))(starts)
    chosen = jnp.argsort(found.error)[:FINALISTS]
    finalists = jax.tree_util.tree_map(lambda x: x[chosen], found.surface)
    found = jax.vmap(lambda s: refine(s, steps - steps // 2, fit_loads=None))(finalists)
    i = jnp.argmin(found.error)
    return Answer(found.error[i][None], touching_heights(found)[i][None])


# ---------------------------------------------------------------- ours


def ours(made: Generator, n: int, count: int, steps: int, best: bool = False) -> Answering:
    """`count` draws of z (z = 0 if it is one), refined."""

    def method(one: One, key: Array) -> Answer:
        z = jax.random.normal(key, (count, made.latent))
        z = jnp.zeros_like(z) if count == 1 else z
        z = z.at[0].set(0.0) if best else z
        starts = jax.vmap(
            lambda z: made(
                MATERIAL, study_loads(), one.friction, z, asperities=n, radius_bounds=RADIUS_BOUNDS
            )
        )(z)
        return _refined(starts, one.friction, steps, best)

    return method


# ---------------------------------------------------------------- the paper's


def _drawn(mixture: contact.SurfaceMixture, n: int, key: Array, one: One, theta: Array) -> Answer:
    """One surface of a mixture, as an answer."""
    drawn = mixture.sample(n, key=key, radii=RADIUS_BOUNDS)
    curve = contact.friction_law(drawn, MATERIAL, study_loads())
    gap = jnp.minimum(jnp.sort(drawn.top - drawn.height), curve.indentation[-1])
    return Answer(contact.smape(curve.friction, one.friction)[None], gap[None], theta[None])


def bounded(network: MLP) -> Callable[[Array], Array]:
    """A network's numbers, inside the bounds of the parameters."""
    return lambda x: jnp.tanh(network(x))


def regressed(predict: Callable[[Array], Array], n: int) -> Answering:
    """Parameters as a regression guesses them, and a surface drawn from them."""

    def method(one: One, key: Array) -> Answer:
        theta = unscaled(predict(condition(one.friction, jnp.asarray(n))))
        return _drawn(clamped(theta), n, key, one, theta)

    return method


def generated(
    decode: Callable[[Array, Array], Array], latent: int, n: int, count: int
) -> Answering:
    """`count` draws from the prior of a conditional generator, a surface from each."""

    def method(one: One, key: Array) -> Answer:
        given = condition(one.friction, jnp.asarray(n))

        def draw(key: Array) -> Answer:
            of_z, of_surface = jax.random.split(key)
            theta = unscaled(decode(jax.random.normal(of_z, (latent,)), given))
            return _drawn(clamped(theta), n, of_surface, one, theta)

        parts = jax.vmap(draw)(jax.random.split(key, count))
        return jax.tree_util.tree_map(lambda x: x[:, 0], parts)

    return method


def reconstructed(network: CVAE, n: int) -> Answering:
    """The encoder is given the true parameters: what is scored is reconstruction.

    Two designs: the surface drawn with the key of the true one, and with another.
    """

    def method(one: One, key: Array) -> Answer:
        given = condition(one.friction, jnp.asarray(n))
        mean, _ = network.encode(scaled(one.theta), given)
        theta = unscaled(network.decode(mean, given))
        return _both(clamped(theta), n, (one.surface_key, key), one, theta)

    return method


def searched(n: int, network: CVAE | None, **options: Any) -> Answering:
    """CMA-ES in a VAE's latent space, or on the 23 parameters.

    Two designs: the surface that was searched, and another drawn from the same mixture.
    """

    def method(one: One, key: Array) -> Answer:
        of_search, other = jax.random.split(key)
        decode: Callable[[Array], contact.SurfaceMixture]
        if network is None:
            decode, start = cube_decoder, jnp.full(contact.SurfaceMixture.SIZE, 0.5)
        else:
            decode, start = latent_decoder(network), jnp.zeros(network.latent)
        found, frozen = search_law(
            decode, start.astype(one.friction.dtype), one.friction, key=of_search, asperities=n,
            cube=network is None, step_size=0.25 if network is None else 0.7, **options,
        )  # fmt: skip
        mixture = decode(found.best)
        return _both(mixture, n, (frozen, other), one, mixture.to_vector())

    return method


def _both(
    mixture: contact.SurfaceMixture, n: int, keys: tuple[Array, Array], one: One, theta: Array
) -> Answer:
    parts = [_drawn(mixture, n, key, one, theta) for key in keys]
    return jax.tree_util.tree_map(lambda *x: jnp.concatenate(x), *parts)


def apply(method: Answering, group: Group, key: Array) -> Answer:
    """A method on every target of a group, a few at a time."""
    # A remainder would be compiled for itself
    together = max(k for k in range(1, 9) if group.size % k == 0)
    keys = jax.random.split(key, group.size)
    ones = One(group.friction, group.theta, group.keys)
    return jax.lax.map(lambda x: method(*x), (ones, keys), batch_size=together)
