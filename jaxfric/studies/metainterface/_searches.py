"""Search for a law: in the latent space of a VAE, or on the 23 parameters themselves."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from jaxfric import contact, search
from jaxfric.networks import CVAE
from jaxfric.studies.metainterface._canonical import ROWS
from jaxfric.studies.metainterface._paper import (
    BOUNDS,
    MATERIAL,
    clamped,
    mixture_law,
    study_loads,
    unscaled,
)

EDGE = 0.1  # squared distance outside of the cube that counts as much as 1 % of error


def latent_decoder(network: CVAE) -> Callable[[Array], contact.SurfaceMixture]:
    """A function of a point of a VAE's latent space: the mixture there."""
    return lambda z: clamped(unscaled(network.decode(z)))


def cube_decoder(u: Float[Array, "23"]) -> contact.SurfaceMixture:
    """The mixture at a point of the cube of parameters; outside, at the nearest point of it."""
    # Not quite to the faces, where a weight or the spread between two of them vanishes
    return contact.mixture_at(jnp.clip(u, 1e-6, 1 - 1e-6), BOUNDS)


def search_law(
    decode: Callable[[Array], contact.SurfaceMixture],
    start: Float[Array, " variables"],
    target: Float[Array, "128"],
    *,
    key: Key[Array, ""],
    asperities: int = 64,
    step_size: float = 0.3,
    population: int = 12,
    generations: int = 200,
    restarts: int = 1,
    cube: bool = False,
    goal: float = 1e-3,
) -> tuple[search.Search, Key[Array, ""]]:
    """The mixture whose one surface, drawn with a frozen key, has the law.

    Another surface of the same mixture has another law: the answer is the mixture and the key.

    Arguments:
        decode: a point → `SurfaceMixture`.
        start: the first point.
        target: (128,), N, at `study_loads()`.
        key: draws candidates, and the surface of each restart.
        asperities: of the surface.
        step_size: of `search.minimise`.
        population: candidates a generation.
        generations: the budget.
        restarts: searches from other starts, each with a surface of its own.
        cube: penalise points outside the unit cube.
        goal: sMAPE, percent, at which a search ends.

    Returns:
        (`Search`, whose value is the sMAPE in percent; the key of the surface).
    """
    # Each evaluation simulates a law: at 48 of the loads it costs less, and says nearly the same
    loads, wanted = study_loads()[ROWS], target[ROWS]

    # The key is an argument, the same at every call. With a new surface each time the error of one
    # mixture would scatter by several percent, and the search climb that noise; drawn with one key,
    # the surface, and so the error, depends smoothly on the mixture
    def objective(
        x: Float[Array, " variables"], wanted: Float[Array, " loads"], frozen_key: Key[Array, ""]
    ) -> Float[Array, ""]:
        friction = mixture_law(decode(x), asperities, frozen_key, loads, MATERIAL)
        error = contact.smape(friction, wanted)
        return error + (search.outside(x, 0.0, 1.0) / EDGE if cube else 0.0)

    def run(key: Key[Array, ""], first: Bool[Array, ""]) -> tuple[search.Search, Key[Array, ""]]:
        frozen_key, search_key, start_key = jax.random.split(key, 3)
        noise = step_size * jax.random.normal(start_key, start.shape, start.dtype)
        found = search.minimise(
            objective, jnp.where(first, start, start + noise), wanted, frozen_key, key=search_key,
            step_size=step_size, population=population, generations=generations, goal=goal,
        )  # fmt: skip
        return found, frozen_key

    # Not the restarts of `search.minimise`, which share their arguments: how near a search comes
    # depends on the surface that is frozen, so each of these has another
    keys = jax.random.split(key, restarts)
    runs, frozen_keys = jax.vmap(run)(keys, jnp.arange(restarts) == 0)
    best = jnp.argmin(runs.value)
    found = jax.tree_util.tree_map(lambda x: x[best], runs)
    # What the answer cost is the sum over all restarts
    evaluations = jnp.sum(runs.evaluations)
    return eqx.tree_at(lambda f: f.evaluations, found, evaluations), frozen_keys[best]
