"""Contacts that see each other: a load on one lets the surface sink at the others."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxfric import programs
from jaxfric._show import printed
from jaxfric._status import Status
from jaxfric._types import Numbers, Vector
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._coupled import Case, contacts, force, radius, relative_residual
from jaxfric.contact._curve import FrictionCurve, friction_law, gaps
from jaxfric.contact._influence import Influence, distance, free_influence, periodic_influence
from jaxfric.contact._places import (
    InteractionOutcome,
    checked_period,
    checked_position,
    merged,
    valid,
)
from jaxfric.contact._printing import numbers

Lengths = Float[Array, "..."]  # of a period: one number, or two


class InteractingContacts(eqx.Module):
    """What `interacting_contacts` returns.

    Attributes:
        curve: the `FrictionCurve` of the whole.
        force: (m, n), what each asperity carries at each load, N.
        radius: (m, n), of each contact, m; 0 where nothing touches.
    """

    curve: FrictionCurve
    force: Float[Array, "m n"]
    radius: Float[Array, "m n"]

    @property
    def status(self) -> Status:
        """Outcome of the friction law."""
        return self.curve.status

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        n = numbers(self.force).shape[-1]
        return f"InteractingContacts: {n} asperities\n  {self.curve}"


def interacting_friction_law(
    surface: Asperities,
    position: Numbers,
    material: Material,
    loads: Vector,
    *,
    period: Numbers | tuple[float, float] | None = None,
) -> FrictionCurve:
    """The friction F(P) of spheres on one elastic half-space, each of which feels the others.

    As `friction_law`, but the load P_j on a contact of radius a_j lets the surface sink by v at
    its neighbours, and bends it by ∇²v; these are pressed in by less and touch as sharper spheres:

        δ_i = h_i − d − v_i,  1/R'_i = 1/R_i + ∇²v_i/2
        v_i = Σ_j P_j/(π E*) (1/r_ij + a_j²/(10 r_ij³)),  ∇²v_i = Σ_j P_j/(π E* r_ij³)

    What is left out is of the order δ (a/r)⁴. Derivatives are those of the implicit function, to
    any order in either mode, with respect to positions and period too.

    Arguments:
        surface: n spheres.
        position: (n, 2), x and y of each, m; rows of masked asperities may hold anything.
        material: modulus and friction.
        loads: (m,), N, >= 0, in any order.
        period: m; the side of the square cell in which the surface repeats, or (x, y) of a
            rectangle, at most 4 times as long as wide. If left out, the spheres stand alone on an
            endless half-space.

    Returns:
        The curve. `indentation` is how far the plane has come down below the highest tip, more
        than this one is pressed in. `separation` is the height of the plane above the surface far
        away; with a period, above the mean of the deformed surface.

    Raises:
        ValueError: an exponent; positions that are not (n, 2); (concrete) positions or a period as
            in `InteractionOutcome`; loads as in `friction_law`.

    Warns:
        UserWarning: (concrete) an asperity is pressed in by more than its radius.

    Example:
        >>> import jax.numpy as jnp
        >>> surface = Asperities(jnp.zeros(2), jnp.full(2, 5e-4))
        >>> position = jnp.array([[0.0, 0.0], [4e-4, 0.0]])
        >>> material = Material(modulus=1.4e6, shear_strength=4e5)
        >>> loads = jnp.array([4e-3])
        >>> together = interacting_friction_law(surface, position, material, loads)
        >>> alone = friction_law(surface, material, loads)
        >>> print(f"{float(together.indentation[0] / alone.indentation[0]):.4f}")
        1.0871
        >>> print(f"{float(together.area[0] / alone.area[0]):.4f}")
        0.9988

    Source: K. L. Johnson, Contact Mechanics (1985), eq. 3.42a and section 4.2; of the idea, M.
    Ciavarella, J. A. Greenwood and M. Paggi, Wear 265 (2008) 729.
    """
    return interacting_contacts(surface, position, material, loads, period=period).curve


def interacting_contacts(
    surface: Asperities,
    position: Numbers,
    material: Material,
    loads: Vector,
    *,
    period: Numbers | tuple[float, float] | None = None,
) -> InteractingContacts:
    """What every asperity carries where contacts see each other, and over what radius.

    P_i = 4/3 E* √R'_i δ_i^(3/2),  a_i² = R'_i δ_i, with δ and R' of `interacting_friction_law`.

    Arguments:
        surface: n spheres.
        position: (n, 2), m.
        material: modulus and friction.
        loads: (m,), N, >= 0.
        period: m; as in `interacting_friction_law`.

    Returns:
        `InteractingContacts`.

    Raises:
        ValueError: as `interacting_friction_law`.

    Example:
        >>> import jax.numpy as jnp
        >>> surface = Asperities(jnp.zeros(3), jnp.full(3, 5e-4))
        >>> position = 4e-4 * jnp.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
        >>> material = Material(modulus=1.4e6, shear_strength=4e5)
        >>> found = interacting_contacts(surface, position, material, jnp.array([6e-3]))
        >>> print(jnp.round(found.force[0] * 1e3, 2))  # mN; the middle one feels both others
        [2.05 1.9  2.05]
    """
    if surface.exponent is not None:
        raise ValueError(
            "contacts see each other as spheres here; leave exponent out, or use friction_law, "
            "which takes them as independent"
        )
    dtype = surface.height.dtype
    place = checked_position(position, surface, dtype)
    cell = None if period is None else checked_period(period, dtype)
    # What independent contacts do is where the search begins; loads are looked at there too
    alone = friction_law(surface, material, loads)
    return _interacting(surface, place, material.cast(dtype), alone, cell)


@programs.program
def _interacting(
    surface: Asperities, position: Float[Array, "n 2"], material: Material, alone: FrictionCurve,
    period: Lengths | None,
) -> InteractingContacts:  # fmt: skip
    used, gap = surface.used, gaps(surface)
    curvature = 1 / jnp.where(used, surface.radius, 1.0)
    E, strength = material.constants(gap.dtype)
    cell = None if period is None else jnp.broadcast_to(period, (2,))
    influence = _influence(position, used, cell, period is not None and period.ndim == 0)

    def at(
        load: Float[Array, ""], start: Float[Array, ""]
    ) -> tuple[Float[Array, ""], tuple[Array, Array, Array], Float[Array, ""]]:
        case = Case(influence, gap, curvature, load / E)
        found = contacts(case, used, jax.lax.stop_gradient(start))
        # Nothing touches at load 0, whatever rounding leaves of the highest asperity
        on = used & (found.field.indentation > 0) & (load > 0)
        rows = jnp.where(on, found.field.indentation, 0.0), radius(found.field, on)
        left = relative_residual(case, used, found)
        return found.approach, (*rows, force(found.field, on).load * E), left

    x, (delta, a, carried), left = jax.vmap(at)(alone.load, alone.indentation)
    # NaN for bad input, as in the law of independent contacts: a loss would take 0 for a law
    total = jnp.where(jnp.isfinite(alone.area), math.pi * jnp.sum(a**2, -1), jnp.nan)
    unsolved = (alone.load > 0) & ~(left <= _promised_residual(x.dtype))
    curve = FrictionCurve(
        load=alone.load,
        friction=strength * total,
        area=total,
        indentation=x,
        separation=surface.top - x,
        contact_count=jnp.sum(delta > 0, -1),
        contact_radius=jnp.max(a, -1),
        indentation_ratio=jnp.max(delta * curvature[None, :], -1),
        status=_status(
            alone, (a, _independent(surface, gap, alone)), unsolved, position, used, cell
        ),
    )
    return InteractingContacts(curve, carried, a)


def _status(
    alone: FrictionCurve, radii: tuple[Array, Array], unsolved: Bool[Array, " m"],
    position: Float[Array, "n 2"], used: Bool[Array, " n"], cell: Float[Array, " 2"] | None,
) -> Status:  # fmt: skip
    """The first thing that is wrong; `radii` of contacts that interact, and that do not, (m, n)."""
    away, failed = distance(position, used, cell), jnp.any(unsolved)
    together, independent = (merged(a, away) for a in radii)
    return alone.status.promote(InteractionOutcome).or_else(
        Status.first(
            InteractionOutcome,
            (~valid(position, used, cell, away), InteractionOutcome.bad_position),
            # Contacts that overlap far may have no solution, and then no radii either
            (together | (failed & independent), InteractionOutcome.merged),
            (failed, InteractionOutcome.unsolved),
        )
    )


def _influence(
    position: Float[Array, "n 2"], used: Bool[Array, " n"], cell: Float[Array, " 2"] | None,
    square: bool,
) -> Influence:  # fmt: skip
    if cell is None:
        return free_influence(position, used)
    return periodic_influence(position, used, cell, square)


def _independent(
    surface: Asperities, gap: Float[Array, " n"], alone: FrictionCurve
) -> Float[Array, "m n"]:
    """Contact radii were the contacts independent, m: a² = R δ."""
    delta = jnp.maximum(alone.indentation[:, None] - gap[None, :], 0.0)
    return jnp.sqrt(jnp.where(surface.used, surface.radius, 0.0)[None, :] * delta)


def _promised_residual(dtype: jnp.dtype) -> float:
    """What may be left of a load or a length before it is called unsolved: 1e-10, in float32 1e-5.

    Of 350 random surfaces, lengths over five decades and moduli over eight, 8e-15 and 4e-7 were.
    """
    return 1e-10 if dtype == jnp.float64 else 1e-5
