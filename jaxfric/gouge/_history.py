"""The record of a sheared layer."""

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from jaxfric import _checks, _show
from jaxfric._status import Status
from jaxfric._types import Number
from jaxfric.gouge._outcome import Outcome
from jaxfric.gouge._state import LayerState
from jaxfric.ratestate import Catalogue, History, catalogue as slider_catalogue

MEANS = ("friction", "kinetic_energy", "thickness", "wall_velocity", "slip")
SAMPLED = (*MEANS, "friction_now", "kinetic_energy_now", "wall_velocity_now")


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
        end: everything as it stands after the last sample; `shear(..., start=end)` goes on there.
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
    end: LayerState | None = None

    def __repr__(self) -> str:
        if isinstance(self.time, jax.core.Tracer):
            return "GougeHistory(traced)"
        time = np.asarray(self.time)
        runs = f"{time.shape[0]} layers, " if time.ndim > 1 else ""
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


def joined(histories: Sequence[GougeHistory]) -> GougeHistory:
    """Histories of runs that went on from one another as one.

    Arguments:
        histories: in the order of time, each from `shear(..., start=before.end)`.

    Returns:
        `GougeHistory` of all their samples; its status is the first failure, its end the last.

    Raises:
        ValueError: none, or a history that begins before the one before it ends.
    """
    if not histories:
        raise ValueError("histories must hold one at least")
    for before, after in itertools.pairwise(histories):
        begins, ends = after.time[..., 0], before.time[..., -1]
        if _checks.is_concrete(begins, ends) and not (np.asarray(begins) > np.asarray(ends)).all():
            raise ValueError(
                f"a history begins at {float(np.min(begins)):.6g} s, and the one before it ends "
                f"at {float(np.max(ends)):.6g} s: join them in the order of time"
            )
    axis = histories[0].time.ndim - 1
    kept = {
        name: jnp.concatenate([getattr(history, name) for history in histories], axis)
        for name in ("time", *SAMPLED, "position", "force")
        if all(getattr(history, name) is not None for history in histories)
    }
    codes = jnp.stack([jnp.asarray(history.status.code) for history in histories])
    return GougeHistory(**kept, status=first_failure(codes), end=histories[-1].end)


def first_failure(codes: Int[ArrayLike, "parts *layers"]) -> Status:
    """(parts, …) → of each layer the first code that is not 0, which is success."""
    codes = jnp.asarray(codes)
    first = jnp.argmax(codes > 0, 0)
    found = jnp.take_along_axis(codes, first[None], 0)[0]
    # An item is a pytree of one leaf, its place in the enumeration
    item = jax.tree_util.tree_map(lambda _: found, Outcome.successful)
    return Status(item, Outcome)
