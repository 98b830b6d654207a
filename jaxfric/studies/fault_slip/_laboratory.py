"""A laboratory's record as the study uses it: cycles, spans, units."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from jaxfric import forecast, programs
from jaxfric.records import LabquakeRecord
from jaxfric.studies.fault_slip._sampling import DT, padded

# s, the shortest and longest recurrence of the simulated faults: their characteristic recurrence is
# drawn from 3 to 16 s (`fault.FaultRanges`), and networks know no cycles but theirs.
SHORTEST, LONGEST = 3.0, 35.0
# s, to which the cycles of a faster or slower record are brought, within that range: those of p4581
# last 9.7 s.
USUAL = 10.0
# The first part of a record is for training and validation, the rest for testing: the paper splits
# p4677 into 20 % and 20 %, and 60 %.
TEST = 0.4


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
    energy: Float[np.ndarray, " m"]
    friction: Float[np.ndarray, " m"] | None
    time_to_failure: Float[np.ndarray, " m"]
    starts: Int[np.ndarray, " failures"]
    clock: float = 1.0

    @property
    def log_energy(self) -> Float[np.ndarray, " m"]:
        """ln of the energy."""
        return np.log(self.energy)

    @property
    def measured(self) -> Float[np.ndarray, " m"]:
        """The friction, where it is needed: a `ValueError` if it was not recorded."""
        if self.friction is None:
            raise ValueError(
                f"{self.name} has no friction or shear stress to learn from or to score"
            )
        return self.friction

    @property
    def samples(self) -> int:
        """Length of the record, m."""
        return int(self.energy.size)

    @property
    def test(self) -> Bool[np.ndarray, " m"]:
        """Which samples test: the last 60 %, whatever number of cycles is tuned on."""
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
            # One failure tells no recurrence: it is at least of the order of what was waited
            return float(end) * DT
        return float(np.mean(np.diff(seen))) * DT


def laboratory(record: LabquakeRecord) -> Laboratory:
    """A record at the networks' sampling; failures from the file's own column, or picked.

    Arguments:
        record: of any sampling, with or without friction.

    Returns:
        `Laboratory`.

    Raises:
        ValueError: for a record whose emission is zero throughout.
    """
    if not np.any(record.energy > 0):
        raise ValueError(f"{record.name or 'record'} has no emission above zero: nothing to read")
    clock = _clock(record)
    step = DT * clock
    even = record if abs(record.dt - step) < 1e-6 * step else record.resample(step)
    friction, left = even.target, even.time_to_failure
    if left is not None and np.isfinite(left).any():
        # The column counts down to a failure and jumps up at it: by a recurrence, where noise of
        # the column or of resampling is a few samples. Unknown times stand below all others.
        countdown = np.nan_to_num(left, nan=-1.0)
        starts = np.flatnonzero(np.diff(countdown) > max(5 * step, 0.1 * np.nanmax(left)))
        left = left / clock
    elif friction is not None:
        starts, left = _picked(friction)
    else:
        starts, left = _bursts(even.log_energy), np.full(even.time.size, np.nan)
    # The mean of the channels' logarithms. The paper reads their norm, which hears little but the
    # sensor with the largest gain.
    energy = np.exp(even.log_energy)
    return Laboratory(record.name or "record", energy, friction, np.asarray(left), starts, clock)


def _clock(record: LabquakeRecord) -> float:
    """Seconds of a record in a second of the networks.

    1 where cycles last as long as those of the simulated faults; else what brings them to ten
    seconds, so that a fast or slow fault is read in its own time.
    """
    # A record of very fine sampling is thinned before its failures are picked; ten samples for
    # each of the networks' still resolve cycles far shorter than the shortest of theirs
    coarse = record if record.dt >= DT / 10 else record.resample(DT / 10)
    step = coarse.dt / DT
    if coarse.target is not None:
        starts, _ = _picked(coarse.target)
    else:
        starts = _bursts(coarse.log_energy)
    if starts.size < 2:
        return 1.0
    # `starts` are indices, and `step` is the coarse sampling in units of DT. The median does not
    # mind a failure that was missed or picked twice
    recurrence = float(np.median(np.diff(starts))) * DT * step
    return 1.0 if SHORTEST <= recurrence <= LONGEST else recurrence / USUAL


def _picked(
    friction: Float[np.ndarray, " m"],
) -> tuple[Int[np.ndarray, " failures"], Float[np.ndarray, " m"]]:
    """Indices where failures start, and the time to the next in s; NaN after the last."""
    m = friction.size
    # The length is an array: as a number of Python it would be part of the program, and every
    # record would compile its own
    found = _failures(padded(friction), np.asarray(m))
    start, time, known = (np.asarray(x)[:m] for x in found)
    return np.flatnonzero(start), np.where(known, time, np.nan)


@programs.program
def _failures(
    friction: Float[Array, " m"], length: Int[Array, ""]
) -> tuple[Bool[Array, " m"], Float[Array, " m"], Bool[Array, " m"]]:
    """Where failures start, the time to the next in s, and where there is a next one."""
    start = forecast.failures(friction, DT, length=length).start
    return start, *forecast.time_to_failure(start, DT)


def _bursts(log_energy: Float[np.ndarray, " m"]) -> Int[np.ndarray, " bursts"]:
    """Samples where bursts of emission begin: what is left to count cycles by without friction."""
    m = log_energy.size
    since, known = _since_onset(np.exp(padded(log_energy)), padded(np.ones(m, bool)))
    time = np.where(np.asarray(known), np.asarray(since), np.inf)[:m]
    # The time since the last onset grows with the record and falls back to zero at a new one
    return np.flatnonzero(time[1:] < time[:-1]) + 1


@programs.program
def _since_onset(
    energy: Float[Array, " m"], heard: Bool[Array, " m"]
) -> tuple[Float[Array, " m"], Bool[Array, " m"]]:
    return forecast.time_since_burst(energy, DT, heard, since="onset")


def simulated_laboratory(
    name: str, energy: Float[ArrayLike, " m"], friction: Float[ArrayLike, " m"]
) -> Laboratory:
    """A simulated recording, which has the networks' sampling, as if a laboratory had made it.

    Arguments:
        name: of the record.
        energy: (m,), of the emission.
        friction: (m,).
    """
    friction = np.asarray(friction, np.float64)
    starts, time_to_failure = _picked(friction)
    return Laboratory(name, np.asarray(energy, np.float64), friction, time_to_failure, starts)
