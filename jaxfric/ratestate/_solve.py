"""One call to diffrax for both simulators: tolerances, jumps, adjoint, outcome."""

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.ratestate._controller import FiniteController
from jaxfric.ratestate._law import RateStateLaw
from jaxfric.ratestate._protocol import VelocityProtocol
from jaxfric.ratestate._schedule import Schedule
from jaxfric.ratestate._types import Number


class Options(eqx.Module):
    """How to integrate; the defaults pass gradient checks to 1e-5.

    Arguments:
        solver: any diffrax solver of ordinary differential equations.
        rtol: relative tolerance of a step, may be traced; None takes 1e-8 (float32: 1e-6).
        atol: absolute tolerance of a step, likewise; None takes 1e-10 (float32: 1e-7).
        max_steps: the most steps before the run ends with the status that says so.
        adjoint: a diffrax adjoint. `DirectAdjoint` differentiates in forward and reverse mode;
            `RecursiveCheckpointAdjoint` saves memory in reverse mode only; `ForwardMode` is the
            fastest for a few parameters.
    """

    solver: diffrax.AbstractSolver
    rtol: Number | None = None
    atol: Number | None = None
    max_steps: int = eqx.field(static=True, default=65536)
    adjoint: diffrax.AbstractAdjoint = diffrax.DirectAdjoint()


def integrate(
    field: Callable[[Array, PyTree, Any], PyTree],
    y0: PyTree,
    schedule: Schedule,
    t: Float[Array, " m"],
    options: Options,
    invalid: Bool[Array, ""] | bool = False,
    steps: bool = False,
) -> tuple[Float[Array, " samples"], PyTree, Status]:
    """Integrate dy/dτ over a schedule and sample it at the times `t` (or at the solver's steps).

    An invalid member of a batch stands still at zero, so that it neither raises nor holds up the
    others; its status tells.
    """
    even = jnp.linspace(0.0, 1.0, t.shape[0], dtype=t.dtype)
    tau = jnp.where(invalid, even, schedule.tau(t))
    y0 = jax.tree_util.tree_map(lambda x: jnp.where(invalid, 0, x), y0)

    def guarded(tau: Array, y: PyTree, args: Any) -> PyTree:
        return jax.tree_util.tree_map(lambda x: jnp.where(invalid, 0, x), field(tau, y, args))

    single = t.dtype == jnp.float32
    tolerance = FiniteController(
        rtol=(1e-6 if single else 1e-8) if options.rtol is None else options.rtol,
        atol=(1e-7 if single else 1e-10) if options.atol is None else options.atol,
    )
    jumps = schedule.jumps
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(guarded),  # type: ignore[arg-type]
        options.solver,
        t0=jnp.zeros_like(tau[0]),
        t1=jnp.maximum(tau[-1], 1e-3),  # never an empty interval
        dt0=None,
        y0=y0,
        args=schedule,
        saveat=diffrax.SaveAt(t0=True, steps=True) if steps else diffrax.SaveAt(ts=tau),
        stepsize_controller=(
            diffrax.ClipStepSizeController(tolerance, jump_ts=jumps) if jumps.size else tolerance
        ),
        adjoint=options.adjoint,
        max_steps=options.max_steps,
        throw=False,
    )
    status = _status(solution.result)
    assert solution.ts is not None
    if not steps:
        return t, solution.ys, status
    return (*_pad_steps(schedule, solution), status)


def _pad_steps(schedule: Schedule, solution: diffrax.Solution) -> tuple[Array, PyTree]:
    """The solver's own steps; unused places repeat the last one instead of carrying inf."""
    assert solution.ts is not None
    last = jnp.sum(jnp.isfinite(solution.ts)) - 1
    index = jnp.minimum(jnp.arange(solution.ts.shape[0]), last)
    tau = solution.ts[index]
    k = jax.vmap(schedule.segment)(tau)
    length = schedule.bounds[k + 1] - schedule.bounds[k]
    time = schedule.bounds[k] + (tau - k.astype(tau.dtype)) * length
    return time, jax.tree_util.tree_map(lambda y: y[index], solution.ys)


def _status(result: Any) -> Status:
    return Status.first(
        (result == diffrax.RESULTS.successful, Status.SUCCESSFUL),
        (result == diffrax.RESULTS.max_steps_reached, Status.MAX_STEPS),
        (True, Status.SOLVER),
    )


def check_run(law: Any, velocity: Any, t: Any, *others: Any) -> None:
    """Raise for a batch, samples that are not sorted, or samples outside the protocol."""
    own = [law] if isinstance(law, RateStateLaw) else []
    for x in jax.tree_util.tree_leaves((own, others), is_leaf=callable):
        if not callable(x):
            _checks.scalar("each parameter of the law and the spring", x)
    _checks.vector("t", t)
    if isinstance(velocity, VelocityProtocol):
        _checks.vector("protocol times", velocity.times)
        _checks.vector("protocol velocities", velocity.velocities)
    elif not callable(velocity):
        raise ValueError(
            "the load must be a VelocityProtocol or a function of time V(t); got "
            f"{type(velocity).__name__}"
        )
    if not _checks.is_concrete(t):
        return
    samples = np.asarray(t)
    if not np.all(np.isfinite(samples)) or np.any(np.diff(samples) < 0):
        raise ValueError("sample times t must be finite and sorted")
    if isinstance(velocity, VelocityProtocol) and _checks.is_concrete(velocity.times):
        start = np.asarray(velocity.times)[0]
        if samples[0] < start:
            raise ValueError(
                f"sample time t[0] = {samples[0]} s lies before the protocol's start, "
                f"{start} s; samples must not precede times[0]"
            )


def check_traced(law: Any, velocity: Any, t: Float[Array, " m"], *others: Any) -> Status:
    """The same for traced values, and what makes parameters and protocols invalid."""
    unsorted = ~jnp.all(t[1:] >= t[:-1]) | ~jnp.all(jnp.isfinite(t))
    if isinstance(velocity, VelocityProtocol):
        unsorted = unsorted | (t[0] < velocity.times[0])
    return Status.first(
        *((getattr(x, "invalid", False), Status.BAD_PARAMETER) for x in (law, *others)),
        (getattr(velocity, "invalid", False), Status.BAD_PROTOCOL),
        (unsorted, Status.BAD_TIME),
    )


def outcome(inputs: Status, solver: Status, friction: Float[Array, " m"]) -> Status:
    """What was wrong first: the inputs, the solver, or the values."""
    return Status.first(
        (~inputs.ok, inputs.code),
        (~solver.ok, solver.code),
        (~jnp.all(jnp.isfinite(friction)), Status.NOT_FINITE),
    )
