"""The methods of the table: each turns one target into a few surfaces, or a few laws."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxfric import contact
from jaxfric.contact import RADIUS_BOUNDS
from jaxfric.contact._request import FIT_LOADS
from jaxfric.networks import CVAE, MLP
from jaxfric.studies.metainterface._diversity import touching_heights
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

FINALISTS = 4  # of the starts that the best design is looked for among; as of `contact.design`
# Where CMA-ES begins: about a fifth of the region that it searches. Latent variables are N(0, 1),
# so theirs is some [−2, 2]; the parameters are in the unit cube
LATENT_STEP, CUBE_STEP = 0.7, 0.25


class Target(NamedTuple):
    """One target as a method sees it.

    Attributes:
        friction: (128,), N, the law that is wanted.
        theta: (23,), of the mixture behind it; for scores of reconstruction only.
        surface_key: what the surface behind it was drawn with; for the same.
    """

    friction: Float[Array, " loads"]
    theta: Float[Array, "23"]
    surface_key: Key[Array, ""]


class Answer(NamedTuple):
    """The designs of one target, or of a batch of them with a leading axis.

    Attributes:
        error: (designs,), sMAPE of their laws, percent.
        profile: (designs, n), depths of the asperities that touch, m; None without a surface.
        theta: (designs, 23), parameters as a network gave them; None where there are none.
    """

    error: Float[Array, " designs"]
    profile: Float[Array, "designs n"] | None = None
    theta: Float[Array, "designs 23"] | None = None


# What a line of the table is: (target, key) → answer, pure, so that all targets are one program
Answering = Callable[[Target, Key[Array, ""]], Answer]


def answer_from_laws(
    friction: Float[Array, "designs loads"], wanted: Float[Array, " loads"]
) -> Answer:
    """The answer of laws that no surface is known of."""
    return Answer(jax.vmap(lambda F: contact.smape(F, wanted))(friction))


def answer_from_designs(found: contact.Design) -> Answer:
    """The answer of a batch of designs."""
    return Answer(found.error, touching_heights(found))


# ---------------------------------------------------------------- yardsticks
# An error means little alone: beside it stand those of answers that know nothing of the target, and
# that of one who knows its true mixture.


def constant(target: Target, key: Key[Array, ""]) -> Answer:
    """The target's median at every load."""
    friction = target.friction
    return answer_from_laws(jnp.full_like(friction, jnp.median(friction))[None], friction)


def best_random(laws: Float[Array, "laws loads"], count: int) -> Answering:
    """The nearest of `count` laws of other random surfaces; one of them is just any surface."""

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        chosen = jax.random.randint(key, (count,), 0, laws.shape[0])
        errors = answer_from_laws(laws[chosen], target.friction).error
        return Answer(jnp.min(errors, keepdims=True))

    return method


def redrawn(n: int) -> Answering:
    """The noise floor of the parameters: the true mixture, and another surface drawn from it.

    Whoever answers with the statistics of a surface is not expected to come below it.
    """

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        mixture = contact.SurfaceMixture.from_vector(target.theta)
        law = mixture_law(mixture, n, key, study_loads())
        return answer_from_laws(law[None], target.friction)

    return method


def retrieval(bank: contact.Bank, count: int, steps: int, best: bool = False) -> Answering:
    """The nearest laws of a bank, each stretched to the target and refined."""

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        starts = contact.nearest(
            bank, MATERIAL, study_loads(), target.friction, count, RADIUS_BOUNDS
        )
        return _refined(starts, target.friction, steps, best)

    return method


def _refined(
    starts: contact.Asperities, wanted: Float[Array, " loads"], steps: int, best: bool
) -> Answer:
    """Least squares from every start, with one answer each; or only the best that comes of them.

    The best is looked for with half of the steps on 48 of the loads; the four best of all starts
    get the rest of the steps on all loads.
    """

    def refine(
        start: contact.Asperities, steps: int, fit_loads: int | None = FIT_LOADS
    ) -> contact.Design:
        return contact.refine(
            start, MATERIAL, study_loads(), wanted, radius_bounds=RADIUS_BOUNDS, steps=steps,
            fit_loads=fit_loads,
        )  # fmt: skip

    if not best:
        return answer_from_designs(jax.vmap(lambda s: refine(s, steps))(starts))
    # Half of the steps, on 48 of the 128 loads, tell which starts are good, at less than half of
    # the price. The score is over all loads, so the last steps see them all: four starts are left
    # to pay
    found = jax.vmap(lambda s: refine(s, steps // 2))(starts)
    chosen = jnp.argsort(found.error)[:FINALISTS]
    finalists = jax.tree_util.tree_map(lambda x: x[chosen], found.surface)
    found = jax.vmap(lambda s: refine(s, steps - steps // 2, fit_loads=None))(finalists)
    i = jnp.argmin(found.error)
    return Answer(found.error[i][None], touching_heights(found)[i][None])


# ---------------------------------------------------------------- ours


def ours(generator: Generator, n: int, count: int, steps: int, best: bool = False) -> Answering:
    """`count` draws of z (z = 0 if it is one), refined."""

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        z = jax.random.normal(key, (count, generator.latent))
        # z = 0 is the most accurate design. It is the one that is asked for if only one is, and
        # among those of which the best counts; all designs of a row are draws alike
        z = jnp.zeros_like(z) if count == 1 else z
        z = z.at[0].set(0.0) if best else z
        starts = jax.vmap(
            lambda z: generator(
                MATERIAL, study_loads(), target.friction, z, asperities=n,
                radius_bounds=RADIUS_BOUNDS,
            )
        )(z)  # fmt: skip
        return _refined(starts, target.friction, steps, best)

    return method


# ---------------------------------------------------------------- the paper's


def _drawn(
    mixture: contact.SurfaceMixture, n: int, key: Key[Array, ""], target: Target,
    theta: Float[Array, "23"],
) -> Answer:  # fmt: skip
    """One surface of a mixture, as an answer; theta: as the network gave it, before any clamp."""
    drawn = mixture.sample(n, key=key, radii=RADIUS_BOUNDS)
    curve = contact.friction_law(drawn, MATERIAL, study_loads())
    gap = jnp.minimum(jnp.sort(drawn.top - drawn.height), curve.indentation[-1])
    return Answer(contact.smape(curve.friction, target.friction)[None], gap[None], theta[None])


def bounded(network: MLP) -> Callable[[Array], Array]:
    """A network's numbers, inside the bounds of the parameters as it was trained to give them."""
    return lambda x: jnp.tanh(network(x))


def regressed(predict: Callable[[Array], Array], n: int) -> Answering:
    """Parameters as a regression guesses them, and a surface drawn from them."""

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        theta = unscaled(predict(condition(target.friction, jnp.asarray(n))))
        return _drawn(clamped(theta), n, key, target, theta)

    return method


def generated(
    decode: Callable[[Array, Array], Array], latent: int, n: int, count: int
) -> Answering:
    """`count` draws from the prior of a conditional generator, a surface from each."""

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        given = condition(target.friction, jnp.asarray(n))

        def draw(key: Key[Array, ""]) -> Answer:
            z_key, surface_key = jax.random.split(key)
            theta = unscaled(decode(jax.random.normal(z_key, (latent,)), given))
            return _drawn(clamped(theta), n, surface_key, target, theta)

        # Each draw is an answer of one design: (count, 1, …) → (count, …)
        parts = jax.vmap(draw)(jax.random.split(key, count))
        return jax.tree_util.tree_map(lambda x: x[:, 0], parts)

    return method


def reconstructed(network: CVAE, n: int) -> Answering:
    """The encoder is given the true parameters: what is scored is reconstruction.

    The paper's error of the parameters is this one. A user, who has no parameters to encode, cannot
    ask this way. Two designs: the surface drawn with the key of the true one, and with another.
    """

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        given = condition(target.friction, jnp.asarray(n))
        mean, _ = network.encode(scaled(target.theta), given)
        theta = unscaled(network.decode(mean, given))
        return _two_surfaces(clamped(theta), n, (target.surface_key, key), target, theta)

    return method


def searched(n: int, network: CVAE | None, *, generations: int, restarts: int) -> Answering:
    """CMA-ES in a VAE's latent space, or on the 23 parameters (without a network).

    Two designs: the surface that was searched, and another drawn from the same mixture.
    """

    def method(target: Target, key: Key[Array, ""]) -> Answer:
        search_key, other_key = jax.random.split(key)
        decode: Callable[[Array], contact.SurfaceMixture]
        if network is None:
            decode, start = cube_decoder, jnp.full(contact.SurfaceMixture.SIZE, 0.5)
        else:
            decode, start = latent_decoder(network), jnp.zeros(network.latent)
        found, frozen_key = search_law(
            decode, start.astype(target.friction.dtype), target.friction, key=search_key,
            asperities=n, cube=network is None,
            step_size=CUBE_STEP if network is None else LATENT_STEP, generations=generations,
            restarts=restarts,
        )  # fmt: skip
        mixture = decode(found.best)
        keys = (frozen_key, other_key)
        return _two_surfaces(mixture, n, keys, target, mixture.to_vector())

    return method


def _two_surfaces(
    mixture: contact.SurfaceMixture, n: int, keys: tuple[Key[Array, ""], Key[Array, ""]],
    target: Target, theta: Float[Array, "23"],
) -> Answer:  # fmt: skip
    """Two surfaces of a mixture as the two designs of an answer: a row of the table each."""
    parts = [_drawn(mixture, n, key, target, theta) for key in keys]
    return jax.tree_util.tree_map(lambda *x: jnp.concatenate(x), *parts)


def apply(method: Answering, group: Group, key: Key[Array, ""]) -> Answer:
    """A method on every target of a group, a few at a time: its answers with a leading axis."""
    # The most, up to eight, that divide the number of targets: `map` compiles a remainder apart
    together = max(k for k in range(1, 9) if group.size % k == 0)
    keys = jax.random.split(key, group.size)
    targets = Target(group.friction, group.theta, group.keys)
    return jax.lax.map(lambda x: method(*x), (targets, keys), batch_size=together)
