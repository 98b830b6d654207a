"""The reader of lists of asperities, and of a surface in either form."""

import os
from pathlib import Path

import numpy as np

from jaxfric.records._height_map import AsperityList, HeightMap
from jaxfric.records._height_map_cells import grid
from jaxfric.records._height_map_headers import exists, metres
from jaxfric.records._height_map_reader import names_radius, read_height_map, rows_of, title_of
from jaxfric.records._text import Text, read_text

_HEIGHT = ("height", "heights", "z", "h")
_RADIUS = ("radius", "radii", "r")
_NUMPY = (".npy", ".npz")


def read_asperities(path: str | os.PathLike[str]) -> AsperityList:
    """Read a list of spherical asperities, such as the `surface.csv` of `jaxfric design`.

    A table with a column of heights and one of radii, each with its unit in its name: `height_m`,
    `radius (um)`, `z [nm]`, `R_mm`. Columns `x` and `y`, with their units, are positions. Other
    columns are left out.

    Arguments:
        path: the file.

    Returns:
        `AsperityList`, named after the file; metres.

    Raises:
        ValueError: naming the file, its line where there is one, and the remedy.
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
    if path.suffix.lower() in _NUMPY or not _is_list(path):
        return read_height_map(path, pixel=pixel, unit=unit)
    if pixel is not None or unit is not None:
        raise ValueError(
            f"{path.name}: pixel and unit are those of a height map, but this is a list of "
            "asperities, whose columns state their units; leave them out"
        )
    return read_asperities(path)


def _is_list(path: Path) -> bool:
    try:
        return names_radius(rows_of(read_text(path)).titles)
    except ValueError:  # the reader of maps says better what is wrong
        return False


def _asperities(text: Text) -> AsperityList:
    titles, lines = rows_of(text)
    if not titles:
        raise ValueError(
            f"{text.source}: no line above the numbers names the columns; write one, such as "
            "'height_m,radius_m'"
        )
    rows = grid(text.source, lines)
    named = [title_of(title) for title in titles]
    columns = {}
    for key, names in (("height", _HEIGHT), ("radius", _RADIUS), ("x", ("x",)), ("y", ("y",))):
        found = [i for i, (name, _) in enumerate(named) if name in names]
        if len(found) > 1 or (not found and key in ("height", "radius")):
            raise ValueError(
                f"{text.source}: {len(found) or 'no'} columns are the {key} among "
                f"{', '.join(titles)}; name one of them {key}_m, or with its unit"
            )
        if found:
            columns[key] = _column(text.source, rows.values, rows.lines, found[0], titles, named)
    place = np.stack([columns["x"], columns["y"]], -1) if {"x", "y"} <= columns.keys() else None
    return AsperityList(columns["height"], columns["radius"], place, text.source)


def _column(
    source: str, values: np.ndarray, lines: list[int], index: int, titles: list[str],
    named: list[tuple[str, str]],
) -> np.ndarray:  # fmt: skip
    """One column; m."""
    unit, column = named[index][1], values[:, index]
    if not unit:
        raise ValueError(
            f"{source}: {titles[index]!r} states no unit; write it into the name, as in "
            f"{named[index][0]}_um"
        )
    if not np.isfinite(column).all():
        line = lines[int(np.argmax(~np.isfinite(column)))]
        raise ValueError(
            f"{source}: line {line} has no number for {titles[index]!r}; write one, or take the "
            "line out"
        )
    if named[index][0] in _RADIUS and not (column > 0).all():
        line = lines[int(np.argmax(~(column > 0)))]
        raise ValueError(
            f"{source}: line {line} has a radius that is not positive; a cap bends towards the flat"
        )
    scaled: np.ndarray = column * metres(source, unit)
    return scaled
