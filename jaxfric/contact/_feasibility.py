"""Whether a friction law can be met: bounds that hold for every surface, and a trial."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric._show import printed
from jaxfric.contact._designed import Design
from jaxfric.contact._metrics import smape
from jaxfric.contact._printing import span
from jaxfric.contact._request import Box, TargetLaw
from jaxfric.contact._targets import friction_bounds

MEETS = 0.3  # sMAPE in percent: a law whose trial comes below is called feasible


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
        if float(self.indentation_ratio) > 1:
            reasons.append(
                f"asperities would be pressed in by {float(self.indentation_ratio):.2g} of their "
                "radius, far past small strain: the friction wanted is too low for this shear "
                "strength over modulus, or too high for so few asperities"
            )
        # Neither bound nor strain forbids the law: what is left is its shape. The place named is
        # where the closest law is farthest off, relative to the target
        if float(self.floor) >= MEETS and not reasons:
            miss = np.abs(np.log(np.asarray(self.closest) / T))
            reasons.append(
                f"near {P[np.argmax(miss)]:.4g} N the law bends as no sum of Hertz contacts does "
                "within the limits set on radii, heights and indentation: its slope may jump up "
                "where contacts are made, but falls only slowly, as those made grow"
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
        floor=floor, indentation_ratio=ratio, feasible=(floor < MEETS) & (ratio <= 1),
    )  # fmt: skip


def _units(factor: float) -> str:
    # So far off is more often a slip of units (mN, MPa) than a wish
    return ". Are loads and friction in newtons, modulus in pascals?" if factor > 50 else ""
