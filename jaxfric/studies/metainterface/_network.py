"""A trained `networks.SurfaceGenerator` as plain arrays, so that designs do without flax."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

GAIN = 10.0  # of `networks.SurfaceGenerator`, whose equations these are


class Dense(eqx.Module):
    """A `networks.ResidualMLP`: blocks x ← x + silu(norm(x) W + b) V between entry and exit."""

    entry: Array
    expand: tuple[Array, ...]
    biases: tuple[Array, ...]
    contract: tuple[Array, ...]
    exit: Array
    exit_bias: Array

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """One input."""
        x = x @ self.entry
        for W, b, V in zip(self.expand, self.biases, self.contract, strict=True):
            x = x + jax.nn.silu(_normalised(x) @ W + b) @ V
        return _normalised(x) @ self.exit + self.exit_bias


class TrainedNetwork(eqx.Module):
    """A draft, then corrections that have seen what the draft does."""

    first: Dense
    later: tuple[Dense, ...]
    latent: int = eqx.field(static=True)

    def draft(self, law: Any, facts: Any, z: Any) -> Float[Array, " outputs"]:
        """The first state."""
        return self.first(jnp.concatenate([law, facts, z]))

    def correct(
        self, k: int, head: Any, errors: Any, law: Any, facts: Any, z: Any
    ) -> Float[Array, " outputs"]:
        """The state after correction k; errors: those of the law of `head`."""
        g = GAIN * errors
        g = g / jnp.sqrt(1 + g**2)
        return head + self.later[k](jnp.concatenate([law, facts, z, g, head]))


def plain(network: Any) -> TrainedNetwork:
    """The arrays of a `networks.SurfaceGenerator`."""
    if isinstance(network, TrainedNetwork):
        return network
    return TrainedNetwork(
        _dense(network.first), tuple(map(_dense, network.later)), int(network.latent)
    )


def _dense(network: Any) -> Dense:
    expand, biases, contract = (
        tuple(x[...] for x in rows) for rows in (network.expand, network.biases, network.contract)
    )
    return Dense(
        network.entry[...], expand, biases, contract, network.exit[...], network.exit_bias[...]
    )


def from_names(arrays: dict[str, Array], latent: int) -> TrainedNetwork:
    """From arrays named as `first.expand[0]`.

    Raises:
        KeyError: one that is missing.
    """

    def dense(name: str) -> Dense:
        blocks = range(sum(x.startswith(f"{name}.expand") for x in arrays))
        expand, biases, contract = (
            tuple(arrays[f"{name}.{kind}[{k}]"] for k in blocks)
            for kind in ("expand", "biases", "contract")
        )
        entry, exit, bias = (arrays[f"{name}.{kind}"] for kind in ("entry", "exit", "exit_bias"))
        return Dense(entry, expand, biases, contract, exit, bias)

    later = sum(x.startswith("later") and x.endswith("entry") for x in arrays)
    return TrainedNetwork(dense("first"), tuple(dense(f"later[{k}]") for k in range(later)), latent)


def _normalised(x: Array) -> Array:
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-6)
