"""Dense networks: a plain one, and one with a path around each layer."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


class MLP(nnx.Module):
    """Dense layers with a nonlinearity between them.

    x ← σ(x W + b) for every layer but the last, which is linear.

    Arguments:
        sizes: input, hidden and output sizes.
        activation: σ.
        rngs: of the initial weights, N(0, 2/input) (He); biases are 0.

    Raises:
        ValueError: fewer than two sizes, or one below 1.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> MLP((3, 8, 2), rngs=nnx.Rngs(0))(jnp.ones(3)).shape
        (2,)
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        rngs: nnx.Rngs,
        activation: Callable[[Array], Array] = jax.nn.relu,
    ):
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes must be two or more numbers of at least 1; got {sizes}")
        self.activation = activation
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        self.weights = nnx.List([he_weights(rngs, rows, columns) for rows, columns in pairs])
        self.biases = nnx.List([nnx.Param(jnp.zeros(size)) for size in sizes[1:]])

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """One input; use jax.vmap for a batch."""
        last = len(self.weights) - 1
        for k, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ W[...] + b[...]
            if k < last:
                x = self.activation(x)
        return x


class ResidualMLP(nnx.Module):
    """Blocks x ← x + σ(norm(x) W + b) V between a linear entry and a linear exit.

    Arguments:
        inputs: size.
        width: of the blocks.
        blocks: their number.
        outputs: size.
        rngs: of the initial weights; V and the exit begin small, so that the network begins at 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> ResidualMLP(3, 16, 2, 4, rngs=nnx.Rngs(0))(jnp.ones(3)).shape
        (4,)
    """

    def __init__(self, inputs: int, width: int, blocks: int, outputs: int, *, rngs: nnx.Rngs):
        if min(inputs, width, blocks, outputs) < 1:
            raise ValueError("inputs, width, blocks and outputs must be at least 1")
        # V and the exit begin at a tenth of He's deviation: every block changes little of what
        # passes around it, and the first outputs are small
        self.entry = he_weights(rngs, inputs, width)
        self.expand = nnx.List([he_weights(rngs, width, width) for _ in range(blocks)])
        self.biases = nnx.List([nnx.Param(jnp.zeros(width)) for _ in range(blocks)])
        self.contract = nnx.List([he_weights(rngs, width, width, 0.1) for _ in range(blocks)])
        self.exit = he_weights(rngs, width, outputs, 0.1)
        self.exit_bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """One input; use jax.vmap for a batch."""
        x = x @ self.entry[...]
        for W, b, V in zip(self.expand, self.biases, self.contract, strict=True):
            # Normalised on the way into a block only: the path around stays free for gradients
            x = x + jax.nn.silu(_normalised(x) @ W[...] + b[...]) @ V[...]
        return _normalised(x) @ self.exit[...] + self.exit_bias[...]


def he_weights(rngs: nnx.Rngs, rows: int, columns: int, gain: float = 1.0) -> nnx.Param:
    """(rows, columns), N(0, 2 gain²/rows)."""
    # 2 makes up for a ReLU, which drops half of the mean square. `gain` multiplies the deviation:
    # `normal_weights` with a gain of 2 gain² draws the same up to the last bit
    scale = gain * (2 / rows) ** 0.5
    return nnx.Param(scale * jax.random.normal(rngs.params(), (rows, columns)))


def _normalised(x: Float[Array, "*m n"]) -> Float[Array, "*m n"]:
    """Divided by its root mean square."""
    # The small number gives x = 0 a finite derivative and is lost beside numbers of order one
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-6)
