"""A layer of gouge, sheared by its top wall under a constant pressure."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._threads import in_threads
from jaxfric._types import Number, Vector
from jaxfric.gouge._collide import check_steps, time_step
from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._grains import Layer
from jaxfric.gouge._history import GougeHistory
from jaxfric.gouge._load import Load
from jaxfric.gouge._motion import State
from jaxfric.gouge._neighbours import Room
from jaxfric.gouge._run import SKIN, SLOTS, body_of, drive_of, room_of, run, start as start_of
from jaxfric.gouge._state import LayerState, check_start, check_time
from jaxfric.programs import program


def contact_time(layer: Layer, contact: AbstractContact, speed: Number = 1.0) -> Float[Array, ""]:
    """How long a collision of the two smallest grains lasts, s.

    Arguments:
        layer: one layer.
        contact: the law of contact.
        speed: of the collision, m/s; of no effect where the force is linear.
    """
    smallest = jnp.argmin(layer.grains.radius)
    mass, radius = layer.grains.mass[smallest] / 2, layer.grains.radius[smallest] / 2
    return contact.duration(mass, radius, speed)


def steps_between(
    layer: Layer, contact: AbstractContact, t: Vector, steps_per_contact: int = 25
) -> int:
    """How many steps of the solver a sampling interval needs.

    Arguments:
        layer: one layer, of concrete values.
        contact: the law of contact.
        t: (m,), sampling times in equal steps, s.
        steps_per_contact: 20 to 50 are usual.

    Returns:
        A number for `shear(..., steps=)`.
    """
    interval = float(time_step(t, 1))
    return max(math.ceil(interval * steps_per_contact / float(contact_time(layer, contact))), 1)


def shear(
    layer: Layer,
    contact: AbstractContact,
    load: Load,
    t: Vector,
    *,
    steps: int | None = None,
    rotating: bool = True,
    slots: int = SLOTS,
    skin: float = SKIN,
    keep_grains: bool = False,
    start: LayerState | None = None,
) -> GougeHistory:
    """Shear a layer between rough walls under constant normal pressure.

    Velocity Verlet with a table of neighbours; a sample is the mean over the interval that ends
    there, and the state at its end.

    Arguments:
        layer: from `layer`.
        contact: the law of contact.
        load: what drives the top wall.
        t: (m,), sampling times in equal steps, s; the first is the start.
        steps: of the solver in an interval; 25 of a contact's duration if None.
        rotating: False keeps grains from turning.
        slots: places for the neighbours of a grain.
        skin: how much farther than touching neighbours are looked for, in mean diameters: a table
            lasts until a grain has moved by half of that.
        keep_grains: whether positions and forces on the grains are kept at every sample.
        start: `history.end` of a run of the same layer, which ended at t[0]: this one goes on
            there, under the same load or another. None starts at rest.

    Returns:
        `GougeHistory` of m − 1 samples.

    Raises:
        ValueError: times that are not in equal steps, too few steps, traced values without
            `steps`, or a `start` of another layer or time.

    Example:
        >>> import jax
        >>> import numpy as np
        >>> from jaxfric.gouge import Contact, Load, layer
        >>> law = Contact(1e8, friction=0.5)
        >>> small = layer(law, pressure=1e5, key=jax.random.key(0), length=0.012, height=6e-3)
        >>> load = Load(1e5, 0.1, wall_mass=74.0)  # the wall moves at 0.1 m/s
        >>> t = np.linspace(0.0, 2e-3, 5)
        >>> first = shear(small, law, load, t)
        >>> second = shear(small, law, load, t + 2e-3, start=first.end)
        >>> print(second.status, f"{1e3 * second.slip[-1]:.3f} mm")
        successful 0.400 mm
    """
    # What is known is computed at once, also within the user's own jit: sizes are read off values
    with jax.ensure_compile_time_eval():
        both = jax.tree_util.tree_map(lambda x: x[None], layer)
    found = shear_batch(
        both, contact, load, t, steps=steps, rotating=rotating, slots=slots, skin=skin,
        keep_grains=keep_grains, start=jax.tree_util.tree_map(lambda x: x[None], start),
    )  # fmt: skip
    return jax.tree_util.tree_map(lambda x: x[0], found)


def shear_batch(
    layers: Layer | Sequence[Layer],
    contact: AbstractContact,
    load: Load,
    t: Vector,
    *,
    steps: int | None = None,
    rotating: bool = True,
    slots: int = SLOTS,
    skin: float = SKIN,
    keep_grains: bool = False,
    start: LayerState | None = None,
) -> GougeHistory:
    """`shear` of several layers.

    Under `jax.vmap` a table of neighbours would be made at every step, as both branches of a
    condition are computed there. On an accelerator, and in a transformation of JAX, layers are one
    state, whose tables are made when one layer wants it. On a processor each runs by itself, as
    many at a time as there are cores, and any number of layers shares one program.

    Arguments:
        layers: of one number of grains: a list, or one `Layer` with a leading axis.
        contact: see `shear`, as the others.
        load: of all.
        t: (m,), s.
        steps: of the solver in an interval.
        rotating: False keeps grains from turning.
        slots: places for the neighbours of a grain.
        skin: how much farther than touching neighbours are looked for, in mean diameters: a table
            lasts until a grain has moved by half of that.
        keep_grains: whether positions and forces are kept.
        start: `history.end` of a run of the same layers.

    Returns:
        `GougeHistory` with a leading axis.

    Raises:
        ValueError: as `shear`, or layers of different sizes.
    """
    layers, steps, room = sizes(layers, contact, t, steps, slots, skin)
    t = jnp.asarray(t, layers.grains.radius.dtype)
    motion = None
    if start is not None:
        check_start(start, layers.wall.shape, room, skin)
        check_time(start, t)
        motion = start.motion
    return shear_layers(
        motion, layers, contact, load, t, time_step(t, steps), steps, rotating, room, skin,
        keep_grains,
    )  # fmt: skip


def sizes(
    layers: Layer | Sequence[Layer], contact: AbstractContact, t: Vector, steps: int | None,
    slots: int, skin: float,
) -> tuple[Layer, int, Room]:  # fmt: skip
    """Layers as one, steps of the solver in an interval, sizes of the table of neighbours."""
    with jax.ensure_compile_time_eval():
        if not isinstance(layers, Layer):
            layers = stacked(layers)
        first = jax.tree_util.tree_map(lambda x: x[0], layers)
        if steps is None:
            if not _checks.is_concrete(layers, contact, t):
                raise ValueError(
                    "under a transformation of JAX the number of steps must be given: pass steps= "
                    "(see `steps_between`, called outside)"
                )
            steps = steps_between(first, contact, t)
        check_steps(steps)
        _check_steps_suffice(first, contact, t, steps)
        return layers, steps, room_of(first, slots, skin)


def stacked(layers: Sequence[Layer]) -> Layer:
    """Layers of one size as one `Layer` with a leading axis."""
    sizes = sorted({x.wall.shape[0] for x in layers})
    if len(sizes) != 1:
        raise ValueError(
            f"layers of a batch need one number of grains; got {sizes}. Make them with the same "
            "length and height, or shear them one by one"
        )
    return jax.tree_util.tree_map(lambda *x: jnp.stack(x), *layers)


def _check_steps_suffice(layer: Layer, contact: AbstractContact, t: Vector, steps: int) -> None:
    if not _checks.is_concrete(layer, contact, t):
        return
    shortest, dt = float(contact_time(layer, contact)), float(time_step(t, steps))
    if dt > shortest / 5:
        raise ValueError(
            f"a step of {dt:.3g} s is too long for contacts that last {shortest:.3g} s; take at "
            f"least {math.ceil(steps * 20 * dt / shortest)} steps in an interval"
        )


@program
def shear_from(
    motion: State | None, layers: Layer, contact: AbstractContact, load: Load, t: Array, dt: Array,
    steps: int, rotating: bool, room: Room, skin: float, keep_grains: bool,
) -> GougeHistory:  # fmt: skip
    """Go on from a state, or start at rest."""
    body = body_of(layers, contact, rotating, room, skin)
    state = start_of(layers, body) if motion is None else motion
    drive = drive_of(layers, load)
    return run(state, layers, body, drive, load, t, dt, steps, keep_grains, skin)


def shear_layers(
    motion: State | None, layers: Layer, contact: AbstractContact, load: Load, t: Array, dt: Array,
    steps: int, rotating: bool, room: Room, skin: float, keep_grains: bool,
) -> GougeHistory:  # fmt: skip
    """`shear_from` as suits the machine: all layers in one state, or each on a core."""
    count = layers.wall.shape[0]
    # Under the user's own jit the step of time is a tracer, as it was computed there
    known = _checks.is_concrete(motion, layers, contact, load, t, dt)
    if count == 1 or not known or jax.default_backend() != "cpu":
        return shear_from(
            motion, layers, contact, load, t, dt, steps, rotating, room, skin, keep_grains
        )
    doubles = jax.dtypes.canonicalize_dtype(float) == np.float64

    def one(k: int) -> GougeHistory:
        # By NumPy, here and below: JAX would compile a cut for each of a state's arrays
        own = (
            jax.tree_util.tree_map(lambda x: np.asarray(x)[k : k + 1], x) for x in (motion, layers)
        )
        # The precision may be a setting of the caller's thread alone
        with jax.enable_x64(doubles):
            history = shear_from(
                *own, contact, load, t, dt, steps, rotating, room, skin, keep_grains
            )
            return jax.block_until_ready(history)

    found = in_threads(one, range(count))
    return jax.tree_util.tree_map(lambda *x: jnp.asarray(np.concatenate(x)), *found)


@program
def at_rest(
    layers: Layer, contact: AbstractContact, rotating: bool, room: Room, skin: float
) -> State:
    """The state that a run starts from."""
    return start_of(layers, body_of(layers, contact, rotating, room, skin))
