"""Friction under an imposed sliding velocity."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.dynamics import (
    Load,
    NormalStress,
    Options,
    Schedule,
    VelocityProtocol,
    integrate,
    outcome,
    traced_inputs,
)
from jaxfric.programs import program
from jaxfric.ratestate._coordinates import Coordinates, add
from jaxfric.ratestate._history import History
from jaxfric.ratestate._inputs import check_run, one_dtype
from jaxfric.ratestate._outcome import Outcome
from jaxfric.ratestate._stepped import slide_in_steps, step_grid


def slide(
    law: Any,
    protocol: VelocityProtocol | Callable[[Array], Array],
    t: Any,
    *,
    initial: PyTree | None = None,
    hold_state: Any = None,
    normal_stress: NormalStress | Callable[[Array], Array] | None = None,
    step: float | None = None,
    options: Options | None = None,
) -> History:
    """Friction of an interface that is made to slide at a given velocity.

    Each segment of constant velocity is stepped by the law's closed form where it has one
    (`law.advance`; aging, slip, PRZ, one Nagata state); else, or when `options` name a solver,
    diffrax integrates the state. Works in float32 and float64, under jit, vmap, grad and jvp;
    compiled once for a kind of law, load and number of samples, also outside of jax.jit.

    Arguments:
        law: a `RateStateLaw` or any object with its methods.
        protocol: imposed velocity, a `VelocityProtocol` or a smooth function V(t) in m/s.
        t: (m,), s, sorted sample times, not before the protocol's start.
        initial: state at the start; steady state at the first velocity if None.
        hold_state: if given, θ (s) restarts at this value at the start of every hold
            (`protocol.holds`). Physics keeps θ continuous; the data of "Slide, Hold, Learn" do not.
        normal_stress: history σ(t)/σ0 for the Linker–Dieterich effect.
        step: fixed step, s, for a law that has `advance` but no `rate`, such as a recurrent
            network; velocity is taken at the start of each step, samples see the step below them.
        options: how to integrate; a solver in them overrides the closed form, and tolerances are
            1e-10 and 1e-12 in float64 here if they name none.

    Returns:
        `History` with .time .velocity .friction .state .slip .status.

    Raises:
        ValueError: for a batch (use jax.vmap), samples outside the protocol, zero velocity with the
            classical form or Nagata's law, a reset together with a solver.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.ratestate import RateStateLaw
        >>> law = RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6)
        >>> protocol = VelocityProtocol.step(1e-6, 1e-5, at=1.0)
        >>> history = slide(law, protocol, jnp.array([0.0, 1.0, 100.0]))
        >>> print(history.friction.round(5))
        [0.6     0.61382 0.57697]

    Source: closed forms are standard; see the evolution laws.
    """
    options = Options() if options is None else options
    check_run(law, protocol, t)
    grid = step_grid(law, protocol, t, step)
    law, protocol, t, initial, hold_state = one_dtype(law, protocol, t, initial, hold_state)
    if grid is not None:
        assert isinstance(protocol, VelocityProtocol)
        return slide_in_steps(law, protocol, t, initial, grid)
    _check_zero_velocity(law, protocol)
    piecewise = isinstance(protocol, VelocityProtocol) and normal_stress is None
    has_closed_form = hasattr(law, "advance") and getattr(law, "exact", True)
    exact = piecewise and has_closed_form and options.solver is None
    if hold_state is not None and not exact:
        raise ValueError("hold_state needs the closed form: an exact law, no solver, σ constant")
    if exact:
        return _step_exactly(law, protocol, t, initial, hold_state)
    return _integrate(law, protocol, t, initial, normal_stress, options)


@program
def _step_exactly(
    law: Any, protocol: VelocityProtocol, t: Array, initial: Any, hold_state: Any
) -> History:
    """`slide` by the closed form of checked arguments, all numbers arrays."""
    state = _advance(Coordinates(law, t.dtype), protocol, t, initial, hold_state)
    fine = Status(Outcome.successful, Outcome)
    return _history(law, protocol, t, state, protocol.displacement(t), fine)


@program
def _integrate(
    law: Any, protocol: Any, t: Array, initial: Any, normal_stress: Any, options: Options
) -> History:
    """`slide` by diffrax; jumps of the state are added segment by segment."""
    if t.dtype == jnp.float64:  # at 1e-8 the interpolation between steps is off by 2e-7 in μ
        options = options.tighter(1e-10, 1e-12)
    coordinates = Coordinates(law, t.dtype)
    schedule = Schedule.of(protocol, normal_stress, t)
    V_first = schedule.load(jnp.zeros_like(t[0])).velocity
    y0 = coordinates.initial(V_first) if initial is None else coordinates.encode(initial)
    offsets = _offsets(coordinates, schedule)
    field = Imposed(coordinates, offsets)
    invalid = ~_inputs(law, protocol, t).ok
    start = (y0, jnp.zeros_like(t[0]))
    _, (y, slip), status = integrate(field, start, schedule, t, options, invalid=invalid)
    if offsets is not None:
        # A sample on a jump belongs to the segment that starts there
        k = jnp.searchsorted(schedule.bounds, t, side="right") - 1
        k = jnp.clip(k, 0, schedule.bounds.size - 2)
        y = jax.tree_util.tree_map(lambda a, o: a + o[k], y, offsets)
    if isinstance(protocol, VelocityProtocol):
        slip = protocol.displacement(t)
    return _history(law, protocol, t, coordinates.decode(y), slip, status)


class Imposed(eqx.Module):
    """d/dτ of (y, slip) under an imposed velocity; `offsets` are jumps of y up to each segment."""

    coordinates: Coordinates
    offsets: PyTree | None

    def __call__(self, tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        """(y, slip) per τ."""
        load: Load = schedule.load(tau)
        state = y[0]
        if self.offsets is not None:
            k = schedule.segment(tau)
            state = jax.tree_util.tree_map(lambda a, o: a + o[k], state, self.offsets)
        rate = add(
            self.coordinates.rate(load.velocity, state),
            self.coordinates.response(
                load.velocity, state, load.log_velocity_rate, load.log_stress_rate
            ),
        )
        return jax.tree_util.tree_map(lambda x: load.length * x, (rate, load.velocity))


def _history(
    law: Any, protocol: Any, t: Array, state: PyTree, slip: Array, status: Status
) -> History:
    velocity = jax.vmap(lambda x: jnp.asarray(protocol(x)).astype(t.dtype))(t)
    friction = jax.vmap(law.friction)(velocity, state).astype(t.dtype)
    found = outcome(_inputs(law, protocol, t), status.promote(Outcome), friction)
    return History(t, velocity, friction, state, slip, found)


def _advance(
    coordinates: Coordinates,
    protocol: VelocityProtocol,
    t: Float[Array, " m"],
    initial: PyTree | None,
    hold_state: Any,
) -> PyTree:
    """State at the samples: the closed form over whole segments, then from the segment's start."""
    law = coordinates.law
    dtype = t.dtype
    start = law.initial(protocol.velocities[0]) if initial is None else initial
    start = jax.tree_util.tree_map(lambda x: jnp.asarray(x).astype(dtype), start)
    padded = jnp.isinf(protocol.times)
    begin = jnp.where(padded, 0, protocol.times)
    length = jnp.where(padded[1:], 0, begin[1:] - begin[:-1])
    # Padding continues at the last real velocity, so that whatever it holds stays unused.
    V = jnp.where(padded, protocol.velocities[jnp.sum(~padded) - 1], protocol.velocities)
    holds = protocol.holds() if hold_state is not None else jnp.zeros_like(padded)

    def next_segment(state: PyTree, segment: tuple[Array, ...]) -> tuple[PyTree, PyTree]:
        V_now, V_next, dt, hold = segment
        state = law.advance(state, V_now, dt)
        jump = coordinates.jump(V_now, V_next)
        if jump is not None:
            state = coordinates.decode(add(coordinates.encode(state), jump))
        if hold_state is not None:
            restart = jnp.asarray(hold_state, dtype)
            state = jax.tree_util.tree_map(lambda x: jnp.where(hold, restart, x), state)
        return state, state

    _, later = jax.lax.scan(next_segment, start, (V[:-1], V[1:], length, holds[1:]))
    starts = jax.tree_util.tree_map(
        lambda first, rest: jnp.concatenate([first[None], rest]), start, later
    )
    k = protocol.segment(t)
    at_start = jax.tree_util.tree_map(lambda x: x[k], starts)
    return jax.vmap(law.advance)(at_start, V[k], jnp.maximum(t - begin[k], 0))


def _offsets(coordinates: Coordinates, schedule: Schedule) -> PyTree | None:
    """Sum of the jumps of the state up to each segment; None for a continuous state."""
    V = schedule.segment_velocity
    if V is None or coordinates.jump(V[0], V[0]) is None:
        return None
    jumps = jax.vmap(coordinates.jump)(jnp.concatenate([V[:1], V[:-1]]), V)
    return jax.tree_util.tree_map(lambda x: jnp.cumsum(x, axis=0), jumps)


def _needs_motion(law: Any) -> bool:
    """Whether the law has no friction, or an unbounded state, at an imposed velocity of zero."""
    return getattr(law, "form", "") == "classical" or bool(getattr(law, "jumps", False))


def _check_zero_velocity(law: Any, protocol: Any) -> None:
    if not isinstance(protocol, VelocityProtocol) or not _needs_motion(law):
        return
    if _checks.is_concrete(protocol.times, protocol.velocities):
        times, velocities = np.asarray(protocol.times), np.asarray(protocol.velocities)
        if not np.any(np.isfinite(times) & (velocities == 0)):
            return
        if law.form == "classical":
            raise ValueError(
                "the classical form has no friction at zero velocity (ln 0); give the hold a small "
                "velocity such as 1e-12 m/s, use form='regularised', or load through spring_slider"
            )
        raise ValueError(
            "a drop of the imposed velocity to zero strengthens a state that weakens with stress "
            "(Nagata's law) without bound; give the hold a small velocity such as 1e-12 m/s, or "
            "load through spring_slider"
        )


def _inputs(law: Any, protocol: Any, t: Float[Array, " m"]) -> Status:
    """Traced values: as everywhere, and zero velocity where the law needs motion."""
    inputs = traced_inputs(protocol, t, law).promote(Outcome)
    if not _needs_motion(law) or not isinstance(protocol, VelocityProtocol):
        return inputs
    rest: Bool[Array, ""] = jnp.any(jnp.isfinite(protocol.times) & (protocol.velocities == 0))
    return inputs.or_else(Status.first(Outcome, (rest, Outcome.bad_protocol)))
