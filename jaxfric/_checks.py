"""Checks of arguments: concrete bad values raise here; traced ones set a result's status."""

from typing import Any

import jax
import numpy as np


def is_concrete(*values: Any) -> bool:
    """True when none of the leaves of `values` is a tracer."""
    return not any(isinstance(x, jax.core.Tracer) for x in jax.tree_util.tree_leaves(values))


def scalar(name: str, value: Any) -> None:
    """Raise unless `value` is a real scalar."""
    if isinstance(value, bool) or not (hasattr(value, "dtype") or isinstance(value, (int, float))):
        raise ValueError(f"{name} must be a real number; got {value!r}")
    if np.ndim(value) > 0:
        raise ValueError(
            f"{name} must be one number but has shape {np.shape(value)}; for a batch, use jax.vmap "
            "over a function that builds and uses one item"
        )


def finite(name: str, value: Any) -> None:
    """Raise unless `value` is a finite real scalar (traced values pass)."""
    scalar(name, value)
    if is_concrete(value) and not np.isfinite(np.asarray(value)):
        raise ValueError(f"{name} must be finite; got {float(value)}")


def positive(name: str, value: Any) -> None:
    """Raise unless `value` is a finite scalar above zero (traced values pass)."""
    finite(name, value)
    if is_concrete(value) and not np.asarray(value) > 0:
        raise ValueError(f"{name} must be positive; got {float(value)}")


def non_negative(name: str, value: Any) -> None:
    """Raise unless `value` is a finite scalar, zero or above (traced values pass)."""
    finite(name, value)
    if is_concrete(value) and not np.asarray(value) >= 0:
        raise ValueError(f"{name} must not be negative; got {float(value)}")


def vector(name: str, value: Any) -> None:
    """Raise unless `value` is one-dimensional and not empty."""
    if np.ndim(value) != 1 or np.shape(value)[0] == 0:
        raise ValueError(
            f"{name} must have shape (n,), n >= 1; got {np.shape(value)}. Functions take one item; "
            "for a batch, use jax.vmap"
        )


def float64(name: str, dtype: Any) -> None:
    """Raise unless `dtype` is float64."""
    if np.dtype(dtype) == np.float64:
        return
    if not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        raise ValueError(
            f"{name} needs float64: the time step of a slip event vanishes beside the time in "
            "float32. Call jax.config.update('jax_enable_x64', True) before creating arrays, or "
            "set the environment variable JAX_ENABLE_X64=1"
        )
    raise ValueError(
        f"{name} needs float64 but every array given is {np.dtype(dtype).name}; "
        "pass t and the protocol as float64"
    )
