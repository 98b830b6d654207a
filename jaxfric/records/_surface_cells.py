"""The cells of a surface of caps: how fine each cap is, its rings, and borders that are shared."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jaxfric.records._surface_table import Floats, cap_volume, foot_radius

Ints = npt.NDArray[np.int64]

# Distance between facet and sphere, as a share of the height of a cap or of its radius, whichever
# is less: 32 segments and 6 rings on a low cap, so that 1,024 caps are 21 MB of STL. On a cap of
# 30 µm it is 0.6 µm, less than the errors of 1 to 2 µm with which such caps are milled.
_SAGITTA = 0.02
# A tip that is higher than its radius by less than this share of it stands on no column: the
# facets of such a wall would have next to no area.
_COLUMN = 1e-7
# Counts that are whole numbers but for rounding are these, and not the next.
_NEARLY = 1e-9


class Detail(NamedTuple):
    """How many corners there are."""

    segments: int  # of every ring and of every border
    rings: Ints  # (n,), between the tip of each cap and its foot, or the top of its column


def detail(
    height: Floats, radius: Floats, sagitta: float | None, segments: int | None, rings: int | None
) -> Detail:
    """As many segments and rings as keep every facet within `sagitta` of its sphere.

    A facet that spans Δ from ring to ring and 2π/n around lies within the sum of two sagittas,
    R (1 − cos Δ/2) + r (1 − cos π/n) r/R: r/R is the slope by which a distance towards the axis
    counts towards the sphere. Each may have half.
    """
    low = np.minimum(height, radius)
    half = (_SAGITTA * low if sagitta is None else np.full(low.size, sagitta)) / 2
    if segments is None:
        # Widest at the foot. 1 − cos x = 2 sin²(x/2), which keeps its digits where x is small.
        share = half * radius / foot_radius(height, radius) ** 2
        count = (math.pi / (2 * np.arcsin(np.sqrt(np.minimum(share / 2, 0.5))))).max()
        segments = 8 * math.ceil(count / 8 - _NEARLY)
    if rings is None:
        step = 4 * np.arcsin(np.sqrt(np.minimum(half / (2 * radius), 0.5)))
        number = np.ceil(_polar(height, radius) / step - _NEARLY).astype(np.int64)
    else:
        number = np.full(low.size, rings)
    return Detail(segments, np.maximum(number, 2))


def on_column(height: Floats, radius: Floats) -> npt.NDArray[np.bool_]:
    """Which caps are hemispheres on columns."""
    return height - radius > _COLUMN * radius


def ring_sizes(height: Floats, radius: Floats, rings: int, column: bool) -> tuple[Floats, Floats]:
    """Radius and level of each ring of caps that have equally many.

    Cones between circles lie inside the sphere, so their frusta hold less than the cap. All rings
    of a cap are moved out by one factor, which makes its volume right and leaves the levels.

    Arguments:
        height: (k,), of the tips, m.
        radius: (k,), m.
        rings: between the tip and the end of the sphere.
        column: whether the caps are hemispheres on columns, which have one ring more.

    Returns:
        Both (k, rings or one more), m; the last level is 0.
    """
    z, R = height[:, None], radius[:, None]
    # Even in the angle from the tip, so that the facets are equally well bent everywhere.
    polar = _polar(height, radius)[:, None] * np.arange(1, rings + 1) / rings
    r, level = R * np.sin(polar), z - 2 * R * np.sin(polar / 2) ** 2
    if column:
        r, level = np.hstack([r, R]), np.hstack([level, 0 * R])
    level[:, -1] = 0.0  # exactly, where rounding may have left some 1e-20 m
    edge, top = np.hstack([0 * R, r]), np.hstack([z, level])
    frusta = -np.diff(top) * (edge[:, 1:] ** 2 + edge[:, 1:] * edge[:, :-1] + edge[:, :-1] ** 2) / 3
    volume = cap_volume(height, radius) / math.pi
    return r * np.sqrt(volume / frusta.sum(1))[:, None], level


def _polar(height: Floats, radius: Floats) -> Floats:
    """Angle at the centre of a sphere between its tip and its foot, or equator."""
    low: Floats = np.minimum(height / (2 * radius), 0.5)
    angle: Floats = 2 * np.arcsin(np.sqrt(low))
    return angle


def polygon(segments: int) -> float:
    """Radius of a regular polygon over that of the circle of the same area."""
    # Its area is n R² sin(2π/n)/2; set equal to π r² and solved for R/r.
    turn = 2 * math.pi / segments
    return math.sqrt(turn / math.sin(turn))


def circle(segments: int) -> Floats:
    """(segments, 2), of the polygon that has the area of the unit circle."""
    angle = 2 * np.pi * np.arange(segments) / segments
    return polygon(segments) * np.stack([np.cos(angle), np.sin(angle)], -1)


class Borders(NamedTuple):
    """Corners on the borders of the cells, each once, as their numbers."""

    position: Floats  # (p, 2), in spacings, from the centre of the lattice
    cells: Ints  # (cells, segments): around each cell, counter-clockwise, the first towards +x
    rim: Ints  # around the whole block, counter-clockwise


def borders(side: int, rows: int, segments: int) -> Borders:
    """The borders of `side` × `rows` cells, row by row as `lattice` has them.

    Each side of a cell is cut into segments/4 equal parts and not by angle, so that both neighbours
    have the same corners on it. These lie on a grid of whole numbers: what two cells have in common
    is equal there, and nothing needs to be merged by distance.
    """
    parts = segments // 4
    # A cell's border begins in the lower right corner; its first ring points to the middle of the
    # right side, half a side further.
    x, y = (np.roll(c, -(parts // 2)) for c in _around(parts, parts))
    cell = np.arange(side * rows)
    left, low = cell % side * parts, (rows - 1 - cell // side) * parts
    number, cells = np.unique(
        _numbered(left[:, None] + x, low[:, None] + y, rows * parts), return_inverse=True
    )
    rim = np.searchsorted(number, _numbered(*_around(side * parts, rows * parts), rows * parts))
    column, row = np.divmod(number, rows * parts + 1)
    position = np.stack([column / parts - side / 2, row / parts - rows / 2], -1)
    return Borders(position, cells.reshape(side * rows, segments), rim)


def _numbered(x: Ints, y: Ints, height: int) -> Ints:
    """One number for each point of a grid that is `height` + 1 points high."""
    return x * (height + 1) + y


def _around(width: int, height: int) -> tuple[Ints, Ints]:
    """Whole-numbered points around a rectangle, counter-clockwise from its lower right corner."""
    t = np.arange(2 * (width + height))
    x = np.clip(np.maximum(width + height - t, t - width - 2 * height), 0, width)
    y = np.clip(np.minimum(t, width + 2 * height - t), 0, height)
    return x, y


def strip(inner: Ints, outer: Ints) -> Ints:
    """Facets between rings of corners (…, m), counter-clockwise where the rings are."""
    inner_next, outer_next = np.roll(inner, -1, -1), np.roll(outer, -1, -1)
    return np.concatenate(
        [np.stack([inner, outer, outer_next], -1), np.stack([inner, outer_next, inner_next], -1)],
        axis=-2,
    )


def fan(tip: Ints, ring: Ints) -> Ints:
    """Facets between points (…,) and rings of corners (…, m) around them."""
    return np.stack(np.broadcast_arrays(tip[..., None], ring, np.roll(ring, -1, -1)), -1)
