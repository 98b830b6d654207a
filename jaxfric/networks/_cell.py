"""A recurrent cell with the shape of friction's physics and none of its constants."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxfric.networks._sequence import unroll

# A solver's trial steps overflow before they are rejected; in reverse mode inf × 0 would be NaN
LARGEST = 1e20
# So that the share can come close to 0 or 1, where jumps fall on samples, in a short training
STEEP = 8.0


def _bounded(x: Array) -> Array:
    return jnp.clip(x, -60.0, 60.0)


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
        lengths = jnp.geomspace(shortest, longest, states + 2)[1:-1]
        n = 2 * states
        self.log_length = nnx.Param(jnp.log(jnp.concatenate([lengths, lengths])))
        noise = 0.1 * jax.random.normal(rngs.params(), (n,))
        self.log_length[...] = self.log_length[...] + noise
        self.direct = nnx.Param(jnp.ones(()))
        self.weights = nnx.Param(jnp.full((n,), 1.0 / n))
        inputs = 0.2 * jax.random.normal(rngs.params(), (n + 1, width))
        self.inputs = nnx.Param(inputs)
        self.bias = nnx.Param(jnp.zeros(width))
        self.outputs = nnx.Param(jnp.zeros(width))
        # Where a jump lies: the share of the step after it, and how far the assumptions spread
        self.share = nnx.Param(jnp.zeros(()))
        self.spread = nnx.Param(jnp.zeros(()))

    def __call__(self, velocity: Any, dt: Any, slip: Any = None) -> Float[Array, " m"]:
        """Δμ at every sample of one sequence; see `unroll`."""
        return unroll(self, velocity, dt, slip)

    def initial(self, V: Any) -> tuple[Array, Array, Array]:
        """(states of each assumed position, velocity before, friction at the start), steady."""
        V = self._velocity(V)
        x = self.steady(V)
        return jnp.broadcast_to(x, (self.positions, *x.shape)), V, self.read(x, V)

    def step(self, hidden: Any, velocity: Any, dt: Any, slip: Any = None) -> tuple[Any, Array]:
        """(hidden state, Δμ) one sample later."""
        x, before, start = hidden
        V = self._velocity(velocity)
        dt = jnp.asarray(dt, V.dtype)
        if slip is None:
            share, early = self.shares(), before
        else:
            share, early = self._from_slip(slip, before, V, dt)
        x = jax.vmap(lambda x, s: self.advance(x, early, (1 - s) * dt))(x, share)
        x = jax.vmap(lambda x, s: self.advance(x, V, s * dt))(x, share)
        change = jnp.mean(jax.vmap(lambda x: self.read(x, V))(x)) - start
        return (x, V, start), change

    def steady(self, V: Array) -> Float[Array, " n"]:
        """ln θ_i of steady sliding."""
        return self.log_length[...] - self._log(V)

    def advance(self, x: Array, V: Array, dt: Array) -> Float[Array, " n"]:
        """ln θ_i after dt at constant velocity, in closed form."""
        k = self.states
        r = V * dt * jnp.exp(-self.log_length[...])
        decay, gone = jnp.exp(-r), -jnp.expm1(-r)
        # (D/V)(1 − e^{−r}) = dt (1 − e^{−r})/r, which has no 0/0 at rest
        safe = jnp.where(r > 1e-6, r, 1.0)
        growth = dt * jnp.where(r > 1e-6, gone / safe, 1 - r / 2)
        aged = jnp.log(jnp.exp(x[:k]) * decay[:k] + growth[:k])
        return jnp.concatenate([aged, (x * decay + self.steady(V) * gone)[k:]])

    def rate(self, x: Array, V: Array) -> Float[Array, " n"]:
        """d ln θ_i/dt."""
        k, x, V = self.states, _bounded(x), jnp.minimum(V, LARGEST)
        per_time = V * jnp.exp(-self.log_length[...])
        aging = jnp.exp(-x) - per_time
        slipping = -per_time * (x - self.steady(V))
        return jnp.concatenate([aging[:k], slipping[k:]])

    def read(self, x: Array, V: Array) -> Float[Array, ""]:
        """Friction up to a constant."""
        w = self._log(V)
        linear = self.direct[...] * w + jnp.sum(self.weights[...] * x)
        features = jnp.concatenate([w[None], x]) / 4
        hidden = jnp.tanh(features @ self.inputs[...] + self.bias[...])
        return self.output_scale * (linear + jnp.sum(hidden * self.outputs[...]))

    def shares(self) -> Float[Array, " positions"]:
        """Shares of a step after a jump in it, evenly spread about the learned middle."""
        middle = jax.nn.sigmoid(STEEP * self.share[...])
        room = jnp.minimum(middle, 1 - middle)
        even = (jnp.arange(self.positions) + 0.5) / self.positions - 0.5
        return middle + 2 * room * jax.nn.sigmoid(self.spread[...]) * even.astype(middle.dtype)

    def _from_slip(self, slip: Any, before: Array, V: Array, dt: Array) -> tuple[Array, Array]:
        """(share of the step at V, velocity before it) that explain the slip.

        One jump explains any slip between the two velocities'; for another slip, the velocity was
        its mean over the step.
        """
        slip = jnp.asarray(slip, V.dtype)
        change = (V - before) * dt
        excess = slip - before * dt
        moved = jnp.abs(change) > 1e-6 * jnp.maximum(jnp.abs(V), jnp.abs(before)) * dt
        share = jnp.where(moved, excess / jnp.where(moved, change, 1.0), 0.0)
        one_jump = (share > -1e-3) & (share < 1 + 1e-3)
        early = jnp.where(one_jump, before, slip / dt)
        share = jnp.where(one_jump, jnp.clip(share, 0.0, 1.0), 0.0)
        return jnp.broadcast_to(share, (self.positions,)), early

    def _log(self, V: Array) -> Array:
        # No floor above zero: a simulator needs the direct effect at every velocity
        return jnp.log(jnp.where(V > 0, V, self.floor))

    def _velocity(self, V: Any) -> Array:
        return jnp.asarray(V, self.direct[...].dtype)
