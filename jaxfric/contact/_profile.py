"""What one asperity carries and over what area it touches, at a given indentation."""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.special import gammaln
from jaxtyping import Array, Float

from jaxfric.contact._asperities import Asperities


class Profile(NamedTuple):
    """P/E* = K δ^q and A/π = B δ^s for each asperity; q, s are None for spheres (3/2 and 1)."""

    K: Float[Array, " n"]
    B: Float[Array, " n"]
    q: Float[Array, "..."] | None
    s: Float[Array, "..."] | None


def profile(surface: Asperities) -> Profile:
    """The coefficients of Hertz' and Galin's solutions; 0 for masked asperities."""
    used = surface.used
    R = jnp.where(used, surface.radius, 1.0)
    if surface.exponent is None:
        return Profile(
            jnp.where(used, 4 / 3 * jnp.sqrt(R), 0.0), jnp.where(used, R, 0.0), None, None
        )
    n = surface.exponent
    n = jnp.broadcast_to(n, R.shape) if n.ndim == 0 else n
    kappa = math.sqrt(math.pi) * jnp.exp(gammaln(n / 2 + 1) - gammaln((n + 1) / 2))
    # a = R (2δ/(κR))^(1/n)
    a = R * (2 / (kappa * R)) ** (1 / n)
    return Profile(
        jnp.where(used, 2 * n / (n + 1) * a, 0.0),
        jnp.where(used, a**2, 0.0),
        1 + 1 / surface.exponent,
        2 / surface.exponent,
    )


def power(x: Float[Array, "..."], exponent: Float[Array, "..."]) -> Float[Array, "..."]:
    """x^exponent for x >= 0, zero with zero derivatives at 0; one exponent, or a row."""
    positive = x > 0
    if 0 < exponent.ndim < x.ndim:
        exponent = exponent[None, :]
    return jnp.where(positive, jnp.power(jnp.where(positive, x, 1.0), exponent), 0.0)


def root(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """√x for x >= 0, zero with zero derivatives at x = 0."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)
