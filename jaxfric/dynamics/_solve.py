"""One call to diffrax for every simulator: tolerances, jumps, adjoint, outcome.

diffrax takes most of a second to import, so it is imported where a solve begins: a program that is
kept on disk, and whoever only reads a record, need none of it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, ArrayLike, Bool, Float, PyTree

from jaxfric._status import Status
from jaxfric._types import Number
from jaxfric.dynamics._options import Options
from jaxfric.dynamics._outcome import Outcome
from jaxfric.dynamics._schedule import Scalar, Schedule

if TYPE_CHECKING:
    import diffrax


# Beyond any schedule: τ counts segments, and no protocol has a million of them
FAR = 1e6
# The shortest run in τ: a solver needs an interval, even if the only sample is at the start
SHORTEST = 1e-3

# A vector field or what is sampled, of (τ, state, schedule)
Field = Callable[[Scalar, PyTree, Schedule], PyTree]


class Guarded(eqx.Module):
    """A vector field, and what is saved, of the state as the solver holds it.

    A solver does everything with every array of a state: with one vector there is less to trace
    and to compile, but a batch of short vectors is read in strides, up to twice as slowly.

    A member of a batch with bad parameters, `valid` False, stands still at zero: all members of a
    batch take their steps together, so that one whose rates are NaN would hold up the others until
    it had used up its steps. What was wrong with it is in its status.
    """

    field: Field
    save: Field | None
    ravel: Callable[[PyTree], PyTree]
    unravel: Callable[[PyTree], PyTree]
    valid: Bool[ArrayLike, ""]

    def __call__(self, tau: Number, y: PyTree, schedule: Schedule) -> PyTree:
        rates = self.field(jnp.asarray(tau), self.unravel(y), schedule)
        return _or_zero(self.valid, self.ravel(rates))

    def saved(self, tau: Scalar, y: PyTree, schedule: Schedule) -> PyTree:
        """What `save` makes of the state; the state itself without one."""
        return y if self.save is None else self.save(tau, self.unravel(y), schedule)


def integrate(
    field: Field,
    y0: PyTree,
    schedule: Schedule,
    t: Float[Array, " m"],
    options: Options,
    *,
    valid: Bool[ArrayLike, ""] = True,
    steps: bool = False,
    save: Field | None = None,
    norm: Callable[[PyTree], Array] | None = None,
) -> tuple[Float[Array, " samples"], PyTree, Status]:
    """Integrate dy/dτ over a schedule and sample it at the times `t` (or at the solver's steps).

    Arguments:
        field: dy/dτ of (τ, y, schedule); an `equinox.Module`, so that it can be compared.
        y0: at the start of the schedule.
        schedule: the loading.
        t: (m,), s, sorted.
        options: solver (Tsit5 if None), tolerances, adjoint.
        valid: whether the inputs are; False freezes the run, see `Guarded`.
        steps: sample at the start and the solver's own steps instead; unused places repeat the
            last one.
        save: what is sampled, of (τ, y, schedule); y itself if None.
        norm: of the error of a step; root mean square over all of y if None.

    Returns:
        (times, samples, status of the solver).
    """
    import diffrax

    start, ravel, unravel = _held(y0, options.flat)
    # A frozen run has no times worth integrating over (they may be NaN): any increasing ones do
    even = jnp.linspace(0.0, 1.0, t.shape[0], dtype=t.dtype)
    tau = jnp.where(valid, schedule.tau(t), even)
    guarded = Guarded(field=field, save=save, ravel=ravel, unravel=unravel, valid=valid)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(guarded),
        diffrax.Tsit5() if options.solver is None else options.solver,
        t0=jnp.zeros_like(tau[0]),
        t1=jnp.maximum(tau[-1], SHORTEST),
        dt0=None,
        y0=_or_zero(valid, start),
        args=schedule,
        saveat=diffrax.SaveAt(t0=steps, steps=steps, ts=None if steps else tau, fn=guarded.saved),
        stepsize_controller=_step_control(
            schedule, tau, options, None if norm is None else lambda error: norm(unravel(error))
        ),
        adjoint=diffrax.DirectAdjoint() if options.adjoint is None else options.adjoint,
        max_steps=options.max_steps,
        throw=False,  # a failure goes into the status: it must not end the rest of a batch
    )
    status = Status.first(
        Outcome,
        (solution.result == diffrax.RESULTS.successful, Outcome.successful),
        (solution.result == diffrax.RESULTS.max_steps_reached, Outcome.max_steps),
        (True, Outcome.solver),
    )
    time, values = _steps_taken(schedule, solution) if steps else (t, solution.ys)
    return time, values if save is not None else jax.vmap(unravel)(values), status


def _step_control(
    schedule: Schedule, tau: Float[Array, " m"], options: Options,
    norm: Callable[[PyTree], Array] | None,
) -> "diffrax.AbstractStepSizeController":  # fmt: skip
    """Steps by the error, that end at the jumps of the loading."""
    import diffrax
    import optimistix

    from jaxfric.dynamics._controller import FiniteController

    rtol, atol = options.tolerances(tau.dtype == jnp.float32)
    # The norm of a part of the state is for fields whose other parts follow from it, such as
    # integrals over time: they would only shorten the steps
    by_error = FiniteController(
        rtol=rtol, atol=atol, norm=optimistix.rms_norm if norm is None else norm
    )
    if not schedule.jumps.size:
        return by_error
    # A jump at the end or after it, such as those of padding, must not shorten the last step
    jumps = jnp.where(schedule.jumps < tau[-1], schedule.jumps, schedule.jumps + FAR)
    return diffrax.ClipStepSizeController(by_error, jump_ts=jumps)


def _held(
    y0: PyTree, flat: bool
) -> tuple[PyTree, Callable[[PyTree], PyTree], Callable[[PyTree], PyTree]]:
    """The state as the solver holds it, the way there and the way back."""
    if not flat:
        return y0, _same, _same
    start, unravel = ravel_pytree(y0)
    return start, _vector, unravel


def _same(y: PyTree) -> PyTree:
    return y


def _vector(y: PyTree) -> Array:
    return ravel_pytree(y)[0]


def _or_zero(valid: Bool[ArrayLike, ""], y: PyTree) -> PyTree:
    return jax.tree_util.tree_map(lambda x: jnp.where(valid, x, 0), y)


def _steps_taken(schedule: Schedule, solution: "diffrax.Solution") -> tuple[Array, PyTree]:
    """The solver's own steps; unused places repeat the last one instead of carrying inf."""
    # diffrax returns max_steps places, whatever was used, and fills the rest with inf
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
