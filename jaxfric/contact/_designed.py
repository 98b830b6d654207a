"""A surface that was designed for a friction law, and how near it comes."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric._show import printed
from jaxfric._status import Status
from jaxfric.contact._arrays import AnyArray
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._buckets import cut
from jaxfric.contact._curve import FrictionCurve
from jaxfric.contact._printing import MICRO, largest, numbers, span

MEETS = 0.3  # sMAPE in percent: a law that comes nearer than this to its target meets it
# Least squares stop this near to a limit: the approach is one more residual, and radii grow when
# they are more than a hundredth too small, which moves the indentation too
NEAR_APPROACH, NEAR_INDENTATION = 1.005, 1.02


class Design(eqx.Module):
    """A surface designed for a friction law.

    Attributes:
        surface: the asperities; the highest at height 0.
        material: as given.
        target: (m,), the wanted friction, N.
        curve: the `FrictionCurve` of the surface, at the loads of the target.
        error: sMAPE of its friction and the target over all loads, percent.
        max_indentation: largest δ/R that was allowed; None for any.
        max_approach: deepest indentation that was allowed, m; None for any.
    """

    surface: Asperities
    material: Material
    target: Float[Array, " m"]
    curve: FrictionCurve
    error: Float[Array, ""]
    max_indentation: Float[Array, ""] | None = None
    max_approach: Float[Array, ""] | None = None

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

    @property
    def approach(self) -> Float[Array, "*batch"]:
        """How deep the highest tip is pressed in at the largest load, m."""
        return jnp.max(self.curve.indentation, -1)

    @property
    def keeps_indentation(self) -> Bool[Array, "*batch"]:
        """True where `max_indentation` is kept, to within 2 % of it."""
        return within(self.indentation_ratio, self.max_indentation, NEAR_INDENTATION)

    @property
    def keeps_approach(self) -> Bool[Array, "*batch"]:
        """True where `max_approach` is kept, to within 0.5 % of it."""
        return within(self.approach, self.max_approach, NEAR_APPROACH)

    @property
    def usable(self) -> Bool[Array, "*batch"]:
        """True where the law meets its target and the limits on how deep tips are pressed in hold.

        That is: within 0.3 %, no tip sinks in by its radius, `max_indentation`, `max_approach`.
        """
        near = self.status.ok & (self.error < MEETS) & (self.indentation_ratio <= 1)
        return near & self.keeps_indentation & self.keeps_approach

    @property
    def verdict(self) -> str:
        """Whether the design (one, or several) is fit for use, and if not, why."""
        if not np.all(np.asarray(self.status.ok)):
            return str(self.status)
        error, ratio = (numbers(x) for x in (self.error, self.indentation_ratio))
        if error.ndim:
            return f"{int(np.sum(np.asarray(self.usable)))} of {error.size} are usable"
        faults = []
        if not error < MEETS:
            faults.append(f"misses its target by {error:.3g} % (met is within {MEETS} %)")
        if not ratio <= 1:
            faults.append(
                f"a tip is pressed in by {ratio:.3g} of its radius, far past small strain: Hertz' "
                "law does not hold there, nor what is computed from it"
            )
        elif self.max_indentation is not None and not self.keeps_indentation:
            faults.append(
                f"a tip is pressed in by {ratio:.3g} of its radius, more than the "
                f"{float(numbers(self.max_indentation)):.3g} that was allowed: allow larger radii "
                "or more asperities"
            )
        if self.max_approach is not None and not self.keeps_approach:
            faults.append(
                f"the highest tip is pressed in by {float(numbers(self.approach)) * MICRO:.4g} µm, "
                f"more than the {float(numbers(self.max_approach)) * MICRO:.4g} µm that was "
                "allowed: allow more or larger radii, or ask for less friction or less load"
            )
        return "; ".join(faults) or f"meets its target within {MEETS} %"

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
            f"  {self.verdict}"
        )


def within(
    value: Float[Array, "*batch"], limit: Float[Array, "*batch"] | None, factor: float
) -> Bool[Array, "*batch"]:
    """Whether a value keeps a limit, if there is one, up to a factor."""
    return jnp.ones(jnp.shape(value), bool) if limit is None else value <= factor * limit


def own(limit: Float[AnyArray, ""] | None) -> Float[Array, ""] | None:
    """A limit as it is kept in a design."""
    return None if limit is None else jnp.asarray(limit)


def unpadded(design: Design, count: int) -> Design:
    """A design, or several, without the loads that were added in front."""
    of_loads = [
        "load", "friction", "area", "indentation", "separation", "contact_count",
        "contact_radius", "indentation_ratio",
    ]  # fmt: skip
    curve = cut(design.curve, count, of_loads)
    return eqx.tree_at(lambda d: d.curve, cut(design, count, ("target",)), curve)
