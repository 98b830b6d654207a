"""Trained networks as friction laws: the methods that the simulators of `ratestate` call."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class CellLaw(eqx.Module):
    """A `FrictionCell` as a friction law in units of the user's: μ = mu0 + Δμ.

    Arguments:
        cell: a `FrictionCell`.
        mu0: friction of steady sliding at `reference`.
        reference: velocity at which friction is mu0, m/s.
        velocity: m/s that are one unit of velocity to the cell.
        time: s that are one unit of time to the cell.

    Example:
        >>> from flax import nnx
        >>> from jaxfric.networks import FrictionCell
        >>> law = CellLaw(FrictionCell(rngs=nnx.Rngs(0)), mu0=0.6)
        >>> print(f"{law.friction(1.0, law.initial(1.0)):.3f}")
        0.600
    """

    cell: Any
    mu0: Any = 0.0
    reference: Any = 1.0
    velocity: Any = 1.0
    time: Any = 1.0

    def initial(self, V: Any) -> Float[Array, " n"]:
        """ln θ_i of steady sliding."""
        return self.cell.steady(self._V(V))

    def friction(self, V: Any, state: Array) -> Float[Array, ""]:
        """Friction coefficient."""
        reference = self._V(self.reference)
        steady = self.cell.read(self.cell.steady(reference), reference)
        return self.mu0 + self.cell.read(self._own(state), self._V(V)) - steady

    def rate(self, V: Any, state: Array) -> Float[Array, " n"]:
        """d ln θ_i/dt, 1/s."""
        return self.cell.rate(self._own(state), self._V(V)) / self.time

    def advance(self, state: Array, V: Any, dt: Any) -> Float[Array, " n"]:
        """ln θ_i after dt at constant velocity."""
        own = jnp.asarray(dt / self.time, self._own(state).dtype)
        return self.cell.advance(self._own(state), self._V(V), own)

    def _V(self, V: Any) -> Array:
        dtype = self.cell.direct[...].dtype
        return (jnp.asarray(V) / self.velocity).astype(dtype)

    def _own(self, state: Array) -> Array:
        return jnp.asarray(state).astype(self.cell.direct[...].dtype)


class SteppedLaw(eqx.Module):
    """Any network with `initial` and `step` as a friction law that moves in fixed steps.

    It has no rate, so the simulators step it (`ratestate.slide(..., step=law.dt)`).

    Arguments:
        network: with `initial(V)` and `step(hidden, V, dt) → (hidden, Δμ)`.
        dt: the step, s; the one the network was trained with, unless it takes the time step.
        mu0: friction at the start.
        velocity: m/s that are one unit of velocity to the network.
        time: s that are one unit of time to the network.
    """

    network: Any
    dt: Any
    mu0: Any = 0.0
    velocity: Any = 1.0
    time: Any = 1.0

    def initial(self, V: Any) -> Any:
        """Hidden state before the first sample."""
        return self.network.initial(jnp.asarray(V) / self.velocity)

    def friction(self, V: Any, state: Any) -> Float[Array, ""]:
        """Friction if the velocity of this step is V."""
        return self.mu0 + self._step(state, V, self.dt)[1]

    def advance(self, state: Any, V: Any, dt: Any) -> Any:
        """Hidden state after a step at V."""
        return self._step(state, V, dt)[0]

    def _step(self, state: Any, V: Any, dt: Any) -> tuple[Any, Array]:
        return self.network.step(state, jnp.asarray(V) / self.velocity, dt / self.time)
