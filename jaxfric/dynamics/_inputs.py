"""What a simulator is given, checked where it is concrete; `_outcome` tells of traced values."""

from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from jaxfric import _checks
from jaxfric._types import Vector
from jaxfric.dynamics._precision import FloatType
from jaxfric.dynamics._protocol import LoadVelocity, VelocityProtocol

Tree = TypeVar("Tree")  # any pytree: what goes in comes out with the same structure


def as_data(tree: Tree, dtype: FloatType, inside: bool = False) -> Tree:
    """Numbers as arrays of one dtype, so that other numbers need no other program.

    Functions keep their arrays (the weights of a network, say), but those of a protocol (`inside`).
    """

    def convert(x: PyTree) -> PyTree:
        # A bool chooses between two programs, and other objects are no numbers: both stay static
        if isinstance(x, bool) or not (isinstance(x, (int, float)) or hasattr(x, "dtype")):
            return x
        # Typed PRNG keys have a dtype, too, but no number stands for one
        if hasattr(x, "dtype") and not jnp.issubdtype(x.dtype, jnp.number):
            return x
        if isinstance(x, jax.Array):
            return x.astype(dtype)
        # As jnp.asarray, which takes five times as long and compiles a program for a new shape
        return jax.device_put(np.asarray(x, dtype))

    # A protocol is callable itself, so it would pass for a function unless one looks inside
    converted: Tree = jax.tree_util.tree_map(convert, tree, is_leaf=None if inside else callable)
    return converted


def check_load(velocity: LoadVelocity, t: Vector) -> None:
    """Raise for a batch, samples that are not sorted, or samples outside the protocol."""
    _checks.vector("t", t)
    if isinstance(velocity, VelocityProtocol):
        # Again after the constructor: jax.vmap adds an axis to a protocol that was in order
        _checks.vector("protocol times", velocity.times)
        _checks.vector("protocol velocities", velocity.velocities)
    elif not callable(velocity):
        raise ValueError(
            "the load must be a VelocityProtocol or a function of time V(t); got "
            f"{type(velocity).__name__}"
        )
    if not _checks.is_concrete(t):
        return
    samples = np.asarray(t)
    # Equal times are allowed: records are padded by repeating their last sample
    if not np.all(np.isfinite(samples)) or np.any(np.diff(samples) < 0):
        raise ValueError("sample times t must be finite and sorted")
    if isinstance(velocity, VelocityProtocol) and _checks.is_concrete(velocity.times):
        start = np.asarray(velocity.times)[0]
        if samples[0] < start:
            raise ValueError(
                f"sample time t[0] = {samples[0]} s lies before the protocol's start, "
                f"{start} s; samples must not precede times[0]"
            )
