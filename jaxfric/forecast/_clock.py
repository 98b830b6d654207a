"""The clock: what the time since the last burst of emission alone says.

It is a yardstick because stick-slip in the laboratory is nearly periodic: who knows when the fault
last failed knows roughly where in the cycle it stands. A network that reads the whole emission has
learnt something only if it does better than that.
"""

from typing import Literal

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from jaxfric import _checks
from jaxfric._types import Mask, Number, Series
from jaxfric.forecast._metrics import masked_mean

Since = Literal["end", "onset"]


def time_since_burst(
    energy: Series,
    dt: Number,
    train: Mask,
    *,
    since: Since = "end",
    level: Number = 0.8,
    refractory: Number = 1.0,
) -> tuple[Float[Array, " n"], Bool[Array, " n"]]:
    """Time since the last burst of emission; sample i knows only energies up to i.

    A burst is where ln energy is above q05 + level (q99 − q05), with the 5 % and 99 % quantiles
    over the training span. A factor on the energy changes nothing.

    Arguments:
        energy: (n,), positive; zeros count as the smallest number there is.
        dt: s between samples.
        train: (n,), the samples that may be learnt from.
        since: "end", the last sample above the threshold (0 all through a burst), or "onset", the
            first one of the burst.
        level: of the threshold, 0 to 1.
        refractory: s; for "onset", a burst that sets in sooner after the last one belongs to it.

    Returns:
        (n,), s; and (n,), false before the first burst, where the time is counted from the record's
        first sample.

    Raises:
        ValueError: for shapes that differ, a dt that is not positive or a negative energy.

    Example:
        >>> import jax.numpy as jnp
        >>> energy = jnp.array([1.0, 90.0, 90.0, 1.0, 1.0])
        >>> train = jnp.ones(5, bool)
        >>> print(time_since_burst(energy, 1.0, train)[0])
        [0. 0. 0. 1. 2.]
        >>> print(time_since_burst(energy, 1.0, train, since="onset")[0])
        [0. 0. 1. 2. 3.]
    """
    train = jnp.asarray(train)
    same_shape(energy=energy, train=train)
    _checks.positive("dt", dt)
    if since not in ("end", "onset"):
        raise ValueError(f'since must be "end" or "onset"; got {since!r}')
    # Quantiles of the logarithm, for an energy spans decades; 99 % and not the maximum, which is
    # one sample. Only of the training span: the threshold may know nothing of what is tested.
    log = log_energy(energy)
    n = log.shape[0]
    low, high = jnp.nanquantile(
        jnp.where(train, log, jnp.nan), jnp.asarray([0.05, 0.99], log.dtype)
    )
    above = log > low + jnp.asarray(level).astype(log.dtype) * (high - low)
    step, index = jnp.asarray(dt).astype(log.dtype), jnp.arange(n)
    if since == "end":
        # The last index at which the energy was above, at or before each sample: a running maximum.
        last = lax.cummax(jnp.where(above, index, -1))
    else:
        pause = jnp.asarray(refractory).astype(log.dtype) / step
        sets_in = above & ~jnp.concatenate([jnp.zeros(1, bool), above[:-1]])

        # Whether an onset counts depends on the one before that counted: a walk, not a maximum.
        def advance(last: Array, sample: tuple[Array, Array]) -> tuple[Array, Array]:
            i, hit = sample
            hit &= (last < 0) | ((i - last).astype(log.dtype) >= pause)
            last = jnp.where(hit, i, last)
            return last, last

        _, last = lax.scan(advance, jnp.full((), -1, index.dtype), (index, sets_in))
    return (index - jnp.maximum(last, 0)).astype(log.dtype) * step, last >= 0


def clock(
    energy: Series,
    target: Series,
    dt: Number,
    train: Mask,
    *,
    since: Since = "end",
    level: Number = 0.8,
    refractory: Number = 1.0,
    bins: int = 128,
) -> Float[Array, " n"]:
    """Mean target against the time since the last burst, learnt on the training span.

    The times of the training span fall into bins of one sample or, if that is wider, of an even
    part of the longest. Between the bins' means the prediction is linear, after the last constant;
    before the first burst it is the training mean.

    Arguments:
        energy: (n,), positive.
        target: (n,), friction or time to failure; read in the training span only.
        dt: s between samples.
        train: (n,), the samples to learn from.
        since: as in `time_since_burst`.
        level: as in `time_since_burst`.
        refractory: as in `time_since_burst`.
        bins: how many.

    Returns:
        (n,), in the unit of the target. Sample i depends on energies up to i (and on the training
        span).

    Raises:
        ValueError: for shapes that differ, fewer than two bins, or as `time_since_burst`.

    Example:
        >>> import jax.numpy as jnp
        >>> phase = jnp.arange(40.0) % 10.0
        >>> energy, target = jnp.where(phase == 0, 50.0, 1.0), 0.5 + 0.01 * phase
        >>> error = clock(energy, target, 0.1, jnp.arange(40) < 20) - target
        >>> print(bool(jnp.max(jnp.abs(error)) < 1e-6))
        True
    """
    train = jnp.asarray(train)
    same_shape(energy=energy, target=target, train=train)
    if bins < 2:
        raise ValueError(f"bins must be 2 or more; got {bins}")
    time, known = time_since_burst(
        energy, dt, train, since=since, level=level, refractory=refractory
    )
    target = jnp.asarray(target).astype(time.dtype)
    used = train & known
    # A bin of one sample where the cycles are short enough: the clock is then as sharp as the data.
    width = jnp.maximum(
        jnp.asarray(dt).astype(time.dtype), jnp.max(jnp.where(used, time, 0.0)) / (bins - 1)
    )
    # Rounded to the nearest bin, so that a multiple of the step, off by rounding, keeps its bin.
    place = jnp.clip(jnp.floor(time / width + 0.5).astype(jnp.int32), 0, bins - 1)

    def total(x: Array) -> Array:
        return jnp.zeros(bins, time.dtype).at[place].add(jnp.where(used, x, 0.0))

    count = total(jnp.ones_like(time))
    full, divisor = count > 0, jnp.maximum(count, 1.0)
    number = jnp.arange(bins)
    x = jnp.where(full, total(time) / divisor, number.astype(time.dtype) * width)
    y = total(target) / divisor
    # An empty bin lies on the line between its neighbours that are not; beyond the first and the
    # last that are not empty it takes their value.
    below = lax.cummax(jnp.where(full, number, -1))
    above = lax.cummin(jnp.where(full, number, bins), reverse=True)
    left = jnp.clip(jnp.where(below < 0, above, below), 0, bins - 1)
    right = jnp.clip(jnp.where(above == bins, below, above), 0, bins - 1)
    gap = x[right] - x[left]
    share = jnp.where(gap > 0, (x - x[left]) / jnp.where(gap > 0, gap, 1.0), 0.0)
    y = y[left] + share * (y[right] - y[left])
    mean = masked_mean(target, train)
    return jnp.where(known & jnp.any(full), jnp.interp(time, x, y), mean)


def log_energy(energy: Series) -> Array:
    """ln of an energy; zeros count as the smallest number there is."""
    # The smallest normal number of the precision: subnormal ones may be flushed to zero.
    energy = jnp.asarray(energy)
    if _checks.is_concrete(energy) and (np.asarray(energy) < 0).any():
        raise ValueError("energy must not be negative: give a variance, an amplitude or an energy")
    return jnp.log(jnp.maximum(energy, jnp.finfo(energy.dtype).tiny))


def same_shape(**arrays: Series | Mask) -> None:
    """Raise unless all arrays are (n,) of one length."""
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        _checks.vector(name, array)
    if len(set(shapes.values())) > 1:
        raise ValueError(f"the arrays must have one length; got {shapes}")
