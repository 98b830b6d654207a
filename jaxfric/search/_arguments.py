"""Arguments of a search: concrete bad values raise here, traced ones set the status."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.tree_util import KeyPath
from jaxtyping import Array, ArrayLike, Bool, Float, PyTree

from jaxfric import _checks
from jaxfric.search._strategy import Candidate

SMALLEST_POPULATION = 4  # its better half is two candidates


def check_counts(**counts: object) -> None:
    """Raise unless `population`, `generations` and `restarts` are whole numbers, large enough."""
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
            raise ValueError(
                f"{name} must be a whole number, as it is a shape of the program; got {count!r}"
            )
        if name == "population" and count < SMALLEST_POPULATION:
            raise ValueError(
                f"population must be at least {SMALLEST_POPULATION}, so that a better half has a "
                f"direction; got {count}"
            )
        if count < 1:
            raise ValueError(f"generations and restarts must be at least 1; got {name} = {count}")


def check_start(start: PyTree) -> None:
    """Raise unless the leaves of `start` are finite floats of the precisions that are searched."""
    leaves = jax.tree_util.tree_leaves(start)
    if sum(np.size(leaf) for leaf in leaves) == 0:
        raise ValueError("start is empty: give the floating-point numbers that are searched")
    for leaf in leaves:
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.floating):
            raise ValueError(
                f"start must hold floating-point numbers; got {dtype}: write 0.0 in place of 0, "
                "and pass what is not searched through args"
            )
        if jnp.finfo(dtype).bits < 32:
            raise ValueError(f"start must be float32 or float64, as C needs digits; got {dtype}")
    if _checks.is_concrete(start) and not all(np.isfinite(leaf).all() for leaf in leaves):
        raise ValueError("start must be finite")


def check_goal(goal: object) -> None:
    """Raise unless `goal` is a number, or infinite."""
    _checks.scalar("goal", goal)
    if _checks.is_concrete(goal) and np.isnan(np.asarray(goal)):
        raise ValueError("goal must be a number; leave it out to search until generations end")


class FirstStep(eqx.Module):
    """The Gaussian of the first generation.

    Attributes:
        vector: the standard deviation of each variable; NaN where a traced one is bad.
        sigma: σ, in units of `unit`.
        unit: of each variable, a power of two, so that no product with it is rounded.
        floor: the least σ.
    """

    vector: Candidate
    sigma: Float[Array, ""]
    unit: Candidate
    floor: Float[Array, ""]


def first_step(step_size: PyTree, smallest_step: PyTree, start: PyTree) -> FirstStep:
    """The steps as `minimise` is given them, one number or one for each variable.

    Raises:
        ValueError: another structure or shape, or (concrete) steps that are not positive, or less
            than the smallest.
    """
    vector = laid_out("step_size", step_size, start)
    # NaN, and not the step as it is: the Gaussian of a negative step is that of its absolute value
    vector = jnp.where((vector > 0) & jnp.isfinite(vector), vector, jnp.nan)
    one = jnp.ones_like(vector)
    if _is_one_number(step_size):
        # In the units of the variables themselves
        sigma, unit = vector[0], one
    else:
        exponent = jnp.nan_to_num(jnp.round(jnp.log2(vector))).astype(jnp.int32)
        sigma, unit = one[0], jnp.ldexp(one, exponent)
    # Steps below √ε of the first would round candidates onto each other
    ratio = jnp.finfo(vector.dtype).eps ** 0.5 * one
    if smallest_step is not None:
        ratio = laid_out("smallest_step", smallest_step, start) / vector
        if _checks.is_concrete(ratio) and (np.asarray(ratio) > 1).any():
            raise ValueError("smallest_step must not exceed step_size, from where steps shrink")
    return FirstStep(vector, sigma, unit, jnp.max(ratio) * sigma)


def laid_out(name: str, given: PyTree, start: PyTree, *, zero: bool = False) -> Candidate:
    """One number for each variable, in the order of the flat start.

    Arguments:
        name: of the argument.
        given: one number, or one for each leaf or each number of the start.
        start: the start.
        zero: whether 0 is allowed.

    Raises:
        ValueError: another structure or shape, or (concrete) a number out of range.
    """
    places, leaves = _flattened(start)
    if _is_one_number(given):
        if not zero:
            _checks.positive(name, given)
        else:
            _checks.non_negative(name, given)
        parts = [given] * len(leaves)
    else:
        others, parts = _flattened(given)
        shapes = zip(map(np.shape, parts), map(np.shape, leaves), strict=False)
        if others != places or any(shape not in ((), wanted) for shape, wanted in shapes):
            raise ValueError(
                f"{name} must be one number, or an array (or a pytree of arrays) of the shape of "
                "the start"
            )
        if _checks.is_concrete(parts):
            _check_range(name, parts, zero)
    flat, _ = ravel_pytree(start)
    wide = [jnp.broadcast_to(x, np.shape(leaf)) for x, leaf in zip(parts, leaves, strict=True)]
    return ravel_pytree(wide)[0].astype(flat.dtype)


def _is_one_number(given: PyTree) -> bool:
    """Whether an argument holds for all variables."""
    # `all_leaves`: a dictionary or a list is not a leaf, whatever it holds
    return jax.tree_util.all_leaves([given]) and np.ndim(given) == 0


def _flattened(tree: PyTree) -> tuple[list[KeyPath], list[ArrayLike]]:
    """Places and values of the leaves."""
    found = jax.tree_util.tree_leaves_with_path(tree)
    return [place for place, _ in found], [leaf for _, leaf in found]


def _check_range(name: str, parts: list[ArrayLike], zero: bool) -> None:
    numbers = np.concatenate([np.ravel(np.asarray(x, float)) for x in parts])
    # What is not in range, a NaN being in none
    fine = np.isfinite(numbers) & ((numbers >= 0) if zero else (numbers > 0))
    if not fine.all():
        what = "not be negative" if zero else "be positive"
        raise ValueError(f"{name} must {what} and be finite everywhere; got {numbers[~fine][0]}")


def usable(start: Candidate, step: FirstStep, spread: Candidate, goal: Array) -> Bool[Array, ""]:
    """Whether a search can begin, where only values tell."""
    steps = jnp.all(jnp.isfinite(step.vector)) & (step.floor > 0) & (step.floor <= step.sigma)
    scattered = jnp.all((spread >= 0) & jnp.isfinite(spread))
    return jnp.all(jnp.isfinite(start)) & steps & scattered & ~jnp.isnan(goal)
