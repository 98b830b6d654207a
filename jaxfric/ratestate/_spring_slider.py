"""A slider pulled through a spring: stable sliding, velocity steps, stick-slip."""

from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from jaxfric import _checks
from jaxfric.ratestate._controller import stiff_solver
from jaxfric.ratestate._coordinates import Coordinates, add
from jaxfric.ratestate._evolution import safe_exp
from jaxfric.ratestate._history import History
from jaxfric.ratestate._precision import one_dtype
from jaxfric.ratestate._protocol import NormalStress, VelocityProtocol
from jaxfric.ratestate._schedule import Schedule
from jaxfric.ratestate._solve import Options, check_run, check_traced, integrate, outcome
from jaxfric.ratestate._spring import Spring
from jaxfric.ratestate._stepped import spring_slider_in_steps, step_grid
from jaxfric.ratestate._types import Number


def spring_slider(
    law: Any,
    spring: Spring,
    protocol: VelocityProtocol | Callable[[Array], Array],
    t: Any,
    *,
    initial: tuple[Any, PyTree] | None = None,
    normal_stress: NormalStress | Callable[[Array], Array] | None = None,
    steps: bool = False,
    step: float | None = None,
    solver: diffrax.AbstractSolver | None = None,
    rtol: Number | None = None,
    atol: Number | None = None,
    max_steps: int = 65536,
    adjoint: diffrax.AbstractAdjoint = diffrax.DirectAdjoint(),  # noqa: B008
) -> History:
    """Friction, velocity and slip of a slider whose load point follows a protocol.

    Force balance per unit initial normal stress, with n = σ/σ0:
    n μ(V, θ) + η V + m V' = k (x_lp − x). Integrated in ln V and ln θ, in float64.

    Arguments:
        law: a `RateStateLaw` or any object with its methods.
        spring: a `Spring`; with a mass the stiff equation of motion is integrated.
        protocol: load-point velocity, a `VelocityProtocol` or a smooth function V(t) in m/s.
        t: (m,), s, sorted sample times, not before the protocol's start.
        initial: (V, state) at the start; steady state at the first velocity if None.
        normal_stress: history σ(t)/σ0.
        steps: return the solver's own steps from the start to t[-1] instead of samples at `t`;
            unused places repeat the last step. What `catalogue` wants for stick-slip.
        step: fixed step, s, for a law that has `advance` but no `rate`, such as a recurrent
            network; needs a `VelocityProtocol`, no mass and constant normal stress.
        solver: Tsit5 without inertia and `stiff_solver()` with it, if None.
        rtol: see `Options`.
        atol: see `Options`.
        max_steps: see `Options`.
        adjoint: see `Options`.

    Returns:
        `History` with .time .velocity .friction .state .slip .status.

    Raises:
        ValueError: in float32; for a batch (use jax.vmap); for samples outside the protocol; for
            a start at zero velocity without `initial`.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.ratestate import RateStateLaw
        >>> law = RateStateLaw(mu0=0.6, a=0.001, b=0.0015, Dc=1e-4, V0=1e-6)
        >>> protocol = VelocityProtocol([0.0], [1e-5])
        >>> start = (1e-6, law.initial(1e-6))
        >>> history = spring_slider(law, Spring(50.0), protocol, jnp.array([100.0]), initial=start)
        >>> print(f"{history.friction[-1]:.8f}", history.status)
        0.59884871 successful

    Source: standard spring-slider; radiation damping after Rice (1993).
    """
    check_run(law, protocol, t, spring)
    grid = step_grid(law, protocol, t, step)
    law, protocol, t, spring, initial = one_dtype(law, protocol, t, spring, initial)
    _checks.float64("spring_slider", t.dtype)
    if grid is not None:
        if steps or normal_stress is not None or not isinstance(protocol, VelocityProtocol):
            raise ValueError("a law that is stepped takes a VelocityProtocol, no normal_stress and "
                             "steps=False")  # fmt: skip
        return spring_slider_in_steps(law, spring, protocol, t, initial, grid)
    coordinates = Coordinates(law, t.dtype)
    schedule = Schedule.of(protocol, normal_stress, t)
    y0 = _initial(coordinates, spring, schedule, initial)
    if solver is None:
        solver = diffrax.Tsit5() if spring.mass is None else stiff_solver()
    field = right_hand_side(coordinates, spring)
    options = Options(solver, rtol, atol, max_steps, adjoint)
    inputs = check_traced(law, protocol, t, spring)
    t, solution, status = integrate(field, y0, schedule, t, options, ~inputs.ok, steps)
    w, y, elastic, *_ = solution

    def with_rates(tau: Array, full: PyTree) -> tuple[Array, Array, Array]:
        length = schedule.load(tau).length
        rates = field(tau, full, schedule)
        mu, mu_rate = jax.jvp(lambda w, y: coordinates.friction(jnp.exp(w), y), full[:2], rates[:2])
        per_second = 1 / jnp.where(length > 0, length, 1)
        return mu, rates[0] * per_second, mu_rate * per_second

    friction, log_velocity_rate, friction_rate = jax.vmap(with_rates)(schedule.inside(t), solution)
    return History(
        t,
        jnp.exp(w),
        friction,
        coordinates.decode(y),
        elastic / spring.stiffness,
        outcome(inputs, status, friction),
        log_velocity_rate,
        friction_rate,
    )


def _initial(
    coordinates: Coordinates, spring: Spring, schedule: Schedule, initial: tuple[Any, PyTree] | None
) -> tuple[PyTree, ...]:
    """(ln V, y, k x[, spring force]) at the start."""
    load = schedule.load(jnp.zeros_like(schedule.bounds[0]))
    if initial is None:
        V = load.velocity
        if _checks.is_concrete(V) and np.asarray(V) == 0:
            raise ValueError(
                "the protocol starts at velocity 0, where there is no steady state; give "
                "initial=(V, state), or start with a sliding segment"
            )
        y = coordinates.initial(V)
    else:
        _check_initial(coordinates, initial)
        V = jnp.asarray(initial[0], schedule.bounds.dtype)
        y = coordinates.encode(initial[1])
    start = (jnp.log(V), y, jnp.zeros_like(V))
    if spring.mass is None:
        return start
    return (*start, load.stress * coordinates.friction(V, y) + spring.damping * V)


def _check_initial(coordinates: Coordinates, initial: tuple[Any, PyTree]) -> None:
    numbers = [initial[0], *(jax.tree_util.tree_leaves(initial[1]) if coordinates.log else [])]
    for x in numbers:
        if _checks.is_concrete(x) and not np.all((np.asarray(x) > 0) & np.isfinite(np.asarray(x))):
            raise ValueError(
                f"initial=(V, state) must be positive and finite; got {np.asarray(x).tolist()}"
            )


def right_hand_side(coordinates: Coordinates, spring: Spring) -> Callable[..., PyTree]:
    """d/dτ of (ln V, y, k x[, spring force]) under a `Schedule`."""
    return (_quasi_dynamic if spring.mass is None else _inertial)(coordinates, spring)


def _quasi_dynamic(coordinates: Coordinates, spring: Spring) -> Callable[..., PyTree]:
    """Right-hand side without inertia: force balance, differentiated in time, gives (ln V)'."""

    def field(tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        w, state, _ = y
        load = schedule.load(tau)
        V = safe_exp(w)
        zero, one = jnp.zeros_like(w), jnp.ones_like(w)
        own_rate = add(
            coordinates.rate(V, state),
            coordinates.response(V, state, zero, load.log_stress_rate),
        )
        per_log_V = coordinates.response(V, state, one, zero)
        mu, slope = jax.linearize(coordinates.friction, V, state)
        # d/dt of n μ + η V = k (x_lp − x):
        # (n dμ/dlnV + η V) w' = k (V_lp − V) − n (ln n)' μ − n ∂μ/∂y · y'
        inertia_free = load.stress * slope(V, per_log_V) + spring.damping * V
        drive = spring.stiffness * (load.velocity - V)
        drive = drive - load.stress * (load.log_stress_rate * mu + slope(zero, own_rate))
        w_rate = drive / inertia_free
        state_rate = jax.tree_util.tree_map(lambda a, b: a + b * w_rate, own_rate, per_log_V)
        rates = (w_rate, state_rate, spring.stiffness * V)
        return jax.tree_util.tree_map(lambda x: load.length * x, rates)

    return field


def _inertial(coordinates: Coordinates, spring: Spring) -> Callable[..., PyTree]:
    """Right-hand side with inertia: m V' = spring force − n μ − η V."""
    mass: Any = spring.mass

    def field(tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        w, state, _, force = y
        load = schedule.load(tau)
        V = safe_exp(w)
        resistance = load.stress * coordinates.friction(V, state) + spring.damping * V
        w_rate = (force - resistance) / (mass * V)
        state_rate = add(
            coordinates.rate(V, state),
            coordinates.response(V, state, w_rate, load.log_stress_rate),
        )
        rates = (
            w_rate,
            state_rate,
            spring.stiffness * V,
            spring.stiffness * (load.velocity - V),
        )
        return jax.tree_util.tree_map(lambda x: load.length * x, rates)

    return field
