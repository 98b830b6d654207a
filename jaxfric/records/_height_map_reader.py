"""The reader of height maps."""

import os
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxfric import _checks
from jaxfric.records._asperity_columns import EXAMPLE, asperity_sheet
from jaxfric.records._height_map import HeightMap
from jaxfric.records._height_map_axes import without_axes
from jaxfric.records._height_map_cells import grid, is_cell, separator, split
from jaxfric.records._height_map_headers import (
    Found,
    ascii_grid,
    exists,
    gwyddion,
    iso,
    numpy_file,
    refuse_ending,
)
from jaxfric.records._height_map_instruments import keyence, zygo
from jaxfric.records._height_map_missing import without_sentinels
from jaxfric.records._height_map_points import on_grid
from jaxfric.records._rows import count_of
from jaxfric.records._text import Line, Text, is_comment, read_text, without_mark
from jaxfric.records._units import metres, normal_form

LIST_COLUMNS = 8  # a map has more, a list of asperities hardly
_COORDINATES = (("x",), ("y",), ("z", "h", "height"))
_BEFORE_UNIT = re.compile(r"\s+(?=[(\[{])")
_TITLE = re.compile(r"(?P<name>[^\W\d_]+)[\s_,]*[(\[{/]?\s*(?P<unit>[^\s()\[\]{}]*)\s*[)\]}]?")


def read_height_map(
    path: str | os.PathLike[str],
    *,
    pixel: float | tuple[float, float] | None = None,
    unit: str | None = None,
) -> HeightMap:
    """Read the heights of a surface as a profilometer, a microscope or NumPy wrote them.

    | file | size of a pixel | unit of the heights |
    | --- | --- | --- |
    | Gwyddion's text matrix with its header | in the file | in the file |
    | ISO 25178-71 text, `aISO-1.0` (.sdf) | in the file | m, by the standard |
    | grid with `ncols`, `nrows`, `cellsize` (.asc) | in the file | `unit`, or m; so `cellsize` |
    | CSV of Keyence's analysers with its header | in the file | in the file |
    | `Zygo XYZ Data File` of MetroPro and Mx | in the file | µm, by the format |
    | three columns: x, y, z on a grid | from x and y | in the names, `z (um)`, or `unit` |
    | matrix of numbers, with tabs, commas, semicolons or spaces | `pixel` | `unit` |
    | the same, x above its columns, y beside its rows | in the corner, or `pixel` | `unit` |
    | `.npy`; `.npz` with `dx` and `dy`, or `pixel` | `pixel`, or in the file | m, or `unit` |

    Decimal signs may be commas where commas do not separate. Pixels that are NaN, `BAD`, `***`,
    `No Data`, empty, or absent from x, y, z are missing: NaN in the map, and counted in its notes.
    So is a number far off all others, such as -9999. A first row and column that rise by equal
    steps are no heights: they count the pixels, or say where these are. Notes state each.

    Arguments:
        path: the file.
        pixel: m, the side of a pixel, or (dx, dy); goes before the file's.
        unit: of heights, such as "um"; goes before the file's. Of x and y too, where these have
            none.

    Returns:
        `HeightMap`, named after the file, or after the channel that it names.

    Raises:
        ValueError: naming the file, its line where there is one, and the remedy.
        FileNotFoundError: if there is no such file.
        IsADirectoryError: if the path is a folder.

    Example:
        >>> import os, pathlib, tempfile
        >>> rows = ["0 1 1 0", "1 2,5 2 1", "0 *** 1 0"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "cap.txt")
        ...     _ = path.write_text(os.linesep.join(rows))
        ...     found = read_height_map(path, pixel=2e-6, unit="um")
        >>> print(found)
        HeightMap 'cap.txt': 4 by 3 pixels of 2 by 2 µm, 6 by 4 µm
          heights  over 2.5 µm, 1 pixel missing
          Commas were read as decimal signs.
    """
    path = Path(path)
    exists(path)
    sides = _sides(pixel)
    found = _found(path, unit)
    step, said = sides or found.step, unit or found.unit
    if step is None:
        raise ValueError(_no_pixel(path.name, found))
    if said is None:
        raise ValueError(
            f"{path.name}: the file does not say in which unit its heights are; name it, as in "
            'unit="um"'
        )
    scale = metres(path.name, said, ". If the map holds heights, name theirs with unit=")
    height, lost = without_sentinels(found.height)
    if not np.isfinite(height).any():
        raise ValueError(f"{path.name}: every pixel is missing; export the map with its heights")
    return HeightMap(
        scale * height, *step, title=found.title or path.name, notes=(*found.notes, *lost)
    )


def _found(path: Path, unit: str | None) -> Found:
    if path.suffix.lower() in (".npy", ".npz"):
        return numpy_file(path, unit)
    refuse_ending(path)
    text = read_text(path)
    said = gwyddion(text) or iso(text) or ascii_grid(text, unit) or keyence(text) or zygo(text)
    return said or _table(text, unit)


def _no_pixel(source: str, found: Found) -> str:
    """What to do where nothing says how large a pixel is."""
    if found.apart:
        wide, long = (f"{step:.6g}" for step in found.apart)
        # Micrometres are what most instruments print
        sides = [f"{1e-6 * step:.6g}" for step in found.apart]
        named = sides[0] if sides[0] == sides[1] else f"({', '.join(sides)})"
        return (
            f"{source}: columns are {wide} and rows {long} apart, in a unit that the file does not "
            f"say; name the side of a pixel in metres, as in pixel={named} if these are um"
        )
    remedy = "name its side in metres, as in pixel=1e-6"
    if found.height.shape[1] <= LIST_COLUMNS:
        remedy += f". If this is a list of asperities, call its columns {EXAMPLE}"
    return f"{source}: the file does not say how large a pixel is; {remedy}"


def _sides(pixel: float | tuple[float, float] | None) -> tuple[float, float] | None:
    if pixel is None:
        return None
    dx, dy = pixel if isinstance(pixel, tuple) else (pixel, pixel)
    for side in (dx, dy):
        _checks.positive("pixel", side)
    return float(dx), float(dy)


class Rows(NamedTuple):
    """Lines of numbers, and the names that stand above them, if any."""

    titles: list[str]
    lines: list[Line]


def rows_of(text: Text) -> Rows:
    """The lines of numbers; what stands above them is names if there is one for each column."""
    data = text.data
    mark = separator(data[-20:])
    usual = _usual_width(data[-20:], mark) or _usual_width(data, mark)
    if not usual:
        raise ValueError(
            f"{text.source}: no line is a row of numbers; export the heights as a matrix, or as "
            "columns of x, y and z"
        )
    # Counts of pixels or a date above the rows are shorter than these; a row that lacks a few
    # numbers is refused later
    rows = (split(line.text, mark) for line in data)
    first = next(i for i, row in enumerate(rows) if _is_row(row) and 2 * len(row) > usual)
    width = len(split(data[first].text, mark))
    above = [line for line in text.lines if line.number < data[first].number]
    for line in reversed(above):  # names stand right above their columns, remarks higher up
        said = without_mark(line.text)
        # Where spaces separate, names may hold single ones, or one before the unit
        spaced = (re.split(r"\t|\s{2,}", said), _BEFORE_UNIT.sub("", said).split())
        for names in (split(said, mark), *spaced):
            if len(names) == width and not all(map(is_cell, names)):
                return Rows([name.strip('" ') for name in names], data[first:])
    return Rows([], data[first:])


def _usual_width(lines: list[Line], mark: str) -> int:
    """How many numbers most rows have; 0 if no line is a row."""
    cells = (split(line.text, mark) for line in lines)
    usual = Counter(len(row) for row in cells if _is_row(row)).most_common(1)
    return usual[0][0] if usual else 0


def _is_row(cells: list[str]) -> bool:
    return all(map(is_cell, cells)) and any(any(map(str.isdigit, cell)) for cell in cells)


def title_of(title: str) -> tuple[str, str]:
    """Name, in lower case, and unit of a column: "z (um)", "height_m", "y [mm]"."""
    found = _TITLE.fullmatch(normal_form(title))
    return (found["name"].lower(), found["unit"]) if found else (title.lower(), "")


def _table(text: Text, unit: str | None) -> Found:
    """A matrix of heights, or columns of x, y and z."""
    if asperity_sheet(text):
        raise ValueError(
            f"{text.source}: this is a list of asperities with their radii, not a height map; "
            "read it with records.read_asperities"
        )
    titles, lines = rows_of(text)
    rows = grid(text.source, lines)
    notes = ["Commas were read as decimal signs."] if rows.commas else []
    above = [x for x in text.data if x.number < lines[0].number and not is_comment(x.text)]
    if above and not titles:
        notes.append(f"Left out {count_of(len(above), 'line')} above the numbers.")
    if rows.values.shape[1] == 1:
        raise ValueError(
            f"{text.source}: one column of numbers says not where its heights are; export a "
            "matrix, or columns of x, y and z"
        )
    names = [title_of(title) for title in titles] or [("x", ""), ("y", ""), ("z", "")]
    columns = len(_COORDINATES)
    if rows.values.shape[1] == columns + 1 and _are_coordinates(names[-columns:]) and titles:
        rows = rows._replace(values=rows.values[:, 1:])  # the first numbers the points
        names = names[1:]
    if rows.values.shape[1] == columns:
        return _points(text.source, rows.values, rows.lines, names, unit, notes)
    gap = np.flatnonzero(np.diff(rows.lines) != 1)
    if gap.size:
        raise ValueError(
            f"{text.source}: line {rows.lines[gap[0]] + 1} is empty and stands among the rows; "
            "take it out, or write NaN for pixels that are missing"
        )
    axes = without_axes(text.source, rows.values, titles)
    step = None
    if axes.step and axes.unit:
        side = metres(text.source, axes.unit)
        step = axes.step[0] * side, axes.step[1] * side
    apart = None if step else axes.step
    return Found(axes.values, step, notes=(*notes, *axes.notes), apart=apart)


def _are_coordinates(names: list[tuple[str, str]]) -> bool:
    return all(name in known for (name, _), known in zip(names, _COORDINATES, strict=True))


def _points(
    source: str, values: np.ndarray, lines: list[int], names: list[tuple[str, str]],
    unit: str | None, notes: list[str],
) -> Found:  # fmt: skip
    """Columns of x, y and z as a map."""
    for (name, _), known in zip(names, _COORDINATES, strict=True):
        if name not in known:
            raise ValueError(
                f"{source}: three columns called {', '.join(n for n, _ in names)}; a height map "
                "has x, y and z, in this order, with their units, as in 'x (um)'"
            )
    stated = [said or unit for _, said in names]
    if stated[0] is None or stated[1] is None:
        raise ValueError(
            f"{source}: the file does not say in which unit x and y are; write it into the names, "
            "as in 'x (um)', or name it, as in unit=\"um\""
        )
    across = (metres(source, stated[0]), metres(source, stated[1]))
    height, step, missing = on_grid(source, values, lines)
    if missing:
        notes = [*notes, f"{count_of(missing, 'pixel')} of the grid had no row."]
    return Found(
        height, (step[0] * across[0], step[1] * across[1]), names[2][1] or None, notes=tuple(notes)
    )
