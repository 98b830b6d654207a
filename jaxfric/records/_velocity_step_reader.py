"""The reader of velocity-step files."""

import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from jaxfric._types import Number
from jaxfric.records._arrays import check_window
from jaxfric.records._rows import LISTED, Rows, count_of, listed
from jaxfric.records._table import Table, has_decimal_comma, number, read_table
from jaxfric.records._text import read_text
from jaxfric.records._titles import Column
from jaxfric.records._velocity_step_checks import MIN_ROWS, Columns, check_velocity_step
from jaxfric.records._velocity_step_columns import (
    ColumnMap,
    find_velocity_step_columns,
    named_by_index,
)
from jaxfric.records._velocity_step_record import VelocityStepRecord


def read_velocity_step(
    path: str | os.PathLike[str],
    *,
    columns: ColumnMap | None = None,
    units: Mapping[str, str] | None = None,
    skip_rows: int | Collection[int] = 0,
    window: tuple[Number, Number] | None = None,
    drop_bad_rows: bool = False,
    check_ranges: bool = True,
) -> VelocityStepRecord:
    """Read a laboratory velocity step from a text file and convert it to SI.

    The file has a line of column names and rows of numbers separated by tabs, commas, semicolons
    or spaces; lines that open with `#` or `%` are comments. Columns are recognised by names such as
    `Time(s)`, `Displ(microns)`, `lp_disp [mm]`, `Friction`, `mu`, `Effective_Normal_stress(MPa)`.
    Without a friction column, friction is τ/σ of the stresses, and `notes` says so. A unit is
    never guessed.

    Args:
        path: the file, in UTF-8, UTF-16 with a byte-order mark, or Latin-1.
        columns: name or index (from 0) of a quantity's column, such as
            `{"time": "Clock(s)", "displacement": 3}`. The quantities are "time", "displacement",
            "friction", "normal_stress" and "shear_stress"; `None` leaves one out.
        units: units that the names do not state, or state wrongly, such as
            `{"displacement": "um", "normal_stress": "MPa"}`.
        skip_rows: how many lines stand above the names, or the numbers (from 1) of lines to skip.
        window: `(start, stop)`, s of the file's clock; only this part is checked and kept.
        drop_bad_rows: leave out rows with a missing value, text or NaN in a column that is used,
            and rows that repeat a time; `notes` says which.
        check_ranges: refuse values that point to a wrong unit, as `VelocityStepRecord` does.

    Returns:
        A `VelocityStepRecord` named after the file.

    Raises:
        ValueError: naming the file, its lines (from 1) and the remedy.
        FileNotFoundError: if there is no such file.
        IsADirectoryError: if the path is a folder.

    Example:
        >>> import os, pathlib, tempfile
        >>> rows = ["Time(s),Displ(um),mu", "0.0,0.0,0.60", "0.1,0.3,0.61", "0.2,0.6,0.60"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "b001.csv")
        ...     _ = path.write_text(os.linesep.join(rows))
        ...     record = read_velocity_step(path)
        >>> record.name, record.displacement[-1].item()
        ('b001', 6e-07)
    """
    text = read_text(path, skip_rows)
    table = read_table(text, by_index=named_by_index(columns))
    places = find_velocity_step_columns(table, columns, units)
    numbers, bad = _numbers(table, places)
    # The window comes before the bad rows, so that a part can be read of a file that is broken
    # elsewhere.
    chosen = _in_window(table, numbers["time"], places["time"].factor, window)
    keep, notes = _usable(table, numbers["time"], bad, chosen, drop_bad_rows)
    with np.errstate(over="ignore"):  # what overflows is refused below
        si = {key: numbers[key][keep] * column.factor for key, column in places.items()}
    rows = Rows(table.source, np.array(table.lines)[keep])
    if "shear_stress" in si:
        si["friction"], note = _ratio(si, places, rows)
        notes.append(note)
    # Checked here and not by the class, whose messages would count rows in place of lines.
    check_velocity_step(si, rows, check_ranges=check_ranges)
    return VelocityStepRecord(
        time=si["time"],
        displacement=si["displacement"],
        friction=si["friction"],
        normal_stress=si.get("normal_stress"),
        name=Path(path).stem,
        notes=tuple(notes),
        check_ranges=False,
    )


def _numbers(table: Table, places: dict[str, Column]) -> tuple[Columns, dict[int, str]]:
    """The numbers of each quantity as in the file, NaN where there is none, and why by row."""
    numbers = {key: np.full(len(table.rows), np.nan) for key in places}
    bad: dict[int, str] = {}
    for row, cells in enumerate(table.rows):
        if len(cells) != table.width:
            count = "1 value" if len(cells) == 1 else f"{len(cells)} values"
            bad[row] = f"{count} instead of {table.width}"
        for key, column in places.items():
            cell = cells[column.index] if column.index < len(cells) else ""
            value = number(cell)
            if value is None or not math.isfinite(value):
                bad.setdefault(row, f"{column.title} is {cell!r}" if cell else f"no {column.title}")
            if value is not None:
                numbers[key][row] = value  # also infinite ones: the checks name them
    return numbers, bad


def _in_window(
    table: Table, time: np.ndarray, factor: float, window: tuple[Number, Number] | None
) -> np.ndarray:
    """The rows from the first to the last whose time lies in the window, bad ones included."""
    if window is None:
        return np.arange(time.size)
    start, stop = check_window(*window)
    with np.errstate(over="ignore"):
        time = time * factor
    inside = np.flatnonzero((time >= start) & (time <= stop))
    if inside.size < MIN_ROWS:
        finite = time[np.isfinite(time)]
        clock = f" {finite.min():.10g} to {finite.max():.10g} s" if finite.size else "out numbers"
        raise ValueError(
            f"{table.source}: {inside.size} rows lie in window=({start!r}, {stop!r}); a record "
            f"needs {MIN_ROWS} or more; the file's clock is{clock}"
        )
    return np.arange(inside[0], inside[-1] + 1)


def _usable(
    table: Table, time: np.ndarray, bad: dict[int, str], chosen: np.ndarray, drop_bad_rows: bool
) -> tuple[np.ndarray, list[str]]:
    """The rows to use, and a note on those left out."""
    reasons = {row: bad[row] for row in chosen.tolist() if row in bad}
    if reasons and not drop_bad_rows:
        raise ValueError(_cannot_use(table, reasons))
    if not drop_bad_rows:
        return chosen, []
    good = np.array([row for row in chosen.tolist() if row not in reasons], dtype=int)
    repeats = good[1:][np.diff(time[good]) == 0]
    reasons |= {row: f"repeats the time {time[row]:.10g}" for row in repeats.tolist()}
    # Beyond half, a column was read wrongly rather than measured badly.
    if 2 * len(reasons) > chosen.size:
        raise ValueError(
            f"{_cannot_use(table, reasons)}. drop_bad_rows=True does not leave out more than half "
            f"of the {chosen.size} rows"
        )
    if not reasons:
        return good, []
    lines = ", ".join(str(table.lines[row]) for row in sorted(reasons))
    note = f"Left out {_listed_rows(table, reasons)}" + (
        f"; all lines: {lines}." if len(reasons) > LISTED else "."
    )
    return np.setdiff1d(good, repeats), [note]


def _listed_rows(table: Table, reasons: dict[int, str]) -> str:
    items = [f"line {table.lines[row]}: {reason}" for row, reason in sorted(reasons.items())]
    return f"{count_of(len(reasons), 'row')} ({listed(items)})"


def _cannot_use(table: Table, reasons: dict[int, str]) -> str:
    sentence = f"{table.source}: cannot use {_listed_rows(table, reasons)}; "
    if any(has_decimal_comma(cell) for row in reasons for cell in table.rows[row]):
        return sentence + "these are decimal commas: export the file with decimal points"
    # A first row alone that is no number is often a second line of titles, which states units.
    if 0 in reasons and len(reasons) == 1:
        line = table.lines[0]
        sentence += f"if line {line} states units, pass skip_rows=({line},) and units=; otherwise "
    return sentence + "correct the file, or pass drop_bad_rows=True to leave these rows out"


def _ratio(si: Columns, places: dict[str, Column], rows: Rows) -> tuple[np.ndarray, str]:
    """Friction as shear stress over normal stress."""
    shear, normal = si["shear_stress"], si["normal_stress"]
    if (zero := np.flatnonzero(normal == 0)).size:
        where = listed([rows.label(row) for row in zero.tolist()])
        raise ValueError(
            f"{rows.source}: friction is to be shear stress over normal stress, but the normal "
            f"stress is zero ({where}; {zero.size} in all); leave the unloaded part out with "
            "window=(start, stop) in seconds"
        )
    names = (places[key].title for key in ("shear_stress", "normal_stress"))
    with np.errstate(over="ignore"):
        friction = shear / normal
    return friction, "Friction is {!r} over {!r}.".format(*names)
