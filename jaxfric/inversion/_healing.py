"""Frictional healing from slide-hold-slide records."""

import equinox as eqx
import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from jaxfric._show import printed
from jaxfric.dynamics import VelocityProtocol
from jaxfric.records import VelocityStepRecord


class Healing(eqx.Module):
    """Healing Δμ against hold time, with the slope of Δμ over ln(hold time).

    Attributes:
        hold_time: (n,), s.
        delta_mu: (n,), peak friction after the hold minus steady friction before it.
        slope: Δμ per e-fold of hold time, dimensionless (b for the aging law at long holds).
        intercept: Δμ at a hold of 1 s on the fitted line.
        slope_error: standard error of the slope; nan for fewer than three holds.
    """

    hold_time: Float64[np.ndarray, " n"]
    delta_mu: Float64[np.ndarray, " n"]
    slope: float
    intercept: float
    slope_error: float

    @property
    def per_decade(self) -> float:
        """Slope per decade of hold time."""
        return self.slope * float(np.log(10))

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        rows = [
            f"  {hold:>12.5g} {rise:>10.5f}"
            for hold, rise in zip(self.hold_time, self.delta_mu, strict=True)
        ]
        slope = f"{self.slope:.5f} ± {self.slope_error:.2g}"
        return "\n".join(
            [
                f"Healing: slope {slope} per e-fold, {self.per_decade:.5f} per decade",
                "  hold time s   Δμ",
                *rows,
            ]
        )


def healing(
    time: npt.ArrayLike,
    friction: npt.ArrayLike,
    protocol: VelocityProtocol,
    *,
    before: float = 0.2,
) -> Healing:
    """Healing of a slide-hold-slide record or simulation.

    Δμ_i = max μ after hold i (until the next hold) − mean μ before it; least squares gives
    Δμ = intercept + slope · ln(t_hold).

    Arguments:
        time: (n,), s, on the protocol's clock.
        friction: (n,), friction coefficient.
        protocol: load-point velocities with holds (`VelocityProtocol.slide_hold_slide`, or
            `holds_from_displacement` of a record).
        before: steady friction is the mean over this share of the slide before each hold.

    Returns:
        `Healing`.

    Raises:
        ValueError: if there is no hold between two slides, or a slide has no samples.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric import ratestate as rs
        >>> law = rs.RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-6, V0=1e-6)
        >>> p = rs.VelocityProtocol.slide_hold_slide(
        ...     1e-6, [10.0, 100.0, 1000.0], slide=50.0, hold_velocity=1e-20
        ... )
        >>> t = jnp.sort(jnp.concatenate([jnp.linspace(0.0, 1400.0, 2000), p.times]))
        >>> h = rs.slide(law, p, t)
        >>> print(f"{healing(h.time, h.friction, p).slope:.4f}")  # b, from b ln(1 + t/θ0)
        0.0157

    Source: Dieterich (1972); the aging law's limit b ln(t).
    """
    t, mu = np.asarray(time, float), np.asarray(friction, float)
    if t.ndim != 1 or t.shape != mu.shape:
        raise ValueError(f"time and friction must have one shape (n,); got {t.shape}, {mu.shape}")
    times, holds = np.asarray(protocol.times), np.asarray(protocol.holds())
    # Velocity k holds on [t_k, t_{k+1}); times of inf are padding
    times, holds = times[np.isfinite(times)], holds[np.isfinite(times)]
    ends = np.append(times[1:], np.inf)
    # Neither the first stretch nor the last can be one: Δμ needs a slide on either side
    found = [k for k in range(1, times.size - 1) if holds[k] and not holds[k - 1]]
    if not found:
        raise ValueError("the protocol has no hold between two slides")
    hold_time, delta = [], []
    for k in found:
        # The slide begins at the protocol's change, or where the record does
        start = times[k] - before * (times[k] - max(times[k - 1], t[0]))
        steady = mu[(t >= start) & (t < times[k])]
        reload = mu[(t >= ends[k]) & (t < ends[k + 1])]
        if steady.size == 0 or reload.size == 0:
            raise ValueError(
                f"no samples in the slide before or after the hold at {times[k]:.6g} s; sample "
                "the record more densely or crop the protocol to it"
            )
        hold_time.append(ends[k] - times[k])
        delta.append(float(np.max(reload) - np.mean(steady)))
    return _line(np.array(hold_time), np.array(delta))


def _line(hold_time: np.ndarray, delta: np.ndarray) -> Healing:
    """Δμ = intercept + slope · ln(t_hold) by least squares, with the error of the slope."""
    logs = np.log(hold_time)
    if np.ptp(logs) == 0:  # holds of one length have no slope
        return Healing(hold_time, delta, float("nan"), float("nan"), float("nan"))
    basis = np.stack([np.ones_like(logs), logs], axis=1)
    (intercept, slope), *_ = np.linalg.lstsq(basis, delta, rcond=None)
    error = float("nan")
    # s² (XᵀX)⁻¹ with s² = |misfit|²/(n − 2): two holds leave no misfit to tell an error from
    if logs.size > 2:
        misfit = delta - basis @ np.array([intercept, slope])
        variance = misfit @ misfit / (logs.size - 2)
        error = float(np.sqrt(variance * np.linalg.inv(basis.T @ basis)[1, 1]))
    return Healing(hold_time, delta, float(slope), float(intercept), error)


def holds_from_displacement(record: VelocityStepRecord, ratio: float = 0.05) -> VelocityProtocol:
    """Slide-hold-slide protocol of a record: the load point rests where it is slow.

    Arguments:
        record: a laboratory record with holds.
        ratio: slower than this share of the typical sliding velocity is a hold.

    Returns:
        `VelocityProtocol` on the record's clock, velocity 0 in holds.

    Raises:
        ValueError: if the load point never rests or never moves.

    Source: ours.
    """
    # A difference over a two-thousandth of the record: between neighbouring rows the noise of the
    # displacement would exceed what the load point moves
    width = max(record.time.size // 2000, 2)
    t, x = record.time, record.displacement
    speed = (x[width:] - x[:-width]) / (t[width:] - t[:-width])
    middle = (t[width:] + t[:-width]) / 2
    # The median over rows that move: holds may fill most of a record and would hide the velocity
    typical = float(np.median(speed[speed > 0.3 * np.max(speed)])) if np.max(speed) > 0 else 0.0
    resting = speed < ratio * typical
    if typical <= 0 or not resting.any() or resting.all():
        raise ValueError("no holds in the displacement column; pass the protocol that was set")
    # Stretches of rows that rest or move throughout, by their first rows
    changes = np.flatnonzero(np.diff(resting)) + 1
    bounds = np.concatenate([[0], changes, [resting.size]])
    times: list[float] = []
    velocities: list[float] = []
    for a, b in zip(bounds[:-1], bounds[1:], strict=True):
        times.append(float(t[0]) if a == 0 else float(middle[a]))
        velocities.append(0.0 if resting[a] else float(np.median(speed[a:b])))
    return VelocityProtocol(np.array(times), np.array(velocities))
