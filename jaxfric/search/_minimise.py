"""CMA-ES with a fixed budget, pure: jit it, vmap it over targets."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, Key, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.search._outcome import Outcome

SMALLEST_POPULATION = 4


class Search(eqx.Module):
    """What `minimise` returns.

    Attributes:
        best: the best candidate, of the structure of the start.
        value: its objective; inf if every value was NaN.
        evaluations: of the objective until it stopped (with restarts, summed over them).
        history: (generations,), the best value so far; of the best restart.
        step_size: the last one, in units of the start's.
        status: `NO_VALUE` if the objective never returned a number.
    """

    best: PyTree
    value: Float[Array, ""]
    evaluations: Int[Array, ""]
    history: Float[Array, " generations"]
    step_size: Float[Array, ""]
    status: Status

    def __str__(self) -> str:
        if isinstance(self.value, jax.core.Tracer):
            return "Search(traced)"
        if np.ndim(self.value):
            return f"{self.value.shape[0]} searches, values {np.asarray(self.value)}; {self.status}"
        return (
            f"Search: value {float(self.value):.6g} after {int(self.evaluations)} evaluations, "
            f"{self.status}"
        )


class _Run(eqx.Module):
    state: Any
    best: Array
    value: Array
    generation: Array
    stopped: Array
    history: Array


def minimise(
    objective: Callable[..., Any],
    start: PyTree,
    *args: Any,
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
        start: a pytree of floats: where the Gaussian begins. Any guess will do; put it last if it
            is good, with a small step.
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
    flat, unravel = ravel_pytree(start)
    n = flat.shape[0]
    size = 4 + int(3 * math.log(max(n, 1))) if population is None else population
    if size < SMALLEST_POPULATION:
        raise ValueError(
            f"population must be at least {SMALLEST_POPULATION}, so that a better half has a "
            f"direction; got {size}"
        )
    if generations < 1 or restarts < 1:
        raise ValueError(
            f"generations and restarts must be at least 1; got {generations} and {restarts}"
        )
    if n == 0 or not jnp.issubdtype(flat.dtype, jnp.floating):
        raise ValueError("start must hold floating-point numbers: what is to be searched?")
    if _checks.is_concrete(flat) and not np.isfinite(np.asarray(flat)).all():
        raise ValueError("start must be finite")
    _checks.positive("step_size", step_size)
    sigma = jnp.asarray(step_size).astype(flat.dtype)
    floor = jnp.finfo(flat.dtype).eps ** 0.5 * sigma if smallest_step is None else smallest_step

    def value(x: Array) -> Array:
        return jnp.asarray(objective(unravel(x), *args)).astype(flat.dtype)

    def search(key: Array, first: Array) -> _Run:
        begin, run = jax.random.split(key)
        noise = jnp.asarray(spread).astype(flat.dtype) * jax.random.normal(begin, (n,), flat.dtype)
        return _evolve(
            value, jnp.where(first, flat, flat + noise), sigma, jnp.asarray(floor, flat.dtype),
            jnp.asarray(goal, flat.dtype), run, size, generations,
        )  # fmt: skip

    runs = jax.vmap(search)(jax.random.split(key, restarts), jnp.arange(restarts) == 0)
    chosen = jnp.argmin(runs.value)
    run = jax.tree_util.tree_map(lambda x: x[chosen], runs)
    return Search(
        unravel(run.best), run.value, size * jnp.sum(runs.generation), run.history,
        run.state.std / sigma, Status.first(Outcome, (~jnp.isfinite(run.value), Outcome.no_value)),
    )  # fmt: skip


@cache
def _strategy(size: int, n: int, dtype: Any) -> Any:
    """One object for each size: evosax compiles anew for every object."""
    from evosax.algorithms import CMA_ES

    with jax.ensure_compile_time_eval():  # it keeps arrays, and outlives the trace
        return CMA_ES(population_size=size, solution=np.zeros(n, dtype))


def _evolve(  # type: ignore[no-untyped-def]
    value, start: Array, sigma: Array, floor: Array, goal: Array, key: Array, size: int,
    generations: int,
) -> _Run:  # fmt: skip
    strategy = _strategy(size, start.shape[0], start.dtype)
    params = strategy.default_params.replace(std_init=sigma, std_min=floor)
    params = _cast(params, start.dtype)
    state = _cast(strategy.init(key, start, params), start.dtype)
    worst = jnp.full((), jnp.inf, start.dtype)

    def generation(run: _Run) -> _Run:
        draw = jax.random.fold_in(key, run.generation)
        candidates, asked = strategy.ask(draw, run.state, params)
        values = jax.vmap(value)(candidates)
        bad = jnp.isnan(values)
        told, _ = strategy.tell(draw, candidates, _graded(values, candidates, asked), asked, params)
        # Nothing to learn from a generation without a value
        state = jax.tree_util.tree_map(
            lambda new, old: jnp.where(jnp.all(bad), old, new), _cast(told, start.dtype), run.state
        )
        values = jnp.where(bad, jnp.inf, values)
        i = jnp.argmin(values)
        better = values[i] < run.value
        best = jnp.where(better, candidates[i], run.best)
        low = jnp.where(better, values[i], run.value)
        return _Run(
            state, best, low, run.generation + 1, low <= goal,
            run.history.at[run.generation].set(low),
        )  # fmt: skip

    def unfinished(run: _Run) -> Array:
        return (run.generation < generations) & ~run.stopped

    history = jnp.full((generations,), jnp.inf, start.dtype)
    zero = jnp.zeros((), jnp.int32)
    run = jax.lax.while_loop(
        unfinished, generation, _Run(state, start, worst, zero, jnp.zeros((), bool), history)
    )
    after = jnp.arange(generations) >= run.generation
    return eqx.tree_at(lambda r: r.history, run, jnp.where(after, run.value, run.history))


def _graded(values: Array, candidates: Array, state: Any) -> Array:
    """Failed candidates rank behind all others, the farther from the mean the worse.

    Ranks that are equal would shrink the step for no reason.
    """
    bad = ~jnp.isfinite(values)
    worst = jnp.max(jnp.where(bad, -jnp.inf, values))
    worst = jnp.where(jnp.isfinite(worst), worst, 0.0)
    distance = jnp.sum(((candidates - state.mean) / state.std) ** 2, -1)
    scale = jnp.maximum(jnp.abs(worst), 1.0)
    return jnp.where(bad, worst + scale * (1 + distance), values)


def _cast(tree: Any, dtype: Any) -> Any:
    """evosax makes default floats and weak types, which a loop carries no further."""

    def one(x: Any) -> Array:
        x = jnp.asarray(x)
        if jnp.issubdtype(x.dtype, jnp.floating):
            return x.astype(dtype)
        return x.astype(jnp.int32) if jnp.issubdtype(x.dtype, jnp.integer) else x

    return jax.tree_util.tree_map(one, tree)
