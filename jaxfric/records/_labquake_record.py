"""The stick-slip record."""

import textwrap
from collections.abc import Sequence

import equinox as eqx
import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from jaxfric._types import Number
from jaxfric.records._arrays import Values, check_window, without_numbers
from jaxfric.records._labquake_checks import MIN_SAMPLES, check_labquake
from jaxfric.records._resampling import (
    WHOLE,
    Change,
    block_averages,
    countdown,
    interpolation,
)

Column = Float64[np.ndarray, " n"]


class LabquakeRecord(eqx.Module):
    """A stick-slip experiment: acoustic emission and, if known, friction, at even times.

    All are read-only numpy float64 arrays whatever JAX's precision is.

    Arguments:
        time: (n,), s, of the record's own clock, evenly spaced.
        emission: (n, channels) or (n,), positive: variance, amplitude or energy, unit as recorded.
        shear_stress: (n,), Pa.
        friction: (n,); left out, it is shear over normal stress where both are known.
        normal_stress: Pa, positive: one number or (n,).
        displacement: (n,), m, of the load point.
        time_to_failure: (n,), s; NaN where it is not known.
        channels: names of the emission's channels; numbered if left out.
        name: a short name, such as the stem of the file's name.
        notes: what the reader repaired or assumed, one sentence each.
        check_ranges: refuse values that point to a wrong unit: a median friction outside 0.05 to
            1.5, a normal stress outside 1e3 to 1e11 Pa, a constant friction, a duration above
            1e8 s.

    Raises:
        ValueError: for fewer than eight samples, uneven times, shapes that do not fit, values that
            are not finite, an emission below zero or a range that is refused.

    Example:
        >>> import numpy as np
        >>> time = np.arange(0.0, 60.0, 0.1)
        >>> phase = time % 10.0
        >>> print(LabquakeRecord(time, 1 + 99 * (phase < 1.0), friction=0.4 + 0.005 * phase))
        LabquakeRecord '': 600 samples
          time             0 to 59.9 s, 59.9 s long, every 0.1 s
          emission         ch1; energy 1 to 100
          friction         0.4 to 0.4495
    """

    time: Column
    emission: Float64[np.ndarray, "n channels"]
    shear_stress: Column | None
    friction: Column | None
    normal_stress: Float64[np.ndarray, "..."] | None
    displacement: Column | None
    time_to_failure: Column | None
    channels: tuple[str, ...] = eqx.field(static=True)
    name: str = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        time: npt.ArrayLike,
        emission: npt.ArrayLike,
        *,
        shear_stress: npt.ArrayLike | None = None,
        friction: npt.ArrayLike | None = None,
        normal_stress: Values | None = None,
        displacement: npt.ArrayLike | None = None,
        time_to_failure: npt.ArrayLike | None = None,
        channels: Sequence[str] = (),
        name: str = "",
        notes: Sequence[str] = (),
        check_ranges: bool = True,
    ):
        source = f"record {name!r}" if name else "record"
        given = {
            "time": time,
            "emission": emission,
            "shear_stress": shear_stress,
            "friction": friction,
            "normal_stress": normal_stress,
            "displacement": displacement,
            "time_to_failure": time_to_failure,
        }
        columns = check_labquake(given, source, check_ranges=check_ranges)
        self.time, self.emission = columns["time"], columns["emission"]
        self.shear_stress, self.friction = columns.get("shear_stress"), columns.get("friction")
        self.normal_stress = columns.get("normal_stress")
        self.displacement = columns.get("displacement")
        self.time_to_failure = columns.get("time_to_failure")
        count = self.emission.shape[1]
        self.channels = tuple(channels) or tuple(f"ch{i + 1}" for i in range(count))
        if len(self.channels) != count:
            raise ValueError(
                f"{source}: {len(self.channels)} names for {count} channels; give one for each"
            )
        self.name, self.notes = name, tuple(notes)

    @property
    def dt(self) -> float:
        """The time between samples, s."""
        return float((self.time[-1] - self.time[0]) / (self.time.shape[0] - 1))

    @property
    def energy(self) -> Column:
        """(n,), the norm of the channels, √Σ e²."""
        return (self.emission**2).sum(axis=1) ** 0.5

    @property
    def log_energy(self) -> Column:
        """(n,), the mean of the channels' ln e, zeros raised to a channel's smallest positive.

        Unlike the norm it does not depend on the sensors' gains, and their scatter averages out.
        """
        # ln 0 does not exist; the smallest positive value is as near to it as a sensor tells.
        positive = np.where(self.emission > 0, self.emission, np.inf).min(axis=0)
        heard = np.isfinite(positive)
        # A channel without any positive sample tells nothing; its logarithm would be of infinity.
        if not heard.any():
            return np.zeros(self.time.shape)
        return np.log(np.maximum(self.emission, positive)[:, heard]).mean(axis=1)

    @property
    def target(self) -> Column | None:
        """(n,), what is to be predicted: friction, else shear stress (Pa), else None."""
        return self.shear_stress if self.friction is None else self.friction

    def crop(self, start: Number, stop: Number) -> "LabquakeRecord":
        """The samples with `start <= time <= stop`, s; the clock is not shifted.

        Raises:
            ValueError: unless `start < stop` and eight samples lie between them.

        Example:
            >>> import numpy as np
            >>> record = LabquakeRecord(np.arange(100.0), np.ones(100))
            >>> record.crop(20.0, 39.5).time.shape
            (20,)
        """
        start, stop = check_window(start, stop)
        keep = (self.time >= start) & (self.time <= stop)
        if (count := int(keep.sum())) < MIN_SAMPLES:
            raise ValueError(
                f"record {self.name!r}: {count} samples lie between {start:.10g} s and "
                f"{stop:.10g} s; a record needs {MIN_SAMPLES} or more. Its own clock runs from "
                f"{self.time[0]:.10g} s to {self.time[-1]:.10g} s"
            )
        return self._at(self.time[keep], lambda x: x[keep], self.notes)

    def resample(self, dt: float) -> "LabquakeRecord":
        """The record at another sampling: block averages when coarser, linear when finer.

        A block is one new sample, dated at its middle; what is left at the end is dropped. Each
        old sample stands for its own time step, which a block may share with the next. So a
        file at 1 kHz becomes one at 10 Hz. The time to failure is carried, not averaged.

        Arguments:
            dt: s between the new samples.

        Returns:
            A new record, whose `notes` state it.

        Raises:
            ValueError: unless dt is positive and leaves eight samples.

        Example:
            >>> import numpy as np
            >>> fast = LabquakeRecord(0.001 * np.arange(2000), np.arange(1.0, 2001.0))
            >>> slow = fast.resample(0.1)
            >>> slow.time[:2].tolist(), slow.emission[:2, 0].tolist()
            ([0.0495, 0.1495], [50.5, 150.5])
        """
        old, dt = self.dt, float(dt)
        if not (np.isfinite(dt) and dt > 0):
            raise ValueError(f"dt must be a positive number of seconds; got {dt}")
        if abs(dt - old) <= 1e-9 * old:  # the same sampling, to the rounding of its clock
            return self
        if dt < old:
            count = int(np.floor((self.time[-1] - self.time[0]) / dt + WHOLE)) + 1
            time = self.time[0] + dt * np.arange(count)
            how = f"Interpolated linearly from every {old:.6g} s to every {dt:.6g} s."
            return self._at(time, interpolation(self.time, time), (*self.notes, how))
        # Each sample stands for a whole step of time, so n of them last n steps, not n − 1.
        count = int(np.floor(self.time.size * old / dt + WHOLE))
        if count < MIN_SAMPLES:
            raise ValueError(
                f"record {self.name!r}: {count} blocks of {dt:.6g} s fit into its "
                f"{self.time.size * old:.6g} s; a record needs {MIN_SAMPLES} or more: choose a "
                "smaller dt"
            )
        # The record begins half an old step before its first sample, which stands in the middle of
        # its own step; the middle of a block is counted from there.
        time = self.time[0] + (np.arange(count) + 0.5) * dt - 0.5 * old
        how = f"Averaged from every {old:.6g} s over blocks of {dt:.6g} s."
        return self._at(time, block_averages(dt / old, count), (*self.notes, how))

    def _at(self, time: np.ndarray, change: Change, notes: tuple[str, ...]) -> "LabquakeRecord":
        """The same record at other times; `change` maps a column (n, ...) to them."""

        def column(x: np.ndarray | None) -> np.ndarray | None:
            # A normal stress of one number (ndim 0) holds at any time.
            return x if x is None or x.ndim == 0 else change(x)

        remaining = self.time_to_failure
        return LabquakeRecord(
            time,
            change(self.emission),
            shear_stress=column(self.shear_stress),
            friction=column(self.friction),
            normal_stress=column(self.normal_stress),
            displacement=column(self.displacement),
            time_to_failure=None if remaining is None else countdown(time, self.time, remaining),
            channels=self.channels,
            name=self.name,
            notes=notes,
            # The whole record was checked, or was let pass: a part of it passes too.
            check_ranges=False,
        )

    def __repr__(self) -> str:
        # Equinox would print shapes, f64[2996]; whoever looks at a record wants its numbers.
        return str(self)

    def __str__(self) -> str:
        if (why := without_numbers(self.time)) is not None:
            return f"LabquakeRecord {self.name!r} ({why})"
        time = self.time
        text = [
            f"LabquakeRecord {self.name!r}: {time.size} samples",
            f"time             {time[0]:.10g} to {time[-1]:.10g} s, "
            f"{time[-1] - time[0]:.6g} s long, every {self.dt:.4g} s",
            f"emission         {', '.join(self.channels)}; energy {_range(self.energy)}",
        ]
        for label, values, factor, unit in (
            ("friction", self.friction, 1.0, ""),
            ("shear stress", self.shear_stress, 1e-6, " MPa"),
            ("normal stress", self.normal_stress, 1e-6, " MPa"),
            ("displacement", self.displacement, 1e6, " um"),
            ("time to failure", self.time_to_failure, 1.0, " s"),
        ):
            # A time to failure may be unknown, NaN, at all samples.
            if values is not None and np.isfinite(values).any():
                text.append(f"{label:<17}{_range(factor * values)}{unit}")
        if self.target is None:
            text.append("friction         not recorded: for prediction only")
        if self.notes:
            notes = textwrap.shorten(" ".join(self.notes), width=400, placeholder=" …")
            text.append(f"notes            {notes}")
        return "\n  ".join(text)


def _range(values: npt.ArrayLike) -> str:
    low, high = np.nanmin(values), np.nanmax(values)
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
