"""Types of arguments: Python numbers, numpy and JAX arrays alike."""

from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import ArrayLike, Real

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    Number = Any
    Vector = Any
else:
    Number = Real[ArrayLike, ""]
    Vector = Real[ArrayLike, "..."]  # (m,); checked by the function, which names the remedy


def as_array(value: Any, dtype: Any) -> Any:
    """An argument of a program: NumPy's unless it is JAX's already, as that compiles nothing."""
    if isinstance(value, jax.Array):
        return value.astype(dtype)
    return np.asarray(value, dtype)


def on_device(value: Any, dtype: Any) -> jax.Array:
    """As `jax.numpy.asarray`, which compiles a program for each shape that it has not seen."""
    if isinstance(value, jax.Array):
        return value.astype(dtype)
    found: jax.Array = jax.device_put(np.asarray(value, dtype))
    return found
