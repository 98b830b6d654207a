"""A wanted law without its units: one network then serves every material and load range.

Hertz contacts scale. Heights times α and radii times β turn F(P) into αβ F(P / (α^1.5 β^0.5)), and
E* and σB only stretch the axes. With p = P_max/E* and a = F_max/(πσB), lengths

    H₀ = p/√a for heights, R₀ = a^1.5/p for radii

make the largest load and its area 1: what is left is the shape of the law, the number of
asperities, and the limits of the radii over R₀.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxfric import contact

LOADS = 128  # of the study's laws, evenly spaced
SEEN = 48  # of them a network sees, denser towards small ones
ROWS = np.maximum((np.linspace(0, 1, SEEN) ** 2 * (LOADS - 1)).round().astype(int), np.arange(SEEN))
FRACTIONS = (ROWS + 1) / LOADS
_EDGES = np.concatenate([[-0.5], (ROWS[1:] + ROWS[:-1]) / 2, [LOADS - 0.5]])
WEIGHTS = np.diff(_EDGES) / LOADS  # of each in a mean over all 128
SLOPES = (2 / 3, 1.35)  # of ln F over ln P, where a law must be continued below its first load


class Canonical(eqx.Module):
    """A target in units of its largest load and friction.

    Attributes:
        shape: (48,), ln f at the fractions of the largest load; f = 1 there.
        count: asperities.
        low, high: ln of the smallest and the largest radius over R₀.
        shallow: H₀ over the greatest difference of heights allowed; 0 if free.
        wanted: whether radii are given.
        radii: (n,), ln of the given radii over R₀, the highest asperity's first.
        unit_height, unit_radius: H₀ and R₀, m.
    """

    shape: Float[Array, " 48"]
    count: Int[Array, ""]
    low: Float[Array, ""]
    high: Float[Array, ""]
    shallow: Float[Array, ""]
    wanted: Bool[Array, ""]
    radii: Float[Array, " n"]
    unit_height: Float[Array, ""]
    unit_radius: Float[Array, ""]

    @property
    def area(self) -> Float[Array, " 48"]:
        """f at the fractions."""
        return jnp.exp(self.shape)


def canonical(
    material: contact.Material,
    loads: Any,
    target: Any,
    *,
    asperities: int,
    radius_bounds: tuple[Any, Any],
    max_height: Any = None,
    radii: Any = None,
) -> Canonical:
    """Strip a wanted law of its units.

    Between its loads the law is interpolated as a power law; below the first, continued as one.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, increasing.
        target: (m,), N.
        asperities: length of the surface, static.
        radius_bounds: m.
        max_height: m.
        radii: (n,), m, from the highest asperity down.

    Returns:
        `Canonical`, float32 or as the default float.
    """
    dtype = jnp.zeros(()).dtype
    P, T = (jnp.asarray(x).astype(dtype) for x in (loads, target))
    E, strength = material.constants(dtype)
    p = P[-1] / E
    a = T[-1] / (strength * np.pi)
    positive = (P > 0) & (T > 0)
    # A zero load says nothing: put it where it does not count
    x = jnp.where(positive, jnp.log(jnp.where(positive, P / P[-1], 1.0)), -jnp.inf)
    y = jnp.log(jnp.where(positive, T / T[-1], 1.0))
    at = jnp.log(jnp.asarray(FRACTIONS).astype(dtype))
    first = jnp.argmax(positive)
    x0, y0 = x[first], y[first]
    x1, y1 = x[first + 1], y[first + 1]
    slope = jnp.clip((y1 - y0) / (x1 - x0), *SLOPES)
    shape = jnp.where(at < x0, y0 + slope * (at - x0), jnp.interp(at, x, y))
    height, radius = units(p, a)
    low, high = (jnp.log(jnp.asarray(v).astype(dtype) / radius) for v in radius_bounds)
    given = jnp.zeros(asperities, dtype) if radii is None else jnp.log(radii / radius)
    return Canonical(
        shape - shape[-1],
        jnp.asarray(asperities),
        low,
        high,
        jnp.zeros((), dtype) if max_height is None else height / jnp.asarray(max_height, dtype),
        jnp.asarray(radii is not None),
        given.astype(dtype),
        height,
        radius,
    )


def units(load: Any, area: Any) -> tuple[Any, Any]:
    """H₀ and R₀ of a largest load over E* and the area over π that it presses out, m²."""
    return load / jnp.sqrt(area), area**1.5 / load
