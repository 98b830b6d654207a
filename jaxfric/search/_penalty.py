"""Penalties that tell a search the way back."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from jaxfric import _checks


def outside(x: PyTree, low: PyTree, high: PyTree) -> Float[Array, ""]:
    """Squared distance to the box low <= x <= high: 0 inside, and graded outside.

    Σ max(low − x, x − high, 0)². Add a multiple of it to an objective that is evaluated at
    `jnp.clip(x, low, high)`: a flat penalty would leave a generation without ranks, which shrinks
    the step.

    Arguments:
        x: candidate; any pytree of floats.
        low: number, or of the shape of x; −∞ where there is no bound.
        high: number, or of the shape of x; ∞ where there is none.

    Returns:
        A number; NaN where a traced low is not below its high.

    Raises:
        ValueError: bounds of another shape than x, or (concrete) a low that is not below its high.

    Example:
        >>> import jax.numpy as jnp
        >>> print(outside(jnp.array([0.5, 3.0]), 0.0, 1.0))
        4.0
    """
    # As one vector, so that x, and bounds of its structure, may be any pytree
    flat, _ = ravel_pytree(x)
    below, above = _bound("low", low, flat), _bound("high", high, flat)
    if _checks.is_concrete(below, above):
        _check_order(np.asarray(below), np.asarray(above))
    # How far each variable is beyond the nearer bound; only one of the two can be positive
    beyond = jnp.maximum(jnp.maximum(below - flat, flat - above), 0.0)
    return jnp.where(jnp.all(below < above), jnp.sum(beyond**2), jnp.nan)


def _bound(name: str, value: PyTree, flat: Float[Array, " variables"]) -> Float[Array, "..."]:
    """A bound, one number for every variable or laid out flat as x is."""
    leaves = jax.tree_util.tree_leaves(value)
    if len(leaves) == 1 and jnp.ndim(leaves[0]) == 0:
        return jnp.asarray(leaves[0]).astype(flat.dtype)
    bound = ravel_pytree(value)[0].astype(flat.dtype)
    if bound.shape != flat.shape:
        raise ValueError(
            f"{name} must be one number or have the shape of x; it holds {bound.size} numbers and "
            f"x holds {flat.size}"
        )
    return bound


def _check_order(low: np.ndarray, high: np.ndarray) -> None:
    # `not low < high` is true of a NaN as well
    bad = np.flatnonzero(~np.atleast_1d(low < high))
    if bad.size:
        pair = [np.broadcast_to(x, np.broadcast_shapes(low.shape, high.shape)) for x in (low, high)]
        a, b = (np.atleast_1d(x)[bad[0]] for x in pair)
        raise ValueError(
            f"each low must be below its high; got {a} and {b}: swap them, or leave a variable "
            "that is fixed out of the search"
        )
