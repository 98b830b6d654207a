"""Results as tables, in text and for a notebook."""

import jax
import numpy as np
from jaxtyping import Array


def without_numbers(value: object) -> str | None:
    """What stands in a result in place of numbers, for its summary; None if they are there.

    A result is a pytree, so JAX and Equinox may put tracers, shapes or None in their places.
    """
    if isinstance(value, jax.core.Tracer):
        return "traced"
    numbers = isinstance(value, float | int | np.ndarray | np.generic | jax.Array)
    return None if numbers else "no numbers"


def in_short(value: Array | np.ndarray | float, digits: str) -> str:
    """A number, or the median of a batch with its range."""
    numbers = np.asarray(value, float).ravel()
    if numbers.size == 1:
        return format(float(numbers[0]), digits)
    middle, low, high = (format(float(f(numbers)), digits) for f in (np.median, np.min, np.max))
    return f"{middle} ({low} to {high})"


def batch_note(value: Array | np.ndarray | float) -> str:
    """Nothing of one number; of a batch, what the numbers below its title are."""
    shape = np.shape(value)
    return f" (batched, {' x '.join(map(str, shape))}): median (range)" if shape else ""
