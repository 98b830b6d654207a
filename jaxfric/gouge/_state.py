"""A layer at one moment of its shearing: what a run goes on from."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks, _show
from jaxfric._types import Vector
from jaxfric.gouge._motion import State
from jaxfric.gouge._neighbours import Room


class LayerState(eqx.Module):
    """Everything of a sheared layer that changes, at one moment; `GougeHistory.end` is one.

    Besides places and velocities it holds what contacts remember, the table of neighbours and the
    forces, so that a run which goes on from it is the run that was never cut.

    Attributes:
        time: s.
        skin: that the table of neighbours was made with, in mean diameters.
    """

    time: Float[Array, "*layers"]
    motion: State
    skin: float = eqx.field(static=True)

    @property
    def position(self) -> Float[Array, "*layers n 2"]:
        """(n, 2), of the grains, m; along the strip not folded back into its period."""
        return jnp.stack([self.motion.x, self.motion.y], -1)

    @property
    def velocity(self) -> Float[Array, "*layers n 2"]:
        """(n, 2), m/s."""
        return jnp.stack([self.motion.vx, self.motion.vy], -1)

    @property
    def spin(self) -> Float[Array, "*layers n"]:
        """(n,), rad/s, counter-clockwise."""
        return self.motion.spin

    @property
    def slip(self) -> Float[Array, "*layers"]:
        """Of the top wall since the start, m."""
        return self.motion.wall.x

    def __repr__(self) -> str:
        return _show.printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        grains = np.shape(self.motion.x)[-1]
        time, slip = _show.shown(self.time, "s"), _show.shown(self.slip, "m")
        return f"LayerState: {grains} grains at {time}, after a slip of {slip}"


def check_start(start: LayerState, shape: tuple[int, ...], room: Room, skin: float) -> None:
    """Raise unless a run of layers of that shape, (layers, n), can go on from a state."""
    found = np.shape(start.motion.x)
    if found != shape:
        raise ValueError(
            f"start is the state of {found} (layers, grains), but {shape} are to be sheared: go on "
            "with the layers that it came from"
        )
    places = np.shape(start.motion.table.first)[-1], np.shape(start.motion.table.own)[-2]
    if places != (room.pairs, room.slots) or start.skin != skin:
        raise ValueError(
            f"start has a table of {places[1]} slots and a skin of {start.skin:g}: go on with the "
            f"same; got slots = {room.slots} and skin = {skin:g}"
        )


def check_time(start: LayerState, t: Vector) -> None:
    """Raise if the (concrete) sampling times begin at another time than the state's."""
    if not _checks.is_concrete(start.time, t):
        return
    t = np.asarray(t, float)
    off = np.abs(np.asarray(start.time, float) - t[0]).max()
    # To a thousandth of an interval: times of float32 are hardly better at the end of a long run
    if not off <= 1e-3 * (t[1] - t[0]):
        raise ValueError(
            f"t must begin at the time of the state it goes on from, "
            f"{float(np.ravel(start.time)[0]):.6g} s; got t[0] = {t[0]:.6g} s"
        )


def read_state(arrays: dict[str, np.ndarray], template: LayerState) -> LayerState:
    """The state of `state_arrays`, as a state of the kind of the template.

    Raises:
        ValueError: arrays of another kind.
    """
    paths, tree = jax.tree_util.tree_flatten_with_path(template)
    leaves = []
    for path, leaf in paths:
        found = arrays.get(jax.tree_util.keystr(path))
        if found is None or (found.shape, found.dtype) != (leaf.shape, leaf.dtype):
            raise ValueError("it is of another size or precision, or of another version")
        leaves.append(jnp.asarray(found))
    state: LayerState = jax.tree_util.tree_unflatten(tree, leaves)
    return state


def state_arrays(state: LayerState) -> dict[str, np.ndarray]:
    """Every array of a state by its place in it."""
    paths, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in paths}
