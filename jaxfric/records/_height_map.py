"""Measured surfaces: a map of heights, or a list of asperities."""

from collections.abc import Sequence

import equinox as eqx
import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float64

from jaxfric import _checks
from jaxfric.records._arrays import Values, read_only
from jaxfric.records._rows import count_of

# A summit is a pixel above its eight neighbours
LEAST_PIXELS = 3
MICRO = 1e6


class HeightMap(eqx.Module):
    """Heights of a surface on a grid of pixels, as a profilometer or a microscope gives them.

    Pixel (j, i) stands at x = i dx, y = j dy. Up is out of the material. A pixel without a height
    is NaN; `missing` counts them, and `str` says so.

    Arguments:
        height: (ny, nx), m, at least 3 by 3; what is not finite is missing. Copied, in float64.
        dx: from one column to the next, m.
        dy: from one row to the next, m; dx if left out.
        title: a short name, such as that of the file.
        notes: what was assumed of the file, one sentence each.

    Raises:
        ValueError: heights that are no such grid, or none that is finite; pixels without a size.

    Example:
        >>> import numpy as np
        >>> x = 1e-6 * np.arange(-2.0, 3.0)
        >>> print(HeightMap(-(x[:, None]**2 + x**2) / 2e-5, dx=1e-6, title="one cap"))
        HeightMap 'one cap': 5 by 5 pixels of 1 by 1 µm, 4 by 4 µm
          heights  over 0.4 µm
    """

    height: Float64[np.ndarray, "ny nx"]
    dx: float
    dy: float
    title: str = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        height: npt.ArrayLike,
        dx: float,
        dy: float | None = None,
        title: str = "",
        notes: Sequence[str] = (),
    ) -> None:
        given = np.asarray(height)
        if given.dtype.kind not in "iuf":
            raise ValueError(f"heights must be real numbers; got the type {given.dtype}")
        if given.ndim != 2 or min(given.shape) < LEAST_PIXELS:
            raise ValueError(
                f"a height map has rows and columns of pixels, at least {LEAST_PIXELS} of each; "
                f"got shape {given.shape}"
            )
        pixels = np.array(given, np.float64)
        pixels[~np.isfinite(pixels)] = np.nan
        if np.isnan(pixels).all():
            raise ValueError("every pixel of the height map is missing; export it with its heights")
        _checks.positive("dx", dx)
        if dy is not None:
            _checks.positive("dy", dy)
        self.height = read_only(pixels)
        self.dx = float(dx)
        self.dy = self.dx if dy is None else float(dy)
        self.title, self.notes = title, tuple(notes)

    @property
    def present(self) -> Bool[np.ndarray, "ny nx"]:
        """True where a pixel has a height."""
        return np.isfinite(self.height)

    @property
    def missing(self) -> int:
        """Number of pixels without a height."""
        return int(np.isnan(self.height).sum())

    def __repr__(self) -> str:
        # Equinox would print shapes, f64[512,512]; whoever looks at a map wants its numbers
        return str(self)

    def __str__(self) -> str:
        rows, columns = self.height.shape
        wide, long = columns - 1, rows - 1
        reach = np.nanmax(self.height) - np.nanmin(self.height)
        lost = f", {count_of(self.missing, 'pixel')} missing" if self.missing else ""
        lines = [
            f"HeightMap {self.title!r}: {columns} by {rows} pixels of {self.dx * MICRO:.4g} by "
            f"{self.dy * MICRO:.4g} µm, {wide * self.dx * MICRO:.4g} by "
            f"{long * self.dy * MICRO:.4g} µm",
            f"heights  over {reach * MICRO:.4g} µm{lost}",
            *self.notes,
        ]
        return "\n  ".join(lines)


class AsperityList(eqx.Module):
    """A list of spherical asperities, as `jaxfric design` writes it and a workshop mills it.

    Arguments:
        height: (n,), of the tips, m; only differences matter.
        radius: (n,), m, > 0.
        position: (n, 2), x and y, m; None if not known.
        title: a short name, such as that of the file.
        notes: what was assumed of the file, one sentence each.

    Raises:
        ValueError: columns of unequal length, or numbers that are no surface.

    Example:
        >>> print(AsperityList([0.0, -2e-6], [5e-4, 4e-4], title="two caps"))
        AsperityList 'two caps': 2 asperities, heights over 2 µm, radii 400 to 500 µm, no positions
    """

    height: Float64[np.ndarray, " n"]
    radius: Float64[np.ndarray, " n"]
    position: Float64[np.ndarray, "n 2"] | None
    title: str = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        height: Values | Sequence[float],
        radius: Values | Sequence[float],
        position: npt.ArrayLike | None = None,
        title: str = "",
        notes: Sequence[str] = (),
    ) -> None:
        columns = [read_only(np.array(x, np.float64)) for x in (height, radius)]
        n = columns[0].shape
        if len(n) != 1 or n == (0,) or columns[1].shape != n:
            raise ValueError(
                f"a list needs a height and a radius of each asperity; got shapes {n} and "
                f"{columns[1].shape}"
            )
        if not np.isfinite(columns[0]).all():
            raise ValueError(
                f"height must be finite; that of asperity {_first(*columns[:1])} is not"
            )
        bad = ~(np.isfinite(columns[1]) & (columns[1] > 0))
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(f"radius must be positive; that of asperity {i} is {columns[1][i]} m")
        place = None if position is None else read_only(np.array(position, np.float64))
        if place is not None and (place.shape != (*n, 2) or not np.isfinite(place).all()):
            raise ValueError(
                f"position must be finite and have shape ({n[0]}, 2), x and y of each asperity"
            )
        self.height, self.radius = columns
        self.position, self.title, self.notes = place, title, tuple(notes)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        reach = (self.height.max() - self.height.min()) * MICRO
        low, high = (f"{x * MICRO:.4g}" for x in (self.radius.min(), self.radius.max()))
        radii = low if low == high else f"{low} to {high}"
        places = ", no positions" if self.position is None else ""
        line = (
            f"AsperityList {self.title!r}: {self.height.size} asperities, heights over "
            f"{reach:.4g} µm, radii {radii} µm{places}"
        )
        return "\n  ".join([line, *self.notes])


def _first(values: np.ndarray) -> int:
    return int(np.argmax(~np.isfinite(values)))
