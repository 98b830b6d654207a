"""Maxima of a map of pixels, and the paraboloids that stand on them; host code."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float64, Int64

Map = Float64[np.ndarray, "ny nx"]
Pixels = Int64[np.ndarray, "k 2"]  # row and column of each

# One of each pair of opposite neighbours: row and column
_HALF = ((0, 1), (1, -1), (1, 0), (1, 1))
_CHUNK = 4096  # windows fitted at once, so that memory stays small
# Six numbers of a paraboloid from at least as many pixels and half as many again
_LEAST = 9
# Of the eigenvalues of the normal equations, smallest to largest, below which the pixels that are
# present lie on a line or a conic and leave a coefficient open; 2e-2 with every pixel present
_SINGULAR = 1e-4

# The share of pixels below a base: the lower it is, the more of a flat may be covered, and the more
# do pits in it count
_QUANTILE = 0.25
# Of the largest deviation from a plane: nearer pixels than this weigh no more in the search for a
# base; the rounds of it, after which the slopes of a flat that caps leave a third of are right to
# 0.1 %; and how many pixels they look at
_SMALLEST, _ROUNDS, _MOST = 1e-6, 60, 250_000


class Paraboloids(NamedTuple):
    """Least-squares paraboloids on windows; NaN where too few pixels are present.

    Attributes:
        height: (k,), of the vertex, m.
        offset: (k, 2), x and y of the vertex from the middle of the window, m.
        curvature: (k, 2), of the two principal sections, larger first, 1/m; positive is a cap.
        inside: (k,), whether the vertex lies in the window.
        missing: (k,), whether a pixel of the window is missing, or lies outside of the map.
        residual: (k,), root mean square of what is left, m.
    """

    height: np.ndarray
    offset: np.ndarray
    curvature: np.ndarray
    inside: np.ndarray
    missing: np.ndarray
    residual: np.ndarray


def plane(
    height: Map, dx: float, dy: float, *, base: bool = False
) -> tuple[Map, tuple[float, float]]:  # fmt: skip
    """The plane of least squares through the pixels that are present, and its slopes in x and y.

    With `base` the plane below which a quarter of the pixels lie, which runs along a flat that
    more than a third of them lie on, however high the others are: of all planes the one of which
    the absolute deviations, of pixels below it counted three times, have the least sum. It is found
    by least squares with weights of 1/|deviation|.

    Source: R. Koenker and G. Bassett, Econometrica 46 (1978) 33, for regression quantiles.
    """
    rows, columns = height.shape
    x = dx * (np.arange(columns) - (columns - 1) / 2)
    y = dy * (np.arange(rows) - (rows - 1) / 2)
    there = np.isfinite(height)
    x, y = np.broadcast_to(x, height.shape), np.broadcast_to(y[:, None], height.shape)
    # In units of the sides, so that no number of the least squares is small beside another
    sides = np.array([1.0, dx * columns, dy * rows])
    matrix, z = np.stack([np.ones_like(x), x, y], -1)[there] / sides, height[there]
    found = np.linalg.lstsq(matrix, z, rcond=None)[0]
    every = slice(None, None, 1 + z.size // _MOST)
    matrix, z = matrix[every], z[every]
    smallest = _SMALLEST * float(np.abs(z - matrix @ found).max())
    for _ in range(_ROUNDS if base and smallest > 0 else 0):
        above = z - matrix @ found
        side = np.where(above > 0, _QUANTILE, 1 - _QUANTILE)
        weighted = matrix.T * (side / np.maximum(np.abs(above), smallest))
        found = np.linalg.solve(weighted @ matrix, weighted @ z)
    found = found / sides
    return found[0] + found[1] * x + found[2] * y, (float(found[1]), float(found[2]))


def maxima(height: Map, apart: int) -> Pixels:
    """The pixels above their eight neighbours, one for each plateau that is above all around it.

    Arguments:
        height: m; NaN where missing, which counts as lower than everything.
        apart: pixels; the highest of the square of this many to either side is kept.
    """
    z = np.where(np.isfinite(height), height, -np.inf)
    top = (z >= _highest(z, 1)) & np.isfinite(height)
    # Pixels of one height that touch belong to one plateau, and it is a summit only if none of
    # them has a higher neighbour: else it is a terrace of a slope
    one, other = _level_neighbours(z)
    label = _joined(z.size, one, other)
    terrace = np.zeros(z.size, bool)
    terrace[label[~top.ravel()]] = True
    kept = top.ravel() & ~terrace[label] & (z >= _highest(z, apart)).ravel()
    place = np.flatnonzero(kept)
    row, column = np.divmod(place, z.shape[1])
    # The pixel nearest to the middle of its plateau stands for it
    name, inverse = np.unique(label[place], return_inverse=True)
    count = np.bincount(inverse, minlength=name.size)
    middle = [np.bincount(inverse, x)[inverse] / count[inverse] for x in (row, column)]
    order = np.lexsort(((row - middle[0]) ** 2 + (column - middle[1]) ** 2, inverse))
    _, first = np.unique(inverse[order], return_index=True)
    chosen = order[first]
    return np.stack([row[chosen], column[chosen]], -1).astype(np.int64)


def _highest(z: Map, reach: int) -> Map:
    """The highest of the square around each pixel, itself included."""
    for axis in (0, 1):
        most = z.copy()
        for k in range(1, min(reach, z.shape[axis] - 1) + 1):
            low, high = _shifted(most, k, axis), _shifted(z, k, axis)
            np.maximum(low[1], high[0], out=low[1])
            np.maximum(low[0], high[1], out=low[0])
        z = most
    return z


def _shifted(z: np.ndarray, k: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """All but the last k rows or columns, and all but the first k."""
    return (z[:-k], z[k:]) if axis == 0 else (z[:, :-k], z[:, k:])


def _level_neighbours(z: Map) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of touching pixels of one height, by their place in the map."""
    index = np.arange(z.size).reshape(z.shape)
    pairs = []
    for row, column in _HALF:
        below = slice(row, None), slice(max(column, 0), min(column, 0) or None)
        above = slice(0, z.shape[0] - row), slice(max(-column, 0), -max(column, 0) or None)
        level = (z[above] == z[below]) & np.isfinite(z[above])
        pairs.append((index[above][level], index[below][level]))
    return np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])


def _joined(
    size: int, one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:  # fmt: skip
    """The smallest index of what is connected to each, by pairs."""
    label = np.arange(size)
    while one.size:
        low, high = np.minimum(label[one], label[other]), np.maximum(label[one], label[other])
        np.minimum.at(label, high, low)
        # Every label follows its own label to the end, which halves the rounds each time
        while (label != label[label]).any():
            label = label[label]
        # Pairs that have become one need no further round
        apart = label[one] != label[other]
        one, other = one[apart], other[apart]
    return label


def paraboloids(height: Map, at: Pixels, half: int, dx: float, dy: float) -> Paraboloids:
    """Paraboloids fitted to the squares of 2 half + 1 pixels around the given ones.

    z = c0 + c1 x + c2 y + c3 x² + c4 xy + c5 y², with the vertex where its slope vanishes.
    """
    padded = np.pad(height, half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * half + 1,) * 2)
    parts = [
        _fitted(windows[rows[:, 0], rows[:, 1]], half, dx, dy)
        for rows in np.split(at, range(_CHUNK, len(at), _CHUNK))
    ]
    return Paraboloids(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _fitted(window: np.ndarray, half: int, dx: float, dy: float) -> Paraboloids:
    n, side = len(window), 2 * half + 1
    # In units of half a window, where no power of a coordinate is small beside another
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].reshape(2, -1)
    A = np.stack([np.ones_like(x), x, y, x**2, x * y, y**2], -1)
    middle = window[:, half, half]
    z = window.reshape(n, -1) - middle[:, None]
    there = np.isfinite(z)
    z = np.where(there, z, 0.0)
    normal = (there @ (A[:, :, None] * A[:, None, :]).reshape(-1, 36)).reshape(n, 6, 6)
    eigenvalue = np.linalg.eigvalsh(normal)
    enough = (there.sum(-1) >= _LEAST) & (eigenvalue[:, 0] > _SINGULAR * eigenvalue[:, -1])
    normal[~enough] = np.eye(6)
    c = np.linalg.solve(normal, (z @ A)[:, :, None])[:, :, 0]
    residual = np.sqrt(((z - c @ A.T) ** 2 * there).sum(-1) / np.maximum(there.sum(-1), 1))
    c[~enough] = np.nan
    # Slope and second derivatives at the middle; the vertex is −H⁻¹ g away
    g, (hxx, hxy, hyy) = c[:, 1:3], (2 * c[:, 3], c[:, 4], 2 * c[:, 5])
    determinant = hxx * hyy - hxy**2
    with np.errstate(divide="ignore", invalid="ignore"):
        u = -(hyy * g[:, 0] - hxy * g[:, 1]) / determinant
        v = -(hxx * g[:, 1] - hxy * g[:, 0]) / determinant
        inside = np.maximum(np.abs(u), np.abs(v)) <= 1  # False of NaN
    rise = (g[:, 0] * u + g[:, 1] * v) / 2
    lx, ly = half * dx, half * dy
    a, b, d = -hxx / lx**2, -hxy / (lx * ly), -hyy / ly**2
    mean, spread = (a + d) / 2, np.hypot((a - d) / 2, b)
    return Paraboloids(
        height=middle + c[:, 0] + rise,
        offset=np.stack([u * lx, v * ly], -1),
        curvature=np.stack([mean + spread, mean - spread], -1),
        inside=inside,
        missing=~there.all(-1),
        residual=residual,
    )


def distinct(
    height: Map, at: Pixels, fit: Paraboloids, dx: float, dy: float
) -> Bool[np.ndarray, " k"]:
    """False for those whose vertex is that of a higher one, to within a pixel.

    A narrow cap that runs aslant over the pixels has several above their eight neighbours, and the
    paraboloids on all of them are one.
    """
    place = at[:, ::-1] + fit.offset / np.array([dx, dy])
    order = np.argsort(-height[at[:, 0], at[:, 1]], kind="stable")
    kept = np.ones(len(at), bool)
    known: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for i in order[fit.inside[order]]:
        x, y = place[i].tolist()
        column, row = round(x), round(y)
        near = (known.get((column + a, row + b), ()) for a in (-1, 0, 1) for b in (-1, 0, 1))
        if any(abs(x - u) < 1 and abs(y - v) < 1 for cell in near for u, v in cell):
            kept[i] = False
        else:
            known.setdefault((column, row), []).append((x, y))
    return kept


def width(height: Map, at: Pixels, most: int) -> npt.NDArray[np.int64]:
    """Pixels over which the map does not rise going away from each, along its narrower axis.

    Counted up to `most` to either side, and the pixel itself.
    """
    padded = np.pad(height, most + 1, constant_values=np.nan)
    row, column = at.T + most + 1
    across = []
    for y, x in ((0, 1), (1, 0)):
        total = np.ones(len(at), np.int64)
        for sign in (-1, 1):
            falling = np.ones(len(at), bool)
            for k in range(1, most + 1):
                here = padded[row + sign * k * y, column + sign * k * x]
                before = padded[row + sign * (k - 1) * y, column + sign * (k - 1) * x]
                falling = falling & (here <= before)  # False of NaN, where nothing is known
                total += falling
        across.append(total)
    return np.minimum(*across)


def at_edge(shape: tuple[int, ...], at: Pixels, depth: int = 1) -> Bool[np.ndarray, " k"]:
    """Whether a pixel lies in the outermost rows or columns, as many as `depth`."""
    # NumPy's type of `all` and `any` over an axis may be one number; that of `min` may not
    room = np.minimum(at, np.array(shape) - 1 - at)
    return np.min(room, axis=-1) < depth
