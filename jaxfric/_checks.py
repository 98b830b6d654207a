"""Checks of arguments: concrete bad values raise here; traced ones set a result's status.

The arguments are typed `object`, as it is these functions that find out what was given.
"""

from typing import cast

import jax
import numpy as np
from jaxtyping import ArrayLike, PyTree


def is_concrete(*values: PyTree) -> bool:
    """True when none of the leaves of `values` is a tracer."""
    return not any(isinstance(x, jax.core.Tracer) for x in jax.tree_util.tree_leaves(values))


def scalar(name: str, value: object) -> None:
    """Raise unless `value` is a real scalar."""
    # bool is an int to Python, but True for a length or a velocity is a slip of the pen
    if isinstance(value, bool) or not (hasattr(value, "dtype") or isinstance(value, (int, float))):
        raise ValueError(f"{name} must be a real number; got {value!r}")
    shape = _shape(value)
    if len(shape) > 0:
        raise ValueError(
            f"{name} must be one number but has shape {shape}; for a batch, use jax.vmap "
            "over a function that builds and uses one item"
        )


def finite(name: str, value: object) -> None:
    """Raise unless `value` is a finite real scalar (traced values pass)."""
    scalar(name, value)
    # Nothing can be said of a tracer: what raises here sets the status of a result there
    if is_concrete(value) and not np.isfinite(np.asarray(value)):
        raise ValueError(f"{name} must be finite; got {float(np.asarray(value))}")


def positive(name: str, value: object) -> None:
    """Raise unless `value` is a finite scalar above zero (traced values pass)."""
    finite(name, value)
    # `not x > 0` rather than `x <= 0`, here and below: a NaN answers False to every comparison
    if is_concrete(value) and not np.asarray(value) > 0:
        raise ValueError(f"{name} must be positive; got {float(np.asarray(value))}")


def non_negative(name: str, value: object) -> None:
    """Raise unless `value` is a finite scalar, zero or above (traced values pass)."""
    finite(name, value)
    if is_concrete(value) and not np.asarray(value) >= 0:
        raise ValueError(f"{name} must not be negative; got {float(np.asarray(value))}")


def vector(name: str, value: object) -> None:
    """Raise unless `value` is one-dimensional and not empty."""
    shape = _shape(value)
    if len(shape) != 1 or shape[0] == 0:
        raise ValueError(
            f"{name} must have shape (n,), n >= 1; got {shape}. Functions take one item; "
            "for a batch, use jax.vmap"
        )


def float64(name: str, dtype: np.dtype | type[float]) -> None:
    """Raise unless `dtype` is float64."""
    if np.dtype(dtype) == np.float64:
        return
    # Two remedies: without the switch JAX makes every array float32, whatever was asked for
    if jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise ValueError(
            f"{name} needs float64: the time step of a slip event vanishes beside the time in "
            "float32. Call jax.config.update('jax_enable_x64', True) before creating arrays, or "
            "set the environment variable JAX_ENABLE_X64=1"
        )
    raise ValueError(
        f"{name} needs float64 but every array given is {np.dtype(dtype).name}; "
        "pass t and the protocol as float64"
    )


def _shape(value: object) -> tuple[int, ...]:
    """Of lists too; a tracer knows its shape."""
    return np.shape(cast(ArrayLike, value))
