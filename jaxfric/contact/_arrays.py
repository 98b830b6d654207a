"""Arguments of compiled programs as arrays, without compiling anything for the conversion."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

# Of arrays and of NumPy's masks: `bool` names the dtype of a mask
DType = jnp.dtype | type[bool]
# Programs take JAX's arrays, traced or not, and NumPy's on their way to the device. A type checker
# sees JAX's alone: that is what both are inside a program.
if TYPE_CHECKING:
    AnyArray = jax.Array
else:
    AnyArray = jax.Array | np.ndarray


def as_array(value: ArrayLike, dtype: DType) -> AnyArray:
    """An argument of a program: NumPy's unless it is JAX's already, as that compiles nothing."""
    if isinstance(value, jax.Array):
        return value.astype(dtype)
    return cast(AnyArray, np.asarray(value, dtype))


def on_device(value: ArrayLike | Sequence[float] | Sequence[bool], dtype: DType) -> jax.Array:
    """As `jax.numpy.asarray`, which compiles a program for each shape that it has not seen."""
    if isinstance(value, jax.Array):
        return value.astype(dtype)
    # Put there by its annotation, as the stub of `device_put` returns anything
    found: jax.Array = jax.device_put(np.asarray(value, dtype))
    return found
