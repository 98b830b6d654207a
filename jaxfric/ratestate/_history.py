"""The result of a simulation."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from jaxfric import _show
from jaxfric._status import Status


class History(eqx.Module):
    """What `slide` and `spring_slider` return, sampled at `time`.

    Attributes:
        time: (m,), s.
        velocity: (m,), sliding velocity, m/s.
        friction: (m,), friction coefficient (shear over normal stress), dimensionless.
        state: (m,) θ in s, or (m, n) for n states; any pytree for a law of the user's own.
        slip: (m,), m, zero at the start of the protocol.
        status: outcome; `status.ok` and `str(status)`.
        log_velocity_rate: (m,), (ln V)', 1/s; None where it is not known.
        friction_rate: (m,), μ', 1/s; None where it is not known. With both, `catalogue` places
            events between the samples and differentiates them at fixed phase, not at fixed time.
    """

    time: Float[Array, " m"]
    velocity: Float[Array, " m"]
    friction: Float[Array, " m"]
    state: PyTree
    slip: Float[Array, " m"]
    status: Status
    # A law that moves in fixed steps has no rates
    log_velocity_rate: Float[Array, " m"] | None = None
    friction_rate: Float[Array, " m"] | None = None

    def __repr__(self) -> str:
        if isinstance(self.time, jax.core.Tracer):
            return "History(traced)"
        time, mu = np.asarray(self.time), np.asarray(self.friction)
        # jax.vmap puts its axes before that of the samples
        runs = f"{time[..., 0].size} runs of " if time.ndim > 1 else ""
        return (
            f"History: {runs}{time.shape[-1]} samples, {_show.extent(time)} s\n"
            f"  friction {_show.extent(mu)}, last {mu.flat[-1]:.6g}\n"
            f"  velocity {_show.extent(self.velocity, '.3g')} m/s, "
            f"slip to {np.max(self.slip):.4g} m\n"
            f"  {self.status}"
        )
