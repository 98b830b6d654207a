"""Convolutional blocks and the parts made of them, for one image, as matrix products.

An image is (..., scales, columns, channels): leading axes are decoded side by side. On a CPU the
transposed convolutions below took a third to a ninth of the time of XLA's own, gradient included
(the strided ones from 1.6 times to a quarter), and they stay products under `jax.vmap` over
ensembles, where a convolution becomes a grouped one.
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxfric.networks._initial import normal_weights
from jaxfric.networks._pixels import PAST, SAME, from_blocks, pad, to_blocks, windows

# Of the weights before a ReLU, after K. He et al., ICCV (2015): it drops half of the mean square.
HE = 2.0
# Of weights that lead to the output: the first images and levels are close to zero.
SMALL = 0.1


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
        # x of mean square one is divided by √(floor + 1). γ begins with that: it passes as it is
        self.gain = nnx.Param(jnp.full(channels, (1 + floor) ** 0.5))
        self.shift = nnx.Param(jnp.zeros(channels))

    def __call__(
        self, x: Float[Array, "*m scales columns channels"]
    ) -> Float[Array, "*m scales columns channels"]:
        """The same shape."""
        over = -3 if self.causal else (-3, -2)
        # No mean is subtracted, unlike in group normalisation: a later layer could not know it any
        # more. Means over the image come first, so that the groups are of few numbers
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
        self.weights = normal_weights(rngs, 9 * inputs, outputs, HE)
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(
        self, x: Float[Array, "*m scales columns inputs"]
    ) -> Float[Array, "*m scales columns outputs"]:
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
        self.weights = normal_weights(rngs, 16 * inputs, outputs, HE)
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.norm = normaliser(normalisation, outputs, causal)

    def __call__(
        self, x: Float[Array, "*m scales columns inputs"]
    ) -> Float[Array, "*m rows times outputs"]:
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
        # From the 2 × 2 pixels around a corner to the 2 × 2 that it makes: every pixel of the large
        # image hears four of the small one, none more than others, and no checkerboard appears
        self.weights = normal_weights(rngs, 4 * inputs, 4 * outputs, HE)
        self.bias = nnx.Param(jnp.zeros(4 * outputs))
        self.norm = normaliser(normalisation, outputs, causal)

    def __call__(
        self, x: Float[Array, "*m scales columns inputs"]
    ) -> Float[Array, "*m rows times outputs"]:
        """(..., 2 scales, 2 columns, outputs)."""
        x = windows(pad(x, SAME, PAST if self.causal else SAME), 2)
        # One corner more than pixels along each axis: the outermost ring of pixels is cut away
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
        # At a gain of two z has twice the mean square of v; a half on the way back undoes that
        self.down = normal_weights(rngs, size, width, HE)
        self.down_bias = nnx.Param(jnp.zeros(width))
        self.up = normal_weights(rngs, width, size, 0.5)
        self.up_bias = nnx.Param(jnp.zeros(size))

    def __call__(
        self, v: Float[Array, "*m size"]
    ) -> tuple[Float[Array, "*m width"], Float[Array, "*m size"]]:
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

    hidden = 16  # of the tanh layer; `EncoderDecoder` counts them when it divides the parameters

    def __init__(self, width: int, outputs: int, *, rngs: nnx.Rngs):
        n = self.hidden
        # tanh is linear near zero: a gain of one keeps the size of z
        self.entry, self.bias = normal_weights(rngs, width, n, 1.0), nnx.Param(jnp.zeros(n))
        self.exit = normal_weights(rngs, n, outputs, SMALL)
        self.exit_bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, z: Float[Array, " width"]) -> Float[Array, " outputs"]:
        """(outputs,)."""
        return jnp.tanh(z @ self.entry[...] + self.bias[...]) @ self.exit[...] + self.exit_bias[...]


class Encoder(nnx.Module):
    """A 3 × 3 block at full size, then blocks that halve the image.

    Arguments:
        channels: of the image.
        widths: channels at full size and after every halving.
        normalisation: "group" or "none".
        causal: see `Down`.
        rngs: of the initial weights.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        normalisation: str,
        *,
        causal: bool,
        rngs: nnx.Rngs,
    ):
        self.entry = Conv(channels, widths[0], causal=causal, rngs=rngs)
        pairs = zip(widths[:-1], widths[1:], strict=True)
        self.blocks = nnx.List(
            [Down(m, n, normalisation, causal=causal, rngs=rngs) for m, n in pairs]
        )

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
        normalisation: "group" or "none".
        causal: see `Down`.
        rngs: of the initial weights.
    """

    def __init__(
        self,
        outputs: int,
        widths: Sequence[int],
        normalisation: str,
        *,
        causal: bool,
        rngs: nnx.Rngs,
    ):
        pairs = zip(widths[1:], widths[:-1], strict=True)
        self.blocks = nnx.List(
            [Up(m, n, normalisation, causal=causal, rngs=rngs) for m, n in pairs]
        )
        self.exit = normal_weights(rngs, widths[0], outputs, SMALL)
        self.exit_bias = nnx.Param(jnp.zeros(outputs))

    def __call__(
        self,
        deepest: Float[Array, "rows times width"],
        stages: Sequence[Array],
        skips: bool,
        hierarchical: bool,
    ) -> Float[Array, "depths scales columns outputs"]:
        """Images of the sub-models, the deepest first; see `EncoderDecoder`."""
        # Sub-models side by side along a leading axis: each block runs once for all of them. They
        # join where their encoder stage has the size of x, the deepest being there from the start
        x = deepest[None]
        for d in reversed(range(len(self.blocks))):
            x = self.blocks[d](x)
            if skips:
                x = x + stages[d]
            # The full-size stage is no sub-model of its own: it would pass no block at all
            if hierarchical and d > 0:
                x = jnp.concatenate([x, stages[d][None]])
        return x @ self.exit[...] + self.exit_bias[...]


def normaliser(normalisation: str, channels: int, causal: bool) -> GroupNorm | None:
    """The module of this name."""
    if normalisation not in ("group", "none"):
        raise ValueError(f'normalisation must be "group" or "none"; got {normalisation!r}')
    return GroupNorm(channels, causal=causal) if normalisation == "group" else None
