"""Height maps as the programs of instruments write them: Keyence's CSV, Zygo's MetroPro and Mx."""

import re

import numpy as np

from jaxfric.records._height_map import LEAST_PIXELS
from jaxfric.records._height_map_cells import grid, is_cell, parsed, split
from jaxfric.records._height_map_headers import Found
from jaxfric.records._height_map_points import on_grid
from jaxfric.records._text import Line, Text
from jaxfric.records._units import metres

_KEYENCE = re.compile(r'"?xy calibration"?\s*(?P<mark>[,;\t])', re.IGNORECASE)
# Of the eight numbers of MetroPro's line on the optics: the width of a pixel, m. No other line of
# its header has eight
_OPTICS, _PIXEL = 8, 6


def keyence(text: Text) -> Found | None:
    """The CSV of Keyence's analysers: `"XY Calibration","7.413","um"` … `"Height"`, then rows.

    Above the heights stand their `Unit`, and `Horizontal` and `Vertical`, which count the pixels.
    """
    found = next(filter(None, (_KEYENCE.match(line.text.strip()) for line in text.lines)), None)
    if found is None:
        return None
    said: dict[str, list[str]] = {}
    for i, line in enumerate(text.lines):
        cells = split(line.text, found["mark"])
        if len(cells) >= LEAST_PIXELS and all(map(is_cell, cells)):
            rows = text.lines[i:]
            break
        said[cells[0].lower()] = [cell for cell in cells[1:] if cell]
    else:
        raise ValueError(f"{text.source}: no row of heights follows the header; export it again")
    height = grid(text.source, rows)
    announced = [_whole(said.get(key, [])) for key in ("vertical", "horizontal")]
    if any(n is not None and n != m for n, m in zip(announced, height.values.shape, strict=True)):
        raise ValueError(
            f"{text.source}: the header announces {announced[1]} by {announced[0]} heights, but "
            f"{height.values.shape[1]} by {height.values.shape[0]} follow; export it again"
        )
    unit = said.get("unit", [])
    notes = ("Commas were read as decimal signs.",) if height.commas else ()
    step = _calibration(text.source, said["xy calibration"])
    return Found(height.values, step, unit[0] if unit else None, notes=notes)


def _calibration(source: str, said: list[str]) -> tuple[float, float] | None:
    """The side of a pixel; None without a number or a unit, which the user then has to name."""
    number = parsed(said[0], True) if said else None
    if number is None or not number > 0 or len(said) < 2:
        return None
    side = number * metres(source, said[1].split("/")[0])  # "nm/pixel" too
    return side, side


def _whole(said: list[str]) -> int | None:
    number = parsed(said[0], True) if said else None
    return None if number is None or np.isnan(number) else int(number)


def zygo(text: Text) -> Found | None:
    """MetroPro's `Zygo XYZ Data File`: a header up to `#`, then column, row and height, in µm.

    Source: the data formats in Zygo's MetroPro reference guide, OMP-0347.
    """
    if not text.lines[0].text.strip().lower().startswith("zygo "):
        return None
    marks = [i for i, line in enumerate(text.lines) if line.text.strip() == "#"]
    end = marks[1] if len(marks) > 1 else len(text.lines)
    below = text.lines[marks[0] + 1 : end] if marks else []
    # A pixel without a height has two words in its place
    rows = [Line(n, re.sub("no data", "NaN", cells, flags=re.IGNORECASE)) for n, cells in below]
    if not rows or any(len(line.text.split()) != 3 for line in rows[:20]):
        raise ValueError(
            f"{text.source}: this file of Zygo's program holds no points x, y, z below a line of "
            "'#', but the integers of an interferometer's phase; save it as 'XYZ Data File', "
            "Format 1, or open it in Gwyddion and save its text matrix with the header"
        )
    points = grid(text.source, rows)
    height, step, _ = on_grid(text.source, points.values, points.lines)
    side = _optics(text.lines[: marks[0]])
    notes = ("Heights in µm and the size of a pixel in m, as Zygo's XYZ files have them.",)
    return Found(height, (step[0] * side, step[1] * side) if side > 0 else None, "um", notes=notes)


def _optics(header: list[Line]) -> float:
    """The width of a pixel, m; 0 if the header does not say."""
    for line in header:
        numbers = [parsed(cell, False) for cell in line.text.split()]
        if len(numbers) == _OPTICS and None not in numbers:
            return numbers[_PIXEL] or 0.0
    return 0.0
