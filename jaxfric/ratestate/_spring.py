"""The loading spring, per unit normal stress."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxfric import _checks, _show
from jaxfric._types import Number


class Spring(eqx.Module):
    """Compliant loading of a slider: μ + η V + m V' = k (x_lp − x), all per unit normal stress.

    Arguments:
        stiffness: k/σ, 1/m, > 0.
        damping: radiation damping η/σ, s/m, >= 0.
        mass: m/σ, s²/m, >= 0; zero (or None) is the quasi-dynamic limit without inertia.

    Raises:
        ValueError: if a value is out of range or not finite.

    Example:
        >>> print(Spring(stiffness=50.0).damping)
        0.0
        >>> spring = Spring.from_stress(5e8, eta=5e6, mass=0.0, normal_stress=1e7)  # Pa/m, Pa s/m
        >>> print(spring.stiffness, spring.damping)
        50.0 0.5
    """

    stiffness: Number
    damping: Number
    mass: Number | None

    def __init__(self, stiffness: Number, damping: Number = 0.0, mass: Number | None = 0.0):
        _checks.positive("stiffness", stiffness)
        _checks.non_negative("damping", damping)
        if mass is not None:
            _checks.non_negative("mass", mass)
            # No inertia is another equation, not a small mass: it must be known when tracing.
            if _checks.is_concrete(mass) and np.asarray(mass) == 0:
                mass = None
        self.stiffness, self.damping, self.mass = stiffness, damping, mass

    @classmethod
    def from_stress(
        cls, K: Number, eta: Number = 0.0, mass: Number = 0.0, *, normal_stress: Number
    ) -> "Spring":
        """Spring of stiffness K (Pa/m), damping eta (Pa s/m) and mass (kg/m²) under σ (Pa)."""
        _checks.positive("normal_stress", normal_stress)
        return cls(K / normal_stress, eta / normal_stress, mass / normal_stress)

    @property
    def valid(self) -> Bool[Array, ""]:
        """False when traced values break the rules that concrete ones are raised for."""
        found = (jnp.asarray(self.stiffness) > 0) & (jnp.asarray(self.damping) >= 0)
        # A traced mass of zero divides by zero: the other equation was ruled out while tracing
        return found if self.mass is None else found & (jnp.asarray(self.mass) > 0)

    def __repr__(self) -> str:
        values: dict[str, tuple[object, str]] = {
            "stiffness": (self.stiffness, "1/m"),
            "damping": (self.damping, "s/m"),
        }
        if self.mass is not None:
            values["mass"] = (self.mass, "s²/m")
        return _show.fields("Spring", values)
