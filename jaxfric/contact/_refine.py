"""Least squares on the asperities of one surface: the last step of every design."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._curve import FrictionCurve, friction_law, gaps
from jaxfric.contact._least_squares import Limits, Problem, minimise, try_neighbours
from jaxfric.contact._metrics import smape
from jaxfric.contact._targets import check_target
from jaxfric.contact._types import Vector

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
            f"  {self.load.shape[0]} loads to {float(jnp.max(self.load)):.4g} N, sMAPE "
            f"{float(self.error):.3g} %\n"
            f"  {int(jnp.max(self.curve.contact_count))} contacts, pressed in by up to "
            f"{float(self.indentation_ratio):.3g} of a radius\n"
            f"  {self.status}"
        )


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
    steps: int = 30,
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
    if radii not in RADII:
        raise ValueError(f"radii must be one of {', '.join(RADII)}; got {radii!r}")
    if surface.exponent is not None:
        raise ValueError("refine designs spheres; leave exponent out")
    dtype = surface.height.dtype
    loads, target = check_target(loads, target)
    loads, target = loads.astype(dtype), target.astype(dtype)
    low, high = _radius_bounds(surface, radius_bounds)
    deepest = math.inf if max_height is None else max_height
    for name, value in (("max_height", max_height), ("quantum", quantum)):
        if value is not None:
            _checks.positive(name, value)
    if max_indentation is not None:
        _checks.positive("max_indentation", max_indentation)
    box = _Box(low, high, deepest, quantum, max_indentation)
    return _refine(surface, material, loads, target, box, radii, max(steps, 0), fit_loads)


def _radius_bounds(
    surface: Asperities, bounds: tuple[float, float] | None
) -> tuple[Array | float, Array | float]:
    if bounds is None:
        R = jnp.where(surface.used, surface.radius, surface.radius[jnp.argmax(surface.used)])
        return jax.lax.stop_gradient(jnp.min(R) / 2), jax.lax.stop_gradient(jnp.max(R) * 2)
    low, high = bounds
    if _checks.is_concrete(bounds) and not 0 < low <= high < math.inf:
        raise ValueError(f"radius_bounds must be (low, high) with 0 < low <= high; got {bounds}")
    return low, high


class _Box(NamedTuple):
    low: Any
    high: Any
    deepest: Any
    quantum: Any
    indentation: Any


@eqx.filter_jit
def _refine(surface, material, loads, target, box, radii, steps, fit_loads):  # type: ignore[no-untyped-def]
    n, dtype = surface.size, surface.height.dtype
    low, high, deepest = (jnp.asarray(v).astype(dtype) for v in box[:3])
    used = surface.used
    gap = jnp.minimum(gaps(surface), deepest)
    R = jnp.where(used, surface.radius, jnp.sqrt(low * high))
    if radii == "common":
        R = jnp.full_like(R, jnp.mean(R, where=used))
    R = R if radii == "fixed" else jnp.clip(R, low, high)
    rows = _rows(loads, fit_loads)
    problem = Problem(material, loads[rows], target[rows], used, radii)
    scale = jnp.max(problem.indentation(gap, R))
    # inf / scale has no derivative
    bounded = jnp.isfinite(deepest)
    lowest = jnp.where(bounded, jnp.where(bounded, deepest, 1.0) / scale, jnp.inf)

    def limits(heights_free: Any, radii_free: bool) -> Limits:
        return Limits(
            jnp.concatenate([jnp.zeros(n, dtype), jnp.full(n, jnp.log(low))]),
            jnp.concatenate([jnp.full(n, lowest), jnp.full(n, jnp.log(high))]),
            jnp.concatenate([used & heights_free, used & radii_free]),
            scale,
            None if box.indentation is None else jnp.asarray(box.indentation).astype(dtype),
        )

    y = jnp.concatenate([gap / scale, jnp.log(R)])
    if box.quantum is None:
        y = minimise(problem, y, limits(True, radii != "fixed"), steps)
    else:
        quantum = jnp.asarray(box.quantum).astype(dtype) / scale
        y = _quantised(problem, y, limits, steps, quantum, scale, deepest)
    height = jnp.where(used, -y[:n] * scale, -jnp.max(jnp.where(used, y[:n], 0.0)) * scale)
    designed = Asperities(height, R if radii == "fixed" else jnp.exp(y[n:]), surface.mask)
    curve = friction_law(designed, material, loads)
    return Design(designed, material, target, curve, smape(curve.friction, target))


def _quantised(
    problem: Problem, y: Array, limits: Callable[[Any, bool], Limits], steps: int, quantum: Array,
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
        return neighbours(to_multiples(minimise(problem, y, limits(True, False), steps)))

    def stage(y: Array, k: Array) -> tuple[Array, None]:
        y = minimise(problem, y, limits(k == 0, True), steps)
        return jax.lax.switch(k, (to_multiples, neighbours, lambda y: y), y), None

    return jax.lax.scan(stage, y, jnp.arange(3))[0]


def _rows(loads: Array, count: int | None) -> Array:
    """Indices of the loads to fit; a zero load is moved to the largest."""
    m = loads.shape[0]
    rows = np.arange(m)
    if count is not None and count < m:
        spread = (np.linspace(0, 1, count) ** 2 * (m - 1)).round().astype(int)
        rows = np.maximum(spread, np.arange(count))
    chosen = jnp.asarray(rows)
    return jnp.where(loads[chosen] > 0, chosen, jnp.argmax(loads))
