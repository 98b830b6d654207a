"""Unrolling a recurrent network over a sequence, with or without its instantaneous derivative."""

from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxfric._types import Number, Numbers, Vector


@runtime_checkable
class RecurrentNetwork(Protocol):
    """Whatever carries a hidden state from sample to sample.

    The hidden state is any pytree, of the same structure and shapes from step to step, as a scan
    requires.
    """

    def initial(self, V: Number) -> PyTree:
        """Hidden state before the first sample, whose velocity is V."""
        ...

    def step(
        self, hidden: PyTree, velocity: Number, dt: Number, slip: Number | None = None
    ) -> tuple[PyTree, Array]:
        """(hidden state, Δμ) one sample later."""
        ...


def unroll(
    network: RecurrentNetwork,
    velocity: Vector,
    dt: Numbers,
    slip: Vector | None = None,
) -> Float[Array, " m"]:
    """Δμ over a sequence: h_k, ŷ_k = step(h_{k−1}, V_k, dt).

    Arguments:
        network: with `initial(V)` and `step(hidden, V, dt, slip)`.
        velocity: (m,), at the samples.
        dt: time between samples, one number.
        slip: (m,), slip since the sample before; not known if None.

    Returns:
        (m,), change of friction since the first sample.

    Raises:
        ValueError: a batch in place of one sequence, or a slip of another length.
    """
    velocity, dt, slip = _checked(velocity, dt, slip)

    def body(hidden: PyTree, sample: tuple[Array, ...]) -> tuple[PyTree, Array]:
        return network.step(hidden, sample[0], dt, *sample[1:])

    # Slip is left out of the call altogether where there is none: a network need not know of it
    samples = (velocity,) if slip is None else (velocity, slip)
    return jax.lax.scan(body, network.initial(velocity[0]), samples)[1]


def unroll_with_slopes(
    network: RecurrentNetwork,
    velocity: Vector,
    dt: Numbers,
    slip: Vector | None = None,
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

    Raises:
        ValueError: see `unroll`.

    Source: the derivative of equations 6 and 9 of the paper "Slide, Hold, Learn".
    """
    velocity, dt, slip = _checked(velocity, dt, slip)

    def body(hidden: PyTree, sample: tuple[Array, ...]) -> tuple[PyTree, tuple[Array, Array]]:
        # Only V is an argument of the derivative. The hidden state is closed over, which holds it
        # fixed: what earlier velocities do to ŷ_k is healing and decay, not the direct effect
        def output(V: Array) -> tuple[Array, PyTree]:
            after, change = network.step(hidden, V, dt, *sample[1:])
            return change, after

        # Forward mode gives ŷ and its slope in one pass over the cell. With a gradient in its place
        # that of the loss would be one of a gradient: slower, and it keeps more
        V = sample[0]
        change, slope, after = jax.jvp(output, (V,), (jnp.ones_like(V),), has_aux=True)
        return after, (change, slope)

    samples = (velocity,) if slip is None else (velocity, slip)
    return jax.lax.scan(body, network.initial(velocity[0]), samples)[1]


def _checked(
    velocity: Vector, dt: Numbers, slip: Vector | None
) -> tuple[Array, Array, Array | None]:
    """Arrays of the velocity's dtype; shapes are known while tracing, so that wrong ones raise."""
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
