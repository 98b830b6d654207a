"""Where the theory of independent spheres ends: the contacts of a surface at one load."""

import math

import equinox as eqx
import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float64

from jaxfric._show import printed
from jaxfric.contact._asperities import Asperities
from jaxfric.contact._curve import FrictionCurve
from jaxfric.contact._interaction import InteractingContacts
from jaxfric.contact._printing import MICRO, span
from jaxfric.records import HeightMap

# Of the indentation: how far, in root mean square, a map may depart under a contact from the sphere
# that stands for it. A paraboloid with κ1 = 2.5 κ2 departs by as much, and has 2.3 % less area
MISFIT = 0.1
# Of the distance to the nearest that touches. Two equal contacts meet at a half; at a quarter the
# area of independent ones is already 9 % too large (`interacting_friction_law`)
CROWDED = 0.5
# Of an area, by digits: single precision loses some at indentations small beside the heights
SAME, SAME_SINGLE = 1e-6, 1e-3
_CHUNK = 1024  # rows of the table of distances at once, so that memory stays small


class UnderLoad(eqx.Module):
    """What `under_load` returns: contacts at the largest load, (n,) for n asperities.

    Attributes:
        load: N.
        indentation: (n,), of each asperity, m; 0 where nothing touches.
        radius: (n,), of each contact, m.
        share: (n,), of the friction.
        crowding: (n,), radius over the distance to the nearest that touches, 0 where there is
            none; the theory wants it small; None without positions.
        misfit: (n,), under the contact the map departs from the sphere by more than 0.1 of the
            indentation, in root mean square; None without a map.
        below_pixel: (n,), the contact's radius is less than a pixel: what the surface is like
            there was not measured; None without a map.
    """

    load: float
    indentation: Float64[np.ndarray, " n"]
    radius: Float64[np.ndarray, " n"]
    share: Float64[np.ndarray, " n"]
    crowding: Float64[np.ndarray, " n"] | None
    misfit: Bool[np.ndarray, " n"] | None
    below_pixel: Bool[np.ndarray, " n"] | None

    @property
    def touching(self) -> Bool[np.ndarray, " n"]:
        """True for the asperities that touch."""
        return self.radius > 0

    @property
    def crowded(self) -> Bool[np.ndarray, " n"] | None:
        """True where a contact is wider than half the distance to the nearest that touches."""
        return None if self.crowding is None else self.crowding > CROWDED

    def flags(self) -> dict[str, Bool[np.ndarray, " n"]]:
        """What may be wrong with a contact, by what it is called in tables, where it is known."""
        found = {
            "crowded": self.crowded, "misfit": self.misfit, "below_pixel": self.below_pixel,
        }  # fmt: skip
        return {name: flag for name, flag in found.items() if flag is not None}

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        on = self.touching
        lines = [
            f"UnderLoad: {int(on.sum())} contacts at {self.load:.4g} N, radii "
            f"{span(self.radius[on], 'µm', MICRO)}",
            *(told(name, flag, self.share) for name, flag in self.flags().items()),
        ]
        if self.crowding is not None and np.isinf(self.crowding.max()):
            lines[0] += ", of which some stand in one place"
        elif self.crowding is not None:
            lines[0] += (
                f", up to {self.crowding.max():.2g} times the distance to the nearest that touches"
            )
        return "\n  ".join(lines)


def told(name: str, flag: Bool[np.ndarray, " n"], share: Float64[np.ndarray, " n"]) -> str:
    """How many contacts bear a flag, and which part of the friction they carry."""
    on = flag & (share > 0)
    return f"{name.replace('_', ' ')}: {int(on.sum())}, {100 * share[on].sum():.3g} % of friction"


def under_load(
    surface: Asperities,
    curve: FrictionCurve | InteractingContacts,
    *,
    position: npt.ArrayLike | None = None,
    height_map: HeightMap | None = None,
) -> UnderLoad:
    """The contacts of spheres at the largest load of a law, and which are doubtful.

        a_i = √(R_i δ_i),  crowded where a_i > |r_i − r_j|/2 for the nearest j that touches

    Those are the radii of independent spheres; of contacts that see each other, they are given.

    Arguments:
        surface: n spheres.
        curve: their law, from `friction_law`; or what `interacting_contacts` returns.
        position: (n, 2), x and y of each, m.
        height_map: the map that they stand on; `Summits.levelled`. Needs positions.

    Returns:
        `UnderLoad`.

    Raises:
        ValueError: an exponent; a batch; the curve of other asperities, or of contacts that see
            each other; positions that are not (n, 2) or not finite; a map without them.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.contact import Material, friction_law
        >>> surface = Asperities(jnp.zeros(2), jnp.full(2, 5e-4))
        >>> curve = friction_law(surface, Material(1.4e6, 4e5), jnp.array([1e-2]))
        >>> print(under_load(surface, curve, position=[[0, 0], [1.5e-4, 0]]))
        UnderLoad: 2 contacts at 0.01 N, radii 110.2 µm, up to 0.73 times the distance to the
        nearest that touches
          crowded: 2, 100 % of friction
    """
    if surface.exponent is not None:
        raise ValueError("contacts are looked at as those of spheres; leave exponent out")
    height, radius = (np.asarray(x, float) for x in (surface.height, surface.radius))
    load, delta, a = _largest(surface, curve)
    share = a**2 / max(float((a**2).sum()), math.ulp(0.0))
    found = UnderLoad(load, delta, a, share, None, None, None)
    if position is None:
        if height_map is not None:
            raise ValueError("give position too: where the asperities stand on the map")
        return found
    place = np.asarray(position, float)
    if place.shape != (surface.size, 2):
        raise ValueError(
            f"position must have shape ({surface.size}, 2), x and y of each asperity; got "
            f"{place.shape}"
        )
    if not np.isfinite(place[a > 0]).all():
        raise ValueError("position must be finite where an asperity touches")
    misfit = below = None
    if height_map is not None:
        misfit, below = _on_map(height_map, place, height, radius, found)
    return UnderLoad(found.load, delta, a, share, _crowding(place, a), misfit, below)


def _largest(
    surface: Asperities, law: FrictionCurve | InteractingContacts
) -> tuple[float, Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """The largest load, and indentation and radius of each contact at it."""
    curve = law.curve if isinstance(law, InteractingContacts) else law
    loads = np.asarray(curve.load, float)
    if loads.ndim != 1 or np.ndim(surface.height) != 1:
        raise ValueError("one surface and one law are looked at; take one member of the batch")
    used = np.ones(surface.size, bool) if surface.mask is None else np.asarray(surface.mask)
    height, radius = (np.asarray(x, float) for x in (surface.height, surface.radius))
    last = int(np.argmax(loads))
    if isinstance(law, InteractingContacts):
        # a² = R' δ: with R in place of R', which neighbours change little, for the look at a map
        a = np.asarray(law.radius, float)[last]
        return float(loads[last]), np.where(used, a**2 / np.where(used, radius, 1.0), 0.0), a
    gap = np.where(used, height[used].max() - height, np.inf)
    delta = np.maximum(float(np.asarray(curve.indentation)[last]) - gap, 0.0)
    a = np.sqrt(np.where(used, radius, 0.0) * delta)
    area, own = float(np.asarray(curve.area)[last]), math.pi * float((a**2).sum())
    same = SAME if surface.height.dtype == np.float64 else SAME_SINGLE
    if not abs(area - own) <= same * own:
        raise ValueError(
            f"the area of the curve is {area:.6g} m², and that of these asperities at its "
            f"indentation {own:.6g} m²: give the law that friction_law gives of them; for contacts "
            "that see each other give what interacting_contacts returns"
        )
    return float(loads[last]), delta, a


def _crowding(place: np.ndarray, a: np.ndarray) -> Float64[np.ndarray, " n"]:
    """Radii over the distance to the nearest that touches."""
    on = np.flatnonzero(a > 0)
    crowding = np.zeros(a.shape)
    for rows in np.split(on, range(_CHUNK, on.size, _CHUNK)):
        away = np.hypot(*(place[rows, None, i] - place[None, on, i] for i in (0, 1)))
        away[rows[:, None] == on[None, :]] = np.inf
        # Two asperities in one place are as crowded as can be
        with np.errstate(divide="ignore"):
            crowding[rows] = a[rows] / away.min(-1)
    return crowding


def _on_map(
    level: HeightMap, place: np.ndarray, height: np.ndarray, radius: np.ndarray, found: UnderLoad
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Whether the map departs from the sphere under each contact, and whether it can tell."""
    step = np.array([level.dx, level.dy])
    below = found.touching & (found.radius < step.max())
    misfit = np.zeros(below.shape, bool)
    for i in np.flatnonzero(found.touching & ~below):
        a, delta = found.radius[i], found.indentation[i]
        first = np.maximum(np.ceil((place[i] - a) / step), 0).astype(int)
        after = np.floor((place[i] + a) / step).astype(int) + 1
        patch = level.height[first[1] : after[1], first[0] : after[0]]
        y, x = (step[k] * (first[k] + np.arange(patch.shape[1 - k])) - place[i, k] for k in (1, 0))
        r2 = y[:, None] ** 2 + x[None, :] ** 2
        inside = (r2 <= a**2) & np.isfinite(patch)
        off = (patch - height[i] + r2 / (2 * radius[i]))[inside]
        misfit[i] = off.size > 0 and np.sqrt(np.mean(off**2)) > MISFIT * delta
    return misfit, below
