"""The convolutional encoder-decoder that maps one scalogram to another."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, PyTree

from jaxfric._types import Number, Numbers
from jaxfric.networks._conv import Decoder, Encoder, Latent, Level

# Of all parameters, those in the latent part: the paper "Predicting fault slip via transfer
# learning" tunes them alone, and they are 20 % of its network.
SHARE = 0.2


@runtime_checkable
class WithLatentPart(Protocol):
    """A module whose latent part is one of its attributes."""

    latent: PyTree


class Decoded(eqx.Module):
    """What an `EncoderDecoder` gives.

    Arguments:
        image: (outputs, scales, columns).
        level: (outputs,), the slow level at the last column; None without a level path.
        components: images of the sub-models of depth 1 to the last, which is `image`.
    """

    image: Float[Array, "outputs scales columns"]
    level: Float[Array, " outputs"] | None
    components: tuple[Float[Array, "outputs scales columns"], ...]


class EncoderDecoder(nnx.Module):
    """A U-Net with a linear latent space: scalogram of the emission → scalogram of the friction.

    Preprocessing block, blocks that halve the image, latent space z, as many blocks that double
    it, postprocessing; skip connections add each encoder stage to the decoder at its size. Half
    the first filters stand at full size. The sub-model of depth d < D decodes encoder stage d
    through the last d blocks of the one decoder, with the skip connections above it and without
    z; depth D is the whole network. All weights are shared, so a loss on the components
    (`scalogram_loss`) teaches every stage. Images that are not used cost nothing under `jax.jit`.

    One image at a time, for `jax.vmap`. Normalisation takes its statistics from that image alone
    and keeps no running state (batch statistics would need the batch and a hidden state); see
    `_conv.GroupNorm` for how amplitudes survive it. Inputs should have a variance near one.

    With `causal`, convolutions along the columns (time), their strides and the normalisation use
    the past only, and z is one vector for every 2^D columns, from the same layers: column k of
    every image depends on columns up to k alone. Without it, every column sees the whole image
    and a causal prediction is the last column of an image that ends at the present.

    Arguments:
        scales: rows, a multiple of 2^D.
        columns: a multiple of 2^D.
        channels: of the input image.
        filters: channels after each of the D halvings.
        latent: size of z; if None, the size that brings the latent part nearest to 20 % of all
            parameters.
        skips: with skip connections; without, `image` depends on the input through z alone.
        level: with a small head z → slow level, which a wavelet image cannot hold.
        outputs: channels of the output image, and levels.
        hierarchical: give the components of all depths.
        causal: see above.
        normalisation: "group" or "none".
        rngs: of the initial weights.

    Raises:
        ValueError: sizes below 1, or an image that cannot be halved D times.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> network = EncoderDecoder(16, 32, filters=(4, 8), rngs=nnx.Rngs(0))
        >>> decoded = network(jnp.ones((1, 16, 32)))
        >>> print(decoded.image.shape, decoded.level.shape, len(decoded.components))
        (1, 16, 32) (1,) 2

    Source: the paper "Predicting fault slip via transfer learning" and the caption of its figure
        in the journal version; the sharing between depths, `level` and `causal` are ours.
    """

    def __init__(
        self,
        scales: int = 32,
        columns: int = 64,
        channels: int = 1,
        filters: Sequence[int] = (16, 32, 64, 128),
        latent: int | None = None,
        *,
        skips: bool = True,
        level: bool = True,
        outputs: int = 1,
        hierarchical: bool = True,
        causal: bool = False,
        normalisation: str = "group",
        rngs: nnx.Rngs,
    ):
        step = 2 ** len(filters)
        if min(channels, outputs, *filters, 1 if latent is None else latent) < 1 or not filters:
            raise ValueError("channels, outputs, every filter and latent must be at least 1")
        if scales % step or columns % step or min(scales, columns) < step:
            raise ValueError(
                f"{len(filters)} filters halve the image as often: scales and columns must be "
                f"multiples of {step}; got {scales} and {columns}"
            )
        self.shape, self.skips, self.hierarchical = (channels, scales, columns), skips, hierarchical
        self.causal = causal
        # A channel at full size is the most work: half of the first filters have to do there
        widths = (max(1, filters[0] // 2), *filters)
        self.encoder = Encoder(channels, widths, normalisation, causal=causal, rngs=rngs)
        self.decoder = Decoder(outputs, widths, normalisation, causal=causal, rngs=rngs)
        # Numbers that the latent layers take in: the whole deepest image, or one column of it, as
        # later columns must not enter
        size = filters[-1] * (scales // step) * (1 if causal else columns // step)
        if latent is None:
            # The level's parameters grow with z too, and count among the others
            per_unit, fixed = (
                (Level.hidden, (Level.hidden + 1) * (outputs + 1)) if level else (0, 0)
            )
            rest = count((self.encoder, self.decoder)) + fixed
            latent = latent_width(rest, 2 * size + 1, size, per_unit)
        self.latent = Latent(size, latent, rngs=rngs)
        self.level = Level(latent, outputs, rngs=rngs) if level else None

    def __call__(self, image: Numbers) -> Decoded:
        """One image (channels, scales, columns); use jax.vmap for a batch."""
        x = jnp.asarray(image)
        if x.shape != self.shape:
            raise ValueError(
                f"the image must have shape {self.shape} (channels, scales, columns); got "
                f"{x.shape}. For a batch, use jax.vmap"
            )
        # Channels last inside, where they are the rows of matrix products. The precision is that of
        # the weights
        x = jnp.moveaxis(x, 0, -1).astype(self.decoder.exit[...].dtype)
        stages = self.encoder(x)
        z, deepest = self._through_latent(stages[-1])
        images = self.decoder(deepest, stages, self.skips, self.hierarchical)
        # Channels first again, and the shallowest sub-model first
        images = jnp.moveaxis(images, -1, 1)[::-1]
        level = None if self.level is None else self.level(z)
        return Decoded(images[-1], level, tuple(images))

    def _through_latent(self, stage: Array) -> tuple[Array, Array]:
        """(z of the last column, the deepest image decoded from z)."""
        s, t, f = stage.shape
        if not self.causal:
            z, v = self.latent(stage.reshape(-1))
            return z, v.reshape(s, t, f)
        # Columns become a leading axis: the same layers for each of them
        z, v = self.latent(jnp.swapaxes(stage, 0, 1).reshape(t, s * f))
        return z[-1], jnp.swapaxes(v.reshape(t, s, f), 0, 1)


def scalogram_loss(
    decoded: Decoded,
    target: Numbers,
    level_target: Numbers | None = None,
    *,
    level_weight: Number = 1.0,
    weights: Sequence[Number] | None = None,
) -> Float[Array, ""]:
    """Error summed over the depths: Σ_d w_d mean (Y_d − Y)² + w mean (ℓ_pred − ℓ)².

    Arguments:
        decoded: of one image.
        target: (outputs, scales, columns).
        level_target: (outputs,); no such term if None.
        level_weight: w.
        weights: w_d, one for each component, depth 1 first; 1 if None.

    Raises:
        ValueError: another shape, a level wanted of a network without one, or another number of
            weights.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 2, 4))
        >>> print(scalogram_loss(Decoded(one, jnp.zeros(1), (3 * one, one)), 0 * one, jnp.ones(1)))
        11.0

    Source: the hierarchical components are named in the journal version; the sum is inferred.
    """
    target = jnp.asarray(target)
    if target.shape != decoded.image.shape:
        raise ValueError(f"target must have shape {decoded.image.shape}; got {target.shape}")
    # The same target at every depth: each encoder stage is taught directly, and not only through
    # the deeper ones
    given = [1.0] * len(decoded.components) if weights is None else list(weights)
    if len(given) != len(decoded.components):
        raise ValueError(f"weights must be {len(decoded.components)} numbers; got {len(given)}")
    pairs = zip(given, decoded.components, strict=True)
    total = sum(w * jnp.mean((image - target) ** 2) for w, image in pairs)
    if level_target is not None:
        if decoded.level is None:
            raise ValueError("this network has no level path: make it with level=True")
        total = total + level_weight * jnp.mean((decoded.level - jnp.asarray(level_target)) ** 2)
    return jnp.asarray(total)


def latent_share(network: WithLatentPart) -> float:
    """Parameters of `network.latent` over all parameters.

    Arguments:
        network: any module whose attribute `latent` is its latent part.

    Example:
        >>> from flax import nnx
        >>> print(f"{latent_share(EncoderDecoder(rngs=nnx.Rngs(0))):.2f}")
        0.20
    """
    return count(network.latent) / count(network)


def count(tree: PyTree) -> int:
    """Floating-point numbers in a pytree."""
    return sum(x.size for x in jax.tree_util.tree_leaves(eqx.filter(tree, eqx.is_inexact_array)))


def latent_width(rest: int, per_unit: int, fixed: int, rest_per_unit: int = 0) -> int:
    """The w ≥ 1 whose share (per_unit w + fixed)/(all) is nearest to 20 %.

    Arguments:
        rest: parameters outside the latent part.
        per_unit: parameters of the latent part for each unit.
        fixed: further ones of the latent part.
        rest_per_unit: parameters outside for each unit.
    """

    def miss(w: int) -> float:
        inside = per_unit * w + fixed
        return abs(inside / (inside + rest + rest_per_unit * w) - SHARE)

    # inside (1 − S) = S outside, solved for w; of the whole numbers next to it the better one
    best = (SHARE * rest - (1 - SHARE) * fixed) / ((1 - SHARE) * per_unit - SHARE * rest_per_unit)
    low = max(1, int(best))
    return min((low, low + 1), key=miss)
