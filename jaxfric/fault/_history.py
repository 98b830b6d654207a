"""The result of simulating a fault."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _show
from jaxfric._status import Status
from jaxfric._types import Number
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

    def __repr__(self) -> str:
        if isinstance(self.time, jax.core.Tracer):
            return "FaultHistory(traced)"
        time = np.asarray(self.time)
        # jax.vmap puts its axes before that of the samples
        runs = f"{time[..., 0].size} runs of " if time.ndim > 1 else ""
        return (
            f"FaultHistory: {runs}{time.shape[-1]} samples, {_show.extent(time)} s\n"
            f"  friction {_show.extent(self.friction, '.5g')}\n"
            f"  kinetic energy {_show.extent(self.kinetic_energy, '.3g')} J/m²\n"
            f"  {self.status}"
        )

    def catalogue(
        self, *, threshold: Number | None = None, max_events: int = 64
    ) -> Catalogue:  # fmt: skip
        """Slip events of the whole fault; see `ratestate.catalogue`. Use `steps=True` histories."""
        # The fault seen as one slider. A catalogue does not look at the state, so that the slip,
        # which has the shape of one, stands in its place
        whole = History(
            time=self.time,
            velocity=self.velocity,
            friction=self.friction,
            state=self.slip,
            slip=self.slip,
            status=self.status,
            log_velocity_rate=self.log_velocity_rate,
            friction_rate=self.friction_rate,
        )
        return slider_catalogue(whole, threshold=threshold, max_events=max_events)
