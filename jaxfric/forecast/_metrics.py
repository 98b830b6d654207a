"""How good a prediction of friction, or of the time to failure, is."""

from functools import partial

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from jaxfric import _checks
from jaxfric._show import html_table
from jaxfric._types import Mask, Number, Series
from jaxfric.forecast._failures import Failures, failures, within
from jaxfric.forecast._tables import batch_note, in_short, without_numbers

SMALL = 1e-3  # of the mean of |truth|: nearer to zero a relative error says nothing

# Field, label and unit; the first four rows are printed where no failures were compared.
_ROWS = (
    ("mape", "mean absolute error, relative", "%"),
    ("r2", "R²", ""),
    ("mae", "mean absolute error", ""),
    ("rmse", "root mean square error", ""),
    ("events", "failures in the truth", ""),
    ("picks", "failures in the prediction", ""),
    ("missed", "share of failures missed", ""),
    ("timing", "timing error of the others", "s"),
    ("drop_ratio", "predicted over true drop", ""),
)


class Scores(eqx.Module):
    """What `scores` returns; it prints as a table.

    Attributes:
        mape: mean absolute percentage error, 100 mean |p − y| / |y|, over the samples
            where |y| is above a thousandth of its mean.
        r2: 1 − Σ (p − y)² / Σ (y − ȳ)², with the mean ȳ of the same samples; 0 for a constant y.
        mae: mean absolute error, in the unit of the truth.
        rmse: root mean square error.
        events: failures in the truth; 0 if they were not asked for.
        picks: failures in the prediction.
        missed: share of the true failures without a predicted one within half the median
            recurrence.
        timing: mean absolute time between the others and the predicted failure next to each, s;
            half the recurrence if all are missed, 0 if there are none.
        drop_ratio: mean of predicted over true drop of the same; 0 if all are missed.
    """

    mape: Float[Array, ""]
    r2: Float[Array, ""]
    mae: Float[Array, ""]
    rmse: Float[Array, ""]
    events: Int[Array, ""]
    picks: Int[Array, ""]
    missed: Float[Array, ""]
    timing: Float[Array, ""]
    drop_ratio: Float[Array, ""]

    def _table(self) -> list[tuple[str, str, str]]:
        """Label, number and unit of each row that is printed; of a batch, medians and ranges."""
        compared = np.any(np.asarray(self.events)) or np.any(np.asarray(self.picks))
        return [
            (label, in_short(getattr(self, name), ".4g"), unit)
            for name, label, unit in (_ROWS if compared else _ROWS[:4])
        ]

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if (why := without_numbers(self.mape)) is not None:
            return f"Scores ({why})"
        lines = [
            f"{label:<31} {number:>10} {unit}".rstrip() for label, number, unit in self._table()
        ]
        title = batch_note(self.mape)
        return "\n".join([f"Scores{title}", *lines] if title else lines)

    def _repr_html_(self) -> str:
        """The same table for a notebook."""
        if without_numbers(self.mape) is not None:
            return str(self)
        return html_table(("score" + batch_note(self.mape), "value", "unit"), self._table())


def scores(
    truth: Series,
    prediction: Series,
    dt: Number | None = None,
    *,
    where: Mask | None = None,
    rate: Number | None = None,
    threshold: Number | None = None,
    refractory: Number = 0.0,
    length: Number | None = None,
) -> Scores:
    """Errors of a prediction, sample by sample and failure by failure.

    A MAPE alone says little: print those of `yardsticks` beside it.

    Arguments:
        truth: (n,), friction or time to failure.
        prediction: (n,).
        dt: s between samples; without it failures are not compared. Leave it out for a time to
            failure, which has no drops.
        where: (n,), the samples that count, such as the test span; all if left out.
        rate: as in `failures`.
        threshold: as in `failures`; both records are picked with that of the truth.
        refractory: as in `failures`.
        length: as in `failures`; samples after it do not count.

    Returns:
        `Scores`; `mape`, `r2`, `mae`, `rmse` and `drop_ratio` are differentiable.

    Raises:
        ValueError: unless truth and prediction are (n,) of one length.

    Example:
        >>> import jax.numpy as jnp
        >>> truth = 0.6 + 0.001 * (jnp.arange(300.0) % 100.0)
        >>> found = scores(truth, 1.01 * truth, 0.1)
        >>> print(f"{found.mape:.2f} % {found.drop_ratio:.2f}, {found.events} events")
        1.00 % 1.01, 2 events
    """
    truth, prediction = jnp.asarray(truth), jnp.asarray(prediction)
    _checks.vector("truth", truth)
    if prediction.shape != truth.shape or (where is not None and np.shape(where) != truth.shape):
        raise ValueError(
            f"prediction and where must have the truth's shape {truth.shape}; got "
            f"{prediction.shape}"
            + ("" if where is None else f" and {np.shape(where)}")
            + ". For a batch, use jax.vmap"
        )
    counted = jnp.ones(truth.shape, bool) if where is None else jnp.asarray(where)
    if length is not None:
        counted &= within(truth.shape[0], length)
    mape, r2, mae, rmse = _errors(truth, prediction, counted)
    if dt is None:
        none = jnp.zeros((), truth.dtype)
        zero = jnp.zeros((), jnp.int32)
        events, picks, missed, timing, drop_ratio = zero, zero, none, none, none
    else:
        pick = partial(failures, dt=dt, rate=rate, refractory=refractory, length=length)
        true = pick(truth, threshold=threshold)
        # The truth's threshold for both: a flat prediction has small drops of its own, which its
        # own threshold would call failures.
        picked = pick(prediction, threshold=true.threshold)
        n = truth.shape[0] if length is None else length
        events, picks, missed, timing, drop_ratio = _compare(true, picked, counted, dt, n)
    return Scores(
        mape=mape,
        r2=r2,
        mae=mae,
        rmse=rmse,
        events=events,
        picks=picks,
        missed=missed,
        timing=timing,
        drop_ratio=drop_ratio,
    )


def masked_mean(x: Array, where: Array) -> Array:
    """The mean of the samples that count; 0 of none."""
    # Shapes stay what they are under jit, so samples that do not count are zeroed, not cut out. The
    # maximum keeps a mean of nothing, and its gradient, from being NaN.
    total = jnp.sum(where.astype(x.dtype))
    return jnp.sum(jnp.where(where, x, 0.0)) / jnp.maximum(total, 1.0)


def _errors(y: Array, p: Array, where: Array) -> tuple[Array, Array, Array, Array]:
    size = jnp.abs(y)
    # The inner where keeps a division by zero out of the gradient, which would turn it into NaN
    # even though its value is not used.
    relative = where & (size > SMALL * masked_mean(size, where))
    error = p - y
    mape = 100 * masked_mean(jnp.abs(error) / jnp.where(relative, size, 1.0), relative)
    square, spread = (masked_mean(e**2, where) for e in (error, y - masked_mean(y, where)))
    # Of a constant truth nothing can be explained: R² is 0 by definition, not 0/0.
    r2 = jnp.where(spread > 0, 1 - square / jnp.where(spread > 0, spread, 1.0), 0.0)
    # Where twice for the same reason: √ has an infinite slope at zero.
    rmse = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)
    return mape, r2, masked_mean(jnp.abs(error), where), rmse


def _compare(
    true: Failures, picked: Failures, where: Array, dt: Number, length: Number
) -> tuple[Array, Array, Array, Array, Array]:
    """Events, picks, share missed, timing error and ratio of drops."""
    n, dtype = true.start.shape[0], true.drop.dtype
    step = jnp.asarray(dt).astype(dtype)
    counted = true.start & where
    events = jnp.sum(counted)
    # Within half a recurrence a pick is nearer to this failure than to the ones before and after.
    reach = 0.5 * _recurrence(true, jnp.asarray(length).astype(dtype) * step)
    index = jnp.arange(n)
    # The nearest pick at or before each sample and at or after it, in one pass each. Where there is
    # none the index is so far out that it is never within reach.
    before = lax.cummax(jnp.where(picked.start, index, -n))
    after = lax.cummin(jnp.where(picked.start, index, 2 * n), reverse=True)
    nearest = jnp.where(index - before <= after - index, before, after)
    away = jnp.abs(nearest - index).astype(dtype) * step
    found = counted & (away <= reach)
    hits = jnp.sum(found).astype(dtype)
    drops, picked_drops = _dense(true), _dense(picked)
    ratio = picked_drops[jnp.clip(nearest, 0, n - 1)] / jnp.where(found, drops, 1.0)
    timing = jnp.where(hits > 0, masked_mean(away, found), jnp.where(events > 0, reach, 0.0))
    total = jnp.maximum(events, 1).astype(dtype)
    missed = jnp.sum(counted & ~found).astype(dtype) / total
    return events, jnp.sum(picked.start & where), missed, timing, masked_mean(ratio, found)


def _recurrence(true: Failures, longest: Array) -> Array:
    """The median time between failures; `longest` if there are fewer than two."""
    # The lists are padded with infinities. Gaps that are none sort behind the others, and the
    # median is taken among the first `count` − 1.
    pairs = jnp.arange(true.time.shape[0] - 1) < true.count - 1
    later = jnp.where(pairs, true.time[1:], jnp.inf)
    gaps = jnp.sort(later - jnp.where(pairs, true.time[:-1], 0.0))
    if gaps.shape[0] == 0:
        return longest
    m = jnp.maximum(true.count - 1, 1)
    return jnp.where(true.count > 1, 0.5 * (gaps[(m - 1) // 2] + gaps[m // 2]), longest)


def _dense(picked: Failures) -> Array:
    """The drop of each event at the sample where it starts."""
    n = picked.start.shape[0]
    # Places beyond the events are n, outside the array, and "drop" leaves them unwritten.
    place = jnp.nonzero(picked.start, size=picked.drop.shape[0], fill_value=n)[0]
    return jnp.zeros(n, picked.drop.dtype).at[place].set(picked.drop, mode="drop")
