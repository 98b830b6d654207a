"""From a wanted friction law to asperities: the nearest of a bank, then least squares."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import _checks
from jaxfric.contact._asperities import Material
from jaxfric.contact._bank import Bank, nearest
from jaxfric.contact._metrics import smape
from jaxfric.contact._refine import Design, refine
from jaxfric.contact._targets import check_target, friction_bounds
from jaxfric.contact._types import Vector

RADIUS_BOUNDS = (1e-4, 1e-3)
MEETS = 0.3  # percent: a law whose trial comes below is called feasible


def design(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    bank: Bank,
    starts: int = 16,
    finalists: int = 4,
    radius_bounds: tuple[float, float] = RADIUS_BOUNDS,
    steps: int = 12,
    **options: Any,
) -> Design:
    """The best of several designs for a friction law, each from its own start.

    The `starts` surfaces of the bank whose laws are nearest in shape are refined on some of the
    loads, the `finalists` best of them on all.

    Arguments:
        material: modulus and friction; shear_strength > 0.
        loads: (m,), N, >= 0, increasing.
        target: (m,), the wanted friction, N, increasing.
        bank: from `make_bank`, which sets the number of asperities.
        starts: how many of the bank are refined.
        finalists: how many of those on all loads.
        radius_bounds: m.
        steps: iterations of each of the two stages.
        options: of `refine`: radii, max_height, quantum, max_indentation.

    Returns:
        `Design`; jit it, vmap it over targets.

    Raises:
        ValueError: shapes, or (concrete) a target that is no friction law.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> material, loads = Material(1.4e6, 1e5), jnp.linspace(0.02, 1.0, 50)
        >>> from jaxfric.contact import make_bank
        >>> bank = make_bank(2048, key=jax.random.key(0))
        >>> found = design(material, loads, 0.6 * loads, bank=bank, starts=4)
        >>> bool(found.error < 0.5)
        True
    """
    found = designs(
        material, loads, target, bank=bank, starts=starts, finalists=finalists,
        radius_bounds=radius_bounds, steps=steps, **options,
    )  # fmt: skip
    return jax.tree_util.tree_map(lambda x: x[0], found)


def designs(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    bank: Bank,
    starts: int = 16,
    finalists: int = 4,
    radius_bounds: tuple[float, float] = RADIUS_BOUNDS,
    steps: int = 12,
    **options: Any,
) -> Design:
    """As `design`, but every finalist, the best first: a leading axis of `finalists`."""
    _checks.positive("shear_strength", material.shear_strength)
    loads, target = check_target(loads, target)
    if _checks.is_concrete(loads) and (np.diff(np.asarray(loads)) <= 0).any():
        raise ValueError("loads must increase; sort the target by load")
    if not 1 <= finalists <= starts:
        raise ValueError(f"finalists must be 1 to starts = {starts}; got {finalists}")
    if starts > bank.load.shape[0]:
        raise ValueError(f"starts = {starts}, but the bank holds {bank.load.shape[0]} laws")
    return _designs(material, loads, target, bank, starts, finalists, radius_bounds, steps, options)


@eqx.filter_jit
def _designs(  # type: ignore[no-untyped-def]
    material, loads, target, bank, starts, finalists, radius_bounds, steps, options
):
    surfaces = nearest(bank, material, loads, target, starts, radius_bounds)
    quick = {k: v for k, v in options.items() if k != "quantum"}

    def first(surface):  # type: ignore[no-untyped-def]
        return refine(
            surface, material, loads, target, radius_bounds=radius_bounds, steps=steps, **quick
        )

    def last(surface):  # type: ignore[no-untyped-def]
        return refine(
            surface, material, loads, target, radius_bounds=radius_bounds, steps=steps,
            fit_loads=None, **options,
        )  # fmt: skip

    found = jax.vmap(first)(surfaces)
    best = jnp.argsort(jnp.where(jnp.isfinite(found.error), found.error, jnp.inf))[:finalists]
    found = jax.vmap(last)(jax.tree_util.tree_map(lambda x: x[best], found.surface))
    order = jnp.argsort(jnp.where(jnp.isfinite(found.error), found.error, jnp.inf))
    return jax.tree_util.tree_map(lambda x: x[order], found)


class Feasibility(eqx.Module):
    """What `feasibility` returns.

    Attributes:
        load: (m,), N.
        target: (m,), N.
        closest: (m,), the closest law that was found, N.
        low, high: (m,), bounds that no surface passes, N.
        bound_error: sMAPE of the target against itself put inside the bounds, percent.
        floor: the error that a design is predicted to reach, percent.
        indentation_ratio: the deepest indentation of that law's surface over its radius.
        feasible: True if the floor is below 0.3 % and no asperity is pressed in by its radius.
    """

    load: Float[Array, " m"]
    target: Float[Array, " m"]
    closest: Float[Array, " m"]
    low: Float[Array, " m"]
    high: Float[Array, " m"]
    bound_error: Float[Array, ""]
    floor: Float[Array, ""]
    indentation_ratio: Float[Array, ""]
    feasible: Bool[Array, ""]

    def __str__(self) -> str:
        if isinstance(self.floor, jax.core.Tracer) or np.ndim(self.floor):
            return "Feasibility(traced or batch)"
        P, T = np.asarray(self.load), np.asarray(self.target)
        reasons = []
        below, above = T < np.asarray(self.low), np.asarray(self.high) < T
        if below.any():
            factor = float(np.max(np.asarray(self.low)[below] / T[below]))
            reasons.append(
                f"up to {P[below].max():.4g} N one sphere of the smallest radius makes more "
                f"friction than wanted (up to {factor:.3g} times): only a smaller radius, a "
                f"stiffer material or less shear strength helps{_units(factor)}"
            )
        if above.any():
            factor = float(np.max(T[above] / np.asarray(self.high)[above]))
            reasons.append(
                f"from {P[above].min():.4g} N on more is wanted than all asperities of the largest "
                f"radius make together (up to {factor:.3g} times): more or blunter asperities, or "
                f"a softer material, help{_units(factor)}"
            )
        if float(self.indentation_ratio) > 1:
            reasons.append(
                f"asperities would be pressed in by {float(self.indentation_ratio):.2g} of their "
                "radius, far past small strain: the friction wanted is too low for this shear "
                "strength over modulus, or too high for so few asperities"
            )
        if float(self.floor) >= MEETS and not reasons:
            miss = np.abs(np.log(np.asarray(self.closest) / T))
            reasons.append(
                f"near {P[np.argmax(miss)]:.4g} N the law bends as no sum of Hertz contacts does "
                "within the limits set on radii, heights and indentation: its slope may jump up "
                "where contacts are made, but falls only slowly, as those made grow"
            )
        head = (
            f"feasible: a design within {float(self.floor):.2g} % is expected"
            if bool(self.feasible)
            else f"not feasible: a design comes within {float(self.floor):.3g} % of it"
        )
        return "; ".join([head, *reasons])


def feasibility(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    bank: Bank,
    radius_bounds: tuple[float, float] = RADIUS_BOUNDS,
    **options: Any,
) -> Feasibility:
    """Whether a friction law can be met, why not, how near one comes, and the closest law.

    Two bounds hold for every surface (see `friction_bounds`): one sphere of the smallest radius,
    and all of the largest. A law inside them may still bend as no sum of contacts can; that is
    told by a trial, a search with a quarter of the work, whose law is the closest on offer.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, > 0, increasing.
        target: (m,), N, increasing.
        bank: from `make_bank`, which sets the number of asperities.
        radius_bounds: m.
        options: of `refine`: radii, max_height, quantum, max_indentation.

    Returns:
        `Feasibility`; `print` says it in words.

    Raises:
        ValueError: shapes, or (concrete) a target that is no friction law.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> material, loads = Material(1.4e6, 1e5), jnp.linspace(0.01, 1.0, 64)
        >>> from jaxfric.contact import make_bank
        >>> bank = make_bank(2048, key=jax.random.key(0))
        >>> bool(feasibility(material, loads, 1e-3 * loads, bank=bank).feasible)
        False
    """
    loads, target = check_target(loads, target)
    n = bank.asperities
    low, high = friction_bounds(n, material, loads, radius_bounds)
    inside = jnp.clip(target, low, high)
    trial = designs(
        material, loads, target, bank=bank, radius_bounds=radius_bounds,
        starts=min(8, bank.load.shape[0]), finalists=1, steps=8, **options,
    )  # fmt: skip
    error = trial.error[0]
    bound = smape(inside, target)
    closest = jnp.where(error > bound, trial.friction[0], inside)
    floor = jnp.maximum(bound, error)
    ratio = trial.indentation_ratio[0]
    return Feasibility(
        loads, target, closest, low, high, bound, floor, ratio, (floor < MEETS) & (ratio <= 1)
    )


def _units(factor: float) -> str:
    return ". Are loads and friction in newtons, modulus in pascals?" if factor > 50 else ""
