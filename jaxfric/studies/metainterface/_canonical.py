"""A wanted law without its units: one network then serves every material and load range.

Hertz contacts scale. Heights times α and radii times β turn F(P) into αβ F(P / (α^1.5 β^0.5)), and
E* and σB only stretch the axes. With p = P_max/E* and a = F_max/(πσB), lengths

    H₀ = p/√a for heights, R₀ = a^1.5/p for radii

make the largest load and its area 1: what is left is the shape of the law, the number of
asperities, and the limits of the radii over R₀.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxfric import contact
from jaxfric._types import Number, Vector

LOADS = 128  # of the study's laws, evenly spaced: the paper's networks see as many
SEEN = 48  # of them a network sees, as many as least squares looks at unless it is told otherwise
# Squares of an even spacing, so that small loads, at which single contacts are made, lie close
# together; never below the place itself, as rounding would name the first loads twice
ROWS = np.maximum((np.linspace(0, 1, SEEN) ** 2 * (LOADS - 1)).round().astype(int), np.arange(SEEN))
FRACTIONS = (ROWS + 1) / LOADS  # of the largest load
# A mean over all 128 loads is estimated from 48: each stands for the loads that are nearer to it
# than to its neighbours, up to the middle between them
_EDGES = np.concatenate([[-0.5], (ROWS[1:] + ROWS[:-1]) / 2, [LOADS - 0.5]])
WEIGHTS = np.diff(_EDGES) / LOADS
# Of ln F over ln P, where a law must be continued below its first load: 2/3 is that of one sphere,
# or of any number of equal ones; 1.35 is the steepest power law of the published experiments
SLOPES = (2 / 3, 1.35)


class Canonical(eqx.Module):
    """A target in units of its largest load and friction.

    Attributes:
        shape: (48,), ln f at the fractions of the largest load; f = 1 there.
        count: number of asperities.
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
    # The inverse of the limit: "any height" is then 0, a number like the others, and a network sees
    # nothing infinite
    shallow: Float[Array, ""]
    wanted: Bool[Array, ""]
    radii: Float[Array, " n"]
    unit_height: Float[Array, ""]
    unit_radius: Float[Array, ""]

    @property
    def area(self) -> Float[Array, " 48"]:
        """f at the fractions: friction is proportional to area, and both end at 1."""
        return jnp.exp(self.shape)


def canonical(
    material: contact.Material,
    loads: Vector,
    target: Vector,
    *,
    asperities: int,
    radius_bounds: tuple[Number, Number],
    max_height: Number | None = None,
    radii: Vector | None = None,
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
    # E* and σB leave here: p in m² and a in m² are all that the law keeps of them
    p = P[-1] / E
    a = T[-1] / (strength * np.pi)
    height, radius = units(p, a)
    low, high = (jnp.log(jnp.asarray(v).astype(dtype) / radius) for v in radius_bounds)
    given = jnp.zeros(asperities, dtype) if radii is None else jnp.log(radii / radius)
    return Canonical(
        shape=_shape(P, T),
        count=jnp.asarray(asperities),
        low=low,
        high=high,
        shallow=jnp.zeros((), dtype) if max_height is None
        else height / jnp.asarray(max_height, dtype),
        wanted=jnp.asarray(radii is not None),
        radii=given.astype(dtype),
        unit_height=height,
        unit_radius=radius,
    )  # fmt: skip


def _shape(P: Float[Array, " m"], T: Float[Array, " m"]) -> Float[Array, " 48"]:
    """ln of a law over its largest friction, at the fractions of its largest load."""
    positive = (P > 0) & (T > 0)
    # A zero load says nothing: it goes to −∞, left of every fraction. The inner `where` keeps the
    # logarithm of zero, and with it a NaN of the gradient, from ever being computed
    x = jnp.where(positive, jnp.log(jnp.where(positive, P / P[-1], 1.0)), -jnp.inf)
    y = jnp.log(jnp.where(positive, T / T[-1], 1.0))
    # In logarithms, where power laws are straight and linear interpolation is exact for them
    at = jnp.log(jnp.asarray(FRACTIONS).astype(P.dtype))
    first = jnp.argmax(positive)
    x0, y0 = x[first], y[first]
    x1, y1 = x[first + 1], y[first + 1]
    # Below its first load the law goes on with the slope of its first two, kept to what contacts
    # do: noise in two small numbers would give any slope
    slope = jnp.clip((y1 - y0) / (x1 - x0), *SLOPES)
    shape = jnp.where(at < x0, y0 + slope * (at - x0), jnp.interp(at, x, y))
    return shape - shape[-1]


def units(
    load: Float[Array, ""], area: Float[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """H₀ and R₀, m, of a largest load over E*, m², and the area over π that it presses out, m²."""
    # α = H₀ and β = R₀ solve α^1.5 β^0.5 = load and α β = area: load/√area is α, and area/α is β
    return load / jnp.sqrt(area), area**1.5 / load
