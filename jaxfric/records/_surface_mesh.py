"""Surfaces of spherical caps as a mesh for the workshop."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from jaxfric._files import written_whole
from jaxfric.records._surface_table import Floats, foot_radius, lattice

if TYPE_CHECKING:
    import trimesh

# How much free border a cap needs within its cell: with none, the triangles between the last ring
# and the border of the cell would have no area.
_BORDER = 1.001
# Points nearer to each other than this share of the spacing are one corner. Neighbouring cells
# compute their common points each for itself, so these differ by rounding, some 1e-16 of it.
_MERGE = 1e-5
# Half-way between two numbers of the grid rounding would fall to either side. The points of a
# lattice lie at simple fractions of the spacing, which no grid that is shifted by an odd number has
# at its half-way marks.
_SHIFT = 0.1234


@runtime_checkable
class Mesh(Protocol):
    """What has triangles, such as a `trimesh.Trimesh`."""

    @property
    def triangles(self) -> Floats:
        """(n, 3 corners, 3), m."""


def cap_triangles(
    height: Floats, radius: Floats, *, spacing: float, base: float, segments: int = 48,
    rings: int = 24,
) -> Floats:  # fmt: skip
    """The closed surface of spherical caps that stand on a block, one in each cell of a lattice.

    A cap of radius R whose tip is z above the block meets it in a circle of radius √(2Rz − z²);
    one higher than R is a hemisphere on a column.
    Rings of `segments` corners stand in for circles of the same area, and a cap's rings are
    moved out until its volume is right to rounding: π z² (3R − z)/3, or 2/3 π R³ + π R² (z − R).

    Arguments:
        height: (n,), of each tip above the block, m, > 0.
        radius: (n,), m.
        spacing: of the lattice, m; caps must not overlap.
        base: thickness of the block, m, > 0.
        segments: corners of a ring, a multiple of 8.
        rings: between tip and block.

    Returns:
        (triangles, 3 corners, 3), m, counter-clockwise from outside.

    Raises:
        ValueError: caps that overlap, or numbers out of range.

    Example:
        >>> import numpy as np
        >>> height, radius = np.array([1e-4]), np.array([1e-3])
        >>> cap_triangles(height, radius, spacing=1.5e-3, base=1e-3, rings=2).shape
        (384, 3, 3)
    """
    height, radius = np.asarray(height, float), np.asarray(radius, float)
    if segments < 8 or segments % 8 or rings < 2 or base <= 0:
        raise ValueError("segments must be a multiple of 8, rings at least 2 and base > 0")
    if not ((height > 0) & (radius > 0)).all():
        raise ValueError("every tip must stand above the block, and every radius be positive")
    foot = foot_radius(height, radius)
    if foot.max() * _polygon(segments) * _BORDER >= spacing / 2:
        raise ValueError(
            f"caps overlap: the widest foot is {2 * foot.max():.4g} m, the spacing {spacing:.4g} "
            "m. Use a wider spacing, or sink the block less below the tips"
        )
    side = math.ceil(math.sqrt(height.size))
    rows = math.ceil(height.size / side)
    cells = lattice(side * rows, spacing)
    triangles = []
    for i, centre in enumerate(cells):
        if i < height.size:
            part = _cap(height[i], radius[i], spacing, segments, rings)
        else:  # an empty cell at the end of the last row
            part = _flat(spacing, segments)
        triangles.append(part + np.array([*centre, 0.0]))
    triangles += _block(side, rows, spacing, base, segments)
    return np.concatenate(triangles)


def cap_mesh(
    height: Floats, radius: Floats, *, spacing: float, base: float, segments: int = 48,
    rings: int = 24,
) -> "trimesh.Trimesh":  # fmt: skip
    """`cap_triangles` as a watertight mesh, its corners merged.

    Arguments:
        height: see `cap_triangles`, as the others.
        radius: m.
        spacing: m.
        base: m.
        segments: corners of a ring.
        rings: between tip and block.

    Returns:
        A `trimesh.Trimesh` in metres.

    Raises:
        ValueError: caps that overlap, or numbers out of range.
        ImportError: without trimesh.
    """
    try:
        import trimesh
    except ImportError as error:
        raise ImportError("a mesh needs trimesh: pip install 'jaxfric[mesh]'") from error
    triangles = cap_triangles(
        height, radius, spacing=spacing, base=base, segments=segments, rings=rings
    )
    vertices = triangles.reshape(-1, 3)
    grid = np.round(vertices / (spacing * _MERGE) + _SHIFT).astype(np.int64)
    grid -= grid.min(0)
    # One number for each point: rows of three are slow to sort.
    _, first, index = np.unique(
        np.ravel_multi_index(grid.T, grid.max(0) + 1), return_index=True, return_inverse=True
    )
    return trimesh.Trimesh(vertices[first], index.reshape(-1, 3), process=False)


# A facet of binary STL: its normal, its corners in single precision, and two bytes of no meaning.
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def stl_bytes(surface: Floats | Mesh, *, unit: float = 1e-3) -> bytes:
    """A surface as binary STL, in millimetres unless told otherwise.

    Written here: merging corners for a mesh, which the format does not know, takes longer than a
    design.

    Arguments:
        surface: triangles (n, 3, 3) from `cap_triangles`, or a mesh from `cap_mesh`, in metres.
        unit: of the file, m; slicers and mills read millimetres.

    Returns:
        The content of the file.

    Source: StereoLithography interface specification, 3D Systems (1988).
    """
    corners = np.asarray(getattr(surface, "triangles", surface), float) / unit
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    # A facet without area has no direction; the format writes a zero normal for "not known".
    facets = np.zeros(len(corners), _FACET)
    facets["normal"], facets["corners"] = normal / np.where(length > 0, length, 1), corners
    # A header of 80 bytes that readers ignore, the number of facets, the facets.
    return bytes(80) + len(facets).to_bytes(4, "little") + facets.tobytes()


def write_stl(path: str | os.PathLike[str], mesh: Floats | Mesh, *, unit: float = 1e-3) -> Path:
    """Write `stl_bytes` to a file, whole or not at all; returns the path."""
    path = Path(path)
    with written_whole(path) as part:
        part.write_bytes(stl_bytes(mesh, unit=unit))
    return path


def _polygon(segments: int) -> float:
    """Radius of a regular polygon over that of the circle of the same area."""
    # Its area is n R² sin(2π/n)/2; set equal to π r² and solved for R/r.
    turn = 2 * math.pi / segments
    return math.sqrt(turn / math.sin(turn))


def _square(spacing: float, segments: int) -> Floats:
    """Points around the border of a cell, as many as a ring has, the first towards +x."""
    angle = 2 * np.pi * np.arange(segments) / segments
    # Evenly along each side and not by angle, so that both neighbours of a border put their points
    # at the same places. A side from its middle to its corner is an eighth of the turn.
    eighth = segments // 8
    along = np.concatenate([np.arange(0, eighth), np.arange(eighth, 0, -1)]) / eighth
    along = along[np.arange(segments) % (2 * eighth)]
    # Rounded first: cos(π/2) is 6e-17, whose sign must be zero, not one.
    c, s = np.sign(np.round(np.cos(angle), 12)), np.sign(np.round(np.sin(angle), 12))
    steep = (np.arange(segments) + eighth) // (2 * eighth) % 2 == 1  # top and bottom sides
    x = np.where(steep, c * along, c)
    y = np.where(steep, s, s * along)
    return np.stack([x, y, np.zeros(segments)], -1) * spacing / 2


def _strip(inner: Floats, outer: Floats) -> Floats:
    """Triangles between two rings, seen from above counter-clockwise."""
    inner_next, outer_next = np.roll(inner, -1, 0), np.roll(outer, -1, 0)
    return np.concatenate(
        [np.stack([inner, outer, outer_next], 1), np.stack([inner, outer_next, inner_next], 1)]
    )


def _fan(tip: Floats, ring: Floats) -> Floats:
    return np.stack([np.broadcast_to(tip, ring.shape), ring, np.roll(ring, -1, 0)], 1)


def _cap(z: float, R: float, spacing: float, segments: int, rings: int) -> Floats:
    """One cell: a cap of radius R whose tip is z high, and the flat to the border of the cell."""
    # Even in the angle from the tip, so that the facets are equally well bent everywhere.
    polar = np.linspace(0, math.acos(max(1 - z / R, 0.0)), rings + 1)[1:]
    r, level = R * np.sin(polar), z - R * (1 - np.cos(polar))
    volume = z**2 * (3 * R - z) / 3  # over π, as all volumes here
    if z > R:  # a hemisphere on a column
        r, level = np.append(r, R), np.append(level, 0.0)
        volume = 2 / 3 * R**3 + R**2 * (z - R)
    level[-1] = 0.0  # exactly, where rounding may have left some 1e-20 m
    # Cones between circles lie inside the sphere, so their frusta hold less than the cap. All rings
    # are moved out by one factor, which makes the volume right and leaves the heights.
    edge, top = np.concatenate([[0.0], r]), np.concatenate([[z], level])
    frusta = -np.diff(top) * (edge[1:] ** 2 + edge[1:] * edge[:-1] + edge[:-1] ** 2) / 3
    r = r * math.sqrt(volume / frusta.sum())
    angle = 2 * np.pi * np.arange(segments) / segments
    circle = np.stack([np.cos(angle), np.sin(angle), np.zeros(segments)], -1) * _polygon(segments)
    ring = [circle * x + np.array([0, 0, h]) for x, h in zip(r, level, strict=True)]
    parts = [_fan(np.array([0, 0, z]), ring[0])]
    parts += [_strip(a, b) for a, b in zip(ring[:-1], ring[1:], strict=True)]
    parts.append(_strip(ring[-1], _square(spacing, segments)))
    return np.concatenate(parts)


def _flat(spacing: float, segments: int) -> Floats:
    return _fan(np.zeros(3), _square(spacing, segments))


def _block(side: int, rows: int, spacing: float, base: float, segments: int) -> list[Floats]:
    """Bottom and walls, with the points of the cells along the upper edge."""
    per_side = segments // 4
    a, b = side * spacing / 2, rows * spacing / 2
    xs = np.linspace(-a, a, side * per_side + 1)
    ys = np.linspace(-b, b, rows * per_side + 1)
    border = np.concatenate(
        [
            np.stack([xs[:-1], np.full(xs.size - 1, -b)], -1),
            np.stack([np.full(ys.size - 1, a), ys[:-1]], -1),
            np.stack([xs[:0:-1], np.full(xs.size - 1, b)], -1),
            np.stack([np.full(ys.size - 1, -a), ys[:0:-1]], -1),
        ]
    )
    upper = np.column_stack([border, np.zeros(len(border))])
    lower = upper - np.array([0, 0, base])
    return [_strip(upper, lower), _fan(np.array([0, 0, -base]), lower)[:, ::-1]]
