"""What networks say of a record: programs that serve all records of about its length."""

from collections.abc import Callable
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from jaxfric import programs
from jaxfric.studies.fault_slip._images import read_average, read_last
from jaxfric.studies.fault_slip._sampling import padded

if TYPE_CHECKING:
    from jaxfric.networks import EmissionGRU, EncoderDecoder

SHIPPED = 3  # seeds of the shipped networks
FILES = {"sequence": "sequence.npz", "encoder-decoder": "images.npz"}


class Weights(eqx.Module):
    """The arrays of networks by name: they can be read without the library that trained them.

    Attributes:
        kind: "sequence" or "encoder-decoder".
        arrays: name in the network → array with a leading axis of seeds.
    """

    kind: str = eqx.field(static=True)
    arrays: dict[str, Array | np.ndarray]

    def networks(self) -> "EmissionGRU | EncoderDecoder":
        """The networks that these arrays belong to, with a leading axis of seeds."""
        from jaxfric.studies.fault_slip import _image_training, _training

        make: dict[str, Callable[[int], PyTree]] = {
            "sequence": _training.sequence_network,
            "encoder-decoder": _image_training.image_network,
        }
        # The structure alone, without drawing weights that would be thrown away
        like = jax.eval_shape(lambda: _training.members(make[self.kind], tuple(range(SHIPPED))))
        leaves, structure = jax.tree_util.tree_flatten_with_path(like)
        names = [jax.tree_util.keystr(path) for path, _ in leaves]
        named = (self.arrays[name] for name in names)
        # Under `jax.jit` they are tracers, which stay where they are
        arrays = [x if isinstance(x, jax.Array) else jax.device_put(x) for x in named]
        return jax.tree_util.tree_unflatten(structure, arrays)


@cache
def weights(kind: str) -> Weights:
    """The arrays of the networks that come with the package, read once.

    Arguments:
        kind: "sequence" or "encoder-decoder".
    """
    with (resources.files(__package__) / FILES[kind]).open("rb") as file, np.load(file) as stored:
        names = [name for name in stored.files if name != "__facts__"]
        # Weights have the precision of new networks, whatever the file was written in
        dtype = jax.dtypes.canonicalize_dtype(float)
        return Weights(kind, {name: stored[name].astype(dtype) for name in names})


@cache
def trained(method: str = "sequence") -> "EmissionGRU | EncoderDecoder":
    """The networks that come with the package, a leading axis of seeds.

    Arguments:
        method: "sequence" or "encoder-decoder".

    Returns:
        `networks.EmissionGRU` or `networks.EncoderDecoder` whose arrays have a leading axis.
    """
    return weights(method).networks()


def as_networks(given: PyTree) -> PyTree:
    """Networks that can be trained and called: `Weights` are made into such."""
    return given.networks() if isinstance(given, Weights) else given


def leading(network: PyTree) -> tuple[int, ...]:
    """Axes in front of a network's own: (), (seeds,) or (seeds, members)."""
    # The bias of the last layer has one axis of its own in either kind
    bias = network.decoder.exit_bias if hasattr(network, "decoder") else network.head.exit_bias
    return tuple(bias[...].shape[:-1])


def read_sequence(
    network: PyTree, unit_energy: Float[Array, " m"] | Float[np.ndarray, " m"]
) -> Float[np.ndarray, "*seeds m 2"]:
    """Friction in spreads and time to failure in recurrences, as sequence networks read them.

    Arguments:
        network: `networks.EmissionGRU` or `Weights`, with any leading axes.
        unit_energy: (m,), standardised log energy of one record.

    Returns:
        (..., m, 2).
    """
    # Causal networks: what stands after the record changes nothing of what they say before
    readings = _sequence(network, padded(unit_energy))
    return np.asarray(readings)[..., : np.shape(unit_energy)[0], :]


@partial(programs.program, level=1)
def _sequence(network: PyTree, unit_energy: Float[Array, " m"]) -> Float[Array, "*seeds m 2"]:
    from jaxfric.studies.fault_slip._features import features

    network = as_networks(network)

    def read(one: PyTree) -> Array:
        return one(features(unit_energy))

    mapped: Callable[[PyTree], Array] = read
    for _ in leading(network):
        mapped = jax.vmap(mapped)
    return mapped(network)


def read_images(
    network: PyTree, unit_energy: Float[Array, " m"] | Float[np.ndarray, " m"], causal: bool
) -> tuple[Float[np.ndarray, "seeds m"], Float[np.ndarray, "seeds m"]]:
    """Friction as encoder-decoders read it, and the spread of the windows that say it.

    The transform of a whole record ends where the record does: only the causal one is padded.

    Arguments:
        network: `networks.EncoderDecoder` or `Weights`, with a leading axis of seeds.
        unit_energy: (m,), standardised log energy.
        causal: the newest column of the image that ends at each sample; else the mean of all
            windows, see `read_average`.

    Returns:
        ((seeds, m), (seeds, m)), in spreads of the friction.
    """
    m = np.shape(unit_energy)[0]
    if causal:
        newest = np.asarray(_newest(network, padded(unit_energy)), np.float64)[:, :m]
        return newest, np.zeros_like(newest)
    average, spread = _average(network, np.asarray(unit_energy))
    return np.asarray(average, np.float64), np.asarray(spread, np.float64)


@partial(programs.program, level=2)
def _newest(network: PyTree, unit_energy: Float[Array, " m"]) -> Float[Array, "seeds m"]:
    """Causal readings of one network after the other: an image takes a core by itself."""
    return jax.lax.map(lambda one: read_last(one, unit_energy), as_networks(network))


@partial(programs.program, level=2)
def _average(
    network: PyTree, unit_energy: Float[Array, " m"]
) -> tuple[Float[Array, "seeds m"], Float[Array, "seeds m"]]:
    """Mean and spread over all windows, of one network after the other."""
    read = partial(read_average, unit_energy=unit_energy, causal=False)
    return jax.lax.map(read, as_networks(network))
