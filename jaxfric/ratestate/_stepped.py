"""Laws that only know how to move in fixed steps, such as a recurrent network."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.dynamics import VelocityProtocol, outcome, traced_inputs
from jaxfric.programs import program
from jaxfric.ratestate._history import History
from jaxfric.ratestate._outcome import Outcome
from jaxfric.ratestate._spring import Spring

# Bounds of ln(V/V_load) in the search for the sliding velocity, and its halvings
SLOWEST, FASTEST, HALVINGS = -60.0, 20.0, 60


class Grid(NamedTuple):
    """Times of the steps, the step that holds at each sample, and the step's length."""

    times: np.ndarray
    rows: np.ndarray
    dt: float


def step_grid(law: Any, protocol: Any, t: Any, step: Any) -> Grid | None:
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
    # The step at or below each sample, but for rounding
    index = np.floor((np.asarray(t, float) - start) / dt + 1e-3).astype(int)
    return Grid(start + dt * np.arange(index[-1] + 1), index, dt)


def slide_in_steps(
    law: Any, protocol: VelocityProtocol, t: Float[Array, " m"], initial: Any, grid: Grid
) -> History:
    """The velocity constant over each step; samples see the step below them."""
    return _slide(law, protocol, t, initial, *_as_arrays(grid, t.dtype))


@program
def _slide(
    law: Any, protocol: VelocityProtocol, t: Array, initial: Any, times: Array, k: Array, dt: Array
) -> History:
    V = protocol(times)

    def body(state: PyTree, V: Array) -> tuple[PyTree, tuple[Array, PyTree]]:
        mu = jnp.asarray(law.friction(V, state)).astype(t.dtype)
        return law.advance(state, V, dt), (mu, state)

    first = law.initial(V[0]) if initial is None else initial
    _, (friction, states) = jax.lax.scan(body, first, V)
    V, mu, states = V[k], friction[k], jax.tree_util.tree_map(lambda x: x[k], states)
    inputs = traced_inputs(protocol, t, law).promote(Outcome)
    status = outcome(inputs, Status(Outcome.successful, Outcome), mu)
    return History(t, V, mu, states, protocol.displacement(t), status)


def spring_slider_in_steps(
    law: Any, spring: Spring, protocol: VelocityProtocol, t: Float[Array, " m"], initial: Any,
    grid: Grid,
) -> History:  # fmt: skip
    """Force balance at every step: μ(V, s) + η V = k (x_lp − x), x by the trapezoidal rule.

    The velocity is found by bisection, and polished by a Newton step with the gradient on.
    """
    if spring.mass is not None:
        raise ValueError("a law that is stepped has no equation of motion: leave out the mass")
    return _spring_slider(law, spring, protocol, t, initial, *_as_arrays(grid, t.dtype))


@program
def _spring_slider(
    law: Any, spring: Spring, protocol: VelocityProtocol, t: Array, initial: Any, times: Array,
    k: Array, dt: Array,
) -> History:  # fmt: skip
    load = protocol.displacement(times)
    V_first = protocol.velocities[0]
    V0, s0 = (V_first, law.initial(V_first)) if initial is None else initial
    V0 = jnp.asarray(V0, t.dtype)
    force = jnp.asarray(law.friction(V0, s0)).astype(t.dtype) + spring.damping * V0
    scale = jnp.max(jnp.where(jnp.isfinite(protocol.times), protocol.velocities, 0.0))

    def body(carry: tuple[Any, ...], x_load: Array) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        state, V_before, x = carry
        pull = force + spring.stiffness * (x_load - x - V_before * dt / 2)

        def excess(w: Array) -> Array:
            V = jnp.exp(w)
            resistance = jnp.asarray(law.friction(V, state)).astype(t.dtype)
            return resistance + (spring.damping + spring.stiffness * dt / 2) * V - pull

        w = _root(excess, jnp.log(scale) + SLOWEST, jnp.log(scale) + FASTEST)
        V = jnp.exp(w)
        slip = x + (V_before + V) * dt / 2
        mu = jnp.asarray(law.friction(V, state)).astype(t.dtype)
        return (law.advance(state, V, dt), V, slip), (V, mu, state, slip)

    # Half a step at the start's velocity is taken back: x(0) = 0
    _, (V, mu, states, slip) = jax.lax.scan(body, (s0, V0, -V0 * dt), load)
    states = jax.tree_util.tree_map(lambda x: x[k], states)
    bad = ~jnp.all(jnp.isfinite(mu)) | ~jnp.all(jnp.isfinite(V))
    balance = jnp.abs(mu + spring.damping * V - force - spring.stiffness * (load - slip))
    lost = jnp.max(balance) > 1e-4  # no velocity within the bounds balances the forces
    status = Status.first(Outcome, (bad, Outcome.not_finite), (lost, Outcome.solver))
    return History(t, V[k], mu[k], states, slip[k], status)


def _as_arrays(grid: Grid, dtype: Any) -> tuple[Array, Array, Array]:
    return jnp.asarray(grid.times, dtype), jnp.asarray(grid.rows), jnp.asarray(grid.dt, dtype)


def _root(excess: Any, low: Array, high: Array) -> Array:
    """Where an increasing function vanishes, with the implicit derivative."""

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        below = excess(middle) < 0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.stop_gradient(jax.lax.fori_loop(0, HALVINGS, halve, (low, high)))
    w = jax.lax.stop_gradient((low + high) / 2)
    value, slope = jax.jvp(excess, (w,), (jnp.ones_like(w),))
    return w - value / jax.lax.stop_gradient(jnp.where(slope == 0, 1.0, slope))
