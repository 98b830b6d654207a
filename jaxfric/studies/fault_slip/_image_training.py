"""Training encoder-decoders on simulated faults."""

import os
from functools import partial
from typing import TypedDict, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Key

from jaxfric import networks
from jaxfric.studies.fault_slip import _rates
from jaxfric.studies.fault_slip._data import Records
from jaxfric.studies.fault_slip._images import (
    COLUMNS,
    MARGIN,
    SCALES,
    STRIDE,
    columns,
    emission_image,
    friction_image,
    signal,
)
from jaxfric.studies.fault_slip._training import Members, fit, members, window

# Channels after each of the four halvings of an image, twice as many where it is half as large.
FILTERS = (8, 16, 32, 64)
# Weights of the images that sub-models of depth 1 to 4 decode: the paper's loss has such
# "hierarchical components", which teach every stage of the network; the last, which is the answer,
# counts most.
DEPTHS = (0.1, 0.1, 0.1, 0.5)
# Columns, 0.2 s each, over which the weight of a causal image's error falls off from the newest.
NEWEST = 4.0
# Weight of the error of friction beside that of its scalogram. A scalogram of the whole record
# holds what no past tells, near its last column above all; friction is what is asked for.
EMPHASIS = 3.0


class ImageVariant(TypedDict, total=False):
    """What an ablation takes from an encoder-decoder; see `networks.EncoderDecoder`.

    `causal` is of its layers and of the transform of the emission that it reads.
    """

    skips: bool
    level: bool
    causal: bool


def image_network(
    seed: int, *, skips: bool = True, level: bool = True, causal: bool = True
) -> networks.EncoderDecoder:
    """The paper's network at the size of our images.

    Arguments:
        seed: of the weights.
        skips: see `networks.EncoderDecoder`.
        level: see there.
        causal: see there.
    """
    return networks.EncoderDecoder(
        len(SCALES), COLUMNS, filters=FILTERS, skips=skips, level=level, causal=causal,
        rngs=nnx.Rngs(seed),
    )  # fmt: skip


def image_loss(
    network: networks.EncoderDecoder, batch: Records, key: Key[Array, ""], *, causal: bool = True
) -> tuple[Array, dict[str, Array]]:
    """Scalogram error of every depth, and the mean absolute error of the friction they sum to.

    Arguments:
        network: a single encoder-decoder.
        batch: records, of each of which a random window is seen.
        key: typed key.
        causal: transform of the emission.

    Returns:
        (loss, its terms).
    """
    # The target's transform needs what comes after an image as well as what came before it
    length = MARGIN * 2 + STRIDE * COLUMNS

    def one(record: Records, key: Key[Array, ""]) -> tuple[Array, Array]:
        seen = window(record, key, length)
        end = MARGIN + STRIDE * COLUMNS - 1
        target, rest = friction_image(seen["friction"])
        image = columns(emission_image(seen["energy"], causal), jnp.asarray(end))
        friction = columns(seen["friction"][None], end)[0]
        return image_errors(
            network, image, columns(target, end), friction, rest[end], error_weights(causal)
        )

    keys = jax.random.split(key, batch.recurrence.shape[0])
    scalogram, friction = jax.vmap(one)(batch, keys)
    terms = {"scalogram": jnp.mean(scalogram), "friction": jnp.mean(friction)}
    return terms["scalogram"] + EMPHASIS * terms["friction"], terms


def image_errors(
    network: networks.EncoderDecoder, image: Float[Array, "s columns"],
    target: Float[Array, "s columns"], friction: Float[Array, " columns"],
    rest: Float[Array, ""], weight: Float[Array, " columns"],
) -> tuple[Float[Array, ""], Float[Array, ""]]:  # fmt: skip
    """Errors of one image: the paper's loss, and the absolute error of the friction.

    Arguments:
        network: a single encoder-decoder.
        image: (s, columns), of the emission.
        target: (s, columns), of the friction.
        friction: (columns,), standardised.
        rest: the friction at the last column that the target does not hold.
        weight: (columns,), see `error_weights`.
    """
    decoded = network(image[None])
    level = jnp.zeros_like(rest) if decoded.level is None else decoded.level[0]
    wanted = None if decoded.level is None else rest[None]
    scalogram = networks.scalogram_loss(decoded, target[None], wanted, weights=DEPTHS)
    found = signal(decoded.image[0]) + level
    return scalogram, jnp.sum(weight * jnp.abs(found - friction))


def error_weights(causal: bool) -> Float[Array, " columns"]:
    """Weights of the friction's errors, their sum 1: half on the later half, half on the newest.

    A causal reading is of the newest column alone; the first columns know little of the past. The
    later half teaches more than one column would. On p4581, tuned on six cycles, the half on the
    newest lowered the error from 1.41 to 1.34 % in tuning alone (up to 120 s). A reading that is
    not causal is the mean of all windows, and has the weights of the later half.
    """
    age = np.arange(COLUMNS)[::-1]
    late = (age < COLUMNS // 2) / (COLUMNS // 2)
    if not causal:
        return jnp.asarray(late, jnp.float32)
    newest = np.exp(-age / NEWEST)
    return jnp.asarray(0.5 * late + 0.5 * newest / newest.sum(), jnp.float32)


def train_images(
    records: Records, seeds: tuple[int, ...], steps: int, *, checkpoint: str | os.PathLike[str],
    batch_size: int = 8, progress: bool = False, **variant: Unpack[ImageVariant],
) -> Members:  # fmt: skip
    """One encoder-decoder for each seed, all of them in one program.

    Arguments:
        records: simulated ones to learn from.
        seeds: of the weights, one for each network.
        steps: of Adam.
        checkpoint: folder where a killed training is found again.
        batch_size: images of a step.
        progress: show a bar.
        variant: what differs from the study's own networks.
    """
    start = members(lambda seed: image_network(seed, **variant), seeds)
    loss = partial(image_loss, causal=variant.get("causal", True))
    return fit(
        loss, start, records, seeds, steps=steps, batch_size=batch_size, rate=_rates.IMAGES,
        checkpoint=checkpoint, progress=progress,
    )  # fmt: skip
