"""Steps from sample to sample, of layers that are one state."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._grains import FREE, TOP, Layer
from jaxfric.gouge._history import GougeHistory
from jaxfric.gouge._load import Load
from jaxfric.gouge._motion import Body, Drive, State, Wall, advance, begin, kinetic_energy
from jaxfric.gouge._neighbours import Room
from jaxfric.gouge._outcome import Outcome
from jaxfric.gouge._state import LayerState

SKIN = 0.3  # of the mean diameter: a table then lasts for hundreds of steps
PAIRS = 3.2  # places for pairs, for each grain: discs have some 2.5 within the skin
SLOTS = 10  # places for the pairs of a grain
# More grains than there are on average within reach along the strip: packings are not even
WINDOW = 2.0
DEEP = 1 / 3  # of a radius: an overlap that no model of contact means
# Means of an interval, what is seen at its end, slip of the wall, and the grains if they are kept
Seen = tuple[tuple[Array, ...], tuple[Array, ...], Array, tuple[Array, ...] | None]


def room_of(layer: Layer, slots: int = SLOTS, skin: float = SKIN) -> Room:
    """Sizes of the table of neighbours of a (concrete) layer."""
    n = layer.wall.shape[0]
    if not _checks.is_concrete(layer.grains.radius, layer.length):
        raise ValueError(
            "radii and length of a layer decide how many neighbours there are, and must be known "
            "when a program is compiled: make the layer outside of jit and grad"
        )
    reach = 2 * float(jnp.max(layer.grains.radius)) * (1 + skin)
    if float(layer.length) < 3 * reach:
        raise ValueError(
            f"the strip is {float(layer.length):.4g} m long, less than three times the reach of a "
            f"grain and the skin, {reach:.4g} m: a grain would meet its own image"
        )
    window = math.ceil(WINDOW * n * reach / float(layer.length)) + 4
    return Room(min(window, n - 1), math.ceil(PAIRS * n), min(slots, n - 1))


def start(layers: Layer, body: Body) -> State:
    """The state at the start of a layer: walls where they are, springs without stretch."""
    grains = layers.grains
    x, y = grains.position[..., 0], grains.position[..., 1]
    vx, vy = grains.velocity[..., 0], grains.velocity[..., 1]
    zero = jnp.zeros(x.shape[0], x.dtype)
    return begin(x, y, vx, vy, grains.spin, Wall(zero, zero, zero, zero), body)


def body_of(
    layers: Layer, contact: AbstractContact, rotating: bool, room: Room, skin: float
) -> Body:
    grains = layers.grains
    mass, inertia = jax.vmap(lambda g: (g.mass, g.inertia))(grains)
    dtype = grains.radius.dtype
    return Body(
        radius=grains.radius, mass=mass, inertia=inertia, wall=layers.wall, length=layers.length,
        contact=contact, gravity=jnp.zeros(2, dtype), skin=skin * 2 * jnp.mean(grains.radius),
        turns=jnp.asarray(float(rotating), dtype), room=room,
    )  # fmt: skip


def drive_of(layers: Layer, load: Load) -> Drive:
    """Forces on the wall of each strip: what is given over an area, times its length."""
    L = layers.length
    if load.damping is None:
        # Of the time in which the pressure moves the wall by a grain's diameter
        d = 2 * jnp.mean(layers.grains.radius)
        damping = jnp.sqrt(load.wall_mass * load.pressure / d)
    else:
        damping = jnp.asarray(load.damping)
    imposed = load.stiffness is None
    spring = jnp.zeros(()) if load.stiffness is None else jnp.asarray(load.stiffness)
    return Drive(
        pressure=jnp.asarray(load.pressure) * L, spring=spring * L,
        mass=jnp.asarray(load.wall_mass) * L, damping=damping * L, imposed=jnp.asarray(imposed),
    )  # fmt: skip


def run(
    state: State, layers: Layer, body: Body, drive: Drive, load: Load, t: Array, dt: Array,
    steps: int, keep_grains: bool, skin: float,
) -> GougeHistory:  # fmt: skip
    """Step from sample to sample; the sums of an interval become its means."""
    area = load.pressure * layers.length
    thickness = jax.vmap(lambda x: x.thickness)(layers)

    def seen(state: State) -> tuple[Array, ...]:
        # The wall feels the grains' resistance against its motion
        friction = -state.load.wall_x / area
        energy = kinetic_energy(state, body) / layers.length
        return friction, energy, thickness + state.wall.y, state.wall.vx

    def sample(state: State, begins: Array) -> tuple[State, Seen]:
        def step(
            carry: tuple[State, tuple[Array, ...]], k: Array
        ) -> tuple[tuple[State, tuple[Array, ...]], None]:
            state, sums = carry
            now = begins + (k + 1).astype(dt.dtype) * dt
            state = advance(
                state, body, drive, (load.velocity.displacement(now), load.velocity(now)), dt
            )
            return (state, tuple(a + b for a, b in zip(sums, seen(state), strict=True))), None

        zeros = tuple(jnp.zeros_like(v) for v in seen(state))
        (state, sums), _ = jax.lax.scan(step, (state, zeros), jnp.arange(steps))
        means = tuple(s / steps for s in sums)
        grains = (state.x, state.y, state.load.fx, state.load.fy) if keep_grains else None
        return state, (means, seen(state), state.wall.x, grains)

    # Derivatives keep the state at every sample only, and step again between two of them
    checkpointed = jax.checkpoint(sample)
    # Each interval begins at its own time, so that a run in pieces is the run in one
    state, found = jax.lax.scan(checkpointed, state, t[:-1])
    means, ends, slip, grains = jax.tree_util.tree_map(lambda x: jnp.moveaxis(x, 0, 1), found)
    layers_count = state.x.shape[0]
    return GougeHistory(
        time=jnp.broadcast_to(t[1:], (layers_count, t.shape[0] - 1)),
        friction=means[0], kinetic_energy=means[1], thickness=means[2], wall_velocity=means[3],
        slip=slip, friction_now=ends[0], kinetic_energy_now=ends[1], wall_velocity_now=ends[3],
        position=None if grains is None else jnp.stack(grains[:2], -1),
        force=None if grains is None else jnp.stack(grains[2:], -1),
        status=_status(state, body),
        end=LayerState(jnp.broadcast_to(t[-1], layers_count), state, skin),
    )  # fmt: skip


def _status(state: State, body: Body) -> Status:
    def of_layer(state: State, wall: Array, radius: Array) -> Status:
        y, free = state.y, wall == FREE
        top = jnp.mean(y, where=wall == TOP)
        outside = jnp.any(free & ((y > top + radius) | (y < -radius)))
        finite = jnp.all(jnp.isfinite(state.x)) & jnp.all(jnp.isfinite(state.vx))
        return Status.first(
            Outcome,
            (state.crowded, Outcome.crowded),
            ((state.overlap > DEEP) | ~finite, Outcome.unstable),
            (outside, Outcome.escaped),
        )

    return jax.vmap(of_layer)(state, body.wall, body.radius)
