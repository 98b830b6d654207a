"""A few numbers of loads that programs are compiled for: others are made up with zero loads.

A zero load asks for nothing: its friction is 0 whatever the surface, `smape` leaves it out, and
least squares gives it no weight. They stand in front, so that the largest load stays the last.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

SMALLEST, GROWTH = 32, 4


def bucket(count: int) -> int:
    """The number of loads that `count` of them are made up to: 32, 128, 512 and so on."""
    size = SMALLEST
    while size < count:
        size *= GROWTH
    return size


def pad(x: Any, size: int) -> Any:
    """Zeros in front of a row, up to `size` entries."""
    row = [(size - x.shape[0], 0)]
    return jnp.pad(x, row) if isinstance(x, jax.core.Tracer) else np.pad(np.asarray(x), row)


def cut(x: Any, count: int, *names: str) -> Any:
    """A result of which some fields have as many entries as there are loads: the last `count`."""

    def fields(x: Any) -> list[Any]:
        return [getattr(x, name) for name in names]

    return eqx.tree_at(fields, x, [_last(value, count) for value in fields(x)])


def _last(x: Any, count: int) -> Any:
    if isinstance(x, jax.core.Tracer):
        return x[..., -count:]
    return jax.device_put(np.asarray(x)[..., -count:])  # a slice of JAX's would be compiled
