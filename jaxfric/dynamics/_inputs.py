"""What a simulator is given, checked where it is concrete; `_outcome` tells of traced values."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import _checks
from jaxfric.dynamics._protocol import VelocityProtocol


def as_data(tree: Any, dtype: Any, inside: bool = False) -> Any:
    """Numbers as arrays of one dtype, so that other numbers need no other program.

    Functions keep their arrays (the weights of a network, say), but those of a protocol (`inside`).
    """

    def convert(x: Any) -> Any:
        if isinstance(x, bool) or not (isinstance(x, (int, float)) or hasattr(x, "dtype")):
            return x
        if hasattr(x, "dtype") and not jnp.issubdtype(x.dtype, jnp.number):
            return x
        return jnp.asarray(x, dtype)

    return jax.tree_util.tree_map(convert, tree, is_leaf=None if inside else callable)


def check_load(velocity: Any, t: Any) -> None:
    """Raise for a batch, samples that are not sorted, or samples outside the protocol."""
    _checks.vector("t", t)
    if isinstance(velocity, VelocityProtocol):
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
    if not np.all(np.isfinite(samples)) or np.any(np.diff(samples) < 0):
        raise ValueError("sample times t must be finite and sorted")
    if isinstance(velocity, VelocityProtocol) and _checks.is_concrete(velocity.times):
        start = np.asarray(velocity.times)[0]
        if samples[0] < start:
            raise ValueError(
                f"sample time t[0] = {samples[0]} s lies before the protocol's start, "
                f"{start} s; samples must not precede times[0]"
            )
