"""The result of simulating a fault."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from jaxfric._status import Status
from jaxfric.ratestate import Catalogue, History, catalogue as slider_catalogue


class FaultHistory(eqx.Module):
    """What `simulate` returns, sampled at `time`.

    Attributes:
        time: (m,), s.
        friction: (m,), mean shear stress over mean normal stress.
        friction_integral: (m,), ∫ μ dt, s.
        velocity: (m,), mean sliding velocity, m/s.
        slip: (m,), mean slip, m.
        kinetic_energy: (m,), ½ m Σ V², J/m², over the patches.
        kinetic_integral: (m,), ∫ kinetic energy dt, J s/m².
        work: (m,), ∫ Σ τ_i V_i dt, J/m² over the patches: friction and radiation.
        level: (m,), what the drift of the strength adds to the friction.
        friction_rate: (m,), μ', 1/s.
        log_velocity_rate: (m,), (ln V)', 1/s.
        patch_velocity: (m, n), m/s; None unless asked for.
        patch_slip: (m, n), m, likewise.
        patch_stress: (m, n), Pa, likewise.
        status: outcome; `status.ok` and `str(status)`.
    """

    time: Float[Array, " m"]
    friction: Float[Array, " m"]
    friction_integral: Float[Array, " m"]
    velocity: Float[Array, " m"]
    slip: Float[Array, " m"]
    kinetic_energy: Float[Array, " m"]
    kinetic_integral: Float[Array, " m"]
    work: Float[Array, " m"]
    level: Float[Array, " m"]
    friction_rate: Float[Array, " m"]
    log_velocity_rate: Float[Array, " m"]
    status: Status
    patch_velocity: Float[Array, "m n"] | None = None
    patch_slip: Float[Array, "m n"] | None = None
    patch_stress: Float[Array, "m n"] | None = None

    def __str__(self) -> str:
        if isinstance(self.time, jax.core.Tracer) or np.ndim(self.time) > 1:
            return "FaultHistory(traced or batched)"
        mu, E = np.asarray(self.friction), np.asarray(self.kinetic_energy)
        return (
            f"FaultHistory: {mu.size} samples, {self.time[0]:.6g} to {self.time[-1]:.6g} s\n"
            f"  friction {mu.min():.5g} to {mu.max():.5g}\n"
            f"  kinetic energy {E.min():.3g} to {E.max():.3g} J/m²\n"
            f"  {self.status}"
        )

    def catalogue(
        self, *, threshold: float | Array | None = None, max_events: int = 64
    ) -> Catalogue:
        """Slip events of the whole fault; see `ratestate.catalogue`. Use `steps=True` histories."""
        return slider_catalogue(
            History(
                self.time, self.velocity, self.friction, self.slip, self.slip, self.status,
                self.log_velocity_rate, self.friction_rate,
            ),
            threshold=threshold, max_events=max_events,
        )  # fmt: skip
