"""Arguments of compiled programs as arrays, without compiling anything for the conversion."""

from typing import Any

import jax
import numpy as np


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
