"""Closed surfaces as binary STL, checked as they are written."""

import math
import os
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from jaxfric import _checks
from jaxfric._files import written_whole
from jaxfric.records._surface_table import Floats

# A facet of binary STL: its normal, its corners in single precision, and two bytes of no meaning.
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
# By which the volume of what is written may differ
_VOLUME = 1e-6
# Sine of the angle between two sides below which a facet has no area but for rounding. Corners in
# single precision are at least 1e-7 of their distance from the origin apart, or equal.
_FLAT = 1e-12


@runtime_checkable
class Mesh(Protocol):
    """What has triangles, such as a `trimesh.Trimesh`."""

    @property
    def triangles(self) -> Floats:
        """(n, 3 corners, 3), m."""


def stl_bytes(surface: Floats | Mesh, *, unit: float = 1e-3, volume: float | None = None) -> bytes:
    """A closed surface as binary STL, in millimetres unless told otherwise.

    STL knows facets in single precision only, whose corners a reader merges where they are equal.
    So what is checked is what will be written: each edge belongs to two facets, which run along it
    in opposite directions; no facet is without area; the volume is right to 1e-6.

    Arguments:
        surface: triangles (n, 3, 3) from `cap_triangles`, or a mesh from `cap_mesh`, in metres.
        unit: of the file, m; slicers and mills read millimetres.
        volume: that the surface must have, m³, such as `surface_volume`; by default its own, before
            it is rounded to single precision.

    Returns:
        The content of the file.

    Raises:
        ValueError: a surface that is not closed once written; the sentence has the remedy.

    Example:
        >>> import numpy as np
        >>> from jaxfric import records
        >>> caps = records.cap_triangles(
        ...     np.full(4, 3e-5), np.full(4, 5e-4), spacing=1e-3, base=1e-3
        ... )
        >>> len(records.stl_bytes(caps)) == 84 + 50 * len(caps)
        True

    Source: StereoLithography interface specification, 3D Systems (1988).
    """
    _checks.positive("unit", unit)
    triangles = np.asarray(getattr(surface, "triangles", surface), float)
    if triangles.ndim != 3 or triangles.shape[1:] != (3, 3) or not len(triangles):
        raise ValueError(f"a surface must have shape (triangles, 3, 3); got {triangles.shape}")
    facets = np.zeros(len(triangles), _FACET)
    with np.errstate(over="ignore"):
        # + 0: minus zero is another number to readers that compare bytes
        facets["corners"] = (triangles / unit).astype(np.float32) + np.float32(0)
    corners = facets["corners"].astype(float)
    if not np.isfinite(corners).all():
        raise ValueError(
            "corners of the surface are not finite, or too large for single precision in a unit "
            f"of {unit:.3g} m. Leave out what is not a number, or write in a larger unit"
        )
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    _check_areas(corners, normal, unit)
    _check_edges(facets["corners"])
    _check_volume(corners * unit, _volume(triangles) if volume is None else volume)
    facets["normal"] = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    # A header of 80 bytes that readers ignore, the number of facets, the facets.
    return bytes(80) + len(facets).to_bytes(4, "little") + facets.tobytes()


def write_stl(
    path: str | os.PathLike[str], mesh: Floats | Mesh, *, unit: float = 1e-3,
    volume: float | None = None,
) -> Path:  # fmt: skip
    """Write `stl_bytes` to a file, whole or not at all; returns the path."""
    path = Path(path)
    content = stl_bytes(mesh, unit=unit, volume=volume)
    with written_whole(path) as part:
        part.write_bytes(content)
    return path


def _check_areas(corners: Floats, normal: Floats, unit: float) -> None:
    """Raise where facets have no area, which readers drop so that holes remain."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    sides = np.sqrt((a**2).sum(1)) * np.sqrt((b**2).sum(1))
    flat = int(np.sum(~(np.sqrt((normal**2).sum(1)) > _FLAT * sides)))
    if flat:
        raise ValueError(
            f"{flat} of {len(corners)} facets have no area in single precision, in which STL is "
            f"written: numbers as large as {np.abs(corners).max() * unit:.3g} m hold no less than "
            f"{np.spacing(np.abs(corners).max().astype(np.float32)) * unit:.2g} m. Use a smaller "
            "spacing, fewer asperities or coarser facets"
        )


def _check_edges(corners: npt.NDArray[np.float32]) -> None:
    """Raise unless each directed edge is there once, and its opposite once."""
    bits = np.ascontiguousarray(corners.reshape(-1, 3).T).view(np.uint32).astype(np.uint64)
    # A number for each corner: first by x and y, whose bits make one integer, then with z
    number = _ranked(_ranked(bits[0] << np.uint64(32) | bits[1]) << np.uint64(32) | bits[2])
    start = number.reshape(-1, 3)
    end = np.roll(start, -1, axis=1)
    count = np.uint64(number.max() + np.uint64(1))
    edge = np.sort((start * count + end).ravel())
    opposite = np.sort((end * count + start).ravel())
    twice = int(np.sum(edge[1:] == edge[:-1]))
    if twice or not np.array_equal(edge, opposite):
        alone = int(np.sum(~np.isin(edge, opposite)))
        raise ValueError(
            "the surface is not closed in single precision, in which STL is written: of its edges "
            f"{alone} have no neighbour and {twice} more than one. Give each edge to two facets "
            "that run along it in opposite directions; where corners have become equal, use a "
            "smaller spacing, fewer asperities or coarser facets"
        )


def _ranked(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The place of each key among the different ones."""
    order = np.argsort(keys)
    ordered = keys[order]
    rank = np.empty_like(keys)
    rank[order] = np.cumsum(np.concatenate([[False], ordered[1:] != ordered[:-1]]))
    return rank


def _volume(corners: Floats) -> float:
    """Within a closed surface: the sum of its facets' shadows times their mean heights."""
    x, y, z = np.moveaxis(corners, -1, 0)
    shadow = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    # From the lowest corner: far from the origin the terms would cancel
    return float(np.sum(shadow * (z - z.min()).sum(1))) / 6


def _check_volume(corners: Floats, expected: float) -> None:
    volume = _volume(corners)
    if volume <= 0:
        raise ValueError("the surface is inside out: order corners counter-clockwise from outside")
    if not math.isclose(volume, expected, rel_tol=_VOLUME):
        raise ValueError(
            f"in single precision, in which STL is written, the surface holds {volume:.9g} m³ and "
            f"not {expected:.9g} m³. Use a smaller spacing or fewer asperities, or give the volume "
            "that belongs to this surface"
        )
