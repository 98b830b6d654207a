"""Whether a friction law can be met: bounds that hold for every surface, and a trial."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric.contact._asperities import Material
from jaxfric.contact._metrics import smape
from jaxfric.contact._refine import Box, Design
from jaxfric.contact._targets import friction_bounds

MEETS = 0.3  # percent: a law whose trial comes below is called feasible


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


def judge(material: Material, loads: Array, target: Array, box: Box, trial: Design) -> Feasibility:
    """What a trial and the bounds say."""
    low, high = friction_bounds(trial.surface.size, material, loads, (box.low, box.high))
    inside = jnp.clip(target, low, high)
    bound = smape(inside, target)
    closest = jnp.where(trial.error > bound, trial.friction, inside)
    floor = jnp.maximum(bound, trial.error)
    ratio = trial.indentation_ratio
    return Feasibility(
        loads, target, closest, low, high, bound, floor, ratio, (floor < MEETS) & (ratio <= 1)
    )


def _units(factor: float) -> str:
    return ". Are loads and friction in newtons, modulus in pascals?" if factor > 50 else ""
