"""CMA-ES with a fixed budget, pure: jit it, vmap it over targets."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key, Num, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.search._evolution import Candidate, Run, evolve
from jaxfric.search._outcome import Outcome

SMALLEST_POPULATION = 4  # its better half is two candidates


class Search(eqx.Module):
    """What `minimise` returns.

    Attributes:
        best: the best candidate, of the structure of the start.
        value: its objective; inf if every value was NaN.
        evaluations: of the objective until it stopped (with restarts, summed over them).
        history: (generations,), the best value so far; of the best restart.
        step_size: the last one, in units of the start's.
        status: `no_value` if the objective never returned a number.
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
    step_size: float | Array = 0.3,
    population: int | None = None,
    generations: int = 100,
    restarts: int = 1,
    spread: float | Array = 0.0,
    goal: float | Array = -math.inf,
    smallest_step: float | Array | None = None,
) -> Search:
    """The smallest value of a function of a pytree, by evolution of a Gaussian (CMA-ES).

    Candidates m + σ N(0, C) are ranked, and m, σ, C follow the better half. A generation in which
    some values are NaN ranks those last; one in which all are changes nothing but the draw.

    Arguments:
        objective: (candidate, *args) → number. Keep it deterministic: a Monte Carlo objective
            should take its key as one of `args`, the same one at every call, or the search climbs
            the noise.
        start: a pytree of floats: where the Gaussian begins. Any guess will do; near a good one,
            a small step keeps the search.
        args: passed to the objective as they are: a target, a frozen key, a decoder.
        key: a typed key; draws the candidates.
        step_size: σ of the start: a fifth of the region in which the answer is expected.
        population: candidates a generation; 4 + 3 ln(dimensions) if left out.
        generations: the budget.
        restarts: independent searches, the best of which counts; they run as one.
        spread: deviation of the starts of all restarts but the first.
        goal: stop as soon as the best value is not above it.
        smallest_step: floor of σ; √eps of the start's if left out: below, candidates are rounded
            onto each other.

    Returns:
        `Search`. Under `jax.vmap` the batch runs until its last member has stopped.

    Raises:
        ValueError: a population below 4, no generation or restart, or (concrete) a start or step
            that is not finite.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> def valley(x, centre):
        ...     return jnp.sum((x - centre) ** 2)
        >>> found = minimise(valley, jnp.zeros(3), 0.5, key=jax.random.key(0), generations=80)
        >>> bool(found.value < 1e-6)
        True

    Source: N. Hansen, arXiv:1604.00772; evosax (R. T. Lange, arXiv:2212.04180).
    """
    # The search knows one vector; the objective is handed a pytree, built as the start is
    flat, unravel = ravel_pytree(start)
    n = flat.shape[0]
    # The default of N. Hansen, arXiv:1604.00772, table 1
    size = 4 + int(3 * math.log(max(n, 1))) if population is None else population
    _check(flat, size, generations, restarts)
    _checks.positive("step_size", step_size)
    # Everything in the dtype of the start: a loop keeps the dtypes that it begins with
    sigma = jnp.asarray(step_size).astype(flat.dtype)
    # Steps below √eps of the first would round candidates onto each other
    floor = jnp.finfo(flat.dtype).eps ** 0.5 * sigma if smallest_step is None else smallest_step

    def value(x: Candidate) -> Float[Array, ""]:
        return jnp.asarray(objective(unravel(x), *args)).astype(flat.dtype)

    def search(key: Key[Array, ""], first: Bool[Array, ""]) -> Run:
        noise_key, run_key = jax.random.split(key)
        noise = jax.random.normal(noise_key, (n,), flat.dtype)
        noise = jnp.asarray(spread).astype(flat.dtype) * noise
        return evolve(
            value,
            jnp.where(first, flat, flat + noise),
            sigma=sigma,
            floor=jnp.asarray(floor, flat.dtype),
            goal=jnp.asarray(goal, flat.dtype),
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
        step_size=run.state.std / sigma,
        status=Status.first(Outcome, (~jnp.isfinite(run.value), Outcome.no_value)),
    )


def _check(flat: Num[Array, " dimensions"], size: int, generations: int, restarts: int) -> None:
    if size < SMALLEST_POPULATION:
        raise ValueError(
            f"population must be at least {SMALLEST_POPULATION}, so that a better half has a "
            f"direction; got {size}"
        )
    if generations < 1 or restarts < 1:
        raise ValueError(
            f"generations and restarts must be at least 1; got {generations} and {restarts}"
        )
    if flat.size == 0 or not jnp.issubdtype(flat.dtype, jnp.floating):
        raise ValueError("start must hold floating-point numbers: what is to be searched?")
    if _checks.is_concrete(flat) and not np.isfinite(np.asarray(flat)).all():
        raise ValueError("start must be finite")
