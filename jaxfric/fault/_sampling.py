"""Faults and instruments drawn at random, in stated physical ranges."""

import dataclasses
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import _show
from jaxfric._types import Number
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
from jaxfric.fault._ranges import FaultRanges, Range


@runtime_checkable
class Motion(Protocol):
    """What `record` listens to: a `FaultHistory`, or the same three series of another fault."""

    @property
    def kinetic_integral(self) -> Float[Array, " m"]:
        """(m,), ∫ kinetic energy dt, in any unit of energy times s."""
        ...

    @property
    def friction_integral(self) -> Float[Array, " m"]:
        """(m,), ∫ μ dt, s."""
        ...

    @property
    def level(self) -> Float[Array, " m"]:
        """(m,), the part of the friction that drifts slowly."""
        ...


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

    window: Number
    exponent: Number
    background: Number
    growth: Number
    noise: Number
    correlation: Number
    burst_rate: Number
    burst_size: Number
    gains: Float[Array, " channels"]

    def __repr__(self) -> str:
        units = {"window": "s", "burst_rate": "1/s"}
        names = [field.name for field in dataclasses.fields(self)]
        return _show.fields("Instrument", {x: (getattr(self, x), units.get(x, "")) for x in names})


class Recording(eqx.Module):
    """A simulated laboratory file.

    Attributes:
        emission: (m, channels).
        friction: (m,), averaged over the instrument's window.
    """

    emission: Float[Array, "m channels"]
    friction: Float[Array, " m"]

    def __repr__(self) -> str:
        if isinstance(self.friction, jax.core.Tracer):
            return "Recording(traced)"
        *runs, m, channels = self.emission.shape
        batch = f"{np.prod(runs, dtype=int)} runs of " if runs else ""
        return (
            f"Recording: {batch}{m} samples of {channels} channels\n"
            f"  emission {_show.extent(self.emission, '.3g')}\n"
            f"  friction {_show.extent(self.friction, '.5g')}"
        )


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
    # Drawn one after the other, so that a quantity that is added takes a key of its own
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
    # In an event the load point's path of a whole cycle is caught up with
    slip = V * recurrence
    spread, ratio = uniform(ranges.spread), log(ranges.leaf)
    # K_s (1 − F/L) slip = drop · σ, at the force F halfway through the drop
    in_series = drop * sigma / slip / (1 - (mu - drop / 2) * sigma / limit)
    # K_s = K k/(K + k) with k = ratio · K
    loader = in_series * (1 + ratio) / ratio
    leaf = ratio * loader
    # drop ≈ (b − a) ln(peak/V), which differs from patch to patch
    a = log(ranges.direct)
    weakening = drop / jnp.log(peak / V) * jnp.exp(spread * _normal(next(keys), patches))
    phases = jax.random.uniform(next(keys), (patches, 3), a.dtype, 0, 2 * np.pi)
    law = make_patches(
        mu0=mu - drop / 2, a=a, b=a + weakening, V0=V,
        Dc=slip * log(ranges.slip_length) * jnp.exp(0.5 * spread * _normal(next(keys), patches)),
    )  # fmt: skip
    mass, ringing = _plate(ranges, loader, leaf, log)
    normal_stress = jnp.exp(spread * _normal(next(keys), patches))
    normal_stress = sigma * normal_stress / jnp.mean(normal_stress)
    # Radiation limits the velocity: η · peak = drop · σ. Limits in proportion to the normal stress
    # are met by all patches at one friction. Wavelengths of two slips and more, without a common
    # multiple, so that no event repeats another
    chain = FaultChain(
        law, normal_stress,
        loader=loader, leaf=leaf, coupling=leaf * uniform(ranges.coupling),
        damping=drop * sigma / peak, limit=limit,
        leaf_limit=limit * normal_stress / sigma, roughness=roughness,
        wavelengths=slip * jnp.array([1.7, 4.1, 9.3], a.dtype), phases=phases,
        drift=drift, drift_time=log(ranges.drift_time), plate_mass=mass, plate_damping=ringing,
    )  # fmt: skip
    return chain, V


def _plate(
    ranges: FaultRanges, loader: Array, leaf: Array, log: Callable[[Range], Array]
) -> tuple[Array | None, Array | float]:
    """Mass and damping of the plate."""
    if ranges.plate_period is None:
        return None, 0.0
    # While the fault slips, patches hold nothing: the period is 2π √(M/K) of the loader alone. On
    # loader and leaves the critical damping is 2 √(M (K + k))
    mass = loader * (log(ranges.plate_period) / (2 * np.pi)) ** 2
    return mass, 2 * jnp.sqrt(mass * (loader + leaf)) * log(ranges.ring_damping)


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
    history: Motion, instrument: Instrument, dt: Number, *, key: Key[Array, ""]
) -> Recording:
    """What an instrument makes of a fault's motion.

    Grains crack by the stress above the level to which the strength has drifted.

    Arguments:
        history: a `FaultHistory`, or any `Motion`, sampled every `dt`.
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
    # Bursts before the noise, which is in proportion to what it disturbs
    size = instrument.burst_size * jnp.max(signal)
    signal = add_bursts(
        signal, dt, instrument.window, instrument.burst_rate, size, key=bursts
    )  # fmt: skip
    signal = add_noise(signal, instrument.noise, instrument.correlation, key=noise)
    # What all sensors hear in common is noisier than what each adds
    emission = channels(signal, instrument.gains, 0.5 * instrument.noise, key=sensors)
    return Recording(emission, friction)


def _uniform(key: Key[Array, ""], limits: Range) -> Array:
    return jax.random.uniform(key, (), minval=limits[0], maxval=limits[1])


def _log_uniform(key: Key[Array, ""], limits: Range) -> Array:
    return jnp.exp(_uniform(key, (float(np.log(limits[0])), float(np.log(limits[1])))))


def _normal(key: Key[Array, ""], n: int) -> Array:
    return jax.random.normal(key, (n,))
