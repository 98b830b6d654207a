"""What counts as a friction law, and the coordinates in which its state is integrated."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

Scalar = Float[Array, ""]


@runtime_checkable
class FrictionLaw(Protocol):
    """Anything with these methods is a friction law: no base class, no registration.

    Optional methods: `advance(state, V, dt)`, the exact step at constant velocity (`slide` then
    needs no solver); `log_rate(V, log_state)` and `log_friction(V, log_state)`, for states that
    are positive and span decades (integrated as ln state); `log_response`, `log_jump` as in
    `RateStateLaw`.
    """

    def initial(self, V: Any) -> Any:
        """State of steady sliding at velocity `V` (m/s)."""

    def friction(self, V: Any, state: Any) -> Any:
        """Friction coefficient."""

    def rate(self, V: Any, state: Any) -> Any:
        """Time derivative of the state at constant velocity."""


class Coordinates(eqx.Module):
    """A law seen by the solvers: the state as `y`, which is ln state where the law offers that.

    Whatever the law returns is cast to the dtype of `y`: a float32 network may serve a float64
    simulation.
    """

    law: Any
    dtype: Any = eqx.field(static=True)

    @property
    def log(self) -> bool:
        return hasattr(self.law, "log_rate")

    def initial(self, V: Scalar) -> PyTree:
        return self.encode(self.law.initial(V))

    def encode(self, state: PyTree) -> PyTree:
        state = self._cast(state)
        return jax.tree_util.tree_map(jnp.log, state) if self.log else state

    def decode(self, y: PyTree) -> PyTree:
        return jax.tree_util.tree_map(jnp.exp, y) if self.log else y

    def friction(self, V: Scalar, y: PyTree) -> Scalar:
        if self.log and hasattr(self.law, "log_friction"):
            return self._cast(self.law.log_friction(V, y))
        return self._cast(self.law.friction(V, self.decode(y)))

    def rate(self, V: Scalar, y: PyTree) -> PyTree:
        """y' at constant velocity and normal stress."""
        return self._cast(self.law.log_rate(V, y) if self.log else self.law.rate(V, y))

    def response(self, V: Scalar, y: PyTree, log_V_rate: Scalar, log_stress_rate: Scalar) -> PyTree:
        """What y' gains from a changing velocity and normal stress."""
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
