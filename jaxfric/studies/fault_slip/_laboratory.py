"""A laboratory's record as the study uses it: cycles, spans, units."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array

from jaxfric import forecast, programs
from jaxfric.records import LabquakeRecord
from jaxfric.studies.fault_slip._sampling import DT, padded

SHORTEST, LONGEST = 3.0, 35.0  # recurrence, s, of the simulated faults
TEST = 0.4  # of a record is for training and validation, the rest for testing


class Laboratory(NamedTuple):
    """A record at the networks' sampling.

    Attributes:
        name: of the record.
        energy: (m,), geometric mean of the channels.
        friction: (m,), or shear stress where there is no normal stress; None if not recorded.
        time_to_failure: (m,), s; NaN where it is not known.
        starts: indices where failures start.
        clock: seconds of the record in a second of the networks, whose cycles last 3 to 35 s.
    """

    name: str
    energy: np.ndarray
    friction: np.ndarray | None
    time_to_failure: np.ndarray
    starts: np.ndarray
    clock: float = 1.0

    @property
    def log_energy(self) -> np.ndarray:
        """ln of the energy."""
        return np.log(self.energy)

    @property
    def samples(self) -> int:
        """m."""
        return int(self.energy.size)

    @property
    def test(self) -> np.ndarray:
        """The last 60 %."""
        return np.arange(self.samples) * DT > TEST * self.samples * DT

    def end_of(self, cycles: int) -> int:
        """Samples until so many whole cycles are seen."""
        if self.starts.size <= cycles:
            raise ValueError(
                f"{self.name}: {cycles} cycles to learn from were asked for, but the record has "
                f"{max(self.starts.size - 1, 0)} whole ones; ask for fewer"
            )
        return int(self.starts[cycles])

    def recurrence(self, end: int) -> float:
        """Mean time between the failures seen before sample `end`, s."""
        seen = self.starts[self.starts <= end]
        if seen.size < 2:
            return float(end) * DT
        return float(np.mean(np.diff(seen))) * DT


def laboratory(record: LabquakeRecord) -> Laboratory:
    """At the networks' sampling; failures from the file's own column, or picked."""
    if not np.any(record.energy > 0):
        raise ValueError(f"{record.name or 'record'} has no emission above zero: nothing to read")
    clock = _clock(record)
    step = DT * clock
    even = record if abs(record.dt - step) < 1e-6 * step else record.resample(step)
    friction, left = even.target, even.time_to_failure
    if left is not None and np.isfinite(left).any():
        known = np.nan_to_num(left, nan=-1.0)
        starts = np.flatnonzero(np.diff(known) > max(5 * step, 0.1 * np.nanmax(left)))
        left = left / clock
    elif friction is not None:
        starts, left = _picked(friction)
    else:
        starts, left = _bursts(even.log_energy), np.full(even.time.size, np.nan)
    energy = np.exp(even.log_energy)
    return Laboratory(record.name or "record", energy, friction, np.asarray(left), starts, clock)


def _clock(record: LabquakeRecord) -> float:
    """1, or what brings the cycles of a fast or slow record to ten seconds."""
    coarse = record if record.dt >= DT / 10 else record.resample(DT / 10)
    step = coarse.dt / DT
    if coarse.target is not None:
        starts, _ = _picked(coarse.target)
    else:
        starts = _bursts(coarse.log_energy)
    if starts.size < 2:
        return 1.0
    recurrence = float(np.median(np.diff(starts))) * DT * step
    return 1.0 if SHORTEST <= recurrence <= LONGEST else recurrence / 10


def _picked(friction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts of failures, and the time to the next; NaN after the last."""
    m = friction.size
    found = _failures(padded(friction), np.asarray(m))
    start, time, known = (np.asarray(x)[:m] for x in found)
    return np.flatnonzero(start), np.where(known, time, np.nan)


@programs.program
def _failures(friction: Array, length: Array) -> tuple[Array, Array, Array]:
    start = forecast.failures(friction, DT, length=length).start
    return start, *forecast.time_to_failure(start, DT)


def _bursts(log_energy: np.ndarray) -> np.ndarray:
    """Samples where bursts of emission begin: what is left to count cycles by."""
    m = log_energy.size
    since, known = _since_onset(np.exp(padded(log_energy)), padded(np.ones(m, bool)))
    time = np.where(np.asarray(known), np.asarray(since), np.inf)[:m]
    return np.flatnonzero(time[1:] < time[:-1]) + 1


@programs.program
def _since_onset(energy: Array, heard: Array) -> tuple[Array, Array]:
    return forecast.time_since_burst(energy, DT, heard, since="onset")


def simulated_laboratory(name: str, energy: Any, friction: Any) -> Laboratory:
    """From a simulated recording at the networks' sampling."""
    friction = np.asarray(friction, np.float64)
    return Laboratory(name, np.asarray(energy, np.float64), friction, *_picked(friction)[::-1])
