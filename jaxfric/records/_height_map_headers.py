"""Height maps whose files say how large a pixel is: Gwyddion, ISO 25178-71, ASCII grids, NumPy."""

import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxfric.records._height_map_cells import grid, value
from jaxfric.records._text import Line, Text, is_comment, without_mark
from jaxfric.records._units import metres, normal_form

_AMOUNT = re.compile(r"(?P<number>[+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*(?P<unit>\D.*)?")
TALLEST = 1.0  # m: no instrument for surfaces reaches so far up
_ISO_KEYS = ("numpoints", "numprofiles", "xscale", "yscale", "zscale")
# The arrays of a .npz file that are heights by their name, where it holds several
_NAMES = ("height", "heights", "z", "h", "topography", "surface")


class Found(NamedTuple):
    """What a file says of its map.

    Attributes:
        height: (ny, nx), in `unit`.
        step: dx and dy, m; None if the file does not say.
        unit: of the heights; None if the file does not say.
        title: what the file calls the map.
        notes: what was assumed.
        apart: of columns and of rows, in a unit that the file does not say; None if it does.
    """

    height: np.ndarray
    step: tuple[float, float] | None = None
    unit: str | None = None
    title: str = ""
    notes: tuple[str, ...] = ()
    apart: tuple[float, float] | None = None


def gwyddion(text: Text) -> Found | None:
    """The text matrix of Gwyddion: `# Channel:`, `# Width: 10 µm`, `# Value units: m`."""
    said: dict[str, str] = {}
    for line in text.lines:
        if is_comment(line.text):
            key, colon, content = without_mark(line.text).partition(":")
            if colon:
                said[key.strip().lower()] = content.strip()
    if not ("width" in said and "height" in said):
        return None
    rows = grid(text.source, text.data)
    sides = [_length(text.source, key, said[key]) for key in ("width", "height")]
    # Gwyddion's pixels tile the field, so each is one of as many parts of it as there are pixels
    step = sides[0] / rows.values.shape[1], sides[1] / rows.values.shape[0]
    return Found(rows.values, step, said.get("value units"), said.get("channel", ""))


def _length(source: str, key: str, text: str) -> float:
    amount = _AMOUNT.fullmatch(normal_form(text))
    if amount is None or not amount["unit"]:
        raise ValueError(
            f"{source}: {key} is {text!r}, not a length with its unit such as '10 µm'; name the "
            "size of a pixel with pixel="
        )
    number = float(amount["number"].replace(",", "."))
    return number * metres(source, amount["unit"].strip())


def iso(text: Text) -> Found | None:
    """The ASCII form of ISO 25178-71 (.sdf): a header, a line of `*`, heights in any wrapping.

    Source: ISO 25178-71:2017; its forerunner is the BCR format of K. J. Stout et al. (1993).
    """
    mark = text.lines[0].text.strip().lower()
    if not re.fullmatch(r"a(iso|bcr)-\d.*", mark):
        return None
    stars = [i for i, line in enumerate(text.lines) if line.text.strip() == "*"]
    if not stars:
        raise ValueError(f"{text.source}: the header has no end, a line of '*'; export it again")
    said = _header(text.source, text.lines[1 : stars[0]])
    columns, rows = int(said["numpoints"]), int(said["numprofiles"])
    end = stars[1] if len(stars) > 1 else len(text.lines)
    cells = [(line, cell) for line in text.lines[stars[0] + 1 : end] for cell in line.text.split()]
    if len(cells) != columns * rows:
        raise ValueError(
            f"{text.source}: the header announces {columns} by {rows} heights, but {len(cells)} "
            "follow; export it again"
        )
    height = np.array([value(text.source, line, cell) for line, cell in cells])
    return Found(
        said["zscale"] * height.reshape(rows, columns), (said["xscale"], said["yscale"]), "m"
    )


def _header(source: str, lines: list[Line]) -> dict[str, float]:
    said = {}
    for line in lines:
        key, _, content = line.text.partition("=")
        if (name := key.strip().lower()) in _ISO_KEYS:
            said[name] = value(source, line, content)
    if absent := [key for key in _ISO_KEYS if key not in said or not said[key] > 0]:
        raise ValueError(
            f"{source}: the header lacks a positive {absent[0]}; export the map again, or as a "
            "matrix of heights"
        )
    return said


def ascii_grid(text: Text, unit: str | None) -> Found | None:
    """A grid with `ncols`, `nrows` and `cellsize` above its rows, as ESRI's programs write it."""
    if not text.lines[0].text.strip().lower().startswith("ncols"):
        return None
    said: dict[str, float] = {}
    for line in text.lines:
        key, *content = line.text.split()
        if not key[0].isalpha() or len(content) != 1:
            break
        said[key.lower()] = value(text.source, line, content[0])
    rows = grid(text.source, text.lines[len(said) :] or text.lines[-1:])
    wanted = (int(said.get("nrows", 0)), int(said["ncols"]))
    if rows.values.shape != wanted:
        raise ValueError(
            f"{text.source}: the header announces {wanted[0]} rows of {wanted[1]} heights, but "
            f"there are {rows.values.shape[0]} of {rows.values.shape[1]}; export it again"
        )
    height = np.where(rows.values == said.get("nodata_value", -9999.0), np.nan, rows.values)
    sides = [said.get(key, said.get("cellsize", 0.0)) for key in ("dx", "dy")]
    # The format knows no units: its lengths are those of the map, metres unless one is named
    scale = metres(text.source, unit or "m")
    notes = () if unit else ("The file states no unit: metres assumed, as grids of maps have.",)
    step = (sides[0] * scale, sides[1] * scale) if min(sides) > 0 else None
    return Found(height, step, unit or "m", notes=notes)


def numpy_file(path: Path, unit: str | None) -> Found:
    """One array of two dimensions in .npy, or in .npz beside its `dx`, `dy` or `pixel`.

    Heights without a unit are metres, if they are fractions, and if these can be metres.
    """
    try:
        with open(path, "rb") as file:
            stored = np.load(file, allow_pickle=False)
            arrays = {"": stored} if isinstance(stored, np.ndarray) else dict(stored.items())
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f"{path.name}: this is no array of numbers as numpy.save writes it ({error}); save the "
            "heights alone with numpy.save"
        ) from error
    maps = {name: x for name, x in arrays.items() if x.ndim == 2}
    named = [name for name in maps if name.lower() in _NAMES]
    chosen = list(maps) if len(maps) == 1 else named
    if len(chosen) != 1:
        shapes = ", ".join(f"{name or 'array'} {x.shape}" for name, x in arrays.items())
        raise ValueError(
            f"{path.name}: it holds {shapes}; a height map is one array of two dimensions. Save it "
            "alone, or call it 'height'"
        )
    height = maps[chosen[0]]
    if height.dtype.kind not in "iuf":
        raise ValueError(
            f"{path.name}: heights must be real numbers; got the type {height.dtype}. An image "
            "holds grey levels: export the heights"
        )
    found = Found(height.astype(float), _steps(arrays))
    if unit is not None:
        return found
    if height.dtype.kind in "iu":
        raise ValueError(
            f"{path.name}: whole numbers ({height.dtype}) are no heights in metres; name the unit "
            'that they count, as in unit="nm"'
        )
    finite = found.height[np.isfinite(found.height)]
    if finite.size and float(np.ptp(finite)) > TALLEST:
        raise ValueError(
            f"{path.name}: the heights reach over {np.ptp(finite):.4g}, which are no metres; name "
            'their unit, as in unit="um"'
        )
    note = "Heights in m assumed, as of NumPy arrays."
    return found._replace(unit="m", notes=(note,))


def _steps(arrays: Mapping[str, np.ndarray]) -> tuple[float, float] | None:
    sizes = {name.lower(): float(x) for name, x in arrays.items() if x.ndim == 0}
    both = sizes.get("pixel", sizes.get("pixel_size", 0.0))
    dx = sizes.get("dx", both)
    dy = sizes.get("dy", both or dx)
    return (dx, dy) if dx > 0 and dy > 0 else None


# Binary files of instruments, by their ending: what they are, as their users call them
BINARY = {
    ".gwy": "Gwyddion's own format", ".sur": "MountainsMap's own format", ".plu": "Sensofar's",
    ".plux": "Sensofar's", ".opd": "Bruker's and Wyko's", ".opdx": "Bruker's", ".al3d": "Alicona's",
    ".vk4": "Keyence's", ".vk6": "Keyence's", ".zag": "Keyence's", ".x3p": "ISO 25178-72",
    ".datx": "Zygo's", ".spm": "Bruker's", ".ibw": "Igor's",
}  # fmt: skip
# What design and contact write for other purposes, and the lists that they write beside it
_BESIDE = {".stl": "a mesh for the workshop", ".json": "a summary"}
_LISTS = ("surface.csv", "asperities.csv")
IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")


def refuse_ending(path: Path) -> None:
    """Say how heights are had of an image, of an instrument's binary file, or beside a mesh."""
    ending = path.suffix.lower()
    if ending in _BESIDE:
        lists = [name for name in _LISTS if (path.parent / name).exists()]
        there = f"read {lists[0]!r} beside it" if lists else "read the .csv with heights and radii"
        raise ValueError(
            f"{path.name}: this is {_BESIDE[ending]}, neither a list of asperities nor a map of "
            f"heights; {there}"
        )
    if ending in IMAGES:
        raise ValueError(
            f"{path.name}: an image holds grey levels, not heights in metres; export the heights "
            "themselves from the instrument's program, as a text matrix"
        )
    if ending in BINARY:
        raise ValueError(
            f"{path.name}: this ending is {BINARY[ending]} and binary; export the heights as text, "
            "in Gwyddion with Save As, 'Text matrix of data values', and its informational header"
        )


def exists(path: Path) -> None:
    """Refuse a path that is no file, with where it was looked for."""
    if path.is_dir():
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; name one file in it")
    if not path.exists():
        raise FileNotFoundError(
            f"there is no file {os.fspath(path)!r} (looked for {os.fspath(path.absolute())!r}); "
            "check the name and the folder"
        )
