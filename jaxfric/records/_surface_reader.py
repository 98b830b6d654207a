"""The reader of lists of asperities, and of a surface in either form."""

import os
from pathlib import Path

import numpy as np

from jaxfric.records._asperity_columns import (
    EXAMPLE,
    AsperitySheet,
    Title,
    asperity_sheet,
    read_title,
)
from jaxfric.records._height_map import AsperityList, HeightMap
from jaxfric.records._height_map_cells import has_comma, is_cell, parsed, separator, split
from jaxfric.records._height_map_headers import exists, refuse_ending
from jaxfric.records._height_map_reader import read_height_map
from jaxfric.records._text import Text, read_text
from jaxfric.records._units import metres

_NUMPY = (".npy", ".npz")
# m: a cap of this radius, 1 mm wide, rises by 0.1 µm (w²/8R), less than the roughness that it has
LARGEST = 1.0


def read_asperities(path: str | os.PathLike[str]) -> AsperityList:
    """Read a list of spherical asperities, such as the `surface.csv` of `jaxfric design`.

    A table with a column of heights and one of radii, each with its unit in its name, `height_m`,
    `radius (um)`, `z [nm]`, `R_mm`, `Radius of curvature (um)`, or in a row of units below. Columns
    `x` and `y`, with their units, are positions. Other columns, such as labels, are left out.

    Arguments:
        path: the file.

    Returns:
        `AsperityList`, named after the file; metres.

    Raises:
        ValueError: naming the file, its line where there is one, and the remedy; two caps in one
            place, and radii or heights above 1 m, are refused too.
        FileNotFoundError: if there is no such file.
        IsADirectoryError: if the path is a folder.

    Example:
        >>> import os, pathlib, tempfile
        >>> rows = ["height (um),radius (mm)", "12,0.5", "10,0.4"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "caps.csv")
        ...     _ = path.write_text(os.linesep.join(rows))
        ...     caps = read_asperities(path)
        >>> print(caps)
        AsperityList 'caps.csv': 2 asperities, heights over 2 µm, radii 400 to 500 µm, no positions
    """
    path = Path(path)
    exists(path)
    refuse_ending(path)
    return _asperities(read_text(path))


def read_surface(
    path: str | os.PathLike[str],
    *,
    pixel: float | tuple[float, float] | None = None,
    unit: str | None = None,
) -> AsperityList | HeightMap:
    """Read a surface: a list if its columns name a radius, else a height map.

    Arguments:
        path: the file.
        pixel: m, of a height map, as in `read_height_map`.
        unit: of a height map, as in `read_height_map`.

    Returns:
        `AsperityList` or `HeightMap`.

    Raises:
        ValueError: as `read_asperities` and `read_height_map`; a pixel or a unit for a list.
        FileNotFoundError: if there is no such file.
        IsADirectoryError: if the path is a folder.

    Example:
        >>> import os, pathlib, tempfile
        >>> rows = ["height_m,radius_m", "1e-5,5e-4"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "caps.csv")
        ...     _ = path.write_text(os.linesep.join(rows))
        ...     print(type(read_surface(path)).__name__)
        AsperityList
    """
    path = Path(path)
    exists(path)
    refuse_ending(path)
    if path.suffix.lower() in _NUMPY or not _is_list(path, read_text(path)):
        return read_height_map(path, pixel=pixel, unit=unit)
    if pixel is not None or unit is not None:
        raise ValueError(
            f"{path.name}: pixel and unit are those of a height map, but this is a list of "
            "asperities, whose columns state their units; leave them out"
        )
    return read_asperities(path)


def _is_list(path: Path, text: Text) -> bool:
    """Whether a text is a list of asperities; a file that is neither list nor map is refused."""
    if asperity_sheet(text):
        return True
    last = text.data[-20:]
    cells = [split(line.text, separator(last)) for line in last]
    if all(len(row) == 2 and all(map(is_cell, row)) for row in cells):
        raise ValueError(
            f"{path.name}: two columns of numbers are no map, and a list of asperities only with "
            f"their names and units above them: {EXAMPLE}"
        )
    return False


def _asperities(text: Text) -> AsperityList:
    sheet = asperity_sheet(text)
    if sheet is None:
        raise ValueError(
            f"{text.source}: no line above the numbers names the columns of a list of asperities; "
            f"call them {EXAMPLE}"
        )
    named = [read_title(title) for title in sheet.titles]
    index = {key: _index(text.source, sheet, named, key) for key in ("height", "radius", "x", "y")}
    columns, notes = {}, _said(sheet, named)
    for key, i in index.items():
        title = None if i is None else named[i]
        if i is not None and title is not None:
            unit = title.unit or (sheet.units[i] if sheet.units else "")
            columns[key] = _column(text.source, sheet, i, key, unit)
    if any(has_comma(row[i]) for i in index.values() if i is not None for _, row in sheet.rows):
        notes.append("Commas were read as decimal signs.")
    place = np.stack([columns["x"], columns["y"]], -1) if {"x", "y"} <= columns.keys() else None
    if place is not None:
        _check_places(text.source, place, [line.number for line, _ in sheet.rows])
    return AsperityList(columns["height"], columns["radius"], place, text.source, notes)


def _index(source: str, sheet: AsperitySheet, named: list[Title | None], key: str) -> int | None:
    """The column of a quantity; None for a place that no column gives."""
    found = [i for i, title in enumerate(named) if title and title.quantity == key]
    called = ", ".join(sheet.titles)
    if len(found) > 1:
        raise ValueError(
            f"{source}: {len(found)} columns are the {key} among {called}; name one of them "
            f"{key}_m, or with its unit, and take the others out"
        )
    if found:
        return found[0]
    if key == "radius" and any(title and title.quantity == "diameter" for title in named):
        raise ValueError(
            f"{source}: a diameter, among {called}, may be that of the sphere or that of a cap's "
            "foot; give the radius of curvature R as radius_um. Of a sphere it is half the "
            "diameter; of a cap with a foot of diameter d and height h it is d²/(8 h) + h/2"
        )
    if key in ("height", "radius"):
        raise ValueError(
            f"{source}: no columns are the {key} among {called}; the columns of a list of "
            f"asperities are called {EXAMPLE}"
        )
    return None


def _said(sheet: AsperitySheet, named: list[Title | None]) -> list[str]:
    """What was read into the file: names with words of their own, a row of units, labels."""
    taken = [
        f"{title.quantity} is {called!r}"
        for called, title in zip(sheet.titles, named, strict=True)
        if title and title.quantity in ("height", "radius") and len(called.split()) > 2
    ]
    notes = [f"Read by their names: {', '.join(taken)}."] if taken else []
    labels = [
        repr(called)
        for called, title, cell in zip(sheet.titles, named, sheet.rows[0][1], strict=True)
        if not title and not is_cell(cell)
    ]
    if labels:
        notes.append(f"Left out the words in {', '.join(labels)}.")
    if sheet.units:
        notes.append(f"Units from line {sheet.units_line}.")
    return notes


def _column(source: str, sheet: AsperitySheet, i: int, key: str, unit: str) -> np.ndarray:
    """One column; m."""
    called = sheet.titles[i]
    if not unit:
        raise ValueError(
            f"{source}: {called!r} states no unit; write it into the name, as in {key}_um"
        )
    scale = metres(source, unit, f"; write one into the name {called!r}")
    column = np.empty(len(sheet.rows))
    for n, (line, cells) in enumerate(sheet.rows):
        number = parsed(cells[i], True)
        if number is None or not np.isfinite(number):
            why = f" but {cells[i]!r}" if cells[i] else ""
            raise ValueError(
                f"{source}: line {line.number} has no number for {called!r}{why}; write one, "
                "without thousands separators, or take the line out"
            )
        if key == "radius" and not number > 0:
            raise ValueError(
                f"{source}: line {line.number} has a radius that is not positive; a cap bends "
                "towards the flat"
            )
        if key in ("height", "radius") and abs(number) * scale > LARGEST:
            raise ValueError(
                f"{source}: line {line.number} has a {key} of {number * scale:.4g} m, by the unit "
                f"{unit!r} of {called!r}; larger than {LARGEST:g} m none is. State the unit of the "
                f"numbers, as in {key}_um"
            )
        column[n] = number * scale
    return column


def _check_places(source: str, place: np.ndarray, lines: list[int]) -> None:
    """Two caps in one place would both carry, though the lower is inside of the higher."""
    order = np.lexsort(place.T)
    same = np.flatnonzero((np.diff(place[order], axis=0) == 0).all(-1))
    if same.size:
        one, other = sorted((lines[order[same[0]]], lines[order[same[0] + 1]]))
        raise ValueError(
            f"{source}: lines {one} and {other} put two caps in one place; take one of them out, "
            "or both x and y of all if they are not known"
        )
