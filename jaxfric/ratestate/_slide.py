"""Friction under an imposed sliding velocity."""

from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.dynamics import (
    Load,
    LoadStress,
    LoadVelocity,
    Options,
    Schedule,
    VelocityProtocol,
    integrate,
    outcome,
)
from jaxfric.programs import program
from jaxfric.ratestate._coordinates import Coordinates, FrictionLaw, SteppedFrictionLaw, add
from jaxfric.ratestate._history import History
from jaxfric.ratestate._inputs import one_dtype
from jaxfric.ratestate._outcome import Outcome
from jaxfric.ratestate._slide_inputs import check_imposed, has_closed_form, traced_imposed
from jaxfric.ratestate._stepped import slide_in_steps


def slide(
    law: FrictionLaw | SteppedFrictionLaw,
    protocol: LoadVelocity,
    t: Vector,
    *,
    initial: PyTree | None = None,
    hold_state: Number | None = None,
    normal_stress: LoadStress | None = None,
    step: Number | None = None,
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
    exact = has_closed_form(law, protocol, normal_stress, options)
    grid = check_imposed(
        law, protocol, t, step, resets_without_form=hold_state is not None and not exact
    )
    law, protocol, t, (initial, hold_state) = one_dtype(law, protocol, t, (initial, hold_state))
    if grid is not None:
        assert isinstance(protocol, VelocityProtocol)  # `step_grid` took no other
        return slide_in_steps(law, protocol, t, initial, grid)
    if exact:
        return _step_exactly(law, protocol, t, initial, hold_state)
    return _integrate(law, protocol, t, initial, normal_stress, options)


@program
def _step_exactly(
    law: FrictionLaw, protocol: VelocityProtocol, t: Array, initial: PyTree,
    hold_state: Array | None,
) -> History:  # fmt: skip
    """`slide` by the closed form of checked arguments, all numbers arrays."""
    state = _advance(Coordinates(law, t.dtype), protocol, t, initial, hold_state)
    return _history(
        law, protocol, t, state=state, slip=protocol.displacement(t),
        inputs=traced_imposed(law, protocol, t), status=Status(Outcome.successful, Outcome),
    )  # fmt: skip


@program
def _integrate(
    law: FrictionLaw, protocol: LoadVelocity, t: Array, initial: PyTree,
    normal_stress: LoadStress | None, options: Options,
) -> History:  # fmt: skip
    """`slide` by diffrax; jumps of the state are added segment by segment."""
    if t.dtype == jnp.float64:  # at 1e-8 the interpolation between steps is off by 2e-7 in μ
        options = options.tighter(1e-10, 1e-12)
    coordinates = Coordinates(law, t.dtype)
    schedule = Schedule.of(protocol, normal_stress, t)
    V_first = schedule.load(jnp.zeros_like(t[0])).velocity
    y0 = coordinates.initial(V_first) if initial is None else coordinates.encode(initial)
    offsets = _offsets(coordinates, schedule)
    field = Imposed(coordinates, offsets)
    inputs = traced_imposed(law, protocol, t)
    start = (y0, jnp.zeros_like(t[0]))
    _, (y, slip), status = integrate(field, start, schedule, t, options, valid=inputs.ok)
    if offsets is not None:
        # A sample on a jump belongs to the segment that starts there
        k = jnp.searchsorted(schedule.bounds, t, side="right") - 1
        k = jnp.clip(k, 0, schedule.bounds.size - 2)
        y = jax.tree_util.tree_map(lambda continuous, o: continuous + o[k], y, offsets)
    if isinstance(protocol, VelocityProtocol):
        slip = protocol.displacement(t)  # to rounding, where the solver is right to its tolerance
    return _history(
        law, protocol, t, state=coordinates.decode(y), slip=slip, inputs=inputs,
        status=status.promote(Outcome),
    )  # fmt: skip


class Imposed(eqx.Module):
    """d/dτ of (y, slip) under an imposed velocity.

    A state that weakens with stress (Nagata) jumps where the velocity does, and a solver's state
    cannot. So the solver holds y less the jumps so far, which is continuous: `offsets` are their
    sums up to each segment, None where y itself is continuous. y' = rate + response.
    """

    coordinates: Coordinates
    offsets: PyTree | None

    def __call__(self, tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        """(y, slip) per τ."""
        load: Load = schedule.load(tau)
        state = y[0]
        if self.offsets is not None:
            k = schedule.segment(tau)
            state = jax.tree_util.tree_map(
                lambda continuous, o: continuous + o[k], state, self.offsets
            )
        rate = add(
            self.coordinates.rate(load.velocity, state),
            self.coordinates.response(
                load.velocity, state, load.log_velocity_rate, load.log_stress_rate
            ),
        )
        return jax.tree_util.tree_map(lambda x: load.length * x, (rate, load.velocity))


def _history(
    law: FrictionLaw, protocol: LoadVelocity, t: Array, *, state: PyTree, slip: Array,
    inputs: Status, status: Status,
) -> History:  # fmt: skip
    """The samples of a run: velocity as imposed, friction of velocity and state."""
    velocity = jax.vmap(lambda x: jnp.asarray(protocol(x)).astype(t.dtype))(t)
    friction = jnp.asarray(jax.vmap(law.friction)(velocity, state)).astype(t.dtype)
    return History(
        time=t,
        velocity=velocity,
        friction=friction,
        state=state,
        slip=slip,
        status=outcome(inputs, status, friction),
    )


def _advance(
    coordinates: Coordinates,
    protocol: VelocityProtocol,
    t: Float[Array, " m"],
    initial: PyTree | None,
    hold_state: Array | None,
) -> PyTree:
    """State at the samples: the closed form over whole segments, then from the segment's start."""
    law = cast(SteppedFrictionLaw, coordinates.law)  # `has_closed_form` saw its `advance`
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
        # A coupled state jumps with the velocity; in its logarithm, where the law knows the jump
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
    # One scan over the segments gives the states at their starts; every sample is then a single
    # exact step from the start of its segment, so that errors do not add up and samples are free
    k = protocol.segment(t)
    at_start = jax.tree_util.tree_map(lambda x: x[k], starts)
    return jax.vmap(law.advance)(at_start, V[k], jnp.maximum(t - begin[k], 0))


def _offsets(coordinates: Coordinates, schedule: Schedule) -> PyTree | None:
    """Sum of the jumps of the state up to each segment; None for a continuous state."""
    V = schedule.segment_velocity
    # A smooth V(t) has no steps; what it does to the state enters through the response
    if V is None or coordinates.jump(V[0], V[0]) is None:
        return None
    jumps = jax.vmap(coordinates.jump)(jnp.concatenate([V[:1], V[:-1]]), V)
    return jax.tree_util.tree_map(lambda x: jnp.cumsum(x, axis=0), jumps)
