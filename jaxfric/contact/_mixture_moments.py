"""Mean load and area of one asperity of a mixture, by Gauss–Legendre quadrature."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from jaxfric.contact._mixture import SurfaceMixture
from jaxfric.contact._profile import root

RADIUS_NODES, HEIGHT_NODES = 48, 64  # agree with adaptive quadrature to 1e-6
REACH = 8.0  # standard deviations; the tail beyond is below 1e-14

# (4, r): one row for each Gaussian of the mixture, one column for each node of its radii
ByRadius = Float[Array, "4 r"]


def _nodes(
    count: int, low: Float[Array, "*rows"], high: Float[Array, "*rows"]
) -> tuple[Float[Array, "*rows nodes"], Float[Array, "*rows nodes"]]:
    """Gauss–Legendre nodes and weights between low and high, on a new last axis."""
    shape = (1,) * jnp.ndim(low) + (count,)
    half = (high - low)[..., None] / 2
    x, w = (
        jnp.asarray(v.reshape(shape)).astype(low.dtype)
        for v in np.polynomial.legendre.leggauss(count)
    )
    return low[..., None] + half * (1 + x), half * w


def _density(z: Float[Array, "..."]) -> Float[Array, "..."]:
    """φ(z), of the standard Gaussian."""
    return jnp.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def _radii(mixture: SurfaceMixture) -> tuple[ByRadius, ByRadius]:
    """(4, nodes) radii and weights that sum to 1, of Gaussians cut at zero."""
    mean, deviation = mixture.means[:, 1], root(mixture.covariances[:, 1, 1])
    # R = t²: the integrand's √R is then smooth at zero, where few nodes would not resolve a root.
    # The limits carry no gradient: nothing is left beyond them
    fixed = jax.lax.stop_gradient
    low = fixed(root(jnp.maximum(mean - REACH * deviation, 0.0)))
    t, w = _nodes(RADIUS_NODES, low, fixed(root(mean + REACH * deviation)))
    z = (t**2 - mean[:, None]) / deviation[:, None]
    weight = w * 2 * t * _density(z) / deviation[:, None]  # dR = 2t dt
    # A draw has no radius below zero: the share Φ(mean/deviation) above it counts as all
    return t**2, weight / ndtr(mean / deviation)[:, None]


def mixture_moments(
    mixture: SurfaceMixture, d: Float[Array, " m"]
) -> tuple[Float[Array, " m"], Float[Array, " m"], Float[Array, " m"]]:
    """E[4/3 √R δ^1.5], E[2 √R δ^0.5], E[R δ] of one asperity, for each separation d: (m,)."""
    R, weight = _radii(mixture)
    slope, spread = mixture.height_given_radius
    # Given R the heights are Gaussian again, about a mean that follows the regression line
    centre = mixture.means[:, :1] + slope[:, None] * (R - mixture.means[:, 1:])
    spread = jnp.broadcast_to(spread[:, None], R.shape)
    share = mixture.weights[:, None] * weight

    def at(d: Float[Array, ""]) -> tuple[Array, Array, Array]:
        three_halves, half, one = _half_moments(centre, spread, d)
        return (
            jnp.sum(share * 4 / 3 * root(R) * three_halves),
            jnp.sum(share * 2 * root(R) * half),
            jnp.sum(share * R * one),
        )

    # One separation at a time: (4, 48, 64) nodes of all of them at once would fill the memory
    return jax.lax.map(at, d)


def _half_moments(
    centre: ByRadius, spread: ByRadius, d: Float[Array, ""]
) -> tuple[ByRadius, ByRadius, ByRadius]:
    """E[δ^q], q = 3/2, 1/2, 1, δ = (h − d)_+, of Gaussian heights."""
    z = (d - centre) / spread
    fixed = jax.lax.stop_gradient(z)
    # With t = (h − d)/spread, E[δ^q] = spread^q ∫_0^∞ t^q φ(z + t) dt. The limits are where
    # φ(z + t) is above 1e-14 of its largest value for t >= 0; t = y² takes the root away
    tail = jnp.sqrt(jnp.maximum(fixed, 0.0) ** 2 + REACH**2)
    y, w = _nodes(HEIGHT_NODES, root(-fixed - REACH), root(tail - fixed))
    # dt = 2y dy, and t^q = y^(2q)
    measure = w * 2 * y * _density(z[..., None] + y**2)
    return (
        spread * root(spread) * jnp.sum(measure * y**3, -1),
        root(spread) * jnp.sum(measure * y, -1),
        spread * jnp.sum(measure * y**2, -1),
    )


def jensen_separation(mixture: SurfaceMixture, load: Float[Array, " m"]) -> Float[Array, " m"]:
    """d with E[4/3 √R δ^1.5] >= load: the population at its mean height, weighted by √R.

    δ^1.5 is convex in h, so by Jensen's inequality spheres that all stood at the mean would carry
    no more: their separation, K (mean − d)^1.5 = load, is below the solution.
    """
    R, weight = _radii(mixture)
    slope, _ = mixture.height_given_radius
    K = mixture.weights[:, None] * weight * 4 / 3 * root(R)
    centre = mixture.means[:, :1] + slope[:, None] * (R - mixture.means[:, 1:])
    total = jnp.sum(K)
    return jnp.sum(K * centre) / total - jnp.cbrt(load / total) ** 2
