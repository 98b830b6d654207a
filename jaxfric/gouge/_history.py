"""The record of a sheared layer."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _show
from jaxfric._status import Status
from jaxfric._types import Number
from jaxfric.ratestate import Catalogue, History, catalogue as slider_catalogue


class GougeHistory(eqx.Module):
    """What `shear` returns: means over the intervals that end at `time`, and states at their ends.

    Attributes:
        time: (m,), s.
        friction: (m,), shear force of the grains on the top wall over the normal load, mean.
        kinetic_energy: (m,), of the grains, a metre of wall, J/m (of discs: J/m²), mean.
        thickness: (m,), between the walls' centre lines, m, mean.
        wall_velocity: (m,), of the top wall along its slip, m/s, mean.
        slip: (m,), of the top wall, m, at `time`.
        friction_now: (m,), at `time`.
        kinetic_energy_now: (m,), at `time`.
        wall_velocity_now: (m,), at `time`.
        status: outcome; `status.ok` and `str(status)`.
        position: (m, n, 2), of the grains, m, at `time`; None unless asked for.
        force: (m, n, 2), on the grains, N, likewise.
    """

    time: Float[Array, "*layers m"]
    friction: Float[Array, "*layers m"]
    kinetic_energy: Float[Array, "*layers m"]
    thickness: Float[Array, "*layers m"]
    wall_velocity: Float[Array, "*layers m"]
    slip: Float[Array, "*layers m"]
    friction_now: Float[Array, "*layers m"]
    kinetic_energy_now: Float[Array, "*layers m"]
    wall_velocity_now: Float[Array, "*layers m"]
    status: Status
    position: Float[Array, "*layers m n 2"] | None = None
    force: Float[Array, "*layers m n 2"] | None = None

    def __repr__(self) -> str:
        if isinstance(self.time, jax.core.Tracer):
            return "GougeHistory(traced)"
        time = np.asarray(self.time)
        runs = f"{time[..., 0].size} layers, " if time.ndim > 1 else ""
        return (
            f"GougeHistory: {runs}{time.shape[-1]} samples, {_show.extent(time)} s\n"
            f"  friction {_show.extent(self.friction, '.4g')}\n"
            f"  kinetic energy {_show.extent(self.kinetic_energy, '.3g')} J/m²\n"
            f"  {self.status}"
        )

    def catalogue(
        self, *, threshold: Number | None = None, max_events: int = 64
    ) -> Catalogue:  # fmt: skip
        """Slip events of the wall; see `ratestate.catalogue`."""
        # A catalogue looks at ln V, and a wall that rests or swings back has none: what is slower
        # than a millionth of the fastest counts as that
        fastest = abs(self.wall_velocity).max()
        history = History(
            time=self.time, velocity=self.wall_velocity.clip(1e-6 * fastest),
            friction=self.friction, state=self.slip, slip=self.slip, status=self.status,
        )  # fmt: skip
        return slider_catalogue(history, threshold=threshold, max_events=max_events)
