"""A first guess of law and stiffness, read off the record."""

import numpy as np

from jaxfric.dynamics import VelocityProtocol
from jaxfric.inversion._loading import check_protocol, protocol_from_displacement
from jaxfric.ratestate import AbstractEvolution, Aging, RateStateLaw, Spring
from jaxfric.records import VelocityStepRecord


def guess(
    record: VelocityStepRecord,
    evolution: AbstractEvolution = Aging(),  # noqa: B008 (immutable)
    *,
    protocol: VelocityProtocol | None = None,
    steps: int = 1,
) -> tuple[RateStateLaw, Spring]:
    """Starting values for `fit_step` from the shape of the (first) velocity step.

    The largest deviation after the step over ln(V2/V1) gives a, the lasting change a − b, the slip
    over which the deviation decays Dc, and the steepest rise of friction against load-point
    displacement the stiffness.

    Arguments:
        record: the laboratory record, cropped to a window around the step.
        evolution: evolution law of the single state.
        protocol: load-point velocities; from the displacement if None.
        steps: number of velocity steps to look for in the displacement.

    Returns:
        (law, spring); V0 is the velocity before the step.

    Raises:
        ValueError: if no step stands in the record.

    Example:
        >>> from jaxfric import records
        >>> law, spring = guess(records.sample("basalt"))
        >>> print(0.001 < float(law.a) < 0.05)
        True

    Source: ours; a rule of thumb, to be refined by `fit_step`.
    """
    loads = (
        protocol_from_displacement(record, steps)
        if protocol is None
        else check_protocol(record, protocol)
    )
    times, velocities = np.asarray(loads.times), np.asarray(loads.velocities)
    # Of a sequence only the first step is read, up to the second
    end = times[2] if times.size > 2 else np.inf
    before = record.time < times[1]
    after = (record.time >= times[1]) & (record.time < end)
    log_ratio = np.log(velocities[1] / velocities[0])
    level = float(np.mean(record.friction[before]))
    slip = (record.time[after] - times[1]) * velocities[1]
    # From here on in units of the velocity step: a peak of a, then a fall by b to a − b
    change = _smooth((record.friction[after] - level) / log_ratio)
    direct, lasting, length, peak = _read_off(change, slip)
    # Before it slips much the slider is a spring: dμ = k dx, at most, on the way to the peak
    rising = np.diff(change[: peak + 1] * log_ratio) if peak > 1 else np.array([0.0])
    advance = np.diff(slip[: peak + 1]) if peak > 1 else np.array([1.0])
    stiffness = float(np.max(np.abs(rising / advance)))
    if evolution.coupled:
        # The state weakens as the stress rises, which hides all but 1/(1 + c) of a, and stretches
        # the decay (at constant velocity dΘ = −c dμ + ...)
        hidden = 1 + float(np.asarray(evolution.weakening))
        direct, length = direct * hidden, length / hidden
    # A thousandth of the slip in the window is finer than any record tells
    b, length = direct - lasting, max(length, 1e-3 * slip[-1])
    # Below the critical stiffness k_c = (b − a)/Dc a step runs away and the simulator fails at the
    # guess. With Dc ≥ 2 b/k the stiffness is above 2 b/Dc and so above k_c.
    if stiffness > 0:
        length = max(length, 2 * b / stiffness)
    law = RateStateLaw(
        mu0=level,
        a=direct,
        b=b,
        Dc=float(length),
        V0=float(velocities[0]),
        evolution=evolution,
    )
    # No rise seen: a stiffness far above the critical one
    return law, Spring(stiffness if stiffness > 0 else 10 * direct / float(length))


def _read_off(change: np.ndarray, slip: np.ndarray) -> tuple[float, float, float, int]:
    """(a, a − b, Dc, place of the peak) of friction after a step, in units of ln(V2/V1)."""
    # The last quarter is taken to have come to rest, with one sample at the least
    lasting = float(np.mean(change[-max(change.size // 4, 1) :]))
    peak = int(np.argmax(change))
    # A tenth more than the peak: the slider's compliance rounds it off below a. Never below 1e-4,
    # so that a has the sign and the size of a direct effect.
    direct = max(float(change[peak]), lasting, 1e-4) * 1.1

    excess = change - lasting
    if excess[peak] > 0.1 * direct:  # a peak that decays
        # Friction returns as exp(−slip/Dc): Dc is the slip to 1/e of the excess, or, if the window
        # ends before, a tenth of the slip in it
        decayed = np.flatnonzero(excess[peak:] < excess[peak] / np.e)
        length = slip[peak + decayed[0]] - slip[peak] if decayed.size else slip[-1] / 10
    else:  # strengthening: no peak tells a; half of the lasting change, and Dc from its approach
        direct = max(0.5 * lasting, 1e-4)
        length = slip[min(int(np.argmax(change > 0.8 * lasting)), change.size - 1)]
    return direct, lasting, float(length), peak


def _smooth(x: np.ndarray) -> np.ndarray:
    """Running mean over a hundredth of the samples."""
    # As many rows to either side as make a hundredth in all; the ends repeat, for a mean of fewer
    # rows would follow their noise
    width = max(x.size // 200, 1)
    padded = np.pad(x, width, mode="edge")
    return np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), mode="valid")
