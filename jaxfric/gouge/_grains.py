"""Grains, and layers of them between two rough walls."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxfric import _checks
from jaxfric._show import printed, shown
from jaxfric._types import Number, Numbers

FREE, BOTTOM, TOP = 0, 1, 2  # what a disc of a layer belongs to: none of the walls, or one of them


class Grains(eqx.Module):
    """Round grains in a plane.

    Discs have the mass ρπR² and the inertia ½mR², a metre of thickness; spheres, whose centres move
    in the plane, 4/3 ρπR³ and 2/5 mR².

    Arguments:
        position: (n, 2), m.
        radius: (n,), m, > 0.
        velocity: (n, 2), m/s; at rest if left out.
        spin: (n,), angular velocity, rad/s, counter-clockwise; none if left out.
        density: kg/m³, > 0.
        spheres: whether they are spheres.

    Raises:
        ValueError: shapes that do not agree, or a (concrete) number out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> two = Grains(jnp.array([[0.0, 0.0], [1.0, 0.0]]), jnp.array([0.5, 0.5]), density=1.0)
        >>> print(two.mass.round(4))
        [0.7854 0.7854]
        >>> print(two.inertia.round(4))
        [0.0982 0.0982]
    """

    position: Float[Array, "n 2"]
    radius: Float[Array, " n"]
    velocity: Float[Array, "n 2"]
    spin: Float[Array, " n"]
    density: Float[Array, ""]
    spheres: bool = eqx.field(static=True)

    def __init__(
        self,
        position: Numbers | Sequence[Sequence[float]],
        radius: Numbers | Sequence[float],
        velocity: Numbers | Sequence[Sequence[float]] | None = None,
        spin: Numbers | Sequence[float] | None = None,
        *,
        density: Number = 2650.0,
        spheres: bool = False,
    ) -> None:
        self.position = jnp.asarray(position, float)
        self.radius = jnp.asarray(radius, float)
        _checks.vector("radius", self.radius)
        n = self.radius.shape[0]
        self.velocity = jnp.asarray(jnp.zeros((n, 2)) if velocity is None else velocity, float)
        self.spin = jnp.asarray(jnp.zeros(n) if spin is None else spin, float)
        _checks.positive("density", density)
        self.density = jnp.asarray(density, float)
        self.spheres = spheres
        for name, shape in (("position", (n, 2)), ("velocity", (n, 2)), ("spin", (n,))):
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name} must have shape {shape}, as there are {n} radii; got "
                    f"{getattr(self, name).shape}. For a batch, see `shear_batch`"
                )
        if _checks.is_concrete(self.radius) and not (np.asarray(self.radius) > 0).all():
            bad = int(np.flatnonzero(~(np.asarray(self.radius) > 0))[0])
            raise ValueError(
                f"radius must be positive; grain {bad} has {float(self.radius[bad]):.6g} m"
            )

    @property
    def mass(self) -> Float[Array, " n"]:
        """(n,), kg; of discs a metre of thickness."""
        if self.spheres:
            return 4 / 3 * math.pi * self.density * self.radius**3
        return math.pi * self.density * self.radius**2

    @property
    def inertia(self) -> Float[Array, " n"]:
        """(n,), kg m²."""
        return (0.4 if self.spheres else 0.5) * self.mass * self.radius**2

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        kind = "spheres" if self.spheres else "discs"
        return f"Grains: {self.radius.size} {kind}, radii {shown(self.radius, 'm')}"


class Layer(eqx.Module):
    """A packed strip of grains between two rough walls, periodic along the walls.

    Attributes:
        grains: free ones, and those glued to the walls.
        wall: (n,), 0 for a free grain, 1 for one of the bottom wall, 2 for one of the top wall.
        length: of the period along the walls, m.
        pressure: under which it was packed, Pa.
    """

    grains: Grains
    wall: Int[Array, " n"]
    length: Float[Array, ""]
    pressure: Float[Array, ""]

    @property
    def free(self) -> Bool[Array, " n"]:
        """True for grains that belong to no wall."""
        return self.wall == FREE

    @property
    def thickness(self) -> Float[Array, ""]:
        """Between the centre lines of the walls, m."""
        y = self.grains.position[:, 1]
        top, bottom = self.wall == TOP, self.wall == BOTTOM
        return jnp.mean(y, where=top) - jnp.mean(y, where=bottom)

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        free = int((np.asarray(self.wall) == FREE).sum(-1).max())
        radii = np.asarray(self.grains.radius)[np.asarray(self.wall) == FREE]
        return (
            f"Layer: {free} grains and {np.shape(self.wall)[-1] - free} of the walls, diameters "
            f"{2e3 * radii.min():.4g} to {2e3 * radii.max():.4g} mm, "
            f"{shown(self.length, 'm')} long, {shown(self.thickness, 'm')} thick, packed at "
            f"{shown(self.pressure, 'Pa')}"
        )
