"""Steady sliding and its stability."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Complex, DTypeLike, Float, PyTree

from jaxfric import _checks, _show
from jaxfric._status import Status
from jaxfric._types import Number
from jaxfric.dynamics import Schedule, VelocityProtocol, is_valid
from jaxfric.programs import program
from jaxfric.ratestate._coordinates import Coordinates, FrictionLaw, Scalar
from jaxfric.ratestate._critical import critical_numeric, critical_one_state, linearise
from jaxfric.ratestate._inputs import one_dtype
from jaxfric.ratestate._motion import right_hand_side
from jaxfric.ratestate._outcome import Outcome
from jaxfric.ratestate._spring import Spring


class SteadyState(eqx.Module):
    """Steady sliding.

    Attributes:
        friction: coefficient.
        state: θ, s.
        status: outcome; `status.ok` and `str(status)`.
    """

    friction: Float[Array, ""]
    state: PyTree
    status: Status

    def __repr__(self) -> str:
        # The state of a law of the user's own is any pytree, and its unit is the law's
        unit = "s" if isinstance(self.state, jax.Array) else ""
        return (
            f"steady state: friction {_show.shown(self.friction)}, "
            f"state {_show.shown(self.state, unit)}, {self.status}"
        )


class Eigenvalues(eqx.Module):
    """Small perturbations of steady sliding.

    Attributes:
        values: (1 + states [+ 1 with mass],) complex, 1/s: growth rates and angular frequencies.
        status: outcome; `status.ok` and `str(status)`.
    """

    values: Complex[Array, " n"]
    status: Status

    def __repr__(self) -> str:
        if not _checks.is_concrete(self.values) or np.ndim(self.values) > 1:
            fastest = self.values.real.max(axis=-1)
            return f"eigenvalues: largest growth rate {_show.shown(fastest, '1/s')}, {self.status}"
        listed = ", ".join(f"{x:.4g}" for x in np.asarray(self.values))
        return f"eigenvalues: {listed} 1/s, {self.status}"


class CriticalStiffness(eqx.Module):
    """The stiffness below which steady sliding is unstable; `float(...)` is its value.

    Attributes:
        value: k_c/σ, 1/m. Zero or negative: stable at every stiffness.
        status: outcome; `status.ok` and `str(status)`.
    """

    value: Float[Array, ""]
    status: Status

    def __float__(self) -> float:
        return float(self.value)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype)

    def __jax_array__(self) -> Array:
        return self.value

    def __repr__(self) -> str:
        if not _checks.is_concrete(self.value) or np.ndim(self.value):
            return f"critical stiffness {_show.shown(self.value, '1/m')}, {self.status}"
        return f"critical stiffness {float(self.value):.4g} 1/m, {self.status}"


def steady_state(law: FrictionLaw, V: Number) -> SteadyState:
    """Friction and state of steady sliding: μ_ss(V) = μ(V, θ_ss(V)), θ_ss' = 0.

    Arguments:
        law: a `RateStateLaw` or any object with its methods.
        V: sliding velocity, m/s, > 0.

    Returns:
        `SteadyState` with .friction .state .status.

    Raises:
        ValueError: if V is not one positive number.

    Example:
        >>> from jaxfric.ratestate import RateStateLaw
        >>> law = RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6)
        >>> print(f"{steady_state(law, 1e-5).friction:.5f}")  # 0.6 + (a − b) ln 10
        0.57697

    Source: standard; the composite law's state through the Lambert function.
    """
    _checks.positive("V", V)
    law, _, V, _ = one_dtype(law, None, V, ())
    return _steady_state(law, V)


@program
def _steady_state(law: FrictionLaw, V: Scalar) -> SteadyState:
    state = law.initial(V)
    friction = jnp.asarray(law.friction(V, state))
    return SteadyState(friction, state, _status(V, friction, law))


def _status(V: Scalar, value: Array, *parts: object) -> Status:
    """What was wrong with traced arguments: a velocity that is not positive, a bad parameter."""
    return Status.first(
        Outcome,
        (~(V > 0), Outcome.bad_parameter),
        *((~jnp.asarray(is_valid(part)), Outcome.bad_parameter) for part in parts),
        (~jnp.all(jnp.isfinite(value)), Outcome.not_finite),
    )


def eigenvalues(law: FrictionLaw, spring: Spring, V: Number) -> Eigenvalues:
    """Growth rates (real parts, 1/s) and angular frequencies of small perturbations.

    Eigenvalues of the spring-slider linearised about steady sliding at V, in the coordinates
    ln V, ln θ (and the spring force, with mass). Sliding is stable when all
    real parts are negative.

    Arguments:
        law: a `RateStateLaw` or any object with its methods.
        spring: the loading `Spring`.
        V: load-point velocity, m/s, > 0.

    Returns:
        `Eigenvalues` with .values (1 + states [+ 1 with mass],) and .status.

    Raises:
        ValueError: if V is not one positive number.

    Example:
        >>> from jaxfric.ratestate import RateStateLaw
        >>> law = RateStateLaw(mu0=0.6, a=0.01, b=0.015, Dc=1e-5, V0=1e-6)
        >>> print(bool(eigenvalues(law, Spring(450.0), 1e-6).values.real.max() > 0))  # K_c = 500
        True

    Source: Ruina (1983), Rice & Ruina (1983).
    """
    _checks.positive("V", V)
    law, _, V, spring = one_dtype(law, None, V, spring)
    return _eigenvalues(law, spring, V)


@program
def _eigenvalues(law: FrictionLaw, spring: Spring, V: Scalar) -> Eigenvalues:
    coordinates = Coordinates(law, V.dtype)
    time = jnp.stack([jnp.zeros_like(V), jnp.ones_like(V)])
    # The simulator's own equations are differentiated, so that what is stable here is so there.
    # One segment of length 1 s: dτ = dt
    schedule = Schedule.of(VelocityProtocol(time[:1], V[None]), None, time[1:])
    field = right_hand_side(coordinates, spring)
    y = coordinates.initial(V)
    force = coordinates.friction(V, y) + spring.damping * V
    tail = () if spring.mass is None else (force,)
    flat, unravel = ravel_pytree((jnp.log(V), y, *tail))

    def rates(x: Float[Array, " n"]) -> Float[Array, " n"]:
        # Without the slip: nothing depends on it, and it would add an eigenvalue of zero
        w, y, *force = unravel(x)
        w_rate, y_rate, _, *force_rate = field(
            time[1] / 2, (w, y, jnp.zeros_like(w), *force), schedule
        )
        return ravel_pytree((w_rate, y_rate, *force_rate))[0]

    values = jnp.linalg.eigvals(jax.jacfwd(rates)(flat))
    return Eigenvalues(values, _status(V, values, law, spring))


def critical_stiffness(
    law: FrictionLaw, V: Number, *, damping: Number = 0.0, mass: Number = 0.0
) -> CriticalStiffness:
    """Stiffness (per unit normal stress, 1/m) below which steady sliding at V is unstable.

    One state: k_c = [(b−a) − ηV]/Dc · (1 + m V²/((a + ηV) Dc)) for the aging, slip and PRZ laws;
    1/(1+c) of it for Nagata's (η = m = 0). For every other one-state law, a(V) and the regularised
    form included, the same criterion with the law's own derivatives. Several states: the largest k
    at which an eigenvalue is imaginary.

    Arguments:
        law: a `RateStateLaw` or any object with its methods.
        V: load-point velocity, m/s, > 0.
        damping: η/σ, s/m, >= 0.
        mass: m/σ, s²/m, >= 0.

    Returns:
        `CriticalStiffness` with .value (k_c/σ, 1/m) and .status.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> from jaxfric.ratestate import RateStateLaw
        >>> law = RateStateLaw(mu0=0.6, a=0.01, b=0.015, Dc=1e-5, V0=1e-6)
        >>> print(critical_stiffness(law, 1e-6))
        critical stiffness 500 1/m, successful

    Source: Ruina (1983); with mass, Rice & Ruina (1983); Nagata et al. (2012).
    """
    _checks.positive("V", V)
    _checks.non_negative("damping", damping)
    _checks.non_negative("mass", mass)
    law, _, V, (damping, mass) = one_dtype(law, None, V, (damping, mass))
    return _critical_stiffness(law, V, damping, mass)


@program
def _critical_stiffness(
    law: FrictionLaw, V: Scalar, damping: Scalar, mass: Scalar
) -> CriticalStiffness:
    linear = linearise(Coordinates(law, V.dtype), V)
    found = (critical_numeric if linear.relaxation.shape[0] > 1 else critical_one_state)(
        linear, V, damping, mass
    )
    negative = ~(damping >= 0) | ~(mass >= 0)
    loading = Status.first(Outcome, (negative, Outcome.bad_parameter))
    return CriticalStiffness(found, loading.or_else(_status(V, found, law)))
