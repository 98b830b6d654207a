"""What the titles of columns say: which quantity a column is, and in which unit."""

import dataclasses
import re
from collections.abc import Collection, Mapping

from jaxfric.records._table import Table
from jaxfric.records._units import Quantity, factor, known_units, normal_form

_SLIDE = ("displacement", "disp", "displ")
_STRESS = ("normalstress", "normstress")
# Names without unit, in lower case, letters and digits only: "Effective_Normal_stress(MPa)" is
# compared as "effectivenormalstress".
_NAMES: dict[Quantity, tuple[str, ...]] = {
    "time": ("time", "t", "elapsedtime", "experimenttime", "testtime", "labtime"),
    "displacement": (*_SLIDE, *("lp" + s for s in _SLIDE), *("loadpoint" + s for s in _SLIDE)),
    "friction": ("friction", "mu", "μ", "frictioncoefficient", "frictioncoeff", "cof")
    + ("coefficientoffriction", "coeffoffriction"),
    "normal_stress": (*_STRESS, "sigman", "σn", *("eff" + s for s in _STRESS))
    + tuple("effective" + s for s in _STRESS),
    "shear_stress": ("shearstress", "tau", "τ"),
    "time_to_failure": ("timetofailure", "ttf", "timetonextfailure", "timetostartfailure")
    + ("timetostartoffailure", "timetofailurestart"),
}
# Channels have too many names for a list, as each may carry what was measured and a number:
# Var_Ch1, AE1, acoustic_data, kinetic_energy, "AE energy 2", rms_channel_3.
_EMISSION = re.compile(
    r"(?:ae|acoustic|emissions?|kinetic|energy|ke|var|variance|rms|amp|amplitude)"
    r"(?:acoustic|emissions?|energy|var|variance|rms|amp|amplitude|data|signal)*"
    r"(?:ch|channel)?\d*"
)
_BRACKETS = re.compile(r"(?P<name>.*?)[\s_]*[(\[{](?P<unit>[^()\[\]{}]*)[)\]}]")
_SUFFIX = re.compile(r"(?P<name>.+)[\s_,]+(?P<unit>[^\s_,]+)")


@dataclasses.dataclass(frozen=True)
class Column:
    """One quantity's place in the rows, its factor to SI and its name in the file."""

    index: int
    factor: float
    title: str


def split_title(title: str, key: Quantity) -> tuple[str, str | None] | None:
    """Name and unit of a column's title if it names this quantity, else `None`.

    The unit stands in brackets, "Time(s)" or "disp. [um]", or last, "lp_disp_um" or "Time, s".
    """
    title = normal_form(title)
    if bracketed := _BRACKETS.fullmatch(title):
        name, unit = bracketed["name"], bracketed["unit"].strip()
        return (name, unit) if _names(name, key) else None
    if _names(title, key):
        return title, None
    # A last word is a unit only if the rest is a name and the word a unit of that quantity: the
    # "2" of "disp_2" is neither, so such a title names nothing.
    suffixed = _SUFFIX.fullmatch(title)
    if suffixed and _names(suffixed["name"], key) and factor(key, suffixed["unit"]) is not None:
        return suffixed["name"], suffixed["unit"]
    return None


def stated_unit(title: str, key: Quantity) -> str | None:
    """The unit that a title states; a title that names no quantity states it in brackets only."""
    if known := split_title(title, key):
        return known[1]
    bracketed = _BRACKETS.fullmatch(normal_form(title))
    return bracketed["unit"].strip() if bracketed else None


def _names(name: str, key: Quantity) -> bool:
    """Whether a name, free of its unit, is one of the quantity's."""
    bare = "".join(letter for letter in name if letter.isalnum())
    if key == "emission":
        return _EMISSION.fullmatch(bare.lower()) is not None
    # Capitals are free but for one letter: "t" is the time, "T" a temperature.
    return bare.lower() in _NAMES[key] and bare != "T"


def candidates(table: Table, key: Quantity, taken: Collection[int]) -> list[int]:
    """Columns whose title could be the quantity's and that nothing else uses."""
    return [
        index
        for index, title in enumerate(table.titles)
        if index not in taken and split_title(title, key) is not None
    ]


def at_most_one(table: Table, key: Quantity, found: list[int]) -> list[int]:
    """The one column found, or none; several are refused, as any choice would be a guess."""
    if len(found) > 1:
        names = ", ".join(repr(table.titles[i]) for i in found)
        raise ValueError(
            f"{table.source}: {len(found)} columns could be the {in_words(key)}: {names}. Name "
            f'one with columns={{"{key}": name or index}}'
        )
    return found


def mapped_index(table: Table, key: str, column: str | int) -> int:
    """The index of a column that the user names."""
    # True is the number 1 to Python, but a name or a mistake here.
    if isinstance(column, int) and not isinstance(column, bool):
        if 0 <= column < table.width:
            return column
        raise ValueError(
            f'{table.source}: columns={{"{key}": {column}}} is not a column: they are counted from '
            f"0 to {table.width - 1}"
        )
    # The whole title first: "load (N)" and "load (mm)" differ in their units only.
    bare = [_BRACKETS.sub(r"\g<name>", title) for title in table.titles]
    for titles in (list(table.titles), bare):
        found = [
            i for i, title in enumerate(titles) if normal_form(title) == normal_form(str(column))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(
                f"{table.source}: {len(found)} columns are called {column!r}; map {key} by index, "
                f"one of {found}"
            )
    raise ValueError(
        f'{table.source}: columns={{"{key}": {column!r}}} is not a column. {table.describe()} '
        "Give one of these names, or an index counted from 0"
    )


def check_once(table: Table, columns: Mapping[str, object], indices: Collection[int]) -> None:
    """Refuse a mapping that takes one column for two quantities; `indices` are its columns."""
    if len(set(indices)) < len(indices):
        raise ValueError(
            f"{table.source}: columns= maps one column to two quantities: {dict(columns)}"
        )


def unit_factor(
    table: Table, key: Quantity, index: int, unit: str, *, kind: Quantity = "", or_else: str = ""
) -> float:
    """The factor to SI of a column's unit, which is one of `kind`, or of the quantity itself."""
    found = factor(kind or key, unit)
    if found is None:
        of, known = kind or f"the {in_words(key)}", known_units(kind or key)
        raise ValueError(
            f"{table.source}: {unit!r} (column {table.title(index)!r}) is not a known unit of "
            f'{of}: pass units={{"{key}": unit}} with one of {known}{or_else}'
        )
    return found


def in_words(key: Quantity) -> str:
    """A quantity's key as it stands in a sentence."""
    return key.replace("_", " ")
