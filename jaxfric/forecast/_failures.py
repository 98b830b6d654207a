"""Slip events of a friction record, and the time until the next one."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxfric import _checks
from jaxfric._types import Mask, Number, Series
from jaxfric.forecast._tables import without_numbers
from jaxfric.forecast._walk import Rule, walk_along

# Of the range from the 5 % to the 95 % quantile: the default threshold. Quantiles and not extremes,
# for one spike would set those.
FRACTION = 0.3


class Failures(eqx.Module):
    """What `failures` returns; the lists are padded to n // 2, the most that a record can hold.

    Attributes:
        start: (n,), true at the last sample before a drop.
        end: (n,), true at the lowest sample after it.
        count: of events.
        time: (n // 2,), s from the first sample to each start; inf where there is no event.
        end_time: (n // 2,), likewise of each end.
        drop: (n // 2,), friction at the start minus friction at the end; 0 where no event.
        threshold: the smallest drop that counted.
    """

    start: Bool[Array, " n"]
    end: Bool[Array, " n"]
    count: Int[Array, ""]
    time: Float[Array, " events"]
    end_time: Float[Array, " events"]
    drop: Float[Array, " events"]
    threshold: Float[Array, ""]

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if (why := without_numbers(self.count)) is not None:
            return f"Failures ({why})"
        if np.ndim(self.count):
            counts = np.asarray(self.count)
            shape = " x ".join(map(str, counts.shape))
            return f"Failures (batched, {shape}): {counts.min()} to {counts.max()} events each"
        number = int(self.count)
        text = f"Failures: {number} events with a drop above {float(self.threshold):.4g}"
        if number:
            time, drop = np.asarray(self.time)[:number], np.asarray(self.drop)[:number]
            text += f", {drop.mean():.4g} on average, from {time[0]:.6g} to {time[-1]:.6g} s"
        if number > 1:
            text += f", every {np.median(np.diff(time)):.4g} s (median)"
        return text


def failures(
    friction: Series,
    dt: Number,
    *,
    rate: Number | None = None,
    threshold: Number | None = None,
    refractory: Number = 0.0,
    length: Number | None = None,
) -> Failures:
    """Pick the slip events of a friction record: drops between two turning points.

    A walk along the record remembers the maximum since the last event. Once friction has
    fallen below it by more than the threshold, an event has begun there; it ends at the
    minimum before friction has risen by more than the threshold again. No time scale
    enters, so 10 Hz averages and 1 kHz records give the same events. One that is under way at the
    first sample is not counted; one that is under way at the last ends there.

    Arguments:
        friction: (n,), or a stress.
        dt: s between samples.
        rate: 1/s; count only events that somewhere fall at least as fast. The paper's rule at 1 kHz
            is `rate=10.0`; leave it out for smoothed records.
        threshold: smallest drop; 0.3 of the range between the 5 % and 95 % quantiles of friction if
            left out.
        refractory: s; events that start sooner after the last start are not counted.
        length: samples of the record, if those after them only fill the array to a size that
            records share: they are passed over.

    Returns:
        `Failures`. `drop` is differentiable; the picks are not.

    Raises:
        ValueError: unless friction is (n,) with n >= 2 and finite, dt is positive, and rate,
            threshold and refractory are not negative (concrete values).

    Example:
        >>> import jax.numpy as jnp
        >>> phase = jnp.arange(300.0) % 100.0
        >>> found = failures(0.6 + 0.001 * phase, 0.1)
        >>> print(int(found.count), [round(float(t), 3) for t in found.time[:2]])
        2 [9.9, 19.9]

    Source: ours; the rate is the paper's "failure where dμ/dt < −10 /s".
    """
    friction = jnp.asarray(friction)
    _check(friction, dt, rate, threshold, refractory)
    n, dtype = friction.shape[0], friction.dtype
    # Which samples are picked does not change with a small change of friction, so no gradient goes
    # through the walk or its threshold; it goes through the drops, which are read from friction.
    fixed = lax.stop_gradient(friction)
    if threshold is None:
        threshold = FRACTION * _range(fixed, length)
    least = lax.stop_gradient(jnp.asarray(threshold).astype(dtype))
    step = jnp.asarray(dt).astype(dtype)
    fastest = jnp.zeros((), dtype) if rate is None else jnp.asarray(rate).astype(dtype) * step
    pause = jnp.asarray(refractory).astype(dtype) / step
    # The walk tells an event once it is over, at a later sample. Scattered to the samples that they
    # belong to, starts and ends come out in order; n, which stands for no event, is dropped.
    rule = Rule(least=least, fastest=fastest, pause=pause)
    starts, ends = walk_along(fixed, rule, within(n, length))
    start = jnp.zeros(n, bool).at[starts].set(True, mode="drop")
    end = jnp.zeros(n, bool).at[ends].set(True, mode="drop")
    first = jnp.nonzero(start, size=n // 2, fill_value=n)[0]
    last = jnp.nonzero(end, size=n // 2, fill_value=n)[0]
    # A start needs a lower sample after it, so a record of n samples has at most n // 2 events.
    there = first < n
    before, after = (friction[jnp.minimum(i, n - 1)] for i in (first, last))
    return Failures(
        start=start,
        end=end,
        count=jnp.sum(there),
        time=jnp.where(there, first.astype(dtype) * step, jnp.inf),
        end_time=jnp.where(there, last.astype(dtype) * step, jnp.inf),
        drop=jnp.where(there, before - after, 0.0),
        threshold=least,
    )


def time_to_failure(start: Mask, dt: Number) -> tuple[Float[Array, " n"], Bool[Array, " n"]]:
    """Time from each sample until the next start of a failure, and where it is known.

    Arguments:
        start: (n,), such as `failures(...).start`.
        dt: s between samples.

    Returns:
        (n,), s, zero at a start; and (n,), false after the last start. There the time is
        counted to one sample after the record: the least that it can be.

    Raises:
        ValueError: unless start is (n,) and dt is positive.

    Example:
        >>> import jax.numpy as jnp
        >>> left, known = time_to_failure(jnp.array([False, False, True, False]), 0.5)
        >>> print(left)
        [1.  0.5 0.  0.5]
        >>> print(known)
        [ True  True  True False]
    """
    start = jnp.asarray(start)
    _checks.vector("start", start)
    _checks.positive("dt", dt)
    n = start.shape[0]
    # From the end backwards, the least index of a start that is not before the sample.
    following = lax.cummin(jnp.where(start, jnp.arange(n), n), reverse=True)
    step = jnp.asarray(dt)
    if not jnp.issubdtype(step.dtype, jnp.floating):
        step = step.astype(jnp.result_type(float))
    return (following - jnp.arange(n)).astype(step.dtype) * step, following < n


def _check(
    friction: Array,
    dt: Number,
    rate: Number | None,
    threshold: Number | None,
    refractory: Number,
) -> None:
    _checks.vector("friction", friction)
    if friction.shape[0] < 2:
        raise ValueError("friction must have two samples or more, for an event is a drop")
    if _checks.is_concrete(friction) and not np.isfinite(np.asarray(friction)).all():
        raise ValueError("friction must be finite; fill or cut gaps first (records.read_labquake)")
    _checks.positive("dt", dt)
    for name, value in (("rate", rate), ("threshold", threshold), ("refractory", refractory)):
        if value is not None:
            _checks.non_negative(name, value)


def within(n: int, length: Number | None) -> Bool[Array, " n"]:
    """Which of n samples belong to a record of this length; all if it has none."""
    index = jnp.arange(n)
    return index < (n if length is None else jnp.asarray(length).astype(index.dtype))


def _range(x: Array, length: Number | None) -> Array:
    """From the 5 % to the 95 % quantile."""
    levels = jnp.asarray([0.05, 0.95], x.dtype)
    if length is None:
        low, high = jnp.quantile(x, levels)
    else:
        low, high = jnp.nanquantile(jnp.where(within(x.shape[0], length), x, jnp.nan), levels)
    return high - low
