"""Surfaces of spherical caps as a table for the workshop."""

import math
import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jaxfric import _checks
from jaxfric._files import written_whole

Floats = npt.NDArray[np.float64]

# Of a quantum: heights this near to a multiple of it are that multiple, and differ by rounding, in
# single precision where a design was computed in it.
_NEARLY = 1e-3


def lattice(count: int, spacing: float) -> Floats:
    """(count, 2) positions on a square lattice, row by row, centred on the origin, m.

    Arguments:
        count: number of asperities.
        spacing: of neighbours, m.

    Returns:
        x and y of each, m; the last row may be short.
    """
    side, rows = grid_of_cells(count)
    i = np.arange(count)
    x, y = i % side - (side - 1) / 2, (rows - 1) / 2 - i // side
    return np.stack([x, y], -1) * spacing


def grid_of_cells(count: int) -> tuple[int, int]:
    """Columns and rows of the lattice: the smallest square that holds all, less what is empty."""
    side = math.ceil(math.sqrt(count))
    return side, math.ceil(count / side)


def foot_radius(height: Floats, radius: Floats) -> Floats:
    """Radius of the circle in which a cap meets the block, m.

    Arguments:
        height: (n,), of the tips above the block, m.
        radius: (n,), m.

    Returns:
        (n,), √(2Rz − z²), or R where the tip is higher than R.
    """
    # A tip higher than its radius stands on a column, whose foot is as wide as the cap.
    low = np.minimum(height, radius)
    foot: Floats = np.sqrt(2 * radius * low - low**2)
    return foot


def cap_volume(height: Floats, radius: Floats) -> Floats:
    """Volume of each cap above the block, m³.

    Arguments:
        height: (n,), of the tips above the block, m.
        radius: (n,), m.

    Returns:
        (n,), π z² (3R − z)/3, or 2/3 π R³ + π R² (z − R) where the tip is higher than R.
    """
    low = np.minimum(height, radius)
    volume: Floats = np.pi * (low**2 * (3 * radius - low) / 3 + radius**2 * (height - low))
    return volume


def surface_volume(height: Floats, radius: Floats, *, spacing: float, base: float) -> float:
    """Volume of caps and their block, which fills the cells of their lattice, m³.

    Arguments:
        height: (n,), of the tips above the block, m.
        radius: (n,), m.
        spacing: of the lattice, m.
        base: thickness of the block, m.

    Returns:
        cells · spacing² · base and the caps; cells without a cap at the end of the last row count.

    Example:
        >>> height, radius = np.full(3, 1e-3), np.full(3, 1e-3)
        >>> surface_volume(height, radius, spacing=3e-3, base=1e-3) * 1e9  # mm³
        42.283
    """
    side, rows = grid_of_cells(np.size(height))
    caps = cap_volume(np.asarray(height, float), np.asarray(radius, float))
    return float(side * rows * spacing**2 * base + caps.sum())


def asperities_csv(
    position: Floats, height: Floats, radius: Floats, *, quantum: float | None = None
) -> str:
    """x, y, height and radius of each asperity as a table in metres, in full precision.

    Arguments:
        position: (n, 2), m.
        height: (n,), m.
        radius: (n,), m.
        quantum: that the heights are multiples of, m: the steps of a machine. They are written as
            these multiples, computed in decimal: 27 steps of 5 µm are 0.000135 and not
            0.00013499999999999997, which is what the same steps come to in binary.

    Returns:
        Text with a line of names.

    Raises:
        ValueError: heights that are not multiples of the quantum.

    Example:
        >>> height = 27 * np.full(1, 5e-6)
        >>> print(asperities_csv(lattice(1, 1e-3), height, np.full(1, 5e-4), quantum=5e-6), end="")
        x_m,y_m,height_m,radius_m
        0.0,0.0,0.000135,0.0005
    """
    # `repr` writes the fewest digits that are read back as the same number.
    x, y = ([repr(float(v)) for v in column] for column in np.asarray(position).T)
    tips = [repr(float(v)) for v in height] if quantum is None else _multiples(height, quantum)
    rows = zip(x, y, tips, [repr(float(v)) for v in radius], strict=True)
    return "\n".join(["x_m,y_m,height_m,radius_m", *(",".join(row) for row in rows)]) + "\n"


def write_asperities(
    path: str | os.PathLike[str], position: Floats, height: Floats, radius: Floats, *,
    quantum: float | None = None,
) -> Path:  # fmt: skip
    """Write `asperities_csv` to a file, whole or not at all; returns the path."""
    path = Path(path)
    content = asperities_csv(position, height, radius, quantum=quantum)
    with written_whole(path) as part:
        part.write_bytes(content.encode())
    return path


def _multiples(height: Floats, quantum: float) -> list[str]:
    """Heights as decimal multiples of the quantum."""
    _checks.positive("quantum", quantum)
    steps = np.asarray(height, float) / quantum
    count = np.round(steps)
    off = np.flatnonzero(~(np.abs(steps - count) <= _NEARLY))
    if off.size:
        first = int(off[0])
        raise ValueError(
            f"heights must be multiples of the quantum of {quantum:.6g} m, but that of asperity "
            f"{first} is {float(height[first]):.9g} m, {steps[first]:.6g} steps, and those of "
            f"{off.size - 1} others are none either. Round the heights and design again, or leave "
            "the quantum out"
        )
    # `repr` gives the quantum's decimal digits as its user wrote them.
    step = Decimal(repr(float(quantum)))
    return [f"{(int(n) * step).normalize():f}" for n in count]
