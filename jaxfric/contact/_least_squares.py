"""Bounded Levenberg–Marquardt on the depths and radii of asperities."""

import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxfric.contact._arrays import AnyArray
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._curve import friction_slopes, gaps, stiffness_and_growth
from jaxfric.contact._profile import profile, root
from jaxfric.contact._solve import indentation
from jaxfric.contact._sums import area

# Set by hand. Weighing steps by what they change, and holding depths back near the target, brings a
# design twice as near after ten steps; to hold them back far from the target would be slower.
DAMPING = 3e-2  # λ at the start, as a share of the mean of the diagonal
WEIGHT = 0.5  # power of a variable's effect by which its steps are weighed: 0 for none, 1 for all
NEAR = 0.05  # rms error from which on depths move as freely as radii do
SMALLEST_SHIFT = 0.2  # of a depth's step against a radius', however near the law is
LEAST = 1e-3  # share of the greatest effect (squared) below which effects count as equal
SLACK = 0.01  # in ln R: a radius this far below its limit breaks it
# Residual of an approach that is above its limit by a factor e. Set by hand: 0.1 % above weighs as
# much as the whole law 4 % off, so that what is left of an excess is within a part's clearance
EXCESS = 300.0

TINY = 1e-30  # keeps a division by 0 from NaN where no load, or no variable, has a say

Variables = Float[Array, " variables"]  # (2n,): depths over the scale, then ln R
# Variables, residuals, Jacobian, deepest indentation, damping
State = tuple[Array, Array, Array, Array, Array]


class Limits(NamedTuple):
    """Where the variables may be, and which of them may move."""

    low: Variables
    high: Variables
    free: Bool[Array, " variables"]
    scale: Float[Array, ""]  # of a depth, m
    indentation: Float[Array, ""] | None  # largest share of a radius


class Problem(eqx.Module):
    """Residuals and their Jacobian with respect to [depth / scale, ln R].

    A load of weight 0 has no say: it makes up the number that a program was compiled for.
    """

    material: Material
    loads: Float[Array, " rows"]
    target: Float[Array, " rows"]
    weight: Float[Array, " rows"]  # of each load, 0 or 1
    used: Bool[Array, " n"]
    approach: Float[AnyArray, ""] | None  # deepest indentation of the highest, m; None for any
    exponent: Float[Array, "..."] | None  # () or (n,), of the profiles; None for spheres
    radii: str = eqx.field(static=True)  # "free", "common" or "fixed"

    @property
    def rows(self) -> int:
        """Residuals: one for each load, and one for the approach where it has a limit."""
        return self.loads.shape[0] + (self.approach is not None)

    def surface(self, gap: Float[Array, " n"], R: Float[Array, " n"]) -> Asperities:
        return Asperities(-gap, R, self.used, self.exponent)

    def indentation(self, gap: Float[Array, " n"], R: Float[Array, " n"]) -> Float[Array, " rows"]:
        E = jnp.asarray(self.material.modulus).astype(gap.dtype)
        surface = self.surface(gap, R)
        return indentation(gaps(surface), profile(surface), self.loads / E)

    def linearised(
        self, y: Variables, scale: Float[Array, ""]
    ) -> tuple[Float[Array, " rows"], Float[Array, "rows variables"], Float[Array, ""]]:
        """Residuals, their Jacobian, and the deepest indentation."""
        n = y.shape[0] // 2
        gap, R = y[:n] * scale, jnp.exp(y[n:])
        x = self.indentation(gap, R)
        surface = self.surface(gap, R)
        strength = jnp.asarray(self.material.shear_strength * self.material.area_factor)
        F = strength.astype(gap.dtype) * math.pi * area(gaps(surface), profile(surface), x)
        by_height, by_radius = friction_slopes(surface, self.material, x)
        # r = 2 (F − T)/(F + T), whose mean size is the sMAPE that the design is judged by
        total = F + self.target
        residual = self.weight * 2 * (F - self.target) / total
        by_radius = by_radius * R[None, :]  # ∂F/∂ln R = R ∂F/∂R
        if self.radii == "common":  # one variable: every column moves them all
            by_radius = jnp.broadcast_to(jnp.sum(by_radius, -1, keepdims=True) / n, by_radius.shape)
        slopes = jnp.concatenate([-by_height * scale, by_radius], -1)  # depth = −height
        effect = self.weight * 4 * self.target / total**2  # ∂r/∂F = 4 T/(F + T)²
        residuals, jacobian = residual, effect[:, None] * slopes
        if self.approach is not None:
            excess, slope = self._excess(gap, R, jnp.max(x), scale)
            residuals = jnp.append(residuals, excess)
            jacobian = jnp.concatenate([jacobian, slope[None, :]])
        return residuals, jacobian, jnp.max(x)

    def _excess(
        self, gap: Float[Array, " n"], R: Float[Array, " n"], x: Float[Array, ""],
        scale: Float[Array, ""],
    ) -> tuple[Float[Array, ""], Variables]:  # fmt: skip
        """The residual of an approach x beyond its limit, and its slopes.

        At a fixed load Σ ∂P_i/∂δ_i (dx − dgap_i) + Σ ∂P_i/∂ln R_i dln R_i = 0, where, as in
        `friction_slopes`, ∂P_i/∂ln R_i = (n − 1)/(n + 1) δ_i ∂P_i/∂δ_i: a third of it for spheres.
        """
        assert self.approach is not None
        delta = jnp.where(self.used, jnp.maximum(x - gap, 0.0), 0.0)
        if self.exponent is None:
            stiffness = root(R * delta)  # ∂P_i/∂δ_i, but for 2 E*
        else:
            stiffness = stiffness_and_growth(profile(self.surface(gap, R)), delta[None, :])[0][0]
        share = stiffness / (jnp.sum(stiffness) + TINY)
        if self.exponent is None:
            by_radius = -share * delta / 3
        else:
            n = self.exponent
            by_radius = -share * delta * (n - 1) / (n + 1)
        if self.radii == "common":
            by_radius = jnp.full_like(by_radius, jnp.sum(by_radius) / gap.shape[0])
        beyond = jnp.log(x / self.approach)
        slope = jnp.concatenate([share * scale, by_radius]) / x
        return EXCESS * jnp.maximum(beyond, 0.0), jnp.where(beyond > 0, EXCESS, 0.0) * slope


def _lowest(limits: Limits, y: Variables, x: Float[Array, ""]) -> Variables:
    """The lower bounds when the highest asperity is pressed in by x.

    δ/R may not pass `indentation`, with δ = x − depth: that is a lower bound of each radius, which
    moves with the depths. It gives way to the upper bound of the radii.
    """
    if limits.indentation is None:
        return limits.low
    n = y.shape[0] // 2
    smallest = jnp.maximum(x - y[:n] * limits.scale, 0.0) / limits.indentation
    smallest = jnp.log(jnp.maximum(smallest, jnp.exp(limits.low[n:])))
    return limits.low.at[n:].set(jnp.minimum(smallest, limits.high[n:]))


def _direction(
    residual: Float[Array, " rows"],
    A: Float[Array, "rows variables"],
    damping: Float[Array, ""],
    counted: Float[Array, ""],
    eye: Float[Array, "rows rows"],
) -> Variables:
    """The damped step D Aᵀ (A D Aᵀ + λ)⁻¹ r of the variables that may move.

    It equals (AᵀA + λ D⁻¹)⁻¹ Aᵀ r of Marquardt, but the matrix has as many rows as there are loads
    (48), whatever the number of asperities. `counted` is how many of the loads have a say.
    """
    variables = A.shape[1]
    # D: steps in units of |∂r/∂y|^-½, so that what has little effect may move farther; near the
    # target depths, which move kinks of the law (where a contact is made), move less than radii
    shift = jnp.clip(jnp.sqrt(jnp.sum(residual**2) / counted) / NEAR, SMALLEST_SHIFT, 1.0)
    units = jnp.where(jnp.arange(variables) < variables // 2, shift, 1.0)
    effect = jnp.sum(A**2, 0) * units**2
    D = units**2 / (effect + LEAST * jnp.max(effect) + TINY) ** WEIGHT
    AD = A * D[None, :]
    gram = AD @ A.T
    # λ as a share of the mean of the diagonal has no units, so one value suits every target
    mean = jnp.trace(gram) / counted
    root = jax.scipy.linalg.cho_factor(gram + (damping * mean + TINY) * eye, lower=True)
    return jax.scipy.linalg.cho_solve(root, residual) @ AD


def minimise(
    problem: Problem, y: Variables, limits: Limits, steps: Int[Array, ""], most: int
) -> Variables:
    """The variables after so many steps; the loop is compiled for `most` of them."""
    n = y.shape[0] // 2
    counted = jnp.sum(problem.weight)
    eye = jnp.eye(problem.rows, dtype=y.dtype)
    y = jnp.where(limits.free, jnp.clip(y, limits.low, limits.high), y)

    def step(state: State, k: Int[Array, ""]) -> tuple[State, None]:
        return jax.lax.cond(k <= steps, lambda: moved(state, k == 0), lambda: state), None

    def moved(state: State, first: Bool[Array, ""]) -> State:
        y, r, J, x, damping = state
        gradient = r @ J
        low = _lowest(limits, y, x)
        # A variable at its bound that wants to leave the box keeps still.
        stuck = ((y <= low) & (gradient > 0)) | ((y >= limits.high) & (gradient < 0))
        A = jnp.where((limits.free & ~stuck)[None, :], J, 0.0)
        if problem.exponent is None:
            new = y - _direction(r, A, damping, counted, eye)
        else:
            # Cones, whose law no move changes: without a slope the step has no value, nor has its
            # derivative, so it is computed of ones, and not taken
            moves = jnp.any(A != 0)
            change = _direction(r, jnp.where(moves, A, 1.0), damping, counted, eye)
            new = y - jnp.where(moves, change, 0.0)
        new = jnp.clip(new, limits.low, limits.high)
        # Only differences of heights count: the highest stays at depth 0.
        lift = jnp.min(jnp.where(problem.used, new[:n], jnp.inf))
        new = new.at[:n].add(-lift)
        new = jnp.where(limits.free & ~first, jnp.maximum(new, _lowest(limits, new, x)), y)
        r_new, J_new, x_new = problem.linearised(new, limits.scale)
        # What breaks the limit of indentation must move, whatever it costs.
        outside = jnp.any(limits.free & (y < low - SLACK))
        better = first | outside | (jnp.sum(r_new**2) < jnp.sum(r**2))
        kept = jax.tree.map(
            lambda a, b: jnp.where(better, a, b), (new, r_new, J_new, x_new), (y, r, J, x)
        )
        # Trust the linearisation more after a step that helped, and less after one that did not
        factor = jnp.where(first, 1.0, jnp.where(better, 0.25, 4.0))
        return (*kept, damping * factor)

    # The first pass stays where it is, to linearise there: written twice, it is compiled twice
    nothing = jnp.zeros(problem.rows, y.dtype)
    start = (y, nothing, jnp.ones((nothing.size, y.size), y.dtype), jnp.zeros_like(y[0]))
    damping = jnp.asarray(DAMPING, y.dtype)
    return jax.lax.scan(step, (*start, damping), jnp.arange(most + 1, dtype=steps.dtype))[0][0]


def try_neighbours(
    problem: Problem,
    y: Variables,
    quantum: Float[AnyArray, ""],
    deepest: Float[AnyArray, ""],
    scale: Float[Array, ""],
    sweeps: int = 2,
) -> Variables:
    """Each height in turn one quantum up or down, if that lowers the error."""
    n = y.shape[0] // 2

    def cost(y: Variables) -> Float[Array, ""]:
        return jnp.sum(problem.linearised(y, scale)[0] ** 2)

    def visit(
        state: tuple[Variables, Float[Array, ""]], move: tuple[Int[Array, ""], Float[Array, ""]]
    ) -> tuple[tuple[Variables, Float[Array, ""]], None]:
        y, least = state
        i, sign = move
        trial = y.at[i].set(jnp.clip(y[i] + sign * quantum, 0.0, deepest))
        value = cost(trial)
        return (jnp.where(value < least, trial, y), jnp.minimum(value, least)), None

    # First the surface as it is (a move of 0, any cost below ∞), then every height down and up
    index = jnp.concatenate([jnp.zeros(1, int), jnp.tile(jnp.repeat(jnp.arange(n), 2), sweeps)])
    sign = jnp.concatenate([jnp.zeros(1), jnp.tile(jnp.array([-1.0, 1.0]), n * sweeps)])
    start = (y, jnp.asarray(jnp.inf, y.dtype))
    return jax.lax.scan(visit, start, (index, sign.astype(y.dtype)))[0][0]
