"""The generations of a search by CMA-ES, and the check of what it found, as one loop."""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from jaxfric.search._arguments import FirstStep
from jaxfric.search._strategy import Candidate, Evolution, Gaussian, Population, Tree, Values


class Run(eqx.Module):
    """A search between two generations."""

    gaussian: Gaussian
    best: Candidate
    value: Float[Array, ""]
    generation: Int[Array, ""]  # those of the check at the end are counted on
    reached: Bool[Array, ""]  # the goal
    unbounded: Bool[Array, ""]  # a value was −∞
    history: Float[Array, " generations"]
    neighbours: Float[Array, " checks"]  # values at a step from the best, variable by variable


def evolve(
    value: Callable[[Candidate], Float[Array, ""]],
    start: Candidate,
    step: FirstStep,
    *,
    goal: Float[Array, ""],
    key: Key[Array, ""],
    size: int,
    generations: int,
) -> Run:
    """Generations until the budget is spent or the goal is reached; else, the best is checked.

    Arguments:
        value: the objective of one candidate.
        start: mean of the first generation.
        step: of the first generation, and of the check.
        goal: of the value.
        key: draws the candidates.
        size: candidates a generation.
        generations: the budget.
    """
    n = start.shape[0]
    evolution = Evolution(size, n, step.sigma, step.floor)
    checks = -(-2 * n // size)

    def generation(run: Run) -> Run:
        # A key for each generation from its number, so that a search is the same in any batch
        draw = jax.random.fold_in(key, run.generation)
        drawn, asked = evolution.ask(draw, run.gaussian)
        # The check is made in generations of the same loop: the objective is compiled once
        check = run.generation - generations
        around = _around(run.best, step.vector, size, jnp.maximum(check, 0))
        candidates = jnp.where(check >= 0, around, drawn * asked.unit)
        values = jax.vmap(value)(candidates)
        told = evolution.tell(draw, drawn, values, asked)
        learned = _learned(run, told, candidates, values, goal)
        neighbours = jax.lax.dynamic_update_slice(run.neighbours, values, (check * size,))
        noted = replace(run, neighbours=neighbours, generation=run.generation + 1)
        return _where(check >= 0, noted, learned)

    def unfinished(run: Run) -> Bool[Array, ""]:
        return (run.generation < generations + checks) & ~run.reached

    first = Run(
        gaussian=evolution.begin(key, start, step.unit, step.vector / (step.sigma * step.unit)),
        best=start,  # it is not evaluated
        value=jnp.full((), jnp.inf, start.dtype),
        generation=jnp.zeros((), jnp.int32),
        reached=jnp.zeros((), bool),
        unbounded=jnp.zeros((), bool),
        history=jnp.full((generations,), jnp.inf, start.dtype),
        neighbours=jnp.full((checks * size,), jnp.nan, start.dtype),
    )
    run = jax.lax.while_loop(unfinished, generation, first)
    # A history has the length of the budget; where the search stopped early, its last value stays
    after = jnp.arange(generations) >= run.generation
    history = jnp.where(after, run.value, run.history)
    return replace(run, history=history, generation=jnp.minimum(run.generation, generations))


def _learned(
    run: Run, told: Gaussian, candidates: Population, values: Values, goal: Float[Array, ""]
) -> Run:
    """The search after a generation."""
    # Nothing to learn from a generation without a value, or with one value for all: ranks that are
    # equal tell no direction, and would shrink the step for no reason
    nothing = ~jnp.any(jnp.isfinite(values)) | (jnp.max(values) == jnp.min(values))
    # The best of all generations is kept, as the mean may wander away from it. −∞ is none: what
    # divides by zero or takes the logarithm of it would be the answer
    finite = jnp.where(jnp.isfinite(values), values, jnp.inf)
    i = jnp.argmin(finite)
    better = finite[i] < run.value
    least = jnp.where(better, finite[i], run.value)
    return Run(
        gaussian=_where(nothing, run.gaussian, told),
        best=jnp.where(better, candidates[i], run.best),
        value=least,
        generation=run.generation + 1,
        reached=least <= goal,
        unbounded=run.unbounded | jnp.any(jnp.isneginf(values)),
        history=run.history.at[run.generation].set(least, mode="drop"),
        neighbours=run.neighbours,
    )


def contracted(run: Run, step: Candidate) -> Bool[Array, ""]:
    """Whether every variable is known much better than at the start.

    The standard deviation of each is at most ε^(1/4) of its first one: a minimum that is a parabola
    is then met to √ε of the rise over the first step, half of the digits that values have. And C
    is within the digits of its numbers: where a direction is too narrow for them, steps shrink
    although the search is held up.
    """
    narrow = run.gaussian.deviation <= jnp.finfo(step.dtype).eps ** 0.25 * step
    return jnp.all(narrow) & ~run.gaussian.limited


def surrounded(run: Run) -> Bool[Array, ""]:
    """Whether no value beside the best is less, and one of each variable's two is greater.

    Steps that shrank for another reason than a minimum (a plateau, rounding, a step that was too
    small to see a slope) are found out by a first step either way, one variable at a time.
    """
    n = run.best.shape[0]
    # Where the objective has no value there is nothing better; −∞ is no value either
    beside = run.neighbours[: 2 * n].reshape(2, n)
    rise = jnp.where(jnp.isfinite(beside), beside, jnp.inf) - run.value
    return jnp.all(rise >= 0) & jnp.all(jnp.any(rise > 0, 0))


def _around(best: Candidate, step: Candidate, size: int, check: Int[Array, ""]) -> Population:
    """The candidates of one generation of the check: best + step, then best − step, by variable."""
    n = best.shape[0]
    i = check * size + jnp.arange(size)
    sign = jnp.where(i < n, 1, -1).astype(best.dtype)
    # The last generation may have places to spare, which are filled with the first variables again
    return best + jnp.where(jnp.arange(n) == (i % n)[:, None], sign[:, None] * step, 0)


def _where(condition: Bool[Array, ""], yes: Tree, no: Tree) -> Tree:
    return jax.tree_util.tree_map(lambda a, b: jnp.where(condition, a, b), yes, no)
