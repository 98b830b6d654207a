"""The velocity-step record."""

import textwrap

import equinox as eqx
import numpy as np
import numpy.typing as npt
from jaxtyping import Float64

from jaxfric._types import Number
from jaxfric.records._arrays import as_column, check_window, without_numbers
from jaxfric.records._rows import Rows
from jaxfric.records._velocity_step_checks import MIN_ROWS, check_velocity_step


class VelocityStepRecord(eqx.Module):
    """A laboratory velocity step: friction against time and load-point displacement.

    The columns are read-only numpy float64 arrays whatever JAX's precision is: a laboratory clock
    such as 20086.207 s does not fit float32. Inside `jax.jit` they become JAX arrays of the current
    precision, so subtract a starting time before passing them there. `name` and `notes` are static.

    Arguments:
        time: (n,), s, strictly increasing, not shifted.
        displacement: (n,), m, of the load point.
        friction: (n,), dimensionless.
        normal_stress: (n,), Pa, positive in compression; None if it was not recorded.
        name: a short name, such as the stem of the file's name.
        notes: what the reader left out or computed, one sentence each.
        check_ranges: refuse values that point to a wrong unit: friction outside -0.5 to 5, a
            displacement that covers more than 1 m or less than 1 nm (a constant one is a hold),
            normal stress outside 1e2 to 1e11 Pa, a duration above 1e8 s.

    Raises:
        ValueError: if the columns are not one-dimensional, of one length and of three rows or more;
            if a value is not finite, times do not increase or a range is refused. Rows are
            counted from 0.

    Example:
        >>> import numpy as np
        >>> time = np.linspace(0.0, 10.0, 101)
        >>> slip = np.where(time < 5.0, 1e-6 * time, 5e-6 + 1e-5 * (time - 5.0))
        >>> print(VelocityStepRecord(time, slip, np.full(101, 0.6), name="ideal"))
        VelocityStepRecord 'ideal': 101 rows
          time           0 to 10 s, 10 s long, a sample every 0.1 s
          displacement   0 to 55 um, 55 um long
          friction       0.6 to 0.6
          normal stress  not recorded
    """

    time: Float64[np.ndarray, " n"]
    displacement: Float64[np.ndarray, " n"]
    friction: Float64[np.ndarray, " n"]
    normal_stress: Float64[np.ndarray, " n"] | None
    name: str = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        time: npt.ArrayLike,
        displacement: npt.ArrayLike,
        friction: npt.ArrayLike,
        normal_stress: npt.ArrayLike | None = None,
        name: str = "",
        notes: tuple[str, ...] = (),
        *,
        check_ranges: bool = True,
    ):
        given = {"time": time, "displacement": displacement, "friction": friction}
        if normal_stress is not None:
            given["normal_stress"] = normal_stress
        source = f"record {name!r}" if name else "record"
        columns = {key: as_column(key, value, source) for key, value in given.items()}
        sizes = {key: value.size for key, value in columns.items()}
        if len(set(sizes.values())) > 1:
            lengths = ", ".join(f"{key} {size}" for key, size in sizes.items())
            raise ValueError(f"{source}: the columns must have one length; got {lengths}")
        check_velocity_step(columns, Rows(source), check_ranges=check_ranges)
        self.time = columns["time"]
        self.displacement = columns["displacement"]
        self.friction = columns["friction"]
        self.normal_stress = columns.get("normal_stress")
        self.name = name
        self.notes = tuple(notes)

    def crop(self, start: Number, stop: Number) -> "VelocityStepRecord":
        """The rows with `start <= time <= stop`; the clock is not shifted.

        Args:
            start: first time, s of the record's own clock; `-inf` for its beginning.
            stop: last time, s; `inf` for the record's end.

        Returns:
            A new record with at least three rows.

        Raises:
            ValueError: unless `start < stop` and three rows lie between them.

        Example:
            >>> from jaxfric import records
            >>> records.sample("basalt").crop(11655.0, 11690.0).time[[0, -1]].tolist()
            [11655.0, 11690.0]
        """
        start, stop = check_window(start, stop)
        keep = (self.time >= start) & (self.time <= stop)
        if (count := int(keep.sum())) < MIN_ROWS:
            raise ValueError(
                f"{self._label()}: {count} rows lie between {start:.10g} s and {stop:.10g} s; a "
                f"record needs {MIN_ROWS} or more. {self._clock()}"
            )
        return VelocityStepRecord(
            time=self.time[keep],
            displacement=self.displacement[keep],
            friction=self.friction[keep],
            normal_stress=None if self.normal_stress is None else self.normal_stress[keep],
            name=self.name,
            notes=self.notes,
            # The whole record was checked, or was let pass: a part of it passes too.
            check_ranges=False,
        )

    def require_span(self, step_time: Number, rows: int = 10) -> None:
        """Raise unless enough rows lie on both sides of a velocity step.

        Args:
            step_time: s of the record's own clock; a row at this time counts as after the step.
            rows: how many rows each side needs.

        Raises:
            ValueError: if the step lies outside the record or a side has fewer rows.

        Example:
            >>> from jaxfric import records
            >>> records.sample("basalt").require_span(11665.0)
        """
        step_time = float(np.asarray(step_time))
        # Written so that a NaN, which compares as false, is refused as well.
        if not self.time[0] <= step_time <= self.time[-1]:
            raise ValueError(
                f"{self._label()}: the velocity step at {step_time:.10g} s lies outside the "
                f"record. {self._clock()}"
            )
        before = int(np.searchsorted(self.time, step_time))
        after = self.time.size - before
        if min(before, after) < rows:
            raise ValueError(
                f"{self._label()}: the velocity step at {step_time:.10g} s has {before} rows "
                f"before it and {after} after it; {rows} are needed on each side. "
                f"{self._clock()}; give a step time further inside or a longer record"
            )

    def __repr__(self) -> str:
        # Equinox would print shapes, f64[5849]; whoever looks at a record wants its numbers.
        return str(self)

    def __str__(self) -> str:
        if (why := without_numbers(self.time)) is not None:
            return f"VelocityStepRecord {self.name!r} ({why})"
        time, slip, friction = self.time, self.displacement, self.friction
        # A step of a few millimetres in micrometres, longer slides in millimetres.
        scale, unit = (1e6, "um") if np.ptp(slip) < 1e-2 else (1e3, "mm")
        stress = "not recorded"
        if self.normal_stress is not None:
            low, mean, high = (f(self.normal_stress) / 1e6 for f in (np.min, np.mean, np.max))
            stress = f"{low:.6g} to {high:.6g} MPa, {mean:.6g} MPa on average"
        text = [
            f"VelocityStepRecord {self.name!r}: {time.size} rows",
            f"time           {time[0]:.10g} to {time[-1]:.10g} s, "
            f"{time[-1] - time[0]:.6g} s long, a sample every {_sampling(time)}",
            f"displacement   {scale * slip.min():.8g} to {scale * slip.max():.8g} {unit}, "
            f"{scale * np.ptp(slip):.6g} {unit} long",
            f"friction       {friction.min():.6g} to {friction.max():.6g}",
            f"normal stress  {stress}",
        ]
        if self.notes:
            notes = textwrap.shorten(" ".join(self.notes), width=240, placeholder=" …")
            text.append(f"notes          {notes}")
        return "\n  ".join(text)

    def _label(self) -> str:
        return f"record {self.name!r}" if self.name else "record"

    def _clock(self) -> str:
        first, last = self.time[[0, -1]]
        return f"The record's own clock runs from {first:.10g} s to {last:.10g} s"


def _sampling(time: np.ndarray) -> str:
    steps = np.diff(time)
    low, middle, high = steps.min(), np.median(steps), steps.max()
    # The range is told where it exceeds what the rounding of a clock to a few digits explains.
    uneven = high - low > 0.01 * middle
    return f"{middle:.4g} s" + (f" ({low:.4g} to {high:.4g} s)" if uneven else "")
