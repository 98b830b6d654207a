"""The second step of every reader: lines of text as titles and rows of cells."""

import csv
import dataclasses
import re
from collections import Counter

from jaxfric.records._text import Line, Text, without_mark

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_WIDE_GAP = re.compile(r"\t|\s{2,}")
_BEFORE_UNIT = re.compile(r"\s+(?=[(\[{])")
# In order of trial. A comma comes late, as it may also be a decimal sign or stand inside a name;
# the empty string stands for any white space.
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", "": "spaces"}
# Rows that tell the usual number of cells. A line of names is compared with them under several
# ways to split it, so a file of a million rows is not counted again for each.
_ROWS_COUNTED = 1000
_EXAMPLE = (
    'columns={"time": 0, "displacement": 1, "friction": 2}, '
    'units={"time": "s", "displacement": "um"}'
)


@dataclasses.dataclass(frozen=True)
class Table:
    """The cells of a file; `titles` is empty where no line of names fits the numbers."""

    source: str  # the file's name, the opening of every message
    titles: tuple[str, ...]
    title_line: int  # number of the line that holds the titles
    rows: list[list[str]]
    lines: list[int]  # number of each row's line
    width: int  # cells of most rows

    def title(self, index: int) -> str:
        """What a message calls a column."""
        return self.titles[index] if self.titles else f"column {index}"

    def describe(self) -> str:
        """A sentence on the columns that the file has."""
        if self.titles:
            return f"Line {self.title_line} names {', '.join(map(repr, self.titles))}."
        return f"The file has {self.width} columns and no line of names above the numbers."


def number(cell: str) -> float | None:
    """The number in a cell, or `None` for text."""
    if "_" in cell:  # Python's float() reads "1_000" as 1000; no instrument writes that
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def has_decimal_comma(cell: str) -> bool:
    """Whether a cell is a number with a decimal comma."""
    return _DECIMAL_COMMA.fullmatch(cell) is not None


def read_table(text: Text, *, by_index: bool = False, example: str = _EXAMPLE) -> Table:
    """Titles and cells of a text; `by_index` says that its line of names is not needed.

    `example` is what a message shows of columns that are given by index.
    """
    data = text.data
    separator = _separator(data)
    named = _is_header(_split(data[0].text, separator))
    if named:
        headers, data = data[:1], data[1:]
    else:  # numbers at once: the names may stand in a comment, as numpy.savetxt writes them
        above = [line for line in text.lines if line.number < data[0].number]
        # The nearest comment first: names stand right above their columns, remarks higher up.
        headers = [Line(line.number, without_mark(line.text)) for line in reversed(above)]
    if not data:
        raise ValueError(f"{text.source}: one line of text and no rows of numbers below it")
    rows = [_split(line.text, separator) for line in data]
    titles, title_line = _find_titles(headers, rows, separator)
    # Names that fit no column are an error only if they are needed: a user who maps every column by
    # index reads a file whatever stands above the numbers.
    if named and not titles and not by_index:
        raise ValueError(_mismatch(text.source, headers[0], separator, rows, data[0], example))
    width = len(titles) or _usual_width(rows)
    return Table(
        source=text.source,
        titles=titles,
        title_line=title_line,
        rows=[_trim(row, width) for row in rows],
        lines=[line.number for line in data],
        width=width,
    )


def _separator(data: list[Line]) -> str:
    """What separates the cells of both the first lines, the names and the first numbers."""
    return next((s for s in _SEPARATORS if s and all(s in line.text for line in data[:2])), "")


def _split(text: str, separator: str) -> list[str]:
    if not separator:
        return text.split()
    if '"' in text:  # the csv module is slow, and only quotes need it
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
    # A decimal comma is a number too: without it, a file that has them would seem to open with two
    # lines of names, and the message would not tell what is wrong.
    numbers = sum(number(cell) is not None or has_decimal_comma(cell) for cell in cells)
    return 2 * numbers < len(cells)


def _find_titles(
    headers: list[Line], rows: list[list[str]], separator: str
) -> tuple[tuple[str, ...], int]:
    """The first line of names with as many names as most rows have cells."""
    first_rows = rows[:_ROWS_COUNTED]
    for line in headers:
        candidates = [_split(line.text, separator)]
        if not separator:  # names may hold single spaces, or one before the unit
            candidates += [
                _WIDE_GAP.split(line.text.strip()),
                _BEFORE_UNIT.sub("", line.text).split(),
            ]
        for names in candidates:
            titles = _trim(names, len([name for name in names if name]))
            if _usual_width([_trim(row, len(titles)) for row in first_rows]) == len(titles):
                return tuple(titles), line.number
    return (), 0


def _mismatch(
    source: str, header: Line, separator: str, rows: list[list[str]], first: Line, example: str
) -> str:
    """Why the line of names does not fit the rows."""
    names, width = len(_split(header.text, separator)), _usual_width(rows)
    plural = "" if names == 1 else "s"
    sentence = (
        f"{source}: line {header.number} has {names} name{plural}, but most rows have {width} "
        f"values (line {first.number}: {first.text.strip()!r}) between {_SEPARATORS[separator]}"
    )
    # Every number with a decimal comma was split in two.
    if separator == "," and width == 2 * names:
        return f"{sentence}. These are decimal commas: export the file with decimal points"
    return (
        f"{sentence}. Use one separator throughout and no spaces inside names, skip lines above "
        "the names with skip_rows=<count>, or give every column by index and its unit, as in "
        f"{example}"
    )
