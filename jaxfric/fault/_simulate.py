"""Integrating a chain: bulk friction, kinetic energy, slip."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.dynamics import (
    NormalStress,
    Options,
    Schedule,
    VelocityProtocol,
    as_data,
    check_load,
    integrate,
    outcome,
    traced_inputs,
    widest_float,
)
from jaxfric.fault._chain import FaultChain
from jaxfric.fault._history import FaultHistory
from jaxfric.fault._motion import Chain, Observed, State, between, step_norm
from jaxfric.fault._outcome import Outcome
from jaxfric.programs import program

SLOWER = 0.9  # of each patch at the start, beside the one before


def simulate(
    chain: FaultChain,
    protocol: Any,
    t: Any,
    *,
    initial: tuple[Any, Any] | None = None,
    normal_stress: NormalStress | Callable[[Array], Array] | None = None,
    steps: bool = False,
    patches: bool = False,
    options: Options | None = None,
) -> FaultHistory:
    """Stick-slip of a chain whose load point follows a protocol.

    The force balance of each patch, differentiated in time, gives (ln V_i)'; it is integrated with
    ln θ_i, the slip and the integrals of friction and kinetic energy, whose differences are exact
    averages over an instrument's window however short the events.

    Arguments:
        chain: a `FaultChain`.
        protocol: of the load point: one velocity, m/s, > 0, from t = 0 on; a `VelocityProtocol`; or
            a smooth function V(t).
        t: (m,), s, sorted sample times, not before the protocol's start.
        initial: (V, θ), each (n,); if None, every patch slides steadily at its own velocity, the
            first at the load's and each next 10 % slower, so that they do not move as one.
        normal_stress: history σ(t)/σ0 of all patches.
        steps: return the solver's own steps to t[-1] instead; unused places repeat the last.
        patches: also return velocity, slip and stress of every patch (between the solver's steps
            on straight lines).
        options: how to integrate; the tolerances hold for ln V and ln θ. Samples that a run which
            used up its steps did not reach are NaN.

    Returns:
        `FaultHistory`.

    Raises:
        ValueError: in float32, for a batch (use jax.vmap), for bad times, or if a spring cannot
            carry the stress at the start (in the status if that is traced).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.fault import FaultChain, patches, simulate
        >>> law = patches(mu0=0.6, a=0.01, b=0.015, Dc=1e-6, V0=1e-6)
        >>> chain = FaultChain(law, 5e6, loader=1e10, leaf=1e10, coupling=0.0, damping=1e6)
        >>> history = simulate(chain, 1e-5, jnp.linspace(0.0, 20.0, 101))
        >>> print(history.status)
        successful

    Source: Rice (1993) for the quasi-dynamic balance; ours in detail.
    """
    options = Options() if options is None else options
    own = isinstance(protocol, VelocityProtocol)
    dtype = widest_float(t, protocol if own else (), chain)
    if not callable(protocol):
        _checks.positive("velocity", protocol)
        velocity = jnp.reshape(jnp.asarray(protocol, dtype), 1)
        protocol, own = VelocityProtocol(jnp.zeros_like(velocity), velocity), True
    check_load(protocol, t)
    t, chain, initial = jnp.asarray(t, dtype), as_data(chain, dtype), as_data(initial, dtype)
    protocol = as_data(protocol, dtype, inside=True) if own else protocol
    _checks.float64("fault.simulate", dtype)
    _check_start(chain, protocol, t, initial, normal_stress)
    return _run(chain, protocol, t, initial, normal_stress, steps, patches, options)


@program
def _run(
    chain: FaultChain, protocol: Any, t: Array, initial: Any, normal_stress: Any, steps: bool,
    patches: bool, options: Options,
) -> FaultHistory:  # fmt: skip
    """`simulate` of checked arguments, all numbers arrays."""
    schedule = Schedule.of(protocol, normal_stress, t)
    start, overloaded = _start(chain, schedule, initial)
    loads = Status.first(Outcome, (overloaded, Outcome.overloaded))
    inputs = traced_inputs(protocol, t, chain).promote(Outcome).or_else(loads)
    responds = normal_stress is not None or chain.law.jumps
    motion = Chain(chain, schedule.bounds[0], responds)
    time, saved, status = integrate(
        motion, start, schedule, t, options, invalid=~inputs.ok, steps=True,
        save=Observed(motion, patches), norm=step_norm,
    )  # fmt: skip
    if not steps:
        rounding = 8 * jnp.finfo(t.dtype).eps * jnp.abs(t[-1])
        reached = t <= time[-1] + rounding
        saved = jax.tree_util.tree_map(
            lambda x: jnp.where(reached.reshape(-1, *[1] * (x.ndim - 1)), x, jnp.nan),
            between(time, saved, t),
        )
        time = t
    each = (None, None, None) if saved.patches is None else saved.patches
    finite = jnp.where(status.ok, saved.friction, 0.0)  # what was not reached is told by the solver
    return FaultHistory(
        time, saved.friction, saved.friction_integral, jnp.exp(saved.log_velocity), saved.slip,
        jnp.exp(saved.log_energy), saved.kinetic_integral, saved.work,
        chain.level(time - schedule.bounds[0]), saved.rates.friction, saved.rates.log_velocity,
        outcome(inputs, status.promote(Outcome), finite), *each,
    )  # fmt: skip


def _start(chain: FaultChain, schedule: Schedule, initial: Any) -> tuple[State, Array]:
    """The state at the start, and whether a spring cannot carry it."""
    load = schedule.load(jnp.zeros_like(schedule.bounds[0]))
    if initial is None:
        V = load.velocity * SLOWER ** jnp.arange(chain.patches, dtype=load.velocity.dtype)
        state = jax.vmap(lambda law, v: law.initial(v))(chain.law, V)
    else:
        V, state = initial
    zero, slip = jnp.zeros_like(load.time), jnp.zeros_like(V)
    stress = chain.stress(zero, V, jnp.log(state), slip, load.stress)
    plate = chain.plate_start(load.velocity, V, jnp.mean(stress), chain.tangents(stress, slip))
    start = State(jnp.log(V), jnp.log(state), slip, zero, zero, zero, plate)
    return start, chain.overloaded(stress, slip)


@program
def _first(chain: FaultChain, protocol: Any, t: Array, initial: Any, normal_stress: Any) -> Any:
    """Stresses at the start, and whether a spring cannot carry them."""
    schedule = Schedule.of(protocol, normal_stress, t)
    start, overloaded = _start(chain, schedule, initial)
    load = schedule.load(jnp.zeros_like(schedule.bounds[0]))
    V = jnp.exp(start.log_velocity)
    stress = chain.stress(jnp.zeros_like(load.time), V, start.log_state, start.slip, load.stress)
    return load.velocity, stress, overloaded


def _check_start(
    chain: FaultChain, protocol: Any, t: Array, initial: Any, normal_stress: Any
) -> None:
    """Raise for a start from which nothing can be integrated, where it is concrete."""
    n = chain.patches
    if initial is not None and any(np.shape(x) != (n,) for x in initial):
        shapes = " and ".join(str(np.shape(x)) for x in initial)
        raise ValueError(f"initial=(V, θ) must have shape ({n},) each; got {shapes}")
    if not _checks.is_concrete(chain, protocol, t, initial):
        return
    if isinstance(protocol, VelocityProtocol):
        if np.asarray(t)[-1] <= np.asarray(protocol.times)[0]:
            raise ValueError("the last sample time must lie after the start")
    velocity, stress, overloaded = _first(chain, protocol, t, initial, normal_stress)
    if initial is None and velocity == 0:
        raise ValueError(
            "the protocol starts at velocity 0, where there is no steady state; give "
            "initial=(V, θ), or start with a sliding segment"
        )
    if overloaded:
        raise ValueError(
            f"a spring starts at or past its limit: stresses {np.asarray(stress).tolist()} Pa, "
            f"limit {chain.limit}, leaf_limit {np.asarray(chain.leaf_limit).tolist()}. Raise the "
            "limits above the stress at the start, or begin with a lower one: initial=(V, θ)"
        )
