"""What a chain is made of, checked where it is concrete."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric._types import Numbers
from jaxfric.dynamics import FloatType


def check_signs(*, positive: dict[str, Numbers], not_negative: dict[str, Numbers]) -> None:
    """Raise for a value out of range; of traced ones `FaultChain.valid` tells."""
    for name, value in positive.items():
        if not isinstance(value, jax.core.Tracer) and not np.all(np.asarray(value) > 0):
            raise ValueError(f"{name} must be positive; got {np.asarray(value).tolist()}")
    for name, value in not_negative.items():
        if not isinstance(value, jax.core.Tracer) and not value >= 0:
            raise ValueError(f"{name} must not be negative; got {value}")


def spread(name: str, value: Numbers, shape: tuple[int, ...], dtype: FloatType) -> Array:
    """One value for each patch, from one for all or one for each."""
    value = jnp.asarray(value, dtype)
    if value.shape not in ((), shape):
        raise ValueError(
            f"{name} must be one number or have shape {shape}, one for each patch; got shape "
            f"{value.shape}. For a batch of chains, use jax.vmap"
        )
    return jnp.broadcast_to(value, shape)
