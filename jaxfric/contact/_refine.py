"""Least squares on the asperities of one surface: the last step of every design."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks, programs
from jaxfric._status import Status
from jaxfric._types import Vector
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._buckets import cut
from jaxfric.contact._curve import FrictionCurve, friction_law, gaps
from jaxfric.contact._least_squares import Limits, Problem, minimise, try_neighbours
from jaxfric.contact._metrics import smape
from jaxfric.contact._targets import check_target

STEPS = 30  # and the number that the program is compiled for, unless more are asked for
FIT_LOADS = 48  # loads that least squares looks at, denser towards small ones
RADII = ("free", "common", "fixed")


class Design(eqx.Module):
    """A surface designed for a friction law.

    Attributes:
        surface: the asperities; the highest at height 0.
        material: as given.
        target: (m,), the wanted friction, N.
        curve: the `FrictionCurve` of the surface, at the loads of the target.
        error: sMAPE of its friction and the target over all loads, percent.
    """

    surface: Asperities
    material: Material
    target: Float[Array, " m"]
    curve: FrictionCurve
    error: Float[Array, ""]

    @property
    def load(self) -> Float[Array, "*batch m"]:
        """(m,), N."""
        return self.curve.load

    @property
    def friction(self) -> Float[Array, "*batch m"]:
        """(m,), of the surface, N."""
        return self.curve.friction

    @property
    def status(self) -> Status:
        """Outcome of the friction law."""
        return self.curve.status

    @property
    def indentation_ratio(self) -> Float[Array, "*batch"]:
        """The deepest indentation over its radius; Hertz wants it small."""
        return jnp.max(self.curve.indentation_ratio, -1)

    def __str__(self) -> str:
        if isinstance(self.error, jax.core.Tracer):
            return "Design(traced)"
        if np.ndim(self.error):
            return f"{self.error.shape[0]} designs, sMAPE {np.asarray(self.error)} %"
        return (
            f"Design: {self.surface}\n"
            f"  {self.load.shape[0]} loads to {np.asarray(self.load).max():.4g} N, sMAPE "
            f"{float(self.error):.3g} %\n"
            f"  {np.asarray(self.curve.contact_count).max()} contacts, pressed in by up to "
            f"{np.asarray(self.curve.indentation_ratio).max():.3g} of a radius\n"
            f"  {self.status}"
        )


def unpadded(design: Design, count: int) -> Design:
    """A design, or several, without the loads that were added in front."""
    of_loads = [
        "load", "friction", "area", "indentation", "separation", "contact_count",
        "contact_radius", "indentation_ratio",
    ]  # fmt: skip
    curve = cut(design.curve, count, *of_loads)
    return eqx.tree_at(lambda d: d.curve, cut(design, count, "target"), curve)


def refine(
    surface: Asperities,
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    radii: str = "free",
    radius_bounds: tuple[float, float] | None = None,
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    fit_loads: int | None = FIT_LOADS,
    steps: int = STEPS,
) -> Design:
    """Move the heights and radii of a surface until its friction law meets a target.

    Levenberg–Marquardt on r_j = 2 (F_j − T_j)/(F_j + T_j) over the depths below the highest
    asperity, in [0, max_height], and ln R, within bounds by projection. The normal equations are
    solved in the space of the loads, (J D Jᵀ + λ) y = r, which is small; D = 1/√diag(JᵀJ), less for
    depths when the law is near.

    Arguments:
        surface: spheres to start from; those that never touch have no say and stay.
        material: modulus and friction.
        loads: (m,), N, >= 0.
        target: (m,), the wanted friction at each load, N.
        radii: "free", "common" (one for all, the mean of the start) or "fixed".
        radius_bounds: m; half the smallest to twice the largest of the start, if left out.
        max_height: greatest difference of heights, m; free if left out.
        quantum: heights become multiples of this (the resolution of a machine), m; the radii,
            unless fixed, are then fitted again, and heights tried one quantum up and down.
        max_indentation: largest δ/R at the largest load: radii grow until it holds, as far as
            their bounds allow; small strain wants it well below 1. Free if left out.
        fit_loads: how many of the loads least squares looks at, denser towards the small ones,
            where single contacts are made; None takes all.
        steps: iterations.

    Returns:
        `Design`; without `quantum` and `max_indentation`, the sum of squares is never above that of
        the start once it is put inside the bounds.

    Raises:
        ValueError: shapes, an unknown option, or (concrete) bad values, with the remedy.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> start = Asperities(-1e-6 * jnp.arange(32.0), jnp.full(32, 5e-4))
        >>> material = Material(modulus=1.4e6, shear_strength=4e5)
        >>> loads = jnp.linspace(0.02, 1.0, 50)
        >>> design = refine(start, material, loads, 1.5 * loads, radius_bounds=(1e-4, 1e-3))
        >>> bool(design.error < 1.0)
        True

    Source: K. Levenberg, Q. Appl. Math. 2 (1944) 164; D. W. Marquardt, SIAM J. 11 (1963) 431.
    """
    if surface.exponent is not None:
        raise ValueError("refine designs spheres; leave exponent out")
    dtype = surface.height.dtype
    loads, target = (as_array(x, dtype) for x in check_target(loads, target))
    bounds = _around(surface) if radius_bounds is None else radius_bounds
    box = Box.of(dtype, radii, bounds, max_height, quantum, max_indentation)
    rows = Rows.of(loads.shape[0], fit_loads, loads.shape[0], dtype)
    return _refine(
        surface, material.cast(dtype), loads, target, box, rows,
        np.asarray(max(steps, 0), np.int32), max(steps, STEPS),
    )  # fmt: skip


class Box(eqx.Module):
    """What a design may be; arrays, so that one program serves other limits too."""

    low: Any  # radii, m
    high: Any
    deepest: Any  # m
    quantum: Any  # m; None for any height
    indentation: Any  # over the radius; None for any
    radii: str = eqx.field(static=True)

    @staticmethod
    def of(
        dtype: Any, radii: str, radius_bounds: tuple[Any, Any], max_height: Any, quantum: Any,
        max_indentation: Any,
    ) -> "Box":  # fmt: skip
        """Checked, or a sentence that says what is wrong."""
        if radii not in RADII:
            raise ValueError(f"radii must be one of {', '.join(RADII)}; got {radii!r}")
        low, high = radius_bounds
        if _checks.is_concrete(radius_bounds) and not 0 < low <= high < math.inf:
            raise ValueError(
                f"radius_bounds must be (low, high) with 0 < low <= high; got {radius_bounds}"
            )
        wishes = {
            "max_height": max_height, "quantum": quantum, "max_indentation": max_indentation,
        }  # fmt: skip
        for name, value in wishes.items():
            if value is not None:
                _checks.positive(name, value)
        return Box(
            as_array(low, dtype), as_array(high, dtype),
            as_array(math.inf if max_height is None else max_height, dtype),
            None if quantum is None else as_array(quantum, dtype),
            None if max_indentation is None else as_array(max_indentation, dtype),
            radii,
        )  # fmt: skip

    def unrounded(self) -> "Box":
        """The same without the quantum of heights."""
        return Box(self.low, self.high, self.deepest, None, self.indentation, self.radii)


class Rows(NamedTuple):
    """Which of the loads least squares looks at, and the weight of each."""

    index: Any
    weight: Any

    @staticmethod
    def of(count: int, wanted: int | None, size: int, dtype: Any) -> "Rows":
        """Some of the last `count` of `size` loads; as many entries for any count."""
        rows = np.arange(count)
        if wanted is not None and wanted < count:
            spread = (np.linspace(0, 1, wanted) ** 2 * (count - 1)).round().astype(int)
            rows = np.maximum(spread, np.arange(wanted))
        rest = (size if wanted is None else min(wanted, size)) - rows.size
        index = np.concatenate([np.full(rest, size - 1), rows + size - count])
        return Rows(index, np.concatenate([np.zeros(rest), np.ones(rows.size)]).astype(dtype))


@programs.program
def _around(surface: Asperities) -> tuple[Array, Array]:
    """Half the smallest to twice the largest radius."""
    R = jnp.where(surface.used, surface.radius, surface.radius[jnp.argmax(surface.used)])
    return jax.lax.stop_gradient(jnp.min(R) / 2), jax.lax.stop_gradient(jnp.max(R) * 2)


def moved(
    surface: Asperities, material: Material, loads: Array, target: Array, box: Box, rows: Rows,
    steps: Array, most: int,
) -> Design:  # fmt: skip
    """What `refine` does, in terms of arrays; `most` bounds the number of steps."""
    n, dtype = surface.size, surface.height.dtype
    used = surface.used
    gap = jnp.minimum(gaps(surface), box.deepest)
    R = jnp.where(used, surface.radius, jnp.sqrt(box.low * box.high))
    if box.radii == "common":
        R = jnp.full_like(R, jnp.mean(R, where=used))
    R = R if box.radii == "fixed" else jnp.clip(R, box.low, box.high)
    # A zero load is moved to the largest
    chosen = jnp.asarray(rows.index)
    chosen = jnp.where(loads[chosen] > 0, chosen, jnp.argmax(loads))
    problem = Problem(material, loads[chosen], target[chosen], rows.weight, used, box.radii)
    scale = jnp.max(problem.indentation(gap, R))
    # inf / scale has no derivative
    bounded = jnp.isfinite(box.deepest)
    lowest = jnp.where(bounded, jnp.where(bounded, box.deepest, 1.0) / scale, jnp.inf)

    def least_squares(y: Array, heights_free: Any, radii_free: bool) -> Array:
        limits = Limits(
            jnp.concatenate([jnp.zeros(n, dtype), jnp.full(n, jnp.log(box.low))]),
            jnp.concatenate([jnp.full(n, lowest), jnp.full(n, jnp.log(box.high))]),
            jnp.concatenate([used & heights_free, used & radii_free]),
            scale,
            box.indentation,
        )
        return minimise(problem, y, limits, steps, most)

    y = jnp.concatenate([gap / scale, jnp.log(R)])
    if box.quantum is None:
        y = least_squares(y, True, box.radii != "fixed")
    else:
        y = _quantised(problem, y, least_squares, box.quantum / scale, scale, box.deepest)
    height = jnp.where(used, -y[:n] * scale, -jnp.max(jnp.where(used, y[:n], 0.0)) * scale)
    designed = Asperities(height, R if box.radii == "fixed" else jnp.exp(y[n:]), surface.mask)
    curve = friction_law(designed, material, loads)
    return Design(designed, material, target, curve, smape(curve.friction, target))


_refine = programs.program(moved)


def _quantised(
    problem: Problem, y: Array, least_squares: Callable[[Array, Any, bool], Array], quantum: Array,
    scale: Array, deepest: Array,
) -> Array:  # fmt: skip
    """All free, then heights at multiples of the quantum; radii again before and after neighbours.

    The stages are one loop, as each copy of the least squares takes seconds to compile.
    """
    n = y.shape[0] // 2
    most = jnp.floor(deepest / scale / quantum)

    def to_multiples(y: Array) -> Array:
        return y.at[:n].set(jnp.minimum(jnp.round(y[:n] / quantum), most) * quantum)

    def neighbours(y: Array) -> Array:
        return try_neighbours(problem, y, quantum, most * quantum, scale)

    if problem.radii == "fixed":
        return neighbours(to_multiples(least_squares(y, True, False)))

    def stage(y: Array, k: Array) -> tuple[Array, None]:
        y = least_squares(y, k == 0, True)
        return jax.lax.switch(k, (to_multiples, neighbours, lambda y: y), y), None

    return jax.lax.scan(stage, y, jnp.arange(3))[0]
