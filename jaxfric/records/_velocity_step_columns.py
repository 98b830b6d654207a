"""Which columns of a velocity-step file are its clock, displacement, friction and stresses."""

from collections.abc import Mapping

from jaxfric.records._table import Table
from jaxfric.records._titles import (
    Column,
    at_most_one,
    candidates,
    check_once,
    in_words,
    mapped_index,
    split_title,
    stated_unit,
    unit_factor,
)
from jaxfric.records._units import Quantity, known_units, needs_unit

QUANTITIES: tuple[Quantity, ...] = (
    "time",
    "displacement",
    "friction",
    "normal_stress",
    "shear_stress",
)

ColumnMap = Mapping[str, str | int | None]


def named_by_index(columns: ColumnMap | None) -> bool:
    """Whether all that a record needs is mapped by index, so that no names are needed."""
    by_index = {key for key, column in (columns or {}).items() if isinstance(column, int)}
    stresses = {"shear_stress", "normal_stress"}
    return {"time", "displacement"} <= by_index and ("friction" in by_index or stresses <= by_index)


def find_velocity_step_columns(
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
    indices = _indices(table, columns)
    return {key: _with_unit(table, key, index, units) for key, index in indices.items()}


def _indices(table: Table, columns: dict[str, str | int | None]) -> dict[Quantity, int]:
    """The index of each quantity's column; what the user maps goes before what is recognised."""
    indices = {
        key: mapped_index(table, key, column)
        for key, column in columns.items()
        if column is not None
    }
    check_once(table, columns, indices.values())
    if "friction" in indices and "shear_stress" in indices:
        raise ValueError(
            f"{table.source}: columns= maps both friction and shear_stress; map the one that "
            "friction is to be taken from"
        )
    wanted = [key for key in QUANTITIES if key not in columns]
    # Who maps the shear stress asks for the ratio, also beside a column that is called friction.
    if "shear_stress" in indices:
        wanted = [key for key in wanted if key != "friction"]
    for key in wanted:
        if found := at_most_one(table, key, candidates(table, key, indices.values())):
            indices[key] = found[0]
    # Otherwise a column of friction goes before the ratio of two others.
    if "friction" in indices:
        indices.pop("shear_stress", None)
    _require(table, indices)
    return indices


def _require(table: Table, indices: dict[Quantity, int]) -> None:
    missing = [key for key in ("time", "displacement") if key not in indices]
    if "friction" not in indices and "shear_stress" not in indices:
        missing.append("friction")
    if missing:
        example = ", ".join(f'"{key}": {i}' for i, key in enumerate(missing))
        raise ValueError(
            f"{table.source}: no column for {', '.join(missing)}. {table.describe()} A record "
            "needs time, displacement of the load point, and friction (or shear stress and normal "
            "stress). Map what is missing by name or by index counted from 0, as in "
            f"columns={{{example}}}; if the names stand further down, pass skip_rows=<number of "
            "lines above them>"
        )
    if "shear_stress" in indices and "normal_stress" not in indices:
        raise ValueError(
            f"{table.source}: there is a shear stress but neither friction nor a normal stress to "
            f"divide it by. {table.describe()} Map one with columns="
            '{"normal_stress": name or index}, or divide by a constant yourself and build '
            "VelocityStepRecord(time, displacement, friction)"
        )


def _with_unit(table: Table, key: Quantity, index: int, units: dict[str, str]) -> Column:
    """The column with its factor, from `units` or from its title."""
    title = table.title(index)
    if key == "friction" and key not in units and split_title(title, "shear_stress"):
        raise ValueError(
            f"{table.source}: columns= maps the shear stress {title!r} to friction: map it to "
            'shear_stress, beside a normal stress; or pass units={"friction": "1"} if it is a ratio'
        )
    stated = units[key] if key in units else stated_unit(title, key)
    leave = ', or columns={"normal_stress": None} to leave it out'
    or_else = leave if key == "normal_stress" else ""
    # A unit is never guessed here: what a fit finds for Dc scales with the unit of displacement,
    # and nothing else in the file would show the mistake.
    if stated is None and needs_unit(key):
        raise ValueError(
            f"{table.source}: the column {title!r} states no unit for the {in_words(key)}: "
            f'pass units={{"{key}": unit}} with one of {known_units(key)}{or_else}'
        )
    return Column(index, unit_factor(table, key, index, stated or "", or_else=or_else), title)
