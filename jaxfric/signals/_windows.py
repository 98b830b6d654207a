"""Overlapping windows of a record, and one record of overlapping windows."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from jaxfric.signals._wavelet import Scalogram


def windows(
    x: Shaped[Array, "..."] | Shaped[np.ndarray, "..."], length: int, step: int
) -> Shaped[Array, "..."]:
    """Cut the last axis into windows, window i from sample i · step on.

    Only whole windows are cut: the last (n − length) mod step samples belong to none; to see
    them, give a last window of its own, `x[..., -length:]`.

    Arguments:
        x: (..., n), such as a record or the (n_scales, n) of its transform; n >= length.
        length: samples of a window, >= 1.
        step: samples from one window to the next, >= 1.

    Returns:
        (n_windows, ..., length), n_windows = (n − length) // step + 1.

    Raises:
        ValueError: windows longer than the record, or a length or step below 1.

    Example:
        >>> import jax.numpy as jnp
        >>> print(windows(jnp.arange(6), 3, 2))
        [[0 1 2]
         [2 3 4]]

    Source: ours.
    """
    n = np.shape(x)[-1] if np.ndim(x) else 0
    if length < 1 or step < 1:
        raise ValueError(f"length and step must be at least 1 sample; got {length} and {step}")
    if n < length:
        raise ValueError(f"a record of {n} samples holds no window of {length}; shorten the window")
    return _windows(jnp.asarray(x), length, step)


@partial(jax.jit, static_argnums=(1, 2))
def _windows(x: Array, length: int, step: int) -> Array:
    # Slices and not an index array: a slice is copied as a block, and its derivative adds blocks.
    starts = jnp.arange(0, x.shape[-1] - length + 1, step)
    return jax.vmap(lambda start: jax.lax.dynamic_slice_in_dim(x, start, length, -1))(starts)


def overlap_average(
    windows: Scalogram, step: int, n: int | None = None
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Mean and standard deviation of all windows that hold a sample, the inverse of `windows`.

        mean_k = Σ_i w_i(k)/N_k,    deviation_k = √(Σ_i (w_i(k) − mean_k)²/N_k)

    with N_k the number of windows that hold sample k: 1 at the ends, where the deviation is 0 and
    tells nothing. Where it is 0 its derivative is given as 0.

    Arguments:
        windows: (n_windows, ..., length), real, window i from sample i · step on.
        step: samples from one window to the next, at most `length`.
        n: samples of the result; by default those that the windows cover,
            (n_windows − 1) · step + length.

    Returns:
        Mean and deviation, (..., n) each. Samples after the last window repeat the last mean,
        with a deviation of infinity.

    Raises:
        ValueError: complex windows, a step that leaves gaps between them, or an n below what they
            cover.

    Example:
        >>> import jax.numpy as jnp
        >>> mean, deviation = overlap_average(jnp.array([[1.0, 2.0, 3.0], [5.0, 3.0, 4.0]]), 2, 6)
        >>> print(mean)
        [1. 2. 4. 3. 4. 4.]
        >>> print(deviation)
        [ 0. 0. 1. 0. 0. inf]

    Source: ours.
    """
    if np.ndim(windows) < 2 or 0 in np.shape(windows):
        raise ValueError(f"windows must have shape (n_windows, ..., length); got {windows.shape}")
    if np.iscomplexobj(windows):
        raise ValueError("windows must be real; average the real and the imaginary parts apart")
    count, length = np.shape(windows)[0], np.shape(windows)[-1]
    if not 1 <= step <= length:
        raise ValueError(f"step must be 1 to {length}, the length of a window; got {step}")
    covered = (count - 1) * step + length
    n = covered if n is None else n
    if n < covered:
        raise ValueError(f"the windows cover {covered} samples; n must not be less; got {n}")
    return _average(jnp.asarray(windows), step, n - covered)


@partial(jax.jit, static_argnums=(1, 2))
def _average(values: Array, step: int, beyond: int) -> tuple[Array, Array]:
    count, length = values.shape[0], values.shape[-1]
    # How many windows hold each sample: windows of ones, summed in the same way.
    held = _overlap(jnp.ones((count, length), values.dtype), step)
    held = held.reshape((1,) * (values.ndim - 2) + held.shape)
    mean = _overlap(values, step) / held
    # Not the mean of squares less the square of the mean: where the windows agree to a part in 1e4,
    # that difference has lost all digits of float32.
    apart = values - _windows(mean, length, step)
    variance = _overlap(apart**2, step) / held
    # √ has an infinite slope at 0, and where() alone would turn it into NaN in the gradient: so the
    # root itself never sees the zeros either.
    spread = variance > 0
    deviation = jnp.where(spread, jnp.sqrt(jnp.where(spread, variance, 1)), 0)
    # Nothing is known of the samples after the last window: the last mean, infinitely uncertain.
    rest = [(0, 0)] * (mean.ndim - 1) + [(0, beyond)]
    return jnp.pad(mean, rest, "edge"), jnp.pad(deviation, rest, constant_values=jnp.inf)


def _overlap(values: Array, step: int) -> Array:
    """Σ of the windows at every sample, without a scatter: (n_windows, ..., length) → (..., n)."""
    # A scatter adds in an order of its own on a GPU and is slow there. Here windows are cut into
    # blocks of `step` samples, which fall on one another exactly, and whole blocks are summed.
    count, length = values.shape[0], values.shape[-1]
    blocks = -(-length // step)  # rounded up; the last one is filled with zeros
    rows = count + blocks - 1
    values = jnp.moveaxis(values, 0, -2)
    shape = values.shape[:-2]
    none = [(0, 0)] * len(shape)
    # (..., windows, blocks, step): block j of window i falls on block i + j of the record.
    values = jnp.pad(values, [*none, (0, 0), (0, blocks * step - length)])
    values = jnp.swapaxes(values.reshape(*shape, count, blocks, step), -3, -2)
    # To shift row j right by j without an index, rows are padded to count + blocks, read in one
    # line and cut into rows of one less: each then begins one place later than the last.
    values = jnp.pad(values, [*none, (0, 0), (0, blocks), (0, 0)])
    values = values.reshape(*shape, blocks * (rows + 1), step)[..., : blocks * rows, :]
    total = jnp.sum(values.reshape(*shape, blocks, rows, step), -3)
    return total.reshape(*shape, rows * step)[..., : (count - 1) * step + length]
