"""Architectures that the paper names as next: an LSTM and a small transformer."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxfric._types import Number, Vector
from jaxfric.networks import unroll


class FrictionLSTM(nnx.Module):
    """Long short-term memory and a linear read-out, on V and ln V.

    i, f, o = σ(W x + U h + b), g = tanh(W_g x + U_g h + b_g), c' = f ∘ c + i ∘ g, h' = o ∘ tanh c'.

    Arguments:
        hidden: units.
        floor: smallest velocity in ln V.
        output_scale: the read-out is multiplied by it.
        rngs: of the initial weights, uniform on ±1/√hidden.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> print(FrictionLSTM(8, rngs=nnx.Rngs(0))(jnp.ones(20), 0.01).shape)
        (20,)

    Source: Hochreiter and Schmidhuber (1997).
    """

    def __init__(
        self, hidden: int = 64, *, rngs: nnx.Rngs, floor: float = 1e-4, output_scale: float = 0.05
    ):
        if hidden < 1:
            raise ValueError(f"hidden must be at least 1; got {hidden}")
        self.hidden, self.floor, self.output_scale = hidden, floor, output_scale
        bound = hidden**-0.5

        def draw(*shape: int) -> nnx.Param:
            return nnx.Param(jax.random.uniform(rngs.params(), shape, minval=-bound, maxval=bound))

        self.input_weights = draw(2, 4 * hidden)
        self.hidden_weights = draw(hidden, 4 * hidden)
        self.bias = draw(4 * hidden)
        self.read_out = draw(hidden)
        self.read_out_bias = draw()

    def __call__(
        self, velocity: Vector, dt: Number, slip: Vector | None = None
    ) -> Float[Array, " m"]:
        """Δμ at every sample of one sequence; see `unroll`."""
        return unroll(self, velocity, dt, slip)

    def initial(self, V: Number) -> tuple[Array, Array]:
        """(h, c) before the first sample: zero."""
        zero = jnp.zeros(self.hidden, self.read_out[...].dtype)
        return zero, zero

    def step(
        self,
        hidden: tuple[Array, Array],
        velocity: Number,
        dt: Number,
        slip: Number | None = None,
    ) -> tuple[tuple[Array, Array], Array]:
        """(hidden state, Δμ) one sample later."""
        h, c = hidden
        x = _features(velocity, self.floor).astype(h.dtype)
        gates = x @ self.input_weights[...] + h @ self.hidden_weights[...] + self.bias[...]
        i, f, o, g = jnp.split(gates, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), self.output_scale * (h @ self.read_out[...] + self.read_out_bias[...])


class FrictionTransformer(nnx.Module):
    """Causal self-attention over the samples so far, on V and ln V.

    Blocks of attention and a tanh layer, each with layer norm before and a path around; positions
    enter as a bias of the attention that falls linearly with the distance in time.

    Arguments:
        width: of the tokens.
        heads: of the attention; divides the width.
        blocks: number of them.
        floor: smallest velocity in ln V.
        output_scale: the read-out is multiplied by it.
        rngs: of the initial weights.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> network = FrictionTransformer(8, heads=2, rngs=nnx.Rngs(0))
        >>> print(network(jnp.ones(20), 0.01).shape)
        (20,)

    Source: Vaswani et al. (2017); the bias of distance, Press et al. (2022).
    """

    def __init__(
        self,
        width: int = 32,
        *,
        rngs: nnx.Rngs,
        heads: int = 4,
        blocks: int = 2,
        floor: float = 1e-4,
        output_scale: float = 0.05,
    ):
        if width < 1 or heads < 1 or blocks < 1 or width % heads:
            raise ValueError(
                f"width, heads and blocks must be at least 1, and heads divide width; got {width}, "
                f"{heads} and {blocks}"
            )
        self.width, self.heads, self.blocks = width, heads, blocks
        self.floor, self.output_scale = floor, output_scale

        def draw(rows: int, columns: int) -> nnx.Param:
            return nnx.Param(rows**-0.5 * jax.random.normal(rngs.params(), (rows, columns)))

        self.embed = draw(2, width)
        self.attend = nnx.List([draw(width, 3 * width) for _ in range(blocks)])
        self.merge = nnx.List([draw(width, width) for _ in range(blocks)])
        self.expand = nnx.List([draw(width, 2 * width) for _ in range(blocks)])
        self.contract = nnx.List([draw(2 * width, width) for _ in range(blocks)])
        # Memory of each head, from a fiftieth of the sequence upwards
        self.log_fall = nnx.Param(jnp.linspace(jnp.log(50.0), 0.0, heads))
        self.read_out = draw(width, 1)

    def __call__(
        self, velocity: Vector, dt: Number, slip: Vector | None = None
    ) -> Float[Array, " m"]:
        """Δμ at every sample of one sequence."""
        velocity = jnp.asarray(velocity)
        if velocity.ndim != 1:
            raise ValueError(
                f"velocity must have shape (m,); got {velocity.shape}. For a batch, use jax.vmap"
            )
        x = jax.vmap(lambda v: _features(v, self.floor))(velocity).astype(self.embed[...].dtype)
        x, age = x @ self.embed[...], self._age(velocity.shape[0], dt)
        for k in range(self.blocks):
            x = x + self._attention(k, _normalised(x), age)
            x = x + jnp.tanh(_normalised(x) @ self.expand[k][...]) @ self.contract[k][...]
        return self.output_scale * (_normalised(x) @ self.read_out[...])[:, 0]

    def _age(self, m: int, dt: Number) -> Float[Array, "m m"]:
        """Time since each earlier sample; inf for later ones."""
        k = jnp.arange(m)
        age = (k[:, None] - k[None, :]).astype(self.embed[...].dtype)
        return jnp.where(age >= 0, age * jnp.asarray(dt, age.dtype), jnp.inf)

    def _attention(self, k: int, x: Array, age: Array) -> Array:
        m, size = x.shape[0], self.width // self.heads
        split = (x @ self.attend[k][...]).reshape(m, 3, self.heads, size)
        query, key, value = split[:, 0], split[:, 1], split[:, 2]
        fit = jnp.einsum("ihd,jhd->hij", query, key) / size**0.5
        fall = jnp.exp(self.log_fall[...])[:, None, None]
        seen = jnp.isfinite(age)
        fit = jnp.where(seen, fit - fall * jnp.where(seen, age, 0.0), -jnp.inf)
        mixed = jnp.einsum("hij,jhd->ihd", jax.nn.softmax(fit, axis=-1), value)
        return mixed.reshape(m, self.width) @ self.merge[k][...]


def _features(velocity: Number, floor: float) -> Float[Array, "2"]:
    V = jnp.asarray(velocity)
    return jnp.stack([V, jnp.log(jnp.maximum(V, floor)) / 3])


def _normalised(x: Array) -> Array:
    x = x - jnp.mean(x, axis=-1, keepdims=True)
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-5)
