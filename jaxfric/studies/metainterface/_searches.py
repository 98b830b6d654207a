"""Search for a law: in the latent space of a VAE, or on the 23 parameters themselves."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

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

EDGE = 0.1  # penalty of a unit outside the cube, over that of 1 % of error


def latent_decoder(network: CVAE) -> Callable[[Array], contact.SurfaceMixture]:
    """z → mixture."""
    return lambda z: clamped(unscaled(network.decode(z)))


def cube_decoder(u: Array) -> contact.SurfaceMixture:
    """A point of the cube of parameters, cut to it → mixture."""
    return contact.mixture_at(jnp.clip(u, 1e-6, 1 - 1e-6), BOUNDS)


def search_law(
    decode: Callable[[Array], contact.SurfaceMixture],
    start: Array,
    target: Array,
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

    Arguments:
        decode: a point → `SurfaceMixture`.
        start: the first point.
        target: (128,), N, at `study_loads()`.
        key: draws candidates, and the surface of each restart.
        asperities: of the surface.
        step_size: of `search.minimise`.
        population: of `search.minimise`.
        generations: of `search.minimise`.
        restarts: searches from other starts, each with a surface of its own.
        goal: of `search.minimise`.
        cube: penalise points outside the unit cube.

    Returns:
        (`Search`, whose value is the sMAPE in percent; the key of the surface).
    """
    loads, wanted = study_loads()[ROWS], target[ROWS]

    def objective(x: Array, wanted: Array, frozen: Any) -> Array:
        friction = mixture_law(decode(x), asperities, frozen, loads, MATERIAL)
        error = contact.smape(friction, wanted)
        return error + (search.outside(x, 0.0, 1.0) / EDGE if cube else 0.0)

    def run(key: Array, first: Array) -> tuple[search.Search, Array]:
        frozen, own, begin = jax.random.split(key, 3)
        noise = step_size * jax.random.normal(begin, start.shape, start.dtype)
        found = search.minimise(
            objective, jnp.where(first, start, start + noise), wanted, frozen, key=own,
            step_size=step_size, population=population, generations=generations, goal=goal,
        )  # fmt: skip
        return found, frozen

    keys = jax.random.split(key, restarts)
    runs, frozen = jax.vmap(run)(keys, jnp.arange(restarts) == 0)
    best = jnp.argmin(runs.value)
    found = jax.tree_util.tree_map(lambda x: x[best], runs)
    evaluations = jnp.sum(runs.evaluations)
    return eqx.tree_at(lambda f: f.evaluations, found, evaluations), frozen[best]
