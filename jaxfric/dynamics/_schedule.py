"""Piecewise-constant loading as one differentiable time axis.

An adaptive solver may not step across a jump of the velocity, and the position of its steps carries
no gradient. So segment k of the protocol runs over τ ∈ [k, k+1): jumps sit at integers, which are
constants, and the jump times enter through dt/dτ, where derivatives with respect to them are exact.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxfric._types import Number
from jaxfric.dynamics._protocol import LoadStress, LoadVelocity, NormalStress, VelocityProtocol

Scalar = Float[Array, ""]


class Load(NamedTuple):
    """The loading at one instant."""

    time: Array  # t, s
    velocity: Array  # V, m/s
    log_velocity_rate: Array  # (ln V)', 1/s
    stress: Array  # σ/σ0
    log_stress_rate: Array  # (ln σ)', 1/s
    length: Array  # dt/dτ, the length of the segment, s: rates per second times it are per τ


class Schedule(eqx.Module):
    """Velocity and normal stress as functions of τ over the segments of a protocol.

    In segment k, between the times t_k and t_{k+1}: t = t_k + (τ − k)(t_{k+1} − t_k).
    """

    bounds: Float[Array, " k1"]  # t_k, s: one more than there are segments
    velocity: LoadVelocity
    stress: LoadStress | None
    # What is constant over a segment is looked up there; None where a function is evaluated
    segment_velocity: Float[Array, " k"] | None
    segment_stress_rate: Float[Array, " k"] | None
    last: Int[Array, ""]  # the last segment that is not empty: padding follows

    @classmethod
    def of(
        cls, velocity: LoadVelocity, stress: LoadStress | None, t: Float[Array, " m"]
    ) -> "Schedule":
        """Segments between the breaks of the velocity and of the normal stress, up to t[-1]."""
        # A function has no start of its own, so it begins at the first sample
        breaks = velocity.times if isinstance(velocity, VelocityProtocol) else t[:1]
        start = breaks[:1]
        if isinstance(stress, NormalStress):
            breaks = jnp.sort(jnp.concatenate([breaks, stress.times]))
        # Breaks outside the run, padding at infinity among them, become empty segments at its ends:
        # their number is part of a compiled program's shape and may not depend on the times
        bounds = jnp.concatenate([start, jnp.clip(breaks[1:], start[0], t[-1]), t[-1:]])
        middle = (bounds[1:] + bounds[:-1]) / 2  # on the bounds, rounding may cross over
        return cls(
            bounds=bounds,
            velocity=velocity,
            stress=stress,
            segment_velocity=velocity(middle) if isinstance(velocity, VelocityProtocol) else None,
            segment_stress_rate=(
                jax.vmap(jax.grad(stress))(middle) if isinstance(stress, NormalStress) else None
            ),
            last=jnp.maximum(jnp.searchsorted(bounds, bounds[-1], side="left") - 1, 0),
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
        # The inner `where` divides by one where a segment is empty: 0/0 would reach the gradient
        fraction = jnp.where(real, (t - self.bounds[k]) / jnp.where(real, length, 1), 0)
        return k.astype(t.dtype) + fraction

    def inside(self, t: Float[Array, " m"]) -> Float[Array, " m"]:
        """τ of the times `t`, within a segment that is not empty: the later one at a jump."""
        k = jnp.clip(jnp.searchsorted(self.bounds, t, side="right") - 1, 0, self.last)
        length = self.bounds[k + 1] - self.bounds[k]
        fraction = (t - self.bounds[k]) / jnp.where(length > 0, length, 1)
        # τ = k + 1 would belong to the next segment: just below it is as far as this one goes
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
            # (ln V)' = V'/V, by forward differentiation of the user's function
            V, V_rate = _with_rate(self.velocity, t)
            log_V_rate = V_rate / V
        if self.stress is None:
            return Load(t, V, log_V_rate, one, zero, length)
        sigma, sigma_rate = _with_rate(self.stress, t)
        if self.segment_stress_rate is not None:
            # At a kink an interpolation has the slope of either side: take that of the segment
            sigma_rate = self.segment_stress_rate[k]
        return Load(t, V, log_V_rate, sigma, sigma_rate / sigma, length)


def _with_rate(function: Callable[[Scalar], Number], t: Scalar) -> tuple[Scalar, Scalar]:
    """f(t) and f'(t) in the dtype of t."""
    return jax.jvp(lambda x: jnp.asarray(function(x)).astype(t.dtype), (t,), (jnp.ones_like(t),))
