"""Convolutional blocks and the parts made of them, for one image, as matrix products.

An image is (..., scales, columns, channels): leading axes are decoded side by side. On a CPU the
transposed convolutions below took a third to a ninth of the time of XLA's own, gradient included
(the strided ones from 1.6 times to a quarter), and they stay products under `jax.vmap` over
ensembles, where a convolution becomes a grouped one.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

SAME, PAST = (1, 1), (2, 0)  # zeros before and after an axis


class GroupNorm(nnx.Module):
    """Soft normalisation by the groups of one image: y = γ x / sqrt(floor + mean x²) + β.

    The mean runs over the channels of a group and over the image (`causal`: over the scales of
    one column, so that no column sees a later one). There are no running statistics: batch
    normalisation needs a batch, which a function of one image never sees, and a state, which a
    pytree of parameters must not hide. A floor of the order of the signal lets small amplitudes
    through and only bounds large ones; with a floor near zero a layer without a bias would forget
    how loud its input was.

    Arguments:
        channels: of the image; a group has as many as the largest divisor shared with 8.
        causal: see above.
        floor: added to the mean square; 1 for inputs of unit variance.

    Example:
        >>> import jax.numpy as jnp
        >>> print(GroupNorm(8)(jnp.full((4, 4, 8), 1.0))[0, 0, 0])
        1.0

    Source: after Y. Wu and K. He, ECCV (2018); the floor is ours.
    """

    def __init__(self, channels: int, *, causal: bool = False, floor: float = 1.0):
        self.size, self.causal, self.floor = math.gcd(channels, 8), causal, floor
        # √2 γ with floor 1 keeps a mean square of one
        self.gain = nnx.Param(jnp.full(channels, (1 + floor) ** 0.5))
        self.shift = nnx.Param(jnp.zeros(channels))

    def __call__(self, x: Float[Array, "*m scales columns channels"]) -> Array:
        """The same shape."""
        over = -3 if self.causal else (-3, -2)
        square = jnp.mean(x**2, axis=over, keepdims=True)
        groups = square.reshape(*square.shape[:-1], -1, self.size)
        group = jnp.mean(groups, axis=-1, keepdims=True)
        square = jnp.broadcast_to(group, groups.shape).reshape(square.shape)
        return x * (self.gain[...] * jax.lax.rsqrt(self.floor + square)) + self.shift[...]


class Conv(nnx.Module):
    """3 × 3 convolution and ReLU at the same size.

    Arguments:
        inputs: channels.
        outputs: channels.
        causal: along the columns, see the past only.
        rngs: of the initial weights (He).
    """

    def __init__(self, inputs: int, outputs: int, *, causal: bool = False, rngs: nnx.Rngs):
        self.causal = causal
        self.weights, self.bias = weights(rngs, 9 * inputs, outputs), nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: Float[Array, "*m scales columns inputs"]) -> Array:
        """(..., scales, columns, outputs)."""
        x = windows(pad(x, SAME, PAST if self.causal else SAME), 3)
        return jax.nn.relu(x @ self.weights[...] + self.bias[...])


class Down(nnx.Module):
    """4 × 4 convolution of stride 2, normalisation, ReLU.

    Half-size pixel i covers pixels 2i − 1 to 2i + 2; columns of a causal block cover 2i − 2 to
    2i + 1, so that column i knows nothing after the last of the two columns it stands for.

    Arguments:
        inputs: channels.
        outputs: channels.
        normalisation: "group" or "none".
        causal: see above.
        rngs: of the initial weights (He).
    """

    def __init__(
        self, inputs: int, outputs: int, normalisation: str, *, causal: bool, rngs: nnx.Rngs
    ):
        self.causal = causal
        self.weights, self.bias = weights(rngs, 16 * inputs, outputs), nnx.Param(jnp.zeros(outputs))
        self.norm = normaliser(normalisation, outputs, causal)

    def __call__(self, x: Float[Array, "*m scales columns inputs"]) -> Array:
        """(..., scales/2, columns/2, outputs)."""
        x = pad(x, SAME, PAST if self.causal else SAME)
        # A 4 × 4 window of stride 2 is a 2 × 2 window of blocks of 2 × 2 pixels
        x = windows(to_blocks(x), 2) @ self.weights[...] + self.bias[...]
        return jax.nn.relu(x if self.norm is None else self.norm(x))


class Up(nnx.Module):
    """4 × 4 transposed convolution of stride 2, normalisation, ReLU.

    Every corner of the small image between 2 × 2 pixels makes 2 × 2 pixels of the large one. In
    a causal block column i of the small image, which knows columns up to 2i + 1, is used from
    column 2i + 1 on: the newest column of the large image always has the newest of the small one.

    Arguments:
        inputs: channels.
        outputs: channels.
        normalisation: "group" or "none".
        causal: see above.
        rngs: of the initial weights (He).
    """

    def __init__(
        self, inputs: int, outputs: int, normalisation: str, *, causal: bool, rngs: nnx.Rngs
    ):
        self.causal = causal
        self.weights = weights(rngs, 4 * inputs, 4 * outputs)
        self.bias = nnx.Param(jnp.zeros(4 * outputs))
        self.norm = normaliser(normalisation, outputs, causal)

    def __call__(self, x: Float[Array, "*m scales columns inputs"]) -> Array:
        """(..., 2 scales, 2 columns, outputs)."""
        x = windows(pad(x, SAME, PAST if self.causal else SAME), 2)
        x = from_blocks(x @ self.weights[...] + self.bias[...])[..., 1:-1, 1:-1, :]
        return jax.nn.relu(x if self.norm is None else self.norm(x))


class Latent(nnx.Module):
    """Linear layers v → z = v A + a → z B + b around the latent vector z.

    Arguments:
        size: of v.
        width: of z.
        rngs: of the initial weights.
    """

    def __init__(self, size: int, width: int, *, rngs: nnx.Rngs):
        self.down, self.down_bias = weights(rngs, size, width), nnx.Param(jnp.zeros(width))
        # z has twice the mean square of v
        self.up, self.up_bias = weights(rngs, width, size, 0.5), nnx.Param(jnp.zeros(size))

    def __call__(self, v: Float[Array, "*m size"]) -> tuple[Array, Array]:
        """(z, decoded v)."""
        z = v @ self.down[...] + self.down_bias[...]
        return z, z @ self.up[...] + self.up_bias[...]


class Level(nnx.Module):
    """The slow level: tanh(z U + u) w + c.

    Arguments:
        width: of z.
        outputs: levels.
        rngs: of the initial weights.
    """

    hidden = 16

    def __init__(self, width: int, outputs: int, *, rngs: nnx.Rngs):
        n = self.hidden
        self.entry, self.bias = weights(rngs, width, n, 1.0), nnx.Param(jnp.zeros(n))
        self.exit, self.exit_bias = weights(rngs, n, outputs, 0.1), nnx.Param(jnp.zeros(outputs))

    def __call__(self, z: Float[Array, " width"]) -> Float[Array, " outputs"]:
        """(outputs,)."""
        return jnp.tanh(z @ self.entry[...] + self.bias[...]) @ self.exit[...] + self.exit_bias[...]


class Encoder(nnx.Module):
    """A 3 × 3 block at full size, then blocks that halve the image.

    Arguments:
        channels: of the image.
        widths: channels at full size and after every halving.
        options: normalisation and causal.
        rngs: of the initial weights.
    """

    def __init__(self, channels: int, widths: Sequence[int], *, rngs: nnx.Rngs, **options: Any):
        self.entry = Conv(channels, widths[0], causal=options["causal"], rngs=rngs)
        pairs = zip(widths[:-1], widths[1:], strict=True)
        self.blocks = nnx.List([Down(m, n, rngs=rngs, **options) for m, n in pairs])

    def __call__(self, x: Float[Array, "scales columns channels"]) -> list[Array]:
        """The image at full size and after every block."""
        stages = [self.entry(x)]
        for block in self.blocks:
            stages.append(block(stages[-1]))
        return stages


class Decoder(nnx.Module):
    """Blocks that double the image, then a linear read-out of every pixel.

    Arguments:
        outputs: channels of the image.
        widths: channels at full size and after every halving.
        options: normalisation and causal.
        rngs: of the initial weights.
    """

    def __init__(self, outputs: int, widths: Sequence[int], *, rngs: nnx.Rngs, **options: Any):
        pairs = zip(widths[1:], widths[:-1], strict=True)
        self.blocks = nnx.List([Up(m, n, rngs=rngs, **options) for m, n in pairs])
        # The read-out begins small: the first images are close to zero
        self.exit = weights(rngs, widths[0], outputs, 0.1)
        self.exit_bias = nnx.Param(jnp.zeros(outputs))

    def __call__(
        self, deepest: Array, stages: Sequence[Array], skips: bool, hierarchical: bool
    ) -> Float[Array, "depths scales columns outputs"]:
        """Images of the sub-models, the deepest first; see `EncoderDecoder`."""
        x = deepest[None]  # sub-models side by side
        for d in reversed(range(len(self.blocks))):
            x = self.blocks[d](x)
            if skips:
                x = x + stages[d]
            if hierarchical and d > 0:
                x = jnp.concatenate([x, stages[d][None]])
        return x @ self.exit[...] + self.exit_bias[...]


def weights(rngs: nnx.Rngs, rows: int, columns: int, gain: float = 2.0) -> Any:
    """(rows, columns), N(0, gain/rows); 2 (He) keeps the mean square through a ReLU."""
    return nnx.Param((gain / rows) ** 0.5 * jax.random.normal(rngs.params(), (rows, columns)))


def normaliser(normalisation: str, channels: int, causal: bool) -> GroupNorm | None:
    """The module of this name."""
    if normalisation not in ("group", "none"):
        raise ValueError(f'normalisation must be "group" or "none"; got {normalisation!r}')
    return GroupNorm(channels, causal=causal) if normalisation == "group" else None


def pad(x: Array, scales: tuple[int, int], columns: tuple[int, int]) -> Array:
    """Zeros around the image."""
    return jnp.pad(x, [(0, 0)] * (x.ndim - 3) + [scales, columns, (0, 0)])


def windows(x: Float[Array, "*m s t c"], k: int) -> Array:
    """All k × k windows: (..., s − k + 1, t − k + 1, k² c)."""
    s, t = x.shape[-3] - k + 1, x.shape[-2] - k + 1
    parts = [x[..., a : a + s, b : b + t, :] for a in range(k) for b in range(k)]
    return jnp.concatenate(parts, axis=-1)


def to_blocks(x: Float[Array, "*m s t c"]) -> Array:
    """Blocks of 2 × 2 pixels into the channels: (..., s/2, t/2, 4 c)."""
    *m, s, t, c = x.shape
    x = x.reshape(*m, s // 2, 2, t // 2, 2, c)
    return jnp.swapaxes(x, -4, -3).reshape(*m, s // 2, t // 2, 4 * c)


def from_blocks(x: Float[Array, "*m s t c"]) -> Array:
    """The inverse: (..., 2 s, 2 t, c/4)."""
    *m, s, t, c = x.shape
    x = jnp.swapaxes(x.reshape(*m, s, t, 2, 2, c // 4), -4, -3)
    return x.reshape(*m, 2 * s, 2 * t, c // 4)
