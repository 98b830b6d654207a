"""From the text of a machine's file to the cells and numbers of a friction law."""

import dataclasses
import math
import re
from collections.abc import Mapping

import numpy as np

from jaxfric.records._friction_law_titles import meanings, units_of
from jaxfric.records._table import Table, has_decimal_comma, number, read_table
from jaxfric.records._text import Line, Text, is_comment, without_mark
from jaxfric.records._titles import Column
from jaxfric.records._units import Quantity

_SPLITS = ("\t", ";", ",", r"\s{2,}", r"\s+")
_REMARK = re.compile(r"\s[#%]\s.*$")  # after the numbers of a row, as numpy.loadtxt allows
# What instruments and spreadsheets write where there is no number
_MISSING = frozenset(
    "nan na n/a #n/a #nv - -- --- none null inf +inf -inf #div/0! #value! #wert!".split()
) | {""}
_MINUS = str.maketrans({"−": "-"})  # a typesetter's minus sign, U+2212
_FORTRAN = re.compile(r"([+-]?[\d.]+)[dD]([+-]?\d+)")  # 1.0D+00
_THOUSANDS = re.compile(
    r"[+-]?(\d{1,3}(,\d{3})+\.\d*|\d{1,3}(\.\d{3})+,\d*|\d{1,3}(,\d{3}){2,}|\d{1,3}(\.\d{3}){2,}"
    r"|\d{1,3}([ '\u2019\u00a0\u202f]\d{3})+([.,]\d*)?)"
)
# 1,250 may be 1.25 or 1250; 0,250 and 1,25 are no thousands
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_EXAMPLE = 'columns={"load": 0, "friction": 1}, units={"load": "N", "friction": "N"}'


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The table of a file, and the unit of each column from a row of units, or none."""

    table: Table
    units: tuple[str, ...]
    notes: tuple[str, ...]

    def unit(self, index: int) -> str | None:
        """What the row of units says of a column."""
        return (self.units[index] or None) if index < len(self.units) else None


def read_sheet(text: Text, *, mapped: bool, by_index: bool) -> Sheet:
    """Titles, units and cells; `mapped` says that the user names columns, so all titles count."""
    lines, units = _without_units(text.lines)
    lines, notes = _from_names_on(_tabbed([_tidy(line) for line in lines]))
    if not mapped:
        # A remark may have as many words as the table has columns, and would pass for its names
        lines = [x for x in lines if not is_comment(x.text) or _quantities(x.text)]
    table = read_table(Text(text.source, lines), by_index=by_index, example=_EXAMPLE)
    below = units_of(table.rows[0])
    if below is not None:
        table = dataclasses.replace(table, rows=table.rows[1:], lines=table.lines[1:])
        units = below
        if not table.rows:
            raise ValueError(f"{text.source}: a row of units and no rows of numbers below it")
    return Sheet(table, units, tuple(notes))


def numbers(
    table: Table, columns: Mapping[Quantity, Column], notes: list[str]
) -> dict[Quantity, np.ndarray]:
    """The numbers of each column as in the file; NaN where the instrument wrote none."""
    for line, row in zip(table.lines, table.rows, strict=True):
        if len(row) > table.width:
            raise ValueError(
                f"{table.source}: line {line} has {len(row)} values, but most rows have "
                f"{table.width}: {row}. Write cells without separators of their own"
            )
    cells = {
        key: [row[x.index].translate(_MINUS) if x.index < len(row) else "" for row in table.rows]
        for key, x in columns.items()
    }
    if _decimal_commas(table, cells):
        notes.append("Commas were read as decimal signs.")
        cells = {
            key: [c.replace(",", ".") if has_decimal_comma(c) else c for c in column]
            for key, column in cells.items()
        }
    return {key: np.array(_values(table, column)) for key, column in cells.items()}


def _values(table: Table, cells: list[str]) -> list[float]:
    values = []
    for line, cell in zip(table.lines, cells, strict=True):
        value = number(_FORTRAN.sub(r"\1e\2", cell))
        if cell.lower() in _MISSING:
            value = math.nan
        if value is None:
            raise ValueError(
                f"{table.source}: line {line} holds {cell!r}, not a number; mend or drop it"
            )
        values.append(value)
    return values


def _decimal_commas(table: Table, cells: Mapping[Quantity, list[str]]) -> bool:
    """Whether commas are decimal signs; thousands separators and what may be either raise."""
    found = [
        (line, cell)
        for column in cells.values()
        for line, cell in zip(table.lines, column, strict=True)
    ]
    for line, cell in found:
        if _THOUSANDS.fullmatch(cell):
            raise ValueError(
                f"{table.source}: line {line} holds {cell!r}, with a thousands separator; write "
                "numbers without one, as in 1234.5"
            )
    commas = [(line, cell) for line, cell in found if has_decimal_comma(cell)]
    if not commas:
        return False
    points = any("." in cell and number(cell) is not None for _, cell in found)
    if points or all(_EITHER.fullmatch(cell) for _, cell in commas):
        line, cell = commas[0]
        raise ValueError(
            f"{table.source}: line {line} holds {cell!r}, whose comma may be a decimal sign or "
            "separate thousands; write decimal points and no thousands separators"
        )
    return True


def _tidy(line: Line) -> Line:
    """A row of numbers without a remark at its end."""
    is_row = re.match(r"[\s\"']*[+−-]?[\d.,]", line.text)
    return Line(line.number, _REMARK.sub("", line.text)) if is_row else line


def _tabbed(lines: list[Line]) -> list[Line]:
    """With tabs where spaces separate decimal commas, which would pass for separators."""
    cells = [without_mark(line.text).split() for line in lines]
    widths = {
        len(row)
        for row in cells
        if any(map(has_decimal_comma, row))
        and all(has_decimal_comma(cell) or number(cell) is not None for cell in row)
    } - {1}
    return [
        Line(x.number, ("#" if is_comment(x.text) else "") + "\t".join(row))
        if len(row) in widths
        else x
        for x, row in zip(lines, cells, strict=True)
    ]


def _without_units(lines: list[Line]) -> tuple[list[Line], tuple[str, ...]]:
    """Without a comment that holds the units of the columns, and these."""
    for line in lines:
        if is_comment(line.text):
            for split in _SPLITS:
                cells = re.split(split, without_mark(line.text))
                units = units_of(cells) if len(cells) > 1 else None
                if units is not None and all(len(unit) <= 4 for unit in units):
                    return [x for x in lines if x is not line], units
    return lines, ()


def _from_names_on(lines: list[Line]) -> tuple[list[Line], list[str]]:
    """Without what a machine writes above the names: operator, date, settings."""
    data = [line for line in lines if not is_comment(line.text)]
    for i, line in enumerate(data):
        if len(_quantities(line.text)) > 1:
            if i == 0:
                break
            first, last = data[0].number, data[i - 1].number
            said = f"line {first}" if i == 1 else f"lines {first} to {last}"
            kept = [x for x in lines if is_comment(x.text) or x.number >= line.number]
            return kept, [f"Left out {said}, above the names."]
        if any(number(cell) is not None for cell in re.split(r"[\s;,]+", line.text)[:1]):
            break  # numbers have begun: what follows is no name
    return lines, []


def _quantities(text: str) -> set[Quantity]:
    """The quantities that a line names, split in the way that names most."""
    cells = [re.split(split, without_mark(text)) for split in _SPLITS]
    return max(
        ({m.quantity for name in names for m in meanings(name.strip('"'))} for names in cells),
        key=len,
    )
