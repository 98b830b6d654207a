"""What any network has to beat: a constant, a clock and a ridge regression."""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._types import Mask, Number, Series
from jaxfric.forecast._clock import clock, log_energy as ln, same_shape
from jaxfric.forecast._metrics import Scores, masked_mean, scores

PENALTIES = np.logspace(-10.0, 2.0, 37)  # over the largest squared singular value


class Yardsticks(eqx.Module):
    """What `yardsticks` returns: `Scores` by name, also as `result["clock"]`.

    Attributes:
        constant: of the training mean.
        clock: of the clock that runs from the end of the last burst.
        onset_clock: of the one that runs from its onset: the harder one to beat.
        ridge: of the ridge regression.
    """

    constant: Scores
    clock: Scores
    onset_clock: Scores
    ridge: Scores

    def keys(self) -> tuple[str, ...]:
        """The names of the yardsticks."""
        return ("constant", "clock", "onset_clock", "ridge")

    def __getitem__(self, name: str) -> Scores:
        if name not in self.keys():
            raise KeyError(f"{name!r} is none of the yardsticks: {', '.join(self.keys())}")
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __str__(self) -> str:
        if not _checks.is_concrete(self) or np.ndim(self.constant.mape):
            return "Yardsticks(traced or batched)"
        events = int(self.constant.events) > 0
        lines = ["yardstick      MAPE %       R²        MAE"]
        lines[0] += "   missed  timing s" if events else ""
        for name in self:
            one = self[name]
            line = f"{name:<12} {one.mape:>8.3g} {one.r2:>8.3f} {one.mae:>10.4g}"
            lines.append(line + (f" {one.missed:>8.2f} {one.timing:>9.3g}" if events else ""))
        return "\n".join(lines)


def constant(target_train: Series, n: int) -> Float[Array, " n"]:
    """The mean of the training span, n times.

    Example:
        >>> import jax.numpy as jnp
        >>> print(constant(jnp.array([1.0, 2.0]), 3))
        [1.5 1.5 1.5]
    """
    _checks.vector("target_train", target_train)
    return jnp.full(n, jnp.mean(jnp.asarray(target_train)))


def ridge(
    log_energy: Series,
    target: Series,
    dt: Number,
    train: Mask,
    *,
    history: float = 7.0,
    lags: int = 70,
) -> Float[Array, " n"]:
    """Ridge regression of the target on the past seconds of the log energy.

    The history is cut into `lags` block means (one sample each at 10 Hz). The penalty is the one
    with the least leave-one-out error over the training span, Σ [(yᵢ − ŷᵢ)/(1 − hᵢᵢ)]², with hᵢᵢ
    of the hat matrix. Neighbouring samples resemble each other, so it errs to the small side.

    Arguments:
        log_energy: (n,), of any base; before the record its first value.
        target: (n,), read in the training span only.
        dt: s between samples; a plain number, since it fixes the blocks.
        train: (n,), the samples to learn from.
        history: s.
        lags: most blocks.

    Returns:
        (n,), in the unit of the target; sample i depends on log energies up to i.

    Raises:
        ValueError: for shapes that differ, a traced dt, or a history below one sample.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> x = jax.random.normal(jax.random.key(0), (400,))
        >>> target = 0.5 + 0.1 * x + 0.05 * jnp.roll(x, 3)
        >>> train = (jnp.arange(400) > 9) & (jnp.arange(400) < 200)
        >>> error = ridge(x, target, 0.1, train, history=1.0) - target
        >>> print(bool(jnp.max(jnp.abs(error[10:])) < 1e-4))
        True

    Source: the leave-one-out form is Allen's PRESS (1974).
    """
    train = jnp.asarray(train)
    same_shape(log_energy=log_energy, target=target, train=train)
    if not _checks.is_concrete(dt):
        raise ValueError("dt must be a plain number here, for it fixes the blocks: close over it")
    _checks.positive("dt", dt)
    samples = round(history / float(dt))
    if samples < 1 or lags < 1:
        raise ValueError(f"history must span one sample or more and lags be >= 1; got {history} s")
    block = max(1, round(samples / lags))
    x = _history(jnp.asarray(log_energy), block, min(lags, samples))
    y = jnp.asarray(target).astype(x.dtype)
    weight = train.astype(x.dtype)[:, None]
    number = jnp.maximum(jnp.sum(weight), 1.0)
    x = x - (jnp.sum(weight * x, axis=0) / number)[None, :]
    scale = jnp.sqrt(jnp.sum(weight * x**2, axis=0) / number)
    x = x / jnp.where(scale > 0, scale, 1.0)[None, :]
    mean = masked_mean(y, train)
    u, s, vt = jnp.linalg.svd(weight * x, full_matrices=False)
    uy = u.T @ jnp.where(train, y - mean, 0.0)
    # The smallest penalty that float32 can tell from none.
    penalties = jnp.maximum(jnp.asarray(PENALTIES, x.dtype), jnp.finfo(x.dtype).eps)
    penalties = penalties[:, None] * jnp.maximum(s[0], jnp.finfo(x.dtype).tiny ** 0.5) ** 2
    shrink = (s**2)[None, :] / ((s**2)[None, :] + penalties)
    residual = (y - mean)[None, :] - (shrink * uy[None, :]) @ u.T
    left_out = residual / jnp.maximum(1 - shrink @ (u**2).T - 1 / number, 1e-6)
    best = jnp.argmin(jnp.sum(jnp.where(train[None, :], left_out**2, 0.0), axis=1))
    weights = vt.T @ (uy * s / (s**2 + penalties[best]))
    return mean + x @ weights


def yardsticks(
    energy: Series,
    target: Series,
    dt: Number,
    train: Mask,
    test: Mask,
    *,
    events: bool = True,
    length: Number | None = None,
) -> Yardsticks:
    """Constant, clocks and ridge, learnt on one span of a record and scored on another.

    Arguments:
        energy: (n,), positive.
        target: (n,), friction or time to failure.
        dt: s between samples, a plain number.
        train: (n,), the samples to learn from.
        test: (n,), the samples to score.
        events: compare failures too; pass False for a time to failure.
        length: as in `failures`; neither `train` nor `test` may hold samples after it.

    Returns:
        `Yardsticks`, which prints as a table.

    Raises:
        ValueError: for shapes that differ, and as `clock` and `ridge`.

    Example:
        >>> import jax.numpy as jnp
        >>> phase = jnp.arange(600.0) % 100.0
        >>> energy, friction = jnp.where(phase < 10, 50.0, 1.0), 0.5 + 0.001 * phase
        >>> early = jnp.arange(600) < 300
        >>> table = yardsticks(energy, friction, 0.1, early, ~early)
        >>> print(bool(table["onset_clock"].mape < 1e-3 < table.constant.mape))
        True

    Source: ours.
    """
    same_shape(energy=energy, target=target, train=train, test=test)
    energy, test = jnp.asarray(energy), jnp.asarray(test)
    target = jnp.asarray(target).astype(energy.dtype)
    spacing = dt if events else None

    def score(one: Array) -> Scores:
        return scores(target, one, spacing, where=test, length=length)

    found = jax.vmap(score)(yardstick_predictions(energy, target, dt, train))
    return Yardsticks(*(jax.tree_util.tree_map(lambda x, i=i: x[i], found) for i in range(4)))


def yardstick_predictions(
    energy: Series, target: Series, dt: Number, train: Mask
) -> Float[Array, "4 n"]:
    """What constant, clock, onset clock and ridge say, in this order; see `yardsticks`.

    Example:
        >>> import jax.numpy as jnp
        >>> phase = jnp.arange(600.0) % 100.0
        >>> energy, friction = jnp.where(phase < 10, 50.0, 1.0), 0.5 + 0.001 * phase
        >>> print(yardstick_predictions(energy, friction, 0.1, jnp.arange(600) < 300).shape)
        (4, 600)
    """
    same_shape(energy=energy, target=target, train=train)
    energy, train = jnp.asarray(energy), jnp.asarray(train)
    target = jnp.asarray(target).astype(energy.dtype)
    return jnp.stack(
        [
            jnp.full(target.shape, masked_mean(target, train)),
            clock(energy, target, dt, train),
            clock(energy, target, dt, train, since="onset"),
            ridge(ln(energy), target, dt, train),
        ]
    )


def _history(x: Array, block: int, lags: int) -> Array:
    """(n, lags): means over the last `block` samples, the one before, and so on."""
    padded = jnp.concatenate([jnp.full(block - 1, x[0]), x])
    zero = jnp.zeros((), x.dtype)
    mean = lax.reduce_window(padded, zero, lax.add, (block,), (1,), "valid") / block
    past = jnp.arange(x.shape[0])[:, None] - block * jnp.arange(lags)[None, :]
    return mean[jnp.maximum(past, 0)]
