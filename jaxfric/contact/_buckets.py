"""A few numbers of loads that programs are compiled for: others are made up with zero loads.

A zero load asks for nothing: its friction is 0 whatever the surface, `smape` leaves it out, and
least squares gives it no weight. They stand in front, so that the largest load stays the last.
"""

from collections.abc import Sequence
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxfric._types import Vector
from jaxfric.contact._arrays import AnyArray

# A factor of four between buckets: any number up to a million loads needs one of nine programs, and
# beyond the smallest bucket less than four times the loads are computed that were asked for
SMALLEST, GROWTH = 32, 4

Result = TypeVar("Result", bound=eqx.Module)


def bucket(count: int) -> int:
    """The number of loads that `count` of them are made up to: 32, 128, 512 and so on."""
    size = SMALLEST
    while size < count:
        size *= GROWTH
    return size


def pad(x: Vector, size: int) -> jax.Array | np.ndarray:
    """Zeros in front of a row, up to `size` entries."""
    width = [(size - x.shape[0], 0)]
    # On the host where that can be: JAX's `pad` would be compiled for each number of loads, which
    # is what buckets are there to avoid. A tracer has no values yet, and stands in a program anyway
    return jnp.pad(x, width) if isinstance(x, jax.core.Tracer) else np.pad(np.asarray(x), width)


def cut(result: Result, count: int, names: Sequence[str]) -> Result:
    """A result of which some fields have as many entries as there are loads: the last `count`."""

    # Equinox looks for the fields among objects that stand for the arrays
    def fields(result: Result) -> list[object]:
        return [getattr(result, name) for name in names]

    return eqx.tree_at(fields, result, [_last(getattr(result, name), count) for name in names])


def _last(x: AnyArray, count: int) -> jax.Array:
    if isinstance(x, jax.core.Tracer):
        return x[..., -count:]
    return jax.device_put(np.asarray(x)[..., -count:])  # a slice of JAX's would be compiled
