"""Points x, y, z on a grid as the map that they are."""

import numpy as np

# Of a step: how far a point may stand from its place, for coordinates are printed with few digits
OFF_GRID = 0.1
# Steps below this share of the whole are one place printed twice
SAME_PLACE = 1e-6
# Pixels for each point, beyond which points are scattered rather than a grid with holes
SPARSE = 4


def on_grid(
    source: str, points: np.ndarray, lines: list[int]
) -> tuple[np.ndarray, tuple[float, float], int]:
    """Heights as a map, NaN where no point stands; steps of x and y; how many are missing.

    Arguments:
        source: of the points, for messages.
        points: (k, 3), x, y and z in the units of the file.
        lines: of each point in the file.
    """
    if not np.isfinite(points[:, :2]).all():
        first = int(np.argmax(~np.isfinite(points[:, :2]).all(-1)))
        raise ValueError(f"{source}: line {lines[first]} has no x or no y; take it out")
    (column, dx), (row, dy) = (_places(source, axis, points[:, i], lines)
                               for i, axis in enumerate("xy"))  # fmt: skip
    shape = row.max() + 1, column.max() + 1
    if shape[0] * shape[1] > SPARSE * len(points):
        raise ValueError(
            f"{source}: {len(points)} points fill {shape[1]} by {shape[0]} pixels so sparsely that "
            "they are no height map; interpolate them onto a grid first"
        )
    place = row * shape[1] + column
    order = np.argsort(place, kind="stable")
    twice = np.flatnonzero(np.diff(place[order]) == 0)
    if twice.size:
        one, other = sorted((lines[order[twice[0]]], lines[order[twice[0] + 1]]))
        raise ValueError(
            f"{source}: lines {one} and {other} give a height for one place; keep one of them"
        )
    height = np.full(shape[0] * shape[1], np.nan)
    height[place] = points[:, 2]
    return height.reshape(shape), (dx, dy), height.size - len(points)


def _places(
    source: str, axis: str, x: np.ndarray, lines: list[int]
) -> tuple[np.ndarray, float]:  # fmt: skip
    """Index on its axis of each point, and the step."""
    known = np.unique(x)
    gaps = np.diff(known)
    reach = known[-1] - known[0]
    gaps = gaps[gaps > SAME_PLACE * reach]
    if not gaps.size:
        raise ValueError(
            f"{source}: all points have one {axis}, so they are a profile; a height map has rows "
            "and columns"
        )
    # The whole over how many steps it holds: what the printed digits leave off does not add up
    step = reach / round(reach / float(np.median(gaps)))
    place = (x - known[0]) / step
    index = np.round(place).astype(int)
    off = np.abs(place - index) > OFF_GRID
    if off.any():
        first = int(np.argmax(off))
        raise ValueError(
            f"{source}: line {lines[first]} has {axis} = {x[first]:.6g}, between two columns of a "
            f"grid of steps of {step:.4g}; interpolate the points onto a grid first"
        )
    return index, step
