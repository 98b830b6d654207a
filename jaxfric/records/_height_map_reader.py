"""The reader of height maps."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxfric import _checks
from jaxfric.records._height_map import HeightMap
from jaxfric.records._height_map_cells import grid, is_cell, separator, split
from jaxfric.records._height_map_headers import (
    Found,
    ascii_grid,
    exists,
    gwyddion,
    iso,
    metres,
    numpy_file,
    refuse_binary,
)
from jaxfric.records._height_map_points import on_grid
from jaxfric.records._rows import count_of
from jaxfric.records._text import Line, Text, is_comment, read_text, without_mark
from jaxfric.records._units import normal_form

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
    | three columns: x, y, z on a grid | from x and y | in the names, `z (um)`, or `unit` |
    | matrix of numbers, with tabs, commas, semicolons or spaces | `pixel` | `unit` |
    | `.npy`; `.npz` with `dx` and `dy`, or `pixel` | `pixel`, or in the file | m, or `unit` |

    Decimal signs may be commas where commas do not separate. Pixels that are NaN, `BAD`, `***`,
    empty, or absent from x, y, z are missing: NaN in the map, and counted in its notes.

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
        raise ValueError(
            f"{path.name}: the file does not say how large a pixel is; name its side in metres, as "
            "in pixel=1e-6"
        )
    if said is None:
        raise ValueError(
            f"{path.name}: the file does not say in which unit its heights are; name it, as in "
            'unit="um"'
        )
    height = found.height * metres(path.name, said)
    if not np.isfinite(height).any():
        raise ValueError(f"{path.name}: every pixel is missing; export the map with its heights")
    return HeightMap(height, *step, title=found.title or path.name, notes=found.notes)


def _found(path: Path, unit: str | None) -> Found:
    if path.suffix.lower() in (".npy", ".npz"):
        found = numpy_file(path)
        if unit is None:
            found = found._replace(unit="m", notes=("Heights in m assumed, as of NumPy arrays.",))
        return found
    refuse_binary(path)
    text = read_text(path)
    said = gwyddion(text) or iso(text) or ascii_grid(text, unit)
    return said or _table(text, unit)


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
    first = next((i for i, line in enumerate(data) if _is_row(line, mark)), None)
    if first is None:
        raise ValueError(
            f"{text.source}: no line is a row of numbers; export the heights as a matrix, or as "
            "columns of x, y and z"
        )
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


def _is_row(line: Line, mark: str) -> bool:
    cells = split(line.text, mark)
    return all(map(is_cell, cells)) and any(any(map(str.isdigit, cell)) for cell in cells)


def names_radius(titles: list[str]) -> bool:
    """Whether the columns are those of a list of asperities."""
    names = {title_of(title)[0] for title in titles}
    return bool(names & {"radius", "radii", "r"}) and len(titles) > 1


def title_of(title: str) -> tuple[str, str]:
    """Name, in lower case, and unit of a column: "z (um)", "height_m", "y [mm]"."""
    found = _TITLE.fullmatch(normal_form(title))
    return (found["name"].lower(), found["unit"]) if found else (title.lower(), "")


def _table(text: Text, unit: str | None) -> Found:
    """A matrix of heights, or columns of x, y and z."""
    titles, lines = rows_of(text)
    if names_radius(titles):
        raise ValueError(
            f"{text.source}: this is a list of asperities with their radii, not a height map; "
            "read it with records.read_asperities"
        )
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
    if rows.values.shape[1] == len(_COORDINATES):
        names = [title_of(title) for title in titles] or [("x", ""), ("y", ""), ("z", "")]
        return _points(text.source, rows.values, rows.lines, names, unit, notes)
    gap = np.flatnonzero(np.diff(rows.lines) != 1)
    if gap.size:
        raise ValueError(
            f"{text.source}: line {rows.lines[gap[0]] + 1} is empty and stands among the rows; "
            "take it out, or write NaN for pixels that are missing"
        )
    return Found(rows.values, notes=tuple(notes))


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
