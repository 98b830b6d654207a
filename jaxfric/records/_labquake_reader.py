"""The reader of stick-slip files."""

import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import ArrayLike, Real

from jaxfric._types import Number
from jaxfric.records._arrays import check_window
from jaxfric.records._labquake_checks import MIN_SAMPLES
from jaxfric.records._labquake_columns import (
    LabquakeColumnMap,
    LabquakeColumns,
    find_labquake_columns,
)
from jaxfric.records._labquake_record import LabquakeRecord
from jaxfric.records._labquake_repair import repaired, usable_rows
from jaxfric.records._rows import Rows, Samples, listed
from jaxfric.records._table import Table, has_decimal_comma, number, read_table
from jaxfric.records._text import read_text
from jaxfric.records._titles import Column

AGREEMENT = 0.05  # of the normal stress: a column that is nearer to the given one says the same


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
    text = read_text(path, skip_rows)
    table = read_table(text, by_index=by_index)
    places = find_labquake_columns(table, columns, units)
    # Repairs in this order: the window first, so that nothing outside it matters; then the clock,
    # by which gaps are measured; the columns last.
    samples = _in_window(_numbers(table, places), window)
    keep, clock_notes = usable_rows(samples.columns["time"], samples.rows)
    samples, stress_notes = _without_column_of_stress(samples.at(keep), places, sigma)
    samples, repair_notes = repaired(samples, places, max_gap)
    found = samples.columns
    channels = [column.title for column in places.channels if column.title in found]
    return LabquakeRecord(
        time=found["time"],
        emission=np.stack([found[title] for title in channels], axis=1),
        shear_stress=found.get("shear_stress"),
        friction=found.get("friction"),
        normal_stress=found.get("normal_stress") if sigma is None else sigma,
        displacement=found.get("displacement"),
        time_to_failure=found.get("time_to_failure"),
        channels=channels,
        name=Path(path).stem,
        notes=[*places.notes, *clock_notes, *stress_notes, *repair_notes],
        check_ranges=check_ranges,
    )


def _numbers(table: Table, places: LabquakeColumns) -> Samples:
    """Each quantity in SI and each channel by its title; NaN where the file has no number."""
    named: list[tuple[str, Column]] = [*places.quantities.items()]
    named += [(column.title, column) for column in places.channels]
    columns: dict[str, np.ndarray] = {}
    commas: list[int] = []
    for key, column in named:
        cells = [row[column.index] if column.index < len(row) else "" for row in table.rows]
        numbers = [number(cell) for cell in cells]
        commas += [i for i, x in enumerate(numbers) if x is None and has_decimal_comma(cells[i])]
        si = np.array([np.nan if x is None else x for x in numbers]) * column.factor
        # An infinity is an overload of the instrument: no number, and filled like a missing one.
        columns[key] = np.where(np.isfinite(si), si, np.nan)
    rows = Rows(table.source, np.array(table.lines))
    # Decimal commas are no gap to be filled: the whole file has them.
    if commas:
        where = listed([rows.label(i) for i in sorted(set(commas))])
        raise ValueError(
            f"{table.source}: there are decimal commas ({where}): export the file with decimal "
            "points"
        )
    return Samples(columns, rows)


def _in_window(samples: Samples, window: tuple[Number, Number] | None) -> Samples:
    """The rows from the first to the last in the window, those without a time included."""
    time = samples.columns["time"]
    start, stop = (-math.inf, math.inf) if window is None else check_window(*window)
    inside = np.flatnonzero((time >= start) & (time <= stop))
    if inside.size < MIN_SAMPLES:
        clock = "has no numbers"
        if np.isfinite(time).any():
            clock = f"runs from {np.nanmin(time):.10g} to {np.nanmax(time):.10g} s"
        where = "" if window is None else f" in window=({start:.10g}, {stop:.10g})"
        raise ValueError(
            f"{samples.rows.source}: {inside.size} rows with a time{where}; a stick-slip record "
            f"needs {MIN_SAMPLES} or more. The file's clock {clock}"
        )
    if window is None:
        return samples
    return samples.at(slice(inside[0], inside[-1] + 1))


def _without_column_of_stress(
    samples: Samples, places: LabquakeColumns, given: float | None
) -> tuple[Samples, list[str]]:
    """Take a column of normal stress out where one number is given, and say so if they differ."""
    if given is None or "normal_stress" not in samples.columns:
        return samples, []
    column = samples.columns["normal_stress"]
    others = {key: x for key, x in samples.columns.items() if key != "normal_stress"}
    samples = Samples(others, samples.rows)
    title = places.quantities["normal_stress"].title
    if not np.isfinite(column).any():
        return samples, [f"The column {title!r} is empty and was ignored."]
    middle = np.nanmedian(column)
    if abs(middle - given) <= AGREEMENT * given:
        return samples, []
    note = (
        f"The given normal stress of {given:.6g} Pa was used; the column {title!r} disagrees "
        f"({middle:.4g} Pa, median) and was ignored."
    )
    return samples, [note]
