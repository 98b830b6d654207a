"""What the networks read and write, in units of a record's own spread."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

Scalar = Float[Array, ""]


class Scale(eqx.Module):
    """Mean and standard deviation."""

    mean: Scalar
    spread: Scalar

    @staticmethod
    def of(x: Array, where: Array) -> "Scale":
        """Over the samples where `where` is true (or has weight)."""
        w = where.astype(x.dtype) / jnp.sum(where)
        mean = jnp.sum(w * x)
        variance = jnp.sum(w * (x - mean) ** 2)
        return Scale(mean, jnp.sqrt(jnp.maximum(variance, 1e-12)))

    def unit(self, x: Any) -> Any:
        """In standard deviations from the mean."""
        return (x - self.mean) / self.spread

    def back(self, x: Any) -> Any:
        """From standard deviations."""
        return self.mean + self.spread * x


def features(unit_energy: Float[Array, " m"]) -> Float[Array, "m 2"]:
    """Standardised log energy and its change since the sample before."""
    change = jnp.diff(unit_energy, prepend=unit_energy[:1])
    return jnp.stack([unit_energy, change], axis=1)
