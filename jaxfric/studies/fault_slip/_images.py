"""Scalograms as the encoder-decoder reads and writes them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import signals
from jaxfric.studies.fault_slip._sampling import DT

STRIDE = 2  # samples of a column: 0.2 s, the paper's step
COLUMNS = 96  # 19.2 s of an image
SCALES = signals.log_scales(DT, DT, 20.0, 32)  # s; the longest is twice a usual recurrence
HISTORY = 400  # samples that a causal transform looks back
MARGIN = 400  # samples on each side that a whole-record transform wants
# Rows are W/√s: their sum is the signal, and their sizes are alike
ROOTS = np.sqrt(SCALES / DT)
RICKER = signals.Ricker()
SUM = float(np.log2(SCALES[1] / SCALES[0]) / (RICKER.reconstruction * RICKER.centre))


def emission_image(unit_energy: Float[Array, " m"], causal: bool = True) -> Float[Array, "s m"]:
    """Rows W/√s of the standardised log energy at every sample."""
    x = unit_energy
    if causal:
        W = signals.causal_cwt(x, DT, SCALES, RICKER, history=HISTORY)
    else:
        W = signals.cwt(x, DT, SCALES, RICKER, padding="reflect")
    return W / _rows(x)


def friction_image(unit_friction: Float[Array, " m"]) -> tuple[Array, Array]:
    """(s, m) rows of the whole record, and the slow rest (m,) that they do not hold."""
    W = signals.cwt(unit_friction, DT, SCALES, RICKER, padding="reflect") / _rows(unit_friction)
    return W, unit_friction - signal(W)


def signal(image: Array) -> Array:
    """The inverse transform: a sum over the rows, dj √dt/(C ψ(0)) Σ W/√s."""
    return SUM * jnp.sum(image, axis=-2)


def columns(image: Float[Array, "s m"], end: Any) -> Float[Array, "s columns"]:
    """The columns that end at sample `end`; before the record stands its first."""
    index = end - STRIDE * jnp.arange(COLUMNS - 1, -1, -1)
    return image[:, jnp.clip(index, 0, image.shape[1] - 1)]


def _rows(x: Array) -> Array:
    return jnp.asarray(ROOTS, x.dtype)[:, None]


def read_last(
    network: Any, unit_energy: Float[Array, " m"], causal: bool = True
) -> Float[Array, " m"]:
    """Friction at every sample, each from the image that ends there."""
    image = emission_image(unit_energy, causal)

    def at(end: Array) -> Array:
        decoded = network(columns(image, end)[None])
        level = 0 if decoded.level is None else decoded.level[0]
        return signal(decoded.image[0])[-1] + level

    return jax.lax.map(at, jnp.arange(unit_energy.shape[0]), batch_size=64)


def read_average(
    network: Any, unit_energy: Float[Array, " m"], causal: bool = True
) -> tuple[Array, Array]:
    """The paper's reading: mean and spread of all windows that overlap at a sample."""
    image = emission_image(unit_energy, causal)
    m = unit_energy.shape[0]
    ends = jnp.arange(STRIDE * (COLUMNS - 1), m, STRIDE)

    def at(end: Array) -> Array:
        decoded = network(columns(image, end)[None])
        level = 0 if decoded.level is None else decoded.level[0]
        return signal(decoded.image[0]) + level

    each = jax.lax.map(at, ends, batch_size=64)
    mean, spread = signals.overlap_average(each, 1, n=(m + STRIDE - 1) // STRIDE)
    held = jnp.minimum(jnp.arange(m) // STRIDE, mean.shape[0] - 1)
    return mean[held], spread[held]
