"""Loads on contacts that see each other, at one load of the whole.

A contact of indentation δ on a sphere of curvature κ carries (Hertz), in units of E*,

    a² = δ/κ,  P = 4/3 κ a³,  Q = 2/5 a² P

where Q = ∫ p ρ² is the second moment of its pressure. The field of the others is, around it,
v + c ρ²/2, which leaves it the indentation x − gap − v and the curvature 1/R + c:

    v_i = Σ_j (P_j S_ij + Q_j T_ij/4)/π,  c_i = Σ_j P_j T_ij/(2π),  S = Σ 1/r,  T = Σ 1/r³

P and Q are the derivatives of the convex energy ψ = 8/15 κ^(−1/2) δ^(5/2) with respect to δ and
−κ/2, and what couples them is symmetric: the loads minimise one energy, and as long as contacts
keep apart there is one solution. Newton's steps solve symmetric positive systems, by conjugate
gradients.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxfric.contact._influence import EXACT, Influence
from jaxfric.contact._profile import root

MAX_STEPS = 50  # a bound only: the status tells where a load is not met by then
# Of the residual that is left by the linear solve within a step: measured, a tighter one saves no
# steps, and a wider one costs some
FORCING = 1e-3
MAX_ITERATIONS = 200  # of a linear solve; also a bound

Row = Float[Array, " n"]


class Case(NamedTuple):
    """What is given: the surface, in terms of depths and curvatures, and the load over E*."""

    influence: Influence
    gap: Row  # below the highest, m
    curvature: Row  # 1/R, 1/m
    load: Float[Array, ""]  # m²


class Field(NamedTuple):
    """What decides what each contact carries."""

    indentation: Row  # δ, m; negative where the plane keeps clear
    curvature: Row  # κ, 1/m


class Force(NamedTuple):
    """What each contact carries, over E*."""

    load: Row  # P, m²
    moment: Row  # Q, m⁴


class Contacts(NamedTuple):
    """A solution: the field, and the height x that the plane has come down."""

    field: Field
    approach: Float[Array, ""]


def radius(field: Field, used: Bool[Array, " n"]) -> Row:
    """Contact radii, m; 0 where nothing touches."""
    return root(jnp.where(used, field.indentation, 0.0) / field.curvature)


def force(field: Field, used: Bool[Array, " n"]) -> Force:
    """P and Q of each contact."""
    a = radius(field, used)
    P = 4 / 3 * field.curvature * a**3
    return Force(P, 2 / 5 * a**2 * P)


def sunk(influence: Influence, force: Force) -> tuple[Row, Row]:
    """v, m, and c/2, 1/m: what contacts do to each other, symmetric in P and Q."""
    both = jnp.matmul(jnp.stack(force), influence.third, precision=EXACT) / (4 * math.pi)
    first = jnp.matmul(force.load, influence.first, precision=EXACT) / math.pi
    return first + both[1], both[0]


@jax.custom_jvp
def contacts(case: Case, used: Bool[Array, " n"], start: Float[Array, ""]) -> Contacts:
    """The contacts that carry a load > 0 together; `start` is their approach were they independent.

    Its derivatives are those of the implicit function, to any order in either mode.
    """
    eps = jnp.finfo(case.gap.dtype).eps
    # A step that changes lengths by less than this leaves less, as Newton's iteration squares what
    # is left: FORCING of it at most
    tolerance = eps ** (2 / 3)
    State = tuple[Contacts, Bool[Array, ""], int | Int[Array, ""]]

    def unfinished(state: State) -> Bool[Array, ""]:
        return ~state[1] & (state[2] < MAX_STEPS)

    def step(state: State) -> State:
        found, _, count = state
        change = _step(case, used, found)
        new = Contacts(
            Field(
                found.field.indentation + change.field.indentation,
                # Neighbours only sharpen a contact: below 1/R there is no solution to be found
                jnp.maximum(found.field.curvature + change.field.curvature, case.curvature),
            ),
            found.approach + change.approach,
        )
        size = jnp.max(jnp.where(used, new.field.indentation, 0.0))
        moved = jnp.max(jnp.where(used, jnp.abs(change.field.indentation), 0.0))
        bent = jnp.max(jnp.where(used, jnp.abs(change.field.curvature) / case.curvature, 0.0))
        return new, (moved <= tolerance * size) & (bent <= tolerance), count + 1

    alone = Contacts(Field(start - case.gap, case.curvature), start)
    first: State = alone, jnp.zeros((), bool), 0
    return jax.lax.while_loop(unfinished, step, first)[0]


@contacts.defjvp
def _contacts_jvp(
    primals: tuple[Case, Array, Array], tangents: tuple[Case, Array, Array]
) -> tuple[Contacts, Contacts]:
    """Of residual(case, contacts) = 0: the same linear system as in a step, solved exactly."""
    case, used, _ = primals
    found = contacts(*primals)
    carried = force(found.field, used)
    changed, _, _ = tangents
    # The residual is linear in the influence, the gap and the curvature
    v, c = sunk(changed.influence, carried)
    eps = float(jnp.finfo(case.gap.dtype).eps)
    residual = v + changed.gap, c + changed.curvature / 2
    return found, _linearised(case, used, found, residual, changed.load, 4 * eps)


def _step(case: Case, used: Bool[Array, " n"], found: Contacts) -> Contacts:
    """Newton's step."""
    return _linearised(case, used, found, *_residual(case, used, found), FORCING)


def _residual(
    case: Case, used: Bool[Array, " n"], found: Contacts
) -> tuple[tuple[Row, Row], Float[Array, ""]]:
    """By how much (δ, −κ/2) are off what the others leave each contact, and the missing load."""
    carried = force(found.field, used)
    v, c = sunk(case.influence, carried)
    off = (
        found.field.indentation - (found.approach - case.gap - v),
        (case.curvature - found.field.curvature) / 2 + c,
    )
    return off, case.load - jnp.sum(carried.load)


def relative_residual(case: Case, used: Bool[Array, " n"], found: Contacts) -> Float[Array, ""]:
    """The largest of what is left: of indentations, of curvatures, of the load; NaN for no number.

    Of what touches, as the depth of what does not is only as exact as the number format.
    """
    (depth, curvature), missing = _residual(case, used, found)
    touching = used & (found.field.indentation > 0)
    size = jnp.max(jnp.where(touching, found.field.indentation, 0.0))
    largest = jnp.maximum(
        jnp.max(jnp.where(touching, jnp.abs(depth), 0.0)) / size,
        jnp.max(jnp.where(touching, jnp.abs(2 * curvature) / case.curvature, 0.0)),
    )
    return jnp.maximum(largest, jnp.abs(missing) / case.load)


def _linearised(
    case: Case, used: Bool[Array, " n"], found: Contacts, residual: tuple[Row, Row],
    missing: Float[Array, ""], tolerance: float,
) -> Contacts:  # fmt: skip
    """The change of field and approach that undoes a residual and adds the missing load.

    With e = (δ, −κ/2), p = (P, Q), C = ∂p/∂e and K the influence:

        de + K C de = −residual + (dx, 0),  Σ dP = missing

    With C = L Lᵀ, z = Lᵀ de and w = Lᵀ(1, 0) that is (1 + LᵀKL) z = −Lᵀ residual + w dx, w·z =
    missing: symmetric, and 1 for what does not touch. dx is eliminated by solving at right angles
    to w, which also takes out the common sinking of all, by far the largest that K knows.
    """
    a = radius(found.field, used)
    # C = E* a [[2, 4/3 a²], [4/3 a², 8/5 a⁴]], and L its Cholesky factor
    one = root(2 * a)
    two = a**2 * root(a)
    below, last = 2 / 3 * math.sqrt(2) * two, math.sqrt(32 / 45) * two

    def forces(z: Float[Array, "2 n"]) -> Force:  # L z
        return Force(one * z[0], below * z[0] + last * z[1])

    def energies(e: tuple[Row, Row]) -> Float[Array, "2 n"]:  # Lᵀ e
        return jnp.stack([one * e[0] + below * e[1], last * e[1]])

    def matrix(z: Float[Array, "2 n"]) -> Float[Array, "2 n"]:
        return z + energies(sunk(case.influence, forces(z)))

    w = jnp.stack([one, jnp.zeros_like(one)])
    size = jnp.sum(w**2)
    size = jnp.where(size > 0, size, 1.0)
    wanted = -energies(residual)
    fixed = w * missing / size
    z = fixed + _solved(matrix, wanted - matrix(fixed), w, size, tolerance)
    approach = jnp.sum(w * (matrix(z) - wanted)) / size
    v, c = sunk(case.influence, forces(z))
    field = Field(approach - residual[0] - v, 2 * (residual[1] + c))
    return Contacts(field, approach)


def _solved(
    matrix: Callable[[Array], Array], wanted: Float[Array, "2 n"], w: Float[Array, "2 n"],
    size: Float[Array, ""], tolerance: float,
) -> Float[Array, "2 n"]:  # fmt: skip
    """z at right angles to w, with the matrix applied to it as wanted there."""

    def across(z: Float[Array, "2 n"]) -> Float[Array, "2 n"]:
        return z - w * (jnp.sum(w * z) / size)

    # Along w, where nothing is wanted, the identity keeps the operator positive
    def operator(z: Float[Array, "2 n"]) -> Float[Array, "2 n"]:
        return across(matrix(across(z))) + (z - across(z))

    solve = partial(_conjugate_gradients, tolerance=tolerance)
    found: Array = jax.lax.custom_linear_solve(operator, across(wanted), solve, symmetric=True)
    return across(found)


def _conjugate_gradients(
    operator: Callable[[Array], Array], wanted: Float[Array, "2 n"], *, tolerance: float
) -> Float[Array, "2 n"]:
    """z with operator(z) = wanted, to a residual of so much of it (Hestenes and Stiefel 1952)."""
    # Solution, residual, direction, the square of the residual, iterations
    State = tuple[Array, Array, Array, Array, int | Int[Array, ""]]
    square = jnp.sum(wanted**2)
    enough = tolerance**2 * square

    def unfinished(state: State) -> Bool[Array, ""]:
        return (state[3] > enough) & (state[4] < MAX_ITERATIONS)

    def step(state: State) -> State:
        z, rest, along, before, count = state
        applied = operator(along)
        share = before / jnp.sum(along * applied)
        z, rest = z + share * along, rest - share * applied
        after = jnp.sum(rest**2)
        return z, rest, rest + after / before * along, after, count + 1

    first: State = jnp.zeros_like(wanted), wanted, wanted, square, 0
    return jax.lax.while_loop(unfinished, step, first)[0]
