"""Surfaces of spherical caps as a table for the workshop."""

import math
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jaxfric._files import written_whole

Floats = npt.NDArray[np.float64]


def lattice(count: int, spacing: float) -> Floats:
    """(count, 2) positions on a square lattice, row by row, centred on the origin, m.

    Arguments:
        count: number of asperities.
        spacing: of neighbours, m.

    Returns:
        x and y of each, m; the last row may be short.
    """
    # The smallest square that holds all; its last row may be short, or a whole row left out.
    side = math.ceil(math.sqrt(count))
    i = np.arange(count)
    rows = math.ceil(count / side)
    x, y = i % side - (side - 1) / 2, (rows - 1) / 2 - i // side
    return np.stack([x, y], -1) * spacing


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


def asperities_csv(position: Floats, height: Floats, radius: Floats) -> str:
    """x, y, height and radius of each asperity as a table in metres, in full precision.

    Arguments:
        position: (n, 2), m.
        height: (n,), m.
        radius: (n,), m.

    Returns:
        Text with a line of names.

    Example:
        >>> print(asperities_csv(lattice(1, 1e-3), np.zeros(1), np.full(1, 5e-4)), end="")
        x_m,y_m,height_m,radius_m
        0.0,0.0,0.0,0.0005
    """
    rows = np.column_stack([position, height, radius])
    # `repr` writes the fewest digits that are read back as the same number.
    lines = ["x_m,y_m,height_m,radius_m", *(",".join(repr(float(v)) for v in row) for row in rows)]
    return "\n".join(lines) + "\n"


def write_asperities(
    path: str | os.PathLike[str], position: Floats, height: Floats, radius: Floats
) -> Path:
    """Write `asperities_csv` to a file, whole or not at all; returns the path."""
    path = Path(path)
    with written_whole(path) as part:
        part.write_bytes(asperities_csv(position, height, radius).encode())
    return path
