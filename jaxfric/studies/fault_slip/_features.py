"""What the networks read and write, in units of a record's own spread."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, ScalarLike

LEAST = 1e-12  # variance


class Scale(eqx.Module):
    """Mean and standard deviation."""

    mean: ScalarLike
    spread: ScalarLike

    @staticmethod
    def of(x: Array, where: Array) -> "Scale":
        """Over the samples where `where` is true (or has weight)."""
        w = where.astype(x.dtype) / jnp.sum(where)
        mean = jnp.sum(w * x)
        variance = jnp.sum(w * (x - mean) ** 2)
        return Scale(mean, jnp.sqrt(jnp.maximum(variance, LEAST)))

    @staticmethod
    def of_record(x: np.ndarray, where: np.ndarray | None = None) -> "Scale":
        """The same on the host, where nothing needs to be compiled for two numbers."""
        seen = np.asarray(x if where is None else x[where], np.float64)
        return Scale(float(seen.mean()), float(max(seen.var(), LEAST)) ** 0.5)

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
