"""Unrolling a recurrent network over a sequence, with or without its instantaneous derivative."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def unroll(
    network: Any,
    velocity: Any,
    dt: Any,
    slip: Any = None,
) -> Float[Array, " m"]:
    """Δμ over a sequence: h_k, ŷ_k = step(h_{k−1}, V_k, dt).

    Arguments:
        network: with `initial(V)` and `step(hidden, V, dt, slip)`.
        velocity: (m,), at the samples.
        dt: time between samples.
        slip: (m,), slip since the sample before; not known if None.

    Returns:
        (m,), change of friction since the first sample.
    """
    velocity, dt, slip = _checked(velocity, dt, slip)

    def body(hidden: Any, each: tuple[Array, ...]) -> tuple[Any, Array]:
        return network.step(hidden, each[0], dt, *each[1:])

    each = (velocity,) if slip is None else (velocity, slip)
    return jax.lax.scan(body, network.initial(velocity[0]), each)[1]


def unroll_with_slopes(
    network: Any,
    velocity: Any,
    dt: Any,
    slip: Any = None,
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """Δμ and the instantaneous derivative ∂ŷ_k/∂V_k, the hidden state before sample k held fixed.

    One forward-mode derivative of the cell inside the scan: almost free.

    Arguments:
        network: see `unroll`.
        velocity: see `unroll`.
        dt: see `unroll`.
        slip: see `unroll`.

    Returns:
        (Δμ, ∂Δμ/∂V), each (m,).
    """
    velocity, dt, slip = _checked(velocity, dt, slip)

    def body(hidden: Any, each: tuple[Array, ...]) -> tuple[Any, tuple[Array, Array]]:
        def output(V: Array) -> tuple[Array, Any]:
            after, change = network.step(hidden, V, dt, *each[1:])
            return change, after

        change, slope, after = jax.jvp(output, (each[0],), (jnp.ones_like(each[0]),), has_aux=True)
        return after, (change, slope)

    each = (velocity,) if slip is None else (velocity, slip)
    return jax.lax.scan(body, network.initial(velocity[0]), each)[1]


def _checked(velocity: Any, dt: Any, slip: Any) -> tuple[Array, Array, Array | None]:
    velocity = jnp.asarray(velocity)
    if velocity.ndim != 1 or velocity.size == 0:
        raise ValueError(
            f"velocity must have shape (m,), m >= 1; got {velocity.shape}. A network takes one "
            "sequence; for a batch, use jax.vmap"
        )
    if jnp.ndim(dt) > 0:
        raise ValueError(f"dt must be one number; got shape {jnp.shape(dt)}")
    if slip is not None and jnp.shape(slip) != velocity.shape:
        raise ValueError(f"slip must have the shape of velocity, {velocity.shape}")
    dt = jnp.asarray(dt, velocity.dtype)
    return velocity, dt, None if slip is None else jnp.asarray(slip, velocity.dtype)
