"""A surface of the bank, made to carry the load and the friction that a target wants."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric._types import Number

OUTSIDE_WEIGHT = 0.1  # of (ln of how far radii would leave their bounds)², beside the shapes'
# Of (ln of how far friction is missed)²: the same of spheres, as their friction goes with R^(2/3)
MISSED_WEIGHT = OUTSIDE_WEIGHT * 1.5**2
FLAT = 1e-6  # 1 − 1/n below which radii have no say: cones, whatever the rounding

Factors = tuple[Float[Array, " count"], Float[Array, " count"], Float[Array, " count"]]


def stretch(
    exponent: Float[Array, "..."] | None,
    load: Float[Array, " count"],
    area: Float[Array, " count"],
    radii: Float[Array, "count 2"],
    wanted_load: Float[Array, ""],
    wanted_area: Float[Array, ""],
    radius_bounds: tuple[Number, Number],
) -> Factors:
    """Factors of heights and radii, and what they leave, to be added to the squared error.

    Arguments:
        exponent: () or (n,), of the profiles; None for spheres.
        load: P/E* of each surface as drawn, m².
        area: A/π there, m².
        radii: smallest and largest that touch, m.
        wanted_load: P/E* at the largest load of the target, m².
        wanted_area: A/π there, m².
        radius_bounds: m.
    """
    if exponent is None:
        alpha, beta = _of_spheres(load, area, wanted_load, wanted_area)
        # ln of the factor by which the smallest or the largest radius leaves its bound
        outside = jnp.maximum(
            jnp.log(radius_bounds[0] / (beta * radii[:, 0])),
            jnp.log(beta * radii[:, 1] / radius_bounds[1]),
        )
        return alpha, beta, jnp.maximum(outside, 0.0) ** 2 * OUTSIDE_WEIGHT
    p, f = jnp.log(wanted_load / load), jnp.log(wanted_area / area)
    least = jnp.log(radius_bounds[0] / radii[:, 0])
    most = jnp.log(radius_bounds[1] / radii[:, 1])
    return _of_powers(exponent, p, f, least, most)


def _of_spheres(
    load: Float[Array, " count"],
    area: Float[Array, " count"],
    wanted_load: Float[Array, ""],
    wanted_area: Float[Array, ""],
) -> tuple[Float[Array, " count"], Float[Array, " count"]]:
    """α, β with α^1.5 β^0.5 load = wanted_load and α β area = wanted_area."""
    p, f = wanted_load / load, wanted_area / area
    # p = α^1.5 β^0.5 and f = α β: p/√f = α, and f/α = f^1.5/p = β
    return p / jnp.sqrt(f), f**1.5 / p


def _of_powers(
    exponent: Float[Array, "..."],
    p: Float[Array, " count"],
    f: Float[Array, " count"],
    least: Float[Array, " count"],
    most: Float[Array, " count"],
) -> Factors:
    """α, β that carry p and, as far as radii may, make f; all in logarithms, also the bounds of β.

    With u = 1/n: p = (1 + u) ln α + (1 − u) ln β and f = 2u ln α + 2 (1 − u) ln β.
    """
    # Profiles of different exponents share no scaling; their mean comes near it, and the rest is
    # for least squares
    u = jnp.mean(1 / exponent)
    blunt = 1 - u
    # Eliminating α. The radius of a cone changes neither load nor area, and that of a profile
    # close to it so little that it would have to leave all bounds
    wanted = (1 + u) / 2 * f - u * p
    beta = jnp.where(blunt > FLAT, wanted / jnp.where(blunt > FLAT, blunt, 1.0), 0.0)
    beta = jnp.clip(beta, jnp.minimum(least, most), jnp.maximum(least, most))
    alpha = (p - blunt * beta) / (1 + u)
    missed = f - 2 * u * alpha - 2 * blunt * beta
    # Radii that spread more widely than their bounds leave them, whatever β is
    outside = jnp.maximum(jnp.maximum(least - beta, beta - most), 0.0)
    left = OUTSIDE_WEIGHT * outside**2 + MISSED_WEIGHT * missed**2
    return jnp.exp(alpha), jnp.exp(beta), left
