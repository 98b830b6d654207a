"""What a user hands to a record, as columns and numbers that it can keep."""

import jax
import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from jaxfric._types import Number

# Numbers as a user may give them. NumPy's ArrayLike holds Python's float and int too, but by way of
# complex, which a check at run time does not take for the same.
Values = float | int | npt.ArrayLike


def read_only(values: np.ndarray) -> np.ndarray:
    """The same array, locked: a frozen record must stay as it was checked."""
    values.flags.writeable = False
    return values


def as_column(key: str, value: npt.ArrayLike, source: str) -> Float64[np.ndarray, " n"]:
    """A read-only float64 copy; `ValueError` for what is not one column of real numbers."""
    if isinstance(value, jax.core.Tracer):
        raise ValueError(
            f"{source}: {key} is traced by JAX, but a record holds measured numbers: build it "
            "outside jit, vmap and grad, and pass its arrays in"
        )
    try:
        given = np.asarray(value)
    except ValueError as error:  # rows of unequal length
        raise ValueError(f"{source}: {key} must be an array of real numbers; {error}") from error
    # NumPy would turn text such as "0.6" and True into numbers, and drop an imaginary part.
    if given.dtype.kind not in "iuf":
        raise ValueError(
            f"{source}: {key} must be an array of real numbers; got the type {given.dtype}"
        )
    # A copy even of float64: the caller may go on writing into an array of theirs.
    column = np.array(given, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(
            f"{source}: {key} must have one dimension, but has shape {column.shape}; a "
            "record is one experiment, so build one VelocityStepRecord for each"
        )
    return read_only(column)


def check_window(start: Number, stop: Number) -> tuple[float, float]:
    """A window as two floats; `ValueError` unless `start < stop`, also for NaN."""
    start, stop = float(np.asarray(start)), float(np.asarray(stop))
    if not start < stop:  # a NaN compares as false with everything, so it ends here as well
        raise ValueError(
            "a window needs start < stop, in seconds of the record's clock; got "
            f"({start!r}, {stop!r})"
        )
    return start, stop


def without_numbers(array: object) -> str | None:
    """What stands in a record in place of one column of numbers, for its summary; None if nothing.

    A record is a pytree, so JAX and Equinox put tracers, shapes or None in the place of its arrays,
    and vmap and tree_map stack records.
    """
    if isinstance(array, jax.core.Tracer):
        return "traced"
    if not isinstance(array, np.ndarray | jax.Array):
        return "no arrays"
    return None if array.ndim == 1 else f"batched, time of shape {array.shape}"
