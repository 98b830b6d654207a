"""Which columns of a stick-slip file are its emission, stress, friction and clock."""

import dataclasses
from collections.abc import Mapping, Sequence

from jaxfric.records._table import Table
from jaxfric.records._titles import (
    Column,
    at_most_one,
    candidates,
    check_once,
    mapped_index,
    stated_unit,
    unit_factor,
)
from jaxfric.records._units import Quantity, needs_unit

LabquakeColumnMap = Mapping[str, str | int | Sequence[str | int] | None]

# Quantities with one column each; the emission may have several channels.
QUANTITIES: tuple[Quantity, ...] = (
    "time",
    "displacement",
    "friction",
    "normal_stress",
    "shear_stress",
    "time_to_failure",
)
# What laboratories write where a name states no unit. Unlike in a velocity step a guess is allowed
# here: a wrong one makes the friction implausible, which is refused, and a note states it.
_USUAL_UNITS = {
    "time": "s",
    "displacement": "um",
    "normal_stress": "MPa",
    "shear_stress": "MPa",
    "time_to_failure": "s",
}


@dataclasses.dataclass(frozen=True)
class LabquakeColumns:
    """Each quantity's column, the emission's channels, and a note on units that were assumed."""

    quantities: dict[Quantity, Column]
    channels: tuple[Column, ...]
    notes: tuple[str, ...]


def find_labquake_columns(
    table: Table, columns: LabquakeColumnMap | None, units: Mapping[str, str] | None
) -> LabquakeColumns:
    """Find the time, the emission's channels and whatever else the file has."""
    columns, units = dict(columns or {}), dict(units or {})
    for option, keys, known in (
        ("columns", columns, (*QUANTITIES, "emission")),
        ("units", units, QUANTITIES),
    ):
        if unknown := [key for key in keys if key not in known]:
            why = " (the emission keeps its unit)" if unknown[0] == "emission" else ""
            raise ValueError(
                f"{option}= has the key {unknown[0]!r}{why}, but the quantities are "
                f"{', '.join(known)}"
            )
    indices, channels = _indices(table, columns)
    if "time" not in indices or not channels:
        raise ValueError(_missing(table, "time" in indices))
    assumed: list[str] = []
    quantities = {key: _with_unit(table, key, i, units, assumed) for key, i in indices.items()}
    notes = [f"Units that no name states are taken as usual: {', '.join(assumed)}."]
    return LabquakeColumns(
        quantities=quantities,
        channels=tuple(Column(i, 1.0, table.title(i)) for i in channels),
        notes=tuple(notes if assumed else ()),
    )


def _indices(
    table: Table, columns: dict[str, str | int | Sequence[str | int] | None]
) -> tuple[dict[Quantity, int], list[int]]:
    """The index of each quantity and of each channel; what is mapped before what is recognised."""
    indices: dict[Quantity, int] = {}
    channels: list[int] = []
    for key, column in columns.items():
        if column is None:
            continue
        if key == "emission":
            mapped = [column] if isinstance(column, (str, int)) else list(column)
            channels = [mapped_index(table, key, channel) for channel in mapped]
        elif isinstance(column, (str, int)):
            indices[key] = mapped_index(table, key, column)
        else:
            raise ValueError(
                f'{table.source}: columns={{"{key}": {column!r}}} names several columns; only '
                "the emission has more than one"
            )
    taken = [*indices.values(), *channels]
    check_once(table, columns, taken)
    # The emission last: names such as "energy" are vague, and what a quantity uses is not offered.
    for key in (*QUANTITIES, "emission"):
        if key in columns:
            continue
        found = candidates(table, key, taken)
        if key == "emission":
            channels = found
        elif at_most_one(table, key, found):
            indices[key] = found[0]
            taken += found
    return indices, channels


def _missing(table: Table, has_time: bool) -> str:
    what = "emission" if has_time else "time"
    example = '"emission": ["AE1", "AE2"]' if has_time else '"time": 0'
    return (
        f"{table.source}: no column for {what}. {table.describe()} A stick-slip record needs time "
        "and one or more channels of acoustic emission or kinetic energy. Map what is missing by "
        f"name or by index counted from 0, as in columns={{{example}}}; if the names stand further "
        "down, pass skip_rows=<number of lines above them>"
    )


def _with_unit(
    table: Table, key: Quantity, index: int, units: dict[str, str], assumed: list[str]
) -> Column:
    """The column with its factor: from `units`, from its title, or the usual one."""
    title = table.title(index)
    stated = units.get(key, stated_unit(title, key))
    if stated is None and needs_unit(key):
        stated = _USUAL_UNITS[key]
        assumed.append(f"{title} in {stated}")
    return Column(index, unit_factor(table, key, index, stated or ""), title)
