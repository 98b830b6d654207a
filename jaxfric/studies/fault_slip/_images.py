"""Scalograms as the encoder-decoder reads and writes them."""

from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxfric import signals
from jaxfric.studies.fault_slip._sampling import DT

# Samples from one column of an image to the next: 0.2 s, by which the paper moves its windows.
STRIDE = 2
# Columns of an image: 19.2 s, about two cycles of p4581 (9.7 s), in place of the paper's 2 s. Both
# this and the number of scales are multiples of 2⁴, as four blocks of the network halve an image.
COLUMNS = 96
# s, from one sample to twice a usual recurrence of 10 s. On synthetic stick-slip of that recurrence
# the inverse transform of a whole record returns friction to 0.08 to 0.16 % where the longest scale
# is at least twice it; 32 scales are enough.
SCALES = signals.log_scales(DT, DT, 20.0, 32)
# Samples that a causal transform looks back, and that training leaves on each side of an image for
# the transform of a whole record: twice the longest scale, as a Ricker wavelet of scale s is still
# felt some √2 s from its centre (Torrence and Compo 1998, the e-folding time of their cone of
# influence).
HISTORY = 400
MARGIN = 400
# Rows of an image are W/√s in place of W: their plain sum is the signal (see `signal`), and without
# the √s the long scales, whose coefficients are the largest, would rule the loss.
ROOTS = np.sqrt(SCALES / DT)
RICKER = signals.Ricker()
# dj √dt/(C_δ ψ0(0)), equation 11 of Torrence and Compo (1998); dj is the spacing of the scales in
# octaves, and the √dt stands in ROOTS.
SUM = float(np.log2(SCALES[1] / SCALES[0]) / (RICKER.reconstruction * RICKER.centre))


@runtime_checkable
class Decoded(Protocol):
    """What an encoder-decoder gives: a `networks.Decoded`.

    Named here by what is read of it, because a prediction starts without the library of the
    networks.
    """

    @property
    def image(self) -> Float[Array, "1 scales columns"]:
        """The scalogram of the friction."""
        ...

    @property
    def level(self) -> Float[Array, "1"] | None:
        """What the scalogram cannot hold, at the last column; None without a level path."""
        ...


@runtime_checkable
class ImageNetwork(Protocol):
    """An encoder-decoder: scalogram of the emission → scalogram of the friction."""

    def __call__(self, image: Float[Array, "1 scales columns"]) -> Decoded:
        """One image at a time."""
        ...


def emission_image(unit_energy: Float[Array, " m"], causal: bool = True) -> Float[Array, "s m"]:
    """Rows W/√s of the standardised log energy at every sample.

    Arguments:
        unit_energy: (m,), standardised log energy.
        causal: no column knows what comes after it. The paper's images seem to be cut from a
            transform of the whole record, in which emission from after a moment reaches its column.

    Returns:
        (scales, m).
    """
    x = unit_energy
    if causal:
        W = signals.causal_cwt(x, DT, SCALES, RICKER, history=HISTORY)
    else:
        W = signals.cwt(x, DT, SCALES, RICKER, padding="reflect")
    return W / _rows(x)


def friction_image(
    unit_friction: Float[Array, " m"],
) -> tuple[Float[Array, "s m"], Float[Array, " m"]]:
    """(s, m) rows of the whole record, and the slow rest (m,) that they do not hold.

    The target of training may know the future; what is asked for it may not.
    """
    # A wavelet of zero mean holds neither the level of friction nor changes slower than the longest
    # scale: the rest goes to the level path of the network.
    W = signals.cwt(unit_friction, DT, SCALES, RICKER, padding="reflect") / _rows(unit_friction)
    return W, unit_friction - signal(W)


def signal(image: Float[Array, "*n s columns"]) -> Float[Array, "*n columns"]:
    """The inverse transform: a sum over the rows, dj √dt/(C_δ ψ0(0)) Σ W/√s."""
    return SUM * jnp.sum(image, axis=-2)


def columns(image: Float[Array, "s m"], end: int | Int[Array, ""]) -> Float[Array, "s columns"]:
    """The image of `COLUMNS` columns that ends at sample `end`, a column every `STRIDE` samples.

    Where it would begin before the record, the record's first column is repeated.
    """
    index = end - STRIDE * jnp.arange(COLUMNS - 1, -1, -1)
    return image[:, jnp.clip(index, 0, image.shape[1] - 1)]


def _rows(x: Float[Array, " m"]) -> Float[Array, "s 1"]:
    """√s of each row, in the precision of the series, so that none is promoted."""
    return jnp.asarray(ROOTS, x.dtype)[:, None]


def read_last(
    network: ImageNetwork, unit_energy: Float[Array, " m"], causal: bool = True
) -> Float[Array, " m"]:
    """Friction at every sample, each the newest column of the image that ends there.

    Arguments:
        network: a single encoder-decoder.
        unit_energy: (m,), standardised log energy.
        causal: see `emission_image`.

    Returns:
        (m,), in spreads of the friction.
    """
    image = emission_image(unit_energy, causal)

    def at(end: Array) -> Array:
        decoded = network(columns(image, end)[None])
        level = 0 if decoded.level is None else decoded.level[0]
        return signal(decoded.image[0])[-1] + level

    # Batches bound the memory: a long record has an image for each of thousands of samples
    return jax.lax.map(at, jnp.arange(unit_energy.shape[0]), batch_size=64)


def read_average(
    network: ImageNetwork, unit_energy: Float[Array, " m"], causal: bool = True
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """The paper's reading: mean and spread of all windows that overlap at a sample.

    A window that ends later also speaks of a sample, so this reading knows the future.

    Arguments:
        network: a single encoder-decoder.
        unit_energy: (m,), standardised log energy.
        causal: see `emission_image`.

    Returns:
        (mean, standard deviation over the windows), (m,) each, in spreads of the friction.
    """
    image = emission_image(unit_energy, causal)
    m = unit_energy.shape[0]
    ends = jnp.arange(STRIDE * (COLUMNS - 1), m, STRIDE)

    def at(end: Array) -> Array:
        decoded = network(columns(image, end)[None])
        level = 0 if decoded.level is None else decoded.level[0]
        return signal(decoded.image[0]) + level

    windows = jax.lax.map(at, ends, batch_size=64)
    mean, spread = signals.overlap_average(windows, 1, n=(m + STRIDE - 1) // STRIDE)
    # Windows speak of every STRIDE-th sample, and those between take what the one before has
    held = jnp.minimum(jnp.arange(m) // STRIDE, mean.shape[0] - 1)
    return mean[held], spread[held]
