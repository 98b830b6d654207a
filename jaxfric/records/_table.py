"""A text file as titles and rows of cells, each row with its line number."""

import csv
import dataclasses
import os
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from jaxfric.records._text import Line, read_lines

_COMMENT = ("#", "%")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_WIDE_GAP = re.compile(r"\t|\s{2,}")
_BEFORE_UNIT = re.compile(r"\s+(?=[(\[{])")
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", "": "spaces"}


@dataclasses.dataclass(frozen=True)
class Table:
    """The cells of a file; `titles` is empty where no line of names fits the numbers."""

    source: str  # the file's name, the opening of every message
    titles: tuple[str, ...]
    title_line: int
    rows: list[list[str]]
    lines: list[int]
    width: int

    def found(self) -> str:
        """A sentence on the columns that the file has."""
        if self.titles:
            return f"Line {self.title_line} names {', '.join(map(repr, self.titles))}."
        return f"The file has {self.width} columns and no line of names above the numbers."


def number(cell: str) -> float | None:
    """The number in a cell, or `None` for text."""
    if "_" in cell:  # float() reads "1_000" as 1000
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def has_decimal_comma(cell: str) -> bool:
    """Whether a cell is a number with a decimal comma."""
    return _DECIMAL_COMMA.fullmatch(cell) is not None


def read_table(
    path: str | os.PathLike[str], skip_rows: int | Collection[int] = 0, *, by_index: bool = False
) -> Table:
    """Read a text file; `by_index` says that its line of names is not needed."""
    path = Path(path)
    lines = read_lines(path, skip_rows)
    data = [line for line in lines if not line[1].lstrip().startswith(_COMMENT)]
    if not data:
        kind = "holds only comments" if lines else "is empty"
        raise ValueError(
            f"{path.name}: the file {kind} (with skip_rows={skip_rows!r}); it needs a line of "
            "column names and rows of numbers"
        )
    separator = _separator(data)
    named = _is_header(_split(data[0][1], separator))
    if named:
        headers, data = data[:1], data[1:]
    else:  # numbers at once: the names may stand in a comment, as numpy.savetxt writes them
        above = [line for line in lines if line[0] < data[0][0]]
        headers = [(n, text.lstrip().lstrip("#%").strip()) for n, text in reversed(above)]
    if not data:
        raise ValueError(f"{path.name}: one line of text and no rows of numbers below it")
    rows = [_split(text, separator) for _, text in data]
    titles, title_line = _find_titles(headers, rows, separator)
    if named and not titles and not by_index:
        raise ValueError(_mismatch(path.name, headers[0], separator, rows, data[0]))
    width = len(titles) or _usual_width(rows)
    rows = [_trim(row, width) for row in rows]
    return Table(path.name, titles, title_line, rows, [n for n, _ in data], width)


def _separator(data: list[Line]) -> str:
    """What separates the cells of both the first lines; "" stands for any white space."""
    return next((s for s in _SEPARATORS if s and all(s in text for _, text in data[:2])), "")


def _split(text: str, separator: str) -> list[str]:
    if not separator:
        return text.split()
    if '"' in text:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=separator))]
    return [cell.strip() for cell in text.split(separator)]


def _trim(row: list[str], width: int) -> list[str]:
    """Without the empty cells that separators after the last value make."""
    while len(row) > width and not row[-1]:
        row = row[:-1]
    return row


def _usual_width(rows: list[list[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _is_header(cells: list[str]) -> bool:
    """Whether most cells are names rather than numbers."""
    numbers = sum(number(cell) is not None or has_decimal_comma(cell) for cell in cells)
    return 2 * numbers < len(cells)


def _find_titles(
    headers: list[Line], rows: list[list[str]], separator: str
) -> tuple[tuple[str, ...], int]:
    """The first line of names with as many names as most rows have cells."""
    some = rows[:1000]
    for line, text in headers:
        splits = [_split(text, separator)]
        if not separator:  # names may hold single spaces, or one before the unit
            splits += [_WIDE_GAP.split(text.strip()), _BEFORE_UNIT.sub("", text).split()]
        for split in splits:
            titles = _trim(split, len([title for title in split if title]))
            if _usual_width([_trim(row, len(titles)) for row in some]) == len(titles):
                return tuple(titles), line
    return (), 0


def _mismatch(source: str, header: Line, separator: str, rows: list[list[str]], first: Line) -> str:
    """Why the line of names does not fit the rows."""
    names, width = len(_split(header[1], separator)), _usual_width(rows)
    plural = "" if names == 1 else "s"
    text = (
        f"{source}: line {header[0]} has {names} name{plural}, but most rows have {width} values "
        f"(line {first[0]}: {first[1].strip()!r}) between {_SEPARATORS[separator]}"
    )
    if separator == "," and width == 2 * names:
        return f"{text}. These are decimal commas: export the file with decimal points"
    return (
        f"{text}. Use one separator throughout and no spaces inside names, skip lines above the "
        "names with skip_rows=<count>, or give every column by index and its unit, as in "
        'columns={"time": 0, "displacement": 1, "friction": 2}, units={"time": "s", '
        '"displacement": "um"}'
    )
