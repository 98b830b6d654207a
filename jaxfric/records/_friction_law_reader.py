"""The reader of friction laws."""

import os
from collections.abc import Collection, Mapping

import numpy as np

from jaxfric._types import Number
from jaxfric.records._friction_law import FrictionLaw
from jaxfric.records._friction_law_cleaning import cleaned
from jaxfric.records._friction_law_columns import (
    LawColumnMap,
    LawColumns,
    find_law_columns,
    named_by_index,
)
from jaxfric.records._friction_law_rows import SAME_LOAD
from jaxfric.records._friction_law_sheet import numbers, read_sheet
from jaxfric.records._rows import Rows, Samples, count_of
from jaxfric.records._text import read_text
from jaxfric.records._units import Quantity

# Of friction over load, where a unit had to be assumed: beyond, it was the wrong one
PLAUSIBLE = (0.005, 20.0)
# d ln F/d ln P of a force is 2/3 for one sphere and about 1 for rough surfaces; of a coefficient it
# is lower by 1. Half-way between the least force and the coefficient of a rough surface
LEAST_EXPONENT = 1 / 3


def read_friction_law(
    path: str | os.PathLike[str],
    *,
    columns: LawColumnMap | None = None,
    units: Mapping[str, str] | None = None,
    offset: str = "keep",
    same_load: Number = SAME_LOAD,
    skip_rows: int | Collection[int] = 0,
) -> FrictionLaw:
    """Read a measured friction law and make it a function of the load, in newtons.

    The file has rows of numbers, separated by tabs, commas, semicolons or spaces, with decimal
    points or, unless commas separate, commas. Columns are recognised by names such as `load (N)`,
    `F_N`, `P`, `Normalkraft`; `friction [mN]`, `F_T`, `Reibkraft`; `COF`, `mu` for a coefficient,
    which is multiplied by the load; `std`, `friction sd (mN)`, `±`. A row of units may stand below
    the names. Without names, the first of two columns is the load. A unit that stands nowhere is
    that of the other column, or N; one that makes friction/load implausible is refused. Rows
    without a number, at zero load, and of one load, signs and noise are treated as in
    `measured_law`, and `notes` says all that was done.

    Arguments:
        path: the file, in UTF-8, UTF-16 with a byte-order mark, or Latin-1.
        columns: name or index (from 0) of a quantity's column, such as
            `{"load": "Fz", "coefficient": 3}`. The quantities are "load", "friction",
            "coefficient" and "deviation"; `None` leaves one out.
        units: of "load", "friction", "deviation", such as `{"load": "mN"}`; goes before the
            file's. Known are N, kN, mN, uN, nN, gf, kgf, and g or kg of a weight.
        offset: "keep" leaves the friction at zero load in all rows, "subtract" takes it off.
        same_load: loads that differ by no more than this fraction are one load, at their mean;
            0.05 gathers a force ramp of 20,000 rows over three decades into 133 loads.
        skip_rows: how many lines stand above the names, or the numbers (from 1) of lines to skip.

    Returns:
        `FrictionLaw`, named after the file.

    Raises:
        ValueError: naming the file, its line (from 1) and the remedy.
        FileNotFoundError: if there is no such file.
        IsADirectoryError: if the path is a folder.

    Example:
        >>> import os, pathlib, tempfile
        >>> rows = ["load (mN),friction (mN)", "200,60", "100,29", "100,31", "300,90"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "wanted.csv")
        ...     _ = path.write_text(os.linesep.join(rows))
        ...     law = read_friction_law(path)
        >>> law.load, law.friction
        (array([0.1, 0.2, 0.3]), array([0.03, 0.06, 0.09]))
        >>> print(law.notes[0])
        4 rows read. Load is 'load (mN)' in mN; friction is 'friction (mN)' in mN.
    """
    text = read_text(path, skip_rows)
    sheet = read_sheet(text, mapped=bool(columns), by_index=named_by_index(columns))
    table = sheet.table
    places = find_law_columns(sheet, columns, units)
    notes = [f"{count_of(len(table.rows), 'row')} read. {places.notes[0]}"]
    notes += [*places.notes[1:], *sheet.notes]
    found = numbers(table, places.columns, notes)
    samples = Samples(_in_newtons(found, places), Rows(table.source, np.array(table.lines)))
    _check_plausible(samples, places)
    return cleaned(samples, notes, offset=offset, same_load=same_load)


def _in_newtons(found: dict[Quantity, np.ndarray], places: LawColumns) -> dict[str, np.ndarray]:
    """Load, friction and deviation; N."""
    # What overflows is no finite number, and its row is left out as such
    with np.errstate(over="ignore", invalid="ignore"):
        si = {key: values * places.columns[key].factor for key, values in found.items()}
        if "coefficient" in si:
            si["friction"] = si.pop("coefficient") * si["load"]
        if places.deviation_of:
            si["deviation"] = si["deviation"] * np.abs(si[places.deviation_of])
    return si


def _check_plausible(samples: Samples, places: LawColumns) -> None:
    """Refuse what an assumed unit makes unlikely, and a coefficient that passes for a force."""
    load, friction = (np.abs(samples.columns[key]) for key in ("load", "friction"))
    with np.errstate(invalid="ignore"):
        used = (load > 0) & (friction > 0) & np.isfinite(load * friction)
    load, friction = load[used], friction[used]
    if not load.size or load.min() == load.max():
        return
    source, title = samples.rows.source, {k: x.title for k, x in places.columns.items()}
    if places.vague:
        x = np.log(load) - np.log(load).mean()
        if np.sum(x * np.log(friction)) / np.sum(x**2) < LEAST_EXPONENT:
            raise ValueError(
                f"{source}: {title['friction']!r} hardly grows with the load and states no unit, "
                "so it may be a coefficient or a force: say which with "
                'columns={"coefficient": name or index} or units={"friction": unit}'
            )
    ratio = float(np.median(friction / load))
    if places.assumed and not PLAUSIBLE[0] <= ratio <= PLAUSIBLE[1] and "friction" in title:
        raise ValueError(
            f"{source}: friction is {ratio:.3g} times the load if the units that the file does not "
            'state are as assumed; state them with units={"load": unit, "friction": unit}'
        )
