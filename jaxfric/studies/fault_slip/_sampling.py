"""How records are sampled, and the lengths that they are padded to."""

import numpy as np
from jaxtyping import ArrayLike, Bool, Float, Shaped

# s, of every record that a network reads: the public table of experiment p4581 has 10 Hz, and
# averages over a second or so. A recurrent network steps from sample to sample, so what it learned
# about time holds at this step alone.
DT = 0.1
# Samples of the shortest padded record. Compiled programs have fixed shapes; with lengths that
# double, one program serves all records up to this length, another all up to twice it, and so on,
# and at most half of what is computed is padding.
SHORTEST = 1024


def bucket(samples: int) -> int:
    """The length that a record of so many samples is padded to."""
    length = SHORTEST
    while length < samples:
        length *= 2
    return length


def padded(
    x: Shaped[ArrayLike, "*n m"], length: int | None = None
) -> Float[np.ndarray, "*n length"] | Bool[np.ndarray, "*n length"]:
    """Fill a series up along its last axis: the last sample is held, booleans are false.

    Arguments:
        x: (..., m), a series, or series one below the other.
        length: samples of the result; the `bucket` of m if None.

    Returns:
        (..., length).
    """
    x = np.asarray(x)
    more = (bucket(x.shape[-1]) if length is None else length) - x.shape[-1]
    widths = [(0, 0)] * (x.ndim - 1) + [(0, more)]
    # Holding the last sample adds no jump that could be taken for a failure or a burst; samples
    # that are marked by a boolean, such as those to learn from, are none of the padding's
    return np.pad(x, widths) if x.dtype == bool else np.pad(x, widths, mode="edge")


def single(x: Float[ArrayLike, "*n m"]) -> Float[np.ndarray, "*n length"]:
    """The series `padded`, in single precision: that of the networks' weights."""
    return padded(np.asarray(x, np.float32))
