"""A ridge regression on the past of the emission: what a linear filter can do."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._types import Mask, Number, Series
from jaxfric.forecast._clock import same_shape
from jaxfric.forecast._metrics import masked_mean

# Over the largest squared singular value, three a decade: from none to one that leaves hardly
# anything but the mean.
PENALTIES = np.logspace(-10.0, 2.0, 37)


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
    # Every lag is centred and scaled by the training span, so that one penalty suits all.
    x = _history(jnp.asarray(log_energy), block, min(lags, samples))
    y = jnp.asarray(target).astype(x.dtype)
    weight = train.astype(x.dtype)[:, None]
    number = jnp.maximum(jnp.sum(weight), 1.0)
    x = x - (jnp.sum(weight * x, axis=0) / number)[None, :]
    scale = jnp.sqrt(jnp.sum(weight * x**2, axis=0) / number)
    x = x / jnp.where(scale > 0, scale, 1.0)[None, :]
    mean = masked_mean(y, train)
    # Rows outside the training span are zeroed, not cut, so that shapes do not depend on values.
    # With one decomposition x = U S Vᵀ every penalty is solved: ridge shrinks component i by
    # s²/(s² + penalty).
    u, s, vt = jnp.linalg.svd(weight * x, full_matrices=False)
    uy = u.T @ jnp.where(train, y - mean, 0.0)
    # At least the smallest penalty that the precision can tell from none. The second maximum is for
    # lags that are all constant: s is zero then, and 0/0 would follow.
    penalties = jnp.maximum(jnp.asarray(PENALTIES, x.dtype), jnp.finfo(x.dtype).eps)
    penalties = penalties[:, None] * jnp.maximum(s[0], jnp.finfo(x.dtype).tiny ** 0.5) ** 2
    shrink = (s**2)[None, :] / ((s**2)[None, :] + penalties)
    residual = (y - mean)[None, :] - (shrink * uy[None, :]) @ u.T
    # PRESS: what a fit without sample i would miss it by is the residual over 1 − h_ii. The mean
    # that was taken off counts as one more coefficient, with a leverage of 1/n. The floor is for a
    # sample that fixes its own prediction, h = 1.
    left_out = residual / jnp.maximum(1 - shrink @ (u**2).T - 1 / number, 1e-6)
    best = jnp.argmin(jnp.sum(jnp.where(train[None, :], left_out**2, 0.0), axis=1))
    weights = vt.T @ (uy * s / (s**2 + penalties[best]))
    return mean + x @ weights


def _history(x: Array, block: int, lags: int) -> Array:
    """(n, lags): means over the last `block` samples, the one before, and so on."""
    # Before the record stands its first value, so that the first rows have a history too.
    padded = jnp.concatenate([jnp.full(block - 1, x[0]), x])
    zero = jnp.zeros((), x.dtype)
    mean = lax.reduce_window(padded, zero, lax.add, (block,), (1,), "valid") / block
    past = jnp.arange(x.shape[0])[:, None] - block * jnp.arange(lags)[None, :]
    return mean[jnp.maximum(past, 0)]
