"""The velocity protocol of a laboratory record, from its displacement column."""

import numpy as np

from jaxfric import _checks
from jaxfric.dynamics import VelocityProtocol
from jaxfric.records import VelocityStepRecord

# Relative change of velocity that counts as a step: a break can always be found, and in a record
# without a step it is one of noise, with a change of a few per cent at most
SMALLEST_STEP = 0.05


def protocol_from_displacement(record: VelocityStepRecord, steps: int = 1) -> VelocityProtocol:
    """Velocities and step times by regressing the load-point displacement.

    The displacement of a sequence of constant velocities is a continuous broken line,
    x(t) = x0 + V0 t + Σ_k ΔV_k (t − t_k)_+; its breaks are found one by one on a grid and then
    all together by Gauss–Newton least squares.

    Arguments:
        record: the laboratory record.
        steps: number of velocity steps.

    Returns:
        `VelocityProtocol` of `steps + 1` velocities on the record's own clock.

    Raises:
        ValueError: if no such steps stand in the displacement, or it does not increase.

    Example:
        >>> from jaxfric import records
        >>> protocol = protocol_from_displacement(records.sample("basalt"))
        >>> print((protocol.velocities * 1e6).round(2))
        [ 3.02 10.03]

    Source: ours.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}")
    # From 0 to 1 on the record: the columns of the least squares are of one size
    start, span = record.time[0], np.ptp(record.time)
    t = (record.time - start) / span
    x = record.displacement - record.displacement[0]
    # The misfit has many local minima in the break times, so each new break begins at the best of
    # 201 places inside the record (its ends would make no hinge)
    breaks: list[float] = []
    for _ in range(steps):
        grid = np.linspace(0, 1, 203)[1:-1]
        misfits = [_broken_line(t, x, [*breaks, k])[1] for k in grid]
        breaks = _refine(t, x, [*breaks, float(grid[int(np.argmin(misfits))])])
    coefficients, _ = _broken_line(t, x, breaks)
    # Coefficients are x0, V0, ΔV1, ΔV2, …: their sums are the velocities, over the span of t
    velocities = np.cumsum(coefficients[1:]) / span
    _check(record, velocities, start + span * np.array(breaks))
    return VelocityProtocol(np.concatenate([[start], start + span * np.array(breaks)]), velocities)


def _broken_line(t: np.ndarray, x: np.ndarray, breaks: list[float]) -> tuple[np.ndarray, float]:
    """Intercept, slope and changes of slope; sum of squares."""
    basis = np.stack([np.ones_like(t), t, *(np.maximum(t - k, 0) for k in breaks)], axis=1)
    # Normal equations: thousands of rows become a handful, 201 times for each break, and the
    # columns are too few and too unlike to lose digits that count
    gram = basis.T @ basis
    coefficients = np.linalg.lstsq(gram, basis.T @ x, rcond=None)[0]
    return coefficients, float(np.sum((x - basis @ coefficients) ** 2))


def _refine(t: np.ndarray, x: np.ndarray, breaks: list[float]) -> list[float]:
    """Gauss–Newton on the break times; a step that does not reduce the misfit is halved."""
    k = np.sort(breaks)
    coefficients, misfit = _broken_line(t, x, list(k))
    for _ in range(30):
        hinges = [np.maximum(t - b, 0) for b in k]
        # x depends on a break by −ΔV (t > t_k), on everything else linearly: one linear least
        # squares over both gives the shift of the breaks (variable projection in one step)
        moves = [-c * (t > b) for c, b in zip(coefficients[2:], k, strict=True)]
        jacobian = np.stack([np.ones_like(t), t, *hinges, *moves], axis=1)
        residual = x - jacobian[:, : 2 + k.size] @ coefficients
        shift = np.linalg.lstsq(jacobian, residual, rcond=None)[0][2 + k.size :]
        # Where a break crosses a sample the misfit has a kink, and a full step may be too long
        for halving in range(12):
            trial = np.clip(np.sort(k + shift / 2**halving), t[1], t[-2])
            new_coefficients, new_misfit = _broken_line(t, x, list(trial))
            if new_misfit < misfit:
                break
        else:
            break
        converged = np.max(np.abs(trial - k)) < 1e-10
        k, coefficients, misfit = trial, new_coefficients, new_misfit
        if converged:
            break
    return [float(b) for b in k]


def _check(record: VelocityStepRecord, velocities: np.ndarray, times: np.ndarray) -> None:
    label = f"record {record.name!r}" if record.name else "record"
    shown = ", ".join(f"{v * 1e6:.4g}" for v in velocities)
    if not np.all(velocities > 0):
        raise ValueError(
            f"{label}: the displacement does not increase throughout (velocities {shown} µm/s); "
            "crop the record to the steps, or pass protocol= with the velocities that were set"
        )
    # Relative to the faster side, so that a step up and the same step down count alike
    changes = np.abs(np.diff(velocities)) / np.maximum(velocities[1:], velocities[:-1])
    if np.min(changes) < SMALLEST_STEP or np.any(np.diff(times) <= 0):
        raise ValueError(
            f"{label}: no {times.size} velocity step(s) in the displacement column (velocities "
            f"{shown} µm/s); crop the record around the step, give steps= the right number, or "
            "pass protocol="
        )
    for time in times:
        record.require_span(time)


def check_protocol(record: VelocityStepRecord, protocol: object) -> VelocityProtocol:
    """A protocol given by the user, held against the record."""
    if not isinstance(protocol, VelocityProtocol):
        raise ValueError(f"protocol must be a VelocityProtocol; got {type(protocol).__name__}")
    _checks.vector("protocol times", protocol.times)
    times, velocities = np.asarray(protocol.times), np.asarray(protocol.velocities)
    # A step at t = inf is padding: one that never comes
    real = np.isfinite(times)
    if real.sum() < 2:
        raise ValueError("protocol must hold at least one velocity step")
    if times[0] > record.time[0]:
        raise ValueError(
            f"the protocol starts at {times[0]:.10g} s, after the record's first row at "
            f"{record.time[0]:.10g} s; both use the record's own clock"
        )
    for time in times[real][1:]:
        record.require_span(time)
    return VelocityProtocol(times[real], velocities[real])
