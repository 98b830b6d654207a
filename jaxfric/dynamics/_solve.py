"""One call to diffrax for every simulator: tolerances, jumps, adjoint, outcome.

diffrax takes most of a second to import, so it is imported where a solve begins: a program that is
kept on disk, and whoever only reads a record, need none of it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, PyTree

from jaxfric._status import Status
from jaxfric.dynamics._options import Options
from jaxfric.dynamics._outcome import Outcome
from jaxfric.dynamics._schedule import Schedule

if TYPE_CHECKING:
    import diffrax


FAR = 1e6  # τ, beyond any schedule


class Guarded(eqx.Module):
    """A vector field, and what is saved, of the state as the solver holds it.

    A solver does everything with every array of a state: with one vector there is less to trace
    and to compile, but a batch of short vectors is read in strides, up to twice as slowly.
    An invalid member of a batch stands still at zero, so that it neither raises nor holds up the
    others; its status tells.
    """

    field: Callable[[Array, PyTree, Any], PyTree]
    save: Callable[[Array, PyTree, Any], PyTree] | None
    ravel: Callable[[PyTree], PyTree]
    unravel: Callable[[PyTree], PyTree]
    invalid: Bool[Array, ""] | bool

    def __call__(self, tau: Array, y: PyTree, schedule: Any) -> PyTree:
        return _or_zero(self.invalid, self.ravel(self.field(tau, self.unravel(y), schedule)))

    def saved(self, tau: Array, y: PyTree, schedule: Any) -> PyTree:
        """What `save` makes of the state; the state itself without one."""
        return y if self.save is None else self.save(tau, self.unravel(y), schedule)


def integrate(
    field: Callable[[Array, PyTree, Any], PyTree],
    y0: PyTree,
    schedule: Schedule,
    t: Float[Array, " m"],
    options: Options,
    *,
    invalid: Bool[Array, ""] | bool = False,
    steps: bool = False,
    save: Callable[[Array, PyTree, Any], PyTree] | None = None,
    norm: Callable[[PyTree], Array] | None = None,
) -> tuple[Float[Array, " samples"], PyTree, Status]:
    """Integrate dy/dτ over a schedule and sample it at the times `t` (or at the solver's steps).

    Arguments:
        field: dy/dτ of (τ, y, schedule); an `equinox.Module`, so that it can be compared.
        y0: at the start of the schedule.
        schedule: the loading.
        t: (m,), s, sorted.
        options: solver (Tsit5 if None), tolerances, adjoint.
        invalid: freezes the run, see `Guarded`.
        steps: sample at the start and the solver's own steps instead; unused places repeat the
            last one.
        save: what is sampled, of (τ, y, schedule); y itself if None.
        norm: of the error of a step; root mean square over all of y if None.

    Returns:
        (times, samples, status of the solver).
    """
    import diffrax
    import optimistix

    from jaxfric.dynamics._controller import FiniteController

    start, ravel, unravel = _held(y0, options.flat)
    even = jnp.linspace(0.0, 1.0, t.shape[0], dtype=t.dtype)
    tau = jnp.where(invalid, even, schedule.tau(t))
    rtol, atol = options.tolerances(t.dtype == jnp.float32)
    controller: Any = FiniteController(
        rtol=rtol,
        atol=atol,
        norm=optimistix.rms_norm if norm is None else lambda error: norm(unravel(error)),
    )
    if schedule.jumps.size:
        # A jump at the end or after it, such as those of padding, must not shorten the last step
        jumps = jnp.where(schedule.jumps < tau[-1], schedule.jumps, schedule.jumps + FAR)
        controller = diffrax.ClipStepSizeController(controller, jump_ts=jumps)
    guarded = Guarded(field, save, ravel, unravel, invalid)
    where: dict[str, Any] = {"t0": True, "steps": True} if steps else {"ts": tau}
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(guarded),  # type: ignore[arg-type]
        diffrax.Tsit5() if options.solver is None else options.solver,
        t0=jnp.zeros_like(tau[0]),
        t1=jnp.maximum(tau[-1], 1e-3),  # never an empty interval
        dt0=None,
        y0=_or_zero(invalid, start),
        args=schedule,
        saveat=diffrax.SaveAt(**where, fn=guarded.saved),
        stepsize_controller=controller,
        adjoint=diffrax.DirectAdjoint() if options.adjoint is None else options.adjoint,
        max_steps=options.max_steps,
        throw=False,
    )
    status = Status.first(
        Outcome,
        (solution.result == diffrax.RESULTS.successful, Outcome.successful),
        (solution.result == diffrax.RESULTS.max_steps_reached, Outcome.max_steps),
        (True, Outcome.solver),
    )
    time, values = (t, solution.ys) if not steps else _own_steps(schedule, solution)
    return time, values if save is not None else jax.vmap(unravel)(values), status


def _held(y0: PyTree, flat: bool) -> tuple[PyTree, Callable[..., Any], Callable[..., Any]]:
    """The state as the solver holds it, the way there and the way back."""
    if not flat:
        return y0, _same, _same
    start, unravel = ravel_pytree(y0)
    return start, _vector, unravel


def _same(y: PyTree) -> PyTree:
    return y


def _vector(y: PyTree) -> Array:
    return ravel_pytree(y)[0]


def _or_zero(invalid: Bool[Array, ""] | bool, y: PyTree) -> PyTree:
    return jax.tree_util.tree_map(lambda x: jnp.where(invalid, 0, x), y)


def _own_steps(schedule: Schedule, solution: "diffrax.Solution") -> tuple[Array, PyTree]:
    """The solver's own steps; unused places repeat the last one instead of carrying inf."""
    assert solution.ts is not None
    last = jnp.sum(jnp.isfinite(solution.ts)) - 1
    index = jnp.minimum(jnp.arange(solution.ts.shape[0]), last)
    time = jax.vmap(schedule.time)(solution.ts[index])
    return time, jax.tree_util.tree_map(lambda y: y[index], solution.ys)


def stiff_solver() -> "diffrax.Kvaerno5":
    """Implicit solver for stiff sliders; the default of `spring_slider` when there is mass.

    diffrax's Newton iteration calls it divergence when a correction at rounding level does not
    shrink, which in steady sliding is every step. Here corrections below a thousandth of the
    tolerance count as zero.

    Returns:
        `diffrax.Kvaerno5` with that root finder.

    Example:
        >>> print(type(stiff_solver()).__name__)
        Kvaerno5
    """
    from jaxfric.dynamics._controller import kvaerno5

    return kvaerno5()
