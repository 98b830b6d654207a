"""Pressing a poured layer together until its grains rest."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._grains import Layer
from jaxfric.gouge._load import Load
from jaxfric.gouge._motion import State, advance, kinetic_energy
from jaxfric.gouge._neighbours import Room
from jaxfric.gouge._run import SKIN, body_of, drive_of, start
from jaxfric.gouge._shear import contact_time
from jaxfric.programs import program

SETTLING = 2_000_000  # steps after which a layer that does not come to rest is given up
CHECKED = 100  # steps between two looks whether it rests


def settled(
    layer: Layer, contact: AbstractContact, load: Load, room: Room, still: float
) -> tuple[Layer, Bool[Array, ""]]:
    """The layer pressed together without friction until its grains rest, and whether they do."""
    smooth = eqx.tree_at(lambda c: (c.friction, c.rolling), contact, (0.0, 0.0))
    dt = contact_time(layer, contact) / 20
    both = jax.tree_util.tree_map(lambda x: jnp.asarray(x)[None], layer)
    packed, resting = _settled(both, smooth, load, dt, room, still)
    return jax.tree_util.tree_map(lambda x: x[0], packed), resting[0]


@program
def _settled(
    layers: Layer, contact: AbstractContact, load: Load, dt: Array, room: Room, still: float
) -> tuple[Layer, Array]:
    body = body_of(layers, contact, True, room, SKIN)
    drive = drive_of(layers, load)
    pressed = load.pressure * layers.length
    # ½ ρ v² of all grains at the speed that counts as rest
    scale = 0.5 * still**2 * load.pressure / layers.grains.density * jnp.sum(body.mass, -1)
    point = jnp.zeros_like(layers.length), jnp.zeros_like(layers.length)

    def moving(carry: tuple[State, Array]) -> Array:
        state, k = carry
        unbalanced = jnp.abs(state.load.wall_y - pressed) > 1e-3 * pressed
        awake = (kinetic_energy(state, body) > scale) | unbalanced
        return jnp.any(awake) & (k < SETTLING)

    def chunk(carry: tuple[State, Array]) -> tuple[State, Array]:
        state, k = carry
        # Grains lose speed to the air that is not there: only until they rest
        state = jax.lax.fori_loop(
            0, CHECKED, lambda _, s: _slowed(advance(s, body, drive, point, dt), dt / times), state
        )
        return state, k + CHECKED

    # How long the pressure takes to move a grain by its own size
    times = jnp.mean(body.radius) * jnp.sqrt(jnp.mean(layers.grains.density) / load.pressure)
    state, k = jax.lax.while_loop(moving, chunk, (start(layers, body), jnp.zeros((), int)))
    rest = jnp.zeros_like(layers.grains.velocity)
    position = jnp.stack(
        [state.x - layers.length[:, None] * jnp.floor(state.x / layers.length[:, None]), state.y],
        -1,
    )
    packed = eqx.tree_at(lambda x: (x.grains.position, x.grains.velocity), layers, (position, rest))
    return packed, (k < SETTLING) & ~state.crowded


def _slowed(state: State, share: Array) -> State:
    keep = jnp.exp(-0.2 * share)
    return state._replace(vx=state.vx * keep, vy=state.vy * keep, spin=state.spin * keep)
