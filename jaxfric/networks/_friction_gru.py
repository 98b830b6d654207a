"""The recurrent network of the paper "Slide, Hold, Learn", with options."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxfric._types import Number, Vector
from jaxfric.networks._sequence import unroll


class FrictionGRU(nnx.Module):
    """Gated recurrent unit(s) and a linear read-out: velocity → change of friction.

    r = σ(W_r x + b_r + U_r h + c_r), z likewise, n = tanh(W_n x + b_n + r ∘ (U_n h + c_n)),
    h' = (1 − z) ∘ n + z ∘ h, ŷ = w · h' + c.

    Arguments:
        hidden: units.
        layers: stacked units; the paper has one.
        log_velocity: also take ln(max(V, floor)), which tells holds from slow sliding.
        floor: smallest velocity that it distinguishes, in units of velocity_scale.
        time_step: also take ln(dt/time_scale).
        use_slip: also take the slip since the last sample, over slip_scale.
        velocity_scale: velocities are divided by it.
        time_scale: see time_step.
        slip_scale: see use_slip.
        output_scale: the read-out is multiplied by it.
        rngs: of the initial weights, uniform on ±1/√hidden.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> network = FrictionGRU(8, rngs=nnx.Rngs(0))
        >>> print(network(jnp.ones(20), 0.01).shape)
        (20,)

    Source: the paper's section II.3; the options are ours.
    """

    def __init__(
        self,
        hidden: int = 64,
        *,
        rngs: nnx.Rngs,
        layers: int = 1,
        log_velocity: bool = False,
        floor: float = 1e-4,
        time_step: bool = False,
        use_slip: bool = False,
        velocity_scale: float = 1.0,
        time_scale: float = 0.01,
        slip_scale: float = 0.01,
        output_scale: float = 1.0,
    ):
        if hidden < 1 or layers < 1:
            raise ValueError(f"hidden and layers must be at least 1; got {hidden} and {layers}")
        self.hidden, self.layers = hidden, layers
        self.log_velocity, self.floor = log_velocity, floor
        self.time_step, self.use_slip = time_step, use_slip
        self.velocity_scale, self.time_scale = velocity_scale, time_scale
        self.slip_scale, self.output_scale = slip_scale, output_scale
        inputs = 1 + log_velocity + time_step + use_slip
        widths = [inputs] + [hidden] * (layers - 1)
        # The range from which PyTorch, with which the paper was made, draws a GRU's weights and
        # those of a linear layer behind it. Biases are drawn too, and stand twice (b and c), since
        # c_n lies inside the reset gate and b_n does not
        bound = hidden**-0.5

        def draw(*shape: int) -> nnx.Param:
            return nnx.Param(jax.random.uniform(rngs.params(), shape, minval=-bound, maxval=bound))

        # Weights of r, z and n stand side by side: one product for the three gates
        self.input_weights = nnx.List([draw(n, 3 * hidden) for n in widths])
        self.input_bias = draw(layers, 3 * hidden)
        self.hidden_weights = draw(layers, hidden, 3 * hidden)
        self.hidden_bias = draw(layers, 3 * hidden)
        self.read_out = draw(hidden)
        self.read_out_bias = draw()

    def __call__(
        self, velocity: Vector, dt: Number, slip: Vector | None = None
    ) -> Float[Array, " m"]:
        """Δμ at every sample of one sequence; see `unroll`."""
        return unroll(self, velocity, dt, slip)

    def initial(self, V: Number) -> Float[Array, "layers hidden"]:
        """Hidden state before the first sample: zero."""
        return jnp.zeros((self.layers, self.hidden), self.read_out[...].dtype)

    def step(
        self,
        hidden: Float[Array, "layers hidden"],
        velocity: Number,
        dt: Number,
        slip: Number | None = None,
    ) -> tuple[Float[Array, "layers hidden"], Float[Array, ""]]:
        """(hidden state, Δμ) one sample later."""
        x, after = self.features(velocity, dt, slip), []
        # Each unit reads the new state of the one below it, the last one is read out
        for k in range(self.layers):
            after.append(self._unit(k, x, hidden[k]))
            x = after[-1]
        change = jnp.sum(x * self.read_out[...]) + self.read_out_bias[...]
        # Weights of order one then predict changes of order `output_scale`
        return jnp.stack(after), self.output_scale * change

    def features(
        self, velocity: Number, dt: Number, slip: Number | None
    ) -> Float[Array, " inputs"]:
        """What enters the first unit."""
        V = jnp.asarray(velocity) / self.velocity_scale
        found = [V]
        if self.log_velocity:
            # In V alone a hold and slow sliding look the same, while friction follows ln V. At rest
            # that is −∞, hence the floor: whatever is slower looks like rest. A third of the
            # logarithm of a sliding velocity is of order one, as V itself is
            found.append(jnp.log(jnp.maximum(V, self.floor)) / 3)
        if self.time_step:
            found.append(jnp.log(jnp.asarray(dt, V.dtype) / self.time_scale))
        if self.use_slip:
            if slip is None:
                raise ValueError("this network was made with use_slip: give it slip increments")
            found.append(jnp.asarray(slip) / self.slip_scale)
        # The precision is that of the weights, whatever a simulator runs in
        return jnp.stack(found).astype(self.read_out[...].dtype)

    def _unit(self, k: int, x: Array, h: Array) -> Float[Array, " hidden"]:
        """Equations 3 of the paper: unit k one sample later."""
        n = self.hidden
        from_input = x @ self.input_weights[k][...] + self.input_bias[...][k]
        from_hidden = h @ self.hidden_weights[...][k] + self.hidden_bias[...][k]
        gates = jax.nn.sigmoid(from_input[: 2 * n] + from_hidden[: 2 * n])
        r, z = gates[:n], gates[n:]
        candidate = jnp.tanh(from_input[2 * n :] + r * from_hidden[2 * n :])
        return (1 - z) * candidate + z * h
