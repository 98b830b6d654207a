"""Surfaces of spherical caps, written for the workshop: a table and a mesh."""

import math
import os
from pathlib import Path
from typing import Any

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
    lines = ["x_m,y_m,height_m,radius_m", *(",".join(repr(float(v)) for v in row) for row in rows)]
    return "\n".join(lines) + "\n"


def write_asperities(
    path: str | os.PathLike[str], position: Floats, height: Floats, radius: Floats
) -> Path:
    """Write `asperities_csv` to a file, whole or not at all; returns the path."""
    return _whole(Path(path), asperities_csv(position, height, radius).encode())


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
    if foot.max() * _polygon(segments) * 1.001 >= spacing / 2:
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
) -> Any:  # fmt: skip
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
    # Neighbours meet in the same points up to rounding.
    # The odd shift keeps points of the lattice off the borders of rounding.
    grid = np.round(vertices / (spacing * 1e-5) + 0.1234).astype(np.int64)
    grid -= grid.min(0)
    _, first, index = np.unique(  # one number for each point: three are slow to sort
        np.ravel_multi_index(grid.T, grid.max(0) + 1), return_index=True, return_inverse=True
    )
    return trimesh.Trimesh(vertices[first], index.reshape(-1, 3), process=False)


# Facets of binary STL: normal, corners, two bytes of no meaning
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def stl_bytes(surface: Any, *, unit: float = 1e-3) -> bytes:
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
    facets = np.zeros(len(corners), _FACET)
    facets["normal"], facets["corners"] = normal / np.where(length > 0, length, 1), corners
    return bytes(80) + len(facets).to_bytes(4, "little") + facets.tobytes()


def write_stl(path: str | os.PathLike[str], mesh: Any, *, unit: float = 1e-3) -> Path:
    """Write `stl_bytes` to a file, whole or not at all; returns the path."""
    return _whole(Path(path), stl_bytes(mesh, unit=unit))


def _polygon(segments: int) -> float:
    """Radius of a regular polygon over that of the circle of the same area."""
    turn = 2 * math.pi / segments
    return math.sqrt(turn / math.sin(turn))


def _square(spacing: float, segments: int) -> Floats:
    """Points around the border of a cell, as many as a ring has, the first towards +x."""
    angle = 2 * np.pi * np.arange(segments) / segments
    # Even along each side, so that neighbours share their points.
    eighth = segments // 8
    along = np.concatenate([np.arange(0, eighth), np.arange(eighth, 0, -1)]) / eighth
    along = along[np.arange(segments) % (2 * eighth)]
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
    polar = np.linspace(0, math.acos(max(1 - z / R, 0.0)), rings + 1)[1:]
    r, level = R * np.sin(polar), z - R * (1 - np.cos(polar))
    volume = z**2 * (3 * R - z) / 3
    if z > R:  # a hemisphere on a column
        r, level = np.append(r, R), np.append(level, 0.0)
        volume = 2 / 3 * R**3 + R**2 * (z - R)
    level[-1] = 0.0
    # Volume of the frusta between the rings (areas in place of circles), and what is missing.
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


def _whole(path: Path, content: bytes) -> Path:
    with written_whole(path) as part:
        part.write_bytes(content)
    return path
