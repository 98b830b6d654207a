"""From the motion of a fault to what an instrument records."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import _checks
from jaxfric._types import Number, Vector

Signal = Float[Array, " m"]
LinearMap = tuple[Signal, Signal]  # n → g n + e as (g, e)

# Correlation of a sensor's own noise in neighbouring samples: its coupling wanders slowly
SENSOR_MEMORY = 0.8
# Of the sizes of bursts, as powers of ten of the largest
DECADES = (-3.0, 0.0)


def window_average(integral: Signal, dt: Number, window: Number) -> Signal:
    """Mean of a signal over the window that ends at each sample, from the signal's integral.

    x̄(t) = [X(t) − X(t − w)] / w; near the start the window is what there is. Laboratories store
    variances over a second of 4 MHz samples; a burst of a millisecond then fills a whole window,
    and a network that was trained without this cannot read it.

    Arguments:
        integral: (m,), X, evenly sampled; it grows.
        dt: s.
        window: w, s, > 0; need not be a multiple of dt.

    Returns:
        (m,), mean over the window; the first sample repeats the second.

    Raises:
        ValueError: for a batch, or a window that is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> print(window_average(jnp.array([0.0, 1.0, 4.0, 5.0]), 1.0, 2.0))
        [1. 1. 2. 2.]

    Source: the laboratory file's own averaging; ours.
    """
    _checks.vector("integral", integral)
    _checks.positive("window", window)
    m = integral.shape[0]
    index = jnp.arange(m, dtype=integral.dtype)
    # Where the window begins, in samples; X there on the straight line between two of them
    back = jnp.clip(index - window / dt, 0, None)
    low = jnp.clip(back.astype(int), 0, max(m - 2, 0))
    part = back - low.astype(back.dtype)
    before = integral[low] + part * (integral[jnp.minimum(low + 1, m - 1)] - integral[low])
    span = (index - back) * dt
    # The first window has no length, and so no mean of its own
    mean = (integral - before) / jnp.where(span > 0, span, 1)
    return mean.at[0].set(mean[min(1, m - 1)])


def compress(energy: Signal, exponent: Number) -> Signal:
    """Amplitudes that grow with a power of the kinetic energy, (E/E_max)^γ.

    Grains radiate by the number of contacts they break, which grows with slip rate, not with its
    square; γ = 1 keeps the energy.

    Arguments:
        energy: (m,), not negative.
        exponent: γ.

    Returns:
        (m,), 1 at the largest.

    Example:
        >>> import jax.numpy as jnp
        >>> print(compress(jnp.array([0.0, 1.0, 4.0]), 0.5))
        [0.  0.5 1. ]

    Source: ours.
    """
    # A fault that never moved has no largest energy: zeros over the smallest number are zeros
    tiny = jnp.finfo(energy.dtype).tiny
    ratio = energy / jnp.maximum(jnp.max(energy), tiny)
    positive = ratio > 0  # 0^γ has no derivative
    return jnp.where(positive, jnp.where(positive, ratio, 1) ** exponent, 0)


def add_background(
    signal: Signal,
    level: Number,
    *,
    stress: Float[Array, "..."] | None = None,
    growth: Number = 0.0,
) -> Signal:
    """Emission that never stops: x + level · median(x) · exp(g s).

    s = (τ − mean τ)/(max τ − min τ), 0 without a stress.

    Pumps, hydraulics and creeping grains fill the quiet times of any recording. Grains that crack
    under the load do so more often the more they carry, by subcritical growth of their flaws: the
    quiet of a laboratory fault follows its stress through every cycle.

    Arguments:
        signal: (m,).
        level: of the background at the mean stress, in units of the signal's median.
        stress: τ, (m,), in any unit; None for a background that is constant.
        growth: g, of the background's logarithm over the range of the stress.

    Returns:
        (m,).

    Raises:
        ValueError: if the stress has another shape, or there is a growth without a stress.

    Example:
        >>> import jax.numpy as jnp
        >>> print(add_background(jnp.array([1.0, 2.0, 9.0]), 0.5))
        [ 2.  3. 10.]
        >>> stress = jnp.array([0.0, 1.0, 2.0])
        >>> print(add_background(jnp.array([1.0, 2.0, 9.0]), 0.5, stress=stress, growth=2.0))
        [ 1.3678794  3.        11.7182818]

    Source: the exponential is that of Charles (1958) and Scholz (1968); ours.
    """
    # The median is a measure of the quiet that events, a small share of the time, do not move
    quiet = level * jnp.median(signal)
    if stress is None:
        if isinstance(growth, jax.core.Tracer) or np.any(np.asarray(growth) != 0):
            raise ValueError("a background that grows needs the stress it grows with: stress=...")
        return signal + quiet
    if jnp.shape(stress) != jnp.shape(signal):
        raise ValueError(
            f"stress must have the signal's shape {jnp.shape(signal)}; got {jnp.shape(stress)}"
        )
    # s; of a constant stress 0, not 0/0
    extent = jnp.max(stress) - jnp.min(stress)
    share = (stress - jnp.mean(stress)) / jnp.where(extent > 0, extent, 1)
    return signal + quiet * jnp.exp(growth * share)


def add_noise(signal: Signal, level: Number, correlation: Number, *, key: Key[Array, ""]) -> Signal:
    """Multiplicative noise, x exp(s n), with n a first-order autoregression of unit variance.

    A variance is estimated from finitely many samples and the coupling of a sensor wanders: errors
    are in proportion, and overlapping windows correlate them.

    Arguments:
        signal: (m,).
        level: s.
        correlation: of neighbouring samples, in [0, 1).
        key: typed key.

    Returns:
        (m,).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> noisy = add_noise(jnp.ones(1000), 0.1, 0.9, key=jax.random.key(0))
        >>> print(noisy.shape)
        (1000,)

    Source: ours.
    """
    white = jax.random.normal(key, signal.shape, signal.dtype)
    kept = jnp.asarray(correlation, signal.dtype)
    fresh = jnp.sqrt(1 - kept**2)
    gains = jnp.where(jnp.arange(signal.shape[0]) == 0, 1, fresh)

    # n_k = ρ n_{k−1} + √(1−ρ²) e_k, of variance one from the first sample on. Each step is the map
    # n → g n + e; maps are composed in any grouping, so that a scan over them runs in parallel
    def after(first: LinearMap, second: LinearMap) -> LinearMap:
        return first[0] * second[0], first[1] * second[0] + second[1]

    factors = jnp.broadcast_to(kept, signal.shape)
    _, noise = jax.lax.associative_scan(after, (factors, gains * white))
    return signal * jnp.exp(level * noise)


def add_bursts(
    signal: Signal, dt: Number, window: Number, rate: Number, size: Number, *, key: Key[Array, ""]
) -> Signal:
    """Bursts that move nothing: x + size · s_k over windows that begin at random times.

    Single grains crack and sensors crackle without a drop of friction; the sizes s_k are
    log-uniform over three decades below 1.

    Arguments:
        signal: (m,).
        dt: s.
        window: of the instrument, s; each burst fills one.
        rate: of bursts, 1/s.
        size: of the largest.
        key: typed key.

    Returns:
        (m,).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> x = add_bursts(jnp.zeros(500), 0.1, 1.0, 0.2, 5.0, key=jax.random.key(0))
        >>> bool((x.max() > 0) & (x.max() < 10))
        True

    Source: ours.
    """
    when, how = jax.random.split(key)
    m = signal.shape[0]
    starts = jax.random.bernoulli(when, jnp.clip(rate * dt, 0, 1), (m,))
    sizes = 10.0 ** jax.random.uniform(how, (m,), signal.dtype, *DECADES)
    # What began within a window's length is what began up to now less what began up to its start
    total = jnp.cumsum(jnp.where(starts, size * sizes, 0).astype(signal.dtype))
    width = jnp.maximum(jnp.round(window / dt).astype(int), 1)
    back = jnp.arange(m) - width
    ended = jnp.where(back >= 0, total[jnp.clip(back, 0, m - 1)], 0)
    return signal + (total - ended)


def channels(
    signal: Signal, gains: Vector, noise: Number, *, key: Key[Array, ""]
) -> Float[Array, "m c"]:
    """The same emission at several sensors, each with its gain and its own noise.

    Arguments:
        signal: (m,).
        gains: (c,).
        noise: level of each sensor's noise, see `add_noise`.
        key: typed key.

    Returns:
        (m, c).

    Raises:
        ValueError: if the gains are not a vector.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> print(channels(jnp.ones(3), jnp.array([1.0, 2.0]), 0.0, key=jax.random.key(0))[0])
        [1. 2.]

    Source: the laboratory's two sensors; ours.
    """
    if np.ndim(gains) != 1:
        raise ValueError(f"gains must have shape (channels,); got {np.shape(gains)}")
    gains = jnp.asarray(gains, signal.dtype)
    keys = jax.random.split(key, gains.shape[0])
    of_sensors = jax.vmap(lambda g, k: g * add_noise(signal, noise, SENSOR_MEMORY, key=k))(
        gains, keys
    )
    return of_sensors.T
