"""Whether a friction law can be met: bounds that hold for every surface, and a trial."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import programs
from jaxfric._show import printed
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import RADIUS_BOUNDS, Asperities
from jaxfric.contact._buckets import bucket, cut, pad
from jaxfric.contact._curve import friction_law
from jaxfric.contact._designed import (
    MEETS,
    NEAR_APPROACH,
    NEAR_INDENTATION,
    Design,
    own,
    within,
)
from jaxfric.contact._metrics import smape
from jaxfric.contact._printing import MICRO, span
from jaxfric.contact._request import Box, TargetLaw
from jaxfric.contact._targets import friction_bounds


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
        approach: how deep that surface's highest tip is pressed in at the largest load, m.
        max_indentation: the most of a radius that was allowed; None for no limit.
        max_approach: the most that was allowed, m; None for no limit.
        feasible: True if the floor is below 0.3 %, no asperity is pressed in by its radius, and
            both are within their limits.
    """

    load: Float[Array, " m"]
    target: Float[Array, " m"]
    closest: Float[Array, " m"]
    low: Float[Array, " m"]
    high: Float[Array, " m"]
    bound_error: Float[Array, ""]
    floor: Float[Array, ""]
    indentation_ratio: Float[Array, ""]
    approach: Float[Array, ""]
    max_indentation: Float[Array, ""] | None
    max_approach: Float[Array, ""] | None
    feasible: Bool[Array, ""]

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        if np.ndim(self.floor):
            feasible = np.asarray(self.feasible)
            return (
                f"Feasibility: {feasible.sum()} of {feasible.size} targets feasible; designs are "
                f"predicted to come within {span(self.floor, '%', digits=3)}, pressed in by "
                f"{span(self.indentation_ratio, digits=3)} of a radius"
            )
        return "; ".join([self._verdict(), *self._reasons()])

    def _verdict(self) -> str:
        if bool(self.feasible):
            return f"feasible: a design within {float(self.floor):.2g} % is expected"
        return f"not feasible: a design comes within {float(self.floor):.3g} % of it"

    def _reasons(self) -> list[str]:
        P, T, low, high = (np.asarray(x) for x in (self.load, self.target, self.low, self.high))
        reasons = []
        below, above = T < low, high < T
        if below.any():
            factor = float(np.max(low[below] / T[below]))
            reasons.append(
                f"up to {P[below].max():.4g} N one sphere of the smallest radius makes more "
                f"friction than wanted (up to {factor:.3g} times): only a smaller radius, a "
                f"stiffer material or less shear strength helps{_units(factor)}"
            )
        if above.any():
            factor = float(np.max(T[above] / high[above]))
            reasons.append(
                f"from {P[above].min():.4g} N on more is wanted than all asperities of the largest "
                f"radius make together (up to {factor:.3g} times): more or blunter asperities, or "
                f"a softer material, help{_units(factor)}"
            )
        reasons += self._too_deep()
        # Neither bound, strain nor room forbids the law: what is left is its shape. The place named
        # is where the closest law is farthest off, relative to the target
        if float(self.floor) >= MEETS and not reasons:
            miss = np.abs(np.log(np.asarray(self.closest) / T))
            reasons.append(
                f"near {P[np.argmax(miss)]:.4g} N the law bends as no sum of Hertz contacts does "
                "within the limits set on radii, heights and indentation: its slope may jump up "
                "where contacts are made, but falls only slowly, as those made grow"
            )
        return reasons

    def _too_deep(self) -> list[str]:
        reasons = []
        if float(self.indentation_ratio) > 1:
            reasons.append(
                f"asperities would be pressed in by {float(self.indentation_ratio):.2g} of their "
                "radius, far past small strain: the friction wanted is too low for this shear "
                "strength over modulus, or too high for so few asperities"
            )
        elif not within(self.indentation_ratio, self.max_indentation, NEAR_INDENTATION):
            reasons.append(
                f"asperities would be pressed in by {float(self.indentation_ratio):.3g} of their "
                f"radius, and {float(np.asarray(self.max_indentation)):.3g} is allowed: allow "
                "more, larger radii, or more asperities"
            )
        if not within(self.approach, self.max_approach, NEAR_APPROACH):
            reasons.append(
                f"the highest tip would be pressed in by {float(self.approach) * MICRO:.4g} µm, "
                f"and the part leaves room for {float(np.asarray(self.max_approach)) * MICRO:.4g} "
                "µm: "
                "allow higher tips or larger radii, or ask for less friction or less load"
            )
        return reasons


def judge(law: TargetLaw, box: Box, trial: Design) -> Feasibility:
    """What a trial and the bounds say."""
    material, loads, target = law
    low, high = friction_bounds(trial.surface.size, material, loads, (box.low, box.high))
    # No surface passes the bounds, so none is nearer to the target than its projection on them ...
    inside = jnp.clip(target, low, high)
    bound = smape(inside, target)
    # ... and the closest law known is that projection only if the trial came as near
    closest = jnp.where(trial.error > bound, trial.friction, inside)
    floor = jnp.maximum(bound, trial.error)
    ratio = trial.indentation_ratio
    return Feasibility(
        load=loads, target=target, closest=closest, low=low, high=high, bound_error=bound,
        floor=floor, indentation_ratio=ratio, approach=trial.approach,
        max_indentation=trial.max_indentation, max_approach=trial.max_approach,
        feasible=(floor < MEETS) & (ratio <= 1) & trial.keeps_indentation & trial.keeps_approach,
    )  # fmt: skip


def judged(design: Design, *, radius_bounds: tuple[float, float] = RADIUS_BOUNDS) -> Feasibility:
    """Whether a law can be met, told by a design that was made for it in place of a trial.

    Arguments:
        design: one, from any search or generator.
        radius_bounds: that it was made with, m.

    Returns:
        `Feasibility`.

    Raises:
        ValueError: bounds that are none.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric import contact
        >>> start = contact.Asperities(-1e-6 * jnp.arange(32.0), jnp.full(32, 5e-4))
        >>> material, loads = contact.Material(1.4e6, 4e5), jnp.linspace(0.02, 1.0, 50)
        >>> found = contact.refine(start, material, loads, 1e-3 * loads)
        >>> bool(judged(found).feasible)
        False
    """
    dtype = design.surface.height.dtype
    count = np.shape(design.load)[0]
    limits = (design.max_indentation, design.max_approach)
    box = Box.of(dtype, "free", radius_bounds, None, None, *limits)
    loads, target = (as_array(pad(x, bucket(count)), dtype) for x in (design.load, design.target))
    law = TargetLaw(design.material, loads, target)
    told = _judged(law, box, design.surface)
    return cut(told, count, ("load", "target", "closest", "low", "high"))


@programs.program
def _judged(law: TargetLaw, box: Box, surface: Asperities) -> Feasibility:
    curve = friction_law(surface, law.material, jnp.asarray(law.loads))
    target = jnp.asarray(law.friction)
    error = smape(curve.friction, target)
    limits = (own(box.indentation), own(box.approach))
    return judge(law, box, Design(surface, law.material, target, curve, error, *limits))


def _units(factor: float) -> str:
    # So far off is more often a slip of units (mN, MPa) than a wish
    return ". Are loads and friction in newtons, modulus in pascals?" if factor > 50 else ""
