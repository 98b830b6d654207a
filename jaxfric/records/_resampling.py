"""Columns of a stick-slip record at other times."""

from collections.abc import Callable

import numpy as np

# A column (n, ...) at other times, (m, ...).
Change = Callable[[np.ndarray], np.ndarray]
# Of a sample: what rounding may add to a count of samples that is meant to be whole. Even times of
# a clock with ten digits are whole to better than this, and nothing else comes so near.
WHOLE = 1e-6


def interpolation(old: np.ndarray, new: np.ndarray) -> Change:
    """Linear interpolation from old to new times."""

    def change(x: np.ndarray) -> np.ndarray:
        if x.ndim == 2:  # numpy.interp takes one channel
            return np.stack([change(channel) for channel in x.T], axis=1)
        return np.interp(new, old, x)

    return change


def block_averages(ratio: float, count: int) -> Change:
    """Means over blocks of `ratio` samples, each of which stands for its own time step."""
    whole = round(ratio)

    def change(x: np.ndarray) -> np.ndarray:
        if abs(ratio - whole) < WHOLE:
            return x[: count * whole].reshape(count, whole, *x.shape[1:]).mean(axis=1)
        if x.ndim == 2:
            return np.stack([change(channel) for channel in x.T], axis=1)
        # A sample that two blocks share counts in each with the part of its time step that lies
        # there: the differences of the running integral, interpolated at the blocks' edges.
        integral = np.concatenate([[0.0], np.cumsum(x)])
        edges = np.minimum(ratio * np.arange(count + 1), x.size)
        return np.diff(np.interp(edges, np.arange(x.size + 1), integral)) / ratio

    return change


def countdown(new: np.ndarray, time: np.ndarray, remaining: np.ndarray) -> np.ndarray:
    """Time to failure at other times: it falls by one second a second and jumps at a failure.

    NaN where the samples on both sides do not know it.
    """
    # Interpolation would smear the jump over a sample and give times that no failure has. Each
    # sample tells when its failure comes, time + remaining; that moment is what is carried over.
    left = np.clip(np.searchsorted(time, new, side="right") - 1, 0, time.size - 1)
    right = np.minimum(left + 1, time.size - 1)
    last, following = time[left] + remaining[left], time[right] + remaining[right]
    same = new - time[left] <= 1e-9 * np.maximum(1.0, np.abs(new))  # an old sample, to rounding
    # The failure that the sample before expects, unless it has passed.
    ahead = same | (last >= new) | ~(following >= new)
    return np.maximum(np.where(ahead, last, following) - new, 0.0)
