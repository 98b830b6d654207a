"""The friction law of a population of asperities, without drawing any."""

import math
from typing import Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.contact._asperities import Material, common_dtype
from jaxfric.contact._mixture import SurfaceMixture
from jaxfric.contact._outcome import Outcome
from jaxfric.contact._profile import root

RADIUS_NODES, HEIGHT_NODES = 48, 64
REACH = 8.0  # standard deviations; the tail beyond is below 1e-14
MAX_STEPS = 200


class Population(Protocol):
    """Whatever gives the mean load and area of one sphere: a density over height and radius."""

    def moments(
        self, separation: Float[Array, " m"]
    ) -> tuple[Float[Array, " m"], Float[Array, " m"], Float[Array, " m"]]:
        """E[4/3 √R δ^1.5], its −∂/∂d E[2 √R δ^0.5], and E[R δ], with δ = (h − d)_+."""
        ...

    def start(self, load: Float[Array, " m"]) -> Float[Array, " m"]:
        """A separation at which E[4/3 √R δ^1.5] is at least `load`."""
        ...


class ExponentialHeights(eqx.Module):
    """Spheres of one radius with exponentially distributed heights: the law is exactly linear.

    E[δ^q] = Γ(q + 1) s^q exp(−d/s) for d >= 0, hence A/P = √(πR/s)/E* at every load that leaves
    the plane above the lowest sphere.

    Arguments:
        mean: s, m, > 0.
        radius: R, m, > 0.

    Example:
        >>> import jax.numpy as jnp
        >>> population = ExponentialHeights(mean=1e-5, radius=5e-4)
        >>> material = Material(modulus=1e6, shear_strength=4e5)
        >>> curve = expected_friction_law(population, 64, material, jnp.array([1e-3, 1e-2]))
        >>> slope = curve.area / curve.load * 1e6
        >>> print(slope / jnp.sqrt(jnp.pi * 5e-4 / 1e-5))
        [1. 1.]

    Source: J. A. Greenwood and J. B. P. Williamson, Proc. R. Soc. A 295 (1966) 300.
    """

    mean: Float[Array, ""] | float
    radius: Float[Array, ""] | float

    def __check_init__(self) -> None:
        _checks.positive("mean", self.mean)
        _checks.positive("radius", self.radius)

    def moments(self, separation: Float[Array, " m"]) -> tuple[Array, Array, Array]:
        """E[4/3 √R δ^1.5], E[2 √R δ^0.5], E[R δ], for separations >= 0."""
        s, R = (jnp.asarray(x).astype(separation.dtype) for x in (self.mean, self.radius))
        share = jnp.exp(-separation / s)
        load = jnp.sqrt(math.pi * R * s) * s * share  # 4/3 Γ(5/2) = √π
        return load, load / s, R * s * share

    def start(self, load: Float[Array, " m"]) -> Float[Array, " m"]:
        """The solution itself."""
        s, R = (jnp.asarray(x).astype(load.dtype) for x in (self.mean, self.radius))
        return -s * jnp.log(load / (jnp.sqrt(math.pi * R * s) * s))


class ExpectedCurve(eqx.Module):
    """What `expected_friction_law` returns, for each load.

    Attributes:
        load: (m,), N.
        friction: (m,), N.
        area: (m,), m².
        separation: (m,), m.
        status: outcome; `status.ok` and `str(status)`.
    """

    load: Float[Array, " m"]
    friction: Float[Array, " m"]
    area: Float[Array, " m"]
    separation: Float[Array, " m"]
    status: Status


def expected_friction_law(
    population: PyTree, n: Number, material: Material, loads: Vector
) -> ExpectedCurve:
    """The friction law of n asperities in the limit of many: sums become integrals.

    P(d) = n E* E[4/3 √R (h − d)_+^(3/2)],  A(d) = n π E[R (h − d)_+],  F = σ B A

    by fixed quadrature, so that there is no noise and every derivative exists. A single surface
    of n asperities scatters about it by some 1/√n of the asperities that touch.

    Arguments:
        population: a `SurfaceMixture` (as `sample` draws it: radii above 0), `ExponentialHeights`
            or an object with their methods.
        n: number of asperities, > 0.
        material: modulus and friction.
        loads: (m,), N, > 0.

    Returns:
        The curve.

    Raises:
        ValueError: loads of the wrong shape, or (concrete) not positive.

    Source: J. A. Greenwood and J. B. P. Williamson, Proc. R. Soc. A 295 (1966) 300.
    """
    _checks.vector("loads", loads)
    loads = jnp.asarray(loads)
    loads = loads.astype(common_dtype(loads))
    if _checks.is_concrete(loads, n):
        if not (np.isfinite(loads).all() and (np.asarray(loads) > 0).all()):
            raise ValueError("loads must be finite and > 0 N")
        _checks.positive("n", n)
    return _expected(_Population(population), jnp.asarray(n).astype(loads.dtype), material, loads)


class _Population(eqx.Module):
    of: PyTree

    def moments(self, d: Array) -> tuple[Array, Array, Array]:
        if isinstance(self.of, SurfaceMixture):
            return mixture_moments(self.of, d)
        return self.of.moments(d)

    def start(self, load: Array) -> Array:
        return (
            _jensen(self.of, load) if isinstance(self.of, SurfaceMixture) else self.of.start(load)
        )


@jax.jit
def _expected(population, n, material, loads):  # type: ignore[no-untyped-def]
    dtype = loads.dtype
    E, strength = material.constants(dtype)
    each = loads / (n * E)
    d = _separation(population, each)
    load, _, area = population.moments(d)
    area = n * math.pi * area
    tolerance = 1e-9 if dtype == jnp.float64 else 1e-4
    return ExpectedCurve(
        loads,
        strength * area,
        area,
        d,
        Status.first(
            Outcome,
            (~material.valid, Outcome.bad_surface),
            (~jnp.all(loads > 0), Outcome.bad_load),
            (~jnp.all(jnp.abs(load / each - 1) <= tolerance), Outcome.unsolved),
        ),
    )


@jax.custom_jvp
def _separation(population, load):  # type: ignore[no-untyped-def]
    # P^(2/3) is convex in d (a 3/2-norm): Newton from below never passes the solution.
    goal = jnp.cbrt(load) ** 2
    tolerance = 8 * jnp.finfo(load.dtype).eps

    def newton(carry):  # type: ignore[no-untyped-def]
        d, _, step = carry
        P, D, _ = population.moments(d)
        change = 1.5 * (P - jnp.cbrt(P) * goal) / D
        done = (jnp.abs(P - load) <= tolerance * load) | ~jnp.isfinite(change)
        return jnp.where(done, d, d + change), done, step + 1

    def unfinished(carry):  # type: ignore[no-untyped-def]
        return ~jnp.all(carry[1]) & (carry[2] < MAX_STEPS)

    start = population.start(load)
    return jax.lax.while_loop(unfinished, newton, (start, jnp.zeros(load.shape, bool), 0))[0]


@_separation.defjvp
def _separation_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    population, load = primals
    d = _separation(population, load)
    (_, D, _), (at_fixed_d, _, _) = jax.jvp(
        lambda population: population.moments(d), primals[:1], tangents[:1]
    )
    return d, (at_fixed_d - tangents[1]) / D


# ---------------------------------------------------------------- quadrature over a mixture


def _nodes(count: int, low: Array, high: Array) -> tuple[Array, Array]:
    """Gauss–Legendre nodes and weights between low and high, on a new last axis."""
    shape = (1,) * jnp.ndim(low) + (count,)
    half = (high - low)[..., None] / 2
    x, w = (
        jnp.asarray(v.reshape(shape)).astype(low.dtype)
        for v in np.polynomial.legendre.leggauss(count)
    )
    return low[..., None] + half * (1 + x), half * w


def _density(z: Array) -> Array:
    return jnp.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def _radii(mixture: SurfaceMixture) -> tuple[Array, Array]:
    """(4, nodes) radii and weights that sum to 1, of Gaussians cut at zero."""
    mean, deviation = mixture.means[:, 1], root(mixture.covariances[:, 1, 1])
    # R = t²: √R is then smooth at zero. The limits carry no gradient: nothing is left beyond them.
    fixed = jax.lax.stop_gradient
    low = fixed(root(jnp.maximum(mean - REACH * deviation, 0.0)))
    t, w = _nodes(RADIUS_NODES, low, fixed(root(mean + REACH * deviation)))
    z = (t**2 - mean[:, None]) / deviation[:, None]
    weight = w * 2 * t * _density(z) / deviation[:, None]
    return t**2, weight / ndtr(mean / deviation)[:, None]


def mixture_moments(mixture: SurfaceMixture, d: Array) -> tuple[Array, Array, Array]:
    """E[4/3 √R δ^1.5], E[2 √R δ^0.5], E[R δ] of one asperity, for each separation d: (m,)."""
    R, weight = _radii(mixture)  # (4, r)
    slope, spread = mixture.height_given_radius
    centre = mixture.means[:, :1] + slope[:, None] * (R - mixture.means[:, 1:])
    spread = jnp.broadcast_to(spread[:, None], R.shape)
    share = mixture.weights[:, None] * weight

    def at(d: Array) -> tuple[Array, Array, Array]:
        three_halves, half, one = _half_moments(centre, spread, d)
        return (
            jnp.sum(share * 4 / 3 * root(R) * three_halves),
            jnp.sum(share * 2 * root(R) * half),
            jnp.sum(share * R * one),
        )

    return jax.lax.map(at, d)


def _half_moments(centre: Array, spread: Array, d: Array) -> tuple[Array, Array, Array]:
    """E[δ^q], q = 3/2, 1/2, 1, δ = (h − d)_+, of Gaussian heights."""
    z = (d - centre) / spread
    fixed = jax.lax.stop_gradient(z)
    # Where φ(z + t) is above 1e-14 of its largest value for t >= 0; t = y² takes the root away.
    tail = jnp.sqrt(jnp.maximum(fixed, 0.0) ** 2 + REACH**2)
    y, w = _nodes(HEIGHT_NODES, root(-fixed - REACH), root(tail - fixed))
    measure = w * 2 * y * _density(z[..., None] + y**2)
    return (
        spread * root(spread) * jnp.sum(measure * y**3, -1),
        root(spread) * jnp.sum(measure * y, -1),
        spread * jnp.sum(measure * y**2, -1),
    )


def _jensen(mixture: SurfaceMixture, load: Array) -> Array:
    """d with E[…] >= load: the population at its mean height, weighted by √R."""
    R, weight = _radii(mixture)
    slope, _ = mixture.height_given_radius
    K = mixture.weights[:, None] * weight * 4 / 3 * root(R)
    centre = mixture.means[:, :1] + slope[:, None] * (R - mixture.means[:, 1:])
    total = jnp.sum(K)
    return jnp.sum(K * centre) / total - jnp.cbrt(load / total) ** 2
