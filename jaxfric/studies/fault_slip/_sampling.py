"""How records are sampled, and the lengths that they are padded to."""

from typing import Any

import numpy as np

DT = 0.1  # s, of every record that a network reads
SHORTEST = 1024  # samples; a program serves all records up to this length, up to twice it, …


def bucket(samples: int) -> int:
    """The length that a record of so many samples is padded to."""
    length = SHORTEST
    while length < samples:
        length *= 2
    return length


def padded(x: Any, length: int | None = None) -> np.ndarray:
    """(..., length): the last sample is held; booleans are false."""
    x = np.asarray(x)
    more = (bucket(x.shape[-1]) if length is None else length) - x.shape[-1]
    widths = [(0, 0)] * (x.ndim - 1) + [(0, more)]
    return np.pad(x, widths) if x.dtype == bool else np.pad(x, widths, mode="edge")


def single(x: Any) -> np.ndarray:
    """Padded, in the precision of the networks."""
    return padded(np.asarray(x, np.float32))
