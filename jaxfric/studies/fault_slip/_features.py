"""What the networks read and write, in units of a record's own spread."""

from typing import TypeVar, cast

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, ScalarLike

# The smallest variance that a series is taken to have: a constant one, such as a window of a
# record in which nothing happens, would be divided by zero otherwise.
LEAST = 1e-12
Values = TypeVar("Values", Array, np.ndarray, float)


class Scale(eqx.Module):
    """Mean and standard deviation of a series, and the way to units of them and back.

    Emission comes in the arbitrary units of an amplifier and friction differs from fault to fault:
    networks read and write both in standard deviations from a mean, as in the paper.

    Attributes:
        mean: of the series.
        spread: its standard deviation.
    """

    mean: ScalarLike
    spread: ScalarLike

    @staticmethod
    def of(x: Float[Array, " m"], where: Bool[Array, " m"] | Float[Array, " m"]) -> "Scale":
        """Over the samples where `where` is true (or has weight); for use under `jax.jit`."""
        # A weighted sum: a cut of a length that varies would have no fixed shape
        w = where.astype(x.dtype) / jnp.sum(where)
        mean = jnp.sum(w * x)
        variance = jnp.sum(w * (x - mean) ** 2)
        return Scale(mean, jnp.sqrt(jnp.maximum(variance, LEAST)))

    @staticmethod
    def of_record(
        x: Float[np.ndarray, " m"], where: Bool[np.ndarray, " m"] | None = None
    ) -> "Scale":
        """The same on the host, where nothing needs to be compiled for two numbers."""
        seen = np.asarray(x if where is None else x[where], np.float64)
        return Scale(float(seen.mean()), float(max(seen.var(), LEAST)) ** 0.5)

    def unit(self, x: Values) -> Values:
        """Values (...,) in standard deviations from the mean."""
        # Mean and spread may be numbers or tracers; either way the result is of the kind of x, as a
        # type checker cannot know
        unit: object = (x - self.mean) / self.spread
        return cast(Values, unit)

    def back(self, x: Values) -> Values:
        """Values (...,) given in standard deviations from the mean, in the units of the series."""
        value: object = self.mean + self.spread * x
        return cast(Values, value)


def features(unit_energy: Float[Array, " m"]) -> Float[Array, "m 2"]:
    """Standardised log energy and its change since the sample before."""
    # The change tells the onset of a burst, the sharpest mark of a failure, without a memory. The
    # first sample has none before it, and so no change.
    change = jnp.diff(unit_energy, prepend=unit_energy[:1])
    return jnp.stack([unit_energy, change], axis=1)
