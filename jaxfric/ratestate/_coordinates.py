"""What counts as a friction law, and the coordinates in which its state is integrated."""

from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxfric._types import Number
from jaxfric.dynamics import FloatType

Scalar = Float[Array, ""]


@runtime_checkable
class FrictionLaw(Protocol):
    """Anything with these methods is a friction law: no base class, no registration.

    Optional methods: `advance(state, V, dt)`, the exact step at constant velocity (`slide` then
    needs no solver); `log_rate(V, log_state)` and `log_friction(V, log_state)`, for states that
    are positive and span decades (integrated as ln state); `log_response`, `log_jump` as in
    `RateStateLaw`.

    Optional attributes: `valid`, a boolean that may be traced, False where the parameters break
    the law's own rules: the run then stands still and its status says so (without it every
    parameter passes); `exact`, whether `advance` is a closed form (True if absent).
    """

    def initial(self, V: Scalar) -> PyTree:
        """State of steady sliding at velocity `V` (m/s)."""

    def friction(self, V: Scalar, state: PyTree) -> Number:
        """Friction coefficient."""

    def rate(self, V: Scalar, state: PyTree) -> PyTree:
        """Time derivative of the state at constant velocity."""


@runtime_checkable
class SteppedFrictionLaw(Protocol):
    """A law without `rate`, such as a recurrent network: it only moves in fixed steps."""

    def initial(self, V: Scalar) -> PyTree:
        """State of steady sliding at velocity `V` (m/s)."""

    def friction(self, V: Scalar, state: PyTree) -> Number:
        """Friction coefficient."""

    def advance(self, state: PyTree, V: Scalar, dt: Scalar) -> PyTree:
        """State after the step `dt` (s) at velocity `V`."""


class Coordinates(eqx.Module):
    """A law seen by the solvers: the state as `y`, which is ln state where the law offers that.

    (ln θ)' = θ'/θ. A tolerance for ln θ is a relative one for θ, which spans ten decades in a
    stick-slip cycle, and θ = e^y stays positive whatever a trial step does.

    Whatever the law returns is cast to the dtype of `y`: a float32 network may serve a float64
    simulation.
    """

    law: FrictionLaw
    dtype: FloatType = eqx.field(static=True)

    @property
    def log(self) -> bool:
        """Whether the state is integrated as its logarithm."""
        return hasattr(self.law, "log_rate")

    def initial(self, V: Scalar) -> PyTree:
        """y of steady sliding."""
        return self.encode(self.law.initial(V))

    def encode(self, state: PyTree) -> PyTree:
        """y of a state."""
        state = self._cast(state)
        return jax.tree_util.tree_map(jnp.log, state) if self.log else state

    def decode(self, y: PyTree) -> PyTree:
        """The state of y."""
        return jax.tree_util.tree_map(jnp.exp, y) if self.log else y

    def friction(self, V: Scalar, y: PyTree) -> Scalar:
        """μ(V, y)."""
        if self.log and hasattr(self.law, "log_friction"):
            return self._cast(self.law.log_friction(V, y))
        return self._cast(self.law.friction(V, self.decode(y)))

    def rate(self, V: Scalar, y: PyTree) -> PyTree:
        """y' at constant velocity and normal stress."""
        if hasattr(self.law, "log_rate"):
            return self._cast(self.law.log_rate(V, y))
        return self._cast(self.law.rate(V, y))

    def response(self, V: Scalar, y: PyTree, log_V_rate: Scalar, log_stress_rate: Scalar) -> PyTree:
        """What y' gains from a changing velocity and normal stress."""
        # Linear in both rates: a slider solves for (ln V)' by asking with (0, 1) and (1, 0)
        if not hasattr(self.law, "log_response"):
            return jax.tree_util.tree_map(jnp.zeros_like, y)
        return self._cast(self.law.log_response(V, y, log_V_rate, log_stress_rate))

    def jump(self, V_before: Scalar, V_after: Scalar) -> PyTree | None:
        """Change of y at an imposed velocity step; None where y is continuous."""
        if not hasattr(self.law, "log_jump"):
            return None
        jump = self.law.log_jump(V_before, V_after)
        return None if jump is None else self._cast(jump)

    def _cast(self, tree: PyTree) -> PyTree:
        return jax.tree_util.tree_map(lambda x: jnp.asarray(x).astype(self.dtype), tree)


def add(x: PyTree, y: PyTree) -> PyTree:
    """Sum of two states."""
    return jax.tree_util.tree_map(jnp.add, x, y)
