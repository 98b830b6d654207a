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
    # Masked radii may be anything; 1 keeps their powers, and the gradients of these, finite
    R = jnp.where(used, surface.radius, 1.0)
    if surface.exponent is None:  # Hertz: P/E* = 4/3 √R δ^1.5, A/π = R δ
        return Profile(
            jnp.where(used, 4 / 3 * jnp.sqrt(R), 0.0), jnp.where(used, R, 0.0), None, None
        )
    n = surface.exponent
    n = jnp.broadcast_to(n, R.shape) if n.ndim == 0 else n
    # κ = √π Γ(n/2 + 1)/Γ((n + 1)/2); the difference of logarithms does not overflow for large n
    kappa = math.sqrt(math.pi) * jnp.exp(gammaln(n / 2 + 1) - gammaln((n + 1) / 2))
    # Contact radius a = R (2δ/(κR))^(1/n), at δ = 1; so P/E* = 2n/(n + 1) a δ^(1 + 1/n), and
    # A/π = a² δ^(2/n)
    a = R * (2 / (kappa * R)) ** (1 / n)
    return Profile(
        jnp.where(used, 2 * n / (n + 1) * a, 0.0),
        jnp.where(used, a**2, 0.0),
        1 + 1 / surface.exponent,
        2 / surface.exponent,
    )


def power(x: Float[Array, "..."], exponent: Float[Array, "..."]) -> Float[Array, "..."]:
    """x^exponent for x >= 0, zero with zero derivatives at 0; one exponent, or a row."""
    # The inner `where` as well as the outer: a gradient passes through both branches, and that of
    # a root at 0 is infinite
    positive = x > 0
    if 0 < exponent.ndim < x.ndim:
        exponent = exponent[None, :]
    return jnp.where(positive, jnp.power(jnp.where(positive, x, 1.0), exponent), 0.0)


def root(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """√x for x >= 0, zero with zero derivatives at x = 0."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)
