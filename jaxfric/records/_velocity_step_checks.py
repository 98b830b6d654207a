"""What makes four columns of numbers a velocity-step record: for reader and class."""

import numpy as np

from jaxfric.records._rows import Rows, count_of, listed

Columns = dict[str, np.ndarray]

# The fewest rows between which a velocity can change: two steps of time.
MIN_ROWS = 3

# Plausible values in SI. They are wide on purpose: their task is to catch a unit that is wrong by
# 1e3 or 1e6, not to judge a measurement.
FRICTION = (-0.5, 5.0)
NORMAL_STRESS = (1e2, 1e11)  # Pa; 20 MPa read in Pa (20) or converted twice (2e13) lie outside
SLIDING = (1e-9, 1.0)  # m, range of the load-point displacement
ROUND_OFF = 1e-15  # m; a range below this is a hold, not a slide in the wrong unit
DURATION = 1e8  # s, three years: longer records are milliseconds read as seconds


def check_velocity_step(columns: Columns, rows: Rows, *, check_ranges: bool) -> None:
    """Raise `ValueError` unless the columns (SI) form a record."""
    count = columns["time"].size
    if count < MIN_ROWS:
        raise ValueError(
            f"{rows.source}: {count_of(count, 'row')} of numbers; a "
            f"velocity-step record needs {MIN_ROWS} or more. Check that the record is complete, or "
            "widen the window"
        )
    _check_finite(columns, rows)
    _check_time(columns["time"], rows)
    if check_ranges:
        with np.errstate(over="ignore"):  # a range may exceed the largest number
            _check_ranges(columns, rows)


def _check_finite(columns: Columns, rows: Rows) -> None:
    # Every bad value is told at once, so that a file is mended in one go.
    bad = [
        f"{rows.label(i)}: {name.replace('_', ' ')} is {values[i]}"
        for name, values in columns.items()
        for i in np.flatnonzero(~np.isfinite(values)).tolist()
    ]
    if bad:
        raise ValueError(
            f"{rows.source}: {len(bad)} values are not finite ({listed(bad)}). "
            "Leave these rows out of all columns"
        )


def _check_time(time: np.ndarray, rows: Rows) -> None:
    bad = [
        f"{rows.label(i + 1)} repeats {time[i]:.10g} s"
        if time[i + 1] == time[i]
        else f"{rows.label(i + 1)} goes back from {time[i]:.10g} s to {time[i + 1]:.10g} s"
        for i in np.flatnonzero(np.diff(time) <= 0).tolist()
    ]
    if not bad:
        return
    # The remedy is what the caller can do: arrays can be sorted, a file is read with options.
    if rows.lines is None:
        remedy = "Leave repeated samples out, and sort or split a record whose clock restarts"
    else:
        remedy = (
            "For repeated times pass drop_bad_rows=True, which keeps the first row of each; for a "
            "clock that restarts, cut the file or read one part of it with window=(start, stop) in "
            "seconds"
        )
    raise ValueError(
        f"{rows.source}: time must increase from row to row ({listed(bad)}; {len(bad)} in all). "
        + remedy
    )


def _check_ranges(columns: Columns, rows: Rows) -> None:
    time, displacement = columns["time"], columns["displacement"]
    escape = "If the numbers are right, pass check_ranges=False"
    if (duration := time[-1] - time[0]) > DURATION:
        raise ValueError(
            f"{rows.source}: the record lasts {duration:.3g} s, more than three years, so the unit "
            'of time looks wrong: give the right one, such as units={"time": "ms"}, or convert to '
            f"seconds. {escape}"
        )
    # The range, not the values: the zero of a displacement is anywhere.
    span = np.ptp(displacement)
    if span > SLIDING[1] or ROUND_OFF < span < SLIDING[0]:
        raise ValueError(
            f"{rows.source}: the displacement covers {span:.3g} m (from {displacement.min():.6g} "
            f"to {displacement.max():.6g} m), which is not between {SLIDING[0]:g} and "
            f"{SLIDING[1]:g} m, so its unit looks wrong: give the right one, such as "
            'units={"displacement": "um"}, or convert to metres. ' + escape
        )
    if "normal_stress" in columns:  # before friction, which may be a ratio to it
        hint = (
            'the unit or the sign looks wrong: give the right unit, such as units={"normal_stress":'
            ' "MPa"}, or convert to Pa, positive in compression'
        )
        _check_between(columns["normal_stress"], NORMAL_STRESS, "normal stress", " Pa", hint, rows)
    hint = (
        "friction is a plain ratio: for a column of shear stress map it with "
        'columns={"shear_stress": name} beside a normal stress, and the ratio is computed'
    )
    _check_between(columns["friction"], FRICTION, "friction", "", hint, rows)


def _check_between(
    values: np.ndarray, limits: tuple[float, float], name: str, unit: str, hint: str, rows: Rows
) -> None:
    low, high = limits
    bad = [
        f"{rows.label(i)}: {values[i]:.6g}{unit}"
        for i in np.flatnonzero((values < low) | (values > high)).tolist()
    ]
    if bad:
        how = "" if rows.lines is None else " with skip_rows=(line, ...)"
        raise ValueError(
            f"{rows.source}: {len(bad)} of {values.size} values of {name} are not between {low:g} "
            f"and {high:g}{unit} ({listed(bad)}). If it is most of them, {hint}; if it is a few, "
            f"leave these rows out{how}. If the numbers are right, pass check_ranges=False"
        )
