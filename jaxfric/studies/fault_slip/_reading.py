"""What networks say of a record: programs that serve all records of about its length."""

from functools import cache, partial
from importlib import resources
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from jaxfric import programs
from jaxfric.studies.fault_slip._images import read_average, read_last
from jaxfric.studies.fault_slip._sampling import padded

SHIPPED = 3  # seeds of the shipped networks
FILES = {"sequence": "sequence.npz", "encoder-decoder": "images.npz"}


class Weights(eqx.Module):
    """The arrays of networks by name: they can be read without the library that trained them.

    Attributes:
        kind: "sequence" or "encoder-decoder".
        arrays: name in the network → array with a leading axis of seeds.
    """

    kind: str = eqx.field(static=True)
    arrays: dict[str, Any]

    def networks(self) -> Any:
        """`networks.EmissionGRU` or `networks.EncoderDecoder`, a leading axis of seeds."""
        from jaxfric.studies.fault_slip import _training

        make: Any = {
            "sequence": _training.sequence_network,
            "encoder-decoder": _training.image_network,
        }[self.kind]
        like = jax.eval_shape(lambda: _training.members(make, tuple(range(SHIPPED))))
        leaves, structure = jax.tree_util.tree_flatten_with_path(like)
        names = [jax.tree_util.keystr(path) for path, _ in leaves]
        named = (self.arrays[name] for name in names)
        arrays = [x if isinstance(x, jax.Array) else jax.device_put(x) for x in named]
        return jax.tree_util.tree_unflatten(structure, arrays)


@cache
def weights(kind: str) -> Weights:
    """Of the networks that come with the package."""
    with (resources.files(__package__) / FILES[kind]).open("rb") as file, np.load(file) as stored:
        names = [name for name in stored.files if name != "__facts__"]
        dtype = jax.dtypes.canonicalize_dtype(float)
        return Weights(kind, {name: stored[name].astype(dtype) for name in names})


@cache
def shipped(method: str = "sequence") -> Any:
    """The networks that come with the package, a leading axis of seeds.

    Arguments:
        method: "sequence" or "encoder-decoder".

    Returns:
        `networks.EmissionGRU` or `networks.EncoderDecoder` whose arrays have a leading axis.
    """
    return weights(method).networks()


def as_networks(given: Any) -> Any:
    """Networks that can be trained."""
    return given.networks() if isinstance(given, Weights) else given


def leading(network: Any) -> tuple[int, ...]:
    """Axes in front of a network's own."""
    bias = network.decoder.exit_bias if hasattr(network, "decoder") else network.head.exit_bias
    return tuple(bias[...].shape[:-1])


def read_sequence(network: Any, unit_energy: Any) -> np.ndarray:
    """(..., m, 2) of networks with any leading axes, for one record."""
    readings = _sequence(network, padded(unit_energy))
    return np.asarray(readings)[..., : np.shape(unit_energy)[0], :]


@partial(programs.program, level=1)
def _sequence(network: Any, unit_energy: Array) -> Array:
    from jaxfric.studies.fault_slip._features import features

    network = as_networks(network)
    read: Any = lambda one: one(features(unit_energy))  # noqa: E731
    for _ in leading(network):
        read = jax.vmap(read)
    found: Array = read(network)
    return found


def read_images(network: Any, unit_energy: Any, causal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Friction by encoder-decoders (seeds, ...), and the spread of the windows that say it.

    The transform of a whole record ends where the record does: only the causal one is padded.
    """
    m = np.shape(unit_energy)[0]
    if causal:
        newest = np.asarray(_newest(network, padded(unit_energy)), np.float64)[:, :m]
        return newest, np.zeros_like(newest)
    average, spread = _average(network, np.asarray(unit_energy))
    return np.asarray(average, np.float64), np.asarray(spread, np.float64)


@partial(programs.program, level=2)
def _newest(network: Any, unit_energy: Array) -> Array:
    """One network after the other: an image takes a core by itself."""
    return jax.lax.map(lambda one: read_last(one, unit_energy), as_networks(network))


@partial(programs.program, level=2)
def _average(network: Any, unit_energy: Array) -> tuple[Array, Array]:
    read = partial(read_average, unit_energy=unit_energy, causal=False)
    return jax.lax.map(read, as_networks(network))
