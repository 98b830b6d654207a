"""CMA-ES of evosax, and what it lacks for variables of very different scales.

evosax draws from N(m, σ² C) in one unit for all variables, adds 1e-8 to the diagonal of C in every
generation and cuts its entries at 1e8. Variables whose scales are more than four decades apart do
not fit between the two. Here C is factored without either bound, and each variable has a unit of
its own, which follows C.
"""

from functools import cache
from typing import Protocol, TypeVar, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Key, PyTree

Tree = TypeVar("Tree")
Candidate = Float[Array, " dimensions"]
Population = Float[Array, "size dimensions"]
Values = Float[Array, " size"]

# The units are set anew once a variance has left this range. Within it, the 16 digits of float64
# and the 7 of float32 hold C as it is, and a search keeps the units that it began with
LEAST_VARIANCE, LARGEST_VARIANCE = 1e-2, 1e2

# An eigenvalue is known to about ε of the largest one, and below that is noise, of either sign. The
# floor is a tenth of it: with ε, none of eight searches of a valley of condition 1e10 in float32
# came to its end in 20,000 evaluations, and with this, seven
NARROWEST = 0.1


@runtime_checkable
class Strategy(Protocol):
    """What is used of an algorithm of evosax; its states and parameters are pytrees of its own."""

    @property
    def default_params(self) -> PyTree: ...

    def init(self, key: Array, mean: Array, params: PyTree) -> PyTree: ...

    def tell(
        self, key: Array, population: Array, fitness: Array, state: PyTree, params: PyTree
    ) -> tuple[PyTree, PyTree]: ...


class Gaussian(eqx.Module):
    """The distribution of the candidates x = unit · u, u ~ N(m, σ² C)."""

    state: PyTree  # of evosax: mean m, std σ, C and its factors, paths; in units of `unit`
    unit: Candidate  # a power of two for each variable, so that no product with it is rounded
    limited: Bool[Array, ""]  # C has a direction that is too narrow for the numbers it is held in

    @property
    def deviation(self) -> Candidate:
        """The standard deviation of each variable."""
        return self.state.std * self.unit * jnp.sqrt(jnp.maximum(jnp.diagonal(self.state.C), 0.0))


@cache
def _strategy(size: int, n: int, dtype: np.dtype) -> Strategy:
    """One object for each size: evosax compiles anew for every object."""
    from evosax.algorithms import CMA_ES

    with jax.ensure_compile_time_eval():  # it keeps arrays, and outlives the trace
        return CMA_ES(population_size=size, solution=np.zeros(n, dtype))


class Evolution(eqx.Module):
    """Asks a `Gaussian` for candidates, and tells it their values.

    Attributes:
        params: of evosax.
        size: candidates a generation.
        n: variables.
        dtype: of the variables.
    """

    params: PyTree
    size: int = eqx.field(static=True)
    n: int = eqx.field(static=True)
    dtype: np.dtype = eqx.field(static=True)

    def __init__(self, size: int, n: int, sigma: Float[Array, ""], floor: Float[Array, ""]):
        self.size, self.n, self.dtype = size, n, np.dtype(sigma.dtype)
        params = _strategy(size, n, self.dtype).default_params
        # The step may not fall below the floor: candidates that are rounded onto each other have
        # equal values, whose ranks would tell no direction. Upwards nothing but overflow bounds
        # it: evosax's own 1e8 is little for a pressure in pascals
        highest = float(jnp.finfo(self.dtype).max) ** 0.5
        params = params.replace(std_init=sigma, std_min=floor, std_max=highest)
        self.params = _cast(params, self.dtype)

    def begin(
        self, key: Key[Array, ""], start: Candidate, unit: Candidate, ratio: Candidate
    ) -> Gaussian:
        """N(start, (σ · unit · ratio)²), with no correlations."""
        state = _strategy(self.size, self.n, self.dtype).init(key, start / unit, self.params)
        state = _cast(state.replace(C=jnp.diag(ratio**2)), self.dtype)
        return Gaussian(state=state, unit=unit, limited=jnp.zeros((), bool))

    def ask(self, key: Key[Array, ""], gaussian: Gaussian) -> tuple[Population, Gaussian]:
        """Candidates, in units of `unit`, and the Gaussian with C factored."""
        state = gaussian.state
        C = (state.C + state.C.T) / 2
        squares, B = jnp.linalg.eigh(C)
        eps = jnp.finfo(self.dtype).eps
        narrowest = NARROWEST * eps * squares[-1]
        D = jnp.sqrt(jnp.maximum(squares, narrowest))
        z = jax.random.normal(key, (self.size, self.n)).astype(self.dtype)
        # arXiv:1604.00772, eqs. (38) to (40)
        candidates = state.mean + state.std * ((z * D) @ B.T)
        limited = squares[0] < eps * squares[-1]
        return candidates, Gaussian(state.replace(C=C, B=B, D=D), gaussian.unit, limited)

    def tell(
        self, key: Key[Array, ""], candidates: Population, values: Values, gaussian: Gaussian
    ) -> Gaussian:
        """The Gaussian after a generation; only the ranks of the values count."""
        strategy = _strategy(self.size, self.n, self.dtype)
        graded = _graded(values, candidates, gaussian.state)
        state, _ = strategy.tell(key, candidates, graded, gaussian.state, self.params)
        told = Gaussian(_cast(state, self.dtype), gaussian.unit, gaussian.limited)
        return _in_fitting_units(_above_rounding(told))


def _above_rounding(gaussian: Gaussian) -> Gaussian:
    """No variable's deviation is less than the rounding of its mean.

    Long after a search has converged, candidates would be rounded onto each other, and C, which
    learns from the few that are not, fall apart.
    """
    state = gaussian.state
    rounding = jnp.finfo(state.C.dtype).eps * state.mean / state.std
    missing = jnp.maximum(rounding**2 - jnp.diagonal(state.C), 0.0)
    return Gaussian(state.replace(C=state.C + jnp.diag(missing)), gaussian.unit, gaussian.limited)


def _in_fitting_units(gaussian: Gaussian) -> Gaussian:
    """The same distribution, with variances near 1 in the units of the variables.

    C = T R T, T diagonal: an eigenvalue is known to ε of the largest one, so a variance of 1e-18
    beside one of 1 would be lost in the eigenvalues of C, but is not in those of R.

    Source: Y. Akimoto & N. Hansen, arXiv:1905.05885, who decode candidates by such a diagonal.
    """
    state = gaussian.state
    # Beside a direction that is too narrow, the rounding of C may leave a variance below 0
    variance = jnp.diagonal(state.C)
    variance = jnp.where(variance > 0, variance, 1.0)
    unfit = jnp.any((variance < LEAST_VARIANCE) | (variance > LARGEST_VARIANCE))
    exponent = jnp.where(unfit, jnp.round(jnp.log2(variance) / 2), 0.0).astype(jnp.int32)
    T = jnp.ldexp(jnp.ones_like(variance), exponent)
    state = state.replace(
        mean=state.mean / T, p_c=state.p_c / T, C=state.C / T / T[:, None]
    )  # p_std has no unit: arXiv:1604.00772, eq. (43), makes it of C^(-1/2) times a step
    return Gaussian(state, gaussian.unit * T, gaussian.limited)


def _graded(values: Values, candidates: Population, state: PyTree) -> Values:
    """Failed candidates rank behind all others, the farther from the mean the worse.

    Ranks that are equal would shrink the step for no reason.
    """
    bad = ~jnp.isfinite(values)
    worst = jnp.max(jnp.where(bad, -jnp.inf, values))
    # Where all failed, the maximum is −∞; any finite number will do to grade from
    worst = jnp.where(jnp.isfinite(worst), worst, 0.0)
    # Squared distance from the mean in units of σ: always positive, so worst + scale is passed
    distance = jnp.sum(((candidates - state.mean) / state.std) ** 2, -1)
    # At least as large as the values are, or the grades would be rounded onto the worst one
    scale = jnp.maximum(jnp.abs(worst), 1.0)
    return jnp.where(bad, worst + scale * (1 + distance), values)


def _cast(tree: Tree, dtype: np.dtype) -> Tree:
    """evosax makes default floats and weak types, which a loop carries no further."""

    def one(x: ArrayLike) -> Array:
        x = jnp.asarray(x)
        if jnp.issubdtype(x.dtype, jnp.floating):
            return x.astype(dtype)
        return x.astype(jnp.int32) if jnp.issubdtype(x.dtype, jnp.integer) else x

    return jax.tree_util.tree_map(one, tree)
