"""Trained networks as friction laws: the methods that the simulators of `ratestate` call."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxfric._types import Number
from jaxfric.networks._friction_cell import FrictionCell
from jaxfric.networks._sequence import RecurrentNetwork


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

    cell: FrictionCell
    mu0: Number = 0.0
    reference: Number = 1.0
    velocity: Number = 1.0
    time: Number = 1.0

    def initial(self, V: Number) -> Float[Array, " n"]:
        """ln θ_i of steady sliding."""
        return self.cell.steady(self._V(V))

    def friction(self, V: Number, state: Float[Array, " n"]) -> Float[Array, ""]:
        """Friction coefficient."""
        # The cell's read-out is right up to a constant, since it learns from changes alone. What
        # it reads in steady sliding at the reference velocity is that constant
        reference = self._V(self.reference)
        steady = self.cell.read(self.cell.steady(reference), reference)
        return self.cell.read(self._cast(state), self._V(V)) + self.mu0 - steady

    def rate(self, V: Number, state: Float[Array, " n"]) -> Float[Array, " n"]:
        """d ln θ_i/dt, 1/s."""
        # From one over the cell's unit of time to 1/s; ln θ itself has no unit to convert
        return self.cell.rate(self._cast(state), self._V(V)) / self.time

    def advance(self, state: Float[Array, " n"], V: Number, dt: Number) -> Float[Array, " n"]:
        """ln θ_i after dt at constant velocity."""
        duration = jnp.asarray(dt / self.time, self._cast(state).dtype)
        return self.cell.advance(self._cast(state), self._V(V), duration)

    def _V(self, V: Number) -> Float[Array, ""]:
        """In the cell's unit and precision: a float32 cell serves a float64 simulation."""
        dtype = self.cell.direct[...].dtype
        return (jnp.asarray(V) / self.velocity).astype(dtype)

    def _cast(self, state: Float[Array, " n"]) -> Float[Array, " n"]:
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

    network: RecurrentNetwork
    dt: Number
    mu0: Number = 0.0
    velocity: Number = 1.0
    time: Number = 1.0

    def initial(self, V: Number) -> PyTree:
        """Hidden state before the first sample."""
        return self.network.initial(jnp.asarray(V) / self.velocity)

    def friction(self, V: Number, state: PyTree) -> Float[Array, ""]:
        """Friction if the velocity of this step is V."""
        # A network reads out only as it steps. The state it arrives at is thrown away: a simulator
        # asks for the friction of many trial velocities from the same state
        return self._step(state, V, self.dt)[1] + self.mu0

    def advance(self, state: PyTree, V: Number, dt: Number) -> PyTree:
        """Hidden state after a step at V."""
        return self._step(state, V, dt)[0]

    def _step(self, state: PyTree, V: Number, dt: Number) -> tuple[PyTree, Array]:
        return self.network.step(state, jnp.asarray(V) / self.velocity, dt / self.time)
