"""A surface that was designed for a friction law, and how near it comes."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric._show import printed
from jaxfric._status import Status
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._buckets import cut
from jaxfric.contact._curve import FrictionCurve
from jaxfric.contact._printing import largest, numbers, span


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

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        error, loads = numbers(self.error), self.load.shape[-1]
        if error.ndim:
            head = f"{error.size} designs: {self.surface}"
            errors = f"sMAPE {span(error, '%', digits=3)}"
        else:
            head = f"Design: {self.surface}"
            errors = f"sMAPE {float(error):.3g} %"
        return (
            f"{head}\n"
            f"  {loads} loads to {largest(self.load, 4)} N, {errors}\n"
            f"  {np.asarray(self.curve.contact_count).max()} contacts, pressed in by up to "
            f"{largest(self.curve.indentation_ratio)} of a radius\n"
            f"  {self.status}"
        )


def unpadded(design: Design, count: int) -> Design:
    """A design, or several, without the loads that were added in front."""
    of_loads = [
        "load", "friction", "area", "indentation", "separation", "contact_count",
        "contact_radius", "indentation_ratio",
    ]  # fmt: skip
    curve = cut(design.curve, count, of_loads)
    return eqx.tree_at(lambda d: d.curve, cut(design, count, ("target",)), curve)
