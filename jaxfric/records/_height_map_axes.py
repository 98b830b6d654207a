"""A first row and column that number a map's pixels, or say where they are: no heights."""

import re
from typing import NamedTuple

import numpy as np

from jaxfric.records._height_map_cells import parsed
from jaxfric.records._units import length

# Heights were never seen to rise by equal steps over so many pixels, but for planes that somebody
# made up, of which the next row or column rises alike
LEAST = 8
# A corner that is empty, or names what stands there, says by itself that axes begin beside it
LEAST_BESIDE_CORNER = 3
EVEN = 1e-6  # of a step
# Of a step: a coordinate that is printed in less than four parts of its step is too coarse to tell
COARSE = 0.25
# Of a step: heights rise like the first column if the difference of the two changes by less
ALIKE = 0.5
_IN_BRACKETS = re.compile(r"[(\[{]\s*([^()\[\]{}]+?)\s*[)\]}]")


class Axes(NamedTuple):
    """A map without its axes, and what these say.

    Attributes:
        values: (ny, nx), the heights; turned so that the places rise.
        step: of the columns and of the rows, in `unit`; None where they only count.
        unit: of the places; None if the file does not say.
        notes: what was left out.
    """

    values: np.ndarray
    step: tuple[float, float] | None = None
    unit: str | None = None
    notes: tuple[str, ...] = ()


def without_axes(source: str, values: np.ndarray, titles: list[str]) -> Axes:
    """Tell axes from heights, and take them off; `titles` stand above the columns, if any."""
    named = [parsed(title, True) for title in titles]
    across = np.array([np.nan if x is None else x for x in named[1:]])
    if across.size and np.isfinite(across).all():
        # The name of the corner says that a column of places stands below it
        return _named(source, values, across, titles[0])
    if not titles:
        row, column = values[0, 1:], values[1:, 0]
        least = LEAST if np.isfinite(values[0, 0]) else LEAST_BESIDE_CORNER
        steps = _step(row, values[1, 1:], least), _step(column, values[1:, 1], least)
        if steps[0] and steps[1]:
            return _taken(values[1:, 1:], row, column, (steps[0], steps[1]), None)
        if step := _step(values[0], values[1], LEAST):
            return Axes(values[1:], notes=(_one("row", values[0], step),))
    said = ("Left out the line of names above the numbers.",) if titles else ()
    if step := _step(values[:, 0], values[:, 1], LEAST):
        return Axes(values[:, 1:], notes=(*said, _one("column", values[:, 0], step)))
    return Axes(values, notes=said)


def _named(source: str, values: np.ndarray, across: np.ndarray, corner: str) -> Axes:
    """A map below a line of places whose first cell is a name."""
    steps = []
    for what, places in (("columns", across), ("rows", values[:, 0])):
        step = _even(places, 2)
        if step is None:
            raise ValueError(
                f"{source}: the {what} stand at uneven places, beside a corner called {corner!r}; "
                "interpolate the heights onto a grid of even steps first"
            )
        steps.append(step)
    return _taken(values[:, 1:], across, values[:, 0], (steps[0], steps[1]), _unit(corner))


def _taken(
    heights: np.ndarray, row: np.ndarray, column: np.ndarray, steps: tuple[float, float],
    unit: str | None,
) -> Axes:  # fmt: skip
    turned = heights[:: -1 if steps[1] < 0 else 1, :: -1 if steps[0] < 0 else 1]
    if unit is None and _counts(row, steps[0]) and _counts(column, steps[1]):
        note = "Left out the first row and the first column, which only count the pixels."
        return Axes(turned, notes=(note,))
    wide, long = (abs(step) for step in steps)
    stated = f"{unit} by the name in the corner" if unit else "in a unit that the file does not say"
    note = (
        f"The first row and the first column are places, {wide:.6g} by {long:.6g} apart, {stated}."
    )
    return Axes(turned, (wide, long), unit, (note,))


def _one(what: str, axis: np.ndarray, step: float) -> str:
    """The note on one axis alone."""
    why = "only counts" if _counts(axis, step) else f"goes by equal steps of {step:.6g}"
    return f"Left out the first {what}, which {why}: no heights do."


def _counts(axis: np.ndarray, step: float) -> bool:
    """Whether an axis is 0, 1, 2 … or 1, 2, 3 …, either way."""
    return abs(abs(step) - 1) < EVEN and min(axis[0], axis[-1]) in (0, 1)


def _unit(corner: str) -> str | None:
    """The unit of length in a name such as "y/x (um)" or "y_x_um"."""
    bracketed = _IN_BRACKETS.search(corner)
    words = [bracketed[1]] if bracketed else re.split(r"[\s_,/\\]+", corner)
    return words[-1] if length(words[-1]) is not None else None


def _step(axis: np.ndarray, beside: np.ndarray, least: int) -> float | None:
    """The step of an axis; None for heights, which the row or column beside it continues."""
    step = _even(axis, least)
    if step is None:
        return None
    change = np.abs(np.diff(beside - axis))
    change = change[np.isfinite(change)]
    alike = change.size and float(np.median(change)) <= ALIKE * abs(step)
    return None if alike else step


def _even(axis: np.ndarray, least: int) -> float | None:
    """The step of numbers that rise or fall evenly, as far as their digits tell; else None."""
    if axis.size < least or not np.isfinite(axis).all() or axis[0] == axis[-1]:
        return None
    step = float(axis[-1] - axis[0]) / (axis.size - 1)
    off = float(np.abs(axis - axis[0] - step * np.arange(axis.size)).max())
    # Half a digit at the place itself and half a digit at the ends, from which the step comes
    return step if off <= max(EVEN * abs(step), 1.01 * _digit(axis, abs(step))) else None


def _digit(axis: np.ndarray, step: float) -> float:
    """The last digit that an axis is printed with; 0 if it is too coarse, or too fine to tell."""
    ten = 10.0 ** np.floor(np.log10(step))
    for decimals in range(1, 6):
        unit = ten / 10.0**decimals
        if np.allclose(axis / unit, np.round(axis / unit), rtol=1e-12, atol=1e-6):
            return float(unit) if unit <= COARSE * step else 0.0
    return 0.0
