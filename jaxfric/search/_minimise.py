"""CMA-ES with a fixed budget, pure: jit it, vmap it over targets."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key, PyTree

from jaxfric._status import Status
from jaxfric.search import _arguments
from jaxfric.search._evolution import Run, contracted, evolve, surrounded
from jaxfric.search._objective import of_vector
from jaxfric.search._outcome import Outcome


class Search(eqx.Module):
    """What `minimise` returns.

    Attributes:
        best: the best candidate, of the structure of the start.
        value: its objective; inf if no value was a finite number.
        evaluations: of the objective until it stopped (with restarts, summed over them). The check
            of what was found takes two more for each variable.
        history: (generations,), the best value so far; of the best restart.
        step_size: the last standard deviation of a variable over its first one; that of the
            variable for which it is largest.
        status: `successful` if the goal was reached, or if the search contracted around a minimum
            (see `minimise`); else `stagnated`. `no_value`, `unbounded` and `bad_start`
            tell of what the objective returned, or of what the search was given.
    """

    best: PyTree
    value: Float[Array, ""]
    evaluations: Int[Array, ""]
    history: Float[Array, " generations"]
    step_size: Float[Array, ""]
    status: Status

    def __repr__(self) -> str:
        leaves = jax.tree_util.tree_leaves(self)
        if any(isinstance(x, jax.core.Tracer) for x in leaves):
            return "Search(traced)"
        try:
            return self._summary()
        except Exception:  # placeholders in place of numbers; a `repr` must never raise
            return eqx.tree_pformat(self)

    __str__ = __repr__

    def _summary(self) -> str:
        value, evaluations = np.asarray(self.value), np.asarray(self.evaluations)
        if value.ndim:
            found = value[np.isfinite(value)]
            values = f"{found.min():.6g} to {found.max():.6g}" if found.size else "not finite"
            return (
                f"{value.size} searches: values {values} after up to {evaluations.max()} "
                f"evaluations, {self.status}"
            )
        return f"Search: value {value:.6g} after {evaluations} evaluations, {self.status}"


def minimise(
    objective: Callable[..., ArrayLike],
    start: PyTree,
    *args: PyTree,
    key: Key[Array, ""],
    step_size: PyTree = 0.3,
    population: int | None = None,
    generations: int = 100,
    restarts: int = 1,
    spread: PyTree = 0.0,
    goal: float | Array = -math.inf,
    smallest_step: PyTree = None,
) -> Search:
    """The smallest value of a function of a pytree, by evolution of a Gaussian (CMA-ES).

    Candidates m + σ N(0, C) are ranked, and m, σ, C follow the better half. Values that are not
    finite, −∞ among them, rank last; a generation of nothing else changes nothing but the draw.

    The status is `successful` where the goal was reached, or where, after the last generation,

    1. the standard deviation of every variable is at most ε^(1/4) of its first one (1.2e-4 in
       float64, 0.019 in float32): a parabola's minimum is then met to √ε of its rise over the
       first step;
    2. no direction is too narrow for the digits of C (a condition of 1/ε in the best units);
    3. at best ± step_size, one variable at a time, no value is less than the best one, and on
       one side of it at least the value is greater.

    Otherwise it is `stagnated`: whatever the value is, nothing says that it is a minimum. So end a
    budget that was too small, a plateau, and a variable without effect.

    Arguments:
        objective: (candidate, *args) → number, of `jax.numpy`. Keep it deterministic: a Monte
            Carlo objective should take its key as one of `args`, the same one at every call, or
            the search climbs the noise.
        start: a pytree of floats: where the Gaussian begins. Any guess will do; near a good one,
            a small step keeps the search.
        args: passed to the objective as they are: a target, a frozen key, a decoder.
        key: a typed key; draws the candidates.
        step_size: standard deviation of the first candidates: a fifth of the region in which the
            answer is expected. One number, or a pytree of the start's structure with a number or
            an array for each leaf, where the scales of the variables differ.
        population: candidates a generation; 4 + 3 ln(dimensions) if left out.
        generations: the budget.
        restarts: independent searches, the best of which counts; they run as one.
        spread: deviation of the starts of all restarts but the first, of the form of `step_size`.
        goal: stop as soon as the best value is not above it.
        smallest_step: floor of σ, of the form of `step_size`; √ε of it if left out: below,
            candidates are rounded onto each other.

    Returns:
        `Search`. Under `jax.vmap` the batch runs until its last member has stopped.

    Raises:
        ValueError: an objective that JAX cannot trace or that returns anything but one real
            number; a population below 4, no generation or restart; or (concrete) a start, step,
            spread or goal that cannot be searched with.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> def valley(x, centre):
        ...     return jnp.sum((x - centre) ** 2)
        >>> found = minimise(valley, jnp.zeros(3), 0.5, key=jax.random.key(0), generations=150)
        >>> bool(found.value < 1e-6), str(found.status)
        (True, 'successful')

    Source: N. Hansen, arXiv:1604.00772; evosax (R. T. Lange, arXiv:2212.04180).
    """
    _arguments.check_start(start)
    _arguments.check_goal(goal)
    # The search knows one vector; the objective is handed a pytree, built as the start is
    flat, unravel = ravel_pytree(start)
    n = flat.shape[0]
    # The default of N. Hansen, arXiv:1604.00772, table 1
    size = 4 + int(3 * math.log(n)) if population is None else population
    _arguments.check_counts(population=size, generations=generations, restarts=restarts)
    # Everything in the dtype of the start: a loop keeps the dtypes that it begins with
    step = _arguments.first_step(step_size, smallest_step, start)
    scatter = _arguments.laid_out("spread", spread, start, zero=True)
    wanted = jnp.asarray(goal).astype(flat.dtype)
    value = of_vector(objective, unravel, args, flat.dtype)

    def search(key: Key[Array, ""], first: Bool[Array, ""]) -> Run:
        noise_key, run_key = jax.random.split(key)
        noise = scatter * jax.random.normal(noise_key, (n,), flat.dtype)
        return evolve(
            value,
            jnp.where(first, flat, flat + noise),
            step,
            goal=wanted,
            key=run_key,
            size=size,
            generations=generations,
        )

    # All restarts run as one program; the first begins at the start itself, whatever the spread
    runs = jax.vmap(search)(jax.random.split(key, restarts), jnp.arange(restarts) == 0)
    # `value` is never NaN (a NaN ranks as ∞), so argmin finds the best even if restarts failed
    chosen = jnp.argmin(runs.value)
    run = jax.tree_util.tree_map(lambda x: x[chosen], runs)
    return Search(
        best=unravel(run.best),
        value=run.value,
        evaluations=size * jnp.sum(runs.generation),
        history=run.history,
        step_size=jnp.max(run.gaussian.deviation / step.vector),
        status=_status(runs, run, step, _arguments.usable(flat, step, scatter, wanted)),
    )


def _status(
    runs: Run, run: Run, step: _arguments.FirstStep, usable: Bool[Array, ""]
) -> Status:  # fmt: skip
    """The outcome of the chosen run; −∞ counts from whichever run of the restarts it came."""
    successful = run.reached | (contracted(run, step.vector) & surrounded(run))
    return Status.first(
        Outcome,
        (~usable, Outcome.bad_start),
        (jnp.any(runs.unbounded), Outcome.unbounded),
        (~jnp.isfinite(run.value), Outcome.no_value),
        (~successful, Outcome.stagnated),
    )
