"""Penalties that tell a search the way back."""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree


def outside(x: PyTree, low: PyTree, high: PyTree) -> Float[Array, ""]:
    """Squared distance to the box low <= x <= high: 0 inside, and graded outside.

    Σ max(low − x, x − high, 0)². Add a multiple of it to an objective that is evaluated at
    `jnp.clip(x, low, high)`: a flat penalty would leave a generation without ranks, which shrinks
    the step.

    Arguments:
        x: candidate; any pytree of floats.
        low: number, or of the shape of x.
        high: number, or of the shape of x.

    Example:
        >>> import jax.numpy as jnp
        >>> print(outside(jnp.array([0.5, 3.0]), 0.0, 1.0))
        4.0
    """
    # As one vector, so that x, and bounds of its structure, may be any pytree
    flat, _ = ravel_pytree(x)

    def bound(value: PyTree) -> Float[Array, "..."]:
        # One number holds for every variable; anything else is laid out flat, as x is
        if len(jax.tree_util.tree_leaves(value)) == 1 and jnp.ndim(value) == 0:
            return jnp.asarray(value).astype(flat.dtype)
        return ravel_pytree(value)[0].astype(flat.dtype)

    # How far each variable is beyond the nearer bound; only one of the two can be positive
    beyond = jnp.maximum(jnp.maximum(bound(low) - flat, flat - bound(high)), 0.0)
    return jnp.sum(beyond**2)
