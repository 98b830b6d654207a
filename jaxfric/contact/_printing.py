"""How surfaces, laws and designs appear in a console: their numbers, with units."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import ArrayLike

MICRO = 1e6  # metres to µm, the unit in which heights and radii are read


def numbers(value: ArrayLike | Sequence[float]) -> np.ndarray:
    """An array, of any device, as NumPy's float64."""
    return np.asarray(value, float)


def largest(value: ArrayLike, digits: int = 3) -> str:
    """The largest finite number of an array: a failed member of a batch does not hide it."""
    x = numbers(value)
    return f"{np.max(x, where=np.isfinite(x), initial=-np.inf):.{digits}g}"


def span(
    value: ArrayLike | Sequence[float], unit: str = "", scale: float = 1.0, digits: int = 4
) -> str:
    """'1 to 2 µm', or '1 µm' where all are one number, from the finite ones of an array."""
    x = numbers(value).ravel() * scale
    x = x[np.isfinite(x)]
    unit = unit and f" {unit}"
    if x.size == 0:
        return f"nothing finite{unit and ' in'}{unit}"
    low, high = f"{x.min():.{digits}g}", f"{x.max():.{digits}g}"
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
