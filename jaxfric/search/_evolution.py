"""The generations of a search by CMA-ES, as one loop on the device."""

from collections.abc import Callable
from functools import cache
from typing import Protocol, TypeVar, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key, PyTree

Tree = TypeVar("Tree")
Candidate = Float[Array, " dimensions"]


class Run(eqx.Module):
    """A search between two generations."""

    state: PyTree  # of evosax: mean, step, covariance, paths
    best: Candidate
    value: Float[Array, ""]
    generation: Int[Array, ""]
    stopped: Bool[Array, ""]
    history: Float[Array, " generations"]


@runtime_checkable
class Strategy(Protocol):
    """What is used of an algorithm of evosax; its states and parameters are pytrees of its own."""

    @property
    def default_params(self) -> PyTree: ...

    def init(self, key: Array, mean: Array, params: PyTree) -> PyTree: ...

    def ask(self, key: Array, state: PyTree, params: PyTree) -> tuple[Array, PyTree]: ...

    def tell(
        self, key: Array, population: Array, fitness: Array, state: PyTree, params: PyTree
    ) -> tuple[PyTree, PyTree]: ...


@cache
def _strategy(size: int, n: int, dtype: np.dtype) -> Strategy:
    """One object for each size: evosax compiles anew for every object."""
    from evosax.algorithms import CMA_ES

    with jax.ensure_compile_time_eval():  # it keeps arrays, and outlives the trace
        return CMA_ES(population_size=size, solution=np.zeros(n, dtype))


def evolve(
    value: Callable[[Candidate], Float[Array, ""]],
    start: Candidate,
    *,
    sigma: Float[Array, ""],
    floor: Float[Array, ""],
    goal: Float[Array, ""],
    key: Key[Array, ""],
    size: int,
    generations: int,
) -> Run:
    """Generations of candidates m + σ N(0, C) until the budget is spent or the goal is reached."""
    strategy = _strategy(size, start.shape[0], start.dtype)
    # The step may not fall below the floor: candidates that are rounded onto each other have equal
    # values, whose ranks would tell no direction
    params = strategy.default_params.replace(std_init=sigma, std_min=floor)
    params = _cast(params, start.dtype)
    state = _cast(strategy.init(key, start, params), start.dtype)

    def generation(run: Run) -> Run:
        # A key for each generation from its number, so that a search is the same in any batch
        draw = jax.random.fold_in(key, run.generation)
        candidates, asked = strategy.ask(draw, run.state, params)
        values = jax.vmap(value)(candidates)
        bad = jnp.isnan(values)
        told, _ = strategy.tell(draw, candidates, _graded(values, candidates, asked), asked, params)
        # Nothing to learn from a generation without a value
        state = jax.tree_util.tree_map(
            lambda new, old: jnp.where(jnp.all(bad), old, new), _cast(told, start.dtype), run.state
        )
        # The best of all generations is kept, as the mean may wander away from it
        values = jnp.where(bad, jnp.inf, values)
        i = jnp.argmin(values)
        better = values[i] < run.value
        least = jnp.where(better, values[i], run.value)
        return Run(
            state=state,
            best=jnp.where(better, candidates[i], run.best),
            value=least,
            generation=run.generation + 1,
            stopped=least <= goal,
            history=run.history.at[run.generation].set(least),
        )

    def unfinished(run: Run) -> Bool[Array, ""]:
        return (run.generation < generations) & ~run.stopped

    run = jax.lax.while_loop(unfinished, generation, _before_the_first(state, start, generations))
    # A history has the length of the budget; where the search stopped early, its last value stays
    after = jnp.arange(generations) >= run.generation
    return eqx.tree_at(lambda r: r.history, run, jnp.where(after, run.value, run.history))


def _before_the_first(state: PyTree, start: Candidate, generations: int) -> Run:
    """Nothing is known yet: the start itself is not evaluated."""
    return Run(
        state=state,
        best=start,
        value=jnp.full((), jnp.inf, start.dtype),
        generation=jnp.zeros((), jnp.int32),
        stopped=jnp.zeros((), bool),
        history=jnp.full((generations,), jnp.inf, start.dtype),
    )


def _graded(
    values: Float[Array, " size"], candidates: Float[Array, "size dimensions"], state: PyTree
) -> Float[Array, " size"]:
    """Failed candidates rank behind all others, the farther from the mean the worse.

    Ranks that are equal would shrink the step for no reason.
    """
    bad = ~jnp.isfinite(values)
    worst = jnp.max(jnp.where(bad, -jnp.inf, values))
    # Where all failed, the maximum is −∞; any finite number will do to grade from
    worst = jnp.where(jnp.isfinite(worst), worst, 0.0)
    # Squared distance from the mean in units of σ: always positive, so worst + scale is passed
    distance = jnp.sum(((candidates - state.mean) / state.std) ** 2, -1)
    # At least as large as the values are, or the grades would be rounded onto the worst one
    scale = jnp.maximum(jnp.abs(worst), 1.0)
    return jnp.where(bad, worst + scale * (1 + distance), values)


def _cast(tree: Tree, dtype: np.dtype) -> Tree:
    """evosax makes default floats and weak types, which a loop carries no further."""

    def one(x: ArrayLike) -> Array:
        x = jnp.asarray(x)
        if jnp.issubdtype(x.dtype, jnp.floating):
            return x.astype(dtype)
        return x.astype(jnp.int32) if jnp.issubdtype(x.dtype, jnp.integer) else x

    return jax.tree_util.tree_map(one, tree)
