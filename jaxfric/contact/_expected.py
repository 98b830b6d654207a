"""The friction law of a population of asperities, without drawing any."""

import math
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxfric import _checks
from jaxfric._show import printed
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.contact._asperities import Material, common_dtype
from jaxfric.contact._half_line import scaled_gammas
from jaxfric.contact._mixture import SurfaceMixture
from jaxfric.contact._mixture_moments import jensen_separation, mixture_moments
from jaxfric.contact._outcome import Outcome
from jaxfric.contact._printing import MICRO, span

# A bound only. In the tail of the heights, where P falls exponentially with d, a step of Newton's
# gains about one decay length, and many may be needed.
MAX_STEPS = 200


@runtime_checkable
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
    the plane above the lowest sphere. Below it, where all spheres touch and the law bends,
    E[δ^q] = s^q exp(x) Γ(q + 1, x) with x = −d/s.

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
        """E[4/3 √R δ^1.5], E[2 √R δ^0.5], E[R δ], for separations of either sign."""
        s, R = self._constants(separation.dtype)
        share = jnp.exp(-jnp.maximum(separation, 0.0) / s)
        x = jnp.maximum(-separation, 0.0) / s
        _, half, three_halves = scaled_gammas(x)
        root = jnp.sqrt(R * s)
        # Γ(2, x) exp(x) = 1 + x
        return (
            4 / 3 * root * s * three_halves * share,
            2 * root * half * share,
            R * s * (1 + x) * share,
        )

    def start(self, load: Float[Array, " m"]) -> Float[Array, " m"]:
        """The solution itself where the plane is above the lowest sphere; else not above it."""
        s, R = self._constants(load.dtype)
        root = jnp.sqrt(R * s)
        above = -s * jnp.log(load / (math.sqrt(math.pi) * root * s))
        # By Jensen's inequality E[δ^1.5] >= (E[h] − d)^1.5
        below = s - jnp.cbrt(load / (4 / 3 * jnp.sqrt(R))) ** 2
        return jnp.where(above >= 0, above, below)

    @property
    def valid(self) -> Bool[Array, ""]:
        """True if both lengths are positive and finite."""
        lengths = jnp.stack([jnp.asarray(x) for x in self._constants(jnp.zeros(()).dtype)])
        return jnp.all((lengths > 0) & jnp.isfinite(lengths))

    def _constants(self, dtype: jnp.dtype) -> tuple[Float[Array, ""], Float[Array, ""]]:
        return jnp.asarray(self.mean).astype(dtype), jnp.asarray(self.radius).astype(dtype)

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        return (
            f"ExponentialHeights: mean {span(self.mean, 'µm', MICRO)}, "
            f"radius {span(self.radius, 'µm', MICRO)}"
        )


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

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        *batch, count = np.shape(self.load)
        populations = f"{math.prod(batch)} populations, " if batch else ""
        return (
            f"ExpectedCurve: {populations}{count} loads, {span(self.load, 'N')}\n"
            f"  friction {span(self.friction, 'N')}, area {span(self.area, 'mm²', 1e6)}\n"
            f"  {self.status}"
        )


def expected_friction_law(
    population: SurfaceMixture | Population, n: Number, material: Material, loads: Vector
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
    if isinstance(population, SurfaceMixture):
        population = _MixturePopulation(population)
    return _expected(population, jnp.asarray(n).astype(loads.dtype), material, loads)


class _MixturePopulation(eqx.Module):
    """A mixture with the methods of a `Population`, by quadrature."""

    mixture: SurfaceMixture

    def moments(self, separation: Float[Array, " m"]) -> tuple[Array, Array, Array]:
        return mixture_moments(self.mixture, separation)

    def start(self, load: Float[Array, " m"]) -> Float[Array, " m"]:
        return jensen_separation(self.mixture, load)


@jax.jit
def _expected(
    population: Population, n: Float[Array, ""], material: Material, loads: Float[Array, " m"]
) -> ExpectedCurve:
    dtype = loads.dtype
    E, strength = material.constants(dtype)
    each = loads / (n * E)  # P/(nE*), what one asperity carries on average
    d = _separation(population, each)
    load, _, area = population.moments(d)
    # Bad input may still give finite numbers, which a loss would take for a law
    area = jnp.where(material.valid & jnp.all(loads > 0), n * math.pi * area, jnp.nan)
    # Residual of the load above which it counts as unsolved
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


# Separation, whether it is solved, and the number of steps
_Iterate = tuple[Float[Array, " m"], Bool[Array, " m"], int | Int[Array, ""]]


@jax.custom_jvp
def _separation(population: Population, load: Float[Array, " m"]) -> Float[Array, " m"]:
    """d with E[4/3 √R (h − d)_+^1.5] = load."""
    # P^(2/3) is convex in d (a 3/2-norm): Newton from below never passes the solution.
    goal = jnp.cbrt(load) ** 2
    tolerance = 8 * jnp.finfo(load.dtype).eps

    def newton(iterate: _Iterate) -> _Iterate:
        d, _, step = iterate
        P, D, _ = population.moments(d)  # D = −∂P/∂d
        # With g = P^(2/3), g' = −2/3 P^(−1/3) D: −(g − goal)/g' = 3/2 (P − P^(1/3) goal)/D
        change = 1.5 * (P - jnp.cbrt(P) * goal) / D
        # A step that is not finite comes of P = D = 0 in the far tail: nothing left to solve with.
        # From below every step goes up (the first may start a rounding above): one that goes down,
        # or nowhere, is made of rounding alone
        done = (jnp.abs(P - load) <= tolerance * load) | ~jnp.isfinite(change)
        done |= (d + change <= d) & (step > 0)
        return jnp.where(done, d, d + change), done, step + 1

    def unfinished(iterate: _Iterate) -> Bool[Array, ""]:
        return ~jnp.all(iterate[1]) & (iterate[2] < MAX_STEPS)

    first: _Iterate = (population.start(load), jnp.zeros(load.shape, bool), 0)
    return jax.lax.while_loop(unfinished, newton, first)[0]


@_separation.defjvp
def _separation_jvp(
    primals: tuple[Population, Array], tangents: tuple[PyTree, Array]
) -> tuple[Array, Array]:
    """Of P(population, d) = load: dd = (dP at fixed d − dload)/D, with D = −∂P/∂d.

    Differentiating the loop would give derivatives of its iterates; these are the solution's.
    """
    population, load = primals
    d = _separation(population, load)
    (_, D, _), (at_fixed_d, _, _) = jax.jvp(
        lambda population: population.moments(d), primals[:1], tangents[:1]
    )
    return d, (at_fixed_d - tangents[1]) / D
