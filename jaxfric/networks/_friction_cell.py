"""A recurrent cell with the shape of friction's physics and none of its constants."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxfric._types import Number, Vector
from jaxfric.networks._sequence import unroll

# Bounds on velocity and on |ln θ| in `rate`. A solver with adaptive steps tries steps that it then
# rejects; without bounds their rates overflow, and although they count for nothing in the result,
# the gradient would be inf × 0 = NaN. No sliding comes near them; 1e20 over a length, and e^60,
# about 1e26, are still numbers that float32 holds.
LARGEST, LARGEST_LOG = 1e20, 60.0
# Slope of the learned share of a step. Where jumps fall on samples the share is 0 or 1, the far
# ends of a sigmoid: eight times the slope lets a short training come close to them.
STEEP = 8.0


class CellState(NamedTuple):
    """What a `FrictionCell` carries from sample to sample."""

    log_states: Float[Array, "positions n"]  # ln θ_i, for each assumed position of a jump
    velocity: Float[Array, ""]  # at the sample before: on which side of a jump a step begins
    start: Float[Array, ""]  # read-out at the first sample, from which changes are counted


class FrictionCell(nnx.Module):
    """States that relax with slip and time, and a learned read-out: velocity → change of friction.

    Half the states relax in θ, θ' = 1 − Vθ/D_i, the others in ln θ, (ln θ)' = −(V/D_i) ln(Vθ/D_i),
    exactly over each step. The read-out is linear in ln V and the ln θ_i, plus a small tanh network
    that starts at zero. The lengths D_i and all weights are learned: nothing tells the cell which
    law made the data.

    A jump of the velocity falls somewhere between two samples. The cell learns where to assume it
    (`positions` of them at once, averaged), or works it out from the slip increments when it has
    them.

    Arguments:
        states: of each kind.
        width: units of the tanh network; 0 leaves it out.
        positions: assumed positions of a jump between samples.
        shortest: smallest initial length, in units of velocity × time.
        longest: largest initial length.
        floor: what stands for V = 0 in ln V.
        output_scale: of the initial read-out.
        rngs: of the initial weights.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> cell = FrictionCell(rngs=nnx.Rngs(0))
        >>> change = cell(jnp.ones(20), 0.01)  # steady sliding
        >>> print(float(jnp.abs(change).max()) < 1e-6)
        True

    Source: ours; the relaxations are those of Dieterich (1979) and Ruina (1983).
    """

    def __init__(
        self,
        states: int = 2,
        *,
        rngs: nnx.Rngs,
        width: int = 8,
        positions: int = 1,
        shortest: float = 0.01,
        longest: float = 0.1,
        floor: float = 1e-12,
        output_scale: float = 0.01,
    ):
        if states < 1 or positions < 1:
            raise ValueError(
                f"states and positions must be at least 1; got {states} and {positions}"
            )
        self.states, self.width, self.positions = states, width, positions
        self.floor, self.output_scale = floor, output_scale
        # Lengths spread evenly in ln D between the ends, which are left out: a single state begins
        # in the middle. Their logarithm is learned, so that they stay positive and a step of the
        # optimiser is a ratio, whatever the unit. The noise, a tenth in ln D, is what tells seeds
        # apart while the tanh network is silent
        lengths = jnp.geomspace(shortest, longest, states + 2)[1:-1]
        n = 2 * states
        self.log_length = nnx.Param(jnp.log(jnp.concatenate([lengths, lengths])))
        noise = 0.1 * jax.random.normal(rngs.params(), (n,))
        self.log_length[...] = self.log_length[...] + noise
        # In steady sliding ln θ_i = ln D_i − ln V. With weights that sum to one, which is that of
        # ln V, steady friction begins the same at every velocity: no strengthening, no weakening
        self.direct = nnx.Param(jnp.ones(()))
        self.weights = nnx.Param(jnp.full((n,), 1.0 / n))
        # Outputs of zero silence the tanh network at first; inputs are drawn, as units that see the
        # same would have the same gradient for ever
        inputs = 0.2 * jax.random.normal(rngs.params(), (n + 1, width))
        self.inputs = nnx.Param(inputs)
        self.bias = nnx.Param(jnp.zeros(width))
        self.outputs = nnx.Param(jnp.zeros(width))
        # Where a jump lies: the share of the step after it, and how far the assumptions spread.
        # Zero stands for the middle of the step, before anything is known
        self.share = nnx.Param(jnp.zeros(()))
        self.spread = nnx.Param(jnp.zeros(()))

    def __call__(
        self, velocity: Vector, dt: Number, slip: Vector | None = None
    ) -> Float[Array, " m"]:
        """Δμ at every sample of one sequence; see `unroll`."""
        return unroll(self, velocity, dt, slip)

    def initial(self, V: Number) -> CellState:
        """The hidden state of steady sliding at V."""
        V = self._velocity(V)
        x = self.steady(V)
        return CellState(jnp.broadcast_to(x, (self.positions, *x.shape)), V, self.read(x, V))

    def step(
        self, hidden: CellState, velocity: Number, dt: Number, slip: Number | None = None
    ) -> tuple[CellState, Float[Array, ""]]:
        """(hidden state, Δμ) one sample later."""
        x, before, start = hidden
        V = self._velocity(velocity)
        dt = jnp.asarray(dt, V.dtype)
        if slip is None:
            share, early = self.shares(), before
        else:
            share, early = self._from_slip(slip, before, V, dt)
        # At the earlier velocity up to the jump, at the new one after it, both in closed form
        x = jax.vmap(lambda x, s: self.advance(x, early, (1 - s) * dt))(x, share)
        x = jax.vmap(lambda x, s: self.advance(x, V, s * dt))(x, share)
        change = jnp.mean(jax.vmap(lambda x: self.read(x, V))(x)) - start
        return CellState(x, V, start), change

    def steady(self, V: Float[Array, ""]) -> Float[Array, " n"]:
        """ln θ_i of steady sliding."""
        return self.log_length[...] - self._log(V)

    def advance(
        self, x: Float[Array, " n"], V: Float[Array, ""], dt: Float[Array, ""]
    ) -> Float[Array, " n"]:
        """ln θ_i after dt at constant velocity, in closed form."""
        k = self.states
        r = V * dt * jnp.exp(-self.log_length[...])  # slip in lengths D
        # expm1, as 1 − e^{−r} has lost all its digits for the small slip of a hold in float32
        decay, gone = jnp.exp(-r), -jnp.expm1(-r)
        # θ grows by (D/V)(1 − e^{−r}) = dt (1 − e^{−r})/r, written without a division by V, which
        # is zero at rest. The two first terms of the series stand in for 0/0; the `safe` divisor
        # keeps NaN out of the gradient of the branch that is not taken
        safe = jnp.where(r > 1e-6, r, 1.0)
        growth = dt * jnp.where(r > 1e-6, gone / safe, 1 - r / 2)
        # First half, aging: θ = θ_0 e^{−r} + growth. Second half, slip: ln θ relaxes to ln θ_ss
        aged = jnp.log(jnp.exp(x[:k]) * decay[:k] + growth[:k])
        return jnp.concatenate([aged, (x * decay + self.steady(V) * gone)[k:]])

    def rate(self, x: Float[Array, " n"], V: Float[Array, ""]) -> Float[Array, " n"]:
        """d ln θ_i/dt."""
        k, x, V = self.states, jnp.clip(x, -LARGEST_LOG, LARGEST_LOG), jnp.minimum(V, LARGEST)
        per_time = V * jnp.exp(-self.log_length[...])
        aging = jnp.exp(-x) - per_time
        slipping = -per_time * (x - self.steady(V))
        return jnp.concatenate([aging[:k], slipping[k:]])

    def read(self, x: Float[Array, " n"], V: Float[Array, ""]) -> Float[Array, ""]:
        """Friction up to a constant."""
        w = self._log(V)
        # μ = a ln V + Σ b_i ln θ_i is all that rate-and-state laws have; the rest is for data that
        # do not follow them
        linear = self.direct[...] * w + jnp.sum(self.weights[...] * x)
        # Logarithms of holds are about −20: a fourth of them, times inputs of 0.2, leaves tanh in
        # the range where it bends
        features = jnp.concatenate([w[None], x]) / 4
        hidden = jnp.tanh(features @ self.inputs[...] + self.bias[...])
        return self.output_scale * (linear + jnp.sum(hidden * self.outputs[...]))

    def shares(self) -> Float[Array, " positions"]:
        """Shares of a step after a jump in it, evenly spread about the learned middle."""
        middle = jax.nn.sigmoid(STEEP * self.share[...])
        # The spread is a share of what room there is: every position stays inside the step
        room = jnp.minimum(middle, 1 - middle)
        even = (jnp.arange(self.positions) + 0.5) / self.positions - 0.5
        return middle + 2 * room * jax.nn.sigmoid(self.spread[...]) * even.astype(middle.dtype)

    def _from_slip(
        self, slip: Number, before: Array, V: Array, dt: Array
    ) -> tuple[Float[Array, " positions"], Float[Array, ""]]:
        """(share of the step at V, velocity before it) that explain the slip.

        One jump explains any slip between the two velocities'; for another slip, the velocity was
        its mean over the step.
        """
        # slip = before (1 − s) dt + V s dt, solved for the share s of the step at V
        slip = jnp.asarray(slip, V.dtype)
        change = (V - before) * dt
        excess = slip - before * dt
        # Below the rounding of float32 there was no change, and any share explains the slip
        moved = jnp.abs(change) > 1e-6 * jnp.maximum(jnp.abs(V), jnp.abs(before)) * dt
        share = jnp.where(moved, excess / jnp.where(moved, change, 1.0), 0.0)
        # A little outside [0, 1] is the rounding of slip and is clipped; more is a second jump
        one_jump = (share > -1e-3) & (share < 1 + 1e-3)
        early = jnp.where(one_jump, before, slip / dt)
        share = jnp.where(one_jump, jnp.clip(share, 0.0, 1.0), 0.0)
        return jnp.broadcast_to(share, (self.positions,)), early

    def _log(self, V: Float[Array, ""]) -> Float[Array, ""]:
        """ln V."""
        # The floor stands in for rest alone, where the logarithm is −∞. As a lower bound it would
        # take away the direct effect below it, by which a simulator finds the velocity
        return jnp.log(jnp.where(V > 0, V, self.floor))

    def _velocity(self, V: Number) -> Float[Array, ""]:
        """In the precision of the weights."""
        return jnp.asarray(V, self.direct[...].dtype)
