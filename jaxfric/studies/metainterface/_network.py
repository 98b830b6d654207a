"""A trained `networks.SurfaceGenerator` as plain arrays, so that designs do without flax."""

from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric._drafts import seen_by_correction, seen_by_draft

if TYPE_CHECKING:
    # For a type checker alone: a design does without flax, and without waiting for its import
    from flax import nnx

    from jaxfric.networks import ResidualMLP, SurfaceGenerator


@runtime_checkable
class GeneratorNetwork(Protocol):
    """What a generator asks of its network; `networks.SurfaceGenerator` and `TrainedNetwork` do.

    The network that is trained and the one that ships are of different classes; the physics around
    them is the same.

    Attributes:
        latent: size of z.
        later: one network for each correction.
    """

    @property
    def latent(self) -> int: ...

    @property
    def later(self) -> Sized: ...

    def draft(
        self, law: Float[Array, " law"], facts: Float[Array, " facts"], z: Float[Array, " latent"]
    ) -> Float[Array, " outputs"]:
        """The first state."""
        ...

    def correct(
        self,
        k: int,
        head: Float[Array, " outputs"],
        errors: Float[Array, " law"],
        law: Float[Array, " law"],
        facts: Float[Array, " facts"],
        z: Float[Array, " latent"],
    ) -> Float[Array, " outputs"]:
        """The state after correction k; errors: those of the law of `head`."""
        ...


class Dense(eqx.Module):
    """A `networks.ResidualMLP`: blocks x ← x + silu(norm(x) W + b) V between entry and exit.

    Attributes:
        entry: (inputs, width).
        expand: W of each block, (width, width).
        biases: b of each block, (width,).
        contract: V of each block, (width, width).
        exit: (width, outputs).
        exit_bias: (outputs,).
    """

    entry: Float[Array, "inputs width"]
    expand: tuple[Float[Array, "width width"], ...]
    biases: tuple[Float[Array, " width"], ...]
    contract: tuple[Float[Array, "width width"], ...]
    exit: Float[Array, "width outputs"]
    exit_bias: Float[Array, " outputs"]

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """One input; use jax.vmap for a batch."""
        x = x @ self.entry
        for W, b, V in zip(self.expand, self.biases, self.contract, strict=True):
            x = x + jax.nn.silu(_normalised(x) @ W + b) @ V
        return _normalised(x) @ self.exit + self.exit_bias


class TrainedNetwork(eqx.Module):
    """A draft, then corrections that have seen what the draft does.

    Attributes:
        first: makes the draft.
        later: one network for each correction.
        latent: size of z.
    """

    first: Dense
    later: tuple[Dense, ...]
    latent: int = eqx.field(static=True)

    def draft(
        self, law: Float[Array, " law"], facts: Float[Array, " facts"], z: Float[Array, " latent"]
    ) -> Float[Array, " outputs"]:
        """The first state."""
        return self.first(seen_by_draft(law, facts, z))

    def correct(
        self,
        k: int,
        head: Float[Array, " outputs"],
        errors: Float[Array, " law"],
        law: Float[Array, " law"],
        facts: Float[Array, " facts"],
        z: Float[Array, " latent"],
    ) -> Float[Array, " outputs"]:
        """The state after correction k; errors: those of the law of `head`."""
        seen = seen_by_correction(seen_by_draft(law, facts, z), errors, head)
        # Added to the state before it: a correction has to learn the difference alone
        return head + self.later[k](seen)


def plain(network: "SurfaceGenerator | TrainedNetwork") -> TrainedNetwork:
    """The arrays of a network; those of a `TrainedNetwork` are plain already."""
    if isinstance(network, TrainedNetwork):
        return network
    return TrainedNetwork(
        _dense(network.first), tuple(map(_dense, network.later)), int(network.latent)
    )


def _dense(network: "ResidualMLP") -> Dense:
    def arrays(parameters: "Iterable[nnx.Param]") -> tuple[Array, ...]:
        return tuple(x[...] for x in parameters)

    return Dense(
        entry=network.entry[...],
        expand=arrays(network.expand),
        biases=arrays(network.biases),
        contract=arrays(network.contract),
        exit=network.exit[...],
        exit_bias=network.exit_bias[...],
    )


def from_names(arrays: dict[str, Array], latent: int) -> TrainedNetwork:
    """A network from arrays that are named by their place in it, such as `first.expand[0]`.

    Raises:
        KeyError: an array that is missing, by its name.
    """

    def dense(name: str) -> Dense:
        # The names alone tell how many blocks there are
        blocks = range(sum(x.startswith(f"{name}.expand") for x in arrays))
        expand, biases, contract = (
            tuple(arrays[f"{name}.{kind}[{k}]"] for k in blocks)
            for kind in ("expand", "biases", "contract")
        )
        return Dense(
            entry=arrays[f"{name}.entry"],
            expand=expand,
            biases=biases,
            contract=contract,
            exit=arrays[f"{name}.exit"],
            exit_bias=arrays[f"{name}.exit_bias"],
        )

    # Every correction has one entry, whatever its number of blocks
    later = sum(x.startswith("later") and x.endswith("entry") for x in arrays)
    return TrainedNetwork(dense("first"), tuple(dense(f"later[{k}]") for k in range(later)), latent)


def _normalised(x: Float[Array, " n"]) -> Float[Array, " n"]:
    """Divided by its root mean square."""
    # The small number gives x = 0 a finite derivative and is lost beside numbers of order one
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-6)
