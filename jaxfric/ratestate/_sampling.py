"""Random slide-hold-slide protocols of the paper "Slide, Hold, Learn"."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import _checks
from jaxfric.dynamics import VelocityProtocol
from jaxfric.ratestate._evolution import AbstractEvolution, Aging
from jaxfric.ratestate._law import RateStateLaw


def sample_protocol(
    *,
    key: Key[Array, ""],
    duration: float = 1.0,
    slip: float = 1.0,
    hold_velocity: float = 1e-8,
    jumps: tuple[int, int] = (2, 5),
    min_gap: float = 1e-4,
    grid: int | None = None,
) -> VelocityProtocol:
    """Draw one random protocol: a few velocity jumps, one hold between them, fixed total slip.

    The number of jumps is uniform on `jumps[0] … jumps[1]`, their times are uniform on the
    duration, one inner segment is the hold, and random shares of the slip go to the others. The
    length is always `jumps[1] + 1`, padded with `times = inf`, so that `jax.vmap` over keys works.

    Arguments:
        key: typed PRNG key.
        duration: total time, s (dimensionless by default, as are all the defaults).
        slip: total slip of the sliding segments, m.
        hold_velocity: velocity of the hold, m/s, small and positive.
        jumps: smallest (>= 2) and largest number of jumps.
        min_gap: shortest segment as a share of the duration, so that times never coincide.
        grid: if given, jump times are multiples of duration/grid (all different).

    Returns:
        A `VelocityProtocol` of `jumps[1] + 1` segments.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import jax
        >>> keys = jax.random.split(jax.random.key(0), 5)
        >>> protocols = jax.vmap(lambda key: sample_protocol(key=key))(keys)
        >>> print(protocols.times.shape)
        (5, 6)

    Source: section II.2 of the paper; duration = slip = 1, the hold velocity and the random
    shares are recovered from its figures. Grid and gap are ours.
    """
    _checks.positive("duration", duration)
    _checks.positive("slip", slip)
    _checks.positive("hold_velocity", hold_velocity)
    low, high = jumps
    if not 2 <= low <= high:
        raise ValueError(f"jumps must be (low, high) with 2 <= low <= high; got {jumps}")
    if not 0 < min_gap * (high + 1) < 1:
        raise ValueError(f"min_gap must lie in (0, 1/{high + 1}); got {min_gap}")
    if grid is not None and grid <= high:
        raise ValueError(f"grid must exceed the largest number of jumps, {high}; got {grid}")

    # One shape for every draw: all of `high + 1` segments are drawn, and those past the number of
    # jumps are made padding
    number_key, time_key, hold_key, share_key = jax.random.split(key, 4)
    number = jax.random.randint(number_key, (), low, high + 1)
    starts = _jump_times(time_key, number, high, min_gap, grid)  # in units of the duration
    index = jnp.arange(high + 1)
    used = index <= number
    # An inner segment: neither the first nor the last one that is used
    hold = index == jax.random.randint(hold_key, (), 1, number)
    ends = jnp.concatenate([starts[1:], jnp.ones(1)])
    length = jnp.where(used, jnp.where(index == number, 1.0, ends) - starts, 1.0)
    # At least a thousandth of the largest share, so that no sliding segment is at rest
    share = jnp.where(used & ~hold, jax.random.uniform(share_key, (high + 1,), minval=1e-3), 0.0)
    # V_k = slip · (share_k/Σ share)/duration_k: the slip of the sliding segments is exact
    speed = slip * share / jnp.sum(share) / (length * duration)
    velocities = jnp.where(hold, hold_velocity, speed)
    return VelocityProtocol(jnp.where(used, starts * duration, jnp.inf), velocities)


def _jump_times(
    key: Key[Array, ""], number: Array, high: int, min_gap: float, grid: int | None
) -> Float[Array, " n"]:
    """0, then `number` sorted times in (0, 1), then padding of 1."""
    index = jnp.arange(1, high + 1)
    drawn = jax.random.uniform(key, (high,))
    if grid is None:
        drawn = jnp.where(index <= number, drawn, 1.0)
        # Shrink the free time and give each of the number + 1 segments its gap back
        segments = (number + 1).astype(drawn.dtype)
        times = jnp.sort(drawn) * (1 - segments * min_gap) + index.astype(drawn.dtype) * min_gap
    else:
        # Without replacement, so that all times differ; what is not used goes to the end and is cut
        chosen = jax.random.choice(key, grid - 1, (high,), replace=False) + 1
        # A table, for XLA divides by a constant inexactly: samples at k/grid must meet the jumps
        table = jnp.asarray(np.arange(grid + 1) / grid, drawn.dtype)
        times = table[jnp.sort(jnp.where(index <= number, chosen, grid))]
    return jnp.concatenate([jnp.zeros(1), times])


def slide_hold_learn_law(evolution: AbstractEvolution = Aging()) -> RateStateLaw:  # noqa: B008
    """The dimensionless law behind the paper's figures.

    Arguments:
        evolution: `Aging()` or `Slip()`.

    Returns:
        μ_ss(V = 1) = 0.415, a = 0.006, b = 0.016, Dc = 1/30, V0 = 1.

    Example:
        >>> print(slide_hold_learn_law().a)
        0.006

    Source: recovered from the author's public figures (rms misfit 3.3e-4); ours, not the paper's.
    """
    return RateStateLaw(mu0=0.415, a=0.006, b=0.016, Dc=1 / 30, V0=1.0, evolution=evolution)
