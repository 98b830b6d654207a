"""The reader of stick-slip files."""

import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import ArrayLike, Real

from jaxfric.records import _repair
from jaxfric.records._checks import Rows, listed
from jaxfric.records._columns import Column
from jaxfric.records._labquake import LabquakeRecord
from jaxfric.records._labquake_checks import MIN_SAMPLES
from jaxfric.records._labquake_columns import LabquakeColumnMap, LabquakeColumns, match_labquake
from jaxfric.records._record import Number, check_window
from jaxfric.records._table import Table, has_decimal_comma, number, read_table

Values = dict[str, np.ndarray]


def read_labquake(
    path: str | os.PathLike[str],
    *,
    normal_stress: Real[ArrayLike, ""] | None = None,
    columns: LabquakeColumnMap | None = None,
    units: Mapping[str, str] | None = None,
    skip_rows: int | Collection[int] = 0,
    window: tuple[Number, Number] | None = None,
    max_gap: float = 1.0,
    check_ranges: bool = True,
) -> LabquakeRecord:
    """Read a stick-slip experiment, repair what is short and state every repair in `notes`.

    The file has a line of column names and rows of numbers. Channels of emission are recognised by
    names such as `Var_Ch1`, `AE1`, `acoustic_data`, `KE`, `kinetic_energy`; the other columns as in
    `read_velocity_step`, and `TimeToStartFailure`, `ttf`. Only time and one channel are needed.
    Units that no name states are s, MPa and µm here, and `notes` says so; a median friction outside
    0.05 to 1.5 is refused, which catches a wrong guess.

    Repaired: a few rows without a time or with one that does not increase are left out; gaps up to
    `max_gap` are interpolated, the emission geometrically; uneven times are resampled on the median
    step; zeros of an emission are raised to its smallest positive value; dead channels are left
    out, saturated ones too if another is healthy. Longer gaps and negative emissions raise.

    Args:
        path: the file, in UTF-8, UTF-16 with a byte-order mark, or Latin-1.
        normal_stress: Pa; goes before a column of the file.
        columns: name or index (from 0) of a quantity's column, such as
            `{"emission": ["Var_Ch1", "Var_Ch2"], "shear_stress": "ShearStress", "time": 4}`. The
            others are "friction", "normal_stress", "displacement" and "time_to_failure"; `None`
            leaves one out.
        units: such as `{"shear_stress": "kPa"}`; goes before a name's unit.
        skip_rows: how many lines stand above the names, or the numbers (from 1) of lines to skip.
        window: `(start, stop)`, s of the file's clock; only this part is checked and kept.
        max_gap: s, the longest gap to fill; five samples are always filled.
        check_ranges: refuse values that point to a wrong unit, as `LabquakeRecord` does.

    Returns:
        A `LabquakeRecord` named after the file, on its clock.

    Raises:
        ValueError: naming the file, its lines (from 1) and the remedy.
        FileNotFoundError: if there is no such file.
        IsADirectoryError: if the path is a folder.

    Example:
        >>> import os, pathlib, tempfile
        >>> rows = ["Time(s),AE1,Shear_stress(MPa)"]
        >>> rows += [f"{i / 10},{100 + i},{4 + i / 10}" for i in range(10)]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "p001.csv")
        ...     _ = path.write_text(os.linesep.join(rows))
        ...     record = read_labquake(path, normal_stress=8e6)
        >>> record.friction[:3].tolist(), record.channels, record.notes
        ([0.5, 0.5125, 0.525], ('AE1',), ())
    """
    if not max_gap >= 0:
        raise ValueError(f"max_gap must be zero or more seconds; got {max_gap}")
    sigma = None if normal_stress is None else float(np.asarray(normal_stress))
    if sigma is not None and not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(
            f"normal_stress must be a positive number of pascals, such as 8e6; got {sigma:g}"
        )
    by_index = all(isinstance((columns or {}).get(key), int) for key in ("time", "emission"))
    table = read_table(path, skip_rows, by_index=by_index)
    found = match_labquake(table, columns, units)
    values, rows = _parse(table, found)
    notes = list(found.notes)
    values, rows = _select(values, rows, window)
    keep, note = _repair.usable_rows(values["time"], rows)
    values, rows = _rows(values, rows, keep)
    notes += note
    note = _ignored_stress(values, found, sigma)
    notes += note
    values, note = _mend(values, found, rows, max_gap)
    notes += note
    channels = [column.title for column in found.emission if column.title in values]
    return LabquakeRecord(
        values["time"],
        np.stack([values[name] for name in channels], axis=1),
        **{key: values.get(key) for key in ("shear_stress", "friction", "displacement")},
        time_to_failure=values.get("time_to_failure"),
        normal_stress=values.get("normal_stress") if sigma is None else sigma,
        channels=channels,
        name=Path(path).stem,
        notes=notes,
        check_ranges=check_ranges,
    )


def _parse(table: Table, found: LabquakeColumns) -> tuple[Values, Rows]:
    """Each quantity in SI and each channel by its title; NaN where the file has no number."""
    places: list[tuple[str, Column]] = [*found.single.items()]
    places += [(column.title, column) for column in found.emission]
    values, commas = {}, []
    for key, column in places:
        cells = [row[column.index] if column.index < len(row) else "" for row in table.rows]
        numbers = [number(cell) for cell in cells]
        commas += [i for i, x in enumerate(numbers) if x is None and has_decimal_comma(cells[i])]
        parsed = np.array([np.nan if x is None else x for x in numbers]) * column.factor
        values[key] = np.where(np.isfinite(parsed), parsed, np.nan)
    rows = Rows(table.source, np.array(table.lines))
    if commas:
        where = listed([rows.label(i) for i in sorted(set(commas))])
        raise ValueError(
            f"{table.source}: there are decimal commas ({where}): export the file with decimal "
            "points"
        )
    return values, rows


def _rows(values: Values, rows: Rows, keep: np.ndarray | slice) -> tuple[Values, Rows]:
    lines = None if rows.lines is None else rows.lines[keep]
    return {key: x[keep] for key, x in values.items()}, Rows(rows.source, lines)


def _select(
    values: Values, rows: Rows, window: tuple[Number, Number] | None
) -> tuple[Values, Rows]:
    """The rows from the first to the last in the window, those without a time included."""
    time = values["time"]
    start, stop = (-math.inf, math.inf) if window is None else check_window(*window)
    inside = np.flatnonzero((time >= start) & (time <= stop))
    if inside.size < MIN_SAMPLES:
        clock = "has no numbers"
        if np.isfinite(time).any():
            clock = f"runs from {np.nanmin(time):.10g} to {np.nanmax(time):.10g} s"
        where = "" if window is None else f" in window=({start:.10g}, {stop:.10g})"
        raise ValueError(
            f"{rows.source}: {inside.size} rows with a time{where}; a stick-slip record needs "
            f"{MIN_SAMPLES} or more. The file's clock {clock}"
        )
    if window is None:
        return values, rows
    return _rows(values, rows, slice(inside[0], inside[-1] + 1))


def _ignored_stress(values: Values, found: LabquakeColumns, given: float | None) -> list[str]:
    """Take a column of normal stress out where one number is given, and say so if they differ."""
    if given is None or "normal_stress" not in values:
        return []
    column = values.pop("normal_stress")
    title = found.single["normal_stress"].title
    if not np.isfinite(column).any():
        return [f"The column {title!r} is empty and was ignored."]
    if abs((middle := np.nanmedian(column)) - given) <= 0.05 * given:
        return []
    return [
        f"The given normal stress of {given:.6g} Pa was used; the column {title!r} disagrees "
        f"({middle:.4g} Pa, median) and was ignored."
    ]


def _mend(
    values: Values, found: LabquakeColumns, rows: Rows, max_gap: float
) -> tuple[Values, list[str]]:
    """Channels chosen, gaps filled, times even."""
    titles = [column.title for column in found.emission]
    kept, notes = _repair.healthy({name: values[name] for name in titles}, rows)
    values = {key: x for key, x in values.items() if key not in titles or key in kept}
    limit = _repair.longest_gap(values["time"], max_gap)
    needed = {k: x for k, x in values.items() if k not in ("time", "time_to_failure")}
    named = {k if k in kept else found.single[k].title: x for k, x in needed.items()}
    cut, note = _repair.cut_ends(named, values["time"], rows, limit)
    values, rows = _rows(values, rows, cut)
    notes += note
    time = values["time"]
    if time.size < MIN_SAMPLES:
        raise ValueError(
            f"{rows.source}: {time.size} rows are left; a stick-slip record needs {MIN_SAMPLES} or "
            "more"
        )
    _repair.check_gaps(time, rows, limit)
    for key in needed:
        title = key if key in kept else found.single[key].title
        if key in kept:
            values[key], note = _repair.positive(title, values[key], rows)
            notes += note
        values[key], note = _repair.fill(
            title, values[key], time, rows, limit, logarithmic=key in kept
        )
        notes += note
    even, note = _repair.even_clock(time)
    notes += note
    if even is not None:
        values = {key: _at(key, x, time, even, kept) for key, x in values.items()} | {"time": even}
    if "time_to_failure" in values and (unknown := np.isnan(values["time_to_failure"])).any():
        notes.append(f"The time to failure is unknown (NaN) at {unknown.sum()} samples.")
    return values, notes


def _at(
    key: str, values: np.ndarray, time: np.ndarray, even: np.ndarray, kept: list[str]
) -> np.ndarray:
    if key == "time_to_failure":
        return _repair.countdown(even, time, values)
    if key in kept:
        return np.exp(np.interp(even, time, np.log(values)))
    return np.interp(even, time, values)
