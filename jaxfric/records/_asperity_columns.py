"""Which columns of a list of asperities are heights, radii and places, and in which units."""

import re
from typing import NamedTuple

from jaxfric.records._height_map_cells import is_cell, separator, split
from jaxfric.records._text import Line, Text, is_comment, without_mark
from jaxfric.records._units import length, normal_form

# In lower case; English, German, French
_NAMES = {
    "height": frozenset("height heights z h höhe hoehe hauteur".split()),
    "radius": frozenset("radius radii r roc rayon krümmungsradius".split()),
    "diameter": frozenset("diameter diameters durchmesser diamètre".split()),
    "x": frozenset("x"),
    "y": frozenset("y"),
}
# Words that leave a name what it is; "base", "foot" and "contact" are other radii
_QUALIFIERS = frozenset(
    "of the in at tip tips cap caps asperity peak summit apex top sphere spherical ball curvature "
    "mean nominal measured position pos centre center coordinate".split()
)
_IN_BRACKETS = re.compile(r"(?P<name>[^(\[{]*)[(\[{](?P<unit>[^()\[\]{}]*)[)\]}]\s*")
_BEFORE_UNIT = re.compile(r"\s+(?=[(\[{])")
_WORDS = re.compile(r"[\s_,./]+")
EXAMPLE = "'height_um,radius_um', and x_um and y_um for where they stand"


class Title(NamedTuple):
    """What a name says of its column."""

    quantity: str  # "height", "radius", "diameter", "x" or "y"
    unit: str  # as stated; empty if none is


class AsperitySheet(NamedTuple):
    """The names of a list's columns, the units in a row of their own, and the rows of cells."""

    titles: list[str]
    units: list[str]  # as many as columns, or none
    units_line: int
    rows: list[tuple[Line, list[str]]]


def read_title(title: str) -> Title | None:
    """Quantity and unit of a name: "Tip height (um)", "R_mm", "Radius of curvature [nm]"."""
    title = normal_form(title)
    if bracketed := _IN_BRACKETS.fullmatch(title):
        quantity = _quantity(_words(bracketed["name"]))
        return Title(quantity, bracketed["unit"].strip()) if quantity else None
    words = _words(title)
    if quantity := _quantity(words):
        return Title(quantity, "")
    quantity = _quantity(words[:-1])
    return Title(quantity, _WORDS.split(title.strip(" _,./"))[-1]) if quantity else None


def _words(name: str) -> list[str]:
    return [word for word in _WORDS.split(name.lower()) if word]


def _quantity(words: list[str]) -> str | None:
    telling = [word for word in words if word not in _QUALIFIERS]
    if len(telling) != 1:
        return None
    return next((key for key, names in _NAMES.items() if telling[0] in names), None)


def _named(titles: list[str]) -> set[str]:
    """The quantities of columns with names; none if a number stands among these."""
    if any(title and is_cell(title) for title in titles):
        return set()
    return {title.quantity for title in map(read_title, titles) if title}


def asperity_sheet(text: Text) -> AsperitySheet | None:
    """The list in a file; None if no line names a radius, `ValueError` if its rows are none."""
    misfit: ValueError | None = None
    for i, header in enumerate(text.lines):
        # Each name of a radius has an r, but the millions of lines of a map have none
        if "r" not in header.text and "R" not in header.text:
            continue
        below = [line for line in text.lines[i + 1 :] if not is_comment(line.text)]
        mark = separator(below[-20:] or [header])
        titles = _titles(header, mark)
        if not titles:
            continue
        last = split(below[-1].text, mark) if below else []
        fitting = next((names for names in titles if len(_cut(last, names)) == len(names)), None)
        if fitting:
            return _sheet(text.source, header, fitting, below, mark)
        # One name alone may be a remark, "Tip radius, 10 nm" above a map
        named = max(map(len, map(_named, titles)))
        if misfit is None and not is_comment(header.text) and named > 1:
            misfit = ValueError(_misfit(text.source, header, titles[0], below, len(last)))
    if misfit:
        raise misfit
    return None


def _titles(header: Line, mark: str) -> list[list[str]]:
    """Each way of splitting a line in which it names a list's columns."""
    said = without_mark(header.text)
    # Where spaces separate, names may hold single ones, or one before the unit
    ways = [split(said, mark), re.split(r"\t|\s{2,}", said), _BEFORE_UNIT.sub("", said).split()]
    ways += [split(said, other) for other in "\t;," if other != mark]
    names = [_cut([name.strip('" ') for name in way], []) for way in ways]
    return [way for way in names if len(way) > 1 and _named(way) & {"radius", "diameter"}]


def _cut(cells: list[str], names: list[str]) -> list[str]:
    """Without empty cells beyond the names: separators at the end, as spreadsheets leave them."""
    width = max((i for i, cell in enumerate(cells, 1) if cell), default=0)
    return cells[: max(width, len(names))]


def _misfit(source: str, header: Line, names: list[str], below: list[Line], width: int) -> str:
    called = (
        f"{source}: line {header.number} names the {len(names)} columns of a list of asperities"
    )
    if not below:
        return f"{called}, but no row of numbers stands below; write one line for each asperity"
    return (
        f"{called}, but line {below[-1].number} has {width} values; write as many values as names, "
        "with one separator throughout, and decimal points where commas separate"
    )


def _sheet(
    source: str, header: Line, titles: list[str], below: list[Line], mark: str
) -> AsperitySheet:
    rows = [(line, _cut(split(line.text, mark), titles)) for line in below]
    for line, cells in rows:
        if len(cells) != len(titles):
            raise ValueError(_misfit(source, header, titles, [line], len(cells)))
    units = [cell.strip("()[]{} ") for cell in rows[0][1]]
    lengths = [length(unit) is not None for unit in units]
    if not any(lengths) or any(
        is_cell(unit) and unit not in ("", "-") and not known
        for unit, known in zip(units, lengths, strict=True)
    ):
        return AsperitySheet(titles, [], 0, rows)
    if not rows[1:]:
        raise ValueError(_misfit(source, header, titles, [], 0))
    return AsperitySheet(titles, units, rows[0][0].number, rows[1:])
