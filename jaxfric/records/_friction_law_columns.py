"""Which columns of a file are the load, the friction and its deviation, and in which units."""

import dataclasses
from collections.abc import Mapping

from jaxfric.records._friction_law_sheet import Sheet
from jaxfric.records._friction_law_titles import (
    Meaning,
    is_bare,
    is_force,
    is_ratio,
    meanings,
    stated_unit,
)
from jaxfric.records._table import Table
from jaxfric.records._titles import (
    Column,
    at_most_one,
    check_once,
    mapped_index,
    unit_factor,
)
from jaxfric.records._units import Quantity, normal_form

QUANTITIES: tuple[Quantity, ...] = ("load", "friction", "coefficient", "deviation")
LawColumnMap = Mapping[str, str | int | None]


@dataclasses.dataclass(frozen=True)
class LawColumns:
    """The columns of a law, and what was assumed of them."""

    columns: dict[Quantity, Column]  # load, friction or coefficient, perhaps deviation
    deviation_of: Quantity  # what the deviation is a fraction of: "load", "friction"; "" if in N
    assumed: bool  # whether a unit of force was
    vague: bool  # whether the friction may be a coefficient: it has no unit and no telling name
    notes: tuple[str, ...]


def named_by_index(columns: LawColumnMap | None) -> bool:
    """Whether all that a law needs is mapped by index, so that no names are needed."""
    given = {key for key, column in (columns or {}).items() if isinstance(column, int)}
    return "load" in given and bool({"friction", "coefficient"} & given)


def find_law_columns(
    sheet: Sheet, columns: LawColumnMap | None, units: Mapping[str, str] | None
) -> LawColumns:
    """Find load and friction, or a coefficient in its place, and a standard deviation."""
    columns, units = dict(columns or {}), dict(units or {})
    for option, keys, known in (
        ("columns", columns, QUANTITIES),
        ("units", units, tuple(key for key in QUANTITIES if key != "coefficient")),
    ):
        if unknown := [key for key in keys if key not in known]:
            raise ValueError(
                f"{option}= has the key {unknown[0]!r}, but the quantities are {', '.join(known)}"
            )
    table = sheet.table
    indices = _indices(table, columns)
    stated = {key: _stated(sheet, key, index, units) for key, index in indices.items()}
    _check_force(table, indices, stated, units)
    used, guesses = _with_guesses(stated)
    places = {
        key: Column(index, _factor(table, key, index, used[key]), table.title(index))
        for key, index in indices.items()
    }
    notes = [_said(table, places, used)]
    if not table.titles and "load" not in columns:
        notes.append("No line names the columns: the first is assumed to be the load.")
    force = indices.get("friction")
    named = force is not None and table.titles and not is_bare(table.titles[force])
    return LawColumns(
        columns=places,
        deviation_of=_deviation_of(used),
        assumed="load" in guesses or "friction" in guesses,
        vague="friction" in guesses and not named,
        notes=(
            *notes,
            *_weights(places, used),
            *(f"No unit stands beside {places[k].title!r}: {why}." for k, why in guesses.items()),
        ),
    )


def _indices(table: Table, columns: dict[str, str | int | None]) -> dict[Quantity, int]:
    """The index of each quantity's column; what the user maps goes before what is recognised."""
    indices = {
        key: mapped_index(table, key, column)
        for key, column in columns.items()
        if column is not None
    }
    check_once(table, columns, indices.values())
    if "friction" in indices and "coefficient" in indices:
        raise ValueError(
            f"{table.source}: columns= maps both friction and coefficient; map the one that "
            "friction is to be taken from"
        )
    if not table.titles and table.width == 2 and not indices:
        return {"load": 0, "friction": 1}
    readings = _readings(table, set(indices.values()))
    wanted = [key for key in QUANTITIES if key not in columns]
    for key in wanted:
        # Force goes before the coefficient, unless the user maps that
        if key in ("friction", "coefficient") and {"friction", "coefficient"} & set(indices):
            continue
        of = ("", "friction" if "friction" in indices else "coefficient")
        found = [
            i
            for i, meaning in readings.items()
            if meaning.quantity == key and (key != "deviation" or meaning.of in of)
        ]
        if at_most_one(table, key, found):
            indices[key] = found[0]
    for key in ("load", "friction"):
        if key not in indices and not (key == "friction" and "coefficient" in indices):
            raise ValueError(
                f"{table.source}: no column of {key}. {table.describe()} Name it in the file, as "
                f"in '{key} (N)', or say which it is with columns={{\"{key}\": name or index}}"
            )
    return indices


def _readings(table: Table, taken: set[int]) -> dict[int, Meaning]:
    """What each column is that nothing else uses and whose title says it."""
    readings: dict[int, Meaning] = {}
    undecided: dict[int, tuple[Meaning, ...]] = {}
    for i, title in enumerate(table.titles):
        found = meanings(title)
        if i in taken or not found:
            continue
        if len(found) > 1:
            undecided[i] = found
            continue
        (meaning,) = found
        # "friction (-)" is a coefficient, and "mu (N)" nothing that is known
        if meaning.quantity == "friction" and meaning.unit and is_ratio(meaning.unit):
            meaning = Meaning("coefficient", meaning.unit)
        if not (meaning.quantity == "coefficient" and is_force(meaning.unit or "")):
            readings[i] = meaning
    for i, (as_symbol, with_unit) in undecided.items():
        # F_N is the normal force, but beside a load and no other force the friction F in newtons
        others = {reading.quantity for reading in readings.values()}
        in_newtons = "load" in others and with_unit.quantity not in others
        readings[i] = with_unit if in_newtons else as_symbol
    return readings


def _stated(sheet: Sheet, key: Quantity, index: int, units: dict[str, str]) -> str | None:
    """The unit of a column: the user's, else that of its title, else that of a row of units."""
    if key in units:
        return units[key]
    title = sheet.table.titles[index] if sheet.table.titles else ""
    read = [meaning.unit for meaning in meanings(title) if meaning.quantity == key]
    return (read[0] if read else stated_unit(title)) or sheet.unit(index)


def _check_force(
    table: Table, indices: dict[Quantity, int], stated: dict[Quantity, str | None],
    units: dict[str, str],
) -> None:  # fmt: skip
    """A coefficient that the user maps to friction is no force."""
    if "friction" not in indices or "friction" in units:
        return
    title = table.title(indices["friction"])
    found = {meaning.quantity for meaning in meanings(title)}
    if found == {"coefficient"} or (stated["friction"] and is_ratio(stated["friction"])):
        raise ValueError(
            f"{table.source}: columns= maps the coefficient {title!r} to friction, which is a "
            "force: map it to coefficient, which is multiplied by the load; or pass "
            'units={"friction": "N"} if it is a force'
        )


def _with_guesses(
    stated: dict[Quantity, str | None],
) -> tuple[dict[Quantity, str], dict[Quantity, str]]:
    """Every unit, and why it is taken where none is stated."""
    used = {key: unit for key, unit in stated.items() if unit}
    guesses: dict[Quantity, str] = {}
    for key, other in (("load", "friction"), ("friction", "load"), ("deviation", "friction")):
        if key not in stated or key in used:
            continue
        # A guess is never taken over by the other column: both are newtons then
        if stated.get(other):
            used[key], guesses[key] = used[other], f"{used[other]} assumed, as of the {other}"
        elif key == "deviation":
            used[key] = used.get(other, "-")
            guesses[key] = "taken as that of the friction"
        else:
            used[key], guesses[key] = "N", "N assumed"
    if "coefficient" in stated:
        used["coefficient"] = "%" if stated["coefficient"] == "%" else "-"
        if used.get("deviation") == "-":
            guesses.pop("deviation", None)  # of a number without unit none is missing
    return used, guesses


def _factor(table: Table, key: Quantity, index: int, unit: str) -> float:
    """To newtons, or to a fraction."""
    if unit == "%":
        return 0.01
    if key in ("coefficient", "deviation") and is_ratio(unit):
        return 1.0
    return unit_factor(table, key, index, unit, kind="force")


def _deviation_of(used: dict[Quantity, str]) -> Quantity:
    unit = used.get("deviation", "")
    if unit == "%":
        return "friction"
    if unit and is_ratio(unit):
        return "load" if "coefficient" in used else "friction"
    return ""


def _weights(places: dict[Quantity, Column], used: dict[Quantity, str]) -> list[str]:
    """A note on columns of mass, of which the weight is taken."""
    return [
        f"{places[key].title!r} in {unit} is taken as a weight, at 9.80665 m/s²."
        for key, unit in used.items()
        if normal_form(unit).lower() in ("g", "kg", "mg")
    ]


def _said(table: Table, places: dict[Quantity, Column], used: dict[Quantity, str]) -> str:
    """The sentence on which columns were taken."""
    parts = []
    for key, place in places.items():
        unit = f" in {used[key]}" if used[key] != "-" else ""
        times = ", times the load" if key == "coefficient" else ""
        parts.append(f"{key} is {place.title!r}{unit}{times}")
    taken = {place.index for place in places.values()}
    others = [repr(t) for i, t in enumerate(table.titles) if t and i not in taken]
    if others:
        parts.append(f"not used: {', '.join(others)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
