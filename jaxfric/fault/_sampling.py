"""Faults and instruments drawn at random, in stated physical ranges."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric.fault._chain import FaultChain
from jaxfric.fault._emission import (
    add_background,
    add_bursts,
    add_noise,
    channels,
    compress,
    window_average,
)
from jaxfric.fault._patches import patches as make_patches
from jaxfric.fault._simulate import FaultHistory

Range = tuple[float, float]


class FaultRanges(eqx.Module):
    """What `sample_fault` draws from, uniformly, or in the logarithm where it says so.

    Arguments:
        friction: of the peak, dimensionless: gouges and glass beads.
        drop: characteristic friction drop, dimensionless, log.
        recurrence: characteristic, s, log.
        normal_stress: Pa, log.
        velocity: of the load point, m/s, log.
        softening: loading rate just before an event over that just after it, log; 1 is a linear
            spring.
        direct: a, dimensionless, log.
        slip_length: Dc over the slip of an event, log.
        leaf: leaf spring over loader, log.
        coupling: coupling over leaf spring.
        roughness: amplitude over the drop.
        spread: of the patches' normal stress and of their ln(b − a).
        drift: change of the level over the drop.
        drift_time: s, log.
        peak_velocity: of events, m/s, log; it sets the damping.
        plate_period: of a plate with a mass on its loader while the fault slips, s, log; None for
            one without.
        ring_damping: of that plate on loader and leaves, over the critical damping, log.
    """

    friction: Range = (0.3, 0.75)
    drop: Range = (0.02, 0.10)
    recurrence: Range = (3.0, 16.0)
    normal_stress: Range = (2e6, 1e7)
    velocity: Range = (2e-6, 2e-5)
    softening: Range = (0.12, 0.7)
    direct: Range = (0.004, 0.012)
    slip_length: Range = (0.005, 0.05)
    leaf: Range = (0.1, 3.0)
    coupling: Range = (0.0, 1.0)
    roughness: Range = (0.05, 0.8)
    spread: Range = (0.1, 0.5)
    drift: Range = (-0.3, 0.7)
    drift_time: Range = (10.0, 300.0)
    peak_velocity: Range = (1e-3, 5e-2)
    plate_period: Range | None = None
    ring_damping: Range = (0.02, 0.08)


class Instrument(eqx.Module):
    """What stands between a fault and a file: see the functions of the same names.

    Arguments:
        window: over which emission and friction are averaged, s.
        exponent: of `compress`.
        background: of `add_background`, in medians.
        growth: of `add_background`, with the stress.
        noise: of `add_noise`.
        correlation: of that noise.
        burst_rate: of `add_bursts`, 1/s.
        burst_size: of `add_bursts`, in the largest signal.
        gains: (channels,).
    """

    window: Any
    exponent: Any
    background: Any
    growth: Any
    noise: Any
    correlation: Any
    burst_rate: Any
    burst_size: Any
    gains: Float[Array, " channels"]


class Recording(eqx.Module):
    """A simulated laboratory file.

    Attributes:
        emission: (m, channels).
        friction: (m,), averaged over the instrument's window.
    """

    emission: Float[Array, "m channels"]
    friction: Float[Array, " m"]


def sample_fault(
    *,
    key: Key[Array, ""],
    patches: int = 8,
    ranges: FaultRanges = FaultRanges(),  # noqa: B008
) -> tuple[FaultChain, Float[Array, ""]]:
    """A random chain, and the velocity of its load point.

    The drop and the recurrence fix b − a ≈ drop/ln(peak velocity/velocity) and the stiffness
    K ≈ drop · σ/(velocity · recurrence) of loader and leaves in series; what the chain then does
    differs by some ten per cent.

    Arguments:
        key: typed key.
        patches: in the row, a static number.
        ranges: what to draw from.

    Returns:
        (`FaultChain`, m/s).

    Example:
        >>> import jax
        >>> chain, velocity = sample_fault(key=jax.random.key(0), patches=4)
        >>> chain.patches, bool(2e-6 <= velocity <= 2e-5)
        (4, True)

    Source: ours.
    """
    keys = iter(jax.random.split(key, 24))
    uniform, log = (lambda r: _uniform(next(keys), r)), (lambda r: _log_uniform(next(keys), r))
    V, sigma, drop = log(ranges.velocity), log(ranges.normal_stress), log(ranges.drop)
    recurrence, peak = log(ranges.recurrence), log(ranges.peak_velocity)
    mu, softening = uniform(ranges.friction), log(ranges.softening)
    roughness, drift = drop * uniform(ranges.roughness), drop * uniform(ranges.drift)
    # The tangents 1 − μ/limit fall by the softening between trough and peak, which lies below the
    # sum of all that can add to the strength: events begin at the patches that have less of it
    highest = mu + 0.1 * drop + 0.5 * roughness + 0.7 * jnp.maximum(drift, 0)
    limit = (highest + softening / (1 - softening) * drop) * sigma
    slip = V * recurrence
    spread, ratio = uniform(ranges.spread), log(ranges.leaf)
    in_series = drop * sigma / slip / (1 - (mu - drop / 2) * sigma / limit)
    loader = in_series * (1 + ratio) / ratio
    leaf = ratio * loader
    a = log(ranges.direct)
    weakening = drop / jnp.log(peak / V) * jnp.exp(spread * _normal(next(keys), patches))
    phases = jax.random.uniform(next(keys), (patches, 3), a.dtype, 0, 2 * np.pi)
    law = make_patches(
        mu0=mu - drop / 2, a=a, b=a + weakening, V0=V,
        Dc=slip * log(ranges.slip_length) * jnp.exp(0.5 * spread * _normal(next(keys), patches)),
    )  # fmt: skip
    mass: Any = None
    ringing: Any = 0.0
    if ranges.plate_period is not None:
        mass = loader * (log(ranges.plate_period) / (2 * np.pi)) ** 2
        ringing = 2 * jnp.sqrt(mass * (loader + leaf)) * log(ranges.ring_damping)
    normal_stress = jnp.exp(spread * _normal(next(keys), patches))
    normal_stress = sigma * normal_stress / jnp.mean(normal_stress)
    chain = FaultChain(
        law, normal_stress,
        loader=loader, leaf=leaf, coupling=leaf * uniform(ranges.coupling),
        damping=drop * sigma / peak, limit=limit,
        leaf_limit=limit * normal_stress / sigma, roughness=roughness,
        wavelengths=slip * jnp.array([1.7, 4.1, 9.3], a.dtype), phases=phases,
        drift=drift, drift_time=log(ranges.drift_time), plate_mass=mass, plate_damping=ringing,
    )  # fmt: skip
    return chain, V


def sample_instrument(*, key: Key[Array, ""], sensors: int = 2) -> Instrument:
    """A random instrument: window 0.7 to 1.5 s, exponent 0.15 to 0.6, gains within e.

    Half of the backgrounds, on average, rise by more than twentyfold over the range of the stress.

    Arguments:
        key: typed key.
        sensors: number of channels, static.

    Returns:
        `Instrument`.

    Example:
        >>> import jax
        >>> print(sample_instrument(key=jax.random.key(0)).gains.shape)
        (2,)

    Source: ours.
    """
    keys = iter(jax.random.split(key, 9))
    return Instrument(
        window=_uniform(next(keys), (0.7, 1.5)),
        exponent=_uniform(next(keys), (0.15, 0.6)),
        background=_log_uniform(next(keys), (0.1, 10.0)),
        growth=_uniform(next(keys), (0.0, 6.0)),
        noise=_log_uniform(next(keys), (0.01, 0.2)),
        correlation=_uniform(next(keys), (0.0, 0.98)),
        burst_rate=_uniform(next(keys), (0.0, 0.15)),
        burst_size=_log_uniform(next(keys), (0.01, 0.5)),
        gains=jnp.exp(jax.random.normal(next(keys), (sensors,), jnp.zeros(()).dtype)),
    )


def record(
    history: FaultHistory, instrument: Instrument, dt: Any, *, key: Key[Array, ""]
) -> Recording:
    """What an instrument makes of a fault's motion.

    Grains crack by the stress above the level to which the strength has drifted.

    Arguments:
        history: sampled every `dt`.
        instrument: an `Instrument`.
        dt: s.
        key: typed key of noise and bursts.

    Returns:
        `Recording`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxfric.fault import sample_fault, sample_instrument, simulate
        >>> key = jax.random.key(0)
        >>> chain, velocity = sample_fault(key=key, patches=2)
        >>> history = simulate(chain, velocity, jnp.arange(0.0, 30.0, 0.1))
        >>> print(record(history, sample_instrument(key=key), 0.1, key=key).emission.shape)
        (300, 2)

    Source: ours.
    """
    noise, bursts, sensors = jax.random.split(key, 3)
    energy = window_average(history.kinetic_integral, dt, instrument.window)
    friction = window_average(history.friction_integral, dt, instrument.window)
    signal = add_background(
        compress(energy, instrument.exponent), instrument.background,
        stress=friction - history.level, growth=instrument.growth,
    )  # fmt: skip
    size = instrument.burst_size * jnp.max(signal)
    signal = add_bursts(
        signal, dt, instrument.window, instrument.burst_rate, size, key=bursts
    )  # fmt: skip
    signal = add_noise(signal, instrument.noise, instrument.correlation, key=noise)
    each = channels(signal, instrument.gains, 0.5 * instrument.noise, key=sensors)
    return Recording(each, friction)


def _uniform(key: Any, limits: Range) -> Array:
    return jax.random.uniform(key, (), minval=limits[0], maxval=limits[1])


def _log_uniform(key: Any, limits: Range) -> Array:
    return jnp.exp(_uniform(key, (float(np.log(limits[0])), float(np.log(limits[1])))))


def _normal(key: Any, n: int) -> Array:
    return jax.random.normal(key, (n,))
