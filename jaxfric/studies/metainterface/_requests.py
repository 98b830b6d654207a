"""Random requests to train the generator on: laws that surfaces make, and laws one may wish for."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxfric import contact
from jaxfric._types import Number
from jaxfric.studies.metainterface._canonical import FRACTIONS, Canonical, units

FEWEST, MOST = 8, 1024  # asperities
# The largest load of a request over E*, m²: at the least what makes a few contacts (the lower end
# of a bank's loads too), at the most so much for each asperity
LEAST_LOAD = 3e-9
LOAD_OF_ONE = 1.5e-8
# Share of requests whose law no surface made. Such laws, lines and powers, are what users ask for;
# but only for the law of a surface is it certain that an error of zero is within reach
FAMILIES = 1 / 8
WISHES = 1 / 8  # share that gives the radii; as many again limit the height
KNOTS = 4  # places between which the slope of a wished law changes linearly


@partial(jax.jit, static_argnums=(1, 2))
def request(key: Key[Array, ""], size: int, fewest: int = FEWEST) -> Canonical:
    """One request for `fewest` to `size` asperities, log-uniform.

    Mostly the law of a random surface up to a random load; sometimes a law whose slope
    d ln F / d ln P wanders between 2/3 and 1.3; sometimes with radii or height given.

    Arguments:
        key: decides everything.
        size: length of the surface, static; what is beyond the number of asperities is masked.
        fewest: smallest number of asperities, static.

    Returns:
        `Canonical`.
    """
    k = jax.random.split(key, 10)
    # A random mixture of the study's bounds, and a random surface of it: its law can be met
    mixture = contact.mixture_at(
        jax.random.uniform(k[0], (contact.SurfaceMixture.SIZE,), minval=1e-6, maxval=1 - 1e-6)
    )
    count = _log_uniform(k[1], fewest, size + 1).astype(int)
    count = jnp.clip(count, fewest, size)
    drawn = mixture.sample(size, key=k[2], count=count, radii=contact.RADIUS_BOUNDS)
    order = jnp.argsort(jnp.where(drawn.used, -drawn.height, jnp.inf))
    # Sorted from the top, as the generator makes surfaces: given radii belong to these ranks
    source = contact.Asperities(
        jnp.where(drawn.used, drawn.height, 0.0)[order], drawn.radius[order],
        jnp.arange(size) < count,
    )  # fmt: skip
    # Log-uniform: a law of a few contacts is another shape than one of many, and as frequent here
    load = _log_uniform(k[3], LEAST_LOAD, LOAD_OF_ONE * count)
    loads = load * jnp.asarray(FRACTIONS).astype(source.height.dtype)
    # With E* = 1 and σ π = 1, loads and friction are already the p and a of `units`
    curve = contact.friction_law(source, contact.Material(1.0, 1 / math.pi), loads)
    height, radius = units(load, curve.friction[-1])
    shape = jnp.log(curve.friction / curve.friction[-1])
    wished = jax.random.uniform(k[4]) < FAMILIES
    low, high = (jnp.log(v / radius) for v in contact.RADIUS_BOUNDS)
    shape = jnp.where(wished, _wished(k[5], count, low, high), shape)
    # The height is limited to one to three times the deepest indentation of the source, and given
    # radii are its own, so that the source itself still meets what is asked. A wished law has no
    # source, and gets no such wishes
    reach = curve.indentation[-1] / height
    limited = (jax.random.uniform(k[6]) < WISHES) & ~wished
    shallow = jnp.where(limited, 1 / (reach * _log_uniform(k[7], 1.0, 3.0)), 0.0)
    given = (jax.random.uniform(k[8]) < WISHES) & ~wished
    return Canonical(
        shape=shape,
        count=count,
        low=low,
        high=high,
        shallow=shallow,
        wanted=given,
        radii=jnp.log(source.radius / radius),
        unit_height=height,
        unit_radius=radius,
    )


def _wished(
    key: Key[Array, ""], count: Int[Array, ""], low: Float[Array, ""], high: Float[Array, ""]
) -> Float[Array, " 48"]:
    """A smooth law inside what `count` asperities of these radii can make."""
    at = jnp.log(jnp.asarray(FRACTIONS)).astype(low.dtype)
    slopes = jax.random.uniform(key, (KNOTS,), low.dtype, minval=2 / 3, maxval=1.3)
    slope = jnp.interp(at, jnp.linspace(at[0], 0.0, KNOTS), slopes)
    # The trapezium rule, exact for a slope that is linear between knots (but for those inside a
    # step)
    steps = jnp.diff(at) * (slope[1:] + slope[:-1]) / 2
    shape = jnp.concatenate([jnp.zeros_like(at[:1]), jnp.cumsum(steps)])
    shape = shape - shape[-1]
    # In canonical units R^(2/3) (3P/4)^(2/3) <= F <= n^(1/3) R^(2/3) (3P/4)^(2/3): one sphere of
    # the smallest radius makes the least friction, all of the largest radius the most
    sphere = 2 / 3 * (at + math.log(3 / 4))
    least = sphere + 2 / 3 * low
    most = sphere + 2 / 3 * high + jnp.log(count.astype(low.dtype)) / 3
    shape = jnp.clip(shape, least + 0.01, most - 0.01)
    return shape - shape[-1]


def _log_uniform(key: Key[Array, ""], low: Number, high: Number) -> Float[Array, ""]:
    u = jax.random.uniform(key)
    return jnp.exp(jnp.log(low) + u * (jnp.log(high) - jnp.log(low)))
