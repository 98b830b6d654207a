"""Mean load and area of one asperity of a mixture, by Gauss–Legendre quadrature."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from jaxfric.contact._mixture import SurfaceMixture
from jaxfric.contact._profile import root

RADIUS_NODES, HEIGHT_NODES = 32, 48  # agree with adaptive quadrature to 1e-6
REACH = 8.0  # standard deviations; the tail beyond is below 1e-14

# One row for each Gaussian of the mixture, one column for each node of its radii, or heights
ByRadius = Float[Array, "4 r"]
ByHeight = Float[Array, "4 h"]


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
    """E[4/3 √R δ^1.5], E[2 √R δ^0.5], E[R δ] of one asperity, for each separation d: (m,).

    Heights outside, radii inside: E[δ^q R^p] = ∫_d^∞ (h − d)^q φ(h) E[R^p | h] dh. The kink at
    h = d is then the end of an integral; with radii outside, a correlation near ±1 would make it a
    kink in the middle of one, where nodes do not resolve it.
    """

    # One separation at a time: (4, 96, 32) nodes of all of them at once would fill the memory
    def at(d: Float[Array, ""]) -> tuple[Array, Array, Array]:
        h, weight, excess = _heights(mixture, d)
        root_R, whole_R = _given_height(mixture, h)
        share = mixture.weights[:, None] * weight
        return (
            jnp.sum(share * 4 / 3 * root_R * excess * root(excess)),
            jnp.sum(share * 2 * root_R * root(excess)),
            jnp.sum(share * whole_R * excess),
        )

    return jax.lax.map(at, d)


def _heights(mixture: SurfaceMixture, d: Float[Array, ""]) -> tuple[ByHeight, ByHeight, ByHeight]:
    """Heights above d, weights with the Gaussians' density, and δ = h − d; (4, nodes)."""
    mean, deviation = mixture.means[:, 0], root(mixture.covariances[:, 0, 0])
    z = (d - mean) / deviation
    fixed = jax.lax.stop_gradient
    # With h = d + deviation y², where roots of δ are smooth. Limits of y: where the density is
    # above 1e-14 of its largest value for h >= d
    tail = jnp.sqrt(jnp.maximum(fixed(z), 0.0) ** 2 + REACH**2)
    low, high = root(-fixed(z) - REACH), root(tail - fixed(z))
    # Where radii are cut at zero, E[R^p | h] bends at the height whose mean radius is zero: for
    # correlations near ±1 sharply, so that two integrals meet there
    slope = _slopes(mixture)[0]
    level = mean - mixture.means[:, 1] / jnp.where(slope == 0, 1.0, slope)
    bend = root((fixed(level) - fixed(d)) / fixed(deviation))
    bend = jnp.clip(jnp.where(fixed(slope) == 0, low, bend), low, high)
    parts = [_nodes(HEIGHT_NODES, *limits) for limits in ((low, bend), (bend, high))]
    y, w = (jnp.concatenate(x, -1) for x in zip(*parts, strict=True))
    weight = w * 2 * y * _density(z[:, None] + y**2)  # dh/deviation = 2y dy
    excess = deviation[:, None] * y**2
    return d + excess, weight, excess


def _slopes(mixture: SurfaceMixture) -> tuple[Float[Array, "4"], Float[Array, "4"]]:
    """Of the mean radius over the height, and the deviation of the radius at a height."""
    S = mixture.covariances
    slope = S[:, 0, 1] / S[:, 0, 0]
    return slope, root(S[:, 1, 1] - slope * S[:, 0, 1])


def _given_height(mixture: SurfaceMixture, h: ByHeight) -> tuple[ByHeight, ByHeight]:
    """E[√R; R > 0 | h] and E[R; R > 0 | h], over the share of radii above zero."""
    slope, deviation = (x[:, None] for x in _slopes(mixture))
    mean = mixture.means[:, 1:] + slope * (h - mixture.means[:, :1])
    fixed = jax.lax.stop_gradient
    # R = t², so that √R is smooth at zero; the limits carry no gradient: nothing is left beyond
    low = root(jnp.maximum(fixed(mean - REACH * deviation), 0.0))
    high = root(jnp.maximum(fixed(mean + REACH * deviation), 0.0))
    t, w = _nodes(RADIUS_NODES, low, high)
    z = (t**2 - mean[..., None]) / deviation[..., None]
    weight = w * 2 * t * _density(z) / deviation[..., None]  # dR = 2t dt
    # A draw has no radius below zero: the share Φ(mean/deviation) above it counts as all
    every = ndtr(mixture.means[:, 1] / root(mixture.covariances[:, 1, 1]))[:, None]
    return jnp.sum(weight * t, -1) / every, jnp.sum(weight * t**2, -1) / every


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
