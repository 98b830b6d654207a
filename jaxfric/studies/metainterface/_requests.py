"""Random requests to train the generator on: laws that surfaces make, and laws one may wish for."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxfric import contact
from jaxfric.studies.metainterface._canonical import FRACTIONS, Canonical, units

RADII = (1e-4, 1e-3)  # m
FEWEST, MOST = 8, 1024  # asperities
LEAST_LOAD = 3e-9  # top load over E*, m²
LOAD_OF_ONE = 1.5e-8  # most, for each asperity, m²
FAMILIES = 1 / 8  # share of requests that no surface made
WISHES = 1 / 8  # share that gives the radii; as many again limit the height
KNOTS = 4  # of the slope of a wished law


@partial(jax.jit, static_argnums=(1, 2))
def request(key: Key[Array, ""], size: int, fewest: int = FEWEST) -> Canonical:
    """One request for `fewest` to `size` asperities, log-uniform.

    Mostly the law of a random surface up to a random load; sometimes a law whose slope
    d ln F / d ln P wanders between 2/3 and 1.3; sometimes with radii or height given.
    """
    k = jax.random.split(key, 10)
    mixture = contact.mixture_at(
        jax.random.uniform(k[0], (contact.SurfaceMixture.SIZE,), minval=1e-6, maxval=1 - 1e-6)
    )
    count = _log_uniform(k[1], fewest, size + 1).astype(int)
    count = jnp.clip(count, fewest, size)
    drawn = mixture.sample(size, key=k[2], count=count, radii=RADII)
    order = jnp.argsort(jnp.where(drawn.used, -drawn.height, jnp.inf))
    source = contact.Asperities(
        jnp.where(drawn.used, drawn.height, 0.0)[order], drawn.radius[order],
        jnp.arange(size) < count,
    )  # fmt: skip
    load = _log_uniform(k[3], LEAST_LOAD, LOAD_OF_ONE * count)
    loads = load * jnp.asarray(FRACTIONS).astype(source.height.dtype)
    curve = contact.friction_law(source, contact.Material(1.0, 1 / math.pi), loads)
    height, radius = units(load, curve.friction[-1])
    shape = jnp.log(curve.friction / curve.friction[-1])
    wished = jax.random.uniform(k[4]) < FAMILIES
    low, high = (jnp.log(v / radius) for v in RADII)
    shape = jnp.where(wished, _wished(k[5], count, low, high), shape)
    reach = curve.indentation[-1] / height
    limited = (jax.random.uniform(k[6]) < WISHES) & ~wished
    shallow = jnp.where(limited, 1 / (reach * _log_uniform(k[7], 1.0, 3.0)), 0.0)
    given = (jax.random.uniform(k[8]) < WISHES) & ~wished
    return Canonical(
        shape, count, low, high, shallow, given, jnp.log(source.radius / radius), height, radius
    )


def _wished(key: Array, count: Array, low: Array, high: Array) -> Float[Array, " 48"]:
    """A smooth law inside what n asperities of these radii can make."""
    at = jnp.log(jnp.asarray(FRACTIONS)).astype(low.dtype)
    slopes = jax.random.uniform(key, (KNOTS,), low.dtype, minval=2 / 3, maxval=1.3)
    slope = jnp.interp(at, jnp.linspace(at[0], 0.0, KNOTS), slopes)
    steps = jnp.diff(at) * (slope[1:] + slope[:-1]) / 2
    shape = jnp.concatenate([jnp.zeros_like(at[:1]), jnp.cumsum(steps)])
    shape = shape - shape[-1]
    sphere = 2 / 3 * (at + math.log(3 / 4))
    least = sphere + 2 / 3 * low
    most = sphere + 2 / 3 * high + jnp.log(count.astype(low.dtype)) / 3
    shape = jnp.clip(shape, least + 0.01, most - 0.01)
    return shape - shape[-1]


def _log_uniform(key: Array, low: Any, high: Any) -> Array:
    u = jax.random.uniform(key)
    return jnp.exp(jnp.log(low) + u * (jnp.log(high) - jnp.log(low)))
