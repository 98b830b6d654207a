"""Laws that only know how to move in fixed steps, such as a recurrent network."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.dynamics import FloatType, LoadVelocity, VelocityProtocol, outcome, traced_inputs
from jaxfric.programs import program
from jaxfric.ratestate._coordinates import FrictionLaw, Scalar, SteppedFrictionLaw
from jaxfric.ratestate._history import History
from jaxfric.ratestate._outcome import Outcome
from jaxfric.ratestate._spring import Spring

# Bounds of ln(V/V_load) in the search for the sliding velocity: 26 decades below the load, where
# nothing moves, to almost nine above. 60 halvings of 80 leave less than rounding
SLOWEST, FASTEST, HALVINGS = -60.0, 20.0, 60
# If the forces differ by more, in units of friction, no velocity within the bounds balances them;
# those of a velocity that was found differ by rounding, 1e-7 in a float32 network
IMBALANCE = 1e-4


class Grid(NamedTuple):
    """The steps of a run."""

    times: np.ndarray  # of all steps, s
    rows: np.ndarray  # for each sample, the step that holds there
    dt: float  # length of a step, s


def step_grid(
    law: FrictionLaw | SteppedFrictionLaw, protocol: LoadVelocity, t: Vector, step: Number | None
) -> Grid | None:
    """The steps of a law that has no rate; None for one that has.

    Raises:
        ValueError: if the step is missing, or not wanted, or traced: it sets the number of steps.
    """
    if hasattr(law, "rate"):
        if step is not None:
            raise ValueError("step is for laws that have no rate; leave it out for this law")
        return None
    if step is None:
        raise ValueError(
            f"{type(law).__name__} has no rate: give the fixed step at which to advance it, "
            "step=... in s (the sampling interval that a network was trained with)"
        )
    if not isinstance(protocol, VelocityProtocol):
        raise ValueError("a law that is stepped takes a VelocityProtocol, not a function V(t)")
    _checks.positive("step", step)
    if not _checks.is_concrete(t, protocol.times, step):
        raise ValueError(
            "t, step and the protocol's times set the number of steps: for a law that is stepped "
            "they must not be traced; make them outside of jit, vmap and grad"
        )
    start, dt = float(np.asarray(protocol.times)[0]), float(step)
    # The step at or below each sample; one that is a thousandth of a step short of the next counts
    # as there, since k · dt is rounded
    index = np.floor((np.asarray(t, float) - start) / dt + 1e-3).astype(int)
    return Grid(start + dt * np.arange(index[-1] + 1), index, dt)


def slide_in_steps(
    law: FrictionLaw | SteppedFrictionLaw, protocol: VelocityProtocol, t: Float[Array, " m"],
    initial: PyTree, grid: Grid,
) -> History:  # fmt: skip
    """The velocity constant over each step; samples see the step below them."""
    return _slide(law, protocol, t, initial, *_as_arrays(grid, t.dtype))


@program
def _slide(
    law: SteppedFrictionLaw, protocol: VelocityProtocol, t: Array, initial: PyTree, times: Array,
    rows: Array, dt: Scalar,
) -> History:  # fmt: skip
    V = protocol(times)

    def body(state: PyTree, V: Scalar) -> tuple[PyTree, tuple[Scalar, PyTree]]:
        # Friction of the state at the start of the step, which then moves
        mu = jnp.asarray(law.friction(V, state)).astype(t.dtype)
        return law.advance(state, V, dt), (mu, state)

    first = law.initial(V[0]) if initial is None else initial
    _, (friction, states) = jax.lax.scan(body, first, V)
    inputs = traced_inputs(protocol, t, law).promote(Outcome)
    return History(
        time=t,
        velocity=V[rows],
        friction=friction[rows],
        state=jax.tree_util.tree_map(lambda x: x[rows], states),
        slip=protocol.displacement(t),
        status=outcome(inputs, Status(Outcome.successful, Outcome), friction[rows]),
    )


def spring_slider_in_steps(
    law: FrictionLaw | SteppedFrictionLaw, spring: Spring, protocol: VelocityProtocol,
    t: Float[Array, " m"], initial: tuple[Number, PyTree] | None, grid: Grid,
) -> History:  # fmt: skip
    """Force balance at every step, x by the trapezoidal rule.

    (1)  μ(V, s) + η V = F0 + k (x_lp − x),    (2)  x = x⁻ + (V⁻ + V) dt/2

    of the step before (⁻) and the force at the start F0. Put together, what remains is increasing
    in V. The velocity is found by bisection, and polished by a Newton step with the gradient on.
    """
    if spring.mass is not None:
        raise ValueError("a law that is stepped has no equation of motion: leave out the mass")
    return _spring_slider(law, spring, protocol, t, initial, *_as_arrays(grid, t.dtype))


class Before(NamedTuple):
    """The step before."""

    state: PyTree  # moved already: the one that holds now
    velocity: Scalar  # V⁻, m/s
    slip: Scalar  # x⁻, m


@program
def _spring_slider(
    law: SteppedFrictionLaw, spring: Spring, protocol: VelocityProtocol, t: Array,
    initial: tuple[Number, PyTree] | None, times: Array, rows: Array, dt: Scalar,
) -> History:  # fmt: skip
    load = protocol.displacement(times)
    V_first = protocol.velocities[0]
    V0, s0 = (V_first, law.initial(V_first)) if initial is None else initial
    V0 = jnp.asarray(V0, t.dtype)
    force = jnp.asarray(law.friction(V0, s0)).astype(t.dtype) + spring.damping * V0
    scale = jnp.max(jnp.where(jnp.isfinite(protocol.times), protocol.velocities, 0.0))

    def body(before: Before, x_load: Scalar) -> tuple[Before, tuple[PyTree, ...]]:
        state, V_before, x = before
        # (1) and (2): μ + (η + k dt/2) V = F0 + k (x_lp − x⁻ − V⁻ dt/2)
        pull = force + spring.stiffness * (x_load - x - V_before * dt / 2)

        def excess(w: Scalar) -> Scalar:
            V = jnp.exp(w)
            resistance = jnp.asarray(law.friction(V, state)).astype(t.dtype)
            return resistance + (spring.damping + spring.stiffness * dt / 2) * V - pull

        w = _root(excess, jnp.log(scale) + SLOWEST, jnp.log(scale) + FASTEST)
        V = jnp.exp(w)
        slip = x + (V_before + V) * dt / 2
        mu = jnp.asarray(law.friction(V, state)).astype(t.dtype)
        return Before(law.advance(state, V, dt), V, slip), (V, mu, state, slip)

    # Half a step at the start's velocity is taken back: x(0) = 0
    _, (V, mu, states, slip) = jax.lax.scan(body, Before(s0, V0, -V0 * dt), load)
    bad = ~jnp.all(jnp.isfinite(mu)) | ~jnp.all(jnp.isfinite(V))
    balance = jnp.abs(mu + spring.damping * V - force - spring.stiffness * (load - slip))
    lost = jnp.max(balance) > IMBALANCE
    return History(
        time=t,
        velocity=V[rows],
        friction=mu[rows],
        state=jax.tree_util.tree_map(lambda x: x[rows], states),
        slip=slip[rows],
        status=Status.first(Outcome, (bad, Outcome.not_finite), (lost, Outcome.solver)),
    )


def _as_arrays(grid: Grid, dtype: FloatType) -> tuple[Array, Array, Array]:
    return jnp.asarray(grid.times, dtype), jnp.asarray(grid.rows), jnp.asarray(grid.dt, dtype)


def _root(excess: Callable[[Scalar], Scalar], low: Scalar, high: Scalar) -> Scalar:
    """Where an increasing function vanishes, with the implicit derivative."""

    def halve(_: Number, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        below = excess(middle) < 0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.stop_gradient(jax.lax.fori_loop(0, HALVINGS, halve, (low, high)))
    w = jax.lax.stop_gradient((low + high) / 2)
    # w − f(w)/f'(w) with f' held: its value is w, its derivative −(∂f/∂p)/f', that of the root
    value, slope = jax.jvp(excess, (w,), (jnp.ones_like(w),))
    return w - value / jax.lax.stop_gradient(jnp.where(slope == 0, 1.0, slope))
