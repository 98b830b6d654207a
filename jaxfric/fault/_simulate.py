"""Integrating a chain: bulk friction, kinetic energy, slip."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.dynamics import (
    FloatType,
    LoadStress,
    LoadVelocity,
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
from jaxfric.fault._chain import FaultChain, PerPatch
from jaxfric.fault._history import FaultHistory
from jaxfric.fault._motion import Chain, Observed, Sample, State, between, step_norm
from jaxfric.fault._outcome import Outcome
from jaxfric.fault._plate import Scalar, plate_start
from jaxfric.programs import program

# Velocity of each patch at the start over that of the one before: equal patches that begin alike
# would move as one for ever
SLOWER = 0.9

# (V, θ) of every patch
Initial = tuple[PerPatch, PerPatch]


def simulate(
    chain: FaultChain,
    protocol: LoadVelocity | Number,
    t: Vector,
    *,
    initial: tuple[Vector, Vector] | None = None,
    normal_stress: LoadStress | None = None,
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
    # A function of time keeps its arrays, whose dtype says nothing about the run
    arrays = protocol if isinstance(protocol, VelocityProtocol) else ()
    dtype = widest_float(t, arrays, chain)
    load = protocol if callable(protocol) else _constant(protocol, dtype)
    check_load(load, t)
    t, chain, initial = jnp.asarray(t, dtype), as_data(chain, dtype), as_data(initial, dtype)
    if isinstance(load, VelocityProtocol):
        load = as_data(load, dtype, inside=True)
    _checks.float64("fault.simulate", dtype)
    _check_start(chain, load, t, initial, normal_stress)
    return _run(chain, load, t, initial, normal_stress, steps, patches, options)


def _constant(velocity: Number, dtype: FloatType) -> VelocityProtocol:
    """One velocity from t = 0 on."""
    _checks.positive("velocity", velocity)
    velocities = jnp.reshape(jnp.asarray(velocity, dtype), 1)
    return VelocityProtocol(jnp.zeros_like(velocities), velocities)


@program
def _run(
    chain: FaultChain, protocol: LoadVelocity, t: Array, initial: Initial | None,
    normal_stress: LoadStress | None, steps: bool, patches: bool, options: Options,
) -> FaultHistory:  # fmt: skip
    """`simulate` of checked arguments, all numbers arrays."""
    schedule = Schedule.of(protocol, normal_stress, t)
    start = _start(chain, schedule, initial)
    loads = Status.first(Outcome, (start.overloaded, Outcome.overloaded))
    inputs = traced_inputs(protocol, t, chain).promote(Outcome).or_else(loads)
    responds = normal_stress is not None or chain.law.jumps
    motion = Chain(chain, schedule.bounds[0], responds)
    # At the solver's own steps, even for given times: `between` then interpolates each quantity by
    # what it does within a step, cubics for logarithms and exponentials for integrals
    time, saved, status = integrate(
        motion, start.state, schedule, t, options, valid=inputs.ok, steps=True,
        save=Observed(motion, patches), norm=step_norm,
    )  # fmt: skip
    if not steps:
        time, saved = t, _at_times(time, saved, t)
    finite = jnp.where(status.ok, saved.friction, 0.0)  # what was not reached is told by the solver
    of_patches = saved.patches
    return FaultHistory(
        time=time,
        friction=saved.friction,
        friction_integral=saved.friction_integral,
        velocity=jnp.exp(saved.log_velocity),
        slip=saved.slip,
        kinetic_energy=jnp.exp(saved.log_energy),
        kinetic_integral=saved.kinetic_integral,
        work=saved.work,
        level=chain.level(time - schedule.bounds[0]),
        friction_rate=saved.rates.friction,
        log_velocity_rate=saved.rates.log_velocity,
        status=outcome(inputs, status.promote(Outcome), finite),
        patch_velocity=None if of_patches is None else of_patches.velocity,
        patch_slip=None if of_patches is None else of_patches.slip,
        patch_stress=None if of_patches is None else of_patches.stress,
    )


def _at_times(time: Array, saved: Sample, t: Array) -> Sample:
    """Samples at the times `t`; NaN where the run did not get."""
    # The last step ends at t[-1] but for rounding
    rounding = 8 * jnp.finfo(t.dtype).eps * jnp.abs(t[-1])
    reached = t <= time[-1] + rounding
    return jax.tree_util.tree_map(
        lambda x: jnp.where(reached.reshape(-1, *[1] * (x.ndim - 1)), x, jnp.nan),
        between(time, saved, t),
    )


class Start(NamedTuple):
    """Where a run begins."""

    state: State
    load: Scalar  # velocity of the load point, m/s
    stress: PerPatch  # τ_i, Pa
    overloaded: Bool[Array, ""]  # whether a spring cannot carry them


def _start(chain: FaultChain, schedule: Schedule, initial: Initial | None) -> Start:
    """The state at the start, the springs in balance with it."""
    load = schedule.load(jnp.zeros_like(schedule.bounds[0]))
    if initial is None:
        V = load.velocity * SLOWER ** jnp.arange(chain.patches, dtype=load.velocity.dtype)
        state = jax.vmap(lambda law, v: law.initial(v))(chain.law, V)
    else:
        V, state = initial
    zero, slip = jnp.zeros_like(load.time), jnp.zeros_like(V)
    stress = chain.stress(zero, V, jnp.log(state), slip, load.stress)
    leaves = chain.tangents(stress, slip)
    start = State(
        log_velocity=jnp.log(V),
        log_state=jnp.log(state),
        slip=slip,
        friction_integral=zero,
        kinetic_integral=zero,
        work=zero,
        plate=plate_start(chain, load.velocity, V, jnp.mean(stress), leaves),
    )
    return Start(start, load.velocity, stress, chain.overloaded(stress, slip))


@program
def _first(
    chain: FaultChain, protocol: LoadVelocity, t: Array, initial: Initial | None,
    normal_stress: LoadStress | None,
) -> tuple[Scalar, PerPatch, Bool[Array, ""]]:  # fmt: skip
    """Velocity of the load and stresses at the start, and whether a spring cannot carry them."""
    start = _start(chain, Schedule.of(protocol, normal_stress, t), initial)
    return start.load, start.stress, start.overloaded


def _check_start(
    chain: FaultChain, protocol: LoadVelocity, t: Array, initial: tuple[Vector, Vector] | None,
    normal_stress: LoadStress | None,
) -> None:  # fmt: skip
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
