"""How far one friction law is from another."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric._types import Vector


def smape(friction: Vector, target: Vector) -> Float[Array, ""]:
    """Symmetric mean absolute percentage error, 200 mean |F̂ − F| / (F̂ + F), in percent.

    Points where both are zero (no load) are left out; a NaN anywhere makes it NaN.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{smape(jnp.array([0.0, 1.0, 3.0]), jnp.array([0.0, 1.0, 1.0])):.1f}")
        50.0
    """
    friction, target = jnp.asarray(friction), jnp.asarray(target)
    total = friction + target
    # Where both are zero, 0/0 is put aside before it is computed: a gradient would carry its NaN
    counted = (friction != 0) | (target != 0)  # true of a NaN, which must not pass for no error
    error = jnp.where(counted, jnp.abs(friction - target) / jnp.where(counted, total, 1.0), 0.0)
    return 200 * jnp.sum(error) / jnp.maximum(jnp.sum(counted.astype(error.dtype)), 1)
