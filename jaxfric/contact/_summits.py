"""From a map of heights to the asperities on it: summits, curvatures, and how sure they are."""

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float64, Int64

from jaxfric._show import printed
from jaxfric.contact._asperities import Asperities
from jaxfric.contact._maxima import (
    Paraboloids,
    Pixels,
    at_edge,
    distinct,
    maxima,
    paraboloids,
    plane,
    width,
)
from jaxfric.contact._printing import MICRO, span
from jaxfric.records import HeightMap

# Of the principal curvatures. A sphere of their geometric mean has 1.3 % too much area at a given
# load where one is twice the other, and 3.3 % at three times (Johnson 1985, eq. 4.26–4.28)
ELLIPTIC = 2.0
# Of the largest height: what a subtraction of two numbers of that size leaves of nothing, and a
# thousand times as much, as the plane has many terms
_ROUNDING = 1e-12
DETREND = ("plane", "base", "none")


class Summits(eqx.Module):
    """What `summits` returns: n summits, highest first.

    Attributes:
        surface: the asperities, (n,); those that are left out (`no_cap`, or in the outermost
            pixels) are masked.
        position: (n, 2), x and y of each, m; the first pixel of the map is (0, 0).
        curvature: (n, 2), of the two principal sections, larger first, 1/m.
        pixels: (n,), pixels across the cap, along its narrower axis, up to four windows.
        residual: (n,), root mean square of the map less the paraboloid, over the window, m.
        at_border: (n,), the window reaches beyond the map.
        beside_missing: (n,), a pixel of the window is missing.
        unresolved: (n,), the cap is narrower than the window: neighbours shape its curvature.
        elliptic: (n,), one principal curvature is more than twice the other.
        no_cap: (n,), the paraboloid has no vertex in the window: a ridge, a saddle, a flat top.
        levelled: the map without its plane, in which heights are measured.
        window: pixels on a side of what was fitted.
        notes: what was done to the map.
    """

    surface: Asperities
    position: Float64[np.ndarray, "n 2"]
    curvature: Float64[np.ndarray, "n 2"]
    pixels: Int64[np.ndarray, " n"]
    residual: Float64[np.ndarray, " n"]
    at_border: Bool[np.ndarray, " n"]
    beside_missing: Bool[np.ndarray, " n"]
    unresolved: Bool[np.ndarray, " n"]
    elliptic: Bool[np.ndarray, " n"]
    no_cap: Bool[np.ndarray, " n"]
    levelled: HeightMap
    window: int = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True)

    @property
    def used(self) -> Bool[np.ndarray, " n"]:
        """True for the summits that are asperities."""
        return np.asarray(self.surface.used)

    def flags(self) -> dict[str, Bool[np.ndarray, " n"]]:
        """What may be wrong with a summit, by what it is called in tables."""
        return {
            "at_border": self.at_border,
            "beside_missing": self.beside_missing,
            "unresolved": self.unresolved,
            "elliptic": self.elliptic,
        }

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        used = self.used
        flagged = ", ".join(
            f"{int((flag & used).sum())} {name.replace('_', ' ')}"
            for name, flag in self.flags().items()
        )
        radius = np.asarray(self.surface.radius)[used]
        height = np.asarray(self.surface.height)[used]
        lines = [
            f"Summits: {used.sum()} of {used.size} are asperities, heights over "
            f"{np.ptp(height) * MICRO:.4g} µm, radii {span(radius, 'µm', MICRO)}",
            f"of these {flagged}",
            f"left out: {int(self.no_cap.sum())} without a cap, "
            f"{int((~used & ~self.no_cap).sum())} in the outermost pixels",
            *self.notes,
        ]
        return "\n  ".join(lines)


def summits(
    height_map: HeightMap, *, detrend: str = "plane", window: int = 5, apart: int = 1
) -> Summits:
    """The summits of a measured surface as spherical asperities.

    A summit is a pixel above its eight neighbours. A paraboloid fitted to a window of pixels around
    it by least squares has its vertex at the summit's position and height, between pixels too, and
    the principal curvatures κ1 and κ2; summits of one vertex are one. The sphere in its place has
    their geometric mean,

        R = 1/√(κ1 κ2)

    of which area and load are nearer to those of the elliptic contact than with the arithmetic mean
    2/(κ1 + κ2): at κ1 = 2 κ2 the area at a given load is 1.3 % too large, against 2.6 % too small,
    and the load at a given indentation 1.0 % too small, against 3.9 %.

    Noise makes summits: choose a window as wide as the contacts, and let summits stand as far
    `apart` as half a cap is wide. On a surface of separate caps the area of such spheres is within
    2 % of boundary elements, if they see each other (`interacting_friction_law`); on one that is
    rough at all scales, contacts merge, and it is up to 20 % off.

    Arguments:
        height_map: from `records.read_height_map`, or of your own array.
        detrend: "plane" takes off the least-squares plane. A few high caps tilt it; "base" takes
            off the flat that they stand on, if it shows on a third of the map and pits are few.
            "none" leaves the map as it is.
        window: pixels on a side of what is fitted, odd, at least 3.
        apart: pixels; a summit is the highest of the square that reaches this far to all sides.

    Returns:
        `Summits`.

    Raises:
        ValueError: an option as above; a map without a summit that is a cap, or that is a plane.

    Example:
        >>> import numpy as np
        >>> from jaxfric.records import HeightMap
        >>> x = 1e-6 * np.arange(-9.0, 10.0)
        >>> cap = 2e-6 - ((x - 2.5e-7)**2 + x[:, None]**2) / (2 * 5e-5)  # R = 50 µm
        >>> found = summits(HeightMap(cap, 1e-6), detrend="none")
        >>> print(f"{float(found.surface.radius[0]) * 1e6:.4f} {found.position[0] * 1e6}")
        50.0000 [9.25 9.  ]

    Source: J. A. Greenwood, Wear 261 (2006) 191, for the geometric mean; K. L. Johnson, Contact
    Mechanics (1985), section 4.2, for the elliptic contact.
    """
    if not isinstance(height_map, HeightMap):
        raise ValueError(
            "summits are found on a map that knows its pixel: records.HeightMap(heights, pixel)"
        )
    _check(detrend, window, apart)
    level, notes = height_map.height, []
    if detrend != "none":
        tilt, slopes = plane(level, height_map.dx, height_map.dy, base=detrend == "base")
        level = level - tilt
        if np.nanmax(np.abs(level)) <= _ROUNDING * np.nanmax(np.abs(height_map.height)):
            raise ValueError("the map is a plane, and without it nothing is left but rounding")
        name = "mean" if detrend == "plane" else "base"
        notes.append(
            f"Took off the {name} plane, which rises by {slopes[0]:.3g} in x and "
            f"{slopes[1]:.3g} in y."
        )
    half = window // 2
    at = maxima(level, apart)
    fit = paraboloids(level, at, half, height_map.dx, height_map.dy)
    kept = distinct(level, at, fit, height_map.dx, height_map.dy)
    at, fit = at[kept], Paraboloids(*(x[kept] for x in fit))
    edge = at_edge(level.shape, at)
    no_cap = ~(fit.inside & (fit.curvature[:, 1] > 0))
    if (no_cap | edge).all():
        raise ValueError(
            f"none of {len(at)} summits is a cap that stands within the map; take a larger window "
            "for a noisy map, a smaller one for narrow caps, or a map of more pixels"
        )
    levelled = HeightMap(level, height_map.dx, height_map.dy, height_map.title, height_map.notes)
    return _summits(levelled, at, fit, (no_cap, edge), window, tuple(notes))


def _summits(
    levelled: HeightMap, at: Pixels, fit: Paraboloids,
    out: tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]], window: int, notes: tuple[str, ...],
) -> Summits:  # fmt: skip
    """Highest first; without a cap a summit is as high as its pixel, and where this is."""
    no_cap, edge = out
    half, step = window // 2, np.array([levelled.dx, levelled.dy])
    there = levelled.height[at[:, 0], at[:, 1]]
    height = np.where(no_cap, there, fit.height)
    position = at[:, ::-1] * step + np.where(no_cap[:, None], 0.0, fit.offset)
    with np.errstate(invalid="ignore", divide="ignore"):
        radius = 1 / np.sqrt(fit.curvature[:, 0] * fit.curvature[:, 1])
        elliptic: np.ndarray = ~no_cap & (fit.curvature[:, 0] > ELLIPTIC * fit.curvature[:, 1])
    border = at_edge(levelled.height.shape, at, half)
    pixels = width(levelled.height, at, 2 * window)
    order = np.argsort(-height, kind="stable")
    return Summits(
        # A radius that does not exist is NaN, of an entry that is masked and carries nothing
        surface=Asperities(
            height[order], np.where(no_cap, np.nan, radius)[order], ~(no_cap | edge)[order]
        ),
        position=position[order],
        curvature=fit.curvature[order],
        pixels=pixels[order],
        residual=fit.residual[order],
        at_border=border[order],
        beside_missing=(fit.missing & ~border)[order],
        unresolved=(pixels < window)[order],
        elliptic=elliptic[order],
        no_cap=no_cap[order],
        levelled=levelled,
        window=window,
        notes=notes,
    )


def _check(detrend: str, window: int, apart: int) -> None:
    if detrend not in DETREND:
        raise ValueError(f"detrend must be 'plane', 'base' or 'none'; got {detrend!r}")
    for name, value in (("window", window), ("apart", apart)):
        if not isinstance(value, int | np.integer):
            raise ValueError(f"{name} is a whole number of pixels; got {value!r}")
    if window < 3 or window % 2 == 0:
        raise ValueError(f"window must be an odd number of pixels, at least 3; got {window}")
    if apart < 1:
        raise ValueError(f"apart must be at least 1 pixel; got {apart}")
