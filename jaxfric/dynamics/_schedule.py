"""Piecewise-constant loading as one differentiable time axis.

An adaptive solver may not step across a jump of the velocity, and the position of its steps carries
no gradient. So segment k of the protocol runs over τ ∈ [k, k+1): jumps sit at integers, which are
constants, and the jump times enter through dt/dτ, where derivatives with respect to them are exact.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxfric.dynamics._protocol import NormalStress, VelocityProtocol

Scalar = Float[Array, ""]


class Load(NamedTuple):
    """The loading at one instant: t (s), V (m/s), (ln V)' (1/s), σ/σ0, (ln σ)' (1/s), dt/dτ (s)."""

    time: Array
    velocity: Array
    log_velocity_rate: Array
    stress: Array
    log_stress_rate: Array
    length: Array


class Schedule(eqx.Module):
    """Velocity and normal stress as functions of τ over the segments of a protocol."""

    bounds: Float[Array, " k1"]
    velocity: VelocityProtocol | Callable[[Scalar], Scalar]
    stress: NormalStress | Callable[[Scalar], Scalar] | None
    segment_velocity: Float[Array, " k"] | None
    segment_stress_rate: Float[Array, " k"] | None
    last: Int[Array, ""]  # the last segment that is not empty: padding follows

    @classmethod
    def of(cls, velocity: Any, stress: Any, t: Float[Array, " m"]) -> "Schedule":
        """Segments between the breaks of the velocity and of the normal stress, up to t[-1]."""
        breaks = velocity.times if isinstance(velocity, VelocityProtocol) else t[:1]
        start = breaks[:1]
        if isinstance(stress, NormalStress):
            breaks = jnp.sort(jnp.concatenate([breaks, stress.times]))
        bounds = jnp.concatenate([start, jnp.clip(breaks[1:], start[0], t[-1]), t[-1:]])
        middle = (bounds[1:] + bounds[:-1]) / 2  # on the bounds, rounding may cross over
        return cls(
            bounds,
            velocity,
            stress,
            velocity(middle) if isinstance(velocity, VelocityProtocol) else None,
            jax.vmap(jax.grad(stress))(middle) if isinstance(stress, NormalStress) else None,
            jnp.maximum(jnp.searchsorted(bounds, bounds[-1], side="left") - 1, 0),
        )

    @property
    def jumps(self) -> Float[Array, " k"]:
        """The τ at which loading is discontinuous."""
        return jnp.arange(1, self.bounds.shape[0] - 1, dtype=self.bounds.dtype)

    def tau(self, t: Float[Array, " m"]) -> Float[Array, " m"]:
        """τ of the times `t`, at the earliest where segments are empty."""
        k = jnp.searchsorted(self.bounds, t, side="left") - 1
        k = jnp.clip(k, 0, self.bounds.shape[0] - 2)
        length = self.bounds[k + 1] - self.bounds[k]
        real = length > 0
        fraction = jnp.where(real, (t - self.bounds[k]) / jnp.where(real, length, 1), 0)
        return k.astype(t.dtype) + fraction

    def inside(self, t: Float[Array, " m"]) -> Float[Array, " m"]:
        """τ of the times `t`, within a segment that is not empty: the later one at a jump."""
        k = jnp.clip(jnp.searchsorted(self.bounds, t, side="right") - 1, 0, self.last)
        length = self.bounds[k + 1] - self.bounds[k]
        fraction = (t - self.bounds[k]) / jnp.where(length > 0, length, 1)
        top = jnp.nextafter((k + 1).astype(t.dtype), jnp.zeros((), t.dtype))
        return jnp.minimum(k.astype(t.dtype) + fraction, top)

    def segment(self, tau: Scalar) -> Int[Array, ""]:
        """Index of the segment that holds at τ, continuous from the right."""
        return jnp.clip(jnp.floor(tau).astype(self.last.dtype), 0, self.last)

    def time(self, tau: Scalar) -> Scalar:
        """The time at τ, s."""
        k = self.segment(tau)
        return self.bounds[k] + (tau - k.astype(tau.dtype)) * (self.bounds[k + 1] - self.bounds[k])

    def load(self, tau: Scalar) -> Load:
        """The loading at τ."""
        k = self.segment(tau)
        length = self.bounds[k + 1] - self.bounds[k]
        t = self.time(tau)
        zero, one = jnp.zeros_like(t), jnp.ones_like(t)
        if self.segment_velocity is not None:
            V, log_V_rate = self.segment_velocity[k], zero
        else:
            V, V_rate = _with_rate(self.velocity, t)
            log_V_rate = V_rate / V
        if self.stress is None:
            return Load(t, V, log_V_rate, one, zero, length)
        sigma, sigma_rate = _with_rate(self.stress, t)
        if self.segment_stress_rate is not None:
            sigma_rate = self.segment_stress_rate[k]
        return Load(t, V, log_V_rate, sigma, sigma_rate / sigma, length)


def _with_rate(function: Callable[[Scalar], Any], t: Scalar) -> tuple[Scalar, Scalar]:
    """f(t) and f'(t) in the dtype of t."""
    return jax.jvp(lambda x: jnp.asarray(function(x)).astype(t.dtype), (t,), (jnp.ones_like(t),))
