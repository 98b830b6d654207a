"""The reader of friction laws."""

import os
import re

import numpy as np
import numpy.typing as npt

from jaxfric.records._table import Table, number, read_table
from jaxfric.records._text import read_text
from jaxfric.records._units import normal_form

Floats = npt.NDArray[np.float64]

# By unit in lower case. "MN" is told from "mN" in `_column`.
_NEWTONS = {"n": 1.0, "mn": 1e-3, "un": 1e-6, "μn": 1e-6, "kn": 1e3}
MIN_LOADS = 3  # two loads give a straight line, which tells nothing of a law

# First words of a title.
_NAMES = {"load": ("load", "normal", "p"), "friction": ("friction", "tangential", "shear", "f")}
_UNIT = re.compile(r"[(\[{]\s*([^)\]}]*?)\s*[)\]}]|[_ ]([munkμ]?N)$")


def read_friction_law(path: str | os.PathLike[str]) -> tuple[Floats, Floats]:
    """Read a friction law, load against friction force, and convert it to newtons.

    The file has a line of names and rows of numbers, as for `read_velocity_step`. One column is
    named after the load (load, normal …, P), one after the friction (friction, tangential …, F),
    each with its unit: `load (N)`, `friction [mN]`, `normal_force_N`.

    Arguments:
        path: the file.

    Returns:
        Loads and friction, (m,) each, N, sorted by load.

    Raises:
        ValueError: naming the file, its line (from 1) and the remedy.
        FileNotFoundError: if there is no such file.

    Example:
        >>> import os, pathlib, tempfile
        >>> rows = ["load (mN),friction (mN)", "200,60", "100,30", "300,90"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "wanted.csv")
        ...     _ = path.write_text(os.linesep.join(rows))
        ...     loads, friction = read_friction_law(path)
        >>> loads, friction
        (array([0.1, 0.2, 0.3]), array([0.03, 0.06, 0.09]))
    """
    table = read_table(read_text(path))
    columns = [_column(table, quantity) for quantity in _NAMES]
    values = np.array(
        [
            [_value(table, row, line, i) * newtons for i, newtons in columns]
            for row, line in zip(table.rows, table.lines, strict=True)
        ]
    )
    if len(values) < MIN_LOADS:
        raise ValueError(
            f"{table.source}: {len(values)} rows are no law; give at least {MIN_LOADS} loads"
        )
    # A law is a function of the load, so the order of the rows means nothing, and two rows of one
    # load would be two values of it.
    values = values[np.argsort(values[:, 0], kind="stable")]
    repeated = np.flatnonzero(np.diff(values[:, 0]) == 0)
    if repeated.size:
        raise ValueError(
            f"{table.source}: the load {values[repeated[0], 0]:.6g} N stands in two rows; keep one"
        )
    return values[:, 0], values[:, 1]


def _column(table: Table, quantity: str) -> tuple[int, float]:
    """Index of the column of a quantity, and newtons in its unit."""
    found = []
    for i, title in enumerate(table.titles):
        words = re.split(r"[\s_(\[{-]+", normal_form(title).lower())
        if words[0] in _NAMES[quantity]:
            found.append(i)
    if len(found) != 1:
        raise ValueError(
            f"{table.source}: {'no' if not found else 'more than one'} column of {quantity}; name "
            f"it '{quantity} (N)'. {table.describe()}"
        )
    title = normal_form(table.titles[found[0]])
    match = _UNIT.search(title)
    unit = (match.group(1) or match.group(2) or "").lower() if match else ""
    # In lower case MN and mN are alike, but differ by 1e9, so MN is refused rather than guessed.
    if unit not in _NEWTONS or (match and (match.group(1) or "").startswith("M")):
        raise ValueError(
            f"{table.source}: line {table.title_line} gives {title!r} no unit of force; write N, "
            f"mN, uN or kN, as in '{quantity} (N)'"
        )
    return found[0], _NEWTONS[unit]


def _value(table: Table, row: list[str], line: int, i: int) -> float:
    value = number(row[i]) if i < len(row) else None
    if value is None or not np.isfinite(value):
        shown = row[i] if i < len(row) else "nothing"
        raise ValueError(
            f"{table.source}: line {line} holds {shown!r}, not a number; mend or drop it"
        )
    return value
