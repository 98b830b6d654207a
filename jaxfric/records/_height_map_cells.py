"""Rows of heights as machines write them: separators, decimal commas, missing pixels."""

import csv
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxfric.records._table import number
from jaxfric.records._text import Line

# What instruments and their programs write for a pixel that they could not measure
MISSING = frozenset(
    "nan na n/a #n/a bad *** ** * - -- --- none null nodata inf +inf -inf ??? ?".split()
) | {"", "no data"}
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_MINUS = str.maketrans({"−": "-"})  # a typesetter's minus sign, U+2212
# A comma before a space, at the end of a line, or beside another ends a cell; within one it may be
# a decimal sign
_ENDING = re.compile(r",(\s|,|$)")


class Grid(NamedTuple):
    """Rows of numbers, NaN where one is missing, and the line of each row."""

    values: np.ndarray
    lines: list[int]
    commas: bool  # whether commas were read as decimal signs


def is_cell(text: str) -> bool:
    """Whether a text is a number, with a point or a comma, or stands for a missing one."""
    return parsed(text, True) is not None


def separator(lines: Sequence[Line]) -> str:
    """What separates the cells: a tab, a semicolon, a comma, or "" for white space."""
    texts = [line.text.strip() for line in lines]
    for mark in "\t;":
        if all(mark in text for text in texts):
            return mark
    if not all("," in text for text in texts):
        return ""
    # "1,5 2,5" has spaces between its cells and commas inside of them; "1.5, 2.5" the reverse
    spaced = all(len(text.split()) > 1 for text in texts)
    return "" if spaced and not any(_ENDING.search(text) for text in texts) else ","


def split(text: str, mark: str) -> list[str]:
    """The cells of a line, without quotes around them."""
    if mark and '"' in text:
        return [cell.strip() for cell in next(csv.reader([text.strip(" \r")], delimiter=mark))]
    # Not a tab at either end, which stands beside a cell that is empty
    return [cell.strip() for cell in text.strip(" \r").split(mark)] if mark else text.split()


def grid(source: str, lines: Sequence[Line]) -> Grid:
    """Rows of equally many numbers; `ValueError` names the line that is none."""
    mark = separator(lines[:20])
    cells = [split(line.text, mark) for line in lines]
    # A separator at the end of every row makes an empty cell that no pixel belongs to
    if mark and all(len(row) > 1 and not row[-1] for row in cells):
        cells = [row[:-1] for row in cells]
    width = len(cells[0])
    for line, row in zip(lines, cells, strict=True):
        if len(row) != width:
            raise ValueError(
                f"{source}: line {line.number} has {len(row)} values, but line {lines[0].number} "
                f"has {width}; a height map has equally many pixels in every row. Export it again, "
                "with NaN for pixels that are missing"
            )
    commas = any(map(has_comma, (cell for row in cells[:20] for cell in row)))
    rows = [_row(source, line, row, commas) for line, row in zip(lines, cells, strict=True)]
    return Grid(np.array(rows, float), [line.number for line in lines], commas)


def _row(source: str, line: Line, cells: list[str], commas: bool) -> list[float]:
    try:  # most rows of most maps hold nothing but numbers
        return [float(cell) for cell in cells]
    except ValueError:
        return [value(source, line, cell, commas) for cell in cells]


def has_comma(cell: str) -> bool:
    """Whether a cell is a number with a comma for its decimal sign."""
    return _COMMA.fullmatch(cell.strip().translate(_MINUS)) is not None


def parsed(cell: str, commas: bool) -> float | None:
    """The number of one cell, NaN where it says that there is none; None if it is neither."""
    text = cell.strip().strip('"').translate(_MINUS)
    if text.lower() in MISSING:
        return math.nan
    return number(text.replace(",", ".") if commas and _COMMA.fullmatch(text) else text)


def value(source: str, line: Line, cell: str, commas: bool = False) -> float:
    """The number of one cell of a map, NaN where it says that there is none."""
    found = parsed(cell, commas)
    if found is None:
        raise ValueError(
            f"{source}: line {line.number} holds {cell!r}, which is no height; write NaN for a "
            "pixel that is missing, and numbers without thousands separators"
        )
    return found
