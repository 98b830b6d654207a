"""Which column of a file is which quantity, and in which unit."""

import dataclasses
import re
from collections.abc import Collection, Mapping

from jaxfric.records._table import Table
from jaxfric.records._units import Quantity, factor, known_units, needs_unit, normal_form

_SLIDE = ("displacement", "disp", "displ")
_STRESS = ("normalstress", "normstress")
# Names without unit, in lower case, letters and digits only.
_NAMES: dict[Quantity, tuple[str, ...]] = {
    "time": ("time", "t", "elapsedtime", "experimenttime", "testtime", "labtime"),
    "displacement": (*_SLIDE, *("lp" + s for s in _SLIDE), *("loadpoint" + s for s in _SLIDE)),
    "friction": ("friction", "mu", "μ", "frictioncoefficient", "frictioncoeff", "cof")
    + ("coefficientoffriction", "coeffoffriction"),
    "normal_stress": (*_STRESS, "sigman", "σn", *("eff" + s for s in _STRESS))
    + tuple("effective" + s for s in _STRESS),
    "shear_stress": ("shearstress", "tau", "τ"),
}
QUANTITIES = tuple(_NAMES)
# Of stick-slip records only.
_MORE_NAMES: dict[Quantity, tuple[str, ...]] = {
    "time_to_failure": ("timetofailure", "ttf", "timetonextfailure", "timetostartfailure")
    + ("timetostartoffailure", "timetofailurestart"),
}
# Var_Ch1, AE1, acoustic_data, kinetic_energy, "AE energy 2", rms_channel_3
_EMISSION = re.compile(
    r"(?:ae|acoustic|emissions?|kinetic|energy|ke|var|variance|rms|amp|amplitude)"
    r"(?:acoustic|emissions?|energy|var|variance|rms|amp|amplitude|data|signal)*"
    r"(?:ch|channel)?\d*"
)
_BRACKETS = re.compile(r"(?P<name>.*?)[\s_]*[(\[{](?P<unit>[^()\[\]{}]*)[)\]}]")
_SUFFIX = re.compile(r"(?P<name>.+)[\s_,]+(?P<unit>[^\s_,]+)")

ColumnMap = Mapping[str, str | int | None]


@dataclasses.dataclass(frozen=True)
class Column:
    """One quantity's place in the rows, its factor to SI and its name in the file."""

    index: int
    factor: float
    title: str


def named_by_index(columns: ColumnMap | None) -> bool:
    """Whether all that a record needs is mapped by index, so that no names are needed."""
    by_index = {key for key, column in (columns or {}).items() if isinstance(column, int)}
    stresses = {"shear_stress", "normal_stress"}
    return {"time", "displacement"} <= by_index and ("friction" in by_index or stresses <= by_index)


def match_columns(
    table: Table, columns: ColumnMap | None, units: Mapping[str, str] | None
) -> dict[Quantity, Column]:
    """Find time, displacement, friction (or shear stress) and, if there, normal stress."""
    columns, units = dict(columns or {}), dict(units or {})
    for option, keys in (("columns", columns), ("units", units)):
        if unknown := [key for key in keys if key not in QUANTITIES]:
            raise ValueError(
                f"{option}= has the key {unknown[0]!r}, but the quantities are "
                f"{', '.join(QUANTITIES)}"
            )
    places = _places(table, columns)
    return {key: _with_unit(table, key, index, units) for key, index in places.items()}


def _places(table: Table, columns: dict[str, str | int | None]) -> dict[Quantity, int]:
    """The index of each quantity's column; what the user maps goes before what is recognised."""
    places = {
        key: mapped_index(table, key, column)
        for key, column in columns.items()
        if column is not None
    }
    if len(set(places.values())) < len(places):
        raise ValueError(f"{table.source}: columns= maps one column to two quantities: {columns}")
    if "friction" in places and "shear_stress" in places:
        raise ValueError(
            f"{table.source}: columns= maps both friction and shear_stress; map the one that "
            "friction is to be taken from"
        )
    wanted = [key for key in QUANTITIES if key not in columns]
    if "shear_stress" in places:
        wanted = [key for key in wanted if key != "friction"]
    for key in wanted:
        if found := single(table, key, candidates(table, key, places.values())):
            places[key] = found[0]
    if "friction" in places:
        places.pop("shear_stress", None)
    _require(table, places)
    return places


def candidates(table: Table, key: Quantity, taken: Collection[int]) -> list[int]:
    """Columns whose title could be the quantity's and that nothing else uses."""
    return [
        index
        for index, title in enumerate(table.titles)
        if index not in taken and split_title(title, key) is not None
    ]


def single(table: Table, key: Quantity, found: list[int]) -> list[int]:
    """The one column found, or none; several are refused."""
    if len(found) > 1:
        names = ", ".join(repr(table.titles[i]) for i in found)
        raise ValueError(
            f"{table.source}: {len(found)} columns could be the {words(key)}: {names}. Name "
            f'one with columns={{"{key}": name or index}}'
        )
    return found


def mapped_index(table: Table, key: str, column: str | int) -> int:
    """The index of a column that the user names."""
    if isinstance(column, int) and not isinstance(column, bool):
        if 0 <= column < table.width:
            return column
        raise ValueError(
            f'{table.source}: columns={{"{key}": {column}}} is not a column: they are counted from '
            f"0 to {table.width - 1}"
        )
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
        f'{table.source}: columns={{"{key}": {column!r}}} is not a column. {table.found()} '
        "Give one of these names, or an index counted from 0"
    )


def _require(table: Table, places: dict[Quantity, int]) -> None:
    missing = [key for key in ("time", "displacement") if key not in places]
    if "friction" not in places and "shear_stress" not in places:
        missing.append("friction")
    if missing:
        example = ", ".join(f'"{key}": {i}' for i, key in enumerate(missing))
        raise ValueError(
            f"{table.source}: no column for {', '.join(missing)}. {table.found()} A record needs "
            "time, displacement of the load point, and friction (or shear stress and normal "
            f"stress). Map what is missing by name or by index counted from 0, as in "
            f"columns={{{example}}}; if the names stand further down, pass skip_rows=<number of "
            "lines above them>"
        )
    if "shear_stress" in places and "normal_stress" not in places:
        raise ValueError(
            f"{table.source}: there is a shear stress but neither friction nor a normal stress to "
            f"divide it by. {table.found()} Map one with columns="
            '{"normal_stress": name or index}, or divide by a constant yourself and build '
            "VelocityStepRecord(time, displacement, friction)"
        )


def _with_unit(table: Table, key: Quantity, index: int, units: dict[str, str]) -> Column:
    """The column with its factor, from `units` or from its title."""
    title = table.titles[index] if table.titles else f"column {index}"
    if key == "friction" and key not in units and split_title(title, "shear_stress"):
        raise ValueError(
            f"{table.source}: columns= maps the shear stress {title!r} to friction: map it to "
            'shear_stress, beside a normal stress; or pass units={"friction": "1"} if it is a ratio'
        )
    stated = units[key] if key in units else stated_unit(title, key)
    remedy = f'pass units={{"{key}": unit}} with one of {known_units(key)}'
    if key == "normal_stress":
        remedy += ', or columns={"normal_stress": None} to leave it out'
    if stated is None and needs_unit(key):
        raise ValueError(
            f"{table.source}: the column {title!r} states no unit for the {words(key)}: {remedy}"
        )
    value = factor(key, stated or "")
    if value is None:
        raise ValueError(
            f"{table.source}: {stated!r} (column {title!r}) is not a known unit of the "
            f"{words(key)}: {remedy}"
        )
    return Column(index, value, title)


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
    last = _SUFFIX.fullmatch(title)
    if last and _names(last["name"], key) and factor(key, last["unit"]) is not None:
        return last["name"], last["unit"]
    return None


def stated_unit(title: str, key: Quantity) -> str | None:
    """The unit that a title states; a name of the user's own states it in brackets only."""
    if known := split_title(title, key):
        return known[1]
    bracketed = _BRACKETS.fullmatch(normal_form(title))
    return bracketed["unit"].strip() if bracketed else None


def _names(name: str, key: Quantity) -> bool:
    """Whether a name, free of its unit, is one of the quantity's; a capital T is a temperature."""
    bare = "".join(letter for letter in name if letter.isalnum())
    if key == "emission":
        return _EMISSION.fullmatch(bare.lower()) is not None
    return bare.lower() in (_NAMES | _MORE_NAMES)[key] and bare != "T"


def words(key: Quantity) -> str:
    return key.replace("_", " ")
