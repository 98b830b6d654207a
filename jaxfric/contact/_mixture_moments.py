"""Mean load and area of one asperity of a mixture, by Gauss–Legendre quadrature over an angle.

With heights and radii in standard deviations, and the axes sheared so that their Gaussian is round,
the asperities that touch, h > d and R > 0, fill a wedge whose apex is (d, 0) and whose angle ω has
cos ω = −ρ. On the ray at the angle θ from the line h = d both grow from the apex as the distance r:

    h − d = σ_h r sin θ,  R = σ_R r sin(ω − θ)

so √R δ^1.5, √R δ^0.5 and R δ are whole powers of r, whose integrals along a ray are closed
forms. What is left is one smooth integral over θ, at any separation and any |ρ| < 1.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from jaxfric.contact._half_line import half_line_moments
from jaxfric.contact._mixture import SurfaceMixture
from jaxfric.contact._profile import root

# At most 25 deviations of the Gaussian lie along the angle (the mean 8 away, ω near π): three nodes
# in each deviation agree with 300 nodes in all to 1e-13, derivatives with respect to ρ to 1e-7
ANGLES = 96
REACH = 8.0  # standard deviations; the density beyond is below 1e-14 of its largest

# Nodes and weights on (0, 1) of u = sin²(πx/2), which gathers nodes at both ends: half powers of
# the distance from an end are smooth in x. The distance from the far end, 1 − u, is kept as well,
# as a difference would lose its digits
_x, _w = np.polynomial.legendre.leggauss(ANGLES)
_x, _w = (1 + _x) / 2, _w / 2
NEAR, FAR = np.sin(math.pi / 2 * _x) ** 2, np.cos(math.pi / 2 * _x) ** 2
WEIGHTS = _w * math.pi / 2 * np.sin(math.pi * _x)

# (4, m): one row for each Gaussian of the mixture, one column for each separation
ByGaussian = Float[Array, "4 m"]


class _Window(NamedTuple):
    """The part of the wedge that counts, in shares of its angle."""

    below: ByGaussian  # the share left out at the line h = d
    above: ByGaussian  # at the line R = 0
    width: ByGaussian


def _window(height: ByGaussian, radius: ByGaussian, rho: ByGaussian, s: ByGaussian) -> _Window:
    """Where the density is above 1e-14 of its largest value in the wedge.

    A ray passes the mean at the distance |a| sin(θ − θ0), with |a| the distance of the apex and θ0
    the angle of the mean; θ0 < 0 when the plane is above it.
    """
    toward, far_toward = (radius - rho * height) / s, (height - rho * radius) / s
    apex = jnp.hypot(height, toward)
    angle = jnp.arctan2(s, -rho)
    mean, far_mean = jnp.arctan2(height, toward), jnp.arctan2(radius, far_toward)
    # The nearest ray is the line h = d itself when the mean is outside; there exp(−p²/2) has
    # fallen by exp(−REACH²/2) where p² has grown by REACH²
    nearest = jnp.minimum(height, 0.0)
    p = jnp.sqrt(nearest**2 + REACH**2)
    # Behind the apex, or with all of the wedge within reach, nothing is left out
    whole = (p >= apex) | ((height < 0) & (toward <= 0))
    reach = jnp.where(whole, math.pi, jnp.arcsin(jnp.where(whole, 0.0, p / apex)))
    lower = jnp.where(height > 0, jnp.minimum(mean, reach), 0.0)
    upper = jnp.where(
        height > 0,
        jnp.minimum(far_mean, reach),
        jnp.where(whole, angle, jnp.clip(reach + mean, jnp.finfo(s.dtype).tiny, angle)),
    )
    width = (lower + upper) / angle
    below = jnp.where(height > 0, mean - lower, 0.0) / angle
    above = jnp.where(height > 0, (far_mean - upper) / angle, 1 - width)
    return _Window(below, above, width)


def mixture_moments(
    mixture: SurfaceMixture, d: Float[Array, " m"]
) -> tuple[Float[Array, " m"], Float[Array, " m"], Float[Array, " m"]]:
    """E[4/3 √R δ^1.5], E[2 √R δ^0.5], E[R δ] of one asperity, for each separation d: (m,)."""
    sh, sR = mixture.deviations
    rho, s = mixture.correlation
    # Distances of the mean from the lines h = d and R = 0, in standard deviations
    height = (mixture.means[:, :1] - d[None, :]) / sh[:, None]
    radius = jnp.broadcast_to((mixture.means[:, 1] / sR)[:, None], height.shape)
    rho, s = (jnp.broadcast_to(x[:, None], height.shape) for x in (rho, s))
    load, slope, area = _over_angles(height, radius, rho, s)
    # 2π of the Gaussian; a draw has no radius below 0, so the share above it counts as all
    share = (mixture.weights / (2 * math.pi * ndtr(mixture.means[:, 1] / sR)))[:, None]
    sh, sR = sh[:, None], sR[:, None]
    return (
        jnp.sum(share * 4 / 3 * sh * root(sh) * root(sR) * load, 0),
        jnp.sum(share * 2 * root(sh) * root(sR) * slope, 0),
        jnp.sum(share * sh * sR * area, 0),
    )


def _over_angles(
    height: ByGaussian, radius: ByGaussian, rho: ByGaussian, s: ByGaussian
) -> tuple[ByGaussian, ByGaussian, ByGaussian]:
    """∫ h^1.5 R^0.5, ∫ h^0.5 R^0.5 and ∫ h R over the wedge, h and R in standard deviations."""
    dtype = s.dtype
    near, far, weights = (jnp.asarray(x[None, None, :]).astype(dtype) for x in (NEAR, FAR, WEIGHTS))
    window = _Window(
        *(x[..., None] for x in jax.lax.stop_gradient(_window(height, radius, rho, s)))
    )
    height, radius, rho, s = (x[..., None] for x in (height, radius, rho, s))
    # The shares are constants but the angle is not: the edges of the wedge move with ρ, the nodes
    # with them
    angle = jnp.arctan2(s, -rho)
    theta = angle * (window.below + window.width * near)
    rest = angle * (window.above + window.width * far)  # ω − θ
    # Measured from the nearer line, so that a narrow peak beside it keeps its digits
    from_height = theta <= rest
    alpha = jnp.where(from_height, theta, rest)
    sine, cosine = jnp.sin(alpha), jnp.cos(alpha)
    other = s * cosine + rho * sine  # sin(ω − α)
    own = jnp.where(from_height, height, radius)
    opposite = jnp.where(from_height, radius, height)
    toward = (opposite - rho * own) / s
    # The mean is at the distance p from the ray, c along it
    p, c = toward * sine - own * cosine, toward * cosine + own * sine
    _, _, k2, k3 = half_line_moments(c)
    measure = weights * angle * window.width * jnp.exp(-(p**2) / 2)
    h, R = jnp.where(from_height, sine, other), jnp.where(from_height, other, sine)
    both = jnp.sqrt(h * R)
    # r dr dθ: one power of r more than those of h and R
    return (
        jnp.sum(measure * h * both * k3, -1),
        jnp.sum(measure * both * k2, -1),
        jnp.sum(measure * h * R * k3, -1),
    )


def jensen_separation(mixture: SurfaceMixture, load: Float[Array, " m"]) -> Float[Array, " m"]:
    """d with E[4/3 √R δ^1.5] >= load: the population at its mean height, weighted by √R.

    δ^1.5 is convex in h, so by Jensen's inequality spheres that all stood at the mean would carry
    no more: their separation, K (mean − d)^1.5 = load, is below the solution.
    """
    sh, sR = mixture.deviations
    rho, _ = mixture.correlation
    half, excess = _root_moments(mixture.means[:, 1] / sR)
    K = mixture.weights * 4 / 3 * root(sR) * half
    # The regression line, E[h|R] = E[h] + ρ σ_h (R − E[R])/σ_R, at the radii so weighted
    centre = mixture.means[:, 0] + rho * sh * excess / half
    total = jnp.sum(K)
    return jnp.sum(K * centre) / total - jnp.cbrt(load / total) ** 2


def _root_moments(z: Float[Array, "4"]) -> tuple[Float[Array, "4"], Float[Array, "4"]]:
    """E[√t] and E[√t (t − z)] of Gaussians about z of deviation 1, cut at t = 0."""
    near, weights = (jnp.asarray(x[None, :]).astype(z.dtype) for x in (NEAR, WEIGHTS))
    z = z[:, None]
    low = jnp.maximum(-REACH, -z)
    offset = low + (REACH - low) * near
    density = weights * (REACH - low) * jnp.exp(-(offset**2) / 2) * root(z + offset)
    scale = 1 / (math.sqrt(2 * math.pi) * ndtr(z[:, 0]))
    return scale * jnp.sum(density, -1), scale * jnp.sum(density * offset, -1)
