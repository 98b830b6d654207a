"""Least squares on the asperities of one surface: the last step of every design."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxfric import programs
from jaxfric._status import Status
from jaxfric._types import Vector
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._curve import friction_law, gaps
from jaxfric.contact._designed import Design, own
from jaxfric.contact._least_squares import Limits, Problem, minimise, try_neighbours
from jaxfric.contact._metrics import smape
from jaxfric.contact._outcome import Outcome
from jaxfric.contact._request import FIT_LOADS, Box, Rows, Switch, TargetLaw
from jaxfric.contact._targets import check_target

STEPS = 30  # and the number that the program is compiled for, unless more are asked for


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
    max_approach: float | None = None,
    fit_loads: int | None = FIT_LOADS,
    steps: int = STEPS,
) -> Design:
    """Move the heights and radii of a surface until its friction law meets a target.

    Levenberg–Marquardt on r_j = 2 (F_j − T_j)/(F_j + T_j) over the depths below the highest
    asperity, in [0, max_height], and ln R, within bounds by projection. The normal equations are
    solved in the space of the loads, (J D Jᵀ + λ) y = r, which is small; D = 1/√diag(JᵀJ), less for
    depths when the law is near.

    Arguments:
        surface: asperities to start from; those that never touch have no say and stay, and so do
            exponents.
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
        max_approach: how deep the highest asperity may be pressed in at the largest load, m, to
            within a few parts in a thousand: the room that a part has above its block. Free if left
            out.
        fit_loads: how many of the loads least squares looks at, denser towards the small ones,
            where single contacts are made; None takes all.
        steps: iterations.

    Returns:
        `Design`; without `quantum`, `max_indentation` and `max_approach`, the sum of
        squares is never above that of the start once it is put inside the bounds.

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
    dtype = surface.height.dtype
    loads, target = (as_array(x, dtype) for x in check_target(loads, target))
    bounds = _around(surface) if radius_bounds is None else radius_bounds
    box = Box.of(dtype, radii, bounds, max_height, quantum, max_indentation, max_approach)
    rows = Rows.of(loads.shape[0], fit_loads, loads.shape[0], dtype)
    law = TargetLaw(material.cast(dtype), loads, target)
    # The number of steps is data, and only its bound is compiled in
    return _refine(surface, law, box, rows, np.asarray(max(steps, 0), np.int32), max(steps, STEPS))


@programs.program
def _around(surface: Asperities) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Half the smallest to twice the largest radius."""
    R = jnp.where(surface.used, surface.radius, surface.radius[jnp.argmax(surface.used)])
    # Bounds are settings: a gradient with respect to the start does not move them
    return jax.lax.stop_gradient(jnp.min(R) / 2), jax.lax.stop_gradient(jnp.max(R) * 2)


def moved(
    surface: Asperities, law: TargetLaw, box: Box, rows: Rows, steps: Int[Array, ""], most: int
) -> Design:
    """What `refine` does, in terms of arrays; `most` bounds the number of steps."""
    material, loads, target = law
    n, dtype = surface.size, surface.height.dtype
    used = surface.used
    # Put inside the box, which the steps then never leave; what is masked needs some radius
    gap = jnp.minimum(gaps(surface), box.deepest)
    R = jnp.where(used, surface.radius, jnp.sqrt(box.low * box.high))
    if box.radii == "common":
        R = jnp.full_like(R, jnp.mean(R, where=used))
    R = R if box.radii == "fixed" else jnp.clip(R, box.low, box.high)
    # A zero load is moved to the largest: its friction is 0 for any surface, and the relative error
    # of two zeros has no value
    chosen = jnp.asarray(rows.load_index)
    chosen = jnp.where(loads[chosen] > 0, chosen, jnp.argmax(loads))
    problem = Problem(
        material=material, loads=loads[chosen], target=target[chosen],
        weight=jnp.asarray(rows.weight), used=used, approach=box.approach,
        exponent=surface.exponent, radii=box.radii,
    )  # fmt: skip
    # Depths in units of the deepest indentation are numbers of order one, as ln R is
    scale = jnp.max(problem.indentation(gap, R))
    # inf / scale has no derivative
    bounded = jnp.isfinite(box.deepest)
    lowest = jnp.where(bounded, jnp.where(bounded, box.deepest, 1.0) / scale, jnp.inf)

    def least_squares(
        y: Float[Array, " variables"], heights_free: Switch, radii_free: Switch
    ) -> Float[Array, " variables"]:
        limits = Limits(
            low=jnp.concatenate([jnp.zeros(n, dtype), jnp.full(n, jnp.log(box.low))]),
            high=jnp.concatenate([jnp.full(n, lowest), jnp.full(n, jnp.log(box.high))]),
            free=jnp.concatenate([used & heights_free, used & radii_free]),
            scale=scale,
            indentation=box.indentation,
        )
        return minimise(problem, y, limits, steps, most)

    y = jnp.concatenate([gap / scale, jnp.log(R)])
    if box.quantum is None:
        y = least_squares(y, True, box.radii != "fixed")
    else:
        y = _quantised(problem, y, least_squares, box.quantum / scale, scale, box.deepest)
    # Masked entries stand as deep as the deepest that counts
    height = jnp.where(used, -y[:n] * scale, -jnp.max(jnp.where(used, y[:n], 0.0)) * scale)
    # Fixed radii are handed back as they came: exp(ln R) would round them
    R = R if box.radii == "fixed" else jnp.exp(y[n:])
    designed = Asperities(height, R, surface.mask, surface.exponent)
    curve = friction_law(designed, material, loads)
    wanted = jnp.all(jnp.isfinite(target) & ((target > 0) | ~(loads > 0)))
    status = curve.status.or_else(Status.first(Outcome, (~wanted, Outcome.bad_target)))
    curve = eqx.tree_at(lambda c: c.status, curve, status)
    return Design(
        designed, material, target, curve, smape(curve.friction, target),
        max_indentation=own(box.indentation), max_approach=own(box.approach),
    )  # fmt: skip


_refine = programs.program(moved)


def _quantised(
    problem: Problem,
    y: Float[Array, " variables"],
    least_squares: Callable[[Array, Switch, Switch], Array],
    quantum: Float[Array, ""],
    scale: Float[Array, ""],
    deepest: Float[Array, ""],
) -> Float[Array, " variables"]:
    """All free, then heights at multiples of the quantum; radii again before and after neighbours.

    The stages are one loop, as each copy of the least squares takes seconds to compile.
    """
    n = y.shape[0] // 2
    # Whole quanta above the deepest height allowed: rounding may not pass the limit
    most = jnp.floor(deepest / scale / quantum)

    def to_multiples(y: Float[Array, " variables"]) -> Float[Array, " variables"]:
        return y.at[:n].set(jnp.minimum(jnp.round(y[:n] / quantum), most) * quantum)

    def neighbours(y: Float[Array, " variables"]) -> Float[Array, " variables"]:
        return try_neighbours(problem, y, quantum, most * quantum, scale)

    if problem.radii == "fixed":
        return neighbours(to_multiples(least_squares(y, True, False)))

    def stage(
        y: Float[Array, " variables"], k: Int[Array, ""]
    ) -> tuple[Float[Array, " variables"], None]:
        # 0: everything moves, then heights are rounded. 1: radii make up for the rounding, then
        # heights try their neighbours. 2: radii once more
        y = least_squares(y, k == 0, True)
        return jax.lax.switch(k, (to_multiples, neighbours, lambda y: y), y), None

    return jax.lax.scan(stage, y, jnp.arange(3))[0]
