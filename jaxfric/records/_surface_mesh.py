"""Surfaces of spherical caps as a closed mesh."""

from typing import TYPE_CHECKING

import numpy as np

from jaxfric import _checks
from jaxfric.records._surface_cells import (
    Borders,
    Detail,
    Ints,
    borders,
    circle,
    detail,
    fan,
    on_column,
    polygon,
    ring_sizes,
    strip,
)
from jaxfric.records._surface_table import Floats, cap_volume, foot_radius, grid_of_cells, lattice

if TYPE_CHECKING:
    import trimesh

# How much free border a cap needs within its cell: with none, the triangles between the last ring
# and the border of the cell would have no area.
_BORDER = 1.001
# Facets of a mesh: a file of 1 GB, more than slicers and mills take.
_MOST = 20_000_000
# Numbers of single precision run from 1e-38 to 3e38; squares of lengths need not fit.
_TINY = 1e-30
# By which the levels of rings may be bent to make up for corners that single precision moves
_BENT = 0.05


def cap_triangles(
    height: Floats, radius: Floats, *, spacing: float, base: float, sagitta: float | None = None,
    segments: int | None = None, rings: int | None = None, unit: float = 1e-3,
) -> Floats:  # fmt: skip
    """The closed surface of spherical caps that stand on a block, one in each cell of a lattice.

    A cap of radius R whose tip is z above the block meets it in a circle of radius √(2Rz − z²);
    one higher than R is a hemisphere on a column. Rings of corners stand in for circles of the
    same area, and lie where the volume of each cap is right: π z² (3R − z)/3, or
    2/3 π R³ + π R² (z − R).

    STL keeps single precision, which moves corners sideways by up to 6e-8 of their distance from
    the origin. With the default facets that stays within `sagitta` while neighbours of 1,024 caps
    are less than 2,000 foot radii of the smallest apart; from some 18,000 on facets would turn
    over, which is refused. Fewer caps lie nearer to the origin, and one alone has no such limit.

    Arguments:
        height: (n,), of each tip above the block, m, > 0.
        radius: (n,), m.
        spacing: of the lattice, m; caps must not overlap.
        base: thickness of the block, m, > 0.
        sagitta: largest distance between a facet and its sphere, m. By default 2 % of a cap's
            height, or of its radius where it stands on a column: 0.6 µm for a cap of 30 µm.
        segments: corners of every ring, a multiple of 8, in place of what `sagitta` asks for.
        rings: of every cap between its tip and the block or column, likewise.
        unit: of the file that the surface is for, m. x and y of the corners are numbers that it
            can hold in single precision, so that volumes are right as written.

    Returns:
        (triangles, 3 corners, 3), m, counter-clockwise from outside.

    Raises:
        ValueError: caps that overlap, numbers out of range, or caps too small for single precision.

    Example:
        >>> import numpy as np
        >>> height, radius = np.array([1e-4]), np.array([1e-3])
        >>> cap_triangles(height, radius, spacing=1.5e-3, base=1e-3).shape
        (512, 3, 3)
    """
    vertices, faces = _surface(height, radius, spacing, base, (sagitta, segments, rings), unit)
    return vertices[faces]


def cap_mesh(
    height: Floats, radius: Floats, *, spacing: float, base: float, sagitta: float | None = None,
    segments: int | None = None, rings: int | None = None, unit: float = 1e-3,
) -> "trimesh.Trimesh":  # fmt: skip
    """`cap_triangles` as a watertight mesh in which neighbours share their corners.

    Arguments:
        height: see `cap_triangles`, as the others.
        radius: m.
        spacing: m.
        base: m.
        sagitta: m.
        segments: corners of every ring.
        rings: of every cap.
        unit: of the file that the mesh is for, m.

    Returns:
        A `trimesh.Trimesh` in metres.

    Raises:
        ValueError: caps that overlap, numbers out of range, or caps too small for single precision.
        ImportError: without trimesh.
    """
    try:
        import trimesh
    except ImportError as error:
        raise ImportError("a mesh needs trimesh: pip install 'jaxfric[mesh]'") from error
    vertices, faces = _surface(height, radius, spacing, base, (sagitta, segments, rings), unit)
    return trimesh.Trimesh(vertices, faces, process=False)


def _surface(
    height: Floats, radius: Floats, spacing: float, base: float,
    wanted: tuple[float | None, int | None, int | None], unit: float,
) -> tuple[Floats, Ints]:  # fmt: skip
    """Corners (v, 3), m, and facets (f, 3) of numbers of corners."""
    height, radius = np.asarray(height, float), np.asarray(radius, float)
    _check_arguments(height, radius, spacing, base, wanted, unit)
    detailed = detail(height, radius, *wanted)
    side, rows = grid_of_cells(height.size)
    _check_number(detailed, side * rows - height.size)
    edges = borders(side, rows, detailed.segments)
    centre = lattice(side * rows, spacing)
    exact, faces = [_block_corners(edges, spacing, base)], [_block_faces(edges)]
    count = len(exact[0])  # of corners so far
    # Caps that have equally many rings are made at once
    column = on_column(height, radius)
    for rings, high in sorted({*zip(detailed.rings.tolist(), column.tolist(), strict=True)}):
        which = np.flatnonzero((detailed.rings == rings) & (column == high))
        r, level = ring_sizes(height[which], radius[which], rings, high)
        _check_room(r.max(), spacing, detailed.segments)
        corners = _cap_corners(centre[which], height[which], r, level, detailed.segments)
        local = _cap_faces(level.shape[1], detailed.segments)
        corners[..., 2] = _levelled(
            _single(corners, unit), local, cap_volume(height[which], radius[which]),
            np.minimum(height, radius)[which],
        )  # fmt: skip
        own = count + np.arange(corners[..., 0].size).reshape(corners.shape[:2])
        foot = own[:, -detailed.segments :]
        faces += [own[:, local].reshape(-1, 3), strip(foot, edges.cells[which]).reshape(-1, 3)]
        exact.append(corners.reshape(-1, 3))
        count += own.size
    # Empty cells at the end of the last row
    empty = centre[height.size :]
    exact.append(np.column_stack([empty, np.zeros(len(empty))]))
    faces.append(fan(count + np.arange(len(empty)), edges.cells[height.size :]).reshape(-1, 3))
    return _carried(np.concatenate(exact), np.concatenate(faces), unit, foot_radius(height, radius))


def _check_arguments(
    height: Floats, radius: Floats, spacing: float, base: float,
    wanted: tuple[float | None, int | None, int | None], unit: float,
) -> None:  # fmt: skip
    sagitta, segments, rings = wanted
    for name, value in (("spacing", spacing), ("base", base), ("unit", unit)):
        _checks.positive(name, value)
    if sagitta is not None:
        _checks.positive("sagitta", sagitta)
        if segments is not None and rings is not None:
            raise ValueError("give either sagitta, or segments and rings, which leave it no say")
    if segments is not None and (segments < 8 or segments % 8):
        raise ValueError(f"segments must be a multiple of 8; got {segments}")
    if rings is not None and rings < 2:
        raise ValueError(f"rings must be at least 2; got {rings}")
    if height.ndim != 1 or height.shape != radius.shape or not height.size:
        raise ValueError(
            f"height and radius must be one number for each cap; got {height.shape} and "
            f"{radius.shape}"
        )
    if not (np.isfinite(height + radius) & (height > 0) & (radius > 0)).all():
        raise ValueError(
            "every tip must stand above the block, every radius be positive, and all be finite"
        )
    foot = foot_radius(height, radius)
    _check_room(float(foot.max()), spacing, segments or 0)
    widest = height.size * spacing + base
    if not (foot.min() / unit > _TINY and widest / unit < 1 / _TINY):
        raise ValueError(
            f"single precision has no numbers for this part in a unit of {unit:.3g} m: feet of "
            f"{foot.min():.3g} m, a spacing of {spacing:.3g} m. Use a unit that is nearer to these"
        )


def _check_room(foot: float, spacing: float, segments: int) -> None:
    """Raise unless a foot of this radius lies within its cell, with some of the flat around it."""
    corner = foot * polygon(segments) if segments else foot
    if corner * _BORDER >= spacing / 2:
        raise ValueError(
            f"caps overlap: the corners of the widest foot are {2 * corner:.4g} m across, the "
            f"spacing is {spacing:.4g} m. Use a wider spacing, sink the block less below the tips, "
            "or make the facets finer, as the corners of coarse ones stand out"
        )


def _check_number(wanted: Detail, empty: int) -> None:
    facets = wanted.segments * int((2 * wanted.rings + 1).sum() + empty)
    if facets > _MOST:
        raise ValueError(
            f"the mesh would have {facets:.2g} facets ({facets * 5e-8:.2g} GB as STL). Use a "
            "larger sagitta, or fewer segments and rings"
        )


def _block_corners(edges: Borders, spacing: float, base: float) -> Floats:
    """The borders of the cells, their rim once more below, and the middle of the bottom."""
    upper = np.column_stack([edges.position * spacing, np.zeros(len(edges.position))])
    lower = upper[edges.rim] - np.array([0, 0, base])
    return np.concatenate([upper, lower, np.array([[0, 0, -base]])])


def _block_faces(edges: Borders) -> Ints:
    """Walls and bottom."""
    first, number = len(edges.position), len(edges.rim)
    lower, middle = first + np.arange(number), np.array(first + number)
    return np.concatenate([strip(edges.rim, lower), fan(middle, lower)[:, ::-1]])


def _cap_corners(centre: Floats, height: Floats, r: Floats, level: Floats, segments: int) -> Floats:
    """(k, 1 + rings · segments, 3): the tip, then ring after ring downwards."""
    number, rings = r.shape
    corners = np.empty((number, 1 + rings * segments, 3))
    corners[:, 0, :2], corners[:, 0, 2] = centre, height
    ring = centre[:, None, None] + r[..., None, None] * circle(segments)
    corners[:, 1:, :2] = ring.reshape(number, -1, 2)
    corners[:, 1:, 2] = np.repeat(level, segments, axis=1)
    return corners


def _cap_faces(rings: int, segments: int) -> Ints:
    """Of one cap, above the block, of numbers of its own corners."""
    ring = 1 + np.arange(rings * segments).reshape(rings, segments)
    between = strip(ring[:-1], ring[1:]).reshape(-1, 3)
    return np.concatenate([fan(np.array(0), ring[0]), between])


def _levelled(corners: Floats, faces: Ints, volume: Floats, thickness: Floats) -> Floats:
    """z of the corners of caps such that each has its volume, tip and foot staying where they are.

    Single precision moves corners of small caps sideways by a noticeable share of their size. With
    x and y as they are, the volume is linear in z, so one number for each cap makes it right:
    z + c t (1 − t) H, where t is the depth below the tip over the thickness H of the sphere.
    """
    x, y = corners[..., 0][:, faces], corners[..., 1][:, faces]
    area = (x[..., 1] - x[..., 0]) * (y[..., 2] - y[..., 0])
    area -= (x[..., 2] - x[..., 0]) * (y[..., 1] - y[..., 0])  # twice that seen from above
    z = corners[..., 2]
    t = np.clip((z[:, :1] - z) / thickness[:, None], 0.0, 1.0)
    bump = t * (1 - t) * thickness[:, None]
    held, gained = ((area * v[:, faces].sum(-1)).sum(-1) / 6 for v in (z, bump))
    # Caps that have collapsed hold nothing; they are refused when all corners are known
    bent = np.where(gained > 0, (volume - held) / np.where(gained > 0, gained, 1.0), 0.0)
    return z + np.clip(bent, -_BENT, _BENT)[:, None] * bump


def _single(corners: Floats, unit: float) -> Floats:
    """The corners with x and y as numbers that single precision can hold in `unit`."""
    rounded = corners.copy()
    rounded[..., :2] = (corners[..., :2] / unit).astype(np.float32).astype(float) * unit
    return rounded


def _carried(exact: Floats, faces: Ints, unit: float, foot: Floats) -> tuple[Floats, Ints]:
    """The surface in single precision, if that turns no facet over."""
    vertices = _single(exact, unit)
    before, after = (_normals(v[faces]) for v in (exact, vertices))
    turned = int(np.sum(~((before * after).sum(-1) > 0)))
    if turned:
        raise ValueError(
            f"single precision, in which STL is written, turns over {turned} of {len(faces)} "
            f"facets: the smallest foot is {2 * foot.min():.3g} m wide, the lattice "
            f"{np.ptp(exact[:, :2], 0).max():.3g} m, in any unit. Use a smaller spacing, fewer "
            "asperities, or fewer segments and rings"
        )
    return vertices, faces


def _normals(corners: Floats) -> Floats:
    normal: Floats = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return normal
